"""Layouts that LAs and schools hold: small files of our own, beside a census, become these tables whole.

Each folder of ``tests/layouts`` holds the files of one layout, and in ``expected`` the tables they make;
pupils are written as UPNs there. All of it is simulated.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import load_key, pseudonyms
from riskmodel.data.read import Extract, read
from riskmodel.data.read.sources import SOURCES, source_of
from riskmodel.data.read.sources.source import Source

LAYOUTS = Path(__file__).parent / "layouts"

CENSUS = LAYOUTS / "census"
"""Two pupils, so that other files join to somebody."""

NAMES = sorted(path.name for path in LAYOUTS.iterdir() if path != CENSUS)


def read_folder(folder: Path) -> Extract:
    return read(folder, key_file=folder.parent / "key")


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Extract]:
    """Return what reads the files of a layout beside the census, each layout once."""

    @cache
    def read_once(name: str) -> Extract:
        folder = tmp_path_factory.mktemp("layout") / "x"
        shutil.copytree(CENSUS, folder / "census")
        shutil.copytree(LAYOUTS / name, folder / name, ignore=shutil.ignore_patterns("expected"))
        return read_folder(folder)

    return read_once


def as_written(table: pd.DataFrame, expected: pd.DataFrame, key_file: Path) -> pd.DataFrame:
    """Return a table as the expected one is written: pupils by UPN, cells as text."""
    written = table.astype("object").map(
        lambda cell: f"{cell:%Y-%m-%d}" if isinstance(cell, pd.Timestamp) else cell
    )
    if "pupil_id" in table:
        upns = pd.Series(expected["pupil_id"].unique())
        names = dict(zip(pseudonyms(upns, load_key(key_file)), upns, strict=True))
        written["pupil_id"] = table["pupil_id"].astype("str").map(names).fillna("another pupil")
    text = written.astype("object").where(written.notna(), "").astype("str")
    return text.sort_values(list(text)).reset_index(drop=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_makes_its_tables_whole_and_no_row_is_lost(
    name: str, layout: Callable[[str], Extract]
) -> None:
    extract = layout(name)
    key_file = Path(extract.source).parent / "key"
    counts = extract.reconciliation
    aside = counts[[c for c in counts if str(c).startswith("rows_") and c != "rows_read"]].sum(
        axis=1
    )
    assert (counts["rows_read"] == aside).all()
    made = [path.stem for path in sorted((LAYOUTS / name / "expected").glob("*.csv"))]
    assert made
    for table in made:
        path = LAYOUTS / name / "expected" / f"{table}.csv"
        expected = pd.read_csv(path, dtype="str", keep_default_na=False)
        found = as_written(extract.tables[table], expected, key_file)
        expected = expected.sort_values(list(found)).reset_index(drop=True)
        pd.testing.assert_frame_equal(found, expected, obj=f"{name}, {table}")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("dfe_key_stage_2", "ks2.csv"),  # a pupil without scores
        ("ssda903_xml", "903.xml, episodes"),  # a short break
        ("sen2_collect", "2025/requests.csv"),  # a request that only links a plan to its person
    ],
)
def test_a_row_that_makes_no_fact_is_kept_and_not_merged(
    name: str, file: str, layout: Callable[[str], Extract]
) -> None:
    counts = layout(name).reconciliation.set_index("file")
    row = counts.loc[f"{name}/{file}"]
    assert row["rows_kept"] == row["rows_read"]
    assert row["rows_merged"] == 0


@pytest.mark.parametrize(
    "name", ["register_grid_of_days", "school_roll", "sen2_collect", "annex_a", "dfe_census"]
)
def test_the_order_of_rows_and_columns_does_not_matter(
    name: str, tmp_path: Path, layout: Callable[[str], Extract]
) -> None:
    extract = layout(name)
    shutil.copy(Path(extract.source).parent / "key", tmp_path / "key")
    shutil.copytree(extract.source, tmp_path / "x")
    for path in sorted((tmp_path / "x").rglob("*.csv")):
        turned = pd.read_csv(path, dtype="str", keep_default_na=False).iloc[::-1, ::-1]
        turned.to_csv(path, index=False)
    assert read_folder(tmp_path / "x").digest == extract.digest


def test_pupils_of_a_roll_without_upn_are_kept_apart_by_name_or_set_aside(tmp_path: Path) -> None:
    header = "UPN,Legal Surname,Legal Forename,DOB,Year,School,Admission Date\n"
    rows = [f",{name},01/12/2012,7,4001,02/09/2024" for name in ("Poe,Al", "Poe,Bo", ",", ",")]
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "roll.csv").write_text(header + "\n".join([*rows, ""]))
    extract = read_folder(tmp_path / "x")
    assert len(extract.tables["pupils"]) == 2
    assert extract.rejects["row"].tolist() == [4, 5]


@pytest.mark.parametrize(
    ("year", "term"), [("2023/24", "Winter"), ("2023/24", ""), ("this year", "Spring")]
)
def test_a_row_of_a_flat_census_that_names_no_census_is_set_aside(
    year: str, term: str, tmp_path: Path
) -> None:
    shutil.copytree(CENSUS, tmp_path / "x" / "census")
    header = "UPN,DOB,EntryDate,NCyearActual,AcademicYear,CensusTerm,URN\n"
    row = f"G000000120002,2011-10-03,2022-09-05,8,{year},{term},900009\n"
    (tmp_path / "x" / "flat.csv").write_text(header + row)
    extract = read_folder(tmp_path / "x")
    assert extract.rejects["reason"].tolist() == ["no_census"]
    assert "900009" not in set(extract.tables["enrolments"]["school_id"])


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_file_with_the_columns_of_a_source_is_of_that_source(source: Source) -> None:
    days = ["02/09/2024", "03/09/2024"] if source.headings else []
    assert source_of([*sorted(source.columns), *days]) is source


def test_a_grid_of_days_is_a_register_whatever_else_it_holds() -> None:
    found = source_of(["UPN", "Year", "School", "Admission Date", "02/09/2024", "03/09/2024 AM"])
    assert found is not None
    assert found.name == "Register grid, a column per day"
    found = source_of(["UPN", "Year", "School", "Admission Date", "02/09/2024"])
    assert found is not None
    assert found.name == "School roll"


ROW = "{0}tableid,NativeId,{1}tableid,{1}orderseqcolumn,sourceid"
HEADERS = {
    "pupilonrolltableid,NativeId,dob,surname,forename,upn,formerupn,sex,entrydate,schoolcensustableid,"
    "termlysessionspossible,language,enrolstatus,senprovision,ncyearactual": "pupils on roll",
    "pupilnolongeronrolltableid,NativeId,dob,surname,upn,entrydate,leavingdate,schoolcensustableid,"
    "termlysessionspossible,termlysessionsauthorised,ncyearleaving": "pupils on roll",
    ROW.format("pupilnolongeronroll", "addressesoffroll") + ",postcode": "addresses",
    ROW.format("pupilonroll", "fsmperiodsonroll") + ",fsmstartdate,fsmenddate": "free school meals",
    ROW.format("pupilonroll", "senneeds") + ",sentyperank,sentype": "SEN needs",
    ROW.format("pupilonroll", "termlysessiondetailsonroll")
    + ",sessions,attendancereason": "attendance",
    ROW.format("pupilonroll", "summerhalfterm2sessiondetailsonroll")
    + ",sessions,attendancereason": "attendance, second half of summer",
    ROW.format("pupilnolongeronroll", "termlyexclusionsoffroll")
    + ",startdate,sessions,reason1,reason2,reason3,category,senprovision": "exclusions",
}
"""Headers of tables as COLLECT exports them → which table of the School Census it is."""

OTHERS = {
    "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB": "SSDA903: header",
    "CHILD,DECOM,RNE,LS,CIN,PLACE,PLACE_PROVIDER,DEC,REC,URN": "SSDA903: episodes",
    "Estab,UPN,Gender,DoB,EnrolStatus,EntryDate,NCyearActual,TermlySessionsPossible,/,\\,B,I,M,O,U,"
    "Reference Date": "Attendance by code, census day given",
    "UPN,Estab,Category,Start Date,Reason 1,Date Notified": "Suspensions and exclusions",
    "UPN,Date,Session,Mark": "Register marks",
    "UPN,Year Group,School,Service,Start Date,End Date": "Spell list",
}
"""Headers of other files → their source."""


@pytest.mark.parametrize(
    ("header", "name"),
    [*((header, f"School Census: {name}") for header, name in HEADERS.items()), *OTHERS.items()],
)
def test_files_known_before_are_known_as_the_same(header: str, name: str) -> None:
    found = source_of(header.split(","))
    assert found is not None
    assert found.name == name


def test_a_file_of_which_nothing_can_be_used_is_named_with_the_reason(
    layout: Callable[[str], Extract],
) -> None:
    extract = layout("school_lists_not_used")
    reported = extract.problems.set_index("file")["message"]
    assert (
        "needs the attendance code and the last day of the term"
        in reported["school_lists_not_used/attendance.csv"]
    )
    assert "Incidents are in none of the tables" in reported["school_lists_not_used/behaviour.csv"]
    assert set(extract.problems["rule"]) == {"not_used"}
    assert extract.rejects["reason"].tolist() == ["not_used"] * 3


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("UPN,Colour,Shape", "nearest to 'Young carers', but has no youngcarersince"),
        (
            "UPN,Year,Admission Date,Reg Group",
            "nearest to 'School roll, school by URN', but has no urn",
        ),
        ("UPN,ACADYR,Score", "nearest to 'Key stage 4 results', but has no att8"),
    ],
)
def test_an_unknown_file_is_near_to_a_layout_that_can_be_used(
    header: str, words: str, tmp_path: Path
) -> None:
    shutil.copytree(CENSUS, tmp_path / "x" / "census")
    (tmp_path / "x" / "other.csv").write_text(header + "\n" + "1," * header.count(",") + "1\n")
    extract = read_folder(tmp_path / "x")
    assert words in extract.problems.set_index("rule").loc["unknown_file", "message"]
