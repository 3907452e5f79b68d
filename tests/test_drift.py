"""Drift: judged against what training lists show among themselves."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.evaluation.drift import drift, population_stability, profile
from riskmodel.evaluation.follow_up import CAUTION, outcomes_of_lists

counts = st.lists(st.integers(0, 500), min_size=3, max_size=3)


@given(counts, counts)
def test_the_index_is_symmetric_never_negative_and_0_for_the_same(
    a: list[int], b: list[int]
) -> None:
    index = float(population_stability(a, b))
    assert index >= 0
    np.testing.assert_allclose(index, population_stability(b, a))
    assert float(population_stability(a, a)) == 0


def lists(seed: int, shift: float = 0.0, n: int = 3000) -> tuple[pd.DataFrame, pd.Series]:
    """Two features on two lists; one swings with the season."""
    rng = np.random.default_rng(seed)
    season = np.repeat([0.0, 1.0], n // 2)
    X = pd.DataFrame(
        {"steady": rng.normal(size=n) + shift, "seasonal": rng.normal(size=n) + season}
    )
    return X, pd.Series(pd.to_datetime(np.where(season == 0, "2024-02-10", "2024-06-01")))


def test_what_swings_every_year_is_not_drift_and_what_never_did_is() -> None:
    kept = json.loads(json.dumps(profile(*lists(0))))
    X, day = lists(1, shift=1.0)
    june = X[(day == pd.Timestamp("2024-06-01")).to_numpy()]
    table = drift(kept, june).set_index("feature")
    assert table.loc["seasonal", "index"] > 0.1
    assert not table.loc["seasonal", "drifted"]
    assert table.loc["steady", "drifted"]
    assert table.index[0] == "steady"


def test_the_same_pupils_do_not_drift_and_a_lost_column_does() -> None:
    X, day = lists(0)
    kept = profile(X, day)
    assert not drift(kept, X)["drifted"].any()
    table = drift(kept, X.drop(columns="steady")).set_index("feature")
    assert table.loc["steady", "drifted"]
    assert table.loc["steady", "missing_now"] == 1.0


def test_a_constant_feature_and_an_all_missing_one_have_a_profile() -> None:
    X = pd.DataFrame({"constant": [3.0] * 400, "missing": [np.nan] * 400})
    kept = profile(X, pd.Series(pd.to_datetime(["2024-06-01"] * 400)))
    assert not drift(kept, X)["drifted"].any()
    moved = drift(kept, X.assign(constant=4.0)).set_index("feature")
    assert moved.loc["constant", "drifted"]


def test_outcomes_are_counted_by_listed_and_supported_and_never_called_an_effect() -> None:
    day = pd.Timestamp("2024-06-01")
    frame = pd.DataFrame(
        {
            "as_of": [day] * 6,
            "listed": [True] * 4 + [False] * 2,
            "supported": ["yes", "yes", "no", "no", "not known", "not known"],
            "risk": [0.3, 0.2, 0.3, 0.2, 0.01, 0.01],
            "event": [False, False, True, False, False, True],
            "complete": True,
            "same_model": True,
        }
    )
    table = outcomes_of_lists(frame)
    assert table["listed"].tolist() == [True, True, False]
    assert table["supported"].tolist() == ["no", "yes", "not known"]
    assert table["observed"].tolist() == [1, 0, 1]
    assert np.allclose(table["expected"], [0.5, 0.5, 0.02])
    assert table["observed_high"].round(2).tolist() == [5.57, 3.69, 5.57]
    assert "do not say what support did" in CAUTION


def test_a_little_more_than_usual_is_no_drift() -> None:
    X = pd.DataFrame({"f": [0.0] * 80 + [1.0] * 20})
    kept = {"f": {"edges": [0.5], "counts": [50, 50, 0], "usual": 0.0}}
    index = drift(kept, X)["index"].iloc[0]
    for times, answer in ((1.4, False), (1.6, True)):
        kept["f"]["usual"] = index / times
        assert drift(kept, X)["drifted"].iloc[0] == answer


@pytest.mark.parametrize(
    ("before", "now", "index"),
    [
        ([50, 50], [50, 50], 0.0),
        ([1, 1], [1000, 1000], 0.0),  # shares count, not rows
        # (0.5 - 49.5/50) ln(0.5 / 0.99) + (0.5 - 0.01) ln(0.5 / 0.01), half a row added to each bin
        ([24, 24], [49, 0], 0.49 * np.log(99)),
        ([0, 0], [0, 0], 0.0),
    ],
)
def test_the_index_by_hand(before: list[int], now: list[int], index: float) -> None:
    assert float(population_stability(before, now)) == pytest.approx(index, abs=1e-3)


@pytest.mark.parametrize(
    ("values", "edges", "counts"),
    [
        ([1.0] * 10, [1.0], [10, 0, 0]),
        ([np.nan] * 4, [], [0, 4]),
        ([0.0] * 6 + [1.0] * 5, [0.0, 1.0], [6, 5, 0, 0]),
        ([0.0] * 5 + [np.nan] * 5, [0.0], [5, 0, 5]),
        (list(range(11)), list(range(1, 10)), [2, *[1] * 9, 0]),
    ],
)
def test_a_profile_counts_rows_between_its_edges_and_missing_ones_last(
    values: list[float], edges: list[float], counts: list[int]
) -> None:
    day = pd.Series(pd.Timestamp("2024-06-01"), index=range(len(values)))
    kept = profile(pd.DataFrame({"f": np.array(values, float)}), day)["f"]
    assert kept["edges"] == pytest.approx(edges)
    assert kept["counts"] == counts
    assert kept["usual"] == 0.0  # one list does not differ from itself


@pytest.mark.parametrize(("n", "counts_for"), [(199, False), (200, True)])
def test_a_small_training_list_gives_no_usual_drift(n: int, counts_for: bool) -> None:
    days = pd.Series(pd.to_datetime(["2023-06-01"] * 1000 + ["2024-06-01"] * n))
    X = pd.DataFrame({"f": [0.0, 1.0] * 500 + [1.0] * n})
    usual = profile(X, days)["f"]["usual"]
    assert (usual > 0.1) == counts_for


@pytest.mark.parametrize(
    ("values", "missing"),
    [([0.0, 1.0], 0.0), ([np.nan, 1.0], 0.5), ([np.nan, np.nan], 1.0), ([], 0.0)],
)
def test_missing_values_of_today_are_a_share_of_the_rows(
    values: list[float], missing: float
) -> None:
    kept = {"f": {"edges": [0.5], "counts": [6, 2, 2], "usual": 0.0}}
    (row,) = drift(kept, pd.DataFrame({"f": np.array(values, float)})).to_dict("records")
    assert row["missing_now"] == missing
    assert row["missing_before"] == 0.2


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]])
def test_the_feature_that_drifted_most_comes_first_and_equals_stay_in_order(
    order: list[str],
) -> None:
    X = pd.DataFrame({"a": [1.0] * 50, "b": [0.0, 1.0] * 25, "c": [0.0, 1.0] * 25})
    one = {"edges": [0.5], "counts": [50, 50, 0], "usual": 0.0}
    table = drift(dict.fromkeys(order, one), X)
    assert table["feature"].tolist() == ["a", *[name for name in order if name != "a"]]
    assert table["drifted"].tolist() == [True, False, False]
