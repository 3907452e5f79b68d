"""What more places, fewer places or places by school would find.

In:  the tested lists, a score per ranker, capacities.
Out: :class:`CapacityCurve`: recall, precision and children found at each capacity, model beside the best
     rival there, with intervals over the same resamples; more places; places by pupil and by school.

Places can be given in three ways, each filled in the order of a score:

* *by pupil*: the highest scores of the area, as on the list that is handed out;
* *each school's top share*: every school has places in proportion to its pupils, for its own highest
  scores. Pupil ``r`` of a school of ``n`` comes at ``(r - 1/2) / n`` (Sainte-Laguë's rule);
* *whole schools*: all pupils of the school with the highest mean rank, then of the next, until the places
  are filled.

A study of Wisconsin's early warning system found that most of what its scores knew was the school, and asks
that lists of pupils be compared with lists of schools [1]_. Where whole schools find as many children as
single pupils, ranking pupils adds nothing.

References
----------
.. [1] Perdomo, Britton, Hardt and Abebe, "Difficult lessons on social prediction from Wisconsin public
   schools", 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation.capacity import places_on_lists, rank_on_list
from riskmodel.evaluation.list_sums import lists_in_draws
from riskmodel.evaluation.resampling import (
    Resamples,
    widen_degenerate,
    widen_differences,
    with_bounds,
)

__all__ = ["BY_PUPIL", "CapacityCurve", "capacity_curve", "places_by_school"]

BY_PUPIL, TOP_SHARE, WHOLE_SCHOOLS = "by pupil", "each school's top share", "whole schools"

SHARES = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3)
"""Parts of the capacity that the curve shows."""

MORE = 50
"""Places more that the sentence is about."""

Floats = NDArray[np.float64]
Draws = dict[str, Floats]


@dataclass(frozen=True, kw_only=True)
class CapacityCurve:
    """What lists of other lengths would have found.

    Attributes
    ----------
    table : DataFrame
        ``ranker`` (the first, and at each capacity the best of the others), ``capacity``; ``recall``,
        ``precision`` (of places whose outcome is known), ``per_100_places`` (children found per 100 places
        of a list) and ``per_list`` (children found on a whole list, on average), each with ``_low`` and
        ``_high``. A child is on a list once.
    differences : DataFrame
        ``ranker``, ``capacity``; the first ranker's ``recall`` and ``per_list`` minus this one's, paired:
        at each capacity the best of the others.
    more : DataFrame
        ``ranker``, ``places`` and ``per_list``: children more on a list with :data:`MORE` places more, by
        the first ranker and by the best of the others at the capacity. Empty where no list is as long.
    schools : DataFrame or None
        ``given`` (by pupil or by school), ``recall``, ``precision`` at the capacity, of the first ranker.
        None where schools are not known.
    """

    table: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)
    more: pd.DataFrame = field(repr=False)
    schools: pd.DataFrame | None = field(repr=False, default=None)

    def sentence(self) -> str:
        """Return what more places would find.

        Returns
        -------
        str
            With its interval; within noise, that the lists cannot show it. Empty where no list is as long.
        """
        if self.more.empty:
            return ""
        row = self.more.iloc[0]
        low, high = row["per_list_low"], row["per_list_high"]
        places = f"{row['places']} more places on a list"
        if not low > 0:
            return f"These lists cannot show whether {places} would find more children."
        return (
            f"{places} would find about {_count(row['per_list'])} more children "
            f"({_count(low)} to {_count(high)})."
        )


def _count(children: float) -> str:
    return f"{children:.0f}" if children >= 10 else f"{children:.1f}"


def capacity_curve(
    predictions: pd.DataFrame,
    rankers: Sequence[str],
    capacity: int,
    resamples: Resamples,
    *,
    capacities: Sequence[int] = (),
) -> CapacityCurve:
    """Return what lists of other lengths would have found.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        One row per pupil and tested list (:mod:`riskmodel.evaluation.predictions`).
    rankers : sequence of str
        Score columns. The first is compared with the best of the others, which may differ by capacity.
    capacity : int
        Places on a list.
    resamples : Resamples
        Draws of the rows' pupils.
    capacities : sequence of int, optional
        Places at which to measure; :data:`SHARES` of the capacity and :data:`MORE` above it where left out,
        as far as the smallest list goes.

    Returns
    -------
    CapacityCurve
        The curve of the first ranker, beside the best of the others at each capacity.

    Raises
    ------
    HistoryError
        If nobody had the outcome.
    RequestError
        If a capacity is below 1, or beyond the smallest list.

    Notes
    -----
    Recall never falls as the capacity grows; in no resample either, since a longer list holds the shorter.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": list("abcd"), "as_of": pd.Timestamp("2024-02-10"),
    ...     "label": [1, 0, 1, 0], "model": [0.9, 0.6, 0.4, 0.2]})
    >>> made = capacity_curve(rows, ["model"], 1, Resamples.draw(rows["pupil_id"], 0), capacities=[1, 3])
    >>> made.table[["capacity", "recall", "per_list"]].to_dict("list")
    {'capacity': [1, 3], 'recall': [0.5, 1.0], 'per_list': [1.0, 2.0]}
    """
    if not (predictions["label"] == 1).any():
        raise HistoryError("Nobody on the tested lists had the outcome, so there is no curve.")
    longest = _longest(predictions)
    wanted = _checked(capacities, longest) if capacities else _around(capacity, longest)
    sums = {name: _sums(predictions, name, wanted, resamples) for name in rankers}
    n_pupils = predictions["pupil_id"][predictions["label"] == 1].nunique()
    best = _with_best(sums)
    return CapacityCurve(
        table=_table(best, n_pupils),
        differences=_differences(best, n_pupils),
        more=_more({name: sums[name] for name, one in best.items() if capacity in one}, capacity),
        schools=_by_school(predictions, rankers[0], min(capacity, longest), resamples)
        if "school_id" in predictions
        else None,
    )


def _longest(predictions: pd.DataFrame) -> int:
    """Return the places at which the smallest list holds its whole cohort."""
    part = _share_of_list(predictions)
    sizes = part.groupby(predictions["as_of"], observed=True).agg(["size", "first"])
    return int(np.floor((sizes["size"] / sizes["first"]).min()))


def _share_of_list(predictions: pd.DataFrame) -> pd.Series:
    """Return the part of each row's list that could be tested."""
    return predictions.get("share_of_list", pd.Series(1.0, index=predictions.index))


