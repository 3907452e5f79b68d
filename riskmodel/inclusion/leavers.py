"""Where each pupil was in the winter after Year 11, by the school they left.

In:  rolls, NCCIS positions.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per group of destinations, followed pupil by pupil.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.data.neet_positions import positions
from riskmodel.data.year_groups import LAST_SECONDARY
from riskmodel.inclusion.counts import Counts, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["DESTINATIONS", "ONCE_A_YEAR", "leavers"]

DESTINATIONS = ("education", "work", "neet", "not_known", "elsewhere")
"""Groups; ``work`` is employment or training, ``elsewhere`` custody or re-engagement."""

GROUPS = {
    "employment": "work",
    "training": "work",
    "custody": "elsewhere",
    "reengagement": "elsewhere",
}
"""Group of NCCIS activities → destination, where it has another name."""

ONCE_A_YEAR = "Counted once a school year."

WINTER = (1, 31)
"""Month and day of the position: in the middle of December to February, which DfE averages."""

SUMMER = (5, 15)
"""Month and day on which Year 11 is counted: the summer School Census, before study leave ends."""


def leavers(facts: Facts) -> dict[str, Counts]:
    """Count where the pupils of each Year 11 were in the winter after it.

    Parameters
    ----------
    facts : Facts
        With ``destinations``, or nothing is known.

    Returns
    -------
    dict of str to Counts
        ``leavers_`` and a group of :data:`DESTINATIONS` → pupils, of all who were on the school's
        main roll in Year 11 that May. School years only; the year is that of Year 11. A pupil without
        a position since that May is not known.
    """
    table = facts.table("destinations")
    confirmed, known = days_of(table["confirmed_on"]), positions(table)
    known = known.assign(pupil=pupils_of(known), group=known["group"].replace(GROUPS))
    counts = np.zeros((len(DESTINATIONS), *facts.shape))
    why = np.full(facts.shape[1], ONCE_A_YEAR, dtype=object)
    for number in range(facts.n_terms, facts.shape[1]):
        year = int(facts.periods["year"].iloc[number])
        may, winter = pd.Timestamp(year + 1, *SUMMER), pd.Timestamp(year + 2, *WINTER)
        low, high = days_of(pd.Series([may, winter]))
        why[number] = _unknown(facts, winter, int(((confirmed >= low) & (confirmed <= high)).sum()))
        latest = known[known["start"].between(low, high).to_numpy()]
        counts[:, :, number] = _by_destination(facts, int(low), latest)
    whole = counts.sum(axis=0)
    return {
        f"leavers_{name}": settle(count, whole, why, "Nobody was in Year 11.")
        for name, count in zip(DESTINATIONS, counts, strict=True)
    }


def _by_destination(facts: Facts, day: int, known: pd.DataFrame) -> NDArray[np.float64]:
    """Return pupils in Year 11 on a day by destination and school, from positions in order."""
    cohort = facts.rolls_on(day)
    cohort = cohort[(cohort["now"] == LAST_SECONDARY).to_numpy()]
    latest = known.drop_duplicates("pupil", keep="last").set_index("pupil")
    went = cohort["pupil"].map(latest["group"])
    index = pd.Index(DESTINATIONS).get_indexer(pd.Index(went.where(went.notna(), "not_known")))
    counts = np.zeros((len(DESTINATIONS), facts.shape[0]))
    np.add.at(counts, (index, cohort["school"].to_numpy()), 1)
    return counts


def _unknown(facts: Facts, winter: pd.Timestamp, n_positions: int) -> str:
    if "destinations" not in facts.tables:
        return "The extracts hold no table of positions after Year 11."
    if winter >= facts.as_of:
        return f"Not known before {winter.day} {winter:%B %Y}, the winter after Year 11."
    return "" if n_positions else "The extracts hold no positions of the winter after Year 11."
