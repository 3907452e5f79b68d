"""Attendance: how much, which kind and how it changes, from the register as it was known.

Windows are the last school days before the day of the list, so that a holiday is not an absence; those
of 12 months are cut by date. Where too few half-days of a window are known, rates and counts are missing
(:mod:`riskmodel.features.known_half_days`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.codes import PERSISTENT, SEVERE
from riskmodel.data.missed_half_days import FEWEST_HALF_DAYS
from riskmodel.data.ratio import ratio
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.known_half_days import (
    fewest_of,
    rate_of_known,
    registers_of_most,
)
from riskmodel.features.marks import NO_MARK
from riskmodel.features.windows import (
    count_since_last,
    longest_run,
    longest_run_at_end,
    runs,
)

__all__ = [
    "attendance_against_peers",
    "attendance_changes",
    "attendance_patterns",
    "attendance_rates",
    "attendance_streaks",
]

WINDOWS = {"10_days": 10, "20_days": 20, "60_days": 60}
"""Name → school days."""

OF_POSSIBLE = (
    "absence",
    "authorised",
    "unauthorised",
    "illness",
    "late",
    "excluded",
    "part_time",
    "offsite",
    "unexplained",
    "holiday",
    "closed_late",
)
"""Families of marks whose rates are shares of possible half-days."""

OF_MARKED = ("dual", "not_possible", "educated_elsewhere")
"""Families of marks whose rates are shares of all half-days with a mark."""

GOOD, POOR = 0.05, 0.15
"""Most absence of good attendance, and least absence of attendance that has dropped; chosen."""

HALF_DAYS_PER_WEEK = 10


@builder(needs=["sessions"])
def attendance_rates(known: FactsAsOf) -> Columns:
    """Return the share of half-days of each family of marks in each window.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    columns = {}
    for window in (*WINDOWS, "12_months", "term"):
        possible, marked = (_half_days(known, whole, window) for whole in ("possible", "marked"))
        fewest = fewest_of(WINDOWS[window]) if window in WINDOWS else FEWEST_HALF_DAYS
        for family in (*OF_POSSIBLE, *OF_MARKED):
            whole = possible if family in OF_POSSIBLE else marked
            count = _half_days(known, family, window)
            columns[f"{family}_rate_{window}"] = rate_of_known(count, whole, fewest)
    return columns


def _half_days(known: FactsAsOf, family: str, window: str) -> NDArray[np.float64]:
    if window == "term":
        return known.half_days_of_term(family)
    if window == "12_months":
        return known.half_days_of_year(family)
    return known.half_days(family, WINDOWS[window])


@builder(needs=["sessions"])
def attendance_changes(known: FactsAsOf) -> Columns:
    """Compare attendance with the pupil's own past and with the DfE's thresholds.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    return {**_changes(known), **_last_12_weeks(known), **_persistence(known)}


def _changes(known: FactsAsOf) -> Columns:
    columns = {
        f"{family}_change_20_days": _rate(known, family, 20) - _rate(known, family, 180, skip=20)
        for family in ("absence", "unauthorised", "illness", "late")
    }
    lately, before = _rate(known, "absence", 20), _rate(known, "absence", 180, skip=20)
    year_ago = _rate(known, "absence", 60, skip=190)
    dropped = (before <= GOOD) & (lately >= POOR)
    unknown = np.isnan(before) | np.isnan(lately)
    return columns | {
        "absence_change_4_weeks": lately - _rate(known, "absence", 20, skip=20),
        "absence_change_year": _rate(known, "absence", 60) - year_ago,
        "absence_change_term": _rate_of_term(known) - _rate_of_term(known, back=1),
        "attendance_dropped": np.where(unknown, np.nan, dropped.astype(float)),
    }


def _last_12_weeks(known: FactsAsOf) -> Columns:
    """Return trend and spread of absence over six blocks of two school weeks."""
    blocks = np.stack([_rate(known, "absence", 10, skip=skip) for skip in (50, 40, 30, 20, 10, 0)])
    return {"absence_slope": _slope(blocks), "absence_unevenness": np.std(blocks, axis=0)}


def _persistence(known: FactsAsOf) -> Columns:
    year, term = _rate_of_year(known, "absence"), _rate_of_term(known)
    return {
        "persistent_absence": _flag(year, PERSISTENT),
        "severe_absence": _flag(year, SEVERE),
        "persistent_absence_term": _flag(term, PERSISTENT),
        "severe_absence_term": _flag(term, SEVERE),
    }


def _rate(known: FactsAsOf, family: str, n_days: int, *, skip: int = 0) -> NDArray[np.float64]:
    """Return a family's share of possible half-days; the last ``skip`` school days are left out."""
    possible = known.half_days("possible", n_days, skip=skip)
    return rate_of_known(known.half_days(family, n_days, skip=skip), possible, fewest_of(n_days))


def _rate_of_year(known: FactsAsOf, family: str) -> NDArray[np.float64]:
    return rate_of_known(known.half_days_of_year(family), known.half_days_of_year("possible"))


def _rate_of_term(known: FactsAsOf, *, back: int = 0) -> NDArray[np.float64]:
    absent = known.half_days_of_term("absence", back=back)
    return rate_of_known(absent, known.half_days_of_term("possible", back=back))


