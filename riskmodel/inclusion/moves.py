"""Moves on and off a school's roll, with and without a known destination.

In:  spells on rolls, home education.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure; what became of each leaver.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data.arrays import OPEN, days_of, pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.year_groups import finishes_school
from riskmodel.inclusion.counts import NOBODY, Counts, Ints, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["leavings", "moves"]

KNOWN = ("transferred", "managed_move", "left_area", "other")
"""Reasons for leaving that show where the pupil went, or why no school here is needed."""

HOME_DAYS = 31
"""Days between the end of a roll and the start of home education that belong together; chosen."""


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
    now = _year_group(left)
    columns = {"pupil": left["pupil"], "school": left["school"], "day": day, "now": now}
    return pd.DataFrame(columns).assign(went=_went(facts, left, now))


def _year_group(left: pd.DataFrame) -> Ints:
    """Return the year group of each leaver on the day of leaving."""
    year = academic_year(pd.Series(pd.to_datetime(left["leaving"], unit="D")))
    return np.asarray(left["year_group"].to_numpy() + year.to_numpy(dtype=int) - left["year"])


def _went(facts: Facts, left: pd.DataFrame, now: Ints) -> NDArray[np.str_]:
    """Return what became of each leaver: the first case that holds."""
    reason = left["reason"]
    is_known = reason.notna().to_numpy() & (reason != "destination_unknown").to_numpy()
    is_past = finishes_school(pd.Series(now), pd.to_datetime(left["leaving"], unit="D"))
    of_age = (~is_known & is_past) | (now < 0)
    finished = reason.isin(["end_of_phase", "completed"]).to_numpy() | of_age
    home = (reason == "home_educated").to_numpy() | (~is_known & _to_home_education(facts, left))
    elsewhere, again = _next_roll(left, facts.rolls)
    cases = {
        "stayed": again,
        "finished": finished,
        "excluded": (reason == "permanently_excluded").to_numpy(),
        "home_educated": home,
        "known": reason.isin(KNOWN).to_numpy() | elsewhere,
    }
    return np.select(list(cases.values()), list(cases), "unknown")


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
