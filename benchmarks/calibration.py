"""The simulator beside the published figures, over seeds: ``python benchmarks/calibration.py``."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

from riskmodel.simulate import Preset, measure, simulate, summarise
from riskmodel.simulate.parameters import published

LA = 52_000
"""Pupils simulated at a time: counts of LAs add up, so memory does not grow."""


def one_run(seed: int, pupils: int, preset: Preset) -> pd.DataFrame:
    """Return the counts of one seed, added up over its LAs."""
    parts = [
        measure(
            simulate(pupils=LA, years=2, seed=1000 * seed + number, preset=preset).tables, preset
        )
        for number in range(max(1, round(pupils / LA)))
    ]
    total = parts[0].copy()
    for column in ("part", "whole"):
        total[column] = sum(part[column] for part in parts)
    # some targets depend on who was simulated
    total["target"] = sum(part["target"] for part in parts) / len(parts)
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pupils", type=int, default=208_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--preset", choices=["england", "bcp"], default="england")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    run = partial(one_run, pupils=options.pupils, preset=options.preset)
    with ProcessPoolExecutor(2) as pool:
        runs = list(pool.map(run, range(1, options.seeds + 1)))
    table = summarise(runs)
    table.insert(1, "year", table["figure"].map(published()["year"]).fillna("").astype(str))
    within, far = table["within"].mean(), int((table["off"].abs() > 0.3).sum())
    shown = table.assign(
        off=(100 * table["off"]).map("{:+.1f}%".format),
        within=table["within"].map({True: "yes", False: "no"}),
    )
    text = shown.to_string(index=False, float_format="{:.3f}".format)
    words = (
        f"SIMULATED DATA. Preset {options.preset}, {options.pupils:,} pupils, {options.seeds} seeds: "
        f"{len(table)} figures, {within:.1%} within ±10% (or ±0.05 below 0.5), {far} off by more than 30%."
    )
    sys.stdout.write(f"{text}\n{words}\n")
    if options.out:
        options.out.write_text(f"{words}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
