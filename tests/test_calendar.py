"""School years and snapshot days: the days on either side of a border, and every year there is."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data.calendar import academic_year, snapshot_dates
from riskmodel.data.outcomes import OUTCOMES

Day = tuple[int, int]


def dates_of(*days: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(days)).astype("datetime64[s]"))


@pytest.mark.parametrize(
    ("day", "year"),
    [
        ("2024-08-31", 2023),
        ("2024-09-01", 2024),
        ("2024-12-31", 2024),
        ("2025-01-01", 2024),
        ("2024-02-29", 2023),
        ("2025-08-31", 2024),
        ("2025-09-01", 2025),
        ("1999-12-31", 1999),
        ("2000-01-01", 1999),
        ("1969-12-31", 1969),
        ("1970-01-01", 1969),
    ],
)
def test_a_school_year_begins_on_the_first_of_september(day: str, year: int) -> None:
    assert academic_year(dates_of(day)).tolist() == [year]


@pytest.mark.parametrize(
    ("days", "years"),
    [
        ([], []),
        ([None], [None]),
        ([None, "2024-09-01", None], [None, 2024, None]),
    ],
)
def test_a_missing_date_is_in_no_school_year(
    days: list[str | None], years: list[int | None]
) -> None:
    found = academic_year(dates_of(*days))
    assert str(found.dtype) == "Int64"
    assert [None if pd.isna(year) else year for year in found] == years


def test_the_school_years_keep_the_index_of_the_dates() -> None:
    dates = dates_of("2024-09-01", "2024-08-31").set_axis(["b", "a"])
    assert academic_year(dates).to_dict() == {"b": 2024, "a": 2023}


@given(st.dates(dt.date(1950, 1, 1), dt.date(2100, 12, 31)))
def test_every_day_lies_between_the_two_ends_of_its_school_year(day: dt.date) -> None:
    (year,) = academic_year(dates_of(day.isoformat())).tolist()
    assert dt.date(year, 9, 1) <= day < dt.date(year + 1, 9, 1)


@pytest.mark.parametrize(
    ("first", "last", "days", "expected"),
    [
        ("2024-03-01", "2024-03-01", ((3, 1),), ["2024-03-01"]),
        ("2024-03-02", "2025-02-28", ((3, 1),), []),
        ("2024-03-02", "2025-03-01", ((3, 1),), ["2025-03-01"]),
        ("2024-01-01", "2024-12-31", ((8, 1), (3, 1)), ["2024-03-01", "2024-08-01"]),
        ("2024-03-01", "2024-02-01", ((3, 1),), []),
        ("2024-01-01", "2024-12-31", (), []),
        (
            "2023-08-01",
            "2025-03-01",
            ((3, 1), (8, 1)),
            ["2023-08-01", "2024-03-01", "2024-08-01", "2025-03-01"],
        ),
    ],
)
def test_snapshot_days_lie_in_the_range_with_both_its_ends(
    first: str, last: str, days: tuple[Day, ...], expected: list[str]
) -> None:
    found = snapshot_dates(pd.Timestamp(first), pd.Timestamp(last), days)
    assert found.strftime("%Y-%m-%d").tolist() == expected
    assert found.unit == "s"


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("year", [2023, 2024])
def test_the_snapshot_days_of_an_outcome_are_the_same_in_every_year(name: str, year: int) -> None:
    days = OUTCOMES[name].snapshot_days
    found = snapshot_dates(pd.Timestamp(year, 1, 1), pd.Timestamp(year, 12, 31), days)
    assert [(day.month, day.day) for day in found] == sorted(days)
    # a year on from any of them is one of them again, so that horizons end at a later list
    later = snapshot_dates(pd.Timestamp(year + 1, 1, 1), pd.Timestamp(year + 1, 12, 31), days)
    assert [day + pd.DateOffset(years=1) for day in found] == later.tolist()


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2030, 12, 31)),
    st.integers(0, 1500),
    st.sets(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=4),
)
def test_snapshot_days_are_those_that_a_walk_over_all_days_meets(
    first: dt.date, length: int, days: set[Day]
) -> None:
    every = [first + dt.timedelta(days=i) for i in range(length + 1)]
    expected = [day for day in every if (day.month, day.day) in days]
    found = snapshot_dates(pd.Timestamp(every[0]), pd.Timestamp(every[-1]), tuple(days))
    assert [day.date() for day in found] == expected
