"""Pupils whose own marks end, schools that never send any, and registers that all end: by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import (
    build_spine,
    judged_and_not,
    not_judged,
    refuse_old_extract,
    resolve_as_of,
    snapshots,
)
from riskmodel.data import Tables
from riskmodel.data.check import check
from riskmodel.data.read import read
from riskmodel.data.stopped_registers import stopped_pupils, stopped_registers
from riskmodel.errors import RequestError, RiskmodelError
from riskmodel.features import build
from tests.strategies import table_of

HOLIDAYS = [
    ("2024-02-12", "2024-02-16"),
    ("2024-03-29", "2024-04-12"),
    ("2024-05-27", "2024-05-31"),
    ("2024-07-22", "2024-09-02"),
    ("2024-10-28", "2024-11-01"),
    ("2024-12-23", "2025-01-03"),
    ("2025-02-17", "2025-02-21"),
    ("2025-04-07", "2025-04-21"),
    ("2025-05-26", "2025-05-30"),
]

Days = list[pd.Timestamp]


def is_holiday(day: pd.Timestamp) -> bool:
    return any(pd.Timestamp(low) <= day <= pd.Timestamp(high) for low, high in HOLIDAYS)


SCHOOL_DAYS = [d for d in pd.bdate_range("2024-01-08", "2025-07-18") if not is_holiday(d)]


def days(first: str = "2024-01-08", last: str = "2025-07-18") -> Days:
    """Return the school days from one to another, both included."""
    return [d for d in SCHOOL_DAYS if pd.Timestamp(first) <= d <= pd.Timestamp(last)]


def of_week(marked: Iterable[pd.Timestamp], weekdays: Sequence[int]) -> Days:
    return [d for d in marked if d.day_of_week in weekdays]


@dataclass(frozen=True)
class Pupil:
    """A pupil on one roll, unless others are named, with marks on some days."""

    marked: Days
    school: str = "S"
    year_group: int = 8
    entry: str = "2023-09-04"
    mark: str = "/"
    parts: tuple[str, ...] = ("AM", "PM")
    rolls: tuple[dict[str, object], ...] = field(default=())


def la(pupils: dict[str, Pupil], calendar: bool = False) -> Tables:
    """Return the tables of some pupils; a mark is recorded the day after. Others of S have all marks."""
    pupils = {f"Z{n}": Pupil(SCHOOL_DAYS) for n in range(6)} | pupils
    names = tuple(sorted(pupils))
    rolls, marks = [], []
    for name, one in pupils.items():
        main = {"school_id": one.school, "entry_date": one.entry, "year_group": one.year_group}
        for roll in (main, *one.rolls):
            filled = {"pupil_id": name, "status": "main", "recorded_on": one.entry} | roll
            rolls.append(filled | {"end_recorded_on": filled.get("leaving_date")})
        for part in one.parts:
            frame = pd.DataFrame({"date": pd.DatetimeIndex(one.marked).astype("datetime64[s]")})
            marks.append(frame.assign(pupil_id=name, session=part, mark=one.mark))
    sessions = pd.concat(marks, ignore_index=True)
    kinds = table_of("sessions", [], names).dtypes
    sessions = sessions.assign(recorded_on=sessions["date"] + pd.Timedelta(days=1))
    frames = {
        "pupils": table_of("pupils", [{"pupil_id": name} for name in names], names),
        "enrolments": table_of("enrolments", rolls, names),
        "sessions": sessions.astype(dict(kinds))[list(kinds.index)],
    }
    if calendar:
        published = [{"date": str(d)[:10], "term": "autumn", "half_term": 1} for d in SCHOOL_DAYS]
        frames["calendar"] = table_of("calendar", published, names)
    return Tables(frames)


def left_out(tables: Tables, as_of: str = "2025-01-06") -> dict[str, str]:
    """Return pupil → since when no register speaks of them."""
    found = not_judged(tables, pd.Timestamp(as_of).as_unit("s"), "pex")
    return dict(zip(found["pupil_id"].astype("str"), found["since"].astype("str"), strict=True))


STOPS = {
    "the marks of one child end": ({"A": Pupil(days(last="2024-09-20"))}, {"A": "2024-09-23"}),
    "one stray mark hides nothing": (
        {"A": Pupil([*days(last="2024-09-20"), pd.Timestamp("2024-11-11")])},
        {"A": "2024-11-12"},
    ),
    "marks on two days a week, where the school marks five": (
        {"A": Pupil([*days(last="2024-11-22"), *of_week(days("2024-11-25"), [0, 1])])},
        {"A": "2024-11-27"},
    ),
    "a unit of two": (
        {name: Pupil(days(last="2024-07-19"), "PRU", year) for name, year in (("A", 8), ("B", 10))},
        {"A": "2024-09-03", "B": "2024-09-03"},
    ),
    "a school that opened this term and sent four weeks": (
        {f"A{n}": Pupil(days("2024-09-03", "2024-09-30"), "N", 7, "2024-09-03") for n in range(7)},
        {f"A{n}": "2024-10-01" for n in range(7)},
    ),
    "fewer than half of a year group": (
        {f"A{n}": Pupil(days(last="2024-10-25")) for n in range(3)},
        {f"A{n}": "2024-11-04" for n in range(3)},
    ),
}


@pytest.mark.parametrize("calendar", [False, True])
@pytest.mark.parametrize(("pupils", "since"), STOPS.values(), ids=STOPS)
def test_pupils_whose_own_marks_end_are_not_judged(
    pupils: dict[str, Pupil], since: dict[str, str], calendar: bool
) -> None:
    assert left_out(la(pupils, calendar)) == since


TO_PRU: dict[str, object] = {
    "school_id": "P",
    "entry_date": "2024-10-01",
    "status": "dual",
    "year_group": 8,
}

GOES_ON = {
    "nobody has stopped": Pupil(SCHOOL_DAYS),
    "mornings only": Pupil(SCHOOL_DAYS, parts=("AM",)),
    "not required to attend": Pupil(SCHOOL_DAYS, year_group=1, mark="X"),
    "a part-time timetable": Pupil(SCHOOL_DAYS, mark="C2"),
    "three days a week at one of two schools": Pupil(of_week(SCHOOL_DAYS, [0, 1, 2])),
    "at a unit, of which only one register comes": Pupil(days(last="2024-09-30"), rolls=(TO_PRU,)),
    "two weeks away, and back for a week": Pupil([*days(last="2024-12-01"), *days("2024-12-16")]),
    "a newcomer of last week": Pupil(days("2024-12-16"), entry="2024-12-16"),
    "on the roll for nine days, without a mark": Pupil([], entry="2024-12-10"),
    "never any mark here": Pupil([]),
    "two days a week since ever": Pupil(of_week(SCHOOL_DAYS, [0, 1])),
}


@pytest.mark.parametrize("calendar", [False, True])
@pytest.mark.parametrize("pupil", GOES_ON.values(), ids=GOES_ON)
def test_pupils_whose_marks_go_on_are_judged(pupil: Pupil, calendar: bool) -> None:
    tables = la({"A": pupil}, calendar)
    assert left_out(tables) == {}
    spine, none = judged_and_not(tables, pd.Timestamp("2025-01-06").as_unit("s"), "pex")
    assert "A" in set(spine["pupil_id"])
    assert none.empty


@pytest.mark.parametrize("closed", [11, 17])
def test_a_small_unit_that_reopened_has_not_stopped(closed: int) -> None:
    last = days(last="2025-01-05")[-20:]
    open_on = [d for d in SCHOOL_DAYS if d not in last[:closed]]
    assert left_out(la({name: Pupil(open_on, "PRU") for name in "AB"})) == {}


@pytest.mark.parametrize("as_of", ["2025-05-15", "2025-05-26", "2025-06-01", "2025-07-10"])
def test_year_11_on_study_leave_without_marks_is_judged(as_of: str) -> None:
    year_11 = {f"L{n}": Pupil(days(last="2025-05-02"), year_group=10) for n in range(8)}
    tables = la(year_11)
    assert left_out(tables, as_of) == {}
    assert stopped_registers(tables, pd.Timestamp(as_of)).empty


@pytest.mark.parametrize("as_of", ["2025-05-15", "2025-06-01"])
def test_year_11_that_stopped_before_study_leave_is_seen_in_may_and_june(as_of: str) -> None:
    year_11 = {f"L{n}": Pupil(days(last="2025-03-07"), year_group=10) for n in range(8)}
    assert left_out(la(year_11), as_of) == dict.fromkeys(year_11, "2025-03-10")


ALL = {f"A{n}": Pupil(SCHOOL_DAYS) for n in range(30)}


def ended(last: str, n_going_on: int = 0, calendar: bool = False) -> Tables:
    """Return an LA whose registers all end, but for a few pupils'."""
    tables = la(ALL, calendar)
    sessions = tables["sessions"]
    goes_on = sessions["pupil_id"].cat.codes < n_going_on
    sessions = sessions[(goes_on | (sessions["date"] <= last)).to_numpy()]
    return Tables(dict(tables.frames) | {"sessions": sessions.reset_index(drop=True)})


