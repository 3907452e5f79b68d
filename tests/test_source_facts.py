"""Each source alone: the facts that rows of a file make, and what such rows leave out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from riskmodel.data.codes import codes
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.census import DAYS_TO_LA, term_end
from riskmodel.data.read.sources.source import Context, with_plain_columns

BY_NAME = {one.name: one for one in SOURCES}
CENSUS_DAY = "2024-01-18"
KNOWN = pd.Timestamp(CENSUS_DAY) + pd.Timedelta(days=DAYS_TO_LA)


def context(**more: Any) -> Context:
    """Return the context of the files of one census of one pupil."""
    censuses = pd.DataFrame(
        {"school_id": ["900001"], "day": pd.to_datetime([CENSUS_DAY]).as_unit("s")}, index=["c"]
    )
    return Context(
        censuses=censuses,
        pupil_of_row=pd.Series({"r": "A"}),
        census_of_row=pd.Series({"r": "c"}),
        entry_of_row=pd.Series({"r": pd.Timestamp("2023-09-04")}),
        **more,
    )


def facts(source: str, table: str, *rows: dict[str, Any], **more: Any) -> pd.DataFrame:
    """Return the facts of a table that rows of a file make; the pupil of each is A."""
    one = BY_NAME[source]
    raw = pd.DataFrame(list(rows), dtype="object")
    raw = raw.astype({name: "str" for name in raw if raw[name].map(type).isin([str]).all()})
    frame = with_plain_columns(raw, one.aliases)
    if one.upn:
        frame = frame.assign(pupil_id="A")
    assert one.facts is not None
    return one.facts(frame, context(**more))[table]


def shown(frame: pd.DataFrame, *names: str) -> list[list[object]]:
    """Return cells as text, None where missing, days as dates."""
    cells = []
    for row in frame[list(names)].itertuples(index=False):
        cells.append(
            [
                None
                if pd.isna(cell)
                else f"{cell:%Y-%m-%d}"
                if isinstance(cell, pd.Timestamp)
                else cell
                for cell in row
            ]
        )
    return cells


# ---- the School Census


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("2024-01-18", "2023-12-31"),  # spring census: the autumn term
        ("2024-05-16", "2024-04-15"),  # summer census: the spring term
        ("2024-10-03", "2024-05-31"),  # autumn census: the first half of the summer term
        ("2020-01-16", "2019-12-31"),
        ("2024-02-01", None),
        ("2024-12-31", None),
        (None, None),
    ],
)
def test_a_census_holds_the_attendance_of_the_term_before(day: str | None, end: str | None) -> None:
    (found,) = term_end(pd.Series(pd.to_datetime([day]).astype("datetime64[s]")))
    assert pd.isna(found) if end is None else found == pd.Timestamp(end)


PUPIL = {
    "PupilOnRollTableID": "r",
    "SchoolCensusTableID": "c",
    "UPN": "u",
    "DOB": "2012-10-03",
    "EntryDate": "2023-09-04",
    "NCyearActual": "7",
}


def rolls(**change: Any) -> pd.DataFrame:
    return facts("School Census: pupils on roll", "enrolments", PUPIL | change)


@pytest.mark.parametrize(
    ("year", "entry", "group"),
    [
        ("7", "2023-09-04", 7),  # entered in the year of the census
        ("7", "2023-08-31", 6),  # and a day before it began
        ("7", "2020-09-04", 4),
        ("R", "2023-09-04", 0),
        ("N2", "2023-09-04", -1),
        ("N1", "2023-09-04", -2),
        ("E1", "2023-09-04", -4),
        (" 7 ", "2023-09-04", 7),
        ("14", "2023-09-04", 14),
        # by age: born in October 2012, in Year 6 from September 2023
        ("X", "2023-09-04", 6),
        ("M", "2023-09-04", 6),
        ("", "2023-09-04", 6),
        ("15", "2023-09-04", 6),
        ("R", "2010-09-04", -4),  # before there was a year group
    ],
)
def test_the_year_group_of_a_roll_is_that_at_entry(year: str, entry: str, group: int) -> None:
    assert rolls(NCyearActual=year, EntryDate=entry)["year_group"].tolist() == [group]


@pytest.mark.parametrize(
    ("born", "group"),
    [("2012-08-31", 7), ("2012-09-01", 6), ("2000-01-01", 14), ("2023-01-01", -4)],
)
def test_without_a_year_group_age_gives_it(born: str, group: int) -> None:
    # Year 7 of 2023/24: born from September 2011 to August 2012
    assert rolls(NCyearActual="X", DOB=born)["year_group"].tolist() == [group]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("C", "main"),
        ("M", "main"),
        ("S", "dual"),
        (" s ", "dual"),
        ("F", "main"),
        ("", "main"),
        ("G", "dual"),
        ("Subsidiary", "dual"),
        ("Current Main (dual registration)", "main"),
        ("Current Subsidiary (dual registration)", "dual"),
    ],
)
def test_a_subsidiary_registration_is_a_dual_one(code: str, status: str) -> None:
    assert rolls(EnrolStatus=code)["status"].tolist() == [status]


@pytest.mark.parametrize(("leaving", "is_reported"), [("2023-12-01", True), (None, False)])
def test_an_end_is_known_with_the_return_that_reports_it(
    leaving: str | None, is_reported: bool
) -> None:
    made = rolls(LeavingDate=leaving)
    assert made["recorded_on"].tolist() == [KNOWN]
    assert made["end_recorded_on"].notna().tolist() == [is_reported]


@pytest.mark.parametrize(
    ("code", "provision"),
    [
        ("K", ["K"]),
        ("E", ["E"]),
        ("N", ["N"]),
        ("S", ["E"]),
        ("A", ["K"]),
        ("P", ["K"]),
        (" k ", ["K"]),
        ("?", ["?"]),
        ("", []),
        (None, []),
    ],
)
def test_provision_of_before_2014_is_that_of_today(code: str | None, provision: list[str]) -> None:
    made = facts("School Census: pupils on roll", "send", PUPIL | {"SENprovision": code})
    assert made["provision"].tolist() == provision
    assert shown(made, "start_date") == [[CENSUS_DAY]] * len(provision)


@pytest.mark.parametrize(
    ("code", "denied"),
    [("P", [False]), ("S", [False]), ("N", [True]), ("U", []), ("", []), (None, [])],
)
def test_a_young_carer_is_reported_by_parent_or_school(
    code: str | None, denied: list[bool]
) -> None:
    made = facts("School Census: pupils on roll", "circumstances", PUPIL | {"YoungCarer": code})
    assert made["kind"].tolist() == ["young_carer"] * len(denied)
    assert made["_denied"].tolist() == denied


@pytest.mark.parametrize(
    ("change", "cells"),
    [
        ({"Category": "FIXD"}, ["SUSP", "DB", None]),
        ({"Category": " susp "}, ["SUSP", "DB", None]),
        ({"Category": "PERM"}, ["PERM", "DB", None]),
        ({"Category": "LNCH"}, ["LNCH", "DB", None]),
        ({"Reason1": "PP", "Reason2": "VA"}, ["SUSP", "PP", "VA"]),  # since 2020 three reasons
    ],
)
def test_an_exclusion_of_the_census_has_category_and_reasons(
    change: dict[str, str], cells: list[str | None]
) -> None:
    row = {"PupilOnRollTableID": "r", "StartDate": "2023-10-07", "Category": "SUSP", "Reason": "DB"}
    made = facts("School Census: exclusions", "suspensions", row | change)
    assert shown(made, "category", "reason_1", "reason_2") == [cells]
    assert shown(made, "pupil_id", "school_id") == [["A", "900001"]]
    assert made["recorded_on"].tolist() == [KNOWN]


@pytest.mark.parametrize(
    ("source", "more", "end"),
    [
        ("School Census: attendance", {}, "2023-12-31"),
        (
            "School Census: attendance, second half of summer",
            {"SummerHalfTerm2SessionDetailsOnRollTableID": "9"},
            "2024-03-01",  # 61 days on from the end of the first half
        ),
    ],
)
def test_termly_attendance_ends_with_its_term(source: str, more: dict[str, str], end: str) -> None:
    row = {"PupilOnRollTableID": "r", "AttendanceReason": "I", "AbsenceSessions": "6"} | more
    made = facts(source, "absence_totals", row)
    assert shown(made, "pupil_id", "term_end", "mark", "sessions") == [["A", end, "I", "6"]]


def test_the_second_half_of_summer_ends_with_july() -> None:
    autumn = pd.Series(pd.to_datetime(["2024-10-03"]).as_unit("s"))
    assert (term_end(autumn) + pd.Timedelta(days=61)).tolist() == [pd.Timestamp("2024-07-31")]


@pytest.mark.parametrize(
    ("rank", "first", "second"),
    [
        ("1", "SEMH", None),
        ("2", None, "SEMH"),
        ("3", None, None),
        ("Primary", "SEMH", None),
        ("secondary need", None, "SEMH"),
    ],
)
@pytest.mark.parametrize("source", ["School Census: SEN needs", "SEN2: needs"])
def test_a_need_is_the_primary_or_the_secondary_one(
    source: str, rank: str, first: str | None, second: str | None
) -> None:
    row = {"PupilOnRollTableID": "r", "UPN": "u", "SENtype": "SEMH", "SENtypeRank": rank}
    made = facts(source, "needs", row)
    assert shown(made, "primary_need", "secondary_need") == [[first, second]]


@pytest.mark.parametrize(
    ("post", "decile"), [("AB1 2CD", 3.0), ("ab12cd", 3.0), (" A B12CD ", 3.0), ("ZZ1 1ZZ", None)]
)
@pytest.mark.parametrize("looked_up", [True, False])
def test_an_address_has_the_deciles_of_its_postcode(
    post: str, decile: float | None, looked_up: bool
) -> None:
    deciles = pd.DataFrame({"idaci_decile": [3.0], "imd_decile": [4.0]}, index=["AB12CD"])
    row = {"PupilOnRollTableID": "r", "PostCode": post}
    more = {"deciles": deciles} if looked_up else {}
    made = facts("School Census: addresses", "neighbourhood", row, **more)
    assert shown(made, "idaci_decile") == [[decile if looked_up else None]]


def test_rows_of_a_pupil_that_nobody_knows_name_nobody() -> None:
    row = {"PupilOnRollTableID": "other", "FSMstartDate": "2021-09-06"}
    made = facts("School Census: free school meals", "circumstances", row)
    assert made[["pupil_id", "recorded_on"]].isna().all(axis=None)


# ---- what schools and the LA itself report


@pytest.mark.parametrize(
    ("number", "school"),
    [("4001", "900001"), (" 4001", "900001"), ("12", "0012"), ("0012", "0012"), ("9", "900009")],
)
def test_a_school_is_known_by_its_number(number: str, school: str) -> None:
    row = {"UPN": "u", "EstablishmentNumber": number, "Category": "FIXD", "StartDate": "2024-09-10"}
    schools = pd.Series({"4001": "900001", "0009": "900009"})
    made = facts("Suspensions and exclusions", "suspensions", row, school_of_number=schools)
    assert shown(made, "school_id", "category") == [[school, "SUSP"]]


SPELL = {"UPN": "u", "Start Date": "2024-09-02", "End Date": None}


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("Early Help", "early_help"),
        (" youth justice ", "youth_justice"),
        ("Elective home education", "home_educated"),
        ("HOME EDUCATION", "home_educated"),
        ("Alternative provision", "alternative_provision"),
        ("Young carer", "young_carer"),
        ("Chess club", "Chess club"),  # no kind: the reader reports it as an unknown code
    ],
)
def test_a_service_of_a_spell_list_is_a_kind(service: str, kind: str) -> None:
    made = facts("Spell list", "circumstances", SPELL | {"Service": service})
    assert shown(made, "kind", "recorded_on") == [[kind, "2024-10-02"]]


@pytest.mark.parametrize(
    ("group", "kind"),
    [("Early Help", "early_help"), ("Refugee", "vulnerable"), ("Young carer", "young_carer")],
)
def test_a_group_of_vulnerable_pupils_is_a_kind_or_vulnerable(group: str, kind: str) -> None:
    row = SPELL | {"Vulnerability Category": group}
    made = facts("The LA's list of vulnerable pupils", "circumstances", row)
    assert made["kind"].tolist() == [kind]


@pytest.mark.parametrize(
    ("offer", "n"),
    [
        ("No offer", 1),
        ("NO", 1),
        (" n ", 1),
        ("false", 1),
        ("0", 1),
        ("Not made", 1),
        ("Yes", 0),
        ("Offer made", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_no_offer_under_the_september_guarantee_is_a_circumstance(
    offer: str | None, n: int
) -> None:
    row = {"UPN": "u", "Offer": offer, "Offer status date": "2024-10-01"}
    made = facts("September Guarantee", "circumstances", row)
    expected = [["no_september_offer", "2024-10-01", "2024-10-01"]] * n
    assert shown(made.astype("object"), "kind", "start_date", "recorded_on") == expected


@pytest.mark.parametrize(
    ("source", "start", "end", "recorded", "kind"),
    [
        ("Young carers", "YoungCarerSince", "YoungCarerUntil", "Date recorded", "young_carer"),
        ("Young carers", "Young carer from", "Young carer end date", "Recorded", "young_carer"),
        ("Elective home education", "EHE start", "EHE end", "Date notified", "home_educated"),
        (
            "Elective home education",
            "Date EHE started",
            "Date EHE ended",
            "Date recorded",
            "home_educated",
        ),
    ],
)
def test_a_list_is_read_by_any_of_its_names(
    source: str, start: str, end: str, recorded: str, kind: str
) -> None:
    row = {"UPN": "u", start: "2024-09-02", end: "2025-01-10", recorded: "2024-09-20"}
    made = facts(source, "circumstances", row)
    assert shown(made, "kind", "start_date", "end_date", "recorded_on", "end_recorded_on") == [
        [kind, "2024-09-02", "2025-01-10", "2024-09-20", "2025-01-11"]
    ]


# ---- social care, SEN2


CIN = {
    "LAchildID": "7",
    "UPN": "u",
    "CINreferralDate": "2023-10-02",
    "CINclosureDate": None,
    "CPPstartDate": None,
    "CPPendDate": None,
}


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, ["child_in_need"]),
        ({"CPPstartDate": "2023-11-01"}, ["child_in_need", "child_protection"]),
        (
            {"CPPstartDate": "soon"},
            ["child_in_need", "child_protection"],
        ),  # set aside, and reported
    ],
)
def test_a_child_in_need_may_be_under_protection_too(
    change: dict[str, str], kinds: list[str]
) -> None:
    made = facts("CIN census, flat", "circumstances", CIN | change)
    assert made["kind"].tolist() == kinds
    assert shown(made, "recorded_on")[0] == ["2023-10-03"]


CIN_ACTION = {"ReferralNFA": None, "ReasonForClosure": None}


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"ReferralNFA": "1"}, []),
        ({"ReferralNFA": "true"}, []),
        ({"ReferralNFA": "Yes"}, []),
        ({"ReferralNFA": "0"}, [None]),
        ({"ReferralNFA": "false"}, [None]),
        ({"CINclosureDate": "2024-03-01", "ReasonForClosure": "RC8"}, ["2024-03-01"]),
        ({"ReasonForClosure": "RC7"}, ["closed on no day that is given"]),
        ({"ReferralNFA": "1", "CINreferralDate": None}, []),
    ],
)
def test_a_referral_without_further_action_makes_no_child_in_need(
    change: dict[str, str], ends: list[str | None]
) -> None:
    made = facts("CIN census, flat", "circumstances", CIN | CIN_ACTION | change)
    assert shown(made, "end_date") == [[end] for end in ends]


@pytest.mark.parametrize(
    ("status", "start", "n"),
    [
        ("C2", "2023-10-02", 1),
        ("V2", "2023-10-02", 1),
        ("V3", "2023-10-02", 0),
        ("V4", "2023-10-02", 0),
        ("v3", "2023-10-02", 0),
        ("C2", None, 1),  # without its first day it is set aside, with a message
        (None, "2023-10-02", 1),
    ],
)
def test_a_short_break_is_no_care(status: str | None, start: str, n: int) -> None:
    row = {"Child": "7", "DECOM": start, "RNE": "S", "LS": status, "DEC": "2024-03-01"}
    made = facts("SSDA903: episodes", "circumstances", row)
    assert shown(made, "kind", "end_recorded_on") == [["looked_after", "2024-03-02"]] * n


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("Y", "issued"),
        ("N", "refused"),
        ("W", "withdrawn"),
        (" y", "issued"),
        ("H", "H"),
    ],  # reported
)
def test_a_request_for_a_plan_has_an_outcome(code: str, outcome: str | None) -> None:
    row = {
        "UPN": "u",
        "ReceivedDate": "2024-09-02",
        "RequestOutcome": code,
        "RequestOutcomeDate": "2024-10-14",
    }
    made = facts("SEN2: requests", "plans", row)
    assert shown(made, "outcome", "recorded_on") == [[outcome, "2024-09-03"]]


@pytest.mark.parametrize(("cease", "known"), [("2024-07-20", "2024-07-21"), (None, None)])
def test_a_plan_is_known_from_its_first_day_and_its_end_from_the_day_after(
    cease: str | None, known: str | None
) -> None:
    row = {"UPN": "u", "StartDate": "2023-09-04", "CeaseDate": cease, "CeaseReason": ""}
    made = facts("SEN2: named plans", "send", row)
    assert shown(made, "provision", "recorded_on", "end_recorded_on") == [
        ["E", "2023-09-04", known]
    ]


# ---- young people over 16, results, schools

CLIENT = {
    "UniquePupilNumber": "u",
    "ActivityCode": "619",
    "StartDate": "2024-09-02",
    "DateAscertained": "2024-09-30",
    "YearOfBirth": "2007",
    "MonthOfBirth": "11",
}


@pytest.mark.parametrize(
    ("change", "day"),
    [({}, "2024-09-30"), ({"DateVerified": "2024-10-31"}, "2024-10-31")],
    ids=["ascertained", "verified"],
)
def test_a_position_is_confirmed_on_the_day_it_was_verified(
    change: dict[str, str], day: str
) -> None:
    made = facts("NCCIS clients", "destinations", CLIENT | change)
    assert shown(made, "activity_code", "confirmed_on", "recorded_on") == [["619", day, day]]


@pytest.mark.parametrize(
    ("year", "month", "born"),
    [
        ("2007", "11", "2007-11-01"),
        ("2007", "1", "2007-01-01"),
        ("2007", "13", None),
        ("2007", "", None),
        ("", "11", None),
    ],
)
def test_a_birth_month_is_known_if_year_and_month_are(
    year: str, month: str, born: str | None
) -> None:
    made = facts("NCCIS clients", "pupils", CLIENT | {"YearOfBirth": year, "MonthOfBirth": month})
    assert shown(made, "birth_month") == [[born]]


@pytest.mark.parametrize("gender", ["F", " M ", "Female", "U", "W", ""])
def test_the_gender_of_a_client_is_left_to_the_reader_of_codes(gender: str) -> None:
    made = facts("NCCIS clients", "pupils", CLIENT | {"Gender": gender})
    assert made["sex"].tolist() == [gender]


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        ("110", ["looked_after"]),
        ("110, 140", ["looked_after", "young_carer"]),
        ("110;999", ["looked_after"]),
        ("120", ["pregnant_or_parent"]),
        ("180", ["pregnant_or_parent"]),
        ("190", ["pregnant_or_parent"]),
        ("170", ["youth_justice"]),
        ("200", ["alternative_provision"]),
        ("999", []),
        ("", []),
    ],
)
def test_characteristics_may_share_one_cell(written: str, kinds: list[str]) -> None:
    row = CLIENT | {"CharacteristicCode": written}
    assert facts("NCCIS clients", "circumstances", row)["kind"].tolist() == kinds


@pytest.mark.parametrize(
    ("source", "column", "value", "expected"),
    [
        # KS2 (104, 7), Attainment 8 (46, 17): mean and spread of the standard
        ("Key stage 2 results", "ReadScore", "111", ("KS2", "reading", 1.0, "2024-07-10")),
        ("Key stage 2 results", "ReadScore", "104", ("KS2", "reading", 0.0, "2024-07-10")),
        (
            "Key stage 2 results",
            "ReadScore",
            "A",
            ("KS2", "reading", "A (not a key stage 2 score)", "2024-07-10"),
        ),  # reported
        (
            "Key stage 2 results",
            "ReadScore",
            "5",
            ("KS2", "reading", "5 (not a key stage 2 score)", "2024-07-10"),
        ),
        ("Key stage 4 results", "Att8", "29", ("KS4", "attainment_8", -1.0, "2024-08-22")),
        ("Key stage 4 results", "Att8", "46", ("KS4", "attainment_8", 0.0, "2024-08-22")),
    ],
)
def test_a_result_is_standardised_and_dated(
    source: str, column: str, value: str, expected: tuple[object, ...]
) -> None:
    made = facts(source, "attainment", {"UPN": "u", "ACADYR": "2024", column: value})
    assert shown(made, "stage", "subject", "score", "result_date") == [list(expected)]
    assert (made["recorded_on"] - made["result_date"]).dt.days.tolist() == [30]


@pytest.mark.parametrize("year", ["2023/25", "", "1e12"])
def test_a_result_of_a_year_that_cannot_be_read_has_no_day(year: str) -> None:
    written = f"{year} (not a school year)" if year else None
    row = {"UPN": "u", "ACADYR": year, "ReadScore": "104"}
    made = facts("Key stage 2 results", "attainment", row)
    assert shown(made, "result_date", "recorded_on") == [[written, None]]


@pytest.mark.parametrize(
    ("phase", "kind", "expected"),
    [
        ("Primary", "Community school", ("primary", "mainstream")),
        ("Middle deemed primary", "Academy converter", ("primary", "mainstream")),
        ("Secondary", "Foundation special school", ("secondary", "special")),
        ("Middle deemed secondary", "Community school", ("secondary", "mainstream")),
        ("16 plus", "Further education", ("post16", "mainstream")),
        ("All-through", "Academy special sponsor led", ("all_through", "special")),
        ("Not applicable", "Pupil referral unit", ("all_through", "AP")),
        ("Not applicable", "Academy alternative provision converter", ("all_through", "AP")),
        ("Not applicable", "Free schools alternative provision", ("all_through", "AP")),
    ],
)
def test_phase_and_kind_of_a_school_follow_from_the_register_of_schools(
    phase: str, kind: str, expected: tuple[str, str]
) -> None:
    row = {
        "URN": "900001",
        "LA (code)": "839",
        "PhaseOfEducation (name)": phase,
        "TypeOfEstablishment (name)": kind,
    }
    made = facts("Schools (Get Information about Schools)", "schools", row)
    assert shown(made, "phase", "kind") == [list(expected)]


# ---- registers


@pytest.mark.parametrize(
    ("start", "marks", "expected"),
    [
        ("2024-09-02", "/\\", ["09-02 AM /", "09-02 PM \\"]),
        ("2024-09-02", "/", ["09-02 AM /"]),
        ("2024-09-02", "", []),
        ("2024-09-02", "--/\\", ["09-03 AM /", "09-03 PM \\"]),
        ("2024-09-02", "## /", ["09-03 PM /"]),
        ("2024-09-02", "C2,,I", ["09-02 AM C2", "09-03 AM I"]),
        (
            "2024-09-05",
            "/\\/\\----/\\",
            ["09-05 AM /", "09-05 PM \\", "09-06 AM /", "09-06 PM \\", "09-09 AM /", "09-09 PM \\"],
        ),
        # from Thursday on without weekends: what would be Saturday is Monday
        (
            "2024-09-05",
            "/\\/\\/\\",
            ["09-05 AM /", "09-05 PM \\", "09-06 AM /", "09-06 PM \\", "09-09 AM /", "09-09 PM \\"],
        ),
    ],
)
def test_a_string_of_marks_is_laid_out_two_a_day(
    start: str, marks: str, expected: list[str]
) -> None:
    row = {"UPN": "u", "Start date": start, "Marks": marks}
    made = facts("Register marks, strings", "sessions", row)
    found = made["date"].dt.strftime("%m-%d") + " " + made["session"] + " " + made["mark"]
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [(code, code) for code in codes("marks")]
    + [(f"T_Reason_{code}", code) for code in codes("marks") if code.isalnum()],
)
def test_every_code_may_be_the_name_of_a_column(name: str, code: str) -> None:
    row = {"UPN": "u", "Term end date": "2023-12-31", name: "4"}
    made = facts("Attendance by code, term end given", "absence_totals", row)
    assert shown(made, "mark", "sessions", "term_end") == [[code, "4", "2023-12-31"]]


@pytest.mark.parametrize(
    ("written", "n"), [("4", 1), ("0", 0), ("", 0), (" ", 0), (None, 0), ("many", 1), ("0.0", 0)]
)
def test_a_code_that_was_never_used_makes_no_row(written: str | None, n: int) -> None:
    row = {"UPN": "u", "Term end date": "2023-12-31", "I": written}
    made = facts("Attendance by code, term end given", "absence_totals", row)
    assert len(made) == n  # what is no number goes on, and is reported there


def test_attendance_of_a_census_day_is_known_when_the_la_holds_the_return() -> None:
    row = {"UPN": "u", "Census date": CENSUS_DAY, "I": "4", "M": "1"}
    made = facts("Attendance by code, census day given", "absence_totals", row)
    assert made["mark"].tolist() == ["I", "M"]
    assert set(made["term_end"]) == {pd.Timestamp("2023-12-31")}
    assert set(made["recorded_on"]) == {KNOWN}


WITH_FACTS = [one for one in SOURCES if one.facts is not None]


@pytest.mark.parametrize("one", WITH_FACTS, ids=lambda one: one.name)
def test_rows_of_blank_cells_make_facts_that_keep_their_row(one: Any) -> None:
    frame = pd.DataFrame({name: ["", ""] for name in sorted(one.columns)}, dtype="str")
    frame = frame.set_axis([3, 8]).assign(pupil_id="A")
    for made in one.facts(frame, context()).values():
        assert set(made.index) <= {3, 8}
