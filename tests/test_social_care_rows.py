"""Rows of social care that lack a first day or a legal status, and lengths of suspensions given twice."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read.returns.counted_faults import counted_faults
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.source import Context, with_plain_columns
from tests.returns import UPN, read_beside

ANNEX = "Child Unique ID,UPN,"


@pytest.mark.parametrize(
    "text",
    [
        f"CHILD,DECOM,RNE,LS,DEC,UPN\n1,,S,C2,,{UPN}\n",
        f"{ANNEX}CIN Start Date,CIN Closure Date\n1,{UPN},,\n",
        f"{ANNEX}Child Protection Plan Start Date,Child Protection Plan End Date\n1,{UPN},,01/09/2023\n",
        f"{ANNEX}Date Started to be Looked After,Date Ceased to be Looked After\n1,{UPN},,\n",
        "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate\n"
        f"1,{UPN},,01/06/2023,,\n",
        "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate\n"
        f"1,{UPN},,,,01/06/2023\n",
    ],
    ids=["ssda903", "list_6", "list_7", "list_8", "cin", "plan"],
)
def test_a_row_without_the_first_day_makes_a_fact_that_lacks_it(text: str) -> None:
    header, row = (line.split(",") for line in text.splitlines())
    raw = pd.DataFrame([row], columns=header, dtype="str").replace("", None)
    source = next(one for one in SOURCES if one.facts is not None and one.is_of(header))
    assert source.facts is not None
    frame = with_plain_columns(raw, source.aliases).assign(pupil_id="A")
    made = source.facts(frame, Context())["circumstances"]
    assert made["start_date"].isna().tolist() == [True]


def test_such_a_row_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    text = f"{ANNEX}CIN Start Date,CIN Closure Date\n1,{UPN},,\n"
    extract = read_beside(tmp_path, {"list 6.csv": text})
    (told,) = extract.problems.loc[extract.problems["rule"] == "missing_value", "message"]
    assert told == "list 6.csv, row 2: start_date is missing. Fill it in."


@pytest.mark.parametrize("status", ["V 4", "v4 respite", "V3 Accommodated", "v3"])
def test_a_short_break_is_known_however_its_code_is_written(status: str) -> None:
    header = f"{ANNEX}Date Started to be Looked After,Date Ceased to be Looked After".split(",")
    source = next(one for one in SOURCES if one.facts is not None and one.is_of(header))
    raw = pd.DataFrame(
        [["1", UPN, "2023-06-01", None, status]], columns=[*header, "Child's Legal Status"]
    )
    assert source.facts is not None
    frame = with_plain_columns(raw, source.aliases).assign(pupil_id="A")
    assert source.facts(frame, Context())["circumstances"].empty


def test_values_that_are_no_legal_status_are_counted() -> None:
    rows = pd.DataFrame({"ls": ["C2", "V 4", "XX", None]})
    (problem,) = counted_faults(rows, "episodes.csv")
    assert problem.words.startswith("episodes.csv: 2 values of ls are no legal status")


def test_half_days_that_are_not_twice_the_days_are_counted() -> None:
    rows = pd.DataFrame({"sessions": ["3", "6", "5", None], "days": ["3", "3", "", "2"]})
    (problem,) = counted_faults(rows, "s.csv")
    assert problem.words.startswith("s.csv: 1 values of sessions are not twice the days")
