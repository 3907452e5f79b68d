"""Moves on and off a school's roll, with and without a known destination.

In:  spells on rolls, home education.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure; each leaver with what became of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data.arrays import OPEN, days_of, pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.inclusion.counts import NOBODY, Counts, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["leavings", "moves"]

KNOWN = ("transferred", "managed_move", "left_area", "other")
"""Reasons why a roll ended that say where the pupil went, or why they need no school here."""

HOME_DAYS = 31
"""Days between the end of a roll and the start of home education that belong together; chosen."""

LAST_GROUP = 11


def leavings(facts: Facts) -> pd.DataFrame:
    """Say of every roll that ended what became of the pupil, as far as was known on the day.

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
    rolls = facts.rolls
    until = int(days_of(pd.Series([facts.as_of]))[0])
    left = rolls[(rolls["leaving"] < until).to_numpy()].reset_index(drop=True)
    day = left["leaving"].to_numpy()
    year = academic_year(pd.Series(pd.to_datetime(day, unit="D"))).to_numpy(dtype=int)
    month = pd.Series(pd.to_datetime(day, unit="D")).dt.month.to_numpy()
    now = left["year_group"].to_numpy() + year - left["year"].to_numpy()
    elsewhere, again = _next_roll(left, rolls)
    reason = left["reason"]
    told = reason.notna().to_numpy() & (reason != "destination_unknown").to_numpy()
    summer = (month >= 5) & (month <= 8)
    of_age = (now > LAST_GROUP) | ((now == LAST_GROUP) & summer)
    finished = reason.isin(["end_of_phase", "completed"]).to_numpy() | (~told & of_age) | (now < 0)
    home = (reason == "home_educated").to_numpy() | (~told & _to_home_education(facts, left))
    went = np.select(
        [
            again,
            finished,
            (reason == "permanently_excluded").to_numpy(),
            home,
            reason.isin(KNOWN).to_numpy() | elsewhere,
        ],
        ["stayed", "finished", "excluded", "home_educated", "known"],
        "unknown",
    )
    return pd.DataFrame(
        {"pupil": left["pupil"], "school": left["school"], "day": day, "now": now, "went": went}
    )


def _next_roll(
    left: pd.DataFrame, rolls: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether another school, and whether the same, has the pupil on roll afterwards."""
    pairs = (
        left[["pupil", "school", "leaving"]]
        .reset_index(names="row")
        .merge(rolls[["pupil", "school", "entry", "leaving"]], on="pupil", suffixes=("", "_next"))
    )
    later = (pairs["entry"] <= pairs["leaving"] + GAP_DAYS) & (
        pairs["leaving_next"] > pairs["leaving"]
    )
    pairs = pairs[later.to_numpy()]
    same = (pairs["school"] == pairs["school_next"]).to_numpy()
    elsewhere, again = np.zeros(len(left), bool), np.zeros(len(left), bool)
    elsewhere[pairs["row"].to_numpy()[~same]] = True
    again[pairs["row"].to_numpy()[same]] = True
    return elsewhere, again


def _to_home_education(facts: Facts, left: pd.DataFrame) -> NDArray[np.bool_]:
    spells = facts.table("circumstances")
    spells = spells[(spells["kind"] == "home_educated").to_numpy()]
    starts = pd.DataFrame({"pupil": pupils_of(spells), "start": days_of(spells["start_date"])})
    pairs = left[["pupil", "leaving"]].reset_index(names="row").merge(starts, on="pupil")
    near = ((pairs["start"] - pairs["leaving"]).abs() <= HOME_DAYS).to_numpy()
    made = np.zeros(len(left), bool)
    made[pairs["row"].to_numpy()[near]] = True
    return made


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
    rolls = facts.rolls
    day, pupil, school = (rolls[name].to_numpy() for name in ("entry", "pupil", "school"))
    month = pd.Series(pd.to_datetime(day, unit="D")).dt.month
    back = _came_back(rolls)
    joins = ~month.isin([8, 9]).to_numpy() & ~back
    why = facts.reached("enrolments", day, "rolls", lasts=True)
    made = {
        "joined": settle(
            facts.people(school[joins], pupil[joins], day[joins]), facts.on_roll, why, NOBODY
        )
    }
    why = facts.reached("enrolments", left["day"].to_numpy(), "ends of rolls")
    for name in ("known", "unknown", "home_educated"):
        rows = left[(left["went"] == name).to_numpy()]
        people = facts.people(*(rows[column].to_numpy() for column in ("school", "pupil", "day")))
        key = name if name == "home_educated" else f"left_{name}"
        made[key] = settle(people, facts.on_roll, why, NOBODY)
    return made


def _came_back(rolls: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether a roll goes on from an earlier one of the same pupil at the same school."""
    before = rolls.groupby(["pupil", "school"])["leaving"].shift(1)
    back: NDArray[np.bool_] = (before + GAP_DAYS >= rolls["entry"]).to_numpy()
    return back & (before < OPEN).to_numpy()
