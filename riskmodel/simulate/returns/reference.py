"""Files that help to read the others: the register of schools, and term dates.

In:  the tables of a simulated LA.
Out: one frame per file.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.tables import Tables
from riskmodel.data.year_groups import PHASES

__all__ = ["schools", "term_dates"]

TYPES = {
    "mainstream": "Academy converter",
    "special": "Academy special converter",
    "AP": "Pupil referral unit",
}
"""Kind of a school → type of establishment."""

PHASE_OF_EDUCATION = PHASES | {"all_through": "Not applicable"}
"""Phase of a school → what the school register calls it."""


def schools(tables: Tables) -> pd.DataFrame:
    """Return the school register in the columns of Get Information about Schools.

    Parameters
    ----------
    tables : Tables
        A simulated LA.

    Returns
    -------
    DataFrame
        Rows of the file.

    Examples
    --------
    >>> row = {"urn": "900012", "local_authority": "839", "school_id": "S0012"}
    >>> row |= {"name": "School 12", "phase": "secondary", "kind": "mainstream"}
    >>> schools(Tables({"schools": pd.DataFrame([row])})).iloc[0].to_list()
    ['900012', '839', '0012', 'School 12', 'Secondary', 'Academy converter']
    """
    schools = tables["schools"]
    return pd.DataFrame(
        {
            "URN": schools["urn"],
            "LA (code)": schools["local_authority"],
            "EstablishmentNumber": schools["school_id"].str[1:],
            "EstablishmentName": schools["name"],
            "PhaseOfEducation (name)": schools["phase"].astype("str").map(PHASE_OF_EDUCATION),
            "TypeOfEstablishment (name)": schools["kind"].astype("str").map(TYPES),
        }
    )


def term_dates(tables: Tables) -> pd.DataFrame:
    """Return the school days with their terms and half-terms.

    Parameters
    ----------
    tables : Tables
        A simulated LA.

    Returns
    -------
    DataFrame
        Rows of the file.

    Examples
    --------
    >>> row = {"date": pd.Timestamp("2025-03-03"), "term": "spring", "half_term": 4}
    >>> term_dates(Tables({"calendar": pd.DataFrame([row])})).to_dict("records")
    [{'Date': '03/03/2025', 'Term': 'Spring', 'Half term': 4}]
    """
    calendar = tables["calendar"]
    return pd.DataFrame(
        {
            "Date": calendar["date"].dt.strftime("%d/%m/%Y"),
            "Term": calendar["term"].astype("str").str.title(),
            "Half term": calendar["half_term"],
        }
    )
