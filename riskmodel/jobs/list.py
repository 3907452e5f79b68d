"""Make the list of a day.

In:  extracts; a run with its outcome, day and capacity.
Out: a folder with the list, and its entry in the log of lists.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment
from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.data import Tables
from riskmodel.data.read import Extract
from riskmodel.errors import RequestError, without_secrets
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.emerging import as_parts, emerging_part, places_for_emerging, ranker_of
from riskmodel.jobs.past_lists import earlier_ranking
from riskmodel.jobs.reading import read_whole
from riskmodel.jobs.run import Engine, Run
from riskmodel.model import RiskModel
from riskmodel.report import write_list
from riskmodel.report.list_log import LogTo
from riskmodel.report.policy_break_words import break_words, with_breaks
from riskmodel.report.sentences import hindsight_words, not_judged_words

__all__ = ["log_beside", "make_list", "read_password", "signed"]

logger = logging.getLogger(__name__)


def make_list(
    source: str | Path | Extract,
    run: Run,
    *,
    out: str | Path,
    model_uri: str | None = None,
    log: LogTo | None = None,
    password: str | None = None,
    emerging: float | None = None,
) -> Path:
    """Write the ranked list of a day, with reasons and audit; in two parts where places are reserved.

    Parameters
    ----------
    source : str, Path or Extract
        Extracts, or what was read of them.
    run : Run
        Outcome, capacity, day and store.
    out : str or Path
        Empty or new folder.
    model_uri : str, optional
        The champion where left out.
    log : LogTo, optional
        The log of lists, see :func:`signed`; not logged where left out.
    password : str, optional
        Seals the pages; the other files stay open.
    emerging : float, optional
        Share of the places for children never suspended; that of the settings where left out.

    Returns
    -------
    Path
        The folder; ``emerging/`` in it holds the part for these children.

    Raises
    ------
    DataError, HistoryError, RequestError, ModelError
        If data, day, capacity or model do not fit; nothing is written.
    """
    if run.capacity is None:
        raise RequestError(
            "A list needs its capacity. Make the run with the number of pupils the service can see."
        )
    reserved = places_for_emerging(run, emerging)
    model, uri = load_model(run.registry, model_uri)
    ranker = ranker_of(run, (model, uri)) if reserved else None
    extract = read_whole(source, run.settings.file)
    assessment = _assess(model, uri, extract, run, run.capacity - reserved)
    _warn(assessment)
    assessment, previous = _compared(assessment, model, extract.tables, run.engine)
    second = None
    if ranker is not None:
        origin = _origin(*ranker, extract)
        made, before = emerging_part(
            ranker[0], extract.tables, (assessment, previous), reserved, origin, run.engine
        )
        made = with_breaks(made, run.settings.policy_breaks)
        _warn(made)
        assessment, second = as_parts(assessment, (made, before))
    logger.info("Writing the list")
    return write_list(
        assessment,
        out,
        previous=previous,
        log=log,
        tables=extract.tables,
        password=password,
        emerging=second,
    )


def _warn(assessment: Assessment) -> None:
    for words in [
        *hindsight_words(assessment),
        *break_words(assessment),
        *not_judged_words(assessment, {}),
    ]:
        logger.warning(words)


def _assess(model: RiskModel, uri: str, extract: Extract, run: Run, capacity: int) -> Assessment:
    """Score the cohort of the day of the run."""
    day = resolve_as_of(extract.tables, run.outcome, run.as_of)
    refuse_old_extract(extract.tables, run.outcome, day)
    logger.info("Scoring the cohort of %s", f"{day:%Y-%m-%d}")
    origin = _origin(model, uri, extract)
    made = model.assess(
        extract.tables, as_of=day, capacity=capacity, provenance=origin, engine=run.engine
    )
    return with_breaks(made, run.settings.policy_breaks)


def _compared(
    assessment: Assessment, model: RiskModel, tables: Tables, engine: Engine
) -> tuple[Assessment, pd.DataFrame | None]:
    """Return the assessment with the day it is compared with, and the ranking of that day if any."""
    earlier = earlier_ranking(model, tables, assessment.as_of, engine=engine)
    if earlier is None:
        return assessment, None
    day, ranking = earlier
    origin = assessment.provenance | {"compared_with": f"{day:%Y-%m-%d}"}
    return replace(assessment, provenance=origin), ranking


def _origin(model: RiskModel, uri: str, extract: Extract) -> dict[str, Any]:
    """Return which model and which facts a list was made from."""
    return {
        "model_uri": without_secrets(uri),
        "model_digest": _digest(model),
        "data_digest": extract.digest,
        "rows_set_aside": len(extract.rejects),
    }


def signed(log: Path, by: str | None = None) -> LogTo:
    """Return where a list is logged, in whose name, and that it is made now.

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

    Examples
    --------
    >>> signed(Path("lists.jsonl"), by="analyst").by
    'analyst'
    """
    if by is None:
        try:
            by = getpass.getuser()
        except (OSError, KeyError):  # an account without a name, as in a container
            by = "not known"
    return LogTo(path=log, by=by, at=datetime.now(UTC))


def log_beside(run: Run) -> Path:
    """Return where lists are logged by default.

    Parameters
    ----------
    run : Run
        The store.

    Returns
    -------
    Path
        ``lists.jsonl`` beside a store that is a file, else in the folder where one is.

    Examples
    --------
    >>> log_beside(Run("pex", tracking="sqlite:///models/mlflow.db")).as_posix()
    'models/lists.jsonl'
    """
    file = "sqlite:///"
    is_file = run.tracking.startswith(file)
    store = Path(run.tracking.removeprefix(file)) if is_file else Path()
    return store.parent / "lists.jsonl"


def read_password(path: str | Path) -> str:
    """Return the first line of a file.

    Parameters
    ----------
    path : str or Path
        A text file.

    Returns
    -------
    str
        The line, without its end.

    Raises
    ------
    RequestError
        If the file cannot be read as text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(
            f"The password file {path} cannot be read ({error}). Name a text file whose first line is "
            "the password."
        ) from error


def _digest(model: RiskModel) -> str:
    """Return a fingerprint of all that a model's scores depend on, wherever it was loaded from."""
    fitted, affine = model.calibrated.ensemble, model.calibrated.calibration
    facts = [model.outcome, model.features, affine.intercept, affine.slope]
    made = hashlib.sha256(json.dumps(facts).encode())
    for name, array in sorted(fitted.to_arrays().items()):
        made.update(name.encode() + str(array.shape).encode() + array.tobytes())
    return made.hexdigest()
