"""Affine calibration of margins, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from riskmodel.training.affine_calibration import AffineCalibration


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
