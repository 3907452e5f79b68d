"""Cases that a return of social care has open and the next one no longer has.

In:  files of the CIN census that name the day of their return; episodes of SSDA903; lists of Annex A.
Out: such cases ended, on the last day of the last return that has them, known from the next one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.returns.former_upns import SHORTEST_UPN
from riskmodel.data.read.returns.later_returns import next_whole
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.words import is_flagged
from riskmodel.data.read.sources.annex_a import ANNEX_A_SPELLS, CHILD_ID
from riskmodel.data.read.sources.social_care import (
    CHILDREN_IN_NEED,
    CLOSURE_KNOWN,
    EPISODES,
    PLAN_END_KNOWN,
    latest_start,
)
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["end_missing_episodes", "end_missing_referrals"]


@dataclass(frozen=True, kw_only=True)
class _Spells:
    """Where a layout holds spells, each with the child's id in the LA.

    Attributes
    ----------
    source : str
        Name of the layout.
    child, start, end : str
        Plain names of the columns of the id and of both days.
    known : str
        Column that gets the day from which an end is known that a later return shows.
    rule, words : str
        Stable code of the warning, and what such spells are and when they end.
    """

    source: str
    child: str
    start: str
    end: str
    known: str = CLOSURE_KNOWN
    rule: str
    words: str


OF_CASES = (
    _Spells(
        source=CHILDREN_IN_NEED,
        child="lachildid",
        start="cinreferraldate",
        end="cinclosuredate",
        rule="referral_gone",
        words="referrals without a closure are not in the next CIN census. They end on the day of the last "
        "one that has them.",
    ),
    _Spells(
        source=CHILDREN_IN_NEED,
        child="lachildid",
        start="cppstartdate",
        end="cppenddate",
        known=PLAN_END_KNOWN,
        rule="plan_gone",
        words="child protection plans without an end are not in the next CIN census. They end on the day of "
        "the last one that has them.",
    ),
)
"""Spells of the CIN census, whose returns name their day."""

OF_LISTS = (
    _Spells(
        source=EPISODES,
        child="child",
        start="decom",
        end="dec",
        rule="episode_gone",
        words="episodes without an end are not in the next SSDA903. They end with the year of the last one "
        "that has them.",
    ),
    *(
        _Spells(
            source=source,
            child=CHILD_ID,
            start=start,
            end=end,
            rule="listed_spell_gone",
            words="spells without an end are not in the next list of this kind. They end on the latest first "
            "day in the last one that has them.",
        )
        for source, (start, end) in ANNEX_A_SPELLS.items()
    ),
)
"""Spells of returns and lists without a day of their own."""


def end_missing_referrals(files: list[ReturnFile], log: ReadLog) -> None:
    """End the referrals and plans that are open in a return and not in the next.

    Each return covers all cases that were open at any time of its year (DfE, Children in need census,
    guide for local authorities, scope). A case that was open on its last day is thus in the next one.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; those of returns with a day get the day and when the end was known.
    log : ReadLog
        Gets a warning per file with such referrals, and one with such plans.
    """
    dated = [
        one for one in files if one.source.name == CHILDREN_IN_NEED and "referencedate" in one.frame
    ]
    if dated:
        for spells in OF_CASES:
            _end_missing_cases(dated, spells, log)


def _end_missing_cases(dated: list[ReturnFile], spells: _Spells, log: ReadLog) -> None:
    cases = [_cases(one.frame, spells) for one in dated]
    every = pd.concat(cases)
    days = pd.Index(sorted(every["day"].dropna().unique()))
    if not len(days):
        return
    seen = {name: every[["day", name]].dropna() for name in ("case", "named")}
    for one, own in zip(dated, cases, strict=True):
        following = days.searchsorted(own["day"], side="right")
        there = own["day"].notna() & (following < len(days)) & is_there(one.frame[spells.start])
        later = pd.Series(days.take(following.clip(max=len(days) - 1)), index=own.index).where(
            there
        )
        nothing_done = column(one.frame, "referralnfa").map(is_flagged).astype("bool")
        open_ = there & ~is_there(column(one.frame, spells.end)) & ~nothing_done
        gone = open_ & ~_is_in(seen, own, later)
        _end(one, spells, own["day"], later, gone)
        _warn(log, one, spells, gone)


def _warn(log: ReadLog, one: ReturnFile, spells: _Spells, gone: pd.Series) -> None:
    n = int(gone.sum())
    if n:
        words = f"{one.name}: {n} {spells.words} Give whole returns."
        log.problems.append(Problem(one.name, spells.rule, words, column=spells.end))


def _cases(frame: pd.DataFrame, spells: _Spells) -> pd.DataFrame:
    """Return the day of the return and the case of each row: child and day, by the LA's id and by UPN."""
    began = "|" + read_dates(frame[spells.start]).astype("str")
    upn = clean_upns(column(frame, "upn").astype("object"))
    return pd.DataFrame(
        {
            "day": read_dates(frame["referencedate"]),
            "case": frame[spells.child].astype("str") + began,
            "named": upn.where(upn.str.len() >= SHORTEST_UPN) + began,
        }
    )


