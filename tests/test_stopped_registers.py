"""Registers that stop: which are found, who is not judged then, and what check, list and audit show."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.cohort import build_spine, not_judged, snapshots
from riskmodel.data import Tables
from riskmodel.data.calendar import academic_year
from riskmodel.data.check import check
from riskmodel.data.read import Extract, read
from riskmodel.data.stopped_registers import stopped_registers
from riskmodel.jobs import Run, make_list
from riskmodel.report.list_files import read_list
from tests.small_la import SmallLA
from tests.strategies import table_of

DAY = pd.Timestamp("2025-03-01").as_unit("s")
AUTUMN = pd.Timestamp("2024-09-01")
ALWAYS = pd.Timestamp("2000-01-01")


@cache
def whole(folder: Path) -> Extract:
    """Return a simulated LA whose registers are full."""
    return read(folder)


@cache
def cohort(folder: Path) -> pd.DataFrame:
    spine = build_spine(whole(folder).tables, [DAY], "pex")
    return spine.astype({"pupil_id": "str", "school_id": "str"})


@cache
def largest_school(folder: Path) -> str:
    spine = cohort(folder)
    return str(
        spine.loc[(spine["year_group"] >= 7).to_numpy(), "school_id"].value_counts().index[0]
    )


@cache
def stopped(
    folder: Path, since: pd.Timestamp, year: int | None = None, until: pd.Timestamp | None = None
) -> Extract:
    """Return the LA without the marks of its largest school, or of one year group, from a day on."""
    school, tables = largest_school(folder), whole(folder).tables
    rolls = tables["enrolments"]
    rolls = rolls[(rolls["school_id"] == school).to_numpy()].astype({"pupil_id": "str"})
    if year is not None:
        spine = cohort(folder)
        rolls = rolls[rolls["pupil_id"].isin(spine.loc[spine["year_group"] == year, "pupil_id"])]
    sessions = tables["sessions"]
    marks = sessions[["pupil_id", "date"]].astype({"pupil_id": "str"}).reset_index()
    marks = marks[(marks["date"] >= since) & (marks["date"] < (until or pd.Timestamp.max))]
    marks = marks.merge(rolls[["pupil_id", "entry_date", "leaving_date"]], on="pupil_id")
    here = (marks["date"] >= marks["entry_date"]) & ~(marks["date"] > marks["leaving_date"])
    return with_sessions(folder, sessions.drop(index=marks.loc[here, "index"]))


def with_sessions(folder: Path, sessions: pd.DataFrame) -> Extract:
    frames = dict(whole(folder).tables.frames) | {"sessions": sessions.reset_index(drop=True)}
    return replace(whole(folder), tables=Tables(frames))


def registers_stop(extract: Extract) -> pd.DataFrame:
    problems = check(extract).problems
    return problems[(problems["rule"] == "registers_stop").to_numpy()]


def test_full_registers_never_stop(extracts: Path) -> None:
    tables = whole(extracts).tables
    days = snapshots(tables, "pex", before=pd.Timestamp("2025-08-01"))
    assert len(days) > 15
    assert all(stopped_registers(tables, day).empty for day in days)
    assert registers_stop(whole(extracts)).empty


def test_a_school_without_marks_since_september_has_stopped(extracts: Path) -> None:
    found = stopped_registers(stopped(extracts, AUTUMN).tables, DAY)
    assert set(found["school_id"]) == {largest_school(extracts)}
    assert set(found["year_group"]) == {7, 8, 9, 10, 11}
    assert (found["share"] < 0.1).all()
    assert (found["usual"] > 0.9).all()
    assert found["since"].between(AUTUMN, AUTUMN + pd.Timedelta(days=9)).all()


def test_check_names_the_school_its_year_groups_and_the_day(extracts: Path) -> None:
    report = check(stopped(extracts, AUTUMN))
    assert report.has_errors
    (message,) = registers_stop(stopped(extracts, AUTUMN))["message"]
    assert f"school {largest_school(extracts)} stop" in message
    # Year 11 leaves in summer
    assert "Year 7, Year 8, Year 9, Year 10 have" in message
    assert "since 2024-09-0" in message


def test_one_year_group_can_stop_alone(extracts: Path) -> None:
    extract = stopped(extracts, AUTUMN, 9)
    found = stopped_registers(extract.tables, DAY)
    assert found[["school_id", "year_group"]].to_numpy().tolist() == [[largest_school(extracts), 9]]
    (message,) = registers_stop(extract)["message"]
    assert "pupils of Year 9 have" in message


@pytest.mark.parametrize(("school_days", "is_stop"), [(8, False), (12, True)])
def test_two_weeks_without_marks_are_a_stop(
    extracts: Path, school_days: int, is_stop: bool
) -> None:
    days = whole(extracts).tables["calendar"]["date"]
    first = days[(days < DAY).to_numpy()].sort_values().iloc[-school_days]
    found = stopped_registers(stopped(extracts, first).tables, DAY)
    assert (len(found) > 0) == is_stop
    assert (found["since"] == first).all()


def test_registers_of_mornings_alone_go_on(extracts: Path) -> None:
    tables, kept = whole(extracts).tables, stopped(extracts, AUTUMN).tables["sessions"]
    mornings = tables["sessions"][(tables["sessions"]["session"] == "AM").to_numpy()]
    both = pd.concat([kept, mornings]).drop_duplicates(["pupil_id", "date", "session"])
    extract = with_sessions(extracts, both)
    assert stopped_registers(extract.tables, DAY).empty
    assert registers_stop(extract).empty


@pytest.mark.parametrize("closed", [11, 17])
def test_a_school_that_reopened_before_the_list_has_not_stopped(
    extracts: Path, closed: int
) -> None:
    days = whole(extracts).tables["calendar"]["date"]
    last = days[(days < DAY).to_numpy()].sort_values().iloc[-20:]
    extract = stopped(extracts, last.iloc[0], until=last.iloc[closed])
    assert stopped_registers(extract.tables, DAY).empty


@pytest.mark.parametrize("n_left", [0, 20])
def test_registers_of_all_schools_can_stop(extracts: Path, n_left: int) -> None:
    tables = whole(extracts).tables
    sessions = tables["sessions"]
    goes_on = sessions["pupil_id"].cat.codes < n_left
    extract = with_sessions(extracts, sessions[(goes_on | (sessions["date"] < AUTUMN)).to_numpy()])
    assert len(not_judged(extract.tables, DAY, "pex")) > 0.95 * len(cohort(extracts))


def test_a_list_that_is_a_holiday_later_than_the_data_judges_everybody(extracts: Path) -> None:
    sessions = whole(extracts).tables["sessions"]
    known = sessions["recorded_on"] <= DAY - pd.Timedelta(days=14)
    assert stopped_registers(with_sessions(extracts, sessions[known]).tables, DAY).empty


def test_a_school_that_opened_this_term_can_stop(extracts: Path) -> None:
    school, october = largest_school(extracts), pd.Timestamp("2024-10-01")
    frames = dict(stopped(extracts, october).tables.frames)
    rolls = frames["enrolments"]
    old = (rolls["school_id"] == school) & (rolls["entry_date"] < AUTUMN)
    frames["enrolments"] = rolls.assign(
        school_id=rolls["school_id"].mask(old & (rolls["leaving_date"] < AUTUMN), "another"),
        entry_date=rolls["entry_date"].mask(old, AUTUMN.as_unit("s")),
        year_group=rolls["year_group"] + (old * (2024 - academic_year(rolls["entry_date"]))),
    )
    found = stopped_registers(Tables(frames), pd.Timestamp("2024-11-01").as_unit("s"))
    assert set(found["school_id"]) == {school}


def test_p8_the_order_of_rows_changes_nothing(extracts: Path) -> None:
    tables = stopped(extracts, AUTUMN).tables
    shuffled = {
        name: tables[name].sample(frac=1, random_state=1).reset_index(drop=True)
        for name in ("sessions", "enrolments")
    }
    found = stopped_registers(Tables(dict(tables.frames) | shuffled), DAY)
    pd.testing.assert_frame_equal(found, stopped_registers(tables, DAY))


def test_marks_that_come_again_are_no_stop(extracts: Path) -> None:
    january = pd.Timestamp("2025-01-01")
    extract = stopped(extracts, AUTUMN, until=january)
    assert stopped_registers(extract.tables, DAY).empty
    assert len(stopped_registers(extract.tables, pd.Timestamp("2024-11-01").as_unit("s")))


def test_marks_recorded_from_the_day_on_hide_no_stop(extracts: Path) -> None:
    kept = stopped(extracts, AUTUMN).tables["sessions"]
    sessions = whole(extracts).tables["sessions"]
    both = pd.concat([kept, sessions]).drop_duplicates(["pupil_id", "date", "session"], keep=False)
    late = with_sessions(extracts, pd.concat([kept, both.assign(recorded_on=DAY)]))
    found = stopped_registers(stopped(extracts, AUTUMN).tables, DAY)
    pd.testing.assert_frame_equal(stopped_registers(late.tables, DAY), found)


def test_a_school_that_never_sent_registers_has_not_stopped(extracts: Path) -> None:
    extract = stopped(extracts, ALWAYS)
    assert stopped_registers(extract.tables, DAY).empty
    assert registers_stop(extract).empty
    assert len(build_spine(extract.tables, [DAY], "pex")) == len(cohort(extracts))


def test_without_registers_or_rolls_nothing_has_stopped(extracts: Path) -> None:
    tables = whole(extracts).tables
    for name in ("sessions", "enrolments"):
        left = Tables({n: f for n, f in tables.items() if n != name})
        assert stopped_registers(left, DAY).empty


@pytest.mark.parametrize(
    ("totals", "words"), [(True, "termly totals, which"), (False, "nothing of")]
)
def test_check_states_what_an_la_without_registers_must_know(
    extracts: Path, totals: bool, words: str
) -> None:
    frames = {name: f for name, f in whole(extracts).tables.items() if name != "sessions"}
    if totals:
        total = {"pupil_id": "A", "term_end": "2024-12-20", "mark": "I", "sessions": 4}
        frames["absence_totals"] = table_of("absence_totals", [total])
    report = check(replace(whole(extracts), tables=Tables(frames)))
    found = report.problems[(report.problems["rule"] == "no_registers").to_numpy()]
    assert found["severity"].tolist() == ["warning"]
    assert words in found["message"].iloc[0]


def test_who_is_not_judged_is_in_no_cohort_and_nobody_is_lost(extracts: Path) -> None:
    tables = stopped(extracts, AUTUMN).tables
    judged, left_out = build_spine(tables, [DAY], "pex"), not_judged(tables, DAY, "pex")
    here = cohort(extracts)["school_id"] == largest_school(extracts)
    ids = left_out["pupil_id"].astype("str")
    assert set(ids) <= set(cohort(extracts)["pupil_id"][here])
    # a newcomer has marks of the school before
    newcomers = set(cohort(extracts)["pupil_id"][here]) - set(ids)
    assert len(newcomers) < 5
    lately = tables["sessions"][
        (tables["sessions"]["date"] > DAY - pd.Timedelta(days=40)).to_numpy()
    ]
    assert newcomers <= set(lately["pupil_id"].astype("str"))
    assert set(left_out["school_id"]) == {largest_school(extracts)}
    both = pd.concat([judged, left_out])["pupil_id"].astype("str")
    assert sorted(both) == sorted(cohort(extracts)["pupil_id"])


def test_a_pupil_whose_own_marks_go_on_is_judged(extracts: Path) -> None:
    kept = stopped(extracts, AUTUMN).tables["sessions"]
    one = not_judged(stopped(extracts, AUTUMN).tables, DAY, "pex")["pupil_id"].iloc[0]
    sessions = whole(extracts).tables["sessions"]
    own = sessions[((sessions["pupil_id"] == one) & (sessions["date"] >= AUTUMN)).to_numpy()]
    tables = with_sessions(extracts, pd.concat([kept, own])).tables
    left_out = not_judged(tables, DAY, "pex")["pupil_id"].astype("str").tolist()
    assert one not in left_out
    assert left_out


def test_past_lists_leave_the_same_pupils_out_one_by_one_or_together(extracts: Path) -> None:
    tables = stopped(extracts, AUTUMN).tables
    days = [pd.Timestamp(day).as_unit("s") for day in ("2024-08-01", "2024-11-01", "2025-03-01")]
    together = build_spine(tables, days, "pex")
    alone = pd.concat([build_spine(tables, [day], "pex") for day in days], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)
    here = together[(together["school_id"] == largest_school(extracts)).to_numpy()]
    listed = here["as_of"].value_counts()
    assert listed[days[0]] > 50
    assert listed.drop(days[0]).sum() < 5  # newcomers with marks of the school before


@pytest.fixture
def made(small_la: SmallLA, tmp_path: Path) -> Path:
    """Return the list of an LA in which a school's registers stopped in September."""
    run = Run("pex", tracking=small_la.tracking, capacity=100)
    extract = stopped(small_la.extracts, AUTUMN)
    return make_list(extract, run, out=tmp_path / "list", model_uri="models:/riskmodel-pex/1")


