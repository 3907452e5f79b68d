"""A points score that is learned: at most eight lines that an officer can add up by hand.

In:  features and labels of the training rows, and their log-odds by a ridge.
Out: a table of lines: column, test, threshold, whole points.

With few outcomes, single lines chosen by the outcomes themselves are mostly luck. So the lines imitate
the tuned ridge: each is the test "at least" or "at most" that explains most of the ridge's risks that the
lines before it leave unexplained. Their log-odds are fitted together and rounded to whole points from 1
to 5, on the scale that loses least likelihood. Nothing is drawn by lot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from riskmodel.errors import HistoryError
from riskmodel.evaluation.baselines import meets_line
from riskmodel.training.feature_selection import choose_features, learn_transformation
from riskmodel.training.tuned_ridge import weighted_draw

__all__ = ["MOST_LINES", "learn_points"]

MOST_LINES, MOST_POINTS = 8, 5
"""Lines of a score, and points of a line, at most."""

N_FEATURES = 60
"""Features that a line may test, at most."""

LEARNED_FROM = 10_000
"""Rows without the outcome that a score is learned from, at most."""

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.98)
"""Shares of the rows below the thresholds of "at least"; for "at most", the shares above."""

FEWEST_HITS = 5
"""Rows with the outcome that meet a line, at least."""

SMALLEST_GAIN = 1.0
"""Score statistic that a further line needs; chosen."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class _Line(NamedTuple):
    """A test of one feature."""

    column: str
    test: str
    threshold: float


