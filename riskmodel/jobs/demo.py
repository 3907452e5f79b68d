"""The whole job on a simulated LA, from nothing to a list.

In:  an empty folder, a number of pupils, a seed.
Out: extracts, a registered model, a list, and what to read of it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from riskmodel.data.check import check
from riskmodel.data.read import Extract, read
from riskmodel.errors import ModelError, RequestError
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
        Empty or new folder; gets ``extracts/``, ``mlflow.db``, ``lists.jsonl`` and ``list/``.
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
    ModelError
        If the simulated extracts do not pass their own check.
    """
    if out.is_dir() and any(out.iterdir()):
        raise RequestError(f"{out} is not empty. Name a new folder with --out.")
    extract = _simulated(out / "extracts", pupils, seed)
    run = Run("pex", tracking=f"sqlite:///{(out / 'mlflow.db').resolve()}", seed=seed)
    training = train(extract, run)
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


def _verdict(run: Run, training: Training) -> str:
    """Promote the version, and return whether it passed its gates."""
    try:
        promote(run)
    except ModelError as error:
        return f"{error} The list below uses the challenger, for show."
    return f"Version {training.version} passed its gates and is the champion."
