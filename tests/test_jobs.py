"""Training for the second outcome, and the level of the risks checked on other lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from riskmodel.jobs import train
from riskmodel.jobs.rivals import CEILING
from riskmodel.training.calibration import calibrated_on_other_lists, fit_affine


def test_a_model_for_neet_is_trained_on_the_same_extracts(extracts: Path, tmp_path: Path) -> None:
    made = train(extracts, "neet", tracking=f"sqlite:///{tmp_path / 'mlflow.db'}")
    rankers = set(made.backtest.table["ranker"])
    assert {"model", "logistic regression", "RONI points", CEILING} <= rankers
    assert made.model.outcome == "neet"
    assert "not known" in made.text()
    assert made.text().startswith("SIMULATED DATA")
    best = made.backtest.table.set_index("ranker")["average_precision"]
    assert best["model"] > made.backtest.counts["prevalence"]


def test_a_list_is_never_calibrated_on_its_own_outcomes() -> None:
    rng = np.random.default_rng(1)
    margin = rng.normal(-3, 1, 600)
    day = np.repeat(np.array(["2023-01-01", "2024-01-01"], dtype="datetime64[s]"), 300)
    outcome = (rng.random(600) < 1 / (1 + np.exp(-margin))).astype(float)
    risk = calibrated_on_other_lists(margin, outcome, day)
    changed = outcome.copy()
    changed[:300] = 1 - changed[:300]
    other = calibrated_on_other_lists(margin, changed, day)
    np.testing.assert_array_equal(risk[:300], other[:300])
    assert not np.allclose(risk[300:], other[300:])
    by_hand = 1 / (1 + np.exp(-fit_affine(margin[300:], outcome[300:]).apply(margin[:300])))
    assert risk[:300] == pytest.approx(by_hand)
