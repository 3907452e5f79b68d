"""What was known on one day, ready for builders.

In:  tables, register, day, pupils.
Out: :class:`Known`: the facts recorded before ``as_of`` as arrays, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.features import windows
from riskmodel.features.register import Register, family_lookup

__all__ = ["OPEN", "Events", "Known", "days_of"]

OPEN = 10**6
"""Day number of an end that has not come: far in the future."""

REGISTER_DAYS = 200
"""School days of register that builders see: a little over a school year."""


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
    days = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.where(dates.isna().to_numpy(), OPEN, days)


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
    """

    tables: Mapping[str, pd.DataFrame]
    as_of: pd.Timestamp
    spine: pd.DataFrame
    register: Register | None = field(repr=False)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Pupil number of each row of the spine."""
        return self.spine["pupil_id"].cat.codes.to_numpy().astype(np.int64)

    @property
    def day(self) -> int:
        """The day, in days since 1970."""
        return int(self.as_of.to_datetime64().astype("datetime64[D]").astype(np.int64))

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

    @cached_property
    def absence_of_all(self) -> NDArray[np.float64]:
        """Absence rate over the slice of every pupil by number, in the spine or not."""
        assert self.register is not None
        everyone = np.arange(len(self.spine["pupil_id"].cat.categories))
        marks = self.register.as_known(self.as_of, everyone, n_days=REGISTER_DAYS)
        absent, possible = family_lookup("absence")[marks], family_lookup("possible")[marks]
        return windows.rates(absent, possible, marks.shape[1])[0]

    @cached_property
    def roll(self) -> pd.DataFrame:
        """Pupils on a roll on the day: ``pupil`` (number), ``school_id``, ``year_group`` now."""
        spells = self.tables["enrolments"]
        now = (spells["entry_date"] < self.as_of) & ~(spells["leaving_date"] < self.as_of)
        spells = spells[now.to_numpy()]
        this_year = int(academic_year(pd.Series([self.as_of])).iloc[0])
        year_group = spells["year_group"] + this_year - academic_year(spells["entry_date"])
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
