"""Search for settings of the recipe, on out-of-time folds, that can be stopped and taken up again.

In:  folds, features, labels; a place to keep trials.
Out: :class:`Search`: the settings that ranked best, every trial, and the front where two aims compete.

Trials are drawn by the tree-structured Parzen estimator [1]_, each from its own seed and the trials
before it, so that a search that was killed goes on as if it had not been.

References
----------
.. [1] Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation import average_precision
from riskmodel.evaluation.capacity import is_listed, places_on_lists
from riskmodel.fairness.rates import recall_gap
from riskmodel.progress import track
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.fitting import fit_on
from riskmodel.training.folds import Fold

__all__ = ["Search", "search_settings"]

NEARLY_BEST = 0.95
"""Share of the best average precision that the fairest settings must keep to be chosen."""

SPACE: dict[str, tuple[str, dict[str, Any]]] = {
    "ridge": ("suggest_float", {"low": 3e-5, "high": 3e-2, "log": True}),
    "n_features": ("suggest_int", {"low": 20, "high": 240, "log": True}),
    "tree_weight": ("suggest_float", {"low": 0.0, "high": 1.0}),
    "related_weight": ("suggest_float", {"low": 0.0, "high": 1.0}),
    "n_trees": ("suggest_int", {"low": 40, "high": 160, "step": 40}),
    "max_depth": ("suggest_int", {"low": 1, "high": 2}),
    "negatives_per_positive": ("suggest_int", {"low": 10, "high": 60}),
}
"""Setting → Optuna's method and its bounds."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search found.

    Attributes
    ----------
    settings : dict
        Keyword arguments of the classifier.
    trials : DataFrame
        ``trial``, ``state``, ``average_precision``, ``recall_gap`` where it was an aim, and a column
        per setting, in the order in which they were tried.
    front : DataFrame, optional
        Trials that no other beats in both aims, best average precision first.
    """

    settings: dict[str, Any]
    trials: pd.DataFrame = field(repr=False)
    front: pd.DataFrame | None = field(repr=False, default=None)

    def text(self) -> str:
        """Return what a person reads after a search.

        Returns
        -------
        str
            How many trials, and the front where there is one.
        """
        states = self.trials["state"].value_counts()
        counted = ", ".join(f"{number} {str(state).lower()}" for state, number in states.items())
        lines = [f"Search: {counted}. Chosen: {self.settings}."]
        if self.front is not None:
            lines += [
                "No other settings tried were better in both; chosen: the smallest gap that keeps "
                f"{NEARLY_BEST:.0%} of the best average precision.",
                self.front.to_string(index=False, float_format="{:.3f}".format),
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.trials if self.front is None else self.front
        return table.to_html(index=False, float_format="{:.4f}".format)


def search_settings(
    X: pd.DataFrame,
    spine: pd.DataFrame,
    folds: Sequence[Fold],
    *,
    n_trials: int,
    random_state: int,
    make: Callable[..., RareOutcomeClassifier],
    storage: str | None = None,
    name: str = "search",
    groups: pd.DataFrame | None = None,
    capacity: int = 0,
) -> Search:
    """Search a small space, going on where an earlier search of the same name stopped.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features of the spine.
    spine : DataFrame
        ``pupil_id`` and ``as_of`` per row.
    folds : sequence of Fold
        Out-of-time folds.
    n_trials : int
        Settings tried in all, by all workers; the first is the default.
    random_state : int
        Seed; the same seed tries the same settings, with one worker.
    make : callable
        Settings → unfitted classifier.
    storage : str, optional
        Database address that keeps the trials; in memory where left out.
    name : str
        Name of the search in the storage.
    groups : DataFrame of shape (n_rows, n_characteristics), optional
        Where given, the largest recall gap between groups is a second aim; rows no fold tests may
        be missing. Trials are then not stopped early.
    capacity : int
        Places on a list, for the recall gap.

    Returns
    -------
    Search
        Settings, trials, front.

    Raises
    ------
    RequestError
        If the storage cannot be opened, or other workers are at all trials and none is finished.
    HistoryError
        If no fold holds an outcome, so that no settings are better than others.
    """
    import optuna

    if not any(fold.test_label.any() for fold in folds):
        raise HistoryError(
            f"None of the {len(folds)} lists that settings are tried on holds an outcome, so they cannot "
            "be compared. Train without --trials, or with a longer history."
        )
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study, place = _open_study(storage, name, two_aims=groups is not None)
    for _ in track(range(n_trials), "Searching settings"):
        if _place(study) >= n_trials:
            break
        trial = _draw(study, random_state)
        settings = {key: getattr(trial, how)(key, **space) for key, (how, space) in SPACE.items()}
        values = _try(
            trial if groups is None else None, X, spine, folds, make(**settings), groups, capacity
        )
        if values is None:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, values)
    complete = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    found = _result(study, groups is not None) if complete else None
    if place is not None:
        place.remove_session()
        place.engine.dispose()
    if found is None:
        raise RequestError(
            f"The {n_trials} trials of this search are all with other workers and none is finished yet. "
            "Run the same command again when they are done, or ask for more trials."
        )
    return found


def _open_study(storage: str | None, name: str, *, two_aims: bool) -> tuple[Any, Any]:
    """Open the trials made so far, and the database that keeps them, None in memory.

    Trials of dead workers are given up; the default settings come first in a new search.
    """
    import optuna

    directions: Any = ["maximize", "minimize"] if two_aims else ["maximize"]
    try:
        place = optuna.storages.RDBStorage(storage) if storage else None
        study = optuna.create_study(
            storage=place, study_name=name, load_if_exists=True, directions=directions,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5),
        )  # fmt: skip
        _fail_stale_trials(study)
    except Exception as error:  # any database's own errors
        raise RequestError(
            f"The search cannot be kept in {storage}: {str(error).splitlines()[0]}. Check the address."
        ) from error
    if not study.trials:
        default = RareOutcomeClassifier().get_params()
        study.enqueue_trial({setting: default[setting] for setting in SPACE}, skip_if_exists=True)
    return study, place


def _draw(study: Any, random_state: int) -> Any:
    """Begin a trial, with a seed of its own.

    What comes next then depends on the trials before it, not on whether one process did them all.
    """
    import optuna

    trial = study.ask()
    seed = np.random.SeedSequence([random_state, _place(study, trial.number)])
    study.sampler = optuna.samplers.TPESampler(seed=int(seed.generate_state(1)[0]))
    trial.set_user_attr("worker", _myself())
    return trial


def _place(study: Any, number: int | None = None) -> int:
    """Count the trials before a number that are finished or that live workers are at."""
    import optuna

    unused = (optuna.trial.TrialState.FAIL, optuna.trial.TrialState.WAITING)
    trials = study.get_trials(deepcopy=False)[:number]
    return sum(trial.state not in unused for trial in trials)


def _fail_stale_trials(study: Any) -> None:
    """Mark the trials of workers that are no more as failed, and sign on as a worker."""
    import optuna

    others = any(_lives(worker) for worker in study.user_attrs)
    for trial in study.get_trials(deepcopy=False):
        if trial.state != optuna.trial.TrialState.RUNNING:
            continue
        # a trial whose worker has not signed it yet may be any living worker's
        worker = trial.user_attrs.get("worker")
        if not (others if worker is None else _lives(worker)):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    study.set_user_attr(_myself(), "signed on")


def _myself() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def _lives(worker: str) -> bool:
    """Say whether a worker other than this process is at work; on other machines it is taken to be."""
    host, _, process = worker.rpartition(" ")
    if host != socket.gethostname():
        return True
    if int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _try(
    trial: Any,
    X: pd.DataFrame,
    spine: pd.DataFrame,
    folds: Sequence[Fold],
    model: RareOutcomeClassifier,
    groups: pd.DataFrame | None,
    capacity: int,
) -> list[float] | None:
    """Return mean average precision over the folds, and the recall gap; None where stopped early."""
    precisions: list[float] = []
    scores = []
    tested = [fold for fold in folds if fold.test_label.any()]
    for step, fold in enumerate(tested):
        fit_on(model, X, spine["pupil_id"], fold)
        scores.append(model.decision_function(X.iloc[fold.test]))
        precisions.append(average_precision(fold.test_label, scores[-1]))
        if trial is not None:
            trial.report(float(np.mean(precisions)), step)
            if trial.should_prune():
                return None
    if groups is None:
        return [float(np.mean(precisions))]
    rows = np.concatenate([fold.test for fold in tested])
    label = np.concatenate([fold.test_label for fold in tested])
    tested_rows = spine.iloc[rows]
    listed = is_listed(
        np.concatenate(scores),
        tested_rows["pupil_id"],
        places_on_lists(tested_rows, capacity),
        lists=tested_rows["as_of"],
    )
    gap = _largest_gap(groups.loc[rows], label, listed)
    return [float(np.mean(precisions)), gap]


def _largest_gap(
    groups: pd.DataFrame, label: NDArray[np.float64], listed: NDArray[np.bool_]
) -> float:
    """Return the largest recall gap of any characteristic, 0 where none can be compared."""
    gaps = [recall_gap(groups[name], label, listed) for name in groups]
    return max((gap for gap in gaps if not np.isnan(gap)), default=0.0)


def _result(study: Any, two_aims: bool) -> Search:
    rows = [
        {"trial": trial.number, "state": trial.state.name,
         "average_precision": trial.values[0] if trial.values else np.nan}
        | ({"recall_gap": trial.values[1] if trial.values else np.nan} if two_aims else {})
        | trial.params
        for trial in study.trials if trial.state.name != "WAITING"
    ]  # fmt: skip
    trials = pd.DataFrame(rows)
    if not two_aims:
        return Search(settings=dict(study.best_params), trials=trials)
    front = trials[trials["trial"].isin([trial.number for trial in study.best_trials])]
    front = front.sort_values("average_precision", ascending=False, ignore_index=True)
    kept = front[front["average_precision"] >= NEARLY_BEST * front["average_precision"].max()]
    best = int(kept.loc[kept["recall_gap"].idxmin(), "trial"])
    return Search(settings=dict(study.trials[best].params), trials=trials, front=front)
