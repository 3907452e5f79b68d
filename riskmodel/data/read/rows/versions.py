"""Rows of one key: which are equal, which contradict each other, and from when each counts.

In:  typed rows of a table.
Out: the rows that a table holds, and a verdict on every other row with the row it is compared to.

The rule: what was received later counts from the day it was received; until then what was received
earlier counts. So a table holds both, each with its ``recorded_on``. Of two rows received on one day
one is kept, and which one follows from their values, never from their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import code_set
from riskmodel.data.columns import Table
from riskmodel.data.schema import NOT_KNOWN

__all__ = ["CONFLICTING", "KEPT", "MERGED", "WHEN", "Settled", "settle"]

KEPT, MERGED, CONFLICTING = range(3)
"""Verdicts: of use, equal to another row, or in contradiction to one."""

WHEN = {"recorded_on", "end_recorded_on", "first_language_recorded_on"}
"""Columns with the day on which a fact was known. They are no part of the fact."""

ENDS = {"end_date", "leaving_date"}
"""Columns in which a missing value has a meaning of its own: it goes on."""

GIVES_WAY = {"N": 1, "D": 2}
"""Marks that give way to any other mark received on the same day: no reason yet, at the other school.
A mark that counts as no possible half-day gives way as D does."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of rows.

    Attributes
    ----------
    rows : DataFrame
        Rows that the table holds, in order of key and day received. What a later version leaves empty
        is filled from the one before.
    verdict : int array of shape (n_rows,)
        :data:`KEPT`, :data:`MERGED` or :data:`CONFLICTING`, in the order the rows came.
    held : bool array of shape (n_rows,)
        Rows that the table holds; a row in conflict may be one of them.
    other : int array of shape (n_rows,)
        Place of the row that a row equals or contradicts; -1 for rows of use.
    column : object array of shape (n_rows,)
        First column in which a row contradicts the other; empty for the others.
    """

    rows: pd.DataFrame
    verdict: Ints
    held: NDArray[np.bool_]
    other: Ints
    column: NDArray[np.object_]


def settle(
    table: Table, frame: pd.DataFrame, key: Ints, compared: list[str] | None = None
) -> Settled:
    """Compare the rows that share a key.

    Parameters
    ----------
    table : Table
        Declaration of the table.
    frame : DataFrame
        Typed rows.
    key : int array of shape (n_rows,)
        Number of each row's key.
    compared : list of str, optional
        Columns that are compared; all but the key and the days of knowing where left out.

    Returns
    -------
    Settled
        Rows and verdicts.

    Examples
    --------
    >>> from riskmodel.data import TABLES
    >>> rows = pd.DataFrame({
    ...     "mark": pd.Categorical(["N", "I", "I"]),
    ...     "recorded_on": pd.to_datetime(["2025-03-03", "2025-03-06", "2025-03-07"]),
    ... })
    >>> settled = settle(TABLES["sessions"], rows, np.zeros(3, np.int64), ["mark"])
    >>> settled.rows["mark"].tolist(), settled.verdict.tolist(), settled.other.tolist()
    (['N', 'I'], [0, 2, 1], [-1, 0, 1])
    """
    compared = compared or [
        c for c in table.names if c not in table.key and c not in WHEN and c in frame
    ]
    codes = _codes(frame, compared)
    when = np.zeros(len(frame), dtype=np.int64)
    if "recorded_on" in frame:
        when = frame["recorded_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    rest = [c for c in table.names if c not in {*table.key, *compared} and c in frame]
    order = _order(table, frame, np.column_stack([codes, _codes(frame, rest)]), key, when)
    made = _compare(codes[order], key[order], when[order], np.isin(compared, list(ENDS)))
    place = np.full(len(frame), -1)
    place[order] = np.where(made.other >= 0, order[made.other], -1)
    verdict, column, held = (
        *map(np.empty_like, (made.verdict, made.column)),
        np.empty_like(made.held),
    )
    verdict[order], held[order], column[order] = made.verdict, made.held, made.column
    rows = frame.iloc[order[made.held]].copy()
    for number, name in enumerate(compared):
        filled = order[made.filled[made.held, number]]
        rows[name] = frame[name].array[filled]
        if name in ENDS and "end_recorded_on" in frame:
            rows["end_recorded_on"] = frame["end_recorded_on"].array[filled]
    names = np.array(["", *compared], dtype=object)
    return Settled(rows=rows, verdict=verdict, held=held, other=place, column=names[column])


def _codes(frame: pd.DataFrame, compared: list[str]) -> Ints:
    """Return values as numbers in their order; -1 where a row has no value."""
    columns = []
    for name in compared:
        values = frame[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            numbers = values.cat.codes.to_numpy().astype(np.int64)
            numbers[(values == NOT_KNOWN).to_numpy()] = -1
        else:
            numbers = pd.factorize(values, sort=True)[0].astype(np.int64)
        columns.append(numbers)
    return np.column_stack(columns) if columns else np.zeros((len(frame), 0), dtype=np.int64)


def _order(table: Table, frame: pd.DataFrame, codes: Ints, key: Ints, when: Ints) -> Ints:
    """Return the order by key and day; on one day the fullest row comes first, then its values decide.

    All columns take part, so that no place in a file decides.
    """
    by = [*codes.T[::-1], (codes < 0).sum(axis=1)]
    if table.name == "sessions":
        by.append(_gives_way(frame["mark"]))
    return np.lexsort([*by, when, key])


def _gives_way(marks: pd.Series) -> Ints:
    """Return how readily each mark gives way to another one of the same half-day."""
    families = code_set("marks")["family"]
    rank = dict.fromkeys(families.index[families == "not_possible"], 2) | GIVES_WAY
    return marks.astype("object").map(rank).fillna(0).to_numpy(dtype=np.int64)


@dataclass(frozen=True)
class _Compared:
    """Verdicts on rows in order; ``filled`` is the row from which each value comes."""

    verdict: Ints
    held: NDArray[np.bool_]
    other: Ints
    column: Ints
    filled: Ints


def _compare(codes: Ints, key: Ints, when: Ints, is_end: NDArray[np.bool_]) -> _Compared:
    """Compare rows in order: with the first of their day, and the first of each day with the day before."""
    n = len(codes)
    new_key = np.append(True, key[1:] != key[:-1])[:n]
    first = new_key | np.append(True, when[1:] != when[:-1])[:n]
    place = np.arange(n)
    leader = np.maximum.accumulate(np.where(first, place, 0))
    verdict, other = np.full(n, KEPT), np.full(n, -1)
    # of one day: against its first row
    against = _differ(codes, codes[leader])
    fills = ((codes >= 0) & (codes[leader] < 0)).any(axis=1)
    rest = ~first
    clash = rest & against.any(axis=1)
    verdict[rest & ~clash & ~fills], verdict[clash] = MERGED, CONFLICTING
    other[rest] = leader[rest]
    repeats = rest & np.append(False, (codes[1:] == codes[:-1]).all(axis=1))[:n]
    same_as_first = np.maximum.accumulate(np.where(repeats, 0, place))
    verdict[repeats], other[repeats] = MERGED, same_as_first[repeats]
    column = np.where(clash & ~repeats, against.argmax(axis=1) + 1 if codes.shape[1] else 0, 0)
    usable = np.where((clash | (codes < 0).T).T, -1, place[:, None])
    day = np.cumsum(first)
    of_day = pd.DataFrame(usable).mask(usable < 0).groupby(day).first()
    source = of_day.fillna(-1).to_numpy().astype(np.int64)[day - 1]
    filled_in = np.where(source >= 0, np.take_along_axis(codes, np.maximum(source, 0), axis=0), -1)
    against = _differ(codes, filled_in)
    clash = (
        ~clash & ~repeats & against.any(axis=1)
    )  # two rows fill one gap, each with its own value
    verdict[clash] = CONFLICTING
    at = against[clash].argmax(axis=1) if codes.shape[1] else np.zeros(0, dtype=np.int64)
    column[clash], other[clash] = at + 1, source[clash, at]
    # from day to day: what a row leaves empty stays as it was, but a missing end means that it goes on
    days = np.flatnonzero(first)
    group = np.cumsum(new_key)[days]
    carried = np.where(is_end, of_day, of_day.groupby(group).ffill())
    source = np.nan_to_num(carried, nan=-1).astype(np.int64)
    state = np.where(source >= 0, np.take_along_axis(codes, np.maximum(source, 0), axis=0), -1)
    before = np.roll(state, 1, axis=0)
    follows = ~new_key[days]
    same = follows & (state == before).all(axis=1)
    clashes = (state != before) & (before >= 0)
    turned = follows & clashes.any(axis=1)
    verdict[days[same]], verdict[days[turned]] = MERGED, CONFLICTING
    if codes.shape[1]:
        column[days[turned]] = clashes[turned].argmax(axis=1) + 1
    held = np.zeros(n, dtype=bool)
    held[days[~same]] = True
    last = np.maximum.accumulate(np.where(~same, days, 0)) if len(days) else days
    other[days[same | turned]] = np.roll(last, 1)[same | turned]
    filled = np.zeros_like(codes)
    filled[days] = np.where(source >= 0, source, days[:, None])
    return _Compared(verdict, held, other, column, filled)


def _differ(one: Ints, other: Ints) -> NDArray[np.bool_]:
    """Return where both have a value, and not the same."""
    return (one != other) & (one >= 0) & (other >= 0)
