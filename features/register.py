"""The register as a matrix: pupil × half-day, one byte per mark, as it was known on a day.

In:  the ``sessions`` table and the school calendar.
Out: marks dated and recorded before ``as_of``, and the windows of school days that features count in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables
from riskmodel.data.arrays import OPEN, day_number, pupils_of, whole_days
from riskmodel.features.marks import NO_MARK
from riskmodel.features.threads import on_all_cores

__all__ = ["EarlierMarks", "Register", "Window", "make_register"]

YEAR_DAYS = 365
"""Days of the last 12 months."""

LONGEST_LAG = np.iinfo(np.uint16).max

BLOCK = 2**20
"""Marks written in one go."""

Dates = NDArray[np.datetime64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """The school days ``[start, stop)`` of a register.

    Attributes
    ----------
    start, stop : int
        Position of the first school day, and the position after the last; equal if there are none.
    part : str
        Half-days that count: a key of :data:`riskmodel.features.mark_counts.PARTS`.
    """

    start: int
    stop: int
    part: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMarks:
    """Marks in whose place another was recorded later, as when N becomes I.

    Attributes
    ----------
    pupil, column : int array of shape (n_marks,)
        Cell of the register.
    mark : uint8 array of shape (n_marks,)
        What was recorded first.
    known, replaced : int array of shape (n_marks,)
        Days (since 1970) on which this mark, and the next one, were recorded.
    """

    pupil: Ints
    column: Ints
    mark: NDArray[np.uint8]
    known: Ints
    replaced: Ints

    def in_force(
        self, day: int, pupils: Ints, columns: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, NDArray[np.uint8]]:
        """Return the marks that counted on a day.

        Parameters
        ----------
        day : int
            The day, since 1970; what was recorded on it does not count.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils.
        columns : bool array of shape (n_half_days,)
            Half-days of the register that are wanted.

        Returns
        -------
        row : int array of shape (n_found,)
            Place in ``pupils``.
        column : int array of shape (n_found,)
            Half-day of the register.
        mark : uint8 array of shape (n_found,)
            The mark.
        """
        found = np.flatnonzero((self.known < day) & (self.replaced >= day))
        found = found[columns[self.column[found]]]
        order = np.argsort(pupils, kind="stable")
        first, last = (
            np.searchsorted(pupils[order], self.pupil[found], side=side)
            for side in ("left", "right")
        )
        n_rows = last - first
        nth = np.arange(n_rows.sum()) - np.repeat(n_rows.cumsum() - n_rows, n_rows)
        found = np.repeat(found, n_rows)
        return order[np.repeat(first, n_rows) + nth], self.column[found], self.mark[found]


@dataclass(frozen=True, kw_only=True)
class Register:
    """All marks of all pupils.

    Attributes
    ----------
    dates : datetime64[D] array of shape (n_days,)
        School days, ascending.
    marks : uint8 array of shape (n_pupils, 2 * n_days)
        Morning and afternoon of each day, as recorded last; 0 where there is no mark.
    lag : uint16 array of shape (n_pupils, 2 * n_days)
        Days from the school day to ``recorded_on``.
    latest : int array of shape (n_days,)
        Day (since 1970) on which the last mark of the school day was recorded.
    known_from : int array of shape (n_days,)
        Day (since 1970) on which it became known that this is a school day. That is the day itself
        where the calendar was published, else the day on which its first mark was recorded.
    term_start : int array of shape (n_days,)
        Position of the first school day of the day's term; -1 without a calendar.
    earlier : EarlierMarks or None
        What was recorded before ``marks``; None where no mark was recorded twice.

    Examples
    --------
    Monday to Thursday; a pupil is present (1) on three mornings, and the third mark came a day late.

    >>> dates = np.arange("2025-03-03", "2025-03-07", dtype="datetime64[D]")
    >>> day = dates.astype(np.int64)
    >>> register = Register(
    ...     dates=dates,
    ...     marks=np.array([[1, 0, 1, 0, 1, 0, 0, 0]], np.uint8),
    ...     lag=np.array([[0, 0, 0, 0, 1, 0, 0, 0]], np.uint16),
    ...     latest=day + [0, 0, 1, 0],
    ...     known_from=day,
    ...     term_start=np.zeros(4, np.int64),
    ... )
    >>> thursday = pd.Timestamp("2025-03-06")
    >>> register.school_days(thursday, n_days=2).tolist()
    [1, 2]
    >>> register.window(thursday, 2)
    Window(start=1, stop=3, part='all')
    >>> register.term(thursday)
    Window(start=0, stop=3, part='all')
    >>> register.year(thursday)
    Window(start=0, stop=3, part='all')
    >>> register.year_as_known(thursday, np.array([0])).tolist()
    [[1, 0, 1, 0, 0, 0]]
    """

    dates: Dates
    marks: NDArray[np.uint8]
    lag: NDArray[np.uint16]
    latest: Ints
    known_from: Ints
    term_start: Ints
    earlier: EarlierMarks | None = None

    def school_days(self, as_of: pd.Timestamp, *, n_days: int) -> Ints:
        """Return the last school days before a day, as known then.

        Parameters
        ----------
        as_of : Timestamp
            The day; it does not count.
        n_days : int
            School days wanted; there are fewer where the calendar starts later.

        Returns
        -------
        int array of shape (days,)
            Positions in ``dates``, ascending.
        """
        return self._known_days(as_of, 0)[-n_days:]

    def _known_days(self, as_of: pd.Timestamp, first: int) -> Ints:
        """Return the school days from a position on that were known before a day."""
        stop = self._position(day_number(as_of))
        return first + np.flatnonzero(self.known_from[first:stop] < day_number(as_of))

    def _position(self, day: int) -> int:
        """Return the position of the first school day on or after a day."""
        return int(np.searchsorted(self.dates, np.datetime64(day, "D")))

    def window(
        self, as_of: pd.Timestamp, n_days: int, *, skip: int = 0, part: str = "all"
    ) -> Window:
        """Return the window of the last school days before a day, as known then.

        Parameters
        ----------
        as_of : Timestamp
            The day; it does not count.
        n_days : int
            School days wanted; there are fewer where the calendar starts later.
        skip : int
            School days just before the day that are left out.
        part : str
            A key of :data:`riskmodel.features.mark_counts.PARTS`.

        Returns
        -------
        Window
            From the first of these days to the last; empty if there are none.
        """
        days = self.school_days(as_of, n_days=n_days + skip)
        days = days[: max(0, len(days) - skip)]
        return Window(int(days[0]), int(days[-1]) + 1, part) if len(days) else Window(0, 0, part)

    def year(self, as_of: pd.Timestamp, *, part: str = "all") -> Window:
        """Return the window of the school days of the last 12 months.

        Parameters
        ----------
        as_of : Timestamp
            The day; it does not count, and the day 365 days before does.
        part : str
            A key of :data:`riskmodel.features.mark_counts.PARTS`.

        Returns
        -------
        Window
            Equal start and stop where there are none.
        """
        day = day_number(as_of)
        return Window(self._position(day - YEAR_DAYS), self._position(day), part)

    def term(self, as_of: pd.Timestamp, *, back: int = 0) -> Window:
        """Return the window of the latest term with a school day before a day, up to that day.

        Parameters
        ----------
        as_of : Timestamp
            The day; it does not count.
        back : int
            Number of terms before that one; an earlier term is returned whole.

        Returns
        -------
        Window
            School days of the term; empty if there is no such term or no calendar.
        """
        stop = self._position(day_number(as_of))
        for _ in range(back):
            stop = max(0, int(self.term_start[stop - 1])) if stop else 0
        start = int(self.term_start[stop - 1]) if stop else -1
        return Window(start, stop) if start >= 0 else Window(0, 0)

    def year_as_known(self, as_of: pd.Timestamp, pupils: Ints) -> NDArray[np.uint8]:
        """Return the marks of the last 12 months, as they were known on a day.

        Parameters
        ----------
        as_of : Timestamp
            Marks dated or recorded on or after it are 0.
        pupils : int array of shape (n_rows,)
            Numbers of the pupils.

        Returns
        -------
        uint8 array of shape (n_rows, 2 * days)
            Marks of the school days known then, oldest first.
        """
        days = self._known_days(as_of, self.year(as_of).start)
        if not len(days):
            return np.zeros((len(pupils), 0), np.uint8)
        start, stop = int(days[0]), int(days[-1]) + 1
        marks = self.marks[pupils, 2 * start : 2 * stop]
        self._hide_late(marks, day_number(as_of), pupils, start, stop)
        if self.earlier is not None:
            wanted = np.zeros(2 * len(self.dates), dtype=bool)
            wanted[2 * start : 2 * stop] = True
            row, column, mark = self.earlier.in_force(day_number(as_of), pupils, wanted)
            marks[row, column - 2 * start] = mark
        if len(days) == stop - start:
            return marks
        return marks[:, (2 * (days - start)[:, None] + [0, 1]).ravel()]

    def _hide_late(
        self, marks: NDArray[np.uint8], day: int, pupils: Ints, start: int, stop: int
    ) -> None:
        """Set marks recorded on or after the day to :data:`NO_MARK`, in place."""
        for column in np.flatnonzero(self.latest[start:stop] >= day):
            both = slice(2 * (start + column), 2 * (start + column) + 2)
            age = day - int(self.dates[start + column].astype(np.int64))
            late = self.lag[pupils, both] >= age
            marks[:, 2 * column : 2 * column + 2][late] = NO_MARK


def make_register(tables: Tables) -> Register:
    """Write the ``sessions`` table into a matrix.

    Parameters
    ----------
    tables : Tables
        With ``sessions``. The columns of the matrix are the days of ``calendar``. Without a calendar
        they are weekdays, and a weekday counts as a school day once a mark of it has been recorded.

    Returns
    -------
    Register
        One row per pupil of the tables.

    Raises
    ------
    DataError
        If there is no table ``sessions`` or ``pupils``.

    Examples
    --------
    >>> monday = pd.to_datetime(["2025-03-03"]).as_unit("s")
    >>> sessions = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A"]),
    ...         "date": monday,
    ...         "session": pd.Categorical(["PM"], categories=["AM", "PM"]),
    ...         "mark": pd.Categorical(["I"], categories=["/", "I"]),
    ...         "recorded_on": monday,
    ...     }
    ... )
    >>> tables = Tables({"pupils": sessions[["pupil_id"]], "sessions": sessions})
    >>> make_register(tables).marks.tolist()
    [[0, 2]]
    """
    sessions, calendar = tables.unreplaced("sessions"), _calendar(tables)
    dates = _weekdays(sessions["date"]) if calendar is None else _days(calendar["date"])
    earlier = _earlier_marks(tables, dates)
    shape = (len(tables.pupils.categories), 2 * len(dates))
    marks, lag = np.zeros(shape, np.uint8), np.zeros(shape, np.uint16)
    blocks = (sessions.iloc[row : row + BLOCK] for row in range(0, len(sessions), BLOCK))
    # numpy lets other threads run, and no two marks share a cell
    on_all_cores(lambda block: _write_marks(block, dates, marks, lag), blocks)
    longest = lag.max(axis=0, initial=0).reshape(-1, 2).max(axis=1, initial=0)
    return Register(
        dates=dates,
        marks=marks,
        lag=lag,
        latest=dates.astype(np.int64) + longest,
        known_from=_first_marked(dates, marks, lag, earlier)
        if calendar is None
        else _published(calendar),
        term_start=np.full(len(dates), -1) if calendar is None else _term_start(calendar),
        earlier=earlier,
    )


def _earlier_marks(tables: Tables, dates: Dates) -> EarlierMarks | None:
    """Return the marks in whose place others were recorded later."""
    replaced = tables.replaced_on("sessions")
    if replaced is None:
        return None
    earlier = replaced < OPEN
    sessions, until = tables["sessions"][earlier], replaced[earlier]
    day = whole_days(sessions["date"])
    column = 2 * _columns(day, dates) + sessions["session"].cat.codes.to_numpy()
    inside = column >= 0
    return EarlierMarks(
        pupil=pupils_of(sessions)[inside],
        column=column[inside],
        mark=sessions["mark"].cat.codes.to_numpy().astype(np.uint8)[inside] + np.uint8(1),
        known=np.maximum(whole_days(sessions["recorded_on"]), day)[inside],
        replaced=np.maximum(until, day)[inside],
    )


def _calendar(tables: Tables) -> pd.DataFrame | None:
    if "calendar" not in tables:
        return None
    return tables["calendar"].sort_values("date").drop_duplicates("date")


def _days(dates: pd.Series) -> Dates:
    return dates.to_numpy().astype("datetime64[D]")


def _weekdays(dates: pd.Series) -> Dates:
    """Return the weekdays from the first of some dates to the last."""
    day = _days(dates)
    first, last = (day.min(), day.max()) if len(day) else (np.datetime64("2000-01-03"),) * 2
    every = np.arange(first, last + 1)
    return every[np.is_busday(every)]


def _term_start(calendar: pd.DataFrame) -> Ints:
    """Return the position of the first school day of each day's term."""
    term = calendar["term"].cat.codes.to_numpy()
    begins = np.append(True, np.diff(term) != 0)[: len(term)]
    return np.maximum.accumulate(np.where(begins, np.arange(len(term)), 0))


