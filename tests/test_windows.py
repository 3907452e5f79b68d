"""The kernel: every function against a slow, obvious reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskmodel.features import windows
from tests.strategies import facts_of_three

Fact = tuple[int, int, int]
Answer = NDArray[np.generic]

DAYS = st.integers(0, 14)
WINDOW = st.one_of(st.none(), st.integers(1, 8))


def arrays(
    facts: list[Fact],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    table = np.array(facts, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2].astype(float)


def past(facts: list[Fact], pupil: int, as_of: int) -> list[tuple[int, int]]:
    return [(day, value) for who, day, value in facts if who == pupil and day < as_of]


# function of the kernel → its answer, and what it should be from one pupil's facts before the day
OF_THE_PAST: dict[
    str, tuple[Callable[..., Answer], Callable[[list[tuple[int, int]], int], float]]
] = {
    "last value": (
        lambda p, d, v, n: windows.last_value(p, d, v, as_of=n, n_pupils=3),
        lambda own, n: max(own)[1] if own else np.nan,  # of one day the largest counts
    ),
    "largest": (
        lambda p, d, v, n: windows.largest(p, d, v, as_of=n, n_pupils=3),
        lambda own, n: max((value for _, value in own), default=np.nan),
    ),
    "days since last": (
        lambda p, d, v, n: windows.days_since_last(p, d, as_of=n, n_pupils=3),
        lambda own, n: n - max(own)[0] if own else np.nan,
    ),
    "different values": (
        lambda p, d, v, n: windows.count_distinct(p, d, v, as_of=n, n_pupils=3),
        lambda own, n: len({value for _, value in own}),
    ),
}


@pytest.mark.parametrize("name", OF_THE_PAST)
@given(facts=facts_of_three, as_of=DAYS)
def test_answers_about_the_past_equal_a_slow_reference(
    name: str, facts: list[Fact], as_of: int
) -> None:
    fast, slow = OF_THE_PAST[name]
    expected = [slow(past(facts, pupil, as_of), as_of) for pupil in range(3)]
    np.testing.assert_array_equal(fast(*arrays(facts), as_of), np.array(expected, dtype=float))


@pytest.mark.parametrize("name", OF_THE_PAST)
@given(facts=facts_of_three, as_of=DAYS, seed=st.integers(0, 9))
def test_the_order_of_facts_does_not_matter(
    name: str, facts: list[Fact], as_of: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(facts))
    fast, _ = OF_THE_PAST[name]
    shuffled = [facts[number] for number in order]
    np.testing.assert_array_equal(fast(*arrays(shuffled), as_of), fast(*arrays(facts), as_of))


@given(facts_of_three, DAYS, WINDOW)
def test_sums_and_counts_of_a_window_equal_a_slow_reference(
    facts: list[Fact], as_of: int, window: int | None
) -> None:
    pupil, day, value = arrays(facts)
    sums = windows.sum_in_window(pupil, day, value, as_of=as_of, window_days=window, n_pupils=3)
    counts = windows.count_in_window(pupil, day, as_of=as_of, window_days=window, n_pupils=3)
    first = -1 if window is None else as_of - window
    for who in range(3):
        inside = [v for d, v in past(facts, who, as_of) if d >= first]
        assert sums[who] == sum(inside)
        assert counts[who] == len(inside)


@pytest.mark.parametrize(
    ("day", "counts"), [(2, 0), (3, 1), (9, 1), (10, 0)], ids=["before", "first", "last", "as_of"]
)
def test_a_window_is_half_open(day: int, counts: int) -> None:
    fact = np.array([0]), np.array([day])
    assert windows.count_in_window(*fact, as_of=10, window_days=7, n_pupils=1) == counts


@given(facts_of_three, DAYS)
def test_states_and_days_of_spells_equal_a_slow_reference(facts: list[Fact], as_of: int) -> None:
    pupil, start, length = arrays(facts)
    end = start + np.abs(length).astype(np.int64)
    state = windows.state_at(pupil, start, end, as_of=as_of, n_pupils=3)
    days = windows.spell_days(pupil, start, end, as_of=as_of, n_pupils=3)
    spells = list(zip(pupil.tolist(), start.tolist(), end.tolist(), strict=True))
    for who in range(3):
        own = [(s, e) for p, s, e in spells if p == who]
        assert state[who] == any(s < as_of <= e for s, e in own)
        assert days[who] == sum(sum(s <= d <= e for d in range(as_of)) for s, e in own)


def test_missing_values_do_not_count_as_different() -> None:
    school = np.array(["S", None, np.nan, "T"], dtype=object)
    days = np.arange(4)
    counts = windows.count_distinct(np.zeros(4, int), days, school, as_of=9, n_pupils=1)
    assert counts.tolist() == [2]


rows_of_cells = st.integers(0, 9).flatmap(
    lambda width: st.lists(st.text("AP-", min_size=width, max_size=width), min_size=1, max_size=5)
)
"""Half-days of some pupils: absent, present, neither."""


def stretches(row: str) -> list[int]:
    """Return the absences between one half-day in school and the next."""
    return [part.count("A") for part in row.replace("-", "").split("P")]


OF_RUNS: dict[str, tuple[Callable[..., Answer], Callable[[str], int]]] = {
    "longest run": (windows.longest_run, lambda row: max(stretches(row))),
    "runs": (windows.runs, lambda row: sum(length > 0 for length in stretches(row))),
    "since the last break": (windows.count_since_last, lambda row: stretches(row)[-1]),
    "true at the end": (
        lambda absent, present: windows.longest_run_at_end(absent),
        lambda row: len(row) - len(row.rstrip("A")),
    ),
}


@pytest.mark.parametrize("name", OF_RUNS)
@given(rows=rows_of_cells)
def test_runs_equal_a_slow_reference(name: str, rows: list[str]) -> None:
    cells = np.array([list(row) for row in rows], dtype="U1").reshape(len(rows), len(rows[0]))
    fast, slow = OF_RUNS[name]
    assert fast(cells == "A", cells == "P").tolist() == [slow(row) for row in rows]
