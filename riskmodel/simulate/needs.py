"""Special educational needs: which, since when, found early or late, and what is provided.

In:  sex, free school meals, vulnerability, the primary school.
Out: :class:`Severity` and :class:`Needs`, at published levels by sex, year group and free school
meals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.shapes import GROUPS, Drift, Floats, Ints, curve, drift, standardise

__all__ = ["NEEDS", "Needs", "Severity", "draw_severity", "sen_targets"]

NEEDS = ("SEMH", *(code for code in parameters_under("need") if code != "SEMH"))
"""Types of need; social, emotional and mental health first."""

SLOWNESS = 0.5
"""Spread between primary schools of how late they record a need, in standard deviations; chosen."""

HIDDEN = 1.15
"""Pupils with a need per pupil whose need is recorded at the peak; chosen."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Needs of pupils, and what is provided, by year group.

    Attributes
    ----------
    provision : int8 array of shape (n_pupils, 12)
        0 none, 1 SEN support, 2 EHC plan, as recorded.
    unmet : bool array of shape (n_pupils, 12)
        A need without provision.
    """

    provision: NDArray[np.int8]
    unmet: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Severity:
    """The scores behind needs, and from which line of each a need exists or is provided for.

    Attributes
    ----------
    score : Drift
        How severe a pupil's difficulties are.
    delay : float array of shape (n_pupils, 12)
        How far the slowness of the primary school lowers the score that is recorded.
    plan_noise : float array of shape (n_pupils,)
        What else leads to a plan.
    male, special : bool arrays of shape (n_pupils,)
        Sex; at a special school, where every pupil has a plan.
    kind : int array of shape (n_pupils,)
        Index in :data:`NEEDS`: the kind of a need, whether or not it ever shows itself.
    need_line : float array of shape (n_pupils,)
        From this line on there is a need, whether or not anybody records it.
    plan_line, support_line : float arrays of shape (4, 12)
        Lines of plan and of SEN support, by cell (sex and free school meals) and year group.
    """

    score: Drift
    delay: Floats
    plan_noise: Floats
    male: NDArray[np.bool_]
    special: NDArray[np.bool_]
    kind: Ints
    need_line: Floats
    plan_line: Floats
    support_line: Floats

    def redrawn(self, known: Ints, rng: np.random.Generator) -> Severity:
        """Return the score drawn again after the year group that is known; all lines stay.

        Parameters
        ----------
        known : int array of shape (n_pupils,)
            Last year group of which each pupil's needs are known.
        rng : Generator
            Source of randomness.

        Returns
        -------
        Severity
            The same up to that year group.
        """
        return replace(self, score=self.score.redrawn(known, rng))

    def needs(self, fsm: NDArray[np.bool_]) -> Needs:
        """Return the needs and what is provided, given who is eligible for free school meals.

        Parameters
        ----------
        fsm : bool array of shape (n_pupils, n_year_groups)
            Eligible for free school meals.

        Returns
        -------
        Needs
            By pupil and year group.
        """
        cell, group = _cells(self.male, fsm), np.arange(GROUPS)
        has_plan = _plan_score(self) >= self.plan_line[cell, group]
        support = _recorded(self) >= self.support_line[cell, group]
        provision = np.where(has_plan, 2, np.where(support, 1, 0)).astype(np.int8)
        has_need = self.score.score >= self.need_line[:, None]
        return Needs(provision=provision, unmet=has_need & (provision == 0))


def _cells(male: NDArray[np.bool_], fsm: NDArray[np.bool_]) -> Ints:
    """Return the cell of each pupil and year group in the targets: sex and free school meals."""
    return 2 * male[:, None] + fsm


def _plan_score(severity: Severity) -> Floats:
    """Return the score that leads to a plan; every pupil of a special school is above all lines."""
    score = _towards_a_plan(severity.score.score, severity.plan_noise[:, None])
    return np.where(severity.special[:, None], np.inf, score)


def _towards_a_plan(score: Floats, plan_noise: Floats) -> Floats:
    """Return how much leads to a plan: how severe the difficulties are, and what else does."""
    return 0.7 * score + 0.7 * plan_noise


def _recorded(severity: Severity) -> Floats:
    """Return the score that is recorded: slowness lowers it in the early years."""
    return severity.score.score - severity.delay


def draw_severity(
    male: NDArray[np.bool_],
    fsm: NDArray[np.bool_],
    vulnerability: Floats,
    primary: Ints,
    preset: Preset,
    rng: np.random.Generator,
) -> Severity:
    """Draw the scores behind needs, and set the lines so that shares are as published.

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
    Severity
        Scores and lines: the pupils with the highest scores of their sex, year group and
        eligibility have the provision.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> male, fsm = np.arange(200) % 2 == 0, np.zeros((200, 12), dtype=bool)
    >>> made = draw_severity(male, fsm, rng.standard_normal(200), np.arange(200) % 4, "england", rng)
    >>> needs = made.needs(fsm)
    >>> bool((needs.unmet & (needs.provision > 0)).any())
    False
    """
    score = drift(standardise(vulnerability), 0.5, 0.97, rng)
    delay = _delay(primary, rng)
    plan_noise = rng.standard_normal(len(male))
    first = _towards_a_plan(score.score[:, 0], plan_noise)
    any_sen, plan = sen_targets(preset)
    peak = any_sen.max(axis=1)[2 * male + fsm[:, 0]]
    lineless = Severity(
        score=score,
        delay=delay,
        plan_noise=plan_noise,
        male=male,
        special=_at_special_schools(first + 0.5 * male + 0.3 * fsm[:, 0], preset),
        kind=np.zeros(len(male), dtype=np.int64),
        need_line=norm.isf(HIDDEN * peak),
        plan_line=np.full(any_sen.shape, np.inf),
        support_line=np.full(any_sen.shape, np.inf),
    )
    plan_line, support_line = _lines(lineless, _cells(male, fsm), any_sen, plan)
    lined = replace(lineless, plan_line=plan_line, support_line=support_line)
    years = (lined.needs(fsm).provision > 0).sum(axis=1)
    return replace(lined, kind=_kinds(vulnerability, years, rng))


def _delay(primary: Ints, rng: np.random.Generator) -> Floats:
    """Return how far each primary school's slowness lowers the score, by pupil and year group."""
    slow = SLOWNESS * rng.standard_normal(int(primary.max()) + 1)[primary]
    return np.asarray(slow[:, None] * np.linspace(1.5, 0.2, GROUPS))


