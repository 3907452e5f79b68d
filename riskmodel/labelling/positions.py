"""Outcomes of what young people do: NEET and not known after Year 11, NEET after 16.

In:  tables as known on a day, a spine, ends of horizons.
Out: status and day of the event of each row.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import days_of
from riskmodel.data.neet_positions import positions
from riskmodel.labelling.arrays import NEVER, Labels, keys_of, latest_of

__all__ = ["label_neet", "label_neet_after_16", "label_not_known"]

_NO_POSITION, _NOT_KNOWN, _NEET, _ELSEWHERE = range(4)
"""Where a young person was; everything but NEET and not known is elsewhere, custody included."""

WINTER = 3
"""Months of the winter check: December, January and February (DfE: the published rate is their average)."""


def label_neet(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label young people who are NEET in two months of the winter after Year 11.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        The 1 March after Year 11.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status, and the 1 December before the end.
    """
    december, neet, unknown, left = _winter(known, spine, end)
    status = np.select(
        [neet >= 2, WINTER - neet - unknown >= 2, left],
        ["event", "no_event", "censored"],
        "not_known",
    )
    return status.astype(object), december.to_numpy().astype("datetime64[s]")


def label_not_known(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label young people whose activity is not known in two months of the winter after Year 11.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        The 1 March after Year 11.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status, and the 1 December before the end. Of a winter in which no position was confirmed nothing
        is known of anybody: the LA's extract ends before it.
    """
    december, _, unknown, left = _winter(known, spine, end)
    status = np.select(
        [left, ~_is_checked(known["destinations"], end), unknown >= 2],
        ["censored", "not_known", "event"],
        "no_event",
    )
    return status.astype(object), december.to_numpy().astype("datetime64[s]")


def label_neet_after_16(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label young people who are NEET in six of the next twelve months.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon; not used, months are counted from ``as_of``.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status; no event has a day.
    """
    facts = known["destinations"]
    neet, unknown, _ = _count_months(facts, spine["pupil_id"], spine["as_of"], 12)
    confirmed = latest_of(facts["pupil_id"], days_of(facts["confirmed_on"]), spine["pupil_id"])
    status = np.select(
        [confirmed < days_of(spine["as_of"]), neet >= 6, neet + unknown < 6],
        ["censored", "event", "no_event"],
        "not_known",
    )
    return status.astype(object), np.full(len(spine), NEVER)


def _winter(
    known: Tables, spine: pd.DataFrame, end: pd.Series
) -> tuple[pd.Series, NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the 1 December, the month ends that were NEET and not known, and who left and was never found.

    The horizon ends on 1 March. June of Year 11, until which a pupil must stay, lies nine months before it.
    """
    december = end - pd.DateOffset(months=WINTER)
    neet, unknown, none = _count_months(known["destinations"], spine["pupil_id"], december, WINTER)
    rolls = known["enrolments"]
    left = latest_of(rolls["pupil_id"], days_of(rolls["leaving_date"]), spine["pupil_id"])
    return december, neet, unknown, none & (left < days_of(end - pd.DateOffset(months=9)))


def _is_checked(destinations: pd.DataFrame, end: pd.Series) -> NDArray[np.bool_]:
    """Return whether anybody's position was confirmed in the winter of each row."""
    confirmed = np.sort(days_of(destinations["confirmed_on"]))
    first, last = (
        np.searchsorted(confirmed, days_of(end - pd.DateOffset(months=months)))
        for months in (WINTER, 0)
    )
    return np.asarray(last > first)


def _count_months(
    destinations: pd.DataFrame, pupils: pd.Series, first_month: pd.Series, number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Count the month ends that were NEET and not known, and find who had no position at all.

    At a month end the latest position that had started counts.
    """
    known = positions(destinations)
    keys = keys_of(known["pupil_id"], known["start"].to_numpy())
    # one entry is put before all others, for pupils whose first position comes later or never
    owners = np.append(-1, known["pupil_id"].cat.codes.to_numpy())
    groups = np.append(_NO_POSITION, _groups(known["group"]))
    neet = np.zeros(len(pupils), dtype=np.int64)
    unknown = np.zeros(len(pupils), dtype=np.int64)
    none = np.ones(len(pupils), dtype=bool)
    start = first_month.to_numpy().astype("datetime64[M]")
    for month in range(number):
        last_day = (start + month + 1).astype("datetime64[D]").astype(np.int64) - 1
        place = np.searchsorted(keys, keys_of(pupils, last_day), "right")
        where = np.where(owners[place] == pupils.cat.codes, groups[place], _NO_POSITION)
        neet += where == _NEET
        unknown += where <= _NOT_KNOWN
        none &= where == _NO_POSITION
    return neet, unknown, none


def _groups(group: pd.Series) -> NDArray[np.int8]:
    """Return where each group of activities leaves a young person."""
    numbers = {"neet": _NEET, "not_known": _NOT_KNOWN}
    return np.asarray(group.map(numbers).fillna(_ELSEWHERE), dtype=np.int8)
