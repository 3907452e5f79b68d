"""School years, snapshot days and school days.

In:  dates.
Out: academic years (named by the year they start in), year groups, the days on which lists are made.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["PEX_SNAPSHOT_DAYS", "POST16_SNAPSHOT_DAYS", "academic_year", "snapshot_dates"]

PEX_SNAPSHOT_DAYS = ((1, 1), (3, 1), (4, 15), (6, 1), (8, 1), (11, 1))
"""Month and day of the half-termly snapshots: one in or just after each school holiday.

The same days every year, so that a horizon of 12 months ends exactly at a later snapshot.
"""

POST16_SNAPSHOT_DAYS = ((1, 1), (4, 1), (7, 1), (10, 1))
"""Month and day of the quarterly snapshots for young people over 16."""


def academic_year(dates: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    """Return the calendar year in which the school year of each date started.

    Parameters
    ----------
    dates : Series of datetime64, shape (n_rows,)
        Days; the school year starts on 1 September.

    Returns
    -------
    Series of int
        Missing dates give missing years (Int64).

    Examples
    --------
    >>> academic_year(pd.Series(pd.to_datetime(["2024-08-31", "2024-09-01"]))).tolist()
    [2023, 2024]
    """
    years: pd.Series[int] = (dates.dt.year - (dates.dt.month < 9)).astype("Int64")
    return years


def snapshot_dates(
    first: pd.Timestamp, last: pd.Timestamp, days: tuple[tuple[int, int], ...] = PEX_SNAPSHOT_DAYS
) -> pd.DatetimeIndex:
    """Return the snapshot days from ``first`` to ``last``, both included.

    Parameters
    ----------
    first, last : Timestamp
        Range, closed at both ends.
    days : tuple of (month, day)
        Days of the year.

    Returns
    -------
    DatetimeIndex
        Ascending, unit seconds.

    Examples
    --------
    >>> snapshot_dates(pd.Timestamp("2024-06-01"), pd.Timestamp("2024-12-31")).strftime("%d %b").tolist()
    ['01 Jun', '01 Aug', '01 Nov']
    """
    every = [
        np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "s")
        for year in range(first.year, last.year + 1)
        for month, day in days
    ]
    dates = pd.DatetimeIndex(np.array(sorted(every), dtype="datetime64[s]"))
    return dates[(dates >= first) & (dates <= last)]
