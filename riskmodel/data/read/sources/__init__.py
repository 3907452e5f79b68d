"""Every kind of file that can be read: one module per source."""

from riskmodel.data.read.sources import (
    census,
    exclusions,
    lists,
    nccis,
    reference,
    registers,
    results,
    sen2,
    social_care,
)

__all__ = ["SOURCES"]

SOURCES = (
    *census.SOURCES,
    *registers.SOURCES,
    *exclusions.SOURCES,
    *sen2.SOURCES,
    *social_care.SOURCES,
    *nccis.SOURCES,
    *results.SOURCES,
    *lists.SOURCES,
    *reference.SOURCES,
)
"""All kinds of files."""
