"""The fair ceiling: how well recorded facts can rank at best, as training data grow without limit.

``python benchmarks/ceiling.py --las 20 --out docs`` simulates many LAs of 50,000 pupils, trains the
library's recipe and a flexible booster on 1, 2, 5 … of them, and tests both on LAs that nobody trained
on. The oracle knows the latent state; the ceiling is the best that a model reaches with the most data.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from riskmodel.cohort import build_spine
from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation import average_precision, recall_at_k
from riskmodel.features import CATALOGUE, build
from riskmodel.labels import label
from riskmodel.simulate import Preset, simulate
from riskmodel.training.boosting import RareOutcomeClassifier

AS_OF, KNOWN_BY = pd.Timestamp("2024-06-01"), pd.Timestamp("2025-07-31")
CAPACITY = {name: outcome_of(name).capacity_share for name in ("pex", "neet")}
N_TEST = 4


def one_la(seed: int, pupils: int, preset: Preset) -> dict[str, pd.DataFrame]:
    """Return features, label, list and true risk of one LA's cohort, by outcome."""
    made = simulate(pupils=pupils, years=3, seed=seed, preset=preset)
    parts = {}
    for outcome in CAPACITY:
        spine = build_spine(made.tables, pd.DatetimeIndex([AS_OF]), outcome)
        labels = label(made.tables, spine, outcome, known_by=KNOWN_BY)["label"]
        truth = made.truth[(made.truth["outcome"] == outcome) & (made.truth["as_of"] == AS_OF)]
        risk = spine["pupil_id"].astype("str").map(truth.set_index("pupil_id")["risk"])
        known = labels.notna().to_numpy()
        X = build(made.tables, spine[known].reset_index(drop=True))
        parts[outcome] = X.assign(
            _label=labels[known].to_numpy(), _risk=risk[known].to_numpy(float), _la=seed
        )
    return parts


def scores(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Fit the recipe and a flexible booster; return their scores of the tested pupils."""
    names = [name for name in train if name in CATALOGUE and train[name].nunique() > 1]
    X, y = train[names], train["_label"].to_numpy()
    directions = {name: CATALOGUE[name].direction for name in names}
    ours = RareOutcomeClassifier(monotone=directions, random_state=seed).fit(X, y)
    flexible: Any = HistGradientBoostingClassifier(
        max_iter=400, learning_rate=0.04, max_leaf_nodes=15, min_samples_leaf=200,
        l2_regularization=10.0, max_features=0.3, monotonic_cst=list(directions.values()),
        early_stopping=False, random_state=seed,
    ).fit(X, y)  # fmt: skip
    made = {
        "recipe": ours.decision_function(test[names]),
        "flexible booster": flexible.decision_function(test[names]),
    }
    return made | {"both": made["recipe"] + made["flexible booster"]}


def judge(test: pd.DataFrame, score: np.ndarray, outcome: str) -> tuple[float, float]:
    """Return average precision and recall at capacity, mean over LAs weighted by outcomes."""
    rows, weights = [], []
    for _, index in test.groupby("_la").indices.items():
        y, s = test["_label"].to_numpy()[index], score[index]
        k = round(CAPACITY[outcome] * len(index))
        rows.append((average_precision(y, s), recall_at_k(y, s, k=k)))
        weights.append(y.sum())
    found = np.average(np.array(rows), axis=0, weights=weights)
    return float(found[0]), float(found[1])


def curve(data: list[pd.DataFrame], outcome: str, sizes: list[int]) -> pd.DataFrame:
    """Return the learning curve, tested on the last LAs."""
    test = pd.concat(data[-N_TEST:], ignore_index=True)
    oracle = judge(test, test["_risk"].fillna(0).to_numpy(), outcome)
    rows: list[dict[str, Any]] = [
        {"outcome": outcome, "las": 0, "ranker": "oracle (latent state known)",
         "average_precision": oracle[0], "recall_at_capacity": oracle[1]}
    ]  # fmt: skip
    for size in sizes:
        train = pd.concat(data[:size], ignore_index=True)
        for name, score in scores(train, test, seed=size).items():
            precision, recall = judge(test, score, outcome)
            rows.append({"outcome": outcome, "las": size, "ranker": name,
                         "positives": int(train["_label"].sum()),
                         "average_precision": precision, "recall_at_capacity": recall})  # fmt: skip
        sys.stderr.write(f"{outcome}: trained on {size} LAs\n")
    return pd.DataFrame(rows)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw the learning curves."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharex=True)
    words = {"pex": "Permanent exclusion", "neet": "NEET"}
    for axis, (outcome, rows) in zip(axes, table.groupby("outcome", sort=False), strict=True):
        for name, line in rows[rows["las"] > 0].groupby("ranker", sort=False):
            axis.plot(line["las"], line["average_precision"], marker="o", label=name)
        oracle = rows.loc[rows["las"] == 0, "average_precision"].iloc[0]
        axis.axhline(oracle, color="black", linestyle=":", label="oracle (latent state known)")
        sizes = sorted(set(rows["las"]) - {0})
        axis.set(xscale="log", title=words[str(outcome)], xlabel="LAs of 50,000 pupils trained on",
                 ylim=(0, None))  # fmt: skip
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
    axes[0].set_ylabel("average precision")
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle("Simulated data: what recorded facts allow", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--las", type=int, default=20)
    parser.add_argument("--pupils", type=int, default=50_000)
    parser.add_argument("--preset", choices=["england", "bcp"], default="england")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    start = time.perf_counter()
    data: dict[str, list[pd.DataFrame]] = {outcome: [] for outcome in CAPACITY}
    for seed in range(options.las + N_TEST):
        for outcome, part in one_la(seed, options.pupils, options.preset).items():
            data[outcome].append(part)
        sys.stderr.write(f"LA {seed + 1} of {options.las + N_TEST}\n")
    sizes = [size for size in (1, 2, 5, 10, 20, 40) if size <= options.las]
    table = pd.concat([curve(parts, outcome, sizes) for outcome, parts in data.items()])
    text = table.to_string(index=False, float_format="{:.3f}".format, na_rep="")
    words = (
        f"SIMULATED DATA. Preset {options.preset}, LAs of {options.pupils:,} pupils, list of "
        f"{AS_OF:%Y-%m-%d}, tested on {N_TEST} LAs that nobody trained on; "
        f"{time.perf_counter() - start:.0f} s."
    )
    sys.stdout.write(f"{words}\n{text}\n")
    if options.out:
        (options.out / "ceiling.txt").write_text(f"{words}\n\n{text}\n", encoding="utf-8")
        draw(table, options.out / "ceiling.svg")


if __name__ == "__main__":
    main()
