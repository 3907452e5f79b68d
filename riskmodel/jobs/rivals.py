"""The model and its rivals on earlier lists: every ranker scores the same rows.

In:  a sample with its folds.
Out: label, score of every ranker and what else is known, for every tested row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.year_groups import phase_of
from riskmodel.errors import HistoryError
from riskmodel.evaluation import points_of, school_rate, simple_rankers
from riskmodel.evaluation.predictions import check_predictions, rankers_of
from riskmodel.explain.phrases import write_value
from riskmodel.features import CATALOGUE, NONE_SO_FAR, ON_RECORDS
from riskmodel.jobs.past_levels import with_past_risks
from riskmodel.jobs.sample import Sample
from riskmodel.progress import track
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.fitting import fit_on
from riskmodel.training.folds import Fold
from riskmodel.training.points_score import learn_points
from riskmodel.training.tuned_ridge import PENALTIES, TunedRidge, fit_tuned_ridge

__all__ = [
    "ORACLE",
    "CHAMPION",
    "FITTED",
    "FROM_CATALOGUE",
    "Recipe",
    "additional_language",
    "lines_of_points",
    "predict_folds",
    "recipe",
]

logger = logging.getLogger(__name__)

ORACLE = "oracle (latent state)"
"""Ranker that knows the simulator's true risks."""

CHAMPION = "champion's recipe"
"""Ranker: settings and features of the model in use, fitted to the same folds."""

BY_HAND = ("yes/no", "count", "share", "half-days", "days", "weeks", "months", "years")
"""Units of the features that a learned points score may test: an officer can look them up."""

FROM_CATALOGUE = frozenset({"monotone", "bounded", "none_so_far"})
"""Settings that follow from the catalogue and are no choice of a training."""


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
        return RareOutcomeClassifier(
            monotone=directions,
            bounded=ON_RECORDS,
            none_so_far=NONE_SO_FAR,
            random_state=seed,
            **settings,
        )

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
        scores |= _fitted_scores(sample, fold)
        eal = additional_language(tables, part["pupil_id"], fold.origin)
        scores |= simple_rankers(sample.X.iloc[fold.test].assign(eal=eal), points)
        if "school_id" in part:
            scores["school only"] = _school_scores(sample, fold)
        if truth is not None:
            scores[ORACLE] = truth[fold.test]
        parts.append(part.assign(**scores))
    tested = pd.concat(parts, ignore_index=True)
    unfitted = [name for name in FITTED if tested[name].isna().any()]
    predictions = with_past_risks(sample, tested.drop(columns=unfitted))
    return check_predictions(predictions, rankers_of(predictions))


def _recipe_scores(sample: Sample, fold: Fold, models: Mapping[str, Recipe]) -> dict[str, Any]:
    """Fit every recipe before a list, and score its rows."""
    scores = {}
    for name, (make, columns) in models.items():
        X = sample.X[columns]
        fitted = fit_on(make(), X, sample.spine["pupil_id"], fold)
        scores[name] = fitted.decision_function(X.iloc[fold.test])
    return scores


IMITATED = 1e-4
"""Penalty of the ridge that a points score imitates: strong, so that eight lines can follow it."""

FITTED = ("tuned ridge", "points score")
"""Rivals that are fitted before each list."""


def _fitted_scores(sample: Sample, fold: Fold) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the fitted rivals; nan, and a warning, where they cannot be fitted."""
    test = sample.X.iloc[fold.test]
    try:
        ridge = _ridge(sample, fold, PENALTIES)
        train, label, weight = sample.X.iloc[fold.train], fold.train_label, fold.train_weight
        lines = _learned_lines(sample, fold, ridge.refitted(train, label, IMITATED, weight=weight))
        scores = ridge.log_odds(test), points_of(test, lines)
    except HistoryError as error:
        logger.warning("List of %s: %s", f"{fold.origin:%Y-%m-%d}", error)
        nothing = np.full(len(fold.test), np.nan)
        scores = nothing, nothing
    return dict(zip(FITTED, scores, strict=True))


def _ridge(sample: Sample, fold: Fold, penalties: Sequence[float]) -> TunedRidge:
    return fit_tuned_ridge(
        sample.X.iloc[fold.train],
        fold.train_label,
        pupils=sample.spine["pupil_id"].iloc[fold.train].astype("str"),
        days=sample.spine["as_of"].iloc[fold.train].to_numpy(),
        weight=fold.train_weight,
        penalties=penalties,
    )


def _learned_lines(sample: Sample, fold: Fold, imitated: TunedRidge) -> pd.DataFrame:
    """Learn the lines of the points score, which imitates a ridge, from what a fold may learn from."""
    known = {str(name): CATALOGUE[str(name)] for name in sample.X if name in CATALOGUE}
    by_hand = [name for name, one in known.items() if one.unit in BY_HAND and one.theme != "school"]
    train = sample.X.iloc[fold.train]
    return learn_points(
        train[by_hand],
        fold.train_label,
        imitated.log_odds(train),
        weight=fold.train_weight,
        directions={name: known[name].direction for name in by_hand},
    )


def lines_of_points(sample: Sample) -> pd.DataFrame:
    """Return the lines of the points score learned from all rows, as an officer would use them.

    Parameters
    ----------
    sample : Sample
        Rows, labels, features.

    Returns
    -------
    DataFrame of shape (n_lines, 5)
        ``column``, ``test``, ``threshold``, ``points`` and ``label``, the line in words: the columns of
        a file of points (:func:`riskmodel.evaluation.read_points`).

    Raises
    ------
    HistoryError
        If all rows have the same label.
    """
    lines = _learned_lines(sample, sample.final, _ridge(sample, sample.final, [IMITATED]))
    words = [_words(row) for row in lines.to_dict("records")]
    return lines.assign(label=pd.Series(words, dtype="object"))


def _words(line: dict[Any, Any]) -> str:
    """Return a line of points in words."""
    feature = CATALOGUE[str(line["column"])]
    if feature.unit == "yes/no":
        return feature.label if line["test"] == "at_least" else f"{feature.label}: no"
    how = str(line["test"]).replace("_", " ")
    return f"{feature.label}: {how} {write_value(float(line['threshold']), feature.unit)}"


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


def additional_language(
    tables: Tables, pupils: pd.Series, as_of: pd.Timestamp
) -> NDArray[np.float64]:
    """Return 1 for English as an additional language: a point of RONI, never a model input.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    pupils : Series of shape (n_rows,)
        The pupils.
    as_of : Timestamp
        A language that the LA learned on that day or later does not count.

    Returns
    -------
    float array of shape (n_rows,)
        1 or 0; 0 where the language was not known.
    """
    english = {"ENG", "ENB", "NOT", "REF", "ZZZ"}  # DfE: these do not count as EAL
    known = Tables({"pupils": tables["pupils"]}).as_known(as_of)["pupils"]
    language = known.set_index("pupil_id")["first_language"].reindex(pupils)
    return (language.notna() & ~language.isin(english)).to_numpy().astype(float)
