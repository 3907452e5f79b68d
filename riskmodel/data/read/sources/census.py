"""The School Census as LAs receive it: COLLECT flat tables of the autumn, spring and summer returns.

In:  one CSV per table, joined on the ids that COLLECT gives to rows; all years since 2016.
Out: pupils, spells on rolls, SEN provision, free school meals, exclusions, termly absence, addresses.

A return is known to the LA some weeks after the census day: :data:`DAYS_TO_LA` later. Column names:
public LA pipelines' schemas of the returns 2015 to 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.convert import read_dates, read_numbers
from riskmodel.data.read.rows.faults import NO_YEAR_AT_ENTRY
from riskmodel.data.read.rows.words import flagged_kind, is_denied
from riskmodel.data.read.sources.enrolment_status import enrolment_status
from riskmodel.data.read.sources.languages import language_code
from riskmodel.data.read.sources.need_ranks import ranked_needs
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    is_there,
    postcode_key,
    school_year,
)
from riskmodel.data.year_groups import year_group_by_age

__all__ = [
    "DAYS_TO_LA",
    "NO_LONGER_ON_ROLL",
    "SENT_AGAIN",
    "SOURCES",
    "YEAR_GROUPS",
    "census_year_groups",
    "flags_of_day",
    "homes",
    "pupil_facts",
    "term_end",
    "year_group_at_entry",
]

DAYS_TO_LA = 35
"""Days from the census day until the LA holds the return; schools have four weeks to send it, and the
LA a few days to load it (recalled, unverified)."""

SENT_AGAIN = "sentagain"
"""Column with the day on which a return was sent again, in rows of one that replaces another."""

NO_LONGER_ON_ROLL = "nolongeronroll"
"""Column that is "1" in rows of pupils whom the census counts among those no longer on roll."""

YEAR_GROUPS = {"E1": -4, "E2": -3, "N1": -2, "N2": -1, "R": 0} | {str(n): n for n in range(1, 15)}
"""National curriculum year of the census → year group; M (mixed) and X (not followed) are missing."""

PROVISION = {"S": "E", "A": "K", "P": "K"}
"""SEN provision codes of before 2014: statement, School Action, School Action Plus."""

TERM_ENDS = {10: (5, 31), 1: (12, 31), 5: (4, 15)}
"""Census month → last day of the term whose attendance it holds; the second half of summer comes in
tables of its own (recalled, unverified)."""

LONGEST_TERM = 400
"""Half-days of a term, at most; as in the table of termly totals."""

ALIASES = {
    "gender": "sex",
    "absencesessions": "sessions",
    "pupilonrolltableid": "rowid",
    "pupilnolongeronrolltableid": "rowid",
    "ncyearleaving": "ncyearactual",
    "sennprovision": "senprovision",
}


def census_year_groups(values: pd.Series) -> pd.Series:
    """Return year groups of the census as numbers.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        National curriculum years, also as ``Year 7``, ``07`` or ``7.0``.

    Returns
    -------
    Series of float64
        Reception is 0; missing where there is none, as for M (mixed) and X (not followed).

    Examples
    --------
    >>> census_year_groups(pd.Series(["7", "Year 8", "R", "M", "77"])).tolist()
    [7.0, 8.0, 0.0, nan, nan]
    """
    year = values.astype("str").str.strip().str.upper()
    year = year.str.replace(r"^(?:YEAR|YR|Y)?\s*0?(\d{1,2})(?:\.0+)?$", r"\1", regex=True)
    return year.map(YEAR_GROUPS).astype("float64")


def _known(frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the census day, the school and the day the LA knew, for rows of a pupil table."""
    census = frame["schoolcensustableid"].astype("str")
    found = context.censuses.reindex(census)
    known = pd.DataFrame(
        {"school_id": found["school_id"].to_numpy(), "day": found["day"].to_numpy()},
        index=frame.index,
    ).assign(recorded_on=lambda made: made["day"] + pd.Timedelta(days=DAYS_TO_LA))
    if SENT_AGAIN not in frame:
        return known
    sent = read_dates(frame[SENT_AGAIN])
    return known.assign(recorded_on=pd.concat([known["recorded_on"], sent], axis=1).max(axis=1))


