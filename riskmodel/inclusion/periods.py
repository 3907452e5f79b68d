"""The terms and school years that the dashboard shows.

In:  tables and a day.
Out: one row per term, then one per school year, with first and last day and census day.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data import Tables
from riskmodel.data.calendar import academic_year

__all__ = ["TERMS", "YEARS_SHOWN", "make_periods", "year_label"]

YEARS_SHOWN = 5
"""School years shown, the latest ones; chosen: a pupil's whole time from Year 7 to Year 11."""

TERMS = ("autumn", "spring", "summer")

CENSUS = {"autumn": (10, 5), "spring": (1, 15), "summer": (5, 15)}
"""Month and day on which pupils on roll are counted, near the three School Census days."""

USUAL = {"autumn": ((9, 1), (12, 20)), "spring": ((1, 1), (4, 5)), "summer": ((4, 16), (7, 20))}
"""First and last school day, month and day, of a term that the calendar lacks; chosen."""

STARTS = (
    ("calendar", "date"),
    ("sessions", "date"),
    ("absence_totals", "term_end"),
    ("suspensions", "start_date"),
)
"""Tables, and their dates, whose earliest fact sets where the terms shown begin."""


def year_label(year: int) -> str:
    """Return a school year in the usual form.

    Parameters
    ----------
    year : int
        Calendar year in which it starts.

    Returns
    -------
    str
        Both years.

    Examples
    --------
    >>> year_label(1999), year_label(2023)
    ('1999/00', '2023/24')
    """
    return f"{year}/{(year + 1) % 100:02d}"


def make_periods(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the terms and school years before a day.

    Parameters
    ----------
    tables : Tables
        The facts; terms begin as in ``calendar``, and on usual days where it lacks them.
    as_of : Timestamp
        Periods that begin on or after it are left out.

    Returns
    -------
    DataFrame
        ``period, year, term, first, last, school_ends, census, complete``: terms in order, then
        school years (``term`` is ``"year"``). The days of a term run on through the holiday after it,
        so that every day of a year lies in one term. ``census`` and ``school_ends`` lie before
        ``as_of``; ``complete`` is whether the last school day does.

    Examples
    --------
    >>> periods = make_periods(Tables({}), pd.Timestamp("2025-03-01"))
    >>> periods.set_index("period")["complete"].to_dict()
    {'2024/25 autumn': True, '2024/25 spring': False, '2024/25': False}
    """
    last = int(academic_year(pd.Series([as_of - pd.Timedelta(days=1)])).iloc[0])
    first = max(_first_year(tables, last), last - YEARS_SHOWN + 1)
    known = _calendar_terms(tables)
    rows = [_term(known, year, term) for year in range(first, last + 1) for term in TERMS]
    terms = pd.DataFrame(rows)
    ends = terms["first"].shift(-1) - pd.Timedelta(days=1)
    terms["last"] = ends.fillna(pd.Timestamp(last + 1, 8, 31))
    terms = terms[terms["first"] < as_of]
    periods = pd.concat([terms, _years(terms)], ignore_index=True)
    periods["complete"] = periods["school_ends"] < as_of
    before = as_of - pd.Timedelta(days=1)
    for column in ("census", "school_ends"):
        periods[column] = periods[column].where(periods[column] <= before, before)
    dates = ["first", "last", "school_ends", "census"]
    periods[dates] = periods[dates].astype("datetime64[s]")
    return periods


def _first_year(tables: Tables, otherwise: int) -> int:
    starts = [
        tables[name][column].min()
        for name, column in STARTS
        if name in tables and len(tables[name])
    ]
    return min([otherwise, *academic_year(pd.Series(starts, dtype="datetime64[s]")).tolist()])


def _calendar_terms(tables: Tables) -> dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]]:
    if "calendar" not in tables:
        return {}
    calendar = tables["calendar"]
    year = academic_year(calendar["date"]).to_numpy(dtype=int)
    spans = calendar.groupby([year, calendar["term"].astype("str")])["date"].agg(["min", "max"])
    return {
        (int(y), str(t)): (low, high)
        for (y, t), low, high in zip(spans.index, spans["min"], spans["max"], strict=True)
    }


def _term(
    known: dict[tuple[int, str], tuple[pd.Timestamp, pd.Timestamp]], year: int, term: str
) -> dict[str, object]:
    def day(month: int, number: int) -> pd.Timestamp:
        return pd.Timestamp(year + (month < 9), month, number)

    low, high = known.get((year, term), tuple(day(*when) for when in USUAL[term]))
    return {
        "period": f"{year_label(year)} {term}",
        "year": year,
        "term": term,
        # the autumn term starts with the school year, whenever its first lesson is
        "first": day(9, 1) if term == "autumn" else low,
        "school_ends": high,
        "census": day(*CENSUS[term]),
    }


def _years(terms: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for year, part in terms.groupby("year"):
        whole = len(part) == len(TERMS)
        rows.append(
            {
                "period": year_label(int(str(year))),
                "year": year,
                "term": "year",
                "first": part["first"].iloc[0],
                "last": part["last"].iloc[-1],
                # a year whose later terms have not begun has not ended either
                "school_ends": part["school_ends"].iloc[-1]
                if whole
                else pd.Timestamp.max.as_unit("s"),
                "census": pd.Timestamp(int(str(year)) + 1, 1, 15),
            }
        )
    return pd.DataFrame(rows, columns=np.array(terms.columns))
