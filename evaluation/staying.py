"""How likely a pupil was to stay until the outcome: the weights of a count of outcomes.

In:  who left before the outcome was known, by group, on lists before the one that is tested.
Out: the probability of staying, by which an outcome that was seen stands for those that could not be.

A pupil who leaves the rolls may have had the outcome elsewhere. Such outcomes are never seen, so those
that are seen count ``1 / G`` each (inverse probability of censoring weighting [1]_ [2]_):

    recall = Σ y · listed / G  ÷  Σ y / G            precision = Σ y · listed / G  ÷  places

``G`` is the probability that a pupil of the group is still followed when the outcome comes. Pupils of a
group leave at an even rate, and the share ``p`` of them has left when the horizon ends:

    G(t) = (1 - p) ^ t          p = (left + 100 · p_all) ÷ (rows + 100)

with ``t`` the part of the horizon that has passed. This is right where, within a group, those who leave
are as much at risk as those who stay. Nothing recorded can test that.

References
----------
.. [1] Robins and Rotnitzky, "Recovery of information and adjustment for dependent censoring using
   surrogate markers", in AIDS Epidemiology: Methodological Issues, 1992.
.. [2] Uno, Cai, Tian and Wei, "Evaluating prediction rules for t-year survivors with censored regression
   models", Journal of the American Statistical Association 102, 2007.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.ratio import ratio
from riskmodel.evaluation.resampling import widen_degenerate, with_bounds

__all__ = ["LEAST_CHANCE", "count_lost", "probability_of_staying", "weighted_figures"]

LEAST_CHANCE = 0.2
"""Smallest probability that is divided by, so that no outcome counts for more than five; chosen."""

PRIOR_ROWS = 100
"""Rows of all groups together that each group's share is pulled by; chosen."""

Floats = NDArray[np.float64]


def probability_of_staying(
    past_group: ArrayLike, has_left: ArrayLike, group: ArrayLike, time: ArrayLike
) -> Floats:
    """Return the probability that a pupil is still followed after a part of the horizon.

    Parameters
    ----------
    past_group : array-like of shape (n_past,)
        Group of each row of earlier lists whose horizon had ended.
    has_left : array-like of bool, shape (n_past,)
        Whether its outcome could not be known.
    group : array-like of shape (n_rows,)
        Group of each row that is tested; a group that no earlier list holds has the share of all.
    time : array-like of shape (n_rows,)
        Part of the horizon that has passed, 0 to 1.

    Returns
    -------
    float array of shape (n_rows,)
        From :data:`LEAST_CHANCE` to 1; 1 where there is no earlier list.

    Examples
    --------
    >>> past = ["Year 9"] * 100 + ["Year 10"] * 100
    >>> left = [True] * 20 + [False] * 180
    >>> probability_of_staying(past, left, ["Year 9", "Year 9", "Year 11"], [1, 0.5, 1]).round(3).tolist()
    [0.85, 0.922, 0.9]
    """
    left = pd.Series(np.asarray(has_left, dtype=float))
    overall = float(np.nan_to_num(ratio(left.sum(), len(left))))
    counts = left.groupby(np.asarray(past_group)).agg(["sum", "size"])
    share = (counts["sum"] + PRIOR_ROWS * overall) / (counts["size"] + PRIOR_ROWS)
    gone = share.reindex(np.asarray(group)).fillna(overall).to_numpy(dtype=float)
    return np.maximum((1 - gone) ** np.asarray(time, dtype=float), LEAST_CHANCE)


def count_lost(
    predictions: pd.DataFrame, listed: Mapping[str, NDArray[np.bool_]]
) -> pd.DataFrame | None:
    """Count the places of pupils whose outcome is not known, by where they went.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``label``, ``lost_to``.
    listed : mapping of str to bool array of shape (n_rows,)
        Ranker → rows that are on its lists (:func:`riskmodel.evaluation.capacity.listed_by`).

    Returns
    -------
    DataFrame or None
        ``ranker``, ``lost_to``, ``places`` (of its lists that such pupils hold) and ``of_places`` (all
        places of its lists); most places first. None where every outcome is known.

    Examples
    --------
    >>> rows = pd.DataFrame({"label": [1, np.nan, 0], "lost_to": [None, "another area", None]})
    >>> count_lost(rows, {"model": np.array([True, True, False])}).to_dict("records")
    [{'ranker': 'model', 'lost_to': 'another area', 'places': 1, 'of_places': 2}]
    """
    lost = predictions["label"].isna().to_numpy()
    if not lost.any():
        return None
    rows = [
        {"ranker": name, "lost_to": place, "places": int(count), "of_places": int(inside.sum())}
        for name, inside in listed.items()
        for place, count in predictions["lost_to"][inside & lost].value_counts().items()
    ]
    return pd.DataFrame(rows, columns=["ranker", "lost_to", "places", "of_places"])


def weighted_figures(
    overall: Mapping[str, Mapping[str, Floats]], *, pupils: int, places: int
) -> pd.DataFrame:
    """Return recall and precision at capacity, weighted by the probability of staying.

    Parameters
    ----------
    overall : mapping of str to mapping of str to array of shape (1 + n_resamples,)
        Ranker → its sums over all lists (:mod:`riskmodel.evaluation.list_sums`).
    pupils : int
        Pupils with the outcome.
    places : int
        Places on one list.

    Returns
    -------
    DataFrame
        ``ranker``, ``recall_weighted`` and ``precision_weighted``, each with ``_low`` and ``_high``. The
        intervals resample pupils and take the probabilities as they are; a share of 0 or 1 has Wilson's.

    Examples
    --------
    >>> one = {"weighted_found": np.ones(401), "weighted_positives": np.full(401, 4.0)}
    >>> overall = {"model": one | {"all_places": np.full(401, 2.0)}}
    >>> weighted_figures(overall, pupils=4, places=2)["recall_weighted"].tolist()
    [0.25]
    """
    rows = []
    for name, total in overall.items():
        found = total["weighted_found"]
        figures = {
            "recall_weighted": ratio(found, total["weighted_positives"]),
            "precision_weighted": ratio(found, total["all_places"]),
        }
        row = widen_degenerate(
            with_bounds(figures), {"recall_weighted": pupils, "precision_weighted": places}
        )
        rows.append({"ranker": name} | row)
    return pd.DataFrame(rows)
