"""SEND by school: pupils identified, their needs, and how long a plan takes.

In:  spells of SEN provision, requests for EHC plans, free school meals for context.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure and need.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import OPEN, day_number, days_of, pupils_of
from riskmodel.data.codes import codes
from riskmodel.data.schema import NOT_KNOWN
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT, provision_on
from riskmodel.inclusion.counts import NOBODY, Counts, Grid, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["WEEKS", "identified", "need_types", "plans"]

WEEKS = 20
"""Weeks from the request within which a plan must be issued (SEND Regulations 2014, regulation 13)."""


def identified(facts: Facts) -> dict[str, Counts]:
    """Count pupils on roll on each census day with SEN support, an EHC plan, free school meals.

    Parameters
    ----------
    facts : Facts
        Schools and periods.

    Returns
    -------
    dict of str to Counts
        ``sen_support``, ``ehc_plan``, ``fsm``, of the pupils on roll; ``roll``, the pupils themselves
        (its denominator is missing). A pupil with a plan does not count as SEN support.
    """
    send, spells = facts.table("send"), facts.table("circumstances")
    meals = spells[(spells["kind"] == "fsm").to_numpy()]
    sen_known = facts.reached("send", days_of(send["start_date"]), "SEN provision", lasts=True)
    meals_known = facts.reached(
        "circumstances", days_of(meals["start_date"]), "free school meals", lasts=True
    )
    support, plan = _with_provision(facts, SEN_SUPPORT, EHC_PLAN)
    return {
        "roll": _roll(facts),
        "sen_support": _of_roll(facts, support, sen_known),
        "ehc_plan": _of_roll(facts, plan, sen_known),
        "fsm": _of_roll(facts, _with_spell(facts, meals), meals_known),
    }


def _of_roll(facts: Facts, pupils: Grid, why: NDArray[np.object_]) -> Counts:
    """Return pupils, of the pupils on roll on the census day."""
    return settle(pupils, facts.on_roll, why, NOBODY)


def _roll(facts: Facts) -> Counts:
    """Return the pupils on roll themselves: a number without a denominator."""
    roll = _of_roll(facts, facts.on_roll, np.full(facts.shape[1], "", dtype=object))
    return replace(roll, denominator=np.full(facts.shape, np.nan))


def _with_provision(facts: Facts, *provisions: str) -> np.ndarray:
    """Count pupils on roll with each provision on the census day."""
    pupils = np.zeros((len(provisions), *facts.shape))
    for number, day in enumerate(facts.periods["census"]):
        here = _on_roll(facts, day)
        for place, code in enumerate(provisions):
            inside = (here["provision"] == code).to_numpy()
            counts = np.bincount(here["school"][inside], minlength=facts.shape[0])
            pupils[place, :, number] = counts
    return pupils


def _on_roll(facts: Facts, day: pd.Timestamp) -> pd.DataFrame:
    """Return pupils by school, with their SEN provision and needs on the day."""
    here = facts.rolls_on(day_number(day))
    numbers = pd.Categorical.from_codes(here["pupil"], dtype=facts.tables.pupils)
    found = provision_on(facts.table("send"), pd.Series(numbers, index=here.index), day=day)
    return here[["school"]].join(found)


def _with_spell(facts: Facts, spells: pd.DataFrame) -> np.ndarray:
    """Count pupils on roll with a spell on the census day."""
    pupils = np.zeros(facts.shape)
    start, end = days_of(spells["start_date"]), days_of(spells["end_date"])
    for number, day in enumerate(days_of(facts.periods["census"])):
        here = facts.rolls_on(int(day))
        inside = np.isin(here["pupil"], pupils_of(spells[(start <= day) & (end >= day)]))
        pupils[:, number] = np.bincount(here["school"][inside], minlength=facts.shape[0])
    return pupils


def need_types(facts: Facts) -> dict[str, Counts]:
    """Count the primary needs of pupils with SEN on roll on each census day.

    Parameters
    ----------
    facts : Facts
        With ``send``, or nothing is known.

    Returns
    -------
    dict of str to Counts
        Need, or ``not_known`` → pupils, of the pupils with SEN support or a plan. Of several spells
        :func:`~riskmodel.data.sen_provision.provision_on` gives the one that counts.
    """
    send = facts.table("send")
    send = send[(send["provision"] != "N").to_numpy()]
    counts = _primary_needs(facts)
    why = facts.reached("send", days_of(send["start_date"]), "SEN provision", lasts=True)
    whole = counts.sum(axis=0)
    return {
        str(name): settle(count, whole, why, "No pupils with SEN are on the roll.")
        for name, count in zip([*codes("needs"), NOT_KNOWN], counts, strict=True)
    }


def _primary_needs(facts: Facts) -> NDArray[np.float64]:
    """Return pupils with SEN by need, school and period; the last need is not known."""
    counts = np.zeros((len(codes("needs")) + 1, *facts.shape))
    for number, day in enumerate(facts.periods["census"]):
        here = _on_roll(facts, day)
        here = here[here["provision"].notna().to_numpy()]
        # a missing need has code -1, which is the last row: not known
        index = here["primary_need"].cat.codes.to_numpy(), here["school"].to_numpy()
        np.add.at(counts[:, :, number], index, 1)
    return counts


def plans(facts: Facts) -> dict[str, Counts]:
    """Count requests for EHC plans that wait too long, and plans issued in time.

    Parameters
    ----------
    facts : Facts
        With ``plans``, or nothing is known.

    Returns
    -------
    dict of str to Counts
        ``waiting``: requests open for more than :data:`WEEKS` weeks at the end of the period, of all
        open then; ``in_time``: plans issued within them, of all issued in the period. Both count for
        the school on whose main roll the pupil was then.
    """
    asked = days_of(facts.table("plans")["requested_on"])
    why = facts.reached("plans", asked, "requests for EHC plans", lasts=True)
    late, waiting = _waiting(facts)
    quick, issued = _issued(facts)
    return {
        "waiting": settle(late, waiting, why, "No request was open at the end of the period."),
        "in_time": settle(quick, issued, why, "No plan was issued in the period."),
    }


def _waiting(facts: Facts) -> tuple[Grid, Grid]:
    """Return requests open for too long at the end of each period, and all open then."""
    table = facts.table("plans")
    pupil, asked = pupils_of(table), days_of(table["requested_on"])
    closed = table["outcome"].isin(["refused", "withdrawn"]).to_numpy()
    decided = np.where(closed, days_of(table["decided_on"]), OPEN)
    end = np.minimum(days_of(table["plan_on"]), decided)
    late, waiting = np.zeros(facts.shape), np.zeros(facts.shape)
    for number, day in enumerate(days_of(facts.periods["school_ends"])):
        school = facts.school_on(pupil, np.full(len(pupil), day))
        waits = (asked <= day) & (end > day) & (school >= 0)
        np.add.at(waiting[:, number], school[waits], 1)
        np.add.at(late[:, number], school[waits & (day - asked > 7 * WEEKS)], 1)
    return late, waiting


def _issued(facts: Facts) -> tuple[Grid, Grid]:
    """Return plans issued in time in each period, and all issued in it."""
    table = facts.table("plans")
    table = table[table["plan_on"].notna().to_numpy()]
    issued = days_of(table["plan_on"])
    school = facts.school_on(pupils_of(table), issued)
    quick = issued - days_of(table["requested_on"]) <= 7 * WEEKS
    return facts.events(school[quick], issued[quick]), facts.events(school, issued)
