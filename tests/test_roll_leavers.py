"""A roll that shows by a column of its own who has left: no such pupil stays on it in silence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, read_files

OTHERS = [f"{UPN[:-1]}{i}" for i in range(3, 9)]


def roll(name: str, said: str, received: str = "", leaving: str = "", others: str = "") -> str:
    """Return a roll of seven pupils; ``said`` is what the column shows of the first."""
    header = f"UPN,Year,DOB,Admission Date,Leaving Date,School,Reg,{name},Received\n"
    row = "{},8,03/10/2011,04/09/2023,{},900001,8A,{},{}\n"
    rest = "".join(row.format(upn, "", others, received) for upn in OTHERS)
    return header + row.format(UPN, leaving, said, received) + rest


def first_pupil(extract: Extract) -> pd.DataFrame:
    """Return the spells of the only pupil with an end, or none."""
    spells = extract.tables["enrolments"]
    return spells[spells["leaving_date"].notna()]


def messages(extract: Extract, rule: str) -> list[str]:
    return extract.problems.loc[extract.problems["rule"] == rule, "message"].tolist()


@pytest.mark.parametrize(
    ("name", "said", "others"),
    [
        ("On Roll", "N", "Y"),
        ("OnRoll", "No", "Yes"),
        ("On Roll?", "Left", ""),
        ("On-Roll", "FALSE", "True"),
        ("Is Current", "0", "1"),
        ("Current", "no", "yes"),
        ("Active", "Inactive", "Active"),
        ("Status", "Leaver", "Current"),
        ("Status", "Left", "On Roll"),
        ("Status", "L", "C"),
        ("Roll Status", "No longer on roll", "On-roll"),
        ("Pupil Status", "Off-Roll", "Single registration"),
        ("Enrolment Status", "Leaver", "C"),
        ("Leaver", "Y", "N"),
        ("Left", "yes", ""),
        ("No longer on roll", "1", "0"),
    ],
)
def test_a_pupil_shown_as_off_roll_left_by_the_day_received(
    name: str, said: str, others: str, tmp_path: Path
) -> None:
    extract = read_files(tmp_path, {"roll.csv": roll(name, said, "11/11/2024", others=others)})
    ended = first_pupil(extract)
    assert ended["leaving_date"].tolist() == [pd.Timestamp("2024-11-11")]
    assert ended["end_recorded_on"].tolist() == [pd.Timestamp("2024-11-11")]
    assert len(extract.tables["enrolments"]) == 7
    (words,) = messages(extract, "undated_leaver")
    assert words.startswith("roll.csv: 1 pupils are no longer on roll")
    assert not messages(extract, "unknown_presence")


@pytest.mark.parametrize("said", ["N", "Left"])
def test_without_a_day_received_such_a_row_is_set_aside(said: str, tmp_path: Path) -> None:
    extract = read_files(tmp_path, {"roll.csv": roll("On Roll", said, others="Y")})
    assert len(extract.tables["enrolments"]) == 6
    (row,) = extract.reconciliation.to_dict("records")
    assert (row["rows_read"], row["rows_kept"], row["rows_rejected"]) == (7, 6, 1)
    (words,) = messages(extract, "no_end")
    assert words.startswith("roll.csv: 1 of 7 rows are of pupils whom a column shows")


@pytest.mark.parametrize("received", ["", "11/11/2024"])
def test_the_leaving_date_of_a_pupil_off_roll_counts(received: str, tmp_path: Path) -> None:
    files = {"roll.csv": roll("On Roll", "N", received, "25/10/2024", others="Y")}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract)["leaving_date"].tolist() == [pd.Timestamp("2024-10-25")]
    assert not messages(extract, "undated_leaver")


def test_a_leaving_date_after_the_day_received_is_no_last_day_of_one_who_has_left(
    tmp_path: Path,
) -> None:
    files = {"roll.csv": roll("On Roll", "N", "11/11/2024", "20/12/2024", others="Y")}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract)["leaving_date"].tolist() == [pd.Timestamp("2024-11-11")]
    assert messages(extract, "undated_leaver")


def test_a_leaver_listed_as_on_roll_is_named(tmp_path: Path) -> None:
    files = {"roll.csv": roll("On Roll", "Y", "11/11/2024", "25/10/2024", others="Y")}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract)["leaving_date"].tolist() == [pd.Timestamp("2024-10-25")]
    (words,) = messages(extract, "on_roll_and_left")
    assert "1 pupils are on roll by its own column, and left" in words


@pytest.mark.parametrize("said", ["pre-admission", "accepted", "maybe"])
def test_other_words_are_named_and_counted(said: str, tmp_path: Path) -> None:
    files = {"roll.csv": roll("Status", said, "11/11/2024", others="Current")}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract).empty
    (words,) = messages(extract, "unknown_presence")
    assert (
        f"1 values of status show neither that the pupil is on roll nor that they left, such as '{said}'"
        in words
    )


def test_statuses_of_the_census_are_no_leavers(tmp_path: Path) -> None:
    """F is a pupil of a further education college, and no 'false'."""
    files = {"roll.csv": roll("Status", "F", "11/11/2024", others="M")}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract).empty
    assert not messages(extract, "unknown_presence")


def test_a_subsidiary_registration_in_another_column_of_statuses_is_a_dual_roll(
    tmp_path: Path,
) -> None:
    files = {"roll.csv": roll("Status", "Subsidiary", "11/11/2024", others="Current")}
    assert read_files(tmp_path, files).tables["enrolments"]["status"].eq("dual").sum() == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_leaver_on_roll_after_roll_left_once(order: int, tmp_path: Path) -> None:
    days = ["30/09/2024", "31/10/2024", "29/11/2024"][::order]
    said = ["Y", "N", "N"][::order]
    files = {f"{'abc'[i]}.csv": roll("On Roll", said[i], days[i], others="Y") for i in range(3)}
    extract = read_files(tmp_path, files)
    assert first_pupil(extract)["leaving_date"].tolist() == [pd.Timestamp("2024-10-31")]
    assert first_pupil(extract)["end_recorded_on"].tolist() == [pd.Timestamp("2024-10-31")]
    assert extract.conflicts.empty
    assert extract.tables["enrolments"]["recorded_on"].eq(pd.Timestamp("2024-09-30")).all()


def test_a_leaver_who_came_back_and_left_again_has_two_ends(tmp_path: Path) -> None:
    days = ["30/09/2024", "31/10/2024", "29/11/2024", "20/12/2024", "10/01/2025"]
    files = {
        f"{i}.csv": roll("On Roll", said, days[i], others="Y") for i, said in enumerate("YNYNN")
    }
    ends = first_pupil(read_files(tmp_path, files))["leaving_date"]
    assert ends.dt.strftime("%Y-%m-%d").tolist() == ["2024-10-31", "2024-12-20"]


def test_leavers_without_a_day_do_not_date_the_year_groups_of_a_roll(tmp_path: Path) -> None:
    """Their year group is that of their last day; without days of birth the admissions decide."""
    text = roll("On Roll", "Y", others="Y").replace(",8,03/10/2011,04/09/2023", ",7,,03/09/2024")
    gone = "".join(f"{UPN[:-2]}{i},11,,05/09/2018,,900001,11A,N,\n" for i in range(10, 40))
    extract = read_files(tmp_path, {"roll.csv": text + gone})
    assert extract.tables["enrolments"]["year_group"].tolist() == [7] * 7
