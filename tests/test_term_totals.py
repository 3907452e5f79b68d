"""Termly totals of one term from two sources, or from a list and its correction, count once.

In:  totals of the School Census, and the LA's own attendance by code.
Out: the half-days of one source; the rows of the other merged or in conflict.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract
from tests.returns import CENSUS, PARTS, UPN, read_beside

POSSIBLE = {
    "census pupils.csv": "".join(
        f"{line},{'termlysessionspossible' if n == 0 else 140}\n"
        for n, line in enumerate(CENSUS["pupils.csv"].splitlines())
    )
}
ABSENT = {"absence.csv": "pupilonrolltableid,attendancereason,sessions\n1,I,10\n1,O,20\n"}
"""Absence of the autumn of 2023, known from 22 February 2024."""

OWN = "UPN,Term End,/,\\,I,M,O\n"


def read_both(folder: Path, *rows: str, header: str = OWN, **more: str) -> Extract:
    """Read the census with its absence, and rows of the LA's own list."""
    own = header + "".join(f"{UPN},{row}\n" for row in rows)
    extract = read_beside(folder, POSSIBLE | ABSENT | {"own.csv": own} | more)
    counts = extract.reconciliation
    assert (counts[PARTS].sum(axis=1) == counts["rows_read"]).all()
    assert counts["rows_conflicting"].sum() == len(extract.conflicts)
    return extract


def half_days(extract: Extract) -> dict[str, int]:
    """Return the half-days of each code."""
    totals = extract.tables["absence_totals"]
    return {
        str(m): int(n)
        for m, n in totals.groupby("mark", observed=True)["sessions"].sum().items()
        if n
    }


def parts_of(extract: Extract, file: str) -> list[int]:
    return extract.reconciliation.set_index("file").loc[file, PARTS].tolist()


CENSUS_ALONE = {"/": 110, "I": 10, "O": 20}


def test_equal_totals_of_a_term_from_two_sources_are_merged(tmp_path: Path) -> None:
    extract = read_both(tmp_path, "20/12/2023,55,55,10,0,20")
    assert half_days(extract) == CENSUS_ALONE
    assert parts_of(extract, "own.csv") == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "row", ["20/12/2023,55,55,12,0,20", "20/12/2023,60,60,0,0,20", "20/12/2023,55,55,10,3,20"]
)
def test_other_totals_of_a_term_from_two_sources_are_in_conflict(tmp_path: Path, row: str) -> None:
    extract = read_both(tmp_path, row)
    assert half_days(extract) == CENSUS_ALONE  # known first
    assert parts_of(extract, "own.csv") == [0, 0, 0, 1]
    (message,) = extract.problems.query("rule == 'conflict'")["message"].unique()
    assert message.startswith(
        "own.csv, row 2: says something else in sessions than row 2 of absence.csv"
    )
    assert "Of two sources of one term the one known first counts" in message


def test_half_terms_of_one_source_are_one_term_of_the_other(tmp_path: Path) -> None:
    extract = read_both(tmp_path, "27/10/2023,30,30,4,0,20", "20/12/2023,25,25,6,0,0")
    assert half_days(extract) == {
        "/": 55,
        "\\": 55,
        "I": 10,
        "O": 20,
    }  # its first half was known first
    assert parts_of(extract, "own.csv") == [2, 0, 0, 0]
    assert parts_of(extract, "absence.csv") == [0, 2, 0, 0]


def test_possible_half_days_complete_a_list_that_was_known_first(tmp_path: Path) -> None:
    day = pd.Timestamp("2024-02-22") - pd.Timedelta(days=91)
    extract = read_both(tmp_path, f"{day:%d/%m/%Y},10,0,20", header="UPN,Term End,I,M,O\n")
    assert half_days(extract)["I"] == 10


def test_half_terms_of_one_list_are_added_up(tmp_path: Path) -> None:
    own = f"{OWN}{UPN},27/10/2023,30,30,4,0,20\n{UPN},20/12/2023,25,25,6,0,0\n"
    extract = read_beside(tmp_path, {"own.csv": own})
    assert half_days(extract) == {"/": 55, "\\": 55, "I": 10, "O": 20}


@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize(
    ("corrected", "expected", "conflicts"),
    [
        ("21/12/2023,55,55,10,0,20", {"/": 55, "\\": 55, "I": 10, "O": 20}, 0),
        ("20/12/2023,55,55,0,10,20", None, 1),
        ("20/12/2023,0,0,0,0,0", {"/": 55, "\\": 55, "I": 10, "O": 20}, 0),
    ],
)
def test_a_list_and_its_correction_are_not_added_up(
    tmp_path: Path,
    order: tuple[int, ...],
    corrected: str,
    expected: dict[str, int] | None,
    conflicts: int,
) -> None:
    rows = ("20/12/2023,55,55,10,0,20", corrected)
    own = {
        f"{name}.csv": f"{OWN}{UPN},{rows[place]}\n"
        for name, place in zip("ab", order, strict=True)
    }
    extract = read_beside(tmp_path, own)
    found = half_days(extract)
    assert sum(found.values()) == 140
    assert expected in (None, found)
    assert len(extract.conflicts) == conflicts


def test_two_schools_of_the_census_still_add_up_beside_a_list(tmp_path: Path) -> None:
    extract = read_both(tmp_path, "28/03/2024,50,50,5,0,0")  # the spring, which the census lacks
    assert half_days(extract) == {"/": 160, "\\": 50, "I": 15, "O": 20}
