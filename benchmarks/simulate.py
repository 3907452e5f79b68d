"""Speed and memory of the simulator: ``python benchmarks/simulate.py [--pupils 50000 1000000]``.

Each size runs in a process of its own, from nothing to Parquet files.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from riskmodel.simulate import write_simulated


def one_size(pupils: int, years: int) -> tuple[int, float, float, float]:
    """Return marks, seconds, peak memory in GB and the size of the files in GB."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = write_simulated(Path(folder) / "x", pupils=pupils, years=years)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return rows["sessions"], seconds, peak, size / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=[12_000, 50_000, 200_000])
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    sys.stdout.write(
        f"{'pupils':>10}{'marks':>16}{'seconds':>10}{'peak_gb':>9}{'files_gb':>10}{'pupils_per_second':>19}\n"
    )
    for pupils in options.pupils:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            marks, seconds, peak, size = pool.apply(one_size, (pupils, options.years))
        sys.stdout.write(
            f"{pupils:>10,}{marks:>16,}{seconds:>10.1f}{peak:>9.2f}{size:>10.2f}{pupils / seconds:>19,.0f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
