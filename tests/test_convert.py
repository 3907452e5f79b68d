"""Columns converted: every kind of value that is taken, and every one that is marked as bad."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import NOT_KNOWN
from riskmodel.data.columns import Column
from riskmodel.data.read.rows.convert import convert_column, fill_not_known, read_dates
from riskmodel.data.schema import TABLES

PUPILS = pd.CategoricalDtype(pd.Index(["A", "B"], dtype="str"))
SIZE = Column(name="size", kind="number", label="Size", low=0, high=90)
YEAR = Column(name="year", kind="integer", label="Year group", low=-4, high=14)
MARK = TABLES["sessions"]["mark"]
TEXT = Column(name="name", kind="text", label="Name")
DAY = Column(name="day", kind="date", label="Day")
WHO = TABLES["sessions"]["pupil_id"]


def converted(values: list[Any], column: Column, **more: Any) -> tuple[list[Any], list[bool]]:
    """Return the values of a column, None where missing, and which of them were bad."""
    raw = pd.Series(values, dtype="str" if all(isinstance(v, str) for v in values) else None)
    made, bad, _ = convert_column(raw, column, **more)
    return [None if pd.isna(one) else one for one in made.tolist()], bad.tolist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("90", 90.0),
        ("2.5", 2.5),
        (" 7 ", 7.0),
        ("1.05E+1", 10.5),  # as programs write it
        ("1E+01", 10.0),
        ("007", 7.0),
        ("-0", 0.0),
        ("+3", 3.0),
    ],
)
def test_a_number_in_its_range_is_taken(text: str, value: float) -> None:
    assert converted([text], SIZE) == ([value], [False])


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-0.001",
        "90.5",
        "91",
        "inf",
        "-inf",
        "1,5",
        "1 000",
        "two",
        "£2",
        "2 days",
        "0x10",
        "- 1",
        "1e1",
        "+2E1 ",
    ],
)
def test_what_is_no_number_of_the_range_is_bad(text: str) -> None:
    assert converted([text], SIZE) == ([None], [True])


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("7.0", 7), ("0", 0), ("-4", -4), ("14", 14), (" 9", 9)],
)
def test_a_whole_number_is_taken(text: str, value: int) -> None:
    assert converted([text], YEAR) == ([value], [False])


@pytest.mark.parametrize("text", ["7.5", "-5", "15", "R", "Year 7", "1e-9"])
def test_what_is_no_whole_number_of_the_range_is_bad(text: str) -> None:
    assert converted([text], YEAR) == ([None], [True])


@pytest.mark.parametrize("blank", ["", " ", "\t", "  \n "])
@pytest.mark.parametrize("column", [SIZE, YEAR, MARK, TEXT, DAY, WHO], ids=lambda one: one.kind)
@pytest.mark.parametrize("dtype", ["str", "category", "object"])
def test_blank_text_is_missing_and_not_bad(blank: str, column: Column, dtype: str) -> None:
    values, bad, _ = convert_column(pd.Series([blank, blank]).astype(dtype), column)
    assert values.isna().all()
    assert not bad.any()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (TEXT, ["5", None, "x", None]),
        (SIZE, [5.0, None, None, None]),
        (MARK, [None, None, "X", None]),
    ],
    ids=lambda one: getattr(one, "kind", None),
)
def test_a_column_of_a_database_may_hold_numbers_and_text(
    column: Column, expected: list[object]
) -> None:
    values, bad, _ = convert_column(pd.Series([5, " ", "x", None], dtype="object"), column)
    assert [None if pd.isna(one) else one for one in values] == expected
    assert bad.tolist() == [expected[0] is None, False, expected[2] is None, False]


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        (SIZE, "bad_number"),
        (YEAR, "bad_number"),
        (MARK, "unknown_code"),
        (TEXT, "bad_text"),
        (DAY, "bad_date"),
        (WHO, "unknown_pupil"),
    ],
    ids=lambda one: getattr(one, "kind", one),
)
def test_each_kind_of_column_has_the_rule_that_bad_values_break(column: Column, rule: str) -> None:
    assert convert_column(pd.Series(["?"]), column, PUPILS)[2] == rule


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("/", "/"),
        ("\\", "\\"),
        (" C2 ", "C2"),
        ("#", "#"),
        ("c2", "C2"),
        ("C 2", None),
        ("C22", None),
        ("-", None),
    ],
)
def test_a_mark_is_a_code_of_the_set_or_bad(text: str, value: str | None) -> None:
    assert converted([text], MARK) == ([value], [value is None])


@pytest.mark.parametrize(
    ("text", "value"), [("A", "A"), (" B ", "B"), ("a", None), ("C", None), ("AB", None)]
)
def test_a_pupil_is_one_of_those_there_are(text: str, value: str | None) -> None:
    assert converted([text], WHO, pupils=PUPILS) == ([value], [value is None])


@pytest.mark.parametrize(
    ("raw", "value"), [(" P1 ", "P1"), ("1", "1"), (1, "1"), ("É", "É"), ("<b>", "<b>")]
)
def test_text_is_taken_without_the_blanks_around_it(raw: object, value: str) -> None:
    for column in (TEXT, WHO):  # while the table of pupils is read there are no pupils yet
        assert converted([raw], column) == ([value], [False])


WRITTEN = [
    ("2024-09-02", "2024-09-02"),
    ("2024-09-02T00:00:00", "2024-09-02"),
    ("2024-09-02 23:59:59", "2024-09-02"),
    (" 2024-09-02 ", "2024-09-02"),
    ("02/09/2024", "2024-09-02"),  # British: the second of September
    ("31/12/2024", "2024-12-31"),
    ("2024-Sep-02", "2024-09-02"),
    ("2024-Sep-02 00:00:00", "2024-09-02"),
    ("2024-sep-02", "2024-09-02"),
    ("2024-02-29", "2024-02-29"),
    ("29/02/2024", "2024-02-29"),
    ("2024-9-2", "2024-09-02"),
    ("2024/09/02", "2024-09-02"),
    ("2024-Sept-02", "2024-09-02"),
    ("2024-09-02T08:30:00.000", "2024-09-02"),
    ("2024-09-02T08:30:00Z", "2024-09-02"),
    ("2024-09-01T23:00:00Z", "2024-09-02"),  # midnight in a British summer
    ("2024-12-01T23:30:00+00:00", "2024-12-01"),
    ("2024-09-02T00:00:00+01:00", "2024-09-02"),
    ("2024-09-02Z", "2024-09-02"),  # days of XML may have a zone, and stay the day written
    ("2024-09-02+00:00", "2024-09-02"),
    ("2024-09-02+01:00", "2024-09-02"),
    ("2024-09-02-05:00", "2024-09-02"),
    ("2/9/2024", "2024-09-02"),
    ("02-09-2024", "2024-09-02"),
    ("02.09.2024", "2024-09-02"),
    ("02/09/2024 09:30", "2024-09-02"),
    ("02/09/2024 09:30:15 PM", "2024-09-02"),
    ("02.09.2024 09.30", "2024-09-02"),
    ("02/09/24", "2024-09-02"),
    ("02/09/49", "2049-09-02"),
    ("02/09/50", "1950-09-02"),
    ("2-Sep-24", "2024-09-02"),
    ("02-Sep-2024", "2024-09-02"),
    ("02SEP2024", "2024-09-02"),
    ("2nd September 2024", "2024-09-02"),
    ("2 Sept. 2024", "2024-09-02"),
    ("Mon 02 Sep 2024", "2024-09-02"),
    ("Monday, 2 September 2024", "2024-09-02"),
    ("September 2, 2024", "2024-09-02"),
    ("Sep 2 2024 12:00AM", "2024-09-02"),
    ("\u00a002/09/2024\u200b", "2024-09-02"),
    ("０２/０９/２０２４", "2024-09-02"),
    ("02\u201109\u20112024", "2024-09-02"),
    ("'02/09/2024", "2024-09-02"),
    ('="02/09/2024"', "2024-09-02"),
    ("1950-01-01", "1950-01-01"),
    ("2100-01-01", "2100-01-01"),
]

NO_DATES = [
    "1949-12-31",
    "2100-01-02",
    "2023-02-29",
    "29/02/2023",
    "2024-13-01",
    "2024-00-10",
    "31/04/2024",
    "12/31/2024",
    "2024-09-02junk",
    "20240902",
    "2024-Foo-02",
    "02 Foo 2024",
    "02/09-2024",
    "02/09/024",
    "32/01/2024",
    "2024-09-02T08:30:00 somewhere",
    "1900-01-01",
    "1899-12-30",
    "#VALUE!",
    "#REF!",
    "TBC",
    "41885.5",
    "45537",
    "soon",
    "9999-12-31",
    "0001-01-01",
]


@pytest.mark.parametrize("as_category", [False, True])
@pytest.mark.parametrize(("text", "day"), WRITTEN)
def test_a_date_may_be_written_in_these_ways(text: str, day: str, as_category: bool) -> None:
    raw = pd.Series([text], dtype="category" if as_category else "str")
    assert read_dates(raw).tolist() == [pd.Timestamp(day)]
    values, bad, _ = convert_column(raw, DAY)
    assert values.dtype == "datetime64[s]"
    assert not bad.any()


@pytest.mark.parametrize("as_category", [False, True])
@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_missing_and_bad(text: str, as_category: bool) -> None:
    raw = pd.Series([text], dtype="category" if as_category else "str")
    assert read_dates(raw).isna().all()
    assert convert_column(raw, DAY)[1].tolist() == [True]


NO_VALUE = ["NULL", "(null)", "N/A", "#N/A", "n/a", "NA", "NaN", "NaT", "<NA>", "(blank)", "\u00a0"]
OFTEN_NO_VALUE = ["-", "--", "–", "\u2011", "None", "nil", "00/00/0000", "0000-00-00", "00/01/1900"]


@pytest.mark.parametrize("dtype", ["str", "category", "object"])
@pytest.mark.parametrize("column", [SIZE, YEAR, MARK, TEXT, DAY], ids=lambda one: one.kind)
def test_words_of_programs_for_no_value_are_missing_and_not_bad(column: Column, dtype: str) -> None:
    values, bad, _ = convert_column(pd.Series(NO_VALUE).astype(dtype), column)
    assert values.isna().all()
    assert not bad.any()


@pytest.mark.parametrize("column", [SIZE, YEAR, TEXT, DAY], ids=lambda one: one.kind)
def test_a_dash_is_no_value_but_may_be_meant_for_a_code(column: Column) -> None:
    values, bad, _ = convert_column(pd.Series(OFTEN_NO_VALUE), column)
    assert values.isna().all()
    assert not bad.any()
    assert convert_column(pd.Series(["-"]), MARK)[1].tolist() == [True]


def test_a_moment_of_another_zone_is_a_day_in_england() -> None:
    raw = pd.Series(pd.to_datetime(["2024-09-01 23:00", "2024-12-01 23:00"]).tz_localize("UTC"))
    assert read_dates(raw).dt.day.tolist() == [2, 1]


def code_of(table: str, name: str, *written: str) -> list[object]:
    made, _ = converted(list(written), TABLES[table][name])
    return made


@pytest.mark.parametrize(
    ("table", "name", "code", "written"),
    [
        ("pupils", "sex", "F", ["f", "Female", "GIRL", "2", " F ", "female"]),
        ("pupils", "sex", "M", ["m", "Male", "boy", "1", "1.0"]),
        ("pupils", "sex", NOT_KNOWN, ["U", "unknown", "Not known", "W", "9"]),
        (
            "pupils",
            "ethnicity",
            "WBRI",
            ["wbri", "White British", "WENG", "weng", "White - English"],
        ),
        ("pupils", "ethnicity", "APKN", ["Pakistani", "AMPK", "Mirpuri Pakistani"]),
        ("sessions", "session", "AM", ["am", "Am", "a.m.", "Morning"]),
        ("sessions", "session", "PM", ["pm", "P.M.", "afternoon"]),
        ("sessions", "mark", "Y1", ["y1", " Y1 "]),
        ("suspensions", "category", "SUSP", ["FIXD", "Suspension", "Fixed period", "fixed-term"]),
        ("suspensions", "category", "PERM", ["perm", "Permanent exclusion", "Permanent", "PEX"]),
        ("suspensions", "category", "LNCH", ["Lunchtime", "lunch"]),
        ("suspensions", "reason_1", "PP", ["pp", "Physical assault against a pupil"]),
        ("send", "provision", "N", ["n", "None", "No SEN"]),
        ("send", "provision", "K", ["SEN Support", "A", "P"]),
        ("send", "provision", "E", ["EHCP", "EHC plan", "Statement"]),
        ("send", "primary_need", "SEMH", ["semh", "Social, emotional and mental health"]),
        ("destinations", "activity_code", "210", ["210", "210.0", " 210"]),
        ("calendar", "term", "autumn", ["AUT", "Autumn"]),
    ],
)
def test_a_code_is_read_in_any_capitals_and_as_words(
    table: str, name: str, code: str, written: list[str]
) -> None:
    assert code_of(table, name, *written) == [code] * len(written)


@pytest.mark.parametrize(
    ("table", "name", "written"),
    [
        ("pupils", "sex", ["3", "Mx", "MF"]),
        ("sessions", "session", ["1", "noon"]),
        ("sessions", "mark", ["//", "present", "C 2", "Y8"]),
        ("suspensions", "category", ["exclusion", "internal", "SUSPPERM"]),
        ("destinations", "activity_code", ["21", "2100", "210.5"]),
    ],
)
def test_what_may_mean_two_things_or_none_is_no_code(
    table: str, name: str, written: list[str]
) -> None:
    assert code_of(table, name, *written) == [None] * len(written)


@pytest.mark.parametrize(
    ("written", "value"), [("1.0", "1"), (1.0, "1"), ("2", "2"), ("3.0", None), ("1.5", None)]
)
def test_a_pupil_written_with_a_decimal_is_the_same_pupil(
    written: object, value: str | None
) -> None:
    pupils = pd.CategoricalDtype(pd.Index(["1", "2"], dtype="str"))
    assert converted([written, "2"], WHO, pupils=pupils) == ([value, "2"], [value is None, False])


def test_a_whole_number_written_with_a_decimal_is_the_same_name() -> None:
    assert converted(["900001.0", "900001", "9.5"], TEXT)[0] == ["900001", "900001", "9.5"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-09-02 00:00:00", "2024-09-02"),
        ("2024-09-02 13:45:10", "2024-09-02"),
        ("1950-01-01 00:00:00", "1950-01-01"),
        ("1949-12-31 23:59:59", None),
        ("2100-01-01 00:00:00", "2100-01-01"),
        ("2100-01-02 00:00:00", None),
    ],
)
def test_a_date_of_a_parquet_file_loses_its_hour(moment: str, day: str | None, unit: str) -> None:
    raw = pd.Series(pd.to_datetime([moment, None]).as_unit(unit))
    values, bad, _ = convert_column(raw, DAY)
    assert values.dtype == "datetime64[s]"
    assert values.iloc[0] == pd.Timestamp(day) if day else pd.isna(values.iloc[0])
    assert bad.tolist() == [day is None, False]


def test_a_date_with_a_time_zone_keeps_the_day_it_was_written_with() -> None:
    raw = pd.Series(pd.to_datetime(["2024-09-02 00:30"]).tz_localize("Europe/London"))
    assert read_dates(raw).tolist() == [pd.Timestamp("2024-09-02")]


def test_dates_written_in_different_ways_may_share_one_column() -> None:
    raw = pd.Series(["2024-09-02", "03/09/2024", "2024-Sep-04 00:00:00", "soon", None])
    found = read_dates(raw).dt.strftime("%d").tolist()
    assert found[:3] == ["02", "03", "04"]
    assert pd.isna(found[3:]).all()


@settings(max_examples=40)
@given(st.lists(st.dates(dt.date(1950, 1, 1), dt.date(2100, 1, 1)), min_size=1, max_size=5))
def test_every_way_of_writing_a_day_gives_that_day(days: list[dt.date]) -> None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%Y-%b-%d 00:00:00"):
        raw = pd.Series([day.strftime(form) for day in days])
        assert [day.date() for day in read_dates(raw)] == days


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["2", "x", "", "95", "1.5", "2024-09-02", "/", "A", " A"]), max_size=9)
)
def test_categories_are_converted_as_their_values_are(values: list[str]) -> None:
    plain = pd.Series(values, dtype="str", index=range(5, 5 + len(values)))
    for column in (SIZE, YEAR, MARK, TEXT, DAY, WHO):
        one, bad, rule = convert_column(plain, column, PUPILS)
        other, also_bad, same = convert_column(plain.astype("category"), column, PUPILS)
        pd.testing.assert_series_equal(one, other, check_names=False)
        np.testing.assert_array_equal(bad, also_bad)
        assert rule == same


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["2", "x", "", "95", "2024-09-02", "/", "A"]), max_size=9))
def test_a_value_is_there_or_bad_or_was_missing_and_never_two_of_these(values: list[str]) -> None:
    raw = pd.Series(values, dtype="str")
    missing = (raw.str.strip() == "").to_numpy()
    for column in (SIZE, YEAR, MARK, TEXT, DAY, WHO):
        made, bad, _ = convert_column(raw, column, PUPILS)
        states = [made.notna().to_numpy(), bad, missing]
        assert (np.sum(states, axis=0, dtype=int) == 1).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["F", None, "M"], ["F", NOT_KNOWN, "M"]),
        ([None, None], [NOT_KNOWN, NOT_KNOWN]),
        ([NOT_KNOWN], [NOT_KNOWN]),
        ([], []),
    ],
)
def test_whose_attribute_is_missing_is_in_the_group_not_known(
    values: list[str | None], expected: list[str]
) -> None:
    codes = pd.Series(pd.Categorical(values, categories=["F", "M", NOT_KNOWN]))
    assert fill_not_known(codes).tolist() == expected


@pytest.mark.parametrize("values", [[], [None], [None, None]])
@pytest.mark.parametrize("column", [SIZE, YEAR, MARK, TEXT, DAY], ids=lambda one: one.kind)
def test_a_column_without_values_has_the_right_type(values: list[None], column: Column) -> None:
    expected = {
        "number": "float64",
        "integer": "float64",  # int64 once the rows without a value are set aside
        "code": pd.CategoricalDtype(list(column.allowed)),
        "text": "str",
        "date": "datetime64[s]",
    }
    made, bad, _ = convert_column(pd.Series(values, dtype="object"), column)
    assert made.dtype == expected[column.kind]
    assert len(made) == len(values)
    assert not bad.any()
