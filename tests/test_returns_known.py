"""What came wrong, was taken back or came twice in returns, row by row: when each of it was known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.read import read
from riskmodel.features import build
from tests.returns import (
    ARRANGED,
    CENSUS,
    KNOWN,
    PLANS,
    UPN,
    censuses,
    read_beside,
    read_only,
)
from tests.rolls import make_tables, roll

# --- taken back, reported twice, reported by two


def on_roll(tables: Tables, day: pd.Timestamp) -> bool:
    return len(build_spine(tables, [day], "pex")) == 1


def test_a_census_that_takes_an_end_back_puts_the_pupil_on_the_roll_again(tmp_path: Path) -> None:
    tables = read_only(tmp_path, censuses(2))
    after = pd.Timedelta(days=1)
    # the return of January was believed until that of May came
    expected = [True, False, True, True, True]
    assert [on_roll(tables, day + after) for day in KNOWN] == expected
    known = tables.as_known(KNOWN[-1] + after)["enrolments"]
    assert known["entry_date"].tolist() == [pd.Timestamp("2023-09-04")]
    assert known["leaving_date"].isna().all()
    spine = build_spine(tables, [KNOWN[-1] + after], "pex")
    X = build(tables, spine)
    assert X[["moves_24_months", "mid_year_moves", "lost_before"]].to_numpy().tolist() == [
        [0, 0, 0]
    ]
    assert X["months_at_school"].iloc[0] == pytest.approx(17.6, abs=0.1)
    assert spine["year_group"].tolist() == [8]


def test_an_end_that_no_later_census_takes_back_stands(tmp_path: Path) -> None:
    ended = read_only(tmp_path, censuses(3, 4, 5))
    assert ended["enrolments"]["leaving_date"].tolist() == [pd.Timestamp("2023-12-01")]
    assert ended["enrolments"]["end_recorded_on"].tolist() == [KNOWN[2]]


def test_ends_taken_back_are_reported(tmp_path: Path) -> None:
    for name, text in censuses(2).items():
        (tmp_path / name).write_text(text)
    problems = read(tmp_path, key_file=tmp_path.parent / "taken.key").problems
    reported = problems[problems["rule"] == "end_taken_back"]
    assert len(reported) == 1
    assert "on roll again" in reported["message"].iloc[0]


@pytest.mark.parametrize(
    ("plans", "now"),
    [
        ("", ["K", "E"]),
        (f"{UPN},2018-09-01,2020-07-31,2\n", ["K", "E"]),  # an old plan does not count for today's
        (f"{UPN},2024-05-01,,\n", ["K", "E"]),
        (f"{UPN},2023-10-01,2024-04-30,2\n", ["E", "E"]),  # the census saw one again in October
        (f"{UPN},2024-05-01,,\n{UPN},2024-05-01,2024-09-30,2\n", ["K", "E"]),
    ],
)
def test_a_plan_takes_the_place_of_the_census_while_it_runs(
    tmp_path: Path, plans: str, now: list[str]
) -> None:
    (january, october) = CENSUS["pupils.csv"].strip().split("\n")[1:]
    header = CENSUS["pupils.csv"].split("\n")[0]
    pupils = f"{header}\n{january[:-1]}K\n{october[:-1]}E\n"
    extract = read_beside(tmp_path, {"census pupils.csv": pupils, "plans.csv": PLANS + plans})
    days = [pd.Timestamp("2024-03-01"), pd.Timestamp("2024-12-01")]
    provisions = []
    for day in days:
        send = extract.tables.as_known(day)["send"]
        running = send[(send["start_date"] < day) & ~(send["end_date"] < day)]
        assert len(running) == 1
        provisions.append(str(running["provision"].iloc[0]))
    assert provisions == now


def test_a_plan_that_a_later_return_calls_ceased_ends(tmp_path: Path) -> None:
    plans = f"{PLANS}{UPN},2023-10-01,,\n{UPN},2023-10-01,2024-03-31,2\n"
    send = read_beside(tmp_path, {"plans.csv": plans}).tables["send"]
    assert send["end_date"].tolist() == [pd.Timestamp("2024-03-31")]
    assert send["end_recorded_on"].tolist() == [pd.Timestamp("2024-04-01")]


def test_the_needs_of_a_census_are_kept_while_a_plan_runs(tmp_path: Path) -> None:
    needs = "pupilonrolltableid,sentype,sentyperank\n1,SLCN,1\n1,SEMH,2\n2,SEMH,1\n"
    files = {"needs.csv": needs, "plans.csv": f"{PLANS}{UPN},2023-10-01,,\n"}
    send = read_beside(tmp_path, files).tables["send"].astype("object")
    assert send["provision"].tolist() == ["E", "E", "E"]
    assert send["primary_need"].fillna("").tolist() == ["", "SLCN", "SEMH"]
    assert send["secondary_need"].fillna("").tolist() == ["", "SEMH", ""]


@pytest.mark.parametrize(
    ("spells", "since"),
    [
        ("", "2023-09-04"),
        ("1,X,2021-09-01 00:00:00,2021-12-01 00:00:00\n", "2023-09-04"),  # long over
        ("1,X,2023-09-01 00:00:00,\n", "2023-09-01"),  # the flag is nothing new
    ],
)
def test_an_old_placement_does_not_hide_that_a_pupil_is_in_alternative_provision_now(
    tmp_path: Path, spells: str, since: str
) -> None:
    files = {"arranged.csv": ARRANGED + spells, "unit.csv": "pupilonrolltableid,apreason\n2,Q\n"}
    day = pd.Timestamp("2024-12-01")
    spells_of = read_beside(tmp_path, files).tables.as_known(day)["circumstances"]
    running = spells_of[(spells_of["start_date"] < day) & ~(spells_of["end_date"] < day)]
    assert running["start_date"].tolist() == [pd.Timestamp(since)]


def test_a_flag_gives_way_to_a_placement_that_is_reported_later(tmp_path: Path) -> None:
    files = {
        "arranged.csv": ARRANGED + "2,X,2023-09-01 00:00:00,\n",
        "unit.csv": "pupilonrolltableid,apreason\n1,Q\n",
    }
    tables = read_beside(tmp_path, files).tables
    for day, since in (("2024-03-01", "2023-09-04"), ("2024-12-01", "2023-09-01")):
        now = pd.Timestamp(day)
        spells = tables.as_known(now)["circumstances"]
        running = spells[~(spells["end_date"] < now)]
        assert running["start_date"].tolist() == [pd.Timestamp(since)]


@pytest.mark.parametrize("school", ["AP", "S1"])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 2, 0], [2, 3, 0, 1]])
def test_rolls_that_go_on_are_one_roll_whatever_lies_between_them(
    order: list[int], school: str
) -> None:
    rolls = [
        roll("A", "2022-09-01", "2023-01-31", end_recorded_on="2023-02-20"),
        roll("A", "2022-10-01", school_id=school, status="dual"),
        roll("A", "2023-02-01", "2023-07-20", recorded_on="2023-06-20"),
        roll("B", "2023-02-01"),
    ]
    tables = make_tables(enrolments=[rolls[place] for place in order])
    before, after = (
        tables.as_known(pd.Timestamp(day))["enrolments"].sort_values(["pupil_id", "school_id"])
        for day in ("2023-06-20", "2023-09-01")
    )
    assert sorted(before["school_id"]) == sorted([school, "S1", "S1"])
    assert before["leaving_date"].notna().sum() == 1
    assert sorted(after["school_id"]) == sorted([school, "S1", "S1"])
    assert [f"{day:%F}" for day in after["leaving_date"].dropna()] == ["2023-07-20"]
    assert after["entry_date"].min() == pd.Timestamp("2022-09-01")
