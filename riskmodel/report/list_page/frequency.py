"""Risks in words: natural frequencies, and their intervals.

In:  risks, 0 to 1.
Out: "8 in 100", "3 in 1,000"; "5 to 12 in 100". Never certain, never impossible.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["frequencies", "ranges"]

WORDS = (
    "under 1 in 1,000",
    *(f"{number} in 1,000" for number in range(1, 10)),
    *(f"{number} in 100" for number in range(1, 100)),
    "over 99 in 100",
)
"""Every frequency that a page may show, rising."""

PER_HUNDRED, HIGHEST = 10, len(WORDS) - 1
"""Place of "1 in 100", and of the last."""


def frequencies(risks: ArrayLike) -> NDArray[np.object_]:
    """Write risks as natural frequencies.

    Parameters
    ----------
    risks : array-like of shape (n,)
        0 to 1.

    Returns
    -------
    array of str, shape (n,)
        Out of 100; out of 1,000 where that would be none.

    Examples
    --------
    >>> frequencies([0.0004, 0.004, 0.12, 0.999]).tolist()
    ['under 1 in 1,000', '4 in 1,000', '12 in 100', 'over 99 in 100']
    """
    return np.array(WORDS, dtype=object)[_places(risks)]


def ranges(low: ArrayLike, high: ArrayLike) -> NDArray[np.object_]:
    """Write intervals of risks; a unit that both ends share is written once.

    Parameters
    ----------
    low, high : array-like of shape (n,)
        0 to 1.

    Returns
    -------
    array of str, shape (n,)
        One frequency where both ends are the same in words.

    Examples
    --------
    >>> ranges([0.05, 0.004, 0.0001, 0.0001], [0.2, 0.04, 0.0002, 0.002]).tolist()
    ['5 to 20 in 100', '4 in 1,000 to 4 in 100', 'under 1 in 1,000', 'up to 2 in 1,000']
    """
    ends = np.stack([_places(low), _places(high)])
    pairs, which = np.unique(ends, axis=1, return_inverse=True)
    words = [_join(int(first), int(last)) for first, last in pairs.T]
    return np.array(words, dtype=object)[which.ravel()]


def _places(risks: ArrayLike) -> NDArray[np.int64]:
    """Return the place of each risk's words."""
    risk = np.asarray(risks, dtype=float)
    thousandths = np.rint(1000 * risk)
    hundredths = PER_HUNDRED - 1 + np.clip(np.rint(100 * risk), 1, 99)
    place = np.where(thousandths < PER_HUNDRED, thousandths, hundredths)
    return np.where(risk > 0.99, HIGHEST, np.where(risk < 0.001, 0, place)).astype(np.int64)


def _join(low: int, high: int) -> str:
    if low == high:
        return WORDS[low]
    for first, last, unit in (
        (1, PER_HUNDRED - 1, " in 1,000"),
        (PER_HUNDRED, HIGHEST - 1, " in 100"),
    ):
        if first <= low and high <= last:
            return f"{WORDS[low].removesuffix(unit)} to {WORDS[high]}"
    if low == 0 and high < HIGHEST:
        return f"up to {WORDS[high]}"
    return f"{WORDS[low]} to {WORDS[high]}"
