"""Train, test on earlier lists, register.

In:  extracts; a run with its outcome and day.
Out: :class:`~riskmodel.jobs.training.Training`: a registered challenger and all that was measured.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.card import ModelCard
from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.drift import SCORE, profile
from riskmodel.evaluation.predictions import rankers_of
from riskmodel.fairness import GATED, ModelAudit, audit_model, groups_at
from riskmodel.jobs.champion import InUse, champion_in_use
from riskmodel.jobs.disparity import judged_gaps
from riskmodel.jobs.gates import Evidence, gates_for
from riskmodel.jobs.notes import calibrated_note, choice_note, notes_for
from riskmodel.jobs.past_levels import final_calibration
from riskmodel.jobs.reading import read_whole
from riskmodel.jobs.record import lineage, register
from riskmodel.jobs.rivals import (
    CHAMPION,
    FROM_CATALOGUE,
    Recipe,
    lines_of_points,
    predict_folds,
    recipe,
)
from riskmodel.jobs.run import Run
from riskmodel.jobs.sample import Sample, make_sample, places_of_lists, true_risks
from riskmodel.jobs.training import Training
from riskmodel.labels import horizon_end
from riskmodel.model import RiskModel
from riskmodel.report.policy_break_words import breaks_of_lists
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.calibrated import CalibratedEnsemble
from riskmodel.training.fitting import fit_on
from riskmodel.training.folds import Fold
from riskmodel.training.search import Objective, Search, SearchPlan, search_settings

__all__ = ["train"]

logger = logging.getLogger(__name__)

N_ORIGINS = 5
"""Origins of the backtest, at most."""

TODAYS_PRACTICE = (
    "suspensions last year",
    "RONI points",
    "months jobless so far",
    "vulnerable list",
)
"""Whose gaps the audit compares the model's with; the gate takes the first that is there."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A run whose day and capacity are settled, with the rows it learns from."""

    run: Run
    extract: Extract
    sample: Sample
    groups: pd.DataFrame
    """Audit groups of the tested rows, by row of the sample."""

    @property
    def capacity(self) -> int:
        assert self.run.capacity is not None
        return self.run.capacity

    @property
    def make(self) -> Callable[..., RareOutcomeClassifier]:
        return recipe(self.sample.X, self.run.seed)

    @property
    def held_back(self) -> list[Fold]:
        """Return the lists whose outcomes were all known when the newest list was made.

        Settings chosen on these alone leave the newest list as a test; none where history is too short.
        """
        if not self.sample.is_out_of_time:
            return []
        *earlier, newest = self.sample.folds
        ends = [end for _, end in self.tested_lists[:-1]]
        return [fold for fold, end in zip(earlier, ends, strict=True) if end <= newest.origin]

    @property
    def tested_lists(self) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
        """The day of each tested list, and the end of its horizon."""
        spine, outcome = self.sample.spine, self.run.outcome
        tested = [spine.iloc[fold.test] for fold in self.sample.folds]
        return [(one["as_of"].min(), horizon_end(one, outcome).max()) for one in tested]


@dataclass(frozen=True, kw_only=True)
class _Tested:
    """How the rankers did on the tested rows."""

    predictions: pd.DataFrame
    groups: pd.DataFrame
    backtest: Backtest
    audit: ModelAudit


def train(
    source: str | Path | Extract,
    run: Run,
    *,
    search: SearchPlan | None = None,
    n_origins: int = N_ORIGINS,
) -> Training:
    """Train, backtest and register a model with what was known on a day.

    Parameters
    ----------
    source : str, Path or Extract
        Extracts, or what was read of them.
    run : Run
        Outcome, store, day, capacity, seed, gates and points. Only facts recorded before the day are
        used, and only labels whose horizon had ended.
    search : SearchPlan, optional
        A search for settings; the default recipe where left out.
    n_origins : int
        Origins of the backtest, at most.

    Returns
    -------
    Training
        The model, registered with alias ``challenger``, and what was measured.

    Raises
    ------
    DataError
        If the extracts cannot be used, or a feature alone gives the outcome away (a leak).
    HistoryError
        If there is too little history or too few outcomes.
    RequestError
        If the capacity does not fit the lists, or the data end long before the day.
    ModelError
        If the registry cannot be written; this is found out before the work begins.
    """
    in_use = champion_in_use(run.registry) if run.registry.open() else InUse()
    extract = read_whole(source, run.settings.file)
    job = _prepare(extract, run, n_origins)
    found = None if search is None else _search(job, search)
    settings = {} if found is None else found.settings
    tested = _test(job, settings, in_use.model)
    notes = _notes(job, tested, is_searched=found is not None)
    made = Training(
        model=_final_model(job, settings, tested, notes),
        backtest=tested.backtest,
        gates=gates_for(run.gates, _evidence(job, tested, in_use)),
        notes=notes,
        audit=tested.audit,
        search=found,
    )
    return replace(made, version=register(made, job.run, in_use.version, job.sample.X))


def _prepare(extract: Extract, run: Run, n_origins: int) -> _Job:
    """Settle the day and the capacity, and make the sample."""
    today = resolve_as_of(extract.tables, run.outcome, run.as_of)
    refuse_old_extract(extract.tables, run.outcome, today)
    sample = make_sample(extract.tables, run.outcome, today, n_origins=n_origins)
    return _Job(
        run=replace(run, as_of=today, capacity=places_of_lists(sample, run.capacity)),
        extract=extract,
        sample=sample,
        groups=_groups(extract, sample),
    )


def _groups(extract: Extract, sample: Sample) -> pd.DataFrame:
    """Return the audit groups of the tested rows, by row of the sample."""
    rows = np.unique(np.concatenate([fold.test for fold in sample.folds]))
    groups = groups_at(extract.tables, sample.spine.iloc[rows].reset_index(drop=True))
    return groups.set_axis(rows, axis=0)


