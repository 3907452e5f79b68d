"""What school led to: results, and where leavers went.

In:  ability and disengagement, the leavers and their chances, and a random generator.
Out: the ``attainment`` and ``destinations`` tables.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.life import Leavers, Life
from riskmodel.simulate.population import Population
from riskmodel.simulate.records.columns import LAST_DAY, Dates, coded, september

__all__ = ["attainment_table", "destinations_table"]

EXAMS = (
    ("KS2", "reading", 7, -55),
    ("KS2", "mathematics", 7, -55),
    ("KS4", "attainment_8", 12, -10),
)
"""Stage, subject, year group after it, and the day of the result beside that year's 1 September."""

SETTLED = {"210": 0.33, "220": 0.12, "230": 0.45, "310": 0.06, "330": 0.04}
"""Activity → share of leavers who are neither NEET nor not known; chosen."""

MONTHS = 7
"""Months after Year 11 with a return: September to March."""


def attainment_table(
    population: Population,
    ids: pd.Categorical,
    first_year: int,
    away: NDArray[np.float32],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the ``attainment`` table: key stage 2 in two subjects, and key stage 4 as a whole.

    Parameters
    ----------
    population : Population
        Ability.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    away : float array of shape (n_pupils,)
        Disengagement at the end of Year 11, which lowers key stage 4.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Results of all who had finished Year 6 or Year 11.
    """
    parts = []
    for stage, subject, group, day in EXAMS:
        result = september(first_year, population.first_group, group) + day
        has = np.flatnonzero(result <= LAST_DAY - 15)
        lost = 0.35 * away[has] if stage == "KS4" else 0.0
        score = 0.85 * population.ability[has] + 0.5 * rng.standard_normal(len(has)) - lost
        results = _results(stage, subject, score, result[has])
        parts.append(results.assign(pupil_id=ids[has]))
    return pd.concat(parts, ignore_index=True)


def _results(
    stage: str, subject: str, score: NDArray[np.float64], day: NDArray[np.datetime64]
) -> pd.DataFrame:
    """Return results of one exam, recorded 10 days later."""
    return pd.DataFrame(
        {
            "stage": coded("attainment", "stage", [stage] * len(day)),
            "subject": pd.array([subject] * len(day), dtype="str"),
            "score": score,
            "result_date": day.astype("datetime64[s]"),
            "recorded_on": (day + 10).astype("datetime64[s]"),
        }
    )


def destinations_table(
    calendar: SchoolCalendar, life: Life, ids: pd.Categorical, rng: np.random.Generator
) -> pd.DataFrame:
    """Return monthly NCCIS positions of leavers, September to March or the last day of the data.

    Parameters
    ----------
    calendar : SchoolCalendar
        School years.
    life : Life
        Leavers and their chances.
    ids : Categorical
        Pseudonyms.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        The ``destinations`` table.
    """
    parts = [
        month
        for year, leavers in enumerate(life.leavers, start=calendar.first_year + 1)
        for month in _positions(np.datetime64(f"{year}-09"), leavers, ids, rng)
    ]
    columns = TABLES["destinations"].names
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({name: [] for name in columns}).assign(pupil_id=ids[:0])
    )
    codes = table["activity_code"].to_numpy(object)
    return table.assign(
        activity_code=coded("destinations", "activity_code", codes),
        group=coded("destinations", "group", np.full(len(table), None, dtype=object)),
        lapses_on=pd.array([pd.NaT] * len(table), dtype="datetime64[s]"),
    )[columns]


def _positions(
    autumn: np.datetime64, leavers: Leavers, ids: pd.Categorical, rng: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Return the returns of one year's leavers, month by month; ``autumn`` is the September."""
    n = len(leavers.pupil)
    neet = rng.random(n) < leavers.neet
    unknown = ~neet & (rng.random(n) < leavers.not_known / (1 - leavers.neet))
    settled = np.array(list(SETTLED), dtype=object)[rng.choice(5, n, p=list(SETTLED.values()))]
    since = rng.integers(0, 4, n)  # the month in which NEET begins
    for month in range(MONTHS):
        end = (autumn + month + 1).astype("datetime64[D]") - 1
        if end >= LAST_DAY:
            break
        out = neet & (month >= since)
        code = np.where(out, "619", np.where(unknown, "810", settled))
        # a return confirms a position again with the day it began
        start = (autumn + np.where(out, since, 0)).astype("datetime64[s]")
        yield _month(ids[leavers.pupil], code, start, end.astype("datetime64[s]"))


def _month(
    pupil_id: pd.Categorical, code: NDArray[np.object_], start: Dates, end: np.datetime64
) -> pd.DataFrame:
    """Return one month's return, confirmed and recorded on its last day."""
    return pd.DataFrame(
        {
            "pupil_id": pupil_id,
            "activity_code": code,
            "start_date": start,
            "confirmed_on": end,
            "recorded_on": end,
        }
    )
