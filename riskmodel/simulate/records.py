"""From events and traits to the tables an LA holds, each recorded as late as in life.

In:  the population, what happened, and a random generator.
Out: one frame per table, pupils in the order of their categories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES, as_codes
from riskmodel.simulate.calendar import LAST_YEAR, SchoolCalendar
from riskmodel.simulate.parameters import REASON_SHARES
from riskmodel.simulate.population import ETHNICITIES, NEED_CODES, Population

__all__ = [
    "attainment_table",
    "coded",
    "school_names",
    "circumstances_table",
    "neighbourhood_table",
    "pupils_table",
    "schools_table",
    "send_tables",
    "suspensions_table",
]

LAST_DAY = np.datetime64(f"{LAST_YEAR}-07-31")
NEVER = np.datetime64("NaT", "s")
Dates = NDArray[np.datetime64]


def coded(table: str, column: str, values: Any) -> pd.Categorical:
    """Return codes in the type of the schema.

    Parameters
    ----------
    table, column : str
        Where the codes belong.
    values : sequence of str
        Codes; None or empty where missing.

    Returns
    -------
    Categorical
        With all allowed codes as categories.
    """
    return as_codes(values, TABLES[table][column].allowed)


def pupils_table(population: Population, ids: pd.Categorical, first_year: int) -> pd.DataFrame:
    """Return the ``pupils`` table.

    Parameters
    ----------
    population : Population
        Traits.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.

    Returns
    -------
    DataFrame
        One row per pupil.
    """
    names = np.array(list(ETHNICITIES), dtype=object)[population.ethnicity]
    # Reception pupils are four on 31 August: born from September, five years before
    september = (first_year - 5 - population.first_group - 1970) * 12 + 8
    born = (september + population.birth_month).astype("datetime64[M]").astype("datetime64[s]")
    asian = np.isin(names, ["APKN", "AIND", "ABAN", "AOTH", "CHNE", "WROM", "WOTH"])
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "birth_month": born,
            "sex": coded("pupils", "sex", np.where(population.male, "M", "F")),
            "ethnicity": coded("pupils", "ethnicity", names),
            "first_language": pd.array(np.where(asian, "OTH", "ENG"), dtype="str"),
            "religion": pd.array([None] * len(names), dtype="str"),
        }
    )


def school_names(population: Population) -> NDArray[np.object_]:
    """Return the school_id of each school number.

    Parameters
    ----------
    population : Population
        Schools.

    Returns
    -------
    object array of shape (n_schools,)
        Names such as ``S001``.
    """
    return np.array([f"S{number + 1:03d}" for number in range(population.n_schools)], dtype=object)


def schools_table(population: Population) -> pd.DataFrame:
    """Return the ``schools`` table.

    Parameters
    ----------
    population : Population
        Schools.

    Returns
    -------
    DataFrame
        Primary schools, secondary schools, one special and one AP school.
    """
    n = population.n_schools
    phase = ["primary"] * population.n_primary + ["secondary"] * population.n_secondary
    return pd.DataFrame(
        {
            "school_id": pd.array(school_names(population), dtype="str"),
            "urn": pd.array([f"{900000 + i}" for i in range(n)], dtype="str"),
            "name": pd.array([f"School {i + 1}" for i in range(n)], dtype="str"),
            "phase": coded("schools", "phase", [*phase, "all_through", "all_through"]),
            "kind": coded("schools", "kind", ["mainstream"] * (n - 2) + ["special", "AP"]),
            "local_authority": pd.array(["000"] * n, dtype="str"),
        }
    )


def suspensions_table(
    population: Population,
    ids: pd.Categorical,
    events: dict[str, NDArray[np.int64]],
    calendar: SchoolCalendar,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the ``suspensions`` table.

    Parameters
    ----------
    population : Population
        Schools.
    ids : Categorical
        Pseudonyms.
    events : dict of str to int array
        ``pupil``, ``day`` (number of the school day), ``days`` (0 for permanent), ``school``.
    calendar : SchoolCalendar
        School days.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Suspensions and permanent exclusions, recorded 1 to 14 days later.
    """
    n = len(events["pupil"])
    permanent = events["days"] == 0
    shares = np.array(list(REASON_SHARES.values()))
    names = np.array(list(REASON_SHARES), dtype=object)
    reason = names[rng.choice(len(names), n, p=shares / shares.sum())]
    reason[permanent & (rng.random(n) < 0.2)] = "DA"
    second = np.where(rng.random(n) < 0.25, names[rng.integers(0, len(names), n)], "")
    second[second == reason] = ""
    start = calendar.days.astype("datetime64[s]")[events["day"]]
    lag = rng.integers(1, 15, n).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "pupil_id": ids[events["pupil"]],
            "school_id": pd.array(school_names(population)[events["school"]], dtype="str"),
            "start_date": start,
            "sessions": np.where(permanent, np.nan, 2.0 * events["days"]),
            "category": coded("suspensions", "category", np.where(permanent, "PERM", "SUSP")),
            "reason_1": coded("suspensions", "reason_1", reason),
            "reason_2": coded("suspensions", "reason_2", second),
            "reason_3": coded("suspensions", "reason_3", [None] * n),
            "recorded_on": start + lag,
        }
    )


