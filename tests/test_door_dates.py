"""The order of day and month in a column, numbers of days, and dates that mean no end."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import read
from riskmodel.data.read.rows.dates import settle_dates, swapped_days
from tests.returns import UPN, read_beside

SUSPENSIONS = "UPN,Estab,Category,StartDate,Sessions,DateNotified\n"


def settled(**columns: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return columns after their dates were put in order, and the rules of the problems."""
    frame, problems = settle_dates(pd.DataFrame(columns, dtype="str"), columns, "a.csv")
    return {str(c): frame[c].tolist() for c in frame}, [problem.rule for problem in problems]


@pytest.mark.parametrize("kind", ["str", "category"])
def test_one_date_that_must_have_the_month_first_decides_its_column(kind: str) -> None:
    raw = pd.DataFrame({"date": ["01/15/2024", "03/04/2024", None]}, dtype=kind)
    frame, (problem,) = settle_dates(raw, ["date"], "a.csv")
    assert frame["date"].tolist()[:2] == ["2024-01-15", "2024-03-04"]
    assert frame["date"].isna().tolist() == [False, False, True]
    assert problem.rule == "month_first"
    assert "column date was read with the month before the day" in problem.message


@pytest.mark.parametrize(
    "dates",
    [
        ["01/02/2024", "03/04/2024"],
        ["15/01/2024", "03/04/2024"],
        ["2024-01-15", "03/04/2024"],
        ["31/02/2024", "02/31/2024"],  # neither is a date
    ],
)
def test_a_column_is_british_unless_a_date_forbids_it(dates: list[str]) -> None:
    assert settled(date=dates) == ({"date": dates}, [])


def test_a_column_that_cannot_decide_follows_the_others_of_its_file() -> None:
    american, unclear = ["01/15/2024", "01/16/2024"], ["01/05/2024", "02/05/2024"]
    columns, rules = settled(start=american, end=unclear)
    assert columns["end"] == ["2024-01-05", "2024-02-05"]
    assert rules == ["month_first", "month_first"]
    columns, _ = settled(start=american, end=unclear, noted=["15/01/2024", "1/2/2024"])
    assert columns["end"] == unclear  # the others do not agree


@pytest.mark.parametrize(
    ("dates", "made"),
    [
        (
            ["15/01/2024", "16/01/2024", "01/15/2024"],
            ["15/01/2024", "16/01/2024", "01/15/2024 (month first)"],
        ),
        (
            ["01/15/2024", "01/16/2024", "15/01/2024", "1/2/2024"],
            ["2024-01-15", "2024-01-16", "15/01/2024 (day first)", "2024-01-02"],
        ),
        (["15/01/2024", "01/15/2024"], ["15/01/2024", "01/15/2024 (month first)"]),
    ],
)
def test_in_a_column_of_two_orders_the_rarer_cannot_be_used(
    dates: list[str], made: list[str]
) -> None:
    columns, rules = settled(date=dates)
    assert columns == {"date": made}
    assert "two_orders" in rules


def test_two_digit_years_points_and_hours_have_an_order_too() -> None:
    assert settled(date=["1.15.24", "02-03-24", "12/31/2024 09:30"])[0]["date"] == [
        "2024-01-15",
        "2024-02-03",
        "2024-12-31",
    ]


def test_years_of_two_digits_that_may_be_days_are_not_guessed() -> None:
    columns, rules = settled(date=["24-01-15", "24-12-31"])
    assert columns["date"] == ["24-01-15 (year first or last)", "24-12-31 (year first or last)"]
    assert rules == ["short_years"]
    for shown in ("15/01/2024", "15-13-99", "31-01-00"):  # each shows where the year is
        columns, rules = settled(date=["15-01-24", shown])
        assert columns["date"][0] == "15-01-24"
        assert "short_years" not in rules


@pytest.mark.parametrize(
    ("values", "made"),
    [
        (["41885.5", "45537"], ["2014-09-03", "2024-09-02"]),
        (["45537", ""], ["2024-09-02", ""]),
        (["45537", "2024-09-03"], ["45537", "2024-09-03"]),  # not the form of the whole column
        (["45537", "7"], ["45537", "7"]),
        (["0"], ["0"]),
        (["030624", "040624"], ["030624", "040624"]),  # no day of 1983
        (["150124", "45537"], ["150124", "45537"]),  # days, months and years without a blank
    ],
)
def test_numbers_are_days_of_excel_where_a_column_holds_nothing_else(
    values: list[str], made: list[str]
) -> None:
    columns, rules = settled(startdate=values)
    assert columns["startdate"] == made
    assert rules == (["excel_days"] if values != made else [])


def test_the_zero_of_excel_is_an_empty_day() -> None:
    raw = pd.DataFrame({"enddate": ["45537", "0"]}, dtype="category")
    frame, _ = settle_dates(raw, ["enddate"], "a.csv")
    assert frame["enddate"].tolist()[:1] == ["2024-09-02"]
    assert frame["enddate"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "end",
    [
        "31/12/9999",
        "9999-12-31 00:00:00",
        "2999-12-31",
        "12/31/9999",
        "31-DEC-9999",
        "01/01/3000",
        "9999-12-31Z",
    ],
)
def test_a_year_far_beyond_any_pupil_is_no_end(end: str) -> None:
    frame, problems = settle_dates(pd.DataFrame({"enddate": [end]}), ["enddate"], "a.csv")
    assert frame["enddate"].isna().all()
    assert problems == []


