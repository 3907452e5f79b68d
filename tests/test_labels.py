from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.cohort import GAP_DAYS
from riskmodel.data import TABLES, Tables
from riskmodel.data.codes import code_set
from riskmodel.data.outcomes import OUTCOMES
from riskmodel.errors import DataError, RequestError
from riskmodel.labels import STATUSES, count_status, horizon_end, label, related
from tests.rolls import day, make_tables, position, roll
from tests.strategies import PUPILS, examples

AS_OF = day("2024-01-01")
LATER = day("2030-01-01")


def spine_of(
    tables: Tables, pupils: str = "A", as_of: str | pd.Timestamp = AS_OF, year_group: int = 9
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pupil_id": pd.Series(list(pupils), dtype=tables.pupils),
            "as_of": pd.Series([pd.Timestamp(as_of)] * len(pupils), dtype="datetime64[s]"),
            "school_id": pd.Series(["S1"] * len(pupils), dtype="str"),
            "year_group": pd.Series([year_group] * len(pupils), dtype="int64"),
        }
    )


def status_of(
    tables: Tables, outcome: str, *, known_by: pd.Timestamp = LATER, **more: object
) -> str:
    labels = label(tables, spine_of(tables, **more), outcome, known_by=known_by)
    return str(labels["status"].iloc[0])


def exclusion(
    start: str, pupil: str = "A", category: str = "PERM", **more: object
) -> dict[str, object]:
    return {"pupil_id": pupil, "school_id": "S1", "start_date": start, "category": category} | more


def pex_tables(rolls: list[dict[str, object]], *exclusions: dict[str, object]) -> Tables:
    return make_tables(enrolments=rolls, suspensions=exclusions)


# Permanent exclusion


@pytest.mark.parametrize(
    ("recorded_on", "expected"), [("2023-12-31", "no_event"), ("2024-01-01", "censored")]
)
def test_an_exclusion_before_the_list_that_was_not_known_yet_is_no_false_alarm(
    recorded_on: str, expected: str
) -> None:
    rolls = [roll("A", "2022-09-01", "2023-12-20"), roll("A", "2024-01-08", school_id="S2")]
    tables = pex_tables(rolls, exclusion("2023-12-15", recorded_on=recorded_on))
    assert status_of(tables, "pex") == expected
    tables = pex_tables(
        rolls, exclusion("2023-12-15", recorded_on=recorded_on), exclusion("2024-05-01")
    )
    assert status_of(tables, "pex") == "event"


@pytest.mark.parametrize(
    ("known_by", "expected"), [("2025-03-01", "event"), ("2025-03-02", "no_event")]
)
def test_an_overturned_exclusion_is_none_from_the_day_that_is_known(
    known_by: str, expected: str
) -> None:
    tables = pex_tables(
        [roll("A", "2022-09-01")], exclusion("2024-06-03", reinstated_on="2025-03-01")
    )
    assert status_of(tables, "pex", known_by=day(known_by)) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2023-12-31", "no_event"),
        ("2024-01-01", "event"),
        ("2024-12-31", "event"),
        ("2025-01-01", "no_event"),
    ],
)
def test_pex_counts_the_day_of_the_list_but_not_the_day_a_year_later(
    start: str, expected: str
) -> None:
    tables = pex_tables([roll("A", "2022-09-01")], exclusion(start))
    assert status_of(tables, "pex") == expected


@pytest.mark.parametrize("category", ["SUSP", "LNCH"])
def test_a_suspension_is_no_permanent_exclusion(category: str) -> None:
    tables = pex_tables([roll("A", "2022-09-01")], exclusion("2024-03-01", category=category))
    assert status_of(tables, "pex") == "no_event"


def test_another_pupils_exclusion_does_not_count() -> None:
    rolls = [roll("A", "2022-09-01"), roll("B", "2022-09-01"), roll("C", "2022-09-01")]
    tables = pex_tables(rolls, exclusion("2024-03-01", pupil="B"))
    labels = label(tables, spine_of(tables, "CBA"), "pex", known_by=LATER)
    assert labels["label"].tolist() == [0.0, 1.0, 0.0]


