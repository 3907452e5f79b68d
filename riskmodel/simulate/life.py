"""The life of an LA, half-term by half-term, and what could have come of it.

In:  the population, the calendar, a preset.
Out: :class:`Life`: what happened; :func:`true_risks`: the chance that it would.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.outcomes import HALF_TERMLY, outcome_of
from riskmodel.progress import track
from riskmodel.simulate import behaviour
from riskmodel.simulate.behaviour import Factors, State
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.destinations import (
    NeetLevels,
    neet_chance,
    neet_levels,
    not_known_chance,
)
from riskmodel.simulate.exits import exit_chances, moves
from riskmodel.simulate.parameters import Preset, parameters_under
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints

__all__ = ["NEVER", "Leavers", "Life", "live", "true_risks"]

BURN_IN = 6
"""Half-terms lived before the data begin, so that histories differ from the first day."""

N_FUTURES = 6
"""Futures averaged for a true risk; each adds chances, not events, so few are enough."""

LIMIT = 45
"""Days a pupil may be suspended in a school year (DfE, Suspension and permanent exclusion guidance)."""

SNAPSHOTS = (HALF_TERMLY[-1], *HALF_TERMLY[:-1])
"""Month and day of the snapshot after each half-term; the first half-term is autumn's."""

FITTED_LENGTHS = {"1": 44.0, "4": 2.5, "5": 13.5}
"""Percent of suspensions drawn with these days, so that the published shares remain where the limit
and the next suspension cut some short. Fitted with ``benchmarks/calibration.py``."""

TO_AP = 0.8
"""Share of the permanently excluded who are soon on the roll of alternative provision; chosen."""

NEVER = 10**6


@dataclass
class Leavers:
    """Pupils at the end of Year 11.

    Attributes
    ----------
    pupil : int array of shape (n_leavers,)
        Who.
    neet, not_known : float arrays of shape (n_leavers,)
        Chances.
    """

    pupil: Ints
    neet: Floats
    not_known: Floats


@dataclass
class Life:
    """What happened to every pupil.

    Attributes
    ----------
    states : list of State
        After each half-term.
    disengagement : list of float arrays of shape (n_pupils,)
        Latent state in each half-term.
    factors : list of dict
        Factors of groups in each half-term.
    suspended : dict of str to int array of shape (n_events,)
        ``pupil``, ``day``, ``days`` (0 for permanent), ``school``.
    rolls : dict of str to int array of shape (n_moves,)
        Moves: ``pupil``, ``day``, ``school``, ``managed``.
    exit_day, back_day : int arrays of shape (n_pupils,)
        Last school day on a roll; first one at alternative provision; :data:`NEVER` otherwise.
    reason : object array of shape (n_pupils,)
        Why the last spell ended.
    leavers : list of Leavers
        One per school year.
    neet : list of float arrays of shape (n_groups,)
        Factors of the chance of being NEET.
    """

    exit_day: Ints
    back_day: Ints
    reason: NDArray[np.object_]
    neet: NeetLevels
    states: list[State] = field(default_factory=list)
    disengagement: list[NDArray[np.float32]] = field(default_factory=list)
    factors: list[Factors] = field(default_factory=list)
    suspended: dict[str, Ints] = field(default_factory=dict)
    rolls: dict[str, Ints] = field(default_factory=dict)
    leavers: list[Leavers] = field(default_factory=list)


def live(
    population: Population, calendar: SchoolCalendar, preset: Preset, rng: np.random.Generator
) -> Life:
    """Run the half-terms.

    Parameters
    ----------
    population : Population
        Pupils and schools.
    calendar : SchoolCalendar
        School days.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Life
        What happened.
    """
    n = len(population)
    state = behaviour.start_state(population, rng, half_term=-BURN_IN)
    older = np.flatnonzero(population.first_group >= 7)
    life = Life(
        exit_day=np.full(n, NEVER),
        back_day=np.full(n, NEVER),
        reason=np.full(n, None, object),
        neet=neet_levels(population, older, state.disengagement[older], preset),
    )
    factors = behaviour.start_factors()
    events: list[dict[str, Ints]] = []
    rolls: list[dict[str, Ints]] = []
    here = np.zeros(n, dtype=bool)
    for number in track(range(-BURN_IN, len(calendar.starts)), "Simulating half-terms"):
        group = population.first_group + number // 6
        here = (
            (group >= 0)
            & (group < GROUPS)
            & (population.arrives <= max(number, 0))
            & (life.exit_day == NEVER)
        )
        rows = np.flatnonzero(here)
        setting = behaviour.groups_of(population, rows, number)
        chance = behaviour.chances(
            population, state.take(rows), setting, factors, preset=preset, raked=True
        )
        n_suspensions = np.zeros(n, dtype=np.int64)
        n_suspensions[rows] = rng.poisson(chance["susp"])
        if number >= 0:
            life.disengagement.append(state.disengagement.astype(np.float32))
            life.factors.append({e: [f.copy() for f in made] for e, made in factors.items()})
            days = np.flatnonzero(calendar.half_term == number)
            events.append(_suspend(n_suspensions, state, days, rng))
            events.append(_exclude(life, rows, chance["pex"], state, days, rng))
            _leave(life, rows, state, days, (len(calendar.starts) - 1 - number) / 6, preset, rng)
            if number % 6 == 5:
                _finish(life, population, calendar, rows[group[rows] == 11], state, number, preset)
            stays = here & (life.exit_day == NEVER)
            state = _move(rolls, population, state, stays, days, rng)
        state = _carry(population, state, n_suspensions, rng, number)
        if number >= 0:
            life.states.append(state)
    life.suspended = _within_the_law(_joined(events), life, calendar)
    life.rolls = _joined(rolls)
    return life


