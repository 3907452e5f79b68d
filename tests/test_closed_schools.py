"""Schools of which no later return is in the folder: closed ones end their rolls, silent ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, flat_census, last_days, read_files

SCHOOLS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
    "EstablishmentStatus (name),PhaseOfEducation (name),OpenDate,CloseDate\n"
)
OPEN = "900002,301,4002,Two,Community school,Open,Secondary,,\n"
CLOSED = "900001,301,4001,One,Community school,Closed,Secondary,,{}\n"
BOTH = {"900001": ["abcd"], "900002": ["efgh"] * 4}


def read_with(folder: Path, text: str, *schools: str) -> Extract:
    return read_files(folder, {"census.csv": text, "schools.csv": SCHOOLS + "".join(schools)})


def told(extract: Extract, rule: str) -> list[str]:
    return extract.problems.loc[extract.problems["rule"] == rule, "message"].tolist()


def test_rolls_of_a_school_that_closed_end_on_that_day(tmp_path: Path) -> None:
    extract = read_with(tmp_path, flat_census(BOTH), OPEN, CLOSED.format("31-12-2023"))
    assert last_days(extract.tables, "2024-01-01") == []  # known from the day after it closed
    assert last_days(extract.tables, "2024-01-02") == ["900001 2023-12-31"] * 4
    (words,) = told(extract, "school_closed")
    assert words.startswith("enrolments: 4 spells on rolls of 1 schools that closed by the list")
    assert not told(extract, "silent_school")


def test_a_pupil_of_a_closed_school_left_before_the_entry_elsewhere(tmp_path: Path) -> None:
    days = ("2024-01-18", "2024-05-16", "2024-10-03")
    moved = [f"{UPN[:-1]}0,2011-10-03,2024-01-08,{day},900002,7" for day in days]
    text = flat_census(BOTH, *moved)
    tables = read_with(tmp_path, text, OPEN, CLOSED.format("31-08-2024")).tables
    assert last_days(tables, "2025-01-01") == ["900001 2024-01-07"] + ["900001 2024-08-31"] * 3


@pytest.mark.parametrize(
    ("rolls", "closed"),
    [
        ({"900001": ["abcd"] * 4, "900002": ["efgh"] * 4}, "31-12-2023"),  # it sent returns after
        ({"900001": ["abcd"] * 4, "900002": ["efgh"] * 4}, "31-08-2031"),  # it is to close
        (BOTH, ""),
    ],
    ids=["returns_after", "planned", "no_day"],
)
def test_what_closes_no_roll(rolls: dict[str, list[str]], closed: str, tmp_path: Path) -> None:
    extract = read_with(tmp_path, flat_census(rolls), OPEN, CLOSED.format(closed))
    assert last_days(extract.tables, "2032-01-01") == []
    assert not told(extract, "school_closed")


def test_a_school_that_became_an_academy_did_not_close(tmp_path: Path) -> None:
    academy = "900003,301,4001,One,Academy converter,Open,Secondary,01-01-2024,\n"
    rolls = {"900001": ["abcd"], "900003": ["", "abcd"], "900002": ["efgh"] * 2}
    schools = (OPEN, CLOSED.format("31-12-2023"), academy)
    extract = read_with(tmp_path, flat_census(rolls), *schools)
    assert last_days(extract.tables, "2024-06-01") == []
    assert not told(extract, "silent_school")


@pytest.mark.parametrize(
    ("rolls", "named"),
    [
        ({"900001": ["abcd"], "900002": ["efgh", "efgh"]}, ["2023-10-05"]),
        ({"900001": ["abcd", "", "abcd"], "900002": ["efgh"] * 3}, []),  # one return is missing
        ({"900001": ["abcd", "abcd"], "900002": ["efgh"] * 2}, []),
        ({"900001": ["abc"], "900002": ["efg"], "900003": ["ij", "ij"]}, ["2023-10-05"] * 2),
        (
            {"900001": ["ab", "ab"], "900002": ["cd"], "900003": ["ef"], "900004": ["gh"]},
            [],
        ),  # only one went on: the folder lacks most of the later returns
    ],
    ids=["silent", "one_missing", "all_there", "half", "most_silent"],
)
def test_a_school_that_sent_no_later_return_is_named(
    rolls: dict[str, list[str]], named: list[str], tmp_path: Path
) -> None:
    extract = read_files(tmp_path, {"census.csv": flat_census(rolls)})
    found = told(extract, "silent_school")
    assert [words.partition("after that of ")[2][:10] for words in found] == named
    assert last_days(extract.tables, "2032-01-01") == []


def test_the_warning_names_the_school_and_counts_its_pupils(tmp_path: Path) -> None:
    gone = f"{UPN[:-1]}9,2011-10-03,2023-09-04,2023-10-05,900001,7"
    extract = read_files(tmp_path, {"census.csv": flat_census(BOTH, gone)})
    (words,) = told(extract, "silent_school")
    assert words.startswith(
        "enrolments: school '900001' has no census after that of 2023-10-05, and others have them up to "
        "2024-10-03. Its 5 pupils without an end stay on its roll."
    )


def test_more_than_five_silent_schools_are_counted(tmp_path: Path) -> None:
    rolls = {f"90000{n}": [who] for n, who in enumerate("abcdefg")}
    on = {f"91000{n}": ["hij", "hij"] for n in range(7)}
    extract = read_files(tmp_path, {"census.csv": flat_census(rolls | on)})
    assert len(told(extract, "silent_school")) == 6
    assert "2 more schools sent no later return" in told(extract, "silent_school")[-1]


def test_rolls_received_in_one_month_fall_silent_only_after_two(tmp_path: Path) -> None:
    header = "UPN,Year,DOB,Admission Date,Leaving Date,URN,Received\n"
    row = f"{UPN[:-1]}{{}},7,2012-01-03,2023-09-04,,{{}},{{}}\n"
    days = [(0, "900001", "2023-10-05"), (1, "900002", "2023-10-05"), (1, "900002", "2023-11-20")]
    files = {f"{n}.csv": header + row.format(*one) for n, one in enumerate(days)}
    assert not told(read_files(tmp_path, files), "silent_school")
    files["9.csv"] = header + row.format(1, "900002", "2024-02-20")
    assert len(told(read_files(tmp_path / "later", files), "silent_school")) == 1


def test_a_roll_without_a_day_received_is_named_with_its_pupils(tmp_path: Path) -> None:
    header = "UPN,Year,DOB,Admission Date,Leaving Date,URN\n"
    row = f"{UPN[:-1]}{{}},7,2012-01-03,2023-09-04,{{}},900001\n"
    text = header + row.format(0, "") + row.format(1, "2024-02-01") + row.format(2, "")
    (words,) = told(read_files(tmp_path, {"roll.csv": text}), "undated_roll")
    assert words.startswith("roll.csv: 2 pupils without a leaving date stay on the roll")
