"""What a training leaves in MLflow: everything somebody needs to judge the model years later.

In:  a model and all that was measured.
Out: a registered version with its run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import tempfile
from dataclasses import asdict
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.card import Lineage
from riskmodel.data.read import Extract
from riskmodel.evaluation import Backtest
from riskmodel.features import CATALOGUE
from riskmodel.jobs.notes import metrics_of
from riskmodel.jobs.run import Run
from riskmodel.jobs.sample import Sample
from riskmodel.jobs.training import Training
from riskmodel.model import RiskModel
from riskmodel.report.backtest_page import backtest_page
from riskmodel.report.records import model_card
from riskmodel.simulate import preset_of
from riskmodel.training.gate_answers import to_tags
from riskmodel.training.registry import Record

__all__ = ["lineage", "register"]

logger = logging.getLogger(__name__)


def register(made: Training, run: Run, champion: str | None, X: pd.DataFrame) -> str:
    """Log the model with all that was measured.

    Parameters
    ----------
    made : Training
        The model and what was measured.
    run : Run
        Store, gates and points, with the day and the capacity that were used.
    champion : str or None
        Version in use, which the model was judged against.
    X : DataFrame of shape (n_rows, n_features)
        Features; their medians, which are nobody's, become the input example.

    Returns
    -------
    str
        The version's number.

    Raises
    ------
    ModelError
        If the store cannot be reached or written.
    """
    by_list = made.backtest.by_list
    days = sorted(by_list["as_of"].unique())
    record = Record(
        parameters=_parameters(made, run),
        metrics=metrics_of(made.backtest.table) | _calibration_metrics(made.backtest),
        metrics_by_list=[metrics_of(by_list[by_list["as_of"] == day]) for day in days],
        tags=_tags(made, run, champion),
        texts=_pages(made) | _settings(made, run, champion),
        example=X.median().fillna(0.0).astype(np.float64).to_frame().T,
    )
    with tempfile.TemporaryDirectory() as temporary:
        logger.info("Registering the model")
        return run.registry.log_version(made.model.save(Path(temporary) / "model"), record)


def _parameters(made: Training, run: Run) -> dict[str, Any]:
    """Return the settings of the recipe, the day, the capacity and the gates."""
    day = made.model.card.trained.trained_as_of
    return (
        made.model.card.settings
        | {"as_of": day, "capacity": made.backtest.counts["capacity"]}
        | {f"gate.{name}": str(value) for name, value in asdict(run.gates).items()}
    )


def _tags(made: Training, run: Run, champion: str | None) -> dict[str, str]:
    """Return the answers to the gates, and what a promotion compares."""
    trained = made.model.card.trained
    return to_tags(made.gates) | {
        "gates_digest": run.settings.digest(run.outcome),
        "champion": champion or "none",
        "data_digest": str(trained.training_data_digest),
        "as_of": trained.trained_as_of,
        "simulated": str(trained.simulated).lower(),
    }


def _settings(made: Training, run: Run, champion: str | None) -> dict[str, str]:
    """Write the settings of the run, and how the model did at the gates: file name → text."""
    answers = {answer.code: answer.to_dict() for answer in made.gates}
    written = run.settings.to_dict(run.outcome)
    gates = {
        "written": written["gates"],
        "points": written["points"],
        "champion": champion,
        "answers": answers,
    }
    return {
        "run.json": json.dumps(run.to_dict(), indent=1),
        "gates.json": json.dumps(gates, indent=1),
    }


def _pages(made: Training) -> dict[str, str]:
    """Write what a person or a program can read of the run: file name → text."""
    model, backtest, search = made.model, made.backtest, made.search
    trained, audit = model.card.trained.to_dict(), model.card.audit
    texts = {
        "backtest.html": backtest_page(
            backtest,
            outcome=model.outcome,
            notes=made.notes,
            gates=made.gates,
            trained=trained,
            search=None if search is None else search.front,
        ),
        "backtest.txt": backtest.text(),
        "notes.txt": "\n".join(made.notes),
        "model_card.html": model_card(
            model.outcome,
            trained=trained,
            backtest=backtest.to_dict(),
            answers=made.gates,
            audit=audit,
            notes=made.notes,
        ),
        "lineage.json": json.dumps(trained, indent=1),
        "audit.json": json.dumps(audit, indent=1, ensure_ascii=False),
        "catalogue.csv": _catalogue(model).to_csv(index=False),
        "environment.txt": _environment(),
    }
    return texts if search is None else texts | {"search.csv": search.trials.to_csv(index=False)}


@cache
def _environment() -> str:
    """Return every package that is installed, with its version; they are looked at once a process."""
    packages = {f"{one.metadata['Name']}=={one.version}" for one in distributions()}
    return "\n".join(sorted(packages, key=str.lower))


def _calibration_metrics(backtest: Backtest) -> dict[str, float]:
    if backtest.calibration is None:
        return {}
    summary, listed = backtest.calibration.summary, backtest.calibration.listed
    figures = dict(zip(summary["measure"], summary["value"], strict=True))
    figures["expected over observed listed"] = listed["ratio"].sum(min_count=1)
    return {
        f"calibration.{str(name).replace(' ', '_')}": float(value)
        for name, value in figures.items()
        if np.isfinite(value)
    }


def _catalogue(model: RiskModel) -> pd.DataFrame:
    """Return what each feature of the model is."""
    known = {name: asdict(CATALOGUE[name]) for name in model.features if name in CATALOGUE}
    return pd.DataFrame([{"feature": name} | known.get(name, {}) for name in model.features])


def lineage(extract: Extract, sample: Sample, run: Run) -> Lineage:
    """Return where a model came from.

    Parameters
    ----------
    extract : Extract
        What was read.
    sample : Sample
        What it was trained on.
    run : Run
        The day and the seed that were used.

    Returns
    -------
    Lineage
        For the card of the model.
    """
    outcome, rows = sample.labels["label"], sample.final.train
    labelled = sample.statuses["status"].isin(["event", "no_event"])
    packages = ("riskmodel", "numpy", "pandas", "scikit-learn")
    return Lineage(
        trained_as_of=f"{run.as_of:%Y-%m-%d}",
        labelled_rows=int(sample.statuses.loc[labelled, "rows"].sum()),
        training_rows=len(rows),
        training_pupils=int(sample.spine["pupil_id"].iloc[rows].nunique()),
        training_pupils_with_outcome=int(sample.spine["pupil_id"][outcome == 1].nunique()),
        training_data_digest=extract.digest,
        evaluated="out of time" if sample.is_out_of_time else "cross-validated over pupils",
        simulated=preset_of(extract.source) is not None,
        seed=run.seed,
        extracts=_files(extract),
        versions={name: version(name) for name in packages} | {"python": platform.python_version()},
    )


def _files(extract: Extract) -> list[dict[str, Any]]:
    """Return the files that were read, with their fingerprints as they were handed in."""
    return [
        {
            "file": str(row["file"]),
            "table": str(row["table"]),
            "rows_read": int(row["rows_read"]),
            "sha256": _file_digest(extract.source, str(row["file"])),
        }
        for row in extract.reconciliation.to_dict("records")
    ]


def _file_digest(source: str | Path, name: str) -> str | None:
    """Return the SHA-256 of a file as it was handed in; None for a table of a database."""
    path = Path(source) if Path(source).is_file() else Path(source) / name
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
