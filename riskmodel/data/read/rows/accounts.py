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

from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.rows.problems import (
    Problem,
    RowChecks,
    Severity,
    encoding_warning,
    records_of,
)
from riskmodel.data.read.sources.source import Source

__all__ = [
    "FileNote",
    "ReadLog",
    "ReturnFile",
    "RowCount",
    "count_rows",
    "keep_notes",
    "set_aside_file",
    "set_aside_more",
    "set_aside_rows",
]

NOT_READ = "not recognised"
"""In place of a source or table, where the rows of a file are all set aside."""


class FileNote(NamedTuple):
    """What a file, a sheet or a member of an archive was read as.

    Parameters
    ----------
    file : str
        As shown to people.
    read_as : str
        Source or table; empty where it was not read.
    rows : int
        Rows it holds, as far as they can be counted.
    note : str
        Why it was not read.
    """

    file: str
    read_as: str
    rows: int
    note: str


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
    conflicts : list of DataFrame
        Rows that contradict others, by file.
    counts : list of RowCount
        One per file.
    files : list of FileNote
        One per file, read or not.
    proposals : list of str
        A section of ``riskmodel.toml`` per file of an unknown layout that may hold facts.
    """

    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rejects: list[pd.DataFrame] = field(default_factory=list)
    conflicts: list[pd.DataFrame] = field(default_factory=list)
    counts: list[RowCount] = field(default_factory=list)
    files: list[FileNote] = field(default_factory=list)
    proposals: list[str] = field(default_factory=list)

    def note_opened(self, one: Opened, read_as: str, note: str = "") -> None:
        """Note what a file was read as, and what was found while it was opened.

        Parameters
        ----------
        one : Opened
            The file.
        read_as : str
            Source or table; empty where it was not read.
        note : str
            Why it was not read.
        """
        self.files.append(FileNote(one.name, read_as, one.rows_seen, note))
        self.problems += [*encoding_warning(one.name, one.encoding), *one.problems]
        self.rejects.append(one.aside)

    def note_unread(
        self,
        name: str,
        words: str,
        severity: Severity | None = "error",
        rule: str = "unread_file",
    ) -> None:
        """Note a file that was not read, as a problem too.

        Parameters
        ----------
        name : str
            As shown to people.
        words : str
            What is wrong with it, then what to do.
        severity : str, optional
            ``"warning"`` where it may well hold nothing of use; None for no problem.
        rule : str
            Stable code of the reason.
        """
        self.files.append(FileNote(name, "", 0, words))
        if severity:
            self.problems.append(Problem(name, rule, words, severity=severity))


@dataclass
class ReturnFile:
    """One file of a folder of returns, and what has become of its rows so far.

    Attributes
    ----------
    opened : Opened
        The file as it was opened.
    source : Source
        The source it is of.
    frame : DataFrame
        Its rows with plain column names, and with pupils in place of names.
    set_aside, kept : bool array of shape (n_rows,)
        Rows in the rejects; rows of which a table uses a fact.
    repeated, replaced : bool array of shape (n_rows,)
        Rows of a return that was sent again, which the later one holds too, or does not hold so.
    """

    opened: Opened
    source: Source
    frame: pd.DataFrame
    set_aside: NDArray[np.bool_] = field(init=False)
    kept: NDArray[np.bool_] = field(init=False)
    repeated: NDArray[np.bool_] = field(init=False)
    replaced: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.repeated, self.replaced = np.zeros((2, len(self.raw)), dtype=bool)
        self.set_aside = np.zeros(len(self.raw), dtype=bool)
        self.kept = np.zeros(len(self.raw), dtype=bool)

    @property
    def name(self) -> str:
        """Path below the folder, sheet or database table, as shown to people."""
        return self.opened.name

    @property
    def raw(self) -> pd.DataFrame:
        """Rows as they came."""
        return self.opened.raw

    def checks(
        self, raw: pd.DataFrame | None = None, places: NDArray[np.int64] | None = None
    ) -> RowChecks:
        """Return checks of the file's rows, or of facts made of them.

        Parameters
        ----------
        raw : DataFrame, optional
            Facts; the rows as they came where left out.
        places : int array of shape (n_facts,), optional
            Place in the file of each fact.

        Returns
        -------
        RowChecks
            Without notes; rows have the numbers that they have in the file.
        """
        one = self.opened
        return RowChecks(
            one.name, one.first_row, one.raw if raw is None else raw, places, one.lines
        )


def set_aside_rows(
    log: ReadLog,
    one: ReturnFile,
    places: NDArray[np.int64],
    rule: str,
    words: str,
    severity: Severity = "warning",
) -> None:
    """Set rows of a file aside for one reason, reported once.

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
    checks = one.checks()
    bad = np.zeros(len(one.raw), dtype=bool)
    bad[places] = True
    checks.note(bad, rule, "", "", set_aside=True)
    message = f"{one.name}: {len(places)} of {len(one.raw)} rows {words} They are in the rejects."
    log.problems.append(Problem(one.name, rule, message, severity=severity))
    log.rejects.append(checks.rejects())
    one.set_aside[places] = True


