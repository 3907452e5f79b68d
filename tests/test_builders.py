"""Every builder on simulated pupils against loops that are slow and obvious."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.codes import code_set
from riskmodel.features import build
from riskmodel.simulate import simulate

DAY = pd.Timestamp("2025-03-01").as_unit("s")
PUPILS = 60
"""Pupils looked at one by one."""

FAMILY = code_set("marks")["family"]
DAYS = pd.Timedelta


@cache
def la() -> tuple[Tables, pd.DataFrame, pd.DataFrame]:
    """A simulated LA, its cohort of a day, and the features of pupils of whom most is known."""
    tables = simulate(pupils=900, years=3, seed=11, preset="bcp").tables
    spine = build_spine(tables, [DAY], "pex")
    features = build(tables, spine)
    facts = pd.concat(
        [
            tables[name]["pupil_id"].astype("str")
            for name in ("suspensions", "send", "circumstances", "plans")
        ]
    ).value_counts()
    order = spine["pupil_id"].astype("str").map(facts).fillna(0).sort_values(ascending=False).index
    chosen = np.r_[order[: PUPILS // 2], order[-PUPILS // 2 :]]
    return tables, spine.loc[chosen], features.loc[chosen]


@cache
def known_rows(name: str) -> dict[str, pd.DataFrame]:
    """Return the rows of a table recorded before the day, by pupil."""
    frame = la()[0][name]
    known = frame[frame["recorded_on"] < DAY]
    return {str(pupil): part for pupil, part in known.groupby("pupil_id", observed=True)}


@cache
def facts_of(name: str, pupil: str) -> list[dict[str, Any]]:
    """Return what was known of a pupil, ends that were not yet known left out."""
    rows = known_rows(name).get(pupil, pd.DataFrame()).to_dict("records")
    hide = {
        "end_date": "end_recorded_on",
        "leaving_date": "end_recorded_on",
        "leaving_reason": "end_recorded_on",
        "decided_on": "decided_on",
        "outcome": "decided_on",
        "plan_on": "plan_on",
    }
    for row in rows:
        late = [c for c, when in hide.items() if c in row and not row[when] < DAY]
        row.update(dict.fromkeys(late))
    return [
        {str(k): None if value is pd.NaT else value for k, value in row.items()} for row in rows
    ]


def open_on_the_day(row: dict[str, Any]) -> bool:
    return row["start_date"] < DAY and (row["end_date"] is None or row["end_date"] >= DAY)


def suspensions(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    own = [row for row in facts_of("suspensions", pupil) if row["start_date"] < DAY]
    return sorted(
        (row for row in own if row["category"] == "SUSP"), key=lambda row: row["start_date"]
    )


def marks(tables: Tables, pupil: str, n_days: int, skip: int = 0) -> list[str]:
    dates = sorted(d for d in tables["calendar"]["date"] if d < DAY)
    window = dates[: len(dates) - skip][-n_days:]
    own = [row for row in facts_of("sessions", pupil) if row["date"] in set(window)]
    return [str(row["mark"]) for row in sorted(own, key=lambda row: (row["date"], row["session"]))]


def absence(seen: list[str]) -> float:
    possible = [m for m in seen if FAMILY[m] != "not_possible"]
    absent = [m for m in possible if FAMILY[m] in ("authorised", "unauthorised")]
    return len(absent) / len(possible) if possible else np.nan


def gap(tables: Tables, pupil: str) -> float:
    days = [row["start_date"] for row in suspensions(tables, pupil)]
    return (days[-1] - days[-2]).days if len(days) > 1 else np.nan


def violent(tables: Tables, pupil: str) -> int:
    own = [row for row in facts_of("suspensions", pupil) if row["start_date"] < DAY]
    return sum(
        row["category"] != "PERM"
        and row["start_date"] >= DAY - DAYS(days=365)
        and bool({row["reason_1"], row["reason_2"], row["reason_3"]} & {"PP", "PA", "OW"})
        for row in own
    )


def here(tables: Tables, pupil: str, school: str) -> int:
    return sum(row["school_id"] == school for row in suspensions(tables, pupil))


def spells(tables: Tables, pupil: str, kind: str) -> list[dict[str, Any]]:
    own = facts_of("circumstances", pupil)
    return [row for row in own if row["kind"] == kind and row["start_date"] < DAY]


def months(tables: Tables, pupil: str, kind: str) -> float:
    total = 0
    for row in spells(tables, pupil, kind):
        end = DAY if row["end_date"] is None else min(DAY, row["end_date"] + DAYS(days=1))
        total += max(0, (end - row["start_date"]).days)
    return total / 30.4375


def send(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    return [row for row in facts_of("send", pupil) if row["provision"] != "N"]


def plans(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    return [row for row in facts_of("plans", pupil) if row["requested_on"] < DAY]


def waited(tables: Tables, pupil: str) -> float:
    days = [
        (DAY - row["requested_on"]).days
        for row in plans(tables, pupil)
        if row["decided_on"] is None
    ]
    return min(days) / 7 if days else 0


def rolls(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    own = [row for row in facts_of("enrolments", pupil) if row["entry_date"] < DAY]
    return sorted(own, key=lambda row: row["entry_date"])


def mid_year(tables: Tables, pupil: str) -> int:
    main = [row for row in rolls(tables, pupil) if row["status"] == "main"]
    return sum(row["entry_date"].month not in (8, 9) for row in main[1:])


def score(tables: Tables, pupil: str) -> float:
    own = [
        row["score"]
        for row in facts_of("attainment", pupil)
        if row["stage"] == "KS2" and row["result_date"] < DAY
    ]
    return float(np.mean(own)) if own else np.nan


def decile(tables: Tables, pupil: str) -> float:
    own = [row for row in facts_of("neighbourhood", pupil) if row["start_date"] < DAY]
    return max(own, key=lambda row: row["start_date"])["idaci_decile"] if own else np.nan


@cache
def on_roll(school: str) -> frozenset[str]:
    tables = la()[0]
    return frozenset(
        pupil
        for pupil in tables.pupils.categories
        if any(
            row["school_id"] == school
            and (row["leaving_date"] is None or row["leaving_date"] >= DAY)
            for row in rolls(tables, pupil)
        )
    )


def suspended_peers(tables: Tables, pupil: str, school: str) -> float:
    others = [other for other in on_roll(school) if other != pupil]
    lately = [
        any(row["start_date"] >= DAY - DAYS(days=365) for row in suspensions(tables, other))
        for other in others
    ]
    return float(np.mean(lately)) if others else np.nan


def register(tables: Tables, pupil: str, n_days: int) -> list[tuple[str, str]]:
    """Return morning and afternoon of each of the last school days; empty where there is no mark."""
    window = sorted(d for d in tables["calendar"]["date"] if d < DAY)[-n_days:]
    own = {
        (row["date"], str(row["session"])): str(row["mark"]) for row in facts_of("sessions", pupil)
    }
    return [(own.get((day, "AM"), ""), own.get((day, "PM"), "")) for day in window]


def is_absent(mark: str) -> bool:
    return mark != "" and FAMILY[mark] in ("authorised", "unauthorised")


def is_present(mark: str) -> bool:
    return mark != "" and FAMILY[mark] != "not_possible" and not is_absent(mark)


def absences(tables: Tables, pupil: str, n_days: int) -> list[int]:
    """Return the lengths of absences that no half-day in school interrupts, the last one too."""
    lengths, run = [], 0
    for mark in [half for day in register(tables, pupil, n_days) for half in day]:
        if is_present(mark) and run:
            lengths.append(run)
            run = 0
        run += is_absent(mark)
    return [*lengths, run] if run else lengths


def half_days_since_present(tables: Tables, pupil: str) -> float:
    marks = [half for day in register(tables, pupil, 200) for half in day]
    while marks and marks[-1] == "":
        marks.pop()
    return next((since for since, mark in enumerate(reversed(marks)) if is_present(mark)), np.nan)


def streak(tables: Tables, pupil: str) -> int:
    count = 0
    for mark in reversed([half for day in register(tables, pupil, 200) for half in day]):
        if is_present(mark):
            break
        count += is_absent(mark)
    return count


def afternoons_missed(tables: Tables, pupil: str) -> float:
    came = [
        (am, pm)
        for am, pm in register(tables, pupil, 60)
        if is_present(am) and (is_present(pm) or is_absent(pm))
    ]
    return float(np.mean([is_absent(pm) for _, pm in came])) if came else np.nan


def weeks_complete(tables: Tables, pupil: str) -> float:
    days = register(tables, pupil, 60)
    weeks = [[half for day in days[n : n + 5] for half in day] for n in range(0, 60, 5)]
    held = [week for week in weeks if any(is_present(m) or is_absent(m) for m in week)]
    return float(np.mean([not any(map(is_absent, week)) for week in held])) if held else np.nan


@cache
def numbers(pupil: str) -> dict[str, float]:
    """Return the half-days of a pupil of the last 200 school days, and of the last 20."""
    tables, made = la()[0], {}
    for name, n_days in (("", 200), ("_lately", 20)):
        seen = [FAMILY[mark] for mark in marks(tables, pupil, n_days)]
        made[f"possible{name}"] = sum(family != "not_possible" for family in seen)
        made[f"absent{name}"] = sum(family in ("authorised", "unauthorised") for family in seen)
        made[f"unauthorised{name}"] = sum(family == "unauthorised" for family in seen)
    return made


def year_group_of(row: dict[str, Any]) -> int:
    """Return the year group on the day of somebody who came in a year group on a day."""
    began = row["entry_date"].year - (row["entry_date"].month < 9)
    return int(row["year_group"]) + DAY.year - (DAY.month < 9) - began


@cache
def in_year(year_group: int) -> frozenset[str]:
    tables = la()[0]
    return frozenset(
        pupil
        for pupil in tables.pupils.categories
        if any(
            year_group_of(row) == year_group
            for row in rolls(tables, pupil)
            if row["leaving_date"] is None or row["leaving_date"] >= DAY
        )
    )


def rate_of(others: list[str], over: str, under: str) -> float:
    total = sum(numbers(other)[under] for other in others)
    return sum(numbers(other)[over] for other in others) / total if total else np.nan


def schoolmates(pupil: str, school: str) -> list[str]:
    return [other for other in on_roll(school) if other != pupil]


def yearmates(tables: Tables, pupil: str) -> list[str]:
    own = la()[1].set_index(la()[1]["pupil_id"].astype("str"))["year_group"]
    return [other for other in in_year(int(own[pupil])) if other != pupil]


def own_rate(pupil: str, over: str, under: str) -> float:
    return rate_of([pupil], over, under)


def persistent(pupil: str, school: str) -> float:
    rates = [rate_of([other], "absent", "possible") for other in schoolmates(pupil, school)]
    known = [rate for rate in rates if not np.isnan(rate)]
    return float(np.mean([rate >= 0.1 for rate in known])) if known else np.nan


def share_of(tables: Tables, pupil: str, school: str, table: str, column: str, code: str) -> float:
    others = schoolmates(pupil, school)
    held = [
        any(row[column] == code and open_on_the_day(row) for row in facts_of(table, other))
        for other in others
    ]
    return float(np.mean(held)) if others else np.nan


def roll_gaps(tables: Tables, pupil: str) -> list[int]:
    """Return the days on no roll between one roll and the next."""
    gaps, reached = [], None
    for row in rolls(tables, pupil):
        if reached is not None and (row["entry_date"] - reached).days > 1:
            gaps.append((row["entry_date"] - reached).days - 1)
        end = row["leaving_date"] or pd.Timestamp.max
        reached = end if reached is None else max(reached, end)
    return gaps


SLOW: dict[str, Callable[[Tables, str, str], float]] = {
    "absence_rate_20_days": lambda t, p, s: absence(marks(t, p, 20)),
    "absence_rate_60_days": lambda t, p, s: absence(marks(t, p, 60)),
    "absence_change_4_weeks": lambda t, p, s: (
        absence(marks(t, p, 20)) - absence(marks(t, p, 20, 20))
    ),
    "known_half_days": lambda t, p, s: len(marks(t, p, 200)),
    "suspensions_ever": lambda t, p, s: len(suspensions(t, p)),
    "sessions_lost_12_months": lambda t, p, s: sum(
        row["sessions"] for row in suspensions(t, p) if row["start_date"] >= DAY - DAYS(days=365)
    ),
    "suspension_gap_last": lambda t, p, s: gap(t, p),
    "suspensions_violence_12_months": lambda t, p, s: violent(t, p),
    "suspensions_at_this_school": here,
    "fsm_now": lambda t, p, s: any(open_on_the_day(row) for row in spells(t, p, "fsm")),
    "child_in_need_ever": lambda t, p, s: bool(spells(t, p, "child_in_need")),
    "early_help_months": lambda t, p, s: months(t, p, "early_help"),
    "sen_support_now": lambda t, p, s: any(
        open_on_the_day(row) and row["provision"] == "K" for row in send(t, p)
    ),
    "need_semh_now": lambda t, p, s: any(
        open_on_the_day(row) and "SEMH" in (row["primary_need"], row["secondary_need"])
        for row in send(t, p)
    ),
    "sen_changes": lambda t, p, s: sum(row["start_date"] < DAY for row in facts_of("send", p)),
    "plan_requests": lambda t, p, s: len(plans(t, p)),
    "plan_weeks_waited": lambda t, p, s: waited(t, p),
    "mid_year_moves": lambda t, p, s: mid_year(t, p),
    "schools_so_far": lambda t, p, s: len(
        {row["school_id"] for row in rolls(t, p) if row["status"] == "main"}
    ),
    "ks2_score": lambda t, p, s: score(t, p),
    "idaci_decile": lambda t, p, s: decile(t, p),
    "school_roll": lambda t, p, s: len(on_roll(s) - {p}),
    "school_suspended_share": suspended_peers,
    "absence_streak": lambda t, p, s: streak(t, p),
    "half_days_since_present": lambda t, p, s: half_days_since_present(t, p),
    "longest_absence_12_months": lambda t, p, s: max(absences(t, p, 200), default=0),
    "longest_absence_60_days": lambda t, p, s: max(absences(t, p, 60), default=0),
    "absence_spells_12_months": lambda t, p, s: len(absences(t, p, 200)),
    "mean_absence_length": lambda t, p, s: (
        float(np.mean(absences(t, p, 200))) if absences(t, p, 200) else np.nan
    ),
    "afternoons_missed": lambda t, p, s: afternoons_missed(t, p),
    "weeks_complete": lambda t, p, s: weeks_complete(t, p),
    "absence_against_year_group": lambda t, p, s: (
        own_rate(p, "absent", "possible") - rate_of(yearmates(t, p), "absent", "possible")
    ),
    "absence_against_year_group_20_days": lambda t, p, s: (
        own_rate(p, "absent_lately", "possible_lately")
        - rate_of(yearmates(t, p), "absent_lately", "possible_lately")
    ),
    "absence_against_school": lambda t, p, s: (
        own_rate(p, "absent", "possible") - rate_of(schoolmates(p, s), "absent", "possible")
    ),
    "school_absence_rate": lambda t, p, s: rate_of(schoolmates(p, s), "absent", "possible"),
    "school_unauthorised_rate": lambda t, p, s: rate_of(
        schoolmates(p, s), "unauthorised", "possible"
    ),
    "school_persistent_share": lambda t, p, s: persistent(p, s),
    "school_sen_support_share": lambda t, p, s: share_of(t, p, s, "send", "provision", "K"),
    "school_ehc_plan_share": lambda t, p, s: share_of(t, p, s, "send", "provision", "E"),
    "school_fsm_share": lambda t, p, s: share_of(t, p, s, "circumstances", "kind", "fsm"),
    "days_without_school": lambda t, p, s: sum(roll_gaps(t, p)),
    "longest_gap_between_schools": lambda t, p, s: max(roll_gaps(t, p), default=0),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_builder_equals_its_slow_reference(name: str) -> None:
    tables, spine, features = la()
    slow = [
        float(SLOW[name](tables, str(pupil), str(school)))
        for pupil, school in zip(spine["pupil_id"], spine["school_id"], strict=True)
    ]
    np.testing.assert_allclose(features[name], slow, rtol=1e-5, atol=1e-6)
    if name not in ("plan_weeks_waited", "known_half_days"):
        assert len(set(np.nan_to_num(slow, nan=-1))) > 1  # else the comparison says little
