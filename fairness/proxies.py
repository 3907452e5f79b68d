"""Where a gap comes from: what a score is made of by group, and features that tell who somebody is.

In:  contributions or features, one row per pupil; the group of each.
Out: means by group with intervals; how well each feature tells each group from all others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from riskmodel.errors import RequestError
from riskmodel.evaluation.metrics import auc_of_ranks
from riskmodel.fairness.groups import checked_groups, place_of
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES

__all__ = ["contribution_gaps", "proxies"]

Z = norm.isf(0.025)


def contribution_gaps(
    contributions: pd.DataFrame, groups: pd.DataFrame, *, themes: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Compare the mean contribution of each feature, or theme, in every group with all others.

    Parameters
    ----------
    contributions : DataFrame of shape (n_pupils, n_features)
        Log-odds that each feature adds to each score.
    groups : DataFrame of shape (n_pupils, n_characteristics)
        Group of each pupil.
    themes : mapping of str to str, optional
        Feature → theme; contributions of a theme are added up. By feature where left out.

    Returns
    -------
    DataFrame
        ``characteristic, group, part, pupils, mean, others, difference, difference_low,
        difference_high``; largest absolute difference of a group first. The differences of a group add
        up to that of its mean log-odds. Groups of fewer than five pupils, or with fewer than five
        outside, are left out.

    Raises
    ------
    RequestError
        If lengths differ, or a feature has no theme.
    """
    text = checked_groups(groups, contributions=contributions)
    parts = contributions.reset_index(drop=True)
    if themes is not None:
        unknown = [name for name in parts if name not in themes]
        if unknown:
            raise RequestError(f"'{unknown[0]}' has no theme. Give a theme for every feature.")
        parts = parts.T.groupby([themes[str(name)] for name in parts]).sum().T
    values = parts.to_numpy(dtype=float)
    rows = []
    for name in text:
        for group, inside, outside in _sides(text[name]):
            own, others = values[inside], values[outside]
            gap = own.mean(axis=0) - others.mean(axis=0)
            error = np.sqrt(
                own.var(axis=0, ddof=1) / len(own) + others.var(axis=0, ddof=1) / len(others)
            )
            table = pd.DataFrame(
                {"characteristic": str(name), "group": group, "part": [str(p) for p in parts],
                 "pupils": len(own), "mean": own.mean(axis=0), "others": others.mean(axis=0),
                 "difference": gap, "difference_low": gap - Z * error, "difference_high": gap + Z * error}
            )  # fmt: skip
            rows.append(table.sort_values("difference", key=lambda d: -d.abs(), kind="stable"))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=_GAP_COLUMNS)


_GAP_COLUMNS = ["characteristic", "group", "part", "pupils", "mean", "others", "difference",
                "difference_low", "difference_high"]  # fmt: skip


def proxies(X: pd.DataFrame, groups: pd.DataFrame, *, strongest: int = 3) -> pd.DataFrame:
    """Say how well each feature, by itself, tells each group from all other pupils.

    Parameters
    ----------
    X : DataFrame of shape (n_pupils, n_features)
        Features, one row per pupil; a missing value counts as a value of its own, the lowest.
    groups : DataFrame of shape (n_pupils, n_characteristics)
        Group of each pupil.
    strongest : int
        Features kept per group.

    Returns
    -------
    DataFrame
        ``characteristic, group, pupils, feature, auc`` (0.5 tells nothing, 1 tells all; whichever
        direction) with a 95% interval ``auc_low, auc_high``; strongest first within a group. Groups of
        fewer than five pupils, or with fewer than five outside, are left out.

    Raises
    ------
    RequestError
        If lengths differ.

    Notes
    -----
    The interval is that of one feature looked at by itself: the strongest of many is flattered.

    References
    ----------
    .. [1] Hanley and McNeil, "The meaning and use of the area under a receiver operating
       characteristic (ROC) curve", Radiology 143, 1982.
    """
    text = checked_groups(groups, X=X)
    values = X.to_numpy(dtype=float)
    ranks = rankdata(np.where(np.isnan(values), -np.inf, values), axis=0)
    parts = []
    for name in text:
        for group, inside, outside in _sides(text[name]):
            n, rest = int(inside.sum()), int(outside.sum())
            auc = auc_of_ranks(ranks, inside)
            auc = np.maximum(auc, 1 - auc)
            order = np.argsort(-auc, kind="stable")[:strongest]
            error = _auc_error(auc[order], n, rest)
            parts.append(
                pd.DataFrame(
                    {"characteristic": str(name), "group": group, "pupils": n,
                     "feature": X.columns[order].astype(str), "auc": auc[order],
                     "auc_low": np.clip(auc[order] - Z * error, 0, 1),
                     "auc_high": np.clip(auc[order] + Z * error, 0, 1)}
                )
            )  # fmt: skip
    columns = ["characteristic", "group", "pupils", "feature", "auc", "auc_low", "auc_high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _sides(group: pd.Series) -> list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return each group that is large enough to be compared, with its rows and all others."""
    names, place = place_of(group)
    sides = [(str(name), place == number, place != number) for number, name in enumerate(names)]
    return [side for side in sides if min(side[1].sum(), side[2].sum()) >= FEWEST_OUTCOMES]


def _auc_error(auc: NDArray[np.float64], n: int, rest: int) -> NDArray[np.float64]:
    """Return Hanley and McNeil's standard error."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n - 1) * (one - auc**2) + (rest - 1) * (two - auc**2)
    return np.sqrt(np.maximum(variance, 0) / (n * rest))
