"""Rows of the list page: risks in words, schools by name, few bytes for those not shown, timelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data import Tables
from riskmodel.data.codes import code_set
from riskmodel.features import CATALOGUE
from riskmodel.report.list_page.frequency import frequencies, ranges
from riskmodel.report.list_page.history import TIMELINE_MONTHS, events, known_of, spells
from riskmodel.report.list_page.rows import (
    bar_places,
    list_rows,
    rest_of_cohort,
    school_names,
)
from tests.strategies import AS_OF, small_tables, table_of


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 0.0, "under 1 in 1,000"),
        (0.0, 0.001, "up to 1 in 1,000"),
        (0.001, 0.009, "1 to 9 in 1,000"),
        (0.004, 0.0044, "4 in 1,000"),
        (0.004, 0.12, "4 in 1,000 to 12 in 100"),
        (0.01, 0.12, "1 to 12 in 100"),
        (0.5, 0.5, "50 in 100"),
        (0.5, 0.99, "50 to 99 in 100"),
        (0.5, 0.995, "50 in 100 to over 99 in 100"),
        (0.0, 1.0, "under 1 in 1,000 to over 99 in 100"),
        (0.999, 1.0, "over 99 in 100"),
    ],
)
def test_an_interval_in_words_names_a_shared_unit_once(low: float, high: float, words: str) -> None:
    assert ranges([low], [high]).tolist() == [words]


@pytest.mark.parametrize(
    "code", ["SEMH", "SLCN", "ASD", "MLD", "SPLD", "SLD", "HI", "VI", "PD", "OTH"]
)
def test_a_need_has_one_wording_in_lists_and_reasons(code: str) -> None:
    on_page = str(code_set("needs").loc[code, "label"])
    in_reasons = CATALOGUE[f"need_{code.lower()}_now"].label.removeprefix("Recorded need now: ")
    assert in_reasons.lower() == on_page.lower()


@pytest.mark.parametrize(
    ("risk", "words"),
    [
        (0.00099, "under 1 in 1,000"),
        (0.0014, "1 in 1,000"),
        (0.0016, "2 in 1,000"),
        (0.0099, "1 in 100"),
        (0.0149, "1 in 100"),
        (0.0151, "2 in 100"),
        (0.5, "50 in 100"),
        (0.9901, "over 99 in 100"),
    ],
)
def test_risks_are_rounded_to_the_nearest_frequency(risk: float, words: str) -> None:
    assert frequencies([risk]).tolist() == [words]


@given(st.lists(st.floats(0, 1), max_size=12))
def test_every_risk_has_its_words_in_its_place(risks: list[float]) -> None:
    together = frequencies(np.array(risks, float))
    assert together.tolist() == [frequencies([risk])[0] for risk in risks]
    assert ranges(risks, risks).tolist() == together.tolist()


@pytest.mark.parametrize(
    ("schools", "names"),
    [
        (None, {}),
        ([], {}),
        ([{"school_id": "S1", "name": "North"}], {"S1": "North (S1)"}),
        ([{"school_id": "S1", "name": None}], {}),
        ([{"school_id": "S1", "name": ""}], {}),
        (
            [{"school_id": "S1", "name": "North"}, {"school_id": "S2", "name": "North"}],
            {"S1": "North (S1)", "S2": "North (S2)"},  # two schools of one name stay apart
        ),
    ],
)
def test_schools_are_named_with_their_number(
    schools: list[dict[str, Any]] | None, names: dict[str, str]
) -> None:
    if schools is None:
        assert school_names(None) == school_names(Tables({})) == {}
    else:
        frame = pd.DataFrame(schools, columns=["school_id", "name"])
        assert school_names(Tables({"schools": frame})) == names


def ranking(**changed: Any) -> pd.DataFrame:
    usual = {
        "rank": [1, 2],
        "pupil_id": pd.Categorical(["A", "B"], categories=list("ABCDEF")),
        "school_id": ["S", ""],
        "year_group": [7.0, np.nan],
        "change": ["new", "steady"],
        "band": ["listed", "not listed"],
        "risk": [0.5, 0.004],
        "risk_low": [0.2, 0.001],
        "risk_high": [0.9, 0.02],
    }
    return pd.DataFrame(usual | changed)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("school", ["S", "No school"]),
        ("year", ["Year 7", "Year not known"]),
        ("phase", ["Secondary", "Phase not known"]),
        ("risk", ["50 in 100", "4 in 1,000"]),
        ("range", ["20 to 90 in 100", "1 in 1,000 to 2 in 100"]),
        ("change", ["new", "steady"]),
        ("band", ["listed", "not listed"]),
    ],
)
def test_a_ranking_in_words(column: str, words: list[str]) -> None:
    assert list_rows(ranking(), None, as_of=AS_OF)[column].tolist() == words


@pytest.mark.parametrize(
    ("day", "needs"),
    [
        (AS_OF, ["Social, emotional and mental health", "No need on record"]),
        (
            pd.Timestamp("2024-06-01"),
            ["No need on record", "Speech, language and communication needs"],
        ),
        (pd.Timestamp("2023-01-01"), ["No need on record", "No need on record"]),
    ],
)
def test_needs_are_those_known_on_the_day(day: pd.Timestamp, needs: list[str]) -> None:
    found = list_rows(ranking(), small_tables(), as_of=day)["need"].tolist()
    assert [one.lower()[:12] for one in found] == [one.lower()[:12] for one in needs]


def unpacked(packed: list[Any]) -> list[str]:
    texts, letters = packed
    return [texts[ord(letter) - ord("?")] for letter in letters]


@given(st.lists(st.tuples(st.sampled_from(["S", "T", "Ü", ""]), st.integers(0, 99)), max_size=20))
def test_pupils_who_are_not_shown_can_be_read_back(rows: list[tuple[str, int]]) -> None:
    schools = [school for school, _ in rows]
    risks = [f"{number} in 100" for _, number in rows]
    frame = pd.DataFrame(
        {
            "rank": range(31, 31 + len(rows)),
            "pupil_id": [f"P{number}" for number in range(len(rows))],
            "school": pd.Series(schools, dtype="str"),
            "risk": pd.Series(risks, dtype="str"),
        }
    )
    packed = rest_of_cohort(frame)
    assert packed["first"] == (31 if rows else 0)
    assert packed["pupil"] == frame["pupil_id"].tolist()
    assert unpacked(packed["school"]) == schools
    assert unpacked(packed["risk"]) == risks
    assert set(packed) == {"first", "pupil", "school", "risk"}


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (list("aab"), ["a", "b"]),
        (list("abb"), ["b", "a"]),
        (list("ba"), ["a", "b"]),
        (["x"], ["x"]),
    ],
)
def test_the_commonest_text_has_the_first_letter(texts: list[str], order: list[str]) -> None:
    frame = pd.DataFrame({"rank": range(1, 1 + len(texts)), "pupil_id": texts, "school": texts})
    assert rest_of_cohort(frame)["school"][0] == order


@pytest.mark.parametrize(
    ("risk", "low", "high", "places"),
    [
        ([0.5], [0.25], [1.0], [(50.0, 25.0, 100.0)]),
        ([0.1], [0.1], [0.1], [(100.0, 100.0, 100.0)]),
        ([0.1, 0.2], [0.0, 0.1], [0.3, 0.4], [(25.0, 0.0, 75.0), (50.0, 25.0, 100.0)]),
        ([1 / 3], [0.0], [1.0], [(33.3, 0.0, 100.0)]),
    ],
)
def test_bars_are_as_long_as_the_largest_upper_end(
    risk: list[float], low: list[float], high: list[float], places: list[tuple[float, ...]]
) -> None:
    shown = pd.DataFrame({"risk": risk, "risk_low": low, "risk_high": high})
    found = bar_places(shown)[["at", "low", "high"]]
    assert list(found.itertuples(index=False, name=None)) == places


def rolls(*rows: dict[str, Any]) -> Tables:
    usual = {
        "pupil_id": "A",
        "school_id": "S",
        "entry_date": "2024-09-01",
        "status": "main",
        "year_group": 7,
        "recorded_on": "2024-09-02",
    }
    return Tables({"enrolments": table_of("enrolments", [usual | row for row in rows])})


def ended(day: str, reason: str | None = None, recorded: str | None = None) -> dict[str, Any]:
    return {"leaving_date": day, "leaving_reason": reason, "end_recorded_on": recorded or day}


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("transferred", "Left North for another school"),
        ("managed_move", "Left North, a managed move"),
        ("permanently_excluded", "Left North, permanently excluded"),
        ("home_educated", "Left North to be educated at home"),
        ("left_area", "Left North and the area"),
        ("destination_unknown", "Left North, destination not known"),
        ("other", "Left North"),
        ("end_of_phase", None),
        (None, None),
    ],
)
def test_why_a_pupil_left_is_shown_but_for_the_end_of_a_phase(
    reason: str | None, text: str | None
) -> None:
    tables = rolls(ended("2025-01-31", reason))
    found = events(known_of(tables, ["A"], as_of=AS_OF), {"S": "North"}, as_of=AS_OF)
    assert found["text"].tolist() == ([] if text is None else [text])


@pytest.mark.parametrize(
    ("entry", "leaving", "spell"),
    [
        ("2024-09-01", None, ("2024-09-01", "2025-03-01")),
        ("2024-09-01", "2025-01-31", ("2024-09-01", "2025-01-31")),
        ("2015-09-01", None, ("2022-03-01", "2025-03-01")),  # cut to three years
        ("2015-09-01", "2022-02-28", None),  # over before them
        ("2015-09-01", "2022-03-01", ("2022-03-01", "2022-03-01")),
        ("2025-02-28", None, ("2025-02-28", "2025-03-01")),
    ],
)
def test_spells_are_cut_to_the_timeline(
    entry: str, leaving: str | None, spell: tuple[str, str] | None
) -> None:
    assert TIMELINE_MONTHS == 36
    row = {"entry_date": entry, "recorded_on": entry} | (ended(leaving) if leaving else {})
    found = spells(known_of(rolls(row), ["A"], as_of=AS_OF), {}, as_of=AS_OF)
    shown = [(str(one.start)[:10], str(one.end)[:10]) for one in found.itertuples()]
    assert shown == ([] if spell is None else [spell])


@pytest.mark.parametrize(
    ("recorded", "is_known"), [("2025-02-28", True), ("2025-03-01", False), ("2025-06-01", False)]
)
def test_an_end_recorded_on_the_day_or_later_is_not_known(recorded: str, is_known: bool) -> None:
    tables = rolls(ended("2025-02-10", "transferred", recorded))
    known = known_of(tables, ["A"], as_of=AS_OF)
    assert len(events(known, {}, as_of=AS_OF)) == is_known
    (spell,) = spells(known, {}, as_of=AS_OF).itertuples()
    assert str(spell.end)[:10] == ("2025-02-10" if is_known else "2025-03-01")


@pytest.mark.parametrize("pupils", [[], ["A"], ["A", "C"], ["nobody"]])
def test_only_facts_of_the_pupils_asked_for_are_known(pupils: list[str]) -> None:
    known = known_of(small_tables(), pupils, as_of=AS_OF)
    for _, frame in known.items():
        assert set(frame["pupil_id"].astype("str")) <= set(pupils)
