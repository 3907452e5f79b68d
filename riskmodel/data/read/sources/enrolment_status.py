"""Whether a roll is a pupil's main one: enrolment statuses as codes of the census, or in words.

In:  a column of statuses.
Out: ``main`` or ``dual``; which values are no status.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.source import is_there

__all__ = ["enrolment_status", "is_no_status"]

BESIDE = r"CURRENT|DUAL(?:LY)?|REGISTRATION|REGISTERED|PUPIL|AT THIS SCHOOL|ONLY"
"""Words that the labels of several statuses hold."""

GUEST = "NOT REGISTERED AT THIS SCHOOL BUT ATTENDING SOME SESSIONS(?: OR LESSONS)?"
"""The rest of a guest's label."""


def _only(words: str) -> str:
    """Return a pattern of texts with one of some words, and no other but those beside them."""
    return rf"(?=.*\b(?:{words})\b)(?:(?:{words}|{BESIDE})(?: |$))+"


DUAL = "|".join([_only("S|SUBSID|SUBSIDIARY"), _only(f"G|GUEST|{GUEST}")])
"""Subsidiary registration, and guests: their main roll is at another school."""

MAIN = "|".join(
    [
        "CURRENT",
        _only("C|SINGLE|SOLE"),
        _only("M|MAIN"),
        _only("F|FE|FURTHER EDUCATION|COLLEGE"),
        _only("O|OTHER|PROVIDER"),
    ]
)
"""Single and main registration; further education college and other provider (CBDS, EnrolStatus)."""


def enrolment_status(values: pd.Series) -> pd.Series:
    """Return the status of each roll.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        Codes of the School Census, or words of a school system.

    Returns
    -------
    Series of str
        ``dual`` for a subsidiary registration and a guest; ``main`` for all others, and where empty.

    Examples
    --------
    >>> written = pd.Series(["C", "s", "Current Subsidiary (dual registration)", "G - Guest", None])
    >>> enrolment_status(written).tolist()
    ['main', 'dual', 'dual', 'dual', 'main']
    """
    is_dual = _words(values).str.fullmatch(DUAL, na=False)
    return pd.Series("main", index=values.index).mask(is_dual, "dual")


def is_no_status(values: pd.Series) -> pd.Series:
    """Return which values are neither a main nor a dual registration, by code or words.

    Parameters
    ----------
    values : Series of shape (n_rows,)
        As :func:`enrolment_status` reads them.

    Returns
    -------
    Series of bool
        False for empty values; True where the words are those of two statuses, or of none.

    Examples
    --------
    >>> is_no_status(pd.Series(["M", "Main - dual registration", "Main (subsidiary at 4002)"])).tolist()
    [False, False, True]
    """
    known = _words(values).str.fullmatch(f"{DUAL}|{MAIN}", na=False)
    return is_there(values) & ~known


def _words(values: pd.Series) -> pd.Series:
    """Return texts in capitals, with one blank between words."""
    return values.astype("str").str.upper().str.replace(r"[\W_]+", " ", regex=True).str.strip()
