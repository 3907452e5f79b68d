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
from riskmodel.simulate.population import Population, Schools
from riskmodel.simulate.records.columns import NEVER, Dates, coded, september
from riskmodel.simulate.shapes import Ints

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

    Examples
    --------
    >>> from riskmodel.simulate.population import make_population
    >>> population = make_population(120, 1, "england", np.random.default_rng(0))
    >>> school_names(population, 40)[0]
    'S0041'
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

    Examples
    --------
    >>> from riskmodel.simulate.population import make_population
    >>> population = make_population(120, 1, "england", np.random.default_rng(0))
    >>> schools_table(population, school_names(population, 0), 7)["kind"].value_counts().to_dict()
    {'mainstream': 7, 'special': 1, 'AP': 1}
    """
    phase, kind = _kinds(population.schools)
    return pd.DataFrame(
        {
            "school_id": pd.array(names, dtype="str"),
            "urn": pd.array([f"9{name[1:]:0>5}" for name in names], dtype="str"),
            "name": pd.array([f"School {int(name[1:])}" for name in names], dtype="str"),
            "phase": coded("schools", "phase", phase),
            "kind": coded("schools", "kind", kind),
            "local_authority": pd.array([f"{authority:03d}"] * len(names), dtype="str"),
        }
    )


def _kinds(schools: Schools) -> tuple[list[str], list[str]]:
    """Return phase and kind of each school."""
    ordinary = ["primary"] * schools.n_primary + ["secondary"] * schools.n_secondary
    special = ["special"] * schools.n_special
    phase = [*ordinary, *["all_through"] * (len(special) + 1)]
    return phase, [*["mainstream"] * len(ordinary), *special, "AP"]


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
    rolls = _before_exit(_starts(population, calendar, life, after), life, after)
    leaving, reason = _ends(rolls, life.reason)
    recorded = rolls["date"] + pd.Timedelta(days=7)
    end_recorded = (leaving + pd.Timedelta(days=4)).clip(lower=recorded)
    return pd.DataFrame(
        {
            "pupil_id": ids[rolls["pupil"].to_numpy()],
            "school_id": pd.array(names[rolls["school"].to_numpy()], dtype="str"),
            "entry_date": rolls["date"],
            "leaving_date": leaving,
            "status": coded("enrolments", "status", ["main"] * len(rolls)),
            "year_group": _entry_group(rolls, population, calendar.first_year),
            "leaving_reason": coded("enrolments", "leaving_reason", reason.to_numpy(object)),
            "recorded_on": recorded,
            "end_recorded_on": end_recorded,
        }
    ).drop_duplicates(["pupil_id", "school_id", "entry_date"])


def _before_exit(rolls: pd.DataFrame, life: Life, after: Dates) -> pd.DataFrame:
    """Return the rolls with the day of the pupil's exit; after it begins nothing but AP."""
    day = after[np.minimum(life.exit_day, len(after) - 1)]
    exits = np.where(life.exit_day < NO_DAY, day, NEVER)
    rolls = rolls.assign(exit=exits[rolls["pupil"]])
    keep = ~(rolls["date"] > rolls["exit"]) | (rolls["why"] == "ap")
    return rolls[keep].reset_index(drop=True)


def _ends(rolls: pd.DataFrame, exit_reason: NDArray[np.object_]) -> tuple[pd.Series, pd.Series]:
    """Return when and why each roll ends: the day before the pupil's next roll, or the exit."""
    next_why = _next_reason(rolls)
    next_date = rolls["date"].shift(-1).where(next_why.notna()) - pd.Timedelta(days=1)
    # a primary roll ends with July, weeks before the secondary roll begins
    year = next_date.dt.year.astype("Int64").astype("str")
    july = pd.to_datetime(year + "-07-31", errors="coerce").astype("datetime64[s]")
    next_date = next_date.where(next_why != "end_of_phase", july)
    last = next_why.isna() & (rolls["why"] != "ap")
    leaving = next_date.where(~last, rolls["exit"]).astype("datetime64[s]")
    reason = next_why.astype(object).where(~last, pd.Series(exit_reason[rolls["pupil"]]))
    return leaving, reason.where(leaving.notna(), None)


