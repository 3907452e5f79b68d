"""Behaviour: suspensions, their reasons, the days between them, and the schools that suspended.

A window of days is half-open: its first day counts, the day of the list does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of
from riskmodel.data.ratio import ratio
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf

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

HALF_YEAR = WINDOWS["6_months"]

REASONS = {
    "violence": ("PP", "PA", "OW"),
    "verbal": ("VP", "VA", "LG", "RA", "DS", "BU"),
    "disruption": ("DB",),
    "drugs": ("DA",),
    "other": ("SM", "DM", "TH", "MT", "PH", "OT"),
}
"""Group of reasons → codes (DfE)."""


@builder(needs=["suspensions"])
def suspension_history(known: FactsAsOf) -> Columns:
    """Return how many suspensions there were, and how long they were.

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
    ever, lost, lunchtime = events.count(), events.sum(length), _of_category(known, "LNCH")
    return {
        **_windows(events, length),
        **_school_year(known, events, length),
        "suspensions_ever": ever,
        "sessions_lost_ever": lost,
        "longest_suspension": np.nan_to_num(events.largest(length)),
        "last_suspension_length": events.last(length),
        "mean_suspension_length": ratio(lost, ever),
        "lunchtime_12_months": lunchtime.count(365),
        "lunchtime_ever": lunchtime.count(),
        "excluded_before": _of_category(known, "PERM").any(),
    }


def _of_category(known: FactsAsOf, code: str) -> Events:
    keep = (known.tables["suspensions"]["category"] == code).to_numpy()
    return known.events("suspensions", "start_date", keep)


def _suspensions(known: FactsAsOf) -> tuple[Events, NDArray[np.float64]]:
    """Return suspensions, without permanent exclusions and lunchtimes, and their half-days."""
    facts = known.tables["suspensions"]
    half_days = facts["sessions"].fillna(0).to_numpy()
    return _of_category(known, "SUSP"), half_days[(facts["category"] == "SUSP").to_numpy()]


def _windows(events: Events, length: NDArray[np.float64]) -> Columns:
    counts = {f"suspensions_{name}": events.count(days) for name, days in WINDOWS.items()}
    lost = {f"sessions_lost_{name}": events.sum(length, days) for name, days in WINDOWS.items()}
    return counts | lost


def _school_year(known: FactsAsOf, events: Events, length: NDArray[np.float64]) -> Columns:
    since_september = known.day - known.school_year_start
    used = events.sum(length, since_september) / 2 / YEAR_LIMIT_DAYS
    return {
        "suspensions_this_year": events.count(since_september),
        "year_limit_used": used,
        "year_limit_near": (used >= NEAR_LIMIT).astype(float),
    }


@builder(needs=["suspensions"])
def suspension_spacing(known: FactsAsOf) -> Columns:
    """Return how recent suspensions are, and whether they come faster.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.

    Examples
    --------
    >>> suspensions = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A", "A"]),
    ...         "start_date": pd.to_datetime(["2024-12-01", "2025-02-19"]),
    ...         "sessions": [2.0, 4.0],
    ...         "category": "SUSP",
    ...     }
    ... )
    >>> day, spine = pd.Timestamp("2025-03-01"), suspensions[["pupil_id"]].head(1)
    >>> made = suspension_spacing(FactsAsOf({"suspensions": suspensions}, day, spine, register=None))
    >>> made["days_since_suspension"].tolist(), made["suspension_gap_last"].tolist()
    ([10.0], [80.0])
    """
    events, length = _suspensions(known)
    first = known.day - events.first()
    return {
        **_gaps(events),
        "days_since_suspension": events.days_since(),
        "days_since_first_suspension": first,
        "first_suspension_lately": (first <= WINDOWS["3_months"]).astype(float),
        "suspensions_rising": _rise(events.count(HALF_YEAR), events.count(365)),
        "sessions_lost_rising": _rise(events.sum(length, HALF_YEAR), events.sum(length, 365)),
    }


def _rise(half: NDArray[np.float64], year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last half year, minus the rest of the year."""
    return half - (year - half)


def _gaps(events: Events) -> Columns:
    gaps, days = events.gaps()
    mean, last = ratio(gaps.sum(days), gaps.count()), gaps.last(days)
    return {
        "suspension_gap_last": last,
        "suspension_gap_mean": mean,
        "suspension_gap_shortening": mean - last,
        "suspension_gap_shortest": -gaps.largest(-days),
    }


@builder(needs=["suspensions"])
def suspension_reasons(known: FactsAsOf) -> Columns:
    """Count suspensions by group of reasons; a suspension may count in several groups.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    by_reason = {name: _for_reason(known, *codes) for name, codes in REASONS.items()}
    ever = {f"suspensions_{name}_ever": events.count() for name, events in by_reason.items()}
    first_violent = by_reason["violence"].first()
    lately = first_violent >= known.day - 365
    return {
        **ever,
        **{f"suspensions_{name}_12_months": one.count(365) for name, one in by_reason.items()},
        "suspension_reasons_kinds": np.sum([one.any() for one in by_reason.values()], axis=0),
        "suspensions_escalated": (lately & (_for_reason(known).first() < first_violent)).astype(
            float
        ),
    }


def _for_reason(known: FactsAsOf, *codes: str) -> Events:
    """Return suspensions, lunchtimes included, with any of some reasons; all if none is given."""
    facts = known.tables["suspensions"]
    keep = (facts["category"] != "PERM").to_numpy()
    if codes:
        reasons = facts[["reason_1", "reason_2", "reason_3"]]
        keep = keep & np.any([reasons[name].isin(codes).to_numpy() for name in reasons], axis=0)
    return known.events("suspensions", "start_date", keep)


@builder(needs=["suspensions"])
def suspension_places(known: FactsAsOf) -> Columns:
    """Count suspensions in primary school, at the present school and at other schools.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    events, _ = _suspensions(known)
    ever, here = events.count(), _at_this_school(known, events)
    in_primary = _before_year_7(known, events)
    return {
        "suspended_in_primary": np.where(np.isnan(in_primary), np.nan, in_primary > 0),
        "suspensions_in_primary": in_primary,
        "suspensions_at_this_school": here,
        "suspensions_at_other_schools": ever - here,
        "suspended_after_move": ((here > 0) & (ever > here)).astype(float),
    }


def _at_this_school(known: FactsAsOf, events: Events) -> NDArray[np.float64]:
    facts = known.tables["suspensions"]
    school = facts["school_id"].to_numpy()[(facts["category"] == "SUSP").to_numpy()]
    rows = pd.DataFrame({"pupil": events.pupil, "school": school})[events.day < events.as_of]
    counts = rows.value_counts().rename("n").reset_index()
    wanted = pd.DataFrame({"pupil": known.rows, "school": known.spine["school_id"].to_numpy()})
    found = wanted.merge(counts, on=["pupil", "school"], how="left")["n"]
    return found.fillna(0).to_numpy(dtype=float)


def _before_year_7(known: FactsAsOf, events: Events) -> NDArray[np.float64]:
    """Count suspensions before the September in which the pupil entered, or will enter, Year 7.

    The number is nan where the year group is not known, unless the pupil was never suspended.
    """
    entry = known.school_year - known.spine["year_group"] + FIRST_SECONDARY
    september = days_of(pd.to_datetime(entry.astype("Int64").astype("str") + "-09-01"))
    limit = np.full(events.n_pupils, -(10**6), dtype=np.int64)
    limit[known.rows] = september
    before = events.where(events.day < limit[events.pupil]).count()
    return np.where(np.isnan(known.year_group) & (before > 0), np.nan, before)