def _gated(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the characteristics that a gate and a fair search look at."""
    return groups[[name for name in groups if name in GATED]]


def _search(job: _Job, plan: SearchPlan) -> Search:
    """Search for settings on the lists that leave the newest as a test, if there are any."""
    run = job.run
    name = f"{run.outcome} {run.as_of:%Y-%m-%d} {job.extract.digest} seed {run.seed}"
    objective = Objective(
        X=job.sample.X,
        spine=job.sample.spine,
        folds=job.held_back or job.sample.folds,
        make=job.make,
        groups=_gated(job.groups),
        capacity=job.capacity,
    )
    return search_settings(
        objective,
        plan,
        name=f"{name} fair at {job.capacity}" if plan.is_fair else name,
        random_state=run.seed,
    )


def _test(job: _Job, settings: dict[str, Any], champion: RiskModel | None) -> _Tested:
    """Let every ranker rank the earlier lists, and compare and audit what they made."""
    sample, run = job.sample, job.run
    models = {"model": Recipe(lambda: job.make(**settings), list(sample.X.columns))}
    models |= _champions_recipe(job, settings, champion)
    truth = true_risks(job.extract.source, run.outcome, sample.spine)
    predictions = predict_folds(sample, models, truth, job.extract.tables, run.settings.points)
    groups = job.groups.loc[predictions["row"]].reset_index(drop=True)
    rankers = rankers_of(predictions)
    logger.info("Comparing %d rankers at a capacity of %d", len(rankers), job.capacity)
    backtest = compare(predictions, rankers=rankers, capacity=job.capacity, random_state=run.seed)
    backtest = replace(backtest, points=lines_of_points(sample))
    logger.info("Auditing %d characteristics", groups.shape[1])
    audit = audit_model(
        predictions,
        groups,
        capacity=job.capacity,
        practice=TODAYS_PRACTICE,
        random_state=run.seed,
    )
    return _Tested(predictions=predictions, groups=groups, backtest=backtest, audit=audit)


def _champions_recipe(
    job: _Job, settings: dict[str, Any], champion: RiskModel | None
) -> Mapping[str, Recipe]:
    """Return the champion's recipe as a ranker, unless it is the challenger's own."""
    if champion is None:
        return {}
    X = job.sample.X
    names = [name for name in champion.features if name in X]
    theirs = {k: v for k, v in champion.card.settings.items() if k != "random_state"}
    ours = {k: v for k, v in job.make(**settings).get_params().items() if k in theirs}
    if theirs == ours and list(champion.features) == list(X):
        return {}
    return {CHAMPION: Recipe(lambda: job.make(**theirs), names)}


def _notes(job: _Job, tested: _Tested, *, is_searched: bool) -> list[str]:
    """Return what a reader of the backtest must know; the first note is how it was measured."""
    sample, backtest = job.sample, tested.backtest
    how, *rest = notes_for(job.run.outcome, sample.is_out_of_time, backtest, sample.statuses)
    choice = [choice_note(backtest, is_held_out=bool(job.held_back))] if is_searched else []
    _, rests_on = final_calibration(sample, tested.predictions)
    breaks = breaks_of_lists(job.run.settings.policy_breaks, job.tested_lists)
    return [how, *breaks, *choice, *rest, calibrated_note(rests_on)]


def _final_model(
    job: _Job, settings: dict[str, Any], tested: _Tested, notes: list[str]
) -> RiskModel:
    """Return the model that is kept: the fit on all rows, calibrated on the tested lists."""
    sample = job.sample
    logger.info("Fitting the final model on %d rows", len(sample.final.train))
    fitted = fit_on(job.make(**settings), sample.X, sample.spine["pupil_id"], sample.final)
    learned, _ = final_calibration(sample, tested.predictions)
    score = learned.affine.apply(tested.predictions["model"].to_numpy())
    return RiskModel(
        outcome=job.run.outcome,
        features=tuple(sample.X.columns),
        calibrated=CalibratedEnsemble(
            ensemble=fitted.ensemble_, calibration=learned.affine, rate=learned.rate
        ),
        card=ModelCard(
            trained=lineage(job.extract, sample, job.run),
            settings={k: v for k, v in fitted.get_params().items() if k not in FROM_CATALOGUE},
            backtest=tested.backtest.to_dict(),
            audit=tested.audit.to_dict(),
            audit_note=notes[0],
            notes=notes,
            profile=_profile(sample, score, tested.predictions["as_of"]),
        ),
    )


def _profile(sample: Sample, score: NDArray[np.float64], days: pd.Series) -> dict[str, Any]:
    """Return the shape of each feature, and of the score, on the training lists."""
    drawn = sample.is_drawn
    shapes = profile(sample.X[drawn], sample.spine["as_of"][drawn])
    return shapes | profile(pd.DataFrame({SCORE: score}), days)


def _evidence(job: _Job, tested: _Tested, in_use: InUse) -> Evidence:
    """Return what the model is judged on."""
    return Evidence(
        extract=job.extract,
        backtest=tested.backtest,
        is_out_of_time=job.sample.is_out_of_time,
        gaps=_gaps(job, tested),
        champion_fault=in_use.fault,
    )


def _gaps(job: _Job, tested: _Tested) -> pd.DataFrame | None:
    """Compare gaps with what the challenger is to replace: the champion's recipe, else today's practice."""
    rankers = tested.predictions
    usual = next((name for name in (CHAMPION, *TODAYS_PRACTICE) if name in rankers), None)
    if usual is None:
        return None
    groups, seed = _gated(tested.groups), job.run.seed
    return judged_gaps(rankers, groups, usual, capacity=job.capacity, random_state=seed)