def test_whoever_was_on_no_roll_yet_is_censored_the_first_pupil_too() -> None:
    tables = pex_tables([roll("A", "2024-09-01"), roll("B", "2024-09-01")])
    labels = label(tables, spine_of(tables, "AB"), "pex", known_by=LATER)
    assert labels["status"].tolist() == ["censored", "censored"]


def test_pex_recorded_late_counts_once_it_is_known() -> None:
    late = exclusion("2024-12-20", recorded_on="2025-02-10")
    tables = pex_tables([roll("A", "2022-09-01")], late)
    assert status_of(tables, "pex", known_by=day("2025-02-10")) == "no_event"
    assert status_of(tables, "pex", known_by=day("2025-02-11")) == "event"


def test_excluded_and_off_roll_is_an_event_not_censored() -> None:
    left = roll("A", "2022-09-01", "2024-03-20", leaving_reason="permanently_excluded")
    assert status_of(pex_tables([left], exclusion("2024-03-01")), "pex") == "event"


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        ("2024-06-30", "censored"),
        ("2024-12-30", "censored"),
        ("2024-12-31", "no_event"),
        ("2025-03-01", "no_event"),
        (None, "no_event"),
    ],
)
def test_leaving_for_another_la_censors(leave: str | None, expected: str) -> None:
    left = roll("A", "2022-09-01", leave, leaving_reason="left_area" if leave else None)
    assert status_of(pex_tables([left]), "pex") == expected


def test_the_event_is_the_first_exclusion_of_the_horizon() -> None:
    tables = pex_tables(
        [roll("A", "2022-09-01")],
        exclusion("2024-05-01"),
        exclusion("2024-03-01"),
        exclusion("2023-11-01"),
    )
    labels = label(tables, spine_of(tables, "AB"), "pex", known_by=LATER)
    assert labels["event_on"].iloc[0] == day("2024-03-01")
    assert labels["event_on"].isna().tolist() == [False, True]


@pytest.mark.parametrize(("extra", "expected"), [(0, "no_event"), (1, "censored")])
def test_a_gap_between_rolls_censors_only_where_it_is_too_long(extra: int, expected: str) -> None:
    back = day("2024-03-01") + pd.Timedelta(days=GAP_DAYS + extra)
    rolls = [roll("A", "2022-09-01", "2024-03-01"), roll("A", f"{back:%Y-%m-%d}", school_id="S2")]
    assert status_of(pex_tables(rolls), "pex") == expected


def test_the_summer_between_two_schools_counts_as_on_roll() -> None:
    rolls = [
        roll("A", "2022-09-01", "2024-07-19", year_group=5, leaving_reason="end_of_phase"),
        roll("A", "2024-09-04", school_id="S2", year_group=7),
    ]
    assert status_of(pex_tables(rolls), "pex", year_group=6) == "no_event"


def test_dual_enrolment_bridges_the_main_roll() -> None:
    rolls = [
        roll("A", "2022-09-01", "2024-02-01"),
        roll("A", "2023-11-01", "2024-10-01", school_id="AP", status="dual"),
        roll("A", "2024-09-20", school_id="S3"),
    ]
    assert status_of(pex_tables(rolls), "pex") == "no_event"
    assert status_of(pex_tables([rolls[0], rolls[2]]), "pex") == "censored"


@pytest.mark.parametrize(
    ("leave", "reason", "year_at_entry", "expected"),
    [
        ("2024-06-28", "completed", 11, "no_event"),
        ("2024-06-01", "completed", 11, "no_event"),
        ("2024-05-31", "completed", 11, "censored"),
        ("2024-06-28", "left_area", 11, "censored"),
        ("2024-06-28", "completed", 10, "censored"),
        ("2024-10-30", "completed", 11, "no_event"),  # Year 12 by then
    ],
)
def test_the_end_of_compulsory_schooling_is_no_censoring(
    leave: str, reason: str, year_at_entry: int, expected: str
) -> None:
    done = roll("A", "2023-09-01", leave, leaving_reason=reason, year_group=year_at_entry)
    assert status_of(pex_tables([done]), "pex", year_group=year_at_entry) == expected


