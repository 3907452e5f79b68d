"""The recipe, its calibration and its folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import estimator_checks_generator

from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.ensemble import Ensemble
from riskmodel.training.folds import (
    Fold,
    pupil_folds,
    rolling_folds,
    rows_to_learn_from,
    subsampled,
)


def rare_outcome(seed: int = 0, n: int = 4000) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef")).astype(np.float32)
    X = X.mask(rng.random(X.shape) < 0.1)
    log_odds = -4.5 + 1.2 * X["a"].fillna(0) + 0.8 * X["b"].fillna(0)
    return X, (rng.random(n) < 1 / (1 + np.exp(-log_odds.to_numpy()))).astype(np.int64)


def small(**settings_: Any) -> RareOutcomeClassifier:
    return RareOutcomeClassifier(**({"n_bags": 3, "n_trees": 15} | settings_))


# arrays of other libraries are not claimed, and scikit-learn skips their check by itself
CHECKS = [pair for pair in estimator_checks_generator(small()) if "array_api" not in str(pair[1])]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_estimator_keeps_scikit_learns_contract(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("tree_weight", [0.0, 0.5, 1.0])
def test_base_value_and_contributions_add_up_to_the_margin(tree_weight: float) -> None:
    X, y = rare_outcome()
    model = small(tree_weight=tree_weight).fit(X, y)
    base, parts, _ = model.ensemble_.explain(X.to_numpy())
    np.testing.assert_allclose(base + parts.sum(1), model.decision_function(X), atol=1e-9)


def test_arrays_rebuild_the_same_recipe() -> None:
    X, y = rare_outcome()
    ensemble = small().fit(X, y).ensemble_
    again = Ensemble.from_arrays(ensemble.to_arrays())
    for first, second in zip(
        ensemble.explain(X.to_numpy()), again.explain(X.to_numpy()), strict=True
    ):
        np.testing.assert_array_equal(first, second)
    assert all(array.dtype != object for array in ensemble.to_arrays().values())


def test_same_seed_gives_the_same_margins_and_another_seed_does_not() -> None:
    X, y = rare_outcome()
    first, second, other = (small(random_state=s).fit(X, y).decision_function(X) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_feature_that_is_noise_to_the_trees_contributes_nothing_when_constant() -> None:
    X, y = rare_outcome()
    X["f"] = np.float32(3.0)
    _, parts, _ = small().fit(X, y).ensemble_.explain(X.to_numpy())
    assert np.abs(parts[:, 5]).max() < 1e-12


def test_trees_are_monotone_where_asked() -> None:
    X, y = rare_outcome()
    model = small(tree_weight=1.0, monotone={"a": 1}).fit(X, y)
    row = X.fillna(0).iloc[[0] * 50].reset_index(drop=True)
    row["a"] = np.linspace(-3, 3, 50, dtype=np.float32)
    assert (np.diff(model.decision_function(row)) >= -1e-12).all()


def test_it_finds_what_drives_a_rare_outcome() -> None:
    from sklearn.metrics import roc_auc_score

    X, y = rare_outcome(0, 20_000)
    fresh, y_fresh = rare_outcome(1, 20_000)
    model = RareOutcomeClassifier(n_bags=4).fit(X, y)
    assert roc_auc_score(y_fresh, model.decision_function(fresh)) > 0.80


def half_yearly_spine(n_pupils: int = 200) -> pd.DataFrame:
    days = pd.to_datetime(["2020-01-01", "2020-07-01", "2021-01-01", "2021-07-01", "2022-01-01"])
    pupils = [f"P{i:03d}" for i in range(n_pupils)]
    spine = pd.MultiIndex.from_product([days, pupils], names=["as_of", "pupil_id"]).to_frame(
        index=False
    )
    return spine.assign(pupil_id=spine["pupil_id"].astype("category"))


def test_training_labels_had_ended_at_the_origin_and_tests_come_later() -> None:
    spine = half_yearly_spine()
    outcome = (spine["pupil_id"].cat.codes % 10 == 0).to_numpy().astype(float)

    def label_at(day: pd.Timestamp) -> NDArray[np.float64]:
        ended = (spine["as_of"] + pd.DateOffset(months=12) <= day).to_numpy()
        return np.where(ended, outcome, np.nan)

    folds = rolling_folds(spine, label_at, known_by=pd.Timestamp("2023-01-01"), n_origins=3)
    assert [f"{fold.origin:%Y-%m}" for fold in folds] == ["2021-01", "2021-07", "2022-01"]
    for fold in folds:
        trained_on = spine["as_of"].iloc[fold.train]
        assert (trained_on + pd.DateOffset(months=12) <= fold.origin).all()
        assert (spine["as_of"].iloc[fold.test] == fold.origin).all()


def test_pupil_folds_never_train_on_a_pupil_they_test() -> None:
    spine = half_yearly_spine()
    outcome = (spine["pupil_id"].cat.codes % 10 == 0).to_numpy().astype(float)
    folds = pupil_folds(spine, outcome)
    for fold in folds:
        assert not set(spine["pupil_id"].iloc[fold.train]) & set(spine["pupil_id"].iloc[fold.test])
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(np.flatnonzero(spine["as_of"] == pd.Timestamp("2022-01-01")))


def test_a_feature_that_is_missing_for_everyone_does_no_harm() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] + rng.normal(size=400) > 1.5).astype(int)
    without = RareOutcomeClassifier(n_bags=2).fit(X[:, :2], y)
    X[:, 2] = np.nan
    model = RareOutcomeClassifier(n_bags=2).fit(X, y)
    _, contributions, _ = model.ensemble_.explain(X.astype(np.float32))
    assert not contributions[:, 2].any()
    assert np.corrcoef(model.decision_function(X), without.decision_function(X[:, :2]))[0, 1] > 0.95


def test_a_frequent_related_outcome_helps_a_rare_one() -> None:
    from sklearn.metrics import average_precision_score

    def drawn(seed: int, n: int) -> tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.int64]]:
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.normal(size=(n, 25)), columns=[f"x{i}" for i in range(25)])
        path = X.iloc[:, :8].sum(axis=1).to_numpy() / 2
        rare, often = (rng.random(n) < 1 / (1 + np.exp(a - 1.5 * path)) for a in (8, 4))
        return X.astype(np.float32), rare.astype(np.int64), often.astype(np.int64)

    X, rare, often = drawn(0, 6000)
    fresh, truth, _ = drawn(1, 60_000)
    alone = small(n_trees=60).fit(X, rare).decision_function(fresh)
    helped = small(n_trees=60).fit(X, rare, related=often)
    gain = average_precision_score(truth, helped.decision_function(fresh)) / (
        average_precision_score(truth, alone)
    )
    assert gain > 1.1
    base, parts, _ = helped.ensemble_.explain(fresh.to_numpy())
    np.testing.assert_allclose(base + parts.sum(1), helped.decision_function(fresh), atol=1e-9)


def test_a_related_outcome_that_nobody_had_changes_nothing() -> None:
    X, y = rare_outcome()
    plain = small().fit(X, y).decision_function(X)
    with_none = small().fit(X, y, related=np.zeros(len(y))).decision_function(X)
    np.testing.assert_array_equal(plain, with_none)


def test_the_number_of_threads_changes_nothing() -> None:
    from joblib import parallel_config

    X, y = rare_outcome()
    many = small().fit(X, y).decision_function(X)
    with parallel_config(backend="sequential"):
        one = small().fit(X, y).decision_function(X)
    np.testing.assert_array_equal(many, one)


def test_a_list_on_which_nobody_had_the_outcome_counts_and_none_at_all_is_no_test() -> None:
    spine = half_yearly_spine()
    outcome = (spine["pupil_id"].cat.codes % 10 == 0).to_numpy().astype(float)
    outcome[(spine["as_of"] == pd.Timestamp("2021-07-01")).to_numpy()] = 0

    def label_at(day: pd.Timestamp) -> NDArray[np.float64]:
        ended = (spine["as_of"] + pd.DateOffset(months=12) <= day).to_numpy()
        return np.where(ended, outcome, np.nan)

    folds = rolling_folds(spine, label_at, known_by=pd.Timestamp("2023-01-01"), n_origins=3)
    assert [bool(fold.test_label.any()) for fold in folds] == [True, False, True]
    outcome[(spine["as_of"] >= pd.Timestamp("2021-01-01")).to_numpy()] = 0
    assert rolling_folds(spine, label_at, known_by=pd.Timestamp("2023-01-01"), n_origins=3) == []


def test_all_rows_of_cases_and_an_even_part_of_the_others_are_learned_from() -> None:
    label = np.array([1, 0, 0, 0, 0, 0, np.nan, 0.0])
    pupil = np.array([0, 0, 1, 1, 2, 2, 2, 3])
    drawn = np.array([0, 0, 1, 0, 0, 1, 1, 0], dtype=bool)
    rows, stands_for = rows_to_learn_from(label, pupil, drawn)
    assert rows.tolist() == [0, 1, 2, 5]  # both rows of pupil 0; row 6 has no label yet
    assert stands_for.tolist() == [1, 1, 2.5, 2.5]  # two of the five rows of other pupils


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_rows_that_are_learned_from_stand_for_all_that_are_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.choice([0, 0, 0, 1, np.nan], 60)
    drawn = rng.random(60) < 0.6
    _, stands_for = rows_to_learn_from(label, rng.integers(0, 20, 60), drawn)
    assert stands_for.sum() == pytest.approx((~np.isnan(label)).sum())


def test_a_fold_learns_no_more_of_those_who_had_the_outcome_later() -> None:
    pupil = np.repeat(np.arange(100), 2)
    label = np.where(pupil < 10, 1.0, 0.0)  # known at the origin: the first ten
    rows = np.arange(200)
    fold = Fold(
        origin=pd.Timestamp("2024-01-01"),
        train=rows,
        test=rows[:0],
        train_label=label,
        test_label=label[:0],
    )
    drawn = np.zeros(200, dtype=bool)
    drawn[::4] = True
    learned = subsampled(fold, pupil, drawn)
    others = learned.train[pupil[learned.train] >= 10]
    assert others.tolist() == np.flatnonzero(drawn & (pupil >= 10)).tolist()


def test_leaving_rows_out_does_not_move_the_level_of_the_log_odds() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 4)).astype(np.float32)
    y = (rng.random(20_000) < 1 / (1 + np.exp(5 - X[:, 0]))).astype(float)
    rows, stands_for = rows_to_learn_from(y, np.arange(20_000), rng.random(20_000) < 0.1)
    whole = small().fit(X, y).decision_function(X).mean()
    part = small().fit(X[rows], y[rows], stands_for=stands_for).decision_function(X).mean()
    untold = small().fit(X[rows], y[rows]).decision_function(X).mean()
    assert part == pytest.approx(whole, abs=0.25)
    assert untold > whole + 1.5  # nine in ten of the others are missing: odds ten times too high


def test_explain_adds_up_on_any_frame_and_keeps_names_and_rows() -> None:
    """Columns that no catalogue knows, rows with an index of their own, values of float64."""
    rng = np.random.default_rng(3)
    X = pd.DataFrame(
        rng.normal(size=(400, 3)),
        columns=["read12", "math12", "income"],
        index=np.arange(400) + 1000,
    )
    X.loc[X.index[::7], "income"] = np.nan
    y = (X["math12"] + rng.normal(size=400) < -1.2).to_numpy().astype(int)
    model = RareOutcomeClassifier(n_bags=3, n_trees=20, random_state=0).fit(X, y)
    base_value, contributions = model.explain(X)
    assert list(contributions.columns) == ["read12", "math12", "income"]
    assert contributions.index.equals(X.index)
    total = base_value + contributions.sum(axis=1).to_numpy()
    assert np.abs(total - model.decision_function(X)).max() < 1e-9
    half = model.explain(X[::2])[1]
    pd.testing.assert_frame_equal(half, contributions[::2])
    unnamed = RareOutcomeClassifier(n_bags=3, n_trees=20, random_state=0).fit(X.to_numpy(), y)
    assert unnamed.explain(X.to_numpy())[1].columns.equals(pd.Index([0, 1, 2]))


def test_explain_wants_a_fitted_model_and_the_same_columns() -> None:
    X = pd.DataFrame({"a": np.arange(60.0), "b": 1.0})
    with pytest.raises(NotFittedError, match="not fitted"):
        RareOutcomeClassifier().explain(X)
    model = RareOutcomeClassifier(n_bags=2, n_trees=5).fit(X, np.arange(60) % 3 == 0)
    with pytest.raises(ValueError, match="feature names"):
        model.explain(X.rename(columns={"a": "c"}))
