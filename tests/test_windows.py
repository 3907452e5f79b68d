"""The register and its kernel against slow, obvious references, and features right by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES
from riskmodel.data.codes import codes
from riskmodel.features import build, make_register, windows
from tests.strategies import (
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


@cache
def built() -> pd.DataFrame:
    return build(small_tables(), spine_of()).set_index(pd.Index(PUPILS))


@given(mark_lists, st.integers(0, 16), st.integers(1, 9), st.booleans())
@settings(max_examples=50, deadline=None)
def test_register_slices_equal_a_slow_reference(
    marks: Marks, as_of: int, n_days: int, has_calendar: bool
) -> None:
    tables = small_tables() if has_calendar else without_calendar()
    register = make_register(with_table(tables, "sessions", sessions_of(marks)))
    day = (FIRST + pd.Timedelta(days=as_of)).as_unit("s")
    known = {
        key: mark for key, (mark, lag) in marks.items() if key[1] % 7 < 5 and key[1] + lag < as_of
    }
    school_days = [d for d in range(as_of) if d % 7 < 5]
    if not has_calendar:
        school_days = sorted({d for _, d, _ in known})
    cells = [(d, half) for d in school_days[-n_days:] for half in (0, 1)]
    slow = [
        [codes("marks").index(known[p, *cell]) + 1 if (p, *cell) in known else 0 for cell in cells]
        for p in range(3)
    ]
    fast = register.as_known(day, np.arange(3), n_days=n_days)
    np.testing.assert_array_equal(fast, np.array(slow, dtype=np.uint8).reshape(3, len(cells)))


rows_of_cells = st.lists(
    st.lists(st.sampled_from("AP-"), min_size=6, max_size=6), min_size=1, max_size=5
)


@given(rows_of_cells)
def test_counts_since_a_break_equal_a_slow_reference(rows: list[list[str]]) -> None:
    cells = np.array(rows)
    fast = windows.count_since_last(cells == "A", cells == "P")
    slow = ["".join(row).rpartition("P")[2].count("A") for row in rows]
    np.testing.assert_array_equal(fast, slow)


@given(facts_of_three, st.integers(0, 14), st.integers(1, 8))
def test_counts_and_days_since_equal_a_slow_reference(
    facts: list[tuple[int, int, int]], as_of: int, window: int
) -> None:
    table = np.array(facts, dtype=np.int64).reshape(-1, 3)
    pupil, day = table[:, 0], table[:, 1]
    counts = windows.count_in_window(pupil, day, as_of=as_of, window_days=window, n_pupils=3)
    since = windows.days_since_last(pupil, day, as_of=as_of, n_pupils=3)
    for who in range(3):
        past = [d for p, d, _ in facts if p == who and d < as_of]
        assert counts[who] == sum(d >= as_of - window for d in past)
        if past:
            assert since[who] == as_of - max(past)
        else:
            assert np.isnan(since[who])


@pytest.mark.parametrize(
    ("pupil", "feature", "expected"),
    [
        # register: 20 school days, the marks of 28 February are recorded on 1 March: too late
        ("A", "absence_rate_60_days", 10 / 38),  # 2 excluded and 8 ill of 38 known half-days
        ("A", "excluded_rate_60_days", 2 / 38),
        ("A", "absence_rate_10_days", 8 / 18),
        ("A", "absence_streak", 8),  # the unknown last day does not end the streak
        ("A", "persistent_absence", 1),
        ("A", "severe_absence", 0),
        ("B", "known_half_days", 38),
        ("B", "dual_rate_60_days", 20 / 38),
        ("C", "absence_rate_60_days", 0),
        ("F", "absence_rate_60_days", np.nan),  # no half-day was possible
        ("A", "absence_against_year_group", 10 / 38),  # the others were never absent
        ("A", "suspensions_ever", 3),
        ("A", "suspensions_12_months", 2),
        ("A", "suspensions_3_months", 1),
        ("A", "sessions_lost_12_months", 6),
        ("A", "year_limit_used", 3 / 45),
        ("A", "longest_suspension", 4),
        ("A", "days_since_suspension", 19),
        ("B", "days_since_suspension", np.nan),
        ("B", "suspensions_ever", 0),
        ("A", "suspensions_violence_12_months", 1),
        ("C", "lunchtime_12_months", 1),
        ("C", "suspensions_ever", 0),
        ("A", "sen_support_now", 1),
        ("A", "semh_without_plan", 1),
        ("B", "sen_support_now", 0),
        ("B", "sen_stepped_down", 1),
        ("A", "plan_request_pending", 1),  # the refusal of April is not known yet
        ("A", "plan_weeks_waited", 4),
        ("A", "plan_refused", 0),
        ("A", "fsm_now", 1),
        ("B", "fsm_now", 0),
        ("B", "fsm_ever", 1),
        ("C", "fsm_now", 1),  # the end is recorded after the day
        ("A", "idaci_decile", 1),
        ("E", "idaci_decile", np.nan),
        ("A", "ks2_score", -0.25),
        ("A", "moves_12_months", 1),
        ("B", "moves_12_months", 0),
        ("A", "schools_so_far", 2),
        ("A", "managed_moves", 1),
        ("A", "months_at_school", 28 / 30.4375),
        ("B", "school_suspension_rate", 100 * 2 / 3),  # A's two at S; of B to E, B left out
        ("A", "school_absence_rate", np.nan),  # F, alone beside A at T, has no marks
        ("B", "school_absence_rate", 0),
        ("F", "jobless_months", 60 / 30.4375),
        ("F", "months_observed", (365 - 91) / 30.4375),
        ("F", "months_in_activity", 30 / 30.4375),
        ("F", "employment_now", 1),
        ("F", "activity_changes", 2),
        ("F", "jobless_spells", 1),
        # confirmed on 1 March, so known until 1 September; the next position began on 1 December
        ("F", "not_known_share", 91 / 365),
        ("F", "education_share", 184 / 365),
        ("A", "jobless_months", 0),
    ],
)
def test_features_equal_those_worked_out_by_hand(pupil: str, feature: str, expected: float) -> None:
    assert float(built().loc[pupil, feature]) == pytest.approx(expected, rel=1e-6, nan_ok=True)


@given(st.sets(st.sampled_from(PUPILS), min_size=1))
@settings(max_examples=15, deadline=None)
def test_a_pupil_has_the_same_features_whoever_else_is_asked_for(chosen: set[str]) -> None:
    pupils = tuple(sorted(chosen))
    alone = build(small_tables(), spine_of(pupils))
    assert alone.to_numpy().tobytes() == built().loc[list(pupils)].to_numpy().tobytes()


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 1)),
        st.tuples(st.sampled_from(["/", "I", "D"]), st.integers(0, 5)),
        max_size=10,
    )
)
@settings(max_examples=15, deadline=None)
def test_p2_late_marks_change_no_byte_without_a_calendar(marks: Marks) -> None:
    tables, spine = without_calendar(), spine_of()
    until = FIRST + pd.Timedelta(days=11)  # nothing known of the two weeks before the day
    sessions = tables["sessions"]
    sessions = sessions[sessions["date"] <= until]
    late = sessions_of({key: value for key, value in marks.items() if key[1] > 11})
    late = late.assign(recorded_on=late["recorded_on"].clip(lower=spine["as_of"].iloc[0]))
    before = build(with_table(tables, "sessions", sessions), spine)
    after = build(with_table(tables, "sessions", pd.concat([sessions, late])), spine)
    assert after.to_numpy().tobytes() == before.to_numpy().tobytes()


@pytest.mark.parametrize("name", [n for n in TABLES if n not in {"pupils", "schools", "calendar"}])
def test_p2_deleting_what_was_recorded_later_changes_no_byte(name: str) -> None:
    tables, spine = small_tables(), spine_of()
    facts = tables[name]
    kept = facts[facts["recorded_on"] < spine["as_of"].iloc[0]]
    result = build(with_table(tables, name, kept), spine)
    assert result.to_numpy().tobytes() == built().to_numpy().tobytes()


def test_a_register_without_marks_gives_missing_rates() -> None:
    tables = with_table(without_calendar(), "sessions", table_of("sessions", []))
    rates = build(tables, spine_of()).filter(like="_rate_10_days")
    assert rates.shape[1] > 0
    assert rates.isna().all(axis=None)


def test_the_small_tables_follow_the_schema() -> None:
    tables = small_tables()
    assert set(tables) == set(TABLES)
    for name, frame in tables.items():
        assert list(frame) == TABLES[name].names
        assert not frame.duplicated(list(TABLES[name].key)).any()
        if "pupil_id" in frame:
            assert frame["pupil_id"].dtype == tables.pupils
