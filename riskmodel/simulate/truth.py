"""The chances behind a life: each pupil's true risk on every snapshot day, nothing later known.

In:  the population, the calendar, what happened.
Out: one row per outcome, pupil and snapshot day.

The truth is the probability given everything up to the day, latent states included. The half-terms
after it are drawn many times with the simulator's own transitions: circumstances and needs of later
school years, crises, heads, moves, suspensions. Chances are averaged over these futures, not events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from operator import attrgetter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.outcomes import HALF_TERMLY, outcome_of
from riskmodel.progress import track
from riskmodel.simulate import behaviour
from riskmodel.simulate.behaviour import Factors, Setting, State
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.destinations import neet_chance
from riskmodel.simulate.exits import exit_chances, moved, moves
from riskmodel.simulate.life import Life
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints

__all__ = ["N_FUTURES", "true_risks"]

N_FUTURES = 16
"""Futures averaged for a true risk."""

YEAR = 6
"""Half-terms in a school year."""

SNAPSHOTS = (HALF_TERMLY[-1], *HALF_TERMLY[:-1])
"""Month and day of the snapshot after each half-term; the first half-term is autumn's."""


LONGEST = 3 * YEAR
"""Half-terms from the first list on which a pupil's NEET risk stands to the end of Year 11."""


@dataclass(frozen=True)
class _Day:
    """What is known on the day of a list.

    ``exclusion`` and ``neet`` show for every pupil of the LA whether they are in those cohorts.
    """

    life: Life
    state: State
    exclusion: NDArray[np.bool_]
    neet: NDArray[np.bool_]
    preset: Preset


@dataclass(frozen=True)
class _Sums:
    """Sums over futures, one per pupil of the LA: chances of each end, and of staying until Year 11 ends."""

    excluded: Floats
    left: Floats
    neet: Floats
    finished: Floats


