"""The list as pages that open in any browser: one for the LA, one per school with its pupils only.

In:  an assessment and its ranking; the tables, for charts; a password, if pages are to be sealed.
Out: ``index.html`` and ``schools/<school_id>.html``; each is one file and asks for no network.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from riskmodel.assess import Assessment
from riskmodel.data import Tables
from riskmodel.data.outcomes import outcome_of
from riskmodel.report.file_names import file_name
from riskmodel.report.list_page.audit_view import audit_tables, audit_words
from riskmodel.report.list_page.cards import Card, CardFacts, cards
from riskmodel.report.list_page.rows import (
    FILTERS,
    bar_places,
    list_rows,
    rest_of_cohort,
    school_names,
)
from riskmodel.report.list_page.sealing import PageKey, make_key, seal
from riskmodel.report.parts import heading, parts_of
from riskmodel.report.policy_break_words import break_words
from riskmodel.report.sentences import (
    MISUSE,
    RANGE,
    about,
    beside_words,
    change_words,
    day_words,
    hindsight_words,
    not_judged_words,
    short_purpose,
    track_figures,
    without_attendance_words,
)
from riskmodel.report.templates import render

__all__ = ["numbered", "write_pages"]

PARTS = ("reason_1", "reason_2", "reason_3", "strength_1", "strength_2")


def write_pages(
    assessment: Assessment,
    ranking: pd.DataFrame,
    folder: Path,
    *,
    tables: Tables | None = None,
    password: str | None = None,
) -> None:
    """Write all pages.

    Parameters
    ----------
    assessment : Assessment
        For reasons, sentences and the audit.
    ranking : DataFrame
        From :func:`riskmodel.assess.rank`; pupils listed or near the line are shown with their cards,
        the others can be searched on the LA's page.
    folder : Path
        Folder that exists.
    tables : Tables, optional
        The LA's facts, for attendance, timelines, needs and the names of schools; what was recorded
        on or after the day of the list is not used.
    password : str, optional
        Seals every page; it is asked for when a page is opened.

    Raises
    ------
    RequestError
        If the password is too short.
    """
    listed = _listed(assessment, ranking, tables)
    key = None if password is None else make_key(password)
    (folder / "schools").mkdir()
    title = heading(assessment)
    _write(folder / "index.html", title, _la_body(listed), key)
    for school, name in _schools(listed):
        _write(
            folder / "schools" / f"{file_name(school)}.html",
            title,
            _school_body(listed, school, name),
            key,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What the pages show: every pupil's row, those shown with their bars, and their cards."""

    assessment: Assessment
    rows: pd.DataFrame
    shown: pd.DataFrame
    facts: CardFacts
    cards: dict[str, Card]
    names: dict[str, str]


def _listed(assessment: Assessment, ranking: pd.DataFrame, tables: Tables | None) -> _Listed:
    """Put a ranking in words, with the cards of the pupils shown."""
    rows = list_rows(ranking, tables, as_of=assessment.as_of)
    is_shown = (ranking["band"] != "not listed").to_numpy()
    shown = rows[is_shown].join(ranking.loc[is_shown, list(PARTS)])
    shown = shown.join(bar_places(ranking[is_shown]))
    facts, made = cards(assessment, shown, tables)
    by_pupil = {card.pupil: card for card in made}
    return _Listed(
        assessment=assessment,
        rows=rows,
        shown=shown,
        facts=facts,
        cards=by_pupil,
        names=school_names(tables),
    )


def _schools(listed: _Listed) -> list[tuple[str, str]]:
    """Return each school with its name, those whose pupils could not be judged too."""
    stopped = listed.assessment.not_judged["school_id"].astype("str")
    found = dict.fromkeys([*listed.rows["school_id"], *stopped])
    return [(school, listed.names.get(school, school)) for school in found if school]


