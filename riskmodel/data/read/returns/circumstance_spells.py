"""Spells of circumstances from several returns, and flags that a return raises on its day.

In:  typed rows of ``circumstances`` with the file and row they came from.
Out: spells with their ends as they became known; a verdict on the other rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts, keep_versions
from riskmodel.data.read.rows.versions import KEPT, MERGED
from riskmodel.data.schema import TABLES

__all__ = ["circumstance_spells"]


def circumstance_spells(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Join spells that are in several returns; the end counts as known from the first return that has it.

    A return that gives another end, or none any more, is a version of its own: it counts from its day.

    What a return only flags on its day (``_flag``) begins with the first return that flags it, unless a
    spell with dates of its own had begun before. It ends before the first later return that denies it
    (``_denied``), and may be flagged again after that.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, ...)
        Typed rows with ``_file``, ``_place``.
    name : str
        Table name.
    verdicts : RowVerdicts
        Gets a verdict on each row that is not used.

    Returns
    -------
    DataFrame
        One row per spell and version.
    """
    key = list(TABLES[name].key)
    denied = frame["_denied"].eq(True) if "_denied" in frame else pd.Series(False, frame.index)
    denials, frame = frame[denied], frame[~denied]
    verdicts.add(name, denials, KEPT)
    flagged = frame["_flag"].eq(True) if "_flag" in frame else pd.Series(False, index=frame.index)
    by = [*key, "recorded_on", "end_recorded_on", "end_date", *ORIGIN]
    frame = _without_gone(frame, key)
    ordered = _drawn_later(frame.assign(_flag=flagged), key).sort_values(by, kind="stable")
    made = _with_ends(keep_versions(ordered[~ordered["_flag"]], name, verdicts), key, verdicts)
    flags = ordered[ordered["_flag"]]
    kept = _flags(flags, made, denials)
    again = ~pd.MultiIndex.from_frame(flags[ORIGIN]).isin(pd.MultiIndex.from_frame(kept[ORIGIN]))
    verdicts.add(name, flags[again], MERGED)
    return pd.concat([made, kept], ignore_index=True)


