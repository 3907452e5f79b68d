"""A section of ``riskmodel.toml`` for a file of no known layout, proposed from its columns and values.

In:  a file's name and raw rows.
Out: the section as text, with comments; a ``?`` stands where only the analyst can know.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.data.codes import code_set, codes
from riskmodel.data.columns import Column, Table
from riskmodel.data.identity import UPN_FORM, may_identify
from riskmodel.data.read.likeness import name_likeness
from riskmodel.data.read.mapped_facts import in_days
from riskmodel.data.read.open.files import Opened, open_file
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.words import LABELLED, code_meant
from riskmodel.data.read.sources import source_of
from riskmodel.data.read.sources.source import plain
from riskmodel.data.schema import TABLES
from riskmodel.errors import DataError

__all__ = ["propose", "propose_mapping"]

FORMS = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "DD/MM/YYYY": "%d/%m/%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
    "DD.MM.YYYY": "%d.%m.%Y",
    "DD-MMM-YYYY": "%d-%b-%Y",
    "DD/MM/YY": "%d/%m/%y",
    "YYYYMMDD": "%Y%m%d",
}
"""Formats of dates, as a section writes them, tried in this order."""

UPN = rf"\s*{UPN_FORM}\s*"
SAMPLE, SHOWN, OFTEN = 20_000, 30, 3
"""Rows looked at; values of a code listed; pupils that must share a value, so that it names none."""

FEW, WORDS = 10, 3
"""One pupil in so many must share a value with capitals, or it may be a name; longer values are free text."""

NO_DAY = re.compile(r"\D*|(?!\d{8}$)-?\d*\.?\d*")
"""Text that is no date in any format: without a digit, or a number that is not of eight digits."""

BIRTH = re.compile("birth|born|dob|age")
"""In the plain name of a column that may hold days of birth."""

FITS, NAMED = 0.9, 0.55
"""Share of values that must fit a column; likeness of names from which a name counts."""

LEAST = 0.4
"""Mean likeness of the columns that a table needs, from which the table is proposed."""

ANSWERED = {"status": "main"}
"""Columns that have one value where a file does not give them."""


@dataclass(frozen=True)
class _Theirs:
    """A column of the file."""

    name: str
    values: pd.Series

    @cached_property
    def texts(self) -> list[str]:
        """Distinct values as text, in order of how often they come, blanks left out."""
        counts = Counter(str(one).strip() for one in self.values.dropna().astype("str").tolist())
        return [text for text, _ in counts.most_common() if text]

    @cached_property
    def text(self) -> pd.Series:
        """The same as a column."""
        return pd.Series(self.texts, dtype="str")

    @cached_property
    def dates(self) -> float:
        """Share of the distinct values that are dates; 0 where too few can be for a column to fit."""
        may_be = [NO_DAY.fullmatch(one) is None for one in self.texts]
        if sum(may_be) < FITS * max(1, len(may_be)):
            return 0.0
        days = read_dates(self.text).notna()
        return float(np.max([days.mean(), *(_parsed(self.text, form) for form in FORMS)]))

    @cached_property
    def upns(self) -> float:
        """Share of the distinct values that have the form of a UPN."""
        return float(self.text.str.fullmatch(UPN).mean())

    @cached_property
    def numbers(self) -> pd.Series:
        """First number in each distinct value."""
        return pd.to_numeric(self.text.str.extract(r"(-?[\d.]+)")[0], errors="coerce")


def _parsed(text: pd.Series, form: str) -> float:
    """Return the share of values that one format of dates reads."""
    return float(pd.to_datetime(text, format=FORMS[form], errors="coerce").notna().mean())


def propose(name: str, raw: pd.DataFrame, taken: Collection[str] = ()) -> str:
    """Propose how a file of no known layout may be read.

    Parameters
    ----------
    name : str
        What messages call the file.
    raw : DataFrame of shape (n_rows, n_columns)
        Its rows.
    taken : collection of str
        Names of sections that there are.

    Returns
    -------
    str
        A section for ``riskmodel.toml``; empty where no table fits, or the first line seems no header.
        Of values, only codes, numbers and days that several pupils share are in it.

    Examples
    --------
    >>> days = pd.DataFrame({"School day": ["02/09/2024", "30/09/2024"], "Term": ["autumn"] * 2,
    ...                      "Half-term": ["1", "1"]})
    >>> print(propose("days 2024.csv", days))
    # days 2024.csv: one row per school day
    [sources.days]
    file = "days *.csv"
    table = "calendar"
    dates = "DD/MM/YYYY"
    <BLANKLINE>
    [sources.days.columns]
    date = "School day"  # 2 values
    term = "Term"  # autumn
    half_term = "Half-term"  # 1
    """
    columns = [_Theirs(str(column), raw[column].head(SAMPLE)) for column in raw]
    if not columns or any(_is_value(one.name) for one in columns):
        return ""
    born = [one for one in columns if name_likeness("birth_month", one.name) and one.dates >= FITS]
    others = [one for one in columns if one not in born]
    found = {
        table.name: _matched(table, columns if table.name == "pupils" else others)
        for table in TABLES.values()
    }
    scores = {
        table: _score(TABLES[table], found[table], name)
        * (0.7 + 0.3 * len(found[table]) / len(columns))
        for table in TABLES
    }
    # a list of which only pupil and day are known is most often one of spells
    best = TABLES[max(scores, key=lambda table: (scores[table], table == "circumstances"))]
    if scores[best.name] < LEAST:
        return ""
    tables = [best]
    if best.name == "enrolments" and len(found["pupils"]) > 1:
        tables = [TABLES["pupils"], best]
    elif best.name == "pupils" and "entry_date" in found["enrolments"]:
        tables = [best, TABLES["enrolments"]]
    pupils = found[best.name]["pupil_id"].values if "pupil_id" in found[best.name] else None
    parts = []
    for table in tables:
        head = _slug(name) + (f"_{table.name}" if len(tables) > 1 else "")
        parts.append(_Section(name, table, found[table.name], pupils, taken).text(head))
    used = {one.name for table in tables for one in found[table.name].values()}
    unused = [one.name for one in columns if one.name not in used]
    return "\n\n".join(parts) + (f"\n# not used: {', '.join(unused)}" if unused else "")


def propose_mapping(path: Path) -> str:
    """Propose how the analyst may read a file: sections for ``riskmodel.toml``, one per table in it.

    Parameters
    ----------
    path : Path
        A file of an unknown layout.

    Returns
    -------
    str
        Sections, or a sentence where none is needed or none can be proposed, for each sheet of a
        workbook.

    Raises
    ------
    DataError
        If the file cannot be opened.
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file. Check the path.")
    return "\n\n".join(_proposed(one) for one in open_file(path, path.name))


