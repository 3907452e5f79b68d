"""Rules that look at more than one value: spans, codes out of force, days, repeated rows, order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES
from riskmodel.data.codes import code_set
from riskmodel.data.read.rows.problems import RowChecks
from riskmodel.data.read.rows.rules import check_rows, in_order
from tests.strategies import PUPILS, table_of

WHOLE: dict[str, dict[str, Any]] = {
    "pupils": {"pupil_id": "A", "sex": "F", "ethnicity": "WBRI"},
    "schools": {"school_id": "S", "phase": "primary", "kind": "special"},
    "enrolments": {
        "pupil_id": "A",
        "school_id": "S",
        "entry_date": "2024-09-02",
        "leaving_date": "2025-07-20",
        "status": "main",
        "year_group": 7,
        "recorded_on": "2024-09-16",
    },
    "sessions": {
        "pupil_id": "A",
        "date": "2024-09-02",
        "session": "AM",
        "mark": "/",
        "recorded_on": "2024-09-03",
    },
    "absence_totals": {
        "pupil_id": "A",
        "term_end": "2024-12-20",
        "mark": "I",
        "sessions": 4,
        "recorded_on": "2025-01-20",
    },
    "suspensions": {
        "pupil_id": "A",
        "school_id": "S",
        "start_date": "2024-09-10",
        "sessions": 2.0,
        "category": "SUSP",
        "reason_1": "DB",
        "recorded_on": "2024-09-11",
    },
    "send": {
        "pupil_id": "A",
        "provision": "K",
        "start_date": "2024-09-02",
        "end_date": "2025-01-10",
        "recorded_on": "2024-10-01",
    },
    "plans": {
        "pupil_id": "A",
        "requested_on": "2024-09-02",
        "decided_on": "2024-10-14",
        "outcome": "issued",
        "plan_on": "2025-01-20",
        "recorded_on": "2024-09-03",
    },
    "circumstances": {
        "pupil_id": "A",
        "kind": "fsm",
        "start_date": "2024-09-02",
        "end_date": "2025-01-10",
        "recorded_on": "2024-10-01",
    },
    "neighbourhood": {
        "pupil_id": "A",
        "start_date": "2024-09-02",
        "idaci_decile": 1.0,
        "recorded_on": "2024-10-01",
    },
    "attainment": {
        "pupil_id": "A",
        "stage": "KS2",
        "subject": "reading",
        "score": 0.5,
        "result_date": "2024-07-10",
        "recorded_on": "2024-08-09",
    },
    "destinations": {
        "pupil_id": "A",
        "activity_code": "210",
        "start_date": "2024-09-02",
        "confirmed_on": "2024-09-30",
        "recorded_on": "2024-09-30",
    },
    "calendar": {"date": "2024-09-02", "term": "autumn", "half_term": 1},
}
"""A row of each table that breaks no rule."""


def broken(
    name: str,
    *changes: dict[str, Any],
    calendar: pd.DataFrame | None = None,
    unique: bool = True,
) -> RowChecks:
    """Return what is noted of rows, each the whole one of a table with some changes."""
    frame = table_of(name, [WHOLE[name] | change for change in changes])
    checks = RowChecks(f"{name}.csv", 2, frame)
    check_rows(TABLES[name], frame, checks, calendar, unique=unique)
    return checks


def rules_of(checks: RowChecks) -> list[tuple[str, str, int | None]]:
    return [(one.rule, one.column, one.row) for one in checks.problems]


@pytest.mark.parametrize("name", TABLES)
def test_a_whole_row_of_each_table_breaks_no_rule(name: str) -> None:
    checks = broken(name, {})
    assert checks.problems == []
    assert checks.kept.all()


@pytest.mark.parametrize("name", TABLES)
def test_no_rows_break_no_rule(name: str) -> None:
    assert broken(name).problems == []


REQUIRED = [
    (name, column.name)
    for name, table in TABLES.items()
    for column in table.columns
    # a whole number that is missing has no place in an int64 column
    if not column.nullable and not column.unknown_is_group and column.kind != "integer"
]


@pytest.mark.parametrize(("name", "column"), REQUIRED)
def test_a_value_that_must_be_there_is_asked_for(name: str, column: str) -> None:
    checks = broken(name, {}, {column: None}, unique=False)
    assert rules_of(checks) == [("missing_value", column, 3)]
    assert checks.problems[0].words == f"{column} is missing. Fill it in."
    assert checks.kept.tolist() == [True, False]


OPTIONAL = [
    (name, column.name)
    for name, table in TABLES.items()
    for column in table.columns
    if column.nullable
]


@pytest.mark.parametrize(("name", "column"), OPTIONAL)
def test_a_value_that_may_be_missing_is_not_asked_for(name: str, column: str) -> None:
    assert broken(name, {column: None}).problems == []


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("enrolments", "entry_date", "leaving_date"),
        ("send", "start_date", "end_date"),
        ("circumstances", "start_date", "end_date"),
        ("plans", "requested_on", "decided_on"),
        ("plans", "requested_on", "plan_on"),
    ],
)
@pytest.mark.parametrize(
    ("end_day", "kept"), [("2024-09-01", False), ("2024-09-02", True), ("2024-09-03", True)]
)
def test_nothing_ends_before_it_began(
    name: str, start: str, end: str, end_day: str, kept: bool
) -> None:
    checks = broken(name, {start: "2024-09-02", end: end_day})
    assert checks.kept.tolist() == [kept]
    assert rules_of(checks) == ([] if kept else [("ends_before_start", end, 2)])
    if not kept:
        assert f"is before {start}. Correct one of the two." in checks.problems[0].words


@pytest.mark.parametrize(
    ("name", "event"), [(name, table.event) for name, table in TABLES.items() if table.event]
)
@pytest.mark.parametrize(("days", "is_reported"), [(-1, True), (0, False), (1, False)])
def test_what_was_recorded_before_it_happened_is_kept_with_a_warning(
    name: str, event: str, days: int, is_reported: bool
) -> None:
    recorded = pd.Timestamp(WHOLE[name][event]) + pd.Timedelta(days=days)
    checks = broken(name, {"recorded_on": f"{recorded:%Y-%m-%d}"})
    assert checks.kept.all()
    assert [one.rule for one in checks.problems] == ["recorded_before_event"] * is_reported
    if is_reported:
        assert f"is before {event}." in checks.problems[0].words
        assert checks.problems[0].severity == "warning"


@pytest.mark.parametrize(
    ("day", "is_reported"), [("2024-09-09", True), ("2024-09-10", False), ("2024-10-10", False)]
)
def test_a_reinstatement_before_the_exclusion_is_reported_and_kept(
    day: str, is_reported: bool
) -> None:
    checks = broken("suspensions", {"category": "PERM", "reinstated_on": day})
    assert checks.kept.all()
    assert [one.rule for one in checks.problems] == ["reinstated_before_start"] * is_reported


MARKS = code_set("marks")
CHANGED = [
    (code, day, bool(is_in))
    for code, row in MARKS.iterrows()
    if row["from"] or row["to"]
    for day, is_in in (("2024-08-18", not row["from"]), ("2024-08-19", bool(row["from"])))
]


@pytest.mark.parametrize(("code", "day", "is_in"), CHANGED)
def test_a_mark_counts_from_its_first_day_to_its_last(code: str, day: str, is_in: bool) -> None:
    checks = broken("sessions", {"mark": code, "date": day, "recorded_on": day})
    assert checks.kept.tolist() == [is_in]
    assert rules_of(checks) == ([] if is_in else [("not_in_force", "mark", 2)])


@pytest.mark.parametrize("code", MARKS.index[(MARKS["from"] == "") & (MARKS["to"] == "")])
@pytest.mark.parametrize("day", ["2016-09-05", "2024-08-18", "2024-08-19"])
def test_other_marks_are_in_force_on_every_day(code: str, day: str) -> None:
    assert broken("sessions", {"mark": code, "date": day, "recorded_on": day}).problems == []


@pytest.mark.parametrize(("code", "day", "is_in"), CHANGED)
def test_a_total_by_a_code_out_of_force_is_kept_with_a_warning(
    code: str, day: str, is_in: bool
) -> None:
    checks = broken("absence_totals", {"mark": code, "term_end": day, "recorded_on": day})
    assert checks.kept.all()
    assert rules_of(checks) == ([] if is_in else [("not_in_force", "mark", 2)])


@pytest.mark.parametrize("column", ["reason_1", "reason_2", "reason_3"])
@pytest.mark.parametrize(
    ("code", "day", "is_in"),
    [
        ("OT", "2020-08-31", True),
        ("OT", "2020-09-01", False),
        ("OW", "2020-08-31", False),
        ("OW", "2020-09-01", True),
        ("PH", "2020-08-31", False),
        ("DB", "2016-09-01", True),
    ],
)
def test_a_reason_out_of_force_is_kept_with_a_warning(
    column: str, code: str, day: str, is_in: bool
) -> None:
    checks = broken("suspensions", {column: code, "start_date": day, "recorded_on": day})
    assert checks.kept.all()
    assert rules_of(checks) == ([] if is_in else [("not_in_force", column, 2)])


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        (["2024-09-02"], True),
        (["2024-09-01", "2024-09-03"], False),
        ([], False),
        (None, True),  # no calendar, no school days to compare with
    ],
)
def test_a_mark_lies_on_a_school_day(days: list[str] | None, kept: bool) -> None:
    calendar = None
    if days is not None:
        term = {"term": "autumn", "half_term": 1}
        calendar = table_of("calendar", [{"date": day} | term for day in days])
    checks = broken("sessions", {}, calendar=calendar)
    assert checks.kept.tolist() == [kept]
    assert rules_of(checks) == ([] if kept else [("not_a_school_day", "date", 2)])


def test_only_marks_are_compared_with_the_school_days() -> None:
    nothing = table_of("calendar", [])
    assert broken("suspensions", {}, calendar=nothing).problems == []


@pytest.mark.parametrize("name", TABLES)
def test_of_the_same_row_twice_one_is_kept(name: str) -> None:
    checks = broken(name, {}, {})
    assert rules_of(checks) == [("duplicate", "", 3)]
    assert checks.kept.tolist() == [True, False]
    key = ", ".join(TABLES[name].key)
    assert checks.problems[0].words == (
        f"repeats another row ({key}), with which it was merged. Take one of them out."
    )


# a column outside the key, and two values that contradict each other
CONFLICTS = [
    ("pupils", "sex", "F", "M"),
    ("schools", "kind", "AP", "mainstream"),
    ("enrolments", "year_group", 7, 8),
    ("sessions", "mark", "/", "I"),
    ("absence_totals", "sessions", 4, 5),
    ("suspensions", "sessions", 2.0, 3.0),
    ("send", "provision", "K", "E"),
    ("plans", "outcome", "issued", "refused"),
    ("circumstances", "end_date", "2025-01-10", "2025-01-11"),
    ("neighbourhood", "idaci_decile", 1.0, 2.0),
    ("attainment", "score", 0.5, 0.6),
    ("destinations", "activity_code", "210", "619"),
    ("calendar", "half_term", 1, 2),
]


@pytest.mark.parametrize(("name", "column", "one", "other"), CONFLICTS)
def test_of_two_rows_that_contradict_each_other_the_same_is_kept_in_any_order(
    name: str, column: str, one: object, other: object
) -> None:
    kept = []
    for first, second in ((one, other), (other, one)):
        checks = broken(name, {column: first}, {column: second})
        assert [rule for rule, _, _ in rules_of(checks)] == ["conflict"]
        assert "ask which is right and take the other out" in checks.problems[0].words
        kept.append(checks.raw[column][checks.kept].astype("str").tolist())
    assert kept[0] == kept[1]


@pytest.mark.parametrize(("name", "column", "one", "other"), CONFLICTS)
def test_where_the_same_fact_may_come_twice_nothing_is_reported(
    name: str, column: str, one: object, other: object
) -> None:
    assert broken(name, {column: one}, {column: other}, {column: one}, unique=False).problems == []


def test_a_conflict_and_its_repeats_are_kept_apart() -> None:
    checks = broken("sessions", *({"mark": mark} for mark in "/I//"))
    assert sorted(rule for rule, _, _ in rules_of(checks)) == ["conflict", "duplicate", "duplicate"]
    assert checks.kept.sum() == 1


def test_a_row_set_aside_before_is_no_duplicate_of_another() -> None:
    checks = broken("suspensions", {"recorded_on": None}, {})
    assert rules_of(checks) == [("missing_value", "recorded_on", 2)]
    assert checks.kept.tolist() == [False, True]


# in each pair the first row comes first
ORDERS = [
    ("pupils", {"pupil_id": "A"}, {"pupil_id": "B"}),
    ("schools", {"school_id": "10"}, {"school_id": "9"}),  # as text
    ("enrolments", {"school_id": "S", "entry_date": "2025-09-01"}, {"school_id": "T"}),
    ("sessions", {"session": "AM"}, {"session": "PM"}),
    ("sessions", {"pupil_id": "A", "date": "2024-09-03"}, {"pupil_id": "B"}),
    ("sessions", {"date": "2024-09-02", "session": "PM"}, {"date": "2024-09-03"}),
    ("suspensions", {"category": "SUSP"}, {"category": "PERM"}),  # as the codes are listed
    ("attainment", {"stage": "EYFS"}, {"stage": "KS1"}),
    ("calendar", {"date": "2023-09-04"}, {"date": "2024-09-02"}),
]


@pytest.mark.parametrize(("name", "first", "second"), ORDERS)
def test_rows_are_sorted_by_their_key(
    name: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    one, other = (WHOLE[name] | change for change in (first, second))
    table = TABLES[name]
    expected = in_order(table, table_of(name, [one, other]))
    pd.testing.assert_frame_equal(expected, table_of(name, [one, other]))
    pd.testing.assert_frame_equal(in_order(table, table_of(name, [other, one])), expected)


sessions = st.lists(
    st.tuples(st.sampled_from(PUPILS), st.integers(1, 28), st.sampled_from(["AM", "PM"])),
    max_size=12,
)


def marks_of(keys: list[tuple[str, int, str]]) -> pd.DataFrame:
    return table_of(
        "sessions",
        [
            WHOLE["sessions"]
            | {"pupil_id": who, "date": f"2024-10-{day:02d}", "session": half}
            | {"recorded_on": "2024-11-01"}
            for who, day, half in keys
        ],
    )


@settings(max_examples=40)
@given(sessions)
def test_of_each_key_one_row_is_kept(keys: list[tuple[str, int, str]]) -> None:
    frame = marks_of(keys)
    checks = RowChecks("sessions.csv", 2, frame)
    check_rows(TABLES["sessions"], frame, checks, None, unique=True)
    assert checks.kept.sum() == len(set(keys))
    assert {keys[place] for place in np.flatnonzero(checks.kept)} == set(keys)
    assert checks.in_order == (keys == sorted(set(keys)))


@settings(max_examples=40)
@given(sessions)
def test_the_order_by_key_is_that_of_python(keys: list[tuple[str, int, str]]) -> None:
    distinct = sorted(set(keys))
    expected = marks_of(distinct)
    shuffled = marks_of(distinct[::-1])
    pd.testing.assert_frame_equal(in_order(TABLES["sessions"], shuffled), expected)
