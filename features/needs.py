"""Needs: SEN support, EHC plans, types of need, and how long help took."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from riskmodel.features.catalogue import Feature, builder
from riskmodel.features.known import Known, days_of

__all__ = ["plan_requests", "send_history"]

NEEDS = {"SEMH": "social, emotional and mental health", "SLCN": "speech, language and communication",
         "ASD": "autism", "MLD": "moderate learning difficulty",
         "SPLD": "specific learning difficulty"}  # fmt: skip


@builder(
    [
        Feature("sen_support_now", "SEN support now", "yes/no", "needs", "send", 0),
        Feature("ehc_plan_now", "EHC plan now", "yes/no", "needs", "send", 0),
        Feature("sen_years", "Years with recorded SEN", "years", "needs", "send", 0, False),
        Feature("days_since_sen_change", "Days since SEN provision last changed", "days", "needs",
                "send", 0, False),
        *[Feature(f"need_{code.lower()}_now", f"Recorded need now: {words}", "yes/no", "needs",
                  "send", 0) for code, words in NEEDS.items()],
        Feature("semh_without_plan", "Social, emotional and mental health need without an EHC plan",
                "yes/no", "needs", "send", 1),
        Feature("sen_stepped_down", "SEN provision ended or stepped down in the last 12 months",
                "yes/no", "needs", "send", 1),
        Feature("sen_found_age_years", "School years before SEN was first recorded", "years",
                "needs", "send", 0, False),
    ],
    needs=["send"],
)  # fmt: skip
def send_history(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Provision and needs now, how long, how late.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["send"]
    end = days_of(facts["end_date"])
    provision = facts["provision"]
    any_sen = (provision != "N").to_numpy()

    def state(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        return known.events("send", "start_date", keep).state(end[keep])

    needs = {
        f"need_{code.lower()}_now": state(
            any_sen
            & ((facts["primary_need"] == code) | (facts["secondary_need"] == code)).to_numpy()
        )
        for code in NEEDS
    }
    plan = state((provision == "E").to_numpy())
    spells = known.events("send", "start_date", any_sen)
    ended = known.events("send", "end_date", any_sen & (end < known.day))
    length = (np.minimum(end[any_sen] + 1, known.day) - spells.day).clip(0).astype(float)
    years_ago = (known.day - _first_day(known, any_sen)) / 365.25
    any_now = state(any_sen)
    return {
        "sen_support_now": state((provision == "K").to_numpy()),
        "ehc_plan_now": plan,
        "sen_years": spells.sum(length) / 365.25,
        "days_since_sen_change": known.events("send", "start_date").days_since(),
        **needs,
        "semh_without_plan": needs["need_semh_now"] * (1 - plan),
        "sen_stepped_down": ((ended.count(365) > 0) & (any_now == 0)).astype(float),
        "sen_found_age_years": known.spine["year_group"].to_numpy() - years_ago,
    }


def _first_day(known: Known, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the first day of any of the facts kept; nan where there is none."""
    events = known.events("send", "start_date", keep)
    first = np.full(events.n_pupils, np.inf)
    np.minimum.at(first, events.pupil, events.day.astype(float))
    return np.where(np.isinf(first), np.nan, first)[events.rows]


@builder(
    [
        Feature("plan_request_pending", "Request for an EHC plan waiting for a decision", "yes/no",
                "needs", "plans", 0),
        Feature("plan_weeks_waited", "Weeks the pending request has waited (limit 20)", "weeks",
                "needs", "plans", 1),
        Feature("plan_refused", "Request for an EHC plan refused before", "yes/no", "needs",
                "plans", 1, False),
    ],
    needs=["plans"],
)  # fmt: skip
def plan_requests(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Return requests for EHC plans, as decided by the day.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["plans"]
    pending = facts["decided_on"].isna().to_numpy()
    waiting = known.events("plans", "requested_on", pending)
    waited = waiting.days_since() / 7
    refused = known.events("plans", "requested_on", (facts["outcome"] == "refused").to_numpy())
    return {
        "plan_request_pending": (~np.isnan(waited)).astype(float),
        "plan_weeks_waited": np.nan_to_num(waited),
        "plan_refused": (refused.count() > 0).astype(float),
    }
