"""Workbooks that came back: taken as officers return them, refused in plain words where they do not fit."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from riskmodel.data.journal import read_journal
from riskmodel.errors import RequestError
from riskmodel.jobs import Feedback, feedback, read_decisions
from riskmodel.report import write_list
from tests.small_list import CAPACITY, make
from tests.workbooks import by_two_officers, column, edited, fill

Command = Callable[..., subprocess.CompletedProcess[str]]
TODAY = date(2024, 10, 1)
SHOWN = CAPACITY + 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a list that is handed out; tests only read it."""
    return write_list(make(), tmp_path_factory.mktemp("lists") / "autumn")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def read(*workbooks: Path, log: Path, folder: Path | None = None, today: date = TODAY) -> Feedback:
    """Bring decisions back at a fixed time."""
    at = datetime(2024, 10, 1, 9, tzinfo=UTC)
    return feedback(workbooks, log=log, today=today, at=at, folder=folder)


def convert(files: Sequence[Path], kind: str, out: Path) -> list[Path]:
    """Open files with LibreOffice and save them."""
    out.mkdir(exist_ok=True)
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{out / 'profile'}",
            "--headless",
            "--convert-to",
            kind,
            "--outdir",
            out,
            *files,
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return [out / f"{file.stem}.{kind}" for file in files]


