"""What happened to those listed, beside who was supported: to be read with care, never as an effect.

In:  earlier lists, decisions, outcomes so far.
Out: a table, and the sentence that must stand beside it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.evaluation.metrics import poisson_interval

__all__ = ["CAUTION", "outcomes_of_lists"]

CAUTION = (
    "Support changes outcomes, and officers support those they worry about most: these figures do not say "
    "what support did. A listed and supported pupil without the outcome may be a success of the list, and "
    "counts against it as a false alarm."
)


def outcomes_of_lists(lists: pd.DataFrame) -> pd.DataFrame:
    """Count what happened to the pupils of earlier lists, listed and not, supported and not.

    Parameters
    ----------
    lists : DataFrame
        ``as_of``, ``listed`` (bool), ``supported`` (``"yes"``, ``"no"`` or ``"not known"``), ``risk``,
        ``event`` (1 or 0: the outcome so far; nan where nothing is known before the horizon is over),
        ``complete`` (bool: the horizon is over), ``same_model`` (bool: made by the model that is watched).

    Returns
    -------
    DataFrame
        One row per list, listed or not, and support: ``pupils``, ``expected`` (sum of risks over the
        whole horizon), ``observed`` so far with the exact 95% interval of a Poisson count (missing, not
        0, where nothing is known yet), ``complete``, ``same_model``.
    """
    keys = ["as_of", "listed", "supported"]
    grouped = lists.groupby(keys, observed=True)
    table = grouped.agg(
        pupils=("risk", "size"), expected=("risk", "sum"), complete=("complete", "all"),
        same_model=("same_model", "all"),
    )  # fmt: skip
    observed = grouped["event"].sum(min_count=1)
    table.insert(2, "observed", observed.round().astype("Int64"))
    table = table.reset_index()
    low, high = poisson_interval(observed.to_numpy(dtype=float))
    table.insert(6, "observed_low", low)
    table.insert(7, "observed_high", high)
    order = np.lexsort((table["supported"], ~table["listed"], table["as_of"]))
    return table.iloc[order].reset_index(drop=True)
