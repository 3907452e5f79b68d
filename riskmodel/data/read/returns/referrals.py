"""Referrals that a CIN census has open and the next one no longer has.

In:  files of the CIN census that name the day of their return.
Out: such referrals ended, on the day of the last return that has them, known from the next one.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.words import is_flagged
from riskmodel.data.read.sources.social_care import CHILDREN_IN_NEED, CLOSURE_KNOWN
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["end_missing_referrals"]


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
    seen = pd.MultiIndex.from_frame(every[["day", "case"]])
    for one, own in zip(dated, cases, strict=True):
        following = days.searchsorted(own["day"], side="right")
        there = own["day"].notna() & (following < len(days))
        later = pd.Series(days.take(following.clip(max=len(days) - 1)), index=own.index).where(
            there
        )
        nothing_done = column(one.frame, "referralnfa").map(is_flagged).astype("bool")
        open_ = there & ~is_there(one.frame["cinclosuredate"]) & ~nothing_done
        gone = open_ & ~pd.MultiIndex.from_arrays([later, own["case"]]).isin(seen)
        _end(one, own["day"], later, gone)
        if gone.any():
            words = (
                f"{one.name}: {int(gone.sum())} referrals without a closure are not in the next CIN census. "
                "They end on the day of the last one that has them. Give whole returns."
            )
            log.problems.append(Problem(one.name, "referral_gone", words, column="CINclosureDate"))


def _cases(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the day of the return and a key of the case, for each row."""
    referred = read_dates(frame["cinreferraldate"]).astype("str")
    case = frame["lachildid"].astype("str") + "|" + referred
    return pd.DataFrame({"day": read_dates(frame["referencedate"]), "case": case})


def _end(one: ReturnFile, day: pd.Series, later: pd.Series, gone: pd.Series) -> None:
    end = one.frame["cinclosuredate"].astype("object")
    known = later.dt.strftime("%Y-%m-%d").astype("object").where(gone)
    one.frame["cinclosuredate"] = end.where(~gone, day.dt.strftime("%Y-%m-%d").astype("object"))
    one.frame[CLOSURE_KNOWN] = known
