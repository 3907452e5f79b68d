"""Contributions of the recipe are exact, and equal shap's on the same trees."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from riskmodel.training.trees import ShallowTrees, from_boosting


def made_up_rows(seed: int, n: int = 400) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, size=(n, 5)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    risk = 1 / (1 + np.exp(2 - np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1] * X[:, 0]) / 4))
    return X, (rng.random(n) < risk).astype(np.int64)


def fitted(seed: int, depth: int) -> tuple[HistGradientBoostingClassifier, NDArray[np.float32]]:
    X, y = made_up_rows(seed)
    model = HistGradientBoostingClassifier(
        max_iter=12, max_depth=depth, min_samples_leaf=5, early_stopping=False, random_state=seed
    )
    return model.fit(X, y), X


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_contributions_equal_shap_tree_explainer(seed: int, depth: int) -> None:
    model, X = fitted(seed, depth)
    base, parts, members = from_boosting(model).explain(X, 1)
    explainer = shap.TreeExplainer(model)
    np.testing.assert_allclose(parts, explainer.shap_values(X), atol=1e-9)
    start = model._baseline_prediction.ravel()[0]
    np.testing.assert_allclose(members[:, 0] + start, model.decision_function(X), atol=1e-9)
    assert base + start == pytest.approx(float(np.ravel(explainer.expected_value)[0]), abs=1e-9)


def slow_value(
    tree: ShallowTrees, x: NDArray[np.float32], known: set[int], place: int = 0
) -> float:
    """Expected value of a tree when only the known features of x are given, by recursion."""
    if place > 2:
        return float(tree.value[0, place - 3])
    feature = int(tree.feature[0, place])
    kids = (2 * place + 1, 2 * place + 2)
    covers = [leaf_cover(tree, kid) for kid in kids]
    if feature < 0:
        return slow_value(tree, x, known, kids[0])
    if feature in known:
        value = x[feature]
        left = (
            bool(tree.missing_left[0, place])
            if np.isnan(value)
            else value <= tree.threshold[0, place]
        )
        return slow_value(tree, x, known, kids[0] if left else kids[1])
    parts = [slow_value(tree, x, known, kid) * c for kid, c in zip(kids, covers, strict=True) if c]
    return sum(parts) / sum(covers)


def leaf_cover(tree: ShallowTrees, place: int) -> float:
    if place > 2:
        return float(tree.cover[0, place - 3])
    return leaf_cover(tree, 2 * place + 1) + leaf_cover(tree, 2 * place + 2)


def slow_shapley(tree: ShallowTrees, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shapley's formula, word for word."""
    n = len(x)
    values = np.zeros(n)
    for feature in range(n):
        others = [other for other in range(n) if other != feature]
        for size in range(n):
            for coalition in combinations(others, size):
                weight = factorial(size) * factorial(n - size - 1) / factorial(n)
                gain = slow_value(tree, x, {*coalition, feature}) - slow_value(
                    tree, x, {*coalition}
                )
                values[feature] += weight * gain
    return values


@given(
    features=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    values=st.lists(st.integers(-4, 4), min_size=4, max_size=4),
    cover=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    row=st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan")]), min_size=3, max_size=3),
    missing_left=st.lists(st.booleans(), min_size=3, max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_contributions_equal_shapleys_formula(
    features: list[int],
    values: list[int],
    cover: list[int],
    row: list[float],
    missing_left: list[bool],
) -> None:
    tree = ShallowTrees(
        feature=np.array([features]), threshold=np.array([[0.5, 1.5, 0.5]]),
        missing_left=np.array([missing_left]), value=np.array([values], float),
        cover=np.array([cover], float), member=np.array([0]),
    )  # fmt: skip
    x = np.array(row, dtype=np.float32)
    _, parts, members = tree.explain(x[None, :], 1)
    np.testing.assert_allclose(parts[0], slow_shapley(tree, x), atol=1e-9)
    assert members[0, 0] == pytest.approx(slow_value(tree, x, {0, 1, 2}))
