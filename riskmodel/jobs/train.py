"""Train, test on earlier lists, register.

In:  extracts, an outcome, the day to stand on.
Out: :class:`Training`: a registered challenger and all that was measured.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.cohort import default_as_of
from riskmodel.data.read import Extract, read
from riskmodel.evaluation import Backtest, compare
from riskmodel.fairness import groups_at
from riskmodel.jobs.judge import gates_for, lineage, metrics_of, notes_for, recall_records
from riskmodel.jobs.rivals import predict_folds, recipe
from riskmodel.jobs.sample import Sample, make_sample, true_risks
from riskmodel.model import RiskModel
from riskmodel.simulate import preset_of
from riskmodel.training import registry
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.calibration import fit_affine
from riskmodel.training.folds import pupil_folds, rolling_folds
from riskmodel.training.search import search_settings

__all__ = ["Training", "train"]

logger = logging.getLogger(__name__)

CAPACITY_SHARE = {"pex": 0.01, "neet": 0.05, "neet-post16": 0.1}
"""Share of the cohort listed where no capacity is given."""

N_ORIGINS = 3
"""Origins of the backtest."""


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
    gates : dict of str to str
        Gate → ``"passed"`` or the reason why it failed.
    notes : list of str
        What a reader of the table must know, in plain sentences.
    """

    model: RiskModel
    version: str
    backtest: Backtest
    gates: dict[str, str]
    notes: list[str]

    def text(self) -> str:
        """Return what a person reads after a training run.

        Returns
        -------
        str
            The backtest's table, the notes, and the gates.
        """
        gates = "\n".join(f"  {name}: {answer}" for name, answer in self.gates.items())
        banner = "SIMULATED DATA. " if self.model.card["trained"]["simulated"] else ""
        return "\n".join(
            [
                f"{banner}Outcome {self.model.outcome}, version {self.version}, alias challenger.",
                self.backtest.text(),
                *self.notes,
                "Gates:",
                gates,
            ]
        )


def train(
    source: str | Path,
    outcome: str,
    *,
    tracking: str,
    as_of: pd.Timestamp | None = None,
    capacity: int | None = None,
    n_trials: int = 0,
    seed: int = 0,
    extract: Extract | None = None,
) -> Training:
    """Train, backtest and register a model, standing on a day.

    Parameters
    ----------
    source : str or Path
        Extracts.
    outcome : str
        ``"pex"``, ``"neet"`` or ``"neet-post16"``.
    tracking : str
        MLflow tracking address.
    as_of : Timestamp, optional
        The day to stand on: only facts recorded before it, only labels whose horizon had ended.
        The latest snapshot day of the data where left out.
    capacity : int, optional
        Pupils listed in the backtest; a stated share of the cohort where left out.
    n_trials : int
        Settings tried in a search; 0 keeps the default recipe.
    seed : int
        Seed.
    extract : Extract, optional
        What :func:`riskmodel.data.read.read` made of ``source``, if it was read before.

    Returns
    -------
    Training
        The model, registered with alias ``challenger``, and what was measured.

    Raises
    ------
    DataError
        If the extracts cannot be used.
    HistoryError
        If there is too little history or too few outcomes.
    ModelError
        If the registry cannot be written.
    """
    extract = extract or read(source)
    today = as_of or default_as_of(extract.tables, outcome)
    sample = make_sample(extract.tables, outcome, today)
    truth = true_risks(source, outcome, sample.spine)
    folds = rolling_folds(sample.spine, sample.label_at, known_by=today, n_origins=N_ORIGINS)
    out_of_time = bool(folds)
    folds = folds or pupil_folds(sample.spine, sample.labels["label"].to_numpy())
    make = recipe(sample.X, seed)
    settings = search_settings(sample.X, sample.spine, folds, n_trials=n_trials,
                               random_state=seed, make=make) if n_trials else {}  # fmt: skip
    predictions = predict_folds(sample, folds, lambda: make(**settings), truth, extract.tables)
    backtest = _compare(predictions, outcome, capacity, seed)
    notes = notes_for(outcome, out_of_time, backtest, sample.labels, predictions)
    final = _fit(sample, make(**settings))
    groups = groups_at(extract.tables, sample.spine.loc[predictions["row"]].reset_index(drop=True))
    model = RiskModel(
        outcome=outcome,
        features=tuple(sample.X.columns),
        ensemble=final.ensemble_,
        calibration=fit_affine(predictions["model"], predictions["label"]),
        card={
            "trained": lineage(
                extract, today, sample, preset_of(source) is not None, out_of_time, seed
            ),
            "settings": {k: v for k, v in final.get_params().items() if k != "monotone"},
            "backtest": backtest.to_dict(),
            "recall": recall_records(predictions, groups, backtest.counts["capacity"]),
            "recall_note": notes[0],
            "notes": notes,
        },
    )
    gates = gates_for(extract, backtest, out_of_time)
    number = _register(model, backtest, gates, tracking, sample.X.head(1))
    return Training(model=model, version=number, backtest=backtest, gates=gates, notes=notes)


def _compare(predictions: pd.DataFrame, outcome: str, capacity: int | None, seed: int) -> Backtest:
    """Compare all rankers at the capacity asked for, or at the outcome's usual one."""
    rankers = [
        str(name) for name in predictions if name not in {"pupil_id", "as_of", "label", "row"}
    ]
    n_cohort = int(predictions.groupby("as_of", observed=True).size().max())
    capacity = min(capacity or max(1, round(CAPACITY_SHARE[outcome] * n_cohort)), n_cohort)
    logger.info("Comparing %d rankers at a capacity of %d", len(rankers), capacity)
    return compare(predictions, rankers=rankers, capacity=capacity, random_state=seed)


def _fit(sample: Sample, model: RareOutcomeClassifier) -> RareOutcomeClassifier:
    """Fit on every labelled row."""
    outcome = sample.labels["label"].to_numpy(dtype=float)
    rows = np.flatnonzero(~np.isnan(outcome))
    logger.info("Fitting the final model on %d rows", len(rows))
    return model.fit(sample.X.iloc[rows], outcome[rows], sample.spine["pupil_id"].iloc[rows])


def _register(
    model: RiskModel,
    backtest: Backtest,
    gates: dict[str, str],
    tracking: str,
    example: pd.DataFrame,
) -> str:
    """Log the model with all that was measured; return its version."""
    trained = model.card["trained"]
    capacity = {"as_of": trained["trained_as_of"], "capacity": backtest.counts["capacity"]}
    with tempfile.TemporaryDirectory() as temporary:
        logger.info("Registering the model")
        return registry.log_version(
            model.save(Path(temporary) / "model"),
            outcome=model.outcome,
            tracking=tracking,
            parameters=model.card["settings"] | capacity,
            metrics=metrics_of(backtest),
            tags={f"gate.{name}": answer for name, answer in gates.items()}
            | {"data_digest": trained["training_data_digest"]},
            texts={"backtest.txt": backtest.text(), "notes.txt": "\n".join(model.card["notes"])},
            example=example,
        )
