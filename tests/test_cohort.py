from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.cohort import build_spine, default_as_of, resolve_as_of, snapshots
from riskmodel.data import TABLES, Tables
from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import DataError, HistoryError, RequestError
from riskmodel.labels import label
from tests.rolls import day, make_tables, position, roll
from tests.strategies import PUPILS


def who(spine: pd.DataFrame) -> list[str]:
    return spine["pupil_id"].astype("str").tolist()


@pytest.mark.parametrize(
    ("spell", "there"),
    [
        (roll("A", "2023-09-01"), True),
        (roll("A", "2024-01-01"), False),  # the first day is not before as_of
        (roll("A", "2023-12-31"), True),
        # the last day is as_of itself
        (roll("A", "2023-09-01", "2024-01-01", leaving_reason="left_area"), True),
        (roll("A", "2023-09-01", "2023-12-31", leaving_reason="left_area"), False),
        (roll("A", "2023-09-01", "2023-12-20", end_recorded_on="2024-01-01"), True),  # not known
        (roll("A", "2023-09-01", recorded_on="2024-01-01"), False),
    ],
)
def test_a_pupil_is_in_the_cohort_while_known_to_be_on_a_roll(
    spell: dict[str, object], there: bool
) -> None:
    spine = build_spine(make_tables(enrolments=[spell]), [day("2024-01-01")], "pex")
    assert who(spine) == (["A"] if there else [])


