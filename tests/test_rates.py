"""Figures of each group beside all others: by hand, beside slow sums, and the questions they ask."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation.metrics import wilson_interval
from riskmodel.evaluation.resampling import Resamples
from riskmodel.fairness.practice import compare_gaps
from riskmodel.fairness.rates import (
    compare_levels,
    compare_rates,
    elsewhere,
    label_cells,
    recall_gap,
)
from riskmodel.fairness.verdicts import count_verdicts

rows_of_groups = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(0, 1), st.integers(0, 1)),
    min_size=1,
    max_size=16,
)


@given(rows_of_groups)
@settings(max_examples=25, deadline=None)
def test_rates_and_their_pupils_equal_slow_sums(rows: list[tuple[int, str, int, int]]) -> None:
    pupil, group, positive, listed = map(list, zip(*rows, strict=True))
    found = [p * n for p, n in zip(positive, listed, strict=True)]
    columns = {"found": found, "positives": positive}
    table = compare_rates(pupil, group, columns, {"recall": ("found", "positives")}, random_state=0)
    assert table["group"].tolist() == sorted(set(group))
    for row in table.to_dict("records"):
        inside = [one for one in rows if one[1] == row["group"]]
        outside = [one for one in rows if one[1] != row["group"]]
        for name, part in (("value", inside), ("others", outside)):
            n = sum(one[2] for one in part)
            expected = sum(one[2] * one[3] for one in part) / n if n else np.nan
            assert row[name] == pytest.approx(expected, nan_ok=True)
        assert row["pupils"] == len({one[0] for one in inside if one[2]})
        assert row["pupils_elsewhere"] == len({one[0] for one in outside if one[2]})


@pytest.mark.parametrize(("hits", "n"), [(0, 4), (4, 4), (3, 8), (1, 1)])
def test_the_interval_of_a_rate_is_wilsons_for_as_many_pupils(hits: int, n: int) -> None:
    columns = {"found": np.arange(n + 5) < hits, "positives": np.ones(n + 5)}
    group = ["a"] * n + ["b"] * 5
    table = compare_rates(
        range(n + 5), group, columns, {"r": ("found", "positives")}, random_state=0
    )
    low, high = wilson_interval(hits, n)
    assert (table["low"][0], table["high"][0]) == pytest.approx((float(low), float(high)))


@pytest.mark.parametrize("measures", [["recall"], ["recall", "precision"], ["b", "a"]])
def test_measures_follow_each_other_in_their_order(measures: list[str]) -> None:
    columns = {"found": [1, 0], "positives": [1, 1]}
    rates = dict.fromkeys(measures, ("found", "positives"))
    table = compare_rates([0, 1], ["a", "b"], columns, rates, random_state=0)
    assert table["measure"].tolist() == [name for name in measures for _ in range(2)]


@pytest.mark.parametrize(
    ("risk", "label", "own", "others"),
    [
        ([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0], 1.0, 1.0),
        ([0.2, 0.2, 0.5, 0.5], [1, 0, 1, 0], 0.4, 1.0),
        ([0.2, 0.2, 0.5, 0.5], [0, 0, 1, 0], None, 1.0),
        ([0.2, 0.2, 0.5, 0.5], [1, 1, 0, 0], 0.2, None),
    ],
)
def test_expected_over_observed_by_group(
    risk: list[float], label: list[int], own: float | None, others: float | None
) -> None:
    resamples = Resamples.draw(pd.Series(range(4)), 0)
    row = compare_levels(list("aabb"), label, risk, resamples).iloc[0]
    for name, wanted in (("value", own), ("others", others)):
        assert np.isnan(row[name]) if wanted is None else row[name] == pytest.approx(wanted)
    assert row["pupils"] == sum(label[:2])
    assert row["pupils_elsewhere"] == sum(label[2:])
    assert row["furthest"] == np.inf


@pytest.mark.parametrize(
    ("totals", "others"),
    [
        ([3.0], [0.0]),
        ([1.0, 2.0, 4.0], [6.0, 5.0, 3.0]),
        ([[1.0, 2.0], [0.0, 5.0]], [[2.0, 1.0], [5.0, 0.0]]),
    ],
)
def test_all_other_groups_are_the_sum_without_the_group(totals: Any, others: Any) -> None:
    assert elsewhere(np.array(totals)).tolist() == others


@pytest.mark.parametrize(
    ("found", "sizes", "gap"),
    [
        ([5, 0], [5, 5], 1.0),
        ([5, 5], [5, 5], 0.0),
        ([4, 0], [4, 5], None),  # one group of at least five outcomes is not enough
        ([0, 6, 3], [5, 6, 6], 1.0),
        ([1, 2, 4], [5, 5, 4], 0.2),  # the group of four does not count
        ([3], [9], None),
    ],
)
def test_the_largest_recall_gap_by_hand(
    found: list[int], sizes: list[int], gap: float | None
) -> None:
    group = np.repeat([f"g{number}" for number in range(len(sizes))], sizes)
    listed = np.concatenate([np.arange(n) < hits for hits, n in zip(found, sizes, strict=True)])
    value = recall_gap(group, np.ones(len(group)), listed)
    assert np.isnan(value) if gap is None else value == pytest.approx(gap)
    with_more = recall_gap(
        np.r_[group, group],
        np.r_[np.ones(len(group)), np.zeros(len(group))],
        np.r_[listed, ~listed],
    )
    assert with_more == pytest.approx(value, nan_ok=True)  # rows without the outcome are ignored


@pytest.mark.parametrize(
    ("groups", "measures", "n_questions"),
    [
        (["Boys", "Girls"], ["recall", "recall"], 1),  # girls against boys and boys against girls
        (["Boys", "Girls"], ["recall", "miss_rate"], 1),
        (["Boys", "Girls"], ["recall", "precision"], 2),
        (["a", "b", "c"], ["recall"] * 3, 3),
        (["a", "b", "c"] * 2, ["recall"] * 3 + ["miss_rate"] * 3, 3),
        (["only"], ["recall"], 1),
    ],
)
def test_cells_that_ask_one_question_share_its_mark(
    groups: list[str], measures: list[str], n_questions: int
) -> None:
    cells = label_cells(pd.DataFrame({"group": groups, "measure": measures}), "sex")
    assert cells["test"].nunique() == n_questions
    assert set(cells["characteristic"]) == {"sex"}


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        ([], "Of 0 comparisons .* 0 show a disparity, 0 no evidence of one, and 0 are too few"),
        (["disparity"], "Of 1 comparison of .* 1 shows a disparity, 0 no evidence"),
        (["disparity"] * 2, "2 show a disparity"),
        (["too few to tell"], "0 show a disparity, 0 no evidence of one, and 1 is too few to tell"),
        (
            ["no evidence", "too few to tell", "too few to tell"],
            "1 no evidence of one, and 2 are too",
        ),
    ],
)
def test_verdicts_are_counted_in_a_sentence(verdicts: list[str], sentence: str) -> None:
    found = count_verdicts(pd.DataFrame({"verdict": verdicts}, dtype=object))
    assert pd.Series([found]).str.contains(sentence).item(), found


def predictions(ours: list[int], theirs: list[int], n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All of two groups of n have the outcome; so many of each are listed by us and by them."""
    listed = {
        name: np.concatenate([np.arange(n) < hits for hits in found]).astype(float)
        for name, found in (("model", ours), ("RONI", theirs))
    }
    frame = pd.DataFrame(
        {"pupil_id": range(2 * n), "as_of": pd.Timestamp("2024-01-01"), "label": 1.0} | listed
    )
    return frame, pd.DataFrame({"sex": ["Girls"] * n + ["Boys"] * n})


