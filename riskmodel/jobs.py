"""The whole jobs behind the commands: train, promote, list, demo.

In:  a folder of extracts, an outcome, a day, a capacity.
Out: a registered model with its backtest; a folder with the list.
"""

from __future__ import annotations

import logging
import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import build_spine, default_as_of, snapshots
from riskmodel.data import Tables
from riskmodel.data.check import check
from riskmodel.data.read import Extract, read
from riskmodel.errors import HistoryError, ModelError, RequestError
from riskmodel.evaluation import Backtest, compare, fit_logistic, simple_rankers
from riskmodel.fairness import audit_recall, groups_at
from riskmodel.features import CATALOGUE, build
from riskmodel.model import RiskModel
from riskmodel.outcomes import count_status, horizon_end, label, policy
from riskmodel.progress import track
from riskmodel.ranking import rank
from riskmodel.report import write_list
from riskmodel.simulate import Preset, simulate, write_simulated
from riskmodel.training import registry
from riskmodel.training.boosting import RareOutcomeClassifier
from riskmodel.training.calibration import fit_affine
from riskmodel.training.folds import MINIMUM_POSITIVE_PUPILS, Fold, pupil_folds, rolling_folds
from riskmodel.training.search import search_settings

__all__ = ["Training", "make_list", "promote", "run_demo", "train"]

logger = logging.getLogger(__name__)

CAPACITY_SHARE = {"pex": 0.01, "neet": 0.05, "neet-post16": 0.1}
"""Share of the cohort listed where no capacity is given."""

DEMO_PRESET: Preset = "bcp"
"""Levels of the simulated LA: those of the inquiry that asked for such a list."""

N_ORIGINS = 3
"""Origins of the backtest."""

CEILING = "true risk (ceiling)"
"""Ranker that knows the simulator's true risks."""


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


@dataclass(frozen=True)
class _Sample:
    """The labelled rows, their features and how to label them on an earlier day."""

    spine: pd.DataFrame
    labels: pd.DataFrame
    X: pd.DataFrame
    label_at: Callable[[pd.Timestamp], NDArray[np.float64]]


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
    tables = extract.tables
    today = as_of or default_as_of(tables, outcome)
    sample = _make_sample(tables, outcome, today)
    truth = _true_risks(source, outcome, sample.spine)
    positives = sample.spine["pupil_id"][sample.labels["label"].to_numpy() == 1].nunique()
    if positives < MINIMUM_POSITIVE_PUPILS:
        raise HistoryError(
            f"Only {positives} pupils had the outcome {outcome} with a horizon that ended by "
            f"{today:%Y-%m-%d}; at least {MINIMUM_POSITIVE_PUPILS} are needed. Stand on a later day "
            "or add earlier years."
        )
    folds = rolling_folds(sample.spine, sample.label_at, known_by=today, n_origins=N_ORIGINS)
    out_of_time = bool(folds)
    folds = folds or pupil_folds(sample.spine, sample.labels["label"].to_numpy())
    make = _recipe(sample.X, seed)
    settings = (
        search_settings(
            sample.X, sample.spine, folds, n_trials=n_trials, random_state=seed, make=make
        )
        if n_trials
        else {}
    )
    predictions = _predict_folds(sample, folds, lambda: make(**settings), truth, tables)
    rankers = [
        str(name) for name in predictions if name not in {"pupil_id", "as_of", "label", "row"}
    ]
    n_cohort = predictions.groupby("as_of", observed=True).size().max()
    capacity = min(capacity or max(1, round(CAPACITY_SHARE[outcome] * n_cohort)), int(n_cohort))
    logger.info("Comparing %d rankers at a capacity of %d", len(rankers), capacity)
    backtest = compare(predictions, rankers=rankers, capacity=capacity, random_state=seed)

    logger.info("Fitting the final model on %d rows", int(sample.labels["label"].notna().sum()))
    rows = np.flatnonzero(sample.labels["label"].notna())
    final = make(**settings).fit(
        sample.X.iloc[rows],
        sample.labels["label"].to_numpy()[rows],
        sample.spine["pupil_id"].iloc[rows],
    )
    groups = groups_at(tables, sample.spine.loc[predictions["row"]].reset_index(drop=True))
    notes = _notes(outcome, out_of_time, backtest, sample.labels)
    model = RiskModel(
        outcome=outcome,
        features=tuple(sample.X.columns),
        ensemble=final.ensemble_,
        calibration=fit_affine(predictions["model"], predictions["label"]),
        card={
            "trained": _lineage(extract, today, sample, truth is not None, out_of_time, seed),
            "settings": {k: v for k, v in final.get_params().items() if k != "monotone"},
            "backtest": backtest.to_dict(),
            "recall": _recall_records(predictions, groups, capacity),
            "recall_note": notes[0],
            "notes": notes,
        },
    )
    gates = _gates(extract, backtest, out_of_time)
    with tempfile.TemporaryDirectory() as temporary:
        logger.info("Registering the model")
        number = registry.log_version(
            model.save(Path(temporary) / "model"),
            outcome=outcome,
            tracking=tracking,
            parameters=model.card["settings"]
            | {"as_of": f"{today:%Y-%m-%d}", "capacity": capacity},
            metrics=_metrics(backtest),
            tags={f"gate.{name}": answer for name, answer in gates.items()}
            | {"data_digest": extract.digest},
            texts={"backtest.txt": backtest.text(), "notes.txt": "\n".join(notes)},
            example=sample.X.head(1),
        )
    return Training(model=model, version=number, backtest=backtest, gates=gates, notes=notes)


