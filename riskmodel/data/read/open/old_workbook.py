"""Workbooks that are not ``.xlsx``: of Excel before 2007, binary ones, and those of LibreOffice.

In:  ``.xls``, ``.xlsb`` or ``.ods``.
Out: rows of each sheet; a formula is the value that the workbook holds for it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from riskmodel.data.read.open.workbook import (
    EMPTY_ROW,
    FAR_APART,
    MOST_CELLS,
    Sheet,
    refuse_bombs,
)
from riskmodel.errors import DataError

__all__ = ["open_old_workbook"]


def open_old_workbook(path: Path) -> list[Sheet]:
    """Return the sheets of a workbook.

    Parameters
    ----------
    path : Path
        ``.xls``, ``.xlsb`` or ``.ods``.

    Returns
    -------
    list of Sheet
        In their order; empty cells are None.

    Raises
    ------
    DataError
        If the file is no workbook, has a password, or would fill the memory.
    """
    import python_calamine as calamine

    kind = path.suffix[1:].upper()
    if zipfile.is_zipfile(path):
        refuse_bombs(path)
        _refuse_far_apart(path)
    elif path.read_bytes()[:200].lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<"):
        raise DataError(
            f"{path.name}: is a web page under the name of a workbook. Open it in Excel and save it as XLSX."
        )
    errors = _errors_of_ods(path) if zipfile.is_zipfile(path) else {}
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            return [
                Sheet(
                    facts.name,
                    _with_errors(_rows(book, facts.name), errors.get(facts.name, {})),
                    facts.visible != calamine.SheetVisibleEnum.Visible,
                )
                for facts in book.sheets_metadata
                if facts.typ == calamine.SheetTypeEnum.WorkSheet
            ]
    except calamine.PasswordError as error:
        raise DataError(
            f"{path.name}: has a password. Save it again without one, or export it as CSV."
        ) from error
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError, OSError) as error:
        raise DataError(
            f"{path.name}: cannot be read as {kind}, it may be cut off, damaged or in another format. "
            "Save it again as XLSX, or export it as CSV."
        ) from error


def _rows(book: Any, title: str) -> list[list[Any]]:
    rows = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
    return [[None if value == "" else value for value in row] for row in rows]


def _with_errors(rows: list[list[Any]], errors: dict[tuple[int, int], str]) -> list[list[Any]]:
    """Return rows with the errors of formulas, as ``#REF!``, in place of the values stored for them."""
    for (row, column), text in errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = text
    return rows


def _errors_of_ods(path: Path) -> dict[str, dict[tuple[int, int], str]]:
    """Return by sheet, row and column what LibreOffice shows for a formula that has an error.

    The value that it stores for such a cell is empty or 0, as if nothing were wrong.
    """
    from defusedxml.ElementTree import iterparse

    with zipfile.ZipFile(path) as archive:
        content = archive.read("content.xml") if "content.xml" in archive.namelist() else b""
    if b'value-type="error"' not in content:
        return {}
    found: dict[str, dict[tuple[int, int], str]] = {}
    title, row = "", 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        tag = element.tag.rpartition("}")[2]
        if tag == "table" and event == "start":
            title = next(
                (text for key, text in element.attrib.items() if key.endswith("}name")), ""
            )
            row = 0
        elif tag == "table-row" and event == "end":
            for column, text in _errors_in(element):
                found.setdefault(title, {})[row, column] = text
            row += _repeats(element, "rows")
            element.clear()
    return found


def _errors_in(row: Any) -> Iterator[tuple[int, str]]:
    """Yield the column and the text of each cell of a row that holds an error."""
    column = 0
    for cell in row:
        if any(
            key.endswith("}value-type") and kind == "error" for key, kind in cell.attrib.items()
        ):
            yield column, "".join(cell.itertext()).strip() or "#ERROR!"
        column += _repeats(cell, "columns")


def _refuse_far_apart(path: Path) -> None:
    """Refuse a workbook of which cells far apart would fill the memory before they can be looked at."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as stream:
                if name == "content.xml":
                    n_cells = _cells_of_ods(stream)
                elif name.startswith("xl/worksheets/") and name.endswith(".bin"):
                    n_cells = _cells_of_xlsb(stream.read())
                else:
                    continue
            if n_cells > MOST_CELLS:
                raise DataError(f"{path.name}: {FAR_APART}")


def _cells_of_ods(stream: Any) -> int:
    """Return how many cells the largest sheet spans, repeated ones counted."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    largest = rows = blank = 0
    width = EMPTY_ROW
    try:
        for _, element in iterparse(stream, events=("end",), forbid_dtd=True):
            tag = element.tag.rpartition("}")[2]
            if tag == "table-row":
                used = _width_of(element)
                blank += _repeats(element, "rows")
                width = max(width, used)
                rows, blank = (rows + blank, 0) if used else (rows, blank)
                largest = max(largest, rows * width)
                element.clear()
            elif tag == "table":
                rows, blank, width = 0, 0, EMPTY_ROW
                element.clear()
    except (DefusedXmlException, ParseError, ValueError):
        return MOST_CELLS + 1
    return largest


def _width_of(row: Any) -> int:
    """Return how many cells a row has up to the last one that holds something."""
    place = used = 0
    for cell in row:
        place += _repeats(cell, "columns")
        if len(cell) or any(key.endswith("}value-type") for key in cell.attrib):
            used = place
    return used


def _repeats(element: Any, what: str) -> int:
    given = [n for key, n in element.attrib.items() if key.endswith(f"}}number-{what}-repeated")]
    return int(given[0]) if given else 1


def _cells_of_xlsb(data: bytes) -> int:
    """Return how many cells a binary sheet spans, from the numbers of its rows and columns."""
    place, row, column, end = 0, 0, 0, len(data)
    while place < end:
        kind, place = _number(data, place, 2)
        size, place = _number(data, place, 4)
        if kind == 0:
            row = max(row, int.from_bytes(data[place : place + 4], "little"))
        elif kind <= 11:  # a cell
            column = max(column, int.from_bytes(data[place : place + 4], "little"))
        place += size
    return (row + 1) * (column + 1)


def _number(data: bytes, place: int, most: int) -> tuple[int, int]:
    """Return a number of one or more bytes, seven bits each, and the place after it."""
    number = 0
    for i in range(most):
        byte = data[place + i] if place + i < len(data) else 0
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, place + i + 1
    return number, place + most
