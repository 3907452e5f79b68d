"""The pages: one for the LA, one per school; each a single file that needs no network.

In:  an assessment and its ranking.
Out: ``index.html`` and ``schools/<school_id>.html``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, Template

from riskmodel.assess import Assessment
from riskmodel.explain import theme_totals
from riskmodel.fairness import LABEL_NOTE
from riskmodel.report.words import AUDIT_TABLES, MISUSE, day_words, purpose

__all__ = ["write_pages"]

BAR_WIDTH = 60
"""Half width of the theme chart, in pixels; a change of the odds by e² fills it."""


def render(name: str, **contents: Any) -> str:
    """Fill a template of this package; every value is escaped.

    Parameters
    ----------
    name : str
        File name.
    **contents : Any
        Values by the names the template uses.

    Returns
    -------
    str
        HTML.
    """
    return _template(name).render(**contents)


def _template(name: str) -> Template:
    environment = Environment(loader=PackageLoader("riskmodel.report", "."), autoescape=True)
    return environment.get_template(name)


def write_pages(assessment: Assessment, ranking: pd.DataFrame, folder: Path) -> None:
    """Write all pages.

    Parameters
    ----------
    assessment : Assessment
        For the sentences and the audit.
    ranking : DataFrame
        From :func:`riskmodel.ranking.rank`; pupils listed or near the line are shown.
    folder : Path
        Folder that exists.
    """
    template = _template("list.html")
    shown = ranking[ranking["band"] != "not listed"].copy()
    shown["themes"] = pd.Series(_theme_bars(assessment, shown), index=shown.index, dtype=object)
    _write(template, assessment, shown, folder / "index.html", school=None)
    (folder / "schools").mkdir()
    for school, pupils in shown.groupby("school_id", sort=True):
        if school:
            path = folder / "schools" / f"{file_name(str(school))}.html"
            _write(template, assessment, pupils, path, school=str(school))


def file_name(school: str) -> str:
    """Return a school's name as a safe file name.

    Parameters
    ----------
    school : str
        ``school_id``.

    Returns
    -------
    str
        Letters, digits, ``-`` and ``_``; other characters become their code.
    """
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: f"%{ord(match.group()):02X}", school)


def _write(
    template: Template,
    assessment: Assessment,
    shown: pd.DataFrame,
    path: Path,
    *,
    school: str | None,
) -> None:
    audit = assessment.audit
    text = template.render(
        school=school,
        as_of=day_words(assessment.as_of),
        simulated=bool(assessment.provenance.get("simulated")),
        purpose=purpose(assessment),
        misuse=MISUSE,
        pupils=[_row(row) for row in shown.to_dict("records")],
        sentences=[] if school else audit.sentences(),
        note=audit.note,
        label_note=LABEL_NOTE if assessment.outcome == "pex" else "",
        tables={} if school else {AUDIT_TABLES[n]: _cells(t) for n, t in audit.published().items()},
    )
    path.write_text(text, encoding="utf-8")


def _row(row: dict[Hashable, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()} | {
        "risk_words": _frequency(row["risk"]),
        "range_words": _range(_frequency(row["risk_low"]), _frequency(row["risk_high"])),
    }


def _frequency(risk: float) -> str:
    """Write a risk as a natural frequency; never as certain, never as impossible."""
    if risk > 0.99:
        return "over 99 in 100"
    if risk >= 0.01:
        return f"{100 * risk:.0f} in 100"
    return f"{1000 * risk:.0f} in 1,000" if risk >= 0.001 else "under 1 in 1,000"


def _range(low: str, high: str) -> str:
    """Join two frequencies; a unit that both share is said once."""
    if low == high:
        return low
    for unit in (" in 100", " in 1,000"):
        if low[0].isdigit() and low.endswith(unit) and high.endswith(unit):
            return f"{low.removesuffix(unit)} to {high}"
    return f"{low} to {high}"


def _theme_bars(assessment: Assessment, shown: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """Return per pupil shown the bars of the theme chart, largest first."""
    totals = theme_totals(assessment)
    totals.index = pd.Index(assessment.scores["pupil_id"].astype("str"))
    rows = totals.loc[shown["pupil_id"]].to_dict("records")
    return [
        [
            {
                "theme": theme,
                "value": value,
                "x": BAR_WIDTH + min(0.0, _pixels(value)),
                "width": abs(_pixels(value)),
                "raises": value > 0,
            }
            for theme, value in sorted(row.items(), key=lambda item: -abs(item[1]))
        ]
        for row in rows
    ]


def _pixels(value: float) -> float:
    return max(-BAR_WIDTH, min(BAR_WIDTH, value / 2 * BAR_WIDTH))


def _cells(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as text."""

    def text(value: object) -> str:
        if isinstance(value, float):
            return "–" if pd.isna(value) else f"{value:.3f}"
        return str(value)

    return {
        "columns": [str(name).replace("_", " ") for name in table.columns],
        "rows": [[text(value) for value in row] for row in table.itertuples(index=False)],
    }
