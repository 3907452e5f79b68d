"""What a model is trained on: the spine, its labels as known on a day, its features.

In:  tables, an outcome, the day to stand on.
Out: :class:`Sample`; for simulated data, the true risk of every row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import Tables
from riskmodel.errors import DataError, HistoryError
from riskmodel.evaluation import roc_auc
from riskmodel.features import build
from riskmodel.outcomes import horizon_end, label, related
from riskmodel.training.folds import MINIMUM_POSITIVE_PUPILS

__all__ = ["Sample", "make_sample", "refuse_leaks", "true_risks"]

logger = logging.getLogger(__name__)

LEAK_AUC = 0.998
"""ROC AUC of a single feature from which it is taken for a leak; chosen."""

COMPARED = 20_000
"""Rows without the outcome that a feature is compared on, about."""


@dataclass(frozen=True)
class Sample:
    """The labelled rows, their features and how to label them on an earlier day.

    Attributes
    ----------
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of`` and more.
    labels : DataFrame of shape (n_rows, ...)
        ``label`` (1, 0 or nan) and ``status``.
    X : DataFrame of shape (n_rows, n_features)
        Features known at ``as_of``.
    label_at, related_at : callable
        Day → label of every row as known that day, and the related outcome, if there is one.
    """

    spine: pd.DataFrame
    labels: pd.DataFrame
    X: pd.DataFrame
    label_at: Callable[[pd.Timestamp], NDArray[np.float64]]
    related_at: Callable[[pd.Timestamp], NDArray[np.int64] | None]


def make_sample(tables: Tables, outcome: str, today: pd.Timestamp) -> Sample:
    """Build the spine of every snapshot whose horizon has ended, its labels and features.

    Parameters
    ----------
    tables : Tables
        The facts.
    outcome : str
        Outcome.
    today : Timestamp
        The day to stand on.

    Returns
    -------
    Sample
        Features that do not vary are left out.

    Raises
    ------
    HistoryError
        If no horizon has ended, or too few pupils had the outcome.
    """
    spine = build_spine(tables, snapshots(tables, outcome, before=today), outcome)
    ended = (horizon_end(spine, outcome) <= today).to_numpy()
    spine = spine[ended].reset_index(drop=True)
    if spine.empty:
        raise HistoryError(
            f"No list made before {today:%Y-%m-%d} has an outcome horizon that ended by then, so "
            f"there is nothing to train {outcome} on. Stand on a later day or add earlier years."
        )
    labels = label(tables, spine, outcome, known_by=today)
    positives = spine["pupil_id"][labels["label"].to_numpy() == 1].nunique()
    if positives < MINIMUM_POSITIVE_PUPILS:
        raise HistoryError(
            f"Only {positives} pupils had the outcome {outcome} with a horizon that ended by "
            f"{today:%Y-%m-%d}; at least {MINIMUM_POSITIVE_PUPILS} are needed. Stand on a later day "
            "or add earlier years."
        )
    logger.info("Building features for %d pupil snapshots", len(spine))
    if not (labels["label"] == 0).any():
        raise HistoryError(
            f"Every labelled pupil had the outcome {outcome}: there is nobody to compare them with. "
            "Check that the extracts hold all pupils, not only those of concern."
        )
    X = build(tables, spine)
    first = X.iloc[0]
    varies = (X.ne(first) & ~(X.isna() & first.isna())).any()
    refuse_leaks(X, labels["label"].to_numpy(dtype=float))

    def label_at(day: pd.Timestamp) -> NDArray[np.float64]:
        return label(tables, spine, outcome, known_by=day)["label"].to_numpy(dtype=float)

    def related_at(day: pd.Timestamp) -> NDArray[np.int64] | None:
        return related(tables, spine, outcome, known_by=day)

    return Sample(spine, labels, X.loc[:, varies], label_at, related_at)


def refuse_leaks(X: pd.DataFrame, outcome: NDArray[np.float64]) -> None:
    """Refuse a feature that all but tells the outcome: it must have been recorded afterwards.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features.
    outcome : float array of shape (n_rows,)
        0, 1 or nan.

    Raises
    ------
    DataError
        Leak alarm: names the feature. Nothing known before orders pupils this well.
    """
    with_outcome, others = (np.flatnonzero(outcome == value) for value in (1, 0))
    rows = np.concatenate([with_outcome, others[:: max(1, len(others) // COMPARED)]])
    for name in X:
        value = X[name].to_numpy()[rows].astype(float)
        auc = roc_auc(
            outcome[rows], np.where(np.isnan(value), np.nanmin(value, initial=0) - 1, value)
        )
        if max(auc, 1 - auc) >= LEAK_AUC:
            raise DataError(
                f"Leak alarm: '{name}' alone tells who had the outcome (ROC AUC {max(auc, 1 - auc):.4f}). "
                "No fact from before the list can do that: check when its source was recorded "
                "(recorded_on), correct the extract and train again."
            )


def true_risks(source: str | Path, outcome: str, spine: pd.DataFrame) -> NDArray[np.float64] | None:
    """Return the simulator's true risk of every row, where the data are simulated.

    Parameters
    ----------
    source : str or Path
        Extracts, with ``truth/true_risk.parquet`` beside them where simulated.
    outcome : str
        Outcome.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.

    Returns
    -------
    float array of shape (n_rows,), or None
        None for data that are not simulated; nan where the simulator gave no risk.
    """
    path = Path(source) / "truth" / "true_risk.parquet"
    if not path.is_file():
        return None
    truth = pd.read_parquet(path)
    truth = truth[truth["outcome"] == outcome]
    if truth.empty:
        return np.full(len(spine), np.nan)
    keys = pd.MultiIndex.from_arrays([truth["pupil_id"].astype("str"), truth["as_of"]])
    wanted = pd.MultiIndex.from_arrays([spine["pupil_id"].astype("str"), spine["as_of"]])
    return pd.Series(truth["risk"].to_numpy(), index=keys).reindex(wanted).to_numpy(dtype=float)
