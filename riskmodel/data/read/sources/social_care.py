"""Children's social care: the CIN census and SSDA903.

In:  one row per referral or episode.
Out: spells of need, protection and care; the LA itself records both ends the day after.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.words import is_flagged
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    is_there,
    spells,
)

__all__ = ["SOURCES"]

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""


def _children_in_need(frame: pd.DataFrame, context: Context) -> Facts:
    """Take referrals that led to action, and plans.

    A referral without further action makes no child in need. Where the reason for closure is there and
    its day is not, the case is closed and nobody knows since when: the row is set aside.
    """
    no_action = column(frame, "referralnfa").map(is_flagged).astype("bool")
    closed = is_there(column(frame, "reasonforclosure")) & ~is_there(frame["cinclosuredate"])
    end = frame["cinclosuredate"].astype("object").where(~closed, "closed on no day that is given")
    referrals = frame.assign(cinclosuredate=end)[~no_action & is_there(frame["cinreferraldate"])]
    protected = frame[is_there(frame["cppstartdate"])]
    parts = [
        spells(referrals, "child_in_need", "cinreferraldate", "cinclosuredate", lag_days=1),
        spells(protected, "child_protection", "cppstartdate", "cppenddate", lag_days=1),
    ]
    return {"circumstances": pd.concat(parts)}


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    status = frame["ls"].astype("str").str.strip().str.upper()
    lasting = frame[~status.isin(SHORT_BREAKS) & is_there(frame["decom"])]
    return {"circumstances": spells(lasting, "looked_after", "decom", "dec", lag_days=1)}


SOURCES = (
    Source(
        name="CIN census, flat",
        upn="upn",
        facts=_children_in_need,
        columns=frozenset(
            {"lachildid", "upn", "cinreferraldate", "cinclosuredate", "cppstartdate"}
        ),
    ),
    Source(name="SSDA903: header", columns=frozenset({"child", "upn", "ethnic", "dob"})),
    Source(
        name="SSDA903: episodes",
        upn="upn",
        facts=_episodes,
        columns=frozenset({"child", "decom", "rne", "ls", "dec"}),
    ),
)
"""Returns of social care."""
