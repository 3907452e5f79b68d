"""What is said of a backtest: notes for people, gates for promotion, numbers for MLflow.

In:  a backtest, an extract, a sample.
Out: sentences, gate answers, metrics, and where the model came from.
"""

from __future__ import annotations

import platform
import re
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.lists import EARLY_DAYS
from riskmodel.evaluation.totals import METRICS
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.verdicts import holm
from riskmodel.jobs.rivals import CHAMPION
from riskmodel.jobs.sample import Sample
from riskmodel.jobs.settings import Gates
from riskmodel.outcomes import count_status, policy

__all__ = [
    "choice_note",
    "gates_for",
    "lineage",
    "metrics_of",
    "notes_for",
    "widened_gaps",
]

SIGNIFICANT = 0.05
"""Level of the corrected p-values."""


def notes_for(
    outcome: str,
    out_of_time: bool,
    backtest: Backtest,
    labels: pd.DataFrame,
) -> list[str]:
    """Return what a reader of the backtest must know.

    Parameters
    ----------
    outcome : str
        Outcome.
    out_of_time : bool
        Whether the lists tested were made with earlier facts only.
    backtest : Backtest
        What was measured.
    labels : DataFrame
        All labels, with their ``status``.

    Returns
    -------
    list of str
        Plain sentences; the first says how it was measured.
    """
    how = (
        f"Measured on {backtest.counts['origins']} earlier lists, each made with what was known then."
        if out_of_time
        else "History is too short for lists made earlier: measured by cross-validation over pupils "
        "instead, which says less about next year."
    )
    states = ", ".join(
        f"{str(row['status']).replace('_', ' ')} {row['rows']}"
        for row in count_status(labels).to_dict("records")
        if row["rows"]
    )
    return [
        how,
        policy(outcome),
        f"Labels (rows): {states}.",
        _calibration_note(backtest),
        *_list_notes(backtest),
        backtest.recommendation(),
    ]


def choice_note(backtest: Backtest) -> str:
    """Say what a search does to the figures: settings chosen on a list look better on it.

    Parameters
    ----------
    backtest : Backtest
        Of the settings that were chosen.

    Returns
    -------
    str
        A sentence, with the newest list, which took no part in the choice.
    """
    lists = backtest.by_list
    newest = lists["as_of"].max()
    if newest == lists["as_of"].min():
        return "The settings were chosen on this very list, which flatters its figures."
    row = _row(lists[lists["as_of"] == newest], "ranker", "model")
    precision = row["average_precision"]
    return (
        "The settings were chosen on these lists but the newest, which flatters their figures; on the "
        f"newest, {newest:%Y-%m-%d}, with {row['positives']} outcomes, average precision is "
        f"{'not defined' if np.isnan(precision) else f'{precision:.3f}'}."
    )


def _calibration_note(backtest: Backtest) -> str:
    """Compare expected with observed outcomes, each list calibrated on the other lists."""
    if backtest.calibration is None:
        return "Only one list could be tested, so the level of the risks could not be checked on another."
    figures = backtest.calibration
    ratio = _row(figures.summary, "measure", "expected over observed")
    return (
        "Calibration, each list with the correction learned from the others (which share pupils with "
        f"it): {figures.value('outcomes expected'):.1f} outcomes expected, "
        f"{figures.value('outcomes observed'):.0f} happened ({ratio['value']:.2f} expected over "
        f"observed, {ratio['low']:.2f} to {ratio['high']:.2f}), slope {figures.value('slope'):.2f}."
    )


def _list_notes(backtest: Backtest) -> list[str]:
    """Say how early, how steady and how much about schools the model's list is."""
    notes = []
    row = _row(backtest.table, "ranker", "model")
    if np.isfinite(row["recall_never_suspended"]):
        notes.append(
            "Of the outcomes of pupils with no suspension so far the lists held "
            f"{_share(row, 'recall_never_suspended')}."
        )
    if backtest.lead_time is not None:
        row = _row(backtest.lead_time, "ranker", "model")
        notes.append(
            f"Of {row['events']} pupils, {_share(row, 'ever_listed')} stood on a tested list before "
            f"the event, {_share(row, 'listed_early')} at least {EARLY_DAYS} days before"
            + (f"; median {row['median_days']:.0f} days." if row["median_days"] >= 0 else ".")
        )
    if backtest.stability is not None and not backtest.stability.empty:
        row = _row(backtest.stability, "ranker", "model")
        notes.append(
            f"Of a list {_share(row, 'kept')} is on the next, {row['days_apart']:.0f} days later."
        )
    if backtest.schools is not None:
        row = _row(backtest.schools, "ranker", "model")
        notes.append(
            f"{row['share_between']:.0%} of the ranking lies between schools; within a school the pupil "
            f"with the outcome ranks above one without in {row['auc_within']:.0%} of pairs."
        )
    return notes


def _row(table: pd.DataFrame, column: str, value: str) -> dict[Any, Any]:
    return dict(table[table[column] == value].to_dict("records")[0])


