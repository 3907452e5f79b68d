"""The identity of a list, and seals by which changed rows of a workbook are found.

In:  the facts of a list and its rows.
Out: an identity that is the same wherever it is worked out, and a seal per row.

A seal finds slips: a risk typed over, a row pasted from another list. It is no signature: a reader of this
program could make one. The list's own folder, or the log of lists, proves a list.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from riskmodel.errors import RequestError

__all__ = ["ListIdentity", "cell_text", "row_seals"]

LENGTH = 16
"""Hexadecimal digits of a list's name and of a seal."""


@dataclass(frozen=True, kw_only=True)
class ListIdentity:
    """The facts that make a list the one it is.

    Attributes
    ----------
    outcome : str
        Outcome.
    as_of : str
        Its day, ``YYYY-MM-DD``.
    capacity : int
        Pupils listed.
    rows : int
        Pupils shown: those listed and those near the line.
    model_uri : str
        The model's address.
    digest : str
        SHA-256 of ``list.csv``.
    """

    outcome: str
    as_of: str
    capacity: int
    rows: int
    model_uri: str
    digest: str

    @property
    def list_id(self) -> str:
        """The list's name, worked out from all its facts."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:LENGTH]

    def text(self) -> str:
        """Return the identity on one line, as the workbook holds it.

        Returns
        -------
        str
            JSON with the list's name.
        """
        return json.dumps({"list_id": self.list_id} | asdict(self))

    def words(self) -> str:
        """Return the list's name, outcome, day and places, as a message names it.

        Returns
        -------
        str
            Parts with commas between them.
        """
        return f"{self.list_id}, {self.outcome}, {self.as_of}, {self.capacity} places"

    @classmethod
    def parse(cls, text: str) -> ListIdentity:
        """Read what :meth:`text` wrote.

        Parameters
        ----------
        text : str
            JSON.

        Returns
        -------
        ListIdentity
            The same identity.

        Raises
        ------
        RequestError
            If it is not whole, or a fact was altered.
        """
        try:
            facts = json.loads(text)
            made = cls(**{f.name: facts[f.name] for f in fields(cls)})
            whole = facts["list_id"] == made.list_id
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise RequestError("its identity was altered or is cut off")
        return made


def row_seals(list_id: str, rows: pd.DataFrame) -> list[str]:
    """Return a seal per row.

    Parameters
    ----------
    list_id : str
        The list's name.
    rows : DataFrame
        Cells as shown; their text counts, so that a workbook saved by another program keeps its seals.

    Returns
    -------
    list of str
        One seal per row, in the order of the rows.

    Examples
    --------
    >>> first, second = row_seals("list", pd.DataFrame({"rank": [1, 2]}))
    >>> first == row_seals("list", pd.DataFrame({"rank": [1.0]}))[0], first == second
    (True, False)
    """
    return [
        hashlib.sha256("\x1f".join([list_id, *map(cell_text, row)]).encode()).hexdigest()[:LENGTH]
        for row in rows.itertuples(index=False, name=None)
    ]


def cell_text(value: object) -> str:
    """Return the text of a cell, the same for every program that may have written it.

    Parameters
    ----------
    value : object
        Text, number, or missing.

    Returns
    -------
    str
        Text with single spaces; numbers to ten digits; nothing for a missing value.

    Examples
    --------
    >>> [cell_text(value) for value in ("two  words", 0.1, 7, None)]
    ['two words', '0.1', '7', '']
    """
    if value is None or value is pd.NA or value != value:  # NaN differs from itself
        return ""
    if isinstance(value, int | float | np.number):
        return f"{float(value):.10g}"
    return " ".join(unicodedata.normalize("NFC", str(value)).split())
