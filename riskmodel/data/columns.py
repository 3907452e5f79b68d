"""What is declared of a table and of a column: names, types, units, allowed codes.

In:  nothing.
Out: :class:`Column` and :class:`Table`, of which :mod:`riskmodel.data.schema` is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Column", "Kind", "Table"]

Kind = Literal["pupil", "text", "date", "code", "integer", "number"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Column name.
    kind : str
        ``pupil`` (category of all pupils), ``text`` (str), ``date`` (datetime64[s], a day),
        ``code`` (category of ``allowed``), ``integer`` (int64) or ``number`` (float64).
    label : str
        What it holds, in words.
    unit : str
        Unit, empty where there is none.
    allowed : tuple of str
        Codes, for ``code``.
    low, high : float
        Closed range of ``integer`` and ``number``.
    required : bool
        Whether the column must be there.
    nullable : bool
        Whether a value may be missing.
    unknown_is_group : bool
        Whether an unknown or missing code becomes ``not_known`` instead of setting the row aside.
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    low: float = float("-inf")
    high: float = float("inf")
    required: bool = True
    nullable: bool = False
    unknown_is_group: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table: what a row is, its columns, and when its parts become known.

    Attributes
    ----------
    name : str
        Table name, and the file name without its ending.
    row : str
        What one row is.
    columns : tuple of Column
        Columns in order.
    key : tuple of str
        Columns that no two rows share, unless they are versions received on different days.
    event : str
        Date column from which ``recorded_on`` is filled where a source has none.
    lag_days : int
        Days from ``event`` to ``recorded_on`` where a source has none.
    known_when : dict of str to str
        Column → date column; the value counts as known only if that date lies before ``as_of``.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    event: str = ""
    lag_days: int = 0
    known_when: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Column names in order.

        Examples
        --------
        >>> day = Column(name="date", kind="date", label="School day")
        >>> Table(name="calendar", row="a school day", columns=(day,), key=("date",)).names
        ['date']
        """
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)
