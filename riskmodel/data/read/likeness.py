"""Names of columns that may mean the same: other names of the columns of our tables.

In:  names of columns.
Out: how like they are; columns of a file of a known layout that nothing was read from.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

from riskmodel.data.columns import Column
from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.source import is_there, plain
from riskmodel.data.schema import TABLES

__all__ = ["name_likeness", "unread_columns"]

OTHER_NAMES = {
    "pupil_id": "upn uniquepupilnumber pupilupn upnumber",
    "birth_month": "dob dateofbirth birthdate birthday",
    "sex": "gender legalsex",
    "ethnicity": "ethnic ethnicitycode ethnicgroup",
    "first_language": "language firstlanguage homelanguage",
    "school_id": "school urn laestab estab establishment dfenumber dfeno base baseschool",
    "entry_date": "admissiondate dateofadmission doa admitted joined dateofentry startdate",
    "leaving_date": "leavingdate dateofleaving dol leaver left enddate",
    "year_group": "year nationalcurriculumyear ncyear ncy",
    "status": "enrolmentstatus enrolstatus",
    "leaving_reason": "reasonforleaving leavingreason",
    "date": "sessiondate markdate attendancedate day schoolday",
    "session": "ampm half sess period",
    "mark": "code attendancecode attcode attendancemark",
    "term_end": "termend termenddate",
    "sessions": "halfdays days length duration numberofsessions",
    "start_date": "start from begin began started datefrom dateofsuspension dateofexclusion incidentdate "
    "dateopened opened",
    "end_date": "end to until ended finished dateto closed dateclosed ceased returned backinschool",
    "recorded_on": "recorded received notified exported dateadded datenotified daterecorded",
    "reinstated_on": "reinstated reinstatementdate",
    "category": "type exclusiontype suspensiontype suspension exclusion",
    "reason_1": "reason reasoncode exclusionreason mainreason",
    "provision": "sen senstatus senprovision stage senstage senlevel",
    "primary_need": "need primaryneed sentype primarysentype needtype",
    "secondary_need": "secondneed secondaryneed",
    "kind": "service vulnerability circumstance strand",
    "activity_code": "activity currentactivity activitycode",
    "confirmed_on": "verified dateverified confirmed datechecked",
    "idaci_decile": "idaci",
    "imd_decile": "imd",
    "score": "result points scaledscore",
    "result_date": "examdate testdate",
    "requested_on": "requestdate requestreceived receiveddate",
    "decided_on": "decisiondate decided",
}
"""Names of columns in exports of school and council systems, in plain form; chosen."""

UNDATED = frozenset(
    [
        *(
            "sen",
            "senstatus",
            "senprovision",
            "senneed",
            "senneeds",
            "sensupport",
            "ehcp",
            "ehcplan",
        ),
        *("fsm", "freeschoolmeals", "fsmeligible", "eligibleforfreeschoolmeals", "pupilpremium"),
        *("youngcarer", "incare", "lookedafter", "inlaacare", "childincare", "postcode"),
    ]
)
"""Columns of a school roll that show what holds on a day which the roll does not show."""

HOLDS, LONG = 0.8, 5
"""Likeness of two names of which one holds the other; letters above which that is no chance."""

SPELT_ALIKE = 0.75
"""Likeness of spelling below which two names are not alike."""

PLAIN = frozenset(
    [
        "a",
        "code",
        "date",
        "day",
        "days",
        "in",
        "no",
        "number",
        "of",
        "the",
        "time",
        "total",
        "type",
        "week",
        "weeks",
    ]
)
"""Words beside a known one that a message shows; others may be a child's name."""


@lru_cache(maxsize=100_000)
def name_likeness(ours: str, theirs: str) -> float:
    """Return the likeness of two names of columns, from 0 to 1.

    Parameters
    ----------
    ours : str
        Column of a table.
    theirs : str
        Column of a file.

    Returns
    -------
    float
        1 for a name that is known, 0.8 for one that holds such a name, else that of their spelling.

    Examples
    --------
    >>> [name_likeness("sessions", name) for name in ("Duration", "Sessions (days)", "UPN")]
    [1.0, 0.8, 0.0]
    """
    name = plain(theirs)
    known = [plain(ours), *OTHER_NAMES.get(ours, "").split()]
    if name in known:
        return 1.0
    if any(len(one) > 3 and one in name for one in known):
        return HOLDS
    return max(_spelt_alike(one, name) for one in known)


