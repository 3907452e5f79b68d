"""Notice: how long before the outcome a child is first reached, by how often lists are made.

In:  predictions of several lists with the day of the outcome, schedules of lists, places for a year.
Out: the share of outcomes that were reached at least so many days before, by schedule.

All schedules have the same places for a year. A schedule of ``m`` lists a year has an ``m``-th of them on
each, for the children who rank highest among those not reached yet that year. So a child counts once,
and a list made late in the year can use what has happened since, with the places that earlier lists left.
A year begins on the first day of any schedule, and its outcomes are those of the 12 months from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.ratio import ratio
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation.capacity import rank_on_list
from riskmodel.evaluation.resampling import Resamples, widen_degenerate, with_bounds

__all__ = ["NOTICE_DAYS", "ONCE_A_YEAR", "days_apart", "notice_curve", "reached_on", "yearly"]

NOTICE_DAYS = (0, 14, 28, 56, 90)
"""Days of notice that the curve shows: on the day, a fortnight, a month, half a term and a term."""

ONCE_A_YEAR = "one list a year"

Floats = NDArray[np.float64]
Days = Sequence[pd.Timestamp]


def notice_curve(
    predictions: pd.DataFrame,
    ranker: str,
    schedules: Mapping[str, Days],
    *,
    yearly_places: int,
    resamples: Resamples,
) -> pd.DataFrame:
    """Return the share of outcomes reached so many days before, by schedule.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of``, ``event_on`` (missing where there was none) and the ranker's score; a list
        for every day of every schedule.
    ranker : str
        Score column. Scores are compared within a list only.
    schedules : mapping of str to sequence of Timestamp
        Name → days of its lists. The others are compared with the first.
    yearly_places : int
        Places for a year, the same for every schedule.
    resamples : Resamples
        Draws of the rows' pupils.

    Returns
    -------
    DataFrame
        ``schedule``, ``days``; ``outcomes`` (children, each once a year) and ``reached``, the share reached
        at least so many days before, with ``_low`` and ``_high``; ``gain``, that share minus the first
        schedule's, paired. The lists are those of the data in every resample.

    Raises
    ------
    HistoryError
        If nobody had the outcome within a year of the lists.
    RequestError
        If a schedule has no days, a day has no list, or the places are fewer than 1.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-06-01"])
    >>> rows = pd.DataFrame({"pupil_id": ["a", "b"] * 2, "as_of": days.repeat(2),
    ...     "event_on": pd.to_datetime([None, "2024-08-01"] * 2), "model": [2, 1, 1, 2]})
    >>> made = notice_curve(rows, "model", {"once": days[:1], "twice": days}, yearly_places=2,
    ...     resamples=Resamples.draw(rows["pupil_id"], 0))
    >>> made.loc[made["days"] == 56, ["schedule", "reached"]].to_dict("list")
    {'schedule': ['once', 'twice'], 'reached': [1.0, 1.0]}
    """
    _check(predictions, schedules, yearly_places)
    years = _years(schedules)
    numbers = pd.Series(resamples.pupil, index=predictions["pupil_id"].to_numpy())
    number = numbers[~numbers.index.duplicated()]
    parts = [_events(predictions, *year) for year in years]
    if not sum(map(len, parts)):
        raise HistoryError(
            "Nobody had the outcome within a year of these lists: no notice to measure."
        )
    weights = np.concatenate(
        [resamples.counts[number[part.index].to_numpy()] for part in parts]
    ).T.astype(float)
    notice = {
        name: np.concatenate(
            [
                _notice(predictions, ranker, part, _within(days, year), yearly_places)
                for part, year in zip(parts, years, strict=True)
            ]
        )
        for name, days in schedules.items()
    }
    return _curve(notice, weights)


def _curve(notice: Mapping[str, Floats], weights: Floats) -> pd.DataFrame:
    """Return the shares of every schedule from the notice of each outcome, nan where never reached."""
    total, first = weights.sum(axis=1), next(iter(notice.values()))
    rows = []
    for name, lead in notice.items():
        for days in NOTICE_DAYS:
            share, usual = (ratio(weights @ (one >= days), total) for one in (lead, first))
            figures = with_bounds({"reached": share, "gain": share - usual})
            row = widen_degenerate(figures, {"reached": len(lead)})
            rows.append({"schedule": name, "days": days, "outcomes": len(lead)} | row)
    return pd.DataFrame(rows)


def _check(predictions: pd.DataFrame, schedules: Mapping[str, Days], yearly_places: int) -> None:
    if yearly_places < 1:
        raise RequestError(f"The places for a year must be at least 1; got {yearly_places}.")
    there = set(predictions["as_of"].unique())
    for name, days in schedules.items():
        if not len(days):
            raise RequestError(f"The schedule '{name}' has no day. Give the days of its lists.")
        missing = [day for day in days if day not in there]
        if missing:
            raise RequestError(
                f"The schedule '{name}' has a list on {missing[0]:%Y-%m-%d}, and the predictions have none "
                "of that day. Score the cohort of that day too, or leave the day out."
            )


def _years(schedules: Mapping[str, Days]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return the years that hold lists: first day, and the day after the last."""
    days = sorted({day for chosen in schedules.values() for day in chosen})
    years: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for day in days:
        if not years or day >= years[-1][1]:
            years.append((day, day + pd.DateOffset(years=1)))
    return years


