"""How many children did the lists hold, and how many of those who had the outcome? Each child once.

In:  the predictions, who was listed by each ranker, draws of pupils.
Out: :func:`count_children`: counts and shares of children, not of places.

A child is on many lists, and one exclusion lies within the horizon of several. Places counted over
lists count such a child many times. Sentences about "children" are about these counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.resampling import Resamples, widen_degenerate, with_bounds

__all__ = ["SHARES", "count_children", "each_once"]

SHARES = ("precision_by_child", "recall_by_child")
"""Of the children listed, the share who had the outcome; of those who had it, the share listed."""


def count_children(
    predictions: pd.DataFrame, listed: Mapping[str, NDArray[np.bool_]], resamples: Resamples
) -> pd.DataFrame:
    """Children on the lists, and children with the outcome, each counted once over all lists.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``label``: 1 or 0; missing where the outcome is not known.
    listed : mapping of str to bool array of shape (n_rows,)
        Ranker → rows that are on its lists.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        One row per ranker. ``listed``: children who were on a list or more, with a known outcome.
        ``not_known``: children who were on a list or more, and of whom no such list's outcome is known.
        ``found``: those listed who had the outcome within the horizon of a list that held them.
        ``with_outcome``: children who had it within the horizon of any list. ``precision_by_child``
        (found ÷ listed) and ``recall_by_child`` (found ÷ with_outcome), with ``_low`` and ``_high``.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": [*"aabcd"], "label": [1, 1, 0, 1, np.nan]})
    >>> resamples = Resamples.draw(rows["pupil_id"], 0)
    >>> made = count_children(rows, {"model": np.array([True, True, True, False, True])}, resamples)
    >>> made[["listed", "not_known", "found", "with_outcome", *SHARES]].values.tolist()
    [[2.0, 1.0, 1.0, 2.0, 0.5, 0.5]]
    """
    label = predictions["label"].to_numpy(dtype=float)
    rows = [{"ranker": name} | _of_ranker(rows, label, resamples) for name, rows in listed.items()]
    return pd.DataFrame(rows)


def _of_ranker(
    on_lists: NDArray[np.bool_], label: NDArray[np.float64], resamples: Resamples
) -> dict[str, float]:
    listed = each_once(on_lists & ~np.isnan(label), resamples)
    children = {
        "listed": listed,
        "not_known": each_once(on_lists, resamples) - listed,
        "found": each_once(on_lists & (label == 1), resamples),
        "with_outcome": each_once(label == 1, resamples),
    }
    drawn = {name: resamples.counts.T.astype(float) @ is_one for name, is_one in children.items()}
    shares = {
        name: ratio(drawn["found"], drawn[whole])
        for name, whole in zip(SHARES, ("listed", "with_outcome"), strict=True)
    }
    n = {name: int(is_one.sum()) for name, is_one in children.items()}
    row = with_bounds(shares)
    return n | widen_degenerate(row, {SHARES[0]: n["listed"], SHARES[1]: n["with_outcome"]})


def each_once(rows: NDArray[np.bool_], resamples: Resamples) -> NDArray[np.float64]:
    """Return 1 for each child with such a row, else 0.

    Parameters
    ----------
    rows : bool array of shape (n_rows,)
        Rows that count.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    array of shape (n_pupils,)
        In the order of the draws' counts.

    Examples
    --------
    >>> resamples = Resamples.draw(pd.Series([*"aab"]), 0)
    >>> each_once(np.array([True, True, False]), resamples).tolist()
    [1.0, 0.0]
    """
    count = np.bincount(resamples.pupil[rows], minlength=len(resamples.counts))
    return (count > 0).astype(float)
