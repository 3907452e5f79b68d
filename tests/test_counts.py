"""Counts of a measure: a cell that cannot be worked out is missing in all its parts, with one reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.inclusion.counts import NOBODY, Counts, settle

PARTS = ("numerator", "denominator", "people", "pupils")
Cells = list[list[float]]


def settled(
    numerator: Cells, denominator: Cells, why: list[str] | list[list[str]], **more: np.ndarray
) -> Counts:
    above, below = (np.array(cells, dtype=float) for cells in (numerator, denominator))
    return settle(above, below, np.array(why, dtype=object), NOBODY, **more)


@pytest.mark.parametrize(
    ("denominator", "why", "reason"),
    [
        (5, "", ""),
        (1, "", ""),
        (0, "", NOBODY),
        (-1, "", NOBODY),
        (5, "No table.", "No table."),
        (0, "No table.", "No table."),  # the reason of the period is more exact
    ],
)
def test_a_cell_is_there_or_missing_with_its_reason(
    denominator: float, why: str, reason: str
) -> None:
    made = settled([[3]], [[denominator]], [why])
    assert made.why.tolist() == [[reason]]
    for name in PARTS:
        assert np.isnan(getattr(made, name)).tolist() == [[reason != ""]]


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (["", "old"], [["", "old"], ["", "old"]]),
        ([["", "old"], ["AP", ""]], [["", "old"], ["AP", ""]]),
    ],
)
def test_a_reason_is_that_of_a_period_or_of_a_cell(
    why: list[str], expected: list[list[str]]
) -> None:
    ones = [[1, 1], [1, 1]]
    assert settled(ones, ones, why).why.tolist() == expected


@pytest.mark.parametrize(
    ("more", "people", "pupils"),
    [
        ({}, 3, 5),
        ({"people": np.array([[2.0]])}, 2, 5),
        ({"pupils": np.array([[4.0]])}, 3, 4),
        ({"people": np.array([[2.0]]), "pupils": np.array([[4.0]])}, 2, 4),
    ],
)
def test_pupils_behind_counts_are_the_counts_themselves_where_not_given(
    more: dict[str, np.ndarray], people: float, pupils: float
) -> None:
    made = settled([[3]], [[5]], [""], **more)
    assert made.people.tolist() == [[people]]
    assert made.pupils.tolist() == [[pupils]]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(-1, 3), st.sampled_from(["", "old"])), max_size=6
    )
)
def test_a_cell_has_a_value_exactly_where_it_has_no_reason(
    cells: list[tuple[int, int, str]],
) -> None:
    top, bottom = (np.array([[row[i] for row in cells]], dtype=float) for i in (0, 1))
    why = np.array([row[2] for row in cells], dtype=object)
    given_ = why.copy()
    made = settle(top, bottom, why, NOBODY)
    has_value = made.why == ""
    for name in PARTS:
        np.testing.assert_array_equal(~np.isnan(getattr(made, name)), has_value)
    np.testing.assert_array_equal(has_value[0], (given_ == "") & (bottom[0] > 0))
    np.testing.assert_array_equal(made.numerator[has_value], top[has_value])
    np.testing.assert_array_equal(why, given_)  # what was given is not changed
