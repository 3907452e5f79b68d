"""Which groups of an audit can be published, given all of its tables together.

In:  counts of every group of every characteristic.
Out: the rows to hide; those of crossed characteristics are left out, not marked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.fairness.disclosure import hidden_in_grid, hidden_rows
from riskmodel.fairness.groups import CROSSED, family

__all__ = ["hidden_groups", "is_crossed"]

Mask = NDArray[np.bool_]


def hidden_groups(
    table: pd.DataFrame, counts: ArrayLike, hidden: Mask | None = None
) -> NDArray[np.bool_]:
    """Say which groups are hidden.

    Parameters
    ----------
    table : DataFrame
        ``characteristic``, ``group``; one row per group.
    counts : array-like of shape (n_rows, n_counts)
        Counts of children by group, and the complements that a reader could subtract.
    hidden : bool array of shape (n_rows,), optional
        Groups that are hidden already.

    Returns
    -------
    bool array of shape (n_rows,)
        Groups of a finer characteristic follow the coarser one (:func:`riskmodel.fairness.groups.family`);
        crossed ones follow the two they cross, where these are in the table.
    """
    values = np.asarray(counts, dtype=float)
    found = np.zeros(len(table), dtype=bool) if hidden is None else hidden.copy()
    characteristic = table["characteristic"].to_numpy(dtype=object)
    group = table["group"].to_numpy(dtype=object)
    crossed = is_crossed(table)
    families = [family(*pair) for pair in zip(characteristic, group, strict=True)]
    finer = np.array([parent in set(characteristic) for parent, _ in families]) & ~crossed
    top = ~finer & ~crossed
    found[top] = hidden_rows(values[top], characteristic[top], found[top])
    at = dict(zip(zip(characteristic, group, strict=True), range(len(table)), strict=True))
    for row in np.flatnonzero(finer):
        parent, parts = families[row]
        above = [at[(parent, part)] for part in parts if (parent, part) in at]
        found[row] |= bool(found[above].any()) or not above
    within = np.array(
        [f"{c}|{parts}" for c, (_, parts) in zip(characteristic, families, strict=True)]
    )
    found[finer] = hidden_rows(values[finer], within[finer], found[finer])
    for name in pd.unique(characteristic[crossed]):
        rows = np.flatnonzero(characteristic == name)
        found[rows] = _hidden_crossed(name, group[rows], values[rows], found, at)
    return found


def is_crossed(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Say which rows are of a crossed characteristic.

    Parameters
    ----------
    table : DataFrame
        ``characteristic``.

    Returns
    -------
    bool array of shape (n_rows,)
        Its hidden rows are left out of what is published: nobody can tell a hidden group from one that
        does not exist.
    """
    return np.array([CROSSED in name for name in table["characteristic"]], dtype=bool)


def _hidden_crossed(
    name: str, group: NDArray[np.object_], values: NDArray[np.float64], found: Mask,
    at: dict[tuple[str, str], int],
) -> Mask:  # fmt: skip
    """Lay crossed groups out as a grid, the absent ones as cells of nobody, and hide cells of it."""
    parts = name.split(CROSSED, 1)
    if not all(any(part == known for known, _ in at) for part in parts):
        return hidden_rows(
            values, np.zeros(len(values)), found[[at[(name, word)] for word in group]]
        )
    pairs = [word.split(CROSSED, 1) for word in group]
    names = [sorted({pair[side] for pair in pairs}) for side in (0, 1)]
    i, j = ([names[side].index(pair[side]) for pair in pairs] for side in (0, 1))
    grid = np.zeros((len(names[0]), len(names[1]), values.shape[1]))
    grid[i, j] = values
    rows, columns = (
        np.array([found[at[(part, word)]] for word in words])
        for part, words in zip(parts, names, strict=True)
    )
    return found[[at[(name, word)] for word in group]] | hidden_in_grid(grid, rows, columns)[i, j]
