"""The best of the simpler rankers, beside the one that is judged.

In:  the table and the paired differences of a backtest.
Out: :class:`BestRival`: both figures, their difference with its interval, and whether it is more than noise.

The best of many rankers looks better than it is, by chance. That counts against the judged ranker, so
"better" and "not worse" need no correction. "Worse" does: its interval is widened for the number of
rankers that the best was chosen from (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

__all__ = ["BestRival", "best_rival"]

TAIL = 0.025
"""Chance in each tail of a 95% interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestRival:
    """The best rival by a metric, and the judged ranker minus it.

    Attributes
    ----------
    ranker : str
        Name of the best rival.
    n_rivals : int
        Rivals from which it was chosen.
    own, rivals : float
        The metric of the judged ranker, and of the best rival.
    difference, low, high : float
        Judged ranker minus rival, paired, with its 95% interval; nan where it is not defined.
    """

    ranker: str
    n_rivals: int
    own: float
    rivals: float
    difference: float
    low: float
    high: float

    @property
    def is_judged(self) -> bool:
        """Whether the difference has an interval."""
        return bool(np.isfinite([self.low, self.high]).all())

    @property
    def is_better(self) -> bool:
        """Whether the judged ranker is better beyond noise."""
        return self.low > 0

    @property
    def is_worse(self) -> bool:
        """Whether it is worse beyond noise, also as the rival was chosen from several."""
        times = norm.isf(TAIL / self.n_rivals) / norm.isf(TAIL)
        return self.difference + float(times) * (self.high - self.difference) < 0


def best_rival(
    table: pd.DataFrame, differences: pd.DataFrame, rivals: Iterable[str], metric: str
) -> BestRival | None:
    """Return the best of some rankers by a metric.

    Parameters
    ----------
    table, differences : DataFrame
        As in :class:`riskmodel.evaluation.Backtest`.
    rivals : iterable of str
        Rankers to choose from; those that were not measured are ignored.
    metric : str
        Column of both tables; higher is better.

    Returns
    -------
    BestRival or None
        None where none of them was measured. Of equal rivals the first in the order of ``rivals``.

    Examples
    --------
    >>> table = pd.DataFrame({"ranker": ["model", "points"], "recall": [0.5, 0.4]})
    >>> row = {"ranker": "points", "recall": 0.1, "recall_low": -0.1, "recall_high": 0.3}
    >>> best = best_rival(table, pd.DataFrame([row]), ["points", "school"], "recall")
    >>> best.ranker, best.rivals, best.is_better, best.is_worse
    ('points', 0.4, False, False)
    """
    known = differences.dropna(subset=[metric]).set_index("ranker")
    names = [name for name in rivals if name in known.index]
    if not names:
        return None
    ranker = str(known.loc[names, metric].idxmin())
    judged = ~table["ranker"].isin(differences["ranker"])
    own = float(table.loc[judged, metric].iloc[0])
    row = known.loc[[ranker], [f"{metric}{end}" for end in ("", "_low", "_high")]]
    difference, low, high = row.to_numpy(dtype=float)[0].tolist()
    return BestRival(
        ranker=ranker,
        n_rivals=len(names),
        own=own,
        rivals=own - difference,
        difference=difference,
        low=low,
        high=high,
    )
