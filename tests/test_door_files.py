"""Every file of a folder is read or named: kinds of files, archives, and what check shows of them."""

from __future__ import annotations

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from riskmodel.data.check import check
from riskmodel.data.coverage import linkage
from riskmodel.data.read import read
from riskmodel.data.read.open.files import open_each
from riskmodel.report.check_page import write_check
from tests.returns import UPN, read_beside

CARERS = f"upn,young carer since\n{UPN},2024-01-08\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "x"
    path.mkdir()
    return path


def test_check_shows_what_each_file_was_read_as(folder: Path, tmp_path: Path) -> None:
    files = {"carers.csv": CARERS, "menu.csv": "dish,price\npie,2\n", "a.pdf": "%PDF"}
    extract = read_beside(folder, files)
    report = check(extract)
    lines = report.text().split("Files:\n")[1].split("\n\n")[0].splitlines()
    assert lines == [
        "a.pdf: NOT READ",
        "menu.csv: NOT READ",
        "carers.csv: Young carers, 1 rows",
        "census pupils.csv: School Census: pupils on roll, 2 rows",
        "census schoolcensus.csv: School Census: returns, 2 rows",
    ]
    write_check(report, tmp_path / "out")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "what it was read as, or why it was not read" in page
    assert "a.pdf: is of no kind that is read" in page
    written = (tmp_path / "out" / "files.csv").read_text(encoding="utf-8")
    assert len(written.splitlines()) == 1 + len(extract.files)


def test_files_that_were_not_read_are_not_reported_as_joined(folder: Path) -> None:
    extract = read_beside(folder, {"carers.csv": CARERS, "menu.csv": "dish,price\npie,2\n"})
    assert set(linkage(extract)["source"]) == {
        "Young carers",
        "School Census: pupils on roll",
        "School Census: returns",
    }


def test_an_unknown_file_names_the_nearest_layout_and_what_it_lacks(folder: Path) -> None:
    extract = read_beside(folder, {"x.csv": f"upn,sentypes\n{UPN},K\n", "menu.csv": "dish\npie\n"})
    notes = extract.files.set_index("file")["note"]
    assert "It is nearest to '" in notes["x.csv"]
    assert "but has no " in notes["x.csv"]
    assert "It shares no column with any of them." in notes["menu.csv"]


