"""Every kind of file that can be read: one module per source."""

import pandas as pd

from riskmodel.data.read.sources import (
    annex_a,
    census,
    census_flat,
    exclusions,
    grid,
    lists,
    nccis,
    reference,
    registers,
    results,
    roll,
    school_lists,
    sen2,
    social_care,
)
from riskmodel.data.read.sources.source import Source, is_there

__all__ = ["SOURCES", "source_of"]

SOURCES = (
    *census.SOURCES,
    *census_flat.SOURCES,
    *registers.SOURCES,
    *grid.SOURCES,
    *exclusions.SOURCES,
    *sen2.SOURCES,
    *social_care.SOURCES,
    *annex_a.SOURCES,
    *nccis.SOURCES,
    *results.SOURCES,
    *roll.SOURCES,
    *lists.SOURCES,
    *school_lists.SOURCES,
    *reference.SOURCES,
)
"""All kinds of files."""


def source_of(names: list[str], raw: pd.DataFrame | None = None) -> Source | None:
    """Return the source whose columns these are; a grid of days before others, then the one with most.

    Parameters
    ----------
    names : list of str
        Names of columns as the file writes them.
    raw : DataFrame, optional
        The file: of sources that fit as well, the first whose columns all hold values counts.

    Returns
    -------
    Source or None
        None if it is of no known source.
    """
    fits = [(s.headings is not None, len(s.columns), s) for s in SOURCES if s.is_of(names)]
    most = max(((is_grid, n) for is_grid, n, _ in fits), default=None)
    best = [source for is_grid, n, source in fits if (is_grid, n) == most]
    if raw is None or len(best) < 2:
        return best[0] if best else None
    filled = [n for place, n in enumerate(names) if is_there(raw.iloc[:, place]).any()]
    return next((source for source in best if source.is_of(filled)), best[0])
