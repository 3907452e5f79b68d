"""The register as a matrix: pupil × half-day, one byte per mark, as it was known on a day.

In:  the ``sessions`` table and the school calendar.
Out: slices of marks dated and recorded before ``as_of``, and the windows of school days they lie in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import day_number, pupils_of, whole_days
from riskmodel.features.marks import NO_MARK
from riskmodel.features.threads import on_all_cores

__all__ = ["REGISTER_DAYS", "Register", "Window", "make_register"]

REGISTER_DAYS = 200
"""School days of register that builders see: a little over a school year."""

LONGEST_LAG = np.iinfo(np.uint16).max

BLOCK = 2**20
"""Marks laid out in one go."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of school days.

    Attributes
    ----------
    start, stop : int
        First position in the register's school days, and the one after the last; equal if there are
        no days.
    part : str
        A key of :data:`riskmodel.features.mark_counts.PARTS`: the half-days of it that count.
    """

    start: int
    stop: int
    part: str = "all"


@dataclass(frozen=True, kw_only=True)
class Register:
    """All marks of all pupils.

    Attributes
    ----------
    dates : datetime64[D] array of shape (n_days,)
        School days, ascending.
    marks : uint8 array of shape (n_pupils, 2 * n_days)
        Morning and afternoon of each day; 0 where there is no mark.
    lag : uint16 array of shape (n_pupils, 2 * n_days)
        Days from the school day to ``recorded_on``.
    latest : int array of shape (n_days,)
        Day (since 1970) by which every mark of the school day had been recorded.
    known_from : int array of shape (n_days,)
        Day (since 1970) on which it became known that this is a school day: the day itself where
        a calendar that was published says so, else the day of the first mark recorded for it.
    term_start : int array of shape (n_days,)
        Position of the first school day of the day's term; -1 without a calendar.
    """

    dates: NDArray[np.datetime64]
    marks: NDArray[np.uint8]
    lag: NDArray[np.uint16]
    latest: NDArray[np.int64]
    known_from: NDArray[np.int64]
    term_start: NDArray[np.int64]

    def school_days(self, as_of: pd.Timestamp, *, n_days: int) -> NDArray[np.int64]:
        """Return which of ``dates`` are the last school days before a day, as known then.

        Parameters
        ----------
        as_of : Timestamp
            The day.
        n_days : int
            School days wanted; there are fewer where the calendar starts later.

        Returns
        -------
        int array of shape (days,)
            Ascending positions in ``dates``.
        """
        day = day_number(as_of)
        stop = int(np.searchsorted(self.dates, np.datetime64(day, "D")))
        return np.flatnonzero(self.known_from[:stop] < day)[-n_days:]

    def window(
        self, as_of: pd.Timestamp, n_days: int, *, skip: int = 0, part: str = "all"
    ) -> Window:
        """Return the window in which the last school days before a day lie, as known then.

        Parameters
        ----------
        as_of : Timestamp
            The day.
        n_days : int
            School days wanted; there are fewer where the calendar starts later.
        skip : int
            School days just before the day that are left out.
        part : str
            A key of :data:`riskmodel.features.mark_counts.PARTS`.

        Returns
        -------
        Window
            Positions in ``dates``.
        """
        days = self.school_days(as_of, n_days=n_days + skip)
        days = days[: max(0, len(days) - skip)]
        return Window(int(days[0]), int(days[-1]) + 1, part) if len(days) else Window(0, 0, part)

    def term(self, as_of: pd.Timestamp, *, back: int = 0) -> Window:
        """Return the window of the latest term with a school day before a day, up to that day.

        Parameters
        ----------
        as_of : Timestamp
            The day.
        back : int
            Terms before that one.

        Returns
        -------
        Window
            Positions in ``dates``; empty if there is no such term or no calendar.
        """
        stop = int(np.searchsorted(self.dates, np.datetime64(day_number(as_of), "D")))
        for _ in range(back):
            stop = max(0, int(self.term_start[stop - 1])) if stop else 0
        start = int(self.term_start[stop - 1]) if stop else -1
        return Window(start, stop) if start >= 0 else Window(0, 0)

    def as_known(
        self, as_of: pd.Timestamp, pupils: NDArray[np.int64], *, n_days: int
    ) -> NDArray[np.uint8]:
        """Return the last school days before a day, as they were known then.

        Parameters
        ----------
        as_of : Timestamp
            Marks dated or recorded on or after it are 0.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils wanted.
        n_days : int
            School days wanted; where the calendar starts later there are fewer.

        Returns
        -------
        uint8 array of shape (n_rows, 2 * days)
            Marks, the latest last.
        """
        day, days = day_number(as_of), self.school_days(as_of, n_days=n_days)
        if not len(days):
            return np.zeros((len(pupils), 0), np.uint8)
        start, stop = int(days[0]), int(days[-1]) + 1
        marks = self.marks[pupils, 2 * start : 2 * stop]
        for column in np.flatnonzero(self.latest[start:stop] >= day):
            both = slice(2 * (start + column), 2 * (start + column) + 2)
            age = day - int(self.dates[start + column].astype(np.int64))
            late = self.lag[pupils, both] >= age
            marks[:, 2 * column : 2 * column + 2][late] = NO_MARK
        if len(days) == stop - start:
            return marks
        return marks[:, (2 * (days - start)[:, None] + [0, 1]).ravel()]


def make_register(tables: Tables) -> Register:
    """Lay out the ``sessions`` table as a matrix.

    Parameters
    ----------
    tables : Tables
        With ``sessions``; its columns are the days of ``calendar``. Without one they are weekdays,
        and a weekday counts as a school day once a mark has been recorded for it.

    Returns
    -------
    Register
        One row per pupil of the shared category.
    """
    sessions = tables["sessions"]
    n_pupils = len(tables.pupils.categories)
    day = sessions["date"].to_numpy()
    if "calendar" in tables:
        calendar = tables["calendar"].sort_values("date").drop_duplicates("date")
        dates = calendar["date"].to_numpy().astype("datetime64[D]")
        term = calendar["term"].cat.codes.to_numpy()
        begins = np.append(True, np.diff(term) != 0)[: len(dates)]
        term_start = np.maximum.accumulate(np.where(begins, np.arange(len(dates)), 0))
    else:
        first, last = (day.min(), day.max()) if len(day) else (np.datetime64("2000-01-03"),) * 2
        every = np.arange(first.astype("datetime64[D]"), last.astype("datetime64[D]") + 1)
        dates = every[np.is_busday(every)]
        term_start = np.full(len(dates), -1)
    marks = np.zeros((n_pupils, 2 * len(dates)), np.uint8)
    lags = np.zeros((n_pupils, 2 * len(dates)), np.uint16)
    blocks = (sessions.iloc[row : row + BLOCK] for row in range(0, len(sessions), BLOCK))
    # numpy lets other threads run, and no two marks share a place
    on_all_cores(lambda block: _lay_out(block, dates, marks, lags), blocks)
    number = dates.astype(np.int64)
    latest = number + lags.max(axis=0, initial=0).reshape(-1, 2).max(axis=1, initial=0)
    known_from = number
    if "calendar" in tables and "first_marked_on" in calendar:
        told = calendar["first_marked_on"]
        known_from = np.where(told.isna(), number, whole_days(told))
    if "calendar" not in tables:
        first = np.where(marks > 0, lags, LONGEST_LAG).reshape(n_pupils, -1, 2)
        known_from = number + first.min(axis=(0, 2), initial=LONGEST_LAG)
    return Register(
        dates=dates, marks=marks, lag=lags, latest=latest, known_from=known_from, term_start=term_start
    )  # fmt: skip


def _lay_out(
    sessions: pd.DataFrame,
    dates: NDArray[np.datetime64],
    marks: NDArray[np.uint8],
    lags: NDArray[np.uint16],
) -> None:
    """Write a block of marks, and the days until they were recorded, to their places."""
    if not len(dates):
        return
    day = whole_days(sessions["date"])
    first = int(dates[0].astype(np.int64))
    column_of = np.full(int(dates[-1].astype(np.int64)) - first + 1, -1, dtype=np.int64)
    column_of[dates.astype(np.int64) - first] = np.arange(len(dates))
    since = day - first
    if since.min(initial=0) < 0 or since.max(initial=0) >= len(column_of):
        since = np.where((since < 0) | (since >= len(column_of)), len(column_of), since)
    column = np.append(column_of, -1)[since]
    lag = whole_days(sessions["recorded_on"])
    lag -= day
    place = pupils_of(sessions)
    place *= marks.shape[1]
    place += 2 * column
    place += sessions["session"].cat.codes.to_numpy()
    code = sessions["mark"].cat.codes.to_numpy().astype(np.uint8)
    code += 1
    if column.min(initial=0) < 0:  # not a school day
        inside = column >= 0
        place, code, lag = place[inside], code[inside], lag[inside]
    marks.reshape(-1)[place] = code
    lags.reshape(-1)[place] = np.clip(lag, 0, LONGEST_LAG, out=lag)
