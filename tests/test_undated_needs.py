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
