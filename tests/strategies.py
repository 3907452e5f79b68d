"""Shared by the tests: a hand-made LA of six pupils with every table, and strategies for facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

from riskmodel.data import TABLES, Tables
from riskmodel.data.schema import as_codes

__all__ = [
    "AS_OF",
    "FIRST",
    "PUPILS",
    "Marks",
    "examples",
    "facts_of_three",
    "mark_lists",
    "sessions_of",
    "small_tables",
    "spine_of",
    "table_of",
    "with_table",
    "without_calendar",
]

AS_OF = pd.Timestamp("2025-03-01").as_unit("s")
PUPILS = ("A", "B", "C", "D", "E", "F")

facts_of_three = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 12), st.integers(-3, 3)), max_size=12
)
"""Facts of three pupils: number, day, value."""

mark_lists = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 11), st.integers(0, 1)),
    st.tuples(st.sampled_from(["/", "I", "O", "D", "E"]), st.integers(0, 8)),
    max_size=30,
)
"""Marks of three pupils: (number, day, half) → (mark, days until it was recorded)."""


def examples(number: int) -> int:
    """Return how many examples ``make test`` tries; ten times as many in ``make soak``."""
    return number * settings().max_examples // 100


def table_of(
    name: str, rows: list[dict[str, Any]], pupils: tuple[str, ...] = PUPILS
) -> pd.DataFrame:
    """Return rows as a table with the schema's types; a column left out is missing."""
    shared = pd.CategoricalDtype(pd.Index(sorted(pupils), dtype="str"))
    columns: dict[str, Any] = {}
    for column in TABLES[name].columns:
        values = [row.get(column.name) for row in rows]
        if column.kind == "pupil":
            columns[column.name] = pd.Categorical(values, dtype=shared)
        elif column.kind == "code":
            columns[column.name] = as_codes(pd.Index(values, dtype="str"), column.allowed)
        elif column.kind == "date":
            columns[column.name] = pd.to_datetime(pd.Series(values, dtype="str")).astype(
                "datetime64[s]"
            )
        else:
            dtype = {"text": "str", "integer": "int64", "number": "float64"}[column.kind]
            columns[column.name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


def small_tables() -> Tables:
    """Return every table for six pupils; A carries the facts, the others mostly come to school."""
    rows: dict[str, list[dict[str, Any]]] = {
        "pupils": [
            {
                "pupil_id": p,
                "birth_month": "2012-10-01",
                "sex": "F" if p < "D" else "M",
                "ethnicity": "WBRI",
                "first_language": "ENG",
            }
            for p in PUPILS
        ],
        "schools": [
            {"school_id": s, "phase": "secondary", "kind": "mainstream"} for s in ("S", "T")
        ],
        "enrolments": _enrolments(),
        "sessions": _sessions(),
        "calendar": [
            {"date": str(day)[:10], "term": "spring", "half_term": 3}
            for day in pd.bdate_range("2025-02-03", "2025-03-14")
        ],
        "absence_totals": [
            {
                "pupil_id": "A",
                "term_end": "2024-12-20",
                "mark": "I",
                "sessions": 4,
                "recorded_on": "2025-01-20",
            }
        ],
        "suspensions": _suspensions(),
        "send": [
            {
                "pupil_id": "A",
                "provision": "K",
                "primary_need": "SEMH",
                "start_date": "2024-03-01",
                "recorded_on": "2024-06-01",
            },
            {
                "pupil_id": "B",
                "provision": "K",
                "primary_need": "SLCN",
                "start_date": "2023-03-01",
                "end_date": "2024-12-31",
                "recorded_on": "2023-06-01",
                "end_recorded_on": "2025-01-20",
            },
        ],
        "plans": [
            {
                "pupil_id": "A",
                "requested_on": "2025-02-01",
                "decided_on": "2025-04-01",
                "outcome": "refused",
                "recorded_on": "2025-02-02",
            },
        ],
        "circumstances": [
            {
                "pupil_id": "A",
                "kind": "fsm",
                "start_date": "2024-01-01",
                "recorded_on": "2024-02-01",
            },
            {
                "pupil_id": "B",
                "kind": "fsm",
                "start_date": "2023-01-01",
                "end_date": "2024-01-01",
                "recorded_on": "2023-02-01",
                "end_recorded_on": "2024-02-01",
            },
            {
                "pupil_id": "C",
                "kind": "fsm",
                "start_date": "2024-01-01",
                "end_date": "2025-02-01",
                "recorded_on": "2024-02-01",
                "end_recorded_on": "2025-03-10",
            },
        ],
        "neighbourhood": [
            {
                "pupil_id": p,
                "start_date": "2023-01-01",
                "idaci_decile": i + 1,
                "recorded_on": "2023-04-01",
            }
            for i, p in enumerate(PUPILS[:4])
        ],
        "attainment": [
            {
                "pupil_id": "A",
                "stage": "KS2",
                "subject": subject,
                "score": score,
                "result_date": "2024-07-01",
                "recorded_on": "2024-08-01",
            }
            for subject, score in (("reading", -1.0), ("maths", 0.5))
        ],
        "destinations": [
            {
                "pupil_id": "F",
                "activity_code": code,
                "start_date": day,
                "confirmed_on": day,
                "recorded_on": day,
            }
            for code, day in (("210", "2024-03-01"), ("619", "2024-12-01"), ("330", "2025-01-30"))
        ],
    }
    return Tables({name: table_of(name, rows[name]) for name in TABLES})


def _enrolments() -> list[dict[str, Any]]:
    first = [
        {
            "pupil_id": p,
            "school_id": "T" if p == "F" else "S",
            "entry_date": "2024-09-01",
            "status": "main",
            "year_group": 7,
            "recorded_on": "2024-09-15",
        }
        for p in PUPILS
    ]
    first[0] |= {
        "leaving_date": "2025-01-31",
        "leaving_reason": "managed_move",
        "end_recorded_on": "2025-02-05",
    }
    moved = {
        "pupil_id": "A",
        "school_id": "T",
        "entry_date": "2025-02-01",
        "status": "main",
        "year_group": 7,
        "recorded_on": "2025-02-05",
    }
    return [*first, moved]


def _sessions() -> list[dict[str, Any]]:
    """Return 20 school days from 3 February; A is ill in the last week and once excluded."""
    rows = []
    for pupil in PUPILS[:5]:
        for number, day in enumerate(pd.bdate_range("2025-02-03", "2025-02-28")):
            for session, present in (("AM", "/"), ("PM", "\\")):
                mark = present
                if pupil == "A":
                    mark = "I" if number >= 15 else "E" if number == 5 else present
                if pupil == "B" and number < 10:
                    mark = "D"
                recorded = day + pd.Timedelta(days=1)
                rows.append(
                    {
                        "pupil_id": pupil,
                        "date": str(day)[:10],
                        "session": session,
                        "mark": mark,
                        "recorded_on": str(recorded)[:10],
                    }
                )
    return rows


def _suspensions() -> list[dict[str, Any]]:
    facts = (
        ("A", "SUSP", "2024-02-01", 2.0, "DB", "2024-02-02"),  # more than 12 months ago
        ("A", "SUSP", "2024-10-01", 4.0, "PP", "2024-10-02"),
        ("A", "SUSP", "2025-02-10", 2.0, "DB", "2025-02-11"),
        ("A", "SUSP", "2025-02-26", 6.0, "PA", "2025-03-01"),  # recorded too late
        ("C", "LNCH", "2025-01-15", 1.0, "DB", "2025-01-16"),
    )
    return [
        {
            "pupil_id": pupil,
            "school_id": "S",
            "category": category,
            "start_date": start,
            "sessions": sessions,
            "reason_1": reason,
            "recorded_on": recorded,
        }
        for pupil, category, start, sessions, reason, recorded in facts
    ]


def spine_of(pupils: tuple[str, ...] = PUPILS, day: pd.Timestamp = AS_OF) -> pd.DataFrame:
    """Return a spine of the six pupils, as a cohort would have it."""
    shared = pd.CategoricalDtype(pd.Index(PUPILS, dtype="str"))
    return pd.DataFrame(
        {
            "pupil_id": pd.Categorical(pupils, dtype=shared),
            "as_of": np.full(len(pupils), day.to_datetime64()).astype("datetime64[s]"),
            "school_id": pd.Series(["T" if p in "AF" else "S" for p in pupils], dtype="str"),
            "year_group": np.full(len(pupils), 7, dtype=np.int64),
        }
    )


FIRST = pd.Timestamp("2025-02-03")


Marks = dict[tuple[int, int, int], tuple[str, int]]


def with_table(tables: Tables, name: str, frame: pd.DataFrame) -> Tables:
    return Tables(dict(tables.frames) | {name: frame.reset_index(drop=True)})


def without_calendar() -> Tables:
    return Tables({name: frame for name, frame in small_tables().items() if name != "calendar"})


def sessions_of(marks: Marks) -> pd.DataFrame:
    """Marks on calendar days counted from a Monday; days 5 and 6 of a week are left out."""
    rows = [
        {
            "pupil_id": PUPILS[pupil],
            "session": "AM" if half == 0 else "PM",
            "mark": mark,
            "date": str(FIRST + pd.Timedelta(days=day))[:10],
            "recorded_on": str(FIRST + pd.Timedelta(days=day + lag))[:10],
        }
        for (pupil, day, half), (mark, lag) in marks.items()
        if day % 7 < 5
    ]
    return table_of("sessions", rows)
