"""Every builder on simulated pupils against loops that are slow and obvious."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.codes import code_set
from riskmodel.features import CATALOGUE, build
from riskmodel.features.marks import FAMILIES
from riskmodel.simulate import simulate

DAY = pd.Timestamp("2025-03-01").as_unit("s")
PUPILS = 60
"""Pupils looked at one by one."""

MEANING = code_set("marks")["family"].to_dict()
ABSENCE = ("authorised", "unauthorised")

Fact = dict[str, Any]


def days_ago(days: int) -> pd.Timestamp:
    return DAY - pd.Timedelta(days=days)


@cache
def la() -> tuple[Tables, pd.DataFrame, pd.DataFrame]:
    """A simulated LA, its cohort of a day, and the features of pupils of whom most and least is
    known, and of those with the highest value of any feature."""
    tables = simulate(pupils=900, years=3, seed=11, preset="bcp").tables
    spine = build_spine(tables, [DAY], "pex")
    features = build(tables, spine)
    names = ("suspensions", "send", "circumstances", "plans")
    facts = pd.concat([tables[name]["pupil_id"].astype("str") for name in names]).value_counts()
    order = spine["pupil_id"].astype("str").map(facts).fillna(0)
    order = order.sort_values(ascending=False, kind="stable").index  # alike on every machine
    highest = np.unique([np.argmax(np.nan_to_num(features[name], nan=-1.0)) for name in SLOW])
    most_and_least = np.r_[order[: PUPILS // 2], order[-PUPILS // 2 :]]
    chosen = np.union1d(most_and_least, spine.index[highest])
    return tables, spine.loc[chosen], features.loc[chosen]


@cache
def known_rows(name: str) -> dict[str, pd.DataFrame]:
    """Return the rows of a table recorded before the day, by pupil."""
    frame = la()[0][name]
    known = frame[frame["recorded_on"] < DAY]
    return {str(pupil): part for pupil, part in known.groupby("pupil_id", observed=True)}


# column → the column that holds the day on which it became known
KNOWN_ON = {
    "end_date": "end_recorded_on",
    "leaving_date": "end_recorded_on",
    "leaving_reason": "end_recorded_on",
    "decided_on": "decided_on",
    "outcome": "decided_on",
    "plan_on": "plan_on",
}


@cache
def facts_of(name: str, pupil: str) -> list[Fact]:
    """Return what was known of a pupil, ends that were not yet known left out."""
    rows = known_rows(name).get(pupil, pd.DataFrame()).to_dict("records")
    for row in rows:
        late = [c for c, when in KNOWN_ON.items() if c in row and not row[when] < DAY]
        row.update(dict.fromkeys(late))
    return [
        {str(k): None if value is pd.NaT else value for k, value in row.items()} for row in rows
    ]


def happened(name: str, pupil: str, column: str = "start_date") -> list[Fact]:
    """Return what happened before the day, in order."""
    own = [row for row in facts_of(name, pupil) if row[column] < DAY]
    return sorted(own, key=lambda row: row[column])


def is_open(row: Fact, start: str = "start_date", end: str = "end_date") -> bool:
    return row[start] < DAY and (row[end] is None or row[end] >= DAY)


def spell_days(rows: Iterable[Fact]) -> int:
    """Return the days of spells before the day; first and last day belong to a spell."""
    ends = [
        (row, DAY if row["end_date"] is None else row["end_date"] + pd.Timedelta(days=1))
        for row in rows
    ]
    return sum(max(0, (min(DAY, end) - row["start_date"]).days) for row, end in ends)


def mean(values: list[Any]) -> float:
    return float(np.mean(values)) if values else np.nan


# attendance


@cache
def school_days(n_days: int, skip: int = 0) -> list[pd.Timestamp]:
    dates = sorted(day for day in la()[0]["calendar"]["date"] if day < DAY)
    return dates[: len(dates) - skip][-n_days:]


@cache
def year_days() -> int:
    """Return the number of school days of the last 12 months."""
    dates = la()[0]["calendar"]["date"]
    return int(((dates < DAY) & (dates >= days_ago(365))).sum())


@cache
def term_days() -> int:
    """Return the number of school days of this term before the day."""
    rows = la()[0]["calendar"].sort_values("date")
    terms = rows.loc[rows["date"] < DAY, "term"].tolist()
    return next(n for n, term in enumerate(reversed(terms)) if term != terms[-1])


@cache
def register(pupil: str, n_days: int, skip: int = 0) -> list[tuple[str, str]]:
    """Return morning and afternoon of each of the last school days; empty where there is no mark."""
    own = {
        (row["date"], str(row["session"])): str(row["mark"]) for row in facts_of("sessions", pupil)
    }
    days = school_days(n_days, skip)
    return [(own.get((day, "AM"), ""), own.get((day, "PM"), "")) for day in days]


def half_days(pupil: str, n_days: int, skip: int = 0) -> list[str]:
    return [mark for day in register(pupil, n_days, skip) for mark in day]


def is_absent(mark: str) -> bool:
    return mark != "" and MEANING[mark] in ABSENCE


def is_present(mark: str) -> bool:
    return mark != "" and MEANING[mark] != "not_possible" and not is_absent(mark)


def rate(pupil: str, school: str, family: str, n_days: int, whole: str = "possible") -> float:
    marks = [mark for mark in half_days(pupil, n_days) if mark in FAMILIES[whole]]
    counted = [mark in FAMILIES[family] for mark in marks]
    return enough(counted, 2 * n_days) if whole == "possible" else mean(counted)


def enough(counted: list[bool], n_half_days: int) -> float:
    """Return the share that is True: nan with fewer than 30 known, or three quarters where that is fewer."""
    return mean(counted) if len(counted) >= min(30, 0.75 * n_half_days) else np.nan


def known_absences(marks: list[str]) -> list[bool]:
    return [is_absent(mark) for mark in marks if is_absent(mark) or is_present(mark)]


def absence(marks: list[str]) -> float:
    return enough(known_absences(marks), len(marks))


def absences(pupil: str, n_days: int) -> list[int]:
    """Return the lengths of absences that no half-day in school interrupts, the last one too."""
    lengths, run = [], 0
    for mark in half_days(pupil, n_days):
        if is_present(mark) and run:
            lengths.append(run)
            run = 0
        run += is_absent(mark)
    return [*lengths, run] if run else lengths


def half_days_since_present(pupil: str, school: str) -> float:
    marks = half_days(pupil, year_days())
    while marks and marks[-1] == "":
        marks.pop()
    return next((since for since, mark in enumerate(reversed(marks)) if is_present(mark)), np.nan)


def streak(pupil: str, school: str) -> int:
    count = 0
    for mark in reversed(half_days(pupil, year_days())):
        if is_present(mark):
            break
        count += is_absent(mark)
    return count


def afternoons_missed(pupil: str, school: str) -> float:
    days = [(am, pm) for am, pm in register(pupil, 60) if is_present(am)]
    return mean([is_absent(pm) for _, pm in days if is_absent(pm) or is_present(pm)])


def weeks_complete(pupil: str, school: str) -> float:
    marks = half_days(pupil, 60)
    weeks = [marks[n : n + 10] for n in range(0, 120, 10)]
    held = [week for week in weeks if any(is_present(mark) or is_absent(mark) for mark in week)]
    return mean([not any(map(is_absent, week)) for week in held])


def excess(pupil: str, school: str, weekdays: tuple[int, ...], halves: tuple[int, ...]) -> float:
    """Return the rate of absence on some weekdays and halves of the day, minus that of the rest."""
    inside: list[str] = []
    rest: list[str] = []
    for day, marks in zip(school_days(year_days()), register(pupil, year_days()), strict=True):
        for half, mark in enumerate(marks):
            chosen = day.weekday() in weekdays and half in halves
            (inside if chosen else rest).append(mark)
    here, there = known_absences(inside), known_absences(rest)
    return mean(here) - mean(there) if len(here) + len(there) >= 30 else np.nan


# peers


@cache
def rolls(pupil: str) -> list[Fact]:
    return happened("enrolments", pupil, "entry_date")


def is_on_roll(row: Fact) -> bool:
    return is_open(row, "entry_date", "leaving_date")


def year_group_now(row: Fact) -> int:
    """Return the year group on the day of a pupil who came in a year group on an earlier day."""
    came = row["entry_date"].year - (row["entry_date"].month < 9)
    return int(row["year_group"]) + DAY.year - (DAY.month < 9) - came


@cache
def on_rolls() -> list[tuple[str, str, int]]:
    """Return pupil, school and year group of everyone on a roll."""
    return [
        (pupil, row["school_id"], year_group_now(row))
        for pupil in la()[0].pupils.categories
        for row in rolls(pupil)
        if is_on_roll(row)
    ]


def schoolmates(pupil: str, school: str) -> set[str]:
    return {other for other, where, _ in on_rolls() if where == school} - {pupil}


def yearmates(pupil: str) -> set[str]:
    spine = la()[1]
    own = int(spine.set_index(spine["pupil_id"].astype("str")).loc[pupil, "year_group"])
    return {other for other, _, year_group in on_rolls() if year_group == own} - {pupil}


@cache
def numbers(pupil: str, n_days: int) -> Counter[str]:
    """Return the half-days of a pupil that were possible, absent and unauthorised."""
    counts: Counter[str] = Counter()
    for mark in half_days(pupil, n_days):
        counts["possible"] += is_absent(mark) or is_present(mark)
        counts["absent"] += is_absent(mark)
        counts["unauthorised"] += mark != "" and MEANING[mark] == "unauthorised"
    return counts


def rate_of(pupils: set[str], over: str, n_days: int | None = None) -> float:
    total: Counter[str] = sum(
        (numbers(pupil, n_days or year_days()) for pupil in pupils), Counter()
    )
    return total[over] / total["possible"] if total["possible"] else np.nan


def beyond(pupil: str, peers: set[str], over: str = "absent", n_days: int | None = None) -> float:
    return rate_of({pupil}, over, n_days) - rate_of(peers, over, n_days)


def persistent(pupil: str, school: str) -> float:
    rates = [rate_of({other}, "absent") for other in schoolmates(pupil, school)]
    return mean([rate >= 0.1 for rate in rates if not np.isnan(rate)])


def share_of(pupil: str, school: str, table: str, column: str, code: str) -> float:
    return mean(
        [
            any(row[column] == code and is_open(row) for row in facts_of(table, other))
            for other in schoolmates(pupil, school)
        ]
    )


def is_suspended(pupil: str) -> bool:
    return any(row["start_date"] >= days_ago(365) for row in suspensions(pupil))


def per_100(pupil: str, school: str, category: str, days: int) -> float:
    """Return facts at the school per 100 other pupils, of pupils who have left since too."""
    count = sum(
        row["category"] == category and row["school_id"] == school
        for other in la()[0].pupils.categories
        if other != pupil
        for row in happened("suspensions", other)
        if row["start_date"] >= days_ago(days)
    )
    mates = schoolmates(pupil, school)
    return 100 * count / len(mates) if mates else np.nan


# behaviour


@cache
def suspensions(pupil: str) -> list[Fact]:
    return [row for row in happened("suspensions", pupil) if row["category"] == "SUSP"]


def suspended(pupil: str, school: str, days: int) -> int:
    return sum(row["start_date"] >= days_ago(days) for row in suspensions(pupil))


def lost(pupil: str, school: str, days: int) -> float:
    return sum(row["sessions"] for row in suspensions(pupil) if row["start_date"] >= days_ago(days))


def gaps(pupil: str) -> list[int]:
    days = [row["start_date"] for row in suspensions(pupil)]
    return [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]


REASONS = {
    "violence": {"PP", "PA", "OW"},
    "verbal": {"VP", "VA", "LG", "RA", "DS", "BU"},
    "disruption": {"DB"},
    "drugs": {"DA"},
    "other": {"SM", "DM", "TH", "MT", "PH", "OT"},
}


def for_reason(pupil: str, school: str, name: str, days: int) -> int:
    return sum(
        row["category"] != "PERM"
        and row["start_date"] >= days_ago(days)
        and bool({row["reason_1"], row["reason_2"], row["reason_3"]} & REASONS[name])
        for row in happened("suspensions", pupil)
    )


def here(pupil: str, school: str) -> int:
    return sum(row["school_id"] == school for row in suspensions(pupil))


# context, needs and moves


def spells(pupil: str, kind: str) -> list[Fact]:
    return [row for row in happened("circumstances", pupil) if row["kind"] == kind]


def send(pupil: str) -> list[Fact]:
    return [row for row in happened("send", pupil) if row["provision"] != "N"]


def has_need(pupil: str, school: str, code: str) -> bool:
    """Return whether the spell in force that counts has a need: a plan before support."""
    in_force = [row for row in send(pupil) if is_open(row)]
    counts = sorted(in_force, key=lambda row: (row["provision"] == "E", row["start_date"]))
    return bool(counts) and code in (counts[-1]["primary_need"], counts[-1]["secondary_need"])


def weeks_waited(pupil: str, school: str) -> float:
    asked = [row for row in happened("plans", pupil, "requested_on") if row["decided_on"] is None]
    return (DAY - asked[-1]["requested_on"]).days / 7 if asked else 0


def mid_year_moves(pupil: str, school: str) -> int:
    main = [row for row in rolls(pupil) if row["status"] == "main"]
    return sum(row["entry_date"].month not in (8, 9) for row in main[1:])


def roll_gaps(pupil: str) -> list[int]:
    """Return the days on no roll between one roll and the next, where they are more than a summer."""
    found, reached = [], None
    for row in rolls(pupil):
        if reached is not None and (row["entry_date"] - reached).days > 61:
            found.append((row["entry_date"] - reached).days - 1)
        end = row["leaving_date"] or pd.Timestamp.max
        reached = end if reached is None else max(reached, end)
    return found


def score(pupil: str, school: str, stage: str) -> float:
    own = happened("attainment", pupil, "result_date")
    return mean([row["score"] for row in own if row["stage"] == stage])


def decile(pupil: str, school: str) -> float:
    own = happened("neighbourhood", pupil)
    return own[-1]["idaci_decile"] if own else np.nan


Slow = Callable[[str, str], float]

ALWAYS = 10**5

WINDOWS: dict[str, int | Callable[[], int]] = {
    "10_days": 10,
    "20_days": 20,
    "60_days": 60,
    "12_months": year_days,
    "term": term_days,
}

OF_MARKED = ("dual", "not_possible", "educated_elsewhere")

SLOW: dict[str, Slow] = {
    **{
        f"{family}_rate_{window}": partial(
            lambda p, s, family, n, whole: rate(p, s, family, n() if callable(n) else n, whole),
            family=family,
            n=n_days,
            whole="marked" if family in OF_MARKED else "possible",
        )
        for window, n_days in WINDOWS.items()
        for family in FAMILIES
        if f"{family}_rate_{window}" in CATALOGUE
    },
    "absence_change_4_weeks": lambda p, s: (
        absence(half_days(p, 20)) - absence(half_days(p, 20, 20))
    ),
    "absence_change_20_days": lambda p, s: (
        absence(half_days(p, 20)) - absence(half_days(p, 180, 20))
    ),
    "absence_change_year": lambda p, s: absence(half_days(p, 60)) - absence(half_days(p, 60, 190)),
    "absence_unevenness": lambda p, s: float(
        np.std([absence(half_days(p, 10, skip)) for skip in range(0, 60, 10)])
    ),
    "known_half_days": lambda p, s: sum(mark != "" for mark in half_days(p, year_days())),
    "absence_streak": streak,
    "half_days_since_present": half_days_since_present,
    "longest_absence_12_months": lambda p, s: max(absences(p, year_days()), default=0),
    "longest_absence_60_days": lambda p, s: max(absences(p, 60), default=0),
    "absence_spells_12_months": lambda p, s: len(absences(p, year_days())),
    "absence_spells_60_days": lambda p, s: len(absences(p, 60)),
    "mean_absence_length": lambda p, s: mean(absences(p, year_days())),
    "afternoons_missed": afternoons_missed,
    "weeks_complete": weeks_complete,
    "monday_friday_excess": partial(excess, weekdays=(0, 4), halves=(0, 1)),
    "morning_excess": partial(excess, weekdays=(0, 1, 2, 3, 4), halves=(0,)),
    "absence_against_year_group": lambda p, s: beyond(p, yearmates(p)),
    "absence_against_year_group_20_days": lambda p, s: beyond(p, yearmates(p), n_days=20),
    "unauthorised_against_year_group": lambda p, s: beyond(p, yearmates(p), "unauthorised"),
    "absence_against_school": lambda p, s: beyond(p, schoolmates(p, s)),
    "school_absence_rate": lambda p, s: rate_of(schoolmates(p, s), "absent"),
    "school_absence_rate_20_days": lambda p, s: rate_of(schoolmates(p, s), "absent", 20),
    "school_unauthorised_rate": lambda p, s: rate_of(schoolmates(p, s), "unauthorised"),
    "school_persistent_share": persistent,
    "school_sen_support_share": partial(share_of, table="send", column="provision", code="K"),
    "school_ehc_plan_share": partial(share_of, table="send", column="provision", code="E"),
    "school_fsm_share": partial(share_of, table="circumstances", column="kind", code="fsm"),
    "school_roll": lambda p, s: len(schoolmates(p, s)),
    "school_suspended_share": lambda p, s: mean([is_suspended(m) for m in schoolmates(p, s)]),
    "year_group_suspended_share": lambda p, s: mean([is_suspended(m) for m in yearmates(p)]),
    "school_suspension_rate": partial(per_100, category="SUSP", days=365),
    "school_suspension_rate_3_months": partial(per_100, category="SUSP", days=91),
    "school_exclusion_rate": partial(per_100, category="PERM", days=ALWAYS),
    **{
        f"{name}_{window}": partial(count, days=days)
        for name, count in (("suspensions", suspended), ("sessions_lost", lost))
        for window, days in (
            ("1_month", 30),
            ("3_months", 91),
            ("6_months", 183),
            ("12_months", 365),
            ("24_months", 730),
            ("ever", ALWAYS),
        )
    },
    "suspension_gap_last": lambda p, s: gaps(p)[-1] if gaps(p) else np.nan,
    "suspension_gap_mean": lambda p, s: mean(gaps(p)),
    "suspension_gap_shortest": lambda p, s: min(gaps(p), default=np.nan),
    **{
        f"suspensions_{name}_{window}": partial(for_reason, name=name, days=days)
        for name in REASONS
        for window, days in (("12_months", 365), ("ever", ALWAYS))
    },
    "suspensions_at_this_school": here,
    "suspensions_at_other_schools": lambda p, s: len(suspensions(p)) - here(p, s),
    **{
        f"{kind}_{feature}": partial(
            lambda p, s, kind, slow: slow(spells(p, kind)), kind=kind, slow=slow
        )
        for feature, slow in (
            ("now", lambda rows: any(map(is_open, rows))),
            ("ever", bool),
            ("lately", lambda rows: any(row["start_date"] >= days_ago(365) for row in rows)),
            ("months", lambda rows: spell_days(rows) / 30.4375),
            ("spells", len),
        )
        for kind in ("fsm", "child_in_need", "child_protection", "looked_after", "early_help")
    },
    "sen_support_now": lambda p, s: any(is_open(r) and r["provision"] == "K" for r in send(p)),
    "ehc_plan_now": lambda p, s: any(is_open(r) and r["provision"] == "E" for r in send(p)),
    **{
        f"need_{code.lower()}_now": partial(has_need, code=code)
        for code in ("SEMH", "SLCN", "ASD", "MLD", "SPLD")
    },
    "need_types_so_far": lambda p, s: len(
        {row["primary_need"] for row in send(p) if isinstance(row["primary_need"], str)}
    ),
    "sen_years": lambda p, s: spell_days(send(p)) / 365.25,
    "sen_changes": lambda p, s: len(happened("send", p)),
    "plan_requests": lambda p, s: len(happened("plans", p, "requested_on")),
    "plan_weeks_waited": weeks_waited,
    "mid_year_moves": mid_year_moves,
    "schools_so_far": lambda p, s: len(
        {row["school_id"] for row in rolls(p) if row["status"] == "main"}
    ),
    "days_without_school": lambda p, s: sum(roll_gaps(p)),
    "longest_gap_between_schools": lambda p, s: max(roll_gaps(p), default=0),
    "ks2_score": partial(score, stage="KS2"),
    "idaci_decile": decile,
}


# of which these pupils have all or none; test_features_by_hand.py has pupils that differ
ALIKE = {
    *(f"{family}_rate_{window}" for family in ("dual", "not_possible") for window in WINDOWS),
    "part_time_rate_10_days",
    "holiday_rate_10_days",
    "closed_late_rate_10_days",
    "closed_late_rate_20_days",
    "known_half_days",
    "suspensions_other_12_months",
    "suspensions_other_ever",
    "looked_after_lately",
    "plan_weeks_waited",
    "days_without_school",
    "longest_gap_between_schools",
}


@pytest.mark.parametrize("name", SLOW)
def test_a_builder_equals_its_slow_reference(name: str) -> None:
    _, spine, features = la()
    slow = [
        float(SLOW[name](str(pupil), str(school)))
        for pupil, school in zip(spine["pupil_id"], spine["school_id"], strict=True)
    ]
    np.testing.assert_allclose(features[name], slow, rtol=1e-5, atol=1e-6)
    if name not in ALIKE:
        assert len(set(np.nan_to_num(slow, nan=-1))) > 1  # else the comparison shows little
