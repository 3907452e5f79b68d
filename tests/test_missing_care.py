"""Plans and spells of social care that the next return or list no longer has, and no row ends."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from riskmodel.data.read import Extract
from tests.returns import UPN, ends_on, read_beside

CIN = "LAchildID,UPN,CINreferralDate,CINclosureDate,CPPstartDate,CPPendDate,ReferenceDate\n"

KINDS = {
    "child_in_need": ("CIN Start Date", "CIN Closure Date"),
    "child_protection": ("Child Protection Plan Start Date", "Child Protection Plan End Date"),
    "looked_after": ("Date Started to be Looked After", "Date Ceased to be Looked After"),
}
"""Kind of a list of Annex A → its columns."""


def cin(day: str, *rows: str) -> str:
    """Return a CIN census: a referral of the child from 1 May 2022, once with each of some plans."""
    return CIN + "".join(f"7,{UPN},01/05/2022,,{row},{day}\n" for row in rows)


def annex(kind: str, *rows: tuple[int, str, str]) -> str:
    """Return a list of Annex A: ids of children, first and last days. Child 7 is the pupil."""
    header = ",".join(["Child Unique ID", "UPN", *KINDS[kind]])
    lines = [f"{child},{UPN if child == 7 else ''},{first},{last}" for child, first, last in rows]
    return "\n".join([header, *lines, ""])


def told(extract: Extract, rule: str) -> list[str]:
    return extract.problems.loc[extract.problems["rule"] == rule, "message"].tolist()


@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_a_plan_that_the_next_census_lacks_ends_with_the_last_that_has_it(
    names: tuple[str, str], tmp_path: Path
) -> None:
    first, second = cin("31/03/2023", "01/06/2022,"), cin("31/03/2024", ",")
    extract = read_beside(tmp_path, dict(zip(names, (first, second), strict=True)))
    days = ["2023-06-01", "2024-04-01", "2024-04-02"]
    assert ends_on(extract.tables, "child_protection", days) == ["open", "open", "2023-03-31"]
    assert ends_on(extract.tables, "child_in_need", days) == ["open"] * 3
    (words,) = told(extract, "plan_gone")
    assert words.startswith(f"{names[0]}: 1 child protection plans without an end are not in the")
    assert not told(extract, "referral_gone")


@pytest.mark.parametrize(
    ("first", "second", "ends"),
    [
        (["01/06/2022,"], ["01/06/2022,"], "open"),
        (["01/06/2022,"], ["01/06/2022,15/09/2023"], "2023-09-15"),
        (["01/06/2022,12/01/2023"], [","], "2023-01-12"),
        (["01/06/2022,"], ["01/09/2023,"], "2023-03-31 open"),
        (["01/06/2022,", "01/02/2023,"], ["01/06/2022,"], "open 2023-03-31"),
    ],
    ids=["open", "ended", "ended_before", "another", "one_of_two"],
)
def test_which_plans_end(first: list[str], second: list[str], ends: str, tmp_path: Path) -> None:
    files = {"a.csv": cin("31/03/2023", *first), "b.csv": cin("31/03/2024", *second)}
    tables = read_beside(tmp_path, files).tables
    assert ends_on(tables, "child_protection", ["2024-05-01"]) == [ends]


def test_a_census_sent_twice_ends_no_plan(tmp_path: Path) -> None:
    text = cin("31/03/2023", "01/06/2022,")
    extract = read_beside(tmp_path, {"a.csv": text, "b.csv": text})
    assert ends_on(extract.tables, "child_protection", ["2024-05-01"]) == ["open"]
    assert not told(extract, "plan_gone")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [("a.csv", "b.csv"), ("b.csv", "a.csv")])
def test_a_spell_that_the_next_list_of_annex_a_lacks_ends(
    kind: str, names: tuple[str, str], tmp_path: Path
) -> None:
    first = annex(kind, (7, "15/03/2023", ""), (8, "01/05/2023", ""))
    second = annex(kind, (8, "01/05/2023", ""), (9, "01/02/2024", ""))
    extract = read_beside(tmp_path, dict(zip(names, (first, second), strict=True)))
    days = ["2023-06-01", "2024-02-01", "2024-02-03"]
    assert ends_on(extract.tables, kind, days) == ["open", "open", "2023-05-01"]
    (words,) = told(extract, "listed_spell_gone")
    assert words.startswith(f"{names[0]}: 1 spells without an end are not in the next list of this")


@pytest.mark.parametrize(
    "second",
    [
        [(7, "15/03/2023", ""), (9, "01/02/2024", "")],
        [(9, "01/02/2024", "")],  # none of the same children: a part
    ],
    ids=["open", "part"],
)
def test_which_spells_of_annex_a_stay_open(
    second: list[tuple[int, str, str]], tmp_path: Path
) -> None:
    first = annex("looked_after", (7, "15/03/2023", ""), (8, "01/05/2023", ""))
    files = {"a.csv": first, "b.csv": annex("looked_after", *second)}
    extract = read_beside(tmp_path, files)
    assert ends_on(extract.tables, "looked_after", ["2024-05-01"]) == ["open"]


def test_an_end_that_a_census_gives_counts_before_that_of_a_list_without_the_spell(
    tmp_path: Path,
) -> None:
    kind = "child_protection"
    files = {
        "a.csv": annex(kind, (7, "01/06/2022", ""), (8, "01/03/2023", "")),
        "b.csv": annex(kind, (8, "01/03/2023", ""), (9, "01/02/2024", "")),
        "c.csv": cin("31/03/2024", "01/06/2022,15/09/2023"),
    }
    tables = read_beside(tmp_path, files).tables
    days = ["2023-09-15", "2023-09-17", "2024-06-01"]
    assert ends_on(tables, kind, days) == ["open", "2023-09-15", "2023-09-15"]
    spells = tables["circumstances"]
    of_kind = spells[(spells["kind"] == kind).to_numpy()]
    assert of_kind["start_date"].tolist() == [pd.Timestamp("2022-06-01")]
