"""Headers: which line holds the names of the columns, and whether it comes again further down.

In:  the first lines of text or rows of a sheet; the rows below.
Out: the names; rows of which each value stands below its name.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmodel.data.identity import may_identify
from riskmodel.data.read.open.lines import LONGEST_VALUE, Records, cells_of, lines_of
from riskmodel.data.read.rows.problems import Problem
from riskmodel.errors import DataError

__all__ = [
    "TOP",
    "Header",
    "find_header",
    "header_place",
    "of_header",
    "of_nameless",
    "refuse_repeated",
]

DELIMITERS = ",;\t|"

TOP = 20
"""Lines among which the header is looked for."""

TITLES = ([1], [1, 1])
"""Values of the lines above the last, where these are titles and that is the header of no rows."""


class Header(NamedTuple):
    """Where the names of the columns stand.

    Parameters
    ----------
    delimiter : str
        Between two values.
    names : list of str
        Of the columns.
    line : int
        Number of its line.
    lines : int
        Lines it goes over.
    """

    delimiter: str
    names: list[str]
    line: int
    lines: int


def find_header(source: Path | bytes) -> Header:
    r"""Return the header: the first line with more than half of the values that lines beside it have.

    Parameters
    ----------
    source : Path or bytes
        UTF-8.

    Returns
    -------
    Header
        A column without a name is called by its number.

    Examples
    --------
    >>> find_header(b"Suspensions 2024\nUPN;Day;Mark\nA1;1;L\nB2;2;L\n")[:3]
    (';', ['UPN', 'Day', 'Mark'], 2)
    """
    lines = []
    for number, text in lines_of(source):
        if text:
            lines.append((number, text))
        if len(lines) == TOP:
            break
    return _header_of(lines, max(DELIMITERS, key=lambda one: _agreement(lines, one)))


def _agreement(lines: list[tuple[int, bytes]], delimiter: str) -> tuple[int, int]:
    """Return how many of the first lines a delimiter parts into as many values, and how many those are."""
    counts = Counter(
        len(cells_of(text, delimiter)) for _, text in lines if len(text) < LONGEST_VALUE
    )
    agreed = [(times, n) for n, times in counts.items() if n > 1]
    return max(agreed, default=(0, 1))


def _header_of(lines: list[tuple[int, bytes]], delimiter: str) -> Header:
    cells = [cells_of(text, delimiter) if len(text) < LONGEST_VALUE else [] for _, text in lines]
    filled = [sum(bool(cell) for cell in row) for row in cells]
    widths = [max((n for n, cell in enumerate(row, 1) if cell), default=0) for row in cells]
    place = header_place(filled, widths)
    record = next(iter(Records(iter(lines[place:]), delimiter, None)))
    names = [" ".join(name.split()) for name in cells_of(record.text, delimiter)]
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    return Header(delimiter, names, record.line, record.lines)


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
    >>> header_place([1, 2, 6, 5, 6]), header_place([2, 2, 5]), header_place([1, 4])
    (2, 0, 1)
    """
    above = [n for n in filled[:-1] if n]
    if above in TITLES and filled[-1] > 2:
        return len(filled) - 1  # titles, the header, and no rows
    usual = sorted(filled)[-2:][0]  # one line may hold too many
    place = next(place for place, n in enumerate(filled) if 2 * n > usual or usual < 3)
    most, times = Counter(widths or [0]).most_common(1)[0]
    if widths is None or times < 3 or widths[place] > most - 2:
        return place  # one value less may be a slip in the header
    fitting = [p for p in range(place, len(widths)) if widths[p] >= most and 2 * filled[p] > usual]
    return fitting[0] if fitting else place


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
    if nameless[:1] == ["column 1"] and _numbers_rows(raw["column 1"]):
        nameless = nameless[1:]
    return [
        Problem(
            name,
            "nameless_column",
            f"{name}: {column} has no name in the header, and holds values. It was not read. Name it.",
            severity="error",
            column=str(column),
        )
        for column in nameless
    ]


def _numbers_rows(values: pd.Series) -> bool:
    """Whether a column numbers the rows, as programs write the index of a table: from 0 or 1, one by one."""
    number = pd.to_numeric(values, errors="coerce")
    return bool(number.iloc[0] in (0, 1) and (number.diff().iloc[1:] == 1).all())


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
