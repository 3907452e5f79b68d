"""The schools with their cultures, and the pupils with their traits.

In:  how many pupils and years, a preset.
Out: :class:`Population`: arrays, one value per pupil, or per pupil and year group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from riskmodel.simulate.circumstances import Hardship, draw_hardship
from riskmodel.simulate.needs import NEEDS, Severity, draw_severity
from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.shapes import Floats, Ints, standardise
from riskmodel.simulate.worlds import STEADY, World

__all__ = ["ETHNICITIES", "Population", "Schools", "lognormal_spread", "make_population"]

ETHNICITIES = tuple(parameters_under("ethnicity"))
"""Ethnic groups in the order of the parameter file."""

TOP_SCHOOLS = 6 / 26
"""Share of secondary schools whose part in all exclusions is a parameter."""

CULTURE_PART = {"susp": 0.76, "pex": 0.6}
"""Part of the spread between schools that is culture; their pupils explain the rest. Fitted."""


SCHOOLS = {"primary": (7 / 12, 4), "secondary": (5 / 12, 3), "special": (0.018, 1)}
"""Kind of school → share of pupils, and fewest schools; chosen."""


@dataclass(frozen=True, kw_only=True)
class Schools:
    """Schools by number: primary, secondary, special, and one for alternative provision.

    Attributes
    ----------
    n_primary, n_secondary, n_special : int
        Schools of each kind.
    culture, severity : float arrays of shape (n_schools,)
        Factors on suspensions and on permanent exclusions.

    Examples
    --------
    >>> even = np.ones(7)
    >>> schools = Schools(n_primary=4, n_secondary=1, n_special=1, culture=even, severity=even)
    >>> schools.count, schools.ap
    (7, 6)
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
        Index in :data:`ETHNICITIES`.
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
        Index in :data:`riskmodel.simulate.needs.NEEDS`: the kind of need, of those who have one.
    provision : int8 array of shape (n_pupils, 12)
        0 none, 1 SEN support, 2 EHC plan, as recorded.
    unmet : bool array of shape (n_pupils, 12)
        A need that nobody has recorded yet, or no longer.
    primary, secondary : int arrays of shape (n_pupils,)
        Schools; the special school in both where ``special``.
    schools : Schools
        The schools.
    hardship : Hardship
        The scores behind free school meals, social care and early help.
    severity : Severity
        The scores behind needs.
    world : World
        The mechanisms of their world.
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
    hardship: Hardship
    severity: Severity
    world: World

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.first_group)

    def redrawn(self, half_term: int, rng: np.random.Generator) -> Population:
        """Draw again the circumstances and needs of the school years after a half-term.

        Parameters
        ----------
        half_term : int
            Its number; the circumstances of its school year are known.
        rng : Generator
            Source of randomness.

        Returns
        -------
        Population
            The same up to that school year, whatever became of the pupils in this one.
        """
        known = self.first_group + half_term // 6
        hardship = self.hardship.redrawn(known, rng)
        severity = self.severity.redrawn(known, rng)
        return replace(
            self, hardship=hardship, severity=severity, **_by_year_group(hardship, severity)
        )


def _by_year_group(hardship: Hardship, severity: Severity) -> dict[str, Any]:
    """Return the circumstances and needs of a population."""
    now = hardship.circumstances()
    needs = severity.needs(now.fsm)
    return {
        "fsm": now.fsm,
        "social": now.social,
        "early_help": now.early_help,
        "provision": needs.provision,
        "unmet": needs.unmet,
    }


