"""Shared by the tests: a small simulated LA, a trained model, and how to run a command."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from riskmodel.assess import Assessment
from riskmodel.cohort import default_as_of
from riskmodel.data.read import read
from riskmodel.explain import Story
from riskmodel.simulate import write_simulated
from tests.commands import answers
from tests.small_la import SmallLA, made_once, trained_on

# a machine that is busy must not fail a test
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", settings.get_profile("any machine"), max_examples=10 * settings().max_examples
)
settings.load_profile("any machine")

# the default of 700 new objects costs a twentieth of every run
gc.set_threshold(100_000, 20, 20)

LONGEST = (
    "test_deploy.py",
    "test_hardship.py",
    "test_docs.py",
    "test_registry.py",
    "test_kill.py",
    "test_every_page.py",
    "test_monitor.py",
    "test_read_returns.py",
    "test_leaderboard.py",
    "test_commands.py",
    "test_cli.py",
    "test_fuzz.py",
    "test_spark.py",
    "test_browser.py",
    "test_read_sources.py",
    "test_promises.py",
    "test_jobs.py",
    "test_features.py",
    "test_read_kinds.py",
    "test_dashboard.py",
    "test_inclusion.py",
    "test_simulate.py",
    "test_judge.py",
    "test_search.py",
    "test_truth.py",
    "test_story.py",
)
"""The files that take longest start first, so that no worker ends alone with one.

The first worker to need the small LA trains its model; the second begins beside it with the demo.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the others stay in their order."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of ``make soak``."""
    parser.addoption("--soak", action="store_true", help="kill and fuzz for long")


def pytest_configure(config: pytest.Config) -> None:
    """Let ``make soak`` try ten times as many examples."""
    if config.getoption("--soak"):
        settings.load_profile("soak")


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Return whether to kill and fuzz for long, as ``make soak`` does."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the folder that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def extracts(shared: Path) -> Path:
    """Return the folder of about the smallest LA that a model can be trained on; tests only read it."""
    return made_once(
        shared / "extracts",
        partial(write_simulated, pupils=1200, years=4, seed=6, preset="bcp"),
    )


@pytest.fixture(scope="session")
def larger(shared: Path) -> Path:
    """Return the folder of a simulated LA with outcomes enough for statistics; tests only read it."""
    return made_once(
        shared / "larger",
        partial(write_simulated, pupils=2500, years=4, seed=3, preset="bcp"),
    )


@pytest.fixture(scope="session")
def tiny(shared: Path) -> Path:
    """Return the folder of a very small simulated LA, to list and not to train; tests only read it."""
    return made_once(
        shared / "tiny",
        partial(write_simulated, pupils=400, years=4, seed=3, preset="bcp"),
    )


@pytest.fixture(scope="session")
def small_la(extracts: Path, shared: Path) -> SmallLA:
    """Return the simulated LA with a registered model for permanent exclusion; tests only read it."""
    return trained_on(extracts, shared / "small_la")


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


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Return a function that runs ``riskmodel`` in a process of its own, in an empty folder.

    The process is a fork of one that has everything imported already: see :mod:`tests.commands`.
    """
    return lambda *words: answers(tmp_path, words)[0]
