"""Outcomes of listed pupils, beside who was supported: to be read with care, never as an effect.

In:  earlier lists, decisions, outcomes so far.
Out: a table, and the caution that belongs beside it; the rows that may be added up.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation.metrics import poisson_interval

__all__ = ["CAUTION", "counted_once", "outcomes_of_lists"]

APART_DAYS = 365
"""Days between lists whose outcomes are added up: the horizons of nearer ones overlap."""

CAUTION = (
    "Support changes outcomes, and officers support those they worry about most: these figures do not say "
    "what support did. A listed and supported pupil without the outcome may be a success of the list, and "
    "counts against it as a false alarm."
)


def outcomes_of_lists(lists: pd.DataFrame) -> pd.DataFrame:
    """Outcomes of the pupils of earlier lists, listed and not, supported and not.

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

    Examples
    --------
    >>> lists = pd.DataFrame({"as_of": pd.Timestamp("2024-02-10"), "listed": [True, True, False],
    ...     "supported": "yes", "risk": [0.5, 0.25, 0.1], "event": [1.0, 0.0, 0.0],
    ...     "complete": True, "same_model": True})
    >>> outcomes_of_lists(lists)[["listed", "pupils", "expected", "observed"]].to_dict("list")
    {'listed': [True, False], 'pupils': [2, 1], 'expected': [0.75, 0.1], 'observed': [1, 0]}
    """
    keys = ["as_of", "listed", "supported"]
    grouped = lists.groupby(keys, observed=True)
    table = grouped.agg(
        pupils=("risk", "size"),
        expected=("risk", "sum"),
        complete=("complete", "all"),
        same_model=("same_model", "all"),
    )
    observed = grouped["event"].sum(min_count=1)
    table.insert(2, "observed", observed.round().astype("Int64"))
    table = table.reset_index()
    low, high = poisson_interval(observed.to_numpy(dtype=float))
    table.insert(6, "observed_low", low)
    table.insert(7, "observed_high", high)
    order = np.lexsort((table["supported"], ~table["listed"], table["as_of"]))
    return table.iloc[order].reset_index(drop=True)


def counted_once(lists: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return the rows of this model whose horizon is over, so that no outcome is there twice.

    Parameters
    ----------
    lists : DataFrame
        ``pupil_id``, ``as_of``, ``complete`` and ``same_model``, as for :func:`outcomes_of_lists`.
    outcome : str
        Outcome.

    Returns
    -------
    DataFrame
        The first row of each pupil, where all lists of a pupil look at the same winter
        (``"neet"``). Else the lists at least :data:`APART_DAYS` days from one another, the latest
        among them.

    Raises
    ------
    RequestError
        If the outcome is unknown.

    Notes
    -----
    An outcome that counts twice makes a total look more certain than it is. The winter after Year 11 is
    the same on every list from Year 9 on. A pupil's first row is taken, because the last depends on when
    the pupil left, which may depend on the outcome. The last list of a year can hold the few who stay on.

    Examples
    --------
    >>> lists = pd.DataFrame({"pupil_id": ["a", "a", "b"], "complete": True, "same_model": True,
    ...     "as_of": pd.to_datetime(["2022-06-01", "2023-06-01", "2023-06-01"])})
    >>> len(counted_once(lists, "neet")), len(counted_once(lists, "pex"))
    (2, 3)
    """
    ended = lists[(lists["complete"] & lists["same_model"]).to_numpy(dtype=bool)]
    if outcome_of(outcome).horizon_months is None:
        return ended.sort_values("as_of", kind="stable").drop_duplicates("pupil_id")
    kept: list[pd.Timestamp] = []
    for day in sorted(ended["as_of"].unique(), reverse=True):
        if not kept or (kept[-1] - day).days >= APART_DAYS:
            kept.append(day)
    return ended[ended["as_of"].isin(kept)]