def test_finishing_one_roll_does_not_excuse_leaving_another_later() -> None:
    rolls = [
        roll("A", "2023-09-01", "2024-06-28", year_group=11, leaving_reason="completed"),
        roll("A", "2024-07-15", "2024-10-01", year_group=11, leaving_reason="left_area"),
    ]
    assert status_of(pex_tables(rolls), "pex", year_group=11) == "censored"


def test_a_label_is_not_known_until_its_horizon_is_over() -> None:
    tables = pex_tables([roll("A", "2022-09-01")], exclusion("2024-02-01"))
    assert status_of(tables, "pex", known_by=day("2024-12-31")) == "not_yet"
    assert status_of(tables, "pex", known_by=day("2025-01-01")) == "event"
    assert status_of(tables, "pex", known_by=day("2020-01-01")) == "not_yet"  # no roll known yet


# NEET after Year 11


@pytest.mark.parametrize(
    ("as_of", "year_group", "expected"),
    [
        ("2023-11-01", 11, "2025-03-01"),
        ("2024-08-01", 11, "2025-03-01"),
        ("2023-11-01", 9, "2027-03-01"),
        ("2024-01-01", 10, "2026-03-01"),
    ],
)
def test_the_horizon_of_neet_ends_in_the_march_after_year_11_ended(
    as_of: str, year_group: int, expected: str
) -> None:
    spine = spine_of(make_tables(), as_of=as_of, year_group=year_group)
    assert horizon_end(spine, "neet").tolist() == [day(expected)]


@pytest.mark.parametrize("outcome", ["pex", "neet-post16"])
def test_other_horizons_are_twelve_months(outcome: str) -> None:
    spine = spine_of(make_tables(), "AB", as_of="2024-02-29")
    assert horizon_end(spine, outcome).tolist() == [day("2025-02-28")] * 2


EDUCATION, WORK, NEET, UNKNOWN, CUSTODY, COURSE = "210", "330", "619", "810", "710", "530"


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        ((NEET, NEET, EDUCATION), "event"),
        ((NEET, UNKNOWN, NEET), "event"),
        ((NEET, EDUCATION, WORK), "no_event"),
        ((CUSTODY, COURSE, NEET), "no_event"),  # neither counts as NEET: stated policy
        ((NEET, UNKNOWN, EDUCATION), "not_known"),
        ((UNKNOWN, UNKNOWN, NEET), "not_known"),
        ((UNKNOWN, UNKNOWN, EDUCATION), "not_known"),
    ],
)
def test_neet_is_two_of_three_months(months: tuple[str, ...], expected: str) -> None:
    starts = ["2024-12-01", "2025-01-31", "2025-02-28"]  # the last day of a month still counts
    rows = [position("A", start, code) for start, code in zip(starts, months, strict=True)]
    tables = make_tables(destinations=rows, enrolments=[])
    assert status_of(tables, "neet", year_group=11) == expected


def test_a_position_lasts_until_the_next() -> None:
    rows = [position("A", "2024-09-01", EDUCATION), position("A", "2025-01-31", NEET)]
    assert (
        status_of(make_tables(destinations=rows, enrolments=[]), "neet", year_group=11) == "event"
    )
    rows[1] = position("A", "2025-02-01", NEET)
    tables = make_tables(destinations=rows, enrolments=[])
    assert status_of(tables, "neet", year_group=11) == "no_event"


@pytest.mark.parametrize(
    ("leave", "expected"),
    [("2024-05-31", "censored"), ("2024-06-28", "not_known"), (None, "not_known")],
)
def test_without_a_destination_staying_to_the_end_is_not_known_and_leaving_before_is_censored(
    leave: str | None, expected: str
) -> None:
    tables = make_tables(destinations=[], enrolments=[roll("A", "2022-09-01", leave)])
    assert status_of(tables, "neet", year_group=11) == expected


