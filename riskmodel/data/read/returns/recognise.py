"""Which source a file is of: told by its columns alone, never by its name.

In:  a file, sheet or database table as opened.
Out: the file with the source it is of; a file of no known source goes to the rejects, row by row.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.read.open.files import Opened
from riskmodel.data.read.rows.accounts import ReadLog, ReturnFile, RowCount
from riskmodel.data.read.rows.problems import Problem, encoding_warning
from riskmodel.data.read.sources import SOURCES
from riskmodel.data.read.sources.source import Source, plain, with_plain_columns

__all__ = ["recognise"]


def recognise(one: Opened, log: ReadLog) -> ReturnFile | None:
    """Find the source that a file is of: among those whose columns it has, the one with most.

    Parameters
    ----------
    one : Opened
        A file, sheet or database table.
    log : ReadLog
        Gets the problems; of a file of no known source also the counts and the rejects.

    Returns
    -------
    ReturnFile or None
        None if it is of no known source.
    """
    name, raw, encoding, first = one
    found = {plain(str(column)) for column in raw.columns}
    best: Source | None = None
    for source in SOURCES:
        mine = {source.aliases.get(column, column) for column in found}
        if source.columns <= mine and (best is None or len(source.columns) > len(best.columns)):
            best = source
    log.problems += encoding_warning(name, encoding)
    if best is None:
        log.problems.append(_unknown(name, found))
        log.counts.append(RowCount(name, "not recognised", len(raw), 0, len(raw), 0, 0))
        record = raw.astype("str").to_json(orient="records", lines=True).strip().split("\n")
        if len(raw):
            log.rejects.append(
                pd.DataFrame(
                    {
                        "file": name,
                        "row": np.arange(len(raw)) + first,
                        "reason": "unknown_file",
                        "record": record,
                    }
                )
            )
        return None
    frame = with_plain_columns(raw, best.aliases).reset_index(drop=True)
    empty = np.zeros(len(raw), dtype=bool)
    return ReturnFile(name, best, raw, frame, first, encoding, empty, empty.copy())


def _unknown(name: str, found: set[str]) -> Problem:
    """Return which source a file is nearest to, and what it lacks."""
    shares = [
        (len(s.columns & {s.aliases.get(c, c) for c in found}) / len(s.columns), s) for s in SOURCES
    ]
    share, source = max(shares, key=lambda pair: pair[0])
    missing = sorted(source.columns - {source.aliases.get(c, c) for c in found})
    like = (
        f" It is nearest to '{source.name}', but has no {', '.join(missing)}."
        if share >= 0.5
        else ""
    )
    return Problem(
        name,
        "unknown_file",
        f"{name}: its columns are those of no known source, so it was not "
        f"used.{like} Export it in a known layout, or take it out of the folder.",
    )
