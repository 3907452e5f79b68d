"""The model and its rivals on earlier lists: every ranker scores the same rows.

In:  a sample with its folds.
Out: label, score of every ranker and what else is known, for every tested row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.year_groups import phase_of
from riskmodel.evaluation import fit_logistic, school_rate, simple_rankers
from riskmodel.evaluation.predictions import check_predictions, rankers_of
from riskmodel.features import CATALOGUE
from riskmodel.jobs.past_levels import with_past_risks
from riskmodel.jobs.sample import Sample
from riskmodel.progress import track
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.fitting import fit_on
from riskmodel.training.folds import Fold

__all__ = ["CEILING", "CHAMPION", "Recipe", "predict_folds", "recipe"]

logger = logging.getLogger(__name__)

CEILING = "true risk (ceiling)"
"""Ranker that knows the simulator's true risks."""

CHAMPION = "champion's recipe"
"""Ranker: settings and features of the model in use, fitted to the same folds."""


class Recipe(NamedTuple):
    """A function that makes an unfitted classifier, and the features to fit it to.

    Parameters
    ----------
    make : callable
        Returns an unfitted classifier.
    features : list of str
        Columns to fit it to.
    """

    make: Callable[[], RareOutcomeClassifier]
    features: list[str]


def recipe(X: pd.DataFrame, seed: int) -> Callable[..., RareOutcomeClassifier]:
    """Return what makes an unfitted classifier from settings.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features; the catalogue holds the direction in which each may act.
    seed : int
        Seed.

    Returns
    -------
    callable
        Settings → classifier.

    Examples
    --------
    >>> recipe(pd.DataFrame({"suspensions_12_months": [0.0, 2.0]}), 0)(n_trees=40).monotone
    {'suspensions_12_months': 1}
    """
    directions = {str(name): CATALOGUE[str(name)].direction for name in X if name in CATALOGUE}

    def make(**settings: Any) -> RareOutcomeClassifier:
        return RareOutcomeClassifier(monotone=directions, random_state=seed, **settings)

    return make


def predict_folds(
    sample: Sample,
    models: Mapping[str, Recipe],
    truth: NDArray[np.float64] | None,
    tables: Tables,
    points: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return label and the score of every ranker for the test rows of every fold.

    Parameters
    ----------
    sample : Sample
        Rows, labels, features, folds.
    models : mapping of str to Recipe
        Name → recipe; ``"model"`` is one of them.
    truth : float array of shape (n_rows,), or None
        True risks of simulated pupils.
    tables : Tables
        For what a baseline asks and no feature may hold.
    points : DataFrame, optional
        The LA's own risk-of-NEET points.

    Returns
    -------
    DataFrame of shape (n_tested, ...)
        The predictions (:mod:`riskmodel.evaluation.predictions`), the first of ``models`` the first
        ranker; ``risk`` is there where lists made earlier were tested.
    """
    parts = []
    for fold in track(sample.folds, "Backtest"):
        logger.info("Backtest: list of %s", f"{fold.origin:%Y-%m-%d}")
        part = _context(sample, fold)
        scores = _recipe_scores(sample, fold, models)
        scores["logistic regression"] = _logistic_scores(sample, fold)
        eal = _additional_language(tables, part["pupil_id"])
        scores |= simple_rankers(sample.X.iloc[fold.test].assign(eal=eal), points)
        if "school_id" in part:
            scores["school only"] = _school_scores(sample, fold)
        if truth is not None:
            scores[CEILING] = truth[fold.test]
        parts.append(part.assign(**scores))
    predictions = with_past_risks(sample, pd.concat(parts, ignore_index=True))
    return check_predictions(predictions, rankers_of(predictions))


def _recipe_scores(sample: Sample, fold: Fold, models: Mapping[str, Recipe]) -> dict[str, Any]:
    """Fit every recipe before a list, and score its rows."""
    scores = {}
    for name, (make, columns) in models.items():
        X = sample.X[columns]
        fitted = fit_on(make(), X, sample.spine["pupil_id"], fold)
        scores[name] = fitted.decision_function(X.iloc[fold.test])
    return scores


def _logistic_scores(sample: Sample, fold: Fold) -> NDArray[np.float64]:
    train, test = sample.X.iloc[fold.train], sample.X.iloc[fold.test]
    return fit_logistic(train, fold.train_label, test, fold.train_weight)


def _school_scores(sample: Sample, fold: Fold) -> NDArray[np.float64]:
    school = sample.spine["school_id"]
    train, test = school.iloc[fold.train], school.iloc[fold.test]
    return school_rate(train, fold.train_label, test, fold.train_weight)


def _context(sample: Sample, fold: Fold) -> pd.DataFrame:
    """Return what is known of the tested rows besides scores; what their cohort lacks is left out."""
    rows = sample.spine.iloc[fold.test]
    part = pd.DataFrame(
        {
            "pupil_id": rows["pupil_id"].to_numpy(),
            "as_of": rows["as_of"].to_numpy(),
            "label": fold.test_label,
            "lost_to": sample.labels["lost_to"].iloc[fold.test].to_numpy(),
            "stays": sample.labels["stays"].iloc[fold.test].to_numpy(),
            "row": fold.test,
            "share_of_list": rows["share_of_list"].to_numpy(),
        }
    )
    event_on = sample.labels["event_on"].iloc[fold.test]
    if event_on.notna().any():
        part["event_on"] = event_on.to_numpy()
    if (rows["school_id"].astype("str") != "").any():
        part["school_id"] = rows["school_id"].to_numpy()
        part["phase"] = phase_of(rows["year_group"]).to_numpy()
    if "suspensions_ever" in sample.X:
        part["never_suspended"] = sample.X["suspensions_ever"].iloc[fold.test].to_numpy() == 0
    return part


def _additional_language(tables: Tables, pupils: pd.Series) -> NDArray[np.float64]:
    """Return 1 for English as an additional language: a point of RONI, never a model input."""
    english = {"ENG", "ENB", "NOT", "REF", "ZZZ"}  # DfE: these do not count as EAL
    language = tables["pupils"].set_index("pupil_id")["first_language"].reindex(pupils)
    return (language.notna() & ~language.isin(english)).to_numpy().astype(float)