def _of_row(frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return pupil, school and days for rows of a table that hangs on a pupil row."""
    row = frame["rowid"].astype("str")
    census = pd.DataFrame({"schoolcensustableid": row.map(context.census_of_row)})
    census = census.set_axis(frame.index)
    if SENT_AGAIN in frame:
        census[SENT_AGAIN] = frame[SENT_AGAIN]
    known = _known(census, context)
    return known.assign(pupil_id=row.map(context.pupil_of_row).to_numpy())


def _pupils(frame: pd.DataFrame, context: Context) -> Facts:
    known = _known(frame, context)
    return {**pupil_facts(frame, known), **_possible(frame, known)}


def _possible(frame: pd.DataFrame, known: pd.DataFrame) -> Facts:
    """Take the possible half-days of the term, where they are a number that a term can have."""
    if "termlysessionspossible" not in frame:
        return {}
    number = read_numbers(frame["termlysessionspossible"])
    possible = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "term_end": term_end(known["day"]),
            "sessions": number,
            "recorded_on": known["recorded_on"],
            "_school": known["school_id"],
        }
    )
    is_whole = number.between(1, LONGEST_TERM) & (number % 1 == 0)
    return {"possible": possible[(is_whole & possible["term_end"].notna()).to_numpy()]}


def pupil_facts(frame: pd.DataFrame, known: pd.DataFrame) -> Facts:
    """Return the facts of pupils on a roll as a census sees them.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``pupil_id``, ``dob`` and ``entrydate``, and other items of the census where it has them.
    known : DataFrame
        Of each row: ``school_id``, the census ``day``, and ``recorded_on``.

    Returns
    -------
    mapping of str to DataFrame
        Pupils and enrolments; provision and young carers where the census asks for them.
    """
    pupils = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "birth_month": read_dates(frame["dob"]).dt.strftime("%Y-%m-01"),
            "sex": column(frame, "sex"),
            "ethnicity": column(frame, "ethnicity"),
            "first_language": language_code(column(frame, "language")),
            "first_language_recorded_on": known["recorded_on"],
            "_day": known["day"],
        }
    )
    facts = {"pupils": pupils, "enrolments": _rolls(frame, known)}
    if "senprovision" in frame:
        facts["send"] = _provision(frame, known)
    if "youngcarer" in frame:
        facts["circumstances"] = flags_of_day(
            frame, "youngcarer", "young_carer", known, yes=["p", "s"], unknown=["u"]
        )
    return facts


def _rolls(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Take spells on rolls; the year group is that at entry, from the age where the return gives none."""
    entry, born = read_dates(frame["entrydate"]), read_dates(frame["dob"])
    leaving = _leaving_dates(frame, known)
    written = column(frame, "ncyearactual")
    # a leaver's is the one on leaving (NCyearLeaving), which may be that of the school year before
    seen = pd.concat([known["day"], read_dates(leaving)], axis=1).min(axis=1)
    at_entry = year_group_at_entry(census_year_groups(written), seen, entry, born, written)
    return pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": known["school_id"],
            "entry_date": frame["entrydate"],
            "leaving_date": leaving,
            "status": enrolment_status(column(frame, "enrolstatus")),
            "year_group": at_entry,
            "recorded_on": known["recorded_on"],
            "end_recorded_on": known["recorded_on"].where(leaving.notna()),
            "_seen": known["day"],
            "_return": "census",
        }
    )


