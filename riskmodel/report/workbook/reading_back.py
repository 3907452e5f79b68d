"""A workbook that came back: whether it is of this list and unchanged, and what was decided.

In:  a workbook, also edited, sorted, filtered, partly filled, or saved by another program.
Out: :class:`Returned`, or every fault with its sheet and row in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from riskmodel.errors import RequestError
from riskmodel.report.workbook.altered_rows import altered_rows
from riskmodel.report.workbook.decision_cells import read_decisions
from riskmodel.report.workbook.list_identity import ListIdentity, cell_text
from riskmodel.report.workbook.opening import OpenedList, open_returned, plain

__all__ = ["Returned", "read_returned"]

FAULTS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Returned:
    """The decisions of a workbook that came back.

    Attributes
    ----------
    name : str
        File.
    identity : ListIdentity
        The list it is of.
    rows : DataFrame
        Every pupil in it: ``where`` (sheet and row), ``pupil_id, school_id, band`` and the fields of
        :data:`riskmodel.report.workbook.layout.FIELDS`, empty text where nothing was filled in.
    notes : list of str
        What is worth knowing and no fault.
    """

    name: str
    identity: ListIdentity
    rows: pd.DataFrame = field(repr=False)
    notes: list[str]


def read_returned(
    path: Path, *, today: date, listed: tuple[ListIdentity, pd.DataFrame] | None = None
) -> Returned:
    """Read and check a workbook that came back.

    Parameters
    ----------
    path : Path
        The workbook.
    today : date
        No decision may be later.
    listed : tuple of ListIdentity and DataFrame, optional
        What :func:`riskmodel.report.list_files.read_list` read from the list's folder: then rows are
        compared with the list itself, not with the seals in the workbook.

    Returns
    -------
    Returned
        Decisions.

    Raises
    ------
    RequestError
        If it is no workbook, not of the list, or a row cannot be taken; each fault is named.
    """
    opened = open_returned(path)
    identity, ranking = listed or (opened.identity, None)
    if opened.identity != identity:
        raise RequestError(
            f"{path.name} belongs to another list ({opened.identity.words()}), not to the one named with "
            f"--list ({identity.words()}). Name the folder of its own list."
        )
    faults = altered_rows(opened, ranking)
    filled, unfit = read_decisions(opened.raw, as_of=identity.as_of, today=today)
    if faults or unfit:
        raise RequestError(_refusal([*faults, *unfit], path.name, opened.title))
    rows = pd.concat([_pupils(opened), filled], axis=1)
    notes = [*_missing(rows, identity, path.name), *_unsaid(rows)]
    return Returned(name=path.name, identity=identity, rows=rows, notes=notes)


def _pupils(opened: OpenedList) -> pd.DataFrame:
    """Return who the rows are about, and where they are."""
    columns = {"pupil_id": "Pupil id", "school_id": "School id", "band": "Band"}
    texts = {
        name: [cell_text(plain(cell)) for cell in opened.raw[head]]
        for name, head in columns.items()
    }
    where = [f"{opened.where}, row {number}" for number in opened.raw["row"]]
    return pd.DataFrame({"where": where} | texts)


def _refusal(faults: list[tuple[int, str]], name: str, title: str) -> str:
    """Return why nothing of a workbook is taken: the first faults by row, and how many more."""
    shown = sorted(faults)[:FAULTS_SHOWN]
    lines = [f"  sheet {title}, row {number}: {what}." for number, what in shown]
    if len(faults) > FAULTS_SHOWN:
        lines.append(f"  and {len(faults) - FAULTS_SHOWN} more.")
    return "\n".join([f"{name} cannot be taken, and nothing was added to the log:", *lines])


def _missing(rows: pd.DataFrame, identity: ListIdentity, name: str) -> list[str]:
    """Return a note about pupils of the list who are not in the workbook."""
    missing = identity.rows - len(rows)
    if missing <= 0:
        return []
    return [
        f"{name}: {missing} of the list's {identity.rows} pupils are not in it. What was decided on them "
        "before stays."
    ]


def _unsaid(rows: pd.DataFrame) -> list[str]:
    """Return notes about decisions that are not whole."""
    undecided = rows[(rows["decision"] == "") & (rows["support_offered"] != "")]
    unsaid = rows[(rows["decision"] == "Not appropriate") & (rows["not_appropriate_because"] == "")]
    return [
        *[
            f"{where}: support is named, but no decision; it counts as not decided until one is chosen."
            for where in undecided["where"]
        ],
        *[
            f"{where}: 'Not appropriate', without saying why. Please ask."
            for where in unsaid["where"]
        ],
    ]
