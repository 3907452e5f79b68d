"""Pupils who may be one child with two UPNs, or two children with one: what their names show.

In:  files that name pupils, before their names are dropped.
Out: warnings with file and row; nobody is joined or parted by them.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.identity import clean_upns
from riskmodel.data.read.returns.former_upns import SHORTEST_UPN
from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.source import column, first_there

__all__ = ["note_same_names"]

NAMED = ["surname", "forename", "dob", "entry"]
"""What two rows of one child have in common."""

RETURN = ("schoolcensustableid", "referencedate", "academicyear", "censusterm", "received")
"""Columns that part the returns of one file."""


def note_same_names(pupils: list[ReturnFile], former: dict[str, str]) -> list[Problem]:
    """Return warnings of two UPNs with the same names and days, and of two forenames with one UPN.

    Parameters
    ----------
    pupils : list of ReturnFile
        Files that name pupils, with their UPNs.
    former : dict of str to str
        Former UPN → the UPN that the pupil has now.

    Returns
    -------
    list of Problem
        One per file and kind.
    """
    named = [
        (one, _named(one.frame, former)) for one in pupils if {*NAMED[:2]} <= {*one.frame.columns}
    ]
    return [
        *_two_upns(named),
        *(problem for one, rows in named for problem in _two_forenames(one, rows)),
    ]


def _named(frame: pd.DataFrame, former: dict[str, str]) -> pd.DataFrame:
    """Return the rows with a UPN and a forename, each combination of one return once."""
    rows = pd.DataFrame(
        {
            "upn": frame["upn"].astype("str"),
            **{name: column(frame, name).astype("str") for name in NAMED[:3]},
            "entry": first_there(frame, ("entrydate", "admissiondate")).astype("str"),
            "part": "",
        }
    )
    for name in RETURN:
        rows["part"] += "|" + column(frame, name).astype("str").fillna("")
    rows = rows.drop_duplicates()
    upn = clean_upns(rows["upn"])
    rows = rows.assign(upn=upn.replace(former))
    for name in NAMED[:2]:
        rows[name] = rows[name].str.strip().str.casefold()
    is_named = upn.str.len().between(SHORTEST_UPN, SHORTEST_UPN + 1) & rows["forename"].ne("")
    return rows[(is_named & rows["forename"].notna()).eq(True)]


def _two_upns(named: list[tuple[ReturnFile, pd.DataFrame]]) -> list[Problem]:
    """Return a warning per file with rows of another UPN than an earlier row of the same names and days."""
    if not named:
        return []
    every = pd.concat(
        [rows.assign(file=number) for number, (_, rows) in enumerate(named)]
    ).reset_index(names="place")
    every = every.drop_duplicates([*NAMED, "upn"]).dropna(subset=NAMED)
    every = every[every.duplicated(["surname", "forename"], keep=False)]
    every = every.assign(**{name: read_dates(every[name]) for name in NAMED[2:]})
    every = every.dropna(subset=NAMED).drop_duplicates([*NAMED, "upn"])
    again = every[every.duplicated(NAMED)]
    problems = []
    for number, rows in again.groupby("file"):
        one = named[int(str(number))][0]
        first = one.checks().numbers_of(rows["place"].to_numpy())[0]
        words = (
            f"{one.name}: {len(rows)} UPNs, the first in row {first}, have the names, day of birth and day "
            "of entry of another UPN. They count as two pupils. If they are one child, give the earlier "
            "UPN as the former UPN."
        )
        problems.append(Problem(one.name, "two_upns", words, column="upn"))
    return problems


def _two_forenames(one: ReturnFile, rows: pd.DataFrame) -> list[Problem]:
    """Return a warning of UPNs that have forenames in one return of which none begins the other."""
    first_word = rows["forename"].str.split(r"[\s-]+", regex=True).str[0]
    rows = rows.assign(word=first_word).drop_duplicates(["upn", "part", "word"])
    rows = rows[rows.duplicated(["upn", "part"], keep=False)].reset_index(names="place")
    pairs = rows.merge(rows, on=["upn", "part"], suffixes=("", "_other"))
    pairs = pairs[pairs["place"] > pairs["place_other"]]
    differs = [
        not (a.startswith(b) or b.startswith(a))
        for a, b in zip(pairs["word"], pairs["word_other"], strict=True)
    ]
    pairs = pairs[differs].drop_duplicates("upn")
    if pairs.empty:
        return []
    row, other = one.checks().numbers_of(pairs[["place", "place_other"]].to_numpy()[0])
    words = (
        f"{one.name}: {len(pairs)} UPNs have two forenames in one return, the first in rows {other} and "
        f"{row}. They may be of two children, such as twins, and count as one pupil each. Correct the UPNs "
        "at the school."
    )
    return [Problem(one.name, "two_forenames", words, column="upn")]
