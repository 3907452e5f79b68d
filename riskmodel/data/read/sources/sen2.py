"""SEN2 person-level: requests, plans and needs.

In:  the tables of the return, as an LA joins them on UPN or as COLLECT gives them, joined by id.
Out: requests for plans, plans, needs.

In the tables of COLLECT the outcome of a request is whether the LA assesses, and that of the assessment
is whether it issues a plan. An LA's own table of requests is taken to hold the outcome of both.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.need_ranks import ranked_needs
from riskmodel.data.read.sources.source import Context, Facts, Source, column, is_there

__all__ = ["SOURCES"]

OUTCOMES = {"Y": "issued", "N": "refused", "W": "withdrawn"}
"""Outcomes of a request for an EHC plan, or of an assessment (codes recalled, unverified)."""

PLACEMENTS = "There is no table of placements yet."


def _outcome(answers: pd.Series) -> pd.Series:
    """Return the outcome of each code; another code stays, and counts as not known."""
    text = answers.astype("str").str.strip().str.upper()
    return text.map(OUTCOMES).astype("object").fillna(answers.astype("object"))


def _requests(frame: pd.DataFrame, context: Context) -> Facts:
    plans = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "requested_on": frame["receiveddate"],
            "decided_on": frame["requestoutcomedate"],
            "outcome": _outcome(frame["requestoutcome"]),
            "recorded_on": (read_dates(frame["receiveddate"]) + pd.Timedelta(days=1)),
        }
    )
    return {"plans": plans}


def _requests_by_id(frame: pd.DataFrame, context: Context) -> Facts:
    """Take requests with a day; a plan is decided on with the assessment, a refusal or withdrawal before."""
    asked = frame[is_there(frame["receiveddate"])]
    outcome = _outcome(asked["requestoutcome"])
    ended = outcome.isin(["refused", "withdrawn"])
    assessed = context.assessments.reindex(asked["requeststableid"].astype("str"))
    assessed = assessed.set_axis(asked.index).astype("object")
    answered = column(asked, "requestoutcomedate").astype("object")
    plans = pd.DataFrame(
        {
            "pupil_id": asked["pupil_id"],
            "requested_on": asked["receiveddate"],
            "decided_on": answered.where(ended, assessed["day"]),
            "outcome": outcome.where(ended, _outcome(assessed["outcome"])),
            "recorded_on": read_dates(asked["receiveddate"]) + pd.Timedelta(days=1),
        }
    )
    return {"plans": plans}


def _named_plans(frame: pd.DataFrame, context: Context) -> Facts:
    start, end = read_dates(frame["startdate"]), read_dates(frame["ceasedate"])
    send = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "provision": "E",
            "start_date": frame["startdate"],
            "end_date": frame["ceasedate"],
            "recorded_on": start,  # the LA itself issues the plan
            "end_recorded_on": end + pd.Timedelta(days=1),
            "_plan": True,
        }
    )
    return {"send": send}


def _plan_needs(frame: pd.DataFrame, context: Context) -> Facts:
    needs = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            **ranked_needs(frame),
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
    Source(
        name="SEN2 tables: return",
        columns=frozenset({"sen2tableid", "collection", "referencedate"}),
    ),
    Source(
        name="SEN2 tables: persons",
        columns=frozenset({"persontableid", "sen2tableid", "upn", "personbirthdate"}),
    ),
    Source(
        name="SEN2 tables: requests",
        upn="upn",
        facts=_requests_by_id,
        columns=frozenset({"requeststableid", "persontableid", "receiveddate", "requestoutcome"}),
    ),
    Source(
        name="SEN2 tables: assessments",
        columns=frozenset(
            {
                "assessmenttableid",
                "requeststableid",
                "assessmentoutcome",
                "assessmentoutcomedate",
            }
        ),
    ),
    Source(
        name="SEN2 tables: named plans",
        upn="upn",
        facts=_named_plans,
        columns=frozenset({"namedplantableid", "assessmenttableid", "startdate", "ceasedate"}),
    ),
    Source(
        name="SEN2 tables: active plans",
        columns=frozenset({"activeplanstableid", "requeststableid"}),
    ),
    Source(
        name="SEN2 tables: needs",
        upn="upn",
        facts=_plan_needs,
        columns=frozenset({"activeplanstableid", "sentype", "sentyperank"}),
    ),
    Source(
        name="SEN2 tables: places named in plans",
        unused=PLACEMENTS,
        columns=frozenset({"plandetailtableid", "namedplantableid"}),
    ),
    Source(
        name="SEN2 tables: placements",
        unused=PLACEMENTS,
        columns=frozenset({"placementdetailtableid", "activeplanstableid"}),
    ),
)
"""Tables of SEN2."""