def test_american_suspensions_of_a_folder_of_returns_are_read_and_reported(tmp_path: Path) -> None:
    rows = f"{UPN},900001,SUSP,01/15/2024,2,01/16/2024\n{UPN},900001,SUSP,03/04/2024,1,03/05/2024\n"
    extract = read_beside(tmp_path, {"suspensions.csv": SUSPENSIONS + rows})
    made = extract.tables["suspensions"]
    assert made["start_date"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-15", "2024-03-04"]
    assert made["recorded_on"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-16", "2024-03-05"]
    reported = extract.problems[extract.problems["rule"] == "month_first"]
    assert reported["column"].tolist() == ["startdate", "datenotified"]
    assert (reported["severity"] == "warning").all()


def test_a_row_of_the_rarer_order_is_set_aside_with_its_value(tmp_path: Path) -> None:
    rows = "".join(
        f"{UPN},900001,SUSP,{day},2,2024-02-01\n" for day in ("15/01/2024", "01/17/2024")
    )
    extract = read_beside(tmp_path, {"suspensions.csv": SUSPENSIONS + rows})
    assert len(extract.tables["suspensions"]) == 1
    (message,) = extract.problems.loc[extract.problems["rule"] == "two_orders", "message"]
    assert message == (
        "suspensions.csv: column startdate contradicts itself: 1 of its dates can only have the day first, "
        "and 1 only the month. The day was read first, and the 1 cannot be used. Write all dates as "
        "YYYY-MM-DD."
    )
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert "start_date '01/17/2024' has the month before the day, unlike most dates" in message
    assert extract.rejects["row"].tolist() == [3]


def test_the_dates_of_a_table_have_one_order_too(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id,birth_month\nA,10/13/2012\nB,10/12/2012\n")
    extract = read(tmp_path)
    made = extract.tables["pupils"]["birth_month"].dt.strftime("%Y-%m-%d")
    assert made.tolist() == ["2012-10-13", "2012-10-12"]
    assert extract.problems["rule"].tolist() == ["month_first"]


@pytest.mark.parametrize(
    ("dates", "n"),
    [
        (["2024-03-10", "15/10/2024", "2024-07-10", "21/10/2024"], 1),
        (["2024-03-10 00:00:00", "15/10/2024", "2024-07-10 00:00:00", "21.10.2024"], 1),
        (["2024-03-13", "15/10/2024", "2024-07-10", "21/10/2024"], 0),  # a cell of the 13th
        (["2024-03-10", "15/10/2024", "2024-07-10", "11/10/2024"], 0),  # a text of the 11th
        (["2024-03-10", "15/10/2024", "21/10/2024"], 0),
        (["2024-03-10", "2024-07-10"], 0),
    ],
)
def test_cells_of_dates_up_to_the_12th_beside_texts_after_it_may_be_swapped(
    dates: list[str], n: int
) -> None:
    problems = swapped_days(pd.DataFrame({"startdate": dates}), ["startdate"], "a.xlsx, s")
    assert [one.rule for one in problems] == ["swapped_days"] * n
    assert all(one.words.startswith("a.xlsx, s: column startdate holds") for one in problems)


def test_swapped_cells_of_a_file_are_reported(tmp_path: Path) -> None:
    days = ("2024-03-10", "15/10/2024", "2024-07-10", "21/10/2024")
    rows = "".join(f"{UPN},900001,SUSP,{day},2,\n" for day in days)
    problems = read_beside(tmp_path, {"s.csv": SUSPENSIONS + rows}).problems
    assert problems["rule"].tolist().count("swapped_days") == 1


WEEKS = {
    "week1.csv": ["10/07/2024", "10/08/2024", "10/09/2024"],
    "week2.csv": ["10/14/2024", "10/15/2024", "10/16/2024"],
    "week3.csv": ["14/10/2024", "15/10/2024"],
}


@pytest.mark.parametrize(
    ("names", "rule", "first"),
    [
        (["week1.csv"], None, "2024-07-10"),
        (["week1.csv", "week2.csv"], "month_first", "2024-10-07"),
        (["week1.csv", "week2.csv", "week3.csv"], "order_unclear", "2024-07-10"),
    ],
)
def test_a_file_that_shows_no_order_follows_those_of_the_same_columns(
    tmp_path: Path, names: list[str], rule: str | None, first: str
) -> None:
    files = {
        name: "UPN,Date,Session,Mark\n" + "".join(f"{UPN},{day},AM,I\n" for day in WEEKS[name])
        for name in names
    }
    extract = read_beside(tmp_path, files)
    problems = extract.problems[extract.problems["file"] == "week1.csv"]
    order = problems[problems["rule"].isin(["month_first", "order_unclear"])]
    assert order["rule"].tolist() == ([rule] if rule else [])
    assert order["message"].str.contains("week2.csv").all()
    assert pd.Timestamp(first) in set(extract.tables["sessions"]["date"])
