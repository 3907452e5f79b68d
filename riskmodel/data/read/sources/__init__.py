"""Every kind of file that can be read: one module per source."""

from riskmodel.data.read.sources import (
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
    *nccis.SOURCES,
    *results.SOURCES,
    *roll.SOURCES,
    *lists.SOURCES,
    *reference.SOURCES,
)
"""All kinds of files."""
