"""What a source is: plain names of columns, columns that a file lacks, spells and when they are known."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data.codes import codes
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.source import (
    Source,
    column,
    plain,
    school_year,
    spells,
    with_plain_columns,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UPN", "upn"),
        (" LA (code) ", "lacode"),
        ("Type_of-Establishment (name)", "typeofestablishmentname"),
        ("T_Reason_I", "treasoni"),
        ("Reason 1", "reason1"),
        ("Straße", "strae"),
        ("", ""),
        ("--", ""),
        ("/", "slash"),
        (" / ", "slash"),
        ("\\", "backslash"),
        ("#", "hash"),
        ("a/b", "ab"),
    ],
)
def test_a_plain_name_holds_small_letters_and_digits_alone(name: str, expected: str) -> None:
    assert plain(name) == expected


@given(st.text(max_size=12))
def test_a_plain_name_is_plain_and_not_changed_again(name: str) -> None:
    once = plain(name)
    assert once == plain(once)
    assert all(letter.isascii() and (letter.isdigit() or letter.islower()) for letter in once)


def test_every_attendance_code_has_a_plain_name_of_its_own() -> None:
    assert len({plain(code) for code in codes("marks")}) == len(codes("marks"))
    assert "" not in {plain(code) for code in codes("marks")}


@pytest.mark.parametrize(
    ("names", "aliases", "expected"),
    [
        (["UPN", "Start Date"], {}, ["upn", "startdate"]),
        (["UPN", "From"], {"from": "startdate"}, ["upn", "startdate"]),
        (["UPN", "upn"], {}, ["upn"]),
        (["Gender", "Sex"], {"gender": "sex"}, ["sex"]),
        ([1, 2], {}, ["1", "2"]),
        ([], {"gender": "sex"}, []),
    ],
)
def test_of_columns_with_one_plain_name_the_first_is_kept(
    names: list[str], aliases: dict[str, str], expected: list[str]
) -> None:
    raw = pd.DataFrame([list(range(len(names)))] if names else [], columns=names)
    made = with_plain_columns(raw, aliases)
    assert list(made) == expected
    assert made.iloc[:1].to_numpy().ravel().tolist() == list(range(len(expected)))
    assert list(raw) == names


@pytest.mark.parametrize(("name", "missing"), [("upn", False), ("sex", True)])
def test_a_column_that_a_file_lacks_is_empty(name: str, missing: bool) -> None:
    frame = pd.DataFrame({"upn": ["a", "b"]}, index=[4, 7])
    found = column(frame, name)
    assert found.index.tolist() == [4, 7]
    assert found.isna().all() == missing


SPELL = {"pupil_id": ["A"], "from": ["2024-09-02"], "until": ["2025-01-10"]}


@pytest.mark.parametrize(
    ("change", "recorded", "known", "end_known"),
    [
        ({}, None, "2024-10-02", "2025-01-11"),  # 30 days after it began; the day after it ended
        ({}, "2024-09-05", "2024-09-05", "2025-01-11"),
        ({}, "2025-03-01", "2025-03-01", "2025-03-01"),  # an end is not known before its spell
        ({"until": ["2024-09-03"]}, None, "2024-10-02", "2024-10-02"),
        ({"until": [None]}, None, "2024-10-02", None),
        ({"until": ["soon"]}, None, "2024-10-02", None),
        ({"from": ["02/09/2024"], "until": ["10/01/2025"]}, None, "2024-10-02", "2025-01-11"),
        ({"from": ["soon"]}, None, None, "2025-01-11"),
    ],
)
def test_a_spell_and_its_end_are_known_on_days_of_their_own(
    change: dict[str, list[str | None]],
    recorded: str | None,
    known: str | None,
    end_known: str | None,
) -> None:
    day = None if recorded is None else pd.Series(pd.to_datetime([recorded]).as_unit("s"))
    frame = pd.DataFrame(SPELL | change)
    (made,) = spells(frame, "fsm", "from", "until", day, lag_days=30).to_dict("records")
    for found, expected in ((made["recorded_on"], known), (made["end_recorded_on"], end_known)):
        assert pd.isna(found) if expected is None else found == pd.Timestamp(expected)
    assert made["kind"] == "fsm"
    # values go on as they were written, so that messages can show them
    assert made["start_date"] == frame["from"][0]


def test_a_file_without_a_column_of_ends_has_spells_that_last() -> None:
    made = spells(pd.DataFrame(SPELL), "fsm", "from", "gone", lag_days=30)
    assert made[["end_date", "end_recorded_on"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("day", "year"), [("2024-08-31", 2023.0), ("2024-09-01", 2024.0), (None, None)]
)
def test_a_school_year_may_be_missing(day: str | None, year: float | None) -> None:
    (found,) = school_year(pd.Series(pd.to_datetime([day]).astype("datetime64[s]")))
    assert pd.isna(found) if year is None else found == year


@pytest.mark.parametrize("one", SOURCES, ids=lambda one: one.name)
def test_a_source_is_known_by_plain_names_that_no_alias_takes_away(one: Source) -> None:
    names = one.columns
    aliases = one.aliases
    assert names
    assert all(name == plain(name) for name in names)
    assert all(name == plain(name) for name in aliases)
    assert not set(aliases) & names
    # names that a reader joins to a pupil are among those the file must have, or come from another
    upn = one.upn
    assert upn in names | {"", "upn"}


def test_where_one_source_has_all_columns_of_another_the_larger_is_meant() -> None:
    found = {
        (small.name, large.name)
        for small, large in itertools.permutations(SOURCES, 2)
        if small.headings is None and large.headings is None and small.columns < large.columns
    }
    assert found == {
        # one column more
        ("School Census: attendance", "School Census: attendance, second half of summer"),
        # a provider and an end date; the status of an application
        ("Suspensions and exclusions", "Placements with a provider"),
        ("School roll", "Applications for places"),
        # results of two key stages in one file
        ("Key stage 2 results", "Key stage 2 and 4 results"),
        ("Key stage 2 results, prefixed", "Key stage 2 and 4 results"),
        ("Key stage 4 results", "Key stage 2 and 4 results"),
    }
