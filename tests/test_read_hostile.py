"""Reading a folder: every hostile input, its rule, its sentence; and that nothing is lost."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, pandera_schema
from riskmodel.data.codes import codes
from riskmodel.data.read import Extract, read
from riskmodel.data.read.rows import rules
from riskmodel.data.read.rows.problems import PROBLEM_COLUMNS, SHOWN
from riskmodel.errors import DataError
from tests.returns import PARTS
from tests.strategies import examples

ENROLMENTS = (
    "pupil_id,school_id,entry_date,status,year_group\n"
    "P1,S1,2023-09-01,main,8\nP2,S1,2023-09-01,main,9\n"
)
BASE: dict[str, str | bytes] = {
    "pupils.csv": "pupil_id,sex\nP1,F\nP2,M\n",
    "schools.csv": "school_id,phase,kind\nS1,secondary,mainstream\n",
    "enrolments.csv": ENROLMENTS,
}
SESSIONS = "pupil_id,date,session,mark\n"
SUSPENSIONS = "pupil_id,school_id,start_date,sessions,category\n"
ROLLS = "pupil_id,school_id,entry_date,leaving_date,status,year_group\n"
RESULTS = "pupil_id,stage,subject,score,result_date\n"
UPN, WRONG_UPN = "R201100018042", "A201100018042"


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(raw)
    return folder


def read_with(folder: Path, **files: str | bytes) -> Extract:
    """Read the small extracts with tables replaced or added."""
    extra = {f"{name}.csv": content for name, content in files.items()}
    return read(write(folder, BASE | extra), key_file=folder.parent / "pseudonym.key")


def balances(extract: Extract) -> bool:
    counts = extract.reconciliation
    kept = [len(extract.tables[name]) for name in counts["table"]]
    rejected = [int((extract.rejects["file"] == file).sum()) for file in counts["file"]]
    return (
        list(counts["rows_kept"]) == kept
        and list(counts["rows_rejected"]) == rejected
        and bool((counts["rows_read"] == counts[PARTS].sum(axis=1)).all())
    )


def follows_the_schema(extract: Extract) -> bool:
    for name, frame in extract.tables.items():
        pandera_schema(name).validate(frame)
        assert frame.index.equals(pd.RangeIndex(len(frame)))
        if "pupil_id" in frame:
            assert frame["pupil_id"].dtype == extract.tables.pupils
    return True


def test_clean_extracts_give_tables_of_the_schema_and_no_problem(tmp_path: Path) -> None:
    extract = read_with(tmp_path / "x", sessions=SESSIONS + "P2,2024-01-08,AM,/\n")
    assert follows_the_schema(extract)
    assert balances(extract)
    assert list(extract.problems.columns) == PROBLEM_COLUMNS
    assert not len(extract.problems)
    assert not len(extract.rejects)


# table, content, file line, column, rule, what the sentence holds
BAD_ROWS = [
    (
        "sessions",
        SESSIONS + "P1,2024-01-08,AM,Z9\n",
        2,
        "mark",
        "unknown_code",
        ["'Z9'", "Use one of /"],
    ),
    (
        "sessions",
        SESSIONS + "P1,2201-05-01,AM,/\n",
        2,
        "date",
        "bad_date",
        ["'2201-05-01'", "YYYY-MM-DD"],
    ),
    ("sessions", SESSIONS + "P1,1850-05-01,AM,/\n", 2, "date", "bad_date", ["'1850-05-01'"]),
    ("sessions", SESSIONS + "P1,2024-02-30,AM,/\n", 2, "date", "bad_date", ["'2024-02-30'"]),
    (
        "sessions",
        SESSIONS + "P1,2024-01-08junk,AM,/\n",
        2,
        "date",
        "bad_date",
        ["'2024-01-08junk'"],
    ),
    (
        "sessions",
        SESSIONS + "P1,,AM,/\n",
        2,
        "date",
        "missing_value",
        ["date is missing", "Fill it in"],
    ),
    ("sessions", SESSIONS + "  ,2024-01-08,AM,/\n", 2, "pupil_id", "missing_value", ["is missing"]),
    (
        "sessions",
        SESSIONS + "P9,2024-01-08,AM,/\n",
        2,
        "pupil_id",
        "unknown_pupil",
        ["Add the pupil"],
    ),
    (
        "sessions",
        SESSIONS + "P1,2024-09-09,AM,H\n",
        2,
        "mark",
        "not_in_force",
        ["'H'", "until 2024-08-18"],
    ),
    (
        "sessions",
        SESSIONS + "P1,2024-08-18,AM,K\n",
        2,
        "mark",
        "not_in_force",
        ["'K'", "from 2024-08-19"],
    ),
    (
        "suspensions",
        SUSPENSIONS + "P1,S1,2024-01-08,91,SUSP\n",
        2,
        "sessions",
        "bad_number",
        ["'91'", "from 0 to 90"],
    ),
    (
        "suspensions",
        SUSPENSIONS + "P1,S1,2024-01-08,two,SUSP\n",
        2,
        "sessions",
        "bad_number",
        ["'two'"],
    ),
    (
        "suspensions",
        SUSPENSIONS + "P1,S1,2024-01-08,2,EXCL\n",
        2,
        "category",
        "unknown_code",
        ["'EXCL'", "SUSP, PERM, LNCH"],
    ),
    (
        "suspensions",
        SUSPENSIONS + "P1, ,2024-01-08,2,SUSP\n",
        2,
        "school_id",
        "missing_value",
        ["is missing"],
    ),
    (
        "enrolments",
        ROLLS + "P1,S1,2023-09-01,2022-09-01,main,8\nP2,S1,2023-09-01,,main,9\n",
        2,
        "leaving_date",
        "ends_before_start",
        ["2022-09-01 is before entry_date"],
    ),
    (
        "enrolments",
        ROLLS + "P1,S1,2023-09-01,,main,8.5\nP2,S1,2023-09-01,,main,9\n",
        2,
        "year_group",
        "bad_number",
        ["'8.5'", "whole number from -4 to 14"],
    ),
    (
        "plans",
        "pupil_id,requested_on,decided_on\nP1,2024-01-08,2023-01-08\n",
        2,
        "decided_on",
        "ends_before_start",
        ["before requested_on"],
    ),
    (
        "attainment",
        RESULTS + "P1,KS2,Maths,inf,2023-07-01\n",
        2,
        "score",
        "bad_number",
        ["'inf' is not a number"],
    ),
]


@pytest.mark.parametrize(("table", "content", "row", "column", "rule", "words"), BAD_ROWS)
def test_a_bad_row_is_set_aside_with_a_sentence(
    tmp_path: Path, table: str, content: str, row: int, column: str, rule: str, words: list[str]
) -> None:
    extract = read_with(tmp_path / "x", **{table: content})
    problem = extract.problems[extract.problems["severity"] == "error"].iloc[0]
    assert len(extract.rejects) == 1
    assert problem["file"] == f"{table}.csv"
    assert (problem["row"], problem["column"], problem["rule"]) == (row, column, rule)
    assert problem["message"].startswith(f"{table}.csv, row {row}: ")
    assert all(word in problem["message"] for word in words)
    reject = extract.rejects.iloc[0]
    assert (reject["file"], reject["row"]) == (f"{table}.csv", row)
    assert str(reject["reason"]).startswith(rule)
    assert balances(extract)
    assert follows_the_schema(extract)


def test_equal_rows_are_merged_with_a_warning(tmp_path: Path) -> None:
    extract = read_with(tmp_path / "x", sessions=SESSIONS + "P1,2024-01-08,AM,/\n" * 30)
    assert len(extract.tables["sessions"]) == 1
    assert not len(extract.rejects)
    assert balances(extract)
    assert set(extract.problems["severity"]) == {"warning"}
    messages = extract.problems["message"].tolist()
    assert "row 3: repeats another row (pupil_id, date, session)" in messages[0]
    assert messages[-1].endswith("9 more rows break the rule duplicate. They were merged.")


@pytest.mark.parametrize(("date", "mark"), [("2024-08-18", "H"), ("2024-08-19", "K")])
def test_a_mark_in_force_on_its_day_is_kept(tmp_path: Path, date: str, mark: str) -> None:
    extract = read_with(tmp_path / "x", sessions=f"{SESSIONS}P1,{date},AM,{mark}\n")
    assert list(extract.tables["sessions"]["mark"]) == [mark]
    assert not len(extract.problems)


def test_a_session_on_no_school_day_is_set_aside(tmp_path: Path) -> None:
    extract = read_with(
        tmp_path / "x",
        calendar="date,term,half_term\n2024-01-08,spring,3\n",
        sessions=SESSIONS + "P1,2024-01-08,AM,/\nP1,2024-01-13,AM,/\n",
    )
    assert list(extract.problems["rule"]) == ["not_a_school_day"]
    assert "date 2024-01-13 is not a school day" in extract.problems["message"].iloc[0]
    assert len(extract.tables["sessions"]) == 1


def test_a_reason_out_of_force_is_reported_and_kept(tmp_path: Path) -> None:
    header = SUSPENSIONS.replace("category", "category,reason_1")
    extract = read_with(tmp_path / "x", suspensions=header + "P1,S1,2019-01-08,2,SUSP,OW\n")
    assert list(extract.problems["severity"]) == ["warning"]
    assert list(extract.problems["rule"]) == ["not_in_force"]
    assert len(extract.tables["suspensions"]) == 1


@pytest.mark.parametrize(
    ("pupils", "value"), [("P1,Z\nP2,M\n", "Z"), ("P1,\nP2,M\n", None), ("P1,  \nP2,M\n", None)]
)
def test_an_unknown_attribute_is_a_group_not_a_loss(
    tmp_path: Path, pupils: str, value: str | None
) -> None:
    extract = read_with(tmp_path / "x", pupils="pupil_id,sex\n" + pupils)
    assert list(extract.tables["pupils"]["sex"]) == ["not_known", "M"]
    assert list(extract.problems["severity"]) == ([] if value is None else ["warning"])
    assert all("counts as not known" in words for words in extract.problems["message"])


def test_a_pupil_in_no_enrolment_is_reported_and_kept(tmp_path: Path) -> None:
    extract = read_with(tmp_path / "x", pupils="pupil_id,sex\nP1,F\nP2,M\nP3,F\n")
    assert list(extract.problems["rule"]) == ["no_enrolment"]
    assert "P3" in extract.problems["message"].iloc[0]
    assert len(extract.tables["pupils"]) == 3


def test_what_was_recorded_before_it_happened_is_reported(tmp_path: Path) -> None:
    header = SUSPENSIONS.replace("category", "category,recorded_on")
    rows = "P1,S1,2024-02-01,2,SUSP,2024-01-31\nP2,S1,2024-02-01,2,SUSP,2024-02-01\n"
    extract = read_with(tmp_path / "x", suspensions=header + rows)
    assert list(extract.problems["rule"]) == ["recorded_before_event"]
    assert "row 2: recorded_on 2024-01-31 is before" in extract.problems["message"].iloc[0]
    assert len(extract.tables["suspensions"]) == 2


def test_many_bad_rows_stay_readable_and_all_are_in_the_rejects(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=100).strftime("%Y-%m-%d")
    rows = "".join(f"P1,{day},AM,Z9\n" for day in days)
    extract = read_with(tmp_path / "x", sessions=SESSIONS + rows)
    assert len(extract.problems) == SHOWN + 1
    assert "80 more rows" in extract.problems["message"].iloc[-1]
    assert list(extract.rejects["row"]) == list(range(2, 102))
    held = json.loads(extract.rejects["record"].iloc[0])
    assert held == {"pupil_id": "P1", "date": "2024-01-01", "session": "AM", "mark": "Z9"}
    assert balances(extract)


def test_a_long_value_is_cut_in_the_sentence_and_whole_in_the_rejects(tmp_path: Path) -> None:
    extract = read_with(tmp_path / "x", sessions=f"{SESSIONS}P1,2024-01-08,AM,{'x' * 5000}\n")
    assert len(extract.problems["message"].iloc[0]) < 300
    assert "x" * 5000 in extract.rejects["record"].iloc[0]


def test_a_wrong_upn_keeps_the_child_and_names_the_letter_it_should_have(tmp_path: Path) -> None:
    pupils = f"upn,sex\n{UPN},F\n{WRONG_UPN},M\n,M\nnonsense,F\n"
    rolls = ENROLMENTS.replace("pupil_id", "upn").replace("P1", UPN).replace("P2", WRONG_UPN)
    extract = read_with(tmp_path / "x", pupils=pupils, enrolments=rolls)
    reported = extract.problems.set_index(["file", "row"])["message"]
    assert "ask for R" in reported["pupils.csv", 3]
    rules = {"upn_check_letter", "upn_form", "missing_value", "no_enrolment"}
    assert set(extract.problems["rule"]) == rules
    pupil = list(extract.tables["pupils"]["pupil_id"])
    assert [len(name) for name in pupil] == [17, 17, 17]
    assert set(extract.tables["enrolments"]["pupil_id"]) < set(pupil)
    assert balances(extract)


@pytest.mark.parametrize(
    ("files", "secret"),
    [
        ({"pupils": f"upn,sex\n{UPN},F\n{WRONG_UPN},M\n"}, WRONG_UPN[1:]),
        ({"pupils": "pupil_id,birth_month\nP1,31/02/2010\nP2,2201-05-17\n"}, "31/02/2010"),
        ({"pupils": "pupil_id,birth_month\nP1,31/02/2010\nP2,2201-05-17\n"}, "2201-05-17"),
        ({"sessions": SESSIONS + "Jane Doe,2024-01-08,AM,/\n"}, "Jane Doe"),
    ],
)
def test_no_problem_shows_who_a_child_is(
    tmp_path: Path, files: dict[str, str], secret: str
) -> None:
    extract = read_with(tmp_path / "x", **files)
    assert len(extract.problems)
    assert secret not in extract.problems.to_csv()


def test_a_ragged_row_is_set_aside_without_being_quoted(tmp_path: Path) -> None:
    rows = "P1,2024-01-08,AM,/\nJane Doe,2024-01-08\nP2,2024-01-08,AM,/\n"
    extract = read_with(tmp_path / "x", sessions=SESSIONS + rows)
    (message,) = extract.problems["message"]
    assert "sessions.csv, row 3: 2 values where the header has 4" in message
    assert "Jane" not in message
    assert extract.rejects[["row", "reason"]].to_numpy().tolist() == [[3, "ragged"]]
    assert balances(extract)


REFUSED: list[tuple[dict[str, str | bytes], str]] = [
    (
        {},
        "^No file or table names the pupils, .* pupils.csv or pupils.parquet. The folder is empty.",
    ),
    (
        {"notes.txt": "x"},
        "^No file or table names the pupils, .* notes.txt: is text without columns",
    ),
    (
        {"schools.csv": BASE["schools.csv"]},
        "^No file or table names the pupils, .* schools.csv: its columns are those of no known source",
    ),
    (
        {"carers.csv": "upn,young carer since\nA,2024-01-08\n"},
        "^No file or table names the pupils, .* carers.csv: was read as 'Young carers'",
    ),
    (BASE | {"pupils.csv": b""}, r"pupils.csv: the file is empty \(0 bytes\). Export it again"),
    (
        BASE | {"pupils.parquet": b"PAR1"},
        "pupils.parquet: pupils.csv holds the same table. Keep one",
    ),
    (BASE | {"pupils.csv": "pupil_id,sexx\nP1,F\n"}, "unknown column 'sexx'. Did you mean 'sex'"),
    (BASE | {"pupils.csv": "pupil_id,sex,sex\nP1,F,F\n"}, "column 'sex' is there more than once"),
    (BASE | {"pupils.csv": bytes(range(1, 256)) * 4}, "pupils.csv: cannot be read as CSV"),
]


@pytest.mark.parametrize(("files", "words"), REFUSED)
def test_extracts_that_cannot_be_used_are_refused_with_a_sentence(
    tmp_path: Path, files: dict[str, str | bytes], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        read(write(tmp_path / "x", files))


UNUSABLE: list[tuple[dict[str, str | bytes], str]] = [
    ({"sessions.parquet": b"PAR1" + bytes(50)}, "sessions.parquet: cannot be read as PARQUET"),
    ({"sessions.csv": b""}, "sessions.csv: the file is empty (0 bytes). Export it again."),
    (
        {"session.csv": "a\n1\n"},
        "session.csv: no table has this name. Did you mean 'sessions'? Rename the file",
    ),
    (
        {"sessions.csv": "pupil_id,date,session\nP1,2024-01-08,AM\n"},
        "sessions.csv: no column 'mark'. Found: pupil_id, date, session. Rename or add",
    ),
    ({"sessions.csv": "pupil_id,mrk\nP1,/\n"}, "sessions.csv: unknown column 'mrk'. Did you"),
    ({"sessions.csv.gz": b"x"}, "sessions.csv.gz: is neither CSV nor Parquet and was not read"),
    (
        {"schools.parquet": b"PAR1"},
        "schools.parquet: schools.csv holds the same table. Keep one of the two.",
    ),
]


@pytest.mark.parametrize(("files", "words"), UNUSABLE)
def test_a_file_that_cannot_be_used_is_reported_and_the_others_are_read(
    tmp_path: Path, files: dict[str, str | bytes], words: str
) -> None:
    extract = read(write(tmp_path / "x", BASE | files))
    (file,) = files
    (message,) = extract.problems.loc[extract.problems["severity"] == "error", "message"]
    assert message.startswith(words)
    notes = extract.files.set_index("file")
    assert notes.loc[file, "read_as"] == ""
    assert notes.loc[file, "note"] == message
    assert notes.drop(file)["read_as"].tolist() == ["pupils", "schools", "enrolments"]
    assert (extract.rejects["file"] == file).sum() == notes.loc[file, "rows"]
    counts = extract.reconciliation
    assert counts["rows_read"].sum() == notes["rows"].sum()
    assert set(extract.tables) == {"pupils", "schools", "enrolments"}


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder of extracts. Check the path"):
        read(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused_as_a_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", BASE)
    with pytest.raises(DataError, match=r"pupils\.csv: is a file, .* Name the folder"):
        read(folder / "pupils.csv")


def test_a_parquet_file_cut_off_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", BASE)
    pd.DataFrame({"pupil_id": ["P1"] * 500}).to_parquet(folder / "send.parquet")
    whole = (folder / "send.parquet").read_bytes()
    (folder / "send.parquet").write_bytes(whole[: len(whole) // 2])
    (message,) = read(folder).problems["message"]
    assert message.startswith("send.parquet: cannot be read as PARQUET")
    assert message.endswith("Export it again.")


@pytest.mark.parametrize(
    "content",
    [
        "pupil_id;sex\nP1;F\nP2;M\n",
        "pupil_id\tsex\nP1\tF\nP2\tM\n",
        "\ufeffpupil_id,sex\r\nP1,F\r\nP2,M\r\n",
        '"pupil_id","sex"\n"P1","F"\n"P2","M"\n',
        "sex,pupil_id\nM,P2\nF,P1",
        " pupil_id , sex \n P1 , F \n P2 , M \n",
        "pupil_id,sex\n\nP1,F\n\nP2,M\n",
    ],
)
def test_every_way_of_writing_a_csv_gives_the_same_digest(tmp_path: Path, content: str) -> None:
    plain = read_with(tmp_path / "plain")
    other = read_with(tmp_path / "other", pupils=content)
    assert other.digest == plain.digest
    assert not len(other.problems)


@pytest.mark.parametrize(
    ("encoding", "expected"), [("latin-1", "windows-1252"), ("utf-16", "utf-16")]
)
def test_another_encoding_is_read_and_reported(
    tmp_path: Path, encoding: str, expected: str
) -> None:
    schools = "school_id,name,phase,kind\nS1,Saint-Étienne,secondary,mainstream\n".encode(encoding)
    extract = read_with(tmp_path / "x", schools=schools)
    assert list(extract.tables["schools"]["name"]) == ["Saint-Étienne"]
    assert list(extract.problems["rule"]) == ["encoding"]
    assert expected in extract.problems["message"].iloc[0]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_table_without_rows_is_not_a_table_that_is_missing(tmp_path: Path, end: str) -> None:
    extract = read_with(tmp_path / "x", send="pupil_id,provision,start_date" + end)
    assert len(extract.tables["send"]) == 0
    assert "plans" not in extract.tables
    assert follows_the_schema(extract)


def test_other_files_are_reported_and_other_folders_left_alone(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", BASE | {"sessions.xlsx": b"x", ".hidden": b"x"})
    write(folder / "truth", {"pupils.csv": "nonsense"})
    problems = read(folder).problems
    assert list(problems["rule"]) == ["ignored_file"]
    assert problems["file"].iloc[0] == "sessions.xlsx"


def test_the_ending_of_a_file_may_be_in_capitals(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", BASE)
    (folder / "pupils.csv").rename(folder / "pupils.CSV")
    assert len(read(folder).tables["pupils"]) == 2


def test_recorded_on_is_filled_from_the_stated_lag(tmp_path: Path) -> None:
    content = ROLLS + "P1,S1,2023-09-01,2024-02-01,main,8\nP2,S1,2023-09-01,,main,9\n"
    rolls = read_with(tmp_path / "x", enrolments=content).tables["enrolments"]
    assert TABLES["enrolments"].lag_days == 14
    assert list(rolls["recorded_on"]) == [pd.Timestamp("2023-09-15")] * 2
    assert rolls["end_recorded_on"][0] == pd.Timestamp("2024-02-15")
    assert pd.isna(rolls["end_recorded_on"][1])


def test_a_stated_recorded_on_is_kept_and_only_gaps_are_filled(tmp_path: Path) -> None:
    header = SESSIONS.replace("mark", "mark,recorded_on")
    rows = "P1,2024-01-08,AM,/,2024-03-01\nP1,2024-01-08,PM,/,\n"
    sessions = read_with(tmp_path / "x", sessions=header + rows).tables["sessions"]
    assert list(sessions["recorded_on"]) == [pd.Timestamp("2024-03-01"), pd.Timestamp("2024-01-09")]


@pytest.mark.parametrize(
    "date", ["2024-01-08", "08/01/2024", "2024-01-08T09:30:00", " 2024-01-08 "]
)
def test_dates_may_be_written_in_these_ways(tmp_path: Path, date: str) -> None:
    sessions = read_with(tmp_path / "x", sessions=f"{SESSIONS}P1,{date},AM,/\n").tables["sessions"]
    assert list(sessions["date"]) == [pd.Timestamp("2024-01-08")]


Mark = tuple[str, str, str, str]
marks = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", "P9", ""]),
        st.sampled_from(["2024-01-08", "2024-01-09", "09/01/2024", "2201-01-01", "x", ""]),
        st.sampled_from(["AM", "PM", "EVE"]),
        st.sampled_from(["/", "I", "H", "Z9", ""]),
    ),
    max_size=12,
)


def slow_kept(rows: list[Mark]) -> tuple[set[Mark], int]:
    """Return the marks kept, one row after the other, and how many rows repeat an earlier one."""
    dates = {"2024-01-08": "2024-01-08", "2024-01-09": "2024-01-09", "09/01/2024": "2024-01-09"}
    kept: dict[tuple[str, str, str], str] = {}
    seen: set[Mark] = set()
    repeats = 0
    for pupil, date, session, mark in rows:
        known = pupil in {"P1", "P2"} and date in dates
        if known and session in {"AM", "PM"} and mark in {"/", "I", "H"}:
            key = (pupil, dates[date], session)
            # of contradictory rows the first in the order of the code set
            kept[key] = min(kept.get(key, mark), mark, key=codes("marks").index)
            repeats += (*key, mark) in seen
            seen.add((*key, mark))
    return {(*key, mark) for key, mark in kept.items()}, repeats


@settings(max_examples=examples(15), deadline=None)
@given(marks)
def test_p4_every_row_ends_in_the_table_or_in_the_rejects_or_repeats_another(
    rows: list[Mark],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = SESSIONS + "".join(",".join(row) + "\n" for row in rows)
        extract = read_with(Path(folder) / "x", sessions=text)
    assert balances(extract)
    assert extract.reconciliation.set_index("table")["rows_read"]["sessions"] == len(rows)
    sessions = extract.tables["sessions"]
    days = sessions["date"].dt.strftime("%Y-%m-%d")
    found = zip(sessions["pupil_id"], days, sessions["session"], sessions["mark"], strict=True)
    kept, repeats = slow_kept(rows)
    assert set(found) == kept
    assert extract.reconciliation.set_index("table")["rows_merged"]["sessions"] == repeats
    # what is in the rejects is what the file holds in that row
    for row, record in zip(extract.rejects["row"], extract.rejects["record"], strict=True):
        held = tuple(value or "" for value in json.loads(record).values())
        assert held == rows[row - 2]


@settings(max_examples=examples(8), deadline=None)
@given(st.permutations(range(6)))
def test_p8_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    rows = [f"P{1 + i % 2},2024-01-{8 + i // 2:02d},AM,/\n" for i in range(6)]
    with tempfile.TemporaryDirectory() as folder:
        plain = read_with(Path(folder) / "a", sessions=SESSIONS + "".join(rows))
        turned = read_with(
            Path(folder) / "b",
            sessions=SESSIONS + "".join(rows[i] for i in order),
            pupils="pupil_id,sex\nP2,M\nP1,F\n",
        )
    assert turned.digest == plain.digest
    for name, frame in plain.tables.items():
        pd.testing.assert_frame_equal(turned.tables[name], frame)


def test_a_changed_value_changes_the_digest(tmp_path: Path) -> None:
    one = read_with(tmp_path / "a", sessions=SESSIONS + "P1,2024-01-08,AM,/\n")
    other = read_with(tmp_path / "b", sessions=SESSIONS + "P1,2024-01-08,AM,L\n")
    assert one.digest != other.digest


@pytest.mark.parametrize("as_category", [True, False])
def test_parquet_and_csv_give_the_same_tables(tmp_path: Path, as_category: bool) -> None:
    content = "P2,2024-01-08,AM,/\nP1,2024-01-08,PM,I\nP1,2024-01-08,AM,L\n"
    csv = read_with(tmp_path / "csv", sessions=SESSIONS + content)
    folder = write(tmp_path / "parquet", BASE)
    frame = pd.read_csv(tmp_path / "csv" / "sessions.csv", parse_dates=["date"])
    frame["pupil_id"] = frame["pupil_id"].astype("category" if as_category else "str")
    frame.iloc[[2, 0, 1]].to_parquet(folder / "sessions.parquet")
    parquet = read(folder)
    pd.testing.assert_frame_equal(parquet.tables["sessions"], csv.tables["sessions"])
    assert parquet.digest == csv.digest


def test_parquet_rows_are_numbered_from_one_and_bad_types_are_reported(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", BASE)
    frame = pd.DataFrame(
        {"pupil_id": ["P1", "P2"], "provision": ["K", "E"], "start_date": [45000, None]}
    )
    frame.to_parquet(folder / "send.parquet", index=False)
    extract = read(folder)
    assert list(extract.problems["row"]) == [1, 2]
    assert list(extract.problems["rule"]) == ["bad_date", "missing_value"]
    assert balances(extract)


@pytest.mark.parametrize("largest", [2, 1000, 10**9])
def test_keys_too_long_for_one_integer_are_numbered_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    rows = "P2,KS2,Maths,1,2023-07-01\nP1,KS4,Art,2,2024-07-01\nP1,KS2,Maths,3,2023-07-01\n"
    content = RESULTS + rows + "P1,KS4,Art,9,2024-07-01\n"
    plain = read_with(tmp_path / "a", attainment=content)
    monkeypatch.setattr(rules, "LARGEST", largest)
    anew = read_with(tmp_path / "b", attainment=content)
    assert list(anew.tables["attainment"]["score"]) == [3, 2, 1]
    assert anew.conflicts[["row", "column", "other_row"]].values.tolist() == [[5, "score", 3]]
    assert not len(anew.rejects)
    assert anew.digest == plain.digest


def test_a_mark_that_contradicts_another_is_reported_with_both_rows(tmp_path: Path) -> None:
    content = SESSIONS + "P1,2024-01-08,AM,/\nP1,2024-01-08,AM,L\n"
    extract = read_with(tmp_path / "x", sessions=content)
    (problem,) = extract.problems[extract.problems["severity"] == "error"].itertuples()
    assert (problem.file, problem.row, problem.column) == ("sessions.csv", 3, "mark")
    assert problem.rule == "conflict"
    assert "says something else than row 2, another row with the same" in problem.message
    assert "pupil_id, date, session" in problem.message
    assert "take the other out" in problem.message
    assert extract.conflicts.values.tolist() == [["sessions.csv", 3, "mark", "sessions.csv", 2]]
    assert balances(extract)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_rows_that_contradict_each_other_the_same_one_stays_whatever_their_order(
    turned: bool, tmp_path: Path
) -> None:
    pupils = pd.DataFrame(
        {"pupil_id": ["a", "b", "b"], "birth_month": ["2012-09-01"] * 3, "sex": ["F", "M", "F"]}
    )
    pupils = pupils.iloc[::-1] if turned else pupils
    pupils.to_csv(tmp_path / "pupils.csv", index=False)
    extract = read(tmp_path)
    kept = extract.tables["pupils"].set_index("pupil_id")["sex"]
    assert kept["b"] == "F"
    (problem,) = extract.problems.loc[extract.problems["rule"] == "conflict", "message"]
    assert "says something else" in problem
    assert "'b'" not in problem
    assert extract.reconciliation["rows_conflicting"].sum() == len(extract.conflicts) == 1
    (male, female) = (3, 4) if not turned else (3, 2)
    assert extract.conflicts[["row", "other_row"]].values.tolist() == [[male, female]]
