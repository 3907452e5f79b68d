"""A workbook that came back: whether it is of this list and unchanged, and what was decided.

In:  a workbook, also edited, sorted, filtered, partly filled, or saved by another program.
Out: :class:`Returned`, or every fault with its sheet and row in plain words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.read.open.workbook import open_book, sheets_of
from riskmodel.errors import DataError, RequestError
from riskmodel.report.workbook.list_identity import ListIdentity, cell_text, row_seals
from riskmodel.report.workbook.writing import (
    DECISION_COLUMNS,
    DECISIONS,
    FIXED,
    IDENTITY,
    SEAL,
    label_of,
    sheet_rows,
)

__all__ = ["FIELDS", "Returned", "read_returned"]

FIELDS = tuple(name.lower().replace(" ", "_") for name in DECISION_COLUMNS)
"""The columns for decisions, as the log names them."""

DAY_FORMATS = ("%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y")
"""How people write a day, the day before the month."""

HEADER_WITHIN = 20
"""Rows at the top of a sheet among which the header is looked for."""

FAULTS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What a workbook says.

    Attributes
    ----------
    name : str
        File.
    identity : ListIdentity
        The list it is of.
    rows : DataFrame
        Every pupil in it: ``where`` (sheet and row), ``pupil_id, school_id, band`` and the fields of
        :data:`FIELDS`, empty text where nothing was filled in.
    notes : list of str
        What is worth knowing and no fault.
    """

    name: str
    identity: ListIdentity
    rows: pd.DataFrame = field(repr=False)
    notes: list[str]


def read_returned(
    path: Path, *, today: date, listed: tuple[ListIdentity, pd.DataFrame] | None = None
) -> Returned:
    """Read and check a workbook that came back.

    Parameters
    ----------
    path : Path
        The workbook.
    today : date
        No decision may be later.
    listed : tuple of ListIdentity and DataFrame, optional
        What :func:`riskmodel.report.list_files.read_list` read from the list's folder: then rows are
        compared with the list itself, not with the seals in the workbook.

    Returns
    -------
    Returned
        Decisions.

    Raises
    ------
    RequestError
        If it is no workbook, not of the list, or a row cannot be taken; each fault is named.
    """
    sheets, identity = _open(path)
    if listed is not None and identity != listed[0]:
        raise RequestError(
            f"{path.name} belongs to another list ({_words(identity)}), not to the one named with --list "
            f"({_words(listed[0])}). Name the folder of its own list."
        )
    title, head, body = _list_sheet(sheets, path)
    raw = pd.DataFrame(body, columns=head, dtype=object) if body else pd.DataFrame(columns=head)
    if raw.empty:
        raise RequestError(
            f"{path.name}, sheet {title}: there is no pupil. Return the whole sheet."
        )
    place = path.name, title
    faults = _altered(raw, identity, listed, place)
    filled, unfit = _decisions(raw, identity.as_of, today)
    faults += unfit
    if faults:
        raise RequestError(_refusal(faults, place))
    rows = pd.DataFrame({"where": [f"{path.name}, sheet {title}, row {n}" for n in raw["row"]]})
    for label, name in (("Pupil id", "pupil_id"), ("School id", "school_id"), ("Band", "band")):
        rows[name] = [cell_text(_plain(cell)) for cell in raw[label]]
    rows = pd.concat([rows, filled], axis=1)
    return Returned(
        name=path.name, identity=identity, rows=rows, notes=_notes(rows, identity, path.name)
    )


def _open(path: Path) -> tuple[dict[str, list[list[Any]]], ListIdentity]:
    """Return the cells of every sheet and the identity of the list."""
    if not path.is_file():
        raise RequestError(f"There is no file {path}. Name a workbook that came back.")
    try:
        with open_book(path) as book:
            sheets = sheets_of(book, path)
            stored = {str(item.name): str(item.value) for item in book.custom_doc_props.props}
    except DataError as error:
        raise RequestError(f"{path.name}: {_why_no_workbook(path)}") from error
    told = "".join(stored[name] for name in sorted(stored) if name.startswith(IDENTITY))
    lines = [
        str(cell.value).removeprefix(IDENTITY)
        for rows in sheets.values() for row in rows for cell in row
        if isinstance(cell.value, str) and cell.value.startswith(IDENTITY)
    ]  # fmt: skip
    written = {text for text in (told, *lines) if text}
    if not written:
        raise RequestError(
            f"{path.name} does not say which list it is of: it is no list.xlsx, or its sheet 'Read me' and "
            "its document properties are gone. Copy the decisions into a fresh list.xlsx and return that."
        )
    try:
        identities = {ListIdentity.parse(text) for text in written}
    except RequestError as error:
        raise RequestError(
            f"{path.name}: {error}, on the last line of 'Read me' or in the document properties. Copy the "
            "decisions into a fresh list.xlsx and return that."
        ) from error
    if len(identities) > 1:
        both = " and ".join(sorted(_words(one) for one in identities))
        raise RequestError(
            f"{path.name} says that it is of two lists ({both}). Return one workbook for each list."
        )
    return sheets, identities.pop()


