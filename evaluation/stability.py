"""What a list does over time and across schools: lead time, stability, within and between schools.

In:  the tested lists, who was listed by each ranker, or a score per ranker.
Out: a table per question, one row per ranker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.metrics import pairs_in_order
from riskmodel.evaluation.resampling import Resamples, widen_degenerate, with_bounds

__all__ = ["EARLY_DAYS", "lead_time", "stability", "within_schools"]

EARLY_DAYS = 90
"""Days of lead from which help had about a term; chosen."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def lead_time(
    predictions: pd.DataFrame, listed: Mapping[str, Bools], resamples: Resamples
) -> pd.DataFrame:
    """How long before the event a pupil was first on a list.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of`` and ``event_on``, which is missing where there was no event.
    listed : mapping of str to bool array of shape (n_rows,)
        Ranker → rows that are on its lists (:func:`riskmodel.evaluation.capacity.listed_by`).
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        ``ranker``; ``events``; ``ever_listed`` (share of pupils with the event who were on a tested
        list before it), ``listed_early`` (at least :data:`EARLY_DAYS` days before) and
        ``median_days`` of those listed, each with ``_low`` and ``_high``.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": ["a", "b"], "as_of": pd.Timestamp("2024-02-10"),
    ...     "event_on": pd.to_datetime(["2024-06-09", None])})
    >>> resamples = Resamples.draw(rows["pupil_id"], 0)
    >>> lead_time(rows, {"model": np.array([True, False])}, resamples)["median_days"].tolist()
    [120.0]
    """
    before = (predictions["as_of"] <= predictions["event_on"]).to_numpy()
    days = (predictions["event_on"] - predictions["as_of"]).dt.days.to_numpy(dtype=float)
    has_event = np.zeros(len(resamples.counts), dtype=bool)
    has_event[resamples.pupil[before]] = True
    events = resamples.counts[has_event].T.astype(float)
    rows = []
    for name, inside in listed.items():
        hit = before & inside
        lead = np.full(len(has_event), -1.0)
        np.maximum.at(lead, resamples.pupil[hit], days[hit])
        row = _lead_row(lead[has_event], events)
        rows.append({"ranker": name, "events": events.shape[1]} | row)
    return pd.DataFrame(rows)


def _lead_row(lead: Floats, events: Floats) -> dict[str, float]:
    """Return the figures of one ranker from the longest lead of each pupil, -1 where never listed."""
    total, was_listed = events.sum(axis=1), lead >= 0
    figures = {
        "ever_listed": ratio(events[:, was_listed].sum(axis=1), total),
        "listed_early": ratio(events[:, lead >= EARLY_DAYS].sum(axis=1), total),
        "median_days": _weighted_median(lead[was_listed], events[:, was_listed]),
    }
    return widen_degenerate(
        with_bounds(figures), {"ever_listed": len(lead), "listed_early": len(lead)}
    )


def _weighted_median(values: Floats, weights: Floats) -> Floats:
    """Return the median of values, each repeated as often as it was drawn."""
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values)
    reached = weights[:, order].cumsum(axis=1)
    total = reached[:, -1:]
    low = (reached < total / 2).sum(axis=1)
    high = (reached <= total / 2).sum(axis=1)
    ordered = values[order]
    middle = (
        ordered[np.minimum(low, len(values) - 1)] + ordered[np.minimum(high, len(values) - 1)]
    ) / 2
    return np.where(total[:, 0] > 0, middle, np.nan)


