"""Schools and pupils before anything happens to them.

In:  how many pupils, the timeline, parameters.
Out: :class:`Schools`, :class:`Population`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.simulate.parameters import Parameters

__all__ = ["Population", "Schools", "make_population", "make_schools"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ETHNICITIES = {
    # share of pupils (DfE, 2024/25; White groups recalled), log relative risk of exclusion
    # (DfE, 2016/17, halved: part of it runs through the other causes)
    "WBRI": (0.61, 0.0), "WIRI": (0.002, 0.2), "WIRT": (0.001, 0.7), "WROM": (0.003, 0.7),
    "WOTH": (0.07, -0.3), "MWBC": (0.016, 0.43), "MWBA": (0.01, 0.07), "MWAS": (0.017, -0.05),
    "MOTH": (0.029, 0.05), "AIND": (0.042, -0.8), "APKN": (0.047, -0.3), "ABAN": (0.018, -0.6),
    "AOTH": (0.023, -0.8), "CHNE": (0.008, -1.0), "BCRB": (0.009, 0.5), "BAFR": (0.052, -0.05),
    "BOTH": (0.008, 0.2), "OOTH": (0.025, -0.2), "REFU": (0.005, 0.0), "NOBT": (0.008, 0.0),
}  # fmt: skip
NEEDS = {"SLCN": 0.25, "SPLD": 0.18, "MLD": 0.17, "ASD": 0.17, "OTH": 0.06, "NSA": 0.05,
         "SLD": 0.03, "PD": 0.04, "HI": 0.025, "VI": 0.015, "PMLD": 0.01}  # fmt: skip
"""Needs other than SEMH, shares about those of SEN pupils (DfE, 2016/17 and 2025)."""


@dataclass(frozen=True)
class Schools:
    """Schools: primaries first, then secondaries, one special school, one AP.

    Attributes
    ----------
    primaries, secondaries : int
        Mainstream schools of each phase.
    culture : ndarray of float32
        Log relative risk of exclusion that the school itself adds.
    delay : ndarray of float32
        How slowly the school finds needs, in half-terms.
    """

    primaries: int
    secondaries: int
    culture: Floats
    delay: Floats

    @property
    def special(self) -> int:
        """Number of the special school."""
        return self.primaries + self.secondaries

    @property
    def alternative(self) -> int:
        """Number of the AP school."""
        return self.special + 1


@dataclass(frozen=True)
class Population:
    """Pupils; a pupil's number says nothing about them.

    Attributes
    ----------
    cohort : ndarray of int
        School year (0 is the first simulated) in which the pupil was or would be in Reception.
    joins : ndarray of int
        Half-term in which the pupil comes onto a roll of the LA; -1 was there before.
    primary, secondary : ndarray of int
        School of each phase.
    male, fsm : ndarray of bool
        Sex; eligible for free school meals at least for a time.
    ethnicity, need : ndarray of str
        Codes; ``need`` is empty where there is none.
    severity : ndarray of float32
        Of the need, 0 to 1.
    identified : ndarray of int
        Half-term in which the need is found, 10,000 for never.
    deprivation : ndarray of int
        IDACI decile.
    engagement, regulation, stress, ability : ndarray of float32
        Stable latent traits, standard normal.
    static : ndarray of float32
        Log relative risk of exclusion from all that does not change.
    """

    cohort: Ints
    joins: Ints
    primary: Ints
    secondary: Ints
    male: NDArray[np.bool_]
    fsm: NDArray[np.bool_]
    ethnicity: NDArray[np.str_]
    need: NDArray[np.str_]
    severity: Floats
    identified: Ints
    deprivation: Ints
    engagement: Floats
    regulation: Floats
    stress: Floats
    ability: Floats
    static: Floats

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.cohort)

    def year_group(self, half: int) -> Ints:
        """Return each pupil's year group in a half-term; may lie outside 0 to 11."""
        return half // 6 - self.cohort


def make_schools(pupils: int, parameters: Parameters, rng: np.random.Generator) -> Schools:
    """Draw the schools.

    Parameters
    ----------
    pupils : int
        Pupils on roll.
    parameters : Parameters
        Numbers.
    rng : Generator
        Random numbers.

    Returns
    -------
    Schools
        About two per 1,000 pupils.
    """
    primaries, secondaries = max(4, round(pupils / 650)), max(2, round(pupils / 2300))
    number = primaries + secondaries + 2
    culture = rng.normal(0, parameters.level("culture_spread"), number)
    strict = max(1, round(parameters["strict_share"] * secondaries))
    culture[primaries : primaries + strict] += parameters.level("strict_shift")
    culture[primaries : primaries + secondaries] = rng.permutation(
        culture[primaries : primaries + secondaries]
    )
    culture[-2:] = (-1.0, -2.0)
    delay = rng.gamma(2.0, 4.0, number) + 1
    return Schools(primaries, secondaries, culture.astype(np.float32), delay.astype(np.float32))


