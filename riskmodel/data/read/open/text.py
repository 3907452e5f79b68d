"""Delimited text: every line is a row, a part of one, or is set aside alone with its number and reason.

In:  UTF-8 bytes, in a file or in memory.
Out: a frame, and what was set aside; lines are counted apart from the parser that reads them.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from riskmodel.data.identity import may_identify
from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.rows.problems import REJECT_COLUMNS, SHOWN, Problem
from riskmodel.errors import DataError

__all__ = [
    "TOP",
    "arrow_file",
    "aside_of",
    "frame_of",
    "header_place",
    "of_header",
    "of_nameless",
    "open_text",
    "refuse_repeated",
]

DELIMITERS = ",;\t|"

BLOCK = 2**18
"""Bytes looked at in one go; few enough to stay in the processor's cache."""

TOP = 20
"""Lines among which the header is looked for."""

MOST_LINES, LONGEST_VALUE = 40, 20_000
"""Lines over which a value in quotes may go, and their bytes: beyond, its quote was never closed."""

FEW = 3
"""Columns up to which a sentence may have as many commas as a row."""

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


class _Header(NamedTuple):
    """Where the names of the columns stand."""

    delimiter: str
    names: list[str]
    line: int
    """Its number."""
    lines: int
    """Lines it goes over."""


class _Record(NamedTuple):
    """A row of text, over one or more lines."""

    line: int
    text: bytes
    found: int
    """Values in it; -1 where a quote is not closed."""
    lines: int
    """Lines it goes over that hold something."""


@dataclass
class _LineCount:
    r"""Lines of text that hold something, counted over bytes, block by block.

    Attributes
    ----------
    lines : int
        Lines that are not blank. ``\n``, ``\r\n`` and ``\r`` end a line.
    """

    lines: int = 0
    _ends: int = 0
    _returns: int = 0
    _at_start: bool = True

    def add(self, block: bytes) -> None:
        """Count the lines that begin in the next bytes of a text."""
        data = np.frombuffer(block, np.uint8)
        is_end = data == 10
        if 13 in block:
            returns = data == 13
            is_end |= returns
            self._returns += int(np.count_nonzero(returns))
        # a line that holds something begins where no end follows an end
        self.lines += int(np.count_nonzero(is_end[:-1] > is_end[1:]))
        self.lines += int(self._at_start and not is_end[0])
        self._ends += int(np.count_nonzero(is_end))
        self._at_start = bool(is_end[-1])

    @property
    def has_gaps(self) -> bool:
        """Whether there may be blank lines, so that rows are not numbered one after the other."""
        each = 2 if 2 * self._returns == self._ends else 1  # bytes that end a line
        is_even = each == 2 or self._returns in (0, self._ends)
        return not is_even or self._ends not in (each * self.lines, each * (self.lines - 1))


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
    source, encoding, count = _as_utf8(path)
    if not count.lines:
        raise DataError(f"{name}: the file is empty: it holds no line of text. Export it again.")
    header = _find_header(source)
    refuse_repeated(pd.Index(header.names), name)
    columns = _parse_plain(source, header, count)
    if columns is None:
        return _open_with_care(source, header, name, encoding, count)
    lines = _line_numbers(source)[1:] if count.has_gaps else None
    raw = _frame(columns, header)
    return Opened(
        name,
        raw,
        encoding,
        2,
        lines=lines,
        problems=of_nameless(name, raw),
        counted=count.lines - 1,
    )


def refuse_repeated(names: pd.Index, file: str) -> None:
    """Refuse columns of which one name is there twice.

    Parameters
    ----------
    names : Index
        Of the columns.
    file : str
        What messages call the file.

    Raises
    ------
    DataError
        If a name is there twice.
    """
    repeated = np.flatnonzero(names.duplicated())
    if len(repeated):
        name = str(names[repeated[0]])
        shown = repeated[0] + 1 if may_identify(name) else f"'{name}'"  # there may be no header
        raise DataError(f"{file}: column {shown} is there more than once. Take one of them out.")


