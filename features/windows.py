"""The kernel: counts, sums, last values and states per pupil, without a loop over pupils.

In:  facts as arrays (number of the pupil, day since 1970, value), already cut to those recorded before
     ``as_of``.
Out: one number per pupil.

A window of ``window_days`` is the half-open interval ``[as_of - window_days, as_of)``: its first day counts,
``as_of`` itself does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "count_distinct",
    "count_in_window",
    "count_since_last",
    "days_since_last",
    "largest",
    "last_value",
    "longest_run_at_end",
    "longest_run",
    "runs",
    "spell_days",
    "state_at",
    "sum_in_window",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def sum_in_window(
    pupil: Ints, day: Ints, value: Floats, *, as_of: int, window_days: int | None, n_pupils: int
) -> Floats:
    """Sum the values of each pupil's facts in the window before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    value : float array of shape (n_facts,)
        Values to add up.
    as_of : int
        Day since 1970; the window is ``[as_of - window_days, as_of)``.
    window_days : int or None
        Days looked back; all the past if None.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Sums; 0 for a pupil without a fact in the window.

    Examples
    --------
    >>> pupil, day, value = np.array([0, 0, 1]), np.array([3, 9, 10]), np.array([1.0, 2.0, 4.0])
    >>> sum_in_window(pupil, day, value, as_of=10, window_days=7, n_pupils=3).tolist()
    [3.0, 0.0, 0.0]
    """
    inside = day < as_of
    if window_days is not None:
        inside &= day >= as_of - window_days
    return np.bincount(pupil[inside], weights=value[inside], minlength=n_pupils).astype(np.float64)


def count_in_window(
    pupil: Ints, day: Ints, *, as_of: int, window_days: int | None, n_pupils: int
) -> Floats:
    """Count each pupil's facts in the window before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    as_of : int
        Day since 1970; the window is ``[as_of - window_days, as_of)``.
    window_days : int or None
        Days looked back; all the past if None.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Counts.

    Examples
    --------
    >>> pupil, day = np.array([0, 0, 1]), np.array([2, 3, 10])
    >>> count_in_window(pupil, day, as_of=10, window_days=7, n_pupils=2).tolist()
    [1.0, 0.0]
    """
    ones = np.ones(len(pupil))
    return sum_in_window(pupil, day, ones, as_of=as_of, window_days=window_days, n_pupils=n_pupils)


def count_distinct(
    pupil: Ints, day: Ints, value: NDArray[np.generic], *, as_of: int, n_pupils: int
) -> Floats:
    """Count the different values of each pupil's facts before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    value : array of shape (n_facts,)
        Values of any type; a missing one does not count.
    as_of : int
        Day since 1970; facts of this day or later do not count.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Number of different values; 0 for a pupil without a fact.

    Examples
    --------
    >>> pupil, day = np.array([0, 0, 0, 1]), np.array([2, 3, 4, 10])
    >>> count_distinct(pupil, day, np.array(["S", "T", "S", "S"]), as_of=10, n_pupils=2).tolist()
    [2.0, 0.0]
    """
    facts = pd.DataFrame({"pupil": pupil, "value": value})[day < as_of]
    different = facts.dropna().drop_duplicates()["pupil"]
    return np.bincount(different, minlength=n_pupils).astype(np.float64)


def last_value(pupil: Ints, day: Ints, value: Floats, *, as_of: int, n_pupils: int) -> Floats:
    """Return the value of each pupil's latest fact before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    value : float array of shape (n_facts,)
        Values; of facts on one day the largest counts.
    as_of : int
        Day since 1970; facts of this day or later do not count.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Latest value; nan for a pupil without a fact.

    Examples
    --------
    >>> pupil, day, value = np.array([0, 0, 1]), np.array([9, 3, 10]), np.array([5.0, 7.0, 9.0])
    >>> last_value(pupil, day, value, as_of=10, n_pupils=2).tolist()
    [5.0, nan]
    """
    result = np.full(n_pupils, np.nan)
    past = np.flatnonzero(day < as_of)
    order = past[np.lexsort((value[past], day[past], pupil[past]))]
    result[pupil[order]] = value[order]  # of several assignments to one pupil, the last one stays
    return result


def largest(pupil: Ints, day: Ints, value: Floats, *, as_of: int, n_pupils: int) -> Floats:
    """Return the largest value of each pupil's facts before a day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    value : float array of shape (n_facts,)
        Values.
    as_of : int
        Day since 1970; facts of this day or later do not count.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Largest value; nan for a pupil without a fact.

    Examples
    --------
    >>> pupil, day, value = np.array([0, 0, 1]), np.array([9, 3, 10]), np.array([5.0, 7.0, 9.0])
    >>> largest(pupil, day, value, as_of=10, n_pupils=2).tolist()
    [7.0, nan]
    """
    result = np.full(n_pupils, -np.inf)
    past = day < as_of
    np.maximum.at(result, pupil[past], value[past])
    return np.where(np.isinf(result), np.nan, result)


def days_since_last(pupil: Ints, day: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return the days from each pupil's latest fact before a day to that day.

    Parameters
    ----------
    pupil, day : int arrays of shape (n_facts,)
        Number of the pupil, from 0; day since 1970.
    as_of : int
        Day since 1970; facts of this day or later do not count.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Days, at least 1; nan for a pupil without a fact.

    Examples
    --------
    >>> days_since_last(np.array([0, 0]), np.array([3, 9]), as_of=10, n_pupils=2).tolist()
    [1.0, nan]
    """
    return as_of - last_value(pupil, day, day.astype(float), as_of=as_of, n_pupils=n_pupils)


