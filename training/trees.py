"""Trees of at most three splits as plain arrays: margins and exact contributions in one pass.

In:  fitted histogram boosting of depth two or less; rows of features.
Out: per row the sum of the trees, and each feature's Shapley value in that sum.

A row meets a tree only through three yes/no decisions, so a tree has eight possible answers. Its
Shapley values are worked out once for the eight and then looked up, which is exact and needs no
recursion per row. The values equal ``shap.TreeExplainer`` with path-dependent expectations [1]_.

References
----------
.. [1] Lundberg et al., "From local explanations to global understanding with explainable AI for
   trees", Nature Machine Intelligence 2, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ShallowTrees", "from_boosting"]

_WEIGHT = {0: 1 / 3, 1: 1 / 6, 2: 1 / 3}  # |S|! (3 - |S| - 1)! / 3!, three players


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

    def _expectations(self, patterns: list[tuple[int, ...]]) -> NDArray[np.float64]:
        """Return v(S): shape (n_trees, 8 patterns, 8 coalitions)."""
        player = self._players()
        known = [
            ((np.arange(8)[None, :] >> player[:, [node]]) & 1).astype(bool) for node in range(3)
        ]
        cover, value = self.cover, self.value
        left, right = cover[:, :2].sum(1), cover[:, 2:].sum(1)
        mean_left = (cover[:, :2] * value[:, :2]).sum(1) / left
        # an absent root has nothing on its right: weight 0, any value
        mean_right = np.divide(
            (cover[:, 2:] * value[:, 2:]).sum(1), right, out=np.zeros_like(right), where=right > 0
        )
        result = np.empty((len(value), len(patterns), 8))
        for number, (root, low, high) in enumerate(patterns):
            at_left = np.where(known[1], value[:, [low]], mean_left[:, None])
            at_right = np.where(known[2], value[:, [2 + high]], mean_right[:, None])
            blend = (left[:, None] * at_left + right[:, None] * at_right) / (left + right)[:, None]
            result[:, number] = np.where(known[0], at_right if root else at_left, blend)
        return result

    def _players(self) -> NDArray[np.int64]:
        """Return the player (0 to 2) of each node; nodes that split on one feature share one."""
        root, left, right = self.feature.T
        player = np.tile(np.arange(3), (len(root), 1))
        player[left == root, 1] = 0
        player[right == left, 2] = player[right == left, 1]
        player[right == root, 2] = 0
        return player

    def tables(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the answers of every tree.

        Returns
        -------
        base : array of shape (n_trees,)
            Expected value of each tree over its training rows.
        shapley : array of shape (n_trees, 8, 3)
            Per pattern of decisions (root, left, right as bits 4, 2, 1) and node, the Shapley value
            of the node's feature. Nodes that share a feature: the first holds the value, the rest 0.
        """
        expected = self._expectations(list(product((0, 1), repeat=3)))
        shapley = np.zeros((len(self.value), 8, 3))
        for player in range(3):
            for coalition in range(8):
                if coalition >> player & 1:
                    continue
                weight = _WEIGHT[coalition.bit_count()]
                gain = expected[:, :, coalition | 1 << player] - expected[:, :, coalition]
                shapley[:, :, player] += weight * gain
        return expected[:, 0, 0], shapley

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
        """
        base, shapley = self.tables()
        answers = base[:, None] + shapley.sum(axis=2)
        contributions = np.zeros(X.shape, order="F")
        members = np.zeros((X.shape[0], n_members), order="F")
        columns = np.asfortranarray(X)
        used = np.unique(self.feature[self.feature >= 0])
        missing = {int(column): np.isnan(columns[:, column]) for column in used}
        for tree in range(len(base)):
            pattern = np.zeros(X.shape[0], dtype=np.uint8)
            for node, bit in enumerate((4, 2, 1)):
                column = int(self.feature[tree, node])
                if column < 0:
                    continue
                goes_right = columns[:, column] > self.threshold[tree, node]
                if not self.missing_left[tree, node]:
                    goes_right |= missing[column]
                pattern |= goes_right.view(np.uint8) * np.uint8(bit)
            members[:, self.member[tree]] += answers[tree, pattern]
            for node in range(3):
                column = int(self.feature[tree, node])
                if column >= 0 and shapley[tree, :, node].any():
                    contributions[:, column] += shapley[tree, pattern, node]
        return float(base.sum() / n_members), contributions / n_members, members


def from_boosting(model: Any) -> ShallowTrees:
    """Read the trees of a fitted ``HistGradientBoostingClassifier`` into arrays.

    Parameters
    ----------
    model : HistGradientBoostingClassifier
        Fitted, binary, depth at most two, numeric features only.

    Returns
    -------
    ShallowTrees
        The same trees, all of bag 0.
    """
    predictors = [stage[0].nodes for stage in model._predictors]
    n_trees = len(predictors)
    feature = np.full((n_trees, 3), -1, dtype=np.int64)
    threshold = np.full((n_trees, 3), np.inf)
    missing_left = np.ones((n_trees, 3), dtype=bool)
    value, cover = np.zeros((n_trees, 4)), np.zeros((n_trees, 4))
    for tree, nodes in enumerate(predictors):
        stack = [(0, 0)]  # node in the model, place among our seven
        while stack:
            source, place = stack.pop()
            node = nodes[source]
            if not node["is_leaf"]:
                feature[tree, place] = node["feature_idx"]
                threshold[tree, place] = node["num_threshold"]
                missing_left[tree, place] = node["missing_go_to_left"]
                stack += [(node["left"], 2 * place + 1), (node["right"], 2 * place + 2)]
                continue
            first = {0: 0, 1: 0, 2: 2}.get(place, place - 3)
            value[tree, first : first + (1 if place > 2 else 4 if place == 0 else 2)] = node[
                "value"
            ]
            cover[tree, first] = node["count"]
    return ShallowTrees(
        feature=feature, threshold=threshold, missing_left=missing_left, value=value, cover=cover,
        member=np.zeros(n_trees, dtype=np.int64),
    )  # fmt: skip
