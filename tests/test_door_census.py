"""Censuses of pupils who left, of academies, in XML and with addresses: what each return means.

In:  a few rows of returns, and of the files beside them.
Out: enrolments, suspensions, totals and homes as worked out by hand.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.returns import UPN, read_beside, read_files

RETURNS = "schoolcensustableid,term,referencedate,urn\n"
LEFT = "pupilnolongeronrolltableid,schoolcensustableid,upn,dob,sex,entrydate,leavingdate,ncyearleaving\n"
SCHOOLS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
    "EstablishmentStatus (name),PhaseOfEducation (name),OpenDate,CloseDate\n"
)
ON = "pupilonrolltableid,schoolcensustableid,upn,dob,sex,entrydate,ncyearactual,enrolstatus\n"


AUTUMN_LEAVER = {
    "autumn/returns.csv": f"{RETURNS}1,AUT,2024-10-03,900001\n",
    "autumn/left.csv": f"{LEFT}1,1,{UPN},2008-01-15,M,2019-09-02,2024-06-28,11\n",
}


def test_the_year_group_of_a_leaver_is_the_one_on_leaving(tmp_path: Path) -> None:
    (spell,) = read_files(tmp_path, AUTUMN_LEAVER).tables["enrolments"].itertuples()
    assert spell.year_group == 7  # Year 11 in the school year 2023/24, four years after entry
    assert spell.leaving_reason == "completed"


def test_a_leaver_whom_an_earlier_census_saw_is_in_no_conflict(tmp_path: Path) -> None:
    spring = {
        "spring/returns.csv": f"{RETURNS}1,SPR,2024-01-18,900001\n",
        "spring/on.csv": f"{ON}1,1,{UPN},2008-01-15,M,2019-09-02,11,C\n",
    }
    extract = read_files(tmp_path, AUTUMN_LEAVER | spring)
    assert extract.conflicts.empty
    assert extract.tables["enrolments"]["leaving_reason"].tolist() == ["completed"]


UNDATED = {
    "CSV": {"autumn/left.csv": f"{LEFT}1,1,{UPN},2010-01-15,M,2022-09-05,,10\n"},
    "XML": {
        "census.xml": "<Message><Header><CollectionDetails><Collection>School Census</Collection>"
        "<Term>AUT</Term><Year>2024</Year><ReferenceDate>2024-10-03</ReferenceDate></CollectionDetails>"
        "<Source><URN>900001</URN></Source></Header><Pupils><PupilsNoLongerOnRoll><PupilNoLongerOnRoll>"
        f"<PupilIdentifiers><UPN>{UPN}</UPN><DOB>2010-01-15</DOB><Gender>M</Gender></PupilIdentifiers>"
        "<PupilStatus><EntryDate>2022-09-05</EntryDate><NCYearLeaving>10</NCYearLeaving></PupilStatus>"
        "</PupilNoLongerOnRoll></PupilsNoLongerOnRoll></Pupils></Message>"
    },
}


@pytest.mark.parametrize("form", UNDATED)
def test_a_leaver_without_a_leaving_date_is_on_roll_no_longer_than_the_census_says(
    tmp_path: Path, form: str
) -> None:
    returns = {"autumn/returns.csv": AUTUMN_LEAVER["autumn/returns.csv"]} if form == "CSV" else {}
    extract = read_files(tmp_path, returns | UNDATED[form])
    (spell,) = extract.tables["enrolments"].itertuples()
    assert spell.leaving_date == pd.Timestamp("2024-10-03")
    assert (spell.year_group, spell.end_recorded_on) == (8, pd.Timestamp("2024-11-07"))
    (words,) = extract.problems.query("rule == 'no_leaving_date'")["message"]
    assert "1 pupils no longer on roll have no leaving date" in words


@pytest.mark.parametrize("form", UNDATED)
def test_a_leaver_has_left_by_the_census_day_whatever_the_leaving_date(
    tmp_path: Path, form: str
) -> None:
    late = {
        name: text.replace("2022-09-05,,10", "2022-09-05,2025-07-19,10").replace(
            "</EntryDate>", "</EntryDate><LeavingDate>2025-07-19</LeavingDate>"
        )
        for name, text in UNDATED[form].items()
    }
    returns = {"autumn/returns.csv": AUTUMN_LEAVER["autumn/returns.csv"]} if form == "CSV" else {}
    extract = read_files(tmp_path, returns | late)
    (spell,) = extract.tables["enrolments"].itertuples()
    assert spell.leaving_date == pd.Timestamp("2024-10-03")
    assert (spell.year_group, spell.end_recorded_on) == (8, pd.Timestamp("2024-11-07"))
    (words,) = extract.problems.query("rule == 'late_leaving_date'")["message"]
    assert "1 pupils no longer on roll have a leaving date after the census day" in words


CONVERTED = {
    "autumn/returns.csv": f"{RETURNS[:-1]},lea,estab\n1,AUT,2024-10-03,100001,301,4001\n",
    "autumn/on.csv": f"{ON}1,1,{UPN},2011-01-15,M,2023-09-04,9,C\n",
    "spring/returns.csv": f"{RETURNS[:-1]},lea,estab\n1,SPR,2025-01-16,150001,301,4001\n",
    "spring/on.csv": f"{ON}1,1,{UPN},2011-01-15,M,2023-09-04,9,C\n",
    "school.csv": "UPN,DfE Number,Category,Start Date,Sessions\n"
    f"{UPN},301/4001,Suspension,2024-11-12,2\n{UPN},100001,Suspension,2024-11-26,2\n",
}
"""Returns of a pupil whose school became an academy in January 2025: two URNs, one number."""


def register(opened: str, *, old: bool = True) -> dict[str, str]:
    """Return the register of schools; the academy opened on a day, or nobody knows when."""
    closed = "100001,301,4001,Old School,Community school,Closed,Secondary,,31-12-2024\n"
    academy = f"150001,301,4001,Academy,Academy converter,Open,Secondary,{opened},\n"
    return {"schools.csv": SCHOOLS + closed * old + academy}


@pytest.mark.parametrize(
    "schools",
    [register("01-01-2025"), register(""), register("01-01-2025", old=False), {}],
    ids=["dated", "undated", "open schools only", "no register"],
)
def test_a_pupil_of_a_school_that_became_an_academy_is_on_one_roll(
    tmp_path: Path, schools: dict[str, str]
) -> None:
    files = {name: text for name, text in CONVERTED.items() if schools or name != "school.csv"}
    tables = read_files(tmp_path, files | schools).tables
    (spell,) = tables["enrolments"].itertuples()
    assert (spell.school_id, spell.year_group) == ("150001", 8)
    assert f"{spell.entry_date:%F} {spell.recorded_on:%F}" == "2023-09-04 2024-11-07"
    if schools:
        assert tables["suspensions"]["school_id"].tolist() == ["150001"] * 2


def test_a_school_that_took_the_number_years_later_is_another_one(tmp_path: Path) -> None:
    files = {name: text for name, text in CONVERTED.items() if name != "school.csv"}
    files |= {"autumn/returns.csv": f"{RETURNS}1,AUT,2024-10-03,100001\n"}
    read_on = read_files(tmp_path, files | register("01-09-2026")).tables["enrolments"]
    assert sorted(read_on["school_id"]) == ["100001", "150001"]


def test_two_schools_of_one_census_are_two_schools(tmp_path: Path) -> None:
    both = "1,AUT,2024-10-03,100001,301,9999\n2,AUT,2024-10-03,150001,301,9999\n"
    rows = "".join(f"{n},{n},{UPN},2011-01-15,M,2023-09-04,9,C\n" for n in (1, 2))
    files = {"returns.csv": f"{RETURNS[:-1]},lea,estab\n{both}", "on.csv": ON + rows}
    read_on = read_files(tmp_path, files).tables["enrolments"]
    assert sorted(read_on["school_id"]) == ["100001", "150001"]


def test_two_schools_with_one_number_and_no_la_are_two_schools(tmp_path: Path) -> None:
    files = {name: text for name, text in CONVERTED.items() if name != "school.csv"}
    files = {name: text.replace(",301,", ",,") for name, text in files.items()}
    read_on = read_files(tmp_path, files).tables["enrolments"]
    assert sorted(read_on["school_id"]) == ["100001", "150001"]


@pytest.mark.parametrize("number", ["0", "0000", ""])
def test_schools_without_a_number_are_not_one_school(tmp_path: Path, number: str) -> None:
    files = {name: text for name, text in CONVERTED.items() if name != "school.csv"}
    files = {name: text.replace("301,4001", "301,") for name, text in files.items()}
    schools = register("01-01-2025")["schools.csv"].replace("301,4001", f"301,{number}")
    read_on = read_files(tmp_path, files | {"schools.csv": schools}).tables["enrolments"]
    assert sorted(read_on["school_id"]) == ["100001", "150001"]


def test_nobody_moves_where_all_enter_the_academy_anew(tmp_path: Path) -> None:
    anew = {
        "spring/left.csv": f"{LEFT}2,1,{UPN},2011-01-15,M,2023-09-04,2024-12-31,9\n",
        "spring/on.csv": f"{ON}1,1,{UPN},2011-01-15,M,2025-01-01,9,C\n",
    }
    tables = read_files(tmp_path, CONVERTED | anew | register("01-01-2025")).tables
    (known,) = tables.as_known(pd.Timestamp("2025-03-01"))["enrolments"].itertuples()
    assert f"{known.entry_date:%F} {known.school_id}" == "2023-09-04 150001"
    assert pd.isna(known.leaving_date)


def pupil_in_xml(upn: str, *parts: str) -> str:
    """Return a pupil on roll of an XML census."""
    return (
        f"<PupilOnRoll><UPN>{upn}</UPN><DOB>2011-05-06</DOB><Sex>F</Sex><EntryDate>2023-09-04</EntryDate>"
        f"<NCyearActual>9</NCyearActual>{''.join(parts)}</PupilOnRoll>"
    )


def census_in_xml(*pupils: str) -> dict[str, str]:
    """Return an XML census of the spring term of 2025."""
    return {
        "census.xml": "<Message><Header><Term>SPR</Term><ReferenceDate>2025-01-16</ReferenceDate>"
        f"<URN>900001</URN></Header><Pupils>{''.join(pupils)}</Pupils></Message>"
    }


ABSENT = (
    "<SessionDetails><SessionDetail><AttendanceReason>I</AttendanceReason>"
    "<AbsenceSessions>6</AbsenceSessions></SessionDetail></SessionDetails>"
)


@pytest.mark.parametrize("name", ["SessionsPossible", "TermlySessionsPossible"])
def test_possible_sessions_of_an_xml_census_give_presence(tmp_path: Path, name: str) -> None:
    other_half = f"<SummerHalfTerm2Attendance><{name}>9</{name}></SummerHalfTerm2Attendance>"
    term = "<TermlyAttendance><{0}>110</{0}>{1}</TermlyAttendance>"
    pupils = [
        pupil_in_xml(UPN, other_half, term.format(name, ABSENT)),
        pupil_in_xml(f"{UPN[:-1]}9", term.format(name, "")),  # a pupil without absence
    ]
    totals = read_files(tmp_path, census_in_xml(*pupils)).tables["absence_totals"]
    assert sorted(zip(totals["mark"], totals["sessions"], strict=True)) == [
        ("/", 104),
        ("/", 110),
        ("I", 6),
    ]


def test_an_exclusion_of_an_xml_census_may_be_overturned(tmp_path: Path) -> None:
    exclusion = (
        "<TermlyExclusion><Category>PERM</Category><StartDate>2024-11-04</StartDate>"
        "<ReinstatementDate>2024-11-28</ReinstatementDate></TermlyExclusion>"
    )
    tables = read_files(tmp_path, census_in_xml(pupil_in_xml(UPN, exclusion))).tables
    assert f"{tables['suspensions']['reinstated_on'].iloc[0]:%F}" == "2025-02-20"  # known then
    assert tables.as_known(pd.Timestamp("2025-02-21"))["suspensions"].empty


ONE_NEED = "<SENtypeRank>1</SENtypeRank><SENtype>SEMH</SENtype>"
TWO_NEEDS = ONE_NEED + "<SENtypeRank>2</SENtypeRank><SENtype>SLCN</SENtype>"


@pytest.mark.parametrize(
    "needs",
    [
        f"<SENneeds>{TWO_NEEDS}</SENneeds>",
        "<SENneeds><SENtype>SEMH</SENtype><SENtypeRank>1</SENtypeRank><SENtype>SLCN</SENtype>"
        "<SENtypeRank>2</SENtypeRank></SENneeds>",
        f"<SENneeds>{ONE_NEED}</SENneeds><SENneeds>{TWO_NEEDS.removeprefix(ONE_NEED)}</SENneeds>",
        TWO_NEEDS,
    ],
    ids=["in turn", "rank last", "in two", "beside the provision"],
)
def test_each_need_of_an_xml_census_is_read(needs: str, tmp_path: Path) -> None:
    provision = "<SENprovision>K</SENprovision>"
    pupil = pupil_in_xml(UPN, f"<SpecialNeeds>{provision}{needs}</SpecialNeeds>")
    (send,) = read_files(tmp_path, census_in_xml(pupil)).tables["send"].itertuples()
    assert [send.provision, send.primary_need, send.secondary_need] == ["K", "SEMH", "SLCN"]


def test_exclusions_that_follow_each_other_in_an_xml_census_are_two(tmp_path: Path) -> None:
    one = "<Category>SUSP</Category><Reason>DB</Reason><Reason>VA</Reason><StartDate>{}</StartDate>"
    both = f"<Exclusions>{one.format('2024-11-04')}{one.format('2024-11-18')}</Exclusions>"
    tables = read_files(tmp_path, census_in_xml(pupil_in_xml(UPN, both))).tables
    assert tables["suspensions"]["start_date"].dt.day.tolist() == [4, 18]
    assert tables["suspensions"]["reason_2"].tolist() == ["VA", "VA"]


def roll(*rows: str) -> str:
    """Return a roll of a school system with URN and establishment number."""
    header = "UPN,Year,DOB,Admission Date,Received,URN,Estab,Enrolment Status\n"
    pupil = "8,2011-10-03,2023-09-04,2024-06-03"
    return header + "".join(f"{UPN[:-1]}{n},{pupil},{row}\n" for n, row in enumerate(rows, 2))


def test_a_dual_registration_may_be_in_words(tmp_path: Path) -> None:
    statuses = {
        "Current Subsidiary (dual registration)": "dual",
        "S - Subsidiary": "dual",
        "Dual Subsidiary": "dual",
        "Guest": "dual",
        "C - Current (single registration)": "main",
        "Current Main (dual registration)": "main",
    }
    # one pupil on the roll of a school for each
    files = {f"{n}.csv": roll(f"90000{n},,{written}") for n, written in enumerate(statuses, 1)}
    extract = read_files(tmp_path, files)
    found = extract.tables["enrolments"].sort_values("school_id")
    assert found["school_id"].tolist() == [f"90000{n}" for n in range(1, 7)]
    assert found["status"].tolist() == list(statuses.values())
    assert extract.problems.empty


def test_words_of_no_status_or_two_are_a_main_roll_and_reported(tmp_path: Path) -> None:
    words = ("Main (subsidiary at 4002)", "Single registration (no subsidiary)", "Dual registered")
    words += ("Not on roll", "Previously registered", "Guest at 4002")
    files = {f"{n}.csv": roll(f"90000{n},,{written}") for n, written in enumerate(words, 1)}
    extract = read_files(tmp_path, files)
    rolls = extract.tables["enrolments"]
    assert rolls["status"].tolist() == ["main"] * 6
    left = rolls.loc[rolls["leaving_date"].notna(), "school_id"]
    assert left.tolist() == [f"90000{words.index('Not on roll') + 1}"]
    assert sorted(extract.problems["rule"]) == ["bad_status"] * 6 + ["undated_leaver"]


def test_a_word_that_is_no_enrolment_status_is_reported(tmp_path: Path) -> None:
    rows = roll("900001,,pending", "900001,,Q Smith", "900001,,C")
    extract = read_files(tmp_path, {"roll.csv": rows})
    assert extract.tables["enrolments"]["status"].tolist() == ["main"] * 3
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_status", "message"]
    assert message.startswith(
        "roll.csv: 2 values of enrolstatus are no enrolment status, such as 'pend"
    )
    assert "Smith" not in message


TWO_LAS = {
    "schools.csv": SCHOOLS + "900001,301,4001,One,Community school,Open,Secondary,,\n"
    "900002,302,4001,Two,Community school,Open,Secondary,,\n"
    "900003,302,4003,Three,Community school,Open,Secondary,,\n"
}


@pytest.mark.parametrize("urn", ["", "      "])
def test_a_roll_without_urn_has_the_school_of_its_number(tmp_path: Path, urn: str) -> None:
    files = {"roll.csv": roll("900001,4001,C", f"{urn},4001,C"), **TWO_LAS}
    extract = read_files(tmp_path, files)
    assert extract.tables["enrolments"]["school_id"].tolist() == ["900001"] * 2
    assert extract.rejects.empty


@pytest.mark.parametrize("urn", ["", "      "])
def test_a_census_without_urn_has_the_school_of_its_number(tmp_path: Path, urn: str) -> None:
    returns = f"{RETURNS[:-1]},lea,estab\n1,AUT,2024-10-03,{urn},301,4001\n"
    returns += "2,AUT,2024-10-03,900001,301,4001\n"
    rows = f"{ON}1,1,{UPN},2011-01-15,M,2023-09-04,9,C\n"
    extract = read_files(tmp_path, {"returns.csv": returns, "on.csv": rows, **TWO_LAS})
    assert extract.tables["enrolments"]["school_id"].tolist() == ["900001"]


def test_numbers_without_an_la_are_those_of_the_la_of_a_flat_census(tmp_path: Path) -> None:
    flat = "UPN,DOB,EntryDate,ReferenceDate,URN,NCYearActual\n"
    flat += f"{UPN},2011-01-15,2023-09-04,2024-10-03,900001,9\n"
    reported = f"UPN,Estab,Category,Start Date,Sessions\n{UPN},4001,SUSP,2024-11-12,2\n"
    extract = read_files(tmp_path, {"flat.csv": flat, "school.csv": reported, **TWO_LAS})
    assert extract.tables["suspensions"]["school_id"].tolist() == ["900001"]


@pytest.mark.parametrize(("postcode", "n_unknown"), [("", 0), ("ZZ99 3VZ", 1)])
def test_an_address_without_a_decile_leaves_the_known_home(
    tmp_path: Path, postcode: str, n_unknown: int
) -> None:
    returns = "1,AUT,2024-10-03,900001\n2,SPR,2025-01-16,900001\n3,SUM,2025-05-15,900001\n"
    files = {
        "returns.csv": RETURNS + returns,
        "on.csv": ON + "".join(f"{n},{n},{UPN},2011-01-15,M,2023-09-04,9,C\n" for n in (1, 2, 3)),
        "homes.csv": f"pupilonrolltableid,postcode,town\n1,IG11 7LU,x\n2,{postcode},x\n3,ig117lu,x\n",
        "postcodes.csv": "postcode,idaci decile\nIG11 7LU,2\nRM8 1AA,7\n",
    }
    extract = read_files(tmp_path, files)
    (home,) = extract.tables["neighbourhood"].itertuples()
    assert (f"{home.start_date:%F}", home.idaci_decile) == ("2024-10-03", 2)
    counts = extract.reconciliation.set_index("file").loc["homes.csv"]
    assert counts[["rows_kept", "rows_merged"]].tolist() == [2, 1]
    found = extract.problems["message"].tolist()
    assert len(found) == n_unknown
    assert all(
        one.startswith("neighbourhood: 1 addresses have a postcode without") for one in found
    )
    assert all("homes.csv, row 3" in one and "ZZ99" not in one for one in found)


@pytest.mark.parametrize("second", ["123", "000123"])
def test_a_case_is_the_same_where_its_id_lost_its_zeros(tmp_path: Path, second: str) -> None:
    header = "LAchildID,UPN,ReferenceDate,CINreferralDate,CINclosureDate,ReasonForClosure,"
    header += "CPPstartDate,CPPendDate,ReferralNFA\n"
    files = {
        "returns.csv": f"{RETURNS}1,AUT,2024-10-03,900001\n",
        "on.csv": f"{ON}1,1,{UPN},2011-01-15,M,2023-09-04,9,C\n",
        "2024.csv": f"{header}000123,{UPN},2024-03-31,2023-05-01,,,,,0\n",
        "2025.csv": f"{header}{second},{UPN},2025-03-31,2023-05-01,,,,,0\n",
    }
    extract = read_files(tmp_path, files)
    (need,) = extract.tables["circumstances"].itertuples()
    assert (need.kind, pd.isna(need.end_date)) == ("child_in_need", True)
    assert extract.problems.empty


def test_a_cin_census_has_one_day_that_of_most_of_its_rows(tmp_path: Path) -> None:
    """A mistyped ReferenceDate makes no later return of an earlier one."""
    header = "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate,ReferenceDate\n"
    first = "".join(
        f"A{n},{UPN},{2021}-0{n}-01,,,,{day}\n"
        for n, day in enumerate(["2023-03-31", "2025-03-31", "2023-03-31"], 1)
    )
    second = "".join(f"A{n},{UPN},2021-0{n}-01,2023-07-0{n},,,2024-03-31\n" for n in (1, 2, 3))
    extract = read_beside(tmp_path, {"1.csv": header + first, "2.csv": header + second})
    ends = extract.tables["circumstances"].sort_values(["start_date", "recorded_on"])
    assert (
        ends.drop_duplicates("start_date", keep="last")["end_date"].dt.year.tolist() == [2023] * 3
    )
    (message,) = extract.problems.loc[extract.problems["rule"] == "two_days", "message"]
    assert message.startswith("1.csv: 1 rows hold another ReferenceDate than most rows")


@pytest.mark.parametrize(
    ("text", "kind", "table"),
    [
        (
            "UPN,School,Provider,Category,Start Date,End Date,Days per week\n"
            f"{UPN},900001,A unit,Permanent,04/09/2023,20/12/2023,5\n",
            "Placements with a provider",
            "suspensions",
        ),
        (
            "UPN,Year Group,School,Admission Date,Application Status\n"
            f"{UPN},Year 9,900001,11/11/2023,Refused\n",
            "Applications for places",
            "enrolments",
        ),
    ],
)
def test_placements_are_no_exclusions_and_applications_no_roll(
    tmp_path: Path, text: str, kind: str, table: str
) -> None:
    rows = []
    for name, files in (("without", {}), ("with", {"list.csv": text})):
        (tmp_path / name).mkdir()
        extract = read_beside(tmp_path / name, files)
        rows.append(len(extract.tables[table]) if table in extract.tables else 0)
    assert rows[0] == rows[1]
    (message,) = extract.problems.query("rule == 'not_used'")["message"]
    assert f"list.csv: is of the kind '{kind}' and was not used" in message
