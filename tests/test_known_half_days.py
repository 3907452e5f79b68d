"""Rates of too few half-days are missing, of pupils and of their peers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.features import CATALOGUE
from riskmodel.features.known_half_days import fewest_of, rate_of_known
from tests.worked import features
from tests.worked_attendance import CALENDAR, register

HOW_MUCH_IS_KNOWN = {"known_half_days", "known_half_days_60_days"}

OWN = [
    name
    for name, feature in CATALOGUE.items()
    if feature.source == "sessions" and not name.startswith("school_")
]


def of_pupils(pupils: str, days: int) -> pd.DataFrame:
    """Return the features of the small LA where some pupils were present on the last school days."""
    marks = register({pupil: {1: "I I"} for pupil in pupils}, days)
    return features(("calendar", CALENDAR), ("sessions", marks))


def test_a_newcomer_of_one_week_gets_only_how_much_is_known() -> None:
    made = of_pupils("A", days=5).loc["A", OWN]
    assert set(made.index[made.notna()]) == HOW_MUCH_IS_KNOWN
    assert made["known_half_days"] == 10


@pytest.mark.parametrize(
    ("days", "windows"),
    [
        (7, []),
        (8, ["10_days"]),  # 16 of 20 half-days
        (10, ["10_days"]),
        (14, ["10_days"]),  # 28 half-days
        (15, ["10_days", "20_days", "60_days", "12_months", "term"]),
    ],
)
def test_a_rate_needs_30_half_days_or_three_quarters_of_a_short_window(
    days: int, windows: list[str]
) -> None:
    made = of_pupils("A", days).loc["A"]
    every = ("10_days", "20_days", "60_days", "12_months", "term")
    assert [window for window in every if not np.isnan(made[f"absence_rate_{window}"])] == windows
    for name in (
        "absence_streak",
        "afternoons_missed",
        "excluded_ever_12_months",
        "authorised_share",
    ):
        assert np.isnan(made[name]) == ("12_months" not in windows)


@pytest.mark.parametrize(("days", "is_known"), [(14, False), (15, True)])
def test_peers_of_whom_too_little_is_known_do_not_count(days: int, is_known: bool) -> None:
    made = of_pupils("BCDE", days).loc["B"]
    for name in ("school_absence_rate", "school_persistent_share", "school_absence_rate_20_days"):
        assert np.isnan(made[name]) != is_known


@pytest.mark.parametrize(("pupils", "is_known"), [("BC", False), ("BCD", True)])
def test_the_absence_of_a_school_needs_the_registers_of_half_its_pupils(
    pupils: str, is_known: bool
) -> None:
    # B, C, D and E are at the school; B's others are three
    made = of_pupils(pupils, days=20).loc["B"]
    for name in ("school_absence_rate", "school_persistent_share", "absence_against_school"):
        assert np.isnan(made[name]) != is_known


def test_a_window_is_never_known_by_more_than_it_holds() -> None:
    assert all(fewest_of(n_days) <= 2 * n_days for n_days in range(1, 200))
    assert rate_of_known([0, 0], [29, 30]).tolist() == pytest.approx([np.nan, 0], nan_ok=True)