def _why_no_workbook(path: Path) -> str:
    start = path.read_bytes()[:8]
    if start.startswith(b"\xd0\xcf\x11\xe0"):  # the container of old and of encrypted workbooks
        return (
            "is protected by a password to open it, or saved as an old .xls. Save it as XLSX without such "
            "a password and return that."
        )
    if not start:
        return "is empty. Return the workbook again."
    if not start.startswith(b"PK"):
        return (
            "is no XLSX workbook (a CSV or another format does not keep which list it is of). Return the "
            "workbook list.xlsx itself."
        )
    return (
        "is cut off, damaged, or in another format such as ODS. Save it again as XLSX, or return another "
        "copy."
    )


def _list_sheet(
    sheets: dict[str, list[list[Any]]], path: Path
) -> tuple[str, list[str], list[list[Any]]]:
    """Find the sheet with the decisions; return its title, header and rows that hold something."""
    found = []
    for title, rows in sheets.items():
        for at, row in enumerate(rows[:HEADER_WITHIN]):
            names = [" ".join(str(cell.value or "").split()) for cell in row]
            if {"Pupil id", "Decision"} <= set(names):
                found.append((title, at, names))
                break
    if len(found) != 1:
        why = "holds no sheet with" if not found else "holds more than one sheet with"
        raise RequestError(
            f"{path.name} {why} the columns 'Pupil id' and 'Decision'"
            f"{': ' + ', '.join(title for title, *_ in found) if found else ''}. Return it with the one "
            "sheet 'List' and its header as they were."
        )
    title, at, names = found[0]
    wanted = [*map(label_of, FIXED), *DECISION_COLUMNS]
    absent = [name for name in wanted if name not in names]
    twice = [name for name in (*wanted, SEAL) if names.count(name) > 1]
    if absent or twice:
        what = f"no column '{absent[0]}'" if absent else f"two columns '{twice[0]}'"
        raise RequestError(
            f"{path.name}, sheet {title}, row {at + 1}: {what}. Put the header back as it was in list.xlsx."
        )
    kept = [place for place, name in enumerate(names) if name in {*wanted, SEAL}]
    body = []
    for number, row in enumerate(sheets[title][at + 1 :], start=at + 2):
        cells = [row[place] if place < len(row) else None for place in kept]
        if any(_plain(cell) is not None for cell in cells):
            body.append([number, *cells])
    return title, ["row", *[names[place] for place in kept]], body


def _plain(cell: Any) -> Any:
    """Return the value of a cell; nothing for empty text."""
    value = None if cell is None else cell.value
    return None if isinstance(value, str) and not value.strip() else value


def _altered(
    raw: pd.DataFrame,
    identity: ListIdentity,
    listed: tuple[ListIdentity, pd.DataFrame] | None,
    place: tuple[str, str],
) -> list[tuple[int, str]]:
    """Return rows that are not as they were written, by the list itself or by their seals."""
    if listed is None and SEAL not in raw:
        raise RequestError(
            f"{place[0]}, sheet {place[1]}: the hidden column '{SEAL}' is gone, so that nobody can tell "
            "whether its rows are unchanged. Name the folder of the list with --list."
        )
    original = None if listed is None else sheet_rows(listed[1])
    cells = raw[[label_of(name) for name in FIXED]].map(_plain)
    made = row_seals(identity.list_id, cells)
    pupils = [cell_text(value) for value in cells["Pupil id"]]
    if original is None:
        known = dict(zip(pupils, (cell_text(_plain(cell)) for cell in raw[SEAL]), strict=True))
    else:
        known = dict(
            zip(
                map(cell_text, original["pupil_id"]),
                row_seals(identity.list_id, original),
                strict=True,
            )
        )
    faults = []
    seen: dict[str, int] = {}
    for number, pupil, seal in zip(raw["row"].tolist(), pupils, made, strict=True):
        if not pupil:
            faults.append((number, "has no pupil. Put the pupil back, or empty the row"))
        elif pupil in seen:
            faults.append(
                (number, f"pupil {pupil} stands in row {seen[pupil]} already. Leave one of the two")
            )
        elif not known.get(pupil):
            faults.append((number, f"pupil {pupil} is not on this list. Take the row out"))
        elif known[pupil] != seal:
            faults.append((number, _difference(cells, number, pupil, raw, original)))
        seen.setdefault(pupil, number)
    return faults


