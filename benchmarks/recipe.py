"""The recipe beside its rivals: shares of the fair ceiling, over seeds and sizes of LA.

``python benchmarks/recipe.py --scale full`` simulates LAs of 10,000 and 50,000 pupils over five years,
trains every ranker on one of them (200,000 pupils: on four of 50,000 pooled), standing at 1 June 2024, and
tests it on that day's lists of LAs that nobody trained on. The fair ceiling is the best that the recipe, a
flexible booster or both together reach when trained on all fifteen other LAs. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation import average_precision, fit_logistic, recall_at_k, simple_rankers
from riskmodel.features import CATALOGUE, build
from riskmodel.labels import label, related
from riskmodel.simulate import simulate
from riskmodel.training.boosting import RareOutcomeClassifier

ORIGIN, KNOWN_BY = (pd.Timestamp(day).as_unit("s") for day in ("2024-06-01", "2025-08-01"))
CAPACITY = {name: outcome_of(name).capacity_share for name in ("pex", "neet")}
NEGATIVES = 60_000
POOLED_NEGATIVES = 25_000

TEST = (0, 4, 8, 12, 16)
FULL = {
    10_000: [[100], [101], [102], [103], [104], [105]],
    50_000: [[1], [2], [3], [5], [6], [7]],
    200_000: [[1, 2, 3, 5], [6, 7, 9, 10], [11, 13, 14, 15]],
}
EBM_SEEDS = 1
"""Training LAs of each size that the explainable boosting machine is fitted to; one takes minutes."""

CEILING = [seed for seed in range(20) if seed not in TEST]

Floats = NDArray[np.float64]


def make_la(seed: int, pupils: int, cache: Path) -> None:
    """Simulate one LA and keep, per outcome, its training rows and the list to be tested."""
    wanted = {outcome: path_of(cache, outcome, seed) for outcome in CAPACITY}
    if all(path.exists() for path in wanted.values()):
        return
    made = simulate(pupils=pupils, years=5, seed=seed, preset="england")
    for outcome, path in wanted.items():
        one_outcome(made, outcome, seed).to_parquet(path)


def path_of(cache: Path, outcome: str, seed: int) -> Path:
    return cache / f"{outcome}_{seed}.parquet"


def one_outcome(made: Any, outcome: str, seed: int) -> pd.DataFrame:
    """Return the rows of positive pupils, some of the others, and the whole list of the origin."""
    tables = made.tables
    spine = build_spine(tables, snapshots(tables, outcome, before=ORIGIN), outcome)
    is_test = (spine["as_of"] == ORIGIN).to_numpy()
    then, later = (
        label(tables, spine, outcome, known_by=day)["label"].to_numpy()
        for day in (ORIGIN, KNOWN_BY)
    )
    y = np.where(is_test, later, then)
    positive = spine["pupil_id"].isin(spine["pupil_id"][(y == 1) & ~is_test]).to_numpy()
    known = ~np.isnan(y)
    others = np.flatnonzero(known & ~is_test & ~positive)
    drawn = np.random.default_rng(seed).permutation(others)[:NEGATIVES]
    rows = np.sort(np.concatenate([np.flatnonzero(known & (is_test | positive)), drawn]))
    part = spine.iloc[rows].reset_index(drop=True)
    kin = related(tables, part, outcome, known_by=ORIGIN)
    truth = made.truth[(made.truth["outcome"] == outcome) & (made.truth["as_of"] == ORIGIN)]
    risk = part["pupil_id"].astype("str").map(truth.set_index("pupil_id")["risk"])
    return build(tables, part).assign(
        _label=y[rows], _test=is_test[rows], _pupil=f"{seed}." + part["pupil_id"].astype("str"),
        _related=0 if kin is None else kin, _risk=risk.fillna(0).to_numpy(float), _la=seed,
    )  # fmt: skip


def names_of(train: pd.DataFrame) -> list[str]:
    return [name for name in train if name in CATALOGUE and train[name].nunique() > 1]


def directions(names: list[str]) -> dict[str, int]:
    return {name: CATALOGUE[name].direction for name in names}


def ours(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    names = names_of(train)
    model = RareOutcomeClassifier(monotone=directions(names), random_state=seed)
    model.fit(train[names], train["_label"], train["_pupil"], train["_related"])
    return model.decision_function(test[names])


def logistic(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    names = names_of(train)
    return fit_logistic(train[names], train["_label"], test[names])


def sklearn_default(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    names = names_of(train)
    model: Any = HistGradientBoostingClassifier(random_state=seed).fit(
        train[names], train["_label"]
    )
    return np.asarray(model.decision_function(test[names]))


def lightgbm_default(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    import lightgbm

    names = names_of(train)
    model = lightgbm.LGBMClassifier(random_state=seed, verbose=-1)
    model.fit(train[names], train["_label"])
    return np.asarray(model.predict(test[names], raw_score=True))


def ebm(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    """Fit an explainable boosting machine, made small enough to finish.

    As it comes it takes over six minutes a fit here. So: no pairs of features, four outer bags, and
    10,000 rows of pupils without the outcome.
    """
    from interpret.glassbox import ExplainableBoostingClassifier

    names = names_of(train)
    others = np.flatnonzero(train["_label"] == 0)
    drawn = np.random.default_rng(seed).permutation(others)[:10_000]
    train = train.iloc[np.sort(np.append(np.flatnonzero(train["_label"] == 1), drawn))]
    model = ExplainableBoostingClassifier(interactions=0, outer_bags=4, random_state=seed, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train[names], train["_label"].astype(int))
        return np.asarray(model.decision_function(test[names]))


def simple(name: str) -> Callable[[pd.DataFrame, pd.DataFrame, int], Floats]:
    return lambda train, test, seed: simple_rankers(test)[name]


def flexible(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Floats:
    names = names_of(train)
    model: Any = HistGradientBoostingClassifier(
        max_iter=400, learning_rate=0.04, max_leaf_nodes=15, min_samples_leaf=200, max_features=0.3,
        l2_regularization=10.0, monotonic_cst=list(directions(names).values()),
        early_stopping=False, random_state=seed,
    ).fit(train[names], train["_label"])  # fmt: skip
    return np.asarray(model.decision_function(test[names]))


RANKERS = {
    "ours": ours,
    "logistic": logistic,
    "sklearn_default": sklearn_default,
    "lightgbm_default": lightgbm_default,
    "ebm": ebm,
    "roni": simple("RONI points"),
    "suspensions_last_year": simple("suspensions last year"),
}


def judge(test: pd.DataFrame, score: Floats, outcome: str) -> tuple[float, float]:
    """Return average precision and recall at capacity, mean over LAs weighted by outcomes."""
    rows, weights = [], []
    for index in test.groupby("_la").indices.values():
        y, s = test["_label"].to_numpy()[index], np.asarray(score)[index]
        rows.append(
            (average_precision(y, s), recall_at_k(y, s, k=round(CAPACITY[outcome] * len(y))))
        )
        weights.append(y.sum())
    mean = np.average(np.array(rows), axis=0, weights=weights)
    return float(mean[0]), float(mean[1])


def training_rows(cache: Path, outcome: str, seeds: list[int], negatives: int) -> pd.DataFrame:
    """Return the training rows of some LAs; of pupils without the outcome at most so many in each."""
    parts = []
    for seed in seeds:
        frame = pd.read_parquet(path_of(cache, outcome, seed))
        frame = frame[~frame["_test"]].reset_index(drop=True)
        positive = frame["_pupil"].isin(frame["_pupil"][frame["_label"] == 1]).to_numpy()
        drawn = np.random.default_rng(seed).permutation(np.flatnonzero(~positive))[:negatives]
        parts.append(frame.iloc[np.sort(np.concatenate([np.flatnonzero(positive), drawn]))])
    return pd.concat(parts, ignore_index=True)


def run_one(
    cache: Path, outcome: str, size: int, seeds: list[int], rankers: list[str], tests: list[int]
) -> list[dict[str, Any]]:
    """Train every ranker on some LAs and test it on the lists of others."""
    test = lists_of(cache, outcome, tests)
    train = training_rows(cache, outcome, seeds, NEGATIVES)
    rows = []
    for name in rankers:
        start = time.perf_counter()
        precision, recall = judge(test, RANKERS[name](train, test, seeds[0]), outcome)
        sys.stderr.write(f"{outcome} {size:,} {seeds} {name}: {precision:.3f} {recall:.3f}\n")
        rows.append({"outcome": outcome, "pupils": size, "ranker": name, "seed": seeds[0],
                     "positives": train["_pupil"][train["_label"] == 1].nunique(),
                     "average_precision": precision, "recall": recall,
                     "seconds": time.perf_counter() - start})  # fmt: skip
    return rows


def lists_of(cache: Path, outcome: str, tests: list[int]) -> pd.DataFrame:
    frames = [pd.read_parquet(path_of(cache, outcome, seed)) for seed in tests]
    return pd.concat([frame[frame["_test"]] for frame in frames], ignore_index=True)


def ceiling(
    cache: Path, outcome: str, seeds: list[int], tests: list[int]
) -> dict[str, tuple[float, float]]:
    """Return what models reach that were trained on all other LAs, and who knows the latent state."""
    test, train = (
        lists_of(cache, outcome, tests),
        training_rows(cache, outcome, seeds, POOLED_NEGATIVES),
    )
    a, b = ours(train, test, 0), flexible(train, test, 0)
    scores = {"recipe": a, "flexible booster": b, "both": a + b, "oracle": test["_risk"].to_numpy()}
    sys.stderr.write(f"{outcome}: ceiling done\n")
    return {name: judge(test, score, outcome) for name, score in scores.items()}


def summary(table: pd.DataFrame, best: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return means over seeds, their standard errors, and shares of the ceiling."""
    grouped = table.groupby(["outcome", "pupils", "ranker"], sort=False)
    made = grouped[["positives", "average_precision", "recall", "seconds"]].mean()
    made.insert(0, "seeds", grouped.size())
    made.insert(3, "ap_se", grouped["average_precision"].sem())
    for number, (name, column) in enumerate(
        (("share_ap", "average_precision"), ("share_recall", "recall"))
    ):
        top = made.index.get_level_values("outcome").map({o: v[number] for o, v in best.items()})
        made[name] = made[column] / np.asarray(top, float)
    return made.reset_index()


