"""Every file of a folder is read or named: kinds of files, archives, and what check shows of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.check import check
from riskmodel.data.coverage import linkage
from riskmodel.report.check_page import write_check
from tests.returns import UPN, read_beside

CARERS = f"upn,young carer since\n{UPN},2024-01-08\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "x"
    path.mkdir()
    return path


def test_check_shows_what_each_file_was_read_as(folder: Path, tmp_path: Path) -> None:
    files = {"carers.csv": CARERS, "menu.csv": "dish,price\npie,2\n", "a.pdf": "%PDF"}
    extract = read_beside(folder, files)
    report = check(extract)
    lines = report.text().split("Files:\n")[1].split("\n\n")[0].splitlines()
    assert lines == [
        "a.pdf: NOT READ",
        "menu.csv: NOT READ",
        "carers.csv: Young carers, 1 rows",
        "census pupils.csv: School Census: pupils on roll, 2 rows",
        "census schoolcensus.csv: School Census: returns, 2 rows",
    ]
    write_check(report, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "what it was read as, or why it was not read" in page
    assert "a.pdf: is of no kind that is read" in page
    written = (tmp_path / "out" / "files.csv").read_text(encoding="utf-8")
    assert len(written.splitlines()) == 1 + len(extract.files)


def test_files_that_were_not_read_are_not_reported_as_joined(folder: Path) -> None:
    extract = read_beside(folder, {"carers.csv": CARERS, "menu.csv": "dish,price\npie,2\n"})
    assert set(linkage(extract)["source"]) == {
        "Young carers",
        "School Census: pupils on roll",
        "School Census: returns",
    }


def test_an_unknown_file_names_the_nearest_layout_and_what_it_lacks(folder: Path) -> None:
    extract = read_beside(folder, {"x.csv": f"upn,sentypes\n{UPN},K\n", "menu.csv": "dish\npie\n"})
    notes = extract.files.set_index("file")["note"]
    assert "It is nearest to '" in notes["x.csv"]
    assert "but has no " in notes["x.csv"]
    assert "It shares no column with any of them." in notes["menu.csv"]