def _make_sample(tables: Tables, outcome: str, today: pd.Timestamp) -> _Sample:
    """Build the spine of every snapshot whose horizon has ended, its labels and features."""
    spine = build_spine(tables, snapshots(tables, outcome, before=today), outcome)
    ended = (horizon_end(spine, outcome) <= today).to_numpy()
    spine = spine[ended].reset_index(drop=True)
    if spine.empty:
        raise HistoryError(
            f"No list made before {today:%Y-%m-%d} has an outcome horizon that ended by then, so "
            f"there is nothing to train {outcome} on. Stand on a later day or add earlier years."
        )
    labels = label(tables, spine, outcome, known_by=today)
    logger.info("Building features for %d pupil snapshots", len(spine))
    X = build(tables, spine)
    first = X.iloc[0]
    varies = (X.ne(first) & ~(X.isna() & first.isna())).any()

    def label_at(day: pd.Timestamp) -> NDArray[np.float64]:
        return label(tables, spine, outcome, known_by=day)["label"].to_numpy(dtype=float)

    return _Sample(spine, labels, X.loc[:, varies], label_at)


def _recipe(X: pd.DataFrame, seed: int) -> Callable[..., RareOutcomeClassifier]:
    directions = {str(name): CATALOGUE[str(name)].direction for name in X if name in CATALOGUE}

    def make(**settings: Any) -> RareOutcomeClassifier:
        return RareOutcomeClassifier(monotone=directions, random_state=seed, **settings)

    return make


def _predict_folds(
    sample: _Sample,
    folds: list[Fold],
    make: Callable[[], RareOutcomeClassifier],
    truth: NDArray[np.float64] | None,
    tables: Tables,
) -> pd.DataFrame:
    """Return label and the score of every ranker for the test rows of every fold."""
    pupils = sample.spine["pupil_id"]
    parts = []
    for fold in track(folds, "Backtest"):
        logger.info("Backtest: list of %s", f"{fold.origin:%Y-%m-%d}")
        train, test = sample.X.iloc[fold.train], sample.X.iloc[fold.test]
        model = make().fit(train, fold.train_label, pupils.iloc[fold.train])
        part = pd.DataFrame(
            {
                "pupil_id": pupils.iloc[fold.test].to_numpy(),
                "as_of": sample.spine["as_of"].iloc[fold.test].to_numpy(),
                "label": fold.test_label,
                "row": fold.test,
                "model": model.decision_function(test),
                "logistic regression": fit_logistic(train, fold.train_label, test),
            }
        )
        eal = _additional_language(tables, part["pupil_id"])
        for name, score in simple_rankers(test.assign(eal=eal)).items():
            part[name] = score
        if truth is not None:
            part[CEILING] = truth[fold.test]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _additional_language(tables: Tables, pupils: pd.Series) -> NDArray[np.float64]:
    """Return 1 for English as an additional language: a point of RONI, never a model input."""
    english = {"ENG", "ENB", "NOT", "REF", "ZZZ"}  # DfE: these do not count as EAL
    language = tables["pupils"].set_index("pupil_id")["first_language"].reindex(pupils)
    return (language.notna() & ~language.isin(english)).to_numpy().astype(float)


