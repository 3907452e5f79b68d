"""The schools of a dashboard, and the spells of pupils on their rolls.

In:  the tables as known on a day.
Out: a row per school, described in words; a row per spell on a main roll.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data import Tables
from riskmodel.data.tables import schools_by_id
from riskmodel.data.year_groups import PHASES
from riskmodel.leaving import rolls_as_numbers

__all__ = ["main_rolls", "schools_of"]

KINDS = {"special": "special", "AP": "alternative provision"}
"""Kind of a school that is not ordinary → in words."""

IN_WORDS = {phase: words.lower() for phase, words in PHASES.items()} | {"post16": "post-16"}
"""Phase of an ordinary school → in words; a pupil is after 16, a school is post-16."""


def schools_of(tables: Tables) -> pd.DataFrame:
    """Return every school of any table.

    Parameters
    ----------
    tables : Tables
        The facts known on a day.

    Returns
    -------
    DataFrame
        Index ``school_id``, sorted; ``name``, ``phase`` (of the national figures; empty where none
        is published for such a school), ``kind`` in words.

    Examples
    --------
    >>> schools = pd.DataFrame({"school_id": ["S"], "name": ["Hill"], "phase": ["secondary"],
    ...     "kind": ["mainstream"]})
    >>> schools_of(Tables({"schools": schools})).loc["S"].tolist()
    ['Hill', 'secondary', 'secondary']
    """
    known = _described(tables)
    ids = pd.Index(sorted(_school_ids(tables) | set(known.index)), dtype="object", name="school_id")
    schools = known.reindex(ids)
    kind, phase = schools["kind"], schools["phase"]
    ordinary = phase.where((kind == "mainstream") & phase.isin(["primary", "secondary"]), "")
    in_words = kind.map(KINDS).where(kind.isin(list(KINDS)), phase.map(IN_WORDS))
    return pd.DataFrame(
        {
            "name": schools["name"].where(schools["name"].notna(), ""),
            "phase": ordinary.mask(kind == "special", "special"),
            "kind": in_words.fillna("not known"),
        }
    )


def main_rolls(tables: Tables, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the spells on a main roll.

    Parameters
    ----------
    tables : Tables
        The facts known on a day.
    schools : DataFrame
        From :func:`schools_of`.

    Returns
    -------
    DataFrame
        Numbers ``pupil`` and ``school``, days ``entry`` and ``leaving``, ``year_group`` at entry,
        ``year`` of entry, ``reason``; by pupil and day.

    Examples
    --------
    >>> main_rolls(Tables({}), schools_of(Tables({}))).shape
    (0, 7)
    """
    columns = ["pupil", "school", "entry", "leaving", "year_group", "year", "reason"]
    if "enrolments" not in tables:
        return pd.DataFrame({name: pd.Series([], dtype="int64") for name in columns})
    rolls = tables["enrolments"]
    rolls = rolls[(rolls["status"] == "main").to_numpy()]
    school = schools.index.get_indexer(pd.Index(rolls["school_id"].astype("object")))
    made = rolls_as_numbers(rolls, school)
    # the last key only makes the order whole, so that no answer depends on the order of rows
    made = made.sort_values(["pupil", "entry", "leaving", "school"], kind="stable")
    return made[made["school"] >= 0].reset_index(drop=True)


def _described(tables: Tables) -> pd.DataFrame:
    """Return name, phase and kind of the schools that the extracts describe."""
    if "schools" not in tables:
        return pd.DataFrame({"name": [], "phase": [], "kind": []})
    known = schools_by_id(tables)
    known = known[["name", "phase", "kind"]].astype("object")
    return known[known.index != ""]


def _school_ids(tables: Tables) -> set[str]:
    """Return the schools that rolls and suspensions name."""
    names = (
        tables[table]["school_id"].dropna().unique()
        for table in ("enrolments", "suspensions")
        if table in tables
    )
    return {str(name) for part in names for name in part} - {""}
