"""Each kind of file beside a small census: what it makes, when it was known, and that it cannot break."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.read import Extract, read
from riskmodel.data.read.sources import SOURCES
from riskmodel.errors import DataError
from riskmodel.labels import label
from tests.returns import CENSUS, CENSUS_XML, PARTS, UPN, read_beside, write_two_terms
from tests.strategies import examples

JANUARY = pd.Timestamp("2024-02-22")
"""When the LA held the two returns."""


def balances(extract: Extract) -> bool:
    counts = extract.reconciliation
    counted = counts[PARTS].sum(axis=1)
    aside = extract.rejects.groupby("file").size().reindex(counts["file"]).fillna(0)
    return bool((counts["rows_read"] == counted).all()) and bool(
        (aside.to_numpy() == counts["rows_rejected"].to_numpy()).all()
    )


def marks_of(extract: Extract) -> list[tuple[str, str, str]]:
    found = extract.tables["sessions"]
    return [(f"{row.date:%a %d %b}", str(row.session), str(row.mark)) for row in found.itertuples()]


# --- attendance


def test_a_string_of_marks_runs_over_weekends_day_by_day(tmp_path: Path) -> None:
    # Friday 8 March 2024: two marks, a closed weekend, and Monday morning
    extract = read_beside(
        tmp_path,
        {"m.csv": f"UPN,Attendance start date,Attendance marks\n{UPN},2024-03-08,/I####L-\n"},
    )
    assert marks_of(extract) == [
        ("Fri 08 Mar", "AM", "/"),
        ("Fri 08 Mar", "PM", "I"),
        ("Mon 11 Mar", "AM", "L"),
    ]


def test_a_string_of_marks_without_weekends_counts_school_days(tmp_path: Path) -> None:
    extract = read_beside(
        tmp_path, {"m.csv": f"UPN,Start date,Attendance marks\n{UPN},2024-03-08,/ILO\n"}
    )
    assert marks_of(extract)[2:] == [("Mon 11 Mar", "AM", "L"), ("Mon 11 Mar", "PM", "O")]
    known = extract.tables["sessions"]["recorded_on"] - extract.tables["sessions"]["date"]
    assert (known == pd.Timedelta(days=1)).all()


def test_one_mistyped_start_moves_no_string_of_another_pupil(tmp_path: Path) -> None:
    """Strings over weekends, of which one begins on Sunday 10 March in place of Monday."""
    starts = ["2024-03-08", "2024-03-10", "2024-03-08"]
    strings = ["/I####L-", "/I/I/I/I/I####L-", "/O####O-"]
    rows = "".join(f"{UPN},{a},{b}\n" for a, b in zip(starts, strings, strict=True))
    extract = read_beside(
        tmp_path, {"m.csv": f"UPN,Attendance start date,Attendance marks\n{rows}"}
    )
    assert {day for day, _, _ in marks_of(extract)} == {"Fri 08 Mar", "Mon 11 Mar"}
    assert extract.rejects["row"].tolist() == [3]
    (message,) = extract.problems.loc[extract.problems["rule"] == "bad_date", "message"]
    assert "has marks on a Saturday or Sunday, unlike the other strings" in message


def test_marks_of_two_letters_are_parted_by_commas(tmp_path: Path) -> None:
    extract = read_beside(
        tmp_path,
        {"m.csv": f'UPN,Attendance start date,Attendance marks\n{UPN},2024-09-09,"C2,/,,Y1"\n'},
    )
    assert [mark for _, _, mark in marks_of(extract)] == ["C2", "/", "Y1"]
    assert marks_of(extract)[2][:2] == ("Tue 10 Sep", "PM")


@pytest.mark.parametrize("old", [True, False])
def test_attendance_wide_by_code_sums_columns_not_totals(tmp_path: Path, *, old: bool) -> None:
    names = [f"T_Reason_{code}" if old else code for code in ("I", "M", "O")]
    text = f"UPN,Census date,{','.join(names)},TermlySessionsAuthorised\n{UPN},2024-01-18,6,0,9,2\n"
    extract = read_beside(tmp_path, {"wide.csv": text})
    totals = extract.tables["absence_totals"]
    assert dict(zip(totals["mark"], totals["sessions"], strict=True)) == {"I": 6, "O": 9}
    assert set(totals["term_end"]) == {pd.Timestamp("2023-12-31")}
    assert set(totals["recorded_on"]) == {JANUARY}


def test_both_halves_of_summer_are_counted(tmp_path: Path) -> None:
    first = "pupilonrolltableid,attendancereason,sessions\n2,I,3.0\n"
    second = (
        "pupilonrolltableid,summerhalfterm2sessiondetailsonrolltableid,attendancereason,sessions\n"
        "2,77,I,5.0\n"
    )
    extract = read_beside(tmp_path, {"a.csv": first, "b.csv": second})
    totals = extract.tables["absence_totals"]
    assert totals["sessions"].tolist() == [3, 5]
    assert totals["term_end"].dt.strftime("%m-%d").tolist() == ["05-31", "07-31"]
    assert extract.reconciliation["rows_merged"].sum() == 0


# --- circumstances


@pytest.mark.parametrize(
    ("text", "kind", "start", "known"),
    [
        (f"UPN,Young carer since\n{UPN},2023-11-01\n", "young_carer", "2023-11-01", "2023-12-01"),
        (
            f"UPN,EHE start date,Date notified\n{UPN},2023-11-01,2023-11-20\n",
            "home_educated",
            "2023-11-01",
            "2023-11-20",
        ),
        (
            f"UPN,Vulnerability,Date added\n{UPN},Missing often,2023-11-01\n",
            "vulnerable",
            "2023-11-01",
            "2023-12-01",
        ),
        (
            f"UPN,Vulnerability,Date added\n{UPN},Early help,2023-11-01\n",
            "early_help",
            "2023-11-01",
            "2023-12-01",
        ),
        (
            f"UPN,Offer made,Status date\n{UPN},No,2023-09-30\n",
            "no_september_offer",
            "2023-09-30",
            "2023-09-30",
        ),
        (
            "pupilonrolltableid,apsettingtype,placementreason,entrydate,leavingdate\n"
            "1,OTH,BHS,2023-Nov-06 00:00:00,\n",
            "alternative_provision",
            "2023-11-06",
            f"{JANUARY:%F}",
        ),
        (
            "pupilonrolltableid,apreason,prevurn\n1,PEX,900002\n",
            "alternative_provision",
            "2023-09-04",
            f"{JANUARY:%F}",
        ),
        (
            "pupilonrolltableid,supportcode\n1,55\n",
            "learner_support",
            "2024-01-18",
            f"{JANUARY:%F}",
        ),
    ],
)
def test_lists_and_placements_become_circumstances(
    tmp_path: Path, text: str, kind: str, start: str, known: str
) -> None:
    extract = read_beside(tmp_path, {"one.csv": text})
    (row,) = extract.tables["circumstances"].itertuples()
    assert row.kind == kind
    assert (f"{row.start_date:%F}", f"{row.recorded_on:%F}") == (start, known)
    assert balances(extract)


def test_a_flag_of_the_census_after_a_spell_with_dates_counts_again_and_leaves_it_whole(
    tmp_path: Path,
) -> None:
    flags = CENSUS["pupils.csv"].replace("senprovision", "senprovision,youngcarer")
    flags = flags.replace(",N\n", ",N,S\n")
    since = "UPN,Young carer since,Young carer end date,Date recorded\n"
    since += f"{UPN},2022-01-01,2023-06-30,2022-02-01\n"
    files = {"census pupils.csv": flags, "carers.csv": since}
    extract = read_beside(tmp_path, files)
    dated, flagged = extract.tables["circumstances"].itertuples()
    assert f"{dated.start_date:%F} {dated.end_date:%F}" == "2022-01-01 2023-06-30"
    assert flagged.start_date == pd.Timestamp("2024-01-18")
    assert pd.isna(flagged.end_date)


# --- NCCIS


NCCIS = (
    "UniquePupilNumber,ActivityCode,StartDate,DateVerified,YearOfBirth,MonthOfBirth,Gender,Ethnicity,"
    "CharacteristicCode\n"
) + "".join(
    f"{UPN},540,{month}-01,{month}-28,2012,10,F,WBRI,140;190\n"
    for month in ("2029-12", "2030-01", "2030-02")
)


def test_characteristics_of_nccis_are_circumstances(tmp_path: Path) -> None:
    extract = read_beside(tmp_path, {"nccis.csv": NCCIS})
    found = extract.tables["circumstances"]
    assert sorted(found["kind"].astype("str")) == ["pregnant_or_parent", "young_carer"]
    assert set(found["recorded_on"]) == {pd.Timestamp("2029-12-28")}


@pytest.mark.parametrize(("group", "expected"), [("", "event"), ("employment", "no_event")])
def test_an_la_groups_activities_its_own_way(tmp_path: Path, group: str, expected: str) -> None:
    files = {"nccis.csv": NCCIS}
    if group:
        files["groups.csv"] = f"Activity code,Activity group\n540,{group.title()}\n"
    tables = read_beside(tmp_path, files).tables
    spine = pd.DataFrame(
        {
            "pupil_id": tables["pupils"]["pupil_id"],
            "as_of": pd.Timestamp("2028-10-01").as_unit("s"),
            "year_group": 11,
            "school_id": "900001",
        }
    )
    (status,) = label(tables, spine, "neet", known_by=pd.Timestamp("2030-06-01"))["status"]
    assert status == expected


def test_a_position_confirmed_each_month_with_its_first_day_stays_known(tmp_path: Path) -> None:
    head, *rows = NCCIS.splitlines()
    rows = [f"{row},2030-04-01".replace(",540,", ",230,") for row in rows]
    rows = [re.sub(r",20\d\d-\d\d-01,", ",2029-09-03,", row, count=1) for row in rows]
    text = "\n".join([f"{head},DueToLapseDate", *rows]) + "\n"
    found = read_beside(tmp_path, {"nccis.csv": text}).tables["destinations"]
    assert set(found["start_date"]) == {pd.Timestamp("2029-09-03")}
    assert [f"{day:%F}" for day in found["confirmed_on"]] == [
        "2029-12-28",
        "2030-01-28",
        "2030-02-28",
    ]
    assert set(found["lapses_on"]) == {pd.Timestamp("2030-04-01")}


# --- exclusions


def test_an_exclusion_is_overturned_from_the_day_a_return_shows_it(tmp_path: Path) -> None:
    found = (
        "UPN,Estab,Category,StartDate,DateNotified\n"
        f"{UPN},9001,PERM,2023-11-06,2023-11-07\n{UPN},9001,SUSP,2023-10-02,2023-10-03\n"
    )
    census = (
        "termlyexclusionsonrolltableid,pupilonrolltableid,startdate,category,reinstatementdate\n"
        "1,1,2023-Nov-06 00:00:00,PERM,2023-Dec-04 00:00:00\n2,1,2023-Oct-02 00:00:00,SUSP,\n"
    )
    tables = read_beside(tmp_path, {"school.csv": found, "exclusions.csv": census}).tables
    facts = tables["suspensions"].set_index(tables["suspensions"]["category"].astype("str"))
    assert facts["reinstated_on"].dropna().to_dict() == {"PERM": JANUARY}
    assert facts.loc["PERM", "recorded_on"] == pd.Timestamp("2023-11-07")
    assert set(tables.as_known(JANUARY)["suspensions"]["category"]) == {"PERM", "SUSP"}
    assert set(tables.as_known(JANUARY + pd.Timedelta(days=1))["suspensions"]["category"]) == {
        "SUSP"
    }


def test_an_unknown_group_is_reported_and_the_usual_one_holds(tmp_path: Path) -> None:
    files = {"nccis.csv": NCCIS, "groups.csv": "Activity code,Activity group\n540,holiday\n"}
    extract = read_beside(tmp_path, files)
    assert extract.tables["destinations"]["group"].isna().all()
    found = extract.problems[extract.problems["column"] == "group"]
    assert found["message"].str.contains("'holiday' is not a known code").any()


# --- XML


def test_a_school_census_in_xml_is_read_by_local_names(tmp_path: Path) -> None:
    (tmp_path / "census.xml").write_text(CENSUS_XML)
    extract = read(tmp_path, key_file=tmp_path.parent / "key")
    tables = extract.tables
    assert len(tables["pupils"]) == 2
    assert not tables["pupils"].astype("str").isin(["Doe"]).any(axis=None)
    (send,) = tables["send"].itertuples()
    assert (send.provision, send.primary_need) == ("K", "SEMH")  # not that of the exclusion
    (suspension,) = tables["suspensions"].itertuples()
    assert (suspension.category, suspension.reason_1, suspension.reason_2) == ("SUSP", "DB", "VA")
    assert suspension.recorded_on == JANUARY
    assert tables["absence_totals"]["sessions"].tolist() == [6]
    assert set(tables["circumstances"]["kind"]) == {"fsm", "young_carer"}
    assert sorted(tables["enrolments"]["year_group"]) == [6, 7]  # 6 from the month of birth
    assert tables["enrolments"]["leaving_date"].notna().sum() == 1
    assert balances(extract)


def test_marks_of_a_transfer_file_are_known_from_its_day(tmp_path: Path) -> None:
    text = f"""<CTfile><Header><DateTime>2024-05-01T09:12:00</DateTime></Header><CTFpupilData><Pupil>
    <UPN>{UPN}</UPN><Attendance><YearData><AttendSessions><AttendanceStartDate>2024-03-04</AttendanceStartDate>
    <AttendanceMarks>/\\LI</AttendanceMarks></AttendSessions></YearData></Attendance></Pupil></CTFpupilData>
    </CTfile>"""
    extract = read_beside(tmp_path, {"ctf.xml": text})
    assert [mark for _, _, mark in marks_of(extract)] == ["/", "\\", "L", "I"]
    assert set(extract.tables["sessions"]["recorded_on"]) == {pd.Timestamp("2024-05-01")}


def test_episodes_of_ssda903_in_xml_are_one_spell_in_care(tmp_path: Path) -> None:
    text = f"""<EXPSSDA903><CHILD><HEADER><CHILDID>9</CHILDID><UPN>{UPN}</UPN></HEADER>
    <EPISODES><EPISODE><DECOM>01/10/2023</DECOM><LS>C2</LS><RNE>S</RNE></EPISODE>
    <EPISODE><DECOM>01/11/2023</DECOM><LS>V4</LS><RNE>S</RNE></EPISODE></EPISODES></CHILD></EXPSSDA903>"""
    extract = read_beside(tmp_path, {"903.xml": text})
    (row,) = extract.tables["circumstances"].itertuples()
    assert (row.kind, f"{row.start_date:%F}") == ("looked_after", "2023-10-01")


def test_xml_of_something_else_is_named(tmp_path: Path) -> None:
    extract = read_beside(tmp_path, {"note.xml": "<note><to>all</to></note>"})
    found = extract.problems.set_index("rule")["message"]
    assert found["unread_file"].startswith("note.xml: is XML of no return that is read")


# --- nothing breaks, nothing is lost


FIRST_OF_EIGHT = range(0, len(SOURCES), 8)


@pytest.mark.parametrize("first", FIRST_OF_EIGHT, ids=lambda first: SOURCES[first].name)
def test_files_with_only_the_columns_they_are_known_by_are_read_and_balance(
    tmp_path: Path, first: int
) -> None:
    files = {}
    for source in SOURCES[first : first + 8]:
        columns = sorted(source.columns)
        for number, value in enumerate(["", "nonsense", "1"]):
            row = [UPN if name == source.upn else value for name in columns]
            name = f"{source.name} {number}.csv".replace("/", " ")
            files[name] = ",".join(columns) + "\n" + ",".join(row) + "\n"
    extract = read_beside(tmp_path, files)
    assert balances(extract)
    assert set(files) <= set(extract.reconciliation["file"])
    assert len(extract.tables["pupils"]) >= 1


@pytest.fixture(scope="module")
def returns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_two_terms(tmp_path_factory.mktemp("fuzz") / "x", seed=3)


GARBAGE = ["", "  ", "nonsense", "-1", "31/02/2024", "9999-99-99", "1e400", "ÿ", "NaN", UPN]


def damage(path: Path, how: str, rng: np.random.Generator) -> None:
    """Damage a CSV the way exports are damaged."""
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="latin-1")
    if frame.empty:
        return
    coding = "utf-8"
    if how == "cells":
        cells = rng.random(frame.shape) < 0.15
        frame = frame.mask(cells, rng.choice(GARBAGE, frame.shape))
    elif how == "twice":
        frame = pd.concat([frame, frame.sample(frac=0.5, random_state=1)])
    elif how == "contradictory":
        other = frame.copy()
        other[other.columns[-1]] = frame.iloc[::-1, -1].to_list()
        frame = pd.concat([frame, other])
    elif how == "shuffled":
        frame = frame[rng.permutation(frame.columns)].sample(frac=1, random_state=1)
    elif how == "column lost":
        frame = frame.drop(columns=rng.choice(frame.columns))
    elif how == "rows lost":
        frame = frame.iloc[: len(frame) // 3]
    elif how == "header":
        frame.columns = [f" {name.upper()}_ " for name in frame.columns]
    elif how == "encoding":
        coding = "cp1252"
        frame[frame.columns[-1]] = "é"
    frame.to_csv(path, index=False, encoding=coding)


HOW = [
    "cells",
    "twice",
    "contradictory",
    "shuffled",
    "column lost",
    "rows lost",
    "header",
    "encoding",
]


@settings(max_examples=examples(6), deadline=None)
@given(seed=st.integers(0, 10**6), how=st.lists(st.sampled_from(HOW), min_size=1, max_size=3))
def test_damaged_returns_are_reported_or_balance(returns: Path, seed: int, how: list[str]) -> None:
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "x"
        shutil.copytree(returns, folder)
        files = sorted(folder.rglob("*.csv"))
        for path in files:  # half of the returns beside the census are not there
            if "census" not in path.parts and rng.random() < 0.5:
                path.unlink()
        files = [path for path in files if path.exists()]
        for way in how:
            for number in rng.choice(len(files), 6, replace=False):
                damage(files[number], way, rng)
        try:
            extract = read(folder, key_file=Path(temporary) / "key")
        except DataError:
            return  # one sentence at the command line; the other tests check what is in it
        assert balances(extract)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_file_cut_off_in_the_middle_is_named(returns: Path, tmp_path: Path, keep: float) -> None:
    folder = tmp_path / "x"
    shutil.copytree(returns, folder)
    path = next(folder.glob("registers/*.parquet"))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    extract = read(folder, key_file=tmp_path / "key")
    (message,) = extract.problems.loc[extract.problems["rule"] == "unread_file", "message"]
    assert path.name in message
    assert "pupils" in extract.tables
