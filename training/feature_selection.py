"""Feature selection, and the form in which a regression sees features.

In:  rows of features, and which rows had the outcome.
Out: a transformation learned from all rows; the features chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from riskmodel.training.ensemble import Linear

__all__ = ["choose_features", "learn_transformation"]

NEAR_DUPLICATE = 0.9
"""Correlation from which two features count as near duplicates; chosen."""

LEARNED_FROM = 20_000
"""Rows from which the transformation of the features is learned, about."""

COMPARED = 20_000
"""Rows without the outcome on which features are compared, about."""


def learn_transformation(
    values: NDArray[np.float32], n_bags: int, ends: Sequence[int] | None = None
) -> Linear:
    """Learn centre, scale and spread of every feature, from every n-th row of many.

    Parameters
    ----------
    values : float array of shape (n_rows, n_features)
        Features; missing values are nan.
    n_bags : int
        Bags whose coefficients will be put in.
    ends : sequence of int, length n_features, optional
        The value that a missing one counts as: 1 for the largest, -1 for the smallest, 0 for the
        median. The median for all where left out.

    Returns
    -------
    Linear
        With every coefficient 0.

    Examples
    --------
    >>> linear = learn_transformation(np.array([[1.0], [3.0], [np.nan]], np.float32), n_bags=1)
    >>> linear.centre.tolist(), linear.mean.tolist()
    ([2.0], [0.0])
    """
    some = values[:: 1 + len(values) // LEARNED_FROM]
    # a feature per row: numpy goes through its values in one piece
    held = np.ascontiguousarray(some.T, dtype=np.float64)
    smallest, centre, largest = _order_statistics(held)
    end = np.zeros(len(held)) if ends is None else np.asarray(ends)
    counts_as = np.where(end == 0, centre, np.where(end > 0, largest, smallest))
    held = np.where(np.isnan(held), counts_as[:, None], held)
    scale = held.std(axis=1)
    scale = np.where(scale > 1e-9, scale, 1.0)
    squashed = np.arcsinh((held - centre[:, None]) / scale[:, None])
    spread = squashed.std(axis=1)
    return Linear(
        centre=centre,
        scale=scale,
        mean=squashed.mean(axis=1),
        spread=np.where(spread > 1e-9, spread, 1.0),
        counts_as=counts_as,
        coefficient=np.zeros((n_bags, values.shape[1])),
        intercept=np.zeros(n_bags),
    )


def _order_statistics(held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the smallest value, the median and the largest value of each row; 0 where none is there."""
    ordered, row = np.sort(held, axis=1), np.arange(len(held))  # missing values come last
    last = np.count_nonzero(~np.isnan(held), axis=1) - 1
    upper = np.minimum(last // 2 + last % 2, held.shape[1] - 1)
    middle = (ordered[row, last // 2] + ordered[row, upper]) / 2
    return np.where(last < 0, 0.0, np.stack([ordered[:, 0], middle, ordered[row, last]]))


def choose_features(
    linear: Linear, values: NDArray[np.float32], outcome: NDArray[np.int64], n_features: int
) -> NDArray[np.int64]:
    """Choose the features that differ most for rows with the outcome, one of each near duplicates.

    The transformed features have mean 0 and spread 1 over all rows, so their means over rows with the
    outcome can be compared; being missing counts as a feature too.

    Parameters
    ----------
    linear : Linear
        The transformation of all features.
    values : float array of shape (n_rows, n_features)
        Features; missing values are nan.
    outcome : int array of shape (n_rows,)
        0 or 1.
    n_features : int
        Features chosen, at most.

    Returns
    -------
    int array of shape (n_chosen,)
        Their columns, ascending.

    Examples
    --------
    >>> values = np.array([[0, 0, 5], [1, 1, 5], [0, 0, 6], [9, 9, 5]], np.float32)
    >>> linear = learn_transformation(values, n_bags=1)
    >>> choose_features(linear, values, np.array([0, 0, 0, 1]), 2).tolist()  # 1 repeats 0
    [0, 2]
    """
    with_outcome = np.flatnonzero(outcome == 1)
    others = np.flatnonzero(outcome == 0)[:: max(1, len(outcome) // COMPARED)]
    sample = linear.transform(values[np.concatenate([with_outcome, others])])
    strength = np.abs(sample[: len(with_outcome)].mean(axis=0))
    sample = sample - sample.mean(axis=0)
    sample /= np.maximum(np.sqrt((sample**2).sum(axis=0)), 1e-9)
    alike = np.abs(sample.T @ sample) > NEAR_DUPLICATE
    kept: list[int] = []
    for feature in np.argsort(-strength, kind="stable"):
        if len(kept) < n_features and not alike[feature, kept].any():
            kept.append(int(feature))
    return np.sort(np.array(kept, dtype=np.int64))
