"""Year groups: their words and phase, and one that is not known is not known anywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from riskmodel.assess import Assessment, rank
from riskmodel.cohort import build_spine, default_as_of, describe
from riskmodel.data import Tables
from riskmodel.data.year_groups import (
    ORDINARY_PHASES,
    PHASES,
    finishes_school,
    phase_of,
    year_words,
)
from riskmodel.explain.gaps import find_gaps
from riskmodel.fairness import groups_at
from riskmodel.fairness.groups import family
from riskmodel.features import build
from riskmodel.jobs.past_lists import with_outcome
from riskmodel.report import write_list
from riskmodel.report.list_files import read_list
from riskmodel.report.list_page.rows import list_rows
from riskmodel.report.workbook.reading_back import read_returned
from tests.lists import score, simulated_tables
from tests.strategies import AS_OF, small_tables, spine_of

OUTCOME = "neet-post16"


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64"])
def test_words_and_phases_keep_their_rows_whatever_the_type(dtype: str) -> None:
    years = pd.Series([-2, 0, 1, 6, 7, 11, 12, 13], index=[*"hgfedcba"]).astype(dtype)
    assert year_words(years).tolist() == [
        "Nursery", "Reception", "Year 1", "Year 6", "Year 7", "Year 11", "Year 12", "Year 13"
    ]  # fmt: skip
    assert phase_of(years).tolist() == ["primary"] * 4 + ["secondary"] * 2 + ["post16"] * 2
    assert year_words(years).index.equals(years.index)
    assert phase_of(years).index.equals(years.index)


@pytest.mark.parametrize(
    ("left", "year_group", "finishes"),
    [
        ("2025-05-28", 11, False),  # a month before schooling ends: where to must be asked
        ("2025-06-01", 11, True),
        ("2025-08-31", 11, True),
        ("2025-09-01", 11, False),
        ("2024-11-05", 12, True),
        ("2025-07-20", 10, False),
        (None, 12, False),
        ("2025-07-20", None, False),
    ],
)
def test_school_ends_in_the_summer_of_year_11(
    left: str | None, year_group: int | None, finishes: bool
) -> None:
    day = pd.Series([left], dtype="datetime64[s]")
    assert finishes_school(pd.Series([year_group], dtype="Int64"), day).tolist() == [finishes]


def test_the_audit_and_the_list_put_a_pupil_into_the_same_phase() -> None:
    tables = simulated_tables()
    spine = build_spine(tables, [default_as_of(tables, "pex")], "pex")
    audited = groups_at(tables, spine)["phase"].astype("str").to_numpy()
    assert (audited == phase_of(spine["year_group"]).map(PHASES).to_numpy()).all()
    assert "All-through" in tables["schools"]["phase"].map(PHASES).unique()


@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_where_nothing_is_known_nothing_is_written(values: list[None]) -> None:
    years = pd.Series(values, dtype="Int64")
    assert year_words(years).isna().all()
    assert phase_of(years).isna().all()


@pytest.mark.parametrize(
    ("group", "phases"),
    [("Reception", ("Primary",)), ("Year 6", ("Primary",)), ("Year 7", ("Secondary",)),
     ("Year 12", ("After 16",)), ("not_known", ())],
)  # fmt: skip
def test_the_audit_takes_the_phase_of_a_year_group_from_here(
    group: str, phases: tuple[str, ...]
) -> None:
    assert family("year_group", group) == ("phase", phases)
    assert len(ORDINARY_PHASES) == 3


# ---- a young person without a month of birth


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Return the simulated LA; of every third pupil neither month of birth nor roll is known."""
    whole = simulated_tables()
    pupils = whole["pupils"]
    unknown = np.arange(len(pupils)) % 3 == 0
    born = pupils["birth_month"].mask(unknown)
    rolls = whole["enrolments"]
    rolls = rolls[~rolls["pupil_id"].isin(pupils.loc[unknown, "pupil_id"]).to_numpy()]
    return Tables({**whole, "pupils": pupils.assign(birth_month=born), "enrolments": rolls})


@pytest.fixture(scope="module")
def spine(tables: Tables) -> pd.DataFrame:
    return build_spine(tables, [default_as_of(tables, OUTCOME)], OUTCOME)


@pytest.fixture(scope="module")
def assessment(tables: Tables) -> Assessment:
    return score(tables, outcome=OUTCOME)


