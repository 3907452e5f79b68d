"""The tuned ridge and the points score: fair rivals, fitted to the training rows alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.data.ratio import ratio
from riskmodel.errors import HistoryError
from riskmodel.evaluation import points_of, roc_auc
from riskmodel.evaluation.baselines import TESTS
from riskmodel.training.points_score import MOST_LINES, MOST_POINTS, learn_points
from riskmodel.training.tuned_ridge import PENALTIES, TunedRidge, fit_tuned_ridge, weighted_draw


def pupils(n: int = 3000, n_noise: int = 40, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Few outcomes, one driver that is a count, one that lowers risk, and much noise."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, n_noise)), columns=[f"noise_{i}" for i in range(n_noise)])
    X["suspensions"] = rng.poisson(np.where(rng.random(n) < 0.1, 3.0, 0.02)).astype(float)
    X["progress"] = rng.normal(size=n)
    margin = -5.5 + 1.5 * np.arcsinh(X["suspensions"]) - 0.8 * X["progress"]
    return X, pd.Series((rng.random(n) < 1 / (1 + np.exp(-margin))).astype(int))


def tuned(X: pd.DataFrame, y: pd.Series, penalties: tuple[float, ...] = PENALTIES) -> TunedRidge:
    return fit_tuned_ridge(X, y, penalties=penalties)


def test_the_chosen_penalty_orders_new_pupils_better_than_the_weakest() -> None:
    (X, y), (X_new, y_new) = pupils(1000, 100), pupils(8000, 100, seed=1)
    chosen = tuned(X, y)
    assert chosen.penalty < 0.1
    plain = tuned(X, y, (0.1,))
    assert roc_auc(y_new, chosen.log_odds(X_new)) > roc_auc(y_new, plain.log_odds(X_new))


@pytest.mark.parametrize("missing", ["constant", "empty"])
def test_constants_and_empty_columns_change_nothing(missing: str) -> None:
    X, y = pupils(800, 3)
    value = {"constant": 1.0, "empty": np.nan}[missing]
    score = tuned(X.assign(**{missing: value}), y).log_odds(X.assign(**{missing: value}))
    assert np.isfinite(score).all()
    np.testing.assert_allclose(score, tuned(X, y).log_odds(X))


def test_a_penalty_is_chosen_over_time_where_outcomes_allow_and_twice_alike() -> None:
    X, y = pupils()
    days = pd.to_datetime(np.where(np.arange(len(X)) < 1500, "2022-06-01", "2023-06-01"))
    owners = np.arange(len(X)) % 1500
    first, again = (fit_tuned_ridge(X, y, pupils=owners, days=days) for _ in range(2))
    assert first.penalty == again.penalty
    np.testing.assert_array_equal(first.coefficient, again.coefficient)


@pytest.mark.parametrize("seed", range(3))
def test_a_penalty_that_held_on_earlier_days_only_is_not_chosen(seed: int) -> None:
    # early, one cause drives the outcome; later, what its proxy holds beside it
    rng = np.random.default_rng(seed)
    is_late = np.arange(3000) >= 1500
    cause, beside = rng.normal(size=(2, 3000))
    X = pd.DataFrame({"cause": cause, "proxy": cause + beside})
    margin = np.where(is_late, -3 + 2 * beside, -3.5 + 2 * cause)
    y = pd.Series((rng.random(3000) < 1 / (1 + np.exp(-margin))).astype(int))
    days = pd.to_datetime(np.where(is_late, "2023-06-01", "2022-06-01"))
    # a strong penalty spreads the weight over both; a weak one finds the cause alone
    assert fit_tuned_ridge(X, y, days=days).penalty < fit_tuned_ridge(X, y).penalty


@pytest.mark.parametrize("n_outcomes", [1, 2, 5])
def test_few_outcomes_are_enough_to_fit(n_outcomes: int) -> None:
    X, _ = pupils(300, 3)
    y = (np.arange(300) < n_outcomes).astype(int)
    assert np.isfinite(fit_tuned_ridge(X, y).log_odds(X)).all()


@pytest.mark.parametrize("label", [0, 1])
def test_one_label_alone_cannot_be_learned_from(label: int) -> None:
    X, _ = pupils(50, 2)
    y = np.full(50, label)
    with pytest.raises(HistoryError, match="tuned ridge cannot be fitted: all training rows"):
        fit_tuned_ridge(X, y)
    with pytest.raises(HistoryError, match="points score cannot be learned: all training rows"):
        learn_points(X, y, np.zeros(50))


@pytest.mark.parametrize("weight", [None, 2.0])
def test_a_draw_represents_all_rows(weight: float | None) -> None:
    outcome = np.r_[np.ones(5), np.zeros(995)].astype(np.int64)
    usual = None if weight is None else np.full(1000, weight)
    rows, drawn = weighted_draw(outcome, 100, usual)
    assert len(rows) == 105
    assert drawn.sum() == pytest.approx(1000 * (weight or 1.0))
    assert float(ratio(drawn[outcome[rows] == 1].sum(), drawn.sum())) == pytest.approx(0.005)


def learned(X: pd.DataFrame, y: pd.Series, **directions: int) -> pd.DataFrame:
    margin = tuned(X, y, (1e-4,)).log_odds(X)
    return learn_points(X, y, margin, directions=directions)


def test_a_points_score_is_a_few_lines_of_small_whole_points() -> None:
    X, y = pupils()
    lines = learned(X, y)
    assert 1 <= len(lines) <= MOST_LINES
    assert lines["points"].between(1, MOST_POINTS).all()
    assert set(lines["test"]) <= set(TESTS)
    assert "suspensions" in set(lines["column"])
    assert "at_most" in set(lines["test"][lines["column"] == "progress"])
    pd.testing.assert_frame_equal(lines, learned(X, y))


def test_points_order_new_pupils_nearly_as_well_as_the_ridge() -> None:
    (X, y), (X_new, y_new) = pupils(), pupils(8000, seed=1)
    assert roc_auc(y_new, points_of(X_new, learned(X, y))) > 0.7


def test_a_line_keeps_the_direction_that_is_known() -> None:
    X, y = pupils()
    lines = learned(X, y, suspensions=-1, progress=1)
    of = lines.set_index("column")["test"]
    assert set(of.get(["suspensions"], [])) <= {"at_most"}
    assert set(of.get(["progress"], [])) <= {"at_least"}


def test_nothing_to_learn_gives_no_lines() -> None:
    X = pd.DataFrame({"constant": np.ones(100), "empty": np.nan})
    lines = learn_points(X, np.arange(100) < 10, np.zeros(100))
    assert lines.empty
    assert points_of(X, lines).tolist() == [0.0] * 100


def test_a_ridge_fitted_again_is_the_one_that_has_only_this_penalty() -> None:
    X, y = pupils(800, 10)
    weight = np.where(np.arange(len(X)) % 2, 1.0, 3.0)
    again = fit_tuned_ridge(X, y, weight=weight).refitted(X, y, 1e-4, weight=weight)
    alone = fit_tuned_ridge(X, y, weight=weight, penalties=[1e-4])
    assert again.penalty == alone.penalty
    np.testing.assert_array_equal(again.log_odds(X), alone.log_odds(X))