def packed(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def found_in(path: Path) -> dict[str, tuple[int, str]]:
    """Return rows and fault of everything in a file."""
    return {one.name: (len(one.raw), one.fault) for one in open_each(path, path.name)}


def test_the_files_of_an_archive_are_read_one_by_one(folder: Path) -> None:
    members: dict[str, str | bytes] = {
        "deep/carers.csv": CARERS,
        "deep/menu.csv": "dish,price\npie,2\n",
        "__MACOSX/deep/carers.csv": "x",
        ".hidden.csv": "x",
        "inner.zip": b"PK",
        "damaged.csv": "",
        "letter.pdf": "%PDF",
    }
    packed(folder / "all.zip", members)
    (folder / "more.csv.gz").write_bytes(gzip.compress(CARERS.encode()))
    extract = read_beside(folder, {})
    files = extract.files.set_index("file")
    assert files.loc["all.zip/deep/carers.csv", "read_as"] == "Young carers"
    assert files.loc["more.csv.gz", "read_as"] == "Young carers"
    unread = files[files["read_as"] == ""]["note"]
    assert unread["all.zip/inner.zip"].startswith(
        "all.zip/inner.zip: is an archive in an archive. Unpack"
    )
    assert unread["all.zip/damaged.csv"].startswith("all.zip/damaged.csv: the file is empty")
    assert unread["all.zip/letter.pdf"].startswith("all.zip/letter.pdf: is of no kind that is read")
    assert set(unread.index) == {f"all.zip/{name}" for name in list(members)[4:]} | {
        "all.zip/deep/menu.csv"
    }
    assert len(extract.tables["circumstances"]) == 1


@pytest.mark.parametrize("name", ["a.zip", "a.csv.gz"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off", b"\x1f\x8b\x08"])
def test_a_damaged_archive_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    ((rows, fault),) = found_in(tmp_path / name).values()
    assert rows == 0
    assert fault.startswith((f"{name}: cannot be unpacked", f"{name}: the file is empty"))


def test_an_archive_that_is_cut_off_in_a_member_is_refused(tmp_path: Path) -> None:
    text = "upn,start\n" + "".join(f"A{n},{n * 7919 % 10007}\n" for n in range(5_000))
    whole = gzip.compress(text.encode())
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert "cannot be unpacked" in found_in(tmp_path / "a.csv.gz")["a.csv.gz"][1]


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_an_archive_that_would_unpack_to_far_more_is_not_opened(tmp_path: Path, kind: str) -> None:
    nothing = b"0" * 150_000_000
    path = tmp_path / f"a.csv.{kind}"
    if kind == "zip":
        packed(path, {"a.csv": nothing})
    else:
        path.write_bytes(gzip.compress(nothing))
    ((_, fault),) = found_in(path).values()
    assert f"{path.name}: would unpack to 0.1 GB or more" in fault


def test_an_archive_with_a_password_is_named(tmp_path: Path) -> None:
    content = bytearray(packed(tmp_path / "a.zip", {"a.csv": CARERS}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the member is encrypted
    (tmp_path / "a.zip").write_bytes(content)
    ((_, fault),) = found_in(tmp_path / "a.zip").values()
    assert fault == "a.zip: has a password. Unpack it, or pack it again without one."


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_other_workbooks_are_read_and_hidden_sheets_reported(tmp_path: Path, kind: str) -> None:
    source = Path(__file__).parent / "old_workbooks" / f"carers.{kind}"
    shown, hidden = open_each(source, source.name)
    assert shown.name == f"carers.{kind}, sheet Carers"
    assert shown.first_row == 2
    assert shown.raw.fillna("").to_dict("records") == [
        {"upn": "A1", "young carer since": "2024-01-08", "n": "3", "sum": "4"},
        {"upn": "B2", "young carer since": "2024-05-01", "n": "2.5", "sum": ""},
    ]
    (problem,) = hidden.problems
    assert problem.message.startswith(f"carers.{kind}, sheet Old: is a hidden sheet")


@pytest.mark.parametrize("kind", ["xlsx", "xlsm"])
def test_hidden_sheets_empty_sheets_and_titles_are_reported(tmp_path: Path, kind: str) -> None:
    book = openpyxl.Workbook()
    for title, state in (("Carers", "visible"), ("Old", "veryHidden")):
        sheet = book.create_sheet(title)
        for row in (["Carers of Barset"], [], ["upn", "start", "end"], ["A1", 1, 2], ["B2", 1, 2]):
            sheet.append(row)
        sheet.sheet_state = state
    path = tmp_path / f"a.{kind}"
    book.save(path)
    empty, shown, hidden = open_each(path, path.name)
    assert empty.fault == f"a.{kind}, sheet Sheet: holds no rows below a header."
    assert empty.severity is None
    assert shown.raw["upn"].tolist() == ["A1", "B2"]
    assert shown.first_row == 4
    assert shown.aside[["row", "reason"]].to_numpy().tolist() == [[1, "above_header"]]
    assert [problem.rule for problem in hidden.problems] == ["above_header", "hidden_sheet"]


@pytest.mark.parametrize("kind", ["xlsx", "xlsm", "xls", "xlsb", "ods"])
def test_a_damaged_workbook_of_any_kind_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(b"not a workbook")
    ((_, fault),) = found_in(path).values()
    assert fault.startswith(f"a.{kind}: cannot be read as {kind.upper()}")


def test_a_workbook_with_a_password_is_named(tmp_path: Path) -> None:
    content = b"\xd0\xcf\x11\xe0" + bytes(100) + "EncryptedPackage".encode("utf-16-le")
    (tmp_path / "a.xlsx").write_bytes(content)
    ((_, fault),) = found_in(tmp_path / "a.xlsx").values()
    assert fault.startswith("a.xlsx: has a password. Save it again without one")


def test_a_web_page_under_the_name_of_a_workbook_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_text("<html><table><tr><td>upn</td></tr></table></html>")
    ((_, fault),) = found_in(tmp_path / "a.xls").values()
    assert fault.startswith("a.xls: is a web page under the name of a workbook. Open it in Excel")


ODS = (
    '<o:c xmlns:o="urn:o" xmlns:t="urn:t"><t:table>'
    '<t:table-row t:number-rows-repeated="{}"><t:table-cell o:value-type="x" '
    't:number-columns-repeated="{}"/></t:table-row></t:table></o:c>'
)


@pytest.mark.parametrize(("rows", "columns"), [(1_048_576, 16_384), (60_000_000, 1)])
def test_repeated_cells_do_not_fill_the_memory(tmp_path: Path, rows: int, columns: int) -> None:
    packed(tmp_path / "a.ods", {"content.xml": ODS.format(rows, columns)})
    ((_, fault),) = found_in(tmp_path / "a.ods").values()
    assert fault.startswith("a.ods: its cells lie too far apart")


def test_far_cells_of_a_binary_workbook_do_not_fill_the_memory(tmp_path: Path) -> None:
    row = b"\x00\x04" + (1_048_575).to_bytes(4, "little")
    cell = b"\x01\x04" + (16_383).to_bytes(4, "little")
    packed(tmp_path / "a.xlsb", {"xl/worksheets/sheet1.bin": row + cell})
    ((_, fault),) = found_in(tmp_path / "a.xlsb").values()
    assert fault.startswith("a.xlsb: its cells lie too far apart")


def parts(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"upn": [f"A{number}", f"B{number}"], "mark": ["/", None]})
        frame.to_parquet(path, index=False)
        path.with_name(f".{path.name}.crc").write_bytes(b"crc")
    (folder / "_SUCCESS").touch()
    return folder


def test_a_folder_of_parts_is_one_table(tmp_path: Path) -> None:
    folder = parts(tmp_path / "sessions.parquet", "part-0.parquet", "part-1.parquet")
    (one,) = open_each(folder, "sessions.parquet")
    assert one.raw["upn"].astype("str").tolist() == ["A0", "B0", "A1", "B1"]
    assert one.rows_seen == 4


def test_a_folder_of_parts_keeps_what_the_names_of_its_folders_hold(tmp_path: Path) -> None:
    names = ("session=AM/part-0.parquet", "session=__HIVE_DEFAULT_PARTITION__/part-0.parquet")
    (one,) = open_each(parts(tmp_path / "s.parquet", *names), "s.parquet")
    assert one.raw["session"].astype("object").fillna("").tolist() == ["AM", "AM", "", ""]


def test_parts_of_several_tables_are_refused(tmp_path: Path) -> None:
    folder = parts(tmp_path / "s.parquet", "part-0.parquet")
    pd.DataFrame({"a": [1]}).to_parquet(folder / "part-1.parquet")
    ((_, fault),) = found_in(folder).values()
    assert fault.startswith("s.parquet: its parts do not have the same columns")


def test_a_folder_of_parts_is_a_table_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id\nP1\n")
    frame = pd.DataFrame({"pupil_id": ["P1"], "date": ["2024-01-08"], "session": ["AM"]})
    (tmp_path / "sessions.parquet").mkdir()
    frame.assign(mark="/").to_parquet(tmp_path / "sessions.parquet" / "part-0.parquet", index=False)
    extract = read(tmp_path)
    assert len(extract.tables["sessions"]) == 1
    assert extract.files["read_as"].tolist() == ["pupils", "sessions"]


def test_members_of_an_archive_are_read_however_their_paths_are_written(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "a.zip", {"./s.csv": CARERS, "../t.csv": CARERS, "deep/./u.csv": CARERS}
    )
    assert found_in(path) == {
        "a.zip/../t.csv": (1, ""),
        "a.zip/./s.csv": (1, ""),
        "a.zip/deep/./u.csv": (1, ""),
    }


@pytest.mark.parametrize("members", [{}, {".hidden.csv": CARERS}])
def test_an_archive_without_files_is_named(tmp_path: Path, members: dict[str, str]) -> None:
    path = packed(tmp_path / "a.zip", dict(members))
    assert found_in(path) == {"a.zip": (0, "a.zip: holds no file.")}


def test_a_packed_file_whose_kind_its_name_hides_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.gz").write_bytes(gzip.compress(CARERS.encode()))
    ((_, fault),) = found_in(tmp_path / "data.gz").values()
    assert fault.startswith("data.gz: its name does not show what is in it")


def test_empty_rows_of_a_sheet_are_no_rows_and_move_the_numbers_below(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["upn", "start"], ["A1", 1], [], ["B2", 2]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "a.xlsx")
    (one,) = open_each(tmp_path / "a.xlsx", "a.xlsx")
    assert one.raw["upn"].tolist() == ["A1", "B2"]
    assert one.lines is not None
    assert one.lines.tolist() == [2, 4]


def test_what_lies_in_a_folder_of_parts_and_is_none_is_named(tmp_path: Path) -> None:
    folder = parts(tmp_path / "s.parquet", "part-0.parquet")
    (folder / "part-2.csv").write_text(CARERS)
    assert found_in(folder) == {
        "s.parquet": (2, ""),
        "s.parquet/part-2.csv": (
            0,
            "s.parquet/part-2.csv: is no part of the table s.parquet. Move it out of that folder.",
        ),
    }


def test_a_upn_in_the_name_of_a_file_is_not_shown(tmp_path: Path) -> None:
    notes = {f"{one} notes.csv": "a,b\n1,2\n" for one in (UPN, "A801234500001")}
    extract = read_beside(tmp_path, notes)
    shown = [*extract.files["file"], *extract.problems["message"], *extract.reconciliation["file"]]
    assert not [text for text in shown if UPN in text or "A801234500001" in text]
    assert {"(UPN) notes.csv", "(UPN) notes.csv (2)"} <= set(extract.files["file"])


def test_columns_of_parquet_that_are_no_text_are_read_as_text_or_left_alone(folder: Path) -> None:
    """Bytes, decimals and records, as Spark, DuckDB and SQL Server write them."""
    frame = pd.DataFrame(
        {
            "UPN": [UPN.encode()],
            "URN": [Decimal("900001.00")],
            "Category": ["SUSP"],
            "Start Date": ["2024-02-01"],
            "Sessions": [2],
            "Photo": [b"\xff\x00"],
            "Meta": [{"a": 1}],
            "Tags": [["x", "y"]],
        }
    )
    frame.to_parquet(folder / "suspensions.parquet", index=False)
    extract = read_beside(folder, {})
    made = extract.tables["suspensions"]
    assert made[["school_id", "sessions"]].to_numpy().tolist() == [["900001", 2.0]]
    assert not (extract.problems["severity"] == "error").any()


NAMES_OF_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def ods(*rows: str) -> str:
    """Return the content of a workbook of LibreOffice with one sheet."""
    names = "".join(
        f' xmlns:{one}="{NAMES_OF_ODS}:{one}:1.0"' for one in ("office", "table", "text")
    )
    calc = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
    return (
        f'<office:document-content{names} xmlns:calcext="{calc}"><office:body><office:spreadsheet>'
        f'<table:table table:name="EHE">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )


def ods_row(*cells: str, more: str = "", repeated: int = 1) -> str:
    """Return a row of text; ``more`` are attributes of its last cell."""
    made = [
        f'office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    ]
    made[-1] = made[-1].replace('office:value-type="string"', more) if more else made[-1]
    inside = "".join(f"<table:table-cell {one}" for one in made)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inside}</table:table-row>'


ODS_ERROR = ods(
    ods_row("UPN", "EHE End"),
    ods_row("A1", "soon", repeated=2),
    ods_row(
        "B2",
        "#DIV/0!",
        more='office:value-type="float" office:value="0" calcext:value-type="error"',
    ),
)


def test_an_error_of_a_formula_is_no_value_in_a_workbook_of_libreoffice(tmp_path: Path) -> None:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    members = {"mimetype": kind, "META-INF/manifest.xml": "<m/>", "content.xml": ODS_ERROR}
    path = packed(tmp_path / "a.ods", dict(members))
    (one,) = open_each(path, path.name)
    assert one.raw["EHE End"].tolist() == ["soon", "soon", "#DIV/0!"]


def test_a_workbook_of_which_no_sheet_can_be_read_is_an_error(tmp_path: Path) -> None:
    """Excel's 'Strict Open XML Spreadsheet' has names of its own for sheets."""
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        parts = {name: book.read(name) for name in book.namelist()}
    ours, strict = (
        b"http://schemas.openxmlformats.org/" + b"officeDocument/2006/relationships",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    )
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as book:
        for name, held in parts.items():
            strictly = held.replace(ours, strict)
            book.writestr(
                name, strictly.replace(main, b"http://purl.oclc.org/ooxml/spreadsheetml/main")
            )
    (one,) = open_each(tmp_path / "a.xlsx", "a.xlsx")
    assert one.fault.startswith("a.xlsx: no sheet of it can be read. Save it as")
    assert one.severity == "error"
