"""A list with places for each school, for comparison with one list for all.

In:  risks, schools, a capacity.
Out: who would be listed if every school had places in proportion to its pupils.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["list_within", "share_places"]


def share_places(size: ArrayLike, capacity: int) -> NDArray[np.int64]:
    """Share places in proportion to sizes by largest remainders.

    Parameters
    ----------
    size : array-like of shape (n_parts,)
        Pupils, or expected events; not all 0.
    capacity : int
        Places.

    Returns
    -------
    int array of shape (n_parts,)
        Adds up to the capacity; equal remainders go to the earlier part.

    Examples
    --------
    >>> share_places([50, 30, 20], 7).tolist()
    [4, 2, 1]
    """
    share = capacity * np.asarray(size, dtype=float) / np.sum(size)
    # a remainder that is one only by rounding is none
    places = np.floor(share + 1e-9).astype(np.int64)
    order = np.argsort(-(share - places).round(9), kind="stable")
    places[order[: capacity - int(places.sum())]] += 1
    return places


def list_within(score: ArrayLike, part: ArrayLike, places: ArrayLike) -> NDArray[np.bool_]:
    """List the highest scores of each part.

    Parameters
    ----------
    score : array-like of shape (n_pupils,)
        Higher first; of equal scores the earlier row.
    part : array-like of int, shape (n_pupils,)
        School or group of each pupil, 0 to ``n_parts - 1``.
    places : array-like of int, shape (n_parts,)
        Places of each part.

    Returns
    -------
    bool array of shape (n_pupils,)
        Who is listed; a part with fewer pupils than places lists all of them.
    """
    number, limit = np.asarray(part, dtype=np.int64), np.asarray(places)
    order = np.argsort(-np.asarray(score, dtype=float), kind="stable")
    rank = pd.Series(number[order]).groupby(number[order]).cumcount().to_numpy()
    listed = np.zeros(len(number), dtype=bool)
    listed[order] = rank < limit[number[order]]
    return listed