def _as_utf8(path: Path) -> tuple[Path | bytes, str, _LineCount]:
    """Return the file itself where it is UTF-8, else its contents turned into UTF-8; and its lines."""
    with path.open("rb") as stream:
        start = stream.read(4)
        if wide := _wide(start):
            text = path.read_bytes().decode(wide).removeprefix("\ufeff").encode("utf-8")
            return text, wide.removesuffix("-le").removesuffix("-be"), _count(text)
        stream.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
        decoder, count = codecs.getincrementaldecoder("utf-8")(), _LineCount()
        try:
            while block := stream.read(BLOCK):
                if not block.isascii() or decoder.getstate()[0]:
                    decoder.decode(block)
                count.add(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            text = path.read_bytes().decode("cp1252").encode("utf-8")
            return text, "windows-1252", _count(text)
    return path, "utf-8", count


def _wide(start: bytes) -> str:
    """Return in which encoding of two or four bytes a text is, by its first four bytes, if in any."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    letters = "".join("0" if byte == 0 else "x" for byte in start)
    without_mark = {
        "x0x0": "utf-16-le",
        "0x0x": "utf-16-be",
        "x000": "utf-32-le",
        "000x": "utf-32-be",
    }
    return without_mark.get(letters, "")


def _count(text: bytes) -> _LineCount:
    count = _LineCount()
    for start in range(0, len(text), BLOCK):
        count.add(text[start : start + BLOCK])
    return count


def _find_header(source: Path | bytes) -> _Header:
    """Return the header: the first line with more than half of the values that lines beside it have."""
    lines = []
    for number, text in _lines(source):
        if text:
            lines.append((number, text))
        if len(lines) == TOP:
            break
    return _header_of(lines, max(DELIMITERS, key=lambda one: _agreement(lines, one)))


def _agreement(lines: list[tuple[int, bytes]], delimiter: str) -> tuple[int, int]:
    """Return how many of the first lines a delimiter parts into as many values, and how many those are."""
    counts = Counter(len(_cells(text, delimiter)) for _, text in lines if len(text) < LONGEST_VALUE)
    agreed = [(times, n) for n, times in counts.items() if n > 1]
    return max(agreed, default=(0, 1))


def _header_of(lines: list[tuple[int, bytes]], delimiter: str) -> _Header:
    cells = [_cells(text, delimiter) if len(text) < LONGEST_VALUE else [] for _, text in lines]
    filled = [sum(bool(cell) for cell in row) for row in cells]
    widths = [max((n for n, cell in enumerate(row, 1) if cell), default=0) for row in cells]
    place = header_place(filled, widths)
    record = next(iter(_Records(iter(lines[place:]), delimiter, None)))
    names = [" ".join(name.split()) for name in _cells(record.text, delimiter)]
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    return _Header(delimiter, names, record.line, record.lines)


def header_place(filled: list[int], widths: list[int] | None = None) -> int:
    """Return which of the first lines is the header: the first with over half of the usual values.

    Parameters
    ----------
    filled : list of int
        Values that each line holds; lines without any are left out.
    widths : list of int, optional
        Values that each line has up to the last that it holds; a line of far fewer than most is no header.

    Returns
    -------
    int
        From 0.

    Examples
    --------
    >>> header_place([1, 2, 6, 5, 6]), header_place([2, 2, 5])
    (2, 0)
    """
    usual = sorted(filled)[-2:][0]  # one line may hold too many
    place = next(place for place, n in enumerate(filled) if 2 * n > usual or usual < 3)
    most, times = Counter(widths or [0]).most_common(1)[0]
    if widths is None or times < 3 or widths[place] > most - 2:
        return place  # one value less may be a slip in the header
    fitting = [p for p in range(place, len(widths)) if widths[p] >= most and 2 * filled[p] > usual]
    return fitting[0] if fitting else place


def _cells(text: bytes, delimiter: str) -> list[str]:
    """Return the values of a line, or of the lines of one record; a quote that stays open is no quote."""
    if _Records(iter(()), delimiter, None).values_in(text) < 0:
        text = text.replace(b'"', b"")
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), delimiter=delimiter)
    return [cell.strip() for cell in next(reader, [""])]


def _parse_plain(
    source: Path | bytes, header: _Header, count: _LineCount
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


def _arrow(stream: object, header: _Header, *, skip: int = 0, over_lines: bool = False) -> pa.Table:
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


def _frame(columns: dict[str, pa.ChunkedArray], header: _Header) -> pd.DataFrame:
    """Return the rows; columns that have neither a name nor a value are left out."""
    for number, name in enumerate(header.names, 1):
        if name == f"column {number}" and columns[name].null_count == len(columns[name]):
            del columns[name]
    return frame_of(columns)


def of_nameless(name: str, raw: pd.DataFrame) -> list[Problem]:
    """Return a problem for each column that has values and no name.

    Parameters
    ----------
    name : str
        Of the file.
    raw : DataFrame
        A column without a name is called by its number.

    Returns
    -------
    list of Problem
        Errors: what the columns hold cannot be used.
    """
    nameless = [c for c in raw if re.fullmatch(r"column \d+", str(c)) and raw[c].notna().any()]
    return [
        Problem(
            name,
            "nameless_column",
            f"{name}: {column} has no name in the header, and holds values. It was not read. Name it.",
            severity="error",
        )
        for column in nameless
    ]


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
        one = pa.table({name: columns.pop(name)})
        made[name] = one.to_pandas(ignore_metadata=True, date_as_object=False).iloc[:, 0]
        del one
    # what Arrow keeps for later is as large as the table, and nobody else can use it
    pa.default_memory_pool().release_unused()
    return pd.DataFrame(made, copy=False)


def _lines(source: Path | bytes) -> Iterator[tuple[int, bytes]]:
    """Return each line with its number, blank ones too."""
    number = 0
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        for part in stream:
            held = part.removeprefix(codecs.BOM_UTF8) if number == 0 else part
            for text in held.splitlines() or [b""]:
                number += 1
                yield number, text


def _line_numbers(source: Path | bytes) -> NDArray[np.int64]:
    """Return the numbers of the lines that hold something."""
    numbers: list[NDArray[np.int64]] = []
    line, before = 1, 10
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        while block := stream.read(BLOCK):
            data = np.frombuffer(
                block.removeprefix(codecs.BOM_UTF8) if not numbers else block, np.uint8
            )
            earlier = np.append(np.uint8(before), data)[:-1]
            is_end = (data == 13) | (data == 10)
            starts = ~is_end & ((earlier == 13) | (earlier == 10))
            at = line + np.cumsum((data == 13) | (data == 10) & (earlier != 13))
            numbers.append(at[starts])
            line, before = (int(at[-1]), int(data[-1])) if len(data) else (line, before)
    return np.concatenate(numbers)


class _Records:
    """The records of text; a quote that is soon closed makes one of several lines.

    A value goes over several lines only where all of the record is written by the rules (a value is
    in quotes whole or holds none) and has ``n`` values. Every other open quote leaves its line alone.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes]], delimiter: str, n: int | None) -> None:
        self._lines, self._n, self._delimiter = lines, n, delimiter.encode()
        self._ahead: deque[tuple[int, bytes]] = deque()
        end = re.escape(self._delimiter)
        begins = rb"(?:\A|(?<=" + end + rb"))"
        self._open = re.compile(begins + rb'"')
        self._quoted = re.compile(begins + rb'"[^"]*+(?:""[^"]*+)*+"')
        self._whole = re.compile(self._quoted.pattern + rb"(?=" + end + rb"|\Z)")

    def __iter__(self) -> Iterator[_Record]:
        while line := self._ahead.popleft() if self._ahead else next(self._lines, None):
            number, text = line
            if not text:
                continue
            found = self.values_in(text) if b'"' in text else text.count(self._delimiter) + 1
            joined = self._joined(text) if found < 0 else None
            if joined is None:
                yield _Record(number, text, found, 1)
            else:
                whole, found, taken = joined
                held = sum(bool(self._ahead.popleft()[1]) for _ in range(taken))
                yield _Record(number, whole, found, 1 + held)

    def values_in(self, text: bytes) -> int:
        """Return how many values a text has, or -1 where a quote is not closed."""
        rest = self._quoted.sub(b"", text)
        return -1 if self._open.search(rest) else rest.count(self._delimiter) + 1

    def _joined(self, text: bytes) -> tuple[bytes, int, int] | None:
        """Return the text of a record over several lines, its values, and the further lines."""
        for taken, (_, more) in enumerate(self._following(), 1):
            text += b"\n" + more
            if taken > MOST_LINES or len(text) > LONGEST_VALUE:
                break
            if b'"' in more and (found := self.values_in(text)) > 0:
                is_sound = self._is_by_the_rules(text) and not self._holds_rows(text, found)
                return (text, found, taken) if is_sound and self._n in (None, found) else None
        return None

    def _is_by_the_rules(self, text: bytes) -> bool:
        """Whether each value is in quotes whole or holds none."""
        return b'"' not in self._whole.sub(b"", text)

    def _holds_rows(self, text: bytes, n: int) -> bool:
        """Whether lines of a text are rows of their own, which two stray quotes made one value."""
        if n <= FEW:  # where few values make a row, a comma before a blank is one of a sentence
            text = text.replace(self._delimiter + b" ", b" ")
        rows = [line.count(self._delimiter) >= n - 1 for line in text.split(b"\n")]
        return any(rows[1:-1]) or (rows[0] and rows[-1])

    def _following(self) -> Iterator[tuple[int, bytes]]:
        yield from list(self._ahead)
        for line in self._lines:
            self._ahead.append(line)
            yield line


