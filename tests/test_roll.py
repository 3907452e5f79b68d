"""School rolls: the year group at entry follows from the year shown, whatever else the roll holds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.roll import year_groups_in_words
from riskmodel.data.read.sources.source import Context, with_plain_columns
from riskmodel.errors import DataError
from tests.returns import UPN, read_files

ROLL = next(one for one in SOURCES if one.name == "School roll, school by URN")


def year_groups_at_entry(*rows: tuple[str, str, str, str], header: str) -> list[float | None]:
    """Return year groups at entry of the rows of a roll."""
    raw = pd.DataFrame(rows, columns=header.split(","), dtype="str").assign(URN="900001")
    frame = with_plain_columns(raw.mask(raw == ""), ROLL.aliases).assign(pupil_id="A")
    assert ROLL.facts is not None
    made = pd.to_numeric(ROLL.facts(frame, Context())["enrolments"]["year_group"], errors="coerce")
    return [None if pd.isna(group) else float(group) for group in made]


HEADER = "Year,DOB,Admission Date,Leaving Date"


def test_a_year_group_is_counted_back_to_the_day_of_entry() -> None:
    rows = [
        ("8", "2011-10-03", "2023-09-04", ""),
        ("10", "2009-10-03", "2021-09-03", ""),
        ("9", "2009-10-03", "2022-01-10", "2024-02-01"),  # the year in which the pupil left
        ("Mixed", "2012-10-03", "2024-09-04", ""),  # by age
    ]
    assert year_groups_at_entry(*rows, header=HEADER) == [7, 7, 7, 7]


@pytest.mark.parametrize("wrong", ["2042-09-01", "2025-09-02"])
def test_one_admission_in_years_to_come_moves_no_other_pupil(wrong: str) -> None:
    rows = [("8", f"2011-10-{n:02}", "2023-09-04", "") for n in range(1, 10)]
    made = year_groups_at_entry(*rows, ("7", "2012-10-03", wrong, ""), header=HEADER)
    assert made[:9] == [7] * 9


def test_without_days_of_birth_the_latest_usual_admissions_date_the_roll() -> None:
    old = [("9", "", "2022-09-05", "")] * 150
    new = [("7", "", "2024-09-03", "")] * 49
    made = year_groups_at_entry(*old, *new, ("8", "", "2042-09-01", ""), header=HEADER)
    assert made[:199] == [7] * 199


@pytest.mark.parametrize(
    ("first", "ahead"), [(7, "6"), (7, "7"), (0, "N2"), (3, "2"), (9, "8")], ids=str
)
def test_the_next_intake_on_a_roll_without_days_of_birth_moves_no_other(
    first: int, ahead: str
) -> None:
    """A roll of 2024/25; a sixth of it is admitted in September 2025."""
    here = [(str(first + n or "R"), "", f"{2024 - n}-09-04", "") for n in range(5)]
    rows = [row for row in (*here, (ahead, "", "2025-09-02", "")) for _ in range(10)]
    rows[:2] = [(str(first + 1), "", "2024-01-15", "")] * 2  # two came within the year
    assert year_groups_at_entry(*rows, header=HEADER)[2:50] == [first] * 48


NO_BIRTHS = "UPN,Year,Admission Date,School,Reg Group\n"


def roll_of_year_9(*rows: str) -> str:
    others = "".join(f"{UPN[:-1]}{i},Year 9,05/09/2022,900001,9A\n" for i in range(1, 7))
    return NO_BIRTHS + others + "".join(f"{row}\n" for row in rows)


def test_one_admission_of_next_september_moves_no_other_pupil_of_a_roll(tmp_path: Path) -> None:
    text = roll_of_year_9(f"{UPN[:-1]}7,Year 6,01/09/2025,900001,")
    extract = read_files(tmp_path, {"roll.csv": text})
    assert extract.tables["enrolments"]["year_group"].tolist() == [7] * 7
    (words,) = extract.problems.query("rule == 'year_by_admissions'")["message"]
    assert "roll.csv: holds no days of birth, so its year groups count as those of 2024/25" in words


def test_a_roll_of_no_year_that_can_be_known_is_set_aside(tmp_path: Path) -> None:
    rows = "".join(f"{UPN[:-1]}{i},Year {i},0{i}/09/2023,900001,A\n" for i in range(4, 9))
    beside = {
        "census.csv": f"UPN,DOB,EntryDate,CensusDate,URN\n{UPN},2011-10-03,2023-09-04,2024-01-18,1\n"
    }
    extract = read_files(tmp_path, {"roll.csv": NO_BIRTHS + rows} | beside)
    (row,) = extract.reconciliation.query("file == 'roll.csv'").to_dict("records")
    assert row["rows_rejected"] == 5
    (words,) = extract.problems.query("rule == 'no_year' and severity == 'error'")["message"]
    assert "Add the date of birth, or a column Received" in words


def test_days_of_birth_of_a_census_date_a_roll_without_them(tmp_path: Path) -> None:
    births = "".join(f"{UPN[:-1]}{i},2010-10-0{i},2021-09-06,2022-01-20,1\n" for i in range(1, 7))
    census = {"census.csv": f"UPN,DOB,EntryDate,CensusDate,URN\n{births}"}
    extract = read_files(tmp_path, {"roll.csv": roll_of_year_9()} | census)
    on_roll = extract.tables["enrolments"].query("school_id == '900001'")
    assert on_roll["year_group"].tolist() == [7] * 6  # Year 9 in 2024/25
    assert extract.problems.query("rule == 'year_by_admissions'").empty


def test_a_list_of_leavers_alone_shows_the_year_of_each_last_day() -> None:
    rows = [
        ("11", "2008-01-15", "2019-09-02", "2024-06-28"),
        ("6", "2012-11-15", "2017-09-04", "2024-07-19"),
        ("9", "2009-11-15", "2021-09-03", "2024-02-09"),
    ]
    assert year_groups_at_entry(*rows, header=HEADER) == [7, 0, 7]
    assert year_groups_at_entry(*rows, header=HEADER.replace("DOB", "Notes")) == [7, 0, 7]
    undated = [*rows, ("11", "", "2019-09-02", "")]
    assert year_groups_at_entry(*undated, header=HEADER.replace("DOB", "Notes")) == [7, 0, 7, 7]
    # days of birth of leavers show nothing of the day on which the others were on roll
    assert year_groups_at_entry(*undated, header=HEADER) == [7, 0, 7, 7]


@pytest.mark.parametrize(
    ("written", "group"),
    [
        ("8", 8),
        ("08", 8),
        ("Year 8", 8),
        ("Year  11", 11),
        ("Yr.7", 7),
        ("Y10", 10),
        ("Curriculum Year 9", 9),
        ("Year Group 3", 3),
        ("Reception", 0),
        ("R", 0),
        ("N2", -1),
        ("Mixed", None),
        ("15", None),
        ("8A", None),
    ],
)
def test_a_year_group_is_read_however_it_is_written(written: str, group: int | None) -> None:
    found = year_groups_in_words(pd.Series([written])).iloc[0]
    assert found == group if group is not None else pd.isna(found)


def test_a_roll_gives_the_reason_for_leaving_of_pupils_who_left(tmp_path: Path) -> None:
    header = "UPN,Year Group,DOB,URN,Admission Date,Leaving Date,Reason for Leaving\n"
    row = f"{UPN[:-1]}{{}},9,2010-01-10,900001,2021-09-05,{{}},{{}}\n"
    left = ["Deceased", "Elective home education", "Permanently excluded", "Moved abroad", "Whim"]
    rows = [row.format(n, "2024-05-10", why) for n, why in enumerate(left)]
    rows += [row.format(9, "", "Never attended"), row.format(5, "", "")]
    extract = read_files(tmp_path, {"leavers.csv": header + "".join(rows)})
    reasons = extract.tables["enrolments"].sort_values("leaving_reason")["leaving_reason"]
    expected = ["home_educated", "left_area", "other", "permanently_excluded"]
    assert sorted(reasons.dropna()) == ["destination_unknown", *expected]
    unknown = extract.problems[extract.problems["rule"] == "unknown_code"]
    assert unknown["row"].tolist() == [6]


def test_the_reason_for_leaving_is_that_of_the_row_with_the_end(tmp_path: Path) -> None:
    header = "UPN,Year Group,DOB,URN,Admission Date,Leaving Date,Reason for Leaving\n"
    row = f"{UPN},9,2010-01-10,900001,2021-09-05,{{}}\n"
    files = {"a.csv": header + row.format(","), "b.csv": header + row.format("2024-05-10,EHE")}
    rolls = read_files(tmp_path, files).tables["enrolments"]
    assert rolls["leaving_reason"].tolist() == ["home_educated"]


def test_what_a_roll_shows_without_a_day_is_named_as_not_read(tmp_path: Path) -> None:
    header = "UPN,Year Group,DOB,URN,Admission Date,SEN Status,FSM,Young Carer,House\n"
    row = f"{UPN},9,2010-01-10,900001,2021-09-05,K,Y,,Red\n"
    problems = read_files(tmp_path, {"roll.csv": header + row}).problems
    (told,) = problems.loc[problems["rule"] == "unread_column", "message"]
    assert told.startswith("roll.csv: nothing was read from 'SEN Status', 'FSM': a roll does not")


def test_a_file_with_pupils_and_attendance_alone_is_refused_by_the_columns_of_both(
    tmp_path: Path,
) -> None:
    text = f"UPN,DOB,EntryDate,CensusDate,I,M,O,U\n{UPN},2012-10-03,2023-09-04,2024-01-18,1,2,3,4\n"
    with pytest.raises(DataError, match=r"Nothing was read from 'DOB', 'EntryDate'"):
        read_files(tmp_path, {"autumn.csv": text})
