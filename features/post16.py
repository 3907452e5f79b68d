"""After 16: what the young person has been doing, from NCCIS positions known by the day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH
from riskmodel.data.neet_positions import positions
from riskmodel.features.catalogue import builder
from riskmodel.features.facts_as_of import FactsAsOf

__all__ = ["activity"]

GROUPS = ("neet", "education", "employment", "training", "not_known")


@builder(needs=["destinations"])
def activity(known: FactsAsOf) -> Mapping[str, NDArray[np.float64]]:
    """Months by kind of activity, the present one, and changes.

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
    pupil = spells["pupil"].to_numpy()
    n = len(known.spine["pupil_id"].cat.categories)

    def total(weight: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(pupil, weights=weight, minlength=n).astype(np.float64)[known.rows]

    months = spells["months"].to_numpy()
    so_far = total(months)
    empty = so_far == 0
    safe = np.where(empty, np.nan, so_far)
    group = spells["group"].to_numpy()
    is_last = spells["is_last"].to_numpy().astype(float)
    changed = spells["changed"].to_numpy().astype(float)
    columns = {
        "jobless_months": total(months * (group == "neet")),
        "jobless_months_12": total(spells["months_12"].to_numpy() * (group == "neet")),
        "months_in_activity": total(is_last * spells["months_run"].to_numpy()),
        "activity_changes": total(changed),
        "jobless_spells": total(changed * (group == "neet")),
        "months_observed": total(months * (group != "not_known")),
    }
    for name in GROUPS:
        columns[f"{name}_now"] = np.where(empty, np.nan, total(is_last * (group == name)))
        if name != "neet":
            columns[f"{name}_share"] = total(months * (group == name)) / safe
    return columns


def _spells(known: FactsAsOf) -> pd.DataFrame:
    """Return positions begun before the day as spells that last until the next, or the day."""
    spells = positions(known.tables["destinations"])
    spells = spells[(spells["start"] < known.day).to_numpy()].reset_index(drop=True)
    spells = spells.assign(pupil=spells["pupil_id"].cat.codes.astype("int64"))
    by_pupil = spells.groupby("pupil")
    stop = by_pupil["start"].shift(-1).fillna(known.day).to_numpy()
    run = (spells["group"] != by_pupil["group"].shift(1)).cumsum().to_numpy()
    # that a position was no longer confirmed is no change of activity
    told = spells["group"].where(spells["group"] != "not_known")
    before = told.groupby(spells["pupil"]).ffill().groupby(spells["pupil"]).shift(1)
    changed = (told != before) & told.notna() & before.notna()
    run_start = spells["start"].groupby(run).transform("min").to_numpy()
    begin = spells["start"].to_numpy()
    recent = (stop - np.maximum(begin, known.day - 365)).clip(0)
    return spells.assign(
        months=(stop - begin) / DAYS_PER_MONTH,
        months_12=recent / DAYS_PER_MONTH,
        months_run=(stop - run_start) / DAYS_PER_MONTH,
        changed=changed,
        is_last=~spells.duplicated("pupil", keep="last"),
    )
