"""The schools, and the spells that pupils spend on their rolls.

In:  the population, its moves and exits.
Out: the ``schools`` and ``enrolments`` tables.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.simulate.calendar import SchoolCalendar
from riskmodel.simulate.life import NEVER as NO_DAY
from riskmodel.simulate.life import Life
from riskmodel.simulate.population import Population
from riskmodel.simulate.records.columns import NEVER, Dates, coded, september

__all__ = ["enrolments_table", "school_names", "schools_table"]


def school_names(population: Population, first: int) -> NDArray[np.object_]:
    """Return the school_id of each school number.

    Parameters
    ----------
    population : Population
        Schools.
    first : int
        Number of schools of the LAs before.

    Returns
    -------
    object array of shape (n_schools,)
        Names such as ``S0001``.
    """
    count = population.schools.count
    return np.array([f"S{first + number:04d}" for number in range(1, count + 1)], dtype=object)


def schools_table(
    population: Population, names: NDArray[np.object_], authority: int
) -> pd.DataFrame:
    """Return the ``schools`` table.

    Parameters
    ----------
    population : Population
        Schools.
    names : object array of shape (n_schools,)
        From :func:`school_names`.
    authority : int
        Number of the LA.

    Returns
    -------
    DataFrame
        Primary, secondary and special schools, and one for alternative provision.
    """
    schools = population.schools
    rest = schools.n_special + 1
    phase = ["primary"] * schools.n_primary + ["secondary"] * schools.n_secondary
    kind = ["mainstream"] * len(phase) + ["special"] * schools.n_special + ["AP"]
    return pd.DataFrame(
        {
            "school_id": pd.array(names, dtype="str"),
            "urn": pd.array([f"9{name[1:]:0>5}" for name in names], dtype="str"),
            "name": pd.array([f"School {int(name[1:])}" for name in names], dtype="str"),
            "phase": coded("schools", "phase", [*phase, *["all_through"] * rest]),
            "kind": coded("schools", "kind", kind),
            "local_authority": pd.array([f"{authority:03d}"] * len(names), dtype="str"),
        }
    )


def enrolments_table(
    population: Population,
    calendar: SchoolCalendar,
    life: Life,
    ids: pd.Categorical,
    names: NDArray[np.object_],
) -> pd.DataFrame:
    """Return the ``enrolments`` table: primary, secondary, moves, and AP after an exclusion.

    Parameters
    ----------
    population : Population
        Schools of each pupil.
    calendar : SchoolCalendar
        School days.
    life : Life
        Moves and exits.
    ids : Categorical
        Pseudonyms.
    names : object array of shape (n_schools,)
        ``school_id`` by number.

    Returns
    -------
    DataFrame
        Spells on rolls.
    """
    after = np.append(calendar.days, calendar.days[-1] + 3).astype("datetime64[s]")
    rolls = _starts(population, calendar, life, after)
    exit_date = np.where(
        life.exit_day < NO_DAY, after[np.minimum(life.exit_day, len(after) - 1)], NEVER
    )
    rolls["exit"] = exit_date[rolls["pupil"]]
    # nothing but AP begins once a pupil has left
    rolls = rolls[~((rolls["date"] > rolls["exit"]) & (rolls["why"] != "ap"))]
    rolls = rolls.reset_index(drop=True)
    follows = rolls["pupil"].shift(-1) == rolls["pupil"]
    next_why = rolls["why"].shift(-1).where(follows & (rolls["why"].shift(-1) != "ap"))
    next_date = rolls["date"].shift(-1).where(next_why.notna()) - pd.Timedelta(days=1)
    # a primary roll ends with July, weeks before the secondary roll begins
    july = pd.to_datetime(
        next_date.dt.year.astype("Int64").astype("str") + "-07-31", errors="coerce"
    )
    next_date = next_date.where(next_why != "end_of_phase", july.astype("datetime64[s]"))
    last = next_why.isna() & (rolls["why"] != "ap")
    leaving = next_date.where(~last, rolls["exit"]).astype("datetime64[s]")
    reason = next_why.astype(object).where(~last, pd.Series(life.reason[rolls["pupil"]]))
    reason = reason.where(leaving.notna(), None)
    year = (rolls["date"].dt.year - (rolls["date"].dt.month < 9)).to_numpy()
    entry_group = population.first_group[rolls["pupil"]] + year - calendar.first_year
    recorded = rolls["date"] + pd.Timedelta(days=7)
    told = leaving + pd.Timedelta(days=4)
    return pd.DataFrame(
        {
            "pupil_id": ids[rolls["pupil"].to_numpy()],
            "school_id": pd.array(names[rolls["school"].to_numpy()], dtype="str"),
            "entry_date": rolls["date"],
            "leaving_date": leaving,
            "status": coded("enrolments", "status", ["main"] * len(rolls)),
            "year_group": entry_group.astype("int64"),
            "leaving_reason": coded("enrolments", "leaving_reason", reason.to_numpy(object)),
            "recorded_on": recorded,
            "end_recorded_on": told.where(told > recorded, recorded).where(leaving.notna()),
        }
    ).drop_duplicates(["pupil_id", "school_id", "entry_date"])


def _starts(
    population: Population, calendar: SchoolCalendar, life: Life, after: Dates
) -> pd.DataFrame:
    """Return when which pupil came to which school, and why, in order."""
    group, arrives = population.first_group, population.arrives
    last_year = calendar.first_year + len(calendar.starts) // 6
    parts = []
    for wanted, school in ((0, population.primary), (7, population.secondary)):
        year = calendar.first_year + wanted - group
        comes = (group < 7) | population.special if wanted == 0 else ~population.special
        who = np.flatnonzero((year < last_year) & comes)
        date = september(calendar.first_year, group[who], wanted) + 2
        parts.append(
            pd.DataFrame(
                {
                    "pupil": who,
                    "date": date.astype("datetime64[s]"),
                    "school": school[who],
                    "why": "end_of_phase",
                }
            )
        )
    moves, back = life.rolls, np.flatnonzero(life.back_day < NO_DAY)
    parts.append(
        pd.DataFrame(
            {
                "pupil": moves["pupil"],
                "date": after[moves["day"]] + np.timedelta64(3, "D"),
                "school": moves["school"],
                "why": np.where(moves["managed"] == 1, "managed_move", "transferred"),
            }
        )
    )
    parts.append(
        pd.DataFrame(
            {
                "pupil": back,
                "date": after[np.minimum(life.back_day[back], len(after) - 1)]
                + np.timedelta64(4, "D"),
                "school": population.schools.ap,
                "why": "ap",
            }
        )
    )
    came = np.flatnonzero(arrives > 0)
    then = group[came] + arrives[came] // 6
    school = np.where(then >= 7, population.secondary[came], population.primary[came])
    day = calendar.starts.astype("datetime64[s]")[
        np.minimum(arrives[came], len(calendar.starts) - 1)
    ]
    parts.append(pd.DataFrame({"pupil": came, "date": day, "school": school, "why": "transferred"}))
    rolls = pd.concat(parts, ignore_index=True).sort_values(["pupil", "date"], ignore_index=True)
    since = np.full(len(group), NEVER)
    since[came] = day
    return rolls[~(rolls["date"] < since[rolls["pupil"]])].reset_index(drop=True)
