"""Pupils whom a school's roll lists, and a column of it shows as no longer on roll.

In:  rolls with their pupils.
Out: rolls with a last day of each such pupil; rows without a day that could be it set aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from riskmodel.data.read.returns.counted_faults import such_as
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_more
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.on_roll import is_off_roll, is_said_on_roll, unknown_presence
from riskmodel.data.read.sources.roll import BY_URN
from riskmodel.data.read.sources.source import column, first_there, is_there

__all__ = ["end_leavers"]

NO_DAY = (
    "are of pupils whom a column shows as no longer on roll, and hold neither a leaving date nor the day "
    "received, so nothing was read from them. Add the leaving date, or a column Received with that day."
)

WORDS = {
    "undated_leaver": "pupils are no longer on roll by its own column and have no leaving date up to the day "
    "received. The first day received on which they were off roll counts as their last. Fill in the leaving "
    "date.",
    "on_roll_and_left": "pupils are on roll by its own column, and left before the day received by their "
    "leaving date. The leaving date counts. Correct one of the two.",
}


def end_leavers(rolls: Sequence[ReturnFile], log: ReadLog) -> None:
    """End the spells of pupils whom a roll shows as off roll.

    Parameters
    ----------
    rolls : sequence of ReturnFile
        With their pupils; leavers without a leaving date get the day received.
    log : ReadLog
        Gets the problems and the rejects.
    """
    off = [is_off_roll(one.frame) for one in rolls]
    first = _first_days_off(rolls, off)
    for number, (one, is_off) in enumerate(zip(rolls, off, strict=True)):
        written = column(one.frame, "leavingdate").astype("object")
        leaving, seen = read_dates(written), read_dates(column(one.frame, "received"))
        undated = is_off & (~is_there(written) | (leaving > seen))
        both = is_said_on_roll(one.frame) & (leaving < seen)
        _count(log, one, "undated_leaver", undated & seen.notna())
        _count(log, one, "on_roll_and_left", both)
        _name_unknown(log, one)
        set_aside_more(log, one, (undated & seen.isna()).to_numpy(), "no_end", NO_DAY, "error")
        if undated.any():
            days = first[first["roll"] == number].set_index("place")["day"]
            last = days.dt.strftime("%Y-%m-%d").reindex(written.index)
            one.frame["leavingdate"] = written.mask(undated, last.astype("object"))


def _first_days_off(rolls: Sequence[ReturnFile], off: Sequence[pd.Series]) -> pd.DataFrame:
    """Return of each row the first of the days received, one after another, with the pupil off roll.

    Several rolls may list one leaver; they have one end together.
    """
    parts = [
        pd.DataFrame(
            {
                "roll": number,
                "place": one.frame.index,
                "who": one.frame["pupil_id"],
                "school": first_there(one.frame, BY_URN).astype("str"),
                "entry": read_dates(one.frame["admissiondate"]),
                "day": read_dates(column(one.frame, "received")),
                "off": is_off,
            }
        )
        for number, (one, is_off) in enumerate(zip(rolls, off, strict=True))
    ]
    rows = pd.concat(parts, ignore_index=True)
    spell = rows.groupby(["who", "school", "entry"], dropna=False).ngroup()
    rows = rows.assign(spell=spell).sort_values(["spell", "day", "off"], kind="stable")
    turns = rows[["spell", "off"]].ne(rows[["spell", "off"]].shift()).any(axis=1)
    return rows.assign(day=rows.groupby(turns.cumsum())["day"].transform("min"))


def _count(log: ReadLog, one: ReturnFile, rule: str, found: pd.Series) -> None:
    n = int((found.to_numpy() & ~one.set_aside).sum())
    if n:
        words = f"{one.name}: {n} {WORDS[rule]}"
        log.problems.append(Problem(one.name, rule, words, column="leavingdate"))


def _name_unknown(log: ReadLog, one: ReturnFile) -> None:
    """Warn of words of which nothing shows whether the pupil is on roll."""
    for name, found in unknown_presence(one.frame):
        values = one.frame.loc[found, name].astype("str").unique()
        n = int(np.count_nonzero(found))
        words = (
            f"{one.name}: {n} values of {name} show neither that the pupil is on roll nor that they left"
            f"{such_as(values)}. Their rows count as on roll, up to a leaving date. Take out pupils who are "
            "not on it."
        )
        log.problems.append(Problem(one.name, "unknown_presence", words, column=name))
