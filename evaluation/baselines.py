"""Rankings that an LA has without our model, on the same rows.

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

from riskmodel.errors import RequestError

__all__ = [
    "columns_of_rankers",
    "meets_line",
    "points_of",
    "read_points",
    "roni_points",
    "school_rate",
    "simple_rankers",
]

BY_ONE_COLUMN = {
    "suspensions last year": "suspensions_12_months",
    "absence last year": "absence_rate_12_months",
    "months jobless so far": "jobless_months",
}
"""Baseline → the feature it sorts by."""

VULNERABLE = (
    "child_in_need_now",
    "child_protection_now",
    "looked_after_now",
    "early_help_now",
    "young_carer_now",
    "youth_justice_now",
    "alternative_provision_now",
    "part_time_timetable_now",
    "ehc_plan_now",
    "vulnerable_now",
)
"""Features that put a pupil on a vulnerable list: a social worker, an EHC plan or another recorded need
for help. The DfE's definition of a vulnerable child names the first two and leaves the rest to the LA."""

POINT_COLUMNS = ("column", "test", "threshold", "points", "label")

TESTS = ("at_least", "above", "at_most")
"""Tests that a line of points may make."""


@cache
def _roni_table() -> pd.DataFrame:
    source = files("riskmodel.evaluation") / "roni.csv"
    with source.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#")


def read_points(path: Path) -> pd.DataFrame:
    """Read an LA's own scheme of risk-of-NEET points.

    Parameters
    ----------
    path : Path
        CSV with ``column`` (a feature, or ``eal``), ``test`` (``at_least``, ``above`` or
        ``at_most``),
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
        _refuse(table, name, number.isna(), path, "a number is needed")
        table[name] = number
    is_odd = ~table["test"].isin(TESTS)
    _refuse(table, "test", is_odd, path, "it must be at_least, above or at_most")
    return table


def _refuse(table: pd.DataFrame, name: str, wrong: pd.Series, path: Path, wanted: str) -> None:
    """Refuse the first indicator whose value is wrong."""
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise RequestError(
            f"{path}: indicator {row + 1} has {name} '{table[name].iloc[row]}'; {wanted}."
        )


def roni_points(frame: pd.DataFrame, table: pd.DataFrame | None = None) -> NDArray[np.float64]:
    """Risk-of-NEET points of each pupil.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name, and ``eal``; an indicator without its column scores nothing.
    table : DataFrame, optional
        The LA's own points, from :func:`read_points`; Oxfordshire's where left out.

    Returns
    -------
    float array of shape (n_pupils,)
        Points; 4 or more is the red band of Oxfordshire's scheme.

    Examples
    --------
    >>> roni_points(pd.DataFrame({"absence_rate_12_months": [0.0, 0.12]})).tolist()
    [0.0, 1.0]
    """
    return points_of(frame, _roni_table() if table is None else table)


def points_of(frame: pd.DataFrame, table: pd.DataFrame) -> NDArray[np.float64]:
    """Points of each pupil by the lines of a table.

    Parameters
    ----------
    frame : DataFrame of shape (n_pupils, n_columns)
        Features by name; a line without its column scores nothing.
    table : DataFrame of shape (n_lines, ...)
        ``column``, ``test``, ``threshold`` and ``points``.

    Returns
    -------
    float array of shape (n_pupils,)
        Sum of the points of the lines that the pupil meets.

    Examples
    --------
    >>> line = {"column": ["lates"], "test": ["at_least"], "threshold": [3.0], "points": [2]}
    >>> points_of(pd.DataFrame({"lates": [2.0, 3.0, None]}), pd.DataFrame(line)).tolist()
    [0.0, 2.0, 0.0]
    """
    points = np.zeros(len(frame))
    for row in table.to_dict("records"):
        if row["column"] in frame:
            hit = meets_line(frame[row["column"]], row["test"], float(row["threshold"]))
            points += hit * float(row["points"])
    return points


def meets_line(values: pd.Series, test: str, threshold: float) -> NDArray[np.bool_]:
    """Whether each value meets the test of a line.

    Parameters
    ----------
    values : Series of shape (n_pupils,)
        A feature; a missing value meets no test.
    test : {"at_least", "above", "at_most"}
        How the value is compared.
    threshold : float
        What it is compared with.

    Returns
    -------
    bool array of shape (n_pupils,)
        True where it does.

    Examples
    --------
    >>> meets_line(pd.Series([0.1, 0.2, None]), "at_most", 0.1).tolist()
    [True, False, False]
    """
    value = values.to_numpy(dtype=float)
    if test == "above":
        return value > threshold
    # float32 features: a rate of exactly 10% must count as 10%
    return value <= threshold + 1e-7 if test == "at_most" else value >= threshold - 1e-7


def columns_of_rankers() -> dict[str, tuple[str, ...]]:
    """Return the columns that each baseline looks at.

    Returns
    -------
    dict of str to tuple of str
        Baseline → features; of the points, those of Oxfordshire's scheme.

    Examples
    --------
    >>> columns_of_rankers()["suspensions last year"]
    ('suspensions_12_months',)
    """
    return {
        **{name: (column,) for name, column in BY_ONE_COLUMN.items()},
        "RONI points": tuple(_roni_table()["column"]),
        "vulnerable list": VULNERABLE,
    }


def simple_rankers(
    frame: pd.DataFrame, points: pd.DataFrame | None = None
) -> dict[str, NDArray[np.float64]]:
    """Scores of the baselines whose columns the frame has.

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

    Examples
    --------
    >>> scores = simple_rankers(pd.DataFrame({"suspensions_12_months": [2.0, None]}))
    >>> {name: score.tolist() for name, score in scores.items()}
    {'suspensions last year': [2.0, -1.0]}
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
    train_weight: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Past rate of the outcome at each pupil's school.

    Parameters
    ----------
    train_school : Series of shape (n_train,)
        School of each training row.
    train_label : array-like of shape (n_train,)
        0 or 1.
    test_school : Series of shape (n_test,)
        School of each tested row.
    train_weight : array-like of shape (n_train,), optional
        Rows of the cohort that each training row represents; 1 each where left out.

    Returns
    -------
    float array of shape (n_test,)
        Rate, pulled towards that of all schools by as many rows as hold one expected outcome; a
        school without training rows gets the rate of all.

    Examples
    --------
    >>> train, label = pd.Series(["a", "a", "b", "b"]), [1, 0, 0, 0]
    >>> school_rate(train, label, pd.Series(["a", "b", "c"])).round(3).tolist()
    [0.333, 0.167, 0.25]
    """
    weight = np.ones(len(train_school)) if train_weight is None else np.asarray(train_weight, float)
    rows = pd.DataFrame({"outcomes": weight * np.asarray(train_label, float), "rows": weight})
    rate = float(rows["outcomes"].sum() / rows["rows"].sum())
    prior_rows = 1 / rate if rate > 0 else 1.0
    by_school = rows.groupby(train_school.astype("str").to_numpy()).sum()
    pulled = (by_school["outcomes"] + rate * prior_rows) / (by_school["rows"] + prior_rows)
    return test_school.astype("str").map(pulled).fillna(rate).to_numpy(dtype=float)
