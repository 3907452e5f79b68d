"""Columns: from raw values to the types and codes of the schema, bad values marked.

In:  a raw column.
Out: the right type, and which rows are bad. Distinct values are converted once, not each row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.columns import Column
from riskmodel.data.read.rows.dates import days_of
from riskmodel.data.read.rows.tidy import MISSING, NOTHING, tidy_column
from riskmodel.data.read.rows.words import code_meant
from riskmodel.data.schema import NOT_KNOWN

__all__ = ["convert_column", "fill_not_known", "no_values", "read_dates", "read_numbers"]

EARLIEST, LATEST = (
    int(np.datetime64(day, "D").astype(int)) for day in ("1950-01-01", "2100-01-01")
)
"""Days since 1970; dates outside are typing errors."""

SECONDS = 86_400
PER_DAY = {
    "D": 1,
    "s": SECONDS,
    "ms": 10**3 * SECONDS,
    "us": 10**6 * SECONDS,
    "ns": 10**9 * SECONDS,
}
"""Units of a day, by unit of a date."""

ENGLAND = "Europe/London"
"""Zone in which a moment is a day."""

POWER = r"\s*[+-]?\d+[eE]\d+\s*"
"""Text that Python takes for a power of ten, and a person did not mean."""

Bad = NDArray[np.bool_]


def convert_column(
    raw: pd.Series, column: Column, pupils: pd.CategoricalDtype | None = None
) -> tuple[pd.Series, Bad, str]:
    """Convert a raw column.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Values as the file holds them; blank text is missing.
    column : Column
        What they should be.
    pupils : CategoricalDtype, optional
        The pupils there are, for a column of kind ``pupil``; text where it is left out.

    Returns
    -------
    values : Series of shape (n_rows,)
        Of the schema's type; missing where bad or missing.
    bad : bool array of shape (n_rows,)
        Rows whose value is there but cannot be used.
    rule : str
        Code of the rule that bad rows break.

    Examples
    --------
    >>> sessions = Column(name="sessions", kind="number", label="Half-days", low=0, high=400)
    >>> values, bad, rule = convert_column(pd.Series(["2", " ", "many"]), sessions)
    >>> values.tolist(), bad.tolist(), rule
    ([2.0, nan, nan], [False, False, True], 'bad_number')
    """
    rules = {
        "pupil": "unknown_pupil",
        "text": "bad_text",
        "date": "bad_date",
        "code": "unknown_code",
        "integer": "bad_number",
        "number": "bad_number",
    }
    if column.kind != "pupil":  # a pseudonym needs no tidying, and a register has millions
        raw = tidy_column(raw, MISSING if column.kind == "code" else MISSING | NOTHING)
    raw = _blank_is_missing(raw)
    missing = raw.isna().to_numpy()
    values = _by_distinct_value(raw, _converter(column, pupils))
    return values, values.isna().to_numpy() & ~missing, rules[column.kind]


def no_values(column: Column, index: pd.Index) -> pd.Series:
    """Return a column of which no value is known.

    Parameters
    ----------
    column : Column
        What the values would be.
    index : Index of shape (n_rows,)
        Of the rows.

    Returns
    -------
    Series of shape (n_rows,)
        Of the schema's type; all missing.

    Examples
    --------
    >>> sessions = Column(name="sessions", kind="number", label="Half-days")
    >>> no_values(sessions, pd.RangeIndex(2)).tolist()
    [nan, nan]
    """
    return _none_of(column).reindex(index)


@cache
def _none_of(column: Column) -> pd.Series:
    nothing = pd.Categorical.from_codes([], categories=pd.Index([], dtype="str"))
    return convert_column(pd.Series(nothing), column)[0]


def _converter(
    column: Column, pupils: pd.CategoricalDtype | None
) -> Callable[[pd.Series], pd.Series]:
    if column.kind == "pupil" and pupils is not None:
        return lambda raw: _pupil(raw, pupils)
    if column.kind in {"pupil", "text"}:
        return _name
    if column.kind == "date":
        return _date
    if column.kind == "code":
        return lambda raw: _meant(raw, column)
    return lambda raw: _number(raw, column)


def _blank_is_missing(raw: pd.Series) -> pd.Series:
    if isinstance(raw.dtype, pd.CategoricalDtype):
        distinct = raw.cat.categories
        if distinct.dtype != "str":
            return raw
        blank = [text for text in distinct.tolist() if not text.strip()]
        return raw.cat.remove_categories(blank) if blank else raw
    if str(raw.dtype) not in {"str", "object"}:  # object: numbers and text, as a database may hold
        return raw
    is_blank = raw.astype("str").str.strip() == ""
    return raw.mask(is_blank) if is_blank.any() else raw


def _by_distinct_value(raw: pd.Series, function: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """Convert the categories where the column holds categories, else all values."""
    if not isinstance(raw.dtype, pd.CategoricalDtype):
        return function(raw)
    number = raw.cat.codes.to_numpy()
    distinct = function(pd.Series(raw.cat.categories))
    if isinstance(distinct.dtype, pd.CategoricalDtype):
        codes = distinct.cat.codes.to_numpy()
        codes = np.append(codes, codes.dtype.type(-1))[number]  # small integers stay small
        return pd.Series(pd.Categorical.from_codes(codes, dtype=distinct.dtype), index=raw.index)
    # -1, a missing value, takes the last place, which holds nothing
    return distinct.reindex(range(len(distinct) + 1)).take(number).set_axis(raw.index)


def _text(raw: pd.Series) -> pd.Series:
    return raw.astype("str").str.strip()


def _name(raw: pd.Series) -> pd.Series:
    """Return text; a whole number that a program wrote with a decimal is written without it."""
    return _text(raw).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)


def _meant(raw: pd.Series, column: Column) -> pd.Series:
    """Return codes; what is no code of the set counts as the one it stands for, if any."""
    dtype = _codes_of(column)
    found = _code(raw, dtype)
    other = (found.isna() & raw.notna()).to_numpy()
    if not other.any():
        return found
    text = _text(raw[other])
    meant = {one: code_meant(column, one) for one in text.unique()}
    number = found.cat.codes.to_numpy().copy()
    number[other] = dtype.categories.get_indexer(pd.Index(text.map(meant)))
    return pd.Series(pd.Categorical.from_codes(number, dtype=dtype), index=raw.index)


@cache
def _codes_of(column: Column) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(list(column.allowed), dtype="str"))


def _pupil(raw: pd.Series, pupils: pd.CategoricalDtype) -> pd.Series:
    """Return pupils; where none is found, a number with a decimal is tried without it."""
    found = _code(raw, pupils)
    other = (found.isna() & raw.notna()).to_numpy()
    if not other.any():
        return found
    number = found.cat.codes.to_numpy().copy()
    number[other] = pupils.categories.get_indexer(pd.Index(_name(raw[other])))
    return pd.Series(pd.Categorical.from_codes(number, dtype=pupils), index=raw.index)


def _code(raw: pd.Series, dtype: pd.CategoricalDtype) -> pd.Series:
    # get_indexer: what is no category becomes -1, missing
    number = dtype.categories.get_indexer(pd.Index(_text(raw)))
    return pd.Series(pd.Categorical.from_codes(number, dtype=dtype), index=raw.index)


def _number(raw: pd.Series, column: Column) -> pd.Series:
    values = read_numbers(raw)
    values = values.where(values.between(column.low, column.high) & np.isfinite(values))
    return values.where(values == values.round()) if column.kind == "integer" else values


def read_numbers(raw: pd.Series) -> pd.Series:
    """Return numbers; what cannot be read is missing.

    Parameters
    ----------
    raw : Series of shape (n_values,)
        Numbers or text, with a decimal point. Programs write powers of ten with a sign, as ``1.05E+02``;
        ``1e1`` is a typing error.

    Returns
    -------
    Series of float64
        Infinite where the text is so.

    Examples
    --------
    >>> read_numbers(pd.Series(["2.5", "1.05E+02", "1e1", "2 days"])).tolist()
    [2.5, 105.0, nan, nan]
    """
    values = pd.to_numeric(raw, errors="coerce").astype("float64")
    if pd.api.types.is_numeric_dtype(raw.dtype):
        return values
    return values.mask(raw.astype("str").str.fullmatch(POWER).eq(True))


def read_dates(raw: pd.Series) -> pd.Series:
    """Return dates; what cannot be read, or lies outside 1950 to 2100, is missing.

    Parameters
    ----------
    raw : Series of shape (n_rows,)
        Dates, or text as ``2024-09-02``, ``02/09/2024``, ``2 September 2024`` or, as COLLECT
        writes it, ``2024-Sep-02 00:00:00``; categories are read once each.

    Returns
    -------
    Series of datetime64[s]
        Days.

    Examples
    --------
    >>> days = read_dates(pd.Series(["2024-09-02", "02/09/2024", "2024-Sep-02 00:00:00", "soon"]))
    >>> days.dt.strftime("%d %b").tolist()
    ['02 Sep', '02 Sep', '02 Sep', nan]
    """
    return _by_distinct_value(_blank_is_missing(tidy_column(raw, MISSING | NOTHING)), _date)


def _date(raw: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(raw):
        dates = raw if raw.dt.tz is None else raw.dt.tz_convert(ENGLAND).dt.tz_localize(None)
    else:
        dates = days_of(_text(raw))
    values = dates.to_numpy()
    # whole numbers are several times as fast as numpy's own casts; a missing date is very low
    days = values.view(np.int64) // PER_DAY[np.datetime_data(values.dtype)[0]]
    outside = (days < EARLIEST) | (days > LATEST)
    days *= SECONDS
    if (
        values.dtype == "datetime64[s]"
        and not outside.any()
        and (days == values.view(np.int64)).all()
    ):
        return dates  # whole days already: no copy of a large column
    whole = days.view("datetime64[s]")
    if outside.any():
        whole[outside] = np.datetime64("NaT")
    return pd.Series(whole, index=raw.index, copy=False)


def fill_not_known(values: pd.Series) -> pd.Series:
    """Put missing and unknown codes into the group of those not known.

    Parameters
    ----------
    values : Series of category, shape (n_rows,)
        With the category ``not_known``.

    Returns
    -------
    Series of category
        Nothing missing.
    """
    return values.fillna(NOT_KNOWN)
