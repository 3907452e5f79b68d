"""Facts as whole numbers: days since 1970 in every unit of a date, pupils by their place."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.data.arrays import (
    DAYS_PER_MONTH,
    DAYS_PER_YEAR,
    OPEN,
    day_number,
    days_of,
    pupils_of,
    whole_days,
)

UNITS = ["s", "ms", "us", "ns"]

# days since 1970, counted from the calendar: 30 years to 2000 hold the leap days of 1972 to 1996
KNOWN_DAYS = [
    ("1969-12-31", -1),
    ("1970-01-01", 0),
    ("1970-12-31", 364),
    ("1972-02-29", 365 + 365 + 31 + 28),
    ("1972-03-01", 365 + 365 + 31 + 29),
    ("2000-01-01", 30 * 365 + 7),
    ("2000-02-29", 30 * 365 + 7 + 31 + 28),
    ("2000-03-01", 30 * 365 + 7 + 31 + 29),
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("day", "number"), KNOWN_DAYS)
def test_a_day_has_the_same_number_in_every_unit(day: str, number: int, unit: str) -> None:
    dates = pd.Series(pd.to_datetime([day]).as_unit(unit))
    assert whole_days(dates).tolist() == [number]
    assert days_of(dates).tolist() == [number]
    assert day_number(pd.Timestamp(day).as_unit(unit)) == number


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("moment", "number"),
    [("1970-01-02 00:00:00", 1), ("1970-01-02 23:59:59", 1), ("1969-12-31 23:59:59", -1)],
)
def test_the_hour_of_a_day_does_not_matter(moment: str, number: int, unit: str) -> None:
    assert whole_days(pd.Series(pd.to_datetime([moment]).as_unit(unit))).tolist() == [number]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], []),
        ([None], [OPEN]),
        (["1970-01-11", None, "1970-01-02"], [10, OPEN, 1]),
    ],
)
def test_a_missing_end_is_far_in_the_future(days: list[str | None], expected: list[int]) -> None:
    found = days_of(pd.Series(pd.to_datetime(days).astype("datetime64[s]")))
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_an_open_end_is_later_than_any_date_that_the_reader_lets_pass() -> None:
    assert day_number(pd.Timestamp("2100-01-01")) < OPEN


@given(st.lists(st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)), max_size=6))
def test_numbers_of_days_differ_as_the_days_do(days: list[dt.date]) -> None:
    dates = pd.Series(pd.to_datetime(days).astype("datetime64[s]"))
    expected = [(day - dt.date(1970, 1, 1)).days for day in days]
    assert whole_days(dates).tolist() == expected
    assert [day_number(pd.Timestamp(day)) for day in days] == expected


@pytest.mark.parametrize(
    ("pupils", "known", "numbers"),
    [
        ([], ["a"], []),
        (["a", "b", "a"], ["a", "b"], [0, 1, 0]),
        (["a", "b", "a"], ["b", "a"], [1, 0, 1]),
        (["c"], ["a", "b", "c"], [2]),
        ([None, "a"], ["a"], [-1, 0]),
    ],
)
def test_a_pupil_is_numbered_by_the_place_in_the_shared_type(
    pupils: list[str | None], known: list[str], numbers: list[int]
) -> None:
    rows = pd.DataFrame({"pupil_id": pd.Categorical(pupils, categories=known)})
    assert pupils_of(rows).tolist() == numbers
    assert pupils_of(rows).dtype == np.int64


def test_numbers_of_pupils_do_not_wrap_where_the_codes_are_small() -> None:
    rows = pd.DataFrame({"pupil_id": pd.Categorical(list("ab"))})
    assert rows["pupil_id"].cat.codes.dtype == np.int8
    assert (pupils_of(rows) * 10**7).tolist() == [0, 10**7]


def test_a_month_is_a_twelfth_of_a_year_with_leap_days() -> None:
    assert 4 * DAYS_PER_YEAR == 3 * 365 + 366
    assert pytest.approx(DAYS_PER_YEAR / 12) == DAYS_PER_MONTH
