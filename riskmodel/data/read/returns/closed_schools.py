"""Schools of which no later return is in the folder: those that closed, and those that only sent none.

In:  the list of schools; who was on which roll by which return; typed rows of ``enrolments``.
Out: the day on which each school closed; spells at closed schools ended; schools that fell silent named.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.identity import may_identify
from riskmodel.data.read.returns.later_returns import PARTS_SHOWN, entries_elsewhere
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import NOT_SHOWN, Problem
from riskmodel.data.read.sources.schools import school_key, successors
from riskmodel.data.read.sources.source import column

__all__ = ["closing_days", "end_at_closed_schools", "silent_schools"]

LATER = pd.Timedelta(days=60)
"""From the last return of a school to one of another that is of a later term; chosen."""

HALF = 0.5
"""Share of the other schools that sent a later return, from which one that did not is named; chosen."""

SPELL = ["who", "school_id", "entry_date"]


def closing_days(schools: pd.DataFrame) -> pd.Series:
    """Return the day on which each school closed that became no other.

    Parameters
    ----------
    schools : DataFrame
        Rows of Get Information about Schools, with plain column names.

    Returns
    -------
    Series of datetime64, shape (n_closed,)
        Index ``school_id``.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "urn": ["1001", "1002", "1003"], "lacode": "301", "establishmentnumber": ["1", "2", "2"],
    ...     "establishmentstatusname": ["Closed", "Closed", "Open"], "opendate": [None, None, "2024-09-01"],
    ...     "closedate": ["2024-08-31", "2024-08-31", None],
    ... })
    >>> closing_days(rows).astype("str").to_dict()
    {'1001': '2024-08-31'}
    """
    closed = pd.Series(
        read_dates(column(schools, "closedate")).to_numpy(), index=schools["urn"].map(school_key)
    ).dropna()
    closed = closed[~closed.index.isin(successors(schools).index)]
    return closed[~closed.index.duplicated()]


def end_at_closed_schools(facts: dict[str, pd.DataFrame], closed: pd.Series) -> list[Problem]:
    """End the spells that no file ends at schools that closed by the list of schools.

    Parameters
    ----------
    facts : dict of str to DataFrame
        Typed facts; ``enrolments`` gets a row for each such end, known from the day after the school closed.
    closed : Series of datetime64, shape (n_closed,)
        From :func:`closing_days`.

    Returns
    -------
    list of Problem
        A warning that counts them. A pupil whom a return has on roll after that day stays there.
    """
    if "enrolments" not in facts:
        return []
    rolls = facts["enrolments"]
    closed = closed[closed <= rolls["recorded_on"].max()]  # a later day is planned
    if closed.empty:
        return []
    own = rolls.assign(who=rolls["pupil_id"].astype("str"), closed=rolls["school_id"].map(closed))
    own = own.assign(
        day=own["_seen"].fillna(own["entry_date"]) if "_seen" in own else own["entry_date"]
    )
    has_end = own[own["leaving_date"].notna() | (own["day"] > own["closed"])]
    last = own[own["closed"].notna()].sort_values([*SPELL, "day"], kind="stable")
    last = last.drop_duplicates(SPELL, keep="last")
    ended_before = pd.MultiIndex.from_frame(last[SPELL]).isin(
        pd.MultiIndex.from_frame(has_end[SPELL])
    )
    gone = last[~ended_before].reset_index(drop=True)
    if gone.empty:
        return []
    known = gone["closed"] + pd.Timedelta(days=1)
    gone = gone.assign(later=gone["closed"], known=known)
    moved = entries_elsewhere(gone, rolls) - pd.Timedelta(days=1)
    since = pd.concat([known, gone["recorded_on"]], axis=1).max(axis=1)
    ended = gone[[*rolls.columns]].assign(
        leaving_date=moved.fillna(gone["closed"]), recorded_on=since, end_recorded_on=since
    )
    facts["enrolments"] = pd.concat([rolls, ended.astype(rolls.dtypes)], ignore_index=True)
    words = (
        f"enrolments: {len(gone)} spells on rolls of {gone['school_id'].nunique()} schools that closed by "
        "the list of schools have no end. They end on the day the school closed, or before the pupil's entry "
        "elsewhere. Give the tables of pupils no longer on roll."
    )
    return [Problem("enrolments", "school_closed", words, column="leaving_date")]


def silent_schools(seen: pd.DataFrame, rolls: pd.DataFrame, closed: pd.Series) -> list[Problem]:
    """Return a warning for each school that sent no later return, where half of the others did.

    Parameters
    ----------
    seen : DataFrame
        ``_return``, ``school_id``, ``_seen``, ``pupil_id``: whom each return has on roll.
    rolls : DataFrame
        Typed rows of ``enrolments``.
    closed : Series of datetime64, shape (n_closed,)
        From :func:`closing_days`; these schools are left out.

    Returns
    -------
    list of Problem
        Each names the school, its last return and how many pupils stay on its roll; one counts the rest.
    """
    days = seen.groupby(["_return", "school_id"])["_seen"].agg(["min", "max"]).reset_index()
    days = days[~days["school_id"].isin(closed.index)]
    found = []
    for kind, schools in days.groupby("_return"):
        for school, last in zip(schools["school_id"], schools["max"], strict=True):
            others = schools[
                ((schools["school_id"] != school) & (schools["min"] <= last)).to_numpy()
            ]
            if len(others) and (others["max"] > last + LATER).mean() >= HALF:
                n = _stay(seen[(seen["_return"] == kind).to_numpy()], rolls, school, last)
                found += [(str(kind), str(school), last, others["max"].max(), n)] if n else []
    return [
        *(_silent(*one) for one in found[:PARTS_SHOWN]),
        *([_more(len(found) - PARTS_SHOWN)] if len(found) > PARTS_SHOWN else []),
    ]


def _stay(seen: pd.DataFrame, rolls: pd.DataFrame, school: str, last: pd.Timestamp) -> int:
    """Return how many pupils of the last return of a school no file ends since."""
    there = ((seen["school_id"] == school) & (seen["_seen"] == last)).to_numpy()
    ended = ((rolls["school_id"] == school) & (rolls["leaving_date"] >= last)).to_numpy()
    return len(
        set(seen["pupil_id"][there].astype("str")) - set(rolls["pupil_id"][ended].astype("str"))
    )


def _silent(kind: str, school: str, last: pd.Timestamp, now: pd.Timestamp, n: int) -> Problem:
    """Return the warning about one school."""
    shown = NOT_SHOWN if may_identify(school) else f"'{school}'"
    words = (
        f"enrolments: school {shown} has no {kind} after that of {last:%Y-%m-%d}, and others have them up to "
        f"{now:%Y-%m-%d}. Its {n} pupils without an end stay on its roll. Give its later returns; if it "
        "closed, add it to the list of schools with the day in CloseDate."
    )
    return Problem("enrolments", "silent_school", words, column="school_id")


def _more(n: int) -> Problem:
    words = f"enrolments: {n} more schools sent no later return, and their pupils stay on roll."
    return Problem("enrolments", "silent_school", words, column="school_id")