def _proposed(one: Opened) -> str:
    """Return the sections for an opened file, or why there are none."""
    if one.fault:
        return f"# {one.fault}"
    source = source_of([str(column) for column in one.raw.columns])
    if source is not None and not source.unsure(one.raw, one.name):
        return f"# {one.name}: is read as '{source.name}' already; it needs no section."
    if text := propose(one.name, one.raw):
        return text
    return (
        f"# {one.name}: no table fits. A table needs the day of each fact, and most need UPNs. Is the first "
        "line the header? Write a section by hand where the file does hold facts: docs/mapping.md."
    )


def _is_value(name: str) -> bool:
    """Whether the name of a column is a value, so that the file has no header."""
    return bool(re.fullmatch(rf"{UPN}|[\d\s./:-]+", name))


def _matched(table: Table, columns: list[_Theirs]) -> dict[str, _Theirs]:
    """Return which column of the file is most like each column of a table, each at most once."""
    pairs = [
        (likeness, -place, ours.name, theirs)
        for ours in table.columns
        for place, theirs in enumerate(columns)
        if (likeness := _likeness(ours, theirs)) > 0
    ]
    made: dict[str, _Theirs] = {}
    for _, _, ours, theirs in sorted(pairs, key=lambda pair: pair[:3], reverse=True):
        if ours not in made and theirs not in made.values():
            made[ours] = theirs
    return {column.name: made[column.name] for column in table.columns if column.name in made}


def _likeness(ours: Column, theirs: _Theirs) -> float:
    """Return how like a column of the file is to one of a table: by its name, and by its values."""
    named = name_likeness(ours.name, theirs.name)
    # what only the values show counts where a table cannot do without it
    is_event = ours.kind in {"pupil", "date"} and ours.required and ours.name != "recorded_on"
    by_values = is_event or (ours.kind == "code" and len(theirs.texts) > 1)
    if named < NAMED and not by_values:
        return 0.0
    fits = _fit(ours, theirs, least=FITS if named < NAMED else 0.0)
    if fits >= FITS and by_values:
        return 0.4 + 0.6 * named
    if ours.kind in {"pupil", "date"}:
        return 0.0 if fits < FITS or named < NAMED else 0.4 + 0.6 * named
    return 0.0 if named < NAMED or fits == 0 else 0.2 * fits + 0.8 * named


