"""An analyst's own layouts: sections of ``riskmodel.toml`` that name the meaning of each column.

In:  a settings file with ``[sources.*]``.
Out: for a file that a section names, the source that makes facts of it, as any other source does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.columns import Column, Table
from riskmodel.data.identity import may_identify
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.faults import OTHER_FORMAT
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.table import guess
from riskmodel.data.read.sources.source import Context, Facts, Source, plain
from riskmodel.data.schema import TABLES
from riskmodel.data.settings_file import line_of, read_document
from riskmodel.data.year_groups import year_group_by_age
from riskmodel.errors import RequestError

__all__ = ["ColumnMapping", "claims", "in_days", "lacking", "mapped_source", "read_mappings"]

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


def in_days(ours: Column, theirs: str) -> bool:
    """Return whether a column of a file counts days where the table counts half-days.

    Parameters
    ----------
    ours : Column
        Column of the table.
    theirs : str
        Name of the column of the file.

    Returns
    -------
    bool
        By the name alone.

    Examples
    --------
    >>> length = TABLES["suspensions"]["sessions"]
    >>> in_days(length, "Days lost"), in_days(length, "Half-days")
    (True, False)
    >>> in_days(length, "Sessions (1/2 days)")
    False
    """
    name = plain(theirs)
    is_halved = any(word in name for word in ("half", "session", "12days"))
    return ours.unit == "half-days" and "days" in name and not is_halved


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
    parts = set(re.findall(r"%[a-zA-Z]", _in_python(text)))
    if text and not ("%d" in parts and parts & {"%m", "%b", "%B"} and parts & {"%Y", "%y"}):
        raise RequestError(
            f"{lines.at('dates')}: '{text}' is no format of dates. Write one as DD/MM/YYYY, "
            "MM/DD/YYYY, YYYY-MM-DD, DD-MMM-YY or DD.MM.YYYY HH:mm."
        )
    return text


def _in_python(form: str) -> str:
    """Return a format of dates as Python writes it."""
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


def mapped_source(mappings: Sequence[ColumnMapping]) -> Source:
    """Return the source of a file that one or several sections are about.

    Parameters
    ----------
    mappings : sequence of ColumnMapping
        At least one; each makes a table of its own from the file.

    Returns
    -------
    Source
        As any other source of :mod:`riskmodel.data.read.sources`.

    Raises
    ------
    RequestError
        If two sections take the pupil from different columns, or make the same table, or nothing gives
        the year groups of enrolments.
    """
    pupil = {plain(one.columns["pupil_id"]) for one in mappings if "pupil_id" in one.columns}
    names = [one.table.name for one in mappings]
    if len(pupil) > 1 or len(set(names)) < len(names):
        raise RequestError(
            f"{mappings[1].where} is about the same files as {mappings[0].where}, and "
            + (
                "takes the pupil from another column."
                if len(pupil) > 1
                else "makes the same table."
            )
            + " Give each a pattern of file names of its own."
        )
    given = {(one.table.name, ours) for one in mappings for ours in (*one.columns, *one.fixed)}
    rolls = [one for one in mappings if one.table.name == "enrolments"]
    if rolls and not {("enrolments", "year_group"), ("pupils", "birth_month")} & given:
        raise RequestError(
            f"{rolls[0].where}: nothing gives the year group at entry. Write year_group in "
            f"[sources.{rolls[0].name}.columns], or add a section with the table pupils and birth_month "
            "for the same files: the year group then follows from the age."
        )
    return Source(
        name=", ".join(f"[sources.{one.name}]" for one in mappings),
        columns=frozenset().union(*(one.needed for one in mappings)),
        facts=partial(_facts, tuple(mappings)),
        upn=next(iter(pupil), ""),
        names_pupils="pupils" in names,
    )


def _facts(mappings: tuple[ColumnMapping, ...], frame: pd.DataFrame, context: Context) -> Facts:
    facts: dict[str, pd.DataFrame] = {}
    for mapping in mappings:
        made = pd.DataFrame(
            {ours: _column(mapping, ours, frame) for ours in mapping.columns}, index=frame.index
        ).assign(**mapping.fixed)
        empty = [one.name for one in mapping.table.columns if one.required and one.nullable]
        made = made.reindex(columns=[*made, *(name for name in empty if name not in made)])
        facts |= _shaped(mapping.table.name, made)
    if "enrolments" in facts and "year_group" not in facts["enrolments"]:
        rolls, born = facts["enrolments"], read_dates(facts["pupils"]["birth_month"])
        by_age = year_group_by_age(born, read_dates(rolls["entry_date"]))
        facts["enrolments"] = rolls.assign(year_group=by_age)
    return facts


def _column(mapping: ColumnMapping, ours: str, frame: pd.DataFrame) -> pd.Series:
    """Return a column of the table, still to be checked."""
    if ours == "pupil_id":
        return frame["pupil_id"]
    values = frame[plain(mapping.columns[ours])]
    written = values
    if in_days(mapping.table[ours], mapping.columns[ours]):
        number = pd.to_numeric(values, errors="coerce")
        values = (2 * number).astype("object").where(number.notna(), values)
    if ours in mapping.codes:
        text = written.astype("object").astype("str").str.strip().str.lower()
        return text.map(mapping.codes[ours]).astype("object").fillna(values)
    if mapping.table[ours].kind == "date" and mapping.dates:
        return _dated(values, mapping.dates)
    return values


def _dated(values: pd.Series, form: str) -> pd.Series:
    """Return dates of one format, or year first; what else there is stays, marked, and is set aside."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = values.astype("object").astype("str").str.strip().where(values.notna())
    days = pd.to_datetime(text, format=_in_python(form), errors="coerce")
    days = days.fillna(pd.to_datetime(text, format="%Y-%m-%d", errors="coerce"))
    misfit = days.isna() & text.notna() & (text != "")
    return days.dt.strftime("%Y-%m-%d").astype("object").mask(misfit, text + OTHER_FORMAT)


