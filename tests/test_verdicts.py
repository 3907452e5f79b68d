"""Verdicts of the audit: exact tests by hand and beside SciPy, Holm's correction, the three words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, false_discovery_control, fisher_exact, norm

from riskmodel.fairness.verdicts import (
    DISPARITY,
    FEWEST_OUTCOMES,
    NO_EVIDENCE,
    TOO_FEW,
    compare_with_others,
    fisher_p,
    holm,
    judge,
    level_p,
)


def cells(**columns: Any) -> pd.DataFrame:
    usual = {
        "pupils": 40,
        "pupils_elsewhere": 400,
        "difference": 0.0,
        "error": 0.05,
        "chance_p": 0.0,
        "furthest": 1.0,
        "test": "a",
    }
    n = max((len(one) for one in columns.values() if isinstance(one, list)), default=1)
    return pd.DataFrame(usual | columns, index=range(n))


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04], [0.02, 0.04]),
        ([0.04, 0.01], [0.04, 0.02]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.01, 0.02, 0.5], [0.03, 0.04, 0.5]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([0.0, 1.0], [0.0, 1.0]),
    ],
)
def test_holms_correction_by_hand(p_values: list[float], corrected: list[float]) -> None:
    assert holm(p_values).tolist() == pytest.approx(corrected)


p_lists = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=12)


@given(p_lists)
def test_holm_lies_between_no_correction_and_bonferronis(p_values: list[float]) -> None:
    found = holm(p_values)
    assert (found >= np.array(p_values) - 1e-12).all()
    assert (found <= np.minimum(1, len(p_values) * np.array(p_values)) + 1e-12).all()
    assert (found >= false_discovery_control(p_values) - 1e-12).all()


@given(p_lists, st.randoms(use_true_random=False))
def test_holm_keeps_the_order_of_p_values_and_does_not_ask_for_one(
    p_values: list[float], random: Any
) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)
    given_ = np.array(p_values)
    assert holm(given_[order]).tolist() == holm(given_)[order].tolist()
    ranked = holm(given_)[np.argsort(given_, kind="stable")]
    assert (np.diff(ranked) >= 0).all()


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 12), st.integers(0, 12))
def test_fishers_p_is_twice_the_smaller_tail_of_scipy(a: int, b: int, c: int, d: int) -> None:
    n, rest = a + b, c + d
    if n and rest:
        tails = [
            fisher_exact([[a, b], [c, d]], alternative=side).pvalue for side in ("less", "greater")
        ]
        found = float(fisher_p(a / n, c / rest, n, rest))
        assert found == pytest.approx(min(1.0, 2 * min(tails)), abs=1e-9)


@pytest.mark.parametrize(("rate", "other_rate"), [(np.nan, 0.5), (0.5, np.nan), (np.nan, np.nan)])
def test_a_share_that_is_not_defined_has_a_p_value_of_1(rate: float, other_rate: float) -> None:
    assert float(fisher_p(rate, other_rate, 5, 50)) == 1


@pytest.mark.parametrize(("n", "rest"), [(5, 5), (3, 40), (100, 100)])
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_equal_shares_are_no_evidence_by_fishers_test(rate: float, n: int, rest: int) -> None:
    assert float(fisher_p(rate, rate, n, rest)) == 1


@pytest.mark.parametrize(
    ("expected", "others", "observed", "other_observed"),
    [(1.0, 1.0, 0, 5), (2.0, 8.0, 4, 6), (1.0, 9.0, 5, 5), (5.0, 5.0, 5, 5), (3.0, 1.0, 0, 0)],
)
def test_a_level_is_tested_as_a_share_of_all_outcomes(
    expected: float, others: float, observed: int, other_observed: int
) -> None:
    n, share = observed + other_observed, expected / (expected + others)
    tails = [1.0, 1.0]
    if n:
        tails = [
            binomtest(observed, n, share, alternative=side).pvalue for side in ("less", "greater")
        ]
    found = float(level_p(expected, others, observed, other_observed))
    assert found == pytest.approx(min(1.0, 2 * min(tails)))


@pytest.mark.parametrize(("expected", "others"), [(0.0, 0.0)])
def test_where_nothing_was_expected_either_side_is_as_likely(
    expected: float, others: float
) -> None:
    assert float(level_p(expected, others, 0, 5)) == pytest.approx(2 / 32)


@pytest.mark.parametrize("column", ["pupils", "pupils_elsewhere"])
@pytest.mark.parametrize(
    ("pupils", "verdict"),
    [(0, TOO_FEW), (FEWEST_OUTCOMES - 1, TOO_FEW), (FEWEST_OUTCOMES, DISPARITY)],
)
def test_fewer_than_five_on_either_side_are_too_few(column: str, pupils: int, verdict: str) -> None:
    row = judge(cells(difference=0.5, **{column: pupils})).iloc[0]
    assert row["verdict"] == verdict
    assert np.isnan(row["p_value"]) == (verdict == TOO_FEW)


@pytest.mark.parametrize(
    ("standard_errors", "verdict"),
    [
        (0.0, NO_EVIDENCE),
        (1.95, NO_EVIDENCE),
        (1.97, DISPARITY),
        (-1.97, DISPARITY),
        (9, DISPARITY),
    ],
)
def test_a_gap_of_1_96_standard_errors_is_a_disparity(standard_errors: float, verdict: str) -> None:
    row = judge(cells(difference=0.05 * standard_errors)).iloc[0]
    assert row["verdict"] == verdict
    assert row["p_value"] == pytest.approx(2 * norm.sf(abs(standard_errors)), rel=1e-6)


@pytest.mark.parametrize(("chance_p", "verdict"), [(0.049, DISPARITY), (0.051, NO_EVIDENCE)])
def test_the_exact_test_has_the_last_word(chance_p: float, verdict: str) -> None:
    row = judge(cells(difference=0.9, chance_p=chance_p)).iloc[0]
    assert row["p_value"] == chance_p
    assert row["verdict"] == verdict


@pytest.mark.parametrize(
    ("furthest", "verdict"), [(0.10, TOO_FEW), (0.15, NO_EVIDENCE), (np.inf, NO_EVIDENCE)]
)
def test_where_no_possible_gap_would_be_found_there_is_no_verdict(
    furthest: float, verdict: str
) -> None:
    # the detectable gap is (1.960 + 0.842) × 0.05 = 0.1401
    row = judge(cells(furthest=furthest)).iloc[0]
    assert row["detectable"] == pytest.approx(0.14008, abs=1e-4)
    assert row["verdict"] == verdict


@pytest.mark.parametrize("difference", [np.nan, np.inf, -np.inf])
def test_a_gap_that_is_not_a_number_is_too_few(difference: float) -> None:
    assert judge(cells(difference=difference))["verdict"].tolist() == [TOO_FEW]


@pytest.mark.parametrize("error", [0.0, np.nan, np.inf])
def test_without_a_standard_error_no_gap_is_detectable(error: float) -> None:
    assert np.isnan(judge(cells(error=error))["detectable"].iloc[0])


@pytest.mark.parametrize(
    ("questions", "asked"), [(["a", "a"], 1), (["a", "b"], 2), (["a", "b", "b", "c"], 3)]
)
def test_cells_of_one_question_are_corrected_once(questions: list[str], asked: int) -> None:
    p = 2 * norm.sf(2.0)  # a gap of two standard errors in every cell
    judged = judge(cells(difference=0.1, test=questions))
    assert judged["p_value"].tolist() == pytest.approx([min(1, asked * p)] * len(questions))
    factor = norm.isf(0.025 / asked) + norm.isf(0.2)
    assert judged["detectable"].tolist() == pytest.approx([0.05 * factor] * len(questions))


def test_the_larger_p_value_of_one_question_counts_for_both() -> None:
    judged = judge(cells(difference=[0.5, 0.01], test=["a", "a"]))
    assert judged["verdict"].tolist() == [NO_EVIDENCE, NO_EVIDENCE]
    assert judged["p_value"].nunique() == 1


def test_what_was_not_tested_is_not_counted_as_a_question() -> None:
    alone = judge(cells(difference=[0.1], test=["a"]))
    beside = judge(cells(difference=[0.1, 0.1], test=["a", "b"], pupils=[40, 2]))
    assert beside["p_value"].iloc[0] == alone["p_value"].iloc[0]


@pytest.mark.parametrize("column", ["error", "chance_p", "furthest", "test"])
def test_working_columns_are_not_handed_on(column: str) -> None:
    assert column not in judge(cells())


@pytest.mark.parametrize(
    ("own", "others", "difference", "ratio"),
    [
        ([0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 0.25, 2.0),
        ([0.0, 0.0, 0.0], [0.5, 0.5, 0.5], -0.5, 0.0),
        ([0.5, 0.5, 0.5], [0.0, 0.0, 0.0], 0.5, np.nan),
        ([np.nan, 0.5, 0.5], [0.5, 0.5, 0.5], np.nan, np.nan),
    ],
)
def test_a_group_minus_and_over_all_others(
    own: list[float], others: list[float], difference: float, ratio: float
) -> None:
    row = compare_with_others(
        np.array(own)[:, None],
        np.array(others)[:, None],
        [10],
        [90],
        chance_p=[0.5],
        chance_error=[0.1],
        furthest=[1.0],
    ).iloc[0]
    assert row["difference"] == pytest.approx(difference, nan_ok=True)
    assert row["ratio"] == pytest.approx(ratio, nan_ok=True)
    assert (row["pupils"], row["pupils_elsewhere"]) == (10, 90)


@pytest.mark.parametrize(
    ("chance_error", "spread", "error"),
    [
        (0.0, [0.4, 0.6], 0.1),
        (0.05, [0.4, 0.6], 0.1),
        (0.3, [0.4, 0.6], 0.3),
        (0.3, [0.5, 0.5], 0.3),
    ],
)
def test_the_larger_standard_error_counts(
    chance_error: float, spread: list[float], error: float
) -> None:
    row = compare_with_others(
        np.array([0.5, *spread])[:, None],
        np.zeros((3, 1)),
        [10],
        [90],
        chance_p=[0.0],
        chance_error=[chance_error],
        furthest=[1.0],
    ).iloc[0]
    assert row["error"] == pytest.approx(error)