def _fit(ours: Column, theirs: _Theirs, least: float) -> float:
    """Return the share of distinct values that can be ours; maybe 0 where it is below the least."""
    if not theirs.texts:
        return 0.0
    if ours.kind == "pupil":
        return theirs.upns
    if ours.kind == "date":
        return theirs.dates
    if ours.kind == "code":
        if theirs.dates >= FITS:
            return 0.0
        return max(_coded(ours, theirs.texts, least), 0.5 if len(theirs.texts) <= SHOWN else 0.0)
    if ours.kind in {"integer", "number"}:
        return float(theirs.numbers.between(ours.low, ours.high).mean())
    return 0.0 if theirs.upns > 0.5 or theirs.dates > FITS else 1.0


def _coded(ours: Column, texts: list[str], least: float) -> float:
    """Return the share of texts that stand for a code; 0 as soon as too many do not."""
    others, most = 0, (1 - least) * len(texts)
    for one in texts:
        others += code_meant(ours, one) is None
        if others > most:
            return 0.0
    return 1 - others / len(texts)


def _needed(table: Table) -> list[Column]:
    """Return the columns by which a table is recognised."""
    free = {"recorded_on", *ANSWERED} if table.event else set()
    return [one for one in table.columns if one.required and one.name not in free]


def _score(table: Table, found: dict[str, _Theirs], file: str) -> float:
    """Return how well a file fits a table; 0 where it lacks the pupil or the day of the fact."""
    must = {"pupil_id"} & set(table.names) | ({table.event} - {"", "confirmed_on"})
    if not must <= set(found) or (
        table.name == "pupils" and not {"sex", "birth_month"} & set(found)
    ):
        return 0.0
    needed = _needed(table)
    # a pupil and a day are in most lists: the name of the day must show what it is of
    day = found[table.event].name if table.event in found else ""
    if day and {one.name for one in needed} == must and not name_likeness(table.event, day):
        return 0.0
    likeness = {
        one.name: _likeness(one, found[one.name]) if one.name in found else 0.0 for one in needed
    }
    if likeness.get("kind") == 0 and _kind(file, table["kind"]) != "?":
        likeness["kind"] = 1.0
    return float(np.mean([*likeness.values()]))


