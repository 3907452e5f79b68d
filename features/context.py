"""Context: circumstances now, lately and ever, neighbourhood and attainment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, days_of
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["attainment", "circumstances", "neighbourhood"]

LONG = (
    "fsm",
    "child_in_need",
    "child_protection",
    "looked_after",
    "early_help",
    "young_carer",
    "youth_justice",
    "alternative_provision",
    "home_educated",
)
"""Kinds with features for now, ever, lately begun, months and number of spells."""

NOW = (
    "part_time_timetable",
    "managed_move",
    "pregnant_or_parent",
    "learner_support",
    "vulnerable",
    "no_september_offer",
    "parent_unemployed",
    "parent_professional",
    "lives_with_both_parents",
    "grammar_school",
)
"""Kinds with a feature for now only."""

ADVERSE_LONG = (
    "fsm",
    "child_in_need",
    "child_protection",
    "looked_after",
    "young_carer",
    "youth_justice",
)

ADVERSE = (*ADVERSE_LONG, "parent_unemployed")

SOCIAL_CARE = ("child_in_need", "child_protection", "looked_after")

EVER_6 = 6 * 365
"""Days of the pupil premium's look back on free school meals (DfE, "Ever 6")."""


@builder(needs=["circumstances"])
def circumstances(known: FactsAsOf) -> Columns:
    """Spells of circumstances: open on the day, begun, how long, how often.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["circumstances"]
    end = days_of(facts["end_date"])
    columns = {}
    for kind in (*LONG, *NOW):
        keep = (facts["kind"] == kind).to_numpy()
        events = known.events("circumstances", "start_date", keep)
        columns[f"{kind}_now"] = events.state(end[keep])
        if kind in LONG:
            times = events.count()
            columns[f"{kind}_ever"] = (times > 0).astype(float)
            columns[f"{kind}_lately"] = (events.count(365) > 0).astype(float)
            columns[f"{kind}_months"] = known.days_in_spell("circumstances", keep) / DAYS_PER_MONTH
            columns[f"{kind}_spells"] = times
    is_fsm = (facts["kind"] == "fsm").to_numpy()
    had = known.events("circumstances", "start_date", is_fsm & (end >= known.day - EVER_6))
    care = facts["kind"].isin(SOCIAL_CARE).to_numpy()
    ended = known.events("circumstances", "end_date", care & (end < known.day))
    in_care = np.any([columns[f"{kind}_now"] > 0 for kind in SOCIAL_CARE], axis=0)
    columns["fsm_ever_6"] = (had.count() > 0).astype(float)
    columns["social_care_ended_lately"] = ((ended.count(365) > 0) & ~in_care).astype(float)
    columns["adverse_circumstances"] = np.sum([columns[f"{kind}_now"] for kind in ADVERSE], axis=0)
    columns["adverse_circumstances_ever"] = np.sum(
        [columns[f"{kind}_ever"] for kind in ADVERSE_LONG], axis=0
    )
    columns["days_since_circumstance"] = known.events("circumstances", "start_date").days_since()
    return columns


@builder(needs=["neighbourhood"])
def neighbourhood(known: FactsAsOf) -> Columns:
    """Deprivation where the pupil lives, and changes of address.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["neighbourhood"]
    every = known.events("neighbourhood", "start_date")
    latest = {}
    for name in ("idaci_decile", "imd_decile"):
        has = facts[name].notna().to_numpy()
        latest[name] = known.events("neighbourhood", "start_date", has).last(
            facts[name].to_numpy()[has]
        )
    decile = facts["idaci_decile"].to_numpy()
    steps, change = every.steps(decile)
    return {
        **latest,
        "idaci_change": steps.last(change),
        "addresses_so_far": every.count(),
        "days_since_address": every.days_since(),
    }


@builder(needs=["attainment"])
def attainment(known: FactsAsOf) -> Columns:
    """Mean score over subjects, single subjects, and change.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    facts = known.tables["attainment"]
    score = facts["score"].to_numpy()

    def mean(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        events = known.events("attainment", "result_date", keep)
        return share(events.sum(score[keep]), events.count())

    def of(stage: str, subject: str | None = None) -> NDArray[np.float64]:
        keep = (facts["stage"] == stage).to_numpy()
        return mean(keep if subject is None else keep & (facts["subject"] == subject).to_numpy())

    stages = {stage: of(stage) for stage in ("EYFS", "KS1", "KS2", "KS4")}
    reading, mathematics = of("KS2", "reading"), of("KS2", "mathematics")
    in_secondary = known.year_group >= FIRST_SECONDARY
    return {
        **{f"{stage.lower()}_score": value for stage, value in stages.items()},
        "ks2_reading": reading,
        "ks2_mathematics": mathematics,
        "ks2_reading_behind": mathematics - reading,
        "attainment_change": stages["KS2"] - stages["KS1"],
        "results_missing": np.where(in_secondary, np.isnan(stages["KS2"]), np.nan),
    }
