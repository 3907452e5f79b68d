"""The facts behind the dashboard: known on a day, by school and period.

In:  tables and a day.
Out: :class:`Facts`, and grids of shape (n_schools, n_periods) counted from dated facts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import OPEN, days_of
from riskmodel.data.calendar import academic_year
from riskmodel.data.tables import empty_table
from riskmodel.inclusion.counts import Grid, Ints
from riskmodel.inclusion.periods import make_periods
from riskmodel.inclusion.schools_and_rolls import main_rolls, schools_of

__all__ = ["Facts", "make_facts"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts known on a day.

    Attributes
    ----------
    tables : Tables
        Facts recorded before ``as_of``, register marks left out.
    sessions : DataFrame or None
        Register marks, not cut yet; None where the extracts hold none.
    as_of : Timestamp
        The day.
    periods : DataFrame
        From :func:`~riskmodel.inclusion.periods.make_periods`.
    schools : DataFrame
        Index ``school_id``, sorted; ``name``, ``phase`` (of the national figures; empty where none
        is published for such a school), ``kind`` in words.
    rolls : DataFrame
        Spells on a main roll: numbers ``pupil`` and ``school``, days ``entry`` and ``leaving``,
        ``year_group`` at entry, ``year`` of entry, ``reason``.
    """

    tables: Tables = field(repr=False)
    sessions: pd.DataFrame | None = field(repr=False)
    as_of: pd.Timestamp
    periods: pd.DataFrame = field(repr=False)
    schools: pd.DataFrame = field(repr=False)
    rolls: pd.DataFrame = field(repr=False)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table, without rows where the extracts lack it.

        Parameters
        ----------
        name : str
            Table name.

        Returns
        -------
        DataFrame
            Facts known on the day.
        """
        return self.tables[name] if name in self.tables else empty_table(name, self.tables.pupils)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of schools and periods.

        Examples
        --------
        >>> make_facts(Tables({}), pd.Timestamp("2024-12-01")).shape
        (0, 2)
        """
        return len(self.schools), len(self.periods)

    @property
    def n_terms(self) -> int:
        """Number of periods that are terms; they come first.

        Examples
        --------
        >>> make_facts(Tables({}), pd.Timestamp("2025-03-01")).n_terms
        2
        """
        return int((self.periods["term"] != "year").sum())

    @cached_property
    def year_of_term(self) -> Ints:
        """Position among the periods of each term's school year.

        Examples
        --------
        >>> make_facts(Tables({}), pd.Timestamp("2025-03-01")).year_of_term.tolist()
        [2, 2]
        """
        years = self.periods["year"].to_numpy()
        return self.n_terms + np.searchsorted(years[self.n_terms :], years[: self.n_terms])

    def term_of(self, day: Ints) -> Ints:
        """Return the term of each day.

        Parameters
        ----------
        day : int array of shape (n,)
            Days since 1970.

        Returns
        -------
        int array of shape (n,)
            Position among the periods; -1 where the day lies before the first term, after the last,
            or not before ``as_of``.

        Examples
        --------
        >>> facts = make_facts(Tables({}), pd.Timestamp("2024-12-01"))
        >>> days = days_of(pd.Series(pd.to_datetime(["2024-10-01", "2025-10-01"])))
        >>> facts.term_of(days).tolist()
        [0, -1]
        """
        terms = self.periods.iloc[: self.n_terms]
        found = np.searchsorted(days_of(terms["first"]), day, side="right") - 1
        end = min(int(days_of(terms["last"])[-1]), days_of(pd.Series([self.as_of]))[0] - 1)
        return np.where(day > end, -1, found)

    def events(self, school: Ints, day: Ints) -> Grid:
        """Count dated facts by school, term and year.

        Parameters
        ----------
        school : int array of shape (n,)
            Number of the school; -1 is left out.
        day : int array of shape (n,)
            Days since 1970; those outside the terms are left out.

        Returns
        -------
        float array of shape (n_schools, n_periods)
            Facts.

        Examples
        --------
        >>> schools = pd.DataFrame({"school_id": ["S", "T"], "name": "", "phase": "", "kind": ""})
        >>> facts = make_facts(Tables({"schools": schools}), pd.Timestamp("2024-12-01"))
        >>> day = days_of(pd.Series(pd.to_datetime(["2024-10-01"] * 3)))
        >>> facts.events(np.array([1, 1, -1]), day).tolist()
        [[0.0, 0.0], [2.0, 2.0]]
        """
        term = self.term_of(day)
        inside = (school >= 0) & (term >= 0)
        return self._both(school[inside], term[inside])

    def people(self, school: Ints, pupil: Ints, day: Ints) -> Grid:
        """Count different pupils of dated facts by school, term and year.

        Parameters
        ----------
        school, pupil : int arrays of shape (n,)
            Numbers; a school of -1 is left out.
        day : int array of shape (n,)
            Days since 1970; those outside the terms are left out.

        Returns
        -------
        float array of shape (n_schools, n_periods)
            Pupils; a pupil counts once a term, and once a year.

        Examples
        --------
        >>> schools = pd.DataFrame({"school_id": ["S", "T"], "name": "", "phase": "", "kind": ""})
        >>> facts = make_facts(Tables({"schools": schools}), pd.Timestamp("2024-12-01"))
        >>> day = days_of(pd.Series(pd.to_datetime(["2024-10-01", "2024-11-01"])))
        >>> facts.people(np.array([0, 0]), np.array([7, 7]), day).tolist()
        [[1.0, 1.0], [0.0, 0.0]]
        """
        term = self.term_of(day)
        return self.people_in(school, pupil, term)

    def people_in(self, school: Ints, pupil: Ints, term: Ints) -> Grid:
        """Count different pupils by school, term and year, from the terms themselves.

        Parameters
        ----------
        school, pupil, term : int arrays of shape (n,)
            Numbers; -1 of a school or a term is left out.

        Returns
        -------
        float array of shape (n_schools, n_periods)
            Pupils; a pupil counts once a term, and once a year.

        Examples
        --------
        >>> schools = pd.DataFrame({"school_id": ["S", "T"], "name": "", "phase": "", "kind": ""})
        >>> facts = make_facts(Tables({"schools": schools}), pd.Timestamp("2024-12-01"))
        >>> pupil, term = np.array([7, 7, 8]), np.array([0, 0, 0])
        >>> facts.people_in(np.array([1, 1, 1]), pupil, term).tolist()
        [[0.0, 0.0], [2.0, 2.0]]
        """
        inside = (school >= 0) & (term >= 0)
        school, pupil, term = school[inside], pupil[inside], term[inside]
        made = np.zeros(self.shape)
        for period in (term, self.year_of_term[term]):
            cells = np.unique(np.stack([school, period, pupil]), axis=1)
            np.add.at(made, (cells[0], cells[1]), 1)
        return made

    def _both(self, school: Ints, term: Ints) -> Grid:
        made = np.zeros(self.shape)
        np.add.at(made, (school, term), 1)
        np.add.at(made, (school, self.year_of_term[term]), 1)
        return made

    def rolls_on(self, day: int) -> pd.DataFrame:
        """Return the pupils on each school's main roll on a day.

        Parameters
        ----------
        day : int
            Days since 1970.

        Returns
        -------
        DataFrame
            Rows of :attr:`rolls`, one per pupil and school, with ``now``, the year group that day.
        """
        rolls = self.rolls
        here = rolls[((rolls["entry"] <= day) & (rolls["leaving"] >= day)).to_numpy()]
        here = here.drop_duplicates(["school", "pupil"], keep="last")
        year = int(academic_year(pd.Series(pd.to_datetime([day], unit="D"))).iloc[0])
        return here.assign(now=here["year_group"] + year - here["year"])

    @cached_property
    def on_roll(self) -> Grid:
        """Pupils on roll on each period's census day."""
        made = np.zeros(self.shape)
        for number, day in enumerate(days_of(self.periods["census"])):
            made[:, number] = np.bincount(
                self.rolls_on(int(day))["school"], minlength=self.shape[0]
            )
        return made

    def school_on(self, pupil: Ints, day: Ints, *, since: Ints | None = None) -> Ints:
        """Return the school whose main roll each pupil was on.

        Parameters
        ----------
        pupil, day : int arrays of shape (n,)
            Number of the pupil, days since 1970.
        since : int array of shape (n,), optional
            A roll that ended on this day or later counts too; ``day`` where left out.

        Returns
        -------
        int array of shape (n,)
            Number of the school of the roll begun last; -1 where there is none.
        """
        spell = self.spell_on(pupil, day, day if since is None else since)
        schools = self.rolls["school"].to_numpy()
        return np.where(spell >= 0, schools[spell] if len(schools) else -1, -1)

    def spell_on(self, pupil: Ints, day: Ints, since: Ints) -> Ints:
        """Return the spell begun last by a day, if it had not ended before another.

        Parameters
        ----------
        pupil, day, since : int arrays of shape (n,)
            Number of the pupil; the roll began by ``day`` and had not ended before ``since``.

        Returns
        -------
        int array of shape (n,)
            Row of :attr:`rolls`; -1 where there is none.
        """
        if not len(self.rolls):
            return np.full(len(pupil), -1)
        key, of, leaving = self._spells
        found = np.searchsorted(key, pupil * OPEN + day, side="right") - 1
        there = (of[found] == pupil) & (leaving[found] >= since)
        return np.where(there & (found >= 0), found, -1)

    @cached_property
    def _spells(self) -> tuple[Ints, Ints, Ints]:
        pupil, entry = (self.rolls[name].to_numpy() for name in ("pupil", "entry"))
        return pupil * OPEN + entry, pupil, self.rolls["leaving"].to_numpy()

    def number_of(self, school_id: pd.Series) -> Ints:
        """Return the number of each school.

        Parameters
        ----------
        school_id : Series of str, shape (n_rows,)
            Schools.

        Returns
        -------
        int array of shape (n,)
            Row of :attr:`schools`; -1 where missing.

        Examples
        --------
        >>> schools = pd.DataFrame({"school_id": ["S", "T"], "name": "", "phase": "", "kind": ""})
        >>> facts = make_facts(Tables({"schools": schools}), pd.Timestamp("2024-12-01"))
        >>> facts.number_of(pd.Series(["T", "X"], dtype="str")).tolist()
        [1, -1]
        """
        return self.schools.index.get_indexer(pd.Index(school_id.astype("object"))).astype(np.int64)

    def reached(
        self, name: str, day: Ints, what: str, *, lasts: bool = False
    ) -> NDArray[np.object_]:
        """Return why periods are unknown that a table's facts do not reach: unknown is not 0.

        Parameters
        ----------
        name : str
            Table.
        day : int array of shape (n,)
            Days of its facts, of the whole LA.
        what : str
            What the facts are, in words.
        lasts : bool
            Whether facts last, so that the latest one does not show where the table ends.

        Returns
        -------
        object array of shape (n_periods,)
            Empty where the period is reached, else why not.

        Examples
        --------
        >>> facts = make_facts(Tables({}), pd.Timestamp("2024-12-01"))
        >>> facts.reached("plans", np.array([]), "plans")[0]
        'The extracts hold no table of plans.'
        """
        why = np.full(self.shape[1], "", dtype=object)
        if name not in self.tables:
            why[:] = f"The extracts hold no table of {what}."
            return why
        if not len(day):
            why[:] = f"The extracts hold no {what}."
            return why
        first, last = days_of(self.periods["first"]), days_of(self.periods["last"])
        low, high = (pd.to_datetime(int(end), unit="D") for end in (day.min(), day.max()))
        before, after = last < day.min(), (first > day.max()) & (not lasts)
        for missed, words in (
            (before, f"before {low.day} {low:%B %Y}"),
            (after, f"after {high.day} {high:%B %Y}"),
        ):
            missed[self.year_of_term[missed[: self.n_terms]]] = (
                True  # a year lacks what its term lacks
            )
            why[missed] = f"The extracts hold no {what} {words}."
        return why


def make_facts(tables: Tables, as_of: pd.Timestamp) -> Facts:
    """Return the facts known on a day, by school and period.

    Parameters
    ----------
    tables : Tables
        All facts.
    as_of : Timestamp
        Nothing recorded on or after it counts.

    Returns
    -------
    Facts
        By school and period.

    Examples
    --------
    >>> facts = make_facts(Tables({}), pd.Timestamp("2024-12-01"))
    >>> facts.periods["period"].tolist()
    ['2024/25 autumn', '2024/25']
    """
    known = tables.as_known(as_of)
    schools = schools_of(known)
    sessions = tables.unreplaced("sessions", as_of) if "sessions" in tables else None
    sessions = sessions if sessions is not None and len(sessions) else None
    return Facts(
        tables=known,
        sessions=sessions,
        as_of=as_of,
        periods=make_periods(tables, as_of),
        schools=schools,
        rolls=main_rolls(known, schools),
    )
