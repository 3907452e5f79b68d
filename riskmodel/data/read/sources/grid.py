"""Register grids of school systems: a row per pupil, a column per school day or half-day.

In:  UPN, and columns named for a day (``Mon 02/09/2024``) or a half-day (``02/09/2024 AM``).
Out: sessions, known on the day received, else the day after.

Headings of the grids follow what school systems print; no export of one was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from riskmodel.data.codes import codes
from riskmodel.data.identity import MONTHS, may_identify
from riskmodel.data.read.rows.convert import read_dates
from riskmodel.data.read.rows.dates import orders_of, settle_dates, two_readings
from riskmodel.data.read.rows.problems import Problem
from riskmodel.data.read.rows.words import code_meant
from riskmodel.data.read.sources.registers import NO_MARK
from riskmodel.data.read.sources.source import Context, Facts, Source, column, is_there
from riskmodel.data.schema import TABLES

__all__ = [
    "PLAIN_DAY",
    "SOURCES",
    "day_headings",
    "heading_order",
    "marks_of_day",
    "month_first",
    "unclear_days",
]

WEEKDAY = r"(?:mon|tues?|wed(?:s|nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?"
HALF = r"am|pm|morning|afternoon"

HEADING = re.compile(
    rf"(?:(?P<before>{HALF})[\s_\-:]+)?(?:(?P<weekday>{WEEKDAY})[\s,]+)?"
    rf"(?P<day>\d[\w/.\- ]*?)(?:[\sT]+00:00(?::00)?)?"
    rf"(?:[\s_\-:(]*(?P<half>{HALF})\)?)?",
    flags=re.IGNORECASE,
)
"""A day, with or without its weekday and its half."""

PLAIN_DAY = re.compile(r"day(?P<day>\d{8})(?P<half>am|pm)?")
"""Name under which a column of a day or half-day is read; no heading that is refused has it."""

SHAPE = re.compile(r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}|\d{8}")
"""What is meant for a day, whether there is such a day or not."""

MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))

MEANT = re.compile(
    rf"{SHAPE.pattern}|\b\d{{1,2}}[/.\-]\d{{1,2}}\b|\b\d{{1,2}}(?:st|nd|rd|th)?[\s\-/.]*(?:{MONTH})|"
    rf"\b(?:{MONTH})[\s\-/.]*\d{{1,2}}(?:st|nd|rd|th)?\b",
    flags=re.IGNORECASE,
)
"""What may be meant for a day, with or without its year."""

SECOND = re.compile(r"(?P<first>.+)\.1")
"""How programs write a heading that is there twice."""

UNNAMED = re.compile(r"column \d+")
"""What the reader calls a column without a name."""

WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
FRIDAY = 4
"""Numbers of weekdays, as pandas counts them."""

IN_HEADINGS = "(days in headings)"
"""What messages call the headings that are days."""

NOTHING = pd.DataFrame({"date": [], "session": [], "mark": []}).astype(
    {"date": "datetime64[s]", "session": "str", "mark": "str"}
)
"""Marks of a grid without a mark."""

ALIASES = {
    **dict.fromkeys(("uniquepupilnumber", "pupilupn", "upnnumber"), "upn"),
    **dict.fromkeys(("ampm", "half", "halfday", "sess", "period", "lesson"), "session"),
}
"""Other names of columns; a row may be of one half of each day, or of a lesson, which is refused."""


def day_headings(
    names: Iterable[str], file: str = "", first: str = ""
) -> tuple[dict[str, str], list[Problem]]:
    """Return the columns that are days or half-days, with the names they are read under.

    Parameters
    ----------
    names : iterable of str
        Names of columns as the file writes them.
    file : str
        What messages call the file.
    first : str
        ``"day"`` or ``"month"``: which comes first where the headings allow both; they show it themselves
        where it is left out, by their weekdays or by weekends, or have the day first.

    Returns
    -------
    days : dict of str to str
        Name → ``dayYYYYMMDD``, followed by ``am`` or ``pm`` for a half-day.
    problems : list of Problem
        Days that no date or a second column has; an order of day and month that is not the usual one.

    Examples
    --------
    >>> day_headings(["UPN", "Mon 02/09/2024 AM", "2024-09-03"])[0]
    {'Mon 02/09/2024 AM': 'day20240902am', '2024-09-03': 'day20240903'}
    """
    names = [*names]
    found = _days_meant(names)
    second = {first_one: name for name in names if (first_one := _first_of(name)) in names}
    texts = _texts(found)
    readings = two_readings(texts)
    problems = []
    if readings and not first and (first := _by_weekdays(found, readings)) == "month":
        problems.append(month_first(file, "their weekdays or weekends show"))
    if readings and first == "month":
        texts = readings["month"].dt.strftime("%Y-%m-%d").fillna(texts)
    settled, of_dates = settle_dates(pd.DataFrame({IN_HEADINGS: texts}), [IN_HEADINGS], file)
    problems += of_dates
    days: dict[str, str] = {}
    at = dict(zip(found, read_dates(settled[IN_HEADINGS]), strict=True))
    for (name, match), day in zip(found.items(), at.values(), strict=True):
        read_as = "" if pd.isna(day) else f"day{day:%Y%m%d}{_half(match)}"
        if read_as and read_as not in days.values():
            days[name] = read_as
        elif read_as or SHAPE.fullmatch(match["day"]):
            problems.append(_unread(file, name, is_second=bool(read_as)))
    others = [n for n in names if (n not in found or pd.isna(at[n])) and MEANT.search(str(n))]
    follow = dict(zip(names, names[1:] + [""], strict=True))
    unnamed = {name: follow[name] for name in days if UNNAMED.fullmatch(follow[name])}
    unnamed |= {name: second[name] for name in days if name in second}
    whole = all(len(day) == len("dayYYYYMMDD") for day in days.values())
    if whole and unnamed.keys() == days.keys():
        days, unnamed = _halves(days, unnamed), {}
    named = {*days, *unnamed.values(), *(problem.column for problem in problems)}
    left = [name for name in others if name not in named]
    problems += [_other(file, name) for name in left]
    return days, [*problems, *(_beside(file, column) for column in unnamed.values())]


def unclear_days(names: Iterable[str]) -> dict[str, pd.Series]:
    """Return the days of headings in both orders of day and month, where nothing in them decides.

    Parameters
    ----------
    names : iterable of str
        Names of columns as the file writes them.

    Returns
    -------
    dict of str to Series of datetime64, shape (n_values,)
        ``"day"`` and ``"month"``, by what comes first; empty where the headings decide.

    Examples
    --------
    >>> [*unclear_days(["UPN", "03/04/2024", "04/04/2024"])]
    ['day', 'month']
    >>> unclear_days(["UPN", "Wed 03/04/2024", "Thu 04/04/2024"])
    {}
    """
    found = _days_meant([*names])
    readings = two_readings(_texts(found))
    if not readings or _by_weekdays(found, readings):
        return {}
    return {first: days.dropna() for first, days in readings.items()}


def heading_order(names: Iterable[str]) -> str:
    """Return which of day and month comes first in headings that show it.

    Parameters
    ----------
    names : iterable of str
        Names of columns as the file writes them.

    Returns
    -------
    str
        ``"day"``, ``"month"``, or empty where they have no such dates or do not show it.

    Examples
    --------
    >>> heading_order(["UPN", "13/04/2024 AM"]), heading_order(["Wed 04/03/2024"]), heading_order(["UPN"])
    ('day', 'month', '')
    """
    found = _days_meant([*names])
    if readings := two_readings(_texts(found)):
        return _by_weekdays(found, readings)
    shown = orders_of(pd.DataFrame({IN_HEADINGS: _texts(found)}), [IN_HEADINGS]) - {""}
    return next(iter(shown), "")


def _texts(found: dict[str, re.Match[str]]) -> pd.Series:
    return pd.Series([match["day"].strip() for match in found.values()], dtype="str")


def _days_meant(names: list[str]) -> dict[str, re.Match[str]]:
    """Return the headings that hold a day, with its parts; of two that are the same the first."""
    matches = {name: HEADING.fullmatch(str(name).strip()) for name in names}
    return {
        name: match
        for name, match in matches.items()
        if match is not None and _first_of(name) not in names
    }


def _by_weekdays(found: dict[str, re.Match[str]], readings: dict[str, pd.Series]) -> str:
    """Return which of day and month comes first by the weekdays that headings name, or by weekends.

    Without names the month comes first only where the days then lie nearer to each other: some grids have
    weekends.
    """
    named = [WEEKDAYS.get((match["weekday"] or "")[:3].lower()) for match in found.values()]
    given = pd.Series(named, dtype="float64")
    wrong, spans = {}, {}
    for first, days in readings.items():
        weekday = days.dt.day_of_week
        off = (weekday != given).where(given.notna(), weekday > FRIDAY)
        wrong[first] = int((off & days.notna()).sum())
        spans[first] = days.max() - days.min()
    if wrong["day"] == 0 < wrong["month"]:
        return "day"
    is_near = given.notna().any() or spans["month"] < spans["day"]
    return "month" if wrong["month"] == 0 < wrong["day"] and is_near else ""


def month_first(file: str, why: str) -> Problem:
    """Return that the days in headings were read with the month first.

    Parameters
    ----------
    file : str
        What messages call the file.
    why : str
        What shows it, as a clause.

    Returns
    -------
    Problem
        A warning.
    """
    words = (
        f"{file}: the days in headings were read with the month before the day, as {why}. Write the days as "
        "YYYY-MM-DD if that is wrong."
    )
    return Problem(file, "month_first", words, column=IN_HEADINGS)


def _first_of(name: str) -> str:
    """Return the heading of which a heading is the second, or nothing."""
    match = SECOND.fullmatch(str(name))
    return match["first"] if match else ""


def _half(match: re.Match[str]) -> str:
    """Return the half of the day that a heading names before or after the day, if any."""
    written = (match["half"] or match["before"] or "").lower()
    return {"morning": "am", "afternoon": "pm"}.get(written, written)


def _halves(days: dict[str, str], unnamed: dict[str, str]) -> dict[str, str]:
    """Return days whose headings span two columns, as merged cells do: morning, and one without a name."""
    pairs = [((name, f"{day}am"), (unnamed[name], f"{day}pm")) for name, day in days.items()]
    return dict(half for pair in pairs for half in pair)


def _other(file: str, name: str) -> Problem:
    """Return that a heading holds a day and something else."""
    rest = re.sub(rf"\b{WEEKDAY}\b", "", name, flags=re.IGNORECASE)
    shown = "a heading that is not shown" if may_identify(rest) else f"the heading '{name}'"
    words = (
        f"{file}: {shown} holds a day, and was not read as one. If marks are below it, write the day and "
        "its half (AM or PM) above them."
    )
    return Problem(file, "bad_heading", words)


def _beside(file: str, column: str) -> Problem:
    words = (
        f"{file}: {column} has no heading of its own and is beside a day; what it holds was left out. "
        "Write the day and its half (AM or PM) above every column of marks."
    )
    return Problem(file, "bad_heading", words, column=column)


def _unread(file: str, name: str, *, is_second: bool) -> Problem:
    why = "is that of another column too" if is_second else "is no date that can be read"
    words = (
        f"{file}: the day in the heading '{name}' {why}, so the marks below it were left out. "
        "Write the days in the headings as YYYY-MM-DD."
    )
    return Problem(file, "bad_heading", words, severity="error", column=name)


def marks_of_day(cell: str) -> tuple[str, str]:
    r"""Return the marks of morning and afternoon in the cell of a whole day.

    Parameters
    ----------
    cell : str
        Two marks, with or without a blank or comma between them; or one.

    Returns
    -------
    tuple of str
        Empty where there is no mark. One mark alone is the morning's, save ``\``, which is present in
        the afternoon. What cannot be parted comes back whole as the morning's.

    Examples
    --------
    >>> marks_of_day("/\\"), marks_of_day("C2 I"), marks_of_day("I")
    (('/', '\\'), ('C2', 'I'), ('I', ''))
    """
    known = {*codes("marks"), *NO_MARK}
    parts = [part for part in re.split(r"[\s,]+", cell.strip()) if part]
    if len(parts) == 2:
        return parts[0], parts[1]
    text = cell.strip()
    if text in known or len(parts) != 1:
        return ("", text) if text == "\\" else (text, "")
    cuts = [(text[:at], text[at:]) for at in range(1, len(text))]
    return next((cut for cut in cuts if known.issuperset(cut)), (text, ""))


def _grid(frame: pd.DataFrame, context: Context) -> Facts:
    rows = _halves_of_rows(frame)
    parts = [
        part
        for name in frame.columns
        if (day := PLAIN_DAY.fullmatch(str(name)))
        for part in _marks_of_column(frame[name], day["day"], (day["half"] or "").upper(), rows)
    ]
    sessions = pd.concat([NOTHING.set_index(frame.index[:0]), *parts]).sort_index(kind="stable")
    sessions = sessions[~sessions["mark"].isin(NO_MARK)]
    sessions.insert(0, "pupil_id", frame["pupil_id"].loc[sessions.index])
    if "received" in frame:
        sessions["recorded_on"] = frame["received"].loc[sessions.index]
    return {"sessions": sessions}


def _halves_of_rows(frame: pd.DataFrame) -> pd.Series:
    """Return of which half of each day a row is, as the file writes it; empty where of both."""
    written = column(frame, "session")
    meant = written.map(lambda one: code_meant(TABLES["sessions"]["session"], str(one).strip()))
    return meant.fillna(written).where(is_there(written), "")


def _marks_of_column(cells: pd.Series, day: str, half: str, rows: pd.Series) -> list[pd.DataFrame]:
    """Return the marks of a column, by half-day, with the rows they come from.

    A row of one half holds one mark in a cell, unless the heading names the half.
    """
    text = cells[cells.notna()].astype("str")
    of_row = rows.loc[text.index]
    single = text[(of_row != "") | bool(half)].str.strip()
    whole = text.drop(single.index)
    two = {cell: marks_of_day(cell) for cell in whole.unique()}
    halves = [
        (half or of_row[single.index], single),
        ("AM", whole.map(lambda cell: two[cell][0])),
        ("PM", whole.map(lambda cell: two[cell][1])),
    ]
    date = pd.Timestamp(day).as_unit("s")
    return [
        pd.DataFrame({"date": date, "session": part, "mark": marks}, index=marks.index)
        for part, marks in halves
        if len(marks)
    ]


SOURCES = (
    Source(
        name="Register grid, a column per day",
        upn="upn",
        facts=_grid,
        aliases=ALIASES,
        headings=day_headings,
        columns=frozenset({"upn"}),
    ),
)
"""Grids."""
