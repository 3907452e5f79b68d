"""Text of a raw column made plain: no odd blanks, no words for a missing value.

In:  a raw column, its distinct values looked at once each.
Out: the same column; the same object where nothing in it was odd.
"""

from __future__ import annotations

import json
import re
import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd

__all__ = [
    "MISSING",
    "NOTHING",
    "as_text",
    "distinct_texts",
    "plain_ids",
    "recoded",
    "tidy_column",
]

MISSING = frozenset(
    ["null", "(null)", "<null>", "#null!", "n/a", "#n/a", "na", "nan", "nat", "<na>", "(blank)"]
)
"""Words that programs write for a missing value, in small letters."""

NOTHING = frozenset(
    ["none", "nil", "-", "--", "00/00/0000", "0000-00-00", "0000-00-00 00:00:00", "00/01/1900"]
)
"""What also stands for a missing value in dates, numbers and text, but may be a code elsewhere."""

DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))
"""Dashes and a sign that stand for a hyphen."""

GUARDED = re.compile(r"""=\s*"([^"]*)"|'(?=\d|[A-Za-z]\d{6})(.*)""")
"""Text that is marked for a spreadsheet as no number, as ="0123" or '0123."""

LONGEST = 24
"""Characters of a text that may be a word for a missing value, with blanks around it."""

INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
"""Characters without width, as copied text has them."""


def as_text(values: pd.Series) -> pd.Series:
    """Return a column in which bytes, decimals, lists and records are text.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As Parquet or a database holds them.

    Returns
    -------
    Series of shape (n_rows,)
        The same object where it holds none of these.

    Examples
    --------
    >>> as_text(pd.Series([b"A1", Decimal("900001.00"), {"b": [1]}, None], dtype="object")).tolist()
    ['A1', '900001', '{"b": [1]}', None]
    """
    if values.dtype != "object":
        return values
    kinds = (bytes, bytearray, memoryview, Decimal, dict, list, tuple, np.ndarray)
    if not any(isinstance(one, kinds) for one in values):
        return values
    made = [_text_of(one) if isinstance(one, kinds) else one for one in values]
    return pd.Series(made, index=values.index, name=values.name, dtype="object")


def _text_of(value: object) -> str | None:
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        is_whole = value == value.to_integral_value()
        return str(int(value)) if is_whole else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        held = bytes(value)
        try:
            return held.decode()
        except UnicodeDecodeError:
            return held.hex()
    whole = value.tolist() if isinstance(value, np.ndarray) else value
    return json.dumps(whole, default=str)


def distinct_texts(values: pd.Series) -> pd.Series:
    """Return each text of a column once.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Categories of text, or text.

    Returns
    -------
    Series of str
        Without missing values; empty where the column holds no text.

    Examples
    --------
    >>> distinct_texts(pd.Series(["a", None, "a"])).tolist()
    ['a']
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        found = pd.Series(values.cat.categories)
        return found if found.dtype == "str" else pd.Series(dtype="str")
    if str(values.dtype) not in {"str", "object"}:
        return pd.Series(dtype="str")
    return pd.Series([one for one in values.unique() if isinstance(one, str)], dtype="str")


def recoded(values: pd.Series, changed: dict[str, str | None]) -> pd.Series:
    """Return a column with some of its texts replaced.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Categories of text, or text.
    changed : dict of str to str or None
        Text → what takes its place; None is missing.

    Returns
    -------
    Series
        Categories stay categories.

    Examples
    --------
    >>> recoded(pd.Series(["a", "NULL"], dtype="category"), {"NULL": None}).isna().tolist()
    [False, True]
    """
    if not changed:
        return values
    if not isinstance(values.dtype, pd.CategoricalDtype):
        return values.map(lambda one: changed.get(one, one) if isinstance(one, str) else one)
    new = pd.Series(values.cat.categories).map(lambda one: changed.get(one, one))
    number, distinct = pd.factorize(new)
    codes = pd.Series([*number, -1]).to_numpy()[values.cat.codes.to_numpy()]
    made = pd.Categorical.from_codes(codes, categories=pd.Index(distinct, dtype="str"))
    return pd.Series(made, index=values.index, name=values.name)


def tidy_column(values: pd.Series, missing: frozenset[str] = MISSING) -> pd.Series:
    """Return a column without odd characters, and without words for a missing value.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As the file holds them.
    missing : frozenset of str
        Words that count as missing, in small letters.

    Returns
    -------
    Series
        Non-breaking blanks, full-width digits and dashes as the plain ones; such words as missing.

    Examples
    --------
    >>> tidy_column(pd.Series(["NULL", "\u00a07 ", "１２", '="012"'])).tolist()
    [nan, ' 7 ', '12', '012']
    """
    changed: dict[str, str | None] = {}
    # one pass over plain strings: most columns have few texts, and pandas takes as long for each of them
    for text in distinct_texts(values).tolist():
        is_odd = not text.isascii() or text.startswith(("=", "'"))
        new = _tidy(text) if is_odd else text
        if (len(text) <= LONGEST and text.strip().lower() in missing) or (
            is_odd and new.strip().lower() in missing
        ):
            changed[text] = None
        elif new != text:
            changed[text] = new
    return recoded(values, changed)


def _tidy(text: str) -> str:
    plain = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES)
    guarded = GUARDED.fullmatch(plain.strip())
    return (guarded[1] or guarded[2] or "") if guarded else plain


def plain_ids(values: pd.Series) -> pd.Series:
    """Return ids in capitals, without blanks around and without the decimal of a whole number.

    A program pads ids to one length, writes a decimal beside a gap, or letters of its own size.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Ids as a file holds them.

    Returns
    -------
    Series of shape (n_rows,)
        The same object where every id is plain; missing where an id is blank.

    Examples
    --------
    >>> plain_ids(pd.Series(["1.00", None, "{a2} "])).tolist()
    ['1', nan, '{A2}']
    >>> plain_ids(pd.Series([7.0, None])).tolist()
    ['7', nan]
    """
    if pd.api.types.is_integer_dtype(values.dtype):
        return values
    texts = pd.Series(values.dropna().unique()).astype("str")
    plain = texts.str.strip().str.upper().str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    if plain.equals(texts):
        return values
    meant = dict(zip(texts, plain.replace("", None), strict=True))
    return values.astype("str").map(meant)
