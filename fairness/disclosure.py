"""No small cell published: primary and secondary suppression, rounding, the DfE's symbols.

In:  tables of counts by group, or of one characteristic by another.
Out: the same with "c" for small numbers, and for numbers that would reveal them.

A reader of a table also knows the rule, the totals, and every other table that is published. A number
below 5 is hidden, zero included. Enough numbers beside it are hidden too: each hidden small number could
then be anything from 0 to 4, even for a reader who knows which of the hidden numbers are below 5 [1]_.

References
----------
.. [1] Hundepool et al., "Statistical Disclosure Control", Wiley, 2012.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "HIDDEN_NOTE",
    "SMALLEST_SHOWN",
    "SUPPRESSED",
    "hidden_in_grid",
    "hidden_rows",
    "leaves_room",
    "show",
    "suppress_two_way",
]

HIDDEN_NOTE = "c: fewer than 5 children, or what would reveal it. z: not defined."
"""Meaning of the symbols in a table with small counts suppressed."""

SMALLEST_SHOWN = 5
"""Counts below it are not shown."""

SUPPRESSED, NOT_APPLICABLE, ROUNDS_TO_ZERO = "c", "z", "low"
"""DfE, Explore education statistics, data symbols: suppressed; not applicable (here: not
defined, because there is nobody to divide by or to compare with); rounds to 0 but is not 0."""

DECIMALS = 3
"""Shares are rounded to a tenth of a per cent, as the DfE's are."""

TOTAL = "Total"

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def hidden_rows(
    counts: ArrayLike, within: ArrayLike, hidden: Mask | None = None
) -> NDArray[np.bool_]:
    """Rows of a table that must be hidden.

    Parameters
    ----------
    counts : array-like of shape (n_rows, n_counts)
        Counts of children, and the complements that a reader could subtract.
    within : array-like of shape (n_rows,)
        Rows with the same value add up to totals that are known.
    hidden : bool array of shape (n_rows,), optional
        Rows that are hidden already, for another reason.

    Returns
    -------
    bool array of shape (n_rows,)
        Rows are hidden whole, because their numbers can be worked out from each other.

    Notes
    -----
    Rows with a count below 5 are hidden. Of the rows that add up to a known total, the next smallest is
    hidden too until :func:`leaves_room`. Rows as small as the last one are hidden with it. Otherwise the
    choice among them would reveal the order of the hidden counts.

    Examples
    --------
    >>> hidden_rows([[2], [7], [30]], ["sex", "sex", "sex"]).tolist()
    [True, True, False]
    """
    values = np.asarray(counts, dtype=float)
    small = (values < SMALLEST_SHOWN).any(axis=1)
    found: Mask = small | (np.zeros_like(small) if hidden is None else hidden)
    total, _ = pd.factorize(np.asarray(within))
    together = np.argsort(total, kind="stable")
    for rows in np.split(together, np.flatnonzero(np.diff(total[together])) + 1):
        size = values[rows].sum(axis=1)
        for least in np.unique(size):
            if leaves_room(values[rows][found[rows]]):
                break
            found[rows[size == least]] = True
    return found


def leaves_room(hidden: ArrayLike) -> bool:
    """Whether hidden counts are safe from a reader who knows their sum.

    Parameters
    ----------
    hidden : array-like of shape (n_hidden, n_counts)
        All hidden counts that add up to known totals: a reader knows the sum of each column.

    Returns
    -------
    bool
        Whether each count below 5 could be anything from 0 to 4, even to a reader who knows which of
        them are below 5. A single hidden count equals the sum.

    Notes
    -----
    A count can be 4 if the sum minus 5 for each larger count is at least 4. It can be 0 if the others can
    make up the sum: a larger one always can, k small ones alone only if the sum is at most 4 (k - 1).
    The sum is one more number that the reader knows, so it must not be small.

    Examples
    --------
    >>> leaves_room([[4], [4]]), leaves_room([[4], [4], [30]])
    (False, True)
    """
    values = np.asarray(hidden, dtype=float)
    if len(values) < 2:
        return len(values) == 0
    n_small = (values < SMALLEST_SHOWN).sum(axis=0)
    n_large, total = len(values) - n_small, values.sum(axis=0)
    most = SMALLEST_SHOWN - 1
    above = (total - SMALLEST_SHOWN * n_large >= most) & (total >= SMALLEST_SHOWN)
    below = (n_large > 0) | (total <= most * (n_small - 1))
    return bool(((n_small == 0) | (above & below)).all())


