"""Which source a file is of: its columns alone decide, never its name.

In:  a file, sheet or database table as opened.
Out: the file with the source it is of; a file of no known source goes to the rejects, row by row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from riskmodel.data.identity import may_identify
from riskmodel.data.read.mapped_facts import mapped_source
from riskmodel.data.read.mapping import ColumnMapping, claims, lacking
from riskmodel.data.read.open.files import Opened
from riskmodel.data.read.proposal import propose
from riskmodel.data.read.returns.births import settle_births
from riskmodel.data.read.returns.census_leavers import undated_leavers, with_leavers
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_file
from riskmodel.data.read.rows.dates import is_date_name, settle_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.tidy import plain_ids, tidy_column
from riskmodel.data.read.sources import SOURCES, source_of
from riskmodel.data.read.sources.annex_a import CHILD_ID
from riskmodel.data.read.sources.census import census_year_groups
from riskmodel.data.read.sources.enrolment_status import is_no_status
from riskmodel.data.read.sources.languages import is_no_language
from riskmodel.data.read.sources.registers import unsure_pairs
from riskmodel.data.read.sources.source import (
    NAMES,
    Source,
    is_there,
    plain,
    with_plain_columns,
)
from riskmodel.data.settings_file import DEFAULT_FILE

__all__ = ["recognise"]


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
        words = f"{one.name}: is of the kind '{source.name}' and was not used. {source.unused}"
        set_aside_file(log, one, "not_used", words, kind=source.name, severity="warning")
        return None
    days, unread = source.headings(names, one.name) if source.headings else ({}, [])
    log.note_opened(_without_nameless(one, days), source.name)
    log.problems += [] if source.headings else _twice(one, source)
    log.problems += [] if mine else _of_two_layouts(one, source, names)
    frame = with_plain_columns(one.raw.rename(columns=days), source.aliases).reset_index(drop=True)
    frame, problems = _plain_values(frame, one, mine)
    log.problems += unread
    log.problems += problems
    return ReturnFile(one, source, frame)


def _without_nameless(one: Opened, days: Mapping[str, str]) -> Opened:
    """Return a file without the problems of columns that have no name, but that are half-days of a grid."""
    left = [p for p in one.problems if not (p.rule == "nameless_column" and p.column in days)]
    return replace(one, problems=left)


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
    frame, of_births = settle_births(frame, one)
    problems += of_births + _unread_years(frame, one.name) + _unread_statuses(frame, one.name)
    problems += _unread_languages(frame, one.name) + _unused_ranks(frame, one.name)
    problems += undated_leavers(frame, one.name)
    return frame, problems + _unsure_marks(frame, one.name)


def _unsure_marks(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return how many strings of marks are pairs, or half-days of which some have no mark."""
    n = unsure_pairs(frame)
    if not n:
        return []
    words = (
        f"{name}: {n} strings of marks are read as days parted by blanks; a blank could be a half-day "
        "without a mark too. Write the marks without blanks between days."
    )
    return [Problem(name, "unsure_marks", words, column="attendancemarks")]


def _unread_years(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return how many year groups of a census cannot be read: the age counts in their place."""
    if "ncyearactual" not in frame:
        return []
    years = frame["ncyearactual"]
    unread = is_there(years) & census_year_groups(years).isna()
    n = int((unread & ~years.astype("str").str.strip().str.upper().isin(["M", "X"])).sum())
    if not n:
        return []
    words = (
        f"{name}: {n} values of ncyearactual are no year group, so the age on entry counts. "
        "Write 1 to 14, R, N1, N2, E1 or E2."
    )
    return [Problem(name, "bad_year_group", words, column="ncyearactual")]


def _unread_languages(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return how many first languages of a census are neither a code nor a known label."""
    n = int(is_no_language(frame["language"]).sum()) if "language" in frame else 0
    if not n:
        return []
    words = (
        f"{name}: {n} values of language are no code of a first language, so it counts as not known. "
        "Write codes such as ENG."
    )
    return [Problem(name, "bad_language", words, column="language")]


def _unused_ranks(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return how many needs have a rank after the second, and so no column in a table."""
    if "sentyperank" not in frame:
        return []
    n = int((pd.to_numeric(frame["sentyperank"], errors="coerce") > 2).sum())
    if not n:
        return []
    words = (
        f"{name}: {n} needs have a rank after 2 and are not used: a pupil has a primary and a secondary "
        "need. Give the two that matter most the ranks 1 and 2."
    )
    return [Problem(name, "unused_rank", words, column="sentyperank")]


def _unread_statuses(frame: pd.DataFrame, name: str) -> list[Problem]:
    """Return how many enrolment statuses cannot be read: the roll counts as the main one."""
    if "enrolstatus" not in frame:
        return []
    status = frame["enrolstatus"]
    unread = status[is_no_status(status)]
    if unread.empty:
        return []
    shown = sorted({f"'{one}'" for one in unread.astype("str") if not may_identify(one)})[:3]
    such = f", such as {', '.join(shown)}" if shown else ""
    words = (
        f"{name}: {len(unread)} values of enrolstatus are no enrolment status{such}. Their rolls count as "
        "main ones. Write C, M, S or G."
    )
    return [Problem(name, "bad_status", words, column="enrolstatus")]


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


def _unknown(name: str, columns: list[str], *, has_proposal: bool) -> str:
    """Return which source a file is nearest to, and what it lacks."""
    found = {plain(column) for column in columns}
    # a grid is known by its days, and nobody exports a file again to have it left unused
    known = [s for s in SOURCES if s.headings is None and not s.unused]
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
    own = f"declare its columns in {DEFAULT_FILE} (check proposes how), " if has_proposal else ""
    return (
        f"{name}: its columns are those of no known source, so it was not "
        f"used.{like} Export it in a known layout, {own}or leave it out."
    )
