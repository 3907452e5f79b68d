"""Where a young person was from which day on: confirmations, lapses, and positions that follow."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.data.neet_positions import CURRENT_MONTHS, positions
from tests.strategies import table_of

FIRST = pd.Timestamp("2024-09-01")
Row = tuple[str, str] | tuple[str, str, str]


def facts(*rows: Row, pupil: str = "A", lapses: str | None = None) -> pd.DataFrame:
    """Return positions of a pupil from code, first day and, where it is another, day confirmed."""
    return table_of(
        "destinations",
        [
            {
                "pupil_id": pupil,
                "activity_code": row[0],
                "start_date": row[1],
                "confirmed_on": row[-1],
                "lapses_on": lapses,
                "recorded_on": row[-1],
            }
            for row in rows
        ],
    )


def found(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return day and group of each position."""
    made = positions(table)
    days = made["start"].to_numpy().astype("datetime64[D]").astype(str)
    return list(zip(days.tolist(), made["group"].tolist(), strict=True))


@pytest.mark.parametrize(
    ("confirmed", "lapse"),
    [
        ("2024-09-01", "2025-03-01"),
        ("2024-09-30", "2025-03-30"),
        ("2024-08-31", "2025-02-28"),  # six months on there is no 31 February
        ("2023-08-31", "2024-09-02"),  # confirmed before it began: known on its first day
        ("2024-10-31", "2025-04-30"),
        ("2025-08-31", "2026-02-28"),
    ],
)
def test_a_position_counts_as_known_for_six_months(confirmed: str, lapse: str) -> None:
    assert CURRENT_MONTHS == 6
    expected = [("2024-09-01", "education"), (lapse, "not_known")]
    assert found(facts(("210", "2024-09-01", confirmed))) == expected


@pytest.mark.parametrize(
    ("lapses", "day"),
    [
        ("2024-12-01", "2024-12-01"),
        ("2026-01-01", "2026-01-01"),
        ("2024-09-01", "2024-09-02"),  # a position lasts a day at least
        ("2024-01-01", "2024-09-02"),
    ],
)
def test_the_day_of_the_authority_outranks_six_months(lapses: str, day: str) -> None:
    table = facts(("210", "2024-09-01"), lapses=lapses)
    assert found(table) == [("2024-09-01", "education"), (day, "not_known")]


@pytest.mark.parametrize(
    ("next_start", "expected"),
    [
        ("2025-02-28", ["2024-09-01", "2025-02-28", "2025-08-28"]),
        ("2025-03-01", ["2024-09-01", "2025-03-01", "2025-09-01"]),  # on the very day
        ("2025-03-02", ["2024-09-01", "2025-03-01", "2025-03-02", "2025-09-02"]),
    ],
)
def test_between_positions_nothing_is_known_only_after_a_lapse(
    next_start: str, expected: list[str]
) -> None:
    made = found(facts(("210", "2024-09-01"), ("619", next_start)))
    assert [day for day, _ in made] == expected
    middle = ["not_known"] if len(expected) == 4 else []
    assert [group for _, group in made] == ["education", *middle, "neet", "not_known"]


@pytest.mark.parametrize(
    ("rows", "group"),
    [
        ([("210", "2024-09-01", "2024-09-30"), ("619", "2024-09-01", "2024-10-31")], "neet"),
        ([("619", "2024-09-01", "2024-09-30"), ("210", "2024-09-01", "2024-10-31")], "education"),
        ([("210", "2024-09-01", "2024-09-30"), ("619", "2024-09-01", "2024-09-30")], "neet"),
        ([("619", "2024-09-01", "2024-09-30"), ("210", "2024-09-01", "2024-09-30")], "neet"),
    ],
    ids=["later", "later, turned", "same day", "same day, turned"],
)
def test_of_two_rows_of_one_first_day_the_one_confirmed_last_counts(
    rows: list[Row], group: str
) -> None:
    made = found(facts(*rows))
    assert made[0] == ("2024-09-01", group)
    assert [name for _, name in made].count("not_known") == 1


@pytest.mark.parametrize(
    ("code", "group"),
    [("210", "education"), ("619", "neet"), ("810", "not_known"), ("710", "custody")],
)
def test_a_position_is_of_the_group_of_its_code(code: str, group: str) -> None:
    assert found(facts((code, "2024-09-01")))[0] == ("2024-09-01", group)


def test_the_group_of_the_authority_is_kept() -> None:
    own = facts(("619", "2024-09-01")).assign(group="training")
    assert found(own)[0] == ("2024-09-01", "training")


def test_no_rows_are_no_positions() -> None:
    made = positions(table_of("destinations", []))
    assert list(made) == ["pupil_id", "start", "group"]
    assert made.empty


def test_a_position_of_another_pupil_ends_nobody_elses() -> None:
    both = pd.concat([facts(("210", "2024-09-01")), facts(("619", "2024-12-01"), pupil="B")])
    made = positions(both)
    assert made["pupil_id"].tolist() == ["A", "A", "B", "B"]
    assert made["group"].tolist() == ["education", "not_known", "neet", "not_known"]


several = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.sampled_from(["210", "619", "810"]),
        st.integers(0, 500),
        st.integers(0, 200),
    ),
    max_size=8,
    unique_by=lambda row: row[:1] + row[2:],  # as the key of the table
)


def table_from(rows: list[tuple[str, str, int, int]]) -> pd.DataFrame:
    records = []
    for who, code, day, lag in rows:
        start, confirmed = (FIRST + pd.Timedelta(days=n) for n in (day, day + lag))
        records.append(
            {
                "pupil_id": who,
                "activity_code": code,
                "start_date": f"{start:%Y-%m-%d}",
                "confirmed_on": f"{confirmed:%Y-%m-%d}",
                "recorded_on": f"{confirmed:%Y-%m-%d}",
            }
        )
    return table_of("destinations", records)


@settings(max_examples=30)
@given(several, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[str, str, int, int]], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(rows, len(rows))
    pd.testing.assert_frame_equal(positions(table_from(rows)), positions(table_from(shuffled)))


@settings(max_examples=30)
@given(several)
def test_each_start_is_there_once_and_the_last_thing_of_all_is_not_knowing(
    rows: list[tuple[str, str, int, int]],
) -> None:
    made = positions(table_from(rows))
    assert set(made["pupil_id"]) == {who for who, *_ in rows}
    for who, own in made.groupby("pupil_id", observed=True):
        assert own["start"].is_monotonic_increasing
        assert own["group"].iloc[-1] == "not_known"
        first = (FIRST - pd.Timestamp(0)).days
        starts = {first + day for name, _, day, _ in rows if name == who}
        assert starts <= set(own["start"])
