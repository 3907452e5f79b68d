"""The onset of severe absence.

In:  tables as known on a day, a spine, ends of horizons.
Out: status of each row; the event has no day of its own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data import Tables
from riskmodel.data.arrays import days_of
from riskmodel.data.codes import SEVERE
from riskmodel.data.missed_half_days import share_missed
from riskmodel.data.outcomes import TERM_MONTHS
from riskmodel.labelling.arrays import NEVER, Labels
from riskmodel.labelling.rolls import stays_until

__all__ = ["label_severe_absence"]


def label_severe_absence(known: Tables, spine: pd.DataFrame, end: pd.Series) -> Labels:
    """Label pupils who miss half or more of what they could attend in one of the next two terms.

    Parameters
    ----------
    known : Tables
        Facts as known on a day.
    spine : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``.
    end : Series of datetime64, shape (n_rows,)
        Day after the horizon; a term is :data:`riskmodel.data.outcomes.TERM_MONTHS` months.

    Returns
    -------
    (object array, datetime64 array), each of shape (n_rows,)
        Status; no event has a day. Of a pupil who left, or of whom a term has too few marks
        (:data:`riskmodel.data.missed_half_days.FEWEST_HALF_DAYS`), it is not known.
    """
    middle = end - pd.DateOffset(months=TERM_MONTHS)
    first, second, last = (days_of(day) for day in (spine["as_of"], middle, end))
    pupils = pd.concat([spine["pupil_id"]] * 2)
    starts, stops = np.append(first, second), np.append(second, last)
    terms = share_missed(known["sessions"], pupils, starts, stops).reshape(2, -1)
    is_severe, is_known = (terms >= SEVERE).any(axis=0), ~np.isnan(terms).any(axis=0)
    stays = stays_until(known["enrolments"], spine, days_of(end))
    status = np.select(
        [is_severe, ~stays, is_known], ["event", "censored", "no_event"], "not_known"
    )
    return status.astype(object), np.full(len(spine), NEVER)
