"""Every kind of file that can be read: one module per source."""

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
from riskmodel.data.read.sources.source import Source

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


def source_of(names: list[str]) -> Source | None:
    """Return the source whose columns these are; a grid of days before others, then the one with most.

    Parameters
    ----------
    names : list of str
        Names of columns as the file writes them.

    Returns
    -------
    Source or None
        None if it is of no known source.
    """
    fitting = [source for source in SOURCES if source.is_of(names)]
    return max(fitting, key=lambda s: (s.headings is not None, len(s.columns)), default=None)
