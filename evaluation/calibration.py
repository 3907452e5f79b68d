"""How well the risks agree with what happened.

In:  risks and outcomes of lists; the risks of a list were set with what was known on its day.
Out: :class:`Calibration`: Brier score and its parts, slope and intercept [2]_, curve, lists, tenths and
     phases.

The parts of the Brier score come from isotonic recalibration [1]_, which corrects the risks without
changing their order. Miscalibration is what this correction gains. Discrimination is what the corrected
risks gain over the prevalence. ``Brier = miscalibration - discrimination + uncertainty`` exactly.

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
from riskmodel.evaluation.metrics import poisson_interval
from riskmodel.evaluation.resampling import Resamples, bounds

__all__ = ["Calibration", "calibration"]

Floats = NDArray[np.float64]

STEP = 0.02
"""Log-odds are rounded to this for slope, intercept and curve: a change of risk by at most 1%."""

N_TENTHS = 10

N_STEPS = 30
"""Steps of Newton's method."""

N_HALVINGS = 30
"""Times that a step is halved at most, where the likelihood falls."""

CONVERGED = 1e-6
"""Largest last step of a line that was found."""


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
    by_list : DataFrame
        ``as_of``, ``rows``, ``expected``, ``observed``, their ``ratio`` with its exact interval ``low``
        and ``high`` (where nothing was observed, ``low`` only), ``calibrated_on``. No row where the
        lists are not given.
    listed : DataFrame
        One row for all places of the lists: ``places``, ``expected``, ``observed``, ``pupils`` with the
        outcome, ``ratio`` with its exact interval ``low`` and ``high`` (where nothing was observed,
        ``low`` only). No row where the lists are not given.
    """

    summary: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    by_list: pd.DataFrame = field(repr=False)
    listed: pd.DataFrame = field(repr=False)

    @property
    def is_flat(self) -> bool:
        """Whether all pupils of a list have the same risk."""
        return len(self.curve) <= max(1, len(self.by_list))

    def value(self, measure: str) -> float:
        """One figure of the summary.

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
    outcome: ArrayLike,
    risk: ArrayLike,
    resamples: Resamples,
    *,
    phase: ArrayLike | None = None,
    lists: pd.DataFrame | None = None,
    listed: ArrayLike | None = None,
) -> Calibration:
    """Return expected beside observed outcomes.

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
    lists : DataFrame of shape (n_rows, ...), optional
        ``as_of`` of each row and, if known, ``calibrated_on``: what its risk rests on, in words.
    listed : array-like of bool, shape (n_rows,), optional
        Rows that hold a place.

    Returns
    -------
    Calibration
        Summary, curve, parts, lists.

    Notes
    -----
    A list's ratio is ``expected / observed``; its interval divides by the ends of the exact interval of
    the Poisson mean of the observed [3]_. A pupil may hold places on several lists. So the interval for
    all places is that of the pupils with the outcome, and each stands for as many outcomes as the mean.

    References
    ----------
    .. [3] Garwood, "Fiducial limits for the Poisson distribution", Biometrika 28, 1936.

    Examples
    --------
    >>> resamples = Resamples.draw(pd.Series(range(4)), 0)
    >>> made = calibration([0, 0, 1, 1], [0.25, 0.25, 0.5, 0.5], resamples)
    >>> round(made.value("expected over observed"), 2), round(made.value("miscalibration"), 3)
    (0.75, 0.156)
    """
    y, p = np.asarray(outcome, float), np.asarray(risk, float)
    steps, step = np.unique(np.round(logit(p) / STEP), return_inverse=True)
    rows, events = (resamples.sums(step, len(steps), values) for values in (None, y))
    recalibrated = _isotonic(rows, events)
    figures = _levels(y, p, resamples) | _lines(steps * STEP, rows, events)
    figures |= _brier_parts(y, p, rows, events, recalibrated, resamples)
    groups = {"tenth of risk": _tenths(p)} | ({} if phase is None else {"phase": np.asarray(phase)})
    parts = [_part(name, group, y, p, resamples) for name, group in groups.items()]
    return Calibration(
        summary=pd.DataFrame(_figure(name, draws) for name, draws in figures.items()),
        curve=_curve(steps * STEP, recalibrated),
        parts=pd.concat(parts, ignore_index=True),
        by_list=_by_list(y, p, lists),
        listed=_listed(y, p, resamples, listed),
    )


