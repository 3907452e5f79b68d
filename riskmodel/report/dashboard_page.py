"""The inclusion dashboard as files: one page for the LA, one for each school, never a league table.

In:  what was counted (:class:`riskmodel.inclusion.Inclusion`).
Out: ``index.html`` and ``schools/<school_id>.html``; each a single file without network or script, in
which small counts are suppressed. A school's page is made from that school's rows alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.coverage import concentration
from riskmodel.data.write import new_folder
from riskmodel.inclusion import Inclusion, sum_by_phase
from riskmodel.inclusion.area import exits, profile, rows_by_year, spread
from riskmodel.progress import track
from riskmodel.report.dashboard_cells import hide_area, hide_groups, hide_school
from riskmodel.report.dashboard_charts import number, spread_chart
from riskmodel.report.dashboard_parts import sources, themes
from riskmodel.report.page import file_name, render
from riskmodel.report.words import day_words

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
        area = hide_area(sum_by_phase(made.table), pd.concat(hidden, ignore_index=True))
        page = _area_page(made, area, links, common)
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
        "dashboard_school.html", school=school, heading=name or school, kind=kind, phase=phase, on_roll=on_roll,
        themes=themes(rows, phase), sources=sources(rows["measure"], phase), **common,
    )  # fmt: skip


def _area_page(
    made: Inclusion, area: pd.DataFrame, links: list[dict[str, str]], common: dict[str, Any]
) -> str:
    phases = []
    for phase, heading in PHASES.items():
        rows = area[(area["phase"] == phase).to_numpy()]
        if len(rows):
            phases.append(
                {"heading": heading, "themes": themes(rows, phase),
                 "sources": sources(rows["measure"], phase)}
            )  # fmt: skip
    return render(
        "dashboard_area.html", profile=_profile(made), spread=_spread(made), exits=_exits(made),
        phases=phases, coverage=_coverage(made), without_roll=f"{made.marks.without_roll:,}",
        has_marks=made.marks.without_roll > 0, links=links, **common,
    )  # fmt: skip


def _profile(made: Inclusion) -> dict[str, Any]:
    table = profile(made)
    rest = (table["of"] - table["count"]).fillna(table["count"])
    counted = table["count"].notna().to_numpy()
    hidden = pd.Series(False, index=table.index)
    hidden[counted] = hide_groups(
        pd.DataFrame({"count": table["count"], "rest": rest})[counted], table["group"][counted]
    )
    rows = []
    for row, gone in zip(table.to_dict("records"), hidden, strict=True):
        share = 100 * row["count"] / row["of"]
        rows.append(
            {"label": row["label"],
             "count": "c" if gone else number(row["count"], whole=True),
             "share": "" if pd.isna(row["of"]) else "c" if gone else f"{number(share)}%"}
        )  # fmt: skip
    facts = made.facts
    kinds = facts.schools["kind"].value_counts().sort_index()
    return {
        "rows": rows,
        "day": day_words(facts.periods["census"].iloc[facts.n_terms - 1]),
        "schools": [f"{kind}: {count}" for kind, count in kinds.items()],
    }


def _spread(made: Inclusion) -> dict[str, Any]:
    curve = spread(made)
    charts = [
        spread_chart([int(n) for n in part["schools"]], [float(s) for s in part["share"]])
        | {"event": str(event), "events": f"{int(part['events'].iloc[0]):,}",
           "schools": int(part["all_schools"].iloc[0]), "half": int(part["schools_for_half"].iloc[0]),
           "points": [{"schools": int(n), "share": f"{s:.0%}"}
                      for n, s in zip(part["schools"], part["share"], strict=True)]}
        for event, part in curve.groupby("event", sort=False)
    ]  # fmt: skip
    by_year = concentration(made.facts.tables)
    shown = by_year["year"].isin(made.facts.periods["year"])
    return {
        "charts": charts,
        "years": [
            {"year": f"{row['year']}/{(int(row['year']) + 1) % 100:02d}", "event": row["event"],
             "events": f"{int(row['events']):,}", "half": int(row["schools_for_half"]),
             "schools": int(row["schools"])}
            for row in by_year[shown].to_dict("records")
        ],
    }  # fmt: skip


def _exits(made: Inclusion) -> dict[str, Any]:
    """Lay out exits as one row per year group and one column per school year, with the totals."""
    table = exits(made).reset_index(drop=True)
    if not len(table) or not (made.left["went"] != "finished").any():
        return {"why": "The extracts hold no ends of rolls before the end of a phase."}
    counts = pd.DataFrame({"people": table["people"], "rest": table["pupils"] - table["people"]})
    table["hidden"] = hide_groups(counts, table["period"])
    periods = list(dict.fromkeys(table["period"]))
    rows = [
        {"group": "Reception" if group == 0 else f"Year {group!s}",
         "cells": [_exit_cell(row) for row in part.to_dict("records")]}
        for group, part in table.groupby("year_group")
    ]  # fmt: skip
    totals = table.groupby("period", sort=False)[["people", "pupils"]].sum()
    small = hide_groups(totals[["people"]], pd.Series(totals.index))
    total = [_exit_cell(row | {"hidden": gone})
             for row, gone in zip(totals.to_dict("records"), small, strict=True)]  # fmt: skip
    return {"periods": periods, "rows": [*rows, {"group": "All year groups", "cells": total}]}


def _exit_cell(row: dict[Hashable, Any]) -> str:
    if row["hidden"]:
        return "c"
    rate = 100 * row["people"] / row["pupils"] if row["pupils"] else float("nan")
    return f"{row['people']:,.0f} ({number(rate)} per 100)"


def _coverage(made: Inclusion) -> dict[str, Any]:
    table = rows_by_year(made)
    rows = [
        {"table": name, "row": part["row"].iloc[0],
         "cells": [_coverage_cell(row) for row in part.to_dict("records")]}
        for name, part in table.groupby("table", sort=False)
    ]  # fmt: skip
    return {"periods": list(dict.fromkeys(table["period"])), "rows": rows}


def _coverage_cell(row: dict[Hashable, Any]) -> str:
    if pd.isna(row["rows"]):
        return "not in the extracts"
    if row["rows"] == 0:
        return "none"
    if row["rows"] < 5:
        return "c"
    share = "" if pd.isna(row["share"]) else f" ({row['share']:.0%} of half-days)"
    return f"{row['rows']:,.0f}{share}"
