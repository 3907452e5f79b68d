"""The range of a risk: of many pupils with this score, the share who had the outcome.

In:  scores.
Out: the ends of the range at each, in log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["RateRange", "bend"]

INTERVAL_Z = 1.96
"""Standard normal quantile of a 95% interval."""

Floats = NDArray[np.float64]


def bend(away: ArrayLike) -> Floats:
    """Return the shape of the bend: flat at the centre, straight far from it.

    Parameters
    ----------
    away : array-like of shape (n,)
        Distances from the centre, in log-odds.

    Returns
    -------
    float array of shape (n,)
        ``sqrt(1 + away²)``.

    Examples
    --------
    >>> bend([0.0, 0.75]).tolist()
    [1.0, 1.25]
    """
    return np.sqrt(1 + np.square(np.asarray(away, float)))


@dataclass(frozen=True, kw_only=True)
class RateRange:
    """Where the event rate at a score may lie: a curve of log-odds with its uncertainty.

    Attributes
    ----------
    centre : float
        The uncalibrated log-odds about which the curve turns and bends.
    usual_bend : float
        Mean of :func:`bend` over the past lists, which the level includes.
    curve : float array of shape (3,)
        Level at the centre (log-odds), slope, bend.
    covariance : float array of shape (3, 3)
        Of level, slope and bend, for a list that is yet to come.

    Examples
    --------
    >>> only_level = np.diag([0.25, 0.0, 0.0])
    >>> rate = RateRange(
    ...     centre=-3.0, usual_bend=1.0, curve=np.array([-4.0, 1.0, 0.0]), covariance=only_level
    ... )
    >>> [end.round(2).tolist() for end in rate.bounds(np.array([-3.0, -2.0]), np.zeros(2))]
    [[-4.98, -3.98], [-3.02, -2.02]]
    """

    centre: float
    usual_bend: float
    curve: Floats = field(repr=False)
    covariance: Floats = field(repr=False)

    def bounds(self, margin: Floats, error: Floats) -> tuple[Floats, Floats]:
        """Return the ends of the 95% range.

        Parameters
        ----------
        margin : float array of shape (n_rows,)
            Uncalibrated log-odds.
        error : float array of shape (n_rows,)
            Standard error of each, from the bags.

        Returns
        -------
        low, high : float arrays of shape (n_rows,)
            Calibrated log-odds.
        """
        away = margin - self.centre
        design = np.column_stack([np.ones_like(away), away, bend(away) - self.usual_bend])
        middle = design @ self.curve
        variance = np.einsum("ij,jk,ik->i", design, self.covariance, design)
        half = INTERVAL_Z * np.sqrt(variance + (self.curve[1] * error) ** 2)
        return middle - half, middle + half

    def to_dict(self) -> dict[str, Any]:
        """Return the range as JSON-ready numbers.

        Returns
        -------
        dict
            One entry per attribute.
        """
        return {
            "centre": self.centre,
            "usual_bend": self.usual_bend,
            "curve": self.curve.tolist(),
            "covariance": self.covariance.tolist(),
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> RateRange:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        written : dict
            One entry per attribute.

        Returns
        -------
        RateRange
            The same numbers.

        Raises
        ------
        ValueError
            If a number is missing or not finite, or the covariance is none.
        """
        curve, covariance = (np.asarray(written[name], float) for name in ("curve", "covariance"))
        made = cls(
            centre=float(written["centre"]),
            usual_bend=float(written["usual_bend"]),
            curve=curve,
            covariance=covariance,
        )
        if curve.shape != (3,) or covariance.shape != (3, 3):
            raise ValueError("the range of its risks is not whole")
        if not np.isfinite([made.centre, made.usual_bend, *curve, *covariance.ravel()]).all():
            raise ValueError("the range of its risks holds numbers that are not finite")
        if np.linalg.eigvalsh((covariance + covariance.T) / 2).min() < -1e-12:
            raise ValueError("the range of its risks has a negative width")
        return made
