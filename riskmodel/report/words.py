"""Sentences that every page and workbook opens with.

In:  an assessment.
Out: what the list is, how often such lists were right, and what it must not be used for.
"""

from __future__ import annotations

from riskmodel.assess import Assessment
from riskmodel.outcomes import policy

__all__ = ["MISUSE", "OUTCOME_WORDS", "purpose", "track_record"]

OUTCOME_WORDS = {
    "pex": "permanent exclusion within 12 months",
    "neet": "not being in education, employment or training in the winter after Year 11",
    "neet-post16": "not being in education, employment or training for half of the next 12 months",
}

MISUSE = (
    "This list starts a conversation about support. It decides nothing about a child.",
    "It must not be used to exclude, to refuse or move a place, to rank schools, or to judge a family.",
    "A risk is a statement about pupils with a record like this one, not a prophecy about this child. "
    "Most children listed will not have the outcome, and some who are not listed will.",
)


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
        f"Made from what was recorded before {assessment.as_of:%d %B %Y}, for {assessment.capacity} "
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
    rows = (assessment.backtest or {}).get("table", [])
    found = [row for row in rows if row["ranker"] == "model"]
    if not found or assessment.backtest is None:
        return "How often such lists are right has not been measured."
    row, counts = found[0], assessment.backtest["counts"]
    how = (
        "On earlier lists"
        if assessment.provenance.get("evaluated") == "out of time"
        else "Tested on pupils left out of the training"
    )
    precision, recall = (
        [100 * row[f"{metric}{end}"] for end in ("", "_low", "_high")]
        for metric in ("precision_at_capacity", "recall_at_capacity")
    )
    return (
        f"{how} of {counts['capacity']} pupils: out of 100 pupils listed, about {precision[0]:.0f} had "
        f"the outcome (95% interval {precision[1]:.0f} to {precision[2]:.0f}); of 100 pupils who had "
        f"it, the list held about {recall[0]:.0f} ({recall[1]:.0f} to {recall[2]:.0f})."
    )
