"""Suspensions and permanent exclusions as schools report them to the LA within days.

In:  one row per suspension or exclusion.
Out: suspensions.
"""

from __future__ import annotations

import re

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates, read_numbers
from riskmodel.data.read.rows.faults import NO_HALF_DAYS
from riskmodel.data.read.rows.words import code_meant
from riskmodel.data.read.sources.schools import school_of
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    first_there,
    is_there,
    plain,
)
from riskmodel.data.schema import TABLES

__all__ = [
    "ALIASES",
    "NUMBERS",
    "SOURCES",
    "ends_early",
    "half_days_of",
    "is_other_length",
    "without_length",
]

DAYS = (
    "days",
    "numberofdays",
    "noofdays",
    "totaldays",
    "dayslost",
    "daysexcluded",
    "dayssuspended",
    "schooldays",
    "lengthindays",
    "lengthdays",
    "durationindays",
    "durationdays",
)
"""Plain names of columns with the length in school days."""

HALF_DAYS = (
    "numberofsessions",
    "noofsessions",
    "totalsessions",
    "sessionslost",
    "sessionsexcluded",
    "sessionssuspended",
    "sessions12days",
    "sessionshalfdays",
    "lengthinsessions",
    "lengthsessions",
    "durationsessions",
    "durationinsessions",
    "halfdays",
    "numberofhalfdays",
    "noofhalfdays",
)
"""Plain names of columns with the length in half-days."""

NOTIFIED = (
    "datelanotified",
    "lanotified",
    "notified",
    "notifieddate",
    "notificationdate",
    "datereported",
)
"""Plain names of columns with the day on which the LA was notified."""

NUMBERS = ("establishmentnumber", "laestab", "dfenumber", "school", "schoolname")
"""Plain names of columns that hold the school's number, or its name."""

ALIASES = {
    "reason": "reason1",
    **dict.fromkeys(HALF_DAYS, "sessions"),
    **dict.fromkeys(NOTIFIED, "datenotified"),
}
"""Other plain names of columns that every such list may have."""

CERTAIN = frozenset(
    ("sessions", *DAYS, "reason1", "reason2", "reason3", "datenotified", "reinstatementdate")
)
"""Columns that lists of placements seldom have."""

OF_EXCLUSIONS = re.compile(r"exclu|suspen|susp$|fixd$|lnch$|lunch|^pex$", re.IGNORECASE)
"""In a category, in the plain name of a column, or in the name of a file: a list of exclusions."""

OF_PLACEMENTS = re.compile(
    "placement|placed|provider|alternativeprovision|managedmove|hostschool|receivingschool|perweek"
)
"""In the plain name of a column or of a file: a list of placements or moves."""

NOT_SURE = (
    "It has the columns of a list of exclusions, and may be one of placements or moves: 'Permanent' and "
    "'Fixed term' mean either. If it is one of exclusions, write the Category as SUSP or PERM, or add the "
    "reason or the number of sessions; or declare its columns in [sources.*] of riskmodel.toml "
    "(riskmodel map FILE). If it is not, declare it as circumstances, or leave it out."
)


def _exclusions(frame: pd.DataFrame, context: Context) -> Facts:
    suspensions = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": school_of(first_there(frame, ("urn", "estab", *NUMBERS)), context),
            "start_date": frame["startdate"],
            "sessions": _sessions(frame),
            "category": frame["category"].astype("str").str.strip().replace({"FIXD": "SUSP"}),
            **{f"reason_{i}": column(frame, f"reason{i}") for i in (1, 2, 3)},
            "recorded_on": column(frame, "datenotified"),
            "reinstated_on": column(frame, "reinstatementdate"),
        }
    )
    return {"suspensions": suspensions}


def without_length(frame: pd.DataFrame) -> pd.Series:
    """Return which suspensions have a last day and no length.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``category``, and with plain column names.

    Returns
    -------
    Series of bool
        One per row; False for a permanent exclusion.

    Examples
    --------
    >>> rows = {"category": ["SUSP", "PERM"], "startdate": "2024-10-14", "enddate": "2024-10-15"}
    >>> without_length(pd.DataFrame(rows)).tolist()
    [True, False]
    """
    category = TABLES["suspensions"]["category"]
    is_susp = frame["category"].map(lambda one: code_meant(category, str(one).strip())) == "SUSP"
    unmeasured = ~is_there(first_there(frame, ("sessions", *DAYS)))
    return (
        is_susp
        & is_there(column(frame, "startdate"))
        & is_there(column(frame, "enddate"))
        & unmeasured
    )


