"""Every feature worked out by hand, builder by builder, on the facts of six pupils.

The day is Saturday 1 March 2025. Windows are half-open: 365 days before it is 1 March 2024, which counts;
the day itself does not.
"""

from __future__ import annotations

import pandas as pd
import pytest

from riskmodel.data import TABLES
from riskmodel.features import BUILDERS, CATALOGUE, build
from tests.strategies import PUPILS, small_tables, spine_of
from tests.worked import MONTH, UNKNOWN, Worked, features
from tests.worked_attendance import OF_ATTENDANCE
from tests.worked_context import OF_CONTEXT
from tests.worked_suspensions import OF_SUSPENSIONS

CASES = [*OF_ATTENDANCE, *OF_CONTEXT, *OF_SUSPENSIONS]

# the six pupils as they are: marks of 28 February and other facts come to light on 1 March, too late
SMALL_LA = [
    ("A", "absence_rate_60_days", 10 / 38),  # 2 excluded and 8 ill of 38 known half-days
    ("A", "absence_rate_10_days", 8 / 18),
    ("A", "absence_streak", 8),  # the unknown last day does not end the streak
    ("A", "half_days_since_present", 8),
    ("A", "severe_absence", 0),
    ("B", "known_half_days", 38),
    ("F", "absence_rate_60_days", UNKNOWN),  # no half-day was possible
    ("F", "part_time_ever_12_months", UNKNOWN),
    ("A", "suspensions_ever", 3),  # that of 26 February was recorded too late
    ("A", "plan_request_pending", 1),  # the refusal of April is not known yet
    ("A", "plan_refused", 0),
    ("C", "fsm_now", 1),  # its end was recorded on 10 March
    ("A", "months_at_school", 28 / MONTH),
]


@pytest.mark.parametrize(("pupil", "name", "expected"), SMALL_LA)
def test_a_fact_counts_once_it_is_recorded(pupil: str, name: str, expected: float) -> None:
    assert features().loc[pupil, name] == pytest.approx(expected, rel=1e-6, nan_ok=True)


def of_a(name: str, table: str, text: str) -> float:
    return float(features((table, text)).loc["A", name])


LEFT = """
    pupil_id school_id status year_group entry_date leaving_date leaving_reason end_recorded_on
    A        S         main   5          2022-09-01 2023-03-31   {reason}       {known}
    A        T         main   5          2023-06-01 .            .              .
    """


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("destination_unknown", "lost_before"),
        ("home_educated", "left_for_home_education"),
        ("managed_move", "managed_moves"),
    ],
)
@pytest.mark.parametrize(("known", "expected"), [("2025-02-28", 1), ("2025-03-01", 0)])
def test_leaving_for_a_reason_counts_once_it_is_known(
    reason: str, name: str, known: str, expected: int
) -> None:
    left = LEFT.format(reason=reason, known=known)
    assert of_a(name, "enrolments", left) == expected
    assert of_a("gaps_between_schools", "enrolments", left) == expected  # 61 days


ESCALATION = """
    pupil_id school_id start_date sessions category reason_1
    A        S         {assault}  2        SUSP     PP
    A        S         {other}    2        {category} DB
    """


@pytest.mark.parametrize(
    ("assault", "other", "category", "expected"),
    [
        ("2024-10-08", "2024-05-01", "SUSP", 1),
        ("2024-10-08", "2024-05-01", "LNCH", 1),
        ("2024-10-08", "2024-05-01", "PERM", 0),
        ("2024-10-08", "2024-10-08", "SUSP", 0),  # nothing came before
        ("2024-03-01", "2023-05-01", "SUSP", 1),
        ("2024-02-29", "2023-05-01", "SUSP", 0),  # more than 365 days ago
    ],
)
def test_an_escalation_is_a_recent_first_assault_after_something_else(
    assault: str, other: str, category: str, expected: int
) -> None:
    text = ESCALATION.format(assault=assault, other=other, category=category)
    assert of_a("suspensions_escalated", "suspensions", text) == expected


