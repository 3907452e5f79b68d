"""The file of features: what a row holds, and how the file is read and checked.

In:  the text of ``catalogue.csv``, one row per feature.
Out: the features of each builder, in the order of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from riskmodel.errors import DataError, RequestError

__all__ = ["Feature", "read_features"]

Theme = Literal["attendance", "behaviour", "needs", "context", "moves", "school", "post-16"]

DIRECTIONS = {"1": 1, "0": 0, "-1": -1}

YES_OR_NO = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the feature matrix.

    Attributes
    ----------
    name : str
        Column name.
    label : str
        Its meaning, in words an inclusion officer uses.
    unit : str
        ``share``, ``count``, ``days``, ``weeks``, ``months``, ``yes/no`` and so on.
    theme : str
        Attendance, behaviour, needs, context, moves, school or post-16.
    source : str
        Table it comes from.
    direction : int
        1 if risk rises with it, -1 if it falls, 0 where that is not known; a constraint on trees.
    can_change : bool
        Whether support could change it.
    window : str
        How far back it looks, in words; empty for all the past, or the day itself.
    may_be_reason : bool
        Whether somebody at the school or the LA can act on it or ask about it, so that it may be a
        reason or a strength by itself.

    Raises
    ------
    RequestError
        If a text that must be there is empty, or the theme or direction is unknown.

    Examples
    --------
    >>> Feature("late_rate", "Lateness", "share", "attendance", "sessions", 1).can_change
    True
    >>> Feature("late_rate", "Lateness", "share", "attendance", "sessions", 2)
    Traceback (most recent call last):
    riskmodel.errors.RequestError: Feature 'late_rate' has the direction 2. Use one of: 1, 0, -1.
    """

    name: str
    label: str
    unit: str
    theme: Theme
    source: str
    direction: int = 0
    can_change: bool = True
    window: str = ""
    may_be_reason: bool = True

    def __post_init__(self) -> None:
        for column in ("name", "label", "unit", "source"):
            if not getattr(self, column):
                raise RequestError(f"Feature {self.name!r} has no {column}. Add the {column}.")
        for column, allowed in ALLOWED.items():
            if (value := getattr(self, column)) not in allowed:
                raise RequestError(
                    f"Feature {self.name!r} has the {column} {value!r}. "
                    f"Use one of: {', '.join(map(str, allowed))}."
                )


ALLOWED = {"theme": get_args(Theme), "direction": tuple(DIRECTIONS.values())}

COLUMNS = ("builder", *(field.name for field in fields(Feature)))


def read_features(text: str) -> dict[str, tuple[Feature, ...]]:
    r"""Read the features of each builder from the text of ``catalogue.csv``.

    Parameters
    ----------
    text : str
        Comments (lines that begin with ``#``), a header, and one row per feature.

    Returns
    -------
    dict of str to tuple of Feature
        Name of the builder → its features; both in the order of the file.

    Raises
    ------
    DataError
        If the columns are others than expected, a row has too many or too few cells, a cell
        holds a value that its column does not allow, or a feature is listed twice.

    Examples
    --------
    >>> header = "builder,name,label,unit,theme,source,direction,can_change,window,may_be_reason\n"
    >>> row = "moves,managed_moves,Managed moves so far,count,moves,enrolments,1,no,,yes\n"
    >>> read_features(header + row)["moves"][0].label
    'Managed moves so far'
    """
    rows = _rows(text)
    _check_header(next(rows, (0, []))[1])
    listed: dict[str, tuple[Feature, ...]] = {}
    lines: dict[str, int] = {}
    for line, cells in rows:
        builder, feature = _read_row(line, cells)
        first = lines.setdefault(feature.name, line)
        if first != line:
            raise _fault(line, f"feature {feature.name!r} is also in line {first}. Remove one row.")
        listed[builder] = (*listed.get(builder, ()), feature)
    return listed


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every line but comments and empty ones."""
    reader = csv.reader(text.splitlines())
    yield from ((reader.line_num, row) for row in reader if row and not row[0].startswith("#"))


def _check_header(header: list[str]) -> None:
    if tuple(header) != COLUMNS:
        wrong = sorted({*header} ^ {*COLUMNS}) or ["in another order"]
        raise DataError(
            f"catalogue.csv: expected the columns {', '.join(COLUMNS)}, found {', '.join(header)} "
            f"({', '.join(wrong)}). Put them right."
        )


def _read_row(line: int, cells: list[str]) -> tuple[str, Feature]:
    if len(cells) != len(COLUMNS):
        raise _fault(line, f"{len(cells)} cells, not {len(COLUMNS)}. Quote words with a comma.")
    row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    if not (builder := row.pop("builder")):
        raise _fault(line, f"feature {row['name']!r} has no builder. Name its function.")
    for column in ("can_change", "may_be_reason"):
        if row[column] not in YES_OR_NO:
            raise _fault(line, f"{column} is {row[column]!r}. Use yes or no.")
        row[column] = YES_OR_NO[row[column]]
    row["direction"] = DIRECTIONS.get(row["direction"], row["direction"])
    try:
        return builder, Feature(**row)
    except RequestError as error:
        raise _fault(line, str(error)) from error


def _fault(line: int, words: str) -> DataError:
    return DataError(f"catalogue.csv, line {line}: {words}")
