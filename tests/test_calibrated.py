"""The calibrated ensemble: one scale for scores, spreads, contributions and interactions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from riskmodel.errors import ModelError
from riskmodel.model import RiskModel
from riskmodel.training.affine_calibration import AffineCalibration
from riskmodel.training.calibrated import CalibratedEnsemble, ScoredRows
from tests.fuzzing import small_model

X = np.array([[0.0, 0.0], [1.0, 2.0], [0.3, np.nan]], dtype=np.float32)


def calibrated(intercept: float = 0.0, slope: float = 1.0) -> CalibratedEnsemble:
    """Return the two bags of a hand-made model with another calibration."""
    return replace(small_model().calibrated, calibration=AffineCalibration(intercept, slope))


def test_risks_worked_by_hand() -> None:
    # log-odds -1 + 0.5 + 0.5 = 0, log 3 either way: risk 1/2, from 1/4 to 3/4
    rows = ScoredRows(
        base_value=-1.0,
        contributions=np.array([[0.5, 0.5]]),
        low=-np.log([3.0]),
        high=np.log([3.0]),
    )
    assert rows.log_odds.tolist() == [0.0]
    assert rows.risks().to_numpy()[0] == pytest.approx([0.5, 0.25, 0.75])


def test_log_odds_are_the_calibrated_mean_of_the_bags() -> None:
    made = calibrated(0.25, 0.5)
    members = made.ensemble.explain(X)[2]
    rows = made.score(X)
    np.testing.assert_allclose(rows.log_odds, 0.25 + 0.5 * members.mean(axis=1))
    np.testing.assert_allclose(rows.risks()["risk"], expit(rows.log_odds))


def test_the_range_is_that_of_the_event_rate_at_the_score_not_the_spread_of_the_bags() -> None:
    made = calibrated()
    members = made.ensemble.explain(X)[2]
    error = members.std(axis=1, ddof=1) / np.sqrt(2)  # how far the mean of two bags is off
    low, high = made.rate.bounds(members.mean(axis=1), error)
    rows = made.score(X)
    np.testing.assert_allclose([rows.low, rows.high], [low, high])
    np.testing.assert_allclose(logit(rows.risks()["risk_high"]), np.maximum(high, rows.log_odds))


@pytest.mark.parametrize("level", [-9.0, 9.0])
def test_a_range_is_stretched_to_hold_its_risk(level: float) -> None:
    rows = ScoredRows(
        base_value=-1.0,
        contributions=np.zeros((1, 2)),
        low=np.array([level - 0.5]),
        high=np.array([level + 0.5]),
    )
    risk, low, high = rows.risks().to_numpy()[0]
    assert low <= risk <= high
    assert expit(level - 0.5) >= low
    assert expit(level + 0.5) <= high


SCALED: dict[str, Callable[[CalibratedEnsemble], np.ndarray]] = {
    "contributions of scores": lambda made: made.score(X).contributions,
    "contributions": lambda made: made.contributions(X),
    "contributions_by_bag": lambda made: made.contributions_by_bag(X),
    "interactions": lambda made: made.interactions(X),
}


@pytest.mark.parametrize("slope", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("name", SCALED)
def test_the_slope_scales_every_difference_once(name: str, slope: float) -> None:
    plain, made = SCALED[name](calibrated()), SCALED[name](calibrated(3.0, slope))
    np.testing.assert_allclose(made, slope * plain, atol=1e-12)


@pytest.mark.parametrize(("intercept", "slope"), [(-1.0, 0.05), (0.0, 1.0), (3.0, 2.0)])
def test_the_base_value_moves_and_scales(intercept: float, slope: float) -> None:
    base = calibrated().score(X).base_value
    made = calibrated(intercept, slope).score(X).base_value
    assert made == pytest.approx(intercept + slope * base)


def test_bags_average_and_interactions_add_up_to_the_contributions() -> None:
    made = calibrated(0.1, 0.9)
    parts = made.score(X).contributions
    np.testing.assert_array_equal(made.contributions(X), parts)
    np.testing.assert_allclose(made.contributions_by_bag(X).mean(axis=0), parts)
    np.testing.assert_allclose(made.interactions(X).sum(axis=2), parts)


def test_typical_is_the_median_that_training_found() -> None:
    made = calibrated()
    assert made.typical.tolist() == made.ensemble.linear.centre.tolist()


def test_a_model_keeps_its_range_number_for_number(tmp_path: Path) -> None:
    made = small_model()
    read = RiskModel.load(made.save(tmp_path / "model"))
    assert read.calibrated.rate.to_dict() == made.calibrated.rate.to_dict()


def test_a_model_saved_before_ranges_were_of_event_rates_is_refused(tmp_path: Path) -> None:
    path = small_model().save(tmp_path / "model") / "model.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    del written["rate"]
    path.write_text(json.dumps(written | {"format": 3}), encoding="utf-8")
    with pytest.raises(ModelError, match="has format 3; this version reads 4. Train it again"):
        RiskModel.load(path.parent)
