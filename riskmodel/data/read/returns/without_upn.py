"""Pupils without a UPN: they are known by both names and the day of birth.

In:  files that name pupils.
Out: the UPN of each row, or its names and day; whose UPN such names and day are, where they are of one pupil.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.returns.former_upns import SHORTEST_UPN
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.source import column, is_there

__all__ = ["NO_UPN", "is_placeholder", "upn_or_name", "upns_of_names"]

NO_UPN = "NO UPN"
"""How the names and the day of birth of a pupil without a UPN begin."""

PARTS = ("surname", "forename", "dob")
"""Columns that together name one pupil."""


def upn_or_name(frame: pd.DataFrame) -> pd.Series:
    """Return the UPN, or where there is none both names and day of birth; missing where one is not known.

    Parameters
    ----------
    frame : DataFrame
        Rows with ``upn``.

    Returns
    -------
    Series of object, shape (n_rows,)
        Names begin with :data:`NO_UPN`.

    Examples
    --------
    >>> rows = pd.DataFrame({"upn": [None], "surname": ["Poe"], "forename": ["Al"], "dob": ["1/12/2012"]})
    >>> upn_or_name(rows).tolist()
    ['NO UPN|Poe|Al|2012-12-01']
    """
    upn = frame["upn"].astype("object")
    nobody = ~is_there(upn) | is_placeholder(clean_upns(upn))
    if not nobody.any():
        return upn
    return upn.where(~nobody, _names(frame[nobody]).reindex(frame.index))


def _names(frame: pd.DataFrame) -> pd.Series:
    """Return names and day of birth in one text; missing where one of them is."""
    parts = {name: column(frame, name) for name in PARTS}
    day = read_dates(parts["dob"]).dt.strftime("%Y-%m-%d").astype("object")
    written = [*(parts[name] for name in PARTS[:2]), day.fillna(parts["dob"].astype("str"))]
    made = pd.Series(NO_UPN, index=frame.index, dtype="object")
    for part in written:
        made = made + "|" + part.astype("str").fillna("")
    return made.where(pd.DataFrame({n: is_there(p) for n, p in parts.items()}).all(axis=1))


def is_placeholder(upns: pd.Series) -> pd.Series:
    """Return which texts mean no pupil, or many: no digit, or the same one again and again.

    Parameters
    ----------
    upns : Series of str, shape (n_rows,)
        In capitals, without blanks.

    Returns
    -------
    Series of bool
        False for names and a day of birth.

    Examples
    --------
    >>> is_placeholder(pd.Series(["NOTAVAILABLE", "0000000000000", "G000000120002"])).tolist()
    [True, True, False]
    """
    distinct = pd.Series(upns.dropna().unique()).astype("str")
    found = (~distinct.str.contains(r"\d") | (distinct.map(lambda one: len(set(one))) <= 2)) & (
        ~distinct.str.contains("|", regex=False)
    )
    return upns.isin(distinct[found])


def upns_of_names(pupils: list[ReturnFile], former: dict[str, str], log: ReadLog) -> dict[str, str]:
    """Return names and day of birth of rows without a UPN → the UPN of the one pupil who has them.

    Parameters
    ----------
    pupils : list of ReturnFile
        Files that name pupils; ``upn`` as :func:`upn_or_name` returns it.
    former : dict of str to str
        Former UPN → the UPN that the pupil has now.
    log : ReadLog
        Gets a warning for each file with rows without a UPN.

    Returns
    -------
    dict of str to str
        Both without blanks, in capitals. Names that two pupils with UPNs have are left out.
    """
    upns = [clean_upns(one.frame["upn"]) for one in pupils]
    start = clean_upns(pd.Series([NO_UPN]))[0] + "|"
    nameless = [upn[upn.str.startswith(start).eq(True)] for upn in upns]
    wanted = {name for part in nameless for name in part}
    if not wanted:
        return {}
    owners: dict[str, set[str]] = {}
    for one, upn in zip(pupils, upns, strict=True):
        has_upn = (upn.str.len() >= SHORTEST_UPN) & ~upn.str.startswith(start)
        names = clean_upns(_names(one.frame[has_upn.eq(True)]))
        names = names[names.isin(wanted)]
        for name, owner in zip(names, upn.loc[names.index], strict=True):
            owners.setdefault(name, set()).add(former.get(owner, owner))
    found = {name: next(iter(owner)) for name, owner in owners.items() if len(owner) == 1}
    log.problems += [
        _warning(one, len(part), int(part.isin(found.keys()).sum()))
        for one, part in zip(pupils, nameless, strict=True)
        if len(part)
    ]
    return found


def _warning(one: ReturnFile, n: int, n_found: int) -> Problem:
    words = (
        f"{one.name}: {n} of {len(one.raw)} rows have no UPN. By names and day of birth, {n_found} of them "
        f"are of a pupil with a UPN; {n - n_found} count as pupils of their own. Fill in the UPNs."
    )
    return Problem(one.name, "no_upn", words, column="upn")
