"""Tables depend neither on the order of files and rows, nor on what is reported later."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.read import Extract
from riskmodel.data.read.returns.assemble import assemble
from riskmodel.simulate import simulate
from tests.returns import ARRANGED, CENSUS, KNOWN, PLANS, UPN, censuses, read_beside, read_only
from tests.strategies import table_of

HEADER, JANUARY, OCTOBER = CENSUS["pupils.csv"].strip().split("\n")
RETURNED = OCTOBER.replace("2,2,", "3,3,").replace("2023-Sep-04", "2025-Sep-03")
"""The same pupil in October 2025, on a roll that began then."""

ORDERS = list(permutations(range(2)))


def running(tables: Tables, name: str, day: str) -> pd.DataFrame:
    """Return the spells that run on a day, as known then."""
    now = pd.Timestamp(day)
    spells = tables.as_known(now)[name]
    return spells[(spells["start_date"] < now) & ~(spells["end_date"] < now)]


@pytest.mark.parametrize("order", ORDERS)
def test_a_plan_that_follows_another_runs(tmp_path: Path, order: tuple[int, ...]) -> None:
    rows = [f"{UPN},2023-10-01,2024-03-31,2\n", f"{UPN},2024-04-01,,\n"]
    one = PLANS + "".join(rows[place] for place in order)
    tables = read_beside(tmp_path, {"plans.csv": one}).tables
    assert running(tables, "send", "2024-09-01")["provision"].tolist() == ["E"]


@pytest.mark.parametrize("order", ORDERS)
def test_of_two_schools_on_one_census_day_the_one_that_provides_more_counts(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    counted = CENSUS["schoolcensus.csv"] + "3,AUT,2024,2024-Oct-03 00:00:00,900002\n"
    rows = [f"{OCTOBER[:-1]}K,M\n", f"3,3,{OCTOBER[4:-1]}N,S\n"]
    pupils = f"{HEADER},enrolstatus\n{JANUARY},C\n" + "".join(rows[place] for place in order)
    files = {"census schoolcensus.csv": counted, "census pupils.csv": pupils}
    tables = read_beside(tmp_path, files).tables
    assert set(tables["enrolments"]["school_id"]) == {"900001", "900002"}
    assert running(tables, "send", "2024-12-01")["provision"].tolist() == ["K"]


@pytest.mark.parametrize("order", ORDERS)
def test_of_two_undated_needs_the_same_one_is_taken(tmp_path: Path, order: tuple[int, ...]) -> None:
    rows = [f"{UPN},SEMH,1\n", f"{UPN},SLCN,1\n"]
    needs = "UPN,SENtype,SENtypeRank\n" + "".join(rows[place] for place in order)
    files = {"needs.csv": needs, "plans.csv": f"{PLANS}{UPN},2024-03-01,,\n"}
    (need,) = running(read_beside(tmp_path, files).tables, "send", "2024-12-01")["primary_need"]
    assert need == "SEMH"  # the first of the code set


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_a_request_that_a_later_return_reports_as_decided_is_decided(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    header = "UPN,ReceivedDate,RequestOutcome,RequestOutcomeDate\n"
    undecided, decided = f"{header}{UPN},2023-11-01,,\n", f"{header}{UPN},2023-11-01,Y,2024-01-20\n"
    files = {names[0]: undecided, names[1]: decided, "p.csv": f"{PLANS}{UPN},2024-03-01,,\n"}
    (row,) = read_beside(tmp_path, files).tables["plans"].itertuples()
    assert (row.outcome, f"{row.decided_on:%F}", f"{row.plan_on:%F}") == (
        "issued",
        "2024-01-20",
        "2024-03-01",
    )


def flagged(folder: Path, unit: str, arranged: str = "", *, later: str = "") -> Extract:
    """Read censuses in which some rows are in alternative provision."""
    counted = CENSUS["schoolcensus.csv"] + "3,AUT,2025,2025-Oct-02 00:00:00,900001\n"
    files = {
        "census schoolcensus.csv": counted,
        "census pupils.csv": "\n".join([HEADER, JANUARY, later or OCTOBER, RETURNED]) + "\n",
        "unit.csv": "pupilonrolltableid,apreason\n" + unit,
        "arranged.csv": ARRANGED + arranged,
    }
    return read_beside(folder, files)


def test_a_flag_reported_earlier_stays_whatever_entry_date_a_later_return_gives(
    tmp_path: Path,
) -> None:
    put_right = OCTOBER.replace("2023-Sep-04", "2023-Sep-01")
    for name, unit in (("all", "1,Q\n2,Q\n"), ("first", "1,Q\n")):
        (tmp_path / name).mkdir()
        tables = flagged(tmp_path / name, unit, later=put_right).tables
        spells = running(tables, "circumstances", "2024-05-01")
        assert spells["start_date"].tolist() == [pd.Timestamp("2023-09-04")]


def test_a_flag_that_is_reported_after_another_gave_way_counts_again(tmp_path: Path) -> None:
    placed = "2,X,2023-09-01 00:00:00,2024-07-20 00:00:00\n"
    tables = flagged(tmp_path, "1,Q\n3,Q\n", placed).tables
    reported = {
        day: len(running(tables, "circumstances", day))
        for day in ("2024-03-01", "2024-12-01", "2025-12-01")
    }
    assert reported == {"2024-03-01": 1, "2024-12-01": 0, "2025-12-01": 1}


def test_an_end_that_is_taken_back_twice_is_no_move(tmp_path: Path) -> None:
    tables = read_only(tmp_path, censuses(2, 4))
    assert not tables["enrolments"].duplicated(["pupil_id", "school_id", "entry_date"]).any()
    known = [
        tables.as_known(day + pd.Timedelta(days=1))["enrolments"]["leaving_date"] for day in KNOWN
    ]
    assert [len(ends) for ends in known] == [1] * len(KNOWN)
    assert [ends.isna().item() for ends in known] == [True, False, True, False, True]


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_of_two_ends_of_one_spell_the_one_reported_first_counts(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    header = "UPN,Young carer since,Young carer end date,Date recorded\n"
    files = {
        name: f"{header}{UPN},2023-09-04,{end},2023-09-05\n"
        for name, end in zip(names, ("2023-12-01", "2024-03-01"), strict=True)
    }
    (row,) = read_beside(tmp_path, files).tables["circumstances"].itertuples()
    assert f"{row.end_date:%F}" == "2023-12-01"


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_of_two_suspensions_of_one_day_the_same_one_is_taken(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    header = "UPN,Estab,Category,StartDate,DateNotified,Sessions,Reason1\n"
    rows = (f"{UPN},9001,SUSP,2024-03-05,2024-03-06,{more}\n" for more in ("2,PP", "20,DB"))
    files = {name: header + row for name, row in zip(names, rows, strict=True)}
    (row,) = read_beside(tmp_path, files).tables["suspensions"].itertuples()
    assert (row.sessions, row.reason_1) == (2, "PP")


def test_a_roll_of_a_few_days_does_not_explain_its_own_end(tmp_path: Path) -> None:
    header = "pupilnolongeronrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual,"
    rows = f"leavingdate\n1,1,{UPN},2012-Oct-03 00:00:00,F,2023-Nov-06 00:00:00,7,2023-Nov-10 00:00:00\n"
    tables = read_beside(tmp_path, {"off.csv": header + rows}).tables
    ended = tables["enrolments"].dropna(subset="leaving_date")
    assert ended["leaving_reason"].tolist() == ["destination_unknown"]


def test_a_reinstatement_before_the_exclusion_is_reported_and_does_not_count(
    tmp_path: Path,
) -> None:
    reported = "UPN,Estab,Category,StartDate,DateNotified,ReinstatementDate\n"
    reported += f"{UPN},9001,PERM,2024-03-05,2024-03-06,2023-04-20\n"
    extract = read_beside(tmp_path, {"school.csv": reported})
    known = extract.tables.as_known(pd.Timestamp("2025-01-01"))["suspensions"]
    assert known["category"].tolist() == ["PERM"]
    problems = extract.problems.set_index("rule")["message"]
    assert "does not count" in problems["reinstated_before_start"]


def derived_calendar(date: pd.Series, recorded_on: pd.Series) -> pd.DataFrame:
    """Return the calendar that one pupil's marks of these days give, known on those."""
    marks = table_of(
        "sessions",
        [
            {
                "pupil_id": "A",
                "date": str(on),
                "session": "AM",
                "mark": "/",
                "recorded_on": str(known),
            }
            for on, known in zip(date, recorded_on, strict=True)
        ],
    )
    frames, *_ = assemble(
        {"sessions": marks.assign(_file=0, _place=range(len(marks)))}, marks["pupil_id"].dtype
    )
    return frames["calendar"]


