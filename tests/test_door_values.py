"""Values of whole small files: schools, lengths, codes as words, scores; the tables they make."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import may_identify
from riskmodel.data.read import Extract, read
from riskmodel.data.read.returns.counted_faults import counted_faults
from tests.returns import CENSUS, UPN, read_beside, read_files

SCHOOLS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,EstablishmentStatus (name),"
    "PhaseOfEducation (name),TypeOfEstablishment (name)\n"
    "900001,302,4001,Hilltop School,Open,Secondary,Community school\n"
    "900002,302,4002,St. Anne's Primary,Open,Primary,Community school\n"
    "900003,302,4002,St. Anne's Primary (old),Closed,Primary,Community school\n"
    "900004,303,4001,Lakeside,Open,Secondary,Community school\n"
    "900005,302,0900,Twin,Open,Secondary,Community school\n"
    "900006,302,0901,Twin,Open,Secondary,Community school\n"
)


def rows_of(frame: pd.DataFrame, *names: str) -> list[list[object]]:
    """Return cells as text, None where missing."""
    cells = frame[list(names)].astype("object").to_numpy().tolist()
    return [
        [
            None if pd.isna(one) else f"{one:%Y-%m-%d}" if isinstance(one, pd.Timestamp) else one
            for one in row
        ]
        for row in cells
    ]


def suspended(folder: Path, header: str, *rows: str, **files: str) -> Extract:
    """Read suspensions, each on another day, beside a small census and the schools of two LAs."""
    lines = [f"{row},2024-02-{day:02}" for day, row in enumerate(rows, 1)]
    text = "\n".join([f"{header},StartDate", *lines, ""])
    return read_beside(folder, {"suspensions.csv": text, "schools.csv": SCHOOLS} | files)


WRITTEN = [
    ("900001", "900001"),
    ("900001.0", "900001"),
    ("900001.00", "900001"),
    ("4001", "900001"),  # that of the LA of the census, not that of 303
    ("3024001", "900001"),
    ("302/4001", "900001"),
    ("302-4001", "900001"),
    ("303/4001", "900004"),
    ("Hilltop School", "900001"),
    (" hilltop  school", "900001"),
    ("4002", "900002"),  # the open one
    ("900", "900005"),  # a spreadsheet took the zero
    ("0901", "900006"),
    ("9999", "9999"),
    ("Twin", "Twin"),  # two schools have the name
]
"""Simulated ways to write a school, and the school that is meant."""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    """Return suspensions whose schools are written in all these ways."""
    rows = [f"{UPN},{written},SUSP,2" for written, _ in WRITTEN]
    return suspended(tmp_path_factory.mktemp("named"), "UPN,Estab,Category,Sessions", *rows)


@pytest.mark.parametrize(
    ("day", "written", "school"),
    [(day, *one) for day, one in enumerate(WRITTEN, 1)],
    ids=[written for written, _ in WRITTEN],
)
def test_a_school_is_known_however_it_is_written(
    named: Extract, day: int, written: str, school: str
) -> None:
    found = named.tables["suspensions"].set_index("start_date")["school_id"]
    assert found[pd.Timestamp(f"2024-02-{day:02}")] == school


def test_only_what_means_no_school_or_two_is_reported(named: Extract) -> None:
    reported = named.problems[named.problems["rule"] == "unknown_school"]
    assert reported["value"].tolist() == ["9999", ""]  # what may be a name is not shown
    assert reported["message"].str.contains(" of 1 rows ").all()


def test_a_school_that_is_none_of_those_given_is_reported_once_and_its_rows_are_kept(
    tmp_path: Path,
) -> None:
    rows = [f"{UPN},9999,SUSP,2", f"{UPN},9999,SUSP,2", f"{UPN},Bill Smith,SUSP,2"]
    extract = suspended(tmp_path, "UPN,School,Category,Sessions", *rows)
    assert len(extract.tables["suspensions"]) == 3
    reported = extract.problems[extract.problems["rule"] == "unknown_school"]
    assert reported["message"].tolist() == [
        f"suspensions: school {shown} of {n} rows is none of the schools given, or a name that several "
        f"have; the first is row {row} of suspensions.csv. The rows are kept. Correct it, or add the "
        "school to the list of schools."
        for shown, n, row in (("'9999'", 2, 2), ("(not shown)", 1, 4))
    ]
    assert (
        not extract.problems.astype("str").apply(lambda c: c.str.contains("Smith")).any(axis=None)
    )


LENGTHS = [
    ("Sessions", "3", 3.0),
    ("Days", "1.5", 3.0),
    ("Number of days", "5", 10.0),
    ("Days lost", "", None),
    ("Number of sessions", "3", 3.0),
    ("No of sessions", "3", 3.0),
    ("Sessions (1/2 days)", "3", 3.0),
    ("Half-days", "3", 3.0),
]
"""Names of the column of lengths, a value, and the half-days that are meant."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Extract:
    """Return suspensions of eight files, one for each name of the column of lengths."""
    files = {
        f"{day}.csv": f"UPN,Estab,Category,StartDate,{name}\n{UPN},4001,SUSP,2024-02-{day:02},{length}\n"
        for day, (name, length, _) in enumerate(LENGTHS, 1)
    }
    return read_beside(tmp_path_factory.mktemp("lengths"), {"schools.csv": SCHOOLS} | files)


