"""Sentences at the top of a list: days, models, track records and changes, as far as they are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from riskmodel.report.sentences import (
    MISUSE,
    about,
    backtest_words,
    beside_words,
    change_words,
    day_words,
    purpose,
    short_purpose,
    track_figures,
    track_record,
    without_attendance_words,
)
from tests.small_list import BACKTEST, CAPACITY, N, make

MODEL: dict[str, Any] = BACKTEST["children"][1]


def with_figures(**changed: Any) -> dict[str, Any]:
    return BACKTEST | {"children": [MODEL | changed]}


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2024-09-02", "2 September 2024"),
        ("2024-12-31", "31 December 2024"),
        ("2024-02-29", "29 February 2024"),
        ("1999-01-01", "1 January 1999"),
    ],
)
def test_a_day_as_people_write_it(day: str, words: str) -> None:
    assert day_words(pd.Timestamp(day)) == words


@pytest.mark.parametrize("simulated", [True, False, None])
def test_only_a_list_of_simulated_data_states_it_first(simulated: bool | None) -> None:
    lines = purpose(make(provenance={"simulated": simulated}))
    assert lines[0].startswith("SIMULATED DATA") == bool(simulated)
    assert sum("SIMULATED" in line for line in lines) == bool(simulated)


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        ({}, "not registered, trained on what was known before an unknown day."),
        (
            {"model_uri": "models:/m/4", "trained_as_of": "2024-08-01"},
            "models:/m/4, trained on what was known before 2024-08-01.",
        ),
        ({"model_uri": "models:/m/4"}, "models:/m/4, trained on what was known before an unknown"),
        ({"trained_as_of": None}, "before an unknown day."),
    ],
)
def test_the_model_and_its_day_are_named_as_far_as_known(
    provenance: dict[str, Any], words: str
) -> None:
    made = make(provenance=provenance)
    assert any(words in line for line in purpose(made))
    assert words in dict(about(made))["Model"]


@pytest.mark.parametrize(
    "part",
    [f"{CAPACITY} places among {N} pupils", "before 2 September 2024", "permanent exclusion"],
)
def test_the_purpose_states_what_for_when_and_of_how_many(part: str) -> None:
    assert part in " ".join(purpose(make()))


@pytest.mark.parametrize("capacity", [1, 20, 60])
def test_the_short_purpose_names_places_and_pupils(capacity: int) -> None:
    text = short_purpose(make(capacity=capacity))
    assert text.startswith(
        f"The {capacity} of 60 pupils with the highest risk of permanent exclusion"
    )
    assert text.endswith(
        "for the offer of support. It uses what was recorded before 2 September 2024."
    )


@pytest.mark.parametrize(
    ("compared", "words"),
    [
        (None, "rank on an earlier list, where there is one."),
        ("2024-06-01", "from what was recorded before 1 June 2024."),
        ("2024-02-10", "before 10 February 2024."),
    ],
)
def test_the_change_is_measured_against_a_day(compared: str | None, words: str) -> None:
    provenance = {} if compared is None else {"compared_with": compared}
    assert change_words(make(provenance=provenance)).endswith(words)


@pytest.mark.parametrize(
    ("evaluated", "beginning"),
    [
        ("out of time", "On earlier lists of 25 pupils, each child counted once: "),
        (
            "by pupils",
            "Tested on pupils left out of the training of 25 pupils, each child counted once: ",
        ),
        (None, "Tested on pupils left out of the training of 25 pupils, each child counted once: "),
    ],
)
def test_the_track_record_states_how_it_was_tested(evaluated: str | None, beginning: str) -> None:
    text = backtest_words(BACKTEST, evaluated)
    assert text.startswith(beginning)
    assert text.endswith(
        "out of 100 children listed whose outcome is known, about 12 had it (95% interval 8 to 17); of 100 "
        "children who had it, the lists held about 41 (30 to 52)."
    )


@pytest.mark.parametrize(
    "backtest",
    [
        {},
        {"children": []},
        {"children": [{"ranker": "roni"}]},
        with_figures(precision_by_child=None),
        with_figures(precision_by_child_low=None),
        with_figures(recall_by_child_high=None),
        {"children": [{key: value for key, value in MODEL.items() if key != "recall_by_child"}]},
    ],
)
def test_without_every_figure_nothing_is_claimed(backtest: dict[str, Any]) -> None:
    assert backtest_words(backtest, "out of time") == (
        "How often such lists are right has not been measured."
    )
    made = make(backtest=backtest)
    assert track_figures(made) == []
    assert track_record(made) == backtest_words(backtest, None)


@pytest.mark.parametrize(
    ("figures", "count", "words"),
    [
        ({}, 12, "12 (8 to 17) were permanently excluded"),
        ({"precision_by_child": 0.0, "precision_by_child_low": 0.0}, 0, "0 (0 to 17) were"),
        ({"precision_by_child": 1.0, "precision_by_child_high": 1.0}, 100, "100 (8 to 100)"),
        ({"precision_by_child": 0.126}, 13, "13 (8 to 17)"),
    ],
)
def test_figures_are_counts_out_of_100(figures: dict[str, Any], count: int, words: str) -> None:
    (found, text), (caught, held) = track_figures(make(backtest=with_figures(**figures)))
    assert (found, caught) == (count, 41)
    assert words in text
    assert held == (
        "Out of 100 children who were permanently excluded within 12 months, such lists would have "
        "held 41 (30 to 52)."
    )


@pytest.mark.parametrize(
    ("evaluated", "words"),
    [
        ("out of time", "listed on earlier lists whose outcome is known, "),
        ("by pupils", "listed among pupils left out of the training whose outcome is known, "),
    ],
)
def test_figures_state_on_whom_they_were_measured(evaluated: str, words: str) -> None:
    (_, text), _ = track_figures(make(provenance={"evaluated": evaluated}))
    assert words in text


@pytest.mark.parametrize(
    "head",
    [
        "For",
        "What counts as the outcome",
        "As of",
        "Pupils",
        "Model",
        "How often it was right",
        "Risk",
        "Near the line",
        "Rising, steady, falling",
    ],
)
def test_a_list_explains_its_words(head: str) -> None:
    facts = dict(about(make()))
    assert facts[head].endswith(".")
    assert len(facts) == 9


@pytest.mark.parametrize(
    "use", ["exclude", "refuse or move a place", "rank schools", "judge a family"]
)
def test_what_a_list_must_not_be_used_for_is_reported(use: str) -> None:
    assert use in " ".join(MISUSE)


def test_what_a_simpler_ranker_finds_is_beside_what_the_lists_held() -> None:
    words = ["A simpler ranker finds about as many, within noise.", "Of these the lists held 0%."]
    beside = dict(zip(("recommendation", "never_suspended_words"), words, strict=True))
    assert beside_words(beside) == words
    assert backtest_words(BACKTEST | beside, "out of time").endswith(" ".join(words))
    assert beside_words({"recommendation": words[0], "never_suspended_words": None}) == words[:1]
    assert beside_words({}) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {},
            [
                "Over all places of those lists the risks added up to 1.27 times the outcomes that came "
                "(0.89 to 1.87): above 1 they were too high, below 1 too low."
            ],
        ),
        ({"pupils": 4}, []),  # few: what came of them is not shown
        ({"ratio": None, "high": None}, []),  # nothing came
    ],
)
def test_a_list_states_how_high_the_risks_of_those_listed_were(
    changed: dict[str, Any], words: list[str]
) -> None:
    row = {
        "pupils": 40,
        "expected": 62.0,
        "observed": 49,
        "ratio": 1.268,
        "low": 0.89,
        "high": 1.87,
    }
    measured = {"calibration": {"listed": [row | changed]}}
    assert beside_words(measured) == words
    assert beside_words({"calibration": None}) == []


@pytest.mark.parametrize(
    ("not_known", "words"),
    [
        (0, "within 12 months."),
        (1, "Of fewer than 1 in 100 listed it is not known."),
        (2, "Of 1 in 100 listed it is not known."),
        (300, "Of 60 in 100 listed it is not known."),
    ],
)
def test_a_page_states_of_how_many_listed_the_outcome_is_not_known(
    not_known: int, words: str
) -> None:
    backtest = with_figures(listed=200, not_known=not_known)
    (_, text), _ = track_figures(make(backtest=backtest))
    assert "whose outcome is known, 12 (8 to 17) were" in text
    assert text.endswith(words)
    assert ("not known" in backtest_words(backtest, None)) == (not_known > 0)


@pytest.mark.parametrize(
    ("n_known", "words"),
    [
        (7, ["8 pupils of Northside are judged without attendance"]),
        (8, []),
    ],
)
def test_a_school_without_registers_is_named(n_known: int, words: list[str]) -> None:
    assessment = make()
    explanation = assessment.explanation
    known = {"absence_rate_20_days": "known_half_days"}
    features = explanation.features.rename(columns=known)
    at_school = (assessment.scores["school_id"] == "north").to_numpy().nonzero()[0]
    features.loc[at_school[n_known:], "known_half_days"] = 0.0
    contributions = explanation.contributions.rename(columns=known)
    changed = replace(
        assessment,
        explanation=replace(explanation, features=features, contributions=contributions),
    )
    lines = without_attendance_words(changed, {"north": "Northside"})
    assert [line.split(":")[0] for line in lines] == words
    assert without_attendance_words(changed, {}, school="=cmd()") == []
    assert without_attendance_words(assessment, {}) == []
