"""One UPN for two children: none of their rows can be used, for nothing shows whose each of them is.

In:  facts of the files that name pupils.
Out: the pupils who may be two children; their rows are set aside, and reported with file and row.

Rows of one UPN that differ in sex and in the month of birth are of two children. Rows that differ in one
of them may be of one child, with an error of typing: those stay.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_rows
from riskmodel.data.read.rows.problems import Problem, first_few
from riskmodel.data.read.sources.source import Context
from riskmodel.data.schema import NOT_KNOWN

__all__ = ["named_pupils", "set_children_aside", "set_named_children_aside"]

RULE = "two_children"

WORDS = "have the UPN of two children, so that nothing shows whose they are."


def set_named_children_aside(
    facts: dict[str, list[pd.DataFrame]],
    files: Sequence[ReturnFile],
    context: Context,
    log: ReadLog,
) -> None:
    """Find the pupils who are two children, and set their rows of the files that name pupils aside.

    Parameters
    ----------
    facts : dict of str to list of DataFrame
        Typed facts of the files so far, with ``_file`` and ``_place``; those of such pupils are dropped.
    files : sequence of ReturnFile
        Files, in the order of their numbers.
    context : Context
        Gets the pupils as ``two_children``.
    log : ReadLog
        Gets problems and rejects.
    """
    pairs = _pairs(_of_use(pd.concat(facts["pupils"], ignore_index=True), files))
    if pairs.empty:
        return
    context.two_children = frozenset(pairs["pupil_id"])
    log.problems += _problems(pairs.drop_duplicates("pupil_id"), files)
    for one in files:
        if one.source.names_pupils:
            set_children_aside(log, one, context)
    for parts in facts.values():
        parts[:] = [
            part[~part["pupil_id"].isin(context.two_children)] if "pupil_id" in part else part
            for part in parts
        ]


def set_children_aside(log: ReadLog, one: ReturnFile, context: Context) -> None:
    """Set the rows of a file aside that are of pupils who are two children.

    Parameters
    ----------
    log : ReadLog
        Gets the problem and the rejects.
    one : ReturnFile
        The file.
    context : Context
        With the pupils as ``two_children``.
    """
    named = named_pupils(one.frame, context)
    if named is None or not context.two_children:
        return
    is_theirs = named.isin(context.two_children).to_numpy()
    places = one.frame.index.to_numpy()[is_theirs]
    places = places[~one.set_aside[places]]
    if len(places):
        set_aside_rows(log, one, places, RULE, WORDS)


def named_pupils(frame: pd.DataFrame, context: Context) -> pd.Series | None:
    """Return the pupil of each row, by its own pseudonym or by the row of a pupil that it hangs on.

    Parameters
    ----------
    frame : DataFrame
        Rows of a file, UPNs replaced.
    context : Context
        What files know of each other.

    Returns
    -------
    Series of str or None
        None where rows are of no pupil.
    """
    if "pupil_id" in frame:
        return frame["pupil_id"]
    if "rowid" in frame:
        return frame["rowid"].astype("str").map(context.pupil_of_row)
    return None


def _of_use(pupils: pd.DataFrame, files: Sequence[ReturnFile]) -> pd.DataFrame:
    """Return the rows that were not set aside: a row that nothing else uses contradicts nobody."""
    used = np.ones(len(pupils), dtype=bool)
    for number, one in enumerate(files):
        own = (pupils["_file"] == number).to_numpy()
        used[own] = ~one.set_aside[pupils.loc[own, "_place"].to_numpy(np.int64)]
    return pupils[used]


def _pairs(pupils: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of rows of one pupil that differ in sex and in the month of birth."""
    rows = pupils[["pupil_id", "sex", "birth_month", "_file", "_place"]].astype({"sex": "str"})
    rows = rows[(rows["sex"] != NOT_KNOWN) & rows["birth_month"].notna()]
    rows = rows.drop_duplicates(["pupil_id", "sex", "birth_month"])
    rows = rows[rows.duplicated("pupil_id", keep=False)].astype({"pupil_id": "str"})
    if rows.empty:
        return rows
    pairs = rows.merge(rows, on="pupil_id", suffixes=("", "_other"))
    differs = (pairs["sex"] != pairs["sex_other"]) & (
        pairs["birth_month"] != pairs["birth_month_other"]
    )
    place, other = (pairs[["_file" + end, "_place" + end]].to_numpy() for end in ("", "_other"))
    is_later = (place[:, 0] > other[:, 0]) | (
        (place[:, 0] == other[:, 0]) & (place[:, 1] > other[:, 1])
    )
    return pairs[differs & is_later]


def _problems(pairs: pd.DataFrame, files: Sequence[ReturnFile]) -> list[Problem]:
    """Return a sentence for each of the first pupils, and one that counts the others."""

    def problem(place: int) -> Problem:
        pair = pairs.iloc[place]
        (one, row), (other, other_row) = (
            (files[pair["_file" + end]], pair["_place" + end]) for end in ("", "_other")
        )
        words = (
            f"has the UPN of row {_number(other, other_row)} of {other.name}, but another sex and another "
            "month of birth: two children have one UPN. No row of this UPN is used, in any file. Correct "
            "the UPN at the school."
        )
        return Problem(one.name, RULE, words, severity="error", row=_number(one, row))

    return first_few(range(len(pairs)), problem, "have the UPN of another child.")


def _number(one: ReturnFile, place: int) -> int:
    """Return the number of a row, as a person counts."""
    return int(one.checks().numbers_of(np.array([place]))[0])
