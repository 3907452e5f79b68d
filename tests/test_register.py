"""The register, its windows and its counts against slow references, with and without a calendar."""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import Tables
from riskmodel.data.codes import code_set, codes
from riskmodel.errors import DataError
from riskmodel.features import FactsAsOf, make_register
from riskmodel.features.mark_counts import PARTS, MarkCounts, group_of, unpack
from riskmodel.features.marks import FAMILIES, NO_MARK, family_lookup
from riskmodel.features.register import Window
from riskmodel.features.threads import on_all_cores
from tests.strategies import (
    AS_OF,
    FIRST,
    PUPILS,
    Marks,
    examples,
    mark_lists,
    sessions_of,
    small_tables,
    spine_of,
    table_of,
    with_table,
    without_calendar,
)


def register_tables(marks: Marks, has_calendar: bool) -> Tables:
    tables = small_tables() if has_calendar else without_calendar()
    return with_table(tables, "sessions", sessions_of(marks))


def after(days: int) -> pd.Timestamp:
    """Return the day so many days after FIRST, a Monday."""
    return (FIRST + pd.Timedelta(days=days)).as_unit("s")


def known_marks(marks: Marks, as_of: int) -> dict[tuple[int, int, int], str]:
    """Return the marks of weekdays recorded before a day, by pupil, day and half."""
    return {
        (pupil, day, half): mark
        for (pupil, day, half), (mark, lag) in marks.items()
        if day % 7 < 5 and day + lag < as_of
    }


def school_days(marks: Marks, as_of: int, has_calendar: bool) -> list[int]:
    """Return the school days before a day, as days after FIRST."""
    if has_calendar:
        return [day for day in range(as_of) if day % 7 < 5]
    return sorted({day for _, day, _ in known_marks(marks, as_of)})


@given(mark_lists, st.integers(0, 16), st.booleans())
@settings(max_examples=examples(20), deadline=None)
def test_marks_as_known_equal_a_slow_reference(
    marks: Marks, as_of: int, has_calendar: bool
) -> None:
    register = make_register(register_tables(marks, has_calendar))
    known = known_marks(marks, as_of)
    days = school_days(marks, as_of, has_calendar)
    cells = [(day, half) for day in days for half in (0, 1)]
    slow = [
        [codes("marks").index(known[p, *cell]) + 1 if (p, *cell) in known else 0 for cell in cells]
        for p in range(3)
    ]
    fast = register.year_as_known(after(as_of), np.arange(3))
    np.testing.assert_array_equal(fast, np.array(slow, dtype=np.uint8).reshape(3, len(cells)))


BELONGS: dict[str, Callable[[int, int], bool]] = {
    "all": lambda day, half: True,
    "edge": lambda day, half: day % 7 in (0, 4),
    "morning": lambda day, half: half == 0,
}


@given(
    marks=mark_lists,
    as_of=st.integers(1, 16),
    n_days=st.integers(1, 9),
    skip=st.integers(0, 4),
    family=st.sampled_from(sorted(FAMILIES)),
    part=st.sampled_from(sorted(PARTS)),
    has_calendar=st.booleans(),
    at_bounds=st.booleans(),
)
@settings(max_examples=examples(50), deadline=None)
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
    register = make_register(register_tables(marks, has_calendar))
    window = register.window(after(as_of), n_days, skip=skip, part=part)
    bounds = [0, window.start, window.stop] if at_bounds else [0]
    counts = MarkCounts(register, np.unique(bounds))
    group, shift = group_of(family)
    fast = unpack(counts.packed(group, after(as_of), np.arange(3), window), shift)
    days = school_days(marks, as_of, has_calendar)
    days = days[: max(0, len(days) - skip)][-n_days:]
    slow = [
        sum(
            mark in FAMILIES[family]
            for (p, day, half), mark in known_marks(marks, as_of).items()
            if p == pupil and day in days and BELONGS[part](day, half)
        )
        for pupil in range(3)
    ]
    np.testing.assert_array_equal(fast, slow)


TERMS = ["autumn"] * 3 + ["spring"] * 2 + ["summer"] * 4


@pytest.mark.parametrize("back", [0, 1, 2, 3])
@pytest.mark.parametrize("as_of", [0, 1, 3, 4, 5, 9, 20])
def test_terms_equal_a_slow_reference(as_of: int, back: int) -> None:
    rows = [
        {"date": str(after(day))[:10], "term": term, "half_term": 1}
        for day, term in enumerate(TERMS)
    ]
    tables = with_table(small_tables(), "calendar", table_of("calendar", rows))
    made = make_register(tables).term(after(as_of), back=back)
    past = TERMS[:as_of]
    terms = sorted({*past}, key=past.index)
    name = terms[-1 - back] if back < len(terms) else ""
    days = [day for day, term in enumerate(past) if term == name]
    assert made == (Window(days[0], days[-1] + 1) if days else Window(0, 0))


def test_without_a_calendar_there_is_no_term() -> None:
    assert make_register(without_calendar()).term(AS_OF) == Window(0, 0)


