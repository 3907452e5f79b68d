"""The whole job on a simulated LA, from nothing to a list.

In:  an empty folder, a number of pupils, a seed.
Out: extracts, a registered model, a list, and what to read of it.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from riskmodel.data.check import check
from riskmodel.data.read import Extract, read
from riskmodel.data.write import refuse_full
from riskmodel.errors import HistoryError, ModelError
from riskmodel.jobs.list import log_beside, make_list, signed
from riskmodel.jobs.promotion import promote
from riskmodel.jobs.run import Run
from riskmodel.jobs.train import train
from riskmodel.jobs.training import Training
from riskmodel.simulate import Preset, write_simulated

__all__ = ["run_demo"]

logger = logging.getLogger(__name__)

DEMO_PRESET: Preset = "bcp"
"""Levels of the simulated LA: those of the inquiry that asked for such a list."""


def run_demo(out: Path, *, pupils: int, seed: int) -> str:
    """Do the whole job on a simulated LA.

    Parameters
    ----------
    out : Path
        Empty or new folder; gets ``extracts/``, ``mlflow.db``, ``lists.jsonl`` and ``list/``. It is
        left empty or absent, as it was, if the job fails.
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
        If ``out`` is not empty, or an LA of so few pupils cannot be simulated.
    HistoryError
        If so few pupils were excluded that a model cannot be trained.
    ModelError
        If the simulated extracts do not pass their own check.
    """
    with _emptied_on_failure(out):
        return _whole_job(out, pupils, seed)


@contextmanager
def _emptied_on_failure(out: Path) -> Iterator[None]:
    """Refuse a folder that is not empty; remove what was written there if the work fails.

    The model registry holds its own address, so that a finished demo cannot be moved into place.
    """
    refuse_full(out)
    was_there = out.exists()
    try:
        yield
    except BaseException:
        for path in out.glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if out.exists() and not was_there:
            out.rmdir()
        raise


def _whole_job(out: Path, pupils: int, seed: int) -> str:
    extract = _simulated(out / "extracts", pupils, seed)
    run = Run("pex", tracking=f"sqlite:///{(out / 'mlflow.db').resolve()}", seed=seed)
    training = _trained(extract, run, pupils)
    verdict = _verdict(run, training)
    folder = make_list(
        extract,
        replace(run, capacity=int(training.backtest.counts["capacity"])),
        out=out / "list",
        model_uri=run.registry.address(str(training.version)),
        log=signed(log_beside(run)),
    )
    return "\n".join([training.text(), verdict, f"Open {folder / 'index.html'} in a browser."])


def _simulated(folder: Path, pupils: int, seed: int) -> Extract:
    """Write the extracts of a simulated LA, and read and check them as if they were real."""
    logger.info("Simulating an LA with %d pupils over 4 school years", pupils)
    folder.parent.mkdir(parents=True, exist_ok=True)
    write_simulated(folder, pupils=pupils, seed=seed, preset=DEMO_PRESET)
    logger.info("Reading and checking the extracts")
    extract = read(folder)
    if check(extract).has_errors:
        raise ModelError("The simulated extracts do not pass their own check; please report this.")
    return extract


def _trained(extract: Extract, run: Run, pupils: int) -> Training:
    """Train; name the remedy that the user of the demo has, if too few pupils were excluded."""
    try:
        return train(extract, run)
    except HistoryError as error:
        raise HistoryError(
            f"Too few of the {pupils:,} simulated pupils were permanently excluded to train a model. "
            "Ask for more pupils with --pupils, or leave it out."
        ) from error


def _verdict(run: Run, training: Training) -> str:
    """Promote the version, and return whether it became the champion."""
    try:
        promote(run)
    except ModelError as error:
        return f"{error} The list below uses the challenger, for show."
    return f"Version {training.version} is the champion: no gate blocks it."
