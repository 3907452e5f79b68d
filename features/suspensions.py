"""Behaviour: suspensions, their reasons, their spacing, and where they fell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of
from riskmodel.features.catalogue import Columns, Feature, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["suspension_history", "suspension_places", "suspension_reasons", "suspension_spacing"]

YEAR_LIMIT_DAYS = 45
"""Most school days of suspension in a school year (DfE, suspension and exclusion guidance)."""

NEAR_LIMIT = 0.5
"""Share of the yearly limit from which it counts as near; chosen."""

WINDOWS = {"1_month": (30, "the last month"), "3_months": (91, "the last 3 months"),
           "6_months": (183, "the last 6 months"), "12_months": (365, "the last 12 months"),
           "24_months": (730, "the last 2 years")}  # fmt: skip

REASONS = {"violence": (("PP", "PA", "OW"), "physical assault or weapons"),
           "verbal": (("VP", "VA", "LG", "RA", "DS", "BU"), "verbal abuse or bullying"),
           "disruption": (("DB",), "persistent disruption"),
           "drugs": (("DA",), "drugs or alcohol"),
           "other": (("SM", "DM", "TH", "MT", "PH", "OT"), "other reasons")}  # fmt: skip
"""Group → reason codes, words."""


def _suspensions(known: FactsAsOf) -> tuple[Events, NDArray[np.float64]]:
    """Return suspensions, without permanent exclusions and lunchtimes, and their half-days."""
    facts = known.tables["suspensions"]
    keep = (facts["category"] == "SUSP").to_numpy()
    return known.events("suspensions", "start_date", keep), facts["sessions"].fillna(0).to_numpy()[
        keep
    ]


@builder(
    [
        *[Feature(f"suspensions_{name}", f"Suspensions in {words}", "count", "behaviour",
                  "suspensions", 1, window=words) for name, (_, words) in WINDOWS.items()],
        Feature("suspensions_ever", "Suspensions so far", "count", "behaviour", "suspensions", 1),
        *[Feature(f"sessions_lost_{name}", f"Half-days suspended in {words}", "half-days", "behaviour",
                  "suspensions", 1, window=words) for name, (_, words) in WINDOWS.items()],
        Feature("sessions_lost_ever", "Half-days suspended so far", "half-days", "behaviour",
                "suspensions", 1),
        Feature("suspensions_this_year", "Suspensions this school year", "count", "behaviour",
                "suspensions", 1, window="this school year"),
        Feature("year_limit_used", "Share of the yearly limit of 45 days suspended", "share",
                "behaviour", "suspensions", 1, window="this school year"),
        Feature("year_limit_near", "Half of the yearly limit of 45 days suspended, or more", "yes/no",
                "behaviour", "suspensions", 1, window="this school year"),
        Feature("longest_suspension", "Longest suspension so far", "half-days", "behaviour",
                "suspensions", 1),
        Feature("last_suspension_length", "Length of the last suspension", "half-days", "behaviour",
                "suspensions", 1),
        Feature("mean_suspension_length", "Mean length of suspensions so far", "half-days",
                "behaviour", "suspensions", 1),
        Feature("lunchtime_12_months", "Lunchtime suspensions in the last 12 months", "count",
                "behaviour", "suspensions", 1, window="the last 12 months"),
        Feature("lunchtime_ever", "Lunchtime suspensions so far", "count", "behaviour",
                "suspensions", 1),
        Feature("excluded_before", "Permanently excluded before", "yes/no", "behaviour",
                "suspensions", 1, False),
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_history(known: FactsAsOf) -> Columns:
    """How many and how long.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    events, length = _suspensions(known)
    category = known.tables["suspensions"]["category"]
    lunchtime, excluded = (
        known.events("suspensions", "start_date", (category == code).to_numpy())
        for code in ("LNCH", "PERM")
    )
    since_september = max(1, known.day - known.school_year_start)
    used = events.sum(length, since_september) / 2 / YEAR_LIMIT_DAYS
    ever, lost = events.count(), events.sum(length)
    return {
        **{f"suspensions_{name}": events.count(days) for name, (days, _) in WINDOWS.items()},
        "suspensions_ever": ever,
        **{
            f"sessions_lost_{name}": events.sum(length, days) for name, (days, _) in WINDOWS.items()
        },
        "sessions_lost_ever": lost,
        "suspensions_this_year": events.count(since_september),
        "year_limit_used": used,
        "year_limit_near": (used >= NEAR_LIMIT).astype(float),
        "longest_suspension": np.nan_to_num(events.largest(length)),
        "last_suspension_length": events.last(length),
        "mean_suspension_length": share(lost, ever),
        "lunchtime_12_months": lunchtime.count(365),
        "lunchtime_ever": lunchtime.count(),
        "excluded_before": (excluded.count() > 0).astype(float),
    }


