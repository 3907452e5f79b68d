"""Needs by rank: the primary and the secondary one, as the School Census and SEN2 list them.

In:  a column of ranks and a column of types of need.
Out: primary and secondary needs, and the rank of each row as a number.
"""

from __future__ import annotations

import pandas as pd

from riskmodel.data.read.sources.source import is_there

__all__ = ["ranked_needs"]

RANKS = {"primary": "1", "first": "1", "main": "1", "secondary": "2", "second": "2"}
"""Word → rank."""

EMPTY = "(empty)"
"""Rank of a row without one: no number, so that its row is set aside."""


def ranked_needs(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the needs of a table with one row per need.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, ...)
        ``sentype`` and ``sentyperank``.

    Returns
    -------
    dict of str to Series of shape (n_rows,)
        ``primary_need``, ``secondary_need``, and ``sentyperank`` with words as numbers.

    Examples
    --------
    >>> rows = pd.DataFrame({"sentype": ["SEMH", "ASD"], "sentyperank": ["Primary", "02"]})
    >>> needs = ranked_needs(rows)
    >>> needs["primary_need"].tolist()[0], needs["secondary_need"].tolist()[1]
    ('SEMH', 'ASD')
    """
    written = frame["sentyperank"].astype("object").where(is_there(frame["sentyperank"]), EMPTY)
    words = written.astype("str").str.strip().str.lower().str.removesuffix(" need")
    rank = words.map(RANKS).astype("object").fillna(written)
    number = pd.to_numeric(rank, errors="coerce")
    return {
        "primary_need": frame["sentype"].where(number == 1),
        "secondary_need": frame["sentype"].where(number == 2),
        "sentyperank": rank,
    }
