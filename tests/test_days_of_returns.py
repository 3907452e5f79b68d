"""The day of a return is not used where the rows of the return contradict it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import upn_check_letters
from tests.returns import UPN, read_beside, read_files

BODIES = pd.Series([f"00000034{n:04}" for n in range(12)])
UPNS = (upn_check_letters("A" + BODIES).astype("str") + BODIES).tolist()

RETURNS = (
    "schoolcensustableid,term,referencedate,urn\n1,AUT,2023-10-05,900001\n2,AUT,{day},900001\n"
)

ROWS = [f"{upn},2012-01-{n + 10},F,2023-09-04" for n, upn in enumerate(UPNS)]
"""Twelve simulated pupils of year 7 in 2023/24."""


def collect(day: str, pupils: int = 12) -> dict[str, str]:
    """Return two censuses of COLLECT, of which the second was of autumn 2024."""
    header = "pupilonrolltableid,schoolcensustableid,upn,dob,gender,entrydate,ncyearactual\n"
    rows = [f"{n},1,{row},7\n" for n, row in enumerate(ROWS)]
    rows += [f"{n + 20},2,{row},8\n" for n, row in enumerate(ROWS[:pupils])]
    return {"schoolcensus.csv": RETURNS.format(day=day), "pupils.csv": header + "".join(rows)}


def flat(day: str, pupils: int = 12) -> dict[str, str]:
    """Return the same as a flat file."""
    rows = [f"{row},7,2023-10-05,900001\n" for row in ROWS]
    rows += [f"{row},8,{day},900001\n" for row in ROWS[:pupils]]
    header = "UPN,DOB,Gender,EntryDate,NCyearActual,CensusDate,URN\n"
    return {"flat.csv": header + "".join(rows)}


@pytest.mark.parametrize("day", ["2025-10-02", "2026-10-01", "2022-10-06"])
@pytest.mark.parametrize(("form", "n_rows"), [(collect, 1), (flat, 12)])
def test_a_census_day_of_another_year_than_the_ages_is_an_error(
    form: object, n_rows: int, day: str, tmp_path: Path
) -> None:
    assert callable(form)
    extract = read_files(tmp_path, form(day))
    (problem,) = extract.problems.query("rule == 'other_year'").itertuples()
    assert problem.severity == "error"
    assert f": {n_rows} of " in problem.message
    assert "hold a census day of another school year" in problem.message
    assert extract.tables["enrolments"]["recorded_on"].eq(pd.Timestamp("2023-11-09")).all()


@pytest.mark.parametrize("form", [collect, flat])
@pytest.mark.parametrize(
    ("day", "pupils"), [("2024-10-03", 12), ("2025-10-02", 9), ("2024-09-01", 12)]
)
def test_a_census_day_is_used_unless_the_ages_of_ten_pupils_contradict_it(
    form: object, day: str, pupils: int, tmp_path: Path
) -> None:
    assert callable(form)
    extract = read_files(tmp_path, form(day, pupils))
    assert "other_year" not in set(extract.problems["rule"])


def test_a_flat_census_day_before_all_births_is_at_fault_and_not_the_birth(tmp_path: Path) -> None:
    header = "UPN,DOB,EntryDate,CensusDate,URN,NCyearActual\n"
    rows = f"{UPN},2012-10-03,2023-09-04,2023-10-05,900001,7\n"
    rows += f"{UPNS[0]},2012-01-10,2023-09-04,2004-10-05,900001,7\n"
    extract = read_files(tmp_path, {"flat.csv": header + rows})
    assert extract.problems["rule"].tolist() == ["no_census"]
    assert extract.rejects["row"].tolist() == [3]


CASES = (
    "LAchildID,UPN,CIN Referral Date,CIN Closure Date,CPP Start Date,CPP End Date,Reference Date\n"
)


@pytest.mark.parametrize(("year", "n_found"), [("2024", 0), ("2025", 10), ("2032", 10)])
def test_a_cin_census_of_a_year_without_cases_is_an_error(
    year: str, n_found: int, tmp_path: Path
) -> None:
    rows = [f"A{n},{UPN},1/{n + 2}/2023,,,,31/03/{year}\n" for n in range(10)]
    (tmp_path / "x").mkdir()
    extract = read_beside(tmp_path / "x", {"cin.csv": CASES + "".join(rows)})
    found = extract.problems.query("rule == 'other_year'")
    assert len(found) == bool(n_found)
    assert found["message"].str.contains(f"{n_found} rows hold a ReferenceDate of a year").all()
    assert extract.rejects.empty


RECEIVED = {
    "UPN,Date,Session,Mark,Received": f"{UPN},2024-03-0{{n}},AM,I,{{day}}",
    "UPN,Estab,Category,StartDate,Date Notified": f"{UPN},900001,SUSP,2024-03-0{{n}},{{day}}",
    "UPN,Service,Start Date,End Date,Date Recorded": f"{UPN},Early help,2024-03-0{{n}},,{{day}}",
}


@pytest.mark.parametrize("header", RECEIVED)
@pytest.mark.parametrize("n_others", [0, 2])
def test_a_row_received_years_after_all_others_is_an_error(
    header: str, n_others: int, tmp_path: Path
) -> None:
    days = ["2042-03-05", *["2024-03-05"] * n_others]
    rows = [RECEIVED[header].format(n=n, day=day) for n, day in enumerate(days, 1)]
    (tmp_path / "x").mkdir()
    extract = read_beside(tmp_path / "x", {"a.csv": "\n".join([header, *rows, ""])})
    (problem,) = extract.problems.query("severity == 'error'").itertuples()
    words = "recorded_on '2042-03-05' is more than 5 years after all other days of receipt"
    assert problem.message.startswith(f"a.csv, row 2: {words}")
    assert extract.rejects["row"].tolist() == [2]
