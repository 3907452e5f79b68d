"""The tuned ridge: the logistic regression that a model has to beat.

In:  features and labels of the training rows, their pupils and days.
Out: :class:`TunedRidge`, which gives the log-odds of any rows.

A rival must be as good as it can be made. So the features enter in the recipe's own form
(:mod:`riskmodel.training.feature_selection`), and the penalty is chosen inside the training rows: by the
average precision on pupils, and where there are outcomes enough on days, that were not learned from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from riskmodel.errors import HistoryError
from riskmodel.training.ensemble import Linear
from riskmodel.training.feature_selection import choose_features, learn_transformation
from riskmodel.training.folds import PUPIL_PARTS, deal_pupils

__all__ = ["PENALTIES", "TunedRidge", "fit_tuned_ridge", "weighted_draw"]

PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
"""Inverse strengths of the penalty that are tried (``C`` of scikit-learn), the strongest first."""

N_FEATURES = 120
"""Features used, at most; as many as the recipe uses."""

LEARNED_FROM, CHOSEN_ON = 30_000, 5_000
"""Rows without the outcome that the regression and the choice of its penalty use, at most."""

FEWEST_LATE = 10
"""Rows with the outcome, before and after a day, from which the penalty is chosen out of time."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class TunedRidge:
    """A fitted ridge logistic regression.

    Attributes
    ----------
    penalty : float
        Inverse strength of the penalty that was chosen.
    chosen : int array of shape (n_chosen,)
        Columns of the features that are used.
    linear : Linear
        Transformation of these features.
    missed : int array of shape (n_missed,)
        Which of these features some training rows lack and others have.
    coefficient : float array of shape (n_regressors + 1,)
        Log-odds of each transformed feature, and of each of ``missed`` for being missing; the intercept.
    """

    penalty: float
    chosen: Ints
    linear: Linear
    missed: Ints
    coefficient: Floats

    def log_odds(self, X: pd.DataFrame) -> Floats:
        """Log-odds of rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            The features that it was fitted to, in the same order.

        Returns
        -------
        float array of shape (n_rows,)
            Higher is more at risk.
        """
        values = X.to_numpy(dtype=np.float32)[:, self.chosen]
        return _log_odds(self._columns(values), self.coefficient)

    def refitted(
        self, X: pd.DataFrame, y: ArrayLike, penalty: float, *, weight: ArrayLike | None = None
    ) -> TunedRidge:
        """Fit to the same rows again with another penalty; features and transformation stay.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            The rows that it was fitted to.
        y : array-like of shape (n_rows,)
            0 or 1.
        penalty : float
            Inverse strength of the penalty.
        weight : array-like of shape (n_rows,), optional
            As for :func:`fit_tuned_ridge`.

        Returns
        -------
        TunedRidge
            What :func:`fit_tuned_ridge` gives where this penalty is the only one.
        """
        values, outcome = X.to_numpy(dtype=np.float32), np.asarray(y).astype(np.int64)
        with threadpool_limits(1, user_api="blas"):  # small matrices: more threads only wait
            rows, drawn_weight = weighted_draw(outcome, LEARNED_FROM, weight)
            columns = self._columns(values[rows][:, self.chosen])
            coefficient = next(_path(columns, outcome[rows], drawn_weight, (penalty,)))
        return replace(self, penalty=penalty, coefficient=coefficient)

    def _columns(self, values: NDArray[np.float32]) -> Floats:
        """Return transformed features, then who lacks which: a rival may use what the recipe may not."""
        return np.hstack([self.linear.transform(values), np.isnan(values[:, self.missed])])


def fit_tuned_ridge(
    X: pd.DataFrame,
    y: ArrayLike,
    *,
    pupils: ArrayLike | None = None,
    days: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    penalties: Sequence[float] = PENALTIES,
) -> TunedRidge:
    """Ridge logistic regression with a penalty that is chosen inside these rows.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features; missing values are nan.
    y : array-like of shape (n_rows,)
        0 or 1.
    pupils : array-like of shape (n_rows,), optional
        Pupil of each row; every row a pupil of its own where left out.
    days : array-like of shape (n_rows,), optional
        Day of each row; one day where left out.
    weight : array-like of shape (n_rows,), optional
        Rows of the cohort that each row represents; 1 each where left out.
    penalties : sequence of float
        Inverse strengths of the penalty to choose from, the strongest first.

    Returns
    -------
    TunedRidge
        Fitted to all rows with the outcome and to at most :data:`LEARNED_FROM` without it, drawn by a
        fixed seed and weighted up.

    Raises
    ------
    HistoryError
        If all rows have the same label.

    Examples
    --------
    >>> X = pd.DataFrame({"absence": np.linspace(0, 1, 40)})
    >>> low, high = fit_tuned_ridge(X, np.repeat([0, 1], 20)).log_odds(X.iloc[[0, 39]])
    >>> bool(low < high)
    True
    """
    outcome = np.asarray(y).astype(np.int64)
    if len(np.unique(outcome)) < 2:
        raise HistoryError(
            "The tuned ridge cannot be fitted: all training rows have the same label."
        )
    values = X.to_numpy(dtype=np.float32)
    everything = learn_transformation(values, n_bags=1)
    chosen = choose_features(everything, values, outcome, N_FEATURES)
    unfitted = TunedRidge(
        penalty=penalties[0],
        chosen=chosen,
        linear=everything.take(chosen),
        missed=_missed(values[:, chosen]),
        coefficient=np.zeros(0),
    )
    with threadpool_limits(1, user_api="blas"):
        rows, drawn_weight = weighted_draw(outcome, CHOSEN_ON, weight)
        penalty = _chosen_penalty(
            unfitted._columns(values[rows][:, chosen]),
            outcome[rows],
            drawn_weight,
            owners=rows if pupils is None else np.asarray(pupils)[rows],
            days=None if days is None else np.asarray(days)[rows],
            penalties=penalties,
        )
    return unfitted.refitted(X, outcome, penalty, weight=weight)


