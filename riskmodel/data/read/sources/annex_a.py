"""Annex A: Ofsted's lists of children for an inspection of social care, and those of an area's SEND.

In:  one sheet or file per list; social care names children by an id of the LA, SEND by UPN.
Out: children in need, child protection plans, care; EHC plans with their needs.

The reader takes ``Child Unique ID`` for the id that SSDA903 calls ``CHILD`` and the CIN census
``LAchildID`` (recalled, unverified): either of them beside the lists gives the UPN, and so does a list with
a column UPN. The LA records both ends itself, the day after. Names of columns are those that
public programs read.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.social_care import (
    CLOSURE_KNOWN,
    SHORT_BREAKS,
    known_later,
    legal_status,
)
from riskmodel.data.read.sources.source import Context, Facts, Source, column, spells

__all__ = ["ANNEX_A_SPELLS", "CHILD_ID", "SOURCES"]

CHILD_ID = "childuniqueid"
"""Column with the LA's id of a child."""

NOT_USED = {
    "contacts (list 1)": ("Contacts are in none of the tables.", {"dateofcontact"}),
    "early help assessments (list 2)": (
        "It holds when an assessment was made, and not when help began or ended.",
        {"assessmentstartdate", "assessmentcompletiondate"},
    ),
    "referrals (list 3)": (
        "A referral alone makes no child in need; list 6 holds these children.",
        {"dateofreferral"},
    ),
    "assessments (list 4)": (
        "An assessment alone makes no child in need; list 6 holds these children.",
        {"continuousassessmentstartdate"},
    ),
    "enquiries (list 5)": (
        "Enquiries and conferences are in none of the tables; list 7 holds the plans they led to.",
        {"strategydiscussioninitiatingsection47enquirystartdate"},
    ),
    "adoption (list 10)": (
        "Adoptions are in none of the tables; list 8 holds the time in care.",
        {"datethechildenteredcare", "dateofdecisionthatchildshouldbeplacedforadoption"},
    ),
}
"""List → why it is not used, and the columns by which it is known."""


IN_NEED, PROTECTED, LOOKED_AFTER = (
    f"Annex A, {name}"
    for name in ("children in need (list 6)", "child protection (list 7)", "looked after (list 8)")
)
"""Lists that hold spells, by name of their layout."""

ANNEX_A_SPELLS = {
    IN_NEED: ("cinstartdate", "cinclosuredate"),
    PROTECTED: ("childprotectionplanstartdate", "childprotectionplanenddate"),
    LOOKED_AFTER: ("datestartedtobelookedafter", "dateceasedtobelookedafter"),
}
"""List → columns of the first and the last day of its spells."""


def _in_need(frame: pd.DataFrame, context: Context) -> Facts:
    return _spells(frame, "child_in_need", IN_NEED)


def _protected(frame: pd.DataFrame, context: Context) -> Facts:
    return _spells(frame, "child_protection", PROTECTED)


def _looked_after(frame: pd.DataFrame, context: Context) -> Facts:
    status = legal_status(column(frame, "childslegalstatus"))
    return _spells(frame[~status.isin(SHORT_BREAKS)], "looked_after", LOOKED_AFTER)


def _spells(frame: pd.DataFrame, kind: str, listed: str) -> Facts:
    """Take spells; an end that only the next list shows is known from that, and gives way to any other."""
    start, end = ANNEX_A_SPELLS[listed]
    known = column(frame, CLOSURE_KNOWN)
    made = known_later(spells(frame, kind, start, end, lag_days=1), known)
    return {"circumstances": made.assign(_gone=known.notna())}


def _plans(frame: pd.DataFrame, context: Context) -> Facts:
    """Take EHC plans that the LA has; the list holds plans in force, without an end."""
    issued = frame["dateinitialehcplanissued"]
    plans = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "provision": "E",
            "start_date": issued,
            "recorded_on": issued,  # the LA itself issues the plan
            "_plan": True,
        }
    )
    needs = frame[["pupil_id"]].assign(primary_need=frame["senprimaryneed"])
    return {"send": plans, "needs": needs}


SOURCES = (
    Source(
        name=IN_NEED,
        upn="upn",
        facts=_in_need,
        columns=frozenset({CHILD_ID, *ANNEX_A_SPELLS[IN_NEED]}),
    ),
    Source(
        name=PROTECTED,
        upn="upn",
        facts=_protected,
        columns=frozenset({CHILD_ID, *ANNEX_A_SPELLS[PROTECTED]}),
    ),
    Source(
        name=LOOKED_AFTER,
        upn="upn",
        facts=_looked_after,
        columns=frozenset({CHILD_ID, *ANNEX_A_SPELLS[LOOKED_AFTER]}),
    ),
    *(
        Source(name=f"Annex A, {name}", unused=why, columns=frozenset({CHILD_ID, *known_by}))
        for name, (why, known_by) in NOT_USED.items()
    ),
    Source(
        name="Annex A, prospective adopters (list 11)",
        unused="It holds adults, and no pupils.",
        columns=frozenset({"individualadopteridentifier"}),
    ),
    Source(
        name="Annex A of an area's SEND, EHC plans",
        upn="upn",
        facts=_plans,
        columns=frozenset({"uniqueid", "upn", "dateinitialehcplanissued", "senprimaryneed"}),
    ),
    Source(
        name="Annex A of an area's SEND, SEN support",
        unused="It holds no day from which a pupil has had support; the School Census does.",
        columns=frozenset({"uniqueid", "upn", "senprimaryneed", "maineducationestablishmenturn"}),
    ),
)
"""Lists of Annex A."""
