"""Rankings without our model: points at their thresholds, schools, and files of points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.evaluation.baselines import (
    read_points,
    roni_points,
    school_rate,
    simple_rankers,
)

HEAD = "column,test,threshold,points,label\n"


def own_points(test: str, threshold: float = 0.5, points: float = 1.0) -> pd.DataFrame:
    return pd.DataFrame(
        [{"column": "x", "test": test, "threshold": threshold, "points": points, "label": "x"}]
    )


@pytest.mark.parametrize(
    ("test", "value", "hit"),
    [
        ("at_least", 0.5, True),
        ("at_least", float(np.float32(0.1)) + 0.4, True),
        ("at_least", 0.4999, False),
        ("above", 0.5, False),
        ("above", 0.5001, True),
        ("at_least", np.nan, False),
        ("above", np.nan, False),
        ("above", np.inf, True),
        ("at_least", -np.inf, False),
    ],
)
def test_points_are_given_at_and_above_a_threshold(test: str, value: float, hit: bool) -> None:
    frame = pd.DataFrame({"x": [value]})
    assert roni_points(frame, own_points(test)).tolist() == [float(hit)]


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.15, 0.3, 0.7])
def test_a_share_kept_in_32_bits_counts_as_the_share_that_was_meant(threshold: float) -> None:
    frame = pd.DataFrame({"x": np.array([threshold], dtype=np.float32)})
    assert roni_points(frame, own_points("at_least", threshold)).tolist() == [1]


@pytest.mark.parametrize("points", [0.0, 0.5, 7.0, -2.0])
def test_points_of_several_indicators_add_up(points: float) -> None:
    table = pd.concat([own_points("above", 0.1, points), own_points("above", 0.2, 3.0)])
    frame = pd.DataFrame({"x": [0.05, 0.15, 0.25]})
    assert roni_points(frame, table).tolist() == [0, points, points + 3]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_indicators_whose_column_is_not_there_give_no_points(n: int) -> None:
    frame = pd.DataFrame({"other": np.ones(n)})
    assert roni_points(frame, own_points("above")).tolist() == [0.0] * n
    assert roni_points(frame).tolist() == [0.0] * n


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_more_absence_never_has_fewer_points(rates: list[float]) -> None:
    frame = pd.DataFrame({"absence_rate_12_months": sorted(rates)})
    assert (np.diff(roni_points(frame)) >= 0).all()


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({}, set()),
        ({"suspensions_12_months": 1}, {"suspensions last year"}),
        ({"absence_rate_12_months": 0.1}, {"absence last year", "RONI points"}),
        ({"jobless_months": 2}, {"months jobless so far"}),
        ({"looked_after_now": 1}, {"vulnerable list"}),
        (
            {"suspensions_12_months": 0, "ehc_plan_now": 1},
            {"suspensions last year", "vulnerable list"},
        ),
    ],
)
def test_a_baseline_is_there_where_its_columns_are(
    columns: dict[str, float], names: set[str]
) -> None:
    assert set(simple_rankers(pd.DataFrame(columns, index=range(2)))) == names


@pytest.mark.parametrize(
    "name", ["suspensions_12_months", "absence_rate_12_months", "jobless_months"]
)
def test_a_missing_value_ranks_below_none(name: str) -> None:
    frame = pd.DataFrame({name: [0.0, np.nan, 0.5]})
    for ranker, score in simple_rankers(frame).items():
        assert score.argmax() == 2 or ranker == "RONI points"
        assert score[1] <= score[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("column,test,threshold,points\n", "lack the column 'label'"),
        ("", "cannot be read"),
        ("label\n", "lack the column 'column'"),
        (HEAD + "x,at_least,much,1,X\n", "indicator 1 has threshold 'much'; a number is needed"),
        (HEAD + "x,above,1,1,X\ny,above,2,,Y\n", "indicator 2 has points 'nan'; a number"),
        (HEAD + "x,below,1,1,X\n", "has test 'below'; it must be at_least, above or at_most"),
        (HEAD + "x,,1,1,X\n", "has test 'nan'; it must be at_least, above or at_most"),
        (HEAD + "x,Above,1,1,X\n", "has test 'Above'"),
    ],
)
def test_points_that_cannot_be_used_are_refused(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RequestError, match=words):
        read_points(path)


@pytest.mark.parametrize("kind", ["absent", "folder", "latin"])
def test_a_file_of_points_that_cannot_be_opened_is_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "latin":
        path.write_bytes((HEAD + "x,above,1,1,Fördern\n").encode("latin-1"))
    with pytest.raises(RequestError, match=r"points.csv cannot be read: "):
        read_points(path)


@pytest.mark.parametrize(
    ("rows", "points"),
    [
        ("", []),
        ("x,above,0.5,2,X\n", [2.0]),
        ("# a note\nx,at_least,1,1.5,X\n", [1.5]),
        ("x,above,0.5,2,X\ny,at_least,1e-3,-1,Y\n", [2.0, -1.0]),
    ],
)
def test_points_are_read_as_numbers_and_notes_are_left_out(
    rows: str, points: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "points.csv"
    path.write_text("# points of our LA\n" + HEAD + rows, encoding="utf-8")
    assert read_points(path)["points"].tolist() == points


@pytest.mark.parametrize(
    ("school", "label", "test", "rate"),
    [
        (["a", "a", "b", "b"], [1, 0, 0, 0], "a", (1 + 1) / (2 + 4)),  # 25% of all: 4 rows of prior
        (["a", "a", "b", "b"], [1, 0, 0, 0], "b", (0 + 1) / (2 + 4)),
        (["a", "a", "b", "b"], [1, 0, 0, 0], "new", 0.25),
        (["a", "a"], [1, 1], "a", 1.0),
        (["a", "a"], [0, 0], "a", 0.0),
        (["a", "a"], [0, 0], "new", 0.0),
    ],
)
def test_the_rate_of_a_school_is_pulled_towards_that_of_all(
    school: list[str], label: list[int], test: str, rate: float
) -> None:
    assert school_rate(pd.Series(school), label, pd.Series([test])) == pytest.approx([rate])


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1)), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_a_weight_is_a_repeated_row(rows: list[tuple[str, int]], times: int) -> None:
    school, label = (pd.Series(column) for column in zip(*rows, strict=True))
    test = pd.Series(list("abcd"))
    weighted = school_rate(school, label, test, np.full(len(rows), float(times)))
    repeated = school_rate(pd.concat([school] * times), pd.concat([label] * times), test)
    np.testing.assert_allclose(weighted, repeated)