@pytest.mark.parametrize("calendar", [False, True])
@pytest.mark.parametrize("n_going_on", [0, 1])
def test_registers_that_all_end_are_refused_in_one_sentence(
    n_going_on: int, calendar: bool
) -> None:
    tables, day = ended("2024-11-08", n_going_on, calendar), pd.Timestamp("2025-01-06").as_unit("s")
    with pytest.raises(
        RequestError,
        match=r"registers end on 2024-11-08. Of the school days since 2024-11-11 hardly any marks "
        r"are there. Add the newer extract of sessions, or name a day up to 2024-11-22",
    ):
        refuse_old_extract(tables, "pex", day)
    assert len(left_out(tables)) == 36 - n_going_on
    assert build_spine(tables, [day], "pex")["pupil_id"].nunique() == n_going_on


@pytest.mark.parametrize("calendar", [False, True])
@pytest.mark.parametrize(
    ("last", "as_of"),
    [
        ("2024-12-20", "2025-01-06"),  # Christmas
        ("2025-04-04", "2025-04-22"),  # Easter, two weeks later than the year before
        ("2024-07-19", "2024-09-10"),  # summer
        ("2024-03-28", "2024-04-15"),  # Easter of the first year
        ("2024-11-15", "2024-11-29"),  # a list two weeks later than the data
    ],
)
def test_a_holiday_is_no_end_of_registers(last: str, as_of: str, calendar: bool) -> None:
    tables = ended(last, calendar=calendar)
    refuse_old_extract(tables, "pex", pd.Timestamp(as_of))
    assert left_out(tables, as_of) == {}