def _within(days: Days, year: tuple[pd.Timestamp, pd.Timestamp]) -> list[pd.Timestamp]:
    return sorted(day for day in days if year[0] <= day < year[1])


def _events(predictions: pd.DataFrame, begin: pd.Timestamp, end: pd.Timestamp) -> pd.Series:
    """Return the day of the first outcome of each child who had one in a year, by pupil."""
    days = predictions["as_of"]
    inside = predictions[(days >= begin) & (days < end) & (predictions["event_on"] < end)]
    return inside.groupby("pupil_id", observed=True)["event_on"].min()


def reached_on(predictions: pd.DataFrame, ranker: str, days: Days, yearly_places: int) -> pd.Series:
    """Return the day on which each child is first listed, with so many places over all lists.

    Parameters
    ----------
    predictions : DataFrame of shape (n_rows, ...)
        ``pupil_id``, ``as_of`` and the ranker's score.
    ranker : str
        Score column.
    days : sequence of Timestamp
        Days of the lists of one year.
    yearly_places : int
        Places of all these lists together, shared as evenly as whole numbers allow.

    Returns
    -------
    Series of datetime64
        Pupil → day; each pupil once.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-06-01"])
    >>> rows = pd.DataFrame({"pupil_id": ["a", "b"] * 2, "as_of": days.repeat(2), "model": [2, 1, 2, 1]})
    >>> reached_on(rows, "model", days, 2).dt.strftime("%b").to_dict()
    {'a': 'Jan', 'b': 'Jun'}
    """
    given = np.floor(np.arange(len(days) + 1) * yearly_places / max(1, len(days)) + 0.5).astype(int)
    reached = pd.Series(dtype="datetime64[s]")
    for day, places in zip(sorted(days), np.diff(given), strict=True):
        here = predictions[(predictions["as_of"] == day).to_numpy()]
        here = here[~here["pupil_id"].isin(reached.index).to_numpy()]
        listed = here["pupil_id"][rank_on_list(here[ranker], here["pupil_id"]) <= places]
        new = pd.Series(day, index=listed.to_numpy(), dtype="datetime64[s]")
        reached = new if reached.empty else pd.concat([reached, new])
    return reached


def _notice(
    predictions: pd.DataFrame, ranker: str, events: pd.Series, days: Days, yearly_places: int
) -> Floats:
    """Return the days of notice of each outcome of a year, nan where the child was not reached."""
    first = reached_on(predictions, ranker, days, yearly_places).reindex(events.index)
    return np.asarray((events - first).dt.days, dtype=np.float64)


def days_apart(days: Days, apart: int) -> list[pd.Timestamp]:
    """Return days at least so far apart, beginning with the first.

    Parameters
    ----------
    days : sequence of Timestamp
        Days on which lists can be made.
    apart : int
        Least days from one list to the next.

    Returns
    -------
    list of Timestamp
        Ascending.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=4, freq="14D")
    >>> [f"{day:%d %b}" for day in days_apart(days, 28)]
    ['01 Jan', '29 Jan']
    """
    chosen: list[pd.Timestamp] = []
    for day in sorted(days):
        if not chosen or (day - chosen[-1]).days >= apart:
            chosen.append(day)
    return chosen


def yearly(days: Days) -> list[pd.Timestamp]:
    """Return the first day of every year of lists.

    Parameters
    ----------
    days : sequence of Timestamp
        Days on which lists can be made.

    Returns
    -------
    list of Timestamp
        Ascending.

    Examples
    --------
    >>> [day.year for day in yearly(pd.to_datetime(["2023-06-01", "2024-01-01", "2024-06-01"]))]
    [2023, 2024]
    """
    return [begin for begin, _ in _years({"all": days})]
