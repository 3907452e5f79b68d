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
from riskmodel.jobs.sample import Sample
from riskmodel.progress import track
from riskmodel.training.affine_calibration import calibrated_on_others
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
        ranker; ``risk`` is there where two lists or more were tested.
    """
    parts = []
    for fold in track(sample.folds, "Backtest"):
        logger.info("Backtest: list of %s", f"{fold.origin:%Y-%m-%d}")
        part = _context(sample, fold)
        train, test = sample.X.iloc[fold.train], sample.X.iloc[fold.test]
        for name, (make, columns) in models.items():
            fitted = fit_on(make(), sample.X[columns], sample.spine["pupil_id"], fold)
            part[name] = fitted.decision_function(test[columns])
        part["logistic regression"] = fit_logistic(train, fold.train_label, test, fold.train_weight)
        eal = _additional_language(tables, part["pupil_id"])
        for name, score in simple_rankers(test.assign(eal=eal), points).items():
            part[name] = score
        if "school_id" in part:
            train_school = sample.spine["school_id"].iloc[fold.train]
            part["school only"] = school_rate(
                train_school, fold.train_label, part["school_id"], fold.train_weight
            )
        if truth is not None:
            part[CEILING] = truth[fold.test]
        parts.append(part)
    predictions = pd.concat(parts, ignore_index=True)
    if predictions["as_of"].nunique() > 1:
        margin, outcome, day = (predictions[c].to_numpy() for c in ("model", "label", "as_of"))
        predictions["risk"] = calibrated_on_others(margin, outcome, day, predictions["pupil_id"])
    return check_predictions(predictions, rankers_of(predictions))


def _context(sample: Sample, fold: Fold) -> pd.DataFrame:
    """Return what is known of the tested rows besides scores; what their cohort lacks is left out."""
    rows = sample.spine.iloc[fold.test]
    part = pd.DataFrame(
        {
            "pupil_id": rows["pupil_id"].to_numpy(),
            "as_of": rows["as_of"].to_numpy(),
            "label": fold.test_label,
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