def _published(calendar: pd.DataFrame) -> Ints:
    """Return the day from which each school day was known: that of its first mark, or the day itself."""
    day = _days(calendar["date"]).astype(np.int64)
    if "first_marked_on" not in calendar:
        return day
    first = calendar["first_marked_on"]
    return np.where(first.isna(), day, whole_days(first))


def _first_marked(
    dates: Dates,
    marks: NDArray[np.uint8],
    lag: NDArray[np.uint16],
    earlier: EarlierMarks | None,
) -> Ints:
    """Return the day on which the first mark of each weekday was recorded."""
    first = np.where(marks > 0, lag, LONGEST_LAG).reshape(len(marks), -1, 2)
    known = dates.astype(np.int64) + first.min(axis=(0, 2), initial=LONGEST_LAG)
    if earlier is not None:
        np.minimum.at(known, earlier.column // 2, earlier.known)
    return known


def _write_marks(
    sessions: pd.DataFrame, dates: Dates, marks: NDArray[np.uint8], lags: NDArray[np.uint16]
) -> None:
    """Write marks, and the days until they were recorded, into their cells, in place."""
    day = whole_days(sessions["date"])
    column = _columns(day, dates)
    lag = whole_days(sessions["recorded_on"])
    lag -= day
    cell = pupils_of(sessions)
    cell *= marks.shape[1]
    cell += 2 * column
    cell += sessions["session"].cat.codes.to_numpy()
    code = sessions["mark"].cat.codes.to_numpy().astype(np.uint8)
    code += 1
    if column.min(initial=0) < 0:  # marks of days that are no school days
        inside = column >= 0
        cell, code, lag = cell[inside], code[inside], lag[inside]
    marks.reshape(-1)[cell] = code
    lags.reshape(-1)[cell] = np.clip(lag, 0, LONGEST_LAG, out=lag)


def _columns(day: Ints, dates: Dates) -> Ints:
    """Return the position of each day among the school days; -1 if it is none."""
    if not len(dates):
        return np.full(len(day), -1)
    first = int(dates[0].astype(np.int64))
    column_of = np.full(int(dates[-1].astype(np.int64)) - first + 1, -1, dtype=np.int64)
    column_of[dates.astype(np.int64) - first] = np.arange(len(dates))
    since = day - first
    if since.min(initial=0) < 0 or since.max(initial=0) >= len(column_of):
        since = np.where((since < 0) | (since >= len(column_of)), len(column_of), since)
    return np.append(column_of, -1)[since]
