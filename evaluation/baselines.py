"""What an LA would do without our model, on the same rows.

In:  a frame of features by name.
Out: a score per baseline.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from riskmodel.errors import RequestError

__all__ = ["fit_logistic", "read_points", "roni_points", "school_rate", "simple_rankers"]

BY_ONE_COLUMN = {"suspensions last year": "suspensions_12_months",
                 "absence last year": "absence_rate_12_months",
                 "months jobless so far": "jobless_months"}  # fmt: skip
"""Baseline → the feature it sorts by."""

VULNERABLE = ("child_in_need_now", "child_protection_now", "looked_after_now", "early_help_now",
              "young_carer_now", "youth_justice_now", "alternative_provision_now",
              "part_time_timetable_now", "ehc_plan_now", "vulnerable_now")  # fmt: skip
"""What puts a pupil on a vulnerable list: a social worker, an EHC plan or another recorded need for
help. The DfE's definition of a vulnerable child names the first two and leaves the rest to the LA."""

LOGISTIC_ROWS = 30_000
"""Rows without the outcome that the logistic regression learns from, at most, weighted up."""

POINT_COLUMNS = ("column", "test", "threshold", "points", "label")


@cache
def _roni_table() -> pd.DataFrame:
    source = files("riskmodel.evaluation") / "roni.csv"
    with source.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def read_points(path: Path) -> pd.DataFrame:
    """Read an LA's own scheme of points.

    Parameters
    ----------
    path : Path
        CSV with ``column`` (a feature, or ``eal``), ``test`` (``at_least`` or ``above``),
        ``threshold``, ``points`` and ``label``; lines that start with # are remarks.

    Returns
    -------
    DataFrame
        One row per indicator.

    Raises
    ------
    RequestError
        If the file is missing, or a column, a test or a number in it is.
    """
    try:
        table = pd.read_csv(path, comment="#", dtype=str)
    except (OSError, ValueError) as error:  # also no CSV, nothing in it, no UTF-8
        raise RequestError(f"The points in {path} cannot be read: {error}.") from error
    missing = [name for name in POINT_COLUMNS if name not in table]
    if missing:
        raise RequestError(f"The points in {path} lack the column '{missing[0]}'.")
    for name in ("threshold", "points"):
        number = pd.to_numeric(table[name], errors="coerce")
        if number.isna().any():
            row = int(number.isna().to_numpy().argmax())
            raise RequestError(
                f"{path}: indicator {row + 1} has {name} '{table[name].iloc[row]}'; a number is needed."
            )
        table[name] = number
    odd = ~table["test"].isin(["at_least", "above"]).to_numpy()
    if odd.any():
        raise RequestError(
            f"{path}: indicator {int(odd.argmax()) + 1} has test '{table['test'][odd].iloc[0]}'; "
            "it must be at_least or above."
        )
    return table


def roni_points(frame: pd.DataFrame, table: pd.DataFrame | None = None) -> NDArray[np.float64]:
    """Return risk-of-NEET points.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name, and ``eal``; indicators whose column is not there score nothing.
    table : DataFrame, optional
        The LA's own points, from :func:`read_points`; Oxfordshire's where left out.

    Returns
    -------
    float array of shape (n_pupils,)
        Points; 4 or more is the red band of Oxfordshire's scheme.
    """
    points = np.zeros(len(frame))
    for row in (_roni_table() if table is None else table).to_dict("records"):
        if row["column"] not in frame:
            continue
        value, threshold = frame[row["column"]].to_numpy(dtype=float), float(row["threshold"])
        # float32 features: a rate of exactly 10% must count as 10%
        hit = value > threshold if row["test"] == "above" else value >= threshold - 1e-7
        points += hit * float(row["points"])
    return points


def simple_rankers(
    frame: pd.DataFrame, points: pd.DataFrame | None = None
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the baselines whose columns are there.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name, and ``eal``.
    points : DataFrame, optional
        The LA's own points, as for :func:`roni_points`.

    Returns
    -------
    dict of str to float array of shape (n_rows,)
        Baseline → score; missing values rank last.
    """
    scores = {
        name: frame[column].fillna(-1).to_numpy(dtype=float)
        for name, column in BY_ONE_COLUMN.items()
        if column in frame
    }
    if "absence_rate_12_months" in frame:
        scores["RONI points"] = roni_points(frame, points)
    flags = [name for name in VULNERABLE if name in frame]
    if flags:
        scores["vulnerable list"] = frame[flags].fillna(0).sum(axis=1).to_numpy(dtype=float)
    return scores


def school_rate(
    train_school: pd.Series,
    train_label: ArrayLike,
    test_school: pd.Series,
    stands_for: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Score pupils by their school's past rate of the outcome alone.

    Parameters
    ----------
    train_school : Series of shape (n_train,)
        School of each training row.
    train_label : array-like of shape (n_train,)
        0 or 1.
    test_school : Series of shape (n_test,)
        School of each tested row.
    stands_for : array-like of shape (n_train,), optional
        Rows that each training row stands for; 1 each where left out.

    Returns
    -------
    float array of shape (n_test,)
        Rate, pulled towards that of all schools by as many rows as hold one expected outcome; a
        school without training rows gets the rate of all.
    """
    weight = np.ones(len(train_school)) if stands_for is None else np.asarray(stands_for, float)
    rows = pd.DataFrame({"outcomes": weight * np.asarray(train_label, float), "rows": weight})
    rate = float(rows["outcomes"].sum() / rows["rows"].sum())
    prior_rows = 1 / rate if rate > 0 else 1.0
    by_school = rows.groupby(train_school.astype("str").to_numpy()).sum()
    pulled = (by_school["outcomes"] + rate * prior_rows) / (by_school["rows"] + prior_rows)
    return test_school.astype("str").map(pulled).fillna(rate).to_numpy(dtype=float)


def fit_logistic(
    X_train: pd.DataFrame,
    y_train: ArrayLike,
    X_test: pd.DataFrame,
    stands_for: ArrayLike | None = None,
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
    stands_for : array-like of shape (n_train,), optional
        Rows that each training row stands for; 1 each where left out.

    Returns
    -------
    float array of shape (n_test,)
        Log-odds. Medians for missing values, standardised, ridge ``C = 0.1``. All rows with the
        outcome and at most :data:`LOGISTIC_ROWS` of the others, weighted up, drawn by a fixed seed.
    """
    outcome = np.asarray(y_train).astype(int)
    others = np.flatnonzero(outcome == 0)
    drawn = np.random.default_rng(0).permutation(others)[:LOGISTIC_ROWS]
    rows = np.sort(np.concatenate([np.flatnonzero(outcome == 1), drawn]))
    weight = np.where(outcome[rows] == 1, 1.0, len(others) / max(1, len(drawn)))
    if stands_for is not None:
        weight = weight * np.asarray(stands_for, float)[rows]
    train = X_train.iloc[rows].astype(np.float64)
    usual = train.median().fillna(
        0.0
    )  # far faster than scikit-learn's imputer, to the same numbers
    model = make_pipeline(
        VarianceThreshold(),
        StandardScaler(),
        LogisticRegression(C=0.1, solver="newton-cholesky", max_iter=200),
    )
    model.fit(
        train.fillna(usual).to_numpy(),
        outcome[rows],
        logisticregression__sample_weight=weight,
    )
    test = X_test.astype(np.float64).fillna(usual)
    return np.asarray(model.decision_function(test.to_numpy()))
