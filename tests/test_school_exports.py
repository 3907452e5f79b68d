"""Exports as school systems and analysts write them: odd headings, row numbers, two layouts in one file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy

from riskmodel.data.read import Extract, read
from tests.returns import CENSUS, UPN, read_beside


def marks_of(extract: Extract) -> list[str]:
    """Return day, half and mark of each session."""
    found = extract.tables["sessions"].sort_values(["date", "session"])
    parts = zip(found["date"].dt.day, found["session"], found["mark"], strict=True)
    return [f"{day} {half} {mark}" for day, half, mark in parts]


def test_headings_of_grids_are_read_however_they_name_the_half(tmp_path: Path) -> None:
    headings = (
        "AM 14/10/2024,PM 14/10/2024",
        "Weds 16/10/2024 AM,Weds 16/10/2024 PM",
        "17/10/2024 Morning,17/10/2024 Afternoon",
        "Fri 18/10/2024 AM,Sat 19/10/2024 AM",
        "Sun 20/10/2024 AM,Mon 21/10/2024 PM",
    )
    files = {f"{n}.csv": f"UPN,{two}\n{UPN},I,N\n" for n, two in enumerate(headings)}
    halves = (
        "14 AM",
        "14 PM",
        "16 AM",
        "16 PM",
        "17 AM",
        "17 PM",
        "18 AM",
        "19 AM",
        "20 AM",
        "21 PM",
    )
    marks = ("I", "N") * len(headings)
    expected = [f"{half} {mark}" for half, mark in zip(halves, marks, strict=True)]
    assert marks_of(read_beside(tmp_path, files)) == expected


def test_a_day_that_a_program_wrote_twice_is_morning_and_afternoon(tmp_path: Path) -> None:
    rows = f"UPN,17/10/2024,17/10/2024.1,18/10/2024,18/10/2024.1\n{UPN},/,\\,I,N\n"
    extract = read_beside(tmp_path, {"grid.csv": rows})
    assert marks_of(extract) == ["17 AM /", "17 PM \\", "18 AM I", "18 PM N"]


def test_a_heading_with_a_day_that_is_not_read_is_named(tmp_path: Path) -> None:
    headings = ("since 18/10/2024", "18/10", "18 Oct")
    files = {
        f"{n}.csv": f"UPN,{n}/10/2024 AM,{n}/10/2024 PM,{heading}\n{UPN},/,\\,4\n"
        for n, heading in enumerate(headings, 14)
    }
    extract = read_beside(tmp_path, files)
    found = extract.problems.loc[extract.problems["rule"] == "bad_heading", "message"]
    assert len(found) == 3
    for heading, message in zip(headings, found, strict=True):
        assert f"the heading '{heading}' holds a day, and was not read as one" in message


def test_a_moment_as_the_heading_is_its_day(tmp_path: Path) -> None:
    rows = f"UPN,2024-10-21T00:00:00,2024-10-22T00:00:00\n{UPN},/\\,II\n"
    extract = read_beside(tmp_path, {"grid.csv": rows})
    assert marks_of(extract) == ["21 AM /", "21 PM \\", "22 AM I", "22 PM I"]


def test_merged_headings_over_two_half_days_are_no_columns_without_a_name(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["UPN", "14/10/2024", None, "15/10/2024", None], [UPN, "/", "\\", "I", "N"]):
        sheet.append(row)
    book.save(tmp_path / "grid.xlsx")
    extract = read_beside(tmp_path, {})
    assert marks_of(extract) == ["14 AM /", "14 PM \\", "15 AM I", "15 PM N"]
    assert "nameless_column" not in set(extract.problems["rule"])


@pytest.mark.parametrize("header", ["#,UPN,Term End,I,M,O", "UPN,Term End,I,M,O,#"])
def test_numbers_of_rows_are_no_planned_closures(tmp_path: Path, header: str) -> None:
    values = {"UPN": UPN, "I": "4", "M": "0", "O": "0"}
    lines = [
        ",".join(
            {**values, "#": str(n), "Term End": f"20/12/202{n}"}[one] for one in header.split(",")
        )
        for n in (1, 2, 3)
    ]
    extract = read_beside(tmp_path, {"codes.csv": "\n".join([header, *lines, ""])})
    assert set(extract.tables["absence_totals"]["mark"]) == {"I"}


def test_planned_closures_are_counted(tmp_path: Path) -> None:
    rows = f"UPN,Term End,I,M,O,#\n{UPN},20/12/2023,4,0,0,2\n"
    made = read_beside(tmp_path, {"codes.csv": rows}).tables["absence_totals"]
    assert dict(zip(made["mark"], made["sessions"], strict=True)) == {"I": 4, "#": 2}


def test_planned_closures_that_rise_by_chance_are_no_numbers_of_rows(tmp_path: Path) -> None:
    lines = [f"{UPN},20/12/202{n},4,0,0,{2 * n}" for n in (1, 2, 3)]
    extract = read_beside(tmp_path, {"codes.csv": "\n".join(["UPN,Term End,I,M,O,#", *lines, ""])})
    made = extract.tables["absence_totals"]
    assert sorted(made.loc[made["mark"] == "#", "sessions"]) == [2, 4, 6]


def test_a_census_day_that_cannot_be_read_is_one_fault_of_its_row(tmp_path: Path) -> None:
    rows = f"UPN,Census Day,I,M,O\n{UPN},31/09/2018,4,1,2\n"
    extract = read_beside(tmp_path, {"codes.csv": rows})
    (message,) = extract.problems.loc[extract.problems["row"].notna(), "message"]
    assert message.startswith("codes.csv, row 2: term_end '31/09/2018' is not a date")


def test_a_day_in_no_census_month_sets_its_row_of_codes_aside_whole(tmp_path: Path) -> None:
    rows = f"UPN,Census Date,I,M,O\n{UPN},20/12/2023,10,5,4\n{UPN},18/01/2024,1,2,3\n"
    extract = read_beside(tmp_path, {"wide.csv": rows})
    assert sorted(extract.tables["absence_totals"]["mark"]) == ["I", "M", "O"]
    assert extract.rejects["row"].tolist() == [2]
    assert "'20/12/2023' is in no month of a census" in extract.problems["message"].str.cat()


def test_rows_of_two_schools_in_one_term_are_added_up(tmp_path: Path) -> None:
    rows = f"{UPN},900001,20/12/2023,2,,1\n{UPN},900002,20/12/2023,3,4,0\n"
    extract = read_beside(tmp_path, {"wide.csv": f"UPN,URN,Term End,I,M,O\n{rows}"})
    found = extract.tables["absence_totals"].set_index("mark")["sessions"]
    assert found.to_dict() == {"I": 5, "M": 4, "O": 1}
    assert extract.problems["rule"].tolist() == []


def test_strings_that_part_the_days_by_blanks_have_no_half_days_without_a_mark(
    tmp_path: Path,
) -> None:
    rows = f"UPN,Start Date,Marks\n{UPN},07/10/2024,/\\ II NN\n"
    extract = read_beside(tmp_path, {"marks.csv": rows})
    assert marks_of(extract) == ["7 AM /", "7 PM \\", "8 AM I", "8 PM I", "9 AM N", "9 PM N"]


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        # Monday, Wednesday and Friday; Tuesday and Thursday are blank days
        (["/\\  /\\  II"], ["7 AM /", "7 PM \\", "9 AM /", "9 PM \\", "11 AM I", "11 PM I"]),
        (["II  II"], ["7 AM I", "7 PM I", "9 AM I", "9 PM I"]),
        # pairs with a day without marks: in half-days the afternoons would be mornings
        (["/\\    /\\ /\\"], ["7 AM /", "7 PM \\", "9 AM /", "9 PM \\", "10 AM /", "10 PM \\"]),
        # the other string of the file has no blanks between days, so these are half-days
        (
            ["II II", "-" * 6 + "/\\"],
            ["7 AM I", "7 PM I", "8 PM I", "9 AM I", "10 AM /", "10 PM \\"],
        ),
        # that one parts the days, so these are days too
        (
            ["II    NN", "#- #- #- /\\"],
            ["7 AM I", "7 PM I", "9 AM N", "9 PM N", "10 AM /", "10 PM \\"],
        ),
    ],
)
def test_blanks_in_strings_part_days_or_are_half_days_without_a_mark(
    tmp_path: Path, strings: list[str], expected: list[str]
) -> None:
    rows = "".join(f"{UPN},07/10/2024,{one}\n" for one in strings)
    extract = read_beside(tmp_path, {"marks.csv": f"UPN,Start Date,Marks\n{rows}"})
    assert marks_of(extract) == expected
    assert "unsure_marks" not in set(extract.problems["rule"])


def test_strings_that_only_their_blanks_part_are_named(tmp_path: Path) -> None:
    rows = f"UPN,Start Date,Marks\n{UPN},07/10/2024,II II NN\n"
    extract = read_beside(tmp_path, {"marks.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "unsure_marks", "message"]
    assert "1 strings of marks are read as days parted by blanks" in message
    assert marks_of(extract)[-1] == "9 PM N"


@pytest.mark.parametrize("string", ["/\\ /\\ I II", "/\\ /\\ II /\\ /\\  /\\ /\\"])
def test_a_string_that_parts_some_days_only_is_set_aside(tmp_path: Path, string: str) -> None:
    rows = "".join(f"{UPN},07/10/2024,{one}\n" for one in ("/\\ /\\ II", string))
    extract = read_beside(tmp_path, {"marks.csv": f"UPN,Start Date,Marks\n{rows}"})
    assert len(extract.tables["sessions"]) == 6
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert message.startswith("marks.csv, row 3: date ")
    assert "parts some days of marks by a blank and not others" in message


def test_a_code_of_a_letter_and_a_digit_is_one_mark_of_a_string(tmp_path: Path) -> None:
    strings = ("/C2j1\\/\\", "/\\4\\II")
    rows = "".join(f"{UPN},07/10/2024,{one}\n" for one in strings)
    extract = read_beside(tmp_path, {"marks.csv": f"UPN,Start Date,Marks\n{rows}"})
    assert marks_of(extract) == ["7 AM /", "7 PM C2", "8 AM J1", "8 PM \\", "9 AM /", "9 PM \\"]
    assert extract.rejects["row"].tolist() == [3]
    assert "holds a digit that is part of no mark" in extract.problems["message"].str.cat()


def test_codes_of_two_characters_in_days_parted_by_blanks(tmp_path: Path) -> None:
    rows = f"UPN,Start Date,Marks\n{UPN},07/10/2024,/\\ C2I C1C1\n"
    extract = read_beside(tmp_path, {"marks.csv": rows})
    assert marks_of(extract) == ["7 AM /", "7 PM \\", "8 AM C2", "8 PM I", "9 AM C1", "9 PM C1"]


@pytest.mark.parametrize(
    ("written", "sex"), [("m", "M"), ("Female", "F"), ("1", "M"), ("U", "not_known")]
)
def test_the_sex_of_a_client_is_read_in_words_and_numbers(
    tmp_path: Path, written: str, sex: str
) -> None:
    clients = (
        "UniquePupilNumber,ActivityCode,StartDate,DateVerified,YearOfBirth,MonthOfBirth,Gender\n"
        f"{UPN},540,2024-09-01,2024-10-01,2007,10,{written}\n"
    )
    (tmp_path / "clients.csv").write_text(clients)
    pupils = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key").tables["pupils"]
    assert pupils["sex"].tolist() == [sex]


@pytest.mark.parametrize("year", ["07", "207", "1900"])
def test_a_client_with_a_wrong_year_of_birth_is_used_without_it(tmp_path: Path, year: str) -> None:
    clients = (
        "UniquePupilNumber,ActivityCode,StartDate,DateVerified,YearOfBirth,MonthOfBirth\n"
        f"{UPN},540,2024-09-01,2024-10-01,{year},10\n"
    )
    (tmp_path / "clients.csv").write_text(clients)
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    pupils, destinations = extract.tables["pupils"], extract.tables["destinations"]
    assert pupils["birth_month"].isna().all()
    assert destinations["pupil_id"].tolist() == pupils["pupil_id"].tolist()
    assert len(extract.rejects) == 0


def test_a_row_whose_pupil_cannot_be_used_makes_no_other_fact(tmp_path: Path) -> None:
    section = (
        '[sources.{table}]\ntable = "{table}"\ndates = "DD/MM/YYYY"\n[sources.{table}.columns]\n'
        'pupil_id = "Pupil"\n'
    )
    settings = tmp_path / "riskmodel.toml"
    settings.write_text(
        section.format(table="pupils")
        + 'birth_month = "Born"\n'
        + section.format(table="send")
        + 'provision = "Support"\nstart_date = "Since"\n'
    )
    folder = tmp_path / "x"
    folder.mkdir()
    other = "B000000120003"
    rows = f"Pupil,Born,Support,Since\n{UPN},03/10/2012,K,04/09/2023\n{other},soon,K,04/09/2023\n"
    (folder / "panel.csv").write_text(rows)
    extract = read(folder, key_file=tmp_path / "key", settings_file=settings)
    assert extract.tables["send"]["pupil_id"].notna().all()
    assert len(extract.tables["send"]) == len(extract.rejects) == 1


def test_prior_scores_beside_key_stage_4_are_not_dated_by_its_year(tmp_path: Path) -> None:
    rows = f"ACADYR,UPN,ATT8,READSCORE,MATSCORE\n2023/2024,{UPN},52.5,110,104\n"
    extract = read_beside(tmp_path, {"ks4.csv": rows})
    assert extract.tables["attainment"]["stage"].tolist() == ["KS4"]
    (message,) = extract.problems.loc[extract.problems["rule"] == "two_layouts", "message"]
    assert "'Key stage 2 results' too, and was read as 'Key stage 4 results' only" in message


def test_scores_of_key_stage_2_beside_an_empty_column_of_key_stage_4_are_read(
    tmp_path: Path,
) -> None:
    rows = f"UPN,ACADYR,READSCORE,MATSCORE,ATT8\n{UPN},2022/2023,104,97,\n"
    extract = read_beside(tmp_path, {"ks2.csv": rows})
    assert extract.tables["attainment"]["stage"].tolist() == ["KS2", "KS2"]


@pytest.mark.parametrize(
    ("year", "words"),
    [
        ("2014/2015", "'2014/2015' is before 2016, when key stage 2 had no scaled scores"),
        ("2030/2031", "'2030/2031' is more than two years after the last census"),
    ],
)
def test_results_of_a_year_without_such_results_are_set_aside(
    tmp_path: Path, year: str, words: str
) -> None:
    rows = f"UPN,ACADYR,READSCORE\n{UPN},2015/2016,104\n{UPN},{year},104\n"
    extract = read_beside(tmp_path, {"ks2.csv": rows})
    assert extract.tables["attainment"]["result_date"].dt.year.tolist() == [2016]
    assert extract.rejects["row"].tolist() == [3]
    assert words in extract.problems.loc[extract.problems["rule"] == "bad_date", "message"].iloc[0]


@pytest.mark.parametrize("above", ["Elective home education,,,\n,,,\n", "EHE\nprinted 1 May\n"])
def test_a_table_without_rows_below_its_title_is_known_by_its_header(
    tmp_path: Path, above: str
) -> None:
    header = "UPN,EHE Start Date,EHE End Date,Recorded\n"
    extract = read_beside(tmp_path, {"ehe.csv": above + header})
    assert not (extract.problems["severity"] == "error").any()
    of_file = extract.files.loc[extract.files["file"] == "ehe.csv"].iloc[0]
    assert of_file["read_as"] == "Elective home education"


def test_a_file_of_two_layouts_is_read_as_one_with_a_warning(tmp_path: Path) -> None:
    rows = f"UPN,Young Carer Since,EHE Start Date\n{UPN},2024-01-08,2024-02-05\n"
    extract = read_beside(tmp_path, {"tracker.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "two_layouts", "message"]
    assert "Nothing was read from 'EHE Start Date'." in message


@pytest.mark.parametrize("name", ["returns_2024_spring.zip", "returns.zip"])
def test_tables_in_an_archive_join_the_pupils_beside_it(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        table = "pupilonrolltableid,startdate,category,sessions\n1,2024-01-08,FIXD,2\n"
        archive.writestr("termlyexclusions.csv", table)
    extract = read_beside(tmp_path, {})
    assert len(extract.tables["suspensions"]) == 1
    assert len(extract.rejects) == 0


def pupil_in_xml(upn: str, urn: str, day: str) -> str:
    """Return the message of one school with one pupil."""
    return (
        f"<Message><Header><CollectionDetails><ReferenceDate>{day}</ReferenceDate></CollectionDetails>"
        f"<Source><URN>{urn}</URN></Source></Header><Pupils><PupilsOnRoll><PupilOnRoll><PupilIdentifiers>"
        f"<UPN>{upn}</UPN><DOB>2012-10-03</DOB></PupilIdentifiers><PupilStatus><EntryDate>2023-09-04"
        "</EntryDate></PupilStatus></PupilOnRoll></PupilsOnRoll></Pupils></Message>"
    )


def test_each_header_of_an_xml_counts_for_the_pupils_below_it(tmp_path: Path) -> None:
    messages = pupil_in_xml(UPN, "900001", "2024-10-03") + pupil_in_xml(
        "B000000120003", "900002", "2025-01-16"
    )
    (tmp_path / "all.xml").write_text(f"<Messages>{messages}</Messages>")
    rolls = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key").tables["enrolments"]
    found = dict(zip(rolls["school_id"], rolls["recorded_on"].dt.strftime("%Y-%m"), strict=True))
    assert found == {"900001": "2024-11", "900002": "2025-02"}


def test_a_urn_of_blanks_does_not_hide_the_number_of_the_school(tmp_path: Path) -> None:
    flat = (
        "UPN,DOB,EntryDate,CensusDate,URN,Estab,NCYearActual\n"
        f"{UPN},2012-10-03,2023-09-04,2024-01-18,      ,4001,7\n"
    )
    roll = f"UPN,Year,Admission Date,URN,Estab\n{UPN},7,2023-09-04,,4001\n"
    for name, text in (("flat.csv", flat), ("roll.csv", roll)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(text)
        rolls = read(folder, key_file=tmp_path / f"{name}.key").tables["enrolments"]
        assert rolls["school_id"].tolist() == ["4001"]


def test_a_sheet_named_by_a_upn_is_shown_without_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = UPN
    sheet.append(["dish", "price"])
    sheet.append(["pie", 2])
    book.save(tmp_path / "children.xlsx")
    extract = read_beside(tmp_path, {})
    assert "children.xlsx, sheet (UPN)" in set(extract.files["file"])
    assert UPN not in " ".join(extract.problems["message"])


def test_a_table_of_a_database_named_by_a_upn_is_shown_without_it(tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'la.db'}")
    for name, text in {**CENSUS, UPN: "dish,price\npie,2\n"}.items():
        frame = pd.read_csv(io.StringIO(text), dtype="str")
        frame.to_sql(name if name == UPN else f"census {name[:-4]}", engine, index=False)
    engine.dispose()
    extract = read(f"sqlite:///{tmp_path / 'la.db'}", key_file=tmp_path / "key")
    assert "(UPN)" in set(extract.files["file"])
    assert UPN not in " ".join([*extract.problems["message"], *extract.reconciliation["file"]])


def test_a_roll_in_a_table_named_pupils_is_known_by_its_columns(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'la.db'}"
    engine = sqlalchemy.create_engine(address)
    row = {"UPN": UPN, "DOB": "12/01/2012", "Year Group": "7", "URN": "900001"}
    pd.DataFrame([row | {"Admission Date": "04/09/2023", "Reg": "7A"}]).to_sql("pupils", engine)
    engine.dispose()
    extract = read(address, key_file=tmp_path / "k.key")
    assert extract.tables["enrolments"]["school_id"].tolist() == ["900001"]


def test_the_returns_of_a_census_are_of_one_layout(tmp_path: Path) -> None:
    extract = read_beside(tmp_path, {})
    assert not {"two_layouts", "unread_column"} & set(extract.problems["rule"])
    assert len(CENSUS) == 2


def test_terms_may_be_written_with_the_word_and_the_half(tmp_path: Path) -> None:
    days = "04/09/2024,Autumn Term,HT1\n08/01/2025,Spring 1,3\n22/04/2025,SUM,Half term 5\n"
    days += "23/04/2025,Whitsun,5\n"
    extract = read_beside(tmp_path, {"terms.csv": f"Date,Term,Half term\n{days}"})
    found = extract.tables["calendar"].set_index("date").loc["2024-09":]
    assert found["term"].tolist() == ["autumn", "spring", "summer"]
    assert found["half_term"].tolist() == [1, 3, 5]
    assert extract.rejects["reason"].tolist() == ["unknown_code: term"]


def test_the_day_on_which_a_service_recorded_a_spell_counts(tmp_path: Path) -> None:
    rows = (
        f"UPN,Service,Start Date,End Date,Date recorded\n{UPN},Early Help,08/01/2024,,09/01/2024\n"
    )
    made = read_beside(tmp_path, {"eh.csv": rows}).tables["circumstances"]
    assert made["recorded_on"].dt.day.tolist() == [9]


def test_a_day_by_which_systems_mean_no_end_is_no_end(tmp_path: Path) -> None:
    header = "UPN,Service,Start Date,End Date\n"
    ends = enumerate(("31/12/2099", "31/12/9999", "06/06/2079", "01/01/2100"), 1)
    files = {f"{n}.csv": f"{header}{UPN},Early Help,0{n}/01/2024,{day}\n" for n, day in ends}
    made = read_beside(tmp_path, files).tables["circumstances"]
    assert made["end_date"].isna().all()
    assert len(made) == 4


def test_a_day_of_recording_is_shown_as_a_day(tmp_path: Path) -> None:
    rows = f"UPN,Service,Start Date,End Date,Recorded\n{UPN},Early Help,08/01/2024,,01/01/2024\n"
    extract = read_beside(tmp_path, {"eh.csv": rows})
    rule = extract.problems["rule"] == "recorded_before_event"
    (message,) = extract.problems.loc[rule, "message"]
    assert "recorded_on 2024-01-01 is before start_date" in message


def test_an_initial_plan_with_a_bad_day_shows_the_day(tmp_path: Path) -> None:
    rows = f"Unique ID,UPN,Date initial EHC plan issued,SEN primary need\n7,{UPN},16/13/2022,ASD\n"
    extract = read_beside(tmp_path, {"send.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert "start_date '16/13/2022' is not a date" in message


@pytest.mark.parametrize(
    "halves", ["AM,PM", "AM Mark,PM Mark", "Morning,Afternoon", "PM code,AM code"]
)
def test_a_register_may_have_a_column_for_each_half_of_the_day(halves: str, tmp_path: Path) -> None:
    am, pm = ("/", "\\") if halves.lower().find("pm") != 0 else ("\\", "/")
    rows = f"UPN,Student,Date,{halves}\n{UPN},Bo,14/10/2024,{am},{pm}\n{UPN},Bo,15/10/2024,I,\n"
    extract = read_beside(tmp_path, {"marks.csv": rows})
    second = "15 PM I" if halves.startswith("PM") else "15 AM I"
    assert marks_of(extract) == ["14 AM /", "14 PM \\", second]
    assert extract.problems.empty
