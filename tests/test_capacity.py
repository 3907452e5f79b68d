"""Who is on a list: one rule, the same for lists that are handed out and for all that is measured."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import RequestError
from riskmodel.evaluation import compare, precision_at_k, recall_at_k
from riskmodel.evaluation.capacity import (
    is_listed,
    places_on_lists,
    rank_on_list,
    share_listed,
)
from riskmodel.fairness import audit_list

SPRING, SUMMER = pd.to_datetime(["2024-02-10", "2024-06-01"])

pupils = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=2, max_size=5)


def one_list(score: Any, outcome: Any, names: Any) -> pd.DataFrame:
    """Predictions of one list."""
    return pd.DataFrame(
        {
            "pupil_id": list(names),
            "as_of": SPRING,
            "label": np.asarray(outcome, float),
            "model": score,
        }
    )


def test_the_highest_score_comes_first_and_equal_ones_by_pseudonym() -> None:
    score, names = [2.0, np.nan, 5.0, 2.0, 2.0], ["P3", "P0", "P9", "P1", "P2"]
    assert rank_on_list(score, names).tolist() == [4, 5, 1, 2, 3]
    assert is_listed(score, names, 3).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("score", "names", "rank"),
    [
        ([], [], []),
        ([1.0], ["a"], [1]),
        ([1.0, 1.0], ["b", "a"], [2, 1]),
        ([1.0, 1.0, 1.0], [10, 9, 100], [1, 3, 2]),  # compared as text: 10, 100, 9
        ([np.nan, -np.inf], ["a", "b"], [2, 1]),  # what is missing comes after all that is not
        ([-np.inf, np.nan], ["b", "a"], [1, 2]),
        ([np.inf, 5.0], ["b", "a"], [1, 2]),
        ([0.0, -0.0], ["b", "a"], [2, 1]),
        ([1, 1], ["Z", "a"], [1, 2]),  # capitals before small letters
        ([1, 1], ["é", "z"], [2, 1]),
    ],
)
def test_ranks_of_one_list_by_hand(score: Any, names: Any, rank: list[int]) -> None:
    assert rank_on_list(score, names).tolist() == rank


@pytest.mark.parametrize(
    ("lists", "rank"),
    [
        (["x", "x", "x", "x"], [1, 2, 3, 4]),
        (["x", "y", "x", "y"], [1, 1, 2, 2]),
        (["y", "y", "x", "y"], [1, 2, 1, 3]),
        ([3, 2, 1, 0], [1, 1, 1, 1]),
    ],
)
def test_every_list_is_ranked_by_itself(lists: list[Any], rank: list[int]) -> None:
    assert rank_on_list([4, 3, 2, 1], list("abcd"), lists=lists).tolist() == rank


@pytest.mark.parametrize(
    ("places", "listed"),
    [
        (0, [False, False, False]),
        (1, [False, True, False]),
        (3, [True, True, True]),
        (99, [True, True, True]),
        ([1, 1, 3], [False, True, True]),
        ([0, 1, 1], [False, True, False]),
    ],
)
def test_places_may_differ_from_row_to_row(places: Any, listed: list[bool]) -> None:
    assert is_listed([2.0, 3.0, 1.0], list("abc"), places).tolist() == listed


@pytest.mark.parametrize(
    ("capacity", "share", "rows", "places"),
    [
        (10, 1.0, 20, 10),
        (10, 0.5, 20, 5),
        (10, 0.04, 20, 1),  # one place at least
        (10, 1.0, 4, 4),  # no more places than pupils
        (10, 0.26, 20, 3),
        (1, 1.0, 1, 1),
    ],
)
def test_places_of_a_part_of_a_list(capacity: int, share: float, rows: int, places: int) -> None:
    frame = pd.DataFrame({"as_of": [SPRING] * rows, "share_of_list": share})
    assert places_on_lists(frame, capacity).tolist() == [places] * rows


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_list_without_places_is_refused(capacity: int) -> None:
    with pytest.raises(RequestError, match=f"at least 1 pupil; got {capacity}. Choose"):
        places_on_lists(pd.DataFrame({"as_of": [SPRING]}), capacity)


@pytest.mark.parametrize(
    ("score", "k", "share"),
    [
        ([3, 2, 1], 1, [1, 0, 0]),
        ([1, 1, 1, 1], 1, [0.25] * 4),
        ([2, 1, 1], 2, [1, 0.5, 0.5]),
        ([2, 1, 1], 3, [1, 1, 1]),
        ([0, 5, 5, 5], 2, [0, 2 / 3, 2 / 3, 2 / 3]),
        ([7], 1, [1]),
    ],
)
def test_chances_of_equal_scores_by_hand(score: list[int], k: int, share: list[float]) -> None:
    assert share_listed(score, k).tolist() == pytest.approx(share)


@given(pupils, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[int, int]], random: Any) -> None:
    score = np.array([points for _, points in rows])
    names = np.array([f"P{number}" for number in range(len(rows))])
    order = list(range(len(rows)))
    random.shuffle(order)
    expected = rank_on_list(score, names)[order]
    assert rank_on_list(score[order], names[order]).tolist() == expected.tolist()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1), st.integers(1, 4))
def test_every_list_holds_exactly_its_places_and_its_highest_scores(
    rows: list[tuple[int, int]], places: int
) -> None:
    score, part = np.array(rows).T
    listed = is_listed(score, np.arange(len(score)), places, lists=part)
    for number in np.unique(part):
        inside, here = listed[part == number], score[part == number]
        assert inside.sum() == min(places, len(here))
        assert here[inside].min() >= here[~inside].max(initial=-1)


def test_a_part_of_a_list_has_as_large_a_part_of_the_places() -> None:
    frame = pd.DataFrame(
        {
            "as_of": [SPRING] * 4 + [SUMMER] * 2,
            "share_of_list": [1.0] * 4 + [0.2] * 2,
        }
    )
    assert places_on_lists(frame, 3).tolist() == [3] * 4 + [1] * 2
    assert places_on_lists(frame[["as_of"]], 3).tolist() == [3] * 4 + [2] * 2


@pytest.mark.parametrize(
    ("capacity", "share", "places"),
    [(1, 0.5, 1), (3, 0.5, 2), (5, 0.5, 3), (7, 0.5, 4), (100, 0.145, 15), (100, 0.1449, 14),
     (np.int64(9), 0.5, 5)],
)  # fmt: skip
def test_half_a_place_is_a_place(capacity: int, share: float, places: int) -> None:
    frame = pd.DataFrame({"as_of": [SPRING] * 20, "share_of_list": share})
    assert places_on_lists(frame, capacity).tolist() == [places] * 20


@pytest.mark.parametrize("capacity", [0, -1, 2.5, 3.0, np.nan, np.inf, True, "3", None])
def test_places_are_a_whole_number(capacity: Any) -> None:
    frame = pd.DataFrame({"as_of": [SPRING]})
    with pytest.raises(RequestError, match=f"whole number, at least 1 pupil; got {capacity}"):
        places_on_lists(frame, capacity)


def test_a_list_has_one_share() -> None:
    frame = pd.DataFrame({"as_of": [SPRING, SUMMER, SUMMER], "share_of_list": [1.0, 0.2, 0.3]})
    with pytest.raises(
        RequestError, match=r"list of 2024-06-01 have different .* from 0\.2 to 0\.3"
    ):
        places_on_lists(frame, 3)


@given(st.permutations([-np.inf, -np.inf, np.nan, np.nan, -1e308, np.inf]))
def test_missing_comes_after_minus_infinity_and_equal_ones_by_pseudonym(scores: Any) -> None:
    order = sorted(range(6), key=lambda i: (np.isnan(scores[i]), -np.nan_to_num(scores[i]), i))
    ranks = rank_on_list(scores, list("abcdef")).tolist()
    assert [ranks.index(place) for place in range(1, 7)] == order


@given(pupils.filter(lambda rows: any(outcome for outcome, _ in rows)), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_in_proportion_is_the_mean_over_all_pseudonyms(rows: list[tuple[int, int]], k: int) -> None:
    k = min(k, len(rows))
    outcome, score = np.array(rows).T
    names = permutations("abcde"[: len(rows)])
    listed = np.array([is_listed(score, one, k) for one in names])
    assert share_listed(score, k) == pytest.approx(listed.mean(axis=0))
    found = (listed * outcome).sum(axis=1)
    assert recall_at_k(outcome, score, k=k) == pytest.approx(found.mean() / outcome.sum())
    assert precision_at_k(outcome, score, k=k) == pytest.approx(found.mean() / k)


@given(st.permutations(range(8)), st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_without_equal_scores_the_backtest_is_that_of_any_pseudonyms(
    order: list[int], k: int
) -> None:
    outcome, score = np.arange(8) % 3 == 0, np.array(order, float)
    table = compare(one_list(score, outcome, order), rankers=["model"], capacity=k).table
    assert table["recall_at_capacity"].iloc[0] == pytest.approx(recall_at_k(outcome, score, k=k))


def test_a_share_is_refused_where_the_capacity_does_not_fit() -> None:
    with pytest.raises(ValueError, match=r"between 1 and the number of pupils \(2\), got 3"):
        share_listed([1, 2], 3)


def test_lists_of_schools_follow_the_same_rule() -> None:
    groups = pd.DataFrame({"sex": ["Girls", "Boys", "Girls", "Boys"]})
    listed, risk, school = np.array([True, True, False, False]), np.full(4, 0.1), list("nnss")
    made = audit_list(groups, listed, risk, school=school, pupil_id=["P2", "P1", "P3", "P4"])
    assert made.quotas is not None
    counts = made.quotas.set_index("group")["listed_with_quotas"]
    assert counts.to_dict() == {"Boys": 1, "Girls": 1}  # P1 of the north, P3 of the south
    with pytest.raises(RequestError, match="need pupil_id beside school"):
        audit_list(groups, listed, risk, school=school)
