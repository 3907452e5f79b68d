"""Pupils who left before their outcome was known: they were in the cohort, so they hold places."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskmodel.cohort import build_spine, default_as_of, snapshots
from riskmodel.data.read import read
from riskmodel.errors import RequestError
from riskmodel.evaluation import Backtest, average_precision, compare, roc_auc
from riskmodel.evaluation.list_sums import metrics, totals_by_list
from riskmodel.evaluation.resampling import Resamples
from riskmodel.evaluation.stability import within_schools
from riskmodel.evaluation.staying import LEAST_CHANCE, probability_of_staying
from riskmodel.fairness import audit_model
from riskmodel.fairness.rates import recall_gap
from riskmodel.jobs.notes import notes_for
from riskmodel.jobs.sample import make_sample
from riskmodel.labels import label
from riskmodel.lost import NO_POSITION, TOO_FEW_MARKS, lost_to
from riskmodel.training.folds import pupil_folds, rolling_folds
from riskmodel.training.past_calibration import PastScores, calibrate
from tests.rolls import day, make_tables, roll
from tests.searches import objective
from tests.small_la import SmallLA

SPRING = pd.Timestamp("2024-02-10")
NAN = float("nan")


def one_list(label: list[float], score: list[float]) -> pd.DataFrame:
    """Predictions of one list; who has no label went to another area."""
    outcome = np.array(label, dtype=float)
    return pd.DataFrame(
        {
            "pupil_id": [f"P{number:02}" for number in range(len(label))],
            "as_of": SPRING,
            "label": outcome,
            "model": np.array(score, dtype=float),
            "lost_to": np.where(np.isnan(outcome), "another area", None),
        }
    )


def test_a_pupil_who_left_holds_a_place_that_another_cannot_have() -> None:
    made = compare(one_list([NAN, 1, 0, 1], [4, 3, 2, 1]), rankers=["model"], capacity=2)
    (row,) = made.table.to_dict("records")
    assert row["recall_at_capacity"] == 0.5  # the second place is the last
    assert row["precision_at_capacity"] == 1.0  # of the one listed pupil whose outcome is known
    assert row["lift_at_capacity"] == pytest.approx(1.5)  # two of three had it
    assert made.lost is not None
    assert made.lost.to_dict("records") == [
        {"ranker": "model", "lost_to": "another area", "places": 1, "of_places": 2}
    ]
    assert made.counts["lost_rows"] == 1
    assert made.counts["prevalence"] == pytest.approx(2 / 3)


def test_a_missing_outcome_without_a_reason_is_refused() -> None:
    frame = one_list([NAN, 1, 0], [3, 2, 1]).assign(lost_to=None)
    with pytest.raises(RequestError, match="not known yet for 1 rows.*lost_to"):
        compare(frame, rankers=["model"], capacity=2)


rows_of_a_list = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, NAN]), st.integers(0, 3), st.integers(0, 2)),
    min_size=3,
    max_size=12,
)


def slow_listed(
    frame: pd.DataFrame, again: NDArray[np.int64], places: float
) -> NDArray[np.float64]:
    """Part of each drawn row that is on the list: fill the places one after the other."""
    part, left = np.zeros(len(again)), places
    order = sorted(range(len(again)), key=lambda i: (-frame["model"][again[i]], again[i]))
    for i in order:
        part[i] = max(0.0, min(1.0, left))
        left -= 1
    return part


@given(rows_of_a_list, st.integers(1, 6))
@settings(max_examples=200)
def test_places_filled_by_everybody_equal_a_slow_count(
    rows: list[tuple[float, int, int]], capacity: int
) -> None:
    outcome, score, drawn = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    frame = one_list(outcome.tolist(), score.tolist())
    weights = np.column_stack([np.ones(len(rows)), drawn]).astype(np.uint8)
    resamples = Resamples(weights, np.arange(len(rows)))
    capacity = min(capacity, len(rows))
    (total,) = totals_by_list(frame, "model", np.full(len(rows), capacity), resamples)
    measured = metrics(total)
    for draw in (0, 1):
        again = np.repeat(np.arange(len(rows)), weights[:, draw])
        y, s = outcome[again], score[again]
        part, known = slow_listed(frame, again, capacity * len(again) / len(rows)), ~np.isnan(y)
        assert total["places"][draw] == pytest.approx(part[known].sum())
        assert total["found"][draw] == pytest.approx((part * (y == 1)).sum())
        if (y == 1).any():
            expected = average_precision(y[known], s[known])
            assert measured["average_precision"][draw] == pytest.approx(expected)
            auc = roc_auc(y[known], s[known])
            assert measured["roc_auc"][draw] == pytest.approx(auc, nan_ok=True)


def half_years(n_pupils: int) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", "2022-07-01", freq="6MS")
    index = pd.MultiIndex.from_product(
        [days, [f"P{i:03}" for i in range(n_pupils)]], names=["as_of", "pupil_id"]
    )
    spine = index.to_frame(index=False)
    return spine.assign(pupil_id=spine["pupil_id"].astype("category"))


@pytest.mark.parametrize("over_time", [True, False])
def test_leavers_are_tested_and_never_learned_from(over_time: bool) -> None:
    spine = half_years(100)
    number = spine["pupil_id"].cat.codes.to_numpy()
    outcome = np.select([number % 10 == 0, number % 10 == 1], [1.0, NAN], 0.0)

    def label_at(today: pd.Timestamp) -> NDArray[np.float64]:
        return np.where(spine["as_of"] + pd.DateOffset(months=12) <= today, outcome, NAN)

    today = pd.Timestamp("2024-01-01")
    folds = (
        rolling_folds(spine, label_at, known_by=today, n_origins=3)
        if over_time
        else pupil_folds(spine, outcome)
    )
    tested = pd.concat([spine.iloc[fold.test] for fold in folds])
    assert (tested.groupby("as_of")["pupil_id"].nunique() == 100).all()
    for fold in folds:
        assert not np.isnan(fold.train_label).any()
        assert fold.tests_an_outcome


def test_nothing_of_an_audit_counts_a_pupil_who_left_but_the_place() -> None:
    frame = one_list([NAN, 1, 0, 1], [4, 3, 2, 1]).assign(points=[1, 2, 3, 4])
    groups = pd.DataFrame({"sex": ["Girls", "Girls", "Boys", "Boys"]})
    made = audit_model(frame, groups, capacity=2, practice=["points"])
    counted = made.groups.set_index("group")
    assert counted.loc["Girls", ["rows", "listed", "found"]].tolist() == [1, 1, 1]
    assert counted.loc["Boys", ["rows", "listed", "found"]].tolist() == [2, 0, 0]
    recall = made.practice.set_index("group")
    assert recall.loc["Girls", ["before", "now"]].tolist() == [0, 1]


def test_no_level_is_learned_from_an_outcome_that_is_not_known() -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(-1, 1, 400)
    outcome = (rng.random(400) < 1 / (1 + np.exp(-margin))).astype(float)
    with_lost = np.append(outcome, [NAN] * 50), np.append(margin, [3.0] * 50)
    known, lost = (
        calibrate(
            PastScores(
                margin=scores,
                outcome=labels,
                as_of=np.full(len(scores), np.datetime64("2023-06-01", "s")),
                pupil_id=np.arange(len(scores)).astype(str),
            )
        ).affine
        for labels, scores in ((outcome, margin), with_lost)
    )
    assert (lost.intercept, lost.slope) == pytest.approx((known.intercept, known.slope))


def test_order_within_schools_is_that_of_pupils_whose_outcome_is_known() -> None:
    rng = np.random.default_rng(1)
    label = rng.choice([0.0, 0.0, 1.0, NAN], 60)
    frame = one_list(label.tolist(), rng.random(60).tolist())
    frame["school_id"] = rng.choice(["s", "t", "u"], 60)
    known = frame[frame["label"].notna()].reset_index(drop=True)
    whole, part = within_schools(frame, ["model"]), within_schools(known, ["model"])
    assert whole["auc_within"].iloc[0] == pytest.approx(part["auc_within"].iloc[0])
    assert 0 <= whole["auc_of_school"].iloc[0] <= 1


# The probability of staying


def test_the_probability_of_staying_by_hand() -> None:
    # 30 of 300 left: 0.1 of all. A: (30 + 10) / (100 + 100) = 0.2; B: (0 + 10) / (200 + 100) = 1/30
    past, left = ["A"] * 100 + ["B"] * 200, [True] * 30 + [False] * 270
    made = probability_of_staying(past, left, ["A", "A", "B", "C"], [0, 0.5, 1, 1])
    np.testing.assert_allclose(made, [1, 0.8**0.5, 29 / 30, 0.9])


@given(
    st.lists(st.tuples(st.integers(7, 9), st.booleans()), max_size=30),
    st.lists(st.tuples(st.integers(7, 10), st.floats(0, 1)), min_size=1, max_size=8),
)
def test_staying_is_a_probability_that_falls_with_time(
    past: list[tuple[int, bool]], rows: list[tuple[int, float]]
) -> None:
    group, left = [one for one, _ in past], [gone for _, gone in past]
    years, times = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    now, later = (
        probability_of_staying(group, left, years, time) for time in (times, (times + 1) / 2)
    )
    assert ((now >= LEAST_CHANCE) & (now <= 1)).all()
    assert (later <= now + 1e-12).all()
    if not past:
        assert (now == 1).all()


def test_an_outcome_weighs_one_over_the_chance_that_it_could_be_seen() -> None:
    frame = one_list([1, 0, 1, NAN], [4, 3, 2, 1]).assign(stays=[0.5, NAN, 1.0, NAN])
    made = compare(frame, rankers=["model"], capacity=2)
    assert made.weighted is not None
    (row,) = made.weighted.to_dict("records")
    assert row["recall_weighted"] == pytest.approx(2 / 3)  # 2 of 2 + 1
    assert row["precision_weighted"] == pytest.approx(1.0)  # 2 of 2 places


def test_who_stays_is_learned_from_what_was_known_on_the_day_of_the_list(
    extracts: Path,
) -> None:
    tables = read(extracts).tables
    today = default_as_of(tables, "pex")
    sample = make_sample(tables, "pex", today, n_origins=2)
    fold = sample.folds[0]
    spine = build_spine(tables, snapshots(tables, "pex", before=today), "pex")

    def learned(known_by: pd.Timestamp) -> NDArray[np.float64]:
        past = label(tables, spine, "pex", known_by=known_by)
        ended = (past["status"] != "not_yet").to_numpy()
        rows = sample.labels.iloc[fold.test]
        passed = (rows["event_on"] - fold.origin) / (rows["horizon_end"] - fold.origin)
        return probability_of_staying(
            spine["year_group"][ended],
            past["label"].isna()[ended],
            sample.spine["year_group"].iloc[fold.test],
            passed.fillna(1.0).clip(0, 1),
        )

    stays = sample.labels["stays"].iloc[fold.test].to_numpy()
    np.testing.assert_allclose(stays, learned(fold.origin))
    assert np.abs(stays - learned(today)).max() > 0.001


def test_where_everybody_stays_the_weighted_figures_are_the_plain_ones() -> None:
    rng = np.random.default_rng(2)
    frame = one_list((rng.random(60) < 0.2).astype(float).tolist(), rng.random(60).tolist())
    made = compare(frame.assign(stays=1.0), rankers=["model"], capacity=15)
    assert made.weighted is not None
    assert made.lost is None
    for name in ("recall", "precision"):
        for end in ("", "_low", "_high"):
            weighted, plain = f"{name}_weighted{end}", f"{name}_at_capacity{end}"
            assert made.weighted[weighted].iloc[0] == pytest.approx(made.table[plain].iloc[0])


@pytest.mark.parametrize("stays", [0.0, 1.2, NAN])
def test_an_impossible_probability_of_staying_is_refused(stays: float) -> None:
    frame = one_list([1, 0], [2, 1]).assign(stays=stays)
    with pytest.raises(RequestError, match="Every stays must be above 0 and at most 1"):
        compare(frame, rankers=["model"], capacity=1)


# Where they went


@pytest.mark.parametrize(
    ("reason", "home", "words"),
    [
        ("left_area", None, "another area"),
        ("home_educated", None, "home education"),
        ("destination_unknown", None, "no place that is known"),
        ("destination_unknown", "2024-04-01", "home education"),
        ("destination_unknown", "2025-04-01", "no place that is known"),
        (None, None, "no place that is known"),
        ("permanently_excluded", None, "an earlier permanent exclusion"),
    ],
)
def test_where_a_pupil_went_is_read_from_the_last_roll(
    reason: str | None, home: str | None, words: str
) -> None:
    began = [] if home is None else [{"pupil_id": "A", "kind": "home_educated", "start_date": home}]
    tables = make_tables(
        enrolments=[
            roll("A", "2022-09-01", "2024-03-20", leaving_reason=reason),
            roll("B", "2022-09-01"),
        ],
        suspensions=[],
        circumstances=began,
    )
    spine = pd.DataFrame(
        {
            "pupil_id": pd.Series(["A", "B"], dtype=tables.pupils),
            "as_of": pd.Series([day("2024-01-01")] * 2, dtype="datetime64[s]"),
            "school_id": "S1",
            "year_group": 9,
        }
    )
    today = day("2030-01-01")
    labels = label(tables, spine, "pex", known_by=today)
    assert lost_to(tables, spine, labels, "pex", known_by=today).tolist() == [words, None]


# A training


def test_a_backtest_tests_the_whole_cohort_of_each_day(small_la: SmallLA) -> None:
    backtest = small_la.training.backtest
    tables = read(small_la.extracts).tables
    days = list(backtest.by_list["as_of"].unique())
    assert backtest.counts["rows"] == len(build_spine(tables, days, "pex"))
    assert backtest.counts["lost_rows"] > 0
    assert backtest.lost is not None
    capacity = backtest.counts["capacity"]
    assert (backtest.lost["of_places"] == capacity * len(days)).all()
    assert any(note.startswith("Left the rolls: ") for note in small_la.training.notes)


def test_a_search_ranks_leavers_and_measures_the_others() -> None:
    made = objective()
    first = made.folds[0]
    lost = np.arange(len(first.test)) % 20 == 0
    folds = [replace(first, test_label=np.where(lost, NAN, first.test_label))]
    scores = [np.where(lost, 9.0, made.X["b"].to_numpy()[first.test])]
    one = replace(made, folds=folds)
    label, groups = first.test_label[~lost], made.groups["group"].to_numpy()[first.test][~lost]
    places = 60 - lost.sum()  # leavers come first and hold 30
    listed = np.argsort(np.argsort(-scores[0][~lost], kind="stable")) < places
    assert one.gap(scores) == pytest.approx(recall_gap(groups, label, listed))


# What is reported


def backtest_with(place: str) -> Backtest:
    rng = np.random.default_rng(4)
    frame = one_list((rng.random(300) < 0.1).astype(float).tolist(), rng.random(300).tolist())
    frame.loc[frame["model"] > 0.98, ["label", "lost_to"]] = [NAN, place]
    return compare(frame.assign(stays=0.9, risk=0.1), rankers=["model"], capacity=30)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("another area", r"Left the rolls: \d+ of 30 places \(another area \d+\)\."),
        (NO_POSITION, r"Outcome not known: \d+ of 30 places \(activity not known \d+\)\."),
        (TOO_FEW_MARKS, r"Outcome not known: \d+ of 30 places \(too few marks in a term \d+\)\."),
    ],
)
def test_notes_count_the_places_of_leavers(place: str, words: str) -> None:
    statuses = pd.DataFrame({"status": ["event"], "rows": [30]})
    notes = notes_for("pex", True, backtest_with(place), statuses)
    assert any(re.fullmatch(words, note) for note in notes)
    assert any(note.startswith("Weighted by the probability of staying") for note in notes)
