"""Attendance: how much, what kind, and how it changes, from the register as it was known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.features.catalogue import Feature, builder
from riskmodel.features.known import REGISTER_DAYS, Known
from riskmodel.features.windows import count_since_last, longest_run_at_end, rates

__all__ = ["attendance_against_peers", "attendance_rates", "attendance_shape"]

WINDOWS = {"10_days": (20, "the last 2 school weeks"), "20_days": (40, "the last 4 school weeks"),
           "60_days": (120, "the last 12 school weeks"),
           "12_months": (2 * REGISTER_DAYS, "the last 12 months")}  # fmt: skip
"""Name → half-days and words. Windows are school days, so that a holiday is not an absence."""

RATES = {"absence": ("Absence", 1), "unauthorised": ("Unauthorised absence", 1),
         "illness": ("Absence for illness or appointments", 0), "late": ("Lateness", 1),
         "excluded": ("Sessions out of school while suspended", 1),
         "part_time": ("Part-time timetable sessions", 1),
         "offsite": ("Education off site", 0)}  # fmt: skip
"""Family of marks → words, and the direction of risk."""


def _rate_features() -> list[Feature]:
    return [
        Feature(f"{family}_rate_{window}", f"{words} in {when}", "share", "attendance", "sessions",
                direction)
        for window, (_, when) in WINDOWS.items()
        for family, (words, direction) in RATES.items()
    ]  # fmt: skip


@builder(_rate_features(), needs=["sessions"])
def attendance_rates(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Shares of possible half-days, per family of marks and window.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    possible = known.family("possible")
    columns = {}
    for family in RATES:
        counted = known.family(family)
        for window, (half_days, _) in WINDOWS.items():
            columns[f"{family}_rate_{window}"] = rates(counted, possible, half_days)[0]
    return columns


@builder(
    [
        Feature("absence_change_20_days", "Change in absence, last 4 school weeks against before",
                "share", "attendance", "sessions", 1),
        Feature("persistent_absence", "Persistent absence in the last 12 months", "yes/no",
                "attendance", "sessions", 1),
        Feature("severe_absence", "Severe absence in the last 12 months", "yes/no", "attendance",
                "sessions", 1),
        Feature("absence_streak", "Half-days absent in a row until now", "half-days", "attendance",
                "sessions", 1),
        Feature("half_days_since_present", "Half-days since last present", "half-days",
                "attendance", "sessions", 1),
        Feature("monday_friday_excess", "Absence on Mondays and Fridays beyond other days",
                "share", "attendance", "sessions"),
        Feature("afternoons_missed", "Afternoons missed after a morning present, last 12 weeks",
                "share", "attendance", "sessions", 1),
        Feature("unexplained_rate_60_days", "Absence without a reason in the last 12 school weeks",
                "share", "attendance", "sessions", 1),
        Feature("dual_rate_60_days", "Sessions at another school in the last 12 school weeks",
                "share", "attendance", "sessions"),
        Feature("known_half_days", "Half-days of register known in the last 12 months", "half-days",
                "attendance", "sessions", 0, False),
    ],
    needs=["sessions"],
)  # fmt: skip
def attendance_shape(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Change, streaks and patterns.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    possible, absent = known.family("possible"), known.family("absence")
    year, _ = rates(absent, possible, 2 * REGISTER_DAYS)
    lately, _ = rates(absent, possible, 40)
    before, _ = rates(absent[:, :-40], possible[:, :-40], 2 * REGISTER_DAYS)
    n = possible.shape[1]
    present = possible & ~absent
    has_present = present.any(axis=1)
    since = np.where(has_present, longest_run_at_end(~present), np.nan)
    morning, afternoon = slice(max(0, n - 120), n, 2), slice(max(0, n - 120) + 1, n, 2)
    stayed = present[:, morning] & possible[:, afternoon]
    missed, _ = rates(stayed & absent[:, afternoon], stayed, 60)
    return {
        "absence_change_20_days": lately - before,
        "persistent_absence": _flag(year, 0.10),
        "severe_absence": _flag(year, 0.50),
        "absence_streak": count_since_last(absent, present).astype(float),
        "half_days_since_present": since,
        "monday_friday_excess": _monday_friday(known, absent, possible),
        "afternoons_missed": missed,
        "unexplained_rate_60_days": rates(known.family("unexplained"), possible, 120)[0],
        "dual_rate_60_days": rates(known.family("dual"), known.marks > 0, 120)[0],
        "known_half_days": (known.marks > 0).sum(axis=1).astype(float),
    }


@builder(
    [Feature("absence_against_year_group", "Absence beyond that of the year group, 12 months",
             "share", "attendance", "sessions", 1)],
    needs=["sessions", "enrolments"],
)  # fmt: skip
def attendance_against_peers(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Absence beyond the mean of all pupils on a roll in the year group, in the spine or not.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    roll = known.roll.drop_duplicates(["pupil", "year_group"])
    rate = known.absence_of_all[roll["pupil"]]
    mean = known.spine["year_group"].map(
        pd.Series(rate).groupby(roll["year_group"].to_numpy()).mean()
    )
    return {"absence_against_year_group": known.absence_of_all[known.rows] - mean.to_numpy(float)}


def _flag(rate: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """DfE: persistent is 10% or more of a pupil's own possible sessions, severe 50% or more."""
    return np.where(np.isnan(rate), np.nan, (rate >= threshold).astype(float))


def _monday_friday(
    known: Known, absent: NDArray[np.bool_], possible: NDArray[np.bool_]
) -> NDArray[np.float64]:
    assert known.register is not None
    positions = known.register.school_days(known.as_of, n_days=REGISTER_DAYS)
    days = known.register.dates[positions].astype(np.int64)
    weekday = np.repeat((days + 3) % 7, 2)  # 1970-01-01 was a Thursday
    edge = np.isin(weekday, [0, 4])
    wide = absent.shape[1]
    at_edge = rates(absent[:, edge], possible[:, edge], wide)[0]
    return at_edge - rates(absent[:, ~edge], possible[:, ~edge], wide)[0]
