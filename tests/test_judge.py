"""Gates: every one can fail, gives its reason, and a passed one never hides another's failure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

from riskmodel.errors import DataError
from riskmodel.evaluation import Backtest, compare
from riskmodel.jobs import Gates
from riskmodel.jobs.disparity import disparity_answer, judged_gaps
from riskmodel.jobs.gates import Evidence, gates_for, missing_answers
from riskmodel.jobs.notes import choice_note, metrics_of
from riskmodel.jobs.sample import refuse_leaks
from riskmodel.training.gate_answers import GateAnswer

Floats = np.ndarray[Any, np.dtype[np.float64]]


@cache
def backtest(model: str = "good", risk_times: float = 1.0) -> Backtest:
    """Return a comparison of 4,000 rows; tests only read it."""
    rng = np.random.default_rng(0)
    risk = rng.beta(0.4, 8, 4000)
    frame = pd.DataFrame(
        {
            "pupil_id": np.tile(np.arange(2000), 2),
            "as_of": np.repeat(pd.to_datetime(["2023-06-01", "2024-06-01"]), 2000),
            "label": (rng.random(4000) < risk).astype(float),
            "good": risk,
            "poor": rng.random(4000),
            "risk": np.clip(risk * risk_times, 1e-6, 1 - 1e-6),
        }
    )
    other = "poor" if model == "good" else "good"
    frame = frame.rename(columns={model: "model", other: "RONI points"})
    frame = frame.assign(**{"tuned ridge": frame["RONI points"], "points score": 0.0})
    rankers = ["model", "RONI points", "tuned ridge", "points score"]
    return compare(frame, rankers=rankers, capacity=100)


def without(ranker: str) -> Backtest:
    """Return the good model's comparison as it is where a rival could not be fitted."""
    made = backtest()
    kept = (table[table["ranker"] != ranker] for table in (made.table, made.differences))
    return replace(made, **dict(zip(("table", "differences"), kept, strict=True)))


@cache
def two_positives() -> Backtest:
    """Return a comparison from which nothing can be learned: many draws hold no outcome."""
    frame = pd.DataFrame(
        {
            "pupil_id": np.arange(400),
            "as_of": pd.Timestamp("2024-06-01"),
            "risk": 0.5,
            "label": np.r_[1.0, 1.0, np.zeros(398)],
            "model": np.arange(400.0),
            "RONI points": -np.arange(400.0),
        }
    )
    return compare(frame, rankers=["model", "RONI points"], capacity=40)


def extract(read: int = 1000, rejected: int = 0) -> Any:
    return SimpleNamespace(
        reconciliation=pd.DataFrame({"rows_read": [read], "rows_rejected": [rejected]})
    )


def gaps(**changed: Any) -> pd.DataFrame:
    """Return what two groups look like of which the first is judged, or is as changed."""
    row = {"characteristic": "sex", "group": "Girls", "now": 0.2, "z": -3.0, "is_pool": False}
    row |= {"is_judged": True, "is_wider": False, "is_unlisted": False}
    return pd.DataFrame([row | changed, row | {"group": "Boys"}])


def answers(gates: Gates | None = None, **changed: Any) -> dict[str, GateAnswer]:
    """Return the answers to a good model, or to one of which something is changed, by gate.

    A change that takes long to make is given as a function, so that only the test makes it.
    """
    good = {"extract": extract(), "backtest": backtest(), "is_out_of_time": True, "gaps": gaps()}
    made = {name: one() if callable(one) else one for name, one in (good | changed).items()}
    found = gates_for(gates or Gates(), Evidence(**made))
    return {answer.code: answer for answer in found}


def test_a_good_model_passes_every_gate() -> None:
    found = answers()
    passed = {name for name, answer in found.items() if answer.result == "passed"}
    expected = {
        "tested_out_of_time",
        "most_rows_set_aside",
        "smallest_lift",
        "not_beaten_by",
        "expected_over_observed",
        "expected_over_observed_listed",
        "calibration_slope",
        "no_new_disparity",
    }
    assert passed == set(found) == expected


