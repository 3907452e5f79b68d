"""A backtest in sentences for people, and in numbers for MLflow.

In:  a backtest.
Out: sentences, metrics.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.counted import counted
from riskmodel.data.outcomes import outcome_of
from riskmodel.display import write_interval, write_share
from riskmodel.evaluation import Backtest
from riskmodel.evaluation.list_sums import METRICS
from riskmodel.evaluation.stability import EARLY_DAYS
from riskmodel.jobs.rivals import ORACLE
from riskmodel.lost import NOT_KNOWN

__all__ = [
    "calibrated_note",
    "choice_note",
    "metrics_of",
    "notes_for",
    "row_of",
]

FEW_PUPILS = 30
"""Pupils with the outcome below which a note warns that intervals of average precision are too narrow:
see ``benchmarks/intervals.py``."""

ABOUT_TWO_MONTHS = 56
"""Days of notice that the note is about: half a term, with the holiday after it."""


def notes_for(
    outcome: str,
    is_out_of_time: bool,
    backtest: Backtest,
    statuses: pd.DataFrame,
) -> list[str]:
    """Return what a reader of the backtest must know.

    Parameters
    ----------
    outcome : str
        Outcome.
    is_out_of_time : bool
        Whether the lists tested were made with earlier facts only.
    backtest : Backtest
        What was measured.
    statuses : DataFrame
        Rows of each status, from :func:`riskmodel.labels.count_status`.

    Returns
    -------
    list of str
        Plain sentences: how it was measured, whether a simpler ranker does as well, and the rest.
    """
    return [
        _how_measured(backtest, is_out_of_time),
        backtest.recommendation(),
        outcome_of(outcome).policy,
        f"Labels (rows): {_states(statuses)}.",
        *_cautions(backtest),
        *_lost_note(backtest),
        _calibration_note(backtest),
        *_list_notes(backtest),
    ]


def _how_measured(backtest: Backtest, is_out_of_time: bool) -> str:
    if is_out_of_time:
        n_lists = backtest.counts["origins"]
        lists = "1 earlier list" if n_lists == 1 else f"{n_lists} earlier lists, each"
        return f"Measured on {lists} made with what was known then."
    return (
        "History is too short for lists made earlier: measured by cross-validation over pupils "
        "instead, which says less about next year."
    )


def _states(statuses: pd.DataFrame) -> str:
    """Return the rows of each status of a label that has any."""
    return ", ".join(
        f"{str(row['status']).replace('_', ' ')} {row['rows']}"
        for row in statuses.to_dict("records")
        if row["rows"]
    )


def choice_note(backtest: Backtest, *, is_held_out: bool) -> str:
    """Return what a search does to the figures: settings chosen on a list look better on it.

    Parameters
    ----------
    backtest : Backtest
        Of the settings that were chosen.
    is_held_out : bool
        Whether they were chosen on lists whose outcomes were known before the newest was made.

    Returns
    -------
    str
        A sentence, with the newest list where it took no part in the choice.
    """
    if not is_held_out:
        return (
            "The settings were chosen on lists whose outcomes overlap with those of every list here, which "
            "flatters all figures; history is too short to hold a list out."
        )
    lists = backtest.by_list
    row = row_of(lists[lists["as_of"] == lists["as_of"].max()], "ranker", "model")
    precision = row["average_precision"]
    return (
        "The settings were chosen on the lists whose outcomes were known when the newest was made, which "
        f"flatters their figures; on the newest, {row['as_of']:%Y-%m-%d}, with "
        f"{counted(row['positives'], 'outcome')}, "
        f"average precision is {'not defined' if np.isnan(precision) else f'{precision:.3f}'}."
    )


def _cautions(backtest: Backtest) -> list[str]:
    """Return where the figures are less certain, or of fewer pupils, than they look."""
    counts, cautions = backtest.counts, []
    if counts["smallest_share_of_list"] < 1:
        cautions.append(
            "Of each list only the pupils whose outcome could be known by now were tested, as few as "
            f"{counts['smallest_share_of_list']:.0%} of a list, with as large a part of the places."
        )
    if counts["positive_pupils"] < FEW_PUPILS:
        cautions.append(
            f"With fewer than {FEW_PUPILS} pupils with the outcome the intervals of average precision are "
            "too narrow: in trials with 9 such pupils 21 in 100 lay below the truth, in place of 2 or 3."
        )
    return cautions


def _lost_note(backtest: Backtest) -> list[str]:
    """Return how many places were of pupils whose outcome nobody knows, and the figures weighted for it."""
    lost, weighted = backtest.lost, backtest.weighted
    if lost is None:
        return []
    rows = lost[lost["ranker"] == "model"]
    unknown = rows["lost_to"].isin(NOT_KNOWN).to_numpy()
    parts = (("Left the rolls", rows[~unknown]), ("Outcome not known", rows[unknown]))
    notes = [f"{words}: {_places_of(part)}." for words, part in parts if len(part)]
    if notes:
        notes.append(
            "No list could foresee this, so these pupils hold their places. Recall and precision leave "
            "them out."
        )
    if weighted is not None:
        row = row_of(weighted, "ranker", "model")
        notes.append(
            "Weighted by the probability of staying, so that outcomes seen also count for those of leavers: "
            f"recall {write_share(row, 'recall_weighted')}, "
            f"precision {write_share(row, 'precision_weighted')}."
        )
    return notes


def _places_of(rows: pd.DataFrame) -> str:
    """Return the places that pupils hold whose outcome is not known, and where these went."""
    where = ", ".join(f"{row['lost_to']} {row['places']}" for row in rows.to_dict("records"))
    return f"{rows['places'].sum():,} of {rows['of_places'].max():,} places ({where})"


def _calibration_note(backtest: Backtest) -> str:
    """Compare expected with observed outcomes, of risks calibrated on past lists only."""
    if backtest.calibration is None:
        return "No list made earlier could be tested, so the level of the risks was not judged."
    figures = backtest.calibration
    ratio, slope = (
        row_of(figures.summary, "measure", name) for name in ("expected over observed", "slope")
    )
    return (
        "Calibration, with the correction of each list learned from past lists only, starting at a usual "
        "slope (set on simulated LAs, or 1; a pupil counts on each list): "
        f"{figures.value('outcomes expected'):.1f} outcomes expected, "
        f"{figures.value('outcomes observed'):.0f} happened ({ratio['value']:.2f} expected over "
        f"observed, {ratio['low']:.2f} to {ratio['high']:.2f}), slope "
        f"{write_interval(slope['value'], slope['low'], slope['high'])}. "
        f"{''.join(map(_level_of_listed, figures.listed.to_dict('records')))}"
        f"By list: {'; '.join(map(_list_level, figures.by_list.to_dict('records')))}."
    )


def _level_of_listed(row: dict[Any, Any]) -> str:
    """Return expected over observed of all places, with its exact interval."""
    counts = f"Of the pupils listed {row['expected']:.1f} expected, {row['observed']} happened"
    if not row["observed"]:
        return f"{counts} (at least {row['low']:.2f} expected over observed). "
    return f"{counts} ({row['ratio']:.2f}, {row['low']:.2f} to {row['high']:.2f}). "


def _list_level(row: dict[Any, Any]) -> str:
    """Return expected over observed of one list, with its exact interval."""
    day, counts = f"{row['as_of']:%Y-%m-%d}", f"{row['expected']:.1f} to {row['observed']}"
    if not row["observed"]:
        return f"{day} {counts}, at least {row['low']:.2f}"
    return f"{day} {counts}, {row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def calibrated_note(rests_on: str) -> str:
    """Return the lists and years that the level of the risks of new lists rests on.

    Parameters
    ----------
    rests_on : str
        From :func:`riskmodel.jobs.past_levels.final_calibration`.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> calibrated_note("no past list, the rate of 2021/22")
    'The level of new risks rests on no past list, the rate of 2021/22.'
    """
    return f"The level of new risks rests on {rests_on}."


def _list_notes(backtest: Backtest) -> list[str]:
    """Return how early and how steady the model's list is, and how much of it is about schools."""
    return [
        *_never_suspended_note(backtest),
        *_places_notes(backtest),
        *_notice_note(backtest.notice),
        *_lead_time_note(backtest.lead_time),
        *_stability_note(backtest.stability),
        *_school_note(backtest.schools),
    ]


