"""Pupils whom a School Census counts among those no longer on roll.

In:  the rows of a file, its columns as they were.
Out: which rows are of leavers, and which of these have no leaving date, or one that cannot be.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.census import NO_LONGER_ON_ROLL
from riskmodel.data.read.sources.source import Context, column, is_there, plain

__all__ = ["LEAVER_ID", "is_of_leavers", "late_leavers", "undated_leavers", "with_leavers"]

LEAVER_ID = "pupilnolongeronrolltableid"
"""The id of rows in the tables of pupils no longer on roll."""


def is_of_leavers(raw: pd.DataFrame) -> bool:
    """Return whether the ids of a file are those of pupils no longer on roll.

    Parameters
    ----------
    raw : DataFrame
        Rows with the columns of the file.

    Returns
    -------
    bool
        By the name of the id.

    Examples
    --------
    >>> is_of_leavers(pd.DataFrame({"PupilNoLongerOnRollTableID": ["1"]}))
    True
    """
    return LEAVER_ID in map(plain, map(str, raw))


def with_leavers(frame: pd.DataFrame, raw: pd.DataFrame) -> pd.DataFrame:
    """Return rows that show which are of leavers; XML shows it already.

    Parameters
    ----------
    frame : DataFrame
        Rows with plain column names.
    raw : DataFrame
        The same with the columns of the file.

    Returns
    -------
    DataFrame
        With ``nolongeronroll`` where the file is of leavers.
    """
    return frame.assign(**{NO_LONGER_ON_ROLL: "1"}) if is_of_leavers(raw) else frame


def undated_leavers(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are of leavers without a leaving date: the census day counts as their last.

    Parameters
    ----------
    frame : DataFrame
        Rows, from :func:`with_leavers`.

    Returns
    -------
    Series of bool
        One per row; False in tables that hang on rows of leavers.
    """
    if "upn" not in frame:
        return pd.Series(False, index=frame.index)
    return (column(frame, NO_LONGER_ON_ROLL) == "1") & ~is_there(column(frame, "leavingdate"))


def late_leavers(files: Iterable[ReturnFile], context: Context) -> list[Problem]:
    """Return a warning for each file with leavers whose leaving date is after the census day.

    Parameters
    ----------
    files : iterable of ReturnFile
        Recognised.
    context : Context
        Days of censuses.

    Returns
    -------
    list of Problem
        Each with the number of leavers: the census day counts as their last on the roll.
    """
    problems = []
    for one in files:
        if not {NO_LONGER_ON_ROLL, "leavingdate", "schoolcensustableid"} <= set(one.frame):
            continue
        days = context.censuses["day"].reindex(one.frame["schoolcensustableid"].astype("str"))
        is_late = read_dates(one.frame["leavingdate"]) > days.set_axis(one.frame.index)
        n = int((is_late & (one.frame[NO_LONGER_ON_ROLL] == "1")).sum())
        if n:
            words = (
                f"{one.name}: {n} pupils no longer on roll have a leaving date after the census day. The "
                "census day counts as their last day on the roll. Correct leavingdate."
            )
            problems.append(Problem(one.name, "late_leaving_date", words, column="leavingdate"))
    return problems