def _by_list(outcome: Floats, risk: Floats, lists: pd.DataFrame | None) -> pd.DataFrame:
    """Return expected and observed outcomes of each list, with the exact interval of their ratio."""
    rows = pd.DataFrame({"as_of": pd.NaT, "calibrated_on": ""}, index=range(len(risk)))
    if lists is not None:
        rows = rows.assign(**{str(n): lists[n].to_numpy() for n in rows if n in lists})
    rows = rows.assign(rows=1, expected=risk, observed=outcome)
    sums = {"rows": "sum", "expected": "sum", "observed": "sum", "calibrated_on": "first"}
    found = rows.groupby("as_of").agg(sums).reset_index()
    found["observed"] = found["observed"].astype(int)
    fewest, most = poisson_interval(found["observed"])
    found.insert(4, "ratio", ratio(found["expected"], found["observed"]))
    found.insert(5, "low", found["expected"] / most)
    found.insert(6, "high", ratio(found["expected"], fewest))
    return found


def _listed(
    outcome: Floats, risk: Floats, resamples: Resamples, listed: ArrayLike | None
) -> pd.DataFrame:
    """Return expected and observed outcomes of all places, with the exact interval of their ratio."""
    inside = np.zeros(len(risk), dtype=bool) if listed is None else np.asarray(listed, dtype=bool)
    expected, observed = float(risk[inside].sum()), int(outcome[inside].sum())
    pupils = len(np.unique(resamples.pupil[inside & (outcome == 1)]))
    fewest, most = (float(end) * observed / max(1, pupils) for end in poisson_interval(pupils))
    row = {
        "places": int(inside.sum()),
        "expected": expected,
        "observed": observed,
        "pupils": pupils,
        "ratio": float(ratio(expected, observed)),
        "low": float(ratio(expected, most if observed else poisson_interval(0)[1])),
        "high": float(ratio(expected, fewest)),
    }
    return pd.DataFrame([] if listed is None else [row], columns=list(row))


def _levels(outcome: Floats, risk: Floats, resamples: Resamples) -> dict[str, Floats]:
    """Return outcomes expected and observed, and their ratio."""
    whole = np.zeros(len(outcome), dtype=np.int64)
    expected, observed = (resamples.sums(whole, 1, values)[:, 0] for values in (risk, outcome))
    return {
        "outcomes expected": expected,
        "outcomes observed": observed,
        "expected over observed": ratio(expected, observed),
    }


def _brier_parts(
    outcome: Floats,
    risk: Floats,
    rows: Floats,
    events: Floats,
    recalibrated: Floats,
    resamples: Resamples,
) -> dict[str, Floats]:
    """Return the Brier score and its parts, from rows and outcomes at each step of the risk."""
    whole, n = np.zeros(len(outcome), dtype=np.int64), rows.sum(axis=1)
    brier = resamples.sums(whole, 1, (risk - outcome) ** 2)[:, 0] / n
    base = events.sum(axis=1) / n
    uncertainty = base * (1 - base)
    best = (events * (1 - recalibrated) ** 2 + (rows - events) * recalibrated**2).sum(axis=1) / n
    return {
        "Brier score": brier,
        "miscalibration": brier - best,
        "discrimination": uncertainty - best,
        "uncertainty": uncertainty,
    }


def _lines(log_odds: Floats, rows: Floats, events: Floats) -> dict[str, Floats]:
    """Fit the slope of the calibration line, and its intercept at slope 1, in every draw.

    A slope below 1: the risks are too extreme. An intercept below 0: the risks are too high. Both are
    missing where nobody, or everybody, had the outcome; the slope also where no line is the likeliest,
    as the outcomes are those of the highest risks. Newton's method, for all draws at once.
    """
    found = events.sum(axis=1)
    defined = (found > 0) & (found < rows.sum(axis=1))
    level = np.zeros(len(rows))
    with np.errstate(all="ignore"):
        slope = _slope(log_odds, rows, events)
        for _ in range(N_STEPS):
            risk = expit(level[:, None] + log_odds)
            step = (events - rows * risk).sum(axis=1) / (rows * risk * (1 - risk)).sum(axis=1)
            level = level + np.clip(step, -1, 1)
    return {
        "slope": np.where(defined, slope, np.nan),
        "intercept": np.where(defined, level, np.nan),
    }


