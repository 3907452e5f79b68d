"""Sentences about children count each child once, on however many lists the child is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation import compare
from riskmodel.evaluation.children import count_children
from riskmodel.evaluation.resampling import Resamples
from riskmodel.report.sentences import backtest_words

LISTS = pd.to_datetime(["2024-02-10"] * 4 + ["2024-06-01"] * 4)


def rows(label: list[float]) -> pd.DataFrame:
    made = pd.DataFrame(
        {"pupil_id": [*"abcd"] * 2, "as_of": LISTS, "label": label, "model": [4.0, 3, 2, 1] * 2}
    )
    is_lost = made["label"].isna()
    return made.assign(lost_to=np.where(is_lost, "home_educated", None)) if is_lost.any() else made


@pytest.mark.parametrize(
    ("label", "listed", "not_known", "found", "with_outcome"),
    [
        # one exclusion of one child within the horizons of both lists is one child
        ([1, 0, 0, 0, 1, 0, 0, 0], 2, 0, 1, 1),
        ([1, 0, 0, 1, 0, 0, 0, 1], 2, 0, 1, 2),
        ([0, 0, 0, 1, 0, 0, 0, 1], 2, 0, 0, 1),
        ([1, np.nan, 0, 0, 1, np.nan, 0, 0], 1, 1, 1, 1),  # of b nothing is known
        ([1, np.nan, 0, 0, 1, 0, 0, 0], 2, 0, 1, 1),  # of b one list's outcome is
        ([1, 0, 0, np.nan, 1, 0, 0, np.nan], 2, 0, 1, 1),  # d is on no list
    ],
)
def test_each_child_counts_once(
    label: list[float], listed: int, not_known: int, found: int, with_outcome: int
) -> None:
    made = compare(rows(label), rankers=["model"], capacity=2).children
    assert made is not None
    (row,) = made.to_dict("records")
    counts = (row["listed"], row["not_known"], row["found"], row["with_outcome"])
    assert counts == (listed, not_known, found, with_outcome)
    assert row["precision_by_child"] == pytest.approx(found / listed)
    assert row["recall_by_child"] == pytest.approx(found / with_outcome)


def test_the_words_are_of_children_and_not_of_places() -> None:
    lists = rows([1, 0, 0, 0, 1, 1, 0, 0])  # of 4 places 3 were right, of 2 children both
    made = compare(lists, rankers=["model"], capacity=2)
    assert made.table["precision_at_capacity"].item() == 0.75
    words = backtest_words(made.to_dict(), None)
    assert "out of 100 children listed whose outcome is known, about 100 had it" in words
    assert "is not known" not in words


def test_the_words_count_children_who_left() -> None:
    made = compare(rows([1, np.nan, 0, 0, 1, np.nan, 0, 0]), rankers=["model"], capacity=2)
    words = backtest_words(made.to_dict(), None)
    assert "out of 100 children listed whose outcome is known, about 100 had it" in words
    assert "Of 50 in 100 listed it is not known." in words


def slow_count(predictions: pd.DataFrame, listed: np.ndarray) -> list[int]:
    """Child by child."""
    sums = [0, 0, 0, 0]
    for _, own in predictions.assign(listed=listed).groupby("pupil_id"):
        known = own[own["label"].notna()]
        sums[0] += bool(known["listed"].any())
        sums[1] += bool(own["listed"].any() and not known["listed"].any())
        sums[2] += bool((known["listed"] & (known["label"] == 1)).any())
        sums[3] += bool((known["label"] == 1).any())
    return sums


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_counts_equal_a_slow_reference(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    predictions = pd.DataFrame(
        {
            "pupil_id": data.draw(st.lists(st.sampled_from("abcd"), min_size=n, max_size=n)),
            "label": data.draw(
                st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=n, max_size=n)
            ),
        }
    )
    listed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    resamples = Resamples.draw(predictions["pupil_id"], 0)
    (row,) = count_children(predictions, {"model": listed}, resamples).to_dict("records")
    found = [row[name] for name in ("listed", "not_known", "found", "with_outcome")]
    assert found == slow_count(predictions, listed)
    for name in ("precision_by_child", "recall_by_child"):
        if not np.isnan(row[f"{name}_low"]):
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            assert -1e-9 <= low <= row[name] + 1e-9 <= high + 2e-9 <= 1 + 3e-9
