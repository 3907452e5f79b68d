"""The gates: what a challenger must pass before it can be put to use.

In:  thresholds written before the run, and what was measured: :class:`Evidence`.
Out: an answer per gate: passed, failed or not judged, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.counted import counted
from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.best_rival import BestRival, best_rival
from riskmodel.evaluation.calibration import Calibration
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.jobs.disparity import disparity_answer
from riskmodel.jobs.notes import FEW_PUPILS, row_of
from riskmodel.jobs.rivals import CHAMPION, FITTED
from riskmodel.jobs.settings import Gates
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["Evidence", "gates_for", "missing_answers"]

Measured = tuple[float, float, float]
"""A figure, and the low and the high end of its interval."""

AT_CAPACITY = "recall_at_capacity"
"""Metric by which the best rival is chosen, and compared with."""

BEYOND_BELIEF = 0.98
"""Recall at capacity and average precision that no record allows; chosen."""

FEWEST_TO_DOUBT = 10
"""Pupils with the outcome from which on such a figure is no luck; chosen."""

LARGEST_PART = 0.2
"""Part of the cohort on a list, above which recall may be as high; chosen."""

LEVEL, LISTED, SLOPE = OF_RISKS = (
    "expected_over_observed",
    "expected_over_observed_listed",
    "calibration_slope",
)
"""Gates on the risks: of all pupils, of those listed, and how the risks of pupils differ."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a challenger is judged on.

    Attributes
    ----------
    extract : Extract
        What was read.
    backtest : Backtest
        What was measured.
    is_out_of_time : bool
        Whether earlier lists could be tested.
    gaps : DataFrame or None
        From :func:`riskmodel.jobs.disparity.judged_gaps`; None where there is nothing to compare the
        model's gaps with.
    champion_fault : str
        Why the champion in use could not be compared with; empty where it could, or where there is none.
    """

    extract: Extract = field(repr=False)
    backtest: Backtest = field(repr=False)
    is_out_of_time: bool
    gaps: pd.DataFrame | None = field(repr=False)
    champion_fault: str = ""


def gates_for(gates: Gates, evidence: Evidence) -> tuple[GateAnswer, ...]:
    """Judge the challenger by the gates that ``promote`` asks for.

    Parameters
    ----------
    gates : Gates
        The thresholds, written before the run.
    evidence : Evidence
        What was measured.

    Returns
    -------
    tuple of GateAnswer
        One per gate; gates that are switched off are not there.
    """
    backtest = evidence.backtest
    return (
        *([_out_of_time(evidence)] if gates.tested_out_of_time else []),
        _set_aside(gates, evidence.extract),
        _lift(gates, backtest),
        *([_rival(gates, backtest)] if gates.not_beaten_by else []),
        *(_champion(gates, evidence) if gates.not_below_champion else []),
        *_risks(gates, backtest),
        *([disparity_answer(evidence.gaps)] if gates.no_new_disparity else []),
    )


def _out_of_time(evidence: Evidence) -> GateAnswer:
    n_lists = evidence.backtest.counts["origins"] if evidence.is_out_of_time else 0
    reason = "no list made earlier could be tested"
    return _measured("tested_out_of_time", n_lists, 1, reason, n_lists >= 1)


def _set_aside(gates: Gates, extract: Extract) -> GateAnswer:
    rejected = int(extract.reconciliation["rows_rejected"].sum())
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    most = gates.most_rows_set_aside
    reason = f"{rejected:,} of {rows:,} rows were set aside, more than {most:.1%}"
    return _measured("most_rows_set_aside", rejected / rows, most, reason, rejected / rows <= most)


def _lift(gates: Gates, backtest: Backtest) -> GateAnswer:
    """Pass where the interval of the lift lies above the least; fail where the lift itself lies below."""
    code, least = "smallest_lift", gates.smallest_lift
    row = row_of(backtest.table, "ranker", "model")
    lift, low = float(row["lift_at_capacity"]), float(row["lift_at_capacity_low"])
    if not np.isfinite([lift, low]).all():
        return _too_few(code, "the lift", backtest, threshold=least)
    if low < least <= lift:
        reason = (
            f"the list holds {lift:.1f} times as many as chance, and with {_outcomes(backtest)} it may "
            f"be {low:.1f}, less than {least:g}"
        )
        return _unjudged(code, reason, value=lift, threshold=least)
    if low >= least and (doubt := _beyond_belief(row, backtest)):
        return _unjudged(code, doubt, value=lift, threshold=least)
    reason = f"the list holds {lift:.1f} times as many as chance, less than {least:g}"
    return _measured(code, lift, least, reason, low >= least)


def _beyond_belief(row: Mapping[Any, Any], backtest: Backtest) -> str:
    """Return why the figures are too good to be true; empty where they may be.

    Nobody can foresee all outcomes of a year from the record. A list that holds a large part of the
    cohort may hold them all, so its recall shows nothing.
    """
    if backtest.counts["positive_pupils"] < FEWEST_TO_DOUBT:
        return ""
    metrics = ["average_precision"]
    if row[AT_CAPACITY] <= LARGEST_PART * row["lift_at_capacity"]:
        metrics.append(AT_CAPACITY)
    best = max(metrics, key=lambda metric: float(row[metric]))
    if row[best] < BEYOND_BELIEF:
        return ""
    return (
        f"{METRICS[best].lower()} is {row[best]:.3f}, with {_outcomes(backtest)}: too good to be true. "
        "Look for a feature that knows the outcome"
    )


def missing_answers(gates: Gates, answers: Iterable[GateAnswer]) -> list[str]:
    """Return the gates without an answer that can be believed.

    A version whose tags were removed or edited in MLflow must not pass for one that was judged.

    Parameters
    ----------
    gates : Gates
        What the version had to pass.
    answers : iterable of GateAnswer
        What its tags hold.

    Returns
    -------
    list of str
        Codes of gates that have no answer, or one that does not block although the gate can always be
        judged. The gate against a champion is asked for only where there was one.

    Examples
    --------
    >>> missing_answers(Gates(not_beaten_by=()), [])[:2]
    ['tested_out_of_time', 'most_rows_set_aside']
    """
    always = ["most_rows_set_aside", "smallest_lift"]
    if gates.tested_out_of_time:
        always.insert(0, "tested_out_of_time")
    asked = {"not_beaten_by": gates.not_beaten_by, "no_new_disparity": gates.no_new_disparity}
    sometimes = [*(code for code, is_asked in asked.items() if is_asked), *OF_RISKS]
    found = {answer.code: answer.is_needed for answer in answers}
    return [
        *(code for code in always if not found.get(code, False)),
        *(code for code in sometimes if code not in found),
    ]


def _rival(gates: Gates, backtest: Backtest) -> GateAnswer:
    """Compare with the best rival at the capacity."""
    code, margin = "not_beaten_by", gates.largest_loss_at_capacity
    measured = set(backtest.table["ranker"])
    unfitted = [name for name in FITTED if name in gates.not_beaten_by and name not in measured]
    best = best_rival(backtest.table, backtest.differences, gates.not_beaten_by, AT_CAPACITY)
    if best is None:
        reason = "these extracts give none of the rivals"
        return _unjudged(code, reason, threshold=-margin, is_needed=bool(unfitted))
    answer = _not_inferior(code, best, margin, backtest)
    twins = [name for name in gates.not_beaten_by if name in backtest.same_lists]
    if twins and answer.result == "passed":
        reason = f"the model is no better than {', '.join(twins)}: the lists hold the same pupils"
        return _unjudged(code, reason, value=answer.value, threshold=-margin)
    if unfitted and answer.result == "passed":
        reason = f"these rivals could not be fitted: {', '.join(unfitted)}"
        return _unjudged(code, reason, value=answer.value, threshold=-margin)
    return answer


def _champion(gates: Gates, evidence: Evidence) -> list[GateAnswer]:
    """Compare with the champion's recipe; nothing where there is no champion or the recipe is the same."""
    code, margin = "not_below_champion", gates.largest_loss_at_capacity
    if evidence.champion_fault:
        return [_unjudged(code, evidence.champion_fault, threshold=-margin)]
    backtest = evidence.backtest
    found, order = (
        best_rival(backtest.table, backtest.differences, [CHAMPION], metric)
        for metric in (AT_CAPACITY, "average_precision")
    )
    if found is None:
        return []
    if order is not None and order.is_worse:
        reason = f"average precision is lower by {-order.difference:.3f}, beyond noise"
        return [_measured(code, order.high, 0.0, reason, is_passed=False)]
    return [_not_inferior(code, found, margin, backtest)]