def stability(
    predictions: pd.DataFrame, listed: Mapping[str, Bools], resamples: Resamples
) -> pd.DataFrame:
    """How much of a list is still there on the next.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    listed : mapping of str to bool array of shape (n_rows,)
        Ranker → rows that are on its lists (:func:`riskmodel.evaluation.capacity.listed_by`).
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        ``ranker``; ``kept``: of the listed pupils who are still in the cohort, the share listed
        again, with ``_low`` and ``_high``; ``days_apart`` on average. Empty for a single list.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": ["a", "b", "a", "b"],
    ...     "as_of": pd.to_datetime(["2024-02-10", "2024-02-10", "2024-06-01", "2024-06-01"])})
    >>> resamples = Resamples.draw(rows["pupil_id"], 0)
    >>> listed = {"model": np.array([True, True, True, False])}
    >>> stability(rows, listed, resamples)[["kept", "days_apart"]].to_dict("list")
    {'kept': [0.5], 'days_apart': [112.0]}
    """
    days = np.sort(predictions["as_of"].unique())
    if len(days) < 2:
        return pd.DataFrame()
    apart = float(np.diff(days).astype("timedelta64[D]").astype(float).mean())
    following = _next_row(predictions["as_of"], days, resamples.pupil)
    rows = []
    for name, inside in listed.items():
        stays = inside & (following >= 0)
        counted = resamples.sums(np.where(stays, inside[following], -1), 2)
        kept = ratio(counted[:, 1], counted.sum(axis=1))
        n_stay = len(np.unique(resamples.pupil[stays]))
        row = widen_degenerate(with_bounds({"kept": kept}), {"kept": n_stay})
        rows.append({"ranker": name, "days_apart": apart} | row)
    return pd.DataFrame(rows)


def _next_row(
    as_of: pd.Series, days: NDArray[np.datetime64], pupil: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the row of the same pupil on the next list, -1 where there is none."""
    following = as_of.map(pd.Series(days[1:], index=days[:-1]))
    keys = pd.MultiIndex.from_arrays([pupil, as_of])
    return keys.get_indexer(pd.MultiIndex.from_arrays([pupil, following]))


def within_schools(predictions: pd.DataFrame, rankers: Sequence[str]) -> pd.DataFrame:
    """How much of a ranking is between schools, and how much within.

    Parameters
    ----------
    predictions : DataFrame
        ``as_of``, ``school_id``, ``label`` and a score per ranker.
    rankers : sequence of str
        Score columns.

    Returns
    -------
    DataFrame
        ``ranker``; ``share_between``: share of the variance of the rank within a list that lies
        between schools; ``auc_within``: chance that a pupil with the outcome ranks above one
        without of the same school; ``auc_of_school``: ROC AUC left when each pupil gets the mean
        rank of the school. 0.5 is chance.

    Notes
    -----
    A statewide model of dropout was matched by knowing a pupil's school alone (Perdomo et al.,
    "Difficult lessons on social prediction from Wisconsin public schools", 2023).

    Examples
    --------
    >>> rows = pd.DataFrame({"as_of": pd.Timestamp("2024-02-10"), "school_id": list("ssttt"),
    ...     "label": [1, 0, 0, 1, 0], "model": [5, 4, 1, 3, 2]})
    >>> float(within_schools(rows, ["model"])["auc_within"].iloc[0])
    1.0
    """
    days, school = predictions["as_of"], predictions["school_id"].astype("str")
    known = predictions["label"].notna().to_numpy()
    y = predictions["label"].to_numpy(float)[known]
    day, of_school = (column[known].reset_index(drop=True) for column in (days, school))
    rows = []
    for name in rankers:
        filled = predictions[name].fillna(predictions[name].min() - 1)
        rank = filled.groupby(days).rank(pct=True)
        mean = rank.groupby([days, school], observed=True).transform("mean")
        own, level = (score[known].reset_index(drop=True) for score in (filled, mean))
        rows.append(
            {
                "ranker": name,
                "share_between": float(ratio(mean.var(), rank.var())),
                "auc_within": _auc_within(own, [day, of_school], y),
                "auc_of_school": _auc_within(level, [day], y),
            }
        )
    return pd.DataFrame(rows)


def _auc_within(score: pd.Series, by: list[pd.Series], outcome: Floats) -> float:
    """Return the share of the pairs within groups that are in order; nan where there is no pair."""
    rank = score.groupby(by, observed=True).rank().to_numpy()
    frame = pd.DataFrame({"n": 1.0, "positive": outcome, "ranks": rank * outcome})
    total = frame.groupby(by, observed=True).sum()
    won = pairs_in_order(total["ranks"], total["positive"])
    pairs = (total["positive"] * (total["n"] - total["positive"])).to_numpy()
    return float(ratio(won[pairs > 0].sum(), pairs.sum()))
