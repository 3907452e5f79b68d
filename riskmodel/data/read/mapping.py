"""An analyst's own layouts: sections of ``riskmodel.toml`` that name the meaning of each column.

In:  a settings file with ``[sources.*]``.
Out: for a file that a section names, the source that makes facts of it, as any other source does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from riskmodel.data.columns import Column, Table
from riskmodel.data.identity import may_identify
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.table import guess
from riskmodel.data.read.sources.source import plain
from riskmodel.data.schema import TABLES
from riskmodel.data.settings_file import line_of, read_document
from riskmodel.errors import RequestError

__all__ = ["ColumnMapping", "about_nothing", "claims", "in_python", "lacking", "read_mappings"]

KEYS = ("table", "file", "dates", "columns", "codes", "fixed")
"""What a section may hold."""

PARTS = {
    "YYYY": "%Y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "DD": "%d",
    "YY": "%y",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
}
"""Parts of a date as analysts write them → as :func:`pandas.to_datetime` does."""

NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """One section ``[sources.NAME]``: a table that is made from files of one layout.

    Attributes
    ----------
    name : str
        Name of the section.
    where : str
        File and line of the section, for messages.
    table : Table
        The table that is made.
    columns : dict of str to str
        Column of the table → column of the file.
    file : str
        Pattern of file names such as ``marks*.csv``; empty where the columns alone decide.
    dates : str
        Format of the file's dates, such as ``DD/MM/YYYY``; empty where it is inferred.
    codes : dict of str to dict
        Column of the table → value of the file, in small letters → value of the table.
    fixed : dict of str to str
        Column of the table → the value that every row has.
    """

    name: str
    where: str
    table: Table
    columns: dict[str, str]
    file: str = ""
    dates: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> frozenset[str]:
        """Plain names of the file's columns."""
        return frozenset(plain(theirs) for theirs in self.columns.values())

    @property
    def undeclared_dates(self) -> frozenset[str]:
        """Plain names of the file's columns of dates whose format is inferred."""
        dates = [name for name in self.columns if self.table[name].kind == "date"]
        return frozenset(plain(self.columns[name]) for name in dates if not self.dates)


def read_mappings(path: Path) -> tuple[ColumnMapping, ...]:
    """Read the sections ``[sources.*]`` of a settings file.

    Parameters
    ----------
    path : Path
        The file; where there is none, there are no mappings.

    Returns
    -------
    tuple of ColumnMapping
        In the file's order.

    Raises
    ------
    RequestError
        If the file is not TOML, or a section names a table, a column, a code or a format that does not
        exist, or leaves out what the table needs. The message names the line.
    """
    if not path.is_file():
        return ()
    document = read_document(path)
    text = path.read_text(encoding="utf-8-sig")
    sections = document.get("sources", {})
    if not isinstance(sections, dict):
        raise RequestError(f"{path}: sources must be tables, written [sources.NAME].")
    return tuple(
        _mapping(name, section, _Lines(path, text, f"sources.{name}"))
        for name, section in sections.items()
    )


@dataclass(frozen=True)
class _Lines:
    """Where a section stands, for messages."""

    path: Path
    text: str
    table: str

    def at(self, *keys: str) -> str:
        """Return file, line and key."""
        table = ".".join((self.table, *keys[:-1]))
        line = line_of(self.text, table, keys[-1] if keys else "")
        place = f", line {line}" if line else ""
        return f"{self.path}{place}, [{self.table}]"


def _mapping(name: str, section: Any, lines: _Lines) -> ColumnMapping:
    if not isinstance(section, dict):
        raise RequestError(f"{lines.at()}: write the source as a table, [sources.{name}].")
    for key in section:
        if key not in KEYS:
            raise RequestError(
                f"{lines.at(key)}: there is no '{key}'.{guess(key, list(KEYS))} A source may hold "
                f"{', '.join(KEYS)}."
            )
    table = _table(section, lines)
    columns = _texts(section, "columns", table, lines)
    fixed = _texts(section, "fixed", table, lines)
    _check_whole(table, columns, fixed, lines)
    return ColumnMapping(
        name=name,
        where=lines.at(),
        table=table,
        columns=columns,
        file=_text(section.get("file", ""), lines, "file"),
        dates=_format(section.get("dates", ""), lines),
        codes=_codes(section, table, columns, lines),
        fixed=fixed,
    )


