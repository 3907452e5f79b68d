"""The gate on disparity: groups that are found less often than others, by more than today.

In:  the tested lists with the scores of the model and of what it is to replace; the groups.
Out: a row per group, and per pool of groups too small to be judged by themselves; the gate's answer.

A group is judged by itself if a model that found none of its pupils would fail here. All groups that are
not are pooled, per characteristic and over all characteristics, and the pools are judged like a group.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.counted import counted
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.verdicts import FEWEST_OUTCOMES, holm, testable
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["disparity_answer", "judged_gaps"]

SIGNIFICANT = 0.05
"""Level of the corrected p-values."""

CODE = "no_new_disparity"

POOL, ELSEWHERE = "smaller groups together", "all others"
"""Group of the pupils in any group that is pooled; group of the others."""

ANY = "any characteristic"
"""Characteristic of the pool over all characteristics."""


def judged_gaps(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    reference: str,
    *,
    capacity: int,
    random_state: int,
) -> pd.DataFrame:
    """Return every group and every pool of small groups, and whether its gap is wider than before.

    Parameters
    ----------
    predictions : DataFrame of shape (n_tested, ...)
        ``pupil_id``, ``as_of``, ``label``, ``model`` and the reference's score.
    groups : DataFrame of shape (n_tested, n_characteristics)
        Protected characteristics of the same rows.
    reference : str
        Score column of what the model is to replace.
    capacity : int
        Pupils listed at each ``as_of``.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    DataFrame
        Rows of :func:`riskmodel.fairness.practice.compare_gaps` with ``is_pool``, ``is_judged``,
        ``is_wider`` and ``is_unlisted`` (the reference lists five pupils of the group or more, the model
        nobody).

    Notes
    -----
    A group's gap is its recall minus that of all others. Of the judged groups and pools that the model
    finds less often than others, the one-sided p-values of a wider gap are corrected after Holm. Whether
    a group is judged follows Tarone: its p-value, if the model found nobody of it, must be significant
    after a correction for the number of groups of which that holds. It does not depend on
    how good the model is for the others.
    """

    def compare(part: pd.DataFrame) -> pd.DataFrame:
        return compare_gaps(
            predictions, part, [reference], capacity=capacity, random_state=random_state
        )

    gaps = compare(groups)
    pools = _pools(groups, gaps[~_is_judged(gaps)])
    both = gaps.assign(is_pool=False)
    if len(pools.columns):
        pooled = compare(pools).assign(is_pool=True)
        pooled = pooled[(pooled["group"] == POOL).to_numpy()]
        both = pd.concat([both, pooled], ignore_index=True)
    is_judged = _is_judged(both)
    return both.assign(
        is_judged=is_judged,
        is_wider=_is_wider(both, is_judged),
        is_unlisted=(both["listed_before"] >= FEWEST_OUTCOMES) & (both["listed_now"] == 0),
    )


def _is_judged(gaps: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the groups of which a model that found nobody would fail."""
    return testable(norm.cdf(gaps["z_if_none"].to_numpy(dtype=float)))


def _is_wider(gaps: pd.DataFrame, is_judged: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the judged groups that are found less often than others, by more than before."""
    missed = is_judged & (gaps["gap"].to_numpy(dtype=float) < 0)
    is_wider = np.zeros(len(gaps), dtype=bool)
    is_wider[missed] = holm(norm.cdf(gaps["z"].to_numpy(dtype=float)[missed])) <= SIGNIFICANT
    return is_wider


def _pools(groups: pd.DataFrame, small: pd.DataFrame) -> pd.DataFrame:
    """Return, per characteristic with two small groups or more and over all, whether a row is in one."""
    inside = {
        str(name): groups[name].isin(part["group"]).to_numpy()
        for name, part in small.groupby("characteristic", sort=False)
    }
    counts = small["characteristic"].value_counts()
    pools = {name: rows for name, rows in inside.items() if counts[name] > 1}
    if len(inside) > 1:
        pools[ANY] = np.any(list(inside.values()), axis=0)
    words = {name: np.where(rows, POOL, ELSEWHERE) for name, rows in pools.items()}
    return pd.DataFrame(words, index=groups.index)


def disparity_answer(gaps: pd.DataFrame | None) -> GateAnswer:
    """Return the answer of the gate ``no_new_disparity``.

    Parameters
    ----------
    gaps : DataFrame or None
        From :func:`judged_gaps`; None where there is nothing to compare the model's gaps with.

    Returns
    -------
    GateAnswer
        Failed where a group or a pool has a wider gap, or a group is no longer listed; passed only where
        every group was judged by itself. Otherwise it is not judged, which blocks promotion where
        neither a group nor a pool could be judged although there are groups to compare.
    """
    if gaps is None or not len(gaps):
        reason = "these extracts give nothing to compare the gaps with"
        return GateAnswer(
            code=CODE, result="not judged", reason=reason, threshold=0, is_needed=False
        )
    worse = gaps[gaps["is_wider"] | gaps["is_unlisted"]].sort_values("z").to_dict("records")
    if worse:
        words = "; ".join(_words(row) for row in worse)
        reason = f"found less often than others, by more than before: {words}"
        return GateAnswer(code=CODE, result="failed", reason=reason, value=len(worse), threshold=0)
    alone = gaps[~gaps["is_pool"]]
    if alone["is_judged"].all():
        return GateAnswer(code=CODE, result="passed", value=0, threshold=0)
    can_differ = bool((alone["characteristic"].value_counts() > 1).any())
    return GateAnswer(
        code=CODE,
        result="not judged",
        reason=_how_many(gaps),
        value=0,
        threshold=0,
        is_needed=can_differ and not gaps["is_judged"].any(),
    )


def _words(row: dict[Any, Any]) -> str:
    """Return a group and what is wrong with it."""
    what = f"recall {row['now']:.2f}" if row["is_wider"] else "nobody is listed"
    return f"{row['characteristic']}: {row['group']} ({what})"


def _how_many(gaps: pd.DataFrame) -> str:
    """Return how many groups were judged, by themselves or together, and why not all."""
    alone, pools = gaps[~gaps["is_pool"]], gaps[gaps["is_pool"] & gaps["is_judged"]]
    n, of = int(alone["is_judged"].sum()), len(alone)
    few = "of the others so few had the outcome that it would not be seen if none were found"
    if not len(pools):
        return f"{n} of {of} groups judged: {few}"
    return (
        f"{n} of {of} groups judged by themselves: {few}; no gap is wider in "
        f"{counted(len(pools), 'pool')} of smaller groups"
    )
