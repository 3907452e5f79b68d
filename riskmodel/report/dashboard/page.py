"""The inclusion dashboard as files: one page for the LA, one for each school, never a league table.

In:  what was counted (:class:`riskmodel.inclusion.Inclusion`).
Out: ``index.html`` and ``schools/<school_id>.html``; each a single file without network or script, in
which small counts are suppressed. A school's page is made from that school's rows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.write import new_folder
from riskmodel.data.year_groups import PHASES
from riskmodel.inclusion import Inclusion, sum_by_phase
from riskmodel.progress import track
from riskmodel.report.charts import number
from riskmodel.report.dashboard.area import about, area_exits, area_profile, area_spread, coverage
from riskmodel.report.dashboard.cells import FEWEST_SCHOOLS, hide_area, hide_school
from riskmodel.report.dashboard.parts import sources, themes
from riskmodel.report.file_names import file_name
from riskmodel.report.sentences import day_words
from riskmodel.report.templates import render

__all__ = ["write_dashboard"]

HEADINGS = {
    **{phase: f"{PHASES[phase]} schools" for phase in ("primary", "secondary")},
    "special": "Special schools",
    "": "Other schools",
}
"""Phase → heading; the others are all-through, post-16 and alternative provision."""


def write_dashboard(
    made: Inclusion, out: str | Path, *, simulated: bool = False, notes: Sequence[str] = ()
) -> None:
    """Write all pages.

    Parameters
    ----------
    made : Inclusion
        From :func:`riskmodel.inclusion.inclusion`.
    out : str or Path
        Empty or new folder; filled at the end, in one step.
    simulated : bool
        Whether the pupils are simulated; every page states it.
    notes : sequence of str
        What must stand beside all figures, such as changes of policy.

    Raises
    ------
    RequestError
        If the folder is not empty, or cannot be written.
    """
    common = {"simulated": simulated, "as_of": day_words(made.facts.as_of), "notes": notes}
    with new_folder(out) as folder:
        pages = _write_schools(made, folder / "schools", common)
        area = hide_area(sum_by_phase(made.table), pages)
        page = _area_page(made, area, pages, common)
        (folder / "index.html").write_text(page, encoding="utf-8")


def _write_schools(made: Inclusion, folder: Path, common: dict[str, Any]) -> pd.DataFrame:
    """Write the page of each school; return the rows of all, with what is hidden."""
    folder.mkdir()
    schools = made.facts.schools
    shown = []
    groups = made.table.groupby("school_id", sort=True)
    for school, rows in track(groups, "Pages", total=len(schools)):
        safe, facts = hide_school(rows), schools.loc[school]
        page = _school_page(safe, str(school), str(facts["name"]), str(facts["kind"]), common)
        (folder / f"{file_name(str(school))}.html").write_text(page, encoding="utf-8")
        shown.append(safe)
    return pd.concat(shown, ignore_index=True)


def _school_page(
    rows: pd.DataFrame, school: str, name: str, kind: str, common: dict[str, Any]
) -> str:
    phase = str(rows["phase"].iloc[0])
    return render(
        "dashboard/school.html",
        school=school,
        heading=name or school,
        kind=kind,
        phase=phase,
        on_roll=_on_roll(rows),
        themes=themes(rows, phase),
        sources=sources(rows["measure"], phase),
        **common,
    )


def _on_roll(rows: pd.DataFrame) -> str:
    """Return a sentence about the pupils on roll on the latest census day."""
    roll = rows[((rows["measure"] == "roll") & (rows["term"] != "year")).to_numpy()].iloc[-1]
    if pd.isna(roll["value"]):
        return "Nobody is on its main roll on the latest census day."
    if roll["hidden"]:
        return "Fewer than 5 pupils are on its main roll on the latest census day."
    count = number(roll["value"], whole=True)
    return f"{count} pupils are on its main roll on the latest census day."


def _area_page(
    made: Inclusion, area: pd.DataFrame, pages: pd.DataFrame, common: dict[str, Any]
) -> str:
    return render(
        "dashboard/area.html",
        profile=area_profile(made, area, pages),
        spread=area_spread(made, area),
        exits=area_exits(made, area),
        phases=_phases(made, area),
        coverage=coverage(made),
        without_roll=about(made.marks.without_roll),
        has_marks=made.marks.without_roll > 0,
        links=_links(made.facts.schools.loc[pages["school_id"].unique()]),
        **common,
    )


def _phases(made: Inclusion, area: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what the page shows of each phase of which there are schools."""
    sizes = made.facts.schools["phase"].value_counts()
    shown: list[dict[str, Any]] = []
    for phase, heading in HEADINGS.items():
        rows = area[(area["phase"] == phase).to_numpy()]
        if sizes.get(phase, 0) >= FEWEST_SCHOOLS:
            measures = {"themes": themes(rows, phase), "sources": sources(rows["measure"], phase)}
            shown.append({"heading": heading} | measures)
        elif len(rows):
            shown.append({"heading": heading, "few": FEWEST_SCHOOLS})
    return shown


def _links(schools: pd.DataFrame) -> list[dict[str, str]]:
    """Return schools with the addresses of their pages."""
    # "%" of a file's name is written as %25 in an address
    return [
        {"id": str(school), "name": str(name), "file": file_name(str(school)).replace("%", "%25")}
        for school, name in schools["name"].items()
    ]
