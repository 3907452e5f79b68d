"""Whom an outcome can still befall: pupils never suspended, in mainstream, not severely absent.

In:  tables, the pupils on roll on a day.
Out: who belongs to the cohort, by what was known before that day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import day_number, days_of, pupils_of
from riskmodel.data.codes import SEVERE
from riskmodel.data.missed_half_days import share_missed
from riskmodel.data.tables import schools_by_id

__all__ = ["COHORT_RULES", "CohortRule", "never_suspended"]

CohortRule: TypeAlias = Callable[[Tables, pd.DataFrame, pd.Timestamp], NDArray[np.bool_]]
"""Takes the tables, pupils on roll (``pupil_id``, ``school_id``) and the day; True for the cohort."""

_AWAY = ("alternative_provision", "home_educated")
"""Circumstances of a pupil who is out of mainstream already."""


def never_suspended(tables: Tables, rows: pd.DataFrame, day: pd.Timestamp) -> NDArray[np.bool_]:
    """Return who was neither suspended nor excluded before a day, lunchtimes included.

    Parameters
    ----------
    tables : Tables
        The LA's facts; what was recorded on the day or later is not used.
    rows : DataFrame of shape (n_rows, ...)
        ``pupil_id``.
    day : Timestamp
        The day.

    Returns
    -------
    bool array of shape (n_rows,)
        True where no suspension is on record.
    """
    known = Tables({"suspensions": tables["suspensions"]}).as_known(day)["suspensions"]
    before = known[(known["start_date"] < day).to_numpy()]
    return ~np.isin(pupils_of(rows), pupils_of(before))


def _in_mainstream(tables: Tables, rows: pd.DataFrame, day: pd.Timestamp) -> NDArray[np.bool_]:
    """Return who is on the roll of a mainstream school, or one of unknown kind, and not placed elsewhere."""
    away = np.zeros(len(rows), dtype=bool)
    if "schools" in tables:
        kind = schools_by_id(tables)["kind"].reindex(rows["school_id"])
        away |= kind.isin(["special", "AP"]).to_numpy()
    if "circumstances" in tables:
        known = Tables({"circumstances": tables["circumstances"]}).as_known(day)["circumstances"]
        lasts = (known["start_date"] < day).to_numpy() & (
            days_of(known["end_date"]) >= day_number(day)
        )
        spells = known[lasts & known["kind"].isin(_AWAY).to_numpy()]
        away |= np.isin(pupils_of(rows), pupils_of(spells))
    return ~away


def _not_severely_absent(
    tables: Tables, rows: pd.DataFrame, day: pd.Timestamp
) -> NDArray[np.bool_]:
    """Return who did not miss half of the 12 months before the day, as far as that is known."""
    first = day - pd.DateOffset(years=1)
    marks = tables.marks_as_known(day, since=first)
    start, end = (np.full(len(rows), day_number(one)) for one in (first, day))
    return ~(share_missed(marks, rows["pupil_id"], start, end) >= SEVERE)


COHORT_RULES: Mapping[str, CohortRule] = {
    "never suspended": never_suspended,
    "in mainstream": _in_mainstream,
    "not severely absent": _not_severely_absent,
}
"""Name in :attr:`riskmodel.data.outcomes.Outcome.cohort_rule` → the function."""
