"""Numbers of a pupil's peers: everyone on the roll, the pupil left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.features.peer_counts import PeerCounts, incidents_on

DAY = pd.Timestamp("2025-03-01")

SUSPENSIONS = pd.DataFrame(
    [
        ("A", "s1", "SUSP", "2025-02-28"),  # yesterday
        ("A", "s1", "SUSP", "2024-11-30"),  # 91 days ago: the last that counts for 3 months
        ("B", "s1", "SUSP", "2024-11-29"),  # 92 days ago
        ("B", "s1", "SUSP", "2024-03-01"),  # 365 days ago: the last that counts for 12 months
        ("B", "s1", "SUSP", "2024-02-29"),  # 366 days ago
        ("C", "s2", "PERM", "2019-01-10"),
        ("C", "s2", "SUSP", "2025-03-01"),  # on the day itself
        ("C", "s2", "PERM", "2025-03-01"),
        ("A", "s2", "LNCH", "2025-02-01"),
    ],
    columns=["pupil_id", "school_id", "category", "start_date"],
).astype({"start_date": "datetime64[s]"})


@pytest.fixture
def counts() -> PeerCounts:
    """Return A and B on the roll of s1, B also on that of s2, with C; D is on no roll."""
    roll = [(0, "s1", 9), (1, "s1", 9), (1, "s2", 9), (2, "s2", 10)]
    return PeerCounts(
        numbers=pd.DataFrame({"pupils": [1, 1, 1, 1], "absent": [5, 7, 11, 13]}),
        roll=pd.DataFrame(roll, columns=["pupil", "school_id", "year_group"]),
        incidents=incidents_on(SUSPENSIONS, DAY),
    )


def spine(school: str = "s1", year: int = 9) -> pd.DataFrame:
    """Return a row for each of the four pupils, all at one school and in one year group."""
    return pd.DataFrame({"pupil_id": list("ABCD"), "school_id": school, "year_group": year})


PUPILS = np.arange(4)


def test_incidents_count_within_their_days_and_never_on_the_day_itself() -> None:
    assert {name: len(facts) for name, facts in incidents_on(SUSPENSIONS, DAY).items()} == {
        "suspensions_3": 2,
        "suspensions_12": 4,
        "exclusions": 1,
    }


def test_a_pupil_on_two_rolls_counts_at_both_schools_and_once_in_the_year_group(
    counts: PeerCounts,
) -> None:
    sums = counts.add_up()
    assert sums["school"]["pupils"].to_dict() == {"s1": 2, "s2": 2}
    assert sums["school"]["absent"].to_dict() == {"s1": 12, "s2": 18}
    assert sums["school"]["suspensions_12"].to_dict() == {"s1": 4, "s2": 0}
    assert sums["year_group"]["absent"].to_dict() == {9: 12, 10: 11}
    assert sums["school"].dtypes.eq("int64").all()


@pytest.mark.parametrize(
    ("kind", "where", "name", "expected"),
    [
        ("school", {"school": "s1"}, "pupils", [1, 1, 2, 2]),  # C and D are not on its roll
        ("school", {"school": "s1"}, "absent", [7, 5, 12, 12]),
        ("school", {"school": "s1"}, "suspensions_12", [2, 2, 4, 4]),
        ("school", {"school": "s2"}, "exclusions", [1, 1, 0, 1]),
        ("school", {"school": "closed"}, "pupils", [np.nan] * 4),
        ("year_group", {"year": 10}, "absent", [11, 11, 0, 11]),
    ],
)
def test_peers_are_the_others_on_the_roll(
    counts: PeerCounts, kind: str, where: dict[str, str], name: str, expected: list[float]
) -> None:
    rows = spine(**where)
    found = counts.peer_sums(counts.add_up(), kind, rows, PUPILS)
    np.testing.assert_array_equal(found[name], expected)


def test_sums_of_parts_serve_a_part(counts: PeerCounts) -> None:
    whole = counts.add_up()
    part = PeerCounts(counts.numbers, counts.roll.iloc[:2], counts.incidents)
    found = part.peer_sums(whole, "school", spine().iloc[:2], PUPILS[:2])
    np.testing.assert_array_equal(found["absent"], [7, 5])