def _flag(rate: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    return np.where(np.isnan(rate), np.nan, (rate >= threshold).astype(float))


def _slope(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares rise per block; nan where a block is missing."""
    centred = np.arange(len(blocks)) - (len(blocks) - 1) / 2
    return (centred[:, None] * blocks).sum(axis=0) / (centred**2).sum()


@builder(needs=["sessions"])
def attendance_streaks(known: FactsAsOf) -> Columns:
    """Count runs of absence, missed afternoons and complete weeks.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    absent, possible = known.family("absence"), known.family("possible")
    present = possible & ~absent
    lately = slice(-2 * WINDOWS["60_days"], None)
    year = _runs(absent, present, "12_months")
    half_days = absent.sum(axis=1).astype(float)
    return {
        "absence_streak": _where_known(possible, count_since_last(absent, present)),
        "half_days_since_present": _half_days_since(possible, present, known.marks),
        "mean_absence_length": ratio(half_days, year["absence_spells_12_months"]),
        **year,
        **_runs(absent[:, lately], present[:, lately], "60_days"),
        **_afternoons_and_weeks(absent[:, lately], present[:, lately]),
    }


def _runs(absent: NDArray[np.bool_], present: NDArray[np.bool_], window: str) -> Columns:
    possible = absent | present
    return {
        f"longest_absence_{window}": _where_known(possible, longest_run(absent, present)),
        f"absence_spells_{window}": _where_known(possible, runs(absent, present)),
    }


def _where_known(
    possible: NDArray[np.bool_], count: NDArray[np.int64] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a figure per row; nan in rows with too few possible half-days."""
    return np.where(possible.sum(axis=1) >= FEWEST_HALF_DAYS, count.astype(float), np.nan)


def _half_days_since(
    possible: NDArray[np.bool_], present: NDArray[np.bool_], marks: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the half-days since the last one in school, up to the last half-day with a mark."""
    # half-days after the last known mark are not known to be absences
    trailing = longest_run_at_end(marks == NO_MARK)
    since = _where_known(possible, longest_run_at_end(~present) - trailing)
    return np.where(present.any(axis=1), since, np.nan)


def _afternoons_and_weeks(absent: NDArray[np.bool_], present: NDArray[np.bool_]) -> Columns:
    possible = absent | present
    came = present[:, ::2] & possible[:, 1::2]  # in the morning, of days with an afternoon
    is_open = _by_week(possible)
    complete = is_open & ~_by_week(absent)
    return {
        "afternoons_missed": _where_known(
            possible, ratio((came & absent[:, 1::2]).sum(axis=1), came.sum(axis=1))
        ),
        "weeks_complete": _where_known(possible, ratio(complete.sum(axis=1), is_open.sum(axis=1))),
    }


def _by_week(half_days: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether any half-day of each whole week is true; weeks are counted back from the end."""
    n_weeks = half_days.shape[1] // HALF_DAYS_PER_WEEK
    first = half_days.shape[1] - HALF_DAYS_PER_WEEK * n_weeks
    weeks = half_days[:, first:].reshape(len(half_days), n_weeks, HALF_DAYS_PER_WEEK)
    return np.asarray(weeks.any(axis=2))


@builder(needs=["sessions"])
def attendance_patterns(known: FactsAsOf) -> Columns:
    """Return on which days and half-days a pupil is absent, and which kinds of mark there are.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    absent, marked, possible = (
        known.half_days_of_year(name) for name in ("absence", "marked", "possible")
    )
    absent = np.where(possible >= FEWEST_HALF_DAYS, absent, 0.0)
    columns = {
        "authorised_share": ratio(known.half_days_of_year("authorised"), absent),
        "left_open_share": ratio(known.half_days_of_year("left_open"), absent),
        "known_half_days": marked,
        "known_half_days_60_days": known.half_days("marked", 60),
    }
    for name, part in (("monday_friday_excess", "edge"), ("morning_excess", "morning")):
        columns[name] = _excess(known.half_days_of_year, part)
        columns[f"{name}_60_days"] = _excess(partial(known.half_days, n_days=60), part)
    for name in ("part_time", "offsite", "dual", "excluded"):
        ever = (known.half_days_of_year(name) > 0).astype(float)
        columns[f"{name}_ever_12_months"] = np.where(marked >= FEWEST_HALF_DAYS, ever, np.nan)
    return columns


def _excess(half_days: Callable[..., NDArray[np.float64]], part: str) -> NDArray[np.float64]:
    """Return the rate of absence in a part of the week or day, minus that in the rest."""
    absent, possible = (half_days(name, part=part) for name in ("absence", "possible"))
    all_absent, all_possible = (half_days(name) for name in ("absence", "possible"))
    excess = ratio(absent, possible) - ratio(all_absent - absent, all_possible - possible)
    return np.where(all_possible >= FEWEST_HALF_DAYS, excess, np.nan)


@builder(needs=["sessions", "enrolments"])
def attendance_against_peers(known: FactsAsOf) -> Columns:
    """Return rates of absence, minus those of all other pupils of the year group or school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    year, school = known.peer_sums("year_group"), known.peer_sums("school")
    absent, lately = _rate_of_year(known, "absence"), _rate(known, "absence", 20)
    unauthorised = _rate_of_year(known, "unauthorised")
    peers_lately = ratio(year["absent_lately"], year["possible_lately"])
    peers_unauthorised = ratio(year["unauthorised"], year["possible"])
    possible_at_school = np.where(registers_of_most(school), school["possible"], 0.0)
    return {
        "absence_against_year_group": absent - ratio(year["absent"], year["possible"]),
        "absence_against_year_group_20_days": lately - peers_lately,
        "unauthorised_against_year_group": unauthorised - peers_unauthorised,
        "absence_against_school": absent - ratio(school["absent"], possible_at_school),
    }
