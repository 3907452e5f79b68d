"""SEND by school: who is identified, with what needs, and how long a plan takes.

In:  spells of SEN provision, requests for EHC plans, free school meals for context.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure and need.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.arrays import OPEN, day_number, days_of, pupils_of
from riskmodel.data.codes import codes
from riskmodel.data.schema import NOT_KNOWN
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT, provision_on
from riskmodel.inclusion.counts import NOBODY, Counts, settle
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
        (its denominator is missing). Whoever has a plan does not count as SEN support.
    """
    made = {}
    known = np.full(facts.shape[1], "", dtype=object)
    roll = settle(facts.on_roll, facts.on_roll, known, NOBODY)
    made["roll"] = Counts(
        numerator=roll.numerator,
        denominator=np.full(facts.shape, np.nan),
        people=roll.people,
        pupils=roll.pupils,
        why=roll.why,
    )
    send, meals = facts.table("send"), facts.table("circumstances")
    why = facts.reached("send", days_of(send["start_date"]), "SEN provision", lasts=True)
    for name, code in (("sen_support", SEN_SUPPORT), ("ehc_plan", EHC_PLAN)):
        made[name] = settle(_with_provision(facts, code), facts.on_roll, why, NOBODY)
    meals = meals[(meals["kind"] == "fsm").to_numpy()]
    why = facts.reached(
        "circumstances", days_of(meals["start_date"]), "free school meals", lasts=True
    )
    made["fsm"] = settle(_with_spell(facts, meals), facts.on_roll, why, NOBODY)
    return made


def _with_provision(facts: Facts, code: str) -> np.ndarray:
    """Count pupils on roll with a provision on the census day."""
    made = np.zeros(facts.shape)
    for number, day in enumerate(facts.periods["census"]):
        here = _on_roll(facts, day)
        inside = (here["provision"] == code).to_numpy()
        made[:, number] = np.bincount(here["school"][inside], minlength=facts.shape[0])
    return made


def _on_roll(facts: Facts, day: pd.Timestamp) -> pd.DataFrame:
    """Return pupils by school, with their SEN provision and needs on the day."""
    here = facts.rolls_on(day_number(day))
    pupils = pd.Categorical.from_codes(here["pupil"], dtype=facts.tables.pupils)
    found = provision_on(facts.table("send"), pd.Series(pupils, index=here.index), day=day)
    return here[["school"]].join(found)


def _with_spell(facts: Facts, spells: pd.DataFrame) -> np.ndarray:
    """Count pupils on roll with a spell on the census day."""
    made = np.zeros(facts.shape)
    start, end = days_of(spells["start_date"]), days_of(spells["end_date"])
    for number, day in enumerate(days_of(facts.periods["census"])):
        here = facts.rolls_on(int(day))
        inside = np.isin(here["pupil"], pupils_of(spells[(start <= day) & (end >= day)]))
        made[:, number] = np.bincount(here["school"][inside], minlength=facts.shape[0])
    return made


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
    need = np.append(codes("needs"), NOT_KNOWN)
    counts = np.zeros((len(need), *facts.shape))
    for number, day in enumerate(facts.periods["census"]):
        here = _on_roll(facts, day)
        here = here[here["provision"].notna().to_numpy()]
        # a missing need has code -1, which is the last row: not known
        place = here["primary_need"].cat.codes.to_numpy(), here["school"].to_numpy()
        np.add.at(counts[:, :, number], place, 1)
    why = facts.reached("send", days_of(send["start_date"]), "SEN provision", lasts=True)
    whole = counts.sum(axis=0)
    return {
        str(name): settle(counts[row], whole, why, "No pupils with SEN are on the roll.")
        for row, name in enumerate(need)
    }


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
    table = facts.table("plans")
    pupil, asked = pupils_of(table), days_of(table["requested_on"])
    issued = days_of(table["plan_on"])
    closed = table["outcome"].isin(["refused", "withdrawn"]).to_numpy()
    end = np.minimum(issued, np.where(closed, days_of(table["decided_on"]), OPEN))
    limit = 7 * WEEKS
    late, open_ = np.zeros(facts.shape), np.zeros(facts.shape)
    for number, day in enumerate(days_of(facts.periods["school_ends"])):
        waits = (asked <= day) & (end > day)
        school = facts.school_on(pupil, np.full(len(pupil), day))
        for grid, rows in ((open_, waits), (late, waits & (day - asked > limit))):
            np.add.at(grid[:, number], school[rows & (school >= 0)], 1)
    why = facts.reached("plans", asked, "requests for EHC plans", lasts=True)
    done = issued < OPEN
    school = facts.school_on(pupil[done], issued[done])
    quick = (issued - asked)[done] <= limit
    whole = facts.events(school, issued[done])
    return {
        "waiting": settle(late, open_, why, "No request was open at the end of the period."),
        "in_time": settle(
            facts.events(school[quick], issued[done][quick]),
            whole,
            why,
            "No plan was issued in the period.",
        ),
    }
