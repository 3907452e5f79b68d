"""What a list does over time and across schools: lead time, stability, within and between schools.

In:  the tested lists, a score per ranker, the capacity.
Out: a table per question, one row per ranker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.evaluation.resampling import Resamples, unsure, with_bounds

__all__ = ["EARLY_DAYS", "is_listed", "lead_time", "places_on_lists", "stability", "within_schools"]

EARLY_DAYS = 90
"""Days of lead from which help had about a term; chosen."""

Floats = NDArray[np.float64]


def is_listed(
    score: Floats, as_of: pd.Series, places: int | NDArray[np.int64], random_state: int = 0
) -> NDArray[np.bool_]:
    """Say who is among the highest of each list.

    Parameters
    ----------
    score : float array of shape (n_rows,)
        Higher is more at risk; missing ranks last.
    as_of : Series of shape (n_rows,)
        The list of each row.
    places : int, or int array of shape (n_rows,)
        Places on each list; per row, where lists differ.
    random_state : int
        Seed of the lots that are drawn among equal scores.

    Returns
    -------
    bool array of shape (n_rows,)
        Whether the row is listed.
    """
    lot = np.random.default_rng(random_state).random(len(score))
    frame = pd.DataFrame({"as_of": as_of.to_numpy(), "score": -np.nan_to_num(score, nan=-np.inf)})
    order = np.lexsort((lot, frame["score"].to_numpy()))
    place = frame["as_of"].iloc[order].groupby(frame["as_of"].iloc[order]).cumcount()
    listed = np.zeros(len(score), dtype=bool)
    listed[order] = place.to_numpy() < np.broadcast_to(places, len(score))[order]
    return listed


def places_on_lists(predictions: pd.DataFrame, capacity: int) -> NDArray[np.int64]:
    """Return the places on the list of each row.

    Parameters
    ----------
    predictions : DataFrame
        ``as_of``, and ``share_of_list`` where only a part of a list could be tested.
    capacity : int
        Places on a whole list.

    Returns
    -------
    int array of shape (n_rows,)
        The capacity's part for the part of the list that is tested, at least 1 and at most its
        pupils.
    """
    pupils = predictions.groupby("as_of", observed=True)["as_of"].transform("size").to_numpy()
    share = predictions.get("share_of_list", pd.Series(1.0, index=predictions.index)).to_numpy()
    places = np.maximum(1, np.round(capacity * share).astype(np.int64))
    return np.minimum(places, pupils)


def lead_time(
    predictions: pd.DataFrame,
    rankers: Sequence[str],
    places: NDArray[np.int64],
    resamples: Resamples,
) -> pd.DataFrame:
    """Return how long before the event a pupil first stood on a list.

    Parameters
    ----------
    predictions : DataFrame
        ``pupil_id``, ``as_of``, ``event_on`` (missing where there was none) and a score per ranker.
    rankers : sequence of str
        Score columns.
    places : int array of shape (n_rows,)
        Places on the list of each row.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        ``ranker``; ``events``; ``ever_listed`` (share of pupils with the event who stood on a tested
        list before it), ``listed_early`` (at least :data:`EARLY_DAYS` days before) and
        ``median_days`` of those listed, each with ``_low`` and ``_high``.
    """
    before = (predictions["as_of"] <= predictions["event_on"]).to_numpy()
    days = (predictions["event_on"] - predictions["as_of"]).dt.days.to_numpy(dtype=float)
    n = len(resamples.counts)
    has_event = np.zeros(n, dtype=bool)
    has_event[resamples.pupil[before]] = True
    events = resamples.counts[has_event].T.astype(float)
    rows = []
    for name in rankers:
        hit = before & is_listed(predictions[name].to_numpy(float), predictions["as_of"], places)
        lead = np.full(n, -1.0)
        np.maximum.at(lead, resamples.pupil[hit], days[hit])
        lead = lead[has_event]
        total = events.sum(axis=1)
        with np.errstate(invalid="ignore"):
            figures = {
                "ever_listed": events[:, lead >= 0].sum(axis=1) / total,
                "listed_early": events[:, lead >= EARLY_DAYS].sum(axis=1) / total,
                "median_days": _weighted_median(lead[lead >= 0], events[:, lead >= 0]),
            }
        n_events = int(has_event.sum())
        shares = {"ever_listed": n_events, "listed_early": n_events}
        rows.append({"ranker": name, "events": n_events} | unsure(with_bounds(figures), shares))
    return pd.DataFrame(rows)


def _weighted_median(values: Floats, weights: Floats) -> Floats:
    """Return the median of values repeated as often as each draw says."""
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
    predictions: pd.DataFrame,
    rankers: Sequence[str],
    places: NDArray[np.int64],
    resamples: Resamples,
) -> pd.DataFrame:
    """Return how much of a list is still there on the next.

    Parameters
    ----------
    predictions : DataFrame
        ``pupil_id``, ``as_of`` and a score per ranker.
    rankers : sequence of str
        Score columns.
    places : int array of shape (n_rows,)
        Places on the list of each row.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        ``ranker``; ``kept``: of the listed pupils who are still in the cohort, the share listed
        again, with ``_low`` and ``_high``; ``days_apart`` on average. Empty for a single list.
    """
    days = np.sort(predictions["as_of"].unique())
    rows: list[dict[str, Any]] = []
    if len(days) < 2:
        return pd.DataFrame(rows)
    apart = float(np.diff(days).astype("timedelta64[D]").astype(float).mean())
    later = pd.Series(days[1:], index=days[:-1])
    keys = pd.MultiIndex.from_arrays([resamples.pupil, predictions["as_of"]])
    following = predictions["as_of"].map(later)
    place = keys.get_indexer(pd.MultiIndex.from_arrays([resamples.pupil, following]))
    for name in rankers:
        listed = is_listed(predictions[name].to_numpy(float), predictions["as_of"], places)
        stays = listed & (place >= 0)
        again = stays & listed[place]
        counted = resamples.sums(np.where(stays, again, -1), 2)
        with np.errstate(invalid="ignore"):
            kept = counted[:, 1] / counted.sum(axis=1)
        n_stay = len(np.unique(resamples.pupil[stays]))
        row = unsure(with_bounds({"kept": kept}), {"kept": n_stay})
        rows.append({"ranker": name, "days_apart": apart} | row)
    return pd.DataFrame(rows)


def within_schools(predictions: pd.DataFrame, rankers: Sequence[str]) -> pd.DataFrame:
    """Say how much of a ranking is between schools and how much within.

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
        rank of the school. 0.5 says nothing.

    Notes
    -----
    A statewide model of dropout was matched by knowing a pupil's school alone (Perdomo et al.,
    "Difficult lessons on social prediction from Wisconsin public schools", 2023).
    """
    days, school = predictions["as_of"], predictions["school_id"].astype("str")
    y = predictions["label"].to_numpy(float)
    rows = []
    for name in rankers:
        filled = predictions[name].fillna(predictions[name].min() - 1)
        rank = filled.groupby(days).rank(pct=True)
        mean = rank.groupby([days, school], observed=True).transform("mean")
        won, pairs = _pairs_won(filled, [days, school], y)
        won_of_school, pairs_of_school = _pairs_won(mean, [days], y)
        rows.append(
            {"ranker": name, "share_between": float(mean.var() / rank.var()) if rank.var() else np.nan,
             "auc_within": won / pairs if pairs else np.nan,
             "auc_of_school": won_of_school / pairs_of_school if pairs_of_school else np.nan}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _pairs_won(score: pd.Series, by: list[pd.Series], outcome: Floats) -> tuple[float, float]:
    """Count the pairs of one with and one without the outcome in a group, and those ordered right."""
    rank = score.groupby(by, observed=True).rank().to_numpy()
    frame = pd.DataFrame({"n": 1.0, "positive": outcome, "ranks": rank * outcome})
    total = frame.groupby(by, observed=True).sum()
    won = total["ranks"] - total["positive"] * (total["positive"] + 1) / 2
    pairs = total["positive"] * (total["n"] - total["positive"])
    return float(won[pairs > 0].sum()), float(pairs.sum())
