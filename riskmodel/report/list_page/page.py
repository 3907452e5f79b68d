"""The list as pages that open in any browser: one for the LA, one per school with its pupils only.

In:  an assessment and its ranking; the tables, for charts; a password, if pages are to be sealed.
Out: ``index.html`` and ``schools/<school_id>.html``; each is one file and asks for no network.
"""

from __future__ import annotations

import json
import re
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
from riskmodel.report.list_page.cards import cards
from riskmodel.report.list_page.rows import FILTERS, bar_places, list_rows, rest_of_cohort
from riskmodel.report.list_page.sealing import PageKey, make_key, seal
from riskmodel.report.sentences import (
    MISUSE,
    about,
    change_words,
    day_words,
    short_purpose,
    track_figures,
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
    rows = list_rows(ranking, tables, as_of=assessment.as_of)
    is_shown = (ranking["band"] != "not listed").to_numpy()
    shown = rows[is_shown].join(ranking.loc[is_shown, list(PARTS)])
    shown = shown.join(bar_places(ranking[is_shown]))
    facts, made = cards(assessment, shown, tables)
    key = None if password is None else make_key(password)

    def write(path: Path, chosen: pd.DataFrame, school: str | None) -> None:
        own = [made[place].to_dict() for place in shown.index.get_indexer(chosen.index)]
        data = numbered(facts.to_dict() | {"cards": own})
        data |= {} if school is not None else {"rest": rest_of_cohort(rows[~is_shown])}
        body = _body(assessment, chosen, school, data)
        path.write_text(_shell(body, key), encoding="utf-8")

    write(folder / "index.html", shown, None)
    (folder / "schools").mkdir()
    schools = rows.drop_duplicates("school_id")
    for school, name in zip(schools["school_id"].tolist(), schools["school"].tolist(), strict=True):
        if school:
            own = shown[(shown["school_id"] == school).to_numpy()]
            write(folder / "schools" / f"{file_name(school)}.html", own, name)


def numbered(content: dict[str, Any]) -> dict[str, Any]:
    """Write each text of some content once.

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


def _body(
    assessment: Assessment, shown: pd.DataFrame, school: str | None, data: dict[str, Any]
) -> str:
    """Return what a page holds, a sealed one too."""
    filters = {
        name: list(dict.fromkeys(sorted(shown[name], key=_natural)))
        for name in FILTERS if name in shown and shown[name].nunique() > 1
    }  # fmt: skip
    return render(
        "list_page/list.html",
        school=school,
        as_of=day_words(assessment.as_of),
        simulated=bool(assessment.provenance.get("simulated")),
        purpose=short_purpose(assessment),
        figures=track_figures(assessment),
        about=about(assessment),
        change=change_words(assessment),
        misuse=MISUSE,
        pupils=shown.to_dict("records"),
        filters={FILTERS[name]: (name, values) for name, values in filters.items()},
        audit={} if school is not None else audit_words(assessment.audit),
        tables={} if school is not None else audit_tables(assessment.audit),
        label_note=outcome_of(assessment.outcome).note,
        data=_for_script(data),
        made=_made(assessment),
    )


def _made(assessment: Assessment) -> list[str]:
    """Return what the foot of a page says."""
    model = assessment.provenance.get("model_uri", "a model that is not registered")
    return [
        "Confidential: facts about children. Store, send and destroy this page as you do other case "
        "records.",
        f"From what was recorded before {day_words(assessment.as_of)}, with {model}.",
    ]


def _natural(text: str) -> tuple[Any, ...]:
    """Order "Year 9" before "Year 10"."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part)
                 for part in re.split(r"(\d+)", text) if part)  # fmt: skip


def _for_script(data: dict[str, Any]) -> Markup:
    """Write JSON that cannot end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _shell(body: str, key: PageKey | None) -> str:
    """Put a body, sealed if there is a key, into a page whose policy knows its style and script."""
    script = (files("riskmodel.report.list_page") / "list.js").read_text("utf-8")
    return render(
        "list_page/shell.html",
        title="Pupils who may need support early",
        script=Markup(script),  # noqa: S704
        body=Markup(body) if key is None else "",  # noqa: S704
        sealed=None if key is None else _for_script(seal(body, key)),
    )
