"""How early outcomes are reached, by how often lists are made with the same places for a year."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation import compare
from riskmodel.evaluation.notice import (
    NOTICE_DAYS,
    ONCE_A_YEAR,
    days_apart,
    notice_curve,
    reached_on,
    yearly,
)
from riskmodel.evaluation.resampling import Resamples

DAYS = list(pd.to_datetime(["2024-01-01", "2024-03-01", "2024-06-01", "2025-01-01"]))
SCHEDULES = {ONCE_A_YEAR: [DAYS[0], DAYS[3]], "all": DAYS}

lists = st.lists(
    st.tuples(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(-1, 500)),
    min_size=2,
    max_size=9,
).filter(lambda rows: any(0 <= event < 366 for _, event in rows))


def frame_of(rows: list[tuple[list[int], int]]) -> pd.DataFrame:
    """Return lists of four days; a pupil leaves the cohort on the day of the outcome."""
    parts, rows = [], [*rows, ([0, 0, 0, 0], -1)]  # one who is on every list
    for number, (scores, event) in enumerate(rows):
        when = DAYS[0] + pd.Timedelta(days=event) if event >= 0 else pd.NaT
        part = pd.DataFrame({"as_of": DAYS, "model": np.array(scores, float), "event_on": when})
        part["event_on"] = pd.to_datetime(part["event_on"])
        parts.append(part.assign(pupil_id=f"P{number}"))
    frame = pd.concat(parts, ignore_index=True)
    return frame[frame["event_on"].isna() | (frame["event_on"] >= frame["as_of"])].reset_index(
        drop=True
    )


def slow_share(frame: pd.DataFrame, schedule: list[pd.Timestamp], places: int, ahead: int) -> float:
    """Fill the lists of each year by hand, and look each child up."""
    reached = outcomes = 0
    for begin in (DAYS[0], DAYS[3]):
        end = begin + pd.DateOffset(years=1)
        days = [day for day in schedule if begin <= day < end]
        first: dict[str, pd.Timestamp] = {}
        given = [int(np.floor(i * places / len(days) + 0.5)) for i in range(len(days) + 1)]
        for number, day in enumerate(days):
            here = frame[frame["as_of"] == day]
            free = [row for row in here.itertuples() if row.pupil_id not in first]
            free.sort(key=lambda row: (-row.model, row.pupil_id))
            for row in free[: given[number + 1] - given[number]]:
                first[row.pupil_id] = day
        inside = frame[
            (frame["as_of"] >= begin) & (frame["as_of"] < end) & (frame["event_on"] < end)
        ]
        for pupil, event in inside.groupby("pupil_id")["event_on"].min().items():
            outcomes += 1
            reached += pupil in first and (event - first[pupil]).days >= ahead
    return reached / outcomes


@given(lists, st.integers(1, 8))
@settings(max_examples=60)
def test_every_point_equals_a_slow_count(rows: list[tuple[list[int], int]], places: int) -> None:
    frame = frame_of(rows)
    resamples = Resamples.draw(frame["pupil_id"], 0)
    made = notice_curve(frame, "model", SCHEDULES, yearly_places=places, resamples=resamples)
    for row in made.to_dict("records"):
        expected = slow_share(frame, SCHEDULES[row["schedule"]], places, row["days"])
        assert row["reached"] == pytest.approx(expected)
    for _, line in made.groupby("schedule"):
        assert line["days"].tolist() == list(NOTICE_DAYS)
        assert (np.diff(line["reached"]) <= 0).all()
    assert (made.loc[made["schedule"] == ONCE_A_YEAR, "gain"] == 0).all()


@given(lists, st.integers(1, 8))
@settings(max_examples=60)
def test_each_child_is_listed_once_and_all_places_are_used(
    rows: list[tuple[list[int], int]], places: int
) -> None:
    frame = frame_of(rows)
    made = reached_on(frame, "model", DAYS[:3], places)
    assert made.index.is_unique
    assert len(made) <= places
    always = frame.groupby("pupil_id")["as_of"].nunique().eq(4).sum()
    assert len(made) >= min(places, always)


def test_a_late_list_can_use_what_has_happened_since() -> None:
    rows = [([3, 0, 0, 0], -1), ([2, 3, 3, 0], 120), ([1, 2, 2, 0], -1)]
    frame = frame_of(rows)
    resamples = Resamples.draw(frame["pupil_id"], 0)
    made = notice_curve(
        frame,
        "model",
        {ONCE_A_YEAR: DAYS[:1], "twice": DAYS[:2]},
        yearly_places=2,
        resamples=resamples,
    ).set_index(["schedule", "days"])["reached"]
    assert made[ONCE_A_YEAR, 90] == 1  # both places at once: the second is P1, 120 days before
    assert made["twice", 90] == 0  # the second place waited until March, 60 days before
    assert made["twice", 56] == 1


@pytest.mark.parametrize(
    ("schedules", "places", "words"),
    [
        ({"none": []}, 2, "The schedule 'none' has no day"),
        ({"x": [pd.Timestamp("2024-02-02")]}, 2, "has a list on 2024-02-02, and the predictions"),
        ({"x": DAYS}, 0, "places for a year must be at least 1; got 0"),
    ],
)
def test_schedules_that_cannot_be_measured_are_refused(
    schedules: dict[str, list[pd.Timestamp]], places: int, words: str
) -> None:
    frame = frame_of([([1, 1, 1, 1], 3), ([1, 1, 1, 1], -1)])
    with pytest.raises(RequestError, match=words):
        notice_curve(
            frame,
            "model",
            schedules,
            yearly_places=places,
            resamples=Resamples.draw(frame["pupil_id"], 0),
        )


def test_a_list_without_outcome_is_called_so() -> None:
    frame = frame_of([([1, 1, 1, 1], -1), ([2, 1, 1, 1], -1)])
    resamples = Resamples.draw(frame["pupil_id"], 0)
    with pytest.raises(HistoryError, match="Nobody had the outcome within a year"):
        notice_curve(frame, "model", SCHEDULES, yearly_places=1, resamples=resamples)


@pytest.mark.parametrize(("n_lists", "is_there"), [(1, False), (3, True), (4, True)])
def test_a_backtest_compares_schedules_where_a_year_holds_two_lists(
    n_lists: int, is_there: bool
) -> None:
    frame = frame_of([([n % 4] * 4, 300 if n % 5 == 0 else -1) for n in range(40)])
    frame = frame[frame["as_of"].isin(DAYS[:n_lists])].reset_index(drop=True)
    frame["label"] = frame["event_on"].notna().astype(float)
    made = compare(frame, rankers=["model"], capacity=8)
    assert (made.notice is not None) == is_there


def test_schedules_are_chosen_from_the_days_of_lists() -> None:
    days = list(pd.date_range("2024-01-01", "2025-06-30", freq="14D"))
    assert days_apart(days, 14) == days
    assert [(b - a).days for a, b in zip(*(days_apart(days, 42)[i:] for i in (0, 1)), strict=False)]
    assert yearly(days) == [days[0], pd.Timestamp("2025-01-13")]
