"""Needs: SEN support, EHC plans, types of need, and how long help took."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_YEAR, days_of
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["plan_requests", "send_history", "send_timing"]

NEEDS = ("SEMH", "SLCN", "ASD", "MLD", "SPLD", "SLD", "HI", "VI", "PD", "OTH", "NSA")
"""Types of need with a feature of their own (DfE codes)."""

LIMIT_WEEKS = 20
"""Weeks in which an EHC plan is to be issued (Special Educational Needs and Disability Regulations 2014)."""


def _has_need(spells: pd.DataFrame, code: str) -> NDArray[np.bool_]:
    """Return where a need is the primary or the secondary one."""
    return ((spells["primary_need"] == code) | (spells["secondary_need"] == code)).to_numpy()


@builder(needs=["send"])
def send_history(known: FactsAsOf) -> Columns:
    """Provision and types of need now.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["send"]
    any_sen = (facts["provision"] != "N").to_numpy()
    now = known.provision
    needs = {f"need_{code.lower()}_now": _has_need(now, code).astype(float) for code in NEEDS}
    plan = (now["provision"] == EHC_PLAN).to_numpy(dtype=float)
    untyped = now["provision"].notna() & now["primary_need"].isna()

    def ever(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return (known.events("send", "start_date", keep).count() > 0).astype(float)

    types = np.sum(
        [ever(any_sen & (facts["primary_need"] == code).to_numpy())
         for code in facts["primary_need"].cat.categories], axis=0,
    )  # fmt: skip
    return {
        "sen_support_now": (now["provision"] == SEN_SUPPORT).to_numpy(dtype=float),
        "ehc_plan_now": plan,
        **needs,
        "need_not_typed": untyped.to_numpy(dtype=float),
        "need_types_so_far": types,
        "secondary_need_now": now["secondary_need"].notna().to_numpy(dtype=float),
        "semh_without_plan": needs["need_semh_now"] * (1 - plan),
        "slcn_ever": ever(any_sen & _has_need(facts, "SLCN")),
        "semh_ever": ever(any_sen & _has_need(facts, "SEMH")),
        "sen_ever": ever(any_sen),
    }


@builder(needs=["send"])
def send_timing(known: FactsAsOf) -> Columns:
    """How long, how late, and what changed.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["send"]
    end = days_of(facts["end_date"])
    provision = facts["provision"]
    any_sen, is_plan, is_support = (
        provision.isin(codes).to_numpy()
        for codes in ([SEN_SUPPORT, EHC_PLAN], [EHC_PLAN], [SEN_SUPPORT])
    )
    slcn = any_sen & _has_need(facts, "SLCN")

    def first(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return known.events("send", "start_date", keep).first()

    def year_group_at(day: NDArray[np.float64]) -> NDArray[np.float64]:
        september = np.floor((known.school_year_start - day) / DAYS_PER_YEAR + 1)
        return known.year_group - np.maximum(september, 0)

    def late(day: NDArray[np.float64]) -> NDArray[np.float64]:
        # where a need was found, but not the year group, nobody knows
        unknown = np.isnan(known.year_group) & ~np.isnan(day)
        return np.where(unknown, np.nan, year_group_at(day) >= FIRST_SECONDARY)

    changes = known.events("send", "start_date")
    past_end = end < known.day
    ended = known.events("send", "end_date", any_sen & past_end)
    plan_ended = known.events("send", "end_date", is_plan & past_end).count() > 0
    now = known.provision["provision"]
    any_now, plan_now = now.notna().to_numpy(), (now == EHC_PLAN).to_numpy()
    found, found_slcn = first(any_sen), first(slcn)
    to_plan = (first(is_plan) - first(is_support)) / DAYS_PER_YEAR
    return {
        "sen_years": known.days_in_spell("send", any_sen) / DAYS_PER_YEAR,
        "ehc_plan_years": known.days_in_spell("send", is_plan) / DAYS_PER_YEAR,
        "days_since_sen_change": changes.days_since(),
        "sen_changes": changes.count(),
        "sen_changes_12_months": changes.count(365),
        "sen_stepped_down": ((ended.count(365) > 0) & ~any_now).astype(float),
        "ehc_plan_ended": (plan_ended & ~plan_now).astype(float),
        "sen_found_age_years": known.year_group - (known.day - found) / DAYS_PER_YEAR,
        "sen_found_late": late(found),
        "slcn_found_late": late(found_slcn),
        "sen_found_lately": (found >= known.day - 365).astype(float),
        "support_before_plan_years": np.where(to_plan >= 0, to_plan, np.nan),
    }


@builder(needs=["plans"])
def plan_requests(known: FactsAsOf) -> Columns:
    """Return requests for EHC plans, as decided by the day.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["plans"]
    pending = facts["decided_on"].isna().to_numpy()
    waited = known.events("plans", "requested_on", pending).days_since() / 7
    is_refused = (facts["outcome"] == "refused").to_numpy()
    refused = known.events("plans", "decided_on", is_refused)
    asked = known.events("plans", "requested_on")
    has_plan = facts["plan_on"].notna().to_numpy()
    taken = (days_of(facts["plan_on"]) - days_of(facts["requested_on"]))[has_plan] / 7
    return {
        "plan_request_pending": (~np.isnan(waited)).astype(float),
        "plan_weeks_waited": np.nan_to_num(waited),
        "plan_overdue": (np.nan_to_num(waited) > LIMIT_WEEKS).astype(float),
        "plan_refused": (known.events("plans", "requested_on", is_refused).count() > 0).astype(
            float
        ),
        "plan_refused_lately": (refused.count(365) > 0).astype(float),
        "plan_requests": asked.count(),
        "days_since_plan_request": asked.days_since(),
        "plan_weeks_taken": known.events("plans", "requested_on", has_plan).last(taken),
    }
