"""What was known on one day, ready for builders.

In:  tables, register, day, pupils.
Out: :class:`FactsAsOf`: the facts recorded before ``as_of`` as arrays, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import OPEN, day_number, days_of, pupils_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.codes import PERSISTENT
from riskmodel.data.missed_half_days import FEWEST_HALF_DAYS
from riskmodel.data.register_days import LATE
from riskmodel.data.sen_provision import EHC_PLAN, SEN_SUPPORT, provision_before
from riskmodel.data.year_groups import LAST_SECONDARY, study_leave, year_group_on
from riskmodel.features import windows
from riskmodel.features.events import Events
from riskmodel.features.known_half_days import fewest_of, rate_of_known
from riskmodel.features.mark_counts import MarkCounts, group_of, unpack
from riskmodel.features.marks import NO_MARK, family_lookup
from riskmodel.features.peer_counts import PeerCounts, incidents_on
from riskmodel.features.register import Register, Window

__all__ = ["FactsAsOf"]


@dataclass(frozen=True)
class FactsAsOf:
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
    mark_counts : MarkCounts or None
        Prefix sums of the register; builders use :meth:`half_days`.
    peers : Mapping of str to DataFrame, optional
        Sums over all pupils on a roll that day, by ``"school"`` and by ``"year_group"``
        (:mod:`riskmodel.features.peer_counts`), where the tables hold only a part of the pupils.
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    spine: pd.DataFrame
    register: Register | None = field(repr=False)
    mark_counts: MarkCounts | None = field(default=None, repr=False)
    peers: Mapping[str, pd.DataFrame] | None = field(default=None, repr=False)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Pupil number of each row of the spine."""
        return pupils_of(self.spine)

    @cached_property
    def year_group(self) -> NDArray[np.float64]:
        """Year group of each row of the spine; nan where it is not known."""
        return self.spine["year_group"].to_numpy(dtype=float, na_value=np.nan)

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
        keep : bool array of shape (n_facts,), optional
            Rows of the table that count.

        Returns
        -------
        Events
            The kernel bound to these facts and this day.
        """
        facts = self.tables[table]
        if keep is not None:
            facts = facts[keep]
        pupil = pupils_of(facts)
        n_pupils = len(self.spine["pupil_id"].cat.categories)
        return Events(pupil, days_of(facts[day]), self.day, n_pupils, self.rows)

    @cached_property
    def marks(self) -> NDArray[np.uint8]:
        """Register slice: row per spine row, the school days of the last 12 months.

        A pupil of whom no mark came lately (:attr:`is_silent`) has none in it.
        """
        assert self.register is not None
        marks = self.register.year_as_known(self.as_of, self.rows)
        marks[self.is_silent[self.rows]] = NO_MARK
        return marks

    @cached_property
    def is_silent(self) -> NDArray[np.bool_]:
        """Whether no mark came lately of a pupil on a main roll, by number of the pupil.

        Then marks of long ago say nothing: at a school that never sends registers, those of the school
        before would speak. It takes more than :data:`riskmodel.data.register_days.LATE` school days on the
        roll, and no mark of any school on the last of them; of Year 11 also on the last before study leave.
        After Year 11 the marks of school are history, and count.
        """
        entry, year_group = self._on_main_roll
        silent = (year_group <= LAST_SECONDARY) & self._without_marks(entry, self.day)
        leave = day_number(study_leave(self.as_of))
        if leave < self.day:
            leaves = year_group == LAST_SECONDARY
            silent[leaves] &= self._without_marks(entry, leave)[leaves]
        return silent

    @cached_property
    def _on_main_roll(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Day of the latest entry to a main roll and year group now, by number of the pupil."""
        n_pupils = len(self.spine["pupil_id"].cat.categories)
        entry, year_group = np.full(n_pupils, OPEN), np.full(n_pupils, np.nan)
        if "enrolments" in self.tables:
            rolls = self.tables["enrolments"]
            now = (rolls["entry_date"] < self.as_of) & ~(rolls["leaving_date"] < self.as_of)
            rolls = rolls[(now & (rolls["status"] == "main")).to_numpy()].sort_values("entry_date")
            pupil = pupils_of(rolls)
            entry[pupil] = days_of(rolls["entry_date"])
            year_group[pupil] = year_group_on(rolls, self.as_of).to_numpy(dtype=np.float64)
        return entry, year_group

    def _without_marks(self, entry: NDArray[np.int64], until: int) -> NDArray[np.bool_]:
        """Return who entered long enough before a day, and has no mark on the school days before it."""
        assert self.register is not None
        assert self.mark_counts is not None
        dates = self.register.dates.astype(np.int64)
        days = self.register.school_days(self.as_of, n_days=len(dates))
        n_after = int(np.count_nonzero(dates[days] >= until))
        window = self.register.window(self.as_of, LATE + 1, skip=n_after)
        if window.stop - window.start <= LATE:
            return np.zeros(len(entry), dtype=bool)
        group, shift = group_of("marked")
        everyone = np.arange(len(entry))
        counts = self.mark_counts.packed(group, self.as_of, everyone, window)
        return (entry <= dates[window.start]) & (unpack(counts, shift) == 0)

    def half_days(
        self, family: str, n_days: int, *, skip: int = 0, part: str = "all"
    ) -> NDArray[np.float64]:
        """Count half-days with a mark of a family over the last school days.

        Parameters
        ----------
        family : str
            A key of :data:`riskmodel.features.marks.FAMILIES`.
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
        return self._count(family, self.register.window(self.as_of, n_days, skip=skip, part=part))

    def half_days_of_year(self, family: str, *, part: str = "all") -> NDArray[np.float64]:
        """Count half-days with a mark of a family over the last 12 months.

        Parameters
        ----------
        family : str
            A key of :data:`riskmodel.features.marks.FAMILIES`.
        part : str
            ``"all"``, ``"edge"`` (Mondays and Fridays) or ``"morning"``.

        Returns
        -------
        float array of shape (n_rows,)
            Half-days.
        """
        assert self.register is not None
        return self._count(family, self.register.year(self.as_of, part=part))

    def half_days_of_term(self, family: str, *, back: int = 0) -> NDArray[np.float64]:
        """Count half-days with a mark of a family in this term, or an earlier one.

        Parameters
        ----------
        family : str
            A key of :data:`riskmodel.features.marks.FAMILIES`.
        back : int
            Terms before this one.

        Returns
        -------
        float array of shape (n_rows,)
            Half-days; 0 where there is no such term, or no calendar.
        """
        assert self.register is not None
        return self._count(family, self.register.term(self.as_of, back=back))

    def _count(self, family: str, window: Window) -> NDArray[np.float64]:
        """Count a family in a window; the three counted with it are kept at hand."""
        group, shift = group_of(family)
        if (group, window) not in self._counted:
            assert self.mark_counts is not None
            self._counted[group, window] = self.mark_counts.packed(
                group, self.as_of, self.rows, window
            )
        counts = unpack(self._counted[group, window], shift)
        return np.where(self.is_silent[self.rows], 0.0, counts)

    @cached_property
    def _counted(self) -> dict[tuple[int, Window], NDArray[np.uint64]]:
        return {}

    @cached_property
    def _everyone(self) -> FactsAsOf:
        """The same day, with a row for every pupil in the order of their numbers."""
        dtype = self.spine["pupil_id"].dtype
        assert isinstance(dtype, pd.CategoricalDtype)
        numbers = np.arange(len(dtype.categories))
        spine = pd.DataFrame({"pupil_id": pd.Categorical.from_codes(numbers, dtype=dtype)})
        return replace(self, spine=spine)

    @cached_property
    def peer_counts(self) -> PeerCounts:
        """What every pupil on a roll contributes to the numbers of their peers."""
        incidents = {}
        if "suspensions" in self.tables:
            incidents = incidents_on(self.tables["suspensions"], self.as_of)
        return PeerCounts(self._everyone._numbers(), self.roll, incidents)

    @cached_property
    def _sums(self) -> Mapping[str, pd.DataFrame]:
        return self.peer_counts.add_up() if self.peers is None else self.peers

    def peer_sums(self, kind: str) -> Mapping[str, NDArray[np.float64]]:
        """Return the numbers of a pupil's peers, added up, the pupil left out.

        Parameters
        ----------
        kind : str
            ``"school"`` or ``"year_group"``.

        Returns
        -------
        mapping of str to float array of shape (n_rows,)
            Number (a column of :attr:`PeerCounts.numbers`, or an incident) → one value per row of the
            spine; nan where the school or year group has no roll.
        """
        if kind not in self._peer_sums:
            self._peer_sums[kind] = self.peer_counts.peer_sums(
                self._sums, kind, self.spine, self.rows
            )
        return self._peer_sums[kind]

    @cached_property
    def _peer_sums(self) -> dict[str, Mapping[str, NDArray[np.float64]]]:
        return {}

    def _numbers(self) -> pd.DataFrame:
        """Return one int64 column per number that peers are counted by, one row per row of the spine."""
        columns: dict[str, NDArray[np.float64]] = {"pupils": np.ones(len(self.rows))}
        if self.register is not None:
            columns |= self._half_day_numbers()
        if "send" in self.tables:
            for name, code in (("sen_support", SEN_SUPPORT), ("ehc_plan", EHC_PLAN)):
                columns[name] = (self.provision["provision"] == code).to_numpy().astype(float)
        if "circumstances" in self.tables:
            is_fsm = (self.tables["circumstances"]["kind"] == "fsm").to_numpy()
            columns["fsm"] = self.in_spell("circumstances", is_fsm)
        if "suspensions" in self.tables:
            is_suspension = (self.tables["suspensions"]["category"] == "SUSP").to_numpy()
            lately = self.events("suspensions", "start_date", is_suspension).count(365)
            columns["suspended"] = (lately > 0).astype(float)
        return pd.DataFrame(columns).astype(np.int64)

    def _half_day_numbers(self) -> dict[str, NDArray[np.float64]]:
        """Return the half-days of pupils of whom enough are known, 0 of all others."""
        absent, possible = (self.half_days_of_year(name) for name in ("absence", "possible"))
        lately = {name: self.half_days(name, 20) for name in ("absence", "possible")}
        is_known = (possible >= FEWEST_HALF_DAYS).astype(float)
        is_known_lately = (lately["possible"] >= fewest_of(20)).astype(float)
        return {
            "absent": is_known * absent,
            "possible": is_known * possible,
            "unauthorised": is_known * self.half_days_of_year("unauthorised"),
            "registered": is_known,
            "persistent": (rate_of_known(absent, possible) >= PERSISTENT).astype(float),
            "absent_lately": is_known_lately * lately["absence"],
            "possible_lately": is_known_lately * lately["possible"],
        }

    def in_spell(self, table: str, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return whether a pupil is in a spell of a table on the day.

        Parameters
        ----------
        table : str
            Table with ``start_date`` and ``end_date``.
        keep : bool array of shape (n_facts,)
            Rows of the table that count.

        Returns
        -------
        float array of shape (n_rows,)
            1 or 0.
        """
        end = days_of(self.tables[table]["end_date"])
        return self.events(table, "start_date", keep).state(end[keep])

    @cached_property
    def provision(self) -> pd.DataFrame:
        """SEN provision and needs on the day, by row of the spine (:func:`provision_before`)."""
        return provision_before(self.tables["send"], self.spine["pupil_id"], as_of=self.as_of)

    def days_in_spell(self, table: str, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the days a pupil has spent in spells of a table so far.

        Parameters
        ----------
        table : str
            Table with ``start_date`` and ``end_date``.
        keep : bool array of shape (n_facts,)
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
        year_group = year_group_on(spells, self.as_of)
        return (
            pd.DataFrame(
                {
                    "pupil": pupils_of(spells),
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
            A key of :data:`riskmodel.features.marks.FAMILIES`.

        Returns
        -------
        bool array of shape (n_rows, n_half_days)
            Oldest first.
        """
        return family_lookup(name)[self.marks]
