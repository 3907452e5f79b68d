"""Cards of the dashboard: sentences about the latest period, numbers, codes, and what is not shown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from riskmodel.inclusion.catalogue import MEASURES, england
from riskmodel.report.dashboard.parts import MeasureCard, Theme, sources, themes

NAN = float("nan")


def row(**changed: Any) -> dict[str, Any]:
    usual = {
        "measure": "suspensions",
        "code": "",
        "year": 2023,
        "term": "year",
        "period": "2023/24",
        "complete": True,
        "value": 12.0,
        "numerator": 120.0,
        "denominator": 1000.0,
        "people": 80.0,
        "comparator": NAN,
        "hidden": False,
        "why": "",
    }
    return usual | changed


def page(*rows: dict[str, Any], phase: str = "secondary") -> dict[str, Theme]:
    return {theme.title: theme for theme in themes(pd.DataFrame(rows), phase)}


def card(*rows: dict[str, Any], phase: str = "secondary") -> MeasureCard:
    measure = MEASURES[rows[0]["measure"]]
    (found,) = page(*rows, phase=phase)[measure.theme].cards
    assert found.title == measure.title
    return found


def test_every_theme_is_on_a_page_once_and_in_order() -> None:
    titles = list(page(row()))
    assert titles == list(dict.fromkeys(measure.theme for measure in MEASURES.values()))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({}, "School year 2023/24: 12.0 per 100 pupils."),
        ({"value": 0.0}, "School year 2023/24: 0.0 per 100 pupils."),
        ({"value": 0.456}, "School year 2023/24: 0.46 per 100 pupils."),
        ({"measure": "attendance", "value": 93.46}, "School year 2023/24: 93.5% of half-days."),
        ({"measure": "persistent", "value": 20.0}, "School year 2023/24: 20.0% of pupils."),
        ({"measure": "roll", "value": 1234.0}, "School year 2023/24: 1,234 pupils."),
    ],
)
def test_the_latest_period_is_reported_in_its_unit(changed: dict[str, Any], sentence: str) -> None:
    assert card(row(**changed)).sentences[0] == sentence


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (
            {"value": 8.0},
            "School year 2023/24: 12.0 per 100 pupils. A year before: 8.0 per 100 pupils.",
        ),
        ({"value": NAN}, "School year 2023/24: 12.0 per 100 pupils. A year before: not known."),
        ({"hidden": True}, "School year 2023/24: 12.0 per 100 pupils. A year before: not shown."),
        ({"year": 2021}, "School year 2023/24: 12.0 per 100 pupils."),
        ({"complete": False}, "School year 2023/24: 12.0 per 100 pupils."),
    ],
)
def test_the_year_before_is_reported_where_it_is_over(
    before: dict[str, Any], sentence: str
) -> None:
    earlier = row(**({"year": 2022, "period": "2022/23"} | before))
    assert card(earlier, row()).sentences[0] == sentence


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        ({"hidden": True}, "School year 2024/25: not shown. A year before: 12.0 per 100 pupils."),
        ({"value": NAN}, "School year 2024/25: not known. A year before: 12.0 per 100 pupils."),
        ({"complete": False}, "School year 2023/24: 12.0 per 100 pupils."),  # not over yet
    ],
)
def test_a_period_that_is_hidden_or_not_over(last: dict[str, Any], sentence: str) -> None:
    later = row(**({"year": 2024, "period": "2024/25"} | last))
    assert card(row(), later).sentences[0] == sentence


@pytest.mark.parametrize("term", ["autumn", "spring", "summer"])
def test_terms_come_before_years_and_have_their_own_sentence(term: str) -> None:
    terms = row(term=term, period=f"2023/24 {term}", value=3.0)
    made = card(terms, row())
    assert made.sentences[:2] == (
        f"{term.capitalize()} term 2023/24: 3.0 per 100 pupils.",
        "School year 2023/24: 12.0 per 100 pupils.",
    )
    assert [one.period for one in made.rows] == [f"2023/24 {term}", "2023/24"]
    assert [one.is_year for one in made.rows] == [False, True]


@pytest.mark.parametrize(
    ("measure", "phase", "words"),
    [
        ("suspensions", "secondary", "England, secondary, "),
        ("suspensions", "all_through", "There is no figure of England to compare it with."),
        ("in_time", "primary", "England, all, "),
        ("alternative", "secondary", "There is no figure of England"),
    ],
)
def test_englands_figure_is_named_with_whom_it_is_of(measure: str, phase: str, words: str) -> None:
    text = card(row(measure=measure), phase=phase).sentences[-1]
    assert text.startswith(words)
    figure = england(measure, phase)
    assert (figure is None) == ("no figure" in text)
    if figure is not None:
        assert str(figure["year"]) in text


@pytest.mark.parametrize(
    ("changed", "cells"),
    [
        ({}, ("12.0", "120", "1,000")),
        ({"hidden": True}, ("c", "c", "c")),
        ({"value": NAN, "why": "No registers."}, ("–", "No registers.", "")),
        ({"value": 0.0, "numerator": 0.0}, ("0.0", "0", "1,000")),
    ],
)
def test_numbers_of_a_period(changed: dict[str, Any], cells: tuple[str, str, str]) -> None:
    shown = card(row(**({"year": 2022, "period": "2022/23"} | changed)), row()).rows[0]
    assert (shown.value, shown.count, shown.of) == cells


@pytest.mark.parametrize(("complete", "period"), [(True, "2023/24"), (False, "2023/24 so far")])
def test_a_period_that_is_not_over_is_called_so(complete: bool, period: str) -> None:
    made = card(row(year=2022, period="2022/23"), row(complete=complete))
    assert made.rows[1].period == period


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (
            [{"hidden": True}],
            "fewer than 5 pupils in every period, or counts that would reveal them",
        ),
        ([{"value": NAN, "why": "No table."}], "No table."),
        (
            [{"value": NAN, "why": "a"}, {"value": NAN, "why": "b"}, {"value": NAN, "why": "b"}],
            "b",  # the reason of most periods
        ),
        ([{"value": NAN, "why": "a"}, {"hidden": True}], "fewer than 5 pupils in every period"),
        ([{"value": NAN}], "nothing was counted."),
    ],
)
def test_a_measure_without_a_value_states_why(rows: list[dict[str, Any]], why: str) -> None:
    made = [row(**one, year=2020 + number) for number, one in enumerate(rows)]
    theme = page(*made)[MEASURES["suspensions"].theme]
    assert theme.cards == ()
    (quiet,) = [one for one in theme.quiet if one.title == "Suspensions"]
    assert quiet.why.startswith(why)


@pytest.mark.parametrize("column", ["value", "numerator", "denominator", "people"])
def test_what_is_hidden_is_in_no_text_of_the_card(column: str) -> None:
    secret = row(hidden=True, year=2022, period="2022/23") | {column: 77.0}
    assert "77" not in repr(card(secret, row()))


def code(name: str, **changed: Any) -> dict[str, Any]:
    return row(measure="reasons", code=name, **changed)


@pytest.mark.parametrize(
    ("changed", "cell"),
    [
        ({}, "120 (12.0%)"),
        ({"hidden": True}, "c"),
        ({"value": NAN, "why": "x"}, "–"),
        ({"value": 0.0, "numerator": 0.0}, "0 (0.0%)"),
    ],
)
def test_a_breakdown_has_a_row_per_code_and_a_column_per_year(
    changed: dict[str, Any], cell: str
) -> None:
    later = {"year": 2024, "period": "2024/25"}
    (made,) = page(code("DB"), code("DB", **later | changed))[MEASURES["reasons"].theme].breakdowns
    assert made.table.columns == ("Reasons for suspensions", "2023/24", "2024/25")
    first, total = made.table.rows
    assert first[1:] == ("120 (12.0%)", cell)
    assert total[:2] == ("All", "1,000")
    assert total[2] == ("c" if cell == "c" else "1,000")


@pytest.mark.parametrize(
    ("hidden", "rows", "total"),
    [
        ([False, False], 2, "1,000"),
        ([True, False], 1, "1,000"),  # a row of which nothing is shown is left out
        ([False, True], 1, "1,000"),
    ],
)
def test_a_total_is_shown_while_one_of_its_codes_is(
    hidden: list[bool], rows: int, total: str
) -> None:
    codes = [code(name, hidden=one) for name, one in zip(("DB", "PP"), hidden, strict=True)]
    (made,) = page(*codes)[MEASURES["reasons"].theme].breakdowns
    assert len(made.table.rows) == rows + 1
    assert made.table.rows[-1] == ("All", total)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"hidden": True}, "fewer than 5 pupils"),
        ({"value": NAN, "why": "No reasons."}, "No reasons."),
    ],
)
def test_a_breakdown_without_a_value_has_no_rows_and_states_why(
    changed: dict[str, Any], why: str
) -> None:
    (made,) = page(code("DB", **changed))[MEASURES["reasons"].theme].breakdowns
    assert made.table.rows == ()
    assert made.why.startswith(why)


@pytest.mark.parametrize(
    ("names", "phase", "n"),
    [
        (["suspensions"], "secondary", 1),
        (["suspensions", "suspensions"], "secondary", 1),
        (["suspensions", "alternative"], "secondary", 1),
        (["alternative"], "secondary", 0),
        ([], "primary", 0),
    ],
)
def test_sources_are_named_once_for_what_a_page_shows(names: list[str], phase: str, n: int) -> None:
    table = sources(names, phase)
    assert table.columns == ("Measure", "England", "Year", "Source")
    assert len(table.rows) == n
