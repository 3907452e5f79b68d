"""What a list's metrics are made of: sums over one list, for every resample at once.

In:  the tested lists, a score, the capacity, draws of pupils.
Out: sums that add up over lists; every metric from them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.evaluation.resampling import Resamples

__all__ = ["METRICS", "metrics", "sum_over_lists", "totals_by_list"]

METRICS = {
    "average_precision": "Average precision",
    "precision_at_capacity": "Precision at capacity",
    "recall_at_capacity": "Recall at capacity",
    "lift_at_capacity": "Lift",
    "recall_never_suspended": "Recall, never suspended",
    "roc_auc": "ROC AUC",
}
"""Metric → its name in tables that people read."""

Floats = NDArray[np.float64]


def totals_by_list(
    predictions: pd.DataFrame, ranker: str, places: NDArray[np.int64], resamples: Resamples
) -> list[dict[str, Floats]]:
    """Return the sums that the metrics are made of, per list, each for every draw.

    Parameters
    ----------
    predictions : DataFrame
        ``as_of``, ``label``, the ranker's score; ``never_suspended`` where it is known.
    ranker : str
        Score column; missing scores rank last.
    places : int array of shape (n_rows,)
        Places on the list of each row.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    list of dict
        One per list, oldest first: name of a sum → array of shape (1 + n_resamples,).
    """
    score = predictions[ranker].to_numpy(dtype=float)
    score = np.where(np.isnan(score), np.nanmin(score) - 1, score)  # not known ranks last
    outcome = predictions["label"].to_numpy(dtype=float)
    unseen = predictions.get(
        "never_suspended", pd.Series(False, index=predictions.index)
    ).to_numpy()
    lists = []
    for _, rows in sorted(predictions.groupby("as_of", observed=True).indices.items()):
        order = np.asarray(rows)[np.argsort(-score[rows], kind="stable")]
        weights = resamples.of(order)
        lists.append(
            _of_one_list(
                outcome[order], score[order], unseen[order], weights, int(places[order[0]])
            )
        )
    return lists


def _of_one_list(
    outcome: Floats,
    score: Floats,
    unseen: NDArray[np.bool_],
    weights: NDArray[np.uint8],
    capacity: int,
) -> dict[str, Floats]:
    """Sum up one list, sorted by falling score; equal scores are one block."""
    rows = weights.sum(axis=0, dtype=np.float64)
    places = capacity * rows / len(score)
    positive = np.flatnonzero(outcome)
    drawn = weights[positive].astype(np.float64)
    last, listed = _kept_blocks(score, positive, weights, places)
    block = np.searchsorted(last, positive)  # block of each row with the outcome
    blocks = np.unique(block)
    gained = (
        np.add.reduceat(drawn, np.searchsorted(block, blocks), axis=0) if len(blocks) else drawn
    )
    found, upto = gained.cumsum(axis=0), listed[blocks]
    before = np.where(blocks[:, None] > 0, listed[blocks - 1], 0)
    precision = np.divide(found, upto, out=np.zeros_like(found), where=upto > 0)
    positives = drawn.sum(axis=0)
    above, tied = before - (found - gained), upto - before - gained  # rows without the outcome
    pairs = positives * (rows - positives)
    # the block that the line of the list crosses, and the part of it that is listed
    line = np.minimum((listed < places - 1e-9).sum(axis=0), len(last) - 1)
    every = np.arange(len(line))
    listed_above = np.where(line > 0, listed[line - 1, every], 0)
    size = listed[line, every] - listed_above
    part = np.divide(places - listed_above, size, out=np.zeros(len(size)), where=size > 0)
    hits = drawn * np.where(
        block[:, None] < line, 1.0, (block[:, None] == line) * np.clip(part, 0, 1)
    )
    return {
        "rows": rows,
        "positives": positives,
        "places": places,
        "found": hits.sum(axis=0),
        "precision": (precision * gained).sum(axis=0),
        "pairs": pairs,
        "pairs_won": pairs - (gained * (above + tied / 2)).sum(axis=0),
        "unseen": drawn[unseen[positive]].sum(axis=0),
        "unseen_found": hits[unseen[positive]].sum(axis=0),
    }


def _kept_blocks(
    score: Floats, positive: NDArray[np.int64], weights: NDArray[np.uint8], places: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Return the last row of the blocks that matter, and the rows drawn up to there.

    What matters: the blocks around the line of the list in every draw, those with an outcome and those
    before them. To add up all the others row by row would take five times as long.
    """
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    block = np.searchsorted(last, positive)
    matters = np.zeros(len(last), dtype=bool)
    matters[block] = matters[np.maximum(block - 1, 0)] = matters[-1] = True
    reach = 2 * int(places.max()) + 50
    while True:
        matters[: np.searchsorted(last, reach) + 1] = True
        kept = last[matters]
        starts = np.append(0, kept[:-1] + 1)
        listed = np.add.reduceat(weights, starts, axis=0, dtype=np.int32).cumsum(axis=0)
        if reach >= len(score) or (listed[np.searchsorted(kept, reach)] >= places).all():
            return kept, listed.astype(np.float64)
        reach *= 2


def sum_over_lists(lists: list[dict[str, Floats]]) -> dict[str, Floats]:
    """Add up lists.

    Parameters
    ----------
    lists : list of dict
        From :func:`totals_by_list`.

    Returns
    -------
    dict
        The same sums over all of them.
    """
    return {name: np.sum([one[name] for one in lists], axis=0) for name in lists[0]}


def metrics(total: dict[str, Floats]) -> dict[str, Floats]:
    """Return every metric in every draw.

    Parameters
    ----------
    total : dict
        Sums of one list, or of all.

    Returns
    -------
    dict
        Name of :data:`METRICS` → array of shape (1 + n_resamples,); nan where it is not defined.
    """

    def over(top: str, bottom: str) -> Floats:
        a, b = total[top], total[bottom]
        return np.divide(a, b, out=np.full(len(b), np.nan), where=b > 0)

    precision = over("found", "places")
    return {
        "average_precision": over("precision", "positives"),
        "precision_at_capacity": precision,
        "recall_at_capacity": over("found", "positives"),
        "lift_at_capacity": precision * over("rows", "positives"),
        "recall_never_suspended": over("unseen_found", "unseen"),
        "roc_auc": over("pairs_won", "pairs"),
    }
