"""Small tools of the processes: drifting scores, curves over year groups, raking.

In:  traits, published rates.
Out: scores by year group, and weights whose sums by group are as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "Drift", "Floats", "Ints", "curve", "drift", "rake", "standardise"]

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


@dataclass(frozen=True)
class Drift:
    """A standard normal score that drifts over the year groups around a trait that stays.

    Attributes
    ----------
    trait : float array of shape (n_pupils,)
        Standardised.
    of_trait : float
        Share of the score's variance that is the trait's.
    persistence : float
        Correlation of the rest from one year group to the next.
    score : float array of shape (n_pupils, 12)
        Mean 0, variance 1 in every year group.
    """

    trait: Floats
    of_trait: float
    persistence: float
    score: Floats

    def redrawn(self, known: Ints, rng: np.random.Generator) -> Drift:
        """Draw again what comes after the year group that is known, given all that came before.

        Parameters
        ----------
        known : int array of shape (n_pupils,)
            Last year group that is known of each pupil; negative where none is.
        rng : Generator
            Source of randomness.

        Returns
        -------
        Drift
            The same up to ``known``.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> score = drift(np.array([-1.0, 1.0]), 0.5, 0.9, rng)
        >>> again = score.redrawn(np.array([3, 11]), rng)
        >>> (again.score == score.score).sum(axis=1).tolist()
        [4, 12]
        """
        own = np.sqrt(self.of_trait) * self.trait
        scale = np.sqrt(1 - self.of_trait)
        rest = np.ascontiguousarray((self.score.T - own) / (scale or 1.0))
        drawn = rng.standard_normal(rest.shape)
        drawn[1:] *= np.sqrt(1 - self.persistence**2)
        for group in range(GROUPS):
            if group:
                drawn[group] += self.persistence * rest[group - 1]
            rest[group] = np.where(group > known, drawn[group], rest[group])
        new = own[:, None] + scale * rest.T
        return replace(self, score=np.where(np.arange(GROUPS) > known[:, None], new, self.score))


def drift(trait: Floats, of_trait: float, persistence: float, rng: np.random.Generator) -> Drift:
    """Draw a standard normal score that drifts over the year groups.

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
    Drift
        The score of every pupil in every year group.

    Examples
    --------
    A score that is all trait does not drift.

    >>> score = drift(np.array([-1.0, 1.0]), 1.0, 0.5, np.random.default_rng(0)).score
    >>> score[:, [0, 11]].tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    nothing = Drift(trait, of_trait, persistence, np.zeros((len(trait), GROUPS)))
    return nothing.redrawn(np.full(len(trait), -1), rng)


def rake(
    weight: Floats,
    groups: Sequence[Ints],
    totals: Sequence[Floats],
    factors: Sequence[Floats],
    *,
    most: float,
    counted: Floats | None = None,
    rounds: int = 3,
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
    counted : float array of shape (n_pupils,), optional
        How much each pupil counts in the sums; 1 otherwise.
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
    counted = np.ones(len(weight)) if counted is None else counted
    for group, factor in zip(groups, factors, strict=True):
        weight = weight * factor[group]
    for _ in range(rounds):
        for group, total, factor in zip(groups, totals, factors, strict=True):
            now = np.bincount(group, counted * np.minimum(weight, most), len(total))
            step = np.divide(total, now, out=np.ones(len(total)), where=now > 0)
            weight = weight * step[group]
            factor *= step
    return np.minimum(weight, most)