def set_aside_more(
    log: ReadLog,
    one: ReturnFile,
    bad: NDArray[np.bool_],
    rule: str,
    words: str,
    severity: Severity = "warning",
) -> None:
    """Set the rows of a file aside that have a fault and are not set aside yet, if there are any.

    Parameters
    ----------
    log : ReadLog
        Gets the problem and the rejects.
    one : ReturnFile
        The file.
    bad : bool array of shape (n_rows,)
        Rows with the fault.
    rule, words, severity : str
        As for :func:`set_aside_rows`.
    """
    places = np.flatnonzero(bad & ~one.set_aside)
    if len(places):
        set_aside_rows(log, one, places, rule, words, severity)


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
        places = checks.places_of(checks.rows_set_aside())
        # one row may hold several facts; it goes to the rejects once, whole
        new = ~one.set_aside[places] & ~pd.Series(places).duplicated().to_numpy()
        rejects["record"] = records_of(one.raw, places)
        log.rejects.append(rejects[new])
        one.set_aside[places] = True


NO_PLACES: NDArray[np.int64] = np.zeros(0, dtype=np.int64)


def count_rows(
    log: ReadLog,
    one: ReturnFile,
    used: NDArray[np.int64],
    merged: NDArray[np.int64] = NO_PLACES,
    conflicting: NDArray[np.int64] = NO_PLACES,
) -> None:
    """Count each row once: set aside, else in conflict, else kept if a fact of it is used, else merged.

    A row without a fact that another row could hold, as of a pupil without absence, is kept.

    Parameters
    ----------
    log : ReadLog
        Gets the counts.
    one : ReturnFile
        The file.
    used : int array of shape (n_used,)
        Places of the rows of which a table uses a fact.
    merged : int array of shape (n_merged,)
        Places of the rows with a fact that equals one in a table.
    conflicting : int array of shape (n_conflicting,)
        Places of the rows with a fact that contradicts another one.
    """
    is_merged, in_conflict = np.zeros((2, len(one.raw)), dtype=bool)
    is_merged[merged], in_conflict[conflicting] = True, True
    is_merged |= one.repeated
    in_conflict |= one.replaced
    one.kept[used] = True
    in_conflict &= ~one.set_aside
    is_merged &= ~(one.set_aside | in_conflict | one.kept)
    one.kept[:] = ~(one.set_aside | in_conflict | is_merged)
    kept, aside = int(one.kept.sum()), int(one.set_aside.sum()) + len(one.opened.aside)
    parts = (kept, aside, int(is_merged.sum()), int(in_conflict.sum()))
    log.counts.append(RowCount(one.name, one.source.name, one.opened.rows_seen, *parts))


def set_aside_file(
    log: ReadLog,
    one: Opened,
    rule: str,
    words: str,
    *,
    kind: str = NOT_READ,
    severity: Severity = "error",
) -> None:
    """Set all rows of a file aside, which is of no known source or lacks what a table needs.

    Parameters
    ----------
    log : ReadLog
        Gets the file, the problem, the count and the rejects.
    one : Opened
        The file.
    rule : str
        Stable code of the reason.
    words : str
        Why the file was not used, then what to do.
    kind : str
        The source that it is of.
    severity : str
        ``"warning"`` or ``"error"``.
    """
    log.note_opened(one, "", words)
    log.problems.append(Problem(one.name, rule, words, severity=severity))
    checks = RowChecks(one.name, one.first_row, one.raw, lines=one.lines)
    checks.note(np.ones(len(one.raw), dtype=bool), rule, "", "")
    log.rejects.append(checks.rejects())
    log.counts.append(RowCount(one.name, kind, one.rows_seen, 0, one.rows_seen, 0, 0))