def _table(section: dict[str, Any], lines: _Lines) -> Table:
    name = _text(section.get("table", ""), lines, "table")
    if name not in TABLES:
        fault = f"there is no table '{name}'.{guess(name, list(TABLES))}" if name else "no table."
        raise RequestError(
            f'{lines.at("table")}: {fault} Write table = "one of {", ".join(TABLES)}".'
        )
    return TABLES[name]


def _text(value: Any, lines: _Lines, *keys: str) -> str:
    if not isinstance(value, str):
        raise RequestError(f"{lines.at(*keys)}: {keys[-1]} must be text in quotes.")
    return value


def _part(section: dict[str, Any], name: str, lines: _Lines) -> dict[str, Any]:
    part = section.get(name, {})
    if not isinstance(part, dict):
        raise RequestError(f"{lines.at(name)}: write {name} as a table, [{lines.table}.{name}].")
    return part


def _texts(section: dict[str, Any], name: str, table: Table, lines: _Lines) -> dict[str, str]:
    """Return a part whose keys are columns of the table and whose values are text."""
    part = _part(section, name, lines)
    for key, value in part.items():
        if key not in table.names:
            raise RequestError(
                f"{lines.at(name, key)}: the table {table.name} has no column '{key}'."
                f"{guess(key, table.names)} It has {', '.join(table.names)}."
            )
        if name == "fixed":
            _check_code(table[key], _text(value, lines, name, key), lines.at(name, key))
        elif not _text(value, lines, name, key).strip():
            raise RequestError(
                f"{lines.at(name, key)}: {key} names no column of the file. Fill in its name, or take "
                "the line out."
            )
    return dict(part)


def _check_code(column: Column, value: str, where: str) -> None:
    if value == "?" or (column.kind in {"integer", "number"} and not NUMBER.fullmatch(value)):
        may = f"one of {', '.join(column.allowed)}" if column.allowed else f"a {column.kind}"
        raise RequestError(f"{where}: '{value}' is still to be filled in. Write {may}.")
    if column.kind == "code" and value not in column.allowed:
        raise RequestError(
            f"{where}: '{value}' is no {column.name}.{guess(value, list(column.allowed))} Write one of "
            f"{', '.join(column.allowed)}."
        )


def _codes(
    section: dict[str, Any], table: Table, columns: dict[str, str], lines: _Lines
) -> dict[str, dict[str, str]]:
    """Return the values that are replaced, by column, the file's in small letters."""
    made = {}
    for name, pairs in _part(section, "codes", lines).items():
        if name not in columns:
            raise RequestError(
                f"{lines.at('codes', name)}: codes are given for '{name}', which is not among the "
                f"columns.{guess(name, list(columns))} Add it to [{lines.table}.columns]."
            )
        if not isinstance(pairs, dict):
            raise RequestError(f"{lines.at('codes', name)}: write [{lines.table}.codes.{name}].")
        for theirs, ours in pairs.items():
            where = lines.at("codes", name, theirs)
            _check_code(table[name], _text(ours, lines, "codes", name, theirs), where)
        made[name] = {theirs.strip().lower(): ours for theirs, ours in pairs.items()}
    return made


def _check_whole(
    table: Table, columns: dict[str, str], fixed: dict[str, str], lines: _Lines
) -> None:
    """Refuse a section that leaves out what the table needs."""
    both = sorted(set(columns) & set(fixed))
    if both:
        raise RequestError(
            f"{lines.at('fixed', both[0])}: '{both[0]}' is among the columns too. Keep one of the two."
        )
    filled = {"recorded_on", "year_group"} if table.event else set()
    for column in table.columns:
        if (
            column.required
            and not column.nullable
            and column.name not in {*columns, *fixed, *filled}
        ):
            raise RequestError(
                f"{lines.at('columns')}: the table {table.name} needs '{column.name}' "
                f'({column.label.lower()}). Write {column.name} = "column of the file" in '
                f"[{lines.table}.columns], or give all rows one value in [{lines.table}.fixed]."
            )


