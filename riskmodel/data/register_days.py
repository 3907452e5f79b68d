"""School days by registers: which there were before a day, and for which hardly any register came.

In:  tables, days.
Out: the school days, as they were known on a day; marks by pupil and day.

Where no calendar was published, school days are those with marks. When all registers stop there are none
any more, so later ones are reckoned from the weeks of the years before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import day_number, pupils_of, whole_days
from riskmodel.data.tables import Tables

__all__ = ["LATE", "PAST_YEARS", "RegisterDays", "SchoolDays"]

PAST_YEARS = 2
"""Years in which a school must have sent registers for them to have stopped; no feature looks back more."""

A_SCHOOL_DAY = 0.05
"""Marks of a school day, as a share of those of the fullest day of two years, at least."""

LATE, LATE_BY_MARKS = 10, 19
"""School days by which the newest register may lie behind a day: two weeks; four, to be sure, where no
calendar was published. No holiday but summer holds so many weekdays."""

YEARS_BACK = (364, 728)
"""Days to the same weekday of the years before."""

HOLIDAYS = ((101, 105), (720, 907), (1221, 1232))
"""Days of the year (month × 100 + day; the second is the first day of school) that are no school days, where
the year before is not held."""

LAGS = 32
"""Days to the recording of a mark that are counted one by one."""

BLOCK = 2**22
"""Rows looked at in one go."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SchoolDays:
    """The school days before a day.

    Attributes
    ----------
    days : int array of shape (n_days,)
        Days since 1970, ascending. The last days before a list may lie beyond the newest register by as
        much as a holiday; these are left out.
    missing : int array of shape (n_missing,)
        The last of them, where hardly any register came for more of them than that; else empty.
    newest : int or None
        The last day with registers, in the two years before; None where there are none.
    """

    days: Ints = field(repr=False)
    missing: Ints = field(repr=False)
    newest: int | None


