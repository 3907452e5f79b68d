"""What a regression and a bag learn from: chosen features, transformed values, drawn rows, folds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.training.ensemble import Linear
from riskmodel.training.feature_selection import choose_features, learn_transformation
from riskmodel.training.folds import (
    MINIMUM_POSITIVE_PUPILS,
    pupil_folds,
    rolling_folds,
    rows_to_learn_from,
)
from riskmodel.training.sampling import case_control_sample, related_sample

NAN = np.nan


def table(*columns: Any) -> Any:
    return np.column_stack(columns).astype(np.float32)


@pytest.mark.parametrize(
    ("column", "centre", "scale"),
    [
        ([0.0, 1.0, 2.0, 3.0], 1.5, np.sqrt(1.25)),
        ([5.0, 5.0, 5.0, 5.0], 5.0, 1.0),  # a constant is divided by 1
        ([NAN, NAN, NAN, NAN], 0.0, 1.0),
        ([NAN, 1.0, 3.0, NAN], 2.0, np.sqrt(0.5)),  # the missing ones count as 2
        ([0.0, 0.0, 0.0, 8.0], 0.0, np.sqrt(12)),
    ],
)
def test_centre_and_scale_by_hand(column: list[float], centre: float, scale: float) -> None:
    learned = learn_transformation(table(column), 2)
    assert learned.centre.tolist() == pytest.approx([centre])
    assert learned.scale.tolist() == pytest.approx([scale])
    assert learned.coefficient.shape == (2, 1)


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=30))
def test_transformed_features_have_mean_0_and_spread_1(values: list[int]) -> None:
    X = table(values)
    standardised = learn_transformation(X, 1).transform(X)
    assert standardised.mean() == pytest.approx(0, abs=1e-6)
    if len(set(values)) > 1:
        assert standardised.std() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("column", [[1.0, 2.0, 2.0], [NAN, 2.0, 5.0], [NAN, NAN, NAN]])
def test_a_missing_value_counts_as_the_median(column: list[float]) -> None:
    learned = learn_transformation(table(column), 1)
    usual = learned.centre[None].astype(np.float32)
    missing = np.array([[NAN]], dtype=np.float32)
    assert learned.transform(missing).tolist() == learned.transform(usual).tolist()
    assert learned.transform(table(column)).mean() == pytest.approx(0, abs=1e-6)


OUTCOME = np.r_[np.ones(20), np.zeros(80)].astype(np.int64)


def columns_for(rng: Any) -> dict[str, Any]:
    strong = OUTCOME + rng.normal(0, 0.3, 100)
    return {
        "strong": strong,
        "copy": 2 * strong + rng.normal(0, 0.01, 100),
        "weak": OUTCOME + rng.normal(0, 2.0, 100),
        "noise": np.tile([1.0, -1.0], 50),
        "missing": np.where(OUTCOME == 1, NAN, rng.normal(size=100)),
    }


@pytest.mark.parametrize(
    ("names", "n", "chosen"),
    [
        (["noise", "strong"], 1, ["strong"]),
        (["strong", "noise"], 2, ["strong", "noise"]),
        (["strong", "copy", "noise"], 2, ["strong|copy", "noise"]),  # one of each near duplicates
        (["missing", "weak"], 1, ["weak"]),  # that it is missing is no sign
        (["strong"], 5, ["strong"]),
        (["noise", "weak", "strong"], 0, []),
    ],
)
def test_the_features_that_differ_most_are_chosen(
    names: list[str], n: int, chosen: list[str]
) -> None:
    columns = columns_for(np.random.default_rng(0))
    values = table(*(columns[name] for name in names))
    kept = choose_features(learn_transformation(values, 1), values, OUTCOME, n)
    assert kept.tolist() == sorted(kept.tolist())
    found = [names[place] for place in kept]
    assert len(found) == len(chosen)
    for one, wanted in zip(found, chosen, strict=True):
        assert one in wanted.split("|")


@pytest.mark.parametrize(
    ("correlation", "n_kept"), [(0.0, 2), (0.85, 2), (0.94, 1), (-0.85, 2), (-0.94, 1), (1.0, 1)]
)
def test_near_duplicates_are_alike_to_nine_tenths(correlation: float, n_kept: int) -> None:
    rng = np.random.default_rng(0)
    one, other = np.linalg.qr(rng.uniform(-1, 1, size=(2000, 2)))[0].T * 40
    values = table(one, correlation * one + np.sqrt(1 - correlation**2) * other)
    outcome = (np.arange(2000) % 2).astype(np.int64)
    assert len(choose_features(learn_transformation(values, 1), values, outcome, 2)) == n_kept


@given(st.integers(0, 100), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_no_two_chosen_features_are_near_duplicates(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(100, 2))
    values = np.hstack([base, base * 3 + 1, -base]).astype(np.float32)
    learned = learn_transformation(values, 1)
    kept = choose_features(learned, values, OUTCOME, n)
    assert 1 <= len(kept) <= min(n, 2)
    assert len({int(place) % 2 for place in kept}) == len(kept)


def linear(n_bags: int, n_features: int) -> Linear:
    rng = np.random.default_rng(3)
    one = np.ones(n_features)
    return Linear(
        centre=0 * one,
        scale=one,
        mean=0 * one,
        spread=one,
        counts_as=0 * one,
        coefficient=rng.normal(size=(n_bags, n_features)),
        intercept=rng.normal(size=n_bags),
    )


@pytest.mark.parametrize(("n_bags", "n_features"), [(1, 1), (3, 4), (2, 7)])
def test_base_value_and_contributions_add_up_to_the_mean_of_the_bags(
    n_bags: int, n_features: int
) -> None:
    X = np.random.default_rng(0).normal(size=(9, n_features)).astype(np.float32)
    X[::2, 0] = np.nan
    base, parts, members = linear(n_bags, n_features).explain(X)
    assert members.shape == (9, n_bags)
    np.testing.assert_allclose(base + parts.sum(axis=1), members.mean(axis=1))


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_a_weight_scales_all_that_a_regression_gives(weight: float) -> None:
    X = np.array([[1.0, np.nan], [0.0, 2.0]], dtype=np.float32)
    plain, scaled = linear(2, 2), linear(2, 2).scaled(weight)
    for one, other in zip(plain.explain(X), scaled.explain(X), strict=True):
        np.testing.assert_allclose(np.asarray(other), weight * np.asarray(one))


@pytest.mark.parametrize("features", [[0], [2, 0], [1, 2, 3]])
def test_a_part_put_back_leaves_all_other_features_without_effect(features: list[int]) -> None:
    whole, places = linear(2, 4), np.array(features)
    back = whole.put(places, whole.take(places))
    np.testing.assert_array_equal(back.coefficient[:, places], whole.coefficient[:, places])
    others = [place for place in range(4) if place not in features]
    assert not back.coefficient[:, others].any()
    np.testing.assert_array_equal(back.intercept, whole.intercept)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("per_positive", [1, 4, 1000])
def test_a_bag_holds_whole_pupils_with_the_outcome_and_others_at_most_once(
    seed: int, per_positive: int
) -> None:
    owners = np.repeat(np.arange(200), 2)
    outcome = np.zeros(400, dtype=np.int64)
    outcome[[0, 3, 5]] = 1  # pupils 0, 1 and 2, each on one of two rows
    rows = case_control_sample(outcome, owners, per_positive, np.random.default_rng(seed))
    copies = np.bincount(rows, minlength=400)
    with_it = owners < 3
    assert copies[with_it].sum() == 6  # three pupils drawn with replacement, both rows of each
    assert (copies[with_it][::2] == copies[with_it][1::2]).all()
    assert copies[~with_it].max() == 1
    assert copies[~with_it].sum() == min(394, max(3 * per_positive, 50))
    assert (np.diff(rows) >= 0).all()


@pytest.mark.parametrize(
    ("n_with", "n_without", "drawn"),
    [
        (0, 10, (0, 10)),
        (10, 0, (10, 0)),
        (5, 7, (5, 7)),
        (2500, 10, (2000, 10)),
        (3, 25_000, (3, 20_000)),
    ],
)
def test_rows_of_the_related_outcome_are_limited(
    n_with: int, n_without: int, drawn: tuple[int, int]
) -> None:
    related = np.r_[np.ones(n_with), np.zeros(n_without)].astype(np.int64)
    rows = related_sample(related, np.random.default_rng(0))
    assert (int(related[rows].sum()), int((related[rows] == 0).sum())) == drawn
    assert len(set(rows.tolist())) == len(rows)


@pytest.mark.parametrize(
    ("label", "drawn", "rows", "weights"),
    [
        ([1, 0, 0], [0, 0, 0], [0], [1]),  # nobody else was drawn
        ([1, 0, 0], [0, 1, 1], [0, 1, 2], [1, 1, 1]),
        ([1, 0, 0], [1, 0, 1], [0, 2], [1, 2]),
        ([0, 0, 0, 0], [1, 0, 0, 0], [0], [4]),
        ([NAN, NAN], [1, 1], [], []),
        ([1, NAN, 0], [0, 1, 1], [0, 2], [1, 1]),
    ],
)
def test_rows_of_distinct_pupils_that_are_learned_from(
    label: list[float], drawn: list[int], rows: list[int], weights: list[float]
) -> None:
    found, stands_for = rows_to_learn_from(
        np.array(label, float), np.arange(len(label)), np.array(drawn, bool)
    )
    assert found.tolist() == rows
    assert stands_for.tolist() == weights


def spine_of(days: list[str], n_pupils: int) -> pd.DataFrame:
    pupils = pd.Categorical([f"P{number:02}" for number in range(n_pupils)] * len(days))
    return pd.DataFrame({"as_of": pd.to_datetime(days).repeat(n_pupils), "pupil_id": pupils})


@pytest.mark.parametrize(
    ("positive", "n_folds"),
    [
        (0, 0),
        (MINIMUM_POSITIVE_PUPILS - 1, 0),
        (MINIMUM_POSITIVE_PUPILS, 1),
        (20, 0),  # nobody without the outcome to learn from
    ],
)
def test_a_list_is_tested_where_enough_had_the_outcome_before(positive: int, n_folds: int) -> None:
    spine = spine_of(["2021-01-01", "2022-06-01"], 20)
    label = np.tile(np.arange(20) < positive, 2).astype(float)

    def label_at(day: pd.Timestamp) -> Any:
        ended = (spine["as_of"] + pd.DateOffset(months=12) <= day).to_numpy()
        return np.where(ended, label, np.nan)

    folds = rolling_folds(spine, label_at, known_by=pd.Timestamp("2023-07-01"), n_origins=3)
    assert len(folds) == n_folds


@pytest.mark.parametrize(
    ("months", "n_origins", "tested"),
    [
        ([0, 1, 2, 3], 9, [3]),
        ([0, 3, 4], 9, [0, 4]),
        ([0, 4, 8], 9, [0, 4, 8]),
        ([0, 4, 8], 2, [4, 8]),
        ([0, 4, 8], 1, [8]),
        ([0, 5, 6, 7], 9, [0, 7]),
    ],
)
def test_lists_are_at_least_four_months_apart_counted_from_the_last(
    months: list[int], n_origins: int, tested: list[int]
) -> None:
    first = pd.Timestamp("2022-01-01")
    days = [first + pd.DateOffset(months=month) for month in months]
    spine = spine_of(["2020-01-01", *(f"{day:%Y-%m-%d}" for day in days)], 20)
    label = np.tile(np.arange(20) < 10, 1 + len(days)).astype(float)
    folds = rolling_folds(
        spine, lambda day: label, known_by=pd.Timestamp("2024-01-01"), n_origins=n_origins
    )
    assert [fold.origin for fold in folds] == [first + pd.DateOffset(months=m) for m in tested]
    for fold in folds:
        assert (spine["as_of"].iloc[fold.train] < fold.origin).all()


@pytest.mark.parametrize(("n_pupils", "positive"), [(10, 2), (23, 7), (50, 1)])
def test_pupils_are_dealt_out_evenly_with_the_outcome_and_without(
    n_pupils: int, positive: int
) -> None:
    spine = spine_of(["2022-01-01", "2023-01-01"], n_pupils)
    label = np.tile(np.arange(n_pupils) < positive, 2).astype(float)
    folds = pupil_folds(spine, label)
    with_it = [int(fold.test_label.sum()) for fold in folds]
    sizes = [len(fold.test) for fold in folds]
    assert (sum(with_it), sum(sizes)) == (positive, n_pupils)
    assert max(with_it) - min(with_it) <= 1
    assert max(sizes) - min(sizes) <= 2
    assert {fold.origin for fold in folds} == {pd.Timestamp("2023-01-01")}
