"""The whole simulation: LA by LA, in memory or straight to files.

In:  how many pupils and years, a seed, a preset.
Out: :class:`Simulated`, or a folder of extracts of any size in little memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from riskmodel.data.codes import codes
from riskmodel.data.schema import TABLES
from riskmodel.data.tables import Tables
from riskmodel.data.write import new_folder
from riskmodel.errors import DataError, RequestError
from riskmodel.simulate import records
from riskmodel.simulate.attendance import draw_marks, write_suspensions
from riskmodel.simulate.calendar import SchoolCalendar, make_calendar
from riskmodel.simulate.life import live, true_risks
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.population import make_population
from riskmodel.simulate.returns import write_returns
from riskmodel.simulate.shapes import GROUPS

__all__ = ["Simulated", "preset_of", "simulate", "write_simulated", "write_simulated_returns"]

LARGEST_LA = 52_000
"""Pupils of an LA; more pupils make more LAs, so that memory does not grow."""

SETTINGS = Path("truth") / "simulation.json"
"""What was asked for, beside the true risks."""

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
    truth : DataFrame
        ``outcome``, ``pupil_id``, ``as_of``, ``risk``: each pupil's true risk, latent state known.
    """

    tables: Tables = field(repr=False)
    truth: pd.DataFrame = field(repr=False)


@dataclass(frozen=True)
class _Authority:
    """One LA: its tables but the register, which is kept as marks."""

    frames: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    calendar: SchoolCalendar
    pupils: pd.CategoricalDtype
    marks: NDArray[np.uint8]
    lag: NDArray[np.int64]


