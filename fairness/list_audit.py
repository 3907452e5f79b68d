"""Who is on a list, by group.

In:  groups, who is listed, risks (arrays and frames, one row per pupil).
Out: :class:`ListAudit`, with no outcome needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.ratio import ratio
from riskmodel.data.write import records
from riskmodel.display import html_list, html_table
from riskmodel.errors import RequestError
from riskmodel.evaluation.capacity import is_listed
from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.fairness.disclosure import HIDDEN_NOTE, show
from riskmodel.fairness.groups import checked_groups, group_codes
from riskmodel.fairness.publishing import hidden_groups, is_crossed
from riskmodel.fairness.quotas import share_places
from riskmodel.fairness.rates import label_cells
from riskmodel.fairness.verdicts import DISPARITY, count_verdicts, fisher_p, judge

__all__ = ["ListAudit", "audit_list"]

Floats = NDArray[np.float64]
Rates = dict[str, NDArray[np.float64]]

SELECTION_FIGURES = (
    "selection_rate",
    "selection_rate_low",
    "selection_rate_high",
    "share_of_cohort",
    "share_of_listed",
    "share_of_expected",
    "others",
    "difference",
    "difference_low",
    "difference_high",
    "ratio",
    "p_value",
    "detectable",
)


@dataclass(frozen=True, kw_only=True)
class ListAudit:
    """Who is on this list, by group.

    Attributes
    ----------
    selection : DataFrame
        One row per group: ``characteristic, group, n, listed``; ``selection_rate`` with Wilson's
        interval; ``share_of_cohort, share_of_listed, share_of_expected`` (of all risks added up);
        ``others``, the selection rate of all other pupils, with ``difference`` (Newcombe's interval)
        and ``ratio``; ``p_value, detectable, verdict`` (:mod:`riskmodel.fairness.verdicts`). All
        shares are 0 to 1.
    near_line : DataFrame or None
        ``characteristic, group, near_line``: pupils just below the line; ``share_near_line`` of them.
    quotas : DataFrame or None
        ``characteristic, group, listed_with_quotas``: pupils listed if each school had places in
        proportion to its pupils; ``share_with_quotas`` of the list.
    """

    selection: pd.DataFrame = field(repr=False)
    near_line: pd.DataFrame | None = field(repr=False, default=None)
    quotas: pd.DataFrame | None = field(repr=False, default=None)

    def frame(self) -> pd.DataFrame:
        """Return a copy of the selection table.

        Returns
        -------
        DataFrame
            As :attr:`selection`.
        """
        return self.selection.copy()

    def published(self) -> dict[str, pd.DataFrame]:
        """Return the tables with small counts suppressed, in all of them together.

        Returns
        -------
        dict of str to DataFrame
            ``selection`` and, where they were made, ``near_line`` and ``quotas``.
        """
        return {name: table.copy() for name, table in self._published.items()}

    @cached_property
    def _published(self) -> dict[str, pd.DataFrame]:
        """The suppressed tables; every page and file of a list asks for them."""
        n, listed = self.selection["n"].to_numpy(), self.selection["listed"].to_numpy()
        hidden = hidden_groups(self.selection, np.column_stack([listed, n - listed]))
        shown = show(self.selection, hidden, counts=["n", "listed"], figures=SELECTION_FIGURES)
        tables = {"selection": _kept(shown, hidden)}
        if self.near_line is not None:  # n and listed are shown too: what is left is neither
            near = self.near_line["near_line"].to_numpy()
            rest = np.column_stack([near, n - near, n - listed - near])
            tables["near_line"] = _shown_count(self.near_line, rest, hidden)
        if self.quotas is not None:
            with_quotas = self.quotas["listed_with_quotas"].to_numpy()
            rest = np.column_stack([with_quotas, n - with_quotas])
            tables["quotas"] = _shown_count(self.quotas, rest, hidden)
        return tables

    def to_dict(self) -> dict[str, Any]:
        """Return the suppressed tables, JSON-ready.

        Returns
        -------
        dict
            Table → rows.
        """
        return {name: records(table) for name, table in self.published().items()}

    def _repr_html_(self) -> str:
        table = self.published()["selection"]
        apart = table[(table["verdict"] == DISPARITY).to_numpy()]
        shown = [
            "characteristic",
            "group",
            "n",
            "listed",
            "share_of_cohort",
            "share_of_listed",
            "share_of_expected",
        ]
        return html_list(["This list. " + count_verdicts(table)]) + html_table(
            apart[shown],
            "Groups listed more or less often than all others, beyond chance",
            note=HIDDEN_NOTE,
        )


def audit_list(
    groups: pd.DataFrame,
    selected: ArrayLike,
    risk: ArrayLike,
    *,
    near: ArrayLike | None = None,
    school: ArrayLike | None = None,
    pupil_id: ArrayLike | None = None,
) -> ListAudit:
    """Audit who is on a list.

    Parameters
    ----------
    groups : DataFrame of shape (n_pupils, n_characteristics)
        Group of each pupil; missing is the group ``not_known``.
    selected : array-like of bool, shape (n_pupils,)
        Whether the pupil is listed.
    risk : array-like of shape (n_pupils,)
        Risk, 0 to 1, for the share of expected events and the quotas.
    near : array-like of bool, shape (n_pupils,), optional
        Whether the pupil is just below the line.
    school : array-like, shape (n_pupils,), optional
        School of each pupil, to show what places for each school would change.
    pupil_id : array-like, shape (n_pupils,), optional
        Pseudonym of each pupil, needed with ``school``: lists of schools follow the rule of
        :mod:`riskmodel.evaluation.capacity` too.

    Returns
    -------
    ListAudit
        No resampling: each pupil is on a list once, so closed forms are exact enough.

    Raises
    ------
    RequestError
        If there is nobody or nobody is listed, lengths differ, a risk is not between 0 and 1, a
        characteristic has too many groups, or schools are given without pupils.

    References
    ----------
    .. [1] Newcombe, "Interval estimation for the difference between independent proportions",
       Statistics in Medicine 17, 1998, method 10.

    Examples
    --------
    >>> groups = pd.DataFrame({"sex": ["Girls", "Girls", "Boys", "Boys"]})
    >>> made = audit_list(groups, [True, False, True, True], [0.1, 0.1, 0.2, 0.2])
    >>> made.selection[["group", "listed", "selection_rate"]].to_dict("list")
    {'group': ['Boys', 'Girls'], 'listed': [2, 1], 'selection_rate': [1.0, 0.5]}
    """
    text = checked_groups(groups, selected=selected, risk=risk)
    listed, expected = np.asarray(selected, dtype=bool), np.asarray(risk, dtype=float)
    _check_list(listed, expected)
    columns = {"listed": listed.astype(float), "expected": expected}
    if near is not None:
        columns["near_line"] = np.asarray(near, dtype=float)
    if school is not None:
        with_quotas = _with_quotas(expected, pupil_id, school, int(listed.sum()))
        columns["listed_with_quotas"] = with_quotas.astype(float)
    totals = pd.concat(
        [_totals(text[name], str(name), columns) for name in text], ignore_index=True
    )
    return ListAudit(
        selection=_selection(totals, len(text)),
        near_line=_counted(totals, "near_line", "share_near_line"),
        quotas=_counted(totals, "listed_with_quotas", "share_with_quotas"),
    )


def _check_list(listed: NDArray[np.bool_], risk: Floats) -> None:
    """Refuse a list of nobody, and risks that are none."""
    if not listed.any():
        raise RequestError(
            "Nobody is listed, so there is no list to audit. Choose a capacity of 1 or more."
        )
    if not ((risk >= 0) & (risk <= 1)).all():
        raise RequestError("Every risk must be between 0 and 1 and known. Give calibrated risks.")


def _with_quotas(
    risk: Floats, pupil_id: ArrayLike | None, school: ArrayLike, capacity: int
) -> NDArray[np.bool_]:
    """Whether each pupil is listed if every school has places in proportion to its pupils."""
    if pupil_id is None:
        raise RequestError("Places for each school need pupil_id beside school.")
    part, _ = pd.factorize(np.asarray(school, dtype=object), sort=True, use_na_sentinel=False)
    places = share_places(np.bincount(part), capacity)
    return is_listed(risk, pupil_id, places[part], lists=part)


def _totals(group: pd.Series, characteristic: str, columns: dict[str, Floats]) -> pd.DataFrame:
    """Return pupils, and the sum of each column, by group of one characteristic."""
    names, codes = group_codes(group)
    sums = {name: np.bincount(codes, weights=value) for name, value in columns.items()}
    counts = {"n": np.bincount(codes)} | sums
    return pd.DataFrame({"characteristic": characteristic, "group": names} | counts)


def _counted(totals: pd.DataFrame, name: str, share: str) -> pd.DataFrame | None:
    """Return a table of one count and its share of all, where it was counted."""
    if name not in totals:
        return None
    whole = totals.groupby("characteristic")[name].transform("sum")
    table = totals[["characteristic", "group", name]].astype({name: "int64"})
    return table.assign(**{share: ratio(totals[name], whole)})


def _selection(totals: pd.DataFrame, n_pupils: int) -> pd.DataFrame:
    """Compare each group's selection rate with that of all others."""
    whole = totals.groupby("characteristic")[["n", "listed", "expected"]].transform("sum")
    n, rest = totals["n"], whole["n"] - totals["n"]
    columns = {
        "characteristic": totals["characteristic"],
        "group": totals["group"],
        "n": n.astype("int64"),
        "listed": totals["listed"].astype("int64"),
        "share_of_cohort": n / n_pupils,
        "share_of_listed": totals["listed"] / whole["listed"],
        "share_of_expected": ratio(totals["expected"], whole["expected"]),
        "measure": "selection_rate",
        "pupils": n,
        "pupils_elsewhere": rest,
    }
    cells = pd.DataFrame(columns | _rates(totals["listed"], n, whole["listed"], whole["n"]))
    parts = [
        label_cells(part, str(name)) for name, part in cells.groupby("characteristic", sort=False)
    ]
    judged = judge(pd.concat(parts))
    return judged[["characteristic", "group", "n", "listed", *SELECTION_FIGURES, "verdict"]]


def _rates(listed: pd.Series, n: pd.Series, all_listed: pd.Series, everybody: pd.Series) -> Rates:
    """Return the selection rate of each group, of all others, and their difference and ratio."""
    rest, rest_listed = everybody - n, all_listed - listed
    rate, others, pooled = ratio(listed, n), ratio(rest_listed, rest), ratio(all_listed, everybody)
    low, high = wilson_interval(listed, n)
    rest_low, rest_high = wilson_interval(rest_listed, rest)
    gap = rate - others
    return {
        "selection_rate": rate,
        "selection_rate_low": low,
        "selection_rate_high": high,
        "others": others,
        "difference": gap,
        "difference_low": gap - np.hypot(rate - low, rest_high - others),
        "difference_high": gap + np.hypot(high - rate, others - rest_low),
        "ratio": ratio(rate, others),
        "error": np.sqrt(pooled * (1 - pooled) * (ratio(1, n) + ratio(1, rest))),
        "chance_p": fisher_p(rate, others, n, rest),
        "furthest": np.maximum(others, 1 - others),
    }


def _shown_count(
    table: pd.DataFrame, counts: NDArray[np.int64], hidden: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return a table of one count and its share as it may be published."""
    name, share_name = table.columns[2:]
    small = hidden_groups(table, counts, hidden)
    return _kept(show(table, small, counts=[name], figures=[share_name]), small)


def _kept(table: pd.DataFrame, hidden: NDArray[np.bool_]) -> pd.DataFrame:
    """Leave out the hidden rows of crossed characteristics."""
    return table[~(hidden & is_crossed(table))].reset_index(drop=True)
