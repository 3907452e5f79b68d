"""Which groups of an audit can be published, given all of its tables together.

In:  counts of every group of every characteristic.
Out: the rows to hide; those of crossed characteristics are left out, not marked.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.year_groups import ORDINARY_PHASES, PHASES
from riskmodel.fairness.disclosure import SMALLEST_SHOWN, hidden_in_grid, hidden_rows
from riskmodel.fairness.groups import CROSSED, family

__all__ = ["hidden_groups", "is_crossed"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

Family = tuple[str, tuple[str, ...]]
"""A coarser characteristic, and its groups in the table to which a group and its siblings add up."""

RowOf = dict[tuple[str, str], int]
"""(Characteristic, group) → row of the table."""

BY_AGE = tuple(PHASES[code] for code in ORDINARY_PHASES)
"""Groups of ``phase`` to which year groups belong by age."""


def hidden_groups(
    table: pd.DataFrame, counts: ArrayLike, hidden: Mask | None = None
) -> NDArray[np.bool_]:
    """Return the groups that are hidden, given all characteristics together.

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
        A group of a finer characteristic is hidden where the coarser one is
        (:func:`riskmodel.fairness.groups.family`). Each family is protected by itself, because its sum is
        known. Crossed groups follow the two that they cross, where these are in the table.

    Examples
    --------
    >>> table = pd.DataFrame({"characteristic": "sex", "group": ["Boys", "Girls", "not_known"]})
    >>> hidden_groups(table, [[40], [30], [2]]).tolist()
    [False, True, True]
    """
    values = np.asarray(counts, dtype=float)
    found = np.zeros(len(table), dtype=bool) if hidden is None else hidden.copy()
    characteristic = table["characteristic"].to_numpy(dtype=object)
    group = table["group"].to_numpy(dtype=object)
    at = {pair: row for row, pair in enumerate(zip(characteristic, group, strict=True))}
    families = [_family(*pair, at) for pair in at]
    crossed = is_crossed(table)
    finer = np.array([parent in set(characteristic) for parent, _ in families]) & ~crossed
    top = ~finer & ~crossed
    found[top] = hidden_rows(values[top], characteristic[top], found[top])
    found = _with_finer(families, finer, characteristic, values, found, at)
    for name in pd.unique(characteristic[crossed]):
        rows = np.flatnonzero(characteristic == name)
        found[rows] = _hidden_crossed(name, group[rows], values[rows], found, at)
    return found


def _with_finer(
    families: list[Family],
    finer: Mask,
    characteristic: NDArray[np.object_],
    values: Floats,
    found: Mask,
    at: RowOf,
) -> Mask:
    """Return what is hidden, with the groups of finer characteristics."""
    found = found.copy()
    for row in np.flatnonzero(finer):
        parent, parts = families[row]
        above = [at[(parent, part)] for part in parts]
        found[row] |= bool(found[above].any()) or (not above and parent != "phase")
    together = zip(characteristic, families, strict=True)
    within = np.array([f"{name}|{parts}" for name, (_, parts) in together])
    found |= _smallest_years(families, values, found, at) & finer
    found[finer] = hidden_rows(values[finer], within[finer], found[finer])
    return found | (_years_below_their_phase(families, values, found, at) & finer)


def _family(characteristic: str, group: str, at: RowOf) -> Family:
    """Return the groups of the table to which a group and its siblings add up.

    Where the table lacks a phase, its year groups go to another phase's schools, and join that phase.
    """
    parent, parts = family(characteristic, group)
    there = tuple(part for part in parts if (parent, part) in at)
    if parent == "phase" and parts and not there:
        instead = (PHASES["secondary"], *BY_AGE)
        there = tuple(part for part in instead if (parent, part) in at)[:1]
    return parent, there


def _smallest_years(families: list[Family], values: Floats, found: Mask, at: RowOf) -> Mask:
    """Return the year groups that protect a hidden group with pupils of any age.

    Without them, a reader could subtract each phase from its year groups, and find the pupils of a phase
    that is not known.
    """
    gone = found | (values < SMALLEST_SHOWN).any(axis=1)
    of_any_age = [
        row
        for (name, group), row in at.items()
        if (name == "phase" and group not in BY_AGE) or families[row] == ("phase", ())
    ]
    chosen = np.zeros_like(found)
    if gone[of_any_age].any():
        for phase in BY_AGE:
            rows = np.flatnonzero([one == ("phase", (phase,)) for one in families])
            if len(rows) and not gone[rows].any():
                chosen[rows[values[rows].sum(axis=1).argmin()]] = True
    return chosen


def _years_below_their_phase(
    families: list[Family], values: Floats, found: Mask, at: RowOf
) -> Mask:
    """Return all year groups where those of a shown phase, or all hidden ones, add up to fewer than 5.

    The other pupils of the phase are of other ages (a sixth form). The phases and the other year groups
    would reveal how few the hidden pupils are.
    """
    by_age = np.array([parent == "phase" for parent, _ in families])
    chosen = np.zeros_like(found)
    for parts in {parts for parent, parts in families if parent == "phase" and parts}:
        rows = np.flatnonzero([one == ("phase", parts) for one in families])
        above = [at[("phase", part)] for part in parts]
        few = (values[rows].sum(axis=0) < SMALLEST_SHOWN).any()
        if few and found[rows].all() and not found[above].any():
            chosen |= by_age
    gone = values[found & by_age]
    if len(gone) and (gone.sum(axis=0) < SMALLEST_SHOWN).any():
        chosen |= by_age
    return chosen


def is_crossed(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows of a crossed characteristic.

    Parameters
    ----------
    table : DataFrame
        ``characteristic``.

    Returns
    -------
    bool array of shape (n_rows,)
        Hidden rows of these are left out of what is published: a reader cannot know a hidden group from
        one that does not exist.

    Examples
    --------
    >>> is_crossed(pd.DataFrame({"characteristic": ["sex", "sex × fsm"]})).tolist()
    [False, True]
    """
    return np.array([CROSSED in name for name in table["characteristic"]], dtype=bool)


def _hidden_crossed(
    name: str,
    group: NDArray[np.object_],
    values: Floats,
    found: Mask,
    at: RowOf,
) -> Mask:
    """Return the hidden groups of a crossed characteristic, laid out as a grid with absent groups as 0."""
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
