"""The public tasks: in every world, LAs to learn from and lists of other LAs to be ranked.

In:  a world, a seed, a size, an outcome.
Out: rows to train on and one list to rank, with the true risk of every row; how good a ranking is.

A list is of 1 June 2024; what happened until 31 July 2025 judges it. All pupils are simulated. Rows and
finished results are kept in a cache folder and not made again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import build_spine, snapshots
from riskmodel.data.outcomes import outcome_of
from riskmodel.evaluation import average_precision, recall_at_k, simple_rankers
from riskmodel.features import CATALOGUE, build
from riskmodel.labels import label, related
from riskmodel.simulate import WorldName, simulate

OUTCOMES = ("pex", "neet")
"""Outcomes of the public tasks."""

WIDER = ("exit", "first-suspension", "severe-absence", "not-known")
"""Outcomes that ask wider or earlier."""

ORIGIN, KNOWN_BY = (pd.Timestamp(day).as_unit("s") for day in ("2024-06-01", "2025-08-01"))
RANDOM_ROWS = 6_000
"""Rows of an LA drawn at random from all its lists, whatever became of the pupils."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class La:
    """A simulated LA: the same seed has the same pupils in every world."""

    world: WorldName
    seed: int
    pupils: int

    def path(self, cache: Path, outcome: str) -> Path:
        """Return the file that keeps its rows of an outcome."""
        return cache / f"{self.world}_{self.seed}_{self.pupils}_{outcome}.parquet"


def make(la: La, cache: Path, outcomes: Sequence[str]) -> None:
    """Simulate an LA and keep its rows of the outcomes that are not there."""
    wanted = [outcome for outcome in outcomes if not la.path(cache, outcome).exists()]
    if not wanted:
        return
    made = simulate(pupils=la.pupils, years=5, seed=la.seed, world=la.world)
    for outcome in wanted:
        target = la.path(cache, outcome)
        part = target.with_suffix(".part")
        _rows(made, outcome, la.seed).to_parquet(part)
        part.replace(target)
    sys.stderr.write(f"{la} made\n")


