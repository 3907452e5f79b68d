"""Suspensions and permanent exclusions as schools tell the LA within days.

In:  one row per suspension or exclusion.
Out: suspensions.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.source import Context, Facts, Source, column

__all__ = ["SOURCES", "school_of"]


def _exclusions(frame: pd.DataFrame, context: Context) -> Facts:
    suspensions = pd.DataFrame(
        {
            "pupil_id": frame["pupil_id"],
            "school_id": school_of(frame["estab"], context),
            "start_date": frame["startdate"],
            "sessions": column(frame, "sessions"),
            "category": frame["category"].astype("str").str.strip().replace({"FIXD": "SUSP"}),
            **{f"reason_{i}": column(frame, f"reason{i}") for i in (1, 2, 3)},
            "recorded_on": column(frame, "datenotified"),
            "reinstated_on": column(frame, "reinstatementdate"),
        }
    )
    return {"suspensions": suspensions}


def school_of(number: pd.Series, context: Context) -> pd.Series:
    """Return the school of each establishment number.

    Parameters
    ----------
    number : Series of shape (n_rows,)
        Numbers, with or without leading zeros.
    context : Context
        Knows the schools.

    Returns
    -------
    Series of shape (n_rows,)
        ``school_id``, or the number where no school has it.
    """
    text = number.astype("str").str.strip().str.zfill(4)
    return text.map(context.school_of_number).astype("object").fillna(text)


SOURCES = (
    Source(
        name="Suspensions and exclusions",
        upn="upn",
        facts=_exclusions,
        columns=frozenset({"upn", "estab", "category", "startdate"}),
        aliases={"reason": "reason1", "establishmentnumber": "estab"},
    ),
)
"""What schools tell."""
