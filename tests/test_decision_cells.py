"""Cells that officers fill in: days, decisions and free text as people write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.report.workbook.decision_cells import read_decisions
from riskmodel.report.workbook.formats import LINE, row_height
from riskmodel.report.workbook.layout import (
    DECISION_COLUMNS,
    DECISIONS,
    FIELDS,
    label_of,
    sheet_rows,
)
from riskmodel.report.workbook.opening import open_returned, plain

TODAY = date(2024, 10, 1)
AS_OF = "2024-09-02"


def read(**values: Any) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Read one row of cells, named as in the log."""
    sheet = openpyxl.Workbook().active
    cells = []
    for place, name in enumerate(FIELDS, start=1):
        cell = sheet.cell(7, place)
        cell.value = values.get(name)
        cells.append(cell)
    raw = pd.DataFrame([[7, *cells]], columns=["row", *DECISION_COLUMNS], dtype=object)
    rows, faults = read_decisions(raw, as_of=AS_OF, today=TODAY)
    return dict(rows.to_dict("records")[0]), faults


@pytest.mark.parametrize(
    "written",
    [
        "12/09/2024",
        "12/9/2024",
        "12/09/24",
        "12.09.2024",
        "12-09-2024",
        "2024-09-12",
        "12 September 2024",
        "12 Sep 2024",
        " 12  September   2024 ",
        "12 SEPTEMBER 2024",
        date(2024, 9, 12),
        pd.Timestamp("2024-09-12 15:30").to_pydatetime(),
    ],
)
def test_a_day_is_read_as_people_write_it_day_before_month(written: Any) -> None:
    row, faults = read(date=written)
    assert faults == []
    assert row["date"] == "2024-09-12"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("last week", "'Date' is 'last week', which is no date. Write it as 14/10/2025"),
        ("31/02/2024", "is '31/02/2024', which is no date"),
        ("09/13/2024", "is '09/13/2024', which is no date"),  # the month is never first
        ("12/09", "is '12/09', which is no date"),
        (45000, "is '45000', which is no date"),
        (True, "which is no date"),
        ("02/10/2024", "is 02/10/2024, which is in the future. Give the day of the decision"),
        (date(2024, 9, 1), "is 01/09/2024, before the list's own day, 02/09/2024"),
        ("01/09/1924", "before the list's own day"),
    ],
)
def test_a_day_that_cannot_be_the_decisions_is_a_fault(written: Any, words: str) -> None:
    row, ((number, fault),) = read(date=written)
    assert row["date"] == ""
    assert number == 7
    assert words in fault


@pytest.mark.parametrize("day", [AS_OF, "2024-10-01"])
def test_the_lists_own_day_and_today_are_taken(day: str) -> None:
    assert read(date=day) == (dict.fromkeys(FIELDS, "") | {"date": day}, [])


@given(st.dates(date(2024, 9, 2), TODAY))
def test_every_day_between_is_read_in_every_layout(day: date) -> None:
    for layout in ("%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %B %Y"):
        assert read(date=day.strftime(layout))[0]["date"] == day.isoformat()


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("change", [str, str.upper, str.lower, lambda text: f"  {text} "])
def test_a_decision_is_read_in_any_case(decision: str, change: Any) -> None:
    assert read(decision=change(decision)) == (
        dict.fromkeys(FIELDS, "") | {"decision": decision},
        [],
    )


@pytest.mark.parametrize("written", ["Offer", "yes", "offersupport", 1, date(2024, 9, 9)])
def test_a_decision_that_is_none_is_a_fault_with_the_choices(written: Any) -> None:
    row, ((_, fault),) = read(decision=written)
    assert row["decision"] == ""
    assert "which is none of Offer support, Already supported, No support needed" in fault
    assert fault.endswith("Choose one of these")


@pytest.mark.parametrize("name", ["seen_by", "support_offered", "disagreement_and_why"])
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("A. Officer", "A. Officer"),
        ("  two   words\n", "two words"),
        ("e\u0301", "é"),
        ("   ", ""),
        (None, ""),
        (12, "12"),
        (2.5, "2.5"),
        (pd.Timestamp("2024-09-12").to_pydatetime(), "2024-09-12"),
    ],
)
def test_free_text_is_kept_with_single_blanks(name: str, written: Any, text: str) -> None:
    row, faults = read(**{name: written})
    assert (row[name], faults) == (text, [])


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    ("written", "words"),
    [("=1+1", "holds a formula. Type what it should say"), ("#N/A", "holds the error #N/A")],
)
def test_formulas_and_errors_are_faults_in_every_column(
    name: str, written: str, words: str
) -> None:
    row, ((_, fault),) = read(**{name: written})
    assert row[name] == ""
    assert fault.startswith(f"'{label_of(name)}' {words}")


