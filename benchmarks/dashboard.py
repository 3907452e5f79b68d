"""The inclusion dashboard of a whole LA: reading, counting and writing, and how large the pages are.

``python benchmarks/dashboard.py --scale full`` simulates an LA of 50,000 pupils on roll over five school
years (about 85 million marks) and makes its dashboard as ``riskmodel dashboard`` does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from riskmodel.simulate import write_simulated

SIZES = {"small": (3_000, 3), "full": (50_000, 5)}
"""Pupils on roll, school years."""


def main() -> None:
    """Print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    pupils, years = SIZES[parser.parse_args().scale]
    with tempfile.TemporaryDirectory() as scratch:
        extracts, out = Path(scratch) / "extracts", Path(scratch) / "dashboard"
        rows = write_simulated(extracts, pupils=pupils, years=years, seed=5)
        words = [sys.executable, "-m", "riskmodel", "dashboard", str(extracts), "--out", str(out)]
        start = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        of_schools = [page.stat().st_size / 1024**2 for page in (out / "schools").glob("*.html")]
        megabytes = (out / "index.html").stat().st_size / 1024**2
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak, processor = used.ru_maxrss / 1024**2, used.ru_utime + used.ru_stime
    print("SIMULATED DATA.")
    print(
        f"{pupils:,} pupils × {years} years, {rows['sessions']:,} marks, {len(of_schools)} schools"
    )
    print(f"to all pages: {seconds:.1f} s ({processor:.1f} s of processor time), {peak:.2f} GB")
    print(f"the LA's page {megabytes:.2f} MB, the largest of a school {max(of_schools):.2f} MB")
    print(json.dumps({"pupils": pupils, "marks": rows["sessions"], "schools": len(of_schools),
                      "seconds": round(seconds, 1), "processor_seconds": round(processor, 1),
                      "peak_gb": round(peak, 2), "megabytes": round(megabytes, 2)}))  # fmt: skip


if __name__ == "__main__":
    main()
