"""Returns that were sent more than once: of one census of one school the last counts.

In:  recognised files with their pupils, and the context that they share.
Out: rows of the earlier returns that the last one repeats or replaces; none of them makes a fact.

Two files, or tables of two folders, hold one census of one school, and most pupils of the smaller
one are in both: one return was sent again. Files with few common pupils are parts of one return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import may_identify
from riskmodel.data.read.returns.file_context import CENSUS_RETURNS, PUPILS_ON_ROLL
from riskmodel.data.read.returns.scoping import place_and_label
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import (
    CONFLICT_COLUMNS,
    NOT_SHOWN,
    SHOWN,
    Problem,
    Severity,
)
from riskmodel.data.read.sources.census import DAYS_TO_LA, SENT_AGAIN
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT
from riskmodel.data.read.sources.census_flat import day_of_census, school_of_census
from riskmodel.data.read.sources.source import Context, column

__all__ = ["set_replaced_aside"]

IN_BOTH = 0.5
"""Share of the smaller return's pupils that are in the other, above which one was sent again: chosen."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Version:
    """One copy of a return: the rows of pupils in its files, and the rows that hang on these."""

    pupils: list[tuple[ReturnFile, Ints]]
    others: list[tuple[ReturnFile, Ints]]
    sent: pd.Timestamp | None = None
    serial: float = np.nan

    @property
    def name(self) -> str:
        """Name of the file with its pupils, or of the first of them."""
        return min(one.name for one, _ in self.pupils)

    def who(self) -> set[str]:
        """Return the pupils of its rows."""
        return {str(p) for one, rows in self.pupils for p in one.frame["pupil_id"].iloc[rows]}

    def columns(self) -> set[str]:
        """Return the columns of its pupils."""
        return {str(c) for one, _ in self.pupils for c in one.frame} - {SENT_AGAIN}


def set_replaced_aside(files: Sequence[ReturnFile], context: Context, log: ReadLog) -> None:
    """Mark the rows of returns that were sent again.

    Parameters
    ----------
    files : sequence of ReturnFile
        With their pupils; get the rows that a later return repeats or replaces.
    context : Context
        Schools and days of censuses.
    log : ReadLog
        Gets the problems and the conflicts.
    """
    problems = []
    for school, day, versions in _sent_twice(files, context):
        for place, one in enumerate(versions):
            later = [other for other in versions[place + 1 :] if _is_again(one, other)]
            if later and one.columns() <= later[-1].columns():
                problems.append(_replace(one, later[-1], school, day, context, log))
            elif later:
                problems.append(_both(one, later[-1], school, day))
    log.problems += problems[:SHOWN]
    if rest := problems[SHOWN:]:
        severity = max(rest, key=lambda one: one.severity == "error").severity
        words = f"{rest[0].file}: {len(rest)} more returns are there twice. Keep the last of each."
        log.problems.append(Problem(rest[0].file, "sent_again", words, severity=severity))


def _sent_twice(
    files: Sequence[ReturnFile], context: Context
) -> Iterator[tuple[str, pd.Timestamp, list[_Version]]]:
    """Yield each census of a school that stands in two places, with its versions in order."""
    yield from _tables_twice(files, context)
    flat = [one for one in files if one.source in FLAT and len(one.frame)]
    for source in FLAT:
        alike = [one for one in flat if one.source is source]
        if len(alike) > 1:
            yield from _flat_twice(alike, context)


def _flat_twice(
    files: Sequence[ReturnFile], context: Context
) -> Iterator[tuple[str, pd.Timestamp, list[_Version]]]:
    parts = []
    for number, one in enumerate(files):
        found = pd.DataFrame(
            {"school": school_of_census(one.frame, context), "day": day_of_census(one.frame)}
        )
        parts.append(found[~one.set_aside].assign(file=number).dropna())
    every = pd.concat(parts)
    units = every.drop_duplicates()
    twice = units[units.duplicated(["school", "day"], keep=False)]
    for (school, day), part in twice.groupby(["school", "day"]):
        versions = []
        for number in part["file"]:
            rows = parts[number]
            places = rows.index[((rows["school"] == school) & (rows["day"] == day)).to_numpy()]
            held = [(files[number], places.to_numpy())]
            versions.append(_Version(pupils=held, others=[]))
        yield str(school), pd.Timestamp(str(day)), _in_order(versions)


