"""What school led to: results, and where leavers went.

In:  ability and disengagement, the leavers and their chances, and a random generator.
Out: the ``attainment`` and ``destinations`` tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES
from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.life import Life
from riskmodel.simulate.population import Population
from riskmodel.simulate.records.columns import LAST_DAY, coded, september

__all__ = ["attainment_table", "destinations_table"]


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
        Disengagement at the end, which lowers key stage 4.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Results of all who had finished Year 6 or Year 11.
    """
    parts = []
    for stage, subject, group, day in (
        ("KS2", "reading", 7, -55),
        ("KS2", "mathematics", 7, -55),
        ("KS4", "attainment_8", 12, -10),
    ):
        result = september(first_year, population.first_group, group) + day
        has = np.flatnonzero(result <= LAST_DAY - 15)
        lost = 0.35 * away[has] if stage == "KS4" else 0.0
        score = 0.85 * population.ability[has] + 0.5 * rng.standard_normal(len(has)) - lost
        parts.append(
            pd.DataFrame(
                {
                    "pupil_id": ids[has],
                    "stage": coded("attainment", "stage", [stage] * len(has)),
                    "subject": pd.array([subject] * len(has), dtype="str"),
                    "score": score,
                    "result_date": result[has].astype("datetime64[s]"),
                    "recorded_on": (result[has] + 10).astype("datetime64[s]"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


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
    parts = []
    for year, leavers in enumerate(life.leavers, start=calendar.first_year + 1):
        pupil = leavers.pupil
        neet = rng.random(len(pupil)) < leavers.neet
        unknown = ~neet & (rng.random(len(pupil)) < leavers.not_known / (1 - leavers.neet))
        settled = np.array(["210", "220", "230", "310", "330"], dtype=object)[
            rng.choice(5, len(pupil), p=[0.33, 0.12, 0.45, 0.06, 0.04])
        ]
        since = rng.integers(0, 4, len(pupil))
        for month in range(7):
            autumn = np.datetime64(f"{year}-09")
            end = (autumn + month + 1).astype("datetime64[D]") - 1
            if end >= LAST_DAY:
                break
            out = neet & (month >= since)
            code = np.where(out, "619", np.where(unknown, "810", settled))
            # a return confirms a position again with the day it began
            start = autumn + np.where(out, since, 0)
            end = end.astype("datetime64[s]")
            parts.append(
                pd.DataFrame(
                    {
                        "pupil_id": ids[pupil],
                        "activity_code": code,
                        "start_date": start.astype("datetime64[s]"),
                        "confirmed_on": end,
                        "recorded_on": end,
                    }
                )
            )
    columns = TABLES["destinations"].names
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame({name: [] for name in columns}).assign(pupil_id=ids[:0])
    )
    return table.assign(
        activity_code=coded(
            "destinations", "activity_code", table["activity_code"].to_numpy(object)
        ),
        group=coded("destinations", "group", np.full(len(table), None, dtype=object)),
        lapses_on=pd.array([pd.NaT] * len(table), dtype="datetime64[s]"),
    )[columns]
