"""The gates: what a challenger must pass before it can be put to use.

In:  thresholds written before the run, and what was measured: :class:`Evidence`.
Out: an answer per gate: passed, failed or not judged, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.calibration import Calibration
from riskmodel.fairness import FEWEST_OUTCOMES
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.verdicts import holm
from riskmodel.jobs.notes import row_of
from riskmodel.jobs.rivals import CHAMPION
from riskmodel.jobs.settings import Gates
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["Evidence", "gates_for", "judged_gaps", "missing_answers"]

COMPARED_BY = ("average_precision", "recall_at_capacity")
"""Metrics by which a rival may not be better."""

SIGNIFICANT = 0.05
"""Level of the corrected p-values."""


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
        From :func:`judged_gaps`; None where there is nothing to compare the model's gaps with.
    is_champions_recipe : bool
        Whether settings and features are those of the champion, so that no gap can be wider than its.
    champion_fault : str
        Why the champion in use could not be compared with; empty where it could, or where there is none.
    """

    extract: Extract = field(repr=False)
    backtest: Backtest = field(repr=False)
    is_out_of_time: bool
    gaps: pd.DataFrame | None = field(repr=False)
    is_champions_recipe: bool = False
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
        *(_rival(ranker, backtest) for ranker in gates.not_beaten_by),
        *(_champion(evidence) if gates.not_below_champion else []),
        _level(gates, backtest),
        *([_disparity(evidence)] if gates.no_new_disparity else []),
    )


def _out_of_time(evidence: Evidence) -> GateAnswer:
    if evidence.is_out_of_time:
        return GateAnswer(code="tested_out_of_time", result="passed")
    reason = "no list made earlier could be tested"
    return GateAnswer(code="tested_out_of_time", result="failed", reason=reason)


def _set_aside(gates: Gates, extract: Extract) -> GateAnswer:
    rejected = int(extract.reconciliation["rows_rejected"].sum())
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    most = gates.most_rows_set_aside
    reason = f"{rejected:,} of {rows:,} rows were set aside, more than {most:.1%}"
    return _measured("most_rows_set_aside", rejected / rows, most, reason, rejected / rows <= most)


def _lift(gates: Gates, backtest: Backtest) -> GateAnswer:
    lift = float(row_of(backtest.table, "ranker", "model")["lift_at_capacity"])
    least = gates.smallest_lift
    if not np.isfinite(lift):
        return _too_few("smallest_lift", "the lift", backtest, threshold=least)
    reason = f"the list holds {lift:.1f} times as many as chance, less than {least:g}"
    return _measured("smallest_lift", lift, least, reason, lift >= least)


def _rival_code(ranker: str) -> str:
    return f"not_beaten_by_{ranker.replace(' ', '_')}"


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
    rivals = [_rival_code(ranker) for ranker in gates.not_beaten_by]
    always = ["most_rows_set_aside", "smallest_lift", "expected_over_observed"]
    if gates.tested_out_of_time:
        always.insert(0, "tested_out_of_time")
    sometimes = [*rivals, *(["no_new_disparity"] if gates.no_new_disparity else [])]
    found = {answer.code: answer.is_needed for answer in answers}
    return [
        *(code for code in always if not found.get(code, False)),
        *(code for code in sometimes if code not in found),
    ]


def _rival(ranker: str, backtest: Backtest) -> GateAnswer:
    """Compare with a named ranker, if these extracts give it."""
    code = _rival_code(ranker)
    found = backtest.differences[backtest.differences["ranker"] == ranker].to_dict("records")
    if not found:
        reason = "these extracts do not give it"
        return GateAnswer(code=code, result="not judged", reason=reason, is_needed=False)
    return _compared(code, found[0], backtest)


def _champion(evidence: Evidence) -> list[GateAnswer]:
    """Compare with the champion's recipe; nothing where there is no champion or the recipe is the same."""
    code = "not_below_champion"
    if evidence.champion_fault:
        return [GateAnswer(code=code, result="not judged", reason=evidence.champion_fault)]
    differences = evidence.backtest.differences
    rows = differences[differences["ranker"] == CHAMPION].to_dict("records")
    return [_compared(code, row, evidence.backtest) for row in rows]


def _compared(code: str, row: dict[Any, Any], backtest: Backtest) -> GateAnswer:
    """Fail where the ranker of a row is better beyond noise by any metric."""
    unjudged, worse = [], []
    for metric in COMPARED_BY:
        name, highest = metric.replace("_", " "), row[f"{metric}_high"]
        if not np.isfinite(highest):
            unjudged.append(name)
        elif highest < 0:
            worse.append(f"{name} is lower by {-row[metric]:.3f}, beyond noise")
    if not unjudged and not worse:
        return GateAnswer(code=code, result="passed")
    if unjudged:
        unjudged = [f"{' and '.join(unjudged)} could not be judged, with {_outcomes(backtest)}"]
    reason = " and ".join(worse + unjudged)
    return GateAnswer(code=code, result="failed" if worse else "not judged", reason=reason)