def true_risks(
    population: Population,
    calendar: SchoolCalendar,
    life: Life,
    names: NDArray[np.object_],
    preset: Preset,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return each pupil's true risk on every snapshot day: what is latent known, what is later not.

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
        in the winter after Year 11, given that the pupil is on roll until then.
    """
    days = [_day(population, calendar, life, number, preset) for number in range(len(life.states))]
    sums = [_Sums(*np.zeros((4, len(population)))) for _ in days]
    futures = list(product(range(0, len(days), YEAR), range(N_FUTURES)))
    for first, _ in track(futures, "Working out true risks"):
        drawn = population.redrawn(first, rng)
        for number in range(first, first + YEAR):
            _add_future(sums[number], days[number], drawn, rng)
    parts = [
        _truths(outcome, day, total, names, calendar)
        for day, total in zip(days, sums, strict=True)
        for outcome in RISKS
    ]
    return pd.concat(parts, ignore_index=True)


def _day(
    population: Population, calendar: SchoolCalendar, life: Life, number: int, preset: Preset
) -> _Day:
    """Return what is known on the snapshot after a half-term."""
    exclusion, neet = _listed(population, calendar, life, number)
    return _Day(life, life.states[number], exclusion, neet, preset)


def _listed(
    population: Population, calendar: SchoolCalendar, life: Life, number: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return who is in the cohorts of exclusion and of NEET on the snapshot after a half-term."""
    last_day = np.flatnonzero(calendar.half_term == number)[-1]
    group = population.first_group + number // YEAR
    on_roll = (life.exit_day > last_day) & (population.arrives <= number)
    finished = (life.reason == "completed") & (group == 11) & (number % YEAR == 5)
    return on_roll & _of_age(group, "pex"), (on_roll | finished) & _of_age(group, "neet")


def _of_age(group: Ints, outcome: str) -> NDArray[np.bool_]:
    """Return who is in an outcome's year groups."""
    first, last = outcome_of(outcome).year_groups
    return (group >= first) & (group <= last)


def _truths(
    outcome: str, day: _Day, sums: _Sums, names: NDArray[np.object_], calendar: SchoolCalendar
) -> pd.DataFrame:
    """Return the true risks of one outcome on one day."""
    listed, risk_of = RISKS[outcome]
    rows, risk = np.flatnonzero(listed(day)), risk_of(day, sums)
    number = day.state.half_term - 1
    year = calendar.first_year + number // YEAR + (number % YEAR >= 1)
    as_of = pd.Timestamp(year, *SNAPSHOTS[number % YEAR]).as_unit("s")
    columns = {"outcome": outcome, "pupil_id": names[rows], "as_of": as_of}
    return pd.DataFrame(columns | {"risk": risk[rows]})


def _exclusion(day: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of exclusion, given that nothing else ends the year."""
    return np.asarray(sums.excluded / np.maximum(N_FUTURES - sums.left, 1e-9))


def _neet(day: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of NEET; that of those who have finished is settled."""
    risk = sums.neet / np.maximum(sums.finished, 1e-9)
    for leavers in day.life.leavers[: day.state.half_term // YEAR]:
        risk[leavers.pupil] = leavers.neet
    return np.asarray(risk)


RISKS: dict[str, tuple[Callable[[_Day], NDArray[np.bool_]], Callable[[_Day, _Sums], Floats]]] = {
    "pex": (attrgetter("exclusion"), _exclusion),
    "neet": (attrgetter("neet"), _neet),
}
"""Outcome → who is in its cohort on a day, and every pupil's risk."""


def _add_future(sums: _Sums, day: _Day, population: Population, rng: np.random.Generator) -> None:
    """Draw one future of all pupils together, and add its chances to the sums."""
    first = day.state.half_term
    rows = np.flatnonzero(day.exclusion | day.neet)
    state, stays = day.state.take(rows), np.ones(len(rows))
    factors = {event: [f.copy() for f in now] for event, now in day.life.factors[first - 1].items()}
    for half_term in range(first, first + LONGEST):
        soon = half_term < first + YEAR
        if half_term in (first, first + YEAR) or half_term % YEAR == 0:
            group = population.first_group[rows] + half_term // YEAR
            goes_on = np.flatnonzero((group < GROUPS) & (soon | day.neet[rows]))
            rows, state, stays = rows[goes_on], state.take(goes_on), stays[goes_on]
            setting = behaviour.groups_of(population, rows, half_term)
        susp, pex, leaves = _expected(
            day, population, state, setting, factors, stays if soon else None
        )
        if soon:
            sums.excluded[rows] += stays * pex
            sums.left[rows] += stays * (1 - pex) * leaves
        stays = stays * (1 - pex) * (1 - leaves)
        if half_term % YEAR == YEAR - 1:
            last = population.first_group[rows] + half_term // YEAR == GROUPS - 1
            chance = neet_chance(population, rows[last], state.away[last], day.life.neet)
            sums.neet[rows[last]] += stays[last] * chance
            sums.finished[rows[last]] += stays[last]
        state = _after(population, rows, state, setting, rng.poisson(susp), rng)


def _expected(
    day: _Day,
    population: Population,
    state: State,
    setting: Setting,
    factors: Factors,
    here: Floats | None,
) -> tuple[Floats, Floats, Floats]:
    """Return suspensions expected, and the chances of exclusion and of leaving, in a half-term."""
    chance = behaviour.chances(population, state, setting, factors, preset=day.preset, here=here)
    years_left = max(0.0, (len(day.life.states) - 1 - state.half_term) / YEAR)
    leaves = sum(exit_chances(state, years_left, day.preset).values())
    return chance["susp"], chance["pex"], np.minimum(leaves, 0.9)


def _after(
    population: Population,
    rows: Ints,
    state: State,
    setting: Setting,
    suspensions: Ints,
    rng: np.random.Generator,
) -> State:
    """Return the state after a half-term of which the suspensions are drawn."""
    mover, school, _ = moves(population, rows, state, np.ones(len(rows), dtype=bool), rng)
    state = moved(state, mover, school)
    state = behaviour.unsettled(population.world, state, setting, suspensions)
    return behaviour.step(population, rows, state, setting, suspensions, rng)
