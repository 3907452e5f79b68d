"""What became of each fact of the returns: of use, equal to another one, or in conflict with one.

In:  verdicts on facts while tables are made of them.
Out: counts and sentences in which each row of a file stands once, in conflict beside the other row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, count_rows
from riskmodel.data.read.rows.problems import CONFLICT_COLUMNS, Problem, Severity, first_few
from riskmodel.data.read.rows.rules import repeated
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED, Settled, settle
from riskmodel.data.schema import TABLES

__all__ = ["ORIGIN", "RowVerdicts", "account", "keep_versions"]

ORIGIN = ["_file", "_place"]

COLUMNS = [*ORIGIN, "verdict", "other_file", "other_place", "column", "table", "is_held"]

TWO_CHILDREN = {"sex", "birth_month"}
"""Columns of ``pupils`` that do not change: rows of one UPN that differ in them are of two children."""

DECISION = {
    "absence_totals": "Of two sources of one term the one known first counts, and of two rows of one list "
    "the one with more codes.",
    "pupils": "What the last census shows counts.",
    "enrolments": "Of one spell the first census counts.",
    "send": "The higher provision of a day counts, and a later day before an earlier one.",
}
"""Table → which row counts, where it is not the one received later."""


NEEDS = {"primary_need", "secondary_need"}
OF_ONE_RANK = "Of two needs of one rank the first in the order of the code set counts."
"""Columns of ``send`` that hold needs, and which of two rows with one counts."""


class RowVerdicts:
    """Verdicts on facts."""

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def add(
        self,
        table: str,
        rows: pd.DataFrame,
        verdict: ArrayLike,
        others: pd.DataFrame | None = None,
        column: ArrayLike = "",
        *,
        is_held: ArrayLike = False,
    ) -> None:
        """Add a verdict on each of some facts.

        Parameters
        ----------
        table : str
            Table name.
        rows : DataFrame of shape (n_rows, ...)
            Facts with ``_file``, ``_place``.
        verdict : int or int array of shape (n_rows,)
            ``KEPT``, ``MERGED`` or ``CONFLICTING``.
        others : DataFrame of shape (n_rows, ...), optional
            The facts that they are compared to.
        column : str or array of str, shape (n_rows,)
            Column in which they differ.
        is_held : bool or bool array of shape (n_rows,)
            Whether the table holds them beside the other.
        """
        if rows.empty and self._parts:  # the first part, even if empty, has the types
            return
        other = rows if others is None else others
        self._parts.append(
            pd.DataFrame(
                {
                    "_file": rows["_file"],
                    "_place": rows["_place"],
                    "verdict": verdict,
                    "other_file": other["_file"].to_numpy(),
                    "other_place": other["_place"].to_numpy(),
                    "column": column,
                    "table": table,
                    "is_held": is_held,
                }
            )
        )

    def add_settled(self, table: str, rows: pd.DataFrame, made: Settled) -> None:
        """Add the verdicts on rows that shared their keys.

        Parameters
        ----------
        table : str
            Table name.
        rows : DataFrame of shape (n_rows, ...)
            Facts with ``_file``, ``_place``, as they were settled.
        made : Settled
            What became of them.
        """
        others = rows.iloc[np.where(made.other >= 0, made.other, np.arange(len(rows)))]
        self.add(table, rows, made.verdict, others, made.column, is_held=made.held)

    def frame(self) -> pd.DataFrame:
        """Return all verdicts.

        Returns
        -------
        DataFrame
            ``_file, _place, verdict, other_file, other_place, column, table, is_held``.
        """
        if not self._parts:
            return pd.DataFrame(columns=COLUMNS)
        return pd.concat(self._parts, ignore_index=True)


def keep_versions(
    frame: pd.DataFrame, name: str, verdicts: RowVerdicts, compared: list[str] | None = None
) -> pd.DataFrame:
    """Keep of each key the row received first, and each later one that differs.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, ...)
        Typed rows with ``_file``, ``_place``.
    name : str
        Table name.
    verdicts : RowVerdicts
        Gets a verdict on each row that is not used.
    compared : list of str, optional
        Columns that are compared; see :func:`~riskmodel.data.read.rows.versions.settle`.

    Returns
    -------
    DataFrame
        The rows that the table holds.
    """
    places, key = repeated(TABLES[name], frame)
    if not len(places):
        return frame
    shared = frame.iloc[places]
    made = settle(TABLES[name], shared, key, compared)
    verdicts.add_settled(name, shared, made)
    single = np.ones(len(frame), dtype=bool)
    single[places] = False
    return pd.concat([frame[single], made.rows], ignore_index=True)


def account(
    log: ReadLog, files: Sequence[ReturnFile], used: pd.DataFrame, verdicts: pd.DataFrame
) -> None:
    """Count each row of each file once, and report the rows that contradict others.

    Parameters
    ----------
    log : ReadLog
        Gets counts, conflicts and problems.
    files : sequence of ReturnFile
        Files, in the order of their numbers.
    used : DataFrame
        ``_file``, ``_place`` of the rows that are in a table.
    verdicts : DataFrame
        From :meth:`RowVerdicts.frame`.
    """
    kept = verdicts[verdicts["verdict"] == KEPT]
    merged = verdicts[verdicts["verdict"] == MERGED]
    against = verdicts[verdicts["verdict"] == CONFLICTING]
    places = [
        {int(str(n)): part["_place"].to_numpy(np.int64) for n, part in one.groupby("_file")}
        for one in (pd.concat([used, kept[ORIGIN]]), merged, against)
    ]
    nothing = np.zeros(0, dtype=np.int64)
    for number, one in enumerate(files):
        count_rows(log, one, *(found.get(number, nothing) for found in places))
    if len(against):
        _report(log, files, against)


def _report(log: ReadLog, files: Sequence[ReturnFile], against: pd.DataFrame) -> None:
    """Add every row in conflict, once, and sentences on the first ones of each file, table and column."""
    once = against.sort_values([*ORIGIN, "table", "column"]).drop_duplicates([*ORIGIN, "table"])
    once = once[
        [not files[f].set_aside[p] for f, p in zip(once["_file"], once["_place"], strict=True)]
    ]
    row, other_row = (
        _numbers(files, once[list(pair)]) for pair in (ORIGIN, ("other_file", "other_place"))
    )
    names = np.array([one.name for one in files], dtype=object)
    rows = pd.DataFrame(
        {
            "file": names[once["_file"].to_numpy(np.int64)],
            "row": row,
            "column": once["column"].to_numpy(),
            "other_file": names[once["other_file"].to_numpy(np.int64)],
            "other_row": other_row,
        }
    )
    log.conflicts.append(rows.loc[~once.duplicated(ORIGIN).to_numpy(), CONFLICT_COLUMNS])
    rows = rows.assign(table=once["table"].to_numpy(), is_held=once["is_held"].to_numpy(dtype=bool))
    for _, alike in rows.groupby(["file", "table", "column"], sort=True):
        log.problems += _problems(alike)


def _numbers(files: Sequence[ReturnFile], pairs: pd.DataFrame) -> np.ndarray:
    """Return the number of each row, as a person counts."""
    numbers = np.zeros(len(pairs), dtype=np.int64)
    for number, places in enumerate(files):
        own = (pairs.iloc[:, 0] == number).to_numpy()
        if own.any():
            found = pairs.iloc[own.nonzero()[0], 1].to_numpy(np.int64)
            numbers[own] = places.checks().numbers_of(found)
    return numbers


def _problems(alike: pd.DataFrame) -> list[Problem]:
    """Return a sentence for each of the first rows of one file in conflict in one column."""
    first = alike.iloc[0]
    table, file, column = (str(first[name]) for name in ("table", "file", "column"))
    is_two = table == "pupils" and column in TWO_CHILDREN
    severity: Severity = "error" if is_two else "warning"
    rule = "two_children" if is_two else "conflict"

    def problem(place: int) -> Problem:
        one = alike.iloc[place]
        other = f"row {one['other_row']} of {one['other_file']}"
        words = (
            f"says something else in {column} than {other}, another row "
            f"of the same {TABLES[table].row}. {_decision(table, column, bool(one['is_held']))}"
        )
        if is_two:
            words = (
                f"has the UPN, or the names and birthday, of {other}, but another {column}: these may "
                f"be two children. {DECISION['pupils']} Correct the UPN or the {column} at the school."
            )
        return Problem(file, rule, words, severity=severity, row=int(one["row"]), column=column)

    return first_few(range(len(alike)), problem, f"contradict others in {column}.", column)


def _decision(table: str, column: str, is_held: bool) -> str:
    """Return which of two rows counts."""
    if is_held:
        return "It was received later and counts from the day after that."
    usual = "Both were received on one day, and one of them was kept."
    of_table = OF_ONE_RANK if column in NEEDS else DECISION.get(table, usual)
    return f"{of_table} Ask which is right, and correct the other at its source."
