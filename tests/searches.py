"""Shared by the tests of searches, and by their workers in other processes: a small problem and its search.

In:  where the trials are kept.
Out: the search that was done.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.folds import Fold
from riskmodel.training.search import Objective, Search, SearchPlan, search_settings

__all__ = ["N_TRIALS", "objective", "search", "small"]


N_TRIALS = 7


def objective() -> Objective:
    """Two folds of 600 rows, and a group whose members the first feature does not find."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(1800, 4)), columns=list("abcd")).astype(np.float32)
    group = rng.random(1800) < 0.3
    log_odds = -3 + 1.5 * np.where(group, X["b"], X["a"])
    y = (rng.random(1800) < 1 / (1 + np.exp(-log_odds))).astype(float)
    parts = np.arange(1800).reshape(3, 600)
    day = pd.Timestamp("2024-06-01")
    days = pd.to_datetime(["2022-06-01", "2023-06-01", "2024-06-01"]).repeat(600)
    spine = pd.DataFrame({"pupil_id": np.arange(1800), "as_of": days})
    folds = [
        Fold(origin=day, train=parts[0], test=part, train_label=y[parts[0]], test_label=y[part])
        for part in parts[1:]
    ]
    groups = pd.DataFrame({"group": np.where(group, "g", "others")})
    return Objective(X=X, spine=spine, folds=folds, make=small, groups=groups, capacity=60)


def small(**settings: Any) -> RareOutcomeClassifier:
    return RareOutcomeClassifier(n_bags=2, **settings)


def search(
    storage: str | None, n_trials: int = N_TRIALS, seed: int = 3, is_fair: bool = False
) -> Search:
    plan = SearchPlan(n_trials=n_trials, storage=storage, is_fair=is_fair)
    return search_settings(objective(), plan, name="search", random_state=seed)
