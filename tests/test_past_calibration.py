"""Calibration on past lists: by hand, in large samples, and with a range that keeps its word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from riskmodel.training.past_calibration import Calibration, LongRun, PastScores, calibrate
from riskmodel.training.rate_range import RateRange, bend

NAN = float("nan")
DAY = np.datetime64("2023-02-10", "s")


def past(margin: Any, outcome: Any, pupil: Any = None, day: Any = DAY) -> PastScores:
    """Return past scores, of one list where no days are given."""
    n = len(margin)
    return PastScores(
        margin=np.asarray(margin, float),
        outcome=np.asarray(outcome, float),
        as_of=np.broadcast_to(day, n).astype("datetime64[s]"),
        pupil_id=np.arange(n).astype(str) if pupil is None else np.asarray(pupil),
    )


def years_of(*counts: tuple[int, int], weight: float = 1.0) -> LongRun:
    """Return the long run of years with so many rows, of which so many have the outcome."""
    rows = np.concatenate([np.arange(n) < found for n, found in counts])
    days = np.repeat([np.datetime64(f"{2018 + i}-02-10", "s") for i in range(len(counts))],
                     [n for n, _ in counts])  # fmt: skip
    pupils = np.arange(len(rows)).astype(str)
    return LongRun.of_rows(rows.astype(float), np.full(len(rows), weight), days, pupils)


def rate(made: Calibration, margin: Any) -> float:
    return float(expit(made.affine.apply(np.asarray(margin, float))).mean())


@pytest.mark.parametrize(
    ("margin", "outcome"),
    [([], []), ([1.0, 2.0], [NAN, NAN]), ([NAN, NAN], [0, 1]), ([np.inf], [1])],
)
def test_where_nothing_of_the_past_is_known_the_margins_stay(
    margin: list[float], outcome: list[float]
) -> None:
    made = calibrate(past(margin, outcome)).affine
    assert (made.intercept, made.slope) == pytest.approx((0.0, 1.0))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_equal_margins_get_the_rate_of_the_past_and_the_prior_slope(share: float) -> None:
    made = calibrate(past(np.zeros(1000), np.arange(1000) < 1000 * share))
    assert made.affine.slope == pytest.approx(1.0)
    assert rate(made, [0.0]) == pytest.approx(share, rel=0.01)


def test_large_samples_give_the_true_intercept_and_slope() -> None:
    rng = np.random.default_rng(0)
    margin = rng.normal(size=200_000)
    outcome = rng.random(200_000) < expit(-2.0 + 0.7 * margin)
    made = calibrate(past(margin, outcome)).affine
    # standard errors are about 0.007; four of them leave a false alarm in 16,000
    assert made.intercept == pytest.approx(-2.0, abs=0.03)
    assert made.slope == pytest.approx(0.7, abs=0.03)


@given(st.integers(0, 5), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_calibration_never_turns_the_ranking_round(positives: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.r_[np.ones(positives), np.zeros(20)]
    margin = -5 * outcome + rng.normal(size=outcome.size)
    assert calibrate(past(margin, outcome)).affine.slope > 0


def test_a_ranking_that_was_wrong_keeps_the_smallest_slope() -> None:
    margin = np.repeat([-4.0, 4.0], 2000)
    outcome = np.r_[np.tile([1, 1, 1, 0], 500), np.tile([0, 0, 0, 1], 500)]
    assert calibrate(past(margin, outcome)).affine.slope == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("n", "pull"), [(10, 0.3), (100_000, 0.99)])
def test_with_few_outcomes_the_slope_moves_little(n: int, pull: float) -> None:
    # the data ask for a slope of 0.3; the prior for 1
    margin = np.tile([-2.0, 2.0], n)
    outcome = np.tile(np.arange(n) / n, 2).reshape(2, n).T.ravel() < expit(0.3 * margin)
    slope = calibrate(past(margin, outcome)).affine.slope
    assert 0.25 < slope < 1
    assert ((1 - slope) / 0.7 > pull) if n > 10 else ((1 - slope) / 0.7 < 0.7)


def test_the_level_lies_between_the_past_lists_and_the_long_run() -> None:
    margin = np.full(1000, -3.0)
    lists = past(margin, np.arange(1000) < 100)  # 10%
    before = years_of((2000, 100), (2000, 100), (2000, 100))  # 5% for three years
    alone, shrunk = (rate(calibrate(lists, years), margin) for years in (None, before))
    assert alone == pytest.approx(0.1, rel=0.01)
    assert 0.05 < shrunk < 0.075  # one year of four, and a noisy one


def test_without_a_past_list_the_level_is_that_of_the_long_run() -> None:
    margin = np.random.default_rng(0).normal(-2, 1, 500)
    made = calibrate(past(margin, np.full(500, NAN)), years_of((2000, 20), (2000, 20)))
    assert made.affine.slope == 1.0
    assert rate(made, margin) == pytest.approx(0.01, rel=0.01)


def test_the_long_run_worked_by_hand() -> None:
    # 100 of 1,000 each year: log-odds log(1/9), 1/100 within, (4 × 0.0625 + 0) / 5 = 0.05 between
    found = years_of((1000, 100), (1000, 100))
    assert found.years == (2017, 2018)
    assert found.level == pytest.approx(np.log(1 / 9))
    assert found.year_sd == pytest.approx(np.sqrt(0.05))
    assert found.level_sd == pytest.approx(np.sqrt((0.01 + 0.05) / 2))


def test_weights_stand_for_rows_and_years_without_an_outcome_are_left_out() -> None:
    assert years_of((50, 5), (80, 0)).years == (2017,)
    assert years_of((50, 5), weight=4.0).level == pytest.approx(years_of((50, 5)).level)
    assert years_of((50, 0)).years == ()


def test_years_that_differ_widen_the_range() -> None:
    alike = years_of((1000, 100), (1000, 100), (1000, 100))
    apart = years_of((1000, 30), (1000, 100), (1000, 300))
    assert apart.year_sd > 2 * alike.year_sd
    margin = np.full(100, -2.0)
    widths = []
    for before in (alike, apart):
        low, high = calibrate(past(margin, np.full(100, NAN)), before).rate.bounds(
            margin[:1], np.zeros(1)
        )
        widths.append(float(high[0] - low[0]))
    assert widths[1] > 2 * widths[0]


def test_an_outcome_on_several_lists_counts_once() -> None:
    margin, outcome = np.full(1000, -2.0), np.arange(1000) < 100
    once = calibrate(past(margin, outcome))
    twice = calibrate(
        past(np.tile(margin, 2), np.tile(outcome, 2), np.tile(np.arange(1000).astype(str), 2))
    )
    np.testing.assert_allclose(twice.rate.covariance, once.rate.covariance)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(2)
    margin = rng.normal(-1, 1, 300)
    outcome, pupil = rng.random(300) < expit(margin), np.arange(300).astype(str)
    order = np.random.default_rng(seed).permutation(300)
    usual = calibrate(past(margin, outcome, pupil))
    mixed = calibrate(past(margin[order], outcome[order], pupil[order]))
    assert mixed.affine.slope == pytest.approx(usual.affine.slope)
    np.testing.assert_allclose(mixed.rate.covariance, usual.rate.covariance)


def test_the_range_holds_the_rate_of_the_next_list_as_often_as_it_claims() -> None:
    # Levels differ by year (0.25), slopes by list (0.1), around a slope from the prior. 400 pairs of
    # score and list; a true coverage of 95% leaves 90% to 98.5% in all but 1 of 1,000 such tests.
    rng, held = np.random.default_rng(5), []
    for _ in range(200):
        margin = rng.normal(-3, 1, 3000)
        years = rng.normal(0, 0.25, 5)
        slope = rng.normal(1, 0.25)
        rates = [expit(margin + year).mean() for year in years[:3]]
        before = years_of(*((2000, max(1, rng.binomial(2000, p))) for p in rates))
        centred = -2.2 + years[3] + slope * (margin + 2.2)  # about where the outcomes are
        lists = past(margin, rng.random(3000) < expit(centred))
        at = np.array([-3.0, -1.0])
        truth = -2.2 + years[4] + rng.normal(slope, 0.1) * (at + 2.2)
        low, high = calibrate(lists, before).rate.bounds(at, np.zeros(2))
        held += list((low <= truth) & (truth <= high))
    assert 0.90 <= np.mean(held) <= 0.985


def test_however_long_the_past_the_slope_of_the_next_list_is_not_certain() -> None:
    margin = np.tile(np.linspace(-6, 2, 400), 5000)
    outcome = np.arange(len(margin)) // 400 / 5000 < expit(margin)  # exactly as the margins
    made = calibrate(past(margin, outcome)).rate
    assert made.covariance[1, 1] == pytest.approx(0.1**2, rel=0.05)
    low, high = made.bounds(np.array([made.centre - 4]), np.zeros(1))
    level = made.covariance[0, 0]
    assert (high - low).item() > 2 * 1.96 * np.sqrt(level + (4 * 0.1) ** 2 - 0.05)


def test_a_wider_error_of_the_bags_widens_the_range() -> None:
    made = calibrate(past(np.full(100, -2.0), np.arange(100) < 10)).rate
    margin = np.array([-2.0, -2.0])
    low, high = made.bounds(margin, np.array([0.0, 0.5]))
    assert high[1] - low[1] > high[0] - low[0]


def test_the_range_worked_by_hand() -> None:
    # 1 from the centre: level -4 + 1 × 1 + 0.5 × (√2 - 1); variance 0.04 + 0.01 + 0.25 × (√2 - 1)²
    made = RateRange(
        centre=-3.0,
        usual_bend=1.0,
        curve=np.array([-4.0, 1.0, 0.5]),
        covariance=np.diag([0.04, 0.01, 0.25]),
    )
    low, high = made.bounds(np.array([-2.0]), np.zeros(1))
    more = float(bend(1.0)) - 1
    assert (low + high) / 2 == pytest.approx(-3 + 0.5 * more)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.05 + 0.25 * more**2))


def written(**changed: Any) -> dict[str, Any]:
    made = calibrate(past(np.full(100, -2.0), np.arange(100) < 10)).rate
    return made.to_dict() | changed


def test_a_range_reads_back_number_for_number() -> None:
    assert RateRange.from_dict(written()).to_dict() == written()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"curve": [1.0]}, "not whole"),
        ({"covariance": [[1.0]]}, "not whole"),
        ({"centre": float("inf")}, "not finite"),
        ({"covariance": [[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]]}, "negative width"),
    ],
)
def test_a_damaged_range_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RateRange.from_dict(written(**changed))


def test_the_bend_is_flat_at_the_centre_and_straight_in_the_tails() -> None:
    steps = np.diff(bend([0.0, 0.01, 100.0, 101.0]))
    assert steps[0] == pytest.approx(0, abs=1e-4)
    assert steps[2] == pytest.approx(1, abs=1e-4)


def test_the_rate_of_the_past_is_on_the_log_odds() -> None:
    made = calibrate(past(np.full(400, -2.0), np.arange(400) < 40)).rate
    low, high = (float(end[0]) for end in made.bounds(np.array([-2.0]), np.zeros(1)))
    assert low < logit(0.1) < high


@pytest.mark.parametrize("usual", [0.7, 1.0, 1.5])
def test_without_outcomes_the_slope_is_the_usual_one_and_the_level_that_of_the_long_run(
    usual: float,
) -> None:
    margin = np.random.default_rng(0).normal(-2, 1, 500)
    made = calibrate(past(margin, np.full(500, NAN)), years_of((2000, 20), (2000, 20)), usual)
    assert made.affine.slope == pytest.approx(usual)
    assert expit(made.affine.apply(margin)).mean() == pytest.approx(0.01, rel=0.02)


def test_many_outcomes_overrule_the_usual_slope() -> None:
    rng = np.random.default_rng(1)
    margin = rng.normal(-1, 1.5, 20_000)
    came = (rng.random(20_000) < expit(0.6 * margin)).astype(float)
    slopes = [calibrate(past(margin, came), None, usual).affine.slope for usual in (0.7, 1.5)]
    assert slopes == pytest.approx([0.6, 0.6], abs=0.03)
