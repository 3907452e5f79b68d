"""Places of a list for emerging concern: children never suspended, ranked by the model of another outcome.

In:  a run, the known part of its list, the champion that ranks the other.
Out: the emerging part: an assessment of its own, and the ranking that it is compared with.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pandas as pd

from riskmodel.assess import Assessment, ListPart
from riskmodel.cohort import build_spine
from riskmodel.cohort_rules import COHORT_RULES, never_suspended
from riskmodel.data import Tables
from riskmodel.data.outcomes import outcome_of
from riskmodel.errors import ModelError, RequestError
from riskmodel.evaluation.capacity import is_listed, part_of_places
from riskmodel.jobs.champion import load_model
from riskmodel.jobs.past_lists import ranking_at
from riskmodel.jobs.run import Engine, Run
from riskmodel.model import RiskModel

__all__ = ["Ranked", "as_parts", "emerging_part", "places_for_emerging", "ranker_of"]

logger = logging.getLogger(__name__)

Ranked = tuple[Assessment, pd.DataFrame | None]
"""An assessment, and the ranking of an earlier day that it is compared with."""


def places_for_emerging(run: Run, share: float | None) -> int:
    """Return how many places of a list are for emerging concern.

    Parameters
    ----------
    run : Run
        Outcome, capacity and settings of the list.
    share : float, optional
        Share of the places; that of the settings where left out, on lists that have such places.

    Returns
    -------
    int
        0 where none are.

    Raises
    ------
    RequestError
        If the share is out of range, is no whole place, or is asked of a list without such places.

    Examples
    --------
    >>> run = Run("pex", tracking="sqlite:///mlflow.db", capacity=100)
    >>> places_for_emerging(run, None), places_for_emerging(run, 0.1)
    (0, 10)
    """
    if not outcome_of(run.outcome).reserve_rankers:
        if share:
            raise RequestError(
                f"A list for {run.outcome} has no places for emerging concern. Leave --emerging out."
            )
        return 0
    usual = run.settings.emerging
    asked = usual if share is None else replace(usual, share=share)
    assert run.capacity is not None
    places = int(part_of_places(run.capacity, asked.share))
    if asked.share and not places:
        raise RequestError(
            f"{asked.share:.1%} of {run.capacity} places rounds to no place for emerging concern. Ask for "
            "more places or a larger share, or set the share to 0."
        )
    return places


def ranker_of(run: Run, own: tuple[RiskModel, str]) -> tuple[RiskModel, str]:
    """Return the model that ranks the places for emerging concern.

    Parameters
    ----------
    run : Run
        The run of the list; its settings name the outcome.
    own : (RiskModel, str)
        Model and address of the known part, which may rank the other too.

    Returns
    -------
    RiskModel, str
        The champion of the outcome, from the same store, and its address.

    Raises
    ------
    ModelError
        If there is no champion, or it cannot be read.
    """
    by = run.settings.emerging.ranked_by
    if by == run.outcome:
        return own
    registry = replace(run, outcome=by).registry
    if registry.version_of("champion") is None:
        raise ModelError(
            f"There is no champion for {by}, which ranks the places for emerging concern. Train and promote "
            "one, or name another outcome in ranked_by of [emerging]."
        )
    return load_model(registry)


def emerging_part(
    ranker: RiskModel,
    tables: Tables,
    known: Ranked,
    places: int,
    origin: dict[str, Any],
    engine: Engine = "local",
) -> Ranked:
    """Assess the children never suspended whom the known part does not hold.

    Parameters
    ----------
    ranker : RiskModel
        Model that ranks them.
    tables : Tables
        The LA's facts; only those recorded before the day of the list are used.
    known : (Assessment, DataFrame or None)
        The known part, and the ranking of an earlier day that it is compared with.
    places : int
        Places for these children.
    origin : dict
        Which model and which facts; written beside the list.
    engine : str
        As in :meth:`riskmodel.model.RiskModel.assess`.

    Returns
    -------
    Assessment, DataFrame or None
        Of these children alone; the ranking of such children on the earlier day.

    Raises
    ------
    RequestError
        If they are fewer than the places.
    ModelError
        If the tables lack what the model's features are made of.
    """
    first, previous = known
    scores, day = first.scores, first.as_of
    listed = scores["pupil_id"][is_listed(scores["risk"], scores["pupil_id"], first.capacity)]
    logger.info("Scoring children never suspended, by their risk of %s", ranker.outcome)
    free = _free(tables, day, listed)
    _refuse_too_few(build_spine(tables, [day], ranker.outcome), free, places, ranker.outcome)
    made = ranker.assess(
        tables, as_of=day, capacity=places, provenance=origin, engine=engine, among=free
    )
    made = _of_these_alone(made)
    if previous is None:
        return made, None
    then = pd.Timestamp(first.provenance["compared_with"])
    free = _free(tables, then, previous["pupil_id"].iloc[: first.capacity])
    earlier = ranking_at(ranker, tables, then, engine=engine, among=free)
    if earlier is not None:
        made = replace(made, provenance=made.provenance | {"compared_with": f"{then:%Y-%m-%d}"})
    return made, earlier


def _free(tables: Tables, day: pd.Timestamp, known: pd.Series) -> pd.Series:
    """Return the pupils never suspended before a day who are not in the known part of its list."""
    pupils = tables["pupils"]
    is_free = never_suspended(tables, pupils, day) & ~pupils["pupil_id"].isin(known).to_numpy()
    return pupils.loc[is_free, "pupil_id"]


def _refuse_too_few(cohort: pd.DataFrame, free: pd.Series, places: int, ranked_by: str) -> None:
    n_free = int(cohort["pupil_id"].isin(free).sum())
    if n_free < places:
        raise RequestError(
            f"{places} places are for children never suspended, and {n_free} of them can be ranked by "
            f"{ranked_by} and are not listed already. Reserve a smaller share, or none."
        )


def _of_these_alone(made: Assessment) -> Assessment:
    """Return an emerging part without figures of earlier lists that held others too.

    They stay where the model's own lists hold children never suspended only. The audit of this list always
    stays.
    """
    outcome = outcome_of(made.outcome)
    if outcome.cohort_rule and COHORT_RULES[outcome.cohort_rule] is never_suspended:
        return made
    note = (
        f"Earlier lists by the risk of {outcome.words} held pupils suspended before too, so their figures "
        "are not of this part."
    )
    return replace(made, backtest=None, audit=replace(made.audit, model={}, note=note))


def as_parts(known: Assessment, second: Ranked) -> tuple[Assessment, Ranked]:
    """Return both parts of a list, each of which says what the other is.

    Parameters
    ----------
    known : Assessment
        The known part.
    second : (Assessment, DataFrame or None)
        From :func:`emerging_part`.

    Returns
    -------
    Assessment, (Assessment, DataFrame or None)
        The same, each with its :class:`riskmodel.assess.ListPart`.
    """
    emerging, previous = second
    part = ListPart(
        name="known",
        outcome=known.outcome,
        ranked_by=emerging.outcome,
        places=(known.capacity, emerging.capacity),
        pupils=(len(known.scores), len(emerging.scores)),
    )
    last = replace(emerging, part=replace(part, name="emerging"))
    return replace(known, part=part), (last, previous)
