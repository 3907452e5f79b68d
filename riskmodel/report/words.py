"""Sentences that every page and workbook opens with.

In:  an assessment.
Out: what the list is, how often such lists were right, and what it must not be used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.outcomes import policy

__all__ = ["MISUSE", "OUTCOME_WORDS", "backtest_words", "day_words", "purpose", "track_record"]

OUTCOME_WORDS = {
    "pex": "permanent exclusion within 12 months",
    "neet": "not being in education, employment or training in the winter after Year 11",
    "neet-post16": "not being in education, employment or training for half of the next 12 months",
}

_SHOWN, _ENDS = ("precision_at_capacity", "recall_at_capacity"), ("", "_low", "_high")

MISUSE = (
    "This list starts a conversation about support. It decides nothing about a child.",
    "It must not be used to exclude, to refuse or move a place, to rank schools, or to judge a family.",
    "A risk is a statement about pupils with a record like this one, not a prophecy about this child. "
    "Many children listed will not have the outcome, and some who are not listed will.",
)


def day_words(day: pd.Timestamp) -> str:
    """Write a day as people do.

    Parameters
    ----------
    day : Timestamp
        Any day.

    Returns
    -------
    str
        Day, month and year.

    Examples
    --------
    >>> day_words(pd.Timestamp("2024-09-02"))
    '2 September 2024'
    """
    return f"{day.day} {day:%B %Y}"


def purpose(assessment: Assessment) -> list[str]:
    """Return what the list is.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    list of str
        Sentences.
    """
    simulated = assessment.provenance.get("simulated")
    lines = ["SIMULATED DATA: no real child is in this list."] if simulated else []
    return [
        *lines,
        f"Pupils who may need support early: risk of {OUTCOME_WORDS[assessment.outcome]}.",
        f"Made from what was recorded before {day_words(assessment.as_of)}, for {assessment.capacity} "
        f"places among {len(assessment.scores):,} pupils.",
        policy(assessment.outcome),
        f"Model: {assessment.provenance.get('model_uri', 'not registered')}, trained on what was known "
        f"before {assessment.provenance.get('trained_as_of', 'an unknown day')}.",
        track_record(assessment),
    ]


def track_record(assessment: Assessment) -> str:
    """Say how often such lists were right.

    Parameters
    ----------
    assessment : Assessment
        With the model's backtest.

    Returns
    -------
    str
        Natural frequencies with intervals, or that nothing was measured.
    """
    return backtest_words(assessment.backtest or {}, assessment.provenance.get("evaluated"))


def backtest_words(backtest: Mapping[str, Any], evaluated: str | None) -> str:
    """Say how often lists of a backtest were right.

    Parameters
    ----------
    backtest : mapping
        From :meth:`riskmodel.evaluation.Backtest.to_dict`; empty where there was none.
    evaluated : str, optional
        ``"out of time"`` where earlier lists were tested.

    Returns
    -------
    str
        Natural frequencies with intervals, or that nothing was measured.
    """
    row: dict[str, Any] = next(
        (row for row in backtest.get("table", []) if row.get("ranker") == "model"), {}
    )
    if any(row.get(f"{metric}{end}") is None for metric in _SHOWN for end in _ENDS):
        return "How often such lists are right has not been measured."
    capacity = backtest["counts"]["capacity"]
    how = (
        "On earlier lists"
        if evaluated == "out of time"
        else "Tested on pupils left out of the training"
    )
    precision, recall = ([100 * row[f"{metric}{end}"] for end in _ENDS] for metric in _SHOWN)
    return (
        f"{how} of {capacity} pupils: out of 100 pupils listed, about {precision[0]:.0f} had "
        f"the outcome (95% interval {precision[1]:.0f} to {precision[2]:.0f}); of 100 pupils who had "
        f"it, the list held about {recall[0]:.0f} ({recall[1]:.0f} to {recall[2]:.0f})."
    )
