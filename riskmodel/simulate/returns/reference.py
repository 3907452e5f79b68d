"""Files that help to read the others: the register of schools, and term dates.

In:  the tables of a simulated LA.
Out: one frame per file.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.tables import Tables

__all__ = ["schools", "term_dates"]


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
    """
    schools = tables["schools"]
    kind = schools["kind"].astype("str")
    types = {
        "mainstream": "Academy converter",
        "special": "Academy special converter",
        "AP": "Pupil referral unit",
    }
    phases = {"primary": "Primary", "secondary": "Secondary", "all_through": "Not applicable"}
    return pd.DataFrame(
        {
            "URN": schools["urn"],
            "LA (code)": schools["local_authority"],
            "EstablishmentNumber": schools["school_id"].str[1:],
            "EstablishmentName": schools["name"],
            "PhaseOfEducation (name)": schools["phase"].astype("str").map(phases),
            "TypeOfEstablishment (name)": kind.map(types),
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
    """
    calendar = tables["calendar"]
    return pd.DataFrame(
        {
            "Date": calendar["date"].dt.strftime("%d/%m/%Y"),
            "Term": calendar["term"].astype("str").str.title(),
            "Half term": calendar["half_term"],
        }
    )
