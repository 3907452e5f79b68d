"""The commands on real young people: the Northern Ireland cohort of 1993.

Run by ``make real``: trains with what was known before 1 July 1995 (on the list of 1 July 1994, whose
horizon has just ended), makes the list of 1 July 1995, and a year later looks at what came true.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from riskmodel.data.read.open.mvad import mvad_path

CAPACITY = "70"


def run(*words: str) -> None:
    """Run a riskmodel command and show it."""
    print(f"\n$ riskmodel {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, "-m", "riskmodel", *words], check=True)


def main(out: Path) -> None:
    """Train, list, and evaluate what came true."""
    data, store = str(mvad_path()), f"sqlite:///{(out / 'mlflow.db').resolve()}"
    shared = [data, "--outcome", "neet-post16", "--capacity", CAPACITY, "--tracking", store]
    run("train", *shared, "--as-of", "1995-07-01")
    run("list", *shared, "--as-of", "1995-07-01", "--out", str(out / "list"),
        "--model", "models:/riskmodel-neet-post16@challenger")  # fmt: skip
    print("\nA year later: what came true of the lists of 1 January and 1 July 1995.")
    run("train", *shared, "--as-of", "1996-07-01")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