def _true_risks(
    source: str | Path, outcome: str, spine: pd.DataFrame
) -> NDArray[np.float64] | None:
    """Return the simulator's true risk of every row, where the data are simulated."""
    path = Path(source) / "truth" / "true_risk.parquet"
    if not path.is_file():
        return None
    truth = pd.read_parquet(path)
    truth = truth[truth["outcome"] == outcome]
    if truth.empty:
        return np.full(len(spine), np.nan)
    keys = pd.MultiIndex.from_arrays([truth["pupil_id"].astype("str"), truth["as_of"]])
    wanted = pd.MultiIndex.from_arrays([spine["pupil_id"].astype("str"), spine["as_of"]])
    return pd.Series(truth["risk"].to_numpy(), index=keys).reindex(wanted).to_numpy(dtype=float)


def _recall_records(
    predictions: pd.DataFrame, groups: pd.DataFrame, capacity: int
) -> list[dict[str, Any]]:
    """Audit whom the backtest's lists found, origins pooled."""
    place = predictions.groupby("as_of", observed=True)["model"].rank(
        ascending=False, method="first"
    )
    selected = (place <= capacity).to_numpy()
    table = audit_recall(groups, predictions["label"].to_numpy(), selected)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _notes(outcome: str, out_of_time: bool, backtest: Backtest, labels: pd.DataFrame) -> list[str]:
    how = (
        f"Measured on {backtest.counts['origins']} earlier lists, each made with what was known then."
        if out_of_time
        else "History is too short for lists made earlier: measured by cross-validation over pupils "
        "instead, which says less about next year."
    )
    states = ", ".join(
        f"{str(row['status']).replace('_', ' ')} {row['rows']}"
        for row in count_status(labels).to_dict("records")
        if row["rows"]
    )
    return [how, policy(outcome), f"Labels (rows): {states}.", backtest.recommendation()]


def _gates(extract: Extract, backtest: Backtest, out_of_time: bool) -> dict[str, str]:
    """Judge the challenger by the gates that ``promote`` asks for."""
    rejected = extract.reconciliation["rows_rejected"].sum()
    rows = max(1, int(extract.reconciliation["rows_read"].sum()))
    answers = {
        "out_of_time": "passed" if out_of_time else "failed: no list made earlier could be tested",
        "data": "passed"
        if rejected / rows <= 0.01
        else f"failed: {rejected} of {rows} rows were set aside, more than 1%",
    }
    for row in backtest.differences.to_dict("records"):
        ranker, gap = str(row["ranker"]), float(row["average_precision"])
        if ranker in {"logistic regression", "RONI points", "months jobless so far"}:
            answers[f"not_below_{ranker.replace(' ', '_')}"] = (
                f"failed: average precision is lower by {-gap:.3f}, beyond noise"
                if row["average_precision_high"] < 0
                else "passed"
            )
    return answers


def _metrics(backtest: Backtest) -> dict[str, float]:
    names = ("average_precision", "precision_at_capacity", "recall_at_capacity", "roc_auc")
    return {
        f"{ranker}.{name}".replace(" ", "_").replace("(", "").replace(")", ""): float(value)
        for ranker, *values in backtest.table[["ranker", *names]].itertuples(index=False)
        for name, value in zip(names, values, strict=True)
        if np.isfinite(value)
    }


def _lineage(
    extract: Extract,
    today: pd.Timestamp,
    sample: _Sample,
    simulated: bool,
    out_of_time: bool,
    seed: int,
) -> dict[str, Any]:
    outcome = sample.labels["label"]
    return {
        "trained_as_of": f"{today:%Y-%m-%d}",
        "training_rows": int(outcome.notna().sum()),
        "training_pupils": int(sample.spine["pupil_id"][outcome.notna()].nunique()),
        "training_pupils_with_outcome": int(sample.spine["pupil_id"][outcome == 1].nunique()),
        "training_data_digest": extract.digest,
        "evaluated": "out of time" if out_of_time else "cross-validated over pupils",
        "simulated": simulated,
        "seed": seed,
        "versions": {
            name: version(name) for name in ("riskmodel", "numpy", "pandas", "scikit-learn")
        }
        | {"python": platform.python_version()},
    }


def promote(outcome: str, *, tracking: str, number: str | None = None) -> str:
    """Put a version to use as champion, if it passed its gates.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.
    number : str, optional
        Version; the challenger where left out.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there is no such version, or a gate was failed; the message says which.
    """
    chosen = number or registry.version_of(outcome, "challenger", tracking=tracking)
    if chosen is None:
        raise ModelError(f"There is no model for {outcome} in {tracking}. Train one first.")
    tags = registry.version_tags(outcome, chosen, tracking=tracking)
    gates = {name: answer for name, answer in tags.items() if name.startswith("gate.")}
    failed = [f"{n.removeprefix('gate.')} ({a})" for n, a in gates.items() if a != "passed"]
    if failed or not gates:
        raise ModelError(
            f"Version {chosen} for {outcome} is not promoted: "
            f"{'; '.join(failed) or 'it carries no gates'}. The champion stays as it was. "
            "Not deploying is a good answer; add history or look at the backtest."
        )
    registry.set_alias(outcome, "champion", chosen, tracking=tracking)
    return chosen


