"""Registers that stop: schools, year groups and pupils whose marks end some time before a day.

In:  tables, days.
Out: the groups and the pupils whose registers stopped, with the day from which marks are missing.

A school that never sent registers has not stopped to send them: its pupils are judged on other facts, as
they were when a model was trained (:mod:`riskmodel.features.facts_as_of`). A pupil whose register stops
would be judged on marks of long ago.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import OPEN, day_number, pupils_of, whole_days
from riskmodel.data.calendar import snapshot_dates
from riskmodel.data.outcomes import HALF_TERMLY
from riskmodel.data.ratio import ratio
from riskmodel.data.register_days import PAST_YEARS, RegisterDays
from riskmodel.data.tables import Tables
from riskmodel.data.year_groups import (
    LAST_SECONDARY,
    study_leave,
    year_group_on,
    year_words,
)

__all__ = [
    "Registers",
    "registers_end",
    "since_stopped",
    "stopped_pupils",
    "stopped_registers",
    "stopped_schools",
]

LATELY = 20
"""School days before a day that decide: four school weeks, chosen."""

OF_USUAL = 0.5
"""Share of the usual half-days, at most, that are marked where registers have stopped. Two of four weeks
without marks reach it; a week of holidays that one school has to itself does not."""

SENT = 0.25
"""Share of half-days that are marked where a school sends registers, at least. Where it is lower, marks
come from other schools that some of the pupils attend."""

FEWEST_PUPILS, FEWEST_DAYS = 5, 10
"""Pupils of a year group and school days on its roll that are enough to decide; a smaller year group counts
as its school."""

WEEKS_BACK = (4, 8)
"""Weeks before a day on which a school's share is looked at too: it may have opened this term."""

A_WEEK = 5
"""School days at the end on most of which there are marks where a pupil's register goes on."""

COLUMNS = ["school_id", "year_group", "pupils", "share", "usual", "since"]

WHOLE_SCHOOL = -1
"""In place of the year group, for the sums of a school."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def stopped_registers(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the year groups of schools whose registers stopped before a day.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before the day are used.
    as_of : Timestamp
        The day.

    Returns
    -------
    DataFrame
        ``school_id, year_group, pupils, share, usual, since``. ``pupils`` are on the main roll on the
        day. ``share`` of their half-days of the last :data:`LATELY` school days are marked, at most
        half (:data:`OF_USUAL`) of the ``usual`` share: the largest on a half-termly day of the last two
        years, as known on that day. ``since`` is the first school day without the marks of most.
        Reception to Year 11; of Year 11 the days before study leave decide
        (:func:`riskmodel.data.year_groups.study_leave`). No rows without registers or rolls.

    Examples
    --------
    >>> len(stopped_registers(Tables({}), pd.Timestamp("2025-03-01")))
    0
    """
    return Registers(tables).stopped(as_of)


