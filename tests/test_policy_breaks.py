"""Changes of policy: which lists span one, and what is said beside them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from riskmodel.assess import Assessment
from riskmodel.evaluation.baselines import columns_of_rankers, simple_rankers
from riskmodel.features import CATALOGUE
from riskmodel.policy_breaks import PolicyBreak
from riskmodel.report.policy_break_words import (
    break_words,
    breaks_of_dashboard,
    breaks_of_lists,
    with_breaks,
)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("s")


def on(text: str, *tables: str) -> PolicyBreak:
    return PolicyBreak(day(text), "suspensions are held inside school", tables or ("suspensions",))


LISTS = [(day(f"{year}-06-01"), day(f"{year + 1}-06-01")) for year in (2022, 2023, 2024)]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("2023-09-01", "what came after it: 2 of 3. Their figures are of neither policy."),
        ("2025-06-01", "what came after it: 1 of 3."),  # the last day of a horizon counts
        ("2025-06-02", "All tested lists lie before that day, so no figure here says"),
        ("2021-06-02", "what came after it: 1 of 3."),
    ],
)
def test_the_backtest_says_which_lists_look_across(broken: str, words: str) -> None:
    (text,) = breaks_of_lists([on(broken)], LISTS)
    assert words in text
    assert "features mean something else since: " in text
    assert text.endswith("So does the ranking by suspensions last year.")


def test_a_break_before_all_that_lists_count_is_not_spoken_of() -> None:
    assert breaks_of_lists([on("2021-06-01")], LISTS) == []


def test_a_break_of_a_table_without_features_says_so() -> None:
    (text,) = breaks_of_lists([on("2023-09-01", "calendar")], LISTS)
    assert text.endswith("No feature is counted from calendar.")


@pytest.mark.parametrize("ranker", sorted(columns_of_rankers()))
def test_a_rival_ranks_by_the_columns_it_is_said_to_look_at(ranker: str) -> None:
    """Each of them moves its score, and no other feature does."""
    columns = [name for name in columns_of_rankers()[ranker] if name in CATALOGUE]
    nobody = pd.DataFrame({name: [0.0] for name in CATALOGUE})
    before = simple_rankers(nobody)[ranker].item()
    moved = [
        name
        for name in CATALOGUE
        if simple_rankers(nobody.assign(**{name: 5.0}))[ranker].item() != before
    ]
    assert set(moved) == set(columns)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            "2024-03-01",
            "counts what came before that day together with what came after it. The model",
        ),
        ("2026-01-01", "looks ahead crosses that day."),
        ("2021-01-01", None),
        ("2032-01-01", None),
    ],
)
def test_a_list_says_whether_it_spans_a_break(
    small_assessment: Assessment, broken: str, words: str | None
) -> None:
    listed = replace(
        small_assessment,
        as_of=day("2025-01-06"),
        provenance=small_assessment.provenance | {"trained_as_of": "2024-09-01"},
    )
    made = with_breaks(listed, [on(broken)])
    if words is None:
        assert made is listed
    else:
        assert words in break_words(made)[0]


def test_a_list_long_after_a_break_says_that_its_model_is_from_before(
    small_assessment: Assessment,
) -> None:
    listed = replace(
        small_assessment,
        as_of=day("2026-06-01"),
        provenance=small_assessment.provenance | {"trained_as_of": "2024-09-01"},
    )
    (text,) = break_words(with_breaks(listed, [on("2025-01-01")]))
    assert "together with" not in text
    assert "trained with what was known before 1 September 2024" in text


def test_a_dashboard_names_breaks_within_its_days() -> None:
    breaks = [on("2021-09-01"), on("2023-09-01", "sessions", "suspensions"), on("2024-06-01")]
    (text,) = breaks_of_dashboard(breaks, day("2022-01-01"), day("2024-06-01"))
    assert "Figures of sessions, suspensions before that day and after it are not alike" in text