def _not_inferior(code: str, best: BestRival, margin: float, backtest: Backtest) -> GateAnswer:
    """Fail where a loss is beyond noise; pass where the interval rules out a loss beyond the margin."""
    if not best.is_judged:
        return _too_few(code, "recall at capacity", backtest, threshold=-margin)
    words = (
        f"recall at capacity is {best.own:.3f}, that of {best.ranker} {best.rivals:.3f}, a difference of "
        f"{best.difference:+.3f} ({best.low:+.3f} to {best.high:+.3f})"
    )
    if best.is_worse:
        reason = f"{words}: lower beyond noise"
        return _measured(code, best.low, -margin, reason, is_passed=False)
    if backtest.counts["positive_pupils"] < FEW_PUPILS:
        reason = f"{words}: {_outcomes(backtest)}; at least {FEW_PUPILS} are needed"
    elif best.low < -margin:
        reason = (
            f"{words}: with {_outcomes(backtest)} a loss of more than {margin:g} is not ruled out"
        )
    else:
        return _measured(code, best.low, -margin, "", is_passed=True)
    return _unjudged(code, reason, value=best.low, threshold=-margin)


def _risks(gates: Gates, backtest: Backtest) -> tuple[GateAnswer, ...]:
    """Judge the level of the risks, that of those listed, and the slope."""
    found, kept = backtest.calibration, gates.expected_over_observed
    if found is None:
        reason = "no list made earlier could be tested, with a level learned from the past"
        return tuple(
            _unjudged(code, reason, threshold=_threshold(gates, code)) for code in OF_RISKS
        )
    return (
        _level(LEVEL, _figures(found, "expected over observed"), kept, backtest),
        *(
            _level(LISTED, (row["ratio"], row["low"], row["high"]), kept, backtest)
            for row in found.listed.to_dict("records")
        ),
        _slope(gates, found, backtest),
    )


