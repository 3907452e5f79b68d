"""Lost from mainstream: exclusion, managed move, alternative provision, home education, no destination.

In:  tables as known on a day, a spine, ends of horizons.
Out: status and day of the event of each row; which of the parts came first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.cohort import GAP_DAYS
from riskmodel.data import Tables
from riskmodel.data.arrays import OPEN, days_of
from riskmodel.data.tables import empty_table, schools_by_id
from riskmodel.labelling.arrays import Labels, keys_of
from riskmodel.labelling.rolls import stays_until
from riskmodel.leaving import home_starts, rolls_as_numbers, went

__all__ = ["EXITS", "first_exits", "label_exit"]

EXITS = (
    "permanent exclusion",
    "managed move",
    "alternative provision",
    "home education",
    "no destination known",
)
"""The parts of the outcome; of two on one day the first named counts."""

_BY_REASON = {
    "permanently_excluded": "permanent exclusion",
    "managed_move": "managed move",
    "home_educated": "home education",
}
_BY_CIRCUMSTANCE = {
    "managed_move": "managed move",
    "alternative_provision": "alternative provision",
    "home_educated": "home education",
}


def label_exit(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label pupils who are lost from mainstream within the horizon.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status, and the day of the exit.
    """
    _, day = first_exits(known, spine, end)
    stays = stays_until(known["enrolments"], spine, days_of(end))
    status = np.where(day < OPEN, "event", np.where(stays, "no_event", "censored"))
    on = np.where(day < OPEN, day, 0).astype("datetime64[D]").astype("datetime64[s]")
    return status.astype(object), on


def first_exits(
    known: Tables, spine: pd.DataFrame, end: pd.Series
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return how each pupil was first lost from mainstream within the horizon, and when.

    Parameters
    ----------
    known : Tables
        Facts as known on a day: ``enrolments``; ``suspensions``, ``circumstances`` and ``schools``
        where they are there.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon.

    Returns
    -------
    part : object array of shape (n_rows,)
        One of :data:`EXITS`; None where there was none.
    day : int array of shape (n_rows,)
        Day since 1970; ``OPEN`` where there was none. A pupil who leaves the rolls with no destination
        counts if no other roll begins within :data:`riskmodel.cohort.GAP_DAYS` days, and if these are
        over before the horizon is.
    """
    events = pd.concat(list(_events(known)), ignore_index=True)
    events["place"] = events["part"].map({part: place for place, part in enumerate(EXITS)})
    events = events.sort_values(["pupil_id", "day", "place"], kind="stable")
    # the last days of the horizon cannot show yet that no destination becomes known
    is_sure = (events["decided"] == events["day"]).to_numpy()
    part, day = _first(events[is_sure], spine, end)
    other, later = _first(events[~is_sure], spine, end)
    is_other = later < day
    return np.where(is_other, other, part), np.where(is_other, later, day)


def _first(
    events: pd.DataFrame, spine: pd.DataFrame, end: pd.Series
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the first event of each row's horizon, where it is sure before the horizon ends."""
    keys = keys_of(events["pupil_id"], events["day"].to_numpy())
    first = np.searchsorted(keys, keys_of(spine["pupil_id"], days_of(spine["as_of"])))
    last = np.searchsorted(keys, keys_of(spine["pupil_id"], days_of(end)))
    decided = np.append(events["decided"].to_numpy(), OPEN)[first] <= days_of(end)
    found = (last > first) & decided
    part = np.append(events["part"].to_numpy(dtype=object), [None])[first]
    day = np.append(events["day"].to_numpy(), OPEN)[first]
    part[~found] = None
    return part, np.where(found, day, OPEN)


def _events(known: Tables) -> Iterator[pd.DataFrame]:
    """Yield the exits of each table: ``pupil_id``, ``day``, ``part``, ``decided`` (first day it is sure)."""
    rolls = known["enrolments"]
    yield _dated(rolls, "leaving_date", rolls["leaving_reason"].map(_BY_REASON))
    yield _dated(rolls, "leaving_date", _without_destination(known), days_later=GAP_DAYS)
    if "schools" in known:
        kind = schools_by_id(known)["kind"].reindex(rolls["school_id"])
        in_ap = pd.Series((kind == "AP").to_numpy(), index=rolls.index)
        yield _dated(rolls, "entry_date", in_ap.map({True: "alternative provision"}))
    if "suspensions" in known:
        facts = known["suspensions"]
        yield _dated(facts, "start_date", facts["category"].map({"PERM": "permanent exclusion"}))
    if "circumstances" in known:
        spells = known["circumstances"]
        yield _dated(spells, "start_date", spells["kind"].map(_BY_CIRCUMSTANCE))


def _dated(facts: pd.DataFrame, date: str, part: pd.Series, days_later: int = 0) -> pd.DataFrame:
    """Return the facts that are an exit, with its day and the first day on which that is sure."""
    chosen = (part.notna() & facts[date].notna()).to_numpy()
    day = days_of(facts[date][chosen])
    return pd.DataFrame(
        {"pupil_id": facts["pupil_id"][chosen].array, "day": day, "decided": day + days_later,
         "part": part[chosen].to_numpy(dtype=object)}
    )  # fmt: skip


def _without_destination(known: Tables) -> pd.Series:
    """Return which rolls ended with no destination known."""
    facts = known["enrolments"]
    rolls = rolls_as_numbers(facts, pd.factorize(facts["school_id"])[0]).set_axis(facts.index)
    left = rolls[(rolls["leaving"] < OPEN).to_numpy()]
    spells = known["circumstances"] if "circumstances" in known else empty_table("circumstances")
    ends = pd.Series(
        went(left.reset_index(drop=True), rolls, home_starts(spells)), index=left.index
    )
    return ends.map({"unknown": EXITS[-1]}).reindex(facts.index)
