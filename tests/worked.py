"""Features worked out by hand: tables written as text, and the cases made of them.

In:  facts of the six pupils, as text.
Out: the features of the six pupils, and values that they should have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from riskmodel.data import TABLES, Tables
from riskmodel.features import build
from tests.strategies import PUPILS, small_tables, spine_of, table_of

__all__ = ["MONTH", "SCHOOL_DAYS", "UNKNOWN", "YEAR", "Worked", "features"]

MONTH, YEAR = 30.4375, 365.25

UNKNOWN = np.nan

SCHOOL_DAYS = [str(day)[:10] for day in pd.bdate_range(end="2025-02-28", periods=265)]
"""53 school weeks up to a Friday: summer, then 87 days of autumn, then 43 of spring.

The last 12 months are the last 261 of them: the day 365 days before the list is a Friday, and counts."""


def facts(name: str, text: str) -> pd.DataFrame:
    """Return a table written as text: a header, a line per row, ``.`` where a cell is missing.

    A fact is recorded on the day it happens, an end on its own day, unless the text has the column.
    """
    header, *lines = (line.split() for line in text.splitlines() if line.strip())
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    rows = [{key: cell for key, cell in row.items() if cell != "."} for row in rows]
    for row in rows:
        row.setdefault("recorded_on", row.get(TABLES[name].event, ""))
        row.setdefault("end_recorded_on", row.get("end_date", row.get("leaving_date", "NaT")))
    return table_of(name, rows)


@cache
def features(*texts: tuple[str, str]) -> pd.DataFrame:
    """Return the features of the six pupils, with tables replaced by those of a text, or left out by ""."""
    frames = dict(small_tables().frames) | {name: facts(name, text) for name, text in texts if text}
    for name, text in texts:
        if not text:
            del frames[name]
    return build(Tables(frames), spine_of()).set_index(pd.Index(PUPILS))


@dataclass(frozen=True)
class Worked:
    """Features of a builder worked out by hand for one pupil."""

    builder: str
    pupil: str
    facts: dict[str, str]
    expected: dict[str, float]
