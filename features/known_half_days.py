"""How many half-days a rate must rest on: of too few, the rate is missing.

In:  counts above and below the line.
Out: rates, missing where the window holds too few known half-days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.missed_half_days import FEWEST_HALF_DAYS
from riskmodel.data.ratio import ratio

__all__ = ["fewest_of", "rate_of_known", "registers_of_most"]

SHARE = 0.75
"""Share of a short window that must be known, so that a rate of four weeks does not rest on two."""

MOST = 0.5
"""Share of a school's other pupils whose registers must be known before its rate is given; chosen."""


def fewest_of(n_days: int) -> float:
    """Return the half-days that must be known in a window of school days.

    Parameters
    ----------
    n_days : int
        School days of the window.

    Returns
    -------
    float
        :data:`riskmodel.data.missed_half_days.FEWEST_HALF_DAYS`, or :data:`SHARE` of the window's
        half-days where that is fewer.

    Examples
    --------
    >>> [fewest_of(n_days) for n_days in (10, 20, 60)]
    [15.0, 30.0, 30.0]
    """
    return min(float(FEWEST_HALF_DAYS), SHARE * 2 * n_days)


def rate_of_known(
    count: ArrayLike, half_days: ArrayLike, fewest: float = FEWEST_HALF_DAYS
) -> NDArray[np.float64]:
    """Return a share of half-days where enough of them are known.

    Parameters
    ----------
    count, half_days : array-like of shape (n_rows,)
        Half-days counted, and those they are a part of.
    fewest : float
        Half-days that must be known.

    Returns
    -------
    float array of shape (n_rows,)
        nan where fewer are known.

    Examples
    --------
    A newcomer of two weeks has no rate yet, though no half-day was missed.

    >>> rate_of_known([3, 0], [30, 20]).tolist()
    [0.1, nan]
    """
    known = np.asarray(half_days, dtype=float)
    return ratio(count, np.where(known >= fewest, known, 0.0))


def registers_of_most(school: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Return whether the registers of most other pupils of a school are known.

    Parameters
    ----------
    school : mapping of str to float array of shape (n_rows,)
        Sums over a pupil's school, with ``registered`` and ``pupils``.

    Returns
    -------
    bool array of shape (n_rows,)
        False where fewer than half of them have enough known half-days.

    Examples
    --------
    >>> sums = {"registered": np.array([5.0, 4.0]), "pupils": np.array([10.0, 10.0])}
    >>> registers_of_most(sums).tolist()
    [True, False]
    """
    return school["registered"] >= MOST * school["pupils"]
