"""Features beside what an analyst would write: ``python benchmarks/features.py --scale small|full``.

Sixteen attendance counts (half-days possible, absent, authorised and unauthorised absence over the last 10,
20, 60 and 200 school days, of marks recorded before the day) for every pupil on a roll on every half-termly
snapshot, by this library, DuckDB, Polars (lazy) and pandas, from the same table in memory; the answers are
checked equal. Then all features, with time and memory; and the time per row as pupils grow.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from riskmodel.cohort import build_spine
from riskmodel.data import Tables
from riskmodel.data.arrays import pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.read import read
from riskmodel.features import build, make_register
from riskmodel.features.mark_counts import MarkCounts, group_of, unpack
from riskmodel.features.marks import FAMILIES
from riskmodel.simulate import write_simulated

SIZES = {"small": (3_000, 3), "full": (50_000, 5)}
"""Scale → pupils, school years."""

GROWTH = {"small": (1_000, 4_000), "full": (10_000, 50_000, 200_000, 1_000_000)}
"""Scale → pupils in all, in LAs of at most 50,000; one school year."""

LA = 50_000
WINDOWS = (10, 20, 60, 200)
COUNTED = ("possible", "absence", "authorised", "unauthorised")
ENGLAND = 8_400_000


def snapshots_of(tables: Tables) -> pd.DatetimeIndex:
    """Return the first school day of every half-term."""
    calendar = tables["calendar"]
    year = academic_year(calendar["date"])
    first = calendar.groupby([year, calendar["half_term"]])["date"].min()
    return pd.DatetimeIndex(first.sort_values().to_numpy()).as_unit("s")


# --- the same sixteen counts, four times


def ours(tables: Tables, spine: pd.DataFrame, starts: pd.DataFrame) -> NDArray[np.int32]:
    """Lay out the register, sum it up, take differences."""
    register = make_register(tables)
    days = [pd.Timestamp(day) for day in starts["as_of"]]
    windows = {(day, n): register.window(day, n) for day in days for n in WINDOWS}
    edges = (edge for window in windows.values() for edge in (window.start, window.stop))
    mark_counts = MarkCounts(register, np.unique([0, *edges]))
    (group,) = {group_of(family)[0] for family in COUNTED}  # the four are counted together
    shifts = [group_of(family)[1] for family in COUNTED]
    pupils = pupils_of(spine)
    as_of = spine["as_of"].to_numpy()
    made = np.zeros((len(spine), len(WINDOWS) * len(COUNTED)), np.int32)
    for day in days:
        rows = np.flatnonzero(as_of == day.to_datetime64())
        for place, n in enumerate(WINDOWS):
            packed = mark_counts.packed(group, day, pupils[rows], windows[day, n])
            for number, shift in enumerate(shifts):
                made[rows, place * len(COUNTED) + number] = unpack(packed, shift)
    return made


def with_duckdb(
    marks: pd.DataFrame, spine: pd.DataFrame, starts: pd.DataFrame
) -> NDArray[np.int32]:
    """Return the counts from one query: a join on the window of each snapshot, counts with filters."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE {family} AND date >= start_{n}) AS {family}_{n}"
        for n in WINDOWS for family in COUNTED
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.register("marks", marks)
        connection.register("starts", starts)
        made = connection.execute(
            f"SELECT pupil, as_of, {counts} FROM marks JOIN starts ON date >= start_{max(WINDOWS)} "
            "AND date < day AND recorded < day GROUP BY pupil, as_of"
        ).df()
    return aligned(made, spine)


def with_polars(
    marks: pl.DataFrame, spine: pd.DataFrame, starts: pd.DataFrame
) -> NDArray[np.int32]:
    """Return the counts from a lazy query per snapshot, collected together."""
    queries = [
        marks.lazy()
        .filter((pl.col("date") >= row[f"start_{max(WINDOWS)}"]) & (pl.col("date") < row["day"])
                & (pl.col("recorded") < row["day"]))
        .group_by("pupil")
        .agg([(pl.col(family) & (pl.col("date") >= row[f"start_{n}"])).sum().alias(f"{family}_{n}")
              for n in WINDOWS for family in COUNTED])
        .with_columns(pl.lit(row["as_of"]).alias("as_of"))
        for row in starts.to_dict("records")
    ]  # fmt: skip
    made = pl.concat(pl.collect_all(queries)).to_pandas()
    return aligned(made, spine)


def with_pandas(
    marks: pd.DataFrame, spine: pd.DataFrame, starts: pd.DataFrame
) -> NDArray[np.int32]:
    """Return the counts from a filter and a groupby per snapshot and window."""
    parts = []
    for row in starts.to_dict("records"):
        known = marks[(marks["date"] < row["day"]) & (marks["recorded"] < row["day"])]
        columns = {}
        for n in WINDOWS:
            inside = known[known["date"] >= row[f"start_{n}"]]
            sums = inside.groupby("pupil")[list(COUNTED)].sum()
            columns |= {f"{family}_{n}": sums[family] for family in COUNTED}
        parts.append(
            pd.DataFrame(columns)
            .fillna(0)
            .rename_axis("pupil")
            .reset_index()
            .assign(as_of=row["as_of"])
        )
    return aligned(pd.concat(parts), spine)


def aligned(made: pd.DataFrame, spine: pd.DataFrame) -> NDArray[np.int32]:
    """Bring an answer into the order of the spine; no marks are no half-days."""
    asked = pd.DataFrame(
        {"pupil": spine["pupil_id"].cat.codes.to_numpy().astype(np.int32),
         "as_of": spine["as_of"].to_numpy().astype("datetime64[s]")}
    )  # fmt: skip
    made = made.assign(as_of=made["as_of"].to_numpy().astype("datetime64[s]"))
    joined = asked.merge(made, on=["pupil", "as_of"], how="left")
    names = [f"{family}_{n}" for n in WINDOWS for family in COUNTED]
    return joined[names].fillna(0).to_numpy(np.int32)


