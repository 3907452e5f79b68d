"""Which of day and month comes first in headings of register grids that allow both.

In:  recognised files.
Out: grids whose columns are the days that the rest of the folder shows; a warning where nothing does.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.dates import is_date_name, orders_of
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.sources.grid import (
    PLAIN_DAY,
    day_headings,
    heading_order,
    month_first,
    unclear_days,
)

__all__ = ["settle_grids"]

SCHOOL_DAYS = ("Term dates", "Register marks", "Register marks, morning and afternoon")
"""Sources with a school day in each row."""

UNCLEAR = (
    "nothing shows whether the day or the month comes first in its headings. The day was read first. Write "
    "the days in the headings as YYYY-MM-DD."
)


def settle_grids(files: Sequence[ReturnFile], log: ReadLog) -> None:
    """Read headings of grids that allow both orders of day and month as the rest of the folder shows.

    School days of the calendar and of other registers decide first, then other columns of the file, then the
    other grids.

    Parameters
    ----------
    files : sequence of ReturnFile
        Recognised; columns of some grids get the days of the other order.
    log : ReadLog
        Gets a warning for each grid that is read with the month first, or of which nothing shows the order.
    """
    grids = [one for one in files if one.source.headings is not None]
    readings = {one.name: unclear_days(map(str, one.raw)) for one in grids}
    unclear = [one for one in grids if readings[one.name]]
    if not unclear:
        return
    clear = [one for one in grids if not readings[one.name]]
    school_days = _school_days(files, clear)
    swapped = {one.file for one in log.problems if one.rule == "month_first"}
    others = {heading_order(map(str, one.raw)) for one in clear} - {""}
    for one in unclear:
        first = _by_school_days(readings[one.name], school_days)
        why = "school days of other files show"
        if not first and (own := _own_orders(one, swapped)):
            first, why = own, "its other columns show"
        elif not first and len(others) == 1:
            first, why = [*others][0], "other grids show"
        if first == "month":
            _turn(one)
            log.problems.append(month_first(one.name, why))
        elif not first:
            log.problems.append(Problem(one.name, "order_unclear", f"{one.name}: {UNCLEAR}"))


def _school_days(files: Sequence[ReturnFile], clear: Sequence[ReturnFile]) -> set[pd.Timestamp]:
    """Return the days of the calendar, of registers, and of grids that show their order."""
    dated = [one.frame["date"] for one in files if one.source.name in SCHOOL_DAYS]
    days = [read_dates(column.drop_duplicates()).dropna() for column in dated]
    in_names = (PLAIN_DAY.fullmatch(str(name)) for one in clear for name in one.frame)
    return {*pd.concat([pd.Series(dtype="datetime64[s]"), *days])} | {
        pd.Timestamp(found["day"]) for found in in_names if found
    }


def _by_school_days(readings: dict[str, pd.Series], known: set[pd.Timestamp]) -> str:
    """Return the one order in which all days are known school days."""
    fits = [first for first, days in readings.items() if days.isin(known).all()]
    return fits[0] if len(fits) == 1 else ""


def _own_orders(one: ReturnFile, swapped: set[str]) -> str:
    """Return the order that other columns of a file show; those with the month first were settled before."""
    dates = [str(name) for name in one.frame if is_date_name(str(name))]
    return "month" if one.name in swapped else "day" if "day" in orders_of(one.frame, dates) else ""


def _turn(one: ReturnFile) -> None:
    """Give the columns of a grid the days of its headings with the month first."""
    before, after = (day_headings(map(str, one.raw), first=first)[0] for first in ("day", "month"))
    turned = {before[name]: after[name] for name in before.keys() & after.keys()}
    one.frame = one.frame.rename(columns=turned)