@pytest.mark.parametrize(
    ("gate", "words", "change"),
    [
        ("tested_out_of_time", "no list made earlier", {"is_out_of_time": False}),
        ("most_rows_set_aside", "20 of 1,000 rows", {"extract": extract(rejected=20)}),
        (
            "not_beaten_by",
            "that of tuned ridge .* lower beyond noise",
            {"backtest": partial(backtest, "poor")},
        ),
        ("smallest_lift", "times as many as chance", {"backtest": partial(backtest, "poor")}),
        (
            "expected_over_observed",
            "outside 0.67 to 1.5",
            {"backtest": partial(backtest, risk_times=3)},
        ),
        ("no_new_disparity", r"sex: Girls \(recall 0.20\)$", {"gaps": gaps(is_wider=True)}),
        ("no_new_disparity", r"sex: Girls \(nobody is listed\)$", {"gaps": gaps(is_unlisted=True)}),
    ],
)
def test_each_gate_fails_in_words(gate: str, words: str, change: dict[str, Any]) -> None:
    answer = answers(**change)[gate]
    assert answer.result == "failed"
    assert answer.blocks
    assert re.search(words, answer.reason)


@pytest.mark.parametrize(
    ("gate", "words", "change"),
    [
        (
            "expected_over_observed",
            "the level of the risks could not be judged, with 2 pupils with the outcome",
            {"backtest": two_positives},
        ),
        (
            "expected_over_observed",
            "no list made earlier could be tested",
            {"backtest": lambda: replace(backtest(), calibration=None)},
        ),
        (
            "not_beaten_by",
            "^recall at capacity could not be judged, with 2 pupils",
            {"backtest": two_positives},
        ),
        (
            "not_below_champion",
            "^version 1 is damaged$",
            {"champion_fault": "version 1 is damaged"},
        ),
        (
            "no_new_disparity",
            "^0 of 2 groups judged: .* would not be seen",
            {"gaps": gaps().assign(is_judged=False)},
        ),
        (
            "not_beaten_by",
            "could not be fitted: tuned ridge",
            {"backtest": partial(without, "tuned ridge")},
        ),
    ],
)
def test_what_could_not_be_judged_blocks_promotion(
    gate: str, words: str, change: dict[str, Any]
) -> None:
    answer = answers(**change)[gate]
    assert answer.result == "not judged"
    assert answer.blocks
    assert re.search(words, answer.reason)


@pytest.mark.parametrize(
    ("gate", "words", "change"),
    [
        ("no_new_disparity", "nothing to compare the gaps with", {"gaps": None}),
        ("no_new_disparity", "nothing to compare the gaps with", {"gaps": gaps().head(0)}),
        ("no_new_disparity", "1 of 2 groups judged: ", {"gaps": gaps(is_judged=False)}),
        (
            "no_new_disparity",
            "in 1 pool of smaller groups",
            {"gaps": pd.concat([gaps().assign(is_judged=False), gaps(is_pool=True).head(1)])},
        ),
        (
            "no_new_disparity",
            "0 of 1 groups judged",
            {"gaps": gaps(is_judged=False).head(1)},  # one group: nobody to compare it with
        ),
    ],
)
def test_what_the_extracts_do_not_give_is_not_judged_and_does_not_block(
    gate: str, words: str, change: dict[str, Any]
) -> None:
    answer = answers(**change)[gate]
    assert answer.result == "not judged"
    assert not answer.blocks
    assert words in answer.reason


def test_an_answer_carries_the_number_and_what_it_had_to_keep() -> None:
    found = answers(extract=extract(rejected=20), gaps=gaps(is_wider=True))
    assert (found["most_rows_set_aside"].value, found["most_rows_set_aside"].threshold) == (
        0.02,
        0.01,
    )
    assert (found["no_new_disparity"].value, found["no_new_disparity"].threshold) == (1, 0)
    assert found["not_beaten_by"].threshold == -0.1
    assert found["not_beaten_by"].value > 0
    assert (found["tested_out_of_time"].value, found["tested_out_of_time"].threshold) == (2, 1)
    assert all(answer.value is not None for answer in found.values())
    assert all(answer.threshold is not None for answer in found.values())
    assert found["smallest_lift"].threshold == 2.0
    assert found["smallest_lift"].value > 2.0
    assert found["expected_over_observed"].threshold == (0.67, 1.5)
    assert 0.67 < found["expected_over_observed"].value < 1.5


def test_a_gate_that_is_switched_off_is_not_asked() -> None:
    gates = Gates(tested_out_of_time=False, no_new_disparity=False, not_below_champion=False)
    change = {"is_out_of_time": False, "gaps": gaps(is_wider=True), "champion_fault": "damaged"}
    found = answers(gates, backtest=backtest("poor"), **change)
    assert not {"tested_out_of_time", "no_new_disparity", "not_below_champion"} & set(found)


