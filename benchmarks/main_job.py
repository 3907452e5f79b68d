"""How long and how much memory the demo takes, and how quick the import is."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {"small": 2_000, "full": 12_000}


def timed(*words: str) -> float:
    """Run Python with the words and return seconds."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    pupils = SIZES[parser.parse_args().scale]
    bare = min(timed("-c", "pass") for _ in range(3))
    import_seconds = min(timed("-c", "import riskmodel") for _ in range(3)) - bare
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "demo")
        seconds = timed("-m", "riskmodel", "demo", "--pupils", str(pupils), "--out", out)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"demo with {pupils:,} pupils × 4 years   {seconds:6.1f} s   {peak:5.2f} GB at the peak")
    print(f"import riskmodel                     {import_seconds:6.3f} s")
    print(json.dumps({"pupils": pupils, "seconds": round(seconds, 1), "peak_gb": round(peak, 2),
                      "import_seconds": round(import_seconds, 3)}))  # fmt: skip


if __name__ == "__main__":
    main()
