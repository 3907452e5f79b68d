"""Frames of the right types, cut at the last day the simulated LA knew of.

In:  arrays by column.
Out: frames as :mod:`riskmodel.data.schema` declares them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from riskmodel.data.schema import TABLES, Column
from riskmodel.simulate.timeline import LAST_DAY, Days

__all__ = ["at_next_census", "later", "make_frame", "pupil_type"]

CENSUS_DAYS = ("10-03", "01-16", "05-15")
"""Month and day of the autumn, spring and summer School Census."""


def pupil_type(number: int) -> pd.CategoricalDtype:
    """Return the shared type of ``pupil_id``.

    Parameters
    ----------
    number : int
        Pupils.

    Returns
    -------
    CategoricalDtype
        Sorted, so that a category's code is the pupil's number.
    """
    width = max(6, len(str(number)))
    return pd.CategoricalDtype(pd.Index([f"P{i:0{width}d}" for i in range(number)], dtype="str"))


def make_frame(name: str, pupils: pd.CategoricalDtype, **columns: ArrayLike) -> pd.DataFrame:
    """Return a table of what was known on the last day.

    Parameters
    ----------
    name : str
        Table.
    pupils : CategoricalDtype
        Type of ``pupil_id``; that column is given as numbers.
    **columns : array-like
        Values; codes as text, dates as datetime64[D]. Columns left out are missing throughout.

    Returns
    -------
    DataFrame
        Right types, rows recorded by the last day, ends recorded later hidden, sorted by the key.
    """
    table = TABLES[name]
    rows = len(np.asarray(next(iter(columns.values()))))
    typed = {
        column.name: _typed(column, np.asarray(columns.get(column.name, _missing(column, rows))), pupils)
        for column in table.columns
    }
    frame = pd.DataFrame(typed)
    last = pd.Timestamp(LAST_DAY)
    if "recorded_on" in frame:
        frame = frame[(frame["recorded_on"] <= last).to_numpy()]
    late = {when: (frame[when] > last).to_numpy() for when in set(table.known_when.values())}
    frame = frame.assign(
        **{column: frame[column].mask(late[when]) for column, when in table.known_when.items()}
    )
    return frame.sort_values(list(table.key), kind="stable", ignore_index=True)


def _missing(column: Column, rows: int) -> NDArray[np.generic]:
    kinds = {"date": np.datetime64("NaT"), "integer": 0, "number": np.nan}
    return np.full(rows, kinds.get(column.kind, None))


def _typed(column: Column, values: NDArray[np.generic], pupils: pd.CategoricalDtype) -> object:
    if column.kind == "pupil":
        return pd.Categorical.from_codes(values.astype(np.int64), dtype=pupils)
    if column.kind == "code":
        return pd.Categorical(values.astype(object), categories=list(column.allowed))
    if column.kind == "text":
        return pd.array(values.astype(object), dtype="str")
    return values.astype({"date": "datetime64[s]", "integer": "int64", "number": "float64"}[column.kind])


def later(days: Days, rng: np.random.Generator, low: int, high: int) -> Days:
    """Return each day moved on by a random lag.

    Parameters
    ----------
    days : ndarray of datetime64[D]
        Days.
    rng : Generator
        Random numbers.
    low, high : int
        Smallest and largest lag in days.

    Returns
    -------
    ndarray of datetime64[D]
        Later days.
    """
    return days + rng.integers(low, high + 1, len(days)).astype("timedelta64[D]")


def at_next_census(days: Days, rng: np.random.Generator) -> Days:
    """Return the day on which the return of the next School Census reached the LA.

    Parameters
    ----------
    days : ndarray of datetime64[D]
        Days of the facts.
    rng : Generator
        Random numbers.

    Returns
    -------
    ndarray of datetime64[D]
        Two to five weeks after the census.
    """
    census = np.array(
        sorted(f"{year}-{day}" for year in range(2000, 2027) for day in CENSUS_DAYS), "datetime64[D]"
    )
    return later(census[np.searchsorted(census, days)], rng, 14, 35)
