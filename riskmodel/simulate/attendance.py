"""The register: how often each pupil is absent, and a mark for every half-day.

In:  disengagement by half-term, groups of pupils, spells on roll.
Out: marks; rates follow the published joint bands, codes the published mix.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.data.codes import codes
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.parameters import absence_bands, parameter, parameters_under
from riskmodel.simulate.population import ETHNICITIES, Population
from riskmodel.simulate.shapes import GROUPS, curve

__all__ = ["absence_rates", "draw_marks", "trend", "write_suspensions"]

PHASES = ("primary", "secondary", "special")

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

SHIFTS = {"child_in_need": 0.55, "child_protection": 0.55, "looked_after": -0.55, "SEMH": 0.55}
"""Shift of the absence score, in standard deviations, set by the published rates of these groups
(children in need 17.4%, on plans 21.8%, looked after 9.0%; DfE, 2024/25)."""

BLACK_AFRICAN, ROMA_AND_TRAVELLER = -0.35, 0.8
"""Shifts: 8.7% of Black African pupils are persistently absent (DfE, 2024/25); the other is chosen."""

FITTED = {
    "primary": (0.09, 0.78, 1.37, 0.62),
    "secondary": (-0.07, 0.88, 0.955, 0.36),
    "special": (-0.13, 1.085, 0.0, 0.0),
}
"""Shift, stretch, and a further stretch beyond a third number, of the score: they undo what drawing
half-days adds to the spread of yearly absence. Fitted with ``benchmarks/calibration.py``."""

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

N_BINS = 8
"""Kinds of pupils, by absence, between whom the mix of codes differs."""

BLOCK = 8192
"""Pupils drawn at a time, to bound memory."""

Grid = NDArray[np.float32]
SCORES = np.linspace(-5, 5, 1001)


def _byte(code: str) -> int:
    return codes("marks").index(code) + 1


def _quantiles(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rate at each score of the grid: linear in the logarithm between published bands."""
    edges = np.log(np.arange(0.05, 0.501, 0.05))
    score = norm.ppf(np.clip(np.cumsum(bands)[:-1] / bands.sum(), 1e-5, 1 - 1e-5))
    low = (edges[1] - edges[0]) / (score[1] - score[0])
    high = (edges[-1] - edges[-4]) / (score[-1] - score[-4])
    ends = np.array([-6.0, *score, 6.0])
    logs = np.array([edges[0] - low * (score[0] + 6), *edges, edges[-1] + high * (6 - score[-1])])
    return np.minimum(np.exp(np.interp(SCORES, ends, logs)), 0.97)


def trend(phase: str) -> tuple[float, float]:
    """Return shift and stretch of the score from the year of the bands to the latest year.

    Two published shares, of the persistently and of the severely absent, fix the two numbers.

    Parameters
    ----------
    phase : str
        ``"primary"``, ``"secondary"`` or ``"special"``.

    Returns
    -------
    shift, stretch : float
        A score of the latest year, stretched and shifted, is one of the year of the bands.
    """
    then, now = (
        [
            norm.ppf(1 - parameter(f"{share}{when}.{phase}") / 100)
            for share in ("persistent", "severe")
        ]
        for when in ("_then", "")
    )
    stretch = (then[1] - then[0]) / (now[1] - now[0])
    return float(then[0] - stretch * now[0]), float(stretch)


def _stages(population: Population, half_terms: int) -> NDArray[np.int64]:
    group = population.first_group[:, None] + np.arange(half_terms) // 6
    return np.clip(group, 0, GROUPS - 1)


