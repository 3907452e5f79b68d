"""Columns: from raw values to the types and codes of the schema, bad values marked.

In:  a raw column.
Out: the right type, and which rows are bad. Distinct values are converted once, not each row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import NOT_KNOWN, Column, as_codes

__all__ = ["convert_column", "fill_not_known"]

EARLIEST, LATEST = pd.Timestamp("1950-01-01"), pd.Timestamp("2100-01-01")
"""Dates outside are typing errors."""

Bad = NDArray[np.bool_]


def convert_column(raw: pd.Series, column: Column) -> tuple[pd.Series, Bad, str]:
    """Convert a raw column.

    Parameters
    ----------
    raw : Series
        Values as the file holds them.
    column : Column
        What they should be.

    Returns
    -------
    values : Series
        Of the schema's type; missing where bad or missing.
    bad : bool array
        Rows whose value is there but cannot be used.
    rule : str
        Code of the rule that bad rows break.
    """
    missing = raw.isna().to_numpy()
    convert: dict[str, tuple[Callable[[pd.Series, Column], pd.Series], str]] = {
        "pupil": (_text, "unknown_pupil"),
        "text": (_text, "bad_text"),
        "date": (_date, "bad_date"),
        "code": (_code, "unknown_code"),
        "integer": (_number, "bad_number"),
        "number": (_number, "bad_number"),
    }
    function, rule = convert[column.kind]
    values = _by_distinct_value(raw, column, function)
    return values, values.isna().to_numpy() & ~missing, rule


def _by_distinct_value(
    raw: pd.Series, column: Column, function: Callable[[pd.Series, Column], pd.Series]
) -> pd.Series:
    """Convert the categories where the column holds categories, else all values."""
    if not isinstance(raw.dtype, pd.CategoricalDtype):
        return function(raw, column)
    number = raw.cat.codes.to_numpy()
    distinct = function(pd.Series(raw.cat.categories), column)
    # -1, a missing value, takes the last place, which holds nothing
    return distinct.reindex(range(len(distinct) + 1)).take(number).set_axis(raw.index)


def _text(raw: pd.Series, column: Column) -> pd.Series:
    return raw.astype("str").str.strip()


def _code(raw: pd.Series, column: Column) -> pd.Series:
    text = raw.astype("str").str.strip()
    return pd.Series(as_codes(text, column.allowed), index=raw.index)


def _number(raw: pd.Series, column: Column) -> pd.Series:
    values = pd.to_numeric(raw, errors="coerce").astype("float64")
    values = values.where(values.between(column.low, column.high))
    return values.where(values == values.round()) if column.kind == "integer" else values


def _date(raw: pd.Series, column: Column) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(raw):
        dates = raw.dt.tz_localize(None)
    else:
        text = raw.astype("str").str.strip()
        dates = pd.to_datetime(text.str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
        british = pd.to_datetime(text, format="%d/%m/%Y", errors="coerce")
        dates = dates.fillna(british)
    dates = dates.where(dates.between(EARLIEST, LATEST))
    return dates.dt.floor("D").astype("datetime64[s]")


def fill_not_known(values: pd.Series) -> pd.Series:
    """Put missing and unknown codes into the group of those not known.

    Parameters
    ----------
    values : Series of category
        With the category ``not_known``.

    Returns
    -------
    Series of category
        Nothing missing.
    """
    return values.fillna(NOT_KNOWN)
