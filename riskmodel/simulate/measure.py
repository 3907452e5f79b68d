"""The simulated LA beside the published figures, one by one.

In:  tables of a simulated LA.
Out: per figure its target and two counts, whose ratio is the simulated value; counts of several LAs
or seeds add up.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.tables import Tables
from riskmodel.simulate.figures.absence import absence_figures
from riskmodel.simulate.figures.destinations import destination_figures
from riskmodel.simulate.figures.exclusions import exclusion_figures, incident_figures
from riskmodel.simulate.figures.population import population_figures
from riskmodel.simulate.figures.pupils import counted_pupils
from riskmodel.simulate.parameters import Preset, published

__all__ = ["measure", "summarise"]


def measure(tables: Tables, preset: Preset) -> pd.DataFrame:
    """Count what the published figures are about, in the last school year of the data.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    preset : str
        Whose levels were asked for.

    Returns
    -------
    DataFrame
        Index ``figure``; ``target``, ``part``, ``whole``, ``factor``: the value is
        ``factor * part / whole``.
    """
    pupils = counted_pupils(tables)
    rows = [
        *population_figures(pupils, preset),
        *exclusion_figures(tables, pupils, preset),
        *incident_figures(tables, pupils, preset),
        *absence_figures(tables, pupils),
        *destination_figures(tables, pupils, preset),
    ]
    columns = ["figure", "target", "part", "whole", "factor"]
    figures = pd.DataFrame(rows, columns=columns).set_index("figure")
    table = published()
    ours = table.index[table["england"] != table["bcp"]]
    # the inquiry published some figures of its LA; the others of England need not hold there
    chosen = table.index[table["source"].str.startswith("chosen")]
    return figures[~figures.index.isin(chosen) if preset == "england" else figures.index.isin(ours)]


def summarise(runs: list[pd.DataFrame]) -> pd.DataFrame:
    """Put several seeds side by side with the targets.

    Parameters
    ----------
    runs : list of DataFrame
        From :func:`measure`, one per seed.

    Returns
    -------
    DataFrame
        ``figure``, ``target``, ``simulated`` (mean over seeds), ``low``, ``high`` (95% interval of
        the mean by Student's t; missing for one seed), ``off`` (relative), ``within`` (±10%, or
        ±0.05 for figures under 0.5).
    """
    values = pd.concat(
        [run["factor"] * run["part"] / run["whole"].where(run["whole"] > 0) for run in runs], axis=1
    )
    target, mean, n = runs[0]["target"], values.mean(axis=1), len(runs)
    margin = pd.Series(np.nan, index=target.index)
    if n > 1:
        from scipy.stats import t

        margin = t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
    gap = mean - target
    within = (gap.abs() <= 0.1 * target) | ((target < 0.5) & (gap.abs() <= 0.05))
    return pd.DataFrame(
        {
            "target": target,
            "simulated": mean,
            "low": mean - margin,
            "high": mean + margin,
            "off": gap / target,
            "within": within,
        }
    ).reset_index()
