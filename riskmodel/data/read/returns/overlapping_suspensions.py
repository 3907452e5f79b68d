"""Suspensions of one pupil at one school that overlap, or became permanent on their first day.

In:  suspensions, as the table or the files hold them.
Out: warnings with the number of pupils or incidents.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.tables import made_permanent

__all__ = ["overlapping_suspensions", "suspensions_made_permanent"]


def overlapping_suspensions(tables: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return a warning where a suspension starts before the last one can be over.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Rows by table.

    Returns
    -------
    list of Problem
        One, or none. A suspension of n half-days lasts at least n / 2 days, rounded down. Lunchtimes
        are left out, for they may fall within another. So are permanent exclusions:
        :func:`suspensions_made_permanent`.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "pupil_id": "a", "school_id": "1", "category": ["SUSP", "SUSP"], "sessions": [4.0, 4.0],
    ...     "start_date": pd.to_datetime(["2024-10-14", "2024-10-15"]),
    ... })
    >>> [one.rule for one in overlapping_suspensions({"suspensions": rows})]
    ['overlapping_suspensions']
    >>> overlapping_suspensions({"suspensions": rows.assign(sessions=2.0)})
    []
    """
    if "suspensions" not in tables:
        return []
    rows = tables["suspensions"]
    rows = rows[(rows["category"].astype("str") == "SUSP").to_numpy()]
    by = ["pupil_id", "school_id"]
    days = np.maximum(1, np.floor(rows["sessions"].astype("float64").fillna(0) / 2))
    rows = rows.assign(until=rows["start_date"] + pd.to_timedelta(days, unit="D"))
    rows = rows.sort_values([*by, "start_date"], kind="stable")
    until = rows.groupby(by, observed=True)["until"].shift()
    n_pupils = rows.loc[(rows["start_date"] < until).to_numpy(), "pupil_id"].nunique()
    if not n_pupils:
        return []
    words = (
        f"suspensions: {n_pupils} pupils have two at one school that overlap, and both count. If one "
        "corrects the other, take the one that was corrected out."
    )
    return [Problem("suspensions", "overlapping_suspensions", words)]


def suspensions_made_permanent(suspensions: pd.DataFrame) -> list[Problem]:
    """Return a warning where a suspension and a permanent exclusion are one incident.

    Parameters
    ----------
    suspensions : DataFrame
        Rows of ``suspensions``, those that came again included.

    Returns
    -------
    list of Problem
        One, or none. It counts apart those whose last row to become known is of the suspension: nothing
        shows whether the exclusion was withdrawn.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "pupil_id": "a", "school_id": "1", "category": ["SUSP", "PERM"],
    ...     "start_date": pd.Timestamp("2024-10-14"),
    ...     "recorded_on": pd.to_datetime(["2024-10-15", "2024-10-18"]),
    ... })
    >>> [one.rule for one in suspensions_made_permanent(rows)]
    ['made_permanent']
    """
    is_suspension = made_permanent(suspensions)
    if not is_suspension.any():
        return []
    incident = ["pupil_id", "school_id", "start_date"]
    known = [
        rows.groupby(incident, observed=True)["recorded_on"].max()
        for rows in (suspensions[is_suspension], suspensions[suspensions["category"] == "PERM"])
    ]
    n_later = int((known[0] > known[1].reindex(known[0].index)).sum())
    later = (
        f" Of {n_later} the suspension became known last: if it corrects the exclusion, take the exclusion "
        "out, or give the day of the reinstatement."
    )
    words = (
        f"suspensions: {len(known[0])} permanent exclusions have a suspension of the same pupil, school and "
        "first day. They are one incident: the suspension counts until the exclusion is known, then the "
        f"exclusion alone.{later if n_later else ''}"
    )
    return [Problem("suspensions", "made_permanent", words, column="category")]