@pytest.mark.parametrize(
    ("day", "sessions"),
    [(day, sessions) for day, (*_, sessions) in enumerate(LENGTHS, 1)],
    ids=[name for name, *_ in LENGTHS],
)
def test_days_are_two_half_days_each_and_half_days_are_read_under_their_names(
    measured: Extract, day: int, sessions: float | None
) -> None:
    found = measured.tables["suspensions"]
    here = found[found["start_date"] == pd.Timestamp(f"2024-02-{day:02}")]
    assert rows_of(here, "sessions") == [[sessions]]
    assert "unread_column" not in set(measured.problems["rule"])


def test_days_that_are_no_number_are_set_aside_with_the_value(tmp_path: Path) -> None:
    extract = suspended(tmp_path, "UPN,Estab,Category,Days", f"{UPN},4001,SUSP,two")
    assert extract.tables["suspensions"].empty
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_number", "message"]
    assert "sessions 'two' is not a number from 0 to 90" in message


@pytest.mark.parametrize(
    ("heading", "length", "words"),
    [
        ("Days", "0.25", "'0.25' is a number of days, and no whole number of half-days."),
        ("Days lost", "1.75", "'1.75' is a number of days, and no whole number of half-days."),
        ("Sessions", "0.5", "'0.5' is no whole number of half-days, of which a day has two."),
    ],
)
def test_a_length_that_is_no_whole_number_of_half_days_is_set_aside(
    heading: str, length: str, words: str, tmp_path: Path
) -> None:
    rows = [f"{UPN},4001,SUSP,{length}", f"{UPN},4001,LNCH,1"]
    extract = suspended(tmp_path, f"UPN,Estab,Category,{heading}", *rows)
    assert extract.tables["suspensions"]["category"].tolist() == ["LNCH"]
    (problem,) = extract.problems.query("severity == 'error'").itertuples()
    assert f"row 2: sessions {words}" in problem.message
    assert extract.rejects["row"].tolist() == [2]


def test_suspensions_of_a_school_system_make_the_table_written_out(tmp_path: Path) -> None:
    spaced = f"{UPN[:5]} {UPN[5:]}".lower()
    text = (
        "UPN,School Name,Category,Days,Reason 1,Start Date,Date notified\n"
        f"{spaced},Hilltop School,Fixed period,0.5,pp,12-Jan-2024,15 January 2024\n"
        f"{UPN},302/4001,Permanent exclusion,N/A,Drug and alcohol related,01.02.2024,01.02.24 09:30\n"
        f"{UPN}\u00a0,4001,lunchtime,NULL,#N/A,2024-02-05T00:00:00Z,-\n"
    )
    extract = read_beside(tmp_path, {"behaviour.csv": text, "schools.csv": SCHOOLS})
    names = ("school_id", "start_date", "sessions", "category", "reason_1", "recorded_on")
    assert rows_of(extract.tables["suspensions"], *names) == [
        ["900001", "2024-01-12", 1.0, "SUSP", "PP", "2024-01-15"],
        ["900001", "2024-02-01", None, "PERM", "DA", "2024-02-01"],
        ["900001", "2024-02-05", None, "LNCH", None, "2024-02-06"],
    ]
    assert extract.rejects.empty
    assert extract.tables["suspensions"]["pupil_id"].nunique() == 1


def test_a_cin_census_makes_the_table_written_out(tmp_path: Path) -> None:
    text = (
        "LAchildID,UPN,CINreferralDate,CINclosureDate,ReasonForClosure,ReferralNFA,CPPstartDate,CPPendDate\n"
        f"1,{UPN},2023-05-01,,,1,,\n"
        f"1,{UPN},2023-06-01,,,0,2023-07-01,31/12/9999\n"
        f"1,{UPN},2022-06-01,2022-09-01,RC8,false,,\n"
        f"1,{UPN},2021-06-01,,RC7,0,,\n"
    )
    extract = read_beside(tmp_path, {"cin.csv": text})
    names = ("kind", "start_date", "end_date")
    assert sorted(rows_of(extract.tables["circumstances"], *names), key=str) == [
        ["child_in_need", "2022-06-01", "2022-09-01"],
        ["child_in_need", "2023-06-01", None],
        ["child_protection", "2023-07-01", None],
    ]
    assert extract.rejects[["row", "reason"]].values.tolist() == [[5, "bad_date: end_date"]]
    (count,) = extract.reconciliation[extract.reconciliation["file"] == "cin.csv"].itertuples()
    assert (count.rows_read, count.rows_kept, count.rows_rejected, count.rows_merged) == (
        4,
        3,
        1,
        0,
    )


def test_a_score_that_nobody_can_have_is_set_aside(tmp_path: Path) -> None:
    rows = "".join(f"{UPN},2023,{score},{score}\n" for score in ("9999", "79", "120"))
    extract = read_beside(tmp_path, {"ks2.csv": "UPN,ACADYR,READSCORE,MATSCORE\n" + rows})
    made = extract.tables["attainment"]
    assert made["score"].between(2, 3).all()
    assert len(made) == 2  # reading and mathematics
    reported = extract.problems.loc[extract.problems["rule"] == "bad_number", "message"]
    words = "score '9999' is no READSCORE or MATSCORE: these go from 80 to 120. Correct it."
    assert words in reported.iloc[0]
    assert extract.rejects["row"].tolist() == [2, 3]


