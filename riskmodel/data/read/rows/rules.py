"""Rules that look at more than one value: what is missing, turned, out of force or repeated.

In:  a converted table and the checks of its file.
Out: notes in the checks; the order of rows by their key.
"""

from __future__ import annotations

import difflib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import code_set
from riskmodel.data.columns import Table
from riskmodel.data.read.rows.problems import RowChecks
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED, Settled, settle

__all__ = ["check_rows", "in_order", "repeated", "whole_numbers"]

SPANS = (
    ("entry_date", "leaving_date"),
    ("start_date", "end_date"),
    ("requested_on", "decided_on"),
    ("requested_on", "plan_on"),
)
"""Date columns of which the second never lies before the first."""

BLOCK = 2**18
"""Rows looked at in one go."""

LARGEST = 2**62
"""Packed keys stay below, so that they fit an int64."""


def check_rows(
    table: Table,
    frame: pd.DataFrame,
    checks: RowChecks,
    calendar: pd.DataFrame | None,
    *,
    unique: bool,
    schools: pd.Series | None = None,
) -> pd.DataFrame:
    """Note the rows of a converted table that break a rule.

    Parameters
    ----------
    table : Table
        Declaration of the table.
    frame : DataFrame
        Converted rows, as many as the file has.
    checks : RowChecks
        Gets the notes.
    calendar : DataFrame, optional
        School days, where the extracts hold them.
    unique : bool
        Whether a repeated key is a fault.
    schools : Series of str, shape (n_schools,), optional
        Identifiers of the schools there are, where the extracts hold them.

    Returns
    -------
    DataFrame
        The rows; where one key has several, a later one is filled from those received before.
    """
    _check_required(table, frame, checks)
    _check_spans(frame, checks)
    if table.name == "suspensions":
        checks.note(
            (frame["sessions"] % 1 > 0).to_numpy(),
            "no_half_days",
            "sessions",
            "sessions '{value}' is no whole number of half-days, of which a day has two. Correct it.",
        )
        early = (frame["reinstated_on"] < frame["start_date"]).to_numpy()
        checks.note(
            early,
            "reinstated_before_start",
            "reinstated_on",
            "reinstated_on {value} is before start_date and does not count. Correct one of the "
            "two.",
            set_aside=False,
        )
    if table.event:
        early = (frame["recorded_on"] < frame[table.event]).to_numpy()
        checks.note(
            early,
            "recorded_before_event",
            "recorded_on",
            f"recorded_on {{value}} is before {table.event}. Give the day on which the LA "
            "first knew.",
            set_aside=False,
        )
    if table.name in {"sessions", "absence_totals", "suspensions"}:
        _check_in_force(table, frame, checks)
    if table.name == "sessions" and calendar is not None:
        outside = ~frame["date"].isin(calendar["date"]).to_numpy()
        checks.note(
            outside,
            "not_a_school_day",
            "date",
            "date {value} is not a school day of the calendar. Correct it, or add the day to "
            "the calendar.",
        )
    if schools is not None and len(schools) and "school_id" in frame:
        _check_schools(frame["school_id"], schools, checks)
    return _check_duplicates(table, frame, checks) if unique else frame


def _check_required(table: Table, frame: pd.DataFrame, checks: RowChecks) -> None:
    for column in table.columns:
        if not column.nullable and not column.unknown_is_group:
            checks.note(
                frame[column.name].isna().to_numpy(),
                "missing_value",
                column.name,
                f"{column.name} is missing. Fill it in.",
                show_value=False,
            )


def _check_schools(found: pd.Series, schools: pd.Series, checks: RowChecks) -> None:
    """Note each school that the table of schools lacks once, with the nearest one that it has."""
    known = schools.astype("str").tolist()
    unknown = found[found.notna() & ~found.isin(known)].unique()
    close = {one: difflib.get_close_matches(str(one), known, n=1) for one in unknown}
    hints = {one: f" Did you mean '{ids[0]}'?" if ids else "" for one, ids in close.items()}
    checks.note(
        (found.isin(unknown) & ~found.duplicated()).to_numpy(),
        "unknown_school",
        "school_id",
        "school_id '{value}' is not in the table of schools.{hint} Correct it, or add the school.",
        set_aside=False,
        hint=found.map(hints),
    )


def _check_spans(frame: pd.DataFrame, checks: RowChecks) -> None:
    for start, end in SPANS:
        if start in frame and end in frame:
            turned = (frame[end] < frame[start]).to_numpy()
            checks.note(
                turned,
                "ends_before_start",
                end,
                f"{end} {{value}} is before {start}. Correct one of the two.",
            )


def _check_in_force(table: Table, frame: pd.DataFrame, checks: RowChecks) -> None:
    """Set aside marks on days when their code was not in force, and note such totals and reasons."""
    day = {"sessions": "date", "absence_totals": "term_end"}.get(table.name, "start_date")
    pairs = (
        [(f"reason_{i}", day, "reasons") for i in (1, 2, 3)]
        if table.name == "suspensions"
        else [("mark", day, "marks")]
    )
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
            period = "term" if day == "term_end" else "day"
            checks.note(
                uses & outside,
                "not_in_force",
                column,
                f"{column} '{{value}}' was in force only {span}. Use the code of the {period}.",
                set_aside=table.name == "sessions",
            )


