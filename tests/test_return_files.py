"""Files of one return, whatever is in their names: nothing is lost to a day of export or a part's number."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.identity import upn_check_letters
from tests.returns import CENSUS, PARTS, UPN, read_beside, read_files

OTHER = str(upn_check_letters(pd.Series(["A000000340005"]))[0]) + "000000340005"

RETURN = "schoolcensustableid,term,referencedate,urn\n{id},{term},{day},900001\n"
PUPILS = "pupilonrolltableid,schoolcensustableid,upn,dob,entrydate,gender\n"
LEAVERS = (
    "pupilnolongeronrolltableid,schoolcensustableid,upn,dob,entrydate,leavingdate\n"
    "1,{id},{upn},2011-05-01,2022-09-05,2023-06-30\n"
)
EXCLUDED = "pupilonrolltableid,startdate,category\n{id},2023-06-12,SUSP\n"


def pupil(row: str, census: str, upn: str) -> str:
    return f"{row},{census},{upn},2012-10-03,2022-09-05,F\n"


def test_a_day_of_export_in_a_name_unlinks_no_table(tmp_path: Path) -> None:
    """Ids begin at 1 in both returns; the leavers' file bears the day of the exclusions' file."""
    files: dict[str, str] = {}
    for term, census, day, upn in (("aut", 1, "2023-10-05", UPN), ("spr", 1, "2024-01-18", OTHER)):
        files |= {
            f"{term}/schoolcensus_20241101.csv": RETURN.format(id=census, term=term, day=day),
            f"{term}/pupilonroll_20241102.csv": PUPILS + pupil("1", "1", upn),
            f"{term}/pupilnolongeronroll_20241103.csv": LEAVERS.format(id=census, upn=upn[::-1]),
            f"{term}/exclusions_20241103.csv": EXCLUDED.format(id=1),
        }
    extract = read_files(tmp_path, files)
    assert len(extract.tables["suspensions"]) == 2
    assert "suspensions" not in set(extract.rejects["reason"])


@pytest.mark.parametrize("part", ["1", "2"])
def test_a_table_in_two_parts_is_linked_whole(tmp_path: Path, part: str) -> None:
    files = {
        "schoolcensus_part1.csv": RETURN.format(id=1, term="AUT", day="2023-10-05"),
        "schoolcensus_part2.csv": RETURN.format(id=2, term="SPR", day="2024-01-18"),
        "pupilonroll_part1.csv": PUPILS + pupil("11", "2", UPN),
        "pupilonroll_part2.csv": PUPILS + pupil("12", "1", OTHER),
        f"exclusions_part{part}.csv": EXCLUDED.format(id=11) + "12,2023-06-13,SUSP\n",
    }
    assert len(read_files(tmp_path, files).tables["suspensions"]) == 2


@pytest.mark.parametrize(
    "name",
    [
        "Autumn 2023/exclusions spring and summer terms.csv",
        "Autumn 2023/exclusions summer term.csv",
        "Autumn 2023/Summer HT2 exclusions.csv",
    ],
)
@pytest.mark.parametrize("term", ["", " autumn 2023"])
@pytest.mark.parametrize("spring", ["", "Spring 2024"])
def test_a_term_that_a_table_holds_does_not_take_it_from_its_return(
    tmp_path: Path, name: str, term: str, spring: str
) -> None:
    """With or without another return beside it, in which ids begin anew."""
    files = {
        f"Autumn 2023/schoolcensus{term}.csv": RETURN.format(id=1, term="AUT", day="2023-10-05"),
        f"Autumn 2023/pupilonroll{term}.csv": PUPILS + pupil("1", "1", UPN),
        name: EXCLUDED.format(id=1),
    }
    if spring:
        files |= {
            "Spring 2024/census spring 2024.csv": RETURN.format(id=1, term="SPR", day="2024-01-18"),
            "Spring 2024/pupils spring 2024.csv": PUPILS + pupil("1", "1", OTHER),
        }
    extract = read_files(tmp_path, files)
    assert len(extract.tables["suspensions"]) == 1
    assert extract.rejects.empty


def test_a_file_named_for_another_return_of_its_folder_joins_to_nobody(tmp_path: Path) -> None:
    files = {
        "census/schoolcensus_aut.csv": RETURN.format(id=1, term="AUT", day="2023-10-05"),
        "census/pupilonroll_aut.csv": PUPILS + pupil("1", "1", UPN),
        "census/exclusions_spr.csv": EXCLUDED.format(id=1),
    }
    extract = read_files(tmp_path, files)
    assert "suspensions" not in extract.tables
    assert extract.rejects["file"].tolist() == ["census/exclusions_spr.csv"]


@pytest.mark.parametrize(
    ("names", "n"),
    [
        (["{table}_900001.csv", "{table}_900002.csv"], 2),
        (["3014001_{table}.csv", "3014002_{table}.csv"], 2),
        (["{table}_2023-10-05.csv", "{table}_2024-01-18.csv"], 2),
        (["{table}_900001_20241102.csv", "{table}_900002_20241102.csv"], 2),
        (["{table}_2023-24.csv", "{table}_2024-25.csv"], 2),
        (["{table} part 1.csv", "{table} part 2.csv"], 0),
    ],
)
def test_numbers_and_days_in_names_tell_returns_of_one_folder_apart(
    tmp_path: Path, names: list[str], n: int
) -> None:
    files: dict[str, str] = {}
    for name, term, day, upn in zip(
        names, ("AUT", "SPR"), ("2023-10-05", "2024-01-18"), (UPN, OTHER), strict=True
    ):
        files |= {
            name.format(table="schoolcensus"): RETURN.format(id=term, term=term, day=day),
            name.format(table="pupilonroll"): PUPILS + pupil("1", term, upn),
            name.format(table="exclusions"): EXCLUDED.format(id=1),
        }
    extract = read_files(tmp_path, files)
    assert len(extract.tables.frames.get("suspensions", [])) == n
    assert extract.rejects["reason"].tolist() == ["repeated_id"] * (2 - n)


@pytest.mark.parametrize("table", ["schoolcensus.csv", "pupilonroll.csv", "exclusions.csv"])
def test_an_id_that_was_written_with_a_decimal_is_the_same_id(tmp_path: Path, table: str) -> None:
    files = {
        "schoolcensus.csv": RETURN.format(id="7", term="AUT", day="2023-10-05"),
        "pupilonroll.csv": PUPILS + pupil("1", "7", UPN),
        "exclusions.csv": EXCLUDED.format(id="1"),
    }
    files[table] = files[table].replace("\n7,", "\n7.0,").replace("\n1,7,", "\n1.0,7.0,")
    files[table] = files[table].replace("\n1,2", "\n1.0,2")
    assert len(read_files(tmp_path, files).tables["suspensions"]) == 1


def test_the_child_of_social_care_may_be_written_with_a_decimal(tmp_path: Path) -> None:
    files = {
        "header.csv": f"CHILD,SEX,DOB,ETHNIC,UPN\n7001,2,03/10/2012,WBRI,{UPN}\n",
        "episodes.csv": "CHILD,DECOM,RNE,LS,DEC\n7001.0,15/03/2023,S,C2,\n",
    }
    extract = read_beside(tmp_path, files)
    assert set(extract.tables["circumstances"]["kind"]) == {"looked_after"}


def test_a_census_day_outside_its_term_is_an_error_and_dates_nothing(tmp_path: Path) -> None:
    """3 October with the month first, where no date of the file decides."""
    files = {
        "a/schoolcensus.csv": RETURN.format(id=1, term="AUT", day="10/03/2024"),
        "a/pupilonroll.csv": PUPILS + pupil("1", "1", UPN),
        "b/schoolcensus.csv": RETURN.format(id=2, term="SPR", day="2025-01-16"),
        "b/pupilonroll.csv": PUPILS + pupil("2", "2", OTHER),
    }
    extract = read_files(tmp_path, files)
    problems = extract.problems.set_index("rule")
    assert problems.loc["term_and_day", "severity"] == "error"
    assert "not in their Term" in problems.loc["term_and_day", "message"]
    assert len(extract.tables["pupils"]) == 1
    assert (extract.tables["enrolments"]["recorded_on"] > "2025-01-16").all()


def test_a_census_day_years_after_all_others_is_an_error_and_dates_nothing(tmp_path: Path) -> None:
    files = {
        "a/schoolcensus.csv": RETURN.format(id=1, term="AUT", day="2042-10-03"),
        "a/pupilonroll.csv": PUPILS + pupil("1", "1", UPN),
        "b/schoolcensus.csv": RETURN.format(id=2, term="SPR", day="2025-01-16"),
        "b/pupilonroll.csv": PUPILS + pupil("2", "2", OTHER),
    }
    extract = read_files(tmp_path, files)
    assert extract.problems.set_index("rule").loc["far_date", "severity"] == "error"
    assert extract.tables["enrolments"]["recorded_on"].dt.year.tolist() == [2025]
    assert sorted(extract.rejects["file"]) == ["a/pupilonroll.csv", "a/schoolcensus.csv"]


@pytest.mark.parametrize("heading", ["Term", "CensusTerm"])
def test_a_census_day_of_a_flat_file_outside_its_term_dates_nothing(
    tmp_path: Path, heading: str
) -> None:
    header = (
        f"UPN,{heading},CensusDate,URN,DOB,Sex,EntryDate,NCYearActual,EnrolStatus,SENprovision\n"
    )
    rest = "900001,2012-01-15,M,2023-09-04,8,C,K\n"
    files = {
        "flat.csv": f"{header}{UPN},AUT,10/03/2024,{rest}",
        "next.csv": f"{header}{OTHER},SPR,2025-01-16,{rest}",
    }
    extract = read_files(tmp_path, files)
    assert extract.problems.set_index("rule").loc["term_and_day", "severity"] == "error"
    counts = extract.reconciliation.set_index("file")["rows_rejected"]
    assert counts.loc[[name for name in counts.index if "flat.csv" in name]].tolist() == [1]
    assert len(extract.tables["pupils"]) == 1


def test_the_provision_that_counts_is_kept_and_the_other_is_in_conflict_with_it(
    tmp_path: Path,
) -> None:
    """Two rows of one census day, without provision and with SEN support: support counts."""
    header, january, october = CENSUS["pupils.csv"].strip().split("\n")
    again = january.replace("1,1,", "3,1,")
    text = "\n".join([header, january[:-1] + "N", again[:-1] + "K", october[:-1] + "K", ""])
    extract = read_beside(tmp_path, {"census pupils.csv": text})
    counts = extract.reconciliation.set_index("file").loc["census pupils.csv", PARTS]
    conflicts = extract.conflicts[extract.conflicts["column"] == "provision"]
    assert conflicts[["row", "other_row"]].to_numpy().tolist() == [[2, 3]]
    assert counts.tolist()[3] == 1


def test_a_row_in_conflict_in_two_tables_is_told_for_both(tmp_path: Path) -> None:
    header, january, _ = CENSUS["pupils.csv"].strip().split("\n")
    one, two = (
        january.replace("1,1,", f"{row},1,")[:-1] + f"{provision},{ethnicity}"
        for row, provision, ethnicity in (("1", "N", "WBRI"), ("3", "K", "MWBC"))
    )
    extract = read_beside(tmp_path, {"census pupils.csv": f"{header},ethnicity\n{one}\n{two}\n"})
    told = extract.problems[extract.problems["rule"] == "conflict"]
    assert set(told["column"]) == {"ethnicity", "provision"}
    counts = extract.reconciliation.set_index("file").loc["census pupils.csv", PARTS]
    assert counts.sum() == 2
    assert counts["rows_conflicting"] == len(extract.conflicts)