def simulate(
    *, pupils: int = 12_000, years: int = 4, seed: int = 0, preset: Preset = "england"
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

    Returns
    -------
    Simulated
        Tables and true risks.

    Raises
    ------
    RequestError
        If a parameter makes no sense.
    """
    made = list(_authorities(pupils, years, seed, preset))
    frames = {name: [one.frames[name] for one in made] for name in made[0].frames}
    frames["sessions"] = [_sessions(one, 0, len(one.marks)) for one in made]
    if len(made) == 1:
        joined = {name: parts[0] for name, parts in frames.items()}
    else:
        names = np.concatenate([one.pupils.categories for one in made])
        everyone = pd.CategoricalDtype(pd.Index(names, dtype="str"))
        joined = {name: _joined(name, parts, everyone) for name, parts in frames.items()}
    return Simulated(
        tables=Tables({name: joined[name] for name in TABLES if name in joined}),
        truth=pd.concat([one.truth for one in made], ignore_index=True),
    )


def _joined(name: str, parts: list[pd.DataFrame], everyone: pd.CategoricalDtype) -> pd.DataFrame:
    if name == "calendar":
        return parts[0]
    if "pupil_id" in parts[0]:
        parts = [part.assign(pupil_id=part["pupil_id"].astype(everyone)) for part in parts]
    return pd.concat(parts, ignore_index=True)


def write_simulated(
    out: str | Path,
    *,
    pupils: int = 12_000,
    years: int = 4,
    seed: int = 0,
    preset: Preset = "england",
) -> dict[str, int]:
    """Simulate straight to Parquet, LA by LA.

    Parameters
    ----------
    out : str or Path
        Empty or new folder; gets ``<table>.parquet`` and ``truth/true_risk.parquet``.
    pupils : int
        As for :func:`simulate`, whose tables these are.
    years : int
        School years.
    seed : int
        Seed.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to int
        Table → rows.

    Raises
    ------
    RequestError
        If a parameter makes no sense or the folder is not empty.
    """
    rows = dict.fromkeys((name for name in TABLES if name != "absence_totals"), 0)
    with new_folder(out) as folder:
        (folder / "truth").mkdir()
        writers: dict[str, pq.ParquetWriter] = {}

        def write(name: str, table: pa.Table, path: Path) -> None:
            if name not in writers:
                writers[name] = pq.ParquetWriter(path, table.schema)
            writers[name].write_table(table)

        for one in _authorities(pupils, years, seed, preset):
            for name, frame in one.frames.items():
                if name == "calendar" and name in writers:
                    continue
                write(name, _arrow(frame), folder / f"{name}.parquet")
                rows[name] += len(frame)
            for first in range(0, len(one.marks), ROWS):
                part = _arrow(_sessions(one, first, first + ROWS))
                write("sessions", part, folder / "sessions.parquet")
                rows["sessions"] += part.num_rows
            write("truth", _arrow(one.truth), folder / "truth" / "true_risk.parquet")
        for writer in writers.values():
            writer.close()
        _write_settings(folder, pupils, years, seed, preset)
    return rows


def write_simulated_returns(
    out: str | Path,
    *,
    pupils: int = 12_000,
    years: int = 4,
    seed: int = 0,
    preset: Preset = "england",
) -> dict[str, int]:
    """Simulate one LA and write what it would receive: censuses, registers, other extracts.

    Parameters
    ----------
    out : str or Path
        Empty or new folder.
    pupils : int
        At most 52,000: the returns of one LA.
    years : int
        School years.
    seed : int
        Seed.
    preset : str
        ``"england"`` or ``"bcp"``.

    Returns
    -------
    dict of str to int
        File → rows.

    Raises
    ------
    RequestError
        If a parameter makes no sense or the folder is not empty.
    """
    if pupils > LARGEST_LA:
        raise RequestError(
            f"Returns are written for one LA of at most {LARGEST_LA:,} pupils; got {pupils:,}. "
            "Use --layout tables, or fewer pupils."
        )
    made = simulate(pupils=pupils, years=years, seed=seed, preset=preset)
    with new_folder(out) as folder:
        rows = write_returns(made.tables, folder, seed=seed)
        (folder / "truth").mkdir()
        _write_settings(folder, pupils, years, seed, preset)
    return rows


def _write_settings(folder: Path, pupils: int, years: int, seed: int, preset: Preset) -> None:
    settings = {"pupils": pupils, "years": years, "seed": seed, "preset": preset}
    (folder / SETTINGS).write_text(json.dumps(settings) + "\n", encoding="utf-8")


def preset_of(source: str | Path) -> Preset | None:
    """Return the preset with which a folder was simulated.

    Parameters
    ----------
    source : str or Path
        Extracts.

    Returns
    -------
    str or None
        None for a folder that is not simulated.

    Raises
    ------
    DataError
        If the file that says so is damaged.
    """
    path = Path(source) / SETTINGS
    if not path.is_file():
        return None
    try:
        preset: Preset = json.loads(path.read_text(encoding="utf-8"))["preset"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged: it does not say how these pupils were simulated. Simulate them again."
        ) from error
    return preset


def _arrow(frame: pd.DataFrame) -> pa.Table:
    """Return a frame as Arrow with the same types whatever its categories."""
    columns = {}
    for name in frame:
        column = frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            values = column.array
            columns[str(name)] = pa.DictionaryArray.from_arrays(
                pa.array(values.codes.astype(np.int32), mask=np.asarray(values.codes < 0)),
                pa.array(values.categories, type=pa.string()),
            )
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            columns[str(name)] = pa.array(column.to_numpy())
        else:
            columns[str(name)] = pa.array(column, from_pandas=True)
            if column.dtype == "str":
                columns[str(name)] = columns[str(name)].cast(pa.string())
    return pa.table(columns)


def _authorities(pupils: int, years: int, seed: int, preset: Preset) -> Iterator[_Authority]:
    """Simulate one LA after the other."""
    if pupils < 100:
        raise RequestError(f"At least 100 pupils are needed to simulate an LA; got {pupils}.")
    if not 1 <= years <= 12:
        raise RequestError(f"The number of school years must be from 1 to 12; got {years}.")
    if preset not in get_args(Preset):
        raise RequestError(f"The preset must be england or bcp; got {preset!r}.")
    number = -(-pupils // LARGEST_LA)
    calendar = make_calendar(years)
    sizes = np.diff(np.linspace(0, pupils, number + 1).round().astype(int))
    n_pupils = n_schools = 0
    for place, (size, child) in enumerate(
        zip(sizes.tolist(), np.random.SeedSequence(seed).spawn(number), strict=True)
    ):
        made = _authority(size, years, preset, calendar, child, (n_pupils, n_schools, place))
        n_pupils += len(made.marks)
        n_schools += len(made.frames["schools"])
        yield made


def _authority(
    pupils: int,
    years: int,
    preset: Preset,
    calendar: SchoolCalendar,
    seed: np.random.SeedSequence,
    before: tuple[int, int, int],
) -> _Authority:
    """Simulate one LA; ``before`` counts pupils, schools and LAs before it."""
    streams = ("population", "life", "truth", "records", "marks")
    rng = {n: np.random.default_rng(s) for n, s in zip(streams, seed.spawn(5), strict=True)}
    population = make_population(pupils, years, preset, rng["population"])
    n = len(population)
    labels = pd.Index([f"P{before[0] + i:07d}" for i in range(1, n + 1)], dtype="str")
    ids: Any = pd.Categorical.from_codes(np.arange(n), dtype=pd.CategoricalDtype(labels))
    names = records.school_names(population, before[1])
    life = live(population, calendar, preset, rng["life"])
    draw, year = rng["records"], calendar.first_year
    send, plans = records.send_tables(population, ids, year, draw)
    frames = {
        "pupils": records.pupils_table(population, ids, year, draw),
        "schools": records.schools_table(population, names, before[2]),
        "enrolments": records.enrolments_table(population, calendar, life, ids, names),
        "suspensions": records.suspensions_table(
            ids, names, life.suspended, calendar, preset, draw
        ),
        "send": send,
        "plans": plans,
        "circumstances": records.circumstances_table(population, ids, year, draw),
        "neighbourhood": records.neighbourhood_table(population, ids, year),
        "attainment": records.attainment_table(population, ids, year, life.disengagement[-1], draw),
        "destinations": records.destinations_table(calendar, life, ids, draw),
        "calendar": calendar.table(),
    }
    half_terms = np.arange(len(calendar.starts))
    group = population.first_group[:, None] + half_terms // 6
    present = (group >= 0) & (group < GROUPS) & (half_terms >= population.arrives[:, None])
    day = np.arange(len(calendar.days))
    on_roll = present[:, calendar.half_term]
    on_roll &= (day <= life.exit_day[:, None]) | (day > life.back_day[:, None] + 5)
    marks = draw_marks(
        population, calendar, np.column_stack(life.disengagement), on_roll, rng["marks"]
    )
    events = life.suspended
    length = np.where(events["days"] == 0, 5, events["days"])
    write_suspensions(marks, events["pupil"], events["day"], length)
    slow = rng["marks"].random(population.schools.count) < SLOW_SCHOOLS
    return _Authority(
        frames={name: _typed(name, frame) for name, frame in frames.items()},
        truth=true_risks(population, calendar, life, labels.to_numpy(object), preset, rng["truth"]),
        calendar=calendar,
        pupils=ids.dtype,
        marks=marks,
        lag=np.where(slow[population.primary] | slow[population.secondary], 8, 1),
    )


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of the schema, sorted by the key, dates in seconds."""
    dates = [column.name for column in TABLES[name].columns if column.kind == "date"]
    typed = frame[TABLES[name].names].astype(dict.fromkeys(dates, "datetime64[s]"))
    return typed.sort_values(list(TABLES[name].key), ignore_index=True)


def _sessions(one: _Authority, first: int, last: int) -> pd.DataFrame:
    """Lay the register of some pupils out as a long table, by pupil, day and session."""
    flat = one.marks[first:last].reshape(min(last, len(one.marks)) - first, -1)
    pupil, half = np.nonzero(flat)
    date = one.calendar.days.astype("datetime64[s]")[half // 2]
    lag = one.lag.astype("timedelta64[D]").astype("timedelta64[s]")[pupil + first]
    session, mark = pd.Index(["AM", "PM"]), pd.Index(codes("marks"))
    return pd.DataFrame(
        {
            "pupil_id": pd.Categorical.from_codes(
                (pupil + first).astype(np.int32), dtype=one.pupils
            ),
            "date": date,
            "session": pd.Categorical.from_codes((half % 2).astype(np.int8), session),
            "mark": pd.Categorical.from_codes(flat[pupil, half].astype(np.int8) - 1, mark),
            "recorded_on": date + lag,
        },
        copy=False,
    )
