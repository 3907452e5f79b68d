"""How often the intervals of average precision hold the truth, by number of outcomes.

Lists of 3,000 pupils are drawn from a known model, and the interval of each is compared with the mean
average precision of such lists. A 95% interval may lie below the truth in 2 or 3 of 100.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.evaluation import average_precision, compare

PUPILS, SPREAD = 3000, 1.5
PREVALENCES = (0.003, 0.01, 0.05)
LISTS = {"small": 150, "full": 1000}


def drawn(
    rng: np.random.Generator, prevalence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scores and outcomes of a list whose true log-odds are the scores."""
    score = rng.normal(size=PUPILS)
    risk = np.minimum(1, prevalence * np.exp(SPREAD * score - SPREAD**2 / 2))
    return score, (rng.random(PUPILS) < risk).astype(float)


def misses(prevalence: float, n_lists: int) -> dict[str, float]:
    """Return how often the interval lies below and above the truth."""
    rng = np.random.default_rng(0)
    truth = np.mean(
        [
            average_precision(y, s)
            for s, y in (drawn(rng, prevalence) for _ in range(3000))
            if y.any()
        ]
    )
    below = above = 0
    for number in range(n_lists):
        score, outcome = drawn(np.random.default_rng(1000 + number), prevalence)
        if not outcome.any():
            continue
        frame = pd.DataFrame({"pupil_id": np.arange(PUPILS), "as_of": pd.Timestamp("2024-06-01"),
                              "label": outcome, "model": score})  # fmt: skip
        row = compare(frame, rankers=["model"], capacity=30, random_state=number).table.iloc[0]
        below += row["average_precision_high"] < truth
        above += row["average_precision_low"] > truth
    return {"outcomes": prevalence * PUPILS, "below": below / n_lists, "above": above / n_lists}


def main() -> None:
    """Print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=LISTS, default="small")
    n_lists = LISTS[parser.parse_args().scale]
    rows = [misses(prevalence, n_lists) for prevalence in PREVALENCES]
    print("outcomes  interval below the truth  above it")
    for row in rows:
        print(f"{row['outcomes']:8.0f}  {row['below']:24.1%}  {row['above']:8.1%}")
    print(json.dumps({"lists": n_lists, "rows": rows}))


if __name__ == "__main__":
    main()
