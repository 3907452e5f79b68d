"""The model and its rivals on earlier lists: every ranker scores the same rows.

In:  a sample and its folds.
Out: label and score of every ranker for every tested row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.evaluation import fit_logistic, simple_rankers
from riskmodel.features import CATALOGUE
from riskmodel.jobs.sample import Sample
from riskmodel.progress import track
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.folds import Fold

__all__ = ["predict_folds", "recipe"]

logger = logging.getLogger(__name__)

CEILING = "true risk (ceiling)"
"""Ranker that knows the simulator's true risks."""


def recipe(X: pd.DataFrame, seed: int) -> Callable[..., RareOutcomeClassifier]:
    """Return what makes an unfitted classifier from settings.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features; the catalogue says in which direction each may act.
    seed : int
        Seed.

    Returns
    -------
    callable
        Settings → classifier.
    """
    directions = {str(name): CATALOGUE[str(name)].direction for name in X if name in CATALOGUE}

    def make(**settings: Any) -> RareOutcomeClassifier:
        return RareOutcomeClassifier(monotone=directions, random_state=seed, **settings)

    return make


def predict_folds(
    sample: Sample,
    folds: list[Fold],
    make: Callable[[], RareOutcomeClassifier],
    truth: NDArray[np.float64] | None,
    tables: Tables,
) -> pd.DataFrame:
    """Return label and the score of every ranker for the test rows of every fold.

    Parameters
    ----------
    sample : Sample
        Rows, labels, features.
    folds : list of Fold
        What each list may learn from, and which rows it ranks.
    make : callable
        Makes an unfitted classifier.
    truth : float array of shape (n_rows,), or None
        True risks of simulated pupils.
    tables : Tables
        For what a baseline asks and no feature may hold.

    Returns
    -------
    DataFrame of shape (n_tested, ...)
        ``pupil_id``, ``as_of``, ``label``, ``row`` and a score per ranker.
    """
    pupils = sample.spine["pupil_id"]
    parts = []
    for fold in track(folds, "Backtest"):
        logger.info("Backtest: list of %s", f"{fold.origin:%Y-%m-%d}")
        train, test = sample.X.iloc[fold.train], sample.X.iloc[fold.test]
        model = make().fit(train, fold.train_label, pupils.iloc[fold.train])
        part = pd.DataFrame(
            {
                "pupil_id": pupils.iloc[fold.test].to_numpy(),
                "as_of": sample.spine["as_of"].iloc[fold.test].to_numpy(),
                "label": fold.test_label,
                "row": fold.test,
                "model": model.decision_function(test),
                "logistic regression": fit_logistic(train, fold.train_label, test),
            }
        )
        eal = _additional_language(tables, part["pupil_id"])
        for name, score in simple_rankers(test.assign(eal=eal)).items():
            part[name] = score
        if truth is not None:
            part[CEILING] = truth[fold.test]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _additional_language(tables: Tables, pupils: pd.Series) -> NDArray[np.float64]:
    """Return 1 for English as an additional language: a point of RONI, never a model input."""
    english = {"ENG", "ENB", "NOT", "REF", "ZZZ"}  # DfE: these do not count as EAL
    language = tables["pupils"].set_index("pupil_id")["first_language"].reindex(pupils)
    return (language.notna() & ~language.isin(english)).to_numpy().astype(float)