def _format(value: Any, lines: _Lines) -> str:
    """Return a format of dates such as ``DD/MM/YYYY``, checked."""
    text = _text(value, lines, "dates")
    parts = set(re.findall(r"%[a-zA-Z]", in_python(text)))
    if text and not ("%d" in parts and parts & {"%m", "%b", "%B"} and parts & {"%Y", "%y"}):
        raise RequestError(
            f"{lines.at('dates')}: '{text}' is no format of dates. Write one as DD/MM/YYYY, "
            "MM/DD/YYYY, YYYY-MM-DD, DD-MMM-YY or DD.MM.YYYY HH:mm."
        )
    return text


def in_python(form: str) -> str:
    """Return a format of dates as Python writes it.

    Parameters
    ----------
    form : str
        As a section writes it.

    Returns
    -------
    str
        For :func:`pandas.to_datetime`.

    Examples
    --------
    >>> in_python("DD/MM/YYYY")
    '%d/%m/%Y'
    """
    return re.sub("|".join(PARTS), lambda part: PARTS[part[0]], form)


def claims(mapping: ColumnMapping, name: str, found: Iterable[str]) -> bool:
    """Return whether a mapping is about a file.

    Parameters
    ----------
    mapping : ColumnMapping
        A section.
    name : str
        What messages call the file: its path, and the sheet of a workbook.
    found : iterable of str
        Plain names of its columns.

    Returns
    -------
    bool
        Whether its name fits the pattern, where there is one, and all columns are there.

    Examples
    --------
    >>> marks = ColumnMapping(name="marks", where="", table=TABLES["calendar"], columns={"date": "Day"},
    ...                 file="days*.csv")
    >>> claims(marks, "autumn/Days 2024.csv", {"day"}), claims(marks, "days.csv", {"when"})
    (True, False)
    """
    return _fits(mapping, name) and mapping.needed <= set(found)


def _fits(mapping: ColumnMapping, name: str) -> bool:
    """Whether the name of a file fits the pattern, with its folders and sheet or without."""
    whole = name.lower()
    file = whole.split(", sheet ")[0]
    names = {whole, file, file.rsplit("/")[-1], whole.rsplit("/")[-1]}
    return not mapping.file or any(fnmatchcase(one, mapping.file.lower()) for one in names)


def about_nothing(mappings: Sequence[ColumnMapping], names: Sequence[str]) -> list[Problem]:
    """Return which sections are about files of which none is there.

    Parameters
    ----------
    mappings : sequence of ColumnMapping
        Sections.
    names : sequence of str
        What messages call the files.

    Returns
    -------
    list of Problem
        A warning per section whose pattern fits no name.
    """
    return [
        Problem(
            one.where,
            "mapping",
            f"{one.where}: no file has a name like '{one.file}'. Correct the pattern.",
        )
        for one in mappings
        if one.file and not any(_fits(one, name) for name in names)
    ]


def lacking(mappings: Sequence[ColumnMapping], name: str, found: Iterable[str]) -> list[Problem]:
    """Return which sections are about a file by its name, and which column it lacks.

    Parameters
    ----------
    mappings : sequence of ColumnMapping
        Sections, of which none claims the file.
    name : str
        What messages call the file.
    found : iterable of str
        Names of its columns, as the file writes them.

    Returns
    -------
    list of Problem
        One per section with a pattern that fits.

    Examples
    --------
    >>> days = ColumnMapping(name="days", where="riskmodel.toml, line 1, [sources.days]",
    ...                table=TABLES["calendar"], columns={"date": "Day"}, file="days*.csv")
    >>> lacking([days], "days.csv", ["Date"])[0].message
    "days.csv: riskmodel.toml, line 1, [sources.days] needs its column 'Day', which is not there. \
Write the name that the file has, or export it with the column."
    """
    problems = []
    columns = {plain(one): one for one in found}
    for mapping in mappings:
        if mapping.file and _fits(mapping, name):
            missing = [one for one in mapping.columns.values() if plain(one) not in columns]
            near = guess(missing[0], [one for one in columns.values() if not may_identify(one)])
            words = (
                f"{name}: {mapping.where} needs its column '{missing[0]}', which is not there.{near} "
                "Write the name that the file has, or export it with the column."
            )
            problems.append(Problem(name, "mapping", words, severity="error"))
    return problems
