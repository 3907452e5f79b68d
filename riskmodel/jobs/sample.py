"""What a model is trained on: the spine, its labels as known on a day, its features.

In:  tables, an outcome, a day.
Out: :class:`Sample` with its folds; for simulated data, the true risk of every row.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import Tables
from riskmodel.data.arrays import pupils_of
from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import DataError, HistoryError, RequestError
from riskmodel.evaluation.metrics import auc_of_ranks, ranks_of
from riskmodel.evaluation.staying import probability_of_staying
from riskmodel.features import build
from riskmodel.labels import count_status, horizon_end, label, related
from riskmodel.lost import lost_to
from riskmodel.training.folds import (
    MINIMUM_POSITIVE_PUPILS,
    Fold,
    pupil_folds,
    rolling_folds,
    subsampled,
)

__all__ = ["Sample", "make_sample", "places_of_lists", "refuse_leaks", "true_risks"]

logger = logging.getLogger(__name__)

LEAK_AUC = 0.998
"""ROC AUC of a single feature from which it is taken for a leak; chosen."""

COMPARED = 20_000
"""Rows without the outcome that a feature is compared on, about."""


ROWS_DRAWN = 60_000
"""Rows, of pupils with the outcome or not, that are learned from besides those of pupils with it."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The rows that are learned from or tested, their labels and features.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of`` and more; ``share_of_list`` of the day's pupils have a horizon that ended.
    labels : DataFrame of shape (n_rows, ...)
        ``label`` (1, 0 or nan), ``status`` and ``event_on``; ``lost_to`` (where a pupil went whose outcome
        is not known). Of tested rows ``stays``: the probability to be followed until the outcome came.
    X : DataFrame of shape (n_rows, n_features)
        Features known at ``as_of``.
    folds : list of Fold
        What each tested list may learn from; rows of this sample.
    is_out_of_time : bool
        Whether the tested lists are later than what is learned from.
    final : Fold
        What the model that is kept learns from; it tests nothing.
    is_drawn : bool array of shape (n_rows,)
        An even sample of all labelled rows, which represents them.
    statuses : DataFrame
        From :func:`riskmodel.labels.count_status`, of all rows, kept or not.
    """

    outcome: str
    spine: pd.DataFrame
    labels: pd.DataFrame
    X: pd.DataFrame
    folds: list[Fold]
    is_out_of_time: bool
    final: Fold
    is_drawn: NDArray[np.bool_]
    statuses: pd.DataFrame


def make_sample(
    tables: Tables,
    outcome: str,
    today: pd.Timestamp,
    *,
    n_origins: int,
    origins: Collection[pd.Timestamp] | None = None,
) -> Sample:
    """Label every snapshot whose horizon has ended, choose rows, build their features.

    Parameters
    ----------
    tables : Tables
        The facts.
    outcome : str
        Outcome.
    today : Timestamp
        The day of the training: labels are those known by then.
    n_origins : int
        Lists to be tested, at most.
    origins : collection of Timestamp, optional
        The only days whose lists may be tested; any where left out.

    Returns
    -------
    Sample
        All rows of the tested lists, also of pupils who left before their outcome was known, all of
        pupils with the outcome, and of the others an even sample:
        features take most of the time, and a bag draws only some of them. Features that do not vary
        are left out.

    Raises
    ------
    HistoryError
        If no horizon has ended, or too few pupils had the outcome.
    DataError
        If a feature alone gives the outcome away (:func:`refuse_leaks`).
    """
    spine, labels = _labelled(tables, outcome, today)
    label_then = labels["label"].to_numpy(dtype=float)

    @cache
    def labels_at(day: pd.Timestamp) -> pd.DataFrame:
        return label(tables, spine, outcome, known_by=day)

    def label_at(day: pd.Timestamp) -> NDArray[np.float64]:
        return labels_at(day)["label"].to_numpy(dtype=float)

    tested = rolling_folds(spine, label_at, known_by=today, n_origins=n_origins, origins=origins)
    tests = tested or pupil_folds(spine, label_then)
    labels["lost_to"] = lost_to(tables, spine, labels, outcome, known_by=today)
    labels["stays"] = np.nan
    for fold in tests:
        then = labels_at(fold.origin) if tested else _of_others(labels, spine["pupil_id"], fold)
        labels.loc[fold.test, "stays"] = _staying(spine["year_group"], then, labels, fold)
    whole = [*tests, _everything(label_then, today)]
    drawn = _draw(~np.isnan(label_then))
    folds = [subsampled(fold, pupils_of(spine), drawn) for fold in whole]
    rows = _rows_used(folds, drawn)
    kept = spine.iloc[rows].reset_index(drop=True)
    logger.info("Building features for %d of %d pupil snapshots", len(rows), len(spine))
    X = build(tables, kept)
    refuse_leaks(X, label_then[rows])
    days = [fold.origin if tested else today for fold in folds]
    related_on = {day: related(tables, kept, outcome, known_by=day) for day in set(days)}
    *folds, final = [
        _with_related(_renumbered(fold, rows), related_on[day])
        for fold, day in zip(folds, days, strict=True)
    ]
    return Sample(
        outcome=outcome,
        spine=kept,
        labels=labels.iloc[rows].reset_index(drop=True),
        X=X.loc[:, _varies(X)],
        folds=folds,
        is_out_of_time=bool(tested),
        final=final,
        is_drawn=drawn[rows],
        statuses=count_status(labels),
    )


def places_of_lists(sample: Sample, asked: int | None) -> int:
    """Return the places on a whole list: as asked for, or the outcome's usual share of the cohort.

    Parameters
    ----------
    sample : Sample
        With the tested lists.
    asked : int or None
        Places that were asked for.

    Returns
    -------
    int
        Places.

    Raises
    ------
    RequestError
        If more are asked for than a list has pupils.
    """
    sizes = [
        len(fold.test) / sample.spine["share_of_list"].iloc[fold.test].mean()
        for fold in sample.folds
        if len(fold.test)
    ]
    n_cohort = round(max(sizes) if sample.is_out_of_time else sum(sizes))
    if asked is None:
        return outcome_of(sample.outcome).usual_capacity(n_cohort)
    if asked > n_cohort:
        raise RequestError(
            f"The capacity must be between 1 and the {n_cohort} pupils of a list; got {asked}. "
            "Choose the number of pupils the service can see."
        )
    return asked


def _of_others(labels: pd.DataFrame, pupils: pd.Series, fold: Fold) -> pd.DataFrame:
    """Return the labels of pupils whom a fold does not test."""
    return labels[~pupils.isin(pupils.iloc[fold.test]).to_numpy()]


def _staying(
    year_group: pd.Series, then: pd.DataFrame, labels: pd.DataFrame, fold: Fold
) -> NDArray[np.float64]:
    """Return how likely each tested pupil was to be followed until the outcome.

    Learned from the labels as they were known then: of rows whose horizon had ended.
    """
    past, tested = then[(then["status"] != "not_yet").to_numpy()], labels.iloc[fold.test]
    horizon = tested["horizon_end"] - fold.origin
    passed = (tested["event_on"] - fold.origin) / horizon
    return probability_of_staying(
        year_group[past.index],
        past["label"].isna(),
        year_group.iloc[fold.test],
        passed.fillna(1.0).clip(0, 1),
    )


def _rows_used(folds: list[Fold], drawn: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows that any fold learns from or tests, and those drawn, ascending."""
    parts = [part for fold in folds for part in (fold.train, fold.test)]
    return np.unique(np.concatenate([np.flatnonzero(drawn), *parts]))


