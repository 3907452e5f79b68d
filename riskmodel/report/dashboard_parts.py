"""The cards of the dashboard: a measure in words, as a chart, and as numbers.

In:  rows of one school, or of one phase, with what is hidden.
Out: what the templates show, theme by theme.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.codes import code_set
from riskmodel.data.schema import NOT_KNOWN
from riskmodel.inclusion.catalogue import MEASURES, RATE, Measure, england
from riskmodel.inclusion.periods import year_label
from riskmodel.report.dashboard_charts import Point, line_chart, number

__all__ = ["sources", "themes"]

TOO_FEW = "fewer than 5 pupils in every period, or counts that would give them away"

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
    safe = rows.copy()
    secret = rows["hidden"].to_numpy()
    for column in ("value", "numerator", "people"):
        safe[column] = safe[column].mask(secret)
    by_measure = {str(name): part for name, part in safe.groupby("measure", sort=False)}
    made: dict[str, dict[str, Any]] = {}
    for name, measure in MEASURES.items():
        theme = made.setdefault(
            measure.theme, {"title": measure.theme, "cards": [], "quiet": [], "breakdowns": []}
        )
        part = by_measure[name]
        if name in BREAKDOWNS:
            theme["breakdowns"].append(_breakdown(measure, part))
        elif part["value"].notna().any():
            theme["cards"].append(_card(measure, part, phase))
        else:
            why = TOO_FEW if part["hidden"].any() else _most(part["why"])
            theme["quiet"].append({"title": measure.title, "why": why})
    return list(made.values())


def _most(why: pd.Series) -> str:
    """Return the reason of most periods."""
    said = why[(~why.isin(["", "Counted once a school year."])).to_numpy()]
    return str(said.mode().iloc[0]) if len(said) else "nothing was counted."


def _card(measure: Measure, rows: pd.DataFrame, phase: str) -> dict[str, Any]:
    terms = rows[(rows["term"] != "year").to_numpy()]
    years = rows[(rows["term"] == "year").to_numpy()]
    by_term = bool(terms["value"].notna().any())
    drawn = terms if by_term else years
    reference = drawn["comparator"].iloc[-1]
    whole = measure.unit == "pupils"
    points = [
        Point(year=year_label(int(row["year"])), value=row["value"], hidden=row["hidden"],
              complete=row["complete"])
        for row in drawn.to_dict("records")
    ]  # fmt: skip
    told = [_lately(measure, part) for part in ((terms, years) if by_term else (years,))]
    third = by_term and measure.unit == RATE
    chart = line_chart(points, float(reference), whole=whole)
    return {
        "title": measure.title,
        "name": measure.name,
        "unit": measure.unit,
        "about": measure.about,
        "chart": chart | {"england": "England ÷ 3" if third else "England"},
        "sentences": [*[line for line in told if line], _beside(measure, phase, third=third)],
        "rows": _numbers(measure, pd.concat([terms, years]) if by_term else years),
        "has_schools": "schools" in rows,
    }


def _with_unit(value: float, unit: str) -> str:
    text = number(value, whole=unit == "pupils")
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def _lately(measure: Measure, rows: pd.DataFrame) -> str:
    """Say the latest complete period and the same one a year before."""
    over = rows[rows["complete"].to_numpy()]
    if not len(over):
        return ""
    last = over.iloc[-1]
    before = over[((over["term"] == last["term"]) & (over["year"] == last["year"] - 1)).to_numpy()]
    name = "School year" if last["term"] == "year" else str(last["term"]).capitalize() + " term"
    said = f"{name} {year_label(int(last['year']))}: {_said(last, measure.unit)}."
    if len(before):
        unit = "" if measure.unit == "pupils" else measure.unit
        said += f" A year before: {_said(before.iloc[0], '%' if unit.startswith('%') else unit).strip()}."
    return said


def _said(row: pd.Series, unit: str) -> str:
    if row["hidden"]:
        return "not shown"
    return "not known" if pd.isna(row["value"]) else _with_unit(row["value"], unit)


def _beside(measure: Measure, phase: str, *, third: bool) -> str:
    figure = england(measure.name, phase)
    if figure is None:
        return "No figure of England stands beside it."
    who = phase if measure.by_phase else "all"
    line = f"England, {who}, {figure['year']}: {_with_unit(figure['figure'], measure.unit)}"
    if third and measure.name != "suspended":
        return line + " a year; the dashed line is a third of it."
    return line + (" a year." if measure.unit == RATE else ".")


def _numbers(measure: Measure, rows: pd.DataFrame) -> list[dict[str, Any]]:
    whole = measure.unit == "pupils"
    made = []
    for row in rows.to_dict("records"):
        note = "" if row["complete"] else " so far"
        if row["hidden"]:
            value, count, of = "c", "c", "c"
        elif np.isnan(row["value"]):
            value, count, of = "–", str(row["why"]), ""
        else:
            value = number(row["value"], whole=whole)
            count, of = (number(row[name], whole=True) for name in ("numerator", "denominator"))
        made.append(
            {"period": f"{row['period']}{note}", "is_year": row["term"] == "year", "value": value,
             "count": count, "of": of, "england": number(row["comparator"]),
             "schools": row.get("schools", "")}
        )  # fmt: skip
    return made


def _breakdown(measure: Measure, rows: pd.DataFrame) -> dict[str, Any]:
    """Lay codes out as rows and school years as columns; codes never shown are named together."""
    labels = code_set(BREAKDOWNS[measure.name])["label"].to_dict() | {NOT_KNOWN: "Not known"}
    years = list(dict.fromkeys(rows["period"]))
    shown, other = [], False
    for code, part in rows.groupby("code", sort=False):
        if part["value"].notna().any():
            shown.append(
                {"label": labels[code], "cells": [_share(row) for row in part.to_dict("records")]}
            )
        other |= bool(part["hidden"].any())
    whole = rows.groupby("period", sort=False)[["denominator", "pupils"]].first()
    totals = ["–" if np.isnan(row["denominator"]) else "c" if row["pupils"] < 5
              else number(row["denominator"], whole=True) for row in whole.to_dict("records")]  # fmt: skip
    return {
        "title": measure.title, "about": measure.about, "name": measure.name, "years": years,
        "rows": shown, "totals": totals, "other": other, "why": _most(rows["why"]) if not shown else "",
        "few": bool(rows["hidden"].any()),
    }  # fmt: skip


def _share(row: dict[Any, Any]) -> str:
    if row["hidden"]:
        return "c"
    if np.isnan(row["value"]):
        return "–"
    return f"{number(row['numerator'], whole=True)} ({number(row['value'])}%)"


def sources(names: Iterable[str], phase: str) -> list[dict[str, str]]:
    """Return England's figures that a page shows, with where they were published.

    Parameters
    ----------
    names : iterable of str
        Measures of the page.
    phase : str
        Phase of England's figures.

    Returns
    -------
    list of dict
        ``title``, ``figure``, ``year``, ``source``.
    """
    made = []
    for name in dict.fromkeys(names):
        row = england(name, phase)
        if row is not None:
            made.append(
                {"title": MEASURES[name].title, "figure": _with_unit(row["figure"], MEASURES[name].unit),
                 "year": str(row["year"]), "source": str(row["source"])}
            )  # fmt: skip
    return made
