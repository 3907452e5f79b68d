"""The card of each pupil shown: the story in order, attendance, timeline, questions, gaps.

In:  an assessment, the pupils shown; the tables, for what happened when.
Out: a :class:`Card` per pupil, of texts and places on charts; :class:`CardFacts`, which all cards share.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data import Tables
from riskmodel.data.outcomes import outcome_of
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

__all__ = ["SECTIONS", "Card", "CardFacts", "Event", "Question", "Sentence", "Spell", "cards"]

SECTIONS = (
    "What protects",
    "Needs and circumstances",
    "What changed in attendance",
    "Moves and school",
    "Incidents",
    "Everything else",
)
"""Parts of a story, in the order in which they are read: incidents last."""

SECTION_OF_THEME = {
    "context": 1,
    "needs": 1,
    "attendance": 2,
    "moves": 3,
    "school": 3,
    "post-16": 3,
    "behaviour": 4,
}
"""Theme of a feature → its part of the story."""

LARGEST_FACTOR = 5.0
"""Factor of the risk that fills a bar."""

PERMILLE, PERCENT = 1000, 100

COLUMNS = ("rank", "school", "year", "need", "change", "band", "risk", "range")
"""Columns of the list that a card shows."""

T = TypeVar("T")


class Sentence(NamedTuple):
    """A sentence of a pupil's story.

    Parameters
    ----------
    section : int
        Its part of the story: a place in :data:`SECTIONS`.
    text : str
        The sentence.
    size : str
        How much it changes the risk, in words.
    bar : int
        The same as a bar, -100 to 100; below 0 it lowers the risk.
    is_weak : int
        1 where part of the model, or a small change of the facts, would drop it.
    """

    section: int
    text: str
    size: str
    bar: int
    is_weak: int


class Question(NamedTuple):
    """A question to ask about a pupil.

    Parameters
    ----------
    text : str
        The question.
    because : str
        What in the record asks for it.
    """

    text: str
    because: str


class Spell(NamedTuple):
    """A spell on the timeline.

    Parameters
    ----------
    start, end : int
        Places on the timeline, in thousandths of its length.
    is_elsewhere : int
        1 for education away from a school's roll.
    text : str
        School, or kind of education.
    """

    start: int
    end: int
    is_elsewhere: int
    text: str


class Event(NamedTuple):
    """An event on the timeline.

    Parameters
    ----------
    at : int
        Place on the timeline, in thousandths of its length.
    is_incident : int
        1 for a suspension or exclusion, 0 for a move.
    day : str
        The day in words.
    text : str
        What happened.
    """

    at: int
    is_incident: int
    day: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the page shows of one pupil.

    Attributes
    ----------
    rank : int
        Rank on the list.
    pupil : str
        Pseudonym.
    school, year, change, band, risk, range : str
        As in the pupil's row of the list.
    need : str, optional
        Special educational need; None where the LA holds no such facts.
    story : tuple of Sentence
        In the order in which they are read.
    questions : tuple of Question
        What to ask.
    gaps : tuple of str
        What the record does not hold.
    spells : tuple of Spell, optional
        Schools, and education elsewhere; None without the LA's facts.
    events : tuple of Event, optional
        Moves, suspensions and exclusions, by day; None without the LA's facts.
    weeks : tuple of int or None, optional
        Attendance of each week in per cent, None for a week without marks; None without any marks.
    """

    rank: int
    pupil: str
    school: str
    year: str
    change: str
    band: str
    risk: str
    range: str
    need: str | None = None
    story: tuple[Sentence, ...]
    questions: tuple[Question, ...]
    gaps: tuple[str, ...]
    spells: tuple[Spell, ...] | None = None
    events: tuple[Event, ...] | None = None
    weeks: tuple[int | None, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the card for the script of the page.

        Returns
        -------
        dict
            JSON-ready; what is None is left out. Sentences, questions, spells and events are arrays of
            their fields, in the order of the fields.
        """
        return _without_none(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What all cards share.

    Attributes
    ----------
    happened : str
        The outcome, as what pupils "were".
    sections : tuple of str
        Heads of the parts of a story.
    years : tuple of (int, str)
        Where each year starts on the timeline, in thousandths of its length, and the year.
    weeks : tuple of str, optional
        Monday of each week of the chart of attendance; None without marks.
    holidays : tuple of int, optional
        1 for a week without a school day.
    """

    happened: str
    sections: tuple[str, ...] = SECTIONS
    years: tuple[tuple[int, str], ...]
    weeks: tuple[str, ...] | None = None
    holidays: tuple[int, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the facts for the script of the page.

        Returns
        -------
        dict
            JSON-ready; what is None is left out.
        """
        return _without_none(self)


def _without_none(made: Card | CardFacts) -> dict[str, Any]:
    values = {field.name: getattr(made, field.name) for field in fields(made)}
    return {name: value for name, value in values.items() if value is not None}


def cards(
    assessment: Assessment, rows: pd.DataFrame, tables: Tables | None
) -> tuple[CardFacts, list[Card]]:
    """Return the cards of the pupils shown.

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
    CardFacts, list of Card
        What all cards share; one card per row.
    """
    pupils, as_of = rows["pupil_id"].tolist(), assessment.as_of
    weeks = None if tables is None else weekly_attendance(tables, pupils, as_of=as_of)
    parts = _of_story(assessment.story(pupils, tables=tables))
    if tables is not None:
        parts |= _of_timeline(tables, pupils, as_of)
    if weeks is not None:
        parts["weeks"] = dict(zip(pupils, map(_percentages, weeks.share), strict=True))
    return _shared(assessment, weeks), [_card(row, parts) for row in rows.to_dict("records")]


def _card(row: dict[Hashable, Any], parts: dict[str, dict[str, Any]]) -> Card:
    """Return the card of a row: its columns, and its parts; nothing is not the same as no such facts."""
    own = {name: part.get(row["pupil_id"], ()) for name, part in parts.items()}
    shown = {name: row[name] for name in COLUMNS if name in row}
    return Card(pupil=row["pupil_id"], **shown, **own)


def _shared(assessment: Assessment, weeks: Weeks | None) -> CardFacts:
    """Return what all cards share."""
    as_of = assessment.as_of
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    years = range(first.year + 1, as_of.year + 1)
    starts = pd.Series([pd.Timestamp(year=year, month=1, day=1) for year in years])
    shared: dict[str, Any] = {
        "happened": outcome_of(assessment.outcome).happened,
        "years": tuple(zip(_permille(starts, as_of), map(str, years), strict=True)),
    }
    if weeks is not None:
        mondays = [weeks.first + pd.Timedelta(weeks=week) for week in range(len(weeks.is_holiday))]
        shared["weeks"] = tuple(f"{day.day} {day:%b %Y}" for day in mondays)
        shared["holidays"] = tuple(weeks.is_holiday.astype(int).tolist())
    return CardFacts(**shared)


def _of_story(story: Story) -> dict[str, dict[str, Any]]:
    """Return per part of a card, and per pupil, what their story gives."""
    asked, gaps = story.questions, story.gaps
    pairs = zip(asked["question"], asked["because"], strict=True)
    sentences = _sentences(story.reasons)
    return {
        "story": _by_pupil(sentences["pupil_id"], map(Sentence._make, _cells(sentences))),
        "questions": _by_pupil(asked["pupil_id"], map(Question._make, pairs)),
        "gaps": _by_pupil(gaps["pupil_id"], gaps["sentence"]),
    }


def _sentences(reasons: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of :class:`Sentence` in the order of reading, with the pupil."""
    section = reasons["theme"].map(SECTION_OF_THEME).fillna(1).astype("int64")
    section = section.mask(reasons["direction"] == "protects", 0)
    section = section.mask(reasons["direction"] == "rest", len(SECTIONS) - 1)
    factor = reasons["factor"].clip(1 / LARGEST_FACTOR, LARGEST_FACTOR)
    columns = {
        "pupil_id": reasons["pupil_id"],
        "section": section,
        "text": reasons["sentence"],
        "size": reasons["size"],
        "bar": np.rint(PERCENT * np.log(factor) / np.log(LARGEST_FACTOR)).astype("int64"),
        "is_weak": reasons["weak"].fillna(False).astype("int64"),
    }
    return pd.DataFrame(columns).iloc[np.lexsort((reasons["order"], section))]


def _of_timeline(
    tables: Tables, pupils: list[str], as_of: pd.Timestamp
) -> dict[str, dict[str, Any]]:
    """Return the spells and the events of each pupil."""
    known, names = known_of(tables, pupils, as_of=as_of), school_names(tables)
    where = spells(known, names, as_of=as_of)
    what = events(known, names, as_of=as_of)
    bars = where.assign(
        start=_permille(where["start"], as_of),
        end=_permille(where["end"], as_of),
        kind=(where["kind"] == "elsewhere").astype("int64"),
    )
    marks = what.assign(
        at=_permille(what["day"], as_of),
        kind=(what["kind"] == "incident").astype("int64"),
        day=[day_words(day) for day in what["day"]],
    )
    shown = marks[["pupil_id", "at", "kind", "day", "text"]]
    return {
        "spells": _by_pupil(bars["pupil_id"], map(Spell._make, _cells(bars))),
        "events": _by_pupil(shown["pupil_id"], map(Event._make, _cells(shown))),
    }


def _cells(frame: pd.DataFrame) -> list[list[Any]]:
    """Return the rows of a frame without the pupil."""
    return frame.drop(columns="pupil_id").astype(object).to_numpy().tolist()


def _by_pupil(pupils: pd.Series, values: Iterable[T]) -> dict[str, tuple[T, ...]]:
    """Return the values of each pupil, in the order given."""
    found: dict[str, list[T]] = {}
    for pupil, value in zip(pupils.tolist(), values, strict=True):
        found.setdefault(pupil, []).append(value)
    return {pupil: tuple(own) for pupil, own in found.items()}


def _permille(days: pd.Series, as_of: pd.Timestamp) -> list[int]:
    """Return where days are on the timeline, in thousandths of its length."""
    first = as_of - pd.DateOffset(months=TIMELINE_MONTHS)
    share = (pd.to_datetime(days) - first) / (as_of - first)
    return [int(value) for value in np.rint(PERMILLE * share.clip(0, 1))]


def _percentages(share: np.ndarray) -> tuple[int | None, ...]:
    """Return the shares of a pupil's weeks in per cent."""
    return tuple(None if np.isnan(value) else round(PERCENT * value) for value in share.tolist())