def _labelled(
    tables: Tables, outcome: str, today: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every row whose horizon has ended, with its label; refuse what nothing can be learned from."""
    spine = build_spine(tables, snapshots(tables, outcome, before=today), outcome)
    ended = horizon_end(spine, outcome) <= today
    spine["share_of_list"] = ended.groupby(spine["as_of"]).transform("mean")
    spine = spine[ended.to_numpy()].reset_index(drop=True)
    if spine.empty:
        raise HistoryError(
            f"No list made before {today:%Y-%m-%d} has an outcome horizon that ended by then, so "
            f"there is nothing to train {outcome} on. Choose a later day or add earlier years."
        )
    labels = label(tables, spine, outcome, known_by=today)
    _refuse_one_sided(spine, labels, outcome, today)
    return spine, labels


def _refuse_one_sided(
    spine: pd.DataFrame, labels: pd.DataFrame, outcome: str, today: pd.Timestamp
) -> None:
    """Refuse labels with too few pupils who had the outcome, or with nobody who had it not."""
    positives = spine["pupil_id"][labels["label"].to_numpy() == 1].nunique()
    if positives < MINIMUM_POSITIVE_PUPILS:
        raise HistoryError(
            f"Only {positives} pupils had the outcome {outcome} with a horizon that ended by "
            f"{today:%Y-%m-%d}; at least {MINIMUM_POSITIVE_PUPILS} are needed. Choose a later day "
            "or add earlier years."
        )
    if not (labels["label"] == 0).any():
        raise HistoryError(
            f"Every labelled pupil had the outcome {outcome}: there is nobody to compare them with. "
            "Check that the extracts hold all pupils, not only those of concern."
        )


def _draw(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Draw at most :data:`ROWS_DRAWN` rows evenly; the spine is sorted, so the same facts give the same."""
    candidates = np.flatnonzero(known)
    chosen = np.random.default_rng(0).permutation(candidates)[:ROWS_DRAWN]
    drawn = np.zeros(len(known), dtype=bool)
    drawn[chosen] = True
    return drawn


def _everything(outcome: NDArray[np.float64], today: pd.Timestamp) -> Fold:
    """Return the fold that learns from every labelled row."""
    rows, nothing = np.flatnonzero(~np.isnan(outcome)), np.array([], dtype=np.int64)
    return Fold(
        origin=today,
        train=rows,
        test=nothing,
        train_label=outcome[rows],
        test_label=nothing.astype(float),
    )


def _renumbered(fold: Fold, rows: NDArray[np.int64]) -> Fold:
    """Give the rows of a fold the numbers that they have among those that are kept."""
    return replace(
        fold,
        train=np.searchsorted(rows, fold.train),
        test=np.searchsorted(rows, fold.test),
        known=None if fold.known is None else fold.known[rows],
    )


def _with_related(fold: Fold, outcome: NDArray[np.int64] | None) -> Fold:
    return fold if outcome is None else replace(fold, train_related=outcome[fold.train])


def _varies(X: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the features that have more than one value, missing counted as one."""
    values = X.to_numpy()
    first = values[0]
    return np.asarray(~((values == first) | (np.isnan(values) & np.isnan(first))).all(axis=0))


def refuse_leaks(X: pd.DataFrame, outcome: NDArray[np.float64]) -> None:
    """Refuse a feature that all but gives the outcome away: it must have been recorded afterwards.

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

    Examples
    --------
    >>> X = pd.DataFrame({"absence": [0.1, 0.4, 0.2, 0.3], "excluded_later": [0, 1, 0, 1]})
    >>> refuse_leaks(X[["absence"]], np.array([0.0, 1.0, 1.0, 0.0]))
    >>> refuse_leaks(X, np.array([0.0, 1.0, 0.0, 1.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    riskmodel.errors.DataError: Leak alarm: 'absence' alone shows who had the outcome ...
    """
    with_outcome, others = (np.flatnonzero(outcome == value) for value in (1, 0))
    rows = np.concatenate([with_outcome, others[:: max(1, len(others) // COMPARED)]])
    auc = auc_of_ranks(ranks_of(X.iloc[rows].to_numpy(dtype=float)), outcome[rows] == 1)
    either_way = np.maximum(auc, 1 - auc)
    for name, strength in zip(X, either_way, strict=True):
        if strength >= LEAK_AUC:
            raise DataError(
                f"Leak alarm: '{name}' alone shows who had the outcome (ROC AUC {strength:.4f}). "
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
