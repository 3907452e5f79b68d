"""Problems: one plain sentence each, and the rows that were set aside.

In:  which rows of which file break which rule.
Out: a frame of problems that stays readable, and a frame with every rejected row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PROBLEM_COLUMNS", "REJECT_COLUMNS", "Ledger"]

PROBLEM_COLUMNS = ["file", "row", "column", "value", "rule", "severity", "message"]
REJECT_COLUMNS = ["file", "row", "reason", "record"]

SHOWN = 20
"""Problems of one rule and column told one by one; the rest are counted in one more row."""


@dataclass
class Ledger:
    """What was found wrong in one file while it is read.

    Attributes
    ----------
    file : str
        File name.
    first_row : int
        Number of the first row: 2 in a CSV, whose header is line 1, else 1.
    raw : DataFrame
        The file's rows.
    reason : object array of shape (n_rows,)
        Why each row is set aside; empty for rows that are kept.
    problems : list of dict
        Told so far.
    """

    file: str
    first_row: int
    raw: pd.DataFrame
    reason: NDArray[np.object_] = field(init=False)
    problems: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reason = np.full(len(self.raw), "", dtype=object)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Rows not set aside so far."""
        return np.asarray(self.reason == "")

    def note(
        self, bad: NDArray[np.bool_], rule: str, column: str, words: str, *, set_aside: bool = True,
        show_value: bool = True,
    ) -> None:  # fmt: skip
        """Write down that rows break a rule.

        Parameters
        ----------
        bad : bool array of shape (n_rows,)
            Rows; those set aside before are not told again.
        rule : str
            Stable code.
        column : str
            Column, or empty.
        words : str
            What is wrong and what to do; ``{value}`` is replaced.
        set_aside : bool
            Whether the rows are rejected; otherwise they are kept with a warning.
        show_value : bool
            False for values that identify a child.
        """
        rows = np.flatnonzero(bad & self.kept)
        severity = "error" if set_aside else "warning"
        has_value = bool(column) and column in self.raw and show_value
        for row in rows[:SHOWN]:
            value = str(self.raw[column].iloc[row]) if has_value else ""
            place = f"{self.file}, row {row + self.first_row}"
            message = f"{place}: {words.format(value=value)}"
            self._tell(row + self.first_row, column, value, rule, severity, message)
        if len(rows) > SHOWN:
            example = str(self.raw[column].iloc[rows[0]]) if has_value else ""
            message = f"{self.file}: {len(rows) - SHOWN} more rows: {words.format(value=example)}"
            self._tell(None, column, "", rule, severity, message)
        if set_aside:
            self.reason[rows] = f"{rule}: {column}" if column else rule

    def _tell(
        self, row: int | None, column: str, value: str, rule: str, severity: str, message: str
    ) -> None:
        told = (self.file, row, column, value, rule, severity, message)
        self.problems.append(dict(zip(PROBLEM_COLUMNS, told, strict=True)))

    def rejects(self) -> pd.DataFrame:
        """Return every row set aside, whole.

        Returns
        -------
        DataFrame
            ``file``, ``row``, ``reason``, ``record`` (the row as JSON).
        """
        rows = np.flatnonzero(~self.kept)
        if not len(rows):
            return pd.DataFrame(columns=REJECT_COLUMNS)
        text = self.raw.iloc[rows].astype("str").to_json(orient="records", lines=True)
        return pd.DataFrame(
            {
                "file": self.file,
                "row": rows + self.first_row,
                "reason": self.reason[rows],
                "record": text.strip().split("\n"),
            }
        )
