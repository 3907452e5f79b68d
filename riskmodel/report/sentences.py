"""Sentences at the top of every page and workbook of a list.

In:  an assessment.
Out: what the list is, how often such lists were right, and what it must not be used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation.children import SHARES
from riskmodel.fairness.disclosure import SMALLEST_SHOWN
from riskmodel.report.parts import part_sentences

__all__ = [
    "AUDIT_TABLES",
    "MISUSE",
    "RANGE",
    "about",
    "backtest_words",
    "beside_words",
    "change_words",
    "day_words",
    "hindsight_words",
    "not_judged_words",
    "purpose",
    "short_purpose",
    "track_figures",
    "track_record",
    "without_attendance_words",
]

ENDS = ("", "_low", "_high")
"""Endings of a figure and its interval."""

OUT_OF_TIME = "out of time"
"""What provenance calls a test on earlier lists."""

AUDIT_TABLES = {
    "selection": "This list: who is on it",
    "near_line": "This list: who is just below the line",
    "quotas": "This list: if each school had places in proportion to its pupils",
    "measures": "Earlier lists: each group beside all others",
    "groups": "Earlier lists: counts by group",
    "practice": "Earlier lists: gaps with today's practice, and with the model",
}
"""Table of the audit → what it shows, in words."""

MISUSE = (
    "This list starts a conversation about support. It decides nothing about a child.",
    "It must not be used to exclude, to refuse or move a place, to rank schools, or to judge a family.",
    "A risk is a statement about pupils with a record like this one, not a prophecy about this child. "
    "Many children listed will not have the outcome, and some who are not listed will.",
)

RANGE = (
    "The range is about many pupils with this score: the share of them who have the outcome is meant to lie "
    "in it 95 times in 100."
)
"""What the range of a risk means: the one sentence of all pages, workbooks and records."""

NOT_JUDGED = (
    "They have no risk and no place on this list. That they are not listed does not mean that they need no "
    "support. Ask for the registers, and ask the school about these children."
)
"""What it means that pupils could not be judged."""

MEANINGS = {
    "Risk": "8 in 100 means: of 100 pupils with a record like this one, the model expects about 8 to have "
    f"the outcome. {RANGE}",
    "Near the line": "Pupils just below the last place. The model can hardly tell them from those just "
    "above it.",
}
"""Word of the list → what it means."""


def day_words(day: pd.Timestamp) -> str:
    """Return a day as people write it.

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
        f"Pupils who may need support early: risk of {outcome_of(assessment.outcome).words}.",
        f"Made from what was recorded before {day_words(assessment.as_of)}, for {assessment.capacity} "
        f"places among {len(assessment.scores):,} pupils.",
        *part_sentences(assessment),
        *not_judged_words(assessment, {}),
        *without_attendance_words(assessment, {}),
        outcome_of(assessment.outcome).policy,
        f"Model: {_model(assessment)}",
        track_record(assessment),
    ]


def short_purpose(assessment: Assessment) -> str:
    """Return what the list is, in two sentences.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    str
        Pupils, places, outcome, day.
    """
    day, part = day_words(assessment.as_of), assessment.part
    pupils = "children never suspended" if part is not None and part.is_emerging else "pupils"
    return (
        f"The {assessment.capacity:,} of {len(assessment.scores):,} {pupils} with the highest risk of "
        f"{outcome_of(assessment.outcome).words}, for the offer of support. It uses what was recorded before "
        f"{day}."
    )


def about(assessment: Assessment) -> list[tuple[str, str]]:
    """Return how the list was made, and what its words mean.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    list of (str, str)
        What, and its value in words.
    """
    day, pupils = day_words(assessment.as_of), f"{len(assessment.scores):,}"
    made = {
        "For": "Inclusion officers of the local authority and inclusion leads of its schools.",
        "What counts as the outcome": outcome_of(assessment.outcome).policy,
        "As of": f"{day}. Nothing recorded on or after that day was used.",
        "Pupils": " ".join(
            [
                f"{pupils} were scored; the list has {assessment.capacity:,} places.",
                *part_sentences(assessment),
            ]
        ),
        "Model": _model(assessment),
        "How often it was right": track_record(assessment),
    }
    change = f"{change_words(assessment)} Steady is within a quarter of the former rank."
    return [*made.items(), *MEANINGS.items(), ("Rising, steady, falling", change)]


