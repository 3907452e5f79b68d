"""Censuses of pupils who left, of academies, in XML and with addresses: what each return means.

In:  a few rows of returns, and of the files beside them.
Out: enrolments, suspensions, totals and homes as worked out by hand.
"""

from __future__ import annotations

from pathlib import Path

from riskmodel.data.read import Extract, read
from tests.returns import UPN

RETURNS = "schoolcensustableid,term,referencedate,urn\n"
LEFT = "pupilnolongeronrolltableid,schoolcensustableid,upn,dob,sex,entrydate,leavingdate,ncyearleaving\n"
ON = "pupilonrolltableid,schoolcensustableid,upn,dob,sex,entrydate,ncyearactual,enrolstatus\n"


def read_files(folder: Path, files: dict[str, str]) -> Extract:
    """Read files, each of them in a folder of its own return."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return read(folder, key_file=folder.parent / f"{folder.name}.key")


AUTUMN_LEAVER = {
    "autumn/returns.csv": f"{RETURNS}1,AUT,2024-10-03,900001\n",
    "autumn/left.csv": f"{LEFT}1,1,{UPN},2008-01-15,M,2019-09-02,2024-06-28,11\n",
}


def test_the_year_group_of_a_leaver_is_the_one_on_leaving(tmp_path: Path) -> None:
    (spell,) = read_files(tmp_path, AUTUMN_LEAVER).tables["enrolments"].itertuples()
    assert spell.year_group == 7  # Year 11 in the school year 2023/24, four years after entry
    assert spell.leaving_reason == "completed"


def test_a_leaver_whom_an_earlier_census_saw_is_in_no_conflict(tmp_path: Path) -> None:
    spring = {
        "spring/returns.csv": f"{RETURNS}1,SPR,2024-01-18,900001\n",
        "spring/on.csv": f"{ON}1,1,{UPN},2008-01-15,M,2019-09-02,11,C\n",
    }
    extract = read_files(tmp_path, AUTUMN_LEAVER | spring)
    assert extract.conflicts.empty
    assert extract.tables["enrolments"]["leaving_reason"].tolist() == ["completed"]
