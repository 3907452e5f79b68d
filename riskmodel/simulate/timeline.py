"""School days and half-terms of the simulated years.

In:  number of school years, the last of which ends in July 2025.
Out: :class:`Timeline`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import PEX_SNAPSHOT_DAYS, snapshot_dates

__all__ = ["LAST_DAY", "Days", "Timeline", "make_timeline"]

Days = NDArray[np.datetime64]
LAST_DAY = np.datetime64("2025-07-31", "D")
"""Last day on which the simulated LA learnt anything."""

_HALF_AFTER = {11: 1, 1: 2, 3: 3, 4: 4, 6: 5, 8: 6}
"""Month of a snapshot → half-terms of the school year that are over."""


@dataclass(frozen=True)
class Timeline:
    """School days, numbered, and the half-terms they fall in.

    Attributes
    ----------
    first_year : int
        Calendar year in which the first school year starts.
    days : ndarray of datetime64[D]
        School days in order.
    start, stop : ndarray of int
        Per half-term, its first day's number and one more than its last's.
    """

    first_year: int
    days: Days
    start: NDArray[np.int64]
    stop: NDArray[np.int64]

    @property
    def halves(self) -> int:
        """Number of half-terms."""
        return len(self.start)

    def entry(self, half: int) -> np.datetime64:
        """Return the day on which a pupil joins a roll in a half-term."""
        if half % 6 == 0:
            return np.datetime64(f"{self.first_year + half // 6}-09-01", "D")
        return np.datetime64(self.days[self.start[half]], "D")

    def leave(self, half: int) -> np.datetime64:
        """Return the day on which a pupil leaves a roll after a half-term."""
        if half % 6 == 5:
            return np.datetime64(f"{self.first_year + half // 6 + 1}-08-31", "D")
        return np.datetime64(self.days[self.stop[half] - 1], "D")

    def leave_year_11(self, half: int) -> np.datetime64:
        """Return the last school day in June of the year of a half-term."""
        return np.datetime64(f"{self.first_year + half // 6 + 1}-06-27", "D")

    def snapshots(self) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
        """Return the days on which lists are made, and the half-terms over by then."""
        first = pd.Timestamp(year=self.first_year, month=9, day=1)
        dates = snapshot_dates(first, pd.Timestamp(LAST_DAY) + pd.Timedelta(days=1))
        assert {month for month, _ in PEX_SNAPSHOT_DAYS} == set(_HALF_AFTER)
        years = dates.year - (dates.month < 9) - self.first_year
        over = [6 * year + _HALF_AFTER[month] for year, month in zip(years, dates.month, strict=True)]
        return dates, np.array(over, dtype=np.int64)

    def frame(self) -> pd.DataFrame:
        """Return the table of school days."""
        half = np.repeat(np.arange(self.halves) % 6, self.stop - self.start)
        return pd.DataFrame(
            {
                "date": self.days.astype("datetime64[s]"),
                "term": pd.Categorical.from_codes(half // 2, ["autumn", "spring", "summer"]),
                "half_term": half.astype("int64") + 1,
            }
        )


def make_timeline(years: int) -> Timeline:
    """Return the school days of the last school years up to July 2025.

    Parameters
    ----------
    years : int
        School years.

    Returns
    -------
    Timeline
        Six half-terms a year, about 190 days, Mondays to Fridays.
    """
    first_year = 2025 - years
    parts = [part for year in range(first_year, 2025) for part in _year(year)]
    lengths = np.array([len(part) for part in parts])
    stop = np.cumsum(lengths)
    return Timeline(first_year, np.concatenate(parts), stop - lengths, stop)


def _year(year: int) -> list[Days]:
    """Return the days of each half-term of a school year."""
    # each half-term starts on the first Monday on or after the second day and ends on the last
    # Friday on or before the end; the snapshot days lie in the holidays between
    after = year + 1
    bounds = [
        (_weekday(f"{year}-09-03"), _friday(f"{year}-10-25")),
        (_monday(f"{year}-10-31"), _friday(f"{year}-12-21")),
        (_monday(f"{after}-01-03"), _friday(f"{after}-02-16")),
        (_monday(f"{after}-02-22"), _friday(f"{after}-04-01")),
        (_monday(f"{after}-04-14"), _friday(f"{after}-05-26")),
        (_monday(f"{after}-06-01"), _weekday(f"{after}-07-20")),
    ]
    may_day = _monday(f"{after}-05-01")
    halves = [np.arange(first, last + 1) for first, last in bounds]
    return [half[np.is_busday(half) & (half != may_day)] for half in halves]


def _weekday(day: str) -> np.datetime64:
    return np.datetime64(np.busday_offset(day, 0, roll="forward"), "D")


def _monday(day: str) -> np.datetime64:
    return np.datetime64(np.busday_offset(day, 0, roll="forward", weekmask="Mon"), "D")


def _friday(day: str) -> np.datetime64:
    return np.datetime64(np.busday_offset(day, 0, roll="backward", weekmask="Fri"), "D")
