"""The school as it was known on the day: numbers of the other pupils, the pupil left out."""

from __future__ import annotations

import numpy as np

from riskmodel.features.catalogue import Columns, Feature, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["school_absence", "school_exclusions", "school_needs", "school_poverty", "school_roll"]


@builder(
    [
        Feature("school_suspension_rate", "Suspensions per 100 other pupils of the school, 12 months",
                "per 100 pupils", "school", "suspensions", 1, False, "the last 12 months"),
        Feature("school_suspension_rate_3_months",
                "Suspensions per 100 other pupils of the school, 3 months", "per 100 pupils",
                "school", "suspensions", 1, False, "the last 3 months"),
        Feature("school_exclusion_rate",
                "Permanent exclusions per 100 other pupils of the school, all known years",
                "per 100 pupils", "school", "suspensions", 1, False),
        Feature("school_suspended_share", "Share of the school's other pupils suspended, 12 months",
                "share", "school", "suspensions", 1, False, "the last 12 months"),
        Feature("year_group_suspended_share",
                "Share of the year group's other pupils suspended, 12 months", "share", "school",
                "suspensions", 1, False, "the last 12 months"),
    ],
    needs=["suspensions", "enrolments"],
)  # fmt: skip
def school_exclusions(known: FactsAsOf) -> Columns:
    """How often the school suspends and excludes others.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    rest = known.others("school")
    year = known.others("year_group")
    return {
        "school_suspension_rate": 100 * share(rest["suspensions_12"], rest["pupils"]),
        "school_suspension_rate_3_months": 100 * share(rest["suspensions_3"], rest["pupils"]),
        "school_exclusion_rate": 100 * share(rest["exclusions"], rest["pupils"]),
        "school_suspended_share": share(rest["suspended"], rest["pupils"]),
        "year_group_suspended_share": share(year["suspended"], year["pupils"]),
    }


@builder(
    [
        Feature("school_absence_rate", "Absence of the school's other pupils, 12 months", "share",
                "school", "sessions", 0, False, "the last 12 months"),
        Feature("school_absence_rate_20_days",
                "Absence of the school's other pupils, last 4 school weeks", "share", "school",
                "sessions", 0, False, "the last 4 school weeks"),
        Feature("school_unauthorised_rate",
                "Unauthorised absence of the school's other pupils, 12 months", "share", "school",
                "sessions", 0, False, "the last 12 months"),
        Feature("school_persistent_share",
                "Share of the school's other pupils persistently absent, 12 months", "share",
                "school", "sessions", 0, False, "the last 12 months"),
    ],
    needs=["sessions", "enrolments"],
)  # fmt: skip
def school_absence(known: FactsAsOf) -> Columns:
    """Absence of the other pupils on the roll of the school, in the spine or not.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    rest = known.others("school")
    return {
        "school_absence_rate": share(rest["absent"], rest["possible"]),
        "school_absence_rate_20_days": share(rest["absent_lately"], rest["possible_lately"]),
        "school_unauthorised_rate": share(rest["unauthorised"], rest["possible"]),
        "school_persistent_share": share(rest["persistent"], rest["registered"]),
    }


@builder(
    [
        Feature("school_sen_support_share", "Share of the school's other pupils with SEN support",
                "share", "school", "send", 0, False),
        Feature("school_ehc_plan_share", "Share of the school's other pupils with an EHC plan",
                "share", "school", "send", 0, False),
    ],
    needs=["send", "enrolments"],
)  # fmt: skip
def school_needs(known: FactsAsOf) -> Columns:
    """Needs of the other pupils on the roll.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    rest = known.others("school")
    return {
        "school_sen_support_share": share(rest["sen_support"], rest["pupils"]),
        "school_ehc_plan_share": share(rest["ehc_plan"], rest["pupils"]),
    }


@builder(
    [Feature("school_fsm_share", "Share of the school's other pupils with free school meals", "share",
             "school", "circumstances", 0, False)],
    needs=["circumstances", "enrolments"],
)  # fmt: skip
def school_poverty(known: FactsAsOf) -> Columns:
    """Free school meals of the other pupils on the roll.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    rest = known.others("school")
    return {"school_fsm_share": share(rest["fsm"], rest["pupils"])}


@builder(
    [
        Feature("school_roll", "Other pupils on the school's roll", "count", "school", "enrolments",
                0, False),
        Feature("in_alternative_provision", "On the roll of alternative provision", "yes/no",
                "moves", "schools", 1),
        Feature("in_special_school", "On the roll of a special school", "yes/no", "needs", "schools",
                0, False),
    ],
    needs=["enrolments", "schools"],
)  # fmt: skip
def school_roll(known: FactsAsOf) -> Columns:
    """Size and kind of the school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    schools = known.tables["schools"].drop_duplicates("school_id").set_index("school_id")
    kind = known.spine["school_id"].map(schools["kind"].astype("object"))
    unknown = kind.isna().to_numpy()
    return {
        "school_roll": known.others("school")["pupils"],
        "in_alternative_provision": np.where(unknown, np.nan, (kind == "AP").to_numpy()),
        "in_special_school": np.where(unknown, np.nan, (kind == "special").to_numpy()),
    }
