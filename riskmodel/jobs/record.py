"""What a run leaves in MLflow: everything somebody needs to judge the model years later.

In:  a model and all that was measured.
Out: a registered version with its run.
"""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.evaluation import Backtest
from riskmodel.fairness.audit import count_verdicts
from riskmodel.features import CATALOGUE
from riskmodel.jobs.judge import metrics_of
from riskmodel.jobs.settings import Gates
from riskmodel.model import RiskModel
from riskmodel.outcomes import policy
from riskmodel.report.backtest_page import backtest_page
from riskmodel.report.words import MISUSE
from riskmodel.training import registry
from riskmodel.training.search import Search

__all__ = ["register"]

logger = logging.getLogger(__name__)


def register(
    model: RiskModel,
    backtest: Backtest,
    gates: Gates,
    answers: dict[str, str],
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
    gates : Gates
        The thresholds.
    answers : dict of str to str
        Gate → answer.
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
    trained = model.card["trained"]
    front = None if search is None else search.front
    texts = {
        "backtest.html": backtest_page(
            backtest, outcome=model.outcome, notes=model.card["notes"], gates=answers,
            trained=trained, search=front,
        ),
        "backtest.txt": backtest.text(),
        "notes.txt": "\n".join(model.card["notes"]),
        "model_card.md": _model_card(model, backtest, answers),
        "lineage.json": json.dumps(trained, indent=1),
        "gates.json": json.dumps({"written": asdict(gates), "answers": answers}, indent=1),
        "audit.json": json.dumps(model.card["audit"], indent=1, ensure_ascii=False),
        "catalogue.csv": _catalogue(model).to_csv(index=False),
        "environment.txt": "\n".join(
            sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()}, key=str.lower)
        ),
    }  # fmt: skip
    if search is not None:
        texts["search.csv"] = search.trials.to_csv(index=False)
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
            tags={f"gate.{name}": answer for name, answer in answers.items()}
            | {"gates_digest": gates.digest(), "data_digest": trained["training_data_digest"],
               "as_of": trained["trained_as_of"], "simulated": str(trained["simulated"]).lower()},
            texts=texts,
            example=middle,
        )  # fmt: skip


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


def _model_card(model: RiskModel, backtest: Backtest, answers: dict[str, str]) -> str:
    """Return what the model is, for whom, how good and how not to use it."""
    trained = model.card["trained"]
    failed = [
        f"{name}: {answer}" for name, answer in answers.items() if answer.startswith("failed")
    ]
    return "\n".join(
        [
            f"# Model card: {model.outcome}",
            *(["", "**Simulated data: no real child is in these figures.**"] if trained["simulated"] else []),
            "", "## What it predicts", policy(model.outcome),
            "", "## What it is for",
            "A ranked list that starts a conversation about support. It decides nothing about a child.",
            "", "## What it must not be used for", *[f"- {sentence}" for sentence in MISUSE],
            "", "## What it was trained on",
            *[f"- {name.replace('_', ' ')}: {value}" for name, value in trained.items()
              if not isinstance(value, list | dict)],
            "", "## How good it was on earlier lists", "```", backtest.text(), "```",
            *[f"- {note}" for note in model.card["notes"]],
            "", "## Whom it finds, by group",
            count_verdicts(pd.DataFrame(model.card["audit"]["measures"])),
            "Each comparison, with small counts suppressed, is in audit.json.",
            "", "## Gates",
            *([f"- {line}" for line in failed] or ["All gates were passed."]),
        ]
    )  # fmt: skip
