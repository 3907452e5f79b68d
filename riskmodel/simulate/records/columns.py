"""What all tables share: the codes of the schema, the last day of the data, a pupil's Septembers.

In:  codes, year groups.
Out: columns in the types of the schema, and dates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES, as_codes
from riskmodel.simulate.calendar import LAST_YEAR

__all__ = ["Dates", "LAST_DAY", "NEVER", "coded", "september"]

LAST_DAY = np.datetime64(f"{LAST_YEAR}-07-31")
NEVER = np.datetime64("NaT", "s")
Dates = NDArray[np.datetime64]


def coded(table: str, column: str, values: Any) -> pd.Categorical:
    """Return codes in the type of the schema.

    Parameters
    ----------
    table, column : str
        Where the codes belong.
    values : sequence of str
        Codes; None or empty where missing.

    Returns
    -------
    Categorical
        With all allowed codes as categories.

    Examples
    --------
    >>> codes = coded("suspensions", "category", ["PERM", "", None])
    >>> codes.isna().tolist(), "SUSP" in codes.categories
    ([False, True, True], True)
    """
    return as_codes(values, TABLES[table][column].allowed)


def september(first_year: int, group: NDArray[np.int64], wanted: NDArray[np.int64] | int) -> Dates:
    """Return 1 September of the school year in which pupils were in a year group.

    Parameters
    ----------
    first_year : int
        Calendar year in which the first school year starts.
    group : int array of shape (n_pupils,)
        Year group of each pupil in the first school year.
    wanted : int or int array of shape (n_pupils,)
        Year group asked for.

    Returns
    -------
    datetime64[D] array of shape (n_pupils,)
        Days, before the first school year too.

    Examples
    --------
    A pupil in Year 3 and one in Year 9 in 2023/24 start Year 7 four years later and two earlier.

    >>> september(2023, np.array([3, 9]), 7).astype(str).tolist()
    ['2027-09-01', '2021-09-01']
    """
    year = first_year + (wanted - group)
    return np.asarray(((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]"))