def _without_gone(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Leave open what a later list only lacks (``_gone``), where a row of the spell gives its end."""
    if "_gone" not in frame:
        return frame
    gone = frame["_gone"].eq(True)
    given = pd.MultiIndex.from_frame(frame.loc[~gone & frame["end_date"].notna(), key])
    known = gone & pd.MultiIndex.from_frame(frame[key]).isin(given)
    return frame.assign(
        **{name: frame[name].mask(known) for name in ("end_date", "end_recorded_on")}
    )


def _drawn_later(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Let a row that contradicts an earlier end of its spell be known from the latest day in its file.

    Returns of social care hold no day on which they were received. The latest day in a file shows which
    of two files is the later one.
    """
    if "_drawn" not in frame:
        return frame
    is_open = frame["end_date"].isna()
    ended = frame.assign(_drawn=frame["_drawn"].mask(is_open)).groupby(key, observed=True)
    differs = is_open | (ended["end_date"].transform("nunique") > 1)
    # an open row may be older than the end that it lacks: its file must go on after that end
    passed = ended[["_drawn", "end_date"]].transform("min").max(axis=1)
    later = frame["_drawn"] > passed.where(is_open, ended["_drawn"].transform("min"))
    known = (frame["_drawn"] + pd.Timedelta(days=1)).where(differs & later)
    recorded = frame[["recorded_on"]].assign(drawn=known).max(axis=1)
    end_recorded = frame[["end_recorded_on"]].assign(drawn=known).max(axis=1)
    return frame.assign(
        recorded_on=recorded.astype("datetime64[s]"),
        end_recorded_on=end_recorded.mask(is_open).astype("datetime64[s]"),
    )


def _with_ends(spells: pd.DataFrame, key: list[str], verdicts: RowVerdicts) -> pd.DataFrame:
    """Give each version without an end the end that the next version has, and leave that one out."""
    ordered = spells.sort_values([*key, "recorded_on"], kind="stable").reset_index(drop=True)
    follows = ordered.duplicated(key).to_numpy()
    is_open = ordered["end_date"].isna().to_numpy()
    ends = np.flatnonzero(follows & ~is_open & np.append(False, is_open[:-1])[: len(ordered)])
    verdicts.add("circumstances", ordered.iloc[ends], KEPT)
    for name in ("end_date", "end_recorded_on"):
        values = ordered[name].copy()
        values.iloc[ends - 1] = ordered[name].iloc[ends].array
        ordered[name] = values
    return ordered.drop(index=pd.Index(ends)).reset_index(drop=True)


def _flags(flags: pd.DataFrame, spells: pd.DataFrame, denials: pd.DataFrame) -> pd.DataFrame:
    """Return the flags that lie in no spell known by then, one at a time for each pupil and kind.

    Where a spell recorded later holds the flag's day, that spell counts from then on: the flag gives way,
    and a flag that is recorded after that counts again. So it does where a later return denies it.
    """
    if flags.empty:
        return flags
    key = ["pupil_id", "kind"]
    flags = flags.sort_values([*key, "recorded_on", "start_date", *ORIGIN], kind="stable")
    of_spell = [*key, "start_date", "end_date", "recorded_on", "end_recorded_on"]
    seen = flags["_seen"] if "_seen" in flags else flags["start_date"]
    flags = flags.assign(_seen=seen.fillna(flags["start_date"]))
    of_flag = ["row", *key, "start_date", "recorded_on", "_seen"]
    pairs = flags.reset_index(names="row")[of_flag].merge(
        spells[of_spell], on=key, suffixes=("", "_spell")
    )
    flags, pairs = _from_the_census(flags, pairs)
    # an end that was not known yet when the flag was recorded did not count against the spell
    over = (pairs["end_date"] < pairs["start_date"]) & (
        pairs["end_recorded_on"] <= pairs["recorded_on"]
    )
    pairs = pairs[(pairs["start_date_spell"] <= pairs["start_date"]) & ~over]
    before = pairs.loc[pairs["recorded_on_spell"] <= pairs["recorded_on"], "row"]
    later = pairs.groupby("row")["recorded_on_spell"].min().reindex(flags.index)
    gone = _denied(flags, denials)
    until = pd.concat([later.astype("datetime64[s]"), gone["recorded_on"]], axis=1).min(axis=1)
    ends = (gone["start_date"] - pd.Timedelta(days=1)).where(gone["recorded_on"] == until)
    ends = ends.fillna(flags["start_date"])
    flags = flags.assign(_until=until.astype("datetime64[s]"), _end=ends.astype("datetime64[s]"))
    left = flags[~flags.index.isin(before)]
    kept = [left.iloc[:0]]
    while len(left):
        kept.append(left.drop_duplicates(key))
        until = left.groupby(key, observed=True)["_until"].transform("first")
        left = left[(left["recorded_on"] >= until).to_numpy()]
    made = pd.concat(kept)
    gives_way = made["_until"].notna()
    made = made.assign(
        end_date=made["_end"].where(gives_way, made["end_date"]),
        end_recorded_on=made["_until"].where(gives_way, made["end_recorded_on"]),
    )
    return made.drop_duplicates([*key, "start_date"])


def _denied(flags: pd.DataFrame, denials: pd.DataFrame) -> pd.DataFrame:
    """Return of each flag the day of the first later return that denies it, and when that was known.

    What one school denies and another flags on one day is there.
    """
    key = ["pupil_id", "kind"]
    known = [*key, "start_date", "recorded_on"]
    pairs = flags.reset_index(names="row")[["row", *known]].merge(
        denials[known], on=key, suffixes=("_flag", "")
    )
    both = pd.MultiIndex.from_frame(pairs[[*key, "start_date"]]).isin(
        pd.MultiIndex.from_frame(flags[[*key, "_seen"]])
    )
    is_later = (pairs["start_date"] > pairs["start_date_flag"]) & (
        pairs["recorded_on"] > pairs["recorded_on_flag"]
    )
    found = pairs[is_later & ~both].sort_values(["recorded_on", "start_date"], kind="stable")
    first = found.drop_duplicates("row").set_index("row")
    return first[["start_date", "recorded_on"]].reindex(flags.index)


def _from_the_census(flags: pd.DataFrame, pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Let flags begin on their census day where the spell that covers their first day was over by then."""
    held = (pairs["start_date_spell"] <= pairs["start_date"]) & (
        pairs["end_date"] >= pairs["start_date"]
    )
    over = (pairs["end_date"] < pairs["_seen"]) & (pairs["end_recorded_on"] <= pairs["recorded_on"])
    later = flags.index.isin(pairs.loc[held & over, "row"])
    moved = pairs["row"].isin(flags.index[later])
    return (
        flags.assign(start_date=flags["start_date"].mask(later, flags["_seen"])),
        pairs.assign(start_date=pairs["start_date"].mask(moved, pairs["_seen"])),
    )