def never_below(table: pd.DataFrame) -> pd.DataFrame:
    """Return ours less each rival, paired over seeds, in standard errors."""
    wide = table.pivot_table(
        index=["outcome", "pupils", "seed"], columns="ranker", values="average_precision"
    )
    rows = []
    for (outcome, pupils), group in wide.groupby(level=[0, 1], sort=False):
        for rival in [name for name in ("logistic", "roni") if name in group]:
            gap = group["ours"] - group[rival]
            rows.append({"outcome": outcome, "pupils": pupils, "rival": rival, "gap": gap.mean(),
                         "standard_error": gap.sem() if len(gap) > 1 else np.nan})  # fmt: skip
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=["small", "full"], default="small")
    parser.add_argument("--cache", type=Path, help="folder that keeps the simulated LAs' features")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rankers", nargs="+", choices=RANKERS, default=list(RANKERS))
    parser.add_argument("--only-data", action="store_true", help="make the LAs and stop")
    options = parser.parse_args()
    full = options.scale == "full"
    sizes = FULL if full else {2_000: [[200], [201]]}
    tests = list(TEST) if full else [202, 203]
    pooled = CEILING if full else [200, 201, 204]
    pupils = dict.fromkeys([*tests, *pooled], 50_000 if full else 2_000)
    pupils |= {s: 10_000 for seeds in sizes.get(10_000, []) for s in seeds}
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)
        cache.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(options.workers) as pool:
            list(pool.map(make_la, pupils, pupils.values(), [cache] * len(pupils)))
            if options.only_data:
                return
            jobs = [
                pool.submit(run_one, cache, outcome, size, seeds,
                            [n for n in options.rankers
                             if n != "ebm" or (full and number < EBM_SEEDS)], tests)
                for outcome in CAPACITY for size, groups in sizes.items()
                for number, seeds in enumerate(groups)
            ]  # fmt: skip
            top = {o: pool.submit(ceiling, cache, o, pooled, tests) for o in CAPACITY}
            table = pd.DataFrame([row for job in jobs for row in job.result()])
            ceilings = {outcome: job.result() for outcome, job in top.items()}
    report(table, ceilings)


def report(table: pd.DataFrame, ceilings: dict[str, dict[str, tuple[float, float]]]) -> None:
    """Print tables and the line of JSON."""
    best = {
        o: tuple(max(v[n][i] for n in ("recipe", "flexible booster", "both")) for i in range(2))
        for o, v in ceilings.items()
    }
    made = summary(table, best)  # type: ignore[arg-type]
    top = [{"outcome": o, "trained on all other LAs": n, "average_precision": a, "recall": r}
           for o, v in ceilings.items() for n, (a, r) in v.items()]  # fmt: skip
    show = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    sys.stdout.write("SIMULATED DATA.\n")
    for frame in (pd.DataFrame(top), made, never_below(table)):
        sys.stdout.write(frame.to_string(**show) + "\n\n")
    keys = {
        f"{outcome}_{pupils}": {
            row["ranker"]: {"average_precision": round(row["share_ap"], 3),
                            "recall": round(row["share_recall"], 3)}
            for row in group.to_dict("records")
        }
        for (outcome, pupils), group in made.groupby(["outcome", "pupils"], sort=False)
    }  # fmt: skip
    sys.stdout.write(json.dumps({"share_of_ceiling": keys}) + "\n")


if __name__ == "__main__":
    main()