def test_a_summer_holiday_of_the_first_year_is_no_end_of_registers() -> None:
    tables = la({})
    sessions = tables["sessions"]
    first_year = sessions[sessions["date"].between("2024-01-08", "2024-07-19").to_numpy()]
    tables = Tables(dict(tables.frames) | {"sessions": first_year.reset_index(drop=True)})
    refuse_old_extract(tables, "pex", pd.Timestamp("2024-09-10"))
    with pytest.raises(RequestError, match="registers end on 2024-07-19"):
        refuse_old_extract(tables, "pex", pd.Timestamp("2024-10-25"))


def slowly(tables: Tables, as_of: pd.Timestamp) -> dict[str, pd.Timestamp]:
    """Return the pupils whose own registers stopped, one by one, day by day; without study leave."""
    facts = tables["sessions"]
    known = facts[(facts["recorded_on"] < as_of) & (facts["date"] < as_of)]
    marked = {p: set(d) for p, d in known.astype({"pupil_id": "str"}).groupby("pupil_id")["date"]}
    all_days = [d for d in SCHOOL_DAYS if d < as_of]
    rolls = tables["enrolments"].astype({"pupil_id": "str"}).to_dict("records")
    stopped = {}
    for roll in rolls:
        name, school, entry = roll["pupil_id"], roll["school_id"], roll["entry_date"]
        own = {d for d in marked.get(name, set()) if d >= entry}
        lately = [d for d in all_days[-20:] if d >= entry]
        taken = []
        for d in lately:
            here = [r for r in rolls if r["school_id"] == school and r["entry_date"] <= d]
            if sum(d in marked.get(r["pupil_id"], set()) for r in here) >= 0.25 * len(here):
                taken.append(d)
        is_silent = len(lately) >= 10 and not own & set(lately[-10:])
        is_few = len(taken) >= 10 and len(own & set(taken)) <= len(taken) / 2
        is_few = is_few and len(own & set(taken[-5:])) <= 2.5
        in_two_years = [d for d in all_days if d >= as_of - pd.DateOffset(years=2)]
        blocks = [in_two_years[n : n + 20] for n in range(-19, len(in_two_years))]
        was_full = any(
            len(own & set(in_two_years[max(0, n) : n + 20])) > 10 for n in range(-19, len(blocks))
        )
        if was_full and is_silent:
            stopped[name] = min(d for d in [*all_days, as_of] if d > max(own))
        elif was_full and is_few:
            stopped[name] = min(d for d in taken if d not in own)
    return stopped


