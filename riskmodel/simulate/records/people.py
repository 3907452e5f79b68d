"""Who the pupils are and where they live.

In:  the population and a random generator.
Out: the ``pupils`` and ``neighbourhood`` tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.simulate.parameters import parameter
from riskmodel.simulate.population import ETHNICITIES, Population
from riskmodel.simulate.records.columns import coded, september

__all__ = ["neighbourhood_table", "pupils_table"]


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
    other = ~np.isin(names, ["WBRI", "WIRI", "WIRT", "BCRB", "MWBC", "REFU", "NOBT"])
    share = (
        parameter("english_additional.primary") + parameter("english_additional.secondary")
    ) / 200
    other &= rng.random(len(names)) < share / other.mean()
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "birth_month": born,
            "sex": coded("pupils", "sex", np.where(population.male, "M", "F")),
            "ethnicity": coded("pupils", "ethnicity", names),
            "first_language": pd.array(np.where(other, "OTH", "ENG"), dtype="str"),
            "religion": pd.array([None] * len(names), dtype="str"),
        }
    )


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
    """
    place = np.argsort(np.argsort(-population.deprivation, kind="stable"), kind="stable")
    decile = 1.0 + place * 10 // len(place)
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
