"""Pupils whom one return has on roll and the next return of the same school no longer has.

In:  who was on which roll by which return; typed rows of ``enrolments``.
Out: the rows, and one more for each spell that ended so, known from the later return.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.identity import may_identify
from riskmodel.data.read.rows.problems import NOT_SHOWN, Problem
from riskmodel.data.read.sources.source import is_there

__all__ = [
    "ON_ROLL",
    "PARTS_SHOWN",
    "end_missing_rolls",
    "entries_elsewhere",
    "next_whole",
    "rows_on_roll",
]

ON_ROLL = "on_roll"
"""Facts of who was on roll, which make no table: rows set aside for another fault are in them too."""

IN_COMMON = 3
"""A later return that has fewer than one in this many pupils of the earlier one may be a part; chosen."""

LAST_DAY_OF_YEAR = (7, 31)
"""Month and day on which a pupil left whom only a summer lies between."""

PARTS_SHOWN = 5
"""Returns that may be parts, of which a warning each names the school."""


def next_whole(seen: pd.DataFrame) -> pd.DataFrame:
    """Return the next whole return after each return.

    Parameters
    ----------
    seen : DataFrame
        ``place``, ``day``, ``who``: whom a return of the place has.

    Returns
    -------
    DataFrame
        One row per return. ``later`` is the day of the next one of the place that has at least a third of
        those whom this one has; ``part`` is that of the first one that has fewer. Missing where none is.

    Examples
    --------
    >>> who = pd.DataFrame({"place": "A", "day": [1, 1, 2, 3], "who": ["U", "V", "W", "U"]})
    >>> next_whole(who)[["later", "part"]].astype("object").fillna("").to_numpy().tolist()
    [[3.0, 2.0], ['', 3.0], ['', '']]
    """
    rows = seen[["place", "day", "who"]].drop_duplicates()
    number = rows.groupby(["place", "day"]).ngroup().to_numpy()
    who, names = pd.factorize(rows["who"])
    returns = rows[["place", "day"]].assign(n=number).drop_duplicates("n").sort_values("n")
    place = pd.factorize(returns["place"])[0]
    last = np.searchsorted(place, place, side="right") - 1
    size, keys = np.bincount(number, minlength=len(returns)), number * len(names) + who
    whole, part = np.full((2, len(returns)), -1)
    waiting, step = np.flatnonzero(np.arange(len(returns)) < last), 1
    while len(waiting):
        some = np.isin(number, waiting)
        shared = np.isin(keys[some] + step * len(names), keys)
        common = np.bincount(number[some], shared, minlength=len(returns))
        found = IN_COMMON * common[waiting] >= size[waiting]
        whole[waiting[found]] = waiting[found] + step
        fewer = waiting[~found]
        part[fewer] = np.where(part[fewer] < 0, fewer + step, part[fewer])
        step += 1
        waiting = fewer[fewer + step <= last[fewer]]
    days = returns["day"].reset_index(drop=True)
    made = {name: days.reindex(n).to_numpy() for name, n in (("later", whole), ("part", part))}
    return returns[["place", "day"]].reset_index(drop=True).assign(**made)


def rows_on_roll(raw: pd.DataFrame, typed: pd.DataFrame, kept: NDArray[np.int64]) -> pd.DataFrame:
    """Return the rows of pupils who were on roll on the day of their return.

    Parameters
    ----------
    raw : DataFrame of shape (n_rows, ...)
        Facts of ``enrolments`` with ``_seen``, ``_return``.
    typed : DataFrame of shape (n_kept, ...)
        Those of them that keep to the rules.
    kept : int array of shape (n_kept,)
        Their places among the raw ones.

    Returns
    -------
    DataFrame
        ``pupil_id, school_id, entry_date, recorded_on, _seen, _return``; the day of entry is missing
        in rows that break a rule.
    """
    rows = raw[["pupil_id", "school_id", "_seen", "_return"]].reset_index(drop=True)
    for name in ("entry_date", "leaving_date", "recorded_on"):
        rows[name] = typed[name].set_axis(kept).reindex(rows.index)
    left = is_there(raw["leaving_date"]).to_numpy() & ~(rows["leaving_date"] > rows["_seen"])
    there = ~left & rows[["pupil_id", "school_id", "_seen"]].notna().all(axis=1).to_numpy()
    return rows[there].drop(columns="leaving_date")


def end_missing_rolls(facts: dict[str, pd.DataFrame]) -> list[Problem]:
    """End the spells that a return has on roll and the next whole one of the school does not.

    A pupil who is there with another day of entry, and had entered by the return before, goes on.

    Parameters
    ----------
    facts : dict of str to DataFrame
        Typed facts; ``enrolments`` gets a row for each such end.

    Returns
    -------
    list of Problem
        A warning that counts them, and one for each return that may be a part.
    """
    seen = facts.get(ON_ROLL)
    if seen is None or seen.empty or "enrolments" not in facts:
        return []
    rolls = facts["enrolments"]
    seen = _placed(seen)
    found = next_whole(seen)
    problems = _parts(found)
    found = found.dropna(subset=["later"])
    if found.empty:
        return problems
    known = seen.groupby(["place", "day"])["recorded_on"].min().rename("known").reset_index()
    found = found.merge(known.rename(columns={"day": "later"}), on=["place", "later"])
    shown = _placed(rolls[(rolls["_seen"].notna() & rolls["leaving_date"].isna()).to_numpy()])
    shown = shown.drop_duplicates(["place", "day", "who", "entry_date"]).merge(
        found, on=["place", "day"]
    )
    gone = _without_leavers(_not_there(shown, seen), rolls)
    if gone.empty:
        return problems
    last = _last_days(gone, rolls)
    ended = gone[[*rolls.columns]].assign(
        leaving_date=last, recorded_on=gone["known"], end_recorded_on=gone["known"]
    )
    facts["enrolments"] = pd.concat([rolls, ended.astype(rolls.dtypes)], ignore_index=True)
    words = (
        f"enrolments: {len(gone)} spells on rolls of {gone['school_id'].nunique()} schools are in a return "
        "and not in the next one of the school, nor among its leavers. They end before that return, and this "
        "is known from it. Give whole returns, and the tables of pupils no longer on roll."
    )
    return [*problems, Problem("enrolments", "roll_gone", words, column="leaving_date")]


def _placed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with place, day and pupil: censuses are compared with censuses, rolls with rolls."""
    place = rows["_return"].astype("str") + "|" + rows["school_id"].astype("str")
    return rows.assign(place=place, day=rows["_seen"], who=rows["pupil_id"].astype("str"))


