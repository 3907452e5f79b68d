"""Whether a roll is a pupil's main one: enrolment statuses as codes of the census, or in words.

In:  a column of statuses.
Out: ``main`` or ``dual``; which values are no status.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.source import is_there

__all__ = ["enrolment_status", "is_no_status"]

DUAL = r"^[SG]\b|SUBSID|GUEST"
"""Subsidiary registration, and guests: their main roll is at another school."""

MAIN = r"^[CMFO]\b|\b(?:CURRENT|MAIN|SINGLE|SOLE|COLLEGE|PROVIDER|REGISTERED|ON ROLL)\b"
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
    is_dual = _capitals(values).str.contains(DUAL, na=False)
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
        False for empty values.

    Examples
    --------
    >>> is_no_status(pd.Series(["M", "Main - dual registration", "Pending", None])).tolist()
    [False, False, True, False]
    """
    known = _capitals(values).str.contains(f"{DUAL}|{MAIN}", na=False)
    return is_there(values) & ~known


def _capitals(values: pd.Series) -> pd.Series:
    return values.astype("str").str.strip().str.upper()
