"""A workbook that came back, opened: which list it is of, and the rows of its sheet.

In:  a workbook, also edited, sorted, or saved by another program.
Out: :class:`OpenedList`; a workbook that is none, or of no list, is refused in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.read.open.workbook import open_book, sheets_of
from riskmodel.errors import DataError, RequestError
from riskmodel.report.workbook.layout import DECISION_COLUMNS, FIXED, IDENTITY, SEAL, label_of
from riskmodel.report.workbook.list_identity import ListIdentity

__all__ = ["OpenedList", "open_returned", "plain"]

HEADER_WITHIN = 20
"""Rows at the top of a sheet among which the header is looked for."""

NEEDED = (*map(label_of, FIXED), *DECISION_COLUMNS)
"""Columns that the sheet must have."""

OLD_CONTAINER, ZIP = b"\xd0\xcf\x11\xe0", b"PK"
"""First bytes of old and of encrypted workbooks, and of XLSX."""

Cells = list[list[Any]]


@dataclass(frozen=True, kw_only=True)
class OpenedList:
    """The sheet ``List`` of a workbook.

    Attributes
    ----------
    identity : ListIdentity
        The list it is of.
    where : str
        File and sheet.
    title : str
        Name of the sheet.
    raw : DataFrame
        ``row``, its number in the sheet, and one column of cells per header; rows that hold something.
    """

    identity: ListIdentity
    where: str
    title: str
    raw: pd.DataFrame = field(repr=False)


def open_returned(path: Path) -> OpenedList:
    """Open a workbook and find its list.

    Parameters
    ----------
    path : Path
        The workbook.

    Returns
    -------
    OpenedList
        Its sheet with the decisions.

    Raises
    ------
    RequestError
        If it is no workbook, does not say which list it is of, or has no sheet with the decisions.
    """
    sheets, stored = _read(path)
    identity = _identity(sheets, stored, path)
    title, at, names = _header(sheets, path)
    where = f"{path.name}, sheet {title}"
    _check_names(names, f"{where}, row {at + 1}")
    kept = [place for place, name in enumerate(names) if name in {*NEEDED, SEAL}]
    columns = ["row", *[names[place] for place in kept]]
    raw = pd.DataFrame(_body(sheets[title], at, kept), columns=columns, dtype=object)
    if raw.empty:
        raise RequestError(f"{where}: there is no pupil. Return the whole sheet.")
    return OpenedList(identity=identity, where=where, title=title, raw=raw)


def plain(cell: Any) -> Any:
    """Return the value of a cell.

    Parameters
    ----------
    cell : openpyxl cell or None
        A cell.

    Returns
    -------
    object
        None for empty text, too.
    """
    value = None if cell is None else cell.value
    return None if isinstance(value, str) and not value.strip() else value


def _read(path: Path) -> tuple[dict[str, Cells], dict[str, str]]:
    """Return the cells of every sheet, and the document properties."""
    if path.is_dir():
        raise RequestError(f"{path} is a folder. Name the workbooks that came back, one by one.")
    if not path.is_file():
        raise RequestError(f"There is no file {path}. Name a workbook that came back.")
    try:
        with open_book(path) as book:
            sheets = sheets_of(book, path)
            stored = {str(item.name): str(item.value) for item in book.custom_doc_props.props}
    except DataError as error:
        raise RequestError(f"{path.name}: {_why_no_workbook(path)}") from error
    return sheets, stored


def _why_no_workbook(path: Path) -> str:
    start = path.read_bytes()[:8]
    if start.startswith(OLD_CONTAINER):
        what = "is protected by a password to open it, or saved as an old .xls"
        return f"{what}. Save it as XLSX without such a password and return that."
    if not start:
        return "is empty. Return the workbook again."
    if not start.startswith(ZIP):
        what = "is no XLSX workbook (a CSV or another format does not keep which list it is of)"
        return f"{what}. Return the workbook list.xlsx itself."
    what = "is cut off, damaged, or in another format such as ODS"
    return f"{what}. Save it again as XLSX, or return another copy."


def _identity(sheets: dict[str, Cells], stored: dict[str, str], path: Path) -> ListIdentity:
    """Return the one list that the properties and the read-me name."""
    remedy = "Copy the decisions into a fresh list.xlsx and return that."
    written = _written(sheets, stored)
    if not written:
        raise RequestError(
            f"{path.name} does not say which list it is of: it is no list.xlsx, or its sheet 'Read me' and "
            f"its document properties are gone. {remedy}"
        )
    try:
        identities = {ListIdentity.parse(text) for text in written}
    except RequestError as error:
        place = "on the last line of 'Read me' or in the document properties"
        raise RequestError(f"{path.name}: {error}, {place}. {remedy}") from error
    if len(identities) > 1:
        both = " and ".join(sorted(one.words() for one in identities))
        raise RequestError(
            f"{path.name} says that it is of two lists ({both}). Return one workbook for each list."
        )
    return identities.pop()


def _written(sheets: dict[str, Cells], stored: dict[str, str]) -> set[str]:
    """Return every identity that is written in the properties or in a sheet."""
    properties = "".join(stored[name] for name in sorted(stored) if name.startswith(IDENTITY))
    cells = (cell.value for rows in sheets.values() for row in rows for cell in row)
    lines = [text for text in cells if isinstance(text, str) and text.startswith(IDENTITY)]
    return {text for text in (properties, *(line.removeprefix(IDENTITY) for line in lines)) if text}


def _header(sheets: dict[str, Cells], path: Path) -> tuple[str, int, list[str]]:
    """Return the title of the one sheet with decisions, the place of its header, and its names."""
    found = []
    for title, rows in sheets.items():
        heads = [[" ".join(str(c.value or "").split()) for c in r] for r in rows[:HEADER_WITHIN]]
        places = [at for at, names in enumerate(heads) if {"Pupil id", "Decision"} <= set(names)]
        found += [(title, at, heads[at]) for at in places[:1]]
    if len(found) != 1:
        why = "holds no sheet with" if not found else "holds more than one sheet with"
        titles = f": {', '.join(title for title, *_ in found)}" if found else ""
        raise RequestError(
            f"{path.name} {why} the columns 'Pupil id' and 'Decision'{titles}. Return it with the one "
            "sheet 'List' and its header as they were."
        )
    return found[0]


def _check_names(names: list[str], where: str) -> None:
    """Refuse a header that lacks a column, or has one twice."""
    absent = [name for name in NEEDED if name not in names]
    twice = [name for name in (*NEEDED, SEAL) if names.count(name) > 1]
    if absent or twice:
        what = f"no column '{absent[0]}'" if absent else f"two columns '{twice[0]}'"
        raise RequestError(f"{where}: {what}. Put the header back as it was in list.xlsx.")


def _body(rows: Cells, at: int, kept: list[int]) -> Cells:
    """Return the rows below the header that hold something: their number, then the cells kept."""
    body = []
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        cells = [row[place] if place < len(row) else None for place in kept]
        if any(plain(cell) is not None for cell in cells):
            body.append([number, *cells])
    return body