@dataclass(frozen=True)
class _Section:
    """A section in the making: the file, the table, and which column of the file is which."""

    name: str
    table: Table
    found: dict[str, _Theirs]
    pupils: pd.Series | None
    taken: Collection[str]

    def text(self, head: str) -> str:
        """Return the section; the file's whole name is its pattern where the head is taken."""
        pattern = _pattern(self.name)
        if head in self.taken:
            pattern = self.name.rsplit("/", 1)[-1].split(", sheet ")[0]
            numbers = range(2, len(self.taken) + 3)
            head = next(f"{head}_{n}" for n in numbers if f"{head}_{n}" not in self.taken)
        by_age = self.table.name == "enrolments" and head.removesuffix("_enrolments") != head
        columns = {k: v for k, v in self.found.items() if not (by_age and k == "year_group")}
        lines = [
            f"# {self.name}: one row per {self.table.row}",
            f"[sources.{head}]",
            f"file = {_quoted(pattern)}",
            f'table = "{self.table.name}"',
            *_dates(self.table, columns),
            "",
            f"[sources.{head}.columns]",
            *(f"{k} = {_quoted(one.name)}  # {self._shown(k, one)}" for k, one in columns.items()),
            *self._fixed(head, columns, by_age=by_age),
        ]
        for ours, one in columns.items():
            if self.table[ours].kind == "code":
                lines += self._codes(f"sources.{head}.codes.{ours}", self.table[ours], one)
        return "\n".join(lines)

    def _fixed(self, head: str, columns: dict[str, _Theirs], *, by_age: bool) -> list[str]:
        """Return the table of columns that have one value in all rows."""
        fixed = {
            one.name: ANSWERED.get(one.name, "?")
            for one in self.table.columns
            if one.required and not one.nullable and one.name not in {*columns, "recorded_on"}
            if not (by_age and one.name == "year_group")
        }
        if "kind" in fixed:
            fixed["kind"] = _kind(self.name, self.table["kind"])
        lines = ["", f"[sources.{head}.fixed]  # the same in all rows"] if fixed else []
        return lines + [f'{k} = "{v}"{_choice(self.table[k], v)}' for k, v in fixed.items()]

    def _shown(self, ours: str, theirs: _Theirs) -> str:
        """Return what may be shown of a column's values: none of them points at one pupil."""
        column, count = self.table[ours], len(theirs.text)
        more = " or more" if len(theirs.values) == SAMPLE else ""
        n = f"{count:,}{more} value{'' if count == 1 else 's'}"
        if in_days(column, theirs.name):
            return f"{n}; a day counts as two half-days"
        if column.kind == "code":
            known = [one for one in theirs.text if code_meant(column, one)]
            shown = known + self._unknown(column, theirs)
            return ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "") if shown else n
        if column.kind in {"integer", "number"} and count <= 8:
            return ", ".join(one for one in theirs.text if not may_identify(one)) or n
        shared = self._shared(theirs) if column.kind == "date" else []
        return f"{n}, such as {shared[0]}" if shared and not BIRTH.search(plain(theirs.name)) else n

    def _shared(self, theirs: _Theirs) -> list[str]:
        """Return values that several pupils share, no free text; none where the pupils are not known."""
        if self.pupils is None:
            return []
        text = theirs.values.dropna().astype("str").str.strip()
        counts = self.pupils.loc[text.index].groupby(text.to_numpy()).nunique()
        shared = counts[counts >= OFTEN].sort_values(ascending=False, kind="stable")
        least = self.pupils.nunique() / FEW
        shown = [str(one) for one, n in shared.items() if n >= least or not may_identify(str(one))]
        return [
            one
            for one in shown
            if one and len(one.split()) <= WORDS and not re.search(r"\d{9}", one)
        ]

    def _unknown(self, ours: Column, theirs: _Theirs) -> list[str]:
        """Return the values that stand for no code of ours and that several pupils share."""
        few = self._shared(theirs) if len(theirs.text) <= SHOWN else []
        return [one for one in few if code_meant(ours, one) is None]

    def _codes(self, head: str, ours: Column, theirs: _Theirs) -> list[str]:
        """Return the table of values that stand for no code of ours, each with the nearest code."""
        lines = []
        for one in self._unknown(ours, theirs):
            code = _nearest(one, ours)
            lines.append(f'{_quoted(one)} = "{code}"{_choice(ours, code)}')
        return ["", f"[{head}]", *lines] if lines else []


def _slug(name: str) -> str:
    """Return a name for the section: letters of the file's name and of its sheet."""
    parts = re.findall(r"[a-z]+", re.sub(r"\.\w+(?=$|,)", "", name.rsplit("/", 1)[-1].lower()))
    return "_".join(part for part in parts if part != "sheet") or "source"


def _pattern(name: str) -> str:
    """Return a pattern of the file's name in which numbers may differ."""
    file = name.rsplit("/", 1)[-1].split(", sheet ")[0]
    return re.sub(r"\d+([-_.]?\d+)*", "*", file)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _dates(table: Table, found: dict[str, _Theirs]) -> Iterable[str]:
    """Yield the format of the dates, where all dates of the file have one."""
    texts = [one.text for ours, one in found.items() if table[ours].kind == "date"]
    if not texts:
        return
    text = pd.concat(texts)
    forms = [form for form in FORMS if _parsed(text, form) == 1]
    if forms:
        doubt = (
            "  # or MM/DD/YYYY: no value decides"
            if {"DD/MM/YYYY", "MM/DD/YYYY"} <= {*forms}
            else ""
        )
        yield f'dates = "{forms[0]}"{doubt}'


def _choice(ours: Column, value: str) -> str:
    """Return the comment that lists what may replace a question mark."""
    if value != "?":
        return ""
    return f"  # write one of {', '.join(ours.allowed)}" if ours.allowed else f"  # {ours.label}"


def _kind(name: str, ours: Column) -> str:
    """Return the kind of circumstance that the name of a file is nearest to."""
    slug = _slug(name)
    inside = [one for one in ours.allowed if one in slug or f"{one}s" in slug]
    close = difflib.get_close_matches(slug, ours.allowed, n=1, cutoff=0.75)
    return next(iter([*inside, *close]), "?")


def _nearest(value: str, ours: Column) -> str:
    """Return the code whose label is most like a value; a question mark where none is near."""
    for name in LABELLED:
        if ours.allowed == codes(name):
            labels = code_set(name)["label"].str.lower()
            close = difflib.get_close_matches(value.lower(), labels.tolist(), n=1, cutoff=0.75)
            return str(labels.index[labels.tolist().index(close[0])]) if close else "?"
    return "?"
