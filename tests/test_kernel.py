"""Prefix sums, runs, gaps and spells against slow, obvious references; builders by hand; bad input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, Tables
from riskmodel.data.codes import codes
from riskmodel.features import build, make_register, windows
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.mark_counts import PARTS, MarkCounts, group_of, unpack
from riskmodel.features.marks import FAMILIES
from tests.strategies import (
    AS_OF,
    FIRST,
    PUPILS,
    Marks,
    facts_of_three,
    mark_lists,
    sessions_of,
    small_tables,
    spine_of,
    table_of,
    with_table,
    without_calendar,
)


@given(
    mark_lists,
    st.integers(1, 16),
    st.integers(1, 9),
    st.integers(0, 4),
    st.sampled_from(sorted(FAMILIES)),
    st.sampled_from(sorted(PARTS)),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_counts_of_half_days_equal_a_slow_reference(
    marks: Marks,
    as_of: int,
    n_days: int,
    skip: int,
    family: str,
    part: str,
    has_calendar: bool,
    at_bounds: bool,
) -> None:
    tables = small_tables() if has_calendar else without_calendar()
    register = make_register(with_table(tables, "sessions", sessions_of(marks)))
    day = (FIRST + pd.Timedelta(days=as_of)).as_unit("s")
    counted = register.window(day, n_days, skip=skip, part=part)
    bounds = np.array([0, counted.start, counted.stop]) if at_bounds else np.array([0])
    mark_counts = MarkCounts(register, np.unique(bounds))
    group, shift = group_of(family)
    fast = unpack(mark_counts.packed(group, day, np.arange(3), counted), shift)
    known = {
        key: mark for key, (mark, lag) in marks.items() if key[1] % 7 < 5 and key[1] + lag < as_of
    }
    if has_calendar:
        calendar = pd.DatetimeIndex(small_tables()["calendar"]["date"])
        school_days = [d for d in range(as_of) if FIRST + pd.Timedelta(days=d) in calendar]
        earlier = list(calendar[calendar < FIRST])
    else:
        school_days, earlier = sorted({d for _, d, _ in known}), []
    every = [*earlier, *school_days]
    window = every[: len(every) - skip][-n_days:]
    belongs: Callable[[int, int], bool] = {
        "all": lambda d, half: True,
        "edge": lambda d, half: d % 7 in (0, 4),  # FIRST is a Monday
        "morning": lambda d, half: half == 0,
    }[part]
    for pupil in range(3):
        slow = sum(
            mark in FAMILIES[family]
            for (p, d, half), mark in known.items()
            if p == pupil and d in window and belongs(d, half)
        )
        assert fast[pupil] == slow


rows_of_cells = st.lists(
    st.lists(st.sampled_from("AP-"), min_size=1, max_size=9).map("".join), min_size=1, max_size=5
).map(lambda rows: [row.ljust(9, "-") for row in rows])


@given(rows_of_cells)
def test_runs_equal_a_slow_reference(rows: list[str]) -> None:
    cells = np.array([list(row) for row in rows])
    longest = windows.longest_run(cells == "A", cells == "P")
    number = windows.runs(cells == "A", cells == "P")
    for row, most, count in zip(rows, longest, number, strict=True):
        stretches = [part.count("A") for part in row.replace("-", "").split("P")]
        assert most == max(stretches)
        assert count == sum(length > 0 for length in stretches)


def events_of(facts: list[tuple[int, int, int]], as_of: int) -> tuple[Events, np.ndarray]:
    table = np.array(facts, dtype=np.int64).reshape(-1, 3)
    return Events(table[:, 0], table[:, 1], as_of, 3, np.arange(3)), table[:, 2].astype(float)


@given(facts_of_three, st.integers(0, 14))
def test_first_and_largest_equal_a_slow_reference(
    facts: list[tuple[int, int, int]], as_of: int
) -> None:
    events, value = events_of(facts, as_of)
    for who in range(3):
        past = [(d, v) for p, d, v in facts if p == who and d < as_of]
        first, most = events.first()[who], events.largest(value)[who]
        if past:
            assert first == min(d for d, _ in past)
            assert most == max(v for _, v in past)
        else:
            assert np.isnan(first)
            assert np.isnan(most)


@given(facts_of_three, st.integers(0, 14))
def test_gaps_equal_a_slow_reference(facts: list[tuple[int, int, int]], as_of: int) -> None:
    events, _ = events_of(facts, as_of)
    gaps, days = events.gaps()
    total, number, last = gaps.sum(days), gaps.count(), gaps.last(days)
    for who in range(3):
        own = sorted(d for p, d, _ in facts if p == who and d < as_of)
        slow = [b - a for a, b in zip(own, own[1:], strict=False)]
        assert number[who] == len(slow)
        assert total[who] == sum(slow)
        # of facts on one day the largest gap counts as the last
        if slow:
            same_day = [g for b, g in zip(own[1:], slow, strict=True) if b == own[-1]]
            assert last[who] == max(same_day)
        else:
            assert np.isnan(last[who])


def rows(table: str, rows_: list[dict[str, object]]) -> Tables:
    return with_table(small_tables(), table, table_of(table, rows_))


def feature(tables: Tables, name: str, pupil: str = "A") -> float:
    made = build(tables, spine_of()).set_index(pd.Index(PUPILS))
    return float(made.loc[pupil, name])


def suspension(day: str, school: str = "S", **more: object) -> dict[str, object]:
    return {
        "pupil_id": "A",
        "school_id": school,
        "start_date": day,
        "sessions": 2,
        "category": "SUSP",
        "reason_1": "DB",
        "recorded_on": day,
    } | more


def test_gaps_that_shorten_are_told() -> None:
    tables = rows(
        "suspensions", [suspension(d) for d in ("2024-05-01", "2024-09-08", "2024-10-08")]
    )
    assert feature(tables, "suspension_gap_last") == 30
    assert feature(tables, "suspension_gap_mean") == (130 + 30) / 2
    assert feature(tables, "suspension_gap_shortening") == 50
    assert feature(tables, "suspension_gap_shortest") == 30
    assert np.isnan(feature(tables, "suspension_gap_last", "B"))


def test_an_escalation_needs_something_before_it() -> None:
    before, assault = suspension("2024-05-01"), suspension("2024-10-08", reason_1="PP")
    assert feature(rows("suspensions", [before, assault]), "suspensions_escalated") == 1
    assert feature(rows("suspensions", [assault]), "suspensions_escalated") == 0
    late = suspension("2025-02-01", recorded_on="2025-03-01")
    assert feature(rows("suspensions", [late]), "suspensions_ever") == 0


def test_suspensions_after_a_move_are_told_apart() -> None:
    here = str(spine_of()["school_id"].iloc[0])
    tables = rows(
        "suspensions", [suspension("2024-05-01", "elsewhere"), suspension("2025-02-10", here)]
    )
    assert feature(tables, "suspensions_at_this_school") == 1
    assert feature(tables, "suspensions_at_other_schools") == 1
    assert feature(tables, "suspended_after_move") == 1


def roll(entry: str, leave: str | None, school: str = "S", **more: object) -> dict[str, object]:
    return {
        "pupil_id": "A",
        "school_id": school,
        "entry_date": entry,
        "leaving_date": leave,
        "status": "main",
        "year_group": 8,
        "recorded_on": entry,
        "end_recorded_on": leave,
    } | more


def test_time_on_no_roll_is_counted_between_rolls() -> None:
    spells = [
        roll("2022-09-01", "2023-03-31"),
        roll("2023-04-30", None, "T"),
        roll("2022-12-01", "2022-12-31", "U", status="dual"),
    ]
    tables = rows("enrolments", spells)
    assert feature(tables, "days_without_school") == 29
    assert feature(tables, "longest_gap_between_schools") == 29
    assert feature(tables, "gaps_between_schools") == 0
    assert feature(tables, "mid_year_moves") == 1


@pytest.mark.parametrize(
    ("reason", "name"),
    [("destination_unknown", "lost_before"), ("home_educated", "left_for_home_education")],
)
def test_leaving_without_a_school_and_coming_back_count_once_they_are_known(
    reason: str, name: str
) -> None:
    first = roll("2022-09-01", "2023-03-31", leaving_reason=reason)
    tables = rows("enrolments", [first, roll("2023-06-01", None, "T")])
    assert feature(tables, name) == 1
    assert feature(tables, "gaps_between_schools") == 1  # 61 days, longer than a summer
    unknown_yet = roll("2022-09-01", "2023-03-31", leaving_reason=reason) | {
        "end_recorded_on": "2026-01-01"
    }
    assert feature(rows("enrolments", [unknown_yet]), name) == 0


def test_overlapping_spells_are_one_state_and_two_times() -> None:
    spells = [
        {
            "pupil_id": "A",
            "kind": "early_help",
            "start_date": start,
            "end_date": end,
            "recorded_on": start,
            "end_recorded_on": end,
        }
        for start, end in (("2024-01-01", "2024-12-31"), ("2024-06-01", None))
    ]
    tables = rows("circumstances", spells)
    assert feature(tables, "early_help_now") == 1
    assert feature(tables, "early_help_spells") == 2


def test_a_day_outside_the_calendar_has_no_attendance_and_no_error() -> None:
    spine = spine_of().assign(as_of=pd.Timestamp("1990-01-01").as_unit("s"))
    made = build(small_tables(), spine)
    assert made.filter(like="absence_rate").isna().all(axis=None)
    assert (made["suspensions_ever"] == 0).all()
    later = spine_of().assign(as_of=pd.Timestamp("2040-01-01").as_unit("s"))
    assert (build(small_tables(), later)["known_half_days"] >= 0).all()


def test_a_spine_without_rows_gives_no_rows() -> None:
    made = build(small_tables(), spine_of().iloc[:0])
    assert made.shape[0] == 0
    assert made.shape[1] > 200


def test_pupils_without_facts_have_missing_values_not_zeros() -> None:
    empty = {
        name: frame if name in ("pupils", "schools", "calendar", "enrolments") else frame.iloc[:0]
        for name, frame in small_tables().items()
    }
    made = build(Tables(empty), spine_of())
    for name in ("absence_rate_60_days", "days_since_suspension", "ks2_score", "idaci_decile"):
        assert made[name].isna().all(), name
    assert (made["suspensions_ever"] == 0).all()


@pytest.mark.parametrize("n_days", [3, 7, 33])
def test_any_number_of_school_days_can_be_asked_for(n_days: int) -> None:
    tables, spine = small_tables(), spine_of()
    register = make_register(tables)
    sums = MarkCounts(register, np.array([0]))
    known = FactsAsOf(tables.as_known(AS_OF), AS_OF, spine, register, sums)
    marks = register.as_known(AS_OF, known.rows, n_days=n_days)
    lookup = [codes("marks").index(code) + 1 for code in FAMILIES["absence"]]
    slow = np.isin(marks, lookup).sum(axis=1)
    np.testing.assert_array_equal(known.half_days("absence", n_days), slow)


def test_every_table_of_facts_is_in_the_small_la() -> None:
    assert set(small_tables()) == set(TABLES)
