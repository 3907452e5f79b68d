"""Half-days with a mark of a family, counted from prefix sums over any window before a day.

In:  a register, and the positions at which windows start or end.
Out: half-days per pupil. The register is summed up once; days and windows are then looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import day_number
from riskmodel.features.marks import FAMILIES, family_lookup
from riskmodel.features.register import Register, Window
from riskmodel.features.threads import on_all_cores

__all__ = ["PARTS", "MarkCounts", "group_of", "unpack"]

PUPILS_AT_A_TIME = 256
"""Rows of the register summed up in one go, so that they fit the cache."""

PER_NUMBER, BITS = 4, 16
"""Families counted side by side in one 64-bit number, and the bits of each: 65,535 half-days."""


@dataclass(frozen=True)
class MarkCounts:
    """Half-days with a mark of a family, counted from prefix sums over any window before a day.

    Four families are counted side by side, in the four 16-bit parts of one 64-bit number. The prefix
    sums of four families are made when the first of them is asked for, and kept.

    Attributes
    ----------
    register : Register
        The marks.
    bounds : int array of shape (n_bounds,)
        Positions in the register's school days at which windows start or end, ascending.
    """

    register: Register
    bounds: NDArray[np.int64]
    _sums: dict[tuple[str, int], NDArray[np.uint64]] = field(default_factory=dict, repr=False)

    def packed(
        self, group: int, as_of: pd.Timestamp, pupils: NDArray[np.int64], window: Window
    ) -> NDArray[np.uint64]:
        """Count the marks of four families in a window at once, as they were known on a day.

        Parameters
        ----------
        group : int
            Number of the four families, from :func:`group_of`.
        as_of : Timestamp
            Marks recorded on or after it are not counted.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils.
        window : Window
            School days ``[start, stop)``. Where one of the two is no bound, all marks of the window
            are read, which takes longer.

        Returns
        -------
        uint64 array of shape (n_rows,)
            Half-days of the four families side by side, for :func:`unpack`.

        Examples
        --------
        One pupil, ill in the morning of one school day, and the mark was recorded the day after.

        >>> from riskmodel.data.codes import codes
        >>> ill = codes("marks").index("I") + 1
        >>> days = np.array(["2025-03-03"], "datetime64[D]")
        >>> monday = days.astype(np.int64)
        >>> register = Register(
        ...     dates=days, marks=np.array([[ill, 0]], np.uint8), lag=np.array([[1, 0]], np.uint16),
        ...     latest=monday + 1, known_from=monday, term_start=np.array([0]),
        ... )
        >>> counts, (group, shift) = MarkCounts(register, np.array([0, 1])), group_of("illness")
        >>> for day in ("2025-03-04", "2025-03-05"):
        ...     packed = counts.packed(group, pd.Timestamp(day), np.array([0]), Window(0, 1))
        ...     print(day, unpack(packed, shift).tolist())
        2025-03-04 [0.0]
        2025-03-05 [1.0]
        """
        first, last = np.searchsorted(self.bounds, [window.start, window.stop])
        found = self.bounds[[first, last]] if last < len(self.bounds) else ()
        if np.array_equal(found, (window.start, window.stop)):
            sums = self._sums_of(window.part, group)
            packed = sums[last, pupils] - sums[first, pupils]
        else:
            packed = self._count_all(group, pupils, window)
        packed = packed - self._count_late(group, as_of, pupils, window)
        if self.register.earlier is not None:
            packed += self._count_earlier(group, as_of, pupils, window)
        return packed

    def _count_earlier(
        self, group: int, as_of: pd.Timestamp, pupils: NDArray[np.int64], window: Window
    ) -> NDArray[np.uint64]:
        """Count marks in the window that were recorded before the day, and others in their place later."""
        assert self.register.earlier is not None
        wanted = PARTS[window.part](self.register.dates)
        wanted[: 2 * window.start] = False
        wanted[2 * window.stop :] = False
        row, _, mark = self.register.earlier.in_force(day_number(as_of), pupils, wanted)
        packed = np.zeros(len(pupils), np.uint64)
        np.add.at(packed, row, _TABLES[group][mark])
        return packed

    def _sums_of(self, part: str, group: int) -> NDArray[np.uint64]:
        if (part, group) not in self._sums:
            self._sums[part, group] = _prefix_sums(self.register, self.bounds, part, group)
        return self._sums[part, group]

    def _count_all(
        self, group: int, pupils: NDArray[np.int64], window: Window
    ) -> NDArray[np.uint64]:
        """Count the marks in the window, whenever they were recorded, without prefix sums."""
        start, stop = window.start, window.stop
        inside = PARTS[window.part](self.register.dates[start:stop])
        marks = self.register.marks[np.ix_(pupils, np.arange(2 * start, 2 * stop)[inside])]
        return _TABLES[group][marks].sum(axis=1, dtype=np.uint64)

    def _count_late(
        self, group: int, as_of: pd.Timestamp, pupils: NDArray[np.int64], window: Window
    ) -> NDArray[np.uint64]:
        """Count marks in the window that were recorded on or after the day."""
        register, day = self.register, day_number(as_of)
        packed = np.zeros(len(pupils), np.uint64)
        inside = PARTS[window.part](register.dates)
        recorded_by = register.latest[window.start : window.stop]
        for position in window.start + np.flatnonzero(recorded_by >= day):
            age = day - int(register.dates[position].astype(np.int64))
            for column in (2 * position, 2 * position + 1):
                if inside[column]:
                    late = np.flatnonzero(register.lag[pupils, column] >= age)
                    packed[late] += _TABLES[group][register.marks[pupils[late], column]]
        return packed


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

    on_all_cores(sum_up, range(0, len(register.marks), PUPILS_AT_A_TIME))
    return sums


def _edge(dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Return which half-days lie on a Monday or a Friday."""
    weekday = (dates.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    return np.repeat(np.isin(weekday, [0, 4]), 2)


PARTS: Mapping[str, Callable[[NDArray[np.datetime64]], NDArray[np.bool_]]] = {
    "all": lambda dates: np.ones(2 * len(dates), dtype=bool),
    "edge": _edge,
    "morning": lambda dates: np.tile([True, False], len(dates)),
}
"""Part of the week or day → function of the school days that returns which half-days belong to it."""


def _tables() -> NDArray[np.uint64]:
    tables = np.zeros((-(-len(FAMILIES) // PER_NUMBER), 256), np.uint64)
    for number, name in enumerate(FAMILIES):
        one = np.uint64(1) << np.uint64(BITS * (number % PER_NUMBER))
        tables[number // PER_NUMBER, family_lookup(name)] += one
    return tables


_TABLES = _tables()
_PART_OF = {
    name: (n // PER_NUMBER, np.uint64(BITS * (n % PER_NUMBER))) for n, name in enumerate(FAMILIES)
}


def group_of(family: str) -> tuple[int, np.uint64]:
    """Return the group of four with which a family is counted, and its bits in their number.

    Parameters
    ----------
    family : str
        A key of :data:`riskmodel.features.marks.FAMILIES`.

    Returns
    -------
    group : int
        For :meth:`MarkCounts.packed`.
    shift : uint64
        First bit of the family's 16, for :func:`unpack`.

    Examples
    --------
    >>> group, shift = group_of("illness")  # the fifth family
    >>> group, int(shift)
    (1, 0)
    """
    return _PART_OF[family]


def unpack(packed: NDArray[np.uint64], shift: np.uint64) -> NDArray[np.float64]:
    """Take the half-days of one family out of those of four.

    Parameters
    ----------
    packed : uint64 array of shape (n_rows,)
        From :meth:`MarkCounts.packed`.
    shift : uint64
        First bit of the family's 16, from :func:`group_of`.

    Returns
    -------
    float array of shape (n_rows,)
        Half-days.

    Examples
    --------
    >>> unpack(np.array([(7 << 16) + 3], np.uint64), np.uint64(16)).tolist()
    [7.0]
    """
    return ((packed >> shift) & np.uint64(2**BITS - 1)).astype(np.float64)
