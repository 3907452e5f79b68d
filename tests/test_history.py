"""The history on a card: weeks, incidents, places and needs, as known on the day of the list."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.assess import Assessment, rank
from riskmodel.data import Tables
from riskmodel.data.codes import code_set
from riskmodel.report.list_page.history import WEEKS, events, known_of, spells, weekly_attendance
from riskmodel.report.list_page.rows import list_rows
from tests.lists import score, simulated_tables
from tests.strategies import AS_OF, PUPILS, small_tables, table_of


@pytest.fixture(scope="module")
def tables() -> Tables:
    return simulated_tables()


@pytest.fixture(scope="module")
def assessment(tables: Tables) -> Assessment:
    return score(tables)


def test_weekly_attendance_by_hand() -> None:
    weeks = weekly_attendance(small_tables(), list(PUPILS), as_of=AS_OF)
    assert weeks is not None
    assert weeks.first == pd.Timestamp("2024-03-04")  # AS_OF is a Saturday
    last = weeks.share[:, -4:]
    np.testing.assert_allclose(last[0], [1.0, 0.8, 1.0, 0.0])  # A: out for a day, ill for a week
    np.testing.assert_allclose(last[1], [np.nan, np.nan, 1.0, 1.0])  # B: at another school
    assert np.isnan(last[5]).all()  # F: no marks
    assert weeks.is_holiday.tolist() == [True] * 48 + [False] * 4


def test_a_week_counts_only_what_was_recorded() -> None:
    tables = small_tables()
    monday = pd.Timestamp("2025-02-24")
    weeks = weekly_attendance(tables, ["A", "C"], as_of=monday + pd.Timedelta(days=2))
    assert weeks is not None
    np.testing.assert_allclose(weeks.share[:, -1], [0.0, 1.0])  # Monday alone is known
    assert weekly_attendance(tables, ["A"], as_of=pd.Timestamp("2025-02-03")) is None


def test_weekly_attendance_agrees_with_a_slow_count(tables: Tables, assessment: Assessment) -> None:
    pupils = rank(assessment)["pupil_id"].iloc[:4].tolist()
    weeks = weekly_attendance(tables, pupils, as_of=assessment.as_of)
    assert weeks is not None
    family = code_set("marks")["family"].to_dict()
    marks = tables["sessions"]
    for number, pupil in enumerate(pupils):
        own = marks[(marks["pupil_id"] == pupil).to_numpy()]
        counts: dict[int, list[int]] = {}
        for day, mark, recorded in zip(own["date"], own["mark"], own["recorded_on"], strict=True):
            if weeks.first <= day < assessment.as_of and recorded < assessment.as_of:
                week = counts.setdefault((day - weeks.first).days // 7, [0, 0])
                week[0] += family[mark] in ("present", "approved_activity")
                week[1] += family[mark] != "not_possible"
        slow = [counts.get(w, [0, 0]) for w in range(WEEKS)]
        expected = [np.nan if not possible else came / possible for came, possible in slow]
        np.testing.assert_allclose(weeks.share[number], expected)


def test_what_happened_by_hand() -> None:
    known = known_of(small_tables(), ["A", "C"], as_of=AS_OF)
    found = events(known, {"T": "Town School (T)"}, as_of=AS_OF)
    rows = [(row.pupil_id, str(row.day)[:10], row.kind, row.text) for row in found.itertuples()]
    assert rows == [
        ("A", "2024-02-01", "incident", "Suspended for 2 half-days"),
        ("A", "2024-10-01", "incident", "Suspended for 4 half-days"),
        ("A", "2025-01-31", "move", "Left S, a managed move"),
        ("A", "2025-02-01", "move", "Joined Town School (T)"),
        ("A", "2025-02-10", "incident", "Suspended for 2 half-days"),
        ("C", "2025-01-15", "incident", "Suspended at lunchtime for 1 half-day"),
    ]


def test_a_length_that_is_not_known_is_left_out() -> None:
    rows = [
        {
            "pupil_id": "A",
            "school_id": "S",
            "category": category,
            "start_date": start,
            "sessions": length,
            "recorded_on": "2025-01-11",
        }
        for category, start, length in (("SUSP", "2025-01-08", None), ("PERM", "2025-01-10", 10.0))
    ]
    tables = Tables({"suspensions": table_of("suspensions", rows)})
    found = events(known_of(tables, ["A"], as_of=AS_OF), {}, as_of=AS_OF)
    assert sorted(found["text"]) == ["Permanently excluded", "Suspended"]


def test_where_a_pupil_was_by_hand() -> None:
    tables = small_tables()
    away = table_of(
        "circumstances",
        [
            {
                "pupil_id": "A",
                "kind": "alternative_provision",
                "start_date": "2024-11-01",
                "end_date": "2024-12-20",
                "recorded_on": "2024-11-02",
                "end_recorded_on": "2025-03-01",
            },
            {
                "pupil_id": "A",
                "kind": "fsm",
                "start_date": "2024-11-01",
                "recorded_on": "2024-11-02",
            },
        ],
    )
    known = known_of(Tables(dict(tables) | {"circumstances": away}), ["A"], as_of=AS_OF)
    found = spells(known, {}, as_of=AS_OF)
    rows = [
        (str(row.start)[:10], str(row.end)[:10], row.kind, row.text) for row in found.itertuples()
    ]
    assert rows == [
        ("2024-09-01", "2025-01-31", "school", "S"),
        (
            "2024-11-01",
            "2025-03-01",
            "elsewhere",
            "Alternative provision",
        ),  # its end is not known yet
        ("2025-02-01", "2025-03-01", "school", "T"),
    ]


def test_needs_are_those_that_were_known() -> None:
    scores = pd.DataFrame(
        {
            "pupil_id": list(PUPILS),
            "school_id": "S",
            "year_group": [0, 6, 7, 11, 12, -1],
            "risk": 0.1,
            "risk_low": 0.1,
            "risk_high": 0.1,
            "rank": range(1, 7),
            "change": "new",
            "band": "listed",
        }
    )
    rows = list_rows(scores, small_tables(), as_of=AS_OF)
    assert rows["need"].tolist()[:2] == ["Social, emotional and mental health", "No need on record"]
    earlier = list_rows(scores, small_tables(), as_of=pd.Timestamp("2025-01-10"))
    assert earlier["need"].tolist()[1] == "Speech, language and communication"  # its end came later
    assert rows["year"].tolist() == [
        "Reception",
        "Year 6",
        "Year 7",
        "Year 11",
        "Year 12",
        "Nursery",
    ]
    assert rows["phase"].tolist() == [
        "Primary",
        "Primary",
        "Secondary",
        "Secondary",
        "After 16",
        "Primary",
    ]
