"""Behaviour and how schools respond: latent states, suspensions, permanent exclusion.

In:  the population and the state of every pupil at the start of a half-term.
Out: expected suspensions and the chance of exclusion, raked to published levels; the next state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.needs import NEEDS
from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.population import ETHNICITIES, Population, Schools
from riskmodel.simulate.shapes import GROUPS, Floats, Ints, rake
from riskmodel.simulate.worlds import World

__all__ = [
    "Event",
    "Factors",
    "Setting",
    "State",
    "chances",
    "groups_of",
    "level_by_stage",
    "relative_rates",
    "season",
    "start_factors",
    "start_state",
    "step",
    "unsettled",
]

Event = Literal["susp", "pex"]

PERSISTENCE = 0.85
"""Share of a latent state that is carried over a half-term; chosen."""

NOISE = 0.55
"""Spread of what comes and goes in a latent state, beside the trait's 1; chosen."""

FADING = 0.75
"""Weight that a suspension keeps in each further half-term; chosen."""

SLOPE: dict[Event, tuple[float, float]] = {"susp": (1.9, 1.15), "pex": (0.75, 0.75)}
"""Effect of pressure on suspensions and exclusion, in primary and later years: chosen so that as many
pupils have one suspension or more as published."""

UNMET = 0.5
"""Effect of a need that nobody meets, in log-odds; chosen."""

SUPPORT = 0.15
"""How far a half-term of SEN support, early help or a plan lowers pressure; chosen."""

CRISIS = (1.5, 1.2)
"""What a fresh crisis adds to pressure and to disengagement; chosen."""

CRISIS_FADING = 0.5
"""Share of a crisis that is left after a half-term; chosen."""

SUDDEN = 30.0
"""The weight of a fresh crisis in exclusion, in suspensions: chosen so that about half of the excluded
of a world with crises were not suspended in the two years before."""

HISTORY = (0.3, 5.0)
"""The weight of a pupil without suspensions in exclusion beside the 1 of one suspension, and the most
weight of suspensions. Chosen: no share of the excluded who were suspended before is published."""

MOST_EXCESS = 0.2
"""Suspensions per pupil above the usual that unsettle a year group; more do no more; chosen."""

HEADS = (0.25, 4.0)
"""Least and largest factor that the heads of a school can come to; chosen."""

MOST: dict[Event, float] = {"susp": 3.0, "pex": 0.5}
"""Largest expected number and chance in a half-term."""

Factors = dict[Event, list[Floats]]
"""Factor of each group, one array per characteristic."""


@dataclass(frozen=True)
class State:
    """Every pupil at the start of a half-term.

    Attributes
    ----------
    pressure, disengagement : float arrays of shape (n_pupils,)
        Latent states, around the pupil's own mean.
    recent : float array of shape (n_pupils,)
        Suspensions so far, older ones counting less.
    school : int array of shape (n_pupils,)
        School number.
    active : bool array of shape (n_pupils,)
        On the roll of a mainstream or special school.
    half_term : int
        Number of the half-term to come, 0 in the first autumn; negative before the data begin.
    crisis : float array of shape (n_pupils,)
        What is left of a crisis: 1 when it is fresh, 0 without one.
    heads : float array of shape (n_schools,)
        Factor on suspensions and exclusions that the heads of a school so far have come to.
    """

    pressure: Floats
    disengagement: Floats
    recent: Floats
    school: Ints
    active: NDArray[np.bool_]
    half_term: int
    crisis: Floats
    heads: Floats

    @property
    def away(self) -> Floats:
        """Disengagement as attendance shows it, a crisis included."""
        return self.disengagement + CRISIS[1] * self.crisis

    def take(self, rows: Ints) -> State:
        """Return the state of some pupils.

        Parameters
        ----------
        rows : int array of shape (n_rows,)
            Pupils.

        Returns
        -------
        State
            In the order of ``rows``.

        Examples
        --------
        >>> values = np.array([0.1, 0.2, 0.3])
        >>> state = State(values, values, values, np.arange(3), values > 0, 0, values, np.ones(3))
        >>> state.take(np.array([2, 0])).pressure.tolist()
        [0.3, 0.1]
        """
        return replace(
            self,
            pressure=self.pressure[rows],
            disengagement=self.disengagement[rows],
            recent=self.recent[rows],
            school=self.school[rows],
            active=self.active[rows],
            crisis=self.crisis[rows],
        )


