"""The register: a mark for every half-day, from disengagement, weekday, season and suspensions.

In:  disengagement per half-term, spells on roll, days suspended.
Out: the ``sessions`` table.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import codes
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.parameters import parameter

__all__ = ["draw_marks", "sessions_table"]

NEW_CODES_FROM = np.datetime64("2024-08-19")
"""School Attendance (Pupil Registration) (England) Regulations 2024."""

WEEKDAY = np.array([1.15, 0.95, 0.9, 0.95, 1.1])
"""Absence by weekday, Monday first; chosen."""

SEASON = np.array([0.85, 1.15, 1.1, 1.0, 0.95, 1.0])
"""Absence by half-term; chosen."""

SPREAD = 0.95
"""Lognormal spread of absence with disengagement: about a quarter of secondary pupils persistent."""

ABSENCE_MIX = {"I": 0.50, "M": 0.05, "C": 0.06, "G": 0.06, "O": 0.28, "U": 0.04, "N": 0.01}
"""Reasons of absence (DfE, attendance 2025/26 year to date, rounded between the phases)."""

PRESENT_MIX = {"L": 0.022, "V": 0.007, "B": 0.003, "P": 0.001}
"""Marks of those present that are not the plain one (same source)."""

CHUNK = 2000
"""Pupils drawn at a time, to bound memory."""


def _byte(code: str) -> int:
    return codes("marks").index(code) + 1


def draw_marks(
    calendar: SchoolCalendar,
    group: NDArray[np.int64],
    disengagement: NDArray[np.float32],
    on_roll: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw marks before suspensions are written in.

    Parameters
    ----------
    calendar : SchoolCalendar
        School days.
    group : int array of shape (n_pupils, n_half_terms)
        Year group.
    disengagement : float array of shape (n_pupils, n_half_terms)
        Latent state.
    on_roll : bool array of shape (n_pupils, n_days)
        Days on a roll.
    rng : Generator
        Source of randomness.

    Returns
    -------
    uint8 array of shape (n_pupils, n_days, 2)
        Place in the code set plus one; 0 off roll.
    """
    level = np.where(group >= 7, parameter("absence.secondary"), parameter("absence.primary")) / 100
    wave = SEASON[calendar.half_term % 6] * WEEKDAY[(calendar.days.astype(np.int64) + 3) % 7]
    marks = np.zeros((*on_roll.shape, 2), dtype=np.uint8)
    absent_codes = np.array([_byte(code) for code in ABSENCE_MIX], dtype=np.uint8)
    absent_edges = np.cumsum(list(ABSENCE_MIX.values()))[:-1]
    present_codes = np.array([_byte(code) for code in PRESENT_MIX], dtype=np.uint8)
    present_edges = np.cumsum(list(PRESENT_MIX.values()))
    for first in range(0, len(marks), CHUNK):
        rows = slice(first, first + CHUNK)
        state = SPREAD * disengagement[rows].astype(np.float64)
        rate = np.minimum(level[rows] * np.exp(state - SPREAD**2 / 2), 0.85)
        chance = (rate[:, calendar.half_term] * wave).astype(np.float32)
        shape = chance.shape
        absent_day = rng.random(shape, dtype=np.float32) < chance * 0.94
        afternoon = rng.random(shape, dtype=np.float32) < chance * 0.12
        reason = absent_codes[np.searchsorted(absent_edges, rng.random(shape, dtype=np.float32))]
        for half, code in ((0, "/"), (1, "\\")):
            present = np.full(shape, _byte(code), dtype=np.uint8)
            draw = rng.random(shape, dtype=np.float32)
            special = draw < present_edges[-1]
            present[special] = present_codes[np.searchsorted(present_edges, draw[special])]
            absent = absent_day | afternoon if half else absent_day
            marks[rows, :, half] = np.where(absent, reason, present) * on_roll[rows]
    return marks


def sessions_table(
    calendar: SchoolCalendar,
    marks: NDArray[np.uint8],
    pupils: pd.CategoricalDtype,
    lag_days: NDArray[np.int64],
) -> pd.DataFrame:
    """Lay marks out as a long table.

    Parameters
    ----------
    calendar : SchoolCalendar
        School days.
    marks : uint8 array of shape (n_pupils, n_days, 2)
        In the order of the pupils' categories.
    pupils : CategoricalDtype
        Type of ``pupil_id``.
    lag_days : int array of shape (n_pupils,)
        Days until a mark reaches the LA.

    Returns
    -------
    DataFrame
        The ``sessions`` table, by pupil, day and session.
    """
    flat = marks.reshape(len(marks), -1)
    pupil, half = np.nonzero(flat)
    date = calendar.days.astype("datetime64[s]")[half // 2]
    lag = lag_days.astype("timedelta64[D]").astype("timedelta64[s]")[pupil]
    return pd.DataFrame(
        {
            "pupil_id": pd.Categorical.from_codes(pupil.astype(np.int32), dtype=pupils),
            "date": date,
            "session": pd.Categorical.from_codes(
                (half % 2).astype(np.int8), pd.Index(["AM", "PM"])
            ),
            "mark": pd.Categorical.from_codes(
                flat[pupil, half].astype(np.int8) - 1, pd.Index(codes("marks"))
            ),
            "recorded_on": date + lag,
        },
        copy=False,
    )
