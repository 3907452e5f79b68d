"""The School Census of the simulated LA: COLLECT tables of each term.

In:  the tables of a simulated LA.
Out: one frame per COLLECT table, with the codes and gaps of the real return.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import Tables
from riskmodel.data.year_groups import year_group_on

__all__ = ["CENSUSES", "censuses"]

CENSUSES = {
    "autumn": ("AUT", 10, "summer", ("spring", "summer")),
    "spring": ("SPR", 1, "autumn", ("summer", "autumn")),
    "summer": ("SUM", 5, "spring", ("autumn", "spring")),
}
"""Census → term code, month, term whose attendance it collects, terms whose exclusions it collects."""

ROLL_TABLES = {"on": "pupilonroll", "off": "pupilnolongeronroll"}
"""Pupils on roll on the census day, and pupils who left since the census before → COLLECT table."""

COLLECT_DATE = "%Y-%b-%d %H:%M:%S"

Span = tuple[pd.Timestamp, pd.Timestamp]
"""First and last day of a term."""

TermSpans = dict[tuple[int, str], Span]
"""School year and term → its span."""

LEGACY_EVERY = 5
"""One school in so many has a system that still writes FIXD for a suspension; chosen."""


@dataclass(frozen=True)
class _Census:
    """One census: its day, the day of the one before, its school year and its term."""

    day: pd.Timestamp
    before: pd.Timestamp
    year: int
    term: str

    def school_row(self, school_id: pd.Series) -> list[str]:
        """Return the key of each school's row in this census."""
        return [f"{self.day.year}{CENSUSES[self.term][0]}-{name}" for name in school_id]


@dataclass(frozen=True)
class _Roll:
    """Pupils on roll on the census day, or pupils who left since the census before.

    ``rows`` are their enrolments, ``head`` the key columns of their COLLECT table.
    """

    where: Literal["on", "off"]
    rows: pd.DataFrame
    head: pd.DataFrame

    @property
    def table(self) -> str:
        """Name of their COLLECT table."""
        return ROLL_TABLES[self.where]

    def keys(self, row: pd.Series) -> dict[str, Any]:
        """Return the key columns of a table with one row per item of ``row``."""
        return {str(self.head.columns[0]): self.head.iloc[row, 0].to_numpy(), "NativeId": 1}

    def numbered(self, *columns: str) -> pd.DataFrame:
        """Return columns of the enrolments with their row number."""
        return self.rows[list(columns)].assign(row=self.rows.index)


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
    for census in _census_days(sorted({year for year, _ in spans})):
        for name, frame in _census(tables, people, spans, census, legacy):
            yield f"census/{census.day.year}_{census.term}/{name}.csv", frame


def _census_days(years: list[int]) -> Iterator[_Census]:
    """Return the three censuses of each school year, in order."""
    before = None
    for year in years:
        for term, (_, month, _, _) in CENSUSES.items():
            day = _thursday(year + (term != "autumn"), month)
            yield _Census(day, before or day - pd.DateOffset(months=4), year, term)
            before = day


def _thursday(year: int, month: int) -> pd.Timestamp:
    """Return the census Thursday: the first of October, the third of January and of May."""
    first = pd.Timestamp(year, month, 1)
    day = first + pd.Timedelta(days=(3 - first.weekday()) % 7)
    return day if month == 10 else day + pd.Timedelta(weeks=2)


