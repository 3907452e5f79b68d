"""Shared by the tests: a small simulated LA, a trained model, and how to run a command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from riskmodel.assess import Assessment
from riskmodel.cohort import default_as_of
from riskmodel.data.read import read
from riskmodel.explain import Story
from riskmodel.jobs import Run, train
from riskmodel.simulate import write_simulated
from tests.small_la import SmallLA

# a machine that is busy must not fail a test
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a simulated LA's extracts; tests only read it."""
    folder = tmp_path_factory.mktemp("la") / "extracts"
    write_simulated(folder, pupils=2500, years=4, seed=3, preset="bcp")
    return folder


@pytest.fixture(scope="session")
def small_la(extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallLA:
    """Return the simulated LA with a registered model for permanent exclusion."""
    store = tmp_path_factory.mktemp("store") / "mlflow.db"
    tracking = f"sqlite:///{store}"
    return SmallLA(extracts, tracking, train(extracts, Run("pex", tracking=tracking)))


@pytest.fixture(scope="session")
def small_assessment(small_la: SmallLA) -> Assessment:
    """Return the assessment of the simulated LA on its last day."""
    tables = read(small_la.extracts).tables
    day = default_as_of(tables, "pex")
    return small_la.training.model.assess(tables, as_of=day, capacity=150)


@pytest.fixture(scope="session")
def small_story(small_la: SmallLA, small_assessment: Assessment) -> Story:
    """Return the story of the pupils within the capacity."""
    return small_assessment.story(tables=read(small_la.extracts).tables)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs ``riskmodel`` as a user would, in an empty folder."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "riskmodel", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )

    return run
