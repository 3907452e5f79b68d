"""Children's social care: the CIN census and SSDA903.

In:  one row per referral or episode.
Out: spells of need, protection and care; the LA itself records both ends the day after.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.sources.source import Context, Facts, Source, spells

__all__ = ["SOURCES"]

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""


def _children_in_need(frame: pd.DataFrame, context: Context) -> Facts:
    protected = frame[read_dates(frame["cppstartdate"]).notna()]
    parts = [
        spells(frame, "child_in_need", "cinreferraldate", "cinclosuredate", lag_days=1),
        spells(protected, "child_protection", "cppstartdate", "cppenddate", lag_days=1),
    ]
    return {"circumstances": pd.concat(part for part in parts if len(part))}


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    lasting = frame[~frame["ls"].isin(SHORT_BREAKS) & read_dates(frame["decom"]).notna()]
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
