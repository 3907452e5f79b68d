"""Pupils whom a later return of their school no longer has on roll, and no table of leavers names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, flat_census, last_days, read_files


def read_census(folder: Path, text: str) -> Extract:
    return read_files(folder, {"census.csv": text})


def test_a_spell_that_the_next_census_of_the_school_lacks_ends_and_is_known_from_it(
    tmp_path: Path,
) -> None:
    rolls = {"900001": ["abcd", "abcd", "abc"], "900002": ["efgh", "efgh", "efgh"]}
    extract = read_census(tmp_path, flat_census(rolls))
    assert last_days(extract.tables, "2024-06-20") == []  # the return of May is known from that day
    assert last_days(extract.tables, "2024-06-21") == ["900001 2024-01-18"]
    (told,) = extract.problems.loc[extract.problems["rule"] == "roll_gone", "message"]
    assert told.startswith("enrolments: 1 spells on rolls of 1 schools are in a return and not in")


@pytest.mark.parametrize(
    ("rolls", "expected"),
    [
        ({"900001": ["abcd"], "900002": ["efgh", "efgh"]}, []),  # no later return of the school
        ({"900001": ["abcd", "a"]}, []),  # one in four: a part of the school
        ({"900001": ["abcd", "a", "abc"]}, ["900001 2023-10-05"]),  # the whole one after the part
        ({"900001": ["abcd", "abc", "abcd"]}, []),  # on roll again: one spell
        ({"900001": ["abcd", "abcd", "abcd", "ab"]}, ["900001 2024-07-31"] * 2),  # a summer between
    ],
    ids=["no_return", "part", "after_part", "again", "summer"],
)
def test_what_ends_a_spell(
    tmp_path: Path, rolls: dict[str, list[str]], expected: list[str]
) -> None:
    tables = read_census(tmp_path, flat_census(rolls)).tables
    assert last_days(tables, "2025-06-01") == expected


def test_a_pupil_who_is_on_roll_again_was_off_roll_as_known_in_between(tmp_path: Path) -> None:
    extract = read_census(tmp_path, flat_census({"900001": ["abcd", "abc", "abcd"]}))
    assert last_days(extract.tables, "2024-03-01") == ["900001 2023-10-05"]
    assert len(extract.tables.as_known(pd.Timestamp("2024-07-01"))["enrolments"]) == 4
    assert "end_taken_back" in set(extract.problems["rule"])


def test_a_move_between_two_returns_ends_the_roll_on_the_day_before(tmp_path: Path) -> None:
    moved = f"{UPN[:-1]}3,2011-10-03,2024-01-08,2024-01-18,900002,7"
    rolls = {"900001": ["abcd", "abc"], "900002": ["efgh", "efgh"]}
    tables = read_census(tmp_path, flat_census(rolls, moved)).tables
    assert last_days(tables, "2024-03-01") == ["900001 2024-01-07"]
    reasons = tables["enrolments"]["leaving_reason"].dropna()
    assert reasons.tolist() == ["transferred"]


def test_a_row_that_is_set_aside_for_another_fault_shows_that_the_pupil_is_there(
    tmp_path: Path,
) -> None:
    text = flat_census({"900001": ["abcd", "abcd"]})
    lines = text.splitlines()
    lines[-1] = lines[-1].replace("2023-09-04", "ask the office")
    extract = read_census(tmp_path, "\n".join([*lines, ""]))
    assert last_days(extract.tables, "2024-06-01") == []


def test_an_entry_after_the_last_return_that_had_the_pupil_is_a_second_spell(
    tmp_path: Path,
) -> None:
    lines = flat_census({"900001": ["abcd", "abcd"]}).splitlines()
    lines[-1] = lines[-1].replace("2023-09-04", "2024-01-08")
    tables = read_census(tmp_path, "\n".join([*lines, ""])).tables
    assert last_days(tables, "2024-03-01") == ["900001 2023-10-05"]


def test_two_rolls_of_a_school_are_compared_by_the_day_received(tmp_path: Path) -> None:
    header = "UPN,Year,DOB,Admission Date,Leaving Date,URN,Received\n"
    row = f"{UPN[:-1]}{{}},7,2012-01-03,2023-09-04,,900001,{{}}\n"
    rolls = [("2023-09-10", "012"), ("2024-01-10", "01")]
    files = {
        f"roll {day}.csv": header + "".join(row.format(who, day) for who in all_)
        for day, all_ in rolls
    }
    tables = read_files(tmp_path, files).tables
    assert last_days(tables, "2024-01-10") == []
    assert last_days(tables, "2024-01-11") == ["900001 2023-09-10"]
