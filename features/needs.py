"""Needs: SEN support, EHC plans, types of need, and how long help took.

A window of days is half-open: its first day counts, the day of the list does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_YEAR, days_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.events import Events
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["plan_requests", "send_history", "send_timing"]

NEEDS = ("SEMH", "SLCN", "ASD", "MLD", "SPLD", "SLD", "HI", "VI", "PD", "OTH", "NSA")
"""Types of need with a feature of their own (DfE codes)."""

LIMIT_WEEKS = 20
"""Weeks within which an EHC plan must be issued (SEND Regulations 2014)."""


@builder(needs=["send"])
def send_history(known: FactsAsOf) -> Columns:
    """Return SEN provision and needs now, and those ever recorded.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts, now = known.tables["send"], known.provision
    needs = {f"need_{code.lower()}_now": _has_need(now, code).astype(float) for code in NEEDS}
    has_plan = (now["provision"] == EHC_PLAN).to_numpy(dtype=float)
    primary_need = facts["primary_need"].to_numpy()[_has_provision(known)]
    untyped = now["provision"].notna() & now["primary_need"].isna()
    return {
        **needs,
        "sen_support_now": (now["provision"] == SEN_SUPPORT).to_numpy(dtype=float),
        "ehc_plan_now": has_plan,
        "need_not_typed": untyped.to_numpy(dtype=float),
        "need_types_so_far": _starts(known).count_distinct(primary_need),
        "secondary_need_now": now["secondary_need"].notna().to_numpy(dtype=float),
        "semh_without_plan": needs["need_semh_now"] * (1 - has_plan),
        "slcn_ever": _starts(known, _has_need(facts, "SLCN")).any(),
        "semh_ever": _starts(known, _has_need(facts, "SEMH")).any(),
        "sen_ever": _starts(known).any(),
    }


def _has_need(spells: pd.DataFrame, code: str) -> NDArray[np.bool_]:
    """Return where a need is the primary or the secondary one."""
    return ((spells["primary_need"] == code) | (spells["secondary_need"] == code)).to_numpy()


def _has_provision(known: FactsAsOf, *codes: str) -> NDArray[np.bool_]:
    return known.tables["send"]["provision"].isin(codes or (SEN_SUPPORT, EHC_PLAN)).to_numpy()


def _starts(known: FactsAsOf, keep: NDArray[np.bool_] | None = None) -> Events:
    """Return spells of SEN provision, or some of them, by the day they started."""
    is_sen = _has_provision(known)
    return known.events("send", "start_date", is_sen if keep is None else is_sen & keep)


@builder(needs=["send"])
def send_timing(known: FactsAsOf) -> Columns:
    """Return how long a pupil has had SEN provision, how late it began, and what changed.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    return {**_lengths(known), **_changes(known), **_ends(known), **_first_found(known)}


def _lengths(known: FactsAsOf) -> Columns:
    is_sen, is_plan = _has_provision(known), _has_provision(known, EHC_PLAN)
    to_plan = _starts(known, is_plan).first() - _starts(known, ~is_plan).first()
    return {
        "sen_years": known.days_in_spell("send", is_sen) / DAYS_PER_YEAR,
        "ehc_plan_years": known.days_in_spell("send", is_plan) / DAYS_PER_YEAR,
        "support_before_plan_years": np.where(to_plan >= 0, to_plan / DAYS_PER_YEAR, np.nan),
    }


def _changes(known: FactsAsOf) -> Columns:
    changes = known.events("send", "start_date")
    return {
        "days_since_sen_change": changes.days_since(),
        "sen_changes": changes.count(),
        "sen_changes_12_months": changes.count(365),
    }


def _ends(known: FactsAsOf) -> Columns:
    is_over = days_of(known.tables["send"]["end_date"]) < known.day
    ended = known.events("send", "end_date", _has_provision(known) & is_over)
    plan_ended = known.events("send", "end_date", _has_provision(known, EHC_PLAN) & is_over)
    now = known.provision["provision"]
    return {
        "sen_stepped_down": ended.any(365) * now.isna().to_numpy(),
        "ehc_plan_ended": plan_ended.any() * (now != EHC_PLAN).to_numpy(dtype=float),
    }


def _first_found(known: FactsAsOf) -> Columns:
    found = _starts(known).first()
    found_slcn = _starts(known, _has_need(known.tables["send"], "SLCN")).first()
    return {
        "sen_found_age_years": known.year_group - (known.day - found) / DAYS_PER_YEAR,
        "sen_found_late": _is_late(known, found),
        "slcn_found_late": _is_late(known, found_slcn),
        "sen_found_lately": (found >= known.day - 365).astype(float),
    }


def _is_late(known: FactsAsOf, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return whether a need was found in secondary school; nan if the year group is not known."""
    school_year = academic_year(pd.Series(pd.to_datetime(found, unit="D")))
    septembers = known.school_year - school_year.to_numpy(dtype=float, na_value=np.nan)
    year_group = known.year_group - septembers
    unknown = np.isnan(known.year_group) & ~np.isnan(found)
    return np.where(unknown, np.nan, year_group >= FIRST_SECONDARY)


@builder(needs=["plans"])
def plan_requests(known: FactsAsOf) -> Columns:
    """Return requests for EHC plans, and what had been decided by the day.

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
    >>> plans = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A"]),
    ...         "requested_on": pd.to_datetime(["2025-02-01"]),
    ...         "decided_on": pd.NaT,
    ...         "outcome": None,
    ...         "plan_on": pd.NaT,
    ...     }
    ... )
    >>> day, spine = pd.Timestamp("2025-03-01"), plans[["pupil_id"]]
    >>> made = plan_requests(FactsAsOf({"plans": plans}, day, spine, register=None))
    >>> made["plan_weeks_waited"].tolist(), made["plan_overdue"].tolist()
    ([4.0], [0.0])
    """
    facts = known.tables["plans"]
    asked = known.events("plans", "requested_on")
    refused = (facts["outcome"] == "refused").to_numpy()
    return {
        **_pending(known),
        "plan_refused": asked.where(refused).any(),
        "plan_refused_lately": known.events("plans", "decided_on", refused).any(365),
        "plan_requests": asked.count(),
        "days_since_plan_request": asked.days_since(),
        "plan_weeks_taken": _weeks_taken(known),
    }


def _pending(known: FactsAsOf) -> Columns:
    pending = known.tables["plans"]["decided_on"].isna().to_numpy()
    waited = known.events("plans", "requested_on", pending).days_since() / 7
    return {
        "plan_request_pending": (~np.isnan(waited)).astype(float),
        "plan_weeks_waited": np.nan_to_num(waited),
        "plan_overdue": (np.nan_to_num(waited) > LIMIT_WEEKS).astype(float),
    }


def _weeks_taken(known: FactsAsOf) -> NDArray[np.float64]:
    """Return the weeks from the latest request that led to a plan, to that plan."""
    facts = known.tables["plans"]
    has_plan = facts["plan_on"].notna().to_numpy()
    weeks = (days_of(facts["plan_on"]) - days_of(facts["requested_on"])) / 7
    return known.events("plans", "requested_on", has_plan).last(weeks[has_plan])
