"""The School Census of the simulated LA: COLLECT tables of each term.

In:  the tables of a simulated LA.
Out: one frame per COLLECT table, with the codes and gaps of the real return.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import Tables

__all__ = ["CENSUSES", "censuses"]

CENSUSES = {
    "autumn": ("AUT", 10, "summer", ("spring", "summer")),
    "spring": ("SPR", 1, "autumn", ("summer", "autumn")),
    "summer": ("SUM", 5, "spring", ("autumn", "spring")),
}
"""Census → term code, month, term whose attendance it collects, terms whose exclusions it collects."""

COLLECT_DATE = "%Y-%b-%d %H:%M:%S"

LEGACY_EVERY = 5
"""One school in so many has a system that still writes FIXD for a suspension; chosen."""


@dataclass(frozen=True)
class _Census:
    """One census: its day, the day of the one before, its school year and its term."""

    day: pd.Timestamp
    before: pd.Timestamp
    year: int
    term: str


def censuses(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the COLLECT tables of every census day of the data.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.

    Yields
    ------
    tuple of str and DataFrame
        Name of the file, and its rows.
    """
    spans = _term_spans(tables)
    names = tables["schools"]["school_id"].to_numpy(object)
    legacy = set(names[LEGACY_EVERY - 1 :: LEGACY_EVERY])
    years = sorted({year for year, _ in spans})
    days = [
        (_thursday(year + (term != "autumn"), CENSUSES[term][1]), year, term)
        for year in years
        for term in CENSUSES
    ]
    for number, (day, year, term) in enumerate(days):
        before = days[number - 1][0] if number else day - pd.DateOffset(months=4)
        folder = f"census/{day.year}_{term}"
        census = _Census(day, before, year, term)
        for name, frame in _census(tables, people, spans, census, legacy):
            yield f"{folder}/{name}.csv", frame


def _thursday(year: int, month: int) -> pd.Timestamp:
    """Return the census Thursday: the first of October, the third of January and of May."""
    first = pd.Timestamp(year, month, 1)
    day = first + pd.Timedelta(days=(3 - first.weekday()) % 7)
    return day if month == 10 else day + pd.Timedelta(weeks=2)


def _term_spans(tables: Tables) -> dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]]:
    """Return first and last day of every term, by school year and name."""
    calendar = tables["calendar"]
    year = academic_year(calendar["date"]).rename("year")
    spans = calendar.groupby([year, "term"], observed=True)["date"].agg(["min", "max"])
    keys = zip(spans.index.get_level_values(0), spans.index.get_level_values(1), strict=True)
    return {
        (int(y), str(t)): (first, last)
        for (y, t), first, last in zip(keys, spans["min"], spans["max"], strict=True)
    }


