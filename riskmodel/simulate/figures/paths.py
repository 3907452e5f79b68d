"""The paths of simulated pupils: what came before an exclusion, and before a first suspension.

In:  the tables of a simulated LA.
Out: per figure two counts, whose ratio is the simulated value; counts of several LAs add up.

Two worlds may have the same rates and other paths. Few paths are published: ``paths.csv`` has each
published value with its source, and a chosen range where none was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.codes import ABSENT, ATTENDED, PERSISTENT, code_set, codes
from riskmodel.data.tables import Tables
from riskmodel.simulate.figures.pupils import counted_pupils

__all__ = ["measure_paths", "published_paths"]

LOOK_BACK = 730
"""Days before an exclusion or a first suspension that are looked at."""

BEFORE_FIRST = 56
"""Days before a first suspension in which absence is counted, and a year earlier; chosen."""

SECONDARY = 5
"""School years from Year 7 to Year 11."""

TO_YEAR_10 = 11
"""School years from Reception to Year 10."""

Rows = Iterator[tuple[str, float, float, float]]
"""Figure, count, count that it is divided by, factor (100 for per cent)."""


@cache
def published_paths() -> pd.DataFrame:
    """Return the published value or the chosen range of each path figure.

    Returns
    -------
    DataFrame
        Index ``figure``; ``words``, ``unit``, ``low``, ``high`` (equal where one value is published),
        ``year``, ``source``.

    Examples
    --------
    >>> published_paths().columns.tolist()
    ['words', 'unit', 'low', 'high', 'year', 'source']
    """
    with (files("riskmodel.simulate") / "paths.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, comment="#").set_index("figure")


def measure_paths(tables: Tables) -> pd.DataFrame:
    """Return the path figures of a simulated LA.

    Parameters
    ----------
    tables : Tables
        A simulated LA of three school years or more; some figures need 5 or 11 and are left out
        of shorter data.

    Returns
    -------
    DataFrame
        Index ``figure``; ``part``, ``whole``, ``factor``: the value is ``factor * part / whole``.
    """
    events = _events(tables)
    rows = [
        *_before_exclusion(tables["sessions"], events),
        *_before_first_suspension(tables["sessions"], events),
    ]
    if events.years >= SECONDARY:
        rows += [*_through_secondary(tables, events)]
    if events.years >= TO_YEAR_10:
        rows += [*_after_primary(tables, events)]
    return pd.DataFrame(rows, columns=["figure", "part", "whole", "factor"]).set_index("figure")


@dataclass(frozen=True)
class _Events:
    """Exclusions and suspensions, with numbers of pupils; ``years`` counts school years of the data."""

    exclusions: pd.DataFrame
    suspensions: pd.DataFrame
    start: pd.Timestamp
    years: int
    n_pupils: int


def _events(tables: Tables) -> _Events:
    """Return what happened, in order of days."""
    days = tables["calendar"]["date"]
    facts = tables["suspensions"].sort_values("start_date", kind="stable")
    facts = facts.assign(
        pupil=facts["pupil_id"].cat.codes.to_numpy(np.int64), day=facts["start_date"]
    )
    kinds = {
        kind: facts.loc[facts["category"] == kind, ["pupil", "day"]] for kind in ("PERM", "SUSP")
    }
    first, last = academic_year(pd.Series([days.min(), days.max()]))
    return _Events(
        exclusions=kinds["PERM"].drop_duplicates("pupil"),
        suspensions=kinds["SUSP"],
        start=days.min(),
        years=int(last - first) + 1,
        n_pupils=len(tables["pupils"]),
    )


def _before_exclusion(sessions: pd.DataFrame, events: _Events) -> Rows:
    """Count the suspensions and the absence before each exclusion of which the past is in the data."""
    excluded = events.exclusions[
        events.exclusions["day"] >= events.start + pd.Timedelta(days=LOOK_BACK)
    ]
    pairs = excluded.merge(events.suspensions, on="pupil", suffixes=("", "_before"))
    ago = (pairs["day"] - pairs["day_before"]).dt.days
    pairs = pairs.assign(ago=ago)[(ago > 0) & (ago <= LOOK_BACK)]
    last_year = pairs[pairs["ago"] <= 365]
    n, first = len(excluded), pairs.groupby("pupil")["ago"].max()
    yield ("pex.suspended_in_2_years", len(first), n, 100)
    yield ("pex.suspended_in_1_year", last_year["pupil"].nunique(), n, 100)
    yield ("pex.suspensions_in_1_year", len(last_year), n, 1)
    yield ("pex.days_since_first_suspension", float(first.sum()), len(first), 1)
    yield ("pex.absence_half_year_before", *_missed(sessions, excluded, 182, 0), 100)
    yield ("pex.absence_a_year_earlier", *_missed(sessions, excluded, 182, 365), 100)


def _before_first_suspension(sessions: pd.DataFrame, events: _Events) -> Rows:
    """Count the absence before a first suspension, and in the same weeks a year earlier."""
    first = events.suspensions.drop_duplicates("pupil")
    first = first[first["day"] >= events.start + pd.Timedelta(days=LOOK_BACK)]
    yield ("first_suspension.absence_before", *_missed(sessions, first, BEFORE_FIRST, 0), 100)
    earlier = _missed(sessions, first, BEFORE_FIRST, 365)
    yield ("first_suspension.absence_a_year_earlier", *earlier, 100)


def _missed(
    sessions: pd.DataFrame, events: pd.DataFrame, days: int, earlier: int
) -> tuple[float, float]:
    """Return half-days missed and possible in the days before events; suspensions count as neither.

    The window ends at the event, or as many days ``earlier``.
    """
    pupil = sessions["pupil_id"].cat.codes.to_numpy(np.int64)
    ends = np.full(int(pupil.max(initial=0)) + 1, np.datetime64("NaT"), dtype="datetime64[D]")
    inside = events["pupil"].to_numpy() < len(ends)
    end = events["day"].to_numpy().astype("datetime64[D]") - np.timedelta64(earlier, "D")
    ends[events["pupil"].to_numpy()[inside]] = end[inside]
    rows = np.flatnonzero(~np.isnat(ends)[pupil])
    before = ends[pupil[rows]] - sessions["date"].to_numpy()[rows].astype("datetime64[D]")
    rows = rows[(before > np.timedelta64(0, "D")) & (before <= np.timedelta64(days, "D"))]
    count = np.bincount(sessions["mark"].cat.codes.to_numpy()[rows], minlength=len(codes("marks")))
    absent, possible = _kinds_of_mark()
    return float(count[absent].sum()), float(count[possible].sum())


@cache
def _kinds_of_mark() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which marks are absence other than suspension, and which are possible half-days."""
    names = list(codes("marks"))
    family = code_set("marks")["family"].loc[names].to_numpy()
    other = np.array(names) != "E"
    absent = np.isin(family, ABSENT) & other
    return absent, absent | np.isin(family, ATTENDED)


