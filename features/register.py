"""The register as a matrix: pupil × half-day, one byte per mark, as it was known on a day.

In:  the ``sessions`` table and the school calendar.
Out: slices of marks dated and recorded before ``as_of``; counts of marks over windows of school days
from prefix sums, for many days at once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.codes import code_set, codes

__all__ = [
    "FAMILIES",
    "NO_MARK",
    "PARTS",
    "REGISTER_DAYS",
    "Register",
    "Tally",
    "day_number",
    "family_lookup",
    "group_of",
    "lane",
    "make_register",
    "whole_days",
]

NO_MARK = 0
"""Byte of a half-day without a mark; mark number i of the code set is byte i + 1."""

REGISTER_DAYS = 200
"""School days of register that builders see: a little over a school year."""

LONGEST_LAG = np.iinfo(np.uint16).max

BLOCK = 2**20
"""Marks laid out in one go."""

PUPILS_AT_A_TIME = 256
"""Rows of the register summed up in one go, so that they fit the cache."""

LANES, BITS = 4, 16
"""Families counted side by side in one 64-bit number, and the bits of each: 65,535 half-days."""


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
        "holiday": ("G",),
        "dual": ("D",),
        "not_possible": tuple(family.index[family == "not_possible"]),
        "marked": tuple(family.index),
        "left_open": ("N",),
        "closed_late": ("U",),
        "educated_elsewhere": ("K",),
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
    term_start : int array of shape (n_days,)
        Position of the first school day of the day's term; -1 without a calendar.
    """

    dates: NDArray[np.datetime64]
    marks: NDArray[np.uint8]
    lag: NDArray[np.uint16]
    latest: NDArray[np.int64]
    revealed: NDArray[np.int64]
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
        return np.flatnonzero(self.revealed[:stop] < day)[-n_days:]

    def window(self, as_of: pd.Timestamp, n_days: int, *, skip: int = 0) -> tuple[int, int]:
        """Return the positions between which the last school days before a day lie, as known then.

        Parameters
        ----------
        as_of : Timestamp
            The day.
        n_days : int
            School days wanted; there are fewer where the calendar starts later.
        skip : int
            School days just before the day that are left out.

        Returns
        -------
        tuple of int
            First position in ``dates``, and the one after the last; equal if there are no days.
        """
        days = self.school_days(as_of, n_days=n_days + skip)
        days = days[: max(0, len(days) - skip)]
        return (int(days[0]), int(days[-1]) + 1) if len(days) else (0, 0)

    def term(self, as_of: pd.Timestamp, *, back: int = 0) -> tuple[int, int]:
        """Return the positions of the latest term with a school day before a day, up to that day.

        Parameters
        ----------
        as_of : Timestamp
            The day.
        back : int
            Terms before that one.

        Returns
        -------
        tuple of int
            First position, and the one after the last; equal if there is no such term or no calendar.
        """
        stop = int(np.searchsorted(self.dates, np.datetime64(day_number(as_of), "D")))
        for _ in range(back):
            stop = max(0, int(self.term_start[stop - 1])) if stop else 0
        start = int(self.term_start[stop - 1]) if stop else -1
        return (start, stop) if start >= 0 else (0, 0)

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


def day_number(day: pd.Timestamp) -> int:
    """Return a day as days since 1970.

    Parameters
    ----------
    day : Timestamp
        A day.

    Returns
    -------
    int
        Days since 1970-01-01.
    """
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
    _on_all_cores(lambda block: _lay_out(block, dates, marks, lags), blocks)
    number = dates.astype(np.int64)
    latest = number + lags.max(axis=0, initial=0).reshape(-1, 2).max(axis=1, initial=0)
    revealed = number
    if "calendar" not in tables:
        first = np.where(marks > 0, lags, LONGEST_LAG).reshape(n_pupils, -1, 2)
        revealed = number + first.min(axis=(0, 2), initial=LONGEST_LAG)
    return Register(
        dates=dates, marks=marks, lag=lags, latest=latest, revealed=revealed, term_start=term_start
    )  # fmt: skip