def _phase_of(population: Population, group: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(population.special[:, None], 2, (group >= 7).astype(np.int64))


def absence_rates(
    population: Population, disengagement: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return each pupil's chance of absence in each half-term.

    Parameters
    ----------
    population : Population
        Pupils.
    disengagement : float array of shape (n_pupils, n_half_terms)
        Latent state.

    Returns
    -------
    rate : float array of shape (n_pupils, n_half_terms)
        Before weekday and season.
    kind : uint8 array of shape (n_pupils, n_half_terms)
        Phase and bin of absence, ``phase * 8 + bin``.

    Notes
    -----
    The latent state is shifted by circumstances and standardised among pupils of one phase,
    eligibility for free school meals, SEN and sex; the score is put through the published
    distribution of that group.
    """
    n, half_terms = disengagement.shape
    group = _stages(population, half_terms)
    phase = _phase_of(population, group)
    row = np.arange(n)[:, None]
    fsm, sen = population.fsm[row, group], population.provision[row, group] > 0
    score = disengagement.astype(np.float64) + _shifts(population, group, sen)
    cell = ((phase * 2 + fsm) * 2 + sen) * 2 + population.male[:, None]
    inside = (population.first_group[:, None] + np.arange(half_terms) // 6 >= 0) & (
        population.first_group[:, None] + np.arange(half_terms) // 6 < GROUPS
    )
    flat, member = cell[inside], score[inside]
    count = np.maximum(np.bincount(flat, minlength=24), 1)
    mean = np.bincount(flat, member, 24) / count
    spread = np.sqrt(np.maximum(np.bincount(flat, member**2, 24) / count - mean**2, 1e-9))
    score = (score - mean[cell]) / spread[cell] + _by_year(group) * (phase < 2)
    rate = np.empty(score.shape, dtype=np.float32)
    for (name, *traits), bands in absence_bands().items():
        number = ((PHASES.index(name) * 2 + traits[0]) * 2 + traits[1]) * 2 + traits[2]
        here = cell == number
        shift, stretch = trend(name)
        first, slope, beyond, more = FITTED[name]
        fitted = first + slope * score[here] + more * np.maximum(score[here] - beyond, 0.0)
        rate[here] = np.interp(shift + stretch * fitted, SCORES, _quantiles(bands))
    without = np.isin(cell, [16, 17, 20, 21])  # special schools without SEN: nobody
    rate[without] = 0.1
    edges = norm.ppf(np.arange(1, N_BINS) / N_BINS)
    return rate, (phase * N_BINS + np.searchsorted(edges, score)).astype(np.uint8)


def _shifts(
    population: Population, group: NDArray[np.int64], sen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    kinds = ("", "child_in_need", "child_protection", "looked_after")
    social = np.array([SHIFTS.get(kind, 0.0) for kind in kinds])
    row = np.arange(len(population))[:, None]
    shift = social[population.social[row, group]] + SHIFTS["SEMH"] * (
        sen & (population.need == 0)[:, None]
    )
    names = np.array(ETHNICITIES)[population.ethnicity]
    own = BLACK_AFRICAN * (names == "BAFR") + ROMA_AND_TRAVELLER * np.isin(names, ["WROM", "WIRT"])
    return np.asarray(shift + own[:, None])


def _by_year(group: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the shift that a year group's share of persistent absence asks for."""
    score = -norm.ppf(1 - curve(parameters_under("persistent_year")) / 100)
    for rows in (slice(0, 7), slice(7, GROUPS)):
        score[rows] -= score[rows].mean()
    return np.asarray(score[group])


def _mixes(
    rate: NDArray[np.float32], kind: NDArray[np.uint8], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return cumulative mixes of absence and presence codes by kind of pupil, and the codes.

    Within a phase the mix tilts with the bin; raking gives the phase its published mix.
    """
    absent, present = tuple(TILT), PRESENT
    by_absence = np.zeros((len(PHASES) * N_BINS, len(absent)))
    by_presence = np.zeros((len(PHASES) * N_BINS, len(present)))
    mass = np.bincount(kind[inside], rate[inside], len(by_absence))
    there = np.bincount(kind[inside], 1 - rate[inside], len(by_absence))
    middle = norm.ppf((np.arange(N_BINS) + 0.5) / N_BINS)
    for number, phase in enumerate(PHASES):
        rows = slice(number * N_BINS, (number + 1) * N_BINS)
        published = parameters_under(f"code.{phase}")
        wanted = np.array([published[code] for code in absent])
        table = wanted * np.exp(np.outer(middle, list(TILT.values())))
        size = mass[rows] / max(mass[rows].sum(), 1e-9)
        for _ in range(50):
            table *= (wanted / wanted.sum()) / np.maximum(
                (size[:, None] * table).sum(axis=0) / np.maximum(size @ table.sum(axis=1), 1e-12),
                1e-12,
            )
            table /= table.sum(axis=1, keepdims=True)
        by_absence[rows] = table
        shares = np.array([published[code] for code in present]) / 100
        attending = there[rows].sum() / max((mass[rows] + there[rows]).sum(), 1e-9)
        late = np.exp(0.5 * middle)
        late /= max((late * there[rows]).sum() / max(there[rows].sum(), 1e-9), 1e-9)
        by_presence[rows] = shares / attending
        by_presence[rows, 0] *= late
    letters = [
        np.array([_byte(code) for code in names], dtype=np.uint8) for names in (absent, present)
    ]
    return (
        np.cumsum(by_absence, axis=1).astype(np.float32),
        np.cumsum(by_presence, axis=1).astype(np.float32),
        letters[0],
        letters[1],
    )


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
        Place in the code set plus one; 0 off roll.
    """
    rate, kind = absence_rates(population, disengagement)
    group = population.first_group[:, None] + np.arange(disengagement.shape[1]) // 6
    mixes = _mixes(rate, kind, (group >= 0) & (group < GROUPS))
    seeds = rng.spawn(-(-len(rate) // BLOCK))
    marks = np.empty((*on_roll.shape, 2), dtype=np.uint8)
    for number, block in enumerate(range(0, len(rate), BLOCK)):
        rows = slice(block, block + BLOCK)
        marks[rows] = _draw_block(calendar, rate[rows], kind[rows], mixes, seeds[number])
        marks[rows] *= on_roll[rows][:, :, None]
    return marks


def _draw_block(
    calendar: SchoolCalendar,
    rate: NDArray[np.float32],
    kind: NDArray[np.uint8],
    mixes: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8]],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw the days of a block of pupils one after the other, as absences come in spells."""
    absence_edges, presence_edges, absence_codes, presence_codes = mixes
    n, n_days = len(rate), len(calendar.days)
    wave = SEASON[calendar.half_term % 6] * WEEKDAY[(calendar.days.astype(np.int64) + 3) % 7]
    wave = (wave / wave.mean() / (1 + AFTERNOONS / 2)).astype(np.float32)
    marks = np.empty((n_days, 2, n), dtype=np.uint8)
    absent, code = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.uint8)
    plain = np.array([_byte("/"), _byte("\\")], dtype=np.uint8)
    for day in range(n_days):
        half_term = calendar.half_term[day]
        chance = np.minimum(rate[:, half_term] * wave[day], np.float32(0.97))
        draw = rng.random((4, n), dtype=np.float32)
        stays = SPELL + (1 - SPELL) * chance
        now = draw[0] < np.where(absent, stays, (1 - SPELL) * chance)
        afternoon = ~now & (draw[1] < AFTERNOONS * chance)
        starts = np.flatnonzero((now & ~absent) | afternoon)
        here = kind[starts, half_term]
        place = (draw[2, starts, None] > absence_edges[here, :-1]).sum(axis=1)
        code[starts] = absence_codes[place]
        top = presence_edges[kind[:, half_term], -1]
        extra = np.flatnonzero(draw[3] < top)
        edges = presence_edges[kind[extra, half_term], :-1]
        special = presence_codes[(draw[3, extra, None] > edges).sum(axis=1)]
        for half in (0, 1):
            row = marks[day, half]
            row[:] = plain[half]
            # only the morning is late; other codes hold all day, and late counts twice to level
            row[extra] = special
            away = now | afternoon if half else now
            np.copyto(row, code, where=away)
        absent = now
    old = np.arange(256, dtype=np.uint8)
    for new, before in CODES_BEFORE.items():
        old[_byte(new)] = _byte(before)
    early = calendar.days < NEW_CODES_FROM
    marks[early] = old[marks[early]]
    return np.ascontiguousarray(marks.transpose(2, 0, 1))


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
        Who, from which school day on, how many days.
    """
    event = np.repeat(np.arange(len(length)), length)
    offset = np.arange(len(event)) - np.repeat(np.cumsum(length) - length, length)
    where = day[event] + offset
    inside = where < marks.shape[1]
    who, column = pupil[event][inside], where[inside]
    marks[who, column] = np.where(marks[who, column] > 0, np.uint8(_byte("E")), np.uint8(0))
