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

    Examples
    --------
    >>> standardise(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
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

    Examples
    --------
    >>> curve({"1": 8.0, "3": 12.0})[:5].tolist()
    [8.0, 8.0, 10.0, 12.0, 12.0]
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

    Examples
    --------
    A score that is all trait does not drift.

    >>> drift(np.array([-1.0, 1.0]), 1.0, 0.5, np.random.default_rng(0))[:, [0, 11]].tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
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
    """Return weights scaled until their sums by group are the totals wanted.

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

    Examples
    --------
    Two girls and one boy; the girls' weights are to add up to 4, the boy's is to be 3.

    >>> group = np.array([0, 0, 1])
    >>> factor = np.ones(2)
    >>> rake(np.array([1.0, 3.0, 1.0]), [group], [np.array([4.0, 3.0])], [factor], most=9).tolist()
    [1.0, 3.0, 3.0]
    >>> factor.tolist()
    [1.0, 3.0]
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
