"""Context: circumstances now, lately and ever, neighbourhood and attainment.

A window of days is half-open: its first day counts, the day of the list does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riskmodel.data.arrays import DAYS_PER_MONTH, days_of
from riskmodel.data.ratio import ratio
from riskmodel.data.year_groups import FIRST_SECONDARY
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf

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
    """Return whether, since when, how long and how often each circumstance has held.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    end = days_of(known.tables["circumstances"]["end_date"])
    for kind in (*LONG, *NOW):
        columns |= _history(known, kind, end)
    return columns | {
        "fsm_ever_6": _fsm_ever_6(known),
        "social_care_ended_lately": _social_care_ended(known),
        "adverse_circumstances": np.sum([columns[f"{kind}_now"] for kind in ADVERSE], axis=0),
        "adverse_circumstances_ever": np.sum(
            [columns[f"{kind}_ever"] for kind in ADVERSE_LONG], axis=0
        ),
        "days_since_circumstance": known.events("circumstances", "start_date").days_since(),
    }


def _is_kind(known: FactsAsOf, kind: str) -> NDArray[np.bool_]:
    return (known.tables["circumstances"]["kind"] == kind).to_numpy()


def _history(known: FactsAsOf, kind: str, end: NDArray[np.int64]) -> Columns:
    keep = _is_kind(known, kind)
    started = known.events("circumstances", "start_date", keep)
    now = {f"{kind}_now": started.state(end[keep])}
    if kind in NOW:
        return now
    return now | {
        f"{kind}_ever": started.any(),
        f"{kind}_lately": started.any(365),
        f"{kind}_months": known.days_in_spell("circumstances", keep) / DAYS_PER_MONTH,
        f"{kind}_spells": started.count(),
    }


def _fsm_ever_6(known: FactsAsOf) -> NDArray[np.float64]:
    end = days_of(known.tables["circumstances"]["end_date"])
    lately = _is_kind(known, "fsm") & (end >= known.day - EVER_6)
    return known.events("circumstances", "start_date", lately).any()


def _social_care_ended(known: FactsAsOf) -> NDArray[np.float64]:
    """Return whether social care ended in the last 365 days, and none goes on."""
    facts = known.tables["circumstances"]
    end, care = days_of(facts["end_date"]), facts["kind"].isin(SOCIAL_CARE).to_numpy()
    ended = known.events("circumstances", "end_date", care & (end < known.day))
    return ended.any(365) * (1 - known.in_spell("circumstances", care))


@builder(needs=["neighbourhood"])
def neighbourhood(known: FactsAsOf) -> Columns:
    """Return the deprivation where the pupil lives, and changes of address.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.

    Examples
    --------
    >>> import pandas as pd
    >>> addresses = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A", "A"]),
    ...         "start_date": pd.to_datetime(["2020-01-01", "2024-06-01"]),
    ...         "idaci_decile": [3.0, 1.0],
    ...         "imd_decile": [4.0, np.nan],
    ...     }
    ... )
    >>> day, spine = pd.Timestamp("2025-03-01"), addresses[["pupil_id"]].head(1)
    >>> made = neighbourhood(FactsAsOf({"neighbourhood": addresses}, day, spine, register=None))
    >>> {name: values.tolist() for name, values in made.items() if name.startswith("i")}
    {'idaci_decile': [1.0], 'imd_decile': [4.0], 'idaci_change': [-2.0]}
    """
    facts = known.tables["neighbourhood"]
    every = known.events("neighbourhood", "start_date")
    steps, change = every.steps(facts["idaci_decile"].to_numpy())
    return {
        "idaci_decile": _latest_decile(known, "idaci_decile"),
        "imd_decile": _latest_decile(known, "imd_decile"),
        "idaci_change": steps.last(change),
        "addresses_so_far": every.count(),
        "days_since_address": every.days_since(),
    }


def _latest_decile(known: FactsAsOf, name: str) -> NDArray[np.float64]:
    decile = known.tables["neighbourhood"][name]
    has = decile.notna().to_numpy()
    return known.events("neighbourhood", "start_date", has).last(decile.to_numpy()[has])


@builder(needs=["attainment"])
def attainment(known: FactsAsOf) -> Columns:
    """Return the mean score of each stage over subjects, single subjects, and change.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.

    Examples
    --------
    >>> import pandas as pd
    >>> results = pd.DataFrame(
    ...     {
    ...         "pupil_id": pd.Categorical(["A", "A"]),
    ...         "stage": "KS2",
    ...         "subject": ["reading", "mathematics"],
    ...         "score": [-1.0, 0.5],
    ...         "result_date": pd.to_datetime("2024-07-01"),
    ...     }
    ... )
    >>> day = pd.Timestamp("2025-03-01")
    >>> spine = results[["pupil_id"]].head(1).assign(year_group=7)
    >>> made = attainment(FactsAsOf({"attainment": results}, day, spine, register=None))
    >>> made["ks2_score"].tolist(), made["ks2_reading_behind"].tolist()
    ([-0.25], [1.5])
    """
    stages = {stage: _mean_score(known, stage) for stage in ("EYFS", "KS1", "KS2", "KS4")}
    reading = _mean_score(known, "KS2", "reading")
    mathematics = _mean_score(known, "KS2", "mathematics")
    in_secondary = known.year_group >= FIRST_SECONDARY
    return {
        **{f"{stage.lower()}_score": value for stage, value in stages.items()},
        "ks2_reading": reading,
        "ks2_mathematics": mathematics,
        "ks2_reading_behind": mathematics - reading,
        "attainment_change": stages["KS2"] - stages["KS1"],
        "results_missing": np.where(in_secondary, np.isnan(stages["KS2"]), np.nan),
    }


def _mean_score(known: FactsAsOf, stage: str, subject: str | None = None) -> NDArray[np.float64]:
    """Return the mean score of a stage, of one subject if it is given; nan without a result."""
    facts = known.tables["attainment"]
    keep = (facts["stage"] == stage).to_numpy()
    if subject is not None:
        keep = keep & (facts["subject"] == subject).to_numpy()
    results = known.events("attainment", "result_date", keep)
    return ratio(results.sum(facts["score"].to_numpy()[keep]), results.count())
