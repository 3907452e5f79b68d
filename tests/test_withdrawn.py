"""Rows that their own file marks as withdrawn, cancelled, deleted, refused or a draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, read_beside


def beside(folder: Path, header: str, *rows: str) -> Extract:
    """Read rows of the pupil of the census."""
    lines = "".join(f"{UPN},{row}\n" for row in rows)
    return read_beside(folder, {"list.csv": f"UPN,{header}\n{lines}"})


def said(extract: Extract) -> str:
    """Return what was reported."""
    return extract.problems["message"].str.cat(sep=" ")


@pytest.mark.parametrize(
    ("header", "answers", "n_kept"),
    [
        ("Status", ("Upheld", "Withdrawn", "Overturned by governors", "Quashed at IRP"), 1),
        ("Outcome of GDC", ("Upheld", "Reinstated", "Not reinstated", ""), 3),
        ("IRP Outcome", ("Quashed - reconsidered", "Declined: not quashed"), 1),
        ("Cancelled", ("Y", "N", "", "Yes"), 2),
        ("Date Withdrawn", ("20/03/2024", ""), 1),
    ],
)
def test_an_exclusion_that_was_taken_back_is_set_aside(
    tmp_path: Path, header: str, answers: tuple[str, ...], n_kept: int
) -> None:
    rows = [f"900001,PERM,0{n}/03/2024,{answer}" for n, answer in enumerate(answers, 4)]
    extract = beside(tmp_path, f"URN,Category,Start Date,{header}", *rows)
    assert len(extract.tables["suspensions"]) == n_kept
    assert extract.rejects["reason"].tolist() == ["withdrawn"] * (len(answers) - n_kept)
    assert f"{len(answers) - n_kept} of {len(answers)} rows do not count by" in said(extract)


def test_an_answer_of_a_panel_that_is_not_known_is_named_and_its_row_counts(tmp_path: Path) -> None:
    row = "900001,PERM,04/03/2024,Directed to think again"
    extract = beside(tmp_path, "URN,Category,Start Date,IRP Decision", row)
    assert len(extract.tables["suspensions"]) == 1
    assert "the column 'IRP Decision' holds 1 words other" in said(extract)


@pytest.mark.parametrize(
    ("header", "dead", "alive"),
    [
        ("Date,Session,Mark,IsDeleted", "07/10/2024,AM,O,1", "07/10/2024,PM,I,0"),
        ("EHE Start Date,Record Status", "07/10/2024,Entered in error", "08/10/2024,Open"),
        ("StartDate,CeaseDate,CeaseReason,Status", "07/10/2022,,,Draft", "07/10/2023,,,Final"),
        (
            "Service,Start Date,End Date,Status",
            "Early Help,01/11/2023,,Refused",
            "Early Help,01/12/2023,01/02/2024,Closed",
        ),
    ],
)
def test_a_row_of_any_list_that_does_not_count_is_set_aside(
    tmp_path: Path, header: str, dead: str, alive: str
) -> None:
    extract = beside(tmp_path, header, dead, alive)
    assert extract.rejects[["row", "reason"]].values.tolist() == [[2, "withdrawn"]]


def test_a_request_that_was_withdrawn_was_made(tmp_path: Path) -> None:
    header = "ReceivedDate,RequestOutcome,RequestOutcomeDate,Status"
    extract = beside(tmp_path, header, "07/10/2022,W,01/11/2022,Withdrawn")
    assert extract.tables["plans"]["outcome"].tolist() == ["withdrawn"]


def test_a_closed_spell_without_a_last_day_is_set_aside(tmp_path: Path) -> None:
    rows = ("Early Help,01/11/2023,01/02/2024,Closed", "Early Help,01/12/2023,,Closed")
    extract = beside(tmp_path, "Service,Start Date,End Date,Status", *rows)
    assert len(extract.tables["circumstances"]) == 1
    assert extract.rejects["reason"].tolist() == ["no_end"]
    assert "Fill in the last day." in said(extract)


def test_a_client_who_died_or_left_or_is_a_duplicate_has_no_destination(tmp_path: Path) -> None:
    header = "UniquePupilNumber,CohortStatus,YearOfBirth,ActivityCode,StartDate,DateVerified"
    rows = (
        f"{UPN},{status},2012,540,0{n}/09/2024,05/10/2024" for n, status in enumerate("PMTDL", 1)
    )
    extract = read_beside(tmp_path, {"nccis.csv": "\n".join([header, *rows, ""])})
    assert len(extract.tables["destinations"]) == 1
    assert extract.rejects["row"].tolist() == [3, 4, 5, 6]
    assert "4 of 5 rows are of young people who by CohortStatus" in said(extract)
