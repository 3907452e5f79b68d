"""What officers wrote into the columns for decisions.

In:  the rows of a workbook that came back.
Out: one text per row and column; the cells that cannot be taken, with what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd

from riskmodel.report.workbook.layout import DECISION_COLUMNS, DECISIONS, FIELDS
from riskmodel.report.workbook.list_identity import cell_text
from riskmodel.report.workbook.opening import plain

__all__ = ["read_decisions"]

DAY_FORMATS = ("%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %B %Y", "%d %b %Y")
"""How people write a day, the day before the month."""


def read_decisions(
    raw: pd.DataFrame, *, as_of: str, today: date
) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """Return what was filled in, and the cells that cannot be taken.

    Parameters
    ----------
    raw : DataFrame
        Rows of :class:`riskmodel.report.workbook.opening.OpenedList`.
    as_of : str
        The list's day; no decision may be earlier.
    today : date
        No decision may be later.

    Returns
    -------
    DataFrame, list of (int, str)
        The fields of :data:`riskmodel.report.workbook.layout.FIELDS`, empty text where nothing was
        filled in; row of the sheet, and what is wrong with a cell of it.
    """
    filled, faults = [], []
    for number, *cells in raw[["row", *DECISION_COLUMNS]].itertuples(index=False, name=None):
        read = [_read_cell(*pair, as_of, today) for pair in zip(FIELDS, cells, strict=True)]
        filled.append([value for value, _ in read])
        for label, (_, fault) in zip(DECISION_COLUMNS, read, strict=True):
            if fault:
                faults.append((number, f"'{label}' {fault}"))
    return pd.DataFrame(filled, columns=list(FIELDS), dtype="str"), faults


def _read_cell(name: str, cell: Any, as_of: str, today: date) -> tuple[str, str]:
    """Return the text of a cell for decisions, and what is wrong with it."""
    value = plain(cell)
    if value is None:
        return "", ""
    if cell.data_type == "f":
        return "", "holds a formula. Type what it should say"
    if cell.data_type == "e":
        return "", f"holds the error {value}. Type what it should say"
    if name == "date":
        return _read_day(value, as_of, today)
    text = cell_text(value.date().isoformat() if isinstance(value, datetime) else value)
    return _read_choice(text) if name == "decision" else (text, "")


def _read_choice(text: str) -> tuple[str, str]:
    """Return a decision as the list writes it."""
    known = {one.casefold(): one for one in DECISIONS}
    if text.casefold() not in known:
        return "", f"is '{text}', which is none of {', '.join(DECISIONS)}. Choose one of these"
    return known[text.casefold()], ""


def _read_day(value: object, as_of: str, today: date) -> tuple[str, str]:
    """Return the day of a decision."""
    day = _day(value)
    if day is None:
        return "", f"is '{cell_text(value)}', which is no date. Write it as 14/10/2025"
    remedy = "Give the day of the decision"
    if day > today:
        return "", f"is {day:%d/%m/%Y}, which is in the future. {remedy}"
    if day.isoformat() < as_of:
        own = f"{date.fromisoformat(as_of):%d/%m/%Y}"
        return "", f"is {day:%d/%m/%Y}, before the list's own day, {own}. {remedy}"
    return day.isoformat(), ""


def _day(value: object) -> date | None:
    if isinstance(value, str):
        return next(_days(value), None)
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _days(text: str) -> Iterator[date]:
    """Yield the day that a text gives in each layout that fits."""
    for layout in DAY_FORMATS:
        try:
            yield datetime.strptime(cell_text(text), layout).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