def _slope(log_odds: Floats, rows: Floats, events: Floats) -> Floats:
    """Return the slope of a logistic regression on the log-odds; nan where it was not found.

    A step that would lower the likelihood is halved until it does not.
    """
    line = np.tile([0.0, 1.0], (len(rows), 1))
    best = _likelihood(line, log_odds, rows, events)
    for _ in range(N_STEPS):
        step = _step_of_line(line, log_odds, rows, events)
        for _ in range(N_HALVINGS):
            falls = _likelihood(line + step, log_odds, rows, events) < best - CONVERGED
            if not falls.any():
                break
            step[falls] /= 2
        line = line + step
        best = _likelihood(line, log_odds, rows, events)
        is_found = (np.abs(step) < CONVERGED).all(axis=1)
        if (is_found | np.isnan(step).any(axis=1)).all():
            break
    return np.where(is_found, line[:, 1], np.nan)


def _likelihood(line: Floats, log_odds: Floats, rows: Floats, events: Floats) -> Floats:
    """Return the log-likelihood of a line in every draw."""
    fitted = line[:, :1] + line[:, 1:] * log_odds
    return (events * fitted - rows * np.logaddexp(0, fitted)).sum(axis=1)


def _step_of_line(line: Floats, log_odds: Floats, rows: Floats, events: Floats) -> Floats:
    """Return Newton's step for intercept and slope of a logistic regression."""
    risk = expit(line[:, :1] + line[:, 1:] * log_odds)
    weight, excess = rows * risk * (1 - risk), events - rows * risk
    a, b, c = ((weight * log_odds**power).sum(axis=1) for power in (0, 1, 2))
    g, h = excess.sum(axis=1), (excess * log_odds).sum(axis=1)
    return np.column_stack([c * g - b * h, a * h - b * g]) / (a * c - b * b)[:, None]


def _curve(log_odds: Floats, recalibrated: Floats) -> pd.DataFrame:
    """Return the share that came true at each step of the risk, with its interval."""
    low, high = bounds(recalibrated)
    return pd.DataFrame(
        {"risk": expit(log_odds), "observed": recalibrated[0], "low": low, "high": high}
    )


def _isotonic(rows: Floats, events: Floats) -> Floats:
    """Return the share with the outcome at each step, never falling as the risk grows, in every draw."""
    fitted = np.empty_like(rows)
    for draw, (n, found) in enumerate(zip(rows, events, strict=True)):
        seen = n > 0
        share = isotonic_regression(found[seen] / n[seen], sample_weight=n[seen], y_min=0, y_max=1)
        fitted[draw] = np.interp(np.arange(len(n)), np.flatnonzero(seen), share)
    return fitted


def _tenths(risk: Floats) -> NDArray[np.object_]:
    """Return the tenth of the rows that each row's risk lies in, highest last."""
    below = pd.Series(risk).rank(method="first").to_numpy() - 1
    number = (below * N_TENTHS // len(risk)).astype(int) + 1
    return np.array([f"{i:>2} of {N_TENTHS}" for i in range(N_TENTHS + 1)], dtype=object)[number]


def _part(
    by: str, group: NDArray[Any], outcome: Floats, risk: Floats, resamples: Resamples
) -> pd.DataFrame:
    """Return expected and observed outcomes of each part."""
    names, part = np.unique(group.astype(str), return_inverse=True)
    rows, expected, observed = (
        resamples.sums(part, len(names), values) for values in (None, risk, outcome)
    )
    level = ratio(expected, observed)
    low, high = bounds(level)
    return pd.DataFrame(
        {
            "by": by,
            "part": names,
            "rows": rows[0].astype(int),
            "expected": expected[0],
            "observed": observed[0].astype(int),
            "ratio": level[0],
            "low": low,
            "high": high,
        }
    )


def _figure(name: str, draws: Floats) -> dict[str, Any]:
    """Return one figure of the summary with its interval."""
    low, high = bounds(draws)
    return {"measure": name, "value": float(draws[0]), "low": float(low), "high": float(high)}
