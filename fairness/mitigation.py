"""What could be done about a gap in recall, and what it costs: measured before and after.

In:  features, outcomes and groups, one row per pupil; a way to fit and score.
Out: :class:`Remedies`: one row per remedy.

For notebooks: no command applies or measures a remedy. Places or thresholds that depend on a protected
characteristic may be unlawful discrimination (Equality Act 2010, sections 13, 19 and 158). Such
remedies are marked. The council's lawyers judge them before anybody uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from riskmodel.data.write import records
from riskmodel.errors import RequestError
from riskmodel.evaluation.capacity import is_listed
from riskmodel.fairness.groups import checked_groups, group_codes
from riskmodel.fairness.quotas import share_places
from riskmodel.fairness.rates import recall_gap
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES

__all__ = ["Remedies", "balancing_weights", "compare_remedies"]

LEGAL_CAUTION = (
    "Uses the group itself to decide who is listed. Take legal advice first: treating pupils differently "
    "because of a protected characteristic can be unlawful discrimination (Equality Act 2010, "
    "sections 13 and 158)."
)

FURTHEST_SHIFT = 40.0
"""Log-odds by which a group may be moved; beyond every risk, which are cut off at 1 in a million."""

N_LEVELS = 5
"""Levels that a coarsened feature keeps."""

Floats = NDArray[np.float64]
Fit = Callable[[pd.DataFrame, Floats, Floats], ArrayLike]


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """Remedies side by side.

    Attributes
    ----------
    table : DataFrame
        ``remedy``; ``recall`` of the whole list; ``recall_cost`` (recall before minus after);
        ``gap``, the largest difference in recall between two groups
        (:func:`riskmodel.fairness.rates.recall_gap`); ``gap_change`` (after minus before; below 0 is
        narrower); ``changed``, pupils listed who were not before; ``caution``, empty or a warning.
    capacity : int
        Pupils listed.
    """

    table: pd.DataFrame = field(repr=False)
    capacity: int

    def frame(self) -> pd.DataFrame:
        """Return a copy of the table.

        Returns
        -------
        DataFrame
            As :attr:`table`.
        """
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the result, JSON-ready.

        Returns
        -------
        dict
            ``capacity`` and ``table``.
        """
        return {"capacity": self.capacity, "table": records(self.table)}

    def _repr_html_(self) -> str:
        return self.table.to_html(
            index=False, na_rep="–", escape=True, float_format="{:.3f}".format
        )


def compare_remedies(
    X: pd.DataFrame,
    y: ArrayLike,
    group: pd.Series,
    fit: Fit,
    *,
    capacity: int,
    drop: Sequence[str] = (),
    coarsen: Sequence[str] = (),
) -> Remedies:
    """Remedies for a gap in recall, each measured on the same pupils.

    Parameters
    ----------
    X : DataFrame of shape (n_pupils, n_features)
        Features, one row per pupil; the index is the pupil, by which equal risks are ordered.
    y : array-like of shape (n_pupils,)
        0 or 1.
    group : Series of shape (n_pupils,)
        Group of each pupil, of one characteristic.
    fit : callable
        ``fit(X, y, sample_weight)`` returns a risk, between 0 and 1, for every row, from a model that
        has not seen the row (cross-fitted). Whether it has is not checked.
    capacity : int
        Pupils listed.
    drop, coarsen : sequence of str
        Features to leave out; features to cut into five levels, for instance the strongest
        :func:`riskmodel.fairness.proxies.proxies`.

    Returns
    -------
    Remedies
        ``as it is`` first; then ``without`` and ``coarser`` features where named; always
        ``reweighed``, ``calibrated by group`` and ``places by group``.

    Raises
    ------
    RequestError
        If lengths differ, outcomes are not 0 and 1 with some of both, the capacity does not fit, a
        feature is not there, or ``fit`` does not return one risk per row.

    Notes
    -----
    Reweighed: each group's outcomes get the weight they would have if outcome and group were
    independent [1]_. Calibrated by group: each group's log-odds are moved until its risks add up to its
    outcomes, learned on one half of the pupils for the other. Places by group: each group gets places
    in proportion to its expected outcomes.

    References
    ----------
    .. [1] Kamiran and Calders, "Data preprocessing techniques for classification without
       discrimination", Knowledge and Information Systems 33, 2012.

    Examples
    --------
    >>> X = pd.DataFrame({"absence": [3.0, 2.0, 1.0, 0.0] * 4})
    >>> y, group = [1, 0, 1, 0] * 4, pd.Series(["a"] * 8 + ["b"] * 8)
    >>> def fit(X, y, sample_weight):
    ...     return (X["absence"] + 1) / 10
    >>> compare_remedies(X, y, group, fit, capacity=4).table["remedy"].tolist()
    ['as it is', 'reweighed', 'calibrated by group', 'places by group']
    """
    label = np.asarray(y, dtype=float)
    text = checked_groups(pd.DataFrame({"group": group.to_numpy()}), X=X, y=label)["group"]
    _check(X, label, capacity, [*drop, *coarsen])
    names, codes = group_codes(text)
    scores = _scores(X, label, text, fit, drop, coarsen)
    usual = scores["as it is"]
    scores["calibrated by group"] = _calibrated(usual, label, codes)
    lists = {name: is_listed(score, X.index, capacity) for name, score in scores.items()}
    expected = np.bincount(codes, weights=usual, minlength=len(names))
    places = share_places(expected, capacity)[codes]
    lists["places by group"] = is_listed(usual, X.index, places, lists=codes)
    return Remedies(table=_table(lists, label, text), capacity=capacity)


