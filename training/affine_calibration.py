"""Affine calibration: from log-odds that order pupils to log-odds that can be believed.

In:  uncalibrated log-odds of pupils the model had not seen, and what came true.
Out: an intercept and a slope. Affine, so that contributions stay exactly additive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

__all__ = ["AffineCalibration", "calibrated_on_others", "fit_affine"]

SLOPE_PRIOR_SD = 0.3
"""Prior spread of the slope around 1; with few outcomes the slope moves little."""

SMALLEST_SLOPE = 0.05
"""The slope stays positive, so that calibration never turns the ranking round."""

PUPIL_FOLDS = 5
"""Parts of the pupils, each calibrated on the others."""


@dataclass(frozen=True, slots=True)
class AffineCalibration:
    """Calibrated log-odds are ``intercept + slope * margin``.

    Attributes
    ----------
    intercept : float
        Log-odds.
    slope : float
        Greater than 0.
    """

    intercept: float
    slope: float

    def apply(self, margin: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return calibrated log-odds.

        Parameters
        ----------
        margin : float array of shape (n_rows,)
            Uncalibrated log-odds.

        Returns
        -------
        float array of shape (n_rows,)
            Calibrated log-odds.

        Examples
        --------
        >>> AffineCalibration(intercept=-1.0, slope=2.0).apply(np.array([0.0, 1.0])).tolist()
        [-1.0, 1.0]
        """
        return np.asarray(self.intercept + self.scale(margin))

    def scale(self, difference: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return a difference of margins as one of calibrated log-odds.

        Parameters
        ----------
        difference : float array of any shape
            Uncalibrated log-odds, such as contributions or a spread.

        Returns
        -------
        float array of the same shape
            Calibrated log-odds.

        Examples
        --------
        >>> float(AffineCalibration(intercept=-1.0, slope=2.0).scale(0.5))
        1.0
        """
        return np.asarray(self.slope * difference)


def fit_affine(margin: ArrayLike, outcome: ArrayLike) -> AffineCalibration:
    """Fit intercept and slope by penalised maximum likelihood (Platt with a prior).

    Parameters
    ----------
    margin : array-like of shape (n_rows,)
        Uncalibrated log-odds of unseen rows; rows with a missing margin are left out.
    outcome : array-like of shape (n_rows,)
        0 or 1; rows with a missing outcome are left out.

    Returns
    -------
    AffineCalibration
        The identity where no row has the outcome.

    Notes
    -----
    Minimises the sum of ``log(1 + exp(-s * m))`` with ``s = ±1`` plus
    ``(slope - 1)² / (2 · 0.3²)``: a few outcomes must not set the slope. It is at least 0.05 [1]_.

    References
    ----------
    .. [1] Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin
       Classifiers, 1999.

    Examples
    --------
    >>> margin = np.repeat([-2.0, 2.0], 100)
    >>> too_sure = np.tile([0, 0, 0, 1], 25), np.tile([1, 1, 1, 0], 25)  # a quarter the other way
    >>> fit_affine(margin, np.concatenate(too_sure)).slope < 1
    True
    """
    margins, outcomes = np.asarray(margin, float), np.asarray(outcome, float)
    seen = np.isfinite(margins) & np.isfinite(outcomes)
    margins, outcomes = margins[seen], outcomes[seen]
    if not 0 < outcomes.sum() < outcomes.size:
        return AffineCalibration(0.0, 1.0)

    def loss(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = theta[0] + theta[1] * margins
        excess = expit(log_odds) - outcomes
        value = np.logaddexp(0, log_odds) - outcomes * log_odds
        pull = (theta[1] - 1) / SLOPE_PRIOR_SD**2
        return (
            float(value.sum() + 0.5 * pull * (theta[1] - 1)),
            np.array([excess.sum(), (excess * margins).sum() + pull]),
        )

    bounds = [(None, None), (SMALLEST_SLOPE, None)]
    found = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return AffineCalibration(float(found.x[0]), float(found.x[1]))


def calibrated_on_others(
    margin: NDArray[np.float64],
    outcome: NDArray[np.float64],
    as_of: NDArray[np.datetime64],
    pupil_id: pd.Series,
) -> NDArray[np.float64]:
    """Return risks of tested lists, each calibrated on other lists and other pupils.

    Lists share pupils, and for NEET their outcomes too: without the pupils left out a list would
    confirm itself. Where no other pupil has the outcome on another list, the same list's others serve.

    Parameters
    ----------
    margin : float array of shape (n_rows,)
        Uncalibrated log-odds of unseen rows.
    outcome : float array of shape (n_rows,)
        0, 1, or nan where not known: nothing is learned from such rows, and they have a risk.
    as_of : datetime array of shape (n_rows,)
        The list of each row; at least two lists.
    pupil_id : Series of shape (n_rows,)
        Pupil of each row; pupils are parted into :data:`PUPIL_FOLDS` by a hash of it.

    Returns
    -------
    float array of shape (n_rows,)
        Risks, 0 to 1.
    """
    part = pd.util.hash_array(pupil_id.astype("str").to_numpy(dtype=object)) % PUPIL_FOLDS
    log_odds = np.empty(len(margin))
    for day in np.unique(as_of):
        for number in np.unique(part):
            here = (as_of == day) & (part == number)
            others = (as_of != day) & (part != number)
            if not (outcome[others & np.isfinite(margin)] == 1).any():
                others = part != number
            log_odds[here] = fit_affine(margin[others], outcome[others]).apply(margin[here])
    return np.asarray(expit(log_odds))
