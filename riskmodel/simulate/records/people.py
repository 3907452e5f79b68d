"""Who the pupils are and where they live.

In:  the population and a random generator.
Out: the ``pupils`` and ``neighbourhood`` tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.simulate.parameters import parameters_under
from riskmodel.simulate.population import ETHNICITIES, Population
from riskmodel.simulate.records.columns import coded, september

__all__ = ["neighbourhood_table", "pupils_table"]

ENGLISH_SPEAKING = ("WBRI", "WIRI", "WIRT", "BCRB", "MWBC", "REFU", "NOBT")
"""Ethnic groups whose pupils all have English as their first language here; chosen."""


def pupils_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``pupils`` table.

    Parameters
    ----------
    population : Population
        Traits.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row per pupil.
    """
    names = np.array(ETHNICITIES, dtype=object)[population.ethnicity]
    # Reception pupils are four on 31 August: born from September, five years before
    september = (first_year - 5 - population.first_group - 1970) * 12 + 8
    born = (september + population.birth_month).astype("datetime64[M]").astype("datetime64[s]")
    other = _other_language(names, rng)
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "birth_month": born,
            "sex": coded("pupils", "sex", np.where(population.male, "M", "F")),
            "ethnicity": coded("pupils", "ethnicity", names),
            "first_language": pd.array(np.where(other, "OTH", "ENG"), dtype="str"),
            "first_language_recorded_on": np.full(len(names), np.datetime64("NaT", "s")),
            "religion": pd.array([None] * len(names), dtype="str"),
        }
    )


def _other_language(names: NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw who has another first language than English; ``names`` are ethnic groups."""
    other = ~np.isin(names, ENGLISH_SPEAKING)
    levels = parameters_under("english_additional")
    share = (levels["primary"] + levels["secondary"]) / 200
    return np.asarray(other & (rng.random(len(names)) < share / other.mean()))


def neighbourhood_table(
    population: Population, ids: pd.Categorical, first_year: int
) -> pd.DataFrame:
    """Return the ``neighbourhood`` table.

    Parameters
    ----------
    population : Population
        Deprivation.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.

    Returns
    -------
    DataFrame
        One address per pupil, recorded a term after Reception.

    Examples
    --------
    >>> from riskmodel.simulate.population import make_population
    >>> population = make_population(120, 1, "england", np.random.default_rng(0))
    >>> ids = pd.Categorical([f"P{number}" for number in range(120)])
    >>> neighbourhood_table(population, ids, 2024)["idaci_decile"].value_counts().max()
    np.int64(12)
    """
    rank = np.argsort(np.argsort(-population.deprivation, kind="stable"), kind="stable")
    decile = 1.0 + rank * 10 // len(rank)
    start = september(first_year, population.first_group, 0).astype("datetime64[s]")
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "start_date": start,
            "idaci_decile": decile,
            "imd_decile": decile,
            "recorded_on": start + np.timedelta64(90, "D"),
        }
    )
