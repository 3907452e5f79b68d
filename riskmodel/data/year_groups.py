"""Year groups: their words, their phase, and where one phase ends.

In:  a column of year groups; a missing one is not known.
Out: words and phases, missing where the year group is; the year group on another day; who has finished.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year

__all__ = [
    "FIRST_SECONDARY",
    "LAST_PRIMARY",
    "LAST_SECONDARY",
    "LEAVING_MONTHS",
    "ORDINARY_PHASES",
    "PHASES",
    "finishes_school",
    "phase_of",
    "study_leave",
    "year_group_by_age",
    "year_group_on",
    "year_words",
]

LAST_PRIMARY, FIRST_SECONDARY, LAST_SECONDARY = 6, 7, 11
"""Year groups at which a phase ends or begins (Education Act 1996, sections 2 and 5)."""

PHASES = {
    "primary": "Primary",
    "secondary": "Secondary",
    "all_through": "All-through",
    "post16": "After 16",
}
"""Code of a phase in ``schools`` → words."""

ORDINARY_PHASES = ("primary", "secondary", "post16")
"""Phases that follow each other by year group."""

STUDY_LEAVE = (5, 1)
"""Month and day from which Year 11 may be on study leave, often without register marks; chosen."""

LEAVING_MONTHS = (6, 7, 8)
"""Months in which Year 11 leaves: compulsory schooling ends on the last Friday in June (Education Act 1996,
section 8; School Leaving Date Order 1997), and rolls are closed until the end of August."""


def year_group_on(rolls: pd.DataFrame, day: pd.Timestamp | pd.Series) -> pd.Series:
    """Return the year group of pupils on a day, a year higher each September.

    Parameters
    ----------
    rolls : DataFrame of shape (n_rolls, ...)
        ``entry_date`` and ``year_group``, that at entry.
    day : Timestamp, or Series of datetime64 of shape (n_rolls,)
        One day, or one for each row.

    Returns
    -------
    Series of shape (n_rolls,)
        Missing where the year group, the entry or the day is.

    Examples
    --------
    >>> rolls = pd.DataFrame({"entry_date": pd.to_datetime(["2023-09-04"]), "year_group": [7]})
    >>> year_group_on(rolls, pd.Timestamp("2024-08-31")).tolist()
    [7]
    >>> year_group_on(rolls, pd.Timestamp("2024-09-01")).tolist()
    [8]
    """
    now = academic_year(day if isinstance(day, pd.Series) else pd.Series([day]))
    years = now if isinstance(day, pd.Series) else int(now.iloc[0])
    return rolls["year_group"] + years - academic_year(rolls["entry_date"])


def study_leave(day: pd.Timestamp) -> pd.Timestamp:
    """Return the day from which Year 11 may be on study leave in a day's school year.

    Parameters
    ----------
    day : Timestamp
        A day; of a school year that ends on 31 August.

    Returns
    -------
    Timestamp
        The 1 May of the school year.

    Examples
    --------
    >>> [f"{study_leave(pd.Timestamp(day)):%d %B %Y}" for day in ("2025-08-31", "2025-09-01")]
    ['01 May 2025', '01 May 2026']
    """
    year = int(academic_year(pd.Series([day])).iloc[0])
    return pd.Timestamp(year + 1, *STUDY_LEAVE)


def year_group_by_age(born: pd.Series, day: pd.Series) -> pd.Series:
    """Return the year group in which most pupils of an age are.

    Parameters
    ----------
    born : Series of datetime64, shape (n_rows,)
        Day or month of birth.
    day : Series of datetime64, shape (n_rows,)
        On which day.

    Returns
    -------
    Series of float64, shape (n_rows,)
        From -4 to 14; missing where one of the two is. Reception is the school year in which a child
        becomes five.

    Examples
    --------
    >>> born = pd.Series(pd.to_datetime(["2012-08-31", "2012-09-01"]))
    >>> year_group_by_age(born, pd.Series(pd.to_datetime(["2024-09-03"] * 2))).tolist()
    [8.0, 7.0]
    """
    return (academic_year(day) - 5 - academic_year(born)).astype("float64").clip(-4, 14)


def finishes_school(year_group: pd.Series, day: pd.Series) -> NDArray[np.bool_]:
    """Return which pupils who leave a roll have reached the end of compulsory schooling.

    Parameters
    ----------
    year_group : Series of shape (n_rows,)
        Year group on the day.
    day : Series of datetime64, shape (n_rows,)
        When each leaves.

    Returns
    -------
    bool array of shape (n_rows,)
        From June of Year 11 on; False where the year group or the day is not known.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2025-05-28", "2025-06-27", "2024-10-01"]))
    >>> finishes_school(pd.Series([11, 11, 12]), days).tolist()
    [False, True, True]
    """
    group = year_group.astype("Int64").astype("float64").to_numpy()
    in_summer = day.dt.month.isin(LEAVING_MONTHS).to_numpy()
    is_old = (group > LAST_SECONDARY) | ((group == LAST_SECONDARY) & in_summer)
    return np.asarray(is_old & day.notna().to_numpy())


def year_words(year_group: pd.Series) -> pd.Series:
    """Return the words for year groups.

    Parameters
    ----------
    year_group : Series of int or Int64, shape (n_rows,)
        Year groups; Reception is 0, those before it are below 0, a missing one is not known.

    Returns
    -------
    Series of str, shape (n_rows,)
        ``Year 7``, ``Reception`` or ``Nursery``; missing where the year group is not known.

    Examples
    --------
    >>> year_words(pd.Series([9, 0, -1, None], dtype="Int64")).tolist()
    ['Year 9', 'Reception', 'Nursery', nan]
    """
    number = year_group.astype("Int64")
    words = "Year " + number.astype("str")
    is_reception, is_nursery = (is_so.fillna(False) for is_so in (number == 0, number < 0))
    return words.mask(is_reception, "Reception").mask(is_nursery, "Nursery")


def phase_of(year_group: pd.Series) -> pd.Series:
    """Return the phase that year groups belong to by age.

    Parameters
    ----------
    year_group : Series of int or Int64, shape (n_rows,)
        Year groups; a missing one is not known.

    Returns
    -------
    Series of str, shape (n_rows,)
        One of :data:`ORDINARY_PHASES`; missing where the year group is not known.

    Examples
    --------
    >>> phase_of(pd.Series([0, 6, 7, 11, 12, None], dtype="Int64")).tolist()
    ['primary', 'primary', 'secondary', 'secondary', 'post16', nan]
    """
    number = year_group.astype("Int64").astype("float64")
    ends = [-np.inf, LAST_PRIMARY, LAST_SECONDARY, np.inf]
    return pd.cut(number, ends, labels=list(ORDINARY_PHASES)).astype("str")
