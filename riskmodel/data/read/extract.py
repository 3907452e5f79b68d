"""From a folder of extracts to tables; nothing is lost on the way.

In:  a folder with one file per table, or a file that is recognised by its content.
Out: :class:`Extract`: tables, problems, rejected rows, and a reconciliation that balances.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmodel.data.identity import DEFAULT_KEY_FILE, load_key, pseudonyms, upn_check_letters
from riskmodel.data.read.convert import convert_column, fill_not_known
from riskmodel.data.read.files import open_table
from riskmodel.data.read.mvad import is_mvad, read_mvad
from riskmodel.data.read.problems import PROBLEM_COLUMNS, REJECT_COLUMNS, Ledger
from riskmodel.data.read.rules import check_rows, in_order
from riskmodel.data.schema import TABLES, Column, Table
from riskmodel.data.tables import Tables
from riskmodel.errors import DataError
from riskmodel.progress import track

__all__ = ["Extract", "read"]

ENDINGS = (".parquet", ".csv")

PERSONAL = {"pupil_id", "birth_month"}
"""Columns whose values no message shows."""


class _Source(NamedTuple):
    """One table as a file holds it."""

    file: str
    raw: pd.DataFrame
    encoding: str
    first_row: int


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What was read.

    Attributes
    ----------
    tables : Tables
        The facts, in a fixed order whatever the order of the files' rows.
    problems : DataFrame
        ``file, row, column, value, rule, severity, message``; ``error`` rows were set aside.
    rejects : DataFrame
        ``file, row, reason, record``: every row that was set aside, whole.
    reconciliation : DataFrame
        ``file, table, rows_read, rows_kept, rows_rejected``; read = kept + rejected.
    digest : str
        BLAKE2b of the tables' contents.
    """

    tables: Tables = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    rejects: pd.DataFrame = field(repr=False)
    reconciliation: pd.DataFrame
    digest: str


def read(source: str | Path, *, key_file: Path = DEFAULT_KEY_FILE) -> Extract:
    """Read extracts.

    Parameters
    ----------
    source : str or Path
        A folder with ``<table>.parquet`` or ``<table>.csv``, or the file of the 1993 cohort.
    key_file : Path
        Key of the pseudonyms; used, and made, only where a file holds UPNs.

    Returns
    -------
    Extract
        Tables, problems, rejects, reconciliation.

    Raises
    ------
    DataError
        If the folder or a file cannot be used at all; bad rows alone are set aside.
    """
    sources, extra = _find_sources(Path(source))
    ledgers: list[Ledger] = []
    frames: dict[str, pd.DataFrame] = {}
    counts = []
    pupils: pd.CategoricalDtype | None = None
    names = sorted(sources, key=lambda name: (name not in {"pupils", "calendar"}, name))
    for name in track(names, "Reading tables"):
        file, raw, encoding, first_row = sources[name]()
        ledger = Ledger(file, first_row, raw)
        if encoding != "utf-8":
            extra.append(_note(file, "encoding", f"{file}: is not UTF-8; it was read as {encoding}. "
                               "Check names with accents, or export as UTF-8."))  # fmt: skip
        frame = _read_table(TABLES[name], ledger, pupils, frames.get("calendar"), key_file)
        if name == "pupils":
            pupils = pd.CategoricalDtype(pd.Index(sorted(frame["pupil_id"]), dtype="str"))
        if pupils is not None and "pupil_id" in frame:
            frame = frame.assign(pupil_id=frame["pupil_id"].astype(pupils))
        frames[name] = in_order(TABLES[name], frame)
        counts.append((file, name, len(raw), len(frame), len(raw) - len(frame)))
        ledgers.append(ledger)
    extra += _pupils_in_no_enrolment(frames)
    problems = [row for ledger in ledgers for row in ledger.problems] + extra
    rejects = [ledger.rejects() for ledger in ledgers]
    return Extract(
        tables=Tables(frames),
        problems=pd.DataFrame(problems, columns=PROBLEM_COLUMNS),
        rejects=pd.concat([r for r in rejects if len(r)], ignore_index=True)
        if any(len(r) for r in rejects)
        else pd.DataFrame(columns=REJECT_COLUMNS),
        reconciliation=pd.DataFrame(
            counts, columns=["file", "table", "rows_read", "rows_kept", "rows_rejected"]
        ),
        digest=_digest(frames),
    )


