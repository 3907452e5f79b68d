"""Grow shallow monotone trees.

In:  features and outcomes of a sample of rows.
Out: a booster, and its trees as :class:`~.trees.ShallowTrees`, plain arrays.

LightGBM grows them. Each sample is laid out by itself. LightGBM 4.7 can lay out rows of a larger data set
faster, but judges by that set how many values other than 0 they hold; where they hold many more, it writes
beyond its memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from riskmodel.training.trees import ShallowTrees

if TYPE_CHECKING:
    from lightgbm import Booster

__all__ = ["boost", "from_lightgbm"]

L2 = 5.0
"""Penalty on the squared log-odds of a leaf."""

FEATURES_PER_SPLIT = 0.3
"""Share of the features that a split may choose from; few, so that no single feature rules."""


COMMON: dict[str, Any] = {
    "objective": "binary",
    "lambda_l2": L2,
    "feature_fraction_bynode": FEATURES_PER_SPLIT,
    "max_bin": 63,
    "min_data_in_bin": 1,
    "feature_pre_filter": False,
    "enable_bundle": False,
    "deterministic": True,
    # by rows: with few rows and shallow trees three times as fast as by columns
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""Settings of LightGBM that are the same for all samples."""


def boost(
    values: NDArray[np.float32],
    outcome: NDArray[np.int64],
    directions: Sequence[int],
    *,
    max_depth: int,
    n_trees: int,
    learning_rate: float,
    min_leaf: int,
    seed: int,
) -> tuple[Booster, float]:
    """Boost trees on a sample of rows.

    Parameters
    ----------
    values : float array of shape (n_rows, n_features)
        Features; missing values are nan.
    outcome : int array of shape (n_rows,)
        0 or 1, both there.
    directions : sequence of int, length n_features
        1: the log-odds never fall as the feature grows, -1: never rise, 0: either.
    max_depth : int
        1 or 2 levels.
    n_trees : int
        Trees.
    learning_rate : float
        Shrinkage of each.
    min_leaf : int
        Fewest rows in a leaf.
    seed : int
        Draws the features of each split.

    Returns
    -------
    booster : lightgbm.Booster
        The trees.
    base : float
        Log-odds to which the trees are added.
    """
    os.environ.setdefault("KMP_WARNINGS", "off")
    import lightgbm

    settings = COMMON | {
        "max_depth": max_depth,
        "num_leaves": 2**max_depth,
        "monotone_constraints": list(directions),
        "learning_rate": learning_rate,
        "min_data_in_leaf": min_leaf,
        "seed": seed,
    }
    base = float(logit(outcome.mean()))
    start = np.full(len(outcome), base)
    rows = lightgbm.Dataset(values, outcome, init_score=start, params=settings)
    return lightgbm.train(settings, rows, n_trees), base


def from_lightgbm(booster: Booster) -> ShallowTrees:
    """Read the trees of a booster into arrays.

    Parameters
    ----------
    booster : lightgbm.Booster
        Of one outcome, depth at most two, numeric features only.

    Returns
    -------
    ShallowTrees
        The same trees, all of bag 0.
    """
    stages = booster.dump_model()["tree_info"]
    n_trees = len(stages)
    feature = np.full((n_trees, 3), -1, dtype=np.int64)
    threshold = np.full((n_trees, 3), np.inf)
    missing_left = np.ones((n_trees, 3), dtype=bool)
    value, cover = np.zeros((n_trees, 4)), np.zeros((n_trees, 4))
    for tree, stage in enumerate(stages):
        stack = [(stage["tree_structure"], 0)]  # a node, and its place among our seven
        while stack:
            node, place = stack.pop()
            if "split_feature" in node:
                feature[tree, place] = node["split_feature"]
                threshold[tree, place] = node["threshold"]
                missing_left[tree, place] = _sends_missing_left(node)
                stack += [(node["left_child"], 2 * place + 1), (node["right_child"], 2 * place + 2)]
                continue
            first = {0: 0, 1: 0, 2: 2}.get(place, place - 3)
            width = 1 if place > 2 else 4 if place == 0 else 2
            value[tree, first : first + width] = node["leaf_value"]
            cover[tree, first] = max(1, node.get("leaf_count", 1))
    return ShallowTrees(
        feature=feature,
        threshold=threshold,
        missing_left=missing_left,
        value=value,
        cover=cover,
        member=np.zeros(n_trees, dtype=np.int64),
    )


def _sends_missing_left(node: dict[str, Any]) -> bool:
    """Return where a missing value goes: as learned, else with the larger part of the rows."""
    if node["missing_type"] == "NaN":
        return bool(node["default_left"])
    left, right = (
        child.get("internal_count", child.get("leaf_count", 0))
        for child in (node["left_child"], node["right_child"])
    )
    return bool(left >= right)
