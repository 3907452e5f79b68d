"""School years of flat censuses that are written as one year: the one in which they begin, or end.

In:  recognised files.
Out: flat censuses with both years written; rows of which nothing shows the school year set aside.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_more
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.census import census_year_groups
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT_CENSUSES
from riskmodel.data.read.sources.census_flat import census_days
from riskmodel.data.read.sources.source import column, last_year, school_year

__all__ = ["settle_lone_years"]

AGREE = 0.8
"""Share of the pupils whose age and year group must show the same school year; chosen."""

FEWEST, NEW, LATE = 10, 0.1, 0.05
"""Pupils from which days of entry decide; share that a school year's intake has at least, and that mistyped
days of entry have at most; chosen."""

UNSURE = (
    "hold one year as AcademicYear, and their pupils do not show whether the school year begins or ends in "
    "it. Write it as 2023/2024."
)

MEANINGS = {"begins": 0, "ends": -1}
"""What a year alone is of its school year → years from it to the one in which that begins."""


def settle_lone_years(files: Sequence[ReturnFile], log: ReadLog) -> None:
    """Write both years of school years that flat censuses give as one.

    The ages of the pupils in their year groups show which it is, else their days of entry, else other files
    of the same columns.

    Parameters
    ----------
    files : sequence of ReturnFile
        Recognised; ``academicyear`` is missing where nothing shows it, or days of entry contradict it.
    log : ReadLog
        Gets a warning for each file whose years are read in a way that is not sure or usual; an error and
        the rejects for one that shows nothing.
    """
    censuses = [
        one
        for one in files
        if one.source in FLAT_CENSUSES
        and "referencedate" not in one.frame
        and _is_lone(one.frame["academicyear"]).any()
    ]
    shown = {one.name: _shown(one.frame[_is_lone(one.frame["academicyear"])]) for one in censuses}
    for one in censuses:
        meaning, why = shown[one.name]
        if not why:
            sisters = {shown[each.name][0] for each in censuses if _is_alike(each, one)} - {""}
            meaning, why = (
                (sisters.pop(), "files of the same columns") if len(sisters) == 1 else ("", "")
            )
        _write_both(one, meaning, why, log)


def _is_lone(written: pd.Series) -> pd.Series:
    return written.astype("str").str.fullmatch(r"\s*\d{4}(?:\.0+)?\s*").eq(True)


def _is_alike(one: ReturnFile, other: ReturnFile) -> bool:
    return [*one.raw.columns] == [*other.raw.columns]


def _shown(rows: pd.DataFrame) -> tuple[str, str]:
    """Return what the years of rows are by their pupils, and which of their columns shows it.

    Where columns contradict each other, the years have no meaning, though a column shows it.
    """
    late = {meaning: _entered_late(rows, meaning) for meaning in MEANINGS}
    written = last_year(rows["academicyear"])
    by_age = (
        census_year_groups(column(rows, "ncyearactual")) + 5 + school_year(read_dates(rows["dob"]))
    )
    off = (by_age - written).dropna()
    for meaning, difference in MEANINGS.items():
        if len(off) and (off == difference).mean() >= AGREE:
            return ("" if late[meaning] > LATE else meaning), "the ages in their year groups"
    entered = school_year(read_dates(rows["entrydate"])) - written
    if len(rows) >= FEWEST:
        for meaning, difference in MEANINGS.items():
            if late[meaning] <= LATE and (entered == difference).mean() >= NEW:
                return meaning, "the days of entry"
    return "", ""


def _days(rows: pd.DataFrame, meaning: str) -> pd.Series:
    return census_days(_both(rows["academicyear"], meaning), rows["censusterm"])


def _both(written: pd.Series, meaning: str) -> pd.Series:
    first = last_year(written) + MEANINGS[meaning]
    return first.map(lambda year: f"{year:.0f}/{year + 1:.0f}")


def _entered_late(rows: pd.DataFrame, meaning: str) -> float:
    """Return the share of pupils who entered after the census day that a meaning gives."""
    return float((read_dates(rows["entrydate"]) > _days(rows, meaning)).mean())


def _write_both(one: ReturnFile, meaning: str, why: str, log: ReadLog) -> None:
    written = one.frame["academicyear"].astype("object")
    lone = _is_lone(written)
    if not meaning:
        one.frame["academicyear"] = written.mask(lone)
        set_aside_more(log, one, lone.to_numpy(dtype=bool), "lone_year", UNSURE, "error")
        return
    one.frame["academicyear"] = written.mask(lone, _both(written.where(lone), meaning))
    if meaning == "begins" or "ages" not in why:
        words = (
            f"{one.name}: {int(lone.sum())} rows hold one year as AcademicYear. It was read as the one in "
            f"which the school year {meaning}, as {why} show. Write it as 2023/2024."
        )
        log.problems.append(Problem(one.name, "lone_year", words, column="AcademicYear"))
