"""A School Census as one flat file: as DfE's pupil download gives it, or as an LA's own extract.

In:  one row per pupil on roll; the census is named by its day, or by school year and term.
Out: pupils, spells on rolls, SEN provision and needs, free school meals on the day, neighbourhood.

The day of a census that is named by year and term is the first Thursday of October or the third of
January or May (recalled, unverified; it holds for the censuses of 2019 to 2025). The facts count as
known when the LA holds the return, as with the tables of COLLECT: the LA had the return before it was
downloaded again.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.census import DAYS_TO_LA, flags_of_day, homes, pupil_facts
from riskmodel.data.read.sources.schools import school_of
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    first_there,
    last_year,
)

__all__ = ["FLAT_BY_DAY", "SOURCES", "census_days", "day_of_census", "school_of_census"]

FLAT_BY_DAY = "School Census, one flat file, census day given"
"""The source whose rows hold their census day."""

CENSUSES = {"aut": (10, 1), "spr": (1, 3), "sum": (5, 3)}
"""First letters of a term → month of its census, and which Thursday of the month it is."""

ALIASES = {
    "gender": "sex",
    "senneed1": "primarysentype",
    "senneed2": "secondarysentype",
    "fsmeoncensusday": "fsmeligible",
    "censusdate": "referencedate",
    "censusday": "referencedate",
}


def census_days(school_years: pd.Series, terms: pd.Series) -> pd.Series:
    """Return the days of School Censuses.

    Parameters
    ----------
    school_years : Series of str, shape (n_rows,)
        ``2023/2024``, ``2023/24``, or the year in which the school year ends.
    terms : Series of str, shape (n_rows,)
        ``Autumn``, ``Spring`` or ``Summer``, or their first three letters.

    Returns
    -------
    Series of datetime64
        Missing where the year or the term is not known.

    Examples
    --------
    >>> days = census_days(pd.Series(["2023/2024", "2023/24"]), pd.Series(["Autumn", "SPR"]))
    >>> days.dt.strftime("%Y-%m-%d").tolist()
    ['2023-10-05', '2024-01-18']
    """
    term = terms.astype("str").str.strip().str.lower().str.slice(0, 3)
    month = term.map({name: census[0] for name, census in CENSUSES.items()})
    nth = term.map({name: census[1] for name, census in CENSUSES.items()})
    year = last_year(school_years) - (term == "aut")
    first = pd.to_datetime({"year": year, "month": month, "day": 1}, errors="coerce")
    to_thursday = (3 - first.dt.day_of_week) % 7 + 7 * (nth - 1)
    return first + pd.to_timedelta(to_thursday, unit="D")


def day_of_census(frame: pd.DataFrame) -> pd.Series:
    """Return the census day of each row of a flat file.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``referencedate``, or with ``academicyear`` and ``censusterm``.

    Returns
    -------
    Series of datetime64
        Missing where the row names no census.
    """
    if "referencedate" in frame:
        return read_dates(frame["referencedate"])
    return census_days(frame["academicyear"], frame["censusterm"])


def school_of_census(frame: pd.DataFrame, context: Context) -> pd.Series:
    """Return the school of each row of a flat file.

    Parameters
    ----------
    frame : DataFrame
        Rows with plain column names.
    context : Context
        Schools of numbers and names.

    Returns
    -------
    Series of str
        Missing where the row names none.
    """
    return school_of(first_there(frame, ("urn", "estab", "laestab")), context)


def _facts(frame: pd.DataFrame, context: Context) -> Facts:
    day = day_of_census(frame)
    recorded = day + pd.Timedelta(days=DAYS_TO_LA)
    school = school_of_census(frame, context)
    known = pd.DataFrame({"school_id": school, "day": day, "recorded_on": recorded})
    facts = dict(pupil_facts(frame, known))
    if "primarysentype" in frame:
        facts["needs"] = _needs(frame, known)
    if "postcode" in frame and not context.deciles.empty:
        facts["neighbourhood"] = homes(frame["pupil_id"], frame["postcode"], known, context)
    if "fsmeligible" in frame:
        # who was eligible on the day; since when is not in the file
        meals = flags_of_day(
            frame, "fsmeligible", "fsm", known, yes=["eligible"], no=["not eligible"]
        )
        others = [facts[name] for name in ("circumstances",) if name in facts]
        facts["circumstances"] = pd.concat([*others, meals])
    return facts


def _needs(frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    needs = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "primary_need": frame["primarysentype"],
            "secondary_need": column(frame, "secondarysentype"),
            "start_date": known["day"],
            "recorded_on": known["recorded_on"],
        }
    )
    return needs[needs[["primary_need", "secondary_need"]].notna().any(axis=1)]


SOURCES = (
    Source(
        name="School Census, one flat file, year and term given",
        upn="upn",
        names_pupils=True,
        facts=_facts,
        aliases=ALIASES,
        columns=frozenset({"upn", "dob", "entrydate", "academicyear", "censusterm"}),
    ),
    Source(
        name=FLAT_BY_DAY,
        upn="upn",
        names_pupils=True,
        facts=_facts,
        aliases=ALIASES,
        columns=frozenset({"upn", "dob", "entrydate", "referencedate"}),
    ),
)
"""Flat censuses."""
