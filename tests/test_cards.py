"""The card of a pupil: named fields, in the order of reading, and nothing the LA does not hold."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from riskmodel.assess import Assessment, rank
from riskmodel.data import Tables
from riskmodel.report.list_page.cards import SECTIONS, Card, CardFacts, cards
from riskmodel.report.list_page.rows import list_rows
from tests.lists import score, simulated_tables


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return score(simulated_tables())


def cards_of(assessment: Assessment, tables: Tables | None) -> tuple[CardFacts, list[Card]]:
    """Return the cards of the first ten."""
    rows = list_rows(rank(assessment), tables, as_of=assessment.as_of).head(10)
    return cards(assessment, rows, tables)


def test_a_card_holds_what_the_facts_give(assessment: Assessment) -> None:
    facts, made = cards_of(assessment, simulated_tables())
    assert facts.sections == SECTIONS
    assert facts.weeks is not None
    assert [card.rank for card in made] == list(range(1, 11))
    for card in made:
        assert card.need is not None
        assert card.weeks is not None
        assert len(card.weeks) == len(facts.weeks)
        assert [line.section for line in card.story] == sorted(line.section for line in card.story)
        assert all(-100 <= line.bar <= 100 for line in card.story)
        assert card.spells
        assert all(0 <= spell.start <= spell.end <= 1000 for spell in card.spells)
        assert all(question.because for question in card.questions)


def test_what_the_la_does_not_hold_is_left_out(assessment: Assessment) -> None:
    facts, made = cards_of(assessment, None)
    assert set(facts.to_dict()) == {"happened", "sections", "years"}
    assert set(made[0].to_dict()) == {
        "rank", "pupil", "school", "year", "change", "band", "risk", "range", "story", "questions",
        "gaps",
    }  # fmt: skip


def test_a_card_is_ready_for_json_and_cannot_be_changed(assessment: Assessment) -> None:
    _, (first, *_) = cards_of(assessment, simulated_tables())
    read = json.loads(json.dumps(first.to_dict()))
    assert read["story"] == [list(line) for line in first.story]
    with pytest.raises(FrozenInstanceError, match="rank"):
        first.rank = 2  # type: ignore[misc]