def hidden_in_grid(counts: ArrayLike, rows_hidden: Mask, columns_hidden: Mask) -> NDArray[np.bool_]:
    """Cells that must be hidden where one characteristic is crossed with another.

    Parameters
    ----------
    counts : array-like of shape (n_rows, n_columns, n_counts)
        Counts of each cell; the totals of rows and columns are known unless they are hidden.
    rows_hidden, columns_hidden : bool arrays of shape (n_rows,) and (n_columns,)
        Totals that are hidden.

    Returns
    -------
    bool array of shape (n_rows, n_columns)
        Hidden cells; all cells where no smaller set protects them.

    Notes
    -----
    A small cell is safe if it is the corner of a rectangle of hidden cells along which it could be
    raised to 4 and lowered to 0 while the other corners keep every sum (the hypercube method). The hidden
    total of a row or column can be a corner.

    Examples
    --------
    >>> none = np.zeros(2, dtype=bool)
    >>> hidden_in_grid([[[2], [20]], [[30], [40]]], none, none).all(), hidden_in_grid(
    ...     [[[20], [20]], [[30], [40]]], none, none).any()
    (np.True_, np.False_)
    """
    grid = np.asarray(counts, dtype=float)
    hidden = (grid < SMALLEST_SHOWN).any(axis=2) | rows_hidden[:, None] | columns_hidden[None, :]
    small = np.argwhere((grid < SMALLEST_SHOWN).any(axis=2))
    order = np.argsort(grid[small[:, 0], small[:, 1]].sum(axis=1), kind="stable")
    for i, j in small[order]:
        rectangle = _rectangle(grid, hidden, rows_hidden, columns_hidden, int(i), int(j))
        if rectangle is None:
            return np.ones_like(hidden)
        for row, column in rectangle:
            hidden[row, column] = True
    return hidden


def _rectangle(
    grid: Floats, hidden: Mask, rows_hidden: Mask, columns_hidden: Mask, i: int, j: int
) -> list[tuple[int, int]] | None:
    """Return the corners to hide for a cell, fewest children first; None where nothing protects it.

    The last row and column of the candidates are the totals, which can always change.
    """
    matters = grid[i, j] < SMALLEST_SHOWN
    up, down = SMALLEST_SHOWN - 1 - grid[i, j], grid[i, j]
    cost = np.where(hidden, 0.0, 1.0 + grid.sum(axis=2))
    side = _corner_costs((grid[i] >= up)[:, matters], cost[i], rows_hidden[i], j)
    above = _corner_costs((grid[:, j] >= up)[:, matters], cost[:, j], columns_hidden[j], i)
    corner = np.where((grid >= down)[:, :, matters].all(axis=2), cost, np.inf)
    corner = np.pad(corner, ((0, 1), (0, 1)), constant_values=np.inf)
    corner[:-1, -1] = np.where(rows_hidden, 0.0, np.inf)
    corner[-1, :-1] = np.where(columns_hidden, 0.0, np.inf)
    total = above[:, None] + side[None, :] + corner
    total[~_can_step(grid[:, :, matters], i, j)] = np.inf
    k, m = np.unravel_index(int(total.argmin()), total.shape)
    if not np.isfinite(total[k, m]):
        return None
    corners = [(i, int(m)), (int(k), j), (int(k), int(m))]
    return [(row, column) for row, column in corners if row < len(grid) and column < grid.shape[1]]


def _corner_costs(can_give: Mask, cost: Floats, total_hidden: bool, own: int) -> Floats:
    """Return what each corner of a cell's line costs, its total last; infinite where it cannot be one."""
    costs = np.where(can_give.all(axis=1), cost, np.inf)
    costs[own] = np.inf
    return np.append(costs, 0.0 if total_hidden else np.inf)


