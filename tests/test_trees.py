"""Contributions of the recipe are exact, and equal shap's on the same trees."""

from __future__ import annotations

import warnings
from itertools import combinations
from math import factorial

import lightgbm
import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskmodel.training import trees as trees_module
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.lightgbm_trees import boost, from_lightgbm
from riskmodel.training.trees import ShallowTrees


def made_up_rows(seed: int, n: int = 400) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, size=(n, 5)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    risk = 1 / (1 + np.exp(2 - np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1] * X[:, 0]) / 4))
    return X, (rng.random(n) < risk).astype(np.int64)


def fitted(seed: int, depth: int) -> tuple[lightgbm.Booster, float, NDArray[np.float32]]:
    """Boost trees on a sample in which rows stand several times, as the recipe does."""
    X, y = made_up_rows(seed)
    rows = np.sort(np.random.default_rng(seed).integers(0, len(X), len(X)))
    booster, base = boost(
        X[rows], y[rows], [1, 0, 0, 0, 0],
        max_depth=depth, n_trees=12, learning_rate=0.1, min_leaf=5, seed=seed,
    )  # fmt: skip
    return booster, base, X


def by_shap(booster: lightgbm.Booster, X: NDArray[np.float32], how: str) -> NDArray[np.float64]:
    explainer = shap.TreeExplainer(booster)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # shap warns that its shape has changed
        made = getattr(explainer, how)(X)
    return np.asarray(made[1] if isinstance(made, list) else made)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_contributions_equal_shap_tree_explainer(seed: int, depth: int) -> None:
    booster, _, X = fitted(seed, depth)
    base, parts, members = from_lightgbm(booster).explain(X, 1)
    np.testing.assert_allclose(parts, by_shap(booster, X, "shap_values"), atol=1e-9)
    raw = np.asarray(booster.predict(X, raw_score=True))
    np.testing.assert_allclose(members[:, 0], raw, atol=1e-9)
    np.testing.assert_allclose(base + parts.sum(axis=1), raw, atol=1e-9)


def test_trees_are_added_to_the_log_odds_of_their_sample_and_never_fall_where_they_must_not() -> (
    None
):
    booster, base, X = fitted(0, 2)
    assert -3 < base < 0
    low, high = X.copy(), X.copy()
    low[:, 0], high[:, 0] = 1, 4
    assert (
        from_lightgbm(booster).explain(high, 1)[2] >= from_lightgbm(booster).explain(low, 1)[2]
    ).all()


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
        feature=np.array([features]),
        threshold=np.array([[0.5, 1.5, 0.5]]),
        missing_left=np.array([missing_left]),
        value=np.array([values], float),
        cover=np.array([cover], float),
        member=np.array([0]),
    )
    x = np.array(row, dtype=np.float32)
    _, parts, members = tree.explain(x[None, :], 1)
    np.testing.assert_allclose(parts[0], slow_shapley(tree, x), atol=1e-9)
    assert members[0, 0] == pytest.approx(slow_value(tree, x, {0, 1, 2}))


