"""The whole simulation: half-term by half-term, then the tables and the true risks.

In:  how many pupils and years, a seed, a preset.
Out: :class:`Simulated`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.schema import TABLES
from riskmodel.data.tables import Tables
from riskmodel.data.write import new_folder, write_tables
from riskmodel.errors import RequestError
from riskmodel.progress import track
from riskmodel.simulate import process, records
from riskmodel.simulate.calendar import SchoolCalendar, make_calendar
from riskmodel.simulate.marks import draw_marks, sessions_table
from riskmodel.simulate.parameters import parameter
from riskmodel.simulate.population import Population, make_population

__all__ = ["Preset", "Simulated", "simulate", "write_simulated"]

Preset = Literal["england", "bcp"]

SNAPSHOTS = ("11-01", "01-01", "03-01", "04-15", "06-01", "08-01")
"""Snapshot days by the half-term before them (riskmodel.data.calendar.PEX_SNAPSHOT_DAYS)."""

LENGTHS = (0.46, 0.24, 0.14, 0.04, 0.12)
"""Suspensions of one to five days (DfE, 2015/16, longer ones counted as five)."""

NEVER = 10**6


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A simulated LA.

    Attributes
    ----------
    tables : Tables
        What the LA holds; no real pupil is in it.
    truth : DataFrame
        ``outcome``, ``pupil_id``, ``as_of``, ``risk``: each pupil's true risk, latent state known.
    """

    tables: Tables = field(repr=False)
    truth: pd.DataFrame = field(repr=False)


@dataclass
class _History:
    """What happened, gathered half-term by half-term."""

    disengagement: list[NDArray[np.float32]] = field(default_factory=list)
    suspended: list[dict[str, NDArray[np.int64]]] = field(default_factory=list)
    rolls: list[dict[str, NDArray[np.int64]]] = field(default_factory=list)
    truth: list[pd.DataFrame] = field(default_factory=list)
    exit_day: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    reason: NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    back_day: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    final: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=list)


