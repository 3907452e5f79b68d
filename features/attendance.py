"""Attendance: how much, what kind, and how it changes, from the register as it was known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.codes import PERSISTENT, SEVERE
from riskmodel.features.catalogue import Columns, Feature, builder
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

WINDOWS = {"10_days": (10, "the last 2 school weeks"), "20_days": (20, "the last 4 school weeks"),
           "60_days": (60, "the last 12 school weeks"),
           "12_months": (REGISTER_DAYS, "the last 12 months"), "term": (0, "this term")}  # fmt: skip
"""Name → school days and words. Windows are school days, so that a holiday is not an absence."""

RATES = {"absence": ("Absence", 1), "authorised": ("Authorised absence", 0),
         "unauthorised": ("Unauthorised absence", 1),
         "illness": ("Absence for illness or appointments", 0), "late": ("Lateness", 1),
         "excluded": ("Sessions out of school while suspended", 1),
         "part_time": ("Part-time timetable sessions", 1),
         "offsite": ("Education off site", 0), "unexplained": ("Absence without a reason", 1),
         "holiday": ("Holiday in term time", 0),
         "closed_late": ("Arrival after the register closed", 1)}  # fmt: skip
"""Family of marks → words, and the direction of risk; shares of possible half-days."""

MARKED = {"dual": ("Sessions at another school", 0), "not_possible": ("Half-days not possible", 0),
          "educated_elsewhere": ("Education arranged by the LA", 0)}  # fmt: skip
"""Family of marks → words, direction; shares of all half-days with a mark."""

GOOD, POOR = 0.05, 0.15
"""Absence below which attendance was good, and above which it has dropped; chosen."""


def _half_days(known: FactsAsOf, family: str, window: str) -> NDArray[np.float64]:
    n_days = WINDOWS[window][0]
    return known.half_days(family, n_days) if n_days else known.half_days_of_term(family)


def _rate_features() -> list[Feature]:
    return [
        Feature(f"{family}_rate_{window}", f"{words} in {when}", "share",
                "behaviour" if family == "excluded" else "attendance", "sessions", direction, window=when)
        for window, (_, when) in WINDOWS.items()
        for family, (words, direction) in (RATES | MARKED).items()
    ]  # fmt: skip


@builder(_rate_features(), needs=["sessions"])
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
    return {
        f"{family}_rate_{window}": share(
            _half_days(known, family, window),
            _half_days(known, "possible" if family in RATES else "marked", window),
        )
        for window in WINDOWS
        for family in (*RATES, *MARKED)
    }


@builder(
    [
        *[Feature(f"{family}_change_20_days",
                  f"Change in {words}, last 4 school weeks against the months before", "share",
                  "attendance", "sessions", direction, window="the last 4 school weeks")
          for family, words, direction in (("absence", "absence", 1),
                                           ("unauthorised", "unauthorised absence", 1),
                                           ("illness", "absence for illness", 0),
                                           ("late", "lateness", 1))],
        Feature("absence_change_4_weeks", "Change in absence, last 4 school weeks against the 4 before",
                "share", "attendance", "sessions", 1, window="the last 8 school weeks"),
        Feature("absence_change_year", "Change in absence, last 12 school weeks against a year before",
                "share", "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("absence_change_term", "Change in absence, this term against the term before",
                "share", "attendance", "sessions", 1, window="this term"),
        Feature("absence_slope", "Rise of absence per 2 school weeks over the last 12", "share",
                "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("absence_unevenness", "Unevenness of absence between 2-week blocks of the last 12 weeks",
                "share", "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("attendance_dropped", "Absence of 15% or more in the last 4 school weeks after 5% or less",
                "yes/no", "attendance", "sessions", 1, window="the last 4 school weeks"),
        Feature("persistent_absence", "Persistent absence in the last 12 months", "yes/no",
                "attendance", "sessions", 1, window="the last 12 months"),
        Feature("severe_absence", "Severe absence in the last 12 months", "yes/no", "attendance",
                "sessions", 1, window="the last 12 months"),
        Feature("persistent_absence_term", "Persistent absence this term", "yes/no",
                "attendance", "sessions", 1, window="this term"),
        Feature("severe_absence_term", "Severe absence this term", "yes/no", "attendance",
                "sessions", 1, window="this term"),
    ],
    needs=["sessions"],
)  # fmt: skip
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


@builder(
    [
        Feature("absence_streak", "Half-days absent in a row until now", "half-days", "attendance",
                "sessions", 1),
        Feature("half_days_since_present", "Half-days since last present", "half-days",
                "attendance", "sessions", 1),
        Feature("longest_absence_12_months", "Longest run of half-days absent, last 12 months",
                "half-days", "attendance", "sessions", 1, window="the last 12 months"),
        Feature("longest_absence_60_days", "Longest run of half-days absent, last 12 school weeks",
                "half-days", "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("absence_spells_12_months", "Separate absences in the last 12 months", "count",
                "attendance", "sessions", 1, window="the last 12 months"),
        Feature("absence_spells_60_days", "Separate absences in the last 12 school weeks", "count",
                "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("mean_absence_length", "Mean length of an absence in the last 12 months", "half-days",
                "attendance", "sessions", 0, window="the last 12 months"),
        Feature("afternoons_missed", "Afternoons missed after a morning present, last 12 weeks",
                "share", "attendance", "sessions", 1, window="the last 12 school weeks"),
        Feature("weeks_complete", "School weeks without any absence, last 12", "share", "attendance",
                "sessions", -1, window="the last 12 school weeks"),
    ],
    needs=["sessions"],
)  # fmt: skip
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


@builder(
    [
        Feature("monday_friday_excess", "Absence on Mondays and Fridays beyond other days",
                "share", "attendance", "sessions", window="the last 12 months"),
        Feature("monday_friday_excess_60_days",
                "Absence on Mondays and Fridays beyond other days, last 12 school weeks",
                "share", "attendance", "sessions", window="the last 12 school weeks"),
        Feature("morning_excess", "Absence in mornings beyond afternoons", "share", "attendance",
                "sessions", window="the last 12 months"),
        Feature("morning_excess_60_days", "Absence in mornings beyond afternoons, last 12 school weeks",
                "share", "attendance", "sessions", window="the last 12 school weeks"),
        Feature("part_time_ever_12_months", "Part-time timetable in the last 12 months", "yes/no",
                "attendance", "sessions", 1, window="the last 12 months"),
        Feature("offsite_ever_12_months", "Educated off site in the last 12 months", "yes/no",
                "attendance", "sessions", 0, window="the last 12 months"),
        Feature("dual_ever_12_months", "Sessions at another school in the last 12 months", "yes/no",
                "attendance", "sessions", 0, window="the last 12 months"),
        Feature("excluded_ever_12_months", "Marked suspended or excluded in the last 12 months",
                "yes/no", "behaviour", "sessions", 1, window="the last 12 months"),
        Feature("authorised_share", "Share of absence that was authorised, last 12 months", "share",
                "attendance", "sessions", 0, window="the last 12 months"),
        Feature("left_open_share", "Share of absence whose reason was never given, last 12 months",
                "share", "attendance", "sessions", 0, window="the last 12 months"),
        Feature("known_half_days", "Half-days of register known in the last 12 months", "half-days",
                "attendance", "sessions", 0, False, "the last 12 months"),
        Feature("known_half_days_60_days", "Half-days of register known in the last 12 school weeks",
                "half-days", "attendance", "sessions", 0, False, "the last 12 school weeks"),
    ],
    needs=["sessions"],
)  # fmt: skip
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


@builder(
    [
        Feature("absence_against_year_group", "Absence beyond that of the year group, 12 months",
                "share", "attendance", "sessions", 1, window="the last 12 months"),
        Feature("absence_against_year_group_20_days",
                "Absence beyond that of the year group, last 4 school weeks", "share", "attendance",
                "sessions", 1, window="the last 4 school weeks"),
        Feature("unauthorised_against_year_group",
                "Unauthorised absence beyond that of the year group, 12 months", "share", "attendance",
                "sessions", 1, window="the last 12 months"),
        Feature("absence_against_school", "Absence beyond that of the school's other pupils, 12 months",
                "share", "attendance", "sessions", 1, window="the last 12 months"),
    ],
    needs=["sessions", "enrolments"],
)  # fmt: skip
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
    year, school = known.others("year_group"), known.others("school")
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
