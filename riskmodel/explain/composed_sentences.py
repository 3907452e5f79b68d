"""Sentences made from several features: a change, suspensions in one line, provision with its needs.

In:  the values of some pupils; the feature with the strongest effect; whether it raises the risk.
Out: one sentence per pupil.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.counted import counted
from riskmodel.explain.history import (
    MONTHS_PER_YEAR,
    months_on_record,
    months_since_reception,
)
from riskmodel.explain.phrases import (
    fill_template,
    phrase_of,
    read_words,
    write_time,
    write_times,
)
from riskmodel.features import CATALOGUE

__all__ = ["SUSPENSIONS", "compose_sentences", "may_protect"]

SUSPENSIONS = "suspensions"
"""The subject whose sentence is always one line: the latest and how many, never what for."""

NEEDS = "special educational needs"
"""The subject whose sentence is what is provided, and for which needs."""

_OWN_SENTENCE = frozenset(
    {
        "sen_stepped_down",
        "ehc_plan_ended",
        "sen_found_late",
        "slcn_found_late",
        "sen_found_lately",
        "sen_changes_12_months",
        "in_special_school",
    }
)
"""Features of needs that keep their own sentence: it holds more than what is provided now."""

_PROVISION = ("ehc_plan_now", "sen_support_now")

SMALLEST_CHANGE = 0.03
"""Smallest change of a rate that makes a sentence; one school day in about six weeks."""

_SUSPENSION_COLUMNS = (
    "suspensions_12_months",
    "suspensions_ever",
    "sessions_lost_12_months",
    "days_since_suspension",
)

_INCIDENTS = (
    "suspensions_12_months",
    "lunchtime_12_months",
    "excluded_ever_12_months",
    "excluded_before",
)
"""Counts of which each must be 0 before suspensions may protect."""

Texts = NDArray[np.object_]


@cache
def _changes() -> dict[str, dict[str, str]]:
    return {name: row for row in read_words("changes.csv") for name in row["features"].split()}


def compose_sentences(
    name: str,
    values: pd.DataFrame,
    sign: int,
    *,
    months_held: Mapping[str, float] = MappingProxyType({}),
) -> Texts:
    """Return the sentence of each pupil for whom one feature has the strongest effect.

    Parameters
    ----------
    name : str
        Feature.
    values : DataFrame of shape (n_pupils, n_features)
        Their values.
    sign : int
        1 if the subject raises the risk, -1 if it lowers it.
    months_held : mapping of str to float
        Table → months for which it holds facts; a table that is not named goes back far enough.

    Returns
    -------
    object array of shape (n_pupils,)
        Sentences without a full stop; empty where there is nothing to write.

    Examples
    --------
    >>> values = pd.DataFrame({"absence_rate_20_days": [0.19]})
    >>> compose_sentences("absence_rate_20_days", values, 1)[0]
    'Attendance was 81% in the last 4 school weeks'
    """
    phrase, columns = phrase_of(name), {*values.columns}
    texts = _own_sentences(name, values)
    if phrase.subject == SUSPENSIONS and {*_SUSPENSION_COLUMNS} <= columns:
        return _suspensions(values, sign, texts, months_held)
    if phrase.subject == NEEDS and name not in _OWN_SENTENCE and {*_PROVISION} <= columns:
        return _needs(values, texts)
    return _changed(name, values, sign, texts)


def _own_sentences(name: str, values: pd.DataFrame) -> Texts:
    """Return the sentences of the feature's own template."""
    phrase = phrase_of(name)
    own = values[name].to_numpy(dtype=np.float64)
    kinds = phrase.kinds(own)
    texts = np.full(len(values), "", dtype=object)
    for kind, template in enumerate(phrase.texts):
        rows = kinds == kind
        if template and rows.any():
            texts[rows] = fill_template(template, phrase.unit, own[rows])
    return texts


