"""Exact contributions beside shap's, on the same trees and rows.

``python benchmarks/explain.py --scale full``: ten bags of 120 boosted trees of two levels, as the recipe for
exclusion has them, on 200 made-up features, explained for 50,000 made-up rows with values missing: by
``shap.TreeExplainer`` and by us. Then interactions of 100 of them, and the words of every row: its three
reasons and two strengths, of features named after the first 200 of the catalogue.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import shap
from lightgbm import Booster
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from riskmodel.explain import Explanation, reasons_in_words
from riskmodel.features import CATALOGUE
from riskmodel.training.lightgbm_trees import boost, from_lightgbm
from riskmodel.training.trees import ShallowTrees

FEATURES, BAGS, TREES = 200, 10, 120


def made_up_rows(n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rates, counts and yes/no in equal parts; one value in twenty is missing."""
    third = FEATURES // 3
    X = np.hstack([rng.normal(size=(n, third)), rng.poisson(2.0, size=(n, third)),
                   rng.random((n, FEATURES - 2 * third)) < 0.2]).astype(np.float32)  # fmt: skip
    X[rng.random(X.shape) < 0.05] = np.nan
    return X


def fit_bags(rng: np.random.Generator) -> list[Booster]:
    """Fit each bag to rows of its own, settings as in ``training/boosting.py``."""
    weight = rng.normal(size=FEATURES) * (rng.random(FEATURES) < 0.5)
    bags = []
    for number in range(BAGS):
        X = made_up_rows(3000, rng)
        log_odds = np.nan_to_num(X) @ weight / 4
        y = rng.random(len(X)) < 1 / (1 + np.exp(np.quantile(log_odds, 0.9) - log_odds))
        bags.append(boost(X, y.astype(int), [0] * FEATURES, max_depth=2, n_trees=TREES,
                          learning_rate=0.06, min_leaf=30, seed=number)[0])  # fmt: skip
    return bags


def by_shap(explainer: shap.TreeExplainer, X: NDArray[np.float32], how: str) -> NDArray[np.float64]:
    """Return shap's answer for the outcome; for LightGBM it may come as one array per class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        made = getattr(explainer, how)(X)
    return np.asarray(made[1] if isinstance(made, list) else made)


def stacked(bags: list[Booster]) -> ShallowTrees:
    """Put the trees of all bags behind each other."""
    parts = [from_lightgbm(bag).of_member(number) for number, bag in enumerate(bags)]
    names = ("feature", "threshold", "missing_left", "value", "cover", "member")
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
    )


def timed(call: Callable[[], Any], times: int = 1) -> tuple[Any, float]:
    """Return the answer of a call, and the seconds of the fastest of some."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        answer = call()
        seconds.append(time.perf_counter() - start)
    return answer, min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "full"], default="small")
    n_rows = 50_000 if parser.parse_args().scale == "full" else 5_000
    rng = np.random.default_rng(0)
    with threadpool_limits(1, user_api="openmp"):  # small fits: threads cost more than they bring
        bags = fit_bags(rng)
    X = made_up_rows(n_rows, rng)
    explainers = [shap.TreeExplainer(bag) for bag in bags]
    theirs, shap_seconds = timed(
        lambda: np.mean([by_shap(one, X, "shap_values") for one in explainers], axis=0)
    )
    # trees anew each time: making the tables is part of the work
    (_, ours, _), our_seconds = timed(lambda: stacked(bags).explain(X, BAGS), times=3)
    error = float(np.abs(ours - theirs).max())
    few = X[:100]
    pairs, shap_pairs_seconds = timed(
        lambda: np.mean(
            [by_shap(one, few, "shap_interaction_values") for one in explainers], axis=0
        )
    )
    our_pairs, our_pairs_seconds = timed(lambda: stacked(bags).interactions(few, BAGS))
    names = list(CATALOGUE)[:FEATURES]
    contributions, values = (pd.DataFrame(table, columns=names) for table in (ours, np.abs(X)))
    explanation = Explanation(base_value=-6.0, contributions=contributions, features=values,
                              log_odds=ours.sum(axis=1) - 6.0)  # fmt: skip
    _, word_seconds = timed(lambda: reasons_in_words(explanation, None))
    sys.stdout.write(
        f"{n_rows:,} rows, {FEATURES} features, {BAGS} bags of {TREES} trees (made-up rows)\n"
        "what                             shap seconds  ours seconds  times faster  largest difference\n"
        f"contributions                    {shap_seconds:12.2f}  {our_seconds:12.3f}  "
        f"{shap_seconds / our_seconds:12.1f}  {error:18.1e}\n"
        f"interactions, {len(few)} rows           {shap_pairs_seconds:12.2f}  {our_pairs_seconds:12.3f}  "
        f"{shap_pairs_seconds / our_pairs_seconds:12.1f}  {np.abs(pairs - our_pairs).max():18.1e}\n"
        f"reasons and strengths in words                 {word_seconds:12.2f}\n"
    )
    sys.stdout.write(
        json.dumps({"ratio_shap": round(shap_seconds / our_seconds, 1), "max_abs_error": error,
                    "rows": n_rows, "features": FEATURES, "trees": BAGS * TREES}) + "\n"
    )  # fmt: skip


if __name__ == "__main__":
    main()
