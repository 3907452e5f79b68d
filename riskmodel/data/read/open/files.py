"""Opening files: Parquet and CSV into raw frames whose values are still to be checked.

In:  a path.
Out: a frame with the file's own columns, and notes on how it was opened.
"""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from riskmodel.data.identity import without_upns
from riskmodel.data.read.open.archive import ARCHIVES, members_of
from riskmodel.data.read.open.further_headers import with_every_header
from riskmodel.data.read.open.header import (
    TOP,
    header_place,
    of_header,
    refuse_repeated,
)
from riskmodel.data.read.open.old_workbook import open_old_workbook
from riskmodel.data.read.open.opened import Opened, aside_of, unread
from riskmodel.data.read.open.text import arrow_file, frame_of, open_text
from riskmodel.data.read.open.walk import files_in, partition_of, parts_of, shown_name
from riskmodel.data.read.open.workbook import Sheet, frame_of_sheet, open_sheets
from riskmodel.data.read.open.xml import open_markup
from riskmodel.data.read.rows.problems import Problem, Severity
from riskmodel.data.read.rows.tidy import as_text
from riskmodel.data.settings_file import DEFAULT_FILE
from riskmodel.errors import DataError

__all__ = ["ENDINGS", "TEXT", "Opened", "open_each", "open_file", "open_table"]

TEXT = (".csv", ".txt", ".tsv", ".dat")
"""Files of delimited text."""

WORKBOOKS, OLD_WORKBOOKS = (".xlsx", ".xlsm"), (".xls", ".xlsb", ".ods")
"""Workbooks that are read with their formulas, and with the values of their formulas."""

ENDINGS = (*TEXT, ".parquet", *WORKBOOKS, *OLD_WORKBOOKS, ".xml", *ARCHIVES)
"""Files that are opened."""

OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst")
"""Archives that are not."""

MANY_CELLS, MOST_PACKED = 10**8, 200
"""Cells of a Parquet file above which they may be at most so many per byte; a register has about 5."""


def open_each(path: Path, name: str) -> list[Opened]:
    """Open a file of any kind; one that cannot be opened comes with its fault.

    Parameters
    ----------
    path : Path
        A file, a link, or a folder.
    name : str
        What messages call it.

    Returns
    -------
    list of Opened
        One per sheet, table or member, else one.

    Examples
    --------
    >>> open_each(Path("~$lists.xlsx"), "~$lists.xlsx")[0].fault
    '~$lists.xlsx: is the lock of a file that is open in Office. It holds no rows.'
    """
    known, severity = _no_file(path)
    if known:
        return [unread(name, f"{name}: {known}", severity)]
    try:
        return open_file(path, name)
    except DataError as error:
        # some openers know the path only
        words = str(error).removeprefix(f"{path.name}: ").removeprefix(f"{name}: ")
        return [unread(name, f"{name}: {words}")]


def _no_file(path: Path) -> tuple[str, Severity | None]:
    """Return why a path is not opened at all, if so, and how bad that is."""
    if path.name.startswith("~$"):
        return "is the lock of a file that is open in Office. It holds no rows.", None
    if path.name == "_SUCCESS":
        return "is the mark that Spark leaves when it has written all. It holds no rows.", None
    if path.is_symlink() and not path.exists():
        return "is a link to what is not there. Put the file itself in the folder.", "warning"
    if path.is_dir() and path.suffix.lower() != ".parquet":
        return "is a folder that cannot be listed, or a link to one. Put it in itself.", "error"
    if path.name == DEFAULT_FILE:
        return SETTINGS, None
    if path.suffix.lower() in OTHER_ARCHIVES:
        return "is an archive that is not opened. Unpack it into the folder.", "error"
    if path.suffix.lower() not in ENDINGS:
        kinds = ", ".join(ending[1:] for ending in ENDINGS)
        return (
            f"is of no kind that is read ({kinds}). Export it as CSV if it holds facts.",
            "warning",
        )
    return "", None


SETTINGS = (
    "holds settings and no rows. A command reads those of the folder where it runs, or those that it is "
    "given."
)

