"""How far the risks themselves can be believed.

In:  risks and what came true, of lists whose risks were set without their own outcomes.
Out: :class:`Calibration`: Brier score and its parts, slope and intercept [2]_, curve, tenths and phases.

The parts of the Brier score come from isotonic recalibration [1]_: what the score would gain were the
risks put right without changing their order is miscalibration; what the best such risks gain over the
prevalence is discrimination; ``Brier = miscalibration - discrimination + uncertainty`` exactly.

References
----------
.. [1] Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic classifiers",
   PNAS 118, 2021.
.. [2] Van Calster et al., "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17,
   2019.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from sklearn.isotonic import isotonic_regression

from riskmodel.data.ratio import ratio
from riskmodel.display import html_table
from riskmodel.evaluation.resampling import Resamples, bounds

__all__ = ["Calibration", "calibration", "calibration_line"]

Floats = NDArray[np.float64]

STEP = 0.02
"""Log-odds are rounded to this for slope, intercept and curve: a change of risk by at most 1%."""

N_TENTHS = 10


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How expected and observed outcomes agree.

    Attributes
    ----------
    summary : DataFrame
        ``measure``, ``value``, ``low``, ``high``: outcomes expected and observed, their ratio, slope,
        intercept (log-odds), Brier score, miscalibration, discrimination, uncertainty.
    curve : DataFrame
        ``risk``, ``observed``, ``low``, ``high``: isotonic, one row per step of the risk.
    parts : DataFrame
        ``by`` (tenth of risk, phase), ``part``, ``rows``, ``expected``, ``observed``, ``ratio`` of
        expected to observed with ``low`` and ``high``; missing where nothing was observed.
    """

    summary: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)

    def value(self, measure: str) -> float:
        """Return one figure of the summary.

        Parameters
        ----------
        measure : str
            As in ``summary``.

        Returns
        -------
        float
            Its value.
        """
        figures = dict(zip(self.summary["measure"], self.summary["value"], strict=True))
        return float(figures[measure])

    def _repr_html_(self) -> str:
        return html_table(self.summary, "Risks beside what came true, with 95% intervals")


def calibration(
    outcome: ArrayLike, risk: ArrayLike, resamples: Resamples, *, phase: ArrayLike | None = None
) -> Calibration:
    """Compare risks with what came true.

    Parameters
    ----------
    outcome : array-like of shape (n_rows,)
        0 or 1.
    risk : array-like of shape (n_rows,)
        Risks between 0 and 1, both excluded.
    resamples : Resamples
        Draws of the rows' pupils.
    phase : array-like of shape (n_rows,), optional
        Phase of school of each row.

    Returns
    -------
    Calibration
        Summary, curve, parts.
    """
    y, p = np.asarray(outcome, float), np.asarray(risk, float)
    whole = np.zeros(len(y), dtype=np.int64)
    n, expected, observed, squared = (
        resamples.sums(whole, 1, values)[:, 0] for values in (np.ones(len(y)), p, y, (p - y) ** 2)
    )
    steps, step = np.unique(np.round(logit(p) / STEP), return_inverse=True)
    rows, events = (resamples.sums(step, len(steps), values) for values in (None, y))
    slope, intercept = calibration_line(steps * STEP, rows, events)
    recalibrated = _isotonic(rows, events)
    base = observed / n
    brier, uncertainty = squared / n, base * (1 - base)
    best = (events * (1 - recalibrated) ** 2 + (rows - events) * recalibrated**2).sum(axis=1) / n
    figures = {
        "outcomes expected": expected,
        "outcomes observed": observed,
        "expected over observed": ratio(expected, observed),
        "slope": slope,
        "intercept": intercept,
        "Brier score": brier,
        "miscalibration": brier - best,
        "discrimination": uncertainty - best,
        "uncertainty": uncertainty,
    }
    low, high = bounds(recalibrated)
    curve = pd.DataFrame({"risk": expit(steps * STEP), "observed": recalibrated[0],
                          "low": low, "high": high})  # fmt: skip
    groups = {"tenth of risk": _tenths(p)} | ({} if phase is None else {"phase": np.asarray(phase)})
    parts = [_part(name, group, y, p, resamples) for name, group in groups.items()]
    return Calibration(
        summary=pd.DataFrame(_figure(name, draws) for name, draws in figures.items()),
        curve=curve,
        parts=pd.concat(parts, ignore_index=True),
    )


