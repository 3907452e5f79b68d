"""Opening files: Parquet and CSV into raw frames whose values are still to be checked.

In:  a path.
Out: a frame with the file's own columns, and notes on how it was opened.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from riskmodel.data.identity import may_identify
from riskmodel.data.read.open.workbook import open_workbook
from riskmodel.data.read.open.xml import open_markup
from riskmodel.errors import DataError

__all__ = ["ENDINGS", "Opened", "open_file", "open_table"]

ENDINGS = (".csv", ".txt", ".tsv", ".parquet", ".xlsx", ".xml")
"""Files that are opened."""

BLOCK = 2**24
"""Bytes looked at in one go."""

MANY_CELLS, MOST_PACKED = 10**8, 200
"""Cells of a Parquet file above which they may be at most so many per byte; a register has about 5."""


class Opened(NamedTuple):
    """What a file, a sheet or a database table holds.

    Parameters
    ----------
    name : str
        What messages call it.
    raw : DataFrame
        Its rows.
    encoding : str
        ``"utf-8"``, or how its text was read otherwise.
    first_row : int
        Number of the first row: 2 below a header, else 1.
    """

    name: str
    raw: pd.DataFrame
    encoding: str
    first_row: int


def open_file(path: Path, name: str) -> list[Opened]:
    r"""Open a file of any known kind.

    Parameters
    ----------
    path : Path
        Its ending says its kind.
    name : str
        What messages call it.

    Returns
    -------
    list of Opened
        One per sheet of a workbook or table of XML, else one.

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
    if kind == ".xlsx":
        sheets = open_workbook(path)
        for title, raw in sheets.items():
            _refuse_repeated(raw.columns, f"{name}, sheet {title}")
        return [Opened(f"{name}, sheet {s}", raw, "utf-8", 2) for s, raw in sheets.items()]
    if kind == ".xml":
        tables = open_markup(path) or {"nothing that is known": pd.DataFrame()}
        return [Opened(f"{name}, {table}", raw, "utf-8", 1) for table, raw in tables.items()]
    return [Opened(name, *open_table(path), 1 if kind == ".parquet" else 2)]


def open_table(path: Path) -> tuple[pd.DataFrame, str]:
    r"""Return a file's raw frame.

    Parameters
    ----------
    path : Path
        ``.parquet`` or ``.csv`` (UTF-8, with or without mark, UTF-16 with mark, or Windows-1252;
        comma, semicolon or tab). CSV values are text.

    Returns
    -------
    frame : DataFrame
        Raw values; text that repeats comes as categories.
    encoding : str
        ``"utf-8"``, ``"utf-16"`` or ``"windows-1252"``.

    Raises
    ------
    DataError
        If the file is empty, truncated, or not what its ending says. The message never quotes
        a row, which may hold a name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "lists.csv"
    ...     size = file.write_text("upn,start\nA1,2024-09-02\n")
    ...     open_table(file)[0].values.tolist()
    [['A1', '2024-09-02']]
    """
    kind = path.suffix[1:].lower()
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path.name}: the file is empty (0 bytes). Export it again.")
        frame, encoding = (_open_parquet(path), "utf-8") if kind == "parquet" else _open_csv(path)
    except (pa.ArrowException, OSError, UnicodeError, csv.Error) as error:
        # What Arrow says about a CSV quotes the row, so it is told for Parquet only.
        reason = (
            ""
            if isinstance(error, pa.ArrowException) and kind != "parquet"
            else f" ({_why(error)})"
        )
        raise DataError(
            f"{path.name}: cannot be read as {kind.upper()}, it may be cut off or damaged{reason}. "
            "Export it again."
        ) from error
    return frame, encoding


def _refuse_repeated(names: pd.Index, file: str) -> None:
    repeated = np.flatnonzero(names.duplicated())
    if len(repeated):
        name = str(names[repeated[0]])
        shown = repeated[0] + 1 if may_identify(name) else f"'{name}'"  # there may be no header
        raise DataError(f"{file}: column {shown} is there more than once. Take one of them out.")