@pytest.fixture(scope="module")
def folder(
    tables: Tables, assessment: Assessment, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return write_list(assessment, tmp_path_factory.mktemp("year_groups") / "list", tables=tables)


def test_the_spine_holds_no_number_for_it(spine: pd.DataFrame) -> None:
    assert str(spine["year_group"].dtype) == "Int64"
    assert 0 < spine["year_group"].isna().sum() < len(spine)
    assert set(spine["year_group"].dropna()) <= {12, 13}


def test_the_cohort_is_described_with_age_not_known_at_the_end(spine: pd.DataFrame) -> None:
    table = describe(spine).table
    assert table.columns[-1] == "age not known"
    assert table["age not known"].tolist() == [spine["year_group"].isna().sum()]
    assert table.filter(like="Year").to_numpy().sum() == spine["year_group"].notna().sum()


def test_the_audit_has_it_in_the_group_not_known(tables: Tables, spine: pd.DataFrame) -> None:
    groups = groups_at(tables, spine)
    unknown = spine["year_group"].isna().to_numpy()
    assert set(groups["year_group"][unknown]) == {"not_known"}
    assert set(groups["year_group"][~unknown]) <= {"Year 12", "Year 13"}


def test_features_that_need_it_are_missing_and_the_others_are_not() -> None:
    spine = spine_of()
    of_a_and_e = spine["pupil_id"].isin(["A", "E"])
    unknown = spine.assign(year_group=spine["year_group"].astype("Int64").mask(of_a_and_e))
    known, made = (build(small_tables(), one) for one in (spine, unknown))
    depends = [
        "year_group", "weeks_since_year_7", "results_missing", "absence_against_year_group",
        "year_group_suspended_share", "sen_found_age_years", "sen_found_late",
        "suspensions_in_primary", "suspended_in_primary",
    ]  # fmt: skip
    # A has been suspended and has SEN, in which year group nobody knows
    assert made.loc[0, depends].isna().all()
    # E has neither, so that none was early or late
    never = ["sen_found_late", "slcn_found_late", "suspensions_in_primary", "suspended_in_primary"]
    assert made.loc[4, never].tolist() == [0, 0, 0, 0]
    changed = [name for name in made if not made[name].equals(known[name])]
    assert set(depends) <= set(changed)
    others = ~of_a_and_e
    pd.testing.assert_frame_equal(made[others], known[others])
    assert made[changed].fillna(known[changed]).equals(known[changed])


def test_rows_of_the_list_state_that_it_is_not_known(
    tables: Tables, assessment: Assessment
) -> None:
    ranking = rank(assessment)
    rows = list_rows(ranking, tables, as_of=assessment.as_of)
    unknown = ranking["year_group"].isna().to_numpy()
    assert unknown.any()
    assert set(rows["year"][unknown]) == {"Year not known"}
    assert set(rows["phase"][unknown]) == {"Phase not known"}
    assert set(rows["phase"][~unknown]) == {"After 16"}


def test_the_page_states_it_and_names_no_reception(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert '<td data-label="Year">Year not known</td>' in page
    assert "Reception" not in page
    assert "Primary" not in page


def test_the_csv_is_empty_there_and_is_read_back(folder: Path, assessment: Assessment) -> None:
    ranking = rank(assessment)
    _, read = read_list(folder)
    assert read["year_group"].isna().any()
    pd.testing.assert_series_equal(read["year_group"], ranking["year_group"])


def test_the_workbook_is_empty_there_and_is_read_back(folder: Path, assessment: Assessment) -> None:
    ranking = rank(assessment)
    shown = ranking.loc[ranking["band"] != "not listed", "year_group"]
    assert shown.isna().any()
    sheet = openpyxl.load_workbook(folder / "list.xlsx")["List"]
    label = [cell.value for cell in sheet[1]].index("Year group")
    cells = [row[label] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert cells == [None if pd.isna(year) else year for year in shown]
    today = assessment.as_of.date()
    for listed in (None, read_list(folder)):  # compared with the seals, and with the list itself
        back = read_returned(folder / "list.xlsx", today=today, listed=listed)
        assert len(back.rows) == len(shown)


def test_a_story_states_that_it_is_not_known() -> None:
    spine = spine_of()
    unknown = spine.assign(year_group=spine["year_group"].astype("Int64").mask(spine.index == 1))
    gaps = find_gaps(build(small_tables(), unknown), spine["pupil_id"], as_of=AS_OF)
    found = gaps.loc[gaps["sentence"] == "The year group is not known.", "pupil_id"]
    assert found.tolist() == ["B"]


def test_a_list_is_followed_although_it_is_not_known(folder: Path, tables: Tables) -> None:
    identity, read = read_list(folder)
    one = read.assign(listed=read["selected"], as_of=pd.Timestamp(identity.as_of), same_model=True)
    later = pd.Timestamp(identity.as_of) + pd.DateOffset(months=3)
    assert len(with_outcome(one, tables, OUTCOME, later)) == len(read)


def test_the_words_of_a_phase_are_written_in_one_place() -> None:
    root = Path(__file__).parents[1]
    folders = ("riskmodel", "features", "training", "evaluation", "fairness")
    spelt = {f"{words}{more}" for words in PHASES.values() for more in ("", " schools")}
    homes = {
        path.name
        for folder in folders
        for path in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in spelt
    }
    assert homes == {"year_groups.py"}