def make_population(
    pupils: int, years: int, schools: Schools, parameters: Parameters, rng: np.random.Generator
) -> Population:
    """Draw the pupils.

    Parameters
    ----------
    pupils : int
        Pupils on roll at any time.
    years : int
        School years.
    schools : Schools
        Schools.
    parameters : Parameters
        Numbers.
    rng : Generator
        Random numbers.

    Returns
    -------
    Population
        Everyone who is ever on a roll.
    """
    cohort, joins = _cohorts(pupils, years, rng)
    number = len(cohort)
    deprivation = rng.integers(1, 11, number)
    engagement, regulation, stress, ability = _traits(deprivation, rng)
    poor = 1 / (1 + np.exp(0.42 * deprivation + 0.55 - 0.5 * stress))
    fsm = rng.random(number) < np.minimum(0.95, poor * parameters["fsm_share"] / poor.mean())
    male = rng.random(number) < parameters["male_share"]
    ethnicity = rng.choice(list(ETHNICITIES), number, p=_shares([s for s, _ in ETHNICITIES.values()]))
    need, severity = _needs(male, fsm, regulation, ability, rng)
    special = (severity > 0.93) & (need != "")
    primary = rng.integers(0, schools.primaries, number)
    # a quarter of the way to a feeder pattern: neighbours go on together
    feeder = primary % schools.secondaries
    other = rng.integers(0, schools.secondaries, number)
    secondary = schools.primaries + np.where(rng.random(number) < 0.6, feeder, other)
    primary = np.where(special, schools.special, primary)
    secondary = np.where(special, schools.special, secondary)
    delay = rng.exponential(schools.delay[primary]) * np.where(need == "SEMH", 2.0, 1.0)
    delay = np.where(special, 0, delay * (1.5 - severity))
    found = cohort * 6 + np.where(need == "SEMH", rng.integers(0, 36, number), 0) + delay.astype(int)
    risk = np.array([r for _, r in ETHNICITIES.values()])[
        np.argsort(np.argsort(list(ETHNICITIES)))[np.searchsorted(sorted(ETHNICITIES), ethnicity)]
    ] if False else np.array([ETHNICITIES[code][1] for code in sorted(ETHNICITIES)])[
        np.searchsorted(sorted(ETHNICITIES), ethnicity)
    ]
    static = (
        parameters["male_effect"] * male + parameters["fsm_effect"] * fsm + risk
        + np.where(need == "SEMH", parameters["semh_effect"], 0.0)
        + np.where((need != "SEMH") & (need != ""), parameters["other_need_effect"], 0.0)
    )  # fmt: skip
    return Population(
        cohort=cohort, joins=joins, primary=primary, secondary=secondary, male=male, fsm=fsm,
        ethnicity=ethnicity, need=need, severity=severity.astype(np.float32),
        identified=np.where(need != "", found, 10_000), deprivation=deprivation,
        engagement=engagement, regulation=regulation, stress=stress, ability=ability,
        static=static.astype(np.float32),
    )  # fmt: skip


def _shares(values: list[float]) -> NDArray[np.float64]:
    return np.array(values) / sum(values)


def _cohorts(pupils: int, years: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw when each pupil is in Reception and joins the LA's rolls, in random order."""
    size = round(pupils / 12)
    base = np.repeat(np.arange(-11, years), size)
    base_joins = np.where(base < 0, -1, base * 6)
    movers = round(0.03 * pupils * years)
    halves = rng.integers(1, 6 * years, movers)
    year_groups = rng.integers(0, 11, movers)
    order = rng.permutation(len(base) + movers)
    cohort = np.concatenate([base, halves // 6 - year_groups])
    return cohort[order], np.concatenate([base_joins, halves])[order]


def _traits(deprivation: Ints, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    number = len(deprivation)
    common, e, r, s, a = rng.standard_normal((5, number))
    poor = (5.5 - deprivation) / 2.87
    stress = 0.35 * poor + 0.45 * common + 0.82 * s
    regulation = -0.15 * poor - 0.45 * common + 0.88 * r
    engagement = -0.2 * poor - 0.4 * common + 0.35 * regulation + 0.75 * e
    ability = -0.25 * poor + 0.3 * engagement + 0.9 * a
    return (
        engagement.astype(np.float32), regulation.astype(np.float32), stress.astype(np.float32),
        ability.astype(np.float32),
    )  # fmt: skip


def _needs(
    male: NDArray[np.bool_], fsm: NDArray[np.bool_], regulation: Floats, ability: Floats,
    rng: np.random.Generator,
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:  # fmt: skip
    """Draw the need, if any, and how severe it is."""
    number = len(male)
    semh = rng.random(number) < 1 / (1 + np.exp(4.1 + 1.1 * regulation - 0.3 * male - 0.4 * fsm))
    other = rng.random(number) < 1 / (1 + np.exp(2.1 + 0.7 * ability - 0.75 * male - 0.5 * fsm))
    codes = rng.choice(list(NEEDS), number, p=_shares(list(NEEDS.values())))
    need = np.where(semh, "SEMH", np.where(other, codes, ""))
    severity = rng.random(number)
    grave = np.isin(need, ["SLD", "PMLD"])
    return need, np.where(grave, 0.8 + 0.2 * severity, severity)
