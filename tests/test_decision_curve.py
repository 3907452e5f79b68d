"""Net benefit: by hand, at the borders of the thresholds, and beside a slow reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation.decision_curve import THRESHOLDS, decision_curve, net_benefit
from riskmodel.evaluation.resampling import Resamples


def curve(outcome: Any, risk: Any, at_capacity: Any = None) -> pd.DataFrame:
    resamples = Resamples.draw(pd.Series(range(len(outcome))), 0)
    return decision_curve(outcome, risk, resamples, at_capacity or {})


def value(table: pd.DataFrame, strategy: str, threshold: float) -> float:
    rows = table[(table["strategy"] == strategy) & (table["threshold"] == threshold)]
    return float(rows["net_benefit"].iloc[0])


@pytest.mark.parametrize(
    ("found", "needless", "n", "threshold", "expected"),
    [
        (0, 0, 10, 0.5, 0.0),
        (5, 0, 10, 0.5, 0.5),
        (0, 5, 10, 0.5, -0.5),
        (5, 5, 10, 0.5, 0.0),
        (1, 9, 10, 0.1, 0.0),  # one found is worth nine needless offers
        (1, 10, 10, 0.1, -1 / 90),
        (2, 3, 100, 0.2, (2 - 3 / 4) / 100),
    ],
)
def test_net_benefit_weighs_a_needless_offer_by_the_odds(
    found: int, needless: int, n: int, threshold: float, expected: float
) -> None:
    assert float(net_benefit(found, needless, n, threshold)) == pytest.approx(expected)


@given(st.integers(0, 50), st.integers(0, 50), st.sampled_from(THRESHOLDS))
def test_one_more_found_helps_and_one_more_needless_offer_harms(
    found: int, needless: int, threshold: float
) -> None:
    now = net_benefit(found, needless, 100, threshold)
    assert net_benefit(found + 1, needless, 100, threshold) > now
    assert net_benefit(found, needless + 1, 100, threshold) < now


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_a_risk_exactly_at_the_threshold_is_listed(threshold: float) -> None:
    at = curve([1, 0], [threshold, threshold / 2])
    just_below = curve([1, 0], [np.nextafter(threshold, 0), threshold / 2])
    assert value(at, "model, by threshold", threshold) == pytest.approx(5000)
    assert value(just_below, "model, by threshold", threshold) == 0


@pytest.mark.parametrize(
    ("outcome", "wanted"),
    [([1, 1, 1, 1], 1.0), ([0, 0, 0, 0], None), ([1, 0, 0, 0], 1 / 4)],
)
@pytest.mark.parametrize("threshold", [1 / 3, 1 / 10, 1 / 500])
def test_offering_to_everyone_needs_no_risks(
    outcome: list[int], wanted: float | None, threshold: float
) -> None:
    odds = threshold / (1 - threshold)
    share = wanted or 0.0
    expected = 10_000 * (share - (1 - share) * odds)
    for risk in ([0.001] * 4, [0.9, 0.1, 0.2, 0.3]):
        assert value(curve(outcome, risk), "everyone", threshold) == pytest.approx(expected)


def slow(outcome: list[int], risk: list[float], threshold: float) -> float:
    """Count found and needless pupil by pupil."""
    listed = [label for label, one in zip(outcome, risk, strict=True) if one >= threshold]
    needless = len(listed) - sum(listed)
    return 10_000 * (sum(listed) - needless * threshold / (1 - threshold)) / len(outcome)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.sampled_from([0.001, 0.005, 0.04, 0.1, 0.3, 0.6])),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=20, deadline=None)
def test_the_curve_equals_the_slow_reference(rows: list[tuple[int, float]]) -> None:
    outcome, risk = [y for y, _ in rows], [p for _, p in rows]
    table = curve(outcome, risk)
    for threshold in THRESHOLDS:
        found = value(table, "model, by threshold", threshold)
        assert found == pytest.approx(slow(outcome, risk, threshold), abs=1e-6)


@pytest.mark.parametrize(
    ("found", "places", "threshold", "expected"),
    [
        (2.0, 2.0, 0.1, 2 / 4),
        (0.0, 4.0, 0.1, -4 / 9 / 4),
        (1.5, 3.0, 0.2, (1.5 - 1.5 / 4) / 4),
    ],
)
def test_a_list_of_fixed_size_has_the_same_places_at_every_threshold(
    found: float, places: float, threshold: float, expected: float
) -> None:
    table = curve([1, 1, 0, 0], [0.2] * 4, {"RONI": (np.full(401, found), np.full(401, places))})
    threshold = min(THRESHOLDS, key=lambda one: abs(one - threshold))
    assert value(table, "RONI, at capacity", threshold) == pytest.approx(10_000 * expected)


@pytest.mark.parametrize("names", [[], ["model"], ["model", "RONI"]])
def test_every_strategy_has_a_row_at_every_threshold(names: list[str]) -> None:
    counts = (np.ones(401), np.full(401, 2.0))
    table = curve([1, 0, 0], [0.1, 0.2, 0.01], dict.fromkeys(names, counts))
    assert list(table) == ["strategy", "threshold", "net_benefit", "low", "high"]
    assert len(table) == len(THRESHOLDS) * (2 + len(names))
    of_strategy = table.groupby("strategy")["threshold"].apply(tuple)
    assert set(of_strategy) == {THRESHOLDS}
    assert (table["low"] <= table["high"]).all()


def test_thresholds_rise_from_one_in_five_hundred_to_one_in_three() -> None:
    assert list(THRESHOLDS) == sorted(set(THRESHOLDS))
    assert (THRESHOLDS[0], THRESHOLDS[-1]) == (1 / 500, 1 / 3)
