"""Risks of tested lists rest on past lists only, and what does not fit fails the gate."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.metrics import poisson_interval
from riskmodel.jobs import Gates
from riskmodel.jobs.gates import Evidence, gates_for
from riskmodel.jobs.past_levels import final_calibration, with_past_risks
from riskmodel.jobs.sample import Sample
from riskmodel.training.folds import Fold, pupil_folds
from riskmodel.training.gate_answers import GateAnswer

DAYS = pd.to_datetime([f"{year}-02-10" for year in range(2018, 2024)]).as_unit("s")
TESTED = DAYS[2:]
N_PUPILS = 3000

Floats = np.ndarray[Any, np.dtype[np.float64]]


def history(
    level: Callable[[Floats], Floats] = np.zeros_like, days: pd.DatetimeIndex = DAYS
) -> tuple[Sample, pd.DataFrame]:
    """Return six lists with their folds, by default yearly ones, and scores of the last four.

    The outcome of a list is known a year later. ``level`` moves the log-odds of the outcomes away from
    the scores, by list.
    """
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(len(days)), N_PUPILS)
    margin = rng.normal(-4, 1.2, len(day))
    label = (rng.random(len(day)) < expit(margin + level(day.astype(float)))).astype(float)
    spine = pd.DataFrame({"pupil_id": [f"P{n}" for n in range(len(day))], "as_of": days[day]})
    folds = [_fold(spine, label, origin) for origin in days[2:]]
    tested = np.flatnonzero(np.isin(spine["as_of"], days[2:]))
    predictions = spine.iloc[tested].assign(
        row=tested, label=label[tested], model=margin[tested], chance=rng.random(len(tested))
    )
    return _sample(spine, label, folds), predictions.reset_index(drop=True)


def _fold(spine: pd.DataFrame, label: Floats, origin: pd.Timestamp) -> Fold:
    ended = (spine["as_of"] + pd.DateOffset(years=1) <= origin).to_numpy()
    train, test = np.flatnonzero(ended), np.flatnonzero(spine["as_of"] == origin)
    known = np.where(ended, label, np.nan)
    return Fold(origin=origin, train=train, test=test, train_label=label[train],
                test_label=label[test], known=known)  # fmt: skip


def _sample(spine: pd.DataFrame, label: Floats, folds: list[Fold], is_past: bool = True) -> Sample:
    return Sample(
        outcome="pex",
        spine=spine,
        labels=pd.DataFrame({"label": label}),
        X=pd.DataFrame(index=spine.index),
        folds=folds,
        is_out_of_time=is_past,
        final=folds[-1],
        is_drawn=np.ones(len(spine), dtype=bool),
        statuses=pd.DataFrame(),
    )


def judged(
    sample: Sample, predictions: pd.DataFrame, code: str = "expected_over_observed"
) -> tuple[Backtest, GateAnswer]:
    """Return the backtest and its answer to a gate, by default that on the level."""
    made = compare(with_past_risks(sample, predictions), rankers=["model", "chance"], capacity=100)
    rows = pd.DataFrame({"rows_read": [1000], "rows_rejected": [0]})
    read: Any = SimpleNamespace(reconciliation=rows)
    evidence = Evidence(extract=read, backtest=made, is_out_of_time=True, gaps=None)
    answers = {answer.code: answer for answer in gates_for(Gates(), evidence)}
    return made, answers[code]


def shuffled(values: pd.Series) -> pd.Series:
    return pd.Series(np.random.default_rng(1).permutation(values), index=values.index)


@pytest.mark.parametrize("number", range(len(TESTED)))
def test_no_outcome_that_was_not_known_on_its_day_changes_a_risk(number: int) -> None:
    sample, predictions = history()
    usual = with_past_risks(sample, predictions)["risk"]
    day = TESTED[number]
    later = (predictions["as_of"] >= day).to_numpy()
    turned = predictions.assign(
        label=np.where(later, 1 - predictions["label"], predictions["label"])
    )
    now = (predictions["as_of"] == day).to_numpy()
    np.testing.assert_array_equal(with_past_risks(sample, turned)["risk"][now], usual[now])


@pytest.mark.parametrize("number", range(1, 4))
def test_outcomes_of_earlier_lists_count_only_from_the_day_they_were_known(number: int) -> None:
    half_yearly = pd.date_range("2018-02-10", periods=6, freq="6MS").as_unit("s")
    sample, predictions = history(days=half_yearly)
    day = half_yearly[2:][number]
    now = (predictions["as_of"] == day).to_numpy()
    open_ = (predictions["as_of"] + pd.DateOffset(years=1) > day).to_numpy()
    assert (open_ & (predictions["as_of"] < day)).any()  # the list of half a year before
    usual = with_past_risks(sample, predictions)["risk"][now]
    label = predictions["label"]
    turned = predictions.assign(label=np.where(open_, 1 - label, label))
    np.testing.assert_array_equal(with_past_risks(sample, turned)["risk"][now], usual)


def test_outcomes_that_were_known_change_the_risks_of_later_lists() -> None:
    sample, predictions = history()
    _, other = history(lambda day: np.where(day == 2, 1.0, 0.0))
    usual = with_past_risks(sample, predictions)["risk"]
    changed = with_past_risks(history(lambda day: np.where(day == 2, 1.0, 0.0))[0], other)["risk"]
    second = (predictions["as_of"] == TESTED[1]).to_numpy()
    assert changed[second].sum() > 1.05 * usual[second].sum()


def test_each_list_names_what_its_level_rests_on() -> None:
    sample, predictions = history()
    made = with_past_risks(sample, predictions)
    words = made.groupby("as_of")["calibrated_on"].first().tolist()
    assert words[0] == "no past list, the rate of 2017/18 to 2018/19"
    assert words[1].startswith("1 past list of 2019/20 (")
    assert words[3].startswith("3 past lists of 2019/20 to 2021/22 (")
    assert words[3].endswith(" pupils with the outcome), the rate of 2017/18 to 2018/19")
    assert made.groupby("as_of")["calibrated_on"].nunique().eq(1).all()


@pytest.mark.parametrize("code", ["expected_over_observed", "calibration_slope"])
def test_a_model_that_fits_passes(code: str) -> None:
    made, answer = judged(*history(), code)
    assert answer.result == "passed"
    assert made.calibration is not None
    assert not made.calibration.is_flat


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (shuffled, "the risks do not rise with what came true: slope -?0"),
        (lambda model: 0 * model - 4, "all pupils of a list have the same risk"),
    ],
)
def test_scores_that_know_nothing_fail(scores: Callable[..., pd.Series], words: str) -> None:
    sample, predictions = history()
    unknowing = predictions.assign(model=scores(predictions["model"]))
    _, answer = judged(sample, unknowing, "calibration_slope")
    assert answer.result == "failed"
    assert re.search(words, answer.reason)


@pytest.mark.parametrize("fall", [-2.0, 1.5])
def test_a_level_that_leaves_the_past_behind_fails(fall: float) -> None:
    # the outcomes of the tested lists become rarer, or more frequent, every year
    _, answer = judged(*history(lambda day: fall * np.maximum(0, day - 1)))
    assert answer.result == "failed"
    assert "outside 0.67 to 1.5" in answer.reason


def test_expected_over_observed_of_each_list_has_its_exact_interval() -> None:
    made, _ = judged(*history())
    assert made.calibration is not None
    lists = made.calibration.by_list
    assert lists["as_of"].tolist() == list(TESTED)
    low, high = poisson_interval(lists["observed"])
    np.testing.assert_allclose(lists["ratio"], lists["expected"] / lists["observed"])
    np.testing.assert_allclose(lists["low"], lists["expected"] / high)
    np.testing.assert_allclose(lists["high"], lists["expected"] / low)
    assert list(lists) == [
        "as_of", "rows", "expected", "observed", "ratio", "low", "high", "calibrated_on"
    ]  # fmt: skip


def test_a_list_without_an_outcome_has_a_least_ratio_only() -> None:
    made, _ = judged(*history(lambda day: np.where(day == 5, -30.0, 0.0)))
    assert made.calibration is not None
    last = made.calibration.by_list.iloc[-1]
    assert last["observed"] == 0
    assert np.isnan(last["ratio"])
    assert np.isnan(last["high"])
    assert last["low"] == pytest.approx(last["expected"] / 3.689, rel=1e-3)  # Garwood's upper end


def test_a_history_too_short_for_past_lists_is_not_judged() -> None:
    sample, predictions = history()
    spine = sample.spine.assign(pupil_id=sample.spine["pupil_id"].astype("category"))
    label = sample.labels["label"].to_numpy()
    short = _sample(spine, label, pupil_folds(spine, label), is_past=False)
    newest = predictions[predictions["as_of"] == DAYS[-1]].reset_index(drop=True)
    assert "risk" not in with_past_risks(short, newest)
    _, answer = judged(short, newest)
    assert answer.result == "not judged"
    assert "no list made earlier could be tested" in answer.reason
    learned, words = final_calibration(short, newest)
    assert words.startswith("1 past list of 2022/23 (")
    assert words.endswith("no earlier year")
    assert expit(learned.affine.apply(newest["model"].to_numpy())).sum() == pytest.approx(
        newest["label"].sum(), rel=0.02
    )


def test_the_final_level_rests_on_all_lists() -> None:
    sample, predictions = history()
    learned, words = final_calibration(sample, predictions)
    assert words.startswith("4 past lists of 2019/20 to 2022/23 (")
    assert learned.affine.slope == pytest.approx(1.0, abs=0.15)
