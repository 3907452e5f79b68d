"""Problems: one plain sentence each, and the rows that were set aside.

In:  which rows of which file break which rule.
Out: a frame of problems that stays readable, and a frame with every rejected row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import may_identify
from riskmodel.data.read.rows.faults import value_and_fault

__all__ = [
    "CONFLICT_COLUMNS",
    "NOT_SHOWN",
    "PROBLEM_COLUMNS",
    "REJECT_COLUMNS",
    "SHOWN",
    "Problem",
    "RowChecks",
    "Severity",
    "encoding_warning",
    "first_few",
    "problems_frame",
    "records_of",
]

PROBLEM_COLUMNS = ["file", "row", "column", "value", "rule", "severity", "message", "remedy"]
REJECT_COLUMNS = ["file", "row", "reason", "record"]
CONFLICT_COLUMNS = ["file", "row", "column", "other_file", "other_row"]

SHOWN = 20
"""Problems of one rule and column that have a row each; one more row counts the rest."""

NOT_SHOWN = "(not shown)"
"""In place of a value that may identify a child."""

LONGEST = 60
"""Characters of a value that a message shows."""


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that no reader of a message could see, or that change how others are shown."""

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, a row or a value, in a sentence for people.

    Attributes
    ----------
    file : str
        Name of the file, or of the table.
    rule : str
        Stable code.
    words : str
        What is wrong, in one sentence, then what to do.
    severity : str
        ``"error"`` where the source must be corrected before the result is whole, else
        ``"warning"``.
    row : int or None
        Number of the row in the file; None for a whole file.
    column, value : str
        Where in the row, and what the row holds there.

    Examples
    --------
    >>> late = Problem("send.csv", "date", "start_date is missing. Add it.", row=7)
    >>> late.message
    'send.csv, row 7: start_date is missing. Add it.'
    >>> late.remedy
    'Add it.'
    """

    file: str
    rule: str
    words: str
    _: KW_ONLY
    severity: Severity = "warning"
    row: int | None = None
    column: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        """Escape control characters: a terminal or a browser would act on them, or hide them."""
        for name in ("words", "value"):
            object.__setattr__(self, name, CONTROL.sub(_escaped, getattr(self, name)))

    @property
    def message(self) -> str:
        """The words, after the file and the row where the problem has a row."""
        return self.words if self.row is None else f"{self.file}, row {self.row}: {self.words}"

    @property
    def remedy(self) -> str:
        """What to do: all sentences after the first."""
        return "".join(re.split(r"(?<=[a-z)'0-9]\.) ", self.words, maxsplit=1)[1:])


def _escaped(one: re.Match[str]) -> str:
    return one[0].encode("unicode_escape").decode("ascii")


def problems_frame(problems: list[Problem]) -> pd.DataFrame:
    """Return one row per problem.

    Parameters
    ----------
    problems : list of Problem
        In the order in which they are shown.

    Returns
    -------
    DataFrame
        The columns of :data:`PROBLEM_COLUMNS`.

    Examples
    --------
    >>> problems_frame([Problem("send.csv", "date", "A date is missing.")])["rule"].tolist()
    ['date']
    """
    rows = [[getattr(problem, name) for name in PROBLEM_COLUMNS] for problem in problems]
    return pd.DataFrame(rows, columns=PROBLEM_COLUMNS)


def records_of(raw: pd.DataFrame, rows: NDArray[np.int64]) -> list[str]:
    """Return rows as the rejects hold them.

    Parameters
    ----------
    raw : DataFrame
        Rows of a file.
    rows : int array of shape (n,)
        Places of the wanted ones, from 0.

    Returns
    -------
    list of str
        Each row as JSON.

    Examples
    --------
    >>> records_of(pd.DataFrame({"provision": ["K", "?"]}), np.array([1]))
    ['{"provision":"?"}']
    """
    return raw.iloc[rows].astype("str").to_json(orient="records", lines=True).strip().split("\n")


Row = TypeVar("Row")


def first_few(
    rows: Sequence[Row], problem: Callable[[Row], Problem], rest: str, column: str = ""
) -> list[Problem]:
    """Return the problem of each of the first rows, and one that counts the other rows.

    Parameters
    ----------
    rows : sequence
        Rows of one file that break one rule.
    problem : callable
        Row → its problem.
    rest : str
        What the other rows do, as it goes on from "7 more rows".
    column : str
        Column of the problem that counts.

    Returns
    -------
    list of Problem
        Empty where there are no rows.

    Examples
    --------
    >>> found = first_few(range(25), lambda row: Problem("a.csv", "date", "No date.", row=row), "have none.")
    >>> len(found), found[-1].message
    (21, 'a.csv: 5 more rows have none.')
    """
    problems = [problem(row) for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        one = problems[0]
        words = f"{one.file}: {len(rows) - SHOWN} more rows {rest}"
        problems.append(Problem(one.file, one.rule, words, severity=one.severity, column=column))
    return problems


def encoding_warning(file: str, encoding: str) -> list[Problem]:
    """Return a warning where a file was not UTF-8.

    Parameters
    ----------
    file : str
        File name.
    encoding : str
        How it was read.

    Returns
    -------
    list of Problem
        One, or none.

    Examples
    --------
    >>> encoding_warning("send.csv", "utf-8")
    []
    """
    if encoding == "utf-8":
        return []
    message = (
        f"{file}: is not UTF-8; it was read as {encoding}. "
        "Check names with accents, or export as UTF-8."
    )
    return [Problem(file, "encoding", message)]


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
    lines : int array of shape (n_rows_of_the_file,), optional
        Number of each row of the file, by its place; consecutive from the first where left out.
    number : int16 array of shape (n_rows,)
        Place in ``reasons`` of why each row is set aside; 0 for rows that are kept.
    kept : bool array of shape (n_rows,)
        Rows that are in the table so far.
    merged : bool array of shape (n_rows,)
        Rows that repeat a row that is kept.
    conflicting : bool array of shape (n_rows,)
        Rows that contradict another one; those received later are kept beside it.
    conflicts : DataFrame
        ``file, row, column, other_file, other_row``: rows that contradict another one, and that one.
    reasons : list of str
        Why rows are set aside; the first stands for rows that are kept.
    problems : list of Problem
        Found so far.
    in_order : bool
        Whether the rows were found in the order of their key, none repeated.
    """

    file: str
    first_row: int
    raw: pd.DataFrame
    places: NDArray[np.int64] | None = None
    lines: NDArray[np.int64] | None = None
    number: NDArray[np.int16] = field(init=False)
    kept: NDArray[np.bool_] = field(init=False)
    merged: NDArray[np.bool_] = field(init=False)
    conflicting: NDArray[np.bool_] = field(init=False)
    conflicts: pd.DataFrame = field(init=False)
    reasons: list[str] = field(default_factory=lambda: [""])
    problems: list[Problem] = field(default_factory=list)
    in_order: bool = False

    def __post_init__(self) -> None:
        self.number = np.zeros(len(self.raw), dtype=np.int16)
        self.kept = np.ones(len(self.raw), dtype=bool)
        self.merged = np.zeros(len(self.raw), dtype=bool)
        self.conflicting = np.zeros(len(self.raw), dtype=bool)
        self.conflicts = pd.DataFrame(columns=CONFLICT_COLUMNS)

    def places_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places in the file of some of the rows.

        Parameters
        ----------
        rows : int array of shape (n,)
            From 0, among the rows at hand.

        Returns
        -------
        int array of shape (n,)
            From 0, in the file.
        """
        return rows if self.places is None else self.places[rows]

    def numbers_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers, as a person counts, of some of the rows.

        Parameters
        ----------
        rows : int array of shape (n,)
            From 0, among the rows at hand.

        Returns
        -------
        int array of shape (n,)
            Lines of a CSV; rows of other files.
        """
        places = self.places_of(rows)
        return places + self.first_row if self.lines is None else self.lines[places]

    def rows_set_aside(self) -> NDArray[np.int64]:
        """Return which rows are neither kept nor merged nor in conflict.

        Returns
        -------
        int array of shape (n,)
            From 0, among the rows at hand.
        """
        return np.flatnonzero(~self.kept & ~self.merged & ~self.conflicting)

    def note(
        self,
        bad: NDArray[np.bool_],
        rule: str,
        column: str,
        words: str,
        *,
        set_aside: bool = True,
        merged: bool = False,
        show_value: bool = True,
        allowed: tuple[str, ...] = (),
        hint: pd.Series | None = None,
    ) -> None:
        """Write down that rows break a rule.

        Parameters
        ----------
        bad : bool array of shape (n_rows,)
            Rows; rows that were set aside before are left out.
        rule : str
            Stable code.
        column : str
            Column, or empty.
        words : str
            What is wrong and what to do; ``{value}`` and ``{hint}`` are replaced.
        set_aside : bool
            Whether the rows are rejected; otherwise they are kept with a warning.
        merged : bool
            Whether the rows repeat others that are kept; then they are neither kept nor rejected.
        show_value : bool
            False for columns that identify a child. A value that may be a name or a UPN
            (:func:`riskmodel.data.identity.may_identify`) is never shown.
        allowed : tuple of str
            Codes of the column; one of them in other capitals is shown.
        hint : Series of shape (n_rows,), optional
            One more word per row, such as what was expected.

        Examples
        --------
        >>> checks = RowChecks("send.csv", 2, pd.DataFrame({"provision": ["K", "?"]}))
        >>> checks.note(np.array([False, True]), "unknown_code", "provision", "'{value}' is no code.")
        >>> checks.problems[0].message
        "send.csv, row 3: '?' is no code."
        """
        rows = np.flatnonzero(bad & self.kept)
        if not len(rows):
            return
        severity: Severity = "error" if set_aside else "warning"
        has_value = bool(column) and column in self.raw and show_value
        numbers = self.numbers_of(rows[:SHOWN]).tolist()

        def problem(place: int) -> Problem:
            row = rows[place]
            value, fault = value_and_fault(
                _written(self.raw[column].iloc[row]) if has_value else ""
            )
            value, template = _short(value), f"{column} '{{value}}' {fault}" if fault else words
            is_hidden = may_identify(CONTROL.sub("", value)) and value.lower() not in map(
                str.lower, allowed
            )
            sentence = _filled(template, value, "" if hint is None else hint.iloc[row], is_hidden)
            return Problem(
                self.file,
                rule,
                sentence,
                severity=severity,
                row=numbers[place],
                column=column,
                value="" if is_hidden else value,
            )

        end = (
            "were merged"
            if merged
            else "are in the rejects"
            if set_aside
            else "are not set aside for it"
        )
        where = f" in {column}" if column else ""
        rest = f"break the rule {rule}{where}. They {end}."
        self.problems += first_few(range(len(rows)), problem, rest, column)
        if merged:
            self.merged[rows], self.kept[rows] = True, False
        elif set_aside:
            self._set_aside(rows, f"{rule}: {column}" if column else rule)

    def conflict(
        self, rows: NDArray[np.bool_], words: str, others: pd.DataFrame, *, is_later: bool = False
    ) -> None:
        """Write down that rows contradict others.

        Parameters
        ----------
        rows : bool array of shape (n_rows,)
            Rows.
        words : str
            What is wrong and what to do; ``{hint}`` is replaced by the number of the other row.
        others : DataFrame of shape (n_rows, 2)
            ``row``, the number of the other row in the file, and ``column``, which differs.
        is_later : bool
            Whether the rows were received later, so that both are kept; otherwise they are neither kept
            nor rejected.
        """
        found = np.flatnonzero(rows & self.kept)
        if not len(found):
            return
        severity: Severity = "warning" if is_later else "error"
        numbers = self.numbers_of(found)

        def problem(place: int) -> Problem:
            other = others.iloc[found[place]]
            sentence, column = words.format(hint=other["row"]), str(other["column"])
            return Problem(
                self.file,
                "conflict",
                sentence,
                severity=severity,
                row=int(numbers[place]),
                column=column,
            )

        end = "are kept beside them" if is_later else "are not used"
        self.problems += first_few(range(len(found)), problem, f"contradict others. They {end}.")
        made = others.iloc[found].set_axis(["other_row", "column"], axis=1)
        made = made.assign(file=self.file, row=numbers, other_file=self.file)[CONFLICT_COLUMNS]
        self.conflicts = (
            pd.concat([self.conflicts, made], ignore_index=True) if len(self.conflicts) else made
        )
        self.conflicting[found] = True
        if not is_later:
            self.kept[found] = False

    def _set_aside(self, rows: NDArray[np.int64], reason: str) -> None:
        self.number[rows] = len(self.reasons)
        self.reasons.append(reason)
        self.kept[rows] = False

    def rejects(self) -> pd.DataFrame:
        """Return every row set aside, whole.

        Returns
        -------
        DataFrame
            ``file``, ``row``, ``reason``, ``record`` (the row as JSON).

        Examples
        --------
        >>> checks = RowChecks("send.csv", 2, pd.DataFrame({"provision": ["K", "?"]}))
        >>> checks.note(np.array([False, True]), "unknown_code", "provision", "'{value}' is no code.")
        >>> checks.rejects()[["row", "reason"]].values.tolist()
        [[3, 'unknown_code: provision']]
        """
        rows = self.rows_set_aside()
        if not len(rows):
            return pd.DataFrame(columns=REJECT_COLUMNS)
        return pd.DataFrame(
            {
                "file": self.file,
                "row": self.numbers_of(rows),
                "reason": np.array(self.reasons, dtype=object)[self.number[rows]],
                "record": records_of(self.raw, rows),
            }
        )


def _filled(words: str, value: str, hint: object, is_hidden: bool) -> str:
    """Return the words with value and hint; a hidden value is left out."""
    if is_hidden:
        return words.replace("'{value}'", "{value}").format(value=NOT_SHOWN, hint=hint)
    return words.format(value=value, hint=hint)


def _written(value: object) -> str:
    """Return a value as text, a moment as its day."""
    return f"{value:%Y-%m-%d}" if isinstance(value, date) and not pd.isna(value) else str(value)


def _short(value: object) -> str:
    """Return a value on one line, cut where it is long; control characters are shown escaped."""
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
