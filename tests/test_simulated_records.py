"""Tables and published figures of the simulator, from a few pupils worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.codes import codes
from riskmodel.simulate.calendar import make_calendar
from riskmodel.simulate.figures.absence import absence_figures
from riskmodel.simulate.figures.destinations import destination_figures
from riskmodel.simulate.figures.exclusions import incident_figures
from riskmodel.simulate.figures.pupils import counted_pupils
from riskmodel.simulate.figures.row import Row
from riskmodel.simulate.life import NEVER, Leavers, Life
from riskmodel.simulate.marks import write_suspensions
from riskmodel.simulate.population import Population, make_population
from riskmodel.simulate.records import (
    attainment_table,
    circumstances_table,
    destinations_table,
    enrolments_table,
    school_names,
    send_tables,
)
from riskmodel.simulate.shapes import Ints
from tests.strategies import table_of

N = 6
PUPILS = tuple("ABCDEF")
IDS = pd.Categorical(PUPILS)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@cache
def few() -> Population:
    """Return six pupils without special schools or arrivals."""
    population = make_population(120, 1, "england", generator())
    arrays = {
        field.name: getattr(population, field.name)[:N]
        for field in fields(population)
        if isinstance(getattr(population, field.name), np.ndarray)
    }
    still = {"arrives": np.zeros(N, int), "special": np.zeros(N, bool)}
    return replace(population, **(arrays | still))


def life(**changes: Any) -> Life:
    none: Ints = np.zeros(0, int)
    rolls = dict.fromkeys(("pupil", "day", "school", "managed"), none)
    nothing = {
        "exit_day": np.full(N, NEVER),
        "back_day": np.full(N, NEVER),
        "reason": np.full(N, None, object),
        "neet": [],
        "rolls": rolls,
    }
    return Life(**(nothing | changes))


def days(values: Iterable[Any]) -> list[str | None]:
    """Return dates as text, missing as None."""
    return [None if pd.isna(day) else str(day)[:10] for day in values]


# --- the calendar


@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_the_first_monday_of_may_is_no_school_day(year: int) -> None:
    school_days = pd.DatetimeIndex(make_calendar(3).days)
    may = school_days[(school_days.year == year) & (school_days.month == 5)]
    assert (may[may.day <= 7].day_of_week != 0).all()
    assert (may[may.day > 7].day_of_week == 0).any()
    assert may.day_of_week.max() == 4


def test_half_terms_are_numbered_over_the_years_and_hold_their_own_days() -> None:
    calendar = make_calendar(2)
    assert calendar.half_term[[0, -1]].tolist() == [0, 11]
    for number, (first, last) in enumerate(zip(calendar.starts, calendar.ends, strict=True)):
        held = calendar.days[calendar.half_term == number]
        assert (held[0], held[-1]) == (first, last)


# --- rolls


def rolls_of(first_group: list[int], happened: Life, population: Population) -> pd.DataFrame:
    population = replace(population, first_group=np.array(first_group))
    names = school_names(population, 0)
    table = enrolments_table(population, make_calendar(1), happened, IDS, names)
    return table.sort_values(["pupil_id", "entry_date"], ignore_index=True)


def test_a_roll_begins_with_reception_and_with_year_7() -> None:
    # 2024/25: A is in Year 8 and began Year 7 in 2023, B in Year 6 began in 2018, C in Reception;
    # D starts Reception in 2025, after the data; the rest are in Year 11
    rolls = rolls_of([8, 6, 0, -1, 11, 11], life(), few())
    assert rolls["pupil_id"].tolist() == ["A", "B", "C", "E", "F"]
    assert days(rolls["entry_date"][:3]) == ["2023-09-03", "2018-09-03", "2024-09-03"]
    assert rolls["year_group"].tolist() == [7, 0, 0, 7, 7]
    assert rolls["leaving_date"].isna().all()


def test_a_primary_roll_ends_in_july_before_year_7() -> None:
    population = replace(few(), first_group=np.full(N, 6))
    names = school_names(population, 0)
    table = enrolments_table(population, make_calendar(2), life(), IDS, names)
    mine = table[table["pupil_id"] == "A"].sort_values("entry_date")
    assert days(mine["entry_date"]) == ["2017-09-03", "2024-09-03"]
    assert days(mine["leaving_date"]) == ["2024-07-31", None]
    assert mine["leaving_reason"].iloc[0] == "end_of_phase"


@pytest.mark.parametrize(("managed", "reason"), [(0, "transferred"), (1, "managed_move")])
def test_a_move_ends_one_roll_the_day_before_the_next(managed: int, reason: str) -> None:
    moves = {"pupil": [0], "day": [4], "school": [0], "managed": [managed]}
    happened = life(rolls={name: np.array(values) for name, values in moves.items()})
    rolls = rolls_of([3] * N, happened, few())
    mine = rolls[rolls["pupil_id"] == "A"]
    # school begins on 3 September 2024: its fifth day is the 9th, and the move three days later
    assert days(mine["entry_date"]) == ["2021-09-03", "2024-09-12"]
    assert days(mine["leaving_date"]) == ["2024-09-11", None]
    assert mine["leaving_reason"].tolist()[0] == reason
    assert days(mine["end_recorded_on"]) == ["2024-09-15", None]


def test_an_exclusion_ends_the_roll_and_alternative_provision_follows() -> None:
    exit_day, back_day = np.full(N, NEVER), np.full(N, NEVER)
    reason = np.full(N, None, object)
    exit_day[0], back_day[0], reason[0] = 4, 9, "permanently_excluded"
    happened = life(exit_day=exit_day, back_day=back_day, reason=reason)
    rolls = rolls_of([9] * N, happened, few())
    mine = rolls[rolls["pupil_id"] == "A"]
    assert days(mine["leaving_date"]) == ["2024-09-09", None]
    assert mine["leaving_reason"].tolist()[0] == "permanently_excluded"
    # the tenth school day is 16 September; four days later the AP roll begins
    assert days(mine["entry_date"])[1] == "2024-09-20"
    assert mine["school_id"].iloc[1] == school_names(few(), 0)[few().schools.ap]


def test_a_pupil_from_elsewhere_has_no_roll_before_arriving() -> None:
    arrives = np.array([2, 0, 0, 0, 0, 0])
    rolls = rolls_of([8] * N, life(), replace(few(), arrives=arrives))
    mine = rolls[rolls["pupil_id"] == "A"]
    assert days(mine["entry_date"]) == ["2025-01-06"]  # the third half-term's first day
    assert mine["year_group"].tolist() == [8]


# --- spells and endings


def status(**groups: list[int]) -> np.ndarray:
    """Return a status by pupil and year group, from year groups of pupils A to F."""
    inside = np.zeros((N, 12), dtype=bool)
    for pupil, years in groups.items():
        inside[PUPILS.index(pupil), years] = True
    return inside


def test_a_run_of_year_groups_is_one_spell_and_a_gap_makes_two() -> None:
    nothing = np.zeros((N, 12), dtype=bool)
    population = replace(
        few(),
        first_group=np.full(N, 11),
        fsm=status(A=[2, 3, 4, 8], B=[10, 11]),
        social=nothing.astype(np.int8),
        early_help=nothing,
        stress=np.zeros(N),
        pressure_mean=np.full(N, -9.0),
    )
    table = circumstances_table(population, IDS, 2024, generator())
    meals = table[table["kind"] == "fsm"]
    assert meals["pupil_id"].tolist() == ["A", "A", "B"]
    starts = meals["start_date"].dt.year + (meals["start_date"].dt.month >= 9) - 1
    # Year 11 in 2024/25: Year 2 was 2015/16, Year 8 2021/22, Year 10 2023/24
    assert starts.tolist() == [2015, 2021, 2023]
    assert meals["end_date"].isna().tolist() == [False, False, True]
    assert (meals["recorded_on"] > meals["start_date"]).all()


def test_every_plan_has_a_request_issued_before_it() -> None:
    provision = np.zeros((N, 12), dtype=np.int8)
    provision[0, 5:], provision[1, 4:] = 2, 1
    population = replace(few(), first_group=np.full(N, 11), provision=provision)
    send, plans = send_tables(population, IDS, 2024, generator())
    assert send[["pupil_id", "provision"]].values.tolist() == [["B", "K"], ["A", "E"]]
    issued = plans[plans["outcome"] == "issued"].iloc[0]
    assert issued["plan_on"] == send["start_date"].iloc[1]
    assert pd.Timedelta(weeks=12) <= issued["plan_on"] - issued["requested_on"]
    assert issued["requested_on"] < issued["decided_on"] < issued["plan_on"]


def test_results_are_of_pupils_who_finished_year_6_or_year_11() -> None:
    # in 2024/25, before the results of August 2025: A is in Year 11, B in Year 7, C in Year 6
    population = replace(few(), first_group=np.array([11, 7, 6, 5, 0, 0]))
    table = attainment_table(population, IDS, 2024, np.zeros(N, np.float32), generator())
    reading = table[table["subject"] == "reading"]
    assert reading["pupil_id"].tolist() == ["A", "B", "C"]
    assert days(reading["result_date"]) == ["2020-07-08", "2024-07-08", "2025-07-08"]
    assert not (table["stage"] == "KS4").any()


@pytest.mark.parametrize(("neet", "not_known", "last"), [(1.0, 0.0, {"619"}), (0.0, 1.0, {"810"})])
def test_leavers_have_a_position_each_month_to_march(
    neet: float, not_known: float, last: set[str]
) -> None:
    leavers = Leavers(np.array([0, 1]), np.full(2, neet), np.full(2, not_known))
    # the chance of not known is of pupils who are not NEET: 0 / 0 where all are
    with np.errstate(invalid="ignore"):
        table = destinations_table(make_calendar(2), life(leavers=[leavers]), IDS, generator())
    months = days(table["confirmed_on"].drop_duplicates())
    assert (months[0], months[-1]) == ("2024-09-30", "2025-03-31")
    assert len(months) == 7
    assert set(table.loc[table["confirmed_on"] == "2025-03-31", "activity_code"]) == last


def test_no_leavers_leave_the_table_without_rows() -> None:
    table = destinations_table(make_calendar(1), life(), IDS, generator())
    assert len(table) == 0
    assert "activity_code" in table


@pytest.mark.parametrize(
    ("day", "length", "marked"),
    [(0, 1, [0]), (3, 2, [3, 4]), (4, 5, [4]), (0, 5, [0, 1, 3, 4])],
)
def test_days_of_a_suspension_are_marked_where_there_is_a_mark(
    day: int, length: int, marked: list[int]
) -> None:
    drawn = np.ones((1, 5, 2), dtype=np.uint8)
    drawn[0, 2] = 0  # off roll that day
    write_suspensions(drawn, np.array([0]), np.array([day]), np.array([length]))
    code = codes("marks").index("E") + 1
    assert np.flatnonzero((drawn == code).all(axis=2)[0]).tolist() == marked


# --- published figures


def measured(**rows: list[dict[str, Any]]) -> Tables:
    """Return tables of one school year, 2024/25, of pupils in Year 8 of one secondary school."""
    usual: dict[str, list[dict[str, Any]]] = {
        "pupils": [
            {
                "pupil_id": p,
                "sex": "F" if p < "D" else "M",
                "ethnicity": "WBRI",
                "first_language": "ENG",
            }
            for p in PUPILS
        ],
        "schools": [
            {
                "school_id": "S",
                "phase": "secondary",
                "kind": "mainstream",
                "local_authority": "000",
            }
        ],
        "enrolments": [
            {"pupil_id": p, "school_id": "S", "entry_date": "2023-09-03", "year_group": 7}
            for p in PUPILS
        ],
        "calendar": [{"date": "2025-07-22", "term": "summer", "half_term": 6}],
        "circumstances": [],
        "send": [],
        "suspensions": [],
        "sessions": [],
        "destinations": [],
    }
    return Tables({name: table_of(name, these) for name, these in (usual | rows).items()})


def counts(figures: Iterable[Row]) -> dict[str, list[float]]:
    """Return part and whole of each figure."""
    return {name: [float(part), float(whole)] for name, _, part, whole, _ in figures}


def test_pupils_are_counted_in_the_year_group_and_circumstances_of_the_last_year() -> None:
    spells = [
        {"pupil_id": "A", "kind": "fsm", "start_date": "2024-09-01", "end_date": "2025-01-14"},
        {"pupil_id": "B", "kind": "fsm", "start_date": "2025-01-15"},
        {"pupil_id": "C", "kind": "child_in_need", "start_date": "2025-03-31"},
    ]
    send = [{"pupil_id": "D", "provision": "K", "primary_need": "ASD", "start_date": "2024-01-01"}]
    pupils = counted_pupils(measured(circumstances=spells, send=send))
    assert pupils["group"].tolist() == [8] * N
    assert pupils["phase"].tolist() == [1] * N
    assert pupils.index[pupils["fsm"]].tolist() == ["B"]
    assert pupils.index[pupils["child_in_need"]].tolist() == ["C"]
    assert pupils["need"].tolist() == ["", "", "", "ASD", "", ""]
    assert pupils["on_roll"].all()


def test_absence_figures_count_half_days_and_pupils() -> None:
    # A: 9 of 10 there and late once; B: 1 of 10 away, persistent; C: 5 of 10, severe, 2 of them
    # unauthorised; one mark of the year before does not count
    marks = {"A": "L" + "/" * 8 + "X", "B": "/" * 9 + "I", "C": "/" * 5 + "IIIOO"}
    sessions = [
        {"pupil_id": pupil, "date": f"2024-10-{day:02d}", "session": "AM", "mark": mark}
        for pupil, row in marks.items()
        for day, mark in enumerate(row, start=1)
    ]
    sessions.append({"pupil_id": "A", "date": "2024-07-01", "session": "AM", "mark": "I"})
    tables = measured(sessions=sessions)
    found = counts(absence_figures(tables, counted_pupils(tables)))
    assert found["absence.secondary"] == [6, 29]
    assert found["persistent.secondary"] == [2, 3]
    assert found["severe.secondary"] == [1, 3]
    assert found["unauthorised.secondary"] == [2, 29]
    assert found["code.secondary.L"] == [1, 29]
    assert found["persistent.secondary.no_meals.no_sen.F"] == [2, 3]


def test_incident_figures_count_terms_reasons_and_lengths() -> None:
    suspensions = [
        {
            "pupil_id": "A",
            "school_id": "S",
            "category": category,
            "start_date": day,
            "sessions": sessions,
            "reason_1": "DB",
            "reason_2": second,
        }
        for category, day, sessions, second in (
            ("SUSP", "2024-10-01", 2, "VA"),
            ("SUSP", "2025-02-01", 4, None),
            ("PERM", "2025-05-01", None, "DA"),
            ("SUSP", "2024-06-01", 2, None),  # the year before
        )
    ]
    tables = measured(suspensions=suspensions)
    found = counts(incident_figures(tables, counted_pupils(tables), "england"))
    assert found["susp.share.autumn"] == [1, 2]
    assert found["pex.share.autumn"] == [0, 1]
    assert found["susp.reason.DB"] == [2, 3]
    assert found["pex.reason.DA"] == [1, 2]
    assert found["susp.length.1"] == [1, 2]
    assert found["susp.length.2"] == [1, 2]
    assert not any(name.startswith("top_schools") for name in found)  # one school is too few


def test_leavers_are_neet_after_two_winter_months() -> None:
    positions = [
        {"pupil_id": pupil, "activity_code": code, "confirmed_on": day}
        for pupil, months in (
            ("A", ("619", "619", "210")),
            ("B", ("619", "210", "210")),
            ("C", ("810", "810", "810")),
        )
        for code, day in zip(months, ("2024-12-31", "2025-01-31", "2025-02-28"), strict=True)
    ]
    positions.append({"pupil_id": "D", "activity_code": "619", "confirmed_on": "2024-10-31"})
    tables = measured(destinations=positions)
    found = counts(destination_figures(tables, counted_pupils(tables), "england"))
    assert found["neet.16.F"] == [1, 3]
    assert found["not_known.16.F"] == [1, 3]
    assert found["neet.16.M"] == [0, 0]
    assert found["neet.none"] == [1, 3]