def _term_spans(tables: Tables) -> TermSpans:
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
    tables: Tables, people: pd.DataFrame, spans: TermSpans, census: _Census, legacy: set[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the COLLECT tables of one census."""
    yield "schoolcensus", _school_table(tables["schools"], census)
    attended, excluded = _attended(tables, spans, census), _excluded(spans, census)
    for roll in (_on_roll(tables, census), _off_roll(tables, census)):
        totals = [_totals(tables, roll, span) for span in attended]
        yield roll.table, _pupil_table(tables, people, roll, census, totals[0])
        yield f"termlysessiondetails{roll.where}roll", _details(totals[0], roll)
        for second_half in totals[1:]:
            name = f"summerhalfterm2sessiondetails{roll.where}roll"
            details = _details(second_half, roll)
            yield name, details.assign(**{f"{name}tableid": range(len(details))})
        exclusions = _termly_exclusions(tables, roll, excluded, legacy)
        yield f"termlyexclusions{roll.where}roll", exclusions
        if roll.where == "on":
            yield from _on_roll_only(tables, people, roll, census)


def _on_roll_only(
    tables: Tables, people: pd.DataFrame, roll: _Roll, census: _Census
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return the tables that a census collects of pupils on roll only."""
    is_autumn = census.term == "autumn"
    meals = "fsmperiodsonroll" if is_autumn else "fsmperiod"
    yield meals, _fsm_periods(tables, roll, census.day)
    postcode = people["postcode"].to_numpy(object)[roll.rows["pupil_id"].cat.codes]
    yield "addressesonroll" if is_autumn else "addresses", roll.head.assign(postcode=postcode)
    if census.term == "spring":
        yield "senneeds", _needs(tables, roll, census.day)


def _school_table(schools: pd.DataFrame, census: _Census) -> pd.DataFrame:
    """Return one row per school that sends the census."""
    return pd.DataFrame(
        {
            "schoolcensustableid": census.school_row(schools["school_id"]),
            "NativeId": 1,
            "collection": "SC",
            "term": CENSUSES[census.term][0],
            "year": census.day.year,
            "referencedate": census.day.strftime(COLLECT_DATE),
            "estab": schools["school_id"].str[1:],
            "lea": schools["local_authority"],
            "urn": schools["urn"],
        }
    )


def _on_roll(tables: Tables, census: _Census) -> _Roll:
    """Return the pupils on roll on the census day."""
    return _roll(_in_force(tables["enrolments"], census.day, "entry", "leaving"), census, "on")


def _off_roll(tables: Tables, census: _Census) -> _Roll:
    """Return the pupils who left a roll since the census before."""
    rolls = tables["enrolments"]
    left = (rolls["leaving_date"] < census.day) & (rolls["leaving_date"] >= census.before)
    return _roll(rolls[(rolls["entry_date"] <= census.day) & left], census, "off")


def _roll(enrolments: pd.DataFrame, census: _Census, where: Literal["on", "off"]) -> _Roll:
    """Return enrolments with a key for each."""
    mark = f"{census.day.year}{CENSUSES[census.term][0]}"
    ids = pd.Series([f"{mark}-{where}-{i}" for i in range(len(enrolments))], dtype="str")
    head = pd.DataFrame({f"{ROLL_TABLES[where]}tableid": ids, "NativeId": 1})
    return _Roll(where, enrolments.reset_index(drop=True), head)


def _in_force(
    spells: pd.DataFrame, day: pd.Timestamp, starts: str = "start", ends: str = "end"
) -> pd.DataFrame:
    """Return the spells that had begun by a day and had not ended before it."""
    return spells[(spells[f"{starts}_date"] <= day) & ~(spells[f"{ends}_date"] < day)]


def _attended(tables: Tables, spans: TermSpans, census: _Census) -> list[Span | None]:
    """Return the terms or half-terms whose attendance a census collects."""
    term = CENSUSES[census.term][2]
    span = spans.get((census.year - (term == "summer"), term))
    return _summer_halves(tables, span) if census.term == "autumn" else [span]


def _summer_halves(tables: Tables, span: Span | None) -> list[Span | None]:
    """Return the two halves of the summer term: the autumn census collects them separately."""
    if span is None:
        return [None, None]
    days = tables["calendar"]
    days = days[(days["date"] >= span[0]) & (days["date"] <= span[1])]
    return [
        (part.iloc[0], part.iloc[-1])
        for half in (5, 6)
        if len(part := days.loc[days["half_term"] == half, "date"])
    ]


def _excluded(spans: TermSpans, census: _Census) -> list[Span]:
    """Return the two terms whose suspensions and exclusions a census collects."""
    terms = [
        (census.year - (term == "summer" or (term == "spring" and census.term == "autumn")), term)
        for term in CENSUSES[census.term][3]
    ]
    return [spans[term] for term in terms if term in spans]


def _details(totals: pd.DataFrame, roll: _Roll) -> pd.DataFrame:
    """Return half-days by pupil row and code in the columns of COLLECT."""
    rows = totals[~totals["possible"]]
    return pd.DataFrame(
        {
            **roll.keys(rows["row"]),
            "attendancereason": rows["mark"].to_numpy(),
            "sessions": rows["sessions"].to_numpy(float),
        }
    )


def _pupil_table(
    tables: Tables, people: pd.DataFrame, roll: _Roll, census: _Census, totals: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per pupil of a roll; the spring census asks for more."""
    who = people.iloc[roll.rows["pupil_id"].cat.codes].reset_index(drop=True)
    table = _common_columns(roll, who, census, totals)
    if census.term == "spring":
        table["ethnicity"] = who["ethnicity"]
    if roll.where == "off":
        last_day = roll.rows["leaving_date"]
        return table.assign(
            leavingdate=last_day.dt.strftime(COLLECT_DATE),
            ncyearleaving=_year_group(roll.rows, last_day),
        )
    provision = _provision(tables, roll.rows["pupil_id"], census.day)
    year_group = _year_group(roll.rows, pd.Timestamp(census.year, 9, 1))
    table = table.assign(enrolstatus="C", ncyearactual=year_group, senprovision=provision)
    if census.term == "spring":
        table["youngcarer"] = _young_carers(tables, roll.rows["pupil_id"], census.day)
    return table


def _common_columns(
    roll: _Roll, who: pd.DataFrame, census: _Census, totals: pd.DataFrame
) -> pd.DataFrame:
    """Return the columns that every census collects; ``who`` is the pupil of each row."""
    possible = totals[totals["possible"]].set_index("row")["sessions"].reindex(roll.rows.index)
    return roll.head.assign(
        schoolcensustableid=census.school_row(roll.rows["school_id"]),
        **_identity(who),
        entrydate=roll.rows["entry_date"].dt.strftime(COLLECT_DATE),
        parttime=False,
        termlysessionspossible=possible.to_numpy(),
        language=who["language"],
    )


def _identity(who: pd.DataFrame) -> dict[str, Any]:
    """Return the columns that identify a pupil."""
    return {
        "upn": who["upn"],
        "formerupn": "",
        "surname": who["surname"],
        "forename": who["forename"],
        "dob": who["dob"].dt.strftime(COLLECT_DATE),
        "sex": who["sex"],
    }


def _year_group(rolls: pd.DataFrame, day: pd.Timestamp | pd.Series) -> pd.Series:
    """Return the year group of each enrolment on a day, or on a day of its own; Reception is R."""
    group = year_group_on(rolls, day).astype("int64")
    return group.astype("str").where(group > 0, "R")


def _young_carers(tables: Tables, pupils: pd.Series, day: pd.Timestamp) -> NDArray[np.str_]:
    """Return S for each pupil whom the school knew as a young carer by a day, else N."""
    spells = tables["circumstances"]
    carers = spells[(spells["kind"] == "young_carer") & (spells["start_date"] <= day)]
    return np.where(pupils.isin(carers["pupil_id"]), "S", "N")


def _current_send(tables: Tables, day: pd.Timestamp) -> pd.DataFrame:
    """Return the latest spell of SEN provision of each pupil who has one on a day."""
    return _in_force(tables["send"], day).drop_duplicates("pupil_id", keep="last")


def _provision(tables: Tables, pupils: pd.Series, day: pd.Timestamp) -> NDArray[np.object_]:
    """Return the SEN provision of each pupil on a day, N for none."""
    by_pupil = _current_send(tables, day).set_index("pupil_id")["provision"]
    return pupils.map(by_pupil.astype("str")).astype("object").fillna("N").to_numpy(object)


def _totals(tables: Tables, roll: _Roll, span: Span | None) -> pd.DataFrame:
    """Return half-days by pupil row and code in a term, and possible ones; only while on this roll."""
    if span is None or roll.rows.empty:
        return _no_totals()
    found = _marks_on_roll(tables["sessions"], roll, span)
    if found.empty:
        return _no_totals()
    counts = found.groupby(["row", "mark"], observed=True).size().rename("sessions").reset_index()
    whole = found.groupby("row").size().rename("sessions").reset_index()
    counts["mark"] = counts["mark"].astype("str")
    return pd.concat(
        [counts.assign(possible=False), whole.assign(mark="", possible=True)], ignore_index=True
    )


def _no_totals() -> pd.DataFrame:
    """Return the totals of a term without marks."""
    return pd.DataFrame(
        {
            "row": np.zeros(0, int),
            "mark": pd.array([], dtype="str"),
            "sessions": np.zeros(0),
            "possible": np.zeros(0, bool),
        }
    )


def _marks_on_roll(sessions: pd.DataFrame, roll: _Roll, span: Span) -> pd.DataFrame:
    """Return the marks of a term on days on which their pupil was on this roll."""
    inside = ((sessions["date"] >= span[0]) & (sessions["date"] <= span[1])).to_numpy()
    rows = roll.numbered("pupil_id", "entry_date", "leaving_date")
    rows = rows.drop_duplicates("pupil_id", keep="last")
    found = sessions.loc[inside, ["pupil_id", "date", "mark"]].merge(rows, on="pupil_id")
    return found[(found["date"] >= found["entry_date"]) & ~(found["date"] > found["leaving_date"])]


def _termly_exclusions(
    tables: Tables, roll: _Roll, spans: list[Span], legacy: set[str]
) -> pd.DataFrame:
    """Return the suspensions and exclusions of some terms that the roll's school issued."""
    keys = ["pupil_id", "school_id"]
    facts = _started_in(tables["suspensions"], spans)
    found = facts.merge(roll.numbered(*keys).drop_duplicates(keys), on=keys)
    return pd.DataFrame(
        {
            **roll.keys(found["row"]),
            "startdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "sessions": found["sessions"],
            "category": _category(found, legacy),
            **{f"reason{i}": found[f"reason_{i}"] for i in (1, 2, 3)},
            "senprovision": _provision(tables, found["pupil_id"], spans[-1][1]) if spans else "N",
        }
    )


def _started_in(suspensions: pd.DataFrame, spans: list[Span]) -> pd.DataFrame:
    """Return the suspensions and exclusions that started in one of some terms."""
    inside = np.zeros(len(suspensions), dtype=bool)
    for first, last in spans:
        inside |= suspensions["start_date"].between(first, last).to_numpy()
    return suspensions[inside]


def _category(found: pd.DataFrame, legacy: set[str]) -> pd.Series:
    """Return the category of each row; schools with an old system write FIXD for a suspension."""
    category = found["category"].astype("str")
    return category.mask((category == "SUSP") & found["school_id"].isin(legacy), "FIXD")


def _fsm_periods(tables: Tables, roll: _Roll, day: pd.Timestamp) -> pd.DataFrame:
    """Return the spells of free school meals that had begun by a day; later ends are not known."""
    spells = tables["circumstances"]
    spells = spells[(spells["kind"] == "fsm") & (spells["start_date"] <= day)]
    found = spells.merge(roll.numbered("pupil_id").drop_duplicates("pupil_id"), on="pupil_id")
    ended = found["end_date"].where(found["end_date"] < day)
    return pd.DataFrame(
        {
            **roll.keys(found["row"]),
            "fsmstartdate": found["start_date"].dt.strftime(COLLECT_DATE),
            "fsmenddate": ended.dt.strftime(COLLECT_DATE),
            "ukcountry": "ENG",
        }
    )


def _needs(tables: Tables, roll: _Roll, day: pd.Timestamp) -> pd.DataFrame:
    """Return the primary need of each pupil on roll who has SEN provision on a day."""
    rows = roll.numbered("pupil_id").drop_duplicates("pupil_id")
    found = _current_send(tables, day).merge(rows, on="pupil_id")
    return pd.DataFrame(
        {
            **roll.keys(found["row"]),
            "sentyperank": 1.0,
            "sentype": found["primary_need"].astype("str"),
        }
    )
