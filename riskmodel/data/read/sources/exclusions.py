"""Suspensions and permanent exclusions as schools report them to the LA within days.

In:  one row per suspension or exclusion.
Out: suspensions.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_numbers
from riskmodel.data.read.sources.schools import school_of
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    first_there,
    is_there,
)

__all__ = ["ALIASES", "NUMBERS", "SOURCES"]

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


def _sessions(frame: pd.DataFrame) -> pd.Series:
    """Return the length in half-days; a file that counts days has two half-days for each."""
    days = [name for name in DAYS if name in frame]
    if not days:
        return column(frame, "sessions")
    number = read_numbers(frame[days[0]])
    doubled = (2 * number).astype("object").where(number.notna(), frame[days[0]])
    given = column(frame, "sessions").astype("object")
    return given.where(is_there(given), doubled)


SOURCES = (
    Source(
        name="Suspensions and exclusions, school by URN",
        upn="upn",
        facts=_exclusions,
        aliases=ALIASES | {"schoolurn": "urn"},
        columns=frozenset({"upn", "urn", "category", "startdate"}),
    ),
    Source(
        name="Suspensions and exclusions",
        upn="upn",
        facts=_exclusions,
        aliases=ALIASES | dict.fromkeys(NUMBERS, "estab"),
        columns=frozenset({"upn", "estab", "category", "startdate"}),
    ),
)
"""What schools report."""
