"""Search for settings of the recipe, on out-of-time folds, that can be stopped and taken up again.

In:  an :class:`Objective`, what settings are judged by; a :class:`SearchPlan`.
Out: :class:`Search`: the settings that ranked best, every trial, and the front where two aims compete.

Trials are drawn by the tree-structured Parzen estimator [1]_, each from its own seed and the trials
before it, so that a search that was killed goes on as if it had not been.

References
----------
.. [1] Bergstra et al., "Algorithms for hyper-parameter optimization", NeurIPS 2011.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from riskmodel.training.study import begin_trial, opened_study, started_before

__all__ = ["Objective", "Search", "SearchPlan", "search_settings"]

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
class SearchPlan:
    """How long to search, what for, and where trials are kept.

    Attributes
    ----------
    n_trials : int
        Settings tried in all, by all workers; the first is the default.
    is_fair : bool
        Whether the smallest recall gap between groups is a second aim. Trials are then not stopped early.
    storage : str, optional
        Database address that keeps the trials, so that a search can be taken up again; in memory where
        left out.

    Raises
    ------
    RequestError
        If there is no trial to make.
    """

    n_trials: int
    is_fair: bool = False
    storage: str | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        """Refuse a search without trials."""
        if self.n_trials < 1:
            raise RequestError(f"A search needs at least one trial; got {self.n_trials}.")


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What settings are judged by: out-of-time lists, ranked by a classifier fitted before each.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Features of the spine.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id`` and ``as_of`` per row.
    folds : sequence of Fold
        Out-of-time folds; those that test an outcome count.
    make : callable
        Settings → unfitted classifier.
    groups : DataFrame of shape (n_grouped, n_characteristics)
        Groups of the tested rows, for the recall gap.
    capacity : int
        Places on a list, for the recall gap.
    """

    X: pd.DataFrame = field(repr=False)
    spine: pd.DataFrame = field(repr=False)
    folds: Sequence[Fold] = field(repr=False)
    make: Callable[..., RareOutcomeClassifier] = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    capacity: int

    @property
    def tested(self) -> list[Fold]:
        """The folds that test an outcome."""
        return [fold for fold in self.folds if fold.tests_an_outcome]

    def scores(self, settings: dict[str, Any]) -> Iterator[NDArray[np.float64]]:
        """Fit on one fold after the other, and score what each tests.

        Parameters
        ----------
        settings : dict
            Keyword arguments of the classifier.

        Yields
        ------
        float array of shape (n_test,)
            Scores of the test rows of the next of :attr:`tested`.
        """
        model = self.make(**settings)
        for fold in self.tested:
            fit_on(model, self.X, self.spine["pupil_id"], fold)
            yield model.decision_function(self.X.iloc[fold.test])

    def gap(self, scores: Sequence[NDArray[np.float64]]) -> float:
        """Return the largest recall gap between groups on the lists that scores make.

        Parameters
        ----------
        scores : sequence of float arrays of shape (n_test_rows,)
            One array per fold of :attr:`tested`.

        Returns
        -------
        float
            0 to 1; 0 where no characteristic can be compared.
        """
        rows = np.concatenate([fold.test for fold in self.tested])
        label = np.concatenate([fold.test_label for fold in self.tested])
        tested = self.spine.iloc[rows]
        listed = is_listed(
            np.concatenate(scores),
            tested["pupil_id"],
            places_on_lists(tested, self.capacity),
            lists=tested["as_of"],
        )
        known = ~np.isnan(label)
        return _largest_gap(self.groups.loc[rows[known]], label[known], listed[known])


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
    objective: Objective, plan: SearchPlan, *, name: str, random_state: int
) -> Search:
    """Search a small space, going on where an earlier search of the same name stopped.

    Parameters
    ----------
    objective : Objective
        What settings are judged by.
    plan : SearchPlan
        How long to search, what for, and where trials are kept.
    name : str
        Name of the search in the storage.
    random_state : int
        Seed; the same seed tries the same settings, with one worker.

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
    if not objective.tested:
        raise HistoryError(
            f"None of the {len(objective.folds)} lists that settings are tried on holds an outcome, so "
            "they cannot be compared. Train without --trials, or with a longer history."
        )
    usual = RareOutcomeClassifier().get_params()
    first = {setting: usual[setting] for setting in SPACE}
    with opened_study(plan.storage, name, is_fair=plan.is_fair, default=first) as study:
        for _ in track(range(plan.n_trials), "Searching settings"):
            if started_before(study) >= plan.n_trials:
                break
            _try_next(study, objective, plan, random_state)
        return _result(study, plan)


def _try_next(study: Any, objective: Objective, plan: SearchPlan, random_state: int) -> None:
    """Draw settings, try them, and note how they did."""
    import optuna

    trial = begin_trial(study, random_state)
    settings = {key: getattr(trial, how)(key, **space) for key, (how, space) in SPACE.items()}
    values = _try(trial, objective, settings, plan.is_fair)
    if values is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, values)


def _try(
    trial: Any, objective: Objective, settings: dict[str, Any], is_fair: bool
) -> list[float] | None:
    """Return mean average precision over the folds, and the recall gap; None where stopped early."""
    precisions: list[float] = []
    scores = []
    for step, score in enumerate(objective.scores(settings)):
        scores.append(score)
        label = objective.tested[step].test_label
        known = ~np.isnan(label)
        precisions.append(average_precision(label[known], score[known]))
        if not is_fair:
            trial.report(float(np.mean(precisions)), step)
            if trial.should_prune():
                return None
    mean = float(np.mean(precisions))
    return [mean, objective.gap(scores)] if is_fair else [mean]


def _largest_gap(
    groups: pd.DataFrame, label: NDArray[np.float64], listed: NDArray[np.bool_]
) -> float:
    """Return the largest recall gap of any characteristic, 0 where none can be compared."""
    gaps = [recall_gap(groups[name], label, listed) for name in groups]
    return max((gap for gap in gaps if not np.isnan(gap)), default=0.0)


def _result(study: Any, plan: SearchPlan) -> Search:
    """Choose the best settings, or the fairest of those that are nearly best."""
    import optuna

    if not study.get_trials(states=[optuna.trial.TrialState.COMPLETE]):
        raise RequestError(
            f"The {plan.n_trials} trials of this search are all with other workers and none is finished "
            "yet. Run the same command again when they are done, or ask for more trials."
        )
    trials = _trials(study, plan.is_fair)
    if not plan.is_fair:
        return Search(settings=dict(study.best_params), trials=trials)
    front = trials[trials["trial"].isin([trial.number for trial in study.best_trials])]
    front = front.sort_values("average_precision", ascending=False, ignore_index=True)
    kept = front[front["average_precision"] >= NEARLY_BEST * front["average_precision"].max()]
    best = int(kept.loc[kept["recall_gap"].idxmin(), "trial"])
    return Search(settings=dict(study.trials[best].params), trials=trials, front=front)


def _trials(study: Any, is_fair: bool) -> pd.DataFrame:
    """Return the trials in the order in which they were tried."""
    aims = ("average_precision", "recall_gap") if is_fair else ("average_precision",)
    rows = []
    for trial in study.trials:
        if trial.state.name != "WAITING":
            values = trial.values or [np.nan] * len(aims)
            measured = dict(zip(aims, values, strict=True))
            rows.append(
                {"trial": trial.number, "state": trial.state.name} | measured | trial.params
            )
    return pd.DataFrame(rows)