def _carry(
    population: Population, state: State, n_suspensions: Ints, rng: np.random.Generator, number: int
) -> State:
    """Carry every pupil's state on, on a roll or not, so that all draws stay in step."""
    rows = np.arange(len(population))
    setting = behaviour.groups_of(population, rows, number)
    return behaviour.step(population, rows, state, setting, n_suspensions, rng)


def _suspend(
    n_suspensions: Ints, state: State, days: Ints, rng: np.random.Generator
) -> dict[str, Ints]:
    """Date the suspensions of a half-term, a pupil's own spread over it."""
    length_share = parameters_under("susp.length") | FITTED_LENGTHS
    lengths, p = np.array([int(d) for d in length_share]), np.array(list(length_share.values()))
    between = np.arange(6, 10)  # what the published lengths leave is spread over 6 to 9 days
    lengths = np.append(lengths, between)
    p = np.append(p, np.full(4, max(0.0, 100 - p.sum()) / 4))
    pupil = np.repeat(np.arange(len(n_suspensions)), n_suspensions)
    count = n_suspensions[pupil]
    order = np.arange(len(pupil)) - np.repeat(
        np.cumsum(n_suspensions) - n_suspensions, n_suspensions
    )
    room = len(days) - 2
    place = ((order + rng.random(len(pupil))) / np.maximum(count, 1) * room).astype(np.int64)
    length = rng.choice(lengths, len(pupil), p=p / p.sum())
    gap = np.append(np.diff(place), NEVER)
    last = np.append(np.diff(pupil) != 0, True)
    length = np.where(last, length, np.minimum(length, np.maximum(gap, 1)))
    keep = np.append(True, ~((np.diff(pupil) == 0) & (np.diff(place) == 0)))[: len(pupil)]
    return {
        "pupil": pupil[keep],
        "day": days[place[keep]],
        "days": length[keep],
        "school": state.school[pupil[keep]],
    }


def _exclude(
    life: Life, rows: Ints, chance: Floats, state: State, days: Ints, rng: np.random.Generator
) -> dict[str, Ints]:
    """Decide who is permanently excluded; most are on the roll of alternative provision later."""
    pupil = rows[rng.random(len(rows)) < chance]
    day = rng.choice(days[1:-6], len(pupil))
    life.exit_day[pupil] = day + 5
    life.reason[pupil] = "permanently_excluded"
    to_ap = rng.random(len(pupil)) < TO_AP
    life.back_day[pupil[to_ap]] = days[-1] + 1
    return {
        "pupil": pupil,
        "day": day,
        "days": np.zeros(len(pupil), np.int64),
        "school": state.school[pupil],
    }


def _leave(
    life: Life,
    rows: Ints,
    state: State,
    days: Ints,
    years_left: float,
    preset: Preset,
    rng: np.random.Generator,
) -> None:
    """Decide who leaves for other reasons."""
    chances = exit_chances(state.take(rows), years_left, preset)
    for reason, chance in chances.items():
        draw = rng.random(len(rows)) < chance
        pupil = rows[draw & (life.exit_day[rows] == NEVER)]
        life.exit_day[pupil] = rng.choice(days[-8:], len(pupil))
        life.reason[pupil] = reason


def _finish(
    life: Life,
    population: Population,
    calendar: SchoolCalendar,
    rows: Ints,
    state: State,
    number: int,
    preset: Preset,
) -> None:
    """End Year 11."""
    pupil = rows[life.exit_day[rows] == NEVER]
    last = np.datetime64(f"{calendar.first_year + number // 6 + 1}-06-27")
    life.exit_day[pupil] = np.searchsorted(calendar.days, last)
    life.reason[pupil] = "completed"
    away = state.disengagement[pupil]
    neet = neet_chance(population, pupil, away, life.neet, spread=np.zeros(len(pupil)))
    life.leavers.append(Leavers(pupil, neet, not_known_chance(population, pupil, away, preset)))


