"""The whole simulation, LA by LA.

In:  how many pupils and years, a seed, a preset, a world.
Out: :class:`Simulated`, or one :class:`Authority` after the other, which need little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.codes import codes
from riskmodel.data.schema import TABLES
from riskmodel.data.tables import Tables
from riskmodel.errors import RequestError
from riskmodel.simulate import records
from riskmodel.simulate.calendar import SchoolCalendar, make_calendar
from riskmodel.simulate.life import Life, live
from riskmodel.simulate.marks import draw_marks, write_suspensions
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.population import Population, make_population
from riskmodel.simulate.shapes import GROUPS
from riskmodel.simulate.truth import true_risks
from riskmodel.simulate.worlds import WorldName, world_named

__all__ = ["LARGEST_LA", "Authority", "Request", "Simulated", "authorities", "simulate"]

LARGEST_LA = 52_000
"""Pupils of an LA; more pupils make more LAs, so that memory does not grow."""

TRUTH = "truth/true_risk"
"""File of the true risks, without its ending."""

ROWS = 5000
"""Pupils whose register is laid out at a time."""

SLOW_SCHOOLS = 0.05
"""Share of schools whose registers come a week late; chosen."""


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """A simulated LA.

    Attributes
    ----------
    tables : Tables
        What the LA holds; no real pupil is in it.
    risks : sequence of callables
        Each returns the true risks of one LA.
    """

    tables: Tables = field(repr=False)
    risks: Sequence[Callable[[], pd.DataFrame]] = field(repr=False)

    @cached_property
    def truth(self) -> pd.DataFrame:
        """Each pupil's true risk on every snapshot day; worked out when it is first asked for.

        ``outcome``, ``pupil_id``, ``as_of``, ``risk``, as :func:`riskmodel.simulate.truth.true_risks`
        returns them: the latent state known, what comes later not.
        """
        return pd.concat([risks() for risks in self.risks], ignore_index=True)


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    pupils, years, seed : int
        As for :func:`simulate`.
    preset, world : str
        As for :func:`simulate`.

    Raises
    ------
    RequestError
        If one makes no sense.
    """

    pupils: int
    years: int
    seed: int
    preset: Preset
    world: WorldName

    def __post_init__(self) -> None:
        if self.pupils < 100:
            raise RequestError(
                f"At least 100 pupils are needed to simulate an LA; got {self.pupils}."
            )
        if not 1 <= self.years <= 12:
            raise RequestError(
                f"The number of school years must be from 1 to 12; got {self.years}."
            )
        if self.preset not in get_args(Preset):
            raise RequestError(f"The preset must be england or bcp; got {self.preset!r}.")
        world_named(self.world)


@dataclass(frozen=True)
class Authority:
    """One LA: its tables but the register, which is kept as marks.

    Attributes
    ----------
    frames : dict of str to DataFrame
        All tables but ``sessions``.
    risks : callable
        Returns the true risks: :attr:`Simulated.truth`.
    calendar : SchoolCalendar
        School days.
    pupils : CategoricalDtype
        ``pupil_id`` of each pupil, in the order of the marks.
    marks : int array of shape (n_pupils, n_days, 2)
        Number of the mark of each half-day; 0 where the pupil is on no roll.
    lag : int array of shape (n_pupils,)
        Days after which the marks of each pupil arrive.
    """

    frames: dict[str, pd.DataFrame]
    risks: Callable[[], pd.DataFrame]
    calendar: SchoolCalendar
    pupils: pd.CategoricalDtype
    marks: NDArray[np.uint8]
    lag: NDArray[np.int64]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables, the register too.

        Returns
        -------
        dict of str to DataFrame
            Table → rows.
        """
        return self.frames | {"sessions": _sessions(self, 0, len(self.marks))}

    def parts(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Return all tables and the true risks, the register in parts that need little memory.

        Yields
        ------
        str, DataFrame
            Name of the table, or :data:`TRUTH`; its rows, or some of them.
        """
        yield from self.frames.items()
        for first in range(0, len(self.marks), ROWS):
            yield "sessions", _sessions(self, first, first + ROWS)
        yield TRUTH, self.risks()


