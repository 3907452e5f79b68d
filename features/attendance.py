"""Attendance: how much, what kind, and how it changes, from the register as it was known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.codes import PERSISTENT, SEVERE
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.marks import NO_MARK
from riskmodel.features.register import REGISTER_DAYS
from riskmodel.features.windows import (
    count_since_last,
    longest_run,
    longest_run_at_end,
    rates,
    runs,
    share,
)

__all__ = [
    "attendance_against_peers",
    "attendance_changes",
    "attendance_patterns",
    "attendance_rates",
    "attendance_streaks",
]

WINDOWS = {"10_days": 10, "20_days": 20, "60_days": 60, "12_months": REGISTER_DAYS}
"""Name → school days. Windows are school days, so that a holiday is not an absence."""

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
"""Absence below which attendance was good, and above which it has dropped; chosen."""


@builder(needs=["sessions"])
def attendance_rates(known: FactsAsOf) -> Columns:
    """Shares of possible half-days, per family of marks and window.

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
    for window in (*WINDOWS, "term"):
        possible, marked = (_half_days(known, whole, window) for whole in ("possible", "marked"))
        for family in (*OF_POSSIBLE, *OF_MARKED):
            whole = possible if family in OF_POSSIBLE else marked
            columns[f"{family}_rate_{window}"] = share(_half_days(known, family, window), whole)
    return columns


def _half_days(known: FactsAsOf, family: str, window: str) -> NDArray[np.float64]:
    if window == "term":
        return known.half_days_of_term(family)
    return known.half_days(family, WINDOWS[window])


@builder(needs=["sessions"])
def attendance_changes(known: FactsAsOf) -> Columns:
    """Change against the pupil's own past.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """

    def rate(family: str, n_days: int, skip: int = 0) -> NDArray[np.float64]:
        return share(
            known.half_days(family, n_days, skip=skip),
            known.half_days("possible", n_days, skip=skip),
        )

    def of_term(back: int) -> NDArray[np.float64]:
        part = known.half_days_of_term("absence", back=back)
        return share(part, known.half_days_of_term("possible", back=back))

    lately, before, year = (
        rate("absence", 20),
        rate("absence", 180, 20),
        rate("absence", REGISTER_DAYS),
    )
    term = of_term(0)
    blocks = np.stack([rate("absence", 10, skip) for skip in (50, 40, 30, 20, 10, 0)])
    dropped = (before <= GOOD) & (lately >= POOR)
    unknown = np.isnan(before) | np.isnan(lately)
    return {
        **{f"{family}_change_20_days": rate(family, 20) - rate(family, 180, 20)
           for family in ("absence", "unauthorised", "illness", "late")},
        "absence_change_4_weeks": lately - rate("absence", 20, 20),
        "absence_change_year": rate("absence", 60) - rate("absence", 60, 190),
        "absence_change_term": term - of_term(1),
        "absence_slope": _slope(blocks),
        "absence_unevenness": np.std(blocks, axis=0),
        "attendance_dropped": np.where(unknown, np.nan, dropped.astype(float)),
        "persistent_absence": _flag(year, PERSISTENT),
        "severe_absence": _flag(year, SEVERE),
        "persistent_absence_term": _flag(term, PERSISTENT),
        "severe_absence_term": _flag(term, SEVERE),
    }  # fmt: skip


@builder(needs=["sessions"])
def attendance_streaks(known: FactsAsOf) -> Columns:
    """Count runs of absence, and what is missed after a morning in school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    possible, absent = known.family("possible"), known.family("absence")
    present = possible & ~absent
    n = possible.shape[1]
    recent = slice(max(0, n - 120), n)
    # half-days after the last known mark are not known to be absences
    trailing = longest_run_at_end(known.marks == NO_MARK)
    since = np.where(present.any(axis=1), longest_run_at_end(~present) - trailing, np.nan)
    spells = runs(absent, present).astype(float)
    late_absent, late_possible = absent[:, recent], possible[:, recent]
    stayed = present[:, recent][:, ::2] & late_possible[:, 1::2]
    missed, _ = rates(stayed & late_absent[:, 1::2], stayed, stayed.shape[1])
    n_weeks = late_absent.shape[1] // 10
    whole = slice(late_absent.shape[1] - 10 * n_weeks, None)
    missed_in, open_in = (
        np.asarray(part[:, whole].reshape(len(part), n_weeks, 10).any(axis=2))
        for part in (late_absent, late_possible)
    )
    complete, _ = rates(open_in & ~missed_in, open_in, n_weeks)
    return {
        "absence_streak": count_since_last(absent, present).astype(float),
        "half_days_since_present": since,
        "longest_absence_12_months": longest_run(absent, present).astype(float),
        "longest_absence_60_days": longest_run(late_absent, present[:, recent]).astype(float),
        "absence_spells_12_months": spells,
        "absence_spells_60_days": runs(late_absent, present[:, recent]).astype(float),
        "mean_absence_length": share(absent.sum(axis=1).astype(float), spells),
        "afternoons_missed": missed,
        "weeks_complete": complete,
    }


@builder(needs=["sessions"])
def attendance_patterns(known: FactsAsOf) -> Columns:
    """When in the week and day, and what kinds of mark ever.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """

    def excess(n_days: int, part: str) -> NDArray[np.float64]:
        inside, whole = (
            {name: known.half_days(name, n_days, part=which) for name in ("absence", "possible")}
            for which in (part, "all")
        )
        rest = share(whole["absence"] - inside["absence"], whole["possible"] - inside["possible"])
        return share(inside["absence"], inside["possible"]) - rest

    year = {name: known.half_days(name, REGISTER_DAYS)
            for name in ("absence", "authorised", "left_open", "marked", "part_time", "offsite", "dual",
                         "excluded")}  # fmt: skip
    return {
        "monday_friday_excess": excess(REGISTER_DAYS, "edge"),
        "monday_friday_excess_60_days": excess(60, "edge"),
        "morning_excess": excess(REGISTER_DAYS, "morning"),
        "morning_excess_60_days": excess(60, "morning"),
        **{f"{name}_ever_12_months": np.where(year["marked"] > 0, (year[name] > 0) * 1.0, np.nan)
           for name in ("part_time", "offsite", "dual", "excluded")},
        "authorised_share": share(year["authorised"], year["absence"]),
        "left_open_share": share(year["left_open"], year["absence"]),
        "known_half_days": year["marked"],
        "known_half_days_60_days": known.half_days("marked", 60),
    }  # fmt: skip


@builder(needs=["sessions", "enrolments"])
def attendance_against_peers(known: FactsAsOf) -> Columns:
    """Absence beyond that of all other pupils on a roll in the year group or school.

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
    possible, lately = known.half_days("possible", REGISTER_DAYS), known.half_days("possible", 20)
    own = share(known.half_days("absence", REGISTER_DAYS), possible)
    unauthorised = share(known.half_days("unauthorised", REGISTER_DAYS), possible)
    return {
        "absence_against_year_group": own - share(year["absent"], year["possible"]),
        "absence_against_year_group_20_days": share(known.half_days("absence", 20), lately)
        - share(year["absent_lately"], year["possible_lately"]),
        "unauthorised_against_year_group": unauthorised
        - share(year["unauthorised"], year["possible"]),
        "absence_against_school": own - share(school["absent"], school["possible"]),
    }


def _flag(rate: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    return np.where(np.isnan(rate), np.nan, (rate >= threshold).astype(float))


def _slope(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares rise per block; missing where a block is."""
    place = np.arange(len(blocks)) - (len(blocks) - 1) / 2
    return (place[:, None] * blocks).sum(axis=0) / (place**2).sum()
