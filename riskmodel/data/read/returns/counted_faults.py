"""Values that are used in part or not at all, so that one warning for each file counts them.

In:  the rows of a file, with plain names of columns.
Out: a warning for each kind of such values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from riskmodel.data.identity import may_identify
from riskmodel.data.read.returns.census_leavers import undated_leavers
from riskmodel.data.read.rows.convert import read_numbers
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.census import NO_LONGER_ON_ROLL, census_year_groups
from riskmodel.data.read.sources.enrolment_status import is_no_status
from riskmodel.data.read.sources.exclusions import ends_early, is_other_length, without_length
from riskmodel.data.read.sources.languages import is_no_language
from riskmodel.data.read.sources.lists import unsure_groups
from riskmodel.data.read.sources.registers import more_than_possible, unsure_pairs
from riskmodel.data.read.sources.social_care import is_no_legal_status
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["counted_faults", "such_as"]


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """A fault that is counted.

    Attributes
    ----------
    rule : str
        Stable code.
    column : str
        Plain name of the column of the fault.
    find : callable
        Rows with that column → which of them have the fault.
    words : str
        What is the matter with ``{n}`` values, and what to do; ``{such}`` shows some of them.
    known_by : str
        Another column by which such a file is known, where it may lack the column of the fault.
    """

    rule: str
    column: str
    find: Callable[[pd.DataFrame], pd.Series]
    words: str
    known_by: str = ""


def _no_year(frame: pd.DataFrame) -> pd.Series:
    """Return which year groups cannot be read; M and X mean that there is none."""
    years = frame["ncyearactual"]
    unread = is_there(years) & census_year_groups(years).isna()
    return unread & ~years.astype("str").str.strip().str.upper().isin(["M", "X"])


FAULTS = (
    _Counted(
        rule="bad_year_group",
        column="ncyearactual",
        find=_no_year,
        words="{n} values of ncyearactual are no year group, so the age on entry counts. "
        "Write 1 to 14, R, N1, N2, E1 or E2.",
    ),
    _Counted(
        rule="bad_status",
        column="enrolstatus",
        find=lambda frame: is_no_status(frame["enrolstatus"]),
        words="{n} values of enrolstatus are no enrolment status{such}. Their rolls count as main ones. "
        "Write C, M, S or G.",
    ),
    _Counted(
        rule="bad_language",
        column="language",
        find=lambda frame: is_no_language(frame["language"]),
        words="{n} values of language are no code of a first language, so it counts as not known. "
        "Write codes such as ENG.",
    ),
    _Counted(
        rule="unused_rank",
        column="sentyperank",
        find=lambda frame: read_numbers(frame["sentyperank"]) > 2,
        words="{n} needs have a rank after 2 and are not used: a pupil has a primary and a secondary need. "
        "Give the two that matter most the ranks 1 and 2.",
    ),
    _Counted(
        rule="no_leaving_date",
        column="leavingdate",
        known_by=NO_LONGER_ON_ROLL,
        find=undated_leavers,
        words="{n} pupils no longer on roll have no leaving date. The census day counts as their last day on "
        "the roll. Fill in leavingdate.",
    ),
    _Counted(
        rule="unsure_marks",
        column="attendancemarks",
        find=unsure_pairs,
        words="{n} strings of marks are read as days parted by blanks; a blank could be a half-day without a "
        "mark too. Write the marks without blanks between days.",
    ),
    _Counted(
        rule="beyond_possible",
        column="possible",
        find=more_than_possible,
        words="{n} rows hold more absence than possible half-days. The absence is used as it is. Correct it.",
    ),
    _Counted(
        rule="no_length",
        column="category",
        find=without_length,
        words="{n} suspensions have a last day and no length. It is not counted from days: schools close "
        "on some. Add the number of sessions (half-days).",
    ),
    _Counted(
        rule="ends_before_start",
        column="category",
        find=ends_early,
        words="{n} exclusions end before they start. They count. Correct one of the two days.",
    ),
    _Counted(
        rule="unsure_group",
        column="vulnerablegroup",
        find=unsure_groups,
        words="{n} values of the vulnerable group begin with 'no', 'not' or the like{such}, and count as "
        "a group. Take out the rows of pupils in no group.",
    ),
    _Counted(
        rule="bad_legal_status",
        column="ls",
        find=lambda frame: is_no_legal_status(frame["ls"]),
        words="{n} values of ls are no legal status{such}. These children count as looked after. Write codes "
        "such as C2.",
    ),
    _Counted(
        rule="two_lengths",
        column="sessions",
        find=is_other_length,
        words="{n} values of sessions are not twice the days of their rows. They count as half-days. If the "
        "column holds days, take it out; else correct one of the two.",
    ),
)
"""Faults, in the order in which they are reported."""


def counted_faults(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return a warning for each kind of fault that values of a file have.

    Parameters
    ----------
    frame : DataFrame
        Rows, with plain names of columns.
    name : str
        The file.

    Returns
    -------
    list of Problem
        Each with the number of values.

    Examples
    --------
    >>> rows = pd.DataFrame({"language": ["ENG", "Mostly English"], "enrolstatus": ["C", "?"]})
    >>> [problem.rule for problem in counted_faults(rows, "pupils.csv")]
    ['bad_status', 'bad_language']
    """
    problems = []
    for fault in FAULTS:
        if (fault.known_by or fault.column) not in frame:
            continue
        found = fault.find(frame)
        if found.any():
            values = column(frame, fault.column)[found].dropna().astype("str").unique().tolist()
            words = f"{name}: {fault.words.format(n=int(found.sum()), such=such_as(values))}"
            problems.append(Problem(name, fault.rule, words, column=fault.column))
    return problems


def such_as(values: Iterable[str]) -> str:
    """Return examples of values for a message, those left out that may identify a pupil.

    Parameters
    ----------
    values : iterable of str
        As a file has them.

    Returns
    -------
    str
        Up to three, with words before them; empty where none may be shown.

    Examples
    --------
    >>> such_as(["pending", "Q"])
    ", such as 'Q', 'pending'"
    """
    shown = sorted(f"'{one}'" for one in values if not may_identify(one))[:3]
    return f", such as {', '.join(shown)}" if shown else ""
