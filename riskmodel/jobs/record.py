"""What a run leaves in MLflow: everything somebody needs to judge the model years later.

In:  a model and all that was measured.
Out: a registered version with its run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.data.read import Extract
from riskmodel.data.write import records
from riskmodel.evaluation import Backtest
from riskmodel.features import CATALOGUE
from riskmodel.jobs.notes import metrics_of
from riskmodel.jobs.sample import Sample
from riskmodel.jobs.settings import Settings
from riskmodel.model import RiskModel
from riskmodel.report.backtest_page import backtest_page
from riskmodel.report.records import model_card
from riskmodel.training import registry
from riskmodel.training.gate_answers import GateAnswer, to_tags
from riskmodel.training.search import Search

__all__ = ["lineage", "register"]

logger = logging.getLogger(__name__)


def register(
    model: RiskModel,
    backtest: Backtest,
    settings: Settings,
    answers: Sequence[GateAnswer],
    champion: str | None,
    tracking: str,
    search: Search | None,
    X: pd.DataFrame,
) -> str:
    """Log the model with all that was measured.

    Parameters
    ----------
    model : RiskModel
        The model.
    backtest : Backtest
        What was measured.
    settings : Settings
        The thresholds, and the LA's own points.
    answers : sequence of GateAnswer
        How the model did at each gate.
    champion : str or None
        Version in use, which the model was judged against.
    tracking : str
        MLflow tracking address.
    search : Search, optional
        What a search tried.
    X : DataFrame of shape (n_rows, n_features)
        Features; their medians, which are nobody's, become the input example.

    Returns
    -------
    str
        The version's number.
    """
    trained, gates = model.card["trained"], settings.gates(model.outcome)
    texts = _pages(model, backtest, answers, search) | {
        "gates.json": json.dumps(
            {"written": asdict(gates),
             "points": None if settings.points is None else records(settings.points),
             "champion": champion, "answers": {one.code: one.to_dict() for one in answers}},
            indent=1,
        )
    }  # fmt: skip
    days = sorted(backtest.by_list["as_of"].unique())
    middle = X.median().fillna(0.0).astype(np.float64).to_frame().T
    with tempfile.TemporaryDirectory() as temporary:
        logger.info("Registering the model")
        return registry.log_version(
            model.save(Path(temporary) / "model"),
            outcome=model.outcome,
            tracking=tracking,
            parameters=model.card["settings"]
            | {"as_of": trained["trained_as_of"], "capacity": backtest.counts["capacity"]}
            | {f"gate.{name}": str(value) for name, value in asdict(gates).items()},
            metrics=metrics_of(backtest.table) | _calibration_metrics(backtest),
            metrics_by_list=[
                metrics_of(backtest.by_list[backtest.by_list["as_of"] == day]) for day in days
            ],
            tags=to_tags(answers)
            | {"gates_digest": settings.digest(model.outcome), "champion": champion or "none",
               "data_digest": trained["training_data_digest"], "as_of": trained["trained_as_of"],
               "simulated": str(trained["simulated"]).lower()},
            texts=texts,
            example=middle,
        )  # fmt: skip


def _pages(
    model: RiskModel, backtest: Backtest, answers: Sequence[GateAnswer], search: Search | None
) -> dict[str, str]:
    """Write what a person or a program can read of the run: file name → text."""
    trained, notes, audit = (model.card[name] for name in ("trained", "notes", "audit"))
    texts = {
        "backtest.html": backtest_page(
            backtest, outcome=model.outcome, notes=notes, gates=answers, trained=trained,
            search=None if search is None else search.front,
        ),
        "backtest.txt": backtest.text(),
        "notes.txt": "\n".join(notes),
        "model_card.html": model_card(
            model.outcome, trained=trained, backtest=backtest.to_dict(), answers=answers,
            audit=audit, notes=notes,
        ),
        "lineage.json": json.dumps(trained, indent=1),
        "audit.json": json.dumps(audit, indent=1, ensure_ascii=False),
        "catalogue.csv": _catalogue(model).to_csv(index=False),
        "environment.txt": "\n".join(
            sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()}, key=str.lower)
        ),
    }  # fmt: skip
    if search is not None:
        texts["search.csv"] = search.trials.to_csv(index=False)
    return texts


def _calibration_metrics(backtest: Backtest) -> dict[str, float]:
    if backtest.calibration is None:
        return {}
    return {
        f"calibration.{str(row['measure']).replace(' ', '_')}": float(row["value"])
        for row in backtest.calibration.summary.to_dict("records")
        if np.isfinite(row["value"])
    }


def _catalogue(model: RiskModel) -> pd.DataFrame:
    """Return what each feature of the model is."""
    return pd.DataFrame(
        [{"feature": name} | (asdict(CATALOGUE[name]) if name in CATALOGUE else {})
         for name in model.features]
    )  # fmt: skip


def lineage(
    source: str | Path,
    extract: Extract,
    today: pd.Timestamp,
    sample: Sample,
    simulated: bool,
    seed: int,
) -> dict[str, Any]:
    """Return where a model came from.

    Parameters
    ----------
    source : str or Path
        Where it was read from.
    extract : Extract
        What was read.
    today : Timestamp
        The day stood on.
    sample : Sample
        What it was trained on.
    simulated : bool
        Whether the pupils are simulated.
    seed : int
        Seed.

    Returns
    -------
    dict
        JSON-ready.
    """
    outcome, rows = sample.labels["label"], sample.final.train
    return {
        "trained_as_of": f"{today:%Y-%m-%d}",
        "labelled_rows": int(
            sample.statuses.query("status in ['event', 'no_event']")["rows"].sum()
        ),
        "training_rows": len(rows),
        "training_pupils": int(sample.spine["pupil_id"].iloc[rows].nunique()),
        "training_pupils_with_outcome": int(sample.spine["pupil_id"][outcome == 1].nunique()),
        "training_data_digest": extract.digest,
        "evaluated": "out of time" if sample.is_out_of_time else "cross-validated over pupils",
        "simulated": simulated,
        "seed": seed,
        "extracts": [
            {
                "file": str(row["file"]),
                "table": str(row["table"]),
                "rows_read": int(row["rows_read"]),
                "sha256": _file_digest(source, str(row["file"])),
            }
            for row in extract.reconciliation.to_dict("records")
        ],
        "versions": {
            name: version(name) for name in ("riskmodel", "numpy", "pandas", "scikit-learn")
        }
        | {"python": platform.python_version()},
    }


def _file_digest(source: str | Path, name: str) -> str | None:
    """Return the SHA-256 of a file as it was handed in; None for a table of a database."""
    path = Path(source) if Path(source).is_file() else Path(source) / name
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
