"""Which children earlier lists found, by group: the audit of a model on its backtest.

In:  one row per pupil and tested list: outcome, score, risk; the group of each row.
Out: :class:`ModelAudit`: counts, measures with verdicts, and the change from today's practice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.write import records
from riskmodel.display import html_list, html_table
from riskmodel.evaluation.capacity import listed_by
from riskmodel.evaluation.predictions import check_predictions
from riskmodel.evaluation.resampling import Resamples
from riskmodel.fairness.bootstrap import distinct_pupils
from riskmodel.fairness.disclosure import HIDDEN_NOTE, show
from riskmodel.fairness.groups import checked_groups, group_codes
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.publishing import hidden_groups, is_crossed
from riskmodel.fairness.rates import compare_levels, compare_precision, compare_rates, label_cells
from riskmodel.fairness.verdicts import DISPARITY, NO_EVIDENCE, TOO_FEW, count_verdicts, judge

__all__ = ["ModelAudit", "audit_model"]

RATES = {
    "recall": ("found", "positives"),
    "miss_rate": ("missed", "positives"),
    "precision": ("found", "listed"),
}
"""Measure → what is counted, out of what."""

CELL = (
    "characteristic",
    "group",
    "measure",
    "pupils",
    "pupils_elsewhere",
    "value",
    "low",
    "high",
    "others",
    "difference",
    "difference_low",
    "difference_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
    "detectable",
    "verdict",
)

CORNERS = ["pupils_found", "pupils_missed", "pupils_listed_without", "pupils_neither"]
"""Columns of pupils with a row of each kind: with the outcome, listed or not; without it, listed or not."""

COUNTS = ["rows", "pupils", "positives", "pupils_with_outcome", "listed", "found"]
Floats = NDArray[np.float64]

WORKING_GAPS = (
    "pupils_found",
    "pupils_missed",
    "listed_before",
    "listed_now",
    "z",
    "z_if_none",
)
"""Columns of the practice table that are not published."""

GAPS = ["before", "now", "gap_before", "gap", "change", "change_low", "change_high", "p_value"]


@dataclass(frozen=True, kw_only=True)
class ModelAudit:
    """How well earlier lists served each group, the lists pooled.

    Attributes
    ----------
    groups : DataFrame
        One row per group: ``characteristic, group``; ``rows`` (pupils times lists), ``pupils``,
        ``positives`` (rows with the outcome), ``pupils_with_outcome``, ``listed``, ``found`` (rows);
        and the pupils with a row of each kind: ``pupils_found``, ``pupils_missed``,
        ``pupils_listed_without`` (the outcome), ``pupils_neither``.
    measures : DataFrame
        One row per group and measure (``recall, miss_rate, precision, expected_over_observed,
        average_precision``): ``value`` with 95% interval, compared with all ``others``:
        ``difference`` and ``ratio`` with intervals that resample pupils; ``p_value``, ``detectable``
        and ``verdict`` (:mod:`riskmodel.fairness.verdicts`). Not defined is missing, never 0.
    practice : DataFrame
        From :func:`riskmodel.fairness.practice.compare_gaps`; no rows where there is none.
    """

    groups: pd.DataFrame = field(repr=False)
    measures: pd.DataFrame = field(repr=False)
    practice: pd.DataFrame = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return a copy of the measures.

        Returns
        -------
        DataFrame
            As :attr:`measures`.
        """
        return self.measures.copy()

    def published(self) -> dict[str, pd.DataFrame]:
        """Return the tables with small counts suppressed, in all of them together.

        Returns
        -------
        dict of str to DataFrame
            ``measures``, ``groups``, and ``practice`` where there is one.
        """
        hidden = hidden_groups(self.groups, self.groups[CORNERS])
        of_group = _by_group(self.groups, hidden)
        counts = show(self.groups.drop(columns=CORNERS), hidden, counts=COUNTS, figures=[])
        figures = [name for name in CELL[5:] if name != "verdict"]
        tables = {
            "measures": _shown(self.measures, of_group, ["pupils", "pupils_elsewhere"], figures),
            "groups": counts[~(hidden & is_crossed(counts))].reset_index(drop=True),
        }
        if len(self.practice):
            parts = [
                _shown(part, _hidden_practice(part, of_group), [], GAPS)
                for _, part in self.practice.groupby("ranker", sort=False)
            ]
            together = pd.concat(parts, ignore_index=True)
            tables["practice"] = together.drop(columns=list(WORKING_GAPS))
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
        cells = self.published()["measures"]
        counted = pd.crosstab(cells["measure"], cells["verdict"])
        counted = counted.reindex(columns=[DISPARITY, NO_EVIDENCE, TOO_FEW], fill_value=0)
        parts = [
            html_list([count_verdicts(cells)]),
            html_table(counted.reset_index(), "Comparisons of a group with all others, by verdict"),
        ]
        apart = cells[(cells["verdict"] == DISPARITY).to_numpy()]
        if len(apart):
            shown = ["characteristic", "group", "measure", "pupils", "value", "others"]
            caption = "Groups served differently from all others, beyond chance"
            parts.append(html_table(apart[shown], caption, note=HIDDEN_NOTE))
        return "".join(parts)


