"""Facts of one table with the kernel bound to a day.

In:  pupil and day of each fact, the day looked back from, the rows of the spine.
Out: :class:`Events`, whose every answer holds one value per row of the spine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riskmodel.features import windows

__all__ = ["Events"]


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
