"""Metrics, intervals and the comparison of rankers."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score

from riskmodel.data.ratio import ratio
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation import (
    average_precision,
    compare,
    expected_over_observed,
    precision_at_k,
    recall_at_k,
    roc_auc,
    roni_points,
    school_rate,
    simple_rankers,
)
from riskmodel.evaluation.metrics import auc_of_ranks, precision_gained
from riskmodel.evaluation.predictions import CONTEXT, check_predictions, rankers_of

pupils = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=2, max_size=6)
RANKING = {
    "precision_at_k": lambda y, s: precision_at_k(y, s, k=2),
    "recall_at_k": lambda y, s: recall_at_k(y, s, k=2),
    "average_precision": average_precision,
    "roc_auc": roc_auc,
}


@pytest.mark.parametrize("name", RANKING)
@given(pupils, st.randoms(use_true_random=False))
def test_row_order_and_monotone_changes_do_not_matter(name, rows, random) -> None:  # type: ignore[no-untyped-def]
    y, s = np.array(rows).T
    expected = RANKING[name](y, s)
    order = list(range(len(y)))
    random.shuffle(order)
    np.testing.assert_allclose(RANKING[name](y[order], np.exp(s[order] / 2.0)), expected)


@given(pupils, st.integers(1, 6))
def test_precision_at_k_is_the_mean_over_all_orders_of_ties(
    rows: list[tuple[int, int]], k: int
) -> None:
    k = min(k, len(rows))
    lists = [
        np.mean([y for y, _ in sorted(order, key=lambda row: -row[1])[:k]])
        for order in permutations(rows)
    ]
    y, s = np.array(rows).T
    assert precision_at_k(y, s, k=k) == pytest.approx(np.mean(lists))


@given(pupils)
def test_average_precision_and_auc_equal_scikit_learns(rows: list[tuple[int, int]]) -> None:
    y, s = np.array(rows).T
    if 0 < y.sum() < len(y):
        assert average_precision(y, s) == pytest.approx(average_precision_score(y, s))
        assert roc_auc(y, s) == pytest.approx(roc_auc_score(y, s))
    elif y.sum() == 0:
        assert np.isnan(average_precision(y, s))


@given(pupils)
def test_the_fast_paths_equal_the_plain_metrics(rows: list[tuple[int, int]]) -> None:
    y, s = np.array(rows).T
    order = np.argsort(-s, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(s[order])), len(s) - 1)
    found, listed = y[order].cumsum()[ends], ends + 1.0
    gained = precision_gained(found, listed, np.diff(found, prepend=0))
    expected = average_precision(y, s)
    assert ratio(gained.sum(), y.sum()) == pytest.approx(expected, nan_ok=True)
    ranks = rankdata(np.column_stack([s, -s]), axis=0)
    both = [roc_auc(y, s), roc_auc(y, -s)]
    assert auc_of_ranks(ranks, y == 1) == pytest.approx(both, nan_ok=True)


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (1, 2, 0.5),
        (0, 4, 0),
        (0, 0, np.nan),
        (3, 0, np.nan),
        (0, -1, np.nan),
        (np.nan, 1, np.nan),
        (1, np.nan, np.nan),
    ],
)
def test_a_ratio_without_denominator_is_missing(
    above: float, below: float, expected: float
) -> None:
    assert ratio(above, below) == pytest.approx(expected, nan_ok=True)
    assert ratio([above, 1], [[below], [2]])[0, 0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("y", "s", "k", "words"),
    [
        ([0, 1], [1, 2, 3], 1, "as long as each other"),
        ([0, 2], [1, 2], 1, "0 and 1 only"),
        ([0, 1], [1, float("nan")], 1, "must not be missing; 1 values"),
        ([0, 1], [1, 2], 3, r"between 1 and the number of pupils \(2\), got 3"),
        ([0, 1], [1, 2], 0, "got 0"),
    ],
)
def test_bad_input_is_refused_in_words(y: list[int], s: list[float], k: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        precision_at_k(y, s, k=k)


def test_expected_over_observed_by_hand() -> None:
    assert expected_over_observed([1, 0, 1], [0.5, 0.2, 0.3]) == pytest.approx(0.5)


def predictions(seed: int = 0, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    risk = rng.random(n)
    label = (rng.random(n) < risk**6 / 2).astype(float)
    frame = pd.DataFrame(
        {
            "pupil_id": [f"P{i}" for i in range(n)],
            "as_of": pd.Timestamp("2024-01-01"),
            "label": label,
            "model": risk,
            "RONI points": np.round(3 * risk),
            "tuned ridge": rng.random(n),
        }
    )
    return pd.concat([frame, frame.assign(as_of=pd.Timestamp("2024-06-01"))], ignore_index=True)


def test_comparison_agrees_with_the_single_metrics_and_brackets_them() -> None:
    frame = predictions()
    result = compare(frame, rankers=["model", "RONI points"], capacity=40)
    row = result.table.set_index("ranker").loc["RONI points"]
    one = frame[frame["as_of"] == "2024-01-01"]
    y, s = one["label"], one["RONI points"]
    listed = one.sort_values(["RONI points", "pupil_id"], ascending=[False, True])[:40]
    assert row["average_precision"] == pytest.approx(average_precision(y, s))
    assert row["roc_auc"] == pytest.approx(roc_auc(y, s))
    assert row["precision_at_capacity"] == pytest.approx(listed["label"].mean())
    assert row["recall_at_capacity"] == pytest.approx(listed["label"].sum() / y.sum())
    for metric in ("average_precision", "precision_at_capacity", "recall_at_capacity"):
        assert row[f"{metric}_low"] < row[metric] < row[f"{metric}_high"]


def test_intervals_resample_pupils_so_repeating_a_list_does_not_narrow_them() -> None:
    frame = predictions()
    once = compare(frame[frame["as_of"] == "2024-01-01"], rankers=["model"], capacity=40).table
    twice = compare(frame, rankers=["model"], capacity=40).table
    for end in ("_low", "_high"):
        column = f"recall_at_capacity{end}"
        assert once[column].iloc[0] == pytest.approx(twice[column].iloc[0])


def test_a_better_simple_ranker_is_recommended() -> None:
    frame = predictions().rename(columns={"model": "tuned ridge", "tuned ridge": "model"})
    result = compare(frame, rankers=["model", "tuned ridge"], capacity=40)
    assert "tuned ridge" in result.recommendation()
    assert "beyond noise" in result.recommendation()


def test_no_outcome_is_reported_and_not_measured() -> None:
    with pytest.raises(HistoryError, match="Nobody"):
        compare(predictions().assign(label=0.0), rankers=["model"], capacity=3)


def test_a_ranker_without_scores_is_left_out() -> None:
    frame = predictions().assign(nothing=np.nan)
    made = compare(frame, rankers=["model", "nothing"], capacity=9)
    assert "nothing" not in set(made.table["ranker"])
    with pytest.raises(RequestError, match="first ranker, 'nothing', has no scores"):
        compare(frame, rankers=["nothing", "model"], capacity=9)


def test_the_others_are_subtracted_from_the_first_ranker() -> None:
    made = compare(predictions(), rankers=["RONI points", "model"], capacity=40)
    value = made.table.set_index("ranker")["recall_at_capacity"]
    (row,) = made.differences.to_dict("records")
    assert row["ranker"] == "model"
    assert row["recall_at_capacity"] == pytest.approx(value["RONI points"] - value["model"])


def test_every_column_that_is_not_named_is_a_ranker() -> None:
    frame = predictions().assign(**{name: 1 for name in CONTEXT if name not in predictions()})
    assert rankers_of(frame) == ["model", "RONI points", "tuned ridge"]
    assert len(CONTEXT) == 13


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"label": None},
            r"no column 'label' \(1 if the outcome happened .* Found: pupil_id, as_of",
        ),
        ({"model": None}, r"no column 'model' \(the score of a ranker\)"),
        ({"label": 2.0}, "not known yet for 800 rows.*audit_list"),
        ({"label": np.nan}, "not known yet for 800 rows"),
        ({"pupil_id": "P1"}, "Row 1 .* on that list already"),
        ({"model": "high"}, "scores of 'model' are not numbers"),
        ({"risk": 1.0}, "Every risk must be between 0 and 1, both excluded; row 0 has 1.0"),
        (
            {"share_of_list": 0.0},
            "Every share_of_list must be above 0 and at most 1; row 0 has 0.0",
        ),
    ],
)
def test_predictions_that_cannot_be_measured_are_refused(
    change: dict[str, object], words: str
) -> None:
    ((name, value),) = change.items()
    frame = predictions()
    frame = frame.drop(columns=name) if value is None else frame.assign(**{name: value})
    with pytest.raises(RequestError, match=words):
        check_predictions(frame, ["model"])


@pytest.mark.parametrize(
    ("pupil", "points"),
    [
        ({"absence_rate_12_months": 0.05}, 0),
        ({"absence_rate_12_months": np.float32(0.10)}, 1),
        ({"absence_rate_12_months": 0.16}, 2),
        ({"excluded_rate_12_months": 0.01, "ehc_plan_now": 1.0}, 3),
        ({"fsm_now": 1.0, "looked_after_now": 1.0, "eal": 1.0}, 5),
        ({"absence_rate_12_months": np.nan, "sen_support_now": 1.0}, 1),
    ],
)
def test_roni_points_by_hand(pupil: dict[str, float], points: int) -> None:
    assert roni_points(pd.DataFrame([pupil])).tolist() == [points]


def test_missing_values_rank_last_in_the_simple_rankers() -> None:
    frame = pd.DataFrame({"absence_rate_12_months": [np.nan, 0.0, 0.3]})
    assert simple_rankers(frame)["absence last year"].argsort().tolist() == [0, 1, 2]


def test_the_school_alone_is_its_rate_pulled_towards_that_of_all() -> None:
    school = pd.Series(["a"] * 100 + ["b"] * 100)
    label = np.r_[np.ones(4), np.zeros(196)]
    rate = school_rate(school, label, pd.Series(["a", "b", "c"]))
    # 2% of all; so 50 rows of prior: (4 + 1) / 150 and (0 + 1) / 150
    np.testing.assert_allclose(rate, [5 / 150, 1 / 150, 0.02])


def test_the_vulnerable_list_counts_what_puts_a_pupil_on_it() -> None:
    frame = pd.DataFrame(
        {"looked_after_now": [1, 0, np.nan], "ehc_plan_now": [1, 1, 0], "other": [9, 9, 9]}
    )
    assert simple_rankers(frame)["vulnerable list"].tolist() == [2, 1, 0]
    assert "vulnerable list" not in simple_rankers(frame[["other"]])


def test_an_las_own_points_take_the_place_of_oxfordshires() -> None:
    frame = pd.DataFrame({"absence_rate_12_months": [0.3, 0.05], "fsm_now": [0.0, 1.0]})
    own = pd.DataFrame(
        {
            "column": ["absence_rate_12_months"],
            "test": ["above"],
            "threshold": [0.2],
            "points": [7.0],
            "label": ["Attendance"],
        }
    )
    assert roni_points(frame, own).tolist() == [7, 0]
    assert simple_rankers(frame, own)["RONI points"].tolist() == [7, 0]
    assert roni_points(frame).tolist() == [2, 2]