def make_all(las: list[La], cache: Path, workers: int, outcomes: Sequence[str] = OUTCOMES) -> None:
    """Make LAs side by side."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = sorted(set(las), key=lambda la: (la.seed, la.world))
    if workers == 1:
        for la in wanted:
            make(la, cache, outcomes)
        return
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(make, wanted, repeat(cache), repeat(outcomes)))


def _rows(made: Any, outcome: str, seed: int) -> pd.DataFrame:
    """Return the list to be ranked, the June lists before it, pupils with the outcome, others at random.

    ``_list``: of the list to be ranked, which holds everybody whom the day's list holds, also those whose
    outcome is not known later. ``_june``: of a June list whose outcomes were known at the origin.
    ``_drawn``: drawn whatever became of the pupil, as the recorded ceiling needs it.
    """
    tables = made.tables
    spine = build_spine(tables, snapshots(tables, outcome, before=ORIGIN), outcome)
    ranked = (spine["as_of"] == ORIGIN).to_numpy()
    then, later = (
        label(tables, spine, outcome, known_by=day)["label"].to_numpy()
        for day in (ORIGIN, KNOWN_BY)
    )
    y = np.where(ranked, later, then)
    known = ~np.isnan(y)
    positive = spine["pupil_id"].isin(spine["pupil_id"][(y == 1) & ~ranked]).to_numpy()
    june = (spine["as_of"].dt.month == ORIGIN.month).to_numpy() & ~ranked
    drawn = np.zeros(len(spine), dtype=bool)
    drawn[np.random.default_rng(seed).permutation(np.flatnonzero(~ranked))[:RANDOM_ROWS]] = True
    kept = drawn | ranked | (known & (june | positive))
    part = spine[kept].reset_index(drop=True)
    kin = related(tables, part, outcome, known_by=ORIGIN)
    truth = made.truth[made.truth["outcome"] == outcome].drop(columns="outcome")
    key = {"pupil_id": part["pupil_id"].astype("str"), "as_of": part["as_of"]}
    risk = pd.DataFrame(key).merge(truth, how="left", on=["pupil_id", "as_of"])["risk"]
    return build(tables, part).assign(
        _label=y[kept], _list=ranked[kept], _june=june[kept], _drawn=drawn[kept],
        _positive=positive[kept], _pupil=f"{seed}." + part["pupil_id"].astype("str"),
        _related=0 if kin is None else kin, _risk=risk.fillna(0).to_numpy(float), _la=seed,
    )  # fmt: skip


def read_rows(cache: Path, outcome: str, las: list[La]) -> pd.DataFrame:
    """Return all kept rows of LAs."""
    return pd.concat([pd.read_parquet(la.path(cache, outcome)) for la in las], ignore_index=True)


def training_rows(cache: Path, outcome: str, las: list[La]) -> pd.DataFrame:
    """Return the rows with a known label that the library would train on: those with, some without."""
    rows = read_rows(cache, outcome, las)
    return rows[~rows["_list"] & rows["_label"].notna()].reset_index(drop=True)


def lists(cache: Path, outcome: str, las: list[La]) -> pd.DataFrame:
    """Return the lists to be ranked."""
    rows = read_rows(cache, outcome, las)
    return rows[rows["_list"]].reset_index(drop=True)


def names_of(train: pd.DataFrame) -> list[str]:
    """Return the features that vary."""
    return [str(name) for name in train if name in CATALOGUE and train[name].nunique() > 1]


def ceiling_scores(
    cache: Path,
    outcome: str,
    las: list[La],
    test: pd.DataFrame,
    of: Callable[[pd.DataFrame], NDArray[np.bool_]] | None = None,
) -> Floats:
    """Return the scores of the recorded ceiling: a booster taught true risks on many LAs.

    True risks stand in for labels (cross-entropy with soft labels), so that chance adds no noise: as
    rows grow without limit, the scores become the mean true risk given what is recorded. ``of`` picks
    the rows that it is taught; all of them where left out.
    """
    import lightgbm

    rows = read_rows(cache, outcome, las)
    rows = rows[(rows["_drawn"] | rows["_list"] | rows["_june"]).to_numpy()]
    rows = rows if of is None else rows[of(rows)]
    names = names_of(rows)
    booster = lightgbm.train(
        {"objective": "cross_entropy", "learning_rate": 0.04, "num_leaves": 15, "verbose": -1,
         "min_data_in_leaf": 100, "feature_fraction": 0.3, "lambda_l2": 10.0, "num_threads": 1,
         "bagging_fraction": 0.7, "bagging_freq": 1, "seed": 0},
        lightgbm.Dataset(rows[names], rows["_risk"]), num_boost_round=400,
    )  # fmt: skip
    return np.asarray(booster.predict(test[names], raw_score=True))


def simple_scores(test: pd.DataFrame) -> dict[str, Floats]:
    """Return the scores of the rankings that an LA has without a model."""
    return dict(simple_rankers(test))


def yardsticks(cache: Path, outcome: str, teach: list[La], test: list[La]) -> pd.DataFrame:
    """Return the figures of the oracle, the recorded ceiling and the simple rankings, kept in the cache."""

    def work() -> list[dict[str, Any]]:
        ranked = lists(cache, outcome, test)
        scores = {"oracle": ranked["_risk"].to_numpy(),
                  "recorded ceiling": ceiling_scores(cache, outcome, teach, ranked),
                  **simple_scores(ranked)}  # fmt: skip
        figures = [judge(ranked, s, outcome).assign(ranker=name) for name, s in scores.items()]
        rows: list[Any] = pd.concat(figures).to_dict("records")
        return rows

    key = {"yardsticks": outcome, "teach": [vars(la) for la in teach],
           "test": [vars(la) for la in test]}  # fmt: skip
    return pd.DataFrame(kept(cache, key, work))


def expected_average_precision(risk: Floats, score: Floats) -> float:
    """Return the average precision to expect over all outcomes that the true risks allow.

    A pupil at rank i has the outcome with chance p_i; then 1 + the chances before it are expected among
    the first i: sum of p_i (1 + p_1 + ... + p_(i-1)) / i, over the sum of p. Tied pupils share their risk.
    """
    p = tied_mean(risk, score)[np.argsort(-score, kind="stable")]
    before = np.append(0.0, np.cumsum(p)[:-1])
    return float(np.sum(p * (1 + before) / np.arange(1, len(p) + 1)) / p.sum())


def tied_mean(values: Floats, score: Floats) -> Floats:
    """Return the mean of the values over pupils with the same score: what any order of ties expects."""
    _, group = np.unique(score, return_inverse=True)
    return np.asarray((np.bincount(group, values) / np.bincount(group))[group])


def judge(test: pd.DataFrame, score: Floats, outcome: str) -> pd.DataFrame:
    """Return how good a ranking is on each LA's list; everybody on it is ranked before places are filled.

    ``average_precision`` and ``recall`` at capacity are of the true risks, which chance does not blur;
    ``seen_*`` are of what happened: recall of the known outcomes, average precision of the pupils whose
    outcome is known. ``never`` is the recall among the never suspended.
    """
    rows = []
    for la, index in test.groupby("_la").indices.items():
        one, s = test.iloc[index], np.asarray(score, float)[index]
        risk, label = one["_risk"].to_numpy(), one["_label"].to_numpy(float)
        known, y = ~np.isnan(label), label == 1
        k = max(1, round(outcome_of(outcome).capacity_share * len(one)))
        listed = np.argsort(-s, kind="stable")[:k]
        never = never_suspended(one)
        rows.append({
            "la": la, "average_precision": expected_average_precision(risk, s),
            "recall": tied_mean(risk, s)[listed].sum() / risk.sum(),
            "never": tied_mean(risk * never, s)[listed].sum() / max(risk[never].sum(), 1e-12),
            "seen_average_precision": average_precision(y[known], s[known]),
            "seen_recall": recall_at_k(y, s, k=k),
        })  # fmt: skip
    return pd.DataFrame(rows)


def never_suspended(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which pupils have no suspension on record."""
    return rows["suspensions_ever"].fillna(0).to_numpy() == 0


def kept(cache: Path, key: dict[str, Any], work: Callable[[], Any]) -> Any:
    """Return a finished result from the cache, or do the work and keep it."""
    text = json.dumps(key, sort_keys=True)
    path = cache / "cells" / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))["result"]
    result = work()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{np.random.default_rng().integers(1 << 60)}")
    part.write_text(json.dumps({"key": key, "result": result}), encoding="utf-8")
    part.replace(path)
    return result
