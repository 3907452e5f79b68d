"""Promote a version, and list with it.

In:  an outcome; extracts, a day and a capacity.
Out: the champion's number; a folder with the list, and its entry in the log of lists.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from riskmodel.cohort import refuse_old_extract, resolve_as_of, snapshots
from riskmodel.data import Tables
from riskmodel.data.read import Extract, read
from riskmodel.errors import ModelError, RequestError, without_secrets
from riskmodel.jobs.settings import Settings
from riskmodel.model import RiskModel
from riskmodel.ranking import rank
from riskmodel.report import write_list
from riskmodel.report.list_log import LogTo
from riskmodel.training import registry

__all__ = ["load_model", "log_beside", "make_list", "promote", "roll_back", "signed"]

logger = logging.getLogger(__name__)

EARLIER_WEEKS = 4
"""Weeks between a list and the day it is compared with, at least: in fewer hardly anybody moves, and
snapshot days lie further apart."""


def promote(
    outcome: str, *, tracking: str, number: str | None = None, settings: Settings | None = None
) -> str:
    """Put a version to use as champion, if it passed its gates.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.
    number : str, optional
        Version; the challenger where left out.
    settings : Settings, optional
        What :func:`riskmodel.jobs.settings.read_settings` read; the defaults where left out.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there is no such version or it cannot be read, it was judged by other gates than those of
        the settings or against another champion than the present one, or a gate was failed; the
        message says which.
    RequestError
        If the version is no number.
    """
    if number is None:
        chosen = registry.version_of(outcome, "challenger", tracking=tracking)
    elif re.fullmatch(r"[1-9][0-9]{0,8}", number):
        chosen = number
    else:
        raise RequestError(
            f"'{number}' is no version: write its number in digits, such as 3, or leave it out for the "
            "challenger."
        )
    if chosen is None:
        raise ModelError(f"There is no model for {outcome} in {tracking}. Train one first.")
    tags = registry.version_tags(outcome, chosen, tracking=tracking)
    stays = f"Version {chosen} for {outcome} is not promoted"
    _pass_gates(tags, (settings or Settings()).digest(outcome), stays)
    present = registry.version_of(outcome, "champion", tracking=tracking)
    if present != chosen:
        _match_champion(chosen, tags.get("champion", "none"), present, stays)
    try:
        load_model(outcome, tracking=tracking, model_uri=registry.address(outcome, chosen))
    except ModelError as error:
        raise ModelError(f"{stays}: {error}") from error
    history = registry.champions(outcome, tracking=tracking)
    for version in (present, chosen):  # the one in use may have been put there in MLflow, by hand
        if version is not None and history[-1:] != [version]:
            history.append(version)
    registry.set_champion(outcome, history, tracking=tracking)
    return chosen


def _pass_gates(tags: dict[str, str], digest: str, stays: str) -> None:
    """Refuse a version that was judged by other gates, by none, or failed one."""
    gates = {name: answer for name, answer in tags.items() if name.startswith("gate.")}
    if tags.get("gates_digest") != digest:
        raise ModelError(
            f"{stays}: it was judged by other gates or points than riskmodel.toml holds now. They are "
            "written before a run; train again, or put back the file that it was trained with."
        )
    failed = [
        f"{n.removeprefix('gate.')} ({a})" for n, a in gates.items() if a.startswith("failed")
    ]
    if failed or not gates:
        raise ModelError(
            f"{stays}: {'; '.join(failed) or 'it carries no gates'}. The champion stays as it was. "
            "Not deploying is a good answer; add history or look at the backtest."
        )


def _match_champion(chosen: str, judged_against: str, present: str | None, stays: str) -> None:
    """Refuse a version that was not compared with the champion in use."""
    if present is not None and int(chosen) < int(present):
        raise ModelError(
            f"{stays}: it is older than the champion, version {present}. 'riskmodel rollback' brings "
            "back a champion of before; else train again."
        )
    if judged_against != (present or "none"):
        against = "no champion" if judged_against == "none" else f"version {judged_against}"
        now = "there is none now" if present is None else f"version {present} is in use now"
        raise ModelError(f"{stays}: it was judged against {against}, but {now}. Train again.")


def roll_back(outcome: str, *, tracking: str) -> str:
    """Put the champion before the present one to use again.

    Where the alias is not on the version that was put to use last (a command that was killed, an
    alias moved or removed in MLflow), that version is the one before.

    Parameters
    ----------
    outcome : str
        Outcome.
    tracking : str
        MLflow tracking address.

    Returns
    -------
    str
        The version that is champion now.

    Raises
    ------
    ModelError
        If there was no other champion before that is still there, or it cannot be read; nothing is
        changed.
    """
    history = registry.champions(outcome, tracking=tracking)
    present = registry.version_of(outcome, "champion", tracking=tracking)
    if history[-1:] == [present]:
        history.pop()
    if not history:
        raise ModelError(
            f"There is no earlier champion for {outcome} to go back to"
            f"{f'; version {present} is the first that is left' if present else ''}."
        )
    try:
        load_model(outcome, tracking=tracking, model_uri=registry.address(outcome, history[-1]))
    except ModelError as error:
        raise ModelError(
            f"The champion for {outcome} before, version {history[-1]}, cannot be used again, and "
            f"{f'version {present} stays' if present else 'none is in use'}: {error}"
        ) from error
    registry.set_champion(outcome, history, tracking=tracking, going_back=True)
    return history[-1]


def load_model(
    outcome: str, *, tracking: str, model_uri: str | None = None
) -> tuple[RiskModel, str]:
    """Fetch a model.

    Parameters
    ----------
    outcome : str
        Outcome that it must be for.
    tracking : str
        MLflow tracking address.
    model_uri : str, optional
        The champion where left out.

    Returns
    -------
    RiskModel, str
        The model and its address.

    Raises
    ------
    ModelError
        If there is no such model, or it is for another outcome.
    """
    uri = model_uri or f"models:/{registry.registered_name(outcome)}@champion"
    model = RiskModel.load(registry.download(uri, tracking=tracking))
    if model.outcome != outcome:
        raise ModelError(f"{uri} is a model for {model.outcome}, not for {outcome}.")
    return model, uri


def make_list(
    source: str | Path,
    outcome: str,
    *,
    capacity: int,
    out: str | Path,
    tracking: str,
    as_of: pd.Timestamp | None = None,
    model_uri: str | None = None,
    extract: Extract | None = None,
    log: LogTo | None = None,
    password: str | None = None,
    engine: Literal["local", "spark"] = "local",
) -> Path:
    """Write the ranked list of a day, with reasons and audit.

    Parameters
    ----------
    source : str or Path
        Extracts.
    outcome : str
        Outcome.
    capacity : int
        Pupils the service can see.
    out : str or Path
        Empty or new folder.
    tracking : str
        MLflow tracking address.
    as_of : Timestamp, optional
        The day of the list; the latest snapshot day of the data where left out. How far beyond the
        data it may lie says :func:`riskmodel.cohort.resolve_as_of`.
    model_uri : str, optional
        The champion where left out.
    extract : Extract, optional
        What was read from ``source`` before.
    log : LogTo, optional
        The log of lists, see :func:`signed`; not logged where left out.
    password : str, optional
        Seals the pages; the other files stay open.
    engine : str
        ``"spark"`` builds features, scores and contributions on PySpark.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError, HistoryError, RequestError, ModelError
        If data, day, capacity or model do not fit; nothing is written.
    """
    model, uri = load_model(outcome, tracking=tracking, model_uri=model_uri)
    extract = extract or read(source)
    day = resolve_as_of(extract.tables, outcome, as_of)
    refuse_old_extract(extract.tables, outcome, day)
    origin = {
        "model_uri": without_secrets(uri),
        "model_digest": _digest(model),
        "data_digest": extract.digest,
        "rows_set_aside": len(extract.rejects),
    }
    logger.info("Scoring the cohort of %s", f"{day:%Y-%m-%d}")
    assessment = model.assess(
        extract.tables, as_of=day, capacity=capacity, provenance=origin, engine=engine
    )
    before = _ranking_before(model, extract.tables, day, capacity, engine)
    previous = None
    if before is not None:
        compared, previous = before
        made = assessment.provenance | {"compared_with": f"{compared:%Y-%m-%d}"}
        assessment = replace(assessment, provenance=made)
    logger.info("Writing the list")
    return write_list(
        assessment, out, previous=previous, log=log, tables=extract.tables, password=password
    )


def signed(log: Path, by: str | None = None) -> LogTo:
    """Say where a list is logged, and that it is made now.

    Parameters
    ----------
    log : Path
        The log.
    by : str, optional
        Who makes the list; the name of the account where left out.

    Returns
    -------
    LogTo
        For :func:`make_list`.
    """
    if by is None:
        try:
            by = getpass.getuser()
        except (OSError, KeyError):  # an account without a name, as in a container
            by = "not known"
    return LogTo(path=log, by=by, at=datetime.now(UTC))


def log_beside(tracking: str) -> Path:
    """Return where lists are logged by default.

    Parameters
    ----------
    tracking : str
        MLflow tracking address.

    Returns
    -------
    Path
        ``lists.jsonl`` beside a store that is a file, else in the folder where one is.
    """
    file = "sqlite:///"
    store = Path(tracking.removeprefix(file)) if tracking.startswith(file) else Path()
    return store.parent / "lists.jsonl"


def _digest(model: RiskModel) -> str:
    """Return a fingerprint of all that a model's scores depend on, wherever it was loaded from."""
    facts = [model.outcome, model.features, model.calibration.intercept, model.calibration.slope]
    made = hashlib.sha256(json.dumps(facts).encode())
    for name, array in sorted(model.ensemble.to_arrays().items()):
        made.update(name.encode() + str(array.shape).encode() + array.tobytes())
    return made.hexdigest()


def _ranking_before(
    model: RiskModel,
    tables: Tables,
    day: pd.Timestamp,
    capacity: int,
    engine: Literal["local", "spark"],
) -> tuple[pd.Timestamp, pd.DataFrame] | None:
    """Rank the cohort of an earlier day with the same model, to say who is rising."""
    try:
        earlier = _day_before(tables, model.outcome, day)
        before = model.assess(tables, as_of=earlier, capacity=capacity, engine=engine)
    except ValueError:
        return None
    return earlier, rank(before)


def _day_before(tables: Tables, outcome: str, day: pd.Timestamp) -> pd.Timestamp:
    """Return the latest snapshot day that is not so near that nothing could have changed."""
    return snapshots(tables, outcome, before=day - pd.Timedelta(weeks=EARLIER_WEEKS))[-1]