def make_list(
    source: str | Path,
    outcome: str,
    *,
    capacity: int,
    out: Path,
    tracking: str,
    as_of: pd.Timestamp | None = None,
    model_uri: str | None = None,
    extract: Extract | None = None,
) -> Path:
    """Write the ranked list of a day, with reasons and audit.

    Parameters
    ----------
    source : str or Path
        Extracts.
    outcome : str
        Outcome.
    capacity : int
        Pupils the service can see.
    out : Path
        Empty or new folder.
    tracking : str
        MLflow tracking address.
    as_of : Timestamp, optional
        The day of the list; the latest snapshot day of the data where left out.
    model_uri : str, optional
        The champion where left out.
    extract : Extract, optional
        What was read from ``source`` before.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError, HistoryError, RequestError, ModelError
        If data, day, capacity or model do not fit; nothing is written.
    """
    uri = model_uri or f"models:/{registry.registered_name(outcome)}@champion"
    model = RiskModel.load(registry.download(uri, tracking=tracking))
    if model.outcome != outcome:
        raise ModelError(f"{uri} is a model for {model.outcome}, not for {outcome}.")
    extract = extract or read(source)
    day = as_of or default_as_of(extract.tables, outcome)
    origin = {
        "model_uri": uri,
        "data_digest": extract.digest,
        "rows_set_aside": len(extract.rejects),
    }
    logger.info("Scoring the cohort of %s", f"{day:%Y-%m-%d}")
    assessment = model.assess(extract.tables, as_of=day, capacity=capacity, provenance=origin)
    previous = _previous_ranking(model, extract.tables, day, capacity)
    logger.info("Writing the list")
    return write_list(assessment, out, previous=previous)


def _previous_ranking(
    model: RiskModel, tables: Tables, day: pd.Timestamp, capacity: int
) -> pd.DataFrame | None:
    """Rank the cohort of the snapshot before with the same model, to say who is rising."""
    try:
        earlier = snapshots(tables, model.outcome, before=day)
        earlier = earlier[earlier < day]
        if earlier.empty:
            return None
        before = model.assess(tables, as_of=earlier[-1], capacity=capacity)
    except ValueError:
        return None
    return rank(before)


def run_demo(out: Path, *, pupils: int, seed: int) -> str:
    """Do the whole job on a simulated LA.

    Parameters
    ----------
    out : Path
        Empty or new folder; gets ``extracts/``, ``mlflow.db`` and ``list/``.
    pupils : int
        Pupils on roll.
    seed : int
        Seed.

    Returns
    -------
    str
        What to read: the table of the backtest and where the list is.

    Raises
    ------
    RequestError
        If ``out`` is not empty or ``pupils`` is too small.
    """
    if out.is_dir() and any(out.iterdir()):
        raise RequestError(f"{out} is not empty. Name a new folder with --out.")
    extracts, tracking = out / "extracts", f"sqlite:///{(out / 'mlflow.db').resolve()}"
    logger.info("Simulating an LA with %d pupils over 4 school years", pupils)
    made = simulate(pupils=pupils, seed=seed, preset=DEMO_PRESET)
    out.mkdir(parents=True, exist_ok=True)
    write_simulated(made, extracts)
    del made
    logger.info("Reading and checking the extracts")
    extract = read(extracts)
    report = check(extract)
    if report.has_errors:
        raise ModelError("The simulated extracts do not pass their own check; please report this.")
    training = train(extracts, "pex", tracking=tracking, seed=seed, extract=extract)
    uri = f"models:/{registry.registered_name('pex')}/{training.version}"
    try:
        promote("pex", tracking=tracking)
        standing = f"Version {training.version} passed its gates and is the champion."
    except ModelError as error:
        standing = f"{error} The list below uses the challenger, for show."
    capacity = int(training.backtest.counts["capacity"])
    folder = make_list(
        extracts, "pex", capacity=capacity, out=out / "list", tracking=tracking, model_uri=uri,
        extract=extract,
    )  # fmt: skip
    return "\n".join([training.text(), standing, f"Open {folder / 'index.html'} in a browser."])
