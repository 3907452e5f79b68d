"""Files opened: every way of writing text, sheets of a workbook, elements of a return in XML."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from riskmodel.data.read.open.database import is_database, open_database
from riskmodel.data.read.open.files import open_file, open_table
from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.open.workbook import frame_of_sheet, open_sheets
from riskmodel.data.read.open.xml import open_markup
from riskmodel.errors import DataError

ROWS = [["A1", "2024-09-02"], ["B2", "2024-09-03"]]


def text_of(delimiter: str = ",", end: str = "\n", quote: str = "") -> str:
    lines = [["upn", "start"], *ROWS]
    return (
        end.join(delimiter.join(f"{quote}{cell}{quote}" for cell in line) for line in lines) + end
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "utf-8")],
)
def test_text_is_read_however_it_is_written(
    tmp_path: Path, delimiter: str, end: str, quote: str, encoding: str, note: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(text_of(delimiter, end, quote).encode(encoding))
    one = open_table(path)
    assert list(one.raw) == ["upn", "start"]
    assert one.raw.astype("str").to_numpy().tolist() == ROWS
    assert one.rows_seen == len(ROWS)
    assert one.encoding == note  # ASCII is UTF-8


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "windows-1252"),
        ("latin-1", "windows-1252"),
    ],
)
@pytest.mark.parametrize("name", ["José", "Zoë", "Siân Ó"])
def test_letters_with_accents_are_kept(tmp_path: Path, name: str, encoding: str, note: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(f"upn,name\nA1,{name}\n".encode(encoding))
    one = open_table(path)
    assert one.raw["name"].astype("str").tolist() == [name]
    assert one.encoding == note


@pytest.mark.parametrize(
    ("text", "names", "n"),
    [
        ("upn,start", ["upn", "start"], 0),
        ("upn,start\n", ["upn", "start"], 0),
        ("upn,start\nA1,\n", ["upn", "start"], 1),
        (" upn , start \nA1,x\n", ["upn", "start"], 1),
        ("upn\nA1\nB2\n", ["upn"], 2),
        ('"last, first",start\n"Doe, J",x\n', ["last, first", "start"], 1),
    ],
)
def test_a_header_names_the_columns(tmp_path: Path, text: str, names: list[str], n: int) -> None:
    (tmp_path / "list.csv").write_text(text)
    one = open_table(tmp_path / "list.csv")
    assert list(one.raw) == names
    assert len(one.raw) == one.rows_seen == n


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"list.csv: the file is empty \(0 bytes\). Export it again."),
        (
            "upn,upn\nA1,B2\n",
            "list.csv: column 'upn' is there more than once. Take one of them out.",
        ),
        ("\n \r\n\n".replace(" ", ""), "list.csv: the file is empty: it holds no line of text."),
    ],
)
def test_text_that_cannot_be_a_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        open_table(tmp_path / "list.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("upn,start\nA1\n", "list.csv, row 2: 1 value where the header has 2. Complete"),
        ("upn,start\nA1,x\nB2,y,z\n", "list.csv, row 3: 3 values where the header has 2."),
        ("upn,start\nA1,Doe, J\n", "Put values that hold the delimiter in quotes"),
        ('upn,start\n\nA1,"Doe\nB2,x\n', "list.csv, row 3: a value begins with a quotation mark"),
        (
            "upn,start\nA1,Doe" + "x" * 5 * 10**6 + "\nB2,x",
            "list.csv, row 2: the line is longer than any row",
        ),
    ],
)
def test_a_line_that_is_no_row_is_set_aside_without_being_quoted(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "list.csv").write_text(text)
    one = open_table(tmp_path / "list.csv")
    (problem,) = one.problems
    assert words in problem.message
    assert "Doe" not in problem.message
    assert problem.severity == "error"
    assert one.aside["row"].tolist() == [problem.row]
    assert one.aside["reason"].tolist() == [problem.rule]
    assert len(one.raw) + 1 == one.rows_seen


@pytest.mark.parametrize(
    ("ending", "first_row"), [("csv", 2), ("CSV", 2), ("txt", 2), ("tsv", 2), ("parquet", 1)]
)
def test_rows_are_counted_below_the_header_where_there_is_one(
    tmp_path: Path, ending: str, first_row: int
) -> None:
    path = tmp_path / f"list.{ending}"
    if ending == "parquet":
        pd.DataFrame(ROWS, columns=["upn", "start"]).to_parquet(path)
    else:
        path.write_text(text_of("\t" if ending == "tsv" else ","))
    (one,) = open_file(path, "carers/list")
    assert one.name == "carers/list"
    assert one.first_row == first_row
    assert one.raw.astype("str").to_numpy().tolist() == ROWS


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_of_parquet_come_in_seconds(tmp_path: Path, unit: str) -> None:
    days = pd.Series(pd.to_datetime(["2024-09-02", None]).as_unit(unit))
    pd.DataFrame({"start": days}).to_parquet(tmp_path / "list.parquet")
    frame = open_table(tmp_path / "list.parquet").raw
    assert frame["start"].dtype == "datetime64[s]"
    assert frame["start"].notna().tolist() == [True, False]


def test_an_index_that_pandas_wrote_along_is_no_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"upn": ["A1", "B2"]}, index=[5, 7])
    frame.to_parquet(tmp_path / "list.parquet")
    assert list(open_table(tmp_path / "list.parquet").raw) == ["upn"]


# ---- workbooks


def book_of(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("A1", "A1"),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (dt.date(2024, 9, 2), "2024-09-02"),
        (pd.Timestamp("2024-09-02 13:45"), "2024-09-02"),
        (True, "True"),
        ("=1+1", "=1+1"),
        ("007", "007"),
        (" x ", " x "),
    ],
)
def test_a_cell_is_what_the_csv_of_the_sheet_would_hold(
    tmp_path: Path, cell: Any, text: str
) -> None:
    path = book_of(tmp_path / "a.xlsx", One=[["upn"], [cell]])
    (sheet,) = open_sheets(path)
    assert sheet.title == "One"
    assert frame_of_sheet(sheet.rows)["upn"].tolist() == [text]


@pytest.mark.parametrize(
    ("rows", "names", "n"),
    [
        ([["upn", "start"], ["A1", None]], ["upn", "start"], 1),
        ([["upn", None], ["A1", "x"]], ["upn", "column 2"], 1),
        ([["upn"], ["A1", "x"]], ["upn", "column 2"], 1),
        ([["upn"], ["A1"], [None], ["B2"]], ["upn"], 3),  # an empty row between others stays
        ([["upn"], ["A1"], [None], [None]], ["upn"], 1),  # those at the end do not
    ],
)
def test_a_sheet_is_as_wide_as_its_widest_row(
    tmp_path: Path, rows: list[list[Any]], names: list[str], n: int
) -> None:
    (sheet,) = open_sheets(book_of(tmp_path / "a.xlsx", One=rows))
    assert sheet.title == "One"
    frame = frame_of_sheet(sheet.rows)
    assert list(frame) == names
    assert len(frame) == n


@pytest.mark.parametrize("rows", [[], [["upn"]]])
def test_a_sheet_without_rows_is_named_and_left_out(tmp_path: Path, rows: list[list[Any]]) -> None:
    path = book_of(tmp_path / "a.xlsx", Empty=rows, Full=[["upn"], ["A1"]])
    empty, one = open_file(path, "a.xlsx")
    assert empty.fault == "a.xlsx, sheet Empty: holds no rows below a header."
    assert one.name == "a.xlsx, sheet Full"
    assert one.first_row == 2


def test_a_column_that_comes_twice_is_named_with_its_sheet(tmp_path: Path) -> None:
    path = book_of(tmp_path / "a.xlsx", One=[["upn", "upn"], ["A1", "B2"]])
    (one,) = open_file(path, "a.xlsx")
    assert one.fault.startswith("a.xlsx, sheet One: column 'upn' is there more than once")


# ---- XML


def markup(tmp_path: Path, text: str) -> dict[str, pd.DataFrame]:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    return open_markup(tmp_path / "a.xml")


HEADER = (
    "<Header><Collection>{}</Collection><Term>SPR</Term><ReferenceDate>2024-01-18</ReferenceDate>"
    "<URN>900001</URN></Header>"
)
PUPIL = "<PupilOnRoll><UPN>u</UPN><{0}>{1}</{0}></PupilOnRoll>"


@pytest.mark.parametrize(
    ("collection", "is_census"), [("SC", True), ("sc", True), ("PRU", True), ("CIN", False)]
)
def test_the_header_of_a_school_census_is_a_return(
    tmp_path: Path, collection: str, is_census: bool
) -> None:
    pupil = PUPIL.format("Sex", "F") if is_census else ""
    found = markup(tmp_path, f"<Message>{HEADER.format(collection)}{pupil}</Message>")
    assert ("returns" in found) == is_census
    if is_census:
        (row,) = found["returns"].to_dict("records")
        # the header holds no day and no number of sending
        assert pd.isna([row.pop("datetime"), row.pop("serialno")]).all()
        assert row == {
            "schoolcensustableid": "900001 2024-01-18",
            "term": "SPR",
            "referencedate": "2024-01-18",
            "urn": "900001",
        }


@pytest.mark.parametrize(
    ("element", "column"),
    [
        ("Sex", "sex"),
        ("Gender", "sex"),
        ("NCyearActual", "ncyearactual"),
        ("NCyearLeaving", "ncyearactual"),
        ("FormerUPN", "formerupn"),
        ("SENprovision", "senprovision"),
        ("EnrolStatus", "enrolstatus"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "<Any><Other>{}</Other></Any>"])
@pytest.mark.parametrize("space", ["", ' xmlns="urn:any"'])
def test_a_field_of_a_pupil_is_found_by_its_own_name(
    tmp_path: Path, element: str, column: str, around: str, space: str
) -> None:
    pupil = PUPIL.format(element, "7").replace("<UPN>", around.format("") + "<UPN>")
    text = f"<Message{space}>{HEADER.format('SC')}<Pupils>{pupil}</Pupils></Message>"
    (row,) = markup(tmp_path, text)["pupils"].to_dict("records")
    assert row[column] == "7"
    assert row["schoolcensustableid"] == "900001 2024-01-18"


@pytest.mark.parametrize(
    ("part", "table", "fields"),
    [
        (
            "<X><Category>SUSP</Category><StartDate>2023-10-07</StartDate><Sessions>4</Sessions>"
            "<Reasons><Reason>DB</Reason><Reason>VA</Reason></Reasons></X>",
            "exclusions",
            {"category": "SUSP", "sessions": "4", "reason1": "DB", "reason2": "VA"},
        ),
        (
            "<X><FSMstartDate>2021-09-06</FSMstartDate></X>",
            "free school meals",
            {"fsmstartdate": "2021-09-06"},
        ),
        (
            "<X><SENtypeRank>1</SENtypeRank><SENtype>SEMH</SENtype></X>",
            "SEN needs",
            {"sentyperank": "1", "sentype": "SEMH"},
        ),
        ("<X><PostCode>AB1 2CD</PostCode></X>", "addresses", {"postcode": "AB1 2CD"}),
        (
            "<X><APsettingType>A</APsettingType><EntryDate>2024-01-08</EntryDate></X>",
            "placements",
            {"apsettingtype": "A", "entrydate": "2024-01-08"},
        ),
        ("<X><APreason>E</APreason></X>", "alternative provision", {"apreason": "E"}),
        ("<X><SupportCode>L</SupportCode></X>", "learner support", {"supportcode": "L"}),
    ],
    ids=lambda one: one if isinstance(one, str) and not one.startswith("<") else "",
)
@pytest.mark.parametrize("leaver", [False, True])
def test_a_part_of_a_pupil_is_a_row_that_hangs_on_the_pupil(
    tmp_path: Path, part: str, table: str, fields: dict[str, str], leaver: bool
) -> None:
    name = "PupilNoLongerOnRoll" if leaver else "PupilOnRoll"
    pupil = f"<{name}><UPN>u</UPN>{part}<EntryDate>2020-09-01</EntryDate></{name}>"
    found = markup(tmp_path, f"<Message>{HEADER.format('SC')}{pupil}</Message>")
    (row,) = found[table].to_dict("records")
    assert {key: row[key] for key in fields} == fields
    assert row["pupilonrolltableid"] == found["pupils"]["pupilonrolltableid"][0]
    # a part's own values are not taken for the pupil
    assert found["pupils"]["entrydate"].tolist() == ["2020-09-01"]


@pytest.mark.parametrize(
    ("element", "table"),
    [
        ("TermlyAttendance", "attendance"),
        ("SummerHalfTerm2Attendance", "attendance, second half of summer"),
    ],
)
def test_attendance_by_code_is_a_row_each(tmp_path: Path, element: str, table: str) -> None:
    details = "".join(
        f"<SessionDetail><AttendanceReason>{code}</AttendanceReason>"
        f"<AbsenceSessions>{n}</AbsenceSessions></SessionDetail>"
        for code, n in (("I", 6), ("O", 2))
    )
    pupil = f"<PupilOnRoll><UPN>u</UPN><{element}>{details}</{element}></PupilOnRoll>"
    found = markup(tmp_path, f"<Message>{HEADER.format('SC')}{pupil}</Message>")[table]
    assert found[["attendancereason", "sessions"]].to_numpy().tolist() == [["I", "6"], ["O", "2"]]


@pytest.mark.parametrize("text", ["<Message/>", "<a><b>x</b></a>", "<Pupils><Pupil/></Pupils>"])
def test_markup_of_something_else_has_no_tables(tmp_path: Path, text: str) -> None:
    assert markup(tmp_path, text) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as XML"),
        ("<a><b></a>", "cannot be read as XML"),
        ("no markup", "cannot be read as XML"),
        ("<?xml version='1.0' encoding='nonsense'?><a/>", "cannot be read as XML"),
        ("<!DOCTYPE a><a/>", "declares document types or entities"),
    ],
)
def test_damaged_or_harmful_markup_is_refused_in_words(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(DataError, match=f"a.xml: {words}"):
        markup(tmp_path, text)


# ---- databases


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sqlite:///la.db", True),
        ("postgresql+psycopg://server/x", True),
        ("extracts", False),
        ("C:/extracts", False),
        (Path("sqlite:///la.db"), False),
        (None, False),
    ],
)
def test_an_address_of_a_database_is_text_with_two_slashes(source: object, expected: bool) -> None:
    assert is_database(source) == expected


@pytest.mark.parametrize("text", ["no database", "SQLite format 3"])
def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "la.db").write_text(text)
    with pytest.raises(DataError, match=r"cannot be read \(.*file is not a database\). Check the"):
        open_database(f"sqlite:///{tmp_path / 'la.db'}")


def test_a_census_in_xml_whose_header_names_no_school_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "ap.xml"
    path.write_text(
        "<Message><Header><Collection>AP</Collection><ReferenceDate>2024-01-18</ReferenceDate><LEA>801</LEA>"
        "</Header><Pupils><Pupil><UPN>R201100018042</UPN><URN>900003</URN></Pupil></Pupils></Message>"
    )
    with pytest.raises(DataError, match="ap.xml: its header names no school, as in an AP census"):
        open_markup(path)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opened]:
    """A database with days of every form in a column of moments, and a view of a table that is gone."""
    path = tmp_path_factory.mktemp("database") / "la.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table days (day timestamp)")
        days = [("15/01/2024",), ("2024-01-16 00:00:00",), (19737,), (None,)]
        connection.executemany("insert into days values (?)", days)
        connection.execute("create view broken as select a from gone")
    connection.close()
    return open_database(f"sqlite:///{path}")


def test_days_in_sqlite_are_as_the_column_holds_them(mixed: dict[str, Opened]) -> None:
    days = mixed["days"].raw["day"]
    assert days.dropna().astype("str").tolist() == ["15/01/2024", "2024-01-16 00:00:00", "19737"]


def test_a_view_that_cannot_be_read_stops_no_other_table(mixed: dict[str, Opened]) -> None:
    assert mixed["broken"].fault.startswith("broken: cannot be read (no such table: main.gone)")
    assert not mixed["days"].fault


def test_an_empty_file_is_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "la.db").touch()
    assert open_database(f"sqlite:///{tmp_path / 'la.db'}") == {}
