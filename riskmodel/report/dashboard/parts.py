"""The cards of the dashboard: a measure in words, as a chart, and as numbers.

In:  rows of one school, or of one phase, with what is hidden.
Out: what the templates show, theme by theme.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from math import isnan
from typing import Any

import pandas as pd

from riskmodel.data.codes import code_set
from riskmodel.data.schema import NOT_KNOWN
from riskmodel.inclusion.catalogue import MEASURES, Measure, england
from riskmodel.inclusion.leavers import ONCE_A_YEAR
from riskmodel.inclusion.periods import year_label
from riskmodel.report.charts import number
from riskmodel.report.dashboard.measure_charts import Point, line_chart
from riskmodel.report.tables import TextTable, text_table

__all__ = ["sources", "themes"]

TOO_FEW = "fewer than 5 pupils in every period, or counts that would give them away"

Row = dict[Hashable, Any]

BREAKDOWNS = {"reasons": "reasons", "needs": "needs"}
"""Measure with one row per code → code set of its labels."""


def themes(rows: pd.DataFrame, phase: str) -> list[dict[str, Any]]:
    """Lay out the measures of a page.

    Parameters
    ----------
    rows : DataFrame
        Rows of one school or phase, with ``hidden``.
    phase : str
        Phase of England's figures; empty where none fits.

    Returns
    -------
    list of dict
        ``title``; ``cards``; ``quiet``, measures of which nothing can be shown, and why;
        ``breakdowns``, tables by code.
    """
    # from here on, a hidden value does not exist
    secret = rows["hidden"].to_numpy()
    safe = rows.assign(
        **{column: rows[column].mask(secret) for column in ("value", "numerator", "people")}
    )
    by_measure: dict[str, list[Row]] = {name: [] for name in MEASURES}
    for row in safe.to_dict("records"):  # plain rows: a page has hundreds of tiny tables
        by_measure[row["measure"]].append(row)
    made: dict[str, dict[str, Any]] = {}
    for name, measure in MEASURES.items():
        theme = made.setdefault(
            measure.theme, {"title": measure.theme, "cards": [], "quiet": [], "breakdowns": []}
        )
        part = by_measure[name]
        if name in BREAKDOWNS:
            theme["breakdowns"].append(_breakdown(measure, part))
        elif _any_value(part):
            theme["cards"].append(_card(measure, part, phase))
        else:
            theme["quiet"].append({"title": measure.title, "why": _why_nothing(part)})
    return list(made.values())


def _any_value(rows: list[Row]) -> bool:
    return any(not isnan(row["value"]) for row in rows)


def _why_nothing(rows: list[Row]) -> str:
    """Return the reason of most periods."""
    if any(row["hidden"] for row in rows):
        return TOO_FEW
    said = [row["why"] for row in rows if row["why"] not in ("", ONCE_A_YEAR)]
    return max(sorted(set(said)), key=said.count, default="nothing was counted.")


def _card(measure: Measure, rows: list[Row], phase: str) -> dict[str, Any]:
    terms = [row for row in rows if row["term"] != "year"]
    years = [row for row in rows if row["term"] == "year"]
    both = [terms, years] if _any_value(terms) else [years]
    drawn = both[:1]
    # where a term is not comparable with England's year, years are drawn too
    if len(both) > 1 and isnan(terms[-1]["comparator"]) and not isnan(years[-1]["comparator"]):
        drawn = both
    told = [_lately(measure, part) for part in both]
    return {
        "title": measure.title,
        "unit": measure.unit,
        "about": measure.about,
        "charts": [_chart(measure, part) for part in drawn if _any_value(part)],
        "sentences": [*[line for line in told if line], _beside(measure, phase)],
        "rows": [_numbers(measure, row) for part in both for row in part],
        "has_schools": "schools" in rows[0],
    }


def _chart(measure: Measure, rows: list[Row]) -> dict[str, Any]:
    points = [
        Point(year=year_label(row["year"]), value=row["value"], hidden=row["hidden"],
              complete=row["complete"])
        for row in rows
    ]  # fmt: skip
    chart = line_chart(points, rows[-1]["comparator"], whole=measure.unit == "pupils")
    return chart | {"heading": "By school year" if rows[0]["term"] == "year" else "By term"}


def _with_unit(value: float, unit: str) -> str:
    text = number(value, whole=unit == "pupils")
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def _lately(measure: Measure, rows: list[Row]) -> str:
    """Say the latest complete period and the same one a year before."""
    over = [row for row in rows if row["complete"]]
    if not over:
        return ""
    last = over[-1]
    name = "School year" if last["term"] == "year" else f"{last['term'].capitalize()} term"
    said = f"{name} {year_label(last['year'])}: {_said(last, measure.unit)}."
    for row in over:
        if (row["term"], row["year"]) == (last["term"], last["year"] - 1):
            short = "%" if measure.unit.startswith("%") else measure.unit
            said += f" A year before: {_said(row, short)}."
    return said


def _said(row: Row, unit: str) -> str:
    if row["hidden"]:
        return "not shown"
    return "not known" if isnan(row["value"]) else _with_unit(row["value"], unit)


def _beside(measure: Measure, phase: str) -> str:
    figure = england(measure.name, phase)
    if figure is None:
        return "No figure of England stands beside it."
    who = phase if measure.by_phase else "all"
    year = "" if measure.any_period else ", over the whole year"
    said = _with_unit(figure["figure"], measure.unit)
    return f"England, {who}, {figure['year']}: {said}{year}."


def _numbers(measure: Measure, row: Row) -> dict[str, Any]:
    """Return one row of the table of numbers."""
    if row["hidden"]:
        value, count, of = "c", "c", "c"
    elif isnan(row["value"]):
        value, count, of = "–", row["why"], ""
    else:
        value = number(row["value"], whole=measure.unit == "pupils")
        count, of = (number(row[name], whole=True) for name in ("numerator", "denominator"))
    return {
        "period": row["period"] if row["complete"] else f"{row['period']} so far",
        "is_year": row["term"] == "year",
        "value": value,
        "count": count,
        "of": of,
        "england": number(row["comparator"]),
        "schools": row.get("schools", ""),
    }


def _breakdown(measure: Measure, rows: list[Row]) -> dict[str, Any]:
    """Lay codes out as rows and school years as columns; codes never shown have no row."""
    labels = code_set(BREAKDOWNS[measure.name])["label"].to_dict() | {NOT_KNOWN: "Not known"}
    years = list(dict.fromkeys(row["period"] for row in rows))
    by_code = {code: [row for row in rows if row["code"] == code] for code in labels}
    shown = [
        [labels[code], *map(_share, part)] for code, part in by_code.items() if _any_value(part)
    ]
    by_year = [[row for row in rows if row["period"] == year] for year in years]
    totals = [["All", *map(_whole, by_year)]] if shown else []
    return {
        "title": measure.title,
        "about": measure.about,
        "table": text_table([measure.title, *years], [*shown, *totals]),
        "why": "" if shown else _why_nothing(rows),
    }


def _whole(rows: list[Row]) -> str:
    """Return what the codes of a year add up to; not shown where none of them is."""
    if isnan(rows[0]["denominator"]):
        return "–"
    hidden = all(row["hidden"] for row in rows)
    return "c" if hidden else number(rows[0]["denominator"], whole=True)


def _share(row: Row) -> str:
    if row["hidden"]:
        return "c"
    if isnan(row["value"]):
        return "–"
    return f"{number(row['numerator'], whole=True)} ({number(row['value'])}%)"


def sources(names: Iterable[str], phase: str) -> TextTable:
    """Return England's figures that a page shows, with where they were published.

    Parameters
    ----------
    names : iterable of str
        Measures of the page.
    phase : str
        Phase of England's figures.

    Returns
    -------
    TextTable
        Measure, figure, year, source.
    """
    found = {name: england(name, phase) for name in dict.fromkeys(names)}
    rows = [
        (
            MEASURES[name].title,
            _with_unit(row["figure"], MEASURES[name].unit),
            row["year"],
            row["source"],
        )
        for name, row in found.items()
        if row is not None
    ]
    return text_table(["Measure", "England", "Year", "Source"], rows)
