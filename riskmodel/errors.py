"""What can go wrong, in words for people.

::

    RiskmodelError (ValueError)
    ├── DataError        the extracts are wrong: which file, which row, what to do
    ├── HistoryError     not enough history or outcomes for what was asked
    ├── RequestError     the request is wrong: a capacity, a date, a folder
    └── ModelError       the model or its registry cannot be used
"""

from __future__ import annotations

import re

__all__ = [
    "DataError",
    "HistoryError",
    "ModelError",
    "RequestError",
    "RiskmodelError",
    "readable",
    "without_secrets",
]

# up to the last @ before a blank: an unescaped @ or / of a password must not let the rest of it out
USER = re.compile(r"(?<=://)[^\s/:@]*(?::\S*)?@")
SECRET = re.compile(r"([?&;]\w*(?:pass|pwd|token)\w*=)[^&;\s]*", re.IGNORECASE)

LONGEST = 6_000
"""Characters of a message; a workbook that came back may have twenty faults, each with its row."""


def without_secrets(text: str) -> str:
    """Hide who signs on, and with what password, in every address of a text.

    Parameters
    ----------
    text : str
        What is to be shown.

    Returns
    -------
    str
        ``scheme://user:password@server`` as ``scheme://***@server``.

    Examples
    --------
    >>> without_secrets("http://la:secret@server:5000 does not answer")
    'http://***@server:5000 does not answer'
    """
    return SECRET.sub(r"\1***", USER.sub("***@", text))


def readable(text: str) -> str:
    r"""Return a message that can do nothing to a terminal and that somebody may still want to read.

    Parameters
    ----------
    text : str
        A message; it may quote a file.

    Returns
    -------
    str
        What cannot be printed as ``�``; the middle of a very long text left out, for the remedy is at
        its end.

    Examples
    --------
    >>> readable("unknown column 'a\x1b[2J'. Rename it.")
    "unknown column 'a�[2J'. Rename it."
    """
    shown = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    if len(shown) <= LONGEST:
        return shown
    return f"{shown[: LONGEST // 2]} … {shown[-LONGEST // 2 :]}"


class RiskmodelError(ValueError):
    """Any mistake that a person can put right; the message explains how, and shows no password."""

    def __str__(self) -> str:
        return readable(without_secrets(super().__str__()))


class DataError(RiskmodelError):
    """The extracts cannot be used as they are."""


class HistoryError(RiskmodelError):
    """There is not enough history, or too few outcomes, for what was asked."""


class RequestError(RiskmodelError):
    """What was asked for does not fit: a capacity, a date or a folder."""


class ModelError(RiskmodelError):
    """The model or its registry cannot be used."""
