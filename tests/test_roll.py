"""School rolls: the year group at entry follows from the year shown, whatever else the roll holds."""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.roll import year_groups_in_words
from riskmodel.data.read.sources.source import Context, with_plain_columns

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