@builder(
    [
        Feature("days_since_suspension", "Days since the last suspension", "days", "behaviour",
                "suspensions", -1),
        Feature("days_since_first_suspension", "Days since the first suspension", "days", "behaviour",
                "suspensions", 0, False),
        Feature("first_suspension_lately", "Suspended for the first time in the last 3 months",
                "yes/no", "behaviour", "suspensions", 0, window="the last 3 months"),
        Feature("suspensions_rising", "Suspensions in the last 6 months less those in the 6 before",
                "count", "behaviour", "suspensions", 1, window="the last 12 months"),
        Feature("sessions_lost_rising",
                "Half-days suspended in the last 6 months less those in the 6 before", "half-days",
                "behaviour", "suspensions", 1, window="the last 12 months"),
        Feature("suspension_gap_last", "Days between the last two suspensions", "days", "behaviour",
                "suspensions", -1),
        Feature("suspension_gap_mean", "Mean days between suspensions", "days", "behaviour",
                "suspensions", -1),
        Feature("suspension_gap_shortening", "Mean gap between suspensions less the last gap", "days",
                "behaviour", "suspensions", 1),
        Feature("suspension_gap_shortest", "Shortest gap between suspensions", "days", "behaviour",
                "suspensions", -1),
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_spacing(known: FactsAsOf) -> Columns:
    """How recent, and whether they come faster.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    events, length = _suspensions(known)
    half, year = events.count(183), events.count(365)
    lost_half, lost_year = events.sum(length, 183), events.sum(length, 365)
    first = known.day - events.first()
    gaps, gap = events.gaps()
    mean = share(gaps.sum(gap), gaps.count())
    last = gaps.last(gap)
    return {
        "days_since_suspension": events.days_since(),
        "days_since_first_suspension": first,
        "first_suspension_lately": (first <= 91).astype(float),
        "suspensions_rising": half - (year - half),
        "sessions_lost_rising": lost_half - (lost_year - lost_half),
        "suspension_gap_last": last,
        "suspension_gap_mean": mean,
        "suspension_gap_shortening": mean - last,
        "suspension_gap_shortest": -gaps.largest(-gap),
    }


@builder(
    [
        *[Feature(f"suspensions_{name}_12_months", f"Suspensions for {words} in the last 12 months",
                  "count", "behaviour", "suspensions", 1, window="the last 12 months")
          for name, (_, words) in REASONS.items()],
        *[Feature(f"suspensions_{name}_ever", f"Suspensions for {words} so far", "count", "behaviour",
                  "suspensions", 1) for name, (_, words) in REASONS.items()],
        Feature("suspension_reasons_kinds", "Kinds of reasons for suspension so far", "count",
                "behaviour", "suspensions", 1),
        Feature("suspensions_escalated",
                "First suspended for physical assault in the last 12 months, after other suspensions",
                "yes/no", "behaviour", "suspensions", 1, window="the last 12 months"),
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_reasons(known: FactsAsOf) -> Columns:
    """Suspensions by group of reasons; one may count in several.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["suspensions"]
    reasons = facts[["reason_1", "reason_2", "reason_3"]]
    kept = (facts["category"] != "PERM").to_numpy()
    columns, first = {}, {}
    for name, (codes, _) in REASONS.items():
        has = np.any([reasons[column].isin(codes).to_numpy() for column in reasons], axis=0) & kept
        events = known.events("suspensions", "start_date", has)
        columns[f"suspensions_{name}_12_months"] = events.count(365)
        columns[f"suspensions_{name}_ever"] = events.count()
        first[name] = events.first()
    any_first = known.events("suspensions", "start_date", kept).first()
    lately = first["violence"] >= known.day - 365
    columns["suspension_reasons_kinds"] = np.sum(
        [columns[f"suspensions_{name}_ever"] > 0 for name in REASONS], axis=0
    ).astype(float)
    columns["suspensions_escalated"] = (lately & (any_first < first["violence"])).astype(float)
    return columns


@builder(
    [
        Feature("suspended_in_primary", "Suspended before Year 7", "yes/no", "behaviour",
                "suspensions", 1, False),
        Feature("suspensions_in_primary", "Suspensions before Year 7", "count", "behaviour",
                "suspensions", 1, False),
        Feature("suspensions_at_this_school", "Suspensions at the present school", "count",
                "behaviour", "suspensions", 1),
        Feature("suspensions_at_other_schools", "Suspensions at other schools", "count", "behaviour",
                "suspensions", 1, False),
        Feature("suspended_after_move", "Suspended again after a move from a school that suspended",
                "yes/no", "behaviour", "suspensions", 1),
    ],
    needs=["suspensions"],
)  # fmt: skip
def suspension_places(known: FactsAsOf) -> Columns:
    """Where suspensions fell: in primary school, at this school, before and after a move.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["suspensions"]
    facts = facts[(facts["category"] == "SUSP").to_numpy()]
    events, _ = _suspensions(known)
    past = events.day < known.day
    ever = events.count()
    pairs = pd.DataFrame(
        {"pupil": events.pupil[past], "school_id": facts["school_id"].to_numpy()[past]}
    )
    counts = pairs.value_counts().rename("n").reset_index()
    asked = pd.DataFrame({"pupil": known.rows, "school_id": known.spine["school_id"].to_numpy()})
    here = (
        asked.merge(counts, on=["pupil", "school_id"], how="left")["n"]
        .fillna(0)
        .to_numpy(dtype=float)
    )
    in_primary = _before_year_7(known, events)
    return {
        "suspended_in_primary": (in_primary > 0).astype(float),
        "suspensions_in_primary": in_primary,
        "suspensions_at_this_school": here,
        "suspensions_at_other_schools": ever - here,
        "suspended_after_move": ((here > 0) & (ever > here)).astype(float),
    }


def _before_year_7(known: FactsAsOf, events: Events) -> NDArray[np.float64]:
    """Count suspensions before the September in which the pupil entered, or will enter, Year 7."""
    entry = known.school_year - known.spine["year_group"].to_numpy() + 7
    september = days_of(pd.to_datetime(pd.Series(entry).astype("str") + "-09-01"))
    limit = np.full(events.n_pupils, -(10**6), dtype=np.int64)
    limit[known.rows] = september
    return events.where(events.day < limit[events.pupil]).count()
