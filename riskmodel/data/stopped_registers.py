"""Registers that stop: schools and year groups whose marks end some time before a day.

In:  tables, days.
Out: the groups whose registers stopped, with the day from which marks are missing; the pupils about whom
     no register speaks any more.

A school that never sent registers has not stopped to send them: its pupils are judged on other facts, as
they were when a model was trained. A school whose registers stop would be judged on marks of long ago.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import day_number, pupils_of, whole_days
from riskmodel.data.calendar import snapshot_dates
from riskmodel.data.outcomes import HALF_TERMLY, HOLIDAY_DAYS
from riskmodel.data.ratio import ratio
from riskmodel.data.tables import Tables
from riskmodel.data.year_groups import (
    LAST_SECONDARY,
    LEAVING_MONTHS,
    year_group_on,
    year_words,
)

__all__ = ["since_stopped", "stopped_registers", "stopped_schools"]

LATELY = 20
"""School days before a day that decide: four school weeks, chosen."""

LOOKED_BACK = 120
"""Days before a day among which these school days are looked for: longer than any holiday."""

A_SCHOOL_DAY = 0.05
"""Marks of a school day, as a share of those of the fullest day nearby, at least, where no calendar was
published."""

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

PAST_YEARS = 2
"""Years in which a school must have sent registers for them to have stopped; no feature looks back more."""

COLUMNS = ["school_id", "year_group", "pupils", "share", "usual", "since"]

WHOLE_SCHOOL = -1
"""In place of the year group, for the sums of a school."""

Ints = NDArray[np.int64]


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
        Reception to Year 11; not Year 11 in summer, when it leaves. No rows without registers or rolls.

    Examples
    --------
    >>> len(stopped_registers(Tables({}), pd.Timestamp("2025-03-01")))
    0
    """
    return _Registers(tables).stopped(as_of)


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
        any school. Missing for all others.
    """
    registers = _Registers(tables)
    since = pd.Series(pd.NaT, index=spine.index, dtype="datetime64[s]")
    for day, rows in spine.groupby("as_of", sort=True):
        assert isinstance(day, pd.Timestamp)
        stopped = registers.stopped(day)
        if len(stopped):
            since.loc[rows.index] = _since(rows, stopped, registers.lately(day)).to_numpy()
    return since


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
    keys = ["school_id", "year_group"]
    groups = rows[keys].astype({"school_id": "str", "year_group": "Int64"})
    days = stopped.astype({"school_id": "str", "year_group": "Int64"}).set_index(keys)["since"]
    found = days.reindex(pd.MultiIndex.from_frame(groups))
    goes_on = lately.own[pupils_of(rows)] > OF_USUAL * 2 * len(lately.days)
    return found.mask(goes_on)


@dataclass(frozen=True)
class _Lately:
    """The marks of the last school days before a day.

    Attributes
    ----------
    days : int array of shape (n_days,)
        The school days, ascending.
    own : int array of shape (n_pupils,)
        Half-days with a mark on them, by number of the pupil.
    shares : DataFrame
        Index: school and year group, or :data:`WHOLE_SCHOOL`; ``pupils, share, enough``.
    """

    days: Ints
    own: Ints
    shares: pd.DataFrame = field(repr=False)


class _Registers:
    """Registers and rolls, looked at on many days; what was counted of a day is kept."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._counted: dict[pd.Timestamp, _Lately] = {}

    def stopped(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the groups whose registers stopped before a day."""
        if not self._is_there:
            return pd.DataFrame({name: [] for name in COLUMNS})
        now = self.lately(as_of).shares
        found = now[now["enough"] & (now["share"] <= OF_USUAL)]  # no usual share is above 1
        if found.empty:
            return pd.DataFrame({name: [] for name in COLUMNS})
        found = found.join(self._usual(as_of), how="inner")
        low = found["share"] <= OF_USUAL * found["usual"]
        found = found[low & (found["usual"] >= SENT)].drop(columns="enough")
        groups = _of_year_groups(now, found)
        if as_of.month in LEAVING_MONTHS:
            groups = groups[(groups["year_group"] != LAST_SECONDARY).to_numpy()]
        if groups.empty:
            return pd.DataFrame({name: [] for name in COLUMNS})
        # where most are marked on the last school day, registers go on
        return groups.assign(since=self._since(groups, as_of)).dropna(subset=["since"])[COLUMNS]

    @cached_property
    def _is_there(self) -> bool:
        return all(n in self._tables and len(self._tables[n]) for n in ("sessions", "enrolments"))

    def lately(self, as_of: pd.Timestamp) -> _Lately:
        """Return the marks of the last school days before a day, as known on it."""
        if as_of not in self._counted:
            self._counted[as_of] = self._count(as_of)
        return self._counted[as_of]

    def _count(self, as_of: pd.Timestamp) -> _Lately:
        first = as_of - pd.Timedelta(days=LOOKED_BACK)
        pupil, day = self._marks(first, as_of)
        days = self._school_days(day, first, as_of)[-LATELY:]
        inside = np.isin(day, days)
        pupil, day = pupil[inside], day[inside]
        roll = self._roll(as_of)
        n_pupils = len(self._tables.pupils.categories)
        entry = np.full(n_pupils, np.iinfo(np.int64).max)
        entry[roll["pupil"]] = roll["entry"]
        here = np.bincount(pupil[day >= entry[pupil]], minlength=n_pupils)
        possible = 2 * (len(days) - np.searchsorted(days, roll["entry"].to_numpy()))
        roll = roll.assign(marked=here[roll["pupil"]], possible=possible)
        return _Lately(days, np.bincount(pupil, minlength=n_pupils), _shares(roll))

    def _marks(self, first: pd.Timestamp, as_of: pd.Timestamp) -> tuple[Ints, Ints]:
        """Return pupil and day of each mark of some days that was recorded before the last."""
        inside = (self._days >= day_number(first)) & (self._days < day_number(as_of))
        rows = np.flatnonzero(inside)
        marks = self._tables["sessions"][["pupil_id", "recorded_on"]].iloc[rows]
        known = (marks["recorded_on"] < as_of).to_numpy()
        replaced = self._tables.replaced_on("sessions")
        if replaced is not None:  # of the versions of a mark one counts
            known &= replaced[rows] >= day_number(as_of)
        return pupils_of(marks)[known], self._days[rows[known]].astype(np.int64)

    @cached_property
    def _days(self) -> NDArray[np.int32]:
        """The day of every mark, in days since 1970; narrow, for it is compared with every list's day."""
        return whole_days(self._tables["sessions"]["date"]).astype(np.int32)

    def _school_days(self, marked: Ints, first: pd.Timestamp, as_of: pd.Timestamp) -> Ints:
        """Return the school days of some time: of the published calendar, else those with marks.

        The last days before a list may lie beyond the data by as much as a holiday; these do not count.
        """
        by_marks = _days_with_marks(marked)
        days = self._published
        days = days[(days >= day_number(first)) & (days < day_number(as_of))]
        if not len(days):
            return by_marks
        newest = by_marks.max(initial=0)
        is_fresh = newest + HOLIDAY_DAYS + 1 >= day_number(as_of)
        return days[days <= newest] if is_fresh else days

    @cached_property
    def _published(self) -> Ints:
        """The school days of a calendar that does not follow from registers, ascending."""
        if "calendar" not in self._tables:
            return np.zeros(0, dtype=np.int64)
        calendar = self._tables["calendar"]
        if "first_marked_on" in calendar:
            calendar = calendar[calendar["first_marked_on"].isna().to_numpy()]
        return np.unique(whole_days(calendar["date"]))

    def _roll(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return pupil, school, year group and day of entry of everyone on a main roll."""
        rolls = Tables({"enrolments": self._tables["enrolments"]}).as_known(as_of)["enrolments"]
        now = (rolls["entry_date"] < as_of) & ~(rolls["leaving_date"] < as_of)
        rolls = rolls[(now & (rolls["status"] == "main")).to_numpy()]
        roll = pd.DataFrame(
            {
                "pupil": pupils_of(rolls),
                "school_id": rolls["school_id"].astype("str").to_numpy(),
                "year_group": year_group_on(rolls, as_of).to_numpy(dtype=float, na_value=np.nan),
                "entry": whole_days(rolls["entry_date"]),
            }
        )
        roll = roll[roll["year_group"].between(0, LAST_SECONDARY)].astype({"year_group": "int64"})
        in_order = roll.sort_values(["pupil", "entry", "school_id"])
        return in_order.drop_duplicates("pupil", keep="last", ignore_index=True)

    def _usual(self, as_of: pd.Timestamp) -> pd.DataFrame:
        """Return the largest share of each group on half-termly days of the last two years."""
        first = as_of - pd.DateOffset(years=PAST_YEARS)
        days = snapshot_dates(first, as_of - pd.Timedelta(days=1), HALF_TERMLY)
        recent = [as_of - pd.Timedelta(weeks=weeks) for weeks in WEEKS_BACK]
        past = [self.lately(day).shares for day in [*days, *recent]]
        shares = pd.concat([one.loc[one["enough"], "share"] for one in past])
        return shares.groupby(level=[0, 1]).max().to_frame("usual")

    def _since(self, groups: pd.DataFrame, as_of: pd.Timestamp) -> NDArray[np.datetime64]:
        """Return the first school day without the marks of most, by group."""
        pupil, day = self._marks(pd.Timestamp(0), as_of)
        days, roll = self._school_days(day, pd.Timestamp(0), as_of), self._roll(as_of)
        wanted = zip(groups["school_id"], groups["year_group"], strict=True)
        first = []
        for school, year in wanted:
            own = roll[((roll["school_id"] == school) & (roll["year_group"] == year)).to_numpy()]
            first.append(_first_without(own, pupil, day, days))
        return np.array(first, "datetime64[D]").astype("datetime64[s]")


def _days_with_marks(day: Ints) -> Ints:
    """Return the days that have more than a few marks, ascending."""
    first = day.min(initial=np.iinfo(np.int64).max)
    n_marks = np.bincount(day - first)
    return first + np.flatnonzero(n_marks > A_SCHOOL_DAY * n_marks.max(initial=0))


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
