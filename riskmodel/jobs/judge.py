"""What is said of a backtest: notes for people, gates for promotion, numbers for MLflow.

In:  a backtest, an extract, a sample.
Out: sentences, gate answers, metrics, and where the model came from.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.metrics import expected_over_observed
from riskmodel.fairness import audit_recall
from riskmodel.jobs.sample import Sample
from riskmodel.outcomes import count_status, policy
from riskmodel.training.calibration import calibrated_on_other_lists

__all__ = ["gates_for", "lineage", "metrics_of", "notes_for", "recall_records"]


def recall_records(
    predictions: pd.DataFrame, groups: pd.DataFrame, capacity: int
) -> list[dict[str, Any]]:
    """Audit whom the backtest's lists found, origins pooled.

    Parameters
    ----------
    predictions : DataFrame of shape (n_tested, ...)
        ``as_of``, ``label``, ``model``.
    groups : DataFrame of shape (n_tested, n_characteristics)
        Protected characteristics of the same rows.
    capacity : int
        Pupils listed at each ``as_of``.

    Returns
    -------
    list of dict
        Rows of :func:`riskmodel.fairness.audit_recall`, ready for JSON.
    """
    place = predictions.groupby("as_of", observed=True)["model"].rank(
        ascending=False, method="first"
    )
    selected = (place <= capacity).to_numpy()
    table = audit_recall(groups, predictions["label"].to_numpy(), selected)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def notes_for(
    outcome: str,
    out_of_time: bool,
    backtest: Backtest,
    labels: pd.DataFrame,
    predictions: pd.DataFrame,
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
    predictions : DataFrame
        ``as_of``, ``label``, ``model`` of the tested rows.

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
        _calibration_note(predictions),
        backtest.recommendation(),
    ]


def _calibration_note(predictions: pd.DataFrame) -> str:
    """Compare expected with observed outcomes, each list calibrated on the other lists."""
    if predictions["as_of"].nunique() < 2:
        return "Only one list could be tested, so the level of the risks could not be checked on another."
    outcome = predictions["label"].to_numpy()
    risk = calibrated_on_other_lists(
        predictions["model"].to_numpy(), outcome, predictions["as_of"].to_numpy()
    )
    ratio = expected_over_observed(outcome, risk)
    return (
        "Calibration, each list with the correction learned from the others (which share pupils with "
        f"it): {risk.sum():.1f} outcomes expected, {outcome.sum():.0f} happened ({ratio:.2f} expected "
        "over observed)."
    )


def gates_for(extract: Extract, backtest: Backtest, out_of_time: bool) -> dict[str, str]:
    """Judge the challenger by the gates that ``promote`` asks for.

    Parameters
    ----------
    extract : Extract
        What was read.
    backtest : Backtest
        What was measured.
    out_of_time : bool
        Whether earlier lists could be tested.

    Returns
    -------
    dict of str to str
        Gate → ``"passed"`` or why it failed.
    """
    rejected = extract.reconciliation["rows_rejected"].sum()
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    answers = {
        "out_of_time": "passed" if out_of_time else "failed: no list made earlier could be tested",
        "data": "passed"
        if rejected / rows <= 0.01
        else f"failed: {rejected} of {rows} rows were set aside, more than 1%",
    }
    for row in backtest.differences.to_dict("records"):
        ranker, gap = str(row["ranker"]), float(row["average_precision"])
        if ranker in {"logistic regression", "RONI points", "months jobless so far"}:
            answers[f"not_below_{ranker.replace(' ', '_')}"] = (
                f"failed: average precision is lower by {-gap:.3f}, beyond noise"
                if row["average_precision_high"] < 0
                else "passed"
            )
    return answers


def metrics_of(backtest: Backtest) -> dict[str, float]:
    """Return the numbers that MLflow keeps.

    Parameters
    ----------
    backtest : Backtest
        What was measured.

    Returns
    -------
    dict of str to float
        ``<ranker>.<metric>``; numbers that could not be measured are left out.
    """
    names = ("average_precision", "precision_at_capacity", "recall_at_capacity", "roc_auc")
    return {
        f"{ranker}.{name}".replace(" ", "_").replace("(", "").replace(")", ""): float(value)
        for ranker, *values in backtest.table[["ranker", *names]].itertuples(index=False)
        for name, value in zip(names, values, strict=True)
        if np.isfinite(value)
    }


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
        "versions": {
            name: version(name) for name in ("riskmodel", "numpy", "pandas", "scikit-learn")
        }
        | {"python": platform.python_version()},
    }