def _share(row: dict[Any, Any], name: str) -> str:
    ends = (row[f"{name}_low"], row[f"{name}_high"])
    interval = f" ({ends[0]:.0%} to {ends[1]:.0%})" if np.isfinite(ends).all() else ""
    return f"{row[name]:.0%}{interval}"


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
        Gate → ``"passed"`` or why it failed; gates that are switched off are not there.
    """
    failures: dict[str, str] = {}
    if gates.tested_out_of_time:
        failures["tested_out_of_time"] = (
            "" if out_of_time else "no list made earlier could be tested"
        )
    rejected = int(extract.reconciliation["rows_rejected"].sum())
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    too_many = rejected / rows > gates.most_rows_set_aside
    failures["most_rows_set_aside"] = (
        f"{rejected:,} of {rows:,} rows were set aside, more than {gates.most_rows_set_aside:.1%}"
        if too_many
        else ""
    )
    lift = float(_row(backtest.table, "ranker", "model")["lift_at_capacity"])
    failures["smallest_lift"] = (
        f"the list holds {lift:.1f} times as many as chance, less than {gates.smallest_lift:g}"
        if lift < gates.smallest_lift
        else ""
    )
    rankers = [*gates.not_beaten_by, *([CHAMPION] if gates.not_below_champion else [])]
    for row in backtest.differences.to_dict("records"):
        if row["ranker"] in rankers:
            name = "below_champion" if row["ranker"] == CHAMPION else f"beaten_by {row['ranker']}"
            failures[f"not_{name.replace(' ', '_')}"] = _beaten(row)
    if backtest.calibration is not None:
        failures["expected_over_observed"] = _level(gates, backtest)
    if gates.no_new_disparity:
        failures["no_new_disparity"] = (
            f"found less often than others, by more than before: {'; '.join(new_disparities)}"
            if new_disparities
            else ""
        )
    return {name: f"failed: {words}" if words else "passed" for name, words in failures.items()}


def _beaten(row: dict[Any, Any]) -> str:
    """Say by how much the ranker is better beyond noise; nothing where it is not."""
    worse = [
        f"{metric.replace('_', ' ')} is lower by {-row[metric]:.3f}, beyond noise"
        for metric in ("average_precision", "recall_at_capacity")
        if row[f"{metric}_high"] < 0
    ]
    return " and ".join(worse)


def _level(gates: Gates, backtest: Backtest) -> str:
    assert backtest.calibration is not None
    row = _row(backtest.calibration.summary, "measure", "expected over observed")
    least, most = gates.expected_over_observed
    if row["high"] < least or row["low"] > most:
        return (
            f"expected over observed outcomes is {row['value']:.2f} ({row['low']:.2f} to "
            f"{row['high']:.2f}), outside {least:g} to {most:g}"
        )
    return ""


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


def metrics_of(table: pd.DataFrame) -> dict[str, float]:
    """Return the numbers that MLflow keeps, of all lists or of one.

    Parameters
    ----------
    table : DataFrame
        ``ranker`` and a column per metric.

    Returns
    -------
    dict of str to float
        ``<ranker>.<metric>``; numbers that could not be measured are left out.
    """
    numbers = {}
    for row in table.to_dict("records"):
        ranker = re.sub(r"[^A-Za-z0-9_]+", "_", str(row["ranker"])).strip("_")
        for name in METRICS:
            for column in (name, f"{name}_low", f"{name}_high"):
                if np.isfinite(row[column]):
                    numbers[f"{ranker}.{column}"] = float(row[column])
    return numbers


def lineage(
    extract: Extract,
    today: pd.Timestamp,
    sample: Sample,
    simulated: bool,
    out_of_time: bool,
    seed: int,
) -> dict[str, Any]:
    """Return where a model came from.

    Parameters
    ----------
    extract : Extract
        What was read.
    today : Timestamp
        The day stood on.
    sample : Sample
        What it was trained on.
    simulated : bool
        Whether the pupils are simulated.
    out_of_time : bool
        Whether earlier lists could be tested.
    seed : int
        Seed.

    Returns
    -------
    dict
        JSON-ready.
    """
    outcome = sample.labels["label"]
    return {
        "trained_as_of": f"{today:%Y-%m-%d}",
        "training_rows": int(outcome.notna().sum()),
        "training_pupils": int(sample.spine["pupil_id"][outcome.notna()].nunique()),
        "training_pupils_with_outcome": int(sample.spine["pupil_id"][outcome == 1].nunique()),
        "training_data_digest": extract.digest,
        "evaluated": "out of time" if out_of_time else "cross-validated over pupils",
        "simulated": simulated,
        "seed": seed,
        "extracts": [
            {
                "file": str(row["file"]),
                "table": str(row["table"]),
                "rows_read": int(row["rows_read"]),
            }
            for row in extract.reconciliation.to_dict("records")
        ],
        "versions": {
            name: version(name) for name in ("riskmodel", "numpy", "pandas", "scikit-learn")
        }
        | {"python": platform.python_version()},
    }