@dataclass(frozen=True)
class Setting:
    """What a half-term holds fixed for every pupil.

    Attributes
    ----------
    stage : int array of shape (n_pupils,)
        Year group 0 to 11; 12 at a special school.
    unmet, supported : bool arrays of shape (n_pupils,)
        A need without provision; SEN support, a plan or early help.
    groups : list of int arrays of shape (n_pupils,)
        Characteristics by which published rates differ.
    """

    stage: Ints
    unmet: NDArray[np.bool_]
    supported: NDArray[np.bool_]
    groups: list[Ints]


def groups_of(population: Population, rows: Ints, half_term: int) -> Setting:
    """Return the setting of some pupils in a half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils wanted.
    half_term : int
        Number of the half-term.

    Returns
    -------
    Setting
        In the order of ``rows``.
    """
    group = np.clip(population.first_group[rows] + half_term // 6, 0, GROUPS - 1)
    stage = np.where(population.special[rows], GROUPS, group)
    provision = population.provision[rows, group].astype(np.int64)
    social = population.social[rows, group]
    return Setting(
        stage=stage,
        unmet=population.unmet[rows, group],
        supported=(provision > 0) | population.early_help[rows, group],
        groups=[
            population.male[rows].astype(np.int64),
            population.fsm[rows, group].astype(np.int64),
            np.where(provision > 0, 1 + np.maximum(population.need[rows], 0), 0),
            population.ethnicity[rows],
            np.select([social == 3, social > 0], [2, 1], 0),
            provision,
            stage,
        ],
    )


@cache
def relative_rates(event: Event) -> tuple[Floats, ...]:
    """Return published rates by characteristic, in the order of :attr:`Setting.groups`.

    Parameters
    ----------
    event : str
        ``"susp"`` or ``"pex"``.

    Returns
    -------
    tuple of float arrays of shape (n_groups,)
        Relative within each characteristic. Needs are relative to each other among pupils with SEN.

    Examples
    --------
    Boys are suspended more often than girls, and pupils on free school meals than others.

    >>> sex, meals, *others = relative_rates("susp")
    >>> bool(sex[1] > sex[0]), bool(meals[1] > 1 > meals[0])
    (True, True)
    """
    meals = (parameter("fsm.primary") + parameter("fsm.secondary")) / 2
    shares = parameters_under(f"{event}.share")
    ethnicity = parameters_under(f"{event}.ethnicity")
    need = parameters_under(f"{event}.need")
    social = parameters_under(f"{event}.social")
    provision = {name: parameter(name) for name in ("sen_support", "ehc_plan")}
    return (
        np.array([1.0, parameter(f"{event}.ratio.male")]),
        _relative([shares["fsm"]], [meals]),
        np.array([np.nan, *(need[code] for code in NEEDS)]),
        np.array([ethnicity[code] for code in ETHNICITIES]),
        _care(social["child_in_need"], social["looked_after"]),
        _relative([shares[name] for name in provision], list(provision.values())),
    )


def _relative(of_events: list[float], of_pupils: list[float]) -> Floats:
    """Return rates relative to all pupils, the rest first, from groups' percentages of both."""
    events = np.array([np.subtract.reduce([100.0, *of_events]), *of_events])
    return events / np.array([np.subtract.reduce([100.0, *of_pupils]), *of_pupils])


def _care(in_need: float, looked_after: float) -> Floats:
    """Return rates relative to all pupils: of others, children in need, looked-after children."""
    away = parameter("social.looked_after") / 100
    need = parameter("social.child_in_need") / 100 - away
    others = (1 - need * in_need - away * looked_after) / (1 - need - away)
    return np.array([others, in_need, looked_after])


def season(event: Event, half_term: int) -> float:
    """Return the share of a year's events that a half-term holds.

    Parameters
    ----------
    event : str
        ``"susp"`` or ``"pex"``.
    half_term : int
        Number of the half-term.

    Returns
    -------
    float
        The six of a year add up to 1.

    Examples
    --------
    >>> round(sum(season("pex", half_term) for half_term in range(6)), 9)
    1.0
    """
    autumn = parameter(f"{event}.share.autumn") / 100
    return autumn / 2 if half_term % 6 < 2 else (1 - autumn) / 4


@cache
def level_by_stage(event: Event, preset: Preset) -> Floats:
    """Return a year's events per pupil by year group, and at special schools.

    Parameters
    ----------
    event : str
        ``"susp"`` or ``"pex"``.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    float array of shape (13,)
        The average over the year groups of a phase is the phase's published level.

    Examples
    --------
    >>> level = level_by_stage("susp", "england")
    >>> round(100 * float(level[7:12].mean()), 6) == parameter("susp.secondary")
    True
    """
    shape = np.array(list(parameters_under(f"{event}.year").values()))
    for phase, rows in (("primary", slice(0, 7)), ("secondary", slice(7, 12))):
        shape[rows] *= parameter(f"{event}.{phase}", preset) / shape[rows].mean()
    return np.append(shape, parameter(f"{event}.special", preset)) / 100


def _totals(
    event: Event, setting: Setting, here: Floats, preset: Preset, half_term: int
) -> list[Floats]:
    """Return the events expected in each group in a half-term; ``here`` is the chance to be on roll."""
    level = level_by_stage(event, preset)
    by_stage = np.bincount(setting.stage, here, GROUPS + 1) * level * season(event, half_term)
    total = by_stage.sum()
    totals = []
    for group, rate in zip(setting.groups, relative_rates(event), strict=False):
        part = np.bincount(group, here, len(rate)) * rate
        totals.append(total * part / np.nansum(part))
    with_sen = totals[5][1:].sum()
    totals[2] = np.append(total - with_sen, totals[2][1:] * with_sen / total)
    return [*totals, by_stage]


def start_factors() -> Factors:
    """Return factors of 1 for every group.

    Returns
    -------
    dict of str to list of float arrays of shape (n_groups,)
        To be raked.

    Examples
    --------
    >>> [len(factor) for factor in start_factors()["pex"]][:2]
    [2, 2]
    """
    return {
        event: [*(np.ones(len(rate)) for rate in relative_rates(event)), np.ones(GROUPS + 1)]
        for event in ("susp", "pex")
    }


def chances(
    population: Population,
    state: State,
    setting: Setting,
    factors: Factors,
    *,
    preset: Preset,
    here: Floats | None,
) -> dict[Event, Floats]:
    """Return what to expect of active pupils in the half-term to come.

    Parameters
    ----------
    population : Population
        Schools.
    state : State
        Of the active pupils only.
    setting : Setting
        Of the same pupils.
    factors : dict
        Factor of each group; changed in place where they are raked.
    preset : str
        ``"england"`` or ``"bcp"``.
    here : float array of shape (n_rows,), or None
        Chance that each pupil is on roll, to rake to the published levels; None takes the factors as
        they are.

    Returns
    -------
    dict of str to float array of shape (n_rows,)
        ``susp``: expected number; ``pex``: probability.
    """
    expected: dict[Event, Floats] = {}
    for event, weight in _weights(population.schools, state, setting).items():
        if here is not None:
            totals = _totals(event, setting, here, preset, state.half_term)
            weight = rake(
                weight,
                setting.groups,
                totals,
                factors[event],
                most=MOST[event],
                counted=here,
                rounds=1,  # the factors come from the half-term before and go on to the next
            )
        else:
            for group, factor in zip(setting.groups, factors[event], strict=True):
                weight = weight * factor[group]
        expected[event] = np.minimum(weight, MOST[event])
    return expected


def _weights(schools: Schools, state: State, setting: Setting) -> dict[Event, Floats]:
    """Return each pupil's weight before raking: pressure, unmet need, history and school."""
    phase = (setting.stage >= 7).astype(np.int64)
    unmet, heads = UNMET * setting.unmet, state.heads[state.school]
    before = HISTORY[0] + np.minimum(state.recent, HISTORY[1]) + SUDDEN * state.crisis
    history: dict[Event, Floats] = {
        "susp": (0.5 + state.recent) * schools.culture[state.school] * heads,
        "pex": before * schools.severity[state.school] * heads,
    }
    pressure = state.pressure + CRISIS[0] * state.crisis
    slopes = {event: np.array(SLOPE[event], dtype=np.float64)[phase] for event in history}
    return {
        event: np.exp(slopes[event] * pressure + unmet) * factor
        for event, factor in history.items()
    }


def start_state(population: Population, rng: np.random.Generator, *, half_term: int) -> State:
    """Draw the state before the first half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    rng : Generator
        Source of randomness.
    half_term : int
        Its number.

    Returns
    -------
    State
        At its long-run spread.
    """
    n = len(population)
    group = population.first_group + half_term // 6
    noise = NOISE * rng.standard_normal((2, n))
    return State(
        population.pressure_mean + noise[0],
        population.disengagement_mean + 0.5 * noise[0] + noise[1],
        np.zeros(n),
        np.where(group >= 7, population.secondary, population.primary),
        (group >= 0) & (group < GROUPS),
        half_term,
        np.zeros(n),
        np.ones(population.schools.count),
    )


def unsettled(world: World, state: State, setting: Setting, suspensions: Ints) -> State:
    """Return the state after suspensions have unsettled the others of their year group, in some worlds.

    Parameters
    ----------
    world : World
        How much they do.
    state : State
        Of all pupils on a roll.
    setting : Setting
        Of the same pupils.
    suspensions : int array of shape (n_rows,)
        Suspensions of the half-term.

    Returns
    -------
    State
        Pressure rises where a year group of a school had more suspensions per pupil than usual, and
        falls where it had fewer.
    """
    if not world.contagion or not len(suspensions):
        return state
    key = state.school * (GROUPS + 1) + setting.stage
    rate = np.bincount(key, suspensions) / np.maximum(np.bincount(key), 1)
    excess = np.minimum(rate - suspensions.mean(), MOST_EXCESS)
    return replace(state, pressure=state.pressure + world.contagion * excess[key])


def step(
    population: Population,
    rows: Ints,
    state: State,
    setting: Setting,
    suspensions: Ints,
    rng: np.random.Generator,
) -> State:
    """Carry latent states over a half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils of the state.
    state : State
        Before the half-term.
    setting : Setting
        Of the half-term.
    suspensions : int array of shape (n_rows,)
        Suspensions in it.
    rng : Generator
        Source of randomness.

    Returns
    -------
    State
        Before the next one. Suspensions add to both states, support lowers pressure, and the moves
        to Year 7 and to another school unsettle. What else happens is the world's.

    Examples
    --------
    >>> from riskmodel.simulate.population import make_population
    >>> rng = np.random.default_rng(0)
    >>> population = make_population(120, 1, "england", rng)
    >>> rows, state = np.arange(120), start_state(population, rng, half_term=0)
    >>> setting = groups_of(population, rows, 0)
    >>> step(population, rows, state, setting, np.full(120, 2), rng).recent[:3].tolist()
    [2.0, 2.0, 2.0]
    """
    noise = rng.standard_normal((2, len(rows))) * NOISE * np.sqrt(1 - PERSISTENCE**2)
    now = population.first_group[rows] + state.half_term // 6
    moves_up = ((now == 6) & ((state.half_term + 1) % 6 == 0)) & ~population.special[rows]
    hurt = 0.05 * np.minimum(suspensions, 4) + 0.25 * moves_up
    relief = SUPPORT * (1 - PERSISTENCE) * setting.supported
    pressure = _towards(population.pressure_mean[rows], state.pressure)
    disengagement = _towards(population.disengagement_mean[rows], state.disengagement)
    return replace(
        state,
        pressure=pressure + noise[0] + hurt - relief,
        disengagement=disengagement + 0.5 * noise[0] + noise[1] + hurt,
        recent=FADING * state.recent + suspensions,
        school=np.where(moves_up, population.secondary[rows], state.school),
        half_term=state.half_term + 1,
        crisis=_crises(population.world, state.crisis, rng),
        heads=_new_heads(population.world, state, rng),
    )


def _crises(world: World, crisis: Floats, rng: np.random.Generator) -> Floats:
    """Return what is left of crises, and those that begin."""
    if not world.shock_chance:
        return crisis
    begins = rng.random(len(crisis)) < world.shock_chance
    return np.where(begins, 1.0, CRISIS_FADING * crisis)


def _new_heads(world: World, state: State, rng: np.random.Generator) -> Floats:
    """Return the factors of the heads; new ones come at the end of a school year."""
    if not world.new_heads or (state.half_term + 1) % 6:
        return state.heads
    comes = rng.random(len(state.heads)) < world.new_heads
    factor = np.where(rng.random(len(state.heads)) < 0.5, 0.5, 2.0)
    return np.clip(np.where(comes, factor * state.heads, state.heads), *HEADS)


def _towards(mean: Floats, value: Floats) -> Floats:
    """Return latent states a half-term nearer to each pupil's own mean."""
    return mean + PERSISTENCE * (value - mean)