def simulate(
    *, pupils: int = 12_000, years: int = 4, seed: int = 0, preset: Preset = "england"
) -> Simulated:
    """Simulate an LA.

    Parameters
    ----------
    pupils : int
        On roll at any time, Reception to Year 11; at least 100.
    years : int
        School years up to July 2025; 1 to 12.
    seed : int
        The same seed gives the same bytes.
    preset : str
        ``"england"`` or ``"bcp"``: levels of exclusion.

    Returns
    -------
    Simulated
        Tables and true risks.

    Raises
    ------
    RequestError
        If a parameter makes no sense.
    """
    if pupils < 100:
        raise RequestError(f"At least 100 pupils are needed to simulate an LA; got {pupils}.")
    if not 1 <= years <= 12:
        raise RequestError(f"The number of school years must be from 1 to 12; got {years}.")
    if preset not in get_args(Preset):
        raise RequestError(f"The preset must be england or bcp; got {preset!r}.")
    names = ("population", "life", "truth", "records", "marks")
    seeds = np.random.SeedSequence(seed).spawn(len(names))
    rng = {n: np.random.default_rng(s) for n, s in zip(names, seeds, strict=True)}
    calendar = make_calendar(years)
    population = make_population(pupils, years, preset, rng["population"])
    n = len(population.first_group)
    labels = pd.Index([f"P{number:06d}" for number in range(1, n + 1)], dtype="str")
    ids: Any = pd.Categorical.from_codes(np.arange(n), dtype=pd.CategoricalDtype(labels))
    history = _live(population, calendar, preset, ids, rng["life"], rng["truth"])
    frames = _frames(population, calendar, history, ids, rng["records"])
    frames["sessions"] = _sessions(population, calendar, history, ids.dtype, rng["marks"])
    ordered = {name: _typed(name, frames[name]) for name in TABLES if name in frames}
    return Simulated(tables=Tables(ordered), truth=pd.concat(history.truth, ignore_index=True))


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the schema in order, dates in seconds."""
    dates = [column.name for column in TABLES[name].columns if column.kind == "date"]
    return frame[TABLES[name].names].astype(dict.fromkeys(dates, "datetime64[s]"))


def _live(
    population: Population,
    calendar: SchoolCalendar,
    preset: str,
    ids: pd.Categorical,
    rng: np.random.Generator,
    rng_truth: np.random.Generator,
) -> _History:
    """Run the half-terms."""
    n = len(population.first_group)
    history = _History(exit_day=np.full(n, NEVER), reason=np.full(n, None, dtype=object),
                       back_day=np.full(n, NEVER))  # fmt: skip
    state = process.start_state(population, rng)
    for number in track(range(len(calendar.starts)), "Simulating half-terms"):
        history.disengagement.append(state.disengagement.astype(np.float32))
        chance = process.chances(population, state, preset)
        n_suspensions = rng.poisson(chance.suspensions)
        days = np.flatnonzero(calendar.half_term == number)
        _suspend(history, state, n_suspensions, days, rng)
        active = _leave(history, population, state, chance, days, rng)
        group = process.year_groups(population, number)
        if number % 6 == 5:
            done = np.flatnonzero(active & (group == 11))
            history.exit_day[done] = np.searchsorted(
                calendar.days, np.datetime64(f"{calendar.first_year + number // 6 + 1}-06-27")
            )
            history.reason[done] = "completed"
            history.final.append((done, process.neet_chance(population, state.disengagement,
                                                            state.pressure)[done]))  # fmt: skip
        school = _move(history, population, state, active, days, rng)
        moved = process.State(
            state.pressure, state.disengagement, state.recent, school, active, number
        )
        state = process.step(population, moved, n_suspensions, rng)
        _remember_truth(history, population, calendar, state, preset, ids, number, rng_truth)
    return history


def _suspend(
    history: _History,
    state: process.State,
    n_suspensions: NDArray[np.int64],
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """Date suspensions within the half-term; no pupil twice on a day."""
    pupil = np.repeat(np.arange(len(n_suspensions)), n_suspensions)
    day = rng.choice(days[:-6], len(pupil))
    _, once = np.unique(np.column_stack([pupil, day]), axis=0, return_index=True)
    length = 1 + rng.choice(len(LENGTHS), len(pupil), p=LENGTHS)
    history.suspended.append(
        {"pupil": pupil[once], "day": day[once], "days": length[once],
         "school": state.school[pupil[once]]}
    )  # fmt: skip


def _leave(
    history: _History,
    population: Population,
    state: process.State,
    chance: process.Chances,
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Decide who is excluded and who leaves otherwise; return who stays."""
    n = len(state.pressure)
    excluded = rng.random(n) < chance.pex
    pupil = np.flatnonzero(excluded)
    day = rng.choice(days[-20:-6], len(pupil))
    history.suspended.append(
        {"pupil": pupil, "day": day, "days": np.zeros(len(pupil), np.int64),
         "school": state.school[pupil]}
    )  # fmt: skip
    history.exit_day[pupil] = day + 5
    history.reason[pupil] = "permanently_excluded"
    to_ap = rng.random(len(pupil)) < 0.8
    history.back_day[pupil[to_ap]] = days[-1] + 1
    stays = state.active & ~excluded
    for reason, probability in chance.exits.items():
        leaves = np.flatnonzero(stays & (rng.random(n) < probability))
        history.exit_day[leaves] = rng.choice(days[-8:], len(leaves))
        history.reason[leaves] = reason
        stays[leaves] = False
    return stays


