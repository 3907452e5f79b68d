"""The life of an LA, half-term by half-term.

In:  the population, the calendar, a preset.
Out: :class:`Life`: what happened to every pupil.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from riskmodel.progress import track
from riskmodel.simulate import behaviour
from riskmodel.simulate.behaviour import Factors, Setting, State
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.destinations import (
    NeetLevels,
    neet_chance,
    neet_levels,
    not_known_chance,
)
from riskmodel.simulate.exits import exit_chances, moved, moves
from riskmodel.simulate.parameters import Preset, parameters_under
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints
from riskmodel.simulate.worlds import UNRECORDED_YEARS, World

__all__ = ["NEVER", "Leavers", "Life", "live", "mean_suspension_days", "recorded_share"]

BURN_IN = 6
"""Half-terms lived before the data begin, so that histories differ from the first day."""

LIMIT = 45
"""Days a pupil may be suspended in a school year (DfE, Suspension and permanent exclusion guidance)."""

FITTED_LENGTHS = {"1": 44.0, "4": 2.5, "5": 13.5}
"""Percent of suspensions drawn with these days, so that the published shares remain where the limit
and the next suspension cut some short. Fitted with ``benchmarks/calibration.py``."""

TO_AP = 0.8
"""Share of the permanently excluded who are soon on the roll of alternative provision; chosen."""

NEVER = 10**6

Events = dict[str, Ints]
"""Columns of events: arrays of shape (n_events,)."""


@dataclass(frozen=True)
class _Given:
    """What a life starts from, and its source of randomness."""

    population: Population
    calendar: SchoolCalendar
    preset: Preset
    rng: np.random.Generator


@dataclass(frozen=True)
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
    suspended: Events = field(default_factory=dict)
    rolls: Events = field(default_factory=dict)
    leavers: list[Leavers] = field(default_factory=list)


def live(
    population: Population, calendar: SchoolCalendar, preset: Preset, rng: np.random.Generator
) -> Life:
    """Simulate the half-terms.

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
    given = _Given(population, calendar, preset, rng)
    everyone = np.arange(len(population))
    state = behaviour.start_state(population, rng, half_term=-BURN_IN)
    life, factors = _unlived(population, state, preset), behaviour.start_factors()
    incidents: list[Events] = []
    rolls: list[Events] = []
    for number in track(range(-BURN_IN, len(calendar.starts)), "Simulating half-terms"):
        rows = np.flatnonzero(_is_here(population, life, number))
        setting = behaviour.groups_of(population, rows, number)
        chance = behaviour.chances(
            population, state.take(rows), setting, factors, preset=preset, here=np.ones(len(rows))
        )
        n_suspensions = np.zeros(len(population), dtype=np.int64)
        n_suspensions[rows] = rng.poisson(chance["susp"])
        if number >= 0:
            _remember(life, state, factors)
            state, events, to = _happen(given, life, rows, state, n_suspensions, chance["pex"])
            incidents += events
            rolls.append(to)
        state = _unsettled(population, rows, state, setting, n_suspensions)
        # every pupil's state is carried on, on a roll or not, so that all draws stay in step
        setting = behaviour.groups_of(population, everyone, number)
        state = behaviour.step(population, everyone, state, setting, n_suspensions, rng)
        if number >= 0:
            life.states.append(state)
    life.suspended = _recorded(given, _within_the_law(_joined(incidents), life, calendar))
    life.rolls = _joined(rolls)
    return life


def _unlived(population: Population, state: State, preset: Preset) -> Life:
    """Return a life in which nothing has happened yet."""
    n, older = len(population), np.flatnonzero(population.first_group >= 7)
    return Life(
        exit_day=np.full(n, NEVER),
        back_day=np.full(n, NEVER),
        reason=np.full(n, None, object),
        neet=neet_levels(population, older, state.away[older], preset),
    )


def _is_here(population: Population, life: Life, number: int) -> NDArray[np.bool_]:
    """Return which pupils are on a roll at the start of a half-term."""
    group = population.first_group + number // 6
    of_age = (group >= 0) & (group < GROUPS)
    return of_age & (population.arrives <= max(number, 0)) & (life.exit_day == NEVER)


def _unsettled(
    population: Population, rows: Ints, state: State, setting: Setting, n_suspensions: Ints
) -> State:
    """Return the state after suspensions have unsettled others; ``setting`` is of the rows, on a roll."""
    now = behaviour.unsettled(population.world, state.take(rows), setting, n_suspensions[rows])
    pressure = state.pressure.copy()
    pressure[rows] = now.pressure
    return replace(state, pressure=pressure)


