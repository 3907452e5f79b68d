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

__all__ = ["SOURCES"]

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
