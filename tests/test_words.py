"""Every word that may be written of a pupil: whole, kind, and true of the value."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
import pytest

from riskmodel.assess import Assessment
from riskmodel.explain import Story, reasons_in_words
from riskmodel.explain.composed_sentences import compose_sentences
from riskmodel.explain.phrases import MISSING, NONE, SOME, phrase_of, place_of, read_words
from riskmodel.explain.questions import QUESTIONS
from riskmodel.explain.story import NOTED, REST
from riskmodel.features import CATALOGUE

BLAME = read_words("blame_words.csv")


def _pattern(rows: list[dict[str, str]]) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:{'|'.join(re.escape(row['beginning']) for row in rows)})", re.IGNORECASE
    )


BLAMING = _pattern(BLAME)
IN_LABELS = _pattern([row for row in BLAME if not row["dfe_term"]])
OURS = [name for name in CATALOGUE if phrase_of(name).subject != CATALOGUE[name].label]

PROBES = {
    "share": [0.0, 0.004, 0.19, 1.0],
    "yes/no": [0.0, 1.0],
    "standard deviations": [-2.0, -0.7, 0.0, 0.7, 2.0],
    "decile": [1.0, 2.0, 4.0],
}


def _every_sentence(name: str) -> list[str]:
    """The words for a feature alone, over values of every kind."""
    feature = CATALOGUE[name]
    values = [*PROBES.get(feature.unit, [0.0, 0.4, 1.0, 2.0, 30.0, 800.0]), float("nan")]
    if "change" in name or "excess" in name or "against" in name:
        values += [-0.12, -1.0]
    frame = pd.DataFrame({name: np.array(values, dtype=np.float32)})
    return [str(text) for sign in (1, -1) for text in compose_sentences(name, frame, sign) if text]


def test_the_list_of_words_finds_what_it_should() -> None:
    for text in ("a troubled family", "Truancy", "bad at", "refused school", "a violent child"):
        assert BLAMING.search(text), text
    for text in ("at the present school", "a need is recorded", "a plan is due"):
        assert not BLAMING.search(text), text


def test_no_label_blames() -> None:
    blaming = [feature.label for feature in CATALOGUE.values() if IN_LABELS.search(feature.label)]
    assert blaming == []


@pytest.mark.parametrize("name", OURS)
def test_no_sentence_blames_and_every_sentence_is_whole(name: str) -> None:
    made = _every_sentence(name)
    assert bool(made) == CATALOGUE[name].may_be_reason
    for text in made:
        assert not BLAMING.search(text), text
        assert not re.search(r"[{}]|nan|None|  ", text), text
        assert text[0].isupper() or text[0].isdigit()
        assert not text.endswith("."), text


def test_every_feature_of_ours_has_words_and_a_place() -> None:
    # own features of other tests have a label as their subject, and come last in their theme
    places = {row["subject"] for row in read_words("subjects.csv")}
    assert {phrase_of(name).subject for name in OURS} == places
    assert len(OURS) >= 318


def test_every_pattern_of_the_tables_is_used() -> None:
    first = {}
    patterns = [row["feature"] for row in read_words("sentences.csv")]
    for name in CATALOGUE:
        first[name] = next((p for p in patterns if fnmatchcase(name, p)), None)
    assert set(patterns) == set(first.values()) - {None}
    changed = [n for row in read_words("changes.csv") for n in row["features"].split()]
    assert {*changed} <= {*CATALOGUE}
    assert len(set(changed)) == len(changed)


def test_a_subject_lies_in_one_theme_and_incidents_come_last() -> None:
    themes: dict[str, set[str]] = {}
    for name in OURS:
        themes.setdefault(phrase_of(name).subject, set()).add(CATALOGUE[name].theme)
    assert {subject: found for subject, found in themes.items() if len(found) > 1} == {}
    order = sorted(OURS, key=place_of)
    assert phrase_of(order[-1]).subject == "suspensions"
    assert [CATALOGUE[n].theme for n in order[:40]] == ["context"] * 40


def test_the_reason_for_a_suspension_is_never_repeated() -> None:
    names = [n for n in OURS if phrase_of(n).subject == "suspensions"]
    texts = {text for name in names for text in _every_sentence(name)}
    assert not [
        t for t in texts if re.search("assault|abuse|weapon|drug|disrupt", t, re.IGNORECASE)
    ]


def test_no_need_may_be_a_strength() -> None:
    needs = [n for n in OURS if CATALOGUE[n].theme == "needs"]
    assert needs
    assert not [name for name in needs if phrase_of(name).strength]


@pytest.mark.parametrize("name", [n for n in OURS if CATALOGUE[n].theme == "school"])
def test_a_value_of_the_school_is_worded_as_the_schools(name: str) -> None:
    for text in _every_sentence(name):
        assert text.startswith(("At this school", "Across the LA")), text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("absence_rate_20_days", 0.194, "Attendance was 81% in the last 4 school weeks"),
        (
            "absence_change_20_days",
            -0.001,
            "Absence did not rise, looking back over the last 4 school weeks",
        ),
        ("severe_absence", 1.0, "Missed half of sessions or more in the last 12 months"),
        ("absence_streak", 12.0, "Absent for the last 12 half-days on record"),
        ("absence_streak", 1.0, "Absent for the last 1 half-day on record"),
        ("months_at_school", 2.25, ""),  # nobody can act on it
        ("school_roll", 771.0, ""),
        ("idaci_decile", 1.0, "Lives in the most deprived tenth of neighbourhoods for children"),
        (
            "idaci_decile",
            2.0,
            "Lives in the 2nd most deprived tenth of neighbourhoods for children",
        ),
        ("ks2_score", float("nan"), ""),
        ("ks2_score", -1.2, "Key stage 2 attainment was well below average"),
        ("need_asd_now", 1.0, "A need is recorded: autistic spectrum disorder"),
        ("fsm_months", 40.0, "Has received free school meals for 3 years"),
        ("plan_weeks_waited", 30.0, "A request for an EHC plan has waited 7 months for a decision"),
        ("moves_24_months", 2.0, "Changed school twice in the last 2 years"),
        ("days_since_suspension", float("nan"), ""),
    ],
)
def test_sentences_worked_by_hand(name: str, value: float, words: str) -> None:
    frame = pd.DataFrame({name: np.array([value], dtype=np.float32)})
    assert compose_sentences(name, frame, 1)[0] == words


def test_a_value_is_worded_only_where_it_is_more_than_nothing() -> None:
    values = np.array([0.0, 0.004, 0.006, np.nan])
    assert phrase_of("absence_rate_20_days").kinds(values).tolist() == [NONE, NONE, SOME, MISSING]
    assert phrase_of("ks2_score").kinds(np.array([-1.0, 0.1])).tolist() == [NONE, SOME]


def test_questions_ask_and_do_not_blame() -> None:
    for one in QUESTIONS:
        assert one.ask.endswith("?")
        assert one.because.endswith(".")
        assert not BLAMING.search(one.ask + one.because)
        assert {*one.needs} <= {*CATALOGUE}
    assert not BLAMING.search(NOTED + REST)


def test_no_text_of_a_simulated_list_blames(small_story: Story) -> None:
    texts = [
        *small_story.reasons["sentence"],
        *small_story.questions["question"],
        *small_story.questions["because"],
        *small_story.gaps["sentence"],
    ]
    assert len(texts) > 500
    assert [text for text in texts if BLAMING.search(text)] == []
    assert [text for text in texts if re.search(r"[{}]|\bnan\b", text)] == []


def test_nothing_in_the_whole_list_blames(small_assessment: Assessment) -> None:
    made = reasons_in_words(small_assessment.explanation, None)
    texts = pd.unique(made.to_numpy().ravel())
    assert len(texts) > 500
    assert [text for text in texts if BLAMING.search(text)] == []
    assert small_assessment.story([]).reasons.empty
