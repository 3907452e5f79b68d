"""From extracts to a registered model: seconds and memory.

``python benchmarks/retrain.py --scale full``: an LA of 50,000 pupils over five years, with a backtest of five
origins, baselines, audit and registration, in a process of its own; then a task of the size published for
a point-in-time system (16,000 in the cohort, seven splits, four rankers in each). All pupils are simulated.
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

import pandas as pd

from riskmodel.simulate import write_simulated

TRIAGE_ORIGINS = 7


def measured(source: Path, store: Path, outcome: str, origins: int, capacity: int) -> None:
    """Train in this process and print what it took."""
    from riskmodel.jobs import Run, train

    start = time.perf_counter()
    made = train(
        source, Run(outcome, tracking=f"sqlite:///{store}", capacity=capacity), n_origins=origins
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(made.text() + "\n")
    counts = made.backtest.counts
    sys.stdout.write(
        json.dumps({"seconds": round(seconds, 1), "peak_gb": round(peak, 2), "origins": counts["origins"],
                    "rankers": len(made.backtest.table), "rows": counts["rows"],
                    "largest_list": int(counts["rows"] / counts["origins"])}) + "\n"
    )  # fmt: skip


def thin(path: Path, rows: int) -> None:
    """Keep so many rows of a table, drawn at random: the size of the published task, not its contents."""
    frame = pd.read_parquet(path)
    frame.sample(min(rows, len(frame)), random_state=0).sort_index().to_parquet(path, index=False)


def in_a_process(
    source: Path, store: Path, outcome: str, origins: int, capacity: int
) -> dict[str, float]:
    words = [
        sys.executable,
        __file__,
        "--one",
        str(source),
        str(store),
        outcome,
        str(origins),
        str(capacity),
    ]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    *text, last = done.stdout.strip().splitlines()
    sys.stdout.write("\n".join(text) + "\n\n")
    return dict(json.loads(last))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "full"], default="small")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        source, store, outcome, origins, capacity = options.one
        measured(Path(source), Path(store), outcome, int(origins), int(capacity))
        return
    full = options.scale == "full"
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_simulated(folder / "la", pupils=50_000 if full else 2_000, years=5, seed=0)
        write_simulated(folder / "triage", pupils=18_000 if full else 2_000, years=6, seed=0)
        thin(folder / "triage" / "sessions.parquet", 437_000 if full else 60_000)
        thin(folder / "triage" / "suspensions.parquet", 15_000 if full else 2_000)
        whole = in_a_process(folder / "la", folder / "la.db", "pex", 5, 450 if full else 20)
        triage = in_a_process(
            folder / "triage", folder / "triage.db", "pex", TRIAGE_ORIGINS, 160 if full else 20
        )
    sys.stdout.write(f"whole LA: {whole}\ntriage-sized: {triage}\n")
    sys.stdout.write(
        json.dumps({"seconds": whole["seconds"], "peak_gb": whole["peak_gb"],
                    "seconds_triage_task": triage["seconds"]}) + "\n"
    )  # fmt: skip


if __name__ == "__main__":
    main()
