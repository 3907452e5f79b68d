"""Rolls of school systems: a pupil list with year, registration group, admission and leaving date.

In:  one row per pupil, with the school it is of.
Out: pupils, spells on rolls.

A roll without a column of the school is not read: nothing in it names its school. Names of
columns are those that school systems commonly print; no export of one was at hand.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.census import census_year_groups, year_group_at_entry
from riskmodel.data.read.sources.enrolment_status import enrolment_status
from riskmodel.data.read.sources.schools import school_of
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    first_there,
    is_there,
    plain,
    school_year,
)

__all__ = ["BY_URN", "SOURCES", "days_drawn", "is_bare_roll", "year_drawn", "year_groups_in_words"]

ALIASES = {
    **dict.fromkeys(("year", "yr", "ncyear", "curriculumyear", "yeargroupname"), "yeargroup"),
    **dict.fromkeys(("dateofadmission", "admitted", "doa", "admission"), "admissiondate"),
    **dict.fromkeys(("dateofleaving", "dateleft", "leftdate", "dol"), "leavingdate"),
    **dict.fromkeys(("reasonforleaving", "leaversreason", "leftreason"), "leavingreason"),
    **dict.fromkeys(("dateofbirth", "birthdate"), "dob"),
    **dict.fromkeys(("gender", "legalsex"), "sex"),
    **dict.fromkeys(("enrolmentstatus", "enrollmentstatus"), "enrolstatus"),
    **dict.fromkeys(("legalsurname", "lastname", "familyname"), "surname"),
    **dict.fromkeys(("legalforename", "firstname"), "forename"),
    "schoolurn": "urn",
}

NUMBERS = dict.fromkeys(
    (
        "school",
        "schoolnumber",
        "schoolname",
        "establishment",
        "establishmentnumber",
        "establishmentname",
        "dfenumber",
        "dfeno",
        "laestab",
    ),
    "estab",
)
"""Columns that hold the school's number, or its name."""

OF_APPLICATIONS = re.compile(
    "application|applicant|dateapplied|preference|offer|allocated|waitinglist|appeal|oversubscription"
)
"""In the plain name of a column or of a file: a list of applications for places."""

OF_BENEFITS = re.compile("fsm|meal|premium|bursary|fund")
"""In the plain name of a column: an application for something other than a place."""

OF_ROLLS = re.compile("reg|form|tutor|class|house|leavingdate|enrolstatus|received|onroll|leaver")
"""In the plain name of a column: one that lists of applications have not."""

NOT_SURE = (
    "It has the columns of a roll, and may be a list of applications for places, of which some are refused: "
    "{why}. If it is a roll, take out what shows that, or declare its columns in [sources.*] of "
    "riskmodel.toml (riskmodel map FILE). If it is not, leave the file out."
)

FIRST_YEARS = (0, 3, 5, 7, 9, 12)
"""Year groups with which infant, junior, middle, secondary and upper schools and sixth forms begin."""

INTAKE, IN_YEAR = 9, 0.1
"""Month of an intake; share of admissions in other months, from which a year has begun: chosen."""

BY_URN = ("urn", "estab", *NUMBERS)
"""Columns of the school, the one that counts before others first."""


def year_groups_in_words(values: pd.Series) -> pd.Series:
    """Return year groups as numbers, however a school system writes them.

    Parameters
    ----------
    values : Series of str, shape (n_rows,)
        ``8``, ``Year 8``, ``Yr 8``, ``Y8``, ``R`` or ``Reception``, or a code of the School Census.

    Returns
    -------
    Series of float64
        Reception is 0; missing where it is none of these.

    Examples
    --------
    >>> year_groups_in_words(pd.Series(["Year  8", "Y11", "Reception", "Mixed"])).tolist()
    [8.0, 11.0, 0.0, nan]
    """
    text = values.astype("str").str.strip().str.upper()
    text = text.str.replace(r"^(?:(?:CURRICULUM )?(?:YEAR|YR|Y)\.?(?: GROUP)?\s*)", "", regex=True)
    return census_year_groups(text.replace({"RECEPTION": "R", "REC": "R"}))


def is_bare_roll(frame: pd.DataFrame) -> bool:
    """Return whether a roll has no column that a list of applications for places would lack.

    Parameters
    ----------
    frame : DataFrame
        Rows with plain column names.

    Returns
    -------
    bool
        False also for a frame that is no roll.

    Examples
    --------
    >>> plain_roll = pd.DataFrame(columns=["upn", "yeargroup", "admissiondate", "estab"])
    >>> is_bare_roll(plain_roll), is_bare_roll(plain_roll.assign(regform="9A"))
    (True, False)
    """
    is_roll = {"yeargroup", "admissiondate"} <= set(frame)
    return is_roll and not any(OF_ROLLS.search(str(one)) for one in frame)


