"""Half-days in school, from the possible ones: a census lists absence by code, and possible ones as a sum.

In:  termly totals by code; the possible half-days of pupils and terms.
Out: termly totals that hold presence too, so that rates can be known.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.codes import IN_SCHOOL, marks_of
from riskmodel.data.codes import POSSIBLE as FAMILIES
from riskmodel.data.columns import Table
from riskmodel.data.schema import TABLES, as_codes

__all__ = ["POSSIBLE", "beyond_possible", "with_presence"]

_TOTALS = TABLES["absence_totals"]

POSSIBLE = Table(
    name="possible",
    row="term of a pupil",
    columns=tuple(_TOTALS[name] for name in ("pupil_id", "term_end", "sessions", "recorded_on")),
    key=("pupil_id", "term_end"),
)
"""Possible half-days as the census gives them, before absence is taken away."""

PRESENT = IN_SCHOOL[0]
"""Code of the half-days in school; of mornings, in place of both."""


def with_presence(totals: pd.DataFrame, possible: pd.DataFrame) -> pd.DataFrame:
    """Add the half-days in school to termly totals of absence.

    Parameters
    ----------
    totals : DataFrame
        Rows of ``absence_totals``, with ``_file`` and ``_place``.
    possible : DataFrame
        Rows of :data:`POSSIBLE`, with ``_school``, ``_file`` and ``_place``.

    Returns
    -------
    DataFrame
        The totals. Where those of a pupil's term hold no half-days in school, what other codes leave of
        the possible half-days is added as present; not in a term of which nobody has totals, for then the
        tables of absence are missing; nor where the pupil was at two schools, or a later return changed
        the totals.
    """
    left = _left(totals, possible)
    left = left[((left["sessions"] > 0) & (left["n_present"] == 0)).to_numpy()]
    mark = as_codes([PRESENT] * len(left), list(totals["mark"].cat.categories))
    added = left.drop(columns=["listed", "n_present"]).assign(mark=mark)
    return pd.concat([totals, added], ignore_index=True)


def beyond_possible(totals: pd.DataFrame, possible: pd.DataFrame) -> pd.DataFrame:
    """Return the possible half-days of the terms in which a pupil has more absence than that.

    Parameters
    ----------
    totals, possible : DataFrame
        As :func:`with_presence` takes them.

    Returns
    -------
    DataFrame
        Rows of ``possible``; ``sessions`` below 0 is how many there are too many. Not compared are pupils
        of two schools in the term, totals that a later return changed, and those with half-days in school.
    """
    left = _left(totals, possible)
    return left[((left["sessions"] < 0) & (left["n_present"] == 0)).to_numpy()]


def _left(totals: pd.DataFrame, possible: pd.DataFrame) -> pd.DataFrame:
    """Return the possible half-days that no code names; ``n_present`` counts the totals in school.

    Codes of half-days that are not possible (a closed school, not required) take nothing away.
    """
    key = list(POSSIBLE.key)
    stated = possible[possible["term_end"].isin(totals["term_end"]).to_numpy()]
    stated = stated.drop_duplicates([*key, "sessions", "recorded_on", "_school"])
    again = totals[totals.duplicated([*key, "mark"]).to_numpy()]
    several = pd.concat(
        [stated[stated.duplicated(key).to_numpy()][key], again[key]]
    ).drop_duplicates()
    once = stated.merge(several, on=key, how="left", indicator="_once")
    first = stated[(once["_once"] == "left_only").to_numpy()]
    mark = totals["mark"].astype("str")
    is_possible = mark.isin(marks_of(*FAMILIES)).to_numpy()
    counted = totals.assign(
        listed=totals["sessions"].where(is_possible, 0), n_present=mark.isin(IN_SCHOOL).to_numpy()
    )
    sums = counted.groupby(key, observed=True)[["listed", "n_present"]].sum().reset_index()
    left = first.merge(sums, on=key, how="left").fillna({"listed": 0, "n_present": 0})
    return left.assign(sessions=(left["sessions"] - left["listed"]).astype("int64"))
