"""From a folder of extracts to tables; nothing is lost on the way.

In:  a folder with one file per table, or a file that is recognised by its content.
Out: :class:`Extract`: tables, problems, rejected rows, and a reconciliation that balances.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.data_span import EVENTS, data_span, missing_extracts
from riskmodel.data.identity import DEFAULT_KEY_FILE
from riskmodel.data.read.mapping import read_mappings
from riskmodel.data.read.open.database import is_database, open_database
from riskmodel.data.read.open.files import Opened, open_table
from riskmodel.data.read.open.mvad import is_mvad, read_mvad
from riskmodel.data.read.returns.folder import open_returns, read_returns
from riskmodel.data.read.rows.accounts import RowCount
from riskmodel.data.read.rows.problems import (
    REJECT_COLUMNS,
    Problem,
    RowChecks,
    encoding_warning,
    problems_frame,
)
from riskmodel.data.read.rows.rules import in_order
from riskmodel.data.read.rows.table import guess, read_table
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
    reconciliation : DataFrame
        ``file, table, rows_read, rows_kept, rows_rejected, rows_merged, rows_conflicting``; read = kept +
        rejected + merged (another row holds the same) + conflicting (an earlier row holds something else).
    digest : str
        BLAKE2b of the tables' contents.
    source : str or Path
        Where it was read from.
    """

    tables: Tables = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    reconciliation: pd.DataFrame
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
        If the folder or a file cannot be used at all; bad rows alone are set aside.
    RequestError
        If the settings cannot be read, or declare a layout that cannot be.
    """
    if isinstance(source, Extract):
        return source
    opened: Iterable[Opened] = ()
    mappings = read_mappings(settings_file)
    if is_database(source):
        opened = [Opened(n, raw, "utf-8", 1) for n, raw in open_database(str(source)).items()]
        if any(one.name == "pupils" for one in opened):
            sources = {one.name: _held(one) for one in opened if one.name in TABLES}
            return _read_tables(source, sources, [], key_file)
    elif Path(source).is_dir() and not any(
        (Path(source) / f"pupils{ending}").is_file() for ending in ENDINGS
    ):
        opened = open_returns(Path(source))
    reading = read_returns(opened, key_file=key_file, mappings=mappings)
    if reading is not None:
        extra = _pupils_in_no_enrolment(reading.frames)
        problems = reading.problems + extra
        return _extract(source, reading.frames, problems, reading.rejects, reading.counts)
    if is_database(source):
        raise DataError(
            "The database holds no table of pupils and no return that names them. "
            "Give the user rights on the tables, or check the schema."
        )
    return _read_tables(source, *_find_sources(Path(source)), key_file)


def _read_tables(
    source: str | Path,
    sources: dict[str, Callable[[], Opened]],
    extra: list[Problem],
    key_file: Path,
) -> Extract:
    """Read one source per table."""
    problems: list[Problem] = []
    rejects: list[pd.DataFrame] = []
    frames: dict[str, pd.DataFrame] = {}
    counts = []
    pupils: pd.CategoricalDtype | None = None
    names = sorted(sources, key=lambda name: (name not in READ_FIRST, name))
    for name in track(names, "Reading tables"):
        file, raw, encoding, first_row = sources[name]()
        checks = RowChecks(file, first_row, raw)
        extra += encoding_warning(file, encoding)
        frame = read_table(
            TABLES[name],
            checks,
            pupils,
            calendar=frames.get("calendar"),
            key_file=key_file,
            schools=frames["schools"]["school_id"] if "schools" in frames else None,
        )
        if name == "pupils":
            pupils = pd.CategoricalDtype(pd.Index(sorted(frame["pupil_id"]), dtype="str"))
        if pupils is not None and "pupil_id" in frame:
            frame = frame.assign(pupil_id=frame["pupil_id"].astype(pupils))
        if not checks.in_order:
            frame = in_order(TABLES[name], frame)
        frames[name] = frame.reset_index(drop=True)
        merged = int(checks.merged.sum())
        aside = len(raw) - len(frame) - merged
        counts.append(RowCount(file, name, len(raw), len(frame), aside, merged, 0))
        # the raw rows are let go of here
        problems += checks.problems
        rejects.append(checks.rejects())
        del raw, checks, frame
    extra += _pupils_in_no_enrolment(frames)
    return _extract(source, frames, problems + extra, rejects, counts)


def _extract(
    source: str | Path,
    frames: dict[str, pd.DataFrame],
    problems: list[Problem],
    rejects: list[pd.DataFrame],
    counts: list[RowCount],
) -> Extract:
    return Extract(
        tables=Tables(frames),
        problems=problems_frame(problems + _dates_far_off(frames) + _ends_early(frames)),
        rejects=pd.concat([r for r in rejects if len(r)], ignore_index=True)
        if any(len(r) for r in rejects)
        else pd.DataFrame(columns=REJECT_COLUMNS),
        reconciliation=pd.DataFrame(
            counts,
            columns=list(RowCount._fields),
        ),
        digest=_digest(frames),
        source=source,
    )


def _find_sources(
    source: Path,
) -> tuple[dict[str, Callable[[], Opened]], list[Problem]]:
    """Return what opens each table, and notes on files that are left alone."""
    if source.is_file() and is_mvad(source):
        frames = read_mvad(source)
        return {name: _held(Opened(source.name, f, "utf-8", 2)) for name, f in frames.items()}, []
    if source.is_file():
        raise DataError(
            f"{source}: is a file, and extracts are a folder of files. Name the folder that holds it."
        )
    if not source.is_dir():
        raise DataError(f"{source}: there is no such folder of extracts. Check the path.")
    found: dict[str, Path] = {}
    notes = []
    for path in sorted(source.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        if path.suffix.lower() not in ENDINGS:
            notes.append(
                Problem(
                    path.name,
                    "ignored_file",
                    f"{path.name}: is neither CSV nor Parquet "
                    "and was not read. Export it as CSV if it holds facts.",
                )
            )
            continue
        if path.stem not in TABLES:
            raise DataError(
                f"{path.name}: no table has this name.{guess(path.stem, list(TABLES))} "
                "Rename the file or move it out of the folder."
            )
        if path.stem in found:
            raise DataError(
                f"{path.name}: {found[path.stem].name} holds the same table. Keep one of the two."
            )
        found[path.stem] = path
    _check_found(source, found)
    return {name: _opener(path) for name, path in found.items()}, notes


def _held(source: Opened) -> Callable[[], Opened]:
    return lambda: source


def _opener(path: Path) -> Callable[[], Opened]:
    first_row = 2 if path.suffix.lower() == ".csv" else 1
    return lambda: Opened(path.name, *open_table(path), first_row)


def _check_found(source: Path, found: dict[str, Path]) -> None:
    if not found:
        raise DataError(
            f"{source}: the folder is empty of tables. Put pupils.csv or pupils.parquet and the "
            f"others in it: {', '.join(TABLES)}."
        )
    if "pupils" not in found:
        raise DataError(
            f"{source}: there is no pupils.csv or pupils.parquet. Found: "
            f"{', '.join(path.name for path in found.values())}. Add the table of pupils."
        )


def _pupils_in_no_enrolment(frames: dict[str, pd.DataFrame]) -> list[Problem]:
    if "enrolments" not in frames:
        return []
    pupils = frames["pupils"]["pupil_id"]
    lost = pupils[~pupils.isin(frames["enrolments"]["pupil_id"])]
    return [
        Problem(
            "pupils",
            "no_enrolment",
            f"pupils: pupil {pupil} is in no enrolment, so on no list. Add the enrolment.",
        )
        for pupil in lost[:20]
    ] + (
        [
            Problem(
                "pupils",
                "no_enrolment",
                f"pupils: {len(lost) - 20} more pupils are in no enrolment.",
            )
        ]
        if len(lost) > 20
        else []
    )


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
