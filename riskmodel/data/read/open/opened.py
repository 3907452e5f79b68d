"""What a file, a sheet or a database table holds, and what of it could not be taken for rows.

In:  a raw frame, and the rows that were set aside while it was opened.
Out: :class:`Opened`, which every reader takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.read.rows.problems import REJECT_COLUMNS, Problem, Severity

__all__ = ["Opened", "aside_of", "unread"]


def _none_aside() -> pd.DataFrame:
    return pd.DataFrame(columns=REJECT_COLUMNS)


@dataclass(frozen=True)
class Opened:
    """What a file, a sheet or a database table holds.

    Attributes
    ----------
    name : str
        What messages call it.
    raw : DataFrame
        Its rows.
    encoding : str
        ``"utf-8"``, or how its text was read otherwise.
    first_row : int
        Number of the first row: 2 below a header, else 1.
    lines : int array of shape (n_rows,), optional
        Number of each row, where the numbers are not consecutive.
    aside : DataFrame
        ``file, row, reason, record`` of the lines that are no rows.
    problems : sequence of Problem
        Found while it was opened.
    counted : int, optional
        Rows by a count that did not use the parser.
    fault : str
        Why nothing of it can be read; empty where it was opened.
    severity : str, optional
        Of the fault; None where it is as it should be that nothing was read.
    """

    name: str
    raw: pd.DataFrame = field(repr=False)
    encoding: str = "utf-8"
    first_row: int = 1
    lines: NDArray[np.int64] | None = field(default=None, repr=False)
    aside: pd.DataFrame = field(default_factory=_none_aside, repr=False)
    problems: Sequence[Problem] = ()
    counted: int | None = None
    fault: str = ""
    severity: Severity | None = "error"

    @property
    def rows_seen(self) -> int:
        """Rows by a count that is independent of the parser, where there is one."""
        return len(self.raw) + len(self.aside) if self.counted is None else self.counted

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Number of each row, as a person counts."""
        return np.arange(len(self.raw)) + self.first_row if self.lines is None else self.lines


def unread(name: str, fault: str, severity: Severity | None = "error") -> Opened:
    """Return a file of which nothing can be read.

    Parameters
    ----------
    name : str
        What messages call it.
    fault : str
        Why, then what to do.
    severity : str, optional
        ``"error"``, ``"warning"`` where it may well hold nothing of use, or None for no problem.

    Returns
    -------
    Opened
        Without rows.

    Examples
    --------
    >>> unread("notes.pdf", "notes.pdf: is of no kind that is read.").rows_seen
    0
    """
    return Opened(name, pd.DataFrame(), fault=fault, severity=severity)


def aside_of(name: str, lines: list[tuple[int, str, str]]) -> pd.DataFrame:
    """Return lines as rejects.

    Parameters
    ----------
    name : str
        Of the file.
    lines : list of tuple
        Number, reason and text of each.

    Returns
    -------
    DataFrame
        ``file, row, reason, record``.
    """
    rows = [(name, line, reason, json.dumps({"line": text})) for line, reason, text in lines]
    return pd.DataFrame(rows, columns=REJECT_COLUMNS)
