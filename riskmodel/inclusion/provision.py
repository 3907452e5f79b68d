"""Part-time timetables and alternative provision by school.

In:  spells reported to the LA, rolls of alternative provision, register marks.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.inclusion.attendance import PART_TIME, Marks, in_use
from riskmodel.inclusion.counts import NOBODY, Counts, Ints, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["provision"]


def provision(facts: Facts, marks: Marks) -> dict[str, Counts]:
    """Count pupils on a part-time timetable, and in alternative provision, at any time in a period.

    Parameters
    ----------
    facts : Facts
        Schools and periods.
    marks : Marks
        From :func:`~riskmodel.inclusion.attendance.count_marks`.

    Returns
    -------
    dict of str to Counts
        ``part_time`` (a spell reported to the LA, or a mark C2) and ``alternative`` (a spell, or a
        second roll at a school of alternative provision), per pupil of the school's main roll.
    """
    timetables = _spells(facts, "part_time_timetable")
    marked = np.nonzero(marks.half_days[:, : facts.n_terms, PART_TIME])
    school, pupil, term = _in_terms(facts, timetables)
    people = facts.people_in(
        np.concatenate([school, marks.school[marked[0]]]),
        np.concatenate([pupil, marks.pupil[marked[0]]]),
        np.concatenate([term, marked[1]]),
    )
    by_spell = _reached(facts, timetables, "part-time timetables")
    by_mark = in_use(facts, marks)
    why = np.where((by_spell == "") | (by_mark == ""), "", by_mark)
    return {
        "part_time": settle(people, facts.on_roll, why, NOBODY),
        "alternative": _alternative(facts),
    }


def _alternative(facts: Facts) -> Counts:
    is_base = (facts.schools["kind"] == "alternative provision").to_numpy()
    rolls = facts.table("enrolments")
    second = rolls[(rolls["status"] == "dual").to_numpy()]
    number = facts.number_of(second["school_id"])
    second = second[is_base[number] & (number >= 0)] if len(is_base) else second.iloc[:0]
    second = second.rename(columns={"entry_date": "start_date", "leaving_date": "end_date"})
    columns = ["pupil_id", "start_date", "end_date"]
    spells = pd.concat([_spells(facts, "alternative_provision")[columns], second[columns]])
    people = facts.people_in(*_in_terms(facts, spells))
    period = _reached(facts, spells, "spells in alternative provision")
    why = np.broadcast_to(period, facts.shape).copy()
    why[is_base] = "The school is itself alternative provision."
    return settle(people, facts.on_roll, why, NOBODY)


def _spells(facts: Facts, kind: str) -> pd.DataFrame:
    spells = facts.table("circumstances")
    return spells[(spells["kind"] == kind).to_numpy()]


def _reached(facts: Facts, spells: pd.DataFrame, what: str) -> NDArray[np.object_]:
    return facts.reached("circumstances", days_of(spells["start_date"]), what, lasts=True)


def _in_terms(facts: Facts, spells: pd.DataFrame) -> tuple[Ints, Ints, Ints]:
    """Return school, pupil and term for every term that a spell touches while on a main roll."""
    pupil, start, end = (
        pupils_of(spells),
        days_of(spells["start_date"]),
        days_of(spells["end_date"]),
    )
    first, last = (days_of(facts.periods[name])[: facts.n_terms] for name in ("first", "last"))
    last = np.minimum(last, days_of(pd.Series([facts.as_of])) - 1)
    row, term = np.nonzero((start[:, None] <= last) & (end[:, None] >= first))
    low, high = np.maximum(start[row], first[term]), np.minimum(end[row], last[term])
    return facts.school_on(pupil[row], high, since=low), pupil[row], term
