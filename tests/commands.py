"""Shared by the tests that kill: commands in processes that are forked with everything imported, and killed.

In:  a command's words, a folder to run it in, and after how long to kill it.
Out: how it ended; what it wrote is for the test to look at.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

__all__ = [
    "Answer",
    "answers",
    "command",
    "duration_of",
    "ended",
    "moments",
    "register_again",
    "start",
    "warm_up",
]

PRELOADED = [
    "riskmodel.cli",
    "riskmodel.jobs",
    "riskmodel.report.list_files",
    "riskmodel.data.check",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.models",
    "openpyxl",
    "matplotlib.pyplot",
    "tests.commands",
]
"""What a command imports; a fork of a process that has it begins to work at once."""

Answer = subprocess.CompletedProcess[str]


def warm_up() -> None:
    """Start the process that the others are forked from, so that no run is measured with its imports."""
    assert ended(start(len, Path(), ""))


def start(
    function: Callable[..., Any],
    folder: Path,
    *words: Any,
    output: str = os.devnull,
    largest_file: int = resource.RLIM_INFINITY,
) -> BaseProcess:
    """Start a function in a process of its own, in a folder, perhaps where no file may grow beyond a size."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_inside, args=(function, folder, words, output, largest_file))
    process.start()
    return process


def _inside(
    function: Callable[..., Any],
    folder: Path,
    words: tuple[Any, ...],
    output: str,
    largest_file: int,
) -> None:
    os.chdir(folder)
    for number, kind in ((1, "out"), (2, "err")):
        os.dup2(
            os.open(
                f"{output}.{kind}" if output != os.devnull else output, os.O_WRONLY | os.O_CREAT
            ),
            number,
        )
    if largest_file != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    function(*words)


def answers(
    folder: Path, *commands: Sequence[str | Path], largest_file: int = resource.RLIM_INFINITY
) -> list[Answer]:
    """Run commands side by side, each in a fork, and return how they ended and what they said."""
    with tempfile.TemporaryDirectory() as beside:
        running = [
            start(command, folder, *words, output=f"{beside}/{number}", largest_file=largest_file)
            for number, words in enumerate(commands)
        ]
        made = []
        for number, (words, process) in enumerate(zip(commands, running, strict=True)):
            process.join()
            said = [Path(f"{beside}/{number}.{kind}").read_text("utf-8") for kind in ("out", "err")]
            made.append(Answer(words, process.exitcode or 0, *said))
    return made


def command(*words: str | Path) -> None:
    """Run ``riskmodel`` as its command line does."""
    from riskmodel import cli

    sys.argv = ["riskmodel", *map(str, words)]
    cli.main()


def register_again(file: Path, tracking: str) -> None:
    """Do what a training writes, from one kept in a file: its run, model, version and alias."""
    import numpy as np
    import pandas as pd

    from riskmodel.jobs import Run
    from riskmodel.jobs.record import register

    made = pickle.loads(file.read_bytes())
    names = list(made.model.features)
    X = pd.DataFrame(np.zeros((2, len(names))), columns=names)
    register(made, Run("pex", tracking=tracking), "1", X)


def ended(process: BaseProcess, after: float | None = None) -> bool:
    """Wait for the end, or kill -9 after so many seconds; return whether it ended by itself, and well."""
    process.join(after)
    if process.exitcode is None:
        process.kill()
        process.join()
        return False
    assert process.exitcode == 0, process.exitcode
    return True


def duration_of(
    process: BaseProcess, begun: Callable[[], bool] = lambda: True
) -> tuple[float, float]:
    """Return seconds until something begins, and until the process ends well."""
    first, since = None, time.perf_counter()
    while process.is_alive():
        if first is None and begun():
            first = time.perf_counter() - since
        process.join(0.002)
    assert process.exitcode == 0, process.exitcode
    whole = time.perf_counter() - since
    return whole if first is None else first, whole


def moments(begin: float, whole: float, seed: int) -> Iterator[float]:
    """Return moments to kill at: every other one anywhere in a run, the others while it writes."""
    chance = random.Random(seed)
    for number in count():
        low = begin if number % 2 else 0.0
        yield low + (1.05 * whole - low) * chance.random()
