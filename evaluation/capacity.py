"""Who is on a list of k pupils: one rule, for the list that officers get and for all that is measured.

In:  scores, pupils and lists (arrays, one row per pupil and list), the capacity.
Out: the rank of each row on its list; whether it is listed.

The rule: the highest score comes first. Of equal scores the pupil comes first whose pseudonym is first
in alphabetical order. A missing score comes last, after minus infinity.

A list of which only a part could be tested has that part of the places, rounded to the nearest whole
number, a half up. It has at least one place, and at most as many as it has rows.

Why this rule:

* A list must hold exactly k pupils, and the same input must give the same list in any order of the rows.
* A pseudonym made with a key has nothing to do with risk. Alphabetical order is then a lot that is drawn
  once for each pupil. A lot drawn anew for every list would make a coarse ranker look unsteady.
* The backtest and the audit measure the very list that is handed out, and the list that the same rule
  would make from the points of a rival.

A ranker with few different values (points, flags) has many equal scores across the line. What its list
finds then depends on the pseudonyms. The intervals of the backtest hold this chance, because they draw
pupils with their pseudonyms. :func:`share_listed` gives the mean over all possible pseudonyms. Metrics of
a single list that know no pupils use it (:func:`riskmodel.evaluation.metrics.recall_at_k`). Where no equal
scores cross the line, both give the same. ``docs/evaluation.md`` holds what was measured.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.errors import RequestError

__all__ = [
    "is_listed",
    "listed_by",
    "part_of_places",
    "places_on_lists",
    "rank_on_list",
    "share_listed",
]


def rank_on_list(
    score: ArrayLike, pupil_id: ArrayLike, *, lists: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Rank of each row on its list, by the rule of this module.

    Parameters
    ----------
    score : array-like of shape (n_rows,)
        Higher is more at risk; missing comes last, after minus infinity.
    pupil_id : array-like of shape (n_rows,)
        Pseudonyms, compared as text; a pupil is on each list once.
    lists : array-like of shape (n_rows,), optional
        The list of each row: a day, a school, a group. One list where left out.

    Returns
    -------
    int array of shape (n_rows,)
        From 1, the highest score of the list.

    Examples
    --------
    >>> rank_on_list([0.2, 0.9, 0.2, 0.4], ["b", "d", "a", "c"]).tolist()
    [4, 1, 3, 2]
    """
    points = np.asarray(score, dtype=float)
    names = pd.Series(pupil_id).astype("str").to_numpy(dtype=object)
    pupil, _ = pd.factorize(names, sort=True)
    part = (
        np.zeros(len(points), dtype=np.int64)
        if lists is None
        else pd.factorize(np.asarray(lists))[0]
    )
    order = np.lexsort((pupil, -points, part))  # numpy puts nan last
    starts = np.flatnonzero(np.diff(part[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(1, len(order) + 1) - np.repeat(starts, sizes)
    return rank


def is_listed(
    score: ArrayLike, pupil_id: ArrayLike, places: ArrayLike, *, lists: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Whether each row is on its list, by the rule of this module.

    Parameters
    ----------
    score, pupil_id : array-like of shape (n_rows,)
        As for :func:`rank_on_list`.
    places : int, or array-like of int, shape (n_rows,)
        Places on the list; per row, where lists differ.
    lists : array-like of shape (n_rows,), optional
        As for :func:`rank_on_list`.

    Returns
    -------
    bool array of shape (n_rows,)
        True for as many rows as the list has places, or for all where it has fewer rows.

    Examples
    --------
    >>> is_listed([0.2, 0.9, 0.2, 0.4], ["b", "d", "a", "c"], 3).tolist()
    [False, True, True, True]
    """
    return rank_on_list(score, pupil_id, lists=lists) <= np.asarray(places)


def places_on_lists(predictions: pd.DataFrame, capacity: int) -> NDArray[np.int64]:
    """Places on the list of each row.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``as_of``, and ``share_of_list`` where only a part of a list could be tested.
    capacity : int
        Places on a whole list.

    Returns
    -------
    int array of shape (n_rows,)
        As large a part of the capacity as could be tested of the list, a half rounded up; at least 1
        and at most the rows of the list.

    Raises
    ------
    RequestError
        If the capacity is not a whole number of at least 1, or the rows of a list differ in
        ``share_of_list``.

    Examples
    --------
    >>> day = pd.to_datetime(["2024-02-10"] * 3)
    >>> half = pd.DataFrame({"as_of": day, "share_of_list": 0.5})
    >>> places_on_lists(half, 4).tolist()
    [2, 2, 2]
    """
    _check_places(capacity)
    rows = predictions.groupby("as_of", observed=True)["as_of"].transform("size").to_numpy()
    places = part_of_places(capacity, _share_tested(predictions))
    return np.minimum(np.maximum(1, places), rows)


def part_of_places(places: ArrayLike, share: ArrayLike) -> NDArray[np.int64]:
    """Return how many whole places a share of them is.

    Parameters
    ----------
    places : int, or array-like of int, shape (n,)
        Places on a list.
    share : float, or array-like of shape (n,)
        Share, 0 to 1.

    Returns
    -------
    int array of shape (n,)
        The nearest whole number, a half up.

    Examples
    --------
    >>> part_of_places([100, 25, 4], 0.1).tolist()
    [10, 3, 0]
    """
    exact = np.round(np.asarray(places) * np.asarray(share), 9)  # 0.1 × 25 is 2.5
    return np.floor(exact + 0.5).astype(np.int64)


def _check_places(capacity: int) -> None:
    is_whole = isinstance(capacity, int | np.integer) and not isinstance(capacity, bool)
    if not is_whole or capacity < 1:
        raise RequestError(
            f"Capacity must be a whole number, at least 1 pupil; got {capacity}. Choose the number of "
            "places."
        )


def _share_tested(predictions: pd.DataFrame) -> NDArray[np.float64]:
    """Return the part of each row's list that could be tested; 1 where nothing is given."""
    if "share_of_list" not in predictions:
        return np.ones(len(predictions))
    shares = predictions.groupby("as_of", observed=True)["share_of_list"].agg(["min", "max"])
    differ = shares[shares["min"] != shares["max"]]
    if len(differ):
        low, high = differ.iloc[0]
        raise RequestError(
            f"The rows of the list of {differ.index[0]:%Y-%m-%d} have different values of share_of_list, "
            f"from {low:g} to {high:g}. Give each row the part of its list that could be tested."
        )
    return predictions["share_of_list"].to_numpy(dtype=float)


def listed_by(
    predictions: pd.DataFrame, rankers: Iterable[str], capacity: int
) -> dict[str, NDArray[np.bool_]]:
    """Whether each row is listed, by every ranker.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of`` and a score per ranker; ``share_of_list`` as for :func:`places_on_lists`.
    rankers : iterable of str
        Score columns.
    capacity : int
        Places on a whole list.

    Returns
    -------
    dict of str to bool array of shape (n_rows,)
        Ranker → rows that are on its lists.

    Raises
    ------
    RequestError
        As for :func:`places_on_lists`.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": ["a", "b"], "as_of": pd.Timestamp("2024-02-10"),
    ...     "model": [0.1, 0.3], "points": [2, 2]})
    >>> {name: listed.tolist() for name, listed in listed_by(rows, ["model", "points"], 1).items()}
    {'model': [False, True], 'points': [True, False]}
    """
    places = places_on_lists(predictions, capacity)
    pupil, days = predictions["pupil_id"], predictions["as_of"]
    return {name: is_listed(predictions[name], pupil, places, lists=days) for name in rankers}


def share_listed(score: ArrayLike, k: int) -> NDArray[np.float64]:
    """Chance of each row to be on a list of k, over all possible pseudonyms.

    Parameters
    ----------
    score : array-like of shape (n_pupils,)
        Higher is more at risk; none missing.
    k : int
        Capacity in pupils, ``1 <= k <= n_pupils``.

    Returns
    -------
    float array of shape (n_pupils,)
        1 above the line, 0 below it. Rows that are equal across the line share the places left.
        Adds up to ``k``.

    Raises
    ------
    ValueError
        If ``k`` is out of range.

    References
    ----------
    .. [1] McSherry and Najork, "Computing information retrieval performance measures efficiently
       in the presence of tied scores", ECIR 2008.

    Examples
    --------
    >>> share_listed([3, 2, 2, 1], 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    points = np.asarray(score, dtype=float)
    if not 1 <= k <= points.size:
        raise ValueError(f"k must be between 1 and the number of pupils ({points.size}), got {k}.")
    line = np.partition(points, -k)[-k]
    above, tied = points > line, points == line
    return above + tied * (k - above.sum()) / tied.sum()