def _shaped(name: str, made: pd.DataFrame) -> Facts:
    """Return the facts of a table in the shape in which the sources of returns give them."""
    if name == "pupils":
        return {name: _pupils(made)}
    if name == "send":
        return _provision(made)
    return {name: made}


def _pupils(made: pd.DataFrame) -> pd.DataFrame:
    """Take the month of a day of birth; a census counts before this file."""
    if "birth_month" in made:
        born = read_dates(made["birth_month"])
        made = made.assign(
            birth_month=born.dt.strftime("%Y-%m-01").astype("object").fillna(made["birth_month"])
        )
    return made.assign(_day=np.datetime64("NaT", "s"))


def _provision(made: pd.DataFrame) -> Facts:
    """Take spells of provision: what is seen on the first day, and nothing from the day after the last.

    A day that cannot be read stays in its column, so that the reader sets the row aside.
    """
    given = made.reindex(columns=["start_date", "end_date", "recorded_on", "end_recorded_on"])
    day = given.apply(read_dates)
    unread = given.where(given.notna() & day.isna() & (given.astype("str") != ""))
    lag = pd.Timedelta(days=TABLES["send"].lag_days)
    known = day["recorded_on"].fillna(day["start_date"] + lag)
    needs = [name for name in ("primary_need", "secondary_need") if name in made]
    seen = made.drop(columns=["end_date", "end_recorded_on"], errors="ignore").assign(
        recorded_on=known.astype("object").where(
            unread["recorded_on"].isna(), given["recorded_on"]
        ),
        end_date=unread["end_date"],
        end_recorded_on=unread["end_recorded_on"],
    )
    after = day["end_date"] + pd.Timedelta(days=1)
    end_known = pd.concat([day["end_recorded_on"].fillna(after), known], axis=1).max(axis=1)
    ends = seen.assign(provision="N", start_date=after, recorded_on=end_known)
    ended = after.notna() & unread.isna().all(axis=1)
    spells = {"send": pd.concat([seen, ends[ended]]).drop(columns=needs)}
    kept = seen[unread.isna().all(axis=1)]
    return spells | (
        {"needs": kept[["pupil_id", *needs, "start_date", "recorded_on"]]} if needs else {}
    )
