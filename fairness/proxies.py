"""Where a gap comes from: contributions to the score by group, and proxies of a group.

In:  contributions or features, one row per pupil; the group of each.
Out: means by group with intervals; how well each feature separates each group from all others.

For notebooks: no command calls these. Means of few children would need suppression before they are
published.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import RequestError
from riskmodel.evaluation.metrics import Z, auc_of_ranks, ranks_of
from riskmodel.fairness.groups import checked_groups, group_codes
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES

__all__ = ["contribution_gaps", "proxies"]

GAP_COLUMNS = [
    "characteristic",
    "group",
    "part",
    "pupils",
    "mean",
    "others",
    "difference",
    "difference_low",
    "difference_high",
]
PROXY_COLUMNS = ["characteristic", "group", "pupils", "feature", "auc", "auc_low", "auc_high"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def contribution_gaps(
    contributions: pd.DataFrame, groups: pd.DataFrame, *, themes: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Mean contribution of each feature, or theme, in every group beside all others.

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

    Examples
    --------
    >>> parts = pd.DataFrame({"absence": [1.0] * 5 + [0.5] * 5})
    >>> gaps = contribution_gaps(parts, pd.DataFrame({"sex": ["Girls"] * 5 + ["Boys"] * 5}))
    >>> gaps[["group", "difference"]].to_dict("list")
    {'group': ['Boys', 'Girls'], 'difference': [-0.5, 0.5]}
    """
    text = checked_groups(groups, contributions=contributions)
    parts = contributions.reset_index(drop=True)
    if themes is not None:
        unknown = [name for name in parts if name not in themes]
        if unknown:
            raise RequestError(f"'{unknown[0]}' has no theme. Give a theme for every feature.")
        parts = parts.T.groupby([themes[str(name)] for name in parts]).sum().T
    rows = [
        _mean_gaps(parts, inside).assign(characteristic=str(name), group=group)
        for name in text
        for group, inside in _large_groups(text[name])
    ]
    return pd.concat(rows, ignore_index=True)[GAP_COLUMNS] if rows else _no_rows(GAP_COLUMNS)


def _mean_gaps(parts: pd.DataFrame, inside: Bools) -> pd.DataFrame:
    """Return the mean of each part in a group and in all others, largest difference first."""
    own, others = parts[inside], parts[~inside]
    gap = own.mean() - others.mean()
    error = np.sqrt(own.var() / len(own) + others.var() / len(others))
    table = pd.DataFrame(
        {
            "part": [str(part) for part in parts],
            "pupils": len(own),
            "mean": own.mean().to_numpy(),
            "others": others.mean().to_numpy(),
            "difference": gap.to_numpy(),
            "difference_low": (gap - Z * error).to_numpy(),
            "difference_high": (gap + Z * error).to_numpy(),
        }
    )
    return table.sort_values("difference", key=lambda d: -d.abs(), kind="stable")


def proxies(X: pd.DataFrame, groups: pd.DataFrame, *, strongest: int = 3) -> pd.DataFrame:
    """How well each feature, by itself, separates each group from all other pupils.

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
        ``characteristic, group, pupils, feature, auc`` (0.5 is chance, 1 separates all, in either
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

    Examples
    --------
    >>> X = pd.DataFrame({"fsm": [1.0] * 5 + [0.0] * 5, "noise": [1.0, 0.0] * 5})
    >>> found = proxies(X, pd.DataFrame({"sex": ["Girls"] * 5 + ["Boys"] * 5}), strongest=1)
    >>> found[["group", "feature", "auc"]].to_dict("list")
    {'group': ['Boys', 'Girls'], 'feature': ['fsm', 'fsm'], 'auc': [1.0, 1.0]}
    """
    text = checked_groups(groups, X=X)
    ranks = ranks_of(X.to_numpy(dtype=float))
    features = X.columns.astype(str)
    parts = [
        _strongest(ranks, inside, features, strongest).assign(characteristic=str(name), group=group)
        for name in text
        for group, inside in _large_groups(text[name])
    ]
    return pd.concat(parts, ignore_index=True)[PROXY_COLUMNS] if parts else _no_rows(PROXY_COLUMNS)


def _strongest(ranks: Floats, inside: Bools, features: pd.Index, n: int) -> pd.DataFrame:
    """Return the features that separate a group best, with Hanley and McNeil's interval."""
    auc = auc_of_ranks(ranks, inside)
    auc = np.maximum(auc, 1 - auc)
    order = np.argsort(-auc, kind="stable")[:n]
    error = _auc_error(auc[order], int(inside.sum()), int((~inside).sum()))
    return pd.DataFrame(
        {
            "pupils": int(inside.sum()),
            "feature": features[order],
            "auc": auc[order],
            "auc_low": np.clip(auc[order] - Z * error, 0, 1),
            "auc_high": np.clip(auc[order] + Z * error, 0, 1),
        }
    )


def _large_groups(group: pd.Series) -> list[tuple[str, Bools]]:
    """Return each group that is large enough to be compared with all others, and its rows."""
    names, codes = group_codes(group)
    rows = [(str(name), codes == number) for number, name in enumerate(names)]
    return [one for one in rows if min(one[1].sum(), (~one[1]).sum()) >= FEWEST_OUTCOMES]


def _no_rows(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns)


def _auc_error(auc: Floats, n: int, rest: int) -> Floats:
    """Return Hanley and McNeil's standard error."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n - 1) * (one - auc**2) + (rest - 1) * (two - auc**2)
    return np.sqrt(np.maximum(variance, 0) / (n * rest))
