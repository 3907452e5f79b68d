"""Termly totals: one term of one pupil counts once, whatever the files that hold it.

In:  typed rows of ``absence_totals`` with the file and row they came from, and possible half-days.
Out: totals of one source per term; a verdict on the rows of the other.

The School Census gives totals by school, with an end of term that follows from its day. An LA's own lists
give the last day of the term, and often the half-days in school. Of a term that both hold, what was known
first counts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskmodel.data.calendar import term_number
from riskmodel.data.codes import ABSENT, codes, marks_of
from riskmodel.data.read.returns.row_verdicts import ORIGIN, RowVerdicts, keep_versions
from riskmodel.data.read.rows.versions import CONFLICTING, KEPT, MERGED, settle
from riskmodel.data.schema import TABLES

__all__ = ["add_up", "one_source_per_term"]

NAME = "absence_totals"

KEY = list(TABLES[NAME].key)

HALF_TERMS = (305, 430, 615, 831, 1115)
"""Last month and day of each half-term's ends, but for the first half of autumn, which ends with the year."""

ONE_END = 25
"""Days between two ends of one half-term that are the same end: the census names the last day of a month, and
monthly totals are further apart."""


def one_source_per_term(
    totals: pd.DataFrame, possible: pd.DataFrame | None, verdicts: RowVerdicts
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Keep of each pupil and term the totals of one source, and of one row where rows of one day differ.

    Parameters
    ----------
    totals : DataFrame
        Rows of ``absence_totals``; ``_school`` is there in those of a School Census.
    possible : DataFrame or None
        Possible half-days of the School Census.
    verdicts : RowVerdicts
        Gets a verdict on each row that is not used.

    Returns
    -------
    totals, possible : DataFrame
        The rows that count.
    """
    is_census = _given(totals, "_school")
    own = _one_row_each(_with_one_end(totals[~is_census]), verdicts)
    of_census = totals[is_census]
    if own.empty or of_census.empty:
        return pd.concat([of_census, own], ignore_index=True), possible
    # without any absence of a term its tables are missing, and possible half-days show nothing
    stated = (of_census if possible is None else possible).iloc[:0]
    if possible is not None:
        stated = possible[possible["term_end"].isin(of_census["term_end"])]
    first = {
        name: pd.concat(parts).groupby("_term")["recorded_on"].min()
        for name, parts in {
            "census": [one.assign(_term=_terms(one)) for one in (of_census, stated)],
            "own": [own.assign(_term=_terms(own))],
        }.items()
    }
    both = first["census"].index.intersection(first["own"].index)
    is_own = first["own"][both] < first["census"][both]
    own_wins, census_wins = both[is_own], both[~is_own]
    losing = pd.concat(
        [of_census[_terms(of_census).isin(own_wins)], own[_terms(own).isin(census_wins)]]
    )
    winning = pd.concat(
        [own[_terms(own).isin(own_wins)], of_census[_terms(of_census).isin(census_wins)]]
    )
    _compare(losing, winning, stated, verdicts)
    kept = pd.concat(
        [of_census[~_terms(of_census).isin(own_wins)], own[~_terms(own).isin(census_wins)]],
        ignore_index=True,
    )
    return kept, None if possible is None else _moved(possible, own, own_wins)


def _given(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return which rows have a value in a column that may not be there."""
    return rows[name].notna() if name in rows else pd.Series(False, index=rows.index)


def _half_terms(ends: pd.Series) -> pd.Series:
    """Return a number for the half-term that each day ends."""
    part = np.searchsorted(HALF_TERMS, ends.dt.month * 100 + ends.dt.day)
    return 6 * ends.dt.year.astype("int64") + part


def _terms(rows: pd.DataFrame) -> pd.Series:
    """Return a number for each pupil and term."""
    pupil = rows["pupil_id"].cat.codes.astype("int64")
    return pupil * 10**5 + term_number(rows["term_end"]).astype("int64")


def _with_one_end(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the ends of one half-term that are some days apart the one that was known first."""
    days = ["pupil_id", "term_end", "recorded_on"]
    ends = rows[days].drop_duplicates()
    ends = ends.assign(half=_half_terms(ends["term_end"])).sort_values(days[::-1], kind="stable")
    of_half = ends.groupby(["pupil_id", "half"], observed=True)["term_end"]
    first = of_half.transform("first")
    apart = (ends["term_end"] - first).abs()
    other = ends[(apart > pd.Timedelta(0)) & (apart <= pd.Timedelta(days=ONE_END))]
    if other.empty:
        return rows
    meant = other.assign(_end=first).drop_duplicates(days)[[*days, "_end"]]
    end = rows[days].merge(meant, on=days, how="left")["_end"].set_axis(rows.index)
    return rows.assign(term_end=end.fillna(rows["term_end"]).astype(rows["term_end"].dtype))


def _one_row_each(own: pd.DataFrame, verdicts: RowVerdicts) -> pd.DataFrame:
    """Keep of the rows by code of one pupil, term and day the one with most codes, with its zeros.

    A code that a later row moves half-days from has none from then on.
    """
    if not _given(own, "_zeros").any():
        return own
    term = ["pupil_id", "term_end"]
    wide = own[_given(own, "_zeros")]
    lines = wide[[*term, *ORIGIN]].drop_duplicates()
    twice = lines[lines.duplicated(term, keep=False)][term].drop_duplicates()
    again = wide[term].merge(twice, on=term, how="left", indicator="_is")["_is"].eq("both")
    again = again.set_axis(wide.index)
    single = own[~own.index.isin(wide.index[again]) & (own["sessions"] > 0)]
    if not again.any():
        return single
    rows = _with_zeros(wide[again])
    by_line = [rows["_file"], rows["_place"]]
    rows = rows.assign(  # no place in a file decides
        _n=-(rows["sessions"] > 0).groupby(by_line).transform("sum"),
        _sum=(rows["sessions"] * (rows["mark"].cat.codes + 1)).groupby(by_line).transform("sum"),
    )
    same_day = [*KEY, "recorded_on"]
    rows = rows.sort_values([*same_day, "_n", "_sum", *ORIGIN], kind="stable")
    is_rest = rows.duplicated(same_day).to_numpy()
    place = np.maximum.accumulate(np.where(is_rest, 0, np.arange(len(rows))))
    first = rows.iloc[place[is_rest]]
    rest = rows[is_rest]
    differs = rest["sessions"].to_numpy() != first["sessions"].to_numpy()
    verdicts.add(NAME, rest, np.where(differs, CONFLICTING, MERGED), first, "sessions")
    return pd.concat([single, rows[~is_rest].drop(columns=["_n", "_sum"])], ignore_index=True)


def _with_zeros(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the zeros that rows by code hold, where another row of the term holds half-days of the code."""
    filled = rows[rows["sessions"] > 0]
    lines = rows.drop_duplicates(ORIGIN)
    bits = lines["_zeros"].to_numpy(dtype=np.int64)
    parts = [filled]
    for number, mark in enumerate(codes("marks")):
        zero = lines[(bits >> number) % 2 == 1]
        if len(zero):
            parts.append(
                zero.assign(
                    mark=pd.Categorical([mark] * len(zero), rows["mark"].cat.categories), sessions=0
                )
            )
    every = pd.concat(parts, ignore_index=True)
    wanted = filled[KEY].drop_duplicates()
    return every.merge(wanted, on=KEY)


def _compare(
    losing: pd.DataFrame, winning: pd.DataFrame, stated: pd.DataFrame, verdicts: RowVerdicts
) -> None:
    """Add a verdict on each row of the source that does not count: its absence equals the other's or not."""
    sums = [
        one.assign(_term=_terms(one))[one["mark"].isin(marks_of(*ABSENT))]
        .drop_duplicates(
            [
                c
                for c in ("_term", "term_end", "mark", "sessions", "_school")
                if c in one or c == "_term"
            ]
        )
        .astype({"mark": "str"})
        .groupby(["_term", "mark"])["sessions"]
        .sum()
        for one in (losing, winning)
    ]
    both = pd.concat(sums, axis=1, keys=["losing", "winning"]).fillna(0)
    other = both[both["losing"] != both["winning"]]
    term = _terms(losing)
    pairs = pd.MultiIndex.from_arrays([term, losing["mark"].astype("str")])
    differs = pd.Series(pairs.isin(other.index), index=losing.index)
    # a code that the row lacks differs too
    missed = set(other.index.get_level_values(0)) - set(term[differs])
    first = pd.concat([winning, stated]).assign(_term=lambda every: _terms(every))
    first = first.drop_duplicates("_term").set_index("_term").reindex(term)[ORIGIN]
    is_other = (differs | term.isin(missed)).to_numpy()
    verdicts.add(
        NAME,
        losing,
        np.where(is_other, CONFLICTING, MERGED),
        first.astype("int64"),
        np.where(is_other, "sessions", ""),
    )


def _moved(possible: pd.DataFrame, own: pd.DataFrame, terms: pd.Index) -> pd.DataFrame:
    """Give possible half-days of terms that count from the LA's own lists the end of these, if it is one."""
    term = _terms(possible)
    ends = own.assign(_term=_terms(own)).groupby("_term")["term_end"].agg(["min", "max"])
    one_end = ends.loc[ends["min"] == ends["max"], "min"]
    end = one_end.reindex(term).set_axis(possible.index)
    is_held = term.isin(terms)
    is_near = (end - possible["term_end"]).abs() <= pd.Timedelta(days=ONE_END)
    moved = possible.assign(term_end=possible["term_end"].where(~(is_held & is_near), end))
    return moved[~is_held | is_near].astype({"term_end": possible["term_end"].dtype})


def add_up(frame: pd.DataFrame, name: str, verdicts: RowVerdicts) -> pd.DataFrame:
    """Add up the totals of two schools, or of two spells at one, for one pupil, term and code.

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
        The rows that the table holds.
    """
    if "_school" not in frame:
        return keep_versions(frame, name, verdicts)
    of_school = frame["_school"].notna()
    parts = frame[of_school]
    if not parts.duplicated(KEY).any():
        return keep_versions(frame, name, verdicts)
    shared = parts.duplicated(KEY, keep=False).to_numpy()
    some = parts[shared].reset_index(drop=True)
    spell = some.groupby([*KEY, "_school", "_entry"], observed=True, dropna=False).ngroup()
    made = settle(TABLES[name], some, np.asarray(spell, dtype=np.int64))
    verdicts.add_settled(name, some, made)
    verdicts.add(name, made.rows, np.where(made.verdict[made.held] == KEPT, KEPT, CONFLICTING))
    summed = pd.concat([parts[~shared], _added_up(made.rows, spell)], ignore_index=True)
    return keep_versions(pd.concat([summed, frame[~of_school]], ignore_index=True), name, verdicts)


def _added_up(rows: pd.DataFrame, spell: pd.Series) -> pd.DataFrame:
    """Return the sums over spells, one row for each day on which one of them became known or changed."""
    before = rows.groupby(spell.loc[rows.index])["sessions"].shift().fillna(0)
    ordered = rows.assign(sessions=rows["sessions"] - before)
    ordered = ordered.sort_values([*KEY, "recorded_on", *ORIGIN], kind="stable")
    total = ordered.groupby(KEY, observed=True)["sessions"].cumsum()
    most = int(TABLES[NAME]["sessions"].high)
    return ordered.assign(sessions=total.clip(upper=most)).drop_duplicates(
        [*KEY, "recorded_on"], keep="last"
    )
