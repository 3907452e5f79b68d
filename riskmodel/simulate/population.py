"""Who there is: schools with different cultures, and pupils with needs and circumstances.

In:  how many pupils, how many years, a seed.
Out: :class:`Population`: arrays, one value per pupil or per school.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import parameter

__all__ = ["ETHNICITIES", "NEED_CODES", "Population", "make_population"]

ETHNICITIES = {"WBRI": 0.61, "WOTH": 0.08, "WIRI": 0.002, "WIRT": 0.001, "WROM": 0.003, "APKN": 0.047,
               "AIND": 0.042, "ABAN": 0.018, "AOTH": 0.023, "CHNE": 0.008, "BAFR": 0.052,
               "BCRB": 0.009, "BOTH": 0.008, "MWBC": 0.016, "MWBA": 0.01, "MWAS": 0.017,
               "MOTH": 0.029, "OOTH": 0.025, "REFU": 0.005, "NOBT": 0.005}  # fmt: skip
"""Shares of ethnic groups: DfE, Schools, pupils and their characteristics 2024/25; White groups chosen."""

NEED_CODES = ("SEMH", "SLCN", "ASD", "MLD", "SPLD", "OTH")
NEED_SHARES = (0.18, 0.24, 0.13, 0.2, 0.15, 0.1)
"""Types of need: between DfE 2016/17 and 2025; chosen."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Population:
    """Pupils and schools.

    Attributes
    ----------
    first_group : int array of shape (n_pupils,)
        Year group in the first school year; negative for pupils who start later.
    male, fsm : bool arrays of shape (n_pupils,)
        Sex, eligibility for free school meals.
    ethnicity : int array of shape (n_pupils,)
        Place in :data:`ETHNICITIES`.
    birth_month : int array of shape (n_pupils,)
        0 (September) to 11 (August).
    deprivation, ability, stress : float arrays of shape (n_pupils,)
        Standard normal: neighbourhood, attainment, stress at home.
    need : int array of shape (n_pupils,)
        Place in :data:`NEED_CODES`, -1 without.
    found_group : float array of shape (n_pupils,)
        Year group (with fraction) in which the need is first recorded.
    pressure_mean, disengagement_mean : float arrays of shape (n_pupils,)
        Where the latent states return to.
    primary, secondary : int arrays of shape (n_pupils,)
        Schools.
    culture : float array of shape (n_schools,)
        Factor on suspensions.
    severity : float array of shape (n_schools,)
        Further factor on permanent exclusions.
    n_primary, n_secondary : int
        Schools of each phase; one special and one AP school come after them.
    """

    first_group: Ints
    male: NDArray[np.bool_]
    fsm: NDArray[np.bool_]
    ethnicity: Ints
    birth_month: Ints
    deprivation: Floats
    ability: Floats
    stress: Floats
    need: Ints
    found_group: Floats
    pressure_mean: Floats
    disengagement_mean: Floats
    primary: Ints
    secondary: Ints
    culture: Floats
    severity: Floats
    n_primary: int
    n_secondary: int

    @property
    def n_schools(self) -> int:
        """All schools."""
        return self.n_primary + self.n_secondary + 2

    @property
    def ap_school(self) -> int:
        """Number of the AP school."""
        return self.n_schools - 1


def make_population(pupils: int, years: int, preset: str, rng: np.random.Generator) -> Population:
    """Draw schools and pupils.

    Parameters
    ----------
    pupils : int
        On roll at any time, Reception to Year 11.
    years : int
        School years; each brings a new Reception.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    Population
        Pupils in random order.
    """
    a_year = max(1, round(pupils / 12))
    n = a_year * (12 + years - 1)
    first_group = rng.permutation(np.repeat(np.arange(12, -years, -1)[1:], a_year)[:n])
    n_primary, n_secondary = (
        max(4, round(pupils * 7 / 12 / 270)),
        max(3, round(pupils * 5 / 12 / 900)),
    )
    deprivation, stress, ability = rng.standard_normal((3, n))
    male = rng.random(n) < parameter("sex.male") / 100
    stress = 0.4 * deprivation + np.sqrt(1 - 0.16) * stress
    fsm = _choose(1.2 * deprivation + 0.5 * stress, parameter("fsm") / 100, rng)
    has_need = _choose(0.5 * male + 0.3 * deprivation - 0.5 * ability, parameter("sen") / 100, rng)
    need = np.where(has_need, rng.choice(len(NEED_CODES), n, p=NEED_SHARES), -1)
    spread = parameter(f"{preset}.culture_spread")
    n_schools = n_primary + n_secondary + 2
    primary = _assign(deprivation, n_primary, rng)
    slowness = np.exp(0.5 * rng.standard_normal(n_schools))
    pressure = (
        0.35 * male + 0.3 * stress + 0.25 * fsm + 0.9 * (need == 0) + 0.25 * (need > 0)
        - 0.15 * ability + 0.75 * rng.standard_normal(n)
    )  # fmt: skip
    disengagement = 0.45 * pressure + 0.3 * stress + 0.3 * fsm + 0.6 * rng.standard_normal(n)
    return Population(
        first_group=first_group, male=male, fsm=fsm,
        ethnicity=rng.choice(len(ETHNICITIES), n, p=_shares(list(ETHNICITIES.values()))),
        birth_month=rng.integers(0, 12, n), deprivation=deprivation, ability=ability, stress=stress,
        need=need, found_group=rng.gamma(1.6, 1.6, n) * slowness[primary],
        pressure_mean=pressure - pressure.mean(),
        disengagement_mean=disengagement - disengagement.mean(),
        primary=primary, secondary=n_primary + _assign(deprivation, n_secondary, rng),
        culture=np.exp(0.45 * rng.standard_normal(n_schools)),
        severity=np.exp(spread * rng.standard_normal(n_schools)),
        n_primary=n_primary, n_secondary=n_secondary,
    )  # fmt: skip


def _shares(weights: list[float]) -> Floats:
    return np.array(weights) / sum(weights)


def _choose(score: Floats, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose a share of pupils, likelier the higher their score."""
    noisy = score + rng.logistic(size=len(score))
    return noisy > np.quantile(noisy, 1 - share)


def _assign(deprivation: Floats, n_schools: int, rng: np.random.Generator) -> Ints:
    """Deal pupils out to schools, neighbours mostly together."""
    noisy = deprivation + rng.standard_normal(len(deprivation))
    place = np.argsort(np.argsort(noisy, kind="stable"), kind="stable")
    school = place * n_schools // len(noisy)
    return np.asarray(rng.permutation(n_schools)[school])
