"""Attendance by school: half-days attended, persistent and severe absence, half-days elsewhere.

In:  register marks, or termly totals where there are no registers; rolls.
Out: one :class:`~riskmodel.inclusion.counts.Counts` per measure.

A mark counts for the school whose main roll the pupil was on that day (of two, the one begun last),
and for the year groups of compulsory school age.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmodel.data import codes as families
from riskmodel.data.arrays import days_of, pupils_of
from riskmodel.data.codes import PERSISTENT, SEVERE, code_set, codes
from riskmodel.data.year_groups import LAST_SECONDARY
from riskmodel.inclusion.counts import Counts, Grid, Ints, settle
from riskmodel.inclusion.facts import Facts

__all__ = ["PART_TIME", "Marks", "attendance", "count_marks", "in_use"]

PRESENT, ABSENT, PART_TIME, OFFSITE, DUAL, NOT_POSSIBLE = range(6)
"""Kinds of mark: each mark is of one kind. Code C2 is an absence; K and B count as attended."""

BLOCK = 2**22
"""Marks counted in one go."""

UNMARKED = "No half-days of pupils of school age are marked."


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Half-days by pupil, school, period and kind of mark.

    Attributes
    ----------
    pupil, school : int arrays of shape (n_pairs,)
        Who, on which school's roll.
    half_days : int array of shape (n_pairs, n_periods, 6)
        Half-days of each kind: present, absent, part-time timetable, off site, dual, not possible.
    without_roll : int
        Marks on days on which the pupil was on no main roll; they count for no school.
    why : object array of shape (n_periods,)
        Why nothing is known of a period; empty where something is.
    """

    pupil: Ints
    school: Ints
    half_days: NDArray[np.int32]
    without_roll: int
    why: NDArray[np.object_]


def _kinds() -> NDArray[np.int64]:
    family = code_set("marks")["family"].loc[list(codes("marks"))]
    is_attended, is_absent = family.isin(families.ATTENDED), family.isin(families.ABSENT)
    kinds = np.select([is_attended, is_absent], [PRESENT, ABSENT], NOT_POSSIBLE)
    special = {"C2": PART_TIME, "B": OFFSITE, "K": OFFSITE, "D": DUAL}
    return np.array(
        [special.get(code, kind) for code, kind in zip(family.index, kinds, strict=True)]
    )


def count_marks(facts: Facts) -> Marks:
    """Count every half-day by pupil, school, period and kind of mark.

    Parameters
    ----------
    facts : Facts
        With registers, or else with termly totals.

    Returns
    -------
    Marks
        Only of marks recorded before ``facts.as_of``.
    """
    counted = np.zeros((len(facts.rolls), facts.n_terms, 6), np.int32)
    lost, why = 0, np.full(facts.shape[1], "", dtype=object)
    if facts.sessions is not None:
        lost = _from_sessions(facts, counted)
    elif len(facts.table("absence_totals")):
        lost = _from_totals(facts, counted)
        why = _absence_only(facts, counted)
    else:
        why[:] = "The extracts hold no registers and no termly totals."
    counted[~_of_school_age(facts)] = 0
    return _by_pair(facts, counted, lost, why)


def _absence_only(facts: Facts, counted: NDArray[np.int32]) -> NDArray[np.object_]:
    """Return why termly totals are not enough in periods in which they hold absence only."""
    why = np.full(facts.shape[1], "", dtype=object)
    missing = counted[:, :, [PRESENT, OFFSITE]].sum(axis=(0, 2)) == 0
    words = "The termly totals hold absence only: possible half-days are not known."
    why[: facts.n_terms][missing] = words
    why[facts.year_of_term[missing]] = words
    return why


def _from_sessions(facts: Facts, counted: NDArray[np.int32]) -> int:
    """Add the marks, block by block; return how many were on no roll."""
    assert facts.sessions is not None
    kind_of, lost = _kinds(), 0
    before = facts.as_of.to_datetime64()
    for start in range(0, len(facts.sessions), BLOCK):
        block = facts.sessions.iloc[start : start + BLOCK]
        block = block[(block["recorded_on"].to_numpy() < before)]
        day = days_of(block["date"])
        spell, term = facts.spell_on(pupils_of(block), day, day), facts.term_of(day)
        kind = kind_of[block["mark"].cat.codes.to_numpy()]
        lost += _add(counted, spell, term, kind, np.ones(len(kind), np.int32))
    return lost


def _from_totals(facts: Facts, counted: NDArray[np.int32]) -> int:
    totals = facts.tables["absence_totals"]
    day = days_of(totals["term_end"])
    term = facts.term_of(day)
    first = days_of(facts.periods["first"])[term]
    kind = _kinds()[totals["mark"].cat.codes.to_numpy()]
    spell = facts.spell_on(pupils_of(totals), day, first)
    return _add(counted, spell, term, kind, totals["sessions"].to_numpy())


