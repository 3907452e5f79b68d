"""The school as it was known on the day: numbers of the other pupils, without the pupil."""

from __future__ import annotations

import numpy as np

from riskmodel.data.ratio import ratio
from riskmodel.data.tables import schools_by_id
from riskmodel.features.catalogue import Columns, builder
from riskmodel.features.facts_as_of import FactsAsOf
from riskmodel.features.known_half_days import registers_of_most

__all__ = ["school_absence", "school_exclusions", "school_needs", "school_poverty", "school_roll"]


@builder(needs=["suspensions", "enrolments"])
def school_exclusions(known: FactsAsOf) -> Columns:
    """Return how often the school suspends and excludes other pupils.

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
    >>> from types import SimpleNamespace
    >>> names = ("pupils", "suspended", "suspensions_12", "suspensions_3", "exclusions")
    >>> sums = {name: np.array([float(5 - n)]) for n, name in enumerate(names)}
    >>> made = school_exclusions(SimpleNamespace(peer_sums=lambda kind: sums))
    >>> made["school_suspension_rate"].tolist(), made["school_suspended_share"].tolist()
    ([60.0], [0.8])
    """
    school, year = known.peer_sums("school"), known.peer_sums("year_group")
    return {
        "school_suspension_rate": 100 * ratio(school["suspensions_12"], school["pupils"]),
        "school_suspension_rate_3_months": 100 * ratio(school["suspensions_3"], school["pupils"]),
        "school_exclusion_rate": 100 * ratio(school["exclusions"], school["pupils"]),
        "school_suspended_share": ratio(school["suspended"], school["pupils"]),
        "year_group_suspended_share": ratio(year["suspended"], year["pupils"]),
    }


@builder(needs=["sessions", "enrolments"])
def school_absence(known: FactsAsOf) -> Columns:
    """Return the absence of the other pupils of the school, in the spine or not.

    It is missing where the registers of more than half of them are not known.

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
    >>> from types import SimpleNamespace
    >>> names = ("possible", "absent", "unauthorised", "registered", "pupils", "persistent")
    >>> lately = {"absent_lately": np.array([1.0]), "possible_lately": np.array([4.0])}
    >>> sums = lately | {name: np.array([float(5 - n)]) for n, name in enumerate(names)}
    >>> made = school_absence(SimpleNamespace(peer_sums=lambda kind: sums))
    >>> made["school_absence_rate"].tolist(), made["school_absence_rate_20_days"].tolist()
    ([0.8], [0.25])
    """
    school = known.peer_sums("school")
    of_most = registers_of_most(school)
    whole = {
        name: np.where(of_most, school[name], 0.0)
        for name in ("possible", "possible_lately", "registered")
    }
    return {
        "school_absence_rate": ratio(school["absent"], whole["possible"]),
        "school_absence_rate_20_days": ratio(school["absent_lately"], whole["possible_lately"]),
        "school_unauthorised_rate": ratio(school["unauthorised"], whole["possible"]),
        "school_persistent_share": ratio(school["persistent"], whole["registered"]),
    }


@builder(needs=["send", "enrolments"])
def school_needs(known: FactsAsOf) -> Columns:
    """Return how many other pupils of the school have SEN provision.

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
    >>> from types import SimpleNamespace
    >>> sums = {name: np.array([n]) for name, n in (("pupils", 4), ("sen_support", 1), ("ehc_plan", 2))}
    >>> made = school_needs(SimpleNamespace(peer_sums=lambda kind: sums))
    >>> made["school_sen_support_share"].tolist(), made["school_ehc_plan_share"].tolist()
    ([0.25], [0.5])
    """
    school = known.peer_sums("school")
    return {
        "school_sen_support_share": ratio(school["sen_support"], school["pupils"]),
        "school_ehc_plan_share": ratio(school["ehc_plan"], school["pupils"]),
    }


@builder(needs=["circumstances", "enrolments"])
def school_poverty(known: FactsAsOf) -> Columns:
    """Return how many other pupils of the school have free school meals.

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
    >>> from types import SimpleNamespace
    >>> sums = {"pupils": np.array([4, 0]), "fsm": np.array([1, 0])}
    >>> school_poverty(SimpleNamespace(peer_sums=lambda kind: sums))["school_fsm_share"].tolist()
    [0.25, nan]
    """
    school = known.peer_sums("school")
    return {"school_fsm_share": ratio(school["fsm"], school["pupils"])}


@builder(needs=["enrolments", "schools"])
def school_roll(known: FactsAsOf) -> Columns:
    """Return the size and kind of the school.

    Parameters
    ----------
    known : FactsAsOf
        What was known on the day.

    Returns
    -------
    mapping of str to float array of shape (n_rows,)
        Feature → one value per row of the spine.
    """
    schools = schools_by_id(known.tables)
    kind = known.spine["school_id"].map(schools["kind"].astype("object"))
    unknown = kind.isna().to_numpy()
    return {
        "school_roll": known.peer_sums("school")["pupils"],
        "in_alternative_provision": np.where(unknown, np.nan, (kind == "AP").to_numpy()),
        "in_special_school": np.where(unknown, np.nan, (kind == "special").to_numpy()),
    }
