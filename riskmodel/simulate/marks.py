"""The register: a mark for every half-day.

In:  rates of absence, kinds of pupils, days on roll.
Out: marks; codes follow the published mix, absences come in spells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.codes import codes
from riskmodel.simulate.attendance import N_BINS, PHASES, absence_rates, of_school_age
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.parameters import parameters_under
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import Floats

__all__ = [
    "AFTERNOONS",
    "CODES_BEFORE",
    "MOST_ABSENT",
    "NEW_CODES_FROM",
    "SPELL",
    "TILT",
    "draw_marks",
    "number_of",
    "wave",
    "write_suspensions",
]

NEW_CODES_FROM = np.datetime64("2024-08-19")
"""School Attendance (Pupil Registration) (England) Regulations 2024."""

CODES_BEFORE = {"C2": "C", "J1": "C", "K": "B"}
"""Codes that came in with these regulations, and what was written before."""

WEEKDAY = np.array([1.12, 0.94, 0.90, 0.94, 1.10])
"""Absence by weekday, Monday first; chosen."""

SEASON = np.array([0.88, 1.17, 1.06, 1.0, 0.95, 0.94])
"""Absence by half-term; chosen."""

SPELL = 0.5
"""How likely an absence goes on to the next day, beyond chance; chosen."""

AFTERNOONS = 0.12
"""Absences that begin at midday, per day missed; chosen."""

MOST_ABSENT = 0.97
"""Largest chance of absence on a day; chosen."""

TILT = {
    "I": -0.30,
    "M": -0.1,
    "C": 0.0,
    "R": -0.3,
    "T": 0.0,
    "G": -0.3,
    "O": 0.55,
    "U": 0.45,
    "N": 0.3,
    "J1": 0.0,
    "C2": 0.8,
}
"""How the mix of absence codes changes with a pupil's absence, per standard deviation; chosen."""

PRESENT = ("L", "B", "V", "P", "W", "K")

Grid = NDArray[np.float32]

BLOCK = 8192
"""Pupils drawn at a time, to bound memory."""

BIN_MIDDLES = norm.ppf((np.arange(N_BINS) + 0.5) / N_BINS)
"""Standard normal score in the middle of each bin."""


def number_of(code: str) -> int:
    """Return the number of a code in arrays of marks.

    Parameters
    ----------
    code : str
        A code of the register.

    Returns
    -------
    int
        Its index in the code set plus one; 0 is no mark.

    Examples
    --------
    >>> codes("marks")[number_of("I") - 1]
    'I'
    """
    return codes("marks").index(code) + 1


