"""Attendance from termly totals, for an LA without registers: how much, which kind, how it changes.

Totals hold half-days by pupil, term and code. Where they hold the half-days in school too, rates follow.
Where they hold none, there are only counts: lateness alone does not show how often a pupil was in school.
With registers these features are left out: marks say the same sooner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of, whole_days
from riskmodel.data.calendar import TERMS_A_YEAR, term_number
from riskmodel.data.codes import IN_SCHOOL
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.known_half_days import rate_of_known
from riskmodel.features.marks import FAMILIES

__all__ = ["termly_totals"]

TERMS = 6
"""Terms looked back on from a pupil's last one: two years."""

OLDEST_DAYS = 365
"""Days since the end of a pupil's last term from which its totals are too old to be the last."""

Floats = NDArray[np.float64]


@builder(needs=["absence_totals"], unless=["sessions"])
def termly_totals(known: FactsAsOf) -> Columns:
    """Return absence in the last term on record, in the last three, and its change in a year.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    half_days = _half_days_by_term(known)
    attended = half_days["in_school"].sum(axis=1) > 0
    whole = np.where(attended[:, None], half_days["possible"], 0.0)
    is_known = np.where(half_days["marked"][:, 0] > 0, 0.0, np.nan)
    columns = {}
    for family in ("absence", "unauthorised"):
        by_term = half_days[family]
        for window, n_terms in (("last_term", 1), ("3_terms", TERMS_A_YEAR)):
            count, possible = (one[:, :n_terms].sum(axis=1) for one in (by_term, whole))
            columns[f"{family}_total_{window}"] = count + is_known
            columns[f"{family}_total_rate_{window}"] = rate_of_known(count, possible)
    year_ago = rate_of_known(half_days["absence"][:, TERMS_A_YEAR], whole[:, TERMS_A_YEAR])
    change = columns["absence_total_rate_last_term"] - year_ago
    return columns | {"absence_total_change_year": change}


def _half_days_by_term(known: FactsAsOf) -> dict[str, Floats]:
    """Return half-days of each family by row of the spine and term, the pupil's last term first."""
    totals = known.tables["absence_totals"]
    totals = totals[(totals["term_end"] < known.as_of).to_numpy()]
    n_pupils = len(known.spine["pupil_id"].cat.categories)
    pupil, day = pupils_of(totals), whole_days(totals["term_end"])
    term = term_number(totals["term_end"]).to_numpy(dtype=np.int64)
    last = np.full(n_pupils, -1)
    is_recent = day >= known.day - OLDEST_DAYS
    np.maximum.at(last, pupil[is_recent], term[is_recent])
    back = last[pupil] - term
    inside = (back >= 0) & (back < TERMS)
    sums = {}
    wanted = {name: FAMILIES[name] for name in ("absence", "unauthorised", "possible", "marked")}
    for family, marks in (wanted | {"in_school": IN_SCHOOL}).items():
        keep = inside & totals["mark"].isin(marks).to_numpy()
        cell, value = pupil[keep] * TERMS + back[keep], totals["sessions"].to_numpy()[keep]
        added = np.bincount(cell, value, minlength=n_pupils * TERMS).astype("float64")
        sums[family] = added.reshape(n_pupils, TERMS)[known.rows]
    return sums
