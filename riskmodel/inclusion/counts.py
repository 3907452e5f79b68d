"""One measure counted by school and period, and what is missing from it.

In:  grids of shape (n_schools, n_periods).
Out: :class:`Counts`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOBODY", "Counts", "settle"]

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
    numerator: Grid,
    denominator: Grid,
    why: NDArray[np.object_],
    nobody: str,
    *,
    people: Grid | None = None,
    pupils: Grid | None = None,
) -> Counts:
    """Return counts in which cells that cannot be worked out are missing, with the reason.

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

    Examples
    --------
    Of two schools, the second has no pupils.

    >>> events, pupils = np.array([[3.0], [0.0]]), np.array([[50.0], [0.0]])
    >>> counts = settle(events, pupils, np.array([""], dtype=object), NOBODY)
    >>> counts.numerator.tolist(), counts.why[1, 0]
    ([[3.0], [nan]], 'No pupils are on the roll on the census day.')
    """
    reasons = np.broadcast_to(why, numerator.shape).copy()
    reasons[(reasons == "") & (denominator <= 0)] = nobody
    known = reasons == ""
    return Counts(
        numerator=np.where(known, numerator, np.nan),
        denominator=np.where(known, denominator, np.nan),
        people=np.where(known, numerator if people is None else people, np.nan),
        pupils=np.where(known, denominator if pupils is None else pupils, np.nan),
        why=reasons,
    )
