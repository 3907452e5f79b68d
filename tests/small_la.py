"""Shared by the tests: a small simulated LA with a model trained on it, and its registrations.

In:  a folder that the workers of a run share.
Out: the LA, made once; stores with more versions of its model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.jobs import Run, Training, promote
from riskmodel.jobs.record import register
from riskmodel.training.gate_answers import GateAnswer

__all__ = ["SmallLA", "again", "promoted"]


@dataclass(frozen=True)
class SmallLA:
    """A simulated LA on disk with a model trained on it."""

    extracts: Path
    tracking: str
    training: Training


def again(la: SmallLA, tracking: str, **answers: str) -> str:
    """Register the small LA's model once more, with other answers to its gates."""
    made = la.training
    X = pd.DataFrame(np.zeros((2, len(made.model.features))), columns=list(made.model.features))
    run = Run("pex", tracking=tracking)
    champion = run.registry.version_of("champion") if run.registry.open() else None
    gates = tuple(
        GateAnswer.from_text(one.code, answers.get(one.code, one.text())) for one in made.gates
    )
    return register(replace(made, gates=gates), run, champion, X)


def promoted(la: SmallLA, folder: Path, n: int) -> str:
    """Make a store whose versions 1 to n were trained and promoted in turn."""
    tracking = f"sqlite:///{folder / 'mlflow.db'}"
    for _ in range(n):
        promote(Run("pex", tracking=tracking), again(la, tracking))
    return tracking