def flat(tables: Tables) -> pd.DataFrame:
    """Return the marks as the peers like them best: small integers, families as booleans."""
    sessions = tables["sessions"]
    mark = sessions["mark"]
    members = {family: mark.cat.categories.isin(FAMILIES[family]) for family in COUNTED}
    number = mark.cat.codes.to_numpy()
    days = {name: (sessions[column].to_numpy().view(np.int64) // 86_400).astype(np.int32)
            for name, column in (("date", "date"), ("recorded", "recorded_on"))}  # fmt: skip
    return pd.DataFrame(
        {"pupil": sessions["pupil_id"].cat.codes.to_numpy().astype(np.int32), **days,
         **{family: table[number] for family, table in members.items()}}
    )  # fmt: skip


def starts_of(tables: Tables) -> pd.DataFrame:
    """Return the first day of every window of every snapshot, in days since 1970."""
    dates = np.sort(tables["calendar"]["date"].to_numpy().astype("datetime64[D]").astype(np.int64))
    rows = []
    for as_of in snapshots_of(tables):
        day = int(as_of.to_datetime64().astype("datetime64[D]").astype(np.int64))
        past = dates[dates < day]
        rows.append({"as_of": as_of, "day": day} | {
            f"start_{n}": int(past[-n:][0]) if len(past) else day for n in WINDOWS})  # fmt: skip
    return pd.DataFrame(rows)


# --- processes of their own, so that memory is measured apart


def compare(folder: Path) -> dict[str, float]:
    """Time the sixteen counts and check them equal."""
    tables = read(folder).tables
    starts = starts_of(tables)
    spine = build_spine(tables, pd.DatetimeIndex(starts["as_of"]), "pex")
    marks = flat(tables)
    answers: dict[str, NDArray[np.int32]] = {}
    seconds: dict[str, float] = {}
    polars_marks = pl.from_pandas(marks)
    runs: dict[str, Callable[[], NDArray[np.int32]]] = {
        "riskmodel": lambda: ours(tables, spine, starts),
        "DuckDB": lambda: with_duckdb(marks, spine, starts),
        "Polars, lazy": lambda: with_polars(polars_marks, spine, starts),
        "pandas": lambda: with_pandas(marks, spine, starts),
    }
    print(f"{len(marks):,} marks, {len(starts)} snapshots, {len(spine):,} spine rows", flush=True)
    print(f"{'sixteen counts by':20}{'seconds':>9}{'times ours':>12}{'equal':>8}", flush=True)
    for name, run in runs.items():
        begin = time.perf_counter()
        answers[name] = run()
        seconds[name] = time.perf_counter() - begin
        equal = bool((answers[name] == answers["riskmodel"]).all())
        ratio = seconds[name] / seconds["riskmodel"]
        print(
            f"{name:20}{seconds[name]:>9.1f}{ratio:>12.1f}{'yes' if equal else 'NO':>8}", flush=True
        )
        if not equal:
            raise SystemExit(f"{name} counted otherwise.")
    peers = min(seconds["DuckDB"], seconds["Polars, lazy"])
    return {"ratio_best_peer": round(peers / seconds["riskmodel"], 1),
            "ratio_pandas": round(seconds["pandas"] / seconds["riskmodel"], 1)}  # fmt: skip


def everything(folder: Path) -> dict[str, float]:
    """Build every feature for every snapshot."""
    tables = read(folder).tables
    spine = build_spine(tables, snapshots_of(tables), "pex")
    begin = time.perf_counter()
    X = build(tables, spine)
    seconds = time.perf_counter() - begin
    return {"features": X.shape[1], "spine_rows": len(X), "seconds_all": round(seconds, 1),
            "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2)}  # fmt: skip


def grow(pupils: int) -> tuple[float, float]:
    """Return microseconds per spine row and peak memory, one LA after the other."""
    seconds, rows = 0.0, 0
    n_las = max(1, pupils // LA)
    for number in range(n_las):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "la"
            write_simulated(folder, pupils=pupils // n_las, years=1, seed=number)
            tables = read(folder).tables
        spine = build_spine(tables, snapshots_of(tables), "pex")
        begin = time.perf_counter()
        build(tables, spine)
        seconds += time.perf_counter() - begin
        rows += len(spine)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return 1e6 * seconds / rows, peak


def alone(function, argument):  # type: ignore[no-untyped-def]
    """Run a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (argument,))


def main() -> None:
    """Print tables and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    scale = parser.parse_args().scale
    pupils, years = SIZES[scale]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "la"
        write_simulated(folder, pupils=pupils, years=years)
        figures: dict[str, object] = alone(compare, folder) | {"equal": True}
        figures |= alone(everything, folder)
    print(
        f"all {figures['features']} features: {figures['seconds_all']} s, "
        f"{figures['peak_gb']} GB at the peak",
        flush=True,
    )
    print(f"{'pupils':>12}{'microseconds per row':>22}{'peak_gb':>9}", flush=True)
    per_row = {}
    for size in GROWTH[scale]:
        cost, peak = alone(grow, size)
        per_row[str(size)] = round(cost, 1)
        print(f"{size:>12,}{cost:>22.1f}{peak:>9.2f}", flush=True)
    hours = ENGLAND * 6 * list(per_row.values())[-1] / 3.6e9
    print(
        f"At that cost six snapshots of England's {ENGLAND:,} pupils would take {hours:.1f} hours here."
    )
    sys.stdout.write(json.dumps(figures | {"microseconds_per_row": per_row}) + "\n")


if __name__ == "__main__":
    main()