def _move(
    history: _History,
    population: Population,
    state: process.State,
    active: NDArray[np.bool_],
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Move some pupils to another school of the same phase at the end of the half-term."""
    often = 0.004 + 0.05 * (state.recent >= 2)
    pupil = np.flatnonzero(active & (rng.random(len(active)) < often))
    school = state.school.copy()
    primary = school[pupil] < population.n_primary
    low = np.where(primary, 0, population.n_primary)
    size = np.where(primary, population.n_primary, population.n_secondary)
    new = low + (school[pupil] - low + 1 + rng.integers(0, 10**6, len(pupil)) % (size - 1)) % size
    managed = state.recent[pupil] >= 2
    history.rolls.append(
        {"pupil": pupil, "day": np.full(len(pupil), days[-1]), "school": new,
         "managed": managed.astype(np.int64)}
    )  # fmt: skip
    school[pupil] = new
    return school


def _remember_truth(
    history: _History,
    population: Population,
    calendar: SchoolCalendar,
    state: process.State,
    preset: str,
    ids: pd.Categorical,
    number: int,
    rng: np.random.Generator,
) -> None:
    """Work out true risks on the snapshot day after a half-term."""
    year = calendar.first_year + number // 6 + (number % 6 >= 1)
    as_of = pd.Timestamp(f"{year}-{SNAPSHOTS[number % 6]}").as_unit("s")
    group = process.year_groups(population, number)
    for outcome, low, risk in (
        ("pex", 1, process.true_pex_risk(population, state, preset, rng)),
        ("neet", 9, _true_neet_risk(population, state)),
    ):
        inside = state.active & (group >= low) & (group <= 11)
        history.truth.append(
            pd.DataFrame({"outcome": outcome, "pupil_id": ids[inside].astype("str"), "as_of": as_of,
                          "risk": risk[inside]})
        )  # fmt: skip


def _true_neet_risk(population: Population, state: process.State) -> NDArray[np.float64]:
    """Return the chance given the expected latent states at the end of Year 11.

    The states drift back to their means; their later noise is averaged to first order, which is
    close because the chance is nearly exponential in them at this level.
    """
    left = np.clip(6 * (12 - population.first_group) - state.half_term, 0, 18)
    carry = process.PERSISTENCE**left
    ahead = [
        mean + carry * (now - mean)
        for mean, now in (
            (population.disengagement_mean, state.disengagement),
            (population.pressure_mean, state.pressure),
        )
    ]
    return process.neet_chance(population, *ahead)


def _joined(parts: list[dict[str, NDArray[np.int64]]]) -> dict[str, NDArray[np.int64]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _frames(
    population: Population,
    calendar: SchoolCalendar,
    history: _History,
    ids: pd.Categorical,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Return every table but the register."""
    first_year = calendar.first_year
    events = _joined(history.suspended)
    gone = events["day"] >= history.exit_day[events["pupil"]]
    keep = ~gone | (events["days"] == 0)
    events = {name: values[keep] for name, values in events.items()}
    history.suspended[:] = [events]
    send, plans = records.send_tables(population, ids, first_year, rng)
    frames = {
        "pupils": records.pupils_table(population, ids, first_year),
        "schools": records.schools_table(population),
        "enrolments": _enrolments(population, calendar, history, ids),
        "suspensions": records.suspensions_table(population, ids, events, calendar, rng),
        "send": send,
        "plans": plans,
        "circumstances": records.circumstances_table(population, ids, first_year, rng),
        "neighbourhood": records.neighbourhood_table(population, ids, first_year),
        "attainment": records.attainment_table(population, ids, first_year, rng),
        "destinations": _destinations(calendar, history, ids, rng),
        "calendar": calendar.table(),
    }
    return {
        name: frame.sort_values(list(TABLES[name].key), ignore_index=True)
        for name, frame in frames.items()
    }


def _enrolments(
    population: Population, calendar: SchoolCalendar, history: _History, ids: pd.Categorical
) -> pd.DataFrame:
    """Return spells on rolls: primary, secondary, moves, and AP after an exclusion."""
    group = population.first_group
    names = records.school_names(population)
    starts = []
    for wanted, school in ((0, population.primary), (7, population.secondary)):
        year = calendar.first_year + wanted - group
        who = np.flatnonzero((year < calendar.first_year + len(calendar.starts) // 6)
                             & ((wanted == 7) | (group < 7)))  # fmt: skip
        date = ((year[who] - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]") + 2
        starts.append(pd.DataFrame({"pupil": who, "date": date.astype("datetime64[s]"),
                                    "school": school[who], "why": "end_of_phase"}))  # fmt: skip
    moves = _joined(history.rolls)
    after = np.append(calendar.days, calendar.days[-1] + 3)
    starts.append(pd.DataFrame({
        "pupil": moves["pupil"], "date": (after[moves["day"]] + 3).astype("datetime64[s]"),
        "school": moves["school"], "why": np.where(moves["managed"] == 1, "managed_move", "transferred"),
    }))  # fmt: skip
    back = np.flatnonzero(history.back_day < NEVER)
    starts.append(pd.DataFrame({
        "pupil": back,
        "date": (after[np.minimum(history.back_day[back], len(after) - 1)] + 4).astype("datetime64[s]"),
        "school": population.ap_school, "why": "ap",
    }))  # fmt: skip
    rolls = pd.concat(starts, ignore_index=True).sort_values(["pupil", "date"], ignore_index=True)
    exit_index = np.minimum(history.exit_day, len(after) - 1)
    exit_date = np.where(history.exit_day < NEVER, after[exit_index], np.datetime64("NaT"))
    rolls["exit"] = exit_date.astype("datetime64[s]")[rolls["pupil"]]
    # nothing but AP begins once a pupil has left
    rolls = rolls[~((rolls["date"] > rolls["exit"]) & (rolls["why"] != "ap"))].reset_index(
        drop=True
    )
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
    reason = next_why.astype(object).where(~last, pd.Series(history.reason[rolls["pupil"]]))
    reason = reason.where(leaving.notna(), None)
    entry_group = group[rolls["pupil"]] + _school_year(rolls["date"]) - calendar.first_year
    recorded = rolls["date"] + pd.Timedelta(days=7)
    table = pd.DataFrame(
        {
            "pupil_id": ids[rolls["pupil"].to_numpy()],
            "school_id": pd.array(names[rolls["school"].to_numpy()], dtype="str"),
            "entry_date": rolls["date"],
            "leaving_date": leaving,
            "status": records.coded("enrolments", "status", ["main"] * len(rolls)),
            "year_group": entry_group.astype("int64"),
            "leaving_reason": records.coded("enrolments", "leaving_reason", reason.to_numpy(object)),
            "recorded_on": recorded,
            "end_recorded_on": (leaving + pd.Timedelta(days=4)).where(
                leaving + pd.Timedelta(days=4) > recorded, recorded).where(leaving.notna()),
        }
    )  # fmt: skip
    return table.drop_duplicates(["pupil_id", "school_id", "entry_date"])


def _school_year(dates: pd.Series) -> NDArray[np.int64]:
    return (dates.dt.year - (dates.dt.month < 9)).to_numpy()


def _destinations(
    calendar: SchoolCalendar, history: _History, ids: pd.Categorical, rng: np.random.Generator
) -> pd.DataFrame:
    """Return monthly NCCIS positions of leavers, September to March or the last day of the data."""
    parts = []
    for year, (pupil, chance) in enumerate(history.final, start=calendar.first_year + 1):
        neet = rng.random(len(pupil)) < chance
        unknown = ~neet & (rng.random(len(pupil)) < parameter("not_known") / 100)
        settled = np.array(["210", "220", "230", "310", "330"], dtype=object)[
            rng.choice(5, len(pupil), p=[0.33, 0.12, 0.45, 0.06, 0.04])
        ]
        since = rng.integers(0, 4, len(pupil))
        for month in range(7):
            start = np.datetime64(f"{year}-09") + month
            end = (start + 1).astype("datetime64[D]") - 1
            if end >= records.LAST_DAY:
                break
            code = np.where(neet & (month >= since), "619", np.where(unknown, "810", settled))
            parts.append(
                pd.DataFrame(
                    {
                        "pupil_id": ids[pupil].astype("str"),
                        "activity_code": code,
                        "start_date": start.astype("datetime64[s]"),
                        "confirmed_on": end.astype("datetime64[s]"),
                        "recorded_on": end.astype("datetime64[s]"),
                    }
                )
            )
    columns = TABLES["destinations"].names
    table = pd.concat(parts) if parts else pd.DataFrame({name: [] for name in columns})
    return table.assign(
        pupil_id=table["pupil_id"].astype(ids.dtype),
        activity_code=records.coded(
            "destinations", "activity_code", table["activity_code"].to_numpy(object)
        ),
    ).astype(dict.fromkeys(("start_date", "confirmed_on", "recorded_on"), "datetime64[s]"))


def _sessions(
    population: Population,
    calendar: SchoolCalendar,
    history: _History,
    pupils: pd.CategoricalDtype,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the register, write suspensions into it, and lay it out."""
    n_days = len(calendar.days)
    half_terms = np.arange(len(calendar.starts))
    group = population.first_group[:, None] + half_terms // 6
    day = np.arange(n_days)
    on_roll = ((group >= 0) & (group <= 11))[:, calendar.half_term]
    on_roll &= (day <= history.exit_day[:, None]) | (day > history.back_day[:, None] + 5)
    marks = draw_marks(calendar, group, np.column_stack(history.disengagement), on_roll, rng)
    events = history.suspended[0]
    length = np.where(events["days"] == 0, 5, events["days"])
    event = np.repeat(np.arange(len(length)), length)
    offset = np.arange(len(event)) - np.repeat(np.cumsum(length) - length, length)
    where = events["day"][event] + offset
    inside = where < n_days
    pupil, column = events["pupil"][event][inside], where[inside]
    excluded = np.uint8(list(TABLES["sessions"]["mark"].allowed).index("E") + 1)
    marks[pupil, column] = np.where(marks[pupil, column] > 0, excluded, 0)
    slow = rng.random(population.n_schools) < 0.05
    lag = np.where(slow[population.primary] | slow[population.secondary], 8, 1)
    return sessions_table(calendar, marks, pupils, lag)


def write_simulated(simulated: Simulated, out: Path) -> None:
    """Write the tables as Parquet, and the truth in a folder of its own.

    Parameters
    ----------
    simulated : Simulated
        From :func:`simulate`.
    out : Path
        Empty or new folder; gets ``<table>.parquet`` and ``truth/true_risk.parquet``.

    Raises
    ------
    RequestError
        If the folder is not empty.
    """
    with new_folder(out) as folder:
        write_tables(simulated.tables, folder)
        (folder / "truth").mkdir()
        simulated.truth.to_parquet(folder / "truth" / "true_risk.parquet", index=False)