def calibration_line(log_odds: Floats, rows: Floats, events: Floats) -> tuple[Floats, Floats]:
    """Fit the slope of the calibration line, and its intercept at slope 1.

    Parameters
    ----------
    log_odds : array of shape (n_steps,)
        Log-odds of the risk.
    rows, events : arrays of shape (n_draws, n_steps)
        Rows and outcomes at each step, in every draw.

    Returns
    -------
    slope : array of shape (n_draws,)
        1 is right; below 1 the risks are too extreme. nan where there was no outcome.
    intercept : array of shape (n_draws,)
        0 is right; below 0 the risks are too high. nan where there was no outcome.
    """
    n_draws = len(rows)
    free, level = np.tile([0.0, 1.0], (n_draws, 1)), np.zeros(n_draws)
    with np.errstate(all="ignore"):
        for _ in range(30):
            risk = expit(free[:, :1] + free[:, 1:] * log_odds)
            weight, excess = rows * risk * (1 - risk), events - rows * risk
            a, b, c = (
                weight.sum(axis=1), (weight * log_odds).sum(axis=1),
                (weight * log_odds**2).sum(axis=1),
            )  # fmt: skip
            g, h = excess.sum(axis=1), (excess * log_odds).sum(axis=1)
            step = np.column_stack([c * g - b * h, a * h - b * g]) / (a * c - b * b)[:, None]
            free = free + np.clip(step, -1, 1)
            risk = expit(level[:, None] + log_odds)
            step_of_level = (events - rows * risk).sum(axis=1) / (rows * risk * (1 - risk)).sum(
                axis=1
            )
            level = level + np.clip(step_of_level, -1, 1)
    none = ~((events.sum(axis=1) > 0) & (events.sum(axis=1) < rows.sum(axis=1)))
    return np.where(none, np.nan, free[:, 1]), np.where(none, np.nan, level)


def _isotonic(rows: Floats, events: Floats) -> Floats:
    """Return the share with the outcome by step, never falling as the risk grows, in every draw."""
    fitted = np.empty_like(rows)
    for draw, (n, found) in enumerate(zip(rows, events, strict=True)):
        seen = n > 0
        share = isotonic_regression(found[seen] / n[seen], sample_weight=n[seen], y_min=0, y_max=1)
        fitted[draw] = np.interp(np.arange(len(n)), np.flatnonzero(seen), share)
    return fitted


def _tenths(risk: Floats) -> NDArray[np.object_]:
    """Return the tenth of the rows that each row's risk lies in, highest last."""
    place = pd.Series(risk).rank(method="first").to_numpy() - 1
    number = (place * N_TENTHS // len(risk)).astype(int) + 1
    return np.array([f"{i:>2} of {N_TENTHS}" for i in range(N_TENTHS + 1)], dtype=object)[number]


def _part(
    by: str, group: NDArray[Any], outcome: Floats, risk: Floats, resamples: Resamples
) -> pd.DataFrame:
    names, place = np.unique(group.astype(str), return_inverse=True)
    rows, expected, observed = (
        resamples.sums(place, len(names), values) for values in (None, risk, outcome)
    )
    level = ratio(expected, observed)
    low, high = bounds(level)
    return pd.DataFrame(
        {"by": by, "part": names, "rows": rows[0].astype(int), "expected": expected[0],
         "observed": observed[0].astype(int), "ratio": level[0], "low": low, "high": high}
    )  # fmt: skip


def _figure(name: str, draws: Floats) -> dict[str, Any]:
    low, high = bounds(draws)
    return {"measure": name, "value": float(draws[0]), "low": float(low), "high": float(high)}