def _level(gates: Gates, backtest: Backtest) -> GateAnswer:
    code, (least, most) = "expected_over_observed", gates.expected_over_observed
    if backtest.calibration is None:
        reason = "no list made earlier could be tested, with a level learned from the past"
        return GateAnswer(code=code, result="not judged", reason=reason, threshold=(least, most))
    row = row_of(backtest.calibration.summary, "measure", "expected over observed")
    if not np.isfinite([row["low"], row["high"]]).all():
        return _too_few(code, "the level of the risks", backtest, threshold=(least, most))
    reason = (
        f"expected over observed outcomes is {row['value']:.2f} ({row['low']:.2f} to "
        f"{row['high']:.2f}), outside {least:g} to {most:g}"
    )
    meets = least <= row["high"] and row["low"] <= most
    if meets and (fault := _no_slope(backtest.calibration)):
        meets, reason = False, fault
    return _measured(code, float(row["value"]), (least, most), reason, meets)


def _no_slope(found: Calibration) -> str:
    """Return why the risks of pupils tell nothing apart; empty where they rise with the outcomes.

    Risks that are the same for all, or belong to other pupils, have the right level on average. So the
    level alone cannot fail them.
    """
    if found.is_flat:
        return "all pupils of a list have the same risk"
    slope = row_of(found.summary, "measure", "slope")
    if slope["low"] <= 0 and slope["high"] < 1:
        return (
            "the risks do not rise with what came true: slope "
            f"{slope['value']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"
        )
    return ""


def _disparity(evidence: Evidence) -> GateAnswer:
    """Fail where a group is found less often than others, by more than before."""
    code = "no_new_disparity"
    if evidence.is_champions_recipe:
        return GateAnswer(code=code, result="passed")
    if evidence.gaps is None or evidence.gaps.empty:
        reason = (
            "these extracts give nothing to compare the gaps with"
            if evidence.gaps is None
            else f"no group has {FEWEST_OUTCOMES} pupils with the outcome in it and as many outside"
        )
        return GateAnswer(code=code, result="not judged", reason=reason, is_needed=False)
    wider = evidence.gaps[evidence.gaps["is_wider"]].sort_values("z").to_dict("records")
    words = [f"{row['characteristic']}: {row['group']} (recall {row['now']:.2f})" for row in wider]
    reason = f"found less often than others, by more than before: {'; '.join(words)}"
    return _measured(code, len(wider), 0, reason, not wider)


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


def _too_few(
    code: str, what: str, backtest: Backtest, threshold: float | tuple[float, float]
) -> GateAnswer:
    reason = f"{what} could not be judged, with {_outcomes(backtest)}"
    return GateAnswer(code=code, result="not judged", reason=reason, threshold=threshold)


def _outcomes(backtest: Backtest) -> str:
    n_pupils = backtest.counts["positive_pupils"]
    return f"{n_pupils} pupil{'' if n_pupils == 1 else 's'} with the outcome"


def judged_gaps(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    reference: str,
    *,
    capacity: int,
    random_state: int,
) -> pd.DataFrame:
    """Return the groups whose gap can be judged, and whether it is wider than a reference leaves it.

    Parameters
    ----------
    predictions : DataFrame of shape (n_tested, ...)
        ``pupil_id``, ``as_of``, ``label``, ``model`` and the reference's score.
    groups : DataFrame of shape (n_tested, n_characteristics)
        Protected characteristics of the same rows.
    reference : str
        Score column of what the model is to replace.
    capacity : int
        Pupils listed at each ``as_of``.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    DataFrame
        Rows of :func:`riskmodel.fairness.practice.compare_gaps` that have a test statistic, with
        ``is_wider``.

    Notes
    -----
    A group's gap is its recall minus that of all others. Of the groups that the model finds less often
    than others, with five pupils with the outcome or more and as many outside, the one-sided p-values
    of a wider gap are corrected after Holm.
    """
    gaps = compare_gaps(
        predictions, groups, [reference], capacity=capacity, random_state=random_state
    )
    gaps = gaps[gaps["z"].notna()]
    missed = gaps["gap"].to_numpy(dtype=float) < 0
    is_wider = np.zeros(len(gaps), dtype=bool)
    p_value = norm.cdf(gaps["z"].to_numpy(dtype=float)[missed])
    is_wider[missed] = holm(p_value) < SIGNIFICANT
    return gaps.assign(is_wider=is_wider)