NO_RETURN = (
    "is XML of no return that is read (School Census, CIN census, SSDA903, Common Transfer File). Export it "
    "as CSV."
)

NO_SHEET = (
    "no sheet of it can be read. Save it as 'Excel Workbook (.xlsx)', not as 'Strict Open XML', or export "
    "it as CSV."
)


def open_file(path: Path, name: str) -> list[Opened]:
    r"""Open a file of any known kind.

    Parameters
    ----------
    path : Path
        Its ending shows its kind.
    name : str
        What messages call it.

    Returns
    -------
    list of Opened
        One per sheet of a workbook, table of XML or file in an archive, else one.

    Raises
    ------
    DataError
        If it cannot be opened.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lists.csv"
    ...     size = file.write_bytes("upn;start\nA1;02/09/2024\n".encode("utf-16"))
    ...     (one,) = open_file(file, "lists.csv")
    >>> one.encoding, one.first_row, list(one.raw)
    ('utf-16', 2, ['upn', 'start'])
    """
    kind = path.suffix.lower()
    if kind in ARCHIVES:
        found = [one for own, member in members_of(path, name) for one in _member(own, member)]
        return found or [unread(name, f"{name}: holds no file.", "warning")]
    if kind in (*WORKBOOKS, *OLD_WORKBOOKS):
        sheets = open_sheets(path) if kind in WORKBOOKS else open_old_workbook(path)
        found = [_sheet(f"{name}, sheet {without_upns(sheet.title)}", sheet) for sheet in sheets]
        return found or [unread(name, f"{name}: {NO_SHEET}")]
    if kind == ".xml":
        found = [Opened(f"{name}, {table}", raw) for table, raw in open_markup(path).items()]
        return found or [unread(name, f"{name}: {NO_RETURN}", "warning")]
    one = open_table(path, name)
    if path.is_dir():
        others = [other for other in files_in(path) if other not in parts_of(path)]
        return [one, *(_beside(other, path, name) for other in others if other.name != "_SUCCESS")]
    if kind in (".txt", ".dat") and one.raw.shape[1] < 2:
        words = "is text without columns. Export it as CSV if it holds facts."
        return [unread(name, f"{name}: {words}", "warning")]
    return [one]


def _member(name: str, member: Path | None) -> list[Opened]:
    if member is None:
        return [unread(name, f"{name}: is an archive in an archive. Unpack it into the folder.")]
    if not member.suffix and name.lower().endswith(".gz"):
        words = "its name does not show what is in it. Call it by that, such as data.csv.gz."
        return [unread(name, f"{name}: {words}")]
    return open_each(member, name)


def _beside(path: Path, folder: Path, name: str) -> Opened:
    own = f"{name}/{shown_name(path.relative_to(folder))}"
    return unread(own, f"{own}: is no part of the table {name}. Move it out of that folder.")


def _sheet(name: str, sheet: Sheet) -> Opened:
    """Return what a sheet holds below its header; rows above the header are set aside."""
    filled = [sum(value is not None for value in row) for row in sheet.rows]
    held = [place for place, n in enumerate(filled) if n]
    if len(held) < 2:
        return unread(name, f"{name}: holds no rows below a header.", None)
    top = held[:TOP]
    place = top[header_place([filled[place] for place in top])]
    below = [n for n in held if n > place]
    raw = frame_of_sheet([sheet.rows[n] for n in (place, *below)])
    try:
        refuse_repeated(raw.columns, name)
    except DataError as error:
        return unread(name, str(error))
    above = [(n + 1, "above_header", str(sheet.rows[n])) for n in held if n < place]
    problems = of_header(name, len(above), place + 1)
    if sheet.hidden:
        words = f"{name}: is a hidden sheet. It was read like the others. Look whether it belongs there."
        problems.append(Problem(name, "hidden_sheet", words))
    return with_every_header(
        Opened(
            name,
            raw,
            first_row=place + 2,
            lines=np.array(below, dtype=np.int64) + 1,
            aside=aside_of(name, above),
            problems=problems,
        )
    )