def test_every_fault_of_a_row_is_named_in_the_order_of_the_columns() -> None:
    _, faults = read(seen_by="=A1", decision="no", date="soon")
    assert [fault.split("'")[1] for _, fault in faults] == ["Seen by", "Decision", "Date"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("", None), ("  \n", None), (0, 0), ("a", "a"), (" a", " a")],
)
def test_a_cell_of_blanks_holds_nothing(value: Any, expected: Any) -> None:
    cell = openpyxl.Workbook().active["A1"]
    cell.value = value
    assert plain(cell) == expected
    assert plain(None) is None


@pytest.mark.parametrize(
    ("column", "head"),
    [
        ("pupil_id", "Pupil id"),
        ("risk", "Risk"),
        ("", ""),
        ("Seen by", "Seen by"),
        ("a_b_c", "A b c"),
    ],
)
def test_the_head_of_a_column(column: str, head: str) -> None:
    assert label_of(column) == head


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ([("", 10)], 1),
        ([("a" * 10, 10)], 1),
        ([("a" * 11, 10)], 2),
        ([("a\nb\nc", 10)], 3),
        ([("a" * 25 + "\n" + "b", 10)], 4),
        ([("a", 10), ("b" * 50, 10)], 5),
        ([("a" * 10_000, 10)], 26),  # Excel cannot be higher
    ],
)
def test_a_row_is_as_high_as_its_longest_cell(cells: list[tuple[str, int]], lines: int) -> None:
    assert row_height(cells) == LINE * lines


def ranking(**changed: Any) -> pd.DataFrame:
    row = {
        "rank": 1,
        "selected": True,
        "pupil_id": "P1",
        "school_id": "S",
        "year_group": 9.0,
        "risk": 1 / 3,
        "risk_low": 0.1,
        "risk_high": 0.5,
        "band": "listed",
        "change": "new",
        "reason_1": "One",
        "reason_2": "",
        "strength_1": "",
    }
    return pd.DataFrame([row | changed])


@pytest.mark.parametrize(
    ("changed", "column", "value"),
    [
        ({}, "reasons", "• One"),
        ({"reason_2": "Two"}, "reasons", "• One\n• Two"),
        ({"reason_1": "", "reason_2": "Two"}, "reasons", "• Two"),
        ({}, "strengths", ""),
        ({}, "risk", 0.3333333333),
        ({"pupil_id": "x" * 3000}, "pupil_id", "x" * 2000),
    ],
)
def test_a_row_of_the_sheet(changed: dict[str, Any], column: str, value: Any) -> None:
    assert sheet_rows(ranking(**changed))[column].tolist() == [value]


@pytest.mark.parametrize(("band", "n"), [("listed", 1), ("near the line", 1), ("not listed", 0)])
def test_only_those_listed_or_near_the_line_are_shown(band: str, n: int) -> None:
    assert len(sheet_rows(ranking(band=band))) == n


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no file"),
        (b"", "returned.xlsx: is empty. Return the workbook again"),
        (b"Pupil id;Decision\n", "is no XLSX workbook"),
        (
            b"\xd0\xcf\x11\xe0 more",
            "is protected by a password to open it, or saved as an old .xls",
        ),
        (b"PK\x03\x04 cut", "is cut off, damaged, or in another format such as ODS"),
    ],
)
def test_what_is_no_workbook_is_refused_by_what_it_is(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "returned.xlsx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=words):
        open_returned(path)


@pytest.mark.parametrize("text", [None, "Identity of this list: {}", "Identity of this list: cut"])
def test_a_workbook_without_its_identity_is_refused(text: str | None, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = text
    book.save(tmp_path / "other.xlsx")
    words = (
        "does not say which list it is of" if text is None else "was altered or is cut off, on the"
    )
    with pytest.raises(RequestError, match=words):
        open_returned(tmp_path / "other.xlsx")
