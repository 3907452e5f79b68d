"""A folder of returns becomes the tables, whatever the files are called, and loses nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import TABLES, Tables, pandera_schema
from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import Extract, read
from riskmodel.data.read.returns import folder as returns_folder
from riskmodel.data.read.returns.assemble import assemble
from riskmodel.data.read.sources import SOURCES
from riskmodel.features import build
from riskmodel.simulate import Simulated, simulate, write_simulated_returns
from tests.returns import PARTS

Facts = dict[str, pd.DataFrame]

SIZE = {"pupils": 700, "years": 2, "seed": 8}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("key") / "key"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("returns") / "x"
    write_simulated_returns(path, **SIZE, preset="bcp")
    return path


@pytest.fixture(scope="module")
def whole(folder: Path, key: Path) -> tuple[Extract, Facts, pd.CategoricalDtype]:
    """Return what is read, the typed facts that its tables are made of, and everyone there is."""
    seen = []
    with pytest.MonkeyPatch.context() as patch:

        def watched(facts: Facts, pupils: pd.CategoricalDtype) -> Any:
            seen.append((facts, pupils))
            return assemble(facts, pupils)

        patch.setattr(returns_folder, "assemble", watched)
        extract = read(folder, key_file=key)
    ((facts, pupils),) = seen
    return extract, facts, pupils


@pytest.fixture(scope="module")
def extract(whole: tuple[Extract, Facts, pd.CategoricalDtype]) -> Extract:
    return whole[0]


@pytest.fixture(scope="module")
def made() -> Simulated:
    return simulate(**SIZE, preset="bcp")


def test_every_row_is_kept_merged_or_set_aside(extract: Extract) -> None:
    counts = extract.reconciliation
    counted = counts[PARTS].sum(axis=1)
    assert (counts["rows_read"] == counted).all()
    aside = counts.set_index("file")["rows_rejected"]
    by_file = extract.rejects.groupby("file").size().reindex(aside.index).fillna(0)
    assert (aside == by_file).all()


def test_the_tables_keep_to_the_schema(extract: Extract) -> None:
    assert len(extract.tables) > 8
    for name, frame in extract.tables.items():
        pandera_schema(name).validate(frame)
        assert not frame.duplicated(list(TABLES[name].key)).any()


def test_names_upns_and_days_of_birth_stay_at_the_door(extract: Extract, folder: Path) -> None:
    upns = set(pd.read_csv(folder / "exclusions.csv")["UPN"])
    for frame in extract.tables.values():
        for column in frame.select_dtypes(["str", "category"]):
            values = set(frame[column].dropna().astype("str").unique())
            assert not values & upns
            assert not any("Simulated" in value for value in values)
    assert (extract.tables["pupils"]["birth_month"].dt.day == 1).all()


def test_what_an_la_knows_is_what_was_simulated(extract: Extract, made: Simulated) -> None:
    ours, theirs = extract.tables, made.tables
    for name, gap in (
        ("suspensions", 0.03),
        ("sessions", 0.03),
        ("destinations", 0.15),
        ("pupils", 0.03),
        ("plans", 0.03),
        ("attainment", 0.03),
    ):
        assert len(ours[name]) == pytest.approx(len(theirs[name]), rel=gap), name
    excluded = (ours["suspensions"]["category"] == "PERM").sum()
    assert excluded == (theirs["suspensions"]["category"] == "PERM").sum()
    assert not (ours["suspensions"]["category"] == "FIXD").any()
    pd.testing.assert_frame_equal(ours["calendar"], theirs["calendar"])
    spine = build_spine(ours, pd.DatetimeIndex(["2024-06-01"]), "pex")
    same = build_spine(theirs, pd.DatetimeIndex(["2024-06-01"]), "pex")
    assert len(spine) == pytest.approx(len(same), rel=0.03)
    mine, other = build(ours, spine), build(theirs, same)
    for feature in ("absence_rate_12_months", "suspensions_12_months"):
        assert mine[feature].mean() == pytest.approx(other[feature].mean(), rel=0.1)


def test_each_suspension_is_known_when_the_school_reported_it_not_when_the_census_came(
    extract: Extract,
) -> None:
    facts = extract.tables["suspensions"]
    lag = (facts["recorded_on"] - facts["start_date"]).dt.days
    assert lag.median() <= 14
    merged = extract.reconciliation.set_index("table")["rows_merged"]
    assert merged["School Census: exclusions"].sum() > 0
    (message,) = extract.problems.loc[extract.problems["rule"] == "merged", "message"]
    assert f"report {len(facts)} suspensions and exclusions" in message


def test_no_need_is_known_before_its_census(extract: Extract, folder: Path) -> None:
    send = extract.tables["send"]
    with_need = send[(send["provision"] == "K") & send["primary_need"].notna()]
    assert len(with_need) > 0
    # needs are collected in spring only, so none can be known before the first spring return came
    assert with_need["recorded_on"].min() >= pd.Timestamp("2024-02-01")


def test_leaving_reasons_are_derived(extract: Extract, made: Simulated) -> None:
    reasons = extract.tables["enrolments"]["leaving_reason"].astype("object").value_counts()
    theirs = made.tables["enrolments"]["leaving_reason"].astype("object").value_counts()
    assert reasons["end_of_phase"] == pytest.approx(theirs["end_of_phase"], rel=0.2)
    assert reasons["completed"] > 0


def test_files_are_known_by_content_not_by_name(
    folder: Path, extract: Extract, key: Path, tmp_path: Path
) -> None:
    other = tmp_path / "renamed"
    other.mkdir()
    rng = np.random.default_rng(0)
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if path.is_file() and "truth" not in path.parts:
            if path.suffix == ".csv":
                frame = pd.read_csv(path, dtype="str", keep_default_na=False)
                frame = frame[rng.permutation(frame.columns)]
                text = frame.to_csv(index=False, sep=";" if number % 2 else "\t")
                coding = "cp1252" if number % 3 else "utf-8-sig"
                (other / f"export {number}.CSV").write_bytes(text.encode(coding))
            else:
                shutil.copy(path, other / f"{number}.parquet")
    assert read(other, key_file=key).digest == extract.digest


# --- P2: what is derived from several rows is known when the last of them was


def without_later(facts: Facts, day: pd.Timestamp) -> Facts:
    """Take away the rows recorded from a day on, and the values of others that were known later."""
    kept = {}
    for name, frame in facts.items():
        if name == "needs":
            # the needs of SEN2 bear no day: they are known with the latest fact
            undated = bool(facts["send"]["recorded_on"].max() < day)
            known = frame["recorded_on"] < day
            kept[name] = frame[known.where(frame["start_date"].notna(), undated)]
        elif name in ("enrolments", "sessions", "possible"):
            # each row is one return, which holds the end if there is one
            kept[name] = frame[frame["recorded_on"] < day]
        else:
            kept[name] = Tables({name: frame}).as_known(day)[name]
    return kept


def uneven(facts: Facts) -> Facts:
    """Let registers and returns come late, by pupil and day, and leave out the calendar."""
    others = {name: frame for name, frame in facts.items() if name != "calendar"}
    sessions, rolls, excluded = (facts[n] for n in ("sessions", "enrolments", "suspensions"))
    late = pd.to_timedelta(sessions["date"].dt.day % 8, unit="D")
    by_school = pd.to_timedelta(80 * (rolls["school_id"].astype("int64") % 3), unit="D")
    by_day = pd.to_timedelta(30 * (excluded["start_date"].dt.day % 4), unit="D")
    return others | {
        "sessions": sessions.assign(recorded_on=sessions["recorded_on"] + late),
        "suspensions": excluded.assign(recorded_on=excluded["recorded_on"] + by_day),
        "enrolments": rolls.assign(
            recorded_on=rolls["recorded_on"] + by_school,
            end_recorded_on=rolls["end_recorded_on"] + by_school,
        ),
    }


DAYS = ("2024-03-01", "2024-06-01", "2025-02-21")


@pytest.mark.parametrize("before", [lambda facts: facts, uneven], ids=["as_simulated", "uneven"])
def test_p2_no_feature_uses_a_row_recorded_later(
    whole: tuple[Extract, Facts, pd.CategoricalDtype], before: Callable[[Facts], Facts]
) -> None:
    """Rows recorded from a day on are taken away before tables are made; no feature of the day changes."""
    extract, facts, pupils = whole
    reported = before(facts)
    tables = Tables(assemble(reported, pupils)[0])
    if reported is facts:  # nothing happens to tables after they are assembled
        for name, frame in tables.items():
            assert frame.equals(extract.tables[name]), name
    for day in map(pd.Timestamp, DAYS):
        cut = Tables(assemble(without_later(reported, day), pupils)[0])
        spine, again = (build_spine(one, [day], "pex") for one in (tables, cut))
        pd.testing.assert_frame_equal(spine, again)
        assert len(spine) > 200
        X = build(tables, spine)
        pd.testing.assert_frame_equal(X, build(cut, again))
        assert X["sen_support_now"].sum() > 10


# --- small censuses by hand


def census(folder: Path, rows: str, *, upn_column: str = "upn") -> None:
    """Write a small spring census by hand."""
    (folder / "a.csv").write_text(
        "schoolcensustableid,term,year,referencedate,urn\n1,SPR,2024,2024-Jan-18 00:00:00,900001\n"
        "2,SUM,2024,2024-May-16 00:00:00,900001\n"
    )
    (folder / "b.csv").write_text(
        f"pupilonrolltableid,schoolcensustableid,{upn_column},formerupn,surname,forename,dob,gender,"
        f"ethnicity,entrydate,ncyearactual,senprovision,enrolstatus\n{rows}"
    )


def upn(body: str) -> str:
    return str(upn_check_letters(pd.Series(["A" + body]))[0]) + body


BORN, CAME = "2012-Oct-03 00:00:00", "2023-Sep-04 00:00:00"
OLD, NEW = upn("00000012000T"[:11] + "1"), upn("000000120002")


def test_a_pupil_without_ethnicity_or_upn_or_in_two_schools_is_still_there(
    tmp_path: Path, key: Path
) -> None:
    census(
        tmp_path,
        f"1,1,{NEW},,Doe,A,{BORN},F,REFU,{CAME},7,K,C\n"
        f"2,1,,,Roe,B,{BORN},M,WBRI,{CAME},6,N,C\n"
        f"3,1,{NEW},,Doe,A,{BORN},F,REFU,2023-Nov-04 00:00:00,7,K,S\n",
    )
    extract = read(tmp_path, key_file=key)
    pupils = extract.tables["pupils"]
    assert len(pupils) == 2
    assert set(pupils["ethnicity"]) == {"REFU", "WBRI"}
    assert sorted(extract.tables["enrolments"]["status"].astype("str")) == ["dual", "main", "main"]
    assert extract.tables["enrolments"]["year_group"].tolist().count(7) == 2
    assert not len(extract.rejects)


def test_former_upns_are_one_pupil(tmp_path: Path, key: Path) -> None:
    census(
        tmp_path,
        f"1,1,{OLD},,Doe,A,{BORN},F,WBRI,{CAME},7,N,C\n"
        f"2,2,{NEW},{OLD},Doe,A,{BORN},F,,{CAME},7,K,C\n",
    )
    extract = read(tmp_path, key_file=key)
    assert len(extract.tables["pupils"]) == 1
    assert extract.tables["pupils"]["ethnicity"].tolist() == ["WBRI"]
    send = extract.tables["send"]
    assert send["provision"].tolist() == ["K"]
    assert send["start_date"].tolist() == [pd.Timestamp("2024-05-16")]


def test_a_wrong_check_letter_keeps_the_pupil_and_does_not_show_the_upn(
    tmp_path: Path, key: Path
) -> None:
    wrong = ("A" if NEW[0] != "A" else "B") + NEW[1:]
    census(
        tmp_path,
        f"1,1,{wrong},,Doe,A,{BORN},F,WBRI,{CAME},7,N,C\n"
        f"2,1,{OLD},,Roe,B,{BORN},F,WBRI,{CAME},7,N,C\n",
    )
    extract = read(tmp_path, key_file=key)
    (message,) = extract.problems.loc[extract.problems["rule"] == "upn_check_letter", "message"]
    assert message.startswith("b.csv, row 2:")
    assert wrong not in extract.problems.to_csv()
    assert len(extract.tables["pupils"]) == 2
    assert extract.reconciliation["rows_rejected"].sum() == 0


def test_a_file_of_no_known_source_is_named_with_its_nearest(tmp_path: Path, key: Path) -> None:
    census(tmp_path, f"1,1,{NEW},,Doe,A,{BORN},F,WBRI,{CAME},7,N,C\n")
    (tmp_path / "c.csv").write_text("UPN,Date,Session,Colour\nx,2024-01-08,AM,red\n")
    extract = read(tmp_path, key_file=key)
    (message,) = extract.problems.loc[extract.problems["rule"] == "unknown_file", "message"]
    assert "c.csv" in message
    assert "nearest to 'Register marks', but has no mark" in message
    assert extract.rejects["file"].tolist() == ["c.csv"]


def test_rows_that_join_to_nobody_are_set_aside_and_counted(tmp_path: Path, key: Path) -> None:
    census(tmp_path, f"1,1,{NEW},,Doe,A,{BORN},F,WBRI,{CAME},7,N,C\n")
    (tmp_path / "cin.csv").write_text(
        "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate\n"
        f"1,{NEW},2023-10-02,,,\n2,UN1,2023-10-02,,,\n3,{OLD},2023-10-02,,,\n"
    )
    extract = read(tmp_path, key_file=key)
    assert len(extract.tables["circumstances"]) == 1
    (message,) = extract.problems.loc[extract.problems["rule"] == "not_linked", "message"].unique()
    assert "2 of 3 rows" in message


def test_no_two_sources_ask_for_the_same_columns() -> None:
    asked = [source.columns for source in SOURCES]
    assert len(set(asked)) == len(asked)
    for source in SOURCES:
        assert not set(source.aliases) & source.columns


def test_the_commands_take_returns(
    folder: Path,
    command: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = command("check", folder, "--out", "report")
    assert "Traceback" not in done.stderr
    assert "rows_merged" in done.stdout
    assert (tmp_path / "report" / "reconciliation.csv").is_file()