def simulate(
    *,
    pupils: int = 12_000,
    years: int = 4,
    seed: int = 0,
    preset: Preset = "england",
    world: WorldName = "steady",
) -> Simulated:
    """Simulate an LA in memory.

    Parameters
    ----------
    pupils : int
        On roll at any time, Reception to Year 11; at least 100. Above 52,000 they are dealt out to
        several LAs.
    years : int
        School years up to July 2025; 1 to 12.
    seed : int
        The same seed gives the same bytes.
    preset : str
        ``"england"`` or ``"bcp"``: published levels.
    world : str
        How lives go at these levels: one of :data:`riskmodel.simulate.WORLDS`.

    Returns
    -------
    Simulated
        Tables and true risks.

    Raises
    ------
    RequestError
        If a parameter makes no sense.
    """
    made = list(authorities(Request(pupils, years, seed, preset, world)))
    tables = made[0].tables() if len(made) == 1 else _joined(made)
    return Simulated(
        tables=Tables({name: tables[name] for name in TABLES if name in tables}),
        risks=[one.risks for one in made],
    )


def _joined(several: list[Authority]) -> dict[str, pd.DataFrame]:
    """Return the tables of several LAs as one each; they share a calendar."""
    names = np.concatenate([one.pupils.categories for one in several])
    everyone = pd.CategoricalDtype(pd.Index(names, dtype="str"))
    parts = [one.tables() for one in several]
    joined = {name: _stacked([part[name] for part in parts], everyone) for name in parts[0]}
    return joined | {"calendar": parts[0]["calendar"]}


def _stacked(parts: list[pd.DataFrame], everyone: pd.CategoricalDtype) -> pd.DataFrame:
    """Return the rows of one table of several LAs."""
    if "pupil_id" in parts[0]:
        parts = [part.assign(pupil_id=part["pupil_id"].astype(everyone)) for part in parts]
    return pd.concat(parts, ignore_index=True)


