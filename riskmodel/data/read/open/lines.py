"""Lines of text: counted over bytes, numbered, and joined to records.

In:  the bytes of delimited text, in a file or in memory.
Out: UTF-8, the count of its lines, and records of one or more lines.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LONGEST_VALUE",
    "LineCount",
    "Record",
    "Records",
    "as_utf8",
    "cells_of",
    "line_numbers",
    "lines_of",
]

BLOCK = 2**18
"""Bytes looked at in one go; few enough to stay in the processor's cache."""

MOST_LINES, LONGEST_VALUE = 40, 20_000
"""Lines over which a value in quotes may go, and their bytes: beyond, its quote was never closed."""

FEW = 3
"""Columns up to which a sentence may have as many commas as a row."""


class Record(NamedTuple):
    """A row of text, over one or more lines.

    Parameters
    ----------
    line : int
        Number of its first line.
    text : bytes
        All of it.
    found : int
        Values in it; -1 where a quote is not closed.
    lines : int
        Lines it goes over that hold something.
    """

    line: int
    text: bytes
    found: int
    lines: int


@dataclass
class LineCount:
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
        """Count the lines that begin in the next bytes of a text.

        Parameters
        ----------
        block : bytes
            At least one.
        """
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


def as_utf8(path: Path) -> tuple[Path | bytes, str, LineCount]:
    """Return a text in UTF-8, and its lines counted.

    Parameters
    ----------
    path : Path
        Of text in UTF-8, UTF-16, UTF-32 or Windows-1252.

    Returns
    -------
    source : Path or bytes
        The file itself where it is UTF-8, else its contents turned into UTF-8.
    encoding : str
        That of the file.
    count : LineCount
        The lines that hold something.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
        if wide := _wide(start):
            text = path.read_bytes().decode(wide).removeprefix("\ufeff").encode("utf-8")
            return text, wide.removesuffix("-le").removesuffix("-be"), _count(text)
        stream.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
        decoder, count = codecs.getincrementaldecoder("utf-8")(), LineCount()
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


def _count(text: bytes) -> LineCount:
    count = LineCount()
    for start in range(0, len(text), BLOCK):
        count.add(text[start : start + BLOCK])
    return count


def lines_of(source: Path | bytes) -> Iterator[tuple[int, bytes]]:
    r"""Return each line with its number, blank ones too.

    Parameters
    ----------
    source : Path or bytes
        UTF-8.

    Yields
    ------
    tuple of (int, bytes)
        Number, from 1, and text without its end.

    Examples
    --------
    >>> list(lines_of(b"a\r\n\r\nb"))
    [(1, b'a'), (2, b''), (3, b'b')]
    """
    number = 0
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        for part in stream:
            held = part.removeprefix(codecs.BOM_UTF8) if number == 0 else part
            for text in held.splitlines() or [b""]:
                number += 1
                yield number, text


def line_numbers(source: Path | bytes) -> NDArray[np.int64]:
    r"""Return the numbers of the lines that hold something.

    Parameters
    ----------
    source : Path or bytes
        UTF-8.

    Returns
    -------
    int array of shape (n_lines,)
        From 1.

    Examples
    --------
    >>> line_numbers(b"a\n\nb").tolist()
    [1, 3]
    """
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


def cells_of(text: bytes, delimiter: str) -> list[str]:
    """Return the values of a line, or of the lines of one record; a quote that stays open is no quote.

    Parameters
    ----------
    text : bytes
        UTF-8.
    delimiter : str
        Between two values.

    Returns
    -------
    list of str
        Without blanks around.

    Examples
    --------
    >>> cells_of(b'A1, "x,y",', ",")
    ['A1', '"x', 'y"', '']
    """
    if Records(iter(()), delimiter, None).values_in(text) < 0:
        text = text.replace(b'"', b"")
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), delimiter=delimiter)
    return [cell.strip() for cell in next(reader, [""])]


class Records:
    """The records of text; a quote that is soon closed makes one of several lines.

    A value goes over several lines only where all of the record is written by the rules (a value is
    in quotes whole or holds none) and has ``n`` values. Every other open quote leaves its line alone.

    Parameters
    ----------
    lines : iterator of (int, bytes)
        From :func:`lines_of`.
    delimiter : str
        Between two values.
    n : int or None
        Values of a record; any number where None.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes]], delimiter: str, n: int | None) -> None:
        self._lines, self._n, self._delimiter = lines, n, delimiter.encode()
        self._ahead: deque[tuple[int, bytes]] = deque()
        end = re.escape(self._delimiter)
        begins = rb"(?:\A|(?<=" + end + rb"))"
        self._open = re.compile(begins + rb'"')
        self._quoted = re.compile(begins + rb'"[^"]*+(?:""[^"]*+)*+"')
        self._whole = re.compile(self._quoted.pattern + rb"(?=" + end + rb"|\Z)")

    def __iter__(self) -> Iterator[Record]:
        while line := self._ahead.popleft() if self._ahead else next(self._lines, None):
            number, text = line
            if not text:
                continue
            found = self.values_in(text) if b'"' in text else text.count(self._delimiter) + 1
            joined = self._joined(text) if found < 0 else None
            if joined is None:
                yield Record(number, text, found, 1)
            else:
                whole, found, taken = joined
                held = sum(bool(self._ahead.popleft()[1]) for _ in range(taken))
                yield Record(number, whole, found, 1 + held)

    def values_in(self, text: bytes) -> int:
        """Return how many values a text has, or -1 where a quote is not closed.

        Parameters
        ----------
        text : bytes
            Of one record.

        Returns
        -------
        int
            At least 1, or -1.
        """
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
