"""Whether today's pupils resemble those that the model learned from.

In:  the features of the training rows, then those of a new list.
Out: a profile to keep with the model; drift per feature, beside the drift that is usual between lists.

Registers of June and of September differ every year. So drift is judged against the largest drift
between the training lists, not against a rule of thumb.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["SCORE", "drift", "population_stability", "profile"]

N_BINS = 10
"""Parts of a feature's range that hold as many training rows each, where values allow."""

NOTABLE = 0.1
"""Population stability index below which a change is ignored; customary [1]_.

.. [1] Siddiqi, "Credit Risk Scorecards", 2006.
"""

MARGIN = 1.5
"""A feature has drifted if its index exceeds that of every training list this many times. By chance alone,
one more list exceeds the largest of fifteen in one feature of sixteen. In four simulated LAs, monitored
on the day of training, a margin of 1 marked features behind 0% to 20% of the reasons; 1.5 marked none."""

SCORE = "calibrated log-odds"
"""Name of the score among the features of a profile."""

FEWEST_ROWS = 200
"""Rows that a training list needs for its own drift to count."""

Floats = NDArray[np.float64]


def population_stability(expected: ArrayLike, actual: ArrayLike) -> Floats:
    """Return the population stability index of two distributions over the same bins.

    Parameters
    ----------
    expected, actual : array-like of shape (..., n_bins)
        Counts; half a row is added to each bin, so that an empty one does not make it infinite.

    Returns
    -------
    array of shape (...)
        Sum of ``(a - e) · log(a / e)`` over bins; 0 where they agree.

    Examples
    --------
    >>> float(population_stability([50, 50], [50, 50]))
    0.0
    >>> round(float(population_stability([500, 500], [800, 200])), 2)
    0.41
    """
    shares = []
    for counts in (expected, actual):
        smoothed = np.asarray(counts, float) + 0.5
        shares.append(smoothed / smoothed.sum(axis=-1, keepdims=True))
    e, a = shares
    return np.asarray(((a - e) * np.log(a / e)).sum(axis=-1))


def profile(X: pd.DataFrame, as_of: pd.Series) -> dict[str, dict[str, Any]]:
    """Distribution of each feature, to be kept with a model.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Training features.
    as_of : Series of shape (n_rows,)
        The list of each row.

    Returns
    -------
    dict
        Feature → ``edges`` between its bins, ``counts`` per bin with missing last, and ``usual``: the
        largest index of one training list against all. JSON-ready. It holds no pupil's values except
        edges, which are values that many pupils share.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2024-02-10"] * 4))
    >>> profile(pd.DataFrame({"late": [0.0, 0.0, 0.0, None]}), days)
    {'late': {'edges': [0.0], 'counts': [3, 0, 1], 'usual': 0.0}}
    """
    day, _ = pd.factorize(as_of)
    return {str(name): _profile_of(X[name].to_numpy(dtype=float), day) for name in X}


def _profile_of(value: Floats, day: NDArray[np.int64]) -> dict[str, Any]:
    """Return edges, counts and usual drift of one feature."""
    known = value[~np.isnan(value)]
    quantiles = np.arange(1, N_BINS) / N_BINS
    edges = np.unique(np.quantile(known, quantiles)) if len(known) else np.array([])
    shape = (int(day.max(initial=-1)) + 1, len(edges) + 2)
    cell = np.ravel_multi_index((day, _bins(value, edges)), shape)
    table = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    large, whole = table[table.sum(axis=1) >= FEWEST_ROWS], table.sum(axis=0)
    return {
        "edges": edges.tolist(),
        "counts": whole.astype(int).tolist(),
        "usual": float(population_stability(whole, large).max(initial=0.0)),
    }


def _bins(value: Floats, edges: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of each value; missing values are in one of their own, the last."""
    number = np.searchsorted(np.asarray(edges, float), value, side="left")
    return np.where(np.isnan(value), len(np.asarray(edges)) + 1, number)


def drift(kept: dict[str, dict[str, Any]], X: pd.DataFrame) -> pd.DataFrame:
    """Drift of each feature of a new list from a profile.

    Parameters
    ----------
    kept : dict
        From :func:`profile`.
    X : DataFrame of shape (n_pupils, n_features)
        Features of today; an absent one counts as missing for everybody.

    Returns
    -------
    DataFrame
        ``feature``, ``index`` (population stability), ``usual``, ``missing_before``, ``missing_now``
        (shares), ``drifted``: the index is notable, and half as large again as that of every training
        list. Largest excess first.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2024-02-10"] * 300))
    >>> kept = profile(pd.DataFrame({"late": [0.0, 1.0, 2.0] * 100}), days)
    >>> drift(kept, pd.DataFrame({"late": [2.0] * 300}))["drifted"].tolist()
    [True]
    """
    table = pd.DataFrame(
        _drift_of(
            name, one, X[name].to_numpy(dtype=float) if name in X else np.full(len(X), np.nan)
        )
        for name, one in kept.items()
    )
    excess = table["index"] - (MARGIN * table["usual"]).clip(lower=NOTABLE)
    table["drifted"] = excess > 0
    return table.iloc[np.argsort(-excess.to_numpy(), kind="stable")].reset_index(drop=True)


def _drift_of(name: str, kept: dict[str, Any], value: Floats) -> dict[str, Any]:
    """Return the row of one feature."""
    now = np.bincount(_bins(value, kept["edges"]), minlength=len(kept["counts"]))
    before = np.asarray(kept["counts"], float)
    return {
        "feature": name,
        "index": float(population_stability(before, now)),
        "usual": kept["usual"],
        "missing_before": before[-1] / before.sum(),
        "missing_now": now[-1] / max(1, now.sum()),
    }
