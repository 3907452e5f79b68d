"""What places for children never suspended find on earlier lists, and what they cost.

In:  the predictions, with a score per way to rank such places; the capacity.
Out: :class:`ReserveBacktest`: outcomes found by lists with and without such places, and an answer.

A reserve of ``r`` of ``k`` places: the ``k - r`` highest scores as before, then the ``r`` highest of the
pupils never suspended who are not among them, by the score of a candidate. Lists are made as they would have
been handed out; resamples draw pupils, with the places that they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.counted import counted
from riskmodel.data.ratio import ratio
from riskmodel.errors import HistoryError
from riskmodel.evaluation.capacity import is_listed, part_of_places, places_on_lists
from riskmodel.evaluation.children import each_once
from riskmodel.evaluation.predictions import check_predictions
from riskmodel.evaluation.resampling import Resamples, widen_differences, with_bounds

__all__ = ["ReserveBacktest", "backtest_reserve"]

SHARES = (0.05, 0.1, 0.2)
"""Shares of the places that are tried."""

ONE_SIDED = 0.025
"""Share of resamples without a gain, over the number of reserves tried (Bonferroni), below which a gain is
beyond noise."""

NOT_WORTH = "0: not worth a place here"

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ReserveBacktest:
    """What reserves would have found on earlier lists.

    Attributes
    ----------
    table : DataFrame
        ``ranked_by``, ``share``, ``places`` (reserved, of all lists); ``found_change`` and
        ``never_change``: children with the outcome found more than without a reserve, of all and of those
        never suspended before the list that held them, each child once; ``cost_per_100`` and
        ``gain_per_100``: the same per 100 reserved places, a child once per list, the cost as a loss of all.
        Each with ``_low`` and ``_high``. ``without_gain``: share of resamples in which ``never_change`` is
        not above 0.
    counts : dict
        ``lists``, ``capacity``; children ``with_outcome`` and ``never_with_outcome``, of whom lists without
        a reserve held ``found`` and ``never_found``.
    """

    table: pd.DataFrame = field(repr=False)
    counts: dict[str, int]

    def best(self) -> dict[Any, Any] | None:
        """Return the largest reserve that pays.

        Returns
        -------
        dict or None
            Its row: it finds more of the never suspended beyond noise, corrected for the number of reserves
            tried, and what it costs of all is within noise. None where there is none.
        """
        table = self.table
        gains = (table["never_change_low"] > 0) & (table["without_gain"] < ONE_SIDED / len(table))
        pays = table[gains & (table["found_change_high"] >= 0)]
        if pays.empty:
            return None
        return dict(pays.sort_values(["share", "never_change"]).iloc[-1])

    def answer(self) -> str:
        """Return which reserve to take.

        Returns
        -------
        str
            Its share and figures; where none pays, that a reserve is not worth a place.
        """
        best = self.best()
        if best is not None:
            return f"{best['share']:g}, ranked by {best['ranked_by']}: {_figures(best)}"
        most = dict(self.table.sort_values(["never_change", "found_change"]).iloc[-1])
        return (
            f"{NOT_WORTH}. The reserve that found most ({most['share']:.0%} ranked by "
            f"{most['ranked_by']}): {_figures(most)}"
        )

    def text(self) -> str:
        """Return what an analyst reads.

        Returns
        -------
        str
            Counts, a line per reserve, and the answer.
        """
        counts = self.counts
        lines = [
            f"{counted(counts['lists'], 'list')} made with what was known then, {counts['capacity']} places.",
            f"{counts['with_outcome']} children had the outcome, of whom lists without a reserve held "
            f"{counts['found']}; {counts['never_with_outcome']} had it while never suspended, "
            f"{counts['never_found']} of them held.",
            _line("ranked by", "share", "places", *(title for title, _ in COLUMNS)),
        ]
        for row in self.table.to_dict("records"):
            cells = (_interval(row, name, digits) for _, (name, digits) in COLUMNS)
            lines.append(_line(row["ranked_by"], f"{row['share']:.0%}", str(row["places"]), *cells))
        lines.append("(95% intervals resample pupils; more or fewer than without a reserve)")
        return "\n".join([*lines, self.answer()])


COLUMNS = (
    ("never suspended", ("never_change", 0)),
    ("all", ("found_change", 0)),
    ("gain per 100 places", ("gain_per_100", 1)),
    ("cost per 100 places", ("cost_per_100", 1)),
)
"""Title → figure and its digits."""


def _line(name: str, *cells: str) -> str:
    widths = (7, 8, 22, 22, 24, 24)
    return f"{name:18}" + "".join(f"{c:>{width}}" for c, width in zip(cells, widths, strict=True))


def _interval(row: dict[Any, Any], name: str, digits: int) -> str:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if not np.isfinite([value, low, high]).all():
        return "not defined"
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _figures(row: dict[Any, Any]) -> str:
    """Return what a reserve found and cost, in children."""
    return (
        f"{_interval(row, 'never_change', 0)} children found of the never suspended, "
        f"{_interval(row, 'found_change', 0)} of all."
    )


def backtest_reserve(
    predictions: pd.DataFrame,
    ranker: str,
    candidates: Sequence[str],
    capacity: int,
    *,
    random_state: int = 0,
) -> ReserveBacktest:
    """Compare lists that keep places for children never suspended with lists that keep none.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        One row per pupil and tested list (:mod:`riskmodel.evaluation.predictions`), with
        ``never_suspended``. A candidate's score is missing for pupils whom it cannot rank.
    ranker : str
        Score column of the list.
    candidates : sequence of str
        Score columns that may rank the reserve.
    capacity : int
        Places on a whole list.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    ReserveBacktest
        Every candidate with each of :data:`SHARES` of the places.

    Raises
    ------
    HistoryError
        If nobody had the outcome, or nobody while never suspended.
    RequestError
        If the predictions cannot be measured, or the capacity is below 1.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": list("abcdef"), "as_of": pd.Timestamp("2024-02-10"),
    ...     "label": [1, 0, 0, 0, 0, 1], "never_suspended": [False, False, True, True, True, True],
    ...     "model": [0.9, 0.8, 0.4, 0.3, 0.2, 0.1], "other": [0.1, 0.1, 0.2, 0.3, 0.4, 0.5]})
    >>> made = backtest_reserve(rows, "model", ["other"], 3)
    >>> made.table[["share", "places", "never_change", "found_change"]].values.tolist()
    [[0.05, 0.0, 0.0, 0.0], [0.1, 0.0, 0.0, 0.0], [0.2, 1.0, 1.0, 1.0]]
    """
    rows = check_predictions(predictions, [ranker, *candidates])
    lists = _Lists(rows, ranker, places_on_lists(rows, capacity))
    never = rows["never_suspended"].to_numpy(dtype=bool)
    positive = (rows["label"] == 1).to_numpy()
    resamples = Resamples.draw(rows["pupil_id"], random_state)
    whole, unseen = (_Found(resamples, part) for part in (positive, positive & never))
    if not unseen.n_children:
        raise HistoryError(
            "Nobody on the tested lists had the outcome while never suspended, so there is nothing that "
            "places for such children could find."
        )
    bare, _ = lists.listed(None, 0.0)
    table = []
    for name in candidates:
        for share in SHARES:
            listed, reserved = lists.listed(name, share)
            row = {"ranked_by": name, "share": share, "places": int(reserved.sum())}
            table.append(row | _row(whole, unseen, bare, listed, reserved))
    counts = {
        "lists": int(rows["as_of"].nunique()),
        "capacity": int(capacity),
        "with_outcome": whole.n_children,
        "never_with_outcome": unseen.n_children,
        "found": int(whole.children(bare).sum()),
        "never_found": int(unseen.children(bare).sum()),
    }
    return ReserveBacktest(table=pd.DataFrame(table), counts=counts)


@dataclass(frozen=True)
class _Lists:
    """The tested lists, and who is on them with a reserve."""

    rows: pd.DataFrame
    ranker: str
    places: NDArray[np.int64]

    def listed(self, candidate: str | None, share: float) -> tuple[Bools, Bools]:
        """Return who is listed, and who of them in the reserve."""
        pupil, days = self.rows["pupil_id"], self.rows["as_of"]
        kept = part_of_places(self.places, share)
        first = is_listed(self.rows[self.ranker], pupil, self.places - kept, lists=days)
        if candidate is None:
            return first, np.zeros(len(first), dtype=bool)
        score = self.rows[candidate]
        free = self.rows["never_suspended"].to_numpy(dtype=bool) & ~first & score.notna().to_numpy()
        second = is_listed(score.where(free), pupil, kept, lists=days) & free
        return first | second, second


@dataclass(frozen=True)
class _Found:
    """Rows with the outcome, by which lists are compared in every resample."""

    resamples: Resamples
    rows: Bools

    @property
    def n_children(self) -> int:
        return int(each_once(self.rows, self.resamples).sum())

    def children(self, listed: Bools) -> Floats:
        """Return 1 for each pupil found."""
        return each_once(self.rows & listed, self.resamples)

    def places(self, listed: Bools) -> Floats:
        """Return on how many lists each pupil was found."""
        return _rows_of(self.resamples, self.rows & listed)


def _rows_of(resamples: Resamples, rows: Bools) -> Floats:
    count = np.bincount(resamples.pupil[rows], minlength=len(resamples.counts))
    return count.astype(float)


def _row(
    whole: _Found, unseen: _Found, bare: Bools, listed: Bools, reserved: Bools
) -> dict[str, float]:
    """Return what a reserve changes, with intervals never surer than the children allow."""
    resamples = whole.resamples
    drawn = resamples.counts.T.astype(float)
    held = drawn @ _rows_of(resamples, reserved)
    changes = {
        "found_change": drawn @ (whole.children(listed) - whole.children(bare)),
        "never_change": drawn @ (unseen.children(listed) - unseen.children(bare)),
        "cost_per_100": 100 * ratio(drawn @ (whole.places(bare) - whole.places(listed)), held),
        "gain_per_100": 100 * ratio(drawn @ (unseen.places(listed) - unseen.places(bare)), held),
    }
    row = with_bounds(changes)
    per_100 = 100 / max(1.0, held[0])
    for part, once, each in (
        (whole, "found_change", "cost_per_100"),
        (unseen, "never_change", "gain_per_100"),
    ):
        most = {once: float(part.n_children), each: per_100 * float(part.rows.sum())}
        row = widen_differences(row, part.n_children, most)
    return row | {"without_gain": float((changes["never_change"][1:] <= 0).mean())}
