"""The register as a matrix: pupil × half-day, one byte per mark, as it was known on a day.

In:  the ``sessions`` table and the school calendar.
Out: slices of marks dated and recorded before ``as_of``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.codes import code_set, codes

__all__ = ["FAMILIES", "NO_MARK", "Register", "family_lookup", "make_register"]

NO_MARK = 0
"""Byte of a half-day without a mark; mark number i of the code set is byte i + 1."""

LONGEST_LAG = np.iinfo(np.uint16).max


def _families() -> dict[str, tuple[str, ...]]:
    family = code_set("marks")["family"]
    authorised = tuple(family.index[family == "authorised"])
    unauthorised = tuple(family.index[family == "unauthorised"])
    return {
        "possible": tuple(family.index[family != "not_possible"]),
        "absence": authorised + unauthorised,
        "authorised": authorised,
        "unauthorised": unauthorised,
        "illness": ("I", "M"),
        "late": ("L", "U"),
        "excluded": ("E",),
        "part_time": ("C2",),
        "offsite": ("B", "K"),
        "unexplained": ("N", "O"),
        "dual": ("D",),
    }


FAMILIES = _families()
"""Named groups of marks."""


def family_lookup(name: str) -> NDArray[np.bool_]:
    """Return for each byte whether it is a mark of the family.

    Parameters
    ----------
    name : str
        A key of :data:`FAMILIES`.

    Returns
    -------
    bool array of shape (256,)
        False for :data:`NO_MARK`.
    """
    table = np.zeros(256, dtype=bool)
    table[[codes("marks").index(code) + 1 for code in FAMILIES[name]]] = True
    return table


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
    revealed : int array of shape (n_days,)
        Day (since 1970) on which it became known that this is a school day: the day itself where
        a calendar says so, else the day of the first mark recorded for it.
    """

    dates: NDArray[np.datetime64]
    marks: NDArray[np.uint8]
    lag: NDArray[np.uint16]
    latest: NDArray[np.int64]
    revealed: NDArray[np.int64]

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
        day = _day_number(as_of)
        stop = int(np.searchsorted(self.dates, np.datetime64(day, "D")))
        return np.flatnonzero(self.revealed[:stop] < day)[-n_days:]

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
        day, days = _day_number(as_of), self.school_days(as_of, n_days=n_days)
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


def _day_number(day: pd.Timestamp) -> int:
    return int(day.to_datetime64().astype("datetime64[D]").astype(np.int64))


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
    day = sessions["date"].to_numpy().astype("datetime64[D]")
    if "calendar" in tables:
        dates = np.unique(tables["calendar"]["date"].to_numpy().astype("datetime64[D]"))
    else:
        first, last = (day.min(), day.max()) if len(day) else (np.datetime64("2000-01-03"),) * 2
        every = np.arange(first, last + 1)
        dates = every[np.is_busday(every)]
    shape = (len(tables.pupils.categories), 2 * len(dates))
    column = np.searchsorted(dates, day)
    inside = (column < len(dates)) & (dates[np.clip(column, 0, len(dates) - 1)] == day)
    half = 2 * column + (sessions["session"].cat.codes.to_numpy() == 1)
    lag = (sessions["recorded_on"].to_numpy().astype("datetime64[D]") - day).astype(np.int64)
    place = (sessions["pupil_id"].cat.codes.to_numpy()[inside], half[inside])
    marks, lags = np.zeros(shape, np.uint8), np.zeros(shape, np.uint16)
    marks[place] = sessions["mark"].cat.codes.to_numpy()[inside].astype(np.uint8) + 1
    lags[place] = np.clip(lag, 0, LONGEST_LAG)[inside]
    number = dates.astype(np.int64)
    latest = number + lags.reshape(shape[0], -1, 2).max(axis=(0, 2), initial=0)
    revealed = number
    if "calendar" not in tables:
        first = np.where(marks > 0, lags, LONGEST_LAG).reshape(shape[0], -1, 2)
        revealed = number + first.min(axis=(0, 2), initial=LONGEST_LAG)
    return Register(dates=dates, marks=marks, lag=lags, latest=latest, revealed=revealed)
