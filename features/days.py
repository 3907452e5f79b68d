"""Days as whole numbers: days since 1970, which compare and subtract faster than dates.

In:  columns of dates, or one day.
Out: int64 days since 1970-01-01.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DAYS_PER_MONTH", "OPEN", "day_number", "days_of", "whole_days"]

OPEN = 10**6
"""Day number of an end that has not come: far in the future."""

DAYS_PER_MONTH = 30.4375


def days_of(dates: pd.Series) -> NDArray[np.int64]:
    """Return days since 1970, :data:`OPEN` where missing.

    Parameters
    ----------
    dates : Series of datetime64
        Days.

    Returns
    -------
    int array
        Days since 1970-01-01.
    """
    return np.where(dates.isna().to_numpy(), OPEN, whole_days(dates))


def whole_days(dates: pd.Series) -> NDArray[np.int64]:
    """Return days since 1970.

    Parameters
    ----------
    dates : Series of datetime64
        Days; of a missing one the answer means nothing.

    Returns
    -------
    int array
        Days since 1970-01-01.
    """
    values = dates.to_numpy()
    if values.dtype == "datetime64[s]":  # several times as fast as numpy's own cast
        return np.asarray(values.view(np.int64) // 86_400)
    return values.astype("datetime64[D]").astype(np.int64)


def day_number(day: pd.Timestamp) -> int:
    """Return a day as days since 1970.

    Parameters
    ----------
    day : Timestamp
        A day.

    Returns
    -------
    int
        Days since 1970-01-01.
    """
    return int(day.to_datetime64().astype("datetime64[D]").astype(np.int64))
