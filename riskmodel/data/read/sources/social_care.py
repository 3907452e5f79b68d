"""Children's social care: the CIN census and SSDA903.

In:  one row per referral or episode.
Out: spells of need, protection and care; the LA itself records both ends the day after.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.convert import read_dates
from riskmodel.data.read.sources.source import Context, Facts, Source, column

__all__ = ["SOURCES"]

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""


def _children_in_need(frame: pd.DataFrame, context: Context) -> Facts:
    parts = [
        _spells(frame, "child_in_need", "cinreferraldate", "cinclosuredate"),
        _spells(frame, "child_protection", "cppstartdate", "cppenddate"),
    ]
    return {"circumstances": pd.concat(part for part in parts if len(part))}


def _spells(frame: pd.DataFrame, kind: str, start: str, end: str) -> pd.DataFrame:
    """Return spells of a kind; the LA itself records both ends the day after."""
    begun = frame[read_dates(frame[start]).notna()] if kind != "child_in_need" else frame
    first, last = read_dates(begun[start]), read_dates(column(begun, end))
    return pd.DataFrame(
        {
            "pupil_id": begun["pupil_id"],
            "kind": kind,
            "start_date": begun[start],
            "end_date": column(begun, end),
            "recorded_on": first + pd.Timedelta(days=1),
            "end_recorded_on": last + pd.Timedelta(days=1),
        }
    )


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    lasting = frame[~frame["ls"].isin(SHORT_BREAKS)]
    return {"circumstances": _spells(lasting, "looked_after", "decom", "dec")}


SOURCES = (
    Source(name="CIN census, flat", upn="upn", facts=_children_in_need,
           columns=frozenset({"lachildid", "upn", "cinreferraldate", "cinclosuredate", "cppstartdate"})),
    Source(name="SSDA903: header", columns=frozenset({"child", "upn", "ethnic", "dob"})),
    Source(name="SSDA903: episodes", upn="upn", facts=_episodes,
           columns=frozenset({"child", "decom", "rne", "ls", "dec"})),
)  # fmt: skip
"""Returns of social care."""
