"""The measures of the dashboard: worked out by hand, and against slow loops on a simulated LA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.inclusion import MEASURES, Inclusion, england, inclusion, sum_by_phase
from riskmodel.inclusion.area import exits, profile, rows_by_year, spread
from riskmodel.inclusion.attendance import BLOCK
from riskmodel.inclusion.periods import YEARS_SHOWN, make_periods
from tests.strategies import AS_OF, PUPILS, small_tables, table_of

NOW = pd.Timestamp("2025-07-25").as_unit("s")


def changed(**rows: list[dict[str, Any]] | None) -> Tables:
    """Return the small tables with some replaced; None leaves a table out."""
    tables = dict(small_tables()) | {
        name: table_of(name, these) for name, these in rows.items() if these is not None
    }
    return Tables({name: t for name, t in tables.items() if rows.get(name, 0) is not None})


def cell(made: Inclusion, school: str, measure: str, period: str, code: str = "") -> pd.Series:
    """Return the one row of a measure."""
    table = made.table
    rows = table[
        (table["school_id"] == school)
        & (table["measure"] == measure)
        & (table["period"] == period)
        & (table["code"] == code)
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def roll(pupil: str, school: str, entry: str, **more: Any) -> dict[str, Any]:
    return {
        "pupil_id": pupil,
        "school_id": school,
        "entry_date": entry,
        "status": "main",
        "year_group": 7,
        "recorded_on": entry,
    } | more


@pytest.fixture(scope="module")
def small() -> Inclusion:
    return inclusion(small_tables(), AS_OF)


@pytest.fixture(scope="module")
def early() -> Inclusion:
    return inclusion(small_tables(), NOW)


def test_terms_are_those_of_the_calendar_and_the_usual_where_it_is_silent() -> None:
    periods = make_periods(small_tables(), AS_OF).set_index("period")
    assert list(periods.index) == [
        "2023/24 autumn",
        "2023/24 spring",
        "2023/24 summer",
        "2024/25 autumn",
        "2024/25 spring",
        "2023/24",
        "2024/25",
    ]
    spring = periods.loc["2024/25 spring"]
    assert spring["first"] == pd.Timestamp("2025-02-03")  # the calendar's first day
    assert spring["census"] == pd.Timestamp("2025-01-15")
    assert periods.loc["2024/25 autumn", "last"] == pd.Timestamp("2025-02-02")
    assert periods.loc["2024/25 autumn", "complete"]
    assert not periods.loc[["2024/25 spring", "2024/25"], "complete"].any()
    assert periods.loc["2023/24", "complete"]


def test_no_more_than_five_school_years_are_shown() -> None:
    calendar = [
        {"date": f"{year}-10-01", "term": "autumn", "half_term": 1} for year in range(2012, 2025)
    ]
    periods = make_periods(changed(calendar=calendar), NOW)
    assert sorted(set(periods["year"])) == list(range(2025 - YEARS_SHOWN, 2025))


def test_attendance_by_hand(small: Inclusion) -> None:
    # 20 days, 3 to 28 February; the marks of the 28th were recorded on 1 March, too late: 19 days.
    # S: B was elsewhere (D) on 10 days and here on 9; C, D, E all 19: 2 * (9 + 57) half-days, all there.
    # T: A came on 1 February; E on 10 February (a half-day each), I from day 15: 4 days of 19.
    ours = cell(small, "S", "attendance", "2024/25 spring")
    assert (ours["numerator"], ours["denominator"], ours["pupils"]) == (132, 132, 4)
    theirs = cell(small, "T", "attendance", "2024/25 spring")
    assert (theirs["numerator"], theirs["denominator"]) == (38 - 2 - 8, 38)
    assert cell(small, "T", "persistent", "2024/25 spring")["value"] == 100  # 10 of 38
    assert cell(small, "T", "severe", "2024/25 spring")["value"] == 0
    dual = cell(small, "S", "dual", "2024/25 spring")
    assert (dual["numerator"], dual["denominator"], dual["people"]) == (20, 152, 1)


def test_a_term_without_marks_is_missing_with_its_reason_never_0(small: Inclusion) -> None:
    row = cell(small, "S", "attendance", "2023/24 autumn")
    assert np.isnan(row["value"])
    assert "No half-days" in row["why"]


def test_suspensions_by_hand(small: Inclusion) -> None:
    # 1 October and 10 February of 5 pupils on roll; that of the 26th was recorded on 1 March
    assert cell(small, "S", "suspensions", "2024/25 autumn")["value"] == pytest.approx(
        100 / 6 * 6 / 5
    )
    year = cell(small, "S", "suspensions", "2024/25")
    assert (year["numerator"], year["denominator"], year["people"]) == (2, 5, 1)
    assert cell(small, "S", "suspended", "2024/25")["value"] == 20
    assert cell(small, "S", "exclusions", "2024/25")["value"] == 0  # known, and none
    assert cell(small, "S", "reasons", "2024/25", "DB")["value"] == 50
    assert cell(small, "S", "reasons", "2024/25", "PP")["numerator"] == 1


def test_no_pupils_on_roll_leaves_a_rate_undefined(small: Inclusion) -> None:
    row = cell(small, "S", "suspensions", "2023/24 spring")
    assert np.isnan(row["value"])
    assert "No pupils are on the roll" in row["why"]


@pytest.mark.parametrize(
    ("table", "measure"),
    [
        ("suspensions", "suspensions"),
        ("suspensions", "exclusions"),
        ("sessions", "persistent"),
        ("send", "sen_support"),
        ("plans", "waiting"),
        ("circumstances", "fsm"),
        ("destinations", "leavers_neet"),
    ],
)
def test_a_table_left_out_is_reported_and_never_0(table: str, measure: str) -> None:
    # termly totals would stand in for the registers
    made = inclusion(changed(**{table: None, "absence_totals": None}), NOW)
    rows = made.table[(made.table["measure"] == measure) & (made.table["term"] == "year")]
    assert rows["value"].isna().all()
    assert rows["why"].str.contains("hold no").all()


def test_facts_that_begin_or_end_within_the_years_leave_the_rest_unknown() -> None:
    suspensions = [
        {
            "pupil_id": "A",
            "school_id": "S",
            "category": "SUSP",
            "start_date": day,
            "sessions": 2,
            "reason_1": "DB",
            "recorded_on": day,
        }
        for day in ("2024-10-01", "2024-11-01")
    ]
    made = inclusion(changed(suspensions=suspensions), NOW)
    assert cell(made, "S", "suspensions", "2024/25 autumn")["numerator"] == 2
    for period in ("2024/25 spring", "2024/25"):  # the year would be short of its spring
        row = cell(made, "S", "suspensions", period)
        assert np.isnan(row["value"])
        assert row["why"] == "The extracts hold no suspensions after 1 November 2024."


def test_needs_and_meals_by_hand(small: Inclusion) -> None:
    # 15 January 2025: A has SEN support at S; B's ended on 31 December, but that was recorded on
    # 20 January, before 1 March: known. A (since 2024) and C (end not known yet) have meals.
    assert cell(small, "S", "sen_support", "2024/25 spring")["numerator"] == 1
    assert cell(small, "S", "sen_support", "2024/25 autumn")["numerator"] == 2
    assert cell(small, "S", "fsm", "2024/25 spring")["numerator"] == 2
    assert cell(small, "S", "needs", "2024/25 autumn", "SEMH")["value"] == 50
    assert cell(small, "S", "ehc_plan", "2024/25")["value"] == 0
    assert cell(small, "S", "roll", "2024/25 autumn")["value"] == 5


def test_moves_by_hand(small: Inclusion) -> None:
    # A left S on 31 January (the autumn term runs on to 2 February) and joined T on 1 February
    assert cell(small, "S", "left_known", "2024/25 autumn")["numerator"] == 1
    assert cell(small, "S", "left_unknown", "2024/25 autumn")["value"] == 0
    assert cell(small, "T", "joined", "2024/25 autumn")["numerator"] == 1
    assert cell(small, "S", "joined", "2024/25")["value"] == 0  # September is no mid-year


@pytest.mark.parametrize(
    ("more", "spells", "went"),
    [
        ({"leaving_reason": "destination_unknown"}, [], "unknown"),
        ({}, [], "unknown"),
        ({"leaving_reason": "transferred"}, [], "known"),
        ({"leaving_reason": "permanently_excluded"}, [], "excluded"),
        ({"leaving_reason": "home_educated"}, [], "home_educated"),
        ({}, [("home_educated", "2025-02-20")], "home_educated"),
        ({}, [("home_educated", "2025-06-20")], "unknown"),  # too late to belong together
        ({"leaving_date": "2025-06-27", "year_group": 11}, [], "finished"),
        ({"leaving_date": "2025-05-28", "year_group": 11}, [], "unknown"),  # a month too early
        ({"leaving_reason": "destination_unknown", "year_group": 12}, [], "finished"),
        ({"leaving_reason": "end_of_phase"}, [], "finished"),
    ],
)
def test_a_leaver_is_counted_by_where_they_went(
    more: dict[str, Any], spells: list[tuple[str, str]], went: str
) -> None:
    left = (
        roll("A", "S", "2024-09-01", leaving_date="2025-01-31", end_recorded_on="2025-02-05") | more
    )
    facts = [
        {"pupil_id": "A", "kind": kind, "start_date": day, "recorded_on": day}
        for kind, day in spells
    ]
    made = inclusion(changed(enrolments=[left], circumstances=facts), NOW)
    assert made.left["went"].tolist() == [went]


@pytest.mark.parametrize(
    ("school", "entry", "went"),
    [
        ("T", "2025-02-20", "known"),
        ("T", "2025-03-22", "known"),
        ("T", "2025-03-23", "unknown"),
        ("S", "2025-02-20", "stayed"),
    ],
)
def test_another_roll_within_50_days_is_a_known_destination(
    school: str, entry: str, went: str
) -> None:
    left = roll("A", "S", "2024-09-01", leaving_date="2025-01-31", end_recorded_on="2025-02-05")
    made = inclusion(changed(enrolments=[left, roll("A", school, entry)]), NOW)
    assert made.left["went"].tolist() == [went]


def test_part_time_and_alternative_provision_by_hand() -> None:
    spells = [
        {
            "pupil_id": "B",
            "kind": "part_time_timetable",
            "start_date": "2024-10-01",
            "end_date": "2024-11-01",
            "recorded_on": "2024-10-02",
            "end_recorded_on": "2024-11-02",
        },
        {
            "pupil_id": "C",
            "kind": "alternative_provision",
            "start_date": "2025-03-01",
            "recorded_on": "2025-03-02",
        },
    ]
    schools = [
        {"school_id": s, "phase": "secondary", "kind": k}
        for s, k in (("S", "mainstream"), ("T", "mainstream"), ("U", "AP"))
    ]
    rolls = [roll(p, "S", "2024-09-01") for p in PUPILS]
    rolls.append(
        roll(
            "D",
            "U",
            "2025-03-10",
            status="dual",
            leaving_date="2025-03-20",
            end_recorded_on="2025-03-21",
        )
    )
    made = inclusion(changed(circumstances=spells, schools=schools, enrolments=rolls), NOW)
    assert cell(made, "S", "part_time", "2024/25 autumn")["numerator"] == 1
    assert cell(made, "S", "part_time", "2024/25 spring")["value"] == 0
    assert cell(made, "S", "alternative", "2024/25 spring")["numerator"] == 2
    assert cell(made, "S", "alternative", "2024/25 summer")["numerator"] == 1
    assert "before 1 March 2025" in cell(made, "S", "alternative", "2024/25 autumn")["why"]
    assert "itself alternative provision" in cell(made, "U", "alternative", "2024/25")["why"]


def test_waits_and_plans_by_hand() -> None:
    plans = [
        # at the end of the spring term (14 March, the calendar's last day) 20 weeks reach back to
        # 25 October: A waits exactly 140 days, B 141, C has a plan, D was refused, E has just asked
        {"pupil_id": "A", "requested_on": "2024-10-25"},
        {"pupil_id": "B", "requested_on": "2024-10-24"},
        {
            "pupil_id": "C",
            "requested_on": "2024-10-01",
            "decided_on": "2024-12-01",
            "outcome": "issued",
            "plan_on": "2025-02-18",
        },
        {
            "pupil_id": "D",
            "requested_on": "2024-10-01",
            "decided_on": "2025-01-10",
            "outcome": "refused",
        },
        {"pupil_id": "E", "requested_on": "2025-03-01"},
    ]
    rows = [row | {"recorded_on": row["requested_on"]} for row in plans]
    rolls = [roll(p, "S", "2024-09-01") for p in PUPILS]
    made = inclusion(changed(plans=rows, enrolments=rolls), NOW)
    waiting = cell(made, "S", "waiting", "2024/25 spring")
    assert (waiting["numerator"], waiting["denominator"]) == (1, 3)
    in_time = cell(made, "S", "in_time", "2024/25 spring")
    assert (in_time["numerator"], in_time["denominator"]) == (1, 1)  # 140 days
    assert "No plan was issued" in cell(made, "S", "in_time", "2024/25 autumn")["why"]


def test_leavers_are_followed_pupil_by_pupil() -> None:
    rolls = [roll(p, "S", "2023-09-01", year_group=11) for p in "ABCD"]
    rolls.append(roll("E", "S", "2023-09-01", year_group=10))
    positions = [
        ("A", "210", "2024-09-01"),
        ("B", "210", "2024-09-01"),
        ("B", "619", "2025-01-31"),
        ("C", "330", "2025-02-01"),
        ("D", "710", "2024-10-01"),
        ("E", "619", "2025-01-01"),
    ]
    facts = [
        {
            "pupil_id": p,
            "activity_code": code,
            "start_date": day,
            "confirmed_on": day,
            "recorded_on": day,
        }
        for p, code, day in positions
    ]
    made = inclusion(changed(enrolments=rolls, destinations=facts), NOW)
    found = {
        name: cell(made, "S", f"leavers_{name}", "2023/24")["numerator"]
        for name in ("education", "work", "neet", "not_known", "elsewhere")
    }
    # C's work began a day too late: on 31 January nothing was known
    assert found == {"education": 1, "work": 0, "neet": 1, "not_known": 1, "elsewhere": 1}
    assert "31 January 2026" in cell(made, "S", "leavers_neet", "2024/25")["why"]
    assert cell(made, "S", "leavers_neet", "2023/24")["comparator"] == 2.7


def test_termly_totals_stand_in_for_registers_that_are_not_there() -> None:
    totals = [
        {
            "pupil_id": "A",
            "term_end": "2024-12-20",
            "mark": mark,
            "sessions": n,
            "recorded_on": "2025-01-20",
        }
        for mark, n in (("/", 80), ("I", 15), ("C2", 5), ("D", 9))
    ]
    made = inclusion(changed(sessions=None, absence_totals=totals), NOW)
    row = cell(made, "S", "attendance", "2024/25 autumn")
    assert (row["numerator"], row["denominator"]) == (80, 100)
    assert cell(made, "S", "part_time_marks", "2024/25 autumn")["numerator"] == 5
    assert cell(made, "S", "part_time", "2024/25 autumn")["numerator"] == 1
    only_absence = inclusion(changed(sessions=None, absence_totals=totals[1:]), NOW)
    assert "absence only" in cell(only_absence, "S", "attendance", "2024/25 autumn")["why"]


def test_england_is_the_only_comparator_and_only_where_it_is_the_same_measure() -> None:
    made = inclusion(small_tables(), NOW)
    assert cell(made, "S", "attendance", "2024/25 spring")["comparator"] == pytest.approx(
        100 - 8.44
    )
    assert cell(made, "S", "suspensions", "2024/25")["comparator"] == 22.61
    for name in ("suspensions", "persistent", "suspended"):
        assert np.isnan(cell(made, "S", name, "2024/25 spring")["comparator"])
    assert england("sen_support", "special") is None
    assert england("suspensions", "") is None
    for name, measure in MEASURES.items():
        if measure.national:
            found = [england(name, phase) for phase in ("primary", "secondary", "special")]
            assert any(row is not None and row["source"] for row in found), name


def test_schools_without_pupils_or_description_still_have_rows() -> None:
    schools = [{"school_id": "Z", "phase": "primary", "kind": "special"}]
    made = inclusion(changed(schools=schools), NOW)
    assert list(made.facts.schools.index) == ["S", "T", "Z"]
    assert made.facts.schools.loc["S", "kind"] == "not known"
    assert made.facts.schools["phase"].tolist() == ["", "", "special"]
    assert made.table.loc[made.table["school_id"] == "Z", "value"].isna().all()


def test_nothing_recorded_on_or_after_the_day_counts() -> None:
    before = inclusion(small_tables(), AS_OF).table
    later = dict(small_tables())
    for name, frame in later.items():
        if "recorded_on" in frame:
            later[name] = frame[(frame["recorded_on"] < AS_OF).to_numpy()]
    pd.testing.assert_frame_equal(before, inclusion(Tables(later), AS_OF).table)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None)
def test_the_order_of_rows_does_not_matter(seed: int, early: Inclusion) -> None:
    rng = np.random.default_rng(seed)
    mixed = Tables(
        {
            n: t.iloc[rng.permutation(len(t))].reset_index(drop=True)
            for n, t in small_tables().items()
        }
    )
    pd.testing.assert_frame_equal(inclusion(mixed, NOW).table, early.table)


@pytest.mark.parametrize(
    "name",
    ["sessions", "suspensions", "enrolments", "send", "plans", "circumstances", "destinations"],
)
def test_tables_without_rows_break_nothing(name: str) -> None:
    made = inclusion(changed(**{name: []}), NOW)
    assert set(made.table["school_id"]) == {"S", "T"}
    assert len(profile(made))
    assert len(rows_by_year(made))
    assert set(exits(made)["year_group"]) == (set() if name == "enrolments" else {7})


# ------- slow, obvious references on a simulated LA


@pytest.fixture(scope="module")
def simulated(extracts: Path) -> tuple[Tables, Inclusion]:
    tables = read(extracts).tables
    return tables, inclusion(tables, pd.Timestamp("2024-12-01").as_unit("s"))


def slow_school(rolls: list[dict[str, Any]], day: pd.Timestamp) -> str | None:
    """Return the school of the main roll begun last, by looking at every one."""
    here = [
        r
        for r in rolls
        if r["status"] == "main" and r["entry_date"] <= day and not r["leaving_date"] < day
    ]
    return max(here, key=lambda r: r["entry_date"])["school_id"] if here else None


PRESENT = set("/\\LKVPWBJ")
ABSENT = {"C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T", "G", "N", "O", "U", "H", "F"}


def test_attendance_equals_a_loop_over_marks(simulated: tuple[Tables, Inclusion]) -> None:
    tables, made = simulated
    term = made.facts.periods.iloc[made.facts.n_terms - 4]
    marks = tables["sessions"]
    marks = marks[
        (marks["date"] >= term["first"])
        & (marks["date"] <= term["last"])
        & (marks["recorded_on"] < made.facts.as_of)
    ]
    known = tables.as_known(made.facts.as_of)["enrolments"]
    rolls: dict[str, list[dict[str, Any]]] = {}
    for row in known.to_dict("records"):
        rolls.setdefault(row["pupil_id"], []).append(row)
    schools: dict[str, list[int]] = {}
    pupils: dict[tuple[str, str], list[int]] = {}
    for pupil, day, mark in zip(marks["pupil_id"], marks["date"], marks["mark"], strict=True):
        school = slow_school(rolls[pupil], day)
        if school is not None and mark in PRESENT | ABSENT:
            for tally in (
                schools.setdefault(school, [0, 0]),
                pupils.setdefault((school, pupil), [0, 0]),
            ):
                tally[mark in ABSENT] += 1
    assert len(schools) > 5
    for school, (present, absent) in schools.items():
        row = cell(made, school, "attendance", term["period"])
        assert (row["numerator"], row["denominator"]) == (present, present + absent)
        missed = [b / (a + b) for (where, _), (a, b) in pupils.items() if where == school]
        for name, share in (("persistent", 0.1), ("severe", 0.5)):
            found = cell(made, school, name, term["period"])
            assert (found["numerator"], found["denominator"]) == (
                sum(m >= share for m in missed),
                len(missed),
            )


def test_events_equal_loops(simulated: tuple[Tables, Inclusion]) -> None:
    tables, made = simulated
    known, facts = tables.as_known(made.facts.as_of), made.facts
    compared = 0
    for number, period in facts.periods.iterrows():
        counts: dict[str, list[Any]] = {}
        for row in known["suspensions"].to_dict("records"):
            inside = period["first"] <= row["start_date"] <= period["last"]
            if inside and row["category"] == "SUSP" and row["start_date"] < facts.as_of:
                counts.setdefault(row["school_id"], []).append(row["pupil_id"])
        for school in facts.schools.index:
            row = cell(made, school, "suspensions", period["period"])
            if row["why"] == "":
                assert row["numerator"] == len(counts.get(school, [])), (number, school)
                assert row["people"] == len(set(counts.get(school, [])))
                compared += row["numerator"] > 0
    assert compared > 3


def test_rolls_and_needs_equal_loops(simulated: tuple[Tables, Inclusion]) -> None:
    tables, made = simulated
    known, facts = tables.as_known(made.facts.as_of), made.facts
    day = facts.periods["census"].iloc[facts.n_terms - 1]
    at: dict[str, set[str]] = {}
    for row in known["enrolments"].to_dict("records"):
        if row["entry_date"] <= day and not row["leaving_date"] < day:
            at.setdefault(row["school_id"], set()).add(row["pupil_id"])
    supported = {
        row["pupil_id"]
        for row in known["send"].to_dict("records")
        if row["provision"] == "K" and row["start_date"] <= day and not row["end_date"] < day
    }
    planned = {
        row["pupil_id"]
        for row in known["send"].to_dict("records")
        if row["provision"] == "E" and row["start_date"] <= day and not row["end_date"] < day
    }
    period = facts.periods["period"].iloc[facts.n_terms - 1]
    everybody = set().union(*at.values())
    assert supported & everybody
    assert planned & everybody
    for school, pupils in at.items():
        assert cell(made, school, "roll", period)["value"] == len(pupils)
        assert cell(made, school, "sen_support", period)["numerator"] == len(
            pupils & (supported - planned)
        )
        assert cell(made, school, "ehc_plan", period)["numerator"] == len(pupils & planned)


def test_phases_add_up_their_schools(simulated: tuple[Tables, Inclusion]) -> None:
    _, made = simulated
    area = sum_by_phase(made.table).set_index(["phase", "measure", "code", "period"])
    table = made.table
    rows = table[(table["phase"] == "primary") & (table["measure"] == "suspensions")]
    rows = rows[rows["period"] == "2023/24"]
    whole = area.loc[("primary", "suspensions", "", "2023/24")]
    assert whole["numerator"] == rows["numerator"].sum()
    assert whole["value"] == pytest.approx(
        100 * rows["numerator"].sum() / rows["denominator"].sum()
    )
    assert whole["schools"] == rows["value"].notna().sum()


def test_the_curve_never_stands_on_one_school(simulated: tuple[Tables, Inclusion]) -> None:
    _, made = simulated
    everything = made.table[["measure", "period"]].drop_duplicates()
    curve, by_year = spread(made, everything)
    assert len(curve)
    for _, part in curve.groupby("measure"):
        assert part["share"].is_monotonic_increasing
        assert part["share"].iloc[-1] == 1
        assert part["schools"].diff().dropna().min() >= 3
    assert (by_year["events"] >= 10).all()
    none, nothing = spread(made, everything.iloc[:0])
    assert len(none) == len(nothing) == 0


def test_marks_are_counted_alike_in_one_block_or_many(
    simulated: tuple[Tables, Inclusion], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, made = simulated
    assert len(tables["sessions"]) < BLOCK
    monkeypatch.setattr("riskmodel.inclusion.attendance.BLOCK", 700_001)
    pd.testing.assert_frame_equal(made.table, inclusion(tables, made.facts.as_of).table)
