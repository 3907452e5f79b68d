"""Each outcome, declared once: its words, its pupils, its horizon and the facts it needs.

In:  the name of an outcome.
Out: :class:`Outcome`. How its label is computed is in :data:`riskmodel.labels.LABELLERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from riskmodel.errors import RequestError

__all__ = [
    "HALF_TERMLY",
    "HOLIDAY_DAYS",
    "OUTCOMES",
    "RESERVE_RANKERS",
    "TERM_MONTHS",
    "Outcome",
    "outcome_of",
]

HALF_TERMLY = ((1, 1), (3, 1), (4, 15), (6, 1), (8, 1), (11, 1))
"""Month and day of the half-termly snapshots: one in or just after each school holiday.

The same days every year, so that a horizon of 12 months ends exactly at a later snapshot.
"""

QUARTERLY = ((1, 1), (4, 1), (7, 1), (10, 1))
"""Month and day of the quarterly snapshots for young people over 16."""

TERM_MONTHS = 4
"""Months that stand for a term: about 60 school days wherever they begin in the year."""

HOLIDAY_DAYS = 14
"""Days after the last recorded fact on which a list is still made: a school holiday."""

RESERVE_RANKERS = ("first-suspension", "exit", "severe-absence", "pex")
"""Outcomes on the path to exclusion whose risk may rank places for children never suspended; the first by
default."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a list can be made for, and everything that differs from other outcomes.

    Attributes
    ----------
    name : str
        Name on the command line, in files and in the registry.
    words : str
        What comes after "the risk of".
    happened : str
        What comes after "children who were".
    policy : str
        Short sentences: who counts as having had the outcome, and of whom it is not known.
    note : str
        What each list must add about the outcome itself; empty where nothing.
    cohort_table : str
        Table that the cohort comes from: ``"enrolments"`` for pupils on a roll, ``"destinations"``
        for young people with a known position after Year 11.
    year_groups : (int, int)
        First and last year group of the cohort, both included.
    facts : tuple of str
        Tables from whose days it follows when lists can start and how late a list can be made.
    label_tables : tuple of str
        Tables that the label comes from.
    label_tables_if_there : tuple of str
        Tables that add to the label where the extracts hold them.
    cohort_rule : str or None
        Which pupils on a roll the outcome can still befall: a name in
        :data:`riskmodel.cohort_rules.COHORT_RULES`. None where it can befall all of them.
    snapshot_days : tuple of (month, day)
        Days of the year on which lists are made.
    history_days : int
        Days of facts wanted before the first list.
    days_beyond_data : int
        Days after the last recorded fact up to which a list can be made.
    horizon_months : int or None
        Months from the day of the list to the end of the horizon. None where the horizon ends on
        the 1 March after Year 11, so that all lists of a pupil look at the same winter.
    has_event_day : bool
        Whether an event has a day of its own. False where months are counted, so that an event is
        known only when the horizon is over.
    capacity_share : float
        Share of the cohort on a list where no capacity is given, between 0 and 1.
    usual_slope : float
        Slope of the true log-odds on the recipe's scores, on LAs that it was not trained on, to expect
        before anything of an LA's own lists is known. Measured in the five simulated worlds
        (``benchmarks/coverage.py``).
    related : str or None
        A frequent outcome on the same path, of :data:`riskmodel.labels.RELATED`; None where none
        was found that helps.
    reserve_rankers : tuple of str
        Outcomes whose risk may rank places of the list that are for children never suspended; empty where
        a list has no such places.
    """

    name: str
    words: str
    happened: str
    policy: str
    note: str = ""
    cohort_table: Literal["enrolments", "destinations"] = "enrolments"
    year_groups: tuple[int, int]
    facts: tuple[str, ...] = ("sessions", "suspensions")
    label_tables: tuple[str, ...]
    label_tables_if_there: tuple[str, ...] = ()
    cohort_rule: str | None = None
    snapshot_days: tuple[tuple[int, int], ...] = HALF_TERMLY
    history_days: int = 60
    days_beyond_data: int = HOLIDAY_DAYS
    horizon_months: int | None = 12
    has_event_day: bool = True
    capacity_share: float
    usual_slope: float = 1.0
    related: str | None = None
    reserve_rankers: tuple[str, ...] = ()

    def usual_capacity(self, n_pupils: int) -> int:
        """Return the places on a list where no capacity is given.

        Parameters
        ----------
        n_pupils : int
            Pupils of the cohort.

        Returns
        -------
        int
            The usual share of the pupils, at least 1.

        Examples
        --------
        >>> outcome_of("pex").usual_capacity(12_345), outcome_of("pex").usual_capacity(3)
        (123, 1)
        """
        return max(1, round(self.capacity_share * n_pupils))


_PEX = Outcome(
    name="pex",
    words="permanent exclusion within 12 months",
    happened="permanently excluded within 12 months",
    policy=(
        "A pupil counts as excluded if a permanent exclusion starts on the day of the list or in the "
        "12 months after. An exclusion that was overturned does not count. Of pupils who left the "
        "LA's rolls before the 12 months were over the outcome is not known, unless they finished Year 11. "
        "Nor is it of pupils whose earlier exclusion was not known yet."
    ),
    note=(
        "The outcome is itself a decision of adults. Permanent exclusion is more frequent for some "
        "groups with like records, and a model that predicts it well repeats that. Equal recall does "
        "not make the outcome just; look at who is excluded before looking at who is listed."
    ),
    year_groups=(1, 11),
    label_tables=("suspensions", "enrolments"),
    capacity_share=0.01,
    usual_slope=0.8,  # 0.85 with LAs of 3,000 pupils, 0.78 with 12,000
    related="serious suspension",
    reserve_rankers=RESERVE_RANKERS,
)

_NEET = Outcome(
    name="neet",
    words="not being in education, employment or training in the winter after Year 11",
    happened="not in education, employment or training in the winter after Year 11",
    policy=(
        "A young person counts as NEET if NEET at the end of two or more of December, January and "
        "February after Year 11. The outcome is not known where unknown or old records of their activity "
        "leave this open. Such young people are not counted as in education or work."
    ),
    year_groups=(9, 11),
    label_tables=("destinations", "enrolments"),
    horizon_months=None,
    capacity_share=0.05,
    usual_slope=1.25,  # 1.33 and 1.22
)

_NEET_POST16 = Outcome(
    name="neet-post16",
    words="not being in education, employment or training for half of the next 12 months",
    happened="not in education, employment or training for half of the next 12 months",
    policy=(
        "A young person counts as NEET if NEET at the end of at least 6 of the 12 months after the day "
        "of the list. The outcome is not known where months that are not known leave this open."
    ),
    cohort_table="destinations",
    year_groups=(12, 13),  # academic ages 16 and 17, which LAs must track (DfE, NCCIS)
    facts=("destinations",),
    label_tables=("destinations",),
    snapshot_days=QUARTERLY,
    history_days=180,
    days_beyond_data=31 + HOLIDAY_DAYS,  # positions come once a month
    has_event_day=False,
    capacity_share=0.1,
)

_EXIT = Outcome(
    name="exit",
    words="being lost from mainstream school within 12 months",
    happened="lost from mainstream school within 12 months",
    policy=(
        "A pupil counts as lost if permanently excluded, moved by agreement, placed in alternative "
        "provision or taken into home education within 12 months. So does a pupil who leaves the rolls "
        "and is on no other roll of the LA, with no destination known, 50 days later. Of pupils who left "
        "for a known place outside the LA's schools the outcome is not known."
    ),
    note=(
        "The outcome joins decisions of schools, of the LA and of parents. Home education is a right of "
        "parents (Education Act 1996, section 7); a place on this list is a reason to ask, never to oppose."
    ),
    year_groups=(1, 11),
    label_tables=("enrolments",),
    label_tables_if_there=("suspensions", "circumstances", "schools"),
    cohort_rule="in mainstream",
    capacity_share=0.01,
    related="serious suspension",
)

_NOT_KNOWN = Outcome(
    name="not-known",
    words="an activity that is not known in the winter after Year 11",
    happened="of an activity not known in the winter after Year 11",
    policy=(
        "A young person counts as not known if no activity is known at the end of two of December, January "
        "and February after Year 11. Young people who left the LA's rolls before June of Year 11 "
        "and were never found are not counted. Nor are winters in which nobody's activity was confirmed."
    ),
    year_groups=(9, 11),
    label_tables=("destinations", "enrolments"),
    horizon_months=None,
    capacity_share=0.05,
)

_SEVERE_ABSENCE = Outcome(
    name="severe-absence",
    words="severe absence within the next two terms",
    happened="severely absent within the next two terms",
    policy=(
        "A pupil counts as severely absent if half or more of the possible half-days were missed in "
        "the next four months, or the four after. Pupils who missed half of the 12 months before are not on "
        "the list. The outcome is not known of pupils who left, nor with fewer than 30 known half-days in "
        "a term."
    ),
    year_groups=(1, 11),
    label_tables=("sessions", "enrolments"),
    cohort_rule="not severely absent",
    horizon_months=8,
    has_event_day=False,
    capacity_share=0.02,
)

_FIRST_SUSPENSION = Outcome(
    name="first-suspension",
    words="a first suspension within 12 months",
    happened="suspended for the first time within 12 months",
    policy=(
        "A pupil counts as suspended if a first suspension or permanent exclusion starts on the day of the "
        "list or in the 12 months after. Pupils suspended before are not on the list. Of pupils who left "
        "the LA's rolls earlier the outcome is not known, unless they finished Year 11."
    ),
    note="Suspensions before a pupil came to the LA's schools are not known.",
    year_groups=(1, 11),
    label_tables=("suspensions", "enrolments"),
    cohort_rule="never suspended",
    capacity_share=0.02,
)

OUTCOMES: Mapping[str, Outcome] = {
    one.name: one
    for one in (
        _PEX, _NEET, _NEET_POST16, _EXIT, _NOT_KNOWN, _SEVERE_ABSENCE, _FIRST_SUSPENSION
    )
}  # fmt: skip
"""Name → outcome: exclusion, NEET after Year 11 and over 16, exits, not known, absence, first suspension."""


def outcome_of(name: str) -> Outcome:
    """Return the outcome of a name.

    Parameters
    ----------
    name : str
        One of :data:`OUTCOMES`.

    Returns
    -------
    Outcome
        What is declared of it.

    Raises
    ------
    RequestError
        If the outcome is unknown.

    Examples
    --------
    >>> outcome_of("neet").words
    'not being in education, employment or training in the winter after Year 11'
    """
    if name not in OUTCOMES:
        raise RequestError(f"Outcome must be one of {', '.join(OUTCOMES)}; got {name!r}.")
    return OUTCOMES[name]
