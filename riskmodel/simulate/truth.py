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
from riskmodel.simulate.absence_ahead import AbsenceAhead, TermDays, term_days
from riskmodel.simulate.attendance import AbsenceScale, absence_setting, learn_scale
from riskmodel.simulate.behaviour import Factors, Setting, State
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.destinations import neet_chance, not_known_chance
from riskmodel.simulate.exits import exit_chances, managed_move_chance, moved, moves
from riskmodel.simulate.life import Leavers, Life, recorded_share
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints
from riskmodel.simulate.worlds import World

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

    ``exclusion`` and ``neet`` show for every pupil of the LA whether they are in those cohorts,
    ``calm`` whether no suspension is on record.
    """

    life: Life
    state: State
    exclusion: NDArray[np.bool_]
    neet: NDArray[np.bool_]
    calm: NDArray[np.bool_]
    preset: Preset
    world: World
    scale: AbsenceScale
    terms: TermDays


class _FirstEnd:
    """Sums over futures: the chances that an event comes within a year, and that neither it nor leaving does.

    ``still`` is the chance, in the future that is being drawn, that neither has come yet.
    """

    def __init__(self, n_pupils: int) -> None:
        self.came, self.stayed = np.zeros((2, n_pupils))
        self.still = np.ones(n_pupils)

    def add(self, rows: Ints, event: Floats, leaving: Floats) -> None:
        """Add the chances of a half-term, given that neither came before; they exclude each other."""
        self.came[rows] += self.still[rows] * event
        self.still[rows] *= 1 - event - leaving

    @property
    def risk(self) -> Floats:
        """Every pupil's risk of the event, given that leaving does not come first."""
        return np.asarray(self.came / np.maximum(self.came + self.stayed, 1e-9))


class _Sums:
    """Sums over futures of one day: first ends of a year, and what Year 11 ends with."""

    def __init__(self, n_pupils: int) -> None:
        self.excluded, self.lost, self.suspended = (_FirstEnd(n_pupils) for _ in range(3))
        self.neet, self.not_known, self.finished = np.zeros((3, n_pupils))
        self.absent, self.there = np.zeros((2, n_pupils))

    def begin(self, day: _Day) -> None:
        """Begin a future."""
        for end in (self.excluded, self.lost):
            end.still[:] = 1.0
        self.suspended.still[:] = day.calm

    def end(self, ahead: AbsenceAhead) -> None:
        """End a future, in which pupils are expected to miss what is ahead."""
        for end in (self.excluded, self.lost, self.suspended):
            end.stayed += end.still
        self.absent += self.excluded.still * ahead.chance()
        self.there += self.excluded.still


@dataclass(frozen=True)
class _Chances:
    """What to expect of pupils in a half-term: suspensions, and the chances of exclusion and of leaving."""

    suspensions: Floats
    excluded: Floats
    leaves: dict[str, Floats]

    @property
    def any_leaving(self) -> Floats:
        """The chance of leaving for any other reason than exclusion."""
        return np.minimum(sum(self.leaves.values()), 0.9)


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
        ``outcome``, ``pupil_id``, ``as_of``, ``risk``. Of ``pex``, ``exit`` and ``first-suspension``: in
        the next six half-terms, given that the pupil does not leave first for other reasons (Year 11
        leavers finish). Of ``severe-absence``: in one of the next two terms, given that the pupil stays
        for these six. Of ``neet`` and ``not-known``: in the winter after Year 11, given that the pupil is
        on roll until then.
    """
    days = [_day(population, calendar, life, number, preset) for number in range(len(life.states))]
    sums = [_Sums(len(population)) for _ in days]
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
    population: Population,
    calendar: SchoolCalendar,
    life: Life,
    number: int,
    preset: Preset,
) -> _Day:
    """Return what is known on the snapshot after a half-term."""
    exclusion, neet = _listed(population, calendar, life, number)
    events = life.suspended
    so_far = calendar.half_term[events["day"]] <= number
    calm = np.bincount(events["pupil"][so_far], minlength=len(population)) == 0
    as_of = _snapshot(calendar, number % YEAR)
    return _Day(
        life=life,
        state=life.states[number],
        exclusion=exclusion,
        neet=neet,
        calm=calm,
        preset=preset,
        world=population.world,
        scale=learn_scale(population, np.column_stack(life.disengagement[: number + 1])),
        terms=term_days(calendar, as_of, number % YEAR),
    )


def _snapshot(calendar: SchoolCalendar, number: int) -> pd.Timestamp:
    """Return the snapshot after a half-term."""
    year = calendar.first_year + number // YEAR + (number % YEAR >= 1)
    return pd.Timestamp(year, *SNAPSHOTS[number % YEAR]).as_unit("s")


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
    as_of = _snapshot(calendar, day.state.half_term - 1)
    columns = {"outcome": outcome, "pupil_id": names[rows], "as_of": as_of}
    return pd.DataFrame(columns | {"risk": risk[rows]})


def _exclusion(_: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of exclusion."""
    return sums.excluded.risk