def _la_body(listed: _Listed) -> str:
    """Return what the LA's page holds: everybody, and the audit."""
    rest = listed.rows[~listed.rows.index.isin(listed.shown.index)]
    audit = listed.assessment.audit
    return _body(
        listed,
        listed.shown,
        {"rest": rest_of_cohort(rest)},
        school=None,
        parts=parts_of(listed.assessment),
        not_judged=not_judged_words(listed.assessment, listed.names),
        no_attendance=without_attendance_words(listed.assessment, listed.names),
        audit=audit_words(audit),
        tables=audit_tables(audit),
    )


def _school_body(listed: _Listed, school: str, name: str) -> str:
    """Return what a school's page holds: its own pupils only."""
    own = listed.shown[(listed.shown["school_id"] == school).to_numpy()]
    left_out, unknown = (
        words(listed.assessment, listed.names, school=school)
        for words in (not_judged_words, without_attendance_words)
    )
    parts = [replace(part, href="") for part in parts_of(listed.assessment)]
    contents = {"school": name, "not_judged": left_out, "no_attendance": unknown, "parts": parts}
    return _body(listed, own, {}, **contents, audit={}, tables={})


def numbered(content: dict[str, Any]) -> dict[str, Any]:
    """Return some content with each text written once.

    Parameters
    ----------
    content : dict
        JSON-ready.

    Returns
    -------
    dict
        The same with every text as its number, and ``words``, the texts by number.

    Examples
    --------
    >>> numbered({"a": ["x", "y", 7], "b": "x"})
    {'a': [0, 1, 7], 'b': 0, 'words': ['x', 'y']}
    """
    numbers: dict[str, int] = {}

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return numbers.setdefault(value, len(numbers))
        if isinstance(value, list | tuple):
            return [walk(one) for one in value]
        return (
            {name: walk(one) for name, one in value.items()} if isinstance(value, dict) else value
        )

    return walk(content) | {"words": list(numbers)}


def _body(listed: _Listed, shown: pd.DataFrame, more: dict[str, Any], **contents: Any) -> str:
    """Return what a page holds, a sealed one too; ``more`` is data for its script."""
    assessment = listed.assessment
    own = [listed.cards[pupil].to_dict() for pupil in shown["pupil_id"]]
    return render(
        "list_page/list.html",
        simulated=bool(assessment.provenance.get("simulated")),
        heading=heading(assessment),
        purpose=short_purpose(assessment),
        figures=track_figures(assessment),
        beside=beside_words(assessment.backtest or {}),
        about=about(assessment),
        change=change_words(assessment),
        range_words=RANGE,
        misuse=[*hindsight_words(assessment), *break_words(assessment), *MISUSE],
        pupils=shown.to_dict("records"),
        filters=_filters(shown),
        label_note=outcome_of(assessment.outcome).note,
        data=_for_script(numbered(listed.facts.to_dict() | {"cards": own}) | more),
        made=_made(assessment),
        **contents,
    )


def _filters(shown: pd.DataFrame) -> dict[str, tuple[str, list[str]]]:
    """Return label → column and values of each filter that has something to choose."""
    columns = [name for name in FILTERS if name in shown and shown[name].nunique() > 1]
    return {FILTERS[name]: (name, sorted(shown[name].unique(), key=_natural)) for name in columns}


def _made(assessment: Assessment) -> list[str]:
    """Return the text at the foot of a page."""
    model = assessment.provenance.get("model_uri", "a model that is not registered")
    return [
        "Confidential: facts about children. Store, send and destroy this page as you do other case "
        "records.",
        f"From what was recorded before {day_words(assessment.as_of)}, with {model}.",
    ]


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key that orders "Year 9" before "Year 10"."""
    parts = filter(None, re.split(r"(\d+)", text))
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _for_script(data: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _write(path: Path, title: str, body: str, key: PageKey | None) -> None:
    """Write a page around a body, which is sealed if there is a key."""
    script = (files("riskmodel.report.list_page") / "list.js").read_text("utf-8")
    page = render(
        "list_page/shell.html",
        title=title,
        script=Markup(script),  # noqa: S704
        body=Markup(body) if key is None else "",  # noqa: S704
        sealed=None if key is None else _for_script(seal(body, key)),
    )
    path.write_text(page, encoding="utf-8")
