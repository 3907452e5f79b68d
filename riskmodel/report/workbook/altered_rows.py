"""Which rows of a workbook that came back are not as they were written.

In:  the rows; the list itself, or else the seals in the workbook.
Out: the number of each altered row, with what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from riskmodel.errors import RequestError
from riskmodel.report.workbook.layout import FIXED, SEAL, label_of, sheet_rows
from riskmodel.report.workbook.list_identity import cell_text, row_seals
from riskmodel.report.workbook.opening import OpenedList, plain

__all__ = ["altered_rows"]

REMEDY = "Put the row back as it was in list.xlsx; decisions go into the shaded columns"


def altered_rows(opened: OpenedList, ranking: pd.DataFrame | None) -> list[tuple[int, str]]:
    """Return the rows that are not as they were written.

    Parameters
    ----------
    opened : OpenedList
        The sheet.
    ranking : DataFrame, optional
        The list itself; without it, rows are compared with their seals.

    Returns
    -------
    list of (int, str)
        Row of the sheet, and what is wrong with it.

    Raises
    ------
    RequestError
        If there is neither the list nor the column of seals.
    """
    raw = opened.raw
    if ranking is None and SEAL not in raw:
        raise RequestError(
            f"{opened.where}: the hidden column '{SEAL}' is gone, so that nobody can tell whether its rows "
            "are unchanged. Name the folder of the list with --list."
        )
    original = None if ranking is None else sheet_rows(ranking)
    cells = raw[[label_of(name) for name in FIXED]].map(plain)
    pupils = cells["Pupil id"].map(cell_text)
    known = _known(opened, pupils, original)
    seals = pd.Series(row_seals(opened.identity.list_id, cells), index=cells.index)
    return list(_faults(cells.assign(pupil=pupils, seal=seals, row=raw["row"]), known, original))


def _known(opened: OpenedList, pupils: pd.Series, original: pd.DataFrame | None) -> dict[str, str]:
    """Return the seal that each pupil's row must have."""
    if original is None:
        seals = opened.raw[SEAL].map(lambda cell: cell_text(plain(cell)))
        return dict(zip(pupils, seals, strict=True))
    names = original["pupil_id"].map(cell_text)
    return dict(zip(names, row_seals(opened.identity.list_id, original), strict=True))


def _faults(
    cells: pd.DataFrame, known: dict[str, str], original: pd.DataFrame | None
) -> Iterator[tuple[int, str]]:
    """Yield each row that is not one of the list's, once, as it was written."""
    seen: dict[str, int] = {}
    for _, row in cells.iterrows():
        number, pupil = row["row"], row["pupil"]
        if not pupil:
            yield number, "has no pupil. Put the pupil back, or empty the row"
        elif pupil in seen:
            yield number, f"pupil {pupil} is in row {seen[pupil]} already. Leave one of the two"
        elif not known.get(pupil):
            yield number, f"pupil {pupil} is not on this list. Take the row out"
        elif known[pupil] != row["seal"]:
            yield number, f"{_difference(row, pupil, original)}. {REMEDY}"
        seen.setdefault(pupil, number)


def _difference(row: pd.Series, pupil: str, original: pd.DataFrame | None) -> str:
    """Return which cell of a row was changed, as far as that is known."""
    if original is None:
        return f"the rank, the risk or another fixed cell of pupil {pupil} was changed"
    there = original[(original["pupil_id"].map(cell_text) == pupil).to_numpy()].iloc[0]
    for name in FIXED:
        now, was = cell_text(row[label_of(name)]), cell_text(there[name])
        if now != was:
            return f"'{label_of(name)}' of pupil {pupil} was changed from '{was}' to '{now}'"
    return f"a fixed cell of pupil {pupil} was changed"
