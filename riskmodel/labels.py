"""What happened within the horizon: the label, and when it became known.

In:  tables, a spine, an outcome, the day on which one stands.
Out: per row 1, 0 or missing, with the reason why it is missing.

A pupil who left before the horizon ended is censored, not a negative. A young person whose activity
could not be established is not known, not "not NEET".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.calendar import academic_year
from riskmodel.data.outcomes import outcome_of
from riskmodel.data.year_groups import LAST_SECONDARY
from riskmodel.labelling.absence import label_severe_absence
from riskmodel.labelling.arrays import NEVER, Labeller, Labels
from riskmodel.labelling.exits import label_exit
from riskmodel.labelling.positions import label_neet, label_neet_after_16, label_not_known
from riskmodel.labelling.suspensions import (
    label_exclusion,
    label_first_suspension,
    serious_suspensions,
)

__all__ = [
    "LABELLERS",
    "RELATED",
    "STATUSES",
    "Labels",
    "count_status",
    "horizon_end",
    "label",
    "related",
]

STATUSES = ("event", "no_event", "censored", "not_known", "not_yet")
"""What a label can be; only the first two carry a number."""


def horizon_end(spine: pd.DataFrame, outcome: str) -> pd.Series:
    """Return the day on which the horizon of each row is over.

    Parameters
    ----------
    spine : DataFrame
        ``as_of``, ``year_group``.
    outcome : str
        Outcome.

    Returns
    -------
    Series of datetime64
        The first day after the horizon: some months after ``as_of``, or the 1 March after Year 11.

    Raises
    ------
    RequestError
        If the outcome is unknown.
    """
    months = outcome_of(outcome).horizon_months
    if months is not None:
        return (spine["as_of"] + pd.DateOffset(months=months)).astype("datetime64[s]")
    years = academic_year(spine["as_of"]) + (LAST_SECONDARY - spine["year_group"]) + 2
    return pd.to_datetime(years.astype("str") + "-03-01").astype("datetime64[s]")


def label(
    tables: Tables, spine: pd.DataFrame, outcome: str, *, known_by: pd.Timestamp
) -> pd.DataFrame:
    """Label each row of the spine as it was known on a day.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before ``known_by`` are used.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``.
    outcome : str
        One of :data:`riskmodel.data.outcomes.OUTCOMES`; its ``policy`` says what counts.
    known_by : Timestamp
        The day on which one stands.

    Returns
    -------
    DataFrame
        Aligned with the spine: ``label`` (1, 0 or nan), ``status`` (one of :data:`STATUSES`),
        ``horizon_end``, ``event_on`` (the first day of the exclusion; 1 December after Year 11 for
        ``"neet"``; missing elsewhere). A label is missing until its horizon has ended, but an event
        that is known has its day before.

    Raises
    ------
    DataError
        If the extracts lack a table the label comes from.
    RequestError
        If the outcome is unknown.
    """
    end = horizon_end(spine, outcome)
    status, event_on = LABELLERS[outcome](_facts(tables, outcome, known_by), spine, end)
    event_on = np.where(status == "event", event_on, NEVER)
    status[(end > known_by).to_numpy()] = "not_yet"
    number = np.select([status == "event", status == "no_event"], [1.0, 0.0], np.nan)
    labels = {
        "label": number,
        "status": pd.Categorical(status, categories=list(STATUSES)),
        "horizon_end": end.to_numpy(),
        "event_on": event_on,
    }
    return pd.DataFrame(labels, index=spine.index)


def _facts(tables: Tables, outcome: str, known_by: pd.Timestamp) -> Tables:
    """Return the facts that a label comes from, as they were known on a day."""
    one = outcome_of(outcome)
    needed = {name: tables[name] for name in one.label_tables}
    more = {name: tables[name] for name in one.label_tables_if_there if name in tables}
    known = Tables(needed | more).as_known(known_by)
    if "sessions" in needed:
        return Tables({**known, "sessions": tables.marks_as_known(known_by)})
    return known


def related(
    tables: Tables, spine: pd.DataFrame, outcome: str, *, known_by: pd.Timestamp
) -> NDArray[np.int64] | None:
    """Return a frequent outcome that shares the path to a rare one, as it was known on a day.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before ``known_by`` are used.
    spine : DataFrame
        ``pupil_id``, ``as_of``.
    outcome : str
        Outcome.
    known_by : Timestamp
        The day on which one stands.

    Returns
    -------
    int array of shape (n_rows,), or None
        1 where it happened within the horizon; what it is, the outcome's ``related`` names. None where
        the outcome has no such companion, or the tables lack what it is counted from.

    Raises
    ------
    RequestError
        If the outcome is unknown.
    """
    companion = outcome_of(outcome).related
    if companion is None:
        return None
    table, find = RELATED[companion]
    if table not in tables:
        return None
    known = Tables({table: tables[table]}).as_known(known_by)
    return find(known, spine, horizon_end(spine, outcome))


def count_status(labels: pd.DataFrame) -> pd.DataFrame:
    """Count the rows of each status.

    Parameters
    ----------
    labels : DataFrame
        From :func:`label`.

    Returns
    -------
    DataFrame
        ``status``, ``rows``; every status is there.
    """
    counts = labels["status"].value_counts().reindex(list(STATUSES), fill_value=0)
    return pd.DataFrame({"status": list(STATUSES), "rows": counts.to_numpy()})


LABELLERS: Mapping[str, Labeller] = {
    "pex": label_exclusion,
    "neet": label_neet,
    "neet-post16": label_neet_after_16,
    "exit": label_exit,
    "not-known": label_not_known,
    "severe-absence": label_severe_absence,
    "first-suspension": label_first_suspension,
}
"""Outcome → the function that labels it."""

Companion: TypeAlias = Callable[[Tables, pd.DataFrame, pd.Series], NDArray[np.int64]]
"""Takes what a labelling function takes; 1 where the frequent outcome happened."""

RELATED: Mapping[str, tuple[str, Companion]] = {
    "serious suspension": ("suspensions", serious_suspensions)
}
"""A frequent outcome that shares the path to a rare one → the table and the function that find it."""
