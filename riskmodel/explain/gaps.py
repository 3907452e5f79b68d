"""What is not known of a pupil, or is out of date: a reason to look, not a reason to worry.

In:  the pupils' own values; the tables, where they are at hand.
Out: one sentence per pupil and gap.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data import Tables

__all__ = ["find_gaps"]

STALE_DAYS = 21
"""Days behind the LA's newest mark from which a register is out of date: three school weeks."""


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
        The LA's facts; with them a register that stopped is told with its last day.

    Returns
    -------
    DataFrame
        ``pupil_id, sentence``, pupils in their order.

    Examples
    --------
    >>> sunny = pd.DataFrame({"days_of_sunshine": [3.0]})
    >>> list(find_gaps(sunny, pd.Series(["P1"]), as_of=pd.Timestamp("2024-08-01")))
    ['pupil_id', 'sentence']
    """
    pupils = pupil_id.astype("str").to_numpy()
    found = [_marks(features, pupils, as_of, tables)]
    for name, value, sentence in (
        ("sen_ever", 0.0, "No special educational needs are on record."),
        ("results_missing", 1.0, "No key stage 2 results are known."),
        ("year_group", np.nan, "The year group is not known."),
        ("idaci_decile", np.nan, "The neighbourhood is not known."),
        ("not_known_now", 1.0, "What the young person is doing now is not known."),
    ):
        if name in features:
            column = features[name].to_numpy(dtype=np.float64)
            rows = np.flatnonzero(np.isnan(column) if np.isnan(value) else column == value)
            found.append(pd.Series(sentence, index=rows))
    gaps = pd.concat(found).astype("str").sort_index(kind="stable")
    rows = gaps.index.to_numpy(dtype=np.int64)
    return pd.DataFrame({"pupil_id": pupils[rows], "sentence": gaps.to_numpy()}, dtype="str")


def _marks(
    features: pd.DataFrame, pupils: np.ndarray, as_of: pd.Timestamp, tables: Tables | None
) -> pd.Series:
    """Return the sentence on the register, by row, where there is one."""
    if tables is None or "sessions" not in tables:
        if "known_half_days_60_days" not in features:
            return pd.Series(dtype="str")
        none = np.flatnonzero(~(features["known_half_days_60_days"].to_numpy() > 0))
        return pd.Series("No attendance marks are known in the last 12 school weeks.", index=none)
    marks = tables["sessions"]
    wanted = pd.Categorical(pupils, dtype=tables.pupils).codes
    asked = np.zeros(len(tables.pupils.categories), dtype=bool)
    asked[wanted[wanted >= 0]] = True
    known = (marks["recorded_on"] < as_of).to_numpy()
    newest = marks["date"].to_numpy()[known].max() if known.any() else np.datetime64("NaT")
    own = marks[known & asked[marks["pupil_id"].cat.codes.to_numpy()]]
    last = own.groupby(own["pupil_id"].astype("str"))["date"].max().reindex(pupils).to_numpy()
    sentences = pd.Series(index=range(len(pupils)), dtype="object")
    stale = last < newest - np.timedelta64(STALE_DAYS, "D")
    sentences[np.isnat(last)] = "No attendance marks are known."
    sentences[stale] = [
        f"No attendance marks since {day.day} {day:%B %Y}." for day in pd.DatetimeIndex(last[stale])
    ]
    return sentences.dropna()
