"""What the page of the area shows besides the measures: profile, spread, exits, what the data cover.

In:  what was counted; rows of the area and of all schools, with what is hidden.
Out: tables of text and charts in which no school is named and small counts are suppressed.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import floor, isnan, log10
from typing import Any

import pandas as pd

from riskmodel.data.year_groups import year_words
from riskmodel.fairness.disclosure import SMALLEST_SHOWN, hidden_rows
from riskmodel.inclusion import MEASURES, Inclusion
from riskmodel.inclusion.area import exits, profile, rows_by_year, spread
from riskmodel.report.charts import number
from riskmodel.report.dashboard.cells import hide_exits, revealing_totals, total_reveals
from riskmodel.report.dashboard.measure_charts import SpreadChart, spread_chart
from riskmodel.report.sentences import day_words
from riskmodel.report.tables import TextTable, text_table

__all__ = [
    "Exits",
    "Profile",
    "Spread",
    "SpreadCurve",
    "about",
    "area_exits",
    "area_profile",
    "area_spread",
    "coverage",
]

FEWEST_POINTS = 3
"""Points of a curve of spread below which it would show single schools, or nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Who lives and learns in the area.

    Attributes
    ----------
    table : TextTable
        Pupils by phase, need and circumstance.
    day : str
        The census day.
    schools : tuple of str
        Number of schools of each kind.
    """

    table: TextTable
    day: str
    schools: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpreadCurve:
    """How one kind of event is spread over the secondary schools.

    Attributes
    ----------
    event, events : str
        What was issued, and how often in all.
    schools, half : int
        Schools, and the fewest that together issued half.
    chart : SpreadChart, optional
        The curve; None where there are too few schools for one.
    text : str
        Points of the curve in words.
    """

    event: str
    events: str
    schools: int
    half: int
    chart: SpreadChart | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """How suspensions and permanent exclusions are spread over the secondary schools.

    Attributes
    ----------
    curves : tuple of SpreadCurve
        Over all complete school years; empty where too few were issued.
    years : TextTable
        The same in numbers, by school year.
    """

    curves: tuple[SpreadCurve, ...]
    years: TextTable


@dataclass(frozen=True, kw_only=True, slots=True)
class Exits:
    """Pupils who came off a roll without a known destination.

    Attributes
    ----------
    table : TextTable, optional
        By year group and school year, with a total; None where nothing could be counted.
    why : str
        Why there is no table.
    """

    table: TextTable | None
    why: str


def area_profile(made: Inclusion, area: pd.DataFrame, pages: pd.DataFrame) -> Profile:
    """Return who lives and learns in the area on the latest census day.

    Parameters
    ----------
    made : Inclusion
        What was counted.
    area : DataFrame
        From :func:`riskmodel.report.dashboard.cells.hide_area`.
    pages : DataFrame
        From :func:`riskmodel.report.dashboard.cells.hide_school`, all schools.

    Returns
    -------
    Profile
        A count is suppressed where it is small, or where a total less the schools' pages would
        reveal a small one.
    """
    facts, table = made.facts, profile(made)
    last = facts.n_terms - 1
    hidden = _hidden(table, area, pages, str(facts.periods["period"].iloc[last]))
    # a count and its share of all give all
    no_share = hidden | bool(hidden[(table["group"] == "roll").to_numpy()].any())
    rows = [
        _profile_row(row, is_hidden=gone, has_no_share=bare)
        for row, gone, bare in zip(table.to_dict("records"), hidden, no_share, strict=True)
    ]
    kinds = facts.schools["kind"].value_counts().sort_index()
    return Profile(
        table=text_table(["Who", "Pupils", "Of pupils on roll"], rows),
        day=day_words(facts.periods["census"].iloc[last]),
        schools=tuple(f"{kind}: {count}" for kind, count in kinds.items()),
    )


def _hidden(table: pd.DataFrame, area: pd.DataFrame, pages: pd.DataFrame, period: str) -> pd.Series:
    """Return which rows of the profile are suppressed."""
    rest = (table["of"] - table["count"]).fillna(table["count"])
    counted = table["count"].notna().to_numpy()
    counts = pd.DataFrame({"count": table["count"], "rest": rest})
    hidden = pd.Series(False, index=table.index)
    hidden[counted] = hidden_rows(counts[counted], table["group"][counted])
    hidden |= table["group"].map(lambda name: total_reveals(area, pages, name, period))
    revealing = [
        phase or "other schools"
        for phase, measure, _, when in revealing_totals(pages)
        if (measure, when) == ("roll", period)
    ]
    phases = table["label"].str.removeprefix("… ")
    return hidden | ((table["group"] == "phase") & phases.isin(revealing))


def _profile_row(
    row: dict[Hashable, Any], *, is_hidden: bool, has_no_share: bool
) -> tuple[str, str, str]:
    """Return label, count and share."""
    # an empty roll has no shares
    share = f"{number(100 * row['count'] / row['of'])}%" if row["of"] > 0 else ""
    count = "c" if is_hidden else number(row["count"], whole=True)
    return row["label"], count, "c" if has_no_share and share else share


def area_spread(made: Inclusion, area: pd.DataFrame) -> Spread:
    """Return how suspensions and permanent exclusions are spread over the secondary schools.

    Parameters
    ----------
    made : Inclusion
        What was counted.
    area : DataFrame
        From :func:`riskmodel.report.dashboard.cells.hide_area`.

    Returns
    -------
    Spread
        Of totals that are shown.
    """
    known = (area["phase"] == "secondary") & area["value"].notna() & ~area["hidden"]
    curve, by_year = spread(made, area[known.to_numpy()])
    heads = ["School year", "What", "Issued", "Schools for half", "Of schools"]
    years = [
        (row["period"], MEASURES[row["measure"]].title, f"{row['events']:,}")
        + (row["schools_for_half"], row["all_schools"])
        for row in by_year.to_dict("records")
    ]
    curves = [_curve(part) for _, part in curve.groupby("measure", sort=False)]
    return Spread(curves=tuple(curves), years=text_table(heads, years))


def _curve(part: pd.DataFrame) -> SpreadCurve:
    """Return the curve of one kind of event."""
    first = part.iloc[0]
    schools, share = [int(n) for n in part["schools"]], [float(s) for s in part["share"]]
    points = [
        f"the {n} schools that issued most, {part:.0%}"
        for n, part in zip(schools[1:], share[1:], strict=True)
    ]
    return SpreadCurve(
        event=MEASURES[first["measure"]].title,
        events=f"{first['events']:,}",
        schools=int(first["all_schools"]),
        half=int(first["schools_for_half"]),
        chart=spread_chart(schools, share) if len(schools) >= FEWEST_POINTS else None,
        text="; ".join(points),
    )


def area_exits(made: Inclusion, area: pd.DataFrame) -> Exits:
    """Return who came off a roll without a known destination.

    Parameters
    ----------
    made : Inclusion
        What was counted.
    area : DataFrame
        From :func:`riskmodel.report.dashboard.cells.hide_area`.

    Returns
    -------
    Exits
        One row per year group, one column per school year, and the totals.
    """
    known = area[((area["measure"] == "left_unknown") & (area["term"] == "year")).to_numpy()]
    if known["value"].isna().all():
        return Exits(table=None, why=known["why"].iloc[0] if len(known) else "")
    table, totals = hide_exits(exits(made), known)
    rows = [
        [name, *map(_exit_cell, part.to_dict("records"))]
        for (_, name), part in table.groupby(["year_group", year_words(table["year_group"])])
    ]
    total = ["All year groups", *map(_exit_cell, totals.to_dict("records"))]
    return Exits(table=text_table(["Year group", *totals["period"]], [*rows, total]), why="")


def _exit_cell(row: dict[Hashable, Any]) -> str:
    if row["hidden"]:
        return "c"
    rate = 100 * row["people"] / row["pupils"] if row["pupils"] else float("nan")
    return f"{row['people']:,.0f} ({number(rate)} per 100)"


def coverage(made: Inclusion) -> TextTable:
    """Return how many facts each table holds of each school year.

    Parameters
    ----------
    made : Inclusion
        What was counted.

    Returns
    -------
    TextTable
        One row per table, one column per school year; counts to two figures.
    """
    table = rows_by_year(made)
    rows = [
        [name, part["row"].iloc[0], *map(_coverage_cell, part.to_dict("records"))]
        for name, part in table.groupby("table", sort=False)
    ]
    return text_table(["Table", "One row is a", *dict.fromkeys(table["period"])], rows)


def _coverage_cell(row: dict[Hashable, Any]) -> str:
    if isnan(row["rows"]):
        return "not in the extracts"
    share = "" if isnan(row["share"]) else f" ({row['share']:.0%})"
    return f"{about(row['rows'])}{share}"


def about(rows: float) -> str:
    """Return a number of rows to two figures: enough to see a gap, too few to work out a count.

    Parameters
    ----------
    rows : float
        Rows.

    Returns
    -------
    str
        ``c`` for a small number.

    Examples
    --------
    >>> about(0), about(3), about(27), about(1_234)
    ('none', 'c', 'about 30', 'about 1,200')
    """
    if rows == 0:
        return "none"
    if rows < SMALLEST_SHOWN:
        return "c"
    step = 10 ** max(1, floor(log10(rows)) - 1)
    return f"about {max(step, step * round(rows / step)):,}"
