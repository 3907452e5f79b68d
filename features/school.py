"""The school as it was known on the day: rates of the other pupils, the pupil left out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.features.catalogue import Feature, builder
from riskmodel.features.known import Known, days_of

__all__ = ["school_absence", "school_exclusions"]


@builder(
    [
        Feature("school_suspension_rate", "Suspensions per 100 other pupils of the school, 12 months",
                "per 100 pupils", "school", "suspensions", 1, False),
        Feature("school_exclusion_rate",
                "Permanent exclusions per 100 other pupils of the school, all known years",
                "per 100 pupils", "school", "suspensions", 1, False),
    ],
    needs=["suspensions", "enrolments"],
)  # fmt: skip
def school_exclusions(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """How often the school suspends and excludes others.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["suspensions"]
    day = days_of(facts["start_date"])
    is_suspension = (facts["category"] == "SUSP").to_numpy() & (day >= known.day - 365)
    is_exclusion = (facts["category"] == "PERM").to_numpy()
    return {
        "school_suspension_rate": _others_rate(known, facts[is_suspension & (day < known.day)]),
        "school_exclusion_rate": _others_rate(known, facts[is_exclusion & (day < known.day)]),
    }


def _others_rate(known: Known, facts: pd.DataFrame) -> NDArray[np.float64]:
    """Facts per 100 pupils now on the school's roll, without the pupil's own."""
    rolls = known.tables["enrolments"]
    now = (rolls["entry_date"] < known.as_of) & ~(rolls["leaving_date"] < known.as_of)
    size = rolls.loc[now.to_numpy()].groupby("school_id")["pupil_id"].nunique()
    school = known.spine["school_id"]
    all_ = school.map(facts["school_id"].value_counts()).fillna(0).to_numpy(dtype=float)
    own = facts.groupby(["pupil_id", "school_id"], observed=True).size()
    pairs = known.spine[["pupil_id", "school_id"]].merge(
        own.rename("own").reset_index(), on=["pupil_id", "school_id"], how="left"
    )
    mine = pairs["own"].fillna(0).to_numpy(dtype=float)
    others = school.map(size).to_numpy(dtype=float) - 1
    return 100 * np.divide(all_ - mine, others, out=np.full(len(all_), np.nan), where=others > 0)


@builder(
    [Feature("school_absence_rate", "Absence of the school's other pupils, 12 months", "share",
             "school", "sessions", 0, False)],
    needs=["sessions", "enrolments"],
)  # fmt: skip
def school_absence(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Mean absence of the other pupils on the roll of the school, in the spine or not.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    roll = known.roll.drop_duplicates(["pupil", "school_id"])
    rate = pd.Series(known.absence_of_all[roll["pupil"]])
    by_school = rate.groupby(roll["school_id"].to_numpy())
    key = pd.MultiIndex.from_arrays([known.rows, known.spine["school_id"]])
    own = rate.set_axis(pd.MultiIndex.from_frame(roll[["pupil", "school_id"]])).reindex(key)
    mine = own.to_numpy(dtype=float)
    others = known.spine["school_id"].map(by_school.count()).to_numpy(float) - ~np.isnan(mine)
    sums = known.spine["school_id"].map(by_school.sum()).to_numpy(float) - np.nan_to_num(mine)
    return {
        "school_absence_rate": np.divide(
            sums, others, out=np.full(len(sums), np.nan), where=others > 0
        )
    }