class RegisterDays:
    """The days of an LA's marks, looked at on many days; what was found of a day is kept.

    Parameters
    ----------
    tables : Tables
        The LA's facts, with ``sessions``.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._found: dict[int, SchoolDays] = {}

    def before(self, as_of: pd.Timestamp) -> SchoolDays:
        """Return the school days before a day, as known on it.

        Parameters
        ----------
        as_of : Timestamp
            The day.

        Returns
        -------
        SchoolDays
            Of a published calendar where it reaches; else the days with marks.
        """
        day = day_number(as_of)
        if day not in self._found:
            self._found[day] = self._look(day)
        return self._found[day]

    def marks(
        self, first: int, as_of: pd.Timestamp, of: NDArray[np.bool_] | None = None
    ) -> tuple[Ints, Ints]:
        """Return pupil and day of each mark of some days that was recorded before the last.

        Parameters
        ----------
        first : int
            The first day, since 1970.
        as_of : Timestamp
            The day after the last one.
        of : bool array of shape (n_pupils,), optional
            The pupils wanted, by number; all of them where left out.

        Returns
        -------
        pupil, day : int array of shape (n_marks,)
            Number of the pupil; day since 1970.
        """
        day = day_number(as_of)
        inside = (self._days >= first) & (self._days < day)
        if of is not None:
            inside &= of[self._tables["sessions"]["pupil_id"].cat.codes.to_numpy()]
        rows = np.flatnonzero(inside)
        marks = self._tables["sessions"][["pupil_id", "recorded_on"]].iloc[rows]
        known = (marks["recorded_on"] < as_of).to_numpy()
        replaced = self._tables.replaced_on("sessions")
        if replaced is not None:  # of the versions of a mark one counts
            known = known & (replaced[rows] >= day)
        return pupils_of(marks)[known], self._days[rows[known]].astype(np.int64)

    @cached_property
    def _days(self) -> NDArray[np.int32]:
        """The day of every mark, in days since 1970; narrow, for it is compared with every list's day."""
        return whole_days(self._tables["sessions"]["date"]).astype(np.int32)

    def _look(self, day: int) -> SchoolDays:
        counts = self._known_marks(day)
        usual = counts[-365 * PAST_YEARS :].max(initial=0)
        marked = self._first + np.flatnonzero(counts > A_SCHOOL_DAY * usual)
        calendar = self._published[self._published < day]
        if not len(marked) or not usual:
            return SchoolDays(np.union1d(self._outside(marked), calendar), marked[:0], None)
        newest = int(marked[-1])
        later = self._later(marked, day)
        is_published = np.isin(later, calendar).all()
        if len(later) <= (LATE if is_published else LATE_BY_MARKS):
            later = later[:0]
        known = np.union1d(self._outside(marked), calendar[calendar <= newest])
        return SchoolDays(np.union1d(known, later), later, newest)

    @cached_property
    def _first(self) -> int:
        """The first day with a mark."""
        return int(self._days.min(initial=np.iinfo(np.int32).max))

    def _known_marks(self, day: int) -> Ints:
        """Count the marks of each day from the first to the one before, recorded before the day."""
        soon, late = self._by_lag
        n_days = max(0, min(day - self._first, len(soon)))
        age = np.minimum(day - self._first - np.arange(n_days), LAGS)
        counts = soon[np.arange(n_days), age - 1]
        known = late[(late[:, 1] < day) & (late[:, 0] < self._first + n_days), 0]
        counts = counts + np.bincount(known - self._first, minlength=n_days)
        return np.pad(counts, (0, max(0, day - self._first - n_days)))

    @cached_property
    def _by_lag(self) -> tuple[Ints, Ints]:
        """Count marks by day and by the most days to their recording; day and recording of later ones."""
        recorded = self._tables["sessions"]["recorded_on"]
        size = (
            int(self._days.max(initial=self._first - 1)) + 1 - self._first if len(recorded) else 0
        )
        counts, late = np.zeros(size * (LAGS + 1), np.int64), []
        for place in range(0, len(recorded), BLOCK):
            day = self._days[place : place + BLOCK].astype(np.int64)
            known = whole_days(recorded.iloc[place : place + BLOCK])
            lag = np.clip(known - day, 0, LAGS)
            counts += np.bincount((day - self._first) * (LAGS + 1) + lag, minlength=len(counts))
            is_late = lag == LAGS
            late.append(np.stack([day[is_late], known[is_late]], axis=1))
        soon = counts.reshape(size, LAGS + 1)[:, :LAGS].cumsum(axis=1)
        return soon, np.concatenate([np.zeros((0, 2), np.int64), *late])

    @cached_property
    def _published(self) -> Ints:
        """The school days of a calendar that does not follow from registers, ascending."""
        if "calendar" not in self._tables:
            return np.zeros(0, dtype=np.int64)
        calendar = self._tables["calendar"]
        if "first_marked_on" in calendar:
            calendar = calendar[calendar["first_marked_on"].isna().to_numpy()]
        return np.unique(whole_days(calendar["date"]))

    def _outside(self, days: Ints) -> Ints:
        """Return the days that no published calendar reaches."""
        if not len(self._published):
            return days
        return days[(days < self._published[0]) | (days > self._published[-1])]

    def _later(self, marked: Ints, day: int) -> Ints:
        """Return the school days after the newest register: published, or usual in the years before."""
        after = np.arange(int(marked[-1]) + 1, day)
        of_calendar = self._published[np.isin(self._published, after)]
        return np.union1d(_usual_days(self._outside(after), marked), of_calendar)


def _usual_days(days: Ints, marked: Ints) -> Ints:
    """Return the days that were school days in one of the years before; weekdays of the first year."""
    was = np.any([np.isin(days - back, marked) for back in YEARS_BACK], axis=0)
    is_held = days - YEARS_BACK[0] >= marked[0]
    dates = days.astype("datetime64[D]")
    index = pd.DatetimeIndex(dates.astype("datetime64[s]"))
    of_year = (100 * index.month + index.day).to_numpy()
    is_holiday = np.any([(of_year >= low) & (of_year < high) for low, high in HOLIDAYS], axis=0)
    usual = np.is_busday(dates) & ~is_holiday
    return days[np.where(is_held, was, usual)]