def _difference(
    cells: pd.DataFrame, number: int, pupil: str, raw: pd.DataFrame, original: pd.DataFrame | None
) -> str:
    """Say which cell of a row was changed, as far as that is known."""
    remedy = "Put the row back as it was in list.xlsx; decisions go into the shaded columns"
    if original is None:
        return f"the rank, the risk or another fixed cell of pupil {pupil} was changed. {remedy}"
    here = cells[(raw["row"] == number).to_numpy()].iloc[0]
    there = original[original["pupil_id"].map(cell_text) == pupil].iloc[0]
    for name in FIXED:
        now, was = cell_text(here[label_of(name)]), cell_text(there[name])
        if now != was:
            return (
                f"'{label_of(name)}' of pupil {pupil} was changed from '{was}' to '{now}'. {remedy}"
            )
    return f"a fixed cell of pupil {pupil} was changed. {remedy}"


def _decisions(
    raw: pd.DataFrame, as_of: str, today: date
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Return what was filled in, and the cells that cannot be taken."""
    filled, faults = [], []
    for number, *cells in raw[["row", *DECISION_COLUMNS]].itertuples(index=False, name=None):
        read = [_read_cell(*pair, as_of, today) for pair in zip(FIELDS, cells, strict=True)]
        filled.append([value for value, _ in read])
        for label, (_, fault) in zip(DECISION_COLUMNS, read, strict=True):
            if fault:
                faults.append((number, f"'{label}' {fault}"))
    return pd.DataFrame(filled, columns=list(FIELDS), dtype="str"), faults


def _read_cell(name: str, cell: Any, as_of: str, today: date) -> tuple[str, str]:
    """Return what a cell for decisions says, and what is wrong with it."""
    value = _plain(cell)
    if value is None:
        return "", ""
    if cell.data_type == "f":
        return "", "holds a formula. Type what it should say"
    if cell.data_type == "e":
        return "", f"holds the error {value}. Type what it should say"
    if name == "date":
        return _read_day(value, as_of, today)
    text = cell_text(value.date().isoformat() if isinstance(value, datetime) else value)
    if name != "decision":
        return text, ""
    known = {one.casefold(): one for one in DECISIONS}
    if text.casefold() not in known:
        return "", f"is '{text}', which is none of {', '.join(DECISIONS)}. Choose one of these"
    return known[text.casefold()], ""


def _read_day(value: object, as_of: str, today: date) -> tuple[str, str]:
    day = (
        value.date() if isinstance(value, datetime) else value if isinstance(value, date) else None
    )
    if isinstance(value, str):
        day = next(_days(value), None)
    if day is None:
        return "", f"is '{cell_text(value)}', which is no date. Write it as 14/10/2025"
    if day > today:
        return "", f"is {day:%d/%m/%Y}, which is in the future. Give the day of the decision"
    if day.isoformat() < as_of:
        return "", (
            f"is {day:%d/%m/%Y}, before the list's own day, {date.fromisoformat(as_of):%d/%m/%Y}. Give the "
            "day of the decision"
        )
    return day.isoformat(), ""


def _days(text: str) -> Iterator[date]:
    for layout in DAY_FORMATS:
        try:
            yield datetime.strptime(cell_text(text), layout).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue


def _refusal(faults: list[tuple[int, str]], place: tuple[str, str]) -> str:
    name, title = place
    faults = sorted(faults)
    lines = [f"  sheet {title}, row {number}: {what}." for number, what in faults[:FAULTS_SHOWN]]
    if len(faults) > FAULTS_SHOWN:
        lines.append(f"  and {len(faults) - FAULTS_SHOWN} more.")
    return "\n".join([f"{name} cannot be taken, and nothing was added to the log:", *lines])


def _notes(rows: pd.DataFrame, identity: ListIdentity, name: str) -> list[str]:
    """Return what is worth knowing and no fault."""
    notes = []
    missing = identity.rows - len(rows)
    if missing > 0:
        notes.append(
            f"{name}: {missing} of the list's {identity.rows} pupils are not in it. What was decided on them "
            "before stays."
        )
    undecided = rows[(rows["decision"] == "") & (rows["support_offered"] != "")]
    notes += [
        f"{where}: support is named, but no decision; it counts as not decided until one is chosen."
        for where in undecided["where"]
    ]
    unsaid = rows[(rows["decision"] == "Not appropriate") & (rows["not_appropriate_because"] == "")]
    notes += [
        f"{where}: 'Not appropriate', without saying why. Please ask." for where in unsaid["where"]
    ]
    return notes


def _words(identity: ListIdentity) -> str:
    return f"{identity.list_id}, {identity.outcome}, {identity.as_of}, {identity.capacity} places"