def authorities(request: Request) -> Iterator[Authority]:
    """Simulate one LA after the other.

    Parameters
    ----------
    request : Request
        What is asked for.

    Yields
    ------
    Authority
        One LA.
    """
    number = -(-request.pupils // LARGEST_LA)
    calendar = make_calendar(request.years)
    sizes = np.diff(np.linspace(0, request.pupils, number + 1).round().astype(int)).tolist()
    seeds = np.random.SeedSequence(request.seed).spawn(number)
    n_pupils = n_schools = 0
    for index, (size, child) in enumerate(zip(sizes, seeds, strict=True)):
        one = _authority(size, request, calendar, child, (n_pupils, n_schools, index))
        n_pupils += len(one.marks)
        n_schools += len(one.frames["schools"])
        yield one


def _authority(
    pupils: int,
    request: Request,
    calendar: SchoolCalendar,
    seed: np.random.SeedSequence,
    before: tuple[int, int, int],
) -> Authority:
    """Simulate one LA; ``before`` counts pupils, schools and LAs before it."""
    streams = ("population", "life", "truth", "records", "marks")
    rng = {n: np.random.default_rng(s) for n, s in zip(streams, seed.spawn(5), strict=True)}
    preset, world = request.preset, world_named(request.world)
    population = make_population(pupils, request.years, preset, rng["population"], world)
    life = live(population, calendar, preset, rng["life"])
    ids = _pseudonyms(len(population), before[0])
    labels = ids.categories.to_numpy(object)
    return Authority(
        frames=_frames(population, calendar, life, ids, before[1:], preset, rng["records"]),
        risks=partial(true_risks, population, calendar, life, labels, preset, rng["truth"]),
        calendar=calendar,
        pupils=ids.dtype,
        marks=_register(population, calendar, life, rng["marks"]),
        lag=_lag(population, rng["marks"]),
    )


def _pseudonyms(n: int, before: int) -> pd.Categorical:
    """Return the ``pupil_id`` of each pupil; ``before`` counts pupils of the LAs before."""
    labels = pd.Index([f"P{before + i:07d}" for i in range(1, n + 1)], dtype="str")
    dtype = pd.CategoricalDtype(labels)
    return cast("pd.Categorical", pd.Categorical.from_codes(np.arange(n), dtype=dtype))


def _frames(
    population: Population,
    calendar: SchoolCalendar,
    life: Life,
    ids: pd.Categorical,
    before: tuple[int, ...],
    preset: Preset,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Return all tables but the register; ``before`` counts schools and LAs before."""
    n_schools, authority = before
    names = records.school_names(population, n_schools)
    events, year = life.suspended, calendar.first_year
    send, plans = records.send_tables(population, ids, year, rng)
    # each line draws from the same generator: their order is part of the seed's meaning
    frames = {
        "pupils": records.pupils_table(population, ids, year, rng),
        "schools": records.schools_table(population, names, authority),
        "enrolments": records.enrolments_table(population, calendar, life, ids, names),
        "suspensions": records.suspensions_table(ids, names, events, calendar, preset, rng),
        "send": send,
        "plans": plans,
        "circumstances": records.circumstances_table(population, ids, year, rng),
        "neighbourhood": records.neighbourhood_table(population, ids, year),
        "attainment": records.attainment_table(
            population, ids, year, _at_the_end(population, life), rng
        ),
        "destinations": records.destinations_table(calendar, life, ids, rng),
        "calendar": calendar.table(),
    }
    return {name: _typed(name, frame) for name, frame in frames.items()}


def _at_the_end(population: Population, life: Life) -> NDArray[np.float32]:
    """Return each pupil's disengagement in the last half-term of Year 11, or in the last of the data."""
    last = np.clip(6 * (GROUPS - population.first_group) - 1, 0, len(life.disengagement) - 1)
    return np.column_stack(life.disengagement)[np.arange(len(population)), last]


def _register(
    population: Population, calendar: SchoolCalendar, life: Life, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return every pupil's marks, suspensions too."""
    away, on_roll = np.column_stack(life.disengagement), _days_on_roll(population, calendar, life)
    marks = draw_marks(population, calendar, away, on_roll, rng)
    events = life.suspended
    length = np.where(events["days"] == 0, 5, events["days"])
    write_suspensions(marks, events["pupil"], events["day"], length)
    return marks


def _days_on_roll(
    population: Population, calendar: SchoolCalendar, life: Life
) -> NDArray[np.bool_]:
    """Return the days on which each pupil is on a roll."""
    half_terms, day = np.arange(len(calendar.starts)), np.arange(len(calendar.days))
    group = population.first_group[:, None] + half_terms // 6
    present = (group >= 0) & (group < GROUPS) & (half_terms >= population.arrives[:, None])
    stays = (day <= life.exit_day[:, None]) | (day > life.back_day[:, None] + 5)
    return np.asarray(present[:, calendar.half_term] & stays)


def _lag(population: Population, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return after how many days each pupil's marks arrive."""
    slow = rng.random(population.schools.count) < SLOW_SCHOOLS
    return np.where(slow[population.primary] | slow[population.secondary], 8, 1)


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the schema, sorted by the key, dates in seconds."""
    dates = [column.name for column in TABLES[name].columns if column.kind == "date"]
    typed = frame[TABLES[name].names].astype(dict.fromkeys(dates, "datetime64[s]"))
    return typed.sort_values(list(TABLES[name].key), ignore_index=True)


def _sessions(one: Authority, first: int, last: int) -> pd.DataFrame:
    """Return the register of some pupils as a long table, by pupil, day and session."""
    marks = one.marks[first:last]
    flat = marks.reshape(len(marks), -1)
    row, half = np.nonzero(flat)
    pupil, date = row + first, one.calendar.days.astype("datetime64[s]")[half // 2]
    lag = one.lag.astype("timedelta64[D]").astype("timedelta64[s]")[pupil]
    columns = {
        "pupil_id": pd.Categorical.from_codes(pupil.astype(np.int32), dtype=one.pupils),
        "date": date,
        "session": _from_codes(half % 2, ["AM", "PM"]),
        "mark": _from_codes(flat[row, half].astype(np.int8) - 1, codes("marks")),
        "recorded_on": date + lag,
    }
    return pd.DataFrame(columns, copy=False)


def _from_codes(numbers: NDArray[np.integer], categories: Sequence[str]) -> pd.Categorical:
    """Return a column of few different words."""
    words = pd.Index(list(categories))
    return cast("pd.Categorical", pd.Categorical.from_codes(numbers.astype(np.int8), words))