def _add(
    counted: NDArray[np.int32], spell: Ints, term: Ints, kind: Ints, half_days: NDArray[np.generic]
) -> int:
    inside = (spell >= 0) & (term >= 0)
    _, n_terms, n_kinds = counted.shape
    key = (spell[inside] * n_terms + term[inside]) * n_kinds + kind[inside]
    added = np.bincount(key, half_days[inside], minlength=counted.size)
    counted += added.astype(np.int32).reshape(counted.shape)
    return int(half_days[(spell < 0) & (term >= 0)].sum())


def _of_school_age(facts: Facts) -> NDArray[np.bool_]:
    rolls, years = facts.rolls, facts.periods["year"].to_numpy()[: facts.n_terms]
    now = (rolls["year_group"] - rolls["year"]).to_numpy()[:, None] + years
    return (now >= 0) & (now <= LAST_SECONDARY)  # DfE counts ages 5 to 15


def _by_pair(
    facts: Facts, counted: NDArray[np.int32], lost: int, why: NDArray[np.object_]
) -> Marks:
    """Add up the spells of a pupil at one school, and terms to years."""
    rolls, n_schools = facts.rolls, max(1, facts.shape[0])
    pair, of = np.unique(
        rolls["pupil"].to_numpy() * n_schools + rolls["school"].to_numpy(), return_inverse=True
    )
    half_days = np.zeros((len(pair), facts.shape[1], 6), np.int32)
    np.add.at(half_days[:, : facts.n_terms], of, counted)
    for term, year in enumerate(facts.year_of_term):
        half_days[:, year] += half_days[:, term]
    return Marks(
        pupil=pair // n_schools,
        school=pair % n_schools,
        half_days=half_days,
        without_roll=lost,
        why=why,
    )


def attendance(facts: Facts, marks: Marks) -> dict[str, Counts]:
    """Count attendance and absence of every school and period.

    Parameters
    ----------
    facts : Facts
        Schools and periods.
    marks : Marks
        From :func:`count_marks`.

    Returns
    -------
    dict of str to Counts
        ``attendance``, ``persistent``, ``severe``, ``part_time_marks``, ``offsite``, ``dual``.

    References
    ----------
    DfE, Pupil absence in schools in England: persistent absence is missing 10% or more of one's own
    possible half-days in the period, severe absence 50% or more.
    """
    kinds = np.moveaxis(marks.half_days, 2, 0)
    absent = kinds[ABSENT] + kinds[PART_TIME]
    possible = absent + kinds[PRESENT] + kinds[OFFSITE]
    enrolled = possible + kinds[DUAL] + kinds[NOT_POSSIBLE]
    return {
        "attendance": _of_half_days(facts, marks, possible - absent, possible, people=possible),
        "persistent": _missing(facts, marks, absent, possible, PERSISTENT),
        "severe": _missing(facts, marks, absent, possible, SEVERE),
        "part_time_marks": _of_half_days(
            facts, marks, kinds[PART_TIME], possible, why=in_use(facts, marks)
        ),
        "offsite": _of_half_days(facts, marks, kinds[OFFSITE], possible),
        "dual": _of_half_days(facts, marks, kinds[DUAL], enrolled),
    }


def _by_school(facts: Facts, marks: Marks, values: NDArray[np.generic]) -> Grid:
    """Return values of pupils added up by school and period."""
    totals = np.zeros(facts.shape)
    np.add.at(totals, marks.school, values.astype(float))
    return totals


def _of_half_days(
    facts: Facts,
    marks: Marks,
    part: NDArray[np.int32],
    whole: NDArray[np.int32],
    *,
    people: NDArray[np.int32] | None = None,
    why: NDArray[np.object_] | None = None,
) -> Counts:
    """Return ``part`` of the half-days in ``whole``; ``people`` have one, or some of ``part``."""
    return settle(
        _by_school(facts, marks, part),
        _by_school(facts, marks, whole),
        marks.why if why is None else why,
        UNMARKED,
        people=_by_school(facts, marks, (part if people is None else people) > 0),
        pupils=_by_school(facts, marks, whole > 0),
    )


def _missing(
    facts: Facts,
    marks: Marks,
    absent: NDArray[np.int32],
    possible: NDArray[np.int32],
    threshold: float,
) -> Counts:
    """Return pupils who missed a share of their possible half-days, of pupils who had some."""
    reached = (possible > 0) & (absent / np.maximum(possible, 1) >= threshold)
    pupils = _by_school(facts, marks, possible > 0)
    return settle(_by_school(facts, marks, reached), pupils, marks.why, UNMARKED)


def in_use(facts: Facts, marks: Marks) -> NDArray[np.object_]:
    """Return why marks show no part-time timetables in a period.

    Parameters
    ----------
    facts : Facts
        Periods.
    marks : Marks
        From :func:`count_marks`.

    Returns
    -------
    object array of shape (n_periods,)
        ``marks.why``, and that code C2 is newer than the period where no school used it either.
    """
    since = pd.Timestamp(str(code_set("marks").loc["C2", "from"]))
    unused = (marks.half_days[:, :, PART_TIME] == 0).all(axis=0)
    unused &= (facts.periods["school_ends"] < since).to_numpy()
    why = marks.why.copy()
    why[unused & (why == "")] = f"Code C2 is in use since {since.day} {since:%B %Y}."
    return why
