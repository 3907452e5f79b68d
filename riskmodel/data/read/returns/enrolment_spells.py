"""Spells on rolls from several censuses: when each began and ended, and why it ended.

In:  typed rows of ``enrolments`` with the file and row they came from.
Out: one row per spell, or two where a later census took an end back; a verdict on the other rows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import pupils_of
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED
from riskmodel.data.read.sources.source import school_year
from riskmodel.data.schema import TABLES, as_codes
from riskmodel.data.year_groups import LAST_PRIMARY, LEAVING_MONTHS, finishes_school, year_group_on

__all__ = ["enrolment_spells", "leaving_reasons"]

_LEAVING = TABLES["enrolments"]["leaving_reason"]

DAY = pd.Timedelta(days=1)

SOON = 75
"""A roll that follows within these days, over a summer at most, explains the end of the one before."""


def enrolment_spells(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Join several censuses' rows of one spell: known from the first, ended from the first that ends it.

    A spell that a later census shows on roll again had not ended. Since the census between was believed
    until then, it goes on as a second spell from the day after
    (:meth:`riskmodel.data.Tables.as_known` joins the two).

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
        One row per spell, two where an end was taken back.
    """
    key = list(TABLES[name].key)
    marked = frame.assign(_ended=frame["leaving_date"].notna())
    by = [*key, "recorded_on", "_ended", "end_recorded_on", "leaving_date", *ORIGIN]
    ordered = marked.sort_values(by, kind="stable")
    ended, repeats = ordered["_ended"].to_numpy(), ordered.duplicated(key).to_numpy()
    again = repeats & ~ended & np.append(False, ended)[:-1]
    part = pd.Series(np.cumsum(~repeats | again), index=ordered.index)
    ends = ordered[ended].assign(part=part[ended]).drop_duplicates("part").set_index("part")
    of_end = ["leaving_date", "end_recorded_on", "leaving_reason"]
    ends = ends[[*of_end, *ORIGIN]].rename(columns={"_file": "_end_file", "_place": "_end_place"})
    _compare_rolls(ordered, part, ended, again, verdicts)
    first = ordered[~repeats | again].assign(part=part, _again=again[~repeats | again])
    made = first.drop(columns=of_end).merge(ends, left_on="part", right_index=True, how="left")
    made = made.reset_index(drop=True)
    if not made["_again"].any():
        return made
    # each part ends no earlier than it begins, and begins the day after the one before ends
    spell = (~made["_again"]).cumsum()
    days = DAY * made.groupby(spell).cumcount()
    leaving = made[["entry_date", "leaving_date"]].max(axis=1).where(made["leaving_date"].notna())
    leaving = (leaving - days).groupby(spell).cummax() + days
    entry = made["entry_date"].where(~made["_again"], leaving.shift() + DAY)
    years = school_year(entry) - school_year(made["entry_date"])
    return made.assign(
        entry_date=entry.astype("datetime64[s]"),
        leaving_date=leaving.astype("datetime64[s]"),
        year_group=made["year_group"] + years,
    )


def _compare_rolls(
    rows: pd.DataFrame,
    part: pd.Series,
    ended: NDArray[np.bool_],
    again: NDArray[np.bool_],
    verdicts: RowVerdicts,
) -> None:
    """Add a verdict on each row of a spell after the first, and on those that take an end back."""
    place = np.arange(len(rows))
    number = part.to_numpy()
    is_first = np.append(True, number[1:] != number[:-1])[: len(rows)]
    first = np.maximum.accumulate(np.where(is_first, place, 0))
    ends = np.full(len(rows) + 1, -1)
    ends[number[ended][::-1]] = place[ended][::-1]  # the first row that ends the part stays
    end = ends[number]
    codes = {c: pd.factorize(rows[c])[0] for c in ("status", "year_group", "leaving_date")}
    differs = {c: codes[c] != codes[c][first] for c in ("status", "year_group")}
    differs["leaving_date"] = ended & (codes["leaving_date"] != codes["leaving_date"][end])
    open_ = np.ones(len(rows), dtype=bool)
    verdicts.add(
        "enrolments",
        rows[again],
        CONFLICTING,
        rows.iloc[place[again] - 1],
        "leaving_date",
        is_held=True,
    )
    open_ &= ~again & ~(is_first & ~ended)
    for column, bad in differs.items():
        other = end if column == "leaving_date" else first
        found = open_ & bad
        verdicts.add("enrolments", rows[found], CONFLICTING, rows.iloc[other[found]], column)
        open_ &= ~bad
    gives_end = open_ & (end == place)
    verdicts.add("enrolments", rows[gives_end], KEPT)
    rest = open_ & ~gives_end & ~is_first
    verdicts.add("enrolments", rows[rest], MERGED, rows.iloc[first[rest]])


def leaving_reasons(frame: pd.DataFrame, built: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return why each spell ended: as its file states it, else as far as other facts show it.

    In this order: a permanent exclusion in the weeks before; the end of Year 11; a next roll soon
    after (the end of a phase in summer, else a transfer); otherwise the destination is not known. Only
    what was known by the day the end was counts: the reason is known from that day.

    Parameters
    ----------
    frame : DataFrame of shape (n_spells, ...)
        Spells on rolls.
    built : dict of str to DataFrame
        Tables; suspensions count where there are any.

    Returns
    -------
    DataFrame
        The spells with ``leaving_reason``.
    """
    spells = frame.reset_index(drop=True)
    ends = spells[["leaving_date", "end_recorded_on"]].assign(_pupil=pupils_of(spells))
    ends = ends[ends["leaving_date"].notna()].reset_index(names="row")

    def ends_near(facts: pd.DataFrame, day: str, low: int, high: int) -> NDArray[np.bool_]:
        """Whether a fact lies from ``low`` to ``high`` days after the end, and was known with it."""
        if ends.empty:
            return np.zeros(len(spells), dtype=bool)
        others = facts.reindex(columns=[day, "recorded_on", "reinstated_on"])
        others = others.astype({"reinstated_on": "datetime64[s]"}).assign(_pupil=pupils_of(facts))
        # no roll follows itself
        others["_other"] = facts.index if facts is spells else -1
        pairs = ends.merge(others, on="_pupil")
        since = (pairs[day] - pairs["leaving_date"]).dt.days
        found = since.between(low, high) & (pairs["recorded_on"] <= pairs["end_recorded_on"])
        found &= ~(pairs["reinstated_on"] <= pairs["end_recorded_on"])
        found &= pairs["_other"] != pairs["row"]
        return spells.index.isin(pairs.loc[found, "row"])

    followed = ends_near(spells, "entry_date", -7, SOON)
    group = year_group_on(spells, spells["leaving_date"])
    summer = spells["leaving_date"].dt.month.isin(LEAVING_MONTHS)
    excluded = np.zeros(len(spells), dtype=bool)
    if "suspensions" in built:
        facts = built["suspensions"]
        permanent = facts[(facts["category"] == "PERM").to_numpy()]
        excluded = ends_near(permanent, "start_date", -60, 1)
    reason = np.select(
        [
            spells["leaving_date"].isna(),
            excluded,
            finishes_school(group, spells["leaving_date"])
            & summer,  # later, a move in term is a move
            followed & summer & (group == LAST_PRIMARY),
            followed,
        ],
        ["", "permanently_excluded", "completed", "end_of_phase", "transferred"],
        "destination_unknown",
    )
    stated = spells["leaving_reason"].astype("object")
    return spells.assign(
        leaving_reason=as_codes(stated.fillna(pd.Series(reason)), _LEAVING.allowed)
    )
