"""Rankers side by side on earlier lists, with intervals that resample pupils.

In:  one row per pupil and tested list: the outcome, and a score per ranker.
Out: :class:`Backtest`: average precision, precision and recall at the capacity, differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import HistoryError
from riskmodel.evaluation.metrics import _average_precision_sorted, roc_auc
from riskmodel.progress import track

__all__ = ["Backtest", "compare"]

N_RESAMPLES = 400
"""Resamples of pupils for the intervals."""

METRICS = ("average_precision", "precision_at_capacity", "recall_at_capacity")

SIMPLER = ("logistic regression", "RONI points", "months jobless so far", "suspensions last year")
"""Rankers that the tool recommends instead where the model does not beat them."""


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """How rankers would have done on earlier lists.

    Attributes
    ----------
    table : DataFrame
        ``ranker``; per metric its value, ``_low`` and ``_high`` (95%, resampling pupils);
        ``roc_auc``. Best average precision first.
    differences : DataFrame
        ``ranker`` and the model's average precision less the ranker's, paired, with interval.
    counts : dict
        Origins, rows, pupils, positive rows and pupils, capacity, prevalence.
    """

    table: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)
    counts: dict[str, Any]

    def frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            As :attr:`table`.
        """
        return self.table.copy()

    def text(self) -> str:
        """Return the table for a terminal.

        Returns
        -------
        str
            One line per ranker: value (95% interval).
        """
        counts = self.counts
        lines = [
            f"{counts['origins']} lists, {counts['rows']:,} rows, {counts['pupils']:,} pupils, "
            f"{counts['positive_pupils']} with the outcome (prevalence {counts['prevalence']:.2%}), "
            f"capacity {counts['capacity']} a list",
            f"{'':26}{'average precision':>22}{'precision at capacity':>24}{'recall at capacity':>24}",
        ]
        for row in self.table.to_dict("records"):
            cells = [
                f"{row[m]:.3f} ({row[f'{m}_low']:.3f}–{row[f'{m}_high']:.3f})" for m in METRICS
            ]
            lines.append(f"{row['ranker']:26}{cells[0]:>22}{cells[1]:>24}{cells[2]:>24}")
        return "\n".join(lines)

    def recommendation(self) -> str:
        """Say in a sentence whether a simpler ranker did better.

        Returns
        -------
        str
            A recommendation for a person.
        """
        simpler = self.differences[self.differences["ranker"].isin(SIMPLER)]
        better = simpler[simpler["average_precision"] < 0].sort_values("average_precision")
        if better.empty:
            return "No simpler ranker had a higher average precision on these lists."
        row = better.iloc[0]
        how = "beyond noise" if row["average_precision_high"] < 0 else "though within noise"
        return (
            f"A simpler ranker, {row['ranker']}, had the higher average precision by "
            f"{-row['average_precision']:.3f}, {how}: prefer it."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready lists; missing numbers are None.

        Returns
        -------
        dict
            ``table``, ``differences``, ``counts``.
        """
        return {
            "table": _records(self.table),
            "differences": _records(self.differences),
            "counts": self.counts,
        }

    def _repr_html_(self) -> str:
        return self.table.to_html(
            index=False, na_rep="–", escape=True, float_format="{:.3f}".format
        )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def compare(
    predictions: pd.DataFrame,
    *,
    rankers: Sequence[str],
    capacity: int,
    reference: str = "model",
    random_state: int = 0,
) -> Backtest:
    """Compare rankers on the same lists at the same capacity.

    Parameters
    ----------
    predictions : DataFrame
        ``pupil_id``, ``as_of``, ``label`` (0 or 1) and a score column per ranker.
    rankers : sequence of str
        Score columns; one that is all missing is left out.
    capacity : int
        Pupils listed at each ``as_of``.
    reference : str
        Ranker from which the others are subtracted in the differences.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    Backtest
        Rankers, differences, counts.

    Raises
    ------
    HistoryError
        If nobody had the outcome.

    Notes
    -----
    Precision and recall add up over lists: outcomes found ÷ places, outcomes found ÷ outcomes.
    Average precision is the mean over lists weighted by their outcomes. Each resample draws
    pupils with replacement and takes all their rows; all rankers see the same resamples, so that
    differences are paired. Within a list, a resample keeps the capacity's share of places.
    """
    if not predictions["label"].any():
        raise HistoryError(
            "Nobody on the tested lists had the outcome, so nothing can be measured."
        )
    used = [name for name in rankers if predictions[name].notna().any()]
    weights = _resamples(predictions["pupil_id"], random_state)
    values = {
        name: _measure(predictions, name, capacity, weights)
        for name in track(used, "Intervals by resampling pupils")
    }
    rows = []
    for name, (point, draws) in values.items():
        row: dict[str, Any] = {"ranker": name}
        for number, metric in enumerate(METRICS):
            low, high = np.nanquantile(draws[number], [0.025, 0.975])
            row |= {metric: point[number], f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row | {"roc_auc": _mean_auc(predictions, name)})
    table = pd.DataFrame(rows).sort_values("average_precision", ascending=False, ignore_index=True)
    differences = pd.DataFrame(
        [_difference(values[reference], values[name], name) for name in used if name != reference],
        columns=["ranker", "average_precision", "average_precision_low", "average_precision_high"],
    )
    return Backtest(table=table, differences=differences, counts=_counts(predictions, capacity))


def _resamples(pupils: pd.Series, random_state: int) -> NDArray[np.float64]:
    """Return weights of every row: the data themselves first, then the resamples of pupils."""
    number, names = pd.factorize(pupils)
    rng = np.random.default_rng(random_state)
    n = len(names)
    draws = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(N_RESAMPLES)]
    return np.vstack([np.ones(n), *draws]).astype(np.float64)[:, number]


def _measure(
    predictions: pd.DataFrame, ranker: str, capacity: int, weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the three metrics, and their resamples as an array of shape (3, n_resamples)."""
    found = places = positives = precision = np.zeros(len(weights))
    score = predictions[ranker].to_numpy(dtype=float)
    score = np.where(np.isnan(score), np.nanmin(score) - 1, score)  # not known ranks last
    outcome = predictions["label"].to_numpy(dtype=float)
    for rows in predictions.groupby("as_of", observed=True).indices.values():
        order = rows[np.argsort(-score[rows], kind="stable")]
        y, s, w = outcome[order], score[order], weights[:, order].astype(float)
        here = (w * y).sum(axis=1)
        share = w.sum(axis=1) / len(rows)
        found = found + _found(y, s, w, capacity * share)
        places = places + capacity * share
        positives = positives + here
        precision = precision + np.nan_to_num(_average_precision_sorted(y, s, w)) * here
    metrics = np.vstack(
        [
            np.divide(a, b, out=np.full(len(weights), np.nan), where=b > 0)
            for a, b in ((precision, positives), (found, places), (found, positives))
        ]
    )
    return metrics[:, 0], metrics[:, 1:]


def _found(
    outcome: NDArray[np.float64],
    score: NDArray[np.float64],
    weights: NDArray[np.float64],
    places: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Outcomes within the places of each weighting; ties across the line count in proportion."""
    last_of_tie = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    listed = np.cumsum(weights, axis=1)[:, last_of_tie]
    hits = np.cumsum(weights * outcome, axis=1)[:, last_of_tie]
    block = np.minimum((listed < places[:, None] - 1e-9).sum(axis=1), len(last_of_tie) - 1)
    every = np.arange(len(block))
    before = np.maximum(block - 1, 0)
    listed_before = np.where(block > 0, listed[every, before], 0.0)
    hits_before = np.where(block > 0, hits[every, before], 0.0)
    size = listed[every, block] - listed_before
    part = np.divide(places - listed_before, size, out=np.zeros(len(size)), where=size > 0)
    return np.asarray(hits_before + np.clip(part, 0, 1) * (hits[every, block] - hits_before))


def _difference(
    ours: tuple[NDArray[np.float64], NDArray[np.float64]],
    theirs: tuple[NDArray[np.float64], NDArray[np.float64]],
    name: str,
) -> dict[str, Any]:
    low, high = np.nanquantile(ours[1][0] - theirs[1][0], [0.025, 0.975])
    return {
        "ranker": name,
        "average_precision": ours[0][0] - theirs[0][0],
        "average_precision_low": low,
        "average_precision_high": high,
    }


def _mean_auc(predictions: pd.DataFrame, ranker: str) -> float:
    score = predictions[ranker].fillna(predictions[ranker].min() - 1)
    aucs = [
        roc_auc(predictions["label"].to_numpy()[rows], score.to_numpy()[rows])
        for rows in predictions.groupby("as_of", observed=True).indices.values()
    ]
    return float(np.nanmean(aucs))


def _counts(predictions: pd.DataFrame, capacity: int) -> dict[str, Any]:
    positive = predictions["label"] == 1
    return {
        "origins": int(predictions["as_of"].nunique()),
        "rows": len(predictions),
        "pupils": int(predictions["pupil_id"].nunique()),
        "positive_rows": int(positive.sum()),
        "positive_pupils": int(predictions["pupil_id"][positive].nunique()),
        "capacity": int(capacity),
        "prevalence": float(positive.mean()),
    }