def _on_all_cores(work: Callable[[Any], None], items: Iterable[Any]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        deque(pool.map(work, items), maxlen=0)


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
    place = sessions["pupil_id"].cat.codes.to_numpy().astype(np.int64)
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


def whole_days(dates: pd.Series) -> NDArray[np.int64]:
    """Return days since 1970.

    Parameters
    ----------
    dates : Series of datetime64
        Days; of a missing one the answer means nothing.

    Returns
    -------
    int array
        Days since 1970-01-01.
    """
    values = dates.to_numpy()
    if values.dtype == "datetime64[s]":  # several times as fast as numpy's own cast
        return np.asarray(values.view(np.int64) // 86_400)
    return values.astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Tally:
    """Counts of marks from prefix sums: any family, over any window that ends before a day.

    Four families are counted side by side, in the four 16-bit lanes of one 64-bit number; prefix sums
    of four are made when the first of them is asked for.

    Attributes
    ----------
    register : Register
        The marks.
    bounds : int array of shape (n_bounds,)
        Positions in the register's school days between which is counted, ascending.
    """

    register: Register
    bounds: NDArray[np.int64]
    _sums: dict[tuple[str, int], NDArray[np.uint64]] = field(default_factory=dict, repr=False)

    def count(
        self, family: str, as_of: pd.Timestamp, pupils: NDArray[np.int64], start: int, stop: int,
        part: str = "all",
    ) -> NDArray[np.float64]:  # fmt: skip
        """Count the marks of a family between two positions, as they were known on a day.

        Parameters
        ----------
        family : str
            A key of :data:`FAMILIES`.
        as_of : Timestamp
            Marks recorded on or after it are not counted.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils wanted.
        start, stop : int
            Positions in the register's school days; those that are no bounds take longer.
        part : str
            A key of :data:`PARTS`.

        Returns
        -------
        float array of shape (n_rows,)
            Half-days.
        """
        group, shift = _LANE_OF[family]
        lanes = self.lanes(group, as_of, pupils, start, stop, part)
        return lane(lanes, shift)

    def lanes(
        self, group: int, as_of: pd.Timestamp, pupils: NDArray[np.int64], start: int, stop: int,
        part: str,
    ) -> NDArray[np.uint64]:  # fmt: skip
        """Count four families at once; see :meth:`count`.

        Parameters
        ----------
        group : int
            Which four.
        as_of : Timestamp
            Marks recorded on or after it are not counted.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils wanted.
        start, stop : int
            Positions in the register's school days.
        part : str
            A key of :data:`PARTS`.

        Returns
        -------
        uint64 array of shape (n_rows,)
            Counts side by side.
        """
        first, last = np.searchsorted(self.bounds, [start, stop])
        if last < len(self.bounds) and self.bounds[first] == start and self.bounds[last] == stop:
            if (part, group) not in self._sums:
                self._sums[part, group] = _prefix_sums(self.register, self.bounds, part, group)
            sums = self._sums[part, group]
            lanes = sums[last, pupils] - sums[first, pupils]
        else:
            columns = np.arange(2 * start, 2 * stop)[PARTS[part](self.register.dates[start:stop])]
            marks = self.register.marks[np.ix_(pupils, columns)]
            lanes = _TABLES[group][marks].sum(axis=1, dtype=np.uint64)
        return lanes - self._late(group, as_of, pupils, start, stop, part)

    def _late(
        self, group: int, as_of: pd.Timestamp, pupils: NDArray[np.int64], start: int, stop: int,
        part: str,
    ) -> NDArray[np.uint64]:  # fmt: skip
        """Count marks in the window that were recorded on or after the day."""
        register, day = self.register, day_number(as_of)
        lanes = np.zeros(len(pupils), np.uint64)
        inside = PARTS[part](register.dates)
        for position in start + np.flatnonzero(register.latest[start:stop] >= day):
            age = day - int(register.dates[position].astype(np.int64))
            for column in (2 * position, 2 * position + 1):
                if inside[column]:
                    late = np.flatnonzero(register.lag[pupils, column] >= age)
                    lanes[late] += _TABLES[group][register.marks[pupils[late], column]]
        return lanes


def _prefix_sums(
    register: Register, bounds: NDArray[np.int64], part: str, group: int
) -> NDArray[np.uint64]:
    """Count from the first school day up to each bound; of shape (n_bounds, n_pupils)."""
    columns = np.flatnonzero(PARTS[part](register.dates))
    at = np.searchsorted(columns, 2 * bounds)
    sums = np.zeros((len(bounds), len(register.marks)), np.uint64)

    def sum_up(first: int) -> None:
        marks = register.marks[first : first + PUPILS_AT_A_TIME]
        marks = marks if part == "all" else marks[:, columns]
        running = _TABLES[group][marks].cumsum(axis=1)
        sums[at > 0, first : first + len(marks)] = running[:, at[at > 0] - 1].T

    _on_all_cores(sum_up, range(0, len(register.marks), PUPILS_AT_A_TIME))
    return sums


def _edge(dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    weekday = (dates.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    return np.repeat(np.isin(weekday, [0, 4]), 2)


PARTS: Mapping[str, Callable[[NDArray[np.datetime64]], NDArray[np.bool_]]] = {
    "all": lambda dates: np.ones(2 * len(dates), dtype=bool),
    "edge": _edge,
    "morning": lambda dates: np.tile([True, False], len(dates)),
}
"""Parts of the week and day that are counted apart → which half-days belong to them."""


def _tables() -> NDArray[np.uint64]:
    tables = np.zeros((-(-len(FAMILIES) // LANES), 256), np.uint64)
    for number, name in enumerate(FAMILIES):
        lane = np.uint64(1) << np.uint64(BITS * (number % LANES))
        tables[number // LANES, family_lookup(name)] += lane
    return tables


_TABLES = _tables()
_LANE_OF = {name: (n // LANES, np.uint64(BITS * (n % LANES))) for n, name in enumerate(FAMILIES)}


def group_of(family: str) -> tuple[int, np.uint64]:
    """Return which four families are counted with a family, and the place of its lane.

    Parameters
    ----------
    family : str
        A key of :data:`FAMILIES`.

    Returns
    -------
    tuple
        Group, and the lane's first bit.
    """
    return _LANE_OF[family]


def lane(lanes: NDArray[np.uint64], shift: np.uint64) -> NDArray[np.float64]:
    """Take one family out of four.

    Parameters
    ----------
    lanes : uint64 array of shape (n_rows,)
        From :meth:`Tally.lanes`.
    shift : uint64
        The lane's first bit, from :func:`group_of`.

    Returns
    -------
    float array of shape (n_rows,)
        Half-days.
    """
    return ((lanes >> shift) & np.uint64(2**BITS - 1)).astype(np.float64)
