"""What an LA would do without our model, on the same rows.

In:  a frame of features by name.
Out: a score per baseline.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["fit_logistic", "roni_points", "simple_rankers"]

BY_ONE_COLUMN = {"suspensions last year": "suspensions_12_months",
                 "absence last year": "absence_rate_12_months",
                 "months jobless so far": "jobless_months"}  # fmt: skip
"""Baseline → the feature it sorts by."""


@cache
def _roni_table() -> pd.DataFrame:
    source = files("riskmodel.evaluation") / "roni.csv"
    with source.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def roni_points(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return Oxfordshire's risk-of-NEET points.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name, and ``eal``; indicators whose column is not there score nothing.

    Returns
    -------
    float array of shape (n_pupils,)
        Points; 4 or more is the scheme's red band.
    """
    points = np.zeros(len(frame))
    for row in _roni_table().to_dict("records"):
        if row["column"] not in frame:
            continue
        value, threshold = frame[row["column"]].to_numpy(dtype=float), float(row["threshold"])
        # float32 features: a rate of exactly 10% must count as 10%
        hit = value > threshold if row["test"] == "above" else value >= threshold - 1e-7
        points += hit * float(row["points"])
    return points


def simple_rankers(frame: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the baselines whose columns are there.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name, and ``eal``.

    Returns
    -------
    dict of str to float array
        Baseline → score; missing values rank last.
    """
    scores = {
        name: frame[column].fillna(-1).to_numpy(dtype=float)
        for name, column in BY_ONE_COLUMN.items()
        if column in frame
    }
    if "absence_rate_12_months" in frame:
        scores["RONI points"] = roni_points(frame)
    return scores


def fit_logistic(
    X_train: pd.DataFrame, y_train: ArrayLike, X_test: pd.DataFrame
) -> NDArray[np.float64]:
    """Fit a plain logistic regression and score the test rows.

    Parameters
    ----------
    X_train : DataFrame of shape (n_train, n_features)
        Features.
    y_train : array-like of shape (n_train,)
        0 or 1.
    X_test : DataFrame of shape (n_test, n_features)
        Features.

    Returns
    -------
    float array of shape (n_test,)
        Log-odds. Medians for missing values, standardised, ridge ``C = 0.1``.
    """
    model = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        VarianceThreshold(),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=2000),
    )
    model.fit(X_train.to_numpy(dtype=np.float64), np.asarray(y_train).astype(int))
    return np.asarray(model.decision_function(X_test.to_numpy(dtype=np.float64)))