def make_population(
    pupils: int, years: int, preset: Preset, rng: np.random.Generator, world: World = STEADY
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
    world : World
        The mechanisms of their world; the same pupils live in every world.

    Returns
    -------
    Population
        Pupils in random order.

    Examples
    --------
    Two school years bring 13 year groups: the twelve of the first, and a new Reception.

    >>> population = make_population(240, 2, "england", np.random.default_rng(0))
    >>> len(population), population.schools.count
    (260, 9)
    """
    # the order of the draws is part of the seed's meaning: never reorder these lines
    first_group = rng.permutation(np.repeat(np.arange(11, -years, -1), max(1, round(pupils / 12))))
    n = len(first_group)
    deprivation, ability, own = rng.standard_normal((3, n))
    stress = 0.45 * deprivation + np.sqrt(1 - 0.45**2) * own
    male = rng.random(n) < parameter("male") / 100
    schools = _make_schools(pupils, preset, rng)
    hardship = draw_hardship(deprivation, stress, preset, rng)
    primary = _assign(deprivation, schools.n_primary, rng)
    frailty = rng.standard_normal(n)
    vulnerability = 0.6 * frailty + 0.4 * stress - 0.5 * ability
    fsm = hardship.circumstances().fsm
    severity = draw_severity(male, fsm, vulnerability, primary, preset, rng)
    first = severity.needs(fsm)
    has_need = first.unmet[:, 0] | (first.provision[:, 0] > 0)
    semh = has_need & (severity.kind == NEEDS.index("SEMH"))
    pressure, disengagement = _latent_means(stress, frailty, ability, semh, rng)
    special_school = schools.n_primary + schools.n_secondary + rng.integers(0, schools.n_special, n)
    secondary = schools.n_primary + _assign(deprivation, schools.n_secondary, rng)
    return Population(
        first_group=first_group,
        arrives=_arrivals(n, first_group, years, rng),
        male=male,
        special=severity.special,
        ethnicity=_ethnicities(n, rng),
        birth_month=rng.integers(0, 12, n),
        deprivation=deprivation,
        ability=ability,
        stress=stress,
        pressure_mean=pressure,
        disengagement_mean=disengagement,
        need=severity.kind,
        primary=np.where(severity.special, special_school, primary),
        secondary=np.where(severity.special, special_school, secondary),
        schools=schools,
        hardship=hardship,
        severity=severity,
        world=world,
        **_by_year_group(hardship, severity),
    )


def _latent_means(
    stress: Floats,
    frailty: Floats,
    ability: Floats,
    semh: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return each pupil's mean pressure and disengagement; ``semh`` marks a need of that type."""
    traits = 0.35 * stress + 0.9 * frailty - 0.2 * ability + 0.3 * semh
    pressure = standardise(traits + 0.15 * rng.standard_normal(len(stress)))
    disengagement = 0.5 * pressure + 0.35 * stress + 0.75 * rng.standard_normal(len(stress))
    return pressure, standardise(disengagement)


def _ethnicities(n: int, rng: np.random.Generator) -> Ints:
    """Draw ethnic groups by their published shares."""
    shares = np.array(list(parameters_under("ethnicity").values()))
    return rng.choice(len(shares), n, p=shares / shares.sum())


def _make_schools(pupils: int, preset: Preset, rng: np.random.Generator) -> Schools:
    """Draw the cultures of the schools; a few secondary schools issue most exclusions."""
    numbers = {
        kind: max(fewest, round(pupils * share / parameter(f"school_size.{kind}", preset)))
        for kind, (share, fewest) in SCHOOLS.items()
    }
    logs = [_cultures(kind, n, preset, rng) for kind, n in [*numbers.items(), ("ap", 1)]]
    culture, severity = (np.exp(np.concatenate(part)) for part in zip(*logs, strict=True))
    return Schools(
        n_primary=numbers["primary"],
        n_secondary=numbers["secondary"],
        n_special=numbers["special"],
        culture=culture,
        severity=severity,
    )


def _cultures(kind: str, n: int, preset: Preset, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return logarithms of culture and severity of the schools of one kind."""
    rank = norm.ppf((np.arange(n) + 0.5) / n)
    common, other = rng.permutation(rank), rng.permutation(rank)
    susp, pex = (
        part * lognormal_spread(parameter(f"top_schools.{event}", preset) / 100)
        if kind == "secondary"
        else 0.3
        for event, part in CULTURE_PART.items()
    )
    return susp * common, pex * (0.5 * common + np.sqrt(0.75) * other)


def lognormal_spread(share: float) -> float:
    """Return the lognormal spread with which the top schools have a given share of the total.

    Parameters
    ----------
    share : float
        Share of all events that happen at the top schools, the share :data:`TOP_SCHOOLS` of all.

    Returns
    -------
    float
        Standard deviation of the logarithm, at least 0.1.
    """
    return max(0.1, float(norm.ppf(1 - TOP_SCHOOLS) - norm.ppf(1 - share)))


def _assign(deprivation: Floats, n_schools: int, rng: np.random.Generator) -> Ints:
    """Return the school of each pupil; neighbours mostly go to the same one."""
    noisy = deprivation + rng.standard_normal(len(deprivation))
    rank = np.argsort(np.argsort(noisy, kind="stable"), kind="stable")
    return np.asarray(rng.permutation(n_schools)[rank * n_schools // len(noisy)])


def _arrivals(n: int, first_group: Ints, years: int, rng: np.random.Generator) -> Ints:
    """Draw who comes from elsewhere, and when: never in the first half-term of a year."""
    half_term = rng.integers(0, years, n) * 6 + rng.integers(1, 6, n)
    group = first_group + half_term // 6
    comes = rng.random(n) < years * parameter("arrivals") / 100
    return np.where(comes & (group >= 0) & (group <= 11), half_term, 0)
