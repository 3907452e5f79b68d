"""A ratio that may be undefined: nothing over nothing is missing, never 0.

In:  counts or sums above and below the line.
Out: their ratios.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ratio"]


def ratio(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    """Ratio of two counts or sums.

    Parameters
    ----------
    above, below : array-like of shape (n_ratios,), or of any shapes that fit each other
        Counts or sums above and below the line.

    Returns
    -------
    float array of their common shape
        nan where ``below`` is 0, negative or missing.

    Examples
    --------
    >>> ratio([1, 0, 3], [2, 0, 4]).tolist()
    [0.5, nan, 0.75]
    """
    top, bottom = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    undefined: NDArray[np.float64] = np.full(bottom.shape, np.nan)
    return np.divide(top, bottom, out=undefined, where=bottom > 0)
