"""Days that people and programs write, and the order of day and month in a column.

In:  the distinct texts of a column, or a frame with columns of dates.
Out: days; a frame in which every date that can be read is written year first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from riskmodel.data.identity import MONTHS
from riskmodel.data.read.rows.faults import DAY_FIRST, MONTH_FIRST, SHORT_YEAR
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.tidy import distinct_texts, recoded

__all__ = [
    "MAY_END",
    "days_of",
    "is_date_name",
    "orders_of",
    "settle_dates",
    "swapped_days",
    "two_readings",
]

TIME = r"(?:[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?)?"
WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[., ]+)?"
YEAR, MONTH = r"(?P<year>\d{4}|\d{2})", r"(?P<month>[a-z]{3,9})\.?"

ZONE = r"(?:Z|[+-]\d{2}(?::?\d{2})?)"

ISO = rf"\d{{4}}-\d{{2}}-\d{{2}}(?:{TIME}|{ZONE})"
ZONED = rf"\d{{4}}-\d{{2}}-\d{{2}}[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)? ?{ZONE}"
NUMERIC = rf"^(?P<day>\d{{1,2}})([/.\- ])(?P<month>\d{{1,2}})\2{YEAR}{TIME}$"

NUMERIC_START = r"^\s*\d{1,2}[/.\- ]\d{1,2}[/.\- ]"

FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        NUMERIC,
        rf"^(?P<year>\d{{4}})([/.\- ])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}}){TIME}$",
        rf"^(?P<year>\d{{4}})-(?P<month>[a-z]{{3,9}})-(?P<day>\d{{1,2}}){TIME}$",
        rf"^{WEEKDAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[ \-/.]?{MONTH},?[ \-/.]?{YEAR}{TIME}$",
        rf"^{WEEKDAY}{MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){TIME}$",
    )
)
"""Ways to write a day, after the ISO one; between numbers, the day stands first."""

FEW = 1_000
"""So many texts are read one by one as fast as together."""

TURN = 50
"""Two-digit years below count from 2000, the others from 1900: pupils, and their parents at most."""

SERIALS = (18_264, 73_051)
"""Days from 1899-12-30, as Excel counts them, of 1950 and of 2100."""

NEVER = "(?:9999|3000|2999|2100|2099|2079)"
OPEN_END = re.compile(
    rf"\s*(?:\d{{1,2}}[/.\- ]\w{{1,9}}[/.\- ]{NEVER}|{NEVER}-\d\d-\d\d)(?:[T Z+-].*)?",
    re.IGNORECASE,
)
"""Days of years by which systems write that there is no end."""

MAY_END = re.compile(
    "end|until|leav|left|dol|ceas|clos|finish|stop|laps|remov|expir|reinstat|^dec$|to$"
)
"""In the name of a column of last days; elsewhere a day that never comes is a mistake."""

SHORT = re.compile(r"\s*(\d{1,2})-(\d{1,2})-(\d{2})(?:[T ].*)?")
"""Two-digit years between hyphens may stand first, as in programs, or last, as in Britain."""

FEWEST_SWAPPED, MONTHS_A_YEAR = 2, 12
"""Cells of dates and texts, of each at least, that show that a spreadsheet swapped day and month."""

DATE_NAMES = frozenset(["dob", "dec", "decom", "received", "recorded", "confirmed", "from", "to"])
"""Plain names of columns of dates that do not hold the word."""


def days_of(text: pd.Series) -> pd.Series:
    """Return the day that each text names.

    Parameters
    ----------
    text : Series of str, shape (n_values,)
        Without blanks around.

    Returns
    -------
    Series of datetime64
        Missing where no form fits. A moment with its zone is a day in England.

    Examples
    --------
    >>> days_of(pd.Series(["15-Jan-24", "15.01.2024", "2024-09-01T23:00:00Z"])).dt.day.tolist()
    [15, 15, 2]
    """
    if len(text) <= FEW:
        return _one_by_one(text)
    iso = text.where(text.str.fullmatch(ISO).eq(True))
    days = pd.to_datetime(iso.str.slice(0, 10), format="%Y-%m-%d", errors="coerce").dt.as_unit("s")
    zoned = text[iso.isna() & text.str.fullmatch(ZONED).eq(True)]
    if len(zoned):
        moments = pd.to_datetime(zoned, format="ISO8601", utc=True, errors="coerce")
        local = moments.dt.tz_convert("Europe/London").dt.tz_localize(None)
        days = days.fillna(local.dt.normalize().dt.as_unit("s").reindex(text.index))
    left = text[days.isna() & text.notna()]
    return days.fillna(_one_by_one(left).reindex(text.index)) if len(left) else days


def _one_by_one(text: pd.Series) -> pd.Series:
    days = [_day_of(one) if isinstance(one, str) else None for one in text.tolist()]
    return pd.Series(np.array(days, dtype="datetime64[s]"), index=text.index)


def _day_of(text: str) -> date | None:
    if re.fullmatch(ISO, text):
        return _day_there_is(int(text[:4]), int(text[5:7]), int(text[8:10]))
    if re.fullmatch(ZONED, text):
        moment = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce")
        if isinstance(moment, pd.Timestamp):
            return moment.tz_convert("Europe/London").date()
        return None
    found = (form.search(text) for form in FORMS)
    days = (_day_there_is(_year(one), _month(one), int(one["day"])) for one in found if one)
    return next((day for day in days if day), None)


def _year(found: re.Match[str]) -> int:
    year = int(found["year"])
    return year if len(found["year"]) > 2 else year + (2000 if year < TURN else 1900)


def _month(found: re.Match[str]) -> int:
    month = found["month"].lower()
    return int(month) if month.isdecimal() else MONTHS.get(month, 0)


def _days(parts: Iterable[tuple[int, int, int]], index: pd.Index) -> pd.Series:
    """Return days of years, months and days of a month, missing where there is no such day."""
    days = [_day_there_is(*one) for one in parts]
    return pd.Series(np.array(days, dtype="datetime64[s]"), index=index)


def _day_there_is(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    parts = pd.DataFrame({"year": year, "month": month, "day": day})
    return pd.to_datetime(parts, errors="coerce").dt.as_unit("s")


@dataclass(frozen=True, slots=True)
class _Order:
    """Numeric dates of a column: each text read day first and month first, missing where impossible."""

    day_first: pd.Series
    month_first: pd.Series

    @property
    def only_day(self) -> pd.Series:
        return self.day_first[self.day_first.notna() & self.month_first.isna()]

    @property
    def only_month(self) -> pd.Series:
        return self.month_first[self.month_first.notna() & self.day_first.isna()]

    @property
    def decided(self) -> Literal["", "day", "month"]:
        """Which comes first by most texts of one order only; empty where none decides."""
        n_day, n_month = len(self.only_day), len(self.only_month)
        return "" if not n_day + n_month else "month" if n_month > n_day else "day"


def _order(texts: pd.Series) -> _Order | None:
    """Return how the numeric dates among the texts of a column read, or None if it has none."""
    found = {one: FORMS[0].search(one.strip()) for one in texts.tolist()}
    parts = {one: (_year(f), int(f["day"]), int(f["month"])) for one, f in found.items() if f}
    if not parts:
        return None
    names = pd.Index(list(parts), dtype="str")
    return _Order(
        _days(((year, second, first) for year, first, second in parts.values()), names),
        _days(parts.values(), names),
    )


def orders_of(frame: pd.DataFrame, columns: Iterable[str]) -> set[str]:
    """Return which of day and month comes first in columns whose dates show it.

    Parameters
    ----------
    frame : DataFrame
        Raw rows.
    columns : iterable of str
        Names of its columns that may hold dates.

    Returns
    -------
    set of str
        ``"day"``, ``"month"``; ``""`` where a column has such dates and none decides.

    Examples
    --------
    >>> orders_of(pd.DataFrame({"date": ["10/07/2024", "10/08/2024"]}), ["date"])
    {''}
    """
    found = (_order(distinct_texts(frame[name])) for name in columns if name in frame)
    return {one.decided for one in found if one is not None}


def two_readings(texts: pd.Series) -> dict[str, pd.Series]:
    """Return the days of numeric dates in both orders of day and month, if none of them decides.

    Parameters
    ----------
    texts : Series of str, shape (n_values,)
        Dates, and other texts.

    Returns
    -------
    dict of str to Series of datetime64, shape (n_values,)
        ``"day"`` and ``"month"``, by what comes first; missing where a text is no numeric date. Empty where
        dates decide the order, or where both orders are the same.

    Examples
    --------
    >>> days = two_readings(pd.Series(["03/04/2024", "4 May 2024"]))
    >>> {first: day.dt.month.tolist() for first, day in days.items()}
    {'day': [4.0, nan], 'month': [3.0, nan]}
    >>> two_readings(pd.Series(["03/04/2024", "13/04/2024"]))
    {}
    """
    order = _order(texts.drop_duplicates())
    if order is None or order.decided or order.day_first.equals(order.month_first):
        return {}
    readings = {"day": order.day_first, "month": order.month_first}
    return {first: days.reindex(texts).set_axis(texts.index) for first, days in readings.items()}


def swapped_days(frame: pd.DataFrame, columns: Iterable[str], file: str) -> list[Problem]:
    """Return the columns in which a spreadsheet took day and month for each other.

    Where it reads dates month first, it makes cells of dates of those that allow it, and leaves the others
    as texts.

    Parameters
    ----------
    frame : DataFrame
        Raw rows; cells of dates are texts with the year first.
    columns : iterable of str
        Names of its columns that may hold dates.
    file : str
        What messages call the file.

    Returns
    -------
    list of Problem
        An error for each column with two or more of either kind, of which all cells of dates have days up
        to 12, and all texts can have the day first only.
    """
    problems = []
    for name in columns:
        texts = distinct_texts(frame[name]) if name in frame else pd.Series(dtype="str")
        if len(texts) < 2 * FEWEST_SWAPPED:
            continue
        days = texts.str.extract(r"^\s*\d{4}-\d\d-(\d\d)(?!\d)")[0].dropna().astype("int64")
        order = (
            _order(texts) if len(days) >= FEWEST_SWAPPED and (days <= MONTHS_A_YEAR).all() else None
        )
        if order is None or len(order.only_day) < max(FEWEST_SWAPPED, len(order.day_first)):
            continue
        words = (
            f"{file}: column {name} holds cells of dates, all on days 1 to 12, beside texts of days after "
            "the 12th. A program that puts the month first may have swapped day and month of those cells. "
            "They were read as they are. Export the file again, and open it in no spreadsheet before."
        )
        problems.append(Problem(file, "swapped_days", words, severity="error", column=name))
    return problems


def settle_dates(
    frame: pd.DataFrame, columns: Iterable[str], file: str, like: str = ""
) -> tuple[pd.DataFrame, list[Problem]]:
    """Write the dates of some columns year first where their order or form is not the usual one.

    The order of day and month is one for a column: that of most of its dates that allow one order
    only. Where none does, it is the order of the file's other columns if they all have the month
    first, else the British one. Numbers are days as Excel counts them if the column holds nothing else.

    Parameters
    ----------
    frame : DataFrame
        Raw rows.
    columns : iterable of str
        Names of its columns that may hold dates.
    file : str
        What messages call the file.
    like : str
        File of the same columns that has the month first; empty where there is none.

    Returns
    -------
    frame : DataFrame
        The same where all is usual. A date of the rarer order has its order written behind it, which
        no rule accepts as a date.
    problems : list of Problem
        A warning for each column that was not read in the usual way.
    """
    problems: list[Problem] = []
    texts = {
        name: text for name in columns if name in frame and len(text := distinct_texts(frame[name]))
    }
    ends = {name: _open_ends(text) if MAY_END.search(name) else [] for name, text in texts.items()}
    texts = {n: text[~text.isin(ends[n])] if ends[n] else text for n, text in texts.items()}
    orders = {name: found for name, text in texts.items() if (found := _order(text)) is not None}
    decided = {one.decided for one in orders.values()} - {""}
    changes: dict[str, dict[str, str | None]] = {}
    for name, text in texts.items():
        changes[name] = dict.fromkeys(ends[name])
        if name in orders and (unclear := _short_years(text)):
            changes[name] |= unclear
            words = (
                f"{file}: column {name} has years of two digits between hyphens, and nothing in it shows "
                "whether the year or the day comes first. Its dates cannot be used. Write YYYY-MM-DD."
            )
            problems.append(Problem(file, "short_years", words, severity="error", column=name))
        elif name in orders:
            first = orders[name].decided or (
                "month" if decided == {"month"} or (like and not decided) else "day"
            )
            changes[name] |= _in_order(orders[name], first)
            problems += _order_problems(file, name, orders[name], first, like)
        elif changed := _serials(text):
            changes[name] |= changed
            words = (
                f"{file}: column {name} holds numbers. They were read as days as Excel counts them. "
                "Export the column as dates."
            )
            problems.append(Problem(file, "excel_days", words, column=name))
    changed_columns = {n: recoded(frame[n], c) for n, c in changes.items() if c}
    return (frame.assign(**changed_columns) if changed_columns else frame), problems


def _open_ends(texts: pd.Series) -> list[str]:
    """Return the texts that mean that there is no end."""
    return [text for text in texts.tolist() if OPEN_END.fullmatch(text)]


def _short_years(texts: pd.Series) -> dict[str, str | None]:
    """Return numeric dates that allow the year first and last, if nothing in the column decides."""
    numeric = texts[texts.str.contains(NUMERIC_START).eq(True)]
    parts = numeric.str.extract(rf"^{SHORT.pattern}$").astype("float64")
    if parts.isna().any(axis=None) or _day(2000 + parts[0], parts[1], parts[2]).isna().any():
        return {}
    return {text: f"{text.strip()}{SHORT_YEAR}" for text in numeric}


def _in_order(order: _Order, first: str) -> dict[str, str | None]:
    """Return what takes the place of the numeric dates of a column: nothing where all are British."""
    rare = order.only_month if first == "day" else order.only_day
    other = MONTH_FIRST if first == "day" else DAY_FIRST
    changed: dict[str, str | None] = {text: f"{text.strip()}{other}" for text in rare.index}
    if first == "month":
        days = order.month_first.dropna().dt.strftime("%Y-%m-%d")
        changed |= dict(zip(days.index, days, strict=True))
    return changed


def _order_problems(file: str, name: str, order: _Order, first: str, like: str) -> list[Problem]:
    problems = []
    if first == "month":
        why = "some of its dates allow no other order"
        if not order.decided:
            source = like or "other columns of this file"
            why = f"the dates of {source} allow no other order"
        words = (
            f"{file}: column {name} was read with the month before the day, as {why}. "
            "Write dates as YYYY-MM-DD if that is wrong."
        )
        problems.append(Problem(file, "month_first", words, column=name))
    rare = order.only_month if first == "day" else order.only_day
    if len(rare):
        most = len(order.only_day) + len(order.only_month) - len(rare)
        usual, other = ("day", "month") if first == "day" else ("month", "day")
        words = (
            f"{file}: column {name} contradicts itself: {most} of its dates can only have the {usual} first, "
            f"and {len(rare)} only the {other}. The {usual} was read first, and the {len(rare)} cannot be "
            "used. Write all dates as YYYY-MM-DD."
        )
        problems.append(Problem(file, "two_orders", words, severity="error", column=name))
    return problems


def _serials(texts: pd.Series) -> dict[str, str | None]:
    """Return the day of each number, if all texts are numbers of 1950 to 2100; 0 is Excel's empty day."""
    if not _is_number(next((one for one in texts.tolist() if one.strip()), "")):
        return {}  # soon seen of most columns
    plain = texts[texts.str.strip() != ""]
    # 030624 is a day, month and year without points, and no number
    number = pd.to_numeric(plain.where(~plain.str.contains(r"^\s*0\d")), errors="coerce")
    filled = number[number != 0]
    if filled.empty or not filled.between(*SERIALS, inclusive="left").all():
        return {}
    days = pd.Timestamp("1899-12-30") + pd.to_timedelta(np.floor(filled), unit="D")
    made = dict(zip(texts.loc[filled.index], days.dt.strftime("%Y-%m-%d"), strict=True))
    return made | dict.fromkeys(texts.loc[number.index[number == 0]])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_date_name(name: str) -> bool:
    """Return whether a plain column name is that of a date.

    Parameters
    ----------
    name : str
        Letters and digits only.

    Returns
    -------
    bool
        True where it holds the word, or is one of the names known.

    Examples
    --------
    >>> is_date_name("entrydate"), is_date_name("dob"), is_date_name("upn")
    (True, True, False)
    """
    return name in DATE_NAMES or "date" in name or name.endswith(("since", "until", "start", "end"))
