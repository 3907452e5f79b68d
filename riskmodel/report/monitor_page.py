"""Monitoring as a page: what is wrong with the extract first, then drift, then what became of lists.

In:  what :func:`riskmodel.jobs.monitor` measured.
Out: one HTML file; no network, no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from riskmodel.report.charts import bar_length
from riskmodel.report.tables import text_table
from riskmodel.report.templates import render

__all__ = ["monitor_page"]

WIDTH = 240
"""Pixels of the widest bar of the drift chart."""

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
    simulated: bool,
    problems: Sequence[str],
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
    simulated : bool
        Whether the pupils are simulated.
    problems : sequence of str
        The extract's problems.
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
    top = drift.head(SHOWN)
    largest = max(0.1, float(top[["index", "usual"]].to_numpy().max(initial=0.0)))
    return render(
        "monitor.html",
        title=title,
        simulated=simulated,
        problems=list(problems),
        drift=[_bar(row, largest) for row in top.to_dict("records")],
        n_drifted=int(drift["drifted"].sum()),
        n_features=len(drift),
        outcomes=text_table(HEADS, [_outcome(row) for row in outcomes.to_dict("records")]),
        caution=caution,
        advice=list(advice),
        retrain=retrain,
    )


def _bar(row: dict[Any, Any], largest: float) -> dict[str, Any]:
    """Return a feature's drift in words and as a bar."""
    return {
        "feature": row["feature"],
        "drifted": row["drifted"],
        "index": f"{row['index']:.2f}",
        "usual": f"{row['usual']:.2f}",
        "missing": f"{row['missing_before']:.0%} → {row['missing_now']:.0%}",
        "width": bar_length(row["index"], largest=largest, width=WIDTH),
        "usual_at": bar_length(row["usual"], largest=largest, width=WIDTH),
    }


def _outcome(row: dict[Any, Any]) -> list[str]:
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
