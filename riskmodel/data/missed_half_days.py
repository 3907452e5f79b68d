"""Shares of school missed between two days, for many pupils and pairs of days at once.

In:  register marks, pupils, first days and ends.
Out: the share of each pupil's possible half-days that was missed; missing where too few are known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of, whole_days
from riskmodel.data.codes import ABSENT, POSSIBLE, code_set
from riskmodel.data.ratio import ratio

__all__ = ["FEWEST_HALF_DAYS", "share_missed"]

FEWEST_HALF_DAYS = 30
"""Half-days that a share must rest on, at least: three school weeks. One absence is then 3% at most."""


def share_missed(
    sessions: pd.DataFrame,
    pupils: pd.Series,
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the share of possible half-days that each row's pupil missed between two days.

    Parameters
    ----------
    sessions : DataFrame of shape (n_marks, ...)
        ``pupil_id``, ``date``, ``mark``; all of them are counted.
    pupils : Series of shape (n_rows,)
        ``pupil_id`` of the same category.
    start, end : int array of shape (n_rows,)
        First day, and the day after the last, in days since 1970.

    Returns
    -------
    float array of shape (n_rows,)
        Half-days absent over half-days that the pupil could attend (DfE, Working together to improve
        school attendance); nan where fewer than :data:`FEWEST_HALF_DAYS` of these are known.

    Examples
    --------
    Three weeks, of which one was missed.

    >>> days = pd.date_range("2025-03-03", periods=15, freq="B").as_unit("s")
    >>> marks = pd.DataFrame({
    ...     "pupil_id": pd.Categorical(["A"] * 30), "date": days.repeat(2),
    ...     "mark": pd.Categorical(["I"] * 10 + ["/"] * 20),
    ... })
    >>> first = np.array([whole_days(marks["date"]).min()])
    >>> share_missed(marks, pd.Series(pd.Categorical(["A"])), first, first + 30).round(3).tolist()
    [0.333]
    >>> share_missed(marks, pd.Series(pd.Categorical(["A"])), first, first + 10).tolist()
    [nan]
    """
    bounds = np.unique(np.concatenate([start, end]))
    counts = _counts_before(sessions, bounds)
    pupil = pupils.cat.codes.to_numpy().astype(np.int64)
    first, last = np.searchsorted(bounds, start), np.searchsorted(bounds, end)
    possible, missed = (before[pupil, last] - before[pupil, first] for before in counts)
    return ratio(missed, np.where(possible >= FEWEST_HALF_DAYS, possible, 0))


def _counts_before(
    sessions: pd.DataFrame, bounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each pupil's half-days possible and missed before each bound; of shape (n_pupils, n_bounds)."""
    n_pupils = len(sessions["pupil_id"].cat.categories)
    families = code_set("marks")["family"].reindex(sessions["mark"].cat.categories)
    mark = sessions["mark"].cat.codes.to_numpy()
    cell = pupils_of(sessions) * (len(bounds) + 1)
    cell += np.searchsorted(bounds, whole_days(sessions["date"]), "right")
    found = []
    for family in (POSSIBLE, ABSENT):
        counted = np.append(families.isin(family).to_numpy(), False)[mark]  # the last: no mark
        counts = np.bincount(cell[counted], minlength=n_pupils * (len(bounds) + 1))
        found.append(counts.reshape(n_pupils, -1).cumsum(axis=1)[:, :-1])
    return found[0], found[1]
