"""Real servers of MLflow for the tests: started on loopback, stopped after."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
SILENT = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
NO_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
"""No processes for MLflow's own jobs, which nothing of ours asks for: each would import for seconds."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(words: list[str], health: str, log: Path, **environment: str) -> Iterator[None]:
    """Run an MLflow command until the block ends; wait until its address answers."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            stdout=stream,
            stderr=stream,
            cwd=log.parent,
            env=os.environ | SILENT | NO_JOBS | environment | {"PATH": PATH},
            start_new_session=True,
        )
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(health, timeout=2):
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
                time.sleep(0.2)
        else:
            raise AssertionError(log.read_text(encoding="utf-8")[-2000:])
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=300)  # a machine that is busy must not fail a test