# NEET after 16


def months_of(codes: str, first: str = "2024-01-01", pupil: str = "A") -> list[dict[str, object]]:
    """Return one position a month, confirmed at its end: n NEET, e education, u not known."""
    names = {"n": NEET, "e": EDUCATION, "u": UNKNOWN}
    starts = pd.date_range(first, periods=len(codes), freq="MS")
    return [
        position(pupil, str(start), names[code], confirmed_on=str(start + pd.offsets.MonthEnd()))
        for start, code in zip(starts, codes, strict=True)
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("nnnnnneeeeee", "event"),
        ("nnnnneeeeeee", "no_event"),
        ("eeeeeeeeeeee", "no_event"),
        ("nnnnnnuuuuuu", "event"),
        ("nnnnnueeeeee", "not_known"),
        ("uuuuuueeeeee", "not_known"),
        ("uuuuueeeeeee", "no_event"),
    ],
)
def test_neet_after_16_is_six_of_twelve_months(codes: str, expected: str) -> None:
    tables = make_tables(destinations=months_of(codes))
    assert status_of(tables, "neet-post16") == expected


def test_who_stays_in_one_activity_that_is_confirmed_again_is_known() -> None:
    months = pd.date_range("2023-11-01", "2024-12-01", freq="MS")
    again = [
        position("A", "2023-09-01", EDUCATION, confirmed_on=f"{month:%Y-%m-%d}") for month in months
    ]
    assert status_of(make_tables(destinations=again), "neet-post16") == "no_event"


@pytest.mark.parametrize(
    ("lapses_on", "expected"),
    [(None, "no_event"), ("2024-07-31", "not_known"), ("2024-08-01", "no_event")],
)
def test_a_position_counts_as_known_until_it_lapses(lapses_on: str | None, expected: str) -> None:
    row = position("A", "2023-09-01", EDUCATION, confirmed_on="2024-02-01", lapses_on=lapses_on)
    assert status_of(make_tables(destinations=[row]), "neet-post16") == expected


def test_a_position_without_a_day_of_lapse_lapses_six_months_after_it_was_confirmed() -> None:
    row = position("A", "2023-09-01", EDUCATION, confirmed_on="2024-01-31")
    assert status_of(make_tables(destinations=[row]), "neet-post16") == "not_known"
    rows = [position("A", "2024-09-01", EDUCATION, confirmed_on="2024-06-30")]
    tables = make_tables(destinations=rows, enrolments=[])
    assert status_of(tables, "neet", year_group=11) == "not_known"


@pytest.mark.parametrize("code", ["110", "120", "130", "140"])
def test_that_a_leaver_was_of_compulsory_age_is_not_a_known_destination(code: str) -> None:
    rows = [position("A", "2024-06-01", code, confirmed_on="2025-02-01")]
    tables = make_tables(destinations=rows, enrolments=[])
    assert status_of(tables, "neet", year_group=11) == "not_known"


def test_months_before_and_after_the_horizon_do_not_count() -> None:
    rows = months_of("nnnnnn" + "e" * 12 + "nnnnnn", first="2023-07-01")
    assert status_of(make_tables(destinations=rows), "neet-post16") == "no_event"


def test_nothing_confirmed_after_the_list_is_censored() -> None:
    before = months_of("nnn", first="2023-10-01")
    assert status_of(make_tables(destinations=before), "neet-post16") == "censored"
    assert status_of(make_tables(destinations=[]), "neet-post16") == "censored"
    again = [*before[:-1], before[-1] | {"confirmed_on": "2024-05-31"}]
    assert status_of(make_tables(destinations=again), "neet-post16") == "event"


# All outcomes


