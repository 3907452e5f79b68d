"""Whether a pupil is on roll, as a column of a school's own list says it.

In:  rows of a roll with plain column names.
Out: which rows are of pupils who have left; which words say neither.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from riskmodel.data.read.rows.words import FLAG_NO, FLAG_YES
from riskmodel.data.read.sources.enrolment_status import is_no_status
from riskmodel.data.read.sources.source import is_there

__all__ = ["is_off_roll", "is_said_on_roll", "unknown_presence"]

PRESENT = (
    "onroll",
    "isonroll",
    "onrollflag",
    "currentlyonroll",
    "current",
    "iscurrent",
    "currentpupil",
    "active",
    "isactive",
)
"""Plain names of flags of pupils on roll; names and words are those in common use."""

ABSENT = (
    "leaver",
    "isleaver",
    "leaverflag",
    "left",
    "hasleft",
    "offroll",
    "isoffroll",
    "nolongeronroll",
)
"""Plain names of flags of pupils who have left."""

STATUS = (
    "status",
    "rollstatus",
    "onrollstatus",
    "pupilstatus",
    "studentstatus",
    "currentstatus",
    "enrolstatus",
)
"""Plain names of columns with a word; the last may hold a leaver among statuses of the census."""

HERE = frozenset(
    [
        "on roll",
        "onroll",
        "currently on roll",
        "on",
        "current",
        "current pupil",
        "active",
        "enrolled",
    ]
)
GONE = frozenset(
    [
        "off roll",
        "offroll",
        "off",
        "not on roll",
        "no longer on roll",
        "left",
        "leaver",
        "leavers",
        "has left",
        "former",
        "former pupil",
        "inactive",
        "not current",
        "l",
    ]
)
"""What the columns say whole, in small letters, of a pupil who is on roll, and of one who has left."""


def is_off_roll(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are of pupils whom a column shows as no longer on roll.

    Parameters
    ----------
    frame : DataFrame
        Rows of a roll with plain column names.

    Returns
    -------
    Series of bool
        One per row.

    Examples
    --------
    >>> is_off_roll(pd.DataFrame({"onroll": ["Y", "N"], "status": ["Leaver", None]})).tolist()
    [True, True]
    >>> is_off_roll(pd.DataFrame({"enrolstatus": ["F", "Leaver"]})).tolist()
    [False, True]
    """
    return _said(frame)[1]


def is_said_on_roll(frame: pd.DataFrame) -> pd.Series:
    """Return which rows are of pupils whom a column shows as on roll, and none as having left.

    Parameters
    ----------
    frame : DataFrame
        Rows of a roll with plain column names.

    Returns
    -------
    Series of bool
        One per row.

    Examples
    --------
    >>> is_said_on_roll(pd.DataFrame({"onroll": ["Y", "N", None]})).tolist()
    [True, False, False]
    """
    here, gone = _said(frame)
    return here & ~gone


def unknown_presence(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Yield the columns with words that say neither that a pupil is on roll nor that they left.

    Parameters
    ----------
    frame : DataFrame
        Rows of a roll with plain column names.

    Yields
    ------
    (str, Series of bool of shape (n_rows,))
        Plain name of the column; which rows hold such words. Statuses of the census are known.

    Examples
    --------
    >>> rows = pd.DataFrame({"status": ["Current", "Subsidiary", "Pre-admission", None]})
    >>> [(name, rows_with.tolist()) for name, rows_with in unknown_presence(rows)]
    [('status', [False, False, True, False])]
    """
    for name, text, here, gone in _columns(frame):
        if name == "enrolstatus":  # no status of the census is a warning already
            continue
        other = is_there(frame[name]) & ~text.isin(here | gone)
        if name in STATUS:
            other &= is_no_status(frame[name])
        if other.any():
            yield name, other


def _said(frame: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return which rows a column shows as on roll, and which as off it."""
    is_here, is_gone = (pd.Series(False, index=frame.index) for _ in range(2))
    for _, text, here, gone in _columns(frame):
        is_here |= text.isin(here)
        is_gone |= text.isin(gone)
    return is_here, is_gone


def _columns(
    frame: pd.DataFrame,
) -> Iterator[tuple[str, pd.Series, frozenset[str], frozenset[str]]]:
    """Yield the columns with their words in small letters, and the words for on and off roll."""
    meanings = (
        (PRESENT, FLAG_YES | HERE, FLAG_NO | GONE),
        (ABSENT, FLAG_NO | HERE, FLAG_YES | GONE),
        (STATUS, HERE, GONE),
    )
    for names, here, gone in meanings:
        for name in names:
            if name in frame:
                text = frame[name].astype("str").str.lower().str.replace(r"[\W_]+", " ", regex=True)
                yield name, text.str.strip(), here, gone
