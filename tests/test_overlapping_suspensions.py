"""Suspensions of one pupil that overlap, or became permanent: one may correct the other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.tables import incidents_that_count
from tests.returns import UPN, read_beside, read_files


@pytest.mark.parametrize(
    ("rows", "n_found"),
    [
        (["SUSP,14/10/2024,4", "SUSP,15/10/2024,4"], 1),  # the first day was corrected
        (["SUSP,14/10/2024,10", "PERM,14/10/2024,"], 0),  # made permanent at once
        (["SUSP,14/10/2024,4", "SUSP,16/10/2024,4"], 0),
        (["SUSP,14/10/2024,10", "PERM,15/10/2024,"], 0),  # made permanent while it lasted
        (["SUSP,14/10/2024,4", "LNCH,15/10/2024,1"], 0),
        (["SUSP,14/10/2024,4", "SUSP,15/10/2024,4", "SUSP,16/10/2024,4"], 1),
    ],
)
def test_suspensions_that_overlap_are_reported(
    rows: list[str], n_found: int, tmp_path: Path
) -> None:
    listed = "".join(f"{UPN},900001,{row},PP\n" for row in rows)
    files = {"list.csv": "UPN,URN,Category,Start Date,Sessions,Reason1\n" + listed}
    extract = read_beside(tmp_path, files)
    assert len(extract.tables["suspensions"]) == len(rows)
    found = extract.problems.loc[extract.problems["rule"] == "overlapping_suspensions", "message"]
    assert len(found) == n_found
    assert found.str.contains("1 pupils have two at one school that overlap").all()


LISTED = "UPN,URN,Category,Start Date,Sessions,Date LA Notified\n"
PENDING = "900001,SUSP,14/10/2024,10,15/10/2024"
PERMANENT = "900001,PERM,14/10/2024,,18/10/2024"


@pytest.mark.parametrize(
    ("rows", "counted", "said"),
    [
        ([PENDING, PERMANENT], ["PERM"], "1 permanent exclusions"),
        ([PENDING, PERMANENT, PERMANENT], ["PERM"], "1 permanent exclusions"),
        ([PENDING, PERMANENT.replace("14/10", "15/10")], ["PERM", "SUSP"], ""),
        ([PENDING, PERMANENT.replace("900001", "900002")], ["PERM", "SUSP"], ""),
        ([PENDING.replace("SUSP", "LNCH"), PERMANENT], ["LNCH", "PERM"], ""),
        ([PENDING.replace("15/10/2024", "20/01/2025"), PERMANENT], ["PERM"], "Of 1 the suspension"),
    ],
)
def test_a_suspension_that_became_permanent_on_its_first_day_is_one_incident(
    rows: list[str], counted: list[str], said: str, tmp_path: Path
) -> None:
    listed = "".join(f"{UPN},{row}\n" for row in rows)
    extract = read_beside(tmp_path, {"list.csv": LISTED + listed})
    assert len(extract.tables["suspensions"]) == len(set(rows)), "both rows are kept"
    known = extract.tables.as_known(pd.Timestamp("2025-08-01"))["suspensions"]
    assert sorted(known["category"]) == counted
    found = extract.problems.loc[extract.problems["rule"] == "made_permanent", "message"]
    assert len(found) == bool(said)
    assert found.str.contains(said).all()


@pytest.mark.parametrize(
    ("day", "counted"),
    [
        ("2024-10-15", []),
        ("2024-10-16", ["SUSP"]),  # until the exclusion is known
        ("2024-10-18", ["SUSP"]),
        ("2024-10-19", ["PERM"]),
        ("2024-12-02", ["PERM"]),
        ("2024-12-03", ["SUSP"]),  # it was served, whatever became of the exclusion
    ],
)
def test_what_counts_of_an_incident_is_what_was_known_of_it(
    day: str, counted: list[str], tmp_path: Path
) -> None:
    files = {
        "list.csv": LISTED.replace("\n", ",ReinstatementDate\n")
        + f"{UPN},{PENDING},\n{UPN},{PERMANENT},02/12/2024\n"
    }
    tables = read_beside(tmp_path, files).tables
    known = tables.as_known(pd.Timestamp(day))["suspensions"]
    assert known["category"].tolist() == counted
    pd.testing.assert_frame_equal(incidents_that_count(known), known)


def test_files_with_one_table_each_tell_of_suspensions_that_became_permanent(
    tmp_path: Path,
) -> None:
    header = "pupil_id,school_id,start_date,sessions,category,recorded_on\n"
    row = "P2222222222222222,900001,2024-10-14,{},2024-10-15\n"
    files = {
        "pupils.csv": "pupil_id,birth_month,sex,ethnicity\nP2222222222222222,2012-10-01,F,WBRI\n",
        "suspensions.csv": header + row.format("10,SUSP") + row.format(",PERM"),
    }
    extract = read_files(tmp_path, files)
    known = extract.tables.as_known(pd.Timestamp("2025-01-01"))["suspensions"]
    assert known["category"].tolist() == ["PERM"]
    assert "made_permanent" in set(extract.problems["rule"])
