"""From a folder of extracts to tables; nothing is lost on the way.

In:  a folder with one file per table, or a file that is recognised by its content.
Out: :class:`Extract`: tables, problems, rejected rows, and a reconciliation that balances.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import code_set
from riskmodel.data.identity import DEFAULT_KEY_FILE, load_key, pseudonyms, upn_check_letters
from riskmodel.data.read.convert import convert_column, fill_not_known
from riskmodel.data.read.files import open_table
from riskmodel.data.read.mvad import is_mvad, read_mvad
from riskmodel.data.read.problems import PROBLEM_COLUMNS, REJECT_COLUMNS, Ledger
from riskmodel.data.schema import TABLES, Column, Table, as_codes
from riskmodel.data.tables import Tables
from riskmodel.errors import DataError
from riskmodel.progress import track

__all__ = ["Extract", "read"]

ENDINGS = (".parquet", ".csv")


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
    files = _find_files(Path(source))
    ledgers: list[Ledger] = []
    frames: dict[str, pd.DataFrame] = {}
    counts = []
    extra: list[dict[str, object]] = []
    pupils: pd.CategoricalDtype | None = None
    names = sorted(files, key=lambda name: (name not in {"pupils", "calendar"}, name))
    for name in track(names, "Reading tables"):
        file, raw, encoding, first_row = files[name]() if callable(files[name]) else files[name]
        ledger = Ledger(file, first_row, raw)
        if encoding != "utf-8":
            extra.append(_note(file, "encoding", f"{file}: is not UTF-8; it was read as {encoding}. "
                               "Check names with accents, or export as UTF-8."))  # fmt: skip
        frame = _read_table(TABLES[name], ledger, pupils, frames.get("calendar"), key_file)
        if name == "pupils":
            pupils = pd.CategoricalDtype(pd.Index(sorted(frame["pupil_id"]), dtype="str"))
        frames[name] = _in_order(TABLES[name], frame, pupils)
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


def _find_files(source: Path) -> dict:  # type: ignore[type-arg]
    """Return per table what opens it: (file, raw frame, encoding, number of the first row)."""
    if source.is_file() and is_mvad(source):
        return {name: (source.name, frame, "utf-8", 2) for name, frame in read_mvad(source).items()}
    if not source.is_dir():
        raise DataError(f"{source}: there is no such folder of extracts. Check the path.")
    found: dict[str, Path] = {}
    for path in sorted(source.iterdir()):
        if path.suffix not in ENDINGS or not path.is_file():
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

    def opener(path: Path):  # type: ignore[no-untyped-def]
        return lambda: (path.name, *open_table(path), 2 if path.suffix == ".csv" else 1)

    return {name: opener(path) for name, path in found.items()}


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
    _check_required(table, frame, ledger)
    _check_order(frame, ledger)
    if table.name in {"sessions", "suspensions"}:
        _check_in_force(table, frame, ledger)
    if table.name == "sessions" and calendar is not None:
        outside = ~frame["date"].isin(calendar["date"]).to_numpy()
        ledger.note(outside, "not_a_school_day", "date",
                    "date {value} is not a school day of the calendar. Correct it, or add the day to "
                    "the calendar.")  # fmt: skip
    _check_duplicates(table, frame, ledger)
    kept = frame[ledger.kept] if not ledger.kept.all() else frame
    integers = {c.name: "int64" for c in table.columns if c.kind == "integer"}
    return kept.astype(integers)


def _replace_upn(raw: pd.DataFrame, ledger: Ledger, key_file: Path) -> pd.DataFrame:
    upn = raw["upn"].astype("str").str.strip()
    expected = upn_check_letters(upn)
    wrong = (upn.str[0].str.upper() != expected).to_numpy() & upn.notna().to_numpy()
    ledger.note(
        wrong, "upn_check_letter", "upn",
        "the UPN has a wrong check letter or form. Correct it at the school.", show_value=False,
    )  # fmt: skip
    return raw.drop(columns="upn").assign(pupil_id=pseudonyms(upn, load_key(key_file)))


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
    values, bad, rule = convert_column(raw[column.name], column)
    if column.kind == "pupil" and pupils is not None:
        values = pd.Series(as_codes(values, list(pupils.categories)), index=raw.index)
        bad = values.isna().to_numpy() & raw[column.name].notna().to_numpy()
    keep = column.unknown_is_group or (column.nullable and column.kind == "code")
    remedies = {
        "unknown_code": f"{column.name} '{{value}}' is not a known code. "
        + ("It counts as not known." if keep else f"Use one of {_some(column.allowed)}."),
        "bad_date": f"{column.name} '{{value}}' is not a date between 1950 and 2100. Write YYYY-MM-DD.",
        "bad_number": f"{column.name} '{{value}}' is not a number from {column.low:g} to "
        f"{column.high:g}. Correct it.",
        "unknown_pupil": "this pupil_id is not in the table of pupils. Add the pupil, or correct it.",
        "bad_text": f"{column.name} cannot be read. Correct it.",
    }
    ledger.note(bad, rule, column.name, remedies[rule], set_aside=not keep,
                show_value=column.kind != "pupil")  # fmt: skip
    return fill_not_known(values) if column.unknown_is_group else values


def _some(codes: tuple[str, ...]) -> str:
    return ", ".join(codes[:12]) + (" and others" if len(codes) > 12 else "")


def _fill_recorded(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Date what has no recorded_on by the table's stated lag."""
    lag = pd.Timedelta(days=table.lag_days)
    filled = {}
    if table.event:
        filled["recorded_on"] = frame["recorded_on"].fillna(frame[table.event] + lag)
    if "end_recorded_on" in frame:
        end = frame["leaving_date" if "leaving_date" in frame else "end_date"]
        known = frame["end_recorded_on"].fillna(
            pd.concat([end + lag, filled["recorded_on"]], axis=1).max(axis=1).where(end.notna())
        )
        filled["end_recorded_on"] = known.where(end.notna()).astype("datetime64[s]")
    return frame.assign(**{name: v.astype("datetime64[s]") for name, v in filled.items()})