@pytest.mark.parametrize(
    ("ours", "theirs", "n", "verdict"),
    [
        ([50, 50], [20, 80], 100, "narrower"),
        ([20, 80], [50, 50], 100, "wider"),
        ([50, 50], [50, 50], 100, "no evidence"),
        ([2, 2], [1, 3], 4, "too few to tell"),
    ],
)
def test_gaps_with_the_model_and_with_todays_practice(
    ours: list[int], theirs: list[int], n: int, verdict: str
) -> None:
    frame, groups = predictions(ours, theirs, n)
    table = compare_gaps(frame, groups, ["RONI"], capacity=sum(ours))
    girls = table.set_index("group").loc["Girls"]
    assert girls["verdict"] == verdict
    assert girls["now"] == ours[0] / n
    assert girls["before"] == theirs[0] / n
    assert girls["gap"] == pytest.approx((ours[0] - ours[1]) / n)
    assert girls["gap_before"] == pytest.approx((theirs[0] - theirs[1]) / n)
    assert (girls["pupils_found"], girls["pupils_missed"]) == (theirs[0], n - theirs[0])
    assert np.isnan(girls["p_value"]) == (verdict == "too few to tell")


@pytest.mark.parametrize("practice", [[], ["RONI"]])
def test_without_practice_or_groups_there_is_a_table_without_rows(practice: list[str]) -> None:
    frame, groups = predictions([5, 5], [5, 5], 10)
    table = compare_gaps(frame, groups[[]] if practice else groups, practice, capacity=10)
    assert table.empty
    assert list(table.columns[:3]) == ["ranker", "characteristic", "group"]
    assert table.columns[-1] == "verdict"
