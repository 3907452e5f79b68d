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
from riskmodel.fairness.bootstrap import N_DRAWS, distinct_pupils, group_totals
from riskmodel.fairness.groups import place_of
from riskmodel.fairness.verdicts import compare_with_others, fisher_p, level_p

__all__ = ["compare_levels", "compare_precision", "compare_rates", "label_cells"]

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
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Compare rates, each a sum over a sum, of every group with those of all others.

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
    n_draws : int
        Resamples.

    Returns
    -------
    DataFrame
        ``group, measure, value`` with Wilson's interval for as many pupils, and what
        :func:`riskmodel.fairness.verdicts.compare_with_others` returns. A rate over nothing is missing.
    """
    names, place = place_of(group)
    totals = group_totals(
        pupil, place, len(names), columns, random_state=random_state, n_draws=n_draws
    )
    parts = []
    for measure, (above, below) in rates.items():
        hits, n = totals[above], totals[below]
        own = ratio(hits, n)
        others = ratio(hits.sum(axis=1, keepdims=True) - hits, n.sum(axis=1, keepdims=True) - n)
        inside, outside = distinct_pupils(pupil, place, len(names), np.asarray(columns[below]) > 0)
        part = compare_with_others(
            own, others, inside, outside,
            chance_p=fisher_p(own[0], others[0], inside, outside),
            chance_error=_chance_error(own[0], inside, others[0], outside),
            furthest=np.maximum(others[0], 1 - others[0]),
        )  # fmt: skip
        low, high = wilson_interval(np.nan_to_num(own[0]) * inside, inside)
        parts.append(part.assign(group=names, measure=measure, low=low, high=high))
    return pd.concat(parts, ignore_index=True)


def compare_levels(
    group: ArrayLike, label: ArrayLike, risk: ArrayLike, resamples: Resamples
) -> pd.DataFrame:
    """Compare expected over observed outcomes of every group with that of all others.

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
    """
    names, place = place_of(group)
    expected = resamples.sums(place, len(names), risk)
    observed = resamples.sums(place, len(names), label)
    other_expected = expected.sum(axis=1, keepdims=True) - expected
    other_observed = observed.sum(axis=1, keepdims=True) - observed
    own, others = ratio(expected, observed), ratio(other_expected, other_observed)
    inside, outside = distinct_pupils(
        resamples.pupil, place, len(names), np.asarray(label, float) > 0
    )
    together = ratio(expected.sum(axis=1), observed.sum(axis=1))[0]
    error = together * np.sqrt(ratio(1, inside) + ratio(1, outside))
    part = compare_with_others(
        own, others, inside, outside,
        chance_p=level_p(expected[0], other_expected[0], inside, outside),
        chance_error=error, furthest=np.full(len(names), np.inf),
    )  # fmt: skip
    low, high = bounds(own)
    return part.assign(group=names, measure="expected_over_observed", low=low, high=high)


def compare_precision(
    group: ArrayLike, label: ArrayLike, score: ArrayLike, as_of: pd.Series, resamples: Resamples
) -> pd.DataFrame:
    """Compare average precision within every group with that within all others.

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
    The mean over pupils with the outcome of the precision at their place, among the rows of the same
    list and group, equal scores taken as one step. Rows between two outcomes count alike, so that
    only their number is needed, for every draw at once.
    """
    names, place = place_of(group)
    outcome = np.asarray(label, dtype=float)
    days, step = _steps(outcome, np.asarray(score, dtype=float), as_of)
    shape = (-1, int(days.max()) + 1, int(step.max()) + 1, len(names))
    cell = (days * shape[2] + step) * len(names) + place
    n_cells = int(np.prod(shape[1:]))
    rows = resamples.sums(cell, n_cells).reshape(shape)
    found = resamples.sums(np.where(outcome > 0, cell, -1), n_cells).reshape(shape)
    own = _mean_precision(found, rows)
    others = _mean_precision(
        found.sum(axis=3, keepdims=True) - found, rows.sum(axis=3, keepdims=True) - rows
    )
    inside, outside = distinct_pupils(resamples.pupil, place, len(names), outcome > 0)
    part = compare_with_others(
        own, others, inside, outside, chance_p=np.zeros(len(names)),
        chance_error=_chance_error(own[0], inside, others[0], outside),
        furthest=np.maximum(others[0], 1 - others[0]),
    )  # fmt: skip
    low, high = bounds(own)
    return part.assign(group=names, measure="average_precision", low=low, high=high)


def label_cells(part: pd.DataFrame, characteristic: str) -> pd.DataFrame:
    """Say of which characteristic cells are, and which of them ask the same question.

    Parameters
    ----------
    part : DataFrame
        From the functions above, of one characteristic.
    characteristic : str
        Its name.

    Returns
    -------
    DataFrame
        With ``characteristic`` and ``test``.
    """
    subject = part["group"] if part["group"].nunique() != 2 else "both"
    question = part["measure"].replace(SAME_QUESTION)
    return part.assign(
        characteristic=characteristic, test=characteristic + "|" + subject + "|" + question
    )


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
