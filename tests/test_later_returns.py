"""Returns without a day of receipt: the latest day in a file shows which of two is the later one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.returns import ARRANGED, UPN, ends_on, read_beside

HEADER = f"CHILD,SEX,DOB,ETHNIC,UPN\n7001,2,03/10/2012,WBRI,{UPN}\n"
EPISODES = "CHILD,DECOM,RNE,LS,DEC\n7001,15/03/2022,S,C2,{end}\n7001,{other},S,V3,\n"


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
@pytest.mark.parametrize(("second", "later"), [("", "open"), ("30/09/2023", "2023-09-30")])
def test_of_two_returns_of_social_care_the_later_one_counts_from_its_latest_day(
    tmp_path: Path, names: tuple[str, str], second: str, later: str
) -> None:
    files = {
        "header.csv": HEADER,
        names[0]: EPISODES.format(end="31/03/2023", other="01/03/2023"),
        names[1]: EPISODES.format(end=second, other="01/03/2024"),
    }
    tables = read_beside(tmp_path, files).tables
    days = ["2023-06-01", "2024-03-01", "2024-03-03"]
    assert ends_on(tables, "looked_after", days) == ["2023-03-31", "2023-03-31", later]


def test_a_return_in_which_nothing_began_since_is_not_the_earlier_one(tmp_path: Path) -> None:
    """The second return ends an episode; its latest start is before the last of the first return."""
    files = {
        "header.csv": HEADER,
        "a.csv": EPISODES.format(end="", other="01/03/2023"),
        "b.csv": EPISODES.format(end="10/11/2023", other="01/02/2023"),
    }
    tables = read_beside(tmp_path, files).tables
    care = tables.as_known(pd.Timestamp("2024-06-01"))["circumstances"]
    spells = care[(care["start_date"] == pd.Timestamp("2022-03-15")).to_numpy()]
    assert spells["end_date"].astype("str").tolist() == ["2023-11-10"]


def test_an_end_in_the_far_future_makes_no_return_the_later_one(tmp_path: Path) -> None:
    files = {
        "header.csv": HEADER,
        "a.csv": EPISODES.format(end="", other="01/03/2023") + "7001,01/02/2023,S,C2,31/12/2032\n",
        "b.csv": EPISODES.format(end="30/06/2023", other="01/03/2024"),
    }
    care = read_beside(tmp_path, files).tables.as_known(pd.Timestamp("2033-06-01"))["circumstances"]
    spells = care[(care["start_date"] == pd.Timestamp("2022-03-15")).to_numpy()]
    assert spells["end_date"].astype("str").tolist() == ["2023-06-30"]


@pytest.mark.parametrize("first", ["31/03/2023", ""])
def test_an_end_that_contradicts_none_is_known_the_day_after(tmp_path: Path, first: str) -> None:
    files = {
        "header.csv": HEADER,
        "a.csv": EPISODES.format(end=first, other="01/03/2023"),
        "b.csv": EPISODES.format(end="31/03/2023", other="01/03/2024"),
    }
    extract = read_beside(tmp_path, files)
    care = extract.tables["circumstances"]
    assert care["recorded_on"].tolist() == [pd.Timestamp("2022-03-16")]
    assert care["end_recorded_on"].tolist() == [pd.Timestamp("2023-04-01")]
    assert extract.conflicts.empty


@pytest.mark.parametrize(
    ("end", "starts"),
    [("2023-12-20 00:00:00", ["2023-09-01", "2024-10-03"]), ("", ["2023-09-01"])],
)
def test_a_unit_counts_from_its_census_where_a_placement_was_over(
    tmp_path: Path, end: str, starts: list[str]
) -> None:
    """The pupil entered on 4 September 2023; the placement that covered that day ended in December."""
    files = {
        "arranged.csv": f"{ARRANGED}1,X,2023-09-01 00:00:00,{end}\n",
        "unit.csv": "pupilonrolltableid,apreason\n2,Q\n",
    }
    tables = read_beside(tmp_path, files).tables
    spells = tables.as_known(pd.Timestamp("2024-12-01"))["circumstances"]
    assert [f"{day:%F}" for day in sorted(spells["start_date"])] == starts


def episodes(*rows: tuple[int, str, str]) -> str:
    """Return an SSDA903 of children, from their ids, first days and last days."""
    lines = [f"{child},{decom},S,C2,{dec}" for child, decom, dec in rows]
    return "\n".join(["CHILD,DECOM,RNE,LS,DEC", *lines, ""])


@pytest.mark.parametrize(
    ("rows", "ends"),
    [
        ([(7002, "01/02/2024", "")], ["open", "2023-03-31"]),
        ([(7001, "15/03/2022", ""), (7002, "01/02/2024", "")], ["open", "open"]),
        (
            [(7001, "14/03/2022", ""), (7002, "01/02/2024", "")],
            ["open open", "open open"],
        ),  # corrected
        ([(7001, "01/07/2023", ""), (7002, "01/02/2024", "")], ["open open", "open 2023-03-31"]),
        ([(7003, "01/02/2024", "")], ["open", "open"]),  # none of the same children: a part
    ],
    ids=["gone", "open", "corrected", "began_again", "part"],
)
def test_an_episode_that_the_next_return_lacks_ends_with_the_year_of_the_last_that_has_it(
    tmp_path: Path, rows: list[tuple[int, str, str]], ends: list[str]
) -> None:
    files = {
        "header.csv": HEADER,
        "a.csv": episodes((7001, "15/03/2022", ""), (7002, "01/02/2023", "")),
        "b.csv": episodes(*rows),
    }
    tables = read_beside(tmp_path, files).tables
    found = ends_on(tables, "looked_after", ["2024-02-01", "2024-02-03"])
    assert [" ".join(sorted(day.split(), reverse=True)) for day in found] == ends
