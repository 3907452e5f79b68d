"""DfE code sets: what each code is, when it was in force, and that the sets hold together."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from riskmodel.data import TABLES
from riskmodel.data.codes import PERSISTENT, SEVERE, activity_groups, code_set, codes

SETS = [
    "marks",
    "reasons",
    "activities",
    "needs",
    "ethnicities",
    "extended_ethnicities",
    "circumstances",
    "national",
]
ETHNICITIES_2026 = """
WBRI WCOR WENG WNIR WSCO WWEL WOWB WIRI WIRT WOTH WALB WBOS WCRO WGRE WGRK WGRC WITA WKOS WPOR WSER WTUR
WTUK WTUC WEUR WEEU WWEU WOTW WROM WROG WROR WROO MWBC MWBA MWAS MWAP MWAI MWAO ABRI AWEL MOTH MAOE MABL
MACH MBOE MBCH MCOE MWOE MWCH MOTM AIND APKN AMPK AKPA AOPK ABAN AOTH AAFR AKAO ANEP ASNL ASLT ASRO AOTA
BBRI BWEL BCRB BAFR BANN BCON BGHA BNGN BSLN BSOM BSUD BAOF BOTH BEUR BNAM BOTB CHNE CHKC CMAL CSNG CTWN
COCH OOTH OAFG ORAB OARA OEGY OFIL OIRN OIRQ OJPN OKOR OKRD OLAM OLEB OLIB OMAL OMRC OPOL OTHA OVIE OYEM
OOEG NOBT REFU
"""
"""Code set of ethnicity in the School Census of 2026."""
FAMILIES = {"present", "approved_activity", "authorised", "unauthorised", "not_possible"}
NEW_ON = "2024-08-19"
"""The day the School Attendance (Pupil Registration) (England) Regulations 2024 came into force."""


@pytest.mark.parametrize("name", SETS)
def test_a_code_set_has_codes_and_labels_each_once(name: str) -> None:
    table = code_set(name)
    assert codes(name) == tuple(table.index)
    assert len(table) > 0
    assert table.index.is_unique
    assert table["label"].is_unique or name == "marks"  # J was an interview before J1 was
    cells = table.reset_index()
    for column in cells:
        assert (cells[column] == cells[column].str.strip()).all()
    assert (cells[["code", "label"]] != "").all(axis=None)


def test_every_ethnicity_of_the_census_is_a_main_code_or_rolls_up_to_one() -> None:
    main, extended = set(codes("ethnicities")), code_set("extended_ethnicities")
    assert set(ETHNICITIES_2026.split()) == (main - {"not_known"}) | set(extended.index)
    assert set(extended["main"]) <= main - {"REFU", "NOBT", "not_known"}
    assert not main & set(extended.index)
    assert set(extended["main_from"]) == {"guide", "list", "order", "recalled"}


@pytest.mark.parametrize("name", ["marks", "reasons"])
def test_a_code_is_in_force_from_a_day_to_a_later_one(name: str) -> None:
    table = code_set(name)
    for column in ("from", "to"):
        days = table.loc[table[column] != "", column]
        assert pd.to_datetime(days, format="%Y-%m-%d").notna().all()
    both = table[(table["from"] != "") & (table["to"] != "")]
    assert (both["from"] < both["to"]).all()


# Working together to improve school attendance (DfE, 2024), codes by what they count as
@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("present", {"/", "\\", "L"}),
        ("approved_activity", {"K", "V", "P", "W", "B", "J"}),
        ("authorised", {"C", "C1", "C2", "E", "I", "J1", "M", "R", "S", "T", "H", "F"}),
        ("unauthorised", {"G", "N", "O", "U"}),
        (
            "not_possible",
            {"D", "Q", "X", "Y", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7", "Z", "#"},
        ),
    ],
)
def test_a_mark_counts_as_in_the_guidance(family: str, expected: set[str]) -> None:
    marks = code_set("marks")
    assert set(marks.index[marks["family"] == family]) == expected
    assert set(marks["family"]) == FAMILIES


@pytest.mark.parametrize(
    ("column", "day", "expected"),
    [
        (
            "from",
            NEW_ON,
            {"K", "C1", "C2", "J1", "Q", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"},
        ),
        ("to", "2024-08-18", {"H", "F", "J", "Y"}),
    ],
)
def test_marks_changed_on_one_day(column: str, day: str, expected: set[str]) -> None:
    marks = code_set("marks")
    assert set(marks.index[marks[column] == day]) == expected
    assert set(marks[column]) == {"", day}


@pytest.mark.parametrize(("old", "new"), [("J", "J1"), ("Y", "Y1"), ("H", "C"), ("F", "C")])
def test_a_mark_that_ended_has_one_that_takes_its_place(old: str, new: str) -> None:
    marks = code_set("marks")
    assert marks.loc[old, "to"] == "2024-08-18"
    assert marks.loc[new, "from"] in {"", NEW_ON}
    assert marks.loc[new, "to"] == ""


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("210", "education"),
        ("290", "education"),
        ("310", "employment"),
        ("381", "employment"),
        ("550", "employment"),
        ("410", "training"),
        ("460", "training"),
        ("530", "reengagement"),
        ("540", "neet"),
        ("615", "neet"),
        ("619", "neet"),
        ("680", "neet"),
        ("710", "custody"),
        ("810", "not_known"),
        ("830", "not_known"),
        ("110", "not_known"),
        ("140", "not_known"),
    ],
)
def test_an_activity_is_of_its_group(code: str, group: str) -> None:
    assert code_set("activities").loc[code, "group"] == group


@pytest.mark.parametrize(
    ("low", "high", "groups"),
    [
        (200, 299, {"education"}),
        (300, 399, {"employment"}),
        (400, 499, {"training"}),
        (600, 699, {"neet"}),
        (800, 899, {"not_known"}),
    ],
)
def test_activities_of_a_hundred_are_of_one_group(low: int, high: int, groups: set[str]) -> None:
    activities = code_set("activities")
    number = activities.index.astype(int)
    assert set(activities["group"][(low <= number) & (number <= high)]) == groups


@pytest.mark.parametrize(
    ("major", "count"), [("White", 5), ("Mixed", 4), ("Asian", 5), ("Black", 3), ("Other", 1)]
)
def test_ethnicities_have_the_major_groups_of_the_census(major: str, count: int) -> None:
    assert (code_set("ethnicities")["major"] == major).sum() == count


@pytest.mark.parametrize("code", ["REFU", "NOBT", "not_known"])
def test_who_refused_or_was_not_asked_is_not_known(code: str) -> None:
    assert code_set("ethnicities").loc[code, "major"] == "not_known"


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        ("pupils", "ethnicity", "ethnicities"),
        ("sessions", "mark", "marks"),
        ("absence_totals", "mark", "marks"),
        ("suspensions", "reason_1", "reasons"),
        ("suspensions", "reason_2", "reasons"),
        ("suspensions", "reason_3", "reasons"),
        ("send", "primary_need", "needs"),
        ("send", "secondary_need", "needs"),
        ("circumstances", "kind", "circumstances"),
        ("destinations", "activity_code", "activities"),
    ],
)
def test_a_column_allows_the_codes_of_its_set_and_no_others(
    table: str, column: str, name: str
) -> None:
    assert TABLES[table][column].allowed == codes(name)


def test_the_group_of_a_position_is_one_that_the_code_set_knows() -> None:
    assert set(TABLES["destinations"]["group"].allowed) == set(code_set("activities")["group"])


@pytest.mark.parametrize(
    ("code", "own", "group"),
    [
        ("619", None, "neet"),
        ("619", "education", "education"),
        ("210", float("nan"), "education"),
        ("999", None, None),
        ("999", "training", "training"),
    ],
)
def test_the_group_of_an_authority_outranks_that_of_the_code(
    code: str, own: str | float | None, group: str | None
) -> None:
    rows = pd.DataFrame({"activity_code": [code], "group": pd.Series([own], dtype="object")})
    (found,) = activity_groups(rows)
    assert found == group if group else pd.isna(found)


@pytest.mark.parametrize("as_codes", [False, True])
def test_groups_are_the_same_for_text_and_categories(as_codes: bool) -> None:
    rows = pd.DataFrame({"activity_code": ["619", "210"], "group": ["training", None]})
    if as_codes:
        rows = rows.astype("category")
    assert activity_groups(rows).tolist() == ["training", "education"]


def test_no_positions_have_no_groups() -> None:
    rows = pd.DataFrame({"activity_code": [], "group": []}, dtype="str")
    assert activity_groups(rows).tolist() == []


@pytest.mark.parametrize("name", ["nothing", "mark", ""])
def test_a_code_set_that_there_is_not_is_named(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}.csv"):
        codes(name)


def test_absence_is_persistent_from_a_tenth_and_severe_from_a_half() -> None:
    # DfE, Pupil absence in schools in England, methodology
    assert (PERSISTENT, SEVERE) == (0.1, 0.5)


RATES = code_set("national")["national"].astype(float)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ("pex_primary", "pex_secondary"),
        ("pex_primary", "suspensions_primary"),
        ("pex_secondary", "suspensions_secondary"),
        ("suspended_primary", "suspensions_primary"),
        ("suspended_secondary", "suspensions_secondary"),
        ("severe_primary", "persistent_primary"),
        ("severe_secondary", "persistent_secondary"),
        ("severe_special", "persistent_special"),
        ("unauthorised_secondary", "absence_secondary"),
        ("absence_primary", "absence_secondary"),
        ("fsm_primary", "fsm"),
        ("fsm", "fsm_secondary"),
    ],
)
def test_published_rates_are_in_the_order_they_must_be(smaller: str, larger: str) -> None:
    assert 0 < RATES[smaller] < RATES[larger] < 100


@pytest.mark.parametrize("word", ["label", "unit", "national", "year", "source"])
def test_every_published_rate_has_its_unit_year_and_source(word: str) -> None:
    assert (code_set("national")[word] != "").all()


@pytest.mark.parametrize(
    ("one", "other"), list(itertools.combinations(["marks", "reasons", "needs"], 2))
)
def test_code_sets_are_read_once_and_apart(one: str, other: str) -> None:
    assert code_set(one) is code_set(one)
    assert code_set(one) is not code_set(other)
