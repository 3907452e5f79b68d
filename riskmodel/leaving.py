"""What became of the pupil of each roll that ended.

In:  spells on rolls as numbers, those that ended, first days of home education.
Out: one word for each: stayed, finished, excluded, home educated, destination known or unknown.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.year_groups import finishes_school

__all__ = ["home_starts", "rolls_as_numbers", "went", "year_group_on_leaving"]

KNOWN = ("transferred", "managed_move", "left_area", "other")
"""Reasons for leaving that show where the pupil went, or why no school here is needed."""

HOME_DAYS = 31
"""Days between the end of a roll and the start of home education that belong together; chosen."""


def rolls_as_numbers(rolls: pd.DataFrame, school: NDArray[np.int64]) -> pd.DataFrame:
    """Return spells on rolls as numbers.

    Parameters
    ----------
    rolls : DataFrame of shape (n_rolls, ...)
        ``enrolments``.
    school : int array of shape (n_rolls,)
        Number of the school of each.

    Returns
    -------
    DataFrame of shape (n_rolls, 7)
        Numbers ``pupil`` and ``school``, days ``entry`` and ``leaving`` since 1970, ``year_group`` at
        entry, ``year`` (school year of entry), ``reason``.
    """
    return pd.DataFrame(
        {
            "pupil": pupils_of(rolls),
            "school": school,
            "entry": days_of(rolls["entry_date"]),
            "leaving": days_of(rolls["leaving_date"]),
            "year_group": rolls["year_group"].to_numpy(),
            "year": academic_year(rolls["entry_date"]).to_numpy(dtype=np.int64),
            "reason": rolls["leaving_reason"].astype("object").to_numpy(),
        }
    )


def home_starts(circumstances: pd.DataFrame) -> pd.DataFrame:
    """Return the first days of home education.

    Parameters
    ----------
    circumstances : DataFrame of shape (n_spells, ...)
        ``pupil_id``, ``kind``, ``start_date``.

    Returns
    -------
    DataFrame
        ``pupil`` (number), ``start`` (day since 1970).
    """
    spells = circumstances[(circumstances["kind"] == "home_educated").to_numpy()]
    return pd.DataFrame({"pupil": pupils_of(spells), "start": days_of(spells["start_date"])})


def year_group_on_leaving(left: pd.DataFrame) -> NDArray[np.int64]:
    """Return the year group of each leaver on the day of leaving.

    Parameters
    ----------
    left : DataFrame of shape (n_rolls, ...)
        ``leaving`` (day since 1970), ``year_group`` at entry, ``year`` (school year of entry).

    Returns
    -------
    int array of shape (n_rolls,)
        Reception is 0.

    Examples
    --------
    >>> roll = {"leaving": [19_913], "year_group": [7], "year": [2022]}  # 9 July 2024
    >>> year_group_on_leaving(pd.DataFrame(roll)).tolist()
    [8]
    """
    year = academic_year(pd.Series(pd.to_datetime(left["leaving"], unit="D")))
    return np.asarray(left["year_group"].to_numpy() + year.to_numpy(dtype=int) - left["year"])


def went(left: pd.DataFrame, rolls: pd.DataFrame, home: pd.DataFrame) -> NDArray[np.str_]:
    """Return what became of the pupil of each roll that ended.

    Parameters
    ----------
    left : DataFrame of shape (n_rolls, ...)
        Rolls that ended, from :func:`rolls_as_numbers`.
    rolls : DataFrame
        All rolls, with the same columns.
    home : DataFrame
        From :func:`home_starts`.

    Returns
    -------
    str array of shape (n_rolls,)
        The first that holds: ``stayed`` (the same school has the pupil on roll again), ``finished`` (end of
        a phase or of Year 11, or not yet of school age), ``excluded``, ``home_educated``, ``known`` or
        ``unknown`` destination. A missing or unknown reason still is ``known`` if another school of the LA
        has the pupil on roll by :data:`riskmodel.cohort.GAP_DAYS` later.

    Examples
    --------
    >>> roll = {"pupil": 0, "school": 3, "entry": 19_000, "leaving": 19_850, "year_group": 7, "year": 2022}
    >>> left = pd.DataFrame([roll | {"reason": None}, roll | {"pupil": 1, "reason": "transferred"}])
    >>> went(left, left, pd.DataFrame({"pupil": [], "start": []})).tolist()
    ['unknown', 'known']
    """
    reason, now = left["reason"], year_group_on_leaving(left)
    is_known = reason.notna().to_numpy() & (reason != "destination_unknown").to_numpy()
    is_past = finishes_school(pd.Series(now), pd.to_datetime(left["leaving"], unit="D"))
    of_age = (~is_known & is_past) | (now < 0)
    finished = reason.isin(["end_of_phase", "completed"]).to_numpy() | of_age
    at_home = (reason == "home_educated").to_numpy() | (~is_known & _to_home(left, home))
    elsewhere, again = _next_roll(left, rolls)
    cases = {
        "stayed": again,
        "finished": finished,
        "excluded": (reason == "permanently_excluded").to_numpy(),
        "home_educated": at_home,
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


def _to_home(left: pd.DataFrame, home: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether home education began about when the roll ended."""
    pairs = left[["pupil", "leaving"]].reset_index(names="row").merge(home, on="pupil")
    near = ((pairs["start"] - pairs["leaving"]).abs() <= HOME_DAYS).to_numpy()
    made = np.zeros(len(left), bool)
    made[pairs["row"].to_numpy()[near]] = True
    return made
