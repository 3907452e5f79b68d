"""The tables: one row per fact, with columns, types, units and allowed codes.

In:  nothing.
Out: :data:`TABLES`, the declaration that readers, checks and the documentation follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from riskmodel.data.codes import code_set, codes
from riskmodel.data.columns import Column, Kind, Table

__all__ = ["NOT_KNOWN", "TABLES", "as_codes"]

NOT_KNOWN = "not_known"
"""The group of pupils for whom an attribute is missing, refused or an unknown code."""

_PUPIL = Column(name="pupil_id", kind="pupil", label="Pupil, pseudonymous")
_RECORDED = Column(name="recorded_on", kind="date", label="First day the LA could have known")
_START = Column(name="start_date", kind="date", label="First day")
_END = Column(
    name="end_date",
    kind="date",
    label="Last day; missing while it lasts",
    required=False,
    nullable=True,
)
_END_RECORDED = Column(
    name="end_recorded_on",
    kind="date",
    label="First day the LA could have known the end",
    required=False,
    nullable=True,
)
_SCHOOL = Column(name="school_id", kind="text", label="School")
LEAVING_REASONS = (
    "end_of_phase",
    "completed",
    "transferred",
    "managed_move",
    "permanently_excluded",
    "home_educated",
    "left_area",
    "destination_unknown",
    "other",
)
"""Why a spell on a roll ended; ``completed`` is the end of Year 11 or later."""


def _optional(name: str, kind: Kind, label: str, **more: object) -> Column:
    return Column(name=name, kind=kind, label=label, required=False, nullable=True, **more)  # type: ignore[arg-type]


_ALL = (
    Table(
        name="pupils",
        row="pupil",
        key=("pupil_id",),
        columns=(
            _PUPIL,
            _optional("birth_month", "date", "First day of the month of birth"),
            Column(
                name="sex",
                kind="code",
                label="Sex",
                allowed=("F", "M", NOT_KNOWN),
                required=False,
                unknown_is_group=True,
            ),
            Column(
                name="ethnicity",
                kind="code",
                label="Ethnicity",
                allowed=codes("ethnicities"),
                required=False,
                unknown_is_group=True,
            ),
            _optional("first_language", "text", "First language, School Census code"),
            _optional(
                "first_language_recorded_on",
                "date",
                "First day the LA could have known the first language; missing where that is not recorded",
            ),
            _optional("religion", "text", "Religion, where recorded"),
        ),
        known_when={"first_language": "first_language_recorded_on"},
    ),
    Table(
        name="schools",
        row="school",
        key=("school_id",),
        columns=(
            _SCHOOL,
            _optional("urn", "text", "Unique reference number"),
            _optional("name", "text", "Name"),
            Column(
                name="phase",
                kind="code",
                label="Phase",
                allowed=("primary", "secondary", "all_through", "post16"),
            ),
            Column(name="kind", kind="code", label="Kind", allowed=("mainstream", "special", "AP")),
            _optional("local_authority", "text", "Local authority code"),
        ),
    ),
    Table(
        name="enrolments",
        row="spell on a roll",
        key=("pupil_id", "school_id", "entry_date"),
        event="entry_date",
        lag_days=14,
        known_when={
            "leaving_date": "end_recorded_on",
            "leaving_reason": "end_recorded_on",
            "end_recorded_on": "end_recorded_on",
        },
        columns=(
            _PUPIL,
            _SCHOOL,
            Column(name="entry_date", kind="date", label="First day on the roll"),
            _optional("leaving_date", "date", "Last day on the roll; missing while it lasts"),
            Column(name="status", kind="code", label="Main roll or dual", allowed=("main", "dual")),
            Column(
                name="year_group",
                kind="integer",
                label="Year group at entry, Reception is 0",
                unit="school years",
                low=-4,
                high=14,
            ),
            _optional("leaving_reason", "code", "Why the spell ended", allowed=LEAVING_REASONS),
            _RECORDED,
            _END_RECORDED,
        ),
    ),
    Table(
        name="sessions",
        row="half-day mark",
        key=("pupil_id", "date", "session"),
        event="date",
        lag_days=1,
        columns=(
            _PUPIL,
            Column(name="date", kind="date", label="School day"),
            Column(name="session", kind="code", label="Morning or afternoon", allowed=("AM", "PM")),
            Column(name="mark", kind="code", label="Attendance code", allowed=codes("marks")),
            _RECORDED,
        ),
    ),
    Table(
        name="absence_totals",
        row="pupil, term and code",
        key=("pupil_id", "term_end", "mark"),
        event="term_end",
        lag_days=90,
        columns=(
            _PUPIL,
            Column(name="term_end", kind="date", label="Last day of the term"),
            Column(name="mark", kind="code", label="Attendance code", allowed=codes("marks")),
            Column(
                name="sessions",
                kind="integer",
                label="Half-days",
                unit="half-days",
                low=0,
                high=400,
            ),
            _RECORDED,
        ),
    ),
    Table(
        name="suspensions",
        row="suspension or permanent exclusion",
        key=("pupil_id", "start_date", "category"),
        event="start_date",
        lag_days=1,
        known_when={"reinstated_on": "reinstated_on"},
        columns=(
            _PUPIL,
            _SCHOOL,
            _START,
            Column(
                name="sessions",
                kind="number",
                label="Length",
                unit="half-days",
                low=0,
                high=90,
                nullable=True,
            ),
            Column(
                name="category", kind="code", label="Category", allowed=("SUSP", "PERM", "LNCH")
            ),
            _optional("reason_1", "code", "First reason", allowed=codes("reasons")),
            _optional("reason_2", "code", "Second reason", allowed=codes("reasons")),
            _optional("reason_3", "code", "Third reason", allowed=codes("reasons")),
            _RECORDED,
            _optional(
                "reinstated_on",
                "date",
                "First day the LA could have known that a permanent exclusion was overturned",
            ),
        ),
    ),
    Table(
        name="send",
        row="spell of SEN provision",
        key=("pupil_id", "start_date"),
        event="start_date",
        lag_days=90,
        known_when={"end_date": "end_recorded_on", "end_recorded_on": "end_recorded_on"},
        columns=(
            _PUPIL,
            Column(
                name="provision",
                kind="code",
                label="None, SEN support or EHC plan",
                allowed=("N", "K", "E"),
            ),
            _optional("primary_need", "code", "Primary type of need", allowed=codes("needs")),
            _optional("secondary_need", "code", "Secondary type of need", allowed=codes("needs")),
            _START,
            _END,
            _RECORDED,
            _END_RECORDED,
        ),
    ),
    Table(
        name="plans",
        row="request for an EHC plan",
        key=("pupil_id", "requested_on"),
        event="requested_on",
        lag_days=1,
        known_when={"outcome": "decided_on", "decided_on": "decided_on", "plan_on": "plan_on"},
        columns=(
            _PUPIL,
            Column(name="requested_on", kind="date", label="Day of the request"),
            _optional("decided_on", "date", "Day the LA decided"),
            _optional("outcome", "code", "Decision", allowed=("issued", "refused", "withdrawn")),
            _optional("plan_on", "date", "Day the plan was issued"),
            _RECORDED,
        ),
    ),
    Table(
        name="circumstances",
        row="spell of a circumstance",
        key=("pupil_id", "kind", "start_date"),
        event="start_date",
        lag_days=30,
        known_when={"end_date": "end_recorded_on", "end_recorded_on": "end_recorded_on"},
        columns=(
            _PUPIL,
            Column(name="kind", kind="code", label="Kind", allowed=codes("circumstances")),
            _START,
            _END,
            _RECORDED,
            _END_RECORDED,
        ),
    ),
    Table(
        name="neighbourhood",
        row="spell at an address",
        key=("pupil_id", "start_date"),
        event="start_date",
        lag_days=90,
        columns=(
            _PUPIL,
            _START,
            Column(
                name="idaci_decile",
                kind="number",
                label="IDACI decile, 1 is most deprived",
                unit="decile",
                low=1,
                high=10,
                nullable=True,
            ),
            _optional(
                "imd_decile",
                "number",
                "IMD decile, 1 is most deprived",
                unit="decile",
                low=1,
                high=10,
            ),
            _RECORDED,
        ),
    ),
    Table(
        name="attainment",
        row="result",
        key=("pupil_id", "stage", "subject", "result_date"),
        event="result_date",
        lag_days=30,
        columns=(
            _PUPIL,
            Column(
                name="stage",
                kind="code",
                label="Key stage",
                allowed=("EYFS", "KS1", "KS2", "KS4", "KS5"),
            ),
            Column(name="subject", kind="text", label="Subject or summary measure"),
            Column(
                name="score",
                kind="number",
                label="Standardised score",
                unit="standard deviations",
                low=-10,
                high=10,
            ),
            Column(name="result_date", kind="date", label="Day of the result"),
            _RECORDED,
        ),
    ),
    Table(
        name="destinations",
        row="NCCIS position",
        key=("pupil_id", "start_date", "confirmed_on"),
        event="confirmed_on",
        lag_days=0,
        columns=(
            _PUPIL,
            Column(
                name="activity_code",
                kind="code",
                label="NCCIS activity",
                allowed=codes("activities"),
            ),
            _optional(
                "group",
                "code",
                "Group of the activity, where the LA's is not the code set's",
                allowed=tuple(sorted(set(code_set("activities")["group"]))),
            ),
            Column(name="start_date", kind="date", label="First day of the activity"),
            Column(name="confirmed_on", kind="date", label="Day the position was confirmed"),
            _optional("lapses_on", "date", "Day from which it no longer counts as known"),
            _RECORDED,
        ),
    ),
    Table(
        name="calendar",
        row="school day",
        key=("date",),
        columns=(
            Column(name="date", kind="date", label="School day"),
            Column(name="term", kind="code", label="Term", allowed=("autumn", "spring", "summer")),
            Column(
                name="half_term",
                kind="integer",
                label="Half-term of the school year",
                low=1,
                high=6,
            ),
            _optional(
                "first_marked_on",
                "date",
                "Day its first mark was recorded, where only registers "
                "show that it was a school day",
            ),
        ),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""Every table by name."""


def as_codes(values: Any, allowed: Sequence[str]) -> pd.Categorical:
    """Return values as codes; whatever is not a code is missing.

    Parameters
    ----------
    values : sequence of str
        Values; missing ones stay missing.
    allowed : sequence of str
        Codes.

    Returns
    -------
    Categorical
        With all allowed codes as categories.
    """
    categories = pd.Index(list(allowed), dtype="str")
    return pd.Categorical.from_codes(categories.get_indexer(pd.Index(values)), categories)
