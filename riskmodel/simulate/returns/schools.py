"""What schools send the LA between censuses: daily marks, suspensions, results.

In:  the tables of a simulated LA.
Out: one frame per file.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from riskmodel.data.calendar import academic_year
from riskmodel.data.read.sources.results import FIRST_SCALED
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
        yield f"registers/marks_{first}.parquet", _register(sessions[year == first], upn)


def _register(sessions: pd.DataFrame, upn: pd.Index) -> pd.DataFrame:
    """Return marks in the columns of the feed; ``upn`` is in the order of the pupils' numbers."""
    return pd.DataFrame(
        {
            "UPN": pd.Categorical.from_codes(sessions["pupil_id"].cat.codes, upn),
            "Date": sessions["date"],
            "Session": sessions["session"].astype("str"),
            "Mark": sessions["mark"].astype("str"),
            "Received": sessions["recorded_on"],
        }
    )


def exclusions(tables: Tables, people: pd.DataFrame) -> pd.DataFrame:
    """Return the suspensions and permanent exclusions that schools report within days.

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

    Examples
    --------
    >>> pupils = pd.Categorical(["P2"], categories=["P1", "P2"])
    >>> days = pd.to_datetime(["2025-03-03"])
    >>> row = {"pupil_id": pupils, "school_id": "S0012", "category": "SUSP", "start_date": days}
    >>> row |= {"sessions": 4.0, "reason_1": "DB", "reason_2": None, "reason_3": None}
    >>> facts = pd.DataFrame(row | {"recorded_on": days})
    >>> file = exclusions(Tables({"suspensions": facts}), pd.DataFrame({"upn": ["A1", "B2"]}))
    >>> file[["UPN", "Estab", "Start date", "Sessions", "Reason 1"]].values.tolist()
    [['B2', '0012', '03/03/2025', 4.0, 'DB']]
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
    facts = facts.assign(UPN=upn, ACADYR=facts["result_date"].dt.year)
    has_scale = facts["result_date"].dt.year >= FIRST_SCALED  # before, pupils had levels
    yield "ks2.csv", _scaled_scores(facts[(facts["stage"] == "KS2") & has_scale])
    yield "ks4.csv", _attainment_8(facts[facts["stage"] == "KS4"])


def _scaled_scores(facts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per pupil with the scaled scores in two subjects, 80 to 120."""
    keys = ["UPN", "ACADYR"]
    wide = facts.pivot_table(index=keys, columns="subject", values="score", observed=True)
    scaled = (104 + 7 * wide).round().clip(80, 120).astype(int).reset_index()
    return scaled.rename(columns={"reading": "READSCORE", "mathematics": "MATSCORE"})


def _attainment_8(facts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per pupil with Attainment 8, 0 to 90."""
    score = (46 + 17 * facts["score"]).clip(0, 90).round(1)
    return facts[["UPN", "ACADYR"]].assign(ATT8=score)
