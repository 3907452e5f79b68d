"""Draws of pupils: what a draw is, the ends of intervals, and shares that are never certain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.evaluation.resampling import Resamples, bounds, widen_degenerate, with_bounds

N_DRAWS = 400

some_pupils = st.lists(st.sampled_from("abcde"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("pupils", "distinct"),
    [(["a"], 1), (["a", "a", "a"], 1), (list("abc"), 3), (list("abcabc"), 3), ([3, 1, 3], 2)],
)
def test_as_many_pupils_are_drawn_as_there_are(pupils: list[Any], distinct: int) -> None:
    resamples = Resamples.draw(pd.Series(pupils), 0)
    assert resamples.counts.shape == (distinct, 1 + N_DRAWS)
    assert (resamples.counts.sum(axis=0) == distinct).all()
    assert (resamples.counts[:, 0] == 1).all()


@pytest.mark.parametrize("rows", [[0], [2, 0], [1, 1, 1], []])
def test_rows_of_a_pupil_have_the_weight_of_the_pupil(rows: list[int]) -> None:
    resamples = Resamples.draw(pd.Series(list("aba")), 4)
    weights = resamples.of(np.array(rows, dtype=np.int64))
    assert weights.shape == (len(rows), 1 + N_DRAWS)
    for place, row in enumerate(rows):
        assert (weights[place] == resamples.counts["aba".index("aba"[row])]).all()


@given(some_pupils, st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_the_same_seed_gives_the_same_draws(pupils: list[str], seed: int) -> None:
    one, other = (Resamples.draw(pd.Series(pupils), seed) for _ in range(2))
    assert (one.counts == other.counts).all()
    assert (one.pupil == other.pupil).all()


@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (7, 77)])
def test_another_seed_gives_other_draws(one: int, other: int) -> None:
    pupils = pd.Series(range(30))
    draws = [Resamples.draw(pupils, seed).counts for seed in (one, other)]
    assert (draws[0] != draws[1]).any()


@given(some_pupils, st.data())
@settings(max_examples=25, deadline=None)
def test_sums_equal_those_of_the_rows_repeated(pupils: list[str], data: Any) -> None:
    group = data.draw(st.lists(st.integers(-1, 2), min_size=len(pupils), max_size=len(pupils)))
    value = data.draw(st.lists(st.integers(-4, 4), min_size=len(pupils), max_size=len(pupils)))
    resamples = Resamples.draw(pd.Series(pupils), 1)
    sums = resamples.sums(group, 3, value)
    for draw in (0, 1, N_DRAWS):
        weight = resamples.counts[resamples.pupil, draw].astype(int)
        for number in range(3):
            rows = [place for place, code in enumerate(group) if code == number]
            assert sums[draw, number] == sum(int(weight[row]) * value[row] for row in rows)


@pytest.mark.parametrize(
    ("group", "first"),
    [
        ([0, 0, 1], [2, 1, 0]),
        ([2, 2, 2], [0, 0, 3]),
        ([-1, -1, -1], [0, 0, 0]),
        ([-1, 1, 0], [1, 1, 0]),
    ],
)
def test_without_values_rows_are_counted_and_minus_1_is_in_no_group(
    group: list[int], first: list[int]
) -> None:
    sums = Resamples.draw(pd.Series(list("abc")), 0).sums(group, 3)
    assert sums.shape == (1 + N_DRAWS, 3)
    assert sums[0].tolist() == first


@pytest.mark.parametrize(
    ("missing", "is_lost"), [(0, False), (1, False), (10, False), (11, True), (400, True)]
)
def test_a_fortieth_of_the_draws_may_be_undefined(missing: int, is_lost: bool) -> None:
    draws = np.r_[0.5, np.linspace(0, 1, N_DRAWS)]
    draws[1 : 1 + missing] = np.nan
    low, high = bounds(draws)
    assert np.isnan(low) == np.isnan(high) == is_lost


@pytest.mark.parametrize("figure", [0.0, 0.25, -3.0, 1e9])
def test_draws_that_never_differ_have_an_interval_of_no_width(figure: float) -> None:
    low, high = bounds(np.full(401, figure))
    assert (float(low), float(high)) == (figure, figure)


def test_a_figure_that_is_not_defined_has_no_interval_whatever_the_draws() -> None:
    low, high = bounds(np.r_[np.nan, np.linspace(0, 1, 400)])
    assert np.isnan(low)
    assert np.isnan(high)


@given(st.lists(st.integers(-5, 5), min_size=40, max_size=60), st.integers(1, 9))
def test_bounds_grow_with_the_figure_and_stay_in_order(draws: list[int], times: int) -> None:
    values = np.array(draws, float)
    low, high = bounds(values)
    assert low <= high
    wide_low, wide_high = bounds(times * values + 1)
    assert (wide_low, wide_high) == pytest.approx((times * low + 1, times * high + 1))


@pytest.mark.parametrize(
    ("share", "n", "changed"),
    [(0.0, 7, True), (1.0, 7, True), (0.5, 7, False), (0.999, 7, False), (np.nan, 0, False)],
)
def test_only_a_share_of_0_or_1_gets_wilsons_interval(share: float, n: int, changed: bool) -> None:
    row = {"recall": share, "recall_low": -9.0, "recall_high": -9.0, "other": 1.0}
    made = widen_degenerate(row, {"recall": n})
    expected = wilson_interval(share * n, n) if changed else (-9.0, -9.0)
    assert (made["recall_low"], made["recall_high"]) == pytest.approx(tuple(map(float, expected)))
    assert made["other"] == 1.0
    assert row["recall_low"] == -9.0  # the row that was given is left alone


@pytest.mark.parametrize(
    ("share", "n", "ends"),
    [
        (0.0, 4, (0.0, 0.4899)),
        (1.0, 4, (0.5101, 1.0)),
        (0.0, 20, (0.0, 0.1611)),
        (1.0, 1, (0.2065, 1.0)),
    ],
)
def test_the_interval_of_none_or_all_by_hand(
    share: float, n: int, ends: tuple[float, float]
) -> None:
    # none of n: from 0 to z² / (n + z²) with z² = 3.8415
    made = widen_degenerate({"p": share, "p_low": share, "p_high": share}, {"p": n})
    assert (made["p_low"], made["p_high"]) == pytest.approx(ends, abs=1e-4)


@pytest.mark.parametrize("names", [[], ["a"], ["b", "a"]])
def test_a_row_holds_each_figure_with_its_two_ends(names: list[str]) -> None:
    row = with_bounds({name: np.linspace(0, 1, 401) for name in names})
    assert list(row) == [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
    for name in names:
        assert row[name] == 0
        assert row[f"{name}_low"] == pytest.approx(0.0274, abs=1e-3)
        assert row[f"{name}_high"] == pytest.approx(0.975, abs=1e-3)