@pytest.mark.parametrize("seed", range(6))
def test_the_fast_way_finds_what_a_slow_one_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pupils = {}
    for n in range(30):
        entry = str(rng.choice(["2023-09-04", "2024-09-03", "2024-11-25", "2024-12-10"]))
        end = pd.Timestamp(
            str(rng.choice(["2024-09-20", "2024-11-29", "2024-12-04", "2025-07-18"]))
        )
        gap = rng.choice([0, 0, 0.3, 0.55, 0.7])
        marked = [
            d
            for d in days(entry)
            if d <= end and (d < pd.Timestamp("2024-11-20") or rng.random() >= gap)
        ]
        pupils[f"A{n:02}"] = Pupil(marked, str(rng.choice(["S", "T", "U"])), entry=entry)
    tables, as_of = la(pupils), pd.Timestamp("2025-01-06").as_unit("s")
    found = stopped_pupils(tables, as_of)
    names = tables.pupils.categories[found["pupil"].to_numpy()]
    assert dict(zip(names, found["since"], strict=True)) == slowly(tables, as_of)
    assert len(found) > 3


def test_attendance_of_the_school_before_is_not_shown_where_none_is_sent_now() -> None:
    moved: dict[str, object] = {
        "school_id": "N",
        "entry_date": "2024-09-03",
        "year_group": 7,
        "recorded_on": "2024-09-03",
    }
    primary = Pupil(days(last="2024-07-19"), "P", 5, rolls=(moved,))
    tables = la({"A": primary, "B": Pupil(SCHOOL_DAYS, "N", 7, "2024-09-03")})
    tables["enrolments"].loc[lambda rolls: rolls["school_id"] == "P", "leaving_date"] = (
        pd.Timestamp("2024-07-19")
    )
    tables["enrolments"].loc[lambda rolls: rolls["school_id"] == "P", "end_recorded_on"] = (
        pd.Timestamp("2024-07-20")
    )
    rate = "absence_rate_12_months"
    for as_of, is_shown in (("2024-09-15", True), ("2025-01-06", False)):
        spine = build_spine(tables, [pd.Timestamp(as_of).as_unit("s")], "pex")
        made = build(tables, spine).set_index(spine["pupil_id"].astype("str"))
        assert np.isnan(made.loc["A", [rate, "absence_streak"]]).all() != is_shown
        assert not np.isnan(made.loc["Z1", rate])


AS_OF = pd.Timestamp("2025-03-01").as_unit("s")


