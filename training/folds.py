"""Rolling origins: train on what was known then, test on what came after.

In:  the spine and what each row's label was at any day.
Out: folds with a full horizon between training and test.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "MINIMUM_POSITIVE_PUPILS",
    "Fold",
    "deal_pupils",
    "pupil_folds",
    "rolling_folds",
    "rows_to_learn_from",
    "subsampled",
]

MINIMUM_POSITIVE_PUPILS = 8
"""Fewest pupils with the outcome from whom a model is fitted."""

MONTHS_APART = 4
"""Least distance of two origins."""

PUPIL_PARTS = 5
"""Parts into which pupils are dealt where history is too short to test over time."""


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One origin.

    Attributes
    ----------
    origin : Timestamp
        The day of the list that is tested. The model is trained on labels whose horizon had ended by
        then, as they were known that day.
    train, test : int arrays of shape (n_train,), (n_test,)
        Rows of the spine.
    train_label, test_label : float arrays of shape (n_train,), (n_test,)
        0 or 1; the test label as known at the end, missing for pupils who left before it was known.
        They were in the cohort of the day, so they are ranked and hold places.
    train_related : int array of shape (n_train,), optional
        A frequent related outcome of the training rows, as known at the origin.
    train_weight : float array of shape (n_train,), optional
        Rows of the cohort that each training row represents; 1 each where left out.
    known : float array of shape (n_rows,), optional
        The label of every row of the spine as known at the origin: 0, 1, or nan where not known then.
    """

    origin: pd.Timestamp
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    train_label: NDArray[np.float64]
    test_label: NDArray[np.float64]
    train_related: NDArray[np.int64] | None = None
    train_weight: NDArray[np.float64] | None = None
    known: NDArray[np.float64] | None = None

    @property
    def tests_an_outcome(self) -> bool:
        """Whether anybody on the tested list had the outcome."""
        return bool((self.test_label == 1).any())


def rolling_folds(
    spine: pd.DataFrame,
    label_at: Callable[[pd.Timestamp], NDArray[np.float64]],
    *,
    known_by: pd.Timestamp,
    n_origins: int,
    origins: Collection[pd.Timestamp] | None = None,
) -> list[Fold]:
    """Return the latest folds that have enough outcomes to train on.

    Parameters
    ----------
    spine : DataFrame
        ``pupil_id``, ``as_of``; rows whose horizon has ended.
    label_at : callable
        Day → label of every spine row as known that day (0, 1 or nan).
    known_by : Timestamp
        The day on which the last test labels are read.
    n_origins : int
        Most folds wanted.
    origins : collection of Timestamp, optional
        The only days that may be origins; any where left out.

    Returns
    -------
    list of Fold
        Oldest first; empty where history is too short.
    """
    final = label_at(known_by)
    as_of = spine["as_of"]
    candidates = pd.DatetimeIndex(as_of[~np.isnan(final)].unique()).sort_values(ascending=False)
    if origins is not None:
        candidates = candidates[candidates.isin(list(origins))]
    folds: list[Fold] = []
    for origin in candidates:
        if folds and origin > folds[-1].origin - pd.DateOffset(months=MONTHS_APART):
            continue
        then = np.where((as_of < origin).to_numpy(), label_at(origin), np.nan)
        if not _can_learn(spine["pupil_id"], then):
            continue
        train = np.flatnonzero(~np.isnan(then))
        test = np.flatnonzero((as_of == origin).to_numpy())
        folds.append(_fold(origin, train, test, then, final))
        if len(folds) == n_origins:
            break
    # a list on which nobody had the outcome counts, its places were used; one at least must have some
    return folds[::-1] if any(fold.tests_an_outcome for fold in folds) else []


def _can_learn(pupils: pd.Series, label: NDArray[np.float64]) -> bool:
    """Return whether enough pupils had the outcome, and anybody had not."""
    positive = pupils[label == 1].nunique()
    return bool(positive >= MINIMUM_POSITIVE_PUPILS and (label == 0).any())


