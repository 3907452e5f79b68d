"""The list: its order, its line, and what changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from riskmodel.assess import Assessment, check_capacity, rank
from riskmodel.errors import RequestError
from riskmodel.evaluation import compare
from riskmodel.evaluation.capacity import listed_by
from riskmodel.explain import Explanation
from riskmodel.fairness import Audit, audit_list, audit_model

COLUMNS = [
    "rank",
    "selected",
    "pupil_id",
    "school_id",
    "year_group",
    "risk",
    "risk_low",
    "risk_high",
    "band",
    "change",
    "reason_1",
    "reason_2",
    "reason_3",
    "strength_1",
    "strength_2",
]


def _assessment(
    percent: list[int], *, capacity: int = 2, order: list[int] | None = None
) -> Assessment:
    """Return pupils p00, p01, ... with these risks in percent, in the order given."""
    n = len(percent)
    at = np.arange(n) if order is None else np.array(order)
    risk = np.array(percent, dtype=float)[at] / 100
    pupils = np.array([f"p{number:02}" for number in range(n)])
    parts = pd.DataFrame({"suspensions_12_months": np.log(risk / (1 - risk)) + 2})
    return Assessment(
        outcome="pex",
        as_of=pd.Timestamp("2024-09-02"),
        capacity=capacity,
        scores=pd.DataFrame(
            {
                "pupil_id": pd.Categorical(pupils[at], categories=pupils),
                "school_id": "s1",
                "year_group": 9,
                "risk": risk,
                "risk_low": risk / 2,
                "risk_high": (1 + risk) / 2,
            }
        ),
        explanation=Explanation(
            base_value=-2.0,
            contributions=parts,
            features=parts * 0 + at[:, None],
            log_odds=logit(risk),
        ),
        audit=Audit(
            this_list=audit_list(pd.DataFrame({"sex": ["girl"] * n}), np.ones(n, bool), risk),
            model={},
            note="",
        ),
        backtest=None,
        provenance={},
    )


def test_columns_and_a_list_worked_by_hand() -> None:
    found = rank(_assessment([10, 40, 20, 40, 5]))
    assert list(found.columns) == COLUMNS
    assert found["pupil_id"].tolist() == ["p01", "p03", "p02", "p00", "p04"]  # the tie: p01 first
    assert found["rank"].tolist() == [1, 2, 3, 4, 5]
    assert found["selected"].tolist() == [True, True, False, False, False]
    assert found["band"].tolist() == ["listed"] * 2 + ["near the line"] + ["not listed"] * 2
    assert set(found["change"]) == {"first list"}
    # p01: 1 suspension in features; a risk of 0.4, and 1 / (1 + e^2) = 0.119 without it: 3.4 times.
    assert found.loc[0, "reason_1"] == "Suspended once in the last 12 months (risk × 3.4)"


@pytest.mark.parametrize(("capacity", "near"), [(1, 1), (9, 1), (10, 1), (11, 2), (20, 2)])
def test_near_the_line_is_the_next_tenth(capacity: int, near: int) -> None:
    found = rank(_assessment([10] * 30, capacity=capacity))
    assert (found["band"] == "near the line").sum() == near
    assert found["selected"].sum() == capacity


def test_nobody_is_near_the_line_where_all_are_listed() -> None:
    assert set(rank(_assessment([10, 20], capacity=2))["band"]) == {"listed"}


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=9).flatmap(
        lambda percent: st.tuples(st.just(percent), st.permutations(range(len(percent))))
    )
)
@settings(max_examples=50, deadline=None)
def test_p8_the_order_of_rows_changes_nothing_and_the_order_is_right(
    drawn: tuple[list[int], list[int]],
) -> None:
    percent, order = drawn
    found = rank(_assessment(percent))
    again = rank(_assessment(percent, order=order))
    pd.testing.assert_frame_equal(found, again)
    pupils = sorted(range(len(percent)), key=lambda number: (-percent[number], number))
    assert found["pupil_id"].tolist() == [f"p{number:02}" for number in pupils]


def test_the_backtest_and_the_audit_measure_the_list_that_officers_get() -> None:
    made = _assessment([20, 5, 20, 60, 20, 20, 20, 5], order=[6, 3, 0, 7, 2, 5, 4, 1], capacity=3)
    handed_out = set(rank(made).query("selected")["pupil_id"])  # 60%, and 2 of 5 with 20%
    outcomes = {"p00", "p03", "p06"}
    tested = pd.DataFrame(
        {
            "pupil_id": made.scores["pupil_id"],
            "as_of": made.as_of,
            "label": made.scores["pupil_id"].isin(outcomes).astype(float),
            "model": made.scores["risk"],
        }
    )
    inside = listed_by(tested, ["model"], made.capacity)["model"]
    assert set(tested["pupil_id"][inside]) == handed_out
    found = len(handed_out & outcomes)
    table = compare(tested, rankers=["model"], capacity=made.capacity).table
    assert table["recall_at_capacity"].iloc[0] == pytest.approx(found / len(outcomes))
    groups = audit_model(tested, pd.DataFrame({"sex": ["girl"] * 8}), capacity=made.capacity).groups
    assert groups[["listed", "found"]].to_numpy().tolist() == [[made.capacity, found]]


def test_change_shows_who_is_rising_falling_steady_or_new() -> None:
    # Former ranks: p00 8, p01 1, p02 3, p03 5; p04 is new. Now 1, 2, 3, 4, 5.
    # p00: 1 < 8 - 2; p01: 2 <= 1 + 1; p02 stays; p03: 4 >= 5 - 1.25.
    previous = pd.DataFrame({"pupil_id": ["p00", "p01", "p02", "p03"], "rank": [8, 1, 3, 5]})
    found = rank(_assessment([50, 40, 30, 20, 10]), previous=previous)
    assert found["change"].tolist() == ["rising", "steady", "steady", "steady", "new"]
    lower = previous.assign(rank=[1, 2, 3, 1])  # p03: 4 > 1 + 1
    assert rank(_assessment([50, 40, 30, 20]), previous=lower)["change"].iloc[3] == "falling"


@pytest.mark.parametrize(
    ("previous", "message"),
    [
        (pd.DataFrame({"pupil_id": ["p00"]}), "no column 'rank'"),
        (pd.DataFrame({"rank": [1]}), "no column 'pupil_id'"),
        (pd.DataFrame({"pupil_id": ["p00", "p00"], "rank": [1, 2]}), "holds a pupil twice"),
    ],
)
def test_a_previous_list_that_is_none_is_refused(previous: pd.DataFrame, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        rank(_assessment([50, 40]), previous=previous)


@pytest.mark.parametrize("capacity", [0, -1, 6])
def test_a_capacity_that_does_not_fit_is_refused(capacity: int) -> None:
    with pytest.raises(RequestError, match=rf"between 1 and the 5 pupils .* got {capacity}\."):
        check_capacity(capacity, 5)
    with pytest.raises(RequestError, match="Choose the number of pupils"):
        rank(_assessment([10] * 5, capacity=capacity))


@pytest.mark.parametrize("capacity", [1, 5])
def test_the_ends_of_the_range_are_accepted(capacity: int) -> None:
    check_capacity(capacity, 5)
    assert rank(_assessment([10] * 5, capacity=capacity))["selected"].sum() == capacity


def test_ranking_leaves_the_assessment_as_it_was() -> None:
    assessment = _assessment([10, 40, 20])
    before = assessment.scores.copy(deep=True)
    rank(assessment)
    pd.testing.assert_frame_equal(assessment.scores, before)