def _around(capacity: int, longest: int) -> list[int]:
    """Return capacities around the one that is asked for, none beyond the smallest list."""
    wanted = {round(capacity * share) for share in SHARES} | {capacity + MORE}
    inside = {places for places in wanted if 1 <= places <= longest}
    return sorted(inside | {min(capacity, longest)})


def _checked(capacities: Sequence[int], longest: int) -> list[int]:
    beyond = [places for places in capacities if places > longest]
    if beyond:
        raise RequestError(
            f"A capacity of {beyond[0]} is beyond the smallest tested list, which holds {longest} pupils. "
            "Choose fewer places."
        )
    return sorted(set(capacities))


def _sums(
    predictions: pd.DataFrame, ranker: str, capacities: Sequence[int], resamples: Resamples
) -> dict[int, Draws]:
    """Return what a ranker's lists hold at every capacity, summed over lists, in every draw."""
    places = {k: places_on_lists(predictions, k) for k in capacities}
    part = _share_of_list(predictions).to_numpy(dtype=float)
    n_draws = resamples.counts.shape[1]
    names = ("found", "positives", "filled", "known", "lists")
    total = {k: {name: np.zeros(n_draws) for name in names} for k in capacities}
    for one in lists_in_draws(predictions, ranker, resamples):
        for k in capacities:
            filled = places[k][one.order[0]] / len(one.order) * one.n
            total[k]["found"] += one.positives.listed(filled).sum(axis=0)
            total[k]["positives"] += one.positives.drawn.sum(axis=0)
            total[k]["filled"] += filled
            total[k]["known"] += filled - one.lost.listed(filled).sum(axis=0)
            total[k]["lists"] += part[one.order[0]]
    return total


def _with_best(sums: Mapping[str, Mapping[int, Draws]]) -> dict[str, dict[int, Draws]]:
    """Return the first ranker's sums, and at each capacity those of the other that finds most."""
    first, *rest = sums
    kept = {first: dict(sums[first])}
    for places in sums[first] if rest else ():
        best = max(rest, key=lambda name: float(sums[name][places]["found"][0]))
        kept.setdefault(best, {})[places] = sums[best][places]
    return kept


