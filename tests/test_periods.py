"""Terms and school years of the dashboard: where each begins, ends and is counted."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import Tables
from riskmodel.inclusion.periods import TERMS, YEARS_SHOWN, make_periods, year_label
from tests.strategies import table_of

ONE_DAY = pd.Timedelta(days=1)


def calendar_of(*days: tuple[str, str]) -> Tables:
    """Return the school days of some terms."""
    rows = [{"date": day, "term": term, "half_term": 1} for day, term in days]
    return Tables({"calendar": table_of("calendar", rows)})


def marks_on(day: str) -> Tables:
    row = {"pupil_id": "A", "date": day, "session": "AM", "mark": "/", "recorded_on": day}
    return Tables({"sessions": table_of("sessions", [row])})


@pytest.mark.parametrize(
    ("year", "label"),
    [(2023, "2023/24"), (1999, "1999/00"), (2000, "2000/01"), (2008, "2008/09"), (2099, "2099/00")],
)
def test_a_school_year_is_named_by_both_its_years(year: int, label: str) -> None:
    assert year_label(year) == label


@pytest.mark.parametrize(
    ("as_of", "periods"),
    [
        # of the 1 September nothing has happened yet: a day counts facts before it
        ("2024-09-01", ["2023/24 autumn", "2023/24 spring", "2023/24 summer", "2023/24"]),
        ("2024-09-02", ["2024/25 autumn", "2024/25"]),
        ("2025-01-01", ["2024/25 autumn", "2024/25"]),
        ("2025-01-02", ["2024/25 autumn", "2024/25 spring", "2024/25"]),
        ("2025-04-16", ["2024/25 autumn", "2024/25 spring", "2024/25"]),
        (
            "2025-04-17",
            ["2024/25 autumn", "2024/25 spring", "2024/25 summer", "2024/25"],
        ),
    ],
)
def test_a_term_is_shown_from_the_day_after_it_begins(as_of: str, periods: list[str]) -> None:
    assert make_periods(Tables({}), pd.Timestamp(as_of))["period"].tolist() == periods


@pytest.mark.parametrize(
    ("as_of", "complete"),
    [
        ("2025-07-20", {"2024/25 autumn", "2024/25 spring"}),
        ("2025-07-21", {"2024/25 autumn", "2024/25 spring", "2024/25 summer", "2024/25"}),
        ("2025-04-05", {"2024/25 autumn"}),
        ("2025-04-06", {"2024/25 autumn", "2024/25 spring"}),
        ("2024-12-20", set()),
        ("2024-12-21", {"2024/25 autumn"}),
    ],
)
def test_a_period_is_complete_the_day_after_its_last_school_day(
    as_of: str, complete: set[str]
) -> None:
    periods = make_periods(Tables({}), pd.Timestamp(as_of))
    assert set(periods.loc[periods["complete"], "period"]) == complete


@pytest.mark.parametrize(
    ("term", "first", "last", "census"),
    [
        ("autumn", "2024-09-01", "2024-12-31", "2024-10-05"),
        ("spring", "2025-01-01", "2025-04-15", "2025-01-15"),
        ("summer", "2025-04-16", "2025-08-31", "2025-05-15"),
        ("year", "2024-09-01", "2025-08-31", "2025-01-15"),
    ],
)
def test_without_a_calendar_terms_have_their_usual_days(
    term: str, first: str, last: str, census: str
) -> None:
    periods = make_periods(Tables({}), pd.Timestamp("2025-08-31")).set_index("term")
    found = periods.loc[term, ["first", "last", "census"]].tolist()
    assert found == [pd.Timestamp(day) for day in (first, last, census)]


@pytest.mark.parametrize(
    ("days", "term", "first", "school_ends"),
    [
        # the autumn term begins with the school year, whenever its first lesson is
        (
            [("2024-09-04", "autumn"), ("2024-12-18", "autumn")],
            "autumn",
            "2024-09-01",
            "2024-12-18",
        ),
        (
            [("2025-01-06", "spring"), ("2025-04-11", "spring")],
            "spring",
            "2025-01-06",
            "2025-04-11",
        ),
        ([("2025-04-28", "summer")], "summer", "2025-04-28", "2025-04-28"),
        ([("2023-04-24", "summer")], "summer", "2025-04-16", "2025-07-20"),  # of another year
    ],
)
def test_a_term_of_the_calendar_begins_and_ends_with_its_school_days(
    days: list[tuple[str, str]], term: str, first: str, school_ends: str
) -> None:
    periods = make_periods(calendar_of(*days), pd.Timestamp("2025-08-01"))
    (found,) = periods[(periods["term"] == term) & (periods["year"] == 2024)].to_dict("records")
    assert found["first"] == pd.Timestamp(first)
    assert found["school_ends"] == pd.Timestamp(school_ends)


@pytest.mark.parametrize(
    ("day", "n_years"),
    [
        ("2025-02-03", 1),
        ("2024-09-01", 1),
        ("2024-08-31", 2),
        ("2021-09-01", 4),
        ("2020-09-01", 5),
        ("2020-08-31", 5),
        ("2001-01-01", 5),
    ],
)
def test_years_begin_with_the_first_fact_and_are_five_at_most(day: str, n_years: int) -> None:
    periods = make_periods(marks_on(day), pd.Timestamp("2025-03-01"))
    years = periods.loc[periods["term"] == "year", "year"].tolist()
    assert years == list(range(2025 - n_years, 2025))
    assert n_years <= YEARS_SHOWN


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("absence_totals", {"pupil_id": "A", "term_end": "2022-12-20", "mark": "I", "sessions": 1}),
        ("suspensions", {"pupil_id": "A", "category": "SUSP", "start_date": "2022-12-20"}),
        ("calendar", {"date": "2022-12-20", "term": "autumn", "half_term": 2}),
    ],
)
def test_the_first_fact_may_be_in_any_table_of_events(name: str, row: dict[str, object]) -> None:
    tables = Tables({name: table_of(name, [row])})
    assert make_periods(tables, pd.Timestamp("2025-03-01"))["year"].min() == 2022


@settings(max_examples=60)
@given(st.dates(dt.date(2019, 1, 1), dt.date(2026, 12, 31)), st.integers(0, 2500))
def test_every_day_of_the_years_shown_lies_in_one_term_and_one_year(
    day: dt.date, back: int
) -> None:
    as_of = pd.Timestamp(day)
    periods = make_periods(marks_on(str(day - dt.timedelta(days=back))), as_of)
    terms, years = (periods[(periods["term"] != "year") == is_term] for is_term in (True, False))
    for part in (terms, years):
        follows = part["first"].iloc[1:].reset_index(drop=True)
        assert (follows == (part["last"] + ONE_DAY).iloc[:-1].reset_index(drop=True)).all()
    assert terms["first"].iloc[0] == years["first"].iloc[0]
    assert terms["first"].iloc[0].month == 9
    assert terms["first"].iloc[-1] < as_of <= terms["last"].iloc[-1] + ONE_DAY
    assert (periods[["census", "school_ends"]] < as_of).all(axis=None)
    assert terms["term"].tolist() == (list(TERMS) * len(years))[: len(terms)]
