"""What can go wrong, in words for people.

::

    RiskmodelError (ValueError)
    ├── DataError        the extracts are wrong: which file, which row, what to do
    ├── HistoryError     not enough history or outcomes for what was asked
    ├── RequestError     the request is wrong: a capacity, a date, a folder
    └── ModelError       the model or its registry cannot be used
"""

from __future__ import annotations

__all__ = ["DataError", "HistoryError", "ModelError", "RequestError", "RiskmodelError"]


class RiskmodelError(ValueError):
    """Any mistake that a person can put right; the message says how."""


class DataError(RiskmodelError):
    """The extracts cannot be used as they are."""


class HistoryError(RiskmodelError):
    """There is not enough history, or too few outcomes, for what was asked."""


class RequestError(RiskmodelError):
    """What was asked for does not fit: a capacity, a date or a folder."""


class ModelError(RiskmodelError):
    """The model or its registry cannot be used."""
