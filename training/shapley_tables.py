"""Exact Shapley values of shallow trees from small tables: one per feature, one per pair.

In:  trees of at most three splits; rows of features.
Out: per row each feature's Shapley value, each bag's sum, and on request the interactions.

A tree of two levels is the sum of its two halves, and a half is a game of two players: the root's
feature, which decides whether the half counts, and the feature of the inner split, which says what it
counts for. With ``S`` whether a row comes into the half and ``A`` whether it goes right there, the
half answers ``S (l + d A)``; over the training rows ``S`` has the mean ``m`` and, within the half,
``A`` the mean ``q``. Shapley's formula for two players then gives [1]_

- to the root's feature ``(S - m)(l + d q) + d (S - m)(A - q) / 2``,
- to the inner feature ``m d (A - q) + d (S - m)(A - q) / 2``,

a main effect of each and half of what they do together. Shapley values of games add up, so the
halves of all trees that share a pair of features make one table over their bins, and a row needs
one look per pair instead of a walk through every tree.

References
----------
.. [1] Lundberg et al., "From local explanations to global understanding with explainable AI for
   trees", Nature Machine Intelligence 2, 2020: path-dependent expectations, interaction values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cuts", "Effects", "Half", "make_cuts", "make_effects"]

Floats = NDArray[np.float64]
Bins = Mapping[int, NDArray[np.int64]]
"""Feature → bin of each row."""


@dataclass(frozen=True, slots=True)
class Half:
    """One side of a root.

    Attributes
    ----------
    outer, inner : tuple of (int, float, bool)
        Feature, threshold and whether a missing value goes left, of the root and of the split in
        this half; a feature of -1 where there is none.
    right : bool
        Whether it is the right side of the root.
    level, step : float
        What a row gets that goes left in this half, and how much more one that goes right.
    share, share_right : float
        Share of training rows that come into the half, and of these that go right in it.
    """

    outer: tuple[int, float, bool]
    inner: tuple[int, float, bool]
    right: bool
    level: float
    step: float
    share: float
    share_right: float


@dataclass(frozen=True, slots=True)
class Cuts:
    """The thresholds of every feature that a tree uses, ascending, each once.

    Attributes
    ----------
    of : mapping of int to float array of shape (n_thresholds,)
        Column → thresholds. A value's bin is the number of thresholds below it; a missing value
        has the bin after the last.
    """

    of: Mapping[int, Floats]

    def bins(self, X: NDArray[np.float32]) -> Bins:
        """Return the bin of every value that a tree looks at.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features; missing values are nan.

        Returns
        -------
        mapping of int to int array of shape (n_pupils,)
            Column → bins.
        """
        made = {}
        for column, thresholds in self.of.items():
            values = np.ascontiguousarray(X[:, column])
            made[column] = np.searchsorted(thresholds, values).astype(np.int64)
            made[column][np.isnan(values)] = len(thresholds) + 1
        return made

    def goes_right(self, split: tuple[int, float, bool]) -> Floats:
        """Return 1 for each bin that goes right at a split, else 0.

        Parameters
        ----------
        split : tuple of (int, float, bool)
            Feature, threshold, whether missing goes left.

        Returns
        -------
        float array of shape (n_bins,)
            One value where the feature is -1: everything goes left.
        """
        column, threshold, missing_left = split
        if column < 0:
            return np.zeros(1)
        thresholds = self.of[column]
        right = np.arange(len(thresholds) + 2) > np.searchsorted(thresholds, threshold)
        right[-1] = not missing_left
        return right.astype(np.float64)


def make_cuts(feature: NDArray[np.int64], threshold: Floats) -> Cuts:
    """Collect the thresholds of all trees.

    Parameters
    ----------
    feature : int array of shape (n_trees, 3)
        Column of each node; -1 where there is none.
    threshold : float array of shape (n_trees, 3)
        Threshold of each node.

    Returns
    -------
    Cuts
        Of every column that is used.
    """
    return Cuts(
        {
            int(column): np.unique(threshold[feature == column])
            for column in np.unique(feature[feature >= 0])
        }
    )


@dataclass(frozen=True, slots=True)
class Effects:
    """The Shapley values of a bag's trees as tables.

    Attributes
    ----------
    base : float
        Expected sum of the trees over their training rows.
    main : mapping of int to float array of shape (n_bins,)
        Column → main effect by bin.
    pairs : mapping of (int, int) to float array of shape (n_bins, n_bins)
        Two columns → what each of the two gets of their interaction, by bins.
    """

    base: float
    main: Mapping[int, Floats]
    pairs: Mapping[tuple[int, int], Floats]

    def add_to(self, bins: Bins, contributions: Floats, member: Floats) -> None:
        """Add the trees of this bag to the contributions of some rows, and to the bag's sum.

        Parameters
        ----------
        bins : mapping of int to int array of shape (n_pupils,)
            Bins of the rows.
        contributions : array of shape (n_features, n_pupils)
            Changed in place; rows of it lie next to each other in memory.
        member : array of shape (n_pupils,)
            Changed in place.
        """
        member += self.base
        part, place = np.empty_like(member), np.empty(member.shape, dtype=np.int64)
        for column, table in self.main.items():
            np.take(table, bins[column], out=part, mode="clip")
            contributions[column] += part
            member += part
        for (first, second), table in self.pairs.items():
            np.multiply(bins[first], table.shape[1], out=place)
            np.add(place, bins[second], out=place)
            np.take(table.ravel(), place, out=part, mode="clip")
            contributions[first] += part
            contributions[second] += part
            part *= 2
            member += part

    def interactions(self, bins: Bins, out: Floats) -> None:
        """Add the interaction values of some rows.

        Parameters
        ----------
        bins : mapping of int to int array of shape (n_pupils,)
            Bins of the rows.
        out : array of shape (n_pupils, n_features, n_features)
            Changed in place: main effects on the diagonal, halves of interactions beside it.
        """
        for column, table in self.main.items():
            out[:, column, column] += table[bins[column]]
        for (first, second), table in self.pairs.items():
            part = table[bins[first], bins[second]]
            out[:, first, second] += part
            out[:, second, first] += part


def make_effects(halves: Iterator[Half], cuts: Cuts) -> Effects:
    """Add up the games of all halves of a bag.

    Parameters
    ----------
    halves : iterator of Half
        Two of each tree.
    cuts : Cuts
        The bins.

    Returns
    -------
    Effects
        Their tables.
    """
    base = 0.0
    main = {column: np.zeros(len(thresholds) + 2) for column, thresholds in cuts.of.items()}
    pairs: dict[tuple[int, int], Floats] = {}
    for half in halves:
        outer, inner = half.outer[0], half.inner[0]
        right = cuts.goes_right(half.outer)
        comes = (right if half.right else 1 - right) - half.share
        goes = cuts.goes_right(half.inner) - half.share_right
        mean = half.level + half.step * half.share_right
        base += half.share * mean
        if outer >= 0:
            main[outer] += mean * comes
        if inner < 0:
            continue
        main[inner] += half.share * half.step * goes
        if outer == inner:
            main[outer] += half.step * comes * goes
        else:
            _add_pair(pairs, outer, inner, half.step / 2 * np.outer(comes, goes))
    return Effects(base, {c: t for c, t in main.items() if t.any()}, pairs)


def _add_pair(pairs: dict[tuple[int, int], Floats], first: int, second: int, table: Floats) -> None:
    """Add a table to that of its pair, the smaller column first."""
    key, oriented = ((first, second), table) if first < second else ((second, first), table.T)
    if key in pairs:
        pairs[key] += oriented
    else:
        pairs[key] = np.ascontiguousarray(oriented)
