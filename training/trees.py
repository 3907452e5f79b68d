"""Trees of at most three splits as plain arrays: margins and exact contributions in one pass.

In:  trees of depth two or less; rows of features.
Out: per row the sum of the trees, and each feature's Shapley value in that sum.

The values equal ``shap.TreeExplainer`` with path-dependent expectations; :mod:`.shapley_tables` shows how
they come from tables instead of a walk through every tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from riskmodel.training.shapley_tables import Cuts, Effects, Half, make_cuts, make_effects

__all__ = ["ShallowTrees"]

BLOCK = 16_384
"""Rows at a time, so that a column of them stays in the cache."""

THREADS = 2
"""Blocks at a time; measured, more do not help where memory is the limit."""


@dataclass(frozen=True, kw_only=True)
class ShallowTrees:
    """Trees with a root, two inner nodes and four leaves; absent nodes always go left.

    Attributes
    ----------
    feature : int array of shape (n_trees, 3)
        Column of the root, the left node and the right node; -1 where a node is absent.
    threshold : float array of shape (n_trees, 3)
        A value goes left if it is at most the threshold.
    missing_left : bool array of shape (n_trees, 3)
        Whether a missing value goes left.
    value : float array of shape (n_trees, 4)
        Log-odds of the leaves, left to right.
    cover : float array of shape (n_trees, 4)
        Training rows of the leaves.
    member : int array of shape (n_trees,)
        Number of the bag that a tree belongs to.

    Examples
    --------
    >>> stump = ShallowTrees(
    ...     feature=np.array([[0, -1, -1]]),
    ...     threshold=np.array([[2.5, np.inf, np.inf]]),
    ...     missing_left=np.array([[True, True, True]]),
    ...     value=np.array([[-1.0, 0.0, 1.0, 0.0]]),
    ...     cover=np.array([[50.0, 0.0, 50.0, 0.0]]),
    ...     member=np.array([0]),
    ... )
    >>> base, contributions, members = stump.explain(np.array([[1.0], [9.0]], np.float32), 1)
    >>> base, contributions.ravel().tolist(), members.ravel().tolist()
    (0.0, [-1.0, 1.0], [-1.0, 1.0])
    >>> stump.scaled(0.5).value.tolist()
    [[-0.5, 0.0, 0.5, 0.0]]
    """

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    cover: NDArray[np.float64]
    member: NDArray[np.int64]

    def scaled(self, weight: float) -> ShallowTrees:
        """Return the trees with answers, and so contributions, times a weight.

        Parameters
        ----------
        weight : float
            Weight.

        Returns
        -------
        ShallowTrees
            The same splits.
        """
        return replace(self, value=weight * self.value)

    def of_member(self, number: int) -> ShallowTrees:
        """Return the trees as those of a bag.

        Parameters
        ----------
        number : int
            The bag.

        Returns
        -------
        ShallowTrees
            The same trees.
        """
        return replace(self, member=np.full(len(self.member), number))

    def take(self, trees: NDArray[np.int64]) -> ShallowTrees:
        """Return some of the trees.

        Parameters
        ----------
        trees : int array of shape (n_chosen,)
            Their numbers.

        Returns
        -------
        ShallowTrees
            Fewer trees.
        """
        return ShallowTrees(**{one.name: getattr(self, one.name)[trees] for one in fields(self)})

    @cached_property
    def _cuts(self) -> Cuts:
        return make_cuts(self.feature, self.threshold)

    @cached_property
    def _effects(self) -> dict[int, Effects]:
        """The tables of every bag; made once, whatever is explained."""
        return {
            int(number): make_effects(
                self._halves(np.flatnonzero(self.member == number)), self._cuts
            )
            for number in np.unique(self.member)
        }

    def _halves(self, trees: NDArray[np.int64]) -> Iterator[Half]:
        """Return the two halves of each of some trees."""
        for tree in trees:
            splits = list(
                zip(
                    self.feature[tree].tolist(),
                    self.threshold[tree].tolist(),
                    self.missing_left[tree].tolist(),
                    strict=True,
                )
            )
            rows = self.cover[tree].reshape(2, 2)
            inside = rows.sum(axis=1)
            for side in (0, 1):
                if inside[side] == 0:  # an absent root has nothing on its right
                    continue
                level, other = self.value[tree, 2 * side : 2 * side + 2].tolist()
                yield Half(
                    outer=splits[0],
                    inner=splits[1 + side],
                    right=bool(side),
                    level=level,
                    step=other - level,
                    share=float(inside[side] / inside.sum()),
                    share_right=float(rows[side, 1] / inside[side]),
                )

    def explain(
        self, X: NDArray[np.float32], n_members: int
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """Return the expected sum, each feature's part, and each bag's sum.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features; missing values are nan.
        n_members : int
            Number of bags; sums are averaged over bags.

        Returns
        -------
        base : float
            Expected value, averaged over bags.
        contributions : array of shape (n_pupils, n_features)
            Shapley values, averaged over bags, log-odds.
        members : array of shape (n_pupils, n_members)
            Sum of each bag's trees, log-odds.

        Notes
        -----
        Rows are taken in blocks, and blocks by two threads; a row's numbers depend on neither.
        """
        n_pupils, n_features = X.shape
        contributions = np.zeros((n_features, n_pupils))
        members = np.zeros((n_members, n_pupils))
        effects, cuts = self._effects, self._cuts

        def explain_block(start: int) -> None:
            rows = slice(start, start + BLOCK)
            bins, parts = cuts.bins(X[rows]), contributions[:, rows]
            for number, tables in effects.items():
                tables.add_to(bins, parts, members[number, rows])
            parts /= n_members

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(explain_block, range(0, n_pupils, BLOCK)))
        base = sum(tables.base for tables in effects.values()) / n_members
        return base, contributions.T, members.T

    def interactions(self, X: NDArray[np.float32], n_members: int) -> NDArray[np.float64]:
        """Return Shapley interaction values.

        Parameters
        ----------
        X : float array of shape (n_pupils, n_features)
            Features of a few pupils.
        n_members : int
            Number of bags.

        Returns
        -------
        array of shape (n_pupils, n_features, n_features)
            Symmetric; a row of it adds up to the feature's contribution. Averaged over bags.
        """
        out = np.zeros((len(X), X.shape[1], X.shape[1]))
        bins = self._cuts.bins(X)
        for tables in self._effects.values():
            tables.interactions(bins, out)
        return out / n_members
