"""Builders at the borders of their windows: the first day that counts, and the one before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.features.context import attainment, circumstances, neighbourhood
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.moves import gaps_between_schools, moves
from riskmodel.features.needs import plan_requests, send_history, send_timing
from riskmodel.features.post16 import activity
from riskmodel.features.suspensions import (
    suspension_history,
    suspension_places,
    suspension_reasons,
    suspension_spacing,
)
from tests.strategies import AS_OF, spine_of, table_of

A_ALONE = spine_of(("A",))
MONTH = 365.25 / 12
UNKNOWN = float("nan")
Row = dict[str, Any]


def ago(days: int) -> str:
    """Return the day so many days before the list."""
    return f"{AS_OF - pd.Timedelta(days=days):%Y-%m-%d}"


def known(table: str, *rows: Row, year_group: int | None = 9, as_of: str = "") -> FactsAsOf:
    """Return what is known of pupil A: rows of one table."""
    spine = A_ALONE.assign(year_group=pd.array([year_group], dtype="Int64"))
    facts = table_of(table, [{"pupil_id": "A"} | row for row in rows])
    day = pd.Timestamp(as_of) if as_of else AS_OF
    return FactsAsOf({table: facts}, day, spine, register=None)


def value(columns: Any, name: str) -> float:
    (found,) = columns[name]
    return float(found)


def same(found: float, expected: float) -> bool:
    return found == pytest.approx(expected, nan_ok=True)


# ---- suspensions


def suspended(days: int, **more: object) -> Row:
    row = {"school_id": "S", "category": "SUSP", "sessions": 2.0, "start_date": ago(days)}
    return row | more


WINDOWS = [
    ("1_month", 30),
    ("3_months", 91),
    ("6_months", 183),
    ("12_months", 365),
    ("24_months", 730),
]


@pytest.mark.parametrize(("name", "days"), WINDOWS)
@pytest.mark.parametrize(("shift", "counts"), [(0, 1), (1, 0)])
def test_a_window_of_suspensions_holds_its_first_day(
    name: str, days: int, shift: int, counts: int
) -> None:
    made = suspension_history(known("suspensions", suspended(days + shift)))
    assert value(made, f"suspensions_{name}") == counts
    assert value(made, f"sessions_lost_{name}") == 2 * counts
    assert value(made, "suspensions_ever") == 1


@pytest.mark.parametrize("name", [name for name, _ in WINDOWS])
@pytest.mark.parametrize(("days", "counts"), [(1, 1), (0, 0), (-1, 0)])
def test_the_day_of_a_list_is_in_no_window(name: str, days: int, counts: int) -> None:
    made = suspension_history(known("suspensions", suspended(days)))
    assert value(made, f"suspensions_{name}") == counts
    assert value(made, "suspensions_ever") == counts


@pytest.mark.parametrize(
    ("day", "counts"), [("2024-08-31", 0), ("2024-09-01", 1), ("2025-02-28", 1)]
)
def test_this_school_year_begins_on_the_first_of_september(day: str, counts: int) -> None:
    made = suspension_history(known("suspensions", suspended(0, start_date=day)))
    assert value(made, "suspensions_this_year") == counts


@pytest.mark.parametrize("day", ["2024-08-31", "2024-09-01"])
def test_on_the_first_of_september_no_suspension_is_of_this_year(day: str) -> None:
    facts = known("suspensions", suspended(0, start_date=day), as_of="2024-09-01")
    made = suspension_history(facts)
    assert value(made, "suspensions_this_year") == 0
    assert value(made, "year_limit_used") == 0


@pytest.mark.parametrize(
    ("half_days", "used", "near"),
    [(0, 0.0, 0), (44, 22 / 45, 0), (45, 0.5, 1), (90, 1.0, 1)],
)
def test_near_the_limit_of_45_days_is_half_of_it(half_days: float, used: float, near: int) -> None:
    made = suspension_history(known("suspensions", suspended(9, sessions=half_days)))
    assert value(made, "year_limit_used") == pytest.approx(used)
    assert value(made, "year_limit_near") == near


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("SUSP", {"suspensions_ever": 1, "lunchtime_ever": 0, "excluded_before": 0}),
        ("LNCH", {"suspensions_ever": 0, "lunchtime_ever": 1, "excluded_before": 0}),
        ("PERM", {"suspensions_ever": 0, "lunchtime_ever": 0, "excluded_before": 1}),
    ],
)
def test_categories_are_counted_apart(category: str, expected: dict[str, int]) -> None:
    made = suspension_history(known("suspensions", suspended(9, category=category)))
    assert {name: value(made, name) for name in expected} == expected


def test_a_length_that_is_not_known_counts_as_nothing_lost() -> None:
    made = suspension_history(known("suspensions", suspended(9, sessions=None), suspended(5)))
    assert value(made, "sessions_lost_ever") == 2
    assert value(made, "mean_suspension_length") == 1


@pytest.mark.parametrize(
    ("days", "last", "mean", "shortest", "shortening"),
    [
        ([9], UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        ([30, 10], 20, 20, 20, 0),
        ([100, 40, 10], 30, 45, 30, 15),
        ([100, 90, 10], 80, 45, 10, -35),
    ],
)
def test_gaps_between_suspensions_are_the_days_from_one_to_the_next(
    days: list[int], last: float, mean: float, shortest: float, shortening: float
) -> None:
    made = suspension_spacing(known("suspensions", *map(suspended, days)))
    assert same(value(made, "suspension_gap_last"), last)
    assert same(value(made, "suspension_gap_mean"), mean)
    assert same(value(made, "suspension_gap_shortest"), shortest)
    assert same(value(made, "suspension_gap_shortening"), shortening)
    assert value(made, "days_since_suspension") == min(days)
    assert value(made, "days_since_first_suspension") == max(days)


@pytest.mark.parametrize(
    ("days", "rising"), [([1], 1), ([183], 1), ([184], -1), ([365], -1), ([366], 0), ([9, 300], 0)]
)
def test_suspensions_rise_if_the_last_half_year_has_more(days: list[int], rising: int) -> None:
    made = suspension_spacing(known("suspensions", *map(suspended, days)))
    assert value(made, "suspensions_rising") == rising
    assert value(made, "sessions_lost_rising") == 2 * rising


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("PP", "violence"),
        ("PA", "violence"),
        ("OW", "violence"),
        ("VP", "verbal"),
        ("VA", "verbal"),
        ("LG", "verbal"),
        ("RA", "verbal"),
        ("DS", "verbal"),
        ("BU", "verbal"),
        ("DB", "disruption"),
        ("DA", "drugs"),
        ("SM", "other"),
        ("DM", "other"),
        ("TH", "other"),
        ("MT", "other"),
        ("PH", "other"),
        ("OT", "other"),
    ],
)
def test_every_reason_is_of_one_group_wherever_it_stands(code: str, group: str) -> None:
    rows = [suspended(365 - i) | {f"reason_{i}": code} for i in (1, 2, 3)]
    made = suspension_reasons(known("suspensions", *rows))
    groups = ("violence", "verbal", "disruption", "drugs", "other")
    for name in groups:
        assert value(made, f"suspensions_{name}_ever") == 3 * (name == group)
        assert value(made, f"suspensions_{name}_12_months") == 3 * (name == group)
    assert value(made, "suspension_reasons_kinds") == 1


@pytest.mark.parametrize(
    ("year_group", "day", "primary"),
    [
        (7, "2024-08-31", 1),
        (7, "2024-09-01", 0),
        (9, "2022-08-31", 1),
        (9, "2022-09-01", 0),
        (6, "2025-02-28", 1),  # not in Year 7 before next September
        (None, "2024-08-31", UNKNOWN),
        (None, "2030-01-01", 0),  # never suspended so far, in primary school or elsewhere
    ],
)
def test_primary_school_ends_with_the_september_of_year_7(
    year_group: int | None, day: str, primary: float
) -> None:
    facts = known("suspensions", suspended(0, start_date=day), year_group=year_group)
    made = suspension_places(facts)
    assert same(value(made, "suspensions_in_primary"), primary)
    assert same(value(made, "suspended_in_primary"), primary)


@pytest.mark.parametrize(
    ("schools", "here", "elsewhere", "after_move"),
    [("T", 1, 0, 0), ("S", 0, 1, 0), ("ST", 1, 1, 1), ("TT", 2, 0, 0), ("SS", 0, 2, 0)],
)
def test_suspensions_are_of_the_present_school_or_of_others(
    schools: str, here: int, elsewhere: int, after_move: int
) -> None:
    # A is at T now
    rows = [suspended(9 - i, school_id=school) for i, school in enumerate(schools)]
    made = suspension_places(known("suspensions", *rows))
    assert value(made, "suspensions_at_this_school") == here
    assert value(made, "suspensions_at_other_schools") == elsewhere
    assert value(made, "suspended_after_move") == after_move


# ---- circumstances, addresses, results

LONG = (
    "fsm",
    "child_in_need",
    "child_protection",
    "looked_after",
    "early_help",
    "young_carer",
    "youth_justice",
    "alternative_provision",
    "home_educated",
)


@pytest.mark.parametrize(
    ("start", "end", "now", "ever", "lately", "days"),
    [
        (1, None, 1, 1, 1, 1),
        (0, None, 0, 0, 0, 0),
        (365, None, 1, 1, 1, 365),
        (366, None, 1, 1, 0, 366),
        (10, 0, 1, 1, 1, 10),  # its last day is the day of the list
        (10, 1, 0, 1, 1, 10),
        (10, 10, 0, 1, 1, 1),
    ],
)
def test_a_circumstance_holds_from_the_day_after_it_began_to_its_last(
    start: int, end: int | None, now: int, ever: int, lately: int, days: int
) -> None:
    row = {"start_date": ago(start), "end_date": None if end is None else ago(end)}
    made = circumstances(known("circumstances", *(row | {"kind": kind} for kind in LONG)))
    for kind in LONG:
        found = [value(made, f"{kind}_{name}") for name in ("now", "ever", "lately", "spells")]
        assert found == [now, ever, lately, ever]
        assert value(made, f"{kind}_months") == pytest.approx(days / MONTH)


@pytest.mark.parametrize(("end", "counts"), [(2190, 1), (2191, 0), (None, 1)])
def test_free_school_meals_count_for_six_years_after_they_end(end: int | None, counts: int) -> None:
    row = {"kind": "fsm", "start_date": ago(3000), "end_date": None if end is None else ago(end)}
    assert value(circumstances(known("circumstances", row)), "fsm_ever_6") == counts


@pytest.mark.parametrize("kind", ["child_in_need", "child_protection", "looked_after"])
@pytest.mark.parametrize(
    ("end", "other", "ended"),
    [
        (1, None, 1),
        (365, None, 1),
        (366, None, 0),
        (0, None, 0),
        (9, "looked_after", 0),
        (9, "fsm", 1),
    ],
)
def test_social_care_has_ended_if_none_goes_on(
    kind: str, end: int, other: str | None, ended: int
) -> None:
    rows: list[Row] = [{"kind": kind, "start_date": ago(900), "end_date": ago(end)}]
    rows += [{"kind": other, "start_date": ago(800), "end_date": None}] if other else []
    made = circumstances(known("circumstances", *rows))
    assert value(made, "social_care_ended_lately") == ended


@pytest.mark.parametrize(
    ("deciles", "decile", "change"),
    [
        ([3.0], 3, UNKNOWN),
        ([3.0, 1.0], 1, -2),
        ([1.0, 3.0, 3.0], 3, 0),
        ([3.0, None], 3, UNKNOWN),  # the last address that has a decile
        ([None], UNKNOWN, UNKNOWN),
    ],
)
def test_a_decile_is_that_of_the_latest_address_that_has_one(
    deciles: list[float | None], decile: float, change: float
) -> None:
    rows = [
        {"start_date": ago(900 - 100 * i), "idaci_decile": one} for i, one in enumerate(deciles)
    ]
    made = neighbourhood(known("neighbourhood", *rows))
    assert same(value(made, "idaci_decile"), decile)
    assert same(value(made, "idaci_change"), change)
    assert value(made, "addresses_so_far") == len(deciles)


@pytest.mark.parametrize("stage", ["EYFS", "KS1", "KS2", "KS4"])
@pytest.mark.parametrize(
    ("scores", "mean"), [([], UNKNOWN), ([1.0], 1.0), ([1.0, -2.0], -0.5), ([0.0], 0.0)]
)
def test_the_score_of_a_stage_is_the_mean_of_its_subjects(
    stage: str, scores: list[float], mean: float
) -> None:
    rows = [
        {"stage": stage, "subject": str(i), "score": one, "result_date": ago(9)}
        for i, one in enumerate(scores)
    ]
    made = attainment(known("attainment", *rows))
    assert same(value(made, f"{stage.lower()}_score"), mean)


@pytest.mark.parametrize(
    ("year_group", "stage", "missing"),
    [(7, "KS1", 1), (7, "KS2", 0), (6, "KS1", UNKNOWN), (None, "KS1", UNKNOWN)],
)
def test_results_are_missed_in_secondary_school_alone(
    year_group: int | None, stage: str, missing: float
) -> None:
    row = {"stage": stage, "subject": "reading", "score": 1.0, "result_date": ago(9)}
    made = attainment(known("attainment", row, year_group=year_group))
    assert same(value(made, "results_missing"), missing)


# ---- needs and plans


@pytest.mark.parametrize(
    "code", ["SEMH", "SLCN", "ASD", "MLD", "SPLD", "SLD", "HI", "VI", "PD", "OTH", "NSA"]
)
@pytest.mark.parametrize(
    ("provision", "place", "has", "untyped"),
    [
        ("K", "primary_need", 1, 0),
        ("K", "secondary_need", 1, 1),
        ("E", "primary_need", 1, 0),
        ("N", "primary_need", 0, 0),
    ],
)
def test_a_need_counts_as_the_first_or_the_second_of_a_spell_of_sen(
    code: str, provision: str, place: str, has: int, untyped: int
) -> None:
    row = {"provision": provision, place: code, "start_date": ago(9)}
    made = send_history(known("send", row))
    assert value(made, f"need_{code.lower()}_now") == has
    assert value(made, "sen_ever") == has
    assert value(made, "need_not_typed") == untyped
    assert value(made, "semh_without_plan") == (code == "SEMH" and provision == "K")


@pytest.mark.parametrize(
    ("start", "end", "years", "stepped_down"),
    [
        (365, None, 365, 0),
        (365, 0, 365, 0),
        (365, 1, 365, 1),
        (800, 365, 436, 1),
        (800, 366, 435, 0),  # ended too long ago
    ],
)
def test_support_that_ended_in_the_last_365_days_is_a_step_down(
    start: int, end: int | None, years: int, stepped_down: int
) -> None:
    row = {"provision": "K", "start_date": ago(start)}
    row["end_date"] = ago(end) if end is not None else ""
    made = send_timing(known("send", {key: cell for key, cell in row.items() if cell}))
    assert value(made, "sen_years") == pytest.approx(years / 365.25)
    assert value(made, "sen_stepped_down") == stepped_down


@pytest.mark.parametrize(
    ("start", "year_group", "late"),
    [
        ("2024-08-31", 7, 0),
        ("2024-09-01", 7, 1),
        ("2022-08-31", 9, 0),
        ("2022-09-01", 9, 1),
        ("2025-02-28", 6, 0),
        ("2024-09-01", None, UNKNOWN),
    ],
)
def test_a_need_found_from_year_7_on_is_found_late(
    start: str, year_group: int | None, late: float
) -> None:
    row = {"provision": "K", "primary_need": "SLCN", "start_date": start}
    made = send_timing(known("send", row, year_group=year_group))
    assert same(value(made, "sen_found_late"), late)
    assert same(value(made, "slcn_found_late"), late)


@pytest.mark.parametrize(
    ("asked", "weeks", "overdue"), [(7, 1, 0), (140, 20, 0), (141, 141 / 7, 1), (0, 0, 0)]
)
def test_a_plan_is_overdue_after_twenty_weeks(asked: int, weeks: float, overdue: int) -> None:
    made = plan_requests(known("plans", {"requested_on": ago(asked)}))
    assert value(made, "plan_weeks_waited") == pytest.approx(weeks)
    assert value(made, "plan_overdue") == overdue
    assert value(made, "plan_request_pending") == (asked > 0)


@pytest.mark.parametrize(
    ("outcome", "decided", "refused", "lately"),
    [
        ("refused", 365, 1, 1),
        ("refused", 366, 1, 0),
        ("issued", 9, 0, 0),
        ("withdrawn", 9, 0, 0),
    ],
)
def test_a_refusal_is_recent_for_365_days(
    outcome: str, decided: int, refused: int, lately: int
) -> None:
    row = {"requested_on": ago(400), "decided_on": ago(decided), "outcome": outcome}
    made = plan_requests(known("plans", row))
    assert value(made, "plan_refused") == refused
    assert value(made, "plan_refused_lately") == lately
    assert value(made, "plan_request_pending") == 0


# ---- moves


def on_roll(start: str, end: str | None = None, **more: object) -> Row:
    row = {"school_id": "S", "status": "main", "year_group": 7, "entry_date": start}
    return row | {"leaving_date": end} | more


@pytest.mark.parametrize("month", range(1, 13))
def test_to_come_outside_august_and_september_is_a_move_in_mid_year(month: int) -> None:
    first, entry = on_roll("2022-09-01"), on_roll(f"2024-{month:02d}-15", school_id="T")
    made = moves(known("enrolments", first, entry))
    assert value(made, "mid_year_moves") == (month not in {8, 9})
    assert value(moves(known("enrolments", entry)), "mid_year_moves") == 0
    assert value(moves(known("enrolments", entry)), "came_in_mid_year") == (month not in {8, 9})


@pytest.mark.parametrize(
    ("entries", "in_12", "in_24"),
    [
        ([300], 0, 0),  # the first roll of all is no change of school
        ([900, 365], 1, 1),
        ([900, 366], 0, 1),
        ([900, 730], 0, 1),
        ([900, 731], 0, 0),
        ([300, 200], 1, 1),
    ],
)
def test_a_change_of_school_is_every_entry_but_the_first(
    entries: list[int], in_12: int, in_24: int
) -> None:
    made = moves(known("enrolments", *(on_roll(ago(days)) for days in entries)))
    assert value(made, "moves_12_months") == in_12
    assert value(made, "moves_24_months") == in_24


@pytest.mark.parametrize(
    ("end", "start", "days", "long"),
    [
        ("2024-01-31", "2024-02-01", 0, 0),
        ("2024-01-31", "2024-02-02", 0, 0),
        ("2024-07-24", "2024-09-02", 0, 0),  # a summer holiday
        ("2024-01-31", "2024-04-01", 0, 0),  # February 2024 has 29 days
        ("2024-01-31", "2024-04-02", 61, 1),
        ("2024-03-31", "2024-02-01", 0, 0),
    ],
)
def test_the_days_between_two_rolls_count_where_they_are_more_than_a_summer(
    end: str, start: str, days: int, long: int
) -> None:
    rows = [on_roll("2022-09-01", end), on_roll(start, school_id="T")]
    made = gaps_between_schools(known("enrolments", *rows))
    assert value(made, "days_without_school") == days
    assert value(made, "longest_gap_between_schools") == days
    assert value(made, "gaps_between_schools") == long


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(1, 600), st.integers(0, 200)),
        min_size=1,
        max_size=5,
        unique_by=lambda r: r[0],
    )
)
def test_days_without_a_school_are_those_on_no_roll_for_more_than_60_days(
    rolls: list[tuple[int, int]],
) -> None:
    rows = [on_roll(ago(start), ago(start - length)) for start, length in rolls]
    covered = {day for start, length in rolls for day in range(start - length, start + 1)}
    last, first = (edge(start for start, _ in rolls) for edge in (min, max))
    without, run = 0, 0
    for day in range(last, first + 1):
        run = 0 if day in covered else run + 1
        without += 61 if run == 61 else int(run > 61)
    made = gaps_between_schools(known("enrolments", *rows))
    assert value(made, "days_without_school") == without


# ---- after 16


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("619", "neet"),
        ("210", "education"),
        ("310", "employment"),
        ("410", "training"),
        ("810", "not_known"),
    ],
)
def test_the_present_activity_is_that_of_the_latest_position(code: str, group: str) -> None:
    rows = [
        {"activity_code": one, "start_date": ago(days), "confirmed_on": ago(days)}
        for one, days in (("230", 90), (code, 30))
    ]
    made = activity(known("destinations", *rows, year_group=12))
    for name in ("neet", "education", "employment", "training", "not_known"):
        assert value(made, f"{name}_now") == (name == group)
    assert value(made, "activity_changes") == (group not in {"education", "not_known"})
    assert value(made, "jobless_months") == pytest.approx(30 / MONTH * (group == "neet"))


@pytest.mark.parametrize(
    ("confirmed", "now"), [("2024-08-31", "not_known"), ("2024-09-01", "education")]
)
def test_a_position_that_lapsed_before_the_list_is_not_known(confirmed: str, now: str) -> None:
    row = {"activity_code": "210", "start_date": "2024-08-01", "confirmed_on": confirmed}
    made = activity(known("destinations", row, year_group=12))
    assert value(made, f"{now}_now") == 1


@pytest.mark.parametrize("days", [0, -30])
def test_without_a_position_so_far_nothing_is_known_of_activity(days: int) -> None:
    row = {"activity_code": "619", "start_date": ago(days), "confirmed_on": ago(days)}
    made = activity(known("destinations", row, year_group=12))
    assert np.isnan([value(made, f"{name}_now") for name in ("neet", "education")]).all()
    assert value(made, "months_observed") == 0
