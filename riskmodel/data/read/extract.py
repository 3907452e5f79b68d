"""From a folder of extracts to tables; nothing is lost on the way.

In:  a folder with one file per table, or a file that is recognised by its content.
Out: :class:`Extract`: tables, problems, rejected rows, and a reconciliation that balances.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.data_span import EVENTS, data_span, missing_extracts
from riskmodel.data.identity import DEFAULT_KEY_FILE, may_identify
from riskmodel.data.read.mapping import read_mappings
from riskmodel.data.read.open.database import is_database, open_database
from riskmodel.data.read.open.files import Opened, open_each
from riskmodel.data.read.open.mvad import is_mvad, read_mvad
from riskmodel.data.read.open.walk import files_in, is_left_out, shown_name
from riskmodel.data.read.returns.folder import open_returns, read_returns
from riskmodel.data.read.returns.overlapping_suspensions import suspensions_made_permanent
from riskmodel.data.read.rows.accounts import FileNote, ReadLog, RowCount, set_aside_file
from riskmodel.data.read.rows.problems import (
    CONFLICT_COLUMNS,
    REJECT_COLUMNS,
    Problem,
    RowChecks,
    Severity,
    problems_frame,
)
from riskmodel.data.read.rows.rules import in_order
from riskmodel.data.read.rows.table import guess, read_table
from riskmodel.data.read.sources import source_of
from riskmodel.data.schema import TABLES
from riskmodel.data.settings_file import DEFAULT_FILE
from riskmodel.data.tables import Tables
from riskmodel.errors import DataError
from riskmodel.progress import track

__all__ = ["Extract", "read"]

ENDINGS = (".parquet", ".csv")

READ_FIRST = ("pupils", "calendar", "schools")
"""Tables with which the rows of the others are compared."""

UNKNOWN = {
    "suspensions": "Pupils suspended or excluded since then count as not suspended or excluded.",
    "sessions": "Nothing is known of attendance since then.",
}
"""What a table that ends early leaves out."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What was read.

    Attributes
    ----------
    tables : Tables
        The facts, in a fixed order whatever the order of the files' rows.
    problems : DataFrame
        ``file, row, column, value, rule, severity, message, remedy``.
    rejects : DataFrame
        ``file, row, reason, record``: every row that was set aside, whole.
    conflicts : DataFrame
        ``file, row, column, other_file, other_row``: every row that contradicts another one, and that one.
    reconciliation : DataFrame
        ``file, table, rows_read, rows_kept, rows_rejected, rows_merged, rows_conflicting``; read = kept +
        rejected + merged (another row holds the same) + conflicting (an earlier row holds something else).
    files : DataFrame
        ``file, read_as, rows, note``: every file, sheet and table there was; the source or table that it
        was read as, or empty and why it was not read.
    proposals : tuple of str
        Sections of ``riskmodel.toml`` that would read files of unknown layouts.
    digest : str
        BLAKE2b of the tables' contents.
    source : str or Path
        Where it was read from.
    """

    tables: Tables = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    conflicts: pd.DataFrame = field(repr=False)
    reconciliation: pd.DataFrame
    files: pd.DataFrame = field(repr=False)
    proposals: tuple[str, ...] = field(repr=False)
    digest: str
    source: str | Path = field(repr=False)


def read(
    source: str | Path | Extract,
    *,
    key_file: Path = DEFAULT_KEY_FILE,
    settings_file: Path = Path(DEFAULT_FILE),
) -> Extract:
    """Read extracts; what was read before comes back as it is.

    Parameters
    ----------
    source : str, Path or Extract
        A folder with ``<table>.parquet`` or ``<table>.csv``; or one with the returns and extracts
        an LA holds (CSV, Parquet, Excel, XML), in any order and under any names; or the address of a
        database that SQLAlchemy reads; or the file of the 1993 cohort.
    key_file : Path
        Key of the pseudonyms; used, and made, only where a file holds UPNs.
    settings_file : Path
        Where the analyst's own layouts are declared, in ``[sources.*]``; need not be there.

    Returns
    -------
    Extract
        Tables, problems, rejects, reconciliation.

    Raises
    ------
    DataError
        If there is no folder, or no file that names the pupils can be used; other files and bad rows are
        set aside.
    RequestError
        If the settings cannot be read, or declare a layout that cannot be.
    """
    if isinstance(source, Extract):
        return source
    log, mappings = ReadLog(), read_mappings(settings_file)
    if is_database(source):
        opened = [*open_database(str(source)).values()]
        if not any(one.name == "pupils" and _has_our_columns(one) for one in opened):
            return _extract(source, read_returns(opened, key_file=key_file, mappings=mappings))
        sources = {one.name: _held(one) for one in opened if one.name in TABLES}
        for one in opened:
            if one.name not in TABLES:
                log.note_unread(
                    one.name, f"{one.name}: is no table of ours. It was not read.", None
                )
        return _extract(source, _read_tables(sources, log, key_file))
    path = Path(source)
    if path.is_file() and is_mvad(path):
        frames = read_mvad(path)
        sources = {n: _held(Opened(path.name, f, first_row=2)) for n, f in frames.items()}
    elif path.is_file():
        raise DataError(
            f"{path}: is a file, and extracts are a folder of files. Name the folder that holds it."
        )
    elif not path.is_dir():
        raise DataError(f"{path}: there is no such folder of extracts. Check the path.")
    elif not any(_is_table_of_pupils(one) for one in path.iterdir()):
        files = open_returns(path)
        return _extract(source, read_returns(files, key_file=key_file, mappings=mappings))
    else:
        sources = _find_sources(path, log)
    return _extract(source, _read_tables(sources, log, key_file))


def _read_tables(
    sources: dict[str, Callable[[], list[Opened]]], log: ReadLog, key_file: Path
) -> ReadLog:
    """Read one source per table; one that cannot be used is set aside, unless it names the pupils."""
    pupils: pd.CategoricalDtype | None = None
    names = sorted(sources, key=lambda name: (name not in READ_FIRST, name))
    for name in track(names, "Reading tables"):
        one, *others = sources[name]()
        for other in others:
            log.note_unread(other.name, other.fault, other.severity)
        if one.fault:
            _refuse_pupils(name, one.fault)
            log.note_unread(one.name, one.fault)
            continue
        checks = RowChecks(one.name, one.first_row, one.raw, lines=one.lines)
        frames = log.frames
        try:
            frame = read_table(
                TABLES[name],
                checks,
                pupils,
                calendar=frames.get("calendar"),
                key_file=key_file,
                schools=_schools_by_name(frames["schools"]) if "schools" in frames else None,
            )
        except DataError as error:
            _refuse_pupils(name, str(error))
            set_aside_file(log, one, "unusable_file", str(error))
            continue
        if name == "pupils":
            pupils = pd.CategoricalDtype(pd.Index(sorted(frame["pupil_id"]), dtype="str"))
        if pupils is not None and "pupil_id" in frame:
            frame = frame.assign(pupil_id=frame["pupil_id"].astype(pupils))
        if not checks.in_order:
            frame = in_order(TABLES[name], frame)
        frames[name] = frame.reset_index(drop=True)
        log.note_opened(one, name)
        log.problems += checks.problems
        log.rejects.append(checks.rejects())
        log.conflicts.append(checks.conflicts)
        merged, conflicting = int(checks.merged.sum()), int(checks.conflicting.sum())
        kept = len(frame) - int((checks.kept & checks.conflicting).sum())
        aside = len(one.raw) - kept - merged - conflicting + len(one.aside)
        parts = (kept, aside, merged, conflicting)
        log.counts.append(RowCount(one.name, name, one.rows_seen, *parts))
        del one, checks, frame  # the raw rows are let go of here
    if "suspensions" in log.frames:
        log.problems += suspensions_made_permanent(log.frames["suspensions"])
    return log


def _schools_by_name(schools: pd.DataFrame) -> pd.Series:
    """Return the identifier of each school by its identifier, its URN, and a name that no other has."""
    ids = schools["school_id"]
    name = schools["name"].where(~schools["name"].duplicated(keep=False))
    found = pd.concat([pd.Series(ids.to_numpy(), index=key) for key in (ids, schools["urn"], name)])
    return found[found.index.notna() & ~found.index.duplicated()]


def _refuse_pupils(name: str, fault: str) -> None:
    """Refuse all where the table of pupils cannot be used: every other row would join to nobody."""
    if name == "pupils":
        raise DataError(fault)


def _extract(source: str | Path, log: ReadLog) -> Extract:
    frames = log.frames
    problems = [*log.problems, *_pupils_in_no_enrolment(frames)]
    problems += [*_dates_far_off(frames), *_ends_early(frames)]
    return Extract(
        tables=Tables(frames),
        problems=problems_frame(problems),
        rejects=_joined(log.rejects, REJECT_COLUMNS),
        conflicts=_joined(log.conflicts, CONFLICT_COLUMNS),
        reconciliation=pd.DataFrame(log.counts, columns=list(RowCount._fields)),
        files=pd.DataFrame(log.files, columns=list(FileNote._fields)),
        proposals=tuple(log.proposals),
        digest=_digest(frames),
        source=source,
    )


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the parts one below the other; an empty frame where none has rows."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns)


def _find_sources(source: Path, log: ReadLog) -> dict[str, Callable[[], list[Opened]]]:
    """Return what opens each table; files that are no tables are noted."""
    found: dict[str, Path] = {}
    for path in sorted(source.iterdir()):
        is_table = _is_table(path)
        if is_left_out(path.name):
            continue
        if path.is_dir() and not is_table:
            _note_folder(path, log)
            continue
        name, table = shown_name(Path(path.name)), path.stem
        if not is_table or not path.exists():
            words = (
                "is neither CSV nor Parquet and was not read. Export it as CSV if it holds facts."
            )
            severity: Severity = "error" if name.partition(".")[0] in TABLES else "warning"
            log.note_unread(name, f"{name}: {words}", severity, "ignored_file")
        elif table not in TABLES:
            words = (
                f"no table has this name.{guess(table, list(TABLES))} Rename the file or move it"
            )
            log.note_unread(name, f"{name}: {words} out of the folder.", rule="unknown_file")
        elif table in found:
            words = f"{name}: {found[table].name} holds the same table. Keep one of the two."
            _refuse_pupils(table, words)
            log.note_unread(name, words, rule="duplicate_table")
        else:
            found[table] = path
    return {name: _opener(path) for name, path in found.items()}


def _note_folder(folder: Path, log: ReadLog) -> None:
    """Note the files of a folder beside the tables: none of them is read."""
    for path in files_in(folder):
        name = shown_name(path.relative_to(folder.parent))
        words = f"{name}: lies in a folder beside the tables and was not read. Move it beside them."
        severity: Severity = "error" if path.name.partition(".")[0] in TABLES else "warning"
        log.note_unread(name, words, severity, "ignored_file")


def _held(source: Opened) -> Callable[[], list[Opened]]:
    return lambda: [source]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _is_table_of_pupils(path: Path) -> bool:
    """Return whether a file is our table of pupils, and no return that has its name."""
    if not _is_table(path) or path.stem != "pupils":
        return False
    return any(map(_has_our_columns, open_each(path, path.name)))


def _has_our_columns(one: Opened) -> bool:
    """Return whether a table named as ours of pupils is ours, or damaged, and no return."""
    columns = [str(name) for name in one.raw]
    return "pupil_id" in columns or source_of(columns) is None


def _opener(path: Path) -> Callable[[], list[Opened]]:
    return lambda: open_each(path, path.name)


def _pupils_in_no_enrolment(frames: dict[str, pd.DataFrame]) -> list[Problem]:
    if "enrolments" not in frames:
        return []
    pupils = frames["pupils"]["pupil_id"]
    lost = pupils[~pupils.isin(frames["enrolments"]["pupil_id"])]
    shown = [pupil for pupil in lost if not _is_upn(str(pupil))][:20]  # never a UPN
    return [
        Problem(
            "pupils",
            "no_enrolment",
            f"pupils: pupil {pupil} is in no enrolment, so on no list. Add the enrolment.",
        )
        for pupil in shown
    ] + (
        [
            Problem(
                "pupils",
                "no_enrolment",
                f"pupils: {len(lost) - len(shown)} more pupils are in no enrolment, so on no list.",
            )
        ]
        if len(lost) > len(shown)
        else []
    )


def _is_upn(pupil: str) -> bool:
    """Return whether the identifier of a pupil is a number or name, and no pseudonym."""
    return not re.fullmatch(r"P[A-Z2-7]{16}", pupil) and may_identify(pupil)


def _dates_far_off(frames: dict[str, pd.DataFrame]) -> list[Problem]:
    """Return which dates are so far from all others of their table that they are typing errors."""
    problems = []
    for name, event in EVENTS.items():
        if name not in frames or frames[name].empty:
            continue
        recorded, dated = frames[name]["recorded_on"], frames[name][event]
        first, last = data_span(dated)[0], data_span(recorded)[1]
        for dates, rule, rest in (
            (
                recorded[recorded > last],
                "recorded_far_off",
                f"far after all others, which end on {last:%Y-%m-%d}. No default day follows from",
            ),
            (
                dated[dated < first],
                "dated_far_off",
                f"far before all others, which begin on {first:%Y-%m-%d}. No list begins with",
            ),
        ):
            if len(dates):
                problems.append(_far_off(name, dates, rule, rest))
    return problems


def _far_off(name: str, dates: pd.Series, rule: str, rest: str) -> Problem:
    """Return the problem of a table's dates that lie far off."""
    low, high = f"{dates.min():%Y-%m-%d}", f"{dates.max():%Y-%m-%d}"
    which = low if low == high else f"from {low} to {high}"
    rows, it = ("1 row has", "it") if len(dates) == 1 else (f"{len(dates)} rows have", "them")
    words = f"{rows} {dates.name} {which}, {rest} {it}. Put right the date at its source."
    return Problem(name, rule, f"{name}: {words}", column=str(dates.name), value=low)