def _census(
    tables: Tables,
    people: pd.DataFrame,
    spans: dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]],
    census: _Census,
    legacy: set[str],
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the COLLECT tables of one census."""
    day, before, year, term = census.day, census.before, census.year, census.term
    code, _, attended, excluded = CENSUSES[term]
    rolls = tables["enrolments"]
    entered = (rolls["entry_date"] <= day).to_numpy()
    now = entered & ~(rolls["leaving_date"] < day).to_numpy()
    left = entered & ((rolls["leaving_date"] < day) & (rolls["leaving_date"] >= before)).to_numpy()
    mark = f"{day.year}{code}"
    schools = tables["schools"]
    yield (
        "schoolcensus",
        pd.DataFrame(
            {
                "schoolcensustableid": [f"{mark}-{s}" for s in schools["school_id"]],
                "NativeId": 1,
                "collection": "SC",
                "term": code,
                "year": day.year,
                "referencedate": day.strftime(COLLECT_DATE),
                "estab": schools["school_id"].str[1:],
                "lea": schools["local_authority"],
                "urn": schools["urn"],
            }
        ),
    )
    past = [
        (year - (name == "summer" or (name == "spring" and term == "autumn")), name)
        for name in excluded
    ]
    attended_year = year - (attended == "summer")
    for where, rows in (("on", now), ("off", left)):
        part = rolls[rows].reset_index(drop=True)
        table = "pupilonroll" if where == "on" else "pupilnolongeronroll"
        ids = pd.Series([f"{mark}-{where}-{i}" for i in range(len(part))], dtype="str")
        head = pd.DataFrame({f"{table}tableid": ids, "NativeId": 1})
        span = spans.get((attended_year, attended))
        halves = _summer_halves(tables, span) if term == "autumn" else [span]
        totals = _totals(tables, part, halves[0])
        yield table, _pupil_table(tables, people, part, head, census, where, totals)
        yield f"termlysessiondetails{where}roll", _details(totals, ids, f"{table}tableid")
        if term == "autumn":
            last = _details(_totals(tables, part, halves[1]), ids, f"{table}tableid")
            name = f"summerhalfterm2sessiondetails{where}roll"
            yield name, last.assign(**{f"{name}tableid": range(len(last))})
        spans_past = [spans[key] for key in past if key in spans]
        yield (
            f"termlyexclusions{where}roll",
            _termly_exclusions(tables, part, head, spans_past, legacy),
        )
        if where == "on":
            fsm = "fsmperiodsonroll" if term == "autumn" else "fsmperiod"
            yield fsm, _fsm_periods(tables, part, head, day)
            place = "addressesonroll" if term == "autumn" else "addresses"
            post = people["postcode"].to_numpy(object)[part["pupil_id"].cat.codes]
            yield place, head.assign(postcode=post)
            if term == "spring":
                yield "senneeds", _needs(tables, part, head, day)


def _summer_halves(
    tables: Tables, span: tuple[pd.Timestamp, pd.Timestamp] | None
) -> list[tuple[pd.Timestamp, pd.Timestamp] | None]:
    """Part the summer term at its half-term; the autumn census collects the halves apart."""
    if span is None:
        return [None, None]
    days = tables["calendar"]
    days = days[(days["date"] >= span[0]) & (days["date"] <= span[1])]
    return [
        (part.iloc[0], part.iloc[-1])
        for half in (5, 6)
        if len(part := days.loc[days["half_term"] == half, "date"])
    ]


def _details(totals: pd.DataFrame, ids: pd.Series, column: str) -> pd.DataFrame:
    """Return half-days by pupil row and code as COLLECT tables them."""
    rows = totals[~totals["possible"]]
    return pd.DataFrame(
        {
            column: ids[rows["row"]].to_numpy(),
            "NativeId": 1,
            "attendancereason": rows["mark"].to_numpy(),
            "sessions": rows["sessions"].to_numpy(float),
        }
    )


def _pupil_table(
    tables: Tables,
    people: pd.DataFrame,
    part: pd.DataFrame,
    head: pd.DataFrame,
    census: _Census,
    where: str,
    totals: pd.DataFrame,
) -> pd.DataFrame:
    day, year, term = census.day, census.year, census.term
    who = people.iloc[part["pupil_id"].cat.codes].reset_index(drop=True)
    entry = part["entry_date"]
    group = (part["year_group"] + year - academic_year(entry)).astype("int64")
    shown = group.astype("str").where(group > 0, "R")
    possible = totals[totals["possible"]].set_index("row")["sessions"].reindex(part.index)
    mark = f"{day.year}{CENSUSES[term][0]}"
    table = head.assign(
        schoolcensustableid=[f"{mark}-{s}" for s in part["school_id"]],
        upn=who["upn"],
        formerupn="",
        surname=who["surname"],
        forename=who["forename"],
        dob=who["dob"].dt.strftime(COLLECT_DATE),
        sex=who["sex"],
        entrydate=entry.dt.strftime(COLLECT_DATE),
        parttime=False,
        termlysessionspossible=possible.to_numpy(),
        language=who["language"],
    )
    if term == "spring":
        table["ethnicity"] = who["ethnicity"]
    if where == "off":
        return table.assign(
            leavingdate=part["leaving_date"].dt.strftime(COLLECT_DATE), ncyearleaving=shown
        )
    provision = _provision(tables, part["pupil_id"], day)
    carers = tables["circumstances"]
    carers = carers[(carers["kind"] == "young_carer") & (carers["start_date"] <= day)]
    table = table.assign(enrolstatus="C", ncyearactual=shown, senprovision=provision)
    if term == "spring":
        table["youngcarer"] = np.where(part["pupil_id"].isin(carers["pupil_id"]), "S", "N")
    return table


def _provision(tables: Tables, pupils: pd.Series, day: pd.Timestamp) -> NDArray[np.object_]:
    spells = tables["send"]
    now = spells[(spells["start_date"] <= day) & ~(spells["end_date"] < day)]
    by_pupil = now.drop_duplicates("pupil_id", keep="last").set_index("pupil_id")["provision"]
    return pupils.map(by_pupil.astype("str")).astype("object").fillna("N").to_numpy(object)


def _totals(
    tables: Tables, part: pd.DataFrame, span: tuple[pd.Timestamp, pd.Timestamp] | None
) -> pd.DataFrame:
    """Return half-days by pupil row and code in a term, and possible ones; only while on this roll."""
    empty = pd.DataFrame(
        {
            "row": np.zeros(0, int),
            "mark": pd.array([], dtype="str"),
            "sessions": np.zeros(0),
            "possible": np.zeros(0, bool),
        }
    )
    if span is None or not len(part):
        return empty
    sessions = tables["sessions"]
    inside = ((sessions["date"] >= span[0]) & (sessions["date"] <= span[1])).to_numpy()
    marks = sessions.loc[inside, ["pupil_id", "date", "mark"]]
    rows = part[["pupil_id", "entry_date", "leaving_date"]].assign(row=part.index)
    rows = rows.drop_duplicates("pupil_id", keep="last")
    found = marks.merge(rows, on="pupil_id")
    found = found[(found["date"] >= found["entry_date"]) & ~(found["date"] > found["leaving_date"])]
    if found.empty:
        return empty
    counts = found.groupby(["row", "mark"], observed=True).size().rename("sessions").reset_index()
    whole = found.groupby("row").size().rename("sessions").reset_index()
    counts["mark"] = counts["mark"].astype("str")
    return pd.concat(
        [counts.assign(possible=False), whole.assign(mark="", possible=True)], ignore_index=True
    )


def _termly_exclusions(
    tables: Tables,
    part: pd.DataFrame,
    head: pd.DataFrame,
    spans: list[tuple[pd.Timestamp, pd.Timestamp]],
    legacy: set[str],
) -> pd.DataFrame:
    facts = tables["suspensions"]
    inside = np.zeros(len(facts), dtype=bool)
    for first, last in spans:
        inside |= ((facts["start_date"] >= first) & (facts["start_date"] <= last)).to_numpy()
    rows = (
        part[["pupil_id", "school_id"]]
        .assign(row=part.index)
        .drop_duplicates(["pupil_id", "school_id"])
    )
    found = facts[inside].merge(rows, on=["pupil_id", "school_id"])
    category = found["category"].astype("str")
    old = (category == "SUSP") & found["school_id"].isin(legacy)
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "startdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "sessions": found["sessions"],
            "category": category.where(~old, "FIXD"),
            **{f"reason{i}": found[f"reason_{i}"] for i in (1, 2, 3)},
            "senprovision": _provision(tables, found["pupil_id"], spans[-1][1]) if spans else "N",
        }
    )


def _fsm_periods(
    tables: Tables, part: pd.DataFrame, head: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    spells = tables["circumstances"]
    spells = spells[(spells["kind"] == "fsm") & (spells["start_date"] <= day)]
    rows = part[["pupil_id"]].assign(row=part.index).drop_duplicates("pupil_id")
    found = spells.merge(rows, on="pupil_id")
    ended = found["end_date"].where(found["end_date"] < day)
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "fsmstartdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "fsmenddate": ended.dt.strftime(COLLECT_DATE),
            "ukcountry": "ENG",
        }
    )


def _needs(
    tables: Tables, part: pd.DataFrame, head: pd.DataFrame, day: pd.Timestamp
) -> pd.DataFrame:
    spells = tables["send"]
    now = spells[(spells["start_date"] <= day) & ~(spells["end_date"] < day)]
    rows = part[["pupil_id"]].assign(row=part.index).drop_duplicates("pupil_id")
    found = now.drop_duplicates("pupil_id", keep="last").merge(rows, on="pupil_id")
    return pd.DataFrame(
        {
            head.columns[0]: head.iloc[found["row"], 0].to_numpy(),
            "NativeId": 1,
            "sentyperank": 1.0,
            "sentype": found["primary_need"].astype("str"),
        }
    )
