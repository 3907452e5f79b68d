"""Calibration of margins: by hand, beside scikit-learn, and never on a list's own outcomes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from riskmodel.training.affine_calibration import (
    AffineCalibration,
    calibrated_on_others,
    fit_affine,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("intercept", "slope", "margin", "log_odds"),
    [(0.0, 1.0, 2.5, 2.5), (-1.0, 1.0, 0.0, -1.0), (-1.0, 0.5, 4.0, 1.0), (3.0, 0.05, -2.0, 2.9)],
)
def test_a_margin_is_scaled_and_moved(
    intercept: float, slope: float, margin: float, log_odds: float
) -> None:
    made = AffineCalibration(intercept, slope)
    assert float(made.apply(margin)) == pytest.approx(log_odds)
    assert float(made.scale(margin)) == pytest.approx(log_odds - intercept)
    assert made.apply(np.array([margin, margin])).tolist() == pytest.approx([log_odds] * 2)


@pytest.mark.parametrize(
    ("margin", "outcome"),
    [
        ([], []),
        ([1.0, 2.0], [0, 0]),
        ([1.0, 2.0], [1, 1]),
        ([NAN, NAN], [0, 1]),
        ([NAN, 2.0], [0, 1]),  # the only row without the outcome has no margin
        ([np.inf, 2.0, 1.0], [1, 0, 0]),
    ],
)
def test_where_all_are_alike_the_margins_stay(margin: list[float], outcome: list[int]) -> None:
    assert fit_affine(margin, outcome) == AffineCalibration(0.0, 1.0)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_margins_without_information_get_the_log_odds_of_the_rate(rate: float) -> None:
    outcome = np.arange(100) < 100 * rate
    found = fit_affine(np.zeros(100), outcome)
    assert found.slope == pytest.approx(1.0)  # the prior alone
    assert found.intercept == pytest.approx(logit(rate), abs=1e-3)


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 1)), min_size=4, max_size=40).filter(
        lambda rows: len({y for _, y in rows}) == 2
    )
)
@settings(max_examples=20, deadline=None)
def test_the_risks_add_up_to_the_outcomes_and_the_slope_is_positive(
    rows: list[tuple[int, int]],
) -> None:
    margin, outcome = (np.array(column, float) for column in zip(*rows, strict=True))
    found = fit_affine(margin, outcome)
    assert found.slope >= 0.05
    assert expit(found.apply(margin)).sum() == pytest.approx(outcome.sum(), rel=5e-3, abs=5e-3)


def penalised(theta: Any, margin: Any, outcome: Any) -> float:
    log_odds = theta[0] + theta[1] * margin
    fit = np.logaddexp(0, log_odds) - outcome * log_odds
    return float(fit.sum() + 0.5 * ((theta[1] - 1) / 0.3) ** 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("step", [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)])
def test_no_step_from_the_fit_is_better(seed: int, step: tuple[float, float]) -> None:
    rng = np.random.default_rng(seed)
    margin = rng.normal(-1, 1.5, 200)
    outcome = (rng.random(200) < expit(0.5 + 0.8 * margin)).astype(float)
    found = fit_affine(margin, outcome)
    here = penalised((found.intercept, found.slope), margin, outcome)
    there = penalised((found.intercept + step[0], found.slope + step[1]), margin, outcome)
    assert here <= there


@pytest.mark.parametrize(("n", "pull"), [(10, 0.15), (100, 0.5), (10_000, 0.99)])
def test_with_few_outcomes_the_slope_moves_little(n: int, pull: float) -> None:
    # the data ask for a slope of 0.3; the prior for 1
    margin = np.tile([-2.0, 2.0], n)
    outcome = np.tile(np.arange(n) / n, 2).reshape(2, n).T.ravel() < expit(0.3 * margin)
    slope = fit_affine(margin, outcome).slope
    assert 0.25 < slope < 1
    assert (1 - slope) / 0.7 > pull


LISTS = np.array(["2023-02-10", "2023-06-01", "2024-02-10"], dtype="datetime64[s]")


def three_lists(n_pupils: int = 60) -> tuple[Any, Any, Any, pd.Series]:
    rng = np.random.default_rng(1)
    as_of = np.repeat(LISTS, n_pupils)
    pupil = pd.Series([f"P{number}" for number in range(n_pupils)] * 3)
    margin = rng.normal(-1, 1, 3 * n_pupils)
    outcome = (rng.random(3 * n_pupils) < expit(margin)).astype(float)
    return margin, outcome, as_of, pupil


@cache
def usual_risks() -> Any:
    return calibrated_on_others(*three_lists())


@pytest.mark.parametrize("day", range(3))
def test_the_outcomes_of_a_list_change_none_of_its_own_risks(day: int) -> None:
    margin, outcome, as_of, pupil = three_lists()
    own = as_of == LISTS[day]
    usual = usual_risks()
    turned = calibrated_on_others(margin, np.where(own, 1 - outcome, outcome), as_of, pupil)
    np.testing.assert_array_equal(usual[own], turned[own])
    assert (usual[~own] != turned[~own]).any()


@pytest.mark.parametrize("number", [0, 33])
def test_the_outcomes_of_a_pupil_change_none_of_that_pupils_risks(number: int) -> None:
    margin, outcome, as_of, pupil = three_lists()
    own = (pupil == f"P{number}").to_numpy()
    usual = usual_risks()
    turned = calibrated_on_others(margin, np.where(own, 1 - outcome, outcome), as_of, pupil)
    np.testing.assert_array_equal(usual[own], turned[own])


@pytest.mark.parametrize("lists", [1, 2])
def test_where_no_other_list_has_an_outcome_other_pupils_serve(lists: int) -> None:
    margin, outcome, as_of, pupil = three_lists()
    kept = np.isin(as_of, LISTS[:lists])
    outcome = np.where(as_of == LISTS[0], outcome, 0.0)
    found = calibrated_on_others(margin[kept], outcome[kept], as_of[kept], pupil[kept])
    assert ((found > 0) & (found < 1)).all()
    first = as_of[kept] == LISTS[0]
    # the level is that of all lists together: the later ones know of no outcome
    assert found[first].mean() == pytest.approx(outcome[kept].mean(), abs=0.05)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_changes_no_risk(seed: int) -> None:
    margin, outcome, as_of, pupil = three_lists()
    order = np.random.default_rng(seed).permutation(len(margin))
    usual = usual_risks()
    mixed = calibrated_on_others(
        margin[order], outcome[order], as_of[order], pupil.iloc[order].reset_index(drop=True)
    )
    np.testing.assert_allclose(mixed, usual[order], rtol=1e-4)