@pytest.mark.parametrize(
    ("day", "term"),
    [
        ("2023-09-04", "autumn"),
        ("2023-12-22", "autumn"),
        ("2024-01-02", "spring"),
        ("2024-03-28", "spring"),
        ("2024-04-08", "summer"),  # Easter on 31 March
        ("2025-04-11", "spring"),
        ("2025-04-22", "summer"),  # Easter on 20 April
        ("2025-07-23", "summer"),
    ],
)
def test_a_derived_term_follows_from_the_date_and_easter(day: str, term: str) -> None:
    date = pd.Series([pd.Timestamp(day).as_unit("s")])
    assert derived_calendar(date, date)["term"].tolist() == [term]


def test_no_mark_that_is_reported_later_moves_another_day_to_another_term() -> None:
    days = simulate(pupils=300, years=3, seed=2).tables["calendar"]["date"]
    known = days + pd.Timedelta(days=1)
    made = derived_calendar(days, known)
    gap = made["date"].diff().dt.days
    stray = made["date"][gap[gap.between(7, 12)].index] - pd.Timedelta(days=5)
    assert len(stray) > 0
    late = stray + pd.Timedelta(days=200)
    again = derived_calendar(pd.concat([days, stray]), pd.concat([known, late]))
    kept = again[again["date"].isin(made["date"]).to_numpy()]
    assert np.array_equal(kept["term"].astype("str"), made["term"].astype("str"))