def test_labels_keep_the_index_of_the_spine_and_have_their_types() -> None:
    tables = pex_tables([roll("A", "2022-09-01")], exclusion("2024-02-01"))
    spine = spine_of(tables, "BA").set_axis([7, 3])
    labels = label(tables, spine, "pex", known_by=LATER)
    assert labels.index.tolist() == [7, 3]
    assert labels["status"].tolist() == ["censored", "event"]
    assert labels["label"].isna().tolist() == [True, False]
    assert labels.dtypes.astype("str").tolist() == [
        "float64",
        "category",
        "datetime64[s]",
        "datetime64[s]",
    ]
    assert list(labels["status"].cat.categories) == list(STATUSES)


def test_every_code_is_grouped() -> None:
    groups = {"education", "employment", "training", "reengagement", "custody", "neet", "not_known"}
    assert set(code_set("activities")["group"]) == groups


def test_count_status_shows_every_status() -> None:
    tables = pex_tables([roll("A", "2022-09-01")], exclusion("2024-02-01"))
    counts = count_status(label(tables, spine_of(tables, "ABA"), "pex", known_by=LATER))
    assert counts["status"].tolist() == list(STATUSES)
    assert counts["rows"].tolist() == [2, 0, 1, 0, 0]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_empty_spine_has_empty_labels(outcome: str) -> None:
    tables = make_tables(enrolments=[], suspensions=[], destinations=[], sessions=[])
    labels = label(tables, spine_of(tables, ""), outcome, known_by=LATER)
    assert labels.empty
    assert list(labels.columns) == ["label", "status", "horizon_end", "event_on"]


def test_an_unknown_outcome_and_a_missing_table_are_refused() -> None:
    tables = make_tables(enrolments=[])
    with pytest.raises(RequestError, match="got 'exams'"):
        label(tables, spine_of(tables), "exams", known_by=LATER)
    with pytest.raises(DataError, match="no table 'suspensions'"):
        label(tables, spine_of(tables), "pex", known_by=LATER)


# The slow, obvious way, one pupil at a time

DAY = pd.Timedelta(days=1)


def rows_of(tables: Tables, name: str, pupil: str) -> list[dict[str, Any]]:
    frame = tables[name]
    return [
        dict(zip(TABLES[name].names, row, strict=True))
        for row in frame[frame["pupil_id"] == pupil].values
    ]


def slow_pex(tables: Tables, pupil: str, as_of: pd.Timestamp) -> str:
    """Follow one pupil from roll to roll."""
    end = as_of + pd.DateOffset(months=12)
    stood = [
        fact
        for fact in rows_of(tables, "suspensions", pupil)
        if fact["category"] == "PERM" and not fact["start_date"] <= fact["reinstated_on"] < LATER
    ]
    if any(as_of <= fact["start_date"] < end for fact in stood):
        return "event"
    if any(fact["start_date"] < as_of <= fact["recorded_on"] for fact in stood):
        return "censored"
    spells = sorted(
        (spell["entry_date"], LATER if pd.isna(spell["leaving_date"]) else spell["leaving_date"])
        for spell in rows_of(tables, "enrolments", pupil)
    )
    reached = max(leave for entry, leave in spells if entry <= as_of)
    for entry, leave in spells:
        if as_of < entry <= reached + DAY * GAP_DAYS:
            reached = max(reached, leave)
    return "no_event" if reached >= end - DAY else "censored"


def slow_post16(tables: Tables, pupil: str, as_of: pd.Timestamp) -> str:
    """Look up each month of one young person."""
    rows = rows_of(tables, "destinations", pupil)
    rows = sorted(rows, key=lambda row: (row["start_date"], row["confirmed_on"]))
    if not any(row["confirmed_on"] >= as_of for row in rows):
        return "censored"
    neet = unknown = 0
    for month in range(12):
        last_day = (as_of + pd.DateOffset(months=month)) + pd.offsets.MonthEnd(0)
        until = [row for row in rows if row["start_date"] <= last_day]
        group = "not_known"
        if until:
            group = code_set("activities").loc[until[-1]["activity_code"], "group"]
            lapse = until[-1]["lapses_on"]
            if pd.isna(lapse):
                lapse = until[-1]["confirmed_on"] + pd.DateOffset(months=6)
            if last_day >= max(lapse, until[-1]["confirmed_on"] + DAY):
                group = "not_known"
        neet += group == "neet"
        unknown += group == "not_known"
    if neet >= 6:
        return "event"
    return "not_known" if neet + unknown >= 6 else "no_event"


