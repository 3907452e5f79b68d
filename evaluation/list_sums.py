"""What a list's metrics are made of: sums over one list, for every resample at once.

In:  the tested lists, a score, the capacity, draws of pupils.
Out: sums that add up over lists; every metric from them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.capacity import rank_on_list
from riskmodel.evaluation.metrics import precision_gained
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
Ints = NDArray[np.int64]


def totals_by_list(
    predictions: pd.DataFrame, ranker: str, places: NDArray[np.int64], resamples: Resamples
) -> list[dict[str, Floats]]:
    """Return the sums that the metrics are made of, per list, each for every draw.

    Parameters
    ----------
    predictions : DataFrame
        ``pupil_id``, ``as_of``, ``label``, the ranker's score; ``never_suspended`` where it is known.
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

    Notes
    -----
    Places are filled in the order of :func:`riskmodel.evaluation.capacity.rank_on_list`. For average
    precision and ROC AUC equal scores are one step. A draw keeps the capacity's share of places, so that
    the last of its pupils may be listed in part.
    """
    score = predictions[ranker].to_numpy(dtype=float)
    score = np.where(np.isnan(score), -np.inf, score)
    rank = rank_on_list(score, predictions["pupil_id"], lists=predictions["as_of"])
    outcome = predictions["label"].to_numpy(dtype=float)
    nobody = pd.Series(False, index=predictions.index)
    unseen = predictions.get("never_suspended", nobody).to_numpy(dtype=bool)
    lists = []
    for _, rows in sorted(predictions.groupby("as_of", observed=True).indices.items()):
        order = np.asarray(rows)[np.argsort(rank[rows])]
        positive, weights = np.flatnonzero(outcome[order]), resamples.of(order)
        hits = _hits(positive, weights, int(places[order[0]]))
        first = unseen[order][positive]
        lists.append(
            _steps(score[order], positive, weights)
            | {
                "places": places[order[0]] * weights.sum(axis=0, dtype=np.float64) / len(order),
                "found": hits.sum(axis=0),
                "unseen": weights[positive][first].sum(axis=0, dtype=np.float64),
                "unseen_found": hits[first].sum(axis=0),
            }
        )
    return lists


def _hits(positive: Ints, weights: NDArray[np.uint8], capacity: int) -> Floats:
    """Return how often each row with the outcome is listed, in every draw; rows sorted by rank."""
    rows = weights.sum(axis=0, dtype=np.float64)
    left = capacity * rows / len(weights) - _drawn_before(weights, positive)
    return np.clip(left, 0, weights[positive])


def _steps(score: Floats, positive: Ints, weights: NDArray[np.uint8]) -> dict[str, Floats]:
    """Sum up one list, sorted by falling score, for the metrics that know no capacity."""
    starts, first = np.unique(np.searchsorted(-score, -score[positive]), return_index=True)
    ends = np.searchsorted(-score, -score[starts], side="right")
    drawn = weights[positive].astype(np.float64)
    gained = np.add.reduceat(drawn, first, axis=0) if len(first) else drawn
    found, positives = gained.cumsum(axis=0), drawn.sum(axis=0)
    before, listed = _drawn_before(weights, starts), _drawn_before(weights, ends)
    rows = weights.sum(axis=0, dtype=np.float64)
    above, tied = before - (found - gained), listed - before - gained  # rows without the outcome
    pairs = positives * (rows - positives)
    return {
        "rows": rows,
        "positives": positives,
        "precision": precision_gained(found, listed, gained).sum(axis=0),
        "pairs": pairs,
        "pairs_won": pairs - (gained * (above + tied / 2)).sum(axis=0),
    }


def _drawn_before(weights: NDArray[np.uint8], positions: Ints) -> Floats:
    """Return how many rows were drawn before each position, in every draw.

    Rows between two positions are added up at once, which is five times as fast as row by row.
    """
    n = len(weights)
    starts = np.unique(np.append(positions[positions < n], 0))
    parts = np.add.reduceat(weights, starts, axis=0, dtype=np.int32)
    before = np.concatenate([np.zeros_like(parts[:1]), parts.cumsum(axis=0)])
    return before[np.searchsorted(np.append(starts, n), positions)].astype(np.float64)


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
    precision = ratio(total["found"], total["places"])
    return {
        "average_precision": ratio(total["precision"], total["positives"]),
        "precision_at_capacity": precision,
        "recall_at_capacity": ratio(total["found"], total["positives"]),
        "lift_at_capacity": precision * ratio(total["rows"], total["positives"]),
        "recall_never_suspended": ratio(total["unseen_found"], total["unseen"]),
        "roc_auc": ratio(total["pairs_won"], total["pairs"]),
    }
