"""From facts and a spine to the feature matrix, one day at a time.

In:  tables and a spine of (pupil, as_of).
Out: one row per spine row, one column per feature of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features.catalogue import BUILDERS, Builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.mark_counts import MarkCounts
from riskmodel.features.peers import count_peers
from riskmodel.features.register import Register, make_register
from riskmodel.progress import track

__all__ = ["Peers", "build", "peers_of"]

SPINE = ("pupil_id", "as_of", "school_id", "year_group")

WINDOWS = ((10, 0), (20, 0), (30, 0), (20, 20), (50, 0), (60, 0), (60, 190), (180, 20), (200, 0))
"""School days looked back on, and skipped before them, for which prefix sums are kept; others work
too, and take longer."""

DAYS_AT_A_TIME = 12
"""Days for which prefix sums are kept at a time, to bound the memory."""

Peers: TypeAlias = Mapping[pd.Timestamp, Mapping[str, pd.DataFrame]]
"""Day → numbers of everyone on a roll, by school and by year group."""


def build(
    tables: Tables,
    spine: pd.DataFrame,
    *,
    peers: Peers | None = None,
    engine: Literal["local", "spark"] = "local",
) -> pd.DataFrame:
    """Build every feature whose tables are there.

    Parameters
    ----------
    tables : Tables
        The LA's facts. For each ``as_of``, builders are handed only what was recorded before it.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``; no pupil twice on one day.
    peers : mapping, optional
        From :func:`peers_of`, where ``tables`` hold only a part of the pupils; counted from ``tables``
        where left out.
    engine : str
        ``"local"``, or ``"spark"`` for the same values from PySpark (the extra ``riskmodel[spark]``, Java
        17), pupils split into parts.

    Returns
    -------
    DataFrame
        float32, one row per spine row in its order, columns in the catalogue's order. Missing
        means missing; 0 only where the absence of a fact means zero.

    Raises
    ------
    RequestError
        If a column of the spine is missing, a pupil stands twice on one day, or the pupils are not
        those of the tables.
    """
    _check_spine(tables, spine)
    builders = [b for b in BUILDERS if all(name in tables for name in b.needs)]
    names = [name for b in builders for name in b.names]
    if engine == "spark":
        from riskmodel.features.build_spark import map_parts

        made = map_parts(tables, spine, lambda part: part.to_numpy())
        return pd.DataFrame(made, columns=names, copy=False)
    days = [pd.Timestamp(day) for day in np.unique(spine["as_of"].to_numpy())]
    register = make_register(tables) if "sessions" in tables else None
    mark_counts = None
    matrix = np.full((len(spine), len(names)), np.nan, dtype=np.float32)
    as_of = spine["as_of"].to_numpy()
    for number, day in enumerate(track(days, "Building features")):
        if number % DAYS_AT_A_TIME == 0:
            mark_counts = None  # let go of the last sums before others are made
            mark_counts = _mark_counts(register, days[number : number + DAYS_AT_A_TIME])
        rows = np.flatnonzero(as_of == day)
        part = spine.iloc[rows].reset_index(drop=True)
        sums = None if peers is None else peers[day]
        known = FactsAsOf(tables.as_known(day), day, part, register, mark_counts, sums)
        matrix[rows] = _build_day(known, builders, names)
    return pd.DataFrame(matrix, columns=names, copy=False)


def peers_of(tables: Tables, days: list[pd.Timestamp]) -> Peers:
    """Add up the numbers of everyone on a roll, on many days: the first pass where pupils are split.

    Parameters
    ----------
    tables : Tables
        Facts of all pupils, or of a part of them.
    days : list of Timestamp
        The days.

    Returns
    -------
    dict of Timestamp to dict of str to DataFrame
        As :func:`riskmodel.features.peers.count_peers`; those of parts add up to those of all.
    """
    register = make_register(tables) if "sessions" in tables else None
    mark_counts = _mark_counts(register, days)
    nobody = pd.DataFrame({"pupil_id": pd.Categorical([], dtype=tables.pupils)})
    return {
        day: count_peers(FactsAsOf(tables.as_known(day), day, nobody, register, mark_counts))
        for day in days
    }


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


def _check_spine(tables: Tables, spine: pd.DataFrame) -> None:
    missing = [name for name in SPINE if name not in spine]
    if missing:
        raise RequestError(
            f"The spine has no column '{missing[0]}'. Found: {', '.join(map(str, spine.columns))}. "
            "Make it with build_spine."
        )
    if spine["pupil_id"].dtype != tables.pupils:
        raise RequestError(
            "The spine's pupils are not those of the tables. Make it with build_spine."
        )
    twice = int(spine.duplicated(["pupil_id", "as_of"]).sum())
    if twice:
        raise RequestError(
            f"The spine holds {twice} rows that repeat a pupil on the same day. Drop the duplicates."
        )
