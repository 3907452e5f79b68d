"""A school year that a flat census gives as one year is the one that its pupils show, or none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.identity import upn_check_letters
from riskmodel.data.read import Extract
from riskmodel.data.read.sources.census_flat import census_days
from tests.returns import read_files

BODIES = pd.Series([f"00000034{n:04}" for n in range(12)])
UPNS = (upn_check_letters("A" + BODIES).astype("str") + BODIES).tolist()

HEADER = "UPN,DOB,EntryDate,{group},AcademicYear,CensusTerm,URN\n"


def flat(
    year: str, first: int = 2023, *, term: str = "Autumn", group: str = "NCyearActual", n: int = 12
) -> str:
    """Return a census of pupils of Year 7 in the school year that begins in a year, who entered in it."""
    rows = [
        f"{upn},{first - 11}-01-{i + 10},{first}-09-04,7,{year},{term},900001\n"
        for i, upn in enumerate(UPNS[:n])
    ]
    return HEADER.format(group=group) + "".join(rows)


def first_known(extract: Extract) -> pd.Timestamp:
    (day,) = extract.tables["enrolments"]["recorded_on"].unique()
    return pd.Timestamp(day) - pd.Timedelta(days=35)


@pytest.mark.parametrize("term", ["Autumn", "Spring", "SUM"])
@pytest.mark.parametrize("year", ["2023", "2024", "2023.0"])
@pytest.mark.parametrize(("group", "n"), [("NCyearActual", 12), ("NCyearActual", 2), ("Other", 12)])
def test_a_year_alone_is_the_one_that_ages_or_entries_show(
    year: str, term: str, group: str, n: int, tmp_path: Path
) -> None:
    extract = read_files(tmp_path, {"flat.csv": flat(year, term=term, group=group, n=n)})
    expected = census_days(pd.Series(["2023/2024"]), pd.Series([term]))[0]
    assert first_known(extract) == expected
    warned = extract.problems.query("rule == 'lone_year'")
    assert (warned["severity"] == "warning").all()
    assert len(warned) == (year != "2024" or group == "Other")
    assert (extract.tables["enrolments"]["year_group"] == 7).all()


@pytest.mark.parametrize("year", ["2020", "2026"])
def test_a_year_alone_that_no_pupil_bears_out_is_an_error(year: str, tmp_path: Path) -> None:
    census = flat("2023/2024") + flat(year).partition("\n")[2]
    extract = read_files(tmp_path, {"flat.csv": census})
    (problem,) = extract.problems.query("severity == 'error'").itertuples()
    assert problem.message.startswith("flat.csv: 12 of 24 rows hold one year as AcademicYear")
    assert problem.message.endswith("Write it as 2023/2024. They are in the rejects.")
    assert extract.rejects["reason"].eq("lone_year").all()
    assert first_known(extract) == pd.Timestamp("2023-10-05")


def test_entries_after_the_census_day_contradict_the_ages(tmp_path: Path) -> None:
    late = flat("2024").replace("2023-09-04", "2024-03-04")  # by age 2023/24, and its autumn
    extract = read_files(tmp_path, {"late.csv": late, "flat.csv": flat("2023/2024")})
    assert extract.rejects["file"].eq("late.csv").all()
    assert len(extract.rejects) == 12


@pytest.mark.parametrize(("known", "first"), [("2023", "2023-10-05"), ("2024", "2023-10-05")])
def test_a_file_that_shows_nothing_follows_files_of_the_same_columns(
    known: str, first: str, tmp_path: Path
) -> None:
    bare = flat(known, n=2).replace(",7,", ",X,").replace("900001", "900002")
    extract = read_files(tmp_path, {"bare.csv": bare, "flat.csv": flat(known)})
    assert first_known(extract) == pd.Timestamp(first)
    (warned,) = extract.problems.query("rule == 'lone_year' and file == 'bare.csv'").itertuples()
    assert "as files of the same columns show" in warned.message


def test_files_of_two_meanings_decide_for_no_third(tmp_path: Path) -> None:
    bare = flat("2024", n=2).replace(",7,", ",X,").replace("900001", "900002")
    files = {"a.csv": flat("2023"), "b.csv": flat("2024").replace("900001", "900003")}
    extract = read_files(tmp_path, {**files, "bare.csv": bare})
    assert extract.rejects["file"].tolist() == ["bare.csv"] * 2


def test_a_school_year_in_full_that_the_ages_contradict_is_an_error(tmp_path: Path) -> None:
    files = {"a.csv": flat("2023/2024"), "b.csv": flat("2022/2023").replace("900001", "900002")}
    extract = read_files(tmp_path, files)
    (problem,) = extract.problems.query("rule == 'other_year'").itertuples()
    assert problem.message.startswith("b.csv: 12 of 12 rows hold a census day of another")
    assert first_known(extract) == pd.Timestamp("2023-10-05")


@settings(max_examples=5)
@given(order=st.permutations(range(12)), is_first=st.booleans())
def test_the_order_of_rows_decides_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], *, is_first: bool
) -> None:
    folder = tmp_path_factory.mktemp("order")
    header, *rows = flat("2023" if is_first else "2024").splitlines(keepends=True)
    text = header + "".join(rows[place] for place in order)
    assert first_known(read_files(folder, {"flat.csv": text})) == pd.Timestamp("2023-10-05")
