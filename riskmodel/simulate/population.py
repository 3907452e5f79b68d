"""Who there is: schools with their cultures, pupils with their traits.

In:  how many pupils and years, a preset.
Out: :class:`Population`: arrays, one value per pupil, or per pupil and year group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.simulate.circumstances import draw_circumstances
from riskmodel.simulate.needs import draw_needs
from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.shapes import Floats, Ints, standardise

__all__ = ["ETHNICITIES", "Population", "Schools", "make_population"]

ETHNICITIES = tuple(parameters_under("ethnicity"))
"""Ethnic groups in the order of the parameter file."""

TOP_SCHOOLS = 6 / 26
"""Share of secondary schools whose part in all exclusions is a parameter."""

CULTURE_PART = {"susp": 0.76, "pex": 0.6}
"""Part of the spread between schools that is culture; who goes there makes the rest. Fitted."""


@dataclass(frozen=True, kw_only=True)
class Schools:
    """Schools by number: primary, secondary, special, and one for alternative provision.

    Attributes
    ----------
    n_primary, n_secondary, n_special : int
        Schools of each kind.
    culture, severity : float arrays of shape (n_schools,)
        Factors on suspensions and on permanent exclusions.
    """

    n_primary: int
    n_secondary: int
    n_special: int
    culture: Floats
    severity: Floats

    @property
    def count(self) -> int:
        """All schools."""
        return self.n_primary + self.n_secondary + self.n_special + 1

    @property
    def ap(self) -> int:
        """Number of the school for alternative provision."""
        return self.count - 1


@dataclass(frozen=True, kw_only=True)
class Population:
    """Pupils: what they are and what becomes of their circumstances and needs by year group.

    Attributes
    ----------
    first_group : int array of shape (n_pupils,)
        Year group in the first school year; negative for pupils who start later.
    arrives : int array of shape (n_pupils,)
        Half-term in which a pupil comes from another area; 0 for all others.
    male, special : bool arrays of shape (n_pupils,)
        Sex; whether at a special school.
    ethnicity : int array of shape (n_pupils,)
        Place in :data:`ETHNICITIES`.
    birth_month : int array of shape (n_pupils,)
        0 (September) to 11 (August).
    deprivation, ability, stress : float arrays of shape (n_pupils,)
        Standard normal: neighbourhood, attainment, stress at home.
    pressure_mean, disengagement_mean : float arrays of shape (n_pupils,)
        Where the latent states return to.
    fsm : bool array of shape (n_pupils, 12)
        Eligible for free school meals, by year group.
    social : int8 array of shape (n_pupils, 12)
        0 none, 1 child in need, 2 child protection plan, 3 looked after.
    early_help : bool array of shape (n_pupils, 12)
        Early help.
    need : int array of shape (n_pupils,)
        Place in :data:`riskmodel.simulate.needs.NEEDS`.
    provision : int8 array of shape (n_pupils, 12)
        0 none, 1 SEN support, 2 EHC plan, as recorded.
    unmet : bool array of shape (n_pupils, 12)
        A need that nobody has recorded yet, or no longer.
    primary, secondary : int arrays of shape (n_pupils,)
        Schools; the special school in both where ``special``.
    schools : Schools
        The schools.
    """

    first_group: Ints
    arrives: Ints
    male: NDArray[np.bool_]
    special: NDArray[np.bool_]
    ethnicity: Ints
    birth_month: Ints
    deprivation: Floats
    ability: Floats
    stress: Floats
    pressure_mean: Floats
    disengagement_mean: Floats
    fsm: NDArray[np.bool_]
    social: NDArray[np.int8]
    early_help: NDArray[np.bool_]
    need: Ints
    provision: NDArray[np.int8]
    unmet: NDArray[np.bool_]
    primary: Ints
    secondary: Ints
    schools: Schools

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.first_group)


def make_population(
    pupils: int, years: int, preset: Preset, rng: np.random.Generator
) -> Population:
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
    first_group = rng.permutation(np.repeat(np.arange(11, -years, -1), a_year))
    n = len(first_group)
    deprivation, ability, own = rng.standard_normal((3, n))
    stress = 0.45 * deprivation + np.sqrt(1 - 0.45**2) * own
    male = rng.random(n) < parameter("male") / 100
    shares = np.array(list(parameters_under("ethnicity").values()))
    schools = _make_schools(pupils, preset, rng)
    fsm, social, early_help = draw_circumstances(deprivation, stress, first_group, preset, rng)
    primary = _assign(deprivation, schools.n_primary, rng)
    frailty = rng.standard_normal(n)
    needs = draw_needs(
        male, fsm, 0.6 * frailty + 0.4 * stress - 0.5 * ability, primary, preset, rng
    )
    pressure = (
        0.35 * stress
        + 0.9 * frailty
        - 0.2 * ability
        + 0.3 * (needs.need == 0)
        + 0.15 * rng.standard_normal(n)
    )
    disengagement = 0.5 * standardise(pressure) + 0.35 * stress + 0.75 * rng.standard_normal(n)
    special_school = schools.n_primary + schools.n_secondary + rng.integers(0, schools.n_special, n)
    secondary = schools.n_primary + _assign(deprivation, schools.n_secondary, rng)
    return Population(
        first_group=first_group,
        arrives=_arrivals(n, first_group, years, rng),
        male=male,
        special=needs.special,
        ethnicity=rng.choice(len(shares), n, p=shares / shares.sum()),
        birth_month=rng.integers(0, 12, n),
        deprivation=deprivation,
        ability=ability,
        stress=stress,
        pressure_mean=standardise(pressure),
        disengagement_mean=standardise(disengagement),
        fsm=fsm,
        social=social,
        early_help=early_help,
        need=needs.need,
        provision=needs.provision,
        unmet=needs.unmet,
        primary=np.where(needs.special, special_school, primary),
        secondary=np.where(needs.special, special_school, secondary),
        schools=schools,
    )


def _make_schools(pupils: int, preset: Preset, rng: np.random.Generator) -> Schools:
    """Give secondary schools the cultures that make a few of them issue most exclusions."""
    numbers = {
        kind: max(fewest, round(pupils * share / parameter(f"school_size.{kind}", preset)))
        for kind, share, fewest in (
            ("primary", 7 / 12, 4),
            ("secondary", 5 / 12, 3),
            ("special", 0.018, 1),
        )
    }
    logs = []
    for kind, n in [*numbers.items(), ("ap", 1)]:
        place = norm.ppf((np.arange(n) + 0.5) / n)
        common, other = rng.permutation(place), rng.permutation(place)
        spread = {
            name: part * _spread(parameter(f"top_schools.{name}", preset) / 100)
            if kind == "secondary"
            else 0.3
            for name, part in CULTURE_PART.items()
        }
        logs.append(
            [spread["susp"] * common, spread["pex"] * (0.5 * common + np.sqrt(0.75) * other)]
        )
    culture, severity = (np.exp(np.concatenate(part)) for part in zip(*logs, strict=True))
    return Schools(
        n_primary=numbers["primary"],
        n_secondary=numbers["secondary"],
        n_special=numbers["special"],
        culture=culture,
        severity=severity,
    )


def _spread(share: float) -> float:
    """Return the lognormal spread with which the top schools have a given share of the total."""
    return max(0.1, float(norm.ppf(1 - TOP_SCHOOLS) - norm.ppf(1 - share)))


def _assign(deprivation: Floats, n_schools: int, rng: np.random.Generator) -> Ints:
    """Deal pupils out to schools, neighbours mostly together."""
    noisy = deprivation + rng.standard_normal(len(deprivation))
    place = np.argsort(np.argsort(noisy, kind="stable"), kind="stable")
    return np.asarray(rng.permutation(n_schools)[place * n_schools // len(noisy)])


def _arrivals(n: int, first_group: Ints, years: int, rng: np.random.Generator) -> Ints:
    """Let some pupils come from elsewhere, never in the first half-term of a year."""
    half_term = rng.integers(0, years, n) * 6 + rng.integers(1, 6, n)
    group = first_group + half_term // 6
    comes = rng.random(n) < years * parameter("arrivals") / 100
    return np.where(comes & (group >= 0) & (group <= 11), half_term, 0)