def _changed(name: str, values: pd.DataFrame, sign: int, otherwise: Texts) -> Texts:
    """Return the sentence of a change, where there is one in the direction of the risk."""
    row = _changes().get(name)
    if row is None or row["rate"] not in values or row["change"] not in values:
        return otherwise
    now = values[row["rate"]].to_numpy(dtype=np.float64)
    change = values[row["change"]].to_numpy(dtype=np.float64)
    template = row["more"] if sign > 0 else row["less"]
    rows = np.flatnonzero(sign * change >= SMALLEST_CHANGE)
    texts = otherwise.copy()
    texts[rows] = [
        _change_sentence(template, rate, by)
        for rate, by in zip(now[rows].tolist(), change[rows].tolist(), strict=True)
    ]
    return texts


def _change_sentence(template: str, now: float, change: float) -> str:
    before = now - change
    return template.format(
        now=f"{now:z.0%}",
        before=f"{before:z.0%}",
        now_rest=f"{1 - now:z.0%}",
        before_rest=f"{1 - now + change:z.0%}",
    )


def may_protect(values: pd.DataFrame) -> NDArray[np.bool_]:
    """Return for which pupils a lack of suspensions may count as a strength.

    Parameters
    ----------
    values : DataFrame of shape (n_pupils, n_features)
        Values.

    Returns
    -------
    bool array of shape (n_pupils,)
        True where the pupil's record covers the last 12 months and none of the counts of these months
        that are there is above 0.
    """
    counts = [name for name in _INCIDENTS if name in values]
    nothing = ~(values[counts] > 0).to_numpy().any(axis=1)
    return np.asarray(nothing & (months_on_record(values) >= MONTHS_PER_YEAR))


def _suspensions(
    values: pd.DataFrame, sign: int, otherwise: Texts, months_held: Mapping[str, float]
) -> Texts:
    """Return how many suspensions and how long ago; or, where they protect, since when none."""
    ever = (values["suspensions_ever"] > 0).to_numpy()
    if sign < 0:
        held = months_held.get("suspensions", np.inf)
        never = ~ever & np.isinf(months_on_record(values))
        if "year_group" in values:
            never &= held >= months_since_reception(values)
        return np.where(never, "Not suspended so far", "Not suspended in the last 12 months")
    columns = [values[name].tolist() for name in _SUSPENSION_COLUMNS]
    before = values.get("excluded_before", pd.Series(0.0, index=values.index)).tolist()
    lines = [_suspension_line(*row) for row in zip(*columns, before, strict=True)]
    return np.where(ever, np.array(lines, dtype=object), otherwise)


def _suspension_line(
    year: float, ever: float, half_days: float, days: float, excluded: float
) -> str:
    lost = counted(round(half_days), "half-day")
    ago = f"{write_time(days, 'days')} ago" if np.isfinite(days) else ""
    latest = f"most recently {ago}" if ago else ""
    if year == 1:
        parts = ["Suspended once in the last 12 months", ago, f"for {lost}" if half_days else ""]
    elif year:
        times = f"Suspended {write_times(year)} in the last 12 months"
        parts = [times, f"{lost} in all" if half_days else "", latest]
    else:
        parts = [f"Suspended {write_times(ever)} so far", latest if ever > 1 else ago]
    line = ", ".join(part for part in parts if part)
    return f"{line}; permanently excluded from a school before" if excluded > 0 else line


def _needs(values: pd.DataFrame, otherwise: Texts) -> Texts:
    """Return what is provided, and for which needs, for pupils with provision."""
    texts = otherwise.copy()
    plan = (values["ehc_plan_now"] > 0).to_numpy()
    support = (values["sen_support_now"] > 0).to_numpy()
    texts[support] = "Receives SEN support"
    texts[plan] = "Has an EHC plan"
    provided = plan | support
    texts[provided] += _recorded_needs(values)[provided]
    return texts


def _recorded_needs(values: pd.DataFrame) -> Texts:
    """Return the recorded needs of each pupil, as the end of a sentence; empty without any."""
    columns = [name for name in map(str, values.columns) if fnmatchcase(name, "need_*_now")]
    labels = np.array([CATALOGUE[name].label.split(": ", 1)[-1] for name in columns])
    recorded = (values[columns] > 0).to_numpy()
    different, which = np.unique(recorded, axis=0, return_inverse=True)
    ends = [
        f"; recorded need: {', and '.join(labels[row])}" if row.any() else "" for row in different
    ]
    return np.array(ends, dtype=object)[which.ravel()]
