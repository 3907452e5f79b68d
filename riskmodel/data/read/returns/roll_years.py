"""In which school year each roll was drawn: its year groups count from there.

In:  recognised files with their pupils.
Out: rolls with the days of birth that other files hold; rows whose year group cannot be dated set aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from riskmodel.data.read.returns.roll_leavers import end_leavers
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_rows
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.roll import SOURCES, days_drawn, is_bare_roll, year_groups_in_words
from riskmodel.data.read.sources.source import column, is_there, school_year

__all__ = ["date_rolls"]

BARE = (
    "is read as a roll, and has no column that a list of applications for places would lack. Take it out if "
    "it is one; else export the registration group or the leaving date with it."
)

NO_DAY = (
    "pupils without a leaving date stay on the roll: it holds no column Received, so no later roll can show "
    "that they left. Add one with the day of export."
)

NO_YEAR = (
    "show a year group, and nothing shows of which school year: there are no days of birth, and the latest "
    "admissions may be next year's. Add the date of birth, or a column Received with the day of the export."
)


def date_rolls(files: Sequence[ReturnFile], log: ReadLog) -> None:
    """Date the year groups of rolls, and name the rolls that may be something else.

    Parameters
    ----------
    files : sequence of ReturnFile
        With their pupils; rolls get missing days of birth from other files.
    log : ReadLog
        Gets the problems and the rejects.
    """
    rolls = [one for one in files if one.source in SOURCES and len(one.frame)]
    if not rolls:
        return
    end_leavers(rolls, log)
    born = _births(files)
    for one in rolls:
        if is_bare_roll(one.frame):
            log.problems.append(Problem(one.name, "bare_roll", f"{one.name}: {BARE}"))
        own = column(one.frame, "dob").astype("object")
        one.frame["dob"] = own.where(is_there(own), one.frame["pupil_id"].map(born))
        drawn = days_drawn(one.frame[~one.set_aside]).reindex(one.frame.index)
        group = year_groups_in_words(one.frame["yeargroup"])
        left = is_there(column(one.frame, "leavingdate"))
        undated = ~left & ~is_there(column(one.frame, "received")) & ~one.set_aside
        if undated.any():
            words = f"{one.name}: {int(undated.sum())} {NO_DAY}"
            log.problems.append(Problem(one.name, "undated_roll", words, column="received"))
        places = np.flatnonzero(drawn.isna() & ~left & group.notna() & ~one.set_aside)
        if len(places):
            set_aside_rows(log, one, places, "no_year", NO_YEAR, "error")
        elif (
            not is_there(one.frame["dob"]).any()
            and not is_there(column(one.frame, "received")).any()
        ):
            log.problems += _by_admissions(one, drawn[~left])


def _births(files: Sequence[ReturnFile]) -> pd.Series:
    """Return the day of birth of each pupil for whom all files hold one and the same."""
    frames = [one.frame for one in files if {"pupil_id", "dob"} <= set(one.frame)]
    parts = [pd.Series(read_dates(f["dob"]).to_numpy(), index=f["pupil_id"]) for f in frames]
    every = pd.concat(parts).dropna() if parts else pd.Series(dtype="datetime64[s]")
    days = every.groupby(level=0).agg(["min", "max"])
    return days.loc[days["min"] == days["max"], "min"].dt.strftime("%Y-%m-%d")


def _by_admissions(one: ReturnFile, drawn: pd.Series) -> list[Problem]:
    """Return that the year groups of a roll are dated by its admissions alone."""
    if drawn.isna().all():
        return []
    year = int(school_year(drawn).max())
    words = (
        f"{one.name}: holds no days of birth, so its year groups count as those of "
        f"{year}/{(year + 1) % 100:02}: its admissions show that. If it is of another year, add a column "
        "Received with the day of export."
    )
    return [Problem(one.name, "year_by_admissions", words)]
