"""Pupils whom a later return of their school no longer has on roll, and no table of leavers names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.read import Extract
from tests.returns import UPN, read_files

DAYS = ["2023-10-05", "2024-01-18", "2024-05-16", "2024-10-03", "2025-01-16"]
"""Census days; the LA holds a return 35 days later."""


def census(rolls: Mapping[str, list[str]], *more: str) -> str:
    """Return a flat census: who is on which roll, a letter per pupil and a list of letters per day."""
    rows = ["UPN,DOB,EntryDate,CensusDate,URN,NCyearActual", *more]
    for urn, days in rolls.items():
        for day, letters in zip(DAYS, days, strict=False):
            group = 7 + (day > "2024-08")
            rows += [
                f"{UPN[:-1]}{'abcdefghij'.index(who)},2011-10-03,2023-09-04,{day},{urn},{group}"
                for who in letters
            ]
    return "\n".join([*rows, ""])


def read_census(folder: Path, text: str) -> Extract:
    return read_files(folder, {"census.csv": text})


def ends(tables: Tables, known: str) -> list[str]:
    """Return school and last day of the spells that had ended, as known on a day."""
    rolls = tables.as_known(pd.Timestamp(known))["enrolments"]
    ended = rolls[rolls["leaving_date"].notna()]
    return sorted(
        f"{s} {d:%F}" for s, d in zip(ended["school_id"], ended["leaving_date"], strict=True)
    )


def test_a_spell_that_the_next_census_of_the_school_lacks_ends_and_is_known_from_it(
    tmp_path: Path,
) -> None:
    rolls = {"900001": ["abcd", "abcd", "abc"], "900002": ["efgh", "efgh", "efgh"]}
    extract = read_census(tmp_path, census(rolls))
    assert ends(extract.tables, "2024-06-20") == []  # the return of May is known from that day
    assert ends(extract.tables, "2024-06-21") == ["900001 2024-01-18"]
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
    tables = read_census(tmp_path, census(rolls)).tables
    assert ends(tables, "2025-06-01") == expected


def test_a_pupil_who_is_on_roll_again_was_off_roll_as_known_in_between(tmp_path: Path) -> None:
    extract = read_census(tmp_path, census({"900001": ["abcd", "abc", "abcd"]}))
    assert ends(extract.tables, "2024-03-01") == ["900001 2023-10-05"]
    assert len(extract.tables.as_known(pd.Timestamp("2024-07-01"))["enrolments"]) == 4
    assert "end_taken_back" in set(extract.problems["rule"])


def test_a_move_between_two_returns_ends_the_roll_on_the_day_before(tmp_path: Path) -> None:
    moved = f"{UPN[:-1]}3,2011-10-03,2024-01-08,2024-01-18,900002,7"
    rolls = {"900001": ["abcd", "abc"], "900002": ["efgh", "efgh"]}
    tables = read_census(tmp_path, census(rolls, moved)).tables
    assert ends(tables, "2024-03-01") == ["900001 2024-01-07"]
    reasons = tables["enrolments"]["leaving_reason"].dropna()
    assert reasons.tolist() == ["transferred"]


def test_a_row_that_is_set_aside_for_another_fault_shows_that_the_pupil_is_there(
    tmp_path: Path,
) -> None:
    text = census({"900001": ["abcd", "abcd"]})
    lines = text.splitlines()
    lines[-1] = lines[-1].replace("2023-09-04", "ask the office")
    extract = read_census(tmp_path, "\n".join([*lines, ""]))
    assert ends(extract.tables, "2024-06-01") == []


def test_an_entry_after_the_last_return_that_had_the_pupil_is_a_second_spell(
    tmp_path: Path,
) -> None:
    lines = census({"900001": ["abcd", "abcd"]}).splitlines()
    lines[-1] = lines[-1].replace("2023-09-04", "2024-01-08")
    tables = read_census(tmp_path, "\n".join([*lines, ""])).tables
    assert ends(tables, "2024-03-01") == ["900001 2023-10-05"]


def test_two_rolls_of_a_school_are_compared_by_the_day_received(tmp_path: Path) -> None:
    header = "UPN,Year,DOB,Admission Date,Leaving Date,URN,Received\n"
    row = f"{UPN[:-1]}{{}},7,2012-01-03,2023-09-04,,900001,{{}}\n"
    rolls = [("2023-09-10", "012"), ("2024-01-10", "01")]
    files = {
        f"roll {day}.csv": header + "".join(row.format(who, day) for who in all_)
        for day, all_ in rolls
    }
    tables = read_files(tmp_path, files).tables
    assert ends(tables, "2024-01-10") == []
    assert ends(tables, "2024-01-11") == ["900001 2023-09-10"]