def test_the_spine_has_its_columns_their_types_and_an_order() -> None:
    tables = make_tables(
        enrolments=[roll("B", "2022-09-01"), roll("A", "2023-02-01", school_id="S2")]
    )
    spine = build_spine(tables, [day("2024-01-01"), day("2023-01-01")], "pex")
    assert list(spine.columns) == ["pupil_id", "as_of", "school_id", "year_group"]
    assert who(spine) == ["B", "A", "B"]
    assert spine["pupil_id"].dtype == tables.pupils
    assert [str(spine[name].dtype) for name in ["as_of", "school_id", "year_group"]] == [
        "datetime64[s]",
        "str",
        "Int64",
    ]
    assert isinstance(spine.index, pd.RangeIndex)
    assert spine["year_group"].tolist() == [9, 10, 10]
    assert spine["school_id"].tolist() == ["S1", "S2", "S1"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_empty_cohort_has_the_same_types(outcome: str) -> None:
    tables = make_tables(enrolments=[], destinations=[], suspensions=[], sessions=[])
    spine = build_spine(tables, [day("2024-01-01")], outcome)
    full = build_spine(
        make_tables(enrolments=[roll("A", "2023-09-01")]), [day("2024-01-01")], "pex"
    )
    assert spine.empty
    assert spine.dtypes.equals(full.dtypes)


def test_main_roll_wins_then_latest_entry_then_school() -> None:
    tables = make_tables(
        enrolments=[
            roll("A", "2022-09-01", school_id="MAIN"),
            roll("A", "2023-10-01", school_id="AP", status="dual"),
            roll("B", "2022-09-01", school_id="OLD"),
            roll("B", "2023-10-01", school_id="NEW"),
            roll("C", "2023-10-01", school_id="S2"),
            roll("C", "2023-10-01", school_id="S1"),
        ]
    )
    spine = build_spine(tables, [day("2024-01-01")], "pex")
    assert who(spine) == ["A", "B", "C"]
    assert spine["school_id"].tolist() == ["MAIN", "NEW", "S1"]


@pytest.mark.parametrize(
    ("outcome", "year_group", "there"),
    [
        ("pex", 0, False),
        ("pex", 1, True),
        ("pex", 11, True),
        ("pex", 12, False),
        ("neet", 8, False),
        ("neet", 9, True),
        ("neet", 11, True),
        ("neet", 12, False),
    ],
)
def test_a_cohort_holds_the_year_groups_of_its_outcome_only(
    outcome: str, year_group: int, there: bool
) -> None:
    tables = make_tables(enrolments=[roll("A", "2023-09-01", year_group=year_group)])
    assert len(build_spine(tables, [day("2024-08-01")], outcome)) == there


def test_year_group_moves_on_each_september() -> None:
    tables = make_tables(enrolments=[roll("A", "2021-05-01", year_group=3)])
    days = [day("2021-08-01"), day("2021-11-01"), day("2024-08-01")]
    assert build_spine(tables, days, "pex")["year_group"].tolist() == [3, 4, 6]


@pytest.mark.parametrize(
    ("birth_month", "year_groups"),
    [
        ("2008-09-01", []),
        ("2008-08-01", [12]),
        ("2007-09-01", [12]),
        ("2007-08-01", [13]),
        ("2006-09-01", [13]),
        ("2006-08-01", []),
        (None, [pd.NA]),
    ],
)
def test_after_16_the_year_group_follows_from_the_month_of_birth(
    birth_month: str | None, year_groups: list[object]
) -> None:
    tables = make_tables(
        pupils=[{"pupil_id": name, "birth_month": birth_month} for name in PUPILS],
        destinations=[position("C", "2024-09-01")],
    )
    spine = build_spine(tables, [day("2025-01-01")], "neet-post16")
    expected = pd.Series(year_groups, dtype="Int64", name="year_group")
    pd.testing.assert_series_equal(spine["year_group"], expected)
    assert spine["school_id"].tolist() == [""] * len(spine)


@pytest.mark.parametrize(
    ("rolls", "year_groups"),
    [
        ([roll("C", "2023-09-01", year_group=11)], [12]),
        ([roll("C", "2022-09-01", year_group=11)], [13]),
        ([roll("C", "2021-09-01", year_group=11)], []),  # 14 now
        # the last roll counts: the pupil repeated a year
        ([roll("C", "2021-09-01", year_group=10), roll("C", "2023-09-01", year_group=11)], [12]),
        ([roll("C", "2023-09-01", year_group=11, recorded_on="2025-01-01")], [pd.NA]),
        ([roll("A", "2023-09-01", year_group=11)], [pd.NA]),
    ],
)
def test_without_a_month_of_birth_the_year_group_after_16_follows_from_the_rolls(
    rolls: list[dict[str, object]], year_groups: list[object]
) -> None:
    tables = make_tables(enrolments=rolls, destinations=[position("C", "2024-09-01")])
    spine = build_spine(tables, [day("2025-01-01")], "neet-post16")
    expected = pd.Series(year_groups, dtype="Int64", name="year_group")
    pd.testing.assert_series_equal(spine["year_group"], expected)


def test_post16_needs_a_position_known_then() -> None:
    tables = make_tables(
        destinations=[
            position("C", "2024-09-01"),
            position("A", "2024-10-01"),
            position("A", "2024-11-01"),
            position("B", "2025-01-01"),
            position("D", "2024-09-01", recorded_on="2025-01-01"),
        ]
    )
    assert who(build_spine(tables, [day("2025-01-01")], "neet-post16")) == ["A", "C"]


def test_a_pupil_in_no_enrolment_is_in_no_cohort() -> None:
    tables = make_tables(enrolments=[roll("A", "2023-09-01")])
    assert who(build_spine(tables, [day("2024-01-01")], "pex")) == ["A"]


def test_snapshots_start_after_enough_history() -> None:
    facts = [{"pupil_id": "A", "school_id": "S1", "start_date": "2023-09-01", "category": "SUSP"}]
    tables = make_tables(suspensions=facts)
    days = snapshots(tables, "pex", before=day("2024-03-01"))
    # 2023-09-01 + 60 days is 2023-10-31
    assert days.strftime("%Y-%m-%d").tolist() == ["2023-11-01", "2024-01-01", "2024-03-01"]
    late = make_tables(suspensions=[{**facts[0], "start_date": "2023-09-03"}])
    assert snapshots(late, "pex", before=day("2024-03-01"))[0] == day("2024-01-01")


def test_p2_an_early_fact_recorded_later_moves_no_first_list() -> None:
    fact = {"pupil_id": "A", "school_id": "S1", "start_date": "2023-09-03", "category": "SUSP"}
    late = fact | {"start_date": "2023-06-01", "recorded_on": "2024-03-01"}
    before = day("2024-03-01")
    expected = snapshots(make_tables(suspensions=[fact]), "pex", before=before)
    assert snapshots(make_tables(suspensions=[fact, late]), "pex", before=before).equals(expected)


def test_snapshots_after_16_are_quarterly() -> None:
    tables = make_tables(destinations=[position("A", "1993-07-01")])
    days = snapshots(tables, "neet-post16", before=day("1994-07-01"))
    assert days.strftime("%Y-%m-%d").tolist() == ["1994-01-01", "1994-04-01", "1994-07-01"]


def test_no_snapshot_names_the_day_the_data_start() -> None:
    tables = make_tables(destinations=[position("A", "1993-07-01")])
    with pytest.raises(HistoryError, match=r"data start on 1993-07-01.*1994-01-01"):
        snapshots(tables, "neet-post16", before=day("1993-12-31"))


def test_without_facts_there_is_no_snapshot_and_the_tables_wanted_are_named() -> None:
    with pytest.raises(HistoryError, match="no sessions or suspensions"):
        snapshots(make_tables(suspensions=[]), "pex", before=day("2024-01-01"))


@pytest.mark.parametrize(
    ("last", "expected"),
    [("2024-07-25", "2024-08-01"), ("2024-07-18", "2024-08-01"), ("2024-07-17", "2024-06-01")],
)
def test_default_day_follows_the_last_fact(last: str, expected: str) -> None:
    fact = {"pupil_id": "A", "school_id": "S1", "category": "SUSP"}
    tables = make_tables(
        suspensions=[{**fact, "start_date": "2023-01-10"}, {**fact, "start_date": last}]
    )
    assert default_as_of(tables, "pex") == day(expected)


def term_of_suspensions(*more: Mapping[str, object]) -> Tables:
    """Return 200 suspensions on the days from 2 September 2024 to 20 March 2025, and some more."""
    days = pd.date_range("2024-09-02", periods=200).strftime("%Y-%m-%d")
    fact = {"pupil_id": "A", "school_id": "S1", "category": "SUSP"}
    return make_tables(
        suspensions=[fact | {"start_date": d} for d in days] + [fact | m for m in more]
    )


@pytest.mark.parametrize(
    "mistyped",
    [
        {"start_date": "2025-03-20", "recorded_on": "2026-03-20"},
        {"start_date": "2026-03-20"},
        {"start_date": "2014-03-20", "recorded_on": "2025-03-20"},
    ],
)
def test_one_mistyped_date_moves_neither_the_default_day_nor_the_first_list(
    mistyped: Mapping[str, object],
) -> None:
    for tables in (term_of_suspensions(), term_of_suspensions(mistyped)):
        assert default_as_of(tables, "pex") == day("2025-03-01")
        assert snapshots(tables, "pex", before=day("2025-03-01"))[0] == day("2024-11-01")


def tables_until(last: str, outcome: str) -> Tables:
    """Return a few facts of an outcome, the last of which was recorded on a day."""
    if outcome == "neet-post16":
        return make_tables(destinations=[position("A", "2023-01-10"), position("B", last)])
    fact = {"pupil_id": "A", "school_id": "S1", "category": "SUSP"}
    return make_tables(suspensions=[fact | {"start_date": d} for d in ("2023-01-10", last)])


@pytest.mark.parametrize(
    ("outcome", "last", "latest"),
    [
        ("pex", "2025-02-14", "2025-02-28"),
        ("neet", "2025-02-14", "2025-02-28"),
        ("pex", "2024-12-20", "2025-01-03"),
        # the summer holiday, and the first days of term before new extracts come
        ("pex", "2025-07-09", "2025-07-23"),
        ("pex", "2025-07-10", "2025-09-14"),
        ("neet", "2025-08-31", "2025-09-14"),
        ("pex", "2025-09-05", "2025-09-19"),
        # a month's positions, and two weeks until they come
        ("neet-post16", "2024-11-30", "2025-01-14"),
        ("neet-post16", "2025-07-31", "2025-09-14"),
    ],
)
def test_a_day_that_the_data_do_not_cover_is_refused_and_the_latest_one_named(
    outcome: str, last: str, latest: str
) -> None:
    tables = tables_until(last, outcome)
    for one in (latest, last, "2024-01-01"):
        assert resolve_as_of(tables, outcome, day(one)) == day(one)
    beyond = [day(latest) + pd.Timedelta(days=1), day(last) + pd.DateOffset(years=1)]
    for one in beyond:
        words = (
            rf"{one:%Y-%m-%d}.* end on {last}\. Name a day up to {latest}, or add newer extracts"
        )
        with pytest.raises(RequestError, match=words):
            resolve_as_of(tables, outcome, one)


@pytest.mark.parametrize(
    ("outcome", "earliest", "days"),
    [("pex", "2023-03-11", 60), ("neet", "2023-03-11", 60), ("neet-post16", "2023-07-09", 180)],
)
def test_a_day_before_or_soon_after_the_data_begin_is_refused_and_the_first_one_named(
    outcome: str, earliest: str, days: int
) -> None:
    tables = tables_until("2025-02-14", outcome)  # from 10 January 2023 on
    assert resolve_as_of(tables, outcome, day(earliest)) == day(earliest)
    for one in (day(earliest) - pd.Timedelta(days=1), day("2023-01-11"), day("2015-10-01")):
        words = rf"{one:%Y-%m-%d}.* start on 2023-01-10.* {days} days .*from {earliest} on"
        with pytest.raises(RequestError, match=words):
            resolve_as_of(tables, outcome, one)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_without_a_day_the_default_one_is_taken(outcome: str) -> None:
    tables = tables_until("2025-07-18", outcome)
    assert resolve_as_of(tables, outcome, None) == default_as_of(tables, outcome)


def test_a_mistyped_date_lets_no_later_day_through() -> None:
    mistyped = term_of_suspensions({"start_date": "2025-03-20", "recorded_on": "2026-03-20"})
    with pytest.raises(RequestError, match="end on 2025-03-20"):
        resolve_as_of(mistyped, "pex", day("2026-03-01"))


@given(
    outcome=st.sampled_from(tuple(OUTCOMES)),
    last=st.dates(day("2024-01-01").date(), day("2027-12-31").date()),
)
def test_the_default_day_is_one_that_may_be_asked_for(outcome: str, last: date) -> None:
    tables = tables_until(f"{last:%Y-%m-%d}", outcome)
    found = default_as_of(tables, outcome)
    assert resolve_as_of(tables, outcome, found) == found


def test_an_unknown_outcome_is_refused_and_the_known_ones_named() -> None:
    tables = make_tables(enrolments=[])
    with pytest.raises(RequestError, match="pex, neet, neet-post16, exit, .*; got 'exams'"):
        build_spine(tables, [day("2024-01-01")], "exams")
    with pytest.raises(RequestError, match="got 'exams'"):
        snapshots(tables, "exams", before=day("2024-01-01"))
    with pytest.raises(RequestError, match="got 'exams'"):
        default_as_of(tables, "exams")
    with pytest.raises(RequestError, match="got 'exams'"):
        resolve_as_of(tables, "exams", day("2024-01-01"))


def test_a_spine_without_a_day_or_without_its_table_is_refused() -> None:
    with pytest.raises(RequestError, match="No day was given"):
        build_spine(make_tables(enrolments=[]), [], "pex")
    with pytest.raises(DataError, match="no table 'destinations'"):
        build_spine(make_tables(enrolments=[]), [day("2024-01-01")], "neet-post16")


DAYS = st.integers(0, 900).map(lambda n: day("2022-09-01") + pd.Timedelta(days=n))


@settings(max_examples=40, deadline=None)
@given(
    spells=st.lists(
        st.tuples(st.sampled_from(PUPILS), DAYS, st.integers(0, 400), st.integers(0, 60)),
        max_size=10,
    ),
    as_of=DAYS,
    shuffle=st.randoms(use_true_random=False),
)
def test_later_facts_and_row_order_change_nothing(
    spells: list[tuple[str, pd.Timestamp, int, int]], as_of: pd.Timestamp, shuffle: object
) -> None:
    rows = [
        roll(
            name,
            str(entry),
            str(entry + pd.Timedelta(days=length)),
            school_id=f"S{place}",
            recorded_on=str(entry + pd.Timedelta(days=lag)),
            end_recorded_on=str(entry + pd.Timedelta(days=length + lag)),
        )
        for place, (name, entry, length, lag) in enumerate(spells)
    ]
    known = [row for row in rows if day(str(row["recorded_on"])) < as_of]
    blind = [
        row
        if day(str(row["end_recorded_on"])) < as_of
        else row | {"leaving_date": None, "end_recorded_on": None}
        for row in known
    ]
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(
        build_spine(make_tables(enrolments=rows), [as_of], "pex"),
        build_spine(make_tables(enrolments=blind), [as_of], "pex"),
    )


def test_a_child_between_two_schools_in_the_summer_stays_on_the_list() -> None:
    primary = ["2018-09-03", "2025-07-31", 0, "end_of_phase"]
    area = ["2018-09-03", "2025-07-31", 0, "left_area"]
    columns = ["entry_date", "leaving_date", "year_group", "leaving_reason"]
    frame = pd.DataFrame([primary, area], columns=columns)
    dtype = pd.CategoricalDtype(pd.Index(["A", "B"], dtype="str"))
    rolls = frame.assign(
        pupil_id=pd.Categorical(["A", "B"], dtype=dtype),
        school_id="S1",
        status="main",
        entry_date=pd.to_datetime(frame["entry_date"]).astype("datetime64[s]"),
        leaving_date=pd.to_datetime(frame["leaving_date"]).astype("datetime64[s]"),
    )
    rolls = rolls.assign(recorded_on=rolls["entry_date"], end_recorded_on=rolls["leaving_date"])
    tables = Tables({"enrolments": rolls, "pupils": rolls[["pupil_id"]]})
    day = pd.Timestamp("2025-08-01")
    spine = build_spine(tables, [day], "pex")
    assert spine["pupil_id"].tolist() == ["A"]
    assert spine["year_group"].tolist() == [6]


SCHOOL_YEAR = "2024-09-02"
END_OF_TERM = "2025-07-22"


LEAVERS = [
    (2, "end_of_phase", True),  # from an infant school
    (6, "end_of_phase", True),
    (8, "end_of_phase", True),  # from a middle school
    (9, "transferred", True),
    (9, "managed_move", True),
    (9, "destination_unknown", True),  # the children who vanish
    (9, None, True),
    (9, "home_educated", False),
    (9, "left_area", False),
    (9, "permanently_excluded", False),
    (9, "other", False),  # a death among them: there is no code of its own
    (11, "completed", False),
    (11, "destination_unknown", False),  # Year 11 is over in summer, whatever was recorded
    (11, None, False),
]
"""Year group, reason for leaving, whether the child stays on the list of August."""


@pytest.mark.parametrize(("year_group", "reason", "stays"), LEAVERS)
def test_in_august_a_leaver_stays_on_the_list_unless_gone_from_the_schools_for_good(
    year_group: int, reason: str | None, stays: bool
) -> None:
    spell = roll("A", SCHOOL_YEAR, END_OF_TERM, year_group=year_group, leaving_reason=reason)
    spine = build_spine(make_tables(enrolments=[spell]), [day("2025-08-01")], "pex")
    assert who(spine) == (["A"] if stays else [])
    assert spine["year_group"].tolist() == ([year_group] if stays else [])
    assert spine["school_id"].tolist() == (["S1"] if stays else [])


def test_every_reason_for_leaving_is_in_that_table() -> None:
    stated = {reason for _, reason, _ in LEAVERS if reason}
    assert stated == set(TABLES["enrolments"]["leaving_reason"].allowed)


@pytest.mark.parametrize(
    ("spell", "on", "there"),
    [
        (roll("A", SCHOOL_YEAR, END_OF_TERM, year_group=9), "2025-09-10", True),  # 50 days
        (roll("A", SCHOOL_YEAR, END_OF_TERM, year_group=9), "2025-09-11", False),
        (roll("A", SCHOOL_YEAR, "2025-03-14", year_group=11), "2025-04-15", True),
        (roll("A", SCHOOL_YEAR, "2025-05-31", year_group=11), "2025-06-01", True),
        (roll("A", SCHOOL_YEAR, "2025-06-01", year_group=11), "2025-06-02", False),
    ],
)
def test_a_leaver_stays_as_long_as_a_gap_may_last_and_nobody_who_is_done_with_year_11(
    spell: dict[str, object], on: str, there: bool
) -> None:
    tables = make_tables(enrolments=[spell | {"leaving_reason": "transferred"}])
    assert who(build_spine(tables, [day(on)], "pex")) == (["A"] if there else [])


@pytest.mark.parametrize(
    ("spells", "school"),
    [
        # what was recorded last counts
        (
            [
                ("S1", "2025-06-20", "transferred", "main"),
                ("S2", "2025-07-18", "left_area", "main"),
            ],
            None,
        ),
        (
            [
                ("S1", "2025-06-20", "left_area", "main"),
                ("S2", "2025-07-18", "transferred", "main"),
            ],
            "S2",
        ),
        (
            [
                ("S1", "2025-07-18", "transferred", "main"),
                ("S2", "2025-07-18", "left_area", "main"),
            ],
            None,
        ),
        # a placement beside the main roll does not show where the child went
        (
            [
                ("S1", "2025-07-18", "left_area", "main"),
                ("AP", "2025-07-20", "transferred", "dual"),
            ],
            None,
        ),
        (
            [("S1", "2025-07-18", "end_of_phase", "main"), ("AP", "2025-07-20", "other", "dual")],
            "S1",
        ),
        ([("S1", "2025-07-18", "left_area", "main"), ("S2", None, None, "main")], "S2"),
    ],
)
def test_of_several_rolls_that_ended_the_last_main_one_shows_whether_a_child_is_gone(
    spells: list[tuple[str, str | None, str | None, str]], school: str | None
) -> None:
    rows = [
        roll("A", SCHOOL_YEAR, left, school_id=name, leaving_reason=reason, status=status)
        for name, left, reason, status in spells
    ]
    spine = build_spine(make_tables(enrolments=rows), [day("2025-08-01")], "pex")
    assert spine["school_id"].tolist() == ([] if school is None else [school])


def test_a_leaver_whose_end_is_not_known_yet_is_still_on_the_roll() -> None:
    spell = roll(
        "A", SCHOOL_YEAR, END_OF_TERM, leaving_reason="left_area", end_recorded_on="2025-08-01"
    )
    days = [day("2025-08-01"), day("2025-08-02")]
    assert len(build_spine(make_tables(enrolments=[spell]), days, "pex")) == 1


def test_between_schools_a_child_is_no_negative_unless_a_roll_follows() -> None:
    rows = [roll(name, SCHOOL_YEAR, END_OF_TERM, leaving_reason="transferred") for name in "ABC"]
    rows += [roll("A", "2025-09-03", school_id="S2"), roll("B", "2025-11-03", school_id="S2")]
    excluded = [
        {"pupil_id": "C", "school_id": "S9", "start_date": "2026-02-02", "category": "PERM"}
    ]
    tables = make_tables(enrolments=rows, suspensions=excluded)
    spine = build_spine(tables, [day("2025-08-01")], "pex")
    assert who(spine) == ["A", "B", "C"]
    labels = label(tables, spine, "pex", known_by=day("2026-09-01"))
    assert labels["status"].tolist() == ["no_event", "censored", "event"]


@pytest.mark.parametrize(
    ("main_left", "reason", "there"),
    [
        ("2024-02-01", "left_area", False),  # the main roll shows where the child went
        ("2022-07-20", "transferred", True),  # a main roll of long ago shows nothing of today
    ],
)
@pytest.mark.parametrize("on", ["2024-03-20", "2024-04-01"])
def test_of_rolls_that_ended_near_each_other_the_main_one_shows_whether_a_child_is_gone(
    main_left: str, reason: str, there: bool, on: str
) -> None:
    tables = make_tables(
        enrolments=[
            roll("A", "2021-09-01", main_left, leaving_reason=reason),
            roll(
                "A",
                "2023-09-01",
                "2024-03-10",
                status="dual",
                school_id="AP",
                leaving_reason="destination_unknown",
            ),
        ]
    )
    assert who(build_spine(tables, [day(on)], "pex")) == ["A"] * there
