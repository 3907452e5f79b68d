"""The charts of a backtest.

In:  a backtest; the front of a search with two aims.
Out: SVG by title; a chart that lacks its figures is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from riskmodel.evaluation import Backtest
from riskmodel.evaluation.calibration import Calibration
from riskmodel.evaluation.capacity_curve import CapacityCurve
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.report.charts import HIGH, MARKS, colour, line_look, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from riskmodel.report.charts import Draw

__all__ = ["backtest_charts"]

FOREST = ("average_precision", "recall_at_capacity")
"""Metrics of the chart of all rankers."""

ROOM, LINE = 0.5, 0.45
"""Inches of the chart of all rankers: for its axis, and for each ranker."""

RISKS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Risks that are written at the axes of the chart of calibration."""

EVEN = 0.01
"""Risk below which the axes of that chart are even, and above which they are logarithmic."""

LEAST_BENEFIT = 0.1
"""Net benefit per 10,000 pupils at the top of its chart where no ranker has more."""

PRICES = (500, 200, 100, 50, 20, 10, 5, 3)
"""Written at the axis of net benefit: worth a place from a risk of 1 in so many."""


def backtest_charts(backtest: Backtest, search: pd.DataFrame | None = None) -> dict[str, Markup]:
    """Return the charts of a backtest.

    Parameters
    ----------
    backtest : Backtest
        What was measured.
    search : DataFrame, optional
        The front of a search with two aims.

    Returns
    -------
    dict of str to Markup
        Title → SVG.
    """
    drawn: dict[str, tuple[Draw, Any]] = {
        "How well each ranker ranks": (_forest, backtest.table),
        "What more and fewer places find": (_capacity, backtest.places),
        "How early outcomes are reached, with the same places for a year": (
            _notice,
            backtest.notice,
        ),
        "List by list": (_over_time, backtest),
        "Risk and what came true": (_reliability, backtest.calibration),
        "Net benefit at every price of a needless offer": (_decisions, _with_benefit(backtest)),
        "Settings: accuracy and the largest recall gap": (_front, search),
    }
    heights: dict[Draw, float] = {_forest: ROOM + LINE * len(backtest.table)}
    return {
        title: picture(draw, data, title=title, height=heights.get(draw, HIGH))
        for title, (draw, data) in drawn.items()
        if data is not None
    }


def _with_benefit(backtest: Backtest) -> Backtest | None:
    return None if backtest.net_benefit is None else backtest


def _forest(figure: Figure, axes: Axes, table: pd.DataFrame) -> None:
    """Draw two metrics of every ranker with their intervals."""
    axes.remove()
    rows = table.iloc[::-1].to_dict("records")
    pair = figure.subplots(1, 2, sharey=True)
    for one, name in zip(pair, FOREST, strict=True):
        for place, row in enumerate(rows):
            one.plot([row[f"{name}_low"], row[f"{name}_high"]], [place] * 2, color=colour("edge"))
            face = colour("deep") if row["ranker"] == "model" else "#ffffff"
            one.plot(row[name], place, "o", color=colour("deep"), markerfacecolor=face)
        one.set(xlabel=f"{METRICS[name]}, 95% interval", xlim=(0, None))
        one.grid(axis="x")
    pair[0].set_yticks(range(len(rows)), [row["ranker"] for row in rows])


def _capacity(figure: Figure, axes: Axes, places: CapacityCurve) -> None:
    """Draw recall and children found by places on a list, for the model and the best rival there."""
    axes.remove()
    pair = figure.subplots(1, 2)
    heads = {"recall": "Recall, 95% interval", "per_100_places": "Children found per 100 places"}
    is_ours = places.table["ranker"] == places.table["ranker"].iloc[0]
    lines = [places.table[is_ours], places.table[~is_ours].sort_values("capacity")]
    for one, (name, head) in zip(pair, heads.items(), strict=True):
        for place, line in enumerate(line for line in lines if not line.empty):
            _with_band(one, line, "capacity", name, label=_named_by_capacity(line), place=place)
        one.set(xlabel="Places on a list", ylabel=head, xlim=(0, None), ylim=(0, None))
    pair[0].legend()


def _named_by_capacity(line: pd.DataFrame) -> str:
    """Return the rankers of a line, each with the places from which on it is the best."""
    starts = line[line["ranker"] != line["ranker"].shift()]
    first, *later = zip(starts["ranker"], starts["capacity"], strict=True)
    return ", ".join([first[0], *(f"{name} from {places}" for name, places in later)])


