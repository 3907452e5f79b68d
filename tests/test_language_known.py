"""P2 for the one point that RONI asks of a language: only what the LA knew before the day."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.jobs.rivals import additional_language
from tests.returns import CENSUS, UPN, read_beside

HEADER, JANUARY, OCTOBER = CENSUS["pupils.csv"].strip().split("\n")


def of_two_censuses(folder: Path, january: str, october: str) -> Tables:
    """Read a pupil whose language two censuses reported, of January and of October 2024."""
    rows = [f"{HEADER},language", f"{JANUARY},{january}", f"{OCTOBER},{october}"]
    return read_beside(folder, {"census pupils.csv": "\n".join(rows) + "\n"}).tables


@pytest.mark.parametrize(
    ("january", "october", "points"),
    [
        ("URD", "URD", [0, 1, 1]),
        ("", "URD", [0, 0, 1]),  # reported in October: no point on a list of March
        ("ENG", "URD", [0, 0, 1]),
        ("ENG", "ENG", [0, 0, 0]),
        ("URD", "", [0, 1, 1]),
    ],
)
def test_a_language_counts_from_the_day_on_which_the_la_learned_it(
    tmp_path: Path, january: str, october: str, points: list[float]
) -> None:
    tables = of_two_censuses(tmp_path, january, october)
    pupils = pd.Series(tables["pupils"]["pupil_id"])
    assert len(pupils) == 1
    assert UPN not in pupils.astype("str").tolist()
    days = pd.to_datetime(["2024-01-18", "2024-03-01", "2025-03-01"])
    assert [additional_language(tables, pupils, day).item() for day in days] == points


def test_a_language_without_a_day_counts_as_known() -> None:
    pupils = pd.DataFrame(
        {"pupil_id": pd.Categorical(["A", "B"]), "first_language": ["URD", "ENG"]}
    )
    day = pd.Timestamp("2024-03-01")
    found = additional_language(Tables({"pupils": pupils}), pupils["pupil_id"], day)
    assert found.tolist() == [1.0, 0.0]
