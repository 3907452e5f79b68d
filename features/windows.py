"""The kernel: counts, sums, last values and states per pupil, without a loop over pupils.

In:  facts already cut to what was known (pupil numbers, days, values), and the day.
Out: one number per pupil of the shared category, or per row of the register slice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "count_in_window",
    "count_since_last",
    "days_since_last",
    "largest",
    "last_value",
    "longest_run_at_end",
    "longest_run",
    "rates",
    "runs",
    "share",
    "spell_days",
    "state_at",
    "sum_in_window",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def sum_in_window(
    pupil: Ints, day: Ints, value: Floats, *, as_of: int, window_days: int | None, n_pupils: int
) -> Floats:
    """Sum values of facts in the window before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; days since 1970.
    value : float array of shape (n_facts,)
        What is summed.
    as_of : int
        Days since 1970; the window is ``[as_of - window_days, as_of)``.
    window_days : int or None
        Length; all the past if None.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        0 where there is no fact.
    """
    inside = day < as_of
    if window_days is not None:
        inside &= day >= as_of - window_days
    return np.bincount(pupil[inside], weights=value[inside], minlength=n_pupils).astype(np.float64)


def count_in_window(
    pupil: Ints, day: Ints, *, as_of: int, window_days: int | None, n_pupils: int
) -> Floats:
    """Count facts in the window before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; days since 1970.
    as_of : int
        Days since 1970; the window is ``[as_of - window_days, as_of)``.
    window_days : int or None
        Length; all the past if None.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Counts.
    """
    ones = np.ones(len(pupil))
    return sum_in_window(pupil, day, ones, as_of=as_of, window_days=window_days, n_pupils=n_pupils)


def last_value(pupil: Ints, day: Ints, value: Floats, *, as_of: int, n_pupils: int) -> Floats:
    """Return the value of each pupil's latest fact before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; days since 1970.
    value : float array of shape (n_facts,)
        Values; of facts on one day the largest counts.
    as_of : int
        Days since 1970.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        nan where there is no fact.
    """
    result = np.full(n_pupils, np.nan)
    past = np.flatnonzero(day < as_of)
    order = past[np.lexsort((value[past], day[past], pupil[past]))]
    result[pupil[order]] = value[order]  # the last of each pupil stays
    return result


def largest(pupil: Ints, day: Ints, value: Floats, *, as_of: int, n_pupils: int) -> Floats:
    """Return the largest value of each pupil's facts before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; days since 1970.
    value : float array of shape (n_facts,)
        Values.
    as_of : int
        Days since 1970.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        nan where there is no fact.
    """
    result = np.full(n_pupils, -np.inf)
    past = day < as_of
    np.maximum.at(result, pupil[past], value[past])
    return np.where(np.isinf(result), np.nan, result)


def days_since_last(pupil: Ints, day: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return the days from each pupil's latest fact to a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Pupil number; days since 1970.
    as_of : int
        Days since 1970.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        At least 1; nan where there is no fact.
    """
    return as_of - last_value(pupil, day, day.astype(float), as_of=as_of, n_pupils=n_pupils)