def _notice(figure: Figure, axes: Axes, notice: pd.DataFrame) -> None:
    """Draw the share of outcomes reached so many days before, by schedule."""
    for place, name in enumerate(notice["schedule"].unique()):
        line = notice[notice["schedule"] == name]
        _with_band(axes, line, "days", "reached", label=name, place=place)
    axes.set(xlabel="At least so many days before", ylabel="Share of outcomes, 95% interval")
    axes.set_ylim(0, None)
    axes.set_xticks(sorted(notice["days"].unique()))
    axes.legend()


def _with_band(
    axes: Axes, line: pd.DataFrame, across: str, name: str, *, label: str, place: int
) -> None:
    """Draw a line with its interval; the first line of a chart is ours."""
    look = line_look(place, is_ours=place == 0) | {"marker": MARKS[place]}
    shade = {"color": colour("pale")} if place == 0 else {"color": colour("edge"), "alpha": 0.2}
    axes.fill_between(line[across], line[f"{name}_low"], line[f"{name}_high"], **shade)
    axes.plot(line[across], line[name], label=label, **look)


def _over_time(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    """Draw the average precision of every ranker, list by list."""
    names = sorted(backtest.table["ranker"], key=lambda name: bool(name != "model"))
    for place, name in enumerate(names):
        line = backtest.by_list[backtest.by_list["ranker"] == name].sort_values("as_of")
        look = line_look(place, is_ours=name == "model") | {"marker": MARKS[place % len(MARKS)]}
        days = line["as_of"].dt.strftime("%b %Y")
        axes.plot(days, line["average_precision"], label=name, **look)
    axes.set(ylabel="Average precision", xlabel="List", ylim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def _reliability(figure: Figure, axes: Axes, calibration: Calibration) -> None:
    """Draw the share of pupils with the outcome by the risk they were given."""
    curve = calibration.curve
    largest = float(max(curve["risk"].max(), curve["observed"].max()))
    axes.plot([0, largest], [0, largest], color=colour("edge"), linestyle=":", label="risk = share")
    low, high = curve["low"], curve["high"]
    axes.fill_between(curve["risk"], low, high, color=colour("pale"), label="95% interval")
    axes.plot(curve["risk"], curve["observed"], color=colour("deep"), label="isotonic")
    axes.set(xlabel="Risk given", ylabel="Share with the outcome", xlim=(0, None), ylim=(0, None))
    ticks = [tick for tick in RISKS if tick <= largest]
    for axis, scale in ((axes.xaxis, axes.set_xscale), (axes.yaxis, axes.set_yscale)):
        scale("symlog", linthresh=EVEN)
        axis.set_ticks(ticks, labels=[f"{tick:.1%}" for tick in ticks])
    axes.minorticks_off()
    axes.legend()


def _decisions(figure: Figure, axes: Axes, backtest: Backtest) -> None:
    """Draw the net benefit of the model, of offering to everyone, and of the two best rivals."""
    table = backtest.net_benefit
    assert table is not None
    rivals = [name for name in backtest.table["ranker"] if name != "model" and "oracle" not in name]
    ours = ["model, by threshold", "model, at capacity"]
    shown = [*ours, "everyone", *[f"{name}, at capacity" for name in rivals[:2]]]
    for place, name in enumerate(shown):
        line = table[table["strategy"] == name]
        look = line_look(place, is_ours=name in ours)
        axes.plot(1 / line["threshold"], line["net_benefit"], label=name, **look)
    axes.axhline(0, color=colour("ink"), linewidth=0.6)
    top = max(LEAST_BENEFIT, table.loc[table["strategy"].isin(shown), "net_benefit"].max())
    axes.set(xscale="log", ylim=(-0.5 * top, 1.1 * top))
    axes.set_xlabel("Worth a place from a risk of 1 in …")
    axes.set_ylabel("Net benefit per 10,000 pupils")
    axes.set_xticks(PRICES, [str(price) for price in PRICES])
    axes.minorticks_off()
    axes.legend()


def _front(figure: Figure, axes: Axes, front: pd.DataFrame) -> None:
    """Draw the settings that no other beat in both aims."""
    axes.plot(front["recall_gap"], front["average_precision"], "o-", color=colour("deep"))
    axes.set(xlabel="Largest recall gap between groups", ylabel="Average precision")
