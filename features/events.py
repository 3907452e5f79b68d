"""Facts of one table, with the kernel bound to a day and to the rows of the spine.

In:  pupil and day of each fact, the day looked back from, the pupils of the spine.
Out: :class:`Events`, whose answers hold one value per row of the spine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riskmodel.features import windows

__all__ = ["Events"]


@dataclass(frozen=True)
class Events:
    """Facts of one table, with the kernel bound to a day and to the rows of the spine.

    Only facts before ``as_of`` count. A window of ``window_days`` is ``[as_of - window_days, as_of)``.

    Attributes
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil; day since 1970.
    as_of : int
        Day since 1970.
    n_pupils : int
        Pupils of the tables, whether or not they have facts.
    rows : int array of shape (n_rows,)
        Number of the pupil of each spine row.

    Examples
    --------
    Pupil 0 has facts on days 3 and 9, pupil 1 on day 10, which is too late; pupil 2 has none.

    >>> pupil, day = np.array([0, 0, 1]), np.array([3, 9, 10])
    >>> events = Events(pupil, day, as_of=10, n_pupils=3, rows=np.array([0, 1, 2]))
    >>> events.count().tolist(), events.count(7).tolist(), events.count(6).tolist()
    ([2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    """

    pupil: NDArray[np.int64]
    day: NDArray[np.int64]
    as_of: int
    n_pupils: int
    rows: NDArray[np.int64]

    def where(self, keep: NDArray[np.bool_]) -> Events:
        """Return a part of the facts.

        Parameters
        ----------
        keep : bool array of shape (n_facts,)
            Facts kept.

        Returns
        -------
        Events
            The facts kept.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.where(events.day < 9).count().tolist()
        [1.0]
        """
        return replace(self, pupil=self.pupil[keep], day=self.day[keep])

    def count(self, window_days: int | None = None) -> NDArray[np.float64]:
        """Count facts.

        Parameters
        ----------
        window_days : int, optional
            Days looked back; all the past where left out.

        Returns
        -------
        float array of shape (n_rows,)
            Counts.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.count().tolist(), events.count(6).tolist()
        ([2.0], [1.0])
        """
        return windows.count_in_window(
            self.pupil, self.day, as_of=self.as_of, window_days=window_days, n_pupils=self.n_pupils
        )[self.rows]

    def any(self, window_days: int | None = None) -> NDArray[np.float64]:
        """Return whether there is a fact.

        Parameters
        ----------
        window_days : int, optional
            Days looked back; all the past where left out.

        Returns
        -------
        float array of shape (n_rows,)
            1 or 0.

        Examples
        --------
        >>> events = Events(np.array([0, 1]), np.array([3, 9]), 10, n_pupils=2, rows=np.array([0, 1]))
        >>> events.any().tolist(), events.any(6).tolist()
        ([1.0, 1.0], [0.0, 1.0])
        """
        return (self.count(window_days) > 0).astype(float)

    def count_distinct(self, value: NDArray[np.generic]) -> NDArray[np.float64]:
        """Count the different values of facts.

        Parameters
        ----------
        value : array of shape (n_facts,)
            Values of any type; a missing one does not count.

        Returns
        -------
        float array of shape (n_rows,)
            Number of different values.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.count_distinct(np.array(["S", "S"])).tolist()
        [1.0]
        """
        return windows.count_distinct(
            self.pupil, self.day, value, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def sum(
        self, value: NDArray[np.float64], window_days: int | None = None
    ) -> NDArray[np.float64]:
        """Sum the values of facts.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values to add up.
        window_days : int, optional
            Days looked back; all the past where left out.

        Returns
        -------
        float array of shape (n_rows,)
            Sums; 0 where there is no fact.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.sum(np.array([2.0, 4.0])).tolist(), events.sum(np.array([2.0, 4.0]), 6).tolist()
        ([6.0], [4.0])
        """
        return windows.sum_in_window(
            self.pupil,
            self.day,
            value,
            as_of=self.as_of,
            window_days=window_days,
            n_pupils=self.n_pupils,
        )[self.rows]

    def last(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the value of the latest fact.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values; of facts on one day the largest counts.

        Returns
        -------
        float array of shape (n_rows,)
            Latest value; nan where there is no fact.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.last(np.array([2.0, 4.0])).tolist()
        [4.0]
        """
        return windows.last_value(
            self.pupil, self.day, value, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def first(self) -> NDArray[np.float64]:
        """Return the day of the earliest fact.

        Returns
        -------
        float array of shape (n_rows,)
            Day since 1970; nan where there is no fact.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.first().tolist()
        [3.0]
        """
        return -self.largest(-self.day.astype(float))

    def largest(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the largest value of all facts.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values.

        Returns
        -------
        float array of shape (n_rows,)
            Largest value; nan where there is no fact.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.largest(np.array([4.0, 2.0])).tolist()
        [4.0]
        """
        return windows.largest(
            self.pupil, self.day, value, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def steps(self, value: NDArray[np.float64]) -> tuple[Events, NDArray[np.float64]]:
        """Return the change of a value from each fact of a pupil to the next.

        Parameters
        ----------
        value : float array of shape (n_facts,)
            Values.

        Returns
        -------
        events : Events
            One per step, on the day of the later fact.
        change : float array of shape (n_steps,)
            Later value minus the earlier.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([9, 3]), 10, n_pupils=1, rows=np.array([0]))
        >>> steps, change = events.steps(np.array([5.0, 2.0]))
        >>> steps.day.tolist(), change.tolist()
        ([9], [3.0])
        """
        order = np.lexsort((value, self.day, self.pupil))
        pupil, day, ordered = self.pupil[order], self.day[order], value[order]
        same = pupil[1:] == pupil[:-1]
        later = replace(self, pupil=pupil[1:][same], day=day[1:][same])
        return later, (ordered[1:] - ordered[:-1])[same]

    def gaps(self) -> tuple[Events, NDArray[np.float64]]:
        """Return the days from each fact of a pupil to the next.

        Returns
        -------
        events : Events
            One per gap, on the day of the later fact.
        days : float array of shape (n_gaps,)
            Days between the two facts.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.gaps()[1].tolist()
        [6.0]
        """
        return self.steps(self.day.astype(float))

    def days_since(self) -> NDArray[np.float64]:
        """Return the days from the latest fact to ``as_of``.

        Returns
        -------
        float array of shape (n_rows,)
            Days, at least 1; nan where there is no fact.

        Examples
        --------
        >>> events = Events(np.array([0, 0]), np.array([3, 9]), 10, n_pupils=1, rows=np.array([0]))
        >>> events.days_since().tolist()
        [1.0]
        """
        return windows.days_since_last(
            self.pupil, self.day, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]

    def state(self, end: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return whether ``as_of`` lies in a spell that starts with one of the facts.

        Parameters
        ----------
        end : int array of shape (n_facts,)
            Last day of each spell, which belongs to it.

        Returns
        -------
        float array of shape (n_rows,)
            1 or 0.

        Examples
        --------
        >>> events = Events(np.array([0, 1]), np.array([3, 3]), 10, n_pupils=2, rows=np.array([0, 1]))
        >>> events.state(np.array([10, 9])).tolist()
        [1.0, 0.0]
        """
        return windows.state_at(
            self.pupil, self.day, end, as_of=self.as_of, n_pupils=self.n_pupils
        )[self.rows]