def _at_special_schools(score: Floats, preset: Preset) -> NDArray[np.bool_]:
    """Return who is at a special school; their number follows the preset's number of plans."""
    share = parameter("special") * parameter("ehc_plan", preset) / parameter("ehc_plan")
    return score >= _lowest_of_top(score, share / 100)


def _lines(severity: Severity, cell: Ints, any_sen: Floats, plan: Floats) -> tuple[Floats, Floats]:
    """Return the lines of plan and of SEN support, by cell and year group.

    ``any_sen`` and ``plan`` are the shares wanted.
    """
    plan_score, recorded = _plan_score(severity), _recorded(severity)
    plan_line, support_line = np.full(plan.shape, np.inf), np.full(plan.shape, np.inf)
    for number, group in product(range(len(plan)), range(GROUPS)):
        rows = np.flatnonzero(cell[:, group] == number)
        if not len(rows):
            continue
        wanted = plan[number, group]
        line = plan_line[number, group] = _lowest_of_top(plan_score[rows, group], wanted)
        has_plan = plan_score[rows, group] >= line
        others = np.where(has_plan, -np.inf, recorded[rows, group])
        left = max(0.0, any_sen[number, group] - has_plan.mean())
        support_line[number, group] = _lowest_of_top(others, left)
    return plan_line, support_line


def _lowest_of_top(score: Floats, share: float) -> float:
    """Return the lowest of the share of scores that are highest; infinite where that is none."""
    n = round(share * len(score))
    return float(np.partition(score, len(score) - n)[len(score) - n]) if n else np.inf


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
