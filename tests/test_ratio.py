"""A ratio that may be undefined: nothing over nothing is missing, never 0."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from riskmodel.data.ratio import ratio

NAN = float("nan")


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ([1], [4], [0.25]),
        ([0], [4], [0.0]),
        ([5], [4], [1.25]),
        ([0], [0], [NAN]),
        ([1], [0], [NAN]),
        ([1], [-4], [NAN]),
        ([1], [NAN], [NAN]),
        ([NAN], [4], [NAN]),
        ([], [], []),
        ([True, False], [2, 2], [0.5, 0.0]),
    ],
)
def test_a_ratio_is_missing_where_nothing_is_below_the_line(
    above: list[float], below: list[float], expected: list[float]
) -> None:
    found = ratio(above, below)
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        ([1, 2], 4, [0.25, 0.5]),
        (1, [2, 0, 4], [0.5, NAN, 0.25]),
        (1, 4, 0.25),
        (1, 0, NAN),
        ([[1], [2]], [2, 4], [[0.5, 0.25], [1.0, 0.5]]),
    ],
)
def test_shapes_that_fit_each_other_are_spread(
    above: ArrayLike, below: ArrayLike, expected: ArrayLike
) -> None:
    found = ratio(above, below)
    np.testing.assert_array_equal(found, np.asarray(expected, dtype=float))
    assert found.shape == np.shape(expected)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_any_kind_of_sequence_is_taken_and_not_changed(kind: type) -> None:
    above, below = kind([1, 3]), kind([2, 0])
    np.testing.assert_array_equal(ratio(above, below), [0.5, NAN])
    assert list(above) == [1, 3]
    assert list(below) == [2, 0]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shape mismatch"):
        ratio([1, 2, 3], [1, 2])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(-2, 50)), max_size=8))
def test_a_ratio_of_counts_is_the_nearest_number_to_the_fraction(
    counts: list[tuple[int, int]],
) -> None:
    expected = [float(Fraction(a, b)) if b > 0 else NAN for a, b in counts]
    found = ratio([a for a, _ in counts], [b for _, b in counts])
    np.testing.assert_array_equal(found, np.array(expected, dtype=float))
