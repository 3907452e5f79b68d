"""Speed and memory of the simulator: ``python benchmarks/simulate.py --scale small|full``.

Each size runs in a process of its own, from nothing to Parquet files.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from riskmodel.simulate import write_simulated

SIZES = {"small": (2_000, 12_000), "full": (12_000, 50_000, 200_000, 1_000_000)}
"""Scale → pupils of each run."""

YEARS = 5


def one_size(pupils: int) -> tuple[int, float, float, float]:
    """Return marks, seconds, peak memory in GB and the size of the files in GB."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = write_simulated(Path(folder) / "x", pupils=pupils, years=YEARS)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return rows["sessions"], seconds, peak, size / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    figures = []
    sys.stdout.write(
        f"{'pupils':>10}{'marks':>16}{'seconds':>10}{'peak_gb':>9}{'files_gb':>10}{'pupils_per_second':>19}\n"
    )
    for pupils in SIZES[parser.parse_args().scale]:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            marks, seconds, peak, size = pool.apply(one_size, (pupils,))
        sys.stdout.write(
            f"{pupils:>10,}{marks:>16,}{seconds:>10.1f}{peak:>9.2f}{size:>10.2f}{pupils / seconds:>19,.0f}\n"
        )
        sys.stdout.flush()
        figures.append({"pupils": pupils, "marks": marks, "seconds": round(seconds, 1),
                     "peak_gb": round(peak, 2), "pupils_per_second": round(pupils / seconds)})  # fmt: skip
    keys = ("marks", "seconds", "peak_gb")
    largest = {key: figures[-1][key] for key in keys}
    rates = {str(one["pupils"]): one["pupils_per_second"] for one in figures}
    sys.stdout.write(json.dumps(largest | {"pupils_per_second": rates}) + "\n")


if __name__ == "__main__":
    main()