def _threshold(gates: Gates, code: str) -> tuple[float, float]:
    return gates.calibration_slope if code == SLOPE else gates.expected_over_observed


def _figures(found: Calibration, measure: str) -> Measured:
    """Return a figure of the summary with the ends of its interval."""
    row = row_of(found.summary, "measure", measure)
    return float(row["value"]), float(row["low"]), float(row["high"])


def _level(
    code: str, measured: Measured, kept: tuple[float, float], backtest: Backtest
) -> GateAnswer:
    """Judge expected over observed outcomes; where none was observed, the ratio has no upper end."""
    value, low, high = measured
    if not np.isfinite(low):
        return _too_few(code, "the level of the risks", backtest, threshold=kept)
    whose = " of the pupils listed" if code == LISTED else ""
    words = f"expected over observed outcomes{whose} is {value:.2f} ({low:.2f} to {high:.2f})"
    if np.isnan(value):
        words = f"expected over observed outcomes{whose} is at least {low:.2f}"
    ends = (np.nan_to_num(value, nan=np.inf), low, np.nan_to_num(high, nan=np.inf))
    return _within(code, ends, kept, words, backtest)


def _slope(gates: Gates, found: Calibration, backtest: Backtest) -> GateAnswer:
    """Judge whether risks rise with the outcomes as they should.

    Risks that are the same for all, or belong to other pupils, have the right level on average. So the
    level alone cannot fail them.
    """
    kept = gates.calibration_slope
    value, low, high = measured = _figures(found, "slope")
    if found.is_flat:
        reason = "all pupils of a list have the same risk"
        return GateAnswer(code=SLOPE, result="failed", reason=reason, threshold=kept)
    if not np.isfinite(measured).all():
        return _too_few(SLOPE, "the slope of the risks", backtest, threshold=kept)
    words = f"slope {value:.2f} ({low:.2f} to {high:.2f})"
    if low <= 0 and high < 1:
        reason = f"the risks do not rise with what came true: {words}"
        return _measured(SLOPE, value, kept, reason, is_passed=False)
    return _within(SLOPE, measured, kept, words, backtest, is_needed=low <= 0)


def _within(
    code: str,
    measured: Measured,
    kept: tuple[float, float],
    words: str,
    backtest: Backtest,
    *,
    is_needed: bool = False,
) -> GateAnswer:
    """Pass where the interval lies inside the range; fail where it lies wholly outside.

    Otherwise too few outcomes were seen to judge. That blocks where the figure itself lies outside.
    """
    (value, low, high), (least, most) = measured, kept
    number = value if np.isfinite(value) else None
    if high < least or most < low:
        reason = f"{words}, outside {least:g} to {most:g}"
        return GateAnswer(code=code, result="failed", reason=reason, value=number, threshold=kept)
    if least <= low and high <= most:
        return _measured(code, value, kept, "", is_passed=True)
    reason = f"{words}: {_outcomes(backtest)} are too few to place it in {least:g} to {most:g}, or outside"
    is_needed = is_needed or not least <= value <= most
    return _unjudged(code, reason, value=number, threshold=kept, is_needed=is_needed)


def _measured(
    code: str,
    value: float,
    threshold: float | tuple[float, float],
    reason: str,
    is_passed: bool,
) -> GateAnswer:
    """Return the answer of a gate that compares a number; the reason counts only where it failed."""
    return GateAnswer(
        code=code,
        result="passed" if is_passed else "failed",
        reason="" if is_passed else reason,
        value=value,
        threshold=threshold,
    )


def _unjudged(
    code: str,
    reason: str,
    *,
    threshold: float | tuple[float, float],
    value: float | None = None,
    is_needed: bool = True,
) -> GateAnswer:
    """Return the answer of a gate that could not be judged."""
    return GateAnswer(
        code=code,
        result="not judged",
        reason=reason,
        value=value,
        threshold=threshold,
        is_needed=is_needed,
    )


def _too_few(
    code: str, what: str, backtest: Backtest, threshold: float | tuple[float, float]
) -> GateAnswer:
    reason = f"{what} could not be judged, with {_outcomes(backtest)}"
    return _unjudged(code, reason, threshold=threshold)


def _outcomes(backtest: Backtest) -> str:
    return f"{counted(backtest.counts['positive_pupils'], 'pupil')} with the outcome"
