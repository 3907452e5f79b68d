"""Year groups: their words, their phase, and where one phase ends.

In:  a column of year groups; a missing one is not known.
Out: words and phases, missing where the year group is.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = [
    "FIRST_SECONDARY",
    "LAST_PRIMARY",
    "LAST_SECONDARY",
    "ORDINARY_PHASES",
    "PHASES",
    "phase_of",
    "year_words",
]

LAST_PRIMARY, FIRST_SECONDARY, LAST_SECONDARY = 6, 7, 11
"""Year groups at which a phase ends or begins (Education Act 1996, sections 2 and 5)."""

PHASES = {"primary": "Primary", "secondary": "Secondary", "all_through": "All-through",
          "post16": "After 16"}  # fmt: skip
"""Code of a phase in ``schools`` → words."""

ORDINARY_PHASES = ("primary", "secondary", "post16")
"""Phases that follow each other by year group."""


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
