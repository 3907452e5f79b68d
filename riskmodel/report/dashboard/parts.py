"""The cards of the dashboard: a measure in words, as a chart, and as numbers.

In:  rows of one school, or of one phase, with what is hidden.
Out: what the templates show, theme by theme.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import isnan
from typing import Any

import pandas as pd

from riskmodel.data.codes import code_set
from riskmodel.data.schema import NOT_KNOWN
from riskmodel.inclusion.catalogue import MEASURES, Measure, england
from riskmodel.inclusion.leavers import ONCE_A_YEAR
from riskmodel.inclusion.periods import year_label
from riskmodel.report.charts import number
from riskmodel.report.dashboard.measure_charts import LineChart, Point, line_chart
from riskmodel.report.tables import TextTable, text_table

__all__ = ["Breakdown", "MeasureCard", "Numbers", "Quiet", "Theme", "sources", "themes"]

TOO_FEW = "fewer than 5 pupils in every period, or counts that would reveal them"

Row = dict[Hashable, Any]

BREAKDOWNS = {"reasons": "reasons", "needs": "needs"}
"""Measure with one row per code → code set of its labels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Numbers:
    """A measure in one period, as text.

    Attributes
    ----------
    period : str
        Term or school year.
    is_year : bool
        Whether it is a school year.
    value, count, of, england : str
        The value, the count, what it is of, and England's figure. Where the value is not known,
        ``count`` holds the reason.
    schools : str
        Schools behind the row; empty on the page of a school.
    """

    period: str
    is_year: bool
    value: str
    count: str
    of: str
    england: str
    schools: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureCard:
    """A measure of which something can be shown.

    Attributes
    ----------
    title, unit, about : str
        Name, unit, and what is counted.
    charts : tuple of (str, LineChart)
        Charts under their headings: by term, or by school year.
    sentences : tuple of str
        The latest periods, and England.
    rows : tuple of Numbers
        The table: terms, then school years.
    has_schools : bool
        Whether the rows are about several schools.
    """

    title: str
    unit: str
    about: str
    charts: tuple[tuple[str, LineChart], ...]
    sentences: tuple[str, ...]
    rows: tuple[Numbers, ...]
    has_schools: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Breakdown:
    """A measure by code: one row per code, one column per school year.

    Attributes
    ----------
    title, about : str
        Name, and what is counted.
    table : TextTable
        Codes of which something is shown, and their total in the last row.
    why : str
        Why there is no row; empty where there are some.
    """

    title: str
    about: str
    table: TextTable
    why: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """A measure of which nothing can be shown.

    Attributes
    ----------
    title, why : str
        Name, and the reason.
    """

    title: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Theme:
    """The measures of one theme.

    Attributes
    ----------
    title : str
        Name.
    cards, breakdowns, quiet : tuple
        Measures shown as cards, measures by code, and measures of which nothing can be shown.
    """

    title: str
    cards: tuple[MeasureCard, ...]
    breakdowns: tuple[Breakdown, ...]
    quiet: tuple[Quiet, ...]


def themes(rows: pd.DataFrame, phase: str) -> list[Theme]:
    """Return the measures of a page by theme.

    Parameters
    ----------
    rows : DataFrame
        Rows of one school or phase, with ``hidden``.
    phase : str
        Phase of England's figures; empty where none fits.

    Returns
    -------
    list of Theme
        Every measure is in one of them.
    """
    # from here on, a hidden value does not exist
    secret = rows["hidden"].to_numpy()
    columns = {name: rows[name].mask(secret) for name in ("value", "numerator", "people")}
    by_measure: dict[str, list[Row]] = {name: [] for name in MEASURES}
    for row in rows.assign(**columns).to_dict("records"):  # a page has hundreds of tiny tables
        by_measure[row["measure"]].append(row)
    names = dict.fromkeys(measure.theme for measure in MEASURES.values())
    return [_theme(name, by_measure, phase) for name in names]


def _theme(title: str, by_measure: dict[str, list[Row]], phase: str) -> Theme:
    """Return the measures of one theme."""
    parts = [(m, by_measure[name]) for name, m in MEASURES.items() if m.theme == title]
    whole = [(measure, rows) for measure, rows in parts if measure.name not in BREAKDOWNS]
    return Theme(
        title=title,
        cards=tuple(_card(m, rows, phase) for m, rows in whole if _any_value(rows)),
        quiet=tuple(
            Quiet(m.title, _why_nothing(rows)) for m, rows in whole if not _any_value(rows)
        ),
        breakdowns=tuple(_breakdown(m, rows) for m, rows in parts if m.name in BREAKDOWNS),
    )


def _any_value(rows: list[Row]) -> bool:
    return any(not isnan(row["value"]) for row in rows)


def _why_nothing(rows: list[Row]) -> str:
    """Return the reason of most periods."""
    if any(row["hidden"] for row in rows):
        return TOO_FEW
    reasons = [row["why"] for row in rows if row["why"] not in ("", ONCE_A_YEAR)]
    return max(sorted(set(reasons)), key=reasons.count, default="nothing was counted.")


