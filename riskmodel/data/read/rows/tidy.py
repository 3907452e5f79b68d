"""Text of a raw column made plain: no odd blanks, no words for a missing value.

In:  a raw column, its distinct values looked at once each.
Out: the same column; the same object where nothing in it was odd.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

__all__ = ["MISSING", "NOTHING", "distinct_texts", "recoded", "tidy_column"]

MISSING = frozenset(
    ["null", "(null)", "<null>", "#null!", "n/a", "#n/a", "na", "nan", "nat", "<na>", "(blank)"]
)
"""Words that programs write for a missing value, in small letters."""

NOTHING = frozenset(["none", "nil", "-", "--", "–", "—", "00/00/0000", "0000-00-00"])
"""What also stands for a missing value in dates, numbers and text, but may be a code elsewhere."""

INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
"""Characters without width, as copied text has them."""


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
        Non-breaking blanks and full-width digits as the plain ones; such words as missing.

    Examples
    --------
    >>> tidy_column(pd.Series(["NULL", "\u00a07 ", "１２"])).tolist()
    [nan, ' 7 ', '12']
    """
    return recoded(values, _changes(distinct_texts(values), lambda text: text, missing))


def _changes(
    texts: pd.Series, function: Callable[[str], str], missing: frozenset[str]
) -> dict[str, str | None]:
    """Return the texts that change, each with what takes its place."""
    longest = max(map(len, missing))
    odd = texts[~texts.str.isascii().fillna(True).to_numpy(dtype=bool)]
    plain = odd.str.normalize("NFKC").map(lambda text: INVISIBLE.sub("", text))
    made = texts.where(~texts.index.isin(odd.index), plain.reindex(texts.index))
    short = made[made.str.len() <= longest + 8]
    gone = short[short.str.strip().str.lower().isin(missing)].index
    changed: dict[str, str | None] = {
        old: new for old, new in zip(odd, plain, strict=True) if old != new
    }
    return changed | dict.fromkeys(texts.loc[gone])
