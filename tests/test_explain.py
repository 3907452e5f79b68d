"""Reasons in plain words: sums by theme, the strongest member's words, no blame."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmodel.assess import Assessment
from riskmodel.explain import SMALLEST_FACTOR, reasons, theme_totals, word_reasons
from riskmodel.fairness import Audit, audit_list
from riskmodel.features import CATALOGUE

NAMES = [
    "absence_rate_20_days",  # attendance, sessions
    "severe_absence",  # attendance, sessions
    "suspensions_12_months",  # behaviour, suspensions
    "school_suspension_rate",  # school, suspensions
    "made_elsewhere",  # not in the catalogue
]
BLAME = re.compile(
    r"\b(bad|naught\w*|trouble\w*|truan\w*|disruptive|fail\w*|poor\w*|refus(es|al)|deviant|lazy|"
    r"dangerous|offender|delinquent|problem\w*|dysfunctional|blame|fault)\b",
    re.IGNORECASE,
)


def _words(parts: list[float], values: list[float]) -> pd.Series:
    table = word_reasons(
        pd.DataFrame([parts], columns=NAMES), pd.DataFrame([values], columns=NAMES)
    )
    return table.iloc[0]


def test_features_of_one_theme_and_table_make_one_reason() -> None:
    # Attendance: log 2 + log 1.5 = log 3, worded by the first. Behaviour: log 1.8. Other: log 0.5.
    parts = [np.log(2), np.log(1.5), np.log(1.8), 0.0, np.log(0.5)]
    found = _words(parts, [0.19, 1, 2, 7.5, 3])
    assert found["reason_1"] == "Absence in the last 4 school weeks: 19% (odds × 3.0)"
    assert found["reason_2"] == "Suspensions in the last 12 months: 2 (odds × 1.8)"
    assert found["reason_3"] == ""
    assert found["strength_1"] == "made elsewhere: 3 (odds × 0.50)"
    assert found["strength_2"] == ""


def test_a_group_that_lowers_the_risk_is_a_strength_though_a_member_raises_it() -> None:
    found = _words([np.log(0.25), np.log(2), 0.0, 0.0, 0.0], [0.0, 1, 0, 0, 0])
    assert found["reason_1"] == ""
    assert found["strength_1"] == "Absence in the last 4 school weeks: 0% (odds × 0.50)"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("absence_rate_20_days", 0.194, "19%"),
        ("absence_change_20_days", -0.001, "0%"),
        ("severe_absence", 1.0, "yes"),
        ("severe_absence", 0.0, "no"),
        ("suspensions_12_months", 3.0, "3"),
        ("absence_streak", 12.0, "12 half-days"),
        ("months_at_school", 2.25, "2.2 months"),
        ("idaci_decile", 1.0, "1"),
        ("ks2_score", np.nan, "not known"),
        ("ks2_score", -0.01, "0.0 standard deviations"),
    ],
)
def test_values_are_written_in_their_unit(name: str, value: float, words: str) -> None:
    found = word_reasons(pd.DataFrame({name: [1.0]}), pd.DataFrame({name: [value]}))
    assert found["reason_1"].item() == f"{CATALOGUE[name].label}: {words} (odds × 2.7)"


@pytest.mark.parametrize(
    ("factor", "column", "words"),
    [
        (1.03, "reason_1", "× 1.03)"),
        (250.0, "reason_1", "× 100 or more)"),
        (0.97, "strength_1", "× 0.97)"),
        (0.001, "strength_1", "× 0.01 or less)"),
    ],
)
def test_a_factor_is_never_rounded_to_1_or_0(factor: float, column: str, words: str) -> None:
    assert _words([0, 0, np.log(factor), 0, 0], [0, 0, 1, 0, 0])[column].endswith(words)


@pytest.mark.parametrize("factor", [1 / SMALLEST_FACTOR + 0.001, 1.0, SMALLEST_FACTOR - 0.001])
def test_what_hardly_matters_is_not_told(factor: float) -> None:
    assert (_words([0, 0, np.log(factor), 0, 0], [0, 0, 1, 0, 0]) == "").all()


def test_inputs_stay_as_they_were_and_rows_stay_in_place() -> None:
    parts = pd.DataFrame([[1.0, 0, 0, 0, 0], [0, 0, 1.0, 0, 0]], columns=NAMES, index=[7, 3])
    values = parts * 0 + 1
    before = parts.copy(deep=True)
    found = word_reasons(parts, values)
    pd.testing.assert_frame_equal(parts, before)
    assert list(found.index) == [7, 3]
    assert found.loc[3, "reason_1"] == "Suspensions in the last 12 months: 1 (odds × 2.7)"


def slow_reasons(parts: np.ndarray) -> list[list[str]]:
    """One pupil at a time; sums by group in a dictionary; words for whole counts only."""
    rows = []
    for row in parts:
        sums: dict[tuple[str, str], list[int]] = {}
        for number, name in enumerate(NAMES):
            feature = CATALOGUE.get(name)
            sums.setdefault((feature.theme, feature.source) if feature else (name, ""), [])
            sums[(feature.theme, feature.source) if feature else (name, "")].append(number)
        ordered = sorted(sums.values(), key=lambda group: -row[group].sum())

        def label(group: list[int], sign: int, row: np.ndarray = row) -> str:
            if sign * row[group].sum() < np.log(SMALLEST_FACTOR):
                return ""
            name = NAMES[max(group, key=lambda n: sign * row[n])]
            return CATALOGUE[name].label if name in CATALOGUE else name.replace("_", " ")

        rows.append([label(g, 1) for g in ordered[:3]] + [label(g, -1) for g in ordered[::-1][:2]])
    return rows


@given(arrays(np.int64, (4, len(NAMES)), elements=st.integers(-3, 3)))
@settings(max_examples=50, deadline=None)
def test_reasons_equal_the_slow_reference(counts: np.ndarray) -> None:
    # Distinct powers keep groups from being tied, so that the order is unique.
    parts = counts + np.array([0.011, 0.023, 0.047, 0.089, 0.171])
    found = word_reasons(
        pd.DataFrame(parts, columns=NAMES), pd.DataFrame(np.ones_like(parts), columns=NAMES)
    )
    labels = [[text.rsplit(": ", 1)[0] for text in row] for row in found.to_numpy()]
    assert labels == slow_reasons(parts)


def test_no_label_blames() -> None:
    blaming = [feature.label for feature in CATALOGUE.values() if BLAME.search(feature.label)]
    assert blaming == []
    assert BLAME.search("a troubled family")


def _assessment(parts: np.ndarray) -> Assessment:
    risk = 1 / (1 + np.exp(2 - parts.sum(axis=1)))
    scores = pd.DataFrame({"pupil_id": pd.Categorical([f"p{n}" for n in range(len(parts))])})
    scores = scores.assign(school_id="s", year_group=9, risk=risk, risk_low=risk, risk_high=risk)
    audit = Audit(
        this_list=audit_list(
            pd.DataFrame({"sex": ["girl"] * len(parts)}), np.ones(len(parts), bool), risk
        ),
        model={},
        note="",
    )
    table = pd.DataFrame(parts, columns=NAMES)
    return Assessment(
        outcome="pex", as_of=pd.Timestamp("2024-09-02"), capacity=1, scores=scores,
        base_value=-2.0, contributions=table, features=table * 0 + 1, audit=audit,
        backtest=None, provenance={},
    )  # fmt: skip


@given(arrays(np.float64, (3, len(NAMES)), elements=st.floats(-2, 2)))
@settings(max_examples=50, deadline=None)
def test_theme_totals_add_up_to_the_risk(parts: np.ndarray) -> None:
    assessment = _assessment(parts)
    totals = theme_totals(assessment)
    assert list(totals.columns) == ["attendance", "behaviour", "school", "other"]
    risk = assessment.scores["risk"]
    np.testing.assert_allclose(
        assessment.base_value + totals.sum(axis=1), np.log(risk / (1 - risk)), atol=1e-9
    )
    np.testing.assert_allclose(totals["attendance"], parts[:, 0] + parts[:, 1], atol=1e-12)
    pd.testing.assert_frame_equal(
        reasons(assessment), word_reasons(assessment.contributions, assessment.features)
    )
