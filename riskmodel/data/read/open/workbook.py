"""Excel workbooks, read as hostile files: no formula is run, no bomb unpacked.

In:  a path.
Out: one raw frame of text per sheet.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from riskmodel.errors import DataError, RiskmodelError

__all__ = [
    "FAR_APART",
    "Sheet",
    "frame_of_sheet",
    "open_book",
    "open_sheets",
    "refuse_bombs",
    "sheets_of",
]

ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""What a workbook with a password holds in place of a ZIP."""

LARGEST, MOST_PACKED = 2 * 10**9, 200
"""Bytes that a workbook may unpack to, and how many times its size on disk."""

MOST_CELLS = 5 * 10**7
"""Cells of a workbook, empty ones between others counted: the largest sheet has 1,048,576 rows."""

EMPTY_ROW = 40
"""Cells that a row counts as, at least."""


FAR_APART = (
    "its cells lie too far apart, as after a slip at the edge of a sheet. Delete the empty rows and "
    "columns, or export it as CSV."
)
"""Why a workbook is refused of which cells far apart would fill the memory."""


class Sheet(NamedTuple):
    """A sheet of a workbook.

    Parameters
    ----------
    title : str
        Its name.
    rows : list of list
        Values, None where a cell is empty.
    hidden : bool
        Whether Excel does not show it.
    """

    title: str
    rows: list[list[Any]]
    hidden: bool = False


def open_sheets(path: Path) -> list[Sheet]:
    """Return the sheets of a workbook.

    Parameters
    ----------
    path : Path
        ``.xlsx`` or ``.xlsm``.

    Returns
    -------
    list of Sheet
        In their order; a formula is the text of the formula.

    Raises
    ------
    DataError
        If the file is no workbook, is cut off, or would unpack to more than it should.
    """
    with open_book(path) as book:
        sheets = sheets_of(book, path, values_only=True)
        hidden = {sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"}
    return [Sheet(title, rows, title in hidden) for title, rows in sheets.items()]


def sheets_of(book: Any, path: Path, *, values_only: bool = False) -> dict[str, list[list[Any]]]:
    """Return the cells of every sheet, all rows of a sheet as wide as its widest.

    Parameters
    ----------
    book : openpyxl.Workbook
        From :func:`open_book`.
    path : Path
        The workbook, for messages.
    values_only : bool
        Whether values are returned, not cells.

    Returns
    -------
    dict of str to list of list
        Sheet → rows; None, or a cell without value, where there is no cell.

    Raises
    ------
    DataError
        If cells lie so far apart that what is between them would fill the memory.
    """
    from openpyxl.cell.read_only import EMPTY_CELL

    nothing = None if values_only else EMPTY_CELL
    sheets, left = {}, MOST_CELLS
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # a sheet's own claim of its size may be anything
        rows: list[list[Any]] = []
        widest = 0
        for row in sheet.iter_rows(values_only=values_only):
            rows.append(list(row))
            widest = max(widest, len(row), EMPTY_ROW)
            if len(rows) * widest > left:
                raise DataError(f"{path.name}: {FAR_APART}")
        left -= len(rows) * widest
        width = max(map(len, rows), default=0)
        sheets[sheet.title] = [row + [nothing] * (width - len(row)) for row in rows]
    return sheets


@contextmanager
def open_book(path: Path) -> Iterator[Any]:
    """Open a workbook for reading; no formula is run, no bomb unpacked.

    Parameters
    ----------
    path : Path
        ``.xlsx``.

    Yields
    ------
    openpyxl.Workbook
        Read-only; a formula is the text of the formula.

    Raises
    ------
    DataError
        If the file is no workbook, is cut off, or would unpack to more than it should; also where that
        shows only while it is read.
    """
    import openpyxl

    refuse_bombs(path)
    try:
        # openpyxl parses with defusedxml where it is installed, as it is here
        with warnings.catch_warnings():  # about sheets and styles, which are reported or no facts
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
        try:
            yield book
        finally:
            book.close()
    except RiskmodelError:
        raise
    except Exception as error:  # openpyxl raises many kinds for a damaged file
        raise DataError(
            f"{path.name}: cannot be read as XLSX, it may be cut off, damaged or protected by a "
            "password. Save it again without one, or export it as CSV."
        ) from error


def refuse_bombs(path: Path) -> None:
    """Refuse a workbook that would unpack to far more than it should.

    Parameters
    ----------
    path : Path
        A workbook that is a ZIP.

    Raises
    ------
    DataError
        If it would, or is no ZIP.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        if ENCRYPTED in path.read_bytes():
            raise DataError(
                f"{path.name}: has a password. Save it again without one, or export it as CSV."
            ) from error
        raise DataError(
            f"{path.name}: cannot be read as {path.suffix[1:].upper()}, it may be cut off or in another "
            "format. Save it again as XLSX, or export it as CSV."
        ) from error
    packed = max(1, path.stat().st_size)
    if unpacked > LARGEST or (unpacked > 10**8 and unpacked / packed > MOST_PACKED):
        raise DataError(
            f"{path.name}: would unpack to {unpacked / 1e9:.1f} GB from {packed / 1e6:.1f} MB, which no "
            "extract does. It was not opened. Export it as CSV."
        )


def frame_of_sheet(rows: list[list[Any]]) -> pd.DataFrame:
    """Return the rows of a sheet as text below the names in its first row.

    Parameters
    ----------
    rows : list of list
        Values of the cells; empty rows at the end are left out.

    Returns
    -------
    DataFrame
        Dates as ``YYYY-MM-DD``; missing cells are missing.

    Examples
    --------
    >>> frame_of_sheet([["upn", None], ["A1", 7.0]]).to_dict("records")
    [{'upn': 'A1', 'column 2': '7'}]
    """
    rows = list(rows)
    names = [_text(value) or f"column {place + 1}" for place, value in enumerate(rows[0])]
    while rows and all(value is None for value in rows[-1]):
        rows.pop()
    body = [[_text(value) for value in row] for row in rows[1:]]
    return pd.DataFrame(body, columns=names, dtype="str")


def _text(value: object) -> str | None:
    """Write a cell as the CSV export of the same sheet would."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
