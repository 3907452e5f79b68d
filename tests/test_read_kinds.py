"""Workbooks, XML and databases: read like any file, and never trusted."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy

from riskmodel.data.read import read
from riskmodel.data.read.open.database import open_database
from riskmodel.data.read.open.workbook import frame_of_sheet, open_sheets
from riskmodel.data.read.open.xml import open_markup
from riskmodel.errors import DataError
from riskmodel.simulate import simulate
from tests import postgres
from tests.returns import write_two_terms

CIN = """<Message xmlns="{space}"><Header><Collection>CIN</Collection></Header><Children><Child>
<ChildIdentifiers><LAchildID>7</LAchildID><UPN>A123456789012</UPN></ChildIdentifiers>
<CINdetails><CINreferralDate>2023-10-02</CINreferralDate><CINclosureDate>2024-03-01</CINclosureDate>
<ChildProtectionPlans><CPPstartDate>2023-11-01</CPPstartDate></ChildProtectionPlans>
<ChildProtectionPlans><CPPstartDate>2024-01-05</CPPstartDate></ChildProtectionPlans></CINdetails>
<CINdetails><CINreferralDate>2024-06-02</CINreferralDate></CINdetails>
</Child></Children></Message>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_two_terms(tmp_path_factory.mktemp("returns") / "x", seed=5)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key") / "key"


@pytest.fixture(scope="module")
def digest(folder: Path, key: Path) -> str:
    """Return the digest of the folder's tables."""
    return read(folder, key_file=key).digest


def test_a_workbook_with_a_sheet_per_file_gives_the_same_tables(
    folder: Path, key: Path, digest: str, tmp_path: Path
) -> None:
    with pd.ExcelWriter(tmp_path / "all of it.xlsx") as book:
        for number, path in enumerate(sorted(folder.rglob("*.csv"))):
            frame = pd.read_csv(path, dtype="str")
            frame.to_excel(book, sheet_name=str(number), index=False)
    for path in folder.glob("registers/*.parquet"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert read(tmp_path, key_file=key).digest == digest


def test_cells_are_text_dates_and_formulas_too(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["UPN", "Start", "n"],
        ["A", pd.Timestamp("2024-01-08"), 3.0],
        ['=HYPERLINK("http://x")', None, 2.5],
        [None, None, None],
    ):
        sheet.append(row)
    book.create_sheet("empty")
    book.save(tmp_path / "a.xlsx")
    (sheet_read,) = (one for one in open_sheets(tmp_path / "a.xlsx") if len(one.rows) > 1)
    frame = frame_of_sheet(sheet_read.rows)
    assert frame.iloc[0].tolist() == ["A", "2024-01-08", "3"]
    assert frame.iloc[1, 0] == '=HYPERLINK("http://x")'
    assert frame.iloc[1, 2] == "2.5"
    assert len(frame) == 2


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04 cut off"])
def test_a_damaged_workbook_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.xlsx: cannot be read as XLSX"):
        open_sheets(tmp_path / "a.xlsx")


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 150_000_000)
    with pytest.raises(DataError, match="would unpack to 0.1 GB"):
        open_sheets(tmp_path / "a.xlsx")


@pytest.mark.parametrize("space", ["", "http://www.education.gov.uk/cin"])
def test_a_cin_census_is_flattened_whatever_its_namespace(space: str, tmp_path: Path) -> None:
    (tmp_path / "cin.xml").write_text(CIN.format(space=space))
    (rows,) = open_markup(tmp_path / "cin.xml").values()
    assert rows["cinreferraldate"].tolist() == ["2023-10-02", "2023-10-02", "2024-06-02"]
    assert rows["cppstartdate"].tolist()[:2] == ["2023-11-01", "2024-01-05"]
    assert rows["cppstartdate"].isna().tolist() == [False, False, True]
    assert set(rows["upn"]) == {"A123456789012"}


BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize("content", [BILLION, OUTSIDE])
def test_entities_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(DataError, match="can do harm"):
        open_markup(tmp_path / "a.xml")


def test_xml_that_is_cut_off_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CIN.format(space="")[:300])
    with pytest.raises(DataError, match=r"a\.xml: cannot be read as XML, it may be cut off"):
        open_markup(tmp_path / "a.xml")


# --- databases


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres.server() as address:
        yield address


def test_tables_in_a_real_postgresql_are_the_same_tables(server: str, tmp_path: Path) -> None:
    made = simulate(pupils=300, years=1, seed=5)
    engine = sqlalchemy.create_engine(server)
    for name, frame in made.tables.items():
        plain = frame.astype(
            {c: "str" for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)}
        )
        plain.to_sql(
            name,
            engine,
            index=False,
            chunksize=20_000,
            method="multi" if len(frame) < 1000 else None,
        )
        plain.to_parquet(tmp_path / f"{name}.parquet", index=False)
    engine.dispose()
    assert read(server).digest == read(tmp_path).digest


def test_returns_in_a_database_are_known_by_their_columns(
    folder: Path, key: Path, digest: str, tmp_path: Path
) -> None:
    address = f"sqlite:///{tmp_path / 'la.db'}"
    engine = sqlalchemy.create_engine(address)
    for number, path in enumerate(
        sorted(p for p in folder.rglob("*") if p.is_file() and p.parent.name != "truth")
    ):
        frame = (
            pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype="str")
        )
        frame.to_sql(f"t{number}", engine, index=False)
    engine.dispose()
    assert read(address, key_file=key).digest == digest


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql+psycopg://la:secret@127.0.0.1:1/x", "cannot be read"),
        ("nonsense+driver://la:secret@server/x", "no driver"),
        ("postgresql+psycopg://la:secret@server:port/x", "cannot be read. Write it as"),
    ],
)
def test_a_wrong_address_is_reported_without_the_password(address: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as raised:
        open_database(address)
    assert "secret" not in str(raised.value)


def test_a_database_without_pupils_is_refused_in_words(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'la.db'}"
    engine = sqlalchemy.create_engine(address)
    pd.DataFrame({"x": [1]}).to_sql("other", engine, index=False)
    engine.dispose()
    with pytest.raises(DataError, match="No file or table names the pupils"):
        read(address)