def learn_points(
    X: pd.DataFrame,
    y: ArrayLike,
    log_odds: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    directions: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Lines of a points score.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features that a line may test; missing values are nan, and meet no test.
    y : array-like of shape (n_rows,)
        0 or 1.
    log_odds : array-like of shape (n_rows,)
        Log-odds of each row by the ridge, of which the lines imitate the order; slope and level are
        fitted again to the labels.
    weight : array-like of shape (n_rows,), optional
        Rows of the cohort that each row represents; 1 each where left out.
    directions : mapping of str to int, optional
        Feature → 1 (only "at least" is tried), -1 (only "at most"), or 0 (both).

    Returns
    -------
    DataFrame of shape (n_lines, 4)
        ``column``, ``test`` (``at_least`` or ``at_most``), ``threshold`` (two significant digits) and
        ``points``, whole numbers of at least 1; most points first. No rows where nothing helps.

    Raises
    ------
    HistoryError
        If all rows have the same label.

    Examples
    --------
    >>> X = pd.DataFrame({"suspensions": [0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 0]})
    >>> line = learn_points(X, [0] * 8 + [1] * 7 + [0], [-1] * 8 + [1] * 7 + [-1]).iloc[0]
    >>> line["column"], line["test"], float(line["threshold"]), int(line["points"])
    ('suspensions', 'at_least', 2.0, 5)
    """
    outcome = np.asarray(y).astype(np.int64)
    if len(np.unique(outcome)) < 2:
        raise HistoryError(
            "The points score cannot be learned: all training rows have the same label."
        )
    rows, row_weight = weighted_draw(outcome, LEARNED_FROM, weight)
    drawn, label = X.iloc[rows], outcome[rows]
    lines = list(_candidates(_strongest(drawn, label), directions or {}))
    hits = np.array([meets_line(drawn[one.column], one.test, one.threshold) for one in lines])
    hits = hits.reshape(len(lines), len(rows))
    margin = np.asarray(log_odds, dtype=float)[rows]
    level, slope = _fit(margin[None, :] / max(1e-9, margin.std()), label.astype(float), row_weight)
    target = expit(level + slope * margin / max(1e-9, margin.std()))
    usable = hits[:, label == 1].sum(axis=1) >= FEWEST_HITS
    chosen, effects = _greedy(hits, usable, target, row_weight)
    none: Ints = np.zeros(0, dtype=np.int64)
    points = _whole(effects, hits[chosen], target, row_weight) if chosen else none
    table = pd.DataFrame([lines[one] for one in chosen], columns=list(_Line._fields))
    table["points"] = points
    return table.sort_values("points", ascending=False, kind="stable", ignore_index=True)


def _strongest(X: pd.DataFrame, outcome: Ints) -> pd.DataFrame:
    """Return the features that differ most for rows with the outcome."""
    values = X.to_numpy(dtype=np.float32)
    linear = learn_transformation(values, n_bags=1)
    return X.iloc[:, choose_features(linear, values, outcome, N_FEATURES)]


def _candidates(X: pd.DataFrame, directions: Mapping[str, int]) -> Iterable[_Line]:
    """Yield every test of every feature that some rows meet and others do not."""
    for name in map(str, X):
        values = X[name].dropna().to_numpy(dtype=float)
        if not len(values):
            continue
        for test, sign, furthest in (("at_least", 1, values.min()), ("at_most", -1, values.max())):
            if directions.get(name, 0) == -sign:
                continue
            cuts = sign * np.quantile(sign * values, QUANTILES, method="higher")
            # the lowest value above the furthest: "any at all", for a count that is mostly 0
            beyond = values[sign * values > sign * furthest]
            if len(beyond):
                cuts = np.append(cuts, sign * np.min(sign * beyond))
            rounded = {float(f"{cut:.2g}") for cut in cuts if sign * cut > sign * furthest}
            yield from (_Line(name, test, cut) for cut in sorted(rounded))


def _greedy(hits: Bools, usable: Bools, target: Floats, weight: Floats) -> tuple[list[int], Floats]:
    """Return the lines chosen one at a time, and their log-odds fitted together."""
    table, chosen, log_odds = hits.astype(np.float32), list[int](), np.zeros(0)
    risk = np.full(len(target), np.average(target, weights=weight))
    left = usable.copy()
    while len(chosen) < MOST_LINES and left.any():
        gain = np.where(left, _gain(table, target - risk, weight, risk), 0.0)
        best = int(np.argmax(gain))
        if gain[best] < SMALLEST_GAIN:
            break
        fitted = _fit(hits[[*chosen, best]], target, weight)
        left[best] = False
        if (fitted[1:] > 0).all():
            chosen, log_odds = [*chosen, best], fitted[1:]
            risk = expit(fitted[0] + log_odds @ hits[chosen])
    return chosen, log_odds


def _gain(table: NDArray[np.float32], left: Floats, weight: Floats, risk: Floats) -> Floats:
    """Return the score statistic of each line that would raise the risk of those who meet it; else 0."""
    both = np.column_stack([weight * left, weight * risk * (1 - risk)]).astype(np.float32)
    slope, information = (table @ both).T.astype(np.float64)
    return np.where(slope > 0, slope**2 / np.maximum(information, 1e-12), 0.0)


def _fit(columns: NDArray[Any], target: Floats, weight: Floats) -> Floats:
    """Return the intercept and the log-odds of each column, fitted to risks between 0 and 1."""
    twice = np.tile(columns.astype(float), 2).T  # each row once with the outcome, once without
    both = np.concatenate([weight * target, weight * (1 - target)])
    answer = np.repeat([1, 0], len(target))
    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-6, max_iter=100)
    model.fit(twice, answer, sample_weight=both)
    return np.append(model.intercept_, model.coef_[0])


def _whole(log_odds: Floats, hits: Bools, target: Floats, weight: Floats) -> Ints:
    """Return the log-odds as whole points, on the scale that loses least likelihood."""
    best, least = np.ones(len(log_odds), dtype=np.int64), np.inf
    for most in range(1, MOST_POINTS + 1):
        points = np.maximum(1, np.rint(most * log_odds / log_odds.max())).astype(np.int64)
        total = points @ hits
        intercept, slope = _fit(total[None, :], target, weight)
        margin = intercept + slope * total
        loss = float(weight @ (np.logaddexp(0, margin) - target * margin))
        if loss < least - 1e-9:
            best, least = points, loss
    return best
