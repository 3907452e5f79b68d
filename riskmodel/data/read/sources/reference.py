"""What other files are read with: schools, term dates, deprivation by postcode.

In:  Get Information about Schools, a list of school days, a lookup of postcodes.
Out: schools, calendar.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.read.sources.source import Context, Facts, Source, column

__all__ = ["SCHOOLS", "SOURCES"]

SCHOOLS = "Schools (Get Information about Schools)"
"""The source of the list of schools."""

HALF_TERM = r"(?i)^\s*(?:ht|half[ \-]?term)\s*([1-6])\s*$"
"""A number of a half-term with its word before it."""


def _schools(frame: pd.DataFrame, context: Context) -> Facts:
    phase = frame["phaseofeducationname"].astype("str").str.lower()
    kind = frame["typeofestablishmentname"].astype("str").str.lower()
    schools = pd.DataFrame(
        {
            "school_id": frame["urn"].astype("str"),
            "urn": frame["urn"],
            "name": column(frame, "establishmentname"),
            "phase": np.select(
                [
                    phase.str.contains("primary"),
                    phase.str.contains("secondary"),
                    phase.str.contains("16"),
                ],
                ["primary", "secondary", "post16"],
                "all_through",
            ),
            "kind": np.select(
                [kind.str.contains("special"), kind.str.contains("referral|alternative provision")],
                ["special", "AP"],
                "mainstream",
            ),
            "local_authority": frame["lacode"],
        }
    )
    return {"schools": schools}


def _term_dates(frame: pd.DataFrame, context: Context) -> Facts:
    return {
        "calendar": pd.DataFrame(
            {
                "date": frame["date"],
                "term": frame["term"],
                "half_term": frame["halfterm"]
                .astype("object")
                .replace(HALF_TERM, r"\1", regex=True),
            }
        )
    }


SOURCES = (
    Source(
        name=SCHOOLS,
        facts=_schools,
        columns=frozenset({"urn", "lacode", "phaseofeducationname", "typeofestablishmentname"}),
    ),
    Source(name="Term dates", facts=_term_dates, columns=frozenset({"date", "term", "halfterm"})),
    Source(name="Postcode lookup", columns=frozenset({"postcode", "idacidecile"})),
)
"""Reference files."""
