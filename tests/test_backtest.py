"""The backtest: every figure beside a slow reference, a hand-made case or another library."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from riskmodel.evaluation import average_precision, compare, net_benefit, roc_auc
from riskmodel.evaluation.calibration import calibration
from riskmodel.evaluation.capacity import listed_by
from riskmodel.evaluation.decision_curve import THRESHOLDS, decision_curve
from riskmodel.evaluation.list_sums import METRICS, metrics, totals_by_list
from riskmodel.evaluation.resampling import Resamples, bounds
from riskmodel.evaluation.stability import lead_time, stability, within_schools
from riskmodel.report.backtest_charts import backtest_charts

SPRING, SUMMER, AUTUMN = pd.to_datetime(["2024-02-10", "2024-06-01", "2024-10-26"])


def found_in(outcome: Any, score: Any, pupil: Any, places: float) -> float:
    """Outcomes among the places, filled row by row: by falling score, then by pupil."""
    found = 0.0
    for row in sorted(range(len(score)), key=lambda row: (-score[row], pupil[row])):
        part = min(1.0, places)
        found += part * outcome[row]
        places -= part
    return found


rows_of_a_list = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 4), st.booleans(), st.integers(0, 3)),
    min_size=3,
    max_size=14,
)


@given(rows_of_a_list, st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_a_draw_equals_measuring_the_rows_repeated_as_often_as_drawn(
    rows: list[tuple[int, int, bool, int]], capacity: int
) -> None:
    outcome, score, unseen, drawn = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.column_stack([np.ones(len(rows)), drawn]).astype(np.uint8)
    resamples = Resamples(weights, np.arange(len(rows)))
    frame = pd.DataFrame(
        {
            "pupil_id": [f"P{number:02}" for number in range(len(rows))],
            "as_of": SPRING,
            "label": outcome,
            "model": score,
            "never_suspended": unseen,
        }
    )
    (total,) = totals_by_list(frame, "model", np.full(len(rows), capacity), resamples)
    measured = metrics(total)
    for draw in (0, 1):
        again = np.repeat(np.arange(len(rows)), weights[:, draw])
        y, s, first = outcome[again], score[again], unseen[again]
        places = capacity * len(again) / len(rows)
        if not y.any():
            assert np.isnan(measured["average_precision"][draw])
            continue
        found = found_in(y, s, again, places)
        unseen_found = found_in(y * first, s, again, places)
        expected = {
            "average_precision": average_precision(y, s),
            "precision_at_capacity": found / places,
            "recall_at_capacity": found / y.sum(),
            "lift_at_capacity": found / places / y.mean(),
            "recall_never_suspended": unseen_found / (y * first).sum()
            if (y * first).any()
            else np.nan,
            "roc_auc": roc_auc(y, s),
        }
        for name in METRICS:
            assert measured[name][draw] == pytest.approx(expected[name], nan_ok=True), name


def test_a_recall_of_nothing_is_never_certain() -> None:
    frame = pd.DataFrame(
        {
            "pupil_id": np.arange(200),
            "as_of": SUMMER,
            "label": [0.0] * 196 + [1.0] * 4,
            "model": np.arange(200.0, 0, -1),
            "never_suspended": True,
        }
    )
    made = compare(frame, rankers=["model"], capacity=20)
    for row in (made.table.iloc[0], made.by_list.iloc[0]):
        for name in ("recall_at_capacity", "recall_never_suspended"):
            assert row[name] == row[f"{name}_low"] == 0
            assert row[f"{name}_high"] == pytest.approx(0.4899, abs=1e-4)  # Wilson, 0 of 4


def test_of_the_never_suspended_the_simpler_ranker_that_holds_most_is_named() -> None:
    frame = pd.DataFrame({"pupil_id": [f"P{n:03}" for n in range(200)], "as_of": SUMMER})
    frame = frame.assign(label=[1.0] * 8 + [0.0] * 192, never_suspended=[True] * 4 + [False] * 196)
    for name, found in (("model", [4, 5, 6]), ("RONI points", [0, 1]), ("absence last year", [2])):
        frame[name] = (
            frame.index.isin(found).astype(float) - frame.index / 1000 - frame["label"] / 2
        )
    made = compare(frame, rankers=["model", "absence last year", "RONI points"], capacity=3)
    words = made.never_suspended_words()
    assert words is not None
    assert words.startswith("Of all outcomes, 50% (")
    assert "Of these the lists held 0% (0% to 49%), those of RONI points 50% (" in words
    assert made.to_dict()["never_suspended_words"] == words
    unknown = compare(frame.drop(columns="never_suspended"), rankers=["model"], capacity=3)
    assert unknown.never_suspended_words() is None


def test_shares_of_a_handful_of_outcomes_are_never_certain() -> None:
    frame = pd.DataFrame({"pupil_id": np.arange(500), "as_of": SUMMER, "model": -np.arange(500.0)})
    frame = frame.assign(label=(frame["pupil_id"] < 6) * 1.0, never_suspended=True, stays=1.0)
    made = compare(frame, rankers=["model"], capacity=500)
    assert made.never_suspended is not None
    assert made.weighted is not None
    row, low = made.weighted.iloc[0], 0.609666  # Wilson, 6 of 6
    assert (made.never_suspended["share"], row["recall_weighted"]) == (1.0, 1.0)
    assert made.never_suspended["share_low"] == pytest.approx(low, abs=1e-5)
    assert row["recall_weighted_low"] == pytest.approx(low, abs=1e-5)


def test_a_difference_is_never_surer_than_of_rankers_that_find_the_same() -> None:
    label = np.r_[np.ones(20), np.zeros(980)]
    frame = pd.DataFrame({"pupil_id": np.arange(1000), "as_of": SUMMER, "label": label})
    same = np.arange(1000.0, 0, -1)
    made = compare(frame.assign(model=same, rival=same), rankers=["model", "rival"], capacity=50)
    row, most = made.differences.iloc[0], 0.161125  # Wilson, 0 of 20
    for name, if_all_found in (
        ("recall_at_capacity", 1.0),
        ("precision_at_capacity", 20 / 50),
        ("lift_at_capacity", 1000 / 50),
    ):
        assert row[name] == 0
        assert row[f"{name}_low"] == pytest.approx(-most * if_all_found, rel=1e-4)
        assert row[f"{name}_high"] == pytest.approx(most * if_all_found, rel=1e-4)


def test_sums_of_a_draw_equal_those_of_the_rows_drawn() -> None:
    pupils = pd.Series(list("abcabca"))
    resamples = Resamples.draw(pupils, 3)
    value, group = np.arange(7.0), np.array([0, 1, 0, 1, -1, 0, 0])
    sums = resamples.sums(group, 2, value)
    for draw in (0, 1, 57):
        weight = resamples.of(np.arange(7))[:, draw]
        assert list(sums[draw]) == [(weight * value)[group == g].sum() for g in (0, 1)]
    assert resamples.counts.sum(axis=0).tolist() == [3] * resamples.counts.shape[1]


def test_there_is_no_interval_where_the_figure_is_often_not_defined() -> None:
    draws = np.column_stack([np.linspace(0, 1, 401), np.linspace(0, 1, 401)])
    draws[1:30, 1] = np.nan
    low, high = bounds(draws)
    assert low[0] == pytest.approx(0.025, abs=0.01)
    assert high[0] == pytest.approx(0.975, abs=0.01)
    assert np.isnan([low[1], high[1]]).all()


def risks(seed: int = 0, n: int = 4000, slope: float = 1.0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    log_odds = np.round(rng.normal(-3, 1.2, n) / 0.02) * 0.02
    outcome = rng.random(n) < 1 / (1 + np.exp(-(slope * log_odds)))
    return outcome.astype(float), 1 / (1 + np.exp(-log_odds))


def test_brier_score_and_its_parts_add_up_and_equal_scikit_learns() -> None:
    y, p = risks()
    made = calibration(y, p, Resamples.draw(pd.Series(np.arange(len(y))), 0))
    best = IsotonicRegression().fit(p, y).predict(p)
    assert made.value("Brier score") == pytest.approx(brier_score_loss(y, p))
    assert made.value("miscalibration") == pytest.approx(
        brier_score_loss(y, p) - brier_score_loss(y, best)
    )
    assert made.value("Brier score") == pytest.approx(
        made.value("miscalibration") - made.value("discrimination") + made.value("uncertainty")
    )


@pytest.mark.parametrize("slope", [0.5, 1.0, 1.6])
def test_calibration_slope_is_that_of_a_logistic_regression_on_the_log_odds(slope: float) -> None:
    y, p = risks(slope=slope)
    made = calibration(y, p, Resamples.draw(pd.Series(np.arange(len(y))), 0))
    log_odds = np.log(p / (1 - p))[:, None]
    reference = LogisticRegression(C=np.inf, tol=1e-8).fit(log_odds, y).coef_[0, 0]
    assert made.value("slope") == pytest.approx(reference, rel=1e-4)
    level = made.value("intercept")
    assert (1 / (1 + np.exp(-(level + log_odds)))).sum() == pytest.approx(y.sum(), rel=1e-6)


def test_expected_and_observed_are_given_by_tenth_and_phase_and_never_divided_by_none() -> None:
    y, p = risks(n=1000)
    phase = np.where(np.arange(1000) < 20, "none here", "others")
    y[:20] = 0
    made = calibration(y, p, Resamples.draw(pd.Series(np.arange(1000)), 0), phase=phase)
    parts = made.parts.set_index(["by", "part"])
    assert parts.loc["tenth of risk", "rows"].tolist() == [100] * 10
    assert parts.loc[("phase", "others"), "observed"] == y.sum()
    assert parts.loc[("phase", "others"), "expected"] == pytest.approx(p[20:].sum())
    assert np.isnan(parts.loc[("phase", "none here"), "ratio"])


def test_net_benefit_by_hand() -> None:
    y = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    p = np.array([0.30, 0.004, 0.30, *[0.001] * 7])
    resamples = Resamples.draw(pd.Series(np.arange(10)), 0)
    curve = decision_curve(y, p, resamples, {"RONI": (np.array([2.0]), np.array([5.0]))})
    at_tenth = curve[curve["threshold"] == 1 / 10].set_index("strategy")["net_benefit"]
    assert at_tenth["model, by threshold"] == pytest.approx(10_000 * (1 - 1 / 9) / 10)
    assert at_tenth["everyone"] == pytest.approx(10_000 * (2 - 8 / 9) / 10)
    assert at_tenth["RONI, at capacity"] == pytest.approx(10_000 * (2 - 3 / 9) / 10)
    assert net_benefit(0, 0, 10, 0.1) == 0
    assert set(curve["threshold"]) == set(THRESHOLDS)


def three_lists() -> pd.DataFrame:
    """Three lists of four pupils; a and d are excluded on 1 December, c on 1 March."""
    frame = pd.DataFrame(
        {
            "pupil_id": list("abcd") * 3,
            "as_of": np.repeat([SPRING, SUMMER, AUTUMN], 4),
            "label": [1.0, 0, 1, 1] * 1 + [1.0, 0, 0, 1] * 2,
            "model": [0.1, 0.9, 0.8, 0.2, 0.9, 0.1, 0.2, 0.3, 0.9, 0.8, 0.1, 0.2],
            "school_id": list("ssttssttsstt"),
            "never_suspended": [True] * 12,
        }
    )
    event = frame["pupil_id"].map({"a": "2024-12-01", "d": "2024-12-01", "c": "2024-03-01"})
    return frame.assign(event_on=pd.to_datetime(event))


def test_lead_time_runs_from_the_first_listing_to_the_event() -> None:
    frame = three_lists()
    resamples = Resamples.draw(frame["pupil_id"], 0)
    row = lead_time(frame, listed_by(frame, ["model"], 1), resamples).iloc[0]
    assert row["events"] == 3
    assert row["ever_listed"] == pytest.approx(1 / 3)  # a only: c and d are never first
    assert row["median_days"] == (pd.Timestamp("2024-12-01") - SUMMER).days
    assert row["listed_early"] == pytest.approx(1 / 3)
    wider = lead_time(frame, listed_by(frame, ["model"], 2), resamples).iloc[0]
    assert wider["ever_listed"] == 1.0  # c in spring 20 days before, a and d in summer
    assert wider["listed_early"] == pytest.approx(2 / 3)


def test_stability_counts_those_listed_again_among_those_still_there() -> None:
    frame = three_lists().drop(index=[9])  # b has left by autumn
    resamples = Resamples.draw(frame["pupil_id"], 0)
    row = stability(frame, listed_by(frame, ["model"], 2), resamples).iloc[0]
    # spring b, c → summer a, d: none of two; summer a, d → autumn a, d: both
    assert row["kept"] == pytest.approx(2 / 4)
    assert row["days_apart"] == pytest.approx((AUTUMN - SPRING).days / 2)


def test_knowing_the_school_alone_ranks_nobody_within_it() -> None:
    rng = np.random.default_rng(0)
    school = rng.integers(0, 20, 4000)
    frame = pd.DataFrame(
        {
            "as_of": SPRING,
            "school_id": school.astype(str),
            "label": (rng.random(4000) < 0.01 + 0.004 * school).astype(float),
            "school only": school.astype(float),
            "pupil only": rng.random(4000),
        }
    )
    table = within_schools(frame, ["school only", "pupil only"]).set_index("ranker")
    assert table.loc["school only", "share_between"] == pytest.approx(1.0)
    assert table.loc["school only", "auc_within"] == pytest.approx(0.5)
    assert table.loc["school only", "auc_of_school"] > 0.6
    assert table.loc["pupil only", "share_between"] < 0.02


def test_pairs_within_schools_are_counted_as_one_would_by_hand() -> None:
    frame = pd.DataFrame(
        {
            "as_of": SPRING,
            "school_id": list("aaabbb"),
            "label": [1.0, 0, 0, 1, 0, 0],
            "model": [0.5, 0.1, 0.9, 0.3, 0.3, 0.2],
        }
    )
    row = within_schools(frame, ["model"]).iloc[0]
    assert row["auc_within"] == pytest.approx((1 + 0 + 0.5 + 1) / 4)


def test_charts_are_drawn_where_no_ranker_has_a_net_benefit() -> None:
    n = 1000
    frame = pd.DataFrame(
        {
            "pupil_id": [f"p{i:04}" for i in range(n)],
            "as_of": SPRING,
            "school_id": "S",
            "phase": "secondary",
            "label": [1.0] + [0.0] * (n - 1),
            "model": np.arange(n, dtype=float),  # the outcome comes last
            "risk": 1e-6,
            "event_on": [SPRING] + [pd.NaT] * (n - 1),
        }
    )
    made = compare(frame, rankers=["model"], capacity=10)
    assert made.net_benefit is not None
    assert made.net_benefit["net_benefit"].max() == 0
    assert any("benefit" in title for title in backtest_charts(made))


def test_median_and_worst_list_are_reported_and_all_is_ready_for_json() -> None:
    frame = three_lists().assign(
        risk=lambda f: f["model"] / 2 + 0.01, phase="secondary", other=lambda f: -f["model"]
    )
    made = compare(frame, rankers=["model", "other"], capacity=2)
    over_time = made.over_time().set_index("ranker")
    lists = made.by_list[made.by_list["ranker"] == "model"]["average_precision"]
    assert over_time.loc["model", "worst"] == lists.min()
    assert over_time.loc["model", "median"] == lists.median()
    assert set(made.by_list["as_of"]) == {SPRING, SUMMER, AUTUMN}
    stored = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert {"calibration", "net_benefit", "lead_time", "stability", "schools"} <= set(stored)
    assert stored["by_list"][0]["as_of"] == "2024-02-10"


def test_differences_are_paired_so_a_ranker_never_differs_from_its_twin() -> None:
    frame = three_lists().assign(twin=lambda f: f["model"] * 2)
    row = compare(frame, rankers=["model", "twin"], capacity=2).differences.iloc[0]
    precision = row[["average_precision", "average_precision_low", "average_precision_high"]]
    assert (precision == 0).all()
    for metric in ("precision_at_capacity", "recall_at_capacity", "lift_at_capacity"):
        # so few outcomes show little of whom one ranker alone would find
        assert row[metric] == 0
        assert row[f"{metric}_low"] == -row[f"{metric}_high"] < 0