def _card(measure: Measure, rows: list[Row], phase: str) -> MeasureCard:
    terms = [row for row in rows if row["term"] != "year"]
    years = [row for row in rows if row["term"] == "year"]
    both = [terms, years] if _any_value(terms) else [years]
    lately = [_lately(measure, part) for part in both]
    return MeasureCard(
        title=measure.title,
        unit=measure.unit,
        about=measure.about,
        charts=tuple(_chart(measure, part) for part in _drawn(both)),
        sentences=(*filter(None, lately), _beside(measure, phase)),
        rows=tuple(_numbers(measure, row) for part in both for row in part),
        has_schools="schools" in rows[0],
    )


def _drawn(both: list[list[Row]]) -> list[list[Row]]:
    """Return the periods that are drawn: years too, where a term has no figure of England and a year has."""
    is_year_compared = len(both) > 1 and not isnan(both[1][-1]["comparator"])
    drawn = both if is_year_compared and isnan(both[0][-1]["comparator"]) else both[:1]
    return [part for part in drawn if _any_value(part)]


def _chart(measure: Measure, rows: list[Row]) -> tuple[str, LineChart]:
    """Return a chart under its heading."""
    points = [
        Point(
            year=year_label(row["year"]),
            value=row["value"],
            hidden=row["hidden"],
            complete=row["complete"],
        )
        for row in rows
    ]
    chart = line_chart(points, rows[-1]["comparator"], whole=measure.unit == "pupils")
    return "By school year" if rows[0]["term"] == "year" else "By term", chart


def _with_unit(value: float, unit: str) -> str:
    text = number(value, whole=unit == "pupils")
    return f"{text}{unit}" if unit.startswith("%") else f"{text} {unit}"


def _lately(measure: Measure, rows: list[Row]) -> str:
    """Return a sentence about the latest complete period and the same one a year before."""
    over = [row for row in rows if row["complete"]]
    if not over:
        return ""
    last = over[-1]
    name = "School year" if last["term"] == "year" else f"{last['term'].capitalize()} term"
    sentence = f"{name} {year_label(last['year'])}: {_in_words(last, measure.unit)}."
    for row in over:
        if (row["term"], row["year"]) == (last["term"], last["year"] - 1):
            short = "%" if measure.unit.startswith("%") else measure.unit
            sentence += f" A year before: {_in_words(row, short)}."
    return sentence


def _in_words(row: Row, unit: str) -> str:
    if row["hidden"]:
        return "not shown"
    return "not known" if isnan(row["value"]) else _with_unit(row["value"], unit)


def _beside(measure: Measure, phase: str) -> str:
    """Return a sentence about England's figure."""
    figure = england(measure.name, phase)
    if figure is None:
        return "There is no figure of England to compare it with."
    who = phase if measure.by_phase else "all"
    year = "" if measure.any_period else ", over the whole year"
    value = _with_unit(figure["figure"], measure.unit)
    return f"England, {who}, {figure['year']}: {value}{year}."


def _numbers(measure: Measure, row: Row) -> Numbers:
    """Return one row of the table of numbers."""
    value, count, of = _figures(measure, row)
    return Numbers(
        period=row["period"] if row["complete"] else f"{row['period']} so far",
        is_year=row["term"] == "year",
        value=value,
        count=count,
        of=of,
        england=number(row["comparator"]),
        schools=str(row.get("schools", "")),
    )


def _figures(measure: Measure, row: Row) -> tuple[str, str, str]:
    """Return value, count and what it is of; the reason in place of the count where nothing is known."""
    if row["hidden"]:
        return "c", "c", "c"
    if isnan(row["value"]):
        return "–", row["why"], ""
    value = number(row["value"], whole=measure.unit == "pupils")
    count, of = (number(row[name], whole=True) for name in ("numerator", "denominator"))
    return value, count, of


def _breakdown(measure: Measure, rows: list[Row]) -> Breakdown:
    """Return codes as rows and school years as columns; codes never shown have no row."""
    labels = code_set(BREAKDOWNS[measure.name])["label"].to_dict() | {NOT_KNOWN: "Not known"}
    years = list(dict.fromkeys(row["period"] for row in rows))
    by_code = {code: [row for row in rows if row["code"] == code] for code in labels}
    shown = [
        [labels[code], *map(_share, part)] for code, part in by_code.items() if _any_value(part)
    ]
    by_year = [[row for row in rows if row["period"] == year] for year in years]
    totals = [["All", *map(_whole, by_year)]] if shown else []
    return Breakdown(
        title=measure.title,
        about=measure.about,
        table=text_table([measure.title, *years], [*shown, *totals]),
        why="" if shown else _why_nothing(rows),
    )


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

    Examples
    --------
    >>> sources(["exclusions"], "secondary").columns
    ('Measure', 'England', 'Year', 'Source')
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