def state_at(pupil: Ints, start: Ints, end: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return whether each pupil is in a spell on a day.

    Parameters
    ----------
    pupil, start, end : int arrays of shape (n_spells,)
        Number of the pupil, from 0; first and last day since 1970. The end of an open spell lies
        far in the future (:data:`riskmodel.data.arrays.OPEN`).
    as_of : int
        Day since 1970; a spell that starts on it does not count, one that ends on it does.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        1 or 0.

    Examples
    --------
    >>> pupil, start, end = np.array([0, 1, 2]), np.array([1, 1, 10]), np.array([10, 9, 99])
    >>> state_at(pupil, start, end, as_of=10, n_pupils=3).tolist()
    [1.0, 0.0, 0.0]
    """
    inside = (start < as_of) & (end >= as_of)
    return (np.bincount(pupil[inside], minlength=n_pupils) > 0).astype(float)


def spell_days(pupil: Ints, start: Ints, end: Ints, *, as_of: int, n_pupils: int) -> Floats:
    """Return the days each pupil has spent in spells before a day.

    Parameters
    ----------
    pupil, start, end : int arrays of shape (n_spells,)
        Number of the pupil, from 0; first and last day since 1970, both of them in the spell. Days
        in two spells count twice.
    as_of : int
        Day since 1970; it does not count.
    n_pupils : int
        Length of the answer.

    Returns
    -------
    float array of shape (n_pupils,)
        Days.

    Examples
    --------
    >>> pupil, start, end = np.array([0, 0, 1]), np.array([1, 8, 10]), np.array([3, 99, 99])
    >>> spell_days(pupil, start, end, as_of=10, n_pupils=2).tolist()
    [5.0, 0.0]
    """
    length = np.clip(np.minimum(end + 1, as_of) - start, 0, None)
    return np.bincount(pupil, weights=length, minlength=n_pupils).astype(np.float64)


def count_since_last(is_counted: Bools, is_break: Bools) -> Ints:
    """Count the columns that are counted after the last break.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        Oldest first; columns that are neither are skipped.

    Returns
    -------
    int array of shape (n_rows,)
        Counted columns; all of them in a row without a break.

    Examples
    --------
    >>> cells = np.array([list("APA-A")])
    >>> count_since_last(cells == "A", cells == "P").tolist()
    [2]
    """
    since = longest_run_at_end(~is_break)
    recent = np.arange(is_break.shape[1]) >= is_break.shape[1] - since[:, None]
    return (is_counted & recent).sum(axis=1, dtype=np.int64)


def longest_run_at_end(is_true: Bools) -> Ints:
    """Return how many of the last columns are true without a break.

    Parameters
    ----------
    is_true : bool array of shape (n_rows, n_columns)
        Oldest first.

    Returns
    -------
    int array of shape (n_rows,)
        Columns; 0 where the last one is false.

    Examples
    --------
    >>> longest_run_at_end(np.array([[True, False, True, True], [True, True, True, False]])).tolist()
    [2, 0]
    """
    if not is_true.shape[1]:
        return np.zeros(len(is_true), dtype=np.int64)
    backwards = ~is_true[:, ::-1]
    first_false = backwards.argmax(axis=1)
    return np.where(backwards.any(axis=1), first_false, is_true.shape[1]).astype(np.int64)


def longest_run(is_counted: Bools, is_break: Bools) -> Ints:
    """Return the number of counted columns in the longest run without a break.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        No column is both; columns that are neither are skipped.

    Returns
    -------
    int array of shape (n_rows,)
        Counted columns of the longest run.

    Examples
    --------
    >>> cells = np.array([list("AA-APA")])
    >>> longest_run(cells == "A", cells == "P").tolist()
    [3]
    """
    if not is_counted.shape[1]:
        return np.zeros(len(is_counted), dtype=np.int64)
    counted = is_counted.cumsum(axis=1, dtype=np.int16)
    at_break = np.maximum.accumulate(np.where(is_break, counted, 0), axis=1)
    return (counted - at_break).max(axis=1).astype(np.int64)


def runs(is_counted: Bools, is_break: Bools) -> Ints:
    """Count the runs of counted columns; at least one break lies between two runs.

    Parameters
    ----------
    is_counted, is_break : bool arrays of shape (n_rows, n_columns)
        No column is both; columns that are neither are skipped.

    Returns
    -------
    int array of shape (n_rows,)
        Runs.

    Examples
    --------
    >>> cells = np.array([list("AA-APA")])
    >>> runs(cells == "A", cells == "P").tolist()
    [2]
    """
    column = np.arange(is_counted.shape[1], dtype=np.int16)
    last = np.maximum.accumulate(
        np.where(is_counted | is_break, column * 2 + is_counted, np.int16(-2)), axis=1
    )
    before = np.concatenate([np.full((len(last), 1), -2, dtype=last.dtype), last[:, :-1]], axis=1)
    return (is_counted & (before % 2 == 0)).sum(axis=1, dtype=np.int64)
