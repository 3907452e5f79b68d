"""What young people do after Year 11, as far as it was confirmed.

In:  NCCIS positions, one row for each time one was confirmed.
Out: where each young person was from which day on.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.arrays import days_of
from riskmodel.data.codes import activity_groups

__all__ = ["CURRENT_MONTHS", "positions"]

CURRENT_MONTHS = 6
"""Months after its last confirmation for which a position without ``lapses_on`` counts as known (chosen)."""


def positions(destinations: pd.DataFrame) -> pd.DataFrame:
    """Return where each young person was from which day on.

    Parameters
    ----------
    destinations : DataFrame
        Rows of ``destinations``.

    Returns
    -------
    DataFrame
        ``pupil_id``, ``start`` (days since 1970) and ``group`` (of
        :func:`~riskmodel.data.codes.activity_groups`), sorted by pupil and start. A position lasts
        until the next one starts; where it was not confirmed for too long before that, a row
        ``"not_known"`` stands in between.

    Examples
    --------
    >>> day = pd.to_datetime(["2024-09-01", "2024-09-01", "2025-09-01"]).as_unit("s")
    >>> facts = pd.DataFrame({"pupil_id": ["a", "a", "a"], "activity_code": ["230", "230", "619"],
    ...     "group": None, "start_date": day, "lapses_on": pd.NaT,
    ...     "confirmed_on": pd.to_datetime(["2024-09-30", "2024-12-31", "2025-09-30"]).as_unit("s")})
    >>> made = positions(facts)
    >>> made["start"].to_numpy().astype("datetime64[D]").astype(str).tolist()
    ['2024-09-01', '2025-06-30', '2025-09-01', '2026-03-30']
    >>> made["group"].tolist()
    ['education', 'not_known', 'neet', 'not_known']
    """
    ordered = destinations.sort_values(
        ["pupil_id", "start_date", "confirmed_on", "activity_code"], kind="stable"
    )
    latest = ordered.drop_duplicates(["pupil_id", "start_date"], keep="last")
    start, confirmed = days_of(latest["start_date"]), days_of(latest["confirmed_on"])
    usual = latest["confirmed_on"] + pd.DateOffset(months=CURRENT_MONTHS)
    lapse = days_of(latest["lapses_on"].astype("datetime64[s]").fillna(usual))
    lapse = np.maximum(lapse, np.maximum(start, confirmed) + 1)
    made = pd.DataFrame(
        {"pupil_id": latest["pupil_id"].array, "start": start, "group": activity_groups(latest)}
    )
    following = made.groupby("pupil_id", observed=True)["start"].shift(-1).to_numpy()
    lapsed = ~(following <= lapse)
    unknown = made[lapsed].assign(start=lapse[lapsed], group="not_known")
    return pd.concat([made, unknown]).sort_values(
        ["pupil_id", "start"], kind="stable", ignore_index=True
    )