def test_pupils_of_a_census_with_words_and_extended_codes_make_the_table_written_out(
    tmp_path: Path,
) -> None:
    census = {
        "census.csv": "schoolcensustableid,term,referencedate,urn\n1,SPR,18-Jan-2024,900001\n",
        "roll.csv": "pupilonrolltableid,schoolcensustableid,upn,dob,sex,ethnicity,entrydate,leavingdate,"
        "ncyearactual,youngcarer,senprovision\n"
        f"1,1,{UPN},10/13/2012,Female,WENG,09/04/2023,NULL,7,Yes,None\n"
        f"2,1,{UPN[:-1]}9,11/12/2012,male,ampk,09/04/2023,,7,N,SEN support\n",
    }
    for name, text in census.items():
        (tmp_path / name).write_text(text)
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    pupils = sorted(rows_of(extract.tables["pupils"], "birth_month", "sex", "ethnicity"), key=str)
    assert pupils == [["2012-10-01", "F", "WBRI"], ["2012-11-01", "M", "APKN"]]
    assert (
        rows_of(extract.tables["enrolments"], "entry_date", "leaving_date", "school_id")
        == [["2023-09-04", None, "900001"]] * 2
    )
    assert extract.tables["send"]["provision"].tolist() == ["K"]
    assert extract.tables["circumstances"]["kind"].tolist() == ["young_carer"]
    assert extract.rejects.empty


def test_a_table_names_schools_by_urn_and_name_too(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("pupil_id\nA\n")
    (tmp_path / "schools.csv").write_text(
        "school_id,urn,name,phase,kind\nS1,900001,Hilltop School,Secondary,Mainstream\n"
    )
    days = enumerate(("S1", "900001", "Hilltop School", "S9", "S9"), 1)
    (tmp_path / "suspensions.csv").write_text(
        "pupil_id,school_id,start_date,sessions,category\n"
        + "".join(f"A,{school},2024-01-{day:02},2,susp\n" for day, school in days)
    )
    extract = read(tmp_path)
    assert extract.tables["suspensions"]["school_id"].tolist() == ["S1", "S1", "S1", "S9", "S9"]
    reported = extract.problems[extract.problems["rule"] == "unknown_school"]
    assert reported["value"].tolist() == ["S9"]


def test_an_answer_that_is_neither_yes_nor_no_is_set_aside(tmp_path: Path) -> None:
    answers = enumerate(("Maybe", "Not offered", "Offer accepted"), 1)
    rows = "".join(f"{UPN},{answer},2024-10-0{day}\n" for day, answer in answers)
    text = f"UPN,September Guarantee,Status date\n{rows}"
    extract = read_beside(tmp_path, {"guarantee.csv": text})
    assert rows_of(extract.tables["circumstances"], "start_date") == [["2024-10-02"]]
    assert extract.problems.loc[extract.problems["rule"] == "unknown_code", "row"].tolist() == [2]


def test_a_census_named_as_our_table_of_pupils_is_known_by_its_columns(tmp_path: Path) -> None:
    for name, text in CENSUS.items():
        (tmp_path / name).write_text(text)
    assert (tmp_path / "pupils.csv").exists()
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert len(extract.tables["pupils"]) == 1
    assert "School Census: pupils on roll" in extract.reconciliation["table"].tolist()


@pytest.mark.parametrize(
    ("pupil", "shown"),
    [
        (UPN, "1 more"),
        ("Ann Smith", "1 more"),
        ("P001", "pupil P001"),
        (f"P{'A' * 16}", f"pupil P{'A' * 16}"),
    ],
)
def test_a_pupil_in_no_enrolment_is_reported_without_a_upn(
    tmp_path: Path, pupil: str, shown: str
) -> None:
    (tmp_path / "pupils.csv").write_text(f"pupil_id\n{pupil}\n")
    (tmp_path / "enrolments.csv").write_text(
        "pupil_id,school_id,entry_date,status,year_group,recorded_on\n"
    )
    (message,) = read(tmp_path).problems["message"]
    assert message.startswith(f"pupils: {shown} ")


def test_a_day_of_birth_that_cannot_be_read_is_reported_and_not_shown(tmp_path: Path) -> None:
    text = CENSUS["pupils.csv"].replace("2012-Oct-03 00:00:00", "3rd of Foo 2012")
    (tmp_path / "roll.csv").write_text(text)
    (tmp_path / "schoolcensus.csv").write_text(CENSUS["schoolcensus.csv"])
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert extract.tables["pupils"]["birth_month"].isna().all()
    (message,) = extract.problems.loc[extract.problems["column"] == "dob", "message"]
    assert message.startswith("roll.csv: 2 values of dob are no dates")
    assert "Foo" not in message


@pytest.mark.parametrize(
    ("born", "words"),
    [
        ("2024-Oct-03", "later than the day of entry or of the census, the first in row 2."),
        ("1972-Oct-03", "over 25 years before the day of entry, the first in row 2."),
    ],
)
def test_a_day_of_birth_that_does_not_fit_the_day_of_entry_is_missing(
    tmp_path: Path, born: str, words: str
) -> None:
    text = CENSUS["pupils.csv"].replace("2012-Oct-03", born)
    (tmp_path / "roll.csv").write_text(text)
    (tmp_path / "schoolcensus.csv").write_text(CENSUS["schoolcensus.csv"])
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert extract.tables["pupils"]["birth_month"].isna().all()
    assert extract.tables["enrolments"]["year_group"].tolist() == [7]
    (message,) = extract.problems.loc[extract.problems["column"] == "dob", "message"]
    assert message.startswith(f"roll.csv: 2 values of dob are {words}")
    assert len(extract.rejects) == 0


def test_a_length_of_unknown_unit_is_not_read_and_named(tmp_path: Path) -> None:
    columns = ("Sessions (days)", "Length", "Duration")
    files = {
        f"{day}.csv": f"UPN,Estab,Category,StartDate,{name}\n{UPN},900001,SUSP,2024-02-0{day},3\n"
        for day, name in enumerate(columns, 1)
    }
    extract = read_beside(tmp_path, files)
    assert len(extract.tables["suspensions"]) == 3
    assert extract.tables["suspensions"]["sessions"].isna().all()
    reported = extract.problems.loc[extract.problems["rule"] == "unread_column", "message"]
    assert len(reported) == 3
    for column, message in zip(columns, reported, strict=True):
        words = f"nothing was read as sessions (length, in half-days), and its column '{column}'"
        assert words in message


def test_a_suspension_with_a_last_day_and_no_length_is_named(tmp_path: Path) -> None:
    rows = "".join(
        f"{UPN},900001,{category},1{n}/03/2024,1{n}/03/2024,{sessions},{length}\n"
        for n, (category, sessions, length) in enumerate(
            [("SUSP", "", ""), ("SUSP", 2, ""), ("PERM", "", "")]
        )
    )
    header = "UPN,URN,Category,Start Date,End Date,Sessions,Length\n"
    extract = read_beside(tmp_path, {"susp.csv": header + rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "no_length", "message"]
    assert message.startswith("susp.csv: 1 suspensions have a last day and no length.")


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        (
            {"category": "SUSP", "startdate": "14/10/2024", "enddate": "11/10/2024", "days": "3"},
            "ends_before_start",
        ),
        ({"vulnerablegroup": "Not in school", "startdate": "14/10/2024"}, "unsure_group"),
    ],
)
def test_rows_that_count_and_may_be_wrong_are_counted(frame: dict[str, str], rule: str) -> None:
    (problem,) = counted_faults(pd.DataFrame([frame]), "list.csv")
    assert problem.rule == rule
    assert problem.message.startswith("list.csv: 1 ")


