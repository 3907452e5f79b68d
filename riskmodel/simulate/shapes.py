"""Small tools of the processes: drifting scores, curves over year groups, raking.

In:  traits, published rates.
Out: scores by year group, and weights whose sums by group are as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "Floats", "Ints", "curve", "drift", "rake", "standardise"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUPS = 12
"""Year groups, Reception to Year 11."""


def standardise(values: Floats) -> Floats:
    """Return values with mean 0 and standard deviation 1.

    Parameters
    ----------
    values : float array of shape (n_pupils,)
        Not all equal.

    Returns
    -------
    float array of shape (n_pupils,)
        Standardised.
    """
    return np.asarray((values - values.mean()) / values.std())


def curve(points: Mapping[str, float]) -> Floats:
    """Return a value for every year group by linear interpolation.

    Parameters
    ----------
    points : mapping of str to float
        Year group → value.

    Returns
    -------
    float array of shape (12,)
        Reception to Year 11; constant beyond the points.
    """
    groups = np.array([float(group) for group in points])
    return np.interp(np.arange(GROUPS), groups, np.array(list(points.values())))


def drift(trait: Floats, of_trait: float, persistence: float, rng: np.random.Generator) -> Floats:
    """Return a standard normal score that drifts over the year groups.

    Parameters
    ----------
    trait : float array of shape (n_pupils,)
        Standardised; stays.
    of_trait : float
        Share of the score's variance that is the trait's.
    persistence : float
        Correlation of the rest from one year group to the next.
    rng : Generator
        Source of randomness.

    Returns
    -------
    float array of shape (n_pupils, 12)
        Mean 0, variance 1 in every year group.
    """
    noise = rng.standard_normal((len(trait), GROUPS))
    for group in range(1, GROUPS):
        noise[:, group] = (
            persistence * noise[:, group - 1] + np.sqrt(1 - persistence**2) * noise[:, group]
        )
    return np.sqrt(of_trait) * trait[:, None] + np.sqrt(1 - of_trait) * noise


def rake(
    weight: Floats,
    groups: Sequence[Ints],
    totals: Sequence[Floats],
    factors: Sequence[Floats],
    *,
    most: float,
    rounds: int = 8,
) -> Floats:
    """Scale weights until their sums by group are the totals asked for.

    Iterative proportional fitting (Deming and Stephan, Annals of Mathematical Statistics 11, 1940).

    Parameters
    ----------
    weight : float array of shape (n_pupils,)
        Start; at least 0.
    groups : sequence of int arrays of shape (n_pupils,)
        Group of each pupil, one array per characteristic.
    totals : sequence of float arrays of shape (n_groups,)
        Sum wanted in each group, one array per characteristic.
    factors : sequence of float arrays of shape (n_groups,)
        Factor of each group to start from; changed in place to the factors found.
    most : float
        Largest weight of a pupil.
    rounds : int
        Rounds over all characteristics.

    Returns
    -------
    float array of shape (n_pupils,)
        ``weight`` times the factors of the pupil's groups, at most ``most``.
    """
    for group, factor in zip(groups, factors, strict=True):
        weight = weight * factor[group]
    for _ in range(rounds):
        for group, total, factor in zip(groups, totals, factors, strict=True):
            now = np.bincount(group, np.minimum(weight, most), len(total))
            step = np.divide(total, now, out=np.ones(len(total)), where=now > 0)
            weight = weight * step[group]
            factor *= step
    return np.minimum(weight, most)
