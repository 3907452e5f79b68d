"""Shared by the tests of cohorts and labels: tables of six pupils from a few rows.

In:  rows, with only the columns that matter.
Out: tables with the schema's types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from riskmodel.data import TABLES, Tables
from riskmodel.data.tables import empty_table
from tests.strategies import PUPILS

__all__ = ["day", "make_tables", "position", "roll"]


def make_tables(**rows: Sequence[Mapping[str, object]]) -> Tables:
    """Make typed tables of six pupils from a few rows; ``recorded_on`` defaults to the event."""
    rows = {"pupils": [{"pupil_id": name} for name in PUPILS], **rows}
    pupils = pd.CategoricalDtype(pd.Index(PUPILS, dtype="str"))
    frames = {}
    for name, records in rows.items():
        table, empty = TABLES[name], empty_table(name, pupils)
        frame = pd.DataFrame(list(records), columns=list(empty.columns), dtype="object")
        for column in table.columns:
            if column.kind == "date":
                days = pd.to_datetime(frame[column.name], format="ISO8601")
                frame[column.name] = days.astype("datetime64[s]")
        if "recorded_on" in frame:
            frame["recorded_on"] = frame["recorded_on"].fillna(frame[table.event])
        if "end_recorded_on" in frame and "leaving_date" in frame:
            frame["end_recorded_on"] = frame["end_recorded_on"].fillna(frame["leaving_date"])
        frames[name] = frame.astype(empty.dtypes.to_dict())
    return Tables(frames)


def roll(pupil: str, entry: str, leave: str | None = None, **more: object) -> dict[str, object]:
    """Return a spell on a roll: main, Year 9 at school S1 unless given otherwise."""
    spell = {
        "pupil_id": pupil,
        "school_id": "S1",
        "entry_date": entry,
        "leaving_date": leave,
        "status": "main",
        "year_group": 9,
    }
    return spell | more


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def position(pupil: str, start: str, code: str = "210", **more: object) -> dict[str, object]:
    """Return an NCCIS position, confirmed on its first day unless given otherwise."""
    return {
        "pupil_id": pupil,
        "activity_code": code,
        "start_date": start,
        "confirmed_on": start,
    } | more
