"""Rolls of school systems: a pupil list with year, registration group, admission and leaving date.

In:  one row per pupil, with the school it is of.
Out: pupils, spells on rolls.

A roll without a column of the school is not read: nothing in it names its school. Names of
columns are those that school systems commonly print; no export of one was at hand.
"""

from __future__ import annotations

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
    school_year,
)

__all__ = ["SOURCES", "year_groups_in_words"]

ALIASES = {
    **dict.fromkeys(("year", "yr", "ncyear", "curriculumyear", "yeargroupname"), "yeargroup"),
    **dict.fromkeys(("dateofadmission", "admitted", "doa", "admission"), "admissiondate"),
    **dict.fromkeys(("dateofleaving", "dateleft", "leftdate", "dol"), "leavingdate"),
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


def _roll(frame: pd.DataFrame, context: Context) -> Facts:
    """Take pupils and their spells; the year shown is that of the day drawn, or of the last day."""
    entry, leaving = read_dates(frame["admissiondate"]), read_dates(column(frame, "leavingdate"))
    born, group = read_dates(column(frame, "dob")), year_groups_in_words(frame["yeargroup"])
    received = read_dates(column(frame, "received"))
    on_roll = leaving.isna()
    # of a list of leavers each row shows its own last day; one who has none is on it by mistake
    drawn = received.fillna(leaving).fillna(leaving.max())
    if on_roll.mean() >= 0.5 or born[on_roll].notna().any():
        drawn = _days_drawn(received, group[on_roll], born, entry)
    seen = pd.concat([drawn, leaving], axis=1).min(axis=1)
    rolls = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": school_of(first_there(frame, BY_URN), context),
            "entry_date": frame["admissiondate"],
            "leaving_date": column(frame, "leavingdate"),
            "status": enrolment_status(column(frame, "enrolstatus")),
            "year_group": year_group_at_entry(group, seen, entry, born, frame["yeargroup"]),
        }
    )
    if "received" in frame:
        rolls["recorded_on"] = frame["received"]
    return {"pupils": _pupils(frame, born, drawn), "enrolments": rolls}


def _days_drawn(
    received: pd.Series, group: pd.Series, born: pd.Series, entry: pd.Series
) -> pd.Series:
    """Return the day received, else the earliest on which the roll can have been drawn.

    Its school year is the one in which most pupils on the roll have the age of their year group. Without
    days of birth it is the latest that began for one pupil in a hundred: one wrong admission moves no other.
    """
    by_age = (group + 5 + school_year(born)).mode()
    admitted = school_year(entry).value_counts()
    latest = admitted.index[admitted >= len(entry) / 100].max()
    year = float(by_age.iloc[0] if len(by_age) else latest)
    if np.isnan(year):
        return received
    first = pd.Timestamp(int(year), 9, 1)
    return received.fillna(max([first, *entry[school_year(entry) == year].dropna()]))


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
        aliases=ALIASES,
        columns=frozenset({"upn", "yeargroup", "admissiondate", "urn"}),
    ),
    Source(
        name="School roll",
        upn="upn",
        names_pupils=True,
        facts=_roll,
        aliases=ALIASES | NUMBERS,
        columns=frozenset({"upn", "yeargroup", "admissiondate", "estab"}),
    ),
)
"""Rolls."""
