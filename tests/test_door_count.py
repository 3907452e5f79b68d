"""Nothing is lost that an independent count can see, whatever one character does to a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riskmodel.data.check import check
from riskmodel.data.read import Extract, read
from riskmodel.data.read.open.files import open_table
from riskmodel.errors import DataError
from tests.returns import UPN, read_beside
from tests.slow_count import rows_of
from tests.strategies import examples

NAMED = "pupil_id,school_id,start_date,sessions,category,reason_1\n"
TABLE = NAMED + "".join(f'P1,"S{n}, east",2024-05-{n:02d},2,SUSP,DB\n' for n in range(1, 7))
RETURN = "upn,estab,category,start date,sessions,reason1\n" + "".join(
    f'{UPN},4001,SUSP,2024-0{n}-15,2,"DB"\n' for n in range(1, 7)
)


def changed(text: str, place: int, what: str, how: str) -> bytes:
    """Return a text in which one character was put in, taken out or replaced."""
    place %= len(text) + (how == "insert")
    after = text[place + (how != "insert") :]
    return f"{text[:place]}{'' if how == 'delete' else what}{after}".encode()


changes = st.tuples(
    st.integers(0, 10**6),
    st.sampled_from(['"', "\n", "\r", ",", ";", "a", "Z", "0", " ", "\t", "\x00", "é"]),
    st.sampled_from(["insert", "delete", "change"]),
)


def accounts_for(extract: Extract, file: str, content: bytes) -> None:
    """Check that each row of a file is kept, merged, in conflict or set aside; or that it was not read."""
    (note,) = extract.files[extract.files["file"] == file].to_dict("records")
    counts = extract.reconciliation[extract.reconciliation["file"] == file]
    aside = int((extract.rejects["file"] == file).sum())
    if not len(counts):
        reported = extract.problems.loc[extract.problems["file"] == file, "severity"]
        assert note["read_as"] == ""
        assert "error" in set(reported)
        return
    total = int(counts["rows_read"].iloc[0])
    assert total == note["rows"]
    above = extract.rejects.query("file == @file and reason == 'above_header'")["row"]
    assert total == rows_of(content, header=1 + max(above, default=0))
    became = [c for c in map(str, counts) if c.startswith("rows_") and c != "rows_read"]
    assert total == int(counts[became].to_numpy().sum())
    assert int(counts["rows_rejected"].iloc[0]) == aside


@settings(max_examples=examples(20), deadline=None)
@given(changes)
@example((TABLE.index("DB"), '"', "insert"))
@example((TABLE.index("east") + 4, '"', "delete"))
@example((TABLE.index("east"), "\n", "insert"))
@example((0, '"', "insert"))
@example((0, "\n", "insert"))
@example((len(NAMED) - 1, "\n", "delete"))
def test_p4_one_character_in_a_table_loses_no_row(change: tuple[int, str, str]) -> None:
    content = changed(TABLE, *change)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.mkdir()
        (path / "pupils.csv").write_text("pupil_id\nP1\n")
        (path / "suspensions.csv").write_bytes(content)
        accounts_for(read(path), "suspensions.csv", content)


@settings(max_examples=examples(10), deadline=None)
@given(changes)
@example((RETURN.index('"DB"'), '"', "delete"))
@example((RETURN.index('"DB"'), '"', "insert"))
@example((RETURN.index("2024-03"), '"', "insert"))
@example((RETURN.index("\n"), "\n", "delete"))
def test_p4_one_character_in_a_return_loses_no_row(change: tuple[int, str, str]) -> None:
    content = changed(RETURN, *change)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.mkdir()
        (path / "exclusions.csv").write_bytes(content)
        accounts_for(read_beside(path, {}), "exclusions.csv", content)


def test_one_unclosed_quote_costs_one_row(tmp_path: Path) -> None:
    rows = [f"P1,S1,2023-{1 + n // 28:02d}-{1 + n % 28:02d},2,SUSP,DB\n" for n in range(82)]
    rows[40] = rows[40].replace("DB", '"DB')
    (tmp_path / "pupils.csv").write_text("pupil_id\nP1\n")
    (tmp_path / "suspensions.csv").write_text(NAMED + "".join(rows))
    extract = read(tmp_path)
    counts = extract.reconciliation.set_index("table").loc["suspensions"]
    assert counts[["rows_read", "rows_kept", "rows_rejected"]].tolist() == [82, 81, 1]
    assert extract.rejects[["row", "reason"]].to_numpy().tolist() == [[42, "unclosed_quote"]]
    (message,) = extract.problems.loc[extract.problems["severity"] == "error", "message"]
    assert message.startswith("suspensions.csv, row 42: a value begins with a quotation mark")
    assert check(extract).has_errors


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n\n"])
def test_lines_are_numbered_as_an_editor_does(
    tmp_path: Path, end: str, encoding: str, last: str
) -> None:
    text = 'upn,note\n\nA1,é\nB2,"two\n\nlines, é"\n\nC3\nD4,x,,\nE5,"y\nF6,z' + last
    (tmp_path / "x.csv").write_bytes(text.replace("\n", end).encode(encoding))
    one = open_table(tmp_path / "x.csv")
    assert one.raw["upn"].tolist() == ["A1", "B2", "D4", "F6"]
    assert one.raw["note"].astype("str").tolist() == ["é", "two\n\nlines, é", "x", "z"]
    assert one.lines is not None
    assert one.lines.tolist() == [3, 4, 9, 11]
    assert one.aside[["row", "reason"]].to_numpy().tolist() == [
        [8, "ragged"],
        [10, "unclosed_quote"],
    ]
    assert one.rows_seen == 6


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_lines_move_the_numbers_of_the_rows_below_them(tmp_path: Path, end: str) -> None:
    text = "upn,note\nA1,x\n\n\nB2,y\n"
    (tmp_path / "x.csv").write_bytes(text.replace("\n", end).encode())
    lines = open_table(tmp_path / "x.csv").lines
    assert lines is not None
    assert lines.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("top", "line"),
    [
        ("Carers of Barset\n", 2),
        ("Carers of Barset,,,\n\n", 3),
        ("Carers\nas of,1 May 2024\n\n", 4),
    ],
)
def test_lines_above_the_header_are_reported_and_set_aside(
    tmp_path: Path, top: str, line: int
) -> None:
    rows = "upn,name,since,until\nA1,x,1,2\nB2,y,1,2\nC3,y,,\n"
    (tmp_path / "x.csv").write_text(top + rows)
    one = open_table(tmp_path / "x.csv")
    assert list(one.raw) == ["upn", "name", "since", "until"]
    assert len(one.raw) == 3
    (problem,) = one.problems
    assert f"above the header, which is line {line}." in problem.message
    assert one.rows_seen == 3 + len(one.aside)


def test_one_row_with_a_delimiter_too_many_is_set_aside_though_its_last_value_is_empty(
    tmp_path: Path,
) -> None:
    """The value 1,234 without quotes, and an empty last column: the row would move by a column."""
    rows = "A1,10,2,3\nB2,1,234,2,\nC3,,,,\n,,,,\nD4,7,,\nE5,8,,\n"
    (tmp_path / "x.csv").write_text("upn,i,m,o\n" + rows)
    one = open_table(tmp_path / "x.csv")
    assert one.raw["i"].tolist()[0] == "10"
    assert one.aside[["row", "reason"]].to_numpy().tolist() == [[3, "ragged"], [4, "ragged"]]
    assert one.problems[0].message.startswith("x.csv, row 3: 5 values where the header has 4.")
    assert one.rows_seen == 6 == len(one.raw) + len(one.aside)


def test_delimiters_after_the_last_value_of_each_row_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("upn,start,end\n" + "A1,x,y,,,\n" * 5)
    one = open_table(tmp_path / "x.csv")
    assert list(one.raw) == ["upn", "start", "end"]
    assert len(one.raw) == one.rows_seen == 5
    assert not one.problems


def test_columns_without_a_name_are_left_out_only_where_they_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("upn,,start,,\nA1,,x,,\nB2,7,y,,\n")
    raw = open_table(tmp_path / "x.csv").raw
    assert list(raw) == ["upn", "column 2", "start"]


def test_what_cannot_be_read_names_itself_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id\nP1\n")
    (tmp_path / "send.csv").write_bytes(b"pupil_id\n\x81\x8d\n")
    extract = read(tmp_path)
    note = extract.files.set_index("file").loc["send.csv"]
    assert note["read_as"] == ""
    assert note["note"].startswith("send.csv: cannot be read as CSV")
    (tmp_path / "pupils.csv").write_bytes(b"pupil_id\n\x81\x8d\n")
    with pytest.raises(DataError, match=r"pupils\.csv: cannot be read as CSV"):
        read(tmp_path)


def test_every_file_is_in_the_account_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    (folder / "deep" / "er").mkdir(parents=True)
    pd.DataFrame({"a": [1]}).to_csv(folder / "deep" / "er" / "one.csv", index=False)
    (folder / "letter.pdf").write_bytes(b"%PDF")
    (folder / "~$book.xlsx").write_bytes(b"x")
    (folder / "gone.csv").symlink_to(folder / "nowhere.csv")
    (folder / "notes.txt").write_text("Dear all,\n")
    (folder / ".hidden.csv").write_text("a\n1\n")
    (folder / "caf\udce9.csv").write_text("a\n1\n")
    files = read_beside(folder, {}).files.set_index("file")
    assert set(files.index) == {
        "census schoolcensus.csv",
        "census pupils.csv",
        "deep/er/one.csv",
        "letter.pdf",
        "~$book.xlsx",
        "gone.csv",
        "notes.txt",
        "caf\\udce9.csv",
    }
    assert files.loc["census pupils.csv", "read_as"] == "School Census: pupils on roll"
    assert files.loc["census pupils.csv", "rows"] == 2
    unread = files[files["read_as"] == ""]
    assert len(unread) == 6
    assert unread["note"].str.len().min() > 0


def test_no_message_shows_a_upn_that_stands_in_the_place_of_a_pseudonym(tmp_path: Path) -> None:
    rolls = "pupil_id,school_id,entry_date,status,year_group\nP1,S1,2023-09-01,main,8\n"
    (tmp_path / "pupils.csv").write_text(f"pupil_id\nP1\nP2\n{UPN}\n")
    (tmp_path / "enrolments.csv").write_text(rolls)
    (tmp_path / "send.csv").write_text(f"pupil_id,provision,start_date,{UPN}\nP1,K,2024-01-08,x\n")
    extract = read(tmp_path)
    assert UPN not in extract.problems.to_csv() + extract.files.to_csv()
    reported = extract.problems.loc[extract.problems["rule"] == "no_enrolment", "message"].tolist()
    assert reported == [
        "pupils: pupil P2 is in no enrolment, so on no list. Add the enrolment.",
        "pupils: 1 more pupils are in no enrolment, so on no list.",
    ]


@pytest.mark.parametrize(("other", "severity"), [("2024-01-08", "warning"), ("", "error")])
def test_two_columns_of_one_meaning_are_reported(tmp_path: Path, other: str, severity: str) -> None:
    text = f"upn,Young Carer Since,youngcarersince\n{UPN},2024-01-08,{other}\n"
    (tmp_path / "x").mkdir()
    problems = read_beside(tmp_path / "x", {"carers.csv": text}).problems
    (reported,) = problems[problems["rule"] == "column_twice"].to_dict("records")
    assert "'Young Carer Since' and 'youngcarersince' have one meaning" in reported["message"]
    assert reported["severity"] == severity


def test_a_row_in_the_rejects_is_not_reported_as_kept(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    text = f"upn,estab,category,start date\n{'Z' + UPN[1:]},4001,SUSP,2024-01-08\n"
    extract = read_beside(tmp_path / "x", {"exclusions.csv": text})
    assert len(extract.rejects) == 1
    assert not extract.problems["message"].str.contains("is kept").any()


def test_a_quote_that_stays_open_in_the_header_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('upn,"start,end\nA1,x,y\nB2,x,y\n')
    one = open_table(tmp_path / "x.csv")
    assert list(one.raw) == ["upn", "start", "end"]
    assert len(one.raw) == 2


SEVEN = "upn,name,estab,start,category,sessions,reason\n"


@pytest.mark.parametrize(
    ("rows", "aside"),
    [
        (['U1,"A,4001,x,SUSP,2,DB', "U2,x,4001,x,SUSP,2,DB", 'U3,B",4001,x,SUSP,2,DB'], [2]),
        (["U1,A,4001,x,SUSP,2,DB", 'U2,x,4001,x,SUSP,2,"DB', 'U3,B,4001,x,SUSP,2,DB"'], [3]),
    ],
)
def test_two_stray_quotes_swallow_no_row(tmp_path: Path, rows: list[str], aside: list[int]) -> None:
    (tmp_path / "x.csv").write_text(SEVEN + "\n".join(rows))
    one = open_table(tmp_path / "x.csv")
    assert one.rows_seen == 3
    assert one.aside["row"].tolist() == aside
    assert len(one.raw) == 2


def test_lines_of_blanks_are_no_errors_and_a_total_is_reported_as_one(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(SEVEN + "U1,A,4001,x,SUSP,2,DB\n   \n\t\nTotal: 1\n\x1a")
    one = open_table(tmp_path / "x.csv")
    assert one.aside["reason"].tolist() == ["blank", "blank", "ragged", "blank"]
    (problem,) = one.problems
    assert problem.message == (
        "x.csv, row 5: 1 value where the header has 7. Complete the row, or take the line out where it is "
        "no row, such as a total or a title."
    )


@pytest.mark.parametrize(
    ("title", "delimiter"),
    [
        ("School: North,Date: 1 May,Printed by: us,Total: 8", ","),
        ("Suspensions, exclusions, and others", ";"),
    ],
)
def test_a_title_of_many_values_is_no_header(tmp_path: Path, title: str, delimiter: str) -> None:
    rows = SEVEN + "U1,A,4001,x,SUSP,2,DB\nU2,A,4001,x,SUSP,2,DB\n"
    (tmp_path / "x.csv").write_text(f"{title}\n{rows.replace(',', delimiter)}")
    one = open_table(tmp_path / "x.csv")
    assert list(one.raw) == SEVEN.strip().split(",")
    assert len(one.raw) == 2


def test_a_column_with_values_and_no_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("upn,,estab\nU1,x,4001\n")
    (problem,) = open_table(tmp_path / "x.csv").problems
    assert problem.message == (
        "x.csv: column 2 has no name in the header, and holds values. It was not read. Name it."
    )
    assert problem.severity == "error"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_text_is_read_without_a_mark_too(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x.csv").write_bytes("upn,name\nU1,é\n".encode(encoding))
    one = open_table(tmp_path / "x.csv")
    assert one.raw.astype("str").to_numpy().tolist() == [["U1", "é"]]
    assert one.encoding == encoding[:6]


def test_a_name_above_two_columns_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    text = f"upn,young carer since,Perpetua Lovibond,perpetua lovibond\n{UPN},2024-01-08,a,b\n"
    problems = read_beside(tmp_path / "x", {"carers.csv": text}).problems
    (message,) = problems.loc[problems["rule"] == "column_twice", "message"]
    assert "columns 3 and 4 have one meaning" in message


def test_a_file_without_header_is_reported_as_one(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    files = read_beside(
        tmp_path / "x", {"s.csv": f"{UPN},4001,01/02/2024\n{UPN},4001,01/03/2024\n"}
    )
    note = files.files.set_index("file")["note"]["s.csv"]
    assert "Its first line seems to be a row: put the names of the columns above." in note
    assert UPN not in note


def test_files_in_folders_beside_the_tables_are_named(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id\nP1\n")
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "sessions.csv").write_text("pupil_id,date,session,mark\n")
    (tmp_path / "2024" / "letter.pdf").write_text("%PDF")
    extract = read(tmp_path)
    assert extract.files["file"].tolist() == ["2024/letter.pdf", "2024/sessions.csv", "pupils.csv"]
    assert extract.problems["severity"].tolist() == ["warning", "error"]
