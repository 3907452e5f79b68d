"""Tables of text, as every page shows them.

In:  frames, or rows of text.
Out: :class:`TextTable`, which the macro ``table`` of ``components.html`` draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

__all__ = ["TextTable", "cell_words", "frame_table", "text_table"]

FIGURE = re.compile(r"((about )?[+-]?\d[\d,.]*%?|low)( \(.*\))?")
"""A cell that holds a figure, with its interval or share in brackets."""

SIGNS = frozenset({"", "c", "z", "–", "none", "not in the extracts"})
"""Cells that may take the place of a figure."""

LOW, HIGH = "_low", "_high"
"""Endings of the columns that hold the interval of the column before."""


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
        The interval of a column ``x`` is in ``x_low`` and ``x_high``.
    labels : mapping of str to str, optional
        Column → its head. Other columns are headed by their names, with spaces.
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
    texts = frame.map(cell_words).astype("str")
    names = [str(name) for name in frame]
    ends = {f"{name}{end}" for name in names if f"{name}{HIGH}" in frame for end in (LOW, HIGH)}
    shown = {name: _with_interval(texts, name) for name in names if name not in ends}
    said = labels or {}
    heads_of = [said.get(name, name.replace("_", " ")) for name in shown]
    return text_table(heads_of, zip(*shown.values(), strict=True), heads=heads)


def _with_interval(texts: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of text with its interval in brackets, where it has one."""
    if f"{name}{HIGH}" not in texts:
        return texts[name]
    low, high = texts[f"{name}{LOW}"], texts[f"{name}{HIGH}"]
    both = texts[name] + " (" + low + " to " + high + ")"
    return texts[name].where((low == high).to_numpy(), both)


def cell_words(value: object) -> str:
    """Return the text of a cell.

    Parameters
    ----------
    value : object
        A number, a code, or nothing.

    Returns
    -------
    str
        Three decimal places for a number that is not whole; spaces for underscores.

    Examples
    --------
    >>> [cell_words(value) for value in (0.12345, 7, "too_few", float("nan"))]
    ['0.123', '7', 'too few', '–']
    """
    if isinstance(value, float):
        return "–" if pd.isna(value) else f"{value:.3f}"
    return str(value).replace("_", " ")


def _are_figures(cells: Sequence[str]) -> bool:
    """Return whether a column holds figures, or signs in their place."""
    figures = [cell for cell in cells if cell not in SIGNS]
    return bool(figures) and all(FIGURE.fullmatch(cell) for cell in figures)
