"""A simulated LA as files: straight to Parquet in little memory, or as the returns that an LA receives.

In:  how many pupils and years, a seed, a preset, a world; a folder.
Out: the folder with extracts or returns, and beside them what was asked for; the preset of such a folder.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from riskmodel.data.schema import TABLES
from riskmodel.data.write import new_folder
from riskmodel.errors import DataError, RequestError
from riskmodel.simulate.parameters import Preset
from riskmodel.simulate.returns import write_returns
from riskmodel.simulate.run import LARGEST_LA, Request, authorities, simulate
from riskmodel.simulate.worlds import WorldName

__all__ = ["preset_of", "write_simulated", "write_simulated_returns"]

SETTINGS = Path("truth") / "simulation.json"
"""What was asked for, beside the true risks."""


def write_simulated(
    out: str | Path,
    *,
    pupils: int = 12_000,
    years: int = 4,
    seed: int = 0,
    preset: Preset = "england",
    world: WorldName = "steady",
) -> dict[str, int]:
    """Write a simulated LA as Parquet; several LAs one after the other.

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
    world : str
        As for :func:`simulate`.

    Returns
    -------
    dict of str to int
        Table → rows.

    Raises
    ------
    RequestError
        If a parameter makes no sense or the folder is not empty.
    """
    request = Request(pupils, years, seed, preset, world)
    rows = dict.fromkeys((name for name in TABLES if name != "absence_totals"), 0)
    with new_folder(out) as folder, ExitStack() as open_files:
        (folder / "truth").mkdir()
        writers: dict[str, pq.ParquetWriter] = {}
        for one in authorities(request):
            for name, frame in one.parts():
                if name == "calendar" and name in writers:
                    continue
                table = _arrow(frame)
                if name not in writers:
                    writer = pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(table)
                if name in rows:
                    rows[name] += table.num_rows
        _write_settings(folder, request)
    return rows


def write_simulated_returns(
    out: str | Path,
    *,
    pupils: int = 12_000,
    years: int = 4,
    seed: int = 0,
    preset: Preset = "england",
    world: WorldName = "steady",
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
    world : str
        As for :func:`simulate`.

    Returns
    -------
    dict of str to int
        File → rows.

    Raises
    ------
    RequestError
        If a parameter makes no sense or the folder is not empty.
    """
    _check_one_authority(pupils)
    simulated = simulate(pupils=pupils, years=years, seed=seed, preset=preset, world=world)
    with new_folder(out) as folder:
        rows = write_returns(simulated.tables, folder, seed=seed)
        (folder / "truth").mkdir()
        _write_settings(folder, Request(pupils, years, seed, preset, world))
    return rows


def _check_one_authority(pupils: int) -> None:
    if pupils > LARGEST_LA:
        raise RequestError(
            f"Returns are written for one LA of at most {LARGEST_LA:,} pupils; got {pupils:,}. "
            "Use --layout tables, or fewer pupils."
        )


def _write_settings(folder: Path, request: Request) -> None:
    (folder / SETTINGS).write_text(json.dumps(asdict(request)) + "\n", encoding="utf-8")


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
        If the file with the settings of the simulation is damaged.

    Examples
    --------
    >>> preset_of("a_folder_of_real_extracts") is None
    True
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
    return pa.table({str(name): _arrow_column(frame[name]) for name in frame})


def _arrow_column(column: pd.Series) -> pa.Array:
    """Return codes as a dictionary, dates in seconds, text as text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        numbers = column.cat.codes.to_numpy().astype(np.int32)
        return pa.DictionaryArray.from_arrays(
            pa.array(numbers, mask=numbers < 0),
            pa.array(column.cat.categories, type=pa.string()),
        )
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pa.array(column.to_numpy())
    array = pa.array(column, from_pandas=True)
    return array.cast(pa.string()) if column.dtype == "str" else array