def _missed(values: NDArray[np.float32]) -> Ints:
    """Return the columns that some rows lack and others have; no other separates rows."""
    lacks = np.isnan(values)
    return np.flatnonzero(lacks.any(axis=0) & ~lacks.all(axis=0))


def weighted_draw(
    outcome: Ints, n_without: int, weight: ArrayLike | None = None
) -> tuple[Ints, Floats]:
    """Return all rows with the outcome and a draw of the others, with the rows that each represents.

    Parameters
    ----------
    outcome : int array of shape (n_rows,)
        0 or 1.
    n_without : int
        Rows without the outcome, at most.
    weight : array-like of shape (n_rows,), optional
        Rows that each row represents already; 1 each where left out.

    Returns
    -------
    rows : int array of shape (n_drawn,)
        Ascending; drawn by a fixed seed.
    weight : float array of shape (n_drawn,)
        Rows that each represents.

    Examples
    --------
    >>> rows, weight = weighted_draw(np.array([1, 0, 0, 0, 0]), 2)
    >>> len(rows), weight.tolist()
    (3, [1.0, 2.0, 2.0])
    """
    usual = np.ones(len(outcome)) if weight is None else np.asarray(weight, dtype=float)
    without = np.flatnonzero(outcome == 0)
    drawn = np.random.default_rng(0).permutation(without)[:n_without]
    rows = np.sort(np.concatenate([np.flatnonzero(outcome == 1), drawn]))
    times = usual[without].sum() / max(1e-12, usual[drawn].sum())
    return rows, np.where(outcome[rows] == 1, usual[rows], usual[rows] * times)


def _chosen_penalty(
    columns: Floats,
    outcome: Ints,
    weight: Floats,
    *,
    owners: NDArray[np.generic],
    days: NDArray[np.generic] | None,
    penalties: Sequence[float],
) -> float:
    """Return the penalty with the best average precision on rows that were not learned from."""
    if len(penalties) == 1:
        return penalties[0]
    pupil = pd.factorize(owners)[0]
    part = deal_pupils(np.bincount(pupil, weights=outcome) > 0)[pupil]
    is_late = _late(outcome, days)
    scores = np.full((len(penalties), len(outcome)), np.nan)
    for number in range(PUPIL_PARTS):
        learn, test = part != number, part == number
        if is_late.any():
            learn, test = learn & ~is_late, test & is_late
        if len(np.unique(outcome[learn])) < 2:
            continue
        path = _path(columns[learn], outcome[learn], weight[learn], penalties)
        scores[:, test] = [_log_odds(columns[test], one) for one in path]
    return _best_penalty(scores, outcome, weight, penalties)


def _late(outcome: Ints, days: NDArray[np.generic] | None) -> Bools:
    """Mark the later days, which hold half of the outcomes; none where there are too few outcomes."""
    nothing = np.zeros(len(outcome), dtype=bool)
    if days is None:
        return nothing
    of_outcomes = np.sort(days[outcome == 1])
    is_late = days >= of_outcomes[len(of_outcomes) // 2]
    with_outcome = is_late[outcome == 1]
    enough = min(with_outcome.sum(), (~with_outcome).sum()) >= FEWEST_LATE
    return np.asarray(is_late) if enough else nothing


def _best_penalty(
    scores: Floats, outcome: Ints, weight: Floats, penalties: Sequence[float]
) -> float:
    """Return the penalty whose scores order best; the middle one where no outcome was scored."""
    scored = ~np.isnan(scores[0])
    if not outcome[scored].any():
        return penalties[len(penalties) // 2]
    precision = [
        average_precision_score(outcome[scored], one[scored], sample_weight=weight[scored])
        for one in scores
    ]
    return penalties[int(np.argmax(precision))]


def _path(
    columns: Floats, outcome: Ints, weight: Floats, penalties: Sequence[float]
) -> Iterator[Floats]:
    """Yield coefficients and intercept for each penalty, each fit begun where the last one ended."""
    model = LogisticRegression(solver="newton-cholesky", warm_start=True, tol=1e-3, max_iter=200)
    for penalty in penalties:
        model.set_params(C=penalty).fit(columns, outcome, sample_weight=weight)
        yield np.append(model.coef_[0], model.intercept_[0])


def _log_odds(columns: Floats, coefficient: Floats) -> Floats:
    return np.asarray(columns @ coefficient[:-1] + coefficient[-1])