def _exit(_: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of being lost from mainstream."""
    return sums.lost.risk


def _first_suspension(_: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of a first suspension; 0 of those suspended before."""
    return sums.suspended.risk


def _severe_absence(_: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of severe absence in one of two terms, given that the pupil stays a year."""
    return np.asarray(sums.absent / np.maximum(sums.there, 1e-9))


def _neet(day: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk of NEET; that of those who have finished is settled."""
    risk = sums.neet / np.maximum(sums.finished, 1e-9)
    for leavers in _settled(day):
        risk[leavers.pupil] = leavers.neet
    return np.asarray(risk)


def _not_known(day: _Day, sums: _Sums) -> Floats:
    """Return every pupil's risk that nothing is known of them; of those who have finished it is settled."""
    risk = sums.not_known / np.maximum(sums.finished, 1e-9)
    for leavers in _settled(day):
        risk[leavers.pupil] = np.minimum(leavers.not_known, 1 - leavers.neet)
    return np.asarray(risk)


def _settled(day: _Day) -> list[Leavers]:
    """Return those who have finished Year 11 by a day."""
    return day.life.leavers[: day.state.half_term // YEAR]


RISKS: dict[str, tuple[Callable[[_Day], NDArray[np.bool_]], Callable[[_Day, _Sums], Floats]]] = {
    "pex": (attrgetter("exclusion"), _exclusion),
    "neet": (attrgetter("neet"), _neet),
    "exit": (attrgetter("exclusion"), _exit),
    "not-known": (attrgetter("neet"), _not_known),
    "severe-absence": (attrgetter("exclusion"), _severe_absence),
    "first-suspension": (attrgetter("exclusion"), _first_suspension),
}
"""Outcome → who is in its cohort on a day, and every pupil's risk."""


def _add_future(sums: _Sums, day: _Day, population: Population, rng: np.random.Generator) -> None:
    """Draw one future of all pupils together, and add its chances to the sums."""
    first = day.state.half_term
    rows = np.flatnonzero(day.exclusion | day.neet)
    state, stays = day.state.take(rows), np.ones(len(rows))
    factors = {event: [f.copy() for f in now] for event, now in day.life.factors[first - 1].items()}
    sums.begin(day)
    ahead = AbsenceAhead(len(population), day.terms)
    for half_term in range(first, first + LONGEST):
        soon = half_term < first + YEAR
        if half_term in (first, first + YEAR) or half_term % YEAR == 0:
            group = population.first_group[rows] + half_term // YEAR
            goes_on = np.flatnonzero((group < GROUPS) & (soon | day.neet[rows]))
            rows, state, stays = rows[goes_on], state.take(goes_on), stays[goes_on]
            setting = behaviour.groups_of(population, rows, half_term)
            if soon:
                absence = absence_setting(population, rows, group[goes_on], day.scale)
        chance = _expected(day, population, state, setting, factors, stays if soon else None)
        suspensions = rng.poisson(chance.suspensions)
        if soon:
            _add_ends(sums, day, population, rows, state, chance, suspensions)
            ahead.add(rows, absence, state.away, suspensions, half_term - first)
        stays = stays * (1 - chance.excluded) * (1 - chance.any_leaving)
        if half_term % YEAR == YEAR - 1:
            last = population.first_group[rows] + half_term // YEAR == GROUPS - 1
            _add_finished(sums, day, population, rows[last], state.away[last], stays[last])
        state = _after(population, rows, state, setting, suspensions, rng)
    sums.end(ahead)


def _add_finished(
    sums: _Sums, day: _Day, population: Population, rows: Ints, away: Floats, stays: Floats
) -> None:
    """Add the chances of those who finish Year 11; ``stays`` is the chance that they come so far."""
    neet = neet_chance(population, rows, away, day.life.neet)
    not_known = not_known_chance(population, rows, away, day.preset)
    sums.neet[rows] += stays * neet
    sums.not_known[rows] += stays * np.minimum(not_known, 1 - neet)
    sums.finished[rows] += stays


def _add_ends(
    sums: _Sums,
    day: _Day,
    population: Population,
    rows: Ints,
    state: State,
    chance: _Chances,
    suspensions: Ints,
) -> None:
    """Add the chances of a half-term that the first exclusion, exit or suspension comes in it."""
    pex, leaves = chance.excluded, chance.any_leaving
    sums.excluded.add(rows, pex, (1 - pex) * leaves)
    lost, gone = _other_exits(day, population, rows, state, chance)
    sums.lost.add(rows, pex + (1 - pex) * lost, (1 - pex) * gone)
    _add_first_suspension(sums.suspended, day, rows, chance, suspensions, state.half_term)


def _other_exits(
    day: _Day, population: Population, rows: Ints, state: State, chance: _Chances
) -> tuple[Floats, Floats]:
    """Return the chances in a half-term to be lost from mainstream unexcluded, and to leave otherwise.

    A destination may still become known after the last weeks of the horizon; and who leaves as Year 11
    ends has finished.
    """
    number, leaves = state.half_term, chance.leaves
    finishing = (number % YEAR == YEAR - 1) & (
        population.first_group[rows] + number // YEAR == GROUPS - 1
    )
    unknown = np.where(finishing, 0.0, leaves["destination_unknown"])
    is_last = number == day.state.half_term + YEAR - 1
    managed = managed_move_chance(population, rows, state)
    lost = 1 - (1 - leaves["home_educated"]) * (1 - managed) * (1 - unknown * (not is_last))
    gone = 1 - (1 - leaves["left_area"]) * (1 - unknown * is_last)
    return (1 - gone) * lost, gone


def _add_first_suspension(
    sums: _FirstEnd,
    day: _Day,
    rows: Ints,
    chance: _Chances,
    suspensions: Ints,
    half_term: int,
) -> None:
    """Add the chances that the first suspension or exclusion comes in a half-term."""
    share = float(recorded_share(day.world, np.array(half_term), len(day.life.states)))
    none = np.exp(-share * chance.suspensions) * (1 - chance.excluded)
    sums.add(rows, 1 - none, none * chance.any_leaving)
    # the future goes on with the suspensions drawn, so with those in which none was drawn
    drawn = (1 - share) ** suspensions * np.exp(share * chance.suspensions)
    sums.still[rows] *= drawn


def _expected(
    day: _Day,
    population: Population,
    state: State,
    setting: Setting,
    factors: Factors,
    here: Floats | None,
) -> _Chances:
    """Return what to expect in a half-term."""
    chance = behaviour.chances(population, state, setting, factors, preset=day.preset, here=here)
    years_left = max(0.0, (len(day.life.states) - 1 - state.half_term) / YEAR)
    return _Chances(chance["susp"], chance["pex"], exit_chances(state, years_left, day.preset))


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
