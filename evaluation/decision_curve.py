"""Net benefit: whether listing by risk does more good than harm, at every price of a needless offer.

In:  risks and outcomes; outcomes that each ranker found at the capacity.
Out: decision curves [1]_.

At a threshold of 2%, 49 needless offers are a fair price for one that was needed.
``net benefit = found / n - needless / n × threshold / (1 - threshold)``.

References
----------
.. [1] Vickers and Elkin, "Decision curve analysis: a novel method for evaluating prediction models",
   Medical Decision Making 26, 2006.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.evaluation.resampling import Resamples, with_bounds

__all__ = ["THRESHOLDS", "decision_curve", "net_benefit"]

THRESHOLDS = tuple(1 / n for n in (500, 200, 100, 50, 33, 25, 20, 15, 10, 7, 5, 4, 3))
"""Thresholds of the curves: one in five hundred to one in three."""

Floats = NDArray[np.float64]


def net_benefit(found: ArrayLike, needless: ArrayLike, n: ArrayLike, threshold: float) -> Floats:
    """Net benefit per pupil.

    Parameters
    ----------
    found, needless : array-like of the same shape
        Pupils listed with and without the outcome.
    n : array-like of the same shape
        Pupils in the cohort.
    threshold : float
        Risk from which a place on the list is worth it, between 0 and 1.

    Returns
    -------
    array
        0 for listing nobody; at most the prevalence.

    Examples
    --------
    >>> float(net_benefit(8, 92, 1000, 0.05).round(6))
    0.003158
    """
    odds = threshold / (1 - threshold)
    return (np.asarray(found, float) - np.asarray(needless, float) * odds) / np.asarray(n, float)


def decision_curve(
    outcome: ArrayLike,
    risk: ArrayLike,
    resamples: Resamples,
    at_capacity: dict[str, tuple[Floats, Floats]],
) -> pd.DataFrame:
    """Net benefit of every strategy at every threshold.

    Parameters
    ----------
    outcome, risk : array-like of shape (n_rows,)
        0 or 1; risks between 0 and 1.
    resamples : Resamples
        Draws of the rows' pupils.
    at_capacity : dict of str to pair of arrays of shape (n_draws,)
        Ranker → outcomes found, and places, at the capacity.

    Returns
    -------
    DataFrame
        ``strategy``, ``threshold``, and ``net_benefit`` per 10,000 pupils with ``low`` and ``high``.
        The strategies: everyone at or above the threshold by the model, everyone, and each ranker's
        list at the capacity. Listing nobody is 0.

    Examples
    --------
    >>> curve = decision_curve([1, 0], [0.5, 0.01], Resamples.draw(pd.Series(["a", "b"]), 0), {})
    >>> curve["strategy"].unique().tolist()
    ['model, by threshold', 'everyone']
    """
    listed, found = _above_thresholds(
        np.asarray(outcome, float), np.asarray(risk, float), resamples
    )
    n = listed[:, 0]
    rows = []
    for number, threshold in enumerate(THRESHOLDS, start=1):
        strategies = {
            "model, by threshold": (found[:, number], listed[:, number]),
            "everyone": (found[:, 0], n),
        } | {f"{name}, at capacity": counts for name, counts in at_capacity.items()}
        for strategy, (hits, places) in strategies.items():
            draws = 10_000 * net_benefit(hits, places - hits, n, threshold)
            figures = with_bounds({"net_benefit": draws})
            rows.append({"strategy": strategy, "threshold": threshold} | figures)
    ends = {"net_benefit_low": "low", "net_benefit_high": "high"}
    return pd.DataFrame(rows).rename(columns=ends)


def _above_thresholds(outcome: Floats, risk: Floats, resamples: Resamples) -> tuple[Floats, Floats]:
    """Return rows, and outcomes, at or above each threshold in every draw; everyone first."""
    steps = len(THRESHOLDS) + 1
    step = np.searchsorted(THRESHOLDS, risk, side="right")
    listed, found = (
        resamples.sums(step, steps, values)[:, ::-1].cumsum(axis=1)[:, ::-1]
        for values in (None, outcome)
    )
    return listed, found