def _check_duplicates(table: Table, frame: pd.DataFrame, checks: RowChecks) -> pd.DataFrame:
    """Return the rows with what versions of one key hold together; note equal and contradicting rows."""
    checks.in_order = _rises(table, frame)
    if checks.in_order:
        return frame
    shared, key = repeated(table, frame, np.flatnonzero(checks.kept))
    if not len(shared):
        return frame
    settled = settle(table, frame.iloc[shared], key)
    verdicts = np.full(len(frame), KEPT)
    verdicts[shared] = np.where(
        settled.held | (settled.verdict == CONFLICTING), settled.verdict, MERGED
    )
    held = ~np.isin(np.arange(len(frame)), shared[~settled.held])
    _note_repeats(table, checks, verdicts, held, _others(checks, shared, settled, len(frame)))
    return _filled(frame, shared[settled.held], settled.rows)


def _note_repeats(
    table: Table,
    checks: RowChecks,
    verdicts: NDArray[np.int64],
    held: NDArray[np.bool_],
    others: pd.DataFrame,
) -> None:
    key = ", ".join(table.key)
    checks.note(
        verdicts == MERGED,
        "duplicate",
        "",
        f"repeats another row ({key}), with which it was merged. Take one of them out.",
        set_aside=False,
        merged=True,
    )
    contradicts = f"says something else than row {{hint}}, another row with the same {key}. "
    checks.conflict(
        (verdicts == CONFLICTING) & ~held,
        f"{contradicts}One of them was kept; ask which is right and take the other out.",
        others,
    )
    checks.conflict(
        (verdicts == CONFLICTING) & held,
        f"{contradicts}It was received later and counts from the day after that.",
        others,
        is_later=True,
    )


def _others(checks: RowChecks, shared: NDArray[np.int64], settled: Settled, n: int) -> pd.DataFrame:
    """Return the number of the row that each row is compared to, and the column that differs."""
    row, column = np.full(n, -1), np.full(n, "", dtype=object)
    compared = settled.other >= 0
    row[shared[compared]] = checks.numbers_of(shared[settled.other[compared]])
    column[shared] = settled.column
    return pd.DataFrame({"row": row, "column": column})


def _filled(frame: pd.DataFrame, places: NDArray[np.int64], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with some rows in the place of its own; the frame itself stays as it was."""
    order = np.argsort(rows.index.to_numpy())
    changed: dict[str, pd.Series] = {}
    for name in map(str, rows):
        old, new = frame[name].iloc[places], rows[name].iloc[order]
        if not old.equals(new.set_axis(old.index)):
            changed[name] = frame[name].copy()
            changed[name].iloc[places] = new.array
    return frame.assign(**changed) if changed else frame


def repeated(
    table: Table, frame: pd.DataFrame, rows: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows that share their key with another one.

    Parameters
    ----------
    table : Table
        Declaration of the table.
    frame : DataFrame
        Typed rows.
    rows : int array of shape (n_looked_at,), optional
        Places of the rows that are looked at; all of them where left out.

    Returns
    -------
    places : int array of shape (n_found,)
        Places of the rows.
    key : int array of shape (n_found,)
        Number of the key of each.
    """
    packed = _packed(table, frame)
    rows = np.arange(len(frame)) if rows is None else rows
    found = rows[pd.Series(packed[rows]).duplicated(keep=False).to_numpy()]
    return found, packed[found]


def whole_numbers(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows that keep to the rules with the whole numbers of their table as integers.

    Parameters
    ----------
    table : Table
        Declaration of the table.
    frame : DataFrame
        Rows; no whole number is missing.

    Returns
    -------
    DataFrame
        The other columns as they were.

    Examples
    --------
    >>> from riskmodel.data.schema import TABLES
    >>> whole_numbers(TABLES["calendar"], pd.DataFrame({"half_term": [1.0]}))["half_term"].dtype
    dtype('int64')
    """
    integers = [column.name for column in table.columns if column.kind == "integer"]
    return frame.assign(**{name: frame[name].astype("int64") for name in integers})


def in_order(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Sort by the key and the day received, so that the order of a file's rows never matters.

    Parameters
    ----------
    table : Table
        Declaration of the table.
    frame : DataFrame
        Rows; those that share a key were received on different days.

    Returns
    -------
    DataFrame
        Sorted, numbered from 0.
    """
    if _rises(table, frame):
        return frame.reset_index(drop=True)
    packed = _packed(table, frame)
    order = np.argsort(packed, kind="stable")
    if "recorded_on" in frame and not np.diff(packed[order]).all():
        order = np.lexsort([frame["recorded_on"].to_numpy(), packed])
    return frame.take(order).reset_index(drop=True)


def _rises(table: Table, frame: pd.DataFrame) -> bool:
    """Whether the key rises from each row to the next, looked at in blocks that fit the cache."""
    key = frame[list(table.key)]
    if any(key[name].dtype == "str" for name in key):  # text has no number of its own in a block
        return bool((np.diff(_packed(table, key)) > 0).all())
    return all(
        bool((np.diff(_packed(table, key.iloc[first : first + BLOCK + 1])) > 0).all())
        for first in range(0, len(key), BLOCK)
    )


def _packed(table: Table, frame: pd.DataFrame) -> NDArray[np.int64]:
    """Pack the key of each row into one integer that sorts as the key does."""
    packed, size = np.zeros(len(frame), dtype=np.int64), 1
    for name in table.key:
        number = _numbered(frame[name])
        width = int(number.max(initial=0)) + 1
        if size * width >= LARGEST:  # number the keys so far anew, densely
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
            size = len(frame) + 1
        packed = packed * width + number
        size *= width
    return packed


def _numbered(values: pd.Series) -> NDArray[np.int64]:
    """Return the place of each value among the column's values; 0 for a missing one."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.to_numpy().astype(np.int64) + 1
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.to_numpy().astype("datetime64[s]").view(np.int64) // 86_400
        days += 10**5
        return np.maximum(days, 0, out=days)  # a missing day is a very low number
    return pd.factorize(values, sort=True)[0].astype(np.int64) + 1
