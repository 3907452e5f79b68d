"""Context: circumstances now and ever, neighbourhood, attainment, moves between schools."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.calendar import academic_year
from riskmodel.features.catalogue import Feature, builder
from riskmodel.features.known import Known, days_of

__all__ = ["attainment", "circumstances", "moves", "neighbourhood"]

NOW_AND_EVER = {"fsm": "Free school meals", "child_in_need": "Child in need",
                "child_protection": "Child protection plan", "looked_after": "Looked after",
                "early_help": "Early help", "young_carer": "Young carer",
                "youth_justice": "Supervised by youth justice",
                "alternative_provision": "Alternative provision"}  # fmt: skip
NOW = {"part_time_timetable": ("Part-time timetable", 1),
       "pregnant_or_parent": ("Pregnant or a parent", 1),
       "parent_unemployed": ("A parent is unemployed", 1),
       "parent_professional": ("A parent works as a professional or manager", -1),
       "lives_with_both_parents": ("Lives with both parents", -1),
       "grammar_school": ("Went to a grammar school", -1)}  # fmt: skip
ADVERSE = ("fsm", "child_in_need", "child_protection", "looked_after", "young_carer",
           "youth_justice", "parent_unemployed")  # fmt: skip


@builder(
    [
        *[Feature(f"{kind}_now", f"{words} now", "yes/no", "context", "circumstances", 1)
          for kind, words in NOW_AND_EVER.items()],
        *[Feature(f"{kind}_ever", f"{words} now or before", "yes/no", "context", "circumstances",
                  1, False) for kind, words in NOW_AND_EVER.items()],
        *[Feature(f"{kind}_now", words, "yes/no", "context", "circumstances", direction)
          for kind, (words, direction) in NOW.items()],
        Feature("adverse_circumstances", "Adverse circumstances now", "count", "context",
                "circumstances", 1),
    ],
    needs=["circumstances"],
)  # fmt: skip
def circumstances(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Spells of circumstances open on the day, and ever begun.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["circumstances"]
    end = days_of(facts["end_date"])
    columns = {}
    for kind in (*NOW_AND_EVER, *NOW):
        keep = (facts["kind"] == kind).to_numpy()
        events = known.events("circumstances", "start_date", keep)
        columns[f"{kind}_now"] = events.state(end[keep])
        if kind in NOW_AND_EVER:
            columns[f"{kind}_ever"] = (events.count() > 0).astype(float)
    columns["adverse_circumstances"] = np.sum([columns[f"{kind}_now"] for kind in ADVERSE], axis=0)
    return columns


@builder(
    [Feature("idaci_decile", "Deprivation of the neighbourhood (IDACI decile, 1 most deprived)",
             "decile", "context", "neighbourhood", -1, False)],
    needs=["neighbourhood"],
)  # fmt: skip
def neighbourhood(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Deprivation where the pupil lives.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    decile = known.tables["neighbourhood"]["idaci_decile"]
    has = decile.notna().to_numpy()
    return {
        "idaci_decile": known.events("neighbourhood", "start_date", has).last(
            decile.to_numpy()[has]
        )
    }


@builder(
    [
        Feature("ks2_score", "Key stage 2 attainment", "standard deviations", "context",
                "attainment", -1),
        Feature("ks4_score", "Key stage 4 attainment", "standard deviations", "context",
                "attainment", -1),
    ],
    needs=["attainment"],
)  # fmt: skip
def attainment(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Mean score over subjects.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["attainment"]
    columns = {}
    for stage in ("KS2", "KS4"):
        keep = (facts["stage"] == stage).to_numpy()
        events = known.events("attainment", "result_date", keep)
        n = events.count()
        total = events.sum(facts["score"].to_numpy()[keep])
        columns[f"{stage.lower()}_score"] = np.divide(
            total, n, out=np.full(len(n), np.nan), where=n > 0
        )
    return columns


@builder(
    [
        Feature("year_group", "Year group", "school years", "context", "enrolments", 0, False),
        Feature("schools_so_far", "Schools attended so far", "count", "moves", "enrolments", 1, False),
        Feature("moves_12_months", "Changes of school in the last 12 months", "count", "moves",
                "enrolments", 0),
        Feature("mid_year_moves", "Changes of school in mid-year so far", "count", "moves",
                "enrolments", 1, False),
        Feature("managed_moves", "Managed moves so far", "count", "moves", "enrolments", 1, False),
        Feature("months_at_school", "Months at the present school", "months", "moves", "enrolments",
                0, False),
        Feature("dual_roll_now", "On the roll of two schools now", "yes/no", "moves", "enrolments", 1),
        Feature("weeks_since_year_7", "Weeks since the move to Year 7", "weeks", "moves",
                "enrolments", 0, False),
    ],
    needs=["enrolments"],
)  # fmt: skip
def moves(known: Known) -> Mapping[str, NDArray[np.float64]]:
    """Schools, moves and transitions.

    Parameters
    ----------
    known : Known
        What was known on the day.

    Returns
    -------
    mapping of str to float array
        Feature → one value per row of the spine.
    """
    facts = known.tables["enrolments"]
    end = days_of(facts["leaving_date"])
    is_main = (facts["status"] == "main").to_numpy()
    main = known.events("enrolments", "entry_date", is_main)
    # where every entry lies in the window, the earliest is no change of school
    is_first_lately = (main.count() > 0) & (main.count() == main.count(365))
    month = facts["entry_date"].dt.month.to_numpy()
    mid_year = is_main & ~np.isin(month, [8, 9])
    managed = (facts["leaving_reason"] == "managed_move").to_numpy()
    dual = ~is_main
    current = is_main & (end >= known.day)
    since = known.events("enrolments", "entry_date", current).days_since()
    n_schools = facts[is_main].groupby("pupil_id", observed=False)["school_id"].nunique()
    year_group = known.spine["year_group"].to_numpy().astype(float)
    this_year = int(academic_year(pd.Series([known.as_of])).iloc[0])
    september = np.datetime64(f"{this_year}-09-01", "D").astype(np.int64)
    weeks = (known.day - september) / 7 + 52.18 * (year_group - 7)
    return {
        "year_group": year_group,
        "schools_so_far": n_schools.to_numpy(dtype=float)[known.rows],
        "moves_12_months": main.count(365) - is_first_lately,
        "mid_year_moves": known.events("enrolments", "entry_date", mid_year).count(),
        "managed_moves": known.events("enrolments", "entry_date", managed).count(),
        "months_at_school": since / 30.4375,
        "dual_roll_now": known.events("enrolments", "entry_date", dual).state(end[dual]),
        "weeks_since_year_7": np.where(year_group >= 7, weeks, np.nan),
    }
