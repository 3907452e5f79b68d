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
from riskmodel.simulate.circumstances import SOCIAL
from riskmodel.simulate.life import NEVER as NO_DAY
from riskmodel.simulate.life import Life
from riskmodel.simulate.needs import NEEDS
from riskmodel.simulate.parameters import Preset, parameter, parameters_under
from riskmodel.simulate.population import ETHNICITIES, Population
from riskmodel.simulate.shapes import GROUPS, Ints

__all__ = [
    "attainment_table",
    "circumstances_table",
    "destinations_table",
    "enrolments_table",
    "neighbourhood_table",
    "pupils_table",
    "school_names",
    "schools_table",
    "send_tables",
    "shares_of_all_reasons",
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


def pupils_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``pupils`` table.

    Parameters
    ----------
    population : Population
        Traits.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        One row per pupil.
    """
    names = np.array(ETHNICITIES, dtype=object)[population.ethnicity]
    # Reception pupils are four on 31 August: born from September, five years before
    september = (first_year - 5 - population.first_group - 1970) * 12 + 8
    born = (september + population.birth_month).astype("datetime64[M]").astype("datetime64[s]")
    other = ~np.isin(names, ["WBRI", "WIRI", "WIRT", "BCRB", "MWBC", "REFU", "NOBT"])
    share = (
        parameter("english_additional.primary") + parameter("english_additional.secondary")
    ) / 200
    other &= rng.random(len(names)) < share / other.mean()
    return pd.DataFrame(
        {
            "pupil_id": ids,
            "birth_month": born,
            "sex": coded("pupils", "sex", np.where(population.male, "M", "F")),
            "ethnicity": coded("pupils", "ethnicity", names),
            "first_language": pd.array(np.where(other, "OTH", "ENG"), dtype="str"),
            "religion": pd.array([None] * len(names), dtype="str"),
        }
    )


def suspensions_table(
    ids: pd.Categorical,
    names: NDArray[np.object_],
    events: dict[str, Ints],
    calendar: SchoolCalendar,
    preset: Preset,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the ``suspensions`` table.

    Parameters
    ----------
    ids : Categorical
        Pseudonyms.
    names : object array of shape (n_schools,)
        ``school_id`` by number.
    events : dict of str to int array
        ``pupil``, ``day`` (number of the school day), ``days`` (0 for permanent), ``school``.
    calendar : SchoolCalendar
        School days.
    preset : str
        ``"england"`` or ``"bcp"``.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Suspensions and permanent exclusions, recorded 1 to 14 days later.
    """
    n = len(events["pupil"])
    permanent = events["days"] == 0
    reasons = np.full((3, n), "", dtype=object)
    for event, rows in (("susp", ~permanent), ("pex", permanent)):
        shares = shares_of_all_reasons(event, preset)
        codes = np.array(list(shares), dtype=object)
        p = np.array(list(shares.values()))
        for place, share in enumerate((1.0, 0.25, 0.05)):
            given = rows & (rng.random(n) < share)
            reasons[place, given] = codes[rng.choice(len(codes), int(given.sum()), p=p / p.sum())]
    reasons[1][reasons[1] == reasons[0]] = ""
    reasons[2][(reasons[2] == reasons[0]) | (reasons[2] == reasons[1]) | (reasons[1] == "")] = ""
    start = calendar.days.astype("datetime64[s]")[events["day"]]
    lag = rng.integers(1, 15, n).astype("timedelta64[D]")
    return pd.DataFrame(
        {
            "pupil_id": ids[events["pupil"]],
            "school_id": pd.array(names[events["school"]], dtype="str"),
            "start_date": start,
            "sessions": np.where(permanent, np.nan, 2.0 * events["days"]),
            "category": coded("suspensions", "category", np.where(permanent, "PERM", "SUSP")),
            **{f"reason_{i + 1}": coded("suspensions", f"reason_{i + 1}", reasons[i])
               for i in range(3)},
            "recorded_on": start + lag,
        }
    )  # fmt: skip


def shares_of_all_reasons(event: str, preset: Preset) -> dict[str, float]:
    """Return shares of reasons; where the preset sets one, the others keep their proportion.

    Parameters
    ----------
    event : str
        ``"susp"`` or ``"pex"``.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to float
        Reason code → percent.
    """
    national, ours = (parameters_under(f"{event}.reason", name) for name in ("england", preset))
    fixed = {code: value for code, value in ours.items() if value != national[code]}
    rest = sum(value for code, value in national.items() if code not in fixed)
    scale = (100 - sum(fixed.values())) / rest
    return {code: fixed.get(code, value * scale) for code, value in national.items()}


def _september(first_year: int, group: NDArray[np.int64], wanted: NDArray[np.int64] | int) -> Dates:
    """Return 1 September of the school year in which pupils were in a year group."""
    year = first_year + (wanted - group)
    return np.asarray(((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]"))


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


def _change_days(population: Population, first_year: int, rng: np.random.Generator) -> Dates:
    """Return the day in each year group on which a pupil's circumstances may change."""
    year = first_year + np.arange(GROUPS)[None, :] - population.first_group[:, None]
    september: Dates = ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]")
    offset = rng.integers(3, 130, september.shape)  # known by the January census
    offset[:, 0] = 2  # what is so in Reception is so from the first day
    return np.asarray(september + offset.astype("timedelta64[D]"))


def _spells(
    status: NDArray[np.bool_], days: Dates, ids: pd.Categorical, lag: tuple[int, int],
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Turn a status by year group into spells that had begun by the last day.

    Returns pupil, place of the first year group, start, end and when both were recorded; an end
    after the last day is not known yet.
    """
    padded = np.pad(status, ((0, 0), (1, 1)))
    pupil, first = np.nonzero(padded[:, 1:-1] & ~padded[:, :-2])
    _, last = np.nonzero(padded[:, 1:-1] & ~padded[:, 2:])
    start = days[pupil, first].astype("datetime64[s]")
    after = np.minimum(last + 1, GROUPS - 1)
    end = days[pupil, after].astype("datetime64[s]") - np.timedelta64(1, "D")
    end = np.where((last == GROUPS - 1) | (end > LAST_DAY.astype("datetime64[s]")), NEVER, end)
    begun = start <= LAST_DAY.astype("datetime64[s]")
    recorded = start + rng.integers(*lag, len(start)).astype("timedelta64[D]")
    spells = pd.DataFrame(
        {
            "pupil": pupil,
            "pupil_id": ids[pupil],
            "group": first,
            "start_date": start,
            "end_date": end,
            "recorded_on": recorded,
            "end_recorded_on": np.maximum(end + np.timedelta64(lag[0] + 10, "D"), recorded),
        }
    )
    return spells[begun]


def send_tables(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ``send`` and ``plans`` tables.

    Parameters
    ----------
    population : Population
        Needs and what is provided by year group.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    send, plans : DataFrame
        Spells of SEN support and of plans; a request before every plan, and some refused ones.
    """
    days = _change_days(population, first_year, rng)
    parts = []
    for number, provision in ((1, "K"), (2, "E")):
        spells = _spells(population.provision == number, days, ids, (20, 120), rng)
        parts.append(spells.assign(provision=provision))
    spells = pd.concat(parts, ignore_index=True)
    need = np.array(NEEDS, dtype=object)[np.maximum(population.need, 0)]
    send = pd.DataFrame(
        {
            "pupil_id": spells["pupil_id"],
            "provision": coded("send", "provision", spells["provision"]),
            "primary_need": coded("send", "primary_need", need[spells["pupil"]]),
            "secondary_need": coded("send", "secondary_need", [None] * len(spells)),
            **{
                name: spells[name]
                for name in ("start_date", "end_date", "recorded_on", "end_recorded_on")
            },
        }
    )
    return send, _plans(spells, rng)


def _plans(spells: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return requests for plans: one before every plan, and refused ones after years of support."""
    plan = spells[(spells["provision"] == "E") & (spells["group"] > 0)]
    n = len(plan)
    weeks = np.clip(rng.normal(23, 7, n), 12, 60)  # the law asks for 20; fewer than half keep to it
    issued = plan["start_date"].to_numpy()
    requested = issued - (7 * weeks).astype(np.int64).astype("timedelta64[D]")
    decided = requested + rng.integers(30, 60, n).astype("timedelta64[D]")
    support = spells[(spells["provision"] == "K") & (rng.random(len(spells)) < 0.08)]
    asked = support["start_date"].to_numpy() + rng.integers(200, 700, len(support)).astype(
        "timedelta64[D]"
    )
    refused_on = asked + rng.integers(30, 60, len(support)).astype("timedelta64[D]")
    last = LAST_DAY.astype("datetime64[s]")
    known = refused_on <= last
    plans = pd.DataFrame(
        {
            "pupil_id": pd.concat([plan["pupil_id"], support["pupil_id"]], ignore_index=True),
            "requested_on": np.concatenate([requested, asked]),
            "decided_on": np.concatenate([decided, np.where(known, refused_on, NEVER)]),
            "outcome": coded(
                "plans", "outcome", ["issued"] * n + ["refused" if k else "" for k in known]
            ),
            "plan_on": np.concatenate([issued, np.full(len(support), NEVER)]),
        }
    )
    plans["recorded_on"] = plans["requested_on"] + pd.Timedelta(days=1)
    plans = plans[plans["requested_on"] <= pd.Timestamp(last)]
    return plans.drop_duplicates(["pupil_id", "requested_on"])


def circumstances_table(
    population: Population, ids: pd.Categorical, first_year: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the ``circumstances`` table.

    Parameters
    ----------
    population : Population
        Circumstances by year group.
    ids : Categorical
        Pseudonyms.
    first_year : int
        Calendar year in which the first school year starts.
    rng : Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        Spells of free school meals, social care, early help, young carers and youth justice.
    """
    days = _change_days(population, first_year, rng)
    hardship = 0.7 * population.stress + 0.7 * rng.standard_normal(len(population))
    trouble = 0.8 * population.pressure_mean + 0.6 * rng.standard_normal(len(population))
    late = np.arange(GROUPS) >= 9
    status = {
        "fsm": population.fsm,
        **{kind: population.social == number for number, kind in enumerate(SOCIAL) if number},
        "early_help": population.early_help,
        # chosen: 1.5% young carers, 1.2% supervised by youth justice in Years 9 to 11
        "young_carer": (hardship > 2.2)[:, None] & (np.arange(GROUPS) >= 4),
        "youth_justice": (trouble > 2.3)[:, None] & late,
    }
    parts = [
        _spells(now, days, ids, (1, 30), rng).assign(kind=kind) for kind, now in status.items()
    ]
    spells = pd.concat(parts, ignore_index=True)
    spells["kind"] = coded("circumstances", "kind", spells["kind"])
    return spells


def attainment_table(
    population: Population, ids: pd.Categorical, first_year: int, away: NDArray[np.float32],
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
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
        ("KS2", "reading", 7, -55), ("KS2", "mathematics", 7, -55), ("KS4", "attainment_8", 12, -10),
    ):  # fmt: skip
        result = _september(first_year, population.first_group, group) + day
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


def enrolments_table(
    population: Population, calendar: SchoolCalendar, life: Life, ids: pd.Categorical,
    names: NDArray[np.object_],
) -> pd.DataFrame:  # fmt: skip
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
        date = _september(calendar.first_year, group[who], wanted) + 2
        parts.append(pd.DataFrame({"pupil": who, "date": date.astype("datetime64[s]"),
                                   "school": school[who], "why": "end_of_phase"}))  # fmt: skip
    moves, back = life.rolls, np.flatnonzero(life.back_day < NO_DAY)
    parts.append(pd.DataFrame({
        "pupil": moves["pupil"], "date": after[moves["day"]] + np.timedelta64(3, "D"),
        "school": moves["school"],
        "why": np.where(moves["managed"] == 1, "managed_move", "transferred"),
    }))  # fmt: skip
    parts.append(pd.DataFrame({
        "pupil": back,
        "date": after[np.minimum(life.back_day[back], len(after) - 1)] + np.timedelta64(4, "D"),
        "school": population.schools.ap, "why": "ap",
    }))  # fmt: skip
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
            start = np.datetime64(f"{year}-09") + month
            end = (start + 1).astype("datetime64[D]") - 1
            if end >= LAST_DAY:
                break
            code = np.where(neet & (month >= since), "619", np.where(unknown, "810", settled))
            end = end.astype("datetime64[s]")
            parts.append(pd.DataFrame({
                "pupil_id": ids[pupil], "activity_code": code,
                "start_date": start.astype("datetime64[s]"), "confirmed_on": end, "recorded_on": end,
            }))  # fmt: skip
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
    )[columns]
