"""What came of a folder of returns, and what became of every row of a file in it.

In:  files as they were recognised, and rows to set aside with a reason.
Out: rejects, problems, and counts in which each row stands once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.read.rows.problems import Problem, RowChecks, Severity
from riskmodel.data.read.sources.source import Source

__all__ = ["ReadLog", "ReturnFile", "RowCount", "count_rows", "keep_notes", "set_aside_rows"]


class RowCount(NamedTuple):
    """What became of the rows of a file.

    Parameters
    ----------
    file, table : str
        The file, and the source or table that it is of.
    rows_read : int
        Sum of the others.
    rows_kept : int
        Rows of which a table holds a fact that no earlier row contradicts.
    rows_rejected : int
        Rows set aside.
    rows_merged : int
        Rows whose facts equal those of other rows.
    rows_conflicting : int
        Rows that contradict one that was received earlier, or on the same day.
    """

    file: str
    table: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    rows_merged: int
    rows_conflicting: int


@dataclass
class ReadLog:
    """What came of a folder of returns.

    Attributes
    ----------
    frames : dict of str to DataFrame
        Tables.
    problems : list of Problem
        One per problem.
    rejects : list of DataFrame
        Rows set aside, by file.
    counts : list of RowCount
        One per file.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rejects: list[pd.DataFrame] = field(default_factory=list)
    counts: list[RowCount] = field(default_factory=list)


@dataclass
class ReturnFile:
    """One file of a folder of returns, and what has become of its rows so far.

    Attributes
    ----------
    name : str
        As told to people: path below the folder, sheet or database table.
    source : Source
        The source it is of.
    raw, frame : DataFrame
        Rows as they came; with plain column names, and with pupils in place of names.
    first_row : int
        Number of the first row, as a person counts.
    encoding : str
        Encoding of the text.
    set_aside, kept : bool array of shape (n_rows,)
        Rows in the rejects; rows of which a table uses a fact.
    """

    name: str
    source: Source
    raw: pd.DataFrame
    frame: pd.DataFrame
    first_row: int
    encoding: str
    set_aside: NDArray[np.bool_]
    kept: NDArray[np.bool_]


def set_aside_rows(
    log: ReadLog,
    one: ReturnFile,
    places: NDArray[np.int64],
    rule: str,
    words: str,
    severity: Severity = "warning",
) -> None:
    """Set rows of a file aside for one reason, told once.

    Parameters
    ----------
    log : ReadLog
        Gets the problem and the rejects.
    one : ReturnFile
        The file.
    places : int array of shape (n_aside,)
        Places of the rows in the file, from 0.
    rule : str
        Stable code of the reason.
    words : str
        What is the matter with the rows, as it goes on from "n of m rows".
    severity : str
        ``"warning"`` or ``"error"``.
    """
    checks = RowChecks(one.name, one.first_row, one.raw)
    bad = np.zeros(len(one.raw), dtype=bool)
    bad[places] = True
    checks.note(bad, rule, "", "", set_aside=True)
    message = f"{one.name}: {len(places)} of {len(one.raw)} rows {words} They are in the rejects."
    log.problems.append(Problem(one.name, rule, message, severity=severity))
    log.rejects.append(checks.rejects())
    one.set_aside[places] = True


def keep_notes(log: ReadLog, one: ReturnFile, checks: RowChecks) -> None:
    """Keep what a checks noted of a file: its problems, and each row it set aside, once.

    Parameters
    ----------
    log : ReadLog
        Gets the problems and the rejects.
    one : ReturnFile
        The file.
    checks : RowChecks
        What was noted.
    """
    log.problems += checks.problems
    rejects = checks.rejects()
    if len(rejects):
        places = rejects["row"].to_numpy(dtype=np.int64) - one.first_row
        # one row may tell several facts; it goes to the rejects once, whole
        new = ~one.set_aside[places] & ~pd.Series(places).duplicated().to_numpy()
        record = one.raw.iloc[places].astype("str").to_json(orient="records", lines=True)
        rejects["record"] = record.strip().split("\n")
        log.rejects.append(rejects[new])
        one.set_aside[places] = True


def count_rows(log: ReadLog, one: ReturnFile, used: NDArray[np.int64]) -> None:
    """Count each row once: kept if a fact of it is used, else set aside, else merged into others.

    Parameters
    ----------
    log : ReadLog
        Gets the counts.
    one : ReturnFile
        The file.
    used : int array of shape (n_used,)
        Places of the rows of which a table uses a fact.
    """
    one.kept[used] = True
    one.kept &= ~one.set_aside
    n, kept, aside = len(one.raw), int(one.kept.sum()), int(one.set_aside.sum())
    log.counts.append(RowCount(one.name, one.source.name, n, kept, aside, n - kept - aside, 0))