def _note(file: str, rule: str, message: str) -> dict[str, object]:
    values = (file, None, "", "", rule, "warning", message)
    return dict(zip(PROBLEM_COLUMNS, values, strict=True))


def _find_sources(
    source: Path,
) -> tuple[dict[str, Callable[[], _Source]], list[dict[str, object]]]:
    """Return what opens each table, and notes on files that are left alone."""
    if source.is_file() and is_mvad(source):
        frames = read_mvad(source)
        return {name: _held(_Source(source.name, f, "utf-8", 2)) for name, f in frames.items()}, []
    if not source.is_dir():
        raise DataError(f"{source}: there is no such folder of extracts. Check the path.")
    found: dict[str, Path] = {}
    notes = []
    for path in sorted(source.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        if path.suffix.lower() not in ENDINGS:
            notes.append(_note(path.name, "ignored_file", f"{path.name}: is neither CSV nor Parquet "
                               "and was not read. Export it as CSV if it holds facts."))  # fmt: skip
            continue
        if path.stem not in TABLES:
            raise DataError(
                f"{path.name}: no table has this name.{_guess(path.stem, list(TABLES))} "
                "Rename the file or move it out of the folder."
            )
        if path.stem in found:
            raise DataError(
                f"{path.name}: {found[path.stem].name} holds the same table. Keep one of the two."
            )
        found[path.stem] = path
    _check_found(source, found)
    return {name: _opener(path) for name, path in found.items()}, notes


def _held(source: _Source) -> Callable[[], _Source]:
    return lambda: source


def _opener(path: Path) -> Callable[[], _Source]:
    first_row = 2 if path.suffix.lower() == ".csv" else 1
    return lambda: _Source(path.name, *open_table(path), first_row)


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


def _guess(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def _read_table(
    table: Table,
    ledger: Ledger,
    pupils: pd.CategoricalDtype | None,
    calendar: pd.DataFrame | None,
    key_file: Path,
) -> pd.DataFrame:
    """Convert and check one table; rows that break a rule are set aside in the ledger."""
    raw = ledger.raw
    if "upn" in raw and "pupil_id" not in raw and "pupil_id" in table.names:
        raw = _replace_upn(raw, ledger, key_file)
    _check_columns(table, raw, ledger.file)
    columns = {}
    for column in table.columns:
        columns[column.name] = _read_column(raw, column, ledger, pupils, table)
    frame = pd.DataFrame(columns, copy=False)
    frame = _fill_recorded(table, frame)
    check_rows(table, frame, ledger, calendar)
    kept = frame[ledger.kept] if not ledger.kept.all() else frame
    integers = {c.name: "int64" for c in table.columns if c.kind == "integer"}
    return kept.astype(integers)


def _replace_upn(raw: pd.DataFrame, ledger: Ledger, key_file: Path) -> pd.DataFrame:
    distinct = pd.Series(raw["upn"].dropna().unique()).astype("str")
    upn = distinct.str.strip().str.upper()
    told = raw["upn"].map(dict(zip(distinct, upn_check_letters(upn), strict=True))).astype("object")
    names = raw["upn"].map(dict(zip(distinct, pseudonyms(upn, load_key(key_file)), strict=True)))
    first = raw["upn"].astype("str").str.strip().str.slice(0, 1).str.upper().astype("object")
    there = raw["upn"].notna().to_numpy()
    formed = told.notna().to_numpy()
    ledger.note(
        there & ~formed, "upn_form", "upn",
        "the UPN is not a letter, 11 digits and a digit or letter. Correct it at the school.",
        show_value=False,
    )  # fmt: skip
    ledger.note(
        there & formed & (first != told).to_numpy(), "upn_check_letter", "upn",
        "the UPN has a wrong check letter; its other characters ask for {hint}. Correct it at the "
        "school.", show_value=False, hint=told,
    )  # fmt: skip
    return raw.drop(columns="upn").assign(pupil_id=names.astype("str"))


def _check_columns(table: Table, raw: pd.DataFrame, file: str) -> None:
    found = ", ".join(map(str, raw.columns))
    unknown = [str(name) for name in raw.columns if name not in table.names]
    if unknown:
        raise DataError(
            f"{file}: unknown column '{unknown[0]}'.{_guess(unknown[0], table.names)} Rename the "
            f"column or take it out of the extract. Known: {', '.join(table.names)}."
        )
    filled = {"recorded_on"} if table.event else set()
    missing = [
        c.name for c in table.columns if c.required and c.name not in raw and c.name not in filled
    ]
    if missing:
        raise DataError(
            f"{file}: no column '{missing[0]}'. Found: {found}. Rename or add the column."
        )


def _read_column(
    raw: pd.DataFrame,
    column: Column,
    ledger: Ledger,
    pupils: pd.CategoricalDtype | None,
    table: Table,
) -> pd.Series:
    if column.name not in raw:
        nothing = pd.Categorical.from_codes(
            np.full(len(raw), -1), categories=pd.Index([], dtype="str")
        )
        values, _, _ = convert_column(pd.Series(nothing, index=raw.index), column)
        return fill_not_known(values) if column.unknown_is_group else values
    values, bad, rule = convert_column(raw[column.name], column, pupils)
    keep = column.unknown_is_group or (column.nullable and column.kind == "code")
    shown = column.name not in PERSONAL
    value = f"{column.name} '{{value}}'" if shown else f"this {column.name}"
    remedies = {
        "unknown_code": f"{value} is not a known code. "
        + ("It counts as not known." if keep else f"Use one of {_some(column.allowed)}."),
        "bad_date": f"{value} is not a date between 1950 and 2100. Write YYYY-MM-DD.",
        "bad_number": f"{value} is not {_range(column)}. Correct it.",
        "unknown_pupil": f"{value} is not in the table of pupils. Add the pupil, or correct it.",
        "bad_text": f"{value} cannot be read. Correct it.",
    }
    ledger.note(bad, rule, column.name, remedies[rule], set_aside=not keep,
                show_value=shown)  # fmt: skip
    return fill_not_known(values) if column.unknown_is_group else values


def _some(codes: tuple[str, ...]) -> str:
    return ", ".join(codes[:12]) + (" and others" if len(codes) > 12 else "")


def _range(column: Column) -> str:
    kind = "a whole number" if column.kind == "integer" else "a number"
    return f"{kind} from {column.low:g} to {column.high:g}" if np.isfinite(column.low) else kind


def _fill_recorded(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Date what has no recorded_on by the table's stated lag."""
    lag = pd.Timedelta(days=table.lag_days)
    filled = {}
    if table.event and frame["recorded_on"].isna().any():
        filled["recorded_on"] = frame["recorded_on"].fillna(frame[table.event] + lag)
    if "end_recorded_on" in frame:
        end = frame["leaving_date" if "leaving_date" in frame else "end_date"]
        recorded = filled.get("recorded_on", frame["recorded_on"])
        known = frame["end_recorded_on"].fillna(
            pd.concat([end + lag, recorded], axis=1).max(axis=1).where(end.notna())
        )
        filled["end_recorded_on"] = known.where(end.notna()).astype("datetime64[s]")
    return frame.assign(**{name: v.astype("datetime64[s]") for name, v in filled.items()})


def _pupils_in_no_enrolment(frames: dict[str, pd.DataFrame]) -> list[dict[str, object]]:
    if "enrolments" not in frames:
        return []
    pupils = frames["pupils"]["pupil_id"]
    lost = pupils[~pupils.isin(frames["enrolments"]["pupil_id"])]
    return [
        _note("pupils", "no_enrolment",
              f"pupils: pupil {pupil} is in no enrolment, so on no list. Add the enrolment.")
        for pupil in lost[:20]
    ] + ([_note("pupils", "no_enrolment", f"pupils: {len(lost) - 20} more pupils are in no enrolment.")]
         if len(lost) > 20 else [])  # fmt: skip


def _digest(frames: dict[str, pd.DataFrame]) -> str:
    """Return a digest of contents; the order of rows in the files does not matter."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(frames):
        digest.update(name.encode())
        for column in frames[name]:
            values = frames[name][column]
            if isinstance(values.dtype, pd.CategoricalDtype):
                digest.update("\n".join(values.cat.categories).encode())
                digest.update(values.cat.codes.to_numpy().tobytes())
            elif values.dtype == "str":
                digest.update("\n".join(values.fillna("").tolist()).encode())
            else:
                digest.update(values.to_numpy().tobytes())
    return digest.hexdigest()
