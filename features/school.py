"""The school as it was known on the day: numbers of the other pupils, the pupil left out."""

from __future__ import annotations

import numpy as np

from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.windows import share

__all__ = ["school_absence", "school_exclusions", "school_needs", "school_poverty", "school_roll"]


@builder(needs=["suspensions", "enrolments"])
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
    rest = known.peer_sums("school")
    year = known.peer_sums("year_group")
    return {
        "school_suspension_rate": 100 * share(rest["suspensions_12"], rest["pupils"]),
        "school_suspension_rate_3_months": 100 * share(rest["suspensions_3"], rest["pupils"]),
        "school_exclusion_rate": 100 * share(rest["exclusions"], rest["pupils"]),
        "school_suspended_share": share(rest["suspended"], rest["pupils"]),
        "year_group_suspended_share": share(year["suspended"], year["pupils"]),
    }


@builder(needs=["sessions", "enrolments"])
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
    rest = known.peer_sums("school")
    return {
        "school_absence_rate": share(rest["absent"], rest["possible"]),
        "school_absence_rate_20_days": share(rest["absent_lately"], rest["possible_lately"]),
        "school_unauthorised_rate": share(rest["unauthorised"], rest["possible"]),
        "school_persistent_share": share(rest["persistent"], rest["registered"]),
    }


@builder(needs=["send", "enrolments"])
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
    rest = known.peer_sums("school")
    return {
        "school_sen_support_share": share(rest["sen_support"], rest["pupils"]),
        "school_ehc_plan_share": share(rest["ehc_plan"], rest["pupils"]),
    }


@builder(needs=["circumstances", "enrolments"])
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
    rest = known.peer_sums("school")
    return {"school_fsm_share": share(rest["fsm"], rest["pupils"])}


@builder(needs=["enrolments", "schools"])
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
        "school_roll": known.peer_sums("school")["pupils"],
        "in_alternative_provision": np.where(unknown, np.nan, (kind == "AP").to_numpy()),
        "in_special_school": np.where(unknown, np.nan, (kind == "special").to_numpy()),
    }
