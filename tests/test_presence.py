"""A census gives absence by code and possible half-days as one number: what is left was in school."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import read
from riskmodel.data.read.returns.presence import with_presence
from tests.returns import CENSUS, PARTS, UPN, read_beside
from tests.strategies import table_of

HEADER = CENSUS["pupils.csv"].split("\n", 1)[0]


def read_census(folder: Path, possible: str, details: str) -> pd.DataFrame:
    """Return the totals of autumn 2023 from a spring census of one pupil."""
    row = CENSUS["pupils.csv"].split("\n")[1]
    folder.mkdir()
    (folder / "schoolcensus.csv").write_text(CENSUS["schoolcensus.csv"])
    (folder / "on.csv").write_text(f"{HEADER},termlysessionspossible\n{row},{possible}\n")
    lines = "pupilonrolltableid,attendancereason,sessions\n" + details
    (folder / "termlysessiondetailsonroll.csv").write_text(lines)
    extract = read(folder, key_file=folder.parent / "x.key")
    counts = extract.reconciliation
    assert (counts["rows_read"] == counts[PARTS].sum(axis=1)).all()
    assert extract.rejects.empty
    assert (extract.tables["absence_totals"]["term_end"] == pd.Timestamp("2023-12-31")).all()
    return extract.tables["absence_totals"]


@pytest.mark.parametrize(
    ("possible", "details", "expected"),
    [
        ("140", "1,I,6\n1,O,4\n", {"/": 130, "I": 6, "O": 4}),
        ("10", "1,I,6\n1,O,4\n", {"I": 6, "O": 4}),  # never in school
        ("8", "1,I,6\n1,O,4\n", {"I": 6, "O": 4}),  # more absence than was possible
        ("", "1,I,6\n", {"I": 6}),
        ("?", "1,I,6\n", {"I": 6}),
        ("999", "1,I,6\n", {"I": 6}),  # no term is so long
        ("140", "1,I,6\n1,/,100\n", {"/": 100, "I": 6}),  # presence is listed
        ("140", "1,I,6\n1,D,8\n", {"/": 134, "D": 8, "I": 6}),  # half-days that were not possible
        ("140", "1,I,6\n1,L,4\n1,B,5\n", {"/": 125, "L": 4, "B": 5, "I": 6}),  # possible ones
    ],
)
def test_what_absence_leaves_of_the_possible_half_days_was_in_school(
    possible: str, details: str, expected: dict[str, int], tmp_path: Path
) -> None:
    totals = read_census(tmp_path / "x", possible, details)
    found = dict(zip(totals["mark"].astype("str"), totals["sessions"].tolist(), strict=True))
    assert found == expected


@pytest.mark.parametrize(
    ("possible", "details", "rows"),
    [("8", "1,I,6\n1,O,4\n", [2]), ("10", "1,I,6\n1,O,4\n", []), ("8", "1,I,6\n1,D,4\n", [])],
)
def test_more_absence_than_possible_half_days_is_named(
    possible: str, details: str, rows: list[int], tmp_path: Path
) -> None:
    read_census(tmp_path / "x", possible, details)
    problems = read(tmp_path / "x", key_file=tmp_path / "x.key").problems
    assert problems.loc[problems["rule"] == "beyond_possible", "row"].tolist() == rows


OTHER_BODY = "000000120003"
OTHER = str(upn_check_letters(pd.Series(["A" + OTHER_BODY]))[0]) + OTHER_BODY


def test_a_pupil_without_absence_was_in_school_if_the_tables_of_that_term_are_there(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "schoolcensus.csv").write_text(CENSUS["schoolcensus.csv"])
    first, second = CENSUS["pupils.csv"].split("\n")[1:3]  # of spring, and of autumn
    rows = [
        f"{first},140",
        f"{first.replace(UPN, OTHER).replace('1,', '3,', 1)},150",
        f"{second},120",
    ]
    (folder / "on.csv").write_text("\n".join([f"{HEADER},termlysessionspossible", *rows, ""]))
    (folder / "termlysessiondetailsonroll.csv").write_text(
        "pupilonrolltableid,attendancereason,sessions\n1,I,6\n"
    )
    totals = read(folder, key_file=tmp_path / "x.key").tables["absence_totals"]
    # the summer before has no table of absence, so nobody counts as in school
    assert set(totals["term_end"]) == {pd.Timestamp("2023-12-31")}
    assert sorted(totals["sessions"]) == [6, 134, 150]


def test_of_two_schools_or_of_a_total_that_changed_presence_is_not_known() -> None:
    def rows(name: str, *facts: dict[str, Any]) -> pd.DataFrame:
        made = table_of(name, list(facts))
        return made.assign(_file=0, _place=range(len(made)))

    term, known = {"term_end": "2023-12-31"}, {"recorded_on": "2024-02-22"}
    ill = {"mark": "I", "sessions": 6} | term
    totals = rows(
        "absence_totals",
        {"pupil_id": "A"} | ill | known,
        {"pupil_id": "B"} | ill | known,
        {"pupil_id": "C"} | ill | known,
        {"pupil_id": "C"} | ill | {"sessions": 8, "recorded_on": "2024-06-01"},
    )
    possible = rows(
        "absence_totals",
        *({"pupil_id": name, "sessions": 140} | term | known for name in ("A", "A", "B", "B", "C")),
    )
    schools = ["S1", "S1", "S1", "S2", "S1"]  # A came twice, B was at two schools
    made = with_presence(totals, possible.drop(columns="mark").assign(_school=schools))
    present = made[(made["mark"] == "/").to_numpy()]
    assert present[["pupil_id", "sessions"]].to_numpy().tolist() == [["A", 134]]


@pytest.mark.parametrize(
    "name", ["Sessions Possible", "Possible sessions", "TermlySessionsPossible"]
)
def test_more_absence_by_code_than_possible_half_days_is_a_warning(
    name: str, tmp_path: Path
) -> None:
    rows = f"UPN,Census Day,{name},I,M,O,/\n{UPN},2024-01-18,140,141,0,0,20\n"
    extract = read_beside(tmp_path, {"codes.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "beyond_possible", "message"]
    assert message.startswith("codes.csv: 1 rows hold more absence than possible half-days.")
    assert extract.tables["absence_totals"].query("mark == 'I'")["sessions"].tolist() == [141]