def _september(first_year: int, group: NDArray[np.int64], wanted: NDArray[np.int64] | int) -> Dates:
    """Return 1 September of the school year in which pupils were in a year group."""
    year = first_year + (wanted - group)
    return ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]")


def send_tables(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ``send`` and ``plans`` tables.

    Parameters
    ----------
    population : Population
        Needs and when they are found.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    send, plans : DataFrame
        SEN support from when the need is found; for about a quarter a request for an EHC plan
        after a year or two, a third of them refused, and the plan.
    """
    n = len(population.need)
    reception = _september(first_year, population.first_group, 0)
    found = reception + (population.found_group * 365).astype(np.int64)
    has = (population.need >= 0) & (found <= LAST_DAY)
    asks = has & (rng.random(n) < np.where(population.need == 2, 0.6, 0.3))
    request = found + rng.integers(120, 700, n)
    decided = request + rng.integers(60, 200, n)
    issued = asks & (rng.random(n) < 0.7)
    plan_on = decided + rng.integers(20, 120, n)
    asks &= request <= LAST_DAY
    has_plan = issued & asks & (plan_on <= LAST_DAY)
    need = np.where(has, np.array(NEED_CODES, dtype=object)[population.need], "")
    rows = np.concatenate([np.flatnonzero(has), np.flatnonzero(has_plan)])
    n_support = int(has.sum())
    is_support = np.arange(len(rows)) < n_support
    start = np.where(is_support, found[rows], plan_on[rows]).astype("datetime64[s]")
    end = np.where(is_support & has_plan[rows], plan_on[rows] - 1, np.datetime64("NaT")).astype(
        "datetime64[s]"
    )
    wait = rng.integers(20, 120, len(rows)).astype("timedelta64[D]")
    send = pd.DataFrame(
        {
            "pupil_id": ids[rows],
            "provision": coded("send", "provision", np.where(is_support, "K", "E")),
            "primary_need": coded("send", "primary_need", need[rows]),
            "secondary_need": coded("send", "secondary_need", [None] * len(rows)),
            "start_date": start,
            "end_date": end,
            "recorded_on": start + wait,
            "end_recorded_on": np.maximum(end + np.timedelta64(30, "D"), start + wait),
        }
    )
    ask = np.flatnonzero(asks)
    requested = request[ask].astype("datetime64[s]")
    is_decided = decided[ask] <= LAST_DAY
    outcome = np.where(is_decided, np.where(issued[ask], "issued", "refused"), "")
    plans = pd.DataFrame(
        {
            "pupil_id": ids[ask],
            "requested_on": requested,
            "decided_on": np.where(is_decided, decided[ask].astype("datetime64[s]"), NEVER),
            "outcome": coded("plans", "outcome", outcome),
            "plan_on": np.where(has_plan[ask], plan_on[ask].astype("datetime64[s]"), NEVER),
            "recorded_on": requested + np.timedelta64(1, "D"),
        }
    )
    return send, plans


def circumstances_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``circumstances`` table.

    Parameters
    ----------
    population : Population
        Traits that make circumstances likelier.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Free school meals from Reception; spells of social care, early help, young carers and youth
        justice that start at any time.
    """
    n = len(population.need)
    reception = _september(first_year, population.first_group, 0)
    kinds = {"child_in_need": (0.09, 1.0, 400), "child_protection": (0.02, 1.1, 300),
             "looked_after": (0.015, 1.0, 900), "early_help": (0.08, 0.8, 250),
             "young_carer": (0.02, 0.6, 1500), "youth_justice": (0.01, 0.5, 250)}  # fmt: skip
    parts: list[tuple[NDArray[np.int64], str, Dates, Dates | None]] = [
        (np.flatnonzero(population.fsm), "fsm", reception[population.fsm], None)
    ]
    for kind, (share, slope, length) in kinds.items():
        score = slope * population.stress + 0.4 * population.pressure_mean
        chance = share * np.exp(score - score.var() / 2)
        who = np.flatnonzero(rng.random(n) < chance)
        earliest = 9 if kind == "youth_justice" else 0
        start = reception[who] + rng.integers(365 * earliest, 365 * 12, len(who))
        parts.append((who, kind, start, start + rng.geometric(1 / length, len(who))))
    return pd.concat([_spells(ids, *part, rng) for part in parts], ignore_index=True)


def _spells(
    ids: pd.Categorical,
    who: NDArray[np.int64],
    kind: str,
    start: Dates,
    end: Dates | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return spells that had begun by the last day; later ends are not known yet."""
    begun = start <= LAST_DAY - 30
    first = start[begun].astype("datetime64[s]")
    last = np.full(len(first), NEVER) if end is None else end[begun].astype("datetime64[s]")
    last = np.where(last > LAST_DAY.astype("datetime64[s]"), NEVER, last)
    recorded = first + rng.integers(1, 30, len(first)).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "pupil_id": ids[who[begun]],
            "kind": coded("circumstances", "kind", [kind] * len(first)),
            "start_date": first,
            "end_date": last,
            "recorded_on": recorded,
            "end_recorded_on": np.maximum(last + np.timedelta64(10, "D"), recorded),
        }
    )


def neighbourhood_table(
    population: Population, ids: pd.Categorical, first_year: int
) -> pd.DataFrame:
    """Return the ``neighbourhood`` table.

    Parameters
    ----------
    population : Population
        Deprivation.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.

    Returns
    -------
    DataFrame
        One address per pupil, recorded a term after Reception.
    """
    place = np.argsort(np.argsort(-population.deprivation, kind="stable"), kind="stable")
    decile = 1.0 + place * 10 // len(place)
    start = _september(first_year, population.first_group, 0).astype("datetime64[s]")
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "start_date": start,
            "idaci_decile": decile,
            "imd_decile": decile,
            "recorded_on": start + np.timedelta64(90, "D"),
        }
    )


def attainment_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``attainment`` table: key stage 2 in reading and mathematics.

    Parameters
    ----------
    population : Population
        Ability.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Results of all who had finished Year 6.
    """
    result = _september(first_year, population.first_group, 7) - 50
    has = np.flatnonzero(result <= LAST_DAY - 30)
    parts = []
    for subject in ("reading", "mathematics"):
        score = 0.85 * population.ability[has] + 0.5 * rng.standard_normal(len(has))
        parts.append(
            pd.DataFrame(
                {
                    "pupil_id": ids[has],
                    "stage": coded("attainment", "stage", ["KS2"] * len(has)),
                    "subject": pd.array([subject] * len(has), dtype="str"),
                    "score": score,
                    "result_date": result[has].astype("datetime64[s]"),
                    "recorded_on": (result[has] + 30).astype("datetime64[s]"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