def _model(assessment: Assessment) -> str:
    """Return the model's address, and the day of its training."""
    origin = assessment.provenance
    uri, day = origin.get("model_uri", "not registered"), origin.get("trained_as_of")
    return f"{uri}, trained on what was known before {day or 'an unknown day'}."


def change_words(assessment: Assessment) -> str:
    """Return what the change is measured against.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    str
        A sentence; it names the day where that is known.
    """
    day = assessment.provenance.get("compared_with")
    if day is None:
        return "Change is the rank now beside the rank on an earlier list, where there is one."
    return (
        "Change is the rank now beside the rank that the same model gives from what was recorded before "
        f"{day_words(pd.Timestamp(day))}."
    )


def hindsight_words(assessment: Assessment) -> list[str]:
    """Return what must be added to a list of a day before the one that its model was trained with.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.

    Returns
    -------
    list of str
        One text, or none where the list is of the day of training or later.
    """
    trained = assessment.provenance.get("trained_as_of")
    if trained is None or assessment.as_of >= pd.Timestamp(trained):
        return []
    return [
        f"The model was trained with what was known before {day_words(pd.Timestamp(trained))}, and this "
        f"list is of {day_words(assessment.as_of)}. The model may have learned what became of these "
        "pupils, so this list looks better than one of a new day would."
    ]


def not_judged_words(
    assessment: Assessment, names: Mapping[str, str], *, school: str | None = None
) -> list[str]:
    """Return how many pupils could not be judged because registers stopped, school by school.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.
    names : mapping of str to str
        ``school_id`` → name; a school without a name is called by its number.
    school : str, optional
        ``school_id`` of the only school wanted.

    Returns
    -------
    list of str
        What it means, after a sentence for each school; empty where no registers stopped.
    """
    if assessment.not_judged.empty:
        return []
    stopped = assessment.stopped_schools()
    if school is not None:
        stopped = stopped[(stopped["school_id"] == school).to_numpy()]
    lines = [
        f"{_pupils(row['pupils'])} of {names.get(row['school_id'], row['school_id'])} ({row['years']}) could "
        f"not be judged: hardly any register has come since {day_words(row['since'])}."
        for row in stopped.to_dict("records")
    ]
    return [*lines, NOT_JUDGED] if lines else []


def without_attendance_words(
    assessment: Assessment, names: Mapping[str, str], *, school: str | None = None
) -> list[str]:
    """Return how many pupils are judged without attendance because their school sends no registers.

    Parameters
    ----------
    assessment : Assessment
        The list's assessment.
    names : mapping of str to str
        ``school_id`` → name; a school without a name is called by its number.
    school : str, optional
        ``school_id`` of the only school wanted.

    Returns
    -------
    list of str
        A sentence for each school of whose pupils on the list most have no mark; empty where the
        model does not count marks.
    """
    scores, values = assessment.scores, assessment.explanation.features
    if "known_half_days" not in values:
        return []
    is_unknown = ~(values["known_half_days"].to_numpy(dtype=float) > 0)
    by_school = pd.Series(is_unknown).groupby(scores["school_id"].astype("str").to_numpy())
    counts = by_school.agg(["sum", "size"])
    counts = counts[counts["sum"] > counts["size"] / 2]
    return [
        f"{_pupils(int(n))} of {names.get(str(one), str(one))} {'is' if n == 1 else 'are'} judged without "
        "attendance: no register has come of them lately."
        for one, n in counts["sum"].items()
        if one and school in (None, one)
    ]


def _pupils(n: int) -> str:
    return "1 pupil" if n == 1 else f"{n:,} pupils"