def _is_in(
    seen: dict[str, pd.DataFrame], cases: pd.DataFrame, later: pd.Series
) -> NDArray[np.bool_]:
    """Return which cases the later return has, by either id: a spreadsheet may take zeros from one."""
    found = np.zeros(len(cases), dtype=bool)
    for name, every in seen.items():
        pairs = pd.MultiIndex.from_arrays([later, cases[name]])
        found |= pairs.isin(pd.MultiIndex.from_frame(every)) & cases[name].notna().to_numpy()
    return found


def _end(
    one: ReturnFile, spells: _Spells, end: pd.Series, known: pd.Series, gone: pd.Series
) -> None:
    """Write the last day of spells that are gone, and the day from which that is known."""
    given = column(one.frame, spells.end).astype("object")
    last, since = (days.dt.strftime("%Y-%m-%d").astype("object") for days in (end, known))
    one.frame[spells.end] = given.where(~gone, last)
    one.frame[spells.known] = since.where(gone)


def end_missing_episodes(files: list[ReturnFile], log: ReadLog) -> None:
    """End the spells of an SSDA903, or of a list of Annex A, that are open and not in the next whole one.

    The return of a year holds all episodes that were open in it (DfE, SSDA903 guide), and a list of Annex A
    those open on its day. The latest first day in a file shows which is the later one; the year of the
    return ends on 31 March.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; such spells get an end, and when it was known.
    log : ReadLog
        Gets a warning per file with such spells.
    """
    for spells in OF_LISTS:
        _end_missing_spells([one for one in files if one.source.name == spells.source], spells, log)


def _end_missing_spells(returns: list[ReturnFile], spells: _Spells, log: ReadLog) -> None:
    days = [latest_start(one.frame, [spells.start]) for one in returns]
    if len(set(days)) < 2:
        return
    rows = [
        pd.DataFrame(
            {
                "place": 0,
                "day": day,
                "who": one.frame[spells.child].astype("str").str.strip(),
                "start": read_dates(one.frame[spells.start]),
            }
        ).assign(number=number, row=one.frame.index, is_open=~is_there(one.frame[spells.end]))
        for number, (one, day) in enumerate(zip(returns, days, strict=True))
    ]
    every = pd.concat(rows, ignore_index=True).dropna(subset=["who", "start", "day"])
    gone = _without_sequel(
        every[every["is_open"]].merge(next_whole(every), on=["place", "day"]), every
    )
    last = gone["day"]
    if spells.source == EPISODES:
        year = last.dt.year + (last.dt.month > 3)
        last = pd.to_datetime({"year": year, "month": 3, "day": 31})
        last = pd.concat([last, gone["later"]], axis=1).min(axis=1)
    for number, own in gone.groupby("number"):
        one = returns[int(str(number))]
        place = pd.Index(own["row"])
        is_gone = pd.Series(one.frame.index.isin(place), index=one.frame.index)
        end, known = (
            each.loc[own.index].set_axis(place).reindex(one.frame.index)
            for each in (last, own["later"])
        )
        _end(one, spells, end, known, is_gone)
        _warn(log, one, spells, is_gone)


def _without_sequel(cases: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """Return open episodes of children of whom no return up to the next whole one has one as early."""
    cases = cases.dropna(subset=["later"]).reset_index(drop=True)
    pairs = cases.reset_index(names="case").merge(every, on="who", suffixes=("", "_other"))
    since = (pairs["day_other"] > pairs["day"]) & (pairs["day_other"] <= pairs["later"])
    there = pairs.loc[since & ~(pairs["start_other"] > pairs["day"]), "case"]
    return cases[~cases.index.isin(there)]
