"""Shared by the tests: commands in processes of their own, started afresh or forked, perhaps killed.

In:  a command's words, a folder to run it in, and after how long to kill it.
Out: how it ended; what it wrote is for the test to look at.

A process that starts afresh imports for three seconds; a fork of one that has imported begins at once.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

__all__ = [
    "Answer",
    "Killings",
    "answers",
    "command_line",
    "duration_of",
    "ended",
    "run",
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
    "tests.small_la",
]
"""What a command imports; a fork of a process that has it begins to work at once."""

LEFT_TO_END = 10
"""Every so many of the runs that are killed is left to end."""

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
    inside = (function, folder, dict(os.environ), words, output, largest_file)
    process = context.Process(target=_inside, args=inside)
    process.start()
    return process


def _inside(
    function: Callable[..., Any],
    folder: Path,
    environment: dict[str, str],
    words: tuple[Any, ...],
    output: str,
    largest_file: int,
) -> None:
    os.environ.clear()
    os.environ.update(environment)  # the fork has that of an earlier moment
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
    """Run commands side by side, each in a fork, and return how they ended and what they printed."""
    with tempfile.TemporaryDirectory() as beside:
        running = [
            start(
                command_line, folder, *words, output=f"{beside}/{number}", largest_file=largest_file
            )
            for number, words in enumerate(commands)
        ]
        made = []
        for number, (words, process) in enumerate(zip(commands, running, strict=True)):
            process.join()
            printed = [
                Path(f"{beside}/{number}.{kind}").read_text("utf-8") for kind in ("out", "err")
            ]
            made.append(Answer(words, process.exitcode or 0, *printed))
    return made


def run(
    folder: Path, *words: str | Path, prefix: Sequence[str] = (), **environment: str | None
) -> Answer:
    """Run a command as a user would, with other settings of the environment; None takes one away."""
    settings = {k: v for k, v in (os.environ | environment).items() if v is not None}
    return subprocess.run(
        [*prefix, sys.executable, "-m", "riskmodel", *map(str, words)],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def command_line(*words: str | Path) -> None:
    """Run ``riskmodel`` as its command line does."""
    from riskmodel import cli

    sys.argv = ["riskmodel", *map(str, words)]
    cli.main()


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


class Killings:
    """Processes killed at random moments: every other one anywhere in a run, the others while it writes.

    Every tenth is left to end, on what the killed ones left. How long one takes is measured anew whenever
    one ends by itself, so that kills do not come too late where the machine gets faster.
    """

    def __init__(self, begin: float, whole: float, seed: int) -> None:
        """Begin with the seconds until a run writes, and until it ends."""
        self.share, self.whole = begin / whole, whole
        self.chance = random.Random(seed)
        self.number = self.killed = 0

    def ended(self, process: BaseProcess) -> bool:
        """Kill a process or let it end; return whether it ended by itself, and well."""
        self.number += 1
        moment = self.whole * self.chance.uniform(self.share if self.number % 2 else 0.0, 1.05)
        since = time.perf_counter()
        done = ended(process, moment if self.number % LEFT_TO_END else None)
        if done:
            self.whole = time.perf_counter() - since
        self.killed += not done
        return done
