"""Peer counts: whole numbers of all pupils on a roll on a day, by school and by year group.

In:  the numbers of every pupil, who was on which roll, and what happened at each school.
Out: sums from which a pupil's own numbers can be taken away again.

Whole numbers add up to the same whatever part of the pupils is counted first. Engines that split the
pupils therefore agree to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["KEYS", "PeerCounts", "incidents_on"]

KEYS = {"school": "school_id", "year_group": "year_group"}
"""Kind of peers → the column that they share."""

TERM_DAYS, YEAR_DAYS = 91, 365
"""Days within which a suspension counts for its school."""

Sums = Mapping[str, pd.DataFrame]
"""Kind of peers → sums, one row per school or year group."""


@dataclass(frozen=True)
class PeerCounts:
    """What pupils and schools contribute to the numbers of their peers on one day.

    Attributes
    ----------
    numbers : DataFrame
        One row per pupil number, one int64 column per number, ``pupils`` first.
    roll : DataFrame
        ``pupil``, ``school_id``, ``year_group`` of everyone on a roll.
    incidents : mapping of str to DataFrame
        Number → ``pupil_id``, ``school_id`` of the facts that count for a school, whether or not the
        pupil is still there.
    """

    numbers: pd.DataFrame = field(repr=False)
    roll: pd.DataFrame = field(repr=False)
    incidents: Mapping[str, pd.DataFrame] = field(repr=False)

    def add_up(self) -> Sums:
        """Return the sums over everyone on a roll.

        Returns
        -------
        mapping of str to DataFrame
            ``"school"`` (index: school) and ``"year_group"`` (index: year group): one int64 column
            per number, ``pupils`` first.
        """
        sums = {}
        for kind, key in KEYS.items():
            once = self.roll.drop_duplicates(["pupil", key])
            rows = self.numbers.iloc[once["pupil"].to_numpy()].reset_index(drop=True)
            sums[kind] = rows.groupby(once[key].to_numpy()).sum()
        if self.incidents:
            counts = {
                name: facts["school_id"].value_counts() for name, facts in self.incidents.items()
            }
            joined = sums["school"].join(pd.DataFrame(counts), how="outer")
            sums["school"] = joined.fillna(0).astype(np.int64)
        return sums

    def peer_sums(
        self, sums: Sums, kind: str, spine: pd.DataFrame, pupil: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the sums of each pupil's peers, the pupil left out.

        Parameters
        ----------
        sums : mapping of str to DataFrame
            As from :meth:`add_up`; where pupils are split into parts, those of all parts together.
        kind : str
            ``"school"`` or ``"year_group"``.
        spine : DataFrame
            ``pupil_id``, ``school_id``, ``year_group`` of the pupils wanted.
        pupil : int array of shape (n_rows,)
            Pupil number of each row of the spine.

        Returns
        -------
        dict of str to float array of shape (n_rows,)
            Number → one value per row of the spine; nan where the school or year group has no roll.
        """
        key = KEYS[kind]
        of_peers = sums[kind].reindex(spine[key].to_numpy())
        is_counted = self._is_on_roll(key, pupil, spine[key])
        own = {
            str(name): np.where(is_counted, column, 0)
            for name, column in self.numbers.iloc[pupil].items()
        }
        if kind == "school":
            own |= {name: _own_incidents(facts, spine) for name, facts in self.incidents.items()}
        return {name: of_peers[name].to_numpy(dtype=float) - mine for name, mine in own.items()}

    def _is_on_roll(
        self, key: str, pupil: NDArray[np.int64], wanted: pd.Series
    ) -> NDArray[np.bool_]:
        """Return which pupils the sums of their school or year group hold."""
        on_roll = self.roll.drop_duplicates(["pupil", key])
        there = pd.MultiIndex.from_arrays([on_roll["pupil"], on_roll[key]])
        return np.asarray(pd.MultiIndex.from_arrays([pupil, wanted]).isin(there))


def incidents_on(suspensions: pd.DataFrame, day: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Return the suspensions and exclusions that count for a school on a day.

    Parameters
    ----------
    suspensions : DataFrame
        ``pupil_id``, ``school_id``, ``category``, ``start_date``.
    day : Timestamp
        The day.

    Returns
    -------
    dict of str to DataFrame
        ``suspensions_3`` and ``suspensions_12`` (within so many months), ``exclusions`` (ever).
    """
    age = (day - suspensions["start_date"]).dt.days
    is_suspension = (suspensions["category"] == "SUSP") & (age > 0)
    return {
        "suspensions_3": suspensions[is_suspension & (age <= TERM_DAYS)],
        "suspensions_12": suspensions[is_suspension & (age <= YEAR_DAYS)],
        "exclusions": suspensions[(suspensions["category"] == "PERM") & (age > 0)],
    }


def _own_incidents(facts: pd.DataFrame, spine: pd.DataFrame) -> NDArray[np.float64]:
    """Return how many of the facts are of the pupil, at the pupil's school, by row of the spine."""
    pairs = facts.groupby(["pupil_id", "school_id"], observed=True).size()
    mine = spine[["pupil_id", "school_id"]].merge(
        pairs.rename("own").reset_index(), on=["pupil_id", "school_id"], how="left"
    )
    return mine["own"].fillna(0).to_numpy(dtype=float)
