"""Two UPNs of one child, and two children with one UPN: what the names of pupils show."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, read_files

HEADER = "UPN,FormerUPN,Surname,Forename,DOB,EntryDate,CensusDate,URN,NCyearActual\n"
OTHER = f"{UPN[:-1]}9"


def read_census(folder: Path, *rows: str) -> Extract:
    """Read a flat census of pupils from UPN, former UPN, names, birth, entry and census day."""
    lines = [f"{row},900001,7" for row in rows]
    return read_files(folder, {"census.csv": "\n".join([HEADER.strip(), *lines, ""])})


@pytest.mark.parametrize(
    ("second", "n"),
    [
        (f"{OTHER},,doe ,Ada,2012-10-03,04/09/2023,2024-01-18", 1),
        (f"{OTHER},{UPN},Doe,Ada,2012-10-03,2023-09-04,2024-01-18", 0),  # joined
        (f"{OTHER},,Doe,Eve,2012-10-03,2023-09-04,2024-01-18", 0),  # twins
        (f"{OTHER},,Doe,Ada,2012-10-04,2023-09-04,2024-01-18", 0),
        (f"{OTHER},,Doe,Ada,2012-10-03,2024-01-08,2024-01-18", 0),
    ],
    ids=["same", "former", "forename", "birth", "entry"],
)
def test_two_upns_with_the_same_names_and_days_are_reported(
    tmp_path: Path, second: str, n: int
) -> None:
    extract = read_census(tmp_path, f"{UPN},,Doe,Ada,2012-10-03,2023-09-04,2023-10-05", second)
    told = extract.problems.loc[extract.problems["rule"] == "two_upns", "message"].tolist()
    assert [one.startswith("census.csv: 1 UPNs, the first in row 3, have the") for one in told] == (
        [True] * n
    )
    assert not any("doe" in one.lower() or "ada" in one.lower() for one in told)


@pytest.mark.parametrize(
    ("forename", "day", "n"),
    [
        ("Eve", "2023-10-05", 1),
        ("ADA-Mae", "2023-10-05", 0),  # the same name, in full
        ("Eve", "2024-01-18", 0),  # a pupil may change names
    ],
)
def test_two_forenames_of_one_upn_in_one_return_are_reported(
    tmp_path: Path, forename: str, day: str, n: int
) -> None:
    extract = read_census(
        tmp_path,
        f"{UPN},,Doe,Ada,2012-10-03,2023-09-04,2023-10-05",
        f"{UPN},,Doe,{forename},2012-10-03,2023-09-04,{day}",
    )
    told = extract.problems.loc[extract.problems["rule"] == "two_forenames", "message"].tolist()
    words = "census.csv: 1 UPNs have two forenames in one return, the first in rows 2 and 3."
    assert [one.startswith(words) for one in told] == [True] * n
