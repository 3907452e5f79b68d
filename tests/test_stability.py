"""Lead time, stability and schools: small lists by hand and slow references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.evaluation.resampling import Resamples
from riskmodel.evaluation.stability import EARLY_DAYS, lead_time, stability, within_schools

DAYS = pd.to_datetime(["2024-02-10", "2024-06-01", "2024-10-26"])


def frame_of(rows: list[tuple[Any, ...]], columns: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split())
    frame["as_of"] = DAYS[frame["as_of"]]
    return frame


def lead_of(frame: pd.DataFrame, listed: list[bool]) -> dict[Any, Any]:
    resamples = Resamples.draw(frame["pupil_id"], 0)
    table = lead_time(frame, {"model": np.array(listed)}, resamples)
    return dict(table.to_dict("records")[0])


def kept_of(frame: pd.DataFrame, listed: list[bool]) -> dict[Any, Any]:
    resamples = Resamples.draw(frame["pupil_id"], 0)
    table = stability(frame, {"model": np.array(listed)}, resamples)
    return dict(table.to_dict("records")[0])


@pytest.mark.parametrize(
    ("days", "ever", "early"),
    [
        (0, 1.0, 0.0),  # an event on the day of the list
        (1, 1.0, 0.0),
        (EARLY_DAYS - 1, 1.0, 0.0),
        (EARLY_DAYS, 1.0, 1.0),
        (400, 1.0, 1.0),
    ],
)
def test_an_event_after_the_list_was_foreseen_so_many_days_before(
    days: int, ever: float, early: float
) -> None:
    frame = frame_of([("a", 0), ("b", 0)], "pupil_id as_of")
    frame["event_on"] = [DAYS[0] + pd.Timedelta(days=days), pd.NaT]
    row = lead_of(frame, [True, True])
    assert (row["events"], row["ever_listed"], row["listed_early"]) == (1, ever, early)
    assert row["median_days"] == days


@pytest.mark.parametrize("days", [-1, -100])
def test_an_event_before_every_list_is_none_to_foresee(days: int) -> None:
    frame = frame_of([("a", 0), ("b", 0)], "pupil_id as_of")
    frame["event_on"] = DAYS[0] + pd.Timedelta(days=days)
    row = lead_of(frame, [True, True])
    assert row["events"] == 0
    assert np.isnan([row["ever_listed"], row["listed_early"], row["median_days"]]).all()


@pytest.mark.parametrize(
    ("leads", "median"),
    [([10], 10), ([10, 30], 20), ([10, 30, 100], 30), ([7, 7, 7, 9], 7), ([1, 2, 3, 50], 2.5)],
)
def test_the_median_of_leads_is_the_usual_one(leads: list[int], median: float) -> None:
    frame = frame_of([(name, 0) for name in "abcd"[: len(leads)]], "pupil_id as_of")
    frame["event_on"] = DAYS[0] + pd.to_timedelta(leads, unit="D")
    row = lead_of(frame, [True] * len(leads))
    assert row["median_days"] == median == np.median(leads)


@pytest.mark.parametrize(
    ("listed", "lead"),
    [
        ([True, True, True], (DAYS[2] - DAYS[0]).days),
        ([False, True, True], (DAYS[2] - DAYS[1]).days),
        ([False, False, True], 0),
        ([True, False, False], (DAYS[2] - DAYS[0]).days),
        ([False, False, False], None),
    ],
)
def test_the_first_listing_counts_and_no_later_one(listed: list[bool], lead: int | None) -> None:
    frame = frame_of([("a", 0), ("a", 1), ("a", 2)], "pupil_id as_of")
    frame["event_on"] = DAYS[2]
    row = lead_of(frame, listed)
    assert row["ever_listed"] == (0.0 if lead is None else 1.0)
    if lead is None:
        assert np.isnan(row["median_days"])
    else:
        assert row["median_days"] == lead


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.integers(0, 2), st.integers(0, 300), st.booleans()),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    )
)
@settings(max_examples=25, deadline=None)
def test_lead_time_equals_the_slow_reference(rows: list[tuple[str, int, int, bool]]) -> None:
    after = {name: days for name, _, days, _ in rows}
    frame = frame_of([row[:2] for row in rows], "pupil_id as_of")
    event = {name: DAYS[0] + pd.Timedelta(days=days) for name, days in after.items()}
    frame["event_on"] = frame["pupil_id"].map(event)
    listed = [row[3] for row in rows]
    with_event = {name for name, day, *_ in rows if DAYS[day] <= event[name]}
    leads = {
        name: max(
            [(event[n] - DAYS[d]).days for n, d, _, on in rows if n == name and on], default=-1
        )
        for name in with_event
    }
    row = lead_of(frame, listed)
    assert row["events"] == len(with_event)
    if with_event:
        hit = [days for days in leads.values() if days >= 0]
        assert row["ever_listed"] == pytest.approx(len(hit) / len(with_event))
        early = sum(days >= EARLY_DAYS for days in hit)
        assert row["listed_early"] == pytest.approx(early / len(with_event))
        if hit:
            assert row["median_days"] == np.median(hit)


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ([True, True, False, False], 1.0),
        ([True, False, True, False], 0.5),
        ([False, False, True, True], 0.0),
    ],
)
def test_the_share_of_a_list_that_is_on_the_next(second: list[bool], kept: float) -> None:
    rows = [(f"{name}{copy}", day) for day in (0, 1) for name in "abcd" for copy in range(4)]
    listed = np.repeat([True, True, False, False, *second], 4).tolist()
    row = kept_of(frame_of(rows, "pupil_id as_of"), listed)
    assert row["kept"] == kept
    assert row["days_apart"] == (DAYS[1] - DAYS[0]).days
    assert row["kept_low"] < row["kept_high"]  # none or all of eight pupils is not certain


@pytest.mark.parametrize("days", [[0], [2]])
def test_a_single_list_has_no_next(days: list[int]) -> None:
    frame = frame_of([("a", days[0]), ("b", days[0])], "pupil_id as_of")
    resamples = Resamples.draw(frame["pupil_id"], 0)
    assert stability(frame, {"model": np.array([True, False])}, resamples).empty


@pytest.mark.parametrize(
    ("rows", "listed"),
    [
        ([("a", 0), ("b", 1)], [True, True]),  # everybody left in between
        ([("a", 0), ("a", 2), ("b", 1)], [True, True, True]),  # a comes back a list later
    ],
)
def test_who_is_not_on_the_next_cohort_is_not_counted(
    rows: list[tuple[str, int]], listed: list[bool]
) -> None:
    assert np.isnan(kept_of(frame_of(rows, "pupil_id as_of"), listed)["kept"])


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 2), st.booleans()),
        min_size=2,
        max_size=12,
        unique_by=lambda row: row[:2],
    ).filter(lambda rows: len({day for _, day, _ in rows}) > 1)
)
@settings(max_examples=25, deadline=None)
def test_stability_equals_the_slow_reference(rows: list[tuple[str, int, bool]]) -> None:
    days = sorted({day for _, day, _ in rows})
    following = dict(zip(days, days[1:], strict=False))
    state = {(name, day): on for name, day, on in rows}
    pairs = [
        state[(name, following[day])]
        for name, day, on in rows
        if on and day in following and (name, following[day]) in state
    ]
    frame = frame_of([row[:2] for row in rows], "pupil_id as_of")
    kept = kept_of(frame, [row[2] for row in rows])["kept"]
    assert kept == pytest.approx(np.mean(pairs) if pairs else np.nan, nan_ok=True)


def schools(rows: list[tuple[Any, ...]]) -> dict[Any, Any]:
    frame = frame_of(rows, "as_of school_id label model")
    return dict(within_schools(frame, ["model"]).to_dict("records")[0])


@pytest.mark.parametrize(
    ("rows", "within"),
    [
        ([(0, "s", 1, 2.0), (0, "s", 0, 1.0)], 1.0),
        ([(0, "s", 1, 1.0), (0, "s", 0, 2.0)], 0.0),
        ([(0, "s", 1, 1.0), (0, "s", 0, 1.0)], 0.5),
        ([(0, "s", 1, None), (0, "s", 0, 1.0)], 0.0),  # missing ranks last
        ([(0, "s", 1, 2.0), (0, "t", 0, 1.0)], None),  # no pair within a school
        ([(0, "s", 1, 2.0), (1, "s", 0, 1.0)], None),  # nor within a list
        ([(0, "s", 1, 2.0), (0, "s", 0, 1.0), (1, "s", 1, 1.0), (1, "s", 0, 2.0)], 0.5),
    ],
)
def test_pairs_are_of_one_school_and_one_list(
    rows: list[tuple[Any, ...]], within: float | None
) -> None:
    found = schools(rows)["auc_within"]
    assert np.isnan(found) if within is None else found == within


@pytest.mark.parametrize(
    ("rows", "between"),
    [
        ([(0, "s", 1, 2.0), (0, "s", 0, 2.0), (0, "t", 0, 1.0), (0, "t", 0, 1.0)], 1.0),
        ([(0, "s", 1, 2.0), (0, "s", 0, 1.0), (0, "t", 0, 2.0), (0, "t", 0, 1.0)], 0.0),
        ([(0, "s", 1, 2.0), (0, "s", 0, 2.0)], None),  # nothing varies
    ],
)
def test_the_share_between_schools_runs_from_0_to_1(
    rows: list[tuple[Any, ...]], between: float | None
) -> None:
    found = schools(rows)["share_between"]
    assert np.isnan(found) if between is None else found == pytest.approx(between)


@pytest.mark.parametrize("rankers", [[], ["model"], ["model", "other"]])
def test_every_ranker_has_a_row_in_its_order(rankers: list[str]) -> None:
    frame = frame_of(
        [(0, "s", 1, 2.0, 1.0), (0, "s", 0, 1.0, 2.0)], "as_of school_id label model other"
    )
    table = within_schools(frame, rankers)
    assert (table["ranker"].tolist() if rankers else []) == rankers
