"""The simulator beside the published figures, over seeds.

``python benchmarks/calibration.py --scale small|full [--preset england|bcp] [--out FILE]``
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from riskmodel.simulate import Preset, measure, simulate, summarise
from riskmodel.simulate.parameters import published

SIZES = {"small": (20_000, 2), "full": (208_000, 10)}
"""Scale → pupils, seeds."""

LA = 52_000
"""Pupils simulated at a time, at most: counts of LAs add up, so memory does not grow."""


def one_run(seed: int, pupils: int, preset: Preset) -> pd.DataFrame:
    """Return the counts of one seed, added up over its LAs."""
    las = max(1, round(pupils / LA))
    parts = [
        measure(
            simulate(
                pupils=pupils // las, years=2, seed=1000 * seed + number, preset=preset
            ).tables,
            preset,
        )
        for number in range(las)
    ]
    total = parts[0].copy()
    for column in ("part", "whole"):
        total[column] = sum(part[column] for part in parts)
    # some targets depend on who was simulated
    total["target"] = sum(part["target"] for part in parts) / len(parts)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SIZES, default="small")
    parser.add_argument("--preset", choices=["england", "bcp"], default="england")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    pupils, seeds = SIZES[options.scale]
    run = partial(one_run, pupils=pupils, preset=options.preset)
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, range(1, seeds + 1)))
    table = summarise(runs)
    table.insert(1, "year", table["figure"].map(published()["year"]).fillna("").astype(str))
    within, far = table["within"].mean(), int((table["off"].abs() > 0.3).sum())
    shown = table.assign(
        off=(100 * table["off"]).map("{:+.1f}%".format),
        within=table["within"].map({True: "yes", False: "no"}),
    )
    text = shown.to_string(index=False, float_format="{:.3f}".format)
    words = (
        f"SIMULATED DATA. Preset {options.preset}, {pupils:,} pupils, {seeds} seeds: "
        f"{len(table)} figures, {within:.1%} within ±10% (or ±0.05 below 0.5), {far} off by more than 30%."
    )
    sys.stdout.write(f"{text}\n{words}\n")
    if options.out:
        options.out.write_text(f"{words}\n\n{text}\n", encoding="utf-8")
    result = {
        "figures": len(table),
        "within_10_percent": round(float(within), 4),
        "worst_relative_error": round(float(table["off"].abs().max()), 4),
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
