"""Bring decisions back: from workbooks that were returned into the log of decisions.

In:  returned workbooks, a log of decisions.
Out: the log with what is new; :class:`Feedback`: how far each list was looked at, and disagreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.counted import counted
from riskmodel.data.journal import append, read_journal
from riskmodel.errors import RequestError
from riskmodel.fairness.disclosure import SUPPRESSED, hidden_rows, leaves_room
from riskmodel.report.list_files import read_list
from riskmodel.report.workbook.layout import DECISIONS, FIELDS
from riskmodel.report.workbook.list_identity import ListIdentity
from riskmodel.report.workbook.reading_back import Returned, read_returned

__all__ = ["Feedback", "feedback", "read_decisions"]

COLUMNS = ["list_id", "outcome", "as_of", "pupil_id", "school_id", "band", *FIELDS, "supported"]
COUNTS = ["listed", "seen", "decided", "supported", "disagreed"]


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What was brought back.

    Attributes
    ----------
    log : Path
        The log of decisions.
    added, unchanged : int
        Rows added to the log; rows that it held already.
    coverage : dict of str to DataFrame
        List in words → one row per school and one for ``all``: ``listed, seen, decided, supported,
        disagreed``; schools with small counts suppressed.
    notes : list of str
        What is worth knowing and no fault.
    """

    log: Path
    added: int
    unchanged: int
    coverage: dict[str, pd.DataFrame] = field(repr=False)
    notes: list[str]

    def text(self) -> str:
        """Return what a person reads.

        Returns
        -------
        str
            What was added, notes, and how far each list was looked at.
        """
        lines = [
            f"{counted(self.added, 'decision')} added to {self.log}; "
            f"{self.unchanged} {'was' if self.unchanged == 1 else 'were'} in it already.",
            *self.notes,
        ]
        for words, table in self.coverage.items():
            total = table[table["school_id"] == "all"].iloc[0]
            lines += [
                f"List {words}:",
                f"  of {total['listed']} pupils listed {total['seen']} were seen, {total['decided']} decided "
                f"on, {total['supported']} are supported; on {total['disagreed']} somebody disagreed with "
                "the list.",
                "  By school ('c': fewer than 5, or what would reveal it):",
                *[f"  {line}" for line in table.to_string(index=False).splitlines()],
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return "".join(table.to_html(index=False, escape=True) for table in self.coverage.values())


def feedback(
    workbooks: Sequence[Path], *, log: Path, today: date, at: datetime, folder: Path | None = None
) -> Feedback:
    """Read returned workbooks and add their decisions to the log, all or none.

    Parameters
    ----------
    workbooks : sequence of Path
        Workbooks that came back, of one or several lists.
    log : Path
        The log of decisions; made where there is none.
    today : date
        No decision may be later.
    at : datetime
        When they are added, with its time zone.
    folder : Path, optional
        The list's folder, to compare every row with the list itself.

    Returns
    -------
    Feedback
        What was added, and how far each list was looked at.

    Raises
    ------
    RequestError
        If a workbook cannot be taken, two decide differently on a pupil, or the log cannot be used.
    """
    listed = None if folder is None else read_list(folder)
    returned = [read_returned(path, today=today, listed=listed) for path in workbooks]
    filled = _filled(returned)
    notes = [note for one in returned for note in one.notes]

    def make(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        new, old = _news(filled, entries)
        notes.extend(old)
        return [row | {"at": at.isoformat(timespec="seconds")} for row in new]

    added = append(log, make)
    decisions = read_decisions(log) if log.exists() else pd.DataFrame(columns=COLUMNS)
    return Feedback(
        log=log,
        added=len(added),
        unchanged=len(filled) - len(added),
        coverage=_by_list(returned, decisions),
        notes=notes,
    )


def read_decisions(log: Path) -> pd.DataFrame:
    """Read the log of decisions: the newest on each pupil of each list.

    Parameters
    ----------
    log : Path
        What :func:`feedback` wrote.

    Returns
    -------
    DataFrame
        ``list_id, outcome, as_of, pupil_id, school_id, band``, the fields of the workbook,
        ``supported`` (``"yes"``, ``"no"`` or ``"not known"``).

    Raises
    ------
    RequestError
        If the log was tampered with, or is no log of decisions.
    """
    entries = read_journal(log)
    if any(entry.get("kind") != "decision" for entry in entries):
        raise RequestError(
            f"{log} is no log of decisions. Name the one that 'riskmodel feedback' wrote."
        )
    table = pd.DataFrame(entries, columns=COLUMNS, dtype="str")
    return table.drop_duplicates(["list_id", "pupil_id"], keep="last").reset_index(drop=True)


def _filled(returned: list[Returned]) -> pd.DataFrame:
    """Return the rows in which something was filled in, ready for the log."""
    frames = []
    for one in returned:
        rows = one.rows[(one.rows[list(FIELDS)] != "").any(axis=1)]
        facts = {
            "list_id": one.identity.list_id,
            "outcome": one.identity.outcome,
            "as_of": one.identity.as_of,
        }
        frames.append(rows.assign(**facts, workbook=one.name))
    table = pd.concat(frames, ignore_index=True)
    table["supported"] = table["decision"].map(DECISIONS).fillna("not known")
    table = table.drop_duplicates(["list_id", "pupil_id", *FIELDS])
    _refuse_contradictions(table)
    return table


def _refuse_contradictions(table: pd.DataFrame) -> None:
    """Refuse rows that decide differently on one pupil of one list."""
    keys = ["list_id", "pupil_id"]
    twice = table.duplicated(keys, keep="first")
    if twice.any():
        second = table[twice].iloc[0]
        first = table[(table[keys] == second[keys]).all(axis=1)].iloc[0]
        raise RequestError(
            f"{first['where']}, and {second['where']}, say different things about pupil "
            f"{second['pupil_id']}. Nothing was added. Read the older workbook first, then the newer alone."
        )


def _news(
    filled: pd.DataFrame, entries: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what the log does not hold, and a note on each row that was changed since."""
    if any(entry.get("kind") != "decision" for entry in entries):
        raise RequestError("The file named with --log is no log of decisions. Name another.")
    known: dict[tuple[str, str], list[list[str]]] = {}
    for entry in entries:
        key = entry["list_id"], entry["pupil_id"]
        known.setdefault(key, []).append([entry[name] for name in FIELDS])
    new, notes = [], []
    for row in filled.to_dict("records"):
        before = known.get((row["list_id"], row["pupil_id"]), [])
        content = [row[name] for name in FIELDS]
        if content not in before:
            kept = {name: row[name] for name in (*COLUMNS, "workbook")}
            new.append({"kind": "decision", **kept})
        elif content != before[-1]:
            notes.append(
                f"{row['where']}: this was said before and changed since; the newer stays. To go back to "
                "it, give the day on which that was decided."
            )
    return new, notes


def _by_list(returned: list[Returned], decisions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the coverage of each list that something came back of."""
    rows: dict[ListIdentity, list[pd.DataFrame]] = {}
    for one in returned:
        rows.setdefault(one.identity, []).append(one.rows)
    return {
        f"{identity.list_id}, {identity.outcome}, {identity.as_of}": _coverage(
            pd.concat(parts).drop_duplicates("pupil_id"),
            decisions[decisions["list_id"] == identity.list_id],
        )
        for identity, parts in rows.items()
    }


def _coverage(rows: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Count by school, and for all, how far the pupils listed were looked at."""
    pupils = rows.loc[rows["band"] == "listed", ["pupil_id", "school_id"]]
    table = pupils.merge(decisions.drop(columns="school_id"), on="pupil_id", how="left")
    made = table["decision"].fillna("")
    looked_at = pd.DataFrame(
        {
            "school_id": table["school_id"],
            "listed": 1,
            "seen": table["list_id"].notna(),
            "decided": made.isin([one for one, known in DECISIONS.items() if known != "not known"]),
            "supported": table["supported"] == "yes",
            "disagreed": table["disagreement_and_why"].fillna("") != "",
        }
    )
    schools = looked_at.groupby("school_id")[COUNTS].sum().reset_index()
    total = pd.DataFrame([{"school_id": "all"} | looked_at[COUNTS].sum().to_dict()]).astype(object)
    for name in COUNTS:  # one by one: none of them follows from the others
        hidden = hidden_rows(schools[[name]], np.zeros(len(schools)))
        if not leaves_room(schools.loc[hidden, [name]]):
            total[name] = SUPPRESSED  # with it, a reader could work out the schools
        schools[name] = schools[name].astype(object).mask(hidden, SUPPRESSED)
    return pd.concat([schools, total], ignore_index=True)