def _move(
    rolls: list[dict[str, Ints]],
    population: Population,
    state: State,
    stays: NDArray[np.bool_],
    days: Ints,
    rng: np.random.Generator,
) -> State:
    """Move some pupils to another school at the end of the half-term, which unsettles them."""
    pupil, school, managed = moves(population, state, stays, rng)
    rolls.append(
        {
            "pupil": pupil,
            "day": np.full(len(pupil), days[-1]),
            "school": school,
            "managed": managed.astype(np.int64),
        }
    )
    now, pressure, away = state.school.copy(), state.pressure.copy(), state.disengagement.copy()
    now[pupil] = school
    pressure[pupil] += 0.15
    away[pupil] += 0.15
    return State(pressure, away, state.recent, now, state.active, state.half_term)


def _joined(parts: list[dict[str, Ints]]) -> dict[str, Ints]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _within_the_law(
    events: dict[str, Ints], life: Life, calendar: SchoolCalendar
) -> dict[str, Ints]:
    """Drop suspensions after an exit, and those beyond the days allowed in a school year."""
    gone = events["day"] >= life.exit_day[events["pupil"]]
    keep = ~gone | (events["days"] == 0)
    year = calendar.half_term[events["day"]] // 6
    key = events["pupil"] * 100 + year
    _, place = np.unique(key, return_inverse=True)
    in_year = np.bincount(place, np.where(keep, events["days"], 0))
    # schools near the limit write shorter suspensions
    short = np.minimum(1.0, LIMIT / np.maximum(in_year, 1))[place]
    trimmed = np.maximum((events["days"] * short).astype(np.int64), 1)
    days = np.where(events["days"] == 0, 0, trimmed)
    events = events | {"days": days}
    order = np.lexsort((events["day"], key))
    days = np.where(keep, days, 0)[order]
    so_far = np.cumsum(days)
    key = key[order]
    first = np.append(True, np.diff(key) != 0)
    before = np.maximum.accumulate(np.where(first, so_far - days, 0))
    keep[order] &= so_far - before <= LIMIT
    return {name: values[keep] for name, values in events.items()}


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
        year = calendar.first_year + number // 6 + (number % 6 >= 1)
        as_of = pd.Timestamp(year, *SNAPSHOTS[number % 6]).as_unit("s")
        last_day = np.flatnonzero(calendar.half_term == number)[-1]
        group = population.first_group + number // 6
        on_roll = (life.exit_day > last_day) & (population.arrives <= number)
        finished = (life.reason == "completed") & (group == 11) & (number % 6 == 5)
        pex = _in_cohort(on_roll, group, "pex")
        neet = _in_cohort(on_roll | finished, group, "neet")
        for outcome, rows, risk in (
            ("pex", pex, _pex_risk(population, life, pex, state, preset, seeds[number])),
            ("neet", neet, _neet_risk(population, life, neet, state)),
        ):
            made = {"outcome": outcome, "pupil_id": names[rows], "as_of": as_of, "risk": risk}
            parts.append(pd.DataFrame(made))
    return pd.concat(parts, ignore_index=True)


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
    """Average the chance of exclusion over futures; they end early where Year 11 does."""
    n = len(rows)
    tiled = np.tile(rows, N_FUTURES)
    future, stays = state.take(tiled), np.ones(len(tiled))
    excluded, left = np.zeros(len(tiled)), np.zeros(len(tiled))
    for _ in range(6):
        number = future.half_term
        setting = behaviour.groups_of(population, tiled, number)
        factors = life.factors[number if number < len(life.factors) else number - 6]
        chance = behaviour.chances(population, future, setting, factors, preset=preset, raked=False)
        at_school = population.first_group[tiled] + number // 6 < GROUPS
        pex = chance["pex"] * at_school
        exits = exit_chances(future, max(0.0, (len(life.states) - 1 - number) / 6), preset)
        leaves = np.minimum(sum(exits.values()), 0.9) * at_school
        excluded += stays * pex
        left += stays * (1 - pex) * leaves
        stays = stays * (1 - pex) * (1 - leaves)
        suspensions = rng.poisson(chance["susp"])
        future = behaviour.step(population, tiled, future, setting, suspensions, rng)
    excluded, left = (part.reshape(N_FUTURES, n).sum(axis=0) for part in (excluded, left))
    return np.asarray(excluded / np.maximum(N_FUTURES - left, 1e-9))


def _neet_risk(population: Population, life: Life, rows: Ints, state: State) -> Floats:
    """Return the chance given the expected latent state at the end of Year 11, and its spread."""
    ahead = np.clip(6 * (GROUPS - population.first_group[rows]) - state.half_term, 0, 24)
    carry = behaviour.PERSISTENCE**ahead
    mean = population.disengagement_mean[rows]
    expected = mean + carry * (state.disengagement[rows] - mean)
    spread: Floats = np.asarray(1.25 * behaviour.NOISE**2 * (1 - carry**2), dtype=np.float64)
    return neet_chance(population, rows, expected, life.neet, spread=spread)
