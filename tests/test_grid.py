"""Register grids: which headings are days, what is said of those that are not, and marks in a cell."""

from __future__ import annotations

import pytest

from riskmodel.data.read.sources.grid import day_headings, marks_of_day


@pytest.mark.parametrize(
    ("headings", "days"),
    [
        (["Mon 02/09/2024 AM", "Mon 02/09/2024 PM"], ["20240902am", "20240902pm"]),
        (["Wed 04 Sep 2024 am", "Thursday 5 Sep 2024 (PM)"], ["20240904am", "20240905pm"]),
        (["2024-09-02 00:00:00", "2024-09-03"], ["20240902", "20240903"]),
        (["02-Sep-24", "3.9.2024"], ["20240902", "20240903"]),
        (["09/04/2024", "09/16/2024"], ["20240904", "20240916"]),  # only one can have the day first
        # a heading of two columns, as merged cells are exported
        (
            ["Name", "02/09/2024", "column 3", "03/09/2024", "column 5"],
            ["20240902am", "20240902pm", "20240903am", "20240903pm"],
        ),
        (["02/09/2024", "column 2", "03/09/2024"], ["20240902", "20240903"]),
        (["UPN", "1", "Year 8", "45537", "Age 11", "8A", "02/09", "P1 02/09/2024"], []),
    ],
)
def test_a_heading_is_a_day_or_a_half_day(headings: list[str], days: list[str]) -> None:
    assert list(day_headings(headings)[0].values()) == days


@pytest.mark.parametrize(
    ("headings", "rule", "words"),
    [
        (["02/09/2024", "31/09/2024"], "bad_heading", "'31/09/2024' is no date that can be read"),
        (["02/09/2024", "2024-09-02"], "bad_heading", "'2024-09-02' is that of another column"),
        (["02/09/2024", "column 2", "03/09/2024"], "bad_heading", "column 2 has no heading"),
        (["09/04/2024", "09/16/2024"], "month_first", "with the month before the day"),
        (["09/16/2024", "16/09/2024"], "two_orders", "contradicts itself"),
    ],
)
def test_a_heading_whose_day_is_not_plain_is_named(
    headings: list[str], rule: str, words: str
) -> None:
    problems = {one.rule: one.message for one in day_headings(headings, "g.csv")[1]}
    assert words in problems[rule]
    assert problems[rule].startswith("g.csv: ")


@pytest.mark.parametrize(
    ("cell", "marks"),
    [
        ("/\\", ("/", "\\")),
        ("/ \\", ("/", "\\")),
        ("L,\\", ("L", "\\")),
        ("II", ("I", "I")),
        ("C2\\", ("C2", "\\")),
        ("/C2", ("/", "C2")),
        ("C2 C2", ("C2", "C2")),
        ("C2C2", ("C2", "C2")),
        ("Y1", ("Y1", "")),  # one code, not two
        ("I", ("I", "")),
        ("\\", ("", "\\")),
        ("-\\", ("-", "\\")),
        ("absent", ("absent", "")),  # no code: the row is set aside with it
        ("/ \\ I", ("/ \\ I", "")),
        ("", ("", "")),
    ],
)
def test_the_cell_of_a_day_holds_two_marks_or_one(cell: str, marks: tuple[str, str]) -> None:
    assert marks_of_day(cell) == marks
