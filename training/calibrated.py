"""The calibrated ensemble: scores, ranges and exact contributions of rows, all on one scale.

In:  rows of features.
Out: calibrated log-odds with what each feature adds to them, and risks with their ranges.

This module, :class:`~riskmodel.training.affine_calibration.AffineCalibration` and
:class:`~riskmodel.training.rate_range.RateRange` are the only places where numbers of the ensemble
become calibrated ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from riskmodel.training.affine_calibration import AffineCalibration
from riskmodel.training.ensemble import Ensemble
from riskmodel.training.rate_range import RateRange

__all__ = ["RISKS", "CalibratedEnsemble", "ScoredRows"]

RISKS = ("risk", "risk_low", "risk_high")

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ScoredRows:
    """Calibrated scores of some rows, with what each feature adds to them.

    Attributes
    ----------
    base_value : float
        Log-odds of the average training row.
    contributions : float array of shape (n_rows, n_features)
        Log-odds that each feature adds.
    low, high : float arrays of shape (n_rows,)
        Ends of the 95% range of the event rate at the score, in log-odds.

    Examples
    --------
    >>> rows = ScoredRows(
    ...     base_value=-2.0, contributions=np.array([[1.0, 1.0]]), low=-np.ones(1), high=np.ones(1)
    ... )
    >>> rows.log_odds.tolist(), rows.risks().round(3).values.tolist()
    ([0.0], [[0.5, 0.269, 0.731]])
    """

    base_value: float
    contributions: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)

    @property
    def log_odds(self) -> Floats:
        """The base value and the contributions of each row, added up."""
        return np.asarray(self.base_value + self.contributions.sum(axis=1))

    def risks(self) -> pd.DataFrame:
        """Return the risk of each row with its range.

        Returns
        -------
        DataFrame
            ``risk, risk_low, risk_high``, all between 0 and 1. Where the curve of past lists bends away
            from the risk, the range is stretched to hold it.
        """
        middle = self.log_odds
        three = (middle, np.minimum(self.low, middle), np.maximum(self.high, middle))
        return pd.DataFrame(dict(zip(RISKS, map(expit, three), strict=True)))


@dataclass(frozen=True, kw_only=True)
class CalibratedEnsemble:
    """A fitted ensemble with the calibration of its log-odds.

    Attributes
    ----------
    ensemble : Ensemble
        The fitted recipe: a linear part and trees, in several bags.
    calibration : AffineCalibration
        From its log-odds to calibrated log-odds.
    rate : RateRange
        From its log-odds to the range of the event rate.
    """

    ensemble: Ensemble = field(repr=False)
    calibration: AffineCalibration
    rate: RateRange

    @property
    def typical(self) -> Floats:
        """The median of each feature in training; shape (n_features,)."""
        return self.ensemble.linear.centre

    def score(self, X: NDArray[np.float32]) -> ScoredRows:
        """Return scores, ranges and contributions of some rows.

        Parameters
        ----------
        X : float array of shape (n_rows, n_features)
            Features, columns as in training; missing values are nan.

        Returns
        -------
        ScoredRows
            Calibrated.
        """
        base, contributions, members = self.ensemble.explain(X)
        n_bags = members.shape[1]
        error = members.std(axis=1, ddof=1) / np.sqrt(n_bags)
        low, high = self.rate.bounds(members.mean(axis=1), error)
        return ScoredRows(
            base_value=float(self.calibration.apply(base)),
            contributions=self.calibration.scale(contributions),
            low=low,
            high=high,
        )

    def contributions(self, X: NDArray[np.float32]) -> Floats:
        """Return what each feature adds to the log-odds of some rows.

        Parameters
        ----------
        X : float array of shape (n_rows, n_features)
            Features, columns as in training.

        Returns
        -------
        float array of shape (n_rows, n_features)
            Calibrated log-odds.
        """
        return self.calibration.scale(self.ensemble.explain(X)[1])

    def contributions_by_bag(self, X: NDArray[np.float32]) -> Floats:
        """Return what each feature adds to the log-odds of some rows, by each bag alone.

        Parameters
        ----------
        X : float array of shape (n_rows, n_features)
            Features, columns as in training.

        Returns
        -------
        float array of shape (n_bags, n_rows, n_features)
            Calibrated log-odds; their mean over bags are the contributions.
        """
        bags = [self.ensemble.of_bag(n) for n in range(len(self.ensemble.tree_base))]
        return self.calibration.scale(np.stack([bag.explain(X)[1] for bag in bags]))

    def interactions(self, X: NDArray[np.float32]) -> Floats:
        """Return exact Shapley interaction values of a few rows.

        Parameters
        ----------
        X : float array of shape (n_rows, n_features)
            Features, columns as in training.

        Returns
        -------
        float array of shape (n_rows, n_features, n_features)
            Calibrated log-odds; symmetric; rows add up to the contributions.
        """
        return self.calibration.scale(self.ensemble.interactions(X))
