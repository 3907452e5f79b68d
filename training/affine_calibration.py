"""Affine calibration: from log-odds that order pupils to log-odds that can be believed.

In:  an intercept and a slope (:mod:`riskmodel.training.past_calibration` learns them).
Out: calibrated log-odds. Affine, so that contributions stay exactly additive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AffineCalibration"]


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
