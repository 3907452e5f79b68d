"""Moves: schools attended, gaps between them, transitions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, days_of
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["gaps_between_schools", "moves"]

SUMMER = 60
"""Days between two rolls that a summer explains."""


@builder(needs=["enrolments"])
def moves(known: FactsAsOf) -> Columns:
    """Schools, moves and transitions.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["enrolments"]
    end = days_of(facts["leaving_date"])
    is_main = (facts["status"] == "main").to_numpy()
    main = known.events("enrolments", "entry_date", is_main)
    entries = main.count()

    def changes(days: int) -> NDArray[np.float64]:
        # where every entry lies in the window, the earliest is no change of school
        lately = main.count(days)
        return lately - ((entries > 0) & (entries == lately))

    # the first roll of a pupil is no change of school, whenever it began
    later, _ = main.gaps()
    mid_year = later.where(_in_mid_year(later.day))
    managed = (facts["leaving_reason"] == "managed_move").to_numpy()
    dual = known.events("enrolments", "entry_date", ~is_main)
    current = is_main & (end >= known.day)
    since = known.events("enrolments", "entry_date", current).days_since()
    entry = np.nan_to_num(known.day - since).astype(np.int64)
    schools = pd.DataFrame(
        {"pupil": main.pupil, "school_id": facts["school_id"].to_numpy()[is_main]}
    )[main.day < known.day].drop_duplicates()  # fmt: skip
    n_schools = np.bincount(schools["pupil"], minlength=main.n_pupils).astype(float)
    year_group = known.year_group
    weeks = (known.day - known.school_year_start) / 7
    return {
        "year_group": year_group,
        "schools_so_far": n_schools[known.rows],
        "moves_12_months": changes(365),
        "moves_24_months": changes(730),
        "mid_year_moves": mid_year.count(),
        "mid_year_moves_24_months": mid_year.count(730),
        "managed_moves": known.events("enrolments", "entry_date", managed).count(),
        "months_at_school": since / DAYS_PER_MONTH,
        "came_in_mid_year": np.where(np.isnan(since), np.nan, _in_mid_year(entry)),
        "dual_roll_now": dual.state(end[~is_main]),
        "dual_roll_ever": (dual.count() > 0).astype(float),
        "weeks_since_year_7": np.where(
            year_group >= FIRST_SECONDARY, weeks + 52.18 * (year_group - FIRST_SECONDARY), np.nan
        ),
        "weeks_since_september": np.full(len(year_group), weeks),
    }


@builder(needs=["enrolments"])
def gaps_between_schools(known: FactsAsOf) -> Columns:
    """Time on no roll, and leaving without a known school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["enrolments"]
    reason = facts["leaving_reason"]
    entries = known.events("enrolments", "entry_date")
    end = days_of(facts["leaving_date"])
    order = np.lexsort((end, entries.day, entries.pupil))
    pupil, start, stop = entries.pupil[order], entries.day[order], end[order]
    # a roll that lasts hides the gap behind one that ended within it; pupils are kept apart
    apart = pupil * 4 * 10**6
    reached = np.maximum.accumulate(np.minimum(stop, 2 * 10**6) + apart) - apart
    same = pupil[1:] == pupil[:-1]
    length = np.where(same, start[1:] - reached[:-1] - 1, 0).clip(0)
    gap = Events(pupil[1:], start[1:], entries.as_of, entries.n_pupils, entries.rows)
    days = length.astype(float)

    def ever(code: str) -> NDArray[np.float64]:
        left = known.events("enrolments", "entry_date", (reason == code).to_numpy())
        return (left.count() > 0).astype(float)

    return {
        "days_without_school": gap.sum(days),
        "longest_gap_between_schools": np.nan_to_num(gap.largest(days)),
        "gaps_between_schools": gap.where(length > SUMMER).count(),
        "lost_before": ever("destination_unknown"),
        "left_for_home_education": ever("home_educated"),
    }


def _in_mid_year(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether days, since 1970, lie outside August and September."""
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return ~np.isin(month, [8, 9])
