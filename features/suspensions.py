"""Behaviour: suspensions, their reasons, their spacing, and where they fell."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["suspension_history", "suspension_places", "suspension_reasons", "suspension_spacing"]

YEAR_LIMIT_DAYS = 45
"""Most school days of suspension in a school year (DfE, suspension and exclusion guidance)."""

NEAR_LIMIT = 0.5
"""Share of the yearly limit from which it counts as near; chosen."""

WINDOWS = {
    "1_month": 30,
    "3_months": 91,
    "6_months": 183,
    "12_months": 365,
    "24_months": 730,
}
"""Name → days."""

REASONS = {
    "violence": ("PP", "PA", "OW"),
    "verbal": ("VP", "VA", "LG", "RA", "DS", "BU"),
    "disruption": ("DB",),
    "drugs": ("DA",),
    "other": ("SM", "DM", "TH", "MT", "PH", "OT"),
}
"""Group of reasons → codes (DfE)."""


def _suspensions(known: FactsAsOf) -> tuple[Events, NDArray[np.float64]]:
    """Return suspensions, without permanent exclusions and lunchtimes, and their half-days."""
    facts = known.tables["suspensions"]
    keep = (facts["category"] == "SUSP").to_numpy()
    return known.events("suspensions", "start_date", keep), facts["sessions"].fillna(0).to_numpy()[
        keep
    ]


@builder(needs=["suspensions"])
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
        **{f"suspensions_{name}": events.count(days) for name, days in WINDOWS.items()},
        "suspensions_ever": ever,
        **{f"sessions_lost_{name}": events.sum(length, days) for name, days in WINDOWS.items()},
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


@builder(needs=["suspensions"])
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


@builder(needs=["suspensions"])
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
    for name, codes in REASONS.items():
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


@builder(needs=["suspensions"])
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
        "suspended_in_primary": np.where(np.isnan(in_primary), np.nan, in_primary > 0),
        "suspensions_in_primary": in_primary,
        "suspensions_at_this_school": here,
        "suspensions_at_other_schools": ever - here,
        "suspended_after_move": ((here > 0) & (ever > here)).astype(float),
    }


def _before_year_7(known: FactsAsOf, events: Events) -> NDArray[np.float64]:
    """Count suspensions before the September in which the pupil entered, or will enter, Year 7.

    Where the year group is not known, so is their number, unless there are none at all.
    """
    entry = known.school_year - known.spine["year_group"] + FIRST_SECONDARY
    september = days_of(pd.to_datetime(entry.astype("Int64").astype("str") + "-09-01"))
    limit = np.full(events.n_pupils, -(10**6), dtype=np.int64)
    limit[known.rows] = september
    before = events.where(events.day < limit[events.pupil]).count()
    return np.where(np.isnan(known.year_group) & (before > 0), np.nan, before)
