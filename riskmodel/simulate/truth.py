"""The chances behind a life: each pupil's true risk on every snapshot day.

In:  the population, the calendar, what happened.
Out: one row per outcome, pupil and snapshot day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.outcomes import HALF_TERMLY, outcome_of
from riskmodel.progress import track
from riskmodel.simulate import behaviour
from riskmodel.simulate.behaviour import Setting, State
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.destinations import neet_chance
from riskmodel.simulate.exits import exit_chances
from riskmodel.simulate.life import Life
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints

__all__ = ["true_risks"]

N_FUTURES = 6
"""Futures averaged for a true risk; each adds chances, not events, so few are enough."""

SNAPSHOTS = (HALF_TERMLY[-1], *HALF_TERMLY[:-1])
"""Month and day of the snapshot after each half-term; the first half-term is autumn's."""


def true_risks(
    population: Population,
    calendar: SchoolCalendar,
    life: Life,
    names: NDArray[np.object_],
    preset: Preset,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return each pupil's true risk on every snapshot day, latent state known.

    Parameters
    ----------
    population : Population
        Pupils and schools.
    calendar : SchoolCalendar
        School days.
    life : Life
        What happened.
    names : object array of shape (n_pupils,)
        ``pupil_id`` of each pupil.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        ``outcome``, ``pupil_id``, ``as_of``, ``risk``: permanent exclusion within six half-terms,
        given that the pupil does not leave first for other reasons (Year 11 leavers finish); NEET
        in the winter after Year 11.
    """
    parts = []
    seeds = rng.spawn(len(life.states))
    for number, state in track(list(enumerate(life.states)), "Working out true risks"):
        pex, neet = _listed(population, calendar, life, number)
        year = calendar.first_year + number // 6 + (number % 6 >= 1)
        as_of = pd.Timestamp(year, *SNAPSHOTS[number % 6]).as_unit("s")
        for outcome, rows, risk in (
            ("pex", pex, _pex_risk(population, life, pex, state, preset, seeds[number])),
            ("neet", neet, _neet_risk(population, life, neet, state)),
        ):
            columns = {"outcome": outcome, "pupil_id": names[rows], "as_of": as_of, "risk": risk}
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _listed(
    population: Population, calendar: SchoolCalendar, life: Life, number: int
) -> tuple[Ints, Ints]:
    """Return the cohorts of exclusion and of NEET on the snapshot after a half-term."""
    last_day = np.flatnonzero(calendar.half_term == number)[-1]
    group = population.first_group + number // 6
    on_roll = (life.exit_day > last_day) & (population.arrives <= number)
    finished = (life.reason == "completed") & (group == 11) & (number % 6 == 5)
    return _in_cohort(on_roll, group, "pex"), _in_cohort(on_roll | finished, group, "neet")


def _in_cohort(listed: NDArray[np.bool_], group: Ints, outcome: str) -> Ints:
    """Return the pupils of an outcome's year groups among those who could be listed."""
    first, last = outcome_of(outcome).year_groups
    return np.flatnonzero(listed & (group >= first) & (group <= last))


def _pex_risk(
    population: Population,
    life: Life,
    rows: Ints,
    state: State,
    preset: Preset,
    rng: np.random.Generator,
) -> Floats:
    """Return the mean chance of exclusion over futures; they end early where Year 11 does."""
    tiled = np.tile(rows, N_FUTURES)
    future, stays = state.take(tiled), np.ones(len(tiled))
    excluded, left = np.zeros(len(tiled)), np.zeros(len(tiled))
    for _ in range(6):
        setting = behaviour.groups_of(population, tiled, future.half_term)
        susp, pex, leaves = _ahead(population, life, tiled, future, setting, preset)
        excluded += stays * pex
        left += stays * (1 - pex) * leaves
        stays = stays * (1 - pex) * (1 - leaves)
        future = behaviour.step(population, tiled, future, setting, rng.poisson(susp), rng)
    excluded, left = (part.reshape(N_FUTURES, len(rows)).sum(axis=0) for part in (excluded, left))
    return np.asarray(excluded / np.maximum(N_FUTURES - left, 1e-9))


def _ahead(
    population: Population, life: Life, rows: Ints, state: State, setting: Setting, preset: Preset
) -> tuple[Floats, Floats, Floats]:
    """Return suspensions expected, and the chances of exclusion and of leaving, in a half-term."""
    number = state.half_term
    factors = life.factors[number if number < len(life.factors) else number - 6]
    chance = behaviour.chances(population, state, setting, factors, preset=preset, raked=False)
    at_school = population.first_group[rows] + number // 6 < GROUPS
    years_left = max(0.0, (len(life.states) - 1 - number) / 6)
    exits = exit_chances(state, years_left, preset)
    leaves = np.minimum(sum(exits.values()), 0.9) * at_school
    return chance["susp"], chance["pex"] * at_school, leaves


def _neet_risk(population: Population, life: Life, rows: Ints, state: State) -> Floats:
    """Return the chance given the expected latent state at the end of Year 11, and its spread."""
    ahead = np.clip(6 * (GROUPS - population.first_group[rows]) - state.half_term, 0, 24)
    carry = behaviour.PERSISTENCE**ahead
    mean = population.disengagement_mean[rows]
    expected = mean + carry * (state.disengagement[rows] - mean)
    spread: Floats = np.asarray(1.25 * behaviour.NOISE**2 * (1 - carry**2), dtype=np.float64)
    return neet_chance(population, rows, expected, life.neet, spread=spread)
