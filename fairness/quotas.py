"""Places for each school or group, for comparison with one list for all.

In:  the size of each part, a capacity.
Out: the places of each part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["share_places"]


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
