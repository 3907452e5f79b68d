"""Remedies for a gap in recall: weights, places and refusals by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.fairness.mitigation import Remedies, balancing_weights, compare_remedies
from riskmodel.fairness.quotas import share_places

N = 40
GROUP = pd.Series(["a"] * 20 + ["b"] * 20)
LABEL = np.r_[np.arange(20) < 10, np.arange(20) < 10].astype(float)


def features() -> pd.DataFrame:
    """Feature x finds those of a; y finds those of b; the model looks at x more than at y."""
    x = np.r_[np.linspace(0.9, 0.5, 20), np.linspace(0.4, 0.1, 20)]
    return pd.DataFrame({"x": x, "y": 1 - x}, index=[f"P{number:02}" for number in range(N)])


def fit(X: pd.DataFrame, y: Any, sample_weight: Any) -> Any:
    """A model that only ever looks at its first column."""
    column = X.iloc[:, 0]
    return (column / column.abs().max()).clip(0, 1)


def remedies(**more: Any) -> Remedies:
    return compare_remedies(features(), LABEL, GROUP, fit, **({"capacity": 10} | more))


@pytest.mark.parametrize(
    ("y", "group", "weights"),
    [
        ([1, 0, 1, 0], list("aabb"), [1, 1, 1, 1]),  # independent already
        ([1, 1, 0, 1, 0, 0], list("aaabbb"), [0.75, 0.75, 1.5, 1.5, 0.75, 0.75]),
        ([1, 1, 1], list("aab"), [1, 1, 1]),
        ([0, 1], list("ab"), [0.5, 0.5]),  # each cell that is there gets what all cells would have
    ],
)
def test_weights_by_hand(y: list[int], group: list[str], weights: list[float]) -> None:
    assert balancing_weights(y, group).tolist() == pytest.approx(weights)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=30))
def test_with_the_weights_every_group_has_the_rate_of_all(rows: list[tuple[int, int]]) -> None:
    y, group = np.array(rows).T
    weight = balancing_weights(y, group)
    for number in np.unique(group):
        own = group == number
        if len(set(y[own])) == 2:
            rate = (weight * y)[own].sum() / weight[own].sum()
            assert rate == pytest.approx(y.mean())
            assert weight[own].sum() == pytest.approx(own.sum())


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, ["as it is", "reweighed", "calibrated by group", "places by group"]),
        (
            {"drop": ["x"]},
            ["as it is", "without x", "reweighed", "calibrated by group", "places by group"],
        ),
        (
            {"coarsen": ["x", "y"]},
            ["as it is", "coarser x, y", "reweighed", "calibrated by group", "places by group"],
        ),
    ],
)
def test_remedies_are_named_and_the_model_as_it_is_comes_first(
    more: dict[str, Any], names: list[str]
) -> None:
    table = remedies(**more).table
    assert table["remedy"].tolist() == names
    first = table.iloc[0]
    assert (first["recall_cost"], first["gap_change"], first["changed"]) == (0, 0, 0)


@pytest.mark.parametrize("remedy", ["calibrated by group", "places by group"])
def test_what_uses_the_group_itself_carries_the_legal_caution(remedy: str) -> None:
    table = remedies(drop=["x"]).table.set_index("remedy")
    assert "Equality Act 2010" in table.loc[remedy, "caution"]
    assert set(table.drop(index=["calibrated by group", "places by group"])["caution"]) == {""}


@pytest.mark.parametrize(
    ("remedy", "recall", "gap", "changed"),
    [
        ("as it is", 0.5, 1.0, 0),  # all ten places go to a
        ("without x", 0.0, 0.0, 10),  # y rises where x falls: the last of b, none with the outcome
        ("reweighed", 0.5, 1.0, 0),  # this model does not look at weights
    ],
)
def test_figures_by_hand(remedy: str, recall: float, gap: float, changed: int) -> None:
    row = remedies(drop=["x"]).table.set_index("remedy").loc[remedy]
    assert (row["recall"], row["gap"], row["changed"]) == (recall, gap, changed)
    assert row["recall_cost"] == 0.5 - recall
    assert row["gap_change"] == gap - 1.0


def test_places_by_group_follow_the_expected_outcomes() -> None:
    row = remedies().table.set_index("remedy").loc["places by group"]
    risk = np.asarray(fit(features(), None, None))
    in_a, in_b = share_places([risk[:20].sum(), risk[20:].sum()], 10)
    assert in_b > 0
    assert row["recall"] == pytest.approx((in_a + in_b) / 20)
    assert row["changed"] == in_b
    assert row["gap"] == pytest.approx((in_a - in_b) / 10)


def test_calibration_by_group_narrows_the_gap_of_a_model_that_is_unfair() -> None:
    table = remedies(capacity=20).table.set_index("remedy")
    assert table.loc["as it is", "gap"] == 1.0
    assert table.loc["calibrated by group", "gap"] < 0.5
    assert table.loc["calibrated by group", "recall_cost"] <= 0


def test_each_half_of_a_group_is_calibrated_on_the_other() -> None:
    # even rows: 15 of 20 have the outcome, odd rows 5 of 20; everybody's risk is a half
    label = np.zeros(80)
    label[0:30:2] = label[1:11:2] = label[40:70:2] = label[41:51:2] = 1
    X = pd.DataFrame({"x": np.ones(80)}, index=[f"P{number:02}" for number in range(80)])
    group = pd.Series(["a"] * 40 + ["b"] * 40)
    table = compare_remedies(X, label, group, lambda X, y, w: np.full(80, 0.5), capacity=40).table
    # the odd rows learn from the even ones that risks are high, and take all places
    assert table.set_index("remedy").loc["calibrated by group", "recall"] == 10 / 40


@pytest.mark.parametrize(
    ("found", "as_it_is", "coarser"),
    [(9, 1.0, 0.0), (8, 0.0, 1.0), (7, 0.0, 0.0), (5, 0.0, 0.0)],
)
def test_a_coarser_feature_keeps_five_levels(found: int, as_it_is: float, coarser: float) -> None:
    # ten values make five levels of two; of the highest, P8 and P9, the first by name is listed
    X = pd.DataFrame({"x": np.arange(10.0)}, index=[f"P{number}" for number in range(10)])
    label = (np.arange(10) == found).astype(float)
    group = pd.Series(["a"] * 10)
    table = compare_remedies(X, label, group, fit, capacity=1, coarsen=["x"]).table
    assert table["recall"].tolist()[:2] == [as_it_is, coarser]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"capacity": 0}, "between 1 and 40 pupils; got 0"),
        ({"capacity": 41}, "between 1 and 40 pupils; got 41"),
        ({"drop": ["z"]}, "no feature 'z' to drop or coarsen"),
        ({"coarsen": ["x", "fsm"]}, "no feature 'fsm'"),
        ({"y": np.zeros(N)}, "must be 0 and 1, with some of both"),
        ({"y": np.ones(N)}, "with some of both"),
        ({"y": np.r_[2.0, LABEL[1:]]}, "must be 0 and 1"),
        ({"y": np.r_[np.nan, LABEL[1:]]}, "must be 0 and 1"),
        ({"y": LABEL[:9]}, "y has 9 values for 40 rows"),
        ({"group": GROUP[:7]}, "X has 40 values for 7 rows"),
        ({"fit": lambda X, y, w: np.full(N, 1.2)}, "one risk between 0 and 1"),
        ({"fit": lambda X, y, w: np.full(N, np.nan)}, "one risk between 0 and 1"),
        ({"fit": lambda X, y, w: np.full(3, 0.5)}, r"returned shape \(3,\)"),
        ({"fit": lambda X, y, w: np.full((N, 2), 0.5)}, r"shape \(40, 2\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {
        "X": features(),
        "y": LABEL,
        "group": GROUP,
        "fit": fit,
        "capacity": 10,
    }
    with pytest.raises(RequestError, match=words):
        compare_remedies(**(usual | change))


@pytest.mark.parametrize("part", ["recall", "calibrated by group", "–"])
def test_the_table_is_shown_in_a_notebook(part: str) -> None:
    one_group = compare_remedies(features(), LABEL, pd.Series(["a"] * N), fit, capacity=5)
    assert part in one_group._repr_html_()  # a gap within one group is not defined: –


def test_the_result_is_ready_for_json_and_its_frame_is_a_copy() -> None:
    made = remedies()
    stored = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert stored["capacity"] == 10
    assert len(stored["table"]) == len(made.table)
    copy = made.frame()
    copy.loc[0, "recall"] = 9.0
    assert made.table.loc[0, "recall"] == 0.5


@pytest.mark.parametrize(
    ("size", "capacity", "places"),
    [
        ([1, 1, 1], 3, [1, 1, 1]),
        ([1, 1, 1], 2, [1, 1, 0]),  # of equal remainders the first
        ([5, 3, 2], 10, [5, 3, 2]),
        ([5, 3, 2], 5, [3, 1, 1]),  # 2.5, 1.5, 1: the first remainder of a half
        ([0, 10], 4, [0, 4]),
        ([7], 3, [3]),
        ([1, 99], 10, [0, 10]),
        ([0.5, 0.25, 0.25], 4, [2, 1, 1]),
        ([3, 1], 0, [0, 0]),
    ],
)
def test_places_by_largest_remainders(size: list[float], capacity: int, places: list[int]) -> None:
    assert share_places(size, capacity).tolist() == places


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any), st.integers(0, 60))
def test_all_places_are_shared_and_none_is_further_than_one_from_its_share(
    size: list[int], capacity: int
) -> None:
    places = share_places(size, capacity)
    share = capacity * np.array(size) / sum(size)
    assert places.sum() == capacity
    assert (np.abs(places - share) < 1).all()