@pytest.mark.parametrize(
    ("year_group", "expected"), [(6, UNKNOWN), (7, 1), (11, 1), (pd.NA, UNKNOWN)]
)
def test_results_can_be_missing_from_year_7_only(year_group: int, expected: float) -> None:
    groups = pd.array([year_group] * len(PUPILS), dtype="Int64")
    made = build(small_tables(), spine_of().assign(year_group=groups))
    assert made["results_missing"].iloc[1] == pytest.approx(expected, nan_ok=True)
    weeks = 181 / 7 + 52.18 * (year_group - 7) if expected == 1 else UNKNOWN
    assert made["weeks_since_year_7"].iloc[1] == pytest.approx(weeks, nan_ok=True)


@pytest.mark.parametrize(("half_days", "near"), [(44, 0), (45, 1), (90, 1)])
def test_half_of_the_yearly_limit_is_near(half_days: int, near: int) -> None:
    text = f"""
        pupil_id school_id start_date sessions category
        A        S         2024-08-31 90       SUSP
        A        S         2024-09-01 {half_days} SUSP
        """
    assert of_a("year_limit_used", "suspensions", text) == pytest.approx(half_days / 90)
    assert of_a("year_limit_near", "suspensions", text) == near


ALL_KINDS = next(
    column.allowed for column in TABLES["circumstances"].columns if column.name == "kind"
)

LONG_KINDS = [kind for kind in ALL_KINDS if f"{kind}_spells" in CATALOGUE]

SPELLS = "pupil_id kind start_date end_date end_recorded_on\n" + "\n".join(
    f"""
    A {kind} 2023-01-01 2023-01-31 2023-01-31
    A {kind} 2025-02-01 .          .
    B {kind} 2024-02-29 2025-02-28 2025-02-28
    C {kind} 2024-03-01 2025-03-01 2025-02-20
    """
    for kind in ALL_KINDS
)

SPELL_FEATURES: dict[str, dict[str, float]] = {
    "now": {"A": 1, "B": 0, "C": 1, "D": 0},  # the last day of C's belongs to it
    "ever": {"A": 1, "B": 1, "C": 1, "D": 0},
    "lately": {"A": 1, "B": 0, "C": 1, "D": 0},  # begun 366 and 365 days before
    "months": {"A": (31 + 28) / MONTH, "B": 366 / MONTH, "C": 365 / MONTH, "D": 0},
    "spells": {"A": 2, "B": 1, "C": 1, "D": 0},
}


@pytest.mark.parametrize(
    ("kind", "feature"),
    [
        *[(kind, "now") for kind in ALL_KINDS],
        *[(kind, name) for kind in LONG_KINDS for name in SPELL_FEATURES if name != "now"],
    ],
)
def test_spells_of_a_circumstance_are_counted_as_by_hand(kind: str, feature: str) -> None:
    made = features(("circumstances", SPELLS))[f"{kind}_{feature}"]
    for pupil, expected in SPELL_FEATURES[feature].items():
        assert made[pupil] == pytest.approx(expected), pupil


def test_every_feature_of_every_builder_is_worked_out_by_hand() -> None:
    names = {f"{kind}_now" for kind in ALL_KINDS}
    names |= {f"{kind}_{feature}" for kind in LONG_KINDS for feature in SPELL_FEATURES}
    for one in BUILDERS:
        worked = {
            name for case in CASES if case.builder == one.make.__name__ for name in case.expected
        }
        assert worked <= {*one.names}
        names |= worked
    assert names == {*CATALOGUE}


@pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param(case, name, id=f"{case.builder}-{case.pupil}-{name}")
        for case in CASES
        for name in case.expected
    ],
)
def test_a_feature_equals_the_value_worked_out_by_hand(case: Worked, name: str) -> None:
    made = features(*case.facts.items()).loc[case.pupil, name]
    assert float(made) == pytest.approx(case.expected[name], rel=1e-5, abs=1e-7, nan_ok=True)
