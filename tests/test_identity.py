"""Unique pupil numbers: check letters, the key, pseudonyms."""

from __future__ import annotations

import stat
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.identity import (
    LETTERS,
    load_key,
    may_identify,
    pseudonyms,
    upn_check_letters,
    with_names,
    without_upns,
)
from riskmodel.errors import DataError

KEY = bytes(range(32))
bodies = st.from_regex(r"[0-9]{11}[0-9A-Z]", fullmatch=True)


def slow_check_letter(body: str) -> str:
    """The DfE's rule written out: position times value, summed, modulo 23."""
    total = 0
    for position, character in enumerate(body, start=2):
        value = int(character) if character.isdigit() else max(0, LETTERS.find(character))
        total += position * value
    return LETTERS[total % 23]


@pytest.mark.parametrize(
    ("body", "letter"),
    # DfE, UPN guide: the published examples, the second of them a temporary UPN
    [("201100018042", "R"), ("20110001804V", "T"), ("801200001001", "H")],
)
def test_check_letter_agrees_with_the_published_examples(body: str, letter: str) -> None:
    assert upn_check_letters(pd.Series(["A" + body])).tolist() == [letter]
    assert slow_check_letter(body) == letter


@settings(max_examples=50, deadline=None)
@given(st.lists(bodies, min_size=1, max_size=8))
def test_check_letters_equal_the_slow_reference(several: list[str]) -> None:
    upns = pd.Series(["A" + body for body in several])
    assert upn_check_letters(upns).tolist() == [slow_check_letter(body) for body in several]


@settings(max_examples=50, deadline=None)
@given(bodies.filter(str.isdigit), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body: str, place: int, shift: int) -> None:
    # 23 is prime and divides neither a position (2 to 13) nor a difference (1 to 9)
    wrong = body[:place] + str((int(body[place]) + shift) % 10) + body[place + 1 :]
    letters = upn_check_letters(pd.Series(["A" + body, "A" + wrong]))
    assert letters[0] != letters[1]


@pytest.mark.parametrize(
    "upn", ["", "R20110001804", "R2011000180422", "1201100018042", "R20110001804-"]
)
def test_no_check_letter_for_another_form(upn: str) -> None:
    assert upn_check_letters(pd.Series([upn])).isna().all()


def test_a_lower_case_upn_has_the_same_letter() -> None:
    assert upn_check_letters(pd.Series(["t20110001804v"])).tolist() == ["T"]


def test_pseudonym_is_stable_and_gives_away_nothing_of_the_upn() -> None:
    upns = pd.Series(["R201100018042", "r201100018042", "H801200001001", None], dtype="str")
    first = pseudonyms(upns, KEY)
    assert first[0] == first[1] != first[2]
    assert first[:3].str.fullmatch(r"P[A-Z2-7]{16}").all()
    assert pd.isna(first[3])
    assert not first[:3].str.contains("2011|8012").any()


def test_another_key_gives_other_pseudonyms() -> None:
    upns = pd.Series(["R201100018042"])
    assert pseudonyms(upns, KEY)[0] != pseudonyms(upns, bytes(32))[0]


def test_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "pseudonym.key"
    key = load_key(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key
    assert load_key(tmp_path / "another.key") != key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pseudonym.key"
    load_key(path)
    path.chmod(mode)
    with pytest.raises(DataError, match="can be read by others.*chmod 600"):
        load_key(path)


def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(DataError, match="holds 5 bytes, not 32"):
        load_key(path)


UPNS = ["R201100018042", "H801200001001"]


def test_names_come_back_only_with_key_and_lookup(tmp_path: Path) -> None:
    key = tmp_path / "key"
    ranking = pd.DataFrame(
        {
            "rank": [1, 2],
            "pupil_id": pseudonyms(pd.Series([UPNS[0], "T20110001804V"]), load_key(key)),
        }
    )
    people = pd.DataFrame({"upn": [UPNS[1], UPNS[0].lower()], "name": ["Roe", "Doe"]})
    named = with_names(ranking, people, key_file=key)
    assert list(named) == ["upn", "name", "rank", "pupil_id"]
    assert named["rank"].tolist() == [1, 2]
    assert named["name"].iloc[0] == "Doe"
    assert named["name"].isna().tolist() == [False, True]
    (tmp_path / "other").write_bytes(bytes(32))
    (tmp_path / "other").chmod(0o600)
    with pytest.raises(DataError, match="another key"):
        with_names(ranking, people, key_file=tmp_path / "other")
    with pytest.raises(DataError, match="no key file"):
        with_names(ranking, people, key_file=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(DataError, match="no column 'upn'"):
        with_names(ranking, people.drop(columns="upn"), key_file=key)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plans/A801234500001 notes.csv", "plans/(UPN) notes.csv"),
        ("A8012 345 00001.csv", "(UPN).csv"),
        ("b.xlsx, sheet a 8012345 0000 1", "b.xlsx, sheet (UPN)"),
        ("autumn 2024 10 03 900001 12.csv", "autumn 2024 10 03 900001 12.csv"),
        ("pupilonroll 20241003 900001.csv", "pupilonroll 20241003 900001.csv"),
    ],
)
def test_a_upn_in_the_name_of_a_file_is_not_shown(name: str, shown: str) -> None:
    assert without_upns(name) == shown


@pytest.mark.parametrize("name", ["Martin", "Mary", "Julia", "Augustus 2", "May", "Octavia 3 Sept"])
def test_a_name_that_begins_as_a_month_may_identify(name: str) -> None:
    assert may_identify(name)


@pytest.mark.parametrize(
    "day", ["3 Sept 2024", "15-Jan-24", "1 May 2024", "August 2024", "2024-MAR-01"]
)
def test_a_month_in_a_date_identifies_nobody(day: str) -> None:
    assert not may_identify(day)
