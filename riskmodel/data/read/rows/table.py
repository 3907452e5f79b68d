"""One table of one file: converted, dated, and checked against the rules.

In:  a checks with raw rows, the declaration of the table.
Out: typed rows that keep to the rules; the others are noted in the checks.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.data.columns import Column, Table
from riskmodel.data.identity import (
    clean_upns,
    load_key,
    may_identify,
    pseudonyms,
    upn_check_letters,
)
from riskmodel.data.read.rows.convert import convert_column, fill_not_known, no_values
from riskmodel.data.read.rows.dates import settle_dates
from riskmodel.data.read.rows.problems import RowChecks
from riskmodel.data.read.rows.rules import check_rows, whole_numbers
from riskmodel.errors import DataError

__all__ = ["guess", "note_upns", "read_table"]

PERSONAL = {"pupil_id", "birth_month"}
"""Columns whose values no message shows."""


def guess(name: str, known: list[str]) -> str:
    """Return a question about the closest known name, or nothing.

    Parameters
    ----------
    name : str
        What was found.
    known : list of str
        What could be meant.

    Returns
    -------
    str
        Begins with a blank, or empty.

    Examples
    --------
    >>> guess("suspension", ["sessions", "suspensions"])
    " Did you mean 'suspensions'?"
    """
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def read_table(
    table: Table,
    checks: RowChecks,
    pupils: pd.CategoricalDtype | None,
    *,
    calendar: pd.DataFrame | None = None,
    key_file: Path | None = None,
    unique: bool = True,
    schools: pd.Series | None = None,
) -> pd.DataFrame:
    """Convert and check one table; rows that break a rule are set aside in the checks.

    Parameters
    ----------
    table : Table
        Its declaration.
    checks : RowChecks
        Raw rows; gets the notes.
    pupils : CategoricalDtype, optional
        The pupils there are; None while the table of pupils is read.
    calendar : DataFrame, optional
        School days.
    key_file : Path, optional
        Key of the pseudonyms; needed where rows carry UPNs and no pseudonyms.
    unique : bool
        Whether a repeated key is a fault; False where the same fact comes in several files.
    schools : Series of str, shape (n_schools,), optional
        Identifiers of the schools there are, by what else means them (URN, name); no school is unknown
        where left out.

    Returns
    -------
    DataFrame
        The rows kept, typed.

    Raises
    ------
    DataError
        If a column is unknown or missing.
    """
    raw = checks.raw
    if key_file and "upn" in raw and "pupil_id" not in raw and "pupil_id" in table.names:
        raw = _replace_upn(raw, checks, key_file)
    _check_columns(table, raw, checks.file)
    dates = [column.name for column in table.columns if column.kind == "date"]
    raw, problems = settle_dates(raw, dates, checks.file)
    checks.problems += problems
    columns = {}
    for column in table.columns:
        columns[column.name] = _read_column(raw, column, checks, pupils, table)
    frame = pd.DataFrame(columns, copy=False)
    frame = _fill_recorded(table, frame)
    if schools is not None and "school_id" in frame:
        meant = frame["school_id"].map(schools.to_dict()).astype("object")
        frame = frame.assign(school_id=meant.fillna(frame["school_id"]).astype("str"))
    frame = check_rows(table, frame, checks, calendar, unique=unique, schools=schools)
    kept = frame[checks.kept] if not checks.kept.all() else frame
    return whole_numbers(table, kept)


def _replace_upn(raw: pd.DataFrame, checks: RowChecks, key_file: Path) -> pd.DataFrame:
    distinct = pd.Series(raw["upn"].dropna().unique()).astype("str")
    upn = clean_upns(distinct)
    names = raw["upn"].map(dict(zip(distinct, pseudonyms(upn, load_key(key_file)), strict=True)))
    note_upns(raw["upn"], checks)
    return raw.drop(columns="upn").assign(pupil_id=names.astype("str"))


def note_upns(upns: pd.Series, checks: RowChecks) -> None:
    """Note UPNs that are not well formed; such rows are kept, for a child must not be lost by a typo.

    Parameters
    ----------
    upns : Series of shape (n_rows,)
        As the file holds them; a missing one is no fault here.
    checks : RowChecks
        Gets the notes.
    """
    distinct = pd.Series(upns.dropna().unique()).astype("str")
    clean = clean_upns(distinct)
    letters = upn_check_letters(clean)
    expected = upns.map(dict(zip(distinct, letters, strict=True))).astype("object")
    first = upns.map(dict(zip(distinct, clean.str.slice(0, 1), strict=True))).astype("object")
    there = upns.notna().to_numpy()
    formed = expected.notna().to_numpy()
    checks.note(
        there & ~formed,
        "upn_form",
        "upn",
        "the UPN is not a letter, 11 digits and a digit or letter. The row joins only to rows "
        "with the same UPN; correct it at the school.",
        set_aside=False,
        show_value=False,
    )
    checks.note(
        there & formed & (first != expected).to_numpy(),
        "upn_check_letter",
        "upn",
        "the UPN has a wrong check letter; its other characters ask for {hint}. The row joins "
        "only to rows with the same UPN; correct it at the school.",
        set_aside=False,
        show_value=False,
        hint=expected,
    )


def _check_columns(table: Table, raw: pd.DataFrame, file: str) -> None:
    found = ", ".join("(not shown)" if may_identify(str(n)) else str(n) for n in raw.columns)
    if len(raw.columns) and not raw.columns.isin([*table.names, "upn"]).any():
        raise DataError(
            f"{file}: the first line names no column of this table, so it seems to be no header. Put a "
            f"line with the names of the columns first. Known: {', '.join(table.names)}."
        )
    unknown = [str(name) for name in raw.columns if name not in table.names]
    if unknown:
        hidden = may_identify(unknown[0]) and unknown[0].lower() not in table.names
        shown = "whose name is not shown" if hidden else f"'{unknown[0]}'"
        raise DataError(
            f"{file}: unknown column {shown}.{guess(unknown[0], table.names)} Rename the "
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
    checks: RowChecks,
    pupils: pd.CategoricalDtype | None,
    table: Table,
) -> pd.Series:
    if column.name not in raw:
        values = no_values(column, raw.index)
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
    checks.note(
        bad,
        rule,
        column.name,
        remedies[rule],
        set_aside=not keep,
        show_value=shown,
        allowed=column.allowed,
    )
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
