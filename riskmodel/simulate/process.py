"""What happens in a half-term: pressure, suspensions, exclusion, exits.

In:  the state of every pupil.
Out: chances of what may happen, what did, and the state after; repeated forwards from any state, the
true risk of every pupil.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import PEX_BY_YEAR, SEASON, SUSPENSIONS_BY_YEAR, parameter
from riskmodel.simulate.population import Population

__all__ = ["Chances", "State", "chances", "neet_chance", "start_state", "step", "true_pex_risk"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PERSISTENCE = 0.8
"""Share of a latent state that is carried over a half-term."""

N_FUTURES = 16
"""Futures averaged for a true risk; each adds chances, not events, so few are enough."""

EXITS = {
    "left_area": (0.003, 0.0),
    "home_educated": (0.0006, 0.7),
    "destination_unknown": (0.0006, 0.8),
}
"""Chance of leaving in a half-term for an average pupil, and how it grows with pressure; chosen."""


@dataclass(frozen=True)
class State:
    """Every pupil at the start of a half-term.

    Attributes
    ----------
    pressure, disengagement : float arrays of shape (n_pupils,)
        Latent states.
    recent : float array of shape (n_pupils,)
        Suspensions so far, those of older half-terms counting less.
    school : int array of shape (n_pupils,)
        School number.
    active : bool array of shape (n_pupils,)
        On a mainstream roll.
    half_term : int
        Number of the half-term to come.
    """

    pressure: Floats
    disengagement: Floats
    recent: Floats
    school: Ints
    active: NDArray[np.bool_]
    half_term: int


@dataclass(frozen=True)
class Chances:
    """Chances of every pupil in a half-term.

    Attributes
    ----------
    suspensions : float array of shape (n_pupils,)
        Expected number.
    pex : float array of shape (n_pupils,)
        Probability.
    exits : dict of str to float array
        Probability by leaving reason.
    """

    suspensions: Floats
    pex: Floats
    exits: dict[str, Floats]


def year_groups(population: Population, half_term: int) -> Ints:
    """Return the year group of every pupil in a half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    half_term : int
        Number from 0.

    Returns
    -------
    int array of shape (n_pupils,)
        May lie outside 0 to 11.
    """
    return population.first_group + half_term // 6


def start_state(population: Population, rng: np.random.Generator) -> State:
    """Draw the state before the first half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    rng : Generator
        Source of randomness.

    Returns
    -------
    State
        At its long-run spread.
    """
    n = len(population.first_group)
    group = year_groups(population, 0)
    noise = 0.5 * rng.standard_normal((2, n))
    return State(
        population.pressure_mean + noise[0],
        population.disengagement_mean + 0.4 * noise[0] + noise[1],
        np.zeros(n),
        np.where(group >= 7, population.secondary, population.primary),
        (group >= 0) & (group <= 11),
        0,
    )


def chances(population: Population, state: State, preset: str) -> Chances:
    """Return the chances of the half-term to come.

    Parameters
    ----------
    population : Population
        Pupils.
    state : State
        Before the half-term.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    Chances
        Levels of each phase as published, spread over pupils by pressure, recent suspensions, year
        group and the school's culture.
    """
    group = np.clip(year_groups(population, state.half_term), 0, 11)
    culture = population.culture[state.school]
    unmet = (population.need >= 0) & (group < population.found_group)
    push = state.pressure + 0.4 * unmet
    often = SUSPENSIONS_BY_YEAR[group] * np.exp(1.1 * push) * (0.6 + state.recent) * culture
    hard = (
        PEX_BY_YEAR[group] * np.exp(1.25 * push) * (0.25 + np.minimum(state.recent, 4.0))
        * culture * population.severity[state.school]
    )  # fmt: skip
    season = SEASON[state.half_term % 6] / 6 / 100
    suspensions, pex = np.zeros(len(group)), np.zeros(len(group))
    for phase, inside in (("primary", group < 7), ("secondary", group >= 7)):
        here = inside & state.active
        if not here.any():
            continue
        for weight, name, chance in ((often, "suspensions", suspensions), (hard, "pex", pex)):
            level = parameter(f"{preset}.{name}.{phase}") * season
            chance[here] = level * weight[here] / weight[here].mean()
    away = {
        reason: np.minimum(base * np.exp(slope * (push - 0.3) + 0.3 * (state.recent > 1)), 0.3)
        * state.active
        for reason, (base, slope) in EXITS.items()
    }
    return Chances(np.minimum(suspensions, 4.0), np.minimum(pex, 0.4), away)


def step(
    population: Population, state: State, n_suspensions: Ints, rng: np.random.Generator
) -> State:
    """Carry latent states over a half-term, and pupils into a new year and phase.

    Parameters
    ----------
    population : Population
        Pupils.
    state : State
        Before the half-term.
    n_suspensions : int array of shape (n_pupils,)
        Suspensions in it.
    rng : Generator
        Source of randomness.

    Returns
    -------
    State
        Before the next one. Suspensions add to pressure; a move to Year 7 unsettles.
    """
    n = len(n_suspensions)
    noise = rng.standard_normal((2, n)) * 0.5 * np.sqrt(1 - PERSISTENCE**2)
    now, then = (
        year_groups(population, state.half_term),
        year_groups(population, state.half_term + 1),
    )
    moves_up = (now == 6) & (then == 7)
    pressure = (
        population.pressure_mean + PERSISTENCE * (state.pressure - population.pressure_mean)
        + noise[0] + 0.06 * n_suspensions + 0.2 * moves_up
    )  # fmt: skip
    disengagement = (
        population.disengagement_mean
        + PERSISTENCE * (state.disengagement - population.disengagement_mean)
        + 0.4 * noise[0] + noise[1] + 0.08 * n_suspensions + 0.2 * moves_up
    )  # fmt: skip
    starts = (now == -1) & (then == 0)
    return State(
        pressure,
        disengagement,
        0.7 * state.recent + n_suspensions,
        np.where(moves_up, population.secondary, state.school),
        (state.active | starts) & (then <= 11),
        state.half_term + 1,
    )


def true_pex_risk(
    population: Population, state: State, preset: str, rng: np.random.Generator
) -> Floats:
    """Return the chance of a permanent exclusion in the next six half-terms.

    Parameters
    ----------
    population : Population
        Pupils.
    state : State
        On the day, latent states included.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    float array of shape (n_pupils,)
        Given everything, of those who do not leave first for other reasons; averaged over futures.
    """
    n = len(state.pressure)
    excluded, left = np.zeros(n), np.zeros(n)
    for _ in range(N_FUTURES):
        future, stays = state, np.ones(n)
        for _ in range(6):
            chance = chances(population, future, preset)
            leaves = np.minimum(sum(chance.exits.values()), 0.9)
            excluded += stays * chance.pex
            left += stays * (1 - chance.pex) * leaves
            stays = stays * (1 - chance.pex) * (1 - leaves)
            future = step(population, future, rng.poisson(chance.suspensions), rng)
    return excluded / np.maximum(N_FUTURES - left, 1e-9)


def neet_chance(population: Population, disengagement: Floats, pressure: Floats) -> Floats:
    """Return the chance of being NEET in the winter after Year 11.

    Parameters
    ----------
    population : Population
        Pupils.
    disengagement, pressure : float arrays of shape (n_pupils,)
        Latent states at the end of Year 11.

    Returns
    -------
    float array of shape (n_pupils,)
        Probability; the average is the published level.
    """
    score = (
        1.0 * disengagement + 0.3 * pressure - 0.5 * population.ability + 0.5 * (population.need >= 0)
        + 0.4 * population.fsm
    )  # fmt: skip
    low, high = -12.0, 4.0
    for _ in range(40):  # the intercept that gives the published level
        middle = (low + high) / 2
        if np.mean(1 / (1 + np.exp(-(middle + score)))) > parameter("neet") / 100:
            high = middle
        else:
            low = middle
    return np.asarray(1 / (1 + np.exp(-(low + score))))