def answers_of(tables: Tables, as_of: pd.Timestamp) -> list[str]:
    """Return the list days up to a day, and what is refused on it."""
    answers = []
    for ask in (
        lambda: [f"{day:%Y-%m-%d}" for day in snapshots(tables, "pex", before=as_of)],
        lambda: resolve_as_of(tables, "pex", as_of),
        lambda: refuse_old_extract(tables, "pex", as_of),
        lambda: left_out(tables, f"{as_of:%Y-%m-%d}"),
    ):
        try:
            answers.append(str(ask()))
        except RiskmodelError as error:
            answers.append(str(error))
    return answers


@pytest.mark.parametrize("marks_end", ["2025-07-18", "2025-02-07", "2024-12-20"])
@pytest.mark.parametrize("later", ["sessions", "suspensions"])
def test_p2_facts_recorded_from_the_day_on_move_no_list_day_and_no_refusal(
    marks_end: str, later: str
) -> None:
    tables = ended(marks_end)
    facts = pd.bdate_range("2024-02-01", "2025-07-18")
    rows = [
        {
            "pupil_id": "A1",
            "school_id": "S",
            "start_date": f"{day:%Y-%m-%d}",
            "category": "SUSP",
            "sessions": 2,
            "reason": "PP",
            "recorded_on": f"{day:%Y-%m-%d}",
        }
        for day in facts
    ]
    names = tuple(tables.pupils.categories)
    whole = dict(tables.frames) | {"suspensions": table_of("suspensions", rows, names)}
    old = (
        whole["sessions"]
        .head(40)
        .assign(date=lambda marks: marks["date"] - pd.Timedelta(days=364), recorded_on=AS_OF)
    )
    whole["sessions"] = pd.concat([whole["sessions"], old], ignore_index=True)
    known = {
        name: facts[(facts["recorded_on"] < AS_OF).to_numpy()] if name == later else facts
        for name, facts in whole.items()
    }
    assert answers_of(Tables(known), AS_OF) == answers_of(Tables(whole), AS_OF)


def problems(tiny: Path, tables: Tables, rule: str) -> list[str]:
    """Return what check says of registers, where suspensions go on to 6 January."""
    one: dict[str, object] = {"pupil_id": "Z1", "school_id": "S", "start_date": "2025-01-05"}
    one |= {"category": "SUSP", "sessions": 2, "reason": "PP", "recorded_on": "2025-01-05"}
    suspensions = table_of("suspensions", [one], tuple(tables.pupils.categories))
    tables = Tables(dict(tables.frames) | {"suspensions": suspensions})
    found = check(replace(read(tiny), tables=tables)).problems
    return found.loc[found["rule"] == rule, "message"].to_list()


def until_christmas(pupils: dict[str, Pupil]) -> Tables:
    tables = la(pupils)
    sessions = tables["sessions"]
    sessions = sessions[(sessions["date"] <= "2024-12-20").to_numpy()].reset_index(drop=True)
    return Tables(dict(tables.frames) | {"sessions": sessions})


def test_check_names_the_school_of_pupils_whose_own_marks_end(tiny: Path) -> None:
    tables = until_christmas({"A": Pupil(days(last="2024-09-20"))})
    (message,) = problems(tiny, tables, "marks_end")
    assert "1 pupil of school S (Year 9) has hardly any marks since 2024-09-23" in message
    assert not problems(tiny, tables, "registers_stop")


def test_check_names_a_school_that_sends_no_registers(tiny: Path) -> None:
    tables = until_christmas({f"A{n}": Pupil([], "N") for n in range(6)})
    (message,) = problems(tiny, tables, "school_without_registers")
    assert "no registers of school N come; its 6 pupils are judged without attendance" in message
    assert not problems(tiny, until_christmas({}), "school_without_registers")


def test_check_states_when_all_registers_end(tiny: Path) -> None:
    tables = ended("2024-11-08", n_going_on=1)
    sessions = tables["sessions"]
    sessions = sessions[(sessions["date"] <= "2024-12-20").to_numpy()].reset_index(drop=True)
    tables = Tables(dict(tables.frames) | {"sessions": sessions})
    (message,) = problems(tiny, tables, "registers_end")
    assert "the last are of 2024-11-08; hardly any marks are there since 2024-11-11" in message
    assert not problems(tiny, tables, "registers_stop")
