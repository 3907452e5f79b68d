"""Reading: nothing is lost, bad rows are set aside with a sentence, good rows are kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodel.data import NOT_KNOWN
from riskmodel.data.check import check
from riskmodel.data.identity import load_key, pseudonyms
from riskmodel.data.read import Extract, read
from riskmodel.errors import DataError, RequestError
from riskmodel.report.check_page import write_check
from tests.returns import PARTS
from tests.strategies import examples

PUPILS = "pupil_id,birth_month,sex,ethnicity\nA,2010-05-01,F,WBRI\nB,2010-06-01,M,REFU\n"
SUSPENSIONS = "pupil_id,school_id,start_date,sessions,category,reason_1,recorded_on\n"


def extract_of(folder: Path, **files: str | bytes) -> Extract:
    for name, content in ({"pupils": PUPILS} | files).items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{name}.csv").write_bytes(data)
    return read(folder, key_file=folder / "keys" / "k")


BAD_ROWS = {
    "unknown_code": "A,S1,2024-05-01,2,EXCL,DB,2024-05-02",
    "bad_date": "A,S1,2201-05-01,2,SUSP,DB,2024-05-02",
    "bad_number": "A,S1,2024-05-01,lots,SUSP,DB,2024-05-02",
    "unknown_pupil": "Z,S1,2024-05-01,2,SUSP,DB,2024-05-02",
    "missing_value": "A,,2024-05-01,2,SUSP,DB,2024-05-02",
}


@pytest.mark.parametrize("rule", BAD_ROWS)
def test_a_bad_row_is_set_aside_with_file_row_and_remedy(tmp_path: Path, rule: str) -> None:
    good = "B,S1,2024-05-01,2,SUSP,DB,2024-05-02\n"
    extract = extract_of(tmp_path, suspensions=SUSPENSIONS + good + BAD_ROWS[rule] + "\n")
    assert len(extract.tables["suspensions"]) == 1
    problem = extract.problems.iloc[0]
    assert problem["rule"] == rule
    assert problem["row"] == 3
    assert problem["message"].startswith("suspensions.csv, row 3: ")
    assert extract.rejects["row"].tolist() == [3]
    assert check(extract).has_errors


def test_a_repeated_row_is_merged_and_no_error(tmp_path: Path) -> None:
    row = "A,S1,2024-05-01,2,SUSP,DB,2024-05-02\n"
    extract = extract_of(tmp_path, suspensions=SUSPENSIONS + row + row)
    assert extract.problems["rule"].tolist() == ["duplicate"]
    assert extract.reconciliation.set_index("table").loc["suspensions"].tolist()[1:] == [
        2,
        1,
        0,
        1,
        0,
    ]
    assert len(extract.tables["suspensions"]) == 1
    assert not len(extract.rejects)
    assert not check(extract).has_errors


def test_a_pupil_with_refused_missing_or_unknown_ethnicity_stays(tmp_path: Path) -> None:
    pupils = "pupil_id,sex,ethnicity\nA,F,REFU\nB,M,\nC,X,WXYZ\n"
    table = extract_of(tmp_path, pupils=pupils).tables["pupils"]
    assert table["ethnicity"].tolist() == ["REFU", NOT_KNOWN, NOT_KNOWN]
    assert table["sex"].tolist() == ["F", "M", NOT_KNOWN]


@pytest.mark.parametrize(
    ("mark", "date", "kept"),
    [
        ("C2", "2024-08-18", 0),
        ("C2", "2024-08-19", 1),
        ("J", "2024-08-18", 1),
        ("J", "2024-08-19", 0),
    ],
)
def test_a_mark_counts_only_in_the_years_it_was_in_force(
    tmp_path: Path, mark: str, date: str, kept: int
) -> None:
    sessions = f"pupil_id,date,session,mark\nA,{date},AM,{mark}\n"
    assert len(extract_of(tmp_path, sessions=sessions).tables["sessions"]) == kept


def test_what_has_no_recorded_on_is_dated_by_the_stated_lag(tmp_path: Path) -> None:
    sessions = "pupil_id,date,session,mark\nA,2024-05-01,AM,/\n"
    table = extract_of(tmp_path, sessions=sessions).tables["sessions"]
    assert table["recorded_on"].tolist() == [pd.Timestamp("2024-05-02")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_understood(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = "school_id,name,phase,kind\nS1,Collège,secondary,mainstream\n".replace(",", delimiter)
    extract = extract_of(tmp_path, schools=text.encode(encoding))
    assert extract.tables["schools"]["name"].tolist() == ["Collège"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"suspensions": "pupil_id,categry\n"}, "'categry'. Did you mean 'category'"),
        ({"suspensions": "pupil_id,school_id\n"}, "no column 'start_date'. Found: pupil_id"),
        ({"suspensions": ""}, "suspensions.csv: the file is empty"),
        ({"suspension": SUSPENSIONS}, "Did you mean 'suspensions'"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    extract = extract_of(tmp_path, **files)
    assert words in extract.problems["message"].iloc[0]
    assert check(extract).has_errors


def test_a_truncated_parquet_file_is_refused_by_name(tmp_path: Path) -> None:
    pd.DataFrame({"pupil_id": ["A"] * 1000}).to_parquet(tmp_path / "pupils.parquet")
    whole = (tmp_path / "pupils.parquet").read_bytes()
    (tmp_path / "pupils.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"pupils.parquet: cannot be read as PARQUET"):
        read(tmp_path)


cells = st.sampled_from(
    ["A", "B", "Z", "", "2024-05-01", "2201-01-01", "SUSP", "PERM", "x", "3", "-1"]
)


@given(st.lists(st.lists(cells, min_size=7, max_size=7), max_size=12))
@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_p4_rows_read_are_rows_kept_plus_rows_rejected(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    text = SUSPENSIONS + "".join(",".join(row) + "\n" for row in rows)
    extract = extract_of(tmp_path, suspensions=text)
    line = extract.reconciliation.set_index("table").loc["suspensions"]
    assert line["rows_read"] == len(rows)
    assert line["rows_read"] == line[PARTS].sum()
    held = len(extract.tables["suspensions"])
    assert line["rows_kept"] <= held <= line["rows_kept"] + line["rows_conflicting"]
    assert line["rows_conflicting"] == len(extract.conflicts)
    assert line["rows_rejected"] == len(extract.rejects)


def test_row_order_changes_neither_tables_nor_digest(tmp_path: Path) -> None:
    rows = [f"A,S1,2024-05-{day:02d},2,SUSP,DB,2024-06-01\n" for day in range(1, 20)]
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    one = extract_of(first, suspensions=SUSPENSIONS + "".join(rows))
    two = extract_of(second, suspensions=SUSPENSIONS + "".join(reversed(rows)))
    pd.testing.assert_frame_equal(one.tables["suspensions"], two.tables["suspensions"])
    assert one.digest == two.digest


def test_many_bad_rows_are_reported_briefly_and_all_kept_aside(tmp_path: Path) -> None:
    rows = "".join(f"A,S1,2024-05-01,2,EXCL{i},DB,2024-06-01\n" for i in range(500))
    extract = extract_of(tmp_path, suspensions=SUSPENSIONS + rows)
    assert len(extract.problems) == 21
    assert "480 more rows" in extract.problems["message"].iloc[-1]
    assert len(extract.rejects) == 500


def test_upns_become_pseudonyms_and_a_wrong_letter_is_set_aside(tmp_path: Path) -> None:
    pupils = "upn,sex\nR201100018042,F\nA201100018042,M\n"
    extract = extract_of(tmp_path, pupils=pupils)
    assert extract.problems["rule"].tolist() == ["upn_check_letter"]
    assert extract.problems["row"].tolist() == [3]
    shown = extract.problems.to_csv() + extract.tables["pupils"].to_csv()
    assert "201100018042" not in shown


def test_the_key_is_for_the_owner_alone_and_decides_the_pseudonym(tmp_path: Path) -> None:
    key = load_key(tmp_path / "a" / "key")
    assert (tmp_path / "a" / "key").stat().st_mode & 0o077 == 0
    assert key == load_key(tmp_path / "a" / "key")
    upn = pd.Series(["R201100018042"])
    assert pseudonyms(upn, key).equals(pseudonyms(upn, key))
    assert not pseudonyms(upn, key).equals(pseudonyms(upn, load_key(tmp_path / "other")))
    (tmp_path / "a" / "key").chmod(0o644)
    with pytest.raises(DataError, match="can be read by others"):
        load_key(tmp_path / "a" / "key")


def test_the_report_is_written_whole_and_never_over_something(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    report = check(extract_of(tmp_path / "in"))
    write_check(report, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "index.html",
        "problems.csv",
        "rejects",
        "conflicts.csv",
        "reconciliation.csv",
        "rates.csv",
        "coverage.csv",
        "linkage.csv",
        "files.csv",
        "concentration.csv",
    }
    with pytest.raises(RequestError, match="not empty"):
        write_check(report, tmp_path / "out")