def _through_secondary(tables: Tables, events: _Events) -> Rows:
    """Count in how many of their five secondary years those ever suspended in them were suspended."""
    pupils = counted_pupils(tables)
    year = int(pupils["year"].iloc[0])
    known = tables["enrolments"].groupby("pupil_id", observed=False)["entry_date"].min()
    here = known.to_numpy() <= np.datetime64(f"{year - SECONDARY + 2}-01-15")
    stayed = np.flatnonzero((pupils["group"] == 11).to_numpy() & here)
    facts = events.suspensions[events.suspensions["pupil"].isin(stayed)]
    facts = facts.assign(year=academic_year(facts["day"]))
    facts = facts[facts["year"] > year - SECONDARY]
    ever = facts["pupil"].nunique()
    yield ("secondary.suspended_ever", ever, len(stayed), 100)
    yield ("secondary.years_suspended", len(facts.drop_duplicates(["pupil", "year"])), ever, 1)


def _after_primary(tables: Tables, events: _Events) -> Rows:
    """Count who is persistently absent in Year 10, by whether they were suspended up to Year 6."""
    pupils = counted_pupils(tables)
    year = int(pupils["year"].iloc[0])
    year_10 = (pupils["group"] == 10).to_numpy()
    early = events.suspensions[academic_year(events.suspensions["day"]) <= year - 4]
    suspended = np.isin(np.arange(events.n_pupils), early["pupil"])
    share, possible = _absence_of_year(tables["sessions"], year, events.n_pupils)
    for name, group in (("suspended_in_primary", suspended), ("others", ~suspended)):
        here = year_10 & group & (possible > 0)
        yield (
            f"year_10.persistent.{name}",
            int((share[here] >= PERSISTENT).sum()),
            int(here.sum()),
            100,
        )


def _absence_of_year(
    sessions: pd.DataFrame, year: int, n_pupils: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of half-days that each pupil missed in a school year, and those possible."""
    inside = (sessions["date"] >= pd.Timestamp(year, 9, 1)).to_numpy()
    pupil = sessions["pupil_id"].cat.codes.to_numpy(np.int64)[inside]
    mark = sessions["mark"].cat.codes.to_numpy()[inside]
    absent, possible = _kinds_of_mark()
    missed = np.bincount(pupil[absent[mark]], minlength=n_pupils)
    all_of_them = np.bincount(pupil[possible[mark]], minlength=n_pupils)
    return missed / np.maximum(all_of_them, 1), all_of_them
