"""How the sheets of a workbook look: formats, widths of columns, heights of rows, paper.

In:  a workbook or a sheet of xlsxwriter; frames.
Out: formats by name; the sheet changed.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from riskmodel.fairness.disclosure import SUPPRESSED
from riskmodel.report.workbook.layout import LONGEST, label_of

__all__ = [
    "A3",
    "A4",
    "Formats",
    "LINE",
    "WIDTHS",
    "WORDS_WIDTH",
    "add_formats",
    "finish_sheet",
    "row_height",
    "write_frame",
]

Formats = dict[str, Any]
"""Name → format of xlsxwriter."""

LINE, MOST_LINES = 14.5, 26
"""Height of a line in points; lines of the highest row, about Excel's limit."""

WORDS_WIDTH, OTHER_WIDTH = 40, 13
"""Characters of a reason, and of any column that is not in :data:`WIDTHS`."""

WIDTHS = {
    "rank": 6,
    "pupil_id": 20,
    "school_id": 14,
    "year_group": 7,
    "risk": 9,
    "risk_low": 9,
    "risk_high": 9,
    "band": 11,
    "change": 9,
    "reasons": 60,
    "strengths": 46,
    "Seen by": 16,
    "Decision": 18,
    "Support offered": 26,
    "Date": 12,
    "Disagreement and why": 30,
    "Not appropriate because": 30,
}
"""Column → characters."""

PERCENTAGES = {"risk", "risk_low", "risk_high"}
"""Columns that are written as percentages."""

A4, A3 = 9, 8
"""Numbers of paper sizes in Excel."""

ALLOWED = {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True}
"""What the protection of a sheet leaves open."""

_BASE = {"valign": "top", "text_wrap": True}
_HEAD = _BASE | {"bold": True, "bottom": 2, "bg_color": "#E7E7E7", "align": "left", "indent": 1}
_OPEN = _BASE | {"locked": False, "bg_color": "#FFF8DC", "border": 1, "border_color": "#BFBFBF"}
_CELL = _BASE | {"bottom": 1, "bottom_color": "#D9D9D9"}
_SPECIFIED = {
    "title": _BASE | {"bold": True, "font_size": 16},
    "table_title": {"bold": True, "font_size": 13},
    "section": _BASE | {"bold": True, "font_size": 12, "top": 1},
    "text": _BASE,
    "small": _BASE | {"font_size": 8, "font_color": "#595959"},
    "head": _HEAD,
    "decision_head": _HEAD | {"bg_color": "#F2DFA0"},
    "cell": _CELL,
    "words": _CELL | {"align": "left", "indent": 1},
    "percent": _CELL | {"num_format": "0.0%"},
    "decimal": _CELL | {"num_format": "0.000"},
    "suppressed": _CELL | {"align": "right"},
    "decision": _OPEN,
    "day": _OPEN | {"num_format": "dd/mm/yyyy"},
    "own": _BASE | {"locked": False},
}


def add_formats(book: Any) -> Formats:
    """Return the formats of one workbook.

    Parameters
    ----------
    book : xlsxwriter.Workbook
        Gets the formats.

    Returns
    -------
    dict
        Name → format.
    """
    return {name: book.add_format(specified) for name, specified in _SPECIFIED.items()}


def write_frame(sheet: Any, frame: pd.DataFrame, formats: Formats, *, top: int = 0) -> None:
    """Write a frame with its header.

    Parameters
    ----------
    sheet : xlsxwriter.Worksheet
        Gets the cells.
    frame : DataFrame
        Its text is never read as a formula; text over :data:`LONGEST` characters is cut.
    formats : dict
        From :func:`add_formats`.
    top : int
        Row of the header, from 0.
    """
    for column, name in enumerate(map(str, frame.columns)):
        wide = WORDS_WIDTH if name.startswith(("reason", "strength")) else OTHER_WIDTH
        sheet.set_column(column, column, WIDTHS.get(name, wide))
        sheet.write_string(top, column, label_of(name), formats["head"])
        look = "percent" if name in PERCENTAGES else "cell"
        for row, value in enumerate(frame[name].tolist(), start=top + 1):
            _write_cell(sheet, (row, column), value, look, formats)


def _write_cell(
    sheet: Any, place: tuple[int, int], value: Any, look: str, formats: Formats
) -> None:
    """Write a text, a number, or an empty cell."""
    if isinstance(value, str):
        look = "suppressed" if value == SUPPRESSED else "words"
        sheet.write_string(*place, value[:LONGEST], formats[look])
    elif pd.isna(value):
        sheet.write_blank(*place, None, formats[look])
    else:
        is_decimal = isinstance(value, float) and look == "cell"
        sheet.write_number(*place, value, formats["decimal" if is_decimal else look])


def row_height(cells: list[tuple[str, int]]) -> float:
    """Return the height in which every cell of a row shows whole, if Excel can be so high.

    Parameters
    ----------
    cells : list of (str, int)
        Text of each cell, and the width of its column in characters.

    Returns
    -------
    float
        Points.

    Examples
    --------
    >>> row_height([("two lines of text", 10), ("one", 10)]) / LINE
    2.0
    """
    lines = [
        sum(math.ceil(max(1, len(line)) / width) for line in text.split("\n"))
        for text, width in cells
    ]
    return LINE * min(MOST_LINES, max(lines))


def finish_sheet(sheet: Any, *, landscape: bool, paper: int = A4) -> None:
    """Protect a sheet against slips, and make it print on pages as wide as it is.

    Parameters
    ----------
    sheet : xlsxwriter.Worksheet
        The sheet.
    landscape : bool
        Whether it is broad: then its header is repeated on every page.
    paper : int
        Number of a paper size.
    """
    sheet.protect("", ALLOWED)
    sheet.set_landscape() if landscape else sheet.set_portrait()
    sheet.set_paper(paper)
    sheet.fit_to_pages(1, 0 if landscape else 1)
    if landscape:
        sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P of &N")
