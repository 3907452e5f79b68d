"""Every reader under a fuzzer for a few seconds, and what longer campaigns found, each with a small input."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from riskmodel.data.journal import read_journal
from riskmodel.data.read.open.database import open_database
from riskmodel.data.read.open.files import open_file
from riskmodel.data.read.open.mvad import read_mvad
from riskmodel.data.read.open.workbook import frame_of_sheet, open_sheets
from riskmodel.data.read.open.xml import open_markup
from riskmodel.errors import LONGEST, DataError, ModelError, RequestError
from riskmodel.evaluation import read_points
from riskmodel.jobs import read_settings
from riskmodel.jobs.past_lists import read_handed_out
from riskmodel.model import RiskModel
from riskmodel.report import write_list
from riskmodel.report.list_files import read_list
from riskmodel.simulate import preset_of
from tests import fuzzing
from tests.small_list import make


def test_no_input_of_a_bounded_campaign_breaks_a_reader(soak: bool, tmp_path: Path) -> None:
    # for most readers; a campaign of hours is python -m benchmarks.fuzz --seconds 3600
    seconds = "60" if soak else "1"
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--seconds", seconds, "--out", tmp_path],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    found = "\n\n".join(path.read_text("utf-8") for path in sorted(tmp_path.rglob("*.txt")))
    assert answer.returncode == 0, answer.stdout + answer.stderr + found
    result = json.loads(answer.stdout.splitlines()[-1])
    assert set(result["readers"]) == set(fuzzing.READERS)
    assert all(row["inputs"] > 0 for row in result["readers"].values())


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    fuzzing.make_corpus(folder)
    return folder


@pytest.mark.parametrize("name", fuzzing.READERS)
def test_what_the_campaign_starts_from_is_read(name: str, corpus: Path, tmp_path: Path) -> None:
    reader = fuzzing.READERS[name]
    for path in sorted((corpus / name).iterdir())[:4]:
        (tmp_path / "x").mkdir(exist_ok=True)
        fuzzing.check(reader, path.read_bytes(), tmp_path / "x")


# --- found: text that is no text for people


def test_a_message_can_do_nothing_to_a_terminal_and_is_never_endless() -> None:
    assert str(DataError("column '\x1b[2J\x00'.\nRename it.")) == "column '�[2J�'.\nRename it."
    long = str(DataError("x" * 10**6 + " Rename it."))
    assert len(long) <= LONGEST + 3
    assert long.endswith("Rename it.")


# --- found: brackets, digits and lines without end


@pytest.mark.parametrize(
    ("name", "content", "read", "words"),
    [
        ("log", b"[" * 9_000 + b"\n", read_journal, "line 1: this is no entry"),
        ("a.toml", b"a = " + b"1" * 5_000, read_settings, "cannot be read as TOML"),
        ("a.toml", b"a = " + b"[" * 9_000, read_settings, "cannot be read as TOML"),
        ("a.csv", b"column,test\n\xff,1", read_points, "cannot be read"),
        (
            "a.csv",
            b'"' + b"x" * 140_000 + b"\n1\n2",
            lambda path: open_file(path, "a"),
            "cannot be read",
        ),
        ("mvad.csv", b"id,Jul.93\n1,employment\n", read_mvad, "not the cohort as it was published"),
        ("mvad.csv", b"id,Xyz.93\n1,employment\n", read_mvad, "not the cohort as it was published"),
        ("mvad.csv", b"id,a\n1,2,3\n4,5,6,7\n", read_mvad, "not the cohort as it was published"),
    ],
)
def test_text_that_goes_on_and_on_is_refused(
    name: str, content: bytes, read: Callable[[Path], Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((DataError, RequestError), match=words):
        read(tmp_path / name)


@pytest.mark.parametrize("facts", ["[]", "5", '{"list": 5}', '{"list": {}}', "[" * 9_000])
def test_a_list_whose_facts_are_other_facts_is_refused(facts: str, tmp_path: Path) -> None:
    (tmp_path / "assessment.json").write_text(facts)
    (tmp_path / "list.csv").write_text("rank\n1\n")
    with pytest.raises(RequestError, match="holds no list that can be read"):
        read_list(tmp_path)


@pytest.mark.parametrize("facts", ["[]", "", '{"pupils": 5}', "[" * 9_000])
def test_a_folder_that_is_only_half_marked_as_simulated_is_refused(
    facts: str, tmp_path: Path
) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "simulation.json").write_text(facts)
    with pytest.raises(DataError, match="does not say how these pupils were simulated"):
        preset_of(tmp_path)


def test_a_list_that_does_not_state_its_model_is_not_followed(tmp_path: Path) -> None:
    folder = write_list(make(), tmp_path / "list")
    facts = json.loads((folder / "assessment.json").read_text("utf-8"))
    (folder / "assessment.json").write_text(json.dumps(facts | {"provenance": []}), "utf-8")
    with pytest.raises(RequestError, match="no longer says which model made the list"):
        read_handed_out(folder, fuzzing.small_model())


# --- found: XML


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<child>" + "<a>" * 5_000 + "</a>" * 5_000 + "</child>", "hundreds deep"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "cannot be read as XML"),
        ('<?xml version="1.0" encoding="shift_jis"?><a/>', "cannot be read as XML"),
    ],
)
def test_xml_of_a_kind_that_no_return_has_is_refused(
    content: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(DataError, match=words):
        open_markup(tmp_path / "a.xml")


def test_an_element_with_very_many_fields_is_read_in_time_that_grows_with_their_number(
    tmp_path: Path,
) -> None:
    fields = "".join(f"<f{n}>1</f{n}>" for n in range(40_000))
    (tmp_path / "a.xml").write_text(f"<child><cindetails>{fields}</cindetails></child>")
    start = time.process_time()
    assert set(open_markup(tmp_path / "a.xml")) == {"referrals"}
    assert time.process_time() - start < 20  # half an hour before


# --- found: workbooks


def sheet(rows: str, size: str = "A1") -> bytes:
    """Return a workbook whose sheet holds rows of our own and claims a size of its own."""
    stream = io.BytesIO()
    pd.DataFrame({"a": [1]}).to_excel(stream, index=False)
    with zipfile.ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{size}"/><sheetData>{rows}</sheetData></worksheet>'
    ).encode()
    return fuzzing.archive_of(parts)


FIRST = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'


@pytest.mark.parametrize("last", ["99999999999", "60000000"])
def test_a_cell_at_the_end_of_the_world_does_not_fill_the_memory(last: str, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(
        sheet(f'{FIRST}<row r="{last}"><c r="A{last}"><v>1</v></c></row>')
    )
    with pytest.raises(DataError, match="lie too far apart"):
        open_sheets(tmp_path / "a.xlsx")


def test_the_size_that_a_sheet_claims_is_not_believed(tmp_path: Path) -> None:
    rows = f'{FIRST}<row r="2"><c r="A2"><v>1</v></c><c r="C2"><v>2</v></c></row>'
    (tmp_path / "a.xlsx").write_bytes(sheet(rows, "A1:XFD1048576"))
    (sheet_read,) = open_sheets(tmp_path / "a.xlsx")
    frame = frame_of_sheet(sheet_read.rows)
    assert list(frame.columns) == ["a", "column 2", "column 3"]
    assert frame.iloc[0, [0, 2]].tolist() == ["1", "2"]


def test_a_sheet_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    pd.DataFrame([[1, 2]], columns=["UPN", "UPN"]).to_excel(tmp_path / "a.xlsx", index=False)
    (one,) = open_file(tmp_path / "a.xlsx", "a.xlsx")
    assert "sheet Sheet1: column 'UPN' is there more than once" in one.fault


def test_an_archive_of_another_age_is_no_workbook(tmp_path: Path) -> None:
    content = bytearray(sheet(FIRST))
    content[content.index(b"PK\x01\x02") + 6] = 148  # the version that it takes to unpack a member
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as XLSX"):
        open_sheets(tmp_path / "a.xlsx")


def test_entities_in_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    parts = '<!DOCTYPE x [<!ENTITY a "ha">]>' + FIRST
    (tmp_path / "a.xlsx").write_bytes(sheet(FIRST).replace(FIRST.encode(), parts.encode()))
    with pytest.raises(DataError, match="cannot be read as XLSX"):
        open_sheets(tmp_path / "a.xlsx")


# --- found: Parquet and databases


def test_a_parquet_file_that_would_unpack_to_billions_is_not_opened(tmp_path: Path) -> None:
    one = pa.table({"a": pa.DictionaryArray.from_arrays(np.zeros(10**6, np.int32), ["x"])})
    with pyarrow.parquet.ParquetWriter(tmp_path / "a.parquet", one.schema) as writer:
        for _ in range(120):
            writer.write_table(one)
    with pytest.raises(DataError, match=r"would unpack to 0\.1 billion values"):
        open_file(tmp_path / "a.parquet", "a.parquet")


def test_a_parquet_file_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table([[1], [2]], names=["upn", "upn"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="column 'upn' is there more than once"):
        open_file(tmp_path / "a.parquet", "a.parquet")


def test_what_pandas_wrote_along_with_a_parquet_file_is_left_alone(tmp_path: Path) -> None:
    table = pa.table({"upn": ["A"]}).replace_schema_metadata({"pandas": '{"index_columns" ['})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    (opened,) = open_file(tmp_path / "a.parquet", "a.parquet")
    assert opened.raw["upn"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"pupils in it", b"pupils \xff\xfe\xfd it"),
        (b"\x0d\x00\x00\x00\x01", b"\x0d\xff\xff\xff\xff"),
    ],
)
def test_a_damaged_database_is_refused_in_words(old: bytes, new: bytes, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        pd.DataFrame({"a": [1]}).to_sql("pupils in it", connection, index=False)
    connection.close()
    whole = (tmp_path / "a.db").read_bytes()
    at = whole.rindex(old)
    (tmp_path / "a.db").write_bytes(whole[:at] + new + whole[at + len(old) :])
    with pytest.raises(DataError, match="cannot be read"):
        open_database(f"sqlite:///{tmp_path / 'a.db'}")


# --- found: models


def spoilt(folder: Path, **changes: Any) -> Path:
    """Save a small model, some of its numbers or facts changed."""
    fuzzing.small_model().save(folder)
    with np.load(folder / "arrays.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    document = json.loads((folder / "model.json").read_text("utf-8"))
    for name, value in changes.items():
        known = name.replace("__", ".")
        (arrays if known in arrays else document)[known] = value
    np.savez(folder / "arrays.npz", **arrays)
    (folder / "model.json").write_text(json.dumps(document))
    return folder


def test_the_small_model_itself_is_read(tmp_path: Path) -> None:
    assert RiskModel.load(spoilt(tmp_path / "m")).features == ("fsm_now", "months_at_school")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trees__feature": np.array([[0, 7, -1], [1, -1, -1]])}, "names what is not there"),
        ({"trees__member": np.array([0, 2])}, "names what is not there"),
        ({"trees__member": np.array(["a", "b"])}, "trees.member is <U1"),
        ({"linear__coefficient": np.ones((2, 1))}, "its arrays are of others"),
        ({"linear__centre": np.array([np.nan, 0.0])}, "not finite"),
        ({"tree_base": np.ones(3)}, "tree_base is float64 of shape"),
        ({"features": ["fsm_now"]}, "it names 1 features"),
        ({"features": [1, 2]}, "names of its features are not whole"),
        ({"calibration": {"intercept": 0.0, "slope": -1.0}}, "turn the ranking round"),
        ({"outcome": "grades"}, "no outcome 'grades'"),
        (
            {"card": {"trained": {}}},
            "its card is not whole: audit, audit_note, backtest is missing",
        ),
    ],
)
def test_a_model_whose_parts_do_not_fit_is_refused_before_anything_is_worked_out(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=words):
        RiskModel.load(spoilt(tmp_path / "m", **changes))


def test_a_model_that_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "m")
    np.savez_compressed(folder / "arrays.npz", bomb=np.zeros(10**6))
    with pytest.raises(ModelError, match="arrays are compressed"):
        RiskModel.load(folder)
