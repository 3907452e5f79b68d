"""The door to the feature matrix: one function, whichever engine builds it.

In:  tables and a spine of (pupil, as_of).
Out: one row per spine row, one column per feature of the catalogue.
"""

from __future__ import annotations

from typing import Literal

import pandas as pd

from riskmodel.data import Tables
from riskmodel.errors import RequestError
from riskmodel.features.build_local import Peers, build_locally, peers_of
from riskmodel.features.build_spark import build_on_spark

__all__ = ["build", "peers_of"]

SPINE = ("pupil_id", "as_of", "school_id", "year_group")


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
        From :func:`~riskmodel.features.build_local.peers_of`, where ``tables`` hold only a part of
        the pupils; counted from ``tables`` where left out.
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
        If a column of the spine is missing, a pupil is there twice on one day, the pupils are not
        those of the tables, or Spark is asked for and cannot be used.
    """
    _check_spine(tables, spine)
    if engine == "spark":
        return build_on_spark(tables, spine)
    return build_locally(tables, spine, peers=peers)


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