def _why(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__


def _open_parquet(path: Path) -> pd.DataFrame:
    facts = pyarrow.parquet.read_metadata(_arrow_file(path))
    cells = facts.num_rows * facts.num_columns
    if cells > MANY_CELLS and cells > MOST_PACKED * path.stat().st_size:
        raise DataError(
            f"{path.name}: would unpack to {cells / 1e9:.1f} billion values from "
            f"{path.stat().st_size / 1e6:.1f} MB, which no extract does. It was not opened. Export it as CSV."
        )
    schema = facts.schema.to_arrow_schema()
    text = [
        c.name for c in schema if pa.types.is_string(c.type) or pa.types.is_large_string(c.type)
    ]
    names = [name for name in schema.names if not name.startswith("__index_level_")]
    _refuse_repeated(pd.Index(names), path.name)

    def column(name: str) -> pd.Series:
        table = pyarrow.parquet.read_table(_arrow_file(path), columns=[name], read_dictionary=text)
        return _to_frame(_in_seconds(table)).iloc[:, 0]

    # one column after another: the raw file is never in memory as a whole beside its frame
    return pd.DataFrame({name: column(name) for name in names}, copy=False)


def _arrow_file(path: Path) -> pa.OSFile:
    """Open a file for Arrow, which takes the text of a path for UTF-8 whatever the system does."""
    return pa.OSFile(os.fsencode(path))


def _in_seconds(table: pa.Table) -> pa.Table:
    """Return a table of one column, times in whole seconds where nothing is lost by it."""
    kind = table.schema.field(0).type
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return table.cast(pa.schema([(table.column_names[0], pa.timestamp("s"))]))
    return table


def _open_csv(path: Path) -> tuple[pd.DataFrame, str]:
    source, encoding = _as_utf8(path)
    with path.open("rb") if source == path else io.BytesIO(source) as stream:  # type: ignore[arg-type]
        lines = stream.read(1_000_000).splitlines()
    header = lines[0].decode("utf-8-sig") if lines else ""
    delimiter = max(",;\t", key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [""])]
    _refuse_repeated(pd.Index(names), path.name)
    if len(lines) < 2:
        return pd.DataFrame(columns=names, dtype="str"), encoding
    return _to_frame(_parse(source, names, delimiter, path.name)), encoding


def _as_utf8(path: Path) -> tuple[Path | bytes, str]:
    """Return the file itself where it is UTF-8, else its contents turned into UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        start = stream.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return path.read_bytes().decode("utf-16").encode("utf-8"), "utf-16"
        try:
            decoder.decode(start)
            while block := stream.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return path.read_bytes().decode("cp1252").encode("utf-8"), "windows-1252"
    return path, "utf-8"


def _parse(source: Path | bytes, names: list[str], delimiter: str, file: str) -> pa.Table:
    ragged: list[tuple[int | None, int]] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "error"

    def parse(*, use_threads: bool) -> pa.Table:
        return pyarrow.csv.read_csv(
            _arrow_file(source) if isinstance(source, Path) else io.BytesIO(source),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, skip_rows=1, use_threads=use_threads
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=False, invalid_row_handler=refuse
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )

    try:
        return parse(use_threads=True)
    except pa.ArrowInvalid as error:
        if not ragged:
            raise
        ragged.clear()
        try:
            parse(use_threads=False)  # only then does Arrow count rows
        except pa.ArrowInvalid:
            row, found = ragged[0]
            raise DataError(
                f"{file}, row {row}: {found} values where the header has {len(names)}. "
                "Put values that hold the delimiter in quotes, or export it again."
            ) from error
        raise


def _to_frame(table: pa.Table) -> pd.DataFrame:
    # an index that pandas wrote along is no column of the extract
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    frame: pd.DataFrame = (
        table.select(names)
        .replace_schema_metadata()
        .to_pandas(
            ignore_metadata=True, date_as_object=False, split_blocks=True, self_destruct=True
        )
    )
    return frame
