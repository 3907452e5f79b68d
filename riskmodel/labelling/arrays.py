"""What labelling functions share: their type, keys of pupil and day, last days.

In:  columns of pupils and days.
Out: sortable numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import Tables

__all__ = ["NEVER", "Labeller", "Labels", "keys_of", "latest_of"]

NEVER = np.datetime64("NaT", "s")

Labels: TypeAlias = tuple[NDArray[np.object_], NDArray[np.datetime64]]
"""Status of each row, and the day of its event."""

Labeller: TypeAlias = Callable[[Tables, pd.DataFrame, pd.Series], Labels]
"""Takes the tables as known on a day, the spine, and the end of each row's horizon."""

_LONG_AGO = -(10**6)


def keys_of(pupils: pd.Series, days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one sortable number per pupil and day.

    Parameters
    ----------
    pupils : Series of shape (n_rows,)
        ``pupil_id``.
    days : int array of shape (n_rows,), or a single day
        Days since 1970.

    Returns
    -------
    int array of shape (n_rows,)
        Sorts by pupil, then by day; the remainder by ``10**7`` is the day.

    Examples
    --------
    >>> keys_of(pd.Series(pd.Categorical(["A", "B"])), np.array([20_000, 3])).tolist()
    [20000, 10000003]
    """
    return pupils.cat.codes.to_numpy().astype(np.int64) * 10**7 + days


def latest_of(pupils: pd.Series, days: NDArray[np.int64], wanted: pd.Series) -> NDArray[np.int64]:
    """Return the latest day of each wanted pupil.

    Parameters
    ----------
    pupils : Series of shape (n_facts,)
        ``pupil_id`` of each fact.
    days : int array of shape (n_facts,)
        Its day since 1970.
    wanted : Series of shape (n_rows,)
        ``pupil_id``, of the same category.

    Returns
    -------
    int array of shape (n_rows,)
        Days since 1970; far in the past of a pupil without a fact.

    Examples
    --------
    >>> pupils = pd.Series(pd.Categorical(["A", "A"], categories=["A", "B"]))
    >>> latest_of(pupils, np.array([5, 3]), pupils[:1]).tolist()
    [5]
    """
    latest = np.full(len(pupils.cat.categories) + 1, _LONG_AGO, dtype=np.int64)
    np.maximum.at(latest, pupils.cat.codes.to_numpy(), days)
    return np.asarray(latest[wanted.cat.codes.to_numpy()])
