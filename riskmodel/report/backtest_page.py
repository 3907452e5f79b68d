"""The backtest as a page that an analyst reads before anything is promoted.

In:  a backtest, its notes and gates, where the model came from.
Out: one HTML file with charts inside; no network, no script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from riskmodel.data.outcomes import outcome_of
from riskmodel.display import write_share
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.evaluation.stability import EARLY_DAYS
from riskmodel.report.backtest_charts import backtest_charts
from riskmodel.report.tables import TextTable, frame_table
from riskmodel.report.templates import render
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["backtest_page"]

LABELS = {
    "worst_as_of": "List of the worst",
    "events": "Pupils with the outcome",
    "ever_listed": "Share on a list before it",
    "listed_early": f"Share at least {EARLY_DAYS} days before it",
    "median_days": "Median days before it",
    "days_apart": "Mean days between lists",
    "kept": "Share on the next list",
    "share_between": "Share of the ranking between schools",
    "auc_within": "AUC within schools",
    "auc_of_school": "AUC of the school alone",
    "value": "Figure",
    "lost_to": "Went to",
    "of_places": "Of all places",
    "recall_weighted": "Recall, weighted",
    "precision_weighted": "Precision, weighted",
    "given": "Places given",
    "capacity": "Places on a list",
    "per_100_places": "Children found per 100 places",
    "per_list": "Children found on a list",
    "outcomes": "Pupils with the outcome",
    "reached": "Share reached",
    "gain": "Difference to one list a year",
    "days": "Days before, at least",
    "label": "A child with",
    "column": "Feature",
}
"""Column of the other tables → its head, where its name is short for something."""


def backtest_page(
    backtest: Backtest,
    *,
    outcome: str,
    notes: Sequence[str],
    gates: Sequence[GateAnswer],
    trained: Mapping[str, Any],
    search: pd.DataFrame | None = None,
) -> str:
    """Return the page.

    Parameters
    ----------
    backtest : Backtest
        What was measured.
    outcome : str
        Outcome.
    notes : sequence of str
        What a reader must know.
    gates : sequence of GateAnswer
        How the model did at each gate.
    trained : mapping
        Lineage of the model.
    search : DataFrame, optional
        The front of a search with two aims.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    RequestError
        If there is no such outcome.
    """
    return render(
        "backtest.html",
        outcome=outcome_of(outcome).words,
        simulated=bool(trained["simulated"]),
        tiles=_tiles(backtest.counts) + _headline(backtest),
        notes=list(notes),
        gates=[(answer, *_gate_numbers(answer)) for answer in gates],
        charts=backtest_charts(backtest, search),
        metrics=_metric_table(backtest.table),
        differences=_metric_table(backtest.differences),
        tables=_tables(backtest, search),
        lineage=_lineage(trained),
    )


def _tiles(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was tested: a count, and its words."""
    return [
        (f"{counts['origins']:,}", "lists tested"),
        (f"{counts['capacity']:,}", "places on each list"),
        (f"{counts['rows']:,}", "rows: a pupil on a list's day"),
        (f"{counts['pupils']:,}", "pupils"),
        (f"{counts['positive_pupils']:,}", "pupils with the outcome"),
        (f"{counts['prevalence']:.2%}", "of rows have the outcome"),
    ]


def _headline(backtest: Backtest) -> list[tuple[str, str]]:
    """Return what the best simpler ranker finds too, and what the list held of children never suspended."""
    tiles = _beside(backtest, "recall_at_capacity", "of outcomes were on the model's lists")
    if backtest.never_suspended_words() is None:
        return tiles
    share, metric = backtest.never_suspended or {}, "recall_never_suspended"
    return [
        *tiles,
        _tile(share, "share", "of outcomes fell on pupils never suspended"),
        _tile(backtest.row(), metric, "of these were on the model's lists"),
        *_beside(backtest, metric, "of these were on the model's lists")[1:],
    ]


def _beside(backtest: Backtest, metric: str, words: str) -> list[tuple[str, str]]:
    """Return a share of the model's lists, and that of the best simpler ranker; nothing without one."""
    rival = backtest.best_simpler(metric)
    if rival is None:
        return []
    return [
        _tile(backtest.row(), metric, words),
        _tile(backtest.row(rival.ranker), metric, f"on those of {rival.ranker}"),
    ]


def _tile(row: Mapping[Any, Any], name: str, words: str) -> tuple[str, str]:
    """Return a share, and its words with the interval."""
    figure, _, interval = write_share(row, name).partition(" ")
    return figure, f"{words} {interval}".rstrip()


def _lines(backtest: Backtest) -> pd.DataFrame | None:
    """Return the lines of the learned points score, in words first."""
    if backtest.points is None:
        return None
    return backtest.points[["label", "points", "column", "test", "threshold"]]


def _gate_numbers(answer: GateAnswer) -> tuple[str, str]:
    """Return what a gate measured, and what it had to keep."""
    bounds = answer.threshold if isinstance(answer.threshold, tuple) else (answer.threshold,)
    kept = " to ".join(f"{one:g}" for one in bounds if one is not None)
    return "–" if answer.value is None else f"{answer.value:.3g}", kept or "–"


def _lineage(trained: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return where the model came from, without lists."""
    return [
        (name.replace("_", " "), value)
        for name, value in trained.items()
        if not isinstance(value, list | dict)
    ]


def _metric_table(table: pd.DataFrame) -> TextTable:
    """Return one row per ranker: each metric with its interval."""
    ends = [f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")]
    shown = table[["ranker", *[name for name in ends if name in table]]]
    return frame_table(shown, labels=METRICS | {"ranker": "Ranker"})


def _tables(backtest: Backtest, search: pd.DataFrame | None) -> dict[str, TextTable]:
    """Return the other tables by their captions."""
    found = {
        "Average precision over the lists: median and worst": backtest.over_time(),
        "How early: pupils with the outcome who were on a tested list before it": backtest.lead_time,
        "How steady: listed pupils who are on the next list": backtest.stability,
        "Between and within schools": backtest.schools,
        "Places of pupils whose outcome is not known, by where they went": backtest.lost,
        "Weighted by the probability of staying until the outcome": backtest.weighted,
        "Outcomes reached so many days before, by how often lists are made": backtest.notice,
        "Points score: lines to add up by hand, learned from all training rows": _lines(backtest),
        "Settings that no other beat in both aims": search,
    }
    if backtest.places is not None:
        found["What lists of other lengths find"] = backtest.places.table
        found["The model minus the best rival, by length of list"] = backtest.places.differences
        found["More places on a list"] = backtest.places.more
        found["The same places given by pupil and by school"] = backtest.places.schools
    if backtest.calibration is not None:
        found["Risks and what came true"] = backtest.calibration.summary
        found["Expected and observed of the pupils listed"] = backtest.calibration.listed
        found["Expected and observed by list, each calibrated on past lists and a usual slope"] = (
            backtest.calibration.by_list
        )
        found["Expected and observed by tenth of risk and by phase"] = backtest.calibration.parts
    return {
        title: frame_table(table, labels=LABELS)
        for title, table in found.items()
        if table is not None and not table.empty
    }
