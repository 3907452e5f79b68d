"""What was known on one day, ready for builders.

In:  tables, register, day, pupils.
Out: :class:`Known`: the facts recorded before ``as_of`` as arrays, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.features import windows
from riskmodel.features.peers import count_peers, numbers_of, others
from riskmodel.features.register import (
    REGISTER_DAYS,
    Register,
    Tally,
    day_number,
    family_lookup,
    group_of,
    lane,
    whole_days,
)

__all__ = ["DAYS_PER_MONTH", "OPEN", "Events", "Known", "days_of"]

OPEN = 10**6
"""Day number of an end that has not come: far in the future."""

DAYS_PER_MONTH = 30.4375


def days_of(dates: pd.Series) -> NDArray[np.int64]:
    """Return days since 1970, :data:`OPEN` where missing.

    Parameters
    ----------
    dates : Series of datetime64
        Days.

    Returns
    -------
    int array
        Days since 1970-01-01.
    """
    return np.where(dates.isna().to_numpy(), OPEN, whole_days(dates))


@dataclass(frozen=True)
class Events:
    """Facts of one table with the kernel bound to a day; every answer is per spine row.

    Attributes
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; day since 1970.
    as_of : int
        Day since 1970.
    n_pupils : int
        Pupils of the shared category.
    rows : int array of shape (n_rows,)
        Pupil number of each spine row.
    """

    pupil: NDArray[np.int64]
    day: NDArray[np.int64]
    as_of: int
    n_pupils: int
    rows: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> Events:
        """Return only some of the facts.

        Parameters
        ----------
        keep : bool array of shape (n_facts,)
            Facts kept.

        Returns
        -------
        Events
            Fewer facts.
        """
        return Events(self.pupil[keep], self.day[keep], self.as_of, self.n_pupils, self.rows)

    def count(self, window_days: int | None = None) -> NDArray[np.float64]:
        """Count facts of the last days, or all.

        Parameters
        ----------
        window_days : int, optional
            Days looked back; all the past where left out.

        Returns
        -------
        float array of shape (n_rows,)
            Counts.
        """
        return windows.count_in_window(
            self.pupil, self.day, as_of=self.as_of, window_days=window_days, n_pupils=self.n_pupils
        )[self.rows]

    def sum(
        self, value: NDArray[np.float64], window_days: int | None = None
    ) -> NDArray[np.float64]:
        """Sum a value over facts of the last days, or all.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            What is summed.
        window_days : int, optional
            Days looked back.

        Returns
        -------
        float array of shape (n_rows,)
            Sums.
        """
        return windows.sum_in_window(
            self.pupil, self.day, value, as_of=self.as_of, window_days=window_days,
            n_pupils=self.n_pupils,
        )[self.rows]  # fmt: skip

    def last(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the latest value.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values.

        Returns
        -------
        float array of shape (n_rows,)
            nan where there is no fact.
        """
        return windows.last_value(
            self.pupil, self.day, value, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def first(self) -> NDArray[np.float64]:
        """Return the day of the earliest fact.

        Returns
        -------
        float array of shape (n_rows,)
            Days since 1970; nan where there is no fact.
        """
        return -self.largest(-self.day.astype(float))

    def largest(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest value of the past.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values.

        Returns
        -------
        float array of shape (n_rows,)
            nan where there is no fact.
        """
        return windows.largest(
            self.pupil, self.day, value, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def steps(self, value: NDArray[np.float64]) -> tuple[Events, NDArray[np.float64]]:
        """Return the changes of a value from each fact to the next, dated by the later of the two.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values.

        Returns
        -------
        events : Events
            One per step.
        change : float array of shape (n_steps,)
            Later value less the earlier.
        """
        order = np.lexsort((value, self.day, self.pupil))
        pupil, day, ordered = self.pupil[order], self.day[order], value[order]
        same = pupil[1:] == pupil[:-1]
        later = Events(pupil[1:][same], day[1:][same], self.as_of, self.n_pupils, self.rows)
        return later, (ordered[1:] - ordered[:-1])[same]

    def gaps(self) -> tuple[Events, NDArray[np.float64]]:
        """Return the gaps between facts that follow each other, dated by the later of each two.

        Returns
        -------
        events : Events
            One per gap.
        days : float array of shape (n_gaps,)
            Days between the two.
        """
        return self.steps(self.day.astype(float))

    def days_since(self) -> NDArray[np.float64]:
        """Return days since the latest fact.

        Returns
        -------
        float array of shape (n_rows,)
            nan where there is no fact.
        """
        return windows.days_since_last(
            self.pupil, self.day, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def state(self, end: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return whether a spell that starts at each fact is open.

        Parameters
        ----------
        end : int array of shape (n_facts,)
            Last day of each spell.

        Returns
        -------
        float array of shape (n_rows,)
            1 or 0.
        """
        return windows.state_at(
            self.pupil, self.day, end, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]


@dataclass(frozen=True)
class Known:
    """All that a builder may look at.

    Attributes
    ----------
    tables : Mapping of str to DataFrame
        Facts recorded before ``as_of``; register marks are in :meth:`marks`.
    as_of : Timestamp
        The day.
    spine : DataFrame
        ``pupil_id``, ``school_id``, ``year_group`` of the pupils wanted.
    register : Register or None
        All marks; builders use :meth:`marks`.
    tally : Tally or None
        Prefix sums of the register; builders use :meth:`half_days`.
    peers : Mapping of str to DataFrame, optional
        Sums over all pupils on a roll that day, by ``"school"`` and by ``"year_group"``
        (:mod:`riskmodel.features.peers`), where the tables hold only a part of the pupils.
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    spine: pd.DataFrame
    register: Register | None = field(repr=False)
    tally: Tally | None = field(default=None, repr=False)
    peers: Mapping[str, pd.DataFrame] | None = field(default=None, repr=False)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Pupil number of each row of the spine."""
        return self.spine["pupil_id"].cat.codes.to_numpy().astype(np.int64)

    @property
    def day(self) -> int:
        """The day, in days since 1970."""
        return day_number(self.as_of)

    def events(self, table: str, day: str, keep: NDArray[np.bool_] | None = None) -> Events:
        """Return the facts of a table by the day they happened.

        Parameters
        ----------
        table : str
            Table name.
        day : str
            Date column.
        keep : bool array, optional
            Rows of the table that count.

        Returns
        -------
        Events
            The kernel bound to these facts and this day.
        """
        facts = self.tables[table]
        if keep is not None:
            facts = facts[keep]
        pupil = facts["pupil_id"].cat.codes.to_numpy().astype(np.int64)
        n_pupils = len(self.spine["pupil_id"].cat.categories)
        return Events(pupil, days_of(facts[day]), self.day, n_pupils, self.rows)

    @cached_property
    def marks(self) -> NDArray[np.uint8]:
        """Register slice: row per spine row, the last :data:`REGISTER_DAYS` school days."""
        assert self.register is not None
        return self.register.as_known(self.as_of, self.rows, n_days=REGISTER_DAYS)

    def half_days(
        self, family: str, n_days: int, *, skip: int = 0, part: str = "all"
    ) -> NDArray[np.float64]:
        """Count half-days with a mark of a family over the last school days.

        Parameters
        ----------
        family : str
            A key of :data:`riskmodel.features.register.FAMILIES`.
        n_days : int
            School days looked back on.
        skip : int
            School days just before the day that are left out.
        part : str
            ``"all"``, ``"edge"`` (Mondays and Fridays) or ``"morning"``.

        Returns
        -------
        float array of shape (n_rows,)
            Half-days.
        """
        assert self.register is not None
        window = self.register.window(self.as_of, n_days, skip=skip)
        return self._count(family, *window, part)

    def half_days_of_term(self, family: str, *, back: int = 0) -> NDArray[np.float64]:
        """Count half-days with a mark of a family in this term, or an earlier one.

        Parameters
        ----------
        family : str
            A key of :data:`riskmodel.features.register.FAMILIES`.
        back : int
            Terms before this one.

        Returns
        -------
        float array of shape (n_rows,)
            Half-days; 0 where there is no such term, or no calendar to tell it.
        """
        assert self.register is not None
        return self._count(family, *self.register.term(self.as_of, back=back), "all")

    def _count(self, family: str, start: int, stop: int, part: str) -> NDArray[np.float64]:
        """Count a family between two positions; the three counted with it are kept at hand."""
        group, shift = group_of(family)
        key = (group, start, stop, part)
        if key not in self._counted:
            assert self.tally is not None
            self._counted[key] = self.tally.lanes(group, self.as_of, self.rows, start, stop, part)
        return lane(self._counted[key], shift)

    @cached_property
    def _counted(self) -> dict[tuple[int, int, int, str], NDArray[np.uint64]]:
        return {}

    @cached_property
    def everyone(self) -> Known:
        """The same day, with a row for every pupil in the order of their numbers."""
        dtype = self.spine["pupil_id"].dtype
        assert isinstance(dtype, pd.CategoricalDtype)
        numbers = np.arange(len(dtype.categories))
        spine = pd.DataFrame({"pupil_id": pd.Categorical.from_codes(numbers, dtype=dtype)})
        return replace(self, spine=spine)

    @cached_property
    def numbers(self) -> pd.DataFrame:
        """Whole numbers of every pupil, by number (:mod:`riskmodel.features.peers`)."""
        return numbers_of(self)

    @cached_property
    def sums(self) -> Mapping[str, pd.DataFrame]:
        """Those numbers added up over everyone on a roll, by school and by year group."""
        return count_peers(self) if self.peers is None else self.peers

    def others(self, kind: str) -> Mapping[str, NDArray[np.float64]]:
        """Return the numbers of a pupil's peers, added up, the pupil left out.

        Parameters
        ----------
        kind : str
            ``"school"`` or ``"year_group"``.

        Returns
        -------
        mapping of str to float array
            Number (:mod:`riskmodel.features.peers`) → one value per row of the spine.
        """
        if kind not in self._of_others:
            self._of_others[kind] = others(self, kind)
        return self._of_others[kind]

    @cached_property
    def _of_others(self) -> dict[str, Mapping[str, NDArray[np.float64]]]:
        return {}

    def in_spell(self, table: str, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return whether a pupil is in a spell of a table on the day.

        Parameters
        ----------
        table : str
            Table with ``start_date`` and ``end_date``.
        keep : bool array
            Rows of the table that count.

        Returns
        -------
        float array of shape (n_rows,)
            1 or 0.
        """
        end = days_of(self.tables[table]["end_date"])
        return self.events(table, "start_date", keep).state(end[keep])

    def days_in_spell(self, table: str, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the days a pupil has spent in spells of a table so far.

        Parameters
        ----------
        table : str
            Table with ``start_date`` and ``end_date``.
        keep : bool array
            Rows of the table that count; spells that overlap count twice.

        Returns
        -------
        float array of shape (n_rows,)
            Days.
        """
        end = days_of(self.tables[table]["end_date"])
        events = self.events(table, "start_date", keep)
        return windows.spell_days(
            events.pupil, events.day, end[keep], as_of=self.day, n_pupils=events.n_pupils
        )[self.rows]

    @cached_property
    def school_year(self) -> int:
        """The calendar year in which the day's school year began."""
        return int(academic_year(pd.Series([self.as_of])).iloc[0])

    @cached_property
    def school_year_start(self) -> int:
        """The 1 September before the day, in days since 1970."""
        return day_number(pd.Timestamp(self.school_year, 9, 1))

    @cached_property
    def roll(self) -> pd.DataFrame:
        """Pupils on a roll on the day: ``pupil`` (number), ``school_id``, ``year_group`` now."""
        spells = self.tables["enrolments"]
        now = (spells["entry_date"] < self.as_of) & ~(spells["leaving_date"] < self.as_of)
        spells = spells[now.to_numpy()]
        year_group = spells["year_group"] + self.school_year - academic_year(spells["entry_date"])
        return (
            pd.DataFrame(
                {
                    "pupil": spells["pupil_id"].cat.codes.to_numpy().astype(np.int64),
                    "school_id": spells["school_id"].to_numpy(),
                    "year_group": year_group.to_numpy(dtype=np.int64),
                }
            )
            .drop_duplicates(ignore_index=True)
            .sort_values(["school_id", "year_group", "pupil"], ignore_index=True)
        )

    def family(self, name: str) -> NDArray[np.bool_]:
        """Return which half-days of the slice hold a mark of a family.

        Parameters
        ----------
        name : str
            A key of :data:`riskmodel.features.register.FAMILIES`.

        Returns
        -------
        bool array of shape (n_rows, n_half_days)
            Oldest first.
        """
        return family_lookup(name)[self.marks]
