"""How often each pupil is absent, and how much more the most absent ones.

In:  disengagement by half-term, groups of pupils.
Out: rates of absence that follow the published joint bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.simulate.parameters import absence_bands, parameter, parameters_under
from riskmodel.simulate.population import ETHNICITIES, Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints, curve

__all__ = [
    "N_BINS",
    "PHASES",
    "AbsenceScale",
    "AbsenceSetting",
    "absence_rates",
    "absence_setting",
    "learn_scale",
    "of_school_age",
    "rates_at_scores",
    "trend",
]

PHASES = ("primary", "secondary", "special")
"""Phases for which absence and exclusions are published, in the order of our counts."""

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

N_BINS = 8
"""Kinds of pupils, by absence, between whom the mix of codes differs."""

N_CELLS = len(PHASES) * 2 * 2 * 2
"""Cells of phase, free school meals, any SEN and sex."""

Grid = NDArray[np.float32]
SCORES = np.linspace(-5, 5, 1001)


def rates_at_scores(bands: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the absence rate at each score of :data:`SCORES`.

    Parameters
    ----------
    bands : float array of shape (11,)
        Percent of a group's pupils in each band: :func:`riskmodel.simulate.parameters.absence_bands`.

    Returns
    -------
    float array of shape (1001,)
        Rates, ascending; linear in the logarithm between the edges of bands.
    """
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

    Examples
    --------
    A pupil at the latest threshold of persistent absence was at the threshold then.

    >>> shift, stretch = trend("primary")
    >>> now, then = (parameter(f"persistent{when}.primary") for when in ("", "_then"))
    >>> round(100 * float(norm.sf(shift + stretch * norm.isf(now / 100))), 6) == then
    True
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


@dataclass(frozen=True)
class AbsenceScale:
    """Mean and spread of the absence score among pupils of one phase, meals, SEN and sex.

    Attributes
    ----------
    mean, spread : float arrays of shape (24,)
        One number per cell.
    """

    mean: Floats
    spread: Floats


def _stages(population: Population, half_terms: int) -> Ints:
    """Return the year group of each pupil in each half-term, 0 to 11."""
    group = population.first_group[:, None] + np.arange(half_terms) // 6
    return np.clip(group, 0, GROUPS - 1)


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
    row, group = np.arange(len(population))[:, None], _stages(population, disengagement.shape[1])
    phase, cell = _cells(population, row, group)
    scale = learn_scale(population, disengagement)
    score = _scores(population, row, group, disengagement, scale)
    edges = norm.ppf(np.arange(1, N_BINS) / N_BINS)
    kind = (phase * N_BINS + np.searchsorted(edges, score)).astype(np.uint8)
    return _rates(score, cell), kind


def learn_scale(population: Population, disengagement: NDArray[np.float32]) -> AbsenceScale:
    """Return mean and spread of the absence score in each cell; only pupils of school age set them.

    Parameters
    ----------
    population : Population
        Pupils.
    disengagement : float array of shape (n_pupils, n_half_terms)
        Latent state.

    Returns
    -------
    AbsenceScale
        Over all half-terms.
    """
    row, group = np.arange(len(population))[:, None], _stages(population, disengagement.shape[1])
    inside = of_school_age(population, disengagement.shape[1])
    _, cell = _cells(population, row, group)
    flat, member = cell[inside], _raw_scores(population, row, group, disengagement)[inside]
    count = np.maximum(np.bincount(flat, minlength=N_CELLS), 1)
    mean = np.bincount(flat, member, N_CELLS) / count
    variance = np.bincount(flat, member**2, N_CELLS) / count - mean**2
    return AbsenceScale(mean, np.sqrt(np.maximum(variance, 1e-9)))


@dataclass(frozen=True)
class AbsenceSetting:
    """What a half-term holds fixed for the absence of pupils.

    Attributes
    ----------
    cell : int array of shape (n_pupils,)
        Phase, meals, SEN and sex.
    slope, intercept : float arrays of shape (n_pupils,)
        The absence score is ``slope * disengagement + intercept``.
    """

    cell: Ints
    slope: Floats
    intercept: Floats

    def rates(self, disengagement: Floats) -> Floats:
        """Return the chance of absence, before weekday and season, as :func:`absence_rates` does.

        Parameters
        ----------
        disengagement : float array of shape (n_pupils,)
            Latent state.

        Returns
        -------
        float array of shape (n_pupils,)
            Interpolated between the scores of :data:`SCORES`.
        """
        score = self.slope * disengagement + self.intercept
        place = np.clip((score - SCORES[0]) / (SCORES[1] - SCORES[0]), 0, len(SCORES) - 1.001)
        low = place.astype(np.int64)
        beyond, table = place - low, _rate_tables()
        return table[self.cell, low] * (1 - beyond) + table[self.cell, low + 1] * beyond


