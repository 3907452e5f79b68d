"""Days of returns and of receipt that other rows contradict: years after all others, ages, cases.

In:  recognised files; ids of School Censuses mean one return each.
Out: such days taken out, so that no fact is dated by them, and reported.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, set_aside_rows
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.faults import FAR_RECEIPT
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.census import NO_LONGER_ON_ROLL, census_year_groups
from riskmodel.data.read.sources.census_flat import FLAT_BY_DAY, day_of_census
from riskmodel.data.read.sources.census_flat import SOURCES as FLAT_CENSUSES
from riskmodel.data.read.sources.social_care import CHILDREN_IN_NEED
from riskmodel.data.read.sources.source import column, first_there
from riskmodel.data.year_groups import year_group_by_age

__all__ = [
    "YEARS_AFTER_OTHERS",
    "first_far_day",
    "give_one_day",
    "refuse_far_days",
    "refuse_other_years",
    "refuse_years_without_cases",
]

YEARS_AFTER_OTHERS = 5
"""Years after all others from which a day is a typing error; chosen."""

RECEIPTS = ("received", "datenotified", "recorded")
"""Plain names of columns with the day on which the LA knew of a row."""

FEWEST, SHARE = 10, 0.8
"""Rows of a return from which its day is compared with them, and the share that must agree; chosen."""

FAR_DAY = (
    f"hold a census day that is more than {YEARS_AFTER_OTHERS} years after all others. With it, no pupil of "
    "theirs would be on a list before. Write the census day as YYYY-MM-DD."
)

OTHER_DAYS = (
    "rows hold another ReferenceDate than most rows of the file, which is of one return. The day of most "
    "rows counts for all. Correct the others."
)

OTHER_YEAR = (
    "hold a census day of another school year than that in which most of their pupils have the age of their "
    "year group. Correct the census day, or the year groups."
)


def first_far_day(days: list[pd.Series]) -> pd.Timestamp | None:
    """Return the day from which a few days lie years after all others.

    Parameters
    ----------
    days : list of Series of datetime64, shape (n_rows,)
        Days of files.

    Returns
    -------
    Timestamp or None
        None where none lies :data:`YEARS_AFTER_OTHERS` after the others, or most do.

    Examples
    --------
    >>> first_far_day([pd.Series(pd.to_datetime(["2023-10-05", "2024-10-03", "2042-10-03"]))]).year
    2042
    """
    every = pd.Series(sorted({day for part in days for day in part.dropna().unique()}))
    gap = np.flatnonzero(every.diff() > pd.Timedelta(days=366 * YEARS_AFTER_OTHERS))
    if not len(gap) or len(every) - gap[-1] > gap[-1]:
        return None
    return pd.Timestamp(every[gap[-1]])


def _mark_far_receipts(files: list[ReturnFile], censuses: list[pd.Series]) -> None:
    """Write the fault behind days of receipt that lie years after all others: their rows are set aside."""
    held = [(one, name) for one in files for name in RECEIPTS if name in one.frame]
    days = [read_dates(one.frame[name]) for one, name in held]
    far = first_far_day([*days, *censuses])
    if far is None or not _are_few(days, censuses, far):
        return
    for (one, name), day in zip(held, days, strict=True):
        written = one.frame[name].astype("object")
        one.frame[name] = written.mask(day >= far, written.astype("str") + FAR_RECEIPT)


def _are_few(days: list[pd.Series], censuses: list[pd.Series], far: pd.Timestamp) -> bool:
    """Whether fewer rows are of the far days than of others; a census counts once for each day."""
    every = pd.concat([*days, *(part.drop_duplicates() for part in censuses)]).dropna()
    return bool(2 * (every >= far).sum() < len(every))


def refuse_far_days(files: list[ReturnFile], returns: str, log: ReadLog) -> None:
    """Take the day from School Censuses years after all others: their pupils would be on no list.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; the day is taken out of their rows, which are set aside.
    returns : str
        Name of the source with the day of each census.
    log : ReadLog
        Gets the problems and the rejects.
    """
    censuses = [one for one in files if one.source.name in (returns, FLAT_BY_DAY)]
    days = [read_dates(one.frame["referencedate"]) for one in censuses]
    _mark_far_receipts(files, days)
    far = first_far_day(days)
    if far is None:
        return
    for one, part in zip(censuses, days, strict=True):
        is_far = part >= far
        if is_far.any():
            one.frame["referencedate"] = one.frame["referencedate"].mask(is_far)
            set_aside_rows(log, one, np.flatnonzero(is_far), "far_date", FAR_DAY, "error")


def give_one_day(files: list[ReturnFile], log: ReadLog) -> None:
    """Give the rows of a CIN census the day of most of them, where at most half as many hold another.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; their rows get the day.
    log : ReadLog
        Gets a warning for each file with other days.
    """
    for one in files:
        if one.source.name != CHILDREN_IN_NEED or "referencedate" not in one.frame:
            continue
        days = read_dates(one.frame["referencedate"])
        counts = days.value_counts()
        if len(counts) < 2 or 2 * counts.iloc[1] > counts.iloc[0]:
            continue
        other = days.notna() & (days != counts.index[0])
        written = one.frame.loc[days == counts.index[0], "referencedate"].iloc[0]
        one.frame["referencedate"] = (
            one.frame["referencedate"].astype("object").mask(other, written)
        )
        words = f"{one.name}: {int(other.sum())} {OTHER_DAYS}"
        log.problems.append(Problem(one.name, "two_days", words, column="ReferenceDate"))


def refuse_other_years(files: list[ReturnFile], returns: str, log: ReadLog) -> None:
    """Take the day from School Censuses of which most pupils have the age of another school year.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; the day is taken out of their rows, which are set aside.
    returns : str
        Name of the source with the day of each census; files that name pupils have their own day else.
    log : ReadLog
        Gets the problems and the rejects.
    """
    censuses = [one for one in files if one.source.name == returns]
    days: dict[str, pd.Timestamp] = {}
    for one in censuses:
        ids = one.frame["schoolcensustableid"].astype("str")
        days |= dict(zip(ids, read_dates(one.frame["referencedate"]), strict=True))
    rolls = [one for one in files if {"dob", "ncyearactual"} <= set(one.frame)]
    hanging = [one.frame for one in rolls if "schoolcensustableid" in one.frame]
    if hanging:
        ids = pd.concat([frame["schoolcensustableid"].astype("str") for frame in hanging])
        wrong = _wrong(ids, pd.to_datetime(ids.map(days)), pd.concat(hanging))
        for one in censuses:
            is_wrong = one.frame["schoolcensustableid"].astype("str").isin(wrong)
            _take_day(one, "referencedate", is_wrong, log)
    for one in rolls:
        if one.source in FLAT_CENSUSES:
            day = day_of_census(one.frame)
            school = first_there(one.frame, ("urn", "estab", "laestab")).astype("str").fillna("")
            key = school + "|" + day.astype("str")
            named = next(name for name in ("referencedate", "academicyear") if name in one.frame)
            _take_day(one, named, key.isin(_wrong(key, day, one.frame)), log)


def _wrong(key: pd.Series, day: pd.Series, rows: pd.DataFrame) -> set[str]:
    """Return the censuses, by key, that most ages contradict."""
    if len(rows) < FEWEST:
        return set()
    age = year_group_by_age(read_dates(rows["dob"]), day)
    off = (age - census_year_groups(rows["ncyearactual"])).mask(
        column(rows, NO_LONGER_ON_ROLL) == "1"
    )
    found = pd.DataFrame({"key": key, "off": off}).dropna()
    counts = found.value_counts(["key", "off"]).reset_index(name="n")
    counts["of"] = counts.groupby("key")["n"].transform("sum")
    is_wrong = (counts["off"] != 0) & (counts["n"] >= SHARE * counts["of"])
    return {*counts.loc[is_wrong & (counts["of"] >= FEWEST), "key"]}


def _take_day(one: ReturnFile, named: str, is_wrong: pd.Series, log: ReadLog) -> None:
    """Take the day, or the school year, out of rows of censuses."""
    if is_wrong.any():
        one.frame[named] = one.frame[named].mask(is_wrong)
        set_aside_rows(log, one, np.flatnonzero(is_wrong), "other_year", OTHER_YEAR, "error")


def refuse_years_without_cases(files: list[ReturnFile], log: ReadLog) -> None:
    """Take the day from CIN censuses in whose year no case began or was closed.

    Parameters
    ----------
    files : list of ReturnFile
        Recognised; such a ``referencedate`` is taken out. The rows are used without it.
    log : ReadLog
        Gets an error for each file with such a day.
    """
    for one in files:
        if one.source.name != CHILDREN_IN_NEED or len(column(one.frame, "referencedate")) < FEWEST:
            continue
        day = read_dates(column(one.frame, "referencedate"))
        events = ("cinreferraldate", "cinclosuredate", "cppstartdate", "cppenddate")
        last = pd.concat([read_dates(column(one.frame, name)) for name in events], axis=1)
        latest = last.max(axis=1).groupby(day).transform("max")
        is_far = day - latest > pd.Timedelta(days=366)
        if is_far.any():
            one.frame["referencedate"] = one.frame["referencedate"].mask(is_far)
            words = (
                f"{one.name}: {int(is_far.sum())} rows hold a ReferenceDate of a year in which none of them "
                "began or ended. They are used without it. Correct it."
            )
            problem = Problem(
                one.name, "other_year", words, severity="error", column="ReferenceDate"
            )
            log.problems.append(problem)
