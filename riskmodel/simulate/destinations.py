"""After Year 11: who becomes NEET, whose activity is not known.

In:  latent states at the end of Year 11.
Out: chances, raked to published levels by sex, SEN and social care.
"""

from __future__ import annotations

import numpy as np

from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.population import Population
from riskmodel.simulate.shapes import GROUPS, Floats, Ints, rake

__all__ = ["SLOPE", "NeetLevels", "neet_chance", "neet_levels", "not_known_chance"]

SLOPE = 1.25
"""Effect of disengagement, in log-odds; chosen."""

NeetLevels = list[Floats]
"""Factor of each group: sex, SEN provision, vulnerable."""

LAST = GROUPS - 1


def _groups(population: Population, rows: Ints) -> list[Ints]:
    """Return sex, SEN provision and whether vulnerable, of leavers."""
    vulnerable = (population.social[rows, LAST] > 0) | (population.social[rows, LAST - 1] > 0)
    return [
        population.male[rows].astype(np.int64),
        population.provision[rows, LAST].astype(np.int64),
        vulnerable.astype(np.int64),
    ]


def _weight(population: Population, rows: Ints, disengagement: Floats) -> Floats:
    """Return each pupil's weight before raking: more disengagement, less ability."""
    score = SLOPE * disengagement - 0.45 * population.ability[rows]
    return np.asarray(np.exp(score))


def neet_levels(
    population: Population, rows: Ints, disengagement: Floats, preset: Preset
) -> NeetLevels:
    """Return the factors that give the published levels.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils whose states are taken as those of leavers.
    disengagement : float array of shape (n_rows,)
        Their latent state.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    list of float arrays of shape (n_groups,)
        One factor per group.
    """
    groups = _groups(population, rows)
    totals = _totals(groups, preset)
    factors = [np.ones(len(total)) for total in totals]
    rake(_weight(population, rows, disengagement), groups, totals, factors, most=0.9, rounds=30)
    return factors


def _totals(groups: list[Ints], preset: Preset) -> list[Floats]:
    """Return the pupils expected to be NEET in each group, by sex, SEN provision, vulnerable."""
    by_sex = np.array([parameter(f"neet.16.{sex}", preset) / 100 for sex in ("F", "M")])
    expected = np.bincount(groups[0], minlength=2) * by_sex
    rates = parameters_under("neet_or_not_known")
    share = parameter("vulnerable_share") / 100
    others = (rates["all"] - share * rates["vulnerable"]) / (1 - share)
    provision = [rates["none"], rates["sen_support"], rates["ehc_plan"]]
    totals = [expected]
    for group, relative in zip(groups[1:], (provision, [others, rates["vulnerable"]]), strict=True):
        part = np.bincount(group, minlength=len(relative)) * np.array(relative)
        totals.append(expected.sum() * part / part.sum())
    return totals


def neet_chance(
    population: Population, rows: Ints, disengagement: Floats, levels: NeetLevels
) -> Floats:
    """Return the chance of being NEET in the winter after Year 11.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Pupils wanted.
    disengagement : float array of shape (n_rows,)
        Latent state at the end of Year 11.
    levels : list of float arrays of shape (n_groups,)
        From :func:`neet_levels`.

    Returns
    -------
    float array of shape (n_rows,)
        Probability.
    """
    weight = _weight(population, rows, disengagement)
    for group, factor in zip(_groups(population, rows), levels, strict=True):
        weight = weight * factor[group]
    return np.minimum(weight, 0.9)


def not_known_chance(
    population: Population, rows: Ints, disengagement: Floats, preset: Preset
) -> Floats:
    """Return the chance that a leaver's activity is not known.

    Parameters
    ----------
    population : Population
        Pupils.
    rows : int array of shape (n_rows,)
        Leavers.
    disengagement : float array of shape (n_rows,)
        Latent state.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    float array of shape (n_rows,)
        Probability.
    """
    level = np.array([parameter(f"not_known.16.{sex}", preset) / 100 for sex in ("F", "M")])
    lean = np.exp(0.5 * disengagement)
    sex = population.male[rows].astype(int)
    mean = np.bincount(sex, lean, 2) / np.maximum(np.bincount(sex, minlength=2), 1)
    return np.minimum(level[sex] * lean / mean[sex], 0.5)
