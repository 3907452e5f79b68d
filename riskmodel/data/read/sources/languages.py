"""First languages: codes of the School Census, also in small letters or with their labels.

In:  a column of first languages.
Out: codes; which values are none.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.source import is_there

__all__ = ["is_no_language", "language_code"]

CODE = r"^([A-Z]{3,4})(?:\s*[-:=(].*)?$"
"""A code, alone or before its label: three letters, or four of the extended set (CBDS, LanguageCode)."""

LABELS = {
    "ENGLISH": "ENG",
    "BELIEVED TO BE ENGLISH": "ENB",
    "OTHER THAN ENGLISH": "OTH",
    "BELIEVED TO BE OTHER THAN ENGLISH": "OTB",
    "NOT OBTAINED": "NOT",
    "INFORMATION NOT OBTAINED": "NOT",
    "REFUSED": "REF",
    "CLASSIFICATION PENDING": "ZZZ",
}
"""Labels that schools write in place of the code (CBDS)."""


def language_code(values: pd.Series) -> pd.Series:
    """Return the code of each first language.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As a census holds them.

    Returns
    -------
    Series of str
        Missing where empty, or neither a code nor a label that is known.

    Examples
    --------
    >>> written = pd.Series(["eng", "ENG - English", "Believed to be English", "Mostly English"])
    >>> language_code(written).tolist()
    ['ENG', 'ENG', 'ENB', nan]
    """
    text = values.astype("str").str.strip().str.upper()
    return text.map(LABELS).astype("str").fillna(text.str.extract(CODE, expand=False))


def is_no_language(values: pd.Series) -> pd.Series:
    """Return which values are there, and neither a code nor a label that is known.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As a census holds them.

    Returns
    -------
    Series of bool
        False for empty values.

    Examples
    --------
    >>> is_no_language(pd.Series(["eng", "Mostly English", None])).tolist()
    [False, True, False]
    """
    return is_there(values) & language_code(values).isna()
