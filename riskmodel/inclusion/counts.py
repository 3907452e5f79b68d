"""One measure counted by school and period, and what is missing from it.

In:  grids of shape (n_schools, n_periods).
Out: :class:`Counts`; days and pupils of a table as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["NOBODY", "OPEN", "Counts", "days_of", "pupils_of", "settle"]

OPEN = 10**6
"""Day number of an end that has not come."""

NOBODY = "No pupils are on the roll on the census day."

Ints = NDArray[np.int64]
Grid = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """One measure, counted.

    Attributes
    ----------
    numerator, denominator : float arrays of shape (n_schools, n_periods)
        Whose ratio is the measure; missing where it cannot be worked out.
    people, pupils : float arrays of shape (n_schools, n_periods)
        Pupils behind the numerator and the denominator, which decide what is suppressed.
    why : object array of shape (n_schools, n_periods)
        Why a cell is missing; empty where it is not.
    """

    numerator: Grid
    denominator: Grid
    people: Grid
    pupils: Grid
    why: NDArray[np.object_]


def settle(
    numerator: Grid, denominator: Grid, why: NDArray[np.object_], nobody: str, *,
    people: Grid | None = None, pupils: Grid | None = None,
) -> Counts:  # fmt: skip
    """Make what cannot be worked out missing, and say why.

    Parameters
    ----------
    numerator, denominator : float arrays of shape (n_schools, n_periods)
        Counts.
    why : object array of shape (n_periods,) or (n_schools, n_periods)
        Why a period cannot be counted; empty where it can.
    nobody : str
        Why a cell without denominator cannot.
    people, pupils : float arrays of shape (n_schools, n_periods), optional
        Pupils behind the two; the counts themselves where left out.

    Returns
    -------
    Counts
        With missing cells.
    """
    reasons = np.broadcast_to(why, numerator.shape).copy()
    reasons[(reasons == "") & (denominator <= 0)] = nobody
    gone = reasons != ""

    def cut(grid: Grid) -> Grid:
        return np.where(gone, np.nan, grid)

    return Counts(
        numerator=cut(numerator), denominator=cut(denominator),
        people=cut(numerator if people is None else people),
        pupils=cut(denominator if pupils is None else pupils), why=reasons,
    )  # fmt: skip


def pupils_of(rows: pd.DataFrame) -> Ints:
    """Return the number of each row's pupil.

    Parameters
    ----------
    rows : DataFrame
        With ``pupil_id``.

    Returns
    -------
    int array of shape (n,)
        Number in arrays.
    """
    return rows["pupil_id"].cat.codes.to_numpy().astype(np.int64)


def days_of(dates: pd.Series) -> Ints:
    """Return days since 1970, far in the future where missing.

    Parameters
    ----------
    dates : Series of datetime64
        Days.

    Returns
    -------
    int array
        Days since 1970-01-01.
    """
    values = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(values), OPEN, values.astype(np.int64))
