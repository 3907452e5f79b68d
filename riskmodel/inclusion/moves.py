"""Moves on and off a school's roll, with and without a known destination.

In:  spells on rolls, home education.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure; what became of each leaver.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data.arrays import OPEN, days_of
from riskmodel.inclusion.counts import NOBODY, Counts, settle
from riskmodel.inclusion.facts import Facts
from riskmodel.leaving import home_starts, went, year_group_on_leaving

__all__ = ["leavings", "moves"]


def leavings(facts: Facts) -> pd.DataFrame:
    """Return what became of the pupil of each roll that ended, as known on the day.

    Parameters
    ----------
    facts : Facts
        With ``enrolments``; home education from ``circumstances`` where it is there.

    Returns
    -------
    DataFrame
        ``pupil, school, day, now`` (year group) and ``went``: ``finished`` (end of a phase or of
        Year 11, or not yet of school age), ``stayed`` (the same school has the pupil on roll again),
        ``excluded``, ``home_educated``, ``known`` or ``unknown`` destination. A missing or unknown
        reason still is ``known`` if another school of the LA has the pupil on roll by :data:`GAP_DAYS` later.
    """
    until = int(days_of(pd.Series([facts.as_of]))[0])
    left = facts.rolls[(facts.rolls["leaving"] < until).to_numpy()].reset_index(drop=True)
    day = left["leaving"].to_numpy()
    columns = {"pupil": left["pupil"], "school": left["school"], "day": day}
    home = home_starts(facts.table("circumstances"))
    return pd.DataFrame(columns).assign(
        now=year_group_on_leaving(left), went=went(left, facts.rolls, home)
    )


def moves(facts: Facts, left: pd.DataFrame) -> dict[str, Counts]:
    """Count pupils who came onto, and off, each school's roll.

    Parameters
    ----------
    facts : Facts
        Schools and periods.
    left : DataFrame
        From :func:`leavings`.

    Returns
    -------
    dict of str to Counts
        ``joined`` (outside August and September), ``left_known``, ``left_unknown``,
        ``home_educated``, each per pupil on roll. Pupils permanently excluded are in none of them,
        nor those who finished a phase.
    """
    why = facts.reached("enrolments", left["day"].to_numpy(), "ends of rolls")
    counts = {"joined": _joined(facts)}
    for name in ("known", "unknown", "home_educated"):
        rows = left[(left["went"] == name).to_numpy()]
        people = facts.people(*(rows[column].to_numpy() for column in ("school", "pupil", "day")))
        key = name if name == "home_educated" else f"left_{name}"
        counts[key] = settle(people, facts.on_roll, why, NOBODY)
    return counts


def _joined(facts: Facts) -> Counts:
    """Return pupils who came onto a roll outside August and September."""
    rolls = facts.rolls
    day = rolls["entry"].to_numpy()
    month = pd.Series(pd.to_datetime(day, unit="D")).dt.month
    joins = ~month.isin([8, 9]).to_numpy() & ~_came_back(rolls)
    school, pupil = rolls["school"].to_numpy()[joins], rolls["pupil"].to_numpy()[joins]
    why = facts.reached("enrolments", day, "rolls", lasts=True)
    return settle(facts.people(school, pupil, day[joins]), facts.on_roll, why, NOBODY)


def _came_back(rolls: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether a roll goes on from an earlier one of the same pupil at the same school."""
    before = rolls.groupby(["pupil", "school"])["leaving"].shift(1)
    back: NDArray[np.bool_] = (before + GAP_DAYS >= rolls["entry"]).to_numpy()
    return back & (before < OPEN).to_numpy()