def track_figures(assessment: Assessment) -> list[tuple[int, str]]:
    """Return how often such lists were right, as two counts out of 100.

    Parameters
    ----------
    assessment : Assessment
        With the model's backtest.

    Returns
    -------
    list of (int, str)
        A count out of 100 and its sentence; none where nothing was measured.
    """
    measured = _measured(assessment.backtest or {})
    if measured is None:
        return []
    found, caught = measured
    happened = outcome_of(assessment.outcome).happened
    when = (
        "on earlier lists"
        if assessment.provenance.get("evaluated") == OUT_OF_TIME
        else "among pupils left out of the training"
    )
    listed = (
        f"Out of 100 children listed {when} whose outcome is known, {_count(found)} were {happened}."
        f"{_not_known(assessment.backtest or {})}"
    )
    held = f"Out of 100 children who were {happened}, such lists would have held {_count(caught)}."
    return [(round(found[0]), listed), (round(caught[0]), held)]


def _count(figures: list[float]) -> str:
    return "{:.0f} ({:.0f} to {:.0f})".format(*figures)


def _measured(backtest: Mapping[str, Any]) -> list[list[float]] | None:
    """Return both shares of children out of 100, each with its interval."""
    row = _row(backtest)
    if any(row.get(f"{share}{end}") is None for share in SHARES for end in ENDS):
        return None
    return [[100 * row[f"{share}{end}"] for end in ENDS] for share in SHARES]


def _row(backtest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's row of the children that were counted; empty where there is none."""
    return next((row for row in backtest.get("children") or [] if row.get("ranker") == "model"), {})


def _not_known(backtest: Mapping[str, Any]) -> str:
    """Return of how many children listed the outcome is not known; nothing where it is of all."""
    row = _row(backtest)
    not_known = row.get("not_known") or 0
    if not not_known:
        return ""
    share = 100 * not_known / (not_known + row["listed"])
    return f" Of {'fewer than 1' if share < 0.5 else f'{share:.0f}'} in 100 listed it is not known."


def track_record(assessment: Assessment) -> str:
    """Return how often such lists were right.

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


def beside_words(backtest: Mapping[str, Any]) -> list[str]:
    """Return what a simpler ranker finds, whom lists missed, and how high the risks of those listed were.

    Parameters
    ----------
    backtest : mapping
        From :meth:`riskmodel.evaluation.Backtest.to_dict`; empty where there was none.

    Returns
    -------
    list of str
        Sentences; none where nothing was measured.
    """
    words = (backtest.get(name) for name in ("recommendation", "never_suspended_words"))
    return [one for one in (*words, _level_of_listed(backtest)) if one]


def _level_of_listed(backtest: Mapping[str, Any]) -> str:
    """Return how the risks of those listed compare with the outcomes; empty if not measured, or on few."""
    listed = (backtest.get("calibration") or {}).get("listed") or [{}]
    row: dict[str, Any] = listed[0]
    if row.get("ratio") is None or row["pupils"] < SMALLEST_SHOWN:
        return ""
    return (
        f"Over all places of those lists the risks added up to {row['ratio']:.2f} times the outcomes that "
        f"came ({row['low']:.2f} to {row['high']:.2f}): above 1 they were too high, below 1 too low."
    )


def backtest_words(backtest: Mapping[str, Any], evaluated: str | None) -> str:
    """Return how often the lists of a backtest were right.

    Parameters
    ----------
    backtest : mapping
        From :meth:`riskmodel.evaluation.Backtest.to_dict`; empty where there was none.
    evaluated : str, optional
        ``"out of time"`` where earlier lists were tested.

    Returns
    -------
    str
        Natural frequencies with intervals, beside those of simpler rankers, or that nothing was measured.
    """
    measured = _measured(backtest)
    if measured is None:
        return "How often such lists are right has not been measured."
    capacity = backtest["counts"]["capacity"]
    how = (
        "On earlier lists"
        if evaluated == OUT_OF_TIME
        else "Tested on pupils left out of the training"
    )
    precision, recall = measured
    return (
        f"{how} of {capacity} pupils, each child counted once: out of 100 children listed whose outcome is "
        f"known, about {precision[0]:.0f} had it (95% interval {precision[1]:.0f} to {precision[2]:.0f}); of "
        f"100 children who had it, the lists held about {recall[0]:.0f} ({recall[1]:.0f} to "
        f"{recall[2]:.0f}).{_not_known(backtest)} {' '.join(beside_words(backtest))}"
    ).rstrip()
