"""Calibration on past lists: what scores were worth on lists whose outcomes are known.

In:  scores of past lists with the outcomes known by a day; the rates of the years before them.
Out: :class:`Calibration`: an affine calibration of log-odds, and the range of the event rate.

The level of a list is a long-run level plus a difference of its year. Years before the past lists give
the long-run level, and how far years differ, by random effects [1]_. The past lists add one more
observation of it. Their slope has a prior around a usual one [2]_, and their curve may bend. A normal
approximation of the posterior at its mode [3]_ gives the calibration and its uncertainty.

References
----------
.. [1] DerSimonian and Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986.
.. [2] Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin
   Classifiers, 1999.
.. [3] Gelman et al., "Bayesian Data Analysis", 3rd edition, 2013, chapters 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from riskmodel.data.calendar import academic_year
from riskmodel.training.affine_calibration import AffineCalibration
from riskmodel.training.rate_range import RateRange, bend

__all__ = ["Calibration", "LongRun", "PastScores", "calibrate"]

SLOPE_SD = 0.25
"""Prior spread of the slope around the usual one: with few outcomes the slope moves little; chosen."""

BEND_SD = 0.1
"""Prior spread of the bend around 0: in the tails, a difference of slope; chosen."""

SMALLEST_SLOPE = 0.05
"""The slope stays positive, so that calibration never turns the ranking round."""

SLOPE_FIXED = 1e-6
"""Prior spread of a slope that may not move."""

YEAR_SD = 0.25
"""Prior spread of a year's log-odds around the long run: a rate a quarter higher or lower; chosen."""

YEAR_SD_WEIGHT = 4
"""Years that the prior spread counts for; chosen."""

MODEL_SD = 0.1
"""Spread of the slope between two models of one recipe, trained at different times; chosen."""

UNKNOWN_LEVEL_SD = 3.0
"""Spread of the level where no earlier year is known: so wide that past lists alone decide; chosen."""

STEP = 0.02
"""Scores are rounded to this for the fit: a change of risk by at most 1%."""

N_STEPS = 50
"""Steps of Newton's method, at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PastScores:
    """Scores of lists, with the outcomes that were known by a day.

    Attributes
    ----------
    margin : float array of shape (n_rows,)
        Uncalibrated log-odds, by models that had not seen the outcomes.
    outcome : float array of shape (n_rows,)
        0 or 1; nan where not known by the day: such a row gives its score only.
    as_of : datetime array of shape (n_rows,)
        The list of each row.
    pupil_id : array of shape (n_rows,)
        Pupil of each row.
    """

    margin: Floats = field(repr=False)
    outcome: Floats = field(repr=False)
    as_of: NDArray[np.datetime64] = field(repr=False)
    pupil_id: NDArray[np.object_] = field(repr=False)

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Rows with a score whose outcome was known by the day."""
        return np.isfinite(self.margin) & np.isfinite(self.outcome)

    @property
    def years(self) -> list[int]:
        """School years of the lists with known outcomes, ascending; named by the year they start in."""
        return _years(self.as_of[self.is_known])

    @property
    def n_pupils(self) -> int:
        """Pupils with the outcome; each counts once."""
        return len(np.unique(self.pupil_id[self.is_known & (self.outcome == 1)].astype(str)))


