"""A classifier fitted to what a fold may learn from.

In:  an unfitted classifier, features of all rows, a fold.
Out: the same classifier, fitted.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.folds import Fold

__all__ = ["fit_on"]


def fit_on(
    model: RareOutcomeClassifier, X: pd.DataFrame, pupils: pd.Series, fold: Fold
) -> RareOutcomeClassifier:
    """Fit a classifier to what a fold may learn from.

    Parameters
    ----------
    model : RareOutcomeClassifier
        Unfitted.
    X : DataFrame of shape (n_rows, n_features)
        Features of all rows.
    pupils : Series of shape (n_rows,)
        Pupil of each row.
    fold : Fold
        Rows of ``X``.

    Returns
    -------
    RareOutcomeClassifier
        The same, fitted.
    """
    return model.fit(
        X.iloc[fold.train],
        fold.train_label,
        pupils.iloc[fold.train],
        fold.train_related,
        fold.train_weight,
    )
