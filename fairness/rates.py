"""Figures of each group beside those of all others, with intervals that resample pupils.

In:  the pupil and the group of each row; counts, risks or scores.
Out: one row per group and measure, ready for :func:`riskmodel.fairness.verdicts.judge`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.metrics import precision_gained, wilson_interval
from riskmodel.evaluation.resampling import Resamples, bounds
from riskmodel.fairness.bootstrap import distinct_pupils, group_totals
from riskmodel.fairness.groups import group_codes
from riskmodel.fairness.verdicts import (
    FEWEST_OUTCOMES,
    compare_with_others,
    fisher_p,
    level_p,
)

__all__ = [
    "compare_levels",
    "compare_precision",
    "compare_rates",
    "elsewhere",
    "label_cells",
    "recall_gap",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAME_QUESTION = {"miss_rate": "recall"}
"""Measure → the measure it is the complement of: one question, asked once."""


def compare_rates(
    pupil: ArrayLike,
    group: ArrayLike,
    columns: Mapping[str, ArrayLike],
    rates: Mapping[str, tuple[str, str]],
    *,
    random_state: int,
) -> pd.DataFrame:
    """Rates, each a sum over a sum, of every group beside those of all others.

    Parameters
    ----------
    pupil : array-like of int, shape (n_rows,)
        Pupil of each row.
    group : array-like of str, shape (n_rows,)
        Group of each row.
    columns : mapping of str to array-like of shape (n_rows,)
        0 or 1.
    rates : mapping of str to (str, str)
        Measure → columns above and below the line.
    random_state : int
        Seed.

    Returns
    -------
    DataFrame
        ``group, measure, value`` with Wilson's interval for as many pupils, and what
        :func:`riskmodel.fairness.verdicts.compare_with_others` returns. A rate over nothing is missing.

    Examples
    --------
    >>> columns = {"found": [1, 0, 0, 1], "positives": [1, 1, 0, 1]}
    >>> table = compare_rates([1, 2, 3, 4], ["a", "a", "b", "b"], columns,
    ...     {"recall": ("found", "positives")}, random_state=0)
    >>> table[["group", "value", "others"]].to_dict("list")
    {'group': ['a', 'b'], 'value': [0.5, 1.0], 'others': [1.0, 0.5]}
    """
    names, codes = group_codes(group)
    totals = group_totals(pupil, codes, len(names), columns, random_state=random_state)
    parts = []
    for measure, (above, below) in rates.items():
        counted = distinct_pupils(pupil, codes, len(names), np.asarray(columns[below]) > 0)
        part = _compare_rate(totals[above], totals[below], *counted)
        parts.append(part.assign(group=names, measure=measure))
    return pd.concat(parts, ignore_index=True)


def _compare_rate(hits: Floats, n: Floats, inside: Ints, outside: Ints) -> pd.DataFrame:
    """Return one rate of every group beside that of all others."""
    own, others = ratio(hits, n), ratio(elsewhere(hits), elsewhere(n))
    part = compare_with_others(
        own,
        others,
        inside,
        outside,
        chance_p=fisher_p(own[0], others[0], inside, outside),
        chance_error=_chance_error(own[0], inside, others[0], outside),
        furthest=np.maximum(others[0], 1 - others[0]),
    )
    low, high = wilson_interval(np.nan_to_num(own[0]) * inside, inside)
    return part.assign(low=low, high=high)


def compare_levels(
    group: ArrayLike, label: ArrayLike, risk: ArrayLike, resamples: Resamples
) -> pd.DataFrame:
    """Ratio of expected to observed outcomes of every group beside those of all others.

    Parameters
    ----------
    group : array-like of str, shape (n_rows,)
        Group of each row.
    label : array-like of shape (n_rows,)
        0 or 1.
    risk : array-like of shape (n_rows,)
        Calibrated risks.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        As :func:`compare_rates`, for the measure ``expected_over_observed``; missing where nobody
        had the outcome. 1 is right, below 1 the risks are too low.

    Examples
    --------
    >>> resamples = Resamples.draw(pd.Series([1, 2, 3, 4]), 0)
    >>> table = compare_levels(["a", "a", "b", "b"], [1, 0, 1, 1], [0.5, 0.25, 0.5, 0.5], resamples)
    >>> table[["group", "value", "others"]].to_dict("list")
    {'group': ['a', 'b'], 'value': [0.75, 0.5], 'others': [0.5, 0.75]}
    """
    names, codes = group_codes(group)
    expected = resamples.sums(codes, len(names), risk)
    observed = resamples.sums(codes, len(names), label)
    with_outcome = np.asarray(label, dtype=float) > 0
    inside, outside = distinct_pupils(resamples.pupil, codes, len(names), with_outcome)
    together = ratio(expected[0].sum(), observed[0].sum())
    own = ratio(expected, observed)
    part = compare_with_others(
        own,
        ratio(elsewhere(expected), elsewhere(observed)),
        inside,
        outside,
        chance_p=level_p(expected[0], elsewhere(expected)[0], inside, outside),
        chance_error=together * np.sqrt(ratio(1, inside) + ratio(1, outside)),
        furthest=np.full(len(names), np.inf),
    )
    low, high = bounds(own)
    return part.assign(group=names, measure="expected_over_observed", low=low, high=high)


def compare_precision(
    group: ArrayLike, label: ArrayLike, score: ArrayLike, as_of: pd.Series, resamples: Resamples
) -> pd.DataFrame:
    """Average precision within every group beside that within all others.

    Parameters
    ----------
    group : array-like of str, shape (n_rows,)
        Group of each row.
    label : array-like of shape (n_rows,)
        0 or 1.
    score : array-like of shape (n_rows,)
        Higher is more at risk; missing ranks last.
    as_of : Series of shape (n_rows,)
        The list of each row.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        As :func:`compare_rates`, for the measure ``average_precision``.

    Notes
    -----
    The mean over pupils with the outcome of the precision at their rank, among the rows of the same
    list and group, equal scores taken as one step. Rows between two outcomes count alike, so that
    only their number is needed, for every draw at once.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2024-02-10"] * 4))
    >>> table = compare_precision(["a", "a", "b", "b"], [1, 0, 0, 1], [4, 3, 2, 1], days,
    ...     Resamples.draw(pd.Series([1, 2, 3, 4]), 0))
    >>> table[["group", "value", "others"]].to_dict("list")
    {'group': ['a', 'b'], 'value': [1.0, 0.5], 'others': [0.5, 1.0]}
    """
    names, codes = group_codes(group)
    outcome = np.asarray(label, dtype=float)
    found, rows = _counts_by_step(outcome, np.asarray(score, dtype=float), as_of, codes, resamples)
    own, others = _mean_precision(found, rows), _mean_precision(elsewhere(found), elsewhere(rows))
    inside, outside = distinct_pupils(resamples.pupil, codes, len(names), outcome > 0)
    part = compare_with_others(
        own,
        others,
        inside,
        outside,
        chance_p=np.zeros(len(names)),
        chance_error=_chance_error(own[0], inside, others[0], outside),
        furthest=np.maximum(others[0], 1 - others[0]),
    )
    low, high = bounds(own)
    return part.assign(group=names, measure="average_precision", low=low, high=high)


def recall_gap(group: ArrayLike, label: ArrayLike, listed: ArrayLike) -> float:
    """Largest difference in recall between two groups of a characteristic.

    Parameters
    ----------
    group : array-like of str, shape (n_rows,)
        Group of each row.
    label : array-like of shape (n_rows,)
        0 or 1.
    listed : array-like of bool, shape (n_rows,)
        Whether the row is listed.

    Returns
    -------
    float
        0 to 1. Groups with fewer than :data:`riskmodel.fairness.verdicts.FEWEST_OUTCOMES` outcomes do
        not count; nan where fewer than two do.

    Examples
    --------
    >>> group, listed = ["a"] * 5 + ["b"] * 5 + ["c"], [1, 1, 1, 1, 0] + [1, 0, 0, 0, 0] + [0]
    >>> round(recall_gap(group, [1] * 11, listed), 2)
    0.6
    """
    names, codes = group_codes(group)
    outcome = np.asarray(label, dtype=float)
    positives = np.bincount(codes, outcome, len(names))
    found = np.bincount(codes, outcome * np.asarray(listed, dtype=float), len(names))
    recall = ratio(found, positives)[positives >= FEWEST_OUTCOMES]
    return float(np.ptp(recall)) if len(recall) > 1 else float("nan")


def elsewhere(totals: Floats) -> Floats:
    """Totals of all other groups, for each group.

    Parameters
    ----------
    totals : array of shape (..., n_groups)
        Totals of each group.

    Returns
    -------
    array of the same shape
        The sum over all groups minus the group's own.

    Examples
    --------
    >>> elsewhere(np.array([[1.0, 2.0, 4.0]])).tolist()
    [[6.0, 5.0, 3.0]]
    """
    return totals.sum(axis=-1, keepdims=True) - totals


def label_cells(part: pd.DataFrame, characteristic: str) -> pd.DataFrame:
    """Cells with their characteristic, and a mark for those that test the same hypothesis.

    Parameters
    ----------
    part : DataFrame
        From the functions above, of one characteristic.
    characteristic : str
        Its name.

    Returns
    -------
    DataFrame
        With ``characteristic`` and ``test``. Cells with the same ``test`` ask one question: girls
        against boys and boys against girls, recall and miss rate.

    Examples
    --------
    >>> cells = pd.DataFrame({"group": ["Boys", "Girls"], "measure": ["recall", "miss_rate"]})
    >>> label_cells(cells, "sex")["test"].tolist()
    ['sex|both|recall', 'sex|both|recall']
    """
    subject = part["group"] if part["group"].nunique() != 2 else "both"
    question = part["measure"].replace(SAME_QUESTION)
    return part.assign(
        characteristic=characteristic, test=characteristic + "|" + subject + "|" + question
    )


def _counts_by_step(
    outcome: Floats, score: Floats, as_of: pd.Series, codes: Ints, resamples: Resamples
) -> tuple[Floats, Floats]:
    """Return outcomes and rows by draw, list, step of the ranking and group."""
    days, step = _steps(outcome, score, as_of)
    shape = (int(days.max()) + 1, int(step.max()) + 1, int(codes.max()) + 1)
    cell = np.ravel_multi_index((days, step, codes), shape)
    n_cells = int(np.prod(shape))
    found = resamples.sums(np.where(outcome > 0, cell, -1), n_cells)
    return found.reshape(-1, *shape), resamples.sums(cell, n_cells).reshape(-1, *shape)


def _steps(outcome: Floats, score: Floats, as_of: pd.Series) -> tuple[Ints, Ints]:
    """Return the list of each row, and how many different scores of outcomes lie above its own."""
    score = np.where(np.isnan(score), -np.inf, score)
    day, _ = pd.factorize(as_of, sort=True)
    step = np.zeros(len(score), dtype=np.int64)
    for number in range(int(day.max()) + 1):
        here = day == number
        thresholds = np.unique(score[here & (outcome > 0)])
        step[here] = len(thresholds) - np.searchsorted(thresholds, score[here], side="right")
    return day.astype(np.int64), step


def _mean_precision(found: Floats, rows: Floats) -> Floats:
    """Return average precision from outcomes and rows by (draw, list, step, group)."""
    gained = precision_gained(found.cumsum(axis=2), rows.cumsum(axis=2), found)
    return ratio(gained.sum(axis=(1, 2)), found.sum(axis=(1, 2)))


def _chance_error(own: Floats, n: Ints, others: Floats, other_n: Ints) -> Floats:
    """Return the standard error of the difference of two shares if there were no gap."""
    both = n + other_n
    pooled = ratio(np.nan_to_num(own) * n + np.nan_to_num(others) * other_n, both.astype(float))
    return np.sqrt(pooled * (1 - pooled) * (ratio(1, n) + ratio(1, other_n)))
