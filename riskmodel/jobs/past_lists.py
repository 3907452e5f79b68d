"""Earlier lists: read back or made again, with what became of their pupils.

In:  folders that were handed out, or a model and the facts.
Out: one row per pupil and list: risk, whether listed, the outcome so far; the ranking of an earlier
     day, with which a list is compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from riskmodel.assess import Assessment, rank
from riskmodel.cohort import build_spine, snapshots
from riskmodel.data import Tables
from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import HistoryError, RequestError
from riskmodel.evaluation.capacity import is_listed
from riskmodel.jobs.run import Engine
from riskmodel.labels import horizon_end, label
from riskmodel.model import RiskModel
from riskmodel.progress import track
from riskmodel.report.list_files import read_list

__all__ = [
    "EARLIER_WEEKS",
    "assess_at",
    "check_days",
    "comparison_day",
    "count_missing",
    "earlier_ranking",
    "ranking_at",
    "read_handed_out",
    "rebuilt_lists",
    "with_outcome",
]

LIST_COLUMNS = ["pupil_id", "school_id", "year_group", "risk", "listed", "as_of", "same_model"]

MADE_BY = ("trained_as_of", "training_data_digest", "seed")
"""Facts kept with a list by which models differ."""

EARLIER_WEEKS = 4
"""Weeks between a list and the day it is compared with, at least: in fewer hardly anybody moves, and
snapshot days lie further apart."""


def comparison_day(tables: Tables, outcome: str, day: pd.Timestamp) -> pd.Timestamp | None:
    """Return the day with which the list of a day is compared.

    Parameters
    ----------
    tables : Tables
        The LA's facts.
    outcome : str
        Outcome.
    day : Timestamp
        The day of the list.

    Returns
    -------
    Timestamp or None
        The latest snapshot day at least :data:`EARLIER_WEEKS` weeks before; None where there is none.

    Raises
    ------
    RequestError
        If the outcome is unknown.
    """
    try:
        return snapshots(tables, outcome, before=day - pd.Timedelta(weeks=EARLIER_WEEKS))[-1]
    except HistoryError:
        return None


def earlier_ranking(
    model: RiskModel,
    tables: Tables,
    day: pd.Timestamp,
    *,
    engine: Engine = "local",
) -> tuple[pd.Timestamp, pd.DataFrame] | None:
    """Rank the cohort of an earlier day with the same model, to see who is rising.

    Parameters
    ----------
    model : RiskModel
        The model of the list.
    tables : Tables
        The LA's facts; only those recorded before the earlier day are used.
    day : Timestamp
        The day of the list.
    engine : str
        As in :meth:`riskmodel.model.RiskModel.assess`.

    Returns
    -------
    Timestamp, DataFrame; or None
        The earlier day and its ranking (:func:`riskmodel.assess.rank`). None where there is no earlier
        snapshot day, or nobody was in its cohort: then the list is the first.

    Raises
    ------
    RequestError
        If the outcome is unknown, or nothing is known of the pupils that an audit could group them by.
    ModelError
        If the tables lack what the model's features are made of.
    """
    earlier = comparison_day(tables, model.outcome, day)
    if earlier is None:
        return None
    ranking = ranking_at(model, tables, earlier, engine=engine)
    return None if ranking is None else (earlier, ranking)


def ranking_at(
    model: RiskModel,
    tables: Tables,
    day: pd.Timestamp,
    *,
    engine: Engine = "local",
    among: pd.Series | None = None,
) -> pd.DataFrame | None:
    """Rank the cohort of a day, all of it: an order does not depend on a capacity.

    Parameters
    ----------
    model : RiskModel
        The model.
    tables : Tables
        The LA's facts; only those recorded before the day are used.
    day : Timestamp
        The day.
    engine : str
        As in :meth:`riskmodel.model.RiskModel.assess`.
    among : Series of shape (n_pupils,), optional
        The only pupils who are ranked; all of the cohort where left out.

    Returns
    -------
    DataFrame or None
        From :func:`riskmodel.assess.rank`; None where nobody is in the cohort.

    Raises
    ------
    RequestError, ModelError
        As for :func:`earlier_ranking`.
    """
    spine = build_spine(tables, [day], model.outcome)
    n_pupils = len(spine) if among is None else int(spine["pupil_id"].isin(among).sum())
    if n_pupils == 0:
        return None
    return rank(model.assess(tables, as_of=day, capacity=n_pupils, engine=engine, among=among))


def assess_at(model: RiskModel, tables: Tables, day: pd.Timestamp) -> Assessment | None:
    """Score the cohort of a day at the capacity of the backtest, or everybody where it is smaller.

    Parameters
    ----------
    model : RiskModel
        The model.
    tables : Tables
        The LA's facts.
    day : Timestamp
        The day.

    Returns
    -------
    Assessment or None
        Of the whole cohort; None where nobody is in it.

    Raises
    ------
    RequestError
        If nothing is known of the pupils that an audit could group them by.
    ModelError
        If the tables lack what the model's features are made of.
    """
    capacity = int(model.card.backtest["counts"]["capacity"])
    n_cohort = len(build_spine(tables, [day], model.outcome))
    if n_cohort == 0:
        return None
    return model.assess(tables, as_of=day, capacity=min(capacity, n_cohort))


def rebuilt_lists(model: RiskModel, tables: Tables, day: pd.Timestamp) -> list[pd.DataFrame]:
    """Make the champion's lists since its training again, each from what was known on its day.

    Parameters
    ----------
    model : RiskModel
        The champion.
    tables : Tables
        The LA's facts.
    day : Timestamp
        Today; only lists of earlier days are made.

    Returns
    -------
    list of DataFrame
        Columns :data:`LIST_COLUMNS`, oldest first; none for a day on which nobody was in the cohort.

    Raises
    ------
    RequestError, ModelError
        As for :func:`assess_at`.
    """
    since = pd.Timestamp(model.card.trained.trained_as_of)
    try:
        days = [d for d in snapshots(tables, model.outcome, before=day) if since <= d < day]
    except HistoryError:
        return []
    lists = []
    for one in track(days, "Earlier lists"):
        made = assess_at(model, tables, one)
        if made is None:
            continue
        listed = is_listed(made.scores["risk"], made.scores["pupil_id"], made.capacity)
        rows = made.scores.assign(as_of=one, listed=listed, same_model=True)
        lists.append(rows[LIST_COLUMNS])
    return lists


def read_handed_out(folder: Path, model: RiskModel) -> pd.DataFrame:
    """Read a list that was handed out.

    Parameters
    ----------
    folder : Path
        What ``riskmodel list`` wrote.
    model : RiskModel
        The model that is watched.

    Returns
    -------
    DataFrame
        Columns :data:`LIST_COLUMNS`, one row per pupil.

    Raises
    ------
    RequestError
        If the folder holds no such list, one that was changed, or one for another outcome.
    """
    identity, ranking = read_list(folder)
    if identity.outcome != model.outcome:
        raise RequestError(
            f"The list in {folder} is for {identity.outcome}, not for {model.outcome}."
        )
    facts = json.loads((folder / "assessment.json").read_text(encoding="utf-8"))
    origin = facts.get("provenance")
    if not isinstance(origin, dict):
        raise RequestError(
            f"{folder / 'assessment.json'} no longer says which model made the list. Put back the file as it "
            "was written."
        )
    same = all(origin.get(key) == getattr(model.card.trained, key) for key in MADE_BY)
    return ranking.assign(
        listed=ranking["selected"], as_of=pd.Timestamp(identity.as_of), same_model=same
    )[LIST_COLUMNS]


def check_days(lists: list[pd.DataFrame], day: pd.Timestamp) -> None:
    """Refuse two lists of one day, and lists that are later than today.

    Parameters
    ----------
    lists : list of DataFrame
        From :func:`read_handed_out`.
    day : Timestamp
        Today.

    Raises
    ------
    RequestError
        If a day comes twice or too late.

    Examples
    --------
    >>> june = pd.DataFrame({"pupil_id": ["P1"], "as_of": [pd.Timestamp("2024-06-01")]})
    >>> check_days([june], pd.Timestamp("2024-08-01"))
    >>> check_days([june, june], pd.Timestamp("2024-08-01"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    riskmodel.errors.RequestError: Two lists are of 2024-06-01. ...
    """
    seen: set[pd.Timestamp] = set()
    for one in lists:
        made_on = one["as_of"].iloc[0] if len(one) else day
        if made_on in seen:
            raise RequestError(
                f"Two lists are of {made_on:%Y-%m-%d}. Name each list once, or its outcomes count twice."
            )
        if made_on > day:
            raise RequestError(
                f"The list of {made_on:%Y-%m-%d} is later than the day of this job, {day:%Y-%m-%d}. "
                "Name a later day with --as-of."
            )
        seen.add(made_on)


def count_missing(lists: list[pd.DataFrame], tables: Tables) -> list[str]:
    """Return how many pupils of each list are not in the extracts, so that their outcome is unknown.

    Parameters
    ----------
    lists : list of DataFrame
        From :func:`read_handed_out`.
    tables : Tables
        The LA's facts.

    Returns
    -------
    list of str
        A sentence per list that has such pupils.

    Examples
    --------
    >>> june = pd.DataFrame({"pupil_id": ["P1", "P2"], "as_of": pd.Timestamp("2024-06-01")})
    >>> count_missing([june], Tables({"pupils": pd.DataFrame({"pupil_id": ["P1"]})}))[0][:54]
    '1 of the 2 pupils of the list of 2024-06-01 are not in'
    """
    here = set(tables["pupils"]["pupil_id"].astype("str"))
    return [
        f"{missing:,} of the {len(one):,} pupils of the list of {one['as_of'].iloc[0]:%Y-%m-%d} are not in "
        "these extracts: what became of them is not known."
        for one in lists
        if (missing := int((~one["pupil_id"].astype("str").isin(here)).sum()))
    ]


def with_outcome(
    one: pd.DataFrame, tables: Tables, outcome: str, day: pd.Timestamp
) -> pd.DataFrame:
    """Add what was known of the outcome by a day.

    Parameters
    ----------
    one : DataFrame
        A list, columns :data:`LIST_COLUMNS`.
    tables : Tables
        The LA's facts.
    outcome : str
        Outcome.
    day : Timestamp
        Today.

    Returns
    -------
    DataFrame
        With ``event`` (1 or 0, nan where nothing is known before the horizon is over) and
        ``complete``; pupils whose horizon ended unlabelled are left out.
    """
    ids = one["pupil_id"].astype("str")
    known = ids.isin(tables["pupils"]["pupil_id"].astype("str")).to_numpy()
    pupils = ids[known].astype(tables["pupils"]["pupil_id"].dtype)
    spine = one[known].assign(pupil_id=pupils).reset_index(drop=True)
    spine["as_of"] = spine["as_of"].astype("datetime64[s]")
    labels = label(tables, spine, outcome, known_by=day)
    complete = (horizon_end(spine, outcome) <= day).to_numpy()
    so_far = (labels["event_on"].notna() | (labels["label"] == 1)).to_numpy(dtype=float)
    if not outcome_of(outcome).has_event_day:
        so_far = np.where(complete, so_far, np.nan)
    made = spine.assign(event=so_far, complete=complete)
    return made[~complete | labels["label"].notna().to_numpy()]
