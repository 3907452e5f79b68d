"""The backtest as a page that an analyst reads before anything is promoted.

In:  a backtest, its notes and gates, where the model came from.
Out: one HTML file with charts inside; no network, no script.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from riskmodel.evaluation import Backtest
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.report.templates import render
from riskmodel.training.gate_answers import GateAnswer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["backtest_page"]

LINES = ("-", "--", ":", "-.")
MARKERS = "os^Dv<>"


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
    """
    charts = [
        (
            "How well each ranker ranks",
            _svg(_forest, backtest, height=0.5 + 0.45 * len(backtest.table)),
        ),
        ("List by list", _svg(_over_time, backtest)),
    ]
    if backtest.calibration is not None:
        charts.append(("Risk and what came true", _svg(_reliability, backtest)))
    if backtest.net_benefit is not None:
        charts.append(
            ("Net benefit at every price of a needless offer", _svg(_decisions, backtest))
        )
    if search is not None:
        charts.append(("Settings: accuracy and the largest recall gap", _svg(_front, search)))
    return render(
        "backtest.html",
        outcome=outcome,
        simulated=bool(trained["simulated"]),
        counts=backtest.counts,
        notes=list(notes),
        gates=list(gates),
        charts=charts,
        metrics=_metric_rows(backtest.table),
        labels=list(METRICS.values()),
        differences=_metric_rows(backtest.differences),
        tables=_tables(backtest, search),
        lineage={k: v for k, v in trained.items() if not isinstance(v, list | dict)},
    )


def _metric_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return ranker and one cell per metric: value and interval."""
    return [
        {"ranker": row["ranker"], "cells": [_cell(row, name) for name in METRICS]}
        for row in table.to_dict("records")
    ]


def _cell(row: dict[Any, Any], name: str) -> str:
    if pd.isna(row[name]):
        return "not defined"
    interval = f" ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"
    return f"{row[name]:.3f}" + (interval if pd.notna(row[f"{name}_low"]) else "")


def _tables(backtest: Backtest, search: pd.DataFrame | None) -> list[tuple[str, Markup]]:
    """Return the other tables under their captions."""
    over_time = backtest.over_time()
    found = {
        "Average precision over the lists: median and worst": over_time,
        "How early: pupils with the outcome who stood on a tested list before it": backtest.lead_time,
        "How steady: listed pupils who are on the next list": backtest.stability,
        "Between and within schools": backtest.schools,
    }
    if backtest.calibration is not None:
        found["Risks and what came true"] = backtest.calibration.summary
        found["Expected and observed by tenth of risk and by phase"] = backtest.calibration.parts
    if search is not None:
        found["Settings that no other beat in both aims"] = search
    return [
        (title, Markup(table.to_html(index=False, border=0, na_rep="not defined",  # noqa: S704
                                     float_format="{:.3f}".format)))
        for title, table in found.items() if table is not None and not table.empty
    ]  # fmt: skip


def _svg(draw: Callable[[Figure, Axes, Any], None], data: Any, height: float = 3.6) -> Markup:
    """Draw a chart and return it as inline SVG, the same bytes for the same data."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "riskmodel", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(8.5, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(figure, axes, data)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return Markup(text[text.index("<svg") :])  # noqa: S704


def _forest(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    rows = backtest.table.iloc[::-1]
    axes.remove()
    left, right = figure.subplots(1, 2, sharey=True)
    for one, name in ((left, "average_precision"), (right, "recall_at_capacity")):
        for place, row in enumerate(rows.to_dict("records")):
            one.plot([row[f"{name}_low"], row[f"{name}_high"]], [place, place], color="#555")
            face = "#111" if row["ranker"] == "model" else "#fff"
            one.plot(row[name], place, "o", color="#111", markerfacecolor=face)
        one.set(xlabel=f"{METRICS[name]}, 95% interval", xlim=(0, None))
        one.spines[["top", "right"]].set_visible(False)
        one.grid(axis="x", color="#ddd")
    left.set_yticks(range(len(rows)), rows["ranker"])


def _over_time(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    order = backtest.table["ranker"].tolist()
    for number, name in enumerate(order):
        line = backtest.by_list[backtest.by_list["ranker"] == name].sort_values("as_of")
        axes.plot(
            line["as_of"].dt.strftime("%b %Y"), line["average_precision"],
            linestyle=LINES[number % len(LINES)], marker=MARKERS[number % len(MARKERS)],
            color="#000" if name == "model" else "#888", linewidth=2 if name == "model" else 1,
            label=name,
        )  # fmt: skip
    axes.set(ylabel="Average precision", xlabel="List", ylim=(0, None))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _reliability(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    assert backtest.calibration is not None
    curve = backtest.calibration.curve
    largest = float(max(curve["risk"].max(), curve["observed"].max()))
    axes.plot([0, largest], [0, largest], color="#888", linestyle=":", label="risk = share")
    axes.fill_between(
        curve["risk"], curve["low"], curve["high"], color="#ccc", label="95% interval"
    )
    axes.plot(curve["risk"], curve["observed"], color="#000", label="isotonic")
    axes.set(xlabel="Risk given", ylabel="Share with the outcome")
    ticks = [
        tick for tick in (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if tick <= largest
    ]
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_yscale("symlog", linthresh=0.01)
    axes.set_xticks(ticks, [f"{tick:.1%}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:.1%}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)


def _decisions(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    assert backtest.net_benefit is not None
    shown = ["model, by threshold", "model, at capacity", "everyone"]
    rest = [f"{name}, at capacity" for name in backtest.table["ranker"] if name != "model"]
    shown += [name for name in rest if "ceiling" not in name][:2]
    table = backtest.net_benefit
    for number, name in enumerate(shown):
        line = table[table["strategy"] == name]
        axes.plot(1 / line["threshold"], line["net_benefit"], label=name,
                  linestyle=LINES[number % len(LINES)],
                  color="#000" if name.startswith("model") else "#888")  # fmt: skip
    axes.axhline(0, color="#000", linewidth=0.6)
    top = float(table.loc[table["strategy"].isin(shown), "net_benefit"].max())
    axes.set(xscale="log", ylim=(-0.5 * top, 1.1 * top),
             xlabel="Worth a place from a risk of 1 in …",
             ylabel="Net benefit per 10,000 pupils")  # fmt: skip
    axes.set_xticks(
        [500, 200, 100, 50, 20, 10, 5, 3], ["500", "200", "100", "50", "20", "10", "5", "3"]
    )
    axes.minorticks_off()
    axes.legend(frameon=False)


def _front(figure: Figure, axes: Axes, front: pd.DataFrame) -> None:
    axes.plot(front["recall_gap"], front["average_precision"], "o-", color="#000")
    axes.set(xlabel="Largest recall gap between groups", ylabel="Average precision")
