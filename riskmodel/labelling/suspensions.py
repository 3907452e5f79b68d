"""Outcomes that are a suspension or a permanent exclusion, and the first one ever.

In:  tables as known on a day, a spine, ends of horizons.
Out: status and day of the event of each row.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import days_of
from riskmodel.labelling.arrays import Labels, keys_of
from riskmodel.labelling.rolls import stays_until

__all__ = [
    "SERIOUS_HALF_DAYS",
    "label_exclusion",
    "label_first_suspension",
    "serious_suspensions",
]

SERIOUS_HALF_DAYS = 20
"""Half-days lost to suspension from which a year counts as a serious suspension: ten school days."""


def label_exclusion(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label pupils who are permanently excluded within the horizon.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status, and the first day of the exclusion.
    """
    facts = known["suspensions"]
    return _label_incidents(known, spine, end, facts[(facts["category"] == "PERM").to_numpy()])


def label_first_suspension(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label pupils never suspended before who are suspended or excluded within the horizon.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status, and the day of the first suspension.
    """
    return _label_incidents(known, spine, end, known["suspensions"])


def _label_incidents(
    known: Tables, spine: pd.DataFrame, end: pd.Series, incidents: pd.DataFrame
) -> Labels:
    """Label pupils with an incident within the horizon."""
    keys = np.sort(keys_of(incidents["pupil_id"], days_of(incidents["start_date"])))
    on_day = keys_of(spine["pupil_id"], days_of(spine["as_of"]))
    start = np.searchsorted(keys, on_day)
    stop = np.searchsorted(keys, keys_of(spine["pupil_id"], days_of(end)))
    # of a pupil with an incident before the list that was not known, nothing can be foreseen any more
    known_from = incidents[["start_date", "recorded_on"]].max(axis=1)
    n_known = np.searchsorted(np.sort(keys_of(incidents["pupil_id"], days_of(known_from))), on_day)
    stays = stays_until(known["enrolments"], spine, days_of(end)) & (start == n_known)
    status = np.where(stop > start, "event", np.where(stays, "no_event", "censored"))
    first = np.append(keys, 0)[start] % 10**7
    return status.astype(object), first.astype("datetime64[D]").astype("datetime64[s]")


def serious_suspensions(known: Tables, spine: pd.DataFrame, end: pd.Series) -> NDArray[np.int64]:
    """Mark pupils whose suspensions within the horizon take :data:`SERIOUS_HALF_DAYS` or more.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon.

    Returns
    -------
    int array of shape (n_rows,)
        1 where it happened, 0 elsewhere.
    """
    facts = known["suspensions"]
    facts = facts[(facts["category"] == "SUSP").to_numpy() & facts["sessions"].notna().to_numpy()]
    keys = keys_of(facts["pupil_id"], days_of(facts["start_date"]))
    order = np.argsort(keys, kind="stable")
    lost = np.append(0.0, facts["sessions"].to_numpy(dtype=float)[order].cumsum())
    start, stop = (
        np.searchsorted(keys[order], keys_of(spine["pupil_id"], days_of(day)))
        for day in (spine["as_of"], end)
    )
    return (lost[stop] - lost[start] >= SERIOUS_HALF_DAYS).astype(np.int64)
