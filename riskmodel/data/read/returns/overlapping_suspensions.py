"""Suspensions of one pupil at one school that overlap, as after a correction.

In:  suspensions, as the table holds them.
Out: a warning with the number of pupils.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.problems import Problem

__all__ = ["overlapping_suspensions"]


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
        are left out, for they may fall within another. So are permanent exclusions: a suspension may
        become one on its first day.

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
