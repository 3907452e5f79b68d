"""Facts bound to a day: answers per row of the spine against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.features.events import Events
from tests.strategies import facts_of_three

Fact = tuple[int, int, int]

ROWS = np.array([2, 0, 1, 0])
"""Pupils of the spine, in another order than their numbers and one of them twice."""


def events_of(facts: list[Fact], as_of: int) -> tuple[Events, np.ndarray]:
    table = np.array(facts, dtype=np.int64).reshape(-1, 3)
    return Events(table[:, 0], table[:, 1], as_of, 3, ROWS), table[:, 2].astype(float)


def slow(facts: list[Fact], as_of: int, answer, empty: float = np.nan) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return the answer from each row's facts before the day, as (day, value), sorted."""
    own = [sorted((d, v) for p, d, v in facts if p == row and d < as_of) for row in ROWS]
    return np.array([answer(past) if past else empty for past in own], dtype=float)


@given(facts_of_three, st.integers(0, 14), st.integers(1, 8))
def test_answers_equal_a_slow_reference(facts: list[Fact], as_of: int, window: int) -> None:
    events, value = events_of(facts, as_of)

    def lately(past: list[tuple[int, int]]) -> list[int]:
        return [v for d, v in past if d >= as_of - window]

    for fast, expected in (
        (events.count(), slow(facts, as_of, len, 0)),
        (events.count(window), slow(facts, as_of, lambda past: len(lately(past)), 0)),
        (events.any(), slow(facts, as_of, bool, 0)),
        (events.any(window), slow(facts, as_of, lambda past: bool(lately(past)), 0)),
        (events.sum(value), slow(facts, as_of, lambda past: sum(v for _, v in past), 0)),
        (events.sum(value, window), slow(facts, as_of, lambda past: sum(lately(past)), 0)),
        (events.last(value), slow(facts, as_of, lambda past: past[-1][1])),
        (events.first(), slow(facts, as_of, lambda past: past[0][0])),
        (events.largest(value), slow(facts, as_of, lambda past: max(v for _, v in past))),
        (events.days_since(), slow(facts, as_of, lambda past: as_of - past[-1][0])),
        (
            events.count_distinct(value),
            slow(facts, as_of, lambda past: len({v for _, v in past}), 0),
        ),
    ):
        np.testing.assert_array_equal(fast, expected)


@given(facts_of_three, st.integers(0, 14))
def test_gaps_and_steps_equal_a_slow_reference(facts: list[Fact], as_of: int) -> None:
    events, value = events_of(facts, as_of)
    gaps, days = events.gaps()
    steps, change = events.steps(value)

    def gaps_of(past: list[tuple[int, int]]) -> list[int]:
        return [later[0] - earlier[0] for earlier, later in zip(past, past[1:], strict=False)]

    def total_change(past: list[tuple[int, int]]) -> int:
        return past[-1][1] - past[0][1]

    np.testing.assert_array_equal(gaps.count(), slow(facts, as_of, lambda p: len(p) - 1, 0))
    np.testing.assert_array_equal(gaps.sum(days), slow(facts, as_of, lambda p: sum(gaps_of(p)), 0))
    np.testing.assert_array_equal(
        gaps.largest(days), slow(facts, as_of, lambda p: max(gaps_of(p), default=np.nan))
    )
    np.testing.assert_array_equal(steps.sum(change), slow(facts, as_of, total_change, 0))


def test_of_facts_on_one_day_the_largest_gap_and_step_count_as_the_last() -> None:
    events, value = events_of([(0, 2, 1), (0, 5, 4), (0, 5, 6)], as_of=9)
    gaps, days = events.gaps()
    steps, change = events.steps(value)
    assert days.tolist() == [3, 0]
    assert gaps.last(days)[1] == 3
    assert change.tolist() == [3, 2]
    assert steps.last(change)[1] == 3


@given(facts_of_three, st.integers(0, 14), st.integers(-3, 3))
def test_a_part_of_the_facts_answers_as_if_there_were_no_others(
    facts: list[Fact], as_of: int, least: int
) -> None:
    events, value = events_of(facts, as_of)
    alone, _ = events_of([fact for fact in facts if fact[2] >= least], as_of)
    part = events.where(value >= least)
    np.testing.assert_array_equal(part.count(), alone.count())
    np.testing.assert_array_equal(part.days_since(), alone.days_since())


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(9, 10, 1), (9, 9, 0), (10, 12, 0), (3, 99, 1)]
)
def test_a_spell_is_open_from_the_day_after_it_began_to_its_last_day(
    start: int, end: int, expected: int
) -> None:
    events = Events(np.array([0]), np.array([start]), 10, n_pupils=1, rows=np.array([0]))
    assert events.state(np.array([end])).tolist() == [expected]