def _can_step(grid: Floats, i: int, j: int) -> Mask:
    """Find rectangles along which a cell could be one more or one fewer while small cells stay small.

    Without this, a reader who knows which cells are small could find a single possible value: four cells
    of 4 with 8 in each row and column.
    """
    rises, falls = grid != SMALLEST_SHOWN - 1, (grid != 0) & (grid != SMALLEST_SHOWN)
    rises, falls = (  # totals can always give way
        np.pad(free, ((0, 1), (0, 1), (0, 0)), constant_values=True) for free in (rises, falls)
    )
    steps = [
        cell[i, j] & cell & other[:, j][:, None] & other[i][None]
        for cell, other in ((rises, falls), (falls, rises))
    ]
    return np.asarray((steps[0] | steps[1]).all(axis=2))


def suppress_two_way(table: pd.DataFrame) -> pd.DataFrame:
    """Return counts of one characteristic by another with totals, safe to publish; for notebooks.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Counts of children, without totals.

    Returns
    -------
    DataFrame of shape (n_rows + 1, n_columns + 1)
        With row and column ``"Total"``; ``"c"`` where suppressed.

    Examples
    --------
    >>> counts = pd.DataFrame({"Yes": [2, 30, 9], "No": [20, 40, 50]}, index=["A", "B", "C"])
    >>> print(suppress_two_way(counts).to_string())
          Yes   No Total
    A       c    c    22
    B      30   40    70
    C       c    c    59
    Total  41  110   151
    """
    grid = table.to_numpy(dtype=float)
    rows, columns = grid.sum(axis=1), grid.sum(axis=0)
    rows_hidden = hidden_rows(rows[:, None], np.zeros(len(rows)))
    columns_hidden = hidden_rows(columns[:, None], np.zeros(len(columns)))
    hidden = hidden_in_grid(grid[:, :, None], rows_hidden, columns_hidden)
    if hidden.all() and not _margins_leave_room(grid, rows, columns):
        rows_hidden[:], columns_hidden[:] = True, True
    mask = np.block([[hidden, rows_hidden[:, None]], [columns_hidden[None, :], np.zeros((1, 1))]])
    full = np.block([[grid, rows[:, None]], [columns[None, :], grid.sum(keepdims=True)]])
    shown = np.where(mask.astype(bool), SUPPRESSED, full.astype(int).astype(object))
    return pd.DataFrame(shown, index=[*table.index, TOTAL], columns=[*table.columns, TOTAL])


def _margins_leave_room(grid: Floats, rows: Floats, columns: Floats) -> bool:
    """Whether the totals alone leave each cell that may be small anything from 0 to 4.

    This holds for every cell, not only for the small ones: shown totals must not reveal which are small.
    """
    least = np.maximum(0, rows[:, None] + columns[None, :] - grid.sum())
    most = np.minimum(rows[:, None], columns[None, :])
    free = (least <= 0) & (most >= SMALLEST_SHOWN - 1)
    return bool((free | (least >= SMALLEST_SHOWN)).all())


def show(
    table: pd.DataFrame, hidden: Mask, *, counts: Sequence[str], figures: Sequence[str]
) -> pd.DataFrame:
    """Table as it may be published.

    Parameters
    ----------
    table : DataFrame
        One row per group, or per group and measure.
    hidden : bool array of shape (n_rows,)
        Rows whose numbers are hidden.
    counts, figures : sequence of str
        Columns of counts; columns worked out from them.

    Returns
    -------
    DataFrame
        Those columns as objects: ``"c"`` where hidden, ``"z"`` where not defined, ``"low"`` where a
        figure rounds to 0 but is not; figures are rounded to a tenth of a per cent.

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["a", "b"], "n": [3, 50], "rate": [0.5, float("nan")]})
    >>> show(table, np.array([True, False]), counts=["n"], figures=["rate"]).to_dict("list")
    {'group': ['a', 'b'], 'n': ['c', 50], 'rate': ['c', 'z']}
    """
    public = table.copy()
    for name in counts:
        public[name] = table[name].astype("int64").astype(object).where(~hidden, SUPPRESSED)
    for name in figures:
        value = table[name].astype(float)
        rounded = value.round(DECIMALS) + 0.0  # no minus zero
        text = rounded.astype(object).mask(value.isna(), NOT_APPLICABLE)
        text = text.mask(((rounded == 0) & (value != 0)).to_numpy(), ROUNDS_TO_ZERO)
        public[name] = text.where(~hidden, SUPPRESSED)
    return public
