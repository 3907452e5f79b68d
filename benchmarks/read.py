"""Speed and memory of reading: ``python benchmarks/read.py --scale small|full`` (full: 100 million marks).

Each reading runs in a process of its own; ``pandas.read_csv`` of the same file is the peer.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pyarrow.csv
import pyarrow.parquet

from riskmodel.data.read import read
from riskmodel.simulate import write_simulated

SIZES = {"small": (3_000, 3), "full": (59_000, 5)}
"""Scale → pupils, years."""


def ours(folder: Path) -> tuple[int, float, float, float, str]:
    """Return rows, seconds, peak memory and size of the table in GB, and the digest."""
    start = time.perf_counter()
    extract = read(folder)
    seconds = time.perf_counter() - start
    sessions = extract.tables["sessions"]
    size = sessions.memory_usage(deep=True).sum() / 1e9
    return len(sessions), seconds, _peak(), size, extract.digest


def peer(folder: Path) -> tuple[int, float, float, float, str]:
    """Read the register alone with pandas, its dates left as text."""
    start = time.perf_counter()
    frame = pd.read_csv(folder / "sessions.csv", engine="c")
    seconds = time.perf_counter() - start
    return len(frame), seconds, _peak(), frame.memory_usage(deep=True).sum() / 1e9, ""


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    pupils, years = SIZES[parser.parse_args().scale]
    with tempfile.TemporaryDirectory() as temporary:
        parquet, text = Path(temporary) / "parquet", Path(temporary) / "csv"
        write_simulated(parquet, pupils=pupils, years=years)
        shutil.copytree(parquet, text)
        (text / "sessions.parquet").unlink()
        source = pyarrow.parquet.ParquetFile(parquet / "sessions.parquet")
        with pyarrow.csv.CSVWriter(text / "sessions.csv", source.schema_arrow) as writer:
            for batch in source.iter_batches(1_000_000):
                writer.write_batch(batch)
        sys.stdout.write(
            f"{'reading':28}{'marks':>14}{'seconds':>9}{'peak_gb':>9}{'table_gb':>10}{'peak/table':>12}\n"
        )
        digests, seconds, peaks, marks = set(), {}, {}, 0
        for name, run, folder in (
            ("riskmodel, Parquet", ours, parquet),
            ("riskmodel, CSV", ours, text),
            ("pandas.read_csv, CSV", peer, text),
        ):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows, seconds[name], peak, size, digest = pool.apply(run, (folder,))
            digests |= {digest} - {""}
            peaks[name], marks = peak, rows
            sys.stdout.write(
                f"{name:28}{rows:>14,}{seconds[name]:>9.1f}{peak:>9.2f}{size:>10.2f}{peak / size:>12.2f}\n"
            )
            sys.stdout.flush()
        if len(digests) != 1:
            raise SystemExit("Parquet and CSV did not give the same tables.")
        ratio = seconds["pandas.read_csv, CSV"] / seconds["riskmodel, CSV"]
        sys.stdout.write(
            f"Same tables from both. pandas.read_csv took {ratio:.2f} times as long as ours.\n"
        )
        figures = {
            "rows": marks,
            "seconds_parquet": round(seconds["riskmodel, Parquet"], 1),
            "seconds_csv": round(seconds["riskmodel, CSV"], 1),
            "ratio_pandas_csv": round(ratio, 2),
            "peak_gb": round(max(peaks["riskmodel, Parquet"], peaks["riskmodel, CSV"]), 2),
        }
        sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