@dataclass
class _Sorted:
    """Lines of a text: those that are rows, and those that are set aside."""

    rows: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    aside: list[tuple[int, str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines_joined: int = 0


def _open_with_care(
    source: Path | bytes, header: _Header, name: str, encoding: str, count: _LineCount
) -> Opened:
    """Open text of which some lines are no rows: they are set aside, the others read."""
    found = _sort_lines(source, header, name)
    stream = io.BytesIO(b"\n".join(found.rows))
    table = _arrow(stream, header, over_lines=found.lines_joined > 0)
    seen = count.lines - header.lines - found.lines_joined
    if table.num_rows != len(found.rows) or seen != len(found.rows) + len(found.aside):
        raise DataError(
            f"{name}: holds {seen} rows by a count of its lines, and others as they were read. "
            "Nothing of it was used. Export it again."
        )
    raw = _frame(_columns(table), header)
    return Opened(
        name,
        raw,
        encoding,
        2,
        lines=np.array(found.lines, dtype=np.int64),
        aside=aside_of(name, found.aside),
        problems=[*found.problems, *_of_lines(name, header, found), *of_nameless(name, raw)],
        counted=seen,
    )


def _sort_lines(source: Path | bytes, header: _Header, name: str) -> _Sorted:
    delimiter, n = header.delimiter.encode(), len(header.names)
    found, lines = _Sorted(), _lines(source)
    for number, text in lines:
        if number == header.line:
            break
        if text:
            found.aside.append((number, "above_header", text.decode("utf-8")))
    held = 1
    while held < header.lines:
        held += bool(next(lines)[1])
    for record in _Records(lines, header.delimiter, n):
        text, extra = record.text, record.found - n
        if extra > 0 and text.endswith(delimiter * extra):
            # delimiters after the last value hold nothing; Arrow takes no empty line for a row
            text, extra = text[:-extra] or b'""', 0
        reason = (
            "too_long"
            if len(text) > LONGEST_LINE
            else "unclosed_quote"
            if record.found < 0
            else "ragged"
            if text.strip(b" \t\x1a")
            else "blank"
        )
        if extra == 0 and reason != "too_long":
            found.rows.append(text)
            found.lines.append(record.line)
            found.lines_joined += record.lines - 1
        else:
            _set_aside(found, record, reason, name, n)
    return found


def _set_aside(found: _Sorted, record: _Record, reason: str, name: str, n: int) -> None:
    found.aside.append((record.line, reason, record.text.decode("utf-8")))
    if reason in WORDS and sum(one.rule == reason for one in found.problems) < SHOWN:
        words = WORDS[reason].format(found=record.found, n=n)
        if reason == "ragged" and record.found < n:
            s = "" if record.found == 1 else "s"
            words = (
                f"{record.found} value{s} where the header has {n}. Complete the row, or take the line out "
                "where it is no row, such as a total or a title."
            )
        found.problems.append(Problem(name, reason, words, severity="error", row=record.line))


def aside_of(name: str, lines: list[tuple[int, str, str]]) -> pd.DataFrame:
    """Return lines as rejects.

    Parameters
    ----------
    name : str
        Of the file.
    lines : list of tuple
        Number, reason and text of each.

    Returns
    -------
    DataFrame
        ``file, row, reason, record``.
    """
    rows = [(name, line, reason, json.dumps({"line": text})) for line, reason, text in lines]
    return pd.DataFrame(rows, columns=REJECT_COLUMNS)


def of_header(name: str, above: int, line: int) -> list[Problem]:
    """Return the problem of what is above a header, or none.

    Parameters
    ----------
    name : str
        Of the file.
    above : int
        Lines above the header that hold something.
    line : int
        Number of the header.

    Returns
    -------
    list of Problem
        One, or none.
    """
    if not above:
        return []
    lines = f"{above} lines that hold something are" if above > 1 else "1 line is"
    words = (
        f"{name}: {lines} above the header, which is line {line}. "
        "What they hold was not read; it is in the rejects."
    )
    return [Problem(name, "above_header", words)]


def _of_lines(name: str, header: _Header, found: _Sorted) -> Iterator[Problem]:
    """Return problems that count lines: those above the header, and those beyond the first few."""
    reasons = [reason for _, reason, _ in found.aside]
    yield from of_header(name, reasons.count("above_header"), header.line)
    for reason in WORDS:
        more = reasons.count(reason) - SHOWN
        if more > 0:
            words = f"{name}: {more} more rows break the rule {reason}. They are in the rejects."
            yield Problem(name, reason, words, severity="error")
