"""The catalogue: its file is checked in words, and every row has its builder and its column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from riskmodel.data import TABLES, Tables
from riskmodel.errors import DataError, RequestError
from riskmodel.features import BUILDERS, CATALOGUE, Feature, build, builder, data_dictionary
from riskmodel.features.catalogue import LISTED, add_builders, check_listed
from riskmodel.features.catalogue_file import read_features
from riskmodel.features.facts_as_of import FactsAsOf
from tests.strategies import small_tables, spine_of

HEADER = "builder,name,label,unit,theme,source,direction,can_change,window,may_be_reason"
ROW = "moves,managed_moves,Managed moves so far,count,moves,enrolments,1,no,,yes"


@pytest.fixture
def restored() -> Iterator[None]:
    """Take out again what a test registers."""
    before = list(BUILDERS)
    yield
    BUILDERS[:] = before


def feature(name: str = "lessons", **changes: Any) -> Feature:
    given = {"label": "Lessons", "unit": "count", "theme": "moves", "source": "enrolments"}
    return Feature(name, **given | changes)


def no_lessons(known: FactsAsOf) -> dict[str, np.ndarray]:
    return {"lessons": np.zeros(len(known.rows))}


def test_a_row_is_read_with_every_cell() -> None:
    quoted = 'attendance,late,"Late, so far",share,attendance,sessions,-1,yes,this term,no'
    listed = read_features(f"# a comment, with commas\n{HEADER}\n{ROW}\n\n{quoted}\n")
    assert [*listed] == ["moves", "attendance"]
    assert astuple(listed["moves"][0]) == (
        "managed_moves", "Managed moves so far", "count", "moves", "enrolments", 1, False, "", True,
    )  # fmt: skip
    assert astuple(listed["attendance"][0]) == (
        "late", "Late, so far", "share", "attendance", "sessions", -1, True, "this term", False,
    )  # fmt: skip


def test_rows_of_a_builder_may_lie_apart_and_keep_their_order() -> None:
    rows = [ROW, ROW.replace("moves,managed", "school,other"), ROW.replace("managed", "later")]
    listed = read_features("\n".join([HEADER, *rows]))
    assert {name: [one.name for one in own] for name, own in listed.items()} == {
        "moves": ["managed_moves", "later_moves"],
        "school": ["other_moves"],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected the columns builder, name"),
        (HEADER.replace("unit", "units"), r"found builder, name, label, units.*\(unit, units\)"),
        (HEADER.replace(",window", ""), r"\(window\)"),
        (f"{HEADER},outcome", r"\(outcome\)"),
        (HEADER.replace("builder,name", "name,builder"), r"\(in another order\)"),
        (f"{HEADER}\n{ROW}\n{ROW}", "line 3: feature 'managed_moves' is also in line 2"),
        (f"# words\n{HEADER}\n{ROW},more", "line 3: 11 cells, not 10. Quote words with a comma"),
        (f"{HEADER}\nmoves,managed_moves", "line 2: 2 cells, not 10"),
        (f"{HEADER}\n{ROW[5:]}", "line 2: feature 'managed_moves' has no builder"),
        (f"{HEADER}\n{ROW}".replace("no,", "maybe,"), "line 2: can_change is 'maybe'. Use yes or"),
        (f"{HEADER}\n{ROW[:-3]}", "line 2: may_be_reason is ''. Use yes or no"),
        (f"{HEADER}\n{ROW}".replace(",1,", ",up,"), "line 2: .* direction 'up'. Use one of: 1, 0, -1"),
        (f"{HEADER}\n{ROW}".replace(",moves,enr", ",travel,enr"), "theme 'travel'. Use one of: att"),
        (f"{HEADER}\n{ROW}".replace("count", ""), "'managed_moves' has no unit. Add the unit"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_refused_with_line_and_remedy(text: str, words: str) -> None:
    with pytest.raises(DataError, match=f"catalogue.csv.*{words}"):
        read_features(text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "Feature '' has no name"),
        ({"label": ""}, "Feature 'lessons' has no label"),
        ({"unit": ""}, "no unit"),
        ({"source": ""}, "no source"),
        ({"theme": "travel"}, "the theme 'travel'. Use one of: attendance, behaviour"),
        ({"direction": 2}, "the direction 2. Use one of: 1, 0, -1"),
    ],
)
def test_a_faulty_feature_of_a_notebook_is_refused_in_words(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        feature(**changes)


def test_every_row_of_the_file_is_a_feature_in_the_order_of_the_matrix() -> None:
    text = (files("riskmodel.features") / "catalogue.csv").read_text(encoding="utf-8")
    listed = [one for own in read_features(text).values() for one in own]
    assert listed == list(CATALOGUE.values())
    assert [name for one in BUILDERS for name in one.names] == list(CATALOGUE)
    both = list(build(small_tables(), spine_of()))
    registers = [name for one in BUILDERS if "sessions" not in one.unless for name in one.names]
    assert both == registers


def test_termly_totals_speak_where_there_are_no_registers() -> None:
    without = {name: frame for name, frame in small_tables().items() if name != "sessions"}
    made = build(Tables(without), spine_of())
    totals = [name for name, one in CATALOGUE.items() if one.source == "absence_totals"]
    assert list(made)[-len(totals) :] == totals
    assert not {name for name in made if CATALOGUE[name].source == "sessions"}


def test_features_come_from_tables_of_the_schema_and_cover_every_theme() -> None:
    dictionary = data_dictionary()
    assert list(dictionary) == HEADER.split(",")[1:]
    assert len(dictionary) == len(CATALOGUE) >= 200
    assert set(dictionary["source"]) <= set(TABLES)
    assert set(dictionary["theme"]) == {
        "attendance", "behaviour", "needs", "context", "moves", "school", "post-16"
    }  # fmt: skip


def test_a_row_without_a_builder_is_refused() -> None:
    listed = {**LISTED, "mooves": (feature(),)}
    with pytest.raises(DataError, match="no builder is called 'mooves'.*'lessons' would never"):
        check_listed(listed, BUILDERS)


@pytest.mark.usefixtures("restored")
def test_a_feature_of_a_notebook_joins_the_catalogue_and_the_matrix() -> None:
    made = builder([feature(direction=1)], needs=["enrolments"])(no_lessons)
    assert made is no_lessons
    assert CATALOGUE["lessons"].direction == 1
    assert list(CATALOGUE)[-1] == "lessons"
    assert data_dictionary()["name"].iloc[-1] == "lessons"
    matrix = build(small_tables(), spine_of())
    assert list(matrix)[-1] == "lessons"
    assert (matrix["lessons"] == 0).all()


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ([feature("school_roll")], "The feature name 'school_roll' is taken. Choose another"),
        ([feature(), feature()], "The feature name 'lessons' is taken"),
        ([], "The builder no_lessons has no features. Hand them over"),
        (None, "The builder no_lessons has no features.*or list them in catalogue.csv"),
    ],
)
def test_a_builder_without_features_of_its_own_is_refused(
    features: list[Feature] | None, words: str
) -> None:
    with pytest.raises(RequestError, match=words):
        builder(features, needs=["enrolments"])(no_lessons)
    assert "lessons" not in CATALOGUE


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("declared", "wrong"), [("promised", "lessons, promised"), ("lessons", "more")]
)
def test_a_column_without_a_row_or_a_row_without_a_column_is_named(
    declared: str, wrong: str
) -> None:
    def wayward(known: FactsAsOf) -> dict[str, np.ndarray]:
        zeros = np.zeros(len(known.rows))
        return {"lessons": zeros} if declared == "promised" else {"lessons": zeros, "more": zeros}

    builder([feature(declared)], needs=["enrolments"])(wayward)
    with pytest.raises(RequestError, match=f"wayward returned other features .*: {wrong}"):
        build(small_tables(), spine_of())


def test_the_catalogue_is_read_only() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        CATALOGUE["x"] = feature()
    with pytest.raises(KeyError, match="lessons"):
        CATALOGUE["lessons"]


@pytest.mark.usefixtures("restored")
def test_builders_of_another_process_are_added_once() -> None:
    builder([feature()], needs=["enrolments"])(no_lessons)
    own = BUILDERS.pop()
    for _ in range(2):
        add_builders([own, *BUILDERS[:2]])
    assert list(CATALOGUE)[-1] == "lessons"
    assert sum("lessons" in one.names for one in BUILDERS) == 1
