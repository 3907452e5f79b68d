"""The predictions of a backtest: one frame, its columns named and checked here.

In:  a frame with one row per pupil and tested list, and a score per ranker.
Out: the same frame, or an error that names what is wrong; which of its columns are rankers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from riskmodel.errors import RequestError

__all__ = ["CONTEXT", "check_predictions", "rankers_of"]

CONTEXT = {
    "pupil_id": "pseudonym; once per list",
    "as_of": "day of the list",
    "label": "1 if the outcome happened within the horizon, 0 if not; missing where lost_to gives the reason",
    "lost_to": "where a pupil went whose outcome is not known; missing where it is known",
    "stays": "rows with the outcome: probability to be still followed when it comes",
    "row": "row of the sample that was tested",
    "risk": "the model's risk, 0 to 1, calibrated with what was known on the day of the list",
    "calibrated_on": "the lists and years that the calibration of the risk rests on, in words",
    "event_on": "day of the outcome; missing where there was none",
    "school_id": "school on the day of the list",
    "phase": "phase of school on the day of the list",
    "never_suspended": "True where no suspension was known on the day of the list",
    "share_of_list": "part of the list that could be tested, above 0 and at most 1",
}
"""Column → what it holds. All other columns are rankers: a score per row, higher is more at risk."""

REQUIRED = ("pupil_id", "as_of", "label")
"""Columns that every frame of predictions has; the others allow further figures."""


def rankers_of(predictions: pd.DataFrame) -> list[str]:
    """Columns of the predictions that are scores of rankers.

    Parameters
    ----------
    predictions : DataFrame
        Columns of :data:`CONTEXT`, and a score per ranker.

    Returns
    -------
    list of str
        In the order of the columns.

    Examples
    --------
    >>> rankers_of(pd.DataFrame(columns=["pupil_id", "as_of", "label", "model", "risk", "points"]))
    ['model', 'points']
    """
    return [str(name) for name in predictions if name not in CONTEXT]


def check_predictions(predictions: pd.DataFrame, rankers: Iterable[str]) -> pd.DataFrame:
    """Return the predictions with rows numbered from 0, if they can be measured.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        :data:`REQUIRED` columns, a score per ranker (missing where it gives none), and those of
        :data:`CONTEXT` that are known.
    rankers : iterable of str
        Score columns that will be read.

    Returns
    -------
    DataFrame of shape (n_rows, ...)
        The same rows and columns.

    Raises
    ------
    RequestError
        If a column is not there, an outcome is neither 0 nor 1 without a reason, a pupil is on a list
        twice, a score is not a number, or a risk or a share lies outside its range.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": ["a"], "as_of": pd.Timestamp("2024-02-10"), "label": 1.0,
    ...     "model": 0.3})
    >>> check_predictions(rows, ["model"]).shape
    (1, 4)
    >>> check_predictions(rows.drop(columns="label"), ["model"])
    Traceback (most recent call last):
    riskmodel.errors.RequestError: The predictions have no column 'label' (1 if the outcome happened ...
    """
    rankers = list(rankers)
    _check_columns(predictions, rankers)
    _check_rows(predictions)
    for name in rankers:
        if not pd.api.types.is_numeric_dtype(predictions[name]):
            raise RequestError(
                f"The scores of '{name}' are not numbers but {predictions[name].dtype}. Give a number "
                "per row, higher for more at risk."
            )
    _check_range(predictions, "risk", "between 0 and 1, both excluded", highest_included=False)
    _check_range(predictions, "share_of_list", "above 0 and at most 1", highest_included=True)
    if "stays" in predictions:
        with_outcome = predictions[predictions["label"] == 1]
        _check_range(with_outcome, "stays", "above 0 and at most 1", highest_included=True)
    return predictions.reset_index(drop=True)


def _check_columns(predictions: pd.DataFrame, rankers: list[str]) -> None:
    for name in (*REQUIRED, *rankers):
        if name not in predictions:
            meaning = CONTEXT.get(name, "the score of a ranker")
            raise RequestError(
                f"The predictions have no column '{name}' ({meaning}). "
                f"Found: {', '.join(map(str, predictions))}."
            )


def _check_rows(predictions: pd.DataFrame) -> None:
    nothing = pd.Series(None, index=predictions.index, dtype=object)
    explained = predictions["label"].isna() & predictions.get("lost_to", nothing).notna()
    unknown = int((~predictions["label"].isin([0, 1]) & ~explained).sum())
    if unknown:
        raise RequestError(
            f"An outcome is not known yet for {unknown} rows: their label is not 0 or 1. Measure on lists "
            "whose horizon has ended, and give where each pupil went who left before (lost_to). A list "
            "without outcomes has its own audit (audit_list)."
        )
    twice = predictions.duplicated(["pupil_id", "as_of"]).to_numpy()
    if twice.any():
        raise RequestError(
            f"Row {int(twice.argmax())} of the predictions holds a pupil who is on that list already. "
            "Give one row per pupil and list."
        )


def _check_range(
    predictions: pd.DataFrame, name: str, words: str, *, highest_included: bool
) -> None:
    if name not in predictions:
        return
    value = predictions[name].to_numpy(dtype=float)
    wrong = ~((value > 0) & ((value <= 1) if highest_included else (value < 1)))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RequestError(f"Every {name} must be {words}; row {row} has {value[row]}.")
