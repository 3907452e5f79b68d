"""The leaderboard: any scikit-learn classifier on the public tasks, beside rivals and the recorded ceiling.

``python -m benchmarks.leaderboard --model sklearn.linear_model:LogisticRegression`` imports a class or a
function without arguments, trains what it returns on the June lists of an LA in each world and ranks the list
of 1 June 2024 of other LAs. Seeds are fixed: everybody is judged on the same pupils. Missing values are given
as they are, unless the classifier refuses them; then the median stands in. All pupils are simulated.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from benchmarks.tasks import (
    OUTCOMES,
    Floats,
    La,
    judge,
    lists,
    make_all,
    names_of,
    read_rows,
    yardsticks,
)
from riskmodel.simulate import WORLDS


@dataclass(frozen=True)
class Task:
    """Fixed seeds of the LAs to train on, to teach the recorded ceiling and to be ranked; their size."""

    train: tuple[int, ...]
    teach: tuple[int, ...]
    test: tuple[int, ...]
    pupils: int


TASKS = {
    "tiny": Task((1,), (1,), (3,), 500),
    "small": Task((1,), (1, 4), (2, 3), 3_000),
    "standard": Task((1, 6, 7), (1, 4, 5, 6, 7, 8), (2, 3, 12, 13), 20_000),
}

FIGURES = ["average_precision", "recall", "never", "expected_over_true"]

DEFAULT = "benchmarks.leaderboard:our_recipe"


def our_recipe() -> Any:
    """Return the library's recipe as a classifier without what only the library knows."""
    from riskmodel.training.boosting import RareOutcomeClassifier

    return RareOutcomeClassifier()


def imported(path: str) -> Any:
    """Return a fresh classifier from ``module:name``; a sentence where there is none."""
    module, _, name = path.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SystemExit(f"No classifier at {path!r}: {error}. Write module:name.") from error
    model = factory()
    if not hasattr(model, "fit") or not hasattr(model, "predict_proba"):
        raise SystemExit(f"{path!r} makes a {type(model).__name__} without fit and predict_proba.")
    return (
        model
        if get_tags(model).input_tags.allow_nan
        else make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), model)
    )


def probabilities(path: str, train: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Return the classifier's probabilities of the tested pupils."""
    names = names_of(train)
    model = imported(path)
    model.fit(train[names].astype(float), train["_label"].astype(int))
    return np.asarray(model.predict_proba(test[names].astype(float))[:, 1])


def june_rows(cache: Path, outcome: str, las: list[La]) -> pd.DataFrame:
    """Return all June lists before the origin: as common as the outcome is, none left out."""
    rows = read_rows(cache, outcome, las)
    return rows[(rows["_june"] & rows["_label"].notna()).to_numpy()].reset_index(drop=True)


def of_model(task: Task, cache: Path, world: str, outcome: str, path: str) -> pd.DataFrame:
    """Return the figures of a classifier on each tested list of a world."""
    train = june_rows(cache, outcome, _las(task, world, task.train))
    test = lists(cache, outcome, _las(task, world, task.test))
    name = path.rpartition(":")[2]
    if train["_label"].nunique() < 2:
        sys.stderr.write(
            f"{world}, {outcome}: no outcome in the training lists; {name} is not judged.\n"
        )
        return pd.DataFrame({"la": [0], "ranker": [name]})
    p = probabilities(path, train, test)
    made = judge(test, p, outcome)
    level = [p[index].sum() / test["_risk"].to_numpy()[index].sum()
             for index in test.groupby("_la").indices.values()]  # fmt: skip
    return made.assign(expected_over_true=level, ranker=name)


def _las(task: Task, world: str, seeds: tuple[int, ...]) -> list[La]:
    return [La(world, seed, task.pupils) for seed in seeds]  # type: ignore[arg-type]


def board(
    task: Task, cache: Path, outcomes: list[str], worlds: list[str], models: list[str]
) -> pd.DataFrame:
    """Return means and standard errors over lists, per outcome, world and ranker."""
    parts = []
    for outcome in outcomes:
        for world in worlds:
            teach, test = (_las(task, world, seeds) for seeds in (task.teach, task.test))
            known = yardsticks(cache, outcome, teach, test)
            made = [of_model(task, cache, world, outcome, path) for path in models]
            parts += [one.assign(outcome=outcome, world=world) for one in (known, *made)]
    table = pd.concat(parts, ignore_index=True)
    grouped = table.groupby(["outcome", "world", "ranker"], sort=False)
    mean, error = grouped[FIGURES].mean(), grouped[FIGURES[:2]].sem().add_suffix("_se")
    shown = mean.join(error)[
        [FIGURES[0], f"{FIGURES[0]}_se", FIGURES[1], f"{FIGURES[1]}_se", *FIGURES[2:]]
    ]
    return shown.reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="*", default=[], help="module:name of a class or function")
    parser.add_argument("--scale", choices=TASKS, default="small")
    parser.add_argument("--world", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--outcome", nargs="+", choices=OUTCOMES, default=list(OUTCOMES))
    parser.add_argument("--cache", type=Path, help="folder that keeps the LAs' rows")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    models, task, start = [DEFAULT, *options.model], TASKS[options.scale], time.perf_counter()
    for path in models:
        imported(path)  # a wrong name is refused before an LA is simulated
    with tempfile.TemporaryDirectory() as temporary:
        cache = options.cache or Path(temporary)
        seeds = (*task.train, *task.teach, *task.test)
        las = [la for world in options.world for la in _las(task, world, seeds)]
        make_all(las, cache, options.workers, options.outcome)
        table = board(task, cache, options.outcome, options.world, models)
    text = table.to_string(index=False, float_format="{:.3f}".format, na_rep="")
    words = (
        f"SIMULATED DATA. Scale {options.scale}: {len(task.train)} LA of {task.pupils:,} pupils to train on "
        f"and {len(task.test)} lists of others in each world; {time.perf_counter() - start:.0f} s."
    )
    sys.stdout.write(f"{words}\n{text}\n")


if __name__ == "__main__":
    main()
