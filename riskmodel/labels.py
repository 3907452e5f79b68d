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

from riskmodel.cohort import GAP_DAYS
from riskmodel.data import Tables
from riskmodel.data.arrays import days_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.neet_positions import positions
from riskmodel.data.outcomes import outcome_of
from riskmodel.data.year_groups import LAST_SECONDARY, finishes_school, year_group_on

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

_NO_POSITION, _NOT_KNOWN, _NEET, _ELSEWHERE = range(4)
"""Where a young person was; everything but NEET and not known is elsewhere, custody included."""

_NEVER = np.datetime64("NaT", "s")

SERIOUS_HALF_DAYS = 20
"""Half-days lost to suspension from which a year counts as a serious suspension: ten school days."""

Labels: TypeAlias = tuple[NDArray[np.object_], NDArray[np.datetime64]]
"""Status of each row, and the day of its event."""


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
    needed = Tables({name: tables[name] for name in outcome_of(outcome).label_tables})
    status, event_on = LABELLERS[outcome](needed.as_known(known_by), spine, end)
    event_on = np.where(status == "event", event_on, _NEVER)
    status[(end > known_by).to_numpy()] = "not_yet"
    number = np.select([status == "event", status == "no_event"], [1.0, 0.0], np.nan)
    labels = {
        "label": number,
        "status": pd.Categorical(status, categories=list(STATUSES)),
        "horizon_end": end.to_numpy(),
        "event_on": event_on,
    }
    return pd.DataFrame(labels, index=spine.index)


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


