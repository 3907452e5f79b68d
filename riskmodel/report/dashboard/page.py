"""The inclusion dashboard as files: one page for the LA, one for each school, never a league table.

In:  what was counted (:class:`riskmodel.inclusion.Inclusion`).
Out: ``index.html`` and ``schools/<school_id>.html``; each a single file without network or script, in
which small counts are suppressed. A school's page is made from that school's rows alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from math import floor, isnan, log10
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.write import new_folder
from riskmodel.data.year_groups import year_words
from riskmodel.fairness.disclosure import SMALLEST_SHOWN, hidden_rows
from riskmodel.inclusion import MEASURES, Inclusion, sum_by_phase
from riskmodel.inclusion.area import exits, profile, rows_by_year, spread
from riskmodel.progress import track
from riskmodel.report.charts import number
from riskmodel.report.dashboard.cells import (
    FEWEST_SCHOOLS,
    hide_area,
    hide_exits,
    hide_school,
    leaves_few,
    told_by_sums,
)
from riskmodel.report.dashboard.measure_charts import spread_chart
from riskmodel.report.dashboard.parts import sources, themes
from riskmodel.report.file_names import file_name
from riskmodel.report.sentences import day_words
from riskmodel.report.tables import TextTable, text_table
from riskmodel.report.templates import render

__all__ = ["write_dashboard"]

LONGEST = 120
"""Characters of a file's name; longer identifiers are cut and told apart by their digest."""

PHASES = {"primary": "Primary schools", "secondary": "Secondary schools",
          "special": "Special schools", "": "Other schools"}  # fmt: skip
"""Phase → heading; the others are all-through, post-16 and alternative provision."""


def write_dashboard(made: Inclusion, out: str | Path, *, simulated: bool = False) -> None:
    """Write all pages.

    Parameters
    ----------
    made : Inclusion
        From :func:`riskmodel.inclusion.inclusion`.
    out : str or Path
        Empty or new folder; filled at the end, in one step.
    simulated : bool
        Whether the pupils are simulated; every page says so.

    Raises
    ------
    RequestError
        If the folder is not empty.
    """
    common = {"simulated": simulated, "as_of": day_words(made.facts.as_of)}
    with new_folder(out) as folder:
        (folder / "schools").mkdir()
        hidden, links = [], []
        schools = made.facts.schools
        groups = made.table.groupby("school_id", sort=True)
        for school, rows in track(groups, "Pages", total=len(schools)):
            safe = hide_school(rows)
            hidden.append(safe)
            facts = schools.loc[school]
            page = _school_page(safe, str(school), str(facts["name"]), str(facts["kind"]), common)
            name = _file_name(str(school))
            (folder / "schools" / f"{name}.html").write_text(page, encoding="utf-8")
            # "%" of a file's name is written as %25 in an address
            links.append(
                {"id": str(school), "name": str(facts["name"]), "file": name.replace("%", "%25")}
            )
        pages = pd.concat(hidden, ignore_index=True)
        area = hide_area(sum_by_phase(made.table), pages)
        page = _area_page(made, area, pages, links, common)
        (folder / "index.html").write_text(page, encoding="utf-8")


def _file_name(school: str) -> str:
    name = file_name(school)
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}-{hashlib.blake2b(school.encode(), digest_size=8).hexdigest()}"


def _school_page(
    rows: pd.DataFrame, school: str, name: str, kind: str, common: dict[str, Any]
) -> str:
    phase = str(rows["phase"].iloc[0])
    roll = rows[((rows["measure"] == "roll") & (rows["term"] != "year")).to_numpy()].iloc[-1]
    if pd.isna(roll["value"]):
        on_roll = "Nobody is on its main roll on the latest census day."
    elif roll["hidden"]:
        on_roll = "Fewer than 5 pupils are on its main roll on the latest census day."
    else:
        on_roll = f"{number(roll['value'], whole=True)} pupils are on its main roll on the latest census day."
    return render(
        "dashboard/school.html", school=school, heading=name or school, kind=kind, phase=phase,
        on_roll=on_roll, themes=themes(rows, phase), sources=sources(rows["measure"], phase), **common,
    )  # fmt: skip


def _area_page(
    made: Inclusion, area: pd.DataFrame, pages: pd.DataFrame, links: list[dict[str, str]],
    common: dict[str, Any],
) -> str:  # fmt: skip
    phases: list[dict[str, Any]] = []
    sizes = made.facts.schools["phase"].value_counts()
    for phase, heading in PHASES.items():
        rows = area[(area["phase"] == phase).to_numpy()]
        if sizes.get(phase, 0) >= FEWEST_SCHOOLS:
            shown = {"themes": themes(rows, phase), "sources": sources(rows["measure"], phase)}
            phases.append({"heading": heading, **shown})
        elif len(rows):
            phases.append({"heading": heading, "few": FEWEST_SCHOOLS})
    return render(
        "dashboard/area.html", profile=_profile(made, area, pages), spread=_spread(made, area),
        exits=_exits(made, area),
        phases=phases, coverage=_coverage(made), without_roll=_about(made.marks.without_roll),
        has_marks=made.marks.without_roll > 0, links=links, **common,
    )  # fmt: skip


