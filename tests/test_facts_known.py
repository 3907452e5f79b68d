"""The facts an LA held on a day: what is cut, what is hidden, what is joined, in every table."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, Tables
from riskmodel.data.tables import empty_table, upheld
from riskmodel.errors import DataError
from tests.rolls import make_tables, roll
from tests.strategies import PUPILS, small_tables, table_of

DAY = pd.Timestamp("2025-03-01")
BEFORE, ON, AFTER = "2025-02-28", "2025-03-01", "2025-03-02"
RECORDED = [name for name, table in TABLES.items() if "recorded_on" in table.names]


def as_known(name: str, *rows: dict[str, Any], day: pd.Timestamp = DAY) -> pd.DataFrame:
    """Return what was known on a day of a table with these rows."""
    return Tables({name: table_of(name, list(rows))}).as_known(day)[name]


@pytest.mark.parametrize("name", [name for name in RECORDED if name != "sessions"])
@pytest.mark.parametrize(("recorded", "known"), [(BEFORE, True), (ON, False), (AFTER, False)])
def test_a_fact_counts_from_the_day_after_it_was_recorded(
    name: str, recorded: str, known: bool
) -> None:
    frame = small_tables()[name].iloc[:1]
    day = pd.Series(pd.to_datetime([recorded]).as_unit("s"), index=frame.index)
    cut = Tables({name: frame.assign(recorded_on=day)}).as_known(DAY)[name]
    assert len(cut) == known


@pytest.mark.parametrize("name", sorted(set(TABLES) - set(RECORDED)))
def test_a_table_without_days_of_recording_is_known_whole(name: str) -> None:
    frame = small_tables()[name]
    assert Tables({name: frame}).as_known(pd.Timestamp("1990-01-01"))[name] is frame


def test_register_marks_are_left_out() -> None:
    known = small_tables().as_known(DAY)
    assert "sessions" not in known
    assert set(known) == set(TABLES) - {"sessions"}


# table, a row, the columns that become known later, and on which day's column that depends
LATER = [
    (
        "enrolments",
        {"school_id": "S", "status": "main", "year_group": 7},
        {"leaving_date": "2025-01-31", "leaving_reason": "transferred"},
        "end_recorded_on",
    ),
    ("send", {"provision": "K"}, {"end_date": "2025-01-31"}, "end_recorded_on"),
    ("circumstances", {"kind": "fsm"}, {"end_date": "2025-01-31"}, "end_recorded_on"),
    ("plans", {}, {"outcome": "issued"}, "decided_on"),
    ("plans", {}, {}, "plan_on"),
    ("suspensions", {"school_id": "S", "category": "SUSP"}, {}, "reinstated_on"),
]


@pytest.mark.parametrize(("name", "row", "later", "when"), LATER)
@pytest.mark.parametrize(
    ("day", "known"), [(BEFORE, True), (ON, False), (AFTER, False), (None, False)]
)
def test_what_becomes_known_later_than_its_row_is_missing_until_then(
    name: str,
    row: dict[str, Any],
    later: dict[str, str],
    when: str,
    day: str | None,
    known: bool,
) -> None:
    begun = {TABLES[name].event: "2024-01-08", "recorded_on": "2024-02-01", "pupil_id": "A"}
    (found,) = as_known(name, begun | row | later | {when: day}).to_dict("records")
    for column in (*later, when):
        assert pd.notna(found[column]) == known
    for column in (*begun, *row):
        assert pd.notna(found[column])


@pytest.mark.parametrize(("name", "row", "later", "when"), LATER)
def test_hiding_a_value_leaves_the_facts_themselves_as_they_are(
    name: str, row: dict[str, Any], later: dict[str, str], when: str
) -> None:
    begun = {TABLES[name].event: "2024-01-08", "recorded_on": "2024-02-01", "pupil_id": "A"}
    table = table_of(name, [begun | row | later | {when: AFTER}])
    copy = table.copy()
    Tables({name: table}).as_known(DAY)
    pd.testing.assert_frame_equal(table, copy)


@pytest.mark.parametrize(
    ("category", "reinstated", "counts"),
    [
        ("PERM", None, True),
        ("PERM", "2025-01-09", False),
        ("PERM", "2025-01-08", False),  # on its first day
        ("PERM", "2025-01-07", True),  # before it began: a mistake, reported by the reader
        ("SUSP", "2025-01-09", True),  # a suspension that was overturned was served
        ("LNCH", "2025-01-09", True),
    ],
)
def test_a_permanent_exclusion_that_was_overturned_does_not_count(
    category: str, reinstated: str | None, counts: bool
) -> None:
    row: dict[str, Any] = {"pupil_id": "A", "school_id": "S", "category": category}
    row |= {"start_date": "2025-01-08", "recorded_on": "2025-01-09", "reinstated_on": reinstated}
    assert len(upheld(table_of("suspensions", [row]))) == counts
    assert len(as_known("suspensions", row)) == counts


@pytest.mark.parametrize(
    ("day", "counts"), [("2025-02-01", True), ("2025-02-10", True), ("2025-02-11", False)]
)
def test_an_exclusion_counts_until_it_is_known_to_be_overturned(day: str, counts: bool) -> None:
    row = {"pupil_id": "A", "school_id": "S", "category": "PERM", "start_date": "2025-01-08"}
    row |= {"reinstated_on": "2025-02-10", "recorded_on": "2025-01-09"}
    known = as_known("suspensions", row, day=pd.Timestamp(day))
    assert len(known) == counts
    assert known["reinstated_on"].isna().all()


def spells(*rows: dict[str, object], day: pd.Timestamp = DAY) -> list[tuple[str, str, str | None]]:
    """Return pupil, first and last day of each roll known on a day."""
    known = make_tables(enrolments=rows).as_known(day)["enrolments"]
    ends = [None if pd.isna(end) else f"{end:%Y-%m-%d}" for end in known["leaving_date"]]
    begins = known["entry_date"].dt.strftime("%Y-%m-%d")
    return list(zip(known["pupil_id"].astype("str"), begins, ends, strict=True))


FIRST, SECOND = roll("A", "2023-09-01", "2024-01-31"), roll("A", "2024-02-01", "2024-07-20")


@pytest.mark.parametrize(
    ("change", "joined"),
    [
        ({}, True),
        ({"entry_date": "2024-02-02"}, False),  # a day between
        ({"entry_date": "2024-01-31"}, False),  # a day in both
        ({"school_id": "S2"}, False),
        ({"status": "dual"}, False),
        ({"pupil_id": "B"}, False),
        ({"year_group": 8}, True),
        ({"leaving_date": None}, True),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_roll_that_goes_on_at_its_school_the_day_after_is_one_roll(
    change: dict[str, object], joined: bool, turned: bool
) -> None:
    second = SECOND | change
    end = second["leaving_date"]
    rows = [FIRST, second]
    found = spells(*(rows[::-1] if turned else rows))
    if joined:
        assert found == [("A", "2023-09-01", end)]
    else:
        assert len(found) == 2
        assert ("A", "2023-09-01", "2024-01-31") in found


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_chain_of_rolls_is_one_with_the_end_of_the_last(order: tuple[int, ...]) -> None:
    third = roll("A", "2024-07-21", "2024-12-20", leaving_reason="left_area")
    rows = [FIRST, SECOND, third]
    known = make_tables(enrolments=[rows[i] for i in order]).as_known(DAY)["enrolments"]
    (found,) = known.to_dict("records")
    assert found["entry_date"] == pd.Timestamp("2023-09-01")
    assert found["leaving_date"] == pd.Timestamp("2024-12-20")
    assert found["leaving_reason"] == "left_area"


def test_a_roll_is_joined_only_once_its_continuation_is_known() -> None:
    second = SECOND | {"recorded_on": "2024-03-10"}
    early, late = (
        spells(FIRST, second, day=pd.Timestamp(day)) for day in ("2024-03-10", "2024-03-11")
    )
    assert early == [("A", "2023-09-01", "2024-01-31")]
    assert late == [("A", "2023-09-01", None)]  # its end of July is still to come


@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(0, 9), st.integers(0, 4)),
        max_size=6,
        unique_by=lambda row: row[:2],
    )
)
@settings(max_examples=60)
def test_joining_rolls_loses_no_day_and_gains_none(rows: list[tuple[str, int, int]]) -> None:
    start = pd.Timestamp("2024-01-01")
    made = [
        roll(
            who,
            f"{start + pd.Timedelta(days=a):%Y-%m-%d}",
            f"{start + pd.Timedelta(days=a + n):%Y-%m-%d}",
        )
        for who, a, n in rows
    ]
    expected = {(who, a + i) for who, a, n in rows for i in range(n + 1)}
    days = set()
    for who, begin, end in spells(*made):
        assert end is not None
        first, last = ((pd.Timestamp(day) - start).days for day in (begin, end))
        days |= {(who, day) for day in range(first, last + 1)}
    assert days == expected


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_the_extracts_lack_is_named_with_those_there(name: str) -> None:
    others = {other: empty_table(other) for other in ("pupils", "schools") if other != name}
    words = f"hold no table '{name}'. Found: {', '.join(sorted(others))}. Add {name}.csv or"
    with pytest.raises(DataError, match=words):
        Tables(others)[name]
    assert name not in Tables(others)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("pupils", [None, pd.CategoricalDtype(pd.Index(PUPILS, dtype="str"))])
def test_an_empty_table_has_the_pupils_it_is_given(
    name: str, pupils: pd.CategoricalDtype | None
) -> None:
    table = empty_table(name, pupils)
    assert len(table) == 0
    if "pupil_id" in table:
        assert table["pupil_id"].cat.categories.tolist() == ([] if pupils is None else [*PUPILS])


def test_tables_are_a_mapping_that_knows_how_many_there_are() -> None:
    tables = small_tables()
    assert len(tables) == len(list(tables)) == len(TABLES)
    assert tables.pupils.categories.tolist() == list(PUPILS)
