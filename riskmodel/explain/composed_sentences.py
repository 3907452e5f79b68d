"""Sentences that several features make together: what changed, and suspensions in one line.

In:  the values of some pupils; the feature that weighs most; whether it raises or lowers the risk.
Out: one sentence per pupil.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.explain.phrases import phrase_of, read_words, sentences, write_time, write_times
from riskmodel.features import CATALOGUE

__all__ = ["SUSPENSIONS", "may_protect", "tell"]

SUSPENSIONS = "suspensions"
"""The subject that is always told as a whole: one line, the latest and how many, never what for."""

NEEDS = "special educational needs"
"""The subject that is told as what is provided, and for which needs."""

_NEWS = ("sen_stepped_down", "ehc_plan_ended", "sen_found_late", "slcn_found_late",
         "sen_found_lately", "sen_changes_12_months", "in_special_school")  # fmt: skip
"""Features of needs that say more than what is provided now, and are told instead."""

_PROVISION = ("ehc_plan_now", "sen_support_now")

SMALLEST_CHANGE = 0.03
"""Change of a rate from which it is told as a change; one school day in about six weeks."""

_NEEDED = ("suspensions_12_months", "suspensions_ever", "sessions_lost_12_months",
           "days_since_suspension")  # fmt: skip


@cache
def _changes() -> dict[str, dict[str, str]]:
    return {name: row for row in read_words("changes.csv") for name in row["features"].split()}


def tell(name: str, values: pd.DataFrame, sign: int) -> NDArray[np.object_]:
    """Write the sentence of some pupils for whom one feature weighs most.

    Parameters
    ----------
    name : str
        Feature.
    values : DataFrame of shape (n_pupils, n_features)
        Their values.
    sign : int
        1 if the subject raises the risk, -1 if it lowers it.

    Returns
    -------
    object array of shape (n_pupils,)
        Sentences without a full stop; empty where nothing may be said.
    """
    phrase = phrase_of(name)
    own = values[name].to_numpy(dtype=np.float64)
    kinds = phrase.kinds(own)
    made = np.full(len(values), "", dtype=object)
    for kind, text in enumerate(phrase.texts):
        here = kinds == kind
        if text and here.any():
            made[here] = sentences(text, phrase.unit, own[here])
    if phrase.subject == SUSPENSIONS and all(column in values for column in _NEEDED):
        ever = (values["suspensions_ever"] > 0).to_numpy()
        if sign > 0:
            return np.where(ever, _suspensions(values), made)
        return np.where(ever, "Not suspended in the last 12 months", "Not suspended so far")
    if phrase.subject == NEEDS and name not in _NEWS and {*_PROVISION} <= {*values.columns}:
        return _needs(values, made)
    return _changed(name, values, sign, made)


def _changed(
    name: str, values: pd.DataFrame, sign: int, otherwise: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Tell a change where there is one, and it goes the way of the risk."""
    row = _changes().get(name)
    if row is None or row["rate"] not in values or row["change"] not in values:
        return otherwise
    now = values[row["rate"]].to_numpy(dtype=np.float64)
    change = values[row["change"]].to_numpy(dtype=np.float64)
    text = row["more"] if sign > 0 else row["less"]
    tells = np.flatnonzero(sign * change >= SMALLEST_CHANGE)
    made = otherwise.copy()
    made[tells] = [
        text.format(now=f"{n:z.0%}", before=f"{n - c:z.0%}",
                    now_rest=f"{1 - n:z.0%}", before_rest=f"{1 - n + c:z.0%}")
        for n, c in zip(now[tells].tolist(), change[tells].tolist(), strict=True)
    ]  # fmt: skip
    return made


def may_protect(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Say for whom suspensions may be told as what protects: nobody suspended in the last 12 months.

    Parameters
    ----------
    values : DataFrame of shape (n_pupils, n_features)
        Values.

    Returns
    -------
    bool array of shape (n_pupils,)
        True where none of the counts of the last 12 months that are there is above 0.
    """
    counts = [name for name in ("suspensions_12_months", "lunchtime_12_months",
                                "excluded_ever_12_months", "excluded_before") if name in values]  # fmt: skip
    return np.asarray(~(values[counts] > 0).to_numpy().any(axis=1))


def _suspensions(values: pd.DataFrame) -> NDArray[np.object_]:
    """Say how many and how long ago, in one line."""
    columns = [values[name].tolist() for name in _NEEDED]
    before = values.get("excluded_before", pd.Series(0.0, index=values.index)).tolist()
    return np.array(
        [_suspension_line(*row) for row in zip(*columns, before, strict=True)], dtype=object
    )


def _suspension_line(
    year: float, ever: float, half_days: float, days: float, excluded: float
) -> str:
    lost = f"{half_days:.0f} half-day{'' if round(half_days) == 1 else 's'}"
    ago = f"{write_time(days, 'days')} ago" if np.isfinite(days) else ""
    if year == 1:
        parts = ["Suspended once in the last 12 months", ago, f"for {lost}" if half_days else ""]
    elif year:
        parts = [f"Suspended {write_times(year)} in the last 12 months",
                 f"{lost} in all" if half_days else "", f"most recently {ago}" if ago else ""]  # fmt: skip
    else:
        lately = f"most recently {ago}" if ever > 1 else ago
        parts = [f"Suspended {write_times(ever)} so far", lately if ago else ""]
    line = ", ".join(part for part in parts if part)
    return f"{line}; permanently excluded from a school before" if excluded > 0 else line


def _needs(values: pd.DataFrame, otherwise: NDArray[np.object_]) -> NDArray[np.object_]:
    """Say what is provided, and for which needs, where something is; else what was to be said."""
    made = otherwise.copy()
    plan = (values["ehc_plan_now"] > 0).to_numpy()
    support = (values["sen_support_now"] > 0).to_numpy()
    made[support] = "Receives SEN support"
    made[plan] = "Has an EHC plan"
    columns = [name for name in map(str, values.columns) if fnmatchcase(name, "need_*_now")]
    labels = np.array([CATALOGUE[name].label.split(": ", 1)[-1] for name in columns])
    recorded = (values[columns] > 0).to_numpy()
    different, which = np.unique(recorded, axis=0, return_inverse=True)
    kinds = np.array([f"; recorded need: {', and '.join(labels[row])}" if row.any() else ""
                      for row in different], dtype=object)  # fmt: skip
    provided = plan | support
    made[provided] += kinds[which.ravel()[provided]]
    return made