def test_the_rows_of_which_another_column_may_hold_more_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"{UPN},900001,SUSP,1{n}/03/2024,{n or ''},{2 - n or ''}\n" for n in (0, 1, 2))
    header = "UPN,URN,Category,Start Date,Sessions,Length\n"
    extract = read_beside(tmp_path, {"susp.csv": header + rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "unread_column", "message"]
    assert (
        "in 1 row nothing was read as sessions (length, in half-days), and its column 'Length'"
        in message
    )


def test_home_education_ends_when_the_child_is_back_at_school(tmp_path: Path) -> None:
    rows = f"UPN,Date EHE Commenced,Date Returned to School\n{UPN},01/11/2023,05/02/2024\n"
    extract = read_beside(tmp_path, {"ehe.csv": rows})
    assert rows_of(extract.tables["circumstances"], "end_date") == [["2024-02-05"]]


def test_a_column_that_may_hold_a_childs_name_is_not_named(tmp_path: Path) -> None:
    header = "UPN,Estab,Category,Sessions Zebedee"
    extract = suspended(tmp_path, header, f"{UPN},900001,SUSP,3")
    (message,) = extract.problems.loc[extract.problems["rule"] == "unread_column", "message"]
    assert "Zebedee" not in message


def homes(folder: Path, lookup: str) -> Extract:
    """Read one address of the pupil, with a lookup of postcodes."""
    address = "pupilonrolltableid,postcode\n1,AB1 2CD\n"
    return read_beside(folder, {"addresses.csv": address, "pc.csv": lookup})


def test_deciles_of_one_postcode_that_contradict_each_other_do_not_count(tmp_path: Path) -> None:
    extract = homes(tmp_path, "postcode,idaci decile\nAB1 2CD,3\nZZ1 1ZZ,4\nab12cd,9\n")
    assert extract.tables["neighbourhood"]["idaci_decile"].isna().all()
    reported = extract.problems.loc[extract.problems["rule"] == "conflict", "message"].tolist()
    assert [one.split(" for the")[0] for one in reported] == [
        "pc.csv, row 2: has other deciles than row 4 of pc.csv",
        "pc.csv, row 4: has other deciles than row 2 of pc.csv",
    ]
    assert extract.rejects["row"].tolist() == [2, 4]


def test_a_decile_that_there_is_not_is_named_in_the_lookup(tmp_path: Path) -> None:
    extract = homes(tmp_path, "postcode,idaci decile\nAB1 2CD,11\nAB1 2CE,3\n")
    (problem,) = extract.problems[extract.problems["rule"] == "bad_number"].to_dict("records")
    assert problem["message"].startswith("pc.csv, row 2: idaci_decile '11' is not a whole number")
    assert len(extract.tables["neighbourhood"]) == 1


def test_messages_show_no_control_characters(tmp_path: Path) -> None:
    extract = suspended(tmp_path, "UPN,Estab,Category", f"{UPN},900001,su\x00\u202esp")
    (message,) = extract.problems.loc[extract.problems["rule"] == "unknown_code", "message"]
    assert "category 'su\\x00\\u202esp' is not a known code" in message


def test_a_first_day_that_never_comes_is_quoted(tmp_path: Path) -> None:
    rows = f"UPN,Estab,Category,StartDate\n{UPN},900001,SUSP,31/12/9999\n"
    extract = read_beside(tmp_path, {"suspensions.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert "start_date '31/12/9999' is not a date" in message


def test_a_string_of_marks_with_a_bad_first_day_is_one_fault(tmp_path: Path) -> None:
    rows = f"UPN,Attendance Start Date,Attendance Marks\n{UPN},31/02/2024,-/\\/\\\n"
    extract = read_beside(tmp_path, {"marks.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert message.startswith("marks.csv, row 2: date '31/02/2024' is not a date")


def test_an_answer_that_is_no_answer_is_one_fault_without_codes_of_other_columns(
    tmp_path: Path,
) -> None:
    rows = f"UPN,Offer made,Status date\n{UPN},perhaps,2024-01-08\n"
    extract = read_beside(tmp_path, {"offers.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "unknown_code", "message"]
    assert message == (
        "offers.csv, row 2: kind 'perhaps' is neither yes nor no in column septemberguarantee. "
        "Write yes or no."
    )


def test_a_name_in_a_column_of_answers_is_not_shown(tmp_path: Path) -> None:
    rows = f"UPN,Offer made,Status date\n{UPN},Zebedee Quimby,2024-01-08\n"
    extract = read_beside(tmp_path, {"offers.csv": rows})
    assert "quimby" not in " ".join(extract.problems["message"]).lower()


def test_a_dash_is_no_score(tmp_path: Path) -> None:
    rows = f"UPN,ACADYR,READSCORE,MATSCORE\n{UPN},2023,104,-\n{UPN},2024/26,104,104\n"
    extract = read_beside(tmp_path, {"ks2.csv": rows})
    assert extract.tables["attainment"]["subject"].tolist() == ["reading"]
    reported = extract.problems.loc[extract.problems["row"].notna(), "message"].tolist()
    words = "result_date '2024/26' is no school year. Write it as 2021/2022."
    assert set(reported) == {f"ks2.csv, row 3: {words}"}


def cin(day: str, *cases: str) -> str:
    """Return a CIN census of one child."""
    return (
        f"<Message><Header><Collection>CIN</Collection><ReferenceDate>{day}</ReferenceDate></Header>"
        f"<Children><Child><ChildIdentifiers><LAchildID>7</LAchildID><UPN>{UPN}</UPN></ChildIdentifiers>"
        f"{''.join(f'<CINdetails>{case}</CINdetails>' for case in cases)}</Child></Children></Message>"
    )


def test_a_referral_that_the_next_census_lacks_has_ended_and_this_is_known_from_then(
    tmp_path: Path,
) -> None:
    kept = "<CINreferralDate>2022-05-01</CINreferralDate><ReferralNFA>0</ReferralNFA>"
    gone = "<CINreferralDate>2022-06-01</CINreferralDate><ReferralNFA>0</ReferralNFA>"
    none = "<CINreferralDate>2022-07-01</CINreferralDate><ReferralNFA>1</ReferralNFA>"
    closed = "<CINreferralDate>2022-08-01</CINreferralDate><ReasonForClosure>RC7</ReasonForClosure>"
    files = {
        "2023.xml": cin("2023-03-31", kept, gone, none, closed),
        "2024.xml": cin("2024-03-31", kept),
    }
    extract = read_beside(tmp_path, files)
    names = ("start_date", "end_date", "end_recorded_on")
    assert sorted(rows_of(extract.tables["circumstances"], *names), key=str) == [
        ["2022-05-01", None, None],  # the last census has it open
        ["2022-06-01", "2023-03-31", "2024-04-01"],
        ["2022-08-01", "2023-03-31", "2024-04-01"],
    ]
    reported = extract.problems[extract.problems["rule"] == "referral_gone"]
    assert reported["message"].str.contains("2 referrals without a closure").tolist() == [True]


def test_a_referral_stays_open_where_no_later_census_was_given(tmp_path: Path) -> None:
    case = "<CINreferralDate>2022-06-01</CINreferralDate><ReferralNFA>false</ReferralNFA>"
    extract = read_beside(tmp_path, {"a.xml": cin("2023-03-31", case)})
    assert rows_of(extract.tables["circumstances"], "end_date") == [[None]]


def test_a_census_of_a_day_that_cannot_be_read_is_set_aside_and_not_dated_otherwise(
    tmp_path: Path,
) -> None:
    days = CENSUS["schoolcensus.csv"].replace("2024-Oct-03 00:00:00", "October")
    (tmp_path / "schoolcensus.csv").write_text(days)
    (tmp_path / "roll.csv").write_text(CENSUS["pupils.csv"])
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert len(extract.tables["enrolments"]) == 1
    assert extract.rejects[["file", "row", "reason"]].values.tolist() == [
        ["roll.csv", 3, "no_census"]
    ]


def test_a_day_of_record_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    text = "UPN,Young carer since,Date recorded\n" + "".join(
        f"{UPN},2024-01-{day:02},{recorded}\n" for day, recorded in ((8, "soon"), (9, "2024-02-01"))
    )
    extract = read_beside(tmp_path, {"carers.csv": text})
    assert rows_of(extract.tables["circumstances"], "start_date", "recorded_on") == [
        ["2024-01-09", "2024-02-01"]
    ]
    assert extract.rejects["reason"].tolist() == ["bad_date: recorded_on"]


def test_shares_of_codes_are_no_half_days(tmp_path: Path) -> None:
    text = f"UPN,CensusDate,I %,M (%),O %\n{UPN},18/01/2024,3.0,2,1\n"
    extract = read_beside(tmp_path, {"wide.csv": text})
    assert "absence_totals" not in extract.tables or extract.tables["absence_totals"].empty
    assert extract.problems["rule"].tolist() == ["unknown_file"]


def test_a_dash_in_a_column_of_a_code_is_no_half_day(tmp_path: Path) -> None:
    text = f"UPN,CensusDate,I,M,O\n{UPN},18/01/2024,3.0,-,N/A\n"
    extract = read_beside(tmp_path, {"wide.csv": text})
    assert rows_of(extract.tables["absence_totals"], "mark", "sessions") == [["I", 3]]
    assert extract.rejects.empty


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("A801 2345 00001", True),
        ("a801-2345-00001", True),
        ("a 8 0 1 2 3 4 5 0 0 0 0 1", True),
        ("2024-Sep-02 00:00:00", False),
        ("302/4001", False),
        ("45306.5", False),
        ("14 June 2024", False),
        ("MAR 3, 2024", False),
        ("Marcus Martin", True),
        ("June", True),
        ("Maria 2", True),
        ("KHAN", True),
        ("AMY", True),
        ("PP; DB", False),
        ("#REF!", False),
        ("C2", False),
    ],
)
def test_a_upn_or_name_is_not_shown_and_dates_and_codes_are(text: str, hidden: bool) -> None:
    assert may_identify(text) is hidden


def test_a_list_of_young_carers_may_state_that_a_pupil_is_none(tmp_path: Path) -> None:
    # the third row holds the day alone
    answers = enumerate(("Yes", "P", "", "No", "Perhaps"), 1)
    rows = "".join(f"{UPN},{answer},0{day}/09/2023\n" for day, answer in answers)
    extract = read_beside(tmp_path, {"carers.csv": f"UPN,Young carer,Young carer since\n{rows}"})
    assert rows_of(extract.tables["circumstances"], "start_date") == [
        [f"2023-09-0{day}"] for day in (1, 2, 3)
    ]
    assert extract.problems.loc[extract.problems["rule"] == "unknown_code", "row"].tolist() == [6]


def test_an_answer_about_further_action_that_is_neither_yes_nor_no_is_set_aside(
    tmp_path: Path,
) -> None:
    header = "LAchildID,UPN,CINreferralDate,CINclosureDate,ReferralNFA,CPPstartDate\n"
    rows = [f"1,{UPN},2023-05-0{i},,{one},\n" for i, one in enumerate(("Yes - NFA", "NFA", ""), 1)]
    extract = read_beside(tmp_path, {"cin.csv": header + "".join(rows)})
    assert rows_of(extract.tables["circumstances"], "start_date") == [["2023-05-03"]]
    assert extract.rejects[["row", "reason"]].values.tolist() == [[2, "unknown_code: kind"]]


def test_days_count_where_the_column_of_half_days_is_empty(tmp_path: Path) -> None:
    header = "UPN,Estab,Category,Sessions,Days"
    extract = suspended(tmp_path, header, f"{UPN},4001,SUSP,,3", f"{UPN},4001,SUSP,4,3")
    assert rows_of(extract.tables["suspensions"], "sessions") == [[6.0], [4.0]]


ROLL = "UPN,Year,Admission date,Date of birth,School,Received\n"


def test_a_word_in_place_of_a_upn_makes_no_pupil_of_many(tmp_path: Path) -> None:
    words = ("NOT AVAILABLE", "Not available", "0000000000000", "AAAAAAAAAAAAA")
    rows = "".join(
        f"{upn},{year},2023-09-0{year},2012-10-03,9001,\n" for upn in words for year in (6, 7)
    )
    (tmp_path / "roll.csv").write_text(f"{ROLL}{UPN},8,2023-09-04,2011-10-03,9001,\n{rows}")
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert len(extract.tables["pupils"]) == 1
    assert sorted(extract.rejects["row"]) == list(range(3, 11))


def test_a_day_of_receipt_of_a_roll_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    rows = f"{UPN},8,2023-09-04,2011-10-03,9001,soon\n{UPN[:-1]}9,8,2023-09-04,2011-10-03,9001,2023-10-01\n"
    (tmp_path / "roll.csv").write_text(ROLL + rows)
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert rows_of(extract.tables["enrolments"], "recorded_on") == [["2023-10-01"]]
    assert "bad_date: recorded_on" in extract.rejects["reason"].tolist()


def test_a_year_group_that_cannot_be_read_is_reported_and_the_age_counts(tmp_path: Path) -> None:
    header = "UPN,DOB,EntryDate,NCYearActual,CensusDate,URN\n"
    years = ("Year 7", "08", "X", "77")
    rows = "".join(
        f"{UPN[:-1]}{i},2011-10-03,2023-09-04,{year},2024-01-18,900001\n"
        for i, year in enumerate(years)
    )
    (tmp_path / "flat.csv").write_text(header + rows)
    extract = read(tmp_path, key_file=tmp_path.parent / f"{tmp_path.name}.key")
    assert sorted(extract.tables["enrolments"]["year_group"]) == [7, 7, 7, 8]  # by age: 7
    reported = extract.problems.loc[
        extract.problems["rule"] == "bad_year_group", "message"
    ].tolist()
    assert len(reported) == 1
    assert reported[0].startswith("flat.csv: 1 values of ncyearactual are no year group")


def test_a_pupil_in_no_vulnerable_group_has_no_circumstance(tmp_path: Path) -> None:
    negations = ("No longer vulnerable", "Unknown", "Nil", "No concerns", "Not open to social care")
    words = enumerate(("Not vulnerable", "None", "", "No", *negations), 1)
    rows = "".join(f"{UPN},{word},0{day}/09/2023\n" for day, word in words)
    text = f"UPN,Vulnerability,Date added\n{rows}"
    extract = read_beside(tmp_path, {"vulnerable.csv": text})
    assert "circumstances" not in extract.tables or extract.tables["circumstances"].empty
    assert extract.reconciliation.set_index("file").loc["vulnerable.csv", "rows_kept"] == 9


def test_a_row_of_no_day_contradicts_no_census(tmp_path: Path) -> None:
    """An NCCIS row without the day it was verified is set aside, and its facts of the pupil with it."""
    text = "UniquePupilNumber,ActivityCode,StartDate,YearOfBirth,MonthOfBirth,Gender\n"
    extract = read_beside(tmp_path, {"nccis.csv": text + f"{UPN},320,2024-09-01,2005,1,M\n"})
    (pupil,) = extract.tables["pupils"].to_dict("records")
    assert (pupil["sex"], pupil["birth_month"]) == ("F", pd.Timestamp("2012-10-01"))


def test_a_upn_in_the_column_of_schools_goes_into_no_table(tmp_path: Path) -> None:
    written = (UPN, f"{UPN[:4]} {UPN[4:]}".lower())
    rows = [f"{UPN},{school},SUSP,2" for school in (*written, "4001")]
    extract = suspended(tmp_path, "UPN,School,Category,Sessions", *rows)
    assert extract.tables["suspensions"]["school_id"].tolist() == ["900001"]
    assert extract.rejects["reason"].tolist() == ["missing_value: school_id"] * 2
    assert not any(one in extract.problems.to_csv() for one in written)


@pytest.mark.parametrize(
    ("columns", "school"),
    [("URN,School Name", "hilltop school"), ("School URN,DfE Number,School", ",Hilltop School")],
)
def test_a_suspension_without_a_urn_is_at_the_school_that_is_named(
    columns: str, school: str, tmp_path: Path
) -> None:
    rows = f"UPN,Category,Start Date,{columns}\n{UPN},SUSP,2024-01-15, ,{school}\n"
    rows += f"{UPN},SUSP,2024-01-16,900002,{school}\n"
    extract = read_beside(tmp_path, {"schools.csv": SCHOOLS, "exclusions.csv": rows})
    assert extract.tables["suspensions"]["school_id"].tolist() == ["900001", "900002"]
    assert len(extract.rejects) == 0


@pytest.mark.parametrize("zeros", [".0", ".00", ".000"])
def test_years_with_the_decimals_of_a_database_are_whole_numbers(
    zeros: str, tmp_path: Path
) -> None:
    # by age the pupil would be in year 7
    roll = (
        f"UPN,Year Group,Admission Date,URN,Received\n{UPN},8{zeros},2024-09-02,900001,2024-10-01\n"
    )
    census = (
        "UPN,DOB,EntryDate,CensusDate,URN,NCyearActual\n"
        f"{UPN},2012-10-03,2024-09-02,2024-10-03,900002,8{zeros}\n"
    )
    results = f"UPN,ACADYR,READSCORE,MATSCORE\n{UPN},2022{zeros},101,102\n"
    tables = read_beside(
        tmp_path, {"roll.csv": roll, "flat.csv": census, "ks2.csv": results}
    ).tables
    entered = tables["enrolments"].set_index("entry_date").loc["2024-09-02"]
    assert entered["year_group"].tolist() == [8, 8]
    assert tables["attainment"]["result_date"].dt.year.tolist() == [2022, 2022]


@pytest.mark.parametrize(
    ("second", "column", "words"),
    [
        (
            f"{UPN},Year 9,05/09/2002,900002,2012-10-03",
            "entry_date",
            "entry_date '05/09/2002' is before all days of birth of the file. Correct it.",
        ),
        (
            f"{UPN[:-1]}9,Mixed,06/09/2021,900002,",
            "year_group",
            "year_group (not shown) gives no year group for the day of entry",
        ),
    ],
)
def test_a_row_of_a_roll_is_set_aside_for_its_true_fault_alone(
    second: str, column: str, words: str, tmp_path: Path
) -> None:
    first = f"{UPN},Year 9,05/09/2022,900001,2012-10-03,9A"
    roll = f"UPN,Year,Admission Date,URN,DOB,Reg Group\n{first}\n{second},9A\n"
    extract = read_beside(tmp_path, {"roll.csv": roll})
    (fault,) = extract.problems.query("row.notna() and column != 'upn'").itertuples()
    assert (fault.file, fault.row, fault.column) == ("roll.csv", 3, column)
    assert words in fault.message


NAMED = "UPN,Surname,Forename,DOB,EntryDate,CensusDate,URN,NCyearActual,Sex\n"
OTHER_UPN = UPN[:-1] + "9"


@pytest.mark.parametrize(
    ("names", "n_pupils"),
    [
        ("Thornbury,Ottoline,2012-10-03", 1),
        ("THORNBURY,Ottoline ,03/10/2012", 1),
        ("Thornbury,Ottoline,2012-10-04", 2),  # another day of birth
        ("Thornbury,Otto,2012-10-03", 2),
        ("Ashe,Bo,2011-01-01", 3),  # two pupils with UPNs have these names and this day
    ],
)
def test_a_pupil_who_moves_without_a_upn_is_the_one_with_these_names(
    names: str, n_pupils: int, tmp_path: Path
) -> None:
    first = f"{UPN},Thornbury,Ottoline,2012-10-03,2023-09-04,2023-10-05,900001,7,F\n"
    twice = "".join(
        f"{one},Ashe,Bo,2011-01-01,2023-09-04,2023-10-05,900001,8,F\n" for one in (UPN, OTHER_UPN)
    )
    files = {
        "autumn.csv": NAMED + (twice if "Ashe" in names else first),
        "spring.csv": NAMED + f",{names},2024-01-08,2024-01-18,900002,7,F\n",
    }
    extract = read_files(tmp_path, files)
    assert len(extract.tables["pupils"]) == n_pupils
    assert len(extract.tables["enrolments"]) == 3 - (n_pupils < 3)
    (message,) = extract.problems.loc[extract.problems["rule"] == "no_upn", "message"]
    n_found = int(n_pupils == 1)
    assert message == (
        f"spring.csv: 1 of 1 rows have no UPN. By names and day of birth, {n_found} of them are of a pupil "
        f"with a UPN; {1 - n_found} count as pupils of their own. Fill in the UPNs."
    )


def test_postcodes_of_a_flat_census_give_the_neighbourhood(tmp_path: Path) -> None:
    rows = [f"{UPN},2012-10-03,2023-09-04,2023-10-05,900001,7,F,ab1 2cd"]
    rows += [f"{OTHER_UPN},2012-10-03,2023-09-04,2023-10-05,900001,7,F,{one}" for one in ("", "X1")]
    flat = "\n".join(["UPN,DOB,EntryDate,CensusDate,URN,NCyearActual,Sex,Postcode", *rows, ""])
    lookup = "postcode,idaci_decile,imd_decile\nAB1 2CD,3,4\n"
    extract = read_files(tmp_path, {"flat.csv": flat, "postcodes.csv": lookup})
    homes = extract.tables["neighbourhood"].dropna(subset=["idaci_decile"])
    shown = homes[["idaci_decile", "imd_decile", "start_date", "recorded_on"]].astype("str")
    assert shown.to_numpy().tolist() == [["3.0", "4.0", "2023-10-05", "2023-11-09"]]
    (message,) = extract.problems.loc[extract.problems["rule"] == "unknown_postcode", "message"]
    assert "1 addresses have a postcode without usable deciles" in message


def test_postcodes_of_a_flat_census_without_a_lookup_make_no_table(tmp_path: Path) -> None:
    flat = "UPN,DOB,EntryDate,CensusDate,URN,NCyearActual,Sex,Postcode\n"
    flat += f"{UPN},2012-10-03,2023-09-04,2023-10-05,900001,7,F,AB1 2CD\n"
    assert "neighbourhood" not in read_files(tmp_path, {"flat.csv": flat}).tables


def test_results_of_key_stages_2_and_4_in_one_file_are_all_read(tmp_path: Path) -> None:
    rows = (
        "UPN,KS2_ACADYR,KS2_READSCORE,KS2_MATSCORE,KS4_ACADYR,KS4_ATT8\n"
        f"{UPN},2018/2019,104,111,2023/2024,46\n{OTHER_UPN},2018/2019,97,,,\n"
    )
    census = CENSUS["pupils.csv"] + f"3,2,{OTHER_UPN},2008-01-15,F,2023-09-04,8,N\n"
    files = {"schoolcensus.csv": CENSUS["schoolcensus.csv"], "pupils.csv": census}
    extract = read_files(tmp_path, files | {"both.csv": rows})
    made = extract.tables["attainment"].sort_values(["stage", "subject", "score"])
    shown = made[["stage", "subject", "score"]].astype("str").to_numpy().tolist()
    assert shown == [
        ["KS2", "mathematics", "1.0"],
        ["KS2", "reading", "-1.0"],
        ["KS2", "reading", "0.0"],
        ["KS4", "attainment_8", "0.0"],
    ]
    assert made["result_date"].dt.year.tolist() == [2019, 2019, 2019, 2024]
    assert "two_layouts" not in set(extract.problems["rule"])


def test_a_school_that_is_not_known_is_named_by_its_first_row(tmp_path: Path) -> None:
    rows = (
        f"UPN,Category,Start Date,School\n{UPN},SUSP,2024-01-15,4001\n{UPN},SUSP,2024-01-16,Twin\n"
    )
    extract = read_beside(tmp_path, {"schools.csv": SCHOOLS, "exclusions.csv": rows})
    (message,) = extract.problems.loc[extract.problems["rule"] == "unknown_school", "message"]
    assert message.startswith("suspensions: school (not shown) of 1 rows is none of the schools")
    assert "or a name that several have; the first is row 3 of exclusions.csv." in message