def absence_setting(
    population: Population, rows: Ints, group: Ints, scale: AbsenceScale
) -> AbsenceSetting:
    """Return the absence setting of some pupils in their year groups.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils wanted.
    group : int array of shape (n_rows,)
        Their year groups, 0 to 11.
    scale : AbsenceScale
        From :func:`learn_scale`.

    Returns
    -------
    AbsenceSetting
        In the order of ``rows``.
    """
    _, cell = _cells(population, rows, group)
    nought = np.zeros(len(rows))
    return AbsenceSetting(
        cell, 1 / scale.spread[cell], _scores(population, rows, group, nought, scale)
    )


@cache
def _rate_tables() -> Floats:
    """Return the rate of absence of each cell at each score of :data:`SCORES`."""
    cells = np.repeat(np.arange(N_CELLS), len(SCORES))
    return _rates(np.tile(SCORES, N_CELLS), cells).reshape(N_CELLS, -1).astype(np.float64)


def _cells(population: Population, row: Ints, group: Ints) -> tuple[Ints, Ints]:
    """Return phase and cell of pupils in year groups; both arrays are broadcast."""
    phase = np.where(population.special[row], 2, (group >= 7).astype(np.int64))
    fsm, sen = population.fsm[row, group], population.provision[row, group] > 0
    return phase, ((phase * 2 + fsm) * 2 + sen) * 2 + population.male[row]


def _raw_scores(
    population: Population, row: Ints, group: Ints, disengagement: NDArray[np.floating]
) -> Floats:
    """Return latent states shifted by circumstances."""
    return disengagement.astype(np.float64) + _shifts(population, row, group)


def _scores(
    population: Population,
    row: Ints,
    group: Ints,
    disengagement: NDArray[np.floating],
    scale: AbsenceScale,
) -> Floats:
    """Return scores that are standard normal in each cell, shifted by year group."""
    phase, cell = _cells(population, row, group)
    raw = _raw_scores(population, row, group, disengagement)
    score = np.asarray((raw - scale.mean[cell]) / scale.spread[cell])
    return np.asarray(score + _year_shifts()[group] * (phase < 2))


def of_school_age(population: Population, half_terms: int) -> NDArray[np.bool_]:
    """Return in which half-terms each pupil is in Reception to Year 11.

    Parameters
    ----------
    population : Population
        Pupils.
    half_terms : int
        Half-terms of the data.

    Returns
    -------
    bool array of shape (n_pupils, n_half_terms)
        Whether or not on a roll.
    """
    group = population.first_group[:, None] + np.arange(half_terms) // 6
    return np.asarray((group >= 0) & (group < GROUPS))


def _rates(score: Floats, cell: Ints) -> Grid:
    """Return the rate of absence with which each score falls into the bands of its cell."""
    rate = np.empty(score.shape, dtype=np.float32)
    for (phase, *traits), bands in absence_bands().items():
        fsm, sen, male = traits
        here = cell == ((PHASES.index(phase) * 2 + fsm) * 2 + sen) * 2 + male
        shift, stretch = trend(phase)
        then = shift + stretch * _fitted(phase, score[here])
        rate[here] = np.interp(then, SCORES, rates_at_scores(bands))
    rate[np.isin(cell, [16, 17, 20, 21])] = 0.1  # special schools without SEN: nobody
    return rate


def _fitted(phase: str, score: Floats) -> Floats:
    """Return scores shifted and stretched so that drawn half-days have the published spread."""
    shift, stretch, beyond, more = FITTED[phase]
    return np.asarray(shift + stretch * score + more * np.maximum(score - beyond, 0.0))


def _shifts(population: Population, row: Ints, group: Ints) -> Floats:
    """Return the shift of each pupil's score by social care, need and ethnic group."""
    kinds = ("", "child_in_need", "child_protection", "looked_after")
    social = np.array([SHIFTS.get(kind, 0.0) for kind in kinds])
    sen = population.provision[row, group] > 0
    shift = social[population.social[row, group]] + SHIFTS["SEMH"] * (
        sen & (population.need[row] == 0)
    )
    names = np.array(ETHNICITIES)[population.ethnicity[row]]
    own = BLACK_AFRICAN * (names == "BAFR") + ROMA_AND_TRAVELLER * np.isin(names, ["WROM", "WIRT"])
    return np.asarray(shift + own)


@cache
def _year_shifts() -> Floats:
    """Return the shift that gives each year group its share of persistent absence."""
    score = -norm.ppf(1 - curve(parameters_under("persistent_year")) / 100)
    for rows in (slice(0, 7), slice(7, GROUPS)):
        score[rows] -= score[rows].mean()
    return np.asarray(score)
