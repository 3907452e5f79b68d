"""Context: circumstances now, lately and ever, neighbourhood and attainment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, days_of
from riskmodel.features.catalogue import Columns, Feature, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["attainment", "circumstances", "neighbourhood"]

FULLY = {"fsm": "Free school meals", "child_in_need": "Child in need",
         "child_protection": "Child protection plan", "looked_after": "Looked after",
         "early_help": "Early help", "young_carer": "Young carer",
         "youth_justice": "Supervised by youth justice",
         "alternative_provision": "Alternative provision",
         "home_educated": "Electively home educated"}  # fmt: skip
"""Kinds told now, ever, lately begun, for how long and how often."""

NOW = {"part_time_timetable": ("Part-time timetable", 1),
       "managed_move": ("On a managed move", 1),
       "pregnant_or_parent": ("Pregnant or a parent", 1),
       "learner_support": ("Bursary or other learner support after 16", 0),
       "vulnerable": ("On the LA's list of vulnerable pupils", 1),
       "no_september_offer": ("No offer under the September Guarantee", 1),
       "parent_unemployed": ("A parent is unemployed", 1),
       "parent_professional": ("A parent works as a professional or manager", -1),
       "lives_with_both_parents": ("Lives with both parents", -1),
       "grammar_school": ("Went to a grammar school", -1)}  # fmt: skip

ADVERSE = ("fsm", "child_in_need", "child_protection", "looked_after", "young_carer",
           "youth_justice", "parent_unemployed")  # fmt: skip

SOCIAL_CARE = ("child_in_need", "child_protection", "looked_after")

EVER_6 = 6 * 365
"""Days of the pupil premium's look back on free school meals (DfE, "Ever 6")."""


@builder(
    [
        *[Feature(f"{kind}_now", f"{words} now", "yes/no", "context", "circumstances", 1)
          for kind, words in FULLY.items()],
        *[Feature(f"{kind}_ever", f"{words} now or before", "yes/no", "context", "circumstances",
                  1, False) for kind, words in FULLY.items()],
        *[Feature(f"{kind}_lately", f"{words}, begun in the last 12 months", "yes/no", "context",
                  "circumstances", 0, window="the last 12 months") for kind, words in FULLY.items()],
        *[Feature(f"{kind}_months", f"{words}, months so far", "months", "context",
                  "circumstances", 0, False) for kind, words in FULLY.items()],
        *[Feature(f"{kind}_spells", f"{words}, number of times", "count", "context",
                  "circumstances", 0, False) for kind, words in FULLY.items()],
        *[Feature(f"{kind}_now", words, "yes/no",
                  "attendance" if kind == "part_time_timetable" else "context", "circumstances", direction)
          for kind, (words, direction) in NOW.items()],
        Feature("fsm_ever_6", "Free school meals in the last 6 years", "yes/no", "context",
                "circumstances", 1, False, "the last 6 years"),
        Feature("social_care_ended_lately", "Social care ended in the last 12 months, none now",
                "yes/no", "context", "circumstances", 0, window="the last 12 months"),
        Feature("adverse_circumstances", "Adverse circumstances now", "count", "context",
                "circumstances", 1),
        Feature("adverse_circumstances_ever", "Adverse circumstances now or before", "count",
                "context", "circumstances", 1, False),
        Feature("days_since_circumstance", "Days since the last circumstance began", "days", "context",
                "circumstances", 0, False),
    ],
    needs=["circumstances"],
)  # fmt: skip
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
    for kind in (*FULLY, *NOW):
        keep = (facts["kind"] == kind).to_numpy()
        events = known.events("circumstances", "start_date", keep)
        columns[f"{kind}_now"] = events.state(end[keep])
        if kind in FULLY:
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
    adverse = [kind for kind in ADVERSE if kind in FULLY]
    columns["fsm_ever_6"] = (had.count() > 0).astype(float)
    columns["social_care_ended_lately"] = ((ended.count(365) > 0) & ~in_care).astype(float)
    columns["adverse_circumstances"] = np.sum([columns[f"{kind}_now"] for kind in ADVERSE], axis=0)
    columns["adverse_circumstances_ever"] = np.sum(
        [columns[f"{kind}_ever"] for kind in adverse], axis=0
    )
    columns["days_since_circumstance"] = known.events("circumstances", "start_date").days_since()
    return columns


@builder(
    [
        Feature("idaci_decile", "Deprivation of the neighbourhood (IDACI decile, 1 most deprived)",
                "decile", "context", "neighbourhood", -1, False),
        Feature("imd_decile", "Deprivation of the neighbourhood (IMD decile, 1 most deprived)",
                "decile", "context", "neighbourhood", -1, False),
        Feature("idaci_change", "Change of IDACI decile since the address before", "deciles", "context",
                "neighbourhood", 0, False),
        Feature("addresses_so_far", "Neighbourhoods lived in so far", "count", "moves",
                "neighbourhood", 0, False),
        Feature("days_since_address", "Days since the last change of neighbourhood", "days", "moves",
                "neighbourhood", 0, False),
    ],
    needs=["neighbourhood"],
)  # fmt: skip
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


@builder(
    [
        *[Feature(f"{stage}_score", f"{words} attainment", "standard deviations", "context",
                  "attainment", -1) for stage, words in (
            ("eyfs", "Early years"), ("ks1", "Key stage 1"), ("ks2", "Key stage 2"),
            ("ks4", "Key stage 4"))],
        Feature("ks2_reading", "Key stage 2 reading", "standard deviations", "context", "attainment", -1),
        Feature("ks2_mathematics", "Key stage 2 mathematics", "standard deviations", "context",
                "attainment", -1),
        Feature("ks2_reading_behind", "Key stage 2 mathematics less reading", "standard deviations",
                "context", "attainment", 0, False),
        Feature("attainment_change", "Attainment in key stage 2 less that of key stage 1",
                "standard deviations", "context", "attainment", -1, False),
        Feature("results_missing", "No result of key stage 2 in Year 7 or later", "yes/no", "context",
                "attainment", 0, False),
    ],
    needs=["attainment"],
)  # fmt: skip
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
    in_secondary = known.spine["year_group"].to_numpy() >= 7
    return {
        **{f"{stage.lower()}_score": value for stage, value in stages.items()},
        "ks2_reading": reading,
        "ks2_mathematics": mathematics,
        "ks2_reading_behind": mathematics - reading,
        "attainment_change": stages["KS2"] - stages["KS1"],
        "results_missing": np.where(in_secondary, np.isnan(stages["KS2"]), np.nan),
    }