def _profile(made: Inclusion, area: pd.DataFrame, pages: pd.DataFrame) -> dict[str, Any]:
    facts, table = made.facts, profile(made)
    last = str(facts.periods["period"].iloc[facts.n_terms - 1])
    rest = (table["of"] - table["count"]).fillna(table["count"])
    counted = table["count"].notna().to_numpy()
    hidden = pd.Series(False, index=table.index)
    hidden[counted] = hidden_rows(
        pd.DataFrame({"count": table["count"], "rest": rest})[counted], table["group"][counted]
    )
    hidden |= table["group"].map(lambda name: leaves_few(area, pages, name, last))
    told = [phase or "other schools" for phase, measure, _, period in told_by_sums(pages)
            if (measure, period) == ("roll", last)]  # fmt: skip
    hidden |= (table["group"] == "phase") & table["label"].str.removeprefix("… ").isin(told)
    # a count and its share of all tell all
    no_share = hidden | bool(hidden[(table["group"] == "roll").to_numpy()].any())
    rows = []
    for row, gone, bare in zip(table.to_dict("records"), hidden, no_share, strict=True):
        # an empty roll has no shares
        share = f"{number(100 * row['count'] / row['of'])}%" if row["of"] > 0 else ""
        count = number(row["count"], whole=True)
        rows.append((row["label"], "c" if gone else count, "c" if bare and share else share))
    kinds = facts.schools["kind"].value_counts().sort_index()
    return {
        "table": text_table(["Who", "Pupils", "Of pupils on roll"], rows),
        "day": day_words(facts.periods["census"].iloc[facts.n_terms - 1]),
        "schools": [f"{kind}: {count}" for kind, count in kinds.items()],
    }


def _spread(made: Inclusion, area: pd.DataFrame) -> dict[str, Any]:
    known = (area["phase"] == "secondary") & area["value"].notna() & ~area["hidden"]
    curve, by_year = spread(made, area[known.to_numpy()])
    charts = [
        spread_chart([int(n) for n in part["schools"]], [float(s) for s in part["share"]])
        | _half_in_words(part.iloc[0])
        | {"points": [{"schools": int(n), "share": f"{s:.0%}"}
                      for n, s in zip(part["schools"], part["share"], strict=True)]}
        for _, part in curve.groupby("measure", sort=False)
    ]  # fmt: skip
    halves = [(row["period"], _half_in_words(row)) for _, row in by_year.iterrows()]
    years = [(year, h["event"], h["events"], h["half"], h["schools"]) for year, h in halves]
    heads = ["School year", "What", "Issued", "Schools for half", "Of schools"]
    return {"charts": charts, "years": text_table(heads, years)}


def _half_in_words(row: pd.Series) -> dict[str, Any]:
    return {"event": MEASURES[row["measure"]].title, "events": f"{row['events']:,}",
            "schools": row["all_schools"], "half": row["schools_for_half"]}  # fmt: skip


def _exits(made: Inclusion, area: pd.DataFrame) -> dict[str, Any]:
    """Lay out exits as one row per year group and one column per school year, with the totals."""
    known = area[((area["measure"] == "left_unknown") & (area["term"] == "year")).to_numpy()]
    if known["value"].isna().all():
        return {"why": known["why"].iloc[0] if len(known) else ""}
    table, totals = hide_exits(exits(made), known)
    rows = [
        [group, *map(_exit_cell, part.to_dict("records"))]
        for group, part in table.groupby(year_words(table["year_group"]), sort=False)
    ]
    total = ["All year groups", *map(_exit_cell, totals.to_dict("records"))]
    return {"table": text_table(["Year group", *totals["period"]], [*rows, total])}


def _exit_cell(row: dict[Hashable, Any]) -> str:
    if row["hidden"]:
        return "c"
    rate = 100 * row["people"] / row["pupils"] if row["pupils"] else float("nan")
    return f"{row['people']:,.0f} ({number(rate)} per 100)"


def _coverage(made: Inclusion) -> TextTable:
    """Lay out how many facts each table holds as one column per school year."""
    table = rows_by_year(made)
    rows = [
        [name, part["row"].iloc[0], *map(_coverage_cell, part.to_dict("records"))]
        for name, part in table.groupby("table", sort=False)
    ]
    return text_table(["Table", "One row is a", *dict.fromkeys(table["period"])], rows)


def _coverage_cell(row: dict[Hashable, Any]) -> str:
    if isnan(row["rows"]):
        return "not in the extracts"
    share = "" if isnan(row["share"]) else f" ({row['share']:.0%} of half-days)"
    return f"{_about(row['rows'])}{share}"


def _about(rows: float) -> str:
    """Write a number of rows to two figures: enough to see a gap, too little to work out a count."""
    if rows == 0:
        return "none"
    if rows < SMALLEST_SHOWN:
        return "c"
    step = 10 ** max(1, floor(log10(rows)) - 1)
    return f"about {max(step, step * round(rows / step)):,}"