def _leaving_dates(frame: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Return leaving dates; the census day where a leaver has none, or one after it."""
    leaving, left = column(frame, "leavingdate"), column(frame, NO_LONGER_ON_ROLL) == "1"
    unusable = left & (~is_there(leaving) | (read_dates(leaving) > known["day"]))
    if not unusable.any():
        return leaving
    return leaving.astype("object").mask(unusable, known["day"].dt.strftime("%Y-%m-%d"))


def year_group_at_entry(
    group: pd.Series, seen: pd.Series, entry: pd.Series, born: pd.Series, written: pd.Series
) -> pd.Series:
    """Return the year group in which pupils entered a school.

    Parameters
    ----------
    group : Series of shape (n_rows,)
        Year group on the day it was seen; missing where it is not known.
    seen, entry, born : Series of datetime64, shape (n_rows,)
        That day; the first day on the roll; the day of birth.
    written : Series of shape (n_rows,)
        Year groups as the file has them.

    Returns
    -------
    Series of shape (n_rows,)
        By age where the year group is not known, or would be none that there is. Where the age is not known
        either, the year group as it is written, with its fault.
    """
    at_entry = group.astype("float64") - (school_year(seen) - school_year(entry))
    at_entry = at_entry.where(at_entry.between(-4, 14), year_group_by_age(born, entry))
    unread = at_entry.isna() & is_there(written)
    if not unread.any():
        return at_entry
    return at_entry.astype("object").mask(unread, written.astype("str") + NO_YEAR_AT_ENTRY)


def _provision(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    code = frame["senprovision"].astype("str").str.strip().str.upper()
    send = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "provision": code.replace(PROVISION),
            "start_date": known["day"],
            "recorded_on": known["recorded_on"],
        }
    )
    return send[frame["senprovision"].notna() & (code != "")]


def flags_of_day(
    frame: pd.DataFrame,
    named: str,
    kind: str,
    known: pd.DataFrame,
    *,
    yes: Iterable[str],
    no: Iterable[str] = (),
    unknown: Iterable[str] = (),
) -> pd.DataFrame:
    """Return whom a census flags on its day, and of whom it says that the circumstance is not there.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``pupil_id``.
    named : str
        Plain name of the column of answers.
    kind : str
        Kind of circumstance.
    known : DataFrame
        Of each row: the census ``day``, and ``recorded_on``.
    yes, no, unknown : iterable of str
        More ways to write that it is there, that it is not, or neither, in small letters.

    Returns
    -------
    DataFrame
        Raw rows of ``circumstances``; ``_denied`` where it is not there.
    """
    kinds = flagged_kind(frame[named], kind, yes=yes, no=[*no, *unknown])
    denied = is_denied(frame[named], no)
    made = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "kind": kinds.mask(denied, kind),
            "start_date": known["day"],
            "recorded_on": known["recorded_on"],
            "_flag": True,
            "_denied": denied,
        }
    )
    return made[made["kind"].notna()]


def _exclusions(frame: pd.DataFrame, context: Context) -> Facts:
    known = _of_row(frame, context)
    category = frame["category"].astype("str").str.strip().str.upper()
    reasons = {
        f"reason_{i}": column(frame, f"reason{i}" if f"reason{i}" in frame else "reason" * (i == 1))
        for i in (1, 2, 3)
    }
    suspensions = pd.DataFrame(
        {
            "pupil_id": known["pupil_id"],
            "school_id": known["school_id"],
            "start_date": frame["startdate"],
            "sessions": column(frame, "sessions"),
            "category": category.replace({"FIXD": "SUSP"}),
            **reasons,
            "recorded_on": known["recorded_on"],
            "reinstated_on": column(frame, "reinstatementdate"),
        }
    )
    return {"suspensions": suspensions}


def term_end(day: pd.Series) -> pd.Series:
    """Return the last day of the term whose attendance a census holds.

    Parameters
    ----------
    day : Series of datetime64, shape (n_rows,)
        Census days.

    Returns
    -------
    Series of datetime64
        Near the end of the term before; missing for a day in no census month.
    """
    month, year = day.dt.month, day.dt.year
    last = month.map(TERM_ENDS)
    parts = {"year": year - (month == 1), "month": last.str[0], "day": last.str[1]}
    return pd.to_datetime(pd.DataFrame(parts), errors="coerce")


def _sessions(frame: pd.DataFrame, context: Context) -> Facts:
    return {"absence_totals": _termly(frame, context, term_end)}


def _half_term(frame: pd.DataFrame, context: Context) -> Facts:
    """Take the second half of summer, which the autumn census holds beside the first."""
    return {
        "absence_totals": _termly(frame, context, lambda day: term_end(day) + pd.Timedelta(days=61))
    }


def _termly(
    frame: pd.DataFrame, context: Context, end: Callable[[pd.Series], pd.Series]
) -> pd.DataFrame:
    known = _of_row(frame, context)
    return pd.DataFrame(
        {
            "pupil_id": known["pupil_id"],
            "term_end": end(known["day"]),
            "mark": frame["attendancereason"],
            "sessions": frame["sessions"],
            "recorded_on": known["recorded_on"],
            "_school": known["school_id"],
            "_entry": frame["rowid"].astype("str").map(context.entry_of_row).to_numpy(),
        }
    )


def _meals(frame: pd.DataFrame, context: Context) -> Facts:
    known = _of_row(frame, context)
    meals = pd.DataFrame(
        {
            "pupil_id": known["pupil_id"],
            "kind": "fsm",
            "start_date": frame["fsmstartdate"],
            "end_date": column(frame, "fsmenddate"),
            "recorded_on": known["recorded_on"],
            "end_recorded_on": known["recorded_on"].where(column(frame, "fsmenddate").notna()),
        }
    )
    return {"circumstances": meals}


def _needs(frame: pd.DataFrame, context: Context) -> Facts:
    known = _of_row(frame, context)
    needs = pd.DataFrame(
        {
            "pupil_id": known["pupil_id"],
            **ranked_needs(frame),
            "start_date": known["day"],
            "recorded_on": known["recorded_on"],
        }
    )
    return {"needs": needs}


def _addresses(frame: pd.DataFrame, context: Context) -> Facts:
    known = _of_row(frame, context)
    return {"neighbourhood": homes(known["pupil_id"], frame["postcode"], known, context)}


def homes(
    pupils: pd.Series, postcodes: pd.Series, known: pd.DataFrame, context: Context
) -> pd.DataFrame:
    """Return the neighbourhood of each address; missing where no lookup has the postcode.

    Parameters
    ----------
    pupils : Series of shape (n_rows,)
        Whose addresses they are.
    postcodes : Series of shape (n_rows,)
        As the file has them.
    known : DataFrame
        Of each row: the census ``day``, and ``recorded_on``.
    context : Context
        Knows the deciles.

    Returns
    -------
    DataFrame
        Raw rows of ``neighbourhood``.
    """
    post = postcode_key(postcodes)
    found = context.deciles.reindex(post)
    if found.empty or "idaci_decile" not in found:
        found = pd.DataFrame({"idaci_decile": np.nan, "imd_decile": np.nan}, index=post)
    return pd.DataFrame(
        {
            "pupil_id": pupils,
            "start_date": known["day"],
            "idaci_decile": found["idaci_decile"].to_numpy(),
            "imd_decile": found["imd_decile"].to_numpy(),
            "recorded_on": known["recorded_on"],
        }
    )


def _arranged(frame: pd.DataFrame, context: Context) -> Facts:
    """Take placements in alternative provision that the school arranged."""
    known, end = _of_row(frame, context), column(frame, "leavingdate")
    placements = pd.DataFrame(
        {
            "pupil_id": known["pupil_id"],
            "kind": "alternative_provision",
            "start_date": frame["entrydate"],
            "end_date": end,
            "recorded_on": known["recorded_on"],
            "end_recorded_on": known["recorded_on"].where(end.notna()),
        }
    )
    return {"circumstances": placements}


def _in_unit(frame: pd.DataFrame, context: Context) -> Facts:
    """Take pupils of alternative provision itself, there since they entered."""
    known = _of_row(frame, context)
    since = frame["rowid"].astype("str").map(context.entry_of_row).to_numpy()
    return {
        "circumstances": known[["pupil_id", "recorded_on"]].assign(
            kind="alternative_provision", start_date=since, _flag=True, _seen=known["day"]
        )
    }


def _support(frame: pd.DataFrame, context: Context) -> Facts:
    known = _of_row(frame, context)
    return {
        "circumstances": known[["pupil_id", "recorded_on"]].assign(
            kind="learner_support", start_date=known["day"], _flag=True
        )
    }


SOURCES = (
    Source(
        name="School Census: returns",
        aliases=ALIASES,
        columns=frozenset({"schoolcensustableid", "term", "referencedate"}),
    ),
    Source(
        name="School Census: pupils on roll",
        aliases=ALIASES,
        upn="upn",
        names_pupils=True,
        facts=_pupils,
        columns=frozenset({"rowid", "schoolcensustableid", "upn", "dob", "entrydate"}),
    ),
    Source(
        name="School Census: exclusions",
        aliases=ALIASES,
        facts=_exclusions,
        columns=frozenset({"rowid", "startdate", "category"}),
    ),
    Source(
        name="School Census: attendance",
        aliases=ALIASES,
        facts=_sessions,
        columns=frozenset({"rowid", "attendancereason", "sessions"}),
    ),
    Source(
        name="School Census: attendance, second half of summer",
        facts=_half_term,
        columns=frozenset({"rowid", "attendancereason", "sessions", "halftermid"}),
        aliases=ALIASES
        | {
            f"summerhalfterm2sessiondetails{where}rolltableid": "halftermid"
            for where in ("on", "off")
        },
    ),
    Source(
        name="School Census: alternative provision, arranged by the school",
        aliases=ALIASES,
        facts=_arranged,
        columns=frozenset({"rowid", "apsettingtype", "entrydate"}),
    ),
    Source(
        name="School Census: alternative provision, pupils of it",
        aliases=ALIASES,
        facts=_in_unit,
        columns=frozenset({"rowid", "apreason"}),
    ),
    Source(
        name="School Census: learner support",
        aliases=ALIASES,
        facts=_support,
        columns=frozenset({"rowid", "supportcode"}),
    ),
    Source(
        name="School Census: free school meals",
        aliases=ALIASES,
        facts=_meals,
        columns=frozenset({"rowid", "fsmstartdate"}),
    ),
    Source(
        name="School Census: SEN needs",
        aliases=ALIASES,
        facts=_needs,
        columns=frozenset({"rowid", "sentype", "sentyperank"}),
    ),
    Source(
        name="School Census: addresses",
        aliases=ALIASES,
        facts=_addresses,
        columns=frozenset({"rowid", "postcode"}),
    ),
)
"""Tables of the School Census."""
