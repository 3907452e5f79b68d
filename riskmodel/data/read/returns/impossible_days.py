"""Facts on days that cannot be right: before the pupil was born, or long after all that is known.

In:  typed facts, months of birth.
Out: which rows are before the birth; warnings of what begins too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.data_span import EVENTS, data_span
from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.rows.problems import Problem, RowChecks
from riskmodel.data.schema import TABLES

__all__ = ["drop_before_birth", "months_of_birth", "note_far_ahead"]

FEWEST = 100
"""Rows of events below which a table does not show what its typing errors are."""

UNBORN = pd.Timedelta(days=310)
"""Longest time before the month of birth in which a fact may be right: social care knows unborn children."""

AHEAD = pd.Timedelta(days=366)
"""Time after all rolls and events from which a day is far ahead; chosen."""

DATED = ("enrolments", "absence_totals", "suspensions", "plans", "circumstances", "destinations")
"""Tables in which a day far ahead is looked for; those of plans and results have rules of their own."""


def months_of_birth(pupils: Iterable[pd.DataFrame]) -> pd.Series:
    """Return the earliest month of birth of each pupil.

    Parameters
    ----------
    pupils : iterable of DataFrame
        Typed rows of ``pupils``.

    Returns
    -------
    Series of datetime64
        Index ``pupil_id`` as text; pupils without a day of birth are left out.
    """
    rows = pd.concat([part[["pupil_id", "birth_month"]] for part in pupils]).dropna()
    rows = rows.assign(pupil_id=rows["pupil_id"].astype("str")).drop_duplicates()
    return rows.groupby("pupil_id")["birth_month"].min()


def drop_before_birth(
    table: str, frame: pd.DataFrame, checks: RowChecks, born: pd.Series
) -> pd.DataFrame:
    """Return the facts without those from long before the pupil's birth, which are set aside.

    Parameters
    ----------
    table : str
        Table name.
    frame : DataFrame
        Typed rows that the checks keep.
    checks : RowChecks
        Gets the notes.
    born : Series of datetime64, shape (n_pupils,)
        From :func:`months_of_birth`.

    Returns
    -------
    DataFrame
        The rows kept.
    """
    event = TABLES[table].event if table in TABLES else None
    if not event or born.empty or frame.empty or not hasattr(frame["pupil_id"], "cat"):
        return frame
    who = frame["pupil_id"].cat
    month = born.reindex(who.categories.astype("str")).to_numpy()[who.codes]
    early = (frame[event] < month - UNBORN.to_numpy()).to_numpy()
    if not early.any():
        return frame
    bad = np.zeros(len(checks.raw), dtype=bool)
    bad[np.flatnonzero(checks.kept)[early]] = True
    words = f"{event} {{value}} is before the pupil was born. Correct it, or the day of birth."
    checks.note(bad, "before_birth", event, words)
    return frame[~early]


def note_far_ahead(facts: Mapping[str, pd.DataFrame], files: Sequence[ReturnFile]) -> list[Problem]:
    """Return a warning per file and table with facts that begin after all that can be known.

    Parameters
    ----------
    facts : mapping of str to DataFrame
        Typed rows by table, with ``_file``, ``_place``.
    files : sequence of ReturnFile
        Files, in the order of their numbers.

    Returns
    -------
    list of Problem
        Of facts that begin after their return was made, or more than a year after all rolls and events.
    """
    latest = _latest(facts)
    problems = []
    for table in DATED:
        if table not in facts:
            continue
        part, event = facts[table], str(TABLES[table].event)
        is_far = part[event] > latest + AHEAD
        if "_drawn" in part:
            is_far |= part[event] > part["_drawn"]
        for number, rows in part[is_far.to_numpy()].groupby("_file"):
            one = files[int(str(number))]
            first = one.checks().numbers_of(_places(rows))[0]
            words = (
                f"{one.name}: {event} of {len(rows)} rows is after the return was made, or more than a year "
                f"after all rolls and events, the first in row {first}. Such a fact counts only from that "
                "day. Correct it if it is a typing error."
            )
            problems.append(Problem(one.name, "far_ahead", words, column=event))
    return problems


def _latest(facts: Mapping[str, pd.DataFrame]) -> pd.Timestamp:
    """Return the latest day of all rolls and events, without typing errors."""
    known = dict.fromkeys(("enrolments", "destinations"), "recorded_on")
    columns = [(facts[name][day], name) for name, day in (EVENTS | known).items() if name in facts]
    days = [
        data_span(dates)[1]
        for dates, name in columns
        if dates.notna().any() and (name in known or len(dates) >= FEWEST)
    ]
    return pd.Series(days, dtype="datetime64[s]").max()


def _places(rows: pd.DataFrame) -> NDArray[np.int64]:
    return np.sort(rows["_place"].to_numpy(np.int64))
