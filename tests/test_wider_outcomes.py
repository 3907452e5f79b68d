"""Exits, activity not known, severe absence and first suspensions: labels and cohorts by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.arrays import day_number, days_of
from riskmodel.data.codes import ABSENT, POSSIBLE, code_set
from riskmodel.data.missed_half_days import FEWEST_HALF_DAYS, share_missed
from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import DataError
from riskmodel.labelling.exits import EXITS, first_exits
from riskmodel.labels import horizon_end, label
from riskmodel.lost import TOO_FEW_MARKS, lost_to
from tests.rolls import day, make_tables, position, roll

LIST = "2024-01-01"
LATER = day("2030-01-01")


def spine_of(tables: Tables, pupils: str = "A", as_of: str = LIST) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pupil_id": pd.Series(list(pupils), dtype=tables.pupils),
            "as_of": pd.Series([day(as_of)] * len(pupils), dtype="datetime64[s]"),
            "school_id": pd.Series(["S1"] * len(pupils), dtype="str"),
            "year_group": pd.Series([9] * len(pupils), dtype="int64"),
        }
    )


def labelled(tables: Tables, outcome: str, *, known_by: str = "2030-01-01") -> tuple[str, str]:
    """Return status and day of the event of pupil A."""
    made = label(tables, spine_of(tables), outcome, known_by=day(known_by)).iloc[0]
    return str(made["status"]), "" if pd.isna(made["event_on"]) else f"{made['event_on']:%Y-%m-%d}"


def marks(pupil: str, first: str, n_days: int, missed: int) -> list[dict[str, object]]:
    """Return two marks a day on so many weekdays; the first half-days missed."""
    days = pd.date_range(first, periods=n_days, freq="B").repeat(2)
    return [
        {"pupil_id": pupil, "date": date, "session": ("AM", "PM")[i % 2],
         "mark": "I" if i < missed else ("/", "\\")[i % 2]}
        for i, date in enumerate(days)
    ]  # fmt: skip


def incident(start: str, category: str = "SUSP", **more: object) -> dict[str, object]:
    return {"pupil_id": "A", "school_id": "S1", "start_date": start, "category": category} | more


def spell(kind: str, start: str, **more: object) -> dict[str, object]:
    return {"pupil_id": "A", "kind": kind, "start_date": start, "recorded_on": start} | more


# Lost from mainstream


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"enrolments": [roll("A", "2022-09-01")]}, ("no_event", "")),
        ({"enrolments": [roll("A", "2022-09-01")], "suspensions": [incident("2024-03-01", "PERM")]},
         ("event", "2024-03-01")),
        ({"enrolments": [roll("A", "2022-09-01")], "suspensions": [incident("2024-03-01")]},
         ("no_event", "")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08", leaving_reason="managed_move"),
                         roll("A", "2024-03-11", school_id="S2")]}, ("event", "2024-03-08")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08", leaving_reason="transferred"),
                         roll("A", "2024-03-11", school_id="S2")]}, ("no_event", "")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08", leaving_reason="home_educated")]},
         ("event", "2024-03-08")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08", leaving_reason="left_area")]},
         ("censored", "")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08", leaving_reason="destination_unknown")]},
         ("event", "2024-03-08")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08")]}, ("event", "2024-03-08")),
        # back on a roll on the 50th day, and a day too late
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08"), roll("A", "2024-04-27", school_id="S2")]},
         ("no_event", "")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-03-08"), roll("A", "2024-04-28", school_id="S2")]},
         ("event", "2024-03-08")),
        # the 50 days must be over before the horizon is
        ({"enrolments": [roll("A", "2022-09-01", "2024-11-12")]}, ("event", "2024-11-12")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-11-13")]}, ("censored", "")),
        # an end without a destination that is not sure yet hides no later exit that is
        ({"enrolments": [roll("A", "2022-09-01", "2024-11-20")],
          "circumstances": [spell("alternative_provision", "2024-12-02")]}, ("event", "2024-12-02")),
        ({"enrolments": [roll("A", "2022-09-01", "2024-11-12")],
          "circumstances": [spell("alternative_provision", "2024-12-02")]}, ("event", "2024-11-12")),
        ({"enrolments": [roll("A", "2022-09-01")],
          "circumstances": [spell("alternative_provision", "2024-05-01")]}, ("event", "2024-05-01")),
        ({"enrolments": [roll("A", "2022-09-01")],
          "circumstances": [spell("early_help", "2024-05-01")]}, ("no_event", "")),
        ({"enrolments": [roll("A", "2022-09-01"), roll("A", "2024-06-03", school_id="P", status="dual")],
          "schools": [{"school_id": "P", "phase": "secondary", "kind": "AP"}]}, ("event", "2024-06-03")),
        # the day of the list belongs to the horizon, the day a year later does not
        ({"enrolments": [roll("A", "2022-09-01")], "suspensions": [incident("2024-01-01", "PERM")]},
         ("event", "2024-01-01")),
        ({"enrolments": [roll("A", "2022-09-01")], "suspensions": [incident("2025-01-01", "PERM")]},
         ("no_event", "")),
        # a leaver of Year 11 is not lost
        ({"enrolments": [roll("A", "2022-09-01", "2024-07-10", year_group=10, leaving_reason="completed")]},
         ("no_event", "")),
    ],
)  # fmt: skip
def test_who_is_lost_from_mainstream(facts: dict[str, list[object]], expected: object) -> None:
    tables = make_tables(**facts)
    assert labelled(tables, "exit") == expected


def test_of_two_exits_the_first_counts_and_shows_its_part() -> None:
    tables = make_tables(
        enrolments=[roll("A", "2022-09-01", "2024-03-08", leaving_reason="permanently_excluded")],
        suspensions=[incident("2024-03-01", "PERM")],
        circumstances=[spell("home_educated", "2024-02-29")],
    )
    spine = spine_of(tables, "AB")
    part, on = first_exits(tables.as_known(LATER), spine, horizon_end(spine, "exit"))
    assert part.tolist() == ["home education", None]
    assert on[0] == day_number(day("2024-02-29"))
    assert set(part) - {None} <= set(EXITS)


def test_an_exit_is_known_when_it_was_recorded() -> None:
    left = roll("A", "2022-09-01", "2024-03-08", leaving_reason="home_educated")
    tables = make_tables(enrolments=[left | {"end_recorded_on": "2025-02-01"}])
    assert labelled(tables, "exit", known_by="2025-02-01")[0] == "no_event"
    assert labelled(tables, "exit", known_by="2025-02-02")[0] == "event"


@pytest.mark.parametrize(
    ("facts", "listed"),
    [
        ({}, "AB"),
        ({"schools": [{"school_id": "S1", "phase": "secondary", "kind": "AP"}]}, "B"),
        ({"schools": [{"school_id": "S1", "phase": "secondary", "kind": "special"}]}, "B"),
        ({"schools": [{"school_id": "S1", "phase": "secondary", "kind": "mainstream"}]}, "AB"),
        ({"circumstances": [spell("alternative_provision", "2023-12-01")]}, "B"),
        ({"circumstances": [spell("alternative_provision", "2023-12-01", recorded_on=LIST)]}, "AB"),
        ({"circumstances": [spell("alternative_provision", "2023-10-01", end_date="2023-12-20",
                                  end_recorded_on="2023-12-21")]}, "AB"),
    ],
)  # fmt: skip
def test_only_pupils_in_mainstream_can_be_lost_from_it(
    facts: dict[str, list[object]], listed: str
) -> None:
    rolls = [roll("A", "2022-09-01"), roll("B", "2022-09-01", school_id="S2")]
    tables = make_tables(enrolments=rolls, **facts)
    assert "".join(build_spine(tables, [day(LIST)], "exit")["pupil_id"]) == listed


# First suspension


@pytest.mark.parametrize(
    ("incidents", "expected"),
    [
        ([], ("no_event", "")),
        ([incident("2024-05-01")], ("event", "2024-05-01")),
        ([incident("2024-05-01", "PERM")], ("event", "2024-05-01")),
        ([incident("2024-06-01"), incident("2024-05-02")], ("event", "2024-05-02")),
        ([incident("2025-01-01")], ("no_event", "")),
        # suspended before the list, but that was not known on its day
        ([incident("2023-12-01", recorded_on="2024-02-01")], ("censored", "")),
    ],
)
def test_a_first_suspension_counts_within_12_months(
    incidents: list[dict[str, object]], expected: object
) -> None:
    tables = make_tables(enrolments=[roll("A", "2022-09-01")], suspensions=incidents)
    assert labelled(tables, "first-suspension") == expected


@pytest.mark.parametrize(
    ("before", "listed"),
    [
        (incident("2023-12-01"), "B"),
        (incident("2023-12-01", "LNCH"), "B"),
        (incident("2023-12-01", recorded_on=LIST), "AB"),
        (incident("2024-01-01"), "AB"),
    ],
)
def test_only_pupils_never_suspended_are_on_the_list_of_first_suspensions(
    before: dict[str, object], listed: str
) -> None:
    rolls = [roll("A", "2022-09-01"), roll("B", "2022-09-01")]
    tables = make_tables(enrolments=rolls, suspensions=[before])
    assert "".join(build_spine(tables, [day(LIST)], "first-suspension")["pupil_id"]) == listed


# Severe absence


def absence_tables(*registers: list[dict[str, object]], leave: str | None = None) -> Tables:
    return make_tables(
        enrolments=[roll("A", "2022-09-01", leave)], sessions=[one for part in registers for one in part]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "leave", "expected"),
    [
        (29, 0, None, "no_event"),  # of 60 half-days
        (30, 0, None, "event"),
        (0, 30, None, "event"),
        (0, 0, "2024-06-01", "censored"),
        (30, 0, "2024-06-01", "event"),
    ],
)
def test_half_of_a_term_missed_is_severe(
    first: int, second: int, leave: str | None, expected: str
) -> None:
    tables = absence_tables(
        marks("A", "2024-01-08", 30, first), marks("A", "2024-05-01", 30, second), leave=leave
    )
    assert labelled(tables, "severe-absence") == (expected, "")


@pytest.mark.parametrize(("n_days", "expected"), [(14, "not_known"), (15, "no_event")])
def test_a_term_needs_thirty_known_half_days(n_days: int, expected: str) -> None:
    tables = absence_tables(marks("A", "2024-01-08", 30, 0), marks("A", "2024-05-01", n_days, 0))
    assert labelled(tables, "severe-absence")[0] == expected
    spine = spine_of(tables)
    labels = label(tables, spine, "severe-absence", known_by=LATER)
    place = lost_to(tables, spine, labels, "severe-absence", known_by=LATER)
    assert place.tolist() == [TOO_FEW_MARKS if expected == "not_known" else None]


@pytest.mark.parametrize(("missed", "listed"), [(30, ""), (29, "A")])
def test_only_pupils_not_severely_absent_so_far_are_on_the_list(missed: int, listed: str) -> None:
    tables = absence_tables(marks("A", "2023-11-20", 30, missed), marks("A", "2024-01-08", 30, 30))
    assert "".join(build_spine(tables, [day(LIST)], "severe-absence")["pupil_id"]) == listed


def test_a_label_of_severe_absence_needs_registers() -> None:
    tables = make_tables(enrolments=[roll("A", "2022-09-01")])
    with pytest.raises(DataError, match="no table 'sessions'"):
        label(tables, spine_of(tables), "severe-absence", known_by=LATER)


@settings(max_examples=60)
@given(st.data())
def test_the_share_missed_is_that_of_a_slow_count(data: st.DataObject) -> None:
    families = code_set("marks")["family"]
    days = pd.date_range("2024-01-01", periods=40).as_unit("s")
    codes = st.sampled_from(sorted(families.index))
    rows = [
        {"pupil_id": pupil, "date": date, "session": half, "mark": data.draw(codes)}
        for pupil in "AB"
        for date in days
        for half in ("AM", "PM")
        if data.draw(st.booleans()) or date.day < 25
    ]
    tables = make_tables(sessions=rows)
    spans = [sorted(data.draw(st.tuples(st.integers(0, 45), st.integers(0, 45)))) for _ in "ABAB"]
    first = day_number(days[0]) + np.array([span[0] for span in spans])
    last = day_number(days[0]) + np.array([span[1] for span in spans])
    pupils = pd.Series(list("ABAB"), dtype=tables.pupils)
    found = share_missed(tables["sessions"], pupils, first, last)
    for pupil, start, stop, share in zip("ABAB", first, last, found, strict=True):
        inside = [
            families[row["mark"]]
            for row in rows
            if row["pupil_id"] == pupil and start <= day_number(row["date"]) < stop
        ]
        possible = sum(family in POSSIBLE for family in inside)
        missed = sum(family in ABSENT for family in inside)
        expected = missed / possible if possible >= FEWEST_HALF_DAYS else np.nan
        assert share == pytest.approx(expected, nan_ok=True)


# Activity not known


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([position("A", "2025-09-01", "210", confirmed_on="2026-02-01")], "no_event"),
        ([position("A", "2025-09-01", "810", confirmed_on="2026-02-01")], "event"),
        ([position("A", "2025-12-15", "619", confirmed_on="2026-02-20")], "no_event"),
        ([position("A", "2026-02-15", "619", confirmed_on="2026-02-20")], "event"),
        # somebody else's positions show that the winter was checked; A was never found
        ([position("B", "2025-09-01", "210", confirmed_on="2026-01-15")], "event"),
        # nobody's position was confirmed that winter
        ([position("B", "2025-09-01", "210", confirmed_on="2025-10-15")], "not_known"),
    ],
)
def test_activity_is_not_known_in_two_months_of_the_winter(
    positions: list[dict[str, object]], expected: str
) -> None:
    tables = make_tables(
        enrolments=[
            roll("A", "2022-09-01", "2025-07-10", leaving_reason="completed", year_group=9)
        ],
        destinations=positions,
    )
    spine = spine_of(tables, as_of="2023-06-01")
    assert label(tables, spine, "not-known", known_by=LATER)["status"].tolist() == [expected]


def test_who_left_before_the_end_of_year_11_and_was_never_found_is_censored() -> None:
    tables = make_tables(
        enrolments=[roll("A", "2022-09-01", "2024-10-10")],
        destinations=[position("B", "2025-09-01", "210", confirmed_on="2026-01-15")],
    )
    spine = spine_of(tables, as_of="2023-06-01")
    assert label(tables, spine, "not-known", known_by=LATER)["status"].tolist() == ["censored"]


@pytest.mark.parametrize("outcome", ["exit", "not-known", "severe-absence", "first-suspension"])
def test_a_later_fact_changes_no_label_of_an_earlier_day(outcome: str) -> None:
    known = day("2025-03-02")
    rolls = [roll("A", "2022-09-01"), roll("B", "2022-09-01")]
    base = {
        "enrolments": rolls,
        "suspensions": [],
        "circumstances": [],
        "destinations": [position("B", "2024-12-05")],
        "sessions": marks("A", "2024-01-08", 30, 0) + marks("A", "2024-05-01", 30, 0),
    }
    later = {
        "suspensions": [incident("2024-02-01", recorded_on="2025-03-02")],
        "circumstances": [spell("home_educated", "2024-02-01", recorded_on="2025-03-02")],
        "sessions": [
            one | {"date": one["date"], "recorded_on": "2025-03-02"}
            for one in marks("A", "2024-02-19", 30, 60)
            if days_of(pd.Series([one["date"]]))[0] > day_number(day("2024-02-16"))
        ],
    }
    one, other = (
        make_tables(**facts) for facts in (base, base | {k: [*base[k], *v] for k, v in later.items()})
    )  # fmt: skip
    assert outcome_of(outcome).name == outcome
    pd.testing.assert_frame_equal(
        label(one, spine_of(one, "AB"), outcome, known_by=known),
        label(other, spine_of(other, "AB"), outcome, known_by=known),
    )
