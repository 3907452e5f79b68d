"""Reasons of a list: sums by subject, whose words they are, and their size as a ratio of risks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmodel.explain import Explanation, reasons_in_words, theme_totals
from riskmodel.explain.reasons import SMALLEST_FACTOR, risk_factors, write_factor

NAMES = [
    "absence_rate_20_days",  # attendance
    "severe_absence",  # attendance
    "suspensions_12_months",  # suspensions
    "school_suspension_rate",  # the school's suspensions and exclusions
    "made_elsewhere",  # not in the catalogue
]
RARE = -12.0
"""A base value so low that ratios of risks equal ratios of odds."""


def _explained(parts: pd.DataFrame, values: pd.DataFrame, base_value: float = RARE) -> Explanation:
    log_odds = base_value + parts.to_numpy(float).sum(axis=1)
    return Explanation(
        base_value=base_value, contributions=parts, features=values, log_odds=log_odds
    )


def _words(parts: list[float], values: list[float], names: list[str] = NAMES) -> pd.Series:
    frames = (pd.DataFrame([row], columns=names) for row in (parts, values))
    return reasons_in_words(_explained(*frames), None).iloc[0]


def test_features_of_one_subject_make_one_reason_and_incidents_come_last() -> None:
    # Attendance: log 2 + log 1.5 = log 3, shown by the first. Suspensions: log 4. Other: log 0.5.
    parts = [np.log(2), np.log(1.5), np.log(4), 0.0, np.log(0.5)]
    found = _words(parts, [0.19, 1, 2, 7.5, 3])
    assert found["reason_1"] == "Attendance was 81% in the last 4 school weeks (risk × 3.0)"
    assert found["reason_2"] == "Suspended twice in the last 12 months (risk × 4.0)"
    assert found["reason_3"] == ""
    assert found["strength_1"] == "Made elsewhere: 3 (risk × 0.50)"
    assert found["strength_2"] == ""


def test_the_three_largest_come_in_the_order_of_reading_out() -> None:
    names = ["suspensions_12_months", "absence_rate_60_days", "school_suspension_rate", "fsm_now"]
    found = _words([np.log(5), np.log(2), np.log(1.1), np.log(1.4)], [3, 0.3, 9, 1], names)
    assert [found[f"reason_{k}"].split(" (")[0] for k in (1, 2, 3)] == [
        "Receives free school meals",
        "Attendance was 70% in the last 12 school weeks",
        "Suspended 3 times in the last 12 months",
    ]


def test_a_subject_that_lowers_the_risk_is_a_strength_though_a_member_raises_it() -> None:
    found = _words([np.log(0.25), np.log(2), 0.0, 0.0, 0.0], [0.0, 1, 0, 0, 0])
    assert found["reason_1"] == ""
    assert found["strength_1"] == "Attendance was 100% in the last 4 school weeks (risk × 0.50)"


@pytest.mark.parametrize(
    ("absence", "lately", "sign", "words"),
    [
        (0.19, 0.15, 1, "Attendance fell from 96% to 81% in the last 4 school weeks"),
        (0.19, 0.02, 1, "Attendance was 81% in the last 4 school weeks"),
        (0.19, -0.20, 1, "Attendance was 81% in the last 4 school weeks"),  # a rise never raises
        (0.04, -0.15, -1, "Attendance rose from 81% to 96% in the last 4 school weeks"),
        (0.04, 0.02, -1, "Attendance was 96% in the last 4 school weeks"),
        (0.19, np.nan, 1, "Attendance was 81% in the last 4 school weeks"),
    ],
)
def test_a_change_is_worded_where_it_goes_the_way_of_the_risk(
    absence: float, lately: float, sign: int, words: str
) -> None:
    names = ["absence_rate_20_days", "absence_change_20_days"]
    found = _words([sign * 1.0, 0.0], [absence, lately], names)
    assert found["reason_1" if sign > 0 else "strength_1"].split(" (")[0] == words


def test_what_is_better_than_typical_never_speaks_for_what_raises() -> None:
    names = ["absence_rate_20_days", "absence_rate_12_months"]
    parts, values = (pd.DataFrame([row], columns=names) for row in ([0.9, 0.2], [0.01, 0.12]))
    found = reasons_in_words(_explained(parts, values), np.array([0.05, 0.06]))
    # the first pushes more, but 99% attendance is no reason for a risk
    assert found["reason_1"].item() == "Attendance was 88% in the last 12 months (risk × 3.0)"
    values["absence_rate_12_months"] = 0.02
    found = reasons_in_words(_explained(parts, values), np.array([0.05, 0.06]))
    assert found["reason_1"].item() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("child_in_need_now", 1.0),
        ("need_slcn_now", 1.0),
        ("looked_after_now", 1.0),
        ("ehc_plan_now", 1.0),
        ("fsm_now", 1.0),
        ("fsm_now", 0.0),
        ("early_help_months", 8.0),
        ("sen_ever", 0.0),
        ("plan_weeks_waited", 30.0),
    ],
)
def test_a_need_is_never_a_strength_nor_is_poverty_that_is_not_there(
    name: str, value: float
) -> None:
    found = _words([-1.0], [value], [name])
    assert found.eq("").all()


def test_no_social_care_is_worded_as_what_is_recorded() -> None:
    found = _words([-1.0], [0.0], ["child_in_need_now"])
    assert found["strength_1"] == "No social care involvement is recorded now (risk × 0.37)"


SUSPENDED = [
    "suspensions_12_months",
    "suspensions_ever",
    "sessions_lost_12_months",
    "days_since_suspension",
    "excluded_before",
]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            [3, 4, 12, 36, 0],
            "Suspended 3 times in the last 12 months, 12 half-days in all, most recently 5 weeks ago",
        ),
        ([1, 1, 2, 1, 0], "Suspended once in the last 12 months, 1 day ago, for 2 half-days"),
        ([0, 2, 0, 500, 0], "Suspended twice so far, most recently 16 months ago"),
        ([0, 1, 0, 800, 0], "Suspended once so far, 2 years ago"),
        (
            [2, 2, 0, 20, 1],
            "Suspended twice in the last 12 months, most recently 3 weeks ago; "
            "permanently excluded from a school before",
        ),
    ],
)
def test_suspensions_are_one_line(values: list[float], words: str) -> None:
    assert _words([1.0, 0, 0, 0.5, 0], values, SUSPENDED)["reason_1"].split(" (")[0] == words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 0, 0, np.nan, 0], "Not suspended so far"),
        ([0, 2, 0, 500, 0], "Not suspended in the last 12 months"),
        ([1, 1, 2, 300, 0], ""),
        ([0, 0, 0, np.nan, 1], ""),
    ],
)
def test_suspensions_protect_only_where_there_were_none(values: list[float], words: str) -> None:
    found = _words([-1.0, -1.0, -1.0, -1.0, 0], values, SUSPENDED)
    assert found["strength_1"].split(" (")[0] == words


def test_needs_are_worded_as_what_is_provided_and_for_what() -> None:
    names = [
        "days_since_sen_change",
        "sen_support_now",
        "ehc_plan_now",
        "need_asd_now",
        "need_slcn_now",
    ]
    found = _words([0.5, 0.2, 0, 0, 0], [2000, 1, 0, 1, 1], names)
    assert found["reason_1"].startswith("Receives SEN support; recorded need: ")
    assert "speech, language and communication, and autistic spectrum disorder" in found[
        "reason_1"
    ] or ("autistic spectrum disorder, and speech, language and communication" in found["reason_1"])


def test_school_effects_are_named_as_the_schools() -> None:
    found = _words([1.0, 0.5], [12.0, 40.0], ["school_suspension_rate", "school_suspended_share"])
    assert found["reason_1"] == (
        "At this school, 12 suspensions for every 100 other pupils in the last 12 months (risk × 4.5)"
    )


@pytest.mark.parametrize("parts", [[1.0, 0.5], [0.5, 1.0]])
def test_exclusions_of_years_before_count_with_the_schools_suspensions(parts: list[float]) -> None:
    # of other children, and over: nobody can act on them, and few of a small school are told apart
    found = _words(parts, [12.0, 1.2], ["school_suspension_rate", "school_exclusion_rate"])
    assert found["reason_1"] == (
        "At this school, 12 suspensions for every 100 other pupils in the last 12 months (risk × 4.5)"
    )


@pytest.mark.parametrize(
    "name",
    [
        "school_exclusion_rate",
        "school_absence_rate",
        "school_absence_rate_20_days",
        "school_unauthorised_rate",
        "school_persistent_share",
    ],
)
def test_what_nobody_can_act_on_for_a_child_is_no_reason(name: str) -> None:
    assert set(_words([1.0], [0.3], [name])) == {""}


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1.84, "risk × 1.8"),
        (1.03, "risk × 1.03"),
        (1.004, "risk × 1.004"),
        (10.0, "risk × 10.0"),
        (10.01, "more than 10 times the risk"),
        (0.7, "risk × 0.70"),
        (0.999, "risk × 0.999"),
        (0.09, "less than a tenth of the risk"),
    ],
)
def test_a_factor_is_never_written_as_1_or_beyond_what_can_be_known(
    factor: float, words: str
) -> None:
    assert write_factor(factor) == words


@given(st.floats(-8, 4), st.floats(-3, 3))
def test_the_factor_is_the_risk_over_the_risk_without(log_odds: float, total: float) -> None:
    def risk(value: float) -> float:
        return 1 / (1 + np.exp(-value))

    found = risk_factors(np.array([log_odds]), np.array([total]))[0]
    assert found == pytest.approx(risk(log_odds) / risk(log_odds - total))


def test_of_a_high_risk_the_same_odds_are_a_smaller_factor() -> None:
    parts = pd.DataFrame([[np.log(3)]], columns=["suspensions_12_months"])
    # odds of 1 to 3 become 1 to 1: risk 1/4 to 1/2
    found = reasons_in_words(_explained(parts, parts * 0 + 1, -np.log(3)), None)
    assert found["reason_1"].item() == "Suspended once in the last 12 months (risk × 2.0)"


@pytest.mark.parametrize("factor", [1 / SMALLEST_FACTOR + 0.001, 1.0, SMALLEST_FACTOR - 0.001])
def test_what_hardly_matters_is_left_out(factor: float) -> None:
    assert (_words([0, 0, np.log(factor), 0, 0], [0, 0, 1, 0, 0]) == "").all()


def test_inputs_stay_as_they_were_and_rows_stay_in_place() -> None:
    parts = pd.DataFrame([[1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0]], columns=NAMES, index=[7, 3])
    values = parts * 0 + 1
    before = parts.copy(deep=True)
    found = reasons_in_words(_explained(parts, values), None)
    pd.testing.assert_frame_equal(parts, before)
    assert list(found.index) == [7, 3]
    assert found.loc[3, "reason_1"] == "Suspended once in the last 12 months (risk × 2.7)"


def test_no_pupils_no_reasons() -> None:
    nobody = pd.DataFrame(np.zeros((0, len(NAMES))), columns=NAMES)
    assert reasons_in_words(_explained(nobody, nobody), None).shape == (0, 5)


GROUPS = {"attendance": [0, 1], "suspensions": [2], "school": [3], "made elsewhere": [4]}


def slow_sums(parts: np.ndarray) -> list[list[str]]:
    """One pupil at a time: the sums that are shown, raising in reading order and lowering by size."""
    order = ["school", "attendance", "suspensions", "made elsewhere"]
    rows = []
    for row in parts:
        sums = {name: row[columns].sum() for name, columns in GROUPS.items()}
        up = sorted(
            (n for n in order if sums[n] > np.log(SMALLEST_FACTOR)), key=lambda n: -sums[n]
        )[:3]
        # every value is 1: one suspension never protects, nor does what other pupils did; of the others no
        # typical value is known
        own = [n for n in order if n not in ("suspensions", "school")]
        may = [n for n in own if sums[n] < -np.log(SMALLEST_FACTOR)]
        down = sorted(may, key=lambda n: sums[n])[:2]
        rows.append([f"{sums[n]:.6f}" for n in order if n in up] + [f"{sums[n]:.6f}" for n in down])
    return rows


@given(arrays(np.int64, (4, len(NAMES)), elements=st.integers(-3, 3)))
@settings(max_examples=50, deadline=None)
def test_sizes_equal_the_slow_reference(counts: np.ndarray) -> None:
    # distinct powers keep subjects from being tied; attendance's members push the same way
    parts = counts + np.array([0.011, 0.023, 0.047, 0.089, 0.171])
    parts[:, 1] = np.abs(parts[:, 1]) * np.sign(parts[:, 0])
    values = pd.DataFrame(np.ones_like(parts), columns=NAMES)
    found = reasons_in_words(_explained(pd.DataFrame(parts, columns=NAMES), values), None)
    shown = [[text[text.rindex("(") + 1 : -1] for text in row if text] for row in found.to_numpy()]
    expected = [
        [
            write_factor(float(risk_factors(np.array([RARE + row.sum()]), np.array([float(s)]))[0]))
            for s in sums
        ]
        for row, sums in zip(parts, slow_sums(parts), strict=True)
    ]
    assert shown == expected


@given(arrays(np.float64, (3, len(NAMES)), elements=st.floats(-2, 2)))
@settings(max_examples=50, deadline=None)
def test_theme_totals_add_up_to_the_risk(parts: np.ndarray) -> None:
    table = pd.DataFrame(parts, columns=NAMES)
    totals = theme_totals(table)
    assert list(totals.columns) == ["attendance", "behaviour", "school", "other"]
    np.testing.assert_allclose(totals.sum(axis=1), table.sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(totals["attendance"], parts[:, 0] + parts[:, 1], atol=1e-12)
