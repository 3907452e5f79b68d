"""Children's social care: the CIN census and SSDA903.

In:  one row per referral or episode.
Out: spells of need, protection and care; the LA itself records both ends the day after.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.data_span import data_span
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.faults import NO_END
from riskmodel.data.read.rows.words import flagged_kind
from riskmodel.data.read.sources.source import (
    Context,
    Facts,
    Source,
    column,
    is_there,
    spells,
)

__all__ = [
    "CHILDREN_IN_NEED",
    "CLOSURE_KNOWN",
    "EPISODES",
    "SHORT_BREAKS",
    "SOURCES",
    "latest_start",
]

CHILDREN_IN_NEED = "CIN census, flat"
"""The source of referrals and plans, from XML too."""

EPISODES = "SSDA903: episodes"
"""The source of the spells of children looked after."""

CLOSURE_KNOWN = "closureknown"
"""Column with the day from which a case that a later return lacks is known to be closed."""

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""


def _children_in_need(frame: pd.DataFrame, context: Context) -> Facts:
    """Take referrals that led to action, and plans.

    A referral without further action makes no child in need. A case that has a reason for closure and no
    day of it was closed by the day of the return; where that is not known either, the row is set aside.
    """
    kind = flagged_kind(
        column(frame, "referralnfa"), "child_in_need", turned=True, no=["nfa"]
    ).where(is_there(column(frame, "referralnfa")), "child_in_need")
    closed = is_there(column(frame, "reasonforclosure")) & ~is_there(frame["cinclosuredate"])
    by_then = column(frame, "referencedate").astype("object")
    by_then = by_then.where(is_there(by_then), NO_END)
    end = frame["cinclosuredate"].astype("object").where(~closed, by_then)
    referrals = frame.assign(cinclosuredate=end)[kind.notna() & is_there(frame["cinreferraldate"])]
    protected = frame[is_there(frame["cppstartdate"])]
    parts = [
        spells(referrals, kind[referrals.index], "cinreferraldate", "cinclosuredate", lag_days=1),
        spells(protected, "child_protection", "cppstartdate", "cppenddate", lag_days=1),
    ]
    parts[0] = _known_later(parts[0], read_dates(column(referrals, CLOSURE_KNOWN)))
    drawn = read_dates(column(frame, "referencedate")).max()
    if pd.isna(drawn):
        drawn = latest_start(frame, ["cinreferraldate", "cppstartdate"])
    return {"circumstances": pd.concat(parts).assign(_drawn=drawn)}


def _known_later(made: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Return spells whose end was known only from a later return, the day after."""
    after = (known + pd.Timedelta(days=1)).fillna(made["end_recorded_on"])
    return made.assign(end_recorded_on=after)


def latest_start(frame: pd.DataFrame, days: list[str]) -> pd.Timestamp:
    """Return the latest day on which anything in a file began: the return was not made before.

    Ends may be planned, so they show nothing; nor does a day far from all others.

    Parameters
    ----------
    frame : DataFrame
        Raw rows of a file.
    days : list of str
        Columns of first days.

    Returns
    -------
    Timestamp
        Missing where no day can be read.
    """
    starts = pd.concat([read_dates(column(frame, day)) for day in days]).dropna()
    return starts.max() if starts.empty else data_span(starts)[1]


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    status = frame["ls"].astype("str").str.strip().str.upper()
    lasting = frame[~status.isin(SHORT_BREAKS) & is_there(frame["decom"])]
    made = spells(lasting, "looked_after", "decom", "dec", lag_days=1)
    made = _known_later(made, read_dates(column(lasting, CLOSURE_KNOWN)))
    return {"circumstances": made.assign(_drawn=latest_start(frame, ["decom"]))}


SOURCES = (
    Source(
        name=CHILDREN_IN_NEED,
        upn="upn",
        facts=_children_in_need,
        columns=frozenset(
            {"lachildid", "upn", "cinreferraldate", "cinclosuredate", "cppstartdate"}
        ),
    ),
    Source(name="SSDA903: header", columns=frozenset({"child", "upn", "ethnic", "dob"})),
    Source(
        name=EPISODES,
        upn="upn",
        facts=_episodes,
        columns=frozenset({"child", "decom", "rne", "ls", "dec"}),
    ),
)
"""Returns of social care."""
