"""NCCIS client extracts of young people aged 16 and 17, and an LA's own grouping of activities.

In:  one row per young person and activity; one row per activity code.
Out: destinations, pupils, circumstances.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.source import Context, Facts, Source, column, is_there

__all__ = ["SOURCES", "YEARS_OF_BIRTH"]

CHARACTERISTICS = {
    "110": "looked_after",
    "120": "pregnant_or_parent",
    "140": "young_carer",
    "170": "youth_justice",
    "180": "pregnant_or_parent",
    "190": "pregnant_or_parent",
    "200": "alternative_provision",
}
"""NCCIS characteristic code → kind of circumstance (DfE, NCCIS management information, 2023)."""

YEARS_OF_BIRTH = (1950, 2099)
"""Years that can be read; another one is reported, and the row is used without it."""


def _clients(frame: pd.DataFrame, context: Context) -> Facts:
    verified = column(frame, "dateverified").astype("object")
    # a position is known since it was ascertained, where nobody verified it since
    verified = verified.where(is_there(verified), column(frame, "dateascertained"))
    code = frame["activitycode"].astype("str").str.strip()
    destinations = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "activity_code": frame["activitycode"],
            "group": code.map(context.group_of_activity),
            "start_date": frame["startdate"],
            "confirmed_on": verified,
            "recorded_on": verified,
            "lapses_on": column(frame, "duetolapsedate"),
        }
    )
    year = pd.to_numeric(frame["yearofbirth"], errors="coerce")
    born = pd.to_datetime(
        {
            "year": year.where(year.between(*YEARS_OF_BIRTH)),
            "month": pd.to_numeric(column(frame, "monthofbirth"), errors="coerce"),
            "day": 1,
        },
        errors="coerce",
    )
    pupils = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "birth_month": born,
            "sex": column(frame, "gender"),
            "ethnicity": column(frame, "ethnicity"),
            "_day": read_dates(verified),
        }
    )
    facts = {"destinations": destinations, "pupils": pupils}
    if "characteristiccode" in frame:
        kind = frame["characteristiccode"].astype("str").str.findall(r"\d{3}").explode()
        kind = kind.map(CHARACTERISTICS).dropna()
        facts["circumstances"] = pd.DataFrame(
            {
                "pupil_id": frame["pupil_id"].loc[kind.index],
                "kind": kind,
                "start_date": verified.loc[kind.index],
                "recorded_on": verified.loc[kind.index],
                "_flag": True,
            }
        )
    return facts


SOURCES = (
    Source(
        name="NCCIS clients",
        upn="uniquepupilnumber",
        names_pupils=True,
        facts=_clients,
        columns=frozenset({"uniquepupilnumber", "activitycode", "startdate", "yearofbirth"}),
    ),
    Source(name="Groups of NCCIS activities", columns=frozenset({"activitycode", "activitygroup"})),
)
"""NCCIS."""
