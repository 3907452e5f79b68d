"""The gates: what a challenger must pass before it can be put to use.

In:  thresholds written before the run, an extract, a backtest.
Out: an answer per gate: passed, failed or not applicable, with the reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.verdicts import holm
from riskmodel.jobs.notes import row_of
from riskmodel.jobs.rivals import CHAMPION
from riskmodel.jobs.settings import Gates

__all__ = ["gates_for", "widened_gaps"]

NOT_APPLICABLE = "not applicable: "

SIGNIFICANT = 0.05
"""Level of the corrected p-values."""


def gates_for(
    gates: Gates,
    extract: Extract,
    backtest: Backtest,
    out_of_time: bool,
    new_disparities: list[str],
) -> dict[str, str]:
    """Judge the challenger by the gates that ``promote`` asks for.

    Parameters
    ----------
    gates : Gates
        The thresholds, written before the run.
    extract : Extract
        What was read.
    backtest : Backtest
        What was measured.
    out_of_time : bool
        Whether earlier lists could be tested.
    new_disparities : list of str
        Groups from :func:`widened_gaps`.

    Returns
    -------
    dict of str to str
        Gate → ``"passed"``, ``"failed: "`` with the reason, or ``"not applicable: "`` with the reason.
        What could not be judged has failed. Gates that are switched off are not there.
    """
    failures: dict[str, str] = {}
    if gates.tested_out_of_time:
        failures["tested_out_of_time"] = (
            "" if out_of_time else "no list made earlier could be tested"
        )
    failures |= {
        "most_rows_set_aside": _set_aside(gates, extract),
        "smallest_lift": _lift(gates, backtest),
        **_rivals(gates, backtest),
        "expected_over_observed": _level(gates, backtest),
    }
    if gates.no_new_disparity:
        words = "; ".join(new_disparities)
        failures["no_new_disparity"] = (
            f"found less often than others, by more than before: {words}" if words else ""
        )
    return {name: _answer(words) for name, words in failures.items()}


def _answer(words: str) -> str:
    if not words:
        return "passed"
    return words if words.startswith(NOT_APPLICABLE) else f"failed: {words}"


def _set_aside(gates: Gates, extract: Extract) -> str:
    rejected = int(extract.reconciliation["rows_rejected"].sum())
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    if rejected / rows <= gates.most_rows_set_aside:
        return ""
    return (
        f"{rejected:,} of {rows:,} rows were set aside, more than {gates.most_rows_set_aside:.1%}"
    )


def _lift(gates: Gates, backtest: Backtest) -> str:
    lift = float(row_of(backtest.table, "ranker", "model")["lift_at_capacity"])
    if lift >= gates.smallest_lift:
        return ""
    return f"the list holds {lift:.1f} times as many as chance, less than {gates.smallest_lift:g}"


def _rivals(gates: Gates, backtest: Backtest) -> dict[str, str]:
    """Compare with every named ranker; one that these extracts do not give is said, not passed over."""
    n = backtest.counts["positive_pupils"]
    measured = {row["ranker"]: row for row in backtest.differences.to_dict("records")}
    answers = {}
    for ranker in gates.not_beaten_by:
        name = f"not_beaten_by_{ranker.replace(' ', '_')}"
        answers[name] = (
            _beaten(measured[ranker], n)
            if ranker in measured
            else f"{NOT_APPLICABLE}these extracts do not give it"
        )
    if gates.not_below_champion and CHAMPION in measured:
        answers["not_below_champion"] = _beaten(measured[CHAMPION], n)
    return answers


def _beaten(row: dict[Any, Any], n: int) -> str:
    """Say by how much the ranker is better beyond noise; nothing where it is not."""
    worse = []
    for metric in ("average_precision", "recall_at_capacity"):
        name = metric.replace("_", " ")
        if not np.isfinite(row[f"{metric}_high"]):
            worse.append(f"{name} could not be judged, with {n} pupils with the outcome")
        elif row[f"{metric}_high"] < 0:
            worse.append(f"{name} is lower by {-row[metric]:.3f}, beyond noise")
    return " and ".join(worse)


def _level(gates: Gates, backtest: Backtest) -> str:
    n = backtest.counts["positive_pupils"]
    if backtest.calibration is None:
        return (
            "could not be judged: a list is needed besides the one that the level is learned from"
        )
    row = row_of(backtest.calibration.summary, "measure", "expected over observed")
    if not np.isfinite([row["low"], row["high"]]).all():
        return f"could not be judged, with {n} pupils with the outcome"
    least, most = gates.expected_over_observed
    if least <= row["high"] and row["low"] <= most:
        return ""
    return (
        f"expected over observed outcomes is {row['value']:.2f} ({row['low']:.2f} to "
        f"{row['high']:.2f}), outside {least:g} to {most:g}"
    )


def widened_gaps(
    predictions: pd.DataFrame,
    groups: pd.DataFrame,
    capacity: int,
    reference: str,
    random_state: int,
) -> list[str]:
    """Return groups that the model finds less often than others, by more than a reference does.

    Parameters
    ----------
    predictions : DataFrame of shape (n_tested, ...)
        ``pupil_id``, ``as_of``, ``label``, ``model`` and the reference's score.
    groups : DataFrame of shape (n_tested, n_characteristics)
        Protected characteristics of the same rows.
    capacity : int
        Pupils listed at each ``as_of``.
    reference : str
        Score column of what the model is to replace.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    list of str
        Group and recall, in words.

    Notes
    -----
    A group's gap is its recall less that of all others (:func:`riskmodel.fairness.practice.compare_gaps`).
    Of the groups that the model finds less often than others, with five pupils with the outcome or more
    and as many outside, the one-sided p-values of a wider gap are corrected after Holm.
    """
    gaps = compare_gaps(
        predictions, groups, [reference], capacity=capacity, random_state=random_state
    )
    gaps = gaps[gaps["z"].notna() & (gaps["gap"] < 0)]
    wider = gaps[holm(norm.cdf(gaps["z"].to_numpy(dtype=float))) < SIGNIFICANT]
    return [
        f"{row['characteristic']}: {row['group']} (recall {row['now']:.2f})"
        for row in wider.sort_values("z").to_dict("records")
    ]