def stopped_pupils(tables: Tables, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the pupils whose own registers stopped before a day.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before the day are used.
    as_of : Timestamp
        The day.

    Returns
    -------
    DataFrame
        ``pupil`` (number), ``school_id, year_group, since``: pupils on a main roll, and on no other
        school's, of whom four weeks of marks were full at this school in the last two years. They have
        no mark on the last :data:`FEWEST_DAYS` school days, or on half at most of those of the last
        :data:`LATELY` on which the school took registers. ``since`` is the first school day without a
        mark. Year groups as in :func:`stopped_registers`. No rows without registers or rolls.

    Examples
    --------
    >>> len(stopped_pupils(Tables({}), pd.Timestamp("2025-03-01")))
    0
    """
    return Registers(tables).pupils(as_of)


def since_stopped(tables: Tables, spine: pd.DataFrame) -> pd.Series:
    """Return since when a pupil's registers have stopped.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    spine : DataFrame
        ``pupil_id``, ``as_of``, ``school_id``, ``year_group``.

    Returns
    -------
    Series of datetime64, shape (n_rows,)
        The first school day without marks, of pupils whose school and year group stopped
        (:func:`stopped_registers`), and of whose own half-days no more than half are marked lately, at
        any school; and of pupils whose own registers stopped (:func:`stopped_pupils`). Missing for all
        others.
    """
    registers = Registers(tables)
    since = pd.Series(pd.NaT, index=spine.index, dtype="datetime64[s]")
    if not registers.is_there:
        return since
    for day, rows in spine.groupby("as_of", sort=True):
        assert isinstance(day, pd.Timestamp)
        of_group = _since(rows, registers.stopped(day), registers._lately(day))
        own = registers.pupils(day).set_index("pupil")["since"].reindex(pupils_of(rows))
        since.loc[rows.index] = of_group.fillna(own.set_axis(of_group.index)).to_numpy()
    return since


def registers_end(tables: Tables, as_of: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the last day with registers, and the first school day without, where all registers end.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before the day are used.
    as_of : Timestamp
        The day.

    Returns
    -------
    tuple of Timestamp, or None
        None where registers go on, or where there were none in the two years before.

    Examples
    --------
    >>> registers_end(Tables({}), pd.Timestamp("2025-03-01"))
    """
    return Registers(tables).end(as_of)


def stopped_schools(groups: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each school whose registers stopped.

    Parameters
    ----------
    groups : DataFrame
        ``school_id, year_group, pupils, since``: from :func:`stopped_registers`, or counted of pupils.

    Returns
    -------
    DataFrame
        ``school_id``; ``pupils``; ``years``, the year groups in words; ``since``, the earliest day.

    Examples
    --------
    >>> day = pd.Timestamp("2025-01-06")
    >>> groups = pd.DataFrame({"school_id": "S", "year_group": [8, 7], "pupils": [20, 30], "since": day})
    >>> stopped_schools(groups)[["school_id", "pupils", "years"]].to_numpy().tolist()
    [['S', 50, 'Year 7, Year 8']]
    """
    ordered = groups.sort_values(["school_id", "year_group"])
    ordered = ordered.assign(years=year_words(ordered["year_group"]))
    by_school = ordered.groupby("school_id", sort=True).agg(
        pupils=("pupils", "sum"), years=("years", ", ".join), since=("since", "min")
    )
    return by_school.reset_index()


def _since(rows: pd.DataFrame, stopped: pd.DataFrame, lately: _Lately) -> pd.Series:
    """Return the day of each row's group, unless the pupil's own marks go on."""
    if stopped.empty:
        return pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]")
    keys = ["school_id", "year_group"]
    groups = rows[keys].astype({"school_id": "str", "year_group": "Int64"})
    days = stopped.astype({"school_id": "str", "year_group": "Int64"}).set_index(keys)["since"]
    found = days.reindex(pd.MultiIndex.from_frame(groups)).set_axis(rows.index)
    goes_on = lately.own[pupils_of(rows)] > OF_USUAL * 2 * min(LATELY, len(lately.days))
    return found.mask(goes_on)


@dataclass(frozen=True)
class _Lately:
    """The marks of the last school days before a day.

    Attributes
    ----------
    days : int array of shape (n_days,)
        School days, ascending: the last :data:`LATELY`, and as many before study leave where it has begun.
    roll : DataFrame
        Everyone on a main roll.
    half_days : int array of shape (n_roll, n_days)
        Marks of each of them on each day.
    window : bool array of shape (n_roll, n_days)
        The days that decide, from the day of entry on.
    own : int array of shape (n_pupils,)
        Half-days with a mark on the last :data:`LATELY` days, by number of the pupil.
    """

    days: Ints
    roll: pd.DataFrame = field(repr=False)
    half_days: NDArray[np.uint8] = field(repr=False)
    window: NDArray[np.bool_] = field(repr=False)
    own: Ints = field(repr=False)

    @cached_property
    def shares(self) -> pd.DataFrame:
        """``pupils, share, enough`` by school and year group, or :data:`WHOLE_SCHOOL`."""
        marked = (self.half_days * self.window).sum(axis=1)
        return _shares(self.roll.assign(marked=marked, possible=2 * self.window.sum(axis=1)))

    def silent(self) -> tuple[Bools, Bools]:
        """Return whose marks ended, and on which days marks are missing of whom marks are few.

        Returns
        -------
        ended : bool array of shape (n_roll,)
            On none of the last :data:`FEWEST_DAYS` days that decide, nor later, is there a mark.
        missed : bool array of shape (n_roll, n_days)
            Days with registers of the school without a mark of the pupil; empty rows but for pupils who
            have marks on half of such days at most, and on half of the last :data:`A_WEEK` at most.
        """
        marked = (self.half_days > 0) & (self.days >= self._entry[:, None])
        from_end = _from_end(self.window)
        is_after = np.maximum.accumulate(self.window & (from_end <= FEWEST_DAYS), axis=1)
        is_long = self.window.sum(axis=1) >= FEWEST_DAYS
        taken = self.window & self._taken(marked)
        last = taken & (_from_end(taken) <= A_WEEK)
        is_few = taken.sum(axis=1) >= FEWEST_DAYS
        for days in (taken, last):
            is_few &= (marked & days).sum(axis=1) <= OF_USUAL * days.sum(axis=1)
        return is_long & ~(marked & is_after).any(axis=1), taken & ~marked & is_few[:, None]

    @property
    def _entry(self) -> Ints:
        return self.roll["entry"].to_numpy()

    def _taken(self, marked: Bools) -> Bools:
        """Return on which days a pupil's school took registers."""
        school = pd.factorize(self.roll["school_id"])[0]
        in_order = np.argsort(school, kind="stable")
        begins = np.searchsorted(school[in_order], np.arange(school.max(initial=-1) + 1))
        if not len(begins):
            return marked
        n_marked, n_pupils = (
            np.add.reduceat(of[in_order], begins, axis=0, dtype=np.int64)
            for of in (marked & self.window, self.window)
        )
        return ((n_marked >= SENT * n_pupils) & (n_marked > 0))[school]


class Registers:
    """Registers and rolls, looked at more than once; what was counted of a day is kept.

    Parameters
    ----------
    tables : Tables
        The LA's facts; only those recorded before the day that is asked for are used.

    Examples
    --------
    >>> registers = Registers(Tables({}))
    >>> len(registers.stopped(pd.Timestamp("2025-03-01")))
    0
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._days = RegisterDays(tables)
        self._counted: dict[pd.Timestamp, _Lately] = {}

    def end(self, as_of: pd.Timestamp) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """Return the last day with registers, and the first without, where all registers end.

        Parameters
        ----------
        as_of : Timestamp
            The day.

        Returns
        -------
        tuple of Timestamp, or None
            As :func:`registers_end`.
        """
        if not self._has("sessions"):
            return None
        days = self._days.before(as_of)
        if days.newest is None or not len(days.missing):
            return None
        last, since = (pd.Timestamp(int(day), unit="D") for day in (days.newest, days.missing[0]))
        return last, since

    def stopped(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the groups whose registers stopped before a day.

        Parameters
        ----------
        as_of : Timestamp
            The day.

        Returns
        -------
        DataFrame
            As :func:`stopped_registers`.
        """
        nothing = pd.DataFrame({name: [] for name in COLUMNS})
        if not self.is_there:
            return nothing
        now = self._lately(as_of).shares
        found = now[now["enough"] & (now["share"] <= OF_USUAL)]  # no usual share is above 1
        if found.empty:
            return nothing
        found = found.join(self._usual(as_of), how="inner")
        low = found["share"] <= OF_USUAL * found["usual"]
        found = found[low & (found["usual"] >= SENT)].drop(columns="enough")
        groups = _of_year_groups(now, found)
        if groups.empty:
            return nothing
        # where most are marked on the last school day, registers go on
        return groups.assign(since=self._since(groups, as_of)).dropna(subset=["since"])[COLUMNS]

    @cached_property
    def is_there(self) -> bool:
        """Whether there are registers and rolls."""
        return self._has("sessions") and self._has("enrolments")

    def _has(self, name: str) -> bool:
        return name in self._tables and len(self._tables[name]) > 0

    def without(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the schools that send no registers, lately nor in the two years before.

        Parameters
        ----------
        as_of : Timestamp
            The day.

        Returns
        -------
        DataFrame
            ``school_id, pupils``: :data:`FEWEST_PUPILS` pupils on the main roll or more, of whose
            half-days fewer than :data:`SENT` are marked. No rows without registers or rolls.
        """
        if not self.is_there:
            return pd.DataFrame({"school_id": [], "pupils": []})
        schools = _of_whole_schools(self._lately(as_of).shares)
        schools = schools[schools["enough"] & (schools["share"] < SENT)]
        if schools.empty:
            return schools.reset_index()[["school_id", "pupils"]]
        usual = _of_whole_schools(self._usual(as_of))["usual"]
        sent = usual.reindex(schools.index) >= SENT
        return schools[~sent.to_numpy()].reset_index()[["school_id", "pupils"]]

    def pupils(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the pupils whose own registers stopped before a day.

        Parameters
        ----------
        as_of : Timestamp
            The day.

        Returns
        -------
        DataFrame
            As :func:`stopped_pupils`.
        """
        if not self.is_there:
            columns = ("pupil", "school_id", "year_group", "since")
            return pd.DataFrame({name: [] for name in columns})
        lately = self._lately(as_of)
        ended, missed = lately.silent()
        found = np.flatnonzero((ended | missed.any(axis=1)) & ~lately.roll["elsewhere"].to_numpy())
        roll, ended, missed = lately.roll.iloc[found], ended[found], missed[found]
        last, was_full = self._before(roll, as_of)
        days = np.append(self._days.before(as_of).days, OPEN)
        first_missed = np.append(lately.days, OPEN)[missed.argmax(axis=1)]
        since = np.where(ended, days[np.searchsorted(days, last, side="right")], first_missed)
        roll = roll.assign(since=since.astype("datetime64[D]").astype("datetime64[s]"))
        return roll[was_full].drop(columns=["entry", "elsewhere"])

    def _before(self, roll: pd.DataFrame, as_of: pd.Timestamp) -> tuple[Ints, Bools]:
        """Return the day of each pupil's last mark here, and whether marks of four weeks were full."""
        days = self._days.before(as_of).days
        first = day_number(as_of - pd.DateOffset(years=PAST_YEARS))
        days = days[days >= first]
        row = np.full(len(self._tables.pupils.categories), -1)
        row[roll["pupil"]] = np.arange(len(roll))
        if not len(roll):
            return np.zeros(0, np.int64), np.zeros(0, dtype=bool)
        pupil, day = self._days.marks(first, as_of, row >= 0)
        here = day >= roll["entry"].to_numpy()[row[pupil]]
        pupil, day = row[pupil[here]], day[here]
        last = np.full(len(roll), first)
        np.maximum.at(last, pupil, day)
        marked = _half_days(pupil, day, len(roll), days) > 0
        until = np.pad(marked.cumsum(axis=1, dtype=np.int32), ((0, 0), (LATELY, 0)))
        most = (until[:, LATELY:] - until[:, :-LATELY]).max(axis=1, initial=0)
        return last, most > OF_USUAL * LATELY

    def _lately(self, as_of: pd.Timestamp) -> _Lately:
        """Return the marks of the last school days before a day, as known on it."""
        if as_of not in self._counted:
            self._counted[as_of] = self._count(as_of)
        return self._counted[as_of]

    def _count(self, as_of: pd.Timestamp) -> _Lately:
        days, roll = self._days.before(as_of).days, self._roll(as_of)
        leave = day_number(study_leave(as_of))
        before = int(np.searchsorted(days, leave))  # Year 11 may have no registers from then on
        first = max(0, min(len(days), before) - LATELY)
        days, before = days[first:], before - first
        place = np.arange(len(days))
        is_lately = place >= len(days) - LATELY
        is_before = (place >= before - LATELY) & (place < before)
        leaves = (roll["year_group"] == LAST_SECONDARY).to_numpy()[:, None]
        entry = roll["entry"].to_numpy()[:, None]
        window = np.where(leaves, is_before, is_lately) & (days >= entry)
        pupil, day = self._days.marks(int(days[0]) if len(days) else OPEN, as_of)
        n_pupils = len(self._tables.pupils.categories)
        row = np.full(n_pupils, -1)
        row[roll["pupil"]] = np.arange(len(roll))
        ours = row[pupil] >= 0
        half_days = _half_days(row[pupil[ours]], day[ours], len(roll), days)
        own = np.bincount(pupil[np.isin(day, days[is_lately])], minlength=n_pupils)
        return _Lately(days, roll, half_days, window, own)

    def _roll(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return everyone on a main roll.

        Columns are number of the pupil, school, year group, day of entry, and whether the pupil is on the
        roll of another school too.
        """
        rolls = Tables({"enrolments": self._tables["enrolments"]}).as_known(as_of)["enrolments"]
        now = (rolls["entry_date"] < as_of) & ~(rolls["leaving_date"] < as_of)
        rolls = rolls[now.to_numpy()]
        roll = pd.DataFrame(
            {
                "pupil": pupils_of(rolls),
                "school_id": rolls["school_id"].astype("str").to_numpy(),
                "year_group": year_group_on(rolls, as_of).to_numpy(dtype=float, na_value=np.nan),
                "entry": whole_days(rolls["entry_date"]),
            }
        )
        roll["elsewhere"] = roll.groupby("pupil")["school_id"].transform("nunique") > 1
        roll = roll[(rolls["status"] == "main").to_numpy()]
        roll = roll[roll["year_group"].between(0, LAST_SECONDARY)].astype({"year_group": "int64"})
        in_order = roll.sort_values(["pupil", "entry", "school_id"])
        return in_order.drop_duplicates("pupil", keep="last", ignore_index=True)

    def _usual(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the largest share of each group on half-termly days of the last two years."""
        first = as_of - pd.DateOffset(years=PAST_YEARS)
        days = snapshot_dates(first, as_of - pd.Timedelta(days=1), HALF_TERMLY)
        recent = [as_of - pd.Timedelta(weeks=weeks) for weeks in WEEKS_BACK]
        past = [self._lately(day).shares for day in [*days, *recent]]
        shares = pd.concat([one.loc[one["enough"], "share"] for one in past])
        return shares.groupby(level=[0, 1]).max().to_frame("usual")

    def _since(self, groups: pd.DataFrame, as_of: pd.Timestamp) -> NDArray[np.datetime64]:
        """Return the first school day without the marks of most, by group."""
        pupil, day = self._days.marks(0, as_of)
        days, roll = self._days.before(as_of).days, self._lately(as_of).roll
        before_leave = days[days < day_number(study_leave(as_of))]
        wanted = zip(groups["school_id"], groups["year_group"], strict=True)
        first = []
        for school, year in wanted:
            own = roll[((roll["school_id"] == school) & (roll["year_group"] == year)).to_numpy()]
            of_year = before_leave if year == LAST_SECONDARY else days
            first.append(_first_without(own, pupil, day, of_year))
        return np.array(first, "datetime64[D]").astype("datetime64[s]")


def _half_days(row: Ints, day: Ints, n_rows: int, days: Ints) -> NDArray[np.uint8]:
    """Count the marks of each row on each school day."""
    is_one = np.isin(day, days)
    cell = row[is_one] * len(days) + np.searchsorted(days, day[is_one])
    counts = np.bincount(cell, minlength=n_rows * len(days))
    return counts.reshape(n_rows, len(days)).astype(np.uint8)


def _from_end(chosen: Bools) -> Ints:
    """Count the chosen days of each row from its end: 1 for the last."""
    return np.asarray(chosen[:, ::-1].cumsum(axis=1)[:, ::-1])


def _shares(roll: pd.DataFrame) -> pd.DataFrame:
    """Return the share of half-days that are marked, by school and year group and by school."""
    both = pd.concat([roll, roll.assign(year_group=WHOLE_SCHOOL)])
    sums = both.groupby(["school_id", "year_group"]).agg(
        pupils=("pupil", "size"), marked=("marked", "sum"), possible=("possible", "sum")
    )
    long_enough = sums["possible"] >= 2 * FEWEST_DAYS * sums["pupils"]
    return pd.DataFrame(
        {
            "pupils": sums["pupils"],
            "share": ratio(sums["marked"], sums["possible"]),
            "enough": long_enough & (sums["pupils"] >= FEWEST_PUPILS),
        },
        index=sums.index,
    )


def _of_whole_schools(shares: pd.DataFrame) -> pd.DataFrame:
    """Return the shares of whole schools, by school; there may be none."""
    is_whole = shares.index.get_level_values("year_group") == WHOLE_SCHOOL
    return shares[is_whole].droplevel("year_group")


def _of_year_groups(now: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return the year groups that stopped, and the small ones of schools that stopped as a whole."""
    year = now.index.get_level_values("year_group")
    small = now[(year != WHOLE_SCHOOL) & (now["pupils"] < FEWEST_PUPILS).to_numpy()]
    school = pd.MultiIndex.from_arrays(
        [small.index.get_level_values("school_id"), np.full(len(small), WHOLE_SCHOOL)]
    )
    usual = found["usual"].reindex(school).to_numpy()
    small = small.assign(usual=usual).dropna(subset=["usual"]).drop(columns="enough")
    large = found[found.index.get_level_values("year_group") != WHOLE_SCHOOL]
    return pd.concat([large, small]).sort_index().reset_index()


def _first_without(own: pd.DataFrame, pupil: Ints, day: Ints, days: Ints) -> np.datetime64:
    """Return the first school day after the last on which half of the half-days were marked, if any."""
    entry = np.sort(own["entry"].to_numpy())
    entry_of = dict(zip(own["pupil"], own["entry"], strict=True))
    theirs = np.isin(pupil, own["pupil"].to_numpy())
    came = pd.Series(pupil[theirs]).map(entry_of).to_numpy()
    marked_on = np.sort(day[theirs][day[theirs] >= came])
    marked = np.searchsorted(marked_on, days, "right") - np.searchsorted(marked_on, days)
    possible = 2 * np.searchsorted(entry, days, "right")
    is_held = (possible > 0) & (marked >= OF_USUAL * possible)
    after = days[is_held].max() + 1 if is_held.any() else entry[0]
    later = days[days >= after]
    return np.datetime64(int(later[0]), "D") if len(later) else np.datetime64("NaT")
