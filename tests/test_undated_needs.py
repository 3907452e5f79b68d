"""Needs of SEN2, which hold no day, and needs whose rank cannot be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data import Tables
from tests.returns import PARTS, PLANS, UPN, read_beside

NEEDS = f"UPN,SENtype,SENtypeRank\n{UPN},ASD,1\n{UPN},SLCN,2\n"


def needs_on(tables: Tables, day: str) -> list[list[object]]:
    """Return the primary and the secondary need of the plan that runs on a day, as known then."""
    as_of = pd.Timestamp(day)
    send = tables.as_known(as_of)["send"]
    running = send[(send["start_date"] < as_of) & ~(send["end_date"] < as_of)]
    return (
        running[["primary_need", "secondary_need"]].astype("object").fillna("").to_numpy().tolist()
    )


def read_plans(folder: Path, plans: str) -> Tables:
    folder.mkdir()
    extract = read_beside(folder, {"needs.csv": NEEDS, "plans.csv": PLANS + plans})
    assert (extract.reconciliation["rows_rejected"] == 0).all()
    return extract.tables


@pytest.mark.parametrize("first", ["2022-01-10,2023-06-30,2", "2022-01-10,,"])
@pytest.mark.parametrize("later", ["2024-02-01,,", "2023-11-01,2023-12-01,2"])
def test_a_later_plan_changes_no_need_of_an_earlier_list(
    tmp_path: Path, first: str, later: str
) -> None:
    """P2: the second plan of a pupil takes nothing from a list of before, and gives it nothing."""
    before, after = (
        read_plans(tmp_path / str(number), plans)
        for number, plans in enumerate((f"{UPN},{first}\n", f"{UPN},{first}\n{UPN},{later}\n"))
    )
    for day in ("2022-06-01", "2023-06-01", "2023-10-31"):
        assert needs_on(before, day) == needs_on(after, day)


def test_both_needs_without_a_day_count_from_the_latest_day(tmp_path: Path) -> None:
    """The census of October 2024 is the latest fact of the folder."""
    tables = read_plans(tmp_path / "x", f"{UPN},2022-01-10,2023-06-30,2\n{UPN},2023-09-04,,\n")
    assert needs_on(tables, "2022-06-01") == [["", ""]]
    assert needs_on(tables, "2024-11-07") == [["", ""]]
    assert needs_on(tables, "2024-11-09") == [["ASD", "SLCN"]]


@pytest.mark.parametrize("rank", ["", "Tertiary", "0"])
def test_a_need_without_a_rank_that_can_be_read_is_set_aside(tmp_path: Path, rank: str) -> None:
    text = f"pupilonrolltableid,sentype,sentyperank\n1,SEMH,1\n2,SLCN,{rank}\n"
    extract = read_beside(tmp_path, {"needs.csv": text})
    counts = extract.reconciliation.set_index("file").loc["needs.csv", PARTS]
    assert counts.tolist() == [1, 0, 1, 0]
    problems = extract.problems[extract.problems["file"] == "needs.csv"]
    assert problems["column"].tolist() == ["sentyperank"]


@pytest.mark.parametrize("n_far", [1, 4])
def test_a_mistyped_day_of_one_plan_moves_no_need_of_others(tmp_path: Path, n_far: int) -> None:
    """Needs count from the latest day known; four plans of a later year are no typing error."""
    folder = tmp_path / "x"
    folder.mkdir()
    far = "".join(f"{UPN},{2032 + n}-09-01,{2032 + n}-12-01,2\n" for n in range(n_far))
    files = {"needs.csv": NEEDS, "plans.csv": f"{PLANS}{UPN},2022-01-10,,\n{far}"}
    extract = read_beside(folder, files)
    found = needs_on(extract.tables, "2024-11-09")
    assert found == ([["ASD", "SLCN"]] if n_far == 1 else [["", ""]])
    assert extract.problems["rule"].eq("far_date").sum() == (n_far == 1)


CENSUS_NEEDS = "pupilonrolltableid,sentype,sentyperank\n"


@pytest.mark.parametrize("header", [CENSUS_NEEDS, ""])
def test_of_two_needs_of_one_rank_one_is_in_conflict(tmp_path: Path, header: str) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    who, header = ("1", header) if header else (UPN, "UPN,SENtype,SENtypeRank\n")
    text = f"{header}{who},SEMH,1\n{who},ASD,1\n{who},MLD,2\n{who},SLCN,2\n"
    extract = read_beside(folder, {"needs.csv": text, "plans.csv": f"{PLANS}{UPN},2022-01-10,,\n"})
    counts = extract.reconciliation.set_index("file").loc["needs.csv", PARTS]
    assert counts.tolist() == [2, 0, 0, 2]
    found = extract.problems[extract.problems["rule"] == "conflict"]
    assert sorted(found["column"]) == ["primary_need", "secondary_need"]
    assert found["message"].str.contains("Of two needs of one rank the first in the order").all()


def test_a_secondary_need_alone_is_kept_and_a_third_one_reported(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    text = f"UPN,SENtype,SENtypeRank\n{UPN},SLCN,2\n{UPN},HI,3\n"
    extract = read_beside(folder, {"needs.csv": text, "plans.csv": f"{PLANS}{UPN},2022-01-10,,\n"})
    assert needs_on(extract.tables, "2024-11-09") == [["", "SLCN"]]
    (message,) = extract.problems.loc[extract.problems["rule"] == "unused_rank", "message"]
    assert message.startswith("needs.csv: 1 needs have a rank after 2 and are not used")
