"""Features built in this process, one day at a time.

In:  tables and a spine of (pupil, as_of).
Out: one row per spine row, one column per feature of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features.catalogue import BUILDERS, Builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.mark_counts import MarkCounts
from riskmodel.features.register import Register, make_register
from riskmodel.progress import track

__all__ = ["Peers", "build_locally", "peers_of", "usable_builders"]

WINDOWS = ((10, 0), (20, 0), (30, 0), (20, 20), (50, 0), (60, 0), (60, 190), (180, 20))
"""School days looked back on, and skipped before them, for which prefix sums are kept; others work
too, and take longer."""

DAYS_AT_A_TIME = 12
"""Days for which prefix sums are kept at a time, to bound the memory."""

Peers: TypeAlias = Mapping[pd.Timestamp, Mapping[str, pd.DataFrame]]
"""Day → numbers of everyone on a roll, by school and by year group."""


def usable_builders(tables: Tables) -> list[Builder]:
    """Return the builders whose tables are there, and no table that holds the same in more detail.

    Parameters
    ----------
    tables : Tables
        The LA's facts.

    Returns
    -------
    list of Builder
        In the order of the matrix.
    """
    return [
        one
        for one in BUILDERS
        if all(name in tables for name in one.needs)
        and not any(name in tables for name in one.unless)
    ]


def build_locally(
    tables: Tables, spine: pd.DataFrame, *, peers: Peers | None = None
) -> pd.DataFrame:
    """Return every feature whose tables are there, built in this process.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``; checked before.
    peers : mapping, optional
        From :func:`peers_of`, where ``tables`` hold only a part of the pupils.

    Returns
    -------
    DataFrame
        As :func:`riskmodel.features.build`.

    Raises
    ------
    RequestError
        If a builder returns other features than it declares.
    """
    builders = usable_builders(tables)
    names = [name for one in builders for name in one.names]
    matrix = np.full((len(spine), len(names)), np.nan, dtype=np.float32)
    for rows, known in _facts_by_day(tables, spine, peers):
        matrix[rows] = _build_day(known, builders, names)
        del known  # lets go of its prefix sums before others are made
    return pd.DataFrame(matrix, columns=names, copy=False)


def _facts_by_day(
    tables: Tables, spine: pd.DataFrame, peers: Peers | None
) -> Iterator[tuple[NDArray[np.int64], FactsAsOf]]:
    """Yield the rows of each day of the spine, with what was known on it."""
    register = make_register(tables) if "sessions" in tables else None
    as_of = spine["as_of"].to_numpy()
    days = [pd.Timestamp(day) for day in np.unique(as_of)]
    mark_counts = None
    for number, day in enumerate(track(days, "Building features")):
        if number % DAYS_AT_A_TIME == 0:
            mark_counts = None  # let go of the last sums before others are made
            mark_counts = _mark_counts(register, days[number : number + DAYS_AT_A_TIME])
        rows = np.flatnonzero(as_of == day)
        part = spine.iloc[rows].reset_index(drop=True)
        sums = None if peers is None else peers[day]
        yield rows, FactsAsOf(tables.as_known(day), day, part, register, mark_counts, sums)


def peers_of(tables: Tables, days: list[pd.Timestamp]) -> Peers:
    """Return the numbers of everyone on a roll, added up, on many days.

    This is the first pass where pupils are split into parts.

    Parameters
    ----------
    tables : Tables
        Facts of all pupils, or of a part of them.
    days : list of Timestamp
        The days.

    Returns
    -------
    dict of Timestamp to dict of str to DataFrame
        As :meth:`riskmodel.features.peer_counts.PeerCounts.add_up`; those of parts add up to those
        of all. Empty where there are no enrolments.
    """
    if "enrolments" not in tables:
        return {day: {} for day in days}
    register = make_register(tables) if "sessions" in tables else None
    mark_counts = _mark_counts(register, days)
    nobody = pd.DataFrame({"pupil_id": pd.Categorical([], dtype=tables.pupils)})
    facts = (FactsAsOf(tables.as_known(d), d, nobody, register, mark_counts) for d in days)
    return {known.as_of: known.peer_counts.add_up() for known in facts}


def _mark_counts(register: Register | None, days: list[pd.Timestamp]) -> MarkCounts | None:
    """Sum a register up between the positions that the windows of some days start and end at."""
    if register is None:
        return None
    bounds = [
        position
        for day in days
        for window in (
            *(register.window(day, n_days, skip=skip) for n_days, skip in WINDOWS),
            *(register.term(day, back=back) for back in (0, 1)),
            register.year(day),
        )
        for position in (window.start, window.stop)
    ]
    return MarkCounts(register, np.unique(np.array([0, *bounds], dtype=np.int64)))


def _build_day(known: FactsAsOf, builders: list[Builder], names: list[str]) -> NDArray[np.float32]:
    columns: dict[str, NDArray[np.float64]] = {}
    for one in builders:
        made = one.make(known)
        if set(made) != set(one.names):
            wrong = sorted(set(made) ^ set(one.names))
            raise RequestError(
                f"The builder {one.make.__name__} returned other features than it declares: "
                f"{', '.join(wrong)}. Declare what it returns."
            )
        columns.update(made)
    matrix = np.empty((len(known.spine), len(names)), dtype=np.float32)
    for number, name in enumerate(names):
        matrix[:, number] = columns[name]
    return matrix
