"""Rows of returns that contradict each other: counted apart, reported with both rows, decided by a rule."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from riskmodel.data.check import check
from riskmodel.data.read import Extract
from tests.returns import CENSUS, KNOWN, PARTS, UPN, censuses, read_beside

HEADER, JANUARY, OCTOBER = CENSUS["pupils.csv"].strip().split("\n")

EXCLUSIONS = "UPN,Estab,Category,Start date,Sessions,Reason 1,Date notified\n"

MARKS = "UPN,Date,Session,Mark,Received\n"

MEALS = "pupilonrolltableid,fsmstartdate,fsmenddate\n"


def beside(folder: Path, files: dict[str, str]) -> Extract:
    extract = read_beside(folder, files)
    counts = extract.reconciliation
    assert (counts["rows_read"] == counts[PARTS].sum(axis=1)).all()
    assert counts["rows_conflicting"].sum() == len(extract.conflicts)
    return extract


def parts_of(extract: Extract, file: str) -> list[int]:
    """Return the rows of a file kept, merged, set aside and in conflict."""
    return extract.reconciliation.set_index("file").loc[file, PARTS].tolist()


def on(tables: Tables, name: str, day: str, column: str) -> list[object]:
    """Return the values of a column that were known on a day."""
    as_of = pd.Timestamp(day)
    frame = tables.unreplaced(name, as_of)
    return frame.loc[frame["recorded_on"] < as_of, column].tolist()


def test_a_suspension_that_the_census_contradicts_is_in_conflict(tmp_path: Path) -> None:
    census = "pupilonrolltableid,startdate,sessions,reason1,category\n1,2023-11-06,6,DB,FIXD\n"
    reported = f"{EXCLUSIONS}{UPN},900001,SUSP,06/11/2023,4,DB,08/11/2023\n"
    extract = beside(tmp_path, {"school.csv": reported, "x.csv": census})
    assert parts_of(extract, "school.csv") == [1, 0, 0, 0]
    assert parts_of(extract, "x.csv") == [0, 0, 0, 1]
    assert extract.conflicts.values.tolist() == [["x.csv", 2, "sessions", "school.csv", 2]]
    (problem,) = extract.problems[extract.problems["rule"] == "conflict"].itertuples()
    assert problem.message.startswith(
        "x.csv, row 2: says something else in sessions than row 2 of school.csv"
    )
    assert "received later and counts from the day after that" in problem.message
    assert on(extract.tables, "suspensions", "2024-02-22", "sessions") == [4.0]
    assert on(extract.tables, "suspensions", "2024-02-23", "sessions") == [6.0]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_mark_that_is_put_right_counts_from_the_day_after(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    rows = [f"{UPN},2024-03-04,AM,N,2024-03-05\n", f"{UPN},2024-03-04,AM,I,2024-03-08\n"]
    extract = beside(tmp_path, {"m.csv": MARKS + "".join(rows[place] for place in order)})
    assert parts_of(extract, "m.csv") == [1, 0, 0, 1]
    assert on(extract.tables, "sessions", "2024-03-08", "mark") == ["N"]
    assert on(extract.tables, "sessions", "2024-03-09", "mark") == ["I"]


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_of_two_registers_the_one_where_the_pupil_was_counts(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    main, other = (f"{MARKS}{UPN},2024-03-04,AM,{mark},2024-03-05\n" for mark in "DI")
    extract = beside(tmp_path, {names[0]: main, names[1]: other})
    assert extract.tables["sessions"]["mark"].tolist() == ["I"]
    assert extract.conflicts.values.tolist() == [[names[0], 2, "mark", names[1], 2]]


@pytest.mark.parametrize(
    ("changed", "column"), [(",M,", "sex"), ("2012-Nov-03 00:00:00,F,", "birth_month")]
)
def test_one_upn_with_two_children_is_an_error_with_both_rows(
    tmp_path: Path, changed: str, column: str
) -> None:
    was = ",F," if column == "sex" else "2012-Oct-03 00:00:00,F,"
    rows = [f"{JANUARY},WBRI", f"{OCTOBER.replace(was, changed)},"]
    text = "\n".join([f"{HEADER},ethnicity", *rows, ""])
    extract = beside(tmp_path, {"census pupils.csv": text})
    (problem,) = extract.problems[extract.problems["rule"] == "two_children"].itertuples()
    assert (problem.severity, problem.row, problem.column) == ("error", 2, column)
    assert "the names and birthday, of row 3 of census pupils.csv, but another" in problem.message
    assert UPN not in extract.problems.to_csv()
    assert check(extract).has_errors
    (pupil,) = extract.tables["pupils"].itertuples()
    assert pupil.ethnicity == "not_known"  # nothing of the other child
    assert pupil.sex == ("M" if column == "sex" else "F")
    assert parts_of(extract, "census pupils.csv") == [1, 0, 0, 1]


def test_a_pupil_without_absence_is_kept_not_merged(tmp_path: Path) -> None:
    text = f"UPN,Census date,I,M,O\n{UPN},2024-01-18,0,0,0\n{UPN},2024-10-03,3,0,0\n"
    extract = beside(tmp_path, {"wide.csv": text})
    assert parts_of(extract, "wide.csv") == [2, 0, 0, 0]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_the_totals_of_two_schools_of_one_term_are_added_up(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    counted = CENSUS["schoolcensus.csv"] + "3,SPR,2024,2024-Jan-18 00:00:00,900002\n"
    left = JANUARY.replace("1,1,", "3,3,").replace("2023-Sep-04", "2023-Nov-06")
    absent = ["1,I,6\n", "3,I,4\n"]
    header = "pupilonrolltableid,attendancereason,sessions\n"
    files = {
        "census schoolcensus.csv": counted,
        "census pupils.csv": "\n".join([HEADER, JANUARY, OCTOBER, left, ""]),
        "a.csv": header + "".join(absent[place] for place in order) + "1,O,2\n",
    }
    extract = beside(tmp_path, files)
    totals = extract.tables["absence_totals"]
    assert dict(zip(totals["mark"], totals["sessions"], strict=True)) == {"I": 10, "O": 2}
    assert parts_of(extract, "a.csv") == [3, 0, 0, 0]


def test_totals_that_came_twice_are_not_added_up(tmp_path: Path) -> None:
    text = "pupilonrolltableid,attendancereason,sessions\n1,I,6\n"
    extract = beside(tmp_path, {"a.csv": text, "b.csv": text})
    assert extract.tables["absence_totals"]["sessions"].tolist() == [6]
    assert parts_of(extract, "b.csv") == [0, 1, 0, 0]


def test_a_circumstance_goes_on_where_a_later_return_has_no_end(tmp_path: Path) -> None:
    five = censuses()
    files = {
        "census schoolcensus.csv": five["schoolcensus.csv"],
        "census pupils.csv": five["on.csv"],
    }
    meals = ["1,2023-09-04,\n", "2,2023-09-04,2024-01-05\n", "3,2023-09-04,\n", "4,2023-09-04,\n"]
    extract = beside(tmp_path, files | {"m.csv": MEALS + "".join(meals)})
    ends = []
    for known in KNOWN[:4]:
        spells = extract.tables.as_known(known + pd.Timedelta(days=1))["circumstances"]
        (end,) = spells.loc[spells["kind"] == "fsm", "end_date"]
        ends.append("" if pd.isna(end) else f"{end:%F}")
    assert ends == ["", "2024-01-05", "", ""]
    assert parts_of(extract, "m.csv") == [2, 1, 0, 1]


def test_a_roll_that_another_census_describes_otherwise_is_in_conflict(tmp_path: Path) -> None:
    text = "\n".join([HEADER, JANUARY, OCTOBER.replace(",8,N", ",9,N"), ""])
    extract = beside(tmp_path, {"census pupils.csv": text})
    assert extract.conflicts.values.tolist() == [
        ["census pupils.csv", 3, "year_group", "census pupils.csv", 2]
    ]


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_two_addresses_of_one_census_are_decided_by_what_they_are(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    rows = ["1,AA1 1AA\n", "1,BB1 1BB\n"]
    files = {
        "post.csv": "postcode,idaci decile,imd decile\nAA1 1AA,3,3\nBB1 1BB,7,7\n",
        "a.csv": "pupilonrolltableid,postcode\n" + "".join(rows[place] for place in order),
    }
    extract = beside(tmp_path, files)
    assert extract.tables["neighbourhood"]["idaci_decile"].tolist() == [3.0]
    assert parts_of(extract, "a.csv") == [1, 0, 0, 1]


SECOND = "B" + UPN[1:-1] + "7"
THIRD = "C" + UPN[1:-1] + "8"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_children_of_one_upn_are_on_no_list_and_their_rows_are_set_aside(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    other = JANUARY.replace("1,1,", "3,1,").replace(
        "2012-Oct-03 00:00:00,F", "2009-Mar-02 00:00:00,M"
    )
    rows = [JANUARY, other, OCTOBER.replace(UPN, SECOND)]
    files = {
        "census pupils.csv": "\n".join([HEADER, *(rows[place] for place in order), ""]),
        "marks.csv": f"{MARKS}{UPN},2024-03-04,AM,I,\n{SECOND},2024-03-04,AM,/,\n",
        "meals.csv": f"{MEALS}1,2023-09-04,\n3,2023-09-04,\n2,2023-09-04,\n",
    }
    extract = beside(tmp_path, files)
    assert {name: len(extract.tables[name]) for name in ("pupils", "enrolments", "sessions")} == {
        "pupils": 1,
        "enrolments": 1,
        "sessions": 1,
    }
    assert parts_of(extract, "census pupils.csv") == [1, 0, 2, 0]
    assert parts_of(extract, "marks.csv") == [1, 0, 1, 0]
    assert parts_of(extract, "meals.csv") == [1, 0, 2, 0]
    first, second = sorted(2 + order.index(place) for place in (0, 1))
    words = (
        f"census pupils.csv, row {second}: has the UPN of row {first} of census pupils.csv, but another "
        "sex and another month of birth"
    )
    assert extract.problems["message"].str.startswith(words).sum() == 1
    assert UPN not in extract.problems.to_csv()
    assert check(extract).has_errors


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_former_upn_of_two_pupils_joins_to_neither(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    header = HEADER.replace("upn,dob", "upn,formerupn,dob")
    rows = [
        JANUARY.replace(UPN, f"{UPN},{THIRD}"),
        JANUARY.replace("1,1,", "3,1,").replace(UPN, f"{SECOND},{THIRD}"),
    ]
    files = {
        "census pupils.csv": "\n".join([header, *(rows[place] for place in order), ""]),
        "school.csv": f"{EXCLUSIONS}{THIRD},900001,SUSP,06/11/2023,4,DB,08/11/2023\n",
    }
    extract = beside(tmp_path, files)
    assert len(extract.tables["pupils"]) == 2
    assert extract.rejects["file"].tolist() == ["school.csv"]
    (problem,) = extract.problems[extract.problems["rule"] == "former_upn_of_two"].itertuples()
    assert problem.severity == "error"
    assert "2 rows, the first of them row 2, name a former UPN that another" in problem.message


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_two_upns_that_name_each_other_are_one_pupil_in_any_order(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    header = HEADER.replace("upn,dob", "upn,formerupn,dob")
    rows = [
        JANUARY.replace(UPN, f"{UPN},{SECOND}"),
        OCTOBER.replace(UPN, f"{SECOND},{UPN}"),
    ]
    text = "\n".join([header, *(rows[place] for place in order), ""])
    alone = f"{EXCLUSIONS}{min(UPN, SECOND)},900001,SUSP,06/11/2023,4,DB,08/11/2023\n"
    extract = beside(tmp_path, {"census pupils.csv": text, "school.csv": alone})
    assert len(extract.tables["pupils"]) == len(extract.tables["suspensions"]) == 1