def state_at(pupil: Ints, start: Ints, end: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return whether each pupil is in a spell on a day.

    Parameters
    ----------
    pupil, start, end : int arrays of shape (n_spells,)
        Pupil number; first and last day since 1970, an open spell ends far in the future.
    as_of : int
        Days since 1970.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        1 or 0.
    """
    inside = (start < as_of) & (end >= as_of)
    return (np.bincount(pupil[inside], minlength=n_pupils) > 0).astype(float)


def spell_days(pupil: Ints, start: Ints, end: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return the days each pupil has spent in spells before a day.

    Parameters
    ----------
    pupil, start, end : int arrays of shape (n_spells,)
        Pupil number; first and last day since 1970; spells that overlap count twice.
    as_of : int
        Days since 1970.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Days.
    """
    length = np.clip(np.minimum(end + 1, as_of) - start, 0, None)
    return np.bincount(pupil, weights=length, minlength=n_pupils).astype(np.float64)


def share(part: Floats, whole: Floats) -> Floats:
    """Return a share.

    Parameters
    ----------
    part, whole : float arrays of shape (n_rows,)
        What is counted, and what it is a share of.

    Returns
    -------
    float array of shape (n_rows,)
        nan where there is no whole.
    """
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def rates(
    is_counted: NDArray[np.bool_], is_possible: NDArray[np.bool_], n_columns: int
) -> tuple[Floats, Floats]:
    """Return the share of possible half-days that are counted, over the last columns.

    Parameters
    ----------
    is_counted, is_possible : bool arrays of shape (n_rows, n_half_days)
        What counts, and what it is a share of.
    n_columns : int
        Half-days looked back on; all where there are fewer.

    Returns
    -------
    rate : float array of shape (n_rows,)
        nan where no half-day was possible.
    possible : float array of shape (n_rows,)
        Number of possible half-days.
    """
    part = slice(max(0, is_counted.shape[1] - n_columns), None)
    counted = is_counted[:, part].sum(axis=1, dtype=np.int32)
    possible = is_possible[:, part].sum(axis=1, dtype=np.int32).astype(float)
    return share(counted, possible), possible


def count_since_last(is_counted: NDArray[np.bool_], is_break: NDArray[np.bool_]) -> Ints:
    """Count the columns that are counted after the last one that breaks the run.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        Oldest first; columns that are neither are passed over.

    Returns
    -------
    int array of shape (n_rows,)
        All that are counted where nothing breaks the run.
    """
    since = longest_run_at_end(~is_break)
    recent = np.arange(is_break.shape[1]) >= is_break.shape[1] - since[:, None]
    return (is_counted & recent).sum(axis=1, dtype=np.int64)


def longest_run_at_end(is_true: NDArray[np.bool_]) -> Ints:
    """Return how many of the last columns are true without a break.

    Parameters
    ----------
    is_true : bool array of shape (n_rows, n_columns)
        Oldest first.

    Returns
    -------
    int array of shape (n_rows,)
        0 where the last column is false.
    """
    if not is_true.shape[1]:
        return np.zeros(len(is_true), dtype=np.int64)
    backwards = ~is_true[:, ::-1]
    first_false = backwards.argmax(axis=1)
    return np.where(backwards.any(axis=1), first_false, is_true.shape[1]).astype(np.int64)


def longest_run(is_counted: NDArray[np.bool_], is_break: NDArray[np.bool_]) -> Ints:
    """Return the longest run of columns that are counted, with no break between them.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        Columns that are neither are passed over; none is both.

    Returns
    -------
    int array of shape (n_rows,)
        Columns counted in the longest run.
    """
    if not is_counted.shape[1]:
        return np.zeros(len(is_counted), dtype=np.int64)
    counted = is_counted.cumsum(axis=1, dtype=np.int16)
    at_break = np.maximum.accumulate(np.where(is_break, counted, 0), axis=1)
    return (counted - at_break).max(axis=1).astype(np.int64)


def runs(is_counted: NDArray[np.bool_], is_break: NDArray[np.bool_]) -> Ints:
    """Count the runs of columns that are counted, parted by at least one break.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        Columns that are neither are passed over; none is both.

    Returns
    -------
    int array of shape (n_rows,)
        Runs.
    """
    column = np.arange(is_counted.shape[1], dtype=np.int16)
    last = np.maximum.accumulate(
        np.where(is_counted | is_break, column * 2 + is_counted, np.int16(-2)), axis=1
    )
    before = np.concatenate([np.full((len(last), 1), -2, dtype=last.dtype), last[:, :-1]], axis=1)
    return (is_counted & (before % 2 == 0)).sum(axis=1, dtype=np.int64)