def test_a_search_flatters_all_lists_but_one_that_was_held_out_and_a_note_warns() -> None:
    made = backtest()
    rows = made.by_list[made.by_list["ranker"] == "model"].set_index("as_of")
    newest = rows.loc["2024-06-01"]
    note = choice_note(made, is_held_out=True)
    assert f"2024-06-01, with {newest['positives']} outcomes" in note
    assert f"is {newest['average_precision']:.3f}." in note
    assert "flatters all figures" in choice_note(made, is_held_out=False)


def lists_with_a_gap(missed: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two lists; today's practice finds everybody alike, the model misses a share of the girls."""
    rng = np.random.default_rng(0)
    n = 3000
    label = (rng.random(n) < 0.05).astype(float)
    girls = rng.random(n) < 0.5
    usual = label + rng.normal(size=n)
    model = usual - 4 * (girls & (rng.random(n) < missed))
    frame = pd.DataFrame({"pupil_id": np.arange(n), "label": label, "model": model, "usual": usual})
    days = pd.to_datetime(["2023-06-01", "2024-06-01"])
    both = pd.concat([frame.assign(as_of=day) for day in days], ignore_index=True)
    sex = np.tile(np.where(girls, "Girls", "Boys"), 2)
    return both, pd.DataFrame({"sex": sex, "half": np.tile(np.arange(2 * n) % 2, 1)})


def wider(frame: pd.DataFrame, groups: pd.DataFrame, seed: int = 0) -> list[str]:
    """Return the groups whose gap is wider than today's practice leaves it."""
    gaps = judged_gaps(frame, groups, "usual", capacity=300, random_state=seed)
    return gaps.loc[gaps["is_wider"], "group"].tolist()


def test_only_a_gap_that_is_wider_than_before_is_a_new_disparity() -> None:
    frame, groups = lists_with_a_gap(0.8)
    assert wider(frame, groups) == ["Girls"]
    assert wider(frame.assign(usual=frame["model"]), groups) == []
    assert wider(*lists_with_a_gap(0.0)) == []
    # the other way round the model closes the gap
    turned = frame.rename(columns={"model": "usual", "usual": "model"})
    assert wider(turned, groups) == []


def test_pure_chance_seldom_makes_a_new_disparity() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for seed in range(40):
        frame, groups = lists_with_a_gap(0.0)
        noise = np.tile(rng.normal(scale=0.7, size=3000), 2)
        many = pd.DataFrame({f"g{i}": np.tile(rng.integers(0, 4, 3000), 2) for i in range(5)})
        alarms += bool(wider(frame.assign(model=frame["usual"] + noise), many, seed))
    assert alarms <= 8  # 5% of 40 are 2; more than 8 would come once in ten thousand


def test_a_group_with_few_outcomes_is_not_compared() -> None:
    frame, _ = lists_with_a_gap(0.0)
    few = np.zeros(len(frame), dtype=bool)
    few[np.flatnonzero(frame["label"].to_numpy() == 1)[:4]] = True
    groups = pd.DataFrame({"group": np.where(few, "few", "others")})
    missing_few = frame.assign(model=np.where(few, -9, frame["usual"]))
    gaps = judged_gaps(missing_few, groups, "usual", capacity=300, random_state=0)
    assert not gaps["is_judged"].any()
    assert disparity_answer(gaps).result == "not judged"


def broken(kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two lists by today's practice, and a model that is broken in one way."""
    rng = np.random.default_rng(1)
    n = 4000
    label = (rng.random(n) < 0.04).astype(float)
    usual = 3 * label + rng.normal(size=n)
    is_mixed = rng.random(n) < 0.15
    weak = 0.3 * label + rng.normal(size=n)
    models = {
        "sound": usual + 0.2 * rng.normal(size=n),
        "shuffled": rng.permutation(usual),
        "one column": weak,
        "lists nobody of a group": np.where(is_mixed, -9.0, usual),
    }
    frame = pd.DataFrame(
        {
            "pupil_id": np.arange(n),
            "label": label,
            "model": models[kind],
            "suspensions last year": usual,
            "absence last year": weak,
            "tuned ridge": usual,
            "points score": weak,
        }
    )
    days = pd.to_datetime(["2023-06-01", "2024-06-01"])
    both = pd.concat([frame.assign(as_of=day) for day in days], ignore_index=True)
    return both, pd.DataFrame({"ethnicity": np.tile(np.where(is_mixed, "Mixed", "White"), 2)})


@pytest.mark.parametrize(
    ("kind", "gate", "result"),
    [
        ("sound", "not_beaten_by", "passed"),
        ("sound", "no_new_disparity", "passed"),
        ("shuffled", "not_beaten_by", "failed"),
        ("shuffled", "smallest_lift", "failed"),
        ("one column", "not_beaten_by", "failed"),
        ("lists nobody of a group", "no_new_disparity", "failed"),
    ],
)
def test_a_broken_model_fails_at_its_gate(kind: str, gate: str, result: str) -> None:
    frame, groups = broken(kind)
    rankers = [name for name in frame if name not in ("pupil_id", "label", "as_of")]
    made = compare(frame, rankers=rankers, capacity=160)
    gaps = judged_gaps(frame, groups, "suspensions last year", capacity=160, random_state=0)
    assert answers(backtest=made, gaps=gaps)[gate].result == result


@pytest.mark.parametrize(("margin", "result"), [(0.0, "not judged"), (0.2, "passed")])
def test_a_model_no_better_than_the_best_rival_passes_by_the_margin_alone(
    margin: float, result: str
) -> None:
    rng = np.random.default_rng(3)
    label = np.r_[np.ones(60), np.zeros(2940)]
    both = {name: 2 * label + rng.normal(size=3000) for name in ("model", "tuned ridge")}
    frame = pd.DataFrame(both | {"points score": 0.0, "label": label, "pupil_id": np.arange(3000)})
    frame["as_of"] = pd.Timestamp("2024-06-01")
    made = compare(frame, rankers=["model", "tuned ridge", "points score"], capacity=200)
    gates = Gates(largest_loss_at_capacity=margin)
    answer = answers(gates, backtest=made)["not_beaten_by"]
    assert answer.result == result
    assert answer.threshold == -margin
    assert (answer.value >= -margin) == (result == "passed")


def against(rival: list[float], label: list[float], capacity: int) -> Backtest:
    """Return a model that ranks pupils in their order, beside suspensions last year."""
    n = len(label)
    frame = pd.DataFrame({"pupil_id": np.arange(n), "as_of": pd.Timestamp("2024-06-01")})
    frame = frame.assign(label=label, model=-np.arange(n), **{"suspensions last year": rival})
    return compare(frame, rankers=["model", "suspensions last year"], capacity=capacity)


def test_a_model_that_is_beaten_beyond_noise_fails_also_within_the_margin() -> None:
    label = np.r_[np.ones(540), np.zeros(9460)]
    misses = label - 2 * np.isin(np.arange(10_000), np.arange(40))
    frame = pd.DataFrame({"pupil_id": np.arange(10_000), "label": label, "model": misses})
    frame = frame.assign(as_of=pd.Timestamp("2024-06-01"), **{"suspensions last year": label})
    made = compare(frame, rankers=["model", "suspensions last year"], capacity=700)
    answer = answers(Gates(not_beaten_by=("suspensions last year",)), backtest=made)[
        "not_beaten_by"
    ]
    assert made.differences["recall_at_capacity_low"].item() > -0.1
    assert answer.result == "failed"
    assert re.search("lower beyond noise", answer.reason)
    assert made.recommendation().endswith("Prefer it.")


def test_rankers_that_find_the_same_few_children_are_not_judged() -> None:
    label = np.isin(np.arange(1000), [0, 1, 2, 500, 600]).astype(float)
    made = against(list(np.arange(1000) < 10), list(label), 10)
    row = made.differences.iloc[0]
    # nobody of 5 was found by one ranker alone: Wilson's interval of 0 of 5 reaches 0.434
    assert row["recall_at_capacity_low"] == pytest.approx(-0.434, abs=1e-3)
    assert row["recall_at_capacity_high"] == pytest.approx(0.434, abs=1e-3)
    answer = answers(Gates(not_beaten_by=("suspensions last year",)), backtest=made)[
        "not_beaten_by"
    ]
    assert answer.result == "not judged"
    assert answer.blocks


@pytest.mark.parametrize(("n_outcomes", "result"), [(29, "not judged"), (30, "passed")])
def test_with_fewer_than_30_outcomes_no_model_is_found_as_good_as_a_rival(
    n_outcomes: int, result: str
) -> None:
    label = np.r_[np.ones(n_outcomes), np.zeros(1000 - n_outcomes)]
    rival = -np.arange(1000.0)
    rival[24] = -25.5  # a list of 25 that differs in one pupil
    made = against(list(rival), list(label), 25)
    gates = Gates(not_beaten_by=("suspensions last year",), largest_loss_at_capacity=0.5)
    answer = answers(gates, backtest=made)["not_beaten_by"]
    assert answer.result == result
    assert ("at least 30" in answer.reason) == (result == "not judged")


@pytest.mark.parametrize(("n_found", "result"), [(2, "not judged"), (25, "passed")])
def test_a_lift_that_may_be_noise_is_not_judged(n_found: int, result: str) -> None:
    label = np.zeros(1000)
    label[np.r_[:n_found, 500 : 500 + n_found]] = 1
    answer = answers(backtest=against(list(label), list(label), 100))["smallest_lift"]
    assert answer.value is not None
    assert answer.value >= 2.0
    assert answer.result == result


def of_risks(
    change: Callable[[Floats], Floats], n_pupils: int = 20_000, mean: float = 0.02, seed: int = 0
) -> Backtest:
    """Return a model that ranks by the true risks, and gives changed ones."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(0.3, 0.3 / mean, n_pupils)
    frame = pd.DataFrame({"pupil_id": np.arange(n_pupils), "as_of": pd.Timestamp("2024-06-01")})
    frame["label"] = (rng.random(n_pupils) < risk).astype(float)
    frame = frame.assign(model=risk, risk=np.clip(change(risk), 1e-9, 1 - 1e-9))
    return compare(frame, rankers=["model"], capacity=n_pupils // 100)


def with_slope(slope: float) -> Callable[[Floats], Floats]:
    """Return what makes risks too even (above 1) or too extreme, at the same mean."""

    def change(risk: Floats) -> Floats:
        steep = logit(np.clip(risk, 1e-9, 1 - 1e-9)) / slope
        level = brentq(lambda by: expit(by + steep).mean() - risk.mean(), -100, 100)
        return np.asarray(expit(level + steep))

    return change


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_a_level_that_few_outcomes_cannot_judge_blocks_where_it_lies_outside(times: float) -> None:
    answered = [
        answers(backtest=of_risks(lambda risk: risk * times, 2500, 0.012, seed))[
            "expected_over_observed"
        ]
        for seed in range(6)
    ]
    assert all(one.result != "passed" for one in answered)
    for one in answered:
        assert one.value is not None
        assert one.blocks or 0.67 <= one.value <= 1.5
    assert sum(one.blocks for one in answered) >= 4


def test_a_level_in_its_range_with_a_wide_interval_is_not_judged_and_does_not_block() -> None:
    found = answers(backtest=of_risks(lambda risk: risk, 1200, 0.012))
    answer = found["expected_over_observed"]
    assert answer.result == "not judged"
    assert not answer.blocks
    assert re.search(
        "pupils with the outcome are too few to place it in 0.67 to 1.5", answer.reason
    )
    assert missing_answers(Gates(not_beaten_by=(), no_new_disparity=False), found.values()) == []


@pytest.mark.parametrize(("slope", "result"), [(0.28, "failed"), (1.0, "passed"), (4.0, "failed")])
def test_risks_that_are_too_extreme_or_too_even_fail_by_their_slope(
    slope: float, result: str
) -> None:
    made = of_risks(with_slope(slope))
    found = answers(backtest=made)
    assert found["calibration_slope"].result == result
    assert found["calibration_slope"].threshold == (0.5, 2.0)
    assert found["expected_over_observed"].result == "passed"  # by the level alone it would pass


def test_a_slope_that_may_be_none_blocks() -> None:
    made = of_risks(lambda risk: risk)
    assert made.calibration is not None
    summary = made.calibration.summary.set_index("measure")
    summary.loc["slope"] = [1.1, -0.4, 2.5]
    calibration = replace(made.calibration, summary=summary.reset_index())
    answer = answers(backtest=replace(made, calibration=calibration))["calibration_slope"]
    assert answer.result == "not judged"
    assert answer.blocks


def test_risks_that_are_twice_too_high_for_those_listed_fail() -> None:
    def inflated(risk: Floats) -> Floats:
        top = risk >= np.sort(risk)[-len(risk) // 100]
        rest = risk[~top].sum()
        return np.where(top, 2 * risk, risk * (rest - risk[top].sum()) / rest)

    found = answers(backtest=of_risks(inflated, 60_000))
    assert found["expected_over_observed"].result == "passed"
    answer = found["expected_over_observed_listed"]
    assert answer.result == "failed"
    assert re.search("of the pupils listed is .* outside 0.67 to 1.5", answer.reason)


def test_a_rival_that_poses_as_the_model_is_not_judged() -> None:
    frame, _ = broken("sound")
    frame["model"] = 3 * frame["absence last year"] + 1
    gates = Gates(not_beaten_by=("absence last year", "points score"))
    made = compare(frame, rankers=["model", *gates.not_beaten_by], capacity=160)
    answer = answers(gates, backtest=made)["not_beaten_by"]
    assert answer.result == "not judged"
    assert answer.blocks
    assert re.search("no better than absence last year, points score: the lists", answer.reason)


@pytest.mark.parametrize(
    ("n_outcomes", "capacity", "result"),
    [(12, 60, "not judged"), (9, 60, "passed"), (12, 400, "not judged")],
)
def test_a_model_that_finds_everybody_is_too_good_to_be_true(
    n_outcomes: int, capacity: int, result: str
) -> None:
    label = np.r_[np.ones(n_outcomes), np.zeros(1000 - n_outcomes)]
    answer = answers(backtest=against(list(label), list(label), capacity))["smallest_lift"]
    assert answer.result == result
    assert ("too good to be true" in answer.reason) == (result == "not judged")


def test_a_list_of_most_of_the_cohort_may_find_everybody() -> None:
    label = np.zeros(1000)
    label[::90] = 1
    label[540:] = 0
    gates = Gates(smallest_lift=1.0)
    answer = answers(gates, backtest=against(list(label), list(label), 600))["smallest_lift"]
    assert answer.result == "passed"


def test_small_groups_are_judged_together() -> None:
    rng = np.random.default_rng(2)
    n = 6000
    label = (rng.random(n) < 0.05).astype(float)
    usual = 3 * label + rng.normal(size=n)
    name = np.where(rng.random(n) < 0.7, "large", rng.integers(0, 40, n).astype(str))
    frame = pd.DataFrame({"pupil_id": np.arange(n), "label": label, "usual": usual})
    frame = frame.assign(
        as_of=pd.Timestamp("2024-06-01"), model=np.where(name == "large", usual, usual - 3)
    )
    gaps = judged_gaps(
        frame, pd.DataFrame({"group": name}), "usual", capacity=300, random_state=0
    ).set_index("group")
    assert gaps["is_judged"].sum() < 10
    assert gaps.loc[["large", "smaller groups together"], "is_judged"].all()
    assert gaps.at["smaller groups together", "is_wider"]
    assert not gaps.at["large", "is_wider"]


def test_small_groups_of_several_characteristics_are_judged_together() -> None:
    rng = np.random.default_rng(4)
    n = 6000
    label = (rng.random(n) < 0.05).astype(float)
    usual = 3 * label + rng.normal(size=n)
    # each characteristic has two large groups and a small one, which has no other to be pooled with
    draw, half = rng.random(n), np.where(rng.random(n) < 0.5, "north", "south")
    edges = np.arange(13) / 50
    groups = pd.DataFrame(
        {
            f"characteristic {i}": np.where((draw >= low) & (draw < high), "few", half)
            for i, (low, high) in enumerate(pairwise(edges))
        }
    )
    missed = (groups == "few").any(axis=1).to_numpy()
    frame = pd.DataFrame({"pupil_id": np.arange(n), "label": label, "usual": usual})
    frame = frame.assign(as_of=pd.Timestamp("2024-06-01"), model=np.where(missed, -9, usual))
    gaps = judged_gaps(frame, groups, "usual", capacity=300, random_state=0)
    pool = gaps[gaps["is_pool"]]
    assert len(pool) == 1
    assert pool["is_judged"].item()
    assert pool["is_wider"].item()
    few = gaps[(gaps["group"] == "few") & ~gaps["is_pool"]]
    assert not few["is_judged"].any()


def test_mlflow_gets_numbers_only_and_names_it_takes() -> None:
    table = backtest().table.assign(recall_never_suspended=np.nan)
    numbers = metrics_of(table)
    assert "RONI_points.average_precision_low" in numbers
    assert not any("never_suspended" in name for name in numbers)
    assert all(np.isfinite(list(numbers.values())))


def test_a_feature_that_gives_away_the_outcome_raises_the_leak_alarm() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(5000) < 0.01).astype(float)
    X = pd.DataFrame(
        {"absence": rng.random(5000) + y / 2, "told_after": np.where(y == 1, 1.0, np.nan)}
    )
    with pytest.raises(DataError, match="Leak alarm: 'told_after' alone shows"):
        refuse_leaks(X, y)
    refuse_leaks(X[["absence"]], np.where(rng.random(5000) < 0.01, np.nan, y))