def _never_suspended_note(backtest: Backtest) -> list[str]:
    """Return what lists held of the outcomes of children never suspended, those by the true risk too."""
    words = backtest.never_suspended_words()
    if words is None:
        return []
    best = backtest.table[backtest.table["ranker"] == ORACLE].to_dict("records")
    known = [
        f" Lists by the true risk would have held {write_share(row, 'recall_never_suspended')}."
        for row in best
    ]
    return [words + "".join(known)]


def _places_notes(backtest: Backtest) -> list[str]:
    """Return what more places would find, and places by pupil beside places by school."""
    if backtest.places is None:
        return []
    schools = backtest.places.schools
    notes = [sentence] if (sentence := backtest.places.sentence()) else []
    if schools is not None:
        by = {row["given"]: write_share(row, "recall") for row in schools.to_dict("records")}
        first, *others = by
        rest = ", ".join(f"{by[name]} given to {name}" for name in others)
        notes.append(f"The same places: recall {by[first]} given {first}, {rest}.")
    return notes


def _notice_note(notice: pd.DataFrame | None) -> list[str]:
    """Return whether more lists a year, with the same places, reach more outcomes two months before."""
    if notice is None:
        return []
    first, last = notice["schedule"].iloc[0], notice["schedule"].iloc[-1]
    there = notice[notice["days"] == ABOUT_TWO_MONTHS]
    usual, more = row_of(there, "schedule", first), row_of(there, "schedule", last)
    within = more["gain_low"] <= 0 <= more["gain_high"]
    return [
        f"At least {ABOUT_TWO_MONTHS} days before, {first} reached {write_share(usual, 'reached')} of "
        f"{usual['outcomes']} outcomes; {last}, with the same places for a year, "
        f"{write_share(more, 'reached')}{', a difference within noise' if within else ''}."
    ]


