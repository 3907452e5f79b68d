"""Suspensions, their reasons, pupils suspended and permanent exclusions by school.

In:  facts of a day.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure and reason.

They count for the school that issued them, per 100 pupils on its main roll on the census day of the
period. Lunchtime exclusions (``LNCH``) are not counted.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.data.codes import codes
from riskmodel.inclusion.counts import NOBODY, Counts, Ints, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["exclusions", "reasons"]


def exclusions(facts: Facts) -> dict[str, Counts]:
    """Count suspensions and permanent exclusions.

    Parameters
    ----------
    facts : Facts
        With ``suspensions``, or nothing is known.

    Returns
    -------
    dict of str to Counts
        ``suspensions``, ``suspended`` (pupils), ``exclusions``.

    Examples
    --------
    Without the table, suspensions are unknown, not 0.

    >>> from riskmodel.data import Tables
    >>> from riskmodel.data.tables import empty_table
    >>> from riskmodel.inclusion.facts import make_facts
    >>> schools = pd.DataFrame({"school_id": ["S"], "name": "", "phase": "", "kind": ""})
    >>> tables = Tables({"schools": schools, "pupils": empty_table("pupils")})
    >>> counts = exclusions(make_facts(tables, pd.Timestamp("2024-12-01")))["suspensions"]
    >>> float(counts.numerator[0, 0]), counts.why[0, 0]
    (nan, 'The extracts hold no table of suspensions.')
    """
    why, table = _reach(facts)
    counts = {}
    for name, category in (("suspensions", "SUSP"), ("exclusions", "PERM")):
        rows = table[(table["category"] == category).to_numpy()]
        school, pupil, day = _where(facts, rows)
        people = facts.people(school, pupil, day)
        counts[name] = settle(facts.events(school, day), facts.on_roll, why, NOBODY, people=people)
        if name == "suspensions":
            counts["suspended"] = settle(people, facts.on_roll, why, NOBODY)
    return counts


def reasons(facts: Facts) -> dict[str, Counts]:
    """Count the reasons given for suspensions, up to three for each.

    Parameters
    ----------
    facts : Facts
        With ``suspensions``, or nothing is known.

    Returns
    -------
    dict of str to Counts
        Reason → times given, of all reasons given.
    """
    why, table = _reach(facts)
    table = table[(table["category"] == "SUSP").to_numpy()]
    given = table.melt(
        id_vars=["pupil_id", "school_id", "start_date"],
        value_vars=["reason_1", "reason_2", "reason_3"],
        value_name="reason",
    ).dropna(subset="reason")
    given = given.drop_duplicates(["pupil_id", "school_id", "start_date", "reason"])
    school, _, day = _where(facts, given)
    whole = facts.events(school, day)
    counts = {}
    for code in codes("reasons"):
        rows = given[(given["reason"] == code).to_numpy()]
        school, pupil, day = _where(facts, rows)
        people = facts.people(school, pupil, day)
        counts[code] = settle(
            facts.events(school, day), whole, why, "No reason is recorded.", people=people
        )
    return counts


def _reach(facts: Facts) -> tuple[NDArray[np.object_], pd.DataFrame]:
    table = facts.table("suspensions")
    return facts.reached("suspensions", days_of(table["start_date"]), "suspensions"), table


def _where(facts: Facts, rows: pd.DataFrame) -> tuple[Ints, Ints, Ints]:
    return facts.number_of(rows["school_id"]), pupils_of(rows), days_of(rows["start_date"])