def draw_marks(
    population: Population,
    calendar: SchoolCalendar,
    disengagement: NDArray[np.float32],
    on_roll: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw marks, suspensions left out.

    Parameters
    ----------
    population : Population
        Pupils.
    calendar : SchoolCalendar
        School days.
    disengagement : float array of shape (n_pupils, n_half_terms)
        Latent state.
    on_roll : bool array of shape (n_pupils, n_days)
        Days on a roll.
    rng : Generator
        Source of randomness.

    Returns
    -------
    uint8 array of shape (n_pupils, n_days, 2)
        Index in the code set plus one; 0 off roll.
    """
    rate, kind = absence_rates(population, disengagement)
    mixes = _mixes(rate, kind, of_school_age(population, disengagement.shape[1]))
    seeds = rng.spawn(-(-len(rate) // BLOCK))
    marks = np.empty((*on_roll.shape, 2), dtype=np.uint8)
    for number, block in enumerate(range(0, len(rate), BLOCK)):
        rows = slice(block, block + BLOCK)
        marks[rows] = _draw_block(calendar, rate[rows], kind[rows], mixes, seeds[number])
        marks[rows] *= on_roll[rows][:, :, None]
    return marks


def wave(calendar: SchoolCalendar) -> NDArray[np.float32]:
    """Return how likely absence is on each school day beside the half-term's rate.

    Parameters
    ----------
    calendar : SchoolCalendar
        School days.

    Returns
    -------
    float array of shape (n_days,)
        By weekday and season; about 1 on average.
    """
    beside = SEASON[calendar.half_term % 6] * WEEKDAY[(calendar.days.astype(np.int64) + 3) % 7]
    return (beside / beside.mean() / (1 + AFTERNOONS / 2)).astype(np.float32)


def write_suspensions(
    marks: NDArray[np.uint8],
    pupil: NDArray[np.int64],
    day: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    """Mark the days of suspensions in place.

    Parameters
    ----------
    marks : uint8 array of shape (n_pupils, n_days, 2)
        From :func:`draw_marks`.
    pupil, day, length : int arrays of shape (n_suspensions,)
        Number of the pupil, first school day, number of school days.

    Examples
    --------
    A suspension of two days that starts on the second school day.

    >>> marks = np.ones((1, 4, 2), dtype=np.uint8)
    >>> write_suspensions(marks, np.array([0]), np.array([1]), np.array([2]))
    >>> (marks[0, :, 0] == number_of("E")).tolist()
    [False, True, True, False]
    """
    event = np.repeat(np.arange(len(length)), length)
    offset = np.arange(len(event)) - np.repeat(np.cumsum(length) - length, length)
    column = day[event] + offset
    inside = column < marks.shape[1]
    row, column = pupil[event][inside], column[inside]
    marks[row, column] = np.where(marks[row, column] > 0, np.uint8(number_of("E")), np.uint8(0))


@dataclass(frozen=True)
class _Mixes:
    """Cumulative mixes of absence and presence codes by kind of pupil, and the codes."""

    absence: Grid
    presence: Grid
    absence_codes: NDArray[np.uint8]
    presence_codes: NDArray[np.uint8]


def _mixes(rate: Grid, kind: NDArray[np.uint8], inside: NDArray[np.bool_]) -> _Mixes:
    """Return the mixes of codes; within a phase they tilt with the bin of absence."""
    n_kinds = len(PHASES) * N_BINS
    absent, there = (
        np.bincount(kind[inside], part[inside], n_kinds).astype(np.float64).reshape(-1, N_BINS)
        for part in (rate, 1 - rate)
    )
    by_absence = np.vstack([_absence_mix(*part) for part in zip(PHASES, absent, strict=True)])
    parts = zip(PHASES, absent, there, strict=True)
    by_presence = np.vstack([_presence_mix(*part) for part in parts])
    return _Mixes(
        np.cumsum(by_absence, axis=1).astype(np.float32),
        np.cumsum(by_presence, axis=1).astype(np.float32),
        np.array([number_of(code) for code in TILT], dtype=np.uint8),
        np.array([number_of(code) for code in PRESENT], dtype=np.uint8),
    )


def _absence_mix(phase: str, mass: Floats) -> Floats:
    """Return the shares of absence codes in each bin, raked to the phase's published mix.

    ``mass`` is the absence expected in each bin.
    """
    published = parameters_under(f"code.{phase}")
    wanted = np.array([published[code] for code in TILT])
    mix = wanted * np.exp(np.outer(BIN_MIDDLES, list(TILT.values())))
    size = mass / max(mass.sum(), 1e-9)
    for _ in range(50):
        share = (size[:, None] * mix).sum(axis=0) / np.maximum(size @ mix.sum(axis=1), 1e-12)
        mix *= (wanted / wanted.sum()) / np.maximum(share, 1e-12)
        mix /= mix.sum(axis=1, keepdims=True)
    return mix


def _presence_mix(phase: str, absent: Floats, there: Floats) -> Floats:
    """Return the shares of presence codes in each bin; only lateness grows with absence."""
    published = parameters_under(f"code.{phase}")
    shares = np.array([published[code] for code in PRESENT]) / 100
    attending = there.sum() / max((absent + there).sum(), 1e-9)
    late = np.exp(0.5 * BIN_MIDDLES)
    late /= max((late * there).sum() / max(there.sum(), 1e-9), 1e-9)
    mix = np.tile(shares / attending, (N_BINS, 1))
    mix[:, 0] *= late
    return mix


def _draw_block(
    calendar: SchoolCalendar,
    rate: Grid,
    kind: NDArray[np.uint8],
    mixes: _Mixes,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw the days of a block of pupils one after the other, as absences come in spells."""
    n, n_days = len(rate), len(calendar.days)
    by_day = wave(calendar)
    marks = np.empty((n_days, 2, n), dtype=np.uint8)
    absent, code = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.uint8)
    for day in range(n_days):
        half_term = calendar.half_term[day]
        chance = np.minimum(rate[:, half_term] * by_day[day], np.float32(MOST_ABSENT))
        draw = rng.random((4, n), dtype=np.float32)
        now, afternoon = _absences(absent, chance, draw)
        starts = np.flatnonzero((now & ~absent) | afternoon)
        code[starts] = _absence_codes(kind[starts, half_term], draw[2, starts], mixes)
        _write_presence(marks[day], kind[:, half_term], draw[3], mixes)
        np.copyto(marks[day, 0], code, where=now)
        np.copyto(marks[day, 1], code, where=now | afternoon)
        absent = now
    early = calendar.days < NEW_CODES_FROM
    marks[early] = _old_codes()[marks[early]]
    return np.ascontiguousarray(marks.transpose(2, 0, 1))


def _absences(
    absent: NDArray[np.bool_], chance: NDArray[np.float32], draw: Grid
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return who is absent all day, and who only in the afternoon; ``absent`` is yesterday."""
    stays = SPELL + (1 - SPELL) * chance
    now = draw[0] < np.where(absent, stays, (1 - SPELL) * chance)
    return now, ~now & (draw[1] < AFTERNOONS * chance)


def _absence_codes(
    kind: NDArray[np.uint8], draw: NDArray[np.float32], mixes: _Mixes
) -> NDArray[np.uint8]:
    """Return the code of each absence that begins."""
    return mixes.absence_codes[(draw[:, None] > mixes.absence[kind, :-1]).sum(axis=1)]


def _write_presence(
    marks: NDArray[np.uint8], kind: NDArray[np.uint8], draw: NDArray[np.float32], mixes: _Mixes
) -> None:
    """Mark a day as attended in place: both halves carry the same code where it is not plain."""
    marks[0], marks[1] = number_of("/"), number_of("\\")
    special = np.flatnonzero(draw < mixes.presence[kind, -1])
    edges = mixes.presence[kind[special], :-1]
    marks[:, special] = mixes.presence_codes[(draw[special, None] > edges).sum(axis=1)]


def _old_codes() -> NDArray[np.uint8]:
    """Return the code written before the regulations of 2024 for each code."""
    old = np.arange(256, dtype=np.uint8)
    for new, before in CODES_BEFORE.items():
        old[number_of(new)] = number_of(before)
    return old
