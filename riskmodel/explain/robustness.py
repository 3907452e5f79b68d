"""Would the reason still be given? Each bag asked alone, and small changes of the pupil's facts.

In:  a model and the values of a few pupils.
Out: per pupil and subject whether it raises, or lowers, the risk whichever way it is looked at.

The bags of a model learned from different samples. A reason that most of them give rests on more
than one sample's luck; one that vanishes when a pupil misses one school day more, or a week passes,
shows little about the pupil. Such reasons are marked weak, not left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, DAYS_PER_YEAR
from riskmodel.explain.subjects import members_of
from riskmodel.training.calibrated import CalibratedEnsemble

__all__ = ["NUDGES", "is_robust"]

MOST_BAGS = 0.8
"""Share of bags that must give the reason by themselves; 8 of 10."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAY_AWAY = {
    "absence_rate_10_days": 2 / 20,
    "absence_rate_20_days": 2 / 40,
    "absence_rate_60_days": 2 / 120,
    "absence_rate_12_months": 2 / 380,
    "absence_rate_term": 2 / 120,
    "illness_rate_10_days": 2 / 20,
    "illness_rate_20_days": 2 / 40,
    "illness_rate_60_days": 2 / 120,
    "illness_rate_12_months": 2 / 380,
    "illness_rate_term": 2 / 120,
    "authorised_rate_10_days": 2 / 20,
    "authorised_rate_20_days": 2 / 40,
    "authorised_rate_60_days": 2 / 120,
    "authorised_rate_12_months": 2 / 380,
    "authorised_rate_term": 2 / 120,
    "absence_change_20_days": 2 / 40,
    "illness_change_20_days": 2 / 40,
    "absence_change_4_weeks": 2 / 40,
    "absence_change_year": 2 / 120,
    "absence_change_term": 2 / 120,
    "absence_slope": 2 / 20 * 2.5 / 17.5,
    "absence_against_year_group": 2 / 380,
    "absence_against_year_group_20_days": 2 / 40,
    "absence_against_school": 2 / 380,
    "absence_spells_12_months": 1.0,
    "absence_spells_60_days": 1.0,
    "weeks_complete": -1 / 12,
}
"""What one school day more of absence, ill and lately, does to each feature. A window of n school
days has 2n half-days, a school year about 380; a term is taken as 60 days."""

WEEK_LATER = {
    "days_since_suspension": 7.0,
    "days_since_first_suspension": 7.0,
    "days_since_sen_change": 7.0,
    "days_since_circumstance": 7.0,
    "days_since_address": 7.0,
    "days_since_plan_request": 7.0,
    "months_at_school": 7 / DAYS_PER_MONTH,
    "weeks_since_year_7": 1.0,
    "weeks_since_september": 1.0,
    "sen_years": 7 / DAYS_PER_YEAR,
    "ehc_plan_years": 7 / DAYS_PER_YEAR,
}
"""What a week does in which nothing happens."""

NUDGES = (
    DAY_AWAY,
    {name: -change for name, change in DAY_AWAY.items()},
    WEEK_LATER,
)
"""Feature → change; each is tried by itself. Shares stay between 0 and 1."""


def is_robust(
    calibrated: CalibratedEnsemble, features: pd.DataFrame, limit: float
) -> tuple[Bools, Bools]:
    """Return which subjects raise, and which lower, a pupil's risk in nearly every test.

    Parameters
    ----------
    calibrated : CalibratedEnsemble
        What scored the pupils.
    features : DataFrame of shape (n_pupils, n_features)
        Values of a few pupils.
    limit : float
        Log-odds that a subject must add or take away.

    Returns
    -------
    raises, lowers : bool arrays of shape (n_pupils, n_subjects)
        Subjects as :func:`riskmodel.explain.subjects.members_of` orders them. True where 8 of 10
        bags, and every nudge of the pupil's own values, agree.
    """
    members = members_of([str(name) for name in features.columns])
    bags = _add_up(calibrated.contributions_by_bag(features.to_numpy(np.float32)), members)
    changed = [_nudged(features, nudge).to_numpy(np.float32) for nudge in NUDGES]
    nudged = _add_up(np.stack([calibrated.contributions(X) for X in changed]), members)

    def holds(sign: int) -> Bools:
        in_most_bags = (sign * bags >= limit).mean(axis=0) >= MOST_BAGS
        return np.asarray(in_most_bags & (sign * nudged >= limit).all(axis=0))

    return holds(1), holds(-1)


def _add_up(parts: Floats, members: dict[str, NDArray[np.int64]]) -> Floats:
    return np.stack([parts[..., columns].sum(axis=-1) for columns in members.values()], axis=-1)


def _nudged(features: pd.DataFrame, nudge: dict[str, float]) -> pd.DataFrame:
    changed = {}
    for name, change in nudge.items():
        if name in features:
            values = features[name] + change
            is_share = name.endswith(("complete", "_term", "_days", "_months")) and "rate" in name
            changed[name] = values.clip(0, 1) if is_share or name == "weeks_complete" else values
    return features.assign(**changed)
