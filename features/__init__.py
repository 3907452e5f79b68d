"""Point-in-time features: the kernel, one builder per theme, the catalogue, and build()."""

from riskmodel.features import (
    attendance,
    context,
    moves,
    needs,
    post16,
    school,
    suspensions,
    totals,
)
from riskmodel.features.build import build, peers_of
from riskmodel.features.catalogue import (
    BUILDERS,
    CATALOGUE,
    LISTED,
    NONE_SO_FAR,
    ON_RECORDS,
    builder,
    check_listed,
    data_dictionary,
)
from riskmodel.features.catalogue_file import Feature
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.register import Register, make_register

__all__ = [
    "BUILDERS",
    "CATALOGUE",
    "NONE_SO_FAR",
    "ON_RECORDS",
    "Feature",
    "FactsAsOf",
    "Register",
    "build",
    "builder",
    "data_dictionary",
    "make_register",
    "peers_of",
]

_THEMES = (attendance, context, moves, needs, post16, school, suspensions, totals)
"""Modules whose import registers their builders, in the order of the matrix."""

check_listed(LISTED, BUILDERS)