def audit_model(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    capacity: int,
    score: str = "model",
    practice: Sequence[str] = (),
    random_state: int = 0,
) -> ModelAudit:
    """Audit the lists of a backtest.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        One row per pupil and tested list (:mod:`riskmodel.evaluation.predictions`).
    groups : DataFrame of shape (n_rows, n_characteristics)
        Group of each row; missing is the group ``not_known``.
    capacity : int
        Pupils listed at each ``as_of``.
    score : str
        Score column of the model.
    practice : sequence of str
        Score columns of what is done today. A column that is missing or empty is left out.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    ModelAudit
        Every group of every characteristic, compared with all others.

    Raises
    ------
    RequestError
        If the predictions cannot be measured, the capacity is below 1, lengths differ, there is
        nobody, or a characteristic has too many groups.

    Notes
    -----
    Everybody in the cohort is ranked. Pupils whose outcome is not known hold their places, and no other
    figure counts them.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": list("abcd"), "as_of": pd.Timestamp("2024-02-10"),
    ...     "label": [1, 0, 1, 0], "model": [0.4, 0.3, 0.2, 0.1]})
    >>> groups = pd.DataFrame({"sex": ["Girls", "Girls", "Boys", "Boys"]})
    >>> audit_model(rows, groups, capacity=2).groups[["group", "listed", "found"]].to_dict("list")
    {'group': ['Boys', 'Girls'], 'listed': [0, 2], 'found': [0, 1]}
    """
    used = [name for name in practice if name in predictions and predictions[name].notna().any()]
    predictions = check_predictions(predictions, [score, *used])
    text = checked_groups(groups, predictions=predictions["label"])
    listed = listed_by(predictions, [score], capacity)[score]
    gaps = compare_gaps(
        predictions, text, used, capacity=capacity, score=score, random_state=random_state
    )
    known = predictions["label"].notna().to_numpy()
    predictions, text, listed = (
        predictions[known].reset_index(drop=True),
        text[known].reset_index(drop=True),
        listed[known],
    )
    columns = _columns(predictions["label"].to_numpy(dtype=float), listed)
    resamples = Resamples.draw(predictions["pupil_id"], random_state)
    cells = [
        _cells(predictions, score, text[name], columns, resamples, random_state) for name in text
    ]
    counts = [_counts(resamples.pupil, text[name], str(name), columns) for name in text]
    return ModelAudit(
        groups=pd.concat(counts, ignore_index=True),
        measures=judge(pd.concat(cells, ignore_index=True))[list(CELL)],
        practice=gaps,
    )


def _cells(
    predictions: pd.DataFrame,
    score: str,
    group: pd.Series,
    columns: dict[str, Floats],
    resamples: Resamples,
    random_state: int,
) -> pd.DataFrame:
    """Return every measure of every group of one characteristic, not judged yet."""
    label = columns["positives"]
    parts = [compare_rates(resamples.pupil, group, columns, RATES, random_state=random_state)]
    if "risk" in predictions:
        parts.append(compare_levels(group, label, predictions["risk"], resamples))
    days = predictions["as_of"]
    parts.append(compare_precision(group, label, predictions[score], days, resamples))
    return label_cells(pd.concat(parts, ignore_index=True), str(group.name))


def _columns(label: Floats, listed: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return what is counted of each row."""
    found = label * listed
    return {
        "positives": label,
        "listed": listed.astype(float),
        "found": found,
        "missed": label - found,
    }


def _counts(
    pupil: NDArray[np.int64], group: pd.Series, characteristic: str, columns: dict[str, Floats]
) -> pd.DataFrame:
    """Count rows and pupils of each group."""
    names, codes = group_codes(group)
    label, listed = columns["positives"] > 0, columns["listed"] > 0
    every = np.ones(len(codes), dtype=bool)
    kinds = (label & listed, label & ~listed, ~label & listed, ~label & ~listed)

    def rows(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(codes[where], minlength=len(names))

    def pupils(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return distinct_pupils(pupil, codes, len(names), where)[0]

    counts = {
        "characteristic": characteristic,
        "group": names,
        "rows": rows(every),
        "pupils": pupils(every),
        "positives": rows(label),
        "pupils_with_outcome": pupils(label),
        "listed": rows(listed),
        "found": rows(label & listed),
    }
    corners = {name: pupils(where) for name, where in zip(CORNERS, kinds, strict=True)}
    return pd.DataFrame(counts | corners)


def _by_group(table: pd.DataFrame, hidden: NDArray[np.bool_]) -> pd.Series:
    """Return whether each group is hidden, by characteristic and group."""
    return pd.Series(hidden, index=pd.MultiIndex.from_frame(table[["characteristic", "group"]]))


def _shown(
    table: pd.DataFrame, of_group: pd.Series, counts: list[str], figures: list[str]
) -> pd.DataFrame:
    """Show a table whose rows belong to groups."""
    keys = pd.MultiIndex.from_frame(table[["characteristic", "group"]])
    hidden = of_group.reindex(keys).to_numpy(dtype=bool)
    public = show(table, hidden, counts=counts, figures=figures)
    return public[~(hidden & is_crossed(public))].reset_index(drop=True)


def _hidden_practice(part: pd.DataFrame, of_group: pd.Series) -> pd.Series:
    """Return which groups are hidden where those whom a ranker found or missed are few too."""
    keys = pd.MultiIndex.from_frame(part[["characteristic", "group"]])
    already = of_group.reindex(keys).to_numpy(dtype=bool)
    small = hidden_groups(part, part[["pupils_found", "pupils_missed"]], already)
    return _by_group(part, small)
