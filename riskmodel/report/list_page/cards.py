"""The card of each pupil shown: the story in order, attendance, timeline, questions, gaps.

In:  an assessment, the pupils shown; the tables, for what happened when.
Out: one dict per pupil, of texts and places on charts; JSON-ready.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data import Tables
from riskmodel.explain import Story
from riskmodel.report.list_page.history import (
    TIMELINE_MONTHS,
    Weeks,
    events,
    known_of,
    spells,
    weekly_attendance,
)
from riskmodel.report.list_page.rows import school_names
from riskmodel.report.sentences import day_words

__all__ = ["SECTIONS", "card_facts", "cards"]

SECTIONS = (
    "What protects",
    "Needs and circumstances",
    "What changed in attendance",
    "Moves and school",
    "Incidents",
    "Everything else",
)
"""Parts of a story, in the order in which they are read: incidents last."""

SECTION_OF_THEME = {"context": 1, "needs": 1, "attendance": 2, "moves": 3, "school": 3, "post-16": 3,
                    "behaviour": 4}  # fmt: skip

LARGEST_FACTOR = 5.0
"""Factor of the risk that fills a bar."""

PERMILLE, PERCENT = 1000, 100


def card_facts(weeks: Weeks | None, as_of: pd.Timestamp) -> dict[str, Any]:
    """Return what all cards share.

    Parameters
    ----------
    weeks : Weeks, optional
        From :func:`riskmodel.report.list_page.history.weekly_attendance`.
    as_of : Timestamp
        The day of the list.

    Returns
    -------
    dict
        Sections; the first Monday and the holidays of the chart; the years of the timeline and where
        each starts, in thousandths of its length.
    """
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    years = [
        pd.Timestamp(year=year, month=1, day=1) for year in range(first.year + 1, as_of.year + 1)
    ]
    facts: dict[str, Any] = {
        "sections": list(SECTIONS),
        "years": [[_permille(pd.Series([year]), as_of)[0], str(year.year)] for year in years],
    }
    if weeks is not None:
        monday = [weeks.first + pd.Timedelta(weeks=week) for week in range(len(weeks.is_holiday))]
        facts["weeks"] = [f"{day.day} {day:%b %Y}" for day in monday]
        facts["holidays"] = weeks.is_holiday.astype(int).tolist()
    return facts


def cards(
    assessment: Assessment, rows: pd.DataFrame, tables: Tables | None
) -> tuple[list[dict[str, Any]], Weeks | None]:
    """Make the cards of the pupils shown.

    Parameters
    ----------
    assessment : Assessment
        Scores and reasons.
    rows : DataFrame
        The pupils, from :func:`riskmodel.report.list_page.rows.list_rows`.
    tables : Tables, optional
        The LA's facts.

    Returns
    -------
    list of dict, Weeks or None
        One card per row; the weeks of the charts, None where there are no marks.
    """
    pupils, as_of = rows["pupil_id"].tolist(), assessment.as_of
    told = assessment.story(pupils, tables=tables)
    weeks = None if tables is None else weekly_attendance(tables, pupils, as_of=as_of)
    parts = {
        "told": _told(told),
        "ask": _pairs(told.questions, ["question", "because"]),
        "gaps": _pairs(told.gaps, ["sentence"]),
    }
    if tables is not None:
        known, names = known_of(tables, pupils, as_of=as_of), school_names(tables)
        parts["spells"] = _spells(spells(known, names, as_of=as_of), as_of)
        parts["events"] = _events(events(known, names, as_of=as_of), as_of)
    made = []
    columns = [
        name
        for name in ("school", "year", "need", "change", "band", "risk", "range")
        if name in rows
    ]
    facts = rows[["rank", "pupil_id", *columns]].to_dict("records")
    for number, row in enumerate(facts):
        card = {"rank": row["rank"], "pupil": row["pupil_id"]}
        card |= {name: row[name] for name in columns}
        card |= {name: part.get(row["pupil_id"], []) for name, part in parts.items()}
        if weeks is not None:
            card["weeks"] = _shares(weeks.share[number])
        made.append(card)
    return made, weeks


def _told(told: Story) -> dict[str, list[list[Any]]]:
    """Return per pupil: section, sentence, size, bar from -100 to 100, whether it is weak."""
    rows = told.reasons
    section = rows["theme"].map(SECTION_OF_THEME).fillna(1).astype("int64")
    section = section.mask(rows["direction"] == "protects", 0)
    section = section.mask(rows["direction"] == "rest", len(SECTIONS) - 1)
    factor = rows["factor"].clip(1 / LARGEST_FACTOR, LARGEST_FACTOR)
    values = pd.DataFrame({
        "section": section,
        "sentence": rows["sentence"],
        "size": rows["size"],
        "bar": np.rint(PERCENT * np.log(factor) / np.log(LARGEST_FACTOR)).astype("int64"),
        "weak": rows["weak"].fillna(False).astype("int64"),
    })  # fmt: skip
    order = np.lexsort((rows["order"], section))
    return _by_pupil(rows["pupil_id"].iloc[order], values.iloc[order])


def _pairs(rows: pd.DataFrame, names: list[str]) -> dict[str, list[list[Any]]]:
    return _by_pupil(rows["pupil_id"], rows[names])


def _spells(rows: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, list[list[Any]]]:
    """Return per pupil: start and end in thousandths, whether elsewhere, what."""
    values = pd.DataFrame({
        "start": _permille(rows["start"], as_of), "end": _permille(rows["end"], as_of),
        "elsewhere": (rows["kind"] == "elsewhere").astype("int64").to_numpy(),
        "text": rows["text"],
    })  # fmt: skip
    return _by_pupil(rows["pupil_id"], values)


def _events(rows: pd.DataFrame, as_of: pd.Timestamp) -> dict[str, list[list[Any]]]:
    """Return per pupil: place in thousandths, whether an incident, day, what."""
    days = pd.Series([day_words(day) for day in rows["day"]], dtype="str")
    values = pd.DataFrame({
        "at": _permille(rows["day"], as_of),
        "incident": (rows["kind"] == "incident").astype("int64").to_numpy(),
        "day": days, "text": rows["text"],
    })  # fmt: skip
    return _by_pupil(rows["pupil_id"], values)


def _by_pupil(pupil: pd.Series, values: pd.DataFrame) -> dict[str, list[list[Any]]]:
    found: dict[str, list[list[Any]]] = {}
    for name, row in zip(pupil.tolist(), values.to_numpy().tolist(), strict=True):
        found.setdefault(name, []).append(row)
    return found


def _permille(days: pd.Series, as_of: pd.Timestamp) -> list[int]:
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    share = (pd.to_datetime(days) - first) / (as_of - first)
    return [int(value) for value in np.rint(PERMILLE * share.clip(0, 1))]


def _shares(share: np.ndarray) -> list[int | None]:
    return [None if np.isnan(value) else round(PERCENT * value) for value in share.tolist()]