def _check_required(table: Table, frame: pd.DataFrame, ledger: Ledger) -> None:
    for column in table.columns:
        if not column.nullable and not column.unknown_is_group:
            ledger.note(frame[column.name].isna().to_numpy(), "missing_value", column.name,
                        f"{column.name} is missing. Fill it in.", show_value=False)  # fmt: skip


def _check_order(frame: pd.DataFrame, ledger: Ledger) -> None:
    for start, end in (("entry_date", "leaving_date"), ("start_date", "end_date")):
        if start in frame and end in frame:
            turned = (frame[end] < frame[start]).to_numpy()
            ledger.note(turned, "ends_before_start", end,
                        f"{end} {{value}} is before {start}. Correct one of the two.")  # fmt: skip


def _check_in_force(table: Table, frame: pd.DataFrame, ledger: Ledger) -> None:
    """Set aside marks on days when their code was not in force, and note such reasons."""
    pairs = [("mark", "date", "marks")] if table.name == "sessions" else [
        (f"reason_{i}", "start_date", "reasons") for i in (1, 2, 3)
    ]  # fmt: skip
    for column, date, name in pairs:
        codes = code_set(name)
        for code in codes.index[(codes["from"] != "") | (codes["to"] != "")]:
            uses = (frame[column] == code).to_numpy()
            if not uses.any():
                continue
            first, last = codes.loc[code, ["from", "to"]]
            outside = np.zeros(len(frame), dtype=bool)
            if first:
                outside |= (frame[date] < pd.Timestamp(str(first))).to_numpy()
            if last:
                outside |= (frame[date] > pd.Timestamp(str(last))).to_numpy()
            span = f"from {first}" if first else f"until {last}"
            ledger.note(uses & outside, "not_in_force", column,
                        f"{column} '{{value}}' was in force only {span}. Use the code of the day.",
                        set_aside=table.name == "sessions")  # fmt: skip


def _check_duplicates(table: Table, frame: pd.DataFrame, ledger: Ledger) -> None:
    """Keep the first row of each key; rows set aside before do not count."""
    rows = np.flatnonzero(ledger.kept)
    packed = np.zeros(len(rows), dtype=np.int64)
    for name in table.key:
        number = _numbered(frame[name])[rows]
        packed = packed * (number.max(initial=0) + 1) + number
    order = np.argsort(packed, kind="stable")
    repeats = np.zeros(len(rows), dtype=bool)
    repeats[order[1:]] = np.diff(packed[order]) == 0
    bad = np.zeros(len(frame), dtype=bool)
    bad[rows[repeats]] = True
    key = ", ".join(table.key)
    ledger.note(bad, "duplicate", "", f"repeats an earlier row ({key}). Take one of them out.")


def _numbered(values: pd.Series) -> NDArray[np.int64]:
    """Return a number per value, equal for equal values."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64) + 1
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.to_numpy().astype("datetime64[D]").astype(np.int64)
        return np.where(values.isna().to_numpy(), 0, days + 10**5)
    return pd.factorize(values)[0].astype(np.int64) + 1


def _in_order(
    table: Table, frame: pd.DataFrame, pupils: pd.CategoricalDtype | None
) -> pd.DataFrame:
    """Sort by the key, so that the order of a file's rows never matters."""
    if "pupil_id" in frame and pupils is not None:
        frame = frame.assign(pupil_id=frame["pupil_id"].astype(pupils))
    keys = [
        frame[name].to_numpy() if frame[name].dtype == "str" else _numbered(frame[name])
        for name in reversed(table.key)
    ]
    order = np.lexsort([k.astype("U") if k.dtype == object else k for k in keys])
    if (np.diff(order) == 1).all():
        return frame.reset_index(drop=True)
    return frame.take(order).reset_index(drop=True)


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