@dataclass(frozen=True, kw_only=True)
class LongRun:
    """The rate of the outcome over the years before the past lists.

    Attributes
    ----------
    level, level_sd : float
        Log-odds of the rate, and their standard error; nan and a wide one where no year is known.
    year_sd : float
        Standard deviation of a year's log-odds around the level.
    years : tuple of int
        School years it rests on, named by the year they start in.
    """

    level: float = np.nan
    level_sd: float = UNKNOWN_LEVEL_SD
    year_sd: float = YEAR_SD
    years: tuple[int, ...] = ()

    @classmethod
    def of_rows(
        cls,
        outcome: Floats,
        weight: Floats,
        as_of: NDArray[np.datetime64],
        pupil_id: NDArray[np.object_],
    ) -> LongRun:
        r"""Return the long-run rate of labelled rows.

        Parameters
        ----------
        outcome : float array of shape (n_rows,)
            0 or 1.
        weight : float array of shape (n_rows,)
            Rows that each row represents.
        as_of : datetime array of shape (n_rows,)
            The list of each row.
        pupil_id : array of shape (n_rows,)
            Pupil of each row.

        Returns
        -------
        LongRun
            From the years in which somebody had the outcome, and somebody had not.

        Notes
        -----
        A year of :math:`n` pupils with the outcome has log-odds :math:`l` with variance :math:`1/n`. The
        variance between years is :math:`(4 \cdot 0.25^2 + (J - 1) s^2) / (4 + J - 1)` for :math:`J` years,
        with :math:`s^2` the variance of the :math:`l` beyond :math:`1/n`: few years hardly show it. The
        level is the mean of the :math:`l`, weighted by the inverse of both variances together.

        Examples
        --------
        >>> day = np.array(["2022-02-10"] * 100, dtype="datetime64[s]")
        >>> came = np.arange(100) < 10
        >>> found = LongRun.of_rows(came.astype(float), np.ones(100), day, np.arange(100).astype(str))
        >>> found.years, round(float(expit(found.level)), 3), found.year_sd
        ((2021,), 0.1, 0.25)
        """
        rows = pd.DataFrame({"weight": weight, "outcome": outcome, "pupil": pupil_id})
        rows["year"] = academic_year(pd.Series(as_of)).to_numpy()
        rows["found"] = rows["weight"] * rows["outcome"]
        years = rows.groupby("year")[["weight", "found"]].sum()
        years["pupils"] = rows[rows["outcome"] == 1].groupby("year")["pupil"].nunique()
        years = years[(years["found"] > 0) & (years["found"] < years["weight"])]
        if years.empty:
            return cls()
        level = logit((years["found"] / years["weight"]).to_numpy(float))
        return cls._of_years(level, 1 / years["pupils"].to_numpy(float), tuple(years.index))

    @classmethod
    def _of_years(cls, level: Floats, variance: Floats, years: tuple[int, ...]) -> LongRun:
        more = len(level) - 1
        seen = max(0.0, level.var(ddof=1) - variance.mean()) if more else 0.0
        between = (YEAR_SD_WEIGHT * YEAR_SD**2 + more * seen) / (YEAR_SD_WEIGHT + more)
        weight = 1 / (variance + between)
        return cls(
            level=float(np.average(level, weights=weight)),
            level_sd=float(weight.sum() ** -0.5),
            year_sd=float(np.sqrt(between)),
            years=tuple(int(year) for year in years),
        )


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Calibrated log-odds, and the range of the event rate at each score.

    Attributes
    ----------
    affine : AffineCalibration
        From uncalibrated log-odds to calibrated ones.
    rate : RateRange
        Where the share with the outcome may lie, of many pupils with the same score.
    """

    affine: AffineCalibration
    rate: RateRange


def calibrate(
    past: PastScores, before: LongRun | None = None, usual_slope: float = 1.0
) -> Calibration:
    r"""Learn the calibration of a coming list from past ones.

    Parameters
    ----------
    past : PastScores
        Past lists; where none has a known outcome, any list whose scores show their level.
    before : LongRun, optional
        The rate of the years before the past lists; left out where it is not known.
    usual_slope : float
        Slope to expect before anything of these lists is known.

    Returns
    -------
    Calibration
        The slope is at least 0.05. Where nothing of the past is known, it is the usual one.

    Notes
    -----
    With :math:`m` the margin and :math:`k` its mean where the information is, the log-odds are
    :math:`l_0 + \mu + d + b(m - k) + c\,(\sqrt{1 + (m - k)^2} - q)`. The level :math:`l_0` makes the
    mean risk that of the long run. :math:`\mu` is the error of the long run, :math:`d` the difference of
    the past years, which a coming list does not share. An outcome that counts on several lists counts
    once. The affine calibration is the mode with :math:`c = 0`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> margin = rng.normal(-2, 1, 4000)
    >>> came = (rng.random(4000) < expit(margin - 1)).astype(float)  # a level lower than the scores'
    >>> day = np.full(4000, np.datetime64("2023-02-10", "s"))
    >>> past = PastScores(
    ...     margin=margin, outcome=came, as_of=day, pupil_id=np.arange(4000).astype(str)
    ... )
    >>> round(float(calibrate(past).affine.apply(-2.0)))
    -3
    """
    before = before or LongRun()
    scores = _Scores.of(past, before, usual_slope)
    n_years = max(1, len(past.years))
    level = [before.level_sd, before.year_sd / np.sqrt(n_years)]
    line, _ = scores.posterior([*level, SLOPE_SD], usual_slope)
    if line[2] < SMALLEST_SLOPE:
        line, _ = scores.posterior([*level, SLOPE_FIXED], SMALLEST_SLOPE)
    curve, covariance = scores.posterior([*level, SLOPE_SD, BEND_SD], usual_slope)
    slope = float(line[2])
    of_a_coming_list = np.delete(np.delete(covariance, 1, 0), 1, 1)
    of_a_coming_list += np.diag([before.year_sd**2, MODEL_SD**2, 0.0])
    return Calibration(
        affine=AffineCalibration(scores.level + float(line[0]) - slope * scores.centre, slope),
        rate=RateRange(
            centre=scores.centre,
            usual_bend=scores.usual_bend,
            curve=np.array([scores.level + curve[0], curve[2], curve[3]]),
            covariance=of_a_coming_list,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """Rounded scores with rows and outcomes at each, and the point that level and slope are about."""

    margin: Floats
    rows: Floats
    found: Floats
    level: float
    """Log-odds at the centre, before anything is learned from the outcomes."""
    centre: float
    usual_bend: float

    @classmethod
    def of(cls, past: PastScores, before: LongRun, usual_slope: float) -> _Scores:
        scored, known = np.isfinite(past.margin), past.is_known
        steps, step = np.unique(np.round(past.margin[scored] / STEP), return_inverse=True)

        def summed(values: NDArray[np.generic]) -> Floats:
            weights = values[scored].astype(np.float64)
            return np.bincount(step, weights=weights, minlength=len(steps)).astype(np.float64)

        margin = steps * STEP
        rows, found = summed(known), summed(known & (past.outcome == 1))
        usual = rows if known.any() else summed(scored)
        expected = usual_slope * margin
        level = _level(expected, usual, before.level if before.years else _rate(rows, found))
        risk = expit(level + expected)
        centre = _mean(margin, usual * risk * (1 - risk))
        once = past.n_pupils / found.sum() if found.any() else 1.0
        return cls(
            margin=margin,
            rows=once * rows,
            found=once * found,
            level=level + usual_slope * centre,
            centre=centre,
            usual_bend=_mean(bend(margin - centre), usual * risk * (1 - risk)),
        )

    def posterior(self, sd: Sequence[float], slope: float) -> tuple[Floats, Floats]:
        """Return mode and covariance of level, difference of the past, slope and, if asked, bend.

        Each has a normal prior of a spread ``sd`` around 0, the slope around ``slope``.
        """
        away = self.margin - self.centre
        ones = np.ones_like(away)
        design = np.column_stack([ones, ones, away, bend(away) - self.usual_bend])[:, : len(sd)]
        prior = np.array([0.0, 0.0, slope, 0.0])[: len(sd)]
        theta, precision = prior.copy(), np.diag(np.power(sd, -2.0))
        for _ in range(N_STEPS):
            risk = expit(self.level + design @ theta)
            ascent = design.T @ (self.found - self.rows * risk) - precision @ (theta - prior)
            curvature = (design.T * (self.rows * risk * (1 - risk))) @ design + precision
            step = np.clip(np.linalg.solve(curvature, ascent), -1, 1)
            theta = theta + step
            if np.abs(step).max() < 1e-10:
                break
        return theta, np.linalg.inv(curvature)


def _rate(rows: Floats, found: Floats) -> float:
    """Return the log-odds of the rate of past lists; nan where all pupils of them are alike."""
    n, n_found = rows.sum(), found.sum()
    return float(logit(n_found / n)) if 0 < n_found < n else np.nan


def _level(margin: Floats, rows: Floats, rate: float) -> float:
    """Return what to add to the margins so that the mean risk is a rate; 0 where there is none."""
    if not np.isfinite(rate) or not rows.any():
        return 0.0
    wanted = expit(rate)
    bound = abs(rate) + np.abs(margin).max() + 1
    return float(
        brentq(
            lambda level: np.average(expit(level + margin), weights=rows) - wanted, -bound, bound
        )
    )


def _mean(values: Floats, weight: Floats) -> float:
    """Return the weighted mean; 0 of nothing."""
    return float(np.average(values, weights=weight)) if weight.any() else 0.0


def _years(as_of: NDArray[np.datetime64]) -> list[int]:
    """Return the school years of some days, ascending."""
    return sorted(
        {int(year) for year in academic_year(pd.Series(pd.DatetimeIndex(np.unique(as_of))))}
    )
