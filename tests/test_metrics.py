"""Metrics of one list: known values, limits, ties, exact intervals, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu, poisson
from sklearn.metrics import average_precision_score, roc_auc_score

from riskmodel.evaluation.metrics import (
    auc_of_ranks,
    average_precision,
    expected_over_observed,
    pairs_in_order,
    poisson_interval,
    precision_at_k,
    precision_gained,
    ranks_of,
    recall_at_k,
    roc_auc,
    wilson_interval,
)

Metric = Callable[[Any, Any], float]

WITHOUT_CAPACITY: dict[str, Metric] = {
    "average_precision": average_precision,
    "roc_auc": roc_auc,
    "expected_over_observed": expected_over_observed,
}
METRICS: dict[str, Metric] = WITHOUT_CAPACITY | {
    "precision_at_k": lambda y, s: precision_at_k(y, s, k=2),
    "recall_at_k": lambda y, s: recall_at_k(y, s, k=2),
}

two_kinds = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=30)


@pytest.mark.parametrize(
    ("name", "perfect"),
    [
        ("average_precision", 1.0),
        ("roc_auc", 1.0),
        ("precision_at_k", 1.0),
        ("recall_at_k", 1.0),
        ("expected_over_observed", (9 + 8 + 3 + 2 + 1) / 2),
    ],
)
def test_a_perfect_ranking_has_the_highest_value(name: str, perfect: float) -> None:
    assert METRICS[name]([1, 1, 0, 0, 0], [9, 8, 3, 2, 1]) == pytest.approx(perfect)


@pytest.mark.parametrize(
    ("name", "worst"),
    [
        ("average_precision", (1 / 4 + 2 / 5) / 2),
        ("roc_auc", 0.0),
        ("precision_at_k", 0.0),
        ("recall_at_k", 0.0),
    ],
)
def test_a_ranking_upside_down_has_the_lowest_value(name: str, worst: float) -> None:
    assert METRICS[name]([1, 1, 0, 0, 0], [1, 2, 3, 8, 9]) == pytest.approx(worst)


@pytest.mark.parametrize(
    ("name", "chance"),
    [
        ("average_precision", 0.4),
        ("roc_auc", 0.5),
        ("precision_at_k", 0.4),
        ("recall_at_k", 0.4),
    ],
)
@pytest.mark.parametrize("constant", [0.0, 0.7, -1e9, 1e300])
def test_a_constant_score_has_the_value_of_chance(
    name: str, chance: float, constant: float
) -> None:
    # 2 of 5 have the outcome, and 2 of 5 places are drawn by lot
    assert METRICS[name]([1, 0, 1, 0, 0], [constant] * 5) == pytest.approx(chance)


@pytest.mark.parametrize(
    "name", ["average_precision", "roc_auc", "recall_at_k", "expected_over_observed"]
)
def test_where_nobody_had_the_outcome_the_metric_is_not_defined(name: str) -> None:
    assert np.isnan(METRICS[name]([0, 0, 0], [0.3, 0.2, 0.1]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("average_precision", 1.0),
        ("precision_at_k", 1.0),
        ("recall_at_k", 2 / 3),
        ("roc_auc", None),
    ],
)
def test_where_everybody_had_the_outcome_there_is_no_pair_but_a_precision(
    name: str, value: float | None
) -> None:
    found = METRICS[name]([1, 1, 1], [0.3, 0.2, 0.1])
    assert np.isnan(found) if value is None else found == pytest.approx(value)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("outcome", "score", "words"),
    [
        ([0, 1, 1], [0.1, 0.2], r"as long as each other; got shapes \(3,\) and \(2,\)"),
        ([[0, 1]], [[0.1, 0.2]], "as long as each other"),
        ([0, 2], [0.1, 0.2], "must hold 0 and 1 only; drop rows whose outcome is not known"),
        ([0, np.nan], [0.1, 0.2], "must hold 0 and 1 only"),
        ([0, -1], [0.1, 0.2], "must hold 0 and 1 only"),
        ([0, 1, 1], [0.1, np.nan, np.nan], "must not be missing; 2 values are"),
    ],
)
def test_every_metric_refuses_the_same_input(
    name: str, outcome: Any, score: Any, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        METRICS[name](outcome, score)


@pytest.mark.parametrize("metric", [precision_at_k, recall_at_k])
@pytest.mark.parametrize("k", [-1, 0, 4, 100])
def test_a_capacity_that_does_not_fit_is_refused(metric: Any, k: int) -> None:
    with pytest.raises(ValueError, match=rf"number of pupils \(3\), got {k}"):
        metric([1, 0, 0], [3, 2, 1], k=k)


@pytest.mark.parametrize(
    ("k", "precision", "recall"),
    [
        (1, 1.0, 1 / 3),
        (2, (1 + 2 / 3) / 2, (1 + 2 / 3) / 3),  # one of three equal pupils, two with the outcome
        (3, (1 + 4 / 3) / 3, (1 + 4 / 3) / 3),
        (4, 3 / 4, 1.0),
        (5, 3 / 5, 1.0),
    ],
)
def test_equal_pupils_across_the_line_count_in_proportion(
    k: int, precision: float, recall: float
) -> None:
    outcome, score = [1, 1, 0, 1, 0], [0.9, 0.5, 0.5, 0.5, 0.1]
    assert precision_at_k(outcome, score, k=k) == pytest.approx(precision)
    assert recall_at_k(outcome, score, k=k) == pytest.approx(recall)


@given(two_kinds, st.integers(1, 30))
def test_recall_and_precision_count_the_same_pupils(rows: list[tuple[int, int]], k: int) -> None:
    outcome, score = np.array(rows).T
    k = min(k, len(rows))
    if outcome.any():
        found = recall_at_k(outcome, score, k=k) * outcome.sum()
        assert found == pytest.approx(precision_at_k(outcome, score, k=k) * k)


@given(two_kinds)
def test_recall_never_falls_as_the_list_grows_and_ends_at_1(rows: list[tuple[int, int]]) -> None:
    outcome, score = np.array(rows).T
    if outcome.any():
        recall = [recall_at_k(outcome, score, k=k) for k in range(1, len(rows) + 1)]
        assert np.all(np.diff(recall) >= -1e-12)
        assert recall[-1] == pytest.approx(1)


@given(two_kinds)
def test_turning_the_score_round_turns_the_auc_round(rows: list[tuple[int, int]]) -> None:
    outcome, score = np.array(rows).T
    assert roc_auc(outcome, -score) == pytest.approx(1 - roc_auc(outcome, score), nan_ok=True)


@pytest.mark.parametrize(
    ("score", "auc"),
    [
        ([4, 3, 2, 1], 0.75),
        ([1, 2, 3, 4], 0.25),
        ([2, 2, 1, 1], 0.5),
        ([2, 1, 2, 1], 1.0),
        ([2, 2, 2, 1], 0.75),
        ([1, 2, 2, 2], 0.25),
    ],
)
def test_auc_by_counting_pairs(score: list[int], auc: float) -> None:
    # outcomes 1, 0, 1, 0: four pairs, a tie is half a pair
    assert roc_auc([1, 0, 1, 0], score) == pytest.approx(auc)


@pytest.mark.parametrize(
    ("ranks", "n_positive", "pairs"),
    [(0, 0, 0), (1, 1, 0), (5, 1, 4), (3, 2, 0), (9, 2, 6), (3.5, 1, 2.5)],
)
def test_pairs_follow_from_the_sum_of_ranks(ranks: float, n_positive: int, pairs: float) -> None:
    assert float(pairs_in_order(ranks, n_positive)) == pairs


@given(two_kinds)
def test_pairs_equal_the_statistic_of_mann_and_whitney(rows: list[tuple[int, int]]) -> None:
    outcome, score = np.array(rows).T
    if 0 < outcome.sum() < len(outcome):
        rank = ranks_of(score[:, None].astype(float))[:, 0]
        with_it, without = score[outcome == 1], score[outcome == 0]
        expected = mannwhitneyu(with_it, without).statistic
        assert pairs_in_order(rank[outcome == 1].sum(), outcome.sum()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "ranks"),
    [
        ([3.0, 1.0, 2.0], [3, 1, 2]),
        ([1.0, 1.0, 1.0], [2, 2, 2]),
        ([np.nan, 0.0, np.nan], [1.5, 3, 1.5]),
        ([-np.inf, np.nan, 5.0], [1.5, 1.5, 3]),
        ([0.0, -0.0, 1.0], [1.5, 1.5, 3]),
        ([7.0], [1]),
    ],
)
def test_ranks_of_one_column(values: list[float], ranks: list[float]) -> None:
    assert ranks_of(np.array(values)[:, None])[:, 0].tolist() == ranks


@pytest.mark.parametrize("positive", [[True] * 3, [False] * 3])
def test_the_auc_of_one_kind_of_rows_is_not_defined(positive: list[bool]) -> None:
    rank = ranks_of(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]))
    assert np.isnan(auc_of_ranks(rank, np.array(positive))).tolist() == [True, True]


@given(two_kinds)
def test_the_auc_of_ranks_equals_scikit_learns(rows: list[tuple[int, int]]) -> None:
    outcome, score = np.array(rows).T
    if 0 < outcome.sum() < len(outcome):
        rank = ranks_of(np.column_stack([score, -(score**2)]).astype(float))
        expected = [roc_auc_score(outcome, score), roc_auc_score(outcome, -(score**2))]
        assert auc_of_ranks(rank, outcome == 1) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("found", "listed", "gained", "expected"),
    [
        ([1.0, 2.0], [1.0, 3.0], [1.0, 1.0], [1.0, 2 / 3]),
        ([0.0, 1.0], [2.0, 4.0], [0.0, 1.0], [0.0, 0.25]),
        ([0.0], [0.0], [0.0], [0.0]),  # a draw without a row of the step
        ([3.0], [6.0], [3.0], [1.5]),
    ],
)
def test_precision_gained_by_hand(
    found: list[float], listed: list[float], gained: list[float], expected: list[float]
) -> None:
    steps = precision_gained(np.array(found), np.array(listed), np.array(gained))
    assert steps.tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("outcome", "score", "expected"),
    [
        ([1, 0, 0, 0], [4, 3, 2, 1], 1.0),
        ([0, 0, 0, 1], [4, 3, 2, 1], 0.25),
        ([0, 1, 0, 1], [4, 3, 2, 1], 0.5),
        ([1, 0, 0, 1], [2, 2, 1, 1], 0.5),  # 1 of 2, then 2 of 4
        ([0, 1], [-1e300, 1e300], 1.0),
    ],
)
def test_average_precision_by_hand(outcome: list[int], score: list[float], expected: float) -> None:
    assert average_precision(outcome, score) == pytest.approx(expected)
    assert average_precision_score(outcome, score) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("risk", "level"),
    [([0.5, 0.5, 0.0], 0.5), ([1.0, 1.0, 0.0], 1.0), ([1.0, 1.0, 1.0], 1.5), ([0.0] * 3, 0.0)],
)
def test_expected_over_observed_is_below_1_for_risks_too_low(
    risk: list[float], level: float
) -> None:
    assert expected_over_observed([1, 1, 0], risk) == pytest.approx(level)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # Garwood's exact limits, table of Ulm (1990), "A simple method", Am J Epidemiol 131
        (0, 0.0, 3.689),
        (1, 0.025, 5.572),
        (2, 0.242, 7.225),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (100, 81.364, 121.627),
    ],
)
def test_the_interval_of_a_count_is_garwoods(count: int, low: float, high: float) -> None:
    ends = poisson_interval(count)
    assert (float(ends[0]), float(ends[1])) == pytest.approx((low, high), abs=6e-4)


@given(st.integers(1, 400))
def test_each_end_of_the_interval_of_a_count_leaves_a_fortieth(count: int) -> None:
    low, high = map(float, poisson_interval(count))
    assert poisson.sf(count - 1, low) == pytest.approx(0.025)
    assert poisson.cdf(count, high) == pytest.approx(0.025)


@pytest.mark.parametrize("count", [np.nan, [np.nan, np.nan]])
def test_a_count_that_is_missing_has_no_interval(count: Any) -> None:
    low, high = poisson_interval(count)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@pytest.mark.parametrize(
    ("successes", "n"), [(0, 1), (1, 1), (0, 5), (5, 5), (1, 2), (3, 10), (81, 263), (15, 148)]
)
def test_wilsons_interval_equals_scipys(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    low, high = wilson_interval(successes, n)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.integers(0, 50), st.integers(1, 50))
def test_wilsons_interval_holds_the_share_and_turns_round_with_it(
    successes: int, more: int
) -> None:
    n = successes + more
    low, high = wilson_interval(successes, n)
    assert 0 <= low <= successes / n + 1e-12
    assert successes / n - 1e-12 <= high <= 1
    other_low, other_high = wilson_interval(more, n)
    assert (float(other_low), float(other_high)) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("few", "many"), [((1, 2), (10, 20)), ((0, 5), (0, 50)), ((4, 4), (9, 9))])
def test_more_pupils_make_a_narrower_interval(few: tuple[int, int], many: tuple[int, int]) -> None:
    widths = [float(np.subtract(*wilson_interval(*one)[::-1])) for one in (few, many)]
    assert widths[0] > widths[1] > 0