def _ends_early(frames: dict[str, pd.DataFrame]) -> list[Problem]:
    """Return which of registers and suspensions end long before the other does: an extract is missing."""
    problems = []
    for name, other, last, now in missing_extracts(frames):
        words = (
            f"{name}: the last is of {last:%Y-%m-%d}, but {other} go on to {now:%Y-%m-%d}. "
            f"{UNKNOWN[name]} Add the newer extract of {name}; no list is made for a day long after."
        )
        problems.append(
            Problem(name, "ends_early", words, column=EVENTS[name], value=f"{last:%Y-%m-%d}")
        )
    return problems


def _digest(frames: dict[str, pd.DataFrame]) -> str:
    """Return a digest of contents; the order of rows in the files does not matter."""
    digest = hashlib.blake2b(digest_size=16)
    columns = [(name, str(column)) for name in sorted(frames) for column in frames[name]]
    with ThreadPoolExecutor() as pool:  # hashing lets other threads run
        digests = pool.map(lambda where: _digest_of(frames[where[0]][where[1]]), columns)
        for where, one in zip(columns, digests, strict=True):
            digest.update(" ".join(where).encode() + one)
    return digest.hexdigest()


def _digest_of(values: pd.Series) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(values.dtype, pd.CategoricalDtype):
        digest.update("\n".join(values.cat.categories).encode())
        digest.update(_bytes(values.cat.codes.to_numpy()))
    elif values.dtype == "str":
        digest.update("\n".join(values.fillna("").tolist()).encode())
    else:
        digest.update(_bytes(values.to_numpy()))
    return digest.digest()


def _bytes(values: NDArray[Any]) -> Any:
    """Return an array's bytes without a copy."""
    return np.ascontiguousarray(values).view(np.uint8).data
