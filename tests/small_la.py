"""Shared by the tests: a small simulated LA, a model trained on it, and stores with versions of that model.

In:  a folder that all workers of a run share.
Out: the LA and the model, made by the first worker that asks and only read by the others; copies of stores.
"""

from __future__ import annotations

import pickle
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from riskmodel.evaluation import Backtest
from riskmodel.jobs import Run, Training, promote, train
from riskmodel.jobs.record import register
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["SmallLA", "again", "made_once", "new_store", "promoted", "registered", "trained_on"]


@dataclass(frozen=True)
class SmallLA:
    """A simulated LA on disk, a model trained on it, and the folder of the store that holds the model."""

    extracts: Path
    folder: Path
    training: Training

    @property
    def tracking(self) -> str:
        """The address of the store; tests only read it."""
        return address_in(self.folder)


def address_in(folder: Path) -> str:
    """Return the tracking address of the store in a folder."""
    return f"sqlite:///{folder / 'mlflow.db'}"


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first worker to ask fills, while the others wait."""
    done = folder.with_name(f"{folder.name}.done")
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.touch()
    return folder


def trained_on(extracts: Path, folder: Path) -> SmallLA:
    """Return the LA with a model for permanent exclusion, trained if the folder does not hold it yet."""
    file = folder / "training.pickle"

    def make(folder: Path) -> None:
        tracking = new_store(folder.parent, folder)
        file.write_bytes(pickle.dumps(train(extracts, Run("pex", tracking=tracking))))

    made_once(folder, make)
    return SmallLA(extracts, folder, pickle.loads(file.read_bytes()))


def registered(la: SmallLA, run: Run, champion: str | None, **answers: str) -> str:
    """Register the small LA's model once more, as judged against a champion; return the version.

    It passes every gate that would block it, but those whose answers are given: few outcomes let no gate
    be sure. Its backtest is registered in short: the charts and figures are what takes longest.
    """
    made = replace(la.training, backtest=_in_short(la.training.backtest))
    X = pd.DataFrame(np.zeros((2, len(made.model.features))), columns=list(made.model.features))
    gates = tuple(
        GateAnswer.from_text(
            one.code, answers.get(one.code, "passed" if one.blocks else one.text())
        )
        for one in made.gates
    )
    return register(replace(made, gates=gates), run, champion, X)


def _in_short(backtest: Backtest) -> Backtest:
    """Return a backtest without the parts that may be absent, of the model and one rival."""
    rankers = ["model", next(name for name in backtest.table["ranker"] if name != "model")]
    few = {
        name: frame[frame["ranker"].isin(rankers)].reset_index(drop=True)
        for name, frame in vars(backtest).items()
        if name in ("table", "differences", "by_list")
    }
    absent = dict.fromkeys(("calibration", "net_benefit", "places", "notice"))
    return replace(backtest, **few, **absent)


def again(la: SmallLA, tracking: str, **answers: str) -> str:
    """Register the small LA's model once more, as judged against the store's champion."""
    run = Run("pex", tracking=tracking)
    champion = run.registry.version_of("champion") if run.registry.open() else None
    return registered(la, run, champion, **answers)


def promoted(la: SmallLA, folder: Path, n: int, *, challengers: int = 0) -> str:
    """Return a new store whose versions 1 to n were promoted in turn; later ones were only trained.

    Registering a version takes a second, so that tests copy stores which one worker made.
    """
    if not n + challengers:
        return new_store(la.folder.parent, folder)
    return copied(_store_of(la, n, challengers), folder)


def new_store(shared: Path, folder: Path) -> str:
    """Return a new store that holds no version; MLflow takes five seconds to make one, once in a run."""

    def make(folder: Path) -> None:
        (folder / "mlartifacts").mkdir(parents=True)
        (folder / "mlflow.db").touch()  # no file, no store: an empty one is filled
        Run("pex", tracking=address_in(folder)).registry.open()

    return copied(made_once(shared / "store", make), folder)


def _store_of(la: SmallLA, n: int, challengers: int) -> Path:
    def make(folder: Path) -> None:
        if challengers:
            again(la, promoted(la, folder, n, challengers=challengers - 1))
        else:
            promote(Run("pex", tracking=promoted(la, folder, n - 1, challengers=1)))

    return made_once(la.folder.with_name(f"{la.folder.name}_{n}_and_{challengers}"), make)


def copied(store: Path, folder: Path) -> str:
    """Copy a store with its models, and let the copy name the place of its own models; return its address."""
    shutil.copytree(store / "mlartifacts", folder / "mlartifacts")
    with (
        closing(sqlite3.connect(store / "mlflow.db")) as old,
        closing(sqlite3.connect(folder / "mlflow.db")) as new,
    ):
        new.executescript("\n".join(old.iterdump()).replace(store.as_uri(), folder.as_uri()))
    return address_in(folder)
