"""Make the list of a day.

In:  extracts, an outcome, a day and a capacity.
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
from typing import Literal

import pandas as pd

from riskmodel.cohort import refuse_old_extract, resolve_as_of
from riskmodel.data.read import Extract, read
from riskmodel.errors import without_secrets
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.past_lists import earlier_ranking
from riskmodel.model import RiskModel
from riskmodel.report import write_list
from riskmodel.report.list_log import LogTo

__all__ = ["log_beside", "make_list", "signed"]

logger = logging.getLogger(__name__)


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
    earlier = earlier_ranking(model, extract.tables, day, engine=engine)
    previous = None
    if earlier is not None:
        compared, previous = earlier
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
    fitted, affine = model.calibrated.ensemble, model.calibrated.calibration
    facts = [model.outcome, model.features, affine.intercept, affine.slope]
    made = hashlib.sha256(json.dumps(facts).encode())
    for name, array in sorted(fitted.to_arrays().items()):
        made.update(name.encode() + str(array.shape).encode() + array.tobytes())
    return made.hexdigest()
