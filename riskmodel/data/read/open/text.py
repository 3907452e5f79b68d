"""Delimited text: every line is a row, a part of one, or is set aside alone with its number and reason.

In:  UTF-8 bytes, in a file or in memory.
Out: a frame, and what was set aside; lines are counted apart from the parser that reads them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from riskmodel.data.read.open.further_headers import names_columns, with_every_header
from riskmodel.data.read.open.header import (
    Header,
    find_header,
    of_header,
    refuse_repeated,
)
from riskmodel.data.read.open.lines import (
    LineCount,
    Record,
    Records,
    as_utf8,
    cells_of,
    line_numbers,
    lines_of,
)
from riskmodel.data.read.open.opened import Opened, aside_of
from riskmodel.data.read.rows.problems import Problem, first_few
from riskmodel.errors import DataError

__all__ = ["arrow_file", "frame_of", "open_text"]

LONGEST_LINE = 900_000
"""Bytes of a line that is read; Arrow parses in blocks of a million."""

WORDS = {
    "ragged": "{found} values where the header has {n}. Put values that hold the delimiter in quotes, or "
    "export it again.",
    "unclosed_quote": "a value begins with a quotation mark that is not closed. Close it or take it out; "
    "the lines below were read on their own.",
    "too_long": "the line is longer than any row of an extract. Look for a missing end of line.",
}
"""Reason → what is wrong with a line, and what to do."""


def open_text(path: Path, name: str) -> Opened:
    """Open delimited text; lines that are no rows are set aside, each alone.

    Parameters
    ----------
    path : Path
        UTF-8, with or without mark, UTF-16 with mark, or Windows-1252.
    name : str
        What messages call it.

    Returns
    -------
    Opened
        Values as text; text that repeats comes as categories.

    Raises
    ------
    DataError
        If it holds no line, or a column twice.
    """
    source, encoding, count = as_utf8(path)
    if not count.lines:
        raise DataError(f"{name}: the file is empty: it holds no line of text. Export it again.")
    header = find_header(source)
    refuse_repeated(pd.Index(header.names), name)
    columns = _parse_plain(source, header, count)
    if columns is None:
        return _open_with_care(source, header, name, encoding, count)
    lines = line_numbers(source)[1:] if count.has_gaps else None
    raw = _frame(columns, header)
    return with_every_header(Opened(name, raw, encoding, 2, lines=lines, counted=count.lines - 1))


def _parse_plain(
    source: Path | bytes, header: Header, count: LineCount
) -> dict[str, pa.ChunkedArray] | None:
    """Return the rows where each line is one of them, else None."""
    if header.line != 1 or header.lines != 1:
        return None
    if count.lines == 1:
        return _columns(_arrow(io.BytesIO(b""), header))
    stream = arrow_file(source) if isinstance(source, Path) else io.BytesIO(source)
    try:
        table = _arrow(stream, header, skip=1)
    except pa.ArrowInvalid:
        return None
    return _columns(table) if table.num_rows == count.lines - 1 else None


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _arrow(stream: object, header: Header, *, skip: int = 0, over_lines: bool = False) -> pa.Table:
    names = header.names
    kinds = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string()))
    if isinstance(stream, io.BytesIO) and not stream.getbuffer().nbytes:
        return pa.table({name: pa.array([], kinds[name]) for name in names})
    return pyarrow.csv.read_csv(
        stream,
        read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=skip),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=header.delimiter, newlines_in_values=over_lines
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=kinds, null_values=[""], strings_can_be_null=True
        ),
    )


def arrow_file(path: Path) -> pa.OSFile:
    """Return a file opened for Arrow, which takes a path for UTF-8 whatever the system does.

    Parameters
    ----------
    path : Path
        Of the file.

    Returns
    -------
    pyarrow.OSFile
        For reading.
    """
    return pa.OSFile(os.fsencode(path))


def _frame(columns: dict[str, pa.ChunkedArray], header: Header) -> pd.DataFrame:
    """Return the rows; columns that have neither a name nor a value are left out."""
    for number, name in enumerate(header.names, 1):
        if name == f"column {number}" and columns[name].null_count == len(columns[name]):
            del columns[name]
    return frame_of(columns)


def frame_of(columns: dict[str, pa.ChunkedArray]) -> pd.DataFrame:
    """Return Arrow's columns as a frame; they are let go of one by one, so that few are there twice.

    Parameters
    ----------
    columns : dict of str to ChunkedArray
        Name → values; empty afterwards.

    Returns
    -------
    DataFrame
        Dates as dates, dictionaries as categories.
    """
    made = {}
    for name in list(columns):
        made[name] = columns.pop(name).to_pandas(date_as_object=False)
    # what Arrow keeps for later is as large as the table, and nobody else can use it
    pa.default_memory_pool().release_unused()
    return pd.DataFrame(made, copy=False)


@dataclass
class _Sorted:
    """Lines of a text: those that are rows, and those that are set aside."""

    rows: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    aside: list[tuple[Record, str]] = field(default_factory=list)
    lines_joined: int = 0
    trimmed: list[tuple[int, Record]] = field(default_factory=list)


def _open_with_care(
    source: Path | bytes, header: Header, name: str, encoding: str, count: LineCount
) -> Opened:
    """Open text of which some lines are no rows: they are set aside, the others read."""
    found = _sort_lines(source, header)
    stream = io.BytesIO(b"\n".join(found.rows))
    table = _arrow(stream, header, over_lines=found.lines_joined > 0)
    seen = count.lines - header.lines - found.lines_joined
    if table.num_rows != len(found.rows) or seen != len(found.rows) + len(found.aside):
        raise DataError(
            f"{name}: holds {seen} rows by a count of its lines, and others as they were read. "
            "Nothing of it was used. Export it again."
        )
    raw = _frame(_columns(table), header)
    return with_every_header(
        Opened(
            name,
            raw,
            encoding,
            2,
            lines=np.array(found.lines, dtype=np.int64),
            aside=aside_of(
                name, [(one.line, reason, one.text.decode("utf-8")) for one, reason in found.aside]
            ),
            problems=list(_of_lines(name, header, found)),
            counted=seen,
        )
    )


def _sort_lines(source: Path | bytes, header: Header) -> _Sorted:
    found, lines = _Sorted(), lines_of(source)
    for number, text in lines:
        if number == header.line:
            break
        if text:
            found.aside.append((Record(number, text, 0, 1), "above_header"))
    held = 1
    while held < header.lines:
        held += bool(next(lines)[1])
    n = width = len(header.names)
    for record in Records(lines, header.delimiter, n):
        if 1 < record.found < n and names_columns(
            cells_of(record.text, header.delimiter), header.names
        ):
            width = record.found  # the rows of another export, of fewer columns, are below
        row, reason = _fitted(record, header.delimiter.encode(), n, width), _reason(record)
        if row is None or reason == "too_long":
            found.aside.append((record, reason))
        else:
            if n < record.found < 2 * n and record.text.strip(header.delimiter.encode() + b" "):
                found.trimmed.append((len(found.rows), record))
            found.rows.append(row)
            found.lines.append(record.line)
            found.lines_joined += record.lines - 1
    if found.trimmed and 2 * len(found.trimmed) < len(found.rows):
        _set_trimmed_aside(found)
    return found


def _set_trimmed_aside(found: _Sorted) -> None:
    """Set rows aside with more delimiters than most: one may be of a value, and the last column empty."""
    for place, record in reversed(found.trimmed):
        del found.rows[place], found.lines[place]
        found.lines_joined -= record.lines - 1
        found.aside.append((record, "ragged"))
    found.aside.sort(key=lambda one: one[0].line)


def _fitted(record: Record, delimiter: bytes, n: int, width: int) -> bytes | None:
    """Return the text of a record of ``n`` values, or None if it has others."""
    extra = record.found - n
    if extra > 0 and record.text.endswith(delimiter * extra):
        # delimiters after the last value hold nothing; Arrow takes no empty line for a row
        return record.text[:-extra] or b'""'
    if record.found == width:
        return record.text + delimiter * (n - width)
    return record.text if extra == 0 else None


def _reason(record: Record) -> str:
    """Return why a record that is no row is none."""
    if len(record.text) > LONGEST_LINE:
        return "too_long"
    if record.found < 0:
        return "unclosed_quote"
    return "ragged" if record.text.strip(b" \t\x1a") else "blank"


def _of_lines(name: str, header: Header, found: _Sorted) -> Iterator[Problem]:
    """Return the problems of the lines that were set aside."""
    above = sum(reason == "above_header" for _, reason in found.aside)
    yield from of_header(name, above, header.line)
    for rule in WORDS:
        records = [record for record, reason in found.aside if reason == rule]
        rest = f"break the rule {rule}. They are in the rejects."
        yield from first_few(records, partial(_of_record, name, rule, len(header.names)), rest)


def _of_record(name: str, rule: str, n: int, one: Record) -> Problem:
    return Problem(name, rule, _words(one, rule, n), severity="error", row=one.line)


def _words(record: Record, rule: str, n: int) -> str:
    if rule == "ragged" and record.found < n:
        s = "" if record.found == 1 else "s"
        return (
            f"{record.found} value{s} where the header has {n}. Complete the row, or take the line out "
            "where it is no row, such as a total or a title."
        )
    return WORDS[rule].format(found=record.found, n=n)
