"""Rankers side by side on earlier lists, with intervals that resample pupils.

In:  the predictions: one row per pupil and tested list, with the outcome and a score per ranker.
Out: :class:`Backtest`: every metric for every ranker, over all lists and list by list; differences;
     risks beside what came true; net benefit, lead time, stability, within and between schools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.counted import counted
from riskmodel.data.ratio import ratio
from riskmodel.data.write import records
from riskmodel.display import html_list, html_table, write_intervals, write_share
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation.best_rival import BestRival, best_rival
from riskmodel.evaluation.calibration import Calibration, calibration
from riskmodel.evaluation.capacity import listed_by, places_on_lists
from riskmodel.evaluation.capacity_curve import CapacityCurve, capacity_curve
from riskmodel.evaluation.children import count_children
from riskmodel.evaluation.decision_curve import decision_curve
from riskmodel.evaluation.list_sums import METRICS, metrics, sum_over_lists, totals_by_list
from riskmodel.evaluation.notice import ONCE_A_YEAR, notice_curve, yearly
from riskmodel.evaluation.predictions import check_predictions
from riskmodel.evaluation.resampling import (
    Resamples,
    widen_degenerate,
    widen_differences,
    with_bounds,
)
from riskmodel.evaluation.stability import lead_time, stability, within_schools
from riskmodel.evaluation.staying import count_lost, weighted_figures
from riskmodel.progress import track

__all__ = ["SIMPLER", "Backtest", "compare"]

SIMPLER = (
    "tuned ridge",
    "points score",
    "RONI points",
    "suspensions last year",
    "absence last year",
    "months jobless so far",
    "vulnerable list",
    "school only",
)
"""Rankers that need no model of ours: the best of them is what a model is compared with."""

SHOWN = ("average_precision", "precision_at_capacity", "recall_at_capacity")
"""Metrics of the short tables."""

MEANING = "95% intervals resample pupils; worst list: lowest average precision of one list"

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """How rankers would have done on earlier lists.

    Attributes
    ----------
    table : DataFrame
        ``ranker``; per metric its value, ``_low`` and ``_high`` (95%, resampling pupils). Best
        average precision first.
    differences : DataFrame
        ``ranker``; per metric the first ranker's value minus this one's, paired, with interval.
    by_list : DataFrame
        As ``table``, for each ``as_of``, with ``positives``.
    calibration : Calibration, optional
        Risks beside what came true.
    net_benefit : DataFrame, optional
        From :func:`riskmodel.evaluation.decision_curve.decision_curve`.
    lead_time, stability, schools : DataFrame, optional
        From :mod:`riskmodel.evaluation.stability`.
    lost : DataFrame, optional
        Places of pupils who left before their outcome was known, and where they went
        (:func:`riskmodel.evaluation.staying.count_lost`).
    children : DataFrame, optional
        Children on the lists and with the outcome, each counted once
        (:func:`riskmodel.evaluation.children.count_children`).
    weighted : DataFrame, optional
        Recall and precision weighted by the probability of staying
        (:func:`riskmodel.evaluation.staying.weighted_figures`).
    places : CapacityCurve, optional
        What lists of other lengths, and places by school, would have found: the first ranker beside the
        rival with the highest recall at each length.
    notice : DataFrame, optional
        How early the first ranker reaches outcomes with one list a year and with every tested list
        (:func:`riskmodel.evaluation.notice.notice_curve`); where whole lists were tested, two in a year.
    never_suspended : dict, optional
        ``share`` of all outcomes that fell on pupils never suspended before the list, with ``share_low``
        and ``share_high``. What each ranker held of them is ``recall_never_suspended`` of the table.
    points : DataFrame, optional
        Lines of the learned points score: ``column, test, threshold, points, label``.
    counts : dict
        Origins, rows (with ``lost_rows``, whose outcome is not known), pupils, positive rows and pupils,
        capacity, prevalence among rows whose outcome is known.
    simpler : tuple of str
        Rankers that are recommended instead where the first does not beat them.
    same_lists : tuple of str
        Rankers that list the same pupils as the first on every day.
    """

    table: pd.DataFrame = field(repr=False)
    differences: pd.DataFrame = field(repr=False)
    by_list: pd.DataFrame = field(repr=False)
    calibration: Calibration | None = field(repr=False, default=None)
    net_benefit: pd.DataFrame | None = field(repr=False, default=None)
    lead_time: pd.DataFrame | None = field(repr=False, default=None)
    stability: pd.DataFrame | None = field(repr=False, default=None)
    schools: pd.DataFrame | None = field(repr=False, default=None)
    lost: pd.DataFrame | None = field(repr=False, default=None)
    children: pd.DataFrame | None = field(repr=False, default=None)
    weighted: pd.DataFrame | None = field(repr=False, default=None)
    places: CapacityCurve | None = field(repr=False, default=None)
    notice: pd.DataFrame | None = field(repr=False, default=None)
    never_suspended: dict[str, float] | None = field(repr=False, default=None)
    points: pd.DataFrame | None = field(repr=False, default=None)
    counts: dict[str, Any]
    simpler: tuple[str, ...] = SIMPLER
    same_lists: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Copy of the table.

        Returns
        -------
        DataFrame
            As :attr:`table`.
        """
        return self.table.copy()

    def over_time(self) -> pd.DataFrame:
        """Median and worst list of each ranker, by average precision.

        Returns
        -------
        DataFrame
            ``ranker``, ``median``, ``worst``, ``worst_as_of``; best median first.
        """
        lists = self.by_list.dropna(subset=["average_precision"])
        of_ranker = lists.groupby("ranker")["average_precision"]
        worst = lists.loc[of_ranker.idxmin()].set_index("ranker")
        table = of_ranker.median().to_frame("median")
        table["worst"], table["worst_as_of"] = worst["average_precision"], worst["as_of"]
        return table.sort_values("median", ascending=False).reset_index()

    def text(self) -> str:
        """Table for a terminal.

        Returns
        -------
        str
            One line per ranker: value (95% interval).
        """
        worst = self.over_time().set_index("ranker")["worst"]
        titles = ("average precision", "precision at capacity", "recall at capacity", "worst list")
        lines = [self._counted(), _line("", titles)]
        for row in self.table.to_dict("records"):
            cells = [f"{row[m]:.3f} ({row[f'{m}_low']:.3f}–{row[f'{m}_high']:.3f})" for m in SHOWN]
            lines.append(_line(row["ranker"], [*cells, f"{worst[row['ranker']]:.3f}"]))
        return "\n".join([*lines, f"({MEANING})"])

    def _counted(self) -> str:
        counts = self.counts
        return (
            f"{counted(counts['origins'], 'list')}, "
            f"{counts['rows']:,} rows, {counts['pupils']:,} pupils, "
            f"{counts['positive_pupils']} with the outcome (prevalence {counts['prevalence']:.2%}), "
            f"capacity {counts['capacity']} a list"
        )

    def best_simpler(self, metric: str = "recall_at_capacity") -> BestRival | None:
        """Return the best simpler ranker by a metric.

        Parameters
        ----------
        metric : str
            Column of the table; higher is better.

        Returns
        -------
        BestRival or None
            None where no simpler ranker was measured.
        """
        return best_rival(self.table, self.differences, self.simpler, metric)

    def recommendation(self) -> str:
        """Sentence on the best simpler ranker: at the capacity first, then in order.

        Returns
        -------
        str
            A ranker is preferred only where it is better beyond noise.
        """
        found = self.best_simpler()
        if found is None:
            return "No simpler ranker was measured on these lists."
        figures = (
            f"the model's lists held {self._share('recall_at_capacity')} of the outcomes, those of "
            f"{found.ranker} {self._share('recall_at_capacity', found.ranker)}"
        )
        if found.is_worse:
            return f"A simpler ranker finds more, beyond noise: {figures}. Prefer it."
        if found.is_better:
            return f"The model finds more than the best simpler ranker, beyond noise: {figures}."
        return f"A simpler ranker finds about as many, within noise: {figures}. {self._order()}"

    def never_suspended_words(self) -> str | None:
        """Sentences on outcomes of children never suspended: how many, and what lists held of them.

        Returns
        -------
        str or None
            The model's lists beside those of the simpler ranker that held most of them; None where there
            were no such outcomes, or where nobody knows who was suspended.
        """
        metric, share = "recall_never_suspended", self.never_suspended
        if share is None or not np.isfinite(self.row()[metric]):
            return None
        best = self.best_simpler(metric)
        beside = (
            "" if best is None else f", those of {best.ranker} {self._share(metric, best.ranker)}"
        )
        return (
            f"Of all outcomes, {write_share(share, 'share')} fell on children never suspended before the "
            f"list. Of these the lists held {self._share(metric)}{beside}."
        )

    def row(self, ranker: str | None = None) -> dict[Any, Any]:
        """Row of the table.

        Parameters
        ----------
        ranker : str, optional
            The ranker of the row; by default the one that is judged.

        Returns
        -------
        dict
            Column → value.
        """
        names = self.table["ranker"]
        is_it = ~names.isin(self.differences["ranker"]) if ranker is None else names == ranker
        return self.table[is_it].iloc[0].to_dict()

    def _share(self, metric: str, ranker: str | None = None) -> str:
        return write_share(self.row(ranker), metric)

    def _order(self) -> str:
        """Return what the order of all pupils adds, where the capacity decides nothing."""
        order = self.best_simpler("average_precision")
        assert order is not None
        figures = f"{order.own:.3f}, and {order.rivals:.3f} for {order.ranker}"
        if order.is_worse:
            words = f"In the order of all pupils it is better, beyond noise: average precision {figures}."
            return f"{words} Prefer it."
        if order.is_better:
            return f"The model orders all pupils better, beyond noise: average precision {figures}."
        return "The order of all pupils is no better either, beyond noise."

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready lists; missing numbers are None.

        Returns
        -------
        dict
            One entry per attribute, the ``recommendation`` and the ``never_suspended_words``.
        """
        parts: dict[str, Any] = {
            "recommendation": self.recommendation(),
            "never_suspended_words": self.never_suspended_words(),
        }
        for attribute in fields(self):
            value = getattr(self, attribute.name)
            if isinstance(value, Calibration | CapacityCurve):
                tables = {f.name: getattr(value, f.name) for f in fields(value)}
                value = {name: None if t is None else records(t) for name, t in tables.items()}
            if isinstance(value, tuple):
                value = list(value)
            if isinstance(value, dict):
                value = {
                    k: None if isinstance(v, float) and np.isnan(v) else v for k, v in value.items()
                }
            parts[attribute.name] = records(value) if isinstance(value, pd.DataFrame) else value
        return parts

    def _repr_html_(self) -> str:
        shown = pd.DataFrame({"ranker": self.table["ranker"]})
        for metric in SHOWN:
            shown[metric] = write_intervals(self.table, metric)
        worst = self.over_time().set_index("ranker")["worst"]
        shown["worst list"] = shown["ranker"].map(worst)
        table = html_table(shown, self._counted(), note=MEANING)
        return table + html_list([self.recommendation()])


def compare(
    predictions: pd.DataFrame,
    *,
    rankers: Sequence[str],
    capacity: int,
    simpler: Sequence[str] = SIMPLER,
    random_state: int = 0,
) -> Backtest:
    """Compare rankers on the same lists at the same capacity.

    Parameters
    ----------
    predictions : DataFrame
        One row per pupil and tested list (:mod:`riskmodel.evaluation.predictions`).
    rankers : sequence of str
        Score columns. The first is the one that is judged: the others are subtracted from it. A ranker
        whose scores are all missing is left out.
    capacity : int
        Places on a whole list, at least 1. A list that could be tested in part has as large a part of
        the places.
    simpler : sequence of str
        Rankers that are recommended where the first does not beat them. Unknown names are ignored.
    random_state : int
        Seed of the resampling.

    Returns
    -------
    Backtest
        All that the columns allow.

    Raises
    ------
    HistoryError
        If nobody had the outcome.
    RequestError
        If the predictions cannot be measured, the first ranker has no scores, or the capacity is below 1.

    Notes
    -----
    The rule of :mod:`riskmodel.evaluation.capacity` decides who is listed, as for lists that are handed
    out: everybody in the cohort of the day is ranked. A pupil who leaves before the outcome is known holds
    a place, is counted in ``lost`` and in no other figure, since nobody could know it on the day.
    Precision and recall add up over lists: outcomes found ÷ places of pupils whose outcome is known,
    outcomes found ÷ outcomes; lift is precision over prevalence. Average precision is the mean
    over lists weighted by their outcomes, ROC AUC the share of pairs of the same list that are in order.
    ``recall_never_suspended`` counts the outcomes of pupils with no suspension before the list, whom a
    list of the suspended cannot find.
    Each resample draws pupils with replacement and takes all their rows; all rankers see the same
    resamples, so that differences are paired. Within a list, a resample keeps the capacity's share of
    places. A share of 0 or 1 is the same in every resample: its interval is Wilson's for as many pupils,
    for precision those of one list, since the lists share pupils.

    Examples
    --------
    >>> rows = pd.DataFrame({"pupil_id": list("abcd"), "as_of": pd.Timestamp("2024-02-10"),
    ...     "label": [1, 0, 1, 0], "model": [0.9, 0.1, 0.8, 0.2], "points": [1, 1, 0, 0]})
    >>> made = compare(rows, rankers=["model", "points"], capacity=2)
    >>> made.table[["ranker", "recall_at_capacity"]].to_dict("list")
    {'ranker': ['model', 'points'], 'recall_at_capacity': [1.0, 0.5]}
    """
    predictions = check_predictions(predictions, rankers)
    if not (predictions["label"] == 1).any():
        raise HistoryError(
            "Nobody on the tested lists had the outcome, so nothing can be measured."
        )
    used = _with_scores(predictions, rankers)
    places = places_on_lists(predictions, capacity)
    resamples = Resamples.draw(predictions["pupil_id"], random_state)
    totals = {
        name: totals_by_list(predictions, name, places, resamples)
        for name in track(used, "Intervals by resampling pupils")
    }
    overall = {name: sum_over_lists(lists) for name, lists in totals.items()}
    listed = listed_by(predictions, used, capacity)
    table = _table(overall, predictions, int(places.max()))
    pupils = _with_outcome(predictions)
    compared = [used[0], *(name for name in simpler if name in used[1:])]
    return Backtest(
        table=table,
        differences=_differences(overall, pupils),
        by_list=_by_list(totals, predictions, places),
        counts=_counts(predictions, capacity),
        simpler=tuple(simpler),
        same_lists=tuple(n for n in used[1:] if np.array_equal(listed[n], listed[used[0]])),
        schools=within_schools(predictions, used) if "school_id" in predictions else None,
        lost=count_lost(predictions, listed),
        children=count_children(predictions, listed, resamples),
        weighted=weighted_figures(
            overall,
            pupils=pupils["recall_at_capacity"],
            places=int(places.max()),
        )
        if "stays" in predictions
        else None,
        places=capacity_curve(predictions, compared, capacity, resamples),
        notice=_notice(predictions, used[0], capacity, resamples),
        never_suspended=_never_suspended(overall[used[0]], pupils["recall_at_capacity"])
        if "never_suspended" in predictions
        else None,
        **_over_time(predictions, listed, resamples),
        **_by_risk(predictions, overall, resamples, listed[used[0]]),
    )


def _with_scores(predictions: pd.DataFrame, rankers: Sequence[str]) -> list[str]:
    """Return the rankers that have scores; refuse a first one that has none."""
    used = [name for name in rankers if predictions[name].notna().any()]
    if list(rankers)[:1] != used[:1]:
        raise RequestError(f"The first ranker, '{rankers[0]}', has no scores. Name another first.")
    return used


def _line(name: str, cells: Sequence[str]) -> str:
    """Return one line of the table for a terminal."""
    widths = (22, 24, 24, 12)
    return f"{name:26}" + "".join(f"{c:>{width}}" for c, width in zip(cells, widths, strict=True))


def _table(
    overall: dict[str, dict[str, Floats]], predictions: pd.DataFrame, n_places: int
) -> pd.DataFrame:
    """Return every metric of every ranker over all lists, best average precision first."""
    rows = [
        {"ranker": name} | _row(total, predictions, n_places) for name, total in overall.items()
    ]
    return pd.DataFrame(rows).sort_values("average_precision", ascending=False, ignore_index=True)


def _differences(overall: dict[str, dict[str, Floats]], pupils: dict[str, int]) -> pd.DataFrame:
    """Return every metric of the first ranker minus that of each other, paired."""
    total, *others = overall.values()
    first, rest = metrics(total), [metrics(other) for other in others]
    gaps = [{metric: first[metric] - own[metric] for metric in METRICS} for own in rest]
    rows = [
        {"ranker": name} | _widened(with_bounds(gap), total, pupils)
        for name, gap in zip([*overall][1:], gaps, strict=True)
    ]
    columns = [f"{metric}{end}" for metric in METRICS for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["ranker", *columns])


def _widened(
    row: dict[str, float], total: dict[str, Floats], pupils: dict[str, int]
) -> dict[str, float]:
    """Return differences at the capacity that are never surer than the pupils with the outcome allow."""
    positives, places, rows = (float(total[name][0]) for name in ("positives", "places", "rows"))
    precision = float(ratio(positives, places))
    if_all_found = {
        "recall_at_capacity": 1.0,
        "precision_at_capacity": precision,
        "lift_at_capacity": precision * rows / positives,
    }
    row = widen_differences(row, pupils["recall_at_capacity"], if_all_found)
    return widen_differences(row, pupils["recall_never_suspended"], {"recall_never_suspended": 1.0})


def _with_outcome(predictions: pd.DataFrame) -> dict[str, int]:
    """Return the pupils with the outcome whom each recall is a share of."""
    positive = predictions["label"] == 1
    unseen = predictions.get("never_suspended", pd.Series(False, index=predictions.index))
    pupil = predictions["pupil_id"]
    return {
        "recall_at_capacity": pupil[positive].nunique(),
        "recall_never_suspended": pupil[positive & unseen].nunique(),
    }


def _by_list(
    totals: dict[str, list[dict[str, Floats]]],
    predictions: pd.DataFrame,
    places: NDArray[np.int64],
) -> pd.DataFrame:
    """Return every metric of every ranker, list by list."""
    by_day = sorted(predictions.groupby("as_of", observed=True).indices.items())
    return pd.DataFrame(
        {"ranker": name, "as_of": day, "positives": int(total["positives"][0])}
        | _row(total, predictions.iloc[rows], int(places[rows[0]]))
        for name, lists in totals.items()
        for (day, rows), total in zip(by_day, lists, strict=True)
    )


def _row(total: dict[str, Floats], predictions: pd.DataFrame, n_places: int) -> dict[str, float]:
    """Return metrics with intervals that are never of no width."""
    row = widen_degenerate(
        with_bounds(metrics(total)),
        {"precision_at_capacity": n_places} | _with_outcome(predictions),
    )
    if row["lift_at_capacity"] == 0:
        prevalence = float(predictions["label"].mean())
        row["lift_at_capacity_high"] = row["precision_at_capacity_high"] / prevalence
    return row


def _over_time(
    predictions: pd.DataFrame, listed: dict[str, NDArray[np.bool_]], resamples: Resamples
) -> dict[str, Any]:
    """Measure what lists do over time, where the columns allow."""
    parts: dict[str, Any] = {"stability": stability(predictions, listed, resamples)}
    if "event_on" in predictions:
        parts["lead_time"] = lead_time(predictions, listed, resamples)
    return parts


def _notice(
    predictions: pd.DataFrame, ranker: str, capacity: int, resamples: Resamples
) -> pd.DataFrame | None:
    """Return how early outcomes are reached by schedule, where the tested lists allow."""
    days = sorted(predictions["as_of"].unique())
    once = yearly(days)
    if "event_on" not in predictions or len(once) == len(days):
        return None
    if "share_of_list" in predictions and (predictions["share_of_list"] < 1).any():
        return None
    schedules = {ONCE_A_YEAR: once, "every tested list": days}
    try:
        return notice_curve(
            predictions, ranker, schedules, yearly_places=capacity, resamples=resamples
        )
    except HistoryError:  # outcomes only later than a year after the lists
        return None


def _never_suspended(total: dict[str, Floats], n_pupils: int) -> dict[str, float]:
    """Return the share of all outcomes that fell on pupils never suspended before the list."""
    share = with_bounds({"share": ratio(total["unseen"], total["positives"])})
    return widen_degenerate(share, {"share": n_pupils})


def _by_risk(
    predictions: pd.DataFrame,
    overall: dict[str, dict[str, Floats]],
    resamples: Resamples,
    listed: NDArray[np.bool_],
) -> dict[str, Any]:
    """Measure the risks themselves, where they are known."""
    if "risk" not in predictions:
        return {}
    known = predictions["label"].notna().to_numpy()
    predictions, resamples = predictions[known], resamples.part(known)
    outcome, risk = predictions["label"], predictions["risk"]
    at_capacity = {name: (total["found"], total["places"]) for name, total in overall.items()}
    return {
        "calibration": calibration(
            outcome,
            risk,
            resamples,
            phase=predictions.get("phase"),
            lists=predictions,
            listed=listed[known],
        ),
        "net_benefit": decision_curve(outcome, risk, resamples, at_capacity),
    }


def _counts(predictions: pd.DataFrame, capacity: int) -> dict[str, Any]:
    """Return what was tested: lists, rows, pupils, outcomes."""
    positive = predictions["label"] == 1
    share = predictions.get("share_of_list", pd.Series([1.0]))
    return {
        "origins": int(predictions["as_of"].nunique()),
        "rows": len(predictions),
        "lost_rows": int(predictions["label"].isna().sum()),
        "pupils": int(predictions["pupil_id"].nunique()),
        "positive_rows": int(positive.sum()),
        "positive_pupils": int(predictions["pupil_id"][positive].nunique()),
        "capacity": int(capacity),
        "prevalence": float(predictions["label"].mean()),
        "smallest_share_of_list": float(share.min()),
    }