def open_table(path: Path, name: str = "") -> Opened:
    r"""Return the rows of a file that holds one table.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv`` (UTF-8, with or without mark, UTF-16 with mark, or Windows-1252;
        comma, semicolon, tab or vertical bar). CSV values are text.
    name : str
        What messages call it; the file's own name where left out.

    Returns
    -------
    Opened
        Raw values; text that repeats comes as categories. Lines that are no rows are set aside.

    Raises
    ------
    DataError
        If the file is empty, truncated, or not of the kind that its ending shows. The message never quotes
        a row, which may hold a name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lists.csv"
    ...     size = file.write_text("upn,start\nA1,2024-09-02\nB2\n")
    ...     one = open_table(file)
    >>> one.raw.values.tolist(), one.aside[["row", "reason"]].values.tolist()
    ([['A1', '2024-09-02']], [[3, 'ragged']])
    """
    name = name or path.name
    is_parquet = path.suffix.lower() == ".parquet"
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(f"{name}: the file is empty (0 bytes). Export it again.")
        return _open_parquet(path, name) if is_parquet else open_text(path, name)
    except (pa.ArrowException, OSError, UnicodeError, csv.Error) as error:
        # Arrow's message about a CSV quotes the row, so it is shown for Parquet only.
        is_quoting = isinstance(error, pa.ArrowException) and not is_parquet
        reason = "" if is_quoting else f" ({_why(error)})"
        raise DataError(
            f"{name}: cannot be read as {path.suffix[1:].upper()}, it may be cut off or damaged{reason}. "
            "Export it again."
        ) from error


def _why(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__


def _open_parquet(path: Path, name: str) -> Opened:
    """Open a file, or the parts of one table in a folder, and compare its rows with their stated number."""
    parts = parts_of(path)
    if not parts:
        raise DataError(f"{name}: holds no part of a table in Parquet. Export it again.")
    facts = [pyarrow.parquet.read_metadata(arrow_file(part)) for part in parts]
    n_rows = sum(one.num_rows for one in facts)
    cells, size = n_rows * facts[0].num_columns, sum(part.stat().st_size for part in parts)
    if cells > MANY_CELLS and cells > MOST_PACKED * size:
        raise DataError(
            f"{name}: would unpack to {cells / 1e9:.1f} billion values from "
            f"{size / 1e6:.1f} MB, which no extract does. It was not opened. Export it as CSV."
        )
    schemas = [one.schema.to_arrow_schema() for one in facts]
    if any(set(schema.names) != set(schemas[0].names) for schema in schemas):
        raise DataError(f"{name}: its parts do not have the same columns. Export it again.")
    text = [
        c.name for c in schemas[0] if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)
    ]
    names = [own for own in schemas[0].names if not own.startswith("__index_level_")]
    refuse_repeated(pd.Index(names), name)

    def column(own: str) -> pd.Series:
        tables = [
            _in_seconds(
                pyarrow.parquet.read_table(arrow_file(part), columns=[own], read_dictionary=text)
            )
            for part in parts
        ]
        return as_text(frame_of({own: pa.concat_tables(tables)[own]})[own])

    # one column after another: the raw file is never in memory as a whole beside its frame
    columns = {own: column(own) for own in names}
    folders = [partition_of(part, path) for part in parts]
    rows = [one.num_rows for one in facts]
    for own in folders[0]:
        values = np.repeat(np.array([one.get(own) for one in folders], dtype=object), rows)
        columns[own] = pd.Series(values, dtype="str").astype("category")
    frame = pd.DataFrame(columns, copy=False)
    if len(frame) != n_rows:
        raise DataError(f"{name}: {len(frame)} of its {n_rows} rows can be read. Export it again.")
    return Opened(name, frame, counted=n_rows)


def _in_seconds(table: pa.Table) -> pa.Table:
    """Return a table of one column, times in whole seconds where nothing is lost by it."""
    kind = table.schema.field(0).type
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return table.cast(pa.schema([(table.column_names[0], pa.timestamp("s"))]))
    return table
