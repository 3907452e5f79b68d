"""What the extracts cover: registers by school and term, links between sources, concentration.

In:  tables; an extract.
Out: small frames for the check report. They show where data are missing, never which school is better.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.calendar import academic_year
from riskmodel.data.read.extract import Extract
from riskmodel.data.tables import Tables, incidents_that_count
from riskmodel.data.year_groups import FIRST_SECONDARY

__all__ = ["concentration", "coverage", "linkage"]

FEWEST = 10
"""Events below which their spread is not shown: it would point at a school or a child."""


def coverage(tables: Tables) -> pd.DataFrame:
    """Return how much of each school's registers is there, term by term.

    Parameters
    ----------
    tables : Tables
        With ``sessions``, ``enrolments`` and ``calendar``; without one of them the result is empty.

    Returns
    -------
    DataFrame
        ``school_id, year, term, pupils, share``: pupils on the main roll in the middle of the term, and
        half-days marked ÷ half-days of the term for them. ``year`` is the one the school year began in.

    Examples
    --------
    >>> len(coverage(Tables({})))
    0
    """
    columns = ["school_id", "year", "term", "pupils", "share"]
    if not {"sessions", "enrolments", "calendar"} <= set(tables):
        return pd.DataFrame({name: [] for name in columns})
    calendar, sessions = tables["calendar"], tables["sessions"]
    year = academic_year(calendar["date"]).to_numpy(dtype=int)
    spans = calendar.groupby([year, calendar["term"]], observed=True)["date"].agg(
        ["min", "max", "size"]
    )
    pupil = sessions["pupil_id"].cat.codes.to_numpy()
    date = sessions["date"].to_numpy()
    rolls = tables["enrolments"]
    rolls = rolls[(rolls["status"] == "main").to_numpy()]
    parts = []
    for (first_year, term), first, last, days in zip(
        spans.index, spans["min"], spans["max"], spans["size"], strict=True
    ):
        inside = (date >= np.datetime64(first)) & (date <= np.datetime64(last))
        marked = np.bincount(pupil[inside], minlength=len(tables.pupils.categories))
        middle = first + (last - first) / 2
        now = rolls[(rolls["entry_date"] <= middle) & ~(rolls["leaving_date"] < middle)]
        share = np.minimum(marked[now["pupil_id"].cat.codes.to_numpy()] / (2 * days), 1.0)
        by_school = pd.Series(share).groupby(now["school_id"].to_numpy()).agg(["size", "mean"])
        parts.append(
            pd.DataFrame(
                {
                    "school_id": by_school.index.astype("str"),
                    "year": first_year,
                    "term": str(term),
                    "pupils": by_school["size"].to_numpy(),
                    "share": by_school["mean"].to_numpy(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({n: [] for n in columns})


def linkage(extract: Extract) -> pd.DataFrame:
    """Return how many rows of each source join to a pupil.

    Parameters
    ----------
    extract : Extract
        What was read.

    Returns
    -------
    DataFrame
        ``source, rows, linked, share``; sources without rows and files that were not read are left out.
    """
    lost = extract.rejects[
        extract.rejects["reason"].str.startswith(("not_linked", "unknown_pupil"))
    ]
    by_file = lost.groupby("file").size()
    unread = extract.files.loc[extract.files["read_as"] == "", "file"]
    counts = extract.reconciliation
    counts = counts[~counts["file"].isin(unread)]
    counts = counts.assign(lost=counts["file"].map(by_file).fillna(0).astype(int))
    table = counts.groupby("table", sort=False)[["rows_read", "lost"]].sum()
    table = table[table["rows_read"] > 0]
    return pd.DataFrame(
        {
            "source": table.index.astype("str"),
            "rows": table["rows_read"].to_numpy(),
            "linked": (table["rows_read"] - table["lost"]).to_numpy(),
            "share": (1 - table["lost"] / table["rows_read"]).to_numpy(),
        }
    )


def concentration(tables: Tables) -> pd.DataFrame:
    """Return how few schools issue half of the suspensions and of the permanent exclusions.

    Parameters
    ----------
    tables : Tables
        With ``suspensions``.

    Returns
    -------
    DataFrame
        ``event, year, events, schools, schools_for_half, share_of_schools``: of the schools that had
        pupils in Years 7 to 11, the fewest that together issued half. No school is named, and years
        with fewer than :data:`FEWEST` events are left out.

    Examples
    --------
    >>> len(concentration(Tables({})))
    0
    """
    columns = ["event", "year", "events", "schools", "schools_for_half", "share_of_schools"]
    if not {"suspensions", "enrolments"} <= set(tables) or not len(tables["suspensions"]):
        return pd.DataFrame({name: [] for name in columns})
    facts, rolls = incidents_that_count(tables["suspensions"]), tables["enrolments"]
    secondary = rolls.loc[(rolls["year_group"] >= FIRST_SECONDARY).to_numpy(), "school_id"].unique()
    year = academic_year(facts["start_date"]).to_numpy(dtype=int)
    rows = []
    for event, category in (("suspensions", "SUSP"), ("permanent exclusions", "PERM")):
        for first in np.unique(year):
            here = (year == first) & (facts["category"] == category).to_numpy()
            count = facts.loc[here & facts["school_id"].isin(secondary).to_numpy(), "school_id"]
            issued = count.value_counts().to_numpy()
            if issued.sum() < FEWEST:
                continue
            half = int(np.searchsorted(np.cumsum(issued), issued.sum() / 2) + 1)
            rows.append(
                (event, int(first), int(issued.sum()), len(secondary), half, half / len(secondary))
            )
    return pd.DataFrame(rows, columns=columns)
