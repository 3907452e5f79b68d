"""Train, test on earlier lists, register.

In:  extracts, an outcome, the day to stand on.
Out: :class:`Training`: a registered challenger and all that was measured.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.data.outcomes import outcome_of
from riskmodel.data.read import Extract, read
from riskmodel.display import html_list
from riskmodel.errors import ModelError, RequestError
from riskmodel.evaluation import Backtest, compare
from riskmodel.evaluation.drift import SCORE, profile
from riskmodel.evaluation.predictions import rankers_of
from riskmodel.fairness import GATED, ModelAudit, audit_model, groups_at
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.gates import Evidence, gates_for, judged_gaps
from riskmodel.jobs.notes import choice_note, notes_for
from riskmodel.jobs.record import lineage, register
from riskmodel.jobs.rivals import CHAMPION, predict_folds, recipe
from riskmodel.jobs.sample import Sample, make_sample, true_risks
from riskmodel.jobs.settings import Settings
from riskmodel.labels import horizon_end
from riskmodel.model import RiskModel
from riskmodel.simulate import preset_of
from riskmodel.training import registry
from riskmodel.training.affine_calibration import fit_affine
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.calibrated import CalibratedEnsemble
from riskmodel.training.fitting import fit_on
from riskmodel.training.folds import Fold
from riskmodel.training.gate_answers import GateAnswer
from riskmodel.training.search import Search, search_settings

__all__ = ["Training", "train"]

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
class Training:
    """What a training run made.

    Attributes
    ----------
    model : RiskModel
        The model.
    version : str
        Its number in the registry.
    backtest : Backtest
        How it ranked beside the baselines.
    gates : tuple of GateAnswer
        How the model did at each gate.
    notes : list of str
        What a reader of the table must know, in plain sentences.
    audit : ModelAudit
        Whom the lists found, by group; small counts are not suppressed here, but are in the model.
    search : Search, optional
        What a search tried.
    """

    model: RiskModel
    version: str
    backtest: Backtest
    gates: tuple[GateAnswer, ...]
    notes: list[str]
    audit: ModelAudit = field(repr=False)
    search: Search | None = field(repr=False, default=None)

    def text(self) -> str:
        """Return what a person reads after a training run.

        Returns
        -------
        str
            The backtest's table, the notes, and the gates.
        """
        gates = "\n".join(f"  {answer.code}: {answer.text()}" for answer in self.gates)
        return "\n".join(
            [
                self._headline(),
                *([self.search.text()] if self.search else []),
                self.backtest.text(),
                *self.notes,
                "Gates:",
                gates,
            ]
        )

    def _headline(self) -> str:
        banner = "SIMULATED DATA. " if self.model.card["trained"]["simulated"] else ""
        return f"{banner}Outcome {self.model.outcome}, version {self.version}, alias challenger."

    def _repr_html_(self) -> str:
        told = [note for note in self.notes if note != self.backtest.recommendation()]
        passed = [answer.title for answer in self.gates if answer.result == "passed"]
        gates = [f"Gates passed: {', '.join(passed) or 'none'}."]
        gates += [
            f"Gate {answer.title}: {answer.text()}"
            for answer in self.gates
            if answer.result != "passed"
        ]
        lists = [html_list(sentences) for sentences in ([self._headline()], told, gates)]
        return lists[0] + self.backtest._repr_html_() + lists[1] + lists[2]


def train(
    source: str | Path,
    outcome: str,
    *,
    tracking: str,
    as_of: pd.Timestamp | None = None,
    capacity: int | None = None,
    n_trials: int = 0,
    fair: bool = False,
    storage: str | None = None,
    n_origins: int = N_ORIGINS,
    seed: int = 0,
    settings: Settings | None = None,
    extract: Extract | None = None,
) -> Training:
    """Train, backtest and register a model, standing on a day.

    Parameters
    ----------
    source : str or Path
        Extracts.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`.
    tracking : str
        MLflow tracking address.
    as_of : Timestamp, optional
        The day to stand on: only facts recorded before it, only labels whose horizon had ended.
        The latest snapshot day of the data where left out; how far beyond the data it may lie says
        :func:`riskmodel.cohort.resolve_as_of`.
    capacity : int, optional
        Pupils listed in the backtest; a stated share of the cohort where left out.
    n_trials : int
        Settings tried in a search; 0 keeps the default recipe.
    fair : bool
        Whether the search also aims at the smallest recall gap between groups.
    storage : str, optional
        Database address that keeps the trials of a search, so that it can be taken up again.
    n_origins : int
        Origins of the backtest, at most.
    seed : int
        Seed.
    settings : Settings, optional
        Gates and points; the defaults where left out.
    extract : Extract, optional
        What :func:`riskmodel.data.read.read` made of ``source``, if it was read before.

    Returns
    -------
    Training
        The model, registered with alias ``challenger``, and what was measured.

    Raises
    ------
    DataError
        If the extracts cannot be used, or a feature tells the outcome (a leak).
    HistoryError
        If there is too little history or too few outcomes.
    RequestError
        If the capacity does not fit the lists, or the data end long before the day.
    ModelError
        If the registry cannot be written; this is found out before the work begins.
    """
    settings = settings or Settings()
    is_new = not registry.open_store(outcome, tracking=tracking)
    in_use, champion, trouble = (None, None, "") if is_new else _champion(outcome, tracking)
    extract = extract or read(source)
    today = resolve_as_of(extract.tables, outcome, as_of)
    refuse_old_extract(extract.tables, outcome, today)
    sample = make_sample(extract.tables, outcome, today, n_origins=n_origins)
    capacity = _capacity(capacity, outcome, sample)
    make = recipe(sample.X, seed)
    groups = _groups(extract, sample)
    searched, search = _searched(sample, outcome), None
    if n_trials:
        name = f"{outcome} {today:%Y-%m-%d} {extract.digest} seed {seed}"
        search = search_settings(
            sample.X, sample.spine, searched or sample.folds, n_trials=n_trials,
            random_state=seed, make=make, storage=storage, groups=_gated(groups) if fair else None,
            capacity=capacity, name=f"{name} fair at {capacity}" if fair else name,
        )  # fmt: skip
    chosen = search.settings if search else {}
    models = {"model": (lambda: make(**chosen), list(sample.X))} | _rival_champion(
        champion, sample, make, chosen
    )
    truth = true_risks(source, outcome, sample.spine)
    predictions = predict_folds(sample, models, truth, extract.tables, settings.points)
    backtest = _compare(predictions, capacity, seed)
    tested = groups.loc[predictions["row"]].reset_index(drop=True)
    audit = _audit(predictions, tested, capacity, seed)
    notes = notes_for(outcome, sample.is_out_of_time, backtest, sample.statuses)
    if search is not None:
        notes.insert(1, choice_note(backtest, is_held_out=bool(searched)))
    final = _fit(sample, make(**chosen))
    trained = lineage(source, extract, today, sample, preset_of(source) is not None, seed)
    card = _card(trained, final, backtest, audit, notes)
    model = _calibrated(outcome, sample, predictions, final, card)
    evidence = Evidence(
        extract=extract,
        backtest=backtest,
        is_out_of_time=sample.is_out_of_time,
        gaps=_gaps(predictions, _gated(tested), capacity, seed),
        is_champions_recipe=champion is not None and CHAMPION not in predictions,
        champion_fault=trouble,
    )
    answers = gates_for(settings.gates(outcome), evidence)
    number = register(model, backtest, settings, answers, in_use, tracking, search, sample.X)
    return Training(model=model, version=number, backtest=backtest, gates=answers, notes=notes,
                    audit=audit, search=search)  # fmt: skip


def _champion(outcome: str, tracking: str) -> tuple[str | None, RiskModel | None, str]:
    """Return the version in use and its model, or why that cannot be read."""
    version = registry.version_of(outcome, "champion", tracking=tracking)
    if version is None:
        return None, None, ""
    uri = registry.address(outcome, version)
    try:
        return version, load_model(outcome, tracking=tracking, model_uri=uri)[0], ""
    except ModelError as error:
        trouble = f"the champion in use (version {version}) cannot be read: {error}"
        logger.warning("Nothing is compared with it: %s", trouble)
        return version, None, trouble


def _rival_champion(
    champion: RiskModel | None, sample: Sample, make: Any, chosen: dict[str, Any]
) -> dict[str, Any]:
    """Return the champion's recipe as a ranker, unless it is the challenger's own."""
    if champion is None:
        return {}
    names = [name for name in champion.features if name in sample.X]
    theirs = {k: v for k, v in champion.card["settings"].items() if k != "random_state"}
    ours = {k: v for k, v in make(**chosen).get_params().items() if k in theirs}
    if theirs == ours and names == list(sample.X):
        return {}
    return {CHAMPION: (lambda: make(**theirs), names)}


def _gaps(
    predictions: pd.DataFrame, groups: pd.DataFrame, capacity: int, seed: int
) -> pd.DataFrame | None:
    """Compare gaps with what the challenger is to replace: the champion's recipe, else today's practice."""
    usual = next((name for name in (CHAMPION, *TODAYS_PRACTICE) if name in predictions), None)
    if usual is None:
        return None
    return judged_gaps(predictions, groups, usual, capacity=capacity, random_state=seed)


def _capacity(wanted: int | None, outcome: str, sample: Sample) -> int:
    """Return the places on a whole list: as asked for, or the outcome's usual share of the cohort."""
    sizes = [
        len(fold.test) / sample.spine["share_of_list"].iloc[fold.test].mean()
        for fold in sample.folds if len(fold.test)
    ]  # fmt: skip
    n_cohort = round(max(sizes) if sample.is_out_of_time else sum(sizes))
    if wanted is None:
        return outcome_of(outcome).usual_capacity(n_cohort)
    if not 1 <= wanted <= n_cohort:
        raise RequestError(
            f"The capacity must be between 1 and the {n_cohort} pupils of a list; got {wanted}. "
            "Choose the number of pupils the service can see."
        )
    return wanted


def _searched(sample: Sample, outcome: str) -> list[Fold]:
    """Return the lists whose outcomes were all known when the newest list was made.

    Settings chosen on these alone leave the newest list as a test; none where history is too short.
    """
    if not sample.is_out_of_time:
        return []
    *earlier, newest = sample.folds
    ended = (horizon_end(sample.spine.iloc[fold.test], outcome).max() for fold in earlier)
    return [fold for fold, end in zip(earlier, ended, strict=True) if end <= newest.origin]


def _groups(extract: Extract, sample: Sample) -> pd.DataFrame:
    """Return the audit groups of the tested rows, by row of the sample."""
    rows = np.unique(np.concatenate([fold.test for fold in sample.folds]))
    groups = groups_at(extract.tables, sample.spine.iloc[rows].reset_index(drop=True))
    return groups.set_axis(rows, axis=0)


def _gated(groups: pd.DataFrame) -> pd.DataFrame:
    """Return the characteristics that a gate and a fair search look at."""
    return groups[[name for name in groups if name in GATED]]


def _compare(predictions: pd.DataFrame, capacity: int, seed: int) -> Backtest:
    """Compare all rankers at the capacity."""
    rankers = rankers_of(predictions)
    logger.info("Comparing %d rankers at a capacity of %d", len(rankers), capacity)
    return compare(predictions, rankers=rankers, capacity=capacity, random_state=seed)


def _audit(predictions: pd.DataFrame, tested: pd.DataFrame, capacity: int, seed: int) -> ModelAudit:
    """Say whom the lists found, by group."""
    logger.info("Auditing %d characteristics", tested.shape[1])
    return audit_model(
        predictions, tested, capacity=capacity, practice=TODAYS_PRACTICE, random_state=seed
    )


def _card(
    trained: dict[str, Any],
    final: RareOutcomeClassifier,
    backtest: Backtest,
    audit: ModelAudit,
    notes: list[str],
) -> dict[str, Any]:
    """Return what a model carries of its making, JSON-ready; small counts of the audit are suppressed."""
    return {
        "trained": trained,
        "settings": {k: v for k, v in final.get_params().items() if k != "monotone"},
        "backtest": backtest.to_dict(),
        "audit": audit.to_dict(),
        "audit_note": notes[0],
        "notes": notes,
    }


def _calibrated(
    outcome: str,
    sample: Sample,
    predictions: pd.DataFrame,
    final: RareOutcomeClassifier,
    card: dict[str, Any],
) -> RiskModel:
    """Return the model that is kept: the fit on all rows, its level learned out of time."""
    calibration = fit_affine(predictions["model"], predictions["label"])
    drawn = sample.is_drawn
    score = pd.DataFrame({SCORE: calibration.apply(predictions["model"].to_numpy())})
    shape = profile(sample.X[drawn], sample.spine["as_of"][drawn])
    return RiskModel(
        outcome=outcome,
        features=tuple(sample.X.columns),
        calibrated=CalibratedEnsemble(ensemble=final.ensemble_, calibration=calibration),
        card=card | {"profile": shape | profile(score, predictions["as_of"])},
    )


def _fit(sample: Sample, model: RareOutcomeClassifier) -> RareOutcomeClassifier:
    """Fit the model that is kept."""
    fold = sample.final
    logger.info("Fitting the final model on %d rows", len(fold.train))
    return fit_on(model, sample.X, sample.spine["pupil_id"], fold)