def _spelt_alike(ours: str, theirs: str) -> float:
    """Return the likeness of two spellings, 0 where they are not alike: soon seen of most names."""
    letters = len(ours) + len(theirs)
    if 2 * min(len(ours), len(theirs)) < SPELT_ALIKE * letters:
        return 0.0
    shared = (Counter(ours) & Counter(theirs)).total()
    if 2 * shared < SPELT_ALIKE * letters:
        return 0.0
    likeness = difflib.SequenceMatcher(None, ours, theirs).ratio()
    return likeness if likeness >= SPELT_ALIKE else 0.0


def unread_columns(one: ReturnFile, facts: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return the columns of a file that look like one of a table for which nothing was read.

    Parameters
    ----------
    one : ReturnFile
        A file of a known layout.
    facts : mapping of str to DataFrame
        What was read from it, by table.

    Returns
    -------
    list of Problem
        A warning for each column of a table.
    """
    used = {*one.source.columns, *one.source.aliases.values(), *one.source.aliases}
    left = [str(name) for name in one.raw if plain(str(name)) not in used]
    left = [
        name for name in left if plain(name) in one.frame and _is_filled(one.frame, plain(name))
    ]
    problems = []
    for table in (TABLES[name] for name in facts if name in TABLES):
        for ours in table.columns:
            alike = [name for name in left if _may_mean(ours, name)]
            facts_made = facts[table.name]
            # a column that the layout never gives has no name to be called by
            if alike and ours.name in facts_made:
                empty = facts_made.index[~is_there(facts_made[ours.name])]
                n = int(is_there(one.frame[plain(alike[0])].loc[empty.unique()]).sum())
                place = [str(name) for name in one.raw].index(alike[0]) + 1
                problems += [_unread(one.name, ours, alike[0], place, n)] if n else []
    return problems + _undated(one, facts, left)


def _undated(one: ReturnFile, facts: Mapping[str, pd.DataFrame], left: list[str]) -> list[Problem]:
    """Return a warning that names what a roll shows of its pupils and nothing dates."""
    names = [f"'{name}'" for name in left if plain(name) in UNDATED]
    if not names or "enrolments" not in facts or not one.source.name.startswith("School roll"):
        return []
    words = (
        f"{one.name}: nothing was read from {', '.join(names)}: a roll does not show since when this holds. "
        "Add the School Census, or lists with the day of each."
    )
    return [Problem(one.name, "unread_column", words)]


def _may_mean(ours: Column, theirs: str) -> bool:
    """Whether a name of a column is one that we know for ours, or holds a long one."""
    return _in_one_word(ours, theirs) or any(
        len(one) > LONG and one in plain(theirs) for one in _known(ours)
    )


def _known(ours: Column) -> set[str]:
    return {plain(ours.name), *OTHER_NAMES.get(ours.name, "").split()}


def _in_one_word(ours: Column, theirs: str) -> bool:
    return plain(theirs) in _known(ours)


def _is_filled(frame: pd.DataFrame, name: str) -> bool:
    return name in frame and bool(is_there(frame[name]).any())


def _unread(file: str, ours: Column, theirs: str, place: int, n: int) -> Problem:
    parts = set(re.findall("[a-z]+", theirs.lower()))
    is_plain = _in_one_word(ours, theirs) or parts <= PLAIN | _known(ours)
    shown = f"its column '{theirs}'" if is_plain else f"column {place}, whose name is not shown,"
    label = ours.label.lower() + (f", in {ours.unit}" if ours.unit else "")
    words = (
        f"{file}: in {n} row{'s' if n > 1 else ''} nothing was read as {ours.name} ({label}), and {shown} "
        "may hold it. Name the column as docs/reading.md does, or declare the file in riskmodel.toml "
        "(riskmodel map)."
    )
    return Problem(file, "unread_column", words, column=ours.name)
