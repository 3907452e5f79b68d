"""Measures by school from rows written out: exclusions, moves, needs, plans, leavers, provision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data.arrays import day_number
from riskmodel.inclusion.attendance import count_marks
from riskmodel.inclusion.catalogue import MEASURES, england
from riskmodel.inclusion.counts import Counts
from riskmodel.inclusion.exclusions import exclusions, reasons
from riskmodel.inclusion.facts import Facts, make_facts
from riskmodel.inclusion.leavers import leavers
from riskmodel.inclusion.measures import with_value
from riskmodel.inclusion.moves import leavings, moves
from riskmodel.inclusion.needs import identified, need_types, plans
from riskmodel.inclusion.provision import provision
from tests.rolls import make_tables, position, roll

NOW = pd.Timestamp("2025-07-25")
EVERYONE = [roll(pupil, "2022-09-01") for pupil in "ABC"]
"""Three pupils of S1, in Year 9 since September 2022."""

Row = dict[str, object]


def suspension(start: str, **more: object) -> Row:
    row = {"pupil_id": "A", "school_id": "S1", "start_date": start, "category": "SUSP"}
    return row | {"sessions": 2.0, "recorded_on": start} | more


def facts_of(as_of: pd.Timestamp = NOW, **rows: list[Row]) -> Facts:
    return make_facts(make_tables(**{"enrolments": EVERYONE} | rows), as_of)


def cell(facts: Facts, counts: Counts, period: str, school: str = "S1") -> tuple[float, float]:
    """Return numerator and denominator of a school in a period."""
    row = facts.schools.index.get_loc(school)
    column = facts.periods["period"].tolist().index(period)
    return float(counts.numerator[row, column]), float(counts.denominator[row, column])


def reason_of(facts: Facts, counts: Counts, period: str, school: str = "S1") -> str:
    row = facts.schools.index.get_loc(school)
    return str(counts.why[row, facts.periods["period"].tolist().index(period)])


# ---- suspensions and permanent exclusions


@pytest.mark.parametrize(
    ("start", "autumn", "spring"),
    [
        ("2024-09-01", 1, 0),
        ("2024-12-31", 1, 0),  # a term runs on through the holiday after it
        ("2025-01-01", 0, 1),
        ("2024-08-31", 0, 0),
    ],
)
def test_a_suspension_counts_in_the_term_it_began(start: str, autumn: int, spring: int) -> None:
    others = [suspension(day) for day in ("2023-10-02", "2025-06-02")]
    facts = facts_of(suspensions=[suspension(start), *others])
    counts = exclusions(facts)["suspensions"]
    assert cell(facts, counts, "2024/25 autumn") == (autumn, 3)
    assert cell(facts, counts, "2024/25 spring") == (spring, 3)
    assert cell(facts, counts, "2024/25") == (autumn + spring + 1, 3)


@pytest.mark.parametrize(
    ("rows", "suspensions", "suspended", "excluded"),
    [
        ([{}], 1, 1, 0),
        ([{}, {"start_date": "2025-02-11"}], 2, 1, 0),  # two of one pupil
        ([{}, {"pupil_id": "B"}], 2, 2, 0),
        ([{"category": "LNCH"}], 0, 0, 0),
        ([{"category": "PERM"}], 0, 0, 1),
        ([{"category": "PERM", "reinstated_on": "2025-03-03"}], 0, 0, 0),
        ([{"category": "PERM", "reinstated_on": "2025-07-25"}], 0, 0, 1),  # not known yet
        ([{"recorded_on": "2025-07-25"}], 0, 0, 0),
    ],
)
def test_suspensions_pupils_suspended_and_exclusions_are_counted_apart(
    rows: list[Row], suspensions: int, suspended: int, excluded: int
) -> None:
    others = [suspension(day, pupil_id="C") for day in ("2024-10-01", "2025-06-02")]
    made = [suspension("2025-02-10", pupil_id="A") | row for row in rows]
    facts = facts_of(suspensions=[*others, *made])
    counts = exclusions(facts)
    for name, n in (
        ("suspensions", suspensions),
        ("suspended", suspended),
        ("exclusions", excluded),
    ):
        assert cell(facts, counts[name], "2024/25 spring") == (n, 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["PP", None, None], {"PP": 1}),
        (["PP", "VA", "DB"], {"PP": 1, "VA": 1, "DB": 1}),
        (["PP", "PP", None], {"PP": 1}),  # the same reason twice is one reason
        ([None, "VA", None], {"VA": 1}),
    ],
)
def test_up_to_three_reasons_of_a_suspension_count(
    given: list[str | None], expected: dict[str, int]
) -> None:
    row = suspension("2025-02-10") | {f"reason_{i}": code for i, code in enumerate(given, 1)}
    facts = facts_of(suspensions=[row])
    counts = reasons(facts)
    whole = sum(expected.values())
    for code, one in counts.items():
        assert cell(facts, one, "2024/25 spring") == (expected.get(code, 0), whole)


@pytest.mark.parametrize("category", ["PERM", "LNCH"])
def test_only_reasons_of_suspensions_are_counted(category: str) -> None:
    facts = facts_of(suspensions=[suspension("2025-02-10", category=category, reason_1="PP")])
    counts = reasons(facts)["PP"]
    assert np.isnan(cell(facts, counts, "2024/25 spring")[0])
    assert reason_of(facts, counts, "2024/25 spring") == "No reason is recorded."


# ---- rolls


@pytest.mark.parametrize(
    ("entry", "joined"),
    [
        ("2025-01-06", 1),
        ("2024-07-31", 0),  # of the year before
        ("2024-08-01", 0),
        ("2024-09-30", 0),
        ("2024-10-01", 1),
        ("2025-07-24", 1),
    ],
)
def test_to_join_in_august_or_september_is_no_move_in_mid_year(entry: str, joined: int) -> None:
    facts = facts_of(enrolments=[*EVERYONE, roll("D", entry)])
    counts = moves(facts, leavings(facts))["joined"]
    assert cell(facts, counts, "2024/25")[0] == joined


@pytest.mark.parametrize(
    ("left", "again", "joined"),
    [
        ("2024-11-30", "2025-01-19", 0),  # 50 days
        ("2024-11-30", "2025-01-20", 1),
        ("2024-12-31", "2025-01-19", 0),
    ],
)
def test_to_come_back_within_fifty_days_is_not_to_join(left: str, again: str, joined: int) -> None:
    rolls = [roll("A", "2022-09-01", left), roll("A", again), *EVERYONE[1:]]
    facts = facts_of(enrolments=rolls)
    counts = moves(facts, leavings(facts))["joined"]
    assert cell(facts, counts, "2024/25 spring")[0] == joined


REASONS = [
    ("end_of_phase", "finished"),
    ("completed", "finished"),
    ("transferred", "known"),
    ("managed_move", "known"),
    ("left_area", "known"),
    ("other", "known"),
    ("permanently_excluded", "excluded"),
    ("home_educated", "home_educated"),
    ("destination_unknown", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("reason", "went"), REASONS)
def test_where_a_leaver_went_follows_from_the_reason(reason: str | None, went: str) -> None:
    left = roll("A", "2024-09-02", "2025-01-31", leaving_reason=reason)
    facts = facts_of(enrolments=[left, *EVERYONE[1:]])
    (found,) = leavings(facts).to_dict("records")
    assert found["went"] == went
    assert found["day"] == day_number(pd.Timestamp("2025-01-31"))
    assert found["now"] == 9


@pytest.mark.parametrize("reason", ["completed", "permanently_excluded", "home_educated", None])
def test_whatever_the_reason_a_pupil_who_is_back_at_the_school_stayed(reason: str | None) -> None:
    left = roll("A", "2024-09-02", "2025-01-31", leaving_reason=reason)
    facts = facts_of(enrolments=[left, roll("A", "2025-02-20")])
    assert leavings(facts)["went"].tolist() == ["stayed"]


@pytest.mark.parametrize(
    ("leave", "year_group", "went"),
    [
        ("2025-04-30", 11, "unknown"),
        ("2025-05-31", 11, "unknown"),  # schooling ends in June
        ("2025-06-01", 11, "finished"),
        ("2025-06-27", 11, "finished"),
        ("2025-06-27", 10, "unknown"),
        ("2025-01-31", 12, "finished"),
        ("2025-01-31", 11, "unknown"),
        ("2025-01-31", -1, "finished"),  # before compulsory school age no school is needed
        ("2025-01-31", 0, "unknown"),
    ],
)
def test_a_pupil_without_a_reason_may_have_finished_by_age(
    leave: str, year_group: int, went: str
) -> None:
    left = roll("A", "2024-09-02", leave, year_group=year_group)
    facts = facts_of(enrolments=[left, *EVERYONE[1:]])
    assert leavings(facts)["went"].tolist() == [went]


@pytest.mark.parametrize(
    ("start", "went"),
    [
        ("2024-12-30", "unknown"),
        ("2024-12-31", "home_educated"),  # 31 days before
        ("2025-01-31", "home_educated"),
        ("2025-03-03", "home_educated"),  # 31 days after
        ("2025-03-04", "unknown"),
    ],
)
def test_home_education_that_begins_near_the_end_of_a_roll_belongs_to_it(
    start: str, went: str
) -> None:
    left = roll("A", "2024-09-02", "2025-01-31")
    spell: Row = {"pupil_id": "A", "kind": "home_educated", "start_date": start}
    facts = facts_of(
        enrolments=[left, *EVERYONE[1:]], circumstances=[spell | {"recorded_on": start}]
    )
    assert leavings(facts)["went"].tolist() == [went]


# ---- SEN


def sen(provision: str, start: str, end: str | None = None, **more: object) -> Row:
    row = {"pupil_id": "A", "provision": provision, "start_date": start, "end_date": end}
    return row | {"primary_need": "ASD", "recorded_on": start, "end_recorded_on": end} | more


@pytest.mark.parametrize(
    ("spells", "support", "plan"),
    [
        ([("K", "2025-01-15", None)], 1, 0),  # from the census day on
        ([("K", "2025-01-16", None)], 0, 0),
        ([("K", "2024-09-02", "2025-01-15")], 1, 0),  # its last day belongs to a spell
        ([("K", "2024-09-02", "2025-01-14")], 0, 0),
        ([("E", "2024-09-02", None)], 0, 1),
        ([("E", "2023-09-02", None), ("K", "2024-09-02", None)], 0, 1),  # a plan outranks support
        ([("N", "2024-09-02", None)], 0, 0),
    ],
)
def test_provision_is_that_of_the_census_day(
    spells: list[tuple[str, str, str | None]], support: int, plan: int
) -> None:
    early = sen("K", "2022-09-01", "2022-12-20", pupil_id="C")
    facts = facts_of(send=[early, *(sen(*spell) for spell in spells)])
    counts = identified(facts)
    assert cell(facts, counts["sen_support"], "2024/25 spring") == (support, 3)
    assert cell(facts, counts["ehc_plan"], "2024/25 spring") == (plan, 3)
    roll_, none = cell(facts, counts["roll"], "2024/25 spring")
    assert roll_ == 3
    assert np.isnan(none)


@pytest.mark.parametrize(
    ("provision_", "need", "key"),
    [("K", "ASD", "ASD"), ("E", "SEMH", "SEMH"), ("K", "NSA", "NSA"), ("E", None, "not_known")],
)
def test_a_pupil_with_sen_counts_once_by_the_primary_need(
    provision_: str, need: str | None, key: str
) -> None:
    facts = facts_of(send=[sen(provision_, "2024-09-02", primary_need=need)])
    found = {name: cell(facts, one, "2024/25 spring") for name, one in need_types(facts).items()}
    assert found.pop(key) == (1, 1)
    assert set(found.values()) == {(0, 1)}


@pytest.mark.parametrize(
    ("start", "end", "n"),
    [
        ("2025-01-15", None, 1),
        ("2025-01-16", None, 0),
        ("2024-09-02", "2025-01-15", 1),
        ("2024-09-02", "2025-01-14", 0),
    ],
)
def test_free_school_meals_are_those_of_the_census_day(start: str, end: str | None, n: int) -> None:
    spell: Row = {"pupil_id": "A", "kind": "fsm", "start_date": start, "end_date": end}
    early = spell | {"pupil_id": "B", "start_date": "2022-09-01", "end_date": "2022-12-20"}
    rows = [
        row | {"recorded_on": "2022-09-01", "end_recorded_on": row["end_date"]}
        for row in (spell, early)
    ]
    facts = facts_of(circumstances=rows)
    assert cell(facts, identified(facts)["fsm"], "2024/25 spring") == (n, 3)


def plan(requested: str, **more: object) -> Row:
    return {"pupil_id": "A", "requested_on": requested, "recorded_on": requested} | more


@pytest.mark.parametrize(
    ("requested", "issued", "counts"),
    [
        ("2024-10-01", "2025-02-18", (1, 1)),  # 140 days: twenty weeks
        ("2024-10-01", "2025-02-19", (0, 1)),
        ("2025-01-06", "2025-01-06", (1, 1)),
    ],
)
def test_a_plan_is_in_time_within_twenty_weeks(
    requested: str, issued: str, counts: tuple[int, int]
) -> None:
    row = plan(requested, plan_on=issued, decided_on=issued, outcome="issued")
    facts = facts_of(plans=[row])
    assert cell(facts, plans(facts)["in_time"], "2024/25 spring") == counts


@pytest.mark.parametrize(
    ("requested", "more", "counts"),
    [
        # the spring term ends on 5 April, 140 days after 16 November
        ("2024-11-16", {}, (0, 1)),
        ("2024-11-15", {}, (1, 1)),
        ("2025-04-05", {}, (0, 1)),
        ("2025-04-06", {}, None),
        ("2024-11-15", {"plan_on": "2025-04-05"}, None),
        ("2024-11-15", {"plan_on": "2025-04-06"}, (1, 1)),
        ("2024-11-15", {"decided_on": "2025-03-03", "outcome": "refused"}, None),
        ("2024-11-15", {"decided_on": "2025-03-03", "outcome": "withdrawn"}, None),
        ("2024-11-15", {"decided_on": "2025-03-03", "outcome": "issued"}, (1, 1)),  # no plan yet
    ],
)
def test_a_request_waits_until_its_plan_is_issued_or_it_is_closed(
    requested: str, more: Row, counts: tuple[int, int] | None
) -> None:
    early = plan("2022-10-03", pupil_id="C", decided_on="2022-11-01", outcome="refused")
    facts = facts_of(plans=[early, plan(requested, **more)])
    found = plans(facts)["waiting"]
    if counts is None:
        words = "No request was open at the end of the period."
        assert reason_of(facts, found, "2024/25 spring") == words
    else:
        assert cell(facts, found, "2024/25 spring") == counts


# ---- after Year 11

YEAR_11 = [roll("A", "2022-09-01", "2024-07-19", year_group=10)]
"""A pupil in Year 11 of 2023/24."""


def followed(as_of: pd.Timestamp, *positions: Row, rolls: list[Row] = YEAR_11) -> Facts:
    """Return facts of leavers, with years shown from 2022/23 on."""
    early = [suspension("2022-10-03")]
    return facts_of(as_of, enrolments=rolls, destinations=[*positions], suspensions=early)


@pytest.mark.parametrize(
    ("code", "destination"),
    [
        ("210", "education"),
        ("310", "work"),
        ("450", "work"),
        ("619", "neet"),
        ("810", "not_known"),
        ("710", "elsewhere"),
        ("530", "elsewhere"),
    ],
)
def test_a_leaver_is_where_the_position_of_the_winter_shows(code: str, destination: str) -> None:
    facts = followed(NOW, position("A", "2024-09-02", code))
    found = {n: cell(facts, one, "2023/24") for n, one in leavers(facts).items()}
    assert found.pop(f"leavers_{destination}") == (1, 1)
    assert set(found.values()) == {(0, 1)}


@pytest.mark.parametrize(
    ("start", "destination"),
    [
        ("2024-05-14", None),  # before the summer census of Year 11: nothing is known since
        ("2024-05-15", "not_known"),  # lapsed after six months
        ("2024-07-31", "not_known"),  # lapses on the very day
        ("2024-08-01", "education"),
        ("2025-01-31", "education"),
        ("2025-02-01", None),
    ],
)
def test_a_position_counts_if_it_holds_at_the_end_of_january(
    start: str, destination: str | None
) -> None:
    facts = followed(NOW, position("A", start))
    counts = leavers(facts)
    if destination is None:
        words = "The extracts hold no positions of the winter after Year 11."
        assert reason_of(facts, counts["leavers_neet"], "2023/24") == words
    else:
        assert cell(facts, counts[f"leavers_{destination}"], "2023/24") == (1, 1)


@pytest.mark.parametrize(
    ("as_of", "period", "words"),
    [
        ("2025-01-31", "2023/24", "Not known before 31 January 2025, the winter after Year 11."),
        ("2025-07-25", "2024/25", "Not known before 31 January 2026, the winter after Year 11."),
        ("2025-07-25", "2024/25 autumn", "Counted once a school year."),
        ("2025-07-25", "2022/23", "The extracts hold no positions of the winter after Year 11."),
    ],
)
def test_why_leavers_are_not_known_is_reported(as_of: str, period: str, words: str) -> None:
    facts = followed(pd.Timestamp(as_of), position("A", "2024-09-02"))
    assert reason_of(facts, leavers(facts)["leavers_neet"], period) == words


def test_a_year_without_year_11_has_no_leavers() -> None:
    facts = followed(NOW, position("F", "2024-09-02"), rolls=EVERYONE)  # Year 10 of 2023/24
    counts = leavers(facts)["leavers_neet"]
    assert reason_of(facts, counts, "2023/24") == "Nobody was in Year 11."


# ---- part-time timetables, alternative provision


@pytest.mark.parametrize(
    ("start", "end", "autumn", "spring"),
    [
        ("2024-10-01", "2024-10-31", 1, 0),
        ("2024-10-01", "2025-01-01", 1, 1),
        ("2024-12-31", "2025-01-01", 1, 1),
        ("2025-01-01", None, 0, 1),
        ("2024-08-31", "2024-08-31", 0, 0),
    ],
)
def test_a_spell_counts_in_every_term_it_touches(
    start: str, end: str | None, autumn: int, spring: int
) -> None:
    spell: Row = {"pupil_id": "A", "start_date": start, "end_date": end, "recorded_on": start}
    early = {"pupil_id": "B", "start_date": "2022-09-01", "end_date": "2022-09-02"}
    rows = [
        row | {"kind": kind, "end_recorded_on": row["end_date"]}
        for row in (spell, spell | early)
        for kind in ("part_time_timetable", "alternative_provision")
    ]
    facts = facts_of(circumstances=rows)
    made = provision(facts, count_marks(facts))
    for name in ("part_time", "alternative"):
        assert cell(facts, made[name], "2024/25 autumn") == (autumn, 3)
        assert cell(facts, made[name], "2024/25 spring") == (spring, 3)
        assert cell(facts, made[name], "2024/25")[0] == max(autumn, spring)


def test_a_second_roll_at_alternative_provision_counts_for_the_school_of_the_main_one() -> None:
    schools = [
        {"school_id": "S1", "phase": "secondary", "kind": "mainstream"},
        {"school_id": "U", "phase": "secondary", "kind": "AP"},
    ]
    second = roll("A", "2025-02-03", school_id="U", status="dual")
    spell = {"pupil_id": "B", "kind": "alternative_provision", "start_date": "2022-09-01"}
    rows = [spell | {"end_date": "2022-09-02", "end_recorded_on": "2022-09-02"}]
    facts = facts_of(schools=schools, enrolments=[*EVERYONE, second], circumstances=rows)
    counts = provision(facts, count_marks(facts))["alternative"]
    assert cell(facts, counts, "2024/25 spring") == (1, 3)
    words = "The school is itself alternative provision."
    assert reason_of(facts, counts, "2024/25 spring", "U") == words


# ---- England


@pytest.mark.parametrize(
    ("name", "phase", "figure"),
    [
        ("attendance", "primary", 100 - 5.20),  # what is published is absence
        ("attendance", "special", 100 - 12.76),
        ("exclusions", "secondary", 0.253),
        ("suspensions", "special", 12.63),
        ("in_time", "primary", 46.4),  # for all phases
        ("in_time", "", 46.4),
        ("leavers_neet", "secondary", 2.7),
        ("exclusions", "", None),
        ("joined", "primary", None),
        ("dual", "secondary", None),
    ],
)
def test_the_figure_of_england_is_that_of_the_phase(
    name: str, phase: str, figure: float | None
) -> None:
    found = england(name, phase)
    if figure is None:
        assert found is None
    else:
        assert found is not None
        assert found["figure"] == pytest.approx(figure)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("term", ["autumn", "year"])
def test_a_term_is_compared_only_where_it_is_the_same_measure(name: str, term: str) -> None:
    row: dict[str, Any] = {"phase": "secondary", "measure": name, "term": term}
    made = with_value(pd.DataFrame([row | {"numerator": 3.0, "denominator": 60.0}]))
    assert made["value"].tolist() == [3.0 if name == "roll" else 5.0]
    published = england(name, "secondary") is not None
    compared = published and (term == "year" or MEASURES[name].any_period)
    assert made["comparator"].notna().tolist() == [compared]
