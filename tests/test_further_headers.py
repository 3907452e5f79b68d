"""Headers that come again below the first: no row is read by the names of another export."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from riskmodel.data.read.open.files import Opened, open_each, open_file
from tests.returns import UPN, read_beside

HEADER = "UPN,Start Date,Date notified,Estab,Category"
TURNED = "UPN,Date notified,Start Date,Estab,Category"
FIRST = f"{UPN},2024-01-08,2024-01-09,4001,SUSP"
SECOND = f"{UPN},2024-02-03,2024-02-01,4001,SUSP"
"""The same columns, but the day notified before the day of the suspension."""


def as_workbook(path: Path, text: str) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in text.splitlines():
        sheet.append(line.split(","))
    book.save(path)
    return path


@pytest.fixture(params=["csv", "xlsx"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(folder: Path, kind: str, text: str) -> Opened:
    """Open text as it is, or as a sheet."""
    path = folder / f"s.{kind}"
    if kind == "xlsx":
        as_workbook(path, text)
    else:
        path.write_text(text)
    (one,) = open_file(path, path.name)
    return one


def test_rows_below_a_header_in_another_order_are_read_by_it(tmp_path: Path, kind: str) -> None:
    one = opened(tmp_path, kind, "\n".join([HEADER, FIRST, TURNED, SECOND, ""]))
    assert one.raw["Start Date"].tolist() == ["2024-01-08", "2024-02-01"]
    assert one.raw["Date notified"].tolist() == ["2024-01-09", "2024-02-03"]
    assert one.lines is not None
    assert one.lines.tolist() == [2, 4]
    assert one.aside[["row", "reason"]].to_numpy().tolist() == [[3, "header_again"]]
    assert one.rows_seen == 3
    assert "row 3: is a header with the columns in another order" in one.problems[0].message


def test_a_header_on_every_page_is_left_out_and_counted(tmp_path: Path, kind: str) -> None:
    again = HEADER.lower().replace(" ", "_")
    one = opened(tmp_path, kind, "\n".join([HEADER, FIRST, again, SECOND, HEADER, FIRST]))
    assert len(one.raw) == 3
    assert one.rows_seen == 5
    (problem,) = one.problems
    assert "2 rows repeat the header, the first in row 3." in problem.words


def test_a_header_with_other_columns_adds_them(tmp_path: Path, kind: str) -> None:
    other = HEADER.replace("Category", "Reason 1")
    one = opened(tmp_path, kind, "\n".join([HEADER, FIRST, other, SECOND.replace("SUSP", "DB")]))
    assert one.raw["Category"].astype("object").fillna("").tolist() == ["SUSP", ""]
    assert one.raw["Reason 1"].astype("object").fillna("").tolist() == ["", "DB"]
    assert "a header with other columns than the first" in one.problems[0].message


def test_rows_below_a_header_of_fewer_columns_are_read_by_it(tmp_path: Path) -> None:
    lines = [
        HEADER,
        FIRST,
        "Start Date,UPN,Estab,Category",
        f"2024-02-01,{UPN},4001,SUSP",
        "Total: 2",
    ]
    one = opened(tmp_path, "csv", "\n".join(lines))
    assert one.raw["UPN"].tolist() == [UPN, UPN]
    assert one.raw["Start Date"].tolist() == ["2024-01-08", "2024-02-01"]
    assert one.aside["reason"].tolist() == ["ragged", "header_again"]
    assert one.rows_seen == 4


def test_rows_below_a_header_with_a_column_twice_are_set_aside(tmp_path: Path, kind: str) -> None:
    twice = HEADER.replace("Date notified", "UPN")
    one = opened(tmp_path, kind, "\n".join([HEADER, FIRST, twice, SECOND]))
    assert len(one.raw) == 1
    assert one.aside["row"].tolist() == [3, 4]
    assert one.problems[0].severity == "error"


def test_rows_that_hold_names_of_columns_as_ticks_are_rows(tmp_path: Path, kind: str) -> None:
    one = opened(tmp_path, kind, f"UPN,FSM,SEN\n{UPN},FSM,SEN\n{UPN},FSM,\n")
    assert len(one.raw) == 2
    assert not one.problems


def test_suspensions_of_two_exports_in_one_file_have_their_own_days(tmp_path: Path) -> None:
    text = "\n".join([HEADER, FIRST, TURNED, SECOND, ""])
    extract = read_beside(tmp_path, {"s.csv": text})
    days = extract.tables["suspensions"]["start_date"].dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2024-01-08", "2024-02-01"]
    counts = extract.reconciliation.set_index("file").loc["s.csv"]
    assert counts[["rows_read", "rows_kept", "rows_rejected"]].tolist() == [3, 2, 1]


def test_the_weeks_of_a_grid_have_their_own_days(tmp_path: Path, kind: str) -> None:
    weeks = ["UPN,08/01/2024 AM,08/01/2024 PM", f"{UPN},/,\\"]
    weeks += ["UPN,15/01/2024 AM,15/01/2024 PM", f"{UPN},I,I", ""]
    one = opened(tmp_path, kind, "\n".join(weeks))
    assert list(one.raw)[1:] == [
        f"{day}/01/2024 {half}" for day in ("08", "15") for half in ("AM", "PM")
    ]
    assert one.raw["15/01/2024 AM"].astype("object").fillna("").tolist() == ["", "I"]
    if kind == "csv":
        marks = read_beside(tmp_path, {}).tables["sessions"]
        assert marks["date"].dt.day.tolist() == [8, 8, 15, 15]
        assert marks["mark"].tolist() == ["/", "\\", "I", "I"]


def test_a_header_without_rows_stays_a_file_without_rows(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"{HEADER}\n")
    (one,) = open_each(tmp_path / "s.csv", "s.csv")
    assert not len(one.raw)
    assert not one.problems
