"""Tables of text, as every page shows them.

In:  frames, or rows of text.
Out: :class:`TextTable`, which the macro ``table`` of ``components.html`` draws.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from riskmodel.report.sentences import day_words

__all__ = ["INTERVAL_OF_VALUE", "TextTable", "cell_words", "frame_table", "text_table"]

FIGURE = re.compile(r"((about )?[+-]?\d[\d,.]*%?|low)( \(.*\))?")
"""A cell that holds a figure, with its interval or share in brackets."""

SIGNS = frozenset({"", "c", "z", "–", "none", "not in the extracts"})
"""Cells that may take the place of a figure."""

LOW, HIGH = "_low", "_high"
"""Endings of the columns that hold the interval of the column before."""

INTERVAL_OF_VALUE = {"low": f"value{LOW}", "high": f"value{HIGH}"}
"""Ends of the interval of ``value``, as other columns name theirs."""

LARGE, LARGE_DECIMALS, SMALL_DECIMALS = 10, 1, 3
"""Size from which a figure has one decimal place; smaller ones have three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table of text.

    Attributes
    ----------
    columns : tuple of str
        Heads of the columns.
    rows : tuple of tuple of str
        Cells, one per column.
    heads : int
        Cells at the start of a row that name it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    heads: int = 1

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Whether each column holds figures, which are set to the right."""
        return tuple(
            place >= self.heads and _are_figures([row[place] for row in self.rows])
            for place in range(len(self.columns))
        )


def text_table(
    columns: Iterable[str], rows: Iterable[Sequence[object]], *, heads: int = 1
) -> TextTable:
    """Return a table from its heads and rows.

    Parameters
    ----------
    columns : iterable of str
        Heads of the columns.
    rows : iterable of sequence
        Cells of text, one per column.
    heads : int
        Cells at the start of a row that name it.

    Returns
    -------
    TextTable
        The same, as text.

    Examples
    --------
    >>> text_table(["School", "Pupils"], [["North", "1,204"], ["South", "c"]]).is_number
    (False, True)
    """
    cells = tuple(tuple(map(str, row)) for row in rows)
    return TextTable(columns=tuple(columns), rows=cells, heads=heads)


def frame_table(
    frame: pd.DataFrame, *, labels: Mapping[str, str] | None = None, heads: int = 1
) -> TextTable:
    """Return a frame as text: a figure and its interval share a cell.

    Parameters
    ----------
    frame : DataFrame
        The interval of a column ``x`` is in ``x_low`` and ``x_high``, that of ``value`` in ``low`` and
        ``high``, too.
    labels : mapping of str to str, optional
        Column → its head. Other columns are headed by their names, with spaces and a capital.
    heads : int
        Columns at the start that name a row.

    Returns
    -------
    TextTable
        ``0.120 (0.080 to 0.170)`` for a figure with an interval; a dash for a missing value. Ends that
        are the same text are left out: what is suppressed or not defined has no interval.

    Examples
    --------
    >>> frame = pd.DataFrame({"group": ["girl"], "recall": [0.0], "recall_low": [0.0], "recall_high": [0.2]})
    >>> frame_table(frame).rows
    (('girl', '0.000 (0.000 to 0.200)'),)
    """
    named = frame.rename(columns=INTERVAL_OF_VALUE) if "value" in frame else frame
    names = [str(name) for name in named]
    ends = {f"{name}{end}" for name in names if f"{name}{HIGH}" in named for end in (LOW, HIGH)}
    shown = [name for name in names if name not in ends]
    known = labels or {}
    titles = [known.get(name) or _title(name) for name in shown]
    cells = [_cells(named, name) for name in shown]
    return text_table(titles, zip(*cells, strict=True), heads=heads)


def _title(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a column as text, with its interval in brackets where it has one."""
    if f"{name}{HIGH}" not in frame:
        return [cell_words(value) for value in frame[name].tolist()]
    three = [frame[column].tolist() for column in (name, f"{name}{LOW}", f"{name}{HIGH}")]
    return [_with_interval(*values) for values in zip(*three, strict=True)]


def _with_interval(value: object, low: object, high: object) -> str:
    """Return a figure and its interval, all with as many decimal places."""
    numbers = [abs(one) for one in (value, low, high) if isinstance(one, float)]
    decimals = _decimals(max(numbers, default=0.0))
    text, first, last = (cell_words(one, decimals=decimals) for one in (value, low, high))
    return text if first == last else f"{text} ({first} to {last})"


def _decimals(size: float) -> int:
    return LARGE_DECIMALS if size >= LARGE else SMALL_DECIMALS


def cell_words(value: object, *, decimals: int | None = None) -> str:
    """Return the text of a cell.

    Parameters
    ----------
    value : object
        A number, a day, a code, or nothing.
    decimals : int, optional
        Decimal places of a number that is not whole; without it one from :data:`LARGE` on, else three.

    Returns
    -------
    str
        Days as people write them; spaces for underscores.

    Examples
    --------
    >>> [cell_words(value) for value in (0.12345, 144.5, 7, "too_few", float("nan"))]
    ['0.123', '144.5', '7', 'too few', '–']
    >>> cell_words(pd.Timestamp("2024-09-02"))
    '2 September 2024'
    """
    if value is pd.NaT:
        return "–"
    if isinstance(value, pd.Timestamp):
        return day_words(value)
    if isinstance(value, float):
        places = _decimals(abs(value)) if decimals is None else decimals
        return "–" if math.isnan(value) else f"{value:z.{places}f}"
    return str(value).replace("_", " ")


def _are_figures(cells: Sequence[str]) -> bool:
    """Return whether a column holds figures, or signs in their place."""
    is_empty = not any(cells)
    return not is_empty and all(cell in SIGNS or FIGURE.fullmatch(cell) for cell in cells)
