"""No small cell published: primary and secondary suppression.

In:  a table of counts by group within characteristics.
Out: the same with "c" where a number, or what would reveal it, is small.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["SMALLEST_SHOWN", "SUPPRESSED", "suppress"]

SMALLEST_SHOWN = 5
"""Counts below it are not shown."""

SUPPRESSED = "c"
"""DfE's symbol for a suppressed value (Explore education statistics, data symbols)."""


def suppress(
    table: pd.DataFrame, *, counts: Sequence[str], derived: Sequence[str], within: str
) -> pd.DataFrame:
    """Hide small counts, those that would reveal them, and what is worked out from them.

    Parameters
    ----------
    table : DataFrame
        One row per group.
    counts : sequence of str
        Count columns; missing counts are shown as missing.
    derived : sequence of str
        Columns worked out from the counts.
    within : str
        Column of the characteristic whose groups add up to a published total.

    Returns
    -------
    DataFrame
        ``counts`` and ``derived`` as objects, ``"c"`` where suppressed.

    Notes
    -----
    A row is hidden whole, because its counts and rates can be worked out from each other. Where the
    hidden rows of a characteristic would still be known to add up to less than 5 in any count, or
    are only one, the next smallest row is hidden too.
    """
    values = table[list(counts)].astype(float)
    hidden = (values < SMALLEST_SHOWN).any(axis=1).to_numpy().copy()
    for value in table[within].unique():
        rows = np.flatnonzero((table[within] == value).to_numpy())
        size = values.to_numpy()[rows].sum(axis=1)
        for row in rows[np.argsort(size, kind="stable")]:
            count = hidden[rows].sum()
            together = values.to_numpy()[rows][hidden[rows]].sum(axis=0)
            if count == 0 or (count > 1 and (together >= SMALLEST_SHOWN).all()):
                break
            hidden[row] = True
    public = table.copy()
    for column in (*counts, *derived):
        public[column] = public[column].astype(object).where(~hidden, SUPPRESSED)
    return public
