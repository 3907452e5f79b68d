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
    "without_secrets",
]

# up to the last @ before a blank: an unescaped @ or / of a password must not let the rest of it out
USER = re.compile(r"(?<=://)[^\s/:@]*(?::\S*)?@")
SECRET = re.compile(r"([?&;]\w*(?:pass|pwd|token)\w*=)[^&;\s]*", re.IGNORECASE)


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


class RiskmodelError(ValueError):
    """Any mistake that a person can put right; the message says how, and shows no password."""

    def __str__(self) -> str:
        return without_secrets(super().__str__())


class DataError(RiskmodelError):
    """The extracts cannot be used as they are."""


class HistoryError(RiskmodelError):
    """There is not enough history, or too few outcomes, for what was asked."""


class RequestError(RiskmodelError):
    """What was asked for does not fit: a capacity, a date or a folder."""


class ModelError(RiskmodelError):
    """The model or its registry cannot be used."""
