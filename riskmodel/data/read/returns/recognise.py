"""Which source a file is of: its columns alone decide, never its name.

In:  a file, sheet or database table as opened.
Out: the file with the source it is of; a file of no known source goes to the rejects, row by row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from riskmodel.data.read.mapped_facts import mapped_source
from riskmodel.data.read.mapping import ColumnMapping, claims, lacking
from riskmodel.data.read.open.files import Opened
from riskmodel.data.read.proposal import propose
from riskmodel.data.read.returns.births import settle_births
from riskmodel.data.read.returns.census_leavers import with_leavers
from riskmodel.data.read.returns.counted_faults import counted_faults
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_file
from riskmodel.data.read.rows.dates import is_date_name, orders_of, settle_dates, swapped_days
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.tidy import plain_ids, tidy_column
from riskmodel.data.read.sources import SOURCES, source_of
from riskmodel.data.read.sources.annex_a import CHILD_ID
from riskmodel.data.read.sources.source import (
    NAMES,
    Source,
    plain,
    with_plain_columns,
)
from riskmodel.data.settings_file import DEFAULT_FILE

__all__ = ["follow_sisters", "recognise"]


def recognise(
    one: Opened, log: ReadLog, mappings: Sequence[ColumnMapping] = ()
) -> ReturnFile | None:
    """Find the source that a file is of: the analyst's own, else that with most columns of the file.

    Parameters
    ----------
    one : Opened
        A file, sheet or database table.
    log : ReadLog
        Gets the problems; of a file that is not used also the counts and the rejects.
    mappings : sequence of ColumnMapping
        The analyst's own layouts.

    Returns
    -------
    ReturnFile or None
        None if it is of no known source, or of one of which nothing can be used.

    Raises
    ------
    RequestError
        If two of the analyst's layouts do not agree on the file.
    """
    if one.fault:
        log.note_unread(one.name, one.fault, one.severity)
        return None
    names = [str(name) for name in one.raw.columns]
    found = {plain(name) for name in names}
    mine = [mapping for mapping in mappings if claims(mapping, one.name, found)]
    lacks = [] if mine else lacking(mappings, one.name, names)
    log.problems += lacks
    source = mapped_source(mine) if mine else source_of(names, one.raw)
    if source is None:
        # where a section lacks a column, it is to be mended, and no other one is wanted
        proposal = "" if lacks else _proposal(one, mappings, log)
        words = _unknown(one.name, names, has_proposal=bool(proposal))
        set_aside_file(log, one, "unknown_file", words, severity="warning")
        return None
    if source.unused:
        source = _that_is_read(one, names) or source
    if source.unused:
        words = f"{one.name}: is of the kind '{source.name}' and was not used. {source.unused}"
        set_aside_file(log, one, "not_used", words, kind=source.name, severity="warning")
        return None
    if doubt := "" if mine else source.unsure(one.raw, one.name):
        _proposal(one, mappings, log)
        set_aside_file(log, one, "unsure_file", f"{one.name}: {doubt}", kind=source.name)
        return None
    days, unread = source.headings(names, one.name) if source.headings else ({}, [])
    # a column without a name may be a half-day of a grid
    left = [p for p in one.problems if not (p.rule == "nameless_column" and p.column in days)]
    log.note_opened(replace(one, problems=left), source.name)
    log.problems += [] if source.headings else _twice(one, source)
    log.problems += [] if mine else _of_two_layouts(one, source, names)
    frame = with_plain_columns(one.raw.rename(columns=days), source.aliases).reset_index(drop=True)
    frame, problems = _plain_values(frame, one, mine)
    log.problems += unread
    log.problems += problems
    return ReturnFile(one, source, frame)


def follow_sisters(files: Sequence[ReturnFile], log: ReadLog) -> None:
    """Read dates of files that do not show the order of day and month as files of the same columns do.

    Parameters
    ----------
    files : sequence of ReturnFile
        Recognised; dates of some get the month first.
    log : ReadLog
        Gets a warning for each of them; one too where the other files do not agree.
    """
    month_first = {one.file for one in log.problems if one.rule == "month_first"}
    layouts = {(one.source.name, *one.raw.columns) for one in files if one.name in month_first}
    for layout in sorted(layouts):
        alike = [one for one in files if (one.source.name, *one.raw.columns) == layout]
        dates = [str(name) for name in alike[0].frame if is_date_name(str(name))]
        orders = {one.name: orders_of(one.frame, dates) for one in alike}
        sister = next(one.name for one in alike if one.name in month_first)
        is_one = not any("day" in found for found in orders.values())
        for one in alike:
            if one.name in month_first or orders[one.name] != {""}:
                continue
            if is_one:
                one.frame, problems = settle_dates(one.frame, dates, one.name, sister)
                log.problems += problems
                continue
            words = (
                f"{one.name}: nothing shows the order of day and month, and files of the same columns have "
                f"the day first or, as {sister}, the month. The day was read first. Write YYYY-MM-DD."
            )
            log.problems.append(Problem(one.name, "order_unclear", words))


def _that_is_read(one: Opened, names: list[str]) -> Source | None:
    """Return the source that a file is of without doubt, where its columns fit an unused one too."""
    known = (source for source in SOURCES if source.doubt and source.is_of(names))
    return next((source for source in known if not source.unsure(one.raw, one.name)), None)


def _of_two_layouts(one: Opened, source: Source, names: list[str]) -> list[Problem]:
    """Return the other layouts of which a file holds all columns, while it is read as one only."""
    problems = []
    known = source.columns | set(source.aliases.values())
    for other in SOURCES:
        if other.facts in (None, source.facts) or other.headings or not other.is_of(names):
            continue
        left = {other.aliases.get(plain(n), plain(n)): n for n in names}
        more = [left[meaning] for meaning in sorted(other.columns - known)]
        if more:
            words = (
                f"{one.name}: has the columns of '{other.name}' too, and was read as '{source.name}' only. "
                f"Nothing was read from {', '.join(map(repr, more))}. Export the two as files of their own."
            )
            problems.append(Problem(one.name, "two_layouts", words))
    return problems


def _is_id(name: str) -> bool:
    """Whether a column with a plain name holds ids of rows or of children."""
    return name.endswith("tableid") or name in {"rowid", "child", "lachildid", CHILD_ID}


def _twice(one: Opened, source: Source) -> list[Problem]:
    """Return columns that mean the same; the first is read, and it matters if the other differs."""
    names = [str(name) for name in one.raw.columns]
    meanings = [source.aliases.get(plain(name), plain(name)) for name in names]
    problems = []
    for place, meaning in enumerate(meanings):
        first = meanings.index(meaning)
        if not meaning or first == place:
            continue
        left, right = (one.raw.iloc[:, which].astype("str") for which in (first, place))
        differs = not left.fillna("").equals(right.fillna(""))
        known = {*source.columns, *source.aliases}  # other names may be a child's
        headings = [
            f"'{names[which]}'" if plain(names[which]) in known else f"{which + 1}"
            for which in (first, place)
        ]
        if sum(heading.isdigit() for heading in headings) == 1:
            headings = [f"number {one}" if one.isdigit() else one for one in headings]
        words = (
            f"{one.name}: columns {headings[0]} and {headings[1]} have one meaning. "
            f"The first was read{', and the other holds other values' if differs else ''}. Take one out."
        )
        is_error = differs and plain(names[first]) == plain(names[place])
        problems.append(
            Problem(one.name, "column_twice", words, severity="error" if is_error else "warning")
        )
    return problems


def _plain_values(
    frame: pd.DataFrame, one: Opened, mappings: list[ColumnMapping]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the rows without words for a missing value; dates of no declared form in one order."""
    tidy = {str(c): tidy_column(frame[c]) for c in frame if c not in NAMES}
    tidy |= {name: plain_ids(values) for name, values in tidy.items() if _is_id(name)}
    dates = [one for one in tidy if is_date_name(one)]
    if mappings:
        dates = sorted(set().union(*(one.undeclared_dates for one in mappings)) & set(tidy))
    frame, problems = settle_dates(with_leavers(frame.assign(**tidy), one.raw), dates, one.name)
    problems += swapped_days(frame, dates, one.name)
    frame, of_births = settle_births(frame, one)
    return frame, problems + of_births + counted_faults(frame, one.name)


