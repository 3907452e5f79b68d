"""The simulated LA beside the published figures, one by one.

In:  tables of a simulated LA.
Out: per figure its target and two counts, whose ratio is the simulated value; counts of several LAs
or seeds add up.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.data.tables import Tables
from riskmodel.simulate.figures.absence import absence_figures
from riskmodel.simulate.figures.destinations import destination_figures
from riskmodel.simulate.figures.exclusions import exclusion_figures, incident_figures
from riskmodel.simulate.figures.population import population_figures
from riskmodel.simulate.figures.pupils import counted_pupils
from riskmodel.simulate.parameters import Preset, published

__all__ = ["measure", "summarise"]


def measure(tables: Tables, preset: Preset) -> pd.DataFrame:
    """Return each published figure and its counts in the last school year of the data.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    preset : str
        ``"england"`` or ``"bcp"``: the levels with which the LA was simulated.

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
    return figures[_is_published(figures.index, preset)]


def _is_published(figures: pd.Index, preset: Preset) -> NDArray[np.bool_]:
    """Return which figures are published for a preset.

    The inquiry published some figures of its LA; England's others need not hold there.
    """
    table = published()
    if preset == "england":
        return ~figures.isin(table.index[table["source"].str.startswith("chosen")])
    return figures.isin(table.index[table["england"] != table["bcp"]])


def summarise(runs: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean of each figure over several seeds, with its target.

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

    Examples
    --------
    >>> columns = ["target", "part", "whole", "factor"]
    >>> index = pd.Index(["absence"], name="figure")
    >>> runs = [pd.DataFrame([[8.0, part, 100, 100]], index, columns) for part in (7, 9)]
    >>> summary = summarise(runs).iloc[0]
    >>> float(summary["simulated"]), float(summary["off"]), bool(summary["within"])
    (8.0, 0.0, True)
    """
    values = pd.concat([_values(run) for run in runs], axis=1)
    target, mean, margin = runs[0]["target"], values.mean(axis=1), _margin(values)
    gap = mean - target
    columns = {
        "target": target,
        "simulated": mean,
        "low": mean - margin,
        "high": mean + margin,
        "off": gap / target,
        "within": (gap.abs() <= 0.1 * target) | ((target < 0.5) & (gap.abs() <= 0.05)),
    }
    return pd.DataFrame(columns).reset_index()


def _values(run: pd.DataFrame) -> pd.Series:
    """Return the figures of one run."""
    return pd.Series(ratio(run["factor"] * run["part"], run["whole"]), index=run.index)


def _margin(values: pd.DataFrame) -> pd.Series:
    """Return half the 95% interval of each row's mean; missing for one column."""
    n = values.shape[1]
    if n == 1:
        return pd.Series(np.nan, index=values.index)
    from scipy.stats import t

    return t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / np.sqrt(n)