def test_a_window_before_the_first_school_day_is_empty() -> None:
    register = make_register(small_tables())
    assert register.window(pd.Timestamp("1990-01-01"), 10) == Window(0, 0)
    assert register.year(pd.Timestamp("1990-01-01")) == Window(0, 0)
    assert register.year_as_known(pd.Timestamp("1990-01-01"), np.arange(2)).shape == (2, 0)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2025-03-01", (0, 20)),
        ("2026-02-03", (0, 30)),  # the first school day is 365 days ago
        ("2026-02-04", (1, 30)),
        ("2026-03-14", (29, 30)),  # of the last one, 14 March 2025, a Friday
        ("2026-03-15", (30, 30)),
    ],
)
def test_the_last_12_months_are_cut_by_date(as_of: str, expected: tuple[int, int]) -> None:
    register = make_register(small_tables())  # from 3 February 2025 on
    day = pd.Timestamp(as_of)
    assert register.year(day) == Window(*expected)
    n_days = expected[1] - expected[0]
    assert register.year_as_known(day, np.arange(2)).shape == (2, 2 * n_days)


@pytest.mark.parametrize(
    ("n_days", "skip", "expected"),
    [(1, 0, (19, 20)), (5, 0, (15, 20)), (5, 5, (10, 15)), (99, 0, (0, 20)), (5, 20, (0, 0))],
)
def test_a_window_is_counted_back_from_the_day(
    n_days: int, skip: int, expected: tuple[int, int]
) -> None:
    register = make_register(small_tables())  # 20 school days before 1 March 2025
    assert register.window(AS_OF, n_days, skip=skip) == Window(*expected)


def test_marks_of_days_that_are_no_school_days_are_left_out() -> None:
    day = "2025-02-03"
    calendar = table_of("calendar", [{"date": day, "term": "spring", "half_term": 1}])
    marks = [
        {"pupil_id": "A", "date": date, "session": "AM", "mark": "I", "recorded_on": date}
        for date in ("2025-02-01", day, "2025-02-04")
    ]
    tables = with_table(small_tables(), "calendar", calendar)
    register = make_register(with_table(tables, "sessions", table_of("sessions", marks)))
    assert register.marks.shape == (len(PUPILS), 2)
    assert (register.marks != NO_MARK).sum() == 1


@pytest.mark.parametrize(
    ("first_marked_on", "known"), [(None, 1), ("2025-02-04", 1), ("2025-02-05", 0)]
)
def test_a_school_day_of_no_published_calendar_is_known_from_its_first_mark(
    first_marked_on: str | None, known: int
) -> None:
    row = {"date": "2025-02-03", "term": "spring", "half_term": 1}
    calendar = table_of("calendar", [row | {"first_marked_on": first_marked_on}])
    register = make_register(with_table(small_tables(), "calendar", calendar))
    assert len(register.school_days(pd.Timestamp("2025-02-05"), n_days=9)) == known


def test_a_mark_recorded_after_centuries_stays_late() -> None:
    late = {"pupil_id": "A", "date": "2025-02-03", "session": "AM", "mark": "I"}
    sessions = table_of("sessions", [late | {"recorded_on": "2400-01-01"}])
    register = make_register(with_table(small_tables(), "sessions", sessions))
    assert register.year_as_known(AS_OF, np.array([0])).sum() == 0


@pytest.mark.parametrize("name", ["sessions", "pupils"])
def test_a_register_without_its_tables_is_refused_in_words(name: str) -> None:
    tables = Tables({other: frame for other, frame in small_tables().items() if other != name})
    with pytest.raises(DataError, match=f"no table '{name}'"):
        make_register(tables)


@pytest.mark.parametrize("n_days", [3, 7, 33])
def test_any_number_of_school_days_can_be_asked_for(n_days: int) -> None:
    tables, spine = small_tables(), spine_of()
    register = make_register(tables)
    known = FactsAsOf(
        tables.as_known(AS_OF), AS_OF, spine, register, MarkCounts(register, np.array([0]))
    )
    marks = register.year_as_known(AS_OF, known.rows)[:, -2 * n_days :]
    lookup = [codes("marks").index(code) + 1 for code in FAMILIES["absence"]]
    np.testing.assert_array_equal(
        known.half_days("absence", n_days), np.isin(marks, lookup).sum(axis=1)
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_holds_the_bytes_of_its_codes_and_no_others(name: str) -> None:
    found = {codes("marks")[byte - 1] for byte in np.flatnonzero(family_lookup(name))}
    assert found == set(FAMILIES[name])
    assert not family_lookup(name)[NO_MARK]


def test_families_part_the_marks_as_the_dfe_does() -> None:
    possible, absent = set(FAMILIES["possible"]), set(FAMILIES["absence"])
    assert possible | set(FAMILIES["not_possible"]) == set(codes("marks"))
    assert not possible & set(FAMILIES["not_possible"])
    assert absent == set(FAMILIES["authorised"]) | set(FAMILIES["unauthorised"])
    meaning = code_set("marks")["family"]
    assert {meaning[code] for code in possible - absent} == {"present", "approved_activity"}


def test_four_families_are_counted_side_by_side_without_touching() -> None:
    largest = np.uint64(2**16 - 1)
    for family in FAMILIES:
        _, shift = group_of(family)
        alone = np.array([largest << shift], dtype=np.uint64)
        assert unpack(alone, shift).tolist() == [65_535]
        others = {group_of(name)[1] for name in FAMILIES} - {shift}
        assert all(unpack(alone, other).tolist() == [0] for other in others)


def test_every_item_is_worked_on_once_and_an_error_reaches_the_caller() -> None:
    done: list[int] = []
    on_all_cores(done.append, range(100))
    assert sorted(done) == list(range(100))

    def fail(item: int) -> None:
        raise ZeroDivisionError(f"item {item} in thread {get_ident()}")

    with pytest.raises(ZeroDivisionError, match="item 0"):
        on_all_cores(fail, range(3))
