"""Problems: one plain sentence each, and the rows that were set aside.

In:  which rows of which file break which rule.
Out: a frame of problems that stays readable, and a frame with every rejected row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PROBLEM_COLUMNS", "REJECT_COLUMNS", "RowChecks", "encoding_warning", "problem"]

PROBLEM_COLUMNS = ["file", "row", "column", "value", "rule", "severity", "message", "remedy"]
REJECT_COLUMNS = ["file", "row", "reason", "record"]

SHOWN = 20
"""Problems of one rule and column told one by one; the rest are counted in one more row."""

LONGEST = 60
"""Characters of a value that a message shows."""


def problem(
    file: str,
    rule: str,
    words: str,
    *,
    severity: str = "warning",
    row: int | None = None,
    column: str = "",
    value: str = "",
    told: str = "",
) -> dict[str, object]:
    """Return a problem.

    Parameters
    ----------
    file : str
        File name.
    rule : str
        Stable code.
    words : str
        What is wrong, in one sentence, then what to do.
    severity : str
        ``"error"`` where something must be put right at the source before the result is whole, else
        ``"warning"``.
    row : int, optional
        Number of the row; None for a whole file.
    column, value : str
        Where in the row, and what stands there.
    told : str
        The message; ``words`` where left out.

    Returns
    -------
    dict of str to object
        A row of the problems.
    """
    remedy = re.split(r"(?<=[a-z)'0-9]\.) ", words, maxsplit=1)[1:]
    values = (file, row, column, value, rule, severity, told or words, "".join(remedy))
    return dict(zip(PROBLEM_COLUMNS, values, strict=True))


def encoding_warning(file: str, encoding: str) -> list[dict[str, object]]:
    """Return a warning where a file was not UTF-8.

    Parameters
    ----------
    file : str
        File name.
    encoding : str
        How it was read.

    Returns
    -------
    list of dict
        One row of the problems, or none.
    """
    if encoding == "utf-8":
        return []
    message = (
        f"{file}: is not UTF-8; it was read as {encoding}. "
        "Check names with accents, or export as UTF-8."
    )
    return [problem(file, "encoding", message)]


@dataclass
class RowChecks:
    """What was found wrong in one file while it is read.

    Attributes
    ----------
    file : str
        File name.
    first_row : int
        Number of the first row: 2 in a CSV, whose header is line 1, else 1.
    raw : DataFrame
        The file's rows.
    places : int array of shape (n_rows,), optional
        Place in the file of each row, from 0; in order where left out.
    number : int16 array of shape (n_rows,)
        Place in ``reasons`` of why each row is set aside; 0 for rows that are kept.
    kept : bool array of shape (n_rows,)
        Rows not set aside so far.
    reasons : list of str
        Why rows are set aside; the first stands for rows that are kept.
    problems : list of dict
        Told so far.
    in_order : bool
        Whether the rows were found in the order of their key, none repeated.
    """

    file: str
    first_row: int
    raw: pd.DataFrame
    places: NDArray[np.int64] | None = None
    number: NDArray[np.int16] = field(init=False)
    kept: NDArray[np.bool_] = field(init=False)
    reasons: list[str] = field(default_factory=lambda: [""])
    problems: list[dict[str, object]] = field(default_factory=list)
    in_order: bool = False

    def __post_init__(self) -> None:
        self.number = np.zeros(len(self.raw), dtype=np.int16)
        self.kept = np.ones(len(self.raw), dtype=bool)

    def _places(self) -> NDArray[np.int64]:
        return np.arange(len(self.raw)) if self.places is None else self.places

    def note(
        self, bad: NDArray[np.bool_], rule: str, column: str, words: str, *, set_aside: bool = True,
        show_value: bool = True, hint: pd.Series | None = None,
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
            What is wrong and what to do; ``{value}`` and ``{hint}`` are replaced.
        set_aside : bool
            Whether the rows are rejected; otherwise they are kept with a warning.
        show_value : bool
            False for values that identify a child.
        hint : Series of shape (n_rows,), optional
            One more word per row, such as what was expected.
        """
        rows = np.flatnonzero(bad & self.kept)
        if not len(rows):
            return
        places = self._places()
        severity = "error" if set_aside else "warning"
        has_value = bool(column) and column in self.raw and show_value
        for row in rows[:SHOWN]:
            value = _short(self.raw[column].iloc[row]) if has_value else ""
            said = words.format(value=value, hint="" if hint is None else hint.iloc[row])
            number = int(places[row]) + self.first_row
            self.problems.append(problem(
                self.file, rule, said, severity=severity, row=number, column=column, value=value,
                told=f"{self.file}, row {number}: {said}",
            ))  # fmt: skip
        if len(rows) > SHOWN:
            message = (
                f"{self.file}: {len(rows) - SHOWN} more rows break the rule {rule}"
                + (f" in {column}" if column else "")
                + (". They are in the rejects." if set_aside else ". They are kept.")
            )
            self.problems.append(
                problem(self.file, rule, message, severity=severity, column=column)
            )
        if set_aside:
            self.number[rows] = len(self.reasons)
            self.reasons.append(f"{rule}: {column}" if column else rule)
            self.kept[rows] = False

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
                "row": self._places()[rows] + self.first_row,
                "reason": np.array(self.reasons, dtype=object)[self.number[rows]],
                "record": text.strip().split("\n"),
            }
        )


def _short(value: object) -> str:
    """Return a value on one line, cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
