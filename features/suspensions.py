"""Behaviour: suspensions, their reasons and their spacing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.features.catalogue import Feature, builder
from riskmodel.features.known import Known, days_of

__all__ = ["suspension_history", "suspension_reasons"]

YEAR_LIMIT_DAYS = 45
"""Most school days of suspension in a school year (DfE, suspension and exclusion guidance)."""

REASONS = {"violence": (("PP", "PA", "OW"), "Suspensions for physical assault or weapons"),
           "verbal": (("VP", "VA", "LG", "RA", "DS", "BU"), "Suspensions for verbal abuse or bullying"),
           "disruption": (("DB",), "Suspensions for persistent disruption"),
           "drugs": (("DA",), "Suspensions related to drugs or alcohol"),
           "other": (("SM", "DM", "TH", "MT", "PH", "OT"), "Suspensions for other reasons")}  # fmt: skip
"""Group → reason codes, words."""


@builder(
    [
        Feature("suspensions_3_months", "Suspensions in the last 3 months", "count", "behaviour",
                "suspensions", 1),
        Feature("suspensions_12_months", "Suspensions in the last 12 months", "count", "behaviour",
                "suspensions", 1),
        Feature("suspensions_ever", "Suspensions so far", "count", "behaviour", "suspensions", 1),
        Feature("sessions_lost_12_months", "Half-days suspended in the last 12 months",
                "half-days", "behaviour", "suspensions", 1),
        Feature("year_limit_used", "Share of the yearly limit of 45 days suspended", "share",
                "behaviour", "suspensions", 1),
        Feature("longest_suspension", "Longest suspension so far", "half-days", "behaviour",
                "suspensions", 1),
        Feature("days_since_suspension", "Days since the last suspension", "days", "behaviour",
                "suspensions", -1),
        Feature("suspensions_rising", "Suspensions in the last 6 months less those in the 6 before",
                "count", "behaviour", "suspensions", 1),
        Feature("suspended_in_primary", "Suspended before Year 7", "yes/no", "behaviour",
                "suspensions", 1, False),
        Feature("lunchtime_12_months", "Lunchtime suspensions in the last 12 months", "count",
                "behaviour", "suspensions", 1),
        Feature("excluded_before", "Permanently excluded before", "yes/no", "behaviour",
                "suspensions", 1, False),
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_history(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """How many, how long, how recent.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["suspensions"]
    category = facts["category"]
    is_suspension = (category == "SUSP").to_numpy()
    all_ = known.events("suspensions", "start_date", is_suspension)
    length = facts.loc[is_suspension, "sessions"].fillna(0).to_numpy()
    half_year, year = all_.count(183), all_.count(365)
    day = pd.Series([known.as_of])
    school_year_day = known.day - int(
        np.datetime64(f"{int(academic_year(day).iloc[0])}-09-01", "D").astype(np.int64)
    )
    longest = pd.Series(length).groupby(all_.pupil).max()
    return {
        "suspensions_3_months": all_.count(91),
        "suspensions_12_months": year,
        "suspensions_ever": all_.count(),
        "sessions_lost_12_months": all_.sum(length, 365),
        "year_limit_used": all_.sum(length, max(1, school_year_day)) / 2 / YEAR_LIMIT_DAYS,
        "longest_suspension": longest.reindex(known.rows).fillna(0).to_numpy(dtype=float),
        "days_since_suspension": all_.days_since(),
        "suspensions_rising": half_year - (year - half_year),
        "suspended_in_primary": _in_primary(known, all_.pupil, all_.day),
        "lunchtime_12_months": known.events(
            "suspensions", "start_date", (category == "LNCH").to_numpy()
        ).count(365),
        "excluded_before": (
            known.events("suspensions", "start_date", (category == "PERM").to_numpy()).count() > 0
        ).astype(float),
    }


def _in_primary(
    known: Known, pupil: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Whether a suspension fell before the September in which the pupil entered Year 7."""
    this_year = int(academic_year(pd.Series([known.as_of])).iloc[0])
    entry = this_year - known.spine["year_group"].to_numpy() + 7
    september = pd.to_datetime(pd.Series(entry).astype("str") + "-09-01")
    first = pd.Series(day).groupby(pupil).min().reindex(known.rows)
    return (first.to_numpy() < days_of(september)).astype(float)


@builder(
    [
        Feature(f"suspensions_{name}_12_months", f"{words} in the last 12 months", "count",
                "behaviour", "suspensions", 1)
        for name, (_, words) in REASONS.items()
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_reasons(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Suspensions of the last year by group of reasons; one may count in several.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["suspensions"]
    reasons = facts[["reason_1", "reason_2", "reason_3"]]
    columns = {}
    for name, (codes, _) in REASONS.items():
        has = reasons.isin(codes).any(axis=1).to_numpy() & (facts["category"] != "PERM").to_numpy()
        columns[f"suspensions_{name}_12_months"] = known.events(
            "suspensions", "start_date", has
        ).count(365)
    return columns
