"""What is not known of a pupil, or is out of date: a reason to look, not a reason to worry.

In:  the pupils' own values; the tables, where they are at hand.
Out: one sentence per pupil and gap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables

__all__ = ["find_gaps"]

STALE_DAYS = 21
"""Days behind the LA's newest mark from which a register is out of date: three school weeks."""

VALUES = (
    ("sen_ever", 0.0, "No special educational needs are on record."),
    ("results_missing", 1.0, "No key stage 2 results are known."),
    ("year_group", np.nan, "The year group is not known."),
    ("idaci_decile", np.nan, "The neighbourhood is not known."),
    ("not_known_now", 1.0, "What the young person is doing now is not known."),
)
"""Feature, the value that is a gap (nan: a missing one), the sentence."""


def find_gaps(
    features: pd.DataFrame,
    pupil_id: pd.Series,
    *,
    as_of: pd.Timestamp,
    tables: Tables | None = None,
) -> pd.DataFrame:
    """Return what is not known of some pupils.

    Parameters
    ----------
    features : DataFrame of shape (n_pupils, n_features)
        Their values.
    pupil_id : Series of shape (n_pupils,)
        The pupils, in the same rows.
    as_of : Timestamp
        Only what was recorded before it counts.
    tables : Tables, optional
        The LA's facts; with them the last day of a register that stopped is named.

    Returns
    -------
    DataFrame
        ``pupil_id, sentence``, pupils in their order.

    Examples
    --------
    >>> values = pd.DataFrame({"idaci_decile": [3.0, np.nan]})
    >>> find_gaps(values, pd.Series(["A", "B"]), as_of=pd.Timestamp("2025-03-01"))
      pupil_id                         sentence
    0        B  The neighbourhood is not known.
    """
    pupils = pupil_id.astype("str").to_numpy()
    if tables is not None and "sessions" in tables:
        marks = _last_marks(pupils, as_of, tables)
    else:
        marks = _marks_by_feature(features)
    found = [marks, *(_by_value(features, *gap) for gap in VALUES if gap[0] in features)]
    gaps = pd.concat(found).astype("str").sort_index(kind="stable")
    rows = gaps.index.to_numpy(dtype=np.int64)
    return pd.DataFrame({"pupil_id": pupils[rows], "sentence": gaps.to_numpy()}, dtype="str")


def _by_value(features: pd.DataFrame, name: str, value: float, sentence: str) -> pd.Series:
    """Return the sentence, by row, where a feature has the value."""
    column = features[name].to_numpy(dtype=np.float64)
    is_gap = np.isnan(column) if np.isnan(value) else column == value
    return pd.Series(sentence, index=np.flatnonzero(is_gap), dtype="str")


def _marks_by_feature(features: pd.DataFrame) -> pd.Series:
    """Return the sentence on the register, by row, where the features hold no mark."""
    if "known_half_days_60_days" not in features:
        return pd.Series(dtype="str")
    none = np.flatnonzero(~(features["known_half_days_60_days"].to_numpy() > 0))
    return pd.Series("No attendance marks are known in the last 12 school weeks.", index=none)


def _last_marks(pupils: np.ndarray, as_of: pd.Timestamp, tables: Tables) -> pd.Series:
    """Return the sentence on the register, by row, where it is empty or stopped."""
    marks = tables["sessions"]
    is_known = (marks["recorded_on"] < as_of).to_numpy()
    days = marks["date"].to_numpy()[is_known]
    newest = days.max() if len(days) else np.datetime64("NaT")
    own = marks[is_known & _are_of(pupils, marks, tables)]
    last = own.groupby(own["pupil_id"].astype("str"))["date"].max().reindex(pupils).to_numpy()
    sentences = pd.Series(index=range(len(pupils)), dtype="object")
    stale = last < newest - np.timedelta64(STALE_DAYS, "D")
    sentences[np.isnat(last)] = "No attendance marks are known."
    sentences[stale] = [
        f"No attendance marks since {day.day} {day:%B %Y}." for day in pd.DatetimeIndex(last[stale])
    ]
    return sentences.dropna()


def _are_of(pupils: np.ndarray, marks: pd.DataFrame, tables: Tables) -> NDArray[np.bool_]:
    """Return which marks are of some pupils."""
    wanted = pd.Categorical(pupils, dtype=tables.pupils).codes
    is_wanted = np.zeros(len(tables.pupils.categories), dtype=bool)
    is_wanted[wanted[wanted >= 0]] = True
    return np.asarray(is_wanted[marks["pupil_id"].cat.codes.to_numpy()])