def days_from(first: str, length: int) -> st.SearchStrategy[str]:
    return st.integers(0, length).map(lambda n: f"{day(first) + n * DAY:%Y-%m-%d}")


def key_of(*names: str) -> Callable[[dict[str, object]], tuple[object, ...]]:
    """Return the key of a row: rows that share one are versions, whose order counts, and no two facts."""
    return lambda row: tuple(row[name] for name in names)


ROLLS = st.lists(
    st.builds(
        lambda pupil, entry, length, place: roll(
            pupil,
            entry,
            None if length is None else f"{day(entry) + length * DAY:%Y-%m-%d}",
            school_id=f"S{place}",
        ),
        st.sampled_from(PUPILS),
        days_from("2022-09-01", 900),
        st.none() | st.integers(0, 500),
        st.integers(0, 9),
    ),
    max_size=14,
    unique_by=key_of("pupil_id", "school_id", "entry_date"),
)
EXCLUSIONS = st.lists(
    st.builds(
        exclusion,
        days_from("2023-06-01", 900),
        st.sampled_from(PUPILS),
        st.sampled_from(["PERM", "PERM", "SUSP"]),
        recorded_on=days_from("2023-12-01", 900),
        reinstated_on=st.none() | days_from("2023-12-01", 900),
    ),
    max_size=6,
    unique_by=key_of("pupil_id", "start_date", "category"),
)
POSITIONS = st.lists(
    st.builds(
        lambda pupil, start, code, lag, lapse: position(
            pupil,
            start,
            code,
            confirmed_on=f"{day(start) + lag * DAY:%Y-%m-%d}",
            lapses_on=None if lapse is None else f"{day(start) + lapse * DAY:%Y-%m-%d}",
        ),
        st.sampled_from(PUPILS),
        days_from("2023-06-01", 800) | st.just("2023-11-01"),
        st.sampled_from([NEET, NEET, EDUCATION, UNKNOWN]),
        st.integers(0, 400),
        st.none() | st.integers(0, 400),
    ),
    max_size=30,
    unique_by=key_of("pupil_id", "start_date", "confirmed_on"),
)


@settings(max_examples=examples(15), deadline=None)
@given(rolls=ROLLS, exclusions=EXCLUSIONS)
def test_pex_agrees_with_the_slow_way(
    rolls: list[dict[str, object]], exclusions: list[dict[str, object]]
) -> None:
    tables = pex_tables(rolls, *exclusions)
    rolls_now = tables["enrolments"]
    here = (rolls_now["entry_date"] < AS_OF) & ~(rolls_now["leaving_date"] < AS_OF)
    pupils = "".join(sorted(set(rolls_now.loc[here, "pupil_id"].astype("str"))))
    labels = label(tables, spine_of(tables, pupils), "pex", known_by=LATER)
    assert labels["status"].tolist() == [slow_pex(tables, name, AS_OF) for name in pupils]


@settings(max_examples=examples(15), deadline=None)
@given(rows=POSITIONS, as_of=st.sampled_from(["2024-01-01", "2024-04-01", "2024-07-15"]))
def test_post16_agrees_with_the_slow_way(rows: list[dict[str, object]], as_of: str) -> None:
    tables = make_tables(destinations=rows)
    pupils = "".join(PUPILS)
    labels = label(tables, spine_of(tables, pupils, as_of=as_of), "neet-post16", known_by=LATER)
    assert labels["status"].tolist() == [slow_post16(tables, name, day(as_of)) for name in pupils]


