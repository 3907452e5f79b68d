"""Speed and memory of reading: ``python benchmarks/read.py [--pupils 59000]`` (about 100 million marks).

Each reading runs in a process of its own; ``pandas.read_csv`` of the same file is the peer.
"""

from __future__ import annotations

import argparse
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
    parser.add_argument("--pupils", type=int, default=59_000)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        parquet, text = Path(temporary) / "parquet", Path(temporary) / "csv"
        write_simulated(parquet, pupils=options.pupils, years=options.years)
        shutil.copytree(parquet, text)
        (text / "sessions.parquet").unlink()
        source = pyarrow.parquet.ParquetFile(parquet / "sessions.parquet")
        with pyarrow.csv.CSVWriter(text / "sessions.csv", source.schema_arrow) as writer:
            for batch in source.iter_batches(1_000_000):
                writer.write_batch(batch)
        sys.stdout.write(
            f"{'reading':28}{'marks':>14}{'seconds':>9}{'peak_gb':>9}{'table_gb':>10}{'peak/table':>12}\n"
        )
        digests, seconds = set(), {}
        for name, run, folder in (
            ("riskmodel, Parquet", ours, parquet),
            ("riskmodel, CSV", ours, text),
            ("pandas.read_csv, CSV", peer, text),
        ):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows, seconds[name], peak, size, digest = pool.apply(run, (folder,))
            digests |= {digest} - {""}
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


if __name__ == "__main__":
    main()
