"""What schools send the LA between censuses: daily marks, suspensions, results.

In:  the tables of a simulated LA.
Out: one frame per file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import Tables
from riskmodel.simulate.returns.people import upn_of

__all__ = ["exclusions", "registers", "results"]


def registers(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return a daily feed of marks, one file per school year.

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
    sessions = tables["sessions"]
    year = academic_year(sessions["date"]).to_numpy(dtype=int)
    upn = pd.Index(people["upn"])
    for first in np.unique(year):
        part = sessions[year == first]
        yield (
            f"registers/marks_{first}.parquet",
            pd.DataFrame(
                {
                    "UPN": pd.Categorical.from_codes(part["pupil_id"].cat.codes, upn),
                    "Date": part["date"],
                    "Session": part["session"].astype("str"),
                    "Mark": part["mark"].astype("str"),
                    "Received": part["recorded_on"],
                }
            ),
        )


def exclusions(tables: Tables, people: pd.DataFrame) -> pd.DataFrame:
    """Return what schools tell the LA within days: suspensions and permanent exclusions.

    Parameters
    ----------
    tables : Tables
        A simulated LA.
    people : DataFrame
        From :func:`~.people.make_people`.

    Returns
    -------
    DataFrame
        Rows of the file.
    """
    facts = tables["suspensions"]
    return pd.DataFrame(
        {
            "UPN": upn_of(people, facts["pupil_id"]),
            "Estab": facts["school_id"].str[1:],
            "Category": facts["category"].astype("str"),
            "Start date": facts["start_date"].dt.strftime("%d/%m/%Y"),
            "Sessions": facts["sessions"],
            **{f"Reason {i}": facts[f"reason_{i}"] for i in (1, 2, 3)},
            "Date notified": facts["recorded_on"].dt.strftime("%d/%m/%Y"),
        }
    )


def results(tables: Tables, people: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Return results: key stage 2 as scaled scores, key stage 4 as Attainment 8.

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
    facts = tables["attainment"]
    upn = upn_of(people, facts["pupil_id"])
    facts = facts.assign(UPN=upn, Year=facts["result_date"].dt.year)
    two = facts[facts["stage"] == "KS2"]
    wide = two.pivot_table(index=["UPN", "Year"], columns="subject", values="score", observed=True)
    scaled = (104 + 7 * wide).round().clip(80, 120).astype(int).reset_index()
    yield (
        "ks2.csv",
        scaled.rename(
            columns={"reading": "READSCORE", "mathematics": "MATSCORE", "Year": "ACADYR"}
        ),
    )
    four = facts[facts["stage"] == "KS4"]
    yield (
        "ks4.csv",
        pd.DataFrame(
            {
                "UPN": four["UPN"],
                "ACADYR": four["Year"],
                "ATT8": (46 + 17 * four["score"]).clip(0, 90).round(1),
            }
        ),
    )