def test_a_list_names_who_could_not_be_judged(small_la: SmallLA, made: Path) -> None:
    school = largest_school(small_la.extracts)
    left_out = pd.read_csv(made / "not_judged.csv")
    _, ranking = read_list(made)
    assert set(left_out["school_id"]) == {school}
    assert ranking["selected"].sum() == 100
    assert school not in set(ranking["school_id"])
    words = f"{len(left_out):,} pupils of {school}"
    for page in (made / "index.html", made / "schools" / f"{school}.html"):
        text = page.read_text()
        assert "could not be judged" in text
        assert f"{len(left_out):,} pupils of " in text
    others = [page for page in (made / "schools").iterdir() if page.stem != school]
    assert others
    assert not any("could not be judged" in page.read_text() for page in others)
    with (made / "list.xlsx").open("rb") as stream:
        sheet = pd.read_excel(stream, sheet_name=0, header=None, engine="openpyxl")
        cells = sheet.astype("str").to_numpy().ravel()
    assert any(f"{words} (Year 7" in cell for cell in cells)
    facts = json.loads((made / "assessment.json").read_text())
    assert facts["not_judged"] == len(left_out)
    assert facts["registers_stopped"][0]["school_id"] == school
    audit = json.loads((made / "audit.json").read_text())
    assert audit["not_judged"] == len(left_out)
    assert any(words.split()[0] in line and "not be judged" in line for line in audit["sentences"])
