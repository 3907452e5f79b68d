"""Other ways off a roll, and moves between schools.

In:  the population and its state.
Out: chances of leaving by reason; moves between schools.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.behaviour import State
from riskmodel.simulate.parameters import Preset, parameter
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import Floats, Ints

__all__ = ["exit_chances", "managed_move_chance", "moved", "moves"]

SLOPES = {
    "left_area": ("left_area", 0.0),
    "home_educated": ("home_educated.new", 0.8),
    "destination_unknown": ("unknown_exit", 0.9),
}
"""Leaving reason → yearly level in the parameters, and how it grows with pressure; slopes chosen."""

THREATENED = 1.2
"""How much likelier (in log-odds) leaving for home education is after suspensions; chosen."""


def exit_chances(state: State, years_before_last: float, preset: Preset) -> dict[str, Floats]:
    """Return the chance of leaving in a half-term, by reason.

    Parameters
    ----------
    state : State
        Of active pupils.
    years_before_last : float
        How long before the last simulated year; home education was rarer then.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to float array of shape (n_rows,)
        Leaving reason → probability.

    Examples
    --------
    Suspensions make home education likelier.

    >>> calm = np.zeros(2)
    >>> recent = np.array([0.0, 3.0])
    >>> state = State(calm, calm, recent, np.array([0, 0]), calm == 0, 0, calm, np.ones(1))
    >>> none, suspended = exit_chances(state, 0, "england")["home_educated"]
    >>> bool(suspended > 3 * none)
    True
    """
    chances = {}
    for reason, (name, slope) in SLOPES.items():
        level = parameter(name, preset) / 100 / 6
        if reason == "home_educated":
            level *= (1 + parameter("home_educated.growth", preset) / 100) ** -years_before_last
        lean = slope * state.pressure - slope**2 * 0.65  # the mean stays near the level
        if slope:
            lean = lean + THREATENED * (state.recent > 1.5)
        chances[reason] = np.minimum(level * np.exp(lean), 0.3)
    return chances


MANAGED = 0.03
"""Chance of a managed move in a half-term after suspensions; chosen."""

SUSPENSIONS_BEFORE = 3
"""Recent suspensions after which a move to another school is a managed one; chosen."""

UNSETTLING = 0.15
"""What a move to another school adds to both latent states; chosen."""


def moves(
    population: Population,
    rows: Ints,
    state: State,
    active: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Draw moves to another school of the same phase.

    Parameters
    ----------
    population : Population
        Schools.
    rows : int array of shape (n_rows,)
        Pupils of the state.
    state : State
        Before the move.
    active : bool array of shape (n_rows,)
        Whether on a roll.
    rng : Generator
        Source of randomness.

    Returns
    -------
    mover, school : int arrays of shape (n_moves,)
        Position of the pupil in ``rows``, and the new school.
    managed : bool array of shape (n_moves,)
        Whether as a managed move, after suspensions.
    """
    schools = population.schools
    often = _move_chance(population, rows, state)
    chosen = active & (rng.random(len(often)) < often)
    mover = np.flatnonzero(chosen)
    now = state.school[mover]
    primary = now < schools.n_primary
    low = np.where(primary, 0, schools.n_primary)
    size = np.where(primary, schools.n_primary, schools.n_secondary)
    school = low + (now - low + 1 + rng.integers(0, 10**6, len(mover)) % (size - 1)) % size
    return mover, school, _is_managed(state)[mover]


def managed_move_chance(population: Population, rows: Ints, state: State) -> Floats:
    """Return the chance of a managed move at the end of a half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils of the state.
    state : State
        Before the move.

    Returns
    -------
    float array of shape (n_rows,)
        Probability; 0 without suspensions enough, and at special schools.
    """
    return np.where(_is_managed(state), _move_chance(population, rows, state), 0.0)


def _is_managed(state: State) -> NDArray[np.bool_]:
    """Return of whom a move to another school would be a managed one."""
    return np.asarray(state.recent >= SUSPENSIONS_BEFORE)


def _move_chance(population: Population, rows: Ints, state: State) -> Floats:
    """Return the chance to move to another school at the end of a half-term."""
    often = parameter("moves") / 100 / 6 + MANAGED * _is_managed(state)
    return np.where(population.special[rows], 0.0, often)


def moved(state: State, mover: Ints, school: Ints) -> State:
    """Return the state after moves to other schools; a move unsettles.

    Parameters
    ----------
    state : State
        Before them.
    mover, school : int arrays of shape (n_moves,)
        From :func:`moves`.

    Returns
    -------
    State
        After them.
    """
    now, pressure, away = state.school.copy(), state.pressure.copy(), state.disengagement.copy()
    now[mover] = school
    pressure[mover] += UNSETTLING
    away[mover] += UNSETTLING
    return replace(state, school=now, pressure=pressure, disengagement=away)
