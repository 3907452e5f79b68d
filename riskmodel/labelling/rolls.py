"""Until when a pupil was on the LA's rolls: a pupil who left is not known to have had no event.

In:  spells on rolls as known on a day, a spine, ends of horizons.
Out: whether each pupil stayed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data.arrays import days_of
from riskmodel.data.year_groups import finishes_school, year_group_on
from riskmodel.labelling.arrays import keys_of

__all__ = ["stays_until"]


def stays_until(
    rolls: pd.DataFrame, spine: pd.DataFrame, end: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return whether each pupil was on some roll from ``as_of`` to the end, or finished Year 11.

    A pupil who finished Year 11 can no longer be excluded from school. If such pupils were censored,
    only those who were excluded would remain in Year 11.

    Parameters
    ----------
    rolls : DataFrame
        ``enrolments`` as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : int array of shape (n_rows,)
        Day after the horizon, in days since 1970.

    Returns
    -------
    bool array of shape (n_rows,)
        A gap of at most :data:`riskmodel.cohort.GAP_DAYS` days is none.
    """
    if rolls.empty:
        return np.zeros(len(spine), dtype=bool)
    runs = _runs(rolls)
    keys = keys_of(runs["pupil_id"], runs["entry"].to_numpy())
    place = np.searchsorted(keys, keys_of(spine["pupil_id"], days_of(spine["as_of"])), "right") - 1
    same = runs["pupil_id"].cat.codes.to_numpy()[place] == spine["pupil_id"].cat.codes.to_numpy()
    same &= place >= 0  # else the place before the first run, the last one's, is taken for theirs
    # the leaving day is the last day on the roll, the horizon ends before its last day
    stays = (runs["leave"].to_numpy()[place] >= end - 1) | runs["finished"].to_numpy()[place]
    return np.asarray(same & stays)


def _runs(rolls: pd.DataFrame) -> pd.DataFrame:
    """Join each pupil's spells on rolls into runs without a long gap, sorted by pupil and entry."""
    rolls = rolls.assign(
        entry=days_of(rolls["entry_date"]),
        leave=days_of(rolls["leaving_date"]),
        finish=np.where(_finishes(rolls), days_of(rolls["leaving_date"]), -1),
    ).sort_values(["pupil_id", "entry", "leave"], kind="stable")
    reached = rolls.groupby("pupil_id", observed=True)["leave"].cummax()
    before = reached.groupby(rolls["pupil_id"], observed=True).shift(1)
    is_new = before.isna() | (rolls["entry"] > before + GAP_DAYS)
    spells = rolls.assign(run=is_new.cumsum()).groupby("run")
    runs = spells[["leave", "finish"]].max()
    runs["pupil_id"] = rolls["pupil_id"][is_new].array
    runs["entry"] = spells["entry"].min()
    runs["finished"] = runs["finish"] == runs["leave"]
    return runs


def _finishes(rolls: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each spell ended because compulsory schooling did: from June of Year 11 on."""
    left = rolls["leaving_date"]
    completed = (rolls["leaving_reason"] == "completed").to_numpy(dtype=bool)
    return np.asarray(completed & finishes_school(year_group_on(rolls, left), left))