def _tables_twice(
    files: Sequence[ReturnFile], context: Context
) -> Iterator[tuple[str, pd.Timestamp, list[_Version]]]:
    """Yield the versions of a return in tables joined by ids, each in a folder or file of its own."""
    held = [one for one in files if one.source.name == PUPILS_ON_ROLL and "rowid" in one.frame]
    units = []
    for one in held:
        ids = one.frame.loc[~one.set_aside, "schoolcensustableid"].astype("str").unique()
        found = context.censuses.reindex(ids).dropna()
        units += [
            (place_and_label(one.name), census, row.school_id, row.day)
            for census, row in zip(found.index, found.itertuples(), strict=True)
        ]
    every = pd.DataFrame(units, columns=["where", "census", "school", "day"]).drop_duplicates()
    for (school, day), part in every.groupby(["school", "day"]):
        if len(part) > 1:
            versions = [
                _version(files, where, census, context)
                for where, census in zip(part["where"], part["census"], strict=True)
            ]
            yield str(school), pd.Timestamp(str(day)), _in_order(versions)


def _version(
    files: Sequence[ReturnFile],
    where: object,
    census: str,
    context: Context,
) -> _Version:
    """Return the rows of one copy of a return: those of its place and census."""
    pupils: list[tuple[ReturnFile, Ints]] = []
    others: list[tuple[ReturnFile, Ints]] = []
    sent, serial = None, np.nan
    for one in files:
        if place_and_label(one.name) != where:
            continue
        if one.source.name == CENSUS_RETURNS:
            header = one.frame[
                (one.frame["schoolcensustableid"].astype("str") == census).to_numpy()
            ]
            days = read_dates(column(header, "datetime").astype("str").str[:10]).dropna()
            sent = max(days) if len(days) else None
            serial = pd.to_numeric(column(header, "serialno"), errors="coerce").max()
        elif "rowid" in one.frame and len(one.frame):
            is_held = one.source.name == PUPILS_ON_ROLL
            ids = one.frame["schoolcensustableid" if is_held else "rowid"].astype("str")
            own = (ids if is_held else ids.map(context.census_of_row)) == census
            places = np.flatnonzero(own.to_numpy() & ~one.set_aside)
            (pupils if is_held else others).append((one, places))
    return _Version(
        pupils=[part for part in pupils if len(part[1])], others=others, sent=sent, serial=serial
    )


def _in_order(versions: list[_Version]) -> list[_Version]:
    """Return versions by the day and number with which they were sent, else by name."""
    first = pd.Timestamp.min
    return sorted(
        versions,
        key=lambda one: (
            one.sent or first,
            -1 if np.isnan(one.serial) else one.serial,
            _natural(one.name),
        ),
    )


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a name as it sorts among others: numbers by their size."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part.casefold()) for part in parts]


def _is_again(one: _Version, other: _Version) -> bool:
    """Return whether two versions are of one return, and no parts of it."""
    left, right = one.who(), other.who()
    return len(left & right) > IN_BOTH * min(len(left), len(right))


