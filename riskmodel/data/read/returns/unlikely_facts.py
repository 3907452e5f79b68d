"""Facts that cannot be right, or hardly are: before the birth, far ahead, at an odd age, ended twice.

In:  typed facts, months of birth.
Out: the rows without those of before the birth; warnings of what is hardly right, which is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmodel.data.data_span import EVENTS, data_span
from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.rows.problems import Problem, RowChecks
from riskmodel.data.schema import TABLES
from riskmodel.data.year_groups import year_group_by_age

__all__ = ["drop_before_birth", "months_of_birth", "note_unlikely"]

FEWEST = 100
"""Rows of events below which a table does not show what its typing errors are."""

UNBORN = pd.Timedelta(days=310)
"""Longest time before the month of birth in which a fact may be right: social care knows unborn children."""

AHEAD = pd.Timedelta(days=366)
"""Time after all returns and events from which a day is far ahead; chosen."""

MONTH = pd.Timedelta(days=31)
"""Time after its verification from which the begin of a position is hardly right; chosen."""

YEARS_FROM_AGE = 2
"""Years between the year group and the age beyond which one of them is hardly right; chosen."""

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


def _far_ahead(part: pd.DataFrame, event: str, latest: pd.Timestamp) -> pd.Series:
    """Return which facts begin after their return was made, or more than a year after all others."""
    is_far = part[event] > latest + AHEAD
    return (is_far | (part[event] > part["_drawn"])) if "_drawn" in part else is_far


def _on_and_off(part: pd.DataFrame) -> pd.Series:
    """Return which rows end a roll on which another row of the same return has the pupil."""
    is_both = pd.Series(False, index=part.index)
    if "_seen" not in part:
        return is_both
    key = ["pupil_id", "school_id", "entry_date", "_seen"]
    left = part["leaving_date"].notna() & part["_seen"].notna()
    if not left.any():
        return is_both
    on_roll = part[(part["leaving_date"].isna() & part["_seen"].notna()).to_numpy()]
    found = part[left.to_numpy()][key].merge(
        on_roll[key].drop_duplicates(), how="left", indicator="_on"
    )
    is_both[left.to_numpy()] = (found["_on"] == "both").to_numpy()
    return is_both


def _two_ends(part: pd.DataFrame) -> pd.Series:
    """Return which rows of a plan another row of their file gives another end, or none."""
    if "_plan" not in part:
        return pd.Series(False, index=part.index)
    plans = part[part["_plan"].eq(True).to_numpy()].drop_duplicates(
        ["_file", "pupil_id", "start_date", "end_date"]
    )
    again = plans.index[plans.duplicated(["_file", "pupil_id", "start_date"]).to_numpy()]
    return pd.Series(part.index.isin(again), index=part.index)


def _odd_age(part: pd.DataFrame) -> pd.Series:
    """Return which rolls have a year group more than two years from that of the age."""
    by_age = year_group_by_age(part["_born"], part["entry_date"])
    return (part["year_group"] - by_age).abs() > YEARS_FROM_AGE


class _Unlikely(NamedTuple):
    """Days that can be, and are mostly typing errors."""

    table: str
    column: str
    rule: str
    find: Callable[[pd.DataFrame], pd.Series]
    words: str


UNLIKELY = (
    _Unlikely(
        "enrolments",
        "leaving_date",
        "on_and_off",
        _on_and_off,
        "of {n} rows ends a roll that the same return has the pupil on{first}. The pupil counts as having "
        "left. Ask the school.",
    ),
    _Unlikely(
        "enrolments",
        "entry_date",
        "late_entry",
        lambda part: part["entry_date"] > part.get("_seen", pd.Series(pd.NaT, index=part.index)),
        "of {n} rows is after the day of the return{first}. Correct it.",
    ),
    _Unlikely(
        "enrolments",
        "year_group",
        "odd_age",
        _odd_age,
        "of {n} rows is more than two years from that of the pupil's age{first}. Both are used. Correct one "
        "of the two.",
    ),
    _Unlikely(
        "send",
        "end_date",
        "two_ends",
        _two_ends,
        "of {n} rows is not that of another row of the same plan{first}. It ends on the first "
        "of these days. Correct one of the two.",
    ),
    _Unlikely(
        "suspensions",
        "reinstated_on",
        "late_reinstatement",
        lambda part: part["reinstated_on"] > part["start_date"] + AHEAD,
        "of {n} rows is more than a year after start_date{first}. The exclusion counts until then.",
    ),
    _Unlikely(
        "destinations",
        "lapses_on",
        "early_lapse",
        lambda part: part["lapses_on"] < part["start_date"],
        "of {n} rows is before start_date{first}. Correct one of the two.",
    ),
    _Unlikely(
        "destinations",
        "start_date",
        "late_start",
        lambda part: part["start_date"] > part["confirmed_on"] + MONTH,
        "of {n} rows is more than a month after the position was verified{first}. Correct one of the two.",
    ),
)
"""Checks of typed facts; ``{n}`` is the number of rows, ``{first}`` names the first."""


def note_unlikely(
    facts: Mapping[str, pd.DataFrame], files: Sequence[ReturnFile], born: pd.Series
) -> list[Problem]:
    """Return a warning per file and check with facts on days that are hardly right.

    Parameters
    ----------
    facts : mapping of str to DataFrame
        Typed rows by table, with ``_file``, ``_place``.
    files : sequence of ReturnFile
        Files, in the order of their numbers.
    born : Series of datetime64, shape (n_pupils,)
        From :func:`months_of_birth`.

    Returns
    -------
    list of Problem
        The facts are used as they are.
    """
    latest = _latest(facts)
    if "enrolments" in facts:
        rolls = facts["enrolments"]
        day = born.reindex(rolls["pupil_id"].astype("str")).to_numpy()
        facts = {**facts, "enrolments": rolls.assign(_born=day)}
    ahead = (
        _Unlikely(
            table,
            str(TABLES[table].event),
            "far_ahead",
            partial(_far_ahead, event=str(TABLES[table].event), latest=latest),
            "of {n} rows is after the return was made, or more than a year after all returns and events"
            "{first}. Such a fact counts only from that day. Correct it if it is a typing error.",
        )
        for table in DATED
    )
    problems = []
    for check in (*ahead, *UNLIKELY):
        if check.table not in facts or facts[check.table].empty:
            continue
        part = facts[check.table]
        is_odd = check.find(part).to_numpy(dtype=bool)
        if not is_odd.any():
            continue
        found = part.loc[is_odd, ["_file", "_place"]]
        for number, rows in found.groupby("_file"):
            one = files[int(str(number))]
            row = one.checks().numbers_of(np.sort(rows["_place"].to_numpy(np.int64)))[0]
            told = check.words.format(n=len(rows), first=f", the first in row {row}")
            words = f"{one.name}: {check.column} {told}"
            problems.append(Problem(one.name, check.rule, words, column=check.column))
    return problems


def _latest(facts: Mapping[str, pd.DataFrame]) -> pd.Timestamp:
    """Return the latest day of all returns and events, without typing errors."""
    known = {"enrolments": "_seen", "destinations": "recorded_on"}
    columns = [
        (facts[name][day], name)
        for name, day in (EVENTS | known).items()
        if name in facts and day in facts[name]
    ]
    days = [
        data_span(dates)[1]
        for dates, name in columns
        if dates.notna().any() and (name in known or len(dates) >= FEWEST)
    ]
    return pd.Series(days, dtype="datetime64[s]").max()
