"""Facts of a file that the analyst's own sections are about, in the shape in which other sources give them.

In:  sections of ``riskmodel.toml``, and the rows of a file.
Out: a source; each distinct value of a declared column is converted once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from riskmodel.data.columns import Column
from riskmodel.data.read.mapping import ColumnMapping, in_python
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.faults import OTHER_FORMAT
from riskmodel.data.read.rows.tidy import distinct_texts, recoded
from riskmodel.data.read.sources.exclusions import half_days_of
from riskmodel.data.read.sources.source import Context, Facts, Source, plain
from riskmodel.data.schema import TABLES
from riskmodel.data.year_groups import year_group_by_age
from riskmodel.errors import RequestError

__all__ = ["in_days", "mapped_source"]


def in_days(ours: Column, theirs: str) -> bool:
    """Return whether a column of a file counts days where the table counts half-days.

    Parameters
    ----------
    ours : Column
        Column of the table.
    theirs : str
        Name of the column of the file.

    Returns
    -------
    bool
        By the name alone.

    Examples
    --------
    >>> length = TABLES["suspensions"]["sessions"]
    >>> in_days(length, "Days lost"), in_days(length, "Half-days")
    (True, False)
    >>> in_days(length, "Sessions (1/2 days)")
    False
    """
    name = plain(theirs)
    is_halved = any(word in name for word in ("half", "session", "12days"))
    return ours.unit == "half-days" and "days" in name and not is_halved


def mapped_source(mappings: Sequence[ColumnMapping]) -> Source:
    """Return the source of a file that one or several sections are about.

    Parameters
    ----------
    mappings : sequence of ColumnMapping
        At least one; each makes a table of its own from the file.

    Returns
    -------
    Source
        As any other source of :mod:`riskmodel.data.read.sources`.

    Raises
    ------
    RequestError
        If two sections take the pupil from different columns, or make the same table, or nothing gives
        the year groups of enrolments.
    """
    pupil = {plain(one.columns["pupil_id"]) for one in mappings if "pupil_id" in one.columns}
    names = [one.table.name for one in mappings]
    if len(pupil) > 1 or len(set(names)) < len(names):
        raise RequestError(
            f"{mappings[1].where} is about the same files as {mappings[0].where}, and "
            + (
                "takes the pupil from another column."
                if len(pupil) > 1
                else "makes the same table."
            )
            + " Give each a pattern of file names of its own."
        )
    given = {(one.table.name, ours) for one in mappings for ours in (*one.columns, *one.fixed)}
    rolls = [one for one in mappings if one.table.name == "enrolments"]
    if rolls and not {("enrolments", "year_group"), ("pupils", "birth_month")} & given:
        raise RequestError(
            f"{rolls[0].where}: nothing gives the year group at entry. Write year_group in "
            f"[sources.{rolls[0].name}.columns], or add a section with the table pupils and birth_month "
            "for the same files: the year group then follows from the age."
        )
    return Source(
        name=", ".join(f"[sources.{one.name}]" for one in mappings),
        columns=frozenset().union(*(one.needed for one in mappings)),
        facts=partial(_facts, tuple(mappings)),
        upn=next(iter(pupil), ""),
        names_pupils="pupils" in names,
    )


def _facts(mappings: tuple[ColumnMapping, ...], frame: pd.DataFrame, context: Context) -> Facts:
    facts: dict[str, pd.DataFrame] = {}
    for mapping in mappings:
        made = pd.DataFrame(
            {ours: _column(mapping, ours, frame) for ours in mapping.columns}, index=frame.index
        ).assign(**mapping.fixed)
        empty = [one.name for one in mapping.table.columns if one.required and one.nullable]
        made = made.reindex(columns=[*made, *(name for name in empty if name not in made)])
        facts |= _shaped(mapping.table.name, made)
    if "enrolments" in facts and "year_group" not in facts["enrolments"]:
        rolls, born = facts["enrolments"], read_dates(facts["pupils"]["birth_month"])
        by_age = year_group_by_age(born, read_dates(rolls["entry_date"]))
        facts["enrolments"] = rolls.assign(year_group=by_age)
    return facts


def _column(mapping: ColumnMapping, ours: str, frame: pd.DataFrame) -> pd.Series:
    """Return a column of the table, still to be checked; a declared code counts before all else."""
    if ours == "pupil_id":
        return frame["pupil_id"]
    values = frame[plain(mapping.columns[ours])]
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = _as_text(values)
    distinct = distinct_texts(text)
    changed: dict[str, str | None] = {}
    if in_days(mapping.table[ours], mapping.columns[ours]):
        changed = dict(zip(distinct, half_days_of(distinct).astype("str"), strict=True))
    elif mapping.table[ours].kind == "date" and mapping.dates:
        changed = _dated(distinct, mapping.dates)
    codes = mapping.codes.get(ours, {})
    keys = {one: one.strip().lower() for one in distinct}
    changed |= {one: codes[key] for one, key in keys.items() if key in codes}
    return recoded(text, changed) if changed else values


def _as_text(values: pd.Series) -> pd.Series:
    """Return a column as categories of text."""
    if isinstance(values.dtype, pd.CategoricalDtype) and values.cat.categories.dtype == "str":
        return values
    return values.astype("object").astype("str").where(values.notna()).astype("category")


def _dated(distinct: pd.Series, form: str) -> dict[str, str | None]:
    """Return days of one format, or year first; another value gets its fault, and is set aside."""
    text = distinct.str.strip()
    days = pd.to_datetime(text, format=in_python(form), errors="coerce")
    days = days.fillna(pd.to_datetime(text, format="%Y-%m-%d", errors="coerce"))
    made = days.dt.strftime("%Y-%m-%d").astype("object").fillna(text + OTHER_FORMAT)
    return {old: new for old, new in zip(distinct, made, strict=True) if old.strip()}


def _shaped(name: str, made: pd.DataFrame) -> Facts:
    """Return the facts of a table in the shape in which the sources of returns give them."""
    if name == "pupils":
        return {name: _pupils(made)}
    if name == "send":
        return _provision(made)
    return {name: made}


def _pupils(made: pd.DataFrame) -> pd.DataFrame:
    """Take the month of a day of birth; a census counts before this file."""
    if "birth_month" in made:
        born = read_dates(made["birth_month"])
        made = made.assign(
            birth_month=born.dt.strftime("%Y-%m-01").astype("object").fillna(made["birth_month"])
        )
    return made.assign(_day=np.datetime64("NaT", "s"))


def _provision(made: pd.DataFrame) -> Facts:
    """Take spells of provision: what is seen on the first day, and nothing from the day after the last.

    A day that cannot be read stays in its column, so that the reader sets the row aside.
    """
    given = made.reindex(columns=["start_date", "end_date", "recorded_on", "end_recorded_on"])
    day = given.apply(read_dates)
    unread = given.where(given.notna() & day.isna() & (given.astype("str") != ""))
    lag = pd.Timedelta(days=TABLES["send"].lag_days)
    known = day["recorded_on"].fillna(day["start_date"] + lag)
    needs = [name for name in ("primary_need", "secondary_need") if name in made]
    seen = made.drop(columns=["end_date", "end_recorded_on"], errors="ignore").assign(
        recorded_on=known.astype("object").where(
            unread["recorded_on"].isna(), given["recorded_on"]
        ),
        end_date=unread["end_date"],
        end_recorded_on=unread["end_recorded_on"],
    )
    after = day["end_date"] + pd.Timedelta(days=1)
    end_known = pd.concat([day["end_recorded_on"].fillna(after), known], axis=1).max(axis=1)
    ends = seen.assign(provision="N", start_date=after, recorded_on=end_known)
    ended = after.notna() & unread.isna().all(axis=1)
    spells = {"send": pd.concat([seen, ends[ended]]).drop(columns=needs)}
    kept = seen[unread.isna().all(axis=1)]
    return spells | (
        {"needs": kept[["pupil_id", *needs, "start_date", "recorded_on"]]} if needs else {}
    )
