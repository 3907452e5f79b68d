"""Special educational needs: which, since when, found early or late, and what is provided.

In:  sex, free school meals, vulnerability, the primary school.
Out: :class:`Needs`, by year group, at published levels by sex, year group and free school meals.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

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
        Index in :data:`NEEDS`; -1 for pupils who never have one.
    provision : int8 array of shape (n_pupils, 12)
        0 none, 1 SEN support, 2 EHC plan, as recorded.
    unmet : bool array of shape (n_pupils, 12)
        A need without provision.
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
        The pupils with the highest scores of their sex, year group and eligibility have the
        provision, so that shares are as published. Slowness lowers the score in the early years.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> male, fsm = np.arange(200) % 2 == 0, np.zeros((200, 12), dtype=bool)
    >>> needs = draw_needs(male, fsm, rng.standard_normal(200), np.arange(200) % 4, "england", rng)
    >>> bool((needs.unmet & (needs.provision > 0)).any())
    False
    """
    severity = drift(standardise(vulnerability), 0.5, 0.97, rng)
    recorded = severity - _delay(primary, rng)
    plan_score = 0.7 * severity + 0.7 * rng.standard_normal(len(male))[:, None]
    often = fsm.mean(axis=1)
    special = _at_special_schools(plan_score[:, 0] + 0.5 * male + 0.3 * often, preset)
    plan_score = np.where(special[:, None], np.inf, plan_score)
    any_sen, plan = sen_targets(preset)
    provision = _provision(2 * male[:, None] + fsm, plan_score, recorded, any_sen, plan)
    peak = any_sen.max(axis=1)[2 * male + (often > 0.5)]
    has_need = _highest(severity.max(axis=1), HIDDEN * peak) | (provision > 0).any(axis=1)
    kinds = _kinds(vulnerability, (provision > 0).sum(axis=1), rng)
    return Needs(
        need=np.where(has_need, kinds, -1),
        provision=provision,
        unmet=has_need[:, None] & (provision == 0),
        special=special,
    )


def _delay(primary: Ints, rng: np.random.Generator) -> Floats:
    """Return how far each primary school's slowness lowers the score, by pupil and year group."""
    slow = SLOWNESS * rng.standard_normal(int(primary.max()) + 1)[primary]
    return np.asarray(slow[:, None] * np.linspace(1.5, 0.2, GROUPS))


def _at_special_schools(score: Floats, preset: Preset) -> NDArray[np.bool_]:
    """Return who is at a special school; their number follows the preset's number of plans."""
    share = parameter("special") * parameter("ehc_plan", preset) / parameter("ehc_plan")
    return _top(score, share / 100)


def _provision(
    cell: Ints, plan_score: Floats, support_score: Floats, any_sen: Floats, plan: Floats
) -> NDArray[np.int8]:
    """Return 0 none, 1 SEN support, 2 EHC plan by pupil and year group.

    ``cell`` is the row of the targets ``any_sen`` and ``plan`` that a pupil belongs to.
    """
    provision = np.zeros(cell.shape, dtype=np.int8)
    for group, number in product(range(GROUPS), range(len(plan))):
        rows = np.flatnonzero(cell[:, group] == number)
        if not len(rows):
            continue
        has_plan = _top(plan_score[rows, group], plan[number, group])
        others = np.where(has_plan, -np.inf, support_score[rows, group])
        support = _top(others, max(0.0, any_sen[number, group] - has_plan.mean()))
        provision[rows, group] = np.where(has_plan, 2, np.where(support, 1, 0))
    return provision


def _highest(score: Floats, share: Floats) -> NDArray[np.bool_]:
    """Return whose score is among the highest, each pupil by a share of their own."""
    rank = np.argsort(np.argsort(-score, kind="stable"), kind="stable") / len(score)
    return np.asarray(rank < share)


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

    Examples
    --------
    Of boys in Year 6, more have SEN if they are eligible for free school meals.

    >>> any_sen, plan = sen_targets("england")
    >>> any_sen.shape, bool(any_sen[3, 6] > any_sen[2, 6] > plan[2, 6])
    ((4, 12), True)
    """
    meals = (parameter("fsm.primary", preset) + parameter("fsm.secondary", preset)) / 200
    male = parameter("male") / 100
    sizes = np.outer([1 - male, male], [1 - meals, meals]).ravel()
    wanted_plan = parameter("ehc_plan", preset) / 100
    wanted = wanted_plan + parameter("sen_support", preset) / 100
    any_sen, plan = _any_sen_shape(meals), _plan_shape(male, meals)
    any_sen *= wanted / (sizes @ any_sen).mean()
    plan *= wanted_plan / (sizes @ plan).mean()
    return any_sen, plan


def _any_sen_shape(meals: float) -> Floats:
    """Return relative shares with any SEN; ``meals`` is the share on free school meals."""
    by_sex = np.vstack([curve(parameters_under(f"sen_year.{sex}")) for sex in ("F", "M")])
    by_sex[:, 0] *= 0.75  # few needs are recorded in the first year
    ratio = parameter("sen_ratio.fsm")
    factors = np.array([1.0, ratio]) / (1 + meals * (ratio - 1))
    return np.vstack([by_sex[sex] * factor for sex in (0, 1) for factor in factors])


def _plan_shape(male: float, meals: float) -> Floats:
    """Return relative shares with a plan; ``male`` and ``meals`` are shares of all pupils."""
    boys, on_meals = parameter("ehc_share.male") / 100, parameter("ehc_share.fsm") / 100
    shape = np.interp(np.arange(GROUPS), [1, 6, 11], [2.4, 3.8, 4.0])  # DfE, SEN 2019/20, by age
    by_sex = ((1 - boys) / (1 - male), boys / male)
    by_meals = ((1 - on_meals) / (1 - meals), on_meals / meals)
    return np.vstack([shape * sex * eligible for sex in by_sex for eligible in by_meals])


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
