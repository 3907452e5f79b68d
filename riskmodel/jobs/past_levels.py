"""The calibration of tested lists and of the final model, each on past lists only.

In:  a sample with its folds; the scores of the tested lists.
Out: a risk for every tested row with the years it rests on; the calibration that a model keeps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from riskmodel.data.counted import counted
from riskmodel.data.outcomes import outcome_of
from riskmodel.fairness.disclosure import SMALLEST_SHOWN
from riskmodel.inclusion.periods import year_label
from riskmodel.jobs.sample import Sample
from riskmodel.training.folds import Fold
from riskmodel.training.past_calibration import Calibration, LongRun, PastScores, calibrate

__all__ = ["final_calibration", "past_calibrations", "with_past_risks"]


def with_past_risks(sample: Sample, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictions with the model's risk, calibrated with what was known on each list's day.

    Parameters
    ----------
    sample : Sample
        The sample whose folds were tested.
    predictions : DataFrame of shape (n_tested, ...)
        ``row``, ``pupil_id``, ``as_of``, ``label`` and the score ``model``.

    Returns
    -------
    DataFrame of shape (n_tested, ...)
        With ``risk`` and ``calibrated_on``; as it was where no list made earlier could be tested.
    """
    if not sample.is_out_of_time:
        return predictions
    risk = pd.Series(np.nan, index=predictions.index)
    words = pd.Series("", index=predictions.index)
    for day, (learned, rests_on) in past_calibrations(sample, predictions).items():
        here = predictions["as_of"] == day
        risk[here] = expit(learned.affine.apply(predictions["model"][here].to_numpy(dtype=float)))
        words[here] = rests_on
    return predictions.assign(risk=risk, calibrated_on=words)


def past_calibrations(
    sample: Sample, predictions: pd.DataFrame
) -> dict[pd.Timestamp, tuple[Calibration, str]]:
    """Return the calibration of each tested list, from what was known on its day.

    Parameters
    ----------
    sample : Sample
        The sample whose folds were tested, over time.
    predictions : DataFrame of shape (n_tested, ...)
        ``row``, ``pupil_id``, ``as_of`` and the score ``model``.

    Returns
    -------
    dict of Timestamp to (Calibration, str)
        Day of the list → its calibration, and what that rests on, in words.
    """
    found, usual = {}, outcome_of(sample.outcome).usual_slope
    for fold in sample.folds:
        past, before = _known_at(sample, predictions, fold)
        found[fold.origin] = (calibrate(past, before, usual), _rests_on(past, before))
    return found


def final_calibration(sample: Sample, predictions: pd.DataFrame) -> tuple[Calibration, str]:
    """Return the calibration of the final model, from all lists known by the day of its training.

    Parameters
    ----------
    sample : Sample
        The sample whose folds were tested.
    predictions : DataFrame of shape (n_tested, ...)
        As for :func:`with_past_risks`.

    Returns
    -------
    Calibration
        Of the model that is kept.
    str
        What it rests on, in words.
    """
    past = _scores(predictions, predictions["label"].to_numpy(dtype=float))
    before = _long_run(sample, sample.folds[0]) if sample.is_out_of_time else LongRun()
    usual = outcome_of(sample.outcome).usual_slope
    return calibrate(past, before, usual), _rests_on(past, before)


def _known_at(sample: Sample, predictions: pd.DataFrame, fold: Fold) -> tuple[PastScores, LongRun]:
    """Return the lists tested before a fold's, as known on its day, and the rate of the years before.

    Where no outcome of an earlier list was known, the scores of the fold's own list stand without
    outcomes.
    """
    assert fold.known is not None
    known = fold.known[predictions["row"].to_numpy()]
    is_past = (predictions["as_of"] < fold.origin).to_numpy() & np.isfinite(known)
    if not is_past.any():
        own = predictions[predictions["as_of"] == fold.origin]
        return _scores(own, np.full(len(own), np.nan)), _long_run(sample, fold)
    past = predictions[is_past]
    first = next(one for one in sample.folds if one.origin == past["as_of"].min())
    return _scores(past, known[is_past]), _long_run(sample, first)


def _scores(predictions: pd.DataFrame, outcome: NDArray[np.float64]) -> PastScores:
    return PastScores(
        margin=predictions["model"].to_numpy(dtype=float),
        outcome=outcome,
        as_of=predictions["as_of"].to_numpy(),
        pupil_id=predictions["pupil_id"].to_numpy(dtype=object),
    )


def _long_run(sample: Sample, fold: Fold) -> LongRun:
    """Return the rate of all lists whose outcomes were known on a fold's day."""
    rows = sample.spine.iloc[fold.train]
    weight = np.ones(len(rows)) if fold.train_weight is None else fold.train_weight
    pupils = rows["pupil_id"].to_numpy(dtype=object)
    return LongRun.of_rows(fold.train_label, weight, rows["as_of"].to_numpy(), pupils)


def _rests_on(past: PastScores, before: LongRun) -> str:
    """Return the lists and years that a calibration was learned from, in words."""
    years = f"the rate of {_span(before.years)}" if before.years else "no earlier year"
    if not past.is_known.any():
        return f"no past list, {years}"
    n_lists = len(np.unique(past.as_of[past.is_known]))
    lists = f"{counted(n_lists, 'past list')} of {_span(past.years)}"
    few = past.n_pupils < SMALLEST_SHOWN
    pupils = f"fewer than {SMALLEST_SHOWN}" if few else f"{past.n_pupils}"
    return f"{lists} ({pupils} pupils with the outcome), {years}"


def _span(years: Sequence[int]) -> str:
    first, last = year_label(years[0]), year_label(years[-1])
    return first if first == last else f"{first} to {last}"