def _fold(
    origin: pd.Timestamp,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    then: NDArray[np.float64],
    final: NDArray[np.float64],
) -> Fold:
    """Return a fold that learns from labels as they were known then, and is tested on the final ones."""
    return Fold(
        origin=origin,
        train=train,
        test=test,
        train_label=then[train],
        test_label=final[test],
        known=then,
    )


def pupil_folds(spine: pd.DataFrame, label: NDArray[np.float64]) -> list[Fold]:
    """Return folds over pupils at the latest day, for a history too short to test over time.

    Parameters
    ----------
    spine : DataFrame
        ``pupil_id``, ``as_of``.
    label : float array of shape (n_rows,)
        0, 1 or nan.

    Returns
    -------
    list of Fold
        Each tests the pupils of one part on the latest labelled day, trained on all others.
    """
    known = ~np.isnan(label)
    pupil = spine["pupil_id"].cat.codes.to_numpy()
    part = deal_pupils(
        np.bincount(pupil[known], weights=label[known], minlength=int(pupil.max()) + 1) > 0
    )
    latest = spine["as_of"][known].max()
    is_test_day = (spine["as_of"] == latest).to_numpy()
    folds = []
    for number in range(PUPIL_PARTS):
        inside = part[pupil] == number
        train, test = np.flatnonzero(known & ~inside), np.flatnonzero(is_test_day & inside)
        folds.append(_fold(latest, train, test, label, label))
    return folds


def deal_pupils(ever: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Deal pupils out to parts: those with the outcome, and the others, evenly.

    Parameters
    ----------
    ever : bool array of shape (n_pupils,)
        Whether the pupil ever had the outcome.

    Returns
    -------
    int array of shape (n_pupils,)
        The part of each pupil, the same at every call.

    Examples
    --------
    >>> parts = deal_pupils(np.arange(20) < 10)
    >>> np.bincount(parts[:10]).max() - np.bincount(parts[:10]).min()
    np.int64(0)
    """
    part = np.empty(len(ever), dtype=np.int64)
    for value in (False, True):
        members = np.flatnonzero(ever == value)
        part[members] = np.random.default_rng(0).permutation(len(members)) % PUPIL_PARTS
    return part


def rows_to_learn_from(
    label: NDArray[np.float64], pupil: NDArray[np.int64], drawn: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all rows of pupils who had the outcome, and of the others those that were drawn.

    Parameters
    ----------
    label : float array of shape (n_rows,)
        0, 1, or nan where not known at the time.
    pupil : int array of shape (n_rows,)
        Number of each row's pupil.
    drawn : bool array of shape (n_rows,)
        Whether the row is in a sample drawn evenly, whatever its label.

    Returns
    -------
    rows : int array of shape (n_learned,)
        Ascending.
    weight : float array of shape (n_learned,)
        Rows that each represents: 1 for pupils who had the outcome.

    Notes
    -----
    Who had the outcome is asked of ``label`` alone, so that a fold does not see more of those who had
    it later.
    """
    known = ~np.isnan(label)
    is_case = np.isin(pupil, pupil[label == 1])
    rows = np.flatnonzero(known & (is_case | drawn))
    others = known & ~is_case
    share = (others & drawn).sum() / max(1, others.sum())
    return rows, np.where(is_case[rows], 1.0, 1.0 / share if share else 1.0)


def subsampled(fold: Fold, pupil: NDArray[np.int64], drawn: NDArray[np.bool_]) -> Fold:
    """Return a fold that learns from :func:`rows_to_learn_from` and tests the same rows.

    Parameters
    ----------
    fold : Fold
        Whole.
    pupil : int array of shape (n_rows,)
        Number of each row's pupil.
    drawn : bool array of shape (n_rows,)
        An even sample of all rows.

    Returns
    -------
    Fold
        With weights.
    """
    kept, weight = rows_to_learn_from(fold.train_label, pupil[fold.train], drawn[fold.train])
    return replace(
        fold,
        train=fold.train[kept],
        train_label=fold.train_label[kept],
        train_weight=weight,
    )
