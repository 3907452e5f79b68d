"""Trials of a search, kept in a database that several workers share.

In:  the address of the database, the name of the search, what it aims at.
Out: Optuna's study, without the trials of workers that have ended; a trial with a seed of its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from riskmodel.errors import RequestError

__all__ = ["begin_trial", "opened_study", "started_before"]


@contextmanager
def opened_study(
    storage: str | None, name: str, *, is_fair: bool, default: Mapping[str, Any]
) -> Iterator[Any]:
    """Open the trials made so far, and close the database that keeps them.

    Parameters
    ----------
    storage : str or None
        Address of the database; None keeps the trials in memory.
    name : str
        Name of the search in the database.
    is_fair : bool
        Whether a small recall gap is an aim too.
    default : mapping
        Settings that a new search tries first.

    Yields
    ------
    optuna.Study
        Without the trials of workers that have ended.

    Raises
    ------
    RequestError
        If the database cannot be opened.
    """
    study, kept_in = _study(storage, name, is_fair)
    if not study.trials:
        study.enqueue_trial(dict(default), skip_if_exists=True)
    try:
        yield study
    finally:
        if kept_in is not None:
            kept_in.remove_session()
            kept_in.engine.dispose()


def _study(address: str | None, name: str, is_fair: bool) -> tuple[Any, Any]:
    """Return the study and the database that keeps it, None in memory."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions: Any = ["maximize", "minimize"] if is_fair else ["maximize"]
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    try:
        storage = optuna.storages.RDBStorage(address) if address else None
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            load_if_exists=True,
            directions=directions,
            pruner=pruner,
        )
        _fail_stale_trials(study)
    except Exception as error:  # any database's own errors
        raise RequestError(
            f"The search cannot be kept in {address}: {str(error).splitlines()[0]}. Check the "
            "address."
        ) from error
    return study, storage


def begin_trial(study: Any, random_state: int) -> Any:
    """Begin a trial, with a seed of its own.

    What comes next then depends on the trials before it, not on whether one process did them all.

    Parameters
    ----------
    study : optuna.Study
        From :func:`opened_study`.
    random_state : int
        Seed of the search.

    Returns
    -------
    optuna.Trial
        Signed by this worker.
    """
    import optuna

    trial = study.ask()
    seed = np.random.SeedSequence([random_state, started_before(study, trial.number)])
    study.sampler = optuna.samplers.TPESampler(seed=int(seed.generate_state(1)[0]))
    trial.set_user_attr("worker", _worker_name())
    return trial


def started_before(study: Any, number: int | None = None) -> int:
    """Count the trials that are finished or that live workers are at.

    Parameters
    ----------
    study : optuna.Study
        From :func:`opened_study`.
    number : int, optional
        Only trials before this one; all where left out.

    Returns
    -------
    int
        Trials.
    """
    import optuna

    unused = (optuna.trial.TrialState.FAIL, optuna.trial.TrialState.WAITING)
    trials = study.get_trials(deepcopy=False)[:number]
    return sum(trial.state not in unused for trial in trials)


def _fail_stale_trials(study: Any) -> None:
    """Mark the trials of workers that have ended as failed, and sign on as a worker."""
    import optuna

    others = any(_is_alive(worker) for worker in study.user_attrs)
    for trial in study.get_trials(deepcopy=False):
        if trial.state != optuna.trial.TrialState.RUNNING:
            continue
        # a trial whose worker has not signed it yet may be any living worker's
        worker = trial.user_attrs.get("worker")
        if not (others if worker is None else _is_alive(worker)):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    study.set_user_attr(_worker_name(), "signed on")


def _worker_name() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def _is_alive(worker: str) -> bool:
    """Return whether another process is a worker still; one of another machine is taken to be."""
    host, _, process = worker.rpartition(" ")
    if host != socket.gethostname():
        return True
    if int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
