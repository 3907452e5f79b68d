"""Former UPNs: which UPN a pupil has now.

In:  files that name pupils with their former UPN.
Out: the present UPN of each former one, where it is of one pupil.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem

__all__ = ["SHORTEST_UPN", "former_upns"]

SHORTEST_UPN = 12
"""UN1 to UN7 and the like are shorter and mean nobody."""


def former_upns(pupils: list[ReturnFile], log: ReadLog) -> dict[str, str]:
    """Return former UPN → the UPN that a pupil has now; one that two pupils had is reported and left out.

    Parameters
    ----------
    pupils : list of ReturnFile
        Files that name pupils.
    log : ReadLog
        Gets the problems.

    Returns
    -------
    dict of str to str
        Without UPNs that nobody had before.
    """
    news: dict[str, set[str]] = {}
    renaming = [one for one in pupils if "formerupn" in one.frame]
    born = _born(pupils) if renaming else pd.DataFrame()
    named = [(one, _renamed(one, born, log)) for one in renaming]
    for _, rows in named:
        for old, new in zip(rows["formerupn"], rows["upn"], strict=True):
            news.setdefault(old, set()).add(new)
    chain = {old: next(iter(new)) for old, new in news.items() if len(new) == 1}
    ends = {old: {_end_of(chain, one) for one in new} for old, new in news.items()}
    for one, rows in named:
        twice = rows[rows["formerupn"].map(lambda old: len(ends[old]) > 1)]
        if len(twice):
            words = (
                "name a former UPN that another pupil names too. Rows with that UPN join to neither"
            )
            log.problems.append(
                _former_fault(one, twice, "former_upn_of_two", words, "the former UPN")
            )
    return {old: next(iter(end)) for old, end in ends.items() if len(end) == 1}


def _born(pupils: list[ReturnFile]) -> pd.DataFrame:
    """Return the days of birth that files give of each present UPN."""
    parts = [
        pd.DataFrame(
            {"formerupn": clean_upns(one.frame["upn"]), "day": read_dates(one.frame["dob"])}
        )
        for one in pupils
        if "dob" in one.frame
    ]
    return pd.concat(parts).dropna().drop_duplicates() if parts else pd.DataFrame()


def _renamed(one: ReturnFile, born: pd.DataFrame, log: ReadLog) -> pd.DataFrame:
    """Return former and present UPN of the rows that have both, and are of one day of birth."""
    former = one.frame[["formerupn", "upn"]].astype("str").apply(clean_upns)
    is_other = former["formerupn"] != former["upn"]
    former = former[(former["formerupn"].str.len() >= SHORTEST_UPN) & is_other]
    if not len(former) or not len(born) or "dob" not in one.frame:
        return former
    own = former.assign(day=read_dates(one.frame["dob"]).loc[former.index]).reset_index(names="row")
    pairs = own.dropna(subset=["day"]).merge(born, on="formerupn", suffixes=("", "_other"))
    is_same = (pairs["day"] == pairs["day_other"]).groupby(pairs["row"]).any()
    another = former.loc[is_same.index[~is_same]]
    if len(another):
        words = "name as their former UPN that of a pupil with another date of birth. The two were not joined"
        log.problems.append(
            _former_fault(one, another, "former_upn_of_another", words, "one of them")
        )
    return former.drop(index=another.index)


def _former_fault(
    one: ReturnFile, rows: pd.DataFrame, rule: str, words: str, which: str
) -> Problem:
    """Return the problem of former UPNs that join nobody, and which of them to correct."""
    number = one.checks().numbers_of(rows.index.to_numpy())[0]
    sentence = f"{one.name}: {len(rows)} rows, the first of them row {number}, {words}."
    return Problem(one.name, rule, f"{sentence} Correct {which} at the school.", severity="error")


def _end_of(chain: dict[str, str], upn: str) -> str:
    """Return the last UPN of a chain; the first in order where the chain is a circle."""
    seen = [upn]
    while seen[-1] in chain and chain[seen[-1]] not in seen:
        seen.append(chain[seen[-1]])
    last = chain.get(seen[-1])
    return min(seen[seen.index(last) :]) if last in seen else seen[-1]
