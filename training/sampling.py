"""The rows that a bag learns from: few outcomes, so all of them, and a few times as many others.

In:  outcomes of all rows, and whose rows they are.
Out: rows of one case-control sample, and of one sample of a related outcome.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["case_control_sample", "related_sample"]

RELATED_ROWS = 20_000
"""Rows from which each bag learns the related outcome, at most."""


def case_control_sample(
    outcome: NDArray[np.int64],
    owners: NDArray[np.int64],
    negatives_per_positive: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw pupils with the outcome with replacement, and rows of the others without.

    Parameters
    ----------
    outcome : int array of shape (n_rows,)
        0 or 1.
    owners : int array of shape (n_rows,)
        Number of each row's pupil, from 0; all rows of a pupil are drawn together.
    negatives_per_positive : int
        Rows of other pupils per row with the outcome.
    rng : Generator
        Source of randomness.

    Returns
    -------
    int array of shape (n_drawn,)
        Rows, ascending; the rows of a pupil drawn twice come twice.

    Examples
    --------
    >>> outcome, owners = np.array([1, 0, 0, 0]), np.array([0, 0, 1, 2])
    >>> case_control_sample(outcome, owners, 20, np.random.default_rng(0)).tolist()
    [0, 1, 2, 3]
    """
    positive_owners = np.unique(owners[outcome == 1])
    copies = np.bincount(
        rng.choice(positive_owners, positive_owners.size), minlength=int(owners.max()) + 1
    )
    with_outcome = np.flatnonzero(np.isin(owners, positive_owners))
    drawn = np.repeat(with_outcome, copies[owners[with_outcome]])
    others = np.flatnonzero(~np.isin(owners, positive_owners))
    wanted = min(others.size, max(negatives_per_positive * int(outcome[drawn].sum()), 50))
    return np.sort(np.concatenate([drawn, rng.choice(others, wanted, replace=False)]))


def related_sample(related: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows with the related outcome, a tenth at most, and rows without.

    Parameters
    ----------
    related : int array of shape (n_rows,)
        0 or 1: the related outcome.
    rng : Generator
        Source of randomness.

    Returns
    -------
    int array of shape (n_drawn,)
        Rows, ascending.

    Examples
    --------
    >>> related_sample(np.array([0, 1, 0]), np.random.default_rng(0)).tolist()
    [0, 1, 2]
    """
    with_it, without = (rng.permutation(np.flatnonzero(related == value)) for value in (1, 0))
    return np.sort(np.concatenate([with_it[: RELATED_ROWS // 10], without[:RELATED_ROWS]]))
