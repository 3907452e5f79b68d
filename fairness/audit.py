"""Is the list fair? Who is selected, and whom did earlier lists find, by group.

In:  groups, who is selected, risks, outcomes (arrays and frames, one row per pupil).
Out: :class:`Audit`, tables with intervals, verdicts in three words, a version safe to publish.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.write import records
from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.fairness.disclosure import suppress

__all__ = [
    "FEWEST_OUTCOMES",
    "Audit",
    "audit_recall",
    "audit_selection",
    "published_recall",
]

Floats = NDArray[np.float64]

FEWEST_OUTCOMES = 5
"""Outcomes that a group, and all others together, need for their recall to be compared; chosen."""

TOO_FEW = "too few to tell"
NO_EVIDENCE = "no evidence"
DISPARITY = "disparity"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The equality audit of a list.

    Attributes
    ----------
    selection : DataFrame
        From :func:`audit_selection`: of this list, no outcome needed.
    recall : DataFrame or None
        From :func:`audit_recall`: of earlier lists, pooled; None where there were none.
    note : str
        How ``recall`` was measured.
    """

    selection: pd.DataFrame = field(repr=False)
    recall: pd.DataFrame | None = field(repr=False)
    note: str

    def frame(self) -> pd.DataFrame:
        """Return a copy of the selection table.

        Returns
        -------
        DataFrame
            As :attr:`selection`.
        """
        return self.selection.copy()

    def verdicts(self) -> pd.DataFrame:
        """Return one verdict per group from the recall of earlier lists.

        Returns
        -------
        DataFrame
            ``characteristic``, ``group``, ``verdict``; empty where there were no earlier lists.
        """
        columns = ["characteristic", "group", "verdict"]
        return pd.DataFrame(columns=columns) if self.recall is None else self.recall[columns].copy()

    def published(self) -> dict[str, pd.DataFrame]:
        """Return the tables with small counts suppressed.

        Returns
        -------
        dict of str to DataFrame
            ``selection`` and, where there is one, ``recall``.
        """
        tables = {
            "selection": suppress(
                self.selection,
                counts=["n", "listed"],
                derived=["selection_rate", "selection_rate_low", "selection_rate_high",
                         "share_of_cohort", "share_of_listed", "share_of_expected"],
                within="characteristic",
            )
        }  # fmt: skip
        if self.recall is not None:
            tables["recall"] = published_recall(self.recall)
        return tables

    def to_dict(self) -> dict[str, Any]:
        """Return the suppressed tables, JSON-ready.

        Returns
        -------
        dict
            ``selection``, ``recall`` and ``note``; missing numbers are None.
        """
        return {"note": self.note} | {n: records(t) for n, t in self.published().items()}

    def _repr_html_(self) -> str:
        parts = [
            t.to_html(index=False, na_rep="–", escape=True, float_format="{:.3f}".format)
            for t in self.published().values()
        ]
        return "".join(parts)


def published_recall(recall: pd.DataFrame) -> pd.DataFrame:
    """Return the recall table with small counts suppressed.

    Parameters
    ----------
    recall : DataFrame
        From :func:`audit_recall`.

    Returns
    -------
    DataFrame
        The same rows.
    """
    return suppress(
        recall,
        counts=["n", "positives", "found"],
        derived=["recall", "recall_low", "recall_high", "precision"],
        within="characteristic",
    )


def _long(groups: pd.DataFrame, **columns: NDArray[Any]) -> pd.DataFrame:
    """Sum columns over the rows of each group of each characteristic."""
    values = pd.DataFrame({name: np.asarray(v, float) for name, v in columns.items()})
    parts = [
        values.groupby(groups[name].to_numpy()).sum().rename_axis("group").reset_index()
        .assign(characteristic=str(name))
        for name in groups
    ]  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    return table[["characteristic", "group", *columns]]


def audit_selection(groups: pd.DataFrame, selected: ArrayLike, risk: ArrayLike) -> pd.DataFrame:
    """Audit who is on a list.

    Parameters
    ----------
    groups : DataFrame of shape (n_pupils, n_characteristics)
        Group of each pupil.
    selected : array-like of bool
        Whether the pupil is listed.
    risk : array-like of float
        Risk, for the share of expected events.

    Returns
    -------
    DataFrame
        ``characteristic, group, n, listed, selection_rate`` with Wilson's interval,
        ``share_of_cohort, share_of_listed, share_of_expected`` (all 0 to 1).
    """
    listed, expected = np.asarray(selected, float), np.asarray(risk, float)
    table = _long(groups, n=np.ones(len(groups)), listed=listed, expected=expected)
    low, high = wilson_interval(table["listed"], table["n"])
    return table.assign(
        selection_rate=table["listed"] / table["n"],
        selection_rate_low=low,
        selection_rate_high=high,
        share_of_cohort=table["n"] / len(groups),
        share_of_listed=table["listed"] / max(1.0, listed.sum()),
        share_of_expected=table["expected"] / expected.sum(),
    ).astype({"n": int, "listed": int}).drop(columns="expected")  # fmt: skip


def audit_recall(groups: pd.DataFrame, label: ArrayLike, selected: ArrayLike) -> pd.DataFrame:
    """Audit whom earlier lists found.

    Parameters
    ----------
    groups : DataFrame of shape (n_rows, n_characteristics)
        Group of each row.
    label : array-like of shape (n_rows,)
        0 or 1.
    selected : array-like of bool
        Whether the row was listed.

    Returns
    -------
    DataFrame
        ``characteristic, group, n, positives, found, recall`` with Wilson's interval, ``precision``,
        ``verdict``. A group without outcomes has no recall: it is missing, and "too few to tell".
    """
    outcome, listed = np.asarray(label, float), np.asarray(selected, float)
    table = _long(
        groups, n=np.ones(len(groups)), positives=outcome, found=outcome * listed, listed=listed
    )
    low, high = wilson_interval(table["found"], table["positives"])
    totals = table.groupby("characteristic")[["positives", "found"]].transform("sum")
    others = totals - table[["positives", "found"]]
    return table.assign(
        recall=(table["found"] / table["positives"]).where(table["positives"] > 0),
        recall_low=low,
        recall_high=high,
        precision=(table["found"] / table["listed"]).where(table["listed"] > 0),
        verdict=_verdicts(table, others),
    ).astype({"n": int, "positives": int, "found": int}).drop(columns="listed")  # fmt: skip


def _verdicts(table: pd.DataFrame, others: pd.DataFrame) -> NDArray[np.object_]:
    """Compare each group's recall with that of all others by Newcombe's interval.

    Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17, 1998, method 10.
    """
    enough = (table["positives"] >= FEWEST_OUTCOMES) & (others["positives"] >= FEWEST_OUTCOMES)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = (table["found"] / table["positives"]).to_numpy()
        rest = (others["found"] / others["positives"]).to_numpy()
    own_low, own_high = wilson_interval(table["found"], table["positives"])
    rest_low, rest_high = wilson_interval(others["found"], others["positives"])
    gap = own - rest
    low = gap - np.sqrt((own - own_low) ** 2 + (rest_high - rest) ** 2)
    high = gap + np.sqrt((own_high - own) ** 2 + (rest - rest_low) ** 2)
    apart = (low > 0) | (high < 0)
    return np.where(~enough, TOO_FEW, np.where(apart, DISPARITY, NO_EVIDENCE)).astype(object)