@settings(max_examples=examples(10), deadline=None)
@given(rolls=ROLLS, exclusions=EXCLUSIONS, rows=POSITIONS, known_by=days_from("2024-12-01", 200))
def test_nothing_recorded_later_changes_a_label(
    rolls: list[dict[str, object]],
    exclusions: list[dict[str, object]],
    rows: list[dict[str, object]],
    known_by: str,
) -> None:
    now = day(known_by)
    everything = make_tables(
        enrolments=rolls, suspensions=exclusions, destinations=rows, sessions=[]
    )
    before = {name: frame for name, frame in everything.items() if name != "pupils"}
    for name, frame in before.items():
        before[name] = frame[frame["recorded_on"] < now]
    spell = before["enrolments"]
    late = (spell["leaving_date"] >= now).to_numpy()  # here an end is recorded on its day
    hidden = {c: spell[c].mask(late) for c in ("leaving_date", "end_recorded_on", "leaving_reason")}
    past = Tables(
        {"pupils": everything["pupils"]} | before | {"enrolments": spell.assign(**hidden)}
    )
    for outcome in OUTCOMES:
        spine = spine_of(everything, "".join(PUPILS), year_group=11)
        pd.testing.assert_frame_equal(
            label(everything, spine, outcome, known_by=now),
            label(past, spine, outcome, known_by=now),
        )


@settings(max_examples=examples(10), deadline=None)
@given(rolls=ROLLS, exclusions=EXCLUSIONS, rows=POSITIONS, seed=st.integers(0, 9))
def test_row_order_changes_no_label(
    rolls: list[dict[str, object]],
    exclusions: list[dict[str, object]],
    rows: list[dict[str, object]],
    seed: int,
) -> None:
    tables = make_tables(enrolments=rolls, suspensions=exclusions, destinations=rows, sessions=[])
    order = np.random.default_rng(seed)
    mixed = Tables(
        {name: frame.iloc[order.permutation(len(frame))] for name, frame in tables.items()}
    )
    for outcome in OUTCOMES:
        spine = spine_of(tables, "".join(PUPILS), year_group=11)
        pd.testing.assert_frame_equal(
            label(tables, spine, outcome, known_by=LATER),
            label(mixed, spine, outcome, known_by=LATER),
        )


# The related outcome


def suspended(start: str, sessions: float, recorded: str | None = None, category: str = "SUSP"):  # type: ignore[no-untyped-def]
    more = {} if recorded is None else {"recorded_on": recorded}
    return exclusion(start, category=category, sessions=sessions, **more)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([suspended("2024-02-01", 12), suspended("2024-11-01", 8)], 1),
        ([suspended("2024-02-01", 12), suspended("2024-11-01", 7)], 0),
        ([suspended("2023-12-31", 12), suspended("2024-11-01", 8)], 0),  # one before the list
        ([suspended("2024-02-01", 12), suspended("2025-01-01", 8)], 0),  # one after the horizon
        ([suspended("2024-02-01", 30, category="PERM")], 0),
        ([], 0),
    ],
)
def test_ten_days_lost_to_suspension_within_the_horizon_are_the_related_outcome(
    facts: list[dict[str, object]], expected: int
) -> None:
    tables = pex_tables([roll("A", "2022-09-01")], *facts)
    found = related(tables, spine_of(tables, "AB"), "pex", known_by=LATER)
    assert found is not None
    assert found.tolist() == [expected, 0]


def test_a_suspension_recorded_later_is_not_yet_part_of_the_related_outcome() -> None:
    tables = pex_tables([roll("A", "2022-09-01")], suspended("2024-02-01", 30, "2024-03-01"))
    for day_known, expected in (("2024-03-01", 0), ("2024-03-02", 1)):
        found = related(tables, spine_of(tables), "pex", known_by=day(day_known))
        assert found is not None
        assert found.tolist() == [expected]
    assert related(tables, spine_of(tables), "neet", known_by=LATER) is None
