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


def facts_of(tables: Tables, name: str, pupil: str) -> list[dict[str, Any]]:
    """Return what was known of a pupil, ends that were not yet known left out."""
    rows = known_rows(name).get(pupil, pd.DataFrame()).to_dict("records")
    hide = {"end_date": "end_recorded_on", "leaving_date": "end_recorded_on",
            "leaving_reason": "end_recorded_on", "decided_on": "decided_on", "outcome": "decided_on",
            "plan_on": "plan_on"}  # fmt: skip
    for row in rows:
        late = [c for c, when in hide.items() if c in row and not row[when] < DAY]
        row.update(dict.fromkeys(late))
    return [
        {str(k): None if value is pd.NaT else value for k, value in row.items()} for row in rows
    ]


def open_on_the_day(row: dict[str, Any]) -> bool:
    return row["start_date"] < DAY and (row["end_date"] is None or row["end_date"] >= DAY)


def suspensions(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    own = [row for row in facts_of(tables, "suspensions", pupil) if row["start_date"] < DAY]
    return sorted(
        (row for row in own if row["category"] == "SUSP"), key=lambda row: row["start_date"]
    )


def marks(tables: Tables, pupil: str, n_days: int, skip: int = 0) -> list[str]:
    dates = sorted(d for d in tables["calendar"]["date"] if d < DAY)
    window = dates[: len(dates) - skip][-n_days:]
    own = [row for row in facts_of(tables, "sessions", pupil) if row["date"] in set(window)]
    return [str(row["mark"]) for row in sorted(own, key=lambda row: (row["date"], row["session"]))]


def absence(seen: list[str]) -> float:
    possible = [m for m in seen if FAMILY[m] != "not_possible"]
    absent = [m for m in possible if FAMILY[m] in ("authorised", "unauthorised")]
    return len(absent) / len(possible) if possible else np.nan


def gap(tables: Tables, pupil: str) -> float:
    days = [row["start_date"] for row in suspensions(tables, pupil)]
    return (days[-1] - days[-2]).days if len(days) > 1 else np.nan


def violent(tables: Tables, pupil: str) -> int:
    own = [row for row in facts_of(tables, "suspensions", pupil) if row["start_date"] < DAY]
    return sum(
        row["category"] != "PERM" and row["start_date"] >= DAY - DAYS(days=365)
        and bool({row["reason_1"], row["reason_2"], row["reason_3"]} & {"PP", "PA", "OW"})
        for row in own
    )  # fmt: skip


def here(tables: Tables, pupil: str, school: str) -> int:
    return sum(row["school_id"] == school for row in suspensions(tables, pupil))


def spells(tables: Tables, pupil: str, kind: str) -> list[dict[str, Any]]:
    own = facts_of(tables, "circumstances", pupil)
    return [row for row in own if row["kind"] == kind and row["start_date"] < DAY]


def months(tables: Tables, pupil: str, kind: str) -> float:
    total = 0
    for row in spells(tables, pupil, kind):
        end = DAY if row["end_date"] is None else min(DAY, row["end_date"] + DAYS(days=1))
        total += max(0, (end - row["start_date"]).days)
    return total / 30.4375


def send(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    return [row for row in facts_of(tables, "send", pupil) if row["provision"] != "N"]


def plans(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    return [row for row in facts_of(tables, "plans", pupil) if row["requested_on"] < DAY]


def waited(tables: Tables, pupil: str) -> float:
    days = [
        (DAY - row["requested_on"]).days
        for row in plans(tables, pupil)
        if row["decided_on"] is None
    ]
    return min(days) / 7 if days else 0


def rolls(tables: Tables, pupil: str) -> list[dict[str, Any]]:
    own = [row for row in facts_of(tables, "enrolments", pupil) if row["entry_date"] < DAY]
    return sorted(own, key=lambda row: row["entry_date"])


def mid_year(tables: Tables, pupil: str) -> int:
    main = [row for row in rolls(tables, pupil) if row["status"] == "main"]
    return sum(row["entry_date"].month not in (8, 9) for row in main[1:])


def score(tables: Tables, pupil: str) -> float:
    own = [row["score"] for row in facts_of(tables, "attainment", pupil)
           if row["stage"] == "KS2" and row["result_date"] < DAY]  # fmt: skip
    return float(np.mean(own)) if own else np.nan


def decile(tables: Tables, pupil: str) -> float:
    own = [row for row in facts_of(tables, "neighbourhood", pupil) if row["start_date"] < DAY]
    return max(own, key=lambda row: row["start_date"])["idaci_decile"] if own else np.nan


@cache
def on_roll(school: str) -> frozenset[str]:
    tables = la()[0]
    return frozenset(
        pupil for pupil in tables.pupils.categories
        if any(row["school_id"] == school and (row["leaving_date"] is None or row["leaving_date"] >= DAY)
               for row in rolls(tables, pupil))
    )  # fmt: skip


def suspended_peers(tables: Tables, pupil: str, school: str) -> float:
    others = [other for other in on_roll(school) if other != pupil]
    lately = [any(row["start_date"] >= DAY - DAYS(days=365) for row in suspensions(tables, other))
              for other in others]  # fmt: skip
    return float(np.mean(lately)) if others else np.nan


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
    "sen_changes": lambda t, p, s: sum(row["start_date"] < DAY for row in facts_of(t, "send", p)),
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
