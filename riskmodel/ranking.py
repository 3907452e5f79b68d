"""The list for a capacity: order, ties, who is near the line, and what changed since an earlier one.

In:  an assessment, and the ranking before it.
Out: one row per pupil, best first.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.assess import Assessment
from riskmodel.errors import RequestError
from riskmodel.explain import reasons

__all__ = ["check_capacity", "last_near", "listed", "rank"]

NEAR_SHARE = 0.1
"""Pupils just below the line who are shown too, as a share of the capacity."""

STEADY_SHARE = 0.25
"""A rank within this share of the former rank is steady."""


def check_capacity(capacity: int, n_pupils: int) -> None:
    """Refuse a capacity that does not fit the cohort.

    Parameters
    ----------
    capacity : int
        Pupils the service can see.
    n_pupils : int
        Pupils in the cohort.

    Raises
    ------
    RequestError
        If the capacity is below 1 or above the cohort's size.
    """
    if not 1 <= capacity <= n_pupils:
        raise RequestError(
            f"Capacity must be between 1 and the {n_pupils} pupils of the cohort; got {capacity}. "
            "Choose the number of pupils the service can see."
        )


def _order(scores: pd.DataFrame) -> NDArray[np.int64]:
    """Return rows by falling risk; ties by pupil, so that the same input gives the same list."""
    pupil = scores["pupil_id"].astype("str").to_numpy().astype("U")
    return np.lexsort((pupil, -scores["risk"].to_numpy(dtype=float)))


def listed(scores: pd.DataFrame, capacity: int) -> NDArray[np.bool_]:
    """Say who is inside the capacity.

    Parameters
    ----------
    scores : DataFrame
        ``pupil_id``, ``risk``.
    capacity : int
        Pupils the service can see.

    Returns
    -------
    bool array of shape (n_pupils,)
        True for the ``capacity`` highest risks; ties by pupil.
    """
    inside = np.zeros(len(scores), dtype=bool)
    inside[_order(scores)[:capacity]] = True
    return inside


def last_near(capacity: int) -> int:
    """Return the last place that is near the line.

    Parameters
    ----------
    capacity : int
        Pupils the service can see.

    Returns
    -------
    int
        The capacity and a tenth of it, at least one more.
    """
    return capacity + max(1, math.ceil(NEAR_SHARE * capacity))


def rank(assessment: Assessment, *, previous: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rank the cohort.

    Parameters
    ----------
    assessment : Assessment
        Scores, reasons, audit.
    previous : DataFrame, optional
        An earlier ranking, with ``pupil_id`` and ``rank``.

    Returns
    -------
    DataFrame
        ``rank, selected, pupil_id, school_id, year_group, risk, risk_low, risk_high, band, change,
        reason_1..3, strength_1..2``; every pupil, highest risk first. ``band`` is ``listed``,
        ``near the line`` (the next tenth of the capacity, at least one pupil) or ``not listed``.
        ``change`` is ``new``, ``rising``, ``steady`` (within a quarter of the former rank),
        ``falling``, or ``first list`` where there is no previous ranking.

    Raises
    ------
    RequestError
        If the capacity does not fit the cohort, or ``previous`` is not a ranking.
    """
    check_capacity(assessment.capacity, len(assessment.scores))
    order = _order(assessment.scores)
    ranking = pd.concat([assessment.scores, reasons(assessment)], axis=1).iloc[order]
    ranking = ranking.reset_index(drop=True).astype({"pupil_id": "str"})
    place = np.arange(1, len(ranking) + 1)
    near = last_near(assessment.capacity)
    band = np.select([place <= assessment.capacity, place <= near], ["listed", "near the line"],
                     "not listed")  # fmt: skip
    ranking.insert(0, "rank", place)
    ranking.insert(1, "selected", place <= assessment.capacity)
    at = list(ranking.columns).index("risk_high") + 1
    ranking.insert(at, "band", band)
    ranking.insert(at + 1, "change", _change(ranking, previous))
    return ranking


def _change(ranking: pd.DataFrame, previous: pd.DataFrame | None) -> NDArray[np.object_]:
    if previous is None:
        return np.full(len(ranking), "first list", dtype=object)
    missing = [name for name in ("pupil_id", "rank") if name not in previous]
    if missing:
        raise RequestError(
            f"The previous list has no column '{missing[0]}'. Give a ranking with one row per pupil."
        )
    if previous["pupil_id"].duplicated().any():
        raise RequestError("The previous list holds a pupil twice. Give one row per pupil.")
    before = previous.set_index(previous["pupil_id"].astype("str"))["rank"]
    was = ranking["pupil_id"].map(before).to_numpy(dtype=float)
    now = ranking["rank"].to_numpy(dtype=float)
    room = np.maximum(1.0, STEADY_SHARE * was)
    return np.select(
        [np.isnan(was), now < was - room, now > was + room], ["new", "rising", "falling"], "steady"
    ).astype(object)