def _scores(
    X: pd.DataFrame,
    label: Floats,
    group: pd.Series,
    fit: Fit,
    drop: Sequence[str],
    coarsen: Sequence[str],
) -> dict[str, Floats]:
    """Return the risks by each remedy that fits a model."""
    ones = np.ones(len(label))
    scores = {"as it is": _risks(fit, X, label, ones)}
    if drop:
        scores["without " + ", ".join(drop)] = _risks(fit, X.drop(columns=list(drop)), label, ones)
    if coarsen:
        coarse = X.assign(**{name: _levels(X[name]) for name in coarsen})
        scores["coarser " + ", ".join(coarsen)] = _risks(fit, coarse, label, ones)
    scores["reweighed"] = _risks(fit, X, label, balancing_weights(label, group))
    return scores


def balancing_weights(y: ArrayLike, group: ArrayLike) -> Floats:
    """Weights that make outcome and group independent.

    Parameters
    ----------
    y : array-like of shape (n_pupils,)
        0 or 1.
    group : array-like of shape (n_pupils,)
        Group of each pupil.

    Returns
    -------
    float array of shape (n_pupils,)
        Mean 1. A group without outcomes, or with nothing else, keeps the weights it can.

    Examples
    --------
    >>> balancing_weights([1, 1, 0, 0], ["a", "a", "a", "b"]).round(2).tolist()
    [0.75, 0.75, 1.5, 0.5]
    """
    label = np.asarray(y, dtype=np.int64)
    names, codes = group_codes(group)
    both = np.bincount(codes * 2 + label, minlength=2 * len(names)).reshape(-1, 2)
    wanted = np.outer(both.sum(axis=1), both.sum(axis=0)) / len(label)
    return (wanted / np.maximum(both, 1))[codes, label]


def _check(X: pd.DataFrame, label: Floats, capacity: int, columns: list[str]) -> None:
    """Refuse outcomes, capacities and features that do not fit."""
    if set(np.unique(label)) != {0.0, 1.0}:
        raise RequestError(
            "Outcomes must be 0 and 1, with some of both; remedies are measured on them."
        )
    if not 1 <= capacity <= len(label):
        raise RequestError(f"Capacity must be between 1 and {len(label)} pupils; got {capacity}.")
    missing = [name for name in columns if name not in X]
    if missing:
        raise RequestError(
            f"There is no feature '{missing[0]}' to drop or coarsen. Name columns of X."
        )


def _risks(fit: Fit, X: pd.DataFrame, label: Floats, weight: Floats) -> Floats:
    """Return what a model gives, or refuse it where these are no risks."""
    risk = np.asarray(fit(X, label, weight), dtype=float)
    if risk.shape != label.shape or not ((risk >= 0) & (risk <= 1)).all():
        raise RequestError(
            f"fit must return one risk between 0 and 1 for each of the {len(label)} rows; it returned "
            f"shape {risk.shape}. Return predict_proba's second column, cross-fitted."
        )
    return risk


def _levels(values: pd.Series) -> Floats:
    """Cut a feature into five levels of as many pupils; missing stays missing."""
    rank = values.rank(pct=True, method="average")
    return np.ceil(rank.to_numpy(dtype=float) * N_LEVELS)


def _calibrated(risk: Floats, label: Floats, codes: NDArray[np.int64]) -> Floats:
    """Move the log-odds of each half of a group by what its other half needs, if it has outcomes enough."""
    log_odds = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    half = np.arange(len(label)) % 2
    moved = log_odds.copy()
    for number in range(int(codes.max()) + 1):
        for side in (0, 1):
            learn = (codes == number) & (half != side)
            if min(label[learn].sum(), (1 - label[learn]).sum()) >= FEWEST_OUTCOMES:
                moved[(codes == number) & (half == side)] += _shift(log_odds[learn], label[learn])
    return expit(moved)


def _shift(log_odds: Floats, label: Floats) -> float:
    """Return what must be added to the log-odds for the risks to add up to the outcomes."""

    def excess(shift: float) -> float:
        return float(expit(log_odds + shift).sum() - label.sum())

    return float(brentq(excess, -FURTHEST_SHIFT, FURTHEST_SHIFT))


def _table(lists: dict[str, NDArray[np.bool_]], label: Floats, group: pd.Series) -> pd.DataFrame:
    """Return what each list finds, beside the first."""
    first = lists["as it is"]
    table = pd.DataFrame(
        {
            "remedy": name,
            "recall": float((label * listed).sum() / label.sum()),
            "gap": recall_gap(group, label, listed),
            "changed": int((listed & ~first).sum()),
            "caution": LEGAL_CAUTION if name.endswith("by group") else "",
        }
        for name, listed in lists.items()
    )
    table.insert(2, "recall_cost", table["recall"].iloc[0] - table["recall"])
    table.insert(4, "gap_change", table["gap"] - table["gap"].iloc[0])
    return table
