"""Small tools of the simulator: scores that drift, curves over year groups, weights that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.simulate.shapes import GROUPS, curve, drift, rake, standardise


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 3.0], [-1, 1]),
        ([0.0, 0.0, 3.0], [-(0.5**0.5), -(0.5**0.5), 2**0.5]),
        ([-5.0, 5.0, -5.0, 5.0], [-1, 1, -1, 1]),
    ],
)
def test_standardised_values_have_mean_0_and_spread_1(
    values: list[float], expected: list[float]
) -> None:
    assert standardise(np.array(values)).tolist() == pytest.approx(expected)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=9).filter(lambda v: len(set(v)) > 1))
def test_neither_place_nor_scale_changes_a_standardised_value(values: list[int]) -> None:
    one = standardise(np.array(values, dtype=float))
    other = standardise(np.array(values, dtype=float) * 3 + 7)
    np.testing.assert_allclose(one, other, atol=1e-9)
    assert [one.mean(), one.std()] == pytest.approx([0, 1])


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ({"5": 2.0}, [2.0] * 12),
        ({"0": 0.0, "11": 11.0}, list(range(12))),
        ({"1": 8.0, "3": 12.0}, [8, 8, 10, 12, 12, 12, 12, 12, 12, 12, 12, 12]),
        ({"6": 0.0, "7": 6.0}, [0] * 7 + [6] * 5),
        ({"0": 4.0, "2": 0.0, "4": 4.0}, [4, 2, 0, 2, 4, 4, 4, 4, 4, 4, 4, 4]),
    ],
)
def test_a_curve_is_straight_between_points_and_level_beyond(
    points: dict[str, float], expected: list[float]
) -> None:
    assert curve(points).tolist() == expected
    assert len(curve(points)) == GROUPS


@pytest.mark.parametrize(
    ("of_trait", "persistence"), [(0.0, 0.0), (0.0, 0.9), (0.5, 0.5), (0.9, 0.9), (1.0, 0.3)]
)
def test_a_score_keeps_its_variance_and_its_correlations_while_it_drifts(
    of_trait: float, persistence: float
) -> None:
    n = 40_000
    rng = np.random.default_rng(1)
    trait = standardise(rng.standard_normal(n))
    score = drift(trait, of_trait, persistence, rng).score
    assert score.shape == (n, GROUPS)
    # the standard errors are 0.005 for means and correlations, 0.007 for variances: five of each
    np.testing.assert_allclose(score.mean(axis=0), 0, atol=0.025)
    np.testing.assert_allclose(score.var(axis=0), 1, atol=0.04)
    with_trait = [np.corrcoef(score[:, group], trait)[0, 1] for group in (0, 3, 11)]
    np.testing.assert_allclose(with_trait, np.sqrt(of_trait), atol=0.025)
    apart = [1, 2, 5]
    found = [np.corrcoef(score[:, 0], score[:, lag])[0, 1] for lag in apart]
    expected = [of_trait + (1 - of_trait) * persistence**lag for lag in apart]
    np.testing.assert_allclose(found, expected, atol=0.025)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_score_follows_from_its_seed(seed: int) -> None:
    trait = np.array([-1.0, 1.0])
    one, same, other = (
        drift(trait, 0.5, 0.5, np.random.default_rng(number)).score
        for number in (seed, seed, seed + 1)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("known", [-1, 0, 5, 11, 14])
def test_what_is_drawn_again_keeps_what_is_known_and_the_law_of_the_rest(known: int) -> None:
    n = 20_000
    rng = np.random.default_rng(3)
    one = drift(standardise(rng.standard_normal(n)), 0.5, 0.8, rng)
    again = one.redrawn(np.full(n, known), rng)
    same = slice(0, known + 1)
    np.testing.assert_array_equal(again.score[:, same], one.score[:, same])
    later = slice(known + 1, GROUPS)
    assert (again.score[:, later] != one.score[:, later]).all()
    np.testing.assert_allclose(np.corrcoef(again.score.T), np.corrcoef(one.score.T), atol=0.04)
    np.testing.assert_allclose(again.score.var(axis=0), 1, atol=0.05)


SEX = np.array([0, 0, 1, 1])
MEALS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("weight", "totals", "expected"),
    [
        ([1, 1, 1, 1], ([2, 2], [2, 2]), [1, 1, 1, 1]),
        ([1, 1, 1, 1], ([4, 2], [3, 3]), [2, 2, 1, 1]),
        # from independence to independence: 6 = 4 + 2 by sex, 1 + 5 by meals
        ([1, 1, 1, 1], ([4, 2], [1, 5]), [4 / 6, 20 / 6, 2 / 6, 10 / 6]),
        ([0, 1, 1, 0], ([1, 1], [1, 1]), [0, 1, 1, 0]),
    ],
)
def test_weights_have_the_sums_wanted_of_both_characteristics(
    weight: list[float], totals: tuple[list[float], list[float]], expected: list[float]
) -> None:
    factors = [np.ones(2), np.ones(2)]
    made = rake(
        np.array(weight, dtype=float),
        [SEX, MEALS],
        [np.array(total, dtype=float) for total in totals],
        factors,
        most=9,
    )
    np.testing.assert_allclose(made, expected)
    # the factors found give the same weights at once
    again = np.array(weight) * factors[0][SEX] * factors[1][MEALS]
    np.testing.assert_allclose(again, expected)


@pytest.mark.parametrize(
    ("most", "expected"), [(9.0, [4.0, 4.0]), (4.0, [4.0, 4.0]), (3.0, [3.0, 3.0])]
)
def test_no_weight_is_larger_than_the_largest(most: float, expected: list[float]) -> None:
    group = np.array([0, 0])
    made = rake(np.ones(2), [group], [np.array([8.0])], [np.ones(1)], most=most)
    assert made.tolist() == expected


def test_what_the_largest_weight_may_not_carry_others_carry() -> None:
    # 3 at most for the first, so that 3 of 6 are left for the second
    made = rake(
        np.array([9.0, 1.0]),
        [np.zeros(2, dtype=int)],
        [np.array([6.0])],
        [np.ones(1)],
        most=3,
        rounds=60,
    )
    np.testing.assert_allclose(made, [3, 3], rtol=1e-6)


def test_a_group_without_anybody_is_left_alone() -> None:
    factor = np.ones(2)
    made = rake(np.ones(2), [np.zeros(2, dtype=int)], [np.array([4.0, 5.0])], [factor], most=9)
    assert made.tolist() == [2.0, 2.0]
    assert factor.tolist() == [2.0, 1.0]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2)), min_size=1, max_size=8),
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
)
def test_of_one_characteristic_the_shape_within_a_group_is_kept(
    pupils: list[tuple[int, int]], totals: list[int]
) -> None:
    weight = np.array([w for w, _ in pupils], dtype=float)
    group = np.array([g for _, g in pupils])
    made = rake(weight, [group], [np.array(totals, dtype=float)], [np.ones(3)], most=1e9)
    for number, total in enumerate(totals):
        own = group == number
        if own.any():
            assert made[own].sum() == pytest.approx(total)
            np.testing.assert_allclose(made[own] / made[own].sum(), weight[own] / weight[own].sum())


@given(st.integers(0, 10**6), st.floats(1.0, 50.0), st.floats(0.05, 0.9))
def test_raking_reaches_totals_that_fit_together(seed: int, total: float, share: float) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.lognormal(0, 1, 500)
    groups = [rng.integers(0, 2, 500), rng.integers(0, 3, 500)]
    totals = [total * np.array([share, 1 - share]), total * np.array([0.2, 0.5, 0.3])]
    factors = [np.ones(2), np.ones(3)]
    raked = rake(weight, groups, totals, factors, most=1e9, rounds=60)
    for group, wanted in zip(groups, totals, strict=True):
        assert np.bincount(group, raked) == pytest.approx(wanted, rel=1e-3)
    again = weight * factors[0][groups[0]] * factors[1][groups[1]]
    assert raked == pytest.approx(again)


@given(st.integers(0, 10**6), st.floats(0.5, 3.0))
def test_raking_keeps_to_the_largest_weight(seed: int, most: float) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, 200)
    raked = rake(
        rng.lognormal(0, 2, 200), [group], [np.array([90.0, 60.0])], [np.ones(2)], most=most
    )
    assert raked.max() <= most
    assert raked.min() >= 0
