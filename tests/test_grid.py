"""Register grids: which headings are days, what is reported of those that are not, and marks in a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.data.read.sources.grid import day_headings, marks_of_day
from tests.returns import UPN, read_beside


@pytest.mark.parametrize(
    ("headings", "days"),
    [
        (["Mon 02/09/2024 AM", "Mon 02/09/2024 PM"], ["day20240902am", "day20240902pm"]),
        (["Wed 04 Sep 2024 am", "Thursday 5 Sep 2024 (PM)"], ["day20240904am", "day20240905pm"]),
        (["2024-09-02 00:00:00", "2024-09-03"], ["day20240902", "day20240903"]),
        (["02-Sep-24", "3.9.2024"], ["day20240902", "day20240903"]),
        (
            ["09/04/2024", "09/16/2024"],
            ["day20240904", "day20240916"],
        ),  # only one can have the day first
        # a heading of two columns, as merged cells are exported
        (
            ["Name", "02/09/2024", "column 3", "03/09/2024", "column 5"],
            ["day20240902am", "day20240902pm", "day20240903am", "day20240903pm"],
        ),
        (["02/09/2024", "column 2", "03/09/2024"], ["day20240902", "day20240903"]),
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
    ("headings", "days"),
    [
        # 3 April 2024 was a Wednesday, 4 March a Monday
        (["Mon 03/04/2024 AM", "Mon 03/04/2024 PM"], ["day20240304am", "day20240304pm"]),
        (["Wed 03/04/2024", "Thu 04/04/2024"], ["day20240403", "day20240404"]),
        # a school week of March, of which two days would be at weekends
        ([f"03/{day:02}/2024" for day in range(4, 9)], [f"day2024030{n}" for n in range(4, 9)]),
        ([f"{day:02}/03/2024" for day in range(4, 9)], [f"day2024030{n}" for n in range(4, 9)]),
        # a whole week, with its weekend
        ([f"{day:02}/04/2024" for day in range(1, 8)], [f"day2024040{n}" for n in range(1, 8)]),
    ],
)
def test_weekdays_show_the_order_of_headings_that_allow_both(
    headings: list[str], days: list[str]
) -> None:
    read_as, problems = day_headings(headings, "g.csv")
    assert [*read_as.values()] == days
    is_american = "03/04" in headings[0] and "0304" in days[0]
    expected = ["month_first"] if is_american else []
    assert [one.rule for one in problems] == expected


GRID = f"UPN,DOB,03/04/2024 AM,03/04/2024 PM,03/05/2024 AM\n{UPN},{{dob}},I,/,N\n"
"""Headings that allow both orders: 4 and 5 March 2024 were Monday and Tuesday, and no day is at a weekend."""

MARKS = f"UPN,Date,Session,Mark\n{UPN},2024-03-04,AM,I\n{UPN},2024-03-05,AM,N\n"
CALENDAR = "Date,Term,Half-term\n" + "".join(f"2024-03-{n:02},spring,4\n" for n in (4, 5))


@pytest.mark.parametrize(
    ("files", "dob", "why"),
    [
        ({"marks.csv": MARKS}, "03/10/2012", "school days of other files show"),
        ({"calendar.csv": CALENDAR}, "03/10/2012", "school days of other files show"),
        ({}, "10/13/2012", "its other columns show"),
        (
            {"other.csv": f"UPN,03/14/2024,03/15/2024\n{UPN},/\\,/\\\n"},
            "03/10/2012",
            "other grids show",
        ),
    ],
    ids=["register", "calendar", "other column", "other grid"],
)
def test_headings_that_allow_both_orders_follow_the_folder(
    files: dict[str, str], dob: str, why: str, tmp_path: Path
) -> None:
    extract = read_beside(tmp_path, {"grid.csv": GRID.format(dob=dob)} | files)
    found = extract.tables["sessions"]
    assert f"{found['date'].min():%F}" == "2024-03-04"
    assert found["date"].dt.month.eq(3).all()
    (message,) = [one for one in extract.problems["message"] if "in headings were read" in one]
    assert message.startswith(
        f"grid.csv: the days in headings were read with the month before the day, as {why}"
    )


@pytest.mark.parametrize("marks", ["", "2024-04-03,AM,I", "2024-04-12,AM,I"])
def test_headings_that_nothing_turns_have_the_day_first(marks: str, tmp_path: Path) -> None:
    text = f"UPN,03/04/2024 AM,03/04/2024 PM\n{UPN},I,/\n"
    register = f"UPN,Date,Session,Mark\n{UPN},{marks}\n"
    extract = read_beside(tmp_path, {"grid.csv": text} | ({"m.csv": register} if marks else {}))
    days = extract.tables["sessions"]["date"].dt.strftime("%d %b")
    assert "03 Apr" in set(days)
    assert ("order_unclear" in set(extract.problems["rule"])) == ("04-03" not in marks)


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


@pytest.mark.parametrize("heading", ["31/09/2025", "2025-09-29", "20250931"])
def test_marks_below_a_heading_that_is_refused_are_left_out_and_nothing_else(
    heading: str, tmp_path: Path
) -> None:
    grid = f"UPN,29/09/2025,30/09/2025,{heading}\n{UPN},/\\,II,NN\n"
    extract = read_beside(tmp_path, {"g.csv": grid})
    marks = extract.tables["sessions"][["date", "mark"]].astype("str")
    assert sorted(marks.itertuples(index=False, name=None)) == [
        ("2025-09-29", "/"),
        ("2025-09-29", "\\"),
        ("2025-09-30", "I"),
        ("2025-09-30", "I"),
    ]
    reported = extract.problems.set_index("rule").loc["bad_heading"]
    assert reported["severity"] == "error"
    assert f"'{heading}'" in reported["message"]


@pytest.mark.parametrize("header", ["Session", "AM/PM"])
def test_a_row_may_be_of_one_half_of_each_day(tmp_path: Path, header: str) -> None:
    rows = f"UPN,{header},07/10/2024,08/10/2024\n{UPN},AM,/,I\n{UPN},PM,I,N\n{UPN},P1,O,O\n"
    extract = read_beside(tmp_path, {"grid.csv": rows})
    found = extract.tables["sessions"].sort_values(["date", "session"])
    assert found["session"].tolist() == ["AM", "PM"] * 2
    assert found["mark"].tolist() == ["/", "I", "I", "N"]
    assert extract.rejects[["row", "reason"]].values.tolist() == [[4, "unknown_code: session"]]


@pytest.mark.parametrize("heading", ["Wed 9-Oct", "10-Oct", "11th Oct", "Oct 14", "22.10"])
def test_a_day_without_its_year_is_named(heading: str) -> None:
    problems = day_headings(["07/10/2024", "08/10/2024", heading], "g.csv")[1]
    assert len(problems) == 1
    assert f"the heading '{heading}' holds a day" in problems[0].message


def test_a_heading_with_a_number_beside_a_word_is_no_day() -> None:
    assert not day_headings(["07/10/2024", "Marks 10", "Decile 3", "Att %"], "g.csv")[1]
