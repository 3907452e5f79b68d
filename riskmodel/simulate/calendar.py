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
    """Lay out the school years up to July 2025.

    Parameters
    ----------
    years : int
        Number of school years.

    Returns
    -------
    SchoolCalendar
        Weekdays of all half-terms but the early May holiday.
    """
    first_year = LAST_YEAR - years
    days, half_term = [], []
    for year in range(first_year, LAST_YEAR):
        for number, (start, end) in enumerate(HALF_TERMS):
            calendar_year = year + (number >= 2)
            first = np.datetime64(f"{calendar_year}-{start}")
            span = np.arange(first, np.datetime64(f"{calendar_year}-{end}") + 1)
            may = np.arange(
                np.datetime64(f"{calendar_year}-05-01"), np.datetime64(f"{calendar_year}-05-08")
            )
            holiday = may[np.is_busday(may, weekmask="Mon")]
            span = span[np.is_busday(span) & ~np.isin(span, holiday)]
            days.append(span)
            half_term.append(np.full(len(span), 6 * (year - first_year) + number))
    return SchoolCalendar(
        np.concatenate(days),
        np.concatenate(half_term),
        np.array([d[0] for d in days]),
        np.array([d[-1] for d in days]),
        first_year,
    )