def _remember(life: Life, state: State, factors: Factors) -> None:
    """Keep the latent state and the factors of a half-term."""
    life.disengagement.append(state.away.astype(np.float32))
    life.factors.append({event: [f.copy() for f in found] for event, found in factors.items()})


def _happen(
    given: _Given, life: Life, rows: Ints, state: State, n_suspensions: Ints, pex: Floats
) -> tuple[State, list[Events], Events]:
    """Return the state after a half-term, its suspensions and exclusions, and its moves."""
    number = state.half_term
    days = np.flatnonzero(given.calendar.half_term == number)
    incidents = [
        _suspend(n_suspensions, state, days, given.rng),
        _exclude(life, rows, pex, state, days, given.rng),
    ]
    _leave(given, life, rows, state, days)
    if number % 6 == 5:
        _finish(given, life, rows[given.population.first_group[rows] + number // 6 == 11], state)
    state, to = _move(given, life, rows, state, days)
    return state, incidents, to


def _events(pupil: Ints, day: Ints, days: Ints, state: State) -> Events:
    """Return events of the pupils' schools."""
    return {"pupil": pupil, "day": day, "days": days, "school": state.school[pupil]}


def _suspend(n_suspensions: Ints, state: State, days: Ints, rng: np.random.Generator) -> Events:
    """Return the suspensions of a half-term; two on one day are one."""
    pupil = np.repeat(np.arange(len(n_suspensions)), n_suspensions)
    index = _spread_over(n_suspensions, len(days) - 2, rng)
    lengths, shares = _length_shares()
    length = _cut_short(rng.choice(lengths, len(pupil), p=shares), pupil, index)
    keep = np.append(True, (np.diff(pupil) != 0) | (np.diff(index) != 0))[: len(pupil)]
    return _events(pupil[keep], days[index[keep]], length[keep], state)


def _spread_over(counts: Ints, room: int, rng: np.random.Generator) -> Ints:
    """Return the days of each pupil's suspensions, spread over the half-term's ``room`` days."""
    order = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (order + rng.random(len(order))) / np.maximum(np.repeat(counts, counts), 1)
    return (share * room).astype(np.int64)


def _length_shares() -> tuple[Ints, Floats]:
    """Return lengths of suspensions in days, and the share of each."""
    published = parameters_under("susp.length") | FITTED_LENGTHS
    shares = np.array(list(published.values()))
    between = np.arange(6, 10)  # what the published lengths leave is spread over 6 to 9 days
    lengths = np.append(np.array([int(days) for days in published]), between)
    shares = np.append(shares, np.full(4, max(0.0, 100 - shares.sum()) / 4))
    return lengths, shares / shares.sum()


@cache
def mean_suspension_days() -> float:
    """Return the mean length of a suspension in school days, before any is cut short.

    Returns
    -------
    float
        School days.

    Examples
    --------
    >>> 2 < mean_suspension_days() < 3
    True
    """
    lengths, shares = _length_shares()
    return float(lengths @ shares)


def _cut_short(length: Ints, pupil: Ints, index: Ints) -> Ints:
    """Return lengths that end before the pupil's next suspension begins; one day at least."""
    gap = np.append(np.diff(index), NEVER)
    last = np.append(np.diff(pupil) != 0, True)
    return np.where(last, length, np.minimum(length, np.maximum(gap, 1)))


def _exclude(
    life: Life, rows: Ints, chance: Floats, state: State, days: Ints, rng: np.random.Generator
) -> Events:
    """Return permanent exclusions; most of the pupils start at alternative provision later."""
    pupil = rows[rng.random(len(rows)) < chance]
    day = rng.choice(days[1:-6], len(pupil))
    life.exit_day[pupil] = day + 5
    life.reason[pupil] = "permanently_excluded"
    to_ap = rng.random(len(pupil)) < TO_AP
    life.back_day[pupil[to_ap]] = days[-1] + 1
    return _events(pupil, day, np.zeros(len(pupil), np.int64), state)


def _leave(given: _Given, life: Life, rows: Ints, state: State, days: Ints) -> None:
    """Record who leaves for other reasons."""
    years_left = (len(given.calendar.starts) - 1 - state.half_term) / 6
    chances = exit_chances(state.take(rows), years_left, given.preset)
    for reason, chance in chances.items():
        draw = given.rng.random(len(rows)) < chance
        pupil = rows[draw & (life.exit_day[rows] == NEVER)]
        life.exit_day[pupil] = given.rng.choice(days[-8:], len(pupil))
        life.reason[pupil] = reason


def _finish(given: _Given, life: Life, rows: Ints, state: State) -> None:
    """Record the end of Year 11, and each leaver's chances of NEET and of not known."""
    pupil = rows[life.exit_day[rows] == NEVER]
    year = given.calendar.first_year + state.half_term // 6 + 1
    life.exit_day[pupil] = np.searchsorted(given.calendar.days, np.datetime64(f"{year}-06-27"))
    life.reason[pupil] = "completed"
    away = state.away[pupil]
    neet = neet_chance(given.population, pupil, away, life.neet)
    not_known = not_known_chance(given.population, pupil, away, given.preset)
    life.leavers.append(Leavers(pupil, neet, not_known))


def _move(given: _Given, life: Life, rows: Ints, state: State, days: Ints) -> tuple[State, Events]:
    """Return the state after moves to other schools at the end of a half-term, and the moves."""
    stays = np.zeros(len(given.population), dtype=bool)
    stays[rows] = life.exit_day[rows] == NEVER
    everyone = np.arange(len(given.population))
    pupil, school, managed = moves(given.population, everyone, state, stays, given.rng)
    day = np.full(len(pupil), days[-1])
    moves_of = {"pupil": pupil, "day": day, "school": school, "managed": managed.astype(np.int64)}
    return moved(state, pupil, school), moves_of


def _joined(parts: list[Events]) -> Events:
    """Return the events of all half-terms."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _within_the_law(events: Events, life: Life, calendar: SchoolCalendar) -> Events:
    """Return events without suspensions after an exit or beyond the limit of a school year."""
    gone = events["day"] >= life.exit_day[events["pupil"]]
    keep = ~gone | (events["days"] == 0)
    key = events["pupil"] * 100 + calendar.half_term[events["day"]] // 6
    days = _shortened(events["days"], keep, key)
    keep &= _within_limit(np.where(keep, days, 0), key, events["day"])
    return {name: values[keep] for name, values in (events | {"days": days}).items()}


def _recorded(given: _Given, events: Events) -> Events:
    """Return the events that are recorded: some suspensions are held inside school in some worlds."""
    if not given.population.world.unrecorded:
        return events
    half_term = given.calendar.half_term[events["day"]]
    share = recorded_share(given.population.world, half_term, len(given.calendar.starts))
    keep = (events["days"] == 0) | (given.rng.random(len(share)) >= 1 - share)
    return {name: values[keep] for name, values in events.items()}


def recorded_share(world: World, half_term: Ints, n_half_terms: int) -> Floats:
    """Return the share of suspensions that are recorded, not held inside school.

    Parameters
    ----------
    world : World
        How many are held inside school.
    half_term : int array of shape (n,)
        Numbers of half-terms; those after the data are like the last.
    n_half_terms : int
        Half-terms of the data.

    Returns
    -------
    float array of shape (n,)
        1 where all are recorded.

    Examples
    --------
    >>> from riskmodel.simulate.worlds import WORLDS
    >>> recorded_share(WORLDS["policy"], np.array([0, 23]), 24).tolist()
    [1.0, 0.5]
    """
    years_left = n_half_terms // 6 - half_term // 6
    return np.where(years_left > UNRECORDED_YEARS, 1.0, 1.0 - world.unrecorded)


def _shortened(days: Ints, keep: NDArray[np.bool_], key: Ints) -> Ints:
    """Return shorter suspensions near the limit; ``key`` is the pupil and school year."""
    _, index = np.unique(key, return_inverse=True)
    in_year = np.bincount(index, np.where(keep, days, 0))
    short = np.minimum(1.0, LIMIT / np.maximum(in_year, 1))[index]
    return np.where(days == 0, 0, np.maximum((days * short).astype(np.int64), 1))


def _within_limit(days: Ints, key: Ints, day: Ints) -> NDArray[np.bool_]:
    """Return which suspensions end within the limit, counted in order in each ``key``."""
    order = np.lexsort((day, key))
    days, key = days[order], key[order]
    so_far = np.cumsum(days)
    first = np.append(True, np.diff(key) != 0)
    before = np.maximum.accumulate(np.where(first, so_far - days, 0))
    within = np.empty(len(order), dtype=bool)
    within[order] = so_far - before <= LIMIT
    return within