def _may_be_applications(frame: pd.DataFrame, name: str) -> str:
    """Return why a roll may be a list of applications for places, which has the same columns."""
    columns = [one for one in map(str, frame) if not OF_BENEFITS.search(one)]
    if any(OF_APPLICATIONS.search(one) for one in (*columns, plain(name))):
        return NOT_SURE.format(why="its name, or that of a column, shows it")
    current = frame[~is_there(column(frame, "leavingdate"))]
    school = first_there(current, BY_URN).astype("str")
    if (school.groupby([current["upn"], current["admissiondate"]]).nunique() > 1).mean() > 0.5:
        return NOT_SURE.format(why="most pupils have several schools from one day on")
    return ""


def _roll(frame: pd.DataFrame, context: Context) -> Facts:
    """Take pupils and their spells; the year shown is that of the day drawn, or of the last day."""
    entry, leaving = read_dates(frame["admissiondate"]), read_dates(column(frame, "leavingdate"))
    born, group = read_dates(column(frame, "dob")), year_groups_in_words(frame["yeargroup"])
    drawn = days_drawn(frame)
    seen = pd.concat([drawn, leaving], axis=1).min(axis=1)
    rolls = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": school_of(first_there(frame, BY_URN), context),
            "entry_date": frame["admissiondate"],
            "leaving_date": column(frame, "leavingdate"),
            "leaving_reason": column(frame, "leavingreason").where(leaving.notna()),
            "status": enrolment_status(first_there(frame, ("enrolstatus", "status"))),
            "year_group": year_group_at_entry(group, seen, entry, born, frame["yeargroup"]),
        }
    )
    if "received" in frame:
        rolls["recorded_on"] = frame["received"]
        rolls["end_recorded_on"] = frame["received"].where(leaving.notna())
        rolls = rolls.assign(_seen=read_dates(frame["received"]), _return="roll")
    return {"pupils": _pupils(frame, born, drawn), "enrolments": rolls}


def days_drawn(frame: pd.DataFrame) -> pd.Series:
    """Return the day on which each row of a roll was drawn: the one received, else the earliest possible.

    Parameters
    ----------
    frame : DataFrame
        Rows of a roll with plain column names.

    Returns
    -------
    Series of datetime64
        Of a list of leavers the last day of each; missing where nothing shows the school year.
    """
    entry, leaving = read_dates(frame["admissiondate"]), read_dates(column(frame, "leavingdate"))
    born, received = (read_dates(column(frame, name)) for name in ("dob", "received"))
    on_roll = leaving.isna()
    if on_roll.mean() < 0.5 and not born[on_roll].notna().any():
        # each row shows its own last day; one who has none is on the list by mistake
        return received.fillna(leaving).fillna(leaving.max())
    year = year_drawn(year_groups_in_words(frame["yeargroup"])[on_roll], born, entry)
    if np.isnan(year):
        return received
    first = pd.Timestamp(int(year), 9, 1)
    return received.fillna(max([first, *entry[school_year(entry) == year].dropna()]))


def year_drawn(group: pd.Series, born: pd.Series, entry: pd.Series) -> float:
    """Return the school year whose year groups a roll shows.

    Parameters
    ----------
    group : Series of float64, shape (n_on_roll,)
        Year groups of the pupils on roll.
    born, entry : Series of datetime64, shape (n_rows,)
        Days of birth and of admission.

    Returns
    -------
    float
        Calendar year in which it began: the one in which most pupils have the age of their year group.
        Without days of birth the latest one in which most pupils entered in a usual first year group: next
        year's intake may be on the roll. Missing where no year is such.

    Examples
    --------
    >>> group, entry = pd.Series([9.0, 9, 6]), pd.Series(["2022-09-05", "2022-09-05", "2025-09-01"])
    >>> year_drawn(group, pd.Series([pd.NaT] * 3), pd.to_datetime(entry))
    2024.0
    """
    by_age = (group + 5 + school_year(born)).mode()
    if len(by_age):
        return float(by_age.iloc[0])
    admitted = school_year(entry)
    counts = admitted.value_counts()
    usual = counts.index[counts >= len(entry) / 100]
    if usual.empty:
        return float("nan")
    is_last = admitted == usual.max()
    if (is_last & (entry.dt.month != INTAKE)).mean() >= IN_YEAR:
        return float(usual.max())
    for year in np.arange(usual.max(), admitted.median() - 1, -1):
        shares = (group - (year - admitted)).value_counts(normalize=True)
        if shares.reindex(FIRST_YEARS).max() > 0.5:
            return float(year)
    return float("nan")


def _pupils(frame: pd.DataFrame, born: pd.Series, drawn: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "birth_month": born.dt.strftime("%Y-%m-01"),
            "sex": column(frame, "sex"),
            "ethnicity": column(frame, "ethnicity"),
            "_day": drawn,
        }
    )


SOURCES = (
    Source(
        name="School roll, school by URN",
        upn="upn",
        names_pupils=True,
        facts=_roll,
        doubt=_may_be_applications,
        aliases=ALIASES,
        columns=frozenset({"upn", "yeargroup", "admissiondate", "urn"}),
    ),
    Source(
        name="School roll",
        upn="upn",
        names_pupils=True,
        facts=_roll,
        doubt=_may_be_applications,
        aliases=ALIASES | NUMBERS,
        columns=frozenset({"upn", "yeargroup", "admissiondate", "estab"}),
    ),
)
"""Rolls."""
