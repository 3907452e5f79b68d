"""How far back what happened to a pupil is known.

In:  the pupils' own values; for how many months the LA's tables hold facts.
Out: months, and for how many of them a sentence on what did not happen speaks.

An LA knows of a pupil what was recorded here. Of the time before a pupil came, it knows nothing. "Not
suspended so far" is then no knowledge of the pupil, and no strength.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.features import CATALOGUE

__all__ = [
    "MONTHS_PER_YEAR",
    "goes_back_enough",
    "months_since_reception",
    "months_needed",
    "months_on_record",
]

MONTHS_PER_YEAR = 12

WHOLE_YEAR = 340
"""Half-days with a mark from which the last 12 months count as known; 9 of 10 of about 380; chosen."""

SOME_DAYS = 0.75
"""Months into September on which a first term may begin; chosen."""

_MONTHS = {"the last 2 years": 2 * MONTHS_PER_YEAR, "the last 6 years": 6 * MONTHS_PER_YEAR}
"""Window of a feature → months; other windows are of a year or less."""

_RECORDED_HERE = {"enrolments", "circumstances"}
"""Tables that hold nothing of what happened before a pupil came."""

Floats = NDArray[np.float64]


def months_on_record(features: pd.DataFrame) -> Floats:
    """Return for how many months, at least, each pupil's record is known.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        The pupils' values.

    Returns
    -------
    float array of shape (n_pupils,)
        Infinite for pupils who have been at one school since September of Reception, and where no feature
        holds when a pupil came. Otherwise the months at the present school; 12 where the register
        covers them; 0 where nothing is known.

    Examples
    --------
    >>> pupils = pd.DataFrame(
    ...     {"months_at_school": [30.0, 13.0], "schools_so_far": 1.0, "year_group": [2.0, 2.0]}
    ... )
    >>> months_on_record(pupils).tolist()
    [inf, 13.0]
    """
    if "months_at_school" not in features:
        return np.full(len(features), np.inf)
    here = features["months_at_school"].fillna(0.0).to_numpy(dtype=np.float64)
    marks = features.get("known_half_days", pd.Series(0.0, index=features.index)).to_numpy()
    known = np.where(marks >= WHOLE_YEAR, np.maximum(here, MONTHS_PER_YEAR), here)
    return np.where(_from_the_start(features, here), np.inf, known)


def _from_the_start(features: pd.DataFrame, here: Floats) -> NDArray[np.bool_]:
    """Return who has been at one school since September of Reception, for Year 2 at least 24 months."""
    if not {"schools_so_far", "year_group"} <= {*features.columns}:
        return np.zeros(len(features), dtype=bool)
    one_school = (features["schools_so_far"] <= 1).to_numpy()
    return np.asarray(one_school & (here >= months_since_reception(features)))


def months_since_reception(features: pd.DataFrame) -> Floats:
    """Return the months since September of Reception at least, some days left out.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        With ``year_group``.

    Returns
    -------
    float array of shape (n_pupils,)
        Missing where the year group is.

    Examples
    --------
    >>> months_since_reception(pd.DataFrame({"year_group": [2.0]})).tolist()
    [23.25]
    """
    return MONTHS_PER_YEAR * features["year_group"].to_numpy(dtype=np.float64) - SOME_DAYS


def months_needed(name: str) -> float:
    """Return how far back a record must go before "nothing of this kind" can be a strength.

    Parameters
    ----------
    name : str
        Feature.

    Returns
    -------
    float
        Months; infinite for all the past; 0 for what no earlier record could hold.

    Examples
    --------
    >>> [months_needed(name) for name in ("moves_24_months", "mid_year_moves", "late_rate_term")]
    [24.0, inf, 0.0]
    """
    feature = CATALOGUE.get(name)
    if feature is None or feature.source not in _RECORDED_HERE:
        return 0.0
    if not feature.window and not name.endswith("_now"):
        return float("inf")
    return float(_MONTHS.get(feature.window, MONTHS_PER_YEAR))


def goes_back_enough(name: str, months_held: Mapping[str, float]) -> bool:
    """Return whether a feature's table goes back far enough for "nothing of this kind" to be a strength.

    Parameters
    ----------
    name : str
        Feature.
    months_held : mapping of str to float
        Table → months for which it holds facts; a table that is not named goes back far enough.

    Returns
    -------
    bool
        False where the feature looks back over a year or more, and its table holds fewer months. All
        features of suspensions look back over a year: no shorter time is a strength.

    Examples
    --------
    >>> [goes_back_enough(name, {"sessions": 2.0}) for name in ("late_rate_12_months", "late_rate_term")]
    [False, True]
    """
    if name not in CATALOGUE:
        return True
    table, window = CATALOGUE[name].source, CATALOGUE[name].window
    is_year = table == "suspensions" or window == "the last 12 months"
    needed = _MONTHS.get(window, MONTHS_PER_YEAR if is_year else 0)
    return months_held.get(table, np.inf) >= needed
