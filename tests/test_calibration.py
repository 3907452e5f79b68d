"""Calibration: figures by hand, beside scikit-learn, and where nothing can be measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from riskmodel.evaluation.calibration import Calibration, calibration
from riskmodel.evaluation.metrics import poisson_interval
from riskmodel.evaluation.resampling import Resamples

MEASURES = [
    "outcomes expected",
    "outcomes observed",
    "expected over observed",
    "slope",
    "intercept",
    "Brier score",
    "miscalibration",
    "discrimination",
    "uncertainty",
]

RISKS = [0.01, 0.05, 0.2, 0.5, 0.9]
rows_of_a_list = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(RISKS)), min_size=1, max_size=20
)


def made_of(outcome: Any, risk: Any, **more: Any) -> Calibration:
    """Without resampling: each of two draws holds every pupil once."""
    n = len(outcome)
    once = Resamples(np.ones((n, 3), dtype=np.uint8), np.arange(n))
    return calibration(outcome, risk, once, **more)


def test_the_summary_names_its_measures_in_order() -> None:
    summary = made_of([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]).summary
    assert summary["measure"].tolist() == MEASURES
    assert list(summary) == ["measure", "value", "low", "high"]


@pytest.mark.parametrize(
    ("outcome", "risk", "expected", "observed", "level"),
    [
        ([1, 0], [0.5, 0.25], 0.75, 1, 0.75),
        ([1, 1, 1, 1], [0.5] * 4, 2.0, 4, 0.5),
        ([1, 0, 0, 0], [0.5] * 4, 2.0, 1, 2.0),
        ([0, 0], [0.1, 0.2], 0.3, 0, None),
    ],
)
def test_expected_and_observed_by_hand(
    outcome: list[int], risk: list[float], expected: float, observed: int, level: float | None
) -> None:
    made = made_of(outcome, risk)
    assert made.value("outcomes expected") == pytest.approx(expected)
    assert made.value("outcomes observed") == observed
    found = made.value("expected over observed")
    assert np.isnan(found) if level is None else found == pytest.approx(level)


@pytest.mark.parametrize("outcome", [0, 1])
def test_where_all_are_alike_there_is_no_slope_and_no_intercept(outcome: int) -> None:
    made = made_of([outcome] * 5, [0.1, 0.2, 0.3, 0.4, 0.5])
    assert np.isnan(made.value("slope"))
    assert np.isnan(made.value("intercept"))
    assert made.value("uncertainty") == 0
    assert made.value("discrimination") == 0


@pytest.mark.parametrize("risk", [0.05, 0.2, 0.5, 0.8])
def test_the_base_rate_as_everybodys_risk_has_no_miscalibration(risk: float) -> None:
    outcome = np.arange(20) < 20 * risk
    made = made_of(outcome, np.full(20, risk))
    assert made.value("miscalibration") == pytest.approx(0, abs=1e-12)
    assert made.value("discrimination") == pytest.approx(0, abs=1e-12)
    assert made.value("Brier score") == pytest.approx(risk * (1 - risk))
    assert made.value("expected over observed") == pytest.approx(1)


@pytest.mark.parametrize("shift", [-2.0, -0.5, 0.5, 2.0])
def test_the_intercept_is_what_the_log_odds_lack(shift: float) -> None:
    # half of the pupils have the outcome, and everybody's log-odds are the shift
    made = made_of([0, 1] * 50, np.full(100, 1 / (1 + np.exp(-shift))))
    assert made.value("intercept") == pytest.approx(-shift, abs=0.011)


@pytest.mark.parametrize(("times", "slope"), [(0.5, 2.0), (1.0, 1.0), (2.0, 0.5)])
def test_a_slope_below_1_means_risks_that_are_too_extreme(times: float, slope: float) -> None:
    # 27 of 30 of the one half, 3 of 30 of the other: log-odds of ± ln 9
    outcome = np.r_[np.arange(30) < 27, np.arange(30) < 3]
    log_odds = times * np.repeat([np.log(9), -np.log(9)], 30)
    made = made_of(outcome, 1 / (1 + np.exp(-log_odds)))
    assert made.value("slope") == pytest.approx(slope, rel=0.01)


@given(rows_of_a_list)
@settings(max_examples=25, deadline=None)
def test_the_parts_of_the_brier_score_add_up_and_none_is_negative(
    rows: list[tuple[int, float]],
) -> None:
    outcome, risk = np.array(rows).T
    made = made_of(outcome, risk)
    parts = [made.value(f"{name}") for name in ("miscalibration", "discrimination", "uncertainty")]
    assert all(part >= -1e-12 for part in parts)
    brier = made.value("Brier score")
    assert brier == pytest.approx(parts[0] - parts[1] + parts[2])
    assert brier == pytest.approx(brier_score_loss(outcome, risk, labels=[0, 1]))


@given(rows_of_a_list)
@settings(max_examples=25, deadline=None)
def test_the_curve_never_falls_and_is_scikit_learns(rows: list[tuple[int, float]]) -> None:
    outcome, risk = np.array(rows).T
    curve = made_of(outcome, risk).curve
    assert (np.diff(curve["risk"]) > 0).all()
    assert (np.diff(curve["observed"]) >= -1e-12).all()
    reference = IsotonicRegression(y_min=0, y_max=1).fit(risk, outcome)
    expected = reference.predict(np.unique(risk))
    assert curve["observed"].tolist() == pytest.approx(list(expected))


@pytest.mark.parametrize(
    ("n", "sizes"),
    [(10, [1] * 10), (20, [2] * 10), (100, [10] * 10), (5, [1] * 5), (1, [1]), (13, None)],
)
def test_tenths_are_as_equal_as_they_can_be(n: int, sizes: list[int] | None) -> None:
    parts = made_of(np.arange(n) % 2, np.linspace(0.1, 0.9, n)).parts
    rows = parts[parts["by"] == "tenth of risk"]["rows"].tolist()
    assert sum(rows) == n
    assert max(rows) - min(rows) <= 1
    if sizes is not None:
        assert rows == sizes


@pytest.mark.parametrize("constant", [0.02, 0.5])
def test_equal_risks_still_make_tenths(constant: float) -> None:
    parts = made_of(np.arange(40) % 2, np.full(40, constant)).parts
    assert parts["part"].tolist() == [f"{number:>2} of 10" for number in range(1, 11)]
    assert parts["expected"].tolist() == pytest.approx([4 * constant] * 10)


@pytest.mark.parametrize(
    ("phase", "found"),
    [
        (None, {"tenth of risk"}),
        (["Primary"] * 6, {"tenth of risk", "phase"}),
        (["Primary", "Secondary"] * 3, {"tenth of risk", "phase"}),
    ],
)
def test_phases_are_shown_where_they_are_known(phase: Any, found: set[str]) -> None:
    parts = made_of([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], phase=phase).parts
    assert set(parts["by"]) == found
    for _, part in parts.groupby("by"):
        assert part["rows"].sum() == 6
        assert part["observed"].sum() == 3
        assert part["expected"].sum() == pytest.approx(2.1)


@pytest.mark.parametrize(
    ("observed", "level"), [([1, 1, 0], 0.75), ([1, 0, 0], 1.5), ([0, 0, 0], None)]
)
def test_a_part_without_outcomes_has_no_ratio(observed: list[int], level: float | None) -> None:
    made = made_of([*observed, 1], [0.5] * 4, phase=["x"] * 3 + ["y"])
    row = made.parts[made.parts["part"] == "x"].iloc[0]
    assert (row["expected"], row["observed"]) == (1.5, sum(observed))
    assert np.isnan(row["ratio"]) if level is None else row["ratio"] == level


@pytest.mark.parametrize("measure", ["Slope", "", "brier"])
def test_a_measure_that_is_not_in_the_summary_is_an_error(measure: str) -> None:
    with pytest.raises(KeyError, match=repr(measure)):
        made_of([0, 1], [0.2, 0.3]).value(measure)


@pytest.mark.parametrize("words", ["Brier score", "expected over observed", "95% intervals"])
def test_the_summary_is_shown_in_a_notebook(words: str) -> None:
    assert words in made_of([0, 1], [0.2, 0.3])._repr_html_()


@given(rows_of_a_list, st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_of_the_rows_changes_no_value(rows: list[tuple[int, float]], random: Any) -> None:
    mixed = list(rows)
    random.shuffle(mixed)
    values = [made_of(*np.array(one).T).summary["value"].to_numpy() for one in (rows, mixed)]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("times", [0.3, 1.0, 2.5, 4.0])
def test_a_slope_of_rare_outcomes_is_that_of_a_logistic_regression(times: float) -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-7, 1.5, 12_000)
    outcome = (rng.random(12_000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    given_ = np.round((log_odds - 4) / times, 1)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=500, solver="newton-cholesky")
    reference.fit(given_[:, None], outcome)
    made = made_of(outcome, 1 / (1 + np.exp(-given_)))
    assert made.value("slope") == pytest.approx(reference.coef_[0, 0], rel=1e-4)


def test_where_the_highest_risks_have_all_outcomes_no_slope_is_the_likeliest() -> None:
    assert np.isnan(made_of([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5]).value("slope"))


def test_the_level_of_those_listed_has_the_exact_interval_of_its_pupils() -> None:
    # P0 had the outcome and holds a place on each of two lists; nobody else listed had it
    outcome, risk = np.array([1, 0, 0, 1, 0, 1.0]), np.array([0.5, 0.4, 0.1, 0.6, 0.3, 0.1])
    resamples = Resamples(np.ones((3, 3), dtype=np.uint8), np.array([0, 1, 2, 0, 1, 2]))
    listed = [True, True, False, True, False, False]
    (row,) = calibration(outcome, risk, resamples, listed=listed).listed.to_dict("records")
    assert (row["places"], row["observed"], row["pupils"]) == (3, 2, 1)
    assert row["ratio"] == pytest.approx(1.5 / 2)
    low, high = poisson_interval(1)
    assert (row["low"], row["high"]) == pytest.approx((0.75 / float(high), 0.75 / float(low)))


def test_places_without_an_outcome_have_a_least_ratio_only() -> None:
    made = made_of([0, 0, 1], [0.3, 0.2, 0.1], listed=[True, True, False])
    (row,) = made.listed.to_dict("records")
    assert row["low"] == pytest.approx(0.5 / 3.689, rel=1e-3)  # Garwood's upper end
    assert np.isnan(row["ratio"])
    assert np.isnan(row["high"])


def test_where_the_lists_are_not_given_nobody_is_listed() -> None:
    assert made_of([0, 1], [0.1, 0.2]).listed.empty