def _not_there(shown: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of spells that no return has after theirs, up to the next whole one."""
    key = ["place", "who", "entry_date"]
    later = seen[[*key, "day"]].rename(columns={"day": "later"}).drop_duplicates()
    missing = shown.merge(later, on=[*key, "later"], how="left", indicator="_there")
    missing = missing[(missing["_there"] == "left_only").to_numpy()].drop(columns="_there")
    missing = missing.reset_index(drop=True)
    if missing.empty:
        return missing
    others = seen[["place", "who", "entry_date", "day"]].rename(
        columns={"entry_date": "other_entry", "day": "other_day"}
    )
    pairs = missing.reset_index(names="row").merge(others, on=["place", "who"])
    between = (pairs["other_day"] > pairs["day"]) & (pairs["other_day"] <= pairs["later"])
    there = pairs.loc[between & ~(pairs["other_entry"] > pairs["day"]), "row"]
    return missing[~missing.index.isin(there)]


def _without_leavers(gone: pd.DataFrame, rolls: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose spell no file ends that was known by the later return."""
    if gone.empty:
        return gone
    key = ["who", "school_id", "entry_date"]
    ends = rolls[rolls["leaving_date"].notna().to_numpy()]
    ends = ends.assign(who=ends["pupil_id"].astype("str"))[[*key, "recorded_on"]]
    gone = gone.reset_index(drop=True)
    pairs = gone.reset_index(names="row").merge(ends, on=key, suffixes=("", "_end"))
    by_then = pairs["recorded_on_end"].between(pairs["recorded_on"], pairs["known"])
    return gone[~gone.index.isin(pairs.loc[by_then, "row"])]


def _last_days(gone: pd.DataFrame, rolls: pd.DataFrame) -> pd.Series:
    """Return the last days on roll: before the next school as known by then, else before a summer.

    Where neither lies between the two returns, the day of the one that has the pupil.
    """
    month, day = LAST_DAY_OF_YEAR
    year = gone["day"].dt.year + (gone["day"].dt.month > month)
    summer = pd.to_datetime({"year": year, "month": month, "day": day})
    moved = entries_elsewhere(gone, rolls) - pd.Timedelta(days=1)
    last = pd.concat([moved, summer.where(summer < gone["later"])], axis=1).min(axis=1)
    return pd.concat([last.fillna(gone["day"]), gone["entry_date"]], axis=1).max(axis=1)


def entries_elsewhere(gone: pd.DataFrame, rolls: pd.DataFrame) -> pd.Series:
    """Return the first day on which each pupil entered another school between two days.

    Parameters
    ----------
    gone : DataFrame of shape (n_rows, ...)
        ``who``, ``school_id``; ``day`` and ``later``: entries after the one, up to the other; ``known``: as
        known by then.
    rolls : DataFrame
        Typed rows of ``enrolments``; those of main rolls count.

    Returns
    -------
    Series of datetime64, shape (n_rows,)
        Missing where the pupil entered none.
    """
    main = rolls[(rolls["status"] == "main").to_numpy()]
    entries = main.assign(who=main["pupil_id"].astype("str"))[
        ["who", "school_id", "entry_date", "recorded_on"]
    ]
    pairs = gone.reset_index(names="row").merge(entries, on="who", suffixes=("", "_next"))
    entry = pairs["entry_date_next"]
    is_next = (entry > pairs["day"]) & (entry <= pairs["later"])
    is_next &= (pairs["recorded_on_next"] <= pairs["known"]) & (
        pairs["school_id"] != pairs["school_id_next"]
    )
    return entry[is_next].groupby(pairs["row"]).min().reindex(gone.index)


def _parts(found: pd.DataFrame) -> list[Problem]:
    """Return a warning for each of the first returns that may be parts."""
    parts = found[found["part"].notna().to_numpy()]
    problems = []
    for one in parts.head(PARTS_SHOWN).itertuples():
        school = str(one.place).partition("|")[2]
        shown = NOT_SHOWN if may_identify(school) else f"'{school}'"
        words = (
            f"enrolments: the return of {one.part:%Y-%m-%d} of school {shown} has fewer than a third of the "
            f"pupils of that of {one.day:%Y-%m-%d}, so it may be a part, and ends no spell of these. Give "
            "whole returns."
        )
        problems.append(Problem("enrolments", "part_return", words, column="school_id"))
    if len(parts) > PARTS_SHOWN:
        words = (
            f"enrolments: {len(parts) - PARTS_SHOWN} more returns may be parts. Give whole returns."
        )
        problems.append(Problem("enrolments", "part_return", words, column="school_id"))
    return problems