@pytest.fixture(scope="module")
def resaved(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a workbook as it was handed out and one as officers fill it in, saved by LibreOffice."""
    place = tmp_path_factory.mktemp("office")
    filled = edited(folder / "list.xlsx", place / "filled.xlsx", by_two_officers)
    shutil.copy(folder / "list.xlsx", place / "untouched.xlsx")
    untouched, back = convert([place / "untouched.xlsx", filled], "xlsx", place / "saved")
    return untouched, back


def assert_as_filled(log: Path) -> None:
    """Check the log against what :func:`by_two_officers` filled in."""
    made = read_decisions(log).set_index("pupil_id")
    assert len(made) == 8
    assert made["decision"].value_counts().to_dict() == {
        "Offer support": 5,
        "No support needed": 1,
        "To discuss": 1,
        "Not appropriate": 1,
    }
    assert made["supported"].value_counts().to_dict() == {"yes": 5, "no": 2, "not known": 1}
    lead = made[made["seen_by"] == "B. Lead"].iloc[0]
    assert lead["date"] == "2024-09-12"
    assert lead["disagreement_and_why"] == "Settled since the move"
    assert "=moved away" in set(made["not_appropriate_because"])


@pytest.mark.parametrize("compared", [True, False])
def test_a_workbook_saved_by_libreoffice_comes_back_whole(
    resaved: tuple[Path, Path], folder: Path, log: Path, compared: bool
) -> None:
    listed = folder if compared else None
    assert read(resaved[0], log=log, folder=listed).added == 0
    assert not log.exists()
    assert read(resaved[1], log=log, folder=listed).added == 8
    assert_as_filled(log)


def test_libreoffice_opens_the_workbook_as_it_is_and_prints_it(
    folder: Path, tmp_path: Path
) -> None:
    (pdf,) = convert([folder / "list.xlsx"], "pdf", tmp_path / "printed")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("kind", "words"), [("xls", "saved as an old .xls"), ("ods", "such as ODS")]
)
def test_a_workbook_saved_in_another_format_is_refused_in_plain_words(
    folder: Path, tmp_path: Path, log: Path, kind: str, words: str
) -> None:
    (book,) = convert([folder / "list.xlsx"], kind, tmp_path / kind)
    with pytest.raises(RequestError, match=words):
        read(book, log=log)


def test_libreoffice_runs_no_formula_of_the_csv_or_the_workbook(
    folder: Path, resaved: tuple[Path, Path], tmp_path: Path
) -> None:
    (book,) = convert([folder / "list.csv"], "xlsx", tmp_path / "csv")
    for path in (book, resaved[0]):
        cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert any("=HYPERLINK(" in str(cell.value) for cell in cells)
        assert any("<script>" in str(cell.value) for cell in cells)


def test_the_same_workbook_twice_adds_nothing(folder: Path, tmp_path: Path, log: Path) -> None:
    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", by_two_officers)
    first = read(book, log=log)
    content = log.read_bytes()
    again = read(book, book, log=log)
    assert (first.added, first.unchanged, again.added, again.unchanged) == (8, 0, 0, 8)
    assert log.read_bytes() == content
    assert again.coverage.keys() == first.coverage.keys()


def test_a_later_decision_supersedes_and_an_old_copy_does_not_undo_it(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    old = edited(folder / "list.xlsx", tmp_path / "old.xlsx", fill(2, decision="To discuss"))
    new = edited(old, tmp_path / "new.xlsx", fill(2, decision="Offer support"))
    assert [read(old, log=log).added, read(new, log=log).added] == [1, 1]
    assert read_decisions(log)["decision"].tolist() == ["Offer support"]
    third = read(old, log=log)
    assert third.added == 0
    assert "changed since; the newer stays" in third.notes[0]
    assert len(read_journal(log)) == 2


def test_two_workbooks_of_one_list_are_joined_unless_they_differ_on_a_pupil(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    north = edited(folder / "list.xlsx", tmp_path / "north.xlsx", fill(2, decision="To discuss"))
    south = edited(folder / "list.xlsx", tmp_path / "south.xlsx", fill(3, decision="Offer support"))
    assert read(north, south, log=log).added == 2
    other = edited(folder / "list.xlsx", tmp_path / "other.xlsx", fill(3, decision="To discuss"))
    with pytest.raises(
        RequestError, match=r"south.xlsx, .*row 3, and other.xlsx, .*row 3, say diff"
    ):
        read(south, other, log=log)
    assert len(read_journal(log)) == 2


def test_coverage_counts_those_listed_and_hides_small_schools(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", by_two_officers)
    made = read(book, log=log)
    (table,) = made.coverage.values()
    total = table[table["school_id"] == "all"].iloc[0]
    # rows 2 to 9 are ranks 1 to 8: seven decided, one to discuss, five supported
    # that one somebody disagreed on is too few to show
    assert total.drop("school_id").tolist() == [CAPACITY, 8, 7, 5, "c"]
    schools = table[table["school_id"] != "all"].drop(columns="school_id")
    assert all(cell == "c" or cell >= 5 for cell in schools.to_numpy().ravel())
    assert "of 20 pupils listed 8 were seen, 7 decided on, 5 are supported" in made.text()


def test_a_total_of_none_does_not_reveal_that_every_hidden_school_has_none(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", fill(2, decision="To discuss"))
    (table,) = read(book, log=log).coverage.values()
    for name in ("seen", "decided", "supported", "disagreed"):
        assert table[name].tolist() == ["c"] * len(table)


def take_out(*rows: int) -> Callable[[Worksheet], None]:
    def edit(sheet: Worksheet) -> None:
        for row in sorted(rows, reverse=True):
            sheet.delete_rows(row)

    return edit


def put(row: int, name: str, value: Any) -> Callable[[Worksheet], None]:
    return lambda sheet: setattr(sheet.cell(row, column(sheet, name)), "value", value)


def test_missing_rows_are_reported_and_the_rest_is_taken(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    def edit(sheet: Worksheet) -> None:
        fill(5, decision="To discuss")(sheet)
        take_out(2, 3, 4)(sheet)
        sheet.insert_rows(1, 3)

    made = read(edited(folder / "list.xlsx", tmp_path / "a.xlsx", edit), log=log)
    assert made.added == 1
    assert f"3 of the list's {SHOWN} pupils are not in it" in made.text()


def append_pupil(sheet: Worksheet) -> None:
    values = [cell.value for cell in sheet[2]]
    values[1] = "somebody else"
    sheet.append(values)


def repeat(sheet: Worksheet) -> None:
    sheet.append([cell.value for cell in sheet[2]])


FAULTS: list[tuple[Callable[[Worksheet], None], str]] = [
    (put(4, "Risk", 0.01), r"row 4: .* was changed"),
    (put(4, "Rank", 1), r"row 4: .* was changed"),
    (put(4, "Risk", "=0.5"), r"row 4: .* was changed"),
    (put(4, "Reasons", "something else"), r"row 4: .* was changed"),
    (put(4, "Pupil id", "somebody else"), r"row 4: .*(was changed|is not on this list)"),
    (put(4, "Pupil id", None), r"row 4: has no pupil"),
    (append_pupil, r"row 24: .*somebody else (was changed|is not on this list)"),
    (repeat, r"row 24: pupil .* is in row 2 already"),
    (fill(3, date=date(2024, 10, 2)), r"row 3: 'Date' is 02/10/2024, which is in the future"),
    (
        fill(3, date=date(2024, 9, 1)),
        r"row 3: 'Date' is 01/09/2024, before the list's own day, 02/09",
    ),
    (fill(3, date="soon"), r"row 3: 'Date' is 'soon', which is no date. Write it as"),
    (fill(3, date=3.5), r"row 3: 'Date' is 03/01/1900, before the list's own day"),
    (fill(3, date="31/02/2024"), r"row 3: .* no date"),
    (fill(3, date="=TODAY()"), r"row 3: 'Date' holds a formula. Type what it should say"),
    (
        fill(3, decision="Exclude"),
        r"row 3: 'Decision' is 'Exclude', which is none of Offer support",
    ),
    (fill(3, decision='=HYPERLINK("x")'), r"row 3: 'Decision' holds a formula"),
    (fill(3, decision="#REF!"), r"row 3: 'Decision' holds the error #REF!"),
    (put(1, "Decision", "Decided"), r"no sheet with the columns 'Pupil id' and 'Decision'"),
    (put(1, "Seen by", "Who"), r"row 1: no column 'Seen by'"),
    (put(1, "Change", "Band"), r"no column 'Change'"),
    (put(1, "Row seal", "Band"), r"two columns 'Band'"),
    (take_out(*range(2, 24)), r"there is no pupil"),
]


@pytest.mark.parametrize("compared", [True, False])
@pytest.mark.parametrize(("edit", "words"), FAULTS)
def test_what_does_not_fit_is_refused_with_sheet_and_row_and_adds_nothing(
    folder: Path, tmp_path: Path, log: Path, edit: Any, words: str, compared: bool
) -> None:
    def both(sheet: Worksheet) -> None:
        fill(2, decision="To discuss")(sheet)
        edit(sheet)

    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", both)
    with pytest.raises(RequestError, match=rf"a.xlsx(.|\n)*{words}"):
        read(book, log=log, folder=folder if compared else None)
    assert not log.exists()


def test_compared_with_the_list_a_change_is_reported_with_both_values_and_no_seal_is_needed(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", put(4, "Risk", 0.01))
    with pytest.raises(
        RequestError, match=r"'Risk' of pupil .* was changed from '0\.\d+' to '0.01'"
    ):
        read(book, log=log, folder=folder)

    def unsealed(sheet: Worksheet) -> None:
        fill(2, decision="To discuss")(sheet)
        sheet.delete_cols(column(sheet, "Row seal"))

    book = edited(folder / "list.xlsx", tmp_path / "b.xlsx", unsealed)
    with pytest.raises(RequestError, match="'Row seal' is gone.* with --list"):
        read(book, log=log)
    assert read(book, log=log, folder=folder).added == 1


def test_every_fault_is_named_at_once(folder: Path, tmp_path: Path, log: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        for row in range(2, 24):
            fill(row, date="soon", decision="perhaps")(sheet)

    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", edit)
    with pytest.raises(RequestError, match="and 24 more") as refusal:
        read(book, log=log)
    assert str(refusal.value).count("\n") == 21
    assert str(refusal.value).endswith("and 24 more.")


def test_the_identity_survives_without_the_read_me_and_is_refused_when_altered(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    book = openpyxl.load_workbook(folder / "list.xlsx")
    fill(2, decision="To discuss")(book["List"])
    del book["Read me"]
    book.save(tmp_path / "no_read_me.xlsx")
    assert read(tmp_path / "no_read_me.xlsx", log=log).added == 1
    for name in book.custom_doc_props.names:
        del book.custom_doc_props[name]
    book.save(tmp_path / "nothing.xlsx")
    with pytest.raises(RequestError, match="does not say which list it is of"):
        read(tmp_path / "nothing.xlsx", log=log)
    book = openpyxl.load_workbook(folder / "list.xlsx")
    (cell,) = [c for c in book["Read me"]["A"] if str(c.value).startswith("Identity")]
    cell.value = str(cell.value).replace('"capacity": 20', '"capacity": 90')
    book.save(tmp_path / "altered.xlsx")
    with pytest.raises(RequestError, match=r"altered.xlsx: its identity was altered"):
        read(tmp_path / "altered.xlsx", log=log)


def test_a_workbook_of_another_list_is_not_taken_for_this_one(
    folder: Path, tmp_path: Path, log: Path
) -> None:
    other = write_list(make(as_of=pd.Timestamp("2024-09-03")), tmp_path / "other")
    with pytest.raises(RequestError, match="belongs to another list .*2024-09-03"):
        read(other / "list.xlsx", log=log, folder=folder)

    def pasted(sheet: Worksheet) -> None:
        for row, theirs in enumerate(openpyxl.load_workbook(other / "list.xlsx")["List"], start=1):
            for cell in theirs:
                sheet.cell(row, cell.column).value = cell.value

    book = edited(folder / "list.xlsx", tmp_path / "pasted.xlsx", pasted)
    with pytest.raises(RequestError, match="row 2: .* was changed"):
        read(book, log=log)


def ole(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))


def no_zip_of_sheets(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("rank,pupil_id\n1,x\n"), "a CSV or another format"),
        (ole, r"protected by a password to open it, or saved as an old \.xls"),
        (lambda path: path.write_bytes(path.read_bytes()[:3000]), "cut off, damaged"),
        (no_zip_of_sheets, "cut off, damaged"),
        (lambda path: openpyxl.Workbook().save(path), "does not say which list it is of"),
        (lambda path: path.unlink(), "There is no file"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder. Name the workbooks"),
    ],
)
def test_what_is_no_workbook_of_a_list_is_refused_in_plain_words(
    folder: Path, tmp_path: Path, command: Command, spoil: Any, words: str
) -> None:
    path = Path(shutil.copy(folder / "list.xlsx", tmp_path / "list.xlsx"))
    spoil(path)
    with pytest.raises(RequestError, match=words):
        read(path, log=tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_the_log_of_lists_is_not_taken_for_one_of_decisions(folder: Path, tmp_path: Path) -> None:
    from riskmodel.jobs import signed

    write_list(make(), tmp_path / "list", log=signed(tmp_path / "lists.jsonl", "me"))
    book = edited(folder / "list.xlsx", tmp_path / "a.xlsx", fill(2, decision="To discuss"))
    with pytest.raises(RequestError, match="no log of decisions"):
        read(book, log=tmp_path / "lists.jsonl")
    with pytest.raises(RequestError, match="no log of decisions"):
        read_decisions(tmp_path / "lists.jsonl")


def test_the_commands_bring_decisions_back_and_verify_both_logs(
    folder: Path, tmp_path: Path, command: Command
) -> None:
    edited(folder / "list.xlsx", tmp_path / "a.xlsx", by_two_officers)
    answer = command("feedback", "a.xlsx", "--list", folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("8 decisions added to decisions.jsonl; 0 were in it already.")
    answer = command("verify", "decisions.jsonl")
    assert answer.returncode == 0
    last = read_journal(tmp_path / "decisions.jsonl")[-1]["hash"]
    assert f"all 8 entries holds.\nLast hash: {last}" in answer.stdout
    text = (tmp_path / "decisions.jsonl").read_text("utf-8")
    (tmp_path / "decisions.jsonl").write_text(text.replace("A. Officer", "B. Officer", 1), "utf-8")
    for words in (("verify", "decisions.jsonl"), ("feedback", "a.xlsx")):
        answer = command(*words)
        assert answer.returncode == 1
        assert answer.stdout == ""
        assert "decisions.jsonl, line 1: this entry was edited" in answer.stderr
        assert "Traceback" not in answer.stderr
