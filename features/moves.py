"""Moves: schools attended, gaps between them, transitions.

A window of days is half-open: its first day counts, the day of the list does not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, days_of
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["gaps_between_schools", "moves"]

SUMMER = 60
"""Longest time on no roll, in days, that a summer explains; chosen."""

WEEKS_PER_YEAR = 52.18
"""365.25 days / 7, to two places."""

LAST_DAY = 2 * 10**6
"""Later than any leaving date, the far future of an open roll included."""


@builder(needs=["enrolments"])
def moves(known: FactsAsOf) -> Columns:
    """Return the schools of a pupil so far, and when the pupil moved.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    return {
        **_changes(known),
        **_present_school(known),
        **_dual_rolls(known),
        **_school_year(known),
        "managed_moves": _left_for(known, "managed_move").count(),
    }


def _is_main(known: FactsAsOf) -> NDArray[np.bool_]:
    return (known.tables["enrolments"]["status"] == "main").to_numpy()


def _left_for(known: FactsAsOf, reason: str) -> Events:
    """Return the rolls left for a reason, by the day of entry."""
    keep = (known.tables["enrolments"]["leaving_reason"] == reason).to_numpy()
    return known.events("enrolments", "entry_date", keep)


def _changes(known: FactsAsOf) -> Columns:
    is_main = _is_main(known)
    main = known.events("enrolments", "entry_date", is_main)
    school = known.tables["enrolments"]["school_id"].to_numpy()[is_main]
    # the first roll of a pupil is no change of school, whenever it began
    later, _ = main.gaps()
    in_mid_year = later.where(_in_mid_year(later.day))
    return {
        "schools_so_far": main.count_distinct(school),
        "moves_12_months": _count_changes(main, 365),
        "moves_24_months": _count_changes(main, 730),
        "mid_year_moves": in_mid_year.count(),
        "mid_year_moves_24_months": in_mid_year.count(730),
    }


def _count_changes(main: Events, days: int) -> NDArray[np.float64]:
    """Count the entries of the last days; the first of all is no change of school."""
    lately, ever = main.count(days), main.count()
    return lately - ((ever > 0) & (ever == lately))


def _present_school(known: FactsAsOf) -> Columns:
    end = days_of(known.tables["enrolments"]["leaving_date"])
    current = _is_main(known) & (end >= known.day)
    since = known.events("enrolments", "entry_date", current).days_since()
    entry = np.nan_to_num(known.day - since).astype(np.int64)
    return {
        "months_at_school": since / DAYS_PER_MONTH,
        "came_in_mid_year": np.where(np.isnan(since), np.nan, _in_mid_year(entry)),
    }


def _dual_rolls(known: FactsAsOf) -> Columns:
    is_dual = ~_is_main(known)
    rolls = known.events("enrolments", "entry_date", is_dual)
    end = days_of(known.tables["enrolments"]["leaving_date"])
    return {"dual_roll_now": rolls.state(end[is_dual]), "dual_roll_ever": rolls.any()}


def _school_year(known: FactsAsOf) -> Columns:
    weeks = (known.day - known.school_year_start) / 7
    since_year_7 = weeks + WEEKS_PER_YEAR * (known.year_group - FIRST_SECONDARY)
    in_secondary = known.year_group >= FIRST_SECONDARY
    return {
        "year_group": known.year_group,
        "weeks_since_year_7": np.where(in_secondary, since_year_7, np.nan),
        "weeks_since_september": np.full(len(known.rows), weeks),
    }


@builder(needs=["enrolments"])
def gaps_between_schools(known: FactsAsOf) -> Columns:
    """Return the time on no roll, and whether a pupil left without a known school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.

    Examples
    --------
    >>> import pandas as pd
    >>> rolls = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A", "A"]),
    ...         "entry_date": pd.to_datetime(["2022-09-01", "2023-06-01"]),
    ...         "leaving_date": pd.to_datetime(["2023-03-31", None]),
    ...         "leaving_reason": ["destination_unknown", None],
    ...     }
    ... )
    >>> day, spine = pd.Timestamp("2025-03-01"), rolls[["pupil_id"]].head(1)
    >>> made = gaps_between_schools(FactsAsOf({"enrolments": rolls}, day, spine, register=None))
    >>> made["days_without_school"].tolist(), made["lost_before"].tolist()
    ([61.0], [1.0])
    """
    gaps, days = _gaps(known)
    return {
        "days_without_school": gaps.sum(days),
        "longest_gap_between_schools": np.nan_to_num(gaps.largest(days)),
        "gaps_between_schools": gaps.where(days > 0).count(),
        "lost_before": _left_for(known, "destination_unknown").any(),
        "left_for_home_education": _left_for(known, "home_educated").any(),
    }


def _gaps(known: FactsAsOf) -> tuple[Events, NDArray[np.float64]]:
    """Return the days on no roll before each entry but the first, 0 where a summer explains them."""
    rolls = known.events("enrolments", "entry_date")
    end = days_of(known.tables["enrolments"]["leaving_date"])
    order = np.lexsort((end, rolls.day, rolls.pupil))
    pupil, start, end = rolls.pupil[order], rolls.day[order], np.minimum(end[order], LAST_DAY)
    # the latest end so far: an earlier roll may outlast a later one; each pupil begins anew
    apart = pupil * 2 * LAST_DAY
    reached = np.maximum.accumulate(end + apart) - apart
    same = pupil[1:] == pupil[:-1]
    days = np.where(same, start[1:] - reached[:-1] - 1, 0)
    days = np.where(days > SUMMER, days, 0)
    return replace(rolls, pupil=pupil[1:], day=start[1:]), days.astype(float)


def _in_mid_year(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether days, since 1970, lie outside August and September."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return ~np.isin(month, [8, 9])
