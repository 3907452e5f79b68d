"""Where a model came from: which files, which day, which versions.

In:  an extract, where it was read from, what was learned from it.
Out: facts that somebody needs to make the model again, JSON-ready.
"""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.data.read import Extract
from riskmodel.jobs.sample import Sample

__all__ = ["lineage"]


def lineage(
    source: str | Path,
    extract: Extract,
    today: pd.Timestamp,
    sample: Sample,
    simulated: bool,
    seed: int,
) -> dict[str, Any]:
    """Return where a model came from.

    Parameters
    ----------
    source : str or Path
        Where it was read from.
    extract : Extract
        What was read.
    today : Timestamp
        The day stood on.
    sample : Sample
        What it was trained on.
    simulated : bool
        Whether the pupils are simulated.
    seed : int
        Seed.

    Returns
    -------
    dict
        JSON-ready.
    """
    outcome, rows = sample.labels["label"], sample.final.train
    return {
        "trained_as_of": f"{today:%Y-%m-%d}",
        "labelled_rows": int(
            sample.statuses.query("status in ['event', 'no_event']")["rows"].sum()
        ),
        "training_rows": len(rows),
        "training_pupils": int(sample.spine["pupil_id"].iloc[rows].nunique()),
        "training_pupils_with_outcome": int(sample.spine["pupil_id"][outcome == 1].nunique()),
        "training_data_digest": extract.digest,
        "evaluated": "out of time" if sample.is_out_of_time else "cross-validated over pupils",
        "simulated": simulated,
        "seed": seed,
        "extracts": [
            {
                "file": str(row["file"]),
                "table": str(row["table"]),
                "rows_read": int(row["rows_read"]),
                "sha256": _file_digest(source, str(row["file"])),
            }
            for row in extract.reconciliation.to_dict("records")
        ],
        "versions": {
            name: version(name) for name in ("riskmodel", "numpy", "pandas", "scikit-learn")
        }
        | {"python": platform.python_version()},
    }


def _file_digest(source: str | Path, name: str) -> str | None:
    """Return the SHA-256 of a file as it was handed in; None for a table of a database."""
    path = Path(source) if Path(source).is_file() else Path(source) / name
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
