"""The school year of the simulated LA: half-terms and school days.

In:  the first school year and how many.
Out: the ``calendar`` table; the first and last day of every half-term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES

__all__ = ["LAST_YEAR", "SchoolCalendar", "make_calendar"]

LAST_YEAR = 2025
"""Calendar year in which the last simulated school year ends."""

HALF_TERMS = (
    ("09-03", "10-24"),
    ("11-04", "12-20"),
    ("01-06", "02-14"),
    ("02-24", "04-04"),
    ("04-22", "05-23"),
    ("06-02", "07-22"),
)
"""First and last day of the half-terms, month and day."""

TERMS = ("autumn", "autumn", "spring", "spring", "summer", "summer")


@dataclass(frozen=True)
class SchoolCalendar:
    """School days and half-terms.

    Attributes
    ----------
    days : datetime64[D] array of shape (n_days,)
        School days.
    half_term : int array of shape (n_days,)
        Number of the half-term of each day, counted from 0 over all years.
    starts, ends : datetime64[D] arrays of shape (n_half_terms,)
        First and last school day.
    first_year : int
        Calendar year in which the first school year starts.
    """

    days: NDArray[np.datetime64]
    half_term: NDArray[np.int64]
    starts: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]
    first_year: int

    def table(self) -> pd.DataFrame:
        """Return the ``calendar`` table.

        Returns
        -------
        DataFrame
            One row per school day.

        Examples
        --------
        >>> table = make_calendar(1).table()
        >>> table[["term", "half_term"]].iloc[[0, -1]].values.tolist()
        [['autumn', 1], ['summer', 6]]
        """
        number = self.half_term % 6
        term = pd.Categorical(
            np.array(TERMS, dtype=object)[number],
            categories=list(TABLES["calendar"]["term"].allowed),
        )
        published = np.full(len(number), np.datetime64("NaT", "s"))
        return pd.DataFrame(
            {
                "date": self.days.astype("datetime64[s]"),
                "term": term,
                "half_term": number + 1,
                "first_marked_on": published,
            }
        )


def make_calendar(years: int) -> SchoolCalendar:
    """Return the school years up to July 2025.

    Parameters
    ----------
    years : int
        Number of school years.

    Returns
    -------
    SchoolCalendar
        Weekdays of all half-terms but the early May holiday.

    Examples
    --------
    >>> calendar = make_calendar(2)
    >>> calendar.first_year, len(calendar.starts)
    (2023, 12)
    >>> str(calendar.starts[0]), np.datetime64("2024-05-06") in calendar.days
    ('2023-09-04', False)
    """
    first_year = LAST_YEAR - years
    days = [
        _school_days(year + (number >= 2), start, end)
        for year in range(first_year, LAST_YEAR)
        for number, (start, end) in enumerate(HALF_TERMS)
    ]
    return SchoolCalendar(
        np.concatenate(days),
        np.repeat(np.arange(len(days)), [len(span) for span in days]),
        np.array([span[0] for span in days]),
        np.array([span[-1] for span in days]),
        first_year,
    )


def _school_days(year: int, start: str, end: str) -> NDArray[np.datetime64]:
    """Return the weekdays of a half-term but the early May holiday, the first Monday of May."""
    span = np.arange(np.datetime64(f"{year}-{start}"), np.datetime64(f"{year}-{end}") + 1)
    may = np.arange(np.datetime64(f"{year}-05-01"), np.datetime64(f"{year}-05-08"))
    holiday = may[np.is_busday(may, weekmask="Mon")]
    return span[np.is_busday(span) & ~np.isin(span, holiday)]
