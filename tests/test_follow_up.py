"""Outcomes of earlier lists: how they are counted, and none of them twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.evaluation.follow_up import CAUTION, counted_once, outcomes_of_lists

DAY = pd.Timestamp("2024-02-10")


def lists_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    usual = {
        "pupil_id": "a",
        "as_of": DAY,
        "listed": True,
        "supported": "yes",
        "risk": 0.1,
        "event": False,
        "complete": True,
        "same_model": True,
    }
    frame = pd.DataFrame([usual | row for row in rows])
    frame["event"] = frame["event"].astype("boolean")
    return frame


@pytest.mark.parametrize(
    ("events", "observed", "high"),
    [
        ([False], 0, 3.689),
        ([True], 1, 5.572),
        ([True, True, False], 2, 7.225),
        ([None, True], 1, 5.572),  # what is not known adds nothing
    ],
)
def test_observed_outcomes_have_the_interval_of_a_count(
    events: list[bool | None], observed: int, high: float
) -> None:
    (row,) = outcomes_of_lists(lists_of([{"event": one} for one in events])).to_dict("records")
    assert row["observed"] == observed
    assert row["observed_high"] == pytest.approx(high, abs=1e-3)
    assert row["pupils"] == len(events)


def test_outcomes_of_which_none_is_known_are_missing_and_not_0() -> None:
    (row,) = outcomes_of_lists(lists_of([{"event": None}] * 3)).to_dict("records")
    assert pd.isna(row["observed"])
    assert np.isnan([row["observed_low"], row["observed_high"]]).all()


@pytest.mark.parametrize("column", ["complete", "same_model"])
@pytest.mark.parametrize(
    ("values", "all_are"), [([True, True], True), ([True, False], False), ([False, False], False)]
)
def test_one_row_that_is_not_makes_the_group_not(
    column: str, values: list[bool], all_are: bool
) -> None:
    table = outcomes_of_lists(lists_of([{column: one} for one in values]))
    assert table[column].tolist() == [all_are]


@pytest.mark.parametrize(
    ("risks", "expected"), [([0.5], 0.5), ([0.1, 0.2, 0.3], 0.6), ([0.0, 0.0], 0.0)]
)
def test_expected_outcomes_are_the_risks_added_up(risks: list[float], expected: float) -> None:
    table = outcomes_of_lists(lists_of([{"risk": one} for one in risks]))
    assert table["expected"].tolist() == pytest.approx([expected])


def test_rows_are_ordered_by_day_then_listed_first_then_by_support() -> None:
    rows = [
        {"as_of": DAY + pd.Timedelta(days=days), "listed": listed, "supported": supported}
        for days in (100, 0)
        for listed in (False, True)
        for supported in ("yes", "not known", "no")
    ]
    table = outcomes_of_lists(lists_of(rows))
    assert table["as_of"].is_monotonic_increasing
    assert table["listed"].tolist() == [True] * 3 + [False] * 3 + [True] * 3 + [False] * 3
    assert table["supported"].tolist() == ["no", "not known", "yes"] * 4


@pytest.mark.parametrize(
    ("apart", "kept"),
    [
        ([0], [0]),
        ([0, 364], [364]),  # the later of two lists whose horizons overlap
        ([0, 365], [0, 365]),
        ([0, 112, 365], [0, 365]),
        ([0, 200, 400, 730], [200, 730]),
        ([0, 112, 259, 365, 477], [112, 477]),
    ],
)
def test_lists_of_a_horizon_are_at_least_a_year_apart_counted_from_the_last(
    apart: list[int], kept: list[int]
) -> None:
    days = [DAY + pd.Timedelta(days=one) for one in apart]
    found = counted_once(lists_of([{"as_of": day} for day in days]), "pex")
    assert [(day - DAY).days for day in found["as_of"]] == kept


@pytest.mark.parametrize("outcome", ["neet"])
def test_an_outcome_without_horizon_counts_each_pupil_on_the_first_list(outcome: str) -> None:
    rows = [
        {"pupil_id": name, "as_of": DAY + pd.Timedelta(days=days)}
        for name, days in (("b", 50), ("a", 100), ("a", 0), ("b", 10), ("c", 700))
    ]
    found = counted_once(lists_of(rows), outcome)
    first = {
        name: (day - DAY).days for name, day in zip(found["pupil_id"], found["as_of"], strict=True)
    }
    assert first == {"a": 0, "b": 10, "c": 700}
    assert len(found) == 3


@pytest.mark.parametrize("outcome", ["pex", "neet"])
@pytest.mark.parametrize("column", ["complete", "same_model"])
def test_what_is_not_over_or_of_another_model_is_left_out(outcome: str, column: str) -> None:
    rows: list[dict[str, Any]] = [{"pupil_id": "a"}, {"pupil_id": "b", column: False}]
    assert counted_once(lists_of(rows), outcome)["pupil_id"].tolist() == ["a"]
    assert counted_once(lists_of([{column: False}]), outcome).empty


@pytest.mark.parametrize("words", ["what support did", "counts against it as a false alarm"])
def test_the_caution_states_why_the_figures_are_no_effect(words: str) -> None:
    assert words in CAUTION
