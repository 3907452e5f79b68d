"""School years and snapshot days.

In:  dates.
Out: academic years (named by the year they start in), year groups, the days on which lists are made.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["TERMS_A_YEAR", "academic_year", "snapshot_dates", "term_number"]

TERMS_A_YEAR = 3

SUMMER, AUTUMN = 5, 9
"""Months with which the summer and the autumn term begin; spring ends before May."""


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


def term_number(dates: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    """Return a number for the term of each date: autumn, spring, summer follow one another.

    Parameters
    ----------
    dates : Series of datetime64, shape (n_rows,)
        Days, such as ends of terms.

    Returns
    -------
    Series of int
        Terms since the year 0 (Int64).

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2023-12-20", "2024-03-28", "2024-07-20", "2024-09-02"]))
    >>> (term_number(days) - term_number(days)[0]).tolist()
    [0, 1, 2, 3]
    """
    month = dates.dt.month
    place = np.select([month >= AUTUMN, month >= SUMMER], [0, 2], 1)
    terms: pd.Series[int] = TERMS_A_YEAR * academic_year(dates) + place
    return terms


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
