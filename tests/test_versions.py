"""A fact that was corrected: the later version counts from the day after it was received, not before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, Tables
from riskmodel.data.arrays import day_number
from riskmodel.features import build
from riskmodel.features.mark_counts import MarkCounts, group_of, unpack
from riskmodel.features.register import Window, make_register
from riskmodel.inclusion.attendance import count_marks
from riskmodel.inclusion.facts import make_facts
from riskmodel.report.list_page.history import weekly_attendance
from tests.strategies import (
    AS_OF,
    PUPILS,
    examples,
    small_tables,
    spine_of,
    table_of,
    with_table,
)

OTHER: dict[str, dict[str, object]] = {
    "suspensions": {"sessions": 8.0, "reason_1": "PP"},
    "circumstances": {"end_date": pd.Timestamp("2024-01-10")},
    "attainment": {"score": -2.5},
    "neighbourhood": {"idaci_decile": 10.0},
    "destinations": {"activity_code": "610"},
    "absence_totals": {"sessions": 99},
    "sessions": {"mark": "O"},
}
"""Table → what a later version of each row holds instead."""


def with_versions(tables: Tables, name: str, received: pd.Timestamp) -> Tables:
    """Add a later version of every row of a table."""
    frame = tables[name].sort_values(list(TABLES[name].key), ignore_index=True)
    later = frame.copy()
    for column, value in OTHER[name].items():
        later[column] = pd.Series([value] * len(frame)).astype(frame[column].dtype)
    later["recorded_on"] = received
    if "end_recorded_on" in later:
        later["end_recorded_on"] = received
    both = pd.concat([frame, later]).sort_index(kind="stable").reset_index(drop=True)
    return with_table(tables, name, both)


@pytest.mark.parametrize("name", OTHER)
def test_p2_a_version_received_on_the_day_changes_no_feature(name: str) -> None:
    tables, spine = small_tables(), spine_of()
    expected = build(tables, spine)
    result = build(with_versions(tables, name, AS_OF), spine)
    assert result.to_numpy().tobytes() == expected.to_numpy().tobytes()


@pytest.mark.parametrize("name", OTHER)
def test_a_version_received_before_the_day_takes_the_place_of_the_one_before(name: str) -> None:
    tables, spine = small_tables(), spine_of()
    received = AS_OF - pd.Timedelta(days=1)
    versions = with_versions(tables, name, received)
    alone = versions[name][versions[name]["recorded_on"] == received].reset_index(drop=True)
    expected = build(with_table(tables, name, alone), spine)
    result = build(versions, spine)
    assert result.to_numpy().tobytes() == expected.to_numpy().tobytes()
    unchanged = build(tables, spine)
    if name != "absence_totals":
        assert result.to_numpy().tobytes() != unchanged.to_numpy().tobytes()


MONDAY = pd.Timestamp("2025-02-03")

versions_of_marks = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 4), st.sampled_from(["AM", "PM"])),
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(["/", "N", "I", "O"])),
        min_size=1,
        max_size=3,
        unique_by=lambda marked: marked[0],
    ),
    min_size=1,
    max_size=12,
)
"""(pupil, weekday, half-day) → (days until it was recorded, mark), some of them several times."""


def marks_of(marked: dict[tuple[str, int, str], list[tuple[int, str]]]) -> pd.DataFrame:
    rows = [
        {
            "pupil_id": who,
            "date": f"{MONDAY + pd.Timedelta(days=place):%F}",
            "session": half,
            "mark": mark,
            "recorded_on": f"{MONDAY + pd.Timedelta(days=place + late):%F}",
        }
        for (who, place, half), marks in sorted(marked.items())
        for late, mark in sorted(marks)
    ]
    return table_of("sessions", rows)


def slow_marks(sessions: pd.DataFrame, day: pd.Timestamp) -> dict[tuple[str, object, str], str]:
    """Return the mark of each half-day as it was known on a day: the last one that was received."""
    known: dict[tuple[str, object, str], str] = {}
    for row in sessions[sessions["recorded_on"] < day].sort_values("recorded_on").itertuples():
        known[str(row.pupil_id), row.date, str(row.session)] = str(row.mark)
    return known


@settings(max_examples=examples(20), deadline=None)
@given(versions_of_marks, st.integers(0, 14), st.sampled_from([True, False]))
def test_marks_are_those_received_last_before_the_day(
    marked: dict[tuple[str, int, str], list[tuple[int, str]]], after: int, with_calendar: bool
) -> None:
    sessions, day = marks_of(marked), MONDAY + pd.Timedelta(days=after)
    frames = {"pupils": table_of("pupils", [{"pupil_id": name} for name in PUPILS])}
    if with_calendar:
        dates = [f"{MONDAY + pd.Timedelta(days=n):%F}" for n in range(5)]
        frames["calendar"] = table_of(
            "calendar", [{"date": date, "term": "spring", "half_term": 3} for date in dates]
        ).drop(columns="first_marked_on")
    tables = Tables(frames | {"sessions": sessions})
    register, known = make_register(tables), slow_marks(sessions, day)
    of_marks = sessions["mark"].cat.categories
    pupils = np.array([2, 0, 1])
    shown = register.year_as_known(day, pupils)
    names = [of_marks[mark - 1] for mark in shown[shown > 0].tolist()]
    assert sorted(names) == sorted(m for (_, date, _), m in known.items() if date < day)
    start, stop = 0, int(np.searchsorted(register.dates, np.datetime64(day, "D")))
    counts = MarkCounts(register, np.array([0, stop]))
    group, shift = group_of("illness")
    half_days = unpack(counts.packed(group, day, pupils, Window(start, stop)), shift)
    expected = [
        sum(
            who == PUPILS[p] and date < day and mark == "I"
            for (who, date, _), mark in known.items()
        )
        for p in pupils
    ]
    assert half_days.tolist() == expected


def test_pages_and_measures_count_the_version_that_was_known() -> None:
    tables = with_versions(small_tables(), "sessions", AS_OF - pd.Timedelta(days=1))
    last = with_table(tables, "sessions", tables.unreplaced("sessions"))
    now, before = AS_OF, AS_OF - pd.Timedelta(days=1)
    for one, other, day in ((tables, last, now), (tables, small_tables(), before)):
        ours, theirs = (weekly_attendance(t, list(PUPILS), as_of=day) for t in (one, other))
        assert ours is not None
        assert theirs is not None
        np.testing.assert_array_equal(ours.share, theirs.share)
        counted = [count_marks(make_facts(t, day)).half_days for t in (one, other)]
        np.testing.assert_array_equal(*counted)


def test_a_table_without_versions_is_handed_out_as_it_is() -> None:
    tables = small_tables()
    for name in tables:
        assert tables.replaced_on(name) is None
        assert tables.unreplaced(name) is tables[name]
        assert tables.latest()[name] is tables[name]


def test_a_version_is_replaced_on_the_day_the_next_was_recorded() -> None:
    tables = with_versions(small_tables(), "attainment", AS_OF)
    replaced = tables.replaced_on("attainment")
    assert replaced is not None
    assert set(replaced[::2]) == {day_number(AS_OF)}
    assert len(tables.latest()["attainment"]) == len(small_tables()["attainment"])