def _next_reason(rolls: pd.DataFrame) -> pd.Series:
    """Return why the pupil's next roll begins; missing where none follows but AP."""
    follows = rolls["pupil"].shift(-1) == rolls["pupil"]
    why = rolls["why"].shift(-1)
    return why.where(follows & (why != "ap"))


def _entry_group(rolls: pd.DataFrame, population: Population, first_year: int) -> Ints:
    """Return the year group in which each roll begins."""
    year = (rolls["date"].dt.year - (rolls["date"].dt.month < 9)).to_numpy()
    return np.asarray(population.first_group[rolls["pupil"]] + year - first_year, dtype=np.int64)


def _starts(
    population: Population, calendar: SchoolCalendar, life: Life, after: Dates
) -> pd.DataFrame:
    """Return when which pupil came to which school, and why, in order."""
    arrivals = _arrivals(population, calendar)
    parts = [
        _phase_starts(population, calendar, 0),
        _phase_starts(population, calendar, 7),
        _moves(life, after),
        _returns(population, life, after),
        arrivals,
    ]
    rolls = pd.concat(parts, ignore_index=True).sort_values(["pupil", "date"], ignore_index=True)
    since = np.full(len(population), NEVER)
    since[arrivals["pupil"]] = arrivals["date"]
    return rolls[~(rolls["date"] < since[rolls["pupil"]])].reset_index(drop=True)


def _phase_starts(population: Population, calendar: SchoolCalendar, group: int) -> pd.DataFrame:
    """Return who starts primary school in Reception (0), or secondary school in Year 7."""
    first_group, special = population.first_group, population.special
    year = calendar.first_year + group - first_group
    comes = (first_group < 7) | special if group == 0 else ~special
    last_year = calendar.first_year + len(calendar.starts) // 6
    who = np.flatnonzero((year < last_year) & comes)
    date = september(calendar.first_year, first_group[who], group) + 2
    return pd.DataFrame(
        {
            "pupil": who,
            "date": date.astype("datetime64[s]"),
            "school": (population.primary if group == 0 else population.secondary)[who],
            "why": "end_of_phase",
        }
    )


def _moves(life: Life, after: Dates) -> pd.DataFrame:
    """Return who moves to another school of the same phase."""
    moves = life.rolls
    return pd.DataFrame(
        {
            "pupil": moves["pupil"],
            "date": after[moves["day"]] + np.timedelta64(3, "D"),
            "school": moves["school"],
            "why": np.where(moves["managed"] == 1, "managed_move", "transferred"),
        }
    )


def _returns(population: Population, life: Life, after: Dates) -> pd.DataFrame:
    """Return who starts at alternative provision after a permanent exclusion."""
    back = np.flatnonzero(life.back_day < NO_DAY)
    day = np.minimum(life.back_day[back], len(after) - 1)
    return pd.DataFrame(
        {
            "pupil": back,
            "date": after[day] + np.timedelta64(4, "D"),
            "school": population.schools.ap,
            "why": "ap",
        }
    )


def _arrivals(population: Population, calendar: SchoolCalendar) -> pd.DataFrame:
    """Return who comes from another area."""
    came = np.flatnonzero(population.arrives > 0)
    half_term = population.arrives[came]
    group = population.first_group[came] + half_term // 6
    day = calendar.starts[np.minimum(half_term, len(calendar.starts) - 1)]
    return pd.DataFrame(
        {
            "pupil": came,
            "date": day.astype("datetime64[s]"),
            "school": np.where(group >= 7, population.secondary[came], population.primary[came]),
            "why": "transferred",
        }
    )
