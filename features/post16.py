"""After 16: what a young person has been doing, from NCCIS positions known by the day."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH
from riskmodel.data.neet_positions import positions
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["activity"]

GROUPS = ("neet", "education", "employment", "training", "not_known")


@builder(needs=["destinations"])
def activity(known: FactsAsOf) -> Columns:
    """Return months by kind of activity, the present activity, and changes of activity.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    spells = _spells(known)
    group, months = spells["group"], spells["months"]
    is_neet = group == "neet"
    weights = {
        "jobless_months": months * is_neet,
        "jobless_months_12": spells["months_12"] * is_neet,
        "months_in_activity": spells["months_run"] * spells["is_last"],
        "activity_changes": spells["changed"],
        "jobless_spells": spells["changed"] & is_neet,
        "months_observed": months * (group != "not_known"),
    }
    columns = {name: _total(known, spells, weight) for name, weight in weights.items()}
    return {**columns, **_by_group(known, spells)}


def _by_group(known: FactsAsOf, spells: pd.DataFrame) -> Columns:
    columns = {}
    months = _total(known, spells, spells["months"])
    months[months == 0] = np.nan
    for name in GROUPS:
        in_group = spells["group"] == name
        is_now = _total(known, spells, in_group & spells["is_last"])
        columns[f"{name}_now"] = np.where(np.isnan(months), np.nan, is_now)
        if name != "neet":
            columns[f"{name}_share"] = _total(known, spells, spells["months"] * in_group) / months
    return columns


def _total(known: FactsAsOf, spells: pd.DataFrame, weight: pd.Series) -> NDArray[np.float64]:
    """Return the sum of a weight over the spells of each pupil."""
    n_pupils = len(known.spine["pupil_id"].cat.categories)
    total = np.bincount(spells["pupil"], weight.to_numpy(dtype=float), minlength=n_pupils)
    return total.astype(np.float64)[known.rows]


def _spells(known: FactsAsOf) -> pd.DataFrame:
    """Return positions that began before the day, each until the next one or the day.

    Columns: ``pupil``, ``group``; ``months`` in all, ``months_12`` of the last 365 days, ``months_run``
    since the pupil came into the group; ``changed``, ``is_last``.
    """
    spells = positions(known.tables["destinations"])
    spells = spells[(spells["start"] < known.day).to_numpy()].reset_index(drop=True)
    spells = spells.assign(pupil=spells["pupil_id"].cat.codes.astype("int64"))
    start = spells["start"].to_numpy()
    stop = spells.groupby("pupil")["start"].shift(-1).fillna(known.day).to_numpy()
    lately = (stop - np.maximum(start, known.day - 365)).clip(0)
    return spells.assign(
        months=(stop - start) / DAYS_PER_MONTH,
        months_12=lately / DAYS_PER_MONTH,
        months_run=(stop - _run_start(spells)) / DAYS_PER_MONTH,
        changed=_changed(spells),
        is_last=~spells.duplicated("pupil", keep="last"),
    )


def _run_start(spells: pd.DataFrame) -> NDArray[np.int64]:
    """Return the day on which each run of positions of one group began."""
    before = spells.groupby("pupil")["group"].shift(1)
    run = (spells["group"] != before).cumsum()
    return spells.groupby(run.to_numpy())["start"].transform("min").to_numpy()


def _changed(spells: pd.DataFrame) -> pd.Series:
    """Return whether the group differs from the one known before."""
    # a position that is no longer confirmed is no change of activity
    known = spells["group"].where(spells["group"] != "not_known")
    pupil = spells["pupil"]
    before = known.groupby(pupil).ffill().groupby(pupil).shift(1)
    return (known != before) & known.notna() & before.notna()
