"""One table of one file: its columns, the days it was known on, numbers of pupils, unknown codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel.data import NOT_KNOWN, TABLES, pandera_schema
from riskmodel.data.read.rows.problems import RowChecks
from riskmodel.data.read.rows.table import guess, note_upns, read_table
from riskmodel.errors import DataError
from tests.strategies import PUPILS

THERE = pd.CategoricalDtype(pd.Index(PUPILS, dtype="str"))

LEAST: dict[str, dict[str, str]] = {
    "pupils": {"pupil_id": "A"},
    "schools": {"school_id": "S", "phase": "primary", "kind": "AP"},
    "enrolments": {
        "pupil_id": "A",
        "school_id": "S",
        "entry_date": "2024-09-02",
        "status": "main",
        "year_group": "7",
    },
    "sessions": {"pupil_id": "A", "date": "2024-09-02", "session": "AM", "mark": "/"},
    "absence_totals": {"pupil_id": "A", "term_end": "2024-12-20", "mark": "I", "sessions": "4"},
    "suspensions": {
        "pupil_id": "A",
        "school_id": "S",
        "start_date": "2024-09-10",
        "sessions": "2",
        "category": "SUSP",
    },
    "send": {"pupil_id": "A", "provision": "K", "start_date": "2024-09-02"},
    "plans": {"pupil_id": "A", "requested_on": "2024-09-02"},
    "circumstances": {"pupil_id": "A", "kind": "fsm", "start_date": "2024-09-02"},
    "neighbourhood": {"pupil_id": "A", "start_date": "2024-09-02", "idaci_decile": "1"},
    "attainment": {
        "pupil_id": "A",
        "stage": "KS2",
        "subject": "reading",
        "score": "0.5",
        "result_date": "2024-07-10",
    },
    "destinations": {
        "pupil_id": "A",
        "activity_code": "210",
        "start_date": "2024-09-02",
        "confirmed_on": "2024-09-30",
    },
    "calendar": {"date": "2024-09-02", "term": "autumn", "half_term": "1"},
}
"""The columns that a file of each table must have, with a row of good values."""


def read_rows(name: str, *rows: dict[str, Any], **more: Any) -> tuple[pd.DataFrame, RowChecks]:
    """Return the table that rows of text make, and what was noted of them."""
    raw = pd.DataFrame(list(rows or [LEAST[name]]), dtype="str")
    checks = RowChecks(f"{name}.csv", 2, raw)
    return read_table(TABLES[name], checks, THERE, **more), checks


@pytest.mark.parametrize("name", TABLES)
def test_the_columns_that_must_be_there_are_enough(name: str) -> None:
    table, checks = read_rows(name)
    assert checks.problems == []
    assert len(table) == 1
    assert list(table) == TABLES[name].names
    pandera_schema(name).validate(table)


@pytest.mark.parametrize("name", TABLES)
def test_a_file_with_a_header_alone_is_a_table_without_rows(name: str) -> None:
    checks = RowChecks(f"{name}.csv", 2, pd.DataFrame(columns=list(LEAST[name]), dtype="str"))
    table = read_table(TABLES[name], checks, THERE)
    assert len(table) == 0
    pandera_schema(name).validate(table)


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name, row in LEAST.items() for column in row]
)
def test_a_column_that_is_missing_is_named_with_those_found(name: str, column: str) -> None:
    row = {key: value for key, value in LEAST[name].items() if key != column} or {"upn": "x"}
    words = (
        f"^{name}.csv: no column '{column}'. Found: {', '.join(row)}. Rename or add the column.$"
    )
    if "upn" in row:
        words = f"^{name}.csv: unknown column 'upn'"  # without a key a UPN is not read
    with pytest.raises(DataError, match=words):
        read_rows(name, row)


@pytest.mark.parametrize(
    ("school", "schools", "hint"),
    [
        ("S0006", ["S0005", "S0006"], None),
        ("s0006", ["S0005", "S0006"], " Did you mean 'S0006'?"),
        ("900001", ["S0005", "S0006"], ""),
        ("s0006", [], None),  # without schools none is unknown
    ],
)
@pytest.mark.parametrize("name", ["enrolments", "suspensions"])
def test_a_school_that_is_not_in_the_table_of_schools_is_a_warning(
    name: str, school: str, schools: list[str], hint: str | None
) -> None:
    there = pd.Series(schools, dtype="str")
    table, checks = read_rows(name, LEAST[name] | {"school_id": school}, schools=there)
    assert table["school_id"].tolist() == [school]
    found = [(one.rule, one.severity, one.row) for one in checks.problems]
    assert found == ([] if hint is None else [("unknown_school", "warning", 2)])
    if hint is not None:
        assert checks.problems[0].words == (
            f"school_id '{school}' is not in the table of schools.{hint} Correct it, or add the "
            "school."
        )


def test_a_file_without_a_header_is_refused_without_its_first_row() -> None:
    raw = {"A801234500001": "B801234500002", "Smith": "Jones", "2012-05-01": "2013-02-01"}
    with pytest.raises(DataError, match="seems to be no header") as refused:
        read_rows("pupils", raw)
    assert not any(value in str(refused.value) for value in (*raw, *raw.values()))


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("recorded", " Did you mean 'recorded_on'?"),
        ("pupilid", " Did you mean 'pupil_id'?"),
        ("marks", " Did you mean 'mark'?"),
        ("Date", " Did you mean 'date'?"),
        ("surname", ""),
        ("", ""),
    ],
)
def test_an_unknown_column_is_refused_with_the_nearest_known(column: str, hint: str) -> None:
    words = f"unknown column '{column}'.{hint} Rename".replace("?", r"\?")
    with pytest.raises(DataError, match=words):
        read_rows("sessions", LEAST["sessions"] | {column: "x"})


@pytest.mark.parametrize(
    ("name", "known", "question"),
    [
        ("suspension", ["sessions", "suspensions"], " Did you mean 'suspensions'?"),
        ("sessions", ["sessions"], " Did you mean 'sessions'?"),
        ("hair", ["sessions"], ""),
        ("", ["sessions"], ""),
        ("sessions", [], ""),
    ],
)
def test_a_guess_is_near_or_there_is_none(name: str, known: list[str], question: str) -> None:
    assert guess(name, known) == question


# days from the event to the day the LA could have known, as the schema states them
LAGS = [
    ("enrolments", "2024-09-16"),
    ("sessions", "2024-09-03"),
    ("absence_totals", "2025-03-20"),
    ("suspensions", "2024-09-11"),
    ("send", "2024-12-01"),
    ("plans", "2024-09-03"),
    ("circumstances", "2024-10-02"),
    ("neighbourhood", "2024-12-01"),
    ("attainment", "2024-08-09"),
    ("destinations", "2024-09-30"),
]


@pytest.mark.parametrize(("name", "day"), LAGS)
def test_what_has_no_day_of_recording_is_dated_by_the_lag_of_its_table(name: str, day: str) -> None:
    stated = {"recorded_on": "2025-05-05"}
    for rows, expected in (
        ([{}], [day]),
        ([stated], ["2025-05-05"]),
        ([stated, {"recorded_on": ""}], ["2025-05-05", day]),
    ):
        table, _ = read_rows(name, *(LEAST[name] | row for row in rows), unique=False)
        assert table["recorded_on"].dt.strftime("%Y-%m-%d").tolist() == expected


@pytest.mark.parametrize(
    ("name", "end", "lag"),
    [
        ("enrolments", "leaving_date", 14),
        ("send", "end_date", 90),
        ("circumstances", "end_date", 30),
    ],
)
@pytest.mark.parametrize(
    ("last", "recorded", "end_recorded", "expected"),
    [
        ("", "", "", None),
        ("2025-02-01", "", "", "lag"),
        ("2025-02-01", "", "2025-02-02", "2025-02-02"),
        ("2025-02-01", "2025-07-01", "", "2025-07-01"),  # known with the row, not before it
        ("", "", "2025-02-02", None),  # a day without an end has no meaning
    ],
)
def test_an_end_is_known_after_the_lag_and_not_before_its_row(
    name: str, end: str, lag: int, last: str, recorded: str, end_recorded: str, expected: str | None
) -> None:
    row = {end: last, "recorded_on": recorded, "end_recorded_on": end_recorded}
    table, _ = read_rows(name, LEAST[name] | row)
    (found,) = table["end_recorded_on"]
    if expected is None:
        assert pd.isna(found)
    else:
        day = pd.Timestamp("2025-02-01") + pd.Timedelta(days=lag)
        assert found == (day if expected == "lag" else pd.Timestamp(expected))


@pytest.mark.parametrize("column", ["sex", "ethnicity"])
@pytest.mark.parametrize(
    ("value", "is_reported"), [("?", True), ("", False), (" ", False), (NOT_KNOWN, False)]
)
def test_an_attribute_that_is_not_known_is_a_group_and_no_loss(
    column: str, value: str, is_reported: bool
) -> None:
    table, checks = read_rows("pupils", {"pupil_id": "A", column: value})
    assert table[column].tolist() == [NOT_KNOWN]
    assert checks.kept.all()
    assert [one.words for one in checks.problems] == [
        f"{column} '?' is not a known code. It counts as not known."
    ] * is_reported


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("enrolments", "leaving_reason"),
        ("suspensions", "reason_1"),
        ("suspensions", "reason_3"),
        ("send", "primary_need"),
        ("send", "secondary_need"),
        ("plans", "outcome"),
        ("destinations", "group"),
    ],
)
def test_an_unknown_code_that_may_be_missing_is_missing_and_the_row_stays(
    name: str, column: str
) -> None:
    table, checks = read_rows(name, LEAST[name] | {column: "??"})
    assert table[column].isna().all()
    assert [one.rule for one in checks.problems] == ["unknown_code"]
    assert checks.problems[0].severity == "warning"
    assert "It counts as not known." in checks.problems[0].words


@pytest.mark.parametrize(
    ("name", "column", "value", "words"),
    [
        ("schools", "phase", "nursery", "Use one of primary, secondary, all_through, post16."),
        ("schools", "kind", "pub", "Use one of mainstream, special, AP."),
        ("enrolments", "status", "C", "Use one of main, dual."),
        ("enrolments", "year_group", "15", "is not a whole number from -4 to 14. Correct it."),
        ("enrolments", "year_group", "7.5", "is not a whole number from -4 to 14. Correct it."),
        ("sessions", "session", "noon", "Use one of AM, PM."),
        ("sessions", "mark", "?", "Use one of /, \\, L, K, V, P, W, B, C, C1, C2, E and others."),
        ("absence_totals", "sessions", "401", "is not a whole number from 0 to 400. Correct it."),
        ("suspensions", "sessions", "90.5", "is not a number from 0 to 90. Correct it."),
        ("suspensions", "category", "gone", "Use one of SUSP, PERM, LNCH."),
        ("send", "provision", "Q", "Use one of N, K, E."),
        ("neighbourhood", "idaci_decile", "0", "is not a number from 1 to 10. Correct it."),
        ("neighbourhood", "idaci_decile", "11", "is not a number from 1 to 10. Correct it."),
        ("attainment", "stage", "KS3", "Use one of EYFS, KS1, KS2, KS4, KS5."),
        ("attainment", "score", "high", "is not a number from -10 to 10. Correct it."),
        ("attainment", "score", "1413.6", "is not a number from -10 to 10. Correct it."),
        ("calendar", "term", "winter", "Use one of autumn, spring, summer."),
        ("calendar", "half_term", "7", "is not a whole number from 1 to 6. Correct it."),
        ("send", "start_date", "31/9/24", "is not a date between 1950 and 2100. Write YYYY-MM-DD."),
    ],
)
def test_a_bad_value_is_set_aside_with_what_to_write(
    name: str, column: str, value: str, words: str
) -> None:
    table, checks = read_rows(name, LEAST[name], LEAST[name] | {column: value}, unique=False)
    assert len(table) == 1
    (problem,) = checks.problems
    assert (problem.row, problem.column, problem.value) == (3, column, value)
    assert problem.words.startswith(f"{column} '{value}' is not")
    assert problem.words.endswith(words)


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("sessions", {"pupil_id": "Secret"}, "unknown_pupil"),
        ("pupils", {"birth_month": "Secret"}, "bad_date"),
    ],
)
def test_a_value_that_identifies_a_child_is_not_shown(
    name: str, change: dict[str, str], rule: str
) -> None:
    _, checks = read_rows(name, LEAST[name] | change)
    (problem,) = checks.problems
    assert problem.rule == rule
    assert "Secret" not in problem.message + problem.value
    assert "Secret" in checks.rejects()["record"].iloc[0]


# ---- numbers of pupils

GOOD, TEMPORARY = "R201100018042", "T20110001804V"
"""Published examples (DfE, UPN guide)."""


@pytest.mark.parametrize(
    ("upn", "rule", "words"),
    [
        (GOOD, None, ""),
        (TEMPORARY, None, ""),
        (GOOD.lower(), None, ""),
        (f" {GOOD} ", None, ""),
        (None, None, ""),
        ("A201100018042", "upn_check_letter", "its other characters ask for R."),
        ("I201100018042", "upn_check_letter", "its other characters ask for R."),
        ("R20110001804", "upn_form", "is not a letter, 11 digits and a digit or letter."),
        ("R2011000180422", "upn_form", "is not a letter, 11 digits"),
        ("201100018042R", "upn_form", "is not a letter, 11 digits"),
        ("R2011-0001804", "upn_form", "is not a letter, 11 digits"),
        ("not known", "upn_form", "is not a letter, 11 digits"),
    ],
)
def test_a_number_that_is_not_well_formed_is_reported_and_its_row_kept(
    upn: str | None, rule: str | None, words: str
) -> None:
    checks = RowChecks("pupils.csv", 2, pd.DataFrame({"upn": [GOOD, upn]}))
    note_upns(checks.raw["upn"], checks)
    assert [one.rule for one in checks.problems] == ([] if rule is None else [rule])
    for problem in checks.problems:
        assert words in problem.words
        assert problem.row == 3
        assert str(upn) not in problem.message + problem.value
    assert checks.kept.all()


@pytest.mark.parametrize("written", [GOOD.lower(), f"  {GOOD}", f"{GOOD} "])
def test_one_number_is_one_pupil_however_it_is_written(tmp_path: Path, written: str) -> None:
    rows = [{"upn": upn, "sex": "F"} for upn in (GOOD, written, TEMPORARY)]
    checks = RowChecks("pupils.csv", 2, pd.DataFrame(rows))
    table = read_table(TABLES["pupils"], checks, None, key_file=tmp_path / "key", unique=False)
    first, second, third = table["pupil_id"]
    assert first == second != third
    assert not table["pupil_id"].str.contains("2011").any()


def test_a_pseudonym_of_the_file_outranks_the_number(tmp_path: Path) -> None:
    checks = RowChecks("pupils.csv", 2, pd.DataFrame({"pupil_id": ["A"], "upn": [GOOD]}))
    with pytest.raises(DataError, match="unknown column 'upn'"):
        read_table(TABLES["pupils"], checks, None, key_file=tmp_path / "key")
    assert not (tmp_path / "key").exists()
