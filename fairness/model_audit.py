"""Whom did earlier lists find, by group: the audit of a model on its backtest.

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
from riskmodel.fairness.audit import HIDDEN_NOTE, count_verdicts
from riskmodel.fairness.bootstrap import distinct_pupils
from riskmodel.fairness.disclosure import show
from riskmodel.fairness.groups import checked_groups, place_of
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.publishing import hidden_groups, is_crossed
from riskmodel.fairness.rates import compare_levels, compare_precision, compare_rates, label_cells
from riskmodel.fairness.verdicts import DISPARITY, NO_EVIDENCE, TOO_FEW, judge

__all__ = ["ModelAudit", "audit_model"]

RATES = {
    "recall": ("found", "positives"),
    "miss_rate": ("missed", "positives"),
    "precision": ("found", "listed"),
}
"""Measure → what is counted, out of what."""

CELL = ("characteristic", "group", "measure", "pupils", "pupils_elsewhere", "value", "low", "high",
        "others", "difference", "difference_low", "difference_high", "ratio", "ratio_low",
        "ratio_high", "p_value", "detectable", "verdict")  # fmt: skip

CORNERS = ["pupils_found", "pupils_missed", "pupils_listed_without", "pupils_neither"]
"""Pupils with a row of each kind: with the outcome, listed or not; without it, listed or not."""

COUNTS = ["rows", "pupils", "positives", "pupils_with_outcome", "listed", "found"]
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
        keys = pd.MultiIndex.from_frame(self.groups[["characteristic", "group"]])
        of_group = pd.Series(hidden, index=keys)
        counts = show(self.groups.drop(columns=CORNERS), hidden, counts=COUNTS, figures=[])
        tables = {
            "measures": _shown(
                self.measures, of_group, ["pupils", "pupils_elsewhere"],
                [name for name in CELL[5:] if name != "verdict"],
            ),
            "groups": counts[~(hidden & is_crossed(counts))].reset_index(drop=True),
        }  # fmt: skip
        if len(self.practice):
            parts = [
                _shown(part, _hidden_practice(part, of_group), [], GAPS)
                for _, part in self.practice.groupby("ranker", sort=False)
            ]
            kept = [
                name for name in self.practice if name not in ("pupils_found", "pupils_missed", "z")
            ]
            tables["practice"] = pd.concat(parts, ignore_index=True)[kept]
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
        ``pupil_id``, ``as_of``, ``label`` (0 or 1), the scores; ``risk``, calibrated, where known.
    groups : DataFrame of shape (n_rows, n_characteristics)
        Group of each row; missing is the group ``not_known``.
    capacity : int
        Pupils listed at each ``as_of``.
    score : str
        Score column of the model.
    practice : sequence of str
        Score columns of what is done today; those that are not there, or hold nothing, are left out.
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
    """
    predictions = check_predictions(predictions, [score])
    label = predictions["label"].to_numpy(dtype=float)
    text = checked_groups(groups, predictions=label)
    listed = listed_by(predictions, [score], capacity)[score]
    resamples = Resamples.draw(predictions["pupil_id"], random_state)
    pupil, columns = resamples.pupil, _columns(label, listed)
    cells = []
    for name in text:
        parts = [compare_rates(pupil, text[name], columns, RATES, random_state=random_state)]
        if "risk" in predictions:
            parts.append(compare_levels(text[name], label, predictions["risk"], resamples))
        parts.append(
            compare_precision(
                text[name], label, predictions[score], predictions["as_of"], resamples
            )
        )
        cells.append(label_cells(pd.concat(parts, ignore_index=True), str(name)))
    measures = judge(pd.concat(cells, ignore_index=True))[list(CELL)]
    return ModelAudit(
        groups=pd.concat(
            [_counts(pupil, text[name], str(name), columns) for name in text], ignore_index=True
        ),
        measures=measures,
        practice=compare_gaps(
            predictions, text,
            [name for name in practice if name in predictions and predictions[name].notna().any()],
            capacity=capacity, score=score, random_state=random_state,
        ),
    )  # fmt: skip


def _columns(
    label: NDArray[np.float64], listed: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    found = label * listed
    return {
        "positives": label,
        "listed": listed.astype(float),
        "found": found,
        "missed": label - found,
    }


def _counts(
    pupil: NDArray[np.int64],
    group: pd.Series,
    characteristic: str,
    columns: dict[str, NDArray[np.float64]],
) -> pd.DataFrame:
    """Count rows and pupils of each group."""
    names, place = place_of(group)
    label, listed = columns["positives"] > 0, columns["listed"] > 0

    def pupils(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return distinct_pupils(pupil, place, len(names), where)[0]

    def rows(where: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(place[where], minlength=len(names))

    every = np.ones(len(place), dtype=bool)
    corners = (label & listed, label & ~listed, ~label & listed, ~label & ~listed)
    return pd.DataFrame(
        {"characteristic": characteristic, "group": names, "rows": rows(every), "pupils": pupils(every),
         "positives": rows(label), "pupils_with_outcome": pupils(label), "listed": rows(listed),
         "found": rows(corners[0])}
        | {name: pupils(where) for name, where in zip(CORNERS, corners, strict=True)}
    )  # fmt: skip


def _shown(
    table: pd.DataFrame, of_group: pd.Series, counts: list[str], figures: list[str]
) -> pd.DataFrame:
    """Show a table whose rows belong to groups."""
    keys = pd.MultiIndex.from_frame(table[["characteristic", "group"]])
    hidden = of_group.reindex(keys).to_numpy(dtype=bool)
    public = show(table, hidden, counts=counts, figures=figures)
    return public[~(hidden & is_crossed(public))].reset_index(drop=True)


def _hidden_practice(part: pd.DataFrame, of_group: pd.Series) -> pd.Series:
    """Hide also whom a ranker found or missed where they are few."""
    keys = pd.MultiIndex.from_frame(part[["characteristic", "group"]])
    already = of_group.reindex(keys).to_numpy(dtype=bool)
    small = hidden_groups(part, part[["pupils_found", "pupils_missed"]], already)
    return pd.Series(small, index=keys)
