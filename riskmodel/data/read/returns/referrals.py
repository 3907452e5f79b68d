"""Cases that a return of social care has open and the next one no longer has.

In:  files of the CIN census that name the day of their return; episodes of SSDA903.
Out: such cases ended, on the last day of the last return that has them, known from the next one.
"""

from __future__ import annotations

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
from riskmodel.data.read.sources.social_care import (
    CHILDREN_IN_NEED,
    CLOSURE_KNOWN,
    EPISODES,
    latest_start,
)
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["end_missing_episodes", "end_missing_referrals"]


def end_missing_referrals(files: list[ReturnFile], log: ReadLog) -> None:
    """End the referrals that are open in a return and not in the next.

    Each return covers all cases that were open at any time of its year (DfE, Children in need census,
    guide for local authorities, scope). A case that was open on its last day is thus in the next one.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; referrals of returns with a day get the day and when the end was known.
    log : ReadLog
        Gets a warning per file with such referrals.
    """
    dated = [
        one for one in files if one.source.name == CHILDREN_IN_NEED and "referencedate" in one.frame
    ]
    if not dated:
        return
    cases = [_cases(one.frame) for one in dated]
    every = pd.concat(cases)
    days = pd.Index(sorted(every["day"].dropna().unique()))
    if not len(days):
        return
    seen = {name: every[["day", name]].dropna() for name in ("case", "named")}
    for one, own in zip(dated, cases, strict=True):
        following = days.searchsorted(own["day"], side="right")
        there = own["day"].notna() & (following < len(days))
        later = pd.Series(days.take(following.clip(max=len(days) - 1)), index=own.index).where(
            there
        )
        nothing_done = column(one.frame, "referralnfa").map(is_flagged).astype("bool")
        open_ = there & ~is_there(one.frame["cinclosuredate"]) & ~nothing_done
        gone = open_ & ~_is_in(seen, own, later)
        _end(one, own["day"], later, gone)
        if gone.any():
            words = (
                f"{one.name}: {int(gone.sum())} referrals without a closure are not in the next CIN census. "
                "They end on the day of the last one that has them. Give whole returns."
            )
            log.problems.append(Problem(one.name, "referral_gone", words, column="CINclosureDate"))


def _cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the day of the return and the case of each row: child and day, by the LA's id and by UPN."""
    referred = "|" + read_dates(frame["cinreferraldate"]).astype("str")
    upn = clean_upns(column(frame, "upn").astype("object"))
    return pd.DataFrame(
        {
            "day": read_dates(frame["referencedate"]),
            "case": frame["lachildid"].astype("str") + referred,
            "named": upn.where(upn.str.len() >= SHORTEST_UPN) + referred,
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


def _end(one: ReturnFile, day: pd.Series, later: pd.Series, gone: pd.Series) -> None:
    end = one.frame["cinclosuredate"].astype("object")
    known = later.dt.strftime("%Y-%m-%d").astype("object").where(gone)
    one.frame["cinclosuredate"] = end.where(~gone, day.dt.strftime("%Y-%m-%d").astype("object"))
    one.frame[CLOSURE_KNOWN] = known


def end_missing_episodes(files: list[ReturnFile], log: ReadLog) -> None:
    """End the episodes that are open in an SSDA903 and not in the next whole one.

    The return of a year holds all episodes that were open in it (DfE, SSDA903 guide). The latest first day
    in a file shows which is the later one; the year of the return ends on 31 March.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; such episodes get an end, and when it was known.
    log : ReadLog
        Gets a warning per file with such episodes.
    """
    returns = [one for one in files if one.source.name == EPISODES]
    days = [latest_start(one.frame, ["decom"]) for one in returns]
    if len(set(days)) < 2:
        return
    rows = [
        pd.DataFrame(
            {
                "place": 0,
                "day": day,
                "who": one.frame["child"].astype("str").str.strip(),
                "start": read_dates(one.frame["decom"]),
            }
        ).assign(number=number, row=one.frame.index, is_open=~is_there(one.frame["dec"]))
        for number, (one, day) in enumerate(zip(returns, days, strict=True))
    ]
    every = pd.concat(rows, ignore_index=True).dropna(subset=["who", "start", "day"])
    gone = _without_sequel(
        every[every["is_open"]].merge(next_whole(every), on=["place", "day"]), every
    )
    year = gone["day"].dt.year + (gone["day"].dt.month > 3)
    last = pd.to_datetime({"year": year, "month": 3, "day": 31})
    last = pd.concat([last, gone["later"]], axis=1).min(axis=1)
    for number, own in gone.groupby("number"):
        one = returns[int(str(number))]
        place = pd.Index(own["row"])
        is_gone = pd.Series(one.frame.index.isin(place), index=one.frame.index)
        end, known = (
            days.loc[own.index].set_axis(place).reindex(one.frame.index)
            for days in (last, own["later"])
        )
        text = end.dt.strftime("%Y-%m-%d").astype("object")
        one.frame["dec"] = one.frame["dec"].astype("object").where(~is_gone, text)
        one.frame[CLOSURE_KNOWN] = known.dt.strftime("%Y-%m-%d").astype("object").where(is_gone)
        words = (
            f"{one.name}: {len(own)} episodes without an end are not in the next SSDA903. They end with the "
            "year of the last one that has them. Give whole returns."
        )
        log.problems.append(Problem(one.name, "episode_gone", words, column="DEC"))


def _without_sequel(cases: pd.DataFrame, every: pd.DataFrame) -> pd.DataFrame:
    """Return open episodes of children of whom no return up to the next whole one has one as early."""
    cases = cases.dropna(subset=["later"]).reset_index(drop=True)
    pairs = cases.reset_index(names="case").merge(every, on="who", suffixes=("", "_other"))
    since = (pairs["day_other"] > pairs["day"]) & (pairs["day_other"] <= pairs["later"])
    there = pairs.loc[since & ~(pairs["start_other"] > pairs["day"]), "case"]
    return cases[~cases.index.isin(there)]
