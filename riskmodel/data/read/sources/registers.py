"""Attendance: marks half-day by half-day, strings of marks, and termly totals by code.

In:  one row per half-day; or per pupil and start date; or per pupil and term, a column per code.
Out: sessions; termly totals.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import codes
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.tidy import MISSING, NOTHING, tidy_column
from riskmodel.data.read.sources.census import DAYS_TO_LA, term_end
from riskmodel.data.read.sources.source import Context, Facts, Source, is_there, plain

__all__ = ["SOURCES"]

NO_MARK = ["", " ", "-", "#"]
"""What stands in a string where there was no half-day for the pupil: not yet marked, or closed."""

PAIRS = re.compile(r"\s*\S\S(?:\s+\S\S)+\s*")
"""A string that parts the days by blanks."""

CODES = {plain(code): code for code in codes("marks")}
"""Plain name of a column → attendance code."""

FEWEST_COUNTED = 3
"""Rows from which numbers that go up are no half-days."""

OLD_CODES = {f"treason{name}": name for name in CODES}
"""Columns of before 2020, as in ``T_Reason_I``."""


def _marks(frame: pd.DataFrame, context: Context) -> Facts:
    sessions = frame[["pupil_id", "date", "session", "mark"]].copy()
    if "received" in frame:
        sessions["recorded_on"] = frame["received"]
    return {"sessions": sessions}


def _strings(frame: pd.DataFrame, context: Context) -> Facts:
    """Lay out strings of marks, two a day from a start date.

    Whether a string counts on over weekends differs between systems. If no string of the file holds a
    mark on the Saturdays and Sundays it would reach by counting every day, every day is counted; else
    only Monday to Friday.
    """
    text = frame["attendancemarks"].astype("object").fillna("").astype("str")
    # pairs of a day with blanks between them are no half-days without a mark
    text = text.where(~text.str.fullmatch(PAIRS), text.str.replace(" ", ""))
    parts = text.str.split(",").where(text.str.contains(",", regex=False), text.map(list))
    marks = parts.explode().fillna("").str.strip()
    number = marks.groupby(level=0).cumcount().to_numpy()
    start = (
        read_dates(frame["attendancestartdate"]).loc[marks.index].to_numpy().astype("datetime64[D]")
    )
    dated = ~np.isnat(start)
    every_day = start + number // 2
    weekday = (every_day.astype("int64") + 3) % 7  # 1970-01-01 was a Thursday
    marked = ~marks.isin(NO_MARK).to_numpy()
    if (marked & dated & (weekday >= 5)).any():
        days = start.copy()
        days[dated] = np.busday_offset(start[dated], number[dated] // 2, roll="forward")
    else:
        days = every_day
    if (
        not dated.all()
    ):  # a start that cannot be read is one fault of a string, not one of each mark
        marked &= dated | ~pd.Series(marks.index).where(marked).duplicated().to_numpy()
    sessions = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"].loc[marks.index],
            "date": _days_or_start(days.astype("datetime64[s]"), frame, marks.index),
            "session": np.where(number % 2, "PM", "AM"),
            "mark": marks,
        }
    )
    if "received" in frame:
        sessions["recorded_on"] = frame["received"].loc[marks.index]
    return {"sessions": sessions[marked]}


def _days_or_start(
    days: NDArray[np.datetime64], frame: pd.DataFrame, places: pd.Index
) -> NDArray[np.datetime64] | NDArray[np.object_]:
    """Return days, and in place of a missing one the start as the file has it."""
    missing = np.isnat(days)
    if not missing.any():
        return days
    start = frame["attendancestartdate"].loc[places].to_numpy(dtype=object)
    return np.where(missing, start, pd.Series(days).astype("object").to_numpy())


def _totals(frame: pd.DataFrame, context: Context) -> Facts:
    """Turn columns of codes into rows; the columns are summed, totals of a school are not trusted."""
    here = [name for name in CODES if name in frame and not _numbers_rows(frame, name)]
    long = frame[here].set_axis([CODES[name] for name in here], axis=1)
    long = long.melt(var_name="mark", value_name="sessions", ignore_index=False)
    long = long.assign(sessions=tidy_column(long["sessions"], MISSING | NOTHING))
    number = pd.to_numeric(long["sessions"], errors="coerce")
    long = long[is_there(long["sessions"]).to_numpy() & (number != 0).to_numpy()]
    if "termend" in frame:
        end, known = read_dates(frame["termend"]), None
    else:
        day = read_dates(frame["referencedate"])
        end, known = term_end(day), day + pd.Timedelta(days=DAYS_TO_LA)
    totals = long.assign(pupil_id=frame["pupil_id"].loc[long.index], term_end=end.loc[long.index])
    written = frame["termend" if "termend" in frame else "referencedate"].loc[long.index]
    unread = totals["term_end"].isna() & is_there(written)
    if unread.any():  # a day that cannot be read is one fault of a row, not one of each code
        totals["term_end"] = totals["term_end"].astype("object").mask(unread, written)
        totals = totals[~unread | ~totals.index.duplicated()]
    if known is not None:
        totals["recorded_on"] = known.loc[totals.index]
    return {"absence_totals": totals}


def _numbers_rows(frame: pd.DataFrame, name: str) -> bool:
    """Return whether a column ``#`` numbers the rows: it stands first, or counts up."""
    if name != "hash":
        return False
    number = pd.to_numeric(frame[name], errors="coerce")
    counts = len(number) >= FEWEST_COUNTED and bool((number.diff().iloc[1:] > 0).all())
    return list(frame)[0] == name or counts


_WIDE = OLD_CODES | {
    "termenddate": "termend",
    "censusdate": "referencedate",
    "censusday": "referencedate",
}

SOURCES = (
    Source(
        name="Register marks",
        upn="upn",
        facts=_marks,
        columns=frozenset({"upn", "date", "session", "mark"}),
        aliases={"attendancecode": "mark", "code": "mark", "ampm": "session"},
    ),
    Source(
        name="Register marks, strings",
        upn="upn",
        facts=_strings,
        columns=frozenset({"upn", "attendancestartdate", "attendancemarks"}),
        aliases={"marks": "attendancemarks", "startdate": "attendancestartdate"},
    ),
    Source(
        name="Attendance by code, term end given",
        upn="upn",
        facts=_totals,
        aliases=_WIDE,
        columns=frozenset({"upn", "termend", "i", "m", "o"}),
    ),
    Source(
        name="Attendance by code, census day given",
        upn="upn",
        facts=_totals,
        aliases=_WIDE,
        columns=frozenset({"upn", "referencedate", "i", "m", "o"}),
    ),
)
"""Attendance."""
