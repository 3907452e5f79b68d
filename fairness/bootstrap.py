"""Resampling pupils where only counts matter: exact, and fast because like pupils are drawn together.

In:  the pupil, the group and a few small numbers of each row.
Out: the totals of every group, for the data and for every resample.

A resample draws as many pupils as there are, with replacement, each with all its rows. Pupils whose
rows hold the same groups and the same numbers are exchangeable, so how often each *kind* of pupil is
drawn is one multinomial draw over the kinds, of which there are a few dozen where there are thousands
of pupils. Nothing is approximated: the totals have the very distribution of a draw pupil by pupil.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

__all__ = ["distinct_pupils", "group_totals"]

N_DRAWS = 2000
"""Resamples for the intervals of counts."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def group_totals(
    pupil: ArrayLike,
    group: ArrayLike,
    n_groups: int,
    columns: Mapping[str, ArrayLike],
    *,
    random_state: int,
    n_draws: int = N_DRAWS,
) -> dict[str, Floats]:
    """Totals of each group, for the data and for resamples of pupils.

    Parameters
    ----------
    pupil : array-like of int, shape (n_rows,)
        Pupil of each row.
    group : array-like of int, shape (n_rows,)
        Group of each row, 0 to ``n_groups - 1``.
    n_groups : int
        Number of groups.
    columns : mapping of str to array-like of shape (n_rows,)
        Columns to add up, at least one, of a few different values each (0 and 1).
    random_state : int
        Seed.
    n_draws : int
        Resamples.

    Returns
    -------
    dict of str to array of shape (1 + n_draws, n_groups)
        Totals by column; the first row is that of the data. The order of the rows does not matter.

    Examples
    --------
    >>> totals = group_totals([7, 7, 8], [0, 1, 1], 2, {"n": [1, 1, 1]}, random_state=0, n_draws=2)
    >>> totals["n"][0].tolist()
    [1.0, 2.0]
    """
    values = np.column_stack([np.asarray(column, dtype=float) for column in columns.values()])
    counts = (values != 0).any(axis=1)  # rows of nothing add nothing
    codes, values = np.asarray(group, dtype=np.int64)[counts], values[counts]
    size, rows, kind = _kinds(np.asarray(pupil)[counts], _cells(codes, values))
    size = np.append(size, len(pd.unique(np.asarray(pupil))) - size.sum())
    times = _times_drawn(size, random_state, n_draws)
    totals = {}
    for number, name in enumerate(columns):
        share = csr_array((values[rows, number], (codes[rows], kind)), shape=(n_groups, len(size)))
        totals[name] = np.ascontiguousarray((share @ times.T).T)
    return totals


def _times_drawn(size: Ints, random_state: int, n_draws: int) -> Floats:
    """Return how often pupils of each kind are there: in the data, then in every resample."""
    rng, n = np.random.default_rng(random_state), size.sum()
    return np.concatenate([size[None, :], rng.multinomial(n, size / n, size=n_draws)]).astype(float)


def _cells(codes: Ints, values: Floats) -> Ints:
    """Return a number per row for its group and values; the order of the rows does not matter."""
    cell = codes
    for column in values.T:
        value, found = pd.factorize(column, sort=True)
        cell, _ = pd.factorize(cell * len(found) + value, sort=True)
    return cell


def _kinds(pupil: NDArray[Any], cell: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the pupils of each kind, and the rows of one pupil of each kind, with their kind.

    Pupils are of one kind if their rows lie in the same cells, as often.
    """
    if not len(cell):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    number, _ = pd.factorize(pupil)
    order = np.lexsort((cell, number))
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    length = np.diff(starts, append=len(order))
    kind = _kind_of(cell[order], starts, length)
    _, one, size = np.unique(kind, return_index=True, return_counts=True)
    start, length = starts[one], length[one]
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    rows = order[np.repeat(start, length) + within]
    return size, rows, np.repeat(np.arange(len(one)), length)


def _kind_of(cell: Ints, starts: Ints, length: Ints) -> Ints:
    """Return the kind of each pupil, whose cells run on from its start, sorted."""
    kind = np.zeros(len(starts), dtype=np.int64)
    for step in range(int(length.max())):  # rows of one pupil: as many as there are lists
        has = length > step
        following = np.zeros(len(starts), dtype=np.int64)
        following[has] = 1 + cell[starts[has] + step]
        kind, _ = pd.factorize(kind * (int(cell.max()) + 2) + following, sort=True)
    return kind


def distinct_pupils(
    pupil: ArrayLike, group: ArrayLike, n_groups: int, where: ArrayLike
) -> tuple[Ints, Ints]:
    """Pupils with at least one row that counts, in each group and in all others.

    Parameters
    ----------
    pupil, group : array-like of shape (n_rows,)
        As for :func:`group_totals`.
    n_groups : int
        Number of groups.
    where : array-like of bool, shape (n_rows,)
        Rows that count.

    Returns
    -------
    inside, outside : int arrays of shape (n_groups,)
        Pupils with such a row in the group, and in any other; one who changed group is in both.

    Examples
    --------
    >>> inside, outside = distinct_pupils([7, 7, 8], [0, 1, 1], 2, [True, True, True])
    >>> inside.tolist(), outside.tolist()
    ([1, 2], [2, 1])
    """
    keep = np.asarray(where, dtype=bool)
    number, names = pd.factorize(np.asarray(pupil)[keep])
    pairs = pd.unique(number * n_groups + np.asarray(group, dtype=np.int64)[keep])
    inside = np.bincount(pairs % n_groups, minlength=n_groups)
    groups_of = np.bincount(pairs // n_groups, minlength=len(names))
    only_here = (pairs % n_groups)[groups_of[pairs // n_groups] == 1]
    return inside, len(names) - np.bincount(only_here, minlength=n_groups)
