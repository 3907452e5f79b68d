"""Each file of the simulated returns, from tables of a few rows worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.simulate.returns import services
from riskmodel.simulate.returns.census import censuses
from riskmodel.simulate.returns.schools import registers, results
from tests.strategies import table_of

PUPILS = ("A", "B", "C")


def tables_of(**rows: list[dict[str, Any]]) -> Tables:
    return Tables({name: table_of(name, these, PUPILS) for name, these in rows.items()})


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "upn": ["UA", "UB", "UC"],
            "surname": "Simulated",
            "forename": ["Pupil1", "Pupil2", "Pupil3"],
            "dob": pd.to_datetime(["2012-09-05", "2013-01-31", "2012-12-01"]),
            "sex": ["F", "M", "F"],
            "ethnicity": "WBRI",
            "language": "ENG",
            "postcode": ["ZZ1 1AA", "ZZ2 2AA", "ZZ3 3AA"],
            "child": [100_001, 100_002, 100_003],
        }
    )


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("outcome", "code"), [("issued", "Y"), ("refused", "N"), ("withdrawn", "W"), (None, None)]
)
def test_a_request_for_a_plan_has_the_code_of_its_outcome(
    outcome: str | None, code: str | None
) -> None:
    plan = {"pupil_id": "B", "requested_on": "2024-10-01", "outcome": outcome}
    files = dict(services.sen2(tables_of(plans=[plan], send=[]), people()))
    row = files["sen2/requests.csv"].iloc[0]
    assert row["upn"] == "UB"
    assert row["requestoutcome"] == code if code else pd.isna(row["requestoutcome"])


def test_plans_cease_where_they_end_and_name_a_need_once_per_pupil() -> None:
    send = [
        {
            "pupil_id": "A",
            "provision": "E",
            "primary_need": "ASD",
            "start_date": "2022-01-01",
            "end_date": "2023-01-01",
        },
        {"pupil_id": "A", "provision": "E", "primary_need": "ASD", "start_date": "2024-01-01"},
        {"pupil_id": "B", "provision": "K", "primary_need": "SEMH", "start_date": "2024-01-01"},
    ]
    files = dict(services.sen2(tables_of(plans=[], send=send), people()))
    assert files["sen2/namedplan.csv"]["ceasereason"].tolist() == ["2", ""]
    assert files["sen2/senneed.csv"].values.tolist() == [["UA", 1, "ASD"]]


CARE = [
    {"pupil_id": "C", "kind": "looked_after", "start_date": "2023-05-01"},
    {"pupil_id": "A", "kind": "child_in_need", "start_date": "2023-02-01"},
    {
        "pupil_id": "B",
        "kind": "child_protection",
        "start_date": "2023-03-01",
        "end_date": "2024-03-01",
    },
    {
        "pupil_id": "C",
        "kind": "looked_after",
        "start_date": "2021-05-01",
        "end_date": "2022-05-01",
    },
    {"pupil_id": "A", "kind": "fsm", "start_date": "2023-02-01"},
]


@pytest.mark.parametrize(
    ("share", "upn", "unknown", "looked_after"),
    [(1.0, ["UA", "UB"], ["", ""], "UC"), (0.0, ["", ""], ["UN1", "UN1"], "UN4")],
)
def test_social_care_files_hold_their_own_kinds_with_and_without_upns(
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    upn: list[str],
    unknown: list[str],
    looked_after: str,
) -> None:
    monkeypatch.setattr(services, "LINKED", share)
    files = dict(services.social_care(tables_of(circumstances=CARE), people(), generator()))
    in_need = files["cin/cin.csv"]
    assert in_need["LAchildID"].tolist() == ["DFE100001", "DFE100002"]
    assert in_need["UPN"].tolist() == upn
    assert in_need["UPNunknown"].tolist() == unknown
    assert in_need["CPPstartDate"].tolist() == ["", "2023-03-01"]
    header = files["ssda903/header.csv"]
    assert header[["CHILD", "SEX", "UPN"]].values.tolist() == [[100_003, "2", looked_after]]
    episodes = files["ssda903/episodes.csv"]
    assert episodes["DECOM"].tolist() == ["01/05/2023", "01/05/2021"]
    assert episodes["REC"].tolist() == ["", "E8"]
    assert episodes["HOME_POST"].tolist() == ["ZZ3 3AA", "ZZ3 3AA"]


@pytest.mark.parametrize(
    ("kind", "service"), [("early_help", "Early help"), ("youth_justice", "Youth justice")]
)
def test_a_spell_list_holds_the_spells_of_one_service(kind: str, service: str) -> None:
    spells = [
        {"pupil_id": "B", "kind": kind, "start_date": "2024-02-03", "recorded_on": "2024-02-10"},
        {"pupil_id": "A", "kind": "fsm", "start_date": "2024-02-03", "recorded_on": "2024-02-10"},
    ]
    files = dict(services.spell_lists(tables_of(circumstances=spells), people()))
    assert list(files) == ["early_help.csv", "youth_justice.csv"]
    assert {name: len(rows) for name, rows in files.items() if len(rows)} == {f"{kind}.csv": 1}
    row = files[f"{kind}.csv"].iloc[0]
    assert row[["UPN", "Service", "Start date", "Recorded"]].tolist() == [
        "UB",
        service,
        "03/02/2024",
        "10/02/2024",
    ]


def test_nccis_is_one_file_a_month_and_positions_lapse_after_six(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "LINKED", 1.0)
    positions = [
        {
            "pupil_id": pupil,
            "activity_code": code,
            "start_date": "2024-09-01",
            "confirmed_on": day,
            "recorded_on": day,
        }
        for pupil, code, day in (
            ("A", "210", "2024-09-30"),
            ("B", "619", "2024-09-30"),
            ("B", "619", "2024-10-31"),
        )
    ]
    files = dict(services.nccis(tables_of(destinations=positions), people(), generator()))
    assert list(files) == ["nccis/nccis_2024_09.csv", "nccis/nccis_2024_10.csv"]
    september, october = files.values()
    assert september["UniquePupilNumber"].tolist() == ["UA", "UB"]
    assert september["ActivityCode"].tolist() == ["210", "619"]
    assert october.iloc[0][["MonthOfBirth", "YearOfBirth"]].tolist() == [1, 2013]
    assert october["DueToLapseDate"].tolist() == ["2025-04-30"]


@pytest.mark.parametrize(
    ("score", "scaled", "attainment_8"),
    [
        (0.0, 104, 46.0),  # the middle of both scales
        (1.0, 111, 63.0),  # 104 + 7; 46 + 17
        (9.0, 120, 90.0),  # the ends of the scales
        (-9.0, 80, 0.0),
    ],
)
def test_results_are_on_the_scales_of_their_key_stage(
    score: float, scaled: int, attainment_8: float
) -> None:
    rows = [
        {
            "pupil_id": "A",
            "stage": stage,
            "subject": subject,
            "score": score,
            "result_date": "2024-07-09",
        }
        for stage, subject in (
            ("KS2", "reading"),
            ("KS2", "mathematics"),
            ("KS4", "attainment_8"),
        )
    ]
    files = dict(results(tables_of(attainment=rows), people()))
    two, four = files["ks2.csv"].iloc[0], files["ks4.csv"].iloc[0]
    assert two[["UPN", "ACADYR", "READSCORE", "MATSCORE"]].tolist() == ["UA", 2024, scaled, scaled]
    assert four[["UPN", "ACADYR", "ATT8"]].tolist() == ["UA", 2024, attainment_8]


def test_registers_are_one_file_a_school_year() -> None:
    marks = [
        {
            "pupil_id": "B",
            "date": day,
            "session": "AM",
            "mark": "I",
            "recorded_on": "2024-09-03",
        }
        for day in ("2024-07-19", "2024-09-02")
    ]
    files = dict(registers(tables_of(sessions=marks), people()))
    assert list(files) == ["registers/marks_2023.parquet", "registers/marks_2024.parquet"]
    assert [rows["UPN"].tolist() for rows in files.values()] == [["UB"], ["UB"]]


def census_files() -> dict[str, pd.DataFrame]:
    """Return the censuses of one year: A is on roll of the fifth school, B left the first."""
    names = [f"S000{number}" for number in range(1, 6)]
    tables = tables_of(
        schools=[{"school_id": name, "local_authority": "000", "urn": "9"} for name in names],
        enrolments=[
            {
                "pupil_id": "A",
                "school_id": "S0005",
                "entry_date": "2023-09-03",
                "year_group": 7,
            },
            {
                "pupil_id": "B",
                "school_id": "S0001",
                "entry_date": "2023-09-03",
                "leaving_date": "2024-11-29",
                "year_group": 0,
            },
        ],
        calendar=[
            {"date": "2024-09-10", "term": "autumn", "half_term": 1},
            {"date": "2024-12-10", "term": "autumn", "half_term": 2},
            {"date": "2025-02-10", "term": "spring", "half_term": 3},
            {"date": "2025-05-06", "term": "summer", "half_term": 5},
        ],
        sessions=[
            {"pupil_id": pupil, "date": day, "session": session, "mark": mark}
            for pupil, day, session, mark in (
                ("A", "2024-09-10", "AM", "/"),
                ("A", "2024-09-10", "PM", "I"),
                ("A", "2024-12-10", "AM", "I"),
                ("B", "2024-09-10", "AM", "O"),
                ("B", "2024-12-10", "AM", "/"),  # B had left
            )
        ],
        suspensions=[
            {
                "pupil_id": pupil,
                "school_id": school,
                "start_date": "2024-10-01",
                "category": "SUSP",
                "sessions": 4,
                "reason_1": "DB",
            }
            for pupil, school in (("A", "S0005"), ("B", "S0001"))
        ],
        send=[
            {"pupil_id": "A", "provision": "K", "primary_need": "SEMH", "start_date": "2024-01-01"}
        ],
        circumstances=[
            {
                "pupil_id": "A",
                "kind": "fsm",
                "start_date": "2024-01-01",
                "end_date": "2025-03-01",
            },
            {"pupil_id": "A", "kind": "young_carer", "start_date": "2024-01-01"},
        ],
    )
    return dict(censuses(tables, people()))


def test_census_days_are_the_first_or_third_thursday() -> None:
    files = census_files()
    days = {
        name.split("/")[1]: frame["referencedate"].iloc[0][:11]
        for name, frame in files.items()
        if name.endswith("schoolcensus.csv")
    }
    assert days == {
        "2024_autumn": "2024-Oct-03",
        "2025_spring": "2025-Jan-16",
        "2025_summer": "2025-May-15",
    }


def test_a_census_holds_the_pupils_on_roll_and_the_leavers_since_the_last() -> None:
    files = census_files()
    on = files["census/2025_spring/pupilonroll.csv"].iloc[0]
    assert on[["upn", "ncyearactual", "senprovision", "youngcarer"]].tolist() == [
        "UA",
        "8",
        "K",
        "S",
    ]
    off = files["census/2025_spring/pupilnolongeronroll.csv"].iloc[0]
    assert off[["upn", "ncyearleaving"]].tolist() == ["UB", "1"]
    assert len(files["census/2024_autumn/pupilnolongeronroll.csv"]) == 0
    assert len(files["census/2025_summer/pupilnolongeronroll.csv"]) == 0


@pytest.mark.parametrize(
    ("where", "possible", "details"),
    [("on", 3, [["/", 1.0], ["I", 2.0]]), ("off", 1, [["O", 1.0]])],
)
def test_termly_totals_count_half_days_on_the_roll(
    where: str, possible: int, details: list[list[Any]]
) -> None:
    files = census_files()
    table = {"on": "pupilonroll", "off": "pupilnolongeronroll"}[where]
    pupils = files[f"census/2025_spring/{table}.csv"]
    assert pupils["termlysessionspossible"].tolist() == [possible]
    totals = files[f"census/2025_spring/termlysessiondetails{where}roll.csv"]
    assert totals[["attendancereason", "sessions"]].values.tolist() == details


@pytest.mark.parametrize(("where", "category"), [("on", "FIXD"), ("off", "SUSP")])
def test_every_fifth_school_writes_the_old_code_of_a_suspension(where: str, category: str) -> None:
    rows = census_files()[f"census/2025_spring/termlyexclusions{where}roll.csv"]
    assert rows[["category", "sessions", "reason1"]].values.tolist() == [[category, 4.0, "DB"]]


def test_a_census_does_not_know_the_later_end_of_free_school_meals() -> None:
    files = census_files()
    spring, summer = (
        files[f"census/{name}/fsmperiod.csv"]["fsmenddate"].iloc[0]
        for name in ("2025_spring", "2025_summer")
    )
    assert pd.isna(spring)
    assert summer[:11] == "2025-Mar-01"
    assert files["census/2025_spring/senneeds.csv"]["sentype"].tolist() == ["SEMH"]
