"""Shared by the tests: workbooks of lists as officers fill them in.

In:  a workbook that was handed out.
Out: a copy with decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["by_two_officers", "column", "edited", "fill"]


def edited(source: Path, out: Path, edit: Callable[[Worksheet], None]) -> Path:
    """Save a copy of a workbook in which an officer changed the sheet ``List``."""
    book = openpyxl.load_workbook(source)
    edit(book["List"])
    book.save(out)
    return out


def column(sheet: Worksheet, name: str) -> int:
    """Return the number of a column."""
    return [cell.value for cell in sheet[1]].index(name) + 1


def fill(row: int, **values: Any) -> Callable[[Worksheet], None]:
    """Return an edit that fills in cells of a row, named as in the log."""

    def edit(sheet: Worksheet) -> None:
        for name, value in values.items():
            sheet.cell(row, column(sheet, name.replace("_", " ").capitalize())).value = value

    return edit


def by_two_officers(sheet: Worksheet) -> None:
    """Fill in a workbook as people do: partly, sorted, filtered, with a column of their own."""
    for row in (2, 3, 4, 5, 6):
        fill(
            row,
            seen_by="A. Officer",
            decision="Offer support",
            support_offered="Mentor",
            date=date(2024, 9, 12),
        )(sheet)
    fill(
        7,
        seen_by="B. Lead",
        decision=" no support NEEDED ",
        date="12/09/2024",
        disagreement_and_why="Settled since the move",
    )(sheet)
    fill(8, decision="To discuss", date=date(2024, 9, 30))(sheet)
    fill(9, decision="Not appropriate", not_appropriate_because="=moved away")(sheet)
    sheet.cell(9, column(sheet, "Not appropriate because")).data_type = "s"
    width = column(sheet, "Row seal")
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2, max_col=width)]
    for at, values in enumerate(sorted(rows, key=lambda row: str(row[2])), start=2):
        for place, value in enumerate(values, start=1):
            cell = sheet.cell(at, place)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
        sheet.row_dimensions[at].hidden = at % 2 == 0
        sheet.cell(at, width + 1).value = f"my own note {at}"
    sheet.cell(1, width + 1).value = "Notes"
    sheet.column_dimensions["B"].width = 60
