"""Special educational needs: which, since when, found early or late, and what is provided.

In:  sex, free school meals, vulnerability, the primary school.
Out: :class:`Needs`, by year group, at published levels by sex, year group and free school meals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.shapes import GROUPS, Floats, Ints, curve, drift, standardise

__all__ = ["NEEDS", "Needs", "draw_needs", "sen_targets"]

NEEDS = ("SEMH", *(code for code in parameters_under("need") if code != "SEMH"))
"""Types of need; social, emotional and mental health first."""

SLOWNESS = 0.5
"""Spread between primary schools of how late they record a need, in standard deviations; chosen."""

HIDDEN = 1.15
"""Pupils with a need per pupil whose need is recorded at the peak; chosen."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Needs of pupils.

    Attributes
    ----------
    need : int array of shape (n_pupils,)
        Place in :data:`NEEDS`; -1 for pupils who never have one.
    provision : int8 array of shape (n_pupils, 12)
        0 none, 1 SEN support, 2 EHC plan, as recorded.
    unmet : bool array of shape (n_pupils, 12)
        There is a need, and no provision.
    special : bool array of shape (n_pupils,)
        At a special school.
    """

    need: Ints
    provision: NDArray[np.int8]
    unmet: NDArray[np.bool_]
    special: NDArray[np.bool_]


def draw_needs(
    male: NDArray[np.bool_],
    fsm: NDArray[np.bool_],
    vulnerability: Floats,
    primary: Ints,
    preset: Preset,
    rng: np.random.Generator,
) -> Needs:
    """Draw needs.

    Parameters
    ----------
    male : bool array of shape (n_pupils,)
        Sex.
    fsm : bool array of shape (n_pupils, 12)
        Eligible for free school meals.
    vulnerability : float array of shape (n_pupils,)
        What makes needs likelier.
    primary : int array of shape (n_pupils,)
        Primary school; some are slow to record a need.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Needs
        Who has the highest score of their sex, year group and eligibility has the provision, so that
        shares are as published; slowness lowers the score in the early years.
    """
    n = len(male)
    trait = standardise(vulnerability)
    severity = drift(trait, 0.5, 0.97, rng)
    slow = SLOWNESS * rng.standard_normal(int(primary.max()) + 1)[primary]
    told = severity - slow[:, None] * np.linspace(1.5, 0.2, GROUPS)
    plan_score = 0.7 * severity + 0.7 * rng.standard_normal(n)[:, None]
    any_sen, plan = sen_targets(preset)
    often = fsm.mean(axis=1)
    at_special = parameter("special") * parameter("ehc_plan", preset) / parameter("ehc_plan")
    special = _top(plan_score[:, 0] + 0.5 * male + 0.3 * often, at_special / 100)
    plan_score = np.where(special[:, None], np.inf, plan_score)
    provision = np.zeros((n, GROUPS), dtype=np.int8)
    for group in range(GROUPS):
        cell = 2 * male + fsm[:, group]
        for number in range(4):
            rows = np.flatnonzero(cell == number)
            if not len(rows):
                continue
            wanted_plan, wanted = plan[number, group], any_sen[number, group]
            has_plan = _top(plan_score[rows, group], wanted_plan)
            rest = np.where(has_plan, -np.inf, told[rows, group])
            support = _top(rest, max(0.0, wanted - has_plan.mean()))
            provision[rows, group] = np.where(has_plan, 2, np.where(support, 1, 0))
    peak = any_sen.max(axis=1)[2 * male + (often > 0.5)]
    rank = np.argsort(np.argsort(-severity.max(axis=1), kind="stable"), kind="stable") / n
    has_need = (rank < HIDDEN * peak) | (provision > 0).any(axis=1)
    years = (provision > 0).sum(axis=1)
    need = np.where(has_need, _kinds(vulnerability, years, rng), -1)
    unmet = has_need[:, None] & (provision == 0)
    return Needs(need=need, provision=provision, unmet=unmet, special=special)


def sen_targets(preset: Preset) -> tuple[Floats, Floats]:
    """Return target shares by sex, free school meals and year group.

    Parameters
    ----------
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    any_sen, plan : float arrays of shape (4, 12)
        Shares with any SEN and with an EHC plan; rows are girls, girls on free school meals, boys,
        boys on free school meals.
    """
    meals = (parameter("fsm.primary", preset) + parameter("fsm.secondary", preset)) / 200
    wanted_plan = parameter("ehc_plan", preset) / 100
    wanted = wanted_plan + parameter("sen_support", preset) / 100
    by_sex = np.vstack([curve(parameters_under(f"sen_year.{sex}")) for sex in ("F", "M")])
    by_sex[:, 0] *= 0.75  # few needs are recorded in the first year
    ratio = parameter("sen_ratio.fsm")
    factors = np.array([1.0, ratio]) / (1 + meals * (ratio - 1))
    any_sen = np.vstack([by_sex[sex] * factor for sex in (0, 1) for factor in factors])
    boys, on_meals = parameter("ehc_share.male") / 100, parameter("ehc_share.fsm") / 100
    shape = np.interp(np.arange(GROUPS), [1, 6, 11], [2.4, 3.8, 4.0])  # DfE, SEN 2019/20, by age
    male = parameter("male") / 100
    plan = np.vstack(
        [
            shape * sex * eligible
            for sex in ((1 - boys) / (1 - male), boys / male)
            for eligible in ((1 - on_meals) / (1 - meals), on_meals / meals)
        ]
    )
    shares = np.array(
        [(1 - male) * (1 - meals), (1 - male) * meals, male * (1 - meals), male * meals]
    )
    any_sen *= wanted / (shares @ any_sen).mean()
    plan *= wanted_plan / (shares @ plan).mean()
    return any_sen, plan


def _top(score: Floats, share: float) -> NDArray[np.bool_]:
    """Choose the share of rows with the highest scores."""
    chosen = np.zeros(len(score), dtype=bool)
    chosen[np.argsort(-score, kind="stable")[: round(share * len(score))]] = True
    return chosen


def _kinds(vulnerability: Floats, years: Ints, rng: np.random.Generator) -> Ints:
    """Draw types of need; shares are as published among pupils weighted by years of provision.

    Social, emotional and mental health needs are likelier for the most vulnerable.
    """
    shares = np.array([parameters_under("need")[code] for code in NEEDS])
    shares = shares / shares.sum()
    lean = np.where(np.array(NEEDS) == "SEMH", 0.5, 0.0)
    odds = np.exp(np.outer(standardise(vulnerability), lean))
    weight = shares.copy()
    for _ in range(20):
        chance = odds[years > 0] * weight
        chance /= chance.sum(axis=1, keepdims=True)
        weight *= shares / np.average(chance, axis=0, weights=years[years > 0])
    chance = odds * weight
    edges = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    return np.minimum((rng.random(len(odds))[:, None] > edges).sum(axis=1), len(NEEDS) - 1)