def ends_early(frame: pd.DataFrame) -> pd.Series:
    """Return which exclusions end before they start.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        With plain column names.

    Returns
    -------
    Series of bool
        One per row; False where a day is missing.

    Examples
    --------
    >>> ends_early(pd.DataFrame({"startdate": ["2024-10-14"], "enddate": ["2024-10-11"]})).tolist()
    [True]
    """
    return read_dates(column(frame, "enddate")) < read_dates(column(frame, "startdate"))


def _sessions(frame: pd.DataFrame) -> pd.Series:
    """Return the length in half-days; a file that counts days has two half-days for each."""
    days = [name for name in DAYS if name in frame]
    if not days:
        return column(frame, "sessions")
    doubled = half_days_of(frame[days[0]])
    given = column(frame, "sessions").astype("object")
    return given.where(is_there(given), doubled)


def half_days_of(days: pd.Series) -> pd.Series:
    """Return the half-days of numbers of days; what is no number as it is.

    Parameters
    ----------
    days : Series of shape (n_rows,)
        As a file has them.

    Returns
    -------
    Series of object
        Days that are no whole number of half-days have their fault behind them.

    Examples
    --------
    >>> half_days_of(pd.Series(["1.5", "two", "0.25"])).tolist()
    [3.0, 'two', '0.25 (days that are no half-days)']
    """
    number = 2 * read_numbers(days)
    is_whole = number % 1 == 0
    unread = days.astype("object").mask(
        number.notna() & ~is_whole, days.astype("str") + NO_HALF_DAYS
    )
    return number.astype("object").where(is_whole, unread)


def is_other_length(frame: pd.DataFrame) -> pd.Series:
    """Return which rows of a list of exclusions have half-days that are not twice their days.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``sessions``.

    Returns
    -------
    Series of bool
        False where the file has no days, or a row lacks one of the two.

    Examples
    --------
    >>> is_other_length(pd.DataFrame({"sessions": ["6", "3"], "days": ["3", "3"]})).tolist()
    [False, True]
    """
    days = [name for name in DAYS if name in frame]
    if not days:
        return pd.Series(False, index=frame.index)
    twice, given = 2 * read_numbers(frame[days[0]]), read_numbers(frame["sessions"])
    return twice.notna() & given.notna() & (twice != given)


def _may_be_placements(frame: pd.DataFrame, name: str) -> str:
    """Return why a list may be one of placements or moves, which have the same columns and words."""
    category = TABLES["suspensions"]["category"]
    written = frame["category"].dropna().astype("str").str.strip().drop_duplicates()
    read = written[written.map(lambda text: code_meant(category, text) is not None)]
    is_placed = any(OF_PLACEMENTS.search(text) for text in (*map(str, frame), plain(name)))
    if read.empty:
        return NOT_SURE if is_placed else ""
    if any(OF_EXCLUSIONS.search(text) for text in (*read, *map(str, frame))):
        return ""
    if not is_placed:
        has_more = not CERTAIN.isdisjoint(frame) or "PERM" in set(read)
        return "" if has_more or OF_EXCLUSIONS.search(name) else NOT_SURE
    return "" if _holds_reasons(frame) else NOT_SURE


def _holds_reasons(frame: pd.DataFrame) -> bool:
    """Return whether most reasons of a list are those of exclusions."""
    reason = TABLES["suspensions"]["reason_1"]
    given = column(frame, "reason1").dropna().astype("str").str.strip()
    known = [code_meant(reason, text) is not None for text in given]
    return 2 * sum(known) > len(known)


SOURCES = (
    Source(
        name="Suspensions and exclusions, school by URN",
        upn="upn",
        facts=_exclusions,
        doubt=_may_be_placements,
        aliases=ALIASES | {"schoolurn": "urn"},
        columns=frozenset({"upn", "urn", "category", "startdate"}),
    ),
    Source(
        name="Suspensions and exclusions",
        upn="upn",
        facts=_exclusions,
        doubt=_may_be_placements,
        aliases=ALIASES | dict.fromkeys(NUMBERS, "estab"),
        columns=frozenset({"upn", "estab", "category", "startdate"}),
    ),
)
"""What schools report."""