def _keys(pupils: pd.Series, days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join pupil number and day into one sortable number."""
    return pupils.cat.codes.to_numpy().astype(np.int64) * 10**7 + days


def _label_pex(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    facts = known["suspensions"]
    excluded = facts[(facts["category"] == "PERM").to_numpy()]
    keys = np.sort(_keys(excluded["pupil_id"], days_of(excluded["start_date"])))
    on_day = _keys(spine["pupil_id"], days_of(spine["as_of"]))
    start = np.searchsorted(keys, on_day)
    stop = np.searchsorted(keys, _keys(spine["pupil_id"], days_of(end)))
    # of a pupil excluded before the list but not known to be, nothing can be foreseen any more
    known_from = excluded[["start_date", "recorded_on"]].max(axis=1)
    n_known = np.searchsorted(np.sort(_keys(excluded["pupil_id"], days_of(known_from))), on_day)
    stays = _observed_until(known["enrolments"], spine, days_of(end)) & (start == n_known)
    status = np.where(stop > start, "event", np.where(stays, "no_event", "censored"))
    first = np.append(keys, 0)[start] % 10**7
    return status.astype(object), first.astype("datetime64[D]").astype("datetime64[s]")


def _observed_until(
    rolls: pd.DataFrame, spine: pd.DataFrame, end: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each pupil was on some roll from as_of to the end, or finished Year 11.

    A pupil who finished Year 11 can no longer be excluded from school. If such pupils were censored,
    only those who were excluded would remain in Year 11.
    """
    if rolls.empty:
        return np.zeros(len(spine), dtype=bool)
    runs = _runs(rolls)
    keys = _keys(runs["pupil_id"], runs["entry"].to_numpy())
    place = np.searchsorted(keys, _keys(spine["pupil_id"], days_of(spine["as_of"])), "right") - 1
    same = runs["pupil_id"].cat.codes.to_numpy()[place] == spine["pupil_id"].cat.codes.to_numpy()
    same &= place >= 0  # else the place before the first run, the last one's, is taken for theirs
    # the leaving day is the last day on the roll, the horizon ends before its last day
    stays = (runs["leave"].to_numpy()[place] >= end - 1) | runs["finished"].to_numpy()[place]
    return np.asarray(same & stays)


def _runs(rolls: pd.DataFrame) -> pd.DataFrame:
    """Join each pupil's spells on rolls into runs without a long gap, sorted by pupil and entry."""
    rolls = rolls.assign(
        entry=days_of(rolls["entry_date"]),
        leave=days_of(rolls["leaving_date"]),
        finish=np.where(_finishes(rolls), days_of(rolls["leaving_date"]), -1),
    ).sort_values(["pupil_id", "entry", "leave"], kind="stable")
    reached = rolls.groupby("pupil_id", observed=True)["leave"].cummax()
    before = reached.groupby(rolls["pupil_id"], observed=True).shift(1)
    is_new = before.isna() | (rolls["entry"] > before + GAP_DAYS)
    spells = rolls.assign(run=is_new.cumsum()).groupby("run")
    runs = spells[["leave", "finish"]].max()
    runs["pupil_id"] = rolls["pupil_id"][is_new].array
    runs["entry"] = spells["entry"].min()
    runs["finished"] = runs["finish"] == runs["leave"]
    return runs


def _finishes(rolls: pd.DataFrame) -> NDArray[np.bool_]:
    """Whether each spell ended because compulsory schooling did: from June of Year 11 on."""
    left = rolls["leaving_date"]
    completed = (rolls["leaving_reason"] == "completed").to_numpy(dtype=bool)
    return np.asarray(completed & finishes_school(year_group_on(rolls, left), left))


def _count_months(
    destinations: pd.DataFrame, pupils: pd.Series, first_month: pd.Series, number: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Count the month ends that were NEET and not known, and mark who had no position at all.

    At a month end the latest position that had started counts.
    """
    known = positions(destinations)
    keys = _keys(known["pupil_id"], known["start"].to_numpy())
    # one entry is put before all others, for pupils whose first position comes later or never
    owners = np.append(-1, known["pupil_id"].cat.codes.to_numpy())
    groups = np.append(_NO_POSITION, _groups(known["group"]))
    neet = np.zeros(len(pupils), dtype=np.int64)
    unknown = np.zeros(len(pupils), dtype=np.int64)
    none = np.ones(len(pupils), dtype=bool)
    start = first_month.to_numpy().astype("datetime64[M]")
    for month in range(number):
        last_day = (start + month + 1).astype("datetime64[D]").astype(np.int64) - 1
        place = np.searchsorted(keys, _keys(pupils, last_day), "right")
        where = np.where(owners[place] == pupils.cat.codes, groups[place], _NO_POSITION)
        neet += where == _NEET
        unknown += where <= _NOT_KNOWN
        none &= where == _NO_POSITION
    return neet, unknown, none


def _groups(group: pd.Series) -> NDArray[np.int8]:
    """Return where each group of activities leaves a young person."""
    numbers = {"neet": _NEET, "not_known": _NOT_KNOWN}
    return np.asarray(group.map(numbers).fillna(_ELSEWHERE), dtype=np.int8)


def _label_neet(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    # the horizon ends on 1 March: its months are December, January and February (DfE: the
    # published rate is the average of the three)
    december = end - pd.DateOffset(months=3)
    neet, unknown, none = _count_months(known["destinations"], spine["pupil_id"], december, 3)
    # June of Year 11 lies nine months before the 1 March after it
    june = days_of(end - pd.DateOffset(months=9))
    rolls = known["enrolments"]
    left_early = (
        _latest(rolls["pupil_id"], days_of(rolls["leaving_date"]), spine["pupil_id"]) < june
    )
    status = np.select(
        [neet >= 2, 3 - neet - unknown >= 2, none & left_early],
        ["event", "no_event", "censored"],
        "not_known",
    )
    return status.astype(object), december.to_numpy().astype("datetime64[s]")


def _latest(pupils: pd.Series, days: NDArray[np.int64], wanted: pd.Series) -> NDArray[np.int64]:
    """Return the latest day of each wanted pupil; far in the past where there is none."""
    latest = np.full(len(pupils.cat.categories) + 1, -(10**6), dtype=np.int64)
    np.maximum.at(latest, pupils.cat.codes.to_numpy(), days)
    return np.asarray(latest[wanted.cat.codes.to_numpy()])


def _label_post16(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    facts = known["destinations"]
    neet, unknown, _ = _count_months(facts, spine["pupil_id"], spine["as_of"], 12)
    confirmed = _latest(facts["pupil_id"], days_of(facts["confirmed_on"]), spine["pupil_id"])
    status = np.select(
        [confirmed < days_of(spine["as_of"]), neet >= 6, neet + unknown < 6],
        ["censored", "event", "no_event"],
        "not_known",
    )
    return status.astype(object), np.full(len(spine), _NEVER)


def _serious_suspensions(known: Tables, spine: pd.DataFrame, end: pd.Series) -> NDArray[np.int64]:
    """Mark pupils whose suspensions within the horizon take :data:`SERIOUS_HALF_DAYS` or more."""
    facts = known["suspensions"]
    facts = facts[(facts["category"] == "SUSP").to_numpy() & facts["sessions"].notna().to_numpy()]
    keys = _keys(facts["pupil_id"], days_of(facts["start_date"]))
    order = np.argsort(keys, kind="stable")
    lost = np.append(0.0, facts["sessions"].to_numpy(dtype=float)[order].cumsum())
    start, stop = (
        np.searchsorted(keys[order], _keys(spine["pupil_id"], days_of(day)))
        for day in (spine["as_of"], end)
    )
    return (lost[stop] - lost[start] >= SERIOUS_HALF_DAYS).astype(np.int64)


Labeller: TypeAlias = Callable[[Tables, pd.DataFrame, pd.Series], Labels]
"""Takes the tables as known on a day, the spine, and the end of each row's horizon."""

LABELLERS: Mapping[str, Labeller] = {
    "pex": _label_pex,
    "neet": _label_neet,
    "neet-post16": _label_post16,
}
"""Outcome → the function that labels it."""

Companion: TypeAlias = Callable[[Tables, pd.DataFrame, pd.Series], NDArray[np.int64]]
"""Takes what a :data:`Labeller` takes; 1 where the frequent outcome happened."""

RELATED: Mapping[str, tuple[str, Companion]] = {
    "serious suspension": ("suspensions", _serious_suspensions)
}
"""A frequent outcome that shares the path to a rare one → the table and the function that find it."""
