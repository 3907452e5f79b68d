"""Facts of before the birth are set aside; facts that are hardly right are used, and reported."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read.open.opened import Opened
from riskmodel.data.read.returns.unlikely_facts import note_unlikely
from riskmodel.data.read.rows.accounts import ReturnFile
from riskmodel.data.read.sources import SOURCES
from tests.returns import UPN, read_beside


@pytest.mark.parametrize(
    ("text", "table", "event"),
    [
        ("UPN,EHE Start Date,EHE End Date\n{upn},14/10/2004,\n", "circumstances", "start_date"),
        ("UPN,Date,Session,Mark\n{upn},14/10/2004,AM,I\n", "sessions", "date"),
        (
            "UPN,URN,Category,Start Date,Sessions\n{upn},900001,SUSP,14/10/2004,2\n",
            "suspensions",
            "start_date",
        ),
    ],
    ids=["ehe", "marks", "suspensions"],
)
def test_a_fact_of_before_the_birth_is_set_aside(
    tmp_path: Path, text: str, table: str, event: str
) -> None:
    extract = read_beside(tmp_path, {"a.csv": text.format(upn=UPN)})
    assert extract.tables[table].empty
    (told,) = extract.problems.loc[extract.problems["rule"] == "before_birth", "message"]
    assert told.startswith(f"a.csv, row 2: {event} 14/10/2004 is before the pupil was born.")


def test_a_referral_of_an_unborn_child_is_kept(tmp_path: Path) -> None:
    text = (
        "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate\n"
        f"1,{UPN},14/06/2012,,,\n"
    )
    tables = read_beside(tmp_path, {"cin.csv": text}).tables
    assert tables["circumstances"]["start_date"].tolist() == [pd.Timestamp("2012-06-14")]


@pytest.mark.parametrize(
    ("start", "n"), [("01/10/2025", 0), ("01/12/2025", 1), ("14/10/2041", 1)], ids=str
)
def test_a_fact_far_ahead_is_reported_in_a_file_of_any_size(
    tmp_path: Path, start: str, n: int
) -> None:
    """The last census is of 3 October 2024."""
    text = f"UPN,EHE Start Date,EHE End Date\n{UPN},{start},\n"
    problems = read_beside(tmp_path, {"ehe.csv": text}).problems
    told = problems.loc[problems["rule"] == "far_ahead", "message"]
    assert len(told) == n
    assert told.str.contains("the first in row 2").all()


def test_a_referral_after_the_day_of_its_return_is_reported(tmp_path: Path) -> None:
    text = (
        "LAchildID,UPN,ReferenceDate,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate\n"
        f"1,{UPN},31/03/2024,01/05/2024,,,\n1,{UPN},31/03/2024,01/05/2023,,,\n"
    )
    problems = read_beside(tmp_path, {"cin.csv": text}).problems
    assert (problems["rule"] == "far_ahead").sum() == 1


def facts(table: str, rows: list[dict[str, object]]) -> dict[str, pd.DataFrame]:
    """Return typed facts of one file, each column of days as days."""
    days = {name for row in rows for name in row if name.endswith(("_date", "_on", "_seen"))}
    frame = pd.DataFrame(rows).assign(_file=0, _place=range(len(rows)))
    return {table: frame.assign(**{name: pd.to_datetime(frame[name]) for name in days})}


ROLL: dict[str, object] = {
    "pupil_id": "A",
    "school_id": "1",
    "entry_date": "2023-09-04",
    "leaving_date": None,
}
ROLL |= {"year_group": 7, "recorded_on": "2023-11-09", "_seen": "2023-10-05"}
EXCLUSION: dict[str, object] = {"start_date": "2023-10-16", "recorded_on": "2023-10-17"}
PLAN: dict[str, object] = {
    "pupil_id": "A",
    "start_date": "2023-10-16",
    "end_date": None,
    "_plan": True,
}
POSITION: dict[str, object] = {
    "start_date": "2023-09-01",
    "confirmed_on": "2023-10-01",
    "recorded_on": "2023-10-01",
}


@pytest.mark.parametrize(
    ("table", "first", "second", "rule"),
    [
        ("enrolments", ROLL, ROLL | {"leaving_date": "2023-09-30"}, "on_and_off"),
        ("enrolments", ROLL, ROLL | {"entry_date": "2023-11-05", "school_id": "2"}, "late_entry"),
        ("enrolments", ROLL, ROLL | {"year_group": 3, "school_id": "2"}, "odd_age"),
        ("send", PLAN, PLAN | {"end_date": "2024-08-31"}, "two_ends"),
        (
            "suspensions",
            EXCLUSION | {"reinstated_on": "2023-11-16"},
            EXCLUSION | {"reinstated_on": "2033-11-16"},
            "late_reinstatement",
        ),
        (
            "destinations",
            POSITION | {"lapses_on": "2024-03-01"},
            POSITION | {"lapses_on": "2023-03-01"},
            "early_lapse",
        ),
        (
            "destinations",
            POSITION | {"lapses_on": None},
            POSITION | {"lapses_on": None, "start_date": "2023-11-15"},
            "late_start",
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_days_that_are_hardly_right_are_counted(
    table: str, first: dict[str, object], second: dict[str, object], rule: str
) -> None:
    opened = Opened("a.csv", pd.DataFrame({"x": ["1", "2"]}), first_row=2)
    files = [ReturnFile(opened, SOURCES[0], opened.raw)]
    born = pd.Series(pd.to_datetime(["2012-03-01"]), index=["A"])
    assert note_unlikely(facts(table, [first]), files, born) == []
    (problem,) = note_unlikely(facts(table, [first, second]), files, born)
    assert problem.rule == rule
    assert "of 1 rows " in problem.words
    assert ", the first in row 3. " in problem.words
