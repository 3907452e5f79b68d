"""Charts: numbers for people, ends of axes, where a point is drawn, and the words of a chart."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.report.charts import (
    axis_ends,
    bar_length,
    colour,
    line_look,
    number,
    picture,
)
from riskmodel.report.dashboard.measure_charts import Point, line_chart, spread_chart

NAN = float("nan")
shares = st.lists(st.integers(0, 100_000).map(lambda n: n / 100), min_size=1, max_size=12)


def points(values: list[float], years: list[str] | None = None, hidden: bool = True) -> list[Point]:
    names = years or [f"20{20 + place}/{21 + place}" for place in range(len(values))]
    return [
        Point(year=year, value=value, hidden=hidden, complete=True)
        for year, value in zip(names, values, strict=True)
    ]


@pytest.mark.parametrize(
    ("value", "words", "whole"),
    [
        (NAN, "–", "–"),
        (0.0, "0.0", "0"),
        (0.004, "0.00", "0"),
        (0.046, "0.05", "0"),
        (0.5, "0.50", "0"),
        (1.0, "1.0", "1"),
        (1.26, "1.3", "1"),
        (12.34, "12.3", "12"),
        (99.96, "100.0", "100"),
        (1234.5, "1234.5", "1,234"),
        (1e6, "1000000.0", "1,000,000"),
    ],
)
def test_a_number_is_written_as_people_do(value: float, words: str, whole: str) -> None:
    assert number(value) == words
    assert number(value, whole=True) == whole


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([], (0, 1)),
        ([NAN], (0, 1)),
        ([0.0], (0, 1)),
        ([0.5], (0, 0.6)),
        ([1.0], (0, 1.5)),
        ([7.0], (0, 8)),
        ([9.9], (0, 15)),
        ([37.0, NAN, 2.0], (0, 40)),
        ([60.0], (0, 80)),  # the floor itself is not above the floor
        ([61.0], (60, 100)),
        ([92.0, 95.5], (90, 100)),
        ([100.0], (95, 100)),
        ([92.0, 101.0], (0, 150)),  # no percentages
        ([0.004], (0, 0.005)),
    ],
)
def test_an_axis_ends_at_round_numbers(values: list[float], ends: tuple[float, float]) -> None:
    assert axis_ends(values) == pytest.approx(ends)


@given(shares)
def test_every_value_lies_within_the_axis(values: list[float]) -> None:
    low, high = axis_ends(values)
    assert low <= min(values)
    assert max(values) <= high
    assert low < high


@pytest.mark.parametrize(
    ("value", "largest", "length"),
    [
        (0.0, 10.0, 0.0),
        (5.0, 10.0, 50.0),
        (10.0, 10.0, 100.0),
        (1.0, 3.0, 33.3),
        (NAN, 10.0, 0.0),
        (5.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
        (5.0, -1.0, 0.0),
    ],
)
def test_the_length_of_a_bar(value: float, largest: float, length: float) -> None:
    assert bar_length(value, largest=largest, width=100) == length


@pytest.mark.parametrize("name", ["ink", "soft", "line", "deep", "edge", "pale"])
def test_colours_are_those_of_the_style_sheet(name: str) -> None:
    assert colour(name).startswith("#")
    assert len(colour(name)) == 7


@pytest.mark.parametrize("name", ["", "Ink", "no such colour"])
def test_a_colour_that_the_style_sheet_lacks_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match=repr(name)):
        colour(name)


@pytest.mark.parametrize("place", [0, 1, 3, 4, 9])
def test_our_line_is_thicker_and_the_dashes_repeat(place: int) -> None:
    ours, theirs = (line_look(place, is_ours=one) for one in (True, False))
    assert ours["linewidth"] > theirs["linewidth"]
    assert ours["color"] != theirs["color"]
    assert (
        ours["linestyle"] == theirs["linestyle"] == line_look(place + 4, is_ours=True)["linestyle"]
    )


def draw_line(figure: Any, axes: Any, data: list[float]) -> None:
    axes.plot(range(len(data)), data)
    axes.set(xlabel="A < B & C")


@pytest.mark.parametrize("title", ["A chart", 'With "quotes"', "<b> & more"])
def test_a_picture_is_one_svg_with_its_title_and_the_same_bytes_again(title: str) -> None:
    made = picture(draw_line, [1.0, 2.0], title=title)
    root = ElementTree.fromstring(str(made))
    assert root.attrib["aria-label"] == title
    assert root.attrib["role"] == "img"
    assert "A < B & C" in "".join(root.itertext())
    assert "style=" not in str(made)
    assert made == picture(draw_line, [1.0, 2.0], title=title)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "No value can be shown."),
        ([NAN, NAN], "No value can be shown."),
        ([5.0], "Line from 5.0 to 5.0, lowest 5.0, highest 5.0, over 1 period from 2020/21"),
        ([5.0, 2.0, 9.0], "Line from 5.0 to 9.0, lowest 2.0, highest 9.0, over 3 periods"),
        (
            [5.0, NAN, 9.0],
            "over 3 periods from 2020/21 to 2022/23. Periods without a value shown: 1.",
        ),
        ([NAN, NAN, 9.0], "Line from 9.0 to 9.0"),
    ],
)
def test_a_chart_states_what_it_shows(values: list[float], words: str) -> None:
    assert words in line_chart(points(values), NAN).text


@pytest.mark.parametrize(
    ("reference", "words"),
    [(NAN, None), (6.5, "Dashed line, England: 6.5."), (0.0, "England: 0.0.")],
)
def test_the_line_of_england_is_drawn_where_it_is_known(
    reference: float, words: str | None
) -> None:
    chart = line_chart(points([5.0, 6.0]), reference)
    assert (chart.reference is None) == (words is None)
    assert (words or "over 2 periods") in chart.text
    assert ("England" in chart.text) == (words is not None)


@pytest.mark.parametrize(
    ("values", "lines", "dots"),
    [
        ([1.0, 2.0, 3.0], 1, 3),
        ([1.0, NAN, 3.0], 0, 2),  # a lone point is a dot without a line
        ([1.0, 2.0, NAN, 3.0, 4.0], 2, 4),
        ([NAN, 2.0, 3.0], 1, 2),
        ([NAN], 0, 0),
        ([], 0, 0),
    ],
)
def test_a_line_never_crosses_a_period_without_a_value(
    values: list[float], lines: int, dots: int
) -> None:
    chart = line_chart(points(values), NAN)
    assert (len(chart.lines), len(chart.dots)) == (lines, dots)
    assert len(chart.notes) == len(values) - dots


@pytest.mark.parametrize(("hidden", "sign"), [(True, "c"), (False, "–")])
def test_hidden_and_not_known_have_their_own_signs(hidden: bool, sign: str) -> None:
    (note,) = line_chart(points([NAN], hidden=hidden), NAN).notes
    assert note.text == sign


@pytest.mark.parametrize(
    ("years", "marks"),
    [
        (["2022/23"], ["22/23"]),
        (["2022/23"] * 3, ["22/23"]),
        (["2022/23", "2022/23", "2023/24"], ["22/23", "23/24"]),
    ],
)
def test_each_school_year_is_written_once(years: list[str], marks: list[str]) -> None:
    chart = line_chart(points([1.0] * len(years), years), NAN)
    assert [mark.text for mark in chart.years] == marks
    assert all(mark.x < mark.middle for mark in chart.years)


@given(shares)
def test_a_higher_value_is_drawn_higher(values: list[float]) -> None:
    dots = line_chart(points(values, ["2020/21"] * len(values)), NAN).dots
    for one, value in zip(dots, values, strict=True):
        for other, second in zip(dots, values, strict=True):
            assert not value > second or one.y <= other.y
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)


@pytest.mark.parametrize(
    ("schools", "share", "ends"),
    [
        ([0, 1, 2], [0.0, 0.8, 1.0], [("34.0", "166.0"), ("113.0", "39.6"), ("192.0", "8.0")]),
        ([0, 1], [0.0, 1.0], [("34.0", "166.0"), ("192.0", "8.0")]),
        ([0], [0.0], [("34.0", "166.0")]),
    ],
)
def test_a_spread_runs_from_corner_to_corner(
    schools: list[int], share: list[float], ends: list[tuple[str, str]]
) -> None:
    chart = spread_chart(schools, share)
    assert list(chart.dots) == ends
    assert chart.even == "34.0,166.0 192.0,8.0"
    assert chart.line == " ".join(map(",".join, ends))


@given(shares, st.floats(0, 1000))
def test_a_chart_has_no_place_that_is_not_a_number(values: list[float], reference: float) -> None:
    chart = line_chart(points(values, ["2020/21"] * len(values)), reference)
    assert all(math.isfinite(dot.x) and math.isfinite(dot.y) for dot in chart.dots)
    assert chart.reference is not None
    assert chart.top <= chart.reference <= chart.foot
