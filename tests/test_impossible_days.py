"""Facts of before the birth, and facts that begin long after all that is known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

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
    ("start", "n"), [("01/11/2025", 0), ("01/12/2025", 1), ("14/10/2041", 1)], ids=str
)
def test_a_fact_far_ahead_is_reported_in_a_file_of_any_size(
    tmp_path: Path, start: str, n: int
) -> None:
    """The last census is of 3 October 2024, and known 35 days later."""
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