def _lead_time_note(lead_time: pd.DataFrame | None) -> list[str]:
    if lead_time is None:
        return []
    row = row_of(lead_time, "ranker", "model")
    median = f"; median {row['median_days']:.0f} days." if row["median_days"] >= 0 else "."
    return [
        f"Of {counted(row['events'], 'pupil')}, {write_share(row, 'ever_listed')} were "
        f"on a tested list before the event, {write_share(row, 'listed_early')} at least {EARLY_DAYS} days "
        f"before{median}"
    ]


def _stability_note(stability: pd.DataFrame | None) -> list[str]:
    if stability is None or stability.empty:
        return []
    row = row_of(stability, "ranker", "model")
    return [
        f"Of a list {write_share(row, 'kept')} is on the next, {row['days_apart']:.0f} days later."
    ]


def _school_note(schools: pd.DataFrame | None) -> list[str]:
    if schools is None:
        return []
    row = row_of(schools, "ranker", "model")
    return [
        f"{row['share_between']:.0%} of the ranking lies between schools; within a school the pupil "
        f"with the outcome ranks above one without in {row['auc_within']:.0%} of pairs."
    ]


def row_of(table: pd.DataFrame, column: str, value: str) -> dict[Any, Any]:
    """Return the row of a table that holds a value.

    Parameters
    ----------
    table : DataFrame
        One row per value.
    column, value : str
        The column, and the value in it.

    Returns
    -------
    dict
        Column → value.

    Examples
    --------
    >>> table = pd.DataFrame({"ranker": ["model", "RONI points"], "recall": [0.5, 0.25]})
    >>> row_of(table, "ranker", "model")["recall"]
    0.5
    """
    return dict(table[table[column] == value].to_dict("records")[0])


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
