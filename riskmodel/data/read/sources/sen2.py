"""SEN2 person-level: requests, plans and needs.

In:  the tables of the return, joined on UPN.
Out: requests for plans, plans, needs.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.source import Context, Facts, Source

__all__ = ["SOURCES"]

OUTCOMES = {"Y": "issued", "N": "refused", "W": "withdrawn"}
"""Outcomes of a request for an EHC plan (codes recalled, unverified)."""


def _requests(frame: pd.DataFrame, context: Context) -> Facts:
    plans = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "requested_on": frame["receiveddate"],
            "decided_on": frame["requestoutcomedate"],
            "outcome": frame["requestoutcome"].astype("object").map(OUTCOMES),
            "recorded_on": (read_dates(frame["receiveddate"]) + pd.Timedelta(days=1)),
        }
    )
    return {"plans": plans}


def _named_plans(frame: pd.DataFrame, context: Context) -> Facts:
    start, end = read_dates(frame["startdate"]), read_dates(frame["ceasedate"])
    send = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "provision": "E",
            "start_date": start,
            "end_date": end,
            "recorded_on": start,  # the LA itself issues the plan
            "end_recorded_on": end + pd.Timedelta(days=1),
            "_plan": True,
        }
    )
    return {"send": send}


def _plan_needs(frame: pd.DataFrame, context: Context) -> Facts:
    rank = pd.to_numeric(frame["sentyperank"], errors="coerce")
    needs = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "primary_need": frame["sentype"].where(rank == 1),
            "secondary_need": frame["sentype"].where(rank == 2),
        }
    )
    return {"needs": needs}


SOURCES = (
    Source(
        name="SEN2: requests",
        upn="upn",
        facts=_requests,
        columns=frozenset({"upn", "receiveddate", "requestoutcome", "requestoutcomedate"}),
    ),
    Source(
        name="SEN2: named plans",
        upn="upn",
        facts=_named_plans,
        columns=frozenset({"upn", "startdate", "ceasedate", "ceasereason"}),
    ),
    Source(
        name="SEN2: needs",
        upn="upn",
        facts=_plan_needs,
        columns=frozenset({"upn", "sentype", "sentyperank"}),
    ),
)
"""Tables of SEN2."""
