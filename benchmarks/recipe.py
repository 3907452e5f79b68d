"""The recipe beside its rivals in every world: trained on some LAs, judged on lists of others.

``python -m benchmarks.recipe --scale small|full --cache FOLDER`` trains every ranker on one LA of a world
and ranks the lists of LAs that nobody trained on. There are three yardsticks, each named for what it knows.
The oracle knows the latent state. The recorded ceiling was taught true risks on many other LAs. Practice is
the best simple ranking. The recipe has its defaults. One search chooses the settings of all its peers, in
the *other* worlds and on LAs that are not judged.

A finished cell of (world, size, seed, ranker, settings) is kept in the cache and not made again. Figures are
of true risks unless their name begins with ``seen``. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.tasks import (
    OUTCOMES,
    WIDER,
    Floats,
    La,
    judge,
    kept,
    lists,
    make_all,
    names_of,
    training_rows,
    yardsticks,
)
from riskmodel.evaluation import average_precision
from riskmodel.jobs.rivals import recipe
from riskmodel.simulate import WORLDS
from riskmodel.training.feature_selection import choose_features, learn_transformation
from riskmodel.training.tuned_ridge import fit_tuned_ridge, weighted_draw

Settings = dict[str, Any]
Fit = Callable[[pd.DataFrame, pd.DataFrame, Settings], Floats]


@dataclass(frozen=True)
class Scale:
    """How much is done: seeds of LAs to train on by size, to choose settings, to teach and to test.

    Settings of the peers are chosen on LAs of ``chosen_on`` pupils.
    """

    train: dict[int, list[list[int]]]
    choose: tuple[int, int]
    teach: list[int]
    test: list[int]
    pupils: int
    trials: int
    chosen_on: int

    @property
    def trainings(self) -> list[tuple[int, list[int]]]:
        """The sizes that are trained on, each with the seeds of its LAs."""
        return [(size, seeds) for size, groups in self.train.items() for seeds in groups]


SCALES = {
    "tiny": Scale({800: [[1]]}, (4, 5), [4, 5], [2], 800, 1, 800),
    "small": Scale({3_000: [[1]]}, (1, 4), [1, 4], [2, 3], 3_000, 2, 3_000),
    "middle": Scale(
        {10_000: [[101], [102]], 50_000: [[1]]}, (103, 102), [1], [2, 3], 50_000, 4, 10_000,
    ),
    "wider": Scale(
        {10_000: [[101], [102], [103]]}, (103, 102), [101, 102, 103], [104, 105, 106], 10_000, 4, 10_000,
    ),
    "full": Scale(
        {10_000: [[101], [102], [103]], 50_000: [[1], [6]]},
        (103, 102), [1, 6], [2, 3], 50_000, 4, 10_000,
    ),
    "large": Scale(
        {200_000: [[1, 4, 5, 6]]}, (103, 102), [1, 6], [2, 3], 50_000, 4, 10_000,
    ),
}  # fmt: skip
"""``full`` needs 35 LAs, ``large`` two more of 50,000 pupils for each world (it was run for ``steady`` and
``crisis``). A run can be stopped and started again with the same cache."""

SLOW = ("ebm",)
"""Rankers that take many minutes to fit 10,000 pupils."""


def ours(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return the library's recipe's scores."""
    names = names_of(train)
    model = recipe(train[names], seed=0)(**settings)
    model.fit(train[names], train["_label"], train["_pupil"], train["_related"])
    return model.decision_function(test[names])


