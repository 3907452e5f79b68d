"""School years and snapshot days.

In:  dates.
Out: academic years (named by the year they start in), year groups, the days on which lists are made.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["academic_year", "snapshot_dates"]


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
    first: pd.Timestamp, last: pd.Timestamp, days: tuple[tuple[int, int], ...]
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
    >>> first, last = pd.Timestamp("2024-06-01"), pd.Timestamp("2025-03-01")
    >>> snapshot_dates(first, last, ((3, 1), (8, 1))).strftime("%d %b %Y").tolist()
    ['01 Aug 2024', '01 Mar 2025']
    """
    every = [
        np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "s")
        for year in range(first.year, last.year + 1)
        for month, day in days
    ]
    dates = pd.DatetimeIndex(np.array(sorted(every), dtype="datetime64[s]"))
    return dates[(dates >= first) & (dates <= last)]