def _replace(
    one: _Version, other: _Version, school: str, day: pd.Timestamp, context: Context, log: ReadLog
) -> Problem:
    """Mark the rows of a return that a later one repeats or replaces, and return the sentence on them."""
    known = day + pd.Timedelta(days=DAYS_TO_LA)
    is_late = other.sent is not None and other.sent > known
    if is_late:
        for file, places in (*other.pupils, *other.others):
            sent = column(file.frame, SENT_AGAIN).astype("object")
            sent.iloc[places] = f"{other.sent:%Y-%m-%d}"
            file.frame[SENT_AGAIN] = sent
    n_same = n_other = 0
    stay = other.who() if is_late else set()
    for file, places in (*one.pupils, *one.others):
        parts = [one for one in (*other.pupils, *other.others) if one[0].source is file.source]
        common = set(map(str, file.frame)).intersection(*(part.frame for part, _ in parts))
        rows = _rows(file, places, context, common)
        theirs = [_rows(part, there, context, common) for part, there in parts]
        alike = pd.concat(theirs, ignore_index=True) if theirs else rows.iloc[:0]
        is_same = rows["content"].isin(alike["content"]).to_numpy()
        is_held = (file.source.name == PUPILS_ON_ROLL) & rows["pupil"].isin(stay).to_numpy()
        if not is_late:
            file.repeated[places[is_same]] = True
        file.replaced[places[~is_same & ~is_held]] = True
        n_same, n_other = n_same + int(is_same.sum()), n_other + int((~is_same & ~is_held).sum())
        log.conflicts.append(_conflicts(file, rows[~is_same & ~is_held], alike, other))
    return _problem(one, other, school, day, n_same, n_other)


def _rows(one: ReturnFile, places: Ints, context: Context, common: set[str]) -> pd.DataFrame:
    """Return rows with their pupil, and a number for all that both returns hold but for ids."""
    frame = one.frame.iloc[places]
    ids = {c for c in common if c.endswith("tableid") or c in ("rowid", SENT_AGAIN, "received")}
    if "pupil_id" not in frame:
        frame = frame.assign(pupil_id=frame["rowid"].astype("str").map(context.pupil_of_row))
    content = frame[sorted((common - ids) | {"pupil_id"})].astype("str").fillna("")
    return pd.DataFrame(
        {
            "place": places,
            "pupil": frame["pupil_id"].astype("str").to_numpy(),
            "content": pd.util.hash_pandas_object(content, index=False).to_numpy(),
            "file": one.name,
            "row": one.checks().numbers_of(places),
        }
    )


def _conflicts(
    file: ReturnFile, rows: pd.DataFrame, alike: pd.DataFrame, other: _Version
) -> pd.DataFrame:
    """Return rows that are replaced, each beside the row of its pupil, else beside the return's first."""
    first, places = other.pupils[0]
    of_pupil = alike.drop_duplicates("pupil").set_index("pupil")
    made = of_pupil.reindex(rows["pupil"])[["file", "row"]]
    made = made.fillna({"file": first.name, "row": int(first.checks().numbers_of(places)[0])})
    return pd.DataFrame(
        {
            "file": file.name,
            "row": rows["row"].to_numpy(),
            "column": "",
            "other_file": made["file"].to_numpy(),
            "other_row": made["row"].to_numpy(dtype=np.int64),
        },
        columns=CONFLICT_COLUMNS,
    )


def _problem(
    one: _Version, other: _Version, school: str, day: pd.Timestamp, n_same: int, n_other: int
) -> Problem:
    """Return the sentence on a return that was sent again; an error where nothing shows which is later."""
    is_known = one.serial < other.serial
    if one.sent is not None and other.sent is not None:
        is_known |= one.sent < other.sent
    severity: Severity = "warning" if is_known or not n_other else "error"
    which = (
        "The later sent counts."
        if is_known
        else "Nothing shows which was sent last, so the last by name counts."
        if n_other
        else "They are equal."
    )
    words = (
        f"{_found_twice(one, other, school, day)} {which} "
        f"{n_same} rows here are the same there and were merged; {n_other} are not, and are in conflict. "
        "Keep the last one only."
    )
    return Problem(one.name, "sent_again", words, severity=severity)


def _both(one: _Version, other: _Version, school: str, day: pd.Timestamp) -> Problem:
    """Return the sentence on two extracts of one return, of which the first by name has more columns."""
    words = (
        f"{_found_twice(one, other, school, day)} Both were read, as they have different columns. "
        "Keep one if the return was sent again: pupils of either are on roll now."
    )
    return Problem(one.name, "sent_again", words)


def _found_twice(one: _Version, other: _Version, school: str, day: pd.Timestamp) -> str:
    number = NOT_SHOWN if may_identify(school) else school
    return f"{one.name}: the return of school {number} for {day:%Y-%m-%d} is in {other.name} too."
