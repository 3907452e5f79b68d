"""Where pupils went whose outcome is not known.

In:  tables, a spine with labels, the day on which one stands.
Out: per row the place in words, missing where the outcome is known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import days_of
from riskmodel.data.outcomes import outcome_of

__all__ = ["NOT_KNOWN", "NO_POSITION", "TOO_FEW_MARKS", "lost_to"]

PLACES = {
    "home_educated": "home education",
    "left_area": "another area",
    "transferred": "a school not in these extracts",
    "managed_move": "a school not in these extracts",
    "permanently_excluded": "an earlier permanent exclusion",
}
"""Reason for leaving → where the pupil went; other reasons give no place."""

NOWHERE = "no place that is known"

NO_POSITION = "activity not known"
"""Young people whose position could not be established; they have not left the rolls."""

TOO_FEW_MARKS = "too few marks in a term"
"""Pupils of whom registers hold too little to say how much they missed."""

NOT_KNOWN = (NO_POSITION, TOO_FEW_MARKS)
"""Where nobody left, and the outcome is not known all the same."""


def lost_to(
    tables: Tables,
    spine: pd.DataFrame,
    labels: pd.DataFrame,
    outcome: str,
    *,
    known_by: pd.Timestamp,
) -> NDArray[np.object_]:
    """Return where each pupil went whose outcome is not known.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before ``known_by`` are used.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    labels : DataFrame of shape (n_rows, ...)
        From :func:`riskmodel.labels.label`.
    outcome : str
        Outcome.
    known_by : Timestamp
        The day on which one stands.

    Returns
    -------
    object array of shape (n_rows,)
        ``"home education"``, ``"another area"`` and so on; None where the outcome is known. Of a pupil's
        rolls that ended before the horizon did, the last one's reason counts. Home education that began
        after the list comes before a reason. After 16 nobody is on a roll: the activity is not known.

    Raises
    ------
    RequestError
        If the outcome is unknown.
    """
    lost = labels["label"].isna().to_numpy()
    words = np.full(len(spine), None, dtype=object)
    rows = spine.loc[lost, ["pupil_id", "as_of"]].assign(end=labels["horizon_end"][lost])
    place = _last_reason(tables, rows, known_by).map(PLACES).fillna(NOWHERE)
    place = place.mask(_home_educated(tables, rows, known_by), PLACES["home_educated"])
    one = outcome_of(outcome)
    is_after_16 = one.cohort_table == "destinations"
    unknown = (labels["status"][lost] == "not_known").to_numpy() | is_after_16
    why = TOO_FEW_MARKS if "sessions" in one.label_tables else NO_POSITION
    words[lost] = place.mask(unknown, why).to_numpy(dtype=object)
    return words


def _last_reason(tables: Tables, rows: pd.DataFrame, known_by: pd.Timestamp) -> pd.Series:
    """Return why the last roll of each row ended within the horizon, missing where none is recorded."""
    nothing = pd.Series(None, index=rows.index, dtype=object)
    if "enrolments" not in tables:
        return nothing
    rolls = Tables({"enrolments": tables["enrolments"]}).as_known(known_by)["enrolments"]
    rolls = rolls[rolls["leaving_date"].notna()].sort_values("leaving_date", kind="stable")
    pairs = rows.reset_index(names="row").merge(rolls, on="pupil_id")
    last = pairs[pairs["leaving_date"] < pairs["end"]].groupby("row")["leaving_reason"].last()
    return nothing.fillna(last.astype("object"))


def _home_educated(tables: Tables, rows: pd.DataFrame, known_by: pd.Timestamp) -> NDArray[np.bool_]:
    """Return whether home education began between the list and the end of the horizon."""
    if "circumstances" not in tables:
        return np.zeros(len(rows), dtype=bool)
    spells = Tables({"circumstances": tables["circumstances"]}).as_known(known_by)["circumstances"]
    spells = spells[(spells["kind"] == "home_educated").to_numpy()]
    pairs = rows.reset_index(names="row").merge(spells[["pupil_id", "start_date"]], on="pupil_id")
    start = days_of(pairs["start_date"])
    during = (start >= days_of(pairs["as_of"])) & (start < days_of(pairs["end"]))
    return rows.index.isin(pairs["row"][during])
