"""Lists with the columns of another kind: placements beside exclusions, applications beside rolls.

In:  a list, beside a small census.
Out: it is read, or refused with what would make it certain.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.read import propose_mapping
from tests.returns import UPN, read_beside

PLACED = "UPN,School,Category,Start Date"
ROLL = "UPN,Year Group,School,Admission Date"


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("list.csv", PLACED, "900001,Permanent,04/09/2023"),
        ("list.csv", PLACED, "900001,Fixed Term,04/09/2023"),
        ("list.csv", f"{PLACED},End Date", "900001,Permanent,04/09/2023,20/12/2023"),
        ("list.csv", f"{PLACED},Provider", "900001,PERM,04/09/2023,A unit"),
        ("list.csv", f"{PLACED},Days,Host school", "900001,Fixed Term,04/09/2023,5,4002"),
        ("list.csv", f"{PLACED},Reason,AP provider", "900001,Fixed Term,04/09/2023,Medical,A unit"),
        ("Managed moves.csv", f"{PLACED},Days", "900001,Fixed Term,04/09/2023,30"),
        ("AP placements.csv", PLACED, "900001,PERM,04/09/2023"),
    ],
)
def test_a_list_that_may_be_one_of_placements_is_refused(
    tmp_path: Path, name: str, header: str, row: str
) -> None:
    extract = read_beside(tmp_path, {name: f"{header}\n{UPN},{row}\n"})
    assert "suspensions" not in extract.tables
    (words,) = extract.problems.query("rule == 'unsure_file' and severity == 'error'")["message"]
    assert words.startswith(f"{name}: It has the columns of a list of exclusions")
    assert "write the Category as SUSP or PERM" in words
    assert "[sources." in propose_mapping(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "header", "row"),
    [
        ("list.csv", PLACED, "900001,SUSP,04/09/2023"),
        ("list.csv", PLACED, "900001,PERM,04/09/2023"),
        ("list.csv", PLACED, "900001,Permanent exclusion,04/09/2023"),
        ("list.csv", f"{PLACED},Reason", "900001,Permanent,04/09/2023,PP"),
        ("list.csv", f"{PLACED},Days", "900001,Fixed Term,04/09/2023,5"),
        ("list.csv", f"{PLACED},Date notified", "900001,Fixed Term,04/09/2023,05/09/2023"),
        ("list.csv", f"{PLACED},Exclusion id", "900001,Permanent,04/09/2023,17"),
        ("list.csv", f"{PLACED},Provider,Reason", "900001,Permanent,04/09/2023,A unit,PP"),
        ("list.csv", f"{PLACED},End Date,Provider", "900001,SUSP,04/09/2023,05/09/2023,A unit"),
        (
            "list.csv",
            f"{PLACED},End Date,Reason,Provider",
            "900001,Permanent,04/09/2023,,PA,A unit (day 6)",
        ),
        ("Exclusions 2023.csv", PLACED, "900001,Permanent,04/09/2023"),
    ],
)
def test_a_list_of_exclusions_is_read(tmp_path: Path, name: str, header: str, row: str) -> None:
    extract = read_beside(tmp_path, {name: f"{header}\n{UPN},{row}\n"})
    assert len(extract.tables["suspensions"]) == 1
    assert extract.problems.query("rule == 'unsure_file'").empty


@pytest.mark.parametrize(
    ("name", "header", "rows"),
    [
        ("list.csv", f"{ROLL},Preference", ["900002,11/11/2023,1"]),
        ("list.csv", f"{ROLL},Date applied", ["900002,11/11/2023,01/10/2023"]),
        ("In-year applications.csv", ROLL, ["900002,11/11/2023"]),
        ("list.csv", ROLL, ["900002,11/11/2023", "900003,11/11/2023"]),
    ],
)
def test_a_list_that_may_be_one_of_applications_is_refused(
    tmp_path: Path, name: str, header: str, rows: list[str]
) -> None:
    text = "\n".join([header, *(f"{UPN},Year 7,{row}" for row in rows), ""])
    extract = read_beside(tmp_path, {name: text})
    assert extract.tables["enrolments"]["school_id"].tolist() == ["900001"]
    (words,) = extract.problems.query("rule == 'unsure_file' and severity == 'error'")["message"]
    assert words.startswith(f"{name}: It has the columns of a roll")


@pytest.mark.parametrize(("more", "is_bare"), [("", True), (",Reg Group", False)])
def test_a_roll_that_could_be_a_list_of_applications_is_reported(
    tmp_path: Path, more: str, is_bare: bool
) -> None:
    row = f"{UPN},Year 7,900001,04/09/2023" + ",7A" * bool(more)
    extract = read_beside(tmp_path, {"list.csv": f"{ROLL}{more}\n{row}\n"})
    assert len(extract.problems.query("rule == 'bare_roll'")) == is_bare
