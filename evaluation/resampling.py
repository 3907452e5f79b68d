"""Resampling pupils: the one source of intervals in this package.

In:  the pupil of each row.
Out: :class:`Resamples`: how often each pupil was drawn, and sums over rows for every draw.

A pupil is on several lists. So pupils are drawn, with all their rows, and not rows [1]_. A draw is a
vector of whole weights, so all draws of a sum are one matrix product.

References
----------
.. [1] Field and Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69,
   2007.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from riskmodel.evaluation.metrics import wilson_interval

__all__ = ["Resamples", "bounds", "widen_degenerate", "widen_differences", "with_bounds"]

N_RESAMPLES = 400
"""Resamples of pupils for the intervals."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resamples:
    """Draws of pupils with replacement; the first "draw" is the data themselves.

    Attributes
    ----------
    counts : uint8 array of shape (n_pupils, 1 + n_resamples)
        How often each pupil was drawn; ones in the first column.
    pupil : int array of shape (n_rows,)
        Each row's pupil, a row of ``counts``.
    """

    counts: NDArray[np.uint8] = field(repr=False)
    pupil: NDArray[np.int64] = field(repr=False)

    @classmethod
    def draw(cls, pupils: pd.Series, random_state: int) -> Self:
        """Draw pupils.

        Parameters
        ----------
        pupils : Series of shape (n_rows,)
            Pupil of each row.
        random_state : int
            Seed.

        Returns
        -------
        Resamples
            The data and :data:`N_RESAMPLES` resamples.

        Examples
        --------
        >>> resamples = Resamples.draw(pd.Series(["a", "b", "a"]), 0)
        >>> resamples.counts.shape, resamples.pupil.tolist()
        ((2, 401), [0, 1, 0])
        """
        number, names = pd.factorize(pupils)
        rng, n = np.random.default_rng(random_state), len(names)
        draws = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(N_RESAMPLES)]
        counts = np.array([np.ones(n), *draws], dtype=np.uint8)
        return cls(np.ascontiguousarray(counts.T), number.astype(np.int64))

    def of(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Weight of some rows in every draw.

        Parameters
        ----------
        rows : int array of shape (n,)
            Rows.

        Returns
        -------
        uint8 array of shape (n, 1 + n_resamples)
            Weights.

        Examples
        --------
        >>> Resamples.draw(pd.Series(["a", "b"]), 0).of(np.array([1, 1]))[:, 0].tolist()
        [1, 1]
        """
        return self.counts[self.pupil[rows]]

    def part(self, rows: NDArray[np.bool_]) -> Self:
        """Return the same draws for a part of the rows.

        Parameters
        ----------
        rows : bool array of shape (n_rows,)
            Rows that are kept.

        Returns
        -------
        Resamples
            Of those rows.

        Examples
        --------
        >>> Resamples.draw(pd.Series(["a", "b"]), 0).part(np.array([False, True])).pupil.tolist()
        [1]
        """
        return type(self)(self.counts, self.pupil[rows])

    def sums(self, group: ArrayLike, n_groups: int, values: ArrayLike | None = None) -> Floats:
        """Return sums of values over the rows of each group, in every draw.

        Parameters
        ----------
        group : array-like of int, shape (n_rows,)
            Group of each row, 0 to ``n_groups - 1``; rows with -1 are left out.
        n_groups : int
            Number of groups.
        values : array-like of shape (n_rows,), optional
            Values to add up; 1 for each row where left out.

        Returns
        -------
        array of shape (1 + n_resamples, n_groups)
            Sums; the first row is that of the data.

        Examples
        --------
        >>> resamples = Resamples.draw(pd.Series(["a", "b", "a"]), 0)
        >>> resamples.sums([0, 1, 1], 2, [1.0, 2.0, 4.0])[0].tolist()
        [1.0, 6.0]
        """
        codes = np.asarray(group, dtype=np.int64)
        value = np.ones(len(codes)) if values is None else np.asarray(values, float)
        used = codes >= 0
        table: Any = csr_array(
            (value[used], (codes[used], self.pupil[used])), shape=(n_groups, len(self.counts))
        )
        return np.asarray((table @ self.counts.astype(np.float64)).T)


def bounds(draws: ArrayLike) -> tuple[Floats, Floats]:
    """95% intervals from the draws.

    Parameters
    ----------
    draws : array-like of shape (1 + n_resamples, ...)
        The figure for the data, then for every resample.

    Returns
    -------
    low, high : arrays of shape (...)
        Percentiles 2.5 and 97.5 of the resamples; nan where the data or more than one resample in
        forty give no figure: an interval from the other resamples alone would be too narrow.

    Examples
    --------
    >>> low, high = bounds([0.5, *np.linspace(0, 1, 401)])
    >>> round(float(low), 3), round(float(high), 3)
    (0.025, 0.975)
    """
    values = np.asarray(draws, float)
    lost = np.isnan(values[1:]).mean(axis=0) > 1 / 40
    lost |= np.isnan(values[0])
    filled = np.where(lost, 0.0, values[1:])
    low, high = np.nanquantile(filled, [0.025, 0.975], axis=0)
    return np.where(lost, np.nan, low), np.where(lost, np.nan, high)


def widen_degenerate(row: dict[str, float], pupils: Mapping[str, int]) -> dict[str, float]:
    """Row of a table in which a share of 0 or 1 has an interval of some width.

    Parameters
    ----------
    row : dict of str to float
        From :func:`with_bounds`.
    pupils : mapping of str to int
        Share → pupils that it is a share of.

    Returns
    -------
    dict of str to float
        A share of 0 or 1 is the same in every draw: its interval has no width, which is too narrow. Its
        ends become Wilson's for as many pupils.

    Examples
    --------
    >>> row = widen_degenerate({"recall": 0.0, "recall_low": 0.0, "recall_high": 0.0}, {"recall": 4})
    >>> round(row["recall_high"], 2)
    0.49
    """
    for name, n in pupils.items():
        if row[name] in (0.0, 1.0):
            low, high = wilson_interval(row[name] * n, n)
            row = row | {f"{name}_low": float(low), f"{name}_high": float(high)}
    return row


def widen_differences(
    row: dict[str, float], pupils: int, if_all_found: Mapping[str, float]
) -> dict[str, float]:
    """Row of differences, none of which is surer than a difference of two lists that find the same.

    Parameters
    ----------
    row : dict of str to float
        From :func:`with_bounds`: differences of two rankers.
    pupils : int
        Pupils with the outcome.
    if_all_found : mapping of str to float
        Figure → its value for a list that finds every outcome.

    Returns
    -------
    dict of str to float
        Resamples cannot draw a pupil whom one ranker alone would find if nobody tested is such a pupil.
        So each end lies at least as far from the difference as Wilson's end for 0 of ``pupils``. An end
        that is not defined stays so.

    Examples
    --------
    >>> row = {"recall": 0.0, "recall_low": 0.0, "recall_high": 0.0}
    >>> round(widen_differences(row, 4, {"recall": 1.0})["recall_high"], 2)
    0.49
    """
    unseen = float(wilson_interval(0, pupils)[1])
    for name, most in if_all_found.items():
        low = max(row[name] - unseen * most, -most)
        high = min(row[name] + unseen * most, most)
        row = row | {
            f"{name}_low": float(np.minimum(row[f"{name}_low"], low)),
            f"{name}_high": float(np.maximum(row[f"{name}_high"], high)),
        }
    return row


def with_bounds(figures: Mapping[str, Floats]) -> dict[str, float]:
    """Figures and the ends of their intervals, as a row of a table.

    Parameters
    ----------
    figures : mapping of str to array of shape (1 + n_resamples,)
        Name → draws.

    Returns
    -------
    dict of str to float
        ``name``, ``name_low`` and ``name_high`` of each.

    Examples
    --------
    >>> with_bounds({"recall": np.full(401, 0.25)})
    {'recall': 0.25, 'recall_low': 0.25, 'recall_high': 0.25}
    """
    row: dict[str, float] = {}
    for name, draws in figures.items():
        low, high = bounds(draws)
        row |= {name: float(draws[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return row