def best_column(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return the one column, upwards or downwards, that orders the rows trained on best."""
    names, y = names_of(train), train["_label"].to_numpy()

    def score(rows: pd.DataFrame, name: str, sign: int) -> Floats:
        values = sign * rows[name].astype(float)
        return np.asarray(values.fillna(values.min() - 1))

    tried = list(itertools.product(names, (1, -1)))
    best = max(tried, key=lambda one: average_precision(y, score(train, *one)))
    sys.stderr.write(f"best column: {best}\n")
    return score(test, *best)


def ridge(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return the scores of the library's tuned ridge.

    Left alone it chooses its penalty inside its rows. These are drawn by the outcome from different days of
    the year, so that such a choice is too weak here; the search tries penalties from outside too.
    """
    names = names_of(train)
    model = fit_tuned_ridge(train[names], train["_label"], pupils=train["_pupil"], **settings)
    return model.log_odds(test[names])


def lightgbm(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return LightGBM's scores."""
    from lightgbm import LGBMClassifier

    names = names_of(train)
    model = LGBMClassifier(random_state=0, verbose=-1, n_jobs=1, **settings)
    model.fit(train[names], train["_label"])
    return np.asarray(model.predict(test[names], raw_score=True))


def catboost(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return CatBoost's scores."""
    from catboost import CatBoostClassifier

    names = names_of(train)
    model = CatBoostClassifier(
        random_seed=0, verbose=False, thread_count=1, allow_writing_files=False, **settings
    )
    model.fit(train[names], train["_label"].astype(int))
    return np.asarray(model.predict(test[names], prediction_type="RawFormulaVal"))


def firth(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return the scores of Firth's logistic regression on the recipe's transformation.

    All rows with the outcome and twenty times as many others are learned from: only the order counts.
    """
    from firthmodels import FirthLogisticRegression

    names = names_of(train)
    values, outcome = train[names].to_numpy(np.float32), train["_label"].to_numpy(int)
    everything = learn_transformation(values, n_bags=1)
    columns = choose_features(everything, values, outcome, settings.get("n_features", 30))
    linear = everything.take(columns)
    rows, _ = weighted_draw(outcome, 20 * int(outcome.sum()))
    model = FirthLogisticRegression(backend="numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(linear.transform(values[rows][:, columns]), outcome[rows])
    of_test = linear.transform(test[names].to_numpy(np.float32)[:, columns])
    return np.asarray(of_test @ model.coef_ + model.intercept_)


def ebm(train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Floats:
    """Return the scores of an explainable boosting machine as it comes; a fit takes many minutes."""
    from interpret.glassbox import ExplainableBoostingClassifier

    names = names_of(train)
    model = ExplainableBoostingClassifier(random_state=0, n_jobs=1, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train[names], train["_label"].astype(int))
        return np.asarray(model.decision_function(test[names]))


RANKERS: dict[str, Fit] = {"ours": ours, "best column": best_column, "ridge": ridge,
                            "lightgbm": lightgbm, "catboost": catboost, "firth": firth,
                            "ebm": ebm}  # fmt: skip


def settings_of(ranker: str, trials: int) -> list[Settings]:
    """Return the settings that the search tries: the default first, the others drawn by a fixed seed.

    The recipe is judged as ``riskmodel train`` ships it: nothing is chosen for it here.
    """
    rng, penalties = np.random.default_rng(7), itertools.cycle((1e-4, 1e-3, 1e-5))
    drawn: dict[str, Callable[[], Settings]] = {
        "lightgbm": lambda: {
            "n_estimators": int(rng.choice([100, 200, 400])),
            "learning_rate": float(10 ** rng.uniform(-2, -1)),
            "num_leaves": int(rng.choice([3, 5, 9, 15])),
            "min_child_samples": int(rng.choice([20, 50, 100, 200])),
            "colsample_bytree": float(rng.choice([0.1, 0.3, 0.6])),
            "reg_lambda": float(10 ** rng.uniform(-1, 2)),
        },
        "catboost": lambda: {
            "iterations": int(rng.choice([100, 200, 400])),
            "learning_rate": float(10 ** rng.uniform(-2, -1)),
            "depth": int(rng.choice([2, 4, 6])),
            "l2_leaf_reg": float(10 ** rng.uniform(0, 2)),
            "rsm": float(rng.choice([0.1, 0.3, 0.6])),
        },
        "ridge": lambda: {"penalties": [next(penalties)]},
        "firth": lambda: {"n_features": int(rng.choice([10, 20, 60]))},
    }
    if ranker not in drawn:
        return [{}]
    return [{}, *(drawn[ranker]() for _ in range(trials - 1))]


@dataclass(frozen=True)
class Bench:
    """What one run of the benchmark works on."""

    scale: Scale
    cache: Path
    worlds: list[str]
    outcomes: list[str]

    def las(self, world: str, seeds: list[int], pupils: int) -> list[La]:
        """Return LAs of a world."""
        return [La(world, seed, pupils) for seed in seeds]  # type: ignore[arg-type]

    def every_la(self) -> list[La]:
        """Return all LAs that the run needs."""
        scale = self.scale
        large = [*scale.teach, *scale.test]
        wanted = [la for world in self.worlds for la in self.las(world, large, scale.pupils)]
        for world in self.worlds:
            for size, seeds in scale.trainings:
                wanted += self.las(world, seeds, min(size, scale.pupils))
        for world in self.worlds:
            wanted += self.las(world, list(scale.choose), scale.chosen_on)
        return wanted

    def rankers_for(self, rankers: list[str], size: int, seeds: list[int]) -> list[str]:
        """Return the rankers that are trained on such LAs: slow ones on the first small LA alone."""
        first = size == min(self.scale.train) and seeds == self.scale.train[size][0]
        return [name for name in rankers if first or name not in SLOW]


def cell(
    bench: Bench, outcome: str, ranker: str, settings: Settings, train: list[La], test: list[La]
) -> list[dict[str, Any]]:
    """Return the figures of a ranker on each tested list; from the cache where they are finished."""

    def work() -> list[dict[str, Any]]:
        rows, lists_of_others = (
            training_rows(bench.cache, outcome, train),
            lists(bench.cache, outcome, test),
        )
        start = time.perf_counter()
        score = RANKERS[ranker](rows, lists_of_others, settings)
        seconds = time.perf_counter() - start
        sys.stderr.write(f"{outcome} {train[0]} {ranker}: {seconds:.0f} s\n")
        return judge(lists_of_others, score, outcome).assign(seconds=seconds).to_dict("records")

    key = {"outcome": outcome, "ranker": ranker, "settings": settings,
           "train": [vars(la) for la in train], "test": [vars(la) for la in test]}  # fmt: skip
    return list(kept(bench.cache, key, work))


def chosen(bench: Bench, outcome: str, ranker: str, world: str) -> Settings:
    """Return the settings with the best mean average precision in the other worlds, on LAs not judged."""
    tried = settings_of(ranker, bench.scale.trials)
    others = [name for name in bench.worlds if name != world] or [world]
    if len(tried) == 1:
        return tried[0]
    first, second = bench.scale.choose
    smallest = bench.scale.chosen_on
    means = []
    for settings in tried:
        rows = []
        for name in others:
            train, test = (bench.las(name, [seed], smallest) for seed in (first, second))
            rows += cell(bench, outcome, ranker, settings, train, test)
        means.append(np.mean([row["average_precision"] for row in rows]))
    return tried[int(np.argmax(means))]


def results(bench: Bench, rankers: list[str]) -> pd.DataFrame:
    """Return the figures of every ranker and yardstick, one row per tested list."""
    parts = []
    for outcome in bench.outcomes:
        for world in bench.worlds:
            teach, test = (bench.las(world, seeds, bench.scale.pupils)
                           for seeds in (bench.scale.teach, bench.scale.test))  # fmt: skip
            known = yardsticks(bench.cache, outcome, teach, test)
            parts.append(known.assign(outcome=outcome, world=world, pupils=0, seed=0))
            for size, seeds in bench.scale.trainings:
                train = bench.las(world, seeds, min(size, bench.scale.pupils))
                for ranker in bench.rankers_for(rankers, size, seeds):
                    settings = chosen(bench, outcome, ranker, world)
                    rows = pd.DataFrame(cell(bench, outcome, ranker, settings, train, test))
                    key = {"outcome": outcome, "world": world, "pupils": size, "seed": seeds[0]}
                    parts.append(rows.assign(ranker=ranker, **key))
    return pd.concat(parts, ignore_index=True)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over ranked lists with standard errors, and shares of the recorded ceiling's figures.

    Trainings that rank the same list are averaged first: their figures rise and fall together.
    """
    keys = ["outcome", "world", "pupils", "ranker"]
    figures = ["average_precision", "recall", "never", "seen_average_precision", "seen_recall"]
    grouped = table.groupby([*keys, "la"], sort=False)[figures].mean().groupby(keys, sort=False)
    made = grouped.mean()
    made.insert(1, "se", grouped["average_precision"].sem())
    made.insert(3, "recall_se", grouped["recall"].sem())
    made = made.reset_index()
    for name, column in (("share_ap", "average_precision"), ("share_recall", "recall")):
        top = made[made["ranker"] == "recorded ceiling"].set_index(["outcome", "world"])[column]
        made[name] = made[column] / made.set_index(["outcome", "world"]).index.map(top).to_numpy()
    return made


def paired(table: pd.DataFrame, simple: list[str]) -> pd.DataFrame:
    """Return ours minus each peer and minus practice, paired over ranked lists, with standard errors.

    Practice is the simple ranking with the best mean recall in that world. Trainings are averaged first.
    """
    rows = []
    for (outcome, world), part in table.groupby(["outcome", "world"], sort=False):
        base = part[part["pupils"] == 0].set_index(["ranker", "la"])
        known = [name for name in simple if name in base.index.get_level_values(0)]
        practice = base.loc[known, "recall"].groupby(level=0).mean().idxmax()
        for size, group in part[part["pupils"] > 0].groupby("pupils"):
            wide = group.pivot_table(index=["seed", "la"], columns="ranker",
                                     values=["average_precision", "recall"])  # fmt: skip
            for rival in [name for name in wide["recall"] if name != "ours"] + [practice]:
                row: dict[str, Any] = {
                    "outcome": outcome,
                    "world": world,
                    "pupils": size,
                    "rival": rival,
                }
                for column in ("average_precision", "recall"):
                    other = (wide[column][rival] if rival in wide[column] else
                             wide.index.get_level_values("la").map(base.loc[rival, column]))  # fmt: skip
                    gap = (wide[column]["ours"] - np.asarray(other)).groupby(level="la").mean()
                    row |= {f"{column}_gap": gap.mean(), f"{column}_se": gap.sem()}
                rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument("--world", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--outcome", nargs="+", choices=[*OUTCOMES, *WIDER], default=list(OUTCOMES))
    parser.add_argument(
        "--rankers", nargs="+", choices=RANKERS, default=["ours", "ridge", "lightgbm"]
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps rows and finished cells")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(
            SCALES[options.scale], options.cache or Path(temporary), options.world, options.outcome
        )
        make_all(bench.every_la(), bench.cache, options.workers, bench.outcomes)
        table = results(bench, ["ours", *(name for name in options.rankers if name != "ours")])
    simple = sorted(set(table["ranker"]) - set(RANKERS) - {"oracle", "recorded ceiling"})
    made, gaps = summary(table), paired(table, simple)
    show = {"index": False, "float_format": "{:.3f}".format, "na_rep": ""}
    sys.stdout.write(
        f"SIMULATED DATA. Scale {options.scale}; lists of {len(bench.scale.test)} LAs in each world; "
        f"{time.perf_counter() - start:.0f} s.\n"
    )
    for frame in (made, gaps):
        sys.stdout.write(frame.to_string(**show) + "\n\n")
    result = {
        f"{row['outcome']}_{row['world']}_{row['pupils']}_{row['rival']}": {
            "gap": round(row["recall_gap"], 4), "se": round(row["recall_se"], 4)}
        for row in gaps.to_dict("records")
    }  # fmt: skip
    sys.stdout.write(json.dumps({"ours_minus_rival_recall": result}) + "\n")


if __name__ == "__main__":
    main()
