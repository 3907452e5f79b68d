"""What could be done about a gap in recall, and what it costs: measured before and after.

In:  features, outcomes and groups, one row per pupil; a way to fit and score.
Out: :class:`Remedies`: one row per remedy.

Nothing here is applied by itself. Places or thresholds that depend on a protected characteristic may be
unlawful discrimination (Equality Act 2010, sections 13, 19 and 158): such remedies are marked, and
are for the council's lawyers to judge before anybody uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from riskmodel.data.write import records
from riskmodel.errors import RequestError
from riskmodel.evaluation.capacity import is_listed
from riskmodel.fairness.groups import checked_groups, place_of
from riskmodel.fairness.quotas import share_places
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES

__all__ = ["LEGAL_CAUTION", "Remedies", "balancing_weights", "compare_remedies"]

LEGAL_CAUTION = (
    "Uses the group itself to decide who is listed. Take legal advice first: treating pupils differently "
    "because of a protected characteristic can be unlawful discrimination (Equality Act 2010, "
    "sections 13 and 158)."
)

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
        ``remedy``; ``recall`` of the whole list; ``recall_cost`` (recall before less after, 0 to 1);
        ``gap``, the largest difference in recall between two groups with five outcomes or more,
        missing where fewer than two have; ``gap_change`` (after less before; below 0 is narrower);
        ``changed``, pupils listed who were not before; ``caution``, empty or that advice is needed.
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
    """Measure each remedy on the same pupils.

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
        has not seen the row (cross-fitted); what it returns is believed.
    capacity : int
        Pupils listed.
    drop, coarsen : sequence of str
        Features to do without; features to cut into five levels, for instance the strongest
        :func:`riskmodel.fairness.proxies.proxies`.

    Returns
    -------
    Remedies
        ``as it is`` first; then what was asked for of ``without``, ``coarser``; always ``reweighed``,
        ``calibrated by group`` and ``places by group``.

    Raises
    ------
    RequestError
        If lengths differ, outcomes are not 0 and 1 with some of both, the capacity does not fit, a
        feature is not there, or ``fit`` returns something else than risks.

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
    """
    label = np.asarray(y, dtype=float)
    text = checked_groups(pd.DataFrame({"group": group.to_numpy()}), X=X, y=label)["group"]
    _check(X, label, capacity, [*drop, *coarsen])
    names, place = place_of(text)
    ones = np.ones(len(label))
    usual = _risks(fit, X, label, ones)
    scores = {"as it is": usual}
    if drop:
        scores["without " + ", ".join(drop)] = _risks(fit, X.drop(columns=list(drop)), label, ones)
    if coarsen:
        coarse = X.assign(**{name: _levels(X[name]) for name in coarsen})
        scores["coarser " + ", ".join(coarsen)] = _risks(fit, coarse, label, ones)
    scores["reweighed"] = _risks(fit, X, label, balancing_weights(label, text))
    scores["calibrated by group"] = _calibrated(usual, label, place)
    lists = {name: is_listed(score, X.index, capacity) for name, score in scores.items()}
    expected = np.bincount(place, weights=usual, minlength=len(names))
    places = share_places(expected, capacity)[place]
    lists["places by group"] = is_listed(usual, X.index, places, lists=place)
    return Remedies(table=_table(lists, label, place, len(names)), capacity=capacity)


def balancing_weights(y: ArrayLike, group: ArrayLike) -> Floats:
    """Return weights that make outcome and group independent.

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
    names, place = place_of(group)
    both = np.bincount(place * 2 + label, minlength=2 * len(names)).reshape(-1, 2)
    wanted = np.outer(both.sum(axis=1), both.sum(axis=0)) / len(label)
    return (wanted / np.maximum(both, 1))[place, label]


def _check(X: pd.DataFrame, label: Floats, capacity: int, columns: list[str]) -> None:
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


def _calibrated(risk: Floats, label: Floats, place: NDArray[np.int64]) -> Floats:
    """Move the log-odds of each group by what its other half needs; too few outcomes move nothing."""
    log_odds = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    half = np.arange(len(label)) % 2
    moved = log_odds.copy()
    for number in range(int(place.max()) + 1):
        for side in (0, 1):
            learn = (place == number) & (half != side)
            if min(label[learn].sum(), (1 - label[learn]).sum()) >= FEWEST_OUTCOMES:
                moved[(place == number) & (half == side)] += _shift(log_odds[learn], label[learn])
    return expit(moved)


def _shift(log_odds: Floats, label: Floats) -> float:
    """Return what added to the log-odds makes the risks add up to the outcomes (by bisection)."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if expit(log_odds + middle).sum() < label.sum() else (low, middle)
        )
    return (low + high) / 2


def _table(
    lists: dict[str, NDArray[np.bool_]], label: Floats, place: NDArray[np.int64], n_groups: int
) -> pd.DataFrame:
    positives = np.bincount(place, weights=label, minlength=n_groups)
    enough = positives >= FEWEST_OUTCOMES
    rows = []
    for name, listed in lists.items():
        found = np.bincount(place, weights=label * listed, minlength=n_groups)
        recall = found[enough] / positives[enough]
        rows.append(
            {"remedy": name, "recall": float(found.sum() / positives.sum()),
             "gap": float(np.ptp(recall)) if len(recall) > 1 else np.nan,
             "changed": int((listed & ~lists["as it is"]).sum()),
             "caution": LEGAL_CAUTION if name.endswith("by group") else ""}
        )  # fmt: skip
    table = pd.DataFrame(rows)
    cost = table["recall"].iloc[0] - table["recall"]
    table.insert(2, "recall_cost", cost)
    table.insert(4, "gap_change", table["gap"] - table["gap"].iloc[0])
    return table
