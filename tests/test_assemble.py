"""Facts of many files made into tables: what is merged, what is derived, and from what was known."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, pandera_schema
from riskmodel.data.read.returns.assemble import assemble
from riskmodel.data.read.rows.versions import CONFLICTING
from tests.rolls import roll
from tests.strategies import PUPILS, table_of

THERE = pd.CategoricalDtype(pd.Index(PUPILS, dtype="str"))
Row = dict[str, Any]


def facts(name: str, *rows: Row, **more: list[Any]) -> pd.DataFrame:
    """Return typed facts, each from a row of its own of one file."""
    lag = pd.Timedelta(days=TABLES[name].lag_days)
    event = TABLES[name].event
    dated = [
        row
        if "recorded_on" in row or not event
        else row | {"recorded_on": f"{pd.Timestamp(row[event]) + lag:%Y-%m-%d}"}
        for row in rows
    ]
    return table_of(name, dated).assign(_file=0, _place=range(len(rows)), **more)


def built(**tables: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return assemble(tables, THERE)[0]


def left(end: str, **more: object) -> Row:
    """Return a roll of A that ended, known a month later."""
    known = f"{pd.Timestamp(end) + pd.Timedelta(days=30):%Y-%m-%d}"
    row = roll("A", "2021-09-01", end, recorded_on="2021-10-01", end_recorded_on=known)
    return row | more


def reasons(*rolls: Row, suspensions: tuple[Row, ...] = ()) -> list[str | None]:
    """Return why each roll ended, in the order of the days of entry."""
    tables = {"enrolments": facts("enrolments", *rolls)}
    if suspensions:
        tables["suspensions"] = facts("suspensions", *suspensions)
    found = built(**tables)["enrolments"].sort_values("entry_date")["leaving_reason"]
    return [None if pd.isna(one) else str(one) for one in found]


# ---- why a roll ended


@pytest.mark.parametrize(
    ("end", "year_group", "reason"),
    [
        # the year group is that at entry in September 2021
        ("2022-06-01", 11, "completed"),
        ("2022-08-31", 11, "completed"),
        ("2022-05-31", 11, "destination_unknown"),
        ("2022-09-01", 11, "destination_unknown"),  # Year 12, but not in summer
        ("2023-07-20", 11, "completed"),
        ("2023-07-20", 10, "completed"),
        ("2022-07-20", 10, "destination_unknown"),
        ("2024-01-31", 7, "destination_unknown"),
    ],
)
def test_a_roll_that_ends_in_the_summer_of_year_11_is_completed(
    end: str, year_group: int, reason: str
) -> None:
    assert reasons(left(end, year_group=year_group)) == [reason]


def test_a_roll_that_goes_on_has_no_reason() -> None:
    assert reasons(roll("A", "2021-09-01")) == [None]


@pytest.mark.parametrize(
    ("end", "entry", "year_group", "reason"),
    [
        ("2022-07-20", "2022-09-01", 6, "end_of_phase"),
        ("2022-07-20", "2022-09-01", 5, "transferred"),  # Year 5 is no end of a phase
        ("2022-04-20", "2022-04-25", 6, "transferred"),  # nor is spring
        ("2022-01-31", "2022-01-24", 9, "transferred"),  # up to 7 days before the end
        ("2022-01-31", "2022-01-23", 9, "destination_unknown"),
        ("2022-01-31", "2022-02-01", 9, "transferred"),
        ("2022-01-31", "2022-04-16", 9, "transferred"),  # 75 days
        ("2022-01-31", "2022-04-17", 9, "destination_unknown"),
    ],
)
def test_a_next_roll_soon_after_explains_an_end(
    end: str, entry: str, year_group: int, reason: str
) -> None:
    known = {"end_recorded_on": "2022-12-01"}
    first = left(end, year_group=year_group) | known
    assert reasons(first, roll("A", entry, school_id="S2"))[0] == reason


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [("2022-03-02", "transferred"), ("2022-03-03", "destination_unknown")],
)
def test_a_next_roll_explains_an_end_only_if_it_was_known_with_it(
    recorded: str, reason: str
) -> None:
    # the end of January was known on 2 March
    following = roll("A", "2022-02-01", school_id="S2", recorded_on=recorded)
    assert reasons(left("2022-01-31"), following)[0] == reason


@pytest.mark.parametrize(
    "change",
    [{"pupil_id": "B"}, {"entry_date": "2021-10-01"}, {"entry_date": "2023-02-01"}],
    ids=["another pupil's", "begun long before", "begun long after"],
)
def test_a_roll_that_is_no_next_one_explains_nothing(change: Row) -> None:
    other = roll("A", "2022-02-01", school_id="S2") | change
    assert reasons(left("2022-01-31"), other)[0] == "destination_unknown"


@pytest.mark.parametrize(
    ("start", "change", "reason"),
    [
        ("2022-01-31", {}, "permanently_excluded"),
        ("2022-02-01", {}, "permanently_excluded"),  # a day after the end
        ("2022-02-02", {}, "destination_unknown"),
        ("2021-12-02", {}, "permanently_excluded"),  # 60 days before
        ("2021-12-01", {}, "destination_unknown"),
        ("2022-01-31", {"category": "SUSP"}, "destination_unknown"),
        ("2022-01-31", {"pupil_id": "B"}, "destination_unknown"),
        ("2022-01-31", {"recorded_on": "2022-03-02"}, "permanently_excluded"),
        ("2022-01-31", {"recorded_on": "2022-03-03"}, "destination_unknown"),  # not known with it
        ("2022-01-31", {"reinstated_on": "2022-03-02"}, "destination_unknown"),
        ("2022-01-31", {"reinstated_on": "2022-03-03"}, "permanently_excluded"),
    ],
)
def test_an_exclusion_in_the_weeks_before_explains_an_end(
    start: str, change: Row, reason: str
) -> None:
    row = {"pupil_id": "A", "school_id": "S1", "category": "PERM", "start_date": start}
    assert reasons(left("2022-01-31"), suspensions=(row | change,)) == [reason]


def test_an_exclusion_explains_more_than_the_roll_that_follows_or_the_end_of_year_11() -> None:
    row = {"pupil_id": "A", "school_id": "S1", "category": "PERM", "start_date": "2022-06-20"}
    rolls = left("2022-06-30", year_group=11), roll("A", "2022-07-01", school_id="S2")
    assert reasons(*rolls, suspensions=(row,))[0] == "permanently_excluded"


# ---- what comes twice


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("name", "row", "column", "early", "late"),
    [
        (
            "attainment",
            {"stage": "KS2", "subject": "reading", "result_date": "2024-07-10"},
            "score",
            0.5,
            0.7,
        ),
        (
            "absence_totals",
            {"term_end": "2023-12-31", "mark": "I"},
            "sessions",
            4,
            6,
        ),
        ("sessions", {"date": "2024-01-08", "session": "AM"}, "mark", "N", "I"),
    ],
)
def test_of_one_fact_reported_otherwise_later_both_are_held(
    name: str, row: Row, column: str, early: object, late: object, order: tuple[int, int]
) -> None:
    rows = [
        {"pupil_id": "A", column: stated, "recorded_on": day} | row
        for stated, day in ((early, "2024-08-01"), (late, "2024-09-01"))
    ]
    frames, used, verdicts = assemble({name: facts(name, *(rows[i] for i in order))}, THERE)
    assert frames[name][column].tolist() == [early, late]
    assert sorted(used["_place"]) == [0, 1]
    (conflict,) = (
        verdicts.itertuples(index=False)
        if len(verdicts) == 1
        else [one for one in verdicts.itertuples(index=False) if one.verdict == CONFLICTING]
    )
    assert (conflict.column, conflict.is_held) == (column, True)
    assert (conflict[1], conflict.other_place) == (order.index(1), order.index(0))


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (["WBRI"], "WBRI"),
        (["WBRI", "BCRB"], "BCRB"),  # the latest counts
        (["WBRI", None], "WBRI"),  # a return that does not know has no value
        (["WBRI", "not_known"], "WBRI"),
        (["not_known", "not_known"], "not_known"),
        ([None], "not_known"),
        (["REFU", "WBRI"], "WBRI"),
        (["WBRI", "REFU"], "REFU"),  # to refuse is an answer
    ],
)
def test_of_a_pupil_the_latest_value_that_is_known_counts(
    stated: list[str | None], expected: str
) -> None:
    rows = [{"pupil_id": "A", "ethnicity": one, "sex": "F"} for one in stated]
    days = list(pd.date_range("2024-01-18", periods=len(stated), freq="90D"))
    made = built(pupils=facts("pupils", *rows, _day=days))["pupils"]
    assert made["ethnicity"].tolist() == [expected]
    pandera_schema("pupils").validate(made)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize(
    ("deciles", "kept"),
    [
        ([3, 3, 3], ["2024-01-18"]),
        ([3, 4, 4], ["2024-01-18", "2024-05-16"]),
        ([3, 4, 3], ["2024-01-18", "2024-05-16", "2024-10-03"]),
        ([None, None, 3], ["2024-01-18", "2024-10-03"]),
        ([3, None, 3], ["2024-01-18"]),  # an empty or unknown postcode is no other home
        ([3, None, 4], ["2024-01-18", "2024-10-03"]),
    ],
)
def test_an_address_counts_once_until_the_decile_changes(
    deciles: list[float | None], kept: list[str], order: tuple[int, ...]
) -> None:
    days = ["2024-01-18", "2024-05-16", "2024-10-03"]
    rows = [
        {"pupil_id": "A", "start_date": day, "idaci_decile": decile}
        for day, decile in zip(days, deciles, strict=True)
    ]
    made = built(neighbourhood=facts("neighbourhood", *(rows[i] for i in order)))["neighbourhood"]
    assert made["start_date"].dt.strftime("%Y-%m-%d").tolist() == kept


def test_addresses_of_two_pupils_are_apart() -> None:
    rows = [{"pupil_id": pupil, "start_date": "2024-01-18", "idaci_decile": 3.0} for pupil in "AB"]
    assert len(built(neighbourhood=facts("neighbourhood", *rows))["neighbourhood"]) == 2


# ---- what is derived


def calendar(*days: str) -> pd.DataFrame:
    rows = [
        {"pupil_id": "A", "date": day, "session": "AM", "mark": "/", "recorded_on": "2026-01-01"}
        for day in days
    ]
    return built(sessions=facts("sessions", *rows))["calendar"]


@pytest.mark.parametrize(
    ("days", "half_terms"),
    [
        (["2024-09-04", "2024-09-05"], [1, 1]),
        (["2024-09-06", "2024-09-09", "2024-09-10"], [1, 1, 1]),  # a weekend
        (["2024-10-24", "2024-10-28"], [1, 1]),  # four days
        (["2024-10-24", "2024-10-29"], [1, 2]),  # five
        (["2024-10-25", "2024-11-04", "2024-12-20", "2025-01-06"], [1, 2, 3, 4]),
        (["2024-07-22", "2024-09-04"], [1, 1]),  # each school year begins anew
    ],
)
def test_half_terms_are_parted_by_five_days_without_marks(
    days: list[str], half_terms: list[int]
) -> None:
    assert calendar(*days)["half_term"].tolist() == half_terms


def test_a_year_has_no_more_than_six_half_terms() -> None:
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2024-09-04", periods=9, freq="30D")]
    assert calendar(*days)["half_term"].tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 6]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_school_day_is_known_with_its_first_mark(order: tuple[int, int]) -> None:
    rows = [
        {"pupil_id": pupil, "date": "2024-09-04", "session": "AM", "mark": "/", "recorded_on": day}
        for pupil, day in (("A", "2024-09-05"), ("B", "2024-12-01"))
    ]
    made = built(sessions=facts("sessions", *(rows[i] for i in order)))["calendar"]
    assert made["first_marked_on"].tolist() == [pd.Timestamp("2024-09-05")]


def test_a_calendar_that_was_given_is_kept() -> None:
    given_ = facts("calendar", {"date": "2024-09-04", "term": "autumn", "half_term": 1})
    row = {"pupil_id": "A", "date": "2024-09-05", "session": "AM", "mark": "/"}
    made = built(sessions=facts("sessions", row), calendar=given_)["calendar"]
    assert made["date"].tolist() == [pd.Timestamp("2024-09-04")]


def test_without_a_register_of_schools_those_of_the_rolls_are_listed() -> None:
    rolls = [roll("A", "2021-09-01", school_id=school) for school in ("S2", "S1")]
    made = built(enrolments=facts("enrolments", *rolls))["schools"]
    assert made["school_id"].tolist() == ["S1", "S2"]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(0, 400), st.integers(0, 2)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_facts_does_not_matter(rows: list[tuple[str, int, int]], random) -> None:  # type: ignore[no-untyped-def]
    start = pd.Timestamp("2023-09-01")
    made = [
        {
            "pupil_id": who,
            "start_date": f"{start + pd.Timedelta(days=day):%Y-%m-%d}",
            "idaci_decile": float(decile + 1),
            "recorded_on": f"{start + pd.Timedelta(days=day + 90):%Y-%m-%d}",
        }
        for who, day, decile in dict.fromkeys(rows)
    ]
    # of two deciles of one day the row of the file decides; such days are left out here
    distinct = list({(row["pupil_id"], row["start_date"]): row for row in made}.values())
    one, other = (
        built(neighbourhood=facts("neighbourhood", *part))["neighbourhood"]
        for part in (distinct, random.sample(distinct, len(distinct)))
    )
    pd.testing.assert_frame_equal(one, other)