def slow_interaction(tree: ShallowTrees, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shapley interaction values, word for word: halves beside the diagonal, the rest on it."""
    n = len(x)
    values = np.zeros((n, n))
    for first, second in combinations(range(n), 2):
        others = [other for other in range(n) if other not in (first, second)]
        for size in range(len(others) + 1):
            for kept in combinations(others, size):
                weight = factorial(size) * factorial(n - size - 2) / (2 * factorial(n - 1))
                both, one, other, none = (
                    slow_value(tree, x, {*kept, *extra})
                    for extra in ({first, second}, {first}, {second}, set())
                )
                values[first, second] += weight * (both - one - other + none)
        values[second, first] = values[first, second]
    values[np.arange(n), np.arange(n)] = slow_shapley(tree, x) - values.sum(axis=1)
    return values


@given(
    features=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    values=st.lists(st.integers(-4, 4), min_size=4, max_size=4),
    cover=st.lists(st.integers(1, 9), min_size=4, max_size=4),
    row=st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan")]), min_size=3, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_interactions_equal_the_formula(
    features: list[int], values: list[int], cover: list[int], row: list[float]
) -> None:
    tree = ShallowTrees(
        feature=np.array([features]),
        threshold=np.array([[0.5, 1.5, 0.5]]),
        missing_left=np.array([[True, False, True]]),
        value=np.array([values], float),
        cover=np.array([cover], float),
        member=np.array([0]),
    )
    x = np.array(row, dtype=np.float32)
    np.testing.assert_allclose(
        tree.interactions(x[None, :], 1)[0], slow_interaction(tree, x), atol=1e-9
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_interactions_equal_shap_and_rows_add_up_to_contributions(seed: int) -> None:
    booster, _, X = fitted(seed, 2)
    trees = from_lightgbm(booster)
    found = trees.interactions(X[:60], 1)
    expected = by_shap(booster, X[:60], "shap_interaction_values")
    np.testing.assert_allclose(found, expected, atol=1e-7)  # shap computes in float32 here
    np.testing.assert_allclose(found.sum(axis=2), trees.explain(X[:60], 1)[1], atol=1e-9)
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))


def test_a_row_does_not_depend_on_its_block_or_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    booster, _, X = fitted(0, 2)
    trees = from_lightgbm(booster)
    base, parts, members = trees.explain(X, 1)
    monkeypatch.setattr(trees_module, "BLOCK", 7)
    for threads in (1, 2, 5):
        monkeypatch.setattr(trees_module, "THREADS", threads)
        again = trees.explain(X, 1)
        assert again[0] == base
        np.testing.assert_array_equal(again[1], parts)
        np.testing.assert_array_equal(again[2], members)


@pytest.fixture(scope="module")
def recipe() -> tuple[RareOutcomeClassifier, NDArray[np.float32]]:
    X, y = made_up_rows(5, n=1500)
    return RareOutcomeClassifier(n_bags=4, n_trees=15, random_state=1).fit(X, y), X


def test_the_recipe_is_additive_and_the_mean_of_its_bags(
    recipe: tuple[RareOutcomeClassifier, NDArray[np.float32]],
) -> None:
    ensemble, X = recipe[0].ensemble_, recipe[1]
    base, parts, members = ensemble.explain(X)
    np.testing.assert_allclose(base + parts.sum(axis=1), members.mean(axis=1), atol=1e-12)
    bags = [ensemble.of_bag(number).explain(X) for number in range(4)]
    assert np.mean([bag[0] for bag in bags]) == pytest.approx(base, abs=1e-12)
    np.testing.assert_allclose(np.mean([bag[1] for bag in bags], axis=0), parts, atol=1e-12)
    for number, bag in enumerate(bags):
        np.testing.assert_allclose(bag[2][:, 0], members[:, number], atol=1e-12)


def test_interactions_of_the_recipe_add_up_to_its_contributions(
    recipe: tuple[RareOutcomeClassifier, NDArray[np.float32]],
) -> None:
    ensemble, X = recipe[0].ensemble_, recipe[1][:50]
    np.testing.assert_allclose(
        ensemble.interactions(X).sum(axis=2), ensemble.explain(X)[1], atol=1e-12
    )


def test_a_feature_the_model_ignores_has_no_contribution() -> None:
    X, y = made_up_rows(5, n=1500)
    rows = np.column_stack([X, np.ones(len(X), np.float32)])
    fit = RareOutcomeClassifier(n_bags=3, n_trees=15, random_state=1).fit(rows, y)
    parts = fit.ensemble_.explain(rows)[1]
    assert not parts[:, 5].any()
    assert parts[:, :5].any(axis=0).all()


def test_a_copied_feature_takes_nothing_away() -> None:
    X, y = made_up_rows(5, n=1500)
    copied = np.column_stack([X, X[:, 0]])
    plain, more = (
        RareOutcomeClassifier(n_bags=3, n_trees=15, random_state=1).fit(rows, y).ensemble_
        for rows in (X, copied)
    )
    parts, more_parts = plain.explain(X)[1], more.explain(copied)[1]
    # near duplicates are left out in training, so what both hold stays the same to the last digit
    np.testing.assert_allclose(more_parts[:, 0] + more_parts[:, 5], parts[:, 0], atol=1e-12)


@given(share=st.floats(0.1, 0.9), seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_trees_that_split_on_either_of_two_copies_share_the_contribution(
    share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(20, 1)).astype(np.float32)
    one = ShallowTrees(
        feature=np.array([[0, -1, -1]]),
        threshold=np.array([[0.2, np.inf, np.inf]]),
        missing_left=np.ones((1, 3), bool),
        value=np.array([[-1.0, -1.0, 2.0, 2.0]]),
        cover=np.array([[5.0, 0.0, 3.0, 0.0]]),
        member=np.array([0]),
    )
    two = ShallowTrees(
        feature=np.array([[0, -1, -1], [1, -1, -1]]),
        threshold=np.tile(one.threshold, (2, 1)),
        missing_left=np.ones((2, 3), bool),
        cover=np.tile(one.cover, (2, 1)),
        value=np.vstack([share * one.value, (1 - share) * one.value]),
        member=np.zeros(2, np.int64),
    )
    alone, shared = one.explain(x, 1)[1], two.explain(np.hstack([x, x]), 1)[1]
    np.testing.assert_allclose(shared, alone * [share, 1 - share], atol=1e-12)


def test_rows_far_fuller_than_the_others_are_learned_from() -> None:
    """LightGBM wrote beyond its memory where it laid these rows out as part of all of them."""
    rng = np.random.default_rng(0)
    full, shape = 400, (29_000, 60)
    X = np.where(rng.random(shape) < 0.21, rng.integers(1, 9, shape), 0).astype(np.float32)
    X[:full] = rng.integers(1, 9, (full, shape[1]))
    pupil, y = np.arange(len(X)), np.zeros(len(X), dtype=int)
    pupil[:full] //= 2
    y[:full:2] = 1
    model = RareOutcomeClassifier(n_bags=2).fit(X, y, pupil)
    assert model.decision_function(X[:full]).mean() > model.decision_function(X[full:]).max()