def _proposal(one: Opened, mappings: Sequence[ColumnMapping], log: ReadLog) -> str:
    """Return a section that would read a file, noted once for all files that it would read."""
    first = propose(one.name, one.raw)
    if first and _without_values(first) not in map(_without_values, log.proposals):
        taken = {each.name for each in mappings}.union(*map(_heads, log.proposals))
        is_free = taken.isdisjoint(_heads(first))
        log.proposals.append(first if is_free else propose(one.name, one.raw, taken))
    return first


def _heads(text: str) -> set[str]:
    """Return the names of the sections of a proposal."""
    return set(re.findall(r"(?m)^\[sources\.(\w+)\]", text))


def _without_values(text: str) -> str:
    """Return a section without what its comments show."""
    return re.sub(r"(?m) *#.*$", "", text)


WEEKDAY_HALF = re.compile(
    r"(?:mon|tue|wed|thu|fri)[a-z]*[\W_]*(?:am|pm|morning|afternoon)", re.IGNORECASE
)
"""A heading of a half-day that holds no day."""

PARTING = re.compile(r"[A-Za-z ]+([^\w\s().,;/&'-])[A-Za-z ]+(?:\1[A-Za-z ]+)*")
"""Names of columns in one text, with a sign between them that parts no columns."""


def _shape(columns: list[str]) -> str:
    """Return what is wrong with the shape of an unknown file, and what to do; empty where nothing is seen."""
    if sum(bool(WEEKDAY_HALF.fullmatch(one.strip())) for one in columns) > 1:
        return (
            "Its columns are half-days of a week and hold no day: name each for its day, such as "
            "'14/10/2024 AM'."
        )
    if len(columns) != 1:
        return ""
    if columns[0].count(",") > 1:
        return "Each line is one value in quotes. Take the quotes around whole lines out."
    parted = PARTING.fullmatch(columns[0])
    words = "It has one column, and its values seem to be parted by '{}'. Use commas."
    return words.format(parted[1]) if parted else ""


def _unknown(name: str, columns: list[str], *, has_proposal: bool) -> str:
    """Return which source a file is nearest to, and what it lacks."""
    found = {plain(column) for column in columns}
    # a grid is known by its days, and nobody exports a file again to have it left unused
    known = [s for s in SOURCES if s.headings is None and not s.unused]
    own = f"declare its columns in {DEFAULT_FILE} (check proposes how), " if has_proposal else ""
    if what := _shape(columns):
        return f"{name}: its columns are those of no known source, so it was not used. {what}"
    shares = [
        (len(s.columns & {s.aliases.get(c, c) for c in found}) / len(s.columns), s) for s in known
    ]
    share, source = max(shares, key=lambda pair: pair[0])
    missing = sorted(source.columns - {source.aliases.get(c, c) for c in found})
    like = (
        f" It is nearest to '{source.name}', but has no {', '.join(missing)}."
        if share
        else " It shares no column with any of them."
    )
    is_row = any(re.search(r"\d{6}|\d[/.-]\d", column) for column in columns)
    like += (
        " Its first line seems to be a row: put the names of the columns above." if is_row else ""
    )
    return (
        f"{name}: its columns are those of no known source, so it was not "
        f"used.{like} Export it in a known layout, {own}or leave it out."
    )