def _figures(total: Draws) -> Draws:
    return {
        "recall": ratio(total["found"], total["positives"]),
        "precision": ratio(total["found"], total["known"]),
        "per_100_places": 100 * ratio(total["found"], total["filled"]),
        "per_list": ratio(total["found"], total["lists"]),
    }


def _table(sums: Mapping[str, Mapping[int, Draws]], n_pupils: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"ranker": name, "capacity": places}
        | widen_degenerate(with_bounds(_figures(total)), {"recall": n_pupils, "precision": places})
        for name, totals in sums.items()
        for places, total in totals.items()
    )


def _differences(sums: Mapping[str, Mapping[int, Draws]], n_pupils: int) -> pd.DataFrame:
    """Return the first ranker's figures minus those of the others, paired."""
    (_, ours), *rivals = sums.items()
    rows = []
    for name, totals in rivals:
        for places, total in totals.items():
            first, other = _figures(ours[places]), _figures(total)
            gaps = {key: first[key] - other[key] for key in ("recall", "per_list")}
            most = {"recall": 1.0, "per_list": float(ratio(total["positives"], total["lists"])[0])}
            row = widen_differences(with_bounds(gaps), n_pupils, most)
            rows.append({"ranker": name, "capacity": places} | row)
    return pd.DataFrame(rows)


def _more(sums: Mapping[str, Mapping[int, Draws]], capacity: int) -> pd.DataFrame:
    """Return the children that more places would find, by every ranker."""
    rows = []
    for name, totals in sums.items():
        if capacity in totals and capacity + MORE in totals:
            before, after = (_figures(totals[k])["per_list"] for k in (capacity, capacity + MORE))
            gain = with_bounds({"per_list": after - before})
            rows.append({"ranker": name, "places": MORE} | gain)
    return pd.DataFrame(rows)


def places_by_school(predictions: pd.DataFrame, ranker: str) -> pd.DataFrame:
    """Return scores that fill places by pupil and in two ways by school.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``, ``school_id`` and the ranker's score.
    ranker : str
        Score column.

    Returns
    -------
    DataFrame of shape (n_rows, 3)
        ``by pupil``, ``each school's top share``, ``whole schools``; higher comes first.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": list("abcd"), "as_of": pd.Timestamp("2024-02-10"),
    ...     "school_id": list("sstt"), "model": [0.9, 0.8, 0.7, 0.1]})
    >>> by = places_by_school(rows, "model")
    >>> rank_on_list(by["each school's top share"], rows["pupil_id"]).tolist()
    [1, 3, 2, 4]
    """
    days, pupils = predictions["as_of"], predictions["pupil_id"]
    school = predictions["school_id"].astype("str")
    size = school.groupby([days, school]).transform("size")
    part, _ = pd.factorize(pd.MultiIndex.from_arrays([days, school]))
    own = rank_on_list(predictions[ranker], pupils, lists=part)
    rank = pd.Series(rank_on_list(predictions[ranker], pupils, lists=days), predictions.index)
    mean = rank.groupby([days, school]).transform("mean")
    place = np.empty(len(rank))
    place[np.lexsort((own, school, mean, days))] = np.arange(len(rank))
    scores = {BY_PUPIL: -rank, TOP_SHARE: -(own - 0.5) / size, WHOLE_SCHOOLS: -place}
    return pd.DataFrame(scores, index=predictions.index, dtype=float)


def _by_school(
    predictions: pd.DataFrame, ranker: str, capacity: int, resamples: Resamples
) -> pd.DataFrame:
    """Return recall and precision of the same places given by pupil and by school."""
    scores = places_by_school(predictions, ranker)
    ranked = pd.concat([predictions.drop(columns=scores, errors="ignore"), scores], axis=1)
    n_pupils = predictions["pupil_id"][predictions["label"] == 1].nunique()
    sums = {str(name): _sums(ranked, str(name), [capacity], resamples) for name in scores}
    table = _table(sums, n_pupils).rename(columns={"ranker": "given"})
    ends = [f"{name}{end}" for name in ("recall", "precision") for end in ("", "_low", "_high")]
    return table[["given", *ends]]
