"""Search for settings of the recipe, on out-of-time folds.

In:  folds, features, labels.
Out: the settings that ranked best, by mean average precision over the folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from riskmodel.progress import track
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.folds import Fold

__all__ = ["search_settings"]


def search_settings(
    X: pd.DataFrame,
    spine: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    n_trials: int,
    random_state: int,
    make: Callable[..., RareOutcomeClassifier],
) -> dict[str, Any]:
    """Return the best settings found in a small space.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features of the spine.
    spine : DataFrame
        ``pupil_id`` per row.
    folds : sequence of Fold
        Out-of-time folds.
    n_trials : int
        Settings tried; the first is the default.
    random_state : int
        Seed of the search; the same seed tries the same settings.
    make : callable
        Settings → unfitted classifier.

    Returns
    -------
    dict
        Keyword arguments for ``make``.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    default = RareOutcomeClassifier().get_params()
    sampler = optuna.samplers.TPESampler(seed=random_state)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    names = ("ridge", "n_trees", "max_depth", "tree_weight", "negatives_per_positive")
    study.enqueue_trial({name: default[name] for name in names})
    for _ in track(range(n_trials), "Searching settings"):
        trial = study.ask()
        settings = {
            "ridge": trial.suggest_float("ridge", 3e-4, 3e-2, log=True),
            "n_trees": trial.suggest_int("n_trees", 40, 160, step=40),
            "max_depth": trial.suggest_int("max_depth", 1, 2),
            "tree_weight": trial.suggest_float("tree_weight", 0.0, 1.0),
            "negatives_per_positive": trial.suggest_int("negatives_per_positive", 10, 60),
        }
        study.tell(trial, _mean_average_precision(X, spine, folds, make(**settings)))
    return dict(study.best_params)


def _mean_average_precision(
    X: pd.DataFrame, spine: pd.DataFrame, folds: Sequence[Fold], model: RareOutcomeClassifier
) -> float:
    precisions = []
    for fold in folds:
        model.fit(X.iloc[fold.train], fold.train_label, spine["pupil_id"].iloc[fold.train])
        margin = model.decision_function(X.iloc[fold.test])
        precisions.append(average_precision_score(fold.test_label, margin))
    return float(np.mean(precisions))
