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
    "PLAN_END_KNOWN",
    "SHORT_BREAKS",
    "SOURCES",
    "is_no_legal_status",
    "known_later",
    "latest_start",
    "legal_status",
]

CHILDREN_IN_NEED = "CIN census, flat"
"""The source of referrals and plans, from XML too."""

EPISODES = "SSDA903: episodes"
"""The source of the spells of children looked after."""

CLOSURE_KNOWN = "closureknown"
"""Column with the day from which a case that a later return lacks is known to be closed."""

PLAN_END_KNOWN = "planendknown"
"""The same of a child protection plan, which stands in one row with its case."""

SHORT_BREAKS = {"V3", "V4"}
"""Legal status of short breaks in SSDA903: these children are not looked after for good."""


LEGAL_STATUSES = SHORT_BREAKS | {"C1", "C2", "D1", "E1", "V2", "J1", "J2", "J3", "L1", "L2", "L3"}
"""Codes of legal statuses in SSDA903 (recalled, unverified)."""


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
    dated = is_there(frame["cinreferraldate"]) | is_there(frame["cinclosuredate"])
    referrals = frame.assign(cinclosuredate=end)[kind.notna() & dated]
    protected = frame[is_there(frame["cppstartdate"]) | is_there(column(frame, "cppenddate"))]
    parts = [
        spells(referrals, kind[referrals.index], "cinreferraldate", "cinclosuredate", lag_days=1),
        spells(protected, "child_protection", "cppstartdate", "cppenddate", lag_days=1),
    ]
    parts[0] = known_later(parts[0], column(referrals, CLOSURE_KNOWN))
    parts[1] = known_later(parts[1], column(protected, PLAN_END_KNOWN))
    drawn = read_dates(column(frame, "referencedate")).max()
    if pd.isna(drawn):
        drawn = latest_start(frame, ["cinreferraldate", "cppstartdate"])
    return {"circumstances": pd.concat(parts).assign(_drawn=drawn)}


def known_later(made: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Return spells whose end was known only from a later return, the day after.

    Parameters
    ----------
    made : DataFrame of shape (n_rows, ...)
        From :func:`~riskmodel.data.read.sources.source.spells`.
    known : Series of shape (n_rows,)
        Day of the later return; missing where the spell's own row has its end.

    Returns
    -------
    DataFrame
        With ``end_recorded_on``.
    """
    after = (read_dates(known) + pd.Timedelta(days=1)).fillna(made["end_recorded_on"])
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


def legal_status(values: pd.Series) -> pd.Series:
    """Return legal statuses of SSDA903 in capitals, without blanks.

    Parameters
    ----------
    values : Series of str, shape (n_rows,)
        As written; the code may have words after it.

    Returns
    -------
    Series of str
        The first two characters.

    Examples
    --------
    >>> legal_status(pd.Series(["C2", "V 4", "v4 respite"])).tolist()
    ['C2', 'V4', 'V4']
    """
    return values.astype("str").str.replace(r"\s", "", regex=True).str.upper().str.slice(0, 2)


def is_no_legal_status(values: pd.Series) -> pd.Series:
    """Return which values begin with no code of a legal status; an empty one is none.

    Parameters
    ----------
    values : Series of str, shape (n_rows,)
        As written.

    Returns
    -------
    Series of bool
        One per row.
    """
    return ~legal_status(values).isin(LEGAL_STATUSES)


def _episodes(frame: pd.DataFrame, context: Context) -> Facts:
    lasting = frame[~legal_status(frame["ls"]).isin(SHORT_BREAKS)]
    made = spells(lasting, "looked_after", "decom", "dec", lag_days=1)
    made = known_later(made, column(lasting, CLOSURE_KNOWN))
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
