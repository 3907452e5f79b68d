"""How far facts reach: a few dates far from all others are typing errors and do not count.

In:  a column of dates.
Out: its first and last day without them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import whole_days

__all__ = ["EVENTS", "data_span", "missing_extracts", "months_held", "recorded_before"]

EVENTS = {"sessions": "date", "suspensions": "start_date", "destinations": "start_date"}
"""Tables whose facts come all the year round, and the day each fact is about."""

APART_DAYS = 90
"""Longest time without facts that is nothing unusual: twice a summer holiday."""

FEW, HANDFUL = 0.01, 3
"""Share of the rows below which those beyond a longer time are typing errors, if they are also no more
than a handful or half a usual day's: else an extract between is missing."""

SILENT_DAYS, SILENT_FACTS = 30, 20
"""Days with facts of one table (six school weeks, chosen), and facts that would then be usual of another,
from which their absence is an old extract."""

FEWEST_DAYS = 100
"""Days with facts that show what is usual: half a school year."""

BLOCK = 2**22
"""Rows looked at in one go."""

Missing = tuple[str, str, pd.Timestamp, pd.Timestamp]


def data_span(dates: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first and the last of many dates, without typing errors at either end.

    Dates at an end are left out where more than :data:`APART_DAYS` days part them from the rest and
    fewer than one row in a hundred (:data:`FEW`), and no more than :data:`HANDFUL` or half the median
    day's rows, lie there. So of fewer than a hundred rows none is.

    Parameters
    ----------
    dates : Series of datetime64, shape (n_rows,)
        Days in any order, at least one of them not missing.

    Returns
    -------
    first, last : Timestamp
        Days that are among the dates.

    Examples
    --------
    >>> usual = pd.Series(pd.date_range("2025-01-01", periods=150, unit="s"))
    >>> mistyped = pd.Series(pd.to_datetime(["2035-02-01"])).astype("datetime64[s]")
    >>> [f"{day:%d %b %Y}" for day in data_span(pd.concat([usual, mistyped]))]
    ['01 Jan 2025', '30 May 2025']
    """
    dates = dates.dropna()
    start = dates.min()
    rows = _rows_by_day(dates, start)
    days = np.flatnonzero(rows)
    until = np.cumsum(rows[days])
    far = np.diff(days) > APART_DAYS
    before, after = until[:-1], len(dates) - until[:-1]
    few, day = FEW * len(dates), max(HANDFUL, np.median(rows[days]) / 2)
    head = np.flatnonzero(far & (before < few) & (before <= day))
    tail = np.flatnonzero(far & (after < few) & (after <= day))
    first = days[head[-1] + 1] if len(head) else days[0]
    last = days[tail[0]] if len(tail) else days[-1]
    return start + pd.Timedelta(days=int(first)), start + pd.Timedelta(days=int(last))


def months_held(tables: Mapping[str, pd.DataFrame], day: pd.Timestamp) -> dict[str, float]:
    """Return for how many months before a day each table holds facts.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables by name; only those of :data:`EVENTS` count.
    day : Timestamp
        The day; what was recorded on it or later does not count.

    Returns
    -------
    dict of str to float
        Table with facts → months from its first fact to the day.

    Examples
    --------
    >>> one = pd.to_datetime(["2025-01-01"]).as_unit("s")
    >>> marks = pd.DataFrame({"date": one, "recorded_on": one})
    >>> months_held({"sessions": marks}, pd.Timestamp("2026-01-01"))
    {'sessions': 12.0}
    """
    first = {}
    for name, column in EVENTS.items():
        if name in tables:
            dates = recorded_before(tables[name], column, day)[column]
            if dates.notna().any():
                first[name] = data_span(dates)[0]
    # a window of a year is 365 days long
    return {name: 12 * (day - start).days / 365 for name, start in first.items()}


def recorded_before(facts: pd.DataFrame, event: str, day: pd.Timestamp) -> pd.DataFrame:
    """Return the facts of :data:`EVENTS` recorded before a day: the day of each, and of its recording.

    Parameters
    ----------
    facts : DataFrame
        A table with ``recorded_on``.
    event : str
        The column of the day of each fact.
    day : Timestamp
        The day.

    Returns
    -------
    DataFrame
        These two columns.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-02"])
    >>> facts = pd.DataFrame({"date": days, "recorded_on": days})
    >>> len(recorded_before(facts, "date", pd.Timestamp("2025-01-02")))
    1
    """
    is_known = (facts["recorded_on"] < day).to_numpy()
    dates = facts[[event, "recorded_on"]]
    return dates if is_known.all() else dates[is_known]


def missing_extracts(frames: Mapping[str, pd.DataFrame]) -> list[Missing]:
    """Return which of registers and suspensions end so long before the other that an extract is missing.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        The LA's facts.

    Returns
    -------
    list of tuple of str, str, Timestamp, Timestamp
        The table that ends and the other, and the last day of either: where the other goes on for more
        than :data:`SILENT_DAYS` days with facts, in which time :data:`SILENT_FACTS` or more would be
        usual.

    Examples
    --------
    >>> missing_extracts({})
    []
    """
    if any(name not in frames or frames[name].empty for name in ("sessions", "suspensions")):
        return []
    dates = {name: frames[name][EVENTS[name]].dropna() for name in ("sessions", "suspensions")}
    last = {name: data_span(days)[1] for name, days in dates.items()}
    found = []
    for name, other in itertools.permutations(dates):
        start = dates[other].min()
        rows = _rows_by_day(dates[other], start)
        since = (last[name] - start).days + 1
        n_since = int(np.count_nonzero(rows[max(since, 0) :]))
        n_before = int(np.count_nonzero(rows)) - n_since
        usual = len(dates[name]) / max(n_before, FEWEST_DAYS) * n_since
        if n_since > SILENT_DAYS and usual >= SILENT_FACTS:
            found.append((name, other, last[name], last[other]))
    return found


def _rows_by_day(dates: pd.Series, start: pd.Timestamp) -> NDArray[np.int64]:
    """Count the rows of each day from the first on, in blocks: registers hold tens of millions."""
    size = (dates.max() - start).days + 1
    first = whole_days(pd.Series([start]))[0]
    rows = np.zeros(size, dtype=np.int64)
    for place in range(0, len(dates), BLOCK):
        days = whole_days(dates.iloc[place : place + BLOCK])
        rows += np.bincount(days - first, minlength=size)
    return rows
