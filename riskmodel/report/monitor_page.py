"""Monitoring as a page: what is wrong with the extract first, then drift, then what became of lists.

In:  what :func:`riskmodel.jobs.monitor` measured.
Out: one HTML file; no network, no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from riskmodel.features import CATALOGUE
from riskmodel.report.charts import bar_length
from riskmodel.report.sentences import day_words
from riskmodel.report.tables import text_table
from riskmodel.report.templates import render

__all__ = ["monitor_page"]

WIDTH = 240
"""Pixels of the widest bar of the drift chart."""

LEAST = 0.1
"""Index of the longest bar where all are smaller: nothing that hardly moves looks large."""

SHOWN = 30
"""Features of the chart; the file has them all."""

HEADS = (
    "List of",
    "Who",
    "Supported",
    "Pupils",
    "Expected",
    "Observed",
    "Horizon over",
)
"""Columns of the table of earlier lists."""


def monitor_page(
    *,
    title: str,
    as_of: pd.Timestamp,
    simulated: bool,
    problems: Sequence[str],
    breaks: Sequence[str],
    drift: pd.DataFrame,
    outcomes: pd.DataFrame,
    caution: str,
    advice: Sequence[str],
    retrain: bool,
) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
        Heading.
    as_of : Timestamp
        The day on which the champion was watched.
    simulated : bool
        Whether the pupils are simulated.
    problems : sequence of str
        The extract's problems.
    breaks : sequence of str
        Changes of policy that may be behind what follows.
    drift, outcomes : DataFrame
        Tables.
    caution : str
        Sentence beside the outcomes.
    advice : sequence of str
        What to do.
    retrain : bool
        Whether to train again.

    Returns
    -------
    str
        HTML.
    """
    lists = [_outcome(row) for row in outcomes.to_dict("records")]
    return render(
        "monitor.html",
        title=title,
        as_of=day_words(as_of),
        simulated=simulated,
        problems=list(problems),
        breaks=list(breaks),
        tiles=_tiles(drift, problems, outcomes),
        drift=_bars(drift.head(SHOWN)),
        outcomes=text_table(HEADS, lists),
        caution=caution,
        advice=advice,
        retrain=retrain,
    )


def _tiles(
    drift: pd.DataFrame, problems: Sequence[str], outcomes: pd.DataFrame
) -> list[tuple[str, str]]:
    """Return what was found: a count, and its words."""
    n_lists = len({row["as_of"] for row in outcomes.to_dict("records")})
    return [
        (f"{len(problems):,}", "problems of the extract"),
        (
            f"{int(drift['drifted'].sum()):,} of {len(drift):,}",
            "features and the score have drifted",
        ),
        (f"{n_lists:,}", "earlier lists were followed up"),
    ]


def _bars(drift: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the drift of features in words and as bars of one scale."""
    largest = max(LEAST, float(drift[["index", "usual"]].to_numpy().max(initial=0.0)))
    return [_bar(row, largest) for row in drift.to_dict("records")]


def _bar(row: dict[Any, Any], largest: float) -> dict[str, Any]:
    """Return the drift of a feature."""
    name = row["feature"]
    return {
        "feature": CATALOGUE[name].label if name in CATALOGUE else name,
        "code": name if name in CATALOGUE else "",
        "drifted": row["drifted"],
        "index": f"{row['index']:.2f}",
        "usual": f"{row['usual']:.2f}",
        "missing": f"{row['missing_before']:.0%} → {row['missing_now']:.0%}",
        "width": bar_length(row["index"], largest=largest, width=WIDTH),
        "usual_at": bar_length(row["usual"], largest=largest, width=WIDTH),
    }


def _outcome(row: dict[Any, Any]) -> list[str]:
    """Return what became of a group of pupils of an earlier list."""
    return [
        f"{row['as_of']:%Y-%m-%d}",
        ("listed" if row["listed"] else "not listed")
        + ("" if row["same_model"] else " (by another model)"),
        str(row["supported"]),
        f"{row['pupils']:,}",
        f"{row['expected']:.1f}",
        _observed(row),
        "yes" if row["complete"] else "not yet",
    ]


def _observed(row: dict[Any, Any]) -> str:
    if pd.isna(row["observed"]):
        return "not known before the horizon is over"
    return f"{row['observed']:.0f} ({row['observed_low']:.0f} to {row['observed_high']:.0f})"
