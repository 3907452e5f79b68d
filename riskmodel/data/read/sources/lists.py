"""Lists that the LA keeps itself: services, young carers, home education, vulnerable pupils.

In:  one row per pupil and spell.
Out: circumstances, known on the day recorded, else 30 days after they began.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.words import FLAG_NO, flagged_kind
from riskmodel.data.read.sources.source import Context, Facts, Source, is_there, spells

__all__ = ["SOURCES", "unsure_groups"]

KINDS = {
    "early help": "early_help",
    "youth justice": "youth_justice",
    "young carer": "young_carer",
    "elective home education": "home_educated",
    "home education": "home_educated",
    "alternative provision": "alternative_provision",
}
"""Services of spell lists → kinds of circumstances."""

DAYS_TO_RECORD = 30
"""Days until a spell counts as known where the list does not show when it was recorded; chosen."""

NOT_VULNERABLE = FLAG_NO | {"", "none", "nil", "unknown", "-"}
"""What the list of vulnerable pupils holds for a pupil who is in no group."""

NO_GROUP = (
    "(?:not (?:vulnerable|applicable|known|open|currently|identified)|"
    "no (?:longer|concern|vulnerab|need|group)|former|previous|none )"
)
"""How such words begin; "no fixed abode" and "not in school" are groups."""

NO_OFFER = {"no offer", "not made", "not offered", "offer not made"}
OFFER = {"offer", "offered", "made", "offer made", "offer accepted", "accepted"}
"""Ways to write whether an offer was made under the September Guarantee, in small letters."""

CARER, NO_CARER = {"p", "s", "young carer"}, {"not a young carer"}
"""More ways to write whether a pupil is a young carer: by parent, by school, or in words."""

RECORDED = dict.fromkeys(
    ("daterecorded", "recordedon", "recordeddate", "datenotified", "datelanotified", "lanotified"),
    "recorded",
)
"""Other names of the day on which the LA recorded a spell."""

EHE_BEGAN = (
    "ehestartdate",
    "dateehestarted",
    "dateehecommenced",
    "ehecommenced",
    "ehecommenceddate",
    "ehecommencementdate",
    "dateofehe",
    "datebecameehe",
    "dateregisteredehe",
)
EHE_ENDED = (
    "eheenddate",
    "dateeheended",
    "dateeheceased",
    "eheceased",
    "eheceaseddate",
    "dateeheclosed",
    "eheclosed",
    "ehecloseddate",
    "dateceasedehe",
    "ceasedehe",
    "datereturnedtoschool",
    "returnedtoschool",
    "datereturned",
    "returntoschooldate",
    "datebackinschool",
    "backinschool",
)
"""Names of the first and the last day in lists of home education."""


def _spells(frame: pd.DataFrame, kind: pd.Series | str, start: str, end: str) -> Facts:
    if "recorded" not in frame:
        return {"circumstances": spells(frame, kind, start, end, lag_days=DAYS_TO_RECORD)}
    recorded = read_dates(frame["recorded"])
    made = spells(frame, kind, start, end, recorded, lag_days=DAYS_TO_RECORD)
    unread = is_there(frame["recorded"]) & recorded.isna()
    if unread.any():  # such a day stays as it is, so that the reader sets the row aside
        known = made["recorded_on"].astype("object").where(~unread, frame["recorded"])
        made = made.assign(recorded_on=known)
    return {"circumstances": made}


def _services(frame: pd.DataFrame, context: Context) -> Facts:
    service = frame["service"].astype("str").str.strip().str.lower()
    return _spells(frame, service.map(KINDS).fillna(frame["service"]), "startdate", "enddate")


def _young_carers(frame: pd.DataFrame, context: Context) -> Facts:
    if "youngcarer" not in frame:
        return _spells(frame, "young_carer", "youngcarersince", "youngcareruntil")
    # without an answer the day alone makes a young carer
    answer = frame["youngcarer"].astype("object").where(is_there(frame["youngcarer"]), "yes")
    kind = flagged_kind(answer, "young_carer", yes=CARER, no=NO_CARER).dropna()
    return _spells(frame.loc[kind.index], kind, "youngcarersince", "youngcareruntil")


def _home_educated(frame: pd.DataFrame, context: Context) -> Facts:
    return _spells(frame, "home_educated", "ehestart", "eheend")


def _vulnerable(frame: pd.DataFrame, context: Context) -> Facts:
    group = frame["vulnerablegroup"].astype("str").str.strip().str.lower()
    is_one = (
        frame["vulnerablegroup"].notna() & ~group.isin(NOT_VULNERABLE) & ~group.str.match(NO_GROUP)
    )
    kind = group.map(KINDS).fillna("vulnerable")
    return _spells(frame[is_one], kind[is_one], "startdate", "enddate")


def unsure_groups(frame: pd.DataFrame) -> pd.Series:
    """Return which words of vulnerable groups count as a group, although they may mean that there is none.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        With ``vulnerablegroup``.

    Returns
    -------
    Series of bool
        One per row.

    Examples
    --------
    >>> rows = pd.DataFrame({"vulnerablegroup": ["Not in school", "No longer vulnerable", "CIN"]})
    >>> unsure_groups(rows).tolist()
    [True, False, False]
    """
    group = frame["vulnerablegroup"].astype("str").str.strip().str.lower()
    denies = group.str.match(r"(?:no|not|never|non|un\w+|ex)\b").eq(True)
    return denies & ~group.isin(NOT_VULNERABLE) & ~group.str.match(NO_GROUP).eq(True)


def _no_offer(frame: pd.DataFrame, context: Context) -> Facts:
    answers = frame["septemberguarantee"]
    kind = flagged_kind(answers, "no_september_offer", yes=NO_OFFER, no=OFFER, turned=True).dropna()
    without = frame.loc[kind.index]
    return _spells(without.assign(recorded=without["statusdate"]), kind, "statusdate", "")


SOURCES = (
    Source(
        name="Spell list",
        upn="upn",
        facts=_services,
        aliases=RECORDED,
        columns=frozenset({"upn", "service", "startdate", "enddate"}),
    ),
    Source(
        name="Young carers",
        upn="upn",
        facts=_young_carers,
        columns=frozenset({"upn", "youngcarersince"}),
        aliases={
            "youngcarerfrom": "youngcarersince",
            "youngcarerstartdate": "youngcarersince",
            "youngcarerenddate": "youngcareruntil",
            **RECORDED,
        },
    ),
    Source(
        name="Elective home education",
        upn="upn",
        facts=_home_educated,
        columns=frozenset({"upn", "ehestart"}),
        aliases={
            **dict.fromkeys(EHE_BEGAN, "ehestart"),
            **dict.fromkeys(EHE_ENDED, "eheend"),
            **RECORDED,
        },
    ),
    Source(
        name="The LA's list of vulnerable pupils",
        upn="upn",
        facts=_vulnerable,
        columns=frozenset({"upn", "vulnerablegroup", "startdate"}),
        aliases={
            "vulnerability": "vulnerablegroup",
            "vulnerabilitycategory": "vulnerablegroup",
            **RECORDED,
            "dateadded": "startdate",
            "dateremoved": "enddate",
        },
    ),
    Source(
        name="September Guarantee",
        upn="upn",
        facts=_no_offer,
        columns=frozenset({"upn", "septemberguarantee", "statusdate"}),
        aliases={
            "offermade": "septemberguarantee",
            "offer": "septemberguarantee",
            "guaranteestatus": "septemberguarantee",
            "offerstatusdate": "statusdate",
        },
    ),
)
"""The LA's own lists."""
