"""From facts and a spine to the feature matrix, one day at a time.

In:  tables and a spine of (pupil, as_of).
Out: one row per spine row, one column per feature of the catalogue.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features.catalogue import BUILDERS
from riskmodel.features.known import Known
from riskmodel.features.register import Register, make_register
from riskmodel.progress import track

__all__ = ["build"]

SPINE = ("pupil_id", "as_of", "school_id", "year_group")


def build(tables: Tables, spine: pd.DataFrame) -> pd.DataFrame:
    """Build every feature whose tables are there.

    Parameters
    ----------
    tables : Tables
        The LA's facts. For each ``as_of``, builders are handed only what was recorded before it.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``; no pupil twice on one day.

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
    register = make_register(tables) if "sessions" in tables else None
    matrix = np.full((len(spine), len(names)), np.nan, dtype=np.float32)
    as_of = spine["as_of"].to_numpy()
    for day in track(np.unique(as_of), "Building features"):
        rows = np.flatnonzero(as_of == day)
        part = spine.iloc[rows].reset_index(drop=True)
        matrix[rows] = _build_day(tables, part, pd.Timestamp(day), builders, names, register)
    return pd.DataFrame(matrix, columns=names)


def _build_day(
    tables: Tables,
    spine: pd.DataFrame,
    day: pd.Timestamp,
    builders: list,  # type: ignore[type-arg]
    names: list[str],
    register: Register | None,
) -> NDArray[np.float32]:
    known = Known(tables.as_known(day), day, spine, register)
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
    return np.column_stack([columns[name] for name in names]).astype(np.float32)


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
